"""Answers to trace-launches."""

from autograder.checks.bank import right, wrong

WORK = ("kernel", "gpu_memcpy", "gpu_memset")
HOST = ("cuda_runtime", "cuda_driver")


def _delays(spans, *, work=WORK, host=HOST, begin="start_us", stream=("pid", "tid"), missing=False, skip_idle=False,
            first=0.0, by="correlation", none=False, scale=1.0):  # fmt: skip
    calls = {}
    for s in spans:
        if s["cat"] in host and (none or s["args"].get(by) is not None):
            calls[s["args"].get(by)] = s
    out, ended = [], {}
    for s in spans:
        if s["cat"] not in work:
            continue
        place = tuple(s[k] for k in stream)
        call = calls.get(s["args"].get(by))
        idle = (
            s["start_us"] - ended[place]
            if place in ended
            else (first if first == 0.0 else s["start_us"])
        )
        if call is not None or not skip_idle:
            ended[place] = s["end_us"]
        if call is not None or missing:
            delay = s["start_us"] - call[begin] if call is not None else 0.0
            out.append({"name": s["name"], "delay_us": delay * scale, "idle_us": idle * scale})
    return out


@right("a dict of calls")
def by_dict(spans):
    return _delays(spans)


@right("nested loops")
def loops(spans):
    out = []
    for index, op in enumerate(spans):
        if op["cat"] not in {"kernel", "gpu_memcpy", "gpu_memset"}:
            continue
        ident = op["args"].get("correlation")
        calls = [
            c
            for c in spans
            if c["cat"].startswith("cuda_")
            and c["cat"] != "cuda_sync"
            and c["args"].get("correlation") == ident
        ]
        earlier = [
            o["end_us"]
            for o in spans[:index]
            if o["cat"] in WORK and (o["pid"], o["tid"]) == (op["pid"], op["tid"])
        ]
        if ident is not None and calls:
            idle = op["start_us"] - max(earlier) if earlier else 0.0
            out += [
                dict(
                    name=op["name"],
                    delay_us=op["start_us"] - calls[0]["start_us"],
                    idle_us=max(idle, 0.0),
                )
            ]
    return out


@wrong("from-the-end-of-the-call", "The delay counts from the start of the call.")
def call_end(spans):
    return _delays(spans, begin="end_us")


@wrong(
    "one-kernel-a-call",
    "A graph's kernels share their call's id: map ids to calls, not to kernels.",
)
def one_each(spans):
    kernels = {
        s["args"]["correlation"]: s
        for s in spans
        if s["cat"] in WORK and "correlation" in s["args"]
    }
    keep = {id(k) for k in kernels.values()}
    rows, ops = _delays(spans, missing=True), [s for s in spans if s["cat"] in WORK]
    known = {s["args"].get("correlation") for s in spans if s["cat"] in HOST} - {None}
    return [
        row
        for row, s in zip(rows, ops, strict=True)
        if id(s) in keep and s["args"]["correlation"] in known
    ]


@wrong("runtime-only", "Triton launches through the driver: cuda_driver calls count too.")
def runtime_only(spans):
    return _delays(spans, host=("cuda_runtime",))


@wrong("kernels-only", "Copies and memsets are operations of the device as well.")
def kernels_only(spans):
    return _delays(spans, work=("kernel",))


@wrong("annotations-as-work", "gpu_user_annotation is a bracket around work, no work.")
def annotations(spans):
    return _delays(spans, work=(*WORK, "gpu_user_annotation"))


@wrong(
    "any-host-span",
    "The call is a span with a cat in CALLS; an operator may carry the same number.",
)
def any_host(spans):
    return _delays(list(reversed(spans))[::-1], host=(*HOST, "cpu_op", "user_annotation"))


@wrong("external-id", "External id leads to the operator, not to the call: use correlation.")
def external(spans):
    return _delays(spans, by="External id")


@wrong("all-streams-together", "Idle time is of the operation's own stream: other streams may run.")
def together(spans):
    return _delays(spans, stream=())


@wrong(
    "stream-without-device", "Two devices may have the same stream number: a stream is (pid, tid)."
)
def tid_only(spans):
    return _delays(spans, stream=("tid",))


@wrong("unrecorded-calls-kept", "An operation whose call was not recorded is left out.")
def kept(spans):
    return _delays(spans, missing=True)


@wrong(
    "unrecorded-work-forgotten",
    "An operation without a recorded call occupies its stream all the same.",
)
def forgotten(spans):
    return _delays(spans, skip_idle=True)


@wrong("idle-before-the-first", "The first operation of a stream has no idle time before it: 0.0.")
def before_first(spans):
    return _delays(spans, first=1.0)


@wrong("no-id-is-an-id", "Two spans without correlation do not belong together.")
def no_id(spans):
    return _delays(spans, none=True)


@wrong("milliseconds", "Times are microseconds.")
def milliseconds(spans):
    return _delays(spans, scale=1e-3)


@wrong("idle-from-the-call", "Idle time ends where the operation starts, not where its call does.")
def from_call(spans):
    return [{**d, "idle_us": max(0.0, d["idle_us"] - d["delay_us"])} for d in _delays(spans)]


@wrong(
    "duration-for-delay", "The delay is the wait before the start, not how long the operation runs."
)
def duration(spans):
    known = {s["args"].get("correlation") for s in spans if s["cat"] in HOST} - {None}
    ops = [s for s in spans if s["cat"] in WORK and s["args"].get("correlation") in known]
    return [
        {**d, "delay_us": s["end_us"] - s["start_us"]}
        for d, s in zip(_delays(spans), ops, strict=True)
    ]


@wrong(
    "paired-in-order",
    "Pair by correlation id, not in order: other calls lie between, and a graph launches many.",
)
def in_order(spans):
    calls = [s for s in spans if s["cat"] in HOST]
    rows = _delays(spans, missing=True)
    ops = [s for s in spans if s["cat"] in WORK]
    return [
        {**row, "delay_us": op["start_us"] - call["start_us"]}
        for row, op, call in zip(rows, ops, calls, strict=False)
    ]


@wrong("sorted-by-delay", "Keep the order of the spans.")
def by_delay(spans):
    return sorted(_delays(spans), key=lambda d: -d["delay_us"])
