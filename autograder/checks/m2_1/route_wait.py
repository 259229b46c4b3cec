"""route-wait: the formula in fractions."""

from fractions import Fraction

import numpy as np

from autograder.checks import case, expect

PARTS = {"wait": 0.8, "refuse": 0.2}
HINTS = (
    "Each replica is a queue of its own, with rate / replicas.",
    "wait = rate * mean(S^2) / (2 (1 - rate * mean(S))).",
    "At utilisation 1 and above the wait is inf, and the utilisation is still what it is.",
)


def _drawn(rng, busy, times, replicas):
    """A rate that makes the replicas this busy."""
    return round(float(busy * replicas / times.mean()), 6)


def cases(rng):
    part = "wait"
    for n, replicas, spread in (
        (1, 1, 0.0),
        (5, 1, 0.5),
        (100, 4, 1.0),
        (1000, 8, 1.5),
        (50, 32, 0.3),
    ):
        times = rng.lognormal(-2.0, spread, n) + 1e-3
        for busy in rng.uniform([0.1, 0.8], [0.5, 0.98]):
            yield case(
                f"{n} times, {replicas} replicas, {busy:.2f} busy",
                part,
                rate=_drawn(rng, busy, times, replicas),
                times=times,
                replicas=replicas,
            )
    yield case(
        "one very long request", part, rate=1.0, times=np.array([0.1] * 99 + [20.0]), replicas=2
    )
    yield case("equal times", part, rate=3.0, times=np.full(7, 0.25), replicas=1)
    yield case("nobody comes", part, rate=0.0, times=np.array([0.5, 1.0]), replicas=2)
    yield case("more than can be served", part, rate=9.0, times=np.array([0.5, 1.0]), replicas=3)
    yield case("exactly busy", part, rate=4.0, times=np.array([0.25, 0.75]), replicas=2)
    yield case("whole numbers", part, rate=0.25, times=np.array([1, 2, 3]), replicas=1)
    times = np.array([0.2, 0.4])
    for label, rate, bad, replicas in (
        ("a negative rate", -1.0, times, 2),
        ("0 replicas", 1.0, times, 0),
        ("no service time", 1.0, np.zeros(0), 2),
        ("a service time of 0", 1.0, np.array([0.2, 0.0]), 2),
        ("a negative service time", 1.0, np.array([0.2, -0.1]), 2),
    ):
        yield case(label, "refuse", rate=rate, times=bad, replicas=replicas, refuse=True)


def probe(solution, rate, times, replicas, refuse=False):
    if refuse:
        return refusal(lambda: solution(rate, times, replicas))  # noqa: F821
    return solution(rate, times, replicas)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    times = [Fraction(t) for t in case.times.tolist()]
    rate, n = Fraction(case.rate) / case.replicas, len(times)
    busy = rate * sum(times) / n
    utilisation, wait = expect.sequence(answer, ("utilisation", "wait"))
    expect.number(utilisation, float(busy), "utilisation")
    second = sum(t * t for t in times) / n
    right = float(rate * second / (2 * (1 - busy))) if busy < 1 else float("inf")
    # Close to 1 the rounding of 1 - utilisation grows by 1 / (1 - utilisation).
    expect.number(wait, right, "wait", rtol=1e-5)
    return None
