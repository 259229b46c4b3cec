"""trace-spans: events of every phase, pairs by thread, times from the first span."""

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from lab.trace_simulator import simulate_trace

PARTS = {"complete events": 0.45, "begin and end": 0.35, "whole files": 0.2}
HINTS = (
    "Keep a list of open B events for each (pid, tid); an E takes the last one.",
    "The origin is the smallest start among the spans: a metadata event may have ts 0.",
    'sorted(spans, key=lambda s: (s["start_us"], -s["end_us"]))',
)
KEYS = ("name", "cat", "pid", "tid", "start_us", "end_us", "args")
T0 = 4447293215686.0


def _x(name, ts, dur=None, tid=1, pid=1, **more):
    event = {"ph": "X", "name": name, "pid": pid, "tid": tid, "ts": T0 + ts, **more}
    return event if dur is None else event | {"dur": dur}


def _edge(ph, ts, tid=1, pid=1, **more):
    return {"ph": ph, "pid": pid, "tid": tid, "ts": T0 + ts, **more}


def _random(rng, count):
    events = []
    for tid in (1, 2, "loader"):
        at, depth = int(rng.integers(0, 9)), 0
        for _ in range(count):
            at += int(rng.integers(1, 30))
            opens = depth == 0 or rng.random() < 0.5
            depth += 1 if opens else -1
            event = _edge(
                "B" if opens else "E", at, tid, args={str(rng.choice(["a", "b", "c"])): at}
            )
            events.append(
                event | ({"name": f"op{rng.integers(5)}", "cat": "cpu_op"} if opens else {})
            )
            if rng.random() < 0.4:
                events.append(_x("x", at, float(rng.integers(0, 50)), tid, cat="cpu_op"))
    return [events[i] for i in rng.permutation(len(events))]


def cases(rng):
    first, pairs, files = PARTS
    meta = {
        "ph": "M",
        "name": "process_name",
        "pid": 1,
        "tid": 0,
        "ts": 0,
        "args": {"name": "python"},
    }
    plain = [
        _x("b", 40.5, 2.25, cat="cpu_op", args={"External id": 3}),
        _x("a", 10.0, 50.0, cat="step"),
    ]

    def one(label, part, events, **more):
        return case(label, part, trace={**more, "traceEvents": events})

    yield one("two complete events", first, plain)
    yield one("metadata with ts 0", first, [meta, *plain])
    yield one("displayTimeUnit ns", first, plain, displayTimeUnit="ns")
    yield one(
        "an instant before the first span",
        first,
        [_edge("i", -500.0, name="Iteration Start", s="g"), *plain],
    )
    yield one(
        "a flow, a counter and a sample",
        first,
        [
            *plain,
            _edge("s", 1.0, id=5, name="ac2g", cat="ac2g"),
            _edge("f", 45.0, id=5, name="ac2g", cat="ac2g", bp="e"),
            _edge("C", 3.0, name="memory", args={"bytes": 4}),
        ],
    )
    yield one("no dur, no cat, no args", first, [_x("mark", 5.0), *plain])
    yield one("no name", first, [{"ph": "X", "pid": 1, "tid": 1, "ts": T0, "dur": 1.0}])
    yield one(
        "equal starts: the longer first",
        first,
        [_x("in", 0.0, 3.0), _x("out", 0.0, 9.0), _x("mid", 0.0, 5.0)],
    )
    yield one(
        "whole microseconds",
        first,
        [
            {"ph": "X", "name": "k", "cat": "kernel", "pid": 0, "tid": 7, "ts": 100, "dur": 7},
            {
                "ph": "X",
                "name": "k",
                "cat": "kernel",
                "pid": "Spans",
                "tid": "PyTorch Profiler",
                "ts": 90,
                "dur": 70,
            },
        ],
    )
    yield one("nothing", first, [])
    b, e = (
        (lambda ts, name, tid=1, **more: _edge("B", ts, tid, name=name, **more)),
        (lambda ts, tid=1, **more: _edge("E", ts, tid, **more)),
    )
    yield one("one pair", pairs, [b(2.0, "step", cat="user"), e(8.5)])
    yield one("nested pairs", pairs, [b(0.0, "outer"), b(2.0, "inner"), e(5.0), e(9.0)])
    yield one(
        "pairs of two threads cross",
        pairs,
        [b(0.0, "one", 1), b(1.0, "two", 2), e(4.0, 1), e(7.0, 2)],
    )
    other = [_edge("B", 1.0, 1, 2, name="other process"), _edge("E", 3.0, 1, 2)]
    yield one("the same tid in two processes", pairs, [b(0.0, "one"), other[0], e(2.0), other[1]])
    yield one("the file is not sorted", pairs, [e(9.0), b(2.0, "inner"), e(5.0), b(0.0, "outer")])
    yield one(
        "args of both", pairs, [b(0.0, "op", args={"x": 1, "y": 2}), e(3.0, args={"y": 5, "z": 6})]
    )
    yield one(
        "the E has another name and cat",
        pairs,
        [b(0.0, "right", cat="cpu_op"), e(3.0, name="left", cat="other")],
    )
    yield one(
        "never closed, and closing nothing", pairs, [e(1.0), b(3.0, "good"), e(6.0), b(8.0, "open")]
    )
    yield one(
        "the origin is not an event left out",
        pairs,
        [e(1.0), b(2.0, "open"), b(5.0, "good"), e(9.0)],
    )
    lower = [
        {**_edge(ph, ts), "name": "async", "id": 4}
        for ph, ts in (("b", 1.0), ("n", 2.0), ("e", 9.0))
    ]
    yield one("asynchronous b and e", pairs, [*lower, b(3.0, "good"), e(6.0)])
    yield one("begin and end at the same time", pairs, [b(0.0, "p"), e(4.0), b(4.0, "q"), e(7.0)])
    yield one(
        "a pair of no length in another",
        pairs,
        [b(0.0, "outer"), b(3.0, "mark", cat="cpu_op"), e(3.0), e(8.0)],
    )
    yield one("a pair before any complete event", pairs, [_x("x", 6.0, 1.0), b(2.0, "p"), e(5.0)])
    yield one('threads 1 and "1"', pairs, [b(0.0, "one"), b(1.0, "text", "1"), e(4.0), e(7.0, "1")])
    far = [_edge("B", 1.0, 11, 1, name="11 of 1"), _edge("E", 7.0, 11, 1)]
    near = [_edge("B", 0.0, 1, 11, name="1 of 11"), _edge("E", 4.0, 1, 11)]
    yield one("threads 1 of 11 and 11 of 1", pairs, [*far, *near])
    for count in (8, 30):
        yield one("drawn", files, _random(rng, count))
    yield case(
        "a simulated trace", files, trace=simulate_trace("sync", int(rng.integers(2**31)), 1)
    )


