"""capture-step: a decode step called directly and replayed from a captured graph, against NumPy."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"called directly": 0.3, "captured": 0.7}
HINTS = (
    "torch.where(finished, pad, tokens) chooses for every row; no row needs an `if`.",
    "history.index_copy_(1, position, tokens[:, None]) writes at an index that only the device knows.",
    "Write into the buffers: add_, copy_, logical_or_. A new tensor of the same name stays in your function.",
)
NAMES = ("history", "position", "finished", "peak")


def _case(
    label, part, rng, batch, steps, *, vocab=7, start=0, peak=0.0, finished=(), ends=0.3, **more
):
    logits = rng.permutation(steps * batch * vocab).reshape(
        steps, batch, vocab
    ) / 8.0 - rng.uniform(0, 30)
    for step in range(steps):
        for row in range(batch):
            if rng.random() < ends:
                logits[step, row, more.get("eos", 2)] = logits.max() + 1.0 + rng.random()
    done = np.isin(np.arange(batch), finished)
    inputs = {"eos": 2, "pad": 0} | more
    return case(label, part, logits=logits.astype(np.float32), length=start + steps + 2, start=start,
                finished=done, peak=float(peak), **inputs)  # fmt: skip


def cases(rng):
    for part, steps in (("called directly", 3), ("captured", 5)):
        yield _case("one row", part, rng, 1, steps, ends=0.0)
        yield _case("three rows, none ends", part, rng, 3, steps, ends=0.0)
        yield _case("rows that end", part, rng, 4, steps, ends=0.5)
        yield _case("rows that had ended", part, rng, 4, steps, finished=(1, 3))
        yield _case("all had ended", part, rng, 3, steps, finished=(0, 1, 2))
        yield _case("in the middle of a history", part, rng, 3, steps, start=4)
        yield _case("a peak from before", part, rng, 2, steps, peak=1e4)
        yield _case("other ids", part, rng, 3, steps, eos=5, pad=6, ends=0.5)
        yield _case("pad and end are one id", part, rng, 3, steps, eos=1, pad=1, ends=0.4)
        low = _case("large negative logits", part, rng, 2, steps)
        low.inputs["logits"] = low.inputs["logits"] - np.float32(500.0)
        yield low


def probe(solution, logits, length, start, finished, peak, eos, pad):
    import torch

    from lab.errors import CourseError
    from lab.stream_capture import capture

    steps, batch, _ = logits.shape
    buffers = (
        torch.zeros(logits.shape[1:]),
        torch.full((batch, length), -1, dtype=torch.int64),
        torch.tensor([start]),
        torch.from_numpy(finished.copy()),
        torch.tensor([peak], dtype=torch.float32),
    )

    def step(*given):
        solution(*given, eos, pad)

    captured = steps == 5
    if captured:
        try:
            replay = capture(step, *buffers)
        except CourseError as error:
            return {"refused": str(error)[:300]}
    found = []
    for now in logits:
        buffers[0].copy_(torch.from_numpy(now))
        if captured:
            replay()
        else:
            step(*buffers)
        found.append([buffer.numpy().copy() for buffer in buffers])
    return {"states": found}


def _right(case):
    """(history, position, finished, peak) after each step, row by row."""
    history = np.full((len(case.finished), case.length), -1)
    finished, peak, at = case.finished.copy(), case.peak, case.start
    for logits in case.logits:
        for row, scores in enumerate(logits):
            token = case.pad if finished[row] else int(np.argmax(scores))
            history[row, at] = token
            finished[row] = finished[row] or token == case.eos
        peak = max(peak, float(np.abs(logits).max()))
        at += 1
        yield history, np.array([at]), finished, np.array([peak], np.float32)


def judge(case, answer):
    if "refused" in answer:
        expect.wrong(
            "error", answer["refused"], hint="What runs on the host is not part of the graph."
        )
    for index, (state, want) in enumerate(zip(answer["states"], _right(case), strict=True)):
        expect.that(
            np.array_equal(state[0], case.logits[index]),
            "The step changes `logits`.",
            stage="mutation",
        )
        for name, mine, right in zip(NAMES, state[1:], want, strict=True):
            expect.codes(mine, right, f"{name} after step {index + 1}")
