"""stack-spot: expected hours, against a Markov chain solved backwards in fractions."""

import re
from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"one piece": 0.35, "checkpoints": 0.45, "refuse": 0.2}
HINTS = (
    "For m hours in a row: (1 - p)**-m - 1 interruptions are expected, and that many / p hours.",
    "Cut the work into pieces; the last may be shorter, and no checkpoint follows it.",
    "Keep Fractions: begin with Fraction(0), and Fraction(p) for an int.",
)


def _case(label, part, work, every, p, restart="0", save="0", **more):
    return case(
        label,
        part,
        work_h=work,
        every_h=every,
        interrupted=p,
        restart_h=restart,
        save_h=save,
        **more,
    )


def cases(rng):
    part = "one piece"
    for work, every, p, restart, save in (
        (1, 1, "1/2", "0", "0"), (1, 5, "1/2", "1/4", "1/3"), (2, 2, "1/2", "0", "0"),
        (3, 3, "1/3", "1/2", "1"),
        (5, 8, "1/10", "1/4", "1/6"), (8, 8, "1/50", "1/3", "1/5"), (4, 4, "0", "1/2", "1/2"),
        (7, 9, "0", "1", "1"),
        (30, 30, "1/20", "1/4", "0"), (3, 3, "9/10", "2", "0"), (6, 6, "1/1000", "0", "0"),
    ):  # fmt: skip
        yield _case(f"{work} h in one piece, p = {p}", part, work, every, p, restart, save)
    part = "checkpoints"
    for work, every, p, restart, save in (
        (4, 2, "1/2", "1/4", "1/10"), (5, 2, "1/3", "1/4", "1/10"), (7, 3, "1/10", "1/2", "1/6"),
        (48, 6, "1/20", "1/4", "1/6"),
        (9, 1, "1/8", "1/4", "1/12"), (10, 9, "1/8", "0", "1/12"), (10, 4, "0", "1/4", "1/6"),
        (6, 3, "0", "0", "1/3"),
        (2, 1, "1/7", "1", "0"), (24, 24, "1/9", "1/5", "5"),
    ):  # fmt: skip
        yield _case(
            f"{work} h, checkpoint each {every} h, p = {p}", part, work, every, p, restart, save
        )
    for k in range(4):
        work, every = int(rng.integers(5, 40)), int(rng.integers(1, 8))
        yield _case(f"drawn, {k + 1}", part, work, every,
            f"{int(rng.integers(1, 5))}/{int(rng.integers(6, 60))}",
                    f"{int(rng.integers(0, 9))}/8", f"{int(rng.integers(0, 9))}/12")  # fmt: skip
    for label, bad in (
        ("no work", {"work": 0}), ("negative work", {"work": -2}),
        ("a checkpoint each 0 hours", {"every": 0}),
        ("a probability of 1", {"p": "1"}), ("a probability above 1", {"p": "3/2"}),
        ("a negative probability", {"p": "-1/10"}), ("a negative restart", {"restart": "-1/2"}),
        ("a negative time of writing", {"save": "-1"}),
    ):  # fmt: skip
        yield _case(label, "refuse", **({"work": 6, "every": 2, "p": "1/10"} | bad), refuse=True)


def probe(solution, work_h, every_h, interrupted, restart_h, save_h, refuse=False):
    from fractions import Fraction

    made = []
    for text in (interrupted, restart_h, save_h):
        value = Fraction(text)
        made.append(int(value) if value.denominator == 1 else value)
    if refuse:
        return refusal(lambda: solution(work_h, every_h, *made))  # noqa: F821
    answer = solution(work_h, every_h, *made)
    if isinstance(answer, Fraction):  # 4,096 bits are what plain data may hold
        return {"fraction": f"{answer.numerator:x}/{answer.denominator:x}"}
    return answer


def piece(hours, p, restart):
    """Expected hours from nothing done to `hours` in a row: E_k = a_k + b_k E_0, from the end backwards."""
    a, b = Fraction(0), Fraction(0)
    for _ in range(hours):
        a, b = 1 + (1 - p) * a + p * restart, (1 - p) * b + p
    return a / (1 - b)


def expected(work, every, p, restart, save):
    full, rest = divmod(work, every)
    sizes = [every] * full + ([rest] if rest else [])
    return sum(piece(size, p, restart) for size in sizes) + (len(sizes) - 1) * save


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = expected(
        case.work_h, case.every_h, *map(Fraction, (case.interrupted, case.restart_h, case.save_h))
    )
    if isinstance(answer, dict):
        answer = _fraction(answer.get("fraction"))
    exact = isinstance(answer, (int, Fraction)) and not isinstance(answer, bool)
    expect.that(exact, "Return a Fraction (or an int), not a rounded number.", stage="type",
                yours=expect.kind(answer), right="a Fraction")  # fmt: skip
    near = answer != want and abs(answer - want) < want / 10**9
    cause = "Very near: somewhere a float came in." if near else ""
    expect.that(answer == want, "The expected hours are off.", yours=_hours(answer),
                right=_hours(want), cause=cause)  # fmt: skip
    return None


def _fraction(text):
    """What the probe wrote; anything else as it is."""
    found = (
        re.fullmatch("(-?[0-9a-f]{1,20000})/([0-9a-f]{1,20000})", text)
        if isinstance(text, str)
        else None
    )
    if found is None or not int(found[2], 16):
        return text
    return Fraction(int(found[1], 16), int(found[2], 16))


def _hours(value):
    return f"{float(value):.8g} h" if abs(value) < 10**300 else "more than 1e300 h"
