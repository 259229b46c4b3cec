"""Answers to quantile-interval."""

import math

import numpy as np
from scipy.stats import beta, binom, norm

from autograder.checks.bank import right, wrong


def _refuse(samples, percent, confidence, checks="epc"):
    if "e" in checks and not len(samples):
        raise ValueError("no samples")
    if "p" in checks and not 1 <= percent <= 99:
        raise ValueError("percent")
    if "c" in checks and not 0 < confidence < 1:
        raise ValueError("confidence")


def _ends(samples, k, u, low=0.0, high=math.inf):
    x = sorted(float(s) for s in samples)
    return (x[k - 1] if k and k >= 1 else low), (x[u - 1] if u and u <= len(x) else high)


def _ranks(n, p, half):
    below = binom.cdf(np.arange(n), n, p)  # P(B <= 0) .. P(B <= n - 1)
    return int((below <= half).sum()), n + 1 - int((1 - below <= half).sum())


def _model(samples, percent, confidence, *, checks="epc", half=None, shift=(0, 0), low=0.0, high=math.inf,
           ranks=_ranks):  # fmt: skip
    _refuse(samples, percent, confidence, checks)
    n = len(samples)
    k, u = ranks(n, percent / 100, (1 - confidence) / 2 if half is None else half(confidence))
    return _ends(samples, k + shift[0], u + shift[1], low, high)


@right("the inverse of the binomial")
def by_ppf(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    n, half = len(samples_ms), (1 - confidence) / 2
    return _ends(samples_ms, int(binom.ppf(half, n, percent / 100)),
                 int(binom.ppf(1 - half, n, percent / 100)) + 1)  # fmt: skip


@right("sums of binomial terms in a loop")
def by_terms(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    n, p, half = len(samples_ms), percent / 100, (1 - confidence) / 2

    def term(k):
        return math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
                        + k * math.log(p) + (n - k) * math.log(1 - p))  # fmt: skip

    k, total = 0, 0.0
    while k < n and total + term(k) <= half:
        total += term(k)
        k += 1
    u, total = n + 1, 0.0
    while u > 1 and total + term(u - 1) <= half:
        total += term(u - 1)
        u -= 1
    return list(_ends(samples_ms, k, u))


@right("the beta distribution of an order statistic")
def by_beta(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    n, p, half = len(samples_ms), percent / 100, (1 - confidence) / 2
    ranks = np.arange(1, n + 1)
    at_least = beta.cdf(p, ranks, n - ranks + 1)  # P(B >= rank)
    low, high = ranks[1 - at_least <= half], ranks[at_least <= half]
    return _ends(samples_ms, low[-1] if low.size else 0, high[0] if high.size else None)


@wrong("whole-alpha-each-end", "Half of alpha belongs to each end.")
def whole_alpha(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, half=lambda c: 1 - c)


@wrong("confidence-ignored", "Use the confidence that is given, not always 95 %.")
def fixed_confidence(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, half=lambda c: 0.025)


@wrong("low-rank-one-less", "low is one rank too low: ranks count from 1, indexes from 0.")
def low_shifted(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, shift=(-1, 0))


@wrong(
    "low-rank-one-more", "low is one rank too high: P(B <= l - 1) is the chance, not P(B <= l - 2)."
)
def low_above(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, shift=(1, 0))


@wrong("high-rank-one-less", "high is one rank too low: P(B >= u) is 1 - P(B <= u - 1).")
def high_shifted(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, shift=(0, -1))


@wrong("high-rank-one-more", "high is one rank too high: take the smallest u that is enough.")
def high_above(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, shift=(0, 1))


@wrong(
    "normal-approximation", "The normal approximation of the binomial is wrong far out in the tail."
)
def by_normal(samples_ms, percent, confidence=0.95):
    def ranks(n, p, half):
        z = norm.ppf(1 - half) * math.sqrt(n * p * (1 - p))
        return math.floor(n * p - z), math.ceil(1 + n * p + z)

    return _model(samples_ms, percent, confidence, ranks=ranks)


@wrong("of-the-mean", "That is an interval for the mean, not for a percentile.")
def of_the_mean(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    x = np.asarray(samples_ms, dtype=float)
    width = norm.ppf((1 + confidence) / 2) * x.std() / math.sqrt(x.size)
    return x.mean() - width, x.mean() + width


@wrong(
    "quantiles-of-the-samples",
    "The middle 95 % of the samples say where calls lie, not the percentile.",
)
def middle(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    half = (1 - confidence) / 2
    return tuple(np.quantile(samples_ms, [half, 1 - half]).tolist())


@wrong(
    "largest-for-missing", "The largest sample is no upper end while P(B >= n) is above alpha / 2."
)
def clipped_high(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, high=max(samples_ms, default=0.0))


@wrong(
    "smallest-for-missing",
    "The smallest sample is no lower end while P(B <= 0) is above alpha / 2.",
)
def clipped_low(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, low=min(samples_ms, default=0.0))


@wrong("minus-infinity", "Where there is no lower end, low is 0.0: a time is never negative.")
def minus_infinity(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, low=-math.inf)


@wrong("none-for-missing", "Where there is no upper end, high is math.inf, not None.")
def none_high(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, high=None)


@wrong(
    "p-for-one-minus-p", "p is the chance to stay below the percentile: you count the other side."
)
def other_side(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    return _model(samples_ms, 100 - percent, confidence)


@wrong("not-sorted", "Ranks are of the samples in ascending order: sort them.")
def not_sorted(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    k, u = _ranks(len(samples_ms), percent / 100, (1 - confidence) / 2)
    given = [float(x) for x in samples_ms]
    return (given[k - 1] if k else 0.0), (given[u - 1] if u <= len(given) else math.inf)


@wrong("sorted-in-place", "Sort a copy: the caller's samples keep their order.")
def in_place(samples_ms, percent, confidence=0.95):
    samples_ms.sort()
    return _model(samples_ms, percent, confidence)


@wrong("ranks-returned", "Return the samples at these ranks, not the ranks.")
def ranks_returned(samples_ms, percent, confidence=0.95):
    _refuse(samples_ms, percent, confidence)
    k, u = _ranks(len(samples_ms), percent / 100, (1 - confidence) / 2)
    return float(k), float(u)


@wrong("no-samples-accepted", "No samples must raise ValueError.")
def none_accepted(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, checks="pc")


@wrong("percent-not-checked", "A percent outside 1 to 99 must raise ValueError.")
def any_percent(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, checks="ec")


@wrong("confidence-not-checked", "A confidence outside (0, 1) must raise ValueError.")
def any_confidence(samples_ms, percent, confidence=0.95):
    return _model(samples_ms, percent, confidence, checks="ep")
