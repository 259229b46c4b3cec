"""stream-program: a host that launches, records, waits and synchronizes, against an event simulation."""

from autograder.checks import case, expect
from autograder.checks.oracles.transfers import simulate

PARTS = {"launches": 0.35, "events": 0.3, "host": 0.2, "refuse": 0.15}
HINTS = (
    "Keep `now` for the host, and three dicts: when streams are free, when engines are, when events happen.",
    'A "record" stores the time at which its stream is free; a "wait" raises that time for another stream.',
    'A "sync" moves `now` forward and never back; the next launch begins there.',
)


def _random(rng, count, streams, syncs):
    program = []
    for _ in range(count):
        stream, event = int(rng.integers(streams)), "abc"[int(rng.integers(3))]
        what = int(rng.integers(10))
        if what < 6:
            engine = ("in", "kernel", "out")[int(rng.integers(3))]
            program.append(["launch", stream, engine, float(rng.integers(0, 30))])
        elif what < 8:
            program.append(["record", stream, event])
        elif what < 9 or not syncs:
            program.append(["wait", stream, event])
        else:
            program.append(["sync", [None, event][int(rng.integers(2))]])
    return program


def _pipeline(chunks, streams):
    stages = (("in", 40.0), ("kernel", 30.0), ("out", 20.0))
    return [["launch", c % streams, k, d] for c in range(chunks) for k, d in stages]


def cases(rng):
    a, b = ["launch", 0, "in", 20.0], ["launch", 1, "kernel", 10.0]
    part = "launches"
    yield case("nothing", part, program=[], launch_us=5.0)
    yield case("one kernel", part, program=[b], launch_us=5.0)
    yield case("launch-bound", part, program=[["launch", 0, "kernel", 2.0]] * 5, launch_us=5.0)
    yield case("device-bound", part, program=[["launch", 0, "kernel", 9.0]] * 5, launch_us=5.0)
    yield case("one stream", part, program=_pipeline(3, 1), launch_us=4.0)
    yield case("three streams", part, program=_pipeline(6, 3), launch_us=4.0)
    yield case(
        "one kernel at a time",
        part,
        program=[["launch", s, "kernel", 30.0] for s in (3, 9, 3)],
        launch_us=1.0,
    )
    yield case(
        "drawn launches",
        part,
        program=[c for c in _random(rng, 50, 3, False) if c[0] == "launch"],
        launch_us=6.0,
    )
    part = "events"
    yield case(
        "wait for a copy", part, program=[a, ["record", 0, "x"], ["wait", 1, "x"], b], launch_us=5.0
    )
    yield case(
        "an event that was never recorded", part, program=[a, ["wait", 1, "x"], b], launch_us=5.0
    )
    yield case(
        "recorded after the wait",
        part,
        program=[a, ["wait", 1, "x"], b, ["record", 0, "x"], b],
        launch_us=5.0,
    )
    yield case(
        "recorded before the copy",
        part,
        program=[["record", 0, "x"], a, ["wait", 1, "x"], b],
        launch_us=5.0,
    )
    yield case(
        "recorded twice",
        part,
        launch_us=2.0,
        program=[a, ["record", 0, "x"], a, ["record", 0, "x"], ["wait", 1, "x"], b],
    )
    yield case(
        "recorded again later",
        part,
        launch_us=2.0,
        program=[a, ["record", 0, "x"], ["wait", 1, "x"], a, ["record", 0, "x"], b],
    )
    yield case(
        "recorded again in another stream",
        part,
        launch_us=2.0,
        program=[a, ["record", 0, "x"], ["record", 2, "x"], ["wait", 1, "x"], b],
    )
    yield case(
        "a wait in a chain",
        part,
        launch_us=2.0,
        program=[
            a,
            ["record", 0, "x"],
            ["wait", 1, "x"],
            ["record", 1, "y"],
            ["wait", 2, "y"],
            ["launch", 2, "out", 5.0],
        ],
    )
    yield case(
        "waiting for the own stream",
        part,
        launch_us=2.0,
        program=[a, ["record", 0, "x"], ["wait", 0, "x"], a],
    )
    out = ["launch", 2, "out", 5.0]
    wait_one = [out, a, ["record", 0, "x"], ["wait", 1, "x"], out, b]
    yield case("another stream does not wait", part, program=wait_one, launch_us=2.0)
    for count in (30, 60):
        yield case(
            f"{count} drawn calls", part, program=_random(rng, count, 4, False), launch_us=3.0
        )
    part = "host"
    yield case("wait for the device", part, program=[a, ["sync", None], b], launch_us=5.0)
    yield case("nothing to wait for", part, program=[["sync", None], b], launch_us=5.0)
    slow = [
        ["launch", 0, "kernel", 1.0],
        ["record", 0, "x"],
        ["launch", 0, "in", 0.0],
        ["launch", 1, "in", 0.0],
    ]
    yield case("sync after a slow launch", part, program=[*slow, ["sync", "x"], b], launch_us=5.0)
    yield case(
        "sync with an event of one stream",
        part,
        launch_us=5.0,
        program=[["launch", 2, "out", 90.0], a, ["record", 0, "x"], ["sync", "x"], b],
    )
    yield case(
        "sync with an event never recorded", part, program=[a, ["sync", "x"], b], launch_us=5.0
    )
    yield case("ends in a sync", part, program=[a, b, ["sync", None]], launch_us=5.0)
    yield case("ends without", part, program=[a, b], launch_us=5.0)
    yield case(
        "sync waits for a waiting stream",
        part,
        launch_us=2.0,
        program=[a, ["record", 0, "x"], ["wait", 1, "x"], ["record", 1, "y"], ["sync", "y"], b],
    )
    for count in (40, 80):
        yield case(
            f"{count} drawn calls", part, program=_random(rng, count, 4, True), launch_us=4.0
        )
    for label, program, launch_us in (
        ("an unknown call", [a, ["malloc", 0, "x"]], 5.0),
        ("an unknown engine", [["launch", 0, "copy", 5.0]], 5.0),
        ("a negative duration", [a, ["launch", 0, "in", -1.0]], 5.0),
        ("a negative launch", [a], -1.0),
    ):
        yield case(label, "refuse", program=program, launch_us=launch_us, refuse=True)


