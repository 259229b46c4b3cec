"""Timelines drawn for the checks on nsys exports, and what they hold, by brute force over the events."""

from lab.nsys_export import MARK, PUSH_POP, START_END, Launch, Range

NAMES = ("step", "quantize", "matmul", "dequantize", "attention", "mlp", "decode é", "copy")
KERNELS = ("gemm_int8", "quantize_rows", "softmax", "add", "dequantize")


def nested(rng, start, length, depth, names, thread=1, process=1, registered=None) -> list[Range]:
    """Push/pop ranges of one thread: one of `length` ns, and inside it, depth - 1 levels.

    Every start and every end is a number of its own, except that a range may start where its neighbour ends.
    """
    mode = bool(rng.integers(2)) if registered is None else registered
    name = names[int(rng.integers(len(names)))]
    found = [Range(name, start, start + length, PUSH_POP, thread, process, mode)]
    if depth > 1 and length > 40:
        at = start + int(rng.integers(1, 5))
        while True:
            inner = int(rng.integers(length // 8 + 2, length // 3 + 3))
            if at + inner >= start + length - 1:
                break
            found += nested(rng, at, inner, depth - 1, names, thread, process, registered)
            at += inner + int(rng.integers(0, 2)) * int(rng.integers(1, 20))
    return found


def drawn_ranges(rng, steps=3, threads=2, names=NAMES) -> list[Range]:
    """Several nested ranges on several threads, with marks, start/end ranges and one left open."""
    found = []
    for thread in range(1, threads + 1):
        at = 1000 + 7 * thread
        for _ in range(steps):
            length = int(rng.integers(300, 3000))
            found += nested(rng, at, length, 3, names, thread)
            at += length + int(rng.integers(1, 200))
    last = max(r.end_ns for r in found)
    found.append(Range("half way", 1500, None, MARK))
    found.append(Range("step", 1700, None, MARK, registered=False))
    found.append(Range("request", 900, last - 50, START_END))
    found.append(Range("request", 1200, last + 77, START_END, registered=False))
    found.append(Range("step", last + 100, None, PUSH_POP))
    rng.shuffle(found)
    return found


def range_times(ranges) -> dict[str, list[int]]:
    """name -> [count, total, self]: every range against every other one of its thread."""
    closed = [r for r in ranges if r.kind in (PUSH_POP, START_END) and r.end_ns is not None]
    found: dict[str, list[int]] = {}
    for r in closed:
        row = found.setdefault(r.name, [0, 0, 0])
        row[0] += 1
        row[1] += r.end_ns - r.start_ns
        row[2] += r.end_ns - r.start_ns - sum(c.end_ns - c.start_ns for c in _children(r, closed))
    return found


def _inside(inner, outer) -> bool:
    same = (inner.thread, inner.process) == (outer.thread, outer.process)
    both = inner.kind == outer.kind == PUSH_POP and inner is not outer
    return same and both and outer.start_ns <= inner.start_ns and inner.end_ns <= outer.end_ns


def _children(r, closed):
    inside = [c for c in closed if _inside(c, r)]
    return [c for c in inside if not any(_inside(c, other) for other in inside)]


def launches_in(rng, ranges, count, streams=1, process=1, first=1) -> list[Launch]:
    """Kernels launched at drawn times on the ranges' threads; each runs later, after its predecessor."""
    spans = [r for r in ranges if r.end_ns is not None and r.process == process]
    low, high = min(r.start_ns for r in spans), max(r.end_ns for r in spans)
    threads = sorted({r.thread for r in spans})
    calls = sorted(int(v) for v in rng.integers(low - 60, high + 60, count))
    edges = {e for r in spans for e in (r.start_ns, r.end_ns)}
    free, found = dict.fromkeys(range(streams), 0), []
    for number, call in enumerate(calls):
        while any(
            call <= edge <= call + 4 for edge in edges
        ):  # a call lies in a range or outside it
            call += 1
        stream = int(rng.integers(streams))
        start = max(free[stream], call + int(rng.integers(5, 400)))
        end = start + int(rng.integers(20, 500))
        free[stream] = end + int(rng.integers(0, 3))
        kernel = KERNELS[int(rng.integers(len(KERNELS)))]
        thread = threads[int(rng.integers(len(threads)))]
        found.append(Launch(kernel, (call, call + 4), (start, end), first + number, thread, process,
                            7 + stream))  # fmt: skip
    return found


def gpu_times(ranges, launches, recorded=lambda launch: True) -> dict[str, list[int]]:
    """name -> [kernels, GPU ns] by the place of the launching call; "" for calls outside all ranges."""
    found: dict[str, list[int]] = {}
    for one in launches:
        names = {
            r.name
            for r in ranges
            if r.kind == PUSH_POP and r.end_ns is not None and recorded(one)
            and (r.thread, r.process) == (one.thread, one.process)
            and r.start_ns <= one.call_ns[0] and one.call_ns[1] <= r.end_ns
        }  # fmt: skip
        for name in names or {""}:
            row = found.setdefault(name, [0, 0])
            row[0] += 1
            row[1] += one.run_ns[1] - one.run_ns[0]
    return found


def busy(launches, start_ns: int, end_ns: int) -> tuple[int, int, dict[str, int]]:
    """Busy ns, the longest gap, and ns by kernel, in a window: nanosecond by nanosecond."""
    line = bytearray(end_ns - start_ns)
    total: dict[str, int] = {}
    for one in launches:
        low, high = max(one.run_ns[0], start_ns), min(one.run_ns[1], end_ns)
        if low < high:
            line[low - start_ns : high - start_ns] = b"\1" * (high - low)
            total[one.kernel] = total.get(one.kernel, 0) + high - low
    return sum(line), max(map(len, bytes(line).split(b"\1"))), total
