"""Answers to chunked-sum."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _left(values):
    total = np.float32(0)
    for value in values:
        total = np.float32(total + np.float32(value))
    return total


def _chunked(x, chunk, *, inside=_left, across=_left, runs=None):
    """The right answer with one thing replaced."""
    if chunk < 1:
        raise ValueError("chunk")
    parts = runs(x, chunk) if runs else [x[i : i + chunk] for i in range(0, len(x), chunk)]
    return across([inside(part) for part in parts])


@right("loops")
def by_loops(x, chunk):
    return _chunked(x, chunk)


@right("cumsum")
def by_cumsum(x, chunk):
    if chunk < 1:
        raise ValueError("chunk")
    if not len(x):
        return 0.0
    chunk = min(chunk, len(x))
    ends = [np.cumsum(x[i : i + chunk])[-1] for i in range(0, len(x), chunk)]
    return float(np.add.accumulate(np.array(ends, np.float32))[-1])


@right("workers side by side, padded with zeros")
def by_columns(x, chunk):
    if chunk < 1:
        raise ValueError("chunk")
    chunk = min(chunk, max(len(x), 1))
    wide = np.zeros(-(-len(x) // chunk) * chunk, np.float32)
    wide[: len(x)] = x
    workers = np.zeros(len(wide) // chunk, np.float32)
    for column in wide.reshape(-1, chunk).T:
        workers += column
    total = np.float32(0)
    for worker in workers:
        total += worker
    return total


@wrong("np-sum", "np.sum adds pairwise, in blocks of its own; add from left to right.")
def np_sum(x, chunk):
    return _chunked(x, chunk, inside=lambda p: np.sum(p, dtype=np.float32))


@wrong("np-sum-across", "You added the partial sums with np.sum; they too go from left to right.")
def np_sum_across(x, chunk):
    return _chunked(x, chunk, across=lambda p: np.sum(np.array(p, np.float32), dtype=np.float32))


@wrong("float64-inside", "Your partial sums are float64; each addition rounds to float32.")
def float64_inside(x, chunk):
    return _chunked(x, chunk, inside=lambda p: np.float32(math.fsum(float(v) for v in p)))


@wrong("float64-all-the-way", "You added in float64 and rounded at the end; each addition rounds.")
def float64(x, chunk):
    return _chunked(
        x, chunk, inside=lambda p: sum(map(float, p)), across=lambda p: np.float32(sum(p))
    )


@wrong(
    "chunk-ignored",
    "You added everything from left to right; the chunks are added by themselves first.",
)
def ignored(x, chunk):
    return _chunked(x, max(len(x), 1) if chunk >= 1 else chunk)


@wrong("running-total", "You carry the total into the next chunk; each worker starts at 0.")
def running(x, chunk):
    if chunk < 1:
        raise ValueError("chunk")
    total = np.float32(0)
    for i in range(0, len(x), chunk):
        for value in x[i : i + chunk]:
            total = np.float32(total + value)
    return total


@wrong("rest-dropped", "The last values, fewer than a chunk, are lost.")
def dropped(x, chunk):
    return _chunked(x, chunk, runs=lambda a, c: [a[i : i + c] for i in range(0, len(a) - c + 1, c)])


@wrong(
    "every-nth-value", "Your workers take every n-th value; each takes a run of consecutive ones."
)
def strided(x, chunk):
    def runs(a, c):
        n = -(-len(a) // c)
        return [a[i::n] for i in range(n)] if n else []

    return _chunked(x, chunk, runs=runs)


@wrong(
    "chunk-as-the-number-of-workers",
    "You made `chunk` workers; it is the number of values that each takes.",
)
def workers(x, chunk):
    return _chunked(x, chunk, runs=lambda a, c: np.array_split(a, c))


@wrong("from-right-to-left", "You added the partial sums from the last to the first.")
def backwards(x, chunk):
    return _chunked(x, chunk, across=lambda p: _left(p[::-1]))


@wrong("chunks-backwards-inside", "You added inside a chunk from right to left.")
def backwards_inside(x, chunk):
    return _chunked(x, chunk, inside=lambda p: _left(p[::-1]))


@wrong("sorted-first", "You sorted the values; the order is that of x.")
def sorted_first(x, chunk):
    return _chunked(np.sort(x), chunk)


@wrong(
    "compensated",
    "You carried the rounding errors along (Kahan); the exercise wants the plain sum with its errors.",
)
def kahan(x, chunk):
    def inside(part):
        total = lost = np.float32(0)
        for value in part:
            y = np.float32(value - lost)
            t = np.float32(total + y)
            lost = np.float32(np.float32(t - total) - y)
            total = t
        return total

    return _chunked(x, chunk, inside=inside)


@wrong("tree", "You added the partial sums in pairs, as a tree; they go from left to right.")
def tree(x, chunk):
    def across(parts):
        parts = list(parts) or [np.float32(0)]
        while len(parts) > 1:
            parts = [_left(parts[i : i + 2]) for i in range(0, len(parts), 2)]
        return parts[0]

    return _chunked(x, chunk, across=across)


@wrong("chunk-zero-accepted", "A chunk below 1 must raise ValueError.")
def accepted(x, chunk):
    return _chunked(x, max(chunk, 1))
