"""Integer-only inference in exact arithmetic: fractions, Python's integers, float64 below 2**53.

The scheme is that of Jacob et al. 2018 (Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference), section 2.2, with one rounding: half up.
"""

from fractions import Fraction
from math import floor

import numpy as np

HALF = Fraction(1, 2)


def multiplier(m: float) -> tuple[int, int]:
    """m in [2**-31, 1) as (m0, shift): m is about m0 * 2**-31 * 2**-shift, m0 in [2**30, 2**31)."""
    exact, shift = Fraction(m), 0
    while exact < HALF:
        exact, shift = exact * 2, shift + 1
    m0 = floor(exact * 2**31 + HALF)
    return (2**30, shift - 1) if m0 == 2**31 else (m0, shift)


def multipliers(ms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`multiplier` of each of ms (n,): m0 and shift as int32 arrays (n,)."""
    pairs = np.array([multiplier(float(m)) for m in ms], np.int64)
    return pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32)


def rounded(acc: int, m0: int, shift: int) -> int:
    """acc * m0 / 2**(31 + shift) to the nearest integer, half up, by Python's floor division."""
    n = 2 ** (31 + int(shift))
    return (2 * int(acc) * int(m0) + n) // (2 * n)


def requantize(acc: np.ndarray, m0, shift, zero_point: int) -> np.ndarray:
    """int8 of acc's shape; m0 and shift are ints or arrays that broadcast over acc's last axis."""
    acc = np.asarray(acc)
    m0s, shifts = (np.broadcast_to(np.asarray(a, np.int64), acc.shape) for a in (m0, shift))
    values = [
        min(127, max(-128, rounded(a, m, s) + int(zero_point)))
        for a, m, s in zip(acc.ravel(), m0s.ravel(), shifts.ravel(), strict=True)
    ]
    return np.array(values, np.int8).reshape(acc.shape)


def linear_sums(x_q, w_q, bias, x_zero_point: int) -> np.ndarray:
    """Accumulators (N, O) int64 of x_q (N, K), w_q (O, K), bias (O,): exact below 2**53."""
    x = x_q.astype(np.float64) - x_zero_point
    return (x @ w_q.astype(np.float64).T + bias.astype(np.float64)).astype(np.int64)


def conv_sums(x_q, w_q, bias, x_zero_point: int, stride: int, padding: int) -> np.ndarray:
    """Accumulators (N, O, OH, OW) int64, by torch's convolution in float64 (exact below 2**53)."""
    import torch

    x = torch.from_numpy(x_q.astype(np.float64) - x_zero_point)
    w = torch.from_numpy(w_q.astype(np.float64))
    b = torch.from_numpy(bias.astype(np.float64))
    # A value equal to the zero-point is a real 0, so padding x - zero_point with 0 is the same.
    return torch.nn.functional.conv2d(x, w, b, stride, padding).numpy().round().astype(np.int64)
