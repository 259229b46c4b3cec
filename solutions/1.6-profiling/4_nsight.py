# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Ask Nsight the right question, and read its answer
#
# **You end with:** builders of nsys and ncu commands, queries that read an nsys export, a reader of ncu's tables, a function that tells whether
# tensor cores worked, and one that computes the cure of low occupancy.
#
# About 130 minutes. 45 points: 42 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network: the timeline is a real recording of a CPU process that ships
# with the course; GPU timelines and counters are generated and say so. Where nsys is installed, your own command records.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import csv
import importlib.util
import io
import math
import re
import shlex
import sqlite3
import sys
import tempfile
from collections import Counter
from pathlib import Path


from autograder import check
from lab.cuda import nvrtc, sass
from lab.cuda.occupancy import LIMITS, occupancy
from lab.errors import CourseError
from lab.ncu_text import Profiled, around, details, raw
from lab.nsight import record, recorded_tables, shipped_export, workload
from lab.nsys_export import Launch, Range, connect, export
from lab.plots import bars, explore
from lab.predict import reveal
from lab.profile import use_profile

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## Where does a quantized layer's step go?
#
# A CPU process ran 24 steps of one INT8 layer (1,024 x 1,024, 128 rows): fetch a batch from a loader thread, quantize, multiply, dequantize. Nsight Systems recorded it, with a named
# range around each part. Its SQLite export ships with the course.
#
# **Predict.** Which per cent of the 24 steps is the matrix multiplication?
# %% role="predict" id="predict-matmul"
my_matmul_percent = ...  # of the time of all steps
# %% role="given" id="opening"


def ranges_of(path):
    """Rows (name, count, ms) of a recording, the longest first."""
    opened = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    query = """SELECT coalesce(text, value), count(*), sum(end - start) / 1e6
        FROM NVTX_EVENTS LEFT JOIN StringIds ON id = textId
        WHERE end IS NOT NULL GROUP BY 1 ORDER BY 3 DESC"""
    rows = opened.execute(query).fetchall()
    opened.close()
    return rows


opening_rows = ranges_of(shipped_export())
opening_ms = {name: ms for name, _, ms in opening_rows}
for name, number, ms in opening_rows:
    print(f"{name:12} {number:3} times {ms:8.2f} ms")
reveal(my_matmul_percent, 100 * opening_ms["matmul"] / opening_ms["step"], unit="%")
# %% [markdown] items="1.6.C2"
# **What happened.** The multiplication is less than a third. Two thirds of the time the step waits in *fetch*: the loader draws its batch on another thread, and is slower. No faster
# kernel helps here, and no counter of the multiplication would have said so. It takes a **timeline**.
# %% [markdown] items="1.6.K1"
# ## Two tools, two questions
#
# **Nsight Systems** (`nsys`) records *when* things happen, in the whole process: ranges, API calls, kernels, copies, threads. Overhead is small. Its question: **where does the time go?**
#
# **Nsight Compute** (`ncu`) measures *one kernel* in depth: counters of the hardware. It runs a kernel several times to collect them, so its clock says nothing about the program. Its question: **why is this kernel slow?**
#
# First systems, then compute.
# %% [markdown] items="1.6.C2"
# ## The command line of nsys
#
# `nsys profile [options] program [its options]`. What stands behind the program belongs to the program.
#
# Long options are written `--name=value`, short ones `-n value`; every one has a value: `--force-overwrite=true`. Three to think of: `--trace` (which APIs; its default has opengl), `--sample` and `--cpuctxsw`
# (CPU samples and thread switches: each costs time, needs rights, and has a default of its own), `--capture-range` (record only a part).
# %% [markdown] items="1.6.C2 1.6.K1"
# ### Exercise: build the nsys command
#
# One line for a POSIX shell. The check reads it as nsys 2022.4 does: options in any order, long or short. One at its default of `none` or `false` may be left out or be
# said, but always say `--trace`, `--sample`, `--cpuctxsw`. No option that was not asked for; none twice.
#
# <details><summary>Hint 1</summary>Check first, all of it; then collect words in a list, the program's last.</details>
# <details><summary>Hint 2</summary><code>shlex.join(words)</code> quotes what needs it.</details>
# <details><summary>Hint 3</summary>No API at all is <code>--trace=none</code>.</details>
# %% role="exercise" id="nsys-command" items="1.6.C2 1.6.K1" minutes=10
APIS = ("cuda", "nvtx", "osrt", "cublas", "cudnn")


def nsys_command(spec: dict) -> str:
    """The command that records what a specification asks for.

    Args:
        spec: a dict, not to be changed, of
            program: the profiled command, a list of words, at least one.
            output: the report's file name, not empty, perhaps with spaces: --output.
            trace: a list of different names out of APIS, joined by commas in --trace; empty: --trace=none.
            sample_cpu: a bool. True: --sample=process-tree and --cpuctxsw=process-tree; False: both none.
            capture: None, "cudaProfilerApi" or "nvtx": --capture-range.
            nvtx_range: the name of the range for capture "nvtx", else None: --nvtx-capture.
            sqlite, stats, overwrite: bools: --export=sqlite, --stats=true, --force-overwrite=true.

    Returns:
        the command, starting with nsys profile. A line's end inside it needs a backslash before it.

    Raises:
        ValueError: an empty program or output; a name not in APIS, or twice; another capture; a capture whose API
            ("cuda" for cudaProfilerApi, "nvtx" for nvtx) is not traced: nsys refuses that; capture "nvtx" without
            a range, or a range without it.

    >>> nsys_command({"program": ["python", "a.py", "-t", "1"], "output": "r1", "trace": ["cuda", "nvtx"],
    ...     "sample_cpu": False, "capture": None, "nvtx_range": None, "sqlite": True, "stats": False, "overwrite": False})
    'nsys profile --trace=cuda,nvtx --sample=none --cpuctxsw=none --output=r1 --export=sqlite python a.py -t 1'
    """
    ### BEGIN SOLUTION
    trace, capture = spec["trace"], spec["capture"]
    if not spec["program"] or not spec["output"]:
        raise ValueError("give a program and a file name for the report")
    if set(trace) - set(APIS) or len(set(trace)) < len(trace):
        raise ValueError(f"trace different APIs out of {', '.join(APIS)}")
    if capture not in (None, "cudaProfilerApi", "nvtx"):
        raise ValueError("capture is None, cudaProfilerApi or nvtx")
    if capture and {"cudaProfilerApi": "cuda", "nvtx": "nvtx"}[capture] not in trace:
        raise ValueError(f"{capture} begins a capture only if its API is traced")
    if (capture == "nvtx") != bool(spec["nvtx_range"]):
        raise ValueError("a range belongs to capture nvtx, and nvtx needs one")
    cpu = "process-tree" if spec["sample_cpu"] else "none"
    words = ["nsys", "profile", f"--trace={','.join(trace) or 'none'}"]
    words += [f"--sample={cpu}", f"--cpuctxsw={cpu}", f"--output={spec['output']}"]
    if capture:
        words.append(f"--capture-range={capture}")
    if spec["nvtx_range"]:
        words.append(f"--nvtx-capture={spec['nvtx_range']}")
    flags = ("sqlite", "--export=sqlite"), ("stats", "--stats=true")
    flags += (("overwrite", "--force-overwrite=true"),)
    words += [flag for name, flag in flags if spec[name]]
    return shlex.join([*words, *spec["program"]])
    ### END SOLUTION


