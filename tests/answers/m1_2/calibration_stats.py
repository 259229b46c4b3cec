"""Answers to calibration-stats."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(batches, finite=True, tokens=True, widths=True):
    if widths and (
        not batches or any(b.ndim != 2 or b.shape[1] != batches[0].shape[1] for b in batches)
    ):
        raise ValueError("batches (tokens, K) with one K")
    if tokens and not sum(len(b) for b in batches):
        raise ValueError("no tokens")
    if finite and not all(np.isfinite(b).all() for b in batches):
        raise ValueError("not finite")


def _joined(batches, dtype=np.float64):
    return np.concatenate([b.astype(dtype) for b in batches])


def _stats(x):
    return np.abs(x).mean(axis=0), np.abs(x).max(axis=0)


@right("one array of all tokens")
def by_concatenation(batches):
    _refuse(batches)
    return _stats(_joined(batches))


@right("running sum, maximum and count")
def by_running(batches):
    _refuse(batches)
    total = np.zeros(batches[0].shape[1])
    peak, count = total.copy(), 0
    for batch in batches:
        for row in np.abs(batch.astype(np.float64)):
            total += row
            peak = np.maximum(peak, row)
        count += len(batch)
    return total / count, peak


@right("torch")
def by_torch(batches):
    import torch

    _refuse(batches)
    x = torch.cat([torch.from_numpy(b).double() for b in batches]).abs()
    return x.mean(0).numpy(), x.amax(0).numpy()


@wrong(
    "mean-of-batch-means",
    "You averaged the batches' means; a short batch counts then as much as a long one.",
)
def mean_of_means(batches):
    _refuse(batches)
    full = [b.astype(np.float64) for b in batches if len(b)]
    return np.mean([np.abs(b).mean(0) for b in full], axis=0), _stats(_joined(batches))[1]


@wrong(
    "mean-without-magnitude",
    "You averaged x itself, where signs cancel; take the magnitudes first.",
)
def signed_mean(batches):
    _refuse(batches)
    x = _joined(batches)
    return x.mean(0), np.abs(x).max(0)


@wrong(
    "magnitude-of-the-mean",
    "You took |mean of x|, where signs have cancelled; take the mean of |x|.",
)
def magnitude_of_mean(batches):
    _refuse(batches)
    x = _joined(batches)
    return np.abs(x.mean(0)), np.abs(x).max(0)


@wrong("signed-maximum", "You took the largest x; a channel of large negative values counts too.")
def signed_max(batches):
    _refuse(batches)
    x = _joined(batches)
    return np.abs(x).mean(0), x.max(0)


@wrong(
    "root-mean-square", "You took the root mean square; the exercise asks for the mean magnitude."
)
def root_mean_square(batches):
    _refuse(batches)
    x = _joined(batches)
    return np.sqrt((x**2).mean(0)), np.abs(x).max(0)


@wrong("per-token", "You reduced over the channels; the tokens are axis 0, and K numbers remain.")
def per_token(batches):
    _refuse(batches)
    x = np.abs(_joined(batches))
    return x.mean(1), x.max(1)


@wrong("sum-for-mean", "You returned the sum of |x|; divide it by the number of tokens.")
def sum_for_mean(batches):
    _refuse(batches)
    x = np.abs(_joined(batches))
    return x.sum(0), x.max(0)


@wrong("last-batch", "Only the last batch counts in your result; all batches do.")
def last_batch(batches):
    _refuse(batches)
    return _stats([b for b in batches if len(b)][-1].astype(np.float64))


@wrong(
    "float16-sums",
    "You added in the batches' own float16, which stalls and overflows; convert to float64 first.",
)
def own_dtype(batches):
    _refuse(batches)
    total = np.zeros(batches[0].shape[1], batches[0].dtype)
    with np.errstate(all="ignore"):
        for batch in batches:
            for row in np.abs(batch):
                total = (total + row).astype(batches[0].dtype)
    x = _joined(batches)
    return (total / np.float64(len(x))).astype(np.float64), np.abs(x).max(0)


@wrong("float32-result", "Your result is float32; the exercise asks for float64.")
def float32_result(batches):
    _refuse(batches)
    mean_abs, amax = _stats(_joined(batches))
    return mean_abs.astype(np.float32), amax.astype(np.float32)


@wrong("one-number", "You returned one number for all channels; keep one for each.")
def one_number(batches):
    _refuse(batches)
    x = np.abs(_joined(batches))
    return np.full(x.shape[1], x.mean()), np.full(x.shape[1], x.max())


@wrong("swapped", "You returned the maximum first; the order is mean_abs, amax.")
def swapped(batches):
    _refuse(batches)
    return _stats(_joined(batches))[::-1]


@wrong(
    "empty-set-accepted",
    "A calibration set without tokens gave numbers; raise ValueError.",
)
def empty_accepted(batches):
    if not sum(len(b) for b in batches):
        k = batches[0].shape[1] if batches else 0
        return np.zeros(k), np.zeros(k)
    _refuse(batches)
    return _stats(_joined(batches))


@wrong("nan-accepted", "A NaN or an infinity got into your statistics; raise ValueError.")
def nan_accepted(batches):
    _refuse(batches, finite=False)
    return _stats(_joined(batches))


@wrong(
    "widths-broadcast", "A batch of another K was broadcast; compare the widths, raise ValueError."
)
def widths_broadcast(batches):
    _refuse(batches, widths=False)
    total = sum(np.abs(b.astype(np.float64)).sum(0) for b in batches)
    peaks = [np.abs(b.astype(np.float64)).max(0) for b in batches if len(b)]
    return total / sum(len(b) for b in batches), np.maximum.reduce(np.broadcast_arrays(*peaks))


@wrong("in-place", "You changed the batches; take np.abs into a new array.")
def in_place(batches):
    _refuse(batches)
    for batch in batches:
        np.abs(batch, out=batch)
    return _stats(_joined(batches))


@wrong("mean-of-the-nonzero", "You left the zeros out of the mean; every token counts.")
def mean_of_nonzero(batches):
    _refuse(batches)
    x = np.abs(_joined(batches))
    return x.sum(axis=0) / np.maximum((x > 0).sum(axis=0), 1), x.max(axis=0)