def probe(solution, trace):
    return solution(trace)


def _place(span):
    # Files round to 0.001 us: rounded to that, equal times are equal however they were computed.
    times = round(span["start_us"], 3), -round(span["end_us"], 3)
    return *times, *(str(span[key]) for key in ("name", "pid", "tid", "args"))


def judge(case, answer):
    want = traces.read(case.trace)
    expect.that(
        isinstance(answer, (list, tuple)),
        "Return a list of spans.",
        stage="type",
        yours=expect.kind(answer),
    )
    for span in answer:
        expect.mapping(span, KEYS, only=True)
        for key in ("start_us", "end_us"):
            value = span[key]
            expect.that(
                isinstance(value, float),
                f"`{key}` must be a float.",
                stage="type",
                yours=expect.kind(value),
            )
    expect.that(
        len(answer) == len(want),
        "The number of spans is off.",
        stage="shape",
        yours=len(answer),
        right=len(want),
        hint=f"Phases in the file: {', '.join(sorted({e['ph'] for e in case.trace['traceEvents']}))}.",
    )
    order = [(s["start_us"], -s["end_us"]) for s in answer]
    near = all(
        a[0] < b[0] - 0.002 or (abs(a[0] - b[0]) <= 0.002 and a[1] <= b[1] + 0.002) or a <= b
        for a, b in zip(order, order[1:], strict=False)
    )
    mine, theirs = sorted(answer, key=_place), sorted(want, key=_place)
    for index, (got, right) in enumerate(zip(mine, theirs, strict=True)):
        where = f"span {index} in order of time"
        for name in ("start_us", "end_us"):
            value = got[name]
            expect.that(
                abs(value - right[name]) <= 0.01,
                f"`{name}` is off.",
                where=f"{where}, {right['name']!r}",
                yours=value,
                right=right[name],
                hint="ts and dur are microseconds; the first span starts at 0.0.",
            )
        for name in ("name", "cat", "pid", "tid", "args"):
            good = type(got[name]) is type(right[name]) and got[name] == right[name]
            expect.that(good, f"`{name}` is off.", where=where, yours=got[name], right=right[name])
    expect.that(
        near, "The spans are not in order: by start, of equal starts the one that ends last first."
    )
