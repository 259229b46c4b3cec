"""AWQ's search through the Hessian, and what rounding to nearest leaves to chance, in float64.

Asymmetric grids as in Frantar et al. 2023: 0 inside [min, max], ties to even, one scale and one
zero-point for each group of inputs of each output.
"""

import numpy as np

from autograder.checks.oracles import channel_scales

TIE = 1e-3  # in steps: a code this near to a tie may fall either way (float32 divisions)


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


def rtn_margin(w: np.ndarray, bits: int, group_size: int) -> np.ndarray:
    """The least distance of each row's roundings from a tie, (R,), steps."""
    ratio, _, _, margin = grid(w, bits, group_size)
    return np.minimum(margin, from_tie(ratio).min(1))


def from_tie(ratio: np.ndarray) -> np.ndarray:
    """Distance of each ratio from the nearest half, in steps."""
    return np.abs(ratio - np.floor(ratio) - 0.5)


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
        s = channel_scales.awq(mean_abs, alpha)
        restored = channel_scales.group_round_trip(w * s, bits, group_size) / s
        tried.append((output_loss(w, restored, hessian), alpha, restored))
    return tried


def int8_ratio(values: np.ndarray, per_row: bool) -> tuple[np.ndarray, np.ndarray]:
    """values / scale, and scale = max|.| / 127 of the tensor or of each row; 1 where that is 0."""
    values = np.asarray(values, np.float64)
    top = np.abs(values).max(1, keepdims=True) if per_row else np.abs(values).max(keepdims=True)
    scale = np.where(top > 0, top / 127, 1.0)
    return values / scale, scale
