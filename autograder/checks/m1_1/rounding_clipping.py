"""rounding-clipping: the squared error of symmetric quantization, split at the clipping threshold."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks import case, expect, tolerances

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "Quantize and restore: scale = clip / qmax, round, keep the codes in [-qmax, qmax], multiply.",
    "Square the error of every element, then ask for each element: is |x| above clip?",
    "Divide both sums by the number of all elements: only then do the two parts add up to the MSE.",
)


def cases(rng):
    x = np.array([0.3, -0.6, 1.2, -3.0, 5.0, 0.0], np.float32)
    yield case("six values", part="values", x=x, clip=2.0, bits=4)
    for clip, bits in ((1.5, 8), (2.5, 4), (0.8, 3), (1.1, 6)):
        x = rng.normal(0, 1, 300).astype(np.float32)
        yield case(f"normal, clip {clip}, {bits} bits", part="values", x=x, clip=clip, bits=bits)
    x = rng.laplace(0, 0.7, (21, 17))
    yield case("a heavy-tailed matrix", part="values", x=x, clip=1.25, bits=5)
    x = -np.abs(rng.normal(0, 2, 90)).astype(np.float32)
    yield case("all negative", part="values", x=x, clip=1.75, bits=4)
    x = rng.uniform(-1, 1, 60)
    yield case("nothing is clipped", part="edges", x=x, clip=1.5, bits=4)
    x = rng.uniform(2, 3, 8) * rng.choice([-1, 1], 8)
    yield case("everything is clipped", part="edges", x=x, clip=1.5, bits=4)
    yield case("one value inside", part="edges", x=np.array([0.4]), clip=1.0, bits=2)
    near = np.array([1.02, -1.02, 1.0, -1.0, 0.97, -0.97])
    yield case("close to the threshold", part="edges", x=near, clip=1.0, bits=3)
    yield case("two bits", part="edges", x=rng.normal(0, 1, 50), clip=1.2, bits=2)


def probe(solution, x, clip, bits):
    return solution(x, clip, bits)


def judge(case, answer):
    rounding, clipping = expect.sequence(answer, ("rounding", "clipping"))
    want_rounding, want_clipping = _reference(case.x, case.clip, case.bits)
    outside = int((np.abs(case.x) > case.clip).sum())
    # An all-float32 evaluation moves each error by 256 eps of a step, the square by twice that.
    slack = 1e-7 * (case.clip / (2 ** (case.bits - 1) - 1)) ** 2
    expect.number(
        clipping,
        want_clipping,
        "clipping",
        rtol=tolerances.MEAN,
        atol=slack,
        cause=_cause(clipping, want_clipping * case.x.size, outside),
        hint="Sum the squared errors where |x| > clip; divide by x.size, not by their count.",
    )
    expect.number(
        rounding,
        want_rounding,
        "rounding",
        rtol=tolerances.MEAN,
        atol=slack,
        cause=_cause(rounding, want_rounding * case.x.size, case.x.size - outside),
        hint="Sum the squared errors where |x| <= clip; divide by x.size. The scale is clip / qmax.",
    )


def _cause(value, total, count):
    """What the value is instead of total / x.size, where that is plain to see."""
    if not isinstance(value, float):
        return ""
    if count == 0 and math.isnan(value):
        return "The mean of an empty group is nan: divide its sum by x.size."
    if count and math.isclose(value, total / count, rel_tol=tolerances.MEAN):
        return "This is the mean over the group's own elements: divide its sum by x.size."
    if math.isclose(value, total, rel_tol=tolerances.MEAN):
        return "This is the sum: divide it by x.size."
    return ""


def _reference(x, clip, bits):
    """By definition, one element at a time: a clipped one is restored to +-clip."""
    scale = Fraction(clip) / (2 ** (bits - 1) - 1)
    rounding, clipping = [], []
    for value in x.ravel().astype(np.float64).tolist():
        if abs(value) > clip:
            clipping.append((abs(value) - clip) ** 2)
        else:
            exact = Fraction(value)
            rounding.append(float((exact - round(exact / scale) * scale) ** 2))
    return math.fsum(rounding) / x.size, math.fsum(clipping) / x.size
