"""Answers to trace-stall."""

from autograder.checks.bank import right, wrong

WORK = ("kernel", "gpu_memcpy", "gpu_memset")
HOST = ("cuda_runtime", "cuda_driver")


def _rows(spans, *, work=WORK, host=HOST, waits=lambda n: "Synchronize" in n, outer=max, thread=True, running=True,
          ops=("cpu_op",), at=lambda c: c["end_us"], follow=True, group=True, before="latest", equal=True):  # fmt: skip
    device = [s for s in spans if s["cat"] in work]
    rows = {}
    for index, call in enumerate(s for s in spans if s["cat"] in host and waits(s["name"])):
        t = at(call)
        around = [s for s in spans if s["cat"] in ops and s["start_us"] <= call["start_us"] and call["end_us"] <= s["end_us"]
                  and (not thread or (s["pid"], s["tid"]) == (call["pid"], call["tid"]))]  # fmt: skip
        name = outer(around, key=lambda s: s["end_us"] - s["start_us"])["name"] if around else ""
        ended = [s["end_us"] for s in device if s["end_us"] < t or equal and s["end_us"] == t]
        coming = [s["start_us"] for s in device if s["start_us"] >= t]
        busy = running and any(s["start_us"] < t < s["end_us"] for s in device)
        idle = 0.0
        if ended and coming and not busy:
            idle = min(coming) - (max(ended) if before == "latest" else t)
        elif coming and not ended and not follow:
            idle = min(coming) - t
        row = rows.setdefault(
            name if group else (name, index),
            {"op": name, "calls": 0, "wait_us": 0.0, "idle_us": 0.0},
        )
        row["calls"] += 1
        row["wait_us"] += call["end_us"] - call["start_us"]
        row["idle_us"] += idle
    return rows


def _worst(rows, key="idle_us"):
    return max(rows.values(), key=lambda row: row[key], default=None)


@right("rows by operator")
def rows(spans):
    return _worst(_rows(spans))


@right("two passes, with the idle stretches first")
def stretches(spans):
    busy = []
    for s in spans:
        if s["cat"] in WORK:
            if busy and s["start_us"] < busy[-1][1]:
                busy[-1][1] = max(busy[-1][1], s["end_us"])
            else:
                busy.append([s["start_us"], s["end_us"]])
    gaps = [(a[1], b[0]) for a, b in zip(busy, busy[1:], strict=False)]
    best, found = None, {}
    for s in spans:
        if s["cat"] not in HOST or s["name"].find("Synchronize") < 0:
            continue
        around = [o for o in spans if o["cat"] == "cpu_op" and o["pid"] == s["pid"] and o["tid"] == s["tid"]
                  and o["start_us"] <= s["start_us"] and o["end_us"] >= s["end_us"]]  # fmt: skip
        name = (
            sorted(around, key=lambda o: o["start_us"] - o["end_us"])[0]["name"] if around else ""
        )
        idle = sum(b - a for a, b in gaps if a <= s["end_us"] <= b)
        calls, wait, lost = found.get(name, (0, 0.0, 0.0))
        found[name] = (calls + 1, wait + s["end_us"] - s["start_us"], lost + idle)
    for name, (calls, wait, lost) in found.items():
        if best is None or lost > best["idle_us"]:
            best = {"op": name, "calls": calls, "wait_us": wait, "idle_us": lost}
    return best


@wrong(
    "longest-wait",
    "The longest wait is not the worst: compare the idle time that it leaves behind.",
)
def longest_wait(spans):
    return _worst(_rows(spans), "wait_us")


@wrong("most-calls", "Many calls may cost nothing: compare the idle time.")
def most_calls(spans):
    return _worst(_rows(spans), "calls")


@wrong(
    "single-call",
    "Add up all calls of an operator: many short stalls may be worse than a long one.",
)
def single(spans):
    return _worst(_rows(spans, group=False))


@wrong(
    "innermost-operator",
    "The outermost operator around the call is asked: aten::item, not what it calls.",
)
def innermost(spans):
    return _worst(_rows(spans, outer=min))


@wrong("annotation-as-operator", "Operators have the cat cpu_op; ProfilerStep is an annotation.")
def annotation(spans):
    return _worst(_rows(spans, ops=("cpu_op", "user_annotation")))


@wrong("operators-of-any-thread", "The operator is on the call's own thread.")
def any_thread(spans):
    return _worst(_rows(spans, thread=False))


@wrong(
    "streams-only",
    "cudaDeviceSynchronize and cudaEventSynchronize wait as well: look for Synchronize in the name.",
)
def streams_only(spans):
    return _worst(_rows(spans, waits=lambda n: n == "cudaStreamSynchronize"))


@wrong("runtime-only", "Calls of the driver count too: cuda_driver.")
def runtime_only(spans):
    return _worst(_rows(spans, host=("cuda_runtime",)))


@wrong("every-call-waits", "Only calls with Synchronize in the name wait.")
def every_call(spans):
    return _worst(_rows(spans, waits=lambda n: True))


@wrong("kernels-only", "A copy that starts ends the idle time too.")
def kernels_only(spans):
    return _worst(_rows(spans, work=("kernel",)))


@wrong(
    "annotations-as-work", "gpu_user_annotation is a bracket, no work: the device idles under it."
)
def brackets(spans):
    return _worst(_rows(spans, work=(*WORK, "gpu_user_annotation")))


