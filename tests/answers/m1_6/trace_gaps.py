"""Answers to trace-gaps."""

import numpy as np

from autograder.checks.bank import right, wrong


def _check(begin, end, threshold, window=True, negative=True):
    if window and end < begin:
        raise ValueError("window")
    if negative and threshold < 0:
        raise ValueError("threshold")


def _gaps(intervals, begin, end, threshold, *, checks=(True, True), latest=max, clip=True, first=True, last=True,
          enough=lambda gap, threshold: gap >= threshold, ordered=True, empty=False, divide=False):  # fmt: skip
    _check(begin, end, threshold, *checks)
    pairs = sorted(intervals) if ordered else list(intervals)
    free, found = begin, []
    if not first:
        free = pairs[0][0] if pairs else end
    for start, stop in pairs:
        if clip:
            start, stop = min(max(start, begin), end), min(max(stop, begin), end)
        if stop <= start and not divide:
            continue
        if (start > free or empty) and enough(start - free, threshold):
            found.append((free, start))
        free = latest(free, stop)
    if last and (end > free or empty) and enough(end - free, threshold):
        found.append((free, end))
    return found


@right("sorted, with the latest end")
def swept(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us)


@right("the window, with each interval cut out of it")
def cut_out(intervals, begin_us, end_us, threshold_us):
    _check(begin_us, end_us, threshold_us)
    free = [(begin_us, end_us)]
    for start, stop in intervals:
        if start < stop:
            free = [
                piece
                for a, b in free
                for piece in ((a, min(b, start)), (max(a, stop), b))
                if piece[0] < piece[1]
            ]
    return [[a, b] for a, b in sorted(free) if b > a and b - a >= threshold_us]


@right("counted at the edges, by NumPy")
def counted(intervals, begin_us, end_us, threshold_us):
    if end_us < begin_us or threshold_us < 0:
        raise ValueError("The window or the threshold is wrong.")
    edges = (
        np.unique(np.clip([begin_us, end_us, *np.ravel(intervals)], begin_us, end_us))
        if len(intervals)
        else np.unique([begin_us, end_us])
    )
    out = []
    for a, b in zip(edges, edges[1:], strict=False):
        if not any(s <= a and b <= e for s, e in intervals):
            if out and out[-1][1] == a:
                out[-1] = (out[-1][0], float(b))
            else:
                out.append((float(a), float(b)))
    return [gap for gap in out if gap[1] - gap[0] >= threshold_us]


@wrong(
    "end-of-the-last-start",
    "The device becomes free at the latest end so far, not at the end of the interval before.",
)
def before(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, latest=lambda free, stop: stop)


@wrong("order-given", "The intervals come in any order: sort them.")
def unsorted(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, ordered=False)


@wrong("no-gap-at-the-start", "The stretch before the first interval is a gap too.")
def no_first(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, first=False)


@wrong("no-gap-at-the-end", "The stretch behind the last interval is a gap too.")
def no_last(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, last=False)


@wrong(
    "inner-gaps-only",
    "The window counts: there are gaps before the first interval and behind the last.",
)
def inner(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, first=False, last=False)


@wrong("not-clipped", "Clip the intervals to the window: gaps outside it do not count.")
def unclipped(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, clip=False)


@wrong("longer-than-the-threshold", "A gap of exactly the threshold counts.")
def longer(intervals, begin_us, end_us, threshold_us):
    return _gaps(
        intervals, begin_us, end_us, threshold_us, enough=lambda gap, threshold: gap > threshold
    )


@wrong("threshold-ignored", "Gaps shorter than the threshold are left out.")
def no_threshold(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, enough=lambda gap, threshold: gap > 0)


@wrong("empty-gaps", "Where two intervals touch there is no gap: leave out gaps of length 0.")
def empty(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, empty=True)


@wrong("divided-by-nothing", "An interval of no length divides no gap.")
def divided(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, divide=True)


@wrong("lengths", "Return (start, end) of each gap, not (start, length).")
def lengths(intervals, begin_us, end_us, threshold_us):
    return [(a, b - a) for a, b in _gaps(intervals, begin_us, end_us, threshold_us)]


@wrong("idle-sum", "Return the gaps, not the sum of their lengths.")
def total(intervals, begin_us, end_us, threshold_us):
    return sum(b - a for a, b in _gaps(intervals, begin_us, end_us, threshold_us))


@wrong(
    "intervals-across-an-end-dropped",
    "An interval that lies partly outside the window still runs inside it.",
)
def across(intervals, begin_us, end_us, threshold_us):
    whole = [(s, e) for s, e in intervals if s >= begin_us and e <= end_us]
    return _gaps(whole, begin_us, end_us, threshold_us)


@wrong("longest-first", "Return the gaps in order of time.")
def longest(intervals, begin_us, end_us, threshold_us):
    return sorted(_gaps(intervals, begin_us, end_us, threshold_us), key=lambda g: g[0] - g[1])


@wrong("window-not-checked", "A window that ends before it begins must raise ValueError.")
def any_window(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, checks=(False, True))


@wrong("empty-window-refused", "A window of no length has no gaps; it is no error.")
def no_empty(intervals, begin_us, end_us, threshold_us):
    if end_us <= begin_us:
        raise ValueError("window")
    return _gaps(intervals, begin_us, end_us, threshold_us)


@wrong("threshold-not-checked", "A negative threshold must raise ValueError.")
def any_threshold(intervals, begin_us, end_us, threshold_us):
    return _gaps(intervals, begin_us, end_us, threshold_us, checks=(True, False))


@wrong("sorted-in-place", "Use sorted(): the caller's list is not changed.")
def in_place(intervals, begin_us, end_us, threshold_us):
    intervals.sort()
    return _gaps(intervals, begin_us, end_us, threshold_us)


@wrong("threshold-before-the-window", "Clip first: only what lies in the window counts.")
def late_clip(intervals, begin_us, end_us, threshold_us):
    far = 1e9
    found = _gaps(intervals, -far, far, threshold_us)
    _check(begin_us, end_us, threshold_us)
    cut = [(max(a, begin_us), min(b, end_us)) for a, b in found]
    return [(a, b) for a, b in cut if a < b]
