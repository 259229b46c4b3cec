"""Answers to affine-params."""

import math
from decimal import Decimal

import numpy as np

from autograder.checks.bank import right, wrong


@right("plain Python")
def by_python(x_min, x_max, bits=8):
    low, high = min(x_min, 0.0), max(x_max, 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / (2**bits - 1)
    return scale, round(-low / scale)


@right("NumPy scalars")
def by_numpy(x_min, x_max, bits=8):
    low, high = np.minimum(x_min, 0), np.maximum(x_max, 0)
    steps = np.float64((1 << bits) - 1)
    scale = (high - low) / steps if high > low else np.float64(1)
    zero_point = np.clip(np.rint(0 - low / scale), 0, steps)
    return scale, np.int64(zero_point)


@right("torch scalars")
def by_torch(x_min, x_max, bits=8):
    import torch

    ends = torch.tensor([x_min, x_max, 0.0], dtype=torch.float64)
    width = (ends.max() - ends.min()).item()
    scale = width / (2**bits - 1) if width else 1.0
    return scale, int(torch.round(-ends.min() / scale).item())


@right("decimal arithmetic")
def by_decimal(x_min, x_max, bits=8):
    low, high = Decimal(min(x_min, 0)), Decimal(max(x_max, 0))
    if low == high == 0:
        return 1.0, 0
    scale = (high - low) / (2**bits - 1)
    return float(scale), int((-low / scale).to_integral_value(rounding="ROUND_HALF_EVEN"))


def _params(x_min, x_max, bits, *, low=None, high=None, steps=None, rounding=round, empty=1.0):
    low = min(x_min, 0.0) if low is None else low
    high = max(x_max, 0.0) if high is None else high
    if low == high:
        return empty, 0
    scale = (high - low) / (2**bits - 1 if steps is None else steps)
    return scale, rounding(-low / scale)


def _clamped(bits):
    return lambda v: min(max(round(v), 0), 2**bits - 1)


@wrong(
    "range-without-zero",
    "You used [x_min, x_max] as it is: when it does not contain 0, no code in 0..2**bits - 1 "
    "stands for 0. Extend the range first.",
)
def no_extension(x_min, x_max, bits=8):
    scale = (x_max - x_min) / (2**bits - 1)
    return scale, round(-x_min / scale)


@wrong(
    "range-without-zero-clamped",
    "You clamped the zero-point in place of extending the range: all values are then clipped. "
    "Extend the range to contain 0 before you compute the scale.",
)
def clamp_only(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, low=x_min, high=x_max, rounding=_clamped(bits))


@wrong(
    "extended-below-only",
    "You extended the range downwards only; a range below zero needs high = max(x_max, 0) as well.",
)
def below_only(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, high=x_max, rounding=_clamped(bits))


@wrong(
    "extended-above-only",
    "You extended the range upwards only; a range above zero needs low = min(x_min, 0) as well.",
)
def above_only(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, low=x_min, rounding=_clamped(bits))


@wrong(
    "counts-codes-not-steps",
    "You divided by 2**bits, the number of codes; between them lie 2**bits - 1 steps.",
)
def codes_not_steps(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, steps=2**bits)


@wrong("always-8-bits", "You divided by 255 whatever `bits` says; use 2**bits - 1.")
def always_eight(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, steps=255)


@wrong(
    "signed-zero-point",
    "You placed the zero-point for signed codes (-128..127); these codes are unsigned, "
    "0..2**bits - 1.",
)
def signed(x_min, x_max, bits=8):
    scale, zero_point = _params(x_min, x_max, bits)
    return scale, zero_point - 2 ** (bits - 1)


@wrong(
    "sign-of-the-zero-point",
    "Your zero-point has the wrong sign: it is -low / scale, so that low lands on code 0.",
)
def wrong_sign(x_min, x_max, bits=8):
    scale, zero_point = _params(x_min, x_max, bits)
    return scale, -zero_point


@wrong(
    "float-zero-point",
    "Your zero-point is not rounded: then no code stands for exactly 0. Round it and convert "
    "with int().",
)
def not_rounded(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, rounding=float)


@wrong("rounded-but-float", "Your zero-point is rounded but still a float; convert it with int().")
def rounded_float(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, rounding=lambda v: float(np.rint(v)))


@wrong(
    "truncated-zero-point",
    "You cut the zero-point off with int(); round to the nearest integer first.",
)
def truncated(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, rounding=int)


@wrong(
    "half-up",
    "You round ties up (2.5 becomes 3); the exercise sends them to the even neighbour: "
    "Python's round or np.rint.",
)
def half_up(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits, rounding=lambda v: math.floor(v + 0.5))


@wrong(
    "zero-point-from-the-top",
    "You computed qmax - round(high / scale): at a tie this goes to the odd neighbour. The "
    "rule is round(-low / scale).",
)
def from_top(x_min, x_max, bits=8):
    scale, _ = _params(x_min, x_max, bits)
    high = max(x_max, 0.0)
    return scale, (2**bits - 1) - round(high / scale) if high > min(x_min, 0.0) else 0


@wrong(
    "symmetric-instead",
    "You took the symmetric range [-amax, amax] with the zero-point in the middle; here the "
    "range is [low, high] as it comes.",
)
def symmetric(x_min, x_max, bits=8):
    amax = max(abs(x_min), abs(x_max))
    return (2 * amax / (2**bits - 1), 2 ** (bits - 1)) if amax else (1.0, 0)


@wrong(
    "zero-point-in-real-units",
    "You rounded -low itself; the zero-point is a code, so divide by the scale: -low / scale.",
)
def real_units(x_min, x_max, bits=8):
    scale, _ = _params(x_min, x_max, bits)
    return scale, round(-min(x_min, 0.0))


@wrong(
    "division-by-zero",
    "A range of zero width makes you divide by zero; return the scale 1.0 and the zero-point "
    "0 for it.",
)
def no_rule(x_min, x_max, bits=8):
    low, high = min(x_min, 0.0), max(x_max, 0.0)
    scale = (high - low) / (2**bits - 1)
    return scale, round(-low / scale)


@wrong(
    "epsilon-in-the-scale",
    "You kept the scale above a small epsilon; only a range of zero width has a rule of its "
    "own, and its scale is 1.0.",
)
def epsilon(x_min, x_max, bits=8):
    low, high = min(x_min, 0.0), max(x_max, 0.0)
    scale = max((high - low) / (2**bits - 1), 1e-8)
    return scale, round(-low / scale)


@wrong(
    "constant-taken-for-empty",
    "You treat x_min == x_max as empty; a constant 3.0 still gives the range [0, 3] once it "
    "contains zero.",
)
def constant_as_empty(x_min, x_max, bits=8):
    if x_min == x_max:
        return 1.0, 0
    return _params(x_min, x_max, bits)


@wrong(
    "returned-in-the-wrong-order",
    "You returned (zero_point, scale); the order is (scale, zero_point).",
)
def swapped(x_min, x_max, bits=8):
    return _params(x_min, x_max, bits)[::-1]


@wrong(
    "inverse-scale",
    "You returned steps per unit, (2**bits - 1) / (high - low); the scale is its inverse, the "
    "size of one step.",
)
def inverse(x_min, x_max, bits=8):
    scale, zero_point = _params(x_min, x_max, bits)
    return 1 / scale, zero_point
