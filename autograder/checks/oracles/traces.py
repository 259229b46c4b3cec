"""Traces cut at every edge: in each slice between two edges nothing changes, so its middle tells all.

No intervals are merged and no stack is kept, which is how the lesson's own functions work.
"""

import numpy as np

DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")
CALLS = ("cuda_runtime", "cuda_driver")


def read(trace: dict) -> list[dict]:
    """The spans of a trace: complete events, and B and E matched by counting depths."""
    events = [e for e in trace["traceEvents"] if e.get("ph") in ("X", "B", "E")]
    found = [(e, e.get("ts"), e["ts"] + e.get("dur", 0), {}) for e in events if e["ph"] == "X"]
    threads = {(repr(e["pid"]), repr(e["tid"])) for e in events}
    for thread in threads:
        edges = [e for e in events if e["ph"] != "X" and (repr(e["pid"]), repr(e["tid"])) == thread]
        edges.sort(key=lambda e: e["ts"])
        for at, begin in enumerate(edges):
            depth = 0
            for other in edges[at:] if begin["ph"] == "B" else ():
                depth += 1 if other["ph"] == "B" else -1
                if depth == 0:
                    found.append((begin, begin["ts"], other["ts"], other.get("args", {})))
                    break
    origin = min((start for _, start, _, _ in found), default=0.0)
    spans = [
        {"name": e.get("name", ""), "cat": e.get("cat", ""), "pid": e["pid"], "tid": e["tid"],
         "start_us": start - origin, "end_us": end - origin, "args": {**e.get("args", {}), **more}}
        for e, start, end, more in found
    ]  # fmt: skip
    return sorted(spans, key=lambda s: (s["start_us"], -s["end_us"]))


def slices(*groups) -> tuple[np.ndarray, np.ndarray]:
    """Middles and lengths of the slices between all edges of all intervals."""
    edges = np.unique(np.array([t for group in groups for pair in group for t in pair], float))
    return (edges[1:] + edges[:-1]) / 2, np.diff(edges)


def covered(intervals, middles: np.ndarray) -> np.ndarray:
    """For each middle: whether one of the intervals holds it."""
    pairs = np.array(intervals, float).reshape(-1, 2)
    begun = np.searchsorted(np.sort(pairs[:, 0]), middles)
    return begun > np.searchsorted(np.sort(pairs[:, 1]), middles)


def overlap(a, b) -> float:
    """Time in at least one interval of a and at least one of b."""
    middles, lengths = slices(a, b)
    return float(lengths[covered(a, middles) & covered(b, middles)].sum())


def union(a) -> float:
    """Time in at least one interval."""
    return overlap(a, a)


def gaps(intervals, begin: float, end: float, threshold: float) -> list[tuple[float, float]]:
    """Runs of uncovered slices in [begin, end], not empty and of at least `threshold`."""
    clipped = [(min(max(s, begin), end), min(max(e, begin), end)) for s, e in intervals]
    middles, lengths = slices(clipped, [(begin, end)])
    found, run = [], None
    for middle, length, busy in zip(middles, lengths, covered(clipped, middles), strict=True):
        if busy:
            run = None
        elif run is None:
            run = [middle - length / 2, middle + length / 2]
            found.append(run)
        else:
            run[1] = middle + length / 2
    return [(float(s), float(e)) for s, e in found if e - s >= threshold]


def by_name(spans: list[dict]) -> dict[str, dict]:
    """Calls, self time and total time of each name: the innermost span owns a slice of its thread."""
    out: dict[str, dict] = {}
    for span in spans:
        row = out.setdefault(span["name"], {"calls": 0, "self_us": 0.0, "total_us": 0.0})
        row["calls"] += 1
    for thread in {(repr(s["pid"]), repr(s["tid"])) for s in spans}:
        own = [s for s in spans if (repr(s["pid"]), repr(s["tid"])) == thread]
        starts = np.array([s["start_us"] for s in own])
        ends = np.array([s["end_us"] for s in own])
        names = np.array([s["name"] for s in own])
        # Innermost: begun last; of those the one that ends first; of equals the last of the list.
        rank = np.empty(len(own), int)
        rank[np.lexsort((np.arange(len(own)), -ends, starts))] = np.arange(len(own))
        middles, lengths = slices(list(zip(starts, ends, strict=True)))
        for middle, length in zip(middles, lengths, strict=True):
            inside = np.flatnonzero((starts < middle) & (middle < ends))
            if len(inside):
                owner = own[int(inside[np.argmax(rank[inside])])]["name"]
                out[owner]["self_us"] += float(length)
                for name in set(names[inside].tolist()):
                    out[name]["total_us"] += float(length)
    return out


def pairs(spans: list[dict]) -> list[tuple[float, float]]:
    """(start_us, end_us) of each."""
    return [(s["start_us"], s["end_us"]) for s in spans]


