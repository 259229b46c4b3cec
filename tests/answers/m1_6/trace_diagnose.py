"""Answers to trace-diagnose."""

from autograder.checks.bank import right, wrong

WORK = ("kernel", "gpu_memcpy", "gpu_memset")
HOST = ("cuda_runtime", "cuda_driver")
LOADER = "enumerate(DataLoader)"


def _merge(pairs):
    out = []
    for start, end in sorted(p for p in pairs if p[0] < p[1]):
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return out


def _both(a, b):
    return sum(max(0.0, min(e, f) - max(s, t)) for s, e in _merge(a) for t, f in _merge(b))


def _size(a):
    return sum(e - s for s, e in _merge(a))


def _pairs(spans):
    return [(s["start_us"], s["end_us"]) for s in spans]


def _by_range(spans, names, by="launch"):
    calls = {
        s["args"]["correlation"]: s
        for s in spans
        if s["cat"] in HOST and "correlation" in s["args"]
    }
    notes = [s for s in spans if s["cat"] == "user_annotation"]
    total = 0.0
    for kernel in (s for s in spans if s["cat"] == "kernel"):
        at = calls.get(kernel["args"].get("correlation")) if by == "launch" else kernel
        held = [n for n in notes if at and n["start_us"] <= at["start_us"] and at["end_us"] <= n["end_us"]
                and (by != "launch" or (n["pid"], n["tid"]) == (at["pid"], at["tid"]))]  # fmt: skip
        inner = min(held, key=lambda n: n["end_us"] - n["start_us"])["name"] if held else ""
        total += (kernel["end_us"] - kernel["start_us"]) if inner in names else 0.0
    return total


def _diagnose(spans, *, work=WORK, threshold=5.0, limit=0.25, window="all", loader_cats=("user_annotation",),
              sync="begins", memory=("cudaMalloc", "cudaFree"), copies="exposed", qdq="range", loader="gaps", alloc="gaps",
              names=("quantize", "dequantize"), rest=True, at_least=True, refuse=True, fault=None, moving=("gpu_memcpy",),
              waits="Synchronize"):  # fmt: skip
    steps = [
        s for s in spans if s["cat"] == "user_annotation" and s["name"].startswith("ProfilerStep#")
    ]
    if not steps:
        if refuse:
            raise ValueError("no steps")
        steps = spans
    device = [s for s in spans if s["cat"] in work]
    begin = min(s["start_us"] for s in steps)
    end = max(s["end_us"] for s in steps)
    if window == "all":
        end = max([end, *(s["end_us"] for s in device)])
    if window == "device":
        begin, end = (
            (min(s["start_us"] for s in device), max(s["end_us"] for s in device))
            if device
            else (begin, end)
        )
    if window == "trace":
        begin, end = min(s["start_us"] for s in spans), max(s["end_us"] for s in spans)
    gaps, free = [], begin
    for start, stop in [*_merge(_pairs(device)), (end, end)]:
        start, stop = min(max(start, begin), end), min(stop, end)
        if start - free >= threshold and start > free:
            gaps.append((free, start))
        free = max(free, stop)
    calls = [s for s in spans if s["cat"] in HOST]
    loading = _pairs(s for s in spans if s["cat"] in loader_cats and s["name"].startswith(LOADER))
    mapping = _pairs(s for s in calls if s["name"] in memory)
    waiting = _pairs(s for s in calls if waits in s["name"])
    if sync == "begins":
        after = [g for g in gaps if any(s <= g[0] <= e for s, e in waiting)]
    elif sync == "strict":
        after = [g for g in gaps if any(s < g[0] < e for s, e in waiting)]
    elif sync == "touches":
        after = [g for g in gaps if any(s <= g[1] and g[0] <= e for s, e in waiting)]
    else:
        after = []
    others = [g for g in gaps if g not in after]
    left = lambda mine: _size(mine) - (_both(mine, loading) + _both(mine, mapping) if rest else 0)  # noqa: E731
    moved = _pairs(s for s in device if s["cat"] in moving)
    kernels = _pairs(s for s in device if s["cat"] == "kernel")
    lost = {
        "data_loader": _both(gaps, loading) if loader == "gaps" else _size(loading),
        "allocator": _both(gaps, mapping) if alloc == "gaps" else _size(mapping),
        "sync": left(after) if sync != "host" else _size(waiting),
        "launch": left(others),
        "copies": _size(moved) - _both(moved, kernels) if copies == "exposed" else
                  _size(moved) if copies == "all" else _both(moved, kernels),
        "qdq": _by_range(spans, names) if qdq == "range" else _by_range(spans, names, "time") if qdq == "time" else
               sum(e - s for s, e in _pairs(s for s in device if "quant" in s["name"])),
    }  # fmt: skip
    shares = {name: value / (end - begin) for name, value in lost.items()}
    worst = max(shares, key=shares.get)
    enough = shares[worst] >= limit if at_least else shares[worst] > limit
    return {"fault": (fault or worst) if enough else "healthy", "shares": shares}


