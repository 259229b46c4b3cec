# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Bring the data to the device, and hide the way
#
# **You end with:** a cost model of everything between host and device (copies, staging, streams, page faults, packed weights), each
# part checked against a simulation, and a timeline on which you see what hides behind what.
#
# About 110 minutes. 35 points: 32 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network; on a CUDA machine the same
# cells also measure pinned copies, streams and managed memory through CuPy. You need lesson 1 (host, device, launch) and 4-bit groups
# (module 1.1).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import ctypes
import mmap
import resource
import time
from collections import OrderedDict

import numpy as np

from autograder import check
from lab import cuda
from lab.plots import COLOURS, HATCHES, bars, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
NO_GPU = "Not measured: this machine has no CUDA device. The model above stands for itself."
profile
# %% [markdown]
# ## Memory that is not there
#
# Ask the operating system for 64 MiB, and write one byte into each of its pages. Then do it again. The same instructions, the same
# addresses, the same bytes.
# %% role="given" id="first-touch"


def touch_twice(size_bytes: int) -> list[tuple[int, float]]:
    """(page faults, milliseconds) of writing one byte a page: the first time, and the second."""
    fresh = np.frombuffer(mmap.mmap(-1, size_bytes), np.uint8)
    seen = []
    for _ in range(2):
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        begin = time.perf_counter()
        fresh[:: mmap.PAGESIZE] = 1
        took_ms = (time.perf_counter() - begin) * 1e3
        seen.append((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults, took_ms))
    return seen


def show_first_touch() -> None:
    """Print both rounds, their ratio, and what one fault costs."""
    (faults, first_ms), (again, second_ms) = touch_twice(64 * 2**20)
    print(f"64 MiB are {64 * 2**20 // mmap.PAGESIZE:,} pages of {mmap.PAGESIZE:,} bytes")
    print(f"first touch:  {faults:6,} page faults, {first_ms:8.2f} ms")
    print(f"second touch: {again:6,} page faults, {second_ms:8.2f} ms")
    print(f"the first took {first_ms / second_ms:.0f} times as long", end="")
    print(f": {(first_ms - second_ms) / faults * 1e3:.2f} us a fault" if faults else "")


show_first_touch()
# %% [markdown] items="1.5.C9"
# **What happened.** The system promised addresses, not memory. At the first touch of each page the processor *faults*; the operating system finds a page, fills
# it with zeros and maps it. That costs a microsecond or more a page, far beyond the write itself.
#
# **Managed memory** on a GPU works in this way, across a cable. This lesson counts what each road between host and device costs, and how
# to hide it.
# %% [markdown] items="1.5.C9"
# ## Two memories and a link
#
# A copy between them takes
#
# $$ t = L + \frac{B}{R} $$
#
# with $B$ bytes, latency $L$ (µs a copy: driver, queue, start) and rate $R$ (GB/s, decimal: 1 GB/s is 1,000 bytes a µs).
#
# Nominal rates, one direction, x16: PCIe 3.0, 4.0, 5.0 signal at 8, 16, 32 GT/s (PCI-SIG), one bit a lane, 128 of 130 bits are data.
# %% role="given" id="links"
ENCODING = 128 / 130
NOMINAL_GB_PER_S = {
    "PCIe 3.0 x16": 8 * 16 / 8 * ENCODING,
    "PCIe 4.0 x16": 16 * 16 / 8 * ENCODING,
    "PCIe 5.0 x16": 32 * 16 / 8 * ENCODING,
    "NVLink-C2C (GH200 data sheet: 900 both ways)": 900 / 2,
    "device memory (H200 data sheet: 4.8 TB/s)": 4800.0,
}
print("\n".join(f"{road:46s} {gbs:8.2f} GB/s" for road, gbs in NOMINAL_GB_PER_S.items()))


# %% [markdown] items="1.5.C9"
# "PCIe 4.0 is 32 GB/s" is the same figure without the encoding. Packets cost more still, so no copy reaches it. NVLink joins GPUs;
# NVLink-C2C joins NVIDIA's Grace CPU to its GPU; data sheets add up both directions.
#
# The latency is not in any data sheet. Below it is a parameter, 10 µs, until you have measured yours.
# %% [markdown] items="1.5.C9"
# ### Exercise: the time of many copies
#
# <details><summary>Hint</summary>bytes / (gb_per_s * 1000) are microseconds. Effective bandwidth: all bytes by the whole time, back in
# GB/s.</details>
# %% role="exercise" id="transfer-copy-time" items="1.5.C9" minutes=8
def copy_time(sizes_bytes: list[int], latency_us: float, gb_per_s: float) -> tuple[float, float]:
    """Time and effective bandwidth of copies that run one after another.

    Args:
        sizes_bytes: bytes of each copy, 0 or more; an empty copy costs the latency too.
        latency_us: of each copy, microseconds.
        gb_per_s: the link's rate; 1 GB is 10**9 bytes.

    Returns:
        time_us: of all copies together, microseconds.
        effective_gb_per_s: all bytes by time_us, in GB/s; 0.0 if time_us is 0.

    Raises:
        ValueError: no copies, a negative size or latency, or a rate that is not above 0.

    >>> copy_time([50_000, 150_000], 10.0, 20.0)
    (30.0, 6.666666666666667)
    """
    ### BEGIN SOLUTION
    if not sizes_bytes or min(sizes_bytes) < 0 or latency_us < 0 or gb_per_s <= 0:
        raise ValueError(
            "Give at least one copy, sizes and a latency of 0 or more, a rate above 0."
        )
    total = sum(sizes_bytes)
    time_us = len(sizes_bytes) * latency_us + total / (gb_per_s * 1000)
    return time_us, (total / time_us / 1000 if time_us else 0.0)
    ### END SOLUTION


