"""cubic-schedule: Zhu and Gupta's sparsity at a step, with its stairs and its ends."""

import math
from fractions import Fraction

from autograder.checks import case, expect, refusal

PARTS = {"the cubic": 0.5, "stairs and ends": 0.3, "bad input": 0.2}
HINTS = (
    "Updates so far: (step - start) // every, at least 0, at most `updates`.",
    "final + (initial - final) * (1 - done / updates)**3.",
    "0 <= initial <= final <= 1 in one comparison; NaN fails it.",
)


def cases(rng):
    def at(label, part, step, start, every, updates, **more):
        given = {"step": step, "start": start, "every": every, "updates": updates, **more}
        return case(label, part, given=given)

    for k in range(6):
        start, every, updates = (int(n) for n in rng.integers([0, 1, 2], [500, 90, 12]))
        done = int(rng.integers(1, updates))
        ends = sorted(float(v) for v in rng.uniform(0, 1, 2))
        step = start + done * every
        yield at(f"update {done} of {updates}", "the cubic", step, start, every, updates,
                 initial=ends[0], final=ends[1])  # fmt: skip
        if k < 2:
            yield at("the defaults", "the cubic", step, start, every, updates)
    yield at("one update", "the cubic", 10, 0, 10, 1, initial=0.2, final=0.6)
    for label, step in (
        ("step 0", 0), ("just before the start", 99), ("at the start", 100),
        ("before the first update", 109), ("at the first update", 110), ("between two", 128),
        ("before the last", 149), ("at the last", 150), ("after it", 151), ("long after", 10**6),
    ):  # fmt: skip
        yield at(label, "stairs and ends", step, 100, 10, 5, initial=0.3, final=0.8)
    for step in (110, 112, 113, 120, 150, 152, 153):
        yield at(f"a start of 103, step {step}", "stairs and ends", step, 103, 10, 5,
                 initial=0.1, final=0.7)  # fmt: skip
    yield at("initial equals final", "stairs and ends", 7, 0, 2, 9, initial=0.5, final=0.5)
    yield at("to 1", "stairs and ends", 20, 0, 10, 2, initial=0.0, final=1.0)
    for label, more in (
        ("every 0", {"every": 0}), ("updates 0", {"updates": 0}), ("every -1", {"every": -1}),
        ("updates -1", {"updates": -1}),
        ("initial -0.1", {"initial": -0.1}), ("final 1.1", {"final": 1.1}),
        ("final 90", {"final": 90.0}),
        ("initial 1.2", {"initial": 1.2, "final": 1.5}),
        ("final below initial", {"initial": 0.9, "final": 0.5}),
        ("a NaN final", {"final": math.nan}), ("a NaN initial", {"initial": math.nan}),
    ):  # fmt: skip
        for step in (0, 15, 500):
            base = {"every": 10, "updates": 4, **more}
            yield at(f"{label}, step {step}", "bad input", step, 0, **base)


def probe(solution, given):
    sparse = [given.get("initial", 0.0), given.get("final", 0.9)]
    good = given["every"] >= 1 and given["updates"] >= 1 and 0 <= sparse[0] <= sparse[1] <= 1
    if not good:
        return refusal(lambda: solution(**given))
    return solution(**given)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    given = {"initial": 0.0, "final": 0.9, **case.given}
    initial, final = Fraction(given["initial"]), Fraction(given["final"])
    times = range(1, given["updates"] + 1)
    done = sum(given["start"] + k * given["every"] <= given["step"] for k in times)
    left = Fraction(given["updates"] - done, given["updates"])
    want = float(final + (initial - final) * left**3)
    return expect.number(answer, want, "sparsity", rtol=1e-12, atol=1e-14,
                         hint=f"{done} of {given['updates']} updates are done.")  # fmt: skip
