"""query-summary: trtexec's figures from a trace, in exact rational arithmetic where ranks are concerned."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks import case, expect
from lab.trtexec_log import simulate

PARTS = {"figures": 0.5, "percentiles": 0.3, "warm-up and refusals": 0.2}
HINTS = (
    "first = the index of the first query with startComputeMs >= warmup_ms; keep trace[first:]",
    "a query's latency is the sum of its own three lengths; then take statistics of these sums",
    "excluded = n * (100 - p) // 100, in whole numbers",
)
KEYS = (
    "warmup_queries",
    "queries",
    "walltime_ms",
    "throughput_qps",
    "gpu_busy",
    "latency_ms",
    "compute_ms",
)


def _trace(rng, count, jitter=0.3, h2d=None):
    shares = {
        "enqueue": 0.2,
        "h2d": h2d or float(rng.uniform(0.1, 0.9)),
        "compute": 1.0,
        "d2h": float(rng.uniform(0.1, 0.9)),
    }
    trace = simulate(rng, count, float(rng.uniform(0.4, 6)), shares, jitter)
    return [{key: round(float(value), 6) for key, value in query.items()} for query in trace]


def cases(rng):
    figures, percentiles, warm = PARTS
    for count in (1, 2, 7, 64, 201):
        yield case(
            f"{count} queries", figures, trace=_trace(rng, count), warmup_ms=0.0, percents=[90, 99]
        )
    trace = _trace(rng, 60)
    yield case("a pause in the middle", figures, trace=_pause(trace), warmup_ms=0.0, percents=[95])
    for count, percents in (
        (100, [90, 95, 99]),
        (10, [90, 50, 100]),
        (40, [0, 25, 75]),
        (1, [0, 50, 100]),
        (399, [99]),
    ):
        yield case(
            f"percentiles {percents} of {count}",
            percentiles,
            trace=_trace(rng, count),
            warmup_ms=0.0,
            percents=percents,
        )
    trace = _trace(rng, 80)
    middle = trace[20]["startComputeMs"]
    yield case(
        "warm-up ends between two queries",
        warm,
        trace=trace,
        warmup_ms=middle - 1e-3,
        percents=[90],
    )
    yield case(
        "warm-up ends with a kernel's start", warm, trace=trace, warmup_ms=middle, percents=[90]
    )
    # The transfer started within the warm-up, the kernels after it.
    edge = (trace[30]["startH2dMs"] + trace[30]["startComputeMs"]) / 2
    yield case("warm-up ends during a transfer", warm, trace=trace, warmup_ms=edge, percents=[90])
    kernel = (trace[40]["startComputeMs"] + trace[40]["endComputeMs"]) / 2
    yield case("warm-up ends during a kernel", warm, trace=trace, warmup_ms=kernel, percents=[90])
    # Transfers in queue up, so that they start well after the enqueueing.
    queued = _trace(rng, 60, h2d=3.0)
    ready = max(queued[20:40], key=lambda q: q["startH2dMs"] - q["startEnqMs"])["startComputeMs"]
    yield case("bound by the transfer in", warm, trace=queued, warmup_ms=ready, percents=[90])
    yield case("all is warm-up", warm, trace=trace, warmup_ms=1e9, percents=[90], good=False)
    yield case("no queries", warm, trace=[], warmup_ms=0.0, percents=[90], good=False)
    yield case("percent above 100", warm, trace=trace, warmup_ms=0.0, percents=[101], good=False)
    yield case("percent below 0", warm, trace=trace, warmup_ms=0.0, percents=[-1], good=False)
    for percents in ([50, 101, 90], [90, -1, 50]):
        yield case(
            f"one of the percents {percents}",
            warm,
            trace=trace,
            warmup_ms=0.0,
            percents=percents,
            good=False,
        )


def _pause(trace):
    return [
        {k: v + (50.0 if i >= len(trace) // 2 else 0.0) for k, v in q.items()}
        for i, q in enumerate(trace)
    ]


def probe(solution, trace, warmup_ms, percents, good=True):
    if not good:
        return refusal(lambda: solution(trace, warmup_ms, percents))  # noqa: F821
    return solution(trace, warmup_ms, percents)


def _times(values, percents):
    ordered = sorted(values)
    n = len(ordered)
    out = {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": math.fsum(values) / n,
        "median": float(np.median(ordered)),
    }
    for percent in percents:
        excluded = math.floor(Fraction(100 - percent, 100) * n)
        out[f"p{percent}"] = ordered[max(n - 1 - excluded, 0)]
    return out


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    answer = expect.mapping(answer, KEYS)
    first = next(i for i, q in enumerate(case.trace) if q["startComputeMs"] >= case.warmup_ms)
    kept = case.trace[first:]
    lengths = {
        n: [q[f"end{n}Ms"] - q[f"start{n}Ms"] for q in kept] for n in ("H2d", "Compute", "D2h")
    }
    latency = [sum(three) for three in zip(*lengths.values(), strict=True)]
    wall = kept[-1]["endD2hMs"] - kept[0]["startH2dMs"]
    expect.integer(
        answer["warmup_queries"],
        first,
        "warmup_queries",
        hint="A query is warm-up while its kernels start before warmup_ms.",
    )
    expect.integer(answer["queries"], len(kept), "queries")
    expect.number(
        answer["walltime_ms"],
        wall,
        "walltime_ms",
        rtol=1e-9,
        hint="From the start of the first kept transfer in to the end of the last transfer out.",
    )
    expect.number(answer["throughput_qps"], 1000 * len(kept) / wall, "throughput_qps", rtol=1e-9)
    expect.number(answer["gpu_busy"], math.fsum(lengths["Compute"]) / wall, "gpu_busy", rtol=1e-9)
    for key, values in (("latency_ms", latency), ("compute_ms", lengths["Compute"])):
        right = _times(values, case.percents)
        times = expect.mapping(answer[key], tuple(right))
        for name, value in right.items():
            expect.number(times[name], value, f"{key}[{name!r}]", rtol=1e-9, atol=1e-9)
