"""kd-loss: value and gradient against torch's kl_div in float64 and the chain rule."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import distillation

PARTS = {"the loss": 0.5, "large logits": 0.15, "gradient": 0.15, "refuse": 0.2}
HINTS = (
    "log_q = F.log_softmax(student / T, 1), log_p = F.log_softmax(teacher.detach() / T, 1).",
    "soft = (log_p.exp() * (log_p - log_q)).sum(1).mean(): the teacher's probabilities weigh the sum.",
    "alpha * T**2 * soft + (1 - alpha) * F.cross_entropy(student_logits, labels), at temperature 1.",
    "Test the labels with labels.min() and labels.max(): cross_entropy skips -100 in silence.",
)
BAD = ("classes", "rows", "one teacher row", "flat", "labels short", "labels deep", "label high",
       "label -100", "no rows")  # fmt: skip


def _case(rng, label, part, rows, classes, temperature, alpha, size=3.0, dtype=np.float64, **more):
    student, teacher = (rng.normal(0, size, (rows, classes)).astype(dtype) for _ in range(2))
    labels = rng.integers(classes, size=rows)
    inputs = {"student": student, "teacher": teacher, "labels": labels, **more}
    return case(label, part, temperature=temperature, alpha=alpha, **inputs)


def cases(rng):
    yield _case(rng, "the soft term alone, T 1", "the loss", 4, 5, 1.0, 1.0)
    yield _case(rng, "the soft term alone, T 3", "the loss", 4, 5, 3.0, 1.0)
    yield _case(rng, "the labels alone", "the loss", 4, 5, 3.0, 0.0)
    yield _case(rng, "both", "the loss", 7, 3, 2.0, 0.3)
    yield _case(rng, "both, T 10", "the loss", 16, 10, 10.0, 0.9)
    yield _case(rng, "T 0.5", "the loss", 6, 4, 0.5, 0.7)
    yield _case(rng, "one row", "the loss", 1, 6, 4.0, 0.5)
    yield _case(rng, "one class", "the loss", 3, 1, 4.0, 0.5)
    yield _case(rng, "two classes", "the loss", 5, 2, 4.0, 0.5)
    yield _case(rng, "as many rows as classes", "the loss", 6, 6, 4.0, 0.5)
    yield _case(rng, "float32", "the loss", 9, 8, 4.0, 0.5, dtype=np.float32)
    yield _case(rng, "300 classes", "the loss", 5, 300, 2.0, 0.8)
    for size in (200.0, 1e4):
        yield _case(rng, f"logits of {size:g}", "large logits", 6, 5, 1.0, 0.5, size)
    yield _case(rng, "float32, logits of 1e4", "large logits", 6, 5, 2.0, 0.5, 1e4, np.float32)
    for alpha, temperature in ((1.0, 1.0), (1.0, 4.0), (0.0, 4.0), (0.4, 2.5)):
        yield _case(
            rng, f"alpha {alpha:g}, T {temperature:g}", "gradient", 5, 6, temperature, alpha
        )
    for bad in BAD:
        yield _refused(rng, bad)
    for temperature in (0.0, -2.0, float("nan"), float("inf")):
        yield _case(rng, f"T {temperature}", "refuse", 3, 4, temperature, 0.5, good=False)
    for alpha in (-0.1, 1.1, float("nan")):
        yield _case(rng, f"alpha {alpha}", "refuse", 3, 4, 2.0, alpha, good=False)


def _refused(rng, bad):
    inputs = _case(rng, "", "refuse", 4, 5, 2.0, 0.5).inputs
    teacher, labels = inputs["teacher"], inputs["labels"]
    if bad == "classes":
        inputs["teacher"] = np.concatenate([teacher, teacher[:, :1]], axis=1)
    elif bad == "rows":
        inputs["teacher"] = teacher[:3]
    elif bad == "one teacher row":
        inputs["teacher"] = teacher[:1]
    elif bad == "flat":
        inputs.update(student=inputs["student"][0], teacher=teacher[0], labels=labels[0])
    elif bad == "labels short":
        inputs["labels"] = labels[:3]
    elif bad == "labels deep":
        inputs["labels"] = labels[:, None]
    elif bad == "label high":
        inputs["labels"] = np.where(np.arange(4) == 2, 5, labels)
    elif bad == "label -100":
        inputs["labels"] = np.where(np.arange(4) == 2, -100, labels)
    else:
        inputs.update(student=inputs["student"][:0], teacher=teacher[:0], labels=labels[:0])
    return case(bad, "refuse", good=False, **inputs)


def probe(solution, student, teacher, labels, temperature, alpha, good=True):
    import torch

    s, t = (torch.tensor(z).requires_grad_() for z in (student, teacher))
    targets = torch.tensor(labels)
    if not good:
        return refusal(lambda: solution(s, t, targets, temperature, alpha))  # noqa: F821
    loss = solution(s, t, targets, temperature, alpha)
    # The mode is asked after a call with gradients and inside one without them.
    kept = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    with torch.no_grad():
        solution(s, t, targets, temperature, alpha)
        kept = kept and not torch.is_grad_enabled()
    out = {"loss": loss, "tracked": False, "by_student": None, "by_teacher": 0.0}
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.numel() == 1:
        out["tracked"] = True
        loss.backward()
        out["by_student"] = s.grad
        out["by_teacher"] = 0.0 if t.grad is None else float(t.grad.abs().max())
    arrays = ((s, student), (t, teacher), (targets, labels))
    out["changed"] = any(not np.array_equal(z.detach().numpy(), was) for z, was in arrays)
    out["changed"] |= not (s.requires_grad and t.requires_grad)
    out["mode_kept"] = kept
    return out


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("loss", "tracked"))
    name = "torch." + str(case.student.dtype)
    got = expect.tensor(answer["loss"], "the loss", shape=(), dtype=name)
    want, gradient = distillation.kd(
        case.student, case.teacher, case.labels, case.temperature, case.alpha
    )
    # log p of logits of 1e4 is 1e4 large: the error of a sum is relative to its terms.
    single = case.student.dtype == np.float32
    size = max(1.0, float(np.abs(case.student).max()) / case.temperature)
    unit = size * case.temperature**2 * (2e-6 if single else 1e-13)
    expect.close(
        got, np.array(want), "the loss", rtol=2e-5 if single else 1e-11, atol=unit,
        hint="alpha T^2 KL(teacher || student) + (1 - alpha) CE(student, labels at T = 1).",
    )  # fmt: skip
    expect.that(not answer["changed"], "An argument was changed: values, or requires_grad.",
                stage="mutation")  # fmt: skip
    expect.that(
        answer["mode_kept"],
        "torch's gradient mode is another after your function: later code runs with it.",
        stage="mutation",
        hint="with torch.no_grad(): puts back what it found; set_grad_enabled does not.",
    )
    expect.that(answer["tracked"], "The loss has no gradient: no student can learn from it.")
    expect.that(
        answer["by_teacher"] == 0.0,
        "A gradient goes to the teacher's logits.",
        hint="The teacher's logits are a constant: detach them.",
    )
    if case.part in ("gradient", "large logits"):
        by_student = expect.tensor(answer["by_student"], "the gradient", shape=gradient.shape)
        expect.close(
            by_student, gradient, "the gradient by the student's logits",
            rtol=1e-4 if single else 1e-9, atol=2e-3 if single else 1e-10,
        )  # fmt: skip
