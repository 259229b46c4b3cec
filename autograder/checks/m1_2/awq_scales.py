"""awq-scales: a power of the mean magnitude, normalised by the extremes of the live channels."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import channel_scales

PARTS = {"values": 0.5, "dead channels": 0.3, "bad input": 0.2}
HINTS = (
    "powers = mean_abs[live] ** alpha, then divide by np.sqrt(powers.max() * powers.min()).",
    "Dead channels get 1.0 after the normalisation and are not among max and min.",
)


def _means(rng, channels, loud=0):
    m = np.exp(rng.normal(0, 1, channels))
    m[rng.permutation(channels)[:loud]] *= 50
    return m


def cases(rng):
    yield case("three channels", mean_abs=np.array([1.0, 4.0, 16.0]), alpha=0.5, part="values")
    for alpha in (0.0, 0.25, 0.5, 0.85, 1.0):
        m = _means(rng, 12, 2)
        yield case(f"alpha {alpha}", mean_abs=m, alpha=alpha, part="values")
    yield case("one channel", mean_abs=np.array([7.0]), alpha=0.6, part="values")
    tiny = _means(rng, 6) * 1e-9
    yield case("tiny activations", mean_abs=tiny, alpha=0.7, part="values")
    wide = 10.0 ** np.linspace(-12, 5, 7)
    yield case("magnitudes far apart", mean_abs=wide, alpha=1.0, part="values")
    yield case("equal channels", mean_abs=np.full(5, 3.0), alpha=0.9, part="values")
    yield case("a layer", mean_abs=_means(rng, 256, 6), alpha=0.7, part="values")
    for alpha in (0.0, 0.4, 1.0):
        m = _means(rng, 9, 1)
        m[rng.permutation(9)[:2]] = 0
        yield case(
            f"two dead channels, alpha {alpha}", mean_abs=m, alpha=alpha, part="dead channels"
        )
    yield case("all but one dead", mean_abs=np.array([0, 5.0, 0]), alpha=0.5, part="dead channels")
    yield case("all dead", mean_abs=np.zeros(4), alpha=0.5, part="dead channels")
    m = _means(rng, 6)
    for alpha in (-0.1, 1.1):
        yield case(f"alpha {alpha}", mean_abs=m, alpha=alpha, part="bad input")
    for value in (-1.0, np.nan, np.inf):
        bad = m.copy()
        bad[3] = value
        yield case(f"a mean of {value}", mean_abs=bad, alpha=0.5, part="bad input")


def probe(solution, mean_abs, alpha):
    if 0 <= alpha <= 1 and np.isfinite(mean_abs).all() and (mean_abs >= 0).all():
        return solution(mean_abs, alpha)
    return refusal(lambda: solution(mean_abs, alpha))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    expect.array(answer, "s", shape=case.mean_abs.shape, dtype=np.float64)
    want = channel_scales.awq(case.mean_abs, case.alpha)
    expect.close(answer, want, "s", rtol=1e-9, hint=HINTS[case.part == "dead channels"])
