"""compare-versions: speed-up, bootstrap interval over given draws, and verdict, in exact fractions."""

from fractions import Fraction
from math import floor

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import samples

PARTS = {"speed-up": 0.25, "interval": 0.35, "verdict": 0.2, "refuse": 0.2}
HINTS = (
    "Speed-up: old by new, so that above 1 is faster.",
    "rounds_ms[draws] keeps old and new of a round together.",
    "The verdict looks at the interval only: is 1 below it, above it, or inside?",
)
UNDECIDED = "no difference shown"
NAMES = ("speedup", "low", "high", "verdict")


def _rounds(rng, n, ratio, noise=0.05, drift=0.5):
    """Times of two versions on a machine that slows down; the old one takes `ratio` times the new one's."""
    machine = 4.0 * (1 + drift * np.arange(n) / n)
    times = machine[:, None] * np.array([ratio, 1.0]) * (1 + rng.exponential(noise, (n, 2)))
    return np.round(times, 4)


def _case(rng, label, part, n, resamples, ratio, confidence=None, **more):
    draws = rng.integers(0, n, (resamples, n))
    rounds = _rounds(rng, n, ratio, **more)
    given = {} if confidence is None else {"confidence": confidence}
    return case(label, part, rounds=rounds, draws=draws, **given)


def cases(rng):
    yield _case(rng, "faster", "speed-up", 15, 40, 1.8)
    yield _case(rng, "slower", "speed-up", 20, 40, 0.6)
    yield _case(rng, "an even count of rounds", "speed-up", 8, 25, 1.2, noise=0.4)
    yield case(
        "one round, one draw", "speed-up", rounds=np.array([[3.0, 2.0]]), draws=np.array([[0]])
    )
    for n, resamples, confidence in ((25, 120, None), (12, 60, 0.9), (31, 80, 0.99), (6, 41, 0.5)):
        yield _case(rng, f"{n} rounds, {resamples} resamples, {confidence or 0.95:.0%}", "interval", n,
                    resamples, 1.15, confidence, noise=0.3)  # fmt: skip
    yield _case(rng, "a machine that slows down", "interval", 40, 60, 1.1, noise=0.02, drift=6.0)
    wanted = [(1.3, "faster"), (0.8, "slower"), (1.04, UNDECIDED), (0.96, UNDECIDED)]
    while wanted:  # each verdict, clear of its limit; undecided on both sides of 1
        ratio, name = wanted[0]
        noise = 0.6 if name == UNDECIDED else 0.05
        drawn = _case(rng, f"old / new about {ratio}", "verdict", 21, 50, ratio, noise=noise)
        speedup, low, high, verdict = compared(drawn)
        clear = min(abs(low - 1), abs(high - 1), abs(speedup - 1)) > 1e-3
        if verdict == name and clear and (speedup > 1) == (ratio > 1):
            wanted.pop(0)
            yield drawn
    same = np.array([[2.0, 2.0], [3.0, 3.0], [2.5, 2.5]])
    yield case(
        "equal times: both ends are 1",
        "verdict",
        rounds=same,
        draws=np.array([[0, 1, 2], [0, 0, 1]]),
    )
    good, draws = np.array([[3.0, 2.0], [4.0, 2.0]]), np.array([[0, 1], [1, 1]])
    for label, bad in (
        ("no rounds", {"rounds": np.zeros((0, 2)), "draws": np.zeros((1, 0), int)}),
        ("three columns", {"rounds": np.ones((2, 3))}),
        ("one column", {"rounds": np.ones((2, 1))}),
        ("one dimension", {"rounds": np.array([3.0, 2.0])}),
        ("a time of 0", {"rounds": np.array([[3.0, 0.0], [4.0, 2.0]])}),
        ("a negative time", {"rounds": np.array([[3.0, 2.0], [-4.0, 2.0]])}),
        ("draws of another length", {"draws": np.array([[0, 1, 1]])}),
        ("no draws", {"draws": np.zeros((0, 2), int)}),
        ("draws in one dimension", {"draws": np.array([0, 1])}),
        ("confidence 0", {"confidence": 0.0}),
        ("confidence 1", {"confidence": 1.0}),
        ("confidence 95, which is a percent", {"confidence": 95}),
    ):
        given = {"rounds": good, "draws": draws, "confidence": 0.95, **bad}
        yield case(label, "refuse", refuse=True, **given)


def probe(solution, rounds, draws, confidence=None, refuse=False):
    more = () if confidence is None else (confidence,)
    if refuse:
        return refusal(lambda: solution(rounds, draws, *more))  # noqa: F821
    return solution(rounds, draws, *more)


def _quantile(ordered, q):
    """Linear interpolation between the two samples around place (n - 1) q, counted from 0."""
    place = (len(ordered) - 1) * q
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def compared(case):
    """(speedup, low, high, verdict) in exact arithmetic."""
    pairs = [(float(a), float(b)) for a, b in case.rounds]

    def ratio(rows):
        return samples.median(pairs[r][0] for r in rows) / samples.median(pairs[r][1] for r in rows)

    ordered = sorted(ratio([int(r) for r in row]) for row in case.draws)
    half = (1 - Fraction(str(case.inputs.get("confidence", 0.95)))) / 2
    low, high = _quantile(ordered, half), _quantile(ordered, 1 - half)
    verdict = "faster" if low > 1 else "slower" if high < 1 else UNDECIDED
    return float(ratio(range(len(pairs)))), float(low), float(high), verdict


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = compared(case)
    found = expect.sequence(answer, NAMES)
    expect.number(found[0], want[0], "speedup")
    if case.part != "speed-up":
        expect.number(found[1], want[1], "low")
        expect.number(found[2], want[2], "high")
    if case.part == "verdict":
        expect.that(isinstance(found[3], str), "`verdict` must be a string.", stage="type",
                    yours=expect.kind(found[3]))  # fmt: skip
        expect.that(found[3] == want[3], "`verdict` is off.", yours=found[3], right=want[3])
    return None