# %% role="check" id="nsys-command" points=5
check("nsys-command", nsys_command)
# %% [markdown] items="1.6.C2"
# ## Record it yourself, if you can
#
# The next cell builds the command of the recording, and runs it where nsys is installed (and the Python package `nvtx`, which makes the ranges). Everywhere else the shipped export is read.
#
# **Before you send a report to anybody:** an export holds all environment variables, the names of all processes, the host's name and paths. The shipped one was stripped of them.
# %% role="given" id="record"


def newest_export():
    """A recording made here and now by your command, or the one that ships."""
    asked = {
        "program": [sys.executable, str(workload())],
        "output": "quantized_layer",
        "trace": ["nvtx", "osrt"],
        "sample_cpu": False,
        "capture": None,
        "nvtx_range": None,
        "sqlite": True,
        "stats": False,
        "overwrite": True,
    }
    try:
        line = nsys_command(asked)
    except Exception as error:
        print(f"nsys_command gives no command yet ({error}): the shipped export is read.")
        return shipped_export()
    print(
        str(line)
        .replace(sys.executable, "python")
        .replace(str(workload()), "data/nsys/workload.py")
    )
    try:
        if importlib.util.find_spec("nvtx") is None:
            raise CourseError("The package nvtx is not installed: the shipped export is read.")
        found = record(line, Path(tempfile.mkdtemp()))
        print("Recorded here.")
        return found
    except CourseError as error:
        print(error)
        return shipped_export()


recorded = sqlite3.connect(f"file:{newest_export()}?mode=ro", uri=True)
for key, said in recorded.execute("SELECT name, value FROM EXPORT_META_DATA LIMIT 9"):
    print(f"{key:26} {said}")
# %% [markdown] items="1.6.C2"
# ## What an export holds
#
# SQLite tables, made only where there is something to put in. Times: whole **ns** since the session began. Names are numbers: `textId` points to `StringIds`. A range whose string was not
# registered has its name in `text`, and textId is NULL.
#
# `eventType`: 59 push/pop range (they nest, on one thread), 60 start/end range (may overlap), 34 a mark, whose `end` is NULL. `globalTid` is process and thread in one number.
# %% role="given" id="look"
for made in recorded.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
    print(
        f"{made[0]:22}", recorded.execute(f"SELECT count(*) FROM {made[0]}").fetchone()[0], "rows"
    )
recorded.execute(
    "SELECT start, end, eventType, textId, text, globalTid FROM NVTX_EVENTS LIMIT 5"
).fetchall()


# %% [markdown] items="1.6.C2"
# ### Exercise: time the ranges
#
# A step's total contains its parts. Its **own** time is what is left without the ranges directly inside it: code that nobody has named yet.
#
# <details><summary>Hint 1</summary><code>LEFT JOIN StringIds ON id = textId</code>, and <code>coalesce(text, value)</code> is the name.</details>
# <details><summary>Hint 2</summary><code>ORDER BY globalTid, start</code>; keep a stack of the push/pop ranges that are open.</details>
# <details><summary>Hint 3</summary>A range takes its duration from the own time of the one on top of the stack.</details>
# %% role="exercise" id="nvtx-times" items="1.6.C2" minutes=14
def nvtx_times(connection: sqlite3.Connection) -> dict[str, tuple[int, int, int]]:
    """Counts and times of the NVTX ranges of an export.

    Args:
        connection: to an export; only to be read (SELECT).

    Returns:
        {name: (count, total_ns, self_ns)}, ints, over all ranges of that name in all threads and processes. Push/pop (59) and
        start/end ranges (60) count; marks, other events and ranges without an end do not.
        total_ns: the sum of end - start, also where a range lies in another of its name.
        self_ns: the same without the push/pop ranges directly inside it. Push/pop ranges of one globalTid nest:
        they touch at most. A start/end range has no part in the nesting: its self time is its total.
        An export without ranges, or without the table NVTX_EVENTS: {}.

    >>> nvtx_times(connect(export([Range("step", 0, 100), Range("mlp", 10, 40), Range("mlp", 40, 60)])))
    {'step': (1, 100, 50), 'mlp': (2, 50, 50)}
    """
    ### BEGIN SOLUTION
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if "NVTX_EVENTS" not in tables:
        return {}
    query = """SELECT coalesce(text, value), start, end, eventType, globalTid FROM NVTX_EVENTS
        LEFT JOIN StringIds ON id = textId
        WHERE eventType IN (59, 60) AND end IS NOT NULL ORDER BY globalTid, start, end DESC"""
    found, stack = {}, []
    for name, start, end, kind, thread in connection.execute(query):
        row = found.setdefault(name, [0, 0, 0])
        row[0] += 1
        row[1] += end - start
        row[2] += end - start
        if kind == 59:
            while stack and (stack[-1][1] <= start or stack[-1][2] != thread):
                stack.pop()
            if stack:
                found[stack[-1][0]][2] -= end - start
            stack.append((name, end, thread))
    return {name: tuple(row) for name, row in found.items()}
    ### END SOLUTION


# %% role="check" id="nvtx-times" points=5
check("nvtx-times", nvtx_times)
# %%
recorded_times = nvtx_times(recorded)
for name, (number, total_ns, self_ns) in recorded_times.items():
    print(
        f"{name:12} {number:3} times, total {total_ns / 1e6:8.2f} ms, own {self_ns / 1e6:8.2f} ms"
    )
