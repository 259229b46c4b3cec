"""Answers to roof-gemm."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks.bank import right, wrong


def _up(elements, bits):
    return -(-elements * bits // 8)


def _model(m, n, k, a, b, c, accumulate=False, *, flops=None, packed=_up, olds=1, checks="mnkabc"):
    given = {"m": m, "n": n, "k": k, "a": a, "b": b, "c": c}
    if any(given[name] < 1 for name in checks):
        raise ValueError("too small")
    moved = packed(m * k, a) + packed(k * n, b) + packed(m * n, c)
    if accumulate:
        moved += olds * packed(m * n, c)
    operations = flops(m, n, k, accumulate) if flops else 2 * m * n * k
    return operations, moved, operations / moved if moved else 0.0


@right("whole bytes of each matrix")
def whole(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate)


@right("fractions and math.ceil, a list")
def fractions(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    if not all(v >= 1 for v in (m, n, k, a_bits, b_bits, c_bits)):
        raise ValueError("1 or more")
    parts = [(m * k, a_bits), (k * n, b_bits), (m * n, c_bits)] + [(m * n, c_bits)] * bool(
        accumulate
    )
    moved = sum(math.ceil(Fraction(e * bits, 8)) for e, bits in parts)
    return [np.int64(2 * m * n * k), moved, float(Fraction(2 * m * n * k, moved))]


@wrong("one-flop-each", "A multiplication and an addition count 1 each: 2 m n k.")
def one(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, flops=lambda m, n, k, _: m * n * k)


@wrong("one-addition-fewer", "Count the first addition too (to zero): 2 m n k, not m n (2 k - 1).")
def fewer(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(
        m, n, k, a_bits, b_bits, c_bits, accumulate, flops=lambda m, n, k, _: m * n * (2 * k - 1)
    )


@wrong("accumulation-adds-flops", "Adding to the old C leaves the operations at 2 m n k.")
def more_flops(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate,
                  flops=lambda m, n, k, acc: 2 * m * n * k + (m * n if acc else 0))  # fmt: skip


@wrong("old-c-not-read", "With accumulate the old C is read as well.")
def no_old(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, olds=0)


@wrong("c-always-read", "Without accumulate C is only written.")
def always(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, True)


@wrong("bits-for-bytes", "Eight bits are one byte: divide by 8.")
def bits(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, packed=lambda e, b: e * b)


@wrong("whole-bytes-an-element", "Packed without gaps: two 4-bit numbers share a byte.")
def unpacked(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, packed=lambda e, b: e * -(-b // 8))


@wrong("bytes-before-elements", "b // 8 is 0 for 4 bits: multiply by the elements first.")
def floor_bits(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, packed=lambda e, b: e * (b // 8))


@wrong("rounded-down", "A part of a byte takes a byte: round up.")
def down(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, packed=lambda e, b: e * b // 8)


@wrong("rounded-once", "Round each matrix up on its own, not the sum of all.")
def once(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    flops, moved, _ = _model(m, n, k, a_bits, b_bits, c_bits, accumulate, packed=lambda e, b: e * b)
    moved = -(-moved // 8)
    return flops, moved, flops / moved


@wrong("one-type-for-all", "Each matrix has bits of its own.")
def same_bits(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    _model(m, n, k, a_bits, b_bits, c_bits)
    return _model(m, n, k, a_bits, a_bits, a_bits, accumulate)


@wrong("shapes-mixed-up", "A is (m, k), B is (k, n), C is (m, n).")
def shapes(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    _model(m, n, k, a_bits, b_bits, c_bits)
    return _model(m, k, n, a_bits, b_bits, c_bits, accumulate)


@wrong("no-reuse", "Compulsory traffic: each operand is read once, not once for each use.")
def no_reuse(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    flops, moved, _ = _model(m, n, k, a_bits, b_bits, c_bits, accumulate)
    moved += (
        _up(m * n * k, a_bits) - _up(m * k, a_bits) + _up(m * n * k, b_bits) - _up(k * n, b_bits)
    )
    return flops, moved, flops / moved


@wrong("result-not-counted", "C is written: it moves too.")
def no_result(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    flops, moved, _ = _model(m, n, k, a_bits, b_bits, c_bits, accumulate)
    moved -= _up(m * n, c_bits)
    return flops, moved, flops / moved


@wrong("byte-per-flop", "Intensity is operations by bytes, not bytes by operations.")
def inverse(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    flops, moved, intensity = _model(m, n, k, a_bits, b_bits, c_bits, accumulate)
    return flops, moved, 1 / intensity


@wrong("float-counts", "Operations and bytes are exact ints: bits / 8 makes them floats.")
def floats(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    flops, moved, intensity = _model(m, n, k, a_bits, b_bits, c_bits, accumulate)
    return float(flops), float(moved), intensity


@wrong("int32-overflow", "2 m n k does not fit 32 bits: use Python's ints.")
def overflow(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    flops, moved, _ = _model(m, n, k, a_bits, b_bits, c_bits, accumulate)
    flops = (flops + 2**31) % 2**32 - 2**31
    return flops, moved, flops / moved


@wrong("sizes-not-checked", "A size below 1 must raise ValueError.")
def any_size(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, checks="abc")


@wrong("bits-not-checked", "A count of bits below 1 must raise ValueError.")
def any_bits(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, checks="mnk")


@wrong("float-bytes", "Beyond 2^53 a float no longer holds every whole number: round up with //.")
def float_bytes(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, packed=lambda e, b: math.ceil(e * b / 8))  # fmt: skip


@wrong("float-flops", "Beyond 2^53 a float no longer holds every whole number: multiply ints.")
def float_flops(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, flops=lambda m, n, k, _: int(2.0 * m * n * k))  # fmt: skip


@wrong("only-zero-refused", "Numbers below 0 must raise ValueError too.")
def only_zero(m, n, k, a_bits, b_bits, c_bits, accumulate=False):
    if 0 in (m, n, k, a_bits, b_bits, c_bits):
        raise ValueError("zero")
    return _model(m, n, k, a_bits, b_bits, c_bits, accumulate, checks="")
