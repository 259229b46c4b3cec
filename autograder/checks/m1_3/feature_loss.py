"""feature-loss: value and gradients by a float64 loop over the kept positions."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"the loss": 0.45, "padding": 0.25, "gradient": 0.1, "refuse": 0.2}
HINTS = (
    "student[keep] is (kept, d_s), teacher.detach()[keep] is (kept, d_t).",
    "student[keep] @ projection.T has the teacher's width; square the difference, .mean().",
    "Compare shapes before any arithmetic: student.shape[:-1] != teacher.shape[:-1] is an error.",
)
BAD = ("one teacher row", "teacher flat", "projection transposed", "projection narrow",
       "projection of shape (d_s, d_t)", "keep short", "keep of one row", "nothing kept",
       "no leading dimension")  # fmt: skip


def _case(rng, label, part, lead, d_s, d_t, keep=None, dtype=np.float64, **more):
    def draw(*shape):
        return rng.normal(0, 1, shape).astype(dtype)

    return case(
        label, part, student=draw(*lead, d_s), teacher=draw(*lead, d_t),
        projection=draw(d_t, d_s), keep=keep, **more,
    )  # fmt: skip


def cases(rng):
    yield _case(rng, "one row", "the loss", (1,), 3, 2)
    yield _case(rng, "rows", "the loss", (6,), 3, 5)
    yield _case(rng, "as wide as the teacher", "the loss", (5,), 4, 4)
    yield _case(rng, "a wider student", "the loss", (4,), 9, 2)
    yield _case(rng, "a batch of sequences", "the loss", (3, 5), 6, 8)
    yield _case(rng, "four dimensions", "the loss", (2, 3, 2), 4, 3)
    yield _case(rng, "float32", "the loss", (8,), 16, 24, dtype=np.float32)
    yield _case(rng, "some positions kept", "padding", (3, 5), 6, 4, rng.random((3, 5)) < 0.6)
    one = np.zeros((2, 4), bool)
    one[1, 2] = True
    yield _case(rng, "one position kept", "padding", (2, 4), 3, 5, one)
    yield _case(rng, "all kept", "padding", (7,), 3, 5, np.ones(7, bool))
    ragged = np.arange(6) < np.array([[6], [2], [1]])
    yield _case(rng, "ragged rows", "padding", (3, 6), 4, 5, ragged)
    for what, value in (("NaN", np.nan), ("infinity", np.inf)):
        spoilt = _case(rng, "", "padding", (3, 6), 4, 5, ragged).inputs
        for name in ("student", "teacher"):
            spoilt[name] = np.where(ragged[..., None], spoilt[name], value)
        yield case(f"{what} in the padding", "padding", **spoilt)
    yield _case(rng, "gradients", "gradient", (6,), 3, 5)
    yield _case(rng, "gradients, padded", "gradient", (3, 6), 4, 5, ragged)
    for bad in BAD:
        yield _refused(rng, bad)


def _refused(rng, bad):
    inputs = _case(rng, "", "refuse", (4, 3), 5, 6, good=False).inputs
    if bad == "one teacher row":
        inputs["teacher"] = inputs["teacher"][:1]
    elif bad == "teacher flat":
        inputs["teacher"] = inputs["teacher"].reshape(12, 6)
    elif bad == "projection transposed":
        inputs = _case(rng, "", "refuse", (4, 3), 5, 5, good=False).inputs
        inputs["projection"] = np.concatenate([inputs["projection"]] * 2)
    elif bad == "projection of shape (d_s, d_t)":
        inputs["projection"] = inputs["projection"].T.copy()
    elif bad == "projection narrow":
        inputs["projection"] = inputs["projection"][:1]
    elif bad == "keep short":
        inputs["keep"] = np.ones(4, bool)
    elif bad == "keep of one row":
        inputs["keep"] = np.ones((1, 3), bool)
    elif bad == "nothing kept":
        inputs["keep"] = np.zeros((4, 3), bool)
    else:
        inputs.update(student=inputs["student"][0, 0], teacher=inputs["teacher"][0, 0])
    label = "a projection too tall" if bad == "projection transposed" else bad
    return case(label, "refuse", **inputs)


def probe(solution, student, teacher, projection, keep, good=True):
    import torch

    s, t, p = (torch.tensor(a).requires_grad_() for a in (student, teacher, projection))
    kept = () if keep is None else (torch.tensor(keep),)
    if not good:
        return refusal(lambda: solution(s, t, p, *kept))  # noqa: F821
    loss = solution(s, t, p, *kept)
    out = {"loss": loss, "tracked": False, "grads": {}, "by_teacher": 0.0}
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.numel() == 1:
        out["tracked"] = True
        loss.backward()
        out["grads"] = {"student's features": s.grad, "projection": p.grad}
        out["by_teacher"] = 0.0 if t.grad is None else float(t.grad.abs().max())
    out["same"] = all(
        np.array_equal(a.detach().numpy(), b, equal_nan=True)
        for a, b in ((s, student), (t, teacher), (p, projection), *zip(kept, (keep,), strict=False))
    )
    out["same"] &= s.requires_grad and t.requires_grad and p.requires_grad
    return out


def _want(case):
    """The loss and the gradients by the student's features and the projection."""
    d_s, d_t = case.student.shape[-1], case.teacher.shape[-1]
    keep = np.ones(case.student.shape[:-1], bool) if case.keep is None else case.keep
    projection = case.projection.astype(np.float64)
    by_student = np.zeros(case.student.shape)
    by_projection = np.zeros(projection.shape)
    total, count = 0.0, int(keep.sum()) * d_t
    for place in zip(*np.nonzero(keep), strict=True):
        h = case.student[place].astype(np.float64)
        gap = projection @ h - case.teacher[place]
        total += float(gap @ gap)
        by_student[place] = 2 / count * (gap @ projection)
        by_projection += 2 / count * np.outer(gap, h)
    assert by_student.shape[-1] == d_s
    return total / count, {"student's features": by_student, "projection": by_projection}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("loss", "tracked"))
    single = case.student.dtype == np.float32
    name = "torch." + str(case.student.dtype)
    got = expect.tensor(answer["loss"], "the loss", shape=(), dtype=name)
    want, gradients = _want(case)
    expect.close(
        got, np.array(want), "the loss", rtol=2e-5 if single else 1e-11,
        hint="The mean over kept positions and the teacher's features.",
    )  # fmt: skip
    expect.that(answer["same"], "An argument was changed.", stage="mutation")
    expect.that(answer["tracked"], "The loss has no gradient.")
    expect.that(
        answer["by_teacher"] == 0.0, "A gradient goes to the teacher's features: detach them."
    )
    for key, right in gradients.items():
        yours = answer["grads"].get(key)
        expect.that(yours is not None, f"No gradient goes to the {key}.")
        yours = expect.tensor(yours, f"gradient by the {key}", shape=right.shape)
        expect.close(
            yours, right, f"gradient by the {key}",
            rtol=1e-4 if single else 1e-10, atol=1e-6 if single else 1e-13,
        )  # fmt: skip
