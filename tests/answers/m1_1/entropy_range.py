"""Answers to entropy-range."""

import numpy as np

from autograder.checks.bank import right, wrong


def _counts(x, bins):
    amax = float(np.abs(x).max())
    if amax == 0:
        raise ValueError("zeros have no range")
    return np.histogram(np.abs(x), bins=bins, range=(0, amax))[0].astype(float), amax


def _kl(p, q):
    if q.sum() == 0:
        return np.inf
    p, q = p / p.sum(), q / q.sum()
    on = p > 0
    if (q[on] == 0).any():
        return np.inf
    return float((p[on] * np.log(p[on] / q[on])).sum())


def _merge(inside, levels, *, level=None, filled=None):
    """Q from the kept counts: sum into levels, share among the filled bins of each."""
    i = len(inside)
    level = np.arange(i) * levels // i if level is None else level
    filled = inside > 0 if filled is None else filled
    total = np.bincount(level, weights=inside)
    share = total / np.maximum(np.bincount(level, weights=filled), 1)
    return np.where(filled, share[level], 0.0)


def _search(
    x, bits=8, bins=2048, *, counts=_counts, levels=None, p=None, q=None, kl=_kl,
    stop=0, threshold=lambda i, width: i * width,
):  # fmt: skip
    """The right answer with one thing replaced."""
    counts, amax = counts(x, bins)
    levels = levels(bits) if levels else 2 ** (bits - 1)
    found = []
    for i in range(levels, bins + 1 - stop):
        inside = counts[:i]
        clipped = inside.copy()
        clipped[-1] += counts[i:].sum()
        clipped = p(inside, counts[i:]) if p else clipped
        merged = q(inside, clipped, levels) if q else _merge(inside, levels)
        found.append(kl(clipped, merged))
    found = np.array(found)
    best = levels + int(found.argmin())
    return float(threshold(best, amax / bins)), found


@right("bincount")
def by_bincount(x, bits=8, bins=2048):
    return _search(x, bits, bins)


