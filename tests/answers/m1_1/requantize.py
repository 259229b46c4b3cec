"""Answers to requantize."""

import numpy as np

from autograder.checks.bank import right, wrong


def _finish(value, zero_point, low=-128, high=127):
    return np.clip(value + zero_point, low, high).astype(np.int8)


@right("int64 product and arithmetic shift")
def by_int64(acc, m0, shift, zero_point):
    n = 31 + shift
    value = (acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n
    return np.clip(value + zero_point, -128, 127).astype(np.int8)


@right("Python's integers, one by one")
def by_python(acc, m0, shift, zero_point):
    n = 31 + shift
    out = np.empty(acc.size, np.int8)
    for i, a in enumerate(acc.flat):
        q = (int(a) * m0 + 2 ** (n - 1)) // 2**n + zero_point
        out[i] = -128 if q < -128 else 127 if q > 127 else q
    return out.reshape(acc.shape)


@right("torch, bit n - 1 as the rounding bit")
def by_torch(acc, m0, shift, zero_point):
    import torch

    product = torch.from_numpy(acc.astype(np.int64)) * m0
    n = 31 + shift
    value = (product >> n) + ((product >> (n - 1)) & 1)
    return (value + zero_point).clamp(-128, 127).to(torch.int8).numpy()


@right("quotient and remainder")
def by_divmod(acc, m0, shift, zero_point):
    divisor = np.int64(1) << np.int64(31 + shift)
    q, r = np.divmod(np.multiply(acc, m0, dtype=np.int64), divisor)
    q = q + (r >= divisor // 2)
    return np.minimum(np.maximum(q + zero_point, -128), 127).astype(np.int8)


def _real(m0, shift):
    return m0 * 2.0 ** -(31 + shift)


@wrong(
    "float32-product",
    "You multiply in float32: its 24 bits round sums and multiplier before the result is rounded.",
)
def float32_product(acc, m0, shift, zero_point):
    m = np.float32(_real(m0, shift))
    return _finish(np.floor(acc.astype(np.float32) * m + np.float32(0.5)), zero_point)


@wrong(
    "float64-product",
    "You multiply in float64, whose 53 bits cannot hold the 62-bit product; use int64.",
)
def float64_product(acc, m0, shift, zero_point):
    return _finish(np.floor(acc * np.float64(_real(m0, shift)) + 0.5), zero_point)


@wrong(
    "half-to-even", "np.round goes half to even; adding 2**(n-1) before the shift rounds half up."
)
def half_to_even(acc, m0, shift, zero_point):
    return _finish(np.round(acc.astype(np.float64) * _real(m0, shift)), zero_point)


@wrong(
    "half-away-from-zero",
    "You round half-way sums away from zero; here they go up, so -2.5 becomes -2.",
)
def half_away(acc, m0, shift, zero_point):
    product, n = acc.astype(np.int64) * m0, 31 + shift
    value = np.sign(product) * ((np.abs(product) + (1 << (n - 1))) >> n)
    return _finish(value, zero_point)


@wrong(
    "half-goes-down",
    "Your half-way sums go down; half a step added before the arithmetic shift takes them up.",
)
def half_down(acc, m0, shift, zero_point):
    n = 31 + shift
    return _finish(-((-(acc.astype(np.int64) * m0) + (1 << (n - 1))) >> n), zero_point)


@wrong(
    "shift-below-0-ignored",
    "A shift of -1 is allowed (a multiplier that rounded up to 1): n is then 30, not 31.",
)
def negative_shift_ignored(acc, m0, shift, zero_point):
    n = 31 + max(shift, 0)
    return _finish((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n, zero_point)


@wrong(
    "int16-before-clip",
    "You narrow to int16 before the clip: a large sum wraps there. Clip in int64, narrow last.",
)
def int16_before_clip(acc, m0, shift, zero_point):
    n = 31 + shift
    value = (acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n
    return _finish(value.astype(np.int16).astype(np.int64), zero_point)


@wrong("no-rounding", "You shift without adding 2**(n-1), which rounds down; round to nearest.")
def no_rounding(acc, m0, shift, zero_point):
    return _finish((acc.astype(np.int64) * m0) >> (31 + shift), zero_point)


@wrong("toward-zero", "You cut towards zero (int, or C's division); round to nearest, half up.")
def toward_zero(acc, m0, shift, zero_point):
    product = acc.astype(np.int64) * m0
    return _finish(np.sign(product) * (np.abs(product) >> (31 + shift)), zero_point)


@wrong(
    "rounding-too-large",
    "You add 2**n before the shift, a whole step; half a step is 2**(n-1).",
)
def rounding_too_large(acc, m0, shift, zero_point):
    n = 31 + shift
    return _finish((acc.astype(np.int64) * m0 + (1 << n)) >> n, zero_point)


@wrong(
    "rounding-bit-fixed",
    "You add 2**30 whatever the shift; half a step is 2**(n-1) with n = 31 + shift.",
)
def rounding_fixed(acc, m0, shift, zero_point):
    return _finish((acc.astype(np.int64) * m0 + (1 << 30)) >> (31 + shift), zero_point)


@wrong(
    "rounds-twice",
    "You round after the 31 places and again after the shift; gemmlowp does, this exercise rounds once.",
)
def rounds_twice(acc, m0, shift, zero_point):
    high = (acc.astype(np.int64) * m0 + (1 << 30)) >> 31
    value = (high + (1 << (shift - 1))) >> shift if shift > 0 else high << -shift
    return _finish(value, zero_point)


@wrong(
    "gemmlowp-rounding",
    "You round as gemmlowp does: after 31 places, then again with halves away from zero. Round once.",
)
def gemmlowp_rounding(acc, m0, shift, zero_point):
    high = (acc.astype(np.int64) * m0 + (1 << 30)) >> 31
    if shift < 1:
        return _finish(high << -shift, zero_point)
    remainder, half = high & ((1 << shift) - 1), ((1 << shift) - 1) >> 1
    return _finish((high >> shift) + (remainder > half + (high < 0)), zero_point)


@wrong(
    "shifts-twice",
    "You shift 31 places, drop those bits, and only then round: keep them until one last shift.",
)
def shifts_twice(acc, m0, shift, zero_point):
    high = (acc.astype(np.int64) * m0) >> 31
    value = (high + (1 << (shift - 1))) >> shift if shift > 0 else high << -shift
    return _finish(value, zero_point)


@wrong("int32-product", "Your product wraps in int32: widen acc to int64 before multiplying.")
def int32_product(acc, m0, shift, zero_point):
    with np.errstate(all="ignore"):
        product = acc.astype(np.int32) * np.int32(m0)
    n = 31 + shift
    return _finish((product.astype(np.int64) + (1 << (n - 1))) >> n, zero_point)


@wrong("shift-left-out", "You shift by 31 only; shift by 31 + shift.")
def shift_left_out(acc, m0, shift, zero_point):
    return _finish((acc.astype(np.int64) * m0 + (1 << 30)) >> 31, zero_point)


@wrong("left-shift", "You shift by 31 - shift; a positive shift goes to the right: 31 + shift.")
def left_shift(acc, m0, shift, zero_point):
    n = 31 - shift
    return _finish((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n, zero_point)


@wrong("no-clip", "You do not clip: values outside -128..127 wrap around in int8.")
def no_clip(acc, m0, shift, zero_point):
    n = 31 + shift
    return (((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n) + zero_point).astype(np.int8)


@wrong("clip-first", "You clip before adding zero_point, so the sum can leave int8 again.")
def clip_first(acc, m0, shift, zero_point):
    n = 31 + shift
    value = np.clip((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n, -128, 127)
    return (value + zero_point).astype(np.int8)


@wrong("clips-twice", "You clip before adding zero_point and after it; clip once, after it.")
def clips_twice(acc, m0, shift, zero_point):
    n = 31 + shift
    value = np.clip((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n, -128, 127)
    return _finish(value, zero_point)


@wrong("restricted-clip", "You clip to -127..127; the output here uses -128 too.")
def restricted_clip(acc, m0, shift, zero_point):
    n = 31 + shift
    return _finish((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n, zero_point, low=-127)


@wrong("unsigned-clip", "You clip to 0..255; int8 holds -128..127.")
def unsigned_clip(acc, m0, shift, zero_point):
    n = 31 + shift
    value = ((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n) + zero_point
    return np.clip(value, 0, 255).astype(np.uint8)


@wrong("zero-point-left-out", "You leave zero_point out: add it after the shift, before the clip.")
def zero_point_left_out(acc, m0, shift, zero_point):
    n = 31 + shift
    return _finish((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n, 0)


@wrong("zero-point-subtracted", "You subtract zero_point; dequantizing does, quantizing adds it.")
def zero_point_subtracted(acc, m0, shift, zero_point):
    n = 31 + shift
    return _finish((acc.astype(np.int64) * m0 + (1 << (n - 1))) >> n, -zero_point)


@wrong(
    "zero-point-first",
    "You add zero_point to acc; it has the output's scale: add it after the shift.",
)
def zero_point_first(acc, m0, shift, zero_point):
    n = 31 + shift
    return _finish(((acc.astype(np.int64) + zero_point) * m0 + (1 << (n - 1))) >> n, 0)


@wrong("int64-result", "You return int64: convert to int8 after the clip.")
def int64_result(acc, m0, shift, zero_point):
    return by_int64(acc, m0, shift, zero_point).astype(np.int64)


@wrong("logical-shift", "You shift unsigned bits: a negative product becomes a huge positive one.")
def logical_shift(acc, m0, shift, zero_point):
    n = 31 + shift
    product = acc.astype(np.int64) * m0 + (1 << (n - 1))
    return _finish((product.astype(np.uint64) >> np.uint64(n)).astype(np.int64), zero_point)
