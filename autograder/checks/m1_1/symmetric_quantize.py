"""symmetric-quantize: signed codes in the restricted range and the scale amax / qmax."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import affine

PARTS = {"values": 0.5, "ties": 0.2, "edges": 0.3}
HINTS = (
    "qmax is the largest signed code: 2**(bits - 1) - 1, which is 127 for 8 bits.",
    "The scale is the largest |x| divided by qmax. The sign of that largest value is irrelevant.",
    "codes = np.rint(x / scale) rounds ties to even; clip to [-qmax, qmax], then cast to int8.",
    "Deal with the all-zero tensor before you divide.",
)


def cases(rng):
    yield case("eight bits", part="values", x=_normal(rng, (37,), 8), bits=8)
    yield case("four bits", part="values", x=_normal(rng, (64,), 4), bits=4)
    yield case(
        "largest value is negative", part="values", x=_signed(rng, -1, 8).astype(np.float64), bits=8
    )
    yield case("largest value is positive", part="values", x=_signed(rng, 1, 6), bits=6)
    yield case("all negative", part="values", x=-np.abs(_normal(rng, (33,), 8)), bits=8)
    yield case("mean far from zero", part="values", x=_shifted(rng), bits=8)
    yield case("one outlier", part="values", x=_outlier(rng), bits=8)
    yield case("a matrix", part="values", x=_normal(rng, (24, 48), 8), bits=8)
    yield case("three bits", part="values", x=_normal(rng, (50,), 3), bits=3)
    # scale is a power of two, so that x / scale is exact and the halves are real ties.
    halves = np.array(
        [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -126.5, 3.75, -3.75], np.float32
    )
    yield case("ties, 8 bits", part="ties", x=halves * np.float32(0.125), bits=8)
    four = np.array([-7, 0.5, -0.5, 1.5, 2.5, -2.5, 6.5, -6.5, 3.75, -3.75], np.float64)
    yield case("ties, 4 bits", part="ties", x=four * 4.0, bits=4)
    yield case("one value", part="edges", x=np.array([-0.3], np.float32), bits=8)
    yield case("all zeros", part="edges", x=np.zeros((2, 3), np.float32), bits=8)
    yield case("two bits", part="edges", x=_normal(rng, (31,), 2), bits=2)
    tiny = (_normal(rng, (19,), 8) * np.float32(2.0**-40)).astype(np.float32)
    yield case("tiny values", part="edges", x=tiny, bits=8)
    yield case("four dimensions", part="edges", x=_normal(rng, (2, 3, 3, 5), 5), bits=5)
    yield case("a transposed matrix", part="edges", x=_normal(rng, (6, 11), 8).T, bits=8)


def probe(solution, x, bits):
    return solution(x, bits)


def judge(case, answer):
    codes, scale = expect.sequence(answer, ("codes", "scale"))
    want_codes, want_scale = affine.symmetric(case.x, case.bits)
    expect.array(codes, "codes", shape=case.x.shape, dtype=np.int8)
    hint = (
        "An all-zero tensor has no amax to divide by: return zeros and the scale 1.0."
        if not case.x.any()
        else f"scale = max|x| / qmax, and qmax is {2 ** (case.bits - 1) - 1} for {case.bits} bits."
    )
    expect.number(scale, want_scale, "scale", hint=hint)
    hint = (
        "Round x / scale to the nearest integer, ties to even (np.rint), and stay in [-qmax, qmax]."
    )
    expect.codes(codes, want_codes, "codes", hint=hint)


def _normal(rng, shape, bits):
    return _settled(rng.normal(0, 0.6, shape).astype(np.float32), bits)


def _settled(x, bits):
    """x with no x / scale near a tie; the extreme value, which sets the scale, stays."""
    scale = np.abs(x).max().astype(np.float64) / (2 ** (bits - 1) - 1)
    return affine.away_from_ties(x, scale)


def _signed(rng, sign, bits):
    """Values of both signs whose largest has this sign, by a factor of two or more."""
    x = rng.normal(0, 0.5, 45).clip(-1, 1).astype(np.float32)
    x[rng.integers(45)] = sign * rng.uniform(2.1, 2.9)
    return _settled(x, bits)


def _shifted(rng):
    return _settled(rng.normal(-6, 0.5, 70).astype(np.float32), 8)


def _outlier(rng):
    x = rng.normal(0, 1, 400).astype(np.float32)
    x[rng.integers(400)] = 40.0
    return _settled(x, 8)