# %% role="check" id="transfer-copy-time" points=3
check("transfer-copy-time", copy_time)
# %% [markdown]
# The same curve twice: your model of a PCIe 4.0 link with 10 µs, and copies inside *this machine's* memory, measured. There the "latency" is
# the call from Python.
# %% role="given" id="bandwidth"


def show_bandwidth() -> None:
    """GB/s by copy size: the model's link, and this machine's memory."""
    sizes = [2**k for k in range(10, 27, 2)]
    source, target = np.ones(sizes[-1], np.uint8), np.ones(sizes[-1], np.uint8)
    link = [copy_time([n], 10.0, NOMINAL_GB_PER_S["PCIe 4.0 x16"])[1] for n in sizes]
    memory = []
    for n in sizes:
        taken = measure(lambda n=n: np.copyto(target[:n], source[:n]), repeats=10)
        memory.append(n / taken.median_ms / 1e6)
    series = {"model: PCIe 4.0 x16, 10 us": link, "measured: this machine's memory": memory}
    drawn = curves(sizes, series, xlabel="bytes of a copy", ylabel="GB/s", logx=True, logy=True)
    show(
        drawn,
        "Effective GB/s by copy size, both axes logarithmic: the model of a link rises in proportion to the size and "
        "bends to its nominal rate near a megabyte; this machine's memory rises from a much shorter latency.",
    )
    print(f"1,000 copies of 4 KiB: {copy_time([4096] * 1000, 10.0, 31.5)[0] / 1e3:.2f} ms;", end="")
    print(f" one of 4,000 KiB: {copy_time([4_096_000], 10.0, 31.5)[0] / 1e3:.2f} ms")


show_bandwidth()


# %% [markdown]
# **What you should see.** Half of the rate is reached at $B = L R$, 315 KB for this link. A thousand small copies take some seventy times as long as one copy
# of the same bytes. Measured memory copies may fall again for large sizes: they no longer fit into a cache.
# %% [markdown] items="1.5.C9"
# ## Pageable and pinned
#
# The GPU's copy engine reads host memory by **DMA**: physical addresses, no CPU. But the system may move or swap out an ordinary, **pageable**
# page at any time. **Pinned** (page-locked) pages stay.
#
# So a copy from pageable memory is two: the CPU copies a piece into a pinned staging buffer of the driver, the engine sends it. With two buffers
# one is filled while the other is sent.
# %% [markdown] items="1.5.C9"
# ### Exercise: the staging copy
#
# <details><summary>Hint 1</summary>Keep two lists: <code>filled[k]</code>, when piece k is in its buffer, and <code>sent[k]</code>.</details>
# <details><summary>Hint 2</summary>Filling k begins at the later of <code>filled[k - 1]</code> and
# <code>sent[k - buffers]</code>; sending k at the later of <code>filled[k]</code> and <code>sent[k - 1]</code>.</details>
# %% role="exercise" id="transfer-staged" items="1.5.C9" minutes=15
def staged_time(
    size_bytes: int,
    buffer_bytes: int,
    buffers: int,
    host_gb_per_s: float,
    link_gb_per_s: float,
    latency_us: float,
) -> float:
    """Time of a copy from pageable host memory through pinned staging buffers, microseconds.

    The data is cut into pieces of buffer_bytes; the last may be smaller and takes less time. The CPU fills one
    buffer at a time (bytes / host_gb_per_s, no latency); the link sends one piece at a time (latency_us +
    bytes / link_gb_per_s). Both go in order. A piece is sent only when its buffer is full; a buffer can be
    filled again when its piece has been sent. Filling and sending different buffers overlap.

    Args:
        size_bytes: 0 or more. buffer_bytes, buffers: 1 or more.
        host_gb_per_s, link_gb_per_s: above 0; 1 GB is 10**9 bytes. latency_us: 0 or more, for each piece.

    Returns:
        When the last piece has been sent; 0.0 for 0 bytes.

    Raises:
        ValueError: an argument outside these ranges.

    >>> staged_time(5000, 2000, 1, 1.0, 2.0, 1.0)
    10.5
    >>> staged_time(5000, 2000, 2, 1.0, 2.0, 1.0)
    7.5
    """
    ### BEGIN SOLUTION
    if min(size_bytes, latency_us) < 0 or min(buffer_bytes, buffers) < 1:
        raise ValueError("Sizes and latency are 0 or more, buffers and their bytes 1 or more.")
    if min(host_gb_per_s, link_gb_per_s) <= 0:
        raise ValueError("Rates are above 0.")
    filled, sent = [], []
    for k, first in enumerate(range(0, size_bytes, buffer_bytes)):
        piece = min(buffer_bytes, size_bytes - first)
        free = sent[k - buffers] if k >= buffers else 0.0
        begin = max(filled[-1] if filled else 0.0, free)
        filled.append(begin + piece / (host_gb_per_s * 1000))
        begin = max(filled[-1], sent[-1] if sent else 0.0)
        sent.append(begin + latency_us + piece / (link_gb_per_s * 1000))
    return sent[-1] if sent else 0.0
    ### END SOLUTION


# %% role="check" id="transfer-staged" points=5
check("transfer-staged", staged_time)
# %% role="given" id="staged-figure"


def show_staged() -> None:
    """Bars: 64 MB, pinned and staged, for a host that copies at 10 GB/s (assumed)."""
    rate = NOMINAL_GB_PER_S["PCIe 4.0 x16"]
    times_ms = {"pinned": copy_time([64_000_000], 10.0, rate)[0] / 1e3}
    for buffers in (1, 2, 3):
        label = f"pageable, {buffers} buffer{'s' if buffers > 1 else ''}"
        times_ms[label] = staged_time(64_000_000, 1_000_000, buffers, 10.0, rate, 10.0) / 1e3
    title = "64 MB, modelled: host 10, link 31.5 GB/s, 1 MB buffers"
    numbers = ", ".join(f"{name} {value:.2f} ms" for name, value in times_ms.items())
    show(bars(times_ms, unit="ms", title=title), f"{title}: {numbers}.")


