"""Answers to percentile-range."""

import numpy as np

from autograder.checks.bank import right, wrong


@right("np.percentile of magnitudes")
def by_numpy(x, percentile=99.9):
    return np.percentile(np.abs(x), percentile)


@right("sorted list, linear by hand")
def by_hand(x, percentile=99.9):
    ranked = np.sort(np.abs(x), axis=None).astype(float)
    rank = (ranked.size - 1) * percentile / 100
    below = int(rank)
    above = min(below + 1, ranked.size - 1)
    part = rank - below
    return float((1 - part) * ranked[below] + part * ranked[above])


@right("torch.quantile")
def by_torch(x, percentile=99.9):
    import torch

    return torch.quantile(torch.tensor(x).abs().double().flatten(), percentile / 100).item()


@right("np.interp over ranks")
def by_interp(x, percentile=99.9):
    ranked = sorted(abs(float(v)) for v in x.flat)
    return np.interp(percentile / 100 * (len(ranked) - 1), range(len(ranked)), ranked)


@wrong("signed-values", "You took the percentile of x; take it of |x|, for the range is symmetric.")
def signed_values(x, percentile=99.9):
    return float(np.percentile(x, percentile))


@wrong(
    "abs-after-percentile",
    "You took the percentile of x and then its magnitude; the magnitudes come first.",
)
def abs_after_percentile(x, percentile=99.9):
    return float(abs(np.percentile(x, percentile)))


@wrong(
    "two-tails",
    "You took the larger of the two tails of x; the exercise ranks the magnitudes of all values.",
)
def two_tails(x, percentile=99.9):
    return float(max(abs(np.percentile(x, percentile)), abs(np.percentile(x, 100 - percentile))))


@wrong("fraction", "You gave np.percentile a fraction; it wants 0 to 100, np.quantile 0 to 1.")
def fraction(x, percentile=99.9):
    return float(np.percentile(np.abs(x), percentile / 100))


@wrong("lower", "You took the value below; interpolate linearly between the two neighbours.")
def lower(x, percentile=99.9):
    return float(np.percentile(np.abs(x), percentile, method="lower"))


@wrong("higher", "You took the value above; interpolate linearly between the two neighbours.")
def higher(x, percentile=99.9):
    return float(np.percentile(np.abs(x), percentile, method="higher"))


@wrong("nearest", "You took the nearest value; interpolate linearly between the two neighbours.")
def nearest(x, percentile=99.9):
    return float(np.percentile(np.abs(x), percentile, method="nearest"))


@wrong(
    "count-for-rank",
    "You looked up sorted[int(n * percentile / 100)]; the rank is (n - 1) * percentile / 100, "
    "and fractions interpolate.",
)
def count_for_rank(x, percentile=99.9):
    ranked = np.sort(np.abs(x), axis=None)
    return float(ranked[min(int(ranked.size * percentile / 100), ranked.size - 1)])


@wrong("share-of-max", "You took a share of the maximum; a percentile counts values.")
def share_of_max(x, percentile=99.9):
    return float(np.abs(x).max() * percentile / 100)


@wrong("max", "You returned the maximum; the percentile cuts the largest values off.")
def maximum(x, percentile=99.9):
    return float(np.abs(x).max())


@wrong("other-side", "You returned the percentile counted from the top; 99.9 keeps 99.9 %.")
def other_side(x, percentile=99.9):
    return float(np.percentile(np.abs(x), 100 - percentile))


@wrong("per-column", "You took percentiles along one axis; rank all values together.")
def per_column(x, percentile=99.9):
    return float(np.max(np.percentile(np.abs(x), percentile, axis=0)))


@wrong("zeros-left-out", "You left the zeros out; every value counts, zeros too.")
def zeros_left_out(x, percentile=99.9):
    a = np.abs(x)
    return float(np.percentile(a[a > 0], percentile))


@wrong("percentile-ignored", "Your percentile is always 99.9; use the argument.")
def percentile_ignored(x, percentile=99.9):
    return float(np.percentile(np.abs(x), 99.9))


@wrong(
    "normal-distribution",
    "You assumed a normal distribution; count the values that are there.",
)
def normal_distribution(x, percentile=99.9):
    from scipy.stats import norm

    return float(np.std(x) * norm.ppf(0.5 + percentile / 200))


@wrong("sorts-in-place", "You sorted x itself; sort a copy.")
def sorts_in_place(x, percentile=99.9):
    answer = float(np.percentile(np.abs(x), percentile))
    x.reshape(-1).sort()
    x[...] = np.abs(x)
    return answer
