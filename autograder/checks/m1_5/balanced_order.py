"""balanced-order: the least sum of maxima is that of every 32nd length, longest first."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"before": 0.3, "order": 0.5, "after": 0.2}
HINTS = (
    "A warp takes as many steps as its longest row: cut the lengths into pieces of 32, add the maxima.",
    "Rows of like length belong in one warp: sort. Which end must the partial warp have?",
    "Longest first: then the warp that is not full gets the shortest rows.",
)


def cases(rng):
    sets = {
        "64 rows, long and short in turn": np.where(np.arange(64) % 2, 100, 3),
        "40 rows, a partial warp": np.arange(1, 41),
        "33 rows, one long": np.where(np.arange(33) == 5, 500, 2),
        "100 rows": rng.integers(1, 200, 100),
        "96 equal rows": np.full(96, 7),
        "rows of no length": np.where(np.arange(70) % 5 == 0, 9, 0),
        "10 rows": rng.integers(0, 50, 10),
        "300 rows, few long": np.where(rng.random(300) < 0.05, 400, rng.integers(1, 20, 300)),
    }
    for part in PARTS:
        for label, lengths in sets.items():
            yield case(label, part=part, lengths=lengths.astype(np.int64))
    yield case("none", part="before", lengths=np.zeros(0, np.int64))


def probe(solution, lengths):
    return solution(lengths)


def judge(case, answer):
    order, before, after = expect.sequence(answer, ("order", "before", "after"))
    lengths = case.lengths.tolist()
    first = sum(max(lengths[i : i + 32]) for i in range(0, len(lengths), 32))
    if case.part == "before":
        expect.integer(before, first, "before")
    least = sum(sorted(lengths, reverse=True)[::32])
    order = expect.array(order, "order", shape=case.lengths.shape, dtype=np.int64)
    if case.part == "order":
        expect.that(
            sorted(order.tolist()) == list(range(len(lengths))),
            "`order` must hold every row's number once.",
            yours=f"{len(set(order.tolist()))} different numbers",
            right=f"0 to {len(lengths) - 1}",
        )
        placed = [lengths[i] for i in order]
        took = sum(max(placed[i : i + 32]) for i in range(0, len(placed), 32))
        expect.that(
            took == least,
            "Another order needs fewer steps.",
            yours=f"{took} steps",
            right=f"{least} steps",
        )
    if case.part == "after":
        expect.integer(after, least, "after")
