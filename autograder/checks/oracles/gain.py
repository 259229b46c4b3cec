"""A measured gain with its interval, from first principles: sorted lists, no quantile of NumPy's."""

from functools import cache

import numpy as np

from autograder.checks.oracles.samples import median


def quantile(values: list[float], share: float) -> float:
    """The point at share * (n - 1) of the sorted values, straight between its neighbours."""
    values = sorted(values)
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def gain(before, after, resamples: int, seed: int) -> tuple[float, float, float]:
    """Ratio of medians, and its 95 % interval from resampled rounds."""
    return _gain(tuple(before), tuple(after), resamples, seed)


@cache  # a check asks for the same samples in several parts
def _gain(before: tuple, after: tuple, resamples: int, seed: int) -> tuple[float, float, float]:
    drawn = np.random.default_rng(seed).integers(len(before), size=(resamples, len(before)))
    ratios = [
        float(median([before[i] for i in rounds]) / median([after[i] for i in rounds]))
        for rounds in drawn
    ]
    return float(median(before) / median(after)), quantile(ratios, 0.025), quantile(ratios, 0.975)
