"""Statistics of calibration activations, by Python's exact sums."""

import math

import numpy as np


def mean_and_amax(batches) -> tuple[np.ndarray, np.ndarray]:
    """Mean and maximum of |x| for each column over all rows of all batches (tokens, K), float64."""
    columns = zip(
        *(row for batch in batches for row in batch.astype(np.float64).tolist()), strict=True
    )
    sizes = [[abs(v) for v in column] for column in columns]
    means = [math.fsum(column) / len(column) for column in sizes]
    return np.array(means), np.array([max(column) for column in sizes])
