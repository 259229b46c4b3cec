"""Answers to batch-choice."""

import math
import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(measured, per_s, checks="ebtr"):
    if "e" in checks and not measured:
        raise ValueError("nothing")
    if "b" in checks and any(b < 1 for b in measured):
        raise ValueError("batch")
    if "t" in checks and any(not len(times) for times in measured.values()):
        raise ValueError("times")
    if "r" in checks and not per_s > 0:
        raise ValueError("rate")


def _p99(times):
    return sorted(times)[-(-99 * len(times) // 100) - 1]


def _model(measured, per_s, limit, *, checks="ebtr", centre=statistics.median, tail=_p99, wait=None,
           stable=lambda c, r: c > r, within=lambda x, limit: x <= limit, best=None, rate=None):  # fmt: skip
    _refuse(measured, per_s, checks)
    allowed = []
    for b, times in measured.items():
        if not len(times):
            continue
        capacity = rate(b, times) if rate else 1000 * b / centre(times)
        filling = wait(b, per_s) if wait else 1000 * (b - 1) / per_s
        latency = filling + tail(times)
        if stable(capacity, per_s) and within(latency, limit):
            allowed.append((b, float(latency), float(capacity)))
    if not allowed:
        return None
    return (best or (lambda rows: max(rows, key=lambda r: (r[2], -r[0]))))(allowed)


@right("all allowed ones, then the largest capacity")
def by_max(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms)


@right("numpy, from small to large")
def by_numpy(measured_ms, per_s, limit_ms):
    if len(measured_ms) == 0 or per_s <= 0 or min(measured_ms) < 1:
        raise ValueError("bad input")
    best, capacity = None, 0.0
    for b, times in sorted(measured_ms.items()):
        if len(times) == 0:
            raise ValueError("no times")
        ordered = np.sort(times)
        here = 1e3 * b / np.median(ordered)
        latency = ordered[math.ceil(99 * len(ordered) / 100) - 1] + (b - 1) / per_s * 1e3
        if here > max(capacity, per_s) and latency <= limit_ms:
            best, capacity = [b, latency, here], here
    return best


@wrong(
    "no-wait-to-fill",
    "The first request of a batch waits for b - 1 others: add that to the latency.",
)
def no_wait(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, wait=lambda b, r: 0.0)


@wrong("wait-for-b", "The first request waits for b - 1 others, not for b.")
def wait_b(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, wait=lambda b, r: 1000 * b / r)


@wrong("mean-wait", "The limit is for the first request of a batch, which waits longest.")
def mean_wait(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, wait=lambda b, r: 500 * (b - 1) / r)


@wrong("wait-in-seconds", "The wait is in ms: 1000 * (b - 1) / per_s.")
def wait_seconds(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, wait=lambda b, r: (b - 1) / r)


@wrong("median-for-p99", "The latency takes the P99 of the times, not their median.")
def median_tail(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, tail=statistics.median)


@wrong("maximum-for-p99", "P99 of 100 times is the one of rank 99, not the largest.")
def largest(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, tail=max)


@wrong("interpolated-p99", "np.percentile interpolates; nearest rank returns a measured time.")
def interpolated(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, tail=lambda times: np.percentile(times, 99))


@wrong("mean-for-median", "The capacity takes the median of the times, not their mean.")
def mean(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, centre=statistics.fmean)


@wrong("median-low", "The median of an even count is the mean of the two in the middle.")
def median_low(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, centre=statistics.median_low)


@wrong("not-stable", "A batch that does not keep up with the arrivals is not allowed.")
def not_stable(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, stable=lambda c, r: True)


@wrong("stable-when-equal", "The capacity must exceed the arrivals; equal is not enough.")
def stable_equal(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, stable=lambda c, r: c >= r)


@wrong("limit-not-reached", "A latency equal to the limit is allowed.")
def below_limit(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, within=lambda x, limit: x < limit)


@wrong("limit-ignored", "The latency must not exceed the limit.")
def no_limit(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, within=lambda x, limit: True)


@wrong(
    "first-of-equals", "Of equal capacities take the smaller batch, whatever the order of the dict."
)
def first_of_equals(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, best=lambda rows: max(rows, key=lambda r: r[2]))


@wrong("largest-batch", "Take the highest capacity, which is not always the largest batch.")
def largest_batch(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, best=max)


@wrong("smallest-latency", "Take the highest capacity, not the lowest latency.")
def lowest(measured_ms, per_s, limit_ms):
    return _model(
        measured_ms, per_s, limit_ms, best=lambda rows: min(rows, key=lambda r: (r[1], r[0]))
    )


@wrong("larger-of-equals", "Of equal capacities take the smaller batch.")
def larger(measured_ms, per_s, limit_ms):
    return _model(
        measured_ms, per_s, limit_ms, best=lambda rows: max(rows, key=lambda r: (r[2], r[0]))
    )


@wrong(
    "first-of-equals", "Of equal capacities take the smaller batch, whatever the order of the dict."
)
def first(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, best=lambda rows: max(rows, key=lambda r: r[2]))


@wrong("best-then-limit", "Look for the highest capacity among the allowed batches, not before.")
def best_first(measured_ms, per_s, limit_ms):
    _refuse(measured_ms, per_s)
    top = max(sorted(measured_ms), key=lambda b: b / statistics.median(measured_ms[b]))
    return _model({top: measured_ms[top]}, per_s, limit_ms)


@wrong("batches-a-second", "The capacity counts requests: b for each batch.")
def batches(measured_ms, per_s, limit_ms):
    return _model(
        measured_ms, per_s, limit_ms, rate=lambda b, times: 1000 / statistics.median(times)
    )


@wrong("a-default-for-none", "Where no batch is allowed, return None.")
def default(measured_ms, per_s, limit_ms):
    found = _model(measured_ms, per_s, limit_ms)
    b = min(measured_ms)
    return found or (b, float(_p99(measured_ms[b])), 1000 * b / statistics.median(measured_ms[b]))


@wrong("nothing-accepted", "No measurements must raise ValueError.")
def nothing(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, checks="btr")


@wrong("batch-not-checked", "A batch size below 1 must raise ValueError.")
def any_batch(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, checks="etr")


@wrong("times-not-checked", "A batch size without times must raise ValueError.")
def no_times(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, checks="ebr")


@wrong("rate-not-checked", "An arrival rate that is not above 0 must raise ValueError.")
def any_rate(measured_ms, per_s, limit_ms):
    return _model(
        measured_ms, per_s, limit_ms, checks="ebt", wait=lambda b, r: 1000 * (b - 1) / (r or 1)
    )


@wrong("sizes-sorted-as-text", "Batch sizes are numbers: 2 comes before 16.")
def text_order(measured_ms, per_s, limit_ms):
    return _model(
        measured_ms, per_s, limit_ms, best=lambda rows: min(rows, key=lambda r: (-r[2], str(r[0])))
    )


@wrong(
    "second-largest-for-p99",
    "The rank is ceil(99 n / 100): the second largest only for n from 101 to 200.",
)
def second(measured_ms, per_s, limit_ms):
    return _model(measured_ms, per_s, limit_ms, tail=lambda t: sorted(t)[-2 if len(t) > 99 else -1])
