"""opt-targets: every choice of targets within the budget tried, in fractions."""

import math
from fractions import Fraction
from itertools import combinations

from autograder.checks import case, expect, tolerances

PARTS = {"choice": 0.6, "ties": 0.2, "refuse": 0.2}
HINTS = (
    "The time that is left: 1 less the sum of share * (1 - 1 / factor) over the chosen.",
    "The best single target, or the best gain for an hour, need not be in the best choice: try all of them.",
    "`itertools.combinations` for each number of targets; keep the best by (gain, fewer hours).",
)


def _row(name, share, factor, hours):
    return {"name": name, "share": share, "factor": factor, "hours": hours}


def _drawn(rng, count):
    parts = rng.dirichlet([0.8] * (count + 1))
    rows = []
    for i in range(count):
        factor = math.inf if rng.random() < 0.15 else round(float(rng.uniform(0.9, 20)), 1)
        hours = float(rng.integers(1, 13))
        rows.append(_row(f"target {i}", int(parts[i] * 10**4) / 10**4, factor, hours))
    return rows


def cases(rng):
    inf = math.inf
    greedy = [
        _row("dequantize", 0.5, 10.0, 6.0),
        _row("cache", 0.25, inf, 4.0),
        _row("copies", 0.24, inf, 4.0),
    ]
    hourly = [
        _row("quick", 0.125, 2.0, 1.0),
        _row("large", 0.625, 5.0, 8.0),
        _row("small", 0.0625, inf, 2.0),
    ]
    unlike = [
        _row("wide", 0.5, 1.25, 2.0),
        _row("deep", 0.25, 8.0, 2.0),
        _row("flat", 0.125, 100.0, 2.0),
    ]
    fixed = (
        ("one large or two small", greedy, 8.0),
        ("the best for an hour leaves no room", hourly, 8.0),
        ("a large share, hardly to be cured", unlike, 2.0),
        ("everything fits", greedy, 14.0),
        ("nothing fits", greedy, 3.0),
        ("a cure that costs", [_row("worse", 0.5, 0.5, 1.0), _row("better", 0.25, 2.0, 1.0)], 5.0),
    )
    for label, rows, budget in fixed:
        yield case(label, part="choice", rows=rows, budget_hours=budget)
    for count in (1, 4, 7, 9):
        rows = _drawn(rng, count)
        budget = float(rng.integers(4, 3 * count + 6))
        yield case(f"{count} drawn", part="choice", rows=rows, budget_hours=budget)
    two = [_row("long", 0.25, 2.0, 5.0), _row("short", 0.25, 2.0, 3.0)]
    free = [_row("useless", 0.25, 1.0, 0.0), _row("good", 0.25, 4.0, 2.0)]
    yield case("equal gains", part="ties", rows=two, budget_hours=5.0)
    yield case("equal gains, listed the other way", part="ties", rows=two[::-1], budget_hours=5.0)
    yield case("a cure that changes nothing", part="ties", rows=free, budget_hours=9.0)
    nearly = [_row("a", 0.1, inf, 3.0), _row("b", 0.2, inf, 3.0), _row("c", 0.3 - 1e-13, inf, 5.0)]
    yield case("gains that differ by rounding", part="ties", rows=nearly, budget_hours=6.0)
    gone = [_row("a", 0.5, inf, 2.0), _row("b", 0.5, inf, 3.0)]
    yield case("nothing left", part="ties", rows=gone, budget_hours=5.0)
    above = [_row("a", 0.5, 2.0, 3.0), _row("b", 0.5000000005, 4.0, 5.0)]
    yield case("shares a rounding above 1", part="ties", rows=above, budget_hours=4.0)
    yield case("an empty table", part="ties", rows=[], budget_hours=9.0)
    yield case("a budget of 0", part="ties", rows=two, budget_hours=0.0)
    good = _row("a", 0.5, 2.0, 1.0)
    for label, rows, budget in (
        ("shares above 1", [good, _row("b", 0.6, 2.0, 1.0)], 2.0),
        ("shares a millionth above 1", [good, _row("b", 0.500001, 2.0, 1.0)], 2.0),
        ("a negative share", [_row("b", -0.1, 2.0, 1.0)], 2.0),
        ("a factor of 0", [good, _row("b", 0.1, 0.0, 1.0)], 2.0),
        ("a factor that is NaN", [_row("b", 0.1, math.nan, 1.0)], 2.0),
        ("negative hours", [good, _row("b", 0.1, 2.0, -1.0)], 2.0),
        ("a negative budget", [good], -1.0),
        ("a name twice", [good, _row("a", 0.1, 2.0, 1.0)], 2.0),
    ):
        yield case(label, part="refuse", rows=rows, budget_hours=budget)


def probe(solution, rows, budget_hours):
    names = [r["name"] for r in rows]
    good = all(r["share"] >= 0 and r["factor"] > 0 and r["hours"] >= 0 for r in rows)
    good = good and len(set(names)) == len(names) and budget_hours >= 0
    if good and sum(r["share"] for r in rows) <= 1 + 1e-9:
        return solution(rows, budget_hours)
    return refusal(lambda: solution(rows, budget_hours))  # noqa: F821


def _left(rows):
    kept = (0 if r["factor"] == math.inf else 1 / Fraction(r["factor"]) for r in rows)
    return 1 - sum(Fraction(r["share"]) * (1 - k) for r, k in zip(rows, kept, strict=True))


def oracle(rows, budget_hours):
    """All best choices as sets of names, and the time that they leave."""
    tried = []
    for count in range(len(rows) + 1):
        for chosen in combinations(rows, count):
            hours = sum(Fraction(r["hours"]) for r in chosen)
            if hours <= Fraction(budget_hours):
                tried.append((_left(chosen), hours, count, {r["name"] for r in chosen}))
    least = min(t[0] for t in tried)
    near = [t for t in tried if t[0] - least <= least / 10**9]
    shortest = min(t[1] for t in near)
    fewest = min(t[2] for t in near if t[1] == shortest)
    return [t[3] for t in near if t[1:3] == (shortest, fewest)], least


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    names, gain = expect.sequence(answer, ("names", "gain"))
    expect.that(isinstance(names, (list, tuple)), "`names` must be a list.", stage="type",
                yours=expect.kind(names), right="a list")  # fmt: skip
    choices, left = oracle(case.rows, case.budget_hours)
    order = [r["name"] for r in case.rows if r["name"] in choices[0]]
    unknown = [n for n in names if n not in [r["name"] for r in case.rows]]
    expect.that(not unknown, "A name is not in the table.", yours=names)
    hours = sum(r["hours"] for r in case.rows if r["name"] in names)
    expect.that(hours <= case.budget_hours, "The choice costs more hours than there are.",
                yours=f"{hours:g} hours", right=f"at most {case.budget_hours:g}")  # fmt: skip
    hint = (
        "Of equal gains, the one with fewer hours, then fewer targets."
        if case.part == "ties"
        else ""
    )
    expect.that(set(names) in choices and len(set(names)) == len(names), "Another choice is better.",
                yours=list(names), right=order, hint=hint)  # fmt: skip
    expect.that(list(names) == [r["name"] for r in case.rows if r["name"] in names],
                "Name the chosen in the table's order.", yours=list(names), right=order)  # fmt: skip
    want = float(1 / left) if left > 0 else math.inf
    expect.number(gain, want, "gain", rtol=100 * tolerances.SCALAR)
