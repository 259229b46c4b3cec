"""Answers to opt-gain."""

import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _arrays(before_ms, after_ms):
    before, after = np.asarray(before_ms, float), np.asarray(after_ms, float)
    times = np.concatenate([before, after])
    if (
        before.shape != after.shape
        or before.size < 5
        or not (np.isfinite(times) & (times > 0)).all()
    ):
        raise ValueError("five or more rounds of both, above 0")
    return before, after


def _gain(before_ms, after_ms, resamples, seed, middle=np.median, shares=(0.025, 0.975), paired=True,
          replace=True, check=_arrays):  # fmt: skip
    before, after = check(before_ms, after_ms)
    rng, n = np.random.default_rng(seed), len(before)
    if replace:
        first = rng.integers(n, size=(resamples, n))
    else:
        first = np.array([rng.permutation(n) for _ in range(resamples)])
    second = first if paired else rng.integers(n, size=(resamples, n))
    ratios = middle(before[first], axis=1) / middle(after[second], axis=1)
    return (float(middle(before) / middle(after)), *(float(v) for v in np.quantile(ratios, shares)))


@right("NumPy, all resamples at once")
def by_numpy(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, seed)


@right("a loop with the statistics module")
def by_loop(before_ms, after_ms, resamples=1000, seed=0):
    _arrays(before_ms, after_ms)
    n = len(before_ms)
    picked = np.random.default_rng(seed).integers(0, n, (resamples, n)).tolist()
    middle = statistics.median
    ratios = [middle(before_ms[i] for i in p) / middle(after_ms[i] for i in p) for p in picked]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return [middle(before_ms) / middle(after_ms), low, high]


@wrong("means", "One busy moment moves a mean far: take medians.")
def means(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, seed, middle=np.mean)


@wrong(
    "fastest-runs", "Minima are single lucky rounds, and say nothing of the spread: take medians."
)
def fastest(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, seed, middle=np.min)


@wrong("inverted", "The gain is before over after: above 1 is faster.")
def inverted(before_ms, after_ms, resamples=1000, seed=0):
    _arrays(before_ms, after_ms)
    return _gain(after_ms, before_ms, resamples, seed)


@wrong("median-of-ratios", "The ratio of the medians was asked, not the median of the ratios.")
def of_ratios(before_ms, after_ms, resamples=1000, seed=0):
    before, after = _arrays(before_ms, after_ms)
    return _gain(before / after, np.ones(len(before)), resamples, seed)


@wrong("rounds-torn-apart", "A round's two times belong together: draw the same rounds for both.")
def unpaired(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, seed, paired=False)


@wrong("ninety-percent", "The 95 % interval lies between the quantiles 0.025 and 0.975.")
def ninety(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, seed, shares=(0.05, 0.95))


@wrong(
    "drawn-without-replacement",
    "All rounds in another order are the same rounds: draw with replacement.",
)
def shuffled(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, seed, replace=False)


@wrong("spread-of-rounds", "That is the spread of single rounds, not of the median's ratio.")
def spread(before_ms, after_ms, resamples=1000, seed=0):
    before, after = _arrays(before_ms, after_ms)
    return (
        float(np.median(before) / np.median(after)),
        *np.quantile(before / after, [0.025, 0.975]),
    )


@wrong("seed-ignored", "Draw from `np.random.default_rng(seed)`, so that a report can be repeated.")
def seed_ignored(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, 12345)


@wrong("resamples-ignored", "The number of resamples is an argument.")
def resamples_ignored(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, 1000, seed)


@wrong("another-default", "Left out, `resamples` is 1000 and `seed` 0.")
def another_default(before_ms, after_ms, resamples=100, seed=0):
    return _gain(before_ms, after_ms, resamples, seed)


@wrong("high-before-low", "First the lower end, then the upper one.")
def swapped(before_ms, after_ms, resamples=1000, seed=0):
    return _gain(before_ms, after_ms, resamples, seed, shares=(0.975, 0.025))


@wrong("difference", "A gain is a ratio; that is milliseconds saved.")
def difference(before_ms, after_ms, resamples=1000, seed=0):
    before, after = _arrays(before_ms, after_ms)
    _, low, high = _gain(before, after, resamples, seed)
    return float(np.median(before) - np.median(after)), low, high


@wrong(
    "no-refusal",
    "Lists of different lengths, too few rounds and times that are not above 0 are refused.",
)
def no_refusal(before_ms, after_ms, resamples=1000, seed=0):
    def cut(before, after):
        n = min(len(before), len(after)) or 1
        return np.array([*before, 1.0])[:n], np.array([*after, 1.0])[:n]

    return _gain(before_ms, after_ms, resamples, seed, check=cut)
