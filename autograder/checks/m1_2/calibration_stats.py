"""calibration-stats: mean and maximum of |x| for each channel over batches of unequal length."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import calibration

PARTS = {"values": 0.5, "many tokens": 0.25, "bad input": 0.25}
HINTS = (
    "Tokens are rows, channels are columns: reduce over axis 0.",
    "Sum of |x| over all batches / number of all tokens; not a mean of the batches' means.",
    "batch.astype(np.float64) first: sums in float16 stall at 2048 times the step.",
)


def _batches(rng, sizes, channels, dtype=np.float32, loud=0):
    spread = np.exp(rng.normal(0, 1, channels))
    spread[rng.permutation(channels)[:loud]] *= 60
    shift = rng.normal(0, 0.5, channels)
    return [((rng.standard_normal((n, channels)) + shift) * spread).astype(dtype) for n in sizes]


def cases(rng):
    yield case("one token", batches=[np.array([[-2.0, 0.0, 3.0]])], part="values")
    yield case("one batch", batches=_batches(rng, [17], 6), part="values")
    yield case("as many tokens as channels", batches=_batches(rng, [8, 8], 8), part="values")
    yield case("unequal batches", batches=_batches(rng, [3, 40, 1], 9, loud=1), part="values")
    negative = [-np.abs(b) for b in _batches(rng, [5, 4], 4, np.float64)]
    yield case("all negative", batches=negative, part="values")
    dead = _batches(rng, [6, 7], 5)
    for batch in dead:
        batch[:, 2] = 0
    yield case("a dead channel", batches=dead, part="values")
    gated = [np.maximum(b, 0) for b in _batches(rng, [9, 14], 6)]
    yield case("half of the values zero", batches=gated, part="values")
    with_empty = [np.zeros((0, 5), np.float32), *_batches(rng, [4], 5)]
    yield case("an empty batch among others", batches=with_empty, part="values")
    long = [np.abs(b) for b in _batches(rng, [3000, 2500], 7, np.float16)]
    yield case("float16, 5,500 tokens", batches=long, part="many tokens")
    big = [np.full((900, 3), 300, np.float16), np.full((800, 3), -310, np.float16)]
    yield case("float16, large values", batches=big, part="many tokens")
    yield case("a layer", batches=_batches(rng, [512] * 4, 256, loud=6), part="many tokens")
    good = _batches(rng, [4, 5], 6)
    yield case("no batches", batches=[], part="bad input")
    yield case("batches of no tokens", batches=[np.zeros((0, 6), np.float32)] * 2, part="bad input")
    yield case("another K", batches=[*good, good[0][:, :5]], part="bad input")
    yield case("K of 1 after 6", batches=[*good, good[0][:, :1]], part="bad input")
    yield case("a batch with one axis", batches=[*good, good[0][0]], part="bad input")
    yield case("batches with three axes", batches=[good[0][None]] * 2, part="bad input")
    for value in (np.nan, np.inf, -np.inf):
        bad = [b.copy() for b in good]
        bad[1][2, 3] = value
        yield case(f"{value} in a batch", batches=bad, part="bad input")


def probe(solution, batches):
    k = batches[0].shape[-1] if batches else 0
    good = sum(len(b) for b in batches) > 0 and all(b.ndim == 2 for b in batches)
    if good and all(b.shape[1] == k and np.isfinite(b).all() for b in batches):
        return solution(batches)
    return refusal(lambda: solution(batches))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    mean_abs, amax = expect.sequence(answer, ("mean_abs", "amax"))
    want_mean, want_amax = calibration.mean_and_amax(case.batches)
    for value, name in ((mean_abs, "mean_abs"), (amax, "amax")):
        expect.array(value, name, shape=want_mean.shape, dtype=np.float64)
    expect.close(mean_abs, want_mean, "mean_abs", rtol=1e-10, hint=HINTS[1])
    expect.close(amax, want_amax, "amax", rtol=0)
