"""Answers to stream-program."""

from autograder.checks.bank import right, wrong

ENGINES = ("in", "kernel", "out")


def _run(program, launch_us, *, order="host", engines=True, streams=True, replaced=True, known=True,
         scope="stream", late=False, sync_all=False, wait_host=False, record_host=False, resets=False,
         checks="cedl", host_free=False, at_start=False, wait_all=False, sync_noop=False):  # fmt: skip
    if "l" in checks and launch_us < 0:
        raise ValueError("launch")
    now, free, busy, events, spans = 0.0, {}, {}, {}, []
    future = {}
    if not known:  # events as they will be recorded at last
        future = {}
    for call, *rest in program:
        if call == "launch":
            stream, engine, duration = rest
            if "e" in checks and engine not in ENGINES:
                raise ValueError("engine")
            if "d" in checks and duration < 0:
                raise ValueError("duration")
            begin = now
            now += 0.0 if host_free else launch_us
            issued = begin if at_start else now
            start = max(
                issued,
                free.get(stream, 0.0) if streams else 0.0,
                busy.get(engine, 0.0) if engines else 0.0,
            )
            free[stream] = start + duration
            busy[engine] = start + duration
            spans.append((start, start + duration))
        elif call == "record":
            stream, event = rest
            at = now if record_host else free.get(stream, 0.0)
            if scope == "device":
                at = max(free.values(), default=0.0)
            if replaced or event not in events:
                events[event] = at
        elif call == "wait":
            stream, event = rest
            at = events.get(event, future.get(event, 0.0))
            if wait_host:
                now = max(now, at)
            elif wait_all:
                for other in {*free, stream}:
                    free[other] = max(free.get(other, 0.0), at)
            else:
                free[stream] = at if resets else max(free.get(stream, 0.0), at)
        elif call == "sync":
            if rest[0] is None or sync_all:
                now = now if sync_noop else max([now, *free.values()])
            else:
                at = events.get(rest[0], 0.0)
                now = at if resets and rest[0] in events else max(now, at)
        elif "c" in checks:
            raise ValueError("call")
    return spans, now


@right("dicts of times")
def dicts(program, launch_us):
    return _run(program, launch_us)


@right("a list of earlier work for each launch")
def dependencies(program, launch_us):
    if launch_us < 0:
        raise ValueError("launch")
    work, chains, marks, host = [], {}, {}, 0.0  # work: (stream, engine, start, end)

    def ends(indexes):
        return max((work[i][3] for i in indexes), default=0.0)

    for call in program:
        match call:
            case ("launch", stream, ("in" | "kernel" | "out") as engine, us) if us >= 0:
                host = host + launch_us
                after = set(chains.get(stream, ())) | {
                    i for i, w in enumerate(work) if w[1] == engine
                }
                start = max(host, ends(after))
                work.append((stream, engine, start, start + us))
                chains.setdefault(stream, set()).add(len(work) - 1)
            case ("record", stream, event):
                marks[event] = set(chains.get(stream, ()))
            case ("wait", stream, event):
                chains.setdefault(stream, set()).update(marks.get(event, ()))
            case ("sync", None):
                host = max(host, ends(range(len(work))))
            case ("sync", event):
                host = max(host, ends(marks.get(event, ())))
            case _:
                raise ValueError(call)
    return [[w[2], w[3]] for w in work], host


@wrong("launches-for-free", "Each launch takes the host launch_us.")
def free_launches(program, launch_us):
    return _run(program, launch_us, host_free=True)


@wrong("starts-with-the-call", "Work can start when its launch has ended, not when it begins.")
def with_the_call(program, launch_us):
    return _run(program, launch_us, at_start=True)


@wrong("engines-without-end", "An engine does one thing at a time.")
def no_engines(program, launch_us):
    return _run(program, launch_us, engines=False)


@wrong("streams-not-in-order", "Work of one stream runs in order.")
def no_streams(program, launch_us):
    return _run(program, launch_us, streams=False)


@wrong("first-record-counts", "Recording again replaces the event for later calls.")
def first_record(program, launch_us):
    return _run(program, launch_us, replaced=False)


@wrong(
    "event-when-recorded",
    "The event happens when the stream's work has ended, not when the host records it.",
)
def host_record(program, launch_us):
    return _run(program, launch_us, record_host=True)


@wrong("event-of-all-streams", "An event stands for the work of its own stream.")
def all_streams(program, launch_us):
    return _run(program, launch_us, scope="device")


@wrong("wait-holds-the-host", "A wait holds a stream; the host goes on.")
def host_waits(program, launch_us):
    return _run(program, launch_us, wait_host=True)


@wrong("wait-holds-all-streams", "A wait holds the stream that it names.")
def all_wait(program, launch_us):
    return _run(program, launch_us, wait_all=True)


@wrong(
    "event-takes-time-back", "A stream or the host never goes back: take the later of both times."
)
def back(program, launch_us):
    return _run(program, launch_us, resets=True)


@wrong("sync-always-on-everything", "A sync with an event waits for that event alone.")
def sync_everything(program, launch_us):
    return _run(program, launch_us, sync_all=True)


@wrong("sync-none-ignored", 'A "sync" with None waits for all work issued so far.')
def ignored(program, launch_us):
    return _run(program, launch_us, sync_noop=True)


@wrong(
    "records-of-the-future",
    "A wait knows the event as recorded before it; later records do not matter.",
)
def future_records(program, launch_us):
    _run(program, launch_us)
    last, tail = {}, {}
    for index, call in enumerate(program):
        if call[0] == "record":
            last[call[2]] = index
    order = [c for i, c in enumerate(program) if not (c[0] == "record" and last[c[2]] != i)]
    spans, host = _run(order, launch_us)
    free = dict(tail)
    for call, span in zip([c for c in order if c[0] == "launch"], spans, strict=True):
        free[call[1]] = span[1]
    return spans, host


@wrong("end-of-the-device", "host_us is when the host is done; the device may still work.")
def device_end(program, launch_us):
    spans, host = _run(program, launch_us)
    return spans, max([host, *(end for _, end in spans)])


@wrong("spans-of-all-calls", "A span for each launch, and for nothing else.")
def all_calls(program, launch_us):
    spans, host = _run(program, launch_us)
    return spans + [(host, host)] * sum(call[0] != "launch" for call in program), host


@wrong("durations-for-ends", "The second number of a span is its end.")
def durations(program, launch_us):
    spans, host = _run(program, launch_us)
    return [(start, end - start) for start, end in spans], host


@wrong("engine-not-checked", "An unknown engine must raise ValueError.")
def any_engine(program, launch_us):
    return _run(program, launch_us, checks="cdl")


@wrong("call-not-checked", "An unknown call must raise ValueError.")
def any_call(program, launch_us):
    return _run(program, launch_us, checks="edl")


@wrong("times-not-checked", "A negative duration or launch_us must raise ValueError.")
def any_time(program, launch_us):
    return _run(program, launch_us, checks="ce")
