"""paired-drop: the difference of two models on the same sentences, with its interval."""

import math
from fractions import Fraction

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"drop": 0.4, "interval": 0.4, "edges": 0.2}
HINTS = (
    "b = sum(before & ~after), c = sum(~before & after), drop = 100 * (b - c) / n.",
    "half = 100 * 1.96 * sqrt(b + c - (b - c)**2 / n) / n.",
    "Sentences that both have right, or both wrong, do not enter but through n.",
)


def cases(rng):
    for part in ("drop", "interval"):
        for n, p, flip in ((10, 0.5, 0.4), (872, 0.8, 0.08), (5000, 0.6, 0.3), (37, 0.9, 0.2)):
            before = rng.random(n) < p
            after = before ^ (rng.random(n) < flip)
            yield case(f"{n} sentences", part, before=before, after=after)
            yield case(f"{n} sentences, the other way round", part, before=after, after=before)
        yield case("one loses everything", part, before=np.ones(50, bool), after=np.arange(50) < 3)
    same = rng.random(40) < 0.7
    yield case("the same answers twice", "edges", before=same, after=same.copy())
    yield case("one sentence, lost", "edges", before=np.array([True]), after=np.array([False]))
    yield case("all lost", "edges", before=np.ones(9, bool), after=np.zeros(9, bool))
    yield case("no sentences", "edges", before=np.zeros(0, bool), after=np.zeros(0, bool))
    yield case("another number of sentences", "edges", before=same, after=same[:-1].copy())
    yield case("one against many", "edges", before=same, after=same[:1].copy())


def probe(solution, before, after):
    if len(before) and len(before) == len(after):
        return solution(before, after)
    return refusal(lambda: solution(before, after))


def judge(case, answer):
    n = len(case.before)
    if n == 0 or n != len(case.after):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    drop, low, high = expect.sequence(answer, ("drop", "low", "high"))
    # Each sentence adds 1, 0 or -1: mean and variance of that list, exactly.
    steps = [int(a) - int(b) for a, b in zip(case.before, case.after, strict=True)]
    mean = Fraction(sum(steps), n)
    variance = sum((s - mean) ** 2 for s in steps) / n
    half = 196 * math.sqrt(variance / n)
    centre = float(100 * mean)
    # sqrt of a difference of floats: 1e-6 points where the variance is 0.
    near = {"rtol": 1e-6, "atol": 2e-6}
    sign = "Positive where `after` is worse." if drop == -centre != 0 else ""
    expect.number(drop, centre, "drop", **near, cause=sign, hint=HINTS[0])
    if case.part != "drop":
        expect.number(low, centre - half, "low", **near, hint=HINTS[1])
        expect.number(high, centre + half, "high", **near, hint=HINTS[1])
