"""Answers to trace-spans."""

from bisect import insort

from autograder.checks.bank import right, wrong


def _read(trace, *, phases="XBE", scale=1.0, origin="spans", thread=("pid", "tid"), take=-1, by_time=True,
          merge="both", default_dur=0, keep_open=False, order=lambda s: (s["start_us"], -s["end_us"]), cat="",
          end=lambda ts, dur: ts + dur, names="begin", text_ids=False, lower=False, drop_empty=False):  # fmt: skip
    events = trace["traceEvents"]
    if by_time:
        events = sorted(events, key=lambda e: e.get("ts", 0))
    found, opened = [], {}
    for event in events:
        ph = event["ph"].upper() if lower else event["ph"]
        stack = opened.setdefault(tuple(event.get(k) for k in thread), [])
        if ph == "X" and "X" in phases:
            dur = event.get("dur", default_dur)
            if dur or not drop_empty:
                found.append((event, event["ts"], end(event["ts"], dur), {}))
        elif ph == "B" and "B" in phases:
            stack.append(event)
        elif ph == "E" and stack:
            begin = stack.pop(take)
            found.append((begin if names == "begin" else {**begin, **{k: event[k] for k in ("name", "cat") if k in event}},
                          begin["ts"], event["ts"], event.get("args", {})))  # fmt: skip
    if keep_open:
        last = max((e.get("ts", 0) + e.get("dur", 0) for e in events), default=0)
        found += [(b, b["ts"], last, {}) for stack in opened.values() for b in stack]
    zero = min((start for _, start, _, _ in found), default=0.0)
    if origin == "events":
        zero = min((e["ts"] for e in events), default=0.0)
    if origin == "none":
        zero = 0.0
    if origin == "first":
        zero = next((e["ts"] for e in trace["traceEvents"] if e["ph"] in ("X", "B")), 0.0)
    spans = []
    for event, start, stop, more in found:
        mine = event.get("args", {})
        args = {
            "both": {**mine, **more},
            "begin": mine,
            "first": {**more, **mine},
            "end": more or mine,
        }[merge]
        ids = [str(event[k]) if text_ids else event[k] for k in ("pid", "tid")]
        spans.append({"name": event.get("name", ""), "cat": event.get("cat", cat), "pid": ids[0], "tid": ids[1],
                      "start_us": float((start - zero) * scale), "end_us": float((stop - zero) * scale), "args": dict(args)})  # fmt: skip
    return sorted(spans, key=order) if order else spans


@right("stacks in a dict")
def stacks(trace):
    return _read(trace)


@right("a pass for each thread, kept in order while it grows")
def by_thread(trace):
    raw = []
    edges = {}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            raw.append(
                (
                    float(event["ts"]),
                    float(event["ts"]) + event.get("dur", 0.0),
                    event,
                    event.get("args") or {},
                )
            )
        elif event["ph"] in ("B", "E"):
            edges.setdefault((type(event["tid"]), event["pid"], event["tid"]), []).append(event)
    for events in edges.values():
        open_ones = []
        for event in sorted(events, key=lambda e: e["ts"]):
            if event["ph"] == "B":
                open_ones = [*open_ones, event]
            elif open_ones:
                *open_ones, begin = open_ones
                args = dict(begin.get("args") or {})
                args.update(event.get("args") or {})
                raw.append((float(begin["ts"]), float(event["ts"]), begin, args))
    zero = min([r[0] for r in raw], default=0.0)
    out = []
    for count, (start, end, event, args) in enumerate(raw):
        span = dict(
            zip(("name", "cat"), (event.get("name", ""), event.get("cat", "")), strict=True)
        )
        span |= {
            "pid": event["pid"],
            "tid": event["tid"],
            "start_us": start - zero,
            "end_us": end - zero,
            "args": dict(args),
        }
        insort(out, ((start - zero, zero - end, count), span))
    return [span for _, span in out]


@right("end by adding the duration to the shifted start")
def shifted(trace):
    spans = _read(trace)
    again = []
    for span in spans:
        again.append({**span, "end_us": span["start_us"] + (span["end_us"] - span["start_us"])})
    return again


@wrong(
    "milliseconds",
    "ts and dur are microseconds and stay so: displayTimeUnit is for the viewer's labels.",
)
def milliseconds(trace):
    return _read(trace, scale=1e-3)


@wrong(
    "unit-of-the-viewer",
    "displayTimeUnit does not change the unit of ts and dur: they are always microseconds.",
)
def viewer(trace):
    return _read(trace, scale=1e-3 if trace.get("displayTimeUnit") == "ns" else 1.0)


@wrong("times-of-the-file", "Times count from the earliest span: subtract its start.")
def absolute(trace):
    return _read(trace, origin="none")


@wrong(
    "origin-of-all-events",
    "The origin is the earliest span: metadata has ts 0, and instants come before.",
)
def all_events(trace):
    return _read(trace, origin="events")


