"""Affine quantization in exact rational arithmetic: no float rounds before the integer does."""

from fractions import Fraction

import numpy as np

SMALLEST_NORMAL = Fraction(np.finfo(np.float64).smallest_normal.item())


def exact_round(values: np.ndarray, scale: Fraction) -> list[int]:
    """round(v / scale), ties to even, for every value in C order.

    Python rounds a Fraction exactly, so the result depends on no order of evaluation. Floats
    decide where their error, two roundings of 2**-53, cannot reach the next half.
    """
    flat = values.ravel().astype(np.float64)
    with np.errstate(all="ignore"):
        ratio = flat / float(scale) if scale >= SMALLEST_NORMAL else np.full(flat.shape, np.nan)
        to_half = np.abs(ratio - np.floor(ratio) - 0.5)
        clear = to_half > np.abs(ratio) * 2.0**-50
    rounded = np.rint(np.where(clear, ratio, 0)).astype(np.int64).tolist()
    for i in np.flatnonzero(~clear).tolist():
        rounded[i] = round(Fraction(flat[i]) / scale)
    return rounded


def symmetric(x: np.ndarray, bits: int) -> tuple[np.ndarray, float]:
    """Codes (int8, shape of x) in [-qmax, qmax] and the scale amax / qmax; 1.0 for all zeros."""
    qmax = 2 ** (bits - 1) - 1
    amax = Fraction(np.max(np.abs(x.astype(np.float64))))
    if amax == 0:
        return np.zeros(x.shape, np.int8), 1.0
    scale = amax / qmax
    return np.array(exact_round(x, scale), np.int8).reshape(x.shape), float(scale)


def params(x_min: float, x_max: float, bits: int) -> tuple[float, int]:
    """Scale and zero-point for codes 0..2**bits - 1, the range extended to contain zero."""
    low, high = min(Fraction(x_min), 0), max(Fraction(x_max), 0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / (2**bits - 1)
    return float(scale), round(-low / scale)


def quantize(x: np.ndarray, scale: float, zero_point: int, bits: int) -> np.ndarray:
    """uint8 codes clip(round(x / scale) + zero_point, 0, 2**bits - 1); infinities saturate."""
    qmax = 2**bits - 1
    finite = np.where(np.isfinite(x), x, 0)
    raw = [q + zero_point for q in exact_round(finite, Fraction(scale))]
    codes = np.array([min(max(q, 0), qmax) for q in raw], np.uint8).reshape(x.shape)
    codes[np.isposinf(x)] = qmax
    codes[np.isneginf(x)] = 0
    return codes


def away_from_ties(x: np.ndarray, scale: float, margin: float = 0.02) -> np.ndarray:
    """A copy of x in which no x / scale lies within `margin` of a half.

    There float32 and float64 give the same code, in whichever order they evaluate.
    """
    ratio = x.astype(np.float64) / scale
    off = ratio - np.floor(ratio) - 0.5
    push = np.where(np.abs(off) < margin, 2 * margin * scale, 0.0)
    return (x.astype(np.float64) + push).astype(x.dtype)
