"""quantile-interval: order statistics that hold a percentile, ranks from exact binomial sums."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import samples

PARTS = {"both ends": 0.5, "an end that does not exist": 0.3, "refuse": 0.2}
HINTS = (
    "Sort first; ranks count from 1, Python's indexes from 0.",
    "l - 1 is the largest k with P(B <= k) <= alpha / 2.",
    "P(B >= u) = 1 - P(B <= u - 1).",
    "Where even x_1 (or x_n) is not far enough out, the end is 0.0 (or math.inf).",
)


def _case(rng, label, part, n, percent, confidence=None, as_array=False):
    times = [float(x) for x in rng.lognormal(1.0, 0.6, n)]
    given = np.array(times) if as_array else times
    more = {} if confidence is None else {"confidence": confidence}
    return case(label, part, samples=given, percent=percent, **more)


def cases(rng):
    part = "both ends"
    for n in (6, 9, 30, 101, 500):
        yield _case(rng, f"median of {n}", part, n, 50)
    yield _case(rng, "P99 of 368, the least", part, 368, 99)
    yield _case(rng, "P99 of 1,500", part, 1500, 99)
    yield _case(rng, "P90 of 200, an array", part, 200, 90, as_array=True)
    yield _case(rng, "P10 of 120", part, 120, 10)
    yield _case(rng, "P75 of 60 at 90 %", part, 60, 75, 0.9)
    yield _case(rng, "P50 of 40 at 99 %", part, 40, 50, 0.99)
    n, percent = int(rng.integers(150, 400)), int(rng.integers(20, 90))
    yield _case(rng, f"P{percent} of {n}", part, n, percent)
    yield case("ties", part, samples=[1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0], percent=50)
    part = "an end that does not exist"
    yield _case(rng, "P99 of 367, one too few", part, 367, 99)
    yield _case(rng, "P99 of 100", part, 100, 99)
    yield _case(rng, "P1 of 100", part, 100, 1)
    yield _case(rng, "median of 5", part, 5, 50)
    yield _case(rng, "one sample", part, 1, 50)
    yield _case(rng, "P90 of 30 at 99 %", part, 30, 90, 0.99)
    good = [1.0, 2.0, 3.0]
    for label, given, percent, confidence in (
        ("no samples", [], 50, 0.95),
        ("percent 0", good, 0, 0.95),
        ("percent 100", good, 100, 0.95),
        ("confidence 1", good, 50, 1.0),
        ("confidence 0", good, 50, 0.0),
        ("confidence 95, which is a percent", good, 50, 95),
    ):
        yield case(label, "refuse", samples=given, percent=percent, confidence=confidence,
                   refuse=True)  # fmt: skip


def probe(solution, samples, percent, confidence=None, refuse=False):
    more = () if confidence is None else (confidence,)
    if refuse:
        return refusal(lambda: solution(samples, percent, *more))  # noqa: F821
    return solution(samples, percent, *more)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    low, high = expect.sequence(answer, ("low", "high"))
    # 0.95 as it is written: the nearest float's alpha / 2 is 0.0250...02
    half = (1 - Fraction(str(case.inputs.get("confidence", 0.95)))) / 2
    ordered = sorted(float(x) for x in case.samples)
    l, u = samples.interval_ranks(len(ordered), case.percent, half)  # noqa: E741
    wanted = ordered[l - 1] if l else 0.0, ordered[u - 1] if u else math.inf
    expect.number(low, wanted[0], "low", hint=f"l is {l or 'missing'}")
    expect.number(high, wanted[1], "high", hint=f"u is {u or 'missing'}")
    return None
