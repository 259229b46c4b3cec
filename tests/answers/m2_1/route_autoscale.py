"""Answers to route-autoscale."""

import math
from collections import deque

from autograder.checks.bank import right, wrong


def _refuse(trace, target, start, least, most, hold, delay):
    if target < 1 or least < 1 or most < least or start < least or start > most:
        raise ValueError("bounds")
    if hold < 1 or delay < 0 or any(n < 0 for n in trace):
        raise ValueError("looks and requests")


def _scale(
    trace, target, start, least, most, hold, delay,
    *, ceil=None, clamp=None, lower=None, raise_=None, cut=-1, shift=0, result=None,
):  # fmt: skip
    _refuse(trace, target, start, least, most, hold, delay)
    ready, wishes, seen = [0] * start, [], []
    for look, count in enumerate(trace):
        wish = ceil(count, target) if ceil else math.ceil(count / target)
        wishes.append(clamp(wish, least, most) if clamp else min(most, max(least, wish)))
        now = len(ready)
        if wishes[-1] > now:
            ordered = raise_(wishes[-1], now) if raise_ else wishes[-1]
        else:
            ordered = lower(wishes, hold, now) if lower else min(now, max(wishes[-hold:]))
        ready += [look + delay + shift] * (ordered - now)
        while len(ready) > ordered:
            ready.pop(cut)
        up = sum(at <= look for at in ready)
        seen.append(result(ordered, up) if result else (ordered, up))
    return seen


@right("a list of the looks at which each is up")
def by_list(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay)


@right("counts, with a queue of orders")
def by_counts(in_system, target, start, least, most, hold, delay):
    _refuse(in_system, target, start, least, most, hold, delay)
    up, orders, window, seen = start, deque(), deque(maxlen=hold), []
    for look, count in enumerate(in_system):
        while orders and orders[0][0] <= look:
            up += orders.popleft()[1]
        wish = (count + target - 1) // target
        wish = least if wish < least else most if wish > most else wish
        window.append(wish)
        coming = sum(n for _, n in orders)
        if wish > up + coming:
            orders.append((look + delay, wish - up - coming))
        else:
            surplus = up + coming - max(window)
            while surplus > 0 and orders:
                at, n = orders.pop()
                taken = min(n, surplus)
                surplus -= taken
                if n > taken:
                    orders.append((at, n - taken))
            up -= max(0, surplus)
        while orders and orders[0][0] <= look:
            up += orders.popleft()[1]
        seen.append([up + sum(n for _, n in orders), up])
    return seen


@wrong("rounded-down", "The wish is rounded up.")
def down(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, ceil=lambda n, t: n // t)


@wrong("rounded", "The wish is rounded up, not to the nearest.")
def nearest(in_system, target, start, least, most, hold, delay):
    return _scale(
        in_system, target, start, least, most, hold, delay, ceil=lambda n, t: round(n / t)
    )


@wrong("one-spare", "A whole multiple of the target needs no further replica.")
def spare(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, ceil=lambda n, t: n // t + 1)


@wrong("no-cool-down", "Lower only to the highest wish of the last `hold` looks.")
def no_hold(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, lower=lambda w, h, n: w[-1])


@wrong("window-one-too-long", "The window is `hold` looks, this one included.")
def longer(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay,
                  lower=lambda w, h, n: min(n, max(w[-h - 1 :])))  # fmt: skip


@wrong("mean-of-the-window", "The highest wish of the window counts, not the mean.")
def mean(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay,
                  lower=lambda w, h, n: min(n, math.ceil(sum(w[-h:]) / len(w[-h:]))))  # fmt: skip


@wrong("waits-for-a-full-window", "With fewer looks so far the window is those.")
def waits(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay,
                  lower=lambda w, h, n: min(n, max(w[-h:])) if len(w) >= h else n)  # fmt: skip


@wrong("one-at-a-time", "Order all that are missing at once.")
def one_up(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, raise_=lambda w, n: n + 1)


@wrong("no-upper-bound", "Never more than `most`.")
def no_most(in_system, target, start, least, most, hold, delay):
    return _scale(
        in_system, target, start, least, most, hold, delay, clamp=lambda w, a, b: max(a, w)
    )


@wrong("no-lower-bound", "Never fewer than `least`.")
def no_least(in_system, target, start, least, most, hold, delay):
    return _scale(
        in_system, target, start, least, most, hold, delay, clamp=lambda w, a, b: min(b, w)
    )


@wrong("up-at-once", "An ordered replica is up `delay` looks later.")
def at_once(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, result=lambda o, u: (o, o))


@wrong("one-look-late", "Ordered at look k, up at look k + delay.")
def late(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, shift=1)


@wrong("one-look-early", "Ordered at look k, up at look k + delay, not before.")
def early(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, shift=-1)


@wrong("those-up-given-up-first", "Replicas that are not up yet are given up first.")
def oldest(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, cut=0)


@wrong("coming-ones-forgotten", "Replicas that are on their way count: do not order them again.")
def again(in_system, target, start, least, most, hold, delay):
    _refuse(in_system, target, start, least, most, hold, delay)
    ready, wishes, seen = [0] * start, [], []
    for look, count in enumerate(in_system):
        wishes.append(min(most, max(least, -(-count // target))))
        up = sum(at <= look for at in ready)
        if wishes[-1] > up:
            ready += [look + delay] * (wishes[-1] - up)
        else:
            del ready[max(wishes[-hold:]) :]
        seen.append((len(ready), sum(at <= look for at in ready)))
    return seen


@wrong("swapped", "Ordered first, then up.")
def swapped(in_system, target, start, least, most, hold, delay):
    return _scale(in_system, target, start, least, most, hold, delay, result=lambda o, u: (u, o))


@wrong("nothing-refused", "Raise ValueError for numbers outside their range.")
def nothing_refused(in_system, target, start, least, most, hold, delay):
    try:
        return _scale(in_system, target, start, least, most, hold, delay)
    except ValueError:
        return []
