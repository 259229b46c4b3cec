# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Read a trace, and name the bottleneck
#
# **You end with:** a program of your own that reads a profiler's trace, computes how much of the time each of six causes takes, and names the
# fault in traces that it has never seen.
#
# About 150 minutes. 48 points: 45 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network. GPU traces here are **simulated**
# and say so in every file; the CPU traces were recorded. On a CUDA machine `python -m data.record_traces --gpu` records real ones, and this
# notebook reads them too. You need streams and copies (module 1.5, lesson 7).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # the profiler's own log lines

import contextlib
import warnings

import torch

from autograder import check
from lab.fake_quant import int8_activations
from lab.lm import calibration_batch, load_lm
from lab.plots import bars, explore, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.trace_simulator import FAULTS, simulate_trace
from lab.traces import draw_timeline, gpu_traces, read_trace, record, shipped_traces

profile = use_profile(PROFILE)
torch.set_num_threads(1)  # one host thread is enough to read

DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")  # the categories of work on a GPU
CALLS = ("cuda_runtime", "cuda_driver")  # the categories of CUDA calls on the host
LOADER = "enumerate(DataLoader)"  # how torch.profiler's name of a fetch begins
profile
# %% [markdown]
# ## One step
#
# The course's language model has four layers. One forward pass over 32 tokens, recorded by PyTorch's profiler. **Predict** how many operators
# (matrix products, additions, views, ...) the profiler sees in that one pass.
# %% role="predict" id="predict-operators"
my_operators = ...


# %% role="given" id="first-recording"
def float_step(count: int = 1, length: int = 32):
    """A call that runs the shipped model on `count` sequences."""
    model, ids = load_lm(profile=profile), calibration_batch(count, length).to(profile.device)
    return lambda: model(ids)


def recording(step, warmup: int = 2):
    """Two steps of `step()` without gradients, after one unwatched and some thrown away."""
    with torch.inference_mode():
        return record(step, wait=1, warmup=warmup, active=2)


def count_operators(found) -> int:
    """Print how many operators a step has and how many of them multiply matrices; return the first."""
    names = [e["name"] for e in found.trace["traceEvents"] if e.get("cat") == "cpu_op"]
    products = sum(name in ("aten::mm", "aten::addmm", "aten::bmm") for name in names)
    print(f"{len(names) // 2:,} operators a step, {products // 2} of them matrix products")
    print(f"{len(found.trace['traceEvents']):,} events in the file")
    return len(names) // 2


float_recording = recording(float_step())
reveal(my_operators, count_operators(float_recording), unit="operators")


# %% [markdown] items="1.6.C12"
# **What happened.** Each product is wrapped: `aten::linear` calls `aten::matmul`, that `aten::mm`, with views and transposes around. Each costs the
# host microseconds, whatever the tensor's size.
#
# Whether that matters, no list of operators tells. It depends on what waits for what, and *when*. So the profiler writes a **trace**: every
# event with its time.
# %% [markdown] items="1.6.C12"
# ## Wait, warm up, record
#
# `torch.profiler.schedule(wait=1, warmup=2, active=2)`: the first step is not watched (allocators, caches, compilers), in two the profiler runs but throws
# away (starting it costs time as well), two are kept, each in an annotation `ProfilerStep#n`. `profiler.step()` ends each.
#
# `lab.traces.record` does this. A trace is not free: each event costs about a microsecond, and files grow by a megabyte for a few
# thousand events.
# %% [markdown] items="1.6.C12"
# ## Names of your own
#
# `record_function("quantize")` puts an annotation into the trace. **NVTX** ranges are the same idea for Nsight: `torch.cuda.nvtx.range_push("quantize")`,
# `range_pop()`. NVTX needs PyTorch built with CUDA; without it those calls raise an error.
#
# So `annotate` below always writes the profiler's annotation, and the NVTX range as well where there is CUDA. (Without PyTorch, the `nvtx`
# package does it.)
# %% role="given" id="annotate"
@contextlib.contextmanager
def annotate(name: str):
    """A named range for torch.profiler, and for Nsight on a CUDA machine."""
    nvtx = torch.cuda.is_available()
    if nvtx:
        torch.cuda.nvtx.range_push(name)
    try:
        with torch.profiler.record_function(name):
            yield
    finally:
        if nvtx:
            torch.cuda.nvtx.range_pop()


def try_nvtx() -> None:
    """What PyTorch's own NVTX says on this machine."""
    try:
        torch.cuda.nvtx.range_push("quantize")
        torch.cuda.nvtx.range_pop()
        print("NVTX is there: a range was pushed and popped.")
    except RuntimeError as error:
        print(f"torch.cuda.nvtx: {error}")


try_nvtx()
# %% [markdown] items="1.6.C12"
# ## The format
#
# The **Trace Event Format** is JSON. Events have a phase `ph`, `ts`, `pid`, `tid`.
#
# | `ph` | is |
# |---|---|
# | X | complete, with a duration `dur` |
# | B, E | begin and end, brackets by thread |
# | M, i, C | metadata, instant, counter |
# | s, f | an arrow |
# | b, n, e | asynchronous |
#
# `ts` and `dur` are **microseconds**; `displayTimeUnit` is for the viewer's labels.
# %% role="given" id="first-events"
print(*float_recording.trace["traceEvents"][9:12], sep="\n")
# %% [markdown] items="1.6.C12"
# ### Exercise: from events to spans
#
# A **span** is a dict with `name`, `cat`, `pid`, `tid`, `start_us`, `end_us`, `args`. On a GPU's rows, `pid` is the device and `tid` the stream.
#
# <details><summary>Hint 1</summary>Sort the B and E events by <code>ts</code> (<code>sorted</code> keeps the file's order for equal times), and keep
# a list of open events for each <code>(pid, tid)</code>: an E closes the last one opened.</details>
# <details><summary>Hint 2</summary>Find the origin last: the smallest start among the spans, not among all events.</details>


