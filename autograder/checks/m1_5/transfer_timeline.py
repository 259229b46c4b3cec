"""transfer-timeline: starts and ends of operations on streams, against an event simulation."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.transfers import simulate

PARTS = {"streams and engines": 0.5, "one copy engine": 0.15, "events": 0.2, "refuse": 0.15}
HINTS = (
    "Keep two dicts: when each stream is free again, and when each engine is.",
    "start = the latest of: the stream, the engine, the ends of the operations in `after`.",
    "With one copy engine, 'in' and 'out' have the same key.",
)


def _random(rng, count, streams, events):
    operations = []
    for index in range(count):
        kind = ("in", "kernel", "out")[int(rng.integers(3))]
        waits = int(rng.integers(0, 3)) if events and index else 0
        after = [int(i) for i in rng.integers(0, index, waits)] if waits else []
        operations.append([int(rng.integers(streams)), kind, float(rng.integers(0, 20)), after])
    return operations


def _chunked(chunks, streams, breadth):
    stages = (("in", 4.0), ("kernel", 3.0), ("out", 2.0))
    if breadth:
        return [[c % streams, k, d, []] for k, d in stages for c in range(chunks)]
    return [[c % streams, k, d, []] for c in range(chunks) for k, d in stages]


def cases(rng):
    part = "streams and engines"
    yield case("nothing", part, operations=[])
    yield case("one operation", part, operations=[[0, "kernel", 5.0, []]])
    yield case("one stream", part, operations=_chunked(3, 1, False))
    yield case("two streams, chunk by chunk", part, operations=_chunked(4, 2, False))
    yield case("four streams, stage by stage", part, operations=_chunked(4, 4, True))
    yield case("stream numbers with gaps", part, operations=[[7, "in", 2.0, []], [3, "in", 1.0, []],
               [7, "kernel", 4.0, []], [3, "kernel", 4.0, []]])  # fmt: skip
    yield case("a later copy must not overtake", part, operations=[[0, "kernel", 9.0, []],
               [0, "in", 2.0, []], [1, "in", 1.0, []], [1, "kernel", 1.0, []]])  # fmt: skip
    for count, streams in ((12, 2), (30, 5), (60, 3)):
        yield case(
            f"{count} drawn operations", part, operations=_random(rng, count, streams, False)
        )
    for streams, breadth in ((4, False), (4, True)):
        yield case("in and out share the engine", "one copy engine", copy_engines=1,
                   operations=_chunked(4, streams, breadth))  # fmt: skip
    yield case("drawn, shared engine", "one copy engine", operations=_random(rng, 30, 4, False),
               copy_engines=1)  # fmt: skip
    yield case("wait for another stream", "events", operations=[[0, "in", 5.0, []],
               [1, "kernel", 2.0, [0]], [2, "out", 1.0, [1]], [3, "in", 1.0, []]])  # fmt: skip
    yield case("wait for the later of two", "events", operations=[[0, "in", 5.0, []],
               [1, "kernel", 20.0, []], [2, "out", 1.0, [1, 0]], [3, "out", 1.0, [0, 1]]])  # fmt: skip
    for copy_engines in (1, 2):
        yield case("drawn, with events", "events", operations=_random(rng, 40, 4, True),
                   copy_engines=copy_engines)  # fmt: skip
    good = [0, "in", 1.0, []]
    for label, operations, copy_engines in (
        ("an unknown kind", [[0, "copy", 1.0, []]], 2),
        ("a negative duration", [good, [0, "out", -1.0, []]], 2),
        ("waiting for itself", [good, [1, "kernel", 1.0, [1]]], 2),
        ("waiting for a later one", [[1, "kernel", 1.0, [1]], good], 2),
        ("waiting for number -1", [good, [1, "kernel", 1.0, [-1]]], 2),
        ("0 copy engines", [good], 0),
        ("3 copy engines", [good], 3),
    ):
        yield case(label, "refuse", operations=operations, copy_engines=copy_engines, refuse=True)


def probe(solution, operations, copy_engines=None, refuse=False):
    given = [(stream, kind, us, tuple(after)) for stream, kind, us, after in operations]
    more = () if copy_engines is None else (copy_engines,)
    if refuse:
        return refusal(lambda: solution(given, *more))  # noqa: F821
    return solution(given, *more)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    shared = case.inputs.get("copy_engines") == 1
    queued = [
        (
            (("stream", stream), ("engine", "in" if shared and kind == "out" else kind)),
            duration,
            tuple(after),
        )
        for stream, kind, duration, after in case.operations
    ]
    want = simulate(queued)
    if isinstance(answer, np.ndarray):
        answer = answer.tolist()
    if not isinstance(answer, (list, tuple)):
        expect.wrong("type", "Return a list of (start, end) pairs.", yours=expect.kind(answer))
    if len(answer) != len(want):
        expect.wrong(
            "shape", "Return a pair for each operation.", yours=len(answer), right=len(want)
        )
    for index, (span, right) in enumerate(zip(answer, want, strict=True)):
        if isinstance(span, np.ndarray):
            span = span.tolist()
        pair = expect.sequence(span, ("start", "end"))
        for value, good, name in zip(pair, right, ("start", "end"), strict=True):
            where = f"operation {index}: {tuple(case.operations[index])}"
            expect.number(value, good, f"{name} of operation {index}", atol=1e-9, hint=where)
    return None