@right("scipy.stats.entropy and integer bins by floor")
def by_scipy(x, bits=8, bins=2048):
    from scipy.stats import entropy

    a = np.abs(x.astype(np.float64)).ravel()
    if not a.any():
        raise ValueError("all zero")
    index = np.minimum((a * bins / a.max()).astype(int), bins - 1)
    counts = np.bincount(index, minlength=bins)
    levels = 2 ** (bits - 1)
    out = []
    for i in range(levels, bins + 1):
        keep = counts[:i]
        level = np.arange(i) * levels // i
        total, filled = np.zeros(levels), np.zeros(levels)
        np.add.at(total, level, keep)
        np.add.at(filled, level, keep > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            q = np.where(keep > 0, (total / filled)[level], 0)
        p = keep.astype(float)
        p[-1] += counts[i:].sum()
        out.append(entropy(p, q) if q.sum() else np.inf)
    return (levels + np.argmin(out)) * a.max() / bins, np.array(out)


@right("level by level, cumulative sums")
def by_level(x, bits=8, bins=2048):
    counts, amax = _counts(x, bins)
    levels = 1 << (bits - 1)
    mass = np.concatenate([[0], np.cumsum(counts)])
    some = np.concatenate([[0], np.cumsum(counts > 0)])
    found = np.full(bins - levels + 1, np.inf)
    for n, i in enumerate(range(levels, bins + 1)):
        if counts[i - 1] == 0 and mass[-1] > mass[i]:
            continue
        if mass[i] == 0:
            continue
        edge = np.array([-(-lv * i // levels) for lv in range(levels + 1)])
        filled = np.diff(some[edge])
        share = np.diff(mass[edge]) / np.where(filled, filled, 1)
        q = np.repeat(share, np.diff(edge)) / mass[i]
        p = counts[:i].copy()
        p[-1] += mass[-1] - mass[i]
        on = p > 0
        p = p[on] / mass[-1]
        found[n] = np.sum(p * (np.log(p) - np.log(q[on])))
    return amax * (levels + int(np.argmin(found))) / bins, found


@wrong("kl-reversed", "You computed KL(Q || P); the reference P comes first: sum of P ln(P / Q).")
def kl_reversed(x, bits=8, bins=2048):
    return _search(x, bits, bins, kl=lambda p, q: _kl(q, p) if q.sum() else np.inf)


@wrong(
    "outliers-not-added",
    "P lacks the clipped values; they all land in the last bin, so add their count to P[i-1].",
)
def outliers_not_added(x, bits=8, bins=2048):
    return _search(x, bits, bins, p=lambda inside, outside: inside.copy())


@wrong(
    "outliers-in-q",
    "You merged P, outliers included, into Q; Q is made of the kept counts alone.",
)
def outliers_in_q(x, bits=8, bins=2048):
    return _search(x, bits, bins, q=lambda inside, p, levels: _merge(p, levels))


@wrong(
    "q-over-empty-bins",
    "You shared each level among all its bins; share it among the bins that hold values.",
)
def q_over_empty_bins(x, bits=8, bins=2048):
    def everywhere(inside, p, n):
        return _merge(inside, n, filled=np.ones(len(inside), bool))

    return _search(x, bits, bins, q=everywhere)


@wrong(
    "filled-after-clipping",
    "You looked for empty bins in P, where the clipped values are in; look in the counts before that.",
)
def filled_after_clipping(x, bits=8, bins=2048):
    return _search(x, bits, bins, q=lambda inside, p, levels: _merge(inside, levels, filled=p > 0))


@wrong("twice-the-levels", "You used 2**bits levels; |x| has only 2**(bits - 1) of them.")
def twice_the_levels(x, bits=8, bins=2048):
    return _search(x, bits, bins, levels=lambda bits: min(2**bits, bins))


@wrong("qmax-levels", "You used 2**(bits - 1) - 1 levels; the exercise says 2**(bits - 1).")
def qmax_levels(x, bits=8, bins=2048):
    return _search(x, bits, bins, levels=lambda bits: 2 ** (bits - 1) - 1)


@wrong("bits-ignored", "You used 128 levels in every case; use the argument `bits`.")
def bits_ignored(x, bits=8, bins=2048):
    amax, found = _search(x, 8 if bins >= 128 else bits, bins)
    return amax, found


@wrong("last-threshold-missing", "You left out i = bins, the candidate that clips nothing.")
def last_threshold_missing(x, bits=8, bins=2048):
    if bins == 2 ** (bits - 1):
        return _search(x, bits, bins)
    return _search(x, bits, bins, stop=1)


@wrong("half-a-bin-more", "You returned (i + 0.5) * width; i bins end at i * width.")
def half_a_bin_more(x, bits=8, bins=2048):
    return _search(x, bits, bins, threshold=lambda i, width: (i + 0.5) * width)


@wrong("one-bin-less", "You returned the lower edge of the last kept bin; i bins end at i * width.")
def one_bin_less(x, bits=8, bins=2048):
    return _search(x, bits, bins, threshold=lambda i, width: (i - 1) * width)


@wrong("index-for-threshold", "You returned argmin * width; entry 0 keeps `levels` bins, not 0.")
def index_for_threshold(x, bits=8, bins=2048):
    levels = 2 ** (bits - 1)
    return _search(x, bits, bins, threshold=lambda i, width: (i - levels) * width)


@wrong("histogram-of-x", "You counted x from -amax to amax; count |x| from 0 to amax.")
def histogram_of_x(x, bits=8, bins=2048):
    def counts(x, bins):
        amax = _counts(x, bins)[1]
        return np.histogram(x, bins=bins, range=(-amax, amax))[0].astype(float), amax

    return _search(x, bits, bins, counts=counts)


@wrong(
    "histogram-from-the-minimum",
    "np.histogram begins at min|x| unless you give range=(0, amax).",
)
def histogram_from_the_minimum(x, bits=8, bins=2048):
    def counts(x, bins):
        _, amax = _counts(x, bins)
        return np.histogram(np.abs(x), bins=bins)[0].astype(float), amax

    return _search(x, bits, bins, counts=counts)


@wrong(
    "counts-overwritten",
    "P = counts[:i] is a view, so adding the outliers changed counts itself; copy first.",
)
def counts_overwritten(x, bits=8, bins=2048):
    counts, amax = _counts(x, bins)
    levels = 2 ** (bits - 1)
    found = []
    for i in range(levels, bins + 1):
        q = _merge(counts[:i].copy(), levels)
        p = counts[:i]
        p[-1] += counts[i:].sum()
        found.append(_kl(p, q))
    found = np.array(found)
    return (levels + int(found.argmin())) * amax / bins, found


@wrong(
    "rest-in-the-last-level",
    "You merged i // levels bins at a time and the rest into the last level; "
    "bin j belongs to level j * levels // i.",
)
def rest_in_the_last_level(x, bits=8, bins=2048):
    def merge(inside, p, levels):
        i = len(inside)
        return _merge(inside, levels, level=np.minimum(np.arange(i) // (i // levels), levels - 1))

    return _search(x, bits, bins, q=merge)


@wrong(
    "array-split", "np.array_split puts the longer parts first; bin j has level j * levels // i."
)
def array_split(x, bits=8, bins=2048):
    def merge(inside, p, levels):
        parts = np.array_split(np.arange(len(inside)), levels)
        return _merge(inside, levels, level=np.repeat(np.arange(levels), [len(s) for s in parts]))

    return _search(x, bits, bins, q=merge)


@wrong("not-normalised", "P and Q are counts; divide each by its sum before the logarithm.")
def not_normalised(x, bits=8, bins=2048):
    def kl(p, q):
        on = p > 0
        if (q[on] == 0).any():
            return np.inf
        return float((p[on] * np.log(p[on] / q[on])).sum())

    return _search(x, bits, bins, kl=kl)


@wrong("log2", "You used log2 (bits); the exercise asks for nats, the natural logarithm.")
def log2(x, bits=8, bins=2048):
    return _search(x, bits, bins, kl=lambda p, q: _kl(p, q) / np.log(2))


@wrong("smoothed", "You added a small number to Q; where Q is 0 and P is not, KL is infinite.")
def smoothed(x, bits=8, bins=2048):
    return _search(x, bits, bins, kl=lambda p, q: _kl(p, q + 1e-4))


@wrong("zero-q-skipped", "You skipped the bins where Q is 0; if P has mass there, KL is infinite.")
def zero_q_skipped(x, bits=8, bins=2048):
    def kl(p, q):
        if q.sum() == 0:
            return 0.0
        p, q = p / p.sum(), q / q.sum()
        on = (p > 0) & (q > 0)
        return float((p[on] * np.log(p[on] / q[on])).sum())

    return _search(x, bits, bins, kl=kl)


@wrong(
    "largest-divergence", "You took the largest divergence; the best threshold has the smallest."
)
def largest_divergence(x, bits=8, bins=2048):
    amax, found = _search(x, bits, bins)
    levels = 2 ** (bits - 1)
    finite = np.where(np.isinf(found), -1, found)
    return (levels + int(finite.argmax())) * float(np.abs(x).max()) / bins, found


@wrong(
    "last-of-equals", "Two thresholds are equally good and you took the larger; take the smallest."
)
def last_of_equals(x, bits=8, bins=2048):
    _, found = _search(x, bits, bins)
    best = bins - int(found[::-1].argmin())
    return best * float(np.abs(x).max()) / bins, found


@wrong(
    "large-for-infinite", "You wrote a large number where the divergence is infinite; use np.inf."
)
def large_for_infinite(x, bits=8, bins=2048):
    amax, found = _search(x, bits, bins)
    return amax, np.where(np.isinf(found), 1e9, found)


@wrong(
    "bin-0-overwritten",
    "You overwrote bin 0 with bin 1, as NVIDIA's code does; here every count stays.",
)
def bin_0_overwritten(x, bits=8, bins=2048):
    def counts(x, bins):
        found, amax = _counts(x, bins)
        found[0] = found[1]
        return found, amax

    return _search(x, bits, bins, counts=counts)


@wrong(
    "zeros-left-out",
    "You left the zeros out of the histogram: they are values too and belong to bin 0.",
)
def zeros_left_out(x, bits=8, bins=2048):
    return _search(x[x != 0] if x.any() else x, bits, bins)


@wrong(
    "bin-0-overwritten",
    "You gave bin 0 the count of bin 1, as one implementation does: the algorithm here keeps it.",
)
def bin_zero_overwritten(x, bits=8, bins=2048):
    def counts(x, bins):
        found, amax = _counts(x, bins)
        found[0] = found[1]
        return found, amax

    return _search(x, bits, bins, counts=counts)