@wrong(
    "origin-of-the-first-in-the-file",
    "Events come in any order: the origin is the smallest start, not the first event's.",
)
def first_event(trace):
    return _read(trace, origin="first")


@wrong("complete-events-only", "B and E make spans too.")
def only_x(trace):
    return _read(trace, phases="X")


@wrong("pairs-over-all-threads", "An E closes the last B of its own pid and tid.")
def one_stack(trace):
    return _read(trace, thread=())


@wrong("pairs-by-tid-alone", "Two processes may have the same tid: pair by (pid, tid).")
def tid_only(trace):
    return _read(trace, thread=("tid",))


@wrong(
    "first-in-first-out",
    "Begin and end are brackets: an E closes the last B opened, not the first.",
)
def fifo(trace):
    return _read(trace, take=0)


@wrong("order-of-the-file", "Events come in any order: sort by ts before pairing.")
def file_order(trace):
    return _read(trace, by_time=False)


@wrong("args-of-the-begin", "Add the E's args to the B's.")
def begin_args(trace):
    return _read(trace, merge="begin")


@wrong("begin-wins", "Where both have a key, the E's value counts.")
def begin_wins(trace):
    return _read(trace, merge="first")


@wrong("args-of-the-end", "Keep the B's args and add the E's.")
def end_args(trace):
    return _read(trace, merge="end")


@wrong("name-of-the-end", "Name and cat are the B's; the E's may be missing or another.")
def end_names(trace):
    return _read(trace, names="end")


@wrong("open-ones-kept", "A B that is never closed is left out.")
def open_kept(trace):
    return _read(trace, keep_open=True)


@wrong("duration-as-end", "end_us is start plus dur, not dur.")
def dur_end(trace):
    spans = _read(trace)
    return [{**s, "end_us": s["end_us"] - s["start_us"]} for s in spans]


@wrong("asynchronous-as-brackets", "Lower-case b and e are asynchronous events, no brackets.")
def lower(trace):
    return _read(trace, lower=True)


@wrong(
    "events-without-length-dropped",
    "A complete event without dur lasts 0; it is a span all the same.",
)
def dropped(trace):
    return _read(trace, drop_empty=True)


@wrong("not-sorted", "Sort the spans by start.")
def not_sorted(trace):
    return _read(trace, order=None)


@wrong("shorter-first", "Of equal starts the span that ends last comes first: it is the outer one.")
def shorter_first(trace):
    return _read(trace, order=lambda s: (s["start_us"], s["end_us"]))


@wrong("no-cat-is-none", "A missing cat becomes an empty string.")
def none_cat(trace):
    return _read(trace, cat=None)


@wrong("ids-as-text", "pid and tid stay as they are in the file.")
def text(trace):
    return _read(trace, text_ids=True)


@wrong("every-event-a-span", "Metadata, instants, counters and arrows are no spans.")
def everything(trace):
    changed = [
        {**e, "ph": "X" if e["ph"] not in "BE" else e["ph"], "ts": e.get("ts", 0)}
        for e in trace["traceEvents"]
    ]
    return _read({"traceEvents": changed})


@wrong("extra-duration-key", "Exactly the seven keys: leave dur out.")
def extra(trace):
    return [{**s, "dur_us": s["end_us"] - s["start_us"]} for s in _read(trace)]


@wrong(
    "ends-before-begins", "Of equal times the order of the file counts: a pair may have no length."
)
def ends_first(trace):
    events = sorted(trace["traceEvents"], key=lambda e: (e.get("ts", 0), e["ph"] != "E"))
    return _read({"traceEvents": events})


@wrong("thread-as-text", 'Thread 1 and thread "1" are two: pair by (pid, tid), not by their text.')
def text_keys(trace):
    return _joined(trace, "/")


@wrong("numbers-run-together", "Thread 1 of process 11 is not thread 11 of process 1: use a tuple.")
def run_together(trace):
    return _joined(trace, "")


def _joined(trace, between):
    changed = [
        {**e, "thread": f"{e.get('pid')}{between}{e.get('tid')}"} for e in trace["traceEvents"]
    ]
    return _read({"traceEvents": changed}, thread=("thread",))


@wrong("origin-of-the-complete-events", "A pair of B and E may be the earliest span as well.")
def complete_origin(trace):
    spans = _read(trace)
    zero = min((e["ts"] for e in trace["traceEvents"] if e["ph"] == "X"), default=None)
    if not spans or zero is None:
        return spans
    first = min(e["ts"] for e in trace["traceEvents"] if e["ph"] in "XB")
    shift = first - zero
    return [{**s, "start_us": s["start_us"] + shift, "end_us": s["end_us"] + shift} for s in spans]


@wrong("pairs-without-length-dropped", "A pair that begins and ends at the same time is a span.")
def empty_pairs(trace):
    keep = _read({"traceEvents": [e for e in trace["traceEvents"] if e["ph"] != "X"]})
    empty = [s["name"] for s in keep if s["end_us"] == s["start_us"]]
    return [s for s in _read(trace) if s["end_us"] > s["start_us"] or s["name"] not in empty]