show_staged()
# %% [markdown]
# **What you should see.** Pinned is the shortest, one buffer the longest: the sum of both copies. Two buffers cost the slower of the two, the CPU's copy here,
# plus the last piece. A third gains nothing in this model, where every full piece takes the same time.
#
# Pinning has its price: it takes time, and pages that stay are missing elsewhere. Pin buffers that live long, and reuse them.
# %% role="given" id="pinned-gpu"


def measure_pinned() -> None:
    """256 MiB to the GPU from pageable and from pinned memory, GB/s by events."""
    import cupy
    import cupyx

    pageable = np.ones(2**28, np.uint8)
    pinned = cupyx.empty_pinned(pageable.shape, np.uint8)
    pinned[:] = pageable
    target, stream = cupy.empty(pageable.shape, cupy.uint8), cupy.cuda.Stream(non_blocking=True)
    for name, host in (("pageable", pageable), ("pinned", pinned)):
        taken = measure(lambda host=host: target.set(host, stream=stream), sync=stream.synchronize)
        print(f"{name:9s} {taken}: {host.nbytes / taken.median_ms / 1e6:.1f} GB/s")


if cuda.on_gpu():
    measure_pinned()
else:
    print(NO_GPU)


# %% [markdown] items="1.5.C17 1.5.C18"
# ## Streams and engines
#
# A **stream** is a queue: its operations run in order. Operations of *different* streams may run at the same time, if the hardware has a free engine:
# here one for copies in, one for kernels, one for copies out.
#
# `cupy.cuda.Stream(non_blocking=True)` makes one. A copy only overlaps if it is asynchronous and the host memory is pinned. The legacy default stream waits for the
# other (blocking) streams, and they for it.
# %% [markdown] items="1.5.C17"
# ## Events
#
# An **event** is recorded in a stream and has happened when everything before it in that stream is done. Another stream can wait for it:
# `stream.wait_event(event)` orders two streams without stopping the host. Two events give the time between them:
# `cupy.cuda.get_elapsed_time(begin, end)`, in ms.
#
# Without an event, a kernel in stream 1 that reads what stream 0 copies is a race.
# %% [markdown] items="1.5.C17 1.5.C18"
# ### Exercise: the timeline
#
# Issue order matters: an engine does its operations in the order in which the host issued them, also when a later one could start earlier. `after` names operations
# whose end (an event) must be waited for.
#
# <details><summary>Hint 1</summary>One pass is enough. Keep for each stream and each engine when it is free.</details>
# <details><summary>Hint 2</summary>start = max(stream free, engine free, ends of <code>after</code>); with one copy engine let
# "out" use the key of "in".</details>
# %% role="exercise" id="transfer-timeline" items="1.5.C17 1.5.C18" minutes=20
def timeline(
    operations: list[tuple[int, str, float, tuple[int, ...]]], copy_engines: int = 2
) -> list[tuple[float, float]]:
    """Start and end of each operation, in the order given, which is the order of issue.

    An operation starts as soon as the operation before it in its stream has ended, the operation issued before it on
    its engine has ended, and all operations in `after` have ended. The first can start at 0.0; issuing takes
    no time.

    Args:
        operations: (stream, kind, duration_us, after). stream: any int. kind: "in", "kernel" or "out".
            duration_us: 0 or more. after: indexes of operations issued earlier.
        copy_engines: 2: "in" and "out" have an engine each; 1: they share one. Kernels always have
            one of their own and run one at a time.

    Returns:
        (start_us, end_us) of each operation; [] for none.

    Raises:
        ValueError: another kind, a negative duration, an index in `after` that is negative or not of an
            earlier operation, copy_engines other than 1 and 2.

    >>> timeline([(0, "in", 4, ()), (0, "kernel", 3, ()), (1, "in", 4, ()), (1, "kernel", 3, (1,))])
    [(0.0, 4.0), (4.0, 7.0), (4.0, 8.0), (8.0, 11.0)]
    """
    ### BEGIN SOLUTION
    if copy_engines not in (1, 2):
        raise ValueError(f"copy_engines is 1 or 2, not {copy_engines}.")
    stream_free, engine_free, spans = {}, {}, []
    for index, (stream, kind, duration_us, after) in enumerate(operations):
        if kind not in ("in", "kernel", "out") or duration_us < 0:
            raise ValueError(f"Operation {index}: no {kind!r} of {duration_us} us.")
        if any(not 0 <= earlier < index for earlier in after):
            raise ValueError(f"Operation {index} can only wait for earlier ones, not {after}.")
        engine = "in" if kind == "out" and copy_engines == 1 else kind
        waits = [spans[earlier][1] for earlier in after]
        start = max([stream_free.get(stream, 0.0), engine_free.get(engine, 0.0), *waits])
        spans.append((start, start + duration_us))
        stream_free[stream] = engine_free[engine] = start + duration_us
    return spans
    ### END SOLUTION


# %% role="check" id="transfer-timeline" points=6
check("transfer-timeline", timeline)
# %% [markdown]
# **Predict, then run.** Copy in, kernel and copy out take 8 ms each, 24 ms one after another. Cut into 4 chunks on 4 streams, with no overhead: how many
# ms until all is out?
# %% role="predict" id="guess-overlap"
my_guess_overlap = ...
# %% role="given" id="overlap"


