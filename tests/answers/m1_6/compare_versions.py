"""Answers to compare-versions."""

import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(rounds, draws, confidence, checks="stdc"):
    if "s" in checks and (rounds.ndim != 2 or rounds.shape[1] != 2 or not len(rounds)):
        raise ValueError("rounds")
    if "t" in checks and not (rounds > 0).all():
        raise ValueError("times")
    if "d" in checks and (draws.ndim != 2 or draws.shape[1] != len(rounds) or not len(draws)):
        raise ValueError("draws")
    if "c" in checks and not 0 < confidence < 1:
        raise ValueError("confidence")


def _verdict(speedup, low, high):
    return "faster" if low > 1 else "slower" if high < 1 else "no difference shown"


def _ratio(rows):
    """Median of column 0 by median of column 1, over the rounds, the axis before the last."""
    return np.median(rows[..., 0], axis=-1) / np.median(rows[..., 1], axis=-1)


def _model(rounds, draws, confidence, *, checks="stdc", ratio=_ratio, pick=None, ends=None, half=None,
           verdict=_verdict, speedup=None):  # fmt: skip
    _refuse(rounds, draws, confidence, checks)
    resampled = pick(rounds, draws) if pick else rounds[draws]
    ratios = ratio(resampled)
    alpha = (1 - confidence) / 2 if half is None else half(confidence)
    low, high = (ends or np.quantile)(ratios, [alpha, 1 - alpha])
    middle = float(speedup(rounds, ratios) if speedup else ratio(rounds))
    return middle, float(low), float(high), verdict(middle, low, high)


@right("a loop over resamples")
def by_loop(rounds_ms, draws, confidence=0.95):
    _refuse(rounds_ms, draws, confidence)
    ratios = []
    for row in draws:
        old = statistics.median(float(rounds_ms[r, 0]) for r in row)
        new = statistics.median(float(rounds_ms[r, 1]) for r in row)
        ratios.append(old / new)
    low = np.percentile(ratios, 50 * (1 - confidence))
    high = np.percentile(ratios, 100 - 50 * (1 - confidence))
    speedup = np.median(rounds_ms[:, 0]) / np.median(rounds_ms[:, 1])
    return speedup, low, high, _verdict(speedup, low, high)


@right("columns apart, the same draws")
def by_columns(rounds_ms, draws, confidence=0.95):
    if rounds_ms.ndim != 2 or draws.ndim != 2:
        raise ValueError("two dimensions")
    if (
        rounds_ms.shape[1] != 2
        or draws.shape[1] != rounds_ms.shape[0]
        or rounds_ms.size * draws.size == 0
    ):
        raise ValueError("shapes")
    if rounds_ms.min() <= 0 or confidence <= 0 or confidence >= 1:
        raise ValueError("values")
    old, new = rounds_ms.T
    ratios = np.sort(np.median(old[draws], axis=1) / np.median(new[draws], axis=1))
    place = (len(ratios) - 1) * (1 - confidence) / 2
    index = np.arange(len(ratios))
    low, high = np.interp(place, index, ratios), np.interp(len(ratios) - 1 - place, index, ratios)
    return [np.median(old) / np.median(new), low, high, _verdict(0, low, high)]


@wrong("new-by-old", "Speed-up is old by new: above 1 is faster.")
def inverse(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence,
                  ratio=lambda r: np.median(r[..., 1], -1) / np.median(r[..., 0], -1))  # fmt: skip


@wrong("means", "Take medians: a disturbed round moves a mean.")
def means(rounds_ms, draws, confidence=0.95):
    return _model(
        rounds_ms, draws, confidence, ratio=lambda r: r[..., 0].mean(-1) / r[..., 1].mean(-1)
    )


@wrong("minima", "Take medians, not minima.")
def minima(rounds_ms, draws, confidence=0.95):
    return _model(
        rounds_ms, draws, confidence, ratio=lambda r: r[..., 0].min(-1) / r[..., 1].min(-1)
    )


@wrong("median-of-ratios", "Ratio of the medians, not median of the ratios of each round.")
def of_ratios(rounds_ms, draws, confidence=0.95):
    return _model(
        rounds_ms, draws, confidence, ratio=lambda r: np.median(r[..., 0] / r[..., 1], -1)
    )


