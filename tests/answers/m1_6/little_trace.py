"""Answers to little-trace."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(arrivals, departures, begin, end, checks="ldw"):
    if "l" in checks and len(arrivals) != len(departures):
        raise ValueError("lengths")
    if "w" in checks and end <= begin:
        raise ValueError("window")
    if "d" in checks and any(d < a for a, d in zip(arrivals, departures, strict=False)):
        raise ValueError("departure")


def _inside(a, d, begin, end):
    return max(0.0, min(d, end) - max(a, begin))


def _model(arrivals, departures, begin, end, *, checks="ldw", inside=_inside, window=None, arrives=None,
           leaves=None, stays=None, latency=None, empty=0.0):  # fmt: skip
    _refuse(arrivals, departures, begin, end, checks)
    pairs = list(zip(arrivals, departures, strict=False))
    length = window(pairs, begin, end) if window else end - begin
    came = [p for p in pairs if (arrives or (lambda a, d: begin <= a < end))(*p)]
    left = [p for p in pairs if (leaves or (lambda a, d: begin <= d < end))(*p)]
    chosen = came if stays is None else stays(pairs, came, left)
    times = [(latency or (lambda a, d: d - a))(a, d) for a, d in chosen]
    return {
        "in_system": sum(inside(a, d, begin, end) for a, d in pairs) / length,
        "arrivals_per_s": len(came) / length,
        "departures_per_s": len(left) / length,
        "latency_s": sum(times) / len(times) if times else empty,
    }


@right("numpy")
def by_numpy(arrivals_s, departures_s, begin_s, end_s):
    a, d = np.asarray(arrivals_s, dtype=float), np.asarray(departures_s, dtype=float)
    if a.shape != d.shape or not end_s > begin_s or (d < a).any():
        raise ValueError("bad trace")
    came = (a >= begin_s) & (a < end_s)
    overlap = np.clip(np.minimum(d, end_s) - np.maximum(a, begin_s), 0, None)
    return {
        "in_system": overlap.sum() / (end_s - begin_s),
        "arrivals_per_s": came.sum() / (end_s - begin_s),
        "departures_per_s": np.count_nonzero((d >= begin_s) & (d < end_s)) / (end_s - begin_s),
        "latency_s": (d - a)[came].mean() if came.any() else 0.0,
    }


@right("the area under the number inside")
def by_area(arrivals_s, departures_s, begin_s, end_s):
    _refuse(arrivals_s, departures_s, begin_s, end_s)
    marks = {begin_s, end_s}
    marks |= {t for t in [*arrivals_s, *departures_s] if begin_s < t < end_s}
    marks = sorted(marks)
    pairs = list(zip(arrivals_s, departures_s, strict=True))
    area = 0.0
    for low, high in zip(marks, marks[1:], strict=False):
        area += (high - low) * sum(a <= low and d >= high for a, d in pairs)
    found = _model(arrivals_s, departures_s, begin_s, end_s)
    return {**found, "in_system": area / (end_s - begin_s)}


@wrong("little-assumed", "You compute L as lambda W; over a window that cuts requests they differ.")
def assumed(arrivals_s, departures_s, begin_s, end_s):
    found = _model(arrivals_s, departures_s, begin_s, end_s)
    return {**found, "in_system": found["arrivals_per_s"] * found["latency_s"]}


@wrong("latency-from-little", "You compute W as L / lambda; average the stays.")
def latency_from_l(arrivals_s, departures_s, begin_s, end_s):
    found = _model(arrivals_s, departures_s, begin_s, end_s)
    rate = found["arrivals_per_s"]
    return {**found, "latency_s": found["in_system"] / rate if rate else 0.0}


@wrong("whole-stays", "Only the time inside the window counts for in_system.")
def whole_stays(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s,
                  inside=lambda a, d, b, e: d - a if min(d, e) > max(a, b) else 0.0)  # fmt: skip


@wrong("only-arrivals-inside", "Who came before the window is inside too, until it leaves.")
def only_arrivals(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s,
                  inside=lambda a, d, b, e: _inside(a, d, b, e) if b <= a < e else 0.0)  # fmt: skip


@wrong("only-complete", "A request that the window cuts is inside for a part of it.")
def only_complete(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s,
                  inside=lambda a, d, b, e: d - a if b <= a and d <= e else 0.0)  # fmt: skip


@wrong("negative-overlaps", "A request outside the window adds 0, not a negative time.")
def negative(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s,
                  inside=lambda a, d, b, e: min(d, e) - max(a, b))  # fmt: skip


@wrong("averaged-over-arrivals", "Average over time, not over what each arrival finds.")
def found_by_arrivals(arrivals_s, departures_s, begin_s, end_s):
    found = _model(arrivals_s, departures_s, begin_s, end_s)
    pairs = list(zip(arrivals_s, departures_s, strict=True))
    seen = [sum(x <= a < y for x, y in pairs) for a, _ in pairs if begin_s <= a < end_s]
    return {**found, "in_system": sum(seen) / len(seen) if seen else 0.0}


@wrong("window-of-the-trace", "Divide by the window's length, not by the trace's.")
def of_the_trace(arrivals_s, departures_s, begin_s, end_s):
    def span(pairs, begin, end):
        if not pairs:
            return end - begin
        return max(d for _, d in pairs) - min(a for a, _ in pairs) or 1.0

    return _model(arrivals_s, departures_s, begin_s, end_s, window=span)


@wrong(
    "end-counts-for-arrivals", "The window is half open: an arrival at end_s belongs to the next."
)
def end_counts(arrivals_s, departures_s, begin_s, end_s):
    return _model(
        arrivals_s, departures_s, begin_s, end_s, arrives=lambda a, d: begin_s <= a <= end_s
    )


@wrong(
    "end-counts-for-departures",
    "The window is half open: a departure at end_s belongs to the next.",
)
def end_counts_out(arrivals_s, departures_s, begin_s, end_s):
    return _model(
        arrivals_s, departures_s, begin_s, end_s, leaves=lambda a, d: begin_s <= d <= end_s
    )


@wrong("begin-left-out", "begin_s itself belongs to the window.")
def begin_left_out(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, arrives=lambda a, d: begin_s < a < end_s,
                  leaves=lambda a, d: begin_s < d < end_s)  # fmt: skip


@wrong("latency-of-departures", "latency_s: of the requests that arrive in the window.")
def by_departures(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, stays=lambda pairs, came, left: left)


@wrong("latency-of-all", "latency_s: only of the requests that arrive in the window.")
def of_all(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, stays=lambda pairs, came, left: pairs)


@wrong("latency-cut", "latency_s counts the whole stay, also after the window's end.")
def cut(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, latency=lambda a, d: min(d, end_s) - a)


@wrong("rates-swapped", "arrivals_per_s counts arrivals, departures_per_s departures.")
def swapped(arrivals_s, departures_s, begin_s, end_s):
    found = _model(arrivals_s, departures_s, begin_s, end_s)
    into, out = found["arrivals_per_s"], found["departures_per_s"]
    return {**found, "arrivals_per_s": out, "departures_per_s": into}


@wrong("counts-for-rates", "A rate is a count by the window's length.")
def counts(arrivals_s, departures_s, begin_s, end_s):
    found = _model(arrivals_s, departures_s, begin_s, end_s)
    length = end_s - begin_s
    rates = {key: found[key] * length for key in ("arrivals_per_s", "departures_per_s")}
    return {**found, **rates}


@wrong("nan-without-arrivals", "Where no request arrives, latency_s is 0.0.")
def nan_for_none(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, empty=float("nan"))


@wrong("lengths-not-checked", "Lists of different lengths must raise ValueError.")
def any_lengths(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, checks="dw")


@wrong("order-not-checked", "A departure before its arrival must raise ValueError.")
def any_order(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, checks="lw")


@wrong("window-not-checked", "A window that does not end after it begins must raise ValueError.")
def any_window(arrivals_s, departures_s, begin_s, end_s):
    return _model(arrivals_s, departures_s, begin_s, end_s, checks="ld",
                  window=lambda pairs, b, e: e - b or 1.0)  # fmt: skip


@wrong(
    "departures-without-begin",
    "A departure exactly at begin_s counts, one exactly at end_s does not.",
)
def open_departures(arrivals_s, departures_s, begin_s, end_s):
    return _model(
        arrivals_s, departures_s, begin_s, end_s, leaves=lambda a, d: begin_s < d <= end_s
    )


@wrong("order-of-sorted-times", "Compare each departure with the arrival of the same request.")
def sorted_order(arrivals_s, departures_s, begin_s, end_s):
    _refuse(sorted(arrivals_s), sorted(departures_s), begin_s, end_s)
    return _model(arrivals_s, departures_s, begin_s, end_s, checks="")


@wrong("order-inside-the-window", "All departures are checked, not those in the window alone.")
def order_inside(arrivals_s, departures_s, begin_s, end_s):
    _refuse(arrivals_s, departures_s, begin_s, end_s, "lw")
    if any(begin_s <= a < end_s and d < a for a, d in zip(arrivals_s, departures_s, strict=True)):
        raise ValueError("departure")
    return _model(arrivals_s, departures_s, begin_s, end_s, checks="")
