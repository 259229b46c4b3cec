"""Answers to kmeans-codebook."""

import numpy as np

from autograder.checks.bank import right, wrong


def _lloyd(
    x,
    k,
    max_iter,
    start=None,
    mean=np.mean,
    nearest=None,
    on_empty=None,
    stop=None,
    dtype=np.float64,
):
    values = np.asarray(x, dtype).ravel()
    centres = np.linspace(values.min(), values.max(), k) if start is None else start(values, k)
    nearest = nearest or _lower
    last = None
    for _ in range(max_iter):
        codes = nearest(values, centres)
        if last is not None and np.array_equal(codes, last):
            break
        moved = centres.copy()
        for j in range(k):
            if (codes == j).any():
                moved[j] = mean(values[codes == j])
            elif on_empty is not None:
                moved[j] = on_empty(values, centres, j)
        shift = ((moved - centres) ** 2).sum()
        centres, last = moved, codes
        if stop is not None and shift < stop * values.var():
            break
    return centres, values


def _lower(values, centres):
    return np.abs(values[:, None] - centres).argmin(1)


def _upper(values, centres):
    gaps = np.abs(values[:, None] - centres)
    return gaps.shape[1] - 1 - gaps[:, ::-1].argmin(1)


def _solve(x, bits, max_iter, **rule):
    """_lloyd with 2**bits centres and one rule changed; codes by the lower nearest centre."""
    centres, values = _lloyd(x, 2**bits, max_iter, **rule)
    centres = np.sort(centres)
    return _out(x, centres, _lower(values, centres))


def _out(x, centres, codes):
    return centres.astype(np.float32), codes.astype(np.uint8).reshape(np.shape(x))


@right("boundaries half-way between the centres, by searchsorted and bincount")
def by_boundaries(x, bits, max_iter=100):
    flat = x.astype(np.float64).ravel()
    k = 1 << bits
    c = np.linspace(flat.min(), flat.max(), k)
    for _ in range(max_iter):
        codes = np.searchsorted((c[1:] + c[:-1]) / 2, flat, side="left")
        n = np.bincount(codes, minlength=k)
        total = np.bincount(codes, weights=flat, minlength=k)
        moved = np.where(n > 0, total / np.maximum(n, 1), c)
        if np.array_equal(moved, c):
            break
        c = moved
    codes = np.searchsorted((c[1:] + c[:-1]) / 2, flat, side="left")
    return c.astype(np.float32), codes.astype(np.uint8).reshape(x.shape)


@right("plain loops over Python floats")
def by_loops(x, bits, max_iter=100):
    values = [float(v) for v in np.ravel(x)]
    low, high, k = min(values), max(values), 2**bits
    centres = [low + (high - low) * j / (k - 1) for j in range(k)]

    def nearest(v):
        best = 0
        for j in range(1, k):
            if abs(v - centres[j]) < abs(v - centres[best]):
                best = j
        return best

    for _ in range(max_iter):
        members = [[] for _ in range(k)]
        for v in values:
            members[nearest(v)].append(v)
        moved = [sum(m) / len(m) if m else c for m, c in zip(members, centres, strict=True)]
        if moved == centres:
            break
        centres = moved
    codes = np.array([nearest(v) for v in values], np.uint8)
    return np.array(centres, np.float32), codes.reshape(np.shape(x))


@right("torch, all distances at once")
def by_torch(x, bits, max_iter=100):
    import torch

    values = torch.from_numpy(np.ascontiguousarray(x)).double().flatten()
    centres = torch.linspace(values.min().item(), values.max().item(), 2**bits, dtype=torch.float64)
    for step in range(max_iter + 1):
        codes = torch.argmin((values[:, None] - centres[None]) ** 2, dim=1)
        if step == max_iter:
            break
        total = torch.zeros_like(centres).index_add_(0, codes, values)
        count = torch.bincount(codes, minlength=len(centres))
        centres = torch.where(count > 0, total / count.clamp(min=1), centres)
    return centres.float().numpy(), codes.to(torch.uint8).numpy().reshape(x.shape)


