"""Answers to transfer-timeline."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(operations, copy_engines, checks="ckdaln"):
    if "c" in checks and copy_engines not in (1, 2):
        raise ValueError("engines")
    for index, (_, kind, duration, after) in enumerate(operations):
        if "k" in checks and kind not in ("in", "kernel", "out"):
            raise ValueError("kind")
        if "d" in checks and duration < 0:
            raise ValueError("duration")
        if "l" in checks and any(i >= index for i in after):
            raise ValueError("later")
        if "n" in checks and any(i < 0 for i in after):
            raise ValueError("negative")


def _engine(kind, copy_engines):
    return "copy" if copy_engines == 1 and kind != "kernel" else kind


def _walk(operations, copy_engines, *, engine=_engine, checks="ckdaln", wait=max, streams=True,
          busy=True, same=lambda stream: stream):  # fmt: skip
    _refuse(operations, copy_engines, checks)
    free, spans = {}, []
    for stream, kind, duration, after in operations:
        keys = [("stream", same(stream))] * streams + [
            ("engine", engine(kind, copy_engines))
        ] * busy
        ends = [spans[i][1] for i in after if abs(i) <= len(spans) and i < len(spans)]
        start = max([0.0, *(free.get(k, 0.0) for k in keys)] + ([wait(ends)] if ends else []))
        spans.append((start, start + duration))
        free.update(dict.fromkeys(keys, start + duration))
    return spans


@right("one pass with two kinds of keys")
def one_pass(operations, copy_engines=2):
    return _walk(operations, copy_engines)


@right("looking back over all earlier operations")
def look_back(operations, copy_engines=2):
    _refuse(operations, copy_engines)
    spans = []
    for index, (stream, kind, duration, after) in enumerate(operations):
        start = 0.0
        for earlier in range(index):
            other = operations[earlier]
            shares = _engine(kind, copy_engines) == _engine(other[1], copy_engines)
            if other[0] == stream or shares or earlier in after:
                start = max(start, spans[earlier][1])
        spans.append([start, start + duration])
    return spans


@right("relaxed until nothing moves, as an array")
def relaxed(operations, copy_engines=2):
    _refuse(operations, copy_engines)
    n = len(operations)
    length = np.array([op[2] for op in operations], dtype=float)
    edges = [(i, j) for j in range(n) for i in range(j)
             if operations[i][0] == operations[j][0] or i in operations[j][3]
             or _engine(operations[i][1], copy_engines) == _engine(operations[j][1], copy_engines)]  # fmt: skip
    start, moved = np.zeros(n), True
    while moved:
        moved = False
        for i, j in edges:
            if start[i] + length[i] > start[j]:
                start[j], moved = start[i] + length[i], True
    return np.stack([start, start + length], axis=1)


@wrong("streams-not-in-order", "Operations of a stream run in order; yours wait for engines only.")
def no_streams(operations, copy_engines=2):
    return _walk(operations, copy_engines, streams=False)


@wrong(
    "engines-without-end", "An engine does one operation at a time; yours wait for streams only."
)
def no_engines(operations, copy_engines=2):
    return _walk(operations, copy_engines, busy=False)


@wrong("two-compute-engines", "Kernels run one at a time; you count a compute engine for each stream.")  # fmt: skip
def own_compute(operations, copy_engines=2):
    _refuse(operations, copy_engines)
    free, spans = {}, []
    for stream, kind, duration, after in operations:
        keys = [("stream", stream)]
        keys += [] if kind == "kernel" else [_engine(kind, copy_engines)]
        start = max([0.0, *(free.get(k, 0.0) for k in keys), *(spans[i][1] for i in after)])
        spans.append((start, start + duration))
        free.update(dict.fromkeys(keys, start + duration))
    return spans


@wrong("both-directions-share", "With two copy engines, in and out do not wait for each other.")
def always_shared(operations, copy_engines=2):
    return _walk(operations, copy_engines, engine=lambda kind, n: _engine(kind, 1))


@wrong("copy-engines-ignored", "With one copy engine, in and out wait for each other.")
def never_shared(operations, copy_engines=2):
    return _walk(operations, copy_engines, engine=lambda kind, n: kind)


@wrong("everything-in-turn", "You run all operations one after another: nothing overlaps.")
def serial(operations, copy_engines=2):
    return _walk(operations, copy_engines, same=lambda stream: 0)


@wrong("events-ignored", "The operations in `after` must have ended before the start.")
def no_events(operations, copy_engines=2):
    return [list(s) for s in _walk([(*op[:3], ()) for op in operations], copy_engines)] if not (
        _refuse(operations, copy_engines)) else None  # fmt: skip


@wrong("last-event-only", "Wait for all operations in `after`, not only for the last one named.")
def last_event(operations, copy_engines=2):
    return _walk(operations, copy_engines, wait=lambda ends: ends[-1])


@wrong("first-event-enough", "Wait until all of `after` have ended, not the first of them.")
def first_event(operations, copy_engines=2):
    return _walk(operations, copy_engines, wait=min)


@wrong("waits-for-the-start", "An event happens at the end of the operation, not at its start.")
def by_start(operations, copy_engines=2):
    _refuse(operations, copy_engines)
    free, spans = {}, []
    for stream, kind, duration, after in operations:
        keys = [("stream", stream), _engine(kind, copy_engines)]
        start = max([0.0, *(free.get(k, 0.0) for k in keys), *(spans[i][0] for i in after)])
        spans.append((start, start + duration))
        free.update(dict.fromkeys(keys, start + duration))
    return spans


@wrong("durations-for-ends", "Return start and end, not start and duration.")
def durations(operations, copy_engines=2):
    return [(start, end - start) for start, end in _walk(operations, copy_engines)]


@wrong("later-copies-overtake", "An engine keeps the order of issue, also when a later operation could start earlier.")  # fmt: skip
def overtaking(operations, copy_engines=2):
    _refuse(operations, copy_engines)
    spans, gaps = [None] * len(operations), {}
    waiting = list(range(len(operations)))
    while waiting:
        ready = []
        for index in waiting:
            stream, kind, duration, after = operations[index]
            before = [i for i in range(index) if operations[i][0] == stream] + list(after)
            if all(spans[i] for i in before):
                engine = gaps.get(_engine(kind, copy_engines), 0.0)
                ready.append((max([engine, *(spans[i][1] for i in before)]), index))
        start, index = min(ready)
        waiting.remove(index)
        spans[index] = (start, start + operations[index][2])
        gaps[_engine(operations[index][1], copy_engines)] = spans[index][1]
    return spans


@wrong("sorted-by-stream", "The order of issue is the order given; you go stream by stream.")
def by_stream(operations, copy_engines=2):
    _refuse(operations, copy_engines)
    order = sorted(range(len(operations)), key=lambda i: operations[i][0])
    found = _walk([(*operations[i][:3], ()) for i in order], copy_engines)
    return [found[order.index(i)] for i in range(len(operations))]


@wrong("default-is-one-engine", "Without copy_engines there are two.")
def default_one(operations, copy_engines=1):
    return _walk(operations, copy_engines)


@wrong("kind-not-checked", "A kind other than in, kernel and out must raise ValueError.")
def any_kind(operations, copy_engines=2):
    return _walk(operations, copy_engines, checks="cdaln")


@wrong("duration-not-checked", "A negative duration must raise ValueError.")
def any_duration(operations, copy_engines=2):
    return _walk(operations, copy_engines, checks="ckaln")


@wrong("later-accepted", "An operation can only wait for operations issued before it: else ValueError.")  # fmt: skip
def any_later(operations, copy_engines=2):
    return _walk(operations, copy_engines, checks="ckdn")


@wrong("negative-accepted", "An index of -1 in `after` must raise ValueError; Python would count from the end.")  # fmt: skip
def any_negative(operations, copy_engines=2):
    return _walk(operations, copy_engines, checks="ckdl")


@wrong("engines-not-checked", "copy_engines other than 1 and 2 must raise ValueError.")
def any_engines(operations, copy_engines=2):
    return _walk(operations, copy_engines, checks="kdln")