# %% role="given" id="warm-up-knob"


def mean_step(skip=0):
    """Bars: mean ms of a step's parts, without the first `skip` steps."""
    begun = """SELECT start FROM NVTX_EVENTS LEFT JOIN StringIds ON id = textId
        WHERE coalesce(text, value) = 'step' ORDER BY start"""
    starts = [start for (start,) in recorded.execute(begun)]
    query = """SELECT coalesce(text, value), avg(end - start) / 1e6 FROM NVTX_EVENTS
        LEFT JOIN StringIds ON id = textId WHERE start >= ? AND eventType = 59 GROUP BY 1"""
    means = dict(recorded.execute(query, (starts[skip],)).fetchall())
    parts = {name: means[name] for name in ("fetch", "quantize", "matmul", "dequantize")}
    title = f"Mean step, the first {skip} left out: {means['step']:.2f} ms"
    said = ", ".join(f"{name} {ms:.2f} ms" for name, ms in parts.items())
    return bars(parts, unit="ms", title=title), f"{title}. {said}."


explore(mean_step, skip=(0, 12, 1))
# %% [markdown] items="1.6.C2"
# **What you should see.** In the shipped recording the first step takes several times as long as the others: fetch waits for the first batch, and the first calls of each function allocate and load. Without it the mean step is
# shorter, and fetch is still the longest part. A mean over a recording with its start in it describes no step at all: leave warm-up out, or capture a range behind it.
# %% [markdown] items="1.6.C2"
# ## On a GPU: the call and the kernel
#
# A launch returns at once; the kernel runs later. An export has both, in two tables: `CUPTI_ACTIVITY_KIND_RUNTIME`, the call on the CPU's thread, and `CUPTI_ACTIVITY_KIND_KERNEL`, the run on a stream. The same
# **correlationId** ties them, within one process: `globalPid = globalTid & 0xFFFFFFFFFF000000`.
#
# Ranges are opened by the CPU. So a kernel belongs to the range *in which it was launched*, wherever it runs.
# %% role="given" id="generated"
small_ranges = [
    Range("step", 0, 1000),
    Range("quantize", 50, 200),
    Range("matmul", 250, 400),
    Range("step", 1000, 2000),
]
small_launches = [
    Launch("quantize_rows", (100, 110), (300, 420), correlation=1),
    Launch("gemm_int8", (300, 310), (430, 1700), correlation=2),
]
generated = connect(export(small_ranges, small_launches))
print(generated.execute("SELECT note FROM GENERATED_BY_THE_COURSE").fetchone()[0])
generated.execute(
    "SELECT value, start, end, streamId, correlationId FROM CUPTI_ACTIVITY_KIND_KERNEL JOIN StringIds ON id = shortName"
).fetchall()


