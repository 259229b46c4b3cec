"""Answers to parallel-ring."""

import numpy as np

from autograder.checks.bank import right, wrong


def _model(ring, x, *, refuse=True, copy=True, split=np.array_split, send=lambda chunk: chunk, gather=True,
           steps=None, add=True, order=1):  # fmt: skip
    if refuse and x.ndim != 1:
        raise ValueError("one dimension")
    n, rank = ring.ranks, ring.rank
    steps = n - 1 if steps is None else steps(n)
    result = x.copy() if copy else x
    chunks = split(result, n)
    for step in range(steps):
        ring.send_next(send(chunks[(rank - step) % n]))
        coming = ring.recv_previous()
        place = chunks[(rank - step - 1) % n]
        place[:] = place + coming if add else coming
    for step in range(steps if gather else 0):
        ring.send_next(send(chunks[(rank + order - step) % n]))
        chunks[(rank + order - 1 - step) % n][:] = ring.recv_previous()
    return result


@right("chunks as views of a copy")
def by_views(ring, x):
    return _model(ring, x)


@right("bounds by hand, starting one chunk later")
def by_bounds(ring, x):
    if len(x.shape) != 1:
        raise ValueError("x must be a vector")
    n = ring.ranks
    base, more = divmod(len(x), n)
    ends = [0]
    for c in range(n):
        ends.append(ends[-1] + base + (c < more))
    out = np.array(x)

    def part(c):
        return slice(ends[c % n], ends[c % n + 1])

    for c in range(ring.rank + 1, ring.rank + 1 - (n - 1), -1):
        ring.send_next(out[part(c)])
        out[part(c - 1)] += ring.recv_previous()
    for c in range(ring.rank + 2, ring.rank + 2 - (n - 1), -1):
        ring.send_next(out[part(c)])
        out[part(c - 1)] = ring.recv_previous()
    return out


@right("a list of pieces, joined at the end")
def by_list(ring, x):
    if x.ndim != 1:
        raise ValueError("vector")
    n, r = ring.ranks, ring.rank
    pieces = [p.copy() for p in np.array_split(x, n)]
    for s in range(2 * (n - 1)):
        c = (r - s) % n if s < n - 1 else (r + 1 - (s - n + 1)) % n
        ring.send_next(pieces[c])
        got = ring.recv_previous()
        here = (c - 1) % n
        pieces[here] = pieces[here] + got if s < n - 1 else got
    return np.concatenate(pieces)


@wrong("whole-vectors", "Each message is one chunk: whole vectors send n / 2 times as many bytes.")
def whole(ring, x):
    if x.ndim != 1:
        raise ValueError("vector")
    total, out = x.copy(), x
    for _ in range(ring.ranks - 1):
        ring.send_next(out)
        out = ring.recv_previous()
        total += out
    return total


@wrong(
    "no-all-gather", "After the first n - 1 steps each rank has one finished chunk; pass these on."
)
def half(ring, x):
    return _model(ring, x, gather=False)


@wrong("in-place", "x must not be changed: work on a copy, and mind that array_split gives views.")
def in_place(ring, x):
    return _model(ring, x, copy=False)


@wrong("overwrites-in-the-first-half", "The first n - 1 steps add what comes in.")
def overwrites(ring, x):
    return _model(ring, x, add=False)


@wrong("gather-starts-at-own-number", "After the first half rank r owns chunk (r + 1) % n, not r.")
def own_number(ring, x):
    return _model(ring, x, order=0)


@wrong("n-steps", "n - 1 steps each: after n a chunk is added twice.")
def too_many(ring, x):
    return _model(ring, x, steps=lambda n: n)


@wrong("one-step-short", "n - 1 steps each: after n - 2 one rank's numbers are missing.")
def too_few(ring, x):
    return _model(ring, x, steps=lambda n: max(0, n - 2))


@wrong("equal-chunks-only", "Chunks need not be equal: np.array_split, not np.split.")
def equal_only(ring, x):
    return _model(ring, x, split=np.split)


@wrong("sends-float32", "Send in x's dtype: rounding to float32 loses digits.")
def narrow(ring, x):
    return _model(ring, x, send=lambda chunk: chunk.astype(np.float32))


@wrong("sums-in-float64", "Return x's dtype.")
def widened(ring, x):
    return _model(ring, x.astype(np.float64))


@wrong("the-mean", "An all-reduce sums; it does not average.")
def mean(ring, x):
    return (_model(ring, x) / ring.ranks).astype(x.dtype)


@wrong("receives-first", "If every rank waits before it sends, nobody goes on: send, then receive.")
def receives_first(ring, x):
    if x.ndim != 1:
        raise ValueError("vector")
    n, r = ring.ranks, ring.rank
    out = x.copy()
    chunks = np.array_split(out, n)
    for s in range(n - 1):
        chunks[(r - s - 1) % n] += ring.recv_previous()
        ring.send_next(chunks[(r - s) % n])
    return out


@wrong("skips-empty-chunks", "An empty chunk is sent all the same.")
def skips_empty(ring, x):
    if x.ndim != 1:
        raise ValueError("vector")
    n, r = ring.ranks, ring.rank
    out = x.copy()
    chunks = np.array_split(out, n)
    for s in range(2 * (n - 1)):
        first = s < n - 1
        c = (r - s) % n if first else (r + 1 - (s - n + 1)) % n
        if chunks[c].size:
            ring.send_next(chunks[c])
        here = chunks[(c - 1) % n]
        if here.size:
            got = ring.recv_previous()
            here[:] = here + got if first else got
    return out


@wrong("returns-x-for-one-rank", "With one rank return a copy of x, not x itself.")
def same_object(ring, x):
    return x if ring.ranks == 1 and x.ndim == 1 else _model(ring, x)


@wrong("matrices-accepted", "An x that has not one dimension must raise ValueError.")
def matrices(ring, x):
    return _model(ring, x, refuse=False)


@wrong("refuses-too-late", "Look at x before the first message.")
def late(ring, x):
    result = _model(ring, x, refuse=False)
    if x.ndim != 1:
        raise ValueError("one dimension")
    return result


@wrong(
    "own-order-of-sums", "Adding all vectors on each rank in another order gives other last bits."
)
def all_gather_then_sum(ring, x):
    if x.ndim != 1:
        raise ValueError("vector")
    parts = [x.copy()]
    for _ in range(ring.ranks - 1):
        ring.send_next(parts[-1])
        parts.append(ring.recv_previous())
    return np.sum(parts, axis=0).astype(x.dtype)


@wrong("returns-a-list", "Return a NumPy array, not a list.")
def as_list(ring, x):
    return _model(ring, x).tolist()
