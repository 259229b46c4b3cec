"""route-autoscale: replicas as objects that are ordered, come up and are given up one by one."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks import case, expect

PARTS = {"ordered": 0.5, "start-up": 0.3, "refuse": 0.2}
HINTS = (
    "wish = min(most, max(least, ceil(count / target))).",
    "ordered = max(wish, min(ordered before, highest wish of the last `hold` looks)).",
    "A replica that was ordered later comes later: the end of the list is given up first.",
)


def _trace(rng, looks):
    """A load that wanders, with bursts."""
    steps = np.cumsum(rng.normal(0, 12, looks)) + 60
    bursts = rng.integers(0, 200, looks) * (rng.random(looks) < 0.1)
    return np.maximum(0, steps + bursts).astype(int).tolist()


def cases(rng):
    part = "ordered"
    for hold, target in ((1, 10), (2, 7), (5, 10), (12, 16), (40, 5)):
        start = int(rng.integers(2, 9))
        yield case(
            f"cool-down of {hold} looks",
            part,
            trace=_trace(rng, 60),
            target=target,
            start=start,
            least=2,
            most=12,
            hold=hold,
            delay=0,
        )
    plain = {"target": 10, "start": 3, "least": 1, "most": 8, "hold": 3, "delay": 0}
    for label, trace in (
        ("whole multiples", [30, 40, 41, 39, 30, 20, 10, 10, 0]),
        ("one dip", [80, 80, 0, 80, 80, 0, 0, 80, 0, 0, 0, 0]),
        ("steps down", [80, 70, 60, 50, 40, 30, 20, 10, 0, 0, 0]),
        ("more than most", [500, 500, 0, 0, 0, 500]),
        ("nothing to do", [0, 0, 0, 0, 0]),
        ("a start above the wish", [5]),
        ("no look", []),
    ):
        yield case(label, part, trace=trace, **plain)
    part = "start-up"
    for hold, delay in ((1, 1), (1, 4), (3, 2), (6, 6), (2, 12)):
        yield case(
            f"cool-down {hold}, delay {delay}",
            part,
            trace=_trace(rng, 60),
            target=9,
            start=2,
            least=1,
            most=15,
            hold=hold,
            delay=delay,
        )
    slow = {**plain, "hold": 1, "delay": 3}
    yield case("given up before they came", part, trace=[60, 60, 20, 60, 60, 60, 60, 60], **slow)
    yield case(
        "ordered in two steps, one given up", part, trace=[40, 80, 60, 60, 60, 60, 10], **slow
    )
    good = {"trace": [10, 20], **plain}
    for label, bad in (
        ("target 0", {"target": 0}),
        ("least 0", {"least": 0}),
        ("most below least", {"least": 5, "most": 4, "start": 5}),
        ("start below least", {"start": 1, "least": 2}),
        ("start above most", {"start": 9}),
        ("hold 0", {"hold": 0}),
        ("a negative delay", {"delay": -1}),
        ("a negative number of requests", {"trace": [10, -1]}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, trace, target, start, least, most, hold, delay, refuse=False):
    given = (trace, target, start, least, most, hold, delay)
    return refusal(lambda: solution(*given)) if refuse else solution(*given)  # noqa: F821


def replay(trace, target, start, least, most, hold, delay):
    """Look by look, replica by replica: each knows how many looks it still needs."""
    fleet, wishes, seen = [0] * start, [], []
    for count in trace:
        fleet = [max(0, left - 1) for left in fleet]
        wishes.append(sorted((least, math.ceil(Fraction(count, target)), most))[1])
        while len(fleet) < wishes[-1]:
            fleet.append(delay)
        keep = max(wishes[max(0, len(wishes) - hold) :])
        while len(fleet) > keep:
            fleet.remove(max(fleet))
        seen.append((len(fleet), fleet.count(0)))
    return seen


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    expect.that(
        isinstance(answer, (list, tuple)),
        "Return a list of pairs.",
        stage="type",
        yours=expect.kind(answer),
    )
    names = ("trace", "target", "start", "least", "most", "hold", "delay")
    right = replay(*(case.inputs[n] for n in names))
    expect.integer(len(answer), len(right), "number of pairs")
    for look, (pair, (ordered, up)) in enumerate(zip(answer, right, strict=True)):
        one, two = expect.sequence(pair, ("ordered", "up"))
        expect.integer(one, ordered, f"ordered at look {look}")
        expect.integer(two, up, f"up at look {look}")
    return None