@wrong("median-low", "The median of an even count is the mean of the two in the middle.")
def low_median(rounds_ms, draws, confidence=0.95):
    def ratio(r):
        ordered = np.sort(r, axis=-2)[..., (r.shape[-2] - 1) // 2, :]
        return ordered[..., 0] / ordered[..., 1]

    return _model(rounds_ms, draws, confidence, ratio=ratio)


@wrong("saved-time", "Speed-up is a ratio, not the share of time saved.")
def saved(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, ratio=lambda r: 1 - 1 / _ratio(r))


@wrong("new-not-resampled", "A draw picks rounds: the same rows of both versions.")
def old_only(rounds_ms, draws, confidence=0.95):
    def pick(rounds, draws):
        return np.stack([rounds[draws, 0], np.broadcast_to(rounds[:, 1], draws.shape)], axis=-1)

    return _model(rounds_ms, draws, confidence, pick=pick)


@wrong(
    "rounds-torn-apart", "Old and new of one round belong together: use the same draws for both."
)
def torn(rounds_ms, draws, confidence=0.95):
    def pick(rounds, draws):
        return np.stack([rounds[draws, 0], rounds[np.roll(draws, 1, axis=0), 1]], axis=-1)

    return _model(rounds_ms, draws, confidence, pick=pick)


@wrong("draws-along-columns", "Each row of draws is a resample, not each column.")
def transposed(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, pick=lambda rounds, draws: rounds[draws.T])


@wrong("own-draws", "Use the draws that are handed in.")
def own_draws(rounds_ms, draws, confidence=0.95):
    def pick(rounds, draws):
        again = np.random.default_rng(0).integers(0, len(rounds), draws.shape)
        return rounds[again]

    return _model(rounds_ms, draws, confidence, pick=pick)


@wrong("whole-alpha-each-end", "Half of alpha belongs to each end.")
def whole_alpha(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, half=lambda c: 1 - c)


@wrong("confidence-ignored", "Use the confidence that is given.")
def fixed(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, half=lambda c: 0.025)


@wrong("nearest-rank", "Interpolate between resampled speed-ups, as np.quantile does.")
def nearest(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence,
                  ends=lambda ratios, q: np.quantile(ratios, q, method="inverted_cdf"))  # fmt: skip


@wrong("ends-swapped", "low comes first.")
def ends_swapped(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, ends=lambda ratios, q: np.quantile(ratios, q)[::-1],
                  verdict=lambda s, low, high: _verdict(s, high, low))  # fmt: skip


@wrong(
    "standard-errors",
    "The interval is made of quantiles of the resamples, not of standard deviations.",
)
def standard_errors(rounds_ms, draws, confidence=0.95):
    def ends(ratios, q):
        return ratios.mean() - 1.96 * ratios.std(), ratios.mean() + 1.96 * ratios.std()

    return _model(rounds_ms, draws, confidence, ends=ends)


@wrong(
    "spread-of-rounds",
    "That is where single rounds lie, not how far the ratio of medians is known.",
)
def of_rounds(rounds_ms, draws, confidence=0.95):
    found = _model(rounds_ms, draws, confidence)
    low, high = np.quantile(
        rounds_ms[:, 0] / rounds_ms[:, 1], [(1 - confidence) / 2, (1 + confidence) / 2]
    )
    return found[0], float(low), float(high), _verdict(found[0], low, high)


@wrong(
    "mean-of-resamples", "The speed-up comes from the rounds themselves, not from the resamples."
)
def mean_of_resamples(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, speedup=lambda rounds, ratios: np.mean(ratios))


@wrong("verdict-from-the-ratio", "The verdict comes from the interval: is 1 inside?")
def by_ratio(rounds_ms, draws, confidence=0.95):
    return _model(
        rounds_ms, draws, confidence, verdict=lambda s, low, high: "faster" if s > 1 else "slower"
    )


@wrong("verdict-turned", "low above 1 is faster, high below 1 slower.")
def turned(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence,
                  verdict=lambda s, low, high: _verdict(s, 1 / high, 1 / low))  # fmt: skip


@wrong("verdict-at-one", "An end equal to 1 shows no difference.")
def at_one(rounds_ms, draws, confidence=0.95):
    def verdict(s, low, high):
        return "faster" if low >= 1 else "slower" if high < 1 else "no difference shown"

    return _model(rounds_ms, draws, confidence, verdict=verdict)


@wrong("never-slower", 'high below 1 is "slower", not "no difference shown".')
def never_slower(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence,
                  verdict=lambda s, low, high: "faster" if low > 1 else "no difference shown")  # fmt: skip


@wrong("shape-not-checked", "rounds_ms that is not (rounds, 2), or empty, must raise ValueError.")
def any_shape(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, checks="tdc")


@wrong("times-not-checked", "A time that is not above 0 must raise ValueError.")
def any_times(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, checks="sdc")


@wrong(
    "draws-not-checked", "draws that are not (resamples, rounds), or none, must raise ValueError."
)
def any_draws(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, checks="stc")


@wrong("confidence-not-checked", "A confidence outside (0, 1) must raise ValueError.")
def any_confidence(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence, checks="std")


@wrong("faster-by-the-ratio", "The whole interval must lie above 1, not the speed-up alone.")
def faster_by_ratio(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence,
                  verdict=lambda s, low, high: "faster" if s > 1 else _verdict(s, low, high))  # fmt: skip


@wrong("one-column-accepted", "rounds_ms has exactly two columns: one must raise ValueError.")
def one_column(rounds_ms, draws, confidence=0.95):
    if rounds_ms.ndim == 2 and rounds_ms.shape[1] == 1:
        rounds_ms = np.repeat(rounds_ms, 2, axis=1)
    return _model(rounds_ms, draws, confidence)


@wrong("percent-accepted", "A confidence of 95 must raise ValueError: it lies between 0 and 1.")
def percent(rounds_ms, draws, confidence=0.95):
    return _model(rounds_ms, draws, confidence / 100 if confidence > 1 else confidence)
