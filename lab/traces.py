"""Traces in the Trace Event Format: record them with torch.profiler, read, write and draw them.

The format is that of Chrome's trace viewer and of Perfetto: a JSON object whose "traceEvents" is a list
of events; `ts` and `dur` are microseconds, whatever "displayTimeUnit" says.
"""

import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from lab.errors import CourseError
from lab.palette import OKABE_ITO
from lab.paths import repo_root
from lab.plots import INK, figure

HOST_ROWS = 5
# The categories that torch.profiler writes, with the colour and the hatch of their bars.
STYLES = {
    "user_annotation": (OKABE_ITO["sky"], ""),
    "cpu_op": (OKABE_ITO["blue"], ""),
    "cuda_runtime": (OKABE_ITO["purple"], "xx"),
    "kernel": (OKABE_ITO["green"], ""),
    "gpu_memcpy": (OKABE_ITO["orange"], "//"),
}
DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")


class Recording(NamedTuple):
    """trace: the Trace Event Format as a dict. averages: torch.profiler's own table, for each name
    (calls, self CPU time in us, total CPU time in us)."""

    trace: dict
    averages: dict[str, tuple[int, float, float]]


def traces_dir() -> Path:
    """The folder of the recorded traces that ship with the course."""
    return repo_root() / "data" / "traces"


def shipped_traces() -> dict[str, Path]:
    """The recorded traces by their letter, in order.

    Raises:
        CourseError: the folder is missing or empty.
    """
    found = {path.name.split(".")[0]: path for path in sorted(traces_dir().glob("*.json.gz"))}
    if not found:
        raise CourseError(
            f"{traces_dir()} holds no traces: restore it from the repository, "
            "or record it with `python -m data.record_traces`."
        )
    return found


def gpu_traces() -> dict[str, Path]:
    """Traces that `python -m data.record_traces --gpu` left in ci/reports/; {} where there are none."""
    folder = repo_root() / "ci" / "reports"
    return {path.name.split(".")[0]: path for path in sorted(folder.glob("*.trace.json.gz"))}


