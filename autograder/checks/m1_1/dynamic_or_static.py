"""dynamic-or-static: the amax after each batch, per batch, as running max, as moving average."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"dynamic": 0.2, "max": 0.3, "moving_average": 0.35, "edges": 0.15}
HINTS = (
    "amax of a batch: the largest |x| in it, over all axes.",
    "The first batch starts the average: before it there is nothing to average with.",
    "average = momentum * average + (1 - momentum) * amax of this batch.",
)


def _batches(rng, widths):
    """Batches of unlike size, 1-D to 3-D; the extreme, seldom in row 0, is negative in every second."""
    made = []
    for k, width in enumerate(widths):
        shape = ((int(rng.integers(2, 9)), 7), (3, 4, 5), (11,))[k % 3]
        batch = rng.uniform(-0.5, 0.5, shape)
        batch.reshape(-1)[int(rng.integers(batch.size // 2, batch.size))] = -1 if k % 2 else 1
        made.append((batch * width).astype(np.float32))
    return made


def cases(rng):
    swing = [1.0, 4.0, 2.0, 0.5, 8.0, 3.0]
    drift = list(np.geomspace(1, 30, 12))
    for mode in ("dynamic", "max", "moving_average"):
        yield case("up and down", mode, batches=_batches(rng, swing), mode=mode, options={})
        yield case("drifting up", mode, batches=_batches(rng, drift), mode=mode, options={})
        yield case("drifting down", mode, batches=_batches(rng, drift[::-1]), mode=mode, options={})
    for momentum in (0.5, 0.99):
        yield case(f"momentum {momentum}", "moving_average", batches=_batches(rng, swing),
                   mode="moving_average", options={"momentum": momentum})  # fmt: skip
    quiet = [np.zeros((2, 3), np.float32), *_batches(rng, swing)]
    yield case("a first batch of zeros", "edges", batches=quiet, mode="moving_average", options={})
    yield case("one batch", "edges", batches=_batches(rng, [5.0]), mode="max", options={})
    yield case("no batch", "edges", batches=[], mode="dynamic", options={})
    yield case("an unknown mode", "edges", batches=_batches(rng, swing), mode="median", options={})


def probe(solution, batches, mode, options):
    if mode != "median":
        return solution(batches, mode, **options)
    return refusal(lambda: solution(batches, mode, **options))


def judge(case, answer):
    if case.mode == "median":
        expect.raised(answer, "ValueError", "'median' is none of the three: raise ValueError.")
        return
    amax = [float(max(abs(b.min()), abs(b.max()))) for b in case.batches]
    expect.array(answer, "amax", shape=(len(amax),), dtype=(np.float64, np.float32))
    momentum = case.options.get("momentum", 0.9)
    want = []
    for n in range(1, len(amax) + 1):
        if case.mode == "dynamic":
            want.append(amax[n - 1])
        elif case.mode == "max":
            want.append(max(amax[:n]))
        else:  # the sum that the recursion unrolls to
            weights = [momentum ** (n - 1)] + [
                (1 - momentum) * momentum ** (n - 1 - k) for k in range(1, n)
            ]
            want.append(sum(w * a for w, a in zip(weights, amax[:n], strict=True)))
    # The amax of a batch may be averaged in float32.
    expect.close(answer, want, "amax", rtol=1e-5, hint=f"mode {case.mode!r}")
