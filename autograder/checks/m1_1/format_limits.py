"""format-limits: largest, smallest normal, smallest subnormal and epsilon of a float format."""

from fractions import Fraction

import numpy as np

from autograder.checks import case, expect

PARTS = {"ieee": 0.6, "fn": 0.2, "finite": 0.2}
NAMES = ("largest", "smallest_normal", "smallest_subnormal", "epsilon")
HINTS = (
    "The bias is 2**(e - 1) - 1: write the value of each field combination as a power of two.",
    "ieee keeps the exponent field of all ones for infinity and NaN: the largest is one field below.",
    "fn loses only the single code of all ones; finite loses no code at all.",
)


def cases(rng):
    for label, e, m in (("FP16", 5, 10), ("FP32", 8, 23), ("BF16", 8, 7), ("E5M2", 5, 2)):
        yield case(label, part="ieee", exponent_bits=e, mantissa_bits=m, specials="ieee")
    e, m = int(rng.choice([3, 4, 6, 7])), int(rng.integers(4, 13))
    yield case(f"E{e}M{m}", part="ieee", exponent_bits=e, mantissa_bits=m, specials="ieee")
    yield case("E4M3", part="fn", exponent_bits=4, mantissa_bits=3, specials="fn")
    m = int(rng.integers(2, 6))
    yield case(f"E3M{m}", part="fn", exponent_bits=3, mantissa_bits=m, specials="fn")
    yield case("E5M1", part="fn", exponent_bits=5, mantissa_bits=1, specials="fn")
    # Without infinity the top of 8 exponent bits is beyond float32.
    m = int(rng.integers(1, 24))
    yield case(f"E8M{m}", part="fn", exponent_bits=8, mantissa_bits=m, specials="fn")
    for label, e, m in (("FP4 E2M1", 2, 1), ("FP6 E2M3", 2, 3), ("FP6 E3M2", 3, 2)):
        yield case(label, part="finite", exponent_bits=e, mantissa_bits=m, specials="finite")
    yield case("E4M2", part="finite", exponent_bits=4, mantissa_bits=2, specials="finite")
    drawn = int(rng.integers(5, 8)), int(rng.integers(4, 13))
    for e, m in (drawn, (8, 23)):
        label = f"E{e}M{m}"
        yield case(label, part="finite", exponent_bits=e, mantissa_bits=m, specials="finite")


def probe(solution, exponent_bits, mantissa_bits, specials):
    return solution(exponent_bits, mantissa_bits, specials)


def _limits(e: int, m: int, specials: str) -> tuple[Fraction, ...]:
    """The values of the four codes that are the limits, exact."""
    bias = 2 ** (e - 1) - 1
    top = {"ieee": (2**e - 1) * 2**m, "fn": 2 ** (e + m) - 1, "finite": 2 ** (e + m)}[specials]

    def value(code: int) -> Fraction:
        field, rest = divmod(code, 2**m)
        whole = Fraction(rest, 2**m) + (field > 0)
        return whole * Fraction(2) ** (max(field, 1) - bias)

    one = bias * 2**m
    return value(top - 1), value(2**m), value(1), value(one + 1) - value(one)


def judge(case, answer):
    values = expect.sequence(answer, NAMES)
    want = _limits(case.exponent_bits, case.mantissa_bits, case.specials)
    for name, value, right in zip(NAMES, values, want, strict=True):
        # Every limit is a power of two times a short integer: exact in float64.
        expect.number(value, float(right), name, rtol=4 * float(np.finfo(np.float64).eps))
