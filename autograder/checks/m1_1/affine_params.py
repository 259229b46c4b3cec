"""affine-params: scale and zero-point from a range that is first extended to contain zero."""

import math

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import affine

PARTS = {"values": 0.4, "zero in range": 0.35, "edges": 0.25}
HINTS = (
    "First widen the range: low = min(x_min, 0) and high = max(x_max, 0).",
    "2**bits codes have 2**bits - 1 steps between them: that many steps span high - low.",
    "The zero-point is the code at which the real number 0 lands: -low / scale, rounded to an int.",
    "Only a range that is zero on both sides has no scale of its own.",
)


def cases(rng):
    yield case("powers of two", part="values", x_min=-64.0, x_max=191.0, bits=8)
    for bits in (8, 4, 8, 6):
        x_min, x_max = _range(rng, bits)
        yield case(f"both signs, {bits} bits", part="values", x_min=x_min, x_max=x_max, bits=bits)
    yield case("mostly negative", part="values", x_min=-9.63, x_max=0.31, bits=8)
    yield case("the range [10, 12]", part="zero in range", x_min=10.0, x_max=12.0, bits=8)
    high = float(rng.uniform(3, 9))
    yield case("all positive", part="zero in range", x_min=high / 3, x_max=high, bits=8)
    yield case("all negative", part="zero in range", x_min=-high, x_max=-high / 4, bits=8)
    yield case("all negative, 4 bits", part="zero in range", x_min=-5.0, x_max=-4.5, bits=4)
    yield case("from zero up (ReLU)", part="zero in range", x_min=0.0, x_max=high, bits=8)
    yield case("a range of zero width", part="edges", x_min=0.0, x_max=0.0, bits=8)
    yield case("constant 3.0", part="edges", x_min=3.0, x_max=3.0, bits=8)
    yield case("constant -3.0", part="edges", x_min=-3.0, x_max=-3.0, bits=4)
    yield case("a narrow range above zero", part="edges", x_min=3.0, x_max=3.7, bits=8)
    # The steps are powers of two: -low / scale is exactly a half.
    yield case("a tie at 0.5", part="edges", x_min=-0.5, x_max=254.5, bits=8)
    yield case("a tie at 2.5", part="edges", x_min=-0.625, x_max=3.125, bits=4)
    yield case("a tie at 1.5", part="edges", x_min=-3.0, x_max=27.0, bits=4)
    yield case("tiny values", part="edges", x_min=-3e-13, x_max=5.05e-13, bits=8)
    yield case("two bits", part="edges", x_min=-1.0, x_max=1.8, bits=2)


def probe(solution, x_min, x_max, bits):
    return solution(x_min, x_max, bits)


def judge(case, answer):
    scale, zero_point = expect.sequence(answer, ("scale", "zero_point"))
    want_scale, want_zero = affine.params(case.x_min, case.x_max, case.bits)
    inside = case.x_min <= 0 <= case.x_max
    hint = (
        f"{2**case.bits} codes have {2**case.bits - 1} steps between them."
        if inside
        else "Widen the range until it contains 0 before you compute the scale."
    )
    if case.x_min == case.x_max == 0:
        hint = "Nothing but zeros: the rule is scale 1.0 and zero_point 0."
    expect.number(scale, want_scale, "scale", hint=hint)
    if isinstance(zero_point, float) and math.isfinite(zero_point):
        expect.wrong(
            "type",
            "`zero_point` must be an integer.",
            yours=zero_point,
            right=want_zero,
            hint="Only an integer code gives back exactly 0: round, then convert with int().",
        )
    expect.integer(
        zero_point, want_zero, "zero_point", hint="zero_point = round(-low / scale), ties to even."
    )


def _range(rng, bits):
    """A range with both signs in which -low / scale is no tie and rounding up and down differ."""
    steps = 2**bits - 1
    while True:
        low, high = -float(rng.uniform(0.4, 3)), float(rng.uniform(0.4, 3))
        part = np.float64(-low / (high - low) * steps) % 1
        if 0.55 < part < 0.95:
            return low, high