@right("scipy's compiled k-means")
def by_scipy(x, bits, max_iter=100):
    from scipy.cluster.vq import kmeans2, vq

    values = x.ravel().astype(np.float64)
    centres = np.linspace(values.min(), values.max(), 2**bits)
    if max_iter:
        centres, _ = kmeans2(values, centres, iter=max_iter, minit="matrix")
    return _out(x, centres, vq(values, centres)[0])


@wrong(
    "arbitrary-labels",
    "You number the clusters in the order in which their values appear; the codebook must ascend.",
)
def arbitrary_labels(x, bits, max_iter=100):
    centres, values = _lloyd(x, 2**bits, max_iter)
    codes = _lower(values, centres)
    order = np.array(list(dict.fromkeys(codes.tolist())))
    order = np.append(order, np.setdiff1d(np.arange(2**bits), order)).astype(int)
    rank = np.argsort(order)
    return _out(x, centres[order], rank[codes])


@wrong(
    "quantile-start",
    "You start from quantiles of the values; start from centres linearly spaced from min to max.",
)
def quantile_start(x, bits, max_iter=100):
    return _solve(x, bits, max_iter, start=lambda v, k: np.quantile(v, (np.arange(k) + 0.5) / k))


@wrong(
    "random-start",
    "You start from centres drawn from the values (Forgy); start linearly spaced from min to max.",
    diagnose=False,
)
def random_start(x, bits, max_iter=100):
    rng = np.random.default_rng(0)
    return _solve(x, bits, max_iter, start=lambda v, k: np.sort(rng.choice(v, k)))


@wrong(
    "symmetric-start",
    "You start between -max|x| and max|x|; start between the smallest and the largest value.",
)
def symmetric_start(x, bits, max_iter=100):
    return _solve(
        x, bits, max_iter, start=lambda v, k: np.linspace(-np.abs(v).max(), np.abs(v).max(), k)
    )


@wrong("bin-middles-start", "You start from bin middles; the first centre is the minimum of x.")
def bin_middles(x, bits, max_iter=100):
    def start(v, k):
        return v.min() + (np.arange(k) + 0.5) * (v.max() - v.min()) / k

    return _solve(x, bits, max_iter, start=start)


@wrong("end-left-out", "Your starting centres leave the maximum out; include both ends.")
def end_left_out(x, bits, max_iter=100):
    def start(v, k):
        return np.linspace(v.min(), v.max(), k, endpoint=False)

    return _solve(x, bits, max_iter, start=start)


@wrong("no-rounds", "You return the evenly spaced start: no centre ever moves to its mean.")
def no_rounds(x, bits, max_iter=100):
    return _solve(x, bits, 0)


@wrong("one-round", "You do one round of assigning and moving; repeat until nothing changes.")
def one_round(x, bits, max_iter=100):
    return _solve(x, bits, 1)


@wrong(
    "one-round-too-many",
    "You do one round more than max_iter says: with max_iter=0 no centre may move.",
)
def one_too_many(x, bits, max_iter=100):
    return _solve(x, bits, max_iter + 1)


@wrong(
    "ignores-max-iter", "You run until nothing changes; stop after max_iter rounds at the latest."
)
def ignores_max_iter(x, bits, max_iter=100):
    return _solve(x, bits, 1000)


@wrong(
    "stops-early",
    "You stop when the centres move little (a tolerance); stop when no assignment changes.",
)
def stops_early(x, bits, max_iter=100):
    return _solve(x, bits, max_iter, stop=1e-3)


@wrong(
    "stale-codes",
    "Your codes belong to the centres before the last move: assign once more at the end.",
)
def stale_codes(x, bits, max_iter=100):
    before, values = _lloyd(x, 2**bits, max(max_iter - 1, 0))
    centres, _ = _lloyd(x, 2**bits, max_iter)
    return _out(x, centres, _lower(values, before))


@wrong(
    "empty-is-nan", "A cluster without members got the mean of nothing, NaN; it keeps its centre."
)
def empty_is_nan(x, bits, max_iter=100):
    values = np.asarray(x, np.float64).ravel()
    centres = np.linspace(values.min(), values.max(), 2**bits)
    for _ in range(max_iter):
        codes = np.nanargmin(np.abs(values[:, None] - centres), axis=1)
        sums = np.bincount(codes, values, minlength=2**bits)
        moved = sums / np.bincount(codes, minlength=2**bits)
        if np.array_equal(moved, centres, equal_nan=True):
            break
        centres = moved
    return _out(x, centres, np.nanargmin(np.abs(values[:, None] - centres), axis=1))