@right("merged intervals")
def merged(spans):
    return _diagnose(spans)


@right("slices between all edges")
def sliced(spans):
    steps = [
        s for s in spans if s["cat"] == "user_annotation" and s["name"].startswith("ProfilerStep#")
    ]
    if len(steps) == 0:
        raise ValueError("Record with a schedule.")
    device = [s for s in spans if s["cat"] in WORK]
    begin, end = steps[0]["start_us"], max(s["end_us"] for s in [*steps, *device])
    calls = [s for s in spans if s["cat"] in HOST]
    load = [s for s in spans if s["cat"] == "user_annotation" and s["name"].startswith(LOADER)]
    alloc = [s for s in calls if s["name"] in ("cudaFree", "cudaMalloc")]
    edges = sorted(
        {
            min(max(t, begin), end)
            for s in [*device, *load, *alloc]
            for t in (s["start_us"], s["end_us"])
        }
        | {begin, end}
    )
    lost = dict.fromkeys(("launch", "sync", "copies", "data_loader", "allocator", "qdq"), 0.0)
    runs = lambda group, t: any(s["start_us"] < t < s["end_us"] for s in group)  # noqa: E731
    kernels, copies = ([s for s in device if s["cat"] == cat] for cat in ("kernel", "gpu_memcpy"))
    gap = []
    for a, b in [*zip(edges, edges[1:], strict=False), (end, None)]:
        t = (a + b) / 2 if b is not None else None
        if t is not None and not runs(device, t):
            gap.append((a, b))
            continue
        if gap and gap[-1][1] - gap[0][0] >= 5.0:
            waited = any(
                "Synchronize" in c["name"] and c["start_us"] <= gap[0][0] <= c["end_us"]
                for c in calls
            )
            for x, y in gap:
                cause = (
                    "data_loader"
                    if runs(load, (x + y) / 2)
                    else "allocator"
                    if runs(alloc, (x + y) / 2)
                    else None
                )
                lost[cause or ("sync" if waited else "launch")] += y - x
        gap = []
        if t is not None and runs(copies, t) and not runs(kernels, t):
            lost["copies"] += b - a
    lost["qdq"] = _by_range(spans, ("quantize", "dequantize"))
    shares = {cause: lost[cause] / (end - begin) for cause in lost}
    first = sorted(shares.items(), key=lambda item: -item[1])[0]
    return {"shares": shares, "fault": first[0] if first[1] >= 0.25 else "healthy"}


@wrong(
    "waiting-time-of-the-host",
    "How long the host waits is no loss: the gaps that begin in its waits are.",
)
def host_waits(spans):
    return _diagnose(spans, sync="host")


@wrong("sum-of-all-copies", "A copy that runs beside a kernel costs nothing.")
def all_copies(spans):
    return _diagnose(spans, copies="all")


@wrong("hidden-copies", "You count the copies that hide; the exposed ones cost time.")
def hidden(spans):
    return _diagnose(spans, copies="hidden")


@wrong(
    "kernel-names",
    "Names do not tell: a GEMM with a dequantizing epilogue is the product. Use the ranges around the launches.",
)
def kernel_names(spans):
    return _diagnose(spans, qdq="names")


@wrong("ranges-by-time", "The kernel runs later than its range: go through the launch.")
def by_time(spans):
    return _diagnose(spans, qdq="time")


@wrong("quantize-only", "Both ranges count, quantize and dequantize.")
def quantize_only(spans):
    return _diagnose(spans, names=("quantize",))


@wrong("brackets-as-work", "gpu_user_annotation is no work: under it the device seems never idle.")
def brackets(spans):
    return _diagnose(spans, work=(*WORK, "gpu_user_annotation"))


@wrong("kernels-only-as-work", "A copy is work of the device too: a gap is where nothing runs.")
def kernels_as_work(spans):
    return _diagnose(spans, work=("kernel",))


