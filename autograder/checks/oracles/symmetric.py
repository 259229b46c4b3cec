"""Symmetric quantization in float64: codes in [-qmax, qmax], no zero-point, ties to even.

Written for judges: it takes any scale that broadcasts, so one formula serves tensors, channels
and groups. `off_ties` makes inputs whose codes do not hang on the last bit of a float32 division.
"""

import numpy as np

TIE_MARGIN = 4e-3  # in steps; x/scale in float32 is off by 127 * 2**-23 = 1.5e-5 steps at most


def qmax(bits: int) -> int:
    """The largest code of the restricted range: 127 for 8 bits, 7 for 4."""
    return 2 ** (bits - 1) - 1


def scale_of(amax, bits: int) -> np.ndarray:
    """amax / qmax in float64; 1.0 where amax is 0."""
    amax = np.asarray(amax, np.float64)
    return np.where(amax > 0, amax / qmax(bits), 1.0)


def codes_of(x, scale, bits: int) -> np.ndarray:
    """int8 codes of x for a scale that broadcasts against it."""
    top = qmax(bits)
    ratio = np.asarray(x, np.float64) / scale
    return np.clip(np.rint(ratio), -top, top).astype(np.int8)


def round_trip(x, scale, bits: int) -> np.ndarray:
    """x after quantization and restoring, float64."""
    return codes_of(x, scale, bits) * np.asarray(scale, np.float64)


def mse(x, scale, bits: int) -> float:
    """Mean squared error of the round trip, float64."""
    return float(np.mean((np.asarray(x, np.float64) - round_trip(x, scale, bits)) ** 2))


def off_ties(x: np.ndarray, scale, margin: float = TIE_MARGIN) -> np.ndarray:
    """x (float32) with every value that lies near a rounding tie moved 10 margins away from it."""
    ratio = np.asarray(x, np.float64) / scale
    near = np.abs(np.abs(ratio - np.floor(ratio)) - 0.5) < margin
    return np.where(near, x + 10 * margin * np.sign(x) * scale, x).astype(np.float32)
