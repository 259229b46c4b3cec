"""Answers to qadd-reference."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(a, b):
    if a.dtype != np.int8 or b.dtype != np.int8 or a.shape != b.shape:
        raise ValueError("two int8 arrays of one shape")


def _total(a, b, p, wide=np.int64):
    return p.m_a * (a.astype(wide) - p.z_a) + p.m_b * (b.astype(wide) - p.z_b)


def _clip(codes):
    return np.clip(codes, -128, 127).astype(np.int8)


@right("int64, a shift")
def by_shift(a, b, p):
    _refuse(a, b)
    return _clip(((_total(a, b, p) + (1 << (p.shift - 1))) >> p.shift) + p.z_out)


@right("floor division")
def by_division(a, b, p):
    _refuse(a, b)
    return _clip((2 * _total(a, b, p) + 2**p.shift) // 2 ** (p.shift + 1) + p.z_out)


@right("float64, exact for these sizes")
def by_float(a, b, p):
    _refuse(a, b)
    return _clip(np.floor(_total(a, b, p, np.float64) / 2**p.shift + 0.5) + p.z_out)


@right("int32: the multipliers are small enough")
def int32(a, b, p):
    _refuse(a, b)
    total = np.int32(p.m_a) * (a.astype(np.int32) - np.int32(p.z_a))
    total = total + np.int32(p.m_b) * (b.astype(np.int32) - np.int32(p.z_b))
    return _clip(((total + np.int32(1 << (p.shift - 1))) >> np.int32(p.shift)) + np.int32(p.z_out))


@wrong("int8-overflow", "a - z_a in INT8 wraps around: widen first.")
def narrow(a, b, p):
    _refuse(a, b)
    total = p.m_a * (a - np.int8(p.z_a)).astype(np.int64) + p.m_b * (b - np.int8(p.z_b)).astype(
        np.int64
    )
    return _clip(((total + (1 << (p.shift - 1))) >> p.shift) + p.z_out)


@wrong("no-half", "The bare shift rounds down: add half of 2**shift.")
def no_half(a, b, p):
    _refuse(a, b)
    return _clip((_total(a, b, p) >> p.shift) + p.z_out)


@wrong("half-to-even", "np.rint sends half to the even neighbour; here half goes up.")
def half_even(a, b, p):
    _refuse(a, b)
    return _clip(np.rint(_total(a, b, p) / 2**p.shift) + p.z_out)


@wrong("half-away-from-zero", "Half goes up for both signs, not away from zero.")
def half_away(a, b, p):
    _refuse(a, b)
    total = _total(a, b, p)
    return _clip(np.sign(total) * ((np.abs(total) + (1 << (p.shift - 1))) >> p.shift) + p.z_out)


@wrong("truncated", "int() of a float cuts off towards zero; floor of the sum and a half.")
def truncated(a, b, p):
    _refuse(a, b)
    return _clip((_total(a, b, p) / 2**p.shift + 0.5).astype(np.int64) + p.z_out)


@wrong("no-clipping", "astype(int8) keeps the low 8 bits: clip first.")
def wraps(a, b, p):
    _refuse(a, b)
    return (((_total(a, b, p) + (1 << (p.shift - 1))) >> p.shift) + p.z_out).astype(np.int8)


@wrong("clipped-before-the-zero-point", "Clip after adding z_out.")
def early(a, b, p):
    _refuse(a, b)
    codes = np.clip((_total(a, b, p) + (1 << (p.shift - 1))) >> p.shift, -128, 127)
    return (codes + p.z_out).astype(np.int8)


@wrong("narrow-range", "The range is -128 to 127.")
def restricted(a, b, p):
    return np.maximum(by_shift(a, b, p), np.int8(-127))


@wrong("zero-points-left-out", "Take the zero-points off the codes.")
def no_zeros(a, b, p):
    _refuse(a, b)
    total = p.m_a * a.astype(np.int64) + p.m_b * b.astype(np.int64)
    return _clip(((total + (1 << (p.shift - 1))) >> p.shift) + p.z_out)


@wrong("output-zero-point-left-out", "Add z_out after the shift.")
def no_z_out(a, b, p):
    _refuse(a, b)
    return _clip((_total(a, b, p) + (1 << (p.shift - 1))) >> p.shift)


@wrong("each-product-rounded", "You round both products before adding: round once, at the end.")
def rounded_twice(a, b, p):
    _refuse(a, b)
    half = 1 << (p.shift - 1)
    first = (p.m_a * (a.astype(np.int64) - p.z_a) + half) >> p.shift
    second = (p.m_b * (b.astype(np.int64) - p.z_b) + half) >> p.shift
    return _clip(first + second + p.z_out)


@wrong("float32-sum", "float32 has 24 bits: the sum loses its last ones.")
def float32(a, b, p):
    _refuse(a, b)
    total = np.float32(p.m_a) * (a.astype(np.float32) - p.z_a) + np.float32(p.m_b) * (
        b.astype(np.float32) - p.z_b
    )
    ratio = (total / np.float32(2**p.shift) + np.float32(0.5)).astype(np.float32)
    return _clip(np.floor(ratio + np.float32(p.z_out)))


@wrong("wide-result", "Codes are int8.")
def int64_result(a, b, p):
    return by_shift(a, b, p).astype(np.int64)


@wrong("broadcast-accepted", "Shapes that differ, or another dtype, must be refused.")
def broadcast(a, b, p):
    shape = (
        np.broadcast_shapes(a.shape, b.shape)
        if a.size and b.size and 1 in (a.size, b.size)
        else a.shape
    )
    if a.shape != b.shape and shape == a.shape and b.size != 1:
        raise ValueError("shapes")
    return _clip(((_total(a, b, p) + (1 << (p.shift - 1))) >> p.shift) + p.z_out)