def chunked(chunks: int, streams: int, stages_us: tuple, overhead_us: float, by_stage=False):
    """Operations of `chunks` equal chunks on `streams` streams in turn, issued chunk by chunk.

    by_stage: all copies in first, then all kernels, then all copies out.
    """
    kinds = list(zip(("in", "kernel", "out"), stages_us, strict=True))
    order = [(chunk, *kind) for chunk in range(chunks) for kind in kinds]
    if by_stage:
        order = [(chunk, *kind) for kind in kinds for chunk in range(chunks)]
    return [(c % streams, kind, overhead_us + us / chunks, ()) for c, kind, us in order]


def draw_timeline(operations, spans, title: str):
    """A row for each engine, a bar for each operation, coloured and hatched by stream."""
    fig, axes = figure(height_inch=2.6)
    ax = axes[0, 0]
    rows = ("in", "kernel", "out")
    for (stream, kind, _, _), (start, end) in zip(operations, spans, strict=True):
        style = {"facecolor": (COLOURS[stream % 6], 0.6), "hatch": HATCHES[stream % 6]}
        row = rows.index(kind)
        ax.barh(
            row, (end - start) / 1e3, left=start / 1e3, height=0.7, edgecolor="#222222", **style
        )
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        if len(operations) <= 24:
            at = (start + end) / 2e3
            ax.text(at, row, str(stream), ha="center", va="center", fontsize=9, bbox=box)
    ax.set_yticks(range(3), ["copy in", "kernel", "copy out"])
    ax.set(xlabel="ms", title=title)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    return fig


def busy_and_end(spans) -> tuple[float, float]:
    """Sum of all durations and the last end, ms."""
    return sum(e - s for s, e in spans) / 1e3, max(e for _, e in spans) / 1e3


def show_overlap() -> float:
    """The timeline of the prediction; returns its end in ms."""
    four = chunked(4, 4, (8000, 8000, 8000), 0)
    spans = timeline(four)
    busy_ms, end_ms = busy_and_end(spans)
    title = f"4 chunks on 4 streams: {busy_ms:.0f} ms of work in {end_ms:.0f} ms (numbers: stream)"
    alt = (
        f"{title}: three rows of four bars, copy in, kernel and copy out, each row two ms later than the one above; in "
        "the middle all three engines are busy."
    )
    show(draw_timeline(four, spans, title), alt)
    return end_ms


reveal(my_guess_overlap, show_overlap(), unit="ms")
# %% [markdown]
# **What you should see.** Not 8 ms: the first chunk must fill the pipeline and the last must drain it. $n$ chunks take the three stages of one chunk, plus $n - 1$
# times the longest stage of a chunk. More chunks make fill and drain shorter, until the overhead of each is felt.
#
# Turn the knobs. One stream? One copy engine? A kernel that is longer than both copies?
# %% role="given" id="knob"


def overlap_knob(
    chunks=4, streams=4, copy_engines=2, issue="chunk by chunk", kernel_ms=8, overhead_us=10
):
    """The timeline for these choices; copies take 8 ms each way."""
    stages_us = (8000, 1000 * kernel_ms, 8000)
    operations = chunked(chunks, streams, stages_us, overhead_us, issue == "stage by stage")
    spans = timeline(operations, copy_engines)
    busy_ms, end_ms = busy_and_end(spans)
    title = f"{end_ms:.1f} ms for {busy_ms:.1f} ms of work: {1 - end_ms / busy_ms:.0%} hidden"
    alt = f"Timeline, {chunks} chunks, {streams} streams, {copy_engines} copy engines, {issue}: {title}."
    return draw_timeline(operations, spans, title), alt


explore(
    overlap_knob,
    chunks=(1, 16, 1),
    streams=(1, 6, 1),
    copy_engines=[2, 1],
    issue=["chunk by chunk", "stage by stage"],
    kernel_ms=(1, 24, 1),
    overhead_us=[0, 10, 100, 1000],
)


# %% [markdown]
# **What you should see.** One stream hides nothing, whatever the chunks. With one copy engine and issue chunk by chunk, the copy in of a chunk waits behind the copy
# out of the one before, which waits for its kernel: nothing is hidden either. Issued stage by stage, the kernels are. And nothing ends before the busiest engine has done its own
# work.
# %% [markdown] items="1.5.C18"
# ### Exercise: how many chunks
#
# Each stage of each chunk costs `overhead_us` on top. Few chunks: long fill and drain. Many: overhead.
#
# <details><summary>Hint 1</summary>A chunk's stages take <code>overhead_us + stage_us / n</code> each. Their sum, plus n - 1 times the longest.</details>
# <details><summary>Hint 2</summary>Try every n. (Or: the time is convex in n, so the best whole number is beside the real optimum; compare both.)</details>
# %% role="exercise" id="transfer-best-chunks" items="1.5.C18" minutes=12
def best_chunks(
    copy_in_us: float, kernel_us: float, copy_out_us: float, overhead_us: float, max_chunks: int
) -> tuple[int, float]:
    """The number of equal chunks that ends first on three engines, and its time.

    Args:
        copy_in_us, kernel_us, copy_out_us: time of each stage for the whole job, 0 or more, microseconds.
        overhead_us: added to each stage of each chunk, also to a stage of 0 us; 0 or more.
        max_chunks: 1 or more.

    Returns:
        chunks: 1 to max_chunks; if several are equally good, any of them.
        time_us: from the first copy in to the last copy out. Every chunk has a stream of its own.

    Raises:
        ValueError: a negative time or overhead, or max_chunks below 1.

    >>> best_chunks(900.0, 900.0, 900.0, 50.0, 16)
    (6, 1600.0)
    """
    ### BEGIN SOLUTION
    if min(copy_in_us, kernel_us, copy_out_us, overhead_us) < 0 or max_chunks < 1:
        raise ValueError("Times are 0 or more and max_chunks is 1 or more.")

    def time_us(n):
        stages = [overhead_us + work / n for work in (copy_in_us, kernel_us, copy_out_us)]
        return sum(stages) + (n - 1) * max(stages)

    chunks = min(range(1, max_chunks + 1), key=time_us)
    return chunks, time_us(chunks)
    ### END SOLUTION


