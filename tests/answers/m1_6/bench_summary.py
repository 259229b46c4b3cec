"""Answers to bench-summary."""

import math
import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(samples, percents, checks="enip"):
    if "e" in checks and not len(samples):
        raise ValueError("no samples")
    if "n" in checks and any(x < 0 for x in samples):
        raise ValueError("negative")
    if "i" in checks and not all(math.isfinite(x) for x in samples):
        raise ValueError("not finite")
    if "p" in checks and not all(1 <= p <= 100 for p in percents):
        raise ValueError("percent")


def _rank(p, n):
    return -(-p * n // 100)


def _model(samples, percents, *, checks="enip", median=statistics.median, mad=None, mean=statistics.fmean,
           rank=_rank, least=min, percentile=None):  # fmt: skip
    _refuse(samples, percents, checks)
    x = sorted(float(s) for s in samples)
    n, middle = len(x), float(median(x))

    def at(p):
        return x[min(max(rank(p, n), 1), n) - 1]

    return {
        "count": n,
        "min": least(x),
        "mean": mean(x),
        "median": middle,
        "mad": float(mad(x, middle) if mad else median([abs(s - middle) for s in x])),
        "percentiles": {p: float((percentile or (lambda x, p: at(p)))(x, p)) for p in percents},
    }


@right("the statistics module")
def by_statistics(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents)


@right("counting samples that are not larger")
def by_counting(samples_ms, percents=(50, 90, 99)):
    _refuse(samples_ms, percents)
    x = np.array(samples_ms, dtype=float)
    median = np.median(x)

    def smallest(p):
        return min(v for v in x if 100 * np.count_nonzero(x <= v) >= p * len(x))

    return {
        "percentiles": {p: smallest(p) for p in percents},
        "mad": np.median(np.abs(x - median)),
        "median": median,
        "mean": x.mean(),
        "min": x.min(),
        "count": len(x),
        "max": x.max(),
    }


@right("ceil of an exact quotient")
def by_ceil(samples_ms, percents=(50, 90, 99)):
    return _model(list(samples_ms), percents, rank=lambda p, n: math.ceil(p * n / 100))


@wrong("interpolated-percentiles", "np.percentile interpolates; nearest rank returns a sample.")
def interpolated(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, percentile=np.percentile)


@wrong("rank-floor", "The rank is rounded up; you round it down.")
def rank_floor(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, rank=lambda p, n: p * n // 100)


@wrong(
    "rank-in-floats", "percent / 100 * n is rounded: 7 of 100 gives 7.000000000000001, and rank 8."
)
def in_floats(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, rank=lambda p, n: math.ceil(p / 100 * n))


@wrong(
    "inverted-cdf",
    "NumPy's inverted_cdf multiplies rounded fractions: its rank can be one too high.",
)
def inverted_cdf(samples_ms, percents=(50, 90, 99)):
    return _model(
        samples_ms, percents, percentile=lambda x, p: np.percentile(x, p, method="inverted_cdf")
    )


@wrong("rank-from-zero", "Ranks count from 1: the index in Python is one less.")
def from_zero(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, rank=lambda p, n: _rank(p, n) + 1)


@wrong("rank-floor-plus-one", "Where percent * n / 100 is whole, it is the rank itself.")
def floor_plus_one(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, rank=lambda p, n: p * n // 100 + 1)


@wrong("rank-rounded", "The rank is rounded up, not to nearest.")
def rank_rounded(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, rank=lambda p, n: round(p * n / 100))


@wrong("median-by-rank", "The median of an even count is the mean of the two in the middle.")
def median_low(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, median=statistics.median_low)


@wrong("mad-from-mean", "MAD: distances from the median, not from the mean.")
def mad_from_mean(samples_ms, percents=(50, 90, 99)):
    def mad(x, _):
        return statistics.median(abs(s - statistics.fmean(x)) for s in x)

    return _model(samples_ms, percents, mad=mad)


@wrong("mean-deviation", "MAD: the median of the distances, not their mean.")
def mean_deviation(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, mad=lambda x, m: statistics.fmean(abs(s - m) for s in x))


@wrong("mad-scaled", "MAD is not scaled here: leave 1.4826 away.")
def mad_scaled(samples_ms, percents=(50, 90, 99)):
    return _model(
        samples_ms, percents, mad=lambda x, m: 1.4826 * np.median(np.abs(np.array(x) - m))
    )


@wrong("standard-deviation", "You return the standard deviation as mad; one outlier moves it.")
def deviation(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, mad=lambda x, m: statistics.pstdev(x))


@wrong("iqr-for-mad", "You return half the distance of the quartiles, not the MAD.")
def quartiles(samples_ms, percents=(50, 90, 99)):
    return _model(
        samples_ms, percents, mad=lambda x, m: np.subtract(*np.percentile(x, [75, 25])) / 2
    )


@wrong("signed-distances", "Take the absolute distances from the median.")
def signed(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, mad=lambda x, m: statistics.median(s - m for s in x))


@wrong("median-for-mean", "mean is the arithmetic mean.")
def median_for_mean(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, mean=statistics.median)


@wrong("max-for-min", "min is the smallest sample.")
def max_for_min(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, least=max)


@wrong("not-sorted", "Sort before you take a rank.")
def not_sorted(samples_ms, percents=(50, 90, 99)):
    given = list(samples_ms)
    return _model(samples_ms, percents, percentile=lambda x, p: given[_rank(p, len(given)) - 1])


@wrong("sorted-in-place", "Sort a copy: the caller's samples keep their order.")
def in_place(samples_ms, percents=(50, 90, 99)):
    samples_ms.sort()
    return _model(samples_ms, percents)


@wrong("percents-ignored", "Return the percentiles that are asked for.")
def fixed_percents(samples_ms, percents=(50, 90, 99)):
    _refuse(samples_ms, percents)
    return _model(samples_ms, (50, 90, 99))


@wrong("keys-as-text", "The keys of percentiles are the percents themselves, numbers.")
def text_keys(samples_ms, percents=(50, 90, 99)):
    found = _model(samples_ms, percents)
    found["percentiles"] = {f"p{p}": value for p, value in found["percentiles"].items()}
    return found


@wrong("no-samples-accepted", "No samples must raise ValueError.")
def none_accepted(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents) if len(samples_ms) else {"count": 0}


@wrong("negative-accepted", "A negative time must raise ValueError.")
def negative(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, checks="eip")


@wrong("not-finite-accepted", "A NaN or an infinite time must raise ValueError.")
def not_finite(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, checks="enp")


@wrong("percent-not-checked", "A percent outside 1 to 100 must raise ValueError.")
def any_percent(samples_ms, percents=(50, 90, 99)):
    return _model(samples_ms, percents, checks="eni")


@wrong("single-precision", "float32 keeps seven digits: a percentile is the sample itself.")
def single(samples_ms, percents=(50, 90, 99)):
    return _model([float(np.float32(x)) for x in samples_ms], percents)
