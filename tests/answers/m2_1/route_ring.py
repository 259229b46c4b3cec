"""Answers to route-ring."""

import bisect
import math

from autograder.checks.bank import right, wrong


def _refuse(nodes, copies, factor):
    if not nodes:
        raise ValueError("no node")
    if copies < 1 or factor < 1:
        raise ValueError("copies and factor are 1 or more")


def _walk(
    key, nodes, copies, hash_of, *, find=bisect.bisect_left, name="{}#{}", first=0, back=False
):
    """The nodes in the order in which the key meets them."""
    points = sorted(
        (hash_of(name.format(i, c)), i) for i in nodes for c in range(first, first + copies)
    )
    at = find([p for p, _ in points], hash_of(key))
    around = [points[(at + k) % len(points)][1] for k in range(len(points))]
    return around[::-1] if back else around


def _limit(nodes, loads, factor):
    return factor * (sum(loads.get(i, 0) for i in nodes) + 1) / len(nodes)


def _owner(key, nodes, copies, hash_of, loads, factor, *, full=None, **more):
    _refuse(nodes, copies, factor)
    limit = _limit(nodes, loads, factor)
    full = full or (lambda load: load >= limit)
    around = _walk(key, nodes, copies, hash_of, **more)
    return next((i for i in around if not full(loads.get(i, 0))), around[0])


@right("bisection on the sorted points")
def by_bisection(key, nodes, copies, hash_of, loads, factor):
    return _owner(key, nodes, copies, hash_of, loads, factor)


@right("open nodes alone on the ring, whole capacities")
def open_alone(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    limit = _limit(nodes, loads, factor)
    room = [i for i in sorted(nodes) if loads.get(i, 0) + 1 <= (math.inf if math.isinf(limit) else math.ceil(limit))]  # fmt: skip
    places = [(hash_of(f"{i}#{c}"), i) for i in room for c in range(copies)]
    at = hash_of(key)
    later = [p for p in places if p[0] >= at]
    return min(later or places)[1]


@wrong("modulo", "hash modulo the number of nodes moves nearly all keys when a node is lost.")
def modulo(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    return sorted(nodes)[hash_of(key) % len(nodes)]


@wrong("rendezvous", "That is another scheme: here keys and nodes lie on one ring.")
def rendezvous(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    return max(nodes, key=lambda i: hash_of(f"{key}#{i}"))


@wrong("counter-clockwise", "Walk to larger places.")
def backwards(key, nodes, copies, hash_of, loads, factor):
    return _owner(key, nodes, copies, hash_of, loads, factor, back=True)


@wrong("point-at-the-key-skipped", "A point at the key's own place counts.")
def after(key, nodes, copies, hash_of, loads, factor):
    return _owner(key, nodes, copies, hash_of, loads, factor, find=bisect.bisect_right)


@wrong("one-point-each", "Each node has `copies` points.")
def one_point(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    return _owner(key, nodes, 1, hash_of, loads, factor)


@wrong("copies-from-one", "Copies are counted from 0.")
def from_one(key, nodes, copies, hash_of, loads, factor):
    return _owner(key, nodes, copies, hash_of, loads, factor, first=1)


@wrong("other-point-names", "A point is hash_of('node#copy').")
def other_names(key, nodes, copies, hash_of, loads, factor):
    return _owner(key, nodes, copies, hash_of, loads, factor, name="{}-{}")


@wrong("no-wrap", "Behind the last point comes the first.")
def no_wrap(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    limit, at = _limit(nodes, loads, factor), hash_of(key)
    points = sorted((hash_of(f"{i}#{c}"), i) for i in nodes for c in range(copies))
    found = [i for p, i in points if p >= at and loads.get(i, 0) < limit]
    return found[0] if found else points[-1][1]


@wrong("nearest-point", "The next point clockwise, not the nearest.")
def nearest(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    limit, at = _limit(nodes, loads, factor), hash_of(key)
    return min(
        (abs(hash_of(f"{i}#{c}") - at), i)
        for i in nodes
        for c in range(copies)
        if loads.get(i, 0) < limit
    )[1]


@wrong("no-bound", "A full node is passed over.")
def no_bound(key, nodes, copies, hash_of, loads, factor):
    return _owner(key, nodes, copies, hash_of, loads, factor, full=lambda load: False)


@wrong("full-above", "A node whose load equals the limit is full.")
def above(key, nodes, copies, hash_of, loads, factor):
    limit = _limit(nodes, loads, factor) if nodes else 0
    return _owner(key, nodes, copies, hash_of, loads, factor, full=lambda load: load > limit)


@wrong("coming-request-forgotten", "The mean counts the request that is to be placed: sum + 1.")
def without_one(key, nodes, copies, hash_of, loads, factor):
    total = sum(loads.get(i, 0) for i in nodes)
    full = (lambda load: load >= factor * total / len(nodes)) if nodes else None
    return _owner(key, nodes, copies, hash_of, loads, factor, full=full)


@wrong("all-loads", "Loads of nodes that are not in `nodes` do not count.")
def all_loads(key, nodes, copies, hash_of, loads, factor):
    total = sum(loads.values()) + 1
    full = (lambda load: load >= factor * total / len(nodes)) if nodes else None
    return _owner(key, nodes, copies, hash_of, loads, factor, full=full)


@wrong("least-loaded-when-full", "From a full node walk on along the ring.")
def least_loaded(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    home = _walk(key, nodes, copies, hash_of)[0]
    if loads.get(home, 0) < _limit(nodes, loads, factor):
        return home
    return min(nodes, key=lambda i: (loads.get(i, 0), i))


@wrong("order-of-nodes", "Of points at one place the smaller node comes first.")
def order_of_nodes(key, nodes, copies, hash_of, loads, factor):
    _refuse(nodes, copies, factor)
    limit, at = _limit(nodes, loads, factor), hash_of(key)
    points = sorted(
        ((hash_of(f"{i}#{c}"), i) for i in sorted(nodes, reverse=True) for c in range(copies)),
        key=lambda p: p[0],
    )
    around = [p for p in points if p[0] >= at] + [p for p in points if p[0] < at]
    return next(i for _, i in around if loads.get(i, 0) < limit)


@wrong("nothing-refused", "Raise ValueError for no node, no copies, or a factor below 1.")
def nothing_refused(key, nodes, copies, hash_of, loads, factor):
    if not nodes or copies < 1 or factor < 1:
        return 0
    return _owner(key, nodes, copies, hash_of, loads, factor)