def read_trace(path: str | Path) -> dict:
    """A trace from a .json or .json.gz file; a bare list of events becomes {"traceEvents": list}.

    Raises:
        CourseError: no such file, damaged, or no trace.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        trace = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (OSError, EOFError, ValueError, gzip.zlib.error) as error:
        raise CourseError(
            f"{path} cannot be read as a trace ({type(error).__name__}): "
            "export it again with `export_chrome_trace`."
        ) from error
    trace = {"traceEvents": trace} if isinstance(trace, list) else trace
    if not isinstance(trace, dict) or not isinstance(trace.get("traceEvents"), list):
        raise CourseError(f"{path} has no list of traceEvents: it is JSON, but no trace.")
    return trace


def write_trace(trace: dict, path: str | Path) -> int:
    """Write a trace as .json.gz, the same bytes for the same trace; returns the size in bytes."""
    data = json.dumps(trace, separators=(",", ":")).encode()
    packed = gzip.compress(data, 9, mtime=0)
    Path(path).write_bytes(packed)
    return len(packed)


def record(
    step: Callable[[], object], *, wait: int = 1, warmup: int = 1, active: int = 2
) -> Recording:
    """Profile `step()`: some calls unwatched, some watched and thrown away, some kept.

    Args:
        step: called wait + warmup + active times. On a CUDA machine the GPU's activities are recorded too.
        wait, warmup: 0 or more. active: 1 or more; each kept call lies in a "ProfilerStep#n" annotation.

    Raises:
        CourseError: a count outside its range.
    """
    if min(wait, warmup) < 0 or active < 1:
        raise CourseError("record needs wait >= 0, warmup >= 0 and active >= 1.")
    import torch
    from torch.profiler import ProfilerActivity, profile, schedule

    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    kept = []

    def keep(profiler: profile) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            profiler.export_chrome_trace(str(path))
            trace = read_trace(path)
        trace["traceName"] = trace["host_name"] = ""  # of the machine, not of the program
        rows = {
            row.key: (row.count, row.self_cpu_time_total, row.cpu_time_total)
            for row in profiler.key_averages()
        }
        kept.append(Recording(trace, rows))

    plan = schedule(wait=wait, warmup=warmup, active=active, repeat=1)
    with profile(activities=activities, schedule=plan, on_trace_ready=keep) as profiler:
        for _ in range(wait + warmup + active):
            step()
            if torch.cuda.is_available():
                torch.cuda.synchronize()  # or the last kernels of a step lie in the next
            profiler.step()
    return kept[0]


def draw_timeline(
    spans: Iterable[dict],
    begin_us: float,
    end_us: float,
    *,
    title: str = "",
    gaps: Iterable[tuple[float, float]] = (),
) -> Figure:
    """Bars over time: the first host thread, nested spans below their parents, then each device stream.

    Args:
        spans: dicts with name, cat, pid, tid, start_us and end_us.
        begin_us, end_us: the part to draw; bars are cut at its ends.
        gaps: idle time of the device, dotted red over the streams' rows.

    Raises:
        CourseError: nothing lies in that part, or it is empty.
    """
    inside = [s for s in spans if s["end_us"] > begin_us and s["start_us"] < end_us]
    if end_us <= begin_us or not inside:
        raise CourseError("There is nothing to draw between begin_us and end_us.")
    bars, labels = _rows(inside)
    fig, axes = figure(height_inch=1.4 + 0.34 * len(labels))
    ax, seen = axes[0, 0], set()
    for row, span in bars:
        start, end = max(span["start_us"], begin_us), min(span["end_us"], end_us)
        colour, hatch = STYLES.get(span["cat"], STYLES["gpu_memcpy"])
        kind = None if span["cat"] in seen else span["cat"]
        style = {"facecolor": (colour, 0.65), "hatch": hatch, "edgecolor": INK, "linewidth": 0.4}
        ax.barh(row, end - start, left=start, height=0.8, label=kind, **style)
        seen.add(span["cat"])
        room = int(75 * (end - start) / (end_us - begin_us))
        if room >= 4:
            name = span["name"].removeprefix("aten::")
            text = name if len(name) <= room else name[: room - 1] + "…"
            box = {"facecolor": (1, 1, 1, 0.7 if hatch else 0), "edgecolor": "none", "pad": 0.6}
            at = {"ha": "center", "va": "center", "fontsize": 7, "color": INK, "bbox": box}
            ax.text((start + end) / 2, row, text, **at)
    streams = sum(label.startswith("stream") for label in labels)
    red = OKABE_ITO["vermillion"]
    for number, (start, end) in enumerate(gaps):
        start, end = max(start, begin_us), min(end, end_us)
        style = {"facecolor": (red, 0.25), "hatch": "..", "edgecolor": red, "linewidth": 0}
        middle = len(labels) - (streams + 1) / 2
        label = None if number else "idle"
        ax.barh(middle, end - start, left=start, height=streams, label=label, **style)
    ax.set_yticks(range(len(labels)), labels, fontsize=8)
    ax.set(xlabel="time (us)", title=title, xlim=(begin_us, end_us))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(False, axis="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=6, fontsize=7)
    return fig


def _rows(spans: list[dict]) -> tuple[list[tuple[int, dict]], list[str]]:
    """(row, span) of what is drawn, and the label of each row."""
    host = [s for s in spans if s["cat"] in ("user_annotation", "cpu_op", "cuda_runtime")]
    threads = Counter((str(s["pid"]), str(s["tid"])) for s in host)
    main = threads.most_common(1)[0][0] if threads else None
    nested = _depths([s for s in host if (str(s["pid"]), str(s["tid"])) == main])
    bars = [(depth, span) for span, depth in nested if depth < HOST_ROWS]
    labels = [f"host, depth {d}" for d in range(1 + max((depth for depth, _ in bars), default=-1))]
    device = [s for s in spans if s["cat"] in DEVICE]
    for stream in sorted({(str(s["pid"]), str(s["tid"])) for s in device}):
        mine = [s for s in device if (str(s["pid"]), str(s["tid"])) == stream]
        bars += [(len(labels), span) for span in mine]
        labels.append(f"stream {stream[1]}")
    return bars, labels


def _depths(spans: list[dict]) -> list[tuple[dict, int]]:
    """Each span with the number of spans around it."""
    found, around = [], []
    for span in sorted(spans, key=lambda s: (s["start_us"], -s["end_us"])):
        while around and around[-1] <= span["start_us"]:
            around.pop()
        found.append((span, len(around)))
        around.append(span["end_us"])
    return found
