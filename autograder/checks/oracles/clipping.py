"""The divergence of a clipped and re-binned histogram from the clipped one, for every threshold.

Migacz 2017, "8-bit inference with TensorRT" (GTC 2017), slide "Entropy calibration - pseudocode".
Segments are summed between their edges with reduceat, and the KL is SciPy's.
"""

import numpy as np


def divergences(counts: np.ndarray, levels: int) -> np.ndarray:
    """KL(P || Q) in nats for i = levels ... len(counts) bins kept, float64; inf where Q lacks mass.

    counts: (bins,) histogram of |x| from 0 to its maximum.
    """
    from scipy.special import rel_entr

    counts = np.asarray(counts, np.float64)
    out = np.empty(len(counts) - levels + 1)
    for kept in range(levels, len(counts) + 1):
        inside = counts[:kept]
        p = inside.copy()
        p[-1] += counts[kept:].sum()
        first = -(-np.arange(levels) * kept // levels)  # ceil: the first bin of each level
        total = np.add.reduceat(inside, first)
        filled = np.add.reduceat((inside > 0).astype(np.float64), first)
        share = np.divide(total, filled, out=np.zeros(levels), where=filled > 0)
        q = np.repeat(share, np.diff(np.append(first, kept))) * (inside > 0)
        out[kept - levels] = rel_entr(p / p.sum(), q / q.sum()).sum() if q.any() else np.inf
    return out
