"""percentile-range: amax as a percentile of |x|, linear between the ranked values."""

import math

import numpy as np

from autograder.checks import case, expect

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "Magnitudes first: the percentile is taken over |x|, every element, whatever the shape.",
    "Rank r = (n - 1) * percentile / 100 in the sorted magnitudes, counted from 0.",
    "np.percentile does this; its default method is the linear one.",
)


def cases(rng):
    ladder = np.array([-5, 1, 2, -3, 4], np.float32)
    yield case("five values, the 90th", x=ladder, options={"percentile": 90.0}, part="values")
    yield case("five values, the 75th", x=ladder, options={"percentile": 75.0}, part="values")
    mixed = rng.standard_normal((40, 25)).astype(np.float32)
    mixed[:, 3] -= 9
    yield case("a channel far below zero", x=mixed, options={"percentile": 99.0}, part="values")
    wide = rng.standard_t(3, 20_500).astype(np.float32)
    yield case("20,500 values, default", x=wide, options={}, part="values")
    relu = np.maximum(rng.standard_normal((8, 4, 6, 6)), 0).astype(np.float32)
    yield case("after ReLU, half are zero", x=relu, options={"percentile": 60.0}, part="values")
    yield case("all of it", x=mixed, options={"percentile": 100.0}, part="edges")
    yield case("the smallest", x=mixed, options={"percentile": 0.0}, part="edges")
    yield case("one value", x=np.float32([-2.5]), options={"percentile": 99.9}, part="edges")
    yield case("a small percentile", x=mixed, options={"percentile": 0.5}, part="edges")


def probe(solution, x, options):
    return solution(x, **options)


def judge(case, answer):
    percentile = case.options.get("percentile", 99.9)
    ranked = sorted(abs(float(v)) for v in case.x.reshape(-1))
    rank = (len(ranked) - 1) * percentile / 100
    low = math.floor(rank)
    high = min(low + 1, len(ranked) - 1)
    want = ranked[low] + (rank - low) * (ranked[high] - ranked[low])
    # NumPy computes the rank of float32 input in float32: off by a few of its 2**-24, times the gap
    # between the neighbours.
    around = ranked[max(low - 1, 0) : high + 2]
    gap = max(np.diff(around), default=0.0)
    slack = max(1e-6, 8 * 2**-24 * rank) * gap
    expect.number(
        answer,
        want,
        "amax",
        atol=slack,
        hint=f"{percentile:g} % of |x|: rank {rank:.6g} of 0 to {len(ranked) - 1}.",
    )
