"""Quantized vector addition in Python's own integers and fractions."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np

LARGEST = 2**21


def params(s_a, s_b, s_out, z_a=0, z_b=0, z_out=0):
    """The parameters, found from small shifts upwards; None where no shift fits."""
    best = None
    for shift in range(1, 31):
        m_a, m_b = (round(s / s_out * 2**shift) for s in (s_a, s_b))
        if m_a <= LARGEST and m_b <= LARGEST:
            best = SimpleNamespace(m_a=m_a, m_b=m_b, shift=shift, z_a=z_a, z_b=z_b, z_out=z_out)
    return best


def add(a, b, p):
    """Codes of the sum, one by one; int8 arrays of any shape."""
    half = Fraction(1, 2)
    table: dict[tuple[int, int], int] = {}
    out = np.empty(a.size, np.int8)
    for i, pair in enumerate(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)):
        if pair not in table:
            total = p.m_a * (pair[0] - p.z_a) + p.m_b * (pair[1] - p.z_b)
            code = (Fraction(total, 2**p.shift) + half).__floor__() + p.z_out
            table[pair] = max(-128, min(127, code))
        out[i] = table[pair]
    return out.reshape(a.shape)


def pairs():
    """All 65,536 pairs of codes, two int8 arrays."""
    codes = np.arange(-128, 128)
    a, b = np.meshgrid(codes, codes, indexing="ij")
    return a.ravel().astype(np.int8), b.ravel().astype(np.int8)


def numbers(p, n):
    """The kernel's scalar arguments."""
    return tuple(np.int32(v) for v in (p.m_a, p.m_b, p.shift, p.z_a, p.z_b, p.z_out, n))
