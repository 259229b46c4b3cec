"""Answers to launch-queue."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(launch_us, kernel_us, depth, lengths=True, negative=True, places=True):
    if lengths and len(launch_us) != len(kernel_us):
        raise ValueError("lengths")
    if negative and any(t < 0 for t in (*launch_us, *kernel_us)):
        raise ValueError("negative")
    if places and depth < 1:
        raise ValueError("depth")


def _answer(launch_us, kernel_us, depth, *, slot=0, checks=None, bounded=True, start=max):
    _refuse(launch_us, kernel_us, depth, **(checks or {}))
    host, waited, starts, ends = 0.0, 0.0, [], []
    for index, (launch, kernel) in enumerate(zip(launch_us, kernel_us, strict=False)):
        place = index - depth + slot
        free = ends[place] if bounded and 0 <= place < len(ends) else 0.0
        waited += max(0.0, free - host)
        host = max(host, free) + launch
        starts.append(start(host, ends[-1] if ends else 0.0))
        ends.append(starts[-1] + kernel)
    total = ends[-1] if ends else 0.0
    return {
        "total_us": total,
        "host_wait_us": waited,
        "device_idle_us": total - sum(kernel_us),
    }


@right("two clocks")
def two_clocks(launch_us, kernel_us, depth=1024):
    return _answer(launch_us, kernel_us, depth)


@right("arrays, gap by gap")
def by_gaps(launch_us, kernel_us, depth=1024):
    if len(launch_us) != len(kernel_us) or depth <= 0:
        raise ValueError("bad")
    if len(launch_us) and min(np.min(launch_us), np.min(kernel_us)) < 0:
        raise ValueError("bad")
    count = len(launch_us)
    launched, begun, ended = np.zeros(count), np.zeros(count), np.zeros(count)
    wait = idle = 0.0
    for i in range(count):
        before = launched[i - 1] if i else 0.0
        free = ended[i - depth] if i - depth >= 0 else 0.0
        wait += max(free - before, 0.0)
        launched[i] = max(before, free) + launch_us[i]
        last = ended[i - 1] if i else 0.0
        begun[i] = max(launched[i], last)
        idle += begun[i] - last
        ended[i] = begun[i] + kernel_us[i]
    return {
        "device_idle_us": np.float64(idle),
        "host_wait_us": wait,
        "total_us": float(ended.max(initial=0.0)),
    }


@right("microsecond by quarter microsecond")
def ticking(launch_us, kernel_us, depth=1024):
    _refuse(launch_us, kernel_us, depth)
    n, launched, ended, wait = len(launch_us), [], [], 0.0
    while len(ended) < n:
        while len(launched) < min(n, len(ended) + depth):
            i = len(launched)
            before = launched[-1] if launched else 0.0
            begin = max(before, ended[i - depth]) if i >= depth else before
            wait += begin - before
            launched.append(begin + launch_us[i])
        i = len(ended)
        ended.append(max(launched[i], ended[-1] if ended else 0.0) + kernel_us[i])
    total = max(ended, default=0.0)
    return dict(total_us=total, host_wait_us=wait, device_idle_us=total - sum(kernel_us))


@wrong("sum-of-all", "The host launches while the device works: the times overlap.")
def added(launch_us, kernel_us, depth=1024):
    _refuse(launch_us, kernel_us, depth)
    total = float(sum(launch_us) + sum(kernel_us))
    return {"total_us": total, "host_wait_us": 0.0, "device_idle_us": float(sum(launch_us))}


@wrong("larger-of-the-sums", "The first launch and the last kernel have nothing to hide behind.")
def larger(launch_us, kernel_us, depth=1024):
    _refuse(launch_us, kernel_us, depth)
    total = float(max(sum(launch_us), sum(kernel_us)))
    return {"total_us": total, "host_wait_us": 0.0, "device_idle_us": total - sum(kernel_us)}


@wrong("queue-without-end", "The queue holds `depth` kernels; the host waits when it is full.")
def unbounded(launch_us, kernel_us, depth=1024):
    return _answer(launch_us, kernel_us, depth, bounded=False)


@wrong("one-place-more", "Launch i waits for kernel i - depth, not for the one before it.")
def roomy(launch_us, kernel_us, depth=1024):
    return _answer(launch_us, kernel_us, depth, slot=-1)


@wrong(
    "one-place-fewer", "Launch i waits for kernel i - depth; with depth 1 for the one before it."
)
def narrow(launch_us, kernel_us, depth=1024):
    return _answer(launch_us, kernel_us, depth, slot=1 if depth > 1 else 0)


@wrong(
    "place-free-at-the-start", "A kernel leaves the queue when it has ended, not when it starts."
)
def leaves_early(launch_us, kernel_us, depth=1024):
    _refuse(launch_us, kernel_us, depth)
    host, waited, starts, end = 0.0, 0.0, [], 0.0
    for index, (launch, kernel) in enumerate(zip(launch_us, kernel_us, strict=True)):
        begin = max(host, starts[index - depth] if index >= depth else 0.0)
        waited, host = waited + begin - host, begin + launch
        starts.append(max(host, end))
        end = starts[-1] + kernel
    return {"total_us": end, "host_wait_us": waited, "device_idle_us": end - sum(kernel_us)}


@wrong("starts-with-the-launch", "A kernel starts when its launch has ended, not when it begins.")
def early(launch_us, kernel_us, depth=1024):
    _refuse(launch_us, kernel_us, depth)
    host, waited, ends = 0.0, 0.0, []
    for index, (launch, kernel) in enumerate(zip(launch_us, kernel_us, strict=True)):
        begin = max(host, ends[index - depth] if index >= depth else 0.0)
        waited, host = waited + begin - host, begin + launch
        ends.append(max(begin, ends[-1] if ends else 0.0) + kernel)
    total = ends[-1] if ends else 0.0
    return {"total_us": total, "host_wait_us": waited, "device_idle_us": total - sum(kernel_us)}


@wrong("kernels-not-in-order", "A kernel waits for the one before it in its stream.")
def concurrent(launch_us, kernel_us, depth=1024):
    _refuse(launch_us, kernel_us, depth)
    host, ends = 0.0, [0.0]
    for launch, kernel in zip(launch_us, kernel_us, strict=True):
        host += launch
        ends.append(host + kernel)
    total = max(ends)
    return {"total_us": total, "host_wait_us": 0.0, "device_idle_us": total - sum(kernel_us)}


@wrong("host-waits-for-each", "The host goes on after a launch; it does not wait for the kernel.")
def synchronous(launch_us, kernel_us, depth=1024):
    return (
        _answer(launch_us, kernel_us, 1, checks={"places": False})
        if depth >= 1
        else _refuse([], [], 0)
    )


@wrong(
    "idle-without-the-first-launch", "The device is idle from 0.0 on, the first launch included."
)
def from_first(launch_us, kernel_us, depth=1024):
    found = _answer(launch_us, kernel_us, depth)
    return found | {
        "device_idle_us": found["device_idle_us"] - (launch_us[0] if launch_us else 0.0)
    }


@wrong("last-wait-alone", "host_wait_us adds up all waits.")
def last_wait(launch_us, kernel_us, depth=1024):
    found = _answer(launch_us, kernel_us, depth)
    shorter = _answer(launch_us[:-1], kernel_us[:-1], depth)
    return found | {"host_wait_us": found["host_wait_us"] - shorter["host_wait_us"]}


@wrong(
    "wait-until-all-is-done",
    "host_wait_us is the waiting for places, not for the end of the device.",
)
def to_the_end(launch_us, kernel_us, depth=1024):
    found = _answer(launch_us, kernel_us, depth)
    return found | {"host_wait_us": found["total_us"] - sum(launch_us)}


@wrong("lengths-not-checked", "Lists of different lengths must raise ValueError.")
def any_length(launch_us, kernel_us, depth=1024):
    return _answer(launch_us, kernel_us, depth, checks={"lengths": False})


@wrong("negative-times", "A negative time must raise ValueError.")
def negative(launch_us, kernel_us, depth=1024):
    return _answer(launch_us, kernel_us, depth, checks={"negative": False})


@wrong("no-queue-at-all", "depth below 1 must raise ValueError.")
def no_depth(launch_us, kernel_us, depth=1024):
    return _answer(launch_us, kernel_us, max(depth, 1), checks={"places": False})