# %% role="exercise" id="trace-spans" items="1.6.C12" minutes=15
def read_spans(trace: dict) -> list[dict]:
    """The spans of a trace, with times from the first of them.

    Complete events ("X") are spans; one without "dur" lasts 0. An "E" closes the last open "B" of its pid
    and tid, in order of ts (for equal ts in the order of the file): name and cat are the B's, args are the B's
    with the E's added (for a key of both, the E's). A B that is never closed and an E that closes nothing are left
    out. All other phases are no spans. Times of the file are microseconds.

    Args:
        trace: {"traceEvents": [...]}, perhaps with other keys. Events come in any order; "name", "cat" and "args"
            may be missing; pid and tid are ints or strings (1 and "1" are two).

    Returns:
        spans: dicts with exactly the keys name, cat ("" where missing), pid, tid (as in the file), start_us,
            end_us (floats; the earliest span starts at 0.0), args ({} where missing). Sorted by start_us; of
            equal starts the one that ends last comes first; of equal spans in any order.

    >>> events = [{"ph": "E", "pid": 1, "tid": 1, "ts": 17.5}, {"ph": "M", "name": "process_name", "ts": 0},
    ...           {"ph": "B", "name": "step", "pid": 1, "tid": 1, "ts": 10.0},
    ...           {"ph": "X", "name": "mm", "cat": "cpu_op", "pid": 1, "tid": 1, "ts": 12.0, "dur": 4.5}]
    >>> [(s["name"], s["start_us"], s["end_us"]) for s in read_spans({"traceEvents": events})]
    [('step', 0.0, 7.5), ('mm', 2.0, 6.5)]
    """
    ### BEGIN SOLUTION
    found, opened = [], {}
    for event in sorted(trace["traceEvents"], key=lambda e: e.get("ts", 0)):
        stack = opened.setdefault((event.get("pid"), event.get("tid")), [])
        if event["ph"] == "X":
            found.append((event, event["ts"], event["ts"] + event.get("dur", 0), {}))
        elif event["ph"] == "B":
            stack.append(event)
        elif event["ph"] == "E" and stack:
            begin = stack.pop()
            found.append((begin, begin["ts"], event["ts"], event.get("args", {})))
    origin = min((start for _, start, _, _ in found), default=0.0)
    spans = [
        {
            "name": event.get("name", ""),
            "cat": event.get("cat", ""),
            "pid": event["pid"],
            "tid": event["tid"],
            "start_us": float(start - origin),
            "end_us": float(end - origin),
            "args": {**event.get("args", {}), **more},
        }
        for event, start, end, more in found
    ]
    return sorted(spans, key=lambda s: (s["start_us"], -s["end_us"]))
    ### END SOLUTION


# %% role="check" id="trace-spans" points=5
check("trace-spans", read_spans)
# %% [markdown] items="1.6.C12"
# ## Self time and total time
#
# Spans of one thread nest. **Total** time of a name: all time inside its spans. **Self** time: the part not inside a span that lies within it.
#
# Totals cannot be added up: the same microsecond is in `aten::linear`, `aten::matmul` and `aten::mm`. Self times can, and their sum is the time of the
# outermost spans.
#
# Where an operator calls itself (`aten::arange` does), adding up durations counts a total twice.
# %% [markdown] items="1.6.C12"
# ### Exercise: time by name
#
# <details><summary>Hint 1</summary>For each (pid, tid), go through the spans sorted by start, the longer first, with a list of those still open: before
# each span, drop those that have ended.</details>
# <details><summary>Hint 2</summary>Add a span's duration to its own self time, and subtract it from the self time of the last open
# one.</details>
# <details><summary>Hint 3</summary>Add to the total only if no open span has the same name.</details>


