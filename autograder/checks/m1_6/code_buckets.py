"""code-buckets: counts of codes against one comparison per value and code, in exact fractions."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks import case, expect

PARTS = {"counts": 0.45, "limits and sums": 0.35, "bad input": 0.2}
HINTS = (
    "codes = np.clip(np.round(x / scale), -qmax, qmax) with x in float64.",
    "np.bincount(codes.astype(int) + qmax, minlength=2 * qmax + 1) keeps empty buckets.",
    "min, max, sum and sum_squares are of codes * scale, not of x.",
)
NUMBERS = ("min", "max", "num", "sum", "sum_squares")
KEYS = (*NUMBERS, "bucket_limits", "bucket_counts")


def _drawn(rng, shape, bits, spread):
    """Values whose quotient by the scale stays clear of ties, which float32 could move."""
    scale = float(rng.uniform(0.03, 0.4))
    steps = np.round(rng.normal(0, spread * 2 ** (bits - 1), shape))
    inside = rng.uniform(-0.45, 0.45, shape)
    return ((steps + inside) * scale).astype(np.float32), scale


def cases(rng):
    for part in ("counts", "limits and sums"):
        yield case("four values", part, x=np.float32([0.5, -0.25, 9.0, 0.1]), scale=0.5, bits=2)
        for bits, shape, spread in (
            (3, (40,), 0.5), (2, (6, 9), 0.7), (4, (5, 4, 7), 0.3), (8, (300,), 0.2),
            (5, (64,), 1.5), (3, (200,), 0.05),
        ):  # fmt: skip
            x, scale = _drawn(rng, shape, bits, spread)
            yield case(f"{bits} bits, shape {shape}", part, x=x, scale=scale, bits=bits)
        near = (np.arange(-126, 127, 7) + 0.495).astype(np.float32) * np.float32(0.125)
        yield case("8 bits, near the edges", part, x=near, scale=0.125, bits=8)
        ties = np.float64([0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5, 6.5, -6.5, 7.5]) * 0.25
        yield case("ties", part, x=ties, scale=0.25, bits=4)
        yield case("all above", part, x=np.full(7, 5.0), scale=0.25, bits=3)
        yield case("all below", part, x=np.full((2, 3), -5.0, np.float32), scale=0.25, bits=3)
        yield case("one value, code 0", part, x=np.float32([0.01]), scale=0.5, bits=3)
        x, scale = _drawn(rng, (8, 6), 3, 0.5)
        yield case("not contiguous", part, x=x.T, scale=scale, bits=3)
    x = rng.normal(0, 1, 5)
    for label, bad in (
        ("an empty x", {"x": np.zeros(0, np.float32)}),
        ("a NaN", {"x": np.array([1.0, math.nan, 2.0])}),
        ("an infinity", {"x": np.array([1.0, 2.0, -math.inf])}),
        ("scale 0", {"scale": 0.0}),
        ("a negative scale", {"scale": -0.25}),
        ("scale NaN", {"scale": math.nan}),
        ("an infinite scale", {"scale": math.inf}),
        ("1 bit", {"bits": 1}),
        ("9 bits", {"bits": 9}),
    ):
        yield case(label, "bad input", **{"x": x, "scale": 0.25, "bits": 3, **bad})


def probe(solution, x, scale, bits):
    bad = not x.size or not np.isfinite(x).all() or not 0 < scale < np.inf or not 2 <= bits <= 8
    if bad:
        return refusal(lambda: solution(x, scale, bits))  # noqa: F821
    return solution(x, scale, bits)


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    found = expect.mapping(answer, KEYS, only=True)
    top = 2 ** (case.bits - 1) - 1
    limits, counts = (_one_dimensional(found[name], name, 2 * top + 1) for name in KEYS[5:])
    want = _counts(case.x, case.scale, top)
    expect.codes(counts, want, "bucket_counts")
    if case.part == "limits and sums":
        middles = np.arange(-top, top + 1) + 0.5
        expect.array(limits, "bucket_limits", dtype=np.float64)
        expect.close(limits, middles * case.scale, "bucket_limits", rtol=1e-12)
        _sums(found, want, np.arange(-top, top + 1) * case.scale)


def _one_dimensional(value, name, length):
    value = np.asarray(value) if isinstance(value, (list, tuple)) else value
    expect.array(value, name, shape=(length,))
    expect.that(value.dtype.kind in "iuf", f"`{name}` holds numbers.", stage="dtype",
                yours=str(value.dtype))  # fmt: skip
    return value


def _counts(x, scale, top):
    """By exact arithmetic: Fraction's round goes to nearest, ties to even."""
    step, counts = Fraction(scale), np.zeros(2 * top + 1, np.int64)
    for value in x.ravel().tolist():
        counts[min(max(round(Fraction(value) / step), -top), top) + top] += 1
    return counts


def _sums(found, counts, values):
    expect.integer(found["num"], int(counts.sum()), "num")
    used = values[counts > 0]
    expect.number(found["min"], float(used[0]), "min", rtol=1e-12)
    expect.number(found["max"], float(used[-1]), "max", rtol=1e-12)
    size = float((counts * np.abs(values)).sum())
    total = float((counts * values).sum())
    expect.number(found["sum"], total, "sum", rtol=0.0, atol=1e-11 * size)
    squares = float((counts * values**2).sum())
    expect.number(found["sum_squares"], squares, "sum_squares", rtol=1e-11)
