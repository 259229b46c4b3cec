"""Answers to calibration-hessian."""

import numpy as np

from autograder.checks.bank import right, wrong


def _rows(batches, dtype=np.float64):
    """All rows together, (n, K)."""
    parts = [np.asarray(b).astype(dtype).reshape(-1, b.shape[-1]) for b in batches]
    if len({p.shape[1] for p in parts}) > 1:
        raise ValueError("batches of different widths")
    if not sum(map(len, parts)):
        raise ValueError("an empty calibration set")
    return np.concatenate(parts)


@right("the running mean of the text")
def running_mean(batches):
    h, n = None, 0
    for batch in batches:
        x = batch.reshape(-1, batch.shape[-1]).astype(np.float64)
        if h is not None and x.shape[1] != h.shape[0]:
            raise ValueError("another width")
        h = np.zeros((x.shape[1],) * 2) if h is None else h
        if len(x):
            h = h * (n / (n + len(x))) + 2 / (n + len(x)) * x.T @ x
            n += len(x)
    if n == 0:
        raise ValueError("no rows")
    return h


@right("all rows at once")
def all_rows(batches):
    x = _rows(batches)
    return 2 * x.T @ x / len(x)


@right("scaled before the product, as the authors do, torch")
def scaled_inputs(batches):
    import math

    import torch

    x = torch.from_numpy(_rows(batches))
    x = x * math.sqrt(2 / len(x))
    return (x.T @ x).numpy()


@wrong("no-factor-two", "The factor 2 is missing: H is the second derivative of the squared error.")
def no_factor_two(batches):
    x = _rows(batches)
    return x.T @ x / len(x)


@wrong("mean-of-batches", "You averaged the batches' means; a longer batch must count for more.")
def mean_of_batches(batches):
    kept = [b for b in batches if b.size]
    _rows(kept)
    return np.mean([all_rows([b]) for b in kept], axis=0)


@wrong("divided-by-batches", "You divided by the number of batches; n counts rows.")
def divided_by_batches(batches):
    kept = list(batches)
    x = _rows(kept)
    return 2 * x.T @ x / len(kept)


@wrong(
    "sequences-as-samples",
    "You counted sequences; every token, that is every row of the last axis, is a sample.",
)
def sequences_as_samples(batches):
    kept = list(batches)
    x = _rows(kept)
    return 2 * x.T @ x / max(sum(len(b) if b.ndim > 2 else b.shape[0] for b in kept), 1)


@wrong("sum", "You returned the sum over the rows; divide by their number.")
def the_sum(batches):
    x = _rows(batches)
    return 2 * x.T @ x


@wrong("last-batch", "Only the last batch is in your result; add up all of them.")
def last_batch(batches):
    kept = [b for b in batches if b.size]
    _rows(kept)
    return all_rows(kept[-1:])


@wrong("first-batch-eaten", "Your look at the first batch takes it from a generator: it is lost.")
def first_batch_eaten(batches):
    columns = next(iter(batches), np.zeros((0, 1))).shape[-1]
    h, n = np.zeros((columns, columns)), 0
    for batch in batches:
        x = batch.astype(np.float64).reshape(-1, columns)
        h, n = h + 2 * x.T @ x, n + len(x)
    if n == 0:
        raise ValueError("empty")
    return h / n


@wrong("narrow-product", "You multiplied in the inputs' dtype: float16 overflows at 65,504.")
def narrow_product(batches):
    kept = [b.reshape(-1, b.shape[-1]) for b in batches]
    n = len(_rows(kept))
    return sum((b.T @ b).astype(np.float64) * 2 for b in kept) / n


@wrong("float32", "Your sums are float32; the Hessian is float64.")
def in_float32(batches):
    x = _rows(batches, np.float32)
    return 2 * x.T @ x / len(x)


@wrong("centred", "You subtracted the mean; the Hessian is no covariance.")
def centred(batches):
    x = _rows(batches)
    x = x - x.mean(axis=0)
    return 2 * x.T @ x / len(x)


@wrong("unbiased", "You divided by n - 1; divide by n.")
def unbiased(batches):
    x = _rows(batches)
    return 2 * x.T @ x / max(len(x) - 1, 1)


@wrong("tokens-by-tokens", "X X^T compares tokens; X^T X compares the layer's inputs.")
def tokens_by_tokens(batches):
    x = _rows(batches)
    return 2 * x @ x.T / len(x)


@wrong("empty-gives-nan", "An empty calibration set must raise ValueError, not give NaN.")
def empty_gives_nan(batches):
    kept = list(batches)
    if not sum(b.size for b in kept):
        return np.full((1, 1), np.nan)
    return all_rows(kept)


@wrong("widths-unchecked", "Batches with different numbers of columns must be refused.")
def widths_unchecked(batches):
    kept = list(batches)
    widest = max((b.shape[-1] for b in kept), default=0)
    flat = [b.astype(np.float64).reshape(-1, b.shape[-1]) for b in kept]
    return all_rows([np.pad(b, ((0, 0), (0, widest - b.shape[-1]))) for b in flat])


@wrong("scales-in-place", "You scaled the caller's batch in place; work on a copy.")
def scales_in_place(batches):
    kept = list(batches)
    n = len(_rows(kept))
    for batch in kept:
        batch *= np.sqrt(2 / n).astype(batch.dtype)
    x = _rows(kept)
    return x.T @ x
