"""Lloyd's algorithm in one dimension, by scipy's compiled k-means, one round at a time.

The rule is the lesson's: 2**bits centres linearly spaced from min to max (Deep Compression, Han et
al. 2016, section 3.2), equally near goes to the lower index, an empty cluster keeps its centre.
"""

import warnings

import numpy as np


def assign(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Index of the nearest centre of each value (n,); equally near goes to the lower index."""
    from scipy.cluster.vq import vq

    return vq(values, centres, check_finite=False)[0]


def lloyd(x: np.ndarray, bits: int, max_iter: int) -> tuple[np.ndarray, np.ndarray, bool, float]:
    """At most `max_iter` rounds of assigning and moving.

    Returns centres (2**bits,) float64 ascending; codes uint8 of x's shape, for those centres;
    whether one more round would change nothing; and the least distance, over all rounds, of a value
    from the middle between two centres as a share of the range (inf where there is no such middle).
    """
    from scipy.cluster.vq import kmeans2

    values = np.asarray(x, np.float64).ravel()
    centres = np.linspace(values.min(), values.max(), 2**bits)
    margin, settled = _margin(values, centres), False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of an empty cluster, and keeps its centre
        for _ in range(max_iter):
            moved, _ = kmeans2(values, centres, iter=1, minit="matrix", check_finite=False)
            margin = min(margin, _margin(values, moved))
            if np.array_equal(moved, centres):
                settled = True
                break
            centres = moved
    codes = assign(values, centres).astype(np.uint8).reshape(np.shape(x))
    return centres, codes, settled, margin


def _margin(values: np.ndarray, centres: np.ndarray) -> float:
    span = centres[-1] - centres[0]
    middles = (centres[1:] + centres[:-1]) / 2
    if span == 0:
        return np.inf
    rank = np.sort(values)
    at = np.searchsorted(rank, middles).clip(1, len(rank) - 1) if len(rank) > 1 else [0]
    near = [min(abs(rank[i] - m), abs(rank[i - 1] - m)) for i, m in zip(at, middles, strict=False)]
    return float(min(near) / span)