# %% role="check" id="transfer-best-chunks" points=4
check("transfer-best-chunks", best_chunks)
# %% role="given" id="chunks-figure"


def show_chunks() -> None:
    """Time by number of chunks for three overheads, from the timeline itself."""
    numbers, series = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64], {}
    for overhead in (10, 100, 500):
        ends = [timeline(chunked(n, n, (8000,) * 3, overhead))[-1][1] / 1e3 for n in numbers]
        series[f"{overhead} us a chunk"] = ends
        best, time_us = best_chunks(8000, 8000, 8000, overhead, 64)
        print(f"{overhead:3d} us a chunk: best {best} chunks, {time_us / 1e3:.2f} ms")
    drawn = curves(
        numbers, series, xlabel="chunks", ylabel="ms", logx=True, title="3 x 8 ms of work"
    )
    show(
        drawn,
        "Time by number of chunks for three overheads: each falls from 24 ms and rises again; the larger the overhead, "
        "the earlier the turn.",
    )


show_chunks()
# %% [markdown]
# **What you should see.** The optimum is flat to its right for a small overhead: a few chunks too many cost little. It lies near $\sqrt{(S - M)/o}$, with the sum $S$ of the
# stages, the longest $M$ and the overhead $o$.
# %% role="given" id="streams-gpu"


