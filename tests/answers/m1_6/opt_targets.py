"""Answers to opt-targets."""

import math
from itertools import combinations, product

from autograder.checks.bank import right, wrong


def _refuse(rows, budget):
    names = [r["name"] for r in rows]
    if len(set(names)) < len(names) or not budget >= 0 or sum(r["share"] for r in rows) > 1 + 1e-9:
        raise ValueError("names, budget or shares")
    if not all(r["share"] >= 0 and r["factor"] > 0 and r["hours"] >= 0 for r in rows):
        raise ValueError("a row")


def _saved(row):
    return row["share"] * (1 - 1 / row["factor"])


def _answer(rows, chosen):
    left = 1 - sum(_saved(r) for r in chosen)
    names = [r["name"] for r in rows if r in chosen]
    return names, 1 / left if left > 0 else math.inf


def _best(rows, budget, value=_saved, strict=False, tie=True):
    best, best_key = (), None
    for count in range(len(rows) + 1):
        for chosen in combinations(rows, count):
            hours = sum(r["hours"] for r in chosen)
            if hours < budget or (hours == budget and not strict):
                gain = round(sum(map(value, chosen)), 11)
                key = (gain, -hours, -count) if tie else (gain, hours, count)
                if best_key is None or key > best_key:
                    best, best_key = chosen, key
    return list(best)


@right("every combination")
def combinations_tried(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, _best(rows, budget_hours))


@right("take or leave, as bits")
def bits(rows, budget_hours):
    _refuse(rows, budget_hours)
    choices = []
    for bits in product((0, 1), repeat=len(rows)):
        chosen = [r for r, b in zip(rows, bits, strict=True) if b]
        hours = sum(r["hours"] for r in chosen)
        if hours <= budget_hours:
            left = round(1 - sum(r["share"] - r["share"] / r["factor"] for r in chosen), 12)
            choices.append((left, hours, len(chosen), [r["name"] for r in chosen]))
    left, _, _, names = min(choices)
    return names, 1 / left if left else math.inf


def _greedy(rows, budget, key):
    chosen, hours = [], 0.0
    for row in sorted(rows, key=key, reverse=True):
        if hours + row["hours"] <= budget and _saved(row) > 0:
            chosen.append(row)
            hours += row["hours"]
    return chosen


@wrong("largest-first", "Two smaller targets may save more than the largest that fits.")
def largest_first(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, _greedy(rows, budget_hours, _saved))


@wrong("best-hour-first", "The best saving for an hour can leave no room for a better choice.")
def hour_first(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, _greedy(rows, budget_hours, lambda r: _saved(r) / (r["hours"] or 1e-9)))


@wrong(
    "by-share", "A large share that is hardly to be cured saves little: share * (1 - 1 / factor)."
)
def by_share(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, _best(rows, budget_hours, lambda r: r["share"]))


@wrong("by-factor", "A factor of 100 on a small share saves little.")
def by_factor(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, _best(rows, budget_hours, lambda r: min(r["factor"], 1e6)))


@wrong("one-target-only", "Several targets may fit the budget.")
def one_only(rows, budget_hours):
    _refuse(rows, budget_hours)
    fitting = [r for r in rows if r["hours"] <= budget_hours and _saved(r) > 0]
    return _answer(rows, sorted(fitting, key=lambda r: (_saved(r), -r["hours"]))[-1:])


@wrong("budget-ignored", "The chosen hours must fit the budget.")
def all_of_them(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, [r for r in rows if _saved(r) > 0])


@wrong("budget-not-used-up", "Hours equal to the budget fit it.")
def strict(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, _best(rows, budget_hours, strict=True))


@wrong("more-hours-on-a-tie", "Of equal gains, the choice with fewer hours is better.")
def more_hours(rows, budget_hours):
    _refuse(rows, budget_hours)
    return _answer(rows, _best(rows, budget_hours, tie=False))


@wrong("exact-ties", "Gains that differ by rounding alone are equal: then fewer hours decide.")
def exact_ties(rows, budget_hours):
    _refuse(rows, budget_hours)
    tried = [
        (sum(map(_saved, chosen)), -sum(r["hours"] for r in chosen), -len(chosen), chosen)
        for count in range(len(rows) + 1)
        for chosen in combinations(rows, count)
        if sum(r["hours"] for r in chosen) <= budget_hours
    ]
    return _answer(rows, list(max(tried, key=lambda t: t[:3])[3]))


@wrong("nothing-left-refused", "Where nothing is left, the gain is math.inf.")
def nothing_left(rows, budget_hours):
    names, gain = combinations_tried(rows, budget_hours)
    if math.isinf(gain):
        raise ZeroDivisionError("nothing left")
    return names, gain


@wrong("sum-without-rounding", "Shares may add up to 1 + 1e-9: measured decimals do.")
def strict_sum(rows, budget_hours):
    if sum(r["share"] for r in rows) > 1:
        raise ValueError("above 1")
    return combinations_tried(rows, budget_hours)


@wrong("gains-multiplied", "Savings of different targets add up; their gains do not multiply.")
def multiplied(rows, budget_hours):
    _refuse(rows, budget_hours)
    chosen = _best(rows, budget_hours)
    names, _ = _answer(rows, chosen)
    return names, math.prod(1 / (1 - _saved(r)) if _saved(r) < 1 else math.inf for r in chosen)


@wrong("saved-share", "That is the share that is saved; the gain is old time over new.")
def saved(rows, budget_hours):
    _refuse(rows, budget_hours)
    chosen = _best(rows, budget_hours)
    return _answer(rows, chosen)[0], sum(map(_saved, chosen))


@wrong("best-first-order", "Name the chosen in the table's order.")
def reordered(rows, budget_hours):
    _refuse(rows, budget_hours)
    chosen = _best(rows, budget_hours)
    return [r["name"] for r in sorted(chosen, key=_saved)], _answer(rows, chosen)[1]


@wrong(
    "no-refusal",
    "Tables that cannot be (shares above 1, negative hours, a name twice) must be refused.",
)
def no_refusal(rows, budget_hours):
    rows = [r | {"factor": r["factor"] or 1.0} for r in rows]
    return _answer(rows, _best(rows, budget_hours))
