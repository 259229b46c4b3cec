"""GPTQ without Cholesky: Optimal Brain Quantization with the columns in a fixed order, float64.

Frantar and Alistarh 2022, "Optimal Brain Compression", section 4: to quantize weight j costs least
when the weights not yet quantized, R, move by -(w_j - q_j) / [H_R^-1]_jj * [H_R^-1]_j. Here the
inverse of the remaining Hessian H_R is taken anew for every column: slow, and nothing to go wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MARGIN = 1e-3  # in steps: no code and no zero-point hangs on a rounding nearer to a tie than this


@dataclass
class Solved:
    """codes (R, K) uint8; restored (R, K); errors (R, K), each (w_j - q_j) / sqrt([H_R^-1]_jj);
    scales, zeros (R, G); margin (R,): the least distance of a row's roundings from a tie, steps."""

    codes: np.ndarray
    restored: np.ndarray
    errors: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray
    margin: np.ndarray


def grid(w: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale, zero-point and the zero-point's distance from a tie for each row of w, each (R,)."""
    low, high = np.minimum(w.min(1), 0), np.maximum(w.max(1), 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1.0)
    return scale, np.rint(-low / scale), from_tie(-low / scale)


def from_tie(ratio: np.ndarray) -> np.ndarray:
    """Distance of each ratio from the nearest half, in steps."""
    return np.abs(ratio - np.floor(ratio) - 0.5)


def solve(
    w: np.ndarray,
    h: np.ndarray,
    bits: int,
    group_size: int | None = None,
    fixed: tuple[np.ndarray, np.ndarray] | None = None,
) -> Solved:
    """Quantize w (R, K) column by column under the Hessian h (K, K), positive definite.

    group_size: a new grid at the first column of each group, from the weights as they are then.
    fixed: scale (R,) and zero-point (R,) for all columns instead.
    """
    w = np.array(w, np.float64)
    rows, columns = w.shape
    size = columns if group_size is None else group_size
    codes, restored, errors = np.zeros(w.shape, np.uint8), np.zeros_like(w), np.zeros_like(w)
    scales, zeros, margin = [], [], np.full(rows, np.inf)
    for j in range(columns):
        if j % size == 0:
            scale, zero, apart = (
                (*fixed, np.full(rows, np.inf)) if fixed else grid(w[:, j : j + size], bits)
            )
            scales.append(scale)
            zeros.append(zero)
            margin = np.minimum(margin, apart)
        ratio = w[:, j] / scale
        margin = np.minimum(margin, from_tie(ratio))
        codes[:, j] = np.clip(np.rint(ratio) + zero, 0, 2**bits - 1)
        restored[:, j] = (codes[:, j] - zero) * scale
        unit = np.zeros(columns - j)
        unit[0] = 1
        inverse = np.linalg.solve(h[j:, j:], unit)  # the first column of H_R^-1
        lost = w[:, j] - restored[:, j]
        errors[:, j] = lost / np.sqrt(inverse[0])
        w[:, j + 1 :] -= np.outer(lost / inverse[0], inverse[1:])
    return Solved(codes, restored, errors, np.stack(scales, 1), np.stack(zeros, 1), margin)


def cholesky_of_inverse(h: np.ndarray) -> np.ndarray:
    """Upper U with inv(h) = U.T @ U, row j from the inverse of h[j:, j:], (K, K) float64."""
    columns = len(h)
    out = np.zeros((columns, columns))
    for j in range(columns):
        inverse = np.linalg.inv(h[j:, j:])
        out[j, j:] = inverse[0] / np.sqrt(inverse[0, 0])
    return out


def inputs(rng: np.random.Generator, count: int, columns: int) -> np.ndarray:
    """Correlated activations (count, columns), float64: channels of unlike size with common parts."""
    mix = rng.standard_normal((columns, columns)) * np.geomspace(1, 0.05, columns)
    x = rng.standard_normal((count, columns)) @ mix.T + 0.3 * rng.standard_normal((count, columns))
    return x * rng.permutation(np.geomspace(0.3, 3, columns))


def hessian(x: np.ndarray, percdamp: float = 0.01) -> np.ndarray:
    """2/n X^T X with percdamp times the mean of its diagonal added on the diagonal."""
    h = 2 * np.einsum("ni,nj->ij", x, x) / len(x)
    return h + percdamp * np.trace(h) / len(h) * np.eye(len(h))


def steady_rows(
    rng: np.random.Generator,
    rows: int,
    columns: int,
    margin: Callable[[np.ndarray], np.ndarray],
    draw: Callable[[np.random.Generator, int, int], np.ndarray] | None = None,
) -> np.ndarray:
    """Normal weights (rows, columns) none of whose roundings lies within MARGIN of a tie.

    margin(w) gives each row's distance. Rows do not depend on each other in GPTQ, so a row too near
    to a tie is drawn again alone.
    """
    draw = draw or (lambda rng, r, c: rng.standard_normal((r, c)) * 0.1)
    kept: list[np.ndarray] = []
    for _ in range(200):
        w = draw(rng, 2 * rows, columns)
        kept += list(w[margin(w) > MARGIN])
        if len(kept) >= rows:
            return np.array(kept[:rows])
    raise RuntimeError(f"no {rows} rows of {columns} weights stay {MARGIN} steps off every tie")


def relative_error(w: np.ndarray, restored: np.ndarray, h: np.ndarray) -> float:
    """tr(D H D^T) / tr(W H W^T) with D = w - restored."""
    lost = w - restored
    return float(np.einsum("ri,ij,rj->", lost, h, lost) / np.einsum("ri,ij,rj->", w, h, w))
