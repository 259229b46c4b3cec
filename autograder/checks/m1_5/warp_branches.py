"""warp-branches: warps counted one by one, lanes in exact fractions."""

from fractions import Fraction

import numpy as np

from autograder.checks import case, expect

PARTS = {"divergent": 0.3, "steps": 0.3, "share": 0.25, "refuse": 0.15}
HINTS = (
    "Cut the list into pieces of 32: a warp is divergent if its piece holds both True and False.",
    "A warp takes then_steps if any lane goes there, plus else_steps if any lane does not.",
    "Busy lane-steps: then_steps for each True, else_steps for each False. All: 32 for each step of a warp.",
)


def cases(rng):
    ragged = int(rng.integers(33, 63))
    patterns = {
        "every second thread": [i % 2 == 0 for i in range(128)],
        "every second warp": [i // 32 % 2 == 0 for i in range(128)],
        "one of 64": [i == 40 for i in range(64)],
        "all": [True] * 64,
        "none": [False] * 96,
        "the first half of a warp": [i < 16 for i in range(32)],
        "across two warps": [16 <= i < 48 for i in range(64)],
        "40 threads, the last warp agrees": [i >= 32 for i in range(40)],
        "one thread": [True],
        f"{ragged} threads at random": [bool(v) for v in rng.random(ragged) < 0.5],
        "256 threads, 1 in 40": [bool(v) for v in rng.random(256) < 1 / 40],
    }
    for part in ("divergent", "steps", "share"):
        for label, taken in patterns.items():
            yield case(label, part=part, arguments=(taken, 12, 5))
        yield case("an if without an else", part=part, arguments=(patterns["one of 64"], 7, 0))
        yield case("nobody takes an if without an else", part=part, arguments=([False] * 40, 7, 0))
        yield case("a NumPy array", part=part, arguments=(np.arange(70) % 3 == 0, 2, 9))
    for bad in (([], 1, 1), ([True], 0, 1), ([True], 1, -1), ([True, False], -3, 2)):
        yield case(f"{bad}", part="refuse", arguments=bad, good=False)


def probe(solution, arguments, good=True):
    if good:
        return solution(*arguments)
    return refusal(lambda: solution(*arguments))  # noqa: F821


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    divergent, steps, share = expect.sequence(answer, ("divergent", "steps", "busy_share"))
    taken, then_steps, else_steps = case.arguments
    taken = [bool(v) for v in taken]
    split = total = 0
    for start in range(0, len(taken), 32):
        warp = set(taken[start : start + 32])
        split += len(warp) == 2
        total += sum(then_steps if way else else_steps for way in warp)
    if case.part == "divergent":
        expect.integer(divergent, split, "divergent")
    elif case.part == "steps":
        expect.integer(steps, total, "steps")
    else:
        busy = sum(then_steps if way else else_steps for way in taken)
        want = float(Fraction(busy, 32 * total)) if total else 0.0
        expect.number(share, want, "busy_share")
