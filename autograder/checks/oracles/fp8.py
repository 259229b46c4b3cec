"""FP8 and BF16 references: ml_dtypes for the rounding, the OCP table for what overflows.

OCP 8-bit Floating Point Specification (OFP8), revision 1.0, 2023. Independent of the lesson's
arithmetic: nothing here rounds by itself.
"""

import ml_dtypes
import numpy as np

DTYPES = {"e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2}
LARGEST = {"e4m3": np.uint8(0x7E), "e5m2": np.uint8(0x7B)}  # 448 and 57344
MANTISSA = {"e4m3": 3, "e5m2": 2}


def decode(codes: np.ndarray, fmt: str) -> np.ndarray:
    """uint8 codes of any shape to float32 of the same shape."""
    return np.asarray(codes, np.uint8).view(DTYPES[fmt]).astype(np.float32)


def is_nan(codes: np.ndarray, fmt: str) -> np.ndarray:
    """True where a code means NaN: S.1111.111 in E4M3, S.11111.{01,10,11} in E5M2."""
    magnitude = np.asarray(codes, np.uint8) & np.uint8(0x7F)
    return magnitude == 0x7F if fmt == "e4m3" else magnitude > 0x7C


def encode(x: np.ndarray, fmt: str, saturate: bool) -> np.ndarray:
    """float32 of any shape to uint8 codes: nearest, ties to even, overflow as the table says."""
    x = np.asarray(x, np.float32)
    with np.errstate(all="ignore"):
        codes = x.astype(DTYPES[fmt]).view(np.uint8).reshape(x.shape)
    if not saturate:
        return codes
    # ml_dtypes does not saturate: what it made infinite, or NaN out of a number, has overflowed.
    over = ~np.isnan(x) & ((codes & np.uint8(0x7F)) > LARGEST[fmt])
    return np.where(over, (codes & np.uint8(0x80)) | LARGEST[fmt], codes).astype(np.uint8)


def finite_values(fmt: str) -> np.ndarray:
    """All non-negative finite values, float64, rising: value k has code k."""
    return decode(np.arange(int(LARGEST[fmt]) + 1, dtype=np.uint8), fmt).astype(np.float64)


def midpoints(fmt: str) -> np.ndarray:
    """The points halfway between neighbours, float32 (exact), the one above the largest value too.

    Above the largest value the grid is continued by one step, as rounding before the test for
    overflow demands: 464 in E4M3 (a tie with 480, which is not there), 61440 in E5M2.
    """
    values = finite_values(fmt)
    values = np.append(values, 2 * values[-1] - values[-2])
    return ((values[1:] + values[:-1]) / 2).astype(np.float32)


def bfloat16(x: np.ndarray) -> np.ndarray:
    """float32 of any shape to BF16 bit patterns, uint16: nearest, ties to even."""
    x = np.asarray(x, np.float32)
    with np.errstate(all="ignore"):
        return x.astype(ml_dtypes.bfloat16).view(np.uint16).reshape(x.shape)
