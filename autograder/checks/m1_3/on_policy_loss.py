"""on-policy-loss: the reverse divergence over the student's own tokens, in float64, token by token."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import distillation

PARTS = {"the loss": 0.45, "the end": 0.25, "gradient": 0.15, "refuse": 0.15}
HINTS = (
    "log_q = student(ids)[:, prompt_length - 1 : -1].log_softmax(-1); the teacher's log_p likewise.",
    "(log_q.exp() * (log_q - log_p)).sum(-1): one number for each token of the completion.",
    "is_end.cumsum(1) - is_end counts the ends before a token: scored where it is 0.",
)


def _case(rng, label, part, rows, length, prompt, size=8, end=None, wide=0, spread=2.0, **more):
    ids = rng.integers(1, size, size=(rows, length))
    for row, places in enumerate(end or ()):
        ids[row, list(places)] = 0
    kept = {"end_id": 0, "good": True, **more}
    return case(
        label, part, ids=ids, prompt_length=prompt,
        student=rng.normal(0, spread, (length, size, size)),
        teacher=rng.normal(0, spread, (length, size, size + wide)), **kept,
    )  # fmt: skip


def cases(rng):
    yield _case(rng, "one token", "the loss", 1, 2, 1)
    yield _case(rng, "a prompt of one", "the loss", 3, 5, 1)
    yield _case(rng, "one new token", "the loss", 4, 6, 5)
    yield _case(rng, "rows", "the loss", 5, 9, 4)
    yield _case(rng, "two tokens in the vocabulary", "the loss", 4, 7, 3, size=2)
    yield _case(rng, "100 tokens in the vocabulary", "the loss", 3, 6, 2, size=100)
    yield _case(rng, "very sure models", "the loss", 3, 6, 2, spread=300.0)
    yield _case(rng, "an end that never comes", "the loss", 3, 6, 2, end_id=-1)
    ragged = [(4, 5, 6, 7), (7,), (), (5, 6, 7)]
    yield _case(rng, "ragged completions", "the end", 4, 8, 3, end=ragged)
    yield _case(rng, "ends at once", "the end", 3, 7, 4, end=[(4, 5, 6), (), (4, 5, 6)])
    prompt_ends = [(0,), (1, 2), (0, 1, 2), ()]
    yield _case(rng, "ends in the prompt", "the end", 4, 8, 3, end=prompt_ends)
    both = [(0, 5, 6, 7), (2, 7), (0,), (6, 7)]
    yield _case(rng, "ends in both", "the end", 4, 8, 3, end=both)
    dirty = [(4,), (5,), (3,), ()]
    yield _case(rng, "padding of any kind after the end", "the end", 4, 8, 3, end=dirty)
    yield _case(rng, "another end id", "the end", 4, 8, 3, end_id=5)
    yield _case(rng, "gradients", "gradient", 4, 7, 3)
    yield _case(rng, "gradients, ragged", "gradient", 4, 8, 3, end=ragged)
    for wide in (1, -1):
        yield _case(
            rng, f"{8 + wide} tokens in the teacher", "refuse", 3, 6, 2, wide=wide, good=False
        )
    yield _case(rng, "a teacher of one token", "refuse", 3, 6, 2, wide=-7, good=False)
    for prompt in (0, -1, 6, 7):
        yield _case(rng, f"prompt_length {prompt} of 6", "refuse", 3, 6, prompt, good=False)


def probe(solution, ids, prompt_length, student, teacher, end_id, good):
    import torch

    tables = [torch.tensor(table).requires_grad_() for table in (student, teacher)]
    tracked = []

    def make(table, name):
        def model(tokens):
            # A row of ids beyond the teacher's vocabulary is still a row of its table.
            out = table[torch.arange(tokens.shape[1]), tokens]
            if name == "teacher":
                tracked.append(out.requires_grad)
            return out

        return model

    models = [make(tables[0], "student"), make(tables[1], "teacher")]
    given = torch.tensor(ids)
    if not good:
        return refusal(lambda: solution(*models, given, prompt_length, end_id))  # noqa: F821
    loss = solution(*models, given, prompt_length, end_id)
    asked = list(tracked)
    # The mode is asked after a call with gradients and inside one without them.
    kept = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    with torch.no_grad():
        solution(*models, given, prompt_length, end_id)
        kept = kept and not torch.is_grad_enabled()
    out = {"loss": loss, "tracked": False, "by_student": None, "by_teacher": 0.0}
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.numel() == 1:
        out["tracked"] = True
        loss.backward()
        out["by_student"] = tables[0].grad
        grad = tables[1].grad
        out["by_teacher"] = 0.0 if grad is None else float(grad.abs().max())
    out["teacher_tracked"] = any(asked)
    out["mode_kept"] = kept
    out["same"] = np.array_equal(given.numpy(), ids)
    return out


def _want(case):
    """The loss, and its gradient by the student's table (length, vocabulary, vocabulary)."""
    total, count = 0.0, 0
    gradient = np.zeros(case.student.shape)
    for row in case.ids:
        for at in range(case.prompt_length, len(row)):
            value, slope = distillation.reverse(
                case.student[at - 1, row[at - 1]][None], case.teacher[at - 1, row[at - 1]][None]
            )
            total, count = total + value[0], count + 1
            gradient[at - 1, row[at - 1]] += slope[0]
            if row[at] == case.end_id:
                break
    return total / count, gradient / count


def judge(case, answer):
    if not case.good:
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("loss", "tracked"))
    got = expect.tensor(answer["loss"], "the loss", shape=(), dtype="torch.float64")
    want, gradient = _want(case)
    expect.close(
        got, np.array(want), "the loss", rtol=1e-10, atol=1e-12,
        hint="The mean over scored tokens of sum q (log q - log p); logits at t - 1 tell of token t.",
    )  # fmt: skip
    expect.that(answer["same"], "`ids` was changed.", stage="mutation")
    expect.that(
        answer["mode_kept"],
        "torch's gradient mode is another after your function: later code runs with it.",
        stage="mutation",
        hint="with torch.no_grad(): puts back what it found; set_grad_enabled does not.",
    )
    expect.that(answer["tracked"], "The loss has no gradient: the student cannot learn.")
    expect.that(
        answer["by_teacher"] == 0.0 and not answer["teacher_tracked"],
        "The teacher ran with gradients.",
        hint="Call it inside torch.no_grad().",
    )
    if case.part == "gradient":
        yours = expect.tensor(answer["by_student"], "the gradient", shape=gradient.shape)
        expect.close(yours, gradient, "the gradient by the student's logits", rtol=1e-9, atol=1e-12)
