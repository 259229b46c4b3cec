"""bench-summary: median, MAD and nearest-rank percentiles, against exact fractions."""

import math

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import samples

PARTS = {"centre and spread": 0.45, "percentiles": 0.25, "exact ranks": 0.1, "refuse": 0.2}
HINTS = (
    "MAD: take the median, then the median of the distances from it.",
    "Rank from 1: -(-percent * n // 100); index in Python: one less.",
    "Sort a copy: the caller's samples keep their order.",
)

EXACT = 1e-12  # a percentile is one of the samples, as it stands


def _times(rng, n):
    """Skewed, as times are, in no order, with repeats from rounding to a clock."""
    return [round(float(x), 3) for x in rng.lognormal(1.0, 0.6, n)]


def cases(rng):
    part = "centre and spread"
    for n in (1, 2, 3, 10, 251, 1000):
        yield case(f"{n} samples", part, samples=_times(rng, n))
    yield case("one outlier", part, samples=[*_times(rng, 20), 5_000.0])
    yield case("all equal", part, samples=[2.5] * 8)
    yield case("a time of 0", part, samples=[3.0, 0.0, 1.0])
    yield case("an array", part, samples=np.array(_times(rng, 30)))
    part = "percentiles"
    yield case(
        "100 samples, P50, P99, P100, P1", part, samples=_times(rng, 100), percents=[50, 99, 100, 1]
    )
    yield case("10 samples", part, samples=_times(rng, 10), percents=[50, 90, 99])
    yield case("one sample", part, samples=[4.0], percents=[1, 50, 100])
    yield case("the percents of the default", part, samples=_times(rng, 64))
    yield case("1,000 samples", part, samples=_times(rng, 1000), percents=[5, 50, 95, 99])
    yield case("whole numbers", part, samples=[3, 1, 2, 9, 7], percents=[20, 21, 60])
    yield case("no percents", part, samples=_times(rng, 5), percents=[])
    for n, percents in ((25, (28, 56)), (100, (7, 14, 28, 55)), (200, (7, 14, 28, 50, 25))):
        yield case(
            f"{n} samples, P{percents[0]}",
            "exact ranks",
            samples=_times(rng, n),
            percents=list(percents),
        )
    good = [1.0, 2.0, 3.0]
    for label, given, percents in (
        ("no samples", [], [50]),
        ("a negative time", [1.0, -0.5], [50]),
        ("a NaN", [1.0, math.nan, 2.0], [50]),
        ("an infinite time", [1.0, math.inf], [50]),
        ("percent 0", good, [0]),
        ("percent 101", good, [50, 101]),
        ("percent -1", good, [-1]),
    ):
        yield case(label, "refuse", samples=given, percents=percents, refuse=True)


def probe(solution, samples, percents=None, refuse=False):
    more = () if percents is None else (tuple(percents),)
    if refuse:
        return refusal(lambda: solution(samples, *more))  # noqa: F821
    return solution(samples, *more)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    given = [float(x) for x in case.samples]
    keys = ("count", "min", "mean", "median", "mad", "percentiles")
    answer = expect.mapping(answer, keys)
    expect.integer(answer["count"], len(given), "count")
    middle = samples.median(given)
    spread = samples.median([abs(samples.Fraction(x) - middle) for x in given])
    expect.number(answer["min"], min(given), "min")
    expect.number(answer["mean"], math.fsum(given) / len(given), "mean")
    expect.number(answer["median"], float(middle), "median")
    expect.number(answer["mad"], float(spread), "mad", atol=1e-9)
    if case.part == "centre and spread":
        return None
    percents = case.inputs.get("percents", [50, 90, 99])
    found = answer["percentiles"]
    exact = {"rtol": EXACT} if case.part == "exact ranks" else {}
    expect.that(
        isinstance(found, dict),
        "`percentiles` must be a dict.",
        stage="type",
        yours=expect.kind(found),
    )
    expect.that(set(found) == set(percents), "`percentiles` has other keys than the percents asked for.",
                stage="type", yours=sorted(found, key=str), right=sorted(percents))  # fmt: skip
    for percent in percents:
        want = float(samples.nearest_rank(given, percent))
        expect.number(found[percent], want, f"percentiles[{percent}]", **exact)
    return None