def call_of(spans: list[dict], operation: dict) -> dict | None:
    """The runtime call that issued a device operation, or None."""
    wanted = operation["args"].get("correlation")
    found = [s for s in spans if s["cat"] in CALLS and s["args"].get("correlation") == wanted]
    return found[0] if found and wanted is not None else None


def range_of(spans: list[dict], call: dict | None) -> str:
    """The innermost annotation around a call on its thread, "" for none."""
    best = None
    for span in spans if call else ():
        same = span["cat"] == "user_annotation" and (span["pid"], span["tid"]) == (
            call["pid"],
            call["tid"],
        )
        holds = same and span["start_us"] <= call["start_us"] and call["end_us"] <= span["end_us"]
        shortest = (
            best is None or span["end_us"] - span["start_us"] < best["end_us"] - best["start_us"]
        )
        best = span if holds and shortest else best
    return best["name"] if best else ""


def launches(spans: list[dict]) -> list[dict]:
    """Each device operation that a recorded call issued: delay, and idle time of its stream before it."""
    out = []
    for op in (s for s in spans if s["cat"] in DEVICE):
        call = call_of(spans, op)
        if call:
            before = [s["end_us"] for s in spans
                      if s["cat"] in DEVICE and (s["pid"], s["tid"]) == (op["pid"], op["tid"])
                      and s["start_us"] < op["start_us"]]  # fmt: skip
            idle = max(0.0, op["start_us"] - max(before)) if before else 0.0
            out.append(
                {"name": op["name"], "delay_us": op["start_us"] - call["start_us"], "idle_us": idle}
            )
    return out


def kernel_time_by_range(spans: list[dict]) -> dict[str, float]:
    """Kernel time of each annotation that launched it."""
    out: dict[str, float] = {}
    for op in (s for s in spans if s["cat"] == "kernel"):
        name = range_of(spans, call_of(spans, op))
        out[name] = out.get(name, 0.0) + op["end_us"] - op["start_us"]
    return out


def stalls(spans: list[dict]) -> dict[str, dict]:
    """Waiting calls by the operator around them: how many, how long, the idle time they left behind."""
    device = [s for s in spans if s["cat"] in DEVICE]
    out: dict[str, dict] = {}
    for call in (s for s in spans if s["cat"] in CALLS and "Synchronize" in s["name"]):
        around = [s for s in spans if s["cat"] == "cpu_op"
                  and (s["pid"], s["tid"]) == (call["pid"], call["tid"])
                  and s["start_us"] <= call["start_us"] and call["end_us"] <= s["end_us"]]  # fmt: skip
        name = max(around, key=lambda s: s["end_us"] - s["start_us"])["name"] if around else ""
        at = call["end_us"]
        running = any(s["start_us"] < at < s["end_us"] for s in device)
        before = [s["end_us"] for s in device if s["end_us"] <= at]
        after = [s["start_us"] for s in device if s["start_us"] >= at]
        idle = min(after) - max(before) if before and after and not running else 0.0
        row = out.setdefault(name, {"calls": 0, "wait_us": 0.0, "idle_us": 0.0})
        row["calls"] += 1
        row["wait_us"] += call["end_us"] - call["start_us"]
        row["idle_us"] += idle
    return out


def lost_shares(spans: list[dict]) -> dict[str, float]:
    """The share of the window that each cause takes; the definitions are the lesson's."""
    steps = [
        s for s in spans if s["cat"] == "user_annotation" and s["name"].startswith("ProfilerStep#")
    ]
    device = [s for s in spans if s["cat"] in DEVICE]
    begin = min(s["start_us"] for s in steps)
    end = max(s["end_us"] for s in steps + device)
    idle = gaps(pairs(device), begin, end, 5.0)
    loader = [
        s
        for s in spans
        if s["cat"] == "user_annotation" and s["name"].startswith("enumerate(DataLoader)")
    ]
    memory = [s for s in spans if s["cat"] in CALLS and s["name"] in ("cudaMalloc", "cudaFree")]
    waits = [s for s in spans if s["cat"] in CALLS and "Synchronize" in s["name"]]
    after = [any(w["start_us"] <= s <= w["end_us"] for w in waits) for s, _ in idle]
    kernels = pairs([s for s in device if s["cat"] == "kernel"])
    copies = pairs([s for s in device if s["cat"] == "gpu_memcpy"])
    named = {"data_loader": pairs(loader), "allocator": pairs(memory)}
    lost = {name: overlap(idle, group) for name, group in named.items()}
    for name, wanted in (("sync", True), ("launch", False)):
        mine = [gap for gap, waited in zip(idle, after, strict=True) if waited == wanted]
        lost[name] = union(mine) - sum(overlap(mine, group) for group in named.values())
    lost["copies"] = union(copies) - overlap(copies, kernels)
    ranges = kernel_time_by_range(spans)
    lost["qdq"] = ranges.get("quantize", 0.0) + ranges.get("dequantize", 0.0)
    return {name: value / (end - begin) for name, value in lost.items()}
