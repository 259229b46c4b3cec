"""AWQ and SmoothQuant in float64, written from the papers' formulas, channel by channel.

The quantizers are built with slices and Python loops where the lesson reshapes, so that the two share
no step.
"""

import numpy as np

from autograder.checks.oracles import symmetric


def group_round_trip(w, bits: int, group_size: int) -> np.ndarray:
    """w (R, K) in asymmetric groups whose range contains 0, restored, float64; ties to even."""
    w = np.array(w, np.float64)
    top = 2**bits - 1
    for start in range(0, w.shape[1], group_size):
        part = w[:, start : start + group_size]
        low = np.minimum(0, part.min(axis=1))[:, None]
        high = np.maximum(0, part.max(axis=1))[:, None]
        step = np.where(high > low, (high - low) / top, 1.0)
        zero = np.round(-low / step)
        w[:, start : start + group_size] = (
            np.clip(np.round(part / step) + zero, 0, top) - zero
        ) * step
    return w


def awq(mean_abs, alpha: float) -> np.ndarray:
    """AWQ's scales (K,); 1 where mean_abs is 0, which takes no part in the normalisation."""
    powers = [float(m) ** alpha for m in mean_abs if m > 0]
    norm = (max(powers) * min(powers)) ** 0.5 if powers else 1.0
    return np.array([float(m) ** alpha / norm if m > 0 else 1.0 for m in mean_abs])


def awq_errors(w, x, bits: int, group_size: int, grid: int) -> np.ndarray:
    """Mean squared output error for each exponent k / grid, (grid + 1,)."""
    w, x = np.asarray(w, np.float64), np.asarray(x, np.float64)
    importance = np.abs(x).sum(axis=0) / len(x)
    out = []
    for k in range(grid + 1):
        s = awq(importance, k / grid)
        # The same product with the scales on the weights' side: X (Q(W s) / s)^T.
        effective = group_round_trip(w * s, bits, group_size) / s
        out.append(float(np.mean((x @ (effective - w).T) ** 2)))
    return np.array(out)


def smooth(x_amax, weights, alpha: float) -> np.ndarray:
    """SmoothQuant's factors (K,), through logarithms; 1 where either maximum is 0."""
    x_amax = np.asarray(x_amax, np.float64)
    w_amax = np.max([np.abs(w).max(axis=0) for w in weights], axis=0)
    s = np.ones(len(x_amax))
    for j, (a, b) in enumerate(zip(x_amax, w_amax, strict=True)):
        if a > 0 and b > 0:
            s[j] = np.exp(alpha * np.log(a) - (1 - alpha) * np.log(b))
    return s


def integer_linear(x, w, s, weight_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of code products, int64 (n, R), and the outputs that they stand for, float64."""
    x, w = np.asarray(x, np.float64) / s, np.asarray(w, np.float64) * s
    x_scale = symmetric.scale_of(np.abs(x).max(axis=1, keepdims=True), 8)
    w_scale = symmetric.scale_of(np.abs(w).max(axis=1, keepdims=True), weight_bits)
    x_codes = symmetric.codes_of(x, x_scale, 8).astype(np.int64)
    w_codes = symmetric.codes_of(w, w_scale, weight_bits).astype(np.int64)
    acc = x_codes @ w_codes.T
    return acc, acc * x_scale * w_scale.T


def smooth_error(calibration, x, w, alpha: float | None, weight_bits: int) -> float:
    """Relative output error of `integer_linear` on x; alpha None is no smoothing."""
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    amax = np.abs(np.asarray(calibration, np.float64)).max(axis=0)
    s = np.ones(w.shape[1]) if alpha is None else smooth(amax, [w], alpha)
    wanted = x @ w.T
    got = integer_linear(x, w, s, weight_bits)[1]
    return float(np.sqrt(np.sum((got - wanted) ** 2) / np.sum(wanted**2)))
