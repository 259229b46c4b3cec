"""Answers to kube-hpa."""

import math
from collections import deque

from autograder.checks.bank import right, wrong


def _model(loads, target, replicas, minimum, maximum, window, *, check=True, tolerance=0.1, up=math.ceil,
           start=True, limited=False, wait_up=False, above=False, missing="stay", pick=max, extra=0,
           frozen=False, clamp=True):  # fmt: skip
    if check and (target < 1 or window < 1 or not 1 <= minimum <= replicas <= maximum):
        raise ValueError("range")
    if check and any(x is not None and x < 0 for x in loads):
        raise ValueError("load")
    first, history, out = replicas, [(0, replicas)] if start else [], []
    for i, load in enumerate(loads):
        if load is None and missing == "zero":
            load = 0
        if load is None:
            if missing == "remember":
                history.append((i, replicas))
            out.append(replicas)
            continue
        base = first if frozen else replicas
        near = abs(load / (base * target) - 1) <= tolerance
        want = base if near else up(load / target)
        seen = max(minimum, min(maximum, want)) if limited else want
        history.append((i, seen))
        recent = [r for at, r in history if at > i - window - extra]
        if wait_up and want > replicas:
            want = min(recent)
        elif want <= replicas:
            want = pick(recent) if above else min(replicas, pick(recent))
        replicas = max(minimum, min(maximum, want)) if clamp else want
        out.append(replicas)
    return out


@right("a history of pairs")
def pairs(loads, target, replicas, minimum, maximum, window):
    return _model(loads, target, replicas, minimum, maximum, window)


@right("a ring of the last recommendations, in whole numbers")
def ring(loads, target, replicas, minimum, maximum, window):
    if min(target, window, minimum) < 1 or replicas not in range(minimum, maximum + 1):
        raise ValueError("range")
    if [x for x in loads if x is not None and x < 0]:
        raise ValueError("loads")
    recent, out = deque(maxlen=window), []
    for i, load in enumerate(loads):
        recent.append(0)
        if i == 0:
            recent[-1] = replicas
        if load is not None:
            full = replicas * target
            want = replicas if 9 * full <= 10 * load <= 11 * full else (load + target - 1) // target
            recent[-1] = max(recent[-1], want)
            if want < replicas:
                want = min(replicas, max(recent))
            replicas = min(maximum, max(minimum, want))
        out.append(replicas)
    return out


def _wrong(name, sentence, **how):
    def answer(loads, target, replicas, minimum, maximum, window):
        return _model(loads, target, replicas, minimum, maximum, window, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong("no-tolerance", "Within 10 % of the target nothing changes.", tolerance=0.0)
_wrong("tolerance-of-a-fifth", "The tolerance is 0.1.", tolerance=0.2)
_wrong("floored", "The number of replicas is rounded up.", up=math.floor)
_wrong("rounded", "Rounded up, not to the nearest.", up=round)
_wrong("start-forgotten", "`replicas` counts as a recommendation of sync 0.", start=False)
_wrong("mean-of-the-window", "Down goes the highest recommendation of the window, not the mean.",
       pick=lambda r: math.ceil(sum(r) / len(r)))  # fmt: skip
_wrong(
    "lowest-of-the-window",
    "The highest recommendation of the window is taken, not the lowest.",
    pick=min,
)
_wrong("last-of-the-window", "A window is more than its last recommendation.", pick=lambda r: r[-1])
_wrong(
    "oldest-of-the-window", "The highest of the window counts, not the oldest.", pick=lambda r: r[0]
)
_wrong(
    "one-sync-too-long", "The present sync is in the window: i - window + 1 is its first.", extra=1
)
_wrong(
    "one-sync-too-short",
    "The window has `window` syncs, the present one included.",
    extra=-1,
    pick=lambda r: max(r, default=0),
)
_wrong("up-waits-too", "Scaling up does not wait.", wait_up=True)
_wrong("missing-as-zero", "A missing metric is no load of zero: nothing changes.", missing="zero")
_wrong("limits-forgotten", "The result stays within minimum and maximum.", clamp=False)
_wrong("start-for-ever", "c is what runs now, not what ran at the start.", frozen=True)
_wrong("not-checked", "Numbers outside their range must raise ValueError.", check=False)


@wrong(
    "rises-in-a-fall",
    "A recommendation below c never raises the number, however high the window's peak was.",
)
def rises(loads, target, replicas, minimum, maximum, window):
    return _model(loads, target, replicas, minimum, maximum + 10**6, window, above=True)


@wrong(
    "metric-as-total", "The load is of all pods together: do not multiply it by their number again."
)
def total(loads, target, replicas, minimum, maximum, window):
    _model(loads, target, replicas, minimum, maximum, window)
    out = []
    for load in loads:
        if load is not None:
            replicas = max(minimum, min(maximum, math.ceil(replicas * load / target)))
        out.append(replicas)
    return out
