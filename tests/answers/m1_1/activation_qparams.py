"""Answers to activation-qparams."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks.bank import right, wrong


@right("plain Python")
def plain(ranges):
    out = {}
    for name, (low, high) in ranges.items():
        scale = (high - low) / 255 or 1.0
        out[name] = (scale, max(-128, min(127, round(-128 - low / scale))))
    return out


@right("NumPy over all ranges")
def vectors(ranges):
    low, high = np.array(list(ranges.values()), np.float64).T
    scale = np.where(high > low, (high - low) / 255, 1.0)
    zero = np.clip(np.rint(-128 - low / scale), -128, 127).astype(np.int64)
    return {name: (float(s), int(z)) for name, s, z in zip(ranges, scale, zero, strict=True)}


@right("fractions")
def exact(ranges):
    out = {}
    for name, (low, high) in ranges.items():
        scale = (Fraction(high) - Fraction(low)) / 255
        out[name] = (float(scale), round(-128 - Fraction(low) / scale)) if scale else (1.0, -128)
    return out


def _each(ranges, rule):
    return {n: (1.0, -128) if a == b else rule(a, b) for n, (a, b) in ranges.items()}


def _rule(low, high):
    scale = (high - low) / 255
    return scale, round(-128 - low / scale)


@wrong("divides-by-256", "You divided by 256: 256 codes have 255 steps between them.")
def by_256(ranges):
    return _each(ranges, lambda a, b: ((b - a) / 256, min(127, round(-128 - a * 256 / (b - a)))))


@wrong("unsigned", "Your codes start at 0 (uint8); here they start at -128.")
def unsigned(ranges):
    return _each(ranges, lambda a, b: ((b - a) / 255, round(-a * 255 / (b - a))))


@wrong("zero-point-truncated", "You cut the zero-point towards zero with int(); round it.")
def truncated(ranges):
    return _each(ranges, lambda a, b: ((b - a) / 255, int(-128 - a * 255 / (b - a))))


@wrong("zero-point-floored", "You rounded the zero-point down; round it to nearest.")
def floored(ranges):
    return _each(ranges, lambda a, b: ((b - a) / 255, math.floor(-128 - a * 255 / (b - a))))


@wrong("ties-up", "You round halves up with floor(x + 0.5); ties go to the even code.")
def ties_up(ranges):
    return _each(ranges, lambda a, b: ((b - a) / 255, math.floor(-128 - a / ((b - a) / 255) + 0.5)))


@wrong(
    "symmetric", "You made a symmetric scheme; activations use the whole range from low to high."
)
def symmetric(ranges):
    return _each(ranges, lambda a, b: (max(-a, b) / 127, 0))


@wrong("sign", "The zero-point has the wrong sign: it is -128 - low / scale.")
def sign(ranges):
    return _each(
        ranges, lambda a, b: ((b - a) / 255, max(-128, min(127, round(128 + a * 255 / (b - a)))))
    )


@wrong("float-zero-point", "Your zero-point is a float; only an integer code gives back exactly 0.")
def float_zero(ranges):
    return _each(ranges, lambda a, b: ((b - a) / 255, float(round(-128 - a * 255 / (b - a)))))


@wrong("always-minus-128", "You always take -128: that is right after a ReLU only.")
def always(ranges):
    return _each(ranges, lambda a, b: ((b - a) / 255, -128))


@wrong("zero-range-divides", "A range of zeros makes you divide by 0: return (1.0, -128) for it.")
def divides(ranges):
    return {n: _rule(a, b) for n, (a, b) in ranges.items()}


@wrong("zero-range-epsilon", "For a range of zeros the rule is scale 1.0, not a tiny epsilon.")
def epsilon(ranges):
    return {
        n: (max((b - a) / 255, 1e-8), round(-128 - a / max((b - a) / 255, 1e-8)))
        for n, (a, b) in ranges.items()
    }


@wrong("low-ignored", "You took high / 255: low belongs to the range, too.")
def low_ignored(ranges):
    return _each(ranges, lambda a, b: (b / 255 if b else -a / 255, -128))


@wrong("fixed-names", "You wrote the five names into the function; take those of `ranges`.")
def fixed_names(ranges):
    return {n: plain(ranges)[n] for n in ("input", "conv1", "conv2", "fc1", "fc2")}