# %% [markdown] items="1.6.C2"
# ### Exercise: GPU time by range
#
# <details><summary>Hint 1</summary>KERNEL joins RUNTIME on correlationId and process; RUNTIME joins NVTX_EVENTS on globalTid and time.</details>
# <details><summary>Hint 2</summary>Two queries (or sets in Python) are fine: the tables are small.</details>
# <details><summary>Hint 3</summary>Collect, for each kernel, the <b>set</b> of names around its call; the empty set is "".</details>
# %% role="exercise" id="gpu-time-by-range" items="1.6.C2" minutes=15
def gpu_time_by_range(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Kernels and GPU time of the ranges that launched them.

    A kernel belongs to a push/pop range (eventType 59, with an end) if the call that launched it, the row of
    CUPTI_ACTIVITY_KIND_RUNTIME with its correlationId and its process, lies in the range (start and end) on the
    range's globalTid. It belongs to every range around the call, but to each name once.

    Args:
        connection: to an export; only to be read (SELECT).

    Returns:
        {name: (kernels, gpu_ns)}, ints: how many kernels, and the sum of their end - start. Names without a kernel are
        left out. Under "": kernels in no range, or whose call was not recorded.
        Tables may be missing: without kernels {}; without ranges, or without calls, all kernels are under "".

    >>> found = gpu_time_by_range(connect(export([Range("step", 0, 90), Range("mlp", 10, 50)],
    ...                                          [Launch("gemm", (20, 22), (100, 400), correlation=1)])))
    >>> sorted(found.items())
    [('mlp', (1, 300)), ('step', (1, 300))]
    """
    ### BEGIN SOLUTION
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if "CUPTI_ACTIVITY_KIND_KERNEL" not in tables:
        return {}
    calls, ranges = {}, []
    if "CUPTI_ACTIVITY_KIND_RUNTIME" in tables:
        query = "SELECT correlationId, globalTid, start, end FROM CUPTI_ACTIVITY_KIND_RUNTIME"
        for number, thread, start, end in connection.execute(query):
            calls[number, thread & 0xFFFFFFFFFF000000] = (thread, start, end)
    if "NVTX_EVENTS" in tables:
        query = """SELECT coalesce(text, value), globalTid, start, end FROM NVTX_EVENTS
            LEFT JOIN StringIds ON id = textId WHERE eventType = 59 AND end IS NOT NULL"""
        ranges = connection.execute(query).fetchall()
    found = {}
    query = "SELECT correlationId, globalPid, end - start FROM CUPTI_ACTIVITY_KIND_KERNEL"
    for number, process, gpu_ns in connection.execute(query):
        thread, start, end = calls.get((number, process), (None, 0, 0))
        names = {n for n, t, low, high in ranges if t == thread and low <= start and end <= high}
        for name in names or {""}:
            kernels, total = found.get(name, (0, 0))
            found[name] = (kernels + 1, total + gpu_ns)
    return found
    ### END SOLUTION


# %% role="check" id="gpu-time-by-range" points=6
check("gpu-time-by-range", gpu_time_by_range)
# %%
print(gpu_time_by_range(generated))


# %% [markdown] items="1.6.C2"
# **What you should see.** *matmul* closes at 400 ns, and its kernel runs from 430 to 1,700: the range on the CPU took 150 ns, the GPU time that it caused 1,270 ns. By its own clock more than half of the kernel would fall into the
# second *step*, which launched nothing.
# %% [markdown] items="1.6.K1"
# ## Which tool next?
#
# A timeline answers one question first: **is the GPU busy?** If it idles half of the time, the fastest kernel in the world leaves that half: look for the reason in the gaps (the CPU, copies, waits): stay with nsys. If it is busy,
# take the kernel with the most time: ncu.
#
# Busy time is the *union* over streams: two kernels at once are one busy GPU. "Half" is this lesson's rule of thumb.
# %% [markdown] items="1.6.K1 1.6.C2"
# ### Exercise: choose the next tool
#
# <details><summary>Hint 1</summary>Clip each kernel to the window, drop what is empty, sort by start.</details>
# <details><summary>Hint 2</summary>Keep <code>reached</code>, the end of what is covered so far; it begins at start_ns.</details>
# <details><summary>Hint 3</summary>A kernel that starts behind <code>reached</code> leaves a gap; it covers <code>end - max(start, reached)</code>, if that is positive.</details>
# %% role="exercise" id="next-profile" items="1.6.K1 1.6.C2" minutes=12
def next_profile(connection: sqlite3.Connection, start_ns: int, end_ns: int) -> dict:
    """How busy the GPU was in a window, and what to run next.

    Only kernels count (not copies), of all streams; what they do outside the window does not count.

    Args:
        connection: to an export with one GPU; only to be read (SELECT). It may lack the table of kernels: none ran.
        start_ns, end_ns: the window, such as that of a range.

    Returns:
        {"busy_share": of the window in which at least one kernel runs, 0 to 1,
         "longest_gap_ns": the longest time in the window without a kernel, its two ends included; an int,
         "tool": "ncu" if busy_share is 0.5 or more, else "nsys",
         "kernel": for ncu the shortName of the kernel with the largest sum of times in the window, the alphabetically
         first of equals; None for nsys}

    Raises:
        ValueError: end_ns is not above start_ns.

    >>> next_profile(connect(export([], [Launch("gemm", (0, 2), (30, 80), 1), Launch("add", (3, 5), (60, 120), 2)])), 0, 100)
    {'busy_share': 0.7, 'longest_gap_ns': 30, 'tool': 'ncu', 'kernel': 'gemm'}
    """
    ### BEGIN SOLUTION
    if end_ns <= start_ns:
        raise ValueError("the window must end behind its start")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    runs = []
    if "CUPTI_ACTIVITY_KIND_KERNEL" in tables:
        query = """SELECT max(start, ?), min(end, ?), value FROM CUPTI_ACTIVITY_KIND_KERNEL
            JOIN StringIds ON id = shortName WHERE start < ? AND end > ? ORDER BY 1"""
        runs = connection.execute(query, (start_ns, end_ns, end_ns, start_ns)).fetchall()
    busy = gap = 0
    reached, total = start_ns, Counter()
    for start, end, name in runs:
        gap = max(gap, start - reached)
        busy += max(0, end - max(start, reached))
        reached = max(reached, end)
        total[name] += end - start
    share = busy / (end_ns - start_ns)
    kernel = min(total, key=lambda name: (-total[name], name)) if share >= 0.5 else None
    return {
        "busy_share": share,
        "longest_gap_ns": max(gap, end_ns - reached),
        "tool": "ncu" if share >= 0.5 else "nsys",
        "kernel": kernel,
    }
    ### END SOLUTION


# %% role="check" id="next-profile" points=5
check("next-profile", next_profile)
# %%
print(next_profile(generated, 0, 2000))
print(next_profile(recorded, 0, 10**9), "<- the CPU recording: no kernel ran at all")
# %% [markdown] items="1.6.C3"
# ## The command line of ncu
#
# ncu has thousands of counters and few can be read at once: it **replays** a kernel, pass after pass. So say which kernels (`--kernel-name`, exact or `regex:`), which launches (`--launch-skip`, `--launch-count`: counted
# among the matching ones) and what to collect: a `--set`, single `--section`s, single `--metrics`.
#
# Its habits differ from nsys: switches take no value, `-k name` or `--kernel-name=name`; sections one by one, metrics joined by commas.
# %% [markdown] items="1.6.C3 1.6.K1"
# ### Exercise: build the ncu command
#
# The check tries your filter on the names `gemm`, `gemm_int8`, `int8_gemm`, `quantize`, `dequantize` and others: a regular expression matches *anywhere* unless it is anchored. The default of `--target-processes` was
# application-only in 2022.3 and is all in 2024.1: always say it.
#
# <details><summary>Hint 1</summary><code>regex:^(a|b)$</code>; <code>shlex.join</code> quotes it.</details>
# <details><summary>Hint 2</summary>With a report file, nothing about csv and page: that is asked when the report is read.</details>
# %% role="exercise" id="ncu-command" items="1.6.C3 1.6.K1" minutes=12
SETS = ("basic", "detailed", "full", "roofline")
PAGES = ("details", "raw")


def ncu_command(spec: dict) -> str:
    """The command that collects what a specification asks for.

    The check reads it as ncu does: options in any order, long (--name=value or --name value) or short (-k -s -c -o -f,
    value behind a space); no option that was not asked for; none twice but --section.

    Args:
        spec: a dict, not to be changed, of
            program: the profiled command, a list of words, at least one.
            kernels: function names to profile, exactly these; empty: all kernels.
            skip: int, 0 or more: --launch-skip (0 may be left out). count: int, 1 or more: --launch-count; None: all.
            set: a name out of SETS, or None: --set. sections: a list, one --section for each. metrics: a list,
            joined by commas in one --metrics. Nothing of these: none of the three (ncu then takes its default set).
            children: a bool: --target-processes=all; False: --target-processes=application-only.
            report: the report's file name or None: --export. overwrite: a bool: --force-overwrite, without a value.
            page: a name out of PAGES. Without a report: --csv and --page. With one: neither.

    Raises:
        ValueError: an empty program; skip below 0 or count below 1; a set or page not in the lists; overwrite without a
            report; a kernel that is no plain name (letters, digits, _); a section or metric that is empty or has a comma
            or a space in it.

    >>> ncu_command({"program": ["./bench"], "kernels": ["gemm"], "skip": 3, "count": 1, "set": None, "sections": ["Occupancy"],
    ...     "metrics": [], "children": False, "report": None, "overwrite": False, "page": "raw"})
    'ncu --target-processes=application-only --kernel-name=gemm --launch-skip=3 --launch-count=1 --section=Occupancy --csv --page=raw ./bench'
    """
    ### BEGIN SOLUTION
    kernels, count, report = spec["kernels"], spec["count"], spec["report"]
    if not spec["program"] or spec["skip"] < 0 or (count is not None and count < 1):
        raise ValueError("give a program, skip 0 or more launches, profile 1 or more")
    if spec["set"] not in (None, *SETS) or spec["page"] not in PAGES:
        raise ValueError("there is no such set or page")
    if spec["overwrite"] and report is None:
        raise ValueError("there is no report to overwrite")
    if not all(re.fullmatch(r"\w+", name) for name in kernels):
        raise ValueError("kernels are plain function names")
    if not all(re.fullmatch(r"[^\s,]+", name) for name in spec["sections"] + spec["metrics"]):
        raise ValueError("sections and metrics are single names")
    words = ["ncu", f"--target-processes={'all' if spec['children'] else 'application-only'}"]
    if kernels:
        one = kernels[0] if len(kernels) == 1 else f"regex:^({'|'.join(kernels)})$"
        words.append(f"--kernel-name={one}")
    words += [f"--launch-skip={spec['skip']}"] if spec["skip"] else []
    words += [f"--launch-count={count}"] if count is not None else []
    words += [f"--set={spec['set']}"] if spec["set"] else []
    words += [f"--section={name}" for name in spec["sections"]]
    words += [f"--metrics={','.join(spec['metrics'])}"] if spec["metrics"] else []
    words += ["--csv", f"--page={spec['page']}"] if report is None else [f"--export={report}"]
    words += ["--force-overwrite"] if spec["overwrite"] else []
    return shlex.join([*words, *spec["program"]])
    ### END SOLUTION


# %% role="check" id="ncu-command" points=5
check("ncu-command", ncu_command)


# %% [markdown] items="1.6.C3"
# ## Reading it back
#
# A report (`.ncu-rep`) is read by `ncu --import report.ncu-rep --csv --page raw`, or in Python, also without ncu, by the package `ncu-report`. Two pages as CSV:
#
# - **details**: a row for each metric, by section, with people's labels;
# - **raw**: a row for each launch, a column for each metric, and below the header a row of units.
#
# Both below, with drawn values: the *form* is ncu's, the numbers are nobody's.
# %% role="given" id="pages"
def drawn_launches(columns):
    """Two launches with drawn values. columns: (section, name, unit) of three metrics."""
    values = [("41.50", "1,234,560", "n/a"), ("42.50", "1,234,561", "n/a")]
    rows = [[(*column, v) for column, v in zip(columns, row, strict=True)] for row in values]
    kernel = "void gemm<signed char, int>(T1 *, T2 *)"
    return [Profiled(number, kernel, metrics=metrics) for number, metrics in enumerate(rows)]


page_labels = [
    ("Occupancy", "Achieved Occupancy", "%"),
    ("GPU Speed Of Light Throughput", "Duration", "nsecond"),
    ("GPU Speed Of Light Throughput", "DRAM Throughput", "%"),
]
page_metrics = [
    ("", "sm__warps_active.avg.pct_of_peak_sustained_active", "%"),
    ("", "gpu__time_duration.sum", "nsecond"),
    ("", "dram__throughput.avg.pct_of_peak_sustained_elapsed", "%"),
]
print(around(details(drawn_launches(page_labels))))
print(raw(drawn_launches(page_metrics)))


# %% [markdown] items="1.6.C3"
# ### Exercise: read both pages
#
# <details><summary>Hint 1</summary>The table begins at the line that starts with <code>"ID",</code>; its lines start with a double quote, all others do not.</details>
# <details><summary>Hint 2</summary><code>csv.DictReader</code> knows about commas inside quotes. A page with a column "Metric Name" is the details page.</details>
# <details><summary>Hint 3</summary>Raw: the metrics are the columns behind "CC"; the units are in the row with an empty ID.</details>
# %% role="exercise" id="ncu-csv" items="1.6.C3" minutes=15
def read_ncu(text: str) -> list[dict]:
    """The launches in the output of `ncu --csv`, of either page.

    The table begins at the first line that starts with `"ID",`. Behind it, lines that do not start with a double quote
    (ncu's own, the program's) are no rows.

    Returns:
        for each ID in order of appearance {"id": int, "kernel": the name in full, "block": (x, y, z), "grid": (x, y, z),
        "metrics": {name: (value, unit)}}.
        name: on the raw page the column, for all columns behind "CC"; on the details page "Section Name: Metric Name",
        as the same label occurs in several sections. Rows of the details page without a Metric Name are advice: left out.
        value: a float where the text, without its thousands separators, is a number; None for "n/a" and for nothing; else the text.
        unit: the text, "" for none. Lists pass for tuples. A header alone: [].

    Raises:
        ValueError: there is no such table.

    >>> read_ncu(raw([Profiled(4, "add", metrics=[("", "dram__bytes_read.sum", "byte", "4,096")])]))
    [{'id': 4, 'kernel': 'add', 'block': (256, 1, 1), 'grid': (1024, 1, 1), 'metrics': {'dram__bytes_read.sum': (4096.0, 'byte')}}]
    """
    ### BEGIN SOLUTION
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith('"ID",')), None)
    if first is None:
        raise ValueError("this is no output of ncu --csv")
    table = [line for line in lines[first:] if line.startswith('"')]
    header, *rows = csv.reader(io.StringIO("\n".join(table)))
    found, units = {}, {}

    def value(cell):
        try:
            return float(cell.replace(",", ""))
        except ValueError:
            return None if cell in ("n/a", "") else cell

    def three(cell):
        return tuple(int(number) for number in re.findall(r"\d+", cell))

    for cells in rows:
        row = dict(zip(header, cells, strict=True))
        if not row["ID"]:
            units = row
            continue
        sizes = {"block": three(row["Block Size"]), "grid": three(row["Grid Size"])}
        new = {"id": int(row["ID"]), "kernel": row["Kernel Name"], **sizes, "metrics": {}}
        metrics = found.setdefault(row["ID"], new)["metrics"]
        if "Metric Name" not in row:
            behind = header[header.index("CC") + 1 :]
            metrics.update({name: (value(row[name]), units.get(name, "")) for name in behind})
        elif row["Metric Name"]:
            name = f"{row['Section Name']}: {row['Metric Name']}"
            metrics[name] = (value(row["Metric Value"]), row["Metric Unit"])
    return list(found.values())
    ### END SOLUTION


# %% role="check" id="ncu-csv" points=6
check("ncu-csv", read_ncu)
# %% role="given" id="real-counters"


def show_recorded():
    """Counters that were recorded on a real GPU, if there are any."""
    texts = recorded_tables()
    if not texts:
        print(
            "No table of ncu has been recorded on a GPU yet: ci/reports has none, so none is shown."
        )
        print("On a CUDA machine, `python -m ci.ncu_counters` records one.")
    for name, recorded_text in texts.items():
        print(f"ci/reports/{name}:")
        for launch in read_ncu(recorded_text):
            print(f"  {launch['id']:3} {launch['kernel'][:40]:40} block {launch['block']}")
            for metric, (number, unit) in list(launch["metrics"].items())[:8]:
                print(f"        {metric:58} {number} {unit}")


show_recorded()
# %% [markdown] items="1.6.K5"
# ## Matrix instructions
#
# Tensor cores have instructions of their own. In the machine code (SASS): **IMMA** multiplies small INT8 matrices into INT32, **HMMA** FP16, BF16 and TF32 ones, **DMMA** FP64. On Hopper a warp group has IGMMA, HGMMA and, for FP8, QGMMA. `__dp4a` is
# **IDP**: four products, on the ordinary integer path.
#
# Below, four small kernels compiled for real by NVIDIA's compiler. **Ask yourself first:** which of them will have an instruction with MMA in its name?
# %% role="given" id="sass"
mma_text = r"""
extern "C" __global__ void one_product(OUT* d, const unsigned* a, const unsigned* b)
{
    int t = threadIdx.x;
    OUT c[4] = {0, 0, 0, 0};
    asm volatile("mma.sync.aligned.SHAPE {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
        : "+LET"(c[0]), "+LET"(c[1]), "+LET"(c[2]), "+LET"(c[3])
        : "r"(a[t]), "r"(a[t + 32]), "r"(a[t + 64]), "r"(a[t + 96]), "r"(b[t]), "r"(b[t + 32]));
    for (int i = 0; i < 4; ++i) d[4 * t + i] = c[i];
}
"""
dot_text = r"""
extern "C" __global__ void dots(OUT* d, const IN* a, const IN* b)
{
    int t = threadIdx.x;
    OUT s = 0;
    for (int i = 0; i < 4; ++i) s = STEP;
    d[t] = s;
}
"""


def filled(text, **words):
    """The text with its words in capitals replaced."""
    for word, by in words.items():
        text = text.replace(word, by)
    return text


four_kernels = {
    "INT8 matrices": filled(mma_text, OUT="int", LET="r", SHAPE="m16n8k32.row.col.s32.s8.s8.s32"),
    "FP16 matrices": filled(
        mma_text, OUT="float", LET="f", SHAPE="m16n8k16.row.col.f32.f16.f16.f32"
    ),
    "dp4a": filled(dot_text, OUT="int", IN="int", STEP="__dp4a(a[4 * t + i], b[4 * t + i], s)"),
    "FP32 products": filled(
        dot_text, OUT="float", IN="float", STEP="s + a[4 * t + i] * b[4 * t + i]"
    ),
}


def show_sass(arch):
    """The arithmetic instructions of the four kernels."""
    for name, text in four_kernels.items():
        found = sass.instructions(text, arch)
        kept = {k: n for k, n in found.items() if "MMA" in k or k.startswith(("IDP", "FFMA"))}
        print(f"{arch}  {name:14} {kept}")


if nvrtc.installed() and sass.nvdisasm():
    show_sass("sm_80")
    show_sass("sm_90")
else:
    print(
        f"NVRTC or nvdisasm is not here, so nothing is compiled: {nvrtc.REMEDY}, pip install triton."
    )
# %% [markdown] items="1.6.K5 1.6.C3"
# **What you should see.** IMMA, HMMA, IDP, FFMA: as announced. And on sm_80 an **HFMA2.MMA** in kernels without any matrix: two FP16 products and sums, an instruction that the compiler also takes to load a constant. On
# the A100 it runs on the tensor pipe, and ncu counts it there: its counter `..._op_hmma` is "HMMA/HFMA2.MMA ops". A counter above zero is no matrix yet.
# %% [markdown] items="1.6.K5 1.6.C3"
# ## The counters
#
# `sm__inst_executed_pipe_tensor` (all), `..._op_imma` (INT), `..._op_hmma` (FP), `..._op_dmma` (FP64), `..._op_hmma_type_hfma2` (the packed arithmetic in hmma), each with `.sum`. On Hopper imma contains IGMMA, hmma HGMMA and QGMMA.
#
# Not every chip has each one: ask `ncu --query-metrics --chips ga102`. TU102, GA102 and AD102 have no dmma and no hfma2. Busy or not: `sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active`.
# %% [markdown] items="1.6.K5"
# ### Exercise: did the tensor cores work, and on what?
#
# "INT8 model" in the file's name does not make an IMMA: weights may be dequantized to FP16 and multiplied by HMMA, or by IDP, or by FFMA. A missing counter is not a zero.
#
# <details><summary>Hint 1</summary><code>metrics.get(name)</code> is None both for a missing key and for n/a; only dmma and hfma2 tell the two apart.</details>
# <details><summary>Hint 2</summary>Settle the total first: where it is known to be nothing but hfma2, all three counts are 0.</details>
# %% role="exercise" id="tensor-use" items="1.6.K5" minutes=10
PIPE = "sm__inst_executed_pipe_tensor"


def tensor_use(metrics: dict[str, float | None], wanted: str) -> dict:
    """What the tensor cores did in one launch.

    Args:
        metrics: values by full name, not to be changed; None is n/a; any may be missing. Read are PIPE + ".sum" (the total),
            PIPE + "_op_imma.sum", "_op_hmma.sum", "_op_hmma_type_hfma2.sum", "_op_dmma.sum", and
            "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active".
        wanted: "INT", "FP" or "FP64".

    Returns:
        counts: {"INT": imma, "FP": hmma - hfma2, "FP64": dmma}, each a number, or None where it is not known: its
            counter is n/a or missing. But dmma and hfma2 that are *missing* are 0 (chips without them); hfma2 n/a leaves FP unknown.
            If the total and hfma2 are known and total - hfma2 is 0, all three counts are 0, whatever else is missing.
        verdict: "wanted" if the wanted count is known and above 0; else "unknown" if any count is unknown; else "other" if
            any count is above 0; else "none".
        active_pct: the percentage, or None.
        Nothing else is inferred. The dict has these three keys.

    Raises:
        ValueError: wanted is none of the three.

    >>> tensor_use({PIPE + "_op_imma.sum": 0.0, PIPE + "_op_hmma.sum": 640.0}, "INT")
    {'counts': {'INT': 0.0, 'FP': 640.0, 'FP64': 0}, 'verdict': 'other', 'active_pct': None}
    """
    ### BEGIN SOLUTION
    if wanted not in ("INT", "FP", "FP64"):
        raise ValueError("wanted is INT, FP or FP64")
    half = metrics.get(PIPE + "_op_hmma_type_hfma2.sum", 0)
    total, hmma = metrics.get(PIPE + ".sum"), metrics.get(PIPE + "_op_hmma.sum")
    counts = {
        "INT": metrics.get(PIPE + "_op_imma.sum"),
        "FP": None if hmma is None or half is None else hmma - half,
        "FP64": metrics.get(PIPE + "_op_dmma.sum", 0),
    }
    if total is not None and half is not None and total - half == 0:
        counts = dict.fromkeys(counts, 0)
    if (counts[wanted] or 0) > 0:
        verdict = "wanted"
    elif None in counts.values():
        verdict = "unknown"
    else:
        verdict = "other" if any(counts.values()) else "none"
    active = metrics.get("sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active")
    return {"counts": counts, "verdict": verdict, "active_pct": active}
    ### END SOLUTION


# %% role="check" id="tensor-use" points=4
check("tensor-use", tensor_use)


# %% [markdown] items="1.6.K5"
# ## Why not?
#
# A GEMM library falls back silently. The usual reasons:
#
# - rows that are no multiple of 16 bytes: pad them;
# - the layout: IMMA wants A by rows and B by columns;
# - only the weights are quantized (W4A16, W8A16): then FP16 matrices are right, and `INT` stays 0;
# - a small batch: a vector times a matrix is bound by memory, and needs no matrices.
# %% [markdown] items="1.6.K2"
# ## Low occupancy: the cause decides the cure
#
# ncu's section *Occupancy* prints what module 1.5 computed: theoretical occupancy, and the blocks that each resource allows (`launch__occupancy_limit_registers`, `..._shared_mem`, `..._warps`, `..._blocks`). The lowest one is the
# cause. *Achieved* far below theoretical is another disease: uneven blocks, or too few of them.
#
# Cures: fewer registers (`__launch_bounds__(threads, min_blocks)`, -maxrregcount), another block size, a smaller tile.
# %% [markdown] items="1.6.K2"
# ### Exercise: compute the cure
#
# Turn one knob at a time, as little as possible. `occupancy` from `lab.cuda` gives you blocks and limits; you search.
#
# <details><summary>Hint 1</summary>A function <code>reaches(threads, registers, shared_bytes)</code>, and a list of candidates in the right order for each knob.</details>
# <details><summary>Hint 2</summary><code>next((v for v in candidates if ...), None)</code>.</details>
# <details><summary>Hint 3</summary>Block sizes in order: <code>sorted(range(32, 1025, 32), key=lambda t: (abs(t - threads), t))</code>.</details>
# %% role="exercise" id="occupancy-cure" items="1.6.K2" minutes=14
def occupancy_cure(
    threads: int, registers: int, shared_bytes: int, target: float, arch: str
) -> dict:
    """The smallest change of each knob that brings a kernel to a theoretical occupancy.

    Args:
        threads: of a block, a multiple of 32, 32 to 1,024. registers: of a thread, 16 to 255. shared_bytes: of a block.
        target: occupancy to reach or exceed, above 0, at most 1.
        arch: a key of LIMITS; LIMITS[arch] has `warps` and `blocks` of an SM.

    Returns:
        limited_by: a list or tuple of the names that occupancy(threads, registers, shared_bytes, arch).limited_by has, in any order.
        registers: the highest cap that reaches the target: the given number, or a multiple of 8 from 16 up and below it.
        threads: the block size nearest to the given one that reaches it, a multiple of 32 from 32 to 1,024; the smaller of two
            equally near ones. Registers of a thread and shared_bytes of a block stay.
        shared_bytes: the most that reaches it: the given number, or a multiple of 128 from 0 up and below it.
        min_blocks: the fewest blocks of `threads` on an SM that reach it, for __launch_bounds__; whether registers or shared
            memory allow so many does not matter here.
        Each int, or None where that knob alone cannot do it (min_blocks: if an SM has too few warps or blocks). A knob at which nothing need be
        changed keeps its given value.

    Raises:
        ValueError: the target is not above 0 and at most 1.

    >>> occupancy_cure(512, 40, 60000, 0.75, "sm_80")
    {'limited_by': ['shared'], 'registers': None, 'threads': 768, 'shared_bytes': 54912, 'min_blocks': 3}
    """
    ### BEGIN SOLUTION
    if not 0 < target <= 1:
        raise ValueError("the target is above 0 and at most 1")

    def reaches(t, r, s):
        return occupancy(t, r, s, arch).share >= target

    caps = [registers, *(r for r in range(248, 15, -8) if r < registers)]
    sizes = sorted(range(32, 1025, 32), key=lambda t: (abs(t - threads), t))
    tiles = [shared_bytes, *range((shared_bytes - 1) // 128 * 128, -1, -128)]
    sm, warps = LIMITS[arch], threads // 32
    blocks = math.ceil(target * sm.warps / warps)
    fits = blocks <= sm.blocks and blocks * warps <= sm.warps
    return {
        "limited_by": list(occupancy(threads, registers, shared_bytes, arch).limited_by),
        "registers": next((r for r in caps if reaches(threads, r, shared_bytes)), None),
        "threads": next((t for t in sizes if reaches(t, registers, shared_bytes)), None),
        "shared_bytes": next((s for s in tiles if reaches(threads, registers, s)), None),
        "min_blocks": blocks if fits else None,
    }
    ### END SOLUTION


# %% role="check" id="occupancy-cure" points=6
check("occupancy-cure", occupancy_cure)
# %% [markdown]
# **Predict, then run.** A tile kernel: blocks of 256 threads, 64 registers, 60,000 bytes of shared memory, on sm_80. To what share of those bytes must the tile shrink for 50 % occupancy?
# %% role="predict" id="predict-tile"
my_tile_percent = ...  # of 60,000 bytes
# %%
tile_cure = occupancy_cure(256, 64, 60000, 0.5, "sm_80")
print(f"now {occupancy(256, 64, 60000, 'sm_80').share:.0%}: {tile_cure}")
reveal(my_tile_percent, 100 * (tile_cure["shared_bytes"] or 0) / 60000, unit="%")
# %% role="given" id="cure-knob"


def cure_by_target(target_pct=75, registers=96, arch="sm_80"):
    """Bars: registers a thread that each block size may use for a target."""
    caps = {}
    for size in (64, 128, 192, 256, 384, 512, 768, 1024):
        cap = occupancy_cure(size, registers, 0, target_pct / 100, arch)["registers"]
        caps[f"{size} threads"] = cap or 0
    title = f"{arch}: registers a thread for {target_pct} % occupancy (0: out of reach)"
    said = ", ".join(f"{size}: {cap}" for size, cap in caps.items())
    return bars(caps, unit="registers", title=title), f"{title}, at most {registers}. {said}."


explore(
    cure_by_target,
    target_pct=[75, 25, 50, 100],
    registers=[96, 32, 40, 64, 128, 255],
    arch=["sm_80", "sm_86", "sm_90"],
)
# %% [markdown] items="1.6.K2"
# **What you should see.** Each target has its price in registers: 75 % leaves most block sizes 40 a thread and 1,024 threads 32; 50 % leaves most 64, and 768 threads 40. On sm_86, with 48 warps, blocks of 1,024 threads never reach more than 67 %. What a cap takes away is spilled to memory.
# %% [markdown] items="1.6.K2"
# **Occupancy is not speed.** It buys time to wait in. A kernel with wide loads or much independent work needs little of it, and matrix kernels often run at a quarter: their registers hold the tile that saves the loads. Cure it only
# where ncu shows warps waiting for memory and no pipe busy.
# %% [markdown] items="1.6.K1 1.6.K2 1.6.K5"
# ## In your own words: a colleague's plan
#
# A service with an INT8 model answers in 20 ms. nsys shows kernels in 8 of the 20 ms, in many short runs with gaps of 50 microseconds. The longest kernel takes 3 ms; ncu says of it: occupancy 25 %, limited by registers; `op_imma` 0, `op_hmma`
# 1.2 million, of it `hfma2` 1.2 million. The plan: "cap the registers, double the occupancy, and we are at 10 ms".
#
# In 130 to 220 words: what is the most that the plan can gain, what do the counters say, and what would you do, in which order, with which command each?
# %% [markdown] role="written" id="nsight-plan" items="1.6.K1 1.6.K2 1.6.K5" points=3
# **Model answer.** The kernel is 3 of 20 ms. Even if it took no time at all, 17 ms would be left (factor 1.18); doubling its speed gives 18.5. Ten is out of reach for this plan, and twice the occupancy does not promise twice
# the speed: capped registers may spill.
#
# The GPU idles 12 of 20 ms: the gaps come first. `nsys profile --trace=cuda,nvtx,osrt` with ranges around the steps shows what the CPU does in them: many launches, a synchronisation such as `.item()`, copies. Cures: remove the waits, CUDA graphs,
# fusion. Then the timeline again.
#
# Second, the kernel: imma is 0, and all of hmma is hfma2: no matrix instruction ran, neither INT8 nor FP16. The "INT8" GEMM is computed on ordinary pipes. Look for the reason (shapes that need padding, layout, a fallback in the library):
# `ncu --kernel-name=... --launch-count=1 --section=ComputeWorkloadAnalysis --section=Occupancy`. On tensor cores it may gain several times; and that kernel will have other registers, so that occupancy is to be looked at last.
#
# **Rubric.** 1 point: the bound of the plan from 3 of 20 ms (Amdahl), and gaps first, with nsys. 1 point: no matrix instruction ran, hfma2 understood. 1 point: an order with commands, occupancy last or with its price (spills).
# %% [markdown]
# ## Recap
#
# - nsys: where does the time go, in the whole process. ncu: why is this kernel slow. First the one, then the other.
# - A command line is a specification: nsys options have values, ncu switches have none; sections one by one, metrics with commas; anchor the regex.
# - An export is a database: ns, names as numbers, tables only where there is something. Kernels belong to the range that *launched* them.
# - Busy is a union. n/a is not 0. A unit stands beside each number.
# - IMMA or HMMA above 0, hfma2 subtracted, says that tensor cores multiplied matrices.
# - Occupancy: the lowest limit is the cause; each cure has a price, and none promises speed.
#
# **Three questions**
#
# <details><summary>1. ncu reports 90 microseconds for a kernel, nsys 40. Which is right?</summary>Both measured something: ncu locks the clocks to base and flushes caches between passes, by default. For the program's
# time believe nsys; for comparing two versions of a kernel ncu's conditions are steadier.</details>
# <details><summary>2. The sum of kernel times is 130 % of the wall time. An error?</summary>No: kernels of several streams overlap. The union is at most 100 %.</details>
# <details><summary>3. Your ncu run shows no kernels. Name three reasons.</summary>The kernels run in a child process (--target-processes), the name filter matches nothing (an exact name, or the wrong base), --launch-skip is
# larger than the number of matching launches.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - NVIDIA, *Nsight Systems User Guide*: "CLI Profile Command Switch Options"; and its "SQLite Export Schema Reference", with queries that do what you did.
# - NVIDIA, *Nsight Compute CLI*: the option tables, and "Nvprof Transition Guide" for old metric names.
# - NVIDIA, *Nsight Compute Profiling Guide*: "Metrics Structure" explains how a name is built, "Replay" what the passes do to your kernel.
# - Vasily Volkov, *Better Performance at Lower Occupancy*, GTC 2010.
#
# **Next:** what lies between the kernels: launch overhead, graphs, fusion.
# %%
# Your result.
for name in ("fetch", "matmul", "quantize", "dequantize"):
    print(
        f"{name:10} {recorded_times[name][1] / recorded_times['step'][1]:6.1%} of the recorded steps"
    )
print(f"The tile for 50 % occupancy: {tile_cure['shared_bytes']:,} bytes instead of 60,000")
recorded.close()
