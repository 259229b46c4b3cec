"""roof-amdahl: speed-up of a sum of parts, its limit, and the factor that one part alone would need."""

import math
from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"speed-up": 0.4, "needed": 0.4, "refuse": 0.2}
HINTS = (
    "New time: the sum of time / factor; a part without a factor keeps its time.",
    "Limit: old time by the time of the parts that are not in factors.",
    "Needed: what may be left for the part is total / target - the time of the others.",
)
INF = math.inf


def _times(rng, count):
    """Parts in whole 64ths of a millisecond, so that sums are exact in any order."""
    return {f"part{i}": int(v) / 64 for i, v in enumerate(rng.integers(1, 4000, count))}


def _clear(times, target):
    """Whether no part's budget is so small that a rounding decides, or blows up."""
    total = sum(times.values())
    return all(abs(total / target - (total - t)) > 1e-2 * total for t in times.values())


def _case(rng, label, part, count, named, infinite=False, slow=False):
    while True:
        times = _times(rng, count)
        # With many parts only a modest target is within reach of one part alone.
        target = float(rng.uniform(1.05, 4 if count < 5 else 1.2))
        if not _clear(times, target):
            continue
        low = 0.3 if slow else 1.5
        chosen = rng.permutation(list(times))[:named]
        factors = {str(n): round(float(rng.uniform(low, 12)), 2) for n in chosen}
        if infinite:
            factors[next(iter(factors))] = INF
        return case(label, part, times_ms=times, factors=factors, target=target)


def cases(rng):
    part = "speed-up"
    yield case("nine tenths, ten times faster", part, times_ms={"linear": 9.0, "rest": 1.0},
               factors={"linear": 10.0}, target=2.0)  # fmt: skip
    yield _case(rng, "two parts of four", part, 4, 2)
    yield _case(rng, "all parts", part, 3, 3)
    yield _case(rng, "a part becomes slower", part, 5, 3, slow=True)
    yield _case(rng, "an infinite factor", part, 4, 2, infinite=True)
    yield case("one faster, one slower", part, times_ms={"a": 6.0, "b": 2.0, "c": 8.0},
               factors={"a": 3.0, "b": 0.25}, target=2.0)  # fmt: skip
    yield case("a factor of 1", part, times_ms={"a": 2.0, "b": 3.0}, factors={"a": 1.0}, target=2.0)
    yield case("nothing changes", part, times_ms={"a": 2.0, "b": 3.0}, factors={}, target=2.0)
    yield case(
        "one part, infinitely fast", part, times_ms={"a": 2.0}, factors={"a": INF}, target=2.0
    )
    yield case("what is left takes no time", part, times_ms={"a": 2.0, "b": 0.0}, factors={"a": 4.0},
               target=2.0)  # fmt: skip
    part = "needed"
    for count in (1, 2, 3, 6, 10):
        yield _case(rng, f"{count} parts" if count > 1 else "one part", part, count, 1)
    times = {"a": 8.0, "b": 4.0, "c": 4.0}
    for target in (2.0, 1.25, 4.0, 16.0):
        yield case(f"target {target}", part, times_ms=times, factors={"a": 2.0}, target=target)
    yield case("a part without time", part, times_ms={"a": 8.0, "b": 0.0}, factors={}, target=2.0)
    good = {"times_ms": {"a": 2.0, "b": 3.0}, "factors": {"a": 2.0}, "target": 1.5}
    for label, bad in (
        ("no parts", {"times_ms": {}, "factors": {}}),
        ("a total of 0", {"times_ms": {"a": 0.0, "b": 0.0}}),
        ("a negative time", {"times_ms": {"a": -2.0, "b": 3.0}}),
        ("a factor of 0", {"factors": {"a": 0.0}}),
        ("a negative factor", {"factors": {"a": -2.0}}),
        ("a factor for an unknown part", {"factors": {"c": 2.0}}),
        ("target 1", {"target": 1.0}),
        ("a target below 1", {"target": 0.5}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, times_ms, factors, target, refuse=False):
    if refuse:
        return refusal(lambda: solution(times_ms, factors, target))  # noqa: F821
    return solution(times_ms, factors, target)


def _by(old, new):
    return float(old / new) if new else INF


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    speedup, limit, needed = expect.sequence(answer, ("speedup", "limit", "needed"))
    times = {name: Fraction(t) for name, t in case.times_ms.items()}
    total, new, left = sum(times.values()), Fraction(0), Fraction(0)
    for name, t in times.items():
        factor = case.factors.get(name, 1)
        new += 0 if factor == INF else t / Fraction(factor)
        left += 0 if name in case.factors else t
    expect.number(speedup, _by(total, new), "speedup")
    expect.number(limit, _by(total, left), "limit")
    needed = expect.mapping(needed, tuple(times), only=True)
    if case.part == "speed-up":
        return None
    for name, t in times.items():
        budget = total / Fraction(case.target) - (total - t)
        if budget <= 0:
            expect.that(needed[name] is None, f"{name} alone cannot reach the target: None.",
                        yours=needed[name], right="None")  # fmt: skip
        else:
            expect.that(needed[name] is not None, f"{name} alone can reach the target.",
                        yours="None", right=float(t / budget))  # fmt: skip
            expect.number(needed[name], float(t / budget), f"factor of {name}")
    return None
