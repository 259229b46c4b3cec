"""Answers to next-profile."""

from collections import Counter

from autograder.checks.bank import right, wrong


def _runs(connection, name="shortName", table="CUPTI_ACTIVITY_KIND_KERNEL"):
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if table not in there:
        return []
    names = dict(connection.execute("SELECT id, value FROM StringIds"))
    rows = connection.execute(f"SELECT start, end, {name} FROM {table}").fetchall()
    return [(start, end, names[number]) for start, end, number in rows]


def _clipped(runs, low, high):
    clipped = [(max(a, low), min(b, high), name) for a, b, name in runs]
    return sorted(run for run in clipped if run[0] < run[1])


def _refuse(low, high):
    if high <= low:
        raise ValueError("empty window")


def _busy_gap(runs, low, high, ends=True):
    busy, gap, reached = 0, 0, low if ends or not runs else runs[0][0]
    for start, end, _ in runs:
        gap = max(gap, start - reached)
        busy += max(0, end - max(start, reached))
        reached = max(reached, end)
    return busy, max(gap, high - reached) if ends or not runs else gap


def _total(runs):
    total = Counter()
    for start, end, name in runs:
        total[name] += end - start
    return total


def _dict(share, gap, total, border=None):
    tool = "ncu" if (share >= 0.5 if border is None else border(share)) else "nsys"
    kernel = sorted(total, key=lambda k: (-total[k], k))[0] if tool == "ncu" and total else None
    return {"busy_share": share, "longest_gap_ns": gap, "tool": tool, "kernel": kernel}