@wrong("other-streams-ignored", "If an operation runs when the call ends, the device is not idle.")
def no_running(spans):
    return _worst(_rows(spans, running=False))


@wrong(
    "idle-from-the-end-of-the-call",
    "The device is idle from its last operation's end, a little before the call returns.",
)
def from_call(spans):
    return _worst(_rows(spans, before="call"))


@wrong(
    "idle-before-the-call",
    "The idle time after the wait is asked: look at the call's end, not at its start.",
)
def at_start(spans):
    return _worst(_rows(spans, at=lambda c: c["start_us"]))


@wrong("idle-before-any-work", "If nothing ran before, no idle time is counted.")
def before_any(spans):
    return _worst(_rows(spans, follow=False))


@wrong(
    "ends-together-forgotten",
    "An operation that ends exactly with the call has ended: at or before t.",
)
def strictly(spans):
    return _worst(_rows(spans, equal=False))


@wrong("wait-and-idle-together", "wait_us and idle_us are two figures: do not add them.")
def together(spans):
    worst = _worst(_rows(spans))
    return worst and {**worst, "idle_us": worst["idle_us"] + worst["wait_us"]}


@wrong("an-empty-dict", "Without a waiting call return None.")
def empty(spans):
    return _worst(_rows(spans)) or {}


@wrong("name-of-the-call", "`op` is the operator around the call, not the call's own name.")
def call_name(spans):
    worst = _worst(_rows(spans))
    return worst and {**worst, "op": "cudaStreamSynchronize"}


@wrong("milliseconds", "Times are microseconds.")
def milliseconds(spans):
    worst = _worst(_rows(spans))
    return worst and {**worst, "wait_us": worst["wait_us"] / 1e3, "idle_us": worst["idle_us"] / 1e3}


@wrong("waits-of-any-category", "Only CUDA calls of the host wait: their cat is in CALLS.")
def any_category(spans):
    everything = {s["cat"] for s in spans}
    return _worst(_rows(spans, host=everything))


@wrong("events-left-out", "cudaEventSynchronize waits as well.")
def no_events(spans):
    return _worst(_rows(spans, waits=lambda n: "Synchronize" in n and "Event" not in n))


@wrong("operations-strictly-after", "An operation that starts exactly as the call ends counts.")
def strictly_after(spans):
    starts = {s["start_us"] for s in spans if s["cat"] in WORK}
    late = {c["end_us"] for c in spans if c["cat"] in HOST} & starts
    # Such an operation is moved to where it ends: it occupies nothing behind the call.
    moved = [
        {**s, "start_us": s["end_us"]} if s["cat"] in WORK and s["start_us"] in late else s
        for s in spans
    ]
    device = [s for s in moved if s["start_us"] != s["end_us"] or s["cat"] not in WORK]
    return _worst(_rows(device))


@wrong("end-of-the-last-started", "The operation that started last need not be the last to end.")
def last_started(spans):
    work = sorted((s for s in spans if s["cat"] in WORK), key=lambda s: s["start_us"])
    rows = _rows(spans)
    for row in rows.values():
        row["idle_us"] = 0.0
    for call in (s for s in spans if s["cat"] in HOST and "Synchronize" in s["name"]):
        t = call["end_us"]
        ended = [s["end_us"] for s in work if s["end_us"] <= t]
        coming = [s["start_us"] for s in work if s["start_us"] >= t]
        running = any(s["start_us"] < t < s["end_us"] for s in work)
        around = [s for s in spans if s["cat"] == "cpu_op" and (s["pid"], s["tid"]) == (call["pid"], call["tid"])
                  and s["start_us"] <= call["start_us"] and t <= s["end_us"]]  # fmt: skip
        name = around[0]["name"] if around else ""
        if ended and coming and not running:
            rows[name]["idle_us"] += min(coming) - ended[-1]
    return _worst(rows)


@wrong("tid-alone", "Two processes may have the same tid: compare pid as well.")
def tid_alone(spans):
    return _worst(_rows([{**s, "pid": 0} for s in spans]))


@wrong("operator-at-the-start", "The operator holds the whole call, its end as well.")
def at_the_start(spans):
    calls = [s for s in spans if s["cat"] in HOST and "Synchronize" in s["name"]]
    longer = []
    for s in spans:
        ends = [c["end_us"] for c in calls if s["start_us"] <= c["start_us"] <= s["end_us"]]
        op = s["cat"] == "cpu_op" and ends
        longer.append({**s, "end_us": max(s["end_us"], *ends)} if op else s)
    return _worst(_rows(longer))


@wrong("costly-calls-only", "calls and wait_us are of all waiting calls of the operator.")
def costly_only(spans):
    keep = []
    for s in spans:
        waits = s["cat"] in HOST and "Synchronize" in s["name"]
        alone = [o for o in spans if o is s or o["cat"] in WORK] if waits else []
        if not waits or next(iter(_rows(alone).values()))["idle_us"] > 0:
            keep.append(s)
    return _worst(_rows(keep))


@wrong("memsets-forgotten", "A memset is an operation of the device as well.")
def no_memset(spans):
    return _worst(_rows(spans, work=("kernel", "gpu_memcpy")))
