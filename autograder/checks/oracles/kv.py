"""Keys and values in one byte, float64 NumPy and ml_dtypes: nothing here uses torch.

`clean` makes inputs whose codes do not hang on the last bit of a float32 division.
"""

import ml_dtypes
import numpy as np

from autograder.checks.oracles import fp8

TOP = {"int8": 127.0, "e4m3": 448.0, "e5m2": 57344.0}
TIE_MARGIN = 4e-3  # of a step: far above the 2**-24 of a float32 division


def scale_of(amax, top: float) -> np.ndarray:
    """amax / top in float64; 1.0 where amax is 0."""
    amax = np.asarray(amax, np.float64)
    return np.where(amax > 0, amax / top, 1.0)


def rounded(ratio, fmt: str) -> np.ndarray:
    """Whole numbers ("int8") or FP8 values, saturated by a clamp of our own, float64."""
    ratio = np.clip(np.asarray(ratio, np.float64), -TOP[fmt], TOP[fmt])
    if fmt == "int8":
        return np.rint(ratio)
    return ratio.astype(np.float32).astype(fp8.DTYPES[fmt]).astype(np.float64)


def quantize(x, fmt: str) -> tuple[np.ndarray, np.ndarray]:
    """(heads, tokens, head_dim) to codes (their values) and scales (heads, tokens, 1), float64."""
    x = np.asarray(x, np.float64)
    scales = scale_of(np.abs(x).max(axis=-1, keepdims=True), TOP[fmt])
    return rounded(x / scales, fmt), scales


def near_tie(ratio, fmt: str) -> np.ndarray:
    """Where a ratio lies near the middle between two neighbouring codes."""
    ratio = np.abs(np.asarray(ratio, np.float64))
    if fmt == "int8":
        return np.abs(ratio - np.floor(ratio) - 0.5) < TIE_MARGIN
    middles = fp8.midpoints(fmt).astype(np.float64)
    right = np.clip(np.searchsorted(middles, ratio), 1, len(middles) - 1)
    gap = np.minimum(np.abs(ratio - middles[right]), np.abs(ratio - middles[right - 1]))
    return gap < TIE_MARGIN * np.maximum(ratio, middles[0]) / 8


def clean(x: np.ndarray, fmt: str) -> np.ndarray:
    """x, in its dtype, with every value near a rounding tie of its row set to 0."""
    scales = scale_of(np.abs(x.astype(np.float64)).max(axis=-1, keepdims=True), TOP[fmt])
    return np.where(near_tie(x / scales, fmt), 0, x).astype(x.dtype)


def attention(query, keys, values) -> np.ndarray:
    """float64 attention of query (query_heads, D) over keys and values (heads, tokens, D)."""
    query, keys, values = (np.asarray(t, np.float64) for t in (query, keys, values))
    out = np.zeros_like(query)
    for i, q in enumerate(query):
        head = i * len(keys) // len(query)
        scores = keys[head] @ q / np.sqrt(len(q))
        weights = np.exp(scores - scores.max())
        out[i] = weights @ values[head] / weights.sum()
    return out


def bfloat16(x: np.ndarray) -> np.ndarray:
    """float32 with values that bfloat16 holds exactly."""
    return x.astype(ml_dtypes.bfloat16).astype(np.float32)
