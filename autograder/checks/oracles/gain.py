"""A measured gain with its interval, from first principles: sorted lists, no quantile of NumPy's."""

import numpy as np


def median(values: list[float]) -> float:
    """The middle of the sorted values, or the mean of the two in the middle."""
    values, half = sorted(values), len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def quantile(values: list[float], share: float) -> float:
    """The point at share * (n - 1) of the sorted values, straight between its neighbours."""
    values = sorted(values)
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def gain(before, after, resamples: int, seed: int) -> tuple[float, float, float]:
    """Ratio of medians, and its 95 % interval from resampled rounds."""
    drawn = np.random.default_rng(seed).integers(len(before), size=(resamples, len(before)))
    ratios = [
        median([before[i] for i in rounds]) / median([after[i] for i in rounds]) for rounds in drawn
    ]
    return median(before) / median(after), quantile(ratios, 0.025), quantile(ratios, 0.975)
