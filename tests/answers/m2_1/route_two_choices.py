"""Answers to route-two-choices."""

import math

from autograder.checks.bank import right, wrong


def _refuse(replicas, u, v):
    if len(replicas) == 0:
        raise ValueError("no replica")
    if not (0 <= u < 1) or not (0 <= v < 1):
        raise ValueError("u and v are from 0 to below 1")


def _two(replicas, u, v, *, first=None, second=None, key=None, tie="first", one=0):
    _refuse(replicas, u, v)
    n = len(replicas)
    if n == 1:
        return one
    a = first(u, n) if first else math.floor(u * n)
    b = second(v, n, a) if second else math.floor(v * (n - 1)) + (math.floor(v * (n - 1)) >= a)
    key = key or (lambda r: r.load)
    if key(replicas[a]) == key(replicas[b]):
        return {"first": a, "second": b, "low": min(a, b)}[tie]
    return a if key(replicas[a]) < key(replicas[b]) else b


@right("floor and a skip")
def by_skip(request, replicas, u, v):
    return _two(replicas, u, v)


@right("the list of the others")
def by_list(request, replicas, u, v):
    _refuse(replicas, u, v)
    positions = list(range(len(replicas)))
    first = positions.pop(int(len(positions) * u))
    if not positions:
        return first
    second = positions[int(len(positions) * v)]
    return min((first, second), key=lambda i: replicas[i].queued + replicas[i].running)


@wrong("same-twice", "The second is one of the others: draw from n - 1 and skip the first.")
def with_replacement(request, replicas, u, v):
    return _two(replicas, u, v, second=lambda v, n, a: int(v * n))


@wrong("no-skip", "Add 1 to the second position if it is not below the first.")
def no_skip(request, replicas, u, v):
    return _two(replicas, u, v, second=lambda v, n, a: int(v * (n - 1)))


@wrong("skip-only-above", "A second position equal to the first has to move on as well.")
def skip_above(request, replicas, u, v):
    return _two(replicas, u, v, second=lambda v, n, a: int(v * (n - 1)) + (int(v * (n - 1)) > a))


@wrong("shifted", "The second's place is counted among the others in order, not from the first on.")
def shifted(request, replicas, u, v):
    return _two(replicas, u, v, second=lambda v, n, a: (a + 1 + int(v * (n - 1))) % n)


@wrong("the-busier", "Take the one with the smaller load.")
def busier(request, replicas, u, v):
    return _two(replicas, u, v, key=lambda r: -r.load)


@wrong("queue-alone", "Load counts the running requests as well.")
def queue_alone(request, replicas, u, v):
    return _two(replicas, u, v, key=lambda r: r.queued)


@wrong("running-alone", "Load counts the waiting requests as well.")
def running_alone(request, replicas, u, v):
    return _two(replicas, u, v, key=lambda r: r.running)


@wrong("ties-to-the-second", "Of equals the first drawn wins.")
def ties_second(request, replicas, u, v):
    return _two(replicas, u, v, tie="second")


@wrong("ties-to-the-lower-position", "Of equals the first drawn wins, not the lower position.")
def ties_low(request, replicas, u, v):
    return _two(replicas, u, v, tie="low")


@wrong("rounded", "floor(u n), not the nearest whole number.")
def rounded(request, replicas, u, v):
    return _two(replicas, u, v, first=lambda u, n: min(n - 1, round(u * n)))


@wrong("shortest-of-all", "Only the two that were drawn are compared.")
def shortest(request, replicas, u, v):
    _refuse(replicas, u, v)
    return min(range(len(replicas)), key=lambda i: replicas[i].load)


@wrong("index-for-position", "Return the position in the sequence, not the replica's index.")
def gives_index(request, replicas, u, v):
    return replicas[_two(replicas, u, v)].index


@wrong("nothing-refused", "Raise ValueError for no replica and for numbers outside [0, 1).")
def nothing_refused(request, replicas, u, v):
    if not replicas or not (0 <= u < 1 and 0 <= v < 1):
        return 0
    return _two(replicas, u, v)
