"""Answers to trace-ranges."""

from autograder.checks.bank import right, wrong

HOST = ("cuda_runtime", "cuda_driver")


def _ranges(spans, *, pick=min, thread=("pid", "tid"), host=HOST, work=("kernel",), notes=("user_annotation",),
            strict=False, nobody="", last=False, by_call=True, count=None, only=None):  # fmt: skip
    calls, times = {}, {}
    for s in spans:
        if s["cat"] in host and s["args"].get("correlation") is not None:
            calls[s["args"]["correlation"]] = s
    chosen = [s for s in spans if s["cat"] in notes]
    ops = [s for s in spans if s["cat"] in work]
    if last:
        ops = list({s["args"].get("correlation"): s for s in ops}.values())
    for op in ops:
        call = calls.get(op["args"].get("correlation")) if by_call else op
        if call is None:
            around = []
        elif strict:
            around = [
                r
                for r in chosen
                if r["start_us"] < call["start_us"] and call["end_us"] < r["end_us"]
            ]
        else:
            around = [
                r
                for r in chosen
                if r["start_us"] <= call["start_us"] and call["end_us"] <= r["end_us"]
            ]
        if call is not None:
            around = [r for r in around if all(r[k] == call[k] for k in thread)]
        name = pick(around, key=lambda r: r["end_us"] - r["start_us"])["name"] if around else nobody
        if name is None:
            continue
        times[name] = times.get(name, 0.0) + (count or (lambda o: o["end_us"] - o["start_us"]))(op)
    return times


@right("the shortest range around the call")
def shortest(spans):
    return _ranges(spans)


@right("the range that began last")
def began_last(spans):
    out = {}
    issued = {
        s["args"]["correlation"]: s
        for s in spans
        if s["cat"] in HOST and "correlation" in s["args"]
    }
    for kernel in spans:
        if kernel["cat"] != "kernel":
            continue
        name, call = "", issued.get(kernel["args"].get("correlation"))
        for note in spans if call else []:
            if (
                note["cat"] == "user_annotation"
                and note["pid"] == call["pid"]
                and note["tid"] == call["tid"]
            ):
                if note["start_us"] <= call["start_us"] and note["end_us"] >= call["end_us"]:
                    name = note["name"]
        out[name] = out.get(name, 0) + kernel["end_us"] - kernel["start_us"]
    return {name: float(value) for name, value in out.items()}


@right("a stack of open ranges for each thread")
def stack(spans):
    owner, open_ones, out = {}, {}, {}
    for span in spans:
        around = open_ones.setdefault((span["pid"], span["tid"]), [])
        while around and around[-1]["end_us"] < span["end_us"]:
            around.pop()
        if span["cat"] == "user_annotation":
            around.append(span)
        elif span["cat"] in HOST:
            owner[span["args"].get("correlation")] = around[-1]["name"] if around else ""
    owner.pop(None, None)
    for span in spans:
        if span["cat"] == "kernel":
            name = owner.get(span["args"].get("correlation"), "")
            out[name] = out.get(name, 0.0) + (span["end_us"] - span["start_us"])
    return out


@wrong(
    "by-the-time-of-the-kernel",
    "A kernel runs later than its launch: go through the call with the same correlation id.",
)
def by_time(spans):
    return _ranges(spans, by_call=False, thread=())


@wrong("outermost-range", "The innermost range owns the kernel, the shortest around the call.")
def outermost(spans):
    return _ranges(spans, pick=max)


@wrong(
    "every-range-around", "A kernel counts once, for the innermost range, not for all around it."
)
def every(spans):
    out = _ranges(spans)
    calls = {s["args"].get("correlation"): s for s in spans if s["cat"] in HOST}
    for op in (s for s in spans if s["cat"] == "kernel"):
        call = calls.get(op["args"].get("correlation"))
        held = [r for r in spans if call and r["cat"] == "user_annotation" and (r["pid"], r["tid"]) == (call["pid"], call["tid"])
                and r["start_us"] <= call["start_us"] and call["end_us"] <= r["end_us"]]  # fmt: skip
        for r in sorted(held, key=lambda r: r["end_us"] - r["start_us"])[1:]:
            out[r["name"]] = out.get(r["name"], 0.0) + op["end_us"] - op["start_us"]
    return out


@wrong("any-thread", "A range is of its own thread: another thread's range does not hold the call.")
def any_thread(spans):
    return _ranges(spans, thread=())


@wrong("any-process", "Compare pid as well as tid.")
def any_process(spans):
    return _ranges(spans, thread=("tid",))


@wrong("copies-counted", "Only spans with cat kernel count, no copies.")
def copies(spans):
    return _ranges(spans, work=("kernel", "gpu_memcpy", "gpu_memset"))


