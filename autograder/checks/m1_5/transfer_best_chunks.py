"""transfer-best-chunks: every number of chunks tried, each by an event simulation."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.transfers import pipeline_us

PARTS = {"choose": 0.8, "refuse": 0.2}
HINTS = (
    "With n chunks a stage of one chunk takes overhead_us + stage_us / n.",
    "The first chunk passes all three stages; after it, a chunk ends when the slowest stage has done one.",
    "Try every n from 1 to max_chunks and keep the best.",
)
TIE = 1e-9


def cases(rng):
    for label, stages in (
        ("equal stages", (8000.0, 8000.0, 8000.0)),
        ("copy in is longest", (9000.0, 2500.0, 4000.0)),
        ("the kernel is longest", (3000.0, 11000.0, 2000.0)),
        ("copy out is longest", (1000.0, 2000.0, 7000.0)),
        ("no copy out", (5000.0, 4000.0, 0.0)),
        ("a small job", (30.0, 20.0, 10.0)),
        ("drawn", tuple(float(v) for v in rng.uniform(500, 9000, 3))),
    ):
        for overhead in (float(rng.uniform(8, 12)), float(rng.uniform(60, 400))):
            yield case(f"{label}, {overhead:.0f} us a chunk", "choose", stages=stages,
                       overhead=overhead, most=48)  # fmt: skip
    yield case("one chunk at most", "choose", stages=(100.0, 90.0, 80.0), overhead=1.0, most=1)
    yield case("four at most", "choose", stages=(1e4, 1e4, 1e4), overhead=1.0, most=4)
    yield case("no overhead", "choose", stages=(300.0, 200.0, 100.0), overhead=0.0, most=32)
    # the rounded optimum is not the best whole number: sqrt(2.1) rounds to 1, and 2 is better
    yield case("between one and two", "choose", stages=(21.0, 21.0, 0.0), overhead=10.0, most=9)
    for label, stages, overhead, most in (
        ("a negative time", (1.0, -1.0, 1.0), 1.0, 4),
        ("a negative overhead", (1.0, 1.0, 1.0), -1.0, 4),
        ("max_chunks 0", (1.0, 1.0, 1.0), 1.0, 0),
    ):
        yield case(label, "refuse", stages=stages, overhead=overhead, most=most, refuse=True)


def probe(solution, stages, overhead, most, refuse=False):
    if refuse:
        return refusal(lambda: solution(*stages, overhead, most))  # noqa: F821
    return solution(*stages, overhead, most)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    chunks, time_us = expect.sequence(answer, ("chunks", "time_us"))
    times = {n: pipeline_us(n, case.stages, case.overhead) for n in range(1, int(case.most) + 1)}
    best = min(times, key=times.get)
    tied = [n for n, t in times.items() if t <= times[best] * (1 + TIE)]
    plain = isinstance(chunks, (int, np.integer))
    expect.integer(chunks, chunks if plain and chunks in tied else best, "chunks")
    expect.number(time_us, times[best], "time_us")
    return None
