"""Drawn inputs for the checks on traces: nested spans of whole microseconds, and rows of a device."""

import contextlib
from collections.abc import Iterator

from autograder.checks.oracles import traces
from autograder.checks.spec import Wrong
from lab.trace_simulator import COMPUTE, HOST, LOADER, simulate_trace

DECOYS = ("loader", "cudaFree", "wait", "copy")
NAMES = ("aten::linear", "aten::mm", "aten::add", "aten::to", "step", "quantize")


def span(name, cat, pid, tid, start, end, **args) -> dict:
    """One span, as read_spans gives it."""
    return {"name": name, "cat": cat, "pid": pid, "tid": tid, "start_us": float(start),
            "end_us": float(end), "args": args}  # fmt: skip


def call(ident, start, end, name="cudaLaunchKernel", cat="cuda_runtime", tid=9, pid=9) -> dict:
    """A call of the host that what it launches names by `ident`."""
    return span(name, cat, pid, tid, start, end, correlation=ident)


def annotation(name, start, end, tid=9, cat="user_annotation", pid=9) -> dict:
    """A range that the program named."""
    return span(name, cat, pid, tid, start, end)


def nested(rng, pid, tid, begin: int, end: int, depth: int, names=NAMES) -> list[dict]:
    """A tree of spans in [begin, end]: siblings may touch, children may fill their parent, names recur."""
    out, at = [], begin
    while at < end and depth:
        start = at + int(rng.integers(0, 4))
        stop = min(end, start + 1 + int(rng.integers(0, max(2, (end - begin) // 2))))
        if start >= end:
            break
        out.append(span(str(rng.choice(names)), "cpu_op", pid, tid, start, stop))
        out += nested(rng, pid, tid, start, stop, depth - 1, names)
        at = stop
    return out


def in_order(spans: list[dict]) -> list[dict]:
    """Sorted as read_spans sorts; equal spans stay as they are, the outer first."""
    return sorted(spans, key=lambda s: (s["start_us"], -s["end_us"]))


def simulated(fault: str, seed: int, steps: int = 2) -> list[dict]:
    """The spans of a simulated trace."""
    return traces.read(simulate_trace(fault, seed, steps))


def intervals(rng, count: int, until: int, longest: int) -> list[list[float]]:
    """Drawn (start, end) of whole microseconds, some of no length."""
    starts = rng.integers(0, until, count)
    lengths = rng.integers(0, longest, count)
    return [[float(s), float(s + n)] for s, n in zip(starts, lengths, strict=True)]


def disguised(rng, spans: list[dict]) -> list[dict]:
    """The same trace without what the simulator alone would give away; what is lost hardly changes.

    All times are stretched, operators, layers and kernels have other names, and while the device works other
    threads load, free memory, wait and copy for long: by the lesson's definitions that costs nothing.
    """
    stretch = float(rng.uniform(0.9, 3.0))
    layer, op, kernel = (str(rng.integers(1000)) for _ in range(3))
    out = []
    for s in spans:
        name = s["name"]
        if s["cat"] == "cpu_op" or name.startswith("layer"):
            name = f"{op if s['cat'] == 'cpu_op' else layer}.{len(name)}"
        if s["cat"] == "kernel":
            name = f"kernel_{kernel}_{'quant' if rng.random() < 0.5 else 'gemm'}"
        times = {key: s[key] * stretch for key in ("start_us", "end_us")}
        out.append({**s, "name": name, **times})
    return in_order(out + _decoys(rng, out))


def _decoys(rng, spans: list[dict]) -> list[dict]:
    """Spans of other threads within the stretches in which the device is never idle for 5 us."""
    device = traces.pairs([s for s in spans if s["cat"] in traces.DEVICE])
    kernels = traces.pairs([s for s in spans if s["cat"] == "kernel"])
    begin, end = min(s for s, _ in kernels), max(e for _, e in kernels)
    idle = traces.gaps(device, begin, end, 5.0)
    edges = [begin, *(t for gap in idle for t in gap), end]
    out, number = [], int(rng.integers(4))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        room = (stop - start) / 4
        # A loader and an allocator never run at the same time: each has a quarter of its own.
        for quarter in range(4) if room > 2 else ():
            kind, at = DECOYS[(number + quarter) % 4], start + quarter * room
            a, b = at + 0.05 * room, at + 0.95 * room
            if kind == "loader":
                out.append(span(LOADER, "user_annotation", HOST, 4791, a, b))
            elif kind == "cudaFree":
                out.append(span("cudaFree", "cuda_runtime", HOST, 4792, a, b))
            elif kind == "wait":
                out.append(span("cudaStreamSynchronize", "cuda_runtime", HOST, 4793, a, b))
            else:
                hidden = [(max(a, s), min(b, e)) for s, e in kernels if min(b, e) - max(a, s) > 1]
                out += [span("Memcpy HtoD (Pageable -> Device)", "gpu_memcpy", 0, COMPUTE + 30, s, e,
                             stream=COMPUTE + 30) for s, e in hidden]  # fmt: skip
        number += 1
    return out


@contextlib.contextmanager
def shown(spans: list[dict], most: int = 8) -> Iterator[None]:
    """A finding on a few spans tells what they were, unless it tells a place already."""
    try:
        yield
    except Wrong as verdict:
        if not verdict.finding.where and 0 < len(spans) <= most:
            verdict.finding.where = "; ".join(
                f"{s['name']} {s['start_us']:g}-{s['end_us']:g} ({s['cat']}, {s['pid']}/{s['tid']})"
                for s in spans
            )
        raise