@right("merged intervals")
def merged(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    busy, gap = _busy_gap(runs, start_ns, end_ns)
    return _dict(busy / (end_ns - start_ns), gap, _total(runs))


@right("edges counted up and down")
def edges(connection, start_ns, end_ns):
    if not end_ns > start_ns:
        raise ValueError("window")
    runs = _clipped(_runs(connection), start_ns, end_ns)
    points = sorted(
        [(a, 1) for a, _, _ in runs] + [(b, -1) for _, b, _ in runs], key=lambda p: (p[0], -p[1])
    )
    open_runs, idle, at, gap = 0, 0, start_ns, 0
    for point, step in [*points, (end_ns, 0)]:
        if open_runs == 0:
            idle += point - at
            gap = max(gap, point - at)
        at = point
        open_runs += step
    return _dict(1 - idle / (end_ns - start_ns) if idle else 1.0, gap, _total(runs),
                 lambda _: 2 * idle <= end_ns - start_ns)  # fmt: skip


@wrong(
    "sum-for-union", "Kernels of several streams overlap: busy time is their union, not their sum."
)
def summed(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    _, gap = _busy_gap(runs, start_ns, end_ns)
    total = _total(runs)
    return _dict(sum(total.values()) / (end_ns - start_ns), gap, total)


@wrong("sum-cut-at-one", "Cutting the sum at 1 does not make it the union.")
def cut(connection, start_ns, end_ns):
    found = summed(connection, start_ns, end_ns)
    return found | {"busy_share": min(1.0, found["busy_share"])}


@wrong("not-clipped", "What a kernel does outside the window does not count.")
def unclipped(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    runs = sorted(r for r in _runs(connection) if r[0] < end_ns and r[1] > start_ns)
    busy, gap = _busy_gap(runs, min([start_ns, *(r[0] for r in runs)]), end_ns)
    return _dict(busy / (end_ns - start_ns), gap, _total(runs))


@wrong("whole-kernels-alone", "A kernel over the window's edge counts with its part inside.")
def whole(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    runs = sorted(r for r in _runs(connection) if r[0] >= start_ns and r[1] <= end_ns)
    busy, gap = _busy_gap(runs, start_ns, end_ns)
    return _dict(busy / (end_ns - start_ns), gap, _total(runs))


@wrong("window-ignored", "The window is given: kernels before and behind it do not count.")
def no_window(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    runs = sorted(_runs(connection))
    if not runs:
        return _dict(0.0, end_ns - start_ns, {})
    low, high = runs[0][0], max(b for _, b, _ in runs)
    busy, gap = _busy_gap(runs, low, high)
    return _dict(busy / (high - low), gap, _total(runs))


@wrong(
    "gaps-at-the-ends-forgotten",
    "The time before the first and behind the last kernel is a gap too.",
)
def inner_gaps(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    busy, _ = _busy_gap(runs, start_ns, end_ns)
    _, gap = _busy_gap(runs, start_ns, end_ns, ends=False)
    return _dict(busy / (end_ns - start_ns), gap, _total(runs))


@wrong(
    "gap-to-the-previous-kernel",
    "The gap begins where all kernels before have ended, not the previous one in the list.",
)
def previous(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    starts = [a for a, _, _ in runs] + [end_ns]
    ends = [start_ns] + [b for _, b, _ in runs]
    gap = max(a - b for a, b in zip(starts, ends, strict=True))
    return good | {"longest_gap_ns": max(0, gap)}


@wrong("total-idle-for-the-longest-gap", "One gap was asked for, the longest; not the sum of all.")
def all_idle(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    return good | {"longest_gap_ns": end_ns - start_ns - _busy_gap(runs, start_ns, end_ns)[0]}


@wrong("most-launches", "The kernel with most time in sum, not with most launches.")
def launches(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    count = Counter(name for _, _, name in runs)
    return _dict(good["busy_share"], good["longest_gap_ns"], count)


@wrong("longest-single-run", "The times of a kernel's launches add up.")
def longest(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    best = {}
    for a, b, name in _clipped(_runs(connection), start_ns, end_ns):
        best[name] = max(best.get(name, 0), b - a)
    return _dict(good["busy_share"], good["longest_gap_ns"], best)


@wrong(
    "demangled-names",
    "The shortName is asked for: the demangled one has template arguments and parameters.",
)
def demangled(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    runs = _clipped(_runs(connection, "demangledName"), start_ns, end_ns)
    return _dict(good["busy_share"], good["longest_gap_ns"], _total(runs))


@wrong("total-outside-the-window", "Also the sums by kernel are of the window.")
def total_all(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    return _dict(good["busy_share"], good["longest_gap_ns"], _total(_runs(connection)))


@wrong("tools-swapped", "An idle GPU is a question for the timeline: nsys.")
def swapped(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    return _dict(
        good["busy_share"], good["longest_gap_ns"], _total(runs), lambda share: share < 0.5
    )


@wrong("above-half", "At exactly one half the answer is ncu.")
def above(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    runs = _clipped(_runs(connection), start_ns, end_ns)
    return _dict(
        good["busy_share"], good["longest_gap_ns"], _total(runs), lambda share: share > 0.5
    )


@wrong("kernel-always-named", "For nsys there is no kernel to name: None.")
def always(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    total = _total(_clipped(_runs(connection), start_ns, end_ns))
    return good | {"kernel": min(total, key=lambda k: (-total[k], k), default=None)}


@wrong("tie-by-order", "Of equals the alphabetically first.")
def tie(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    total = _total(_clipped(_runs(connection), start_ns, end_ns))
    kernel = total.most_common(1)[0][0] if good["tool"] == "ncu" else None
    return good | {"kernel": kernel}


@wrong("copies-counted", "Kernels alone count: a copy leaves the SMs idle.")
def copies(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    good = merged(connection, start_ns, end_ns)
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    runs = _runs(connection)
    if "CUPTI_ACTIVITY_KIND_MEMCPY" in there:
        rows = connection.execute("SELECT start, end FROM CUPTI_ACTIVITY_KIND_MEMCPY").fetchall()
        runs = runs + [(a, b, "") for a, b in rows]
    busy, gap = _busy_gap(_clipped(runs, start_ns, end_ns), start_ns, end_ns)
    return good | {"busy_share": busy / (end_ns - start_ns), "longest_gap_ns": gap}


@wrong("percent", "busy_share runs from 0 to 1.")
def percent(connection, start_ns, end_ns):
    good = merged(connection, start_ns, end_ns)
    return good | {"busy_share": 100 * good["busy_share"]}


@wrong("one-stream", "All streams count.")
def one_stream(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    runs = _runs(connection)
    if runs:
        query = "SELECT start, end, value FROM CUPTI_ACTIVITY_KIND_KERNEL JOIN StringIds ON id = shortName WHERE streamId = 7"
        runs = connection.execute(query).fetchall()
    runs = _clipped(runs, start_ns, end_ns)
    busy, gap = _busy_gap(runs, start_ns, end_ns)
    return _dict(busy / (end_ns - start_ns), gap, _total(runs))


@wrong("table-expected", "An export without kernels lacks their table.")
def expected(connection, start_ns, end_ns):
    _refuse(start_ns, end_ns)
    connection.execute("SELECT count(*) FROM CUPTI_ACTIVITY_KIND_KERNEL")
    return merged(connection, start_ns, end_ns)


@wrong(
    "empty-window-accepted", "A window that does not end behind its start must raise ValueError."
)
def empty(connection, start_ns, end_ns):
    if end_ns <= start_ns:
        return _dict(0.0, 0, {})
    return merged(connection, start_ns, end_ns)