@wrong("empty-is-zero", "A cluster without members moves to 0; it keeps the centre that it had.")
def empty_is_zero(x, bits, max_iter=100):
    return _solve(x, bits, max_iter, on_empty=lambda v, c, j: 0.0)


@wrong(
    "empty-is-moved",
    "A cluster without members jumps to the value that is worst served; it keeps its centre.",
)
def empty_is_moved(x, bits, max_iter=100):
    def worst(v, c, j):
        return v[np.abs(v[:, None] - c).min(1).argmax()]

    return _solve(x, bits, max_iter, on_empty=worst)


@wrong(
    "tie-to-upper", "A value half-way between two centres goes to the lower index; yours goes up."
)
def tie_to_upper(x, bits, max_iter=100):
    centres, values = _lloyd(x, 2**bits, max_iter, nearest=_upper)
    return _out(x, centres, _upper(values, centres))


@wrong(
    "repeats-dropped",
    "You average each distinct value once; a value that occurs often counts often.",
)
def repeats_dropped(x, bits, max_iter=100):
    return _solve(x, bits, max_iter, mean=lambda members: np.unique(members).mean())


@wrong("median-for-mean", "You move a centre to the median of its members; k-means takes the mean.")
def median_for_mean(x, bits, max_iter=100):
    return _solve(x, bits, max_iter, mean=np.median)


@wrong(
    "through-float32",
    "You compute in float32, which merges values that float64 tells apart: convert x to float64.",
)
def through_float32(x, bits, max_iter=100):
    return _solve(x, bits, max_iter, dtype=np.float32)


@wrong(
    "codes-from-float32-codebook",
    "You find the codes with the rounded float32 codebook: use the float64 centres, round last.",
)
def codes_from_float32(x, bits, max_iter=100):
    centres, values = _lloyd(x, 2**bits, max_iter)
    return _out(x, centres, _lower(values, centres.astype(np.float32)))


@wrong(
    "one-round-too-few", "You do one round less than max_iter says: with 1 the centres move once."
)
def one_too_few(x, bits, max_iter=100):
    return _solve(x, bits, max(max_iter - 1, 0))


@wrong(
    "stops-at-20", "You stop after 20 rounds: go on until nothing changes, up to max_iter rounds."
)
def stops_at_20(x, bits, max_iter=100):
    return _solve(x, bits, min(max_iter, 20))


@wrong(
    "empty-dropped",
    "You leave centres without members out; the codebook always has 2**bits entries.",
)
def empty_dropped(x, bits, max_iter=100):
    codebook, codes = _solve(x, bits, max_iter)
    used = np.unique(codes)
    return codebook[used], np.searchsorted(used, codes).astype(np.uint8)


@wrong("swapped", "You return the codes first; the codebook comes first, then the codes.")
def swapped(x, bits, max_iter=100):
    codebook, codes = _solve(x, bits, max_iter)
    return codes, codebook


@wrong("always-16-levels", "You always make 16 levels; make 2**bits.")
def always_16(x, bits, max_iter=100):
    centres, values = _lloyd(x, 16, max_iter)
    return _out(x, centres, _lower(values, centres))


@wrong("restored-values", "You return the restored values; return the codes that point to them.")
def restored(x, bits, max_iter=100):
    centres, values = _lloyd(x, 2**bits, max_iter)
    book = centres.astype(np.float32)
    return book, book[_lower(values, centres)].reshape(x.shape)


@wrong("float64-codebook", "You leave the codebook in float64: convert it to float32 at the end.")
def float64_codebook(x, bits, max_iter=100):
    codebook, codes = _solve(x, bits, max_iter)
    return codebook.astype(np.float64), codes


@wrong("flat-codes", "Your codes lost the shape of x: give them back its shape.")
def flat_codes(x, bits, max_iter=100):
    codebook, codes = _solve(x, bits, max_iter)
    return codebook, codes.ravel()