@wrong("operators-as-ranges", "Only user_annotation spans are ranges: aten::div is an operator.")
def operators(spans):
    return _ranges(spans, notes=("user_annotation", "cpu_op"))


@wrong("runtime-only", "Triton launches through the driver: cuda_driver calls count too.")
def runtime_only(spans):
    return _ranges(spans, host=("cuda_runtime",))


@wrong("one-kernel-a-call", "All kernels of a graph carry their call's id: each counts.")
def one_kernel(spans):
    return _ranges(spans, last=True)


@wrong("no-range-left-out", 'Kernels in no range count under "".')
def left_out(spans):
    return _ranges(spans, nobody=None)


@wrong("ends-left-out", "A call that starts or ends with its range lies in it.")
def ends(spans):
    return _ranges(spans, strict=True)


@wrong("calls-for-time", "Add up the kernels' durations, not their number.")
def number(spans):
    return _ranges(spans, count=lambda op: 1.0)


@wrong(
    "host-time-of-the-range",
    "You add up how long the ranges last on the host; the kernels' time on the device is asked.",
)
def host_time(spans):
    out = {name: 0.0 for name in _ranges(spans)}
    for s in spans:
        if s["cat"] == "user_annotation" and s["name"] in out:
            out[s["name"]] += s["end_us"] - s["start_us"]
    return out


@wrong("from-launch-to-end", "A kernel's time is its duration, without the wait in the queue.")
def with_queue(spans):
    calls = {s["args"].get("correlation"): s for s in spans if s["cat"] in HOST}
    return _ranges(
        spans,
        count=lambda op: op["end_us"] - calls.get(op["args"].get("correlation"), op)["start_us"],
    )


@wrong(
    "by-kernel-name",
    "The name of a kernel does not tell its range: a GEMM may have a dequantizing epilogue.",
)
def by_name(spans):
    out = {}
    for s in spans:
        if s["cat"] == "kernel":
            name = next((word for word in ("dequant", "quant") if word in s["name"]), "")
            name = {"dequant": "dequantize", "quant": "quantize"}.get(name, "")
            out[name] = out.get(name, 0.0) + s["end_us"] - s["start_us"]
    return out


@wrong("shares", "Return microseconds, not shares.")
def shares(spans):
    times = _ranges(spans)
    whole = sum(times.values())
    return {name: value / whole for name, value in times.items()} if whole else times


@wrong(
    "device-annotations",
    "gpu_user_annotation brackets lie on the device's rows; ranges are the host's user_annotation.",
)
def device_notes(spans):
    return _ranges(
        spans, notes=("user_annotation", "gpu_user_annotation"), by_call=False, thread=()
    )


@wrong("start-of-the-call-only", "The range holds the whole call: look at its end as well.")
def start_only(spans):
    return _held(spans, lambda r, c: r["start_us"] <= c["start_us"] <= r["end_us"])


@wrong("any-overlap", "A range that begins or ends during the call does not hold it.")
def any_overlap(spans):
    return _held(spans, lambda r, c: r["start_us"] <= c["end_us"] and c["start_us"] <= r["end_us"])


def _held(spans, holds):
    calls = {s["args"].get("correlation"): s for s in spans if s["cat"] in HOST}
    calls.pop(None, None)
    out = {}
    for op in (s for s in spans if s["cat"] == "kernel"):
        call = calls.get(op["args"].get("correlation"))
        around = [r for r in spans if call and r["cat"] == "user_annotation" and holds(r, call)
                  and (r["pid"], r["tid"]) == (call["pid"], call["tid"])]  # fmt: skip
        name = min(around, key=lambda r: r["end_us"] - r["start_us"])["name"] if around else ""
        out[name] = out.get(name, 0.0) + op["end_us"] - op["start_us"]
    return out


@wrong("no-id-is-an-id", "A kernel and a call without correlation do not belong together.")
def no_id(spans):
    shared = [{**s, "args": {"correlation": "none", **s["args"]}} for s in spans]
    return _ranges(shared)


@wrong(
    "union-for-sum", "The kernels' durations add up, also of kernels that run beside each other."
)
def union(spans):
    out = {}
    for name in _ranges(spans):
        free = total = 0.0
        for op in (s for s in spans if s["cat"] == "kernel"):
            others = [s for s in spans if s["cat"] != "kernel" or s is op]
            if name in _ranges(others):
                total += max(0.0, op["end_us"] - max(free, op["start_us"]))
                free = max(free, op["end_us"])
        out[name] = total
    return out


@wrong("steps-left-out", "ProfilerStep is an annotation like any other.")
def no_steps(spans):
    return _ranges([s for s in spans if not s["name"].startswith("ProfilerStep#")])


@wrong("operators-as-calls", "The call has a cat in CALLS; an operator may carry the same number.")
def operators_as_calls(spans):
    return _ranges(spans, host=(*HOST, "cpu_op"))
