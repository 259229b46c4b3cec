"""trace-gaps: idle stretches of a window, against slices between all edges."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import trace_cases, traces
from autograder.checks.oracles.trace_cases import simulated

PARTS = {"gaps": 0.45, "windows and threshold": 0.35, "refuse": 0.2}
HINTS = (
    "Sort by start and keep the latest end seen so far: that is where the device becomes free.",
    "Clip each interval to the window; leave out what is empty then.",
    "The stretch behind the last interval is a gap too.",
)


def cases(rng):
    first, windows, refuse = PARTS

    def one(label, part, pairs, begin=0.0, end=20.0, threshold=0.0, **more):
        return case(
            label,
            part,
            intervals=[list(map(float, p)) for p in pairs],
            begin=float(begin),
            end=float(end),
            threshold=float(threshold),
            **more,
        )

    yield one("nothing runs", first, [])
    yield one("one interval", first, [(5, 9)])
    yield one("all the time", first, [(0, 20)])
    yield one("two apart", first, [(2, 5), (9, 20)])
    yield one("neighbours touch", first, [(0, 5), (5, 9)])
    yield one("two streams overlap", first, [(2, 8), (5, 12)])
    yield one("one inside another", first, [(2, 15), (4, 6)])
    yield one("not sorted", first, [(12, 15), (2, 4), (6, 7)])
    yield one("an interval of no length", first, [(0, 4), (7, 7), (9, 20)])
    for count in (6, 20, 60):
        yield one("drawn", first, trace_cases.intervals(rng, count, 275, 25), 0, 300)
    yield one("intervals outside", windows, [(-9, -2), (5, 6), (25, 30)])
    yield one("intervals across both ends", windows, [(-3, 4), (18, 33)])
    yield one("across the whole window", windows, [(-3, 40), (2, 3)])
    yield one("a window in the middle", windows, [(0, 12), (15, 18), (40, 50)], 10, 45)
    yield one("a threshold", windows, [(0, 2), (4, 10), (11, 12), (17, 18)], threshold=2.5)
    yield one("gaps of exactly the threshold", windows, [(0, 4), (8, 10), (13, 16)], threshold=4)
    yield one("an empty window", windows, [(0, 4)], 7, 7)
    yield one("an empty window, nothing runs", windows, [], 7, 7)
    yield one(
        "a long one before many short ones", windows, [(0, 30), (2, 4), (6, 8), (40, 41)], 1, 60, 3
    )
    for threshold in (1, 6):
        yield one(
            "drawn, with a window",
            windows,
            trace_cases.intervals(rng, 40, 400, 12),
            50,
            350,
            threshold,
        )
    ops = [
        (s["start_us"], s["end_us"])
        for s in simulated("sync", int(rng.integers(2**31)), 1)
        if s["cat"] in traces.DEVICE
    ]
    yield one("a simulated trace", windows, ops, 0.0, max(e for _, e in ops) + 10, 5.0)
    yield one("a window that ends before it begins", refuse, [(0, 4)], 9, 3, bad=True)
    yield one("the same, nothing runs", refuse, [], 9, 3, bad=True)
    yield one("a negative threshold", refuse, [(0, 4)], threshold=-1, bad=True)


def probe(solution, intervals, begin, end, threshold, bad=False):
    given = [tuple(p) for p in intervals]
    if bad:
        return refusal(lambda: solution(given, begin, end, threshold))  # noqa: F821
    answer = solution(given, begin, end, threshold)
    intervals[:] = [list(p) for p in given]  # a list that was sorted in place is found here
    return answer


def _few(gaps):
    return f"{len(gaps)}: {gaps}" if len(gaps) < 4 else f"{len(gaps)}"


def _asked(case):
    """The call, as far as it is short enough to read."""
    count = len(case.intervals)
    shown = [tuple(p) for p in case.intervals] if count < 6 else f"{count} intervals"
    return f"{shown}, window {case.begin:g} to {case.end:g}, threshold {case.threshold:g}"


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = traces.gaps(case.intervals, case.begin, case.end, case.threshold)
    answer = answer.tolist() if isinstance(answer, np.ndarray) else answer
    expect.that(
        isinstance(answer, (list, tuple)),
        "Return a list of (start, end).",
        stage="type",
        yours=expect.kind(answer),
    )
    expect.that(
        len(answer) == len(want),
        "The number of gaps is off.",
        stage="shape",
        where=_asked(case),
        yours=_few(answer),
        right=_few(want),
    )
    for index, (mine, right) in enumerate(zip(answer, want, strict=True)):
        pair = expect.sequence(
            mine.tolist() if isinstance(mine, np.ndarray) else mine, ("start_us", "end_us")
        )
        for value, good, name in zip(pair, right, ("start", "end"), strict=True):
            expect.number(value, good, f"{name} of gap {index}", atol=1e-6)
    return None
