"""Answers to gpu-time-by-range."""

from collections import defaultdict

from autograder.checks.bank import right, wrong

PROCESS = 0xFFFFFFFFFF000000


def _rows(connection, table, columns):
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    return connection.execute(f"SELECT {columns} FROM {table}").fetchall() if table in there else []


def _names(connection):
    return dict(_rows(connection, "StringIds", "id, value"))


def _ranges(connection, kinds=(59,)):
    names = _names(connection)
    rows = _rows(connection, "NVTX_EVENTS", "textId, text, start, end, eventType, globalTid")
    return [
        (names.get(number, text), start, end, tid)
        for number, text, start, end, kind, tid in rows
        if end is not None and kind in kinds
    ]


def _calls(connection, process=True):
    rows = _rows(connection, "CUPTI_ACTIVITY_KIND_RUNTIME", "correlationId, globalTid, start, end")
    return {(c, t & PROCESS if process else 0): (t, start, end) for c, t, start, end in rows}


def _kernels(connection):
    return _rows(connection, "CUPTI_ACTIVITY_KIND_KERNEL", "correlationId, globalPid, start, end")


def _answer(connection, names_of, add=lambda start, end: end - start):
    found = defaultdict(lambda: [0, 0])
    for kernel in _kernels(connection):
        for name in names_of(kernel):
            found[name][0] += 1
            found[name][1] += add(kernel[2], kernel[3])
    return {name: tuple(row) for name, row in found.items()}


def _around(ranges, call, thread=True, inside=lambda low, high, a, b: low <= a and b <= high):
    if call is None:
        return []
    return [r for r in ranges if (r[3] == call[0] or not thread) and inside(r[1], r[2], *call[1:])]


def _usual(connection, pick=None, process=True, **how):
    ranges, calls = _ranges(connection), _calls(connection, process)

    def names_of(kernel):
        call = calls.get((kernel[0], kernel[1] if process else 0))
        around = _around(ranges, call, **how)
        return (pick(around) if pick else {r[0] for r in around}) or [""]

    return _answer(connection, names_of)


@right("sets of names around the call")
def sets(connection):
    return _usual(connection)


@right("joined in SQL")
def in_sql(connection):
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if "CUPTI_ACTIVITY_KIND_KERNEL" not in there:
        return {}
    every = connection.execute(
        "SELECT rowid, end - start FROM CUPTI_ACTIVITY_KIND_KERNEL"
    ).fetchall()
    hits = []
    if {"NVTX_EVENTS", "CUPTI_ACTIVITY_KIND_RUNTIME"} <= there:
        hits = connection.execute("""SELECT DISTINCT coalesce(n.text, s.value), k.rowid, k.end - k.start
            FROM CUPTI_ACTIVITY_KIND_KERNEL AS k
            JOIN CUPTI_ACTIVITY_KIND_RUNTIME AS r ON r.correlationId = k.correlationId
                AND (r.globalTid & -16777216) = k.globalPid
            JOIN NVTX_EVENTS AS n ON n.globalTid = r.globalTid AND n.start <= r.start AND r.end <= n.end
                AND n.eventType = 59
            LEFT JOIN StringIds AS s ON s.id = n.textId""").fetchall()
    found = {}
    inside = {row for _, row, _ in hits}
    for name, _, ns in [*hits, *[("", row, ns) for row, ns in every if row not in inside]]:
        kernels, total = found.get(name, (0, 0))
        found[name] = [kernels + 1, total + ns]
    return found


@wrong(
    "by-the-kernels-own-time",
    "The kernel runs later than its launch: ranges are of the CPU, look for the call.",
)
def own_time(connection):
    ranges = _ranges(connection)
    return _answer(
        connection,
        lambda k: (
            {r[0] for r in ranges if r[1] <= k[2] and k[3] <= r[2] and r[3] & PROCESS == k[1]}
            or [""]
        ),
    )


@wrong(
    "by-overlap-with-the-kernel",
    "A kernel that runs while a range is open was not necessarily launched in it.",
)
def overlap(connection):
    ranges = _ranges(connection)
    return _answer(
        connection,
        lambda k: (
            {r[0] for r in ranges if r[1] < k[3] and k[2] < r[2] and r[3] & PROCESS == k[1]} or [""]
        ),
    )


@wrong(
    "process-forgotten", "A correlationId is unique within one process only: compare globalPid too."
)
def no_process(connection):
    return _usual(connection, process=False)


@wrong(
    "thread-forgotten",
    "A range of another thread is open at the time of the call, but not around it.",
)
def no_thread(connection):
    return _usual(connection, thread=False)


@wrong(
    "innermost-alone",
    "The kernel belongs to every range around the call, not to the innermost alone.",
)
def innermost(connection):
    return _usual(
        connection, lambda around: [min(around, key=lambda r: r[2] - r[1])[0]] if around else []
    )


@wrong(
    "outermost-alone",
    "The kernel belongs to every range around the call, not to the outermost alone.",
)
def outer(connection):
    return _usual(
        connection, lambda around: [max(around, key=lambda r: r[2] - r[1])[0]] if around else []
    )


@wrong("namesakes-count-twice", "A range in its namesake: the kernel counts once for that name.")
def twice(connection):
    return _usual(connection, lambda around: [r[0] for r in around])


@wrong("outside-left-out", 'Kernels outside all ranges stand under "".')
def outside(connection):
    return {name: row for name, row in sets(connection).items() if name}