def measure_streams() -> None:
    """256 MiB in, a kernel, out: whole, and in chunks on streams; ms between two events."""
    import cupy
    import cupyx

    size = 2**26
    host_in, host_out = (cupyx.empty_pinned(size, np.float32) for _ in "io")
    host_in[:] = 1
    device = cupy.empty(size, cupy.float32)
    work = cupy.ElementwiseKernel(
        "", "float32 y", "for (int k = 0; k < 64; ++k) y = y * 0.99f + 0.01f;", "stay_busy"
    )

    def run(chunks: int, streams: list) -> float:
        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        cupy.cuda.Device().synchronize()
        begin.record(streams[0])
        for stream in streams[1:]:
            stream.wait_event(begin)
        for index in range(chunks):
            stream = streams[index % len(streams)]
            cut = slice(index * size // chunks, (index + 1) * size // chunks)
            with stream:
                device[cut].set(host_in[cut], stream=stream)
                work(device[cut])
                device[cut].get(stream=stream, out=host_out[cut], blocking=False)
        for stream in streams[1:]:
            streams[0].wait_event(stream.record())
        end.record(streams[0])
        end.synchronize()
        return cupy.cuda.get_elapsed_time(begin, end)

    streams = [cupy.cuda.Stream(non_blocking=True) for _ in range(4)]
    for chunks in (1, 2, 4, 8, 16, 64):
        run(chunks, streams)  # the first run compiles and allocates
        took_ms = np.median([run(chunks, streams) for _ in range(5)])
        print(f"{chunks:3d} chunks on 4 streams: {took_ms:.2f} ms")


if cuda.on_gpu():
    measure_streams()
else:
    print(NO_GPU)


# %% [markdown] items="1.5.C9 1.5.K3"
# ## Managed memory
#
# `cudaMallocManaged` gives one pointer for both sides. Pages (4 KB to 2 MB, as the driver chooses) live where they were last needed. When the GPU touches one that is on the host, it faults,
# and the page is moved. Model:
#
# $$ t = F\,c + \frac{(F + E)\,P}{R} $$
#
# with $F$ faults of $c$ µs, $E$ evictions, page size $P$ in bytes.
# %% [markdown] items="1.5.C9 1.5.K3"
# ## Oversubscription
#
# Managed memory may be larger than the device's. Then a page that comes in drives one out; here the one least recently used (LRU), and its bytes travel back.
#
# A loop over slightly more than fits is LRU's worst case: each page is driven out just before its turn. That is **thrashing**. `cudaMemPrefetchAsync` moves pages before
# they are touched; `cudaMemAdvise` says who will read them, and where they should stay.
# %% [markdown] items="1.5.C9 1.5.K3"
# ### Exercise: faults, evictions and time
#
# <details><summary>Hint 1</summary>An access touches the pages <code>first // page_bytes</code> to <code>(first + size - 1) // page_bytes</code>, in this
# order.</details>
# <details><summary>Hint 2</summary><code>OrderedDict</code>: <code>move_to_end(page)</code> for a page that is there,
# <code>popitem(last=False)</code> for the oldest.</details>
# %% role="exercise" id="transfer-managed" items="1.5.C9 1.5.K3" minutes=18
def managed_cost(
    accesses: list[tuple[int, int]],
    page_bytes: int,
    device_bytes: int,
    fault_us: float,
    gb_per_s: float,
) -> dict[str, float]:
    """Page faults, evictions and time of a kernel's accesses to managed memory.

    All pages begin on the host. An access touches its pages in ascending order. A touched page that is not on the device is
    one fault: if the device is full, first the page touched longest ago is evicted; then the page
    is moved in, whole. Only whole pages fit: device_bytes // page_bytes of them. Evicted pages are always moved back.
    Faults and moves happen one after another.

    Args:
        accesses: (first_byte, size_bytes), both 0 or more; a size of 0 touches nothing. May be empty.
        page_bytes: 1 or more. device_bytes: at least page_bytes.
        fault_us: 0 or more, for each fault. gb_per_s: of the link, above 0; 1 GB is 10**9 bytes.

    Returns:
        "faults", "evictions" (ints) and "time_us": faults * fault_us and the bytes moved, both ways, by the rate.

    Raises:
        ValueError: an argument outside these ranges.

    >>> managed_cost([(0, 5000), (4000, 100), (8192, 1)], 4096, 8192, 10.0, 4.096)
    {'faults': 3, 'evictions': 1, 'time_us': 34.0}
    """
    ### BEGIN SOLUTION
    if page_bytes < 1 or device_bytes < page_bytes or fault_us < 0 or gb_per_s <= 0:
        raise ValueError("The device holds at least a page; fault_us >= 0; gb_per_s > 0.")
    if any(first < 0 or size < 0 for first, size in accesses):
        raise ValueError("Accesses begin at 0 or later and have 0 or more bytes.")
    resident, faults, evictions = OrderedDict(), 0, 0
    for first, size in accesses:
        pages = range(first // page_bytes, (first + size - 1) // page_bytes + 1) if size else ()
        for page in pages:
            if page not in resident:
                faults += 1
                if len(resident) == device_bytes // page_bytes:
                    resident.popitem(last=False)
                    evictions += 1
                resident[page] = True
            resident.move_to_end(page)
    time_us = faults * fault_us + (faults + evictions) * page_bytes / (gb_per_s * 1000)
    return {"faults": faults, "evictions": evictions, "time_us": time_us}
    ### END SOLUTION


# %% role="check" id="transfer-managed" points=6
check("transfer-managed", managed_cost)
# %% role="given" id="thrashing"


def show_thrashing() -> None:
    """Ten passes over a buffer that grows past the device's 64 MiB, by managed memory and by copies."""
    mib, rate, device = 2**20, NOMINAL_GB_PER_S["PCIe 4.0 x16"], 64 * 2**20
    sizes = [16, 32, 48, 60, 64, 66, 80, 96, 128]
    managed, copied = [], []
    for size in sizes:
        passes = [(0, size * mib)] * 10
        managed.append(managed_cost(passes, 2 * mib, device, 30.0, rate)["time_us"] / 1e3)
        # If it does not fit, 7/8 of the device keep their data and the rest streams through in each pass
        again = 9 * (size * mib - device * 7 // 8) if size * mib > device else 0
        copied.append(copy_time([size * mib + again], 10.0, rate)[0] / 1e3)
    drawn = curves(
        sizes,
        {"managed, LRU pages of 2 MiB": managed, "explicit copies": copied},
        xlabel="MiB of the buffer (the device has 64)",
        ylabel="ms for ten passes",
        logy=True,
    )
    show(
        drawn,
        "Milliseconds of transfer for ten passes by buffer size: both lines rise slowly up to 64 MiB; at 66 MiB managed memory "
        "jumps by more than ten times, explicit copies by less.",
    )
    for size, one, other in zip(sizes, managed, copied, strict=True):
        print(f"{size:4d} MiB: managed {one:7.2f} ms, explicit {other:7.2f} ms")


show_thrashing()
# %% [markdown]
# **What you should see.** A cliff, not a slope: two MiB too many multiply the time by about seventeen. The explicit plan keeps 7/8 of the device for data that stays and streams the rest through the
# last eighth in each pass, which LRU, blind to the loop, cannot do. (Model: 30 µs a fault is assumed, not measured; kernels' own time is left out.)
# %% role="given" id="managed-gpu"


def measure_managed() -> None:
    """256 MiB of managed memory: a kernel's first and second pass, then the same after a prefetch."""
    import cupy

    size = 2**26
    for prefetch in (False, True):
        memory = cupy.cuda.malloc_managed(4 * size)
        array = cupy.ndarray(size, cupy.float32, memory)
        np.frombuffer((ctypes.c_float * size).from_address(memory.ptr), np.float32)[:] = 1
        stream = cupy.cuda.Stream(non_blocking=True)
        with stream:
            warm = cupy.ones(1, cupy.float32)
            warm += 1  # compiled before anything is timed
            events = [cupy.cuda.Event() for _ in range(4)]
            events[0].record()
            if prefetch:
                device = cupy.cuda.Device().id
                cupy.cuda.runtime.memPrefetchAsync(memory.ptr, 4 * size, device, stream.ptr)
            events[1].record()
            for index in (2, 3):
                array += 1
                events[index].record()
        stream.synchronize()
        steps = [cupy.cuda.get_elapsed_time(a, b) for a, b in zip(events, events[1:], strict=False)]
        print("prefetch {:.2f} ms, first pass {:.2f} ms, second pass {:.2f} ms".format(*steps))


if cuda.on_gpu():
    measure_managed()
else:
    print(NO_GPU)


# %% [markdown] items="1.5.C9 1.5.K3"
# ## Zero-copy
#
# Pinned host memory can also be **mapped**: the kernel reads it over the link, each time it reads. No copy, no fault, no device memory; but each pass pays the link again. (For whole, coalesced
# reads; scattered ones pay far more.)
#
# So three roads for a buffer: copy it all once; let pages come as they are touched; or leave it there. Which is cheapest depends on how much of it is read, and how often.
# %% [markdown] items="1.5.K3 1.5.C9"
# ### Exercise: copy, managed or zero-copy
#
# <details><summary>Hint</summary>copy: latency + size over the link, then passes * read_bytes from device memory. managed: pages * (fault_us + a page over the link), then the
# same. zero-copy: passes * read_bytes over the link.</details>
# %% role="exercise" id="transfer-where" items="1.5.K3 1.5.C9" minutes=12
def place_buffer(
    size_bytes: int,
    read_bytes: int,
    passes: int,
    *,
    page_bytes: int,
    latency_us: float,
    fault_us: float,
    link_gb_per_s: float,
    device_gb_per_s: float,
) -> tuple[str, dict[str, float]]:
    """The cheapest way to let a kernel read a host buffer, and the time of each.

    The kernel reads the first read_bytes of the buffer (which begins on a page's boundary), `passes` times. Nothing overlaps; everything fits.
    "copy": one explicit copy of the whole buffer (latency_us once), then each pass reads from device memory.
    "managed": each page that is read faults once and is moved whole, then each pass reads from device memory.
    "zero-copy": each pass reads over the link, without latency.

    Args:
        size_bytes: of the buffer. read_bytes: 1 to size_bytes. passes: 1 or more.
        page_bytes: 1 or more. latency_us, fault_us: 0 or more.
        link_gb_per_s, device_gb_per_s: above 0; 1 GB is 10**9 bytes.

    Returns:
        cheapest: "copy", "managed" or "zero-copy"; if several are equal, any of them.
        times_us: these three names with their times, microseconds.

    Raises:
        ValueError: an argument outside these ranges.

    >>> place_buffer(20_000, 5_000, 2, page_bytes=4_000, latency_us=10.0, fault_us=20.0,
    ...              link_gb_per_s=1.0, device_gb_per_s=10.0)
    ('zero-copy', {'copy': 31.0, 'managed': 49.0, 'zero-copy': 10.0})
    """
    ### BEGIN SOLUTION
    if not 1 <= read_bytes <= size_bytes or min(passes, page_bytes) < 1:
        raise ValueError("1 <= read_bytes <= size_bytes; passes and page_bytes are 1 or more.")
    if min(latency_us, fault_us) < 0 or min(link_gb_per_s, device_gb_per_s) <= 0:
        raise ValueError("latency_us and fault_us are 0 or more, rates above 0.")
    link, device = link_gb_per_s * 1000, device_gb_per_s * 1000
    pages = -(-read_bytes // page_bytes)
    times_us = {
        "copy": latency_us + size_bytes / link + passes * read_bytes / device,
        "managed": pages * (fault_us + page_bytes / link) + passes * read_bytes / device,
        "zero-copy": passes * read_bytes / link,
    }
    return min(times_us, key=times_us.get), times_us
    ### END SOLUTION


# %% role="check" id="transfer-where" points=4
check("transfer-where", place_buffer)
# %% role="given" id="where-table"


def show_places() -> None:
    """The cheapest road by share read and passes, for 256 MiB over PCIe 4.0 (model)."""
    costs = {"page_bytes": 65536, "latency_us": 10.0, "fault_us": 30.0}
    costs |= {"link_gb_per_s": NOMINAL_GB_PER_S["PCIe 4.0 x16"], "device_gb_per_s": 4800.0}
    print(f"{'share read':>10s}", *(f"{passes:>10d} x" for passes in (1, 2, 10, 100, 1000)))
    for share in (0.0001, 0.01, 0.05, 0.2, 1.0):
        row = [
            place_buffer(2**28, int(share * 2**28), passes, **costs)[0]
            for passes in (1, 2, 10, 100, 1000)
        ]
        print(f"{share:10.2%}", *(f"{name:>12s}" for name in row))


show_places()


# %% [markdown]
# **What you should see.** Zero-copy wins for what is read once; the copy wins as soon as much is read again; managed memory wins for a small part that is read very often. Its convenience is
# another matter, and no figure of this table.
# %% [markdown] items="1.5.C9 1.5.C18"
# ## Packed weights on the way
#
# Weights that do not fit on the device come over the link for each use. Bytes are time: INT4 with an FP16 scale for each 64 weights is 4.25 bits a weight against 16.
#
# The price is a kernel that dequantizes on the device: it reads the packed bytes and writes FP16 at the memory's rate, which is a hundred times the link's. For small tensors the launch costs more
# than it saves.
# %% [markdown] items="1.5.C9 1.5.C18"
# ### Exercise: packed or FP16 over the link
#
# <details><summary>Hint</summary>packed_us: latency, packed bytes over the link, launch, then packed bytes read and 2 * count bytes written at the device's
# rate.</details>
# %% role="exercise" id="transfer-weights" items="1.5.C9 1.5.C18" minutes=10
def weights_time(
    count: int,
    bits: int,
    group: int,
    *,
    link_gb_per_s: float,
    device_gb_per_s: float,
    latency_us: float,
    launch_us: float,
) -> dict[str, float]:
    """Bytes of packed weights, and the time until FP16 weights lie in device memory.

    packed: `bits` for each weight, rounded up to whole bytes for the whole tensor, and a 2-byte scale for each group of `group`
    weights, the last of which may be smaller. The packed tensor is one copy; then one kernel (launch_us) reads
    all packed bytes and writes 2 bytes a weight, reads and writes added up, at device_gb_per_s. FP16: one copy of
    2 bytes a weight, no kernel. Nothing overlaps.

    Args:
        count: weights, 1 or more. bits: 4 or 8. group: 1 or more.
        link_gb_per_s, device_gb_per_s: above 0; 1 GB is 10**9 bytes. latency_us, launch_us: 0 or more.

    Returns:
        "packed_bytes" (int), "fp16_us" and "packed_us".

    Raises:
        ValueError: an argument outside these ranges.

    >>> weights_time(1024, 4, 64, link_gb_per_s=0.064, device_gb_per_s=0.648, latency_us=5.0, launch_us=1.0)
    {'packed_bytes': 544, 'fp16_us': 37.0, 'packed_us': 18.5}
    """
    ### BEGIN SOLUTION
    if count < 1 or bits not in (4, 8) or group < 1:
        raise ValueError("count and group are 1 or more, bits 4 or 8.")
    if min(link_gb_per_s, device_gb_per_s) <= 0 or min(latency_us, launch_us) < 0:
        raise ValueError("Rates are above 0, latency_us and launch_us 0 or more.")
    packed = -(-count * bits // 8) + 2 * -(-count // group)
    link, device = link_gb_per_s * 1000, device_gb_per_s * 1000
    packed_us = latency_us + packed / link + launch_us + (packed + 2 * count) / device
    return {
        "packed_bytes": packed,
        "fp16_us": latency_us + 2 * count / link,
        "packed_us": packed_us,
    }
    ### END SOLUTION


# %% role="check" id="transfer-weights" points=4
check("transfer-weights", weights_time)
# %% [markdown]
# ## At the scale of models
#
# The linear layers of the course's language model, counted, and a model of 7 billion weights, over nominal links.
# %% role="given" id="models"


def show_models() -> None:
    """FP16, INT8 and INT4 over two links: the time until the weights lie on the device, as FP16."""
    from lab.fake_quant import decoder_linears
    from lab.lm import load_lm

    own = [layer.weight.numel() for layer in decoder_linears(load_lm("lm")).values()]
    for label, count in (
        ("smallest layer", min(own)),
        ("all layers", sum(own)),
        ("7e9", 7 * 10**9),
    ):
        for link in ("PCIe 4.0 x16", "PCIe 5.0 x16"):
            costs = {"link_gb_per_s": NOMINAL_GB_PER_S[link], "device_gb_per_s": 4800.0}
            costs |= {"latency_us": 10.0, "launch_us": 5.0}
            int8, int4 = (weights_time(count, bits, 64, **costs) for bits in (8, 4))
            base = int4["fp16_us"]
            print(
                f"{label:>14s} ({count:13,} weights), {link}: FP16 {base / 1e3:10.4f} ms,",
                f"INT8 {base / int8['packed_us']:.2f} x, INT4 {base / int4['packed_us']:.2f} x as fast",
            )


show_models()
# %% [markdown]
# **What you should see.** One small layer is *slower* packed: the launch costs more than the bytes. All layers of a small model gain a good part, billions of weights nearly the ratio of the bytes, 16 to 4.25 (3.76). The rest is the dequantizing
# kernel, which a fused kernel (lesson 6) does without: it reads the packed bytes and never writes FP16.
# %% [markdown] items="1.5.K3 1.5.C18"
# ## In your own words: a report to judge
#
# A colleague moves an inference service to managed memory: "one pointer, no copies, so it is faster." On a model that fills 60 % of the device it ran as fast as before after the first request. Now
# the model fills 105 % and every request takes twenty times as long. They propose pinned memory "for everything" and 256 streams.
#
# Explain the first request, the later ones, and the factor; say what pinning and streams can and cannot do here; propose two changes and one measurement that would prove each. 120 to 200 words.
# %% [markdown] role="written" id="managed-or-copies" items="1.5.K3 1.5.C18" points=3
# **Model answer.** At 60 % the first request faults on every page, each a cost of its own on top of its bytes; then all pages are on the device and nothing moves: as fast as explicit copies,
# not faster. At 105 % a pass over the weights in order is the worst case of LRU: each page is evicted just before it is needed, so nearly every page faults in every request and is moved, in and out. The
# factor is all pages against none, not 5 % of them.
#
# Pinned memory makes copies faster and asynchronous, but does not make the device larger; pinning everything takes memory from the host. Streams hide copies behind
# kernels up to the longer of the two; if the link is the bottleneck nothing is left to hide behind, and beyond a few streams there is only overhead.
#
# Changes: quantize to INT4, so that it fits: page faults counted by Nsight Systems go to zero after the first request. Or keep a fixed part on the device and stream the rest through pinned buffers, prefetched: the
# timeline shows copies under kernels, and bytes a request fall to what does not fit.
#
# **Rubric.** 1 point: first touch explained by faults, later requests by residence, the factor by thrashing of nearly all pages. 1 point: what pinning and streams do, and that neither adds capacity or
# bandwidth beyond the link. 1 point: two changes that attack bytes or residence, each with a measurement that could fail.
# %% [markdown]
# ## Recap
#
# - A copy is latency plus bytes by rate; small ones pay latency only. Pageable memory pays a second copy, because DMA needs pages that stay.
# - Streams are ordered inside and free among each other; engines bound the overlap; fill and drain remain; overhead sets the number of chunks.
# - Managed memory pays by the fault, and falls off a cliff when it does not fit. Zero-copy pays each time.
# - Fewer bits are less time on the link, when the tensor is large enough to carry a launch.
#
# ## Three questions without code
#
# <details><summary>1. Why can the GPU not simply DMA from pageable memory?</summary>The engine works with physical addresses and without the CPU. The system may move or swap the
# page in the middle of the copy; the engine would read or write somebody else's memory. A locked page cannot move.</details>
# <details><summary>2. Two streams, pageable host memory, asynchronous copies: what overlaps?</summary>Little or nothing can be relied on: the copy goes through staging, in which the CPU takes part, and the call may
# block the host before the next operation is issued.</details>
# <details><summary>3. Why does prefetching help even if the same bytes travel?</summary>They travel in large moves without a fault for each page, and before the kernel stands and waits for them: both terms
# of the model, the fault cost and the waiting, shrink.</details>
#
# ## Reading
#
# - NVIDIA, *CUDA C++ Best Practices Guide*, chapter on memory optimizations: pinned memory, asynchronous transfers with overlap, zero copy.
# - NVIDIA, *CUDA C++ Programming Guide*, on streams, events and unified memory: the rules that the timeline simplifies.
# - Mark Harris, "How to Overlap Data Transfers in CUDA C/C++", NVIDIA developer blog, 2012: why the order of issue mattered with one copy engine.
# - "Improving GPU Memory Oversubscription Performance", NVIDIA developer blog: access patterns under oversubscription, measured, with differences of up to 100 times.
#
# **Next:** the same kernels in Triton.