# %% role="exercise" id="trace-self-time" items="1.6.C12" minutes=15
def time_by_name(spans: list[dict]) -> dict[str, dict]:
    """Calls, self time and total time of each name over all threads.

    Only spans of the same pid and tid nest: b lies within a if a starts no later and ends no earlier (of two with equal
    times, the one that comes later in the list lies within the other). Spans of a thread never overlap in part (by more than
    the 0.001 us to which files round).

    Args:
        spans: as read_spans gives them, sorted.

    Returns:
        name -> {"calls": int, number of spans,
                 "self_us": float, durations minus the time inside spans that lie within,
                 "total_us": float, durations of those spans that lie in no other span of the same name}.

    >>> step = {"name": "step", "pid": 1, "tid": 1, "start_us": 0.0, "end_us": 10.0}
    >>> mm = {"name": "mm", "pid": 1, "tid": 1, "start_us": 2.0, "end_us": 6.5}
    >>> time_by_name([step, mm])["step"]
    {'calls': 1, 'self_us': 5.5, 'total_us': 10.0}
    """
    ### BEGIN SOLUTION
    times, threads = {}, {}
    for span in spans:
        around = threads.setdefault((span["pid"], span["tid"]), [])
        # Its middle decides: rounded times may touch or cross by a nanosecond.
        while around and around[-1]["end_us"] < (span["start_us"] + span["end_us"]) / 2:
            around.pop()
        duration = span["end_us"] - span["start_us"]
        row = times.setdefault(span["name"], {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        row["calls"] += 1
        row["self_us"] += duration
        if around:
            times[around[-1]["name"]]["self_us"] -= duration
        if all(other["name"] != span["name"] for other in around):
            row["total_us"] += duration
        around.append(span)
    return times
    ### END SOLUTION


# %% role="check" id="trace-self-time" points=5
check("trace-self-time", time_by_name)


# %% [markdown] items="1.6.C5"
# **Measure.** Float, PyTorch's dynamic INT8, and INT8 imitated by operators in Python ("fake quantization", module 1.2), the last with its steps in a range
# `quantize`.
# %% role="given" id="float-and-int8"
def int8_step():
    """The shipped model with dynamic INT8 linears, by torch.ao, on the CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao's note that it has moved to torchao
        model = torch.ao.quantization.quantize_dynamic(
            load_lm(), {torch.nn.Linear}, dtype=torch.qint8
        )
    ids = calibration_batch(1, 32)
    return lambda: model(ids)


def fake_int8_step():
    """The shipped model with each linear's input rounded to INT8 codes by separate operators."""
    model, ids = load_lm(profile=profile), calibration_batch(1, 32).to(profile.device)

    def step() -> None:
        with int8_activations(model):
            for layer in model.modules():
                for number, hook in list(layer._forward_pre_hooks.items()):
                    layer._forward_pre_hooks[number] = annotated(hook)
            model(ids)

    return step


def annotated(hook):
    """The same hook within a range of the trace."""

    def inside(module, args):
        with annotate("quantize"):
            return hook(module, args)

    return inside


def step_times(spans: list[dict]) -> dict[str, dict]:
    """Time by name on the host's threads, without the profiler's own bracket."""
    return time_by_name([s for s in spans if s["cat"] in ("cpu_op", "user_annotation")])


def show_top(label: str, found) -> dict[str, dict]:
    """Print the operators with most self time, and what share of the steps they are."""
    times = step_times(read_spans(found.trace))
    steps = {n: t for n, t in times.items() if n.startswith("ProfilerStep#")}
    whole_us = sum(t["total_us"] for t in steps.values())
    rest = sorted((n for n in times if n not in steps), key=lambda n: -times[n]["self_us"])
    calls = sum(times[n]["calls"] for n in rest)
    print(f"{label}: {whole_us / 2e3:.2f} ms a step, {calls // 2} spans in it")
    for name in rest[:4]:
        share = times[name]["self_us"] / whole_us
        print(f"   {share:6.1%} self  {times[name]['calls'] // 2:4d} calls  {name}")
    python_us = sum(t["self_us"] for t in steps.values())
    print(f"   {python_us / whole_us:6.1%} self              outside of all: Python")
    return times | {"all steps": {"total_us": whole_us}}


def compare_recordings() -> tuple[dict, float, float]:
    """Three recordings; returns self shares of the products, the Q/DQ share, and the worst disagreement with torch."""
    rows = {"float": float_recording}
    if profile.device == "cpu":
        rows["INT8, dynamic"] = recording(int8_step())
    rows["INT8, imitated"] = recording(fake_int8_step())
    share = {}
    for label, found in rows.items():
        times = show_top(label, found)
        products = [t["self_us"] for n, t in times.items() if n in ("aten::mm", "aten::addmm", "aten::bmm", "quantized::linear_dynamic")]  # fmt: skip
        share[label] = 100 * sum(products) / times["all steps"]["total_us"]
    qdq = 100 * times["quantize"]["total_us"] / times["all steps"]["total_us"]
    mine = step_times(read_spans(float_recording.trace))
    theirs = {n: t for n, t in float_recording.averages.items() if n in mine}
    worst_us = max(abs(mine[n]["self_us"] - t[1]) for n, t in theirs.items())
    return share, qdq, worst_us


product_share, qdq_share, worst_us = compare_recordings()
print(f"range `quantize` in the last: {qdq_share:.1f} % of the step")
print(f"self times, yours against torch.profiler's own table: {worst_us:.3f} us apart at most")
show(
    bars(product_share, unit="%", title="Share of the step spent in matrix products"),
    "Bars: the share of a step that is matrix products, float, dynamic INT8 and imitated INT8: "
    + ", ".join(f"{name} {value:.0f} %" for name, value in product_share.items()),
)
# %% [markdown] items="1.6.C5"
# **What you should see.** Your self times equal the profiler's table to a small part of a microsecond. Dynamic INT8 quantizes
# *inside* `quantized::linear_dynamic`: no step of it shows. Imitated INT8 adds some 500 spans to a step: Q/DQ that nothing fuses. Much of a
# step is Python between the calls.
#
# Counts repeat, times do not: `quantize` took 14 % in one run on two cores and 55 % in another, when other programs interrupted it.
# %% role="given" id="float-timeline"


def show_float_timeline() -> None:
    """One layer of the recorded step."""
    spans = [s for s in read_spans(float_recording.trace) if s["cat"] in ("cpu_op", "user_annotation")]  # fmt: skip
    products = [s for s in spans if s["name"] == "aten::linear"]
    begin, end = products[0]["start_us"] - 20, products[6]["end_us"] + 20
    drawn = draw_timeline(spans, begin, end, title="Recorded: the first layer of the float model")
    show(
        drawn,
        "A recorded timeline of the first layer: the step's annotation on top, below it operators such as aten::linear, each with "
        "aten::matmul and aten::mm under it; white between them is Python.",
    )


show_float_timeline()
# %% [markdown] items="1.6.C12"
# ## Two clocks that run apart
#
# On a GPU machine the host only *issues*: `aten::mm` calls `cudaLaunchKernel` (category `cuda_runtime`) and returns; the kernel runs later, in order of its stream
# (`cat` "kernel", `pid` 0, `tid` the stream). Both carry the same `args["correlation"]`.
#
# A full queue is health: the host is ahead. **An idle GPU with an idle queue** is the loss.
#
# The traces below are simulated (`lab/trace_simulator.py`), in the profiler's format.
# %% [markdown] items="1.6.C12 1.6.K7"
# ### Exercise: idle gaps
#
# Copies and kernels on several streams overlap: the device is idle when *none* runs.
#
# <details><summary>Hint 1</summary>Sort by start; keep the latest end seen so far. A gap opens where the next start lies behind it.</details>
# <details><summary>Hint 2</summary>Clip first: <code>max(start, begin_us)</code>, <code>min(end, end_us)</code>; leave out what is empty then. Do not forget
# the gap before the first and behind the last.</details>


# %% role="exercise" id="trace-gaps" items="1.6.C12 1.6.K7" minutes=10
def idle_gaps(
    intervals: list[tuple[float, float]], begin_us: float, end_us: float, threshold_us: float
) -> list[tuple[float, float]]:
    """The parts of a window in which no interval runs.

    Args:
        intervals: (start_us, end_us) with start <= end, in any order; they may overlap, lie outside the window or
            have no length (such a one divides no gap). The list is not changed.
        begin_us, end_us: the window.
        threshold_us: 0 or more; shorter gaps are left out.

    Returns:
        (start_us, end_us) of each longest idle stretch inside the window of at least threshold_us and longer than 0, in
        order of time.

    Raises:
        ValueError: end_us < begin_us, or a negative threshold_us.

    >>> idle_gaps([(5.0, 9.0), (6.0, 7.0), (12.0, 15.0)], 0.0, 20.0, 4.0)
    [(0.0, 5.0), (15.0, 20.0)]
    """
    ### BEGIN SOLUTION
    if end_us < begin_us or threshold_us < 0:
        raise ValueError("The window must end after it begins, and the threshold is 0 or more.")
    gaps, free = [], begin_us
    for start, end in [*sorted(intervals), (end_us, end_us)]:
        start, end = min(max(start, begin_us), end_us), min(end, end_us)
        last = start == end_us
        if end <= start and not last:
            continue
        if start > free and start - free >= threshold_us:
            gaps.append((free, start))
        free = max(free, end)
    return gaps
    ### END SOLUTION


# %% role="check" id="trace-gaps" points=5
check("trace-gaps", idle_gaps)
# %% [markdown] items="1.6.C12 1.6.K4"
# ### Exercise: what a copy hides behind
#
# A copy costs nothing while a kernel runs. So the question is how long *some* copy and *some* kernel run together.
#
# <details><summary>Hint 1</summary>Walk through all edges in order of time with two counters: how many of a and how many of b
# run.</details>
# <details><summary>Hint 2</summary>Or merge each list into disjoint intervals first, then add up
# <code>min(ends) - max(starts)</code> of all pairs where that is above 0.</details>


# %% role="exercise" id="trace-overlap" items="1.6.C12 1.6.K4" minutes=10
def overlap_us(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> float:
    """Time during which at least one interval of a and at least one of b run.

    No moment counts twice, however many intervals run in it.

    Args:
        a, b: (start_us, end_us) with start <= end, in any order; those of one list may overlap; may be empty. The lists are not
            changed.

    Returns:
        microseconds; overlap_us(a, a) is the time in which any of a runs.

    >>> overlap_us([(0.0, 4.0), (2.0, 6.0)], [(3.0, 10.0)])
    3.0
    """
    ### BEGIN SOLUTION
    edges = [(t, step, which) for which, pairs in enumerate((a, b)) for s, e in pairs for t, step in ((s, 1), (e, -1))]  # fmt: skip
    running, before, total = [0, 0], 0.0, 0.0
    for time_us, step, which in sorted(edges):
        if running[0] > 0 and running[1] > 0:
            total += time_us - before
        running[which] += step
        before = time_us
    return total
    ### END SOLUTION


# %% role="check" id="trace-overlap" points=4
check("trace-overlap", overlap_us)


# %% [markdown] items="1.6.K7"
# ## Turn the knobs
#
# Below is a step of an INT8 network on a simulated GPU. Idle stretches of 5 µs and more are dotted red. **Before you look at the names:** for each fault, where is
# the red, and what does the host do above it?
# %% role="given" id="fault-knob"
def device_pairs(spans: list[dict], cats: tuple = DEVICE) -> list[tuple[float, float]]:
    """(start_us, end_us) of the spans of some categories."""
    return [(s["start_us"], s["end_us"]) for s in spans if s["cat"] in cats]


def fault_knob(fault="sync", seed=1, begin_percent=20, width_percent=12):
    """A part of a simulated trace, with the device's idle gaps."""
    spans = read_spans(simulate_trace(fault, seed))
    whole_us = max(s["end_us"] for s in spans if s["cat"] in (*DEVICE, "user_annotation"))
    begin = whole_us * begin_percent / 100
    end = min(begin + whole_us * width_percent / 100, whole_us)
    gaps = idle_gaps(device_pairs(spans), begin, end, 5.0)
    idle = sum(e - s for s, e in gaps) / (end - begin)
    title = f"SIMULATED, {fault}: {idle:.0%} of this part idle"
    drawn = draw_timeline(spans, begin, end, title=title, gaps=gaps)
    return drawn, f"{title}. Host rows above, streams below, idle time of the device in red."


explore(
    fault_knob,
    fault=list(FAULTS[2:] + FAULTS[:2]),
    seed=(1, 9, 1),
    begin_percent=(0, 88, 4),
    width_percent=[12, 25, 50, 100],
)
# %% [markdown] items="1.6.K7"
# **What you should see.** *launch*: red behind every kernel, the host busy all the time. *sync*: red where `aten::item` ends. *data_loader*: one long red stretch
# under the loader's annotation. *allocator*: red under `cudaFree` and `cudaMalloc`.
#
# *copies* and *qdq* have little red: the device works, on the wrong thing. And *healthy* has long waits on the host that cost
# nothing.
# %% [markdown] items="1.6.C12"
# ### Exercise: from launch to start
#
# One call may issue many kernels: all kernels of a `cudaGraphLaunch` carry its correlation id. Triton launches through the driver:
# `cuLaunchKernel`, category `cuda_driver`.
#
# <details><summary>Hint 1</summary>A dict from correlation id to the <em>call</em>; then go through the device's operations.</details>
# <details><summary>Hint 2</summary>Keep for each (pid, tid) the end of the operation before.</details>


# %% role="exercise" id="trace-launches" items="1.6.C12" minutes=12
def launch_delays(spans: list[dict]) -> list[dict]:
    """How long each operation of the device waited for its start, and how long its stream was idle before.

    Operations of the device have a cat in DEVICE, calls one in CALLS. An operation belongs to the call with the same
    args["correlation"]; each id is of one call at most.

    Args:
        spans: as read_spans gives them, sorted. args may lack "correlation". Operations of a stream (pid, tid) never
            overlap.

    Returns:
        for each operation with a recorded call, in the order of spans:
        {"name": str,
         "delay_us": float, from the start of the call to the start of the operation,
         "idle_us": float, from the end of the operation before it in its stream (recorded call or not) to its start; 0.0 for
            the first of its stream}.

    >>> call = {"name": "cudaLaunchKernel", "cat": "cuda_runtime", "pid": 9, "tid": 9,
    ...         "start_us": 0.0, "end_us": 4.0, "args": {"correlation": 5}}
    >>> kernel = {"name": "gemm", "cat": "kernel", "pid": 0, "tid": 7,
    ...           "start_us": 6.5, "end_us": 60.0, "args": {"correlation": 5, "stream": 7}}
    >>> launch_delays([call, kernel])
    [{'name': 'gemm', 'delay_us': 6.5, 'idle_us': 0.0}]
    """
    ### BEGIN SOLUTION
    calls = {s["args"].get("correlation"): s for s in spans if s["cat"] in CALLS}
    calls.pop(None, None)
    found, ended = [], {}
    for span in spans:
        if span["cat"] not in DEVICE:
            continue
        stream = (span["pid"], span["tid"])
        idle_us = span["start_us"] - ended.get(stream, span["start_us"])
        ended[stream] = span["end_us"]
        call = calls.get(span["args"].get("correlation"))
        if call:
            delay_us = span["start_us"] - call["start_us"]
            found.append({"name": span["name"], "delay_us": delay_us, "idle_us": idle_us})
    return found
    ### END SOLUTION


# %% role="check" id="trace-launches" points=4
check("trace-launches", launch_delays)
# %% [markdown] items="1.6.C12"
# **Predict.** A kernel's delay is 6 µs in one trace and 900 µs in another. Which of the two GPUs is starved? Then run.
# %% role="given" id="delays"


def show_delays() -> None:
    """Median delay and idle time before the kernels of three simulated traces."""
    for fault in ("healthy", "launch", "sync"):
        delays = launch_delays(read_spans(simulate_trace(fault, 3)))
        kernels = [d for d in delays if not d["name"].startswith("Mem")]
        middle = len(kernels) // 2
        delay, idle = (sorted(k[key] for k in kernels)[middle] for key in ("delay_us", "idle_us"))
        print(f"{fault:8s} median delay {delay:7.1f} us, median idle time before {idle:5.1f} us")


show_delays()
# %% [markdown] items="1.6.C5"
# **What you should see.** The *long* delay is the healthy one: the kernel queues behind others. A delay of a few microseconds with idle time before it means that the
# GPU waits for the host.
#
# ## Who launched it?
#
# A kernel's name rarely tells its purpose: the same `vectorized_elementwise_kernel` divides by a scale and adds a residual, and a GEMM with a *dequant* epilogue is
# the product itself. The annotation around its *launch* knows.
# %% [markdown] items="1.6.C5 1.6.C12"
# ### Exercise: kernel time by range
#
# The kernel may run long after its range has ended on the host: go through the launch call, not through the kernel's time.
#
# <details><summary>Hint</summary>Of the annotations on the call's thread that hold the whole call, the innermost is the shortest.</details>


# %% role="exercise" id="trace-ranges" items="1.6.C5 1.6.C12" minutes=12
def kernel_time_by_range(spans: list[dict]) -> dict[str, float]:
    """Kernel time, by the name of the innermost annotation around the launch.

    Only spans with cat "kernel" count (no copies), and only those with cat "user_annotation" are ranges. A range
    holds a call (cat in CALLS) if both have the same pid and tid and the call starts and ends within the range, its ends included.

    Args:
        spans: as read_spans gives them, sorted. Ranges of a thread never overlap in part, and no two have equal times.

    Returns:
        name -> sum of the kernels' durations, microseconds, for each name with a kernel; "" for kernels whose call is
        in no range or was not recorded.

    >>> times = kernel_time_by_range(read_spans(simulate_trace("qdq", seed=1)))
    >>> [name for name in sorted(times) if not name.startswith("layer")]
    ['dequantize', 'quantize']
    """
    ### BEGIN SOLUTION
    calls = {s["args"].get("correlation"): s for s in spans if s["cat"] in CALLS}
    calls.pop(None, None)
    ranges = [s for s in spans if s["cat"] == "user_annotation"]
    times = {}
    for kernel in (s for s in spans if s["cat"] == "kernel"):
        call = calls.get(kernel["args"].get("correlation"))
        around = [
            r
            for r in ranges
            if call
            and (r["pid"], r["tid"]) == (call["pid"], call["tid"])
            and r["start_us"] <= call["start_us"]
            and call["end_us"] <= r["end_us"]
        ]
        inner = min(around, key=lambda r: r["end_us"] - r["start_us"], default={"name": ""})
        duration = kernel["end_us"] - kernel["start_us"]
        times[inner["name"]] = times.get(inner["name"], 0.0) + duration
    return times
    ### END SOLUTION


# %% role="check" id="trace-ranges" points=5
check("trace-ranges", kernel_time_by_range)
# %% [markdown] items="1.6.K7 1.6.K4"
# ## What a wait costs
#
# `.item()` copies a value to the host and calls `cudaStreamSynchronize`: the host stands still until the queue is empty. The wait itself is no loss: the GPU works. The loss
# comes **after**: the queue is empty, and the GPU idles until the host has launched again.
#
# So the longest wait in a trace is often the cheapest: ten milliseconds at the end of a step cost one restart, a hundred short ones cost a
# hundred.
# %% [markdown] items="1.6.K7"
# ### Exercise: find the stall
#
# <details><summary>Hint 1</summary>Work through the waiting calls one at a time; collect in a dict by the operator's name.</details>
# <details><summary>Hint 2</summary>The outermost operator around a call is the longest one.</details>
# <details><summary>Hint 3</summary>Idle time: from the latest end at or before the call's end to the earliest start at or after
# it.</details>


# %% role="exercise" id="trace-stall" items="1.6.K7" minutes=15
def worst_stall(spans: list[dict]) -> dict | None:
    """The operator whose waiting for the device leaves the device idle longest, over all its calls.

    A waiting call has a cat in CALLS and "Synchronize" in its name. Its operator is the outermost span with cat "cpu_op" of
    the same pid and tid that holds the whole call, "" if there is none. Operations of the device have a cat in DEVICE.

    The idle time after a call, with t its end: 0 if an operation of the device runs at t (starts before t and ends after it),
    or if none ends at or before t, or if none starts at or after t; else from the latest end at or before t
    to the earliest start at or after t.

    Args:
        spans: as read_spans gives them, sorted.

    Returns:
        {"op": str, "calls": int, waiting calls of that operator, "wait_us": float, their durations added up, "idle_us": float,
         the idle times after them added up}, for the name with the largest idle_us (of equals any); None if no call waits.

    >>> span = lambda name, cat, a, b: {"name": name, "cat": cat, "pid": 1, "tid": 1, "start_us": a, "end_us": b}
    >>> worst_stall([span("aten::item", "cpu_op", 0.0, 60.0), span("gemm", "kernel", 10.0, 50.0),
    ...              span("cudaStreamSynchronize", "cuda_runtime", 5.0, 52.0), span("gemm", "kernel", 75.0, 90.0)])
    {'op': 'aten::item', 'calls': 1, 'wait_us': 47.0, 'idle_us': 25.0}
    """
    ### BEGIN SOLUTION
    device = [s for s in spans if s["cat"] in DEVICE]
    rows = {}
    for call in (s for s in spans if s["cat"] in CALLS and "Synchronize" in s["name"]):
        thread, t = (call["pid"], call["tid"]), call["end_us"]
        around = [s for s in spans if s["cat"] == "cpu_op" and (s["pid"], s["tid"]) == thread
                  and s["start_us"] <= call["start_us"] and t <= s["end_us"]]  # fmt: skip
        outer = max(around, key=lambda s: s["end_us"] - s["start_us"], default={"name": ""})
        ended = [s["end_us"] for s in device if s["end_us"] <= t]
        coming = [s["start_us"] for s in device if s["start_us"] >= t]
        running = any(s["start_us"] < t < s["end_us"] for s in device)
        row = rows.setdefault(outer["name"], {"op": outer["name"], "calls": 0, "wait_us": 0.0, "idle_us": 0.0})  # fmt: skip
        row["calls"] += 1
        row["wait_us"] += t - call["start_us"]
        if ended and coming and not running:
            row["idle_us"] += min(coming) - max(ended)
    return max(rows.values(), key=lambda row: row["idle_us"], default=None)
    ### END SOLUTION


# %% role="check" id="trace-stall" points=5
check("trace-stall", worst_stall)
# %% [markdown] items="1.6.K4 1.6.K7"
# ## Where did the time go?
#
# Now all together. The **window**: from the start of the first `ProfilerStep#` annotation to the latest end among these annotations and the device's operations. A **gap**: 5 µs or more of
# it in which no operation of the device runs (between two kernels a GPU needs about a microsecond: that is no fault).
#
# Each microsecond lost has one cause:
# %% [markdown] items="1.6.K4 1.6.K7"
# | cause | lost time |
# |---|---|
# | data_loader | gaps, while an annotation runs whose name starts with `LOADER` |
# | allocator | gaps, while `cudaMalloc` or `cudaFree` runs |
# | sync | the rest of gaps that begin within a waiting call, its ends included |
# | launch | the rest of the other gaps |
# | copies | a `gpu_memcpy` runs, no kernel does |
# | qdq | kernels launched in `quantize` or `dequantize` |
# %% [markdown] items="1.6.K4 1.6.K7 1.6.C5"
# ### Exercise: the diagnosis
#
# It is graded on traces that you have not seen, with decoys: much copying that hides, long waits that cost nothing, a `cudaMalloc` behind a full queue,
# loaders on other threads.
#
# <details><summary>Hint 1</summary>Your <code>idle_gaps</code>, <code>overlap_us</code> and <code>kernel_time_by_range</code> do nearly all of it.</details>
# <details><summary>Hint 2</summary>The rest of some gaps: <code>overlap_us(mine, mine)</code> minus their overlap with the loader and with the
# allocator's calls.</details>


# %% role="exercise" id="trace-diagnose" items="1.6.K7 1.6.K4 1.6.C5" minutes=25
def diagnose(spans: list[dict]) -> dict:
    """The fault of a trace, and the share of the window that each cause takes, as in the table above.

    Calls have a cat in CALLS (a waiting call also "Synchronize" in its name), operations of the device one in DEVICE,
    annotations the cat "user_annotation"; they may be of any thread. The allocator's calls bear exactly the names cudaMalloc or cudaFree.
    Ranges as in kernel_time_by_range. The loader's annotations and the allocator's calls never run at the same time; copies, and kernels launched in `quantize` or `dequantize`, lie inside the window, and such kernels never
    overlap.

    Args:
        spans: as read_spans gives them, with one ProfilerStep# annotation or more.

    Returns:
        {"fault": the cause with the largest share if that is 0.25 or more, else "healthy",
         "shares": {cause: lost time / length of the window}, floats for all six causes}.

    Raises:
        ValueError: no ProfilerStep# annotation.

    >>> diagnose(read_spans(simulate_trace("qdq", seed=5)))["fault"]
    'qdq'
    """
    ### BEGIN SOLUTION
    notes = [s for s in spans if s["cat"] == "user_annotation"]
    steps = [s for s in notes if s["name"].startswith("ProfilerStep#")]
    if not steps:
        raise ValueError("The trace has no ProfilerStep# annotation: record it with a schedule.")
    device = [s for s in spans if s["cat"] in DEVICE]
    calls = [s for s in spans if s["cat"] in CALLS]
    pairs = lambda group: [(s["start_us"], s["end_us"]) for s in group]  # noqa: E731
    begin, end = steps[0]["start_us"], max(s["end_us"] for s in steps + device)
    gaps = idle_gaps(pairs(device), begin, end, 5.0)
    loading = pairs(s for s in notes if s["name"].startswith(LOADER))
    memory = pairs(s for s in calls if s["name"] in ("cudaMalloc", "cudaFree"))
    waits = pairs(s for s in calls if "Synchronize" in s["name"])
    after_wait = [g for g in gaps if any(start <= g[0] <= stop for start, stop in waits)]
    others = [g for g in gaps if g not in after_wait]
    rest = lambda mine: overlap_us(mine, mine) - overlap_us(mine, loading) - overlap_us(mine, memory)  # fmt: skip  # noqa: E731
    copies = pairs(s for s in device if s["cat"] == "gpu_memcpy")
    kernels = pairs(s for s in device if s["cat"] == "kernel")
    ranges = kernel_time_by_range(spans)
    lost = {
        "data_loader": overlap_us(gaps, loading),
        "allocator": overlap_us(gaps, memory),
        "sync": rest(after_wait),
        "launch": rest(others),
        "copies": overlap_us(copies, copies) - overlap_us(copies, kernels),
        "qdq": ranges.get("quantize", 0.0) + ranges.get("dequantize", 0.0),
    }
    shares = {cause: time_us / (end - begin) for cause, time_us in lost.items()}
    worst = max(shares, key=shares.get)
    return {"fault": worst if shares[worst] >= 0.25 else "healthy", "shares": shares}
    ### END SOLUTION


# %% role="check" id="trace-diagnose" points=8
check("trace-diagnose", diagnose)


# %% [markdown] items="1.6.K7"
# **Measure.** Your diagnosis on thirty-five simulated traces beside three rules that people use.
# %% role="given" id="rules"
def rule_longest_span(spans: list[dict]) -> str:
    """The name of the longest thing says it."""
    longest = max((s for s in spans if s["cat"] in CALLS), key=lambda s: s["end_us"] - s["start_us"])  # fmt: skip
    words = {"Synchronize": "sync", "Memcpy": "copies", "cudaMalloc": "allocator", "cudaFree": "allocator"}  # fmt: skip
    return next((fault for word, fault in words.items() if word in longest["name"]), "launch")


def rule_kernel_names(spans: list[dict]) -> str:
    """Much time in kernels with "quant" in the name: Q/DQ."""
    share = [0.0, 0.0]
    for s in spans:
        if s["cat"] == "kernel":
            share["quant" in s["name"]] += s["end_us"] - s["start_us"]
    return "qdq" if share[1] > 0.25 * sum(share) else "healthy"


def rule_most_time(spans: list[dict]) -> str:
    """Whichever category adds up to most: copies or loader or waiting."""
    sums = {"copies": 0.0, "data_loader": 0.0, "sync": 0.0}
    for s in spans:
        for fault, hit in (("copies", s["cat"] == "gpu_memcpy"), ("data_loader", s["name"].startswith(LOADER)), ("sync", "Synchronize" in s["name"])):  # fmt: skip
            sums[fault] += (s["end_us"] - s["start_us"]) if hit else 0.0
    return max(sums, key=sums.get)


def compare_rules() -> dict[str, float]:
    """Right diagnoses of 35 traces, in %."""
    rules = {"yours": lambda s: diagnose(s)["fault"], "longest call": rule_longest_span,
             "kernel names": rule_kernel_names, "largest sum": rule_most_time}  # fmt: skip
    hits = dict.fromkeys(rules, 0)
    for fault in FAULTS:
        for seed in range(5):
            spans = read_spans(simulate_trace(fault, 100 + seed))
            for name, rule in rules.items():
                hits[name] += rule(spans) == fault
    return {name: 100 * count / (5 * len(FAULTS)) for name, count in hits.items()}


rule_scores = compare_rules()
show(
    bars(rule_scores, unit="%", title="Right diagnoses of 35 simulated traces"),
    "Bars of right diagnoses: " + ", ".join(f"{n} {v:.0f} %" for n, v in rule_scores.items()),
)
# %% [markdown] items="1.6.K7"
# **What you should see.** All right for you, a third or fewer for each rule. They look at what is *long*; you asked what the device *waited* for.
#
# ## Recorded traces
#
# Six traces of one step each were recorded by torch.profiler on a CPU (`data/record_traces.py`, versions in `data/traces/made_by.json`). No device here: the thread
# itself works, so **self and total times** tell. One trace is healthy; five programs do something foolish.
# %% role="given" id="recorded"
recorded = {letter: read_spans(read_trace(path)) for letter, path in shipped_traces().items()}


def show_recorded(letter: str, rows: int = 5) -> None:
    """The names of a recorded step with most self time."""
    times = step_times(recorded[letter])
    step_us = sum(t["total_us"] for n, t in times.items() if n.startswith("ProfilerStep#"))
    print(f"{letter}: {step_us / 1e3:6.2f} ms")
    for name in sorted(times, key=lambda n: -times[n]["self_us"])[:rows]:
        row = times[name]
        print(f"   self {row['self_us'] / step_us:6.1%}  total {row['total_us'] / step_us:6.1%}  {row['calls']:5d} calls  {name}")  # fmt: skip


def show_all_recorded() -> None:
    """Every recorded trace."""
    for each in recorded:
        show_recorded(each)


show_all_recorded()
# %% [markdown] items="1.6.K7 1.6.K4 1.6.C5"
# ### Exercise: six verdicts
#
# The faults: `item_loop` (values read one by one into Python), `data_loader` (the batch comes late), `dtype_copies` (weights converted in every call), `repacking` (INT8 weights packed again in
# every call), `qdq` (quantize and dequantize around float products), `healthy`.
#
# <details><summary>Hint 1</summary>Which operators would each program call, and how often?</details>
# <details><summary>Hint 2</summary>A table from letter to (fault, operator), and <code>time_by_name</code> for the proof.</details>


# %% role="exercise" id="trace-recorded" items="1.6.K7 1.6.K4 1.6.C5" minutes=15
def verdict(letter: str, spans: list[dict]) -> dict:
    """The fault of a recorded trace with the operator that proves it.

    Args:
        letter: "a" to "f", a key of `recorded`.
        spans: the spans of that trace, as read_spans gives them. When graded also with all times stretched, as a slower
            machine would record them.

    Returns:
        {"fault": one of the six names above,
         "operator": the name of a span within the step that the fault causes (without the fault the step would have none of
            them, far fewer, or far less time in them); for "healthy" the one with cat "cpu_op" that has the most self time,
         "total_us": float, the total time of that name, as time_by_name gives it}.

    >>> sorted(verdict("a", read_spans(read_trace(shipped_traces()["a"]))))
    ['fault', 'operator', 'total_us']
    """
    ### BEGIN SOLUTION
    table = {
        "a": ("item_loop", "aten::item"),
        "b": ("repacking", "quantized::linear_prepack"),
        "c": ("healthy", "aten::mm"),
        "d": ("data_loader", "enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"),
        "e": ("qdq", "aten::quantize_per_tensor"),
        "f": ("dtype_copies", "aten::_to_copy"),
    }
    fault, operator = table[letter]
    total_us = time_by_name(spans)[operator]["total_us"]
    return {"fault": fault, "operator": operator, "total_us": total_us}
    ### END SOLUTION


# %% role="check" id="trace-recorded" points=4
check("trace-recorded", verdict)


# %% [markdown]
# **On a real GPU.** `python -m data.record_traces --gpu` on a CUDA machine writes traces to `ci/reports/`; the next cell diagnoses
# them. On the GPU profile it also tells what share of the kernel time the imitated INT8 spends on Q/DQ.
# %% role="given" id="gpu-recorded"
def show_gpu_traces() -> None:
    """Your diagnosis of the traces in ci/reports/."""
    found = gpu_traces()
    if not found:
        print("No GPU trace has been recorded yet: nothing is shown instead of it.")
    for name, path in found.items():
        trace = read_trace(path)
        answer = diagnose(read_spans(trace))
        worst = max(answer["shares"], key=answer["shares"].get)
        print(f"{name}: {answer['fault']}; largest {worst} {answer['shares'][worst]:.0%}", end=" ")
        print(f"({trace.get('recorded', 'machine not named')})")
    if profile.device == "cuda":
        ranges = kernel_time_by_range(read_spans(recording(fake_int8_step()).trace))
        share = ranges.get("quantize", 0.0) / sum(ranges.values())
        print(
            f"imitated INT8 on this GPU: {share:.1%} of the kernel time is launched in `quantize`"
        )


show_gpu_traces()
# %% [markdown]
# ## Written question
#
# A colleague profiles an INT8 model on a GPU and reports: "cudaStreamSynchronize is 71 % of the host's time, so synchronisation is our bottleneck; and kernels with *quant* in the name are 40 % of the
# device's time, so quantization costs too much. I will remove both."
# 1. Say for each sentence why it does not follow, and which figure you would ask for instead, with how to compute it from the trace.
# 2. The device's idle share is 6 %. What does that say about removing the synchronisation? Give an upper bound of the gain.
# 3. Name one cause of a slow service that no trace of this kind shows, and how you would look for it.
# %% [markdown] role="written" id="why-trace" items="1.6.K7 1.6.K4 1.6.C5" points=3
# **Model answer.** 1. The host waits *because* the device works: with a full queue a long wait costs nothing. Ask for the idle time of the device that begins within waiting calls (gaps between
# operations on all streams, 5 µs or more), as a share of the step. Names do not tell purpose: a GEMM with a dequantizing epilogue has "quant" in its name and is the product itself, while the elementwise
# kernels that do convert have generic names. Ask for kernel time by the range (`quantize`, `dequantize`) around the launch, through the correlation id.
#
# 2. Even if all idle time vanished, the step would take 94 % of its time: at most 1/0.94 = 1.06 times as fast (Amdahl). And only the gaps that begin in a wait would vanish.
#
# 3. Anything outside the profiled process or window: requests queueing before the server, a noisy neighbour or a clock throttled by heat (all kernels a little longer, no gap), network, page faults
# at start. Look at end-to-end latency per request, `nvidia-smi` clocks, or system-wide traces with Nsight Systems.
#
# **Rubric.** 1 point: both sentences refuted by mechanism, with figures that can be computed. 1 point: 1.06 or 6 % as the bound, called an upper bound. 1 point: a cause outside the trace with a way to see it. Half
# a point off if removing waits is called free: results must still be complete when they are read.
# %% [markdown]
# ## Recap
#
# - `ts` and `dur` are microseconds; X, and B with E, are spans; metadata, instants, arrows and the device's annotation brackets are no work.
# - Self times add up; totals do not, and recursion counts once.
# - Idle gaps and overlap are unions over all streams. Correlation ids lead from kernels to launches, and launches to ranges.
# - A long wait or a long delay is no loss. An idle device is; so is a device that works on the wrong thing.
# - State what counts as lost, compute every cause, then name the largest.
#
# **Three questions**
#
# <details><summary>1. Kernels take 3 µs, the host needs 9 µs for each launch. What share of the time is the GPU idle?</summary>Two thirds: one kernel of 3 µs every 9 µs.
# Launch-bound; CUDA Graphs or fusion (lesson 5).</details>
# <details><summary>2. Two streams have kernels at 0-10 and 5-15 µs, a copy runs at 8-20. How long does it run with no kernel?</summary>5 µs: from 15 to 20.</details>
# <details><summary>3. A trace says displayTimeUnit "ns" and dur 12.5. How long is the event?</summary>12.5 µs: the unit is for the viewer's labels.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - *Trace Event Format* (Chromium's document): the sections on duration, complete, asynchronous and flow events; how arguments of B and E merge.
# - PyTorch, `torch.profiler`: `schedule`, `record_function`, `export_chrome_trace`; the recipe "PyTorch Profiler".
# - *Holistic Trace Analysis* (facebookresearch/HolisticTraceAnalysis): idle time split into host wait, kernel wait and other: a classification near yours.
# - Perfetto (ui.perfetto.dev) opens every trace of this lesson: `lab.traces.write_trace` saves one; its trace processor answers SQL.
#
# **Next:** `4_nsight`: the same questions in NVIDIA's tools, and what one kernel's counters say.
# %%
# Your result.
print(f"imitated Q/DQ in the recorded step   {qdq_share:.1f} %")
print(f"self times against torch.profiler    {worst_us:.3f} us apart")
print(f"diagnoses right, yours               {rule_scores['yours']:.0f} %")
