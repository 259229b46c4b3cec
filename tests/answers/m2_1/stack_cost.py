"""Answers to stack-cost."""

import math
from fractions import Fraction

from autograder.checks.bank import right, wrong


def _ceil(load, capacity):
    return -(-load // capacity)


def _model(ways, most_load, *, up=_ceil, number=lambda x: x, first=0, last=1, better=lambda a, b: a < b,
           least=True, most=True, join=max, fixed=True, request=True, skip="", merge=True, able=None, replica=True):  # fmt: skip
    if "w" not in skip and not ways:
        raise ValueError("ways")
    if "l" not in skip and most_load < 0:
        raise ValueError("load")
    if "c" not in skip and any(
        w["capacity"] is not None and w["capacity"] < 1 for w in ways.values()
    ):
        raise ValueError("capacity")
    found = []
    for load in range(first, most_load + last):
        best = None
        for name, w in ways.items():
            count = w["least"] if least else 0
            if w["capacity"]:
                count = join(count, up(load, w["capacity"]))
            if most and w["most"] is not None and count > w["most"]:
                if able is None:
                    continue
                count = w["most"]
            cost = (number(w["fixed"]) if fixed else 0) + number(w["replica_price"]) * (
                count if replica else 1
            )
            cost += number(w["request_price"]) * load if request else 0
            if best is None or better(cost, best[0]):
                best = cost, name
        name = best and best[1]
        if not merge or not found or found[-1][1] != name:
            found.append((load, name))
    return found


@right("load by load")
def by_load(ways, most_load):
    return _model(ways, most_load)


@right("fractions and ceil")
def by_ceil(ways, most_load):
    if most_load < 0 or len(ways) == 0:
        raise ValueError("range")
    for way in ways.values():
        if way["capacity"] is not None and way["capacity"] <= 0:
            raise ValueError("capacity")
    names = list(ways)
    result, before = [], "nothing yet"
    for load in range(most_load + 1):
        costs = []
        for rank, name in enumerate(names):
            way = ways[name]
            n = way["least"]
            if way["capacity"] is not None:
                n = max(n, math.ceil(Fraction(load, way["capacity"])))
            if way["most"] is None or n <= way["most"]:
                costs.append((Fraction(way["fixed"]) + n * Fraction(way["replica_price"])
                              + load * Fraction(way["request_price"]), rank))  # fmt: skip
        now = names[min(costs)[1]] if costs else None
        if not result or now != before:
            result.append([load, now])
        before = now
    return result


@wrong("floats", "Prices in floats lose ties: compute with Fractions.")
def floats(ways, most_load):
    return _model(ways, most_load, number=float)


@wrong("replicas-not-rounded-up", "Replicas are whole: round load / capacity up.")
def not_rounded(ways, most_load):
    return _model(ways, most_load, up=lambda load, c: Fraction(load, c))


@wrong("rounded-down", "Round the number of replicas up, not down.")
def rounded_down(ways, most_load):
    return _model(ways, most_load, up=lambda load, c: load // c)


@wrong(
    "one-replica-too-many", "A load that is a multiple of the capacity needs no further replica."
)
def too_many(ways, most_load):
    return _model(ways, most_load, up=lambda load, c: load // c + 1)


@wrong("rounded-to-nearest", "Round the number of replicas up, not to the nearest.")
def nearest(ways, most_load):
    return _model(ways, most_load, up=lambda load, c: round(Fraction(load, c)))


@wrong("least-ignored", "At least `least` replicas are paid, at load 0 too.")
def no_least(ways, most_load):
    return _model(ways, most_load, least=False)


@wrong("least-added", "`least` is a floor of the number of replicas, not an addition.")
def added(ways, most_load):
    return _model(ways, most_load, join=lambda a, b: a + b)


@wrong("most-ignored", "Beyond `most` replicas a way cannot serve the load.")
def no_most(ways, most_load):
    return _model(ways, most_load, most=False)


@wrong("most-caps", "Beyond `most` a way does not serve at its highest cost: it cannot serve.")
def capped(ways, most_load):
    return _model(ways, most_load, able="capped")


@wrong("last-of-equals", "Of equal costs the first way counts.")
def last_of_equals(ways, most_load):
    return _model(ways, most_load, better=lambda a, b: a <= b)


@wrong(
    "equals-by-name", "Of equal costs the first in `ways` counts, not the first in the alphabet."
)
def by_name(ways, most_load):
    return _model(dict(sorted(ways.items())), most_load)


@wrong("dearest", "Take the cheapest.")
def dearest(ways, most_load):
    return _model(ways, most_load, better=lambda a, b: a > b)


@wrong("fixed-forgotten", "The fixed cost is paid as well.")
def no_fixed(ways, most_load):
    return _model(ways, most_load, fixed=False)


@wrong("requests-forgotten", "The price of requests is paid as well.")
def no_request(ways, most_load):
    return _model(ways, most_load, request=False)


@wrong("one-replica-paid", "Each replica is paid.")
def one_replica(ways, most_load):
    return _model(ways, most_load, replica=False)


@wrong("begins-at-one", "Loads begin at 0.")
def from_one(ways, most_load):
    return _model(ways, most_load, first=1)


@wrong("last-load-left-out", "most_load is included.")
def excluded(ways, most_load):
    return _model(ways, most_load, last=0)


@wrong("not-merged", "Neighbouring loads with one cheapest way are one stretch.")
def not_merged(ways, most_load):
    return _model(ways, most_load, merge=False)


@wrong(
    "each-way-once",
    "A way may be cheapest on several stretches: stairs cross a line more than once.",
)
def once(ways, most_load):
    seen, found = set(), []
    for load, name in _model(ways, most_load):
        if name not in seen:
            found.append((load, name))
        seen.add(name)
    return found


@wrong("none-left-out", "A stretch without any way has the name None.")
def none_left_out(ways, most_load):
    return [x for x in _model(ways, most_load) if x[1] is not None]


@wrong("none-as-text", "The name is None, not a text.")
def none_as_text(ways, most_load):
    return [(load, name or "none") for load, name in _model(ways, most_load)]


@wrong("names-first", "A pair is (first load, name).")
def turned(ways, most_load):
    return [(name, load) for load, name in _model(ways, most_load)]


@wrong("no-ways-accepted", "Without a way raise ValueError.")
def no_ways(ways, most_load):
    return _model(ways, most_load, skip="w")


@wrong("negative-load-accepted", "A most_load below 0 must raise ValueError.")
def negative(ways, most_load):
    return _model(ways, most_load, skip="l")


@wrong("capacity-not-checked", "A capacity below 1 must raise ValueError.")
def any_capacity(ways, most_load):
    return _model(ways, most_load, skip="c")