def probe(solution, program, launch_us, refuse=False):
    given = [tuple(call) for call in program]
    if refuse:
        return refusal(lambda: solution(given, launch_us))  # noqa: F821
    return solution(given, launch_us)


def _right(program, launch_us):
    """Host calls and device work as operations of queues; a record is work of no length in its stream."""
    operations, launches, last, events, streams = [], [], None, {}, {}

    def add(queues, duration, after):
        operations.append((queues, duration, tuple(i for i in after if i is not None)))
        return len(operations) - 1

    for what, *arguments in program:
        if what == "launch":
            stream, engine, duration = arguments
            last = add(("host",), launch_us, ())
            streams[stream] = add((("stream", stream), ("engine", engine)), duration, (last,))
            launches.append(streams[stream])
        elif what == "sync":
            after = streams.values() if arguments[0] is None else (events.get(arguments[0]),)
            last = add(("host",), 0.0, after)
        else:
            stream, event = arguments
            known = events.get(event) if what == "wait" else None
            streams[stream] = add((("stream", stream),), 0.0, (last, known))
            if what == "record":
                events[event] = streams[stream]
    spans = simulate(operations)
    host_us = max(
        (spans[i][1] for i, op in enumerate(operations) if op[0] == ("host",)), default=0.0
    )
    return [spans[i] for i in launches], host_us


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    spans, host_us = expect.sequence(answer, ("spans", "host_us"))
    want, host = _right(case.program, case.launch_us)
    if not isinstance(spans, (list, tuple)):
        spans = spans.tolist() if hasattr(spans, "tolist") else spans
    expect.that(
        isinstance(spans, (list, tuple)),
        "`spans` is a list of pairs.",
        stage="type",
        yours=expect.kind(spans),
    )
    expect.that(len(spans) == len(want), "Give a span for each launch, and for nothing else.", stage="shape",
                yours=len(spans), right=len(want))  # fmt: skip
    launched = [call for call in case.program if call[0] == "launch"]
    for index, (span, right) in enumerate(zip(spans, want, strict=True)):
        span = span.tolist() if hasattr(span, "tolist") else span
        pair = expect.sequence(span, ("start", "end"))
        for value, good, name in zip(pair, right, ("start", "end"), strict=True):
            expect.number(
                value,
                good,
                f"{name} of launch {index}",
                atol=1e-6,
                hint=f"{tuple(launched[index])}",
            )
    expect.number(host_us, host, "host_us", atol=1e-6)
    return None
