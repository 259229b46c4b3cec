"""RTN, AWQ's search and SmoothQuant's W8A8 in float64, for the comparison of methods.

Asymmetric grids as in Frantar et al. 2023: 0 inside [min, max], ties to even, one scale and one
zero-point for each group of inputs of each output.
"""

import numpy as np

TIE = 1e-3  # in steps: a code this near to a tie may fall either way (float32 divisions)
LEAST_SCALE = 1e-4


def grid(
    w: np.ndarray, bits: int, group_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """ratio (R, K) in steps, scale and zero-point spread to (R, K), the zero-points' margin (R,)."""
    rows, columns = w.shape
    groups = np.asarray(w, np.float64).reshape(rows, -1, group_size)
    low, high = np.minimum(groups.min(-1), 0), np.maximum(groups.max(-1), 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1.0)
    exact = -low / scale
    margin = from_tie(exact).min(1)
    scale, zero = (np.repeat(v, group_size, axis=1) for v in (scale, np.rint(exact)))
    return groups.reshape(rows, columns) / scale, scale, zero, margin


def rtn(w: np.ndarray, bits: int, group_size: int) -> np.ndarray:
    """Rounded to nearest and restored, (R, K) float64."""
    ratio, scale, zero, _ = grid(w, bits, group_size)
    return (np.clip(np.rint(ratio) + zero, 0, 2**bits - 1) - zero) * scale


def rtn_margin(w: np.ndarray, bits: int, group_size: int) -> np.ndarray:
    """The least distance of each row's roundings from a tie, (R,), steps."""
    ratio, _, _, margin = grid(w, bits, group_size)
    return np.minimum(margin, from_tie(ratio).min(1))


def from_tie(ratio: np.ndarray) -> np.ndarray:
    """Distance of each ratio from the nearest half, in steps."""
    return np.abs(ratio - np.floor(ratio) - 0.5)


def channel_scales(mean_abs: np.ndarray, alpha: float) -> np.ndarray:
    """AWQ's s (K,): mean|x|^alpha, at least 1e-4, over the geometric mean of its extremes."""
    s = np.maximum(np.asarray(mean_abs, np.float64) ** alpha, LEAST_SCALE)
    return s / np.sqrt(s.max() * s.min())


def output_loss(w: np.ndarray, restored: np.ndarray, hessian: np.ndarray) -> float:
    """Sum over outputs of e H e^T, e the weight's error: the output's squared error, up to a factor."""
    error = np.asarray(w, np.float64) - restored
    return float(
        np.einsum("ri,ij,rj->", error, np.asarray(hessian, np.float64), error, optimize=True)
    )


def awq(
    w: np.ndarray,
    mean_abs: np.ndarray,
    hessian: np.ndarray,
    bits: int,
    group_size: int,
    points: int,
) -> list[tuple[float, float, np.ndarray]]:
    """(loss, alpha, restored weight) for each of `points` alphas from 0 to 1, in their order."""
    tried = []
    for k in range(points):
        alpha = k / (points - 1)
        s = channel_scales(mean_abs, alpha)
        restored = rtn(np.asarray(w, np.float64) * s, bits, group_size) / s
        tried.append((output_loss(w, restored, hessian), alpha, restored))
    return tried


def smooth_factors(x: np.ndarray, w: np.ndarray, alpha: float) -> np.ndarray:
    """SmoothQuant's s (K,): max|x|^alpha / max|w|^(1 - alpha); 1 where either maximum is 0."""
    a, b = (np.abs(np.asarray(v, np.float64)).max(0) for v in (x, w))
    used = (a > 0) & (b > 0)
    s = np.ones(len(a))
    s[used] = a[used] ** alpha / b[used] ** (1 - alpha)
    return s


def int8_ratio(values: np.ndarray, per_row: bool) -> tuple[np.ndarray, np.ndarray]:
    """values / scale, and scale = max|.| / 127 of the tensor or of each row; 1 where that is 0."""
    values = np.asarray(values, np.float64)
    top = np.abs(values).max(1, keepdims=True) if per_row else np.abs(values).max(keepdims=True)
    scale = np.where(top > 0, top / 127, 1.0)
    return values / scale, scale
