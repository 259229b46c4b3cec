"""Statistics of samples of time in exact arithmetic, for the checks of module 1.6."""

from fractions import Fraction
from functools import cache
from itertools import accumulate
from math import comb


def median(values) -> Fraction:
    """The median; of an even count the mean of the two in the middle."""
    ordered = sorted(values)
    middle = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return (Fraction(middle[0]) + Fraction(middle[1])) / 2


def nearest_rank(values, percent: int) -> Fraction:
    """The smallest value that at least `percent` of 100 of the values do not exceed."""
    ordered = sorted(values)
    return Fraction(next(v for k, v in enumerate(ordered, 1) if 100 * k >= percent * len(ordered)))


@cache
def _at_most(n: int, percent: int) -> tuple[int, ...]:
    """100^n P(B <= k) of B ~ Bin(n, percent / 100), k = 0..n, whole numbers."""
    terms = (comb(n, k) * percent**k * (100 - percent) ** (n - k) for k in range(n + 1))
    return tuple(accumulate(terms))


def interval_ranks(n: int, percent: int, half: Fraction) -> tuple[int | None, int | None]:
    """The ranks l and u, counted from 1, or None: the largest l with P(B <= l - 1) <= half, the smallest
    u with P(B >= u) <= half."""
    below, whole = _at_most(n, percent), 100**n
    limit = half * whole
    low = [rank for rank in range(1, n + 1) if below[rank - 1] <= limit]
    high = [rank for rank in range(1, n + 1) if whole - below[rank - 1] <= limit]
    return (low[-1] if low else None), (high[0] if high else None)