@wrong("whole-time-of-the-loader", "The loader costs only what the device idles meanwhile.")
def whole_loader(spans):
    return _diagnose(spans, loader="all")


@wrong("whole-time-of-the-allocator", "cudaMalloc costs only what the device idles meanwhile.")
def whole_alloc(spans):
    return _diagnose(spans, alloc="all")


@wrong("cudaFree-forgotten", "cudaFree belongs to the allocator as well.")
def no_free(spans):
    return _diagnose(spans, memory=("cudaMalloc",))


@wrong(
    "counted-twice", "What the loader and the allocator have of a gap is no longer sync or launch."
)
def counted_twice(spans):
    return _diagnose(spans, rest=False)


@wrong("no-sync", "Gaps that begin within a waiting call belong to sync, not to launch.")
def no_sync(spans):
    return _diagnose(spans, sync="none")


@wrong(
    "waits-anywhere-in-the-gap",
    "The gap must begin within the wait; one that begins before it has another cause.",
)
def touches(spans):
    return _diagnose(spans, sync="touches")


@wrong(
    "ends-of-the-wait-left-out", "A gap that begins exactly where the wait ends began within it."
)
def strict_wait(spans):
    return _diagnose(spans, sync="strict")


@wrong("streams-only", "cudaDeviceSynchronize waits as well.")
def streams_only(spans):
    return _diagnose(spans, waits="StreamSynchronize")


@wrong("every-microsecond", "Gaps shorter than 5 us are no fault.")
def no_threshold(spans):
    return _diagnose(spans, threshold=0.0)


@wrong("gaps-over-ten", "The threshold is 5 us.")
def ten(spans):
    return _diagnose(spans, threshold=10.0)


@wrong(
    "window-of-the-host",
    "The device may work on after the last annotation: the window ends with the later of both.",
)
def host_window(spans):
    return _diagnose(spans, window="host")


@wrong(
    "window-of-the-device",
    "The window starts with the first step: what the device waits for at first counts.",
)
def device_window(spans):
    return _diagnose(spans, window="device")


@wrong(
    "window-of-the-trace",
    "The window is of the steps and the device, not of all spans: other threads began earlier.",
)
def trace_window(spans):
    return _diagnose(spans, window="trace")


@wrong("limit-at-a-half", "A quarter of the window is enough for a verdict.")
def half(spans):
    return _diagnose(spans, limit=0.5)


@wrong("never-healthy", "Below a quarter the verdict is healthy.")
def never(spans):
    return _diagnose(spans, limit=0.0)


@wrong("more-than-a-quarter", "0.25 itself is enough.")
def more(spans):
    return _diagnose(spans, at_least=False)


@wrong(
    "operators-called-like-the-loader",
    "The loader is an annotation; an operator of that name is none.",
)
def any_loader(spans):
    return _diagnose(spans, loader_cats=("user_annotation", "cpu_op"))


@wrong(
    "memsets-as-copies",
    "A memset moves nothing between host and device: it is neither copy nor gap.",
)
def memsets(spans):
    return _diagnose(spans, moving=("gpu_memcpy", "gpu_memset"))


@wrong("without-steps-guessed", "Without a ProfilerStep annotation raise ValueError.")
def guessed(spans):
    return _diagnose(spans, refuse=False)


@wrong("percent", "Shares lie between 0 and 1.")
def percent(spans):
    said = _diagnose(spans)
    return {**said, "shares": {name: 100 * value for name, value in said["shares"].items()}}


@wrong("microseconds-for-shares", "Divide by the length of the window.")
def absolute(spans):
    said = _diagnose(spans)
    return {**said, "shares": {name: value * 1000 for name, value in said["shares"].items()}}


@wrong("always-launch", "Not every fault is launch overhead.")
def launch(spans):
    return _diagnose(spans, fault="launch")


@wrong("first-over-a-quarter", "Two causes may be over a quarter: name the largest, not the first.")
def first_over(spans):
    shares = _diagnose(spans)["shares"]
    order = ("launch", "sync", "copies", "data_loader", "allocator", "qdq")
    return {"fault": next((c for c in order if shares[c] >= 0.25), "healthy"), "shares": shares}


@wrong("last-over-a-quarter", "Two causes may be over a quarter: name the largest, not the last.")
def last_over(spans):
    shares = _diagnose(spans)["shares"]
    order = ("qdq", "allocator", "data_loader", "copies", "sync", "launch")
    return {"fault": next((c for c in order if shares[c] >= 0.25), "healthy"), "shares": shares}


