"""Answers to bench-mend."""

import time

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(warmup, repeats, inner):
    if warmup < 0 or repeats < 1 or inner < 1:
        raise ValueError("bad counts")


def _model(device, work, make_input, clock_ns, warmup, repeats, inner, *, refuse=True, fresh="once",
           before=True, after="sample", divide=True, extra=0, result=None):  # fmt: skip
    """fresh: when inputs are made (once, sample, call). before: whether to wait before a sample. after: the
    wait (sample, call, none, late: after the clock is read)."""
    if refuse:
        _refuse(warmup, repeats, inner)
    x = make_input()
    for _ in range(warmup + extra):
        device.submit(work, x)
    samples = []
    for _ in range(repeats):
        if before:
            device.synchronize()
        if fresh == "sample":
            x = make_input()
        start = clock_ns()
        for _ in range(inner):
            device.submit(work, make_input() if fresh == "call" else x)
            if after == "call":
                device.synchronize()
        if after == "sample":
            device.synchronize()
        taken = clock_ns() - start
        if after == "late":
            device.synchronize()
        samples.append(taken / inner if divide else taken)
    return result(samples) if result else samples


@right("an input for each sample, a wait before each reading")
def input_each(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    _refuse(warmup, repeats, inner)
    for _ in range(warmup):
        device.submit(work, make_input())
    found = np.empty(repeats)
    for i in range(repeats):
        x = make_input()
        device.synchronize()
        begin = clock_ns()
        for _ in range(inner):
            device.submit(lambda x=x: work(x))
        device.synchronize()
        end = clock_ns()
        found[i] = (end - begin) / inner
    return found


@right("readings first, differences later")
def readings(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    _refuse(warmup, repeats, inner)
    inputs = [make_input() for _ in range(inner)]
    for k in range(warmup):
        device.submit(work, inputs[k % inner])
    device.synchronize()
    times = [clock_ns()]
    for _ in range(repeats):
        for x in inputs:
            device.submit(work, x)
        device.synchronize()
        times.append(clock_ns())
    return [(b - a) / inner for a, b in zip(times, times[1:], strict=False)]


@wrong("launch-only", "Nobody waits before the second reading: you time the launch, not the work.")
def launch_only(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, after="none")


@wrong(
    "wait-after-reading", "The clock is read before the wait: you time the launch, not the work."
)
def late_wait(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, after="late")


@wrong(
    "no-wait-before", "Earlier work is still queued when the first clock starts: wait before it."
)
def no_wait_before(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, before=False)


@wrong(
    "wait-each-call", "One wait a sample, after its last call: you forbid the device to run ahead."
)
def wait_each(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, after="call")


@wrong("inputs-timed", "Inputs are made between the readings.")
def inputs_timed(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, fresh="call")


@wrong("input-after-wait", "make_input may queue work of its own: wait after it, not before.")
def input_after(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, fresh="sample")


@wrong("no-warm-up", "The first calls are timed: the warm-up is missing.")
def no_warm_up(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    _refuse(warmup, repeats, inner)
    return _model(device, work, make_input, clock_ns, 0, repeats, inner)


@wrong("warm-up-twice", "More warm-up calls than asked for.")
def warm_twice(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, extra=warmup)


@wrong("not-divided", "A sample is the time of one call: divide by inner.")
def not_divided(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, divide=False)


@wrong("divided-by-repeats", "Divide each difference by inner, not by repeats.")
def by_repeats(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, divide=False,
                  result=lambda samples: [s / repeats for s in samples])  # fmt: skip


@wrong("mean-only", "Return every sample: a mean alone hides the spread.")
def mean_only(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner,
                  result=lambda samples: sum(samples) / len(samples))  # fmt: skip


@wrong("sorted", "Return the samples in the order in which they were taken.")
def in_order_of_size(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, result=sorted)


@wrong("milliseconds", "Your samples are in milliseconds; nanoseconds are asked for.")
def milliseconds(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner,
                  result=lambda samples: [s / 1e6 for s in samples])  # fmt: skip


@wrong("without-the-device", "You call work yourself; only device.submit may.")
def direct(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    class Host:
        submit = staticmethod(lambda fn, *args: fn(*args))
        synchronize = staticmethod(device.synchronize)

    return _model(Host, work, make_input, clock_ns, warmup, repeats, inner)


@wrong("other-clock", "Read the clock that is handed in.", diagnose=False)
def other_clock(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, time.perf_counter_ns, warmup, repeats, inner)


@wrong("one-long-sample", "You time all calls at once: each sample has two readings of its own.")
def one_long(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    long = _model(device, work, make_input, clock_ns, warmup, 1, repeats * inner)
    _refuse(warmup, repeats, inner)
    return long * repeats


@wrong("counts-not-checked", "warmup below 0, repeats or inner below 1 must raise ValueError.")
def any_counts(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    return _model(device, work, make_input, clock_ns, warmup, repeats, inner, refuse=False)


@wrong("refused-after-warm-up", "Refuse bad counts before anything is submitted.")
def late_refusal(device, work, make_input, clock_ns, warmup=3, repeats=10, inner=1):
    x = make_input()
    device.submit(work, x)
    _refuse(warmup, repeats, inner)
    return _model(device, work, lambda: x, clock_ns, warmup - 1 if warmup else 0, repeats, inner)
