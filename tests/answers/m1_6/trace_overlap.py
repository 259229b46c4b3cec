"""Answers to trace-overlap."""

import numpy as np

from autograder.checks.bank import right, wrong


def _merge(pairs):
    out = []
    for start, end in sorted(pairs):
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return out


def _pairwise(a, b):
    return sum(max(0.0, min(e, f) - max(s, t)) for s, e in a for t, f in b)


@right("merged, then pair by pair")
def merged(a, b):
    return float(_pairwise(_merge(a), _merge(b)))


@right("counters over the edges")
def counters(a, b):
    edges = sorted(
        [
            (t, k, which)
            for which, pairs in ((0, a), (1, b))
            for s, e in pairs
            for t, k in ((s, 1), (e, -1))
        ]
    )
    total, count, before = 0.0, [0, 0], None
    for t, k, which in edges:
        if count[0] and count[1]:
            total += t - before
        count[which] += k
        before = t
    return total


@right("slices, by NumPy")
def slices(a, b):
    if not len(a) or not len(b):
        return 0.0
    edges = np.unique(np.concatenate([np.ravel(a), np.ravel(b)]))
    middles = (edges[:-1] + edges[1:]) / 2
    inside = [
        ((np.array(p)[:, 0, None] < middles) & (middles < np.array(p)[:, 1, None])).any(0)
        for p in (a, b)
    ]
    return float(np.diff(edges)[inside[0] & inside[1]].sum())


@right("lengths of unions: a and b minus both together")
def inclusion(a, b):
    size = lambda pairs: sum(e - s for s, e in _merge(pairs))  # noqa: E731
    return size(a) + size(b) - size([*a, *b])


@wrong(
    "pairs-added-up",
    "Two kernels beside one copy hide each moment once: merge the intervals of a list first.",
)
def pairs(a, b):
    return float(_pairwise(a, b))


@wrong("only-a-merged", "Intervals of b may overlap each other as well.")
def only_a(a, b):
    return float(_pairwise(_merge(a), b))


@wrong("only-b-merged", "Intervals of a may overlap each other as well.")
def only_b(a, b):
    return float(_pairwise(a, _merge(b)))


@wrong(
    "index-by-index",
    "Any interval of a may meet any of b, not only the one at the same place of the list.",
)
def zipped(a, b):
    return float(_pairwise_zip(a, b))


def _pairwise_zip(a, b):
    return sum(max(0.0, min(p[1], q[1]) - max(p[0], q[0])) for p, q in zip(a, b, strict=False))


@wrong("union-for-overlap", "You compute when a or b runs; the question is when both do.")
def union(a, b):
    return float(sum(e - s for s, e in _merge([*a, *b])))


@wrong("exposed-for-overlap", "You compute the time of a without b.")
def exposed(a, b):
    return float(sum(e - s for s, e in _merge(a)) - _pairwise(_merge(a), _merge(b)))


@wrong("negative-overlaps", "Intervals that lie apart overlap for 0, not for a negative time.")
def negative(a, b):
    return float(sum(min(e, f) - max(s, t) for s, e in _merge(a) for t, f in _merge(b)))


@wrong("hull", "Compare the intervals, not the stretch from the first start to the last end.")
def hull(a, b):
    if not a or not b:
        return 0.0
    return max(
        0.0,
        min(max(e for _, e in a), max(e for _, e in b))
        - max(min(s for s, _ in a), min(s for s, _ in b)),
    )


@wrong("share-for-time", "Return microseconds, not the share of a.")
def share(a, b):
    whole = sum(e - s for s, e in _merge(a))
    return float(_pairwise(_merge(a), _merge(b)) / whole) if whole else 0.0


@wrong("milliseconds", "Return microseconds.")
def milliseconds(a, b):
    return float(_pairwise(_merge(a), _merge(b)) / 1e3)


@wrong(
    "sorted-walk-too-fast",
    "After a pair, go on in the list whose interval ends first; the other may meet the next one too.",
)
def walk(a, b):
    a, b, i, j, total = _merge(a), _merge(b), 0, 0, 0.0
    while i < len(a) and j < len(b):
        total += max(0.0, min(a[i][1], b[j][1]) - max(a[i][0], b[j][0]))
        i, j = i + 1, j + 1
    return total


@wrong(
    "merged-without-the-longest-end",
    "When merging, keep the larger end: a short interval may lie inside a long one.",
)
def short_end(a, b):
    def merge(pairs):
        out = []
        for start, end in sorted(pairs):
            if out and start <= out[-1][1]:
                out[-1][1] = end
            else:
                out.append([start, end])
        return out

    return float(_pairwise(merge(a), merge(b)))


@wrong("merged-unsorted", "Sort before merging: the intervals come in any order.")
def unsorted(a, b):
    def merge(pairs):
        out = []
        for start, end in pairs:
            if out and out[-1][0] <= start <= out[-1][1]:
                out[-1][1] = max(out[-1][1], end)
            else:
                out.append([start, end])
        return out

    return float(_pairwise(merge(a), merge(b)))


@wrong("rounded", "Return the exact time, not whole microseconds.")
def rounded(a, b):
    return float(round(_pairwise(_merge(a), _merge(b))))


@wrong("sorted-in-place", "Use sorted(): the caller's lists are not changed.")
def in_place(a, b):
    a.sort()
    b.sort()
    return float(_pairwise(_merge(a), _merge(b)))


@wrong("every-pair-counted", "Two of a beside two of b are still one moment.")
def lesser_count(a, b):
    edges = sorted(
        (t, k, which) for which, p in enumerate((a, b)) for s, e in p for t, k in ((s, 1), (e, -1))
    )
    total, count, before = 0.0, [0, 0], 0.0
    for t, k, which in edges:
        total += (t - before) * max(0, min(count))
        count[which] += k
        before = t
    return total
