"""opt-predict: Amdahl's law with several targets and several cures for one, in fractions."""

import math
from fractions import Fraction

from autograder.checks import case, expect, tolerances

PARTS = {"one cure": 0.3, "several": 0.4, "removed": 0.15, "refuse": 0.15}
HINTS = (
    "New time over old: what no cure touches stays 1 - sum(shares) and the shares of the other names.",
    "Two cures for one target: it takes share / (factor * factor).",
    "math.inf as a factor: the target's time is gone.",
)


def _case(label, part, shares, cures):
    return case(
        label, part=part, shares=list(shares.items()), cures=[list(c.items()) for c in cures]
    )


def _drawn(rng, most_cures):
    names = ["dequantize", "matmul", "attention", "copies"][: int(rng.integers(2, 5))]
    parts = rng.dirichlet([1.0] * (len(names) + 1))
    shares = {n: int(p * 1000) / 1000 for n, p in zip(names, parts, strict=False)}
    cures = []
    for _ in range(int(rng.integers(1, most_cures + 1))):
        touched = [n for n in names if rng.random() < 0.6] or names[:1]
        cures.append({n: round(float(rng.uniform(0.8, 12)), 2) for n in touched})
    return shares, cures


def cases(rng):
    half = {"dequantize": 0.5, "matmul": 0.25}
    yield _case("no cure", "one cure", half, [])
    yield _case("half of the time, twice as fast", "one cure", half, [{"dequantize": 2.0}])
    yield _case("a cure that costs", "one cure", half, [{"dequantize": 4.0, "matmul": 0.5}])
    yield _case("everything named", "one cure", {"a": 0.75, "b": 0.25}, [{"a": 3.0}])
    yield _case("nothing named", "one cure", {}, [])
    for _ in range(2):
        yield _case("drawn", "one cure", *_drawn(rng, 1))
    yield _case("two targets", "several", half, [{"dequantize": 4.0}, {"matmul": 5.0}])
    yield _case("two cures for one", "several", half, [{"dequantize": 4.0}, {"dequantize": 2.5}])
    for _ in range(4):
        yield _case("drawn", "several", *_drawn(rng, 4))
    inf = math.inf
    yield _case("one removed", "removed", half, [{"dequantize": inf}])
    yield _case(
        "removed, and a cure besides",
        "removed",
        half,
        [{"matmul": 2.0}, {"dequantize": inf}, {"dequantize": 3.0}],
    )
    yield _case("nothing left", "removed", {"a": 0.5, "b": 0.5}, [{"a": inf, "b": inf}])
    yield _case("shares a rounding above 1", "removed", {"a": 0.5, "b": 0.5000000005}, [{"a": 2.0}])
    yield _case("only rounding left", "removed", {"a": 0.1, "b": 0.2, "c": 0.7}, [{"a": 2.0}])
    for label, shares, cures in (
        ("shares above 1", {"a": 0.7, "b": 0.4}, [{"a": 2.0}]),
        ("shares a millionth above 1", {"a": 0.5, "b": 0.500001}, [{"a": 2.0}]),
        ("a negative share", {"a": -0.1, "b": 0.4}, [{"b": 2.0}]),
        ("a share that is NaN", {"a": math.nan}, [{"a": 2.0}]),
        ("a factor of 0", half, [{"matmul": 0.0}]),
        ("a negative factor", half, [{"matmul": 2.0}, {"dequantize": -2.0}]),
        ("a factor that is NaN", half, [{"matmul": math.nan}]),
        ("a target that no share names", half, [{"softmax": 2.0}]),
    ):
        yield _case(label, "refuse", shares, cures)


def probe(solution, shares, cures):
    listed = shares, cures
    shares, cures = dict(shares), [dict(c) for c in cures]
    factors = [f for c in cures for f in c.values()]
    good = all(s >= 0 for s in shares.values()) and sum(shares.values()) <= 1 + 1e-9
    good = good and all(f > 0 for f in factors) and all(n in shares for c in cures for n in c)
    if good:
        gain = solution(shares, cures)
        for own, given in zip(
            listed, (list(shares.items()), [list(c.items()) for c in cures]), strict=True
        ):
            own[:] = given  # what was changed shows in the probe's arguments
        return gain
    return refusal(lambda: solution(shares, cures))  # noqa: F821


def oracle(shares, cures):
    """The gain in exact fractions of the given floats; the rest is never below 0."""
    shares = {n: Fraction(s) for n, s in shares}
    left = max(Fraction(0), 1 - sum(shares.values()))
    for name, share in shares.items():
        factors = [f for c in cures for n, f in c if n == name]
        if math.inf not in factors:
            left += share / math.prod(map(Fraction, factors))
    # What is left of decimal shares that add up to 1 is rounding, not time.
    return float(1 / left) if left > Fraction(1, 10**12) else math.inf


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    want = oracle(case.shares, case.cures)
    rtol = 1e-8 if "rounding above" in case.label else 100 * tolerances.SCALAR
    expect.number(answer, want, "gain", rtol=rtol)
