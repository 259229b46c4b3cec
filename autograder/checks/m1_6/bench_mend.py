"""bench-mend: a benchmark of an asynchronous device, on a device and a clock of the probe's.

The probe's device keeps two times: the host's, and when the device will be free. Every sample that the
text asks for follows from the durations alone.
"""

import numpy as np

from autograder.checks import case, expect

PARTS = {"the device's time": 0.5, "idle first": 0.3, "refuse": 0.2}
HINTS = (
    "Between the readings: `inner` submits and one wait, nothing else.",
    "Before the first reading of a sample: wait, whatever came before.",
    "Make inputs before you wait, not between the readings.",
)


def _case(rng, label, part, warmup, repeats, inner, **more):
    costs = {"launch_ns": 2_000, "input_ns": 0, "queued_ns": 0, "wait_ns": 0, "busy_ns": 0}
    count = max(warmup + repeats * inner, 1)
    calls = [int(ns) for ns in rng.integers(10_000, 90_000, count)]
    calls = [9 * ns for ns in calls[:warmup]] + calls[warmup:]  # a cold device is slow
    costs |= more
    if costs.pop("short", False):
        calls = [ns // 1_000 for ns in calls]  # the host's launches take longer than the work
    return case(label, part, calls_ns=calls, warmup=warmup, repeats=repeats, inner=inner, **costs)


def cases(rng):
    part = "the device's time"
    yield _case(rng, "five samples of one call", part, 3, 5, 1)
    yield _case(rng, "samples of four calls", part, 2, 3, 4)
    yield _case(rng, "one sample", part, 1, 1, 1)
    yield _case(rng, "launches longer than the work", part, 2, 3, 5, short=True)
    yield _case(rng, "a wait that costs time", part, 2, 4, 8, wait_ns=700)
    yield _case(rng, "inputs that take time", part, 2, 4, 3, input_ns=250_000)
    yield _case(rng, "default arguments", part, 3, 10, 1, default=True)
    part = "idle first"
    yield _case(rng, "no warm-up", part, 0, 4, 2)
    yield _case(rng, "a device with earlier work", part, 0, 3, 2, busy_ns=5_000_000)
    yield _case(rng, "inputs copied to the device", part, 2, 4, 2, queued_ns=400_000)
    yield _case(rng, "copied inputs, no warm-up", part, 0, 3, 1, queued_ns=3_000_000)
    for label, warmup, repeats, inner in (
        ("warmup -1", -1, 3, 1),
        ("0 repeats", 2, 0, 1),
        ("0 calls a sample", 2, 3, 0),
    ):
        yield _case(rng, label, "refuse", warmup, repeats, inner, refuse=True)


def probe(
    solution, calls_ns, warmup, repeats, inner, launch_ns, input_ns, queued_ns, wait_ns, busy_ns,
    default=False, refuse=False,
):  # fmt: skip
    host, free = [10**9], [10**9 + busy_ns]
    seen = {"launched": 0, "not by the device": 0, "other inputs": 0}
    inputs, inside = [], [False]

    def queue(ns):
        free[0] = max(free[0], host[0]) + ns

    class Device:
        def submit(self, fn, *args, **kwargs):
            host[0] += launch_ns
            inside[0] = True
            try:
                fn(*args, **kwargs)
            finally:
                inside[0] = False

        def synchronize(self):
            host[0] = max(host[0], free[0]) + wait_ns

    def work(x):
        ns = calls_ns[min(seen["launched"], len(calls_ns) - 1)]
        seen["launched"] += 1
        seen["other inputs"] += not any(x is own for own in inputs)
        if inside[0]:
            queue(ns)
        else:
            seen["not by the device"] += 1
            host[0] += ns

    def make_input():
        host[0] += input_ns
        if queued_ns:
            queue(queued_ns)
        inputs.append(object())
        return inputs[-1]

    given = {} if default else {"warmup": warmup, "repeats": repeats, "inner": inner}

    def call():
        return solution(Device(), work, make_input, lambda: host[0], **given)

    if refuse:
        return {**refusal(call), "launched": seen["launched"]}  # noqa: F821
    return {"samples": call(), **seen}


def samples_ns(case):
    """The right samples: a host that launches, a device that works in order and is idle at first."""
    calls, found = iter(case.calls_ns[case.warmup :]), []
    for _ in range(case.repeats):
        host = free = 0
        for _ in range(case.inner):
            host += case.launch_ns
            free = max(free, host) + next(calls)
        found.append((max(host, free) + case.wait_ns) / case.inner)
    return found


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        expect.integer(answer["launched"], 0, "calls submitted before the refusal")
        return
    want, got = samples_ns(case), answer["samples"]
    if isinstance(got, np.ndarray):  # as good as a list
        got = got.tolist()
    expect.that(isinstance(got, (list, tuple)), "Return the samples, a list.", stage="type",
                yours=expect.kind(got), right=f"a list of {len(want)} numbers")  # fmt: skip
    expect.that(len(got) == len(want), "Return a sample for each repeat.", stage="shape",
                yours=len(got), right=len(want))  # fmt: skip
    expect.integer(answer["not by the device"], 0, "calls that did not go through device.submit")
    expect.integer(answer["launched"], case.warmup + case.repeats * case.inner, "calls in all")
    expect.integer(answer["other inputs"], 0, "calls with an input that make_input did not give")
    for index, (value, right) in enumerate(zip(got, want, strict=True)):
        expect.number(value, right, f"sample {index}, ns")
    return