@wrong(
    "names-and-durations",
    "Presence and length of a span tell nothing: compute what the device waits for.",
)
def names_and_durations(spans):
    steps = [s for s in spans if s["name"].startswith("ProfilerStep#")]
    if not steps:
        raise ValueError("no steps")
    names = [s["name"] for s in spans]
    longest = max((e - s for s, e in _pairs(s for s in spans if LOADER in s["name"])), default=0.0)
    work = sorted(e - s for s, e in _pairs(s for s in spans if s["cat"] == "kernel"))
    copied = sum(e - s for s, e in _pairs(s for s in spans if s["cat"] == "gpu_memcpy"))
    converted = _by_range(spans, ("quantize", "dequantize"))
    rules = {
        "allocator": "cudaFree" in names,
        "data_loader": longest > 700,
        "sync": names.count("aten::item") > 2 * len(steps),
        "launch": bool(work) and work[len(work) // 2] < 10,
        "qdq": converted > 0.4 * sum(work),
        "copies": copied > 0.9 * sum(work),
    }
    fault = next((cause for cause, hit in rules.items() if hit), "healthy")
    return {"fault": fault, "shares": {cause: float(hit) for cause, hit in rules.items()}}


@wrong("loader-of-the-main-thread", "The loader's annotation counts on any thread.")
def main_loader(spans):
    steps = [s for s in spans if s["cat"] == "user_annotation" and s["name"].startswith("Profiler")]
    main = steps[0]["tid"] if steps else None
    return _diagnose([s for s in spans if not s["name"].startswith(LOADER) or s["tid"] == main])


@wrong("ranges-called-like-quantize", "The range is named `quantize`, not only begins so.")
def prefix(spans):
    names = {s["name"] for s in spans if s["name"].startswith(("quantize", "dequantize"))}
    return _diagnose(spans, names=tuple(names))


@wrong("any-range-around", "The innermost range owns a kernel, as in kernel_time_by_range.")
def any_range(spans):
    inner = [
        s
        for s in spans
        if s["cat"] == "user_annotation" and s["name"] not in ("quantize", "dequantize")
    ]
    keep = [s for s in inner if s["name"].startswith(("ProfilerStep#", LOADER))]
    return _diagnose([s for s in spans if s not in inner or s in keep])


@wrong("names-that-begin-like-the-allocator", "cudaMallocAsync and cudaFreeHost are other calls.")
def allocator_prefix(spans):
    names = {s["name"] for s in spans if s["name"].startswith(("cudaMalloc", "cudaFree"))}
    return _diagnose(spans, memory=tuple(names))


@wrong("waits-of-the-runtime-only", "A wait through the driver waits as well: cuda_driver.")
def runtime_waits(spans):
    return _diagnose(
        [s for s in spans if s["cat"] != "cuda_driver" or "Synchronize" not in s["name"]]
    )


@wrong("waits-of-any-category", "A waiting call has a cat in CALLS.")
def any_wait(spans):
    return _diagnose([{**s, "cat": HOST[0]} if "Synchronize" in s["name"] else s for s in spans])


@wrong(
    "steps-on-the-device", "The device's bracket of a step is a gpu_user_annotation, no annotation."
)
def device_steps(spans):
    return _diagnose(
        [{**s, "cat": "user_annotation"} if s["cat"] == "gpu_user_annotation" else s for s in spans]
    )


@wrong("memset-hides-a-copy", "Only a kernel hides a copy.")
def memset_hides(spans):
    as_kernels = _diagnose(
        [{**s, "cat": "kernel"} if s["cat"] == "gpu_memset" else s for s in spans]
    )
    shares = {**_diagnose(spans)["shares"], "copies": as_kernels["shares"]["copies"]}
    worst = max(shares, key=shares.get)
    return {"fault": worst if shares[worst] >= 0.25 else "healthy", "shares": shares}


@wrong("loaders-added-up", "Two loaders at once take each moment of a gap once.")
def loaders_added(spans):
    said = _diagnose(spans)
    extra = [s for s in spans if s["cat"] == "user_annotation" and s["name"].startswith(LOADER)]
    one = sum(
        _diagnose([s for s in spans if s is x or s not in extra])["shares"]["data_loader"]
        for x in extra
    )
    return {**said, "shares": {**said["shares"], "data_loader": one}}
