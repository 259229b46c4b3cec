"""Drawn inputs for the checks on traces: nested spans of whole microseconds, and rows of a device."""

from autograder.checks.oracles import traces
from lab.trace_simulator import simulate_trace

NAMES = ("aten::linear", "aten::mm", "aten::add", "aten::to", "step", "quantize")


def span(name, cat, pid, tid, start, end, **args) -> dict:
    """One span, as read_spans gives it."""
    return {"name": name, "cat": cat, "pid": pid, "tid": tid, "start_us": float(start),
            "end_us": float(end), "args": args}  # fmt: skip


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