@wrong("unrecorded-left-out", 'A kernel whose call was not recorded stands under "".')
def unrecorded(connection):
    calls, ranges = _calls(connection), _ranges(connection)

    def names_of(kernel):
        if (kernel[0], kernel[1]) not in calls:
            return []
        return {r[0] for r in _around(ranges, calls[kernel[0], kernel[1]])} or [""]

    return _answer(connection, names_of)


@wrong(
    "start-end-too",
    "Start/end ranges do not say which thread's calls they hold: push/pop alone count.",
)
def start_end(connection):
    ranges, calls = _ranges(connection, (59, 60)), _calls(connection)
    return _answer(
        connection, lambda k: {r[0] for r in _around(ranges, calls.get((k[0], k[1])))} or [""]
    )


@wrong("open-ranges-too", "A range without an end was still open: it does not count.")
def still_open(connection):
    names, calls = _names(connection), _calls(connection)
    rows = _rows(
        connection, "NVTX_EVENTS", "textId, text, start, ifnull(end, 1 << 60), eventType, globalTid"
    )
    ranges = [(names.get(n, text), a, b, tid) for n, text, a, b, kind, tid in rows if kind == 59]
    return _answer(
        connection, lambda k: {r[0] for r in _around(ranges, calls.get((k[0], k[1])))} or [""]
    )


@wrong("time-of-the-call", "GPU time is the kernel's end - start, not the call's.")
def call_time(connection):
    calls, ranges = _calls(connection), _ranges(connection)
    found = defaultdict(lambda: [0, 0])
    for k in _kernels(connection):
        call = calls.get((k[0], k[1]))
        for name in {r[0] for r in _around(ranges, call)} or {""}:
            found[name][0] += 1
            found[name][1] += call[2] - call[1] if call else k[3] - k[2]
    return dict(found)


@wrong(
    "until-the-kernels-end",
    "From the launch to the kernel's end is latency; GPU time is the kernel's end - start.",
)
def latency(connection):
    calls, ranges = _calls(connection), _ranges(connection)
    found = defaultdict(lambda: [0, 0])
    for k in _kernels(connection):
        call = calls.get((k[0], k[1]))
        for name in {r[0] for r in _around(ranges, call)} or {""}:
            found[name][0] += 1
            found[name][1] += k[3] - (call[1] if call else k[2])
    return dict(found)


@wrong("registered-names-alone", "A name that was not registered stands in `text`.")
def registered(connection):
    names, calls = _names(connection), _calls(connection)
    rows = _rows(connection, "NVTX_EVENTS", "textId, start, end, eventType, globalTid")
    ranges = [(names[n], a, b, tid) for n, a, b, kind, tid in rows if kind == 59 and b and n]
    return _answer(
        connection, lambda k: {r[0] for r in _around(ranges, calls.get((k[0], k[1])))} or [""]
    )


@wrong(
    "busy-time-for-the-sum", "gpu_ns is the sum of the kernels' times, also where streams overlap."
)
def union(connection):
    ranges, calls = _ranges(connection), _calls(connection)
    runs = defaultdict(list)
    for k in _kernels(connection):
        for name in {r[0] for r in _around(ranges, calls.get((k[0], k[1])))} or {""}:
            runs[name].append((k[2], k[3]))
    found = {}
    for name, spans in runs.items():
        busy, reached = 0, 0
        for start, end in sorted(spans):
            busy += max(0, end - max(start, reached))
            reached = max(reached, end)
        found[name] = (len(spans), busy)
    return found


@wrong(
    "tables-expected", "Tables are made only where there is something in them: each may be missing."
)
def expected(connection):
    for table in ("NVTX_EVENTS", "CUPTI_ACTIVITY_KIND_RUNTIME", "CUPTI_ACTIVITY_KIND_KERNEL"):
        connection.execute(f"SELECT count(*) FROM {table}")
    return sets(connection)


@wrong("ranges-without-kernels", "Names without a kernel are left out.")
def empty_too(connection):
    return {r[0]: (0, 0) for r in _ranges(connection)} | sets(connection)


@wrong("milliseconds", "gpu_ns stays in ns, an int.")
def milliseconds(connection):
    return {name: (n, ns / 1e6) for name, (n, ns) in sets(connection).items()}


@wrong(
    "calls-for-kernels", "Not every API call launches a kernel: begin with the table of kernels."
)
def every_call(connection):
    ranges, runs = _ranges(connection), {(k[0], k[1]): k[3] - k[2] for k in _kernels(connection)}
    found = defaultdict(lambda: [0, 0])
    for key, call in _calls(connection).items():
        for name in {r[0] for r in _around(ranges, call)} or {""}:
            found[name][0] += 1
            found[name][1] += runs.get(key, 0)
    return dict(found)


def _by_call(connection, inside):
    ranges, calls = _ranges(connection), _calls(connection)

    def names(kernel):
        found = _around(ranges, calls.get(kernel[:2]), inside=inside)
        return {row[0] for row in found} or {""}

    return _answer(connection, names)


@wrong("start-of-the-call", "The whole call must lie in the range: its end too.")
def by_start(connection):
    return _by_call(connection, lambda low, high, a, b: low <= a <= high)


@wrong("end-of-the-call", "The whole call must lie in the range: its start too.")
def by_end(connection):
    return _by_call(connection, lambda low, high, a, b: low <= b <= high)


@wrong("call-that-overlaps", "The call must lie inside the range; to overlap it is not enough.")
def by_overlap(connection):
    return _by_call(connection, lambda low, high, a, b: low < b and a < high)
