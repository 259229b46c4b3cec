"""Answers to requant-multiplier."""

import math
import struct

import numpy as np

from autograder.checks.bank import right, wrong


def _guard(m):
    if not 2.0**-31 <= m < 1:
        raise ValueError(f"the multiplier is {m}, not in [2**-31, 1)")


def _normal(m0, shift):
    return (2**30, shift - 1) if m0 == 2**31 else (m0, shift)


def _floor_half(value):
    return math.floor(value + 0.5)


@right("frexp")
def by_frexp(m):
    _guard(m)
    q, e = math.frexp(m)
    m0 = math.floor(q * 2**31 + 0.5)
    if m0 == 2**31:
        m0, e = 2**30, e + 1
    return m0, -e


@right("the bits of the double, integers only")
def by_bits(m):
    if not (m >= 2.0**-31 and m < 1):
        raise ValueError("m must be in [2**-31, 1)")
    (word,) = struct.unpack("<Q", struct.pack("<d", m))
    exponent = (word >> 52) - 1022
    mantissa = (word & (1 << 52) - 1) | 1 << 52
    m0 = (mantissa + (1 << 21)) >> 22
    return (m0 >> 1, -exponent - 1) if m0 >> 31 else (m0, -exponent)


@right("doubling, NumPy scalars")
def by_doubling(m):
    if math.isnan(m) or m < 2.0**-31 or m >= 1:
        raise ValueError("no such multiplier")
    shift = 0
    while m < 0.5:
        m, shift = m * 2, shift + 1
    m0 = np.int64(np.floor(np.float64(m) * np.float64(2**31) + 0.5))
    if m0 > 2**31 - 1:
        return np.int64(2**30), np.int64(shift - 1)
    return m0, np.int64(shift)


@wrong("truncated", "You cut the mantissa off; round it to the nearest integer, half-way up.")
def truncated(m):
    _guard(m)
    q, e = math.frexp(m)
    return int(q * 2**31), -e


@wrong("half-to-even", "Python's round goes half to even; here half-way goes up: floor(x + 0.5).")
def half_to_even(m):
    _guard(m)
    q, e = math.frexp(m)
    return _normal(round(q * 2**31), -e)


@wrong(
    "round-and-no-more",
    "round goes half to even and may give 2**31: use floor(x + 0.5), and halve a mantissa of 2**31.",
)
def round_and_no_more(m):
    q, e = math.frexp(m)
    return round(q * 2**31), -e


@wrong("rounded-up", "You round the mantissa up always; round to the nearest integer.")
def rounded_up(m):
    _guard(m)
    q, e = math.frexp(m)
    return _normal(math.ceil(q * 2**31), -e)


@wrong(
    "mantissa-overflow",
    "Rounding can give 2**31, which does not fit in int32: halve it and shift one place less.",
)
def mantissa_overflow(m):
    _guard(m)
    q, e = math.frexp(m)
    return _floor_half(q * 2**31), -e


@wrong(
    "mantissa-clamped", "You clamp the mantissa to 2**31 - 1; halve it and shift one place less."
)
def mantissa_clamped(m):
    _guard(m)
    q, e = math.frexp(m)
    return min(_floor_half(q * 2**31), 2**31 - 1), -e


@wrong(
    "halved-without-shift",
    "You halve a mantissa of 2**31 but leave the shift: the multiplier is half as large then.",
)
def halved_without_shift(m):
    _guard(m)
    q, e = math.frexp(m)
    m0 = _floor_half(q * 2**31)
    return (2**30 if m0 == 2**31 else m0), -e


@wrong(
    "shift-wrong-way",
    "You halve a mantissa of 2**31 and shift one place more; it must be one less.",
)
def shift_wrong_way(m):
    _guard(m)
    q, e = math.frexp(m)
    m0 = _floor_half(q * 2**31)
    return (2**30, 1 - e) if m0 == 2**31 else (m0, -e)


@wrong("left-shift", "You return frexp's exponent; the shift to the right is its negative.")
def left_shift(m):
    by_frexp(m)
    m0, shift = by_frexp(m)
    return m0, -shift


@wrong(
    "not-normalised", "You scale m by 2**31 without normalising it: small multipliers lose bits."
)
def not_normalised(m):
    _guard(m)
    return _floor_half(m * 2**31), 0


@wrong("scaled-by-2-30", "You scale the mantissa by 2**30: one of the 31 bits stays unused.")
def scaled_by_2_30(m):
    _guard(m)
    q, e = math.frexp(m)
    return _floor_half(q * 2**30), -e


@wrong("mantissa-in-1-2", "You normalise to [1, 2): times 2**31 that does not fit in int32.")
def mantissa_in_1_2(m):
    _guard(m)
    q, e = math.frexp(m)
    return _floor_half(2 * q * 2**31), 1 - e


@wrong(
    "mantissa-in-1-2-half", "Normalised to [1, 2) and scaled by 2**30 the shift is one too large."
)
def mantissa_in_1_2_half(m):
    m0, shift = by_frexp(m)
    return m0, shift + 1


@wrong(
    "total-shift", "You return 31 + shift; return the shift after the 31 places of the mantissa."
)
def total_shift(m):
    m0, shift = by_frexp(m)
    return m0, 31 + shift


@wrong("through-float32", "You passed m through float32, whose 24 bits cut the mantissa short.")
def through_float32(m):
    _guard(m)
    q, e = math.frexp(float(np.float32(m)))
    return _normal(_floor_half(q * 2**31), -e)


@wrong(
    "from-log2",
    "floor(-log2(m)) normalises to (0.5, 1]: at an exact power of two the mantissa becomes 2**31.",
)
def from_log2(m):
    _guard(m)
    shift = math.floor(-math.log2(m))
    return _floor_half(m * 2.0 ** (31 + shift)), shift


@wrong("float-mantissa", "m0 is an integer that int32 holds; you return a float.")
def float_mantissa(m):
    m0, shift = by_frexp(m)
    return float(m0), shift


@wrong("int16-mantissa", "You keep 15 bits of mantissa; int32 holds 31.")
def int16_mantissa(m):
    _guard(m)
    q, e = math.frexp(m)
    return _floor_half(q * 2**15) << 16, -e


@wrong("no-refusal", "You take any number; refuse m outside [2**-31, 1) with ValueError.")
def no_refusal(m):
    if math.isnan(m) or math.isinf(m):
        return 0, 0
    q, e = math.frexp(m)
    return _normal(_floor_half(q * 2**31), -e)


@wrong("refuses-too-little", "You let m = 1, or m below 2**-31, pass; both must be refused.")
def refuses_too_little(m):
    if not 0 < m <= 1:
        raise ValueError("m must be in (0, 1]")
    q, e = math.frexp(m)
    return _normal(_floor_half(q * 2**31), -e)
