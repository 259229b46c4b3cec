"""sorted-logit-loss: sorted probabilities compared in float64 with a loop over the ranks."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import distillation

PARTS = {"one vocabulary": 0.35, "two vocabularies": 0.35, "gradient": 0.15, "refuse": 0.15}
HINTS = (
    "q = student_logits.softmax(1).sort(dim=1, descending=True).values",
    "F.pad(q, (0, width - q.shape[1])) with width the larger of the two.",
    "(q - p).abs().sum(1).mean(), p from teacher_logits.detach().",
)
BAD = ("rows differ", "one teacher row", "no rows", "student flat", "teacher flat",
       "three dimensions", "a student of three dimensions", "a teacher of three dimensions")  # fmt: skip


def _case(rng, label, part, rows, mine, theirs, size=2.0, dtype=np.float64, **more):
    student = rng.normal(0, size, (rows, mine)).astype(dtype)
    teacher = rng.normal(0, 1.5 * size, (rows, theirs)).astype(dtype)
    return case(label, part, student=student, teacher=teacher, **more)


def cases(rng):
    yield _case(rng, "one row", "one vocabulary", 1, 4, 4)
    yield _case(rng, "rows", "one vocabulary", 6, 5, 5)
    yield _case(rng, "large logits", "one vocabulary", 5, 6, 6, 800.0)
    yield _case(rng, "float32", "one vocabulary", 8, 20, 20, dtype=np.float32)
    shuffled = _case(rng, "", "one vocabulary", 4, 7, 7).inputs
    shuffled["teacher"] = shuffled["student"][:, rng.permutation(7)]
    yield case("the same answers, shuffled", "one vocabulary", **shuffled)
    yield _case(rng, "a larger teacher", "two vocabularies", 5, 4, 9)
    yield _case(rng, "a larger student", "two vocabularies", 5, 9, 4)
    yield _case(rng, "one class more", "two vocabularies", 3, 6, 7)
    yield _case(rng, "one class", "two vocabularies", 3, 1, 4)
    yield _case(rng, "300 and 200 classes", "two vocabularies", 4, 300, 200, 1.0)
    yield _case(rng, "flat answers", "two vocabularies", 4, 6, 12, 0.1)
    yield _case(rng, "gradients", "gradient", 5, 6, 6)
    yield _case(rng, "gradients, a larger teacher", "gradient", 4, 5, 8)
    yield _case(rng, "gradients, a larger student", "gradient", 4, 8, 5)
    for bad in BAD:
        inputs = _case(rng, "", "refuse", 4, 5, 6, good=False).inputs
        if bad == "rows differ":
            inputs["teacher"] = inputs["teacher"][:3]
        elif bad == "one teacher row":
            inputs["teacher"] = inputs["teacher"][:1]
        elif bad == "no rows":
            inputs = {**inputs, "student": inputs["student"][:0], "teacher": inputs["teacher"][:0]}
        elif bad == "student flat":
            inputs["student"] = inputs["student"][0]
        elif bad == "teacher flat":
            inputs["teacher"] = inputs["teacher"][0]
        elif bad != "three dimensions":
            name = bad.split()[1]
            inputs[name] = inputs[name][:, None]
        else:
            inputs = {
                **inputs,
                "student": inputs["student"][None],
                "teacher": inputs["teacher"][None],
            }
        yield case(bad, "refuse", **inputs)


def probe(solution, student, teacher, good=True):
    import torch

    s, t = (torch.tensor(z).requires_grad_() for z in (student, teacher))
    if not good:
        return refusal(lambda: solution(s, t))  # noqa: F821
    loss = solution(s, t)
    out = {"loss": loss, "tracked": False, "by_student": None, "by_teacher": 0.0}
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.numel() == 1:
        out["tracked"] = True
        loss.backward()
        out["by_student"] = s.grad
        out["by_teacher"] = 0.0 if t.grad is None else float(t.grad.abs().max())
    out["same"] = np.array_equal(s.detach().numpy(), student) and np.array_equal(
        t.detach().numpy(), teacher
    )
    out["same"] &= s.requires_grad and t.requires_grad
    return out


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("loss", "tracked"))
    single = case.student.dtype == np.float32
    name = "torch." + str(case.student.dtype)
    got = expect.tensor(answer["loss"], "the loss", shape=(), dtype=name)
    want, gradient = distillation.sorted_distance(case.student, case.teacher)
    expect.close(
        got, np.array(want), "the loss", rtol=2e-5 if single else 1e-11, atol=1e-6 if single else 1e-12,
        hint="Sorted probabilities, zeros at the end of the shorter, a sum over each row, a mean over rows.",
    )  # fmt: skip
    expect.that(answer["same"], "An argument was changed.", stage="mutation")
    expect.that(answer["tracked"], "The loss has no gradient.")
    expect.that(answer["by_teacher"] == 0.0, "A gradient goes to the teacher: detach its logits.")
    if case.part == "gradient":
        yours = expect.tensor(answer["by_student"], "the gradient", shape=gradient.shape)
        expect.close(yours, gradient, "the gradient by the student's logits", rtol=1e-9, atol=1e-12)
