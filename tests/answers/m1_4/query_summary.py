"""Answers to query-summary."""

import math
import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _length(query, stage):
    return query[f"end{stage}Ms"] - query[f"start{stage}Ms"]


def _rank(n, p):
    return max(n - 1 - n * (100 - p) // 100, 0)


def _times(
    values,
    percents,
    rank=_rank,
    median=statistics.median,
    mean=statistics.fmean,
    key=lambda p: f"p{p}",
):
    ordered = sorted(values)
    out = {"min": ordered[0], "max": ordered[-1], "mean": mean(values), "median": median(ordered)}
    out.update({key(p): ordered[rank(len(ordered), p)] for p in percents})
    return {name: float(value) for name, value in out.items()}


def _latency(query):
    return sum(_length(query, s) for s in ("H2d", "Compute", "D2h"))


def _answer(
    trace,
    warmup_ms,
    percents,
    *,
    first=None,
    latency=_latency,
    wall=None,
    qps=None,
    busy=None,
    check=True,
    **more,
):
    first = (
        first(trace, warmup_ms)
        if first
        else next((i for i, q in enumerate(trace) if q["startComputeMs"] >= warmup_ms), None)
    )
    if first is None or first >= len(trace) or (check and any(p < 0 or p > 100 for p in percents)):
        raise ValueError("nothing left, or a percent out of range")
    kept = trace[first:]
    compute = [_length(q, "Compute") for q in kept]
    wall_ms = wall(kept, trace) if wall else kept[-1]["endD2hMs"] - kept[0]["startH2dMs"]
    return {
        "warmup_queries": first,
        "queries": len(kept),
        "walltime_ms": wall_ms,
        "throughput_qps": qps(kept, wall_ms, trace) if qps else len(kept) / wall_ms * 1000,
        "gpu_busy": busy(kept, wall_ms) if busy else sum(compute) / wall_ms,
        "latency_ms": _times([latency(q) for q in kept], percents, **more),
        "compute_ms": _times(compute, percents, **more),
    }


@right("statistics module")
def plain(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents)


@right("numpy columns")
def columns(trace, warmup_ms, percents):
    if not trace or min([100, *percents]) < 0 or max([0, *percents]) > 100:
        raise ValueError("input")
    table = {key: np.array([q[key] for q in trace], float) for key in trace[0]}
    keep = np.flatnonzero(table["startComputeMs"] >= warmup_ms)
    if not keep.size:
        raise ValueError("all is warm-up")
    part = {key: values[keep[0] :] for key, values in table.items()}
    n = len(part["endD2hMs"])
    wall = part["endD2hMs"][-1] - part["startH2dMs"][0]
    compute = part["endComputeMs"] - part["startComputeMs"]
    latency = (
        compute + (part["endH2dMs"] - part["startH2dMs"]) + (part["endD2hMs"] - part["startD2hMs"])
    )

    def stats(values):
        ordered = np.sort(values)
        named = {f"p{p}": ordered[::-1][min((100 - p) * n // 100, n - 1)] for p in percents}
        return {
            "min": values.min(),
            "max": values.max(),
            "mean": values.mean(),
            "median": np.median(values),
            **named,
        }

    return {
        "warmup_queries": int(keep[0]),
        "queries": n,
        "walltime_ms": wall,
        "throughput_qps": n / (wall / 1e3),
        "gpu_busy": compute.sum() / wall,
        "latency_ms": stats(latency),
        "compute_ms": stats(compute),
    }


@wrong("compute-as-latency", "Latency is H2D + compute + D2H; you give the compute time alone.")
def compute_only(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, latency=lambda q: _length(q, "Compute"))


@wrong(
    "end-to-end-with-waiting",
    "You include the waiting between the stages: latency is the sum of the three lengths.",
)
def end_to_end(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, latency=lambda q: q["endD2hMs"] - q["startH2dMs"])


@wrong("enqueue-added", "The enqueue time is no part of latency.")
def with_enqueue(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, latency=lambda q: _latency(q) + _length(q, "Enq"))


@wrong("no-transfer-out", "You leave out the transfer to the host.")
def no_d2h(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, latency=lambda q: _length(q, "H2d") + _length(q, "Compute")
    )


@wrong("sum-of-percentiles", "Percentiles do not add up: take the percentile of the queries' sums.")
def summed(trace, warmup_ms, percents):
    out = _answer(trace, warmup_ms, percents)
    kept = trace[out["warmup_queries"] :]
    parts = [_times([_length(q, s) for q in kept], percents) for s in ("H2d", "Compute", "D2h")]
    out["latency_ms"] = {key: sum(part[key] for part in parts) for key in parts[0]}
    return out


@wrong("numpy-percentile", "np.percentile interpolates between values; trtexec takes one of them.")
def interpolated(trace, warmup_ms, percents):
    out = _answer(trace, warmup_ms, percents)
    kept = trace[out["warmup_queries"] :]
    for key, values in (
        ("latency_ms", [_latency(q) for q in kept]),
        ("compute_ms", [_length(q, "Compute") for q in kept]),
    ):
        for p in percents:
            out[key][f"p{p}"] = float(np.percentile(values, p))
    return out


@wrong(
    "float-rank",
    "(1 - p / 100) * n in floats falls below whole numbers: count n * (100 - p) // 100.",
)
def float_rank(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, rank=lambda n, p: max(n - 1 - int((1 - p / 100) * n), 0)
    )


@wrong(
    "rank-from-below",
    "You take the value at n p / 100; leave out the n (100 - p) / 100 largest and take the next.",
)
def from_below(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, rank=lambda n, p: min(n * p // 100, n - 1))


@wrong("rank-rounded-up", "The count left out is rounded down.")
def ceiled(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, rank=lambda n, p: max(n - 1 - math.ceil(n * (100 - p) / 100), 0)
    )


@wrong("rank-off-by-one", "You leave out one value too many.")
def off_by_one(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, rank=lambda n, p: max(n - 2 - n * (100 - p) // 100, 0)
    )


@wrong(
    "percentile-the-other-way", "Your p99 is the fastest hundredth: slow queries are at the top."
)
def other_way(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, rank=lambda n, p: _rank(n, 100 - p))


@wrong("lower-median", "The median of an even count is the mean of the middle two.")
def low_median(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, median=statistics.median_low)


@wrong(
    "upper-median",
    "The median of an even count is the mean of the middle two; you take the upper one.",
)
def high_median(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, median=lambda ordered: ordered[len(ordered) // 2])


@wrong("median-for-mean", "Your mean is the median.")
def no_mean(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, mean=statistics.median)


@wrong("warm-up-kept", "You leave the warm-up in.")
def kept(trace, warmup_ms, percents):
    return _answer(
        trace,
        warmup_ms,
        percents,
        first=lambda t, w: 0 if t and t[-1]["startComputeMs"] >= w else None,
    )


def _first(key, strict=False):
    return lambda t, w: next(
        (i for i, q in enumerate(t) if (q[key] > w if strict else q[key] >= w)), None
    )


@wrong(
    "warm-up-by-transfer",
    "The start of the kernels decides about the warm-up, not that of the transfer.",
)
def by_transfer(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, first=_first("startH2dMs"))


@wrong(
    "warm-up-by-enqueue",
    "The start of the kernels decides about the warm-up, not that of the enqueueing.",
)
def by_enqueue(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, first=_first("startEnqMs"))


@wrong(
    "warm-up-by-end",
    "A query whose kernels start in the warm-up belongs to it, whenever it ends: you ask when kernels end.",
)
def by_end(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, first=_first("endComputeMs"))


@wrong(
    "warm-up-strict", "A query that starts exactly at the end of the warm-up is timed: >=, not >."
)
def strict(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, first=_first("startComputeMs", True) if warmup_ms else None
    )


@wrong("wall-from-zero", "The walltime starts with the first timed transfer, not at 0.")
def from_zero(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, wall=lambda kept, trace: kept[-1]["endD2hMs"])


@wrong(
    "wall-is-sum-of-latencies",
    "Queries overlap: the walltime is shorter than the sum of their latencies.",
)
def sum_wall(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, wall=lambda kept, trace: sum(map(_latency, kept)))


@wrong(
    "wall-of-kernels",
    "The walltime runs to the end of the last transfer out, not of the last kernel.",
)
def kernel_wall(trace, warmup_ms, percents):
    return _answer(
        trace,
        warmup_ms,
        percents,
        wall=lambda kept, trace: kept[-1]["endComputeMs"] - kept[0]["startComputeMs"],
    )


@wrong(
    "throughput-from-latency",
    "Throughput is queries / walltime; 1000 / latency forgets that queries overlap.",
)
def from_latency(trace, warmup_ms, percents):
    return _answer(
        trace,
        warmup_ms,
        percents,
        qps=lambda kept, wall, trace: 1000 / statistics.fmean(map(_latency, kept)),
    )


@wrong("throughput-from-compute", "Throughput is queries / walltime, not 1000 / compute time.")
def from_compute(trace, warmup_ms, percents):
    return _answer(
        trace,
        warmup_ms,
        percents,
        qps=lambda kept, wall, trace: 1000 / statistics.fmean(_length(q, "Compute") for q in kept),
    )


@wrong("throughput-per-ms", "Throughput is queries a second; yours is queries a millisecond.")
def per_ms(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, qps=lambda kept, wall, trace: len(kept) / wall)


@wrong("throughput-with-warm-up", "You count the warm-up's queries in the throughput.")
def with_warm_up(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, qps=lambda kept, wall, trace: 1000 * len(trace) / wall
    )


@wrong("busy-with-transfers", "gpu_busy counts the kernels alone, not the transfers.")
def busy(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, busy=lambda kept, wall: sum(map(_latency, kept)) / wall
    )


@wrong("busy-in-percent", "gpu_busy is a fraction, not per cent.")
def percent(trace, warmup_ms, percents):
    return _answer(
        trace,
        warmup_ms,
        percents,
        busy=lambda kept, wall: 100 * sum(_length(q, "Compute") for q in kept) / wall,
    )


@wrong("keys-with-percent-signs", "The key of 90 is p90.")
def signs(trace, warmup_ms, percents):
    return _answer(trace, warmup_ms, percents, key=lambda p: f"{p}%")


@wrong("any-percent", "A percent outside 0 to 100 is refused.")
def any_percent(trace, warmup_ms, percents):
    return _answer(
        trace, warmup_ms, percents, check=False, rank=lambda n, p: min(_rank(n, p), n - 1)
    )


@wrong("all-warm-up-accepted", "If no query is left after the warm-up, raise ValueError.")
def empty(trace, warmup_ms, percents):
    if trace and all(q["startComputeMs"] < warmup_ms for q in trace):
        return _answer(trace, 0, percents)
    return _answer(trace, warmup_ms, percents)


@wrong(
    "wall-from-enqueue", "The walltime starts with the first transfer in, not with its enqueueing."
)
def wall_from_enqueue(trace, warmup_ms, percents):
    return _answer(
        trace,
        warmup_ms,
        percents,
        wall=lambda kept, _: kept[-1]["endD2hMs"] - kept[0]["startEnqMs"],
    )


@wrong("first-percent-tested", "You test the first percent alone; each must lie in 0 to 100.")
def first_tested(trace, warmup_ms, percents):
    if not 0 <= percents[0] <= 100:
        raise ValueError
    return any_percent(trace, warmup_ms, percents)


@wrong("last-percent-tested", "You test the last percent alone; each must lie in 0 to 100.")
def last_tested(trace, warmup_ms, percents):
    if not 0 <= percents[-1] <= 100:
        raise ValueError
    return any_percent(trace, warmup_ms, percents)


@right("NumPy's inverted_cdf")
def by_inverted_cdf(trace, warmup_ms, percents):
    def times(values):
        found = {"min": values.min(), "max": values.max(), "mean": values.mean()}
        found["median"] = np.median(values)
        return found | {f"p{p}": np.percentile(values, p, method="inverted_cdf") for p in percents}

    starts = np.array([q["startComputeMs"] for q in trace])
    if not (starts >= warmup_ms).any() or not all(0 <= p <= 100 for p in percents):
        raise ValueError("no query, or no percent")
    first = int(np.argmax(starts >= warmup_ms))
    kept = trace[first:]
    h2d, compute, d2h = (
        np.array([_length(q, stage) for q in kept]) for stage in ("H2d", "Compute", "D2h")
    )
    wall = kept[-1]["endD2hMs"] - kept[0]["startH2dMs"]
    return {
        "warmup_queries": first,
        "queries": len(kept),
        "walltime_ms": wall,
        "throughput_qps": len(kept) / (wall / 1000),
        "gpu_busy": compute.sum() / wall,
        "latency_ms": times(h2d + compute + d2h),
        "compute_ms": times(compute),
    }
