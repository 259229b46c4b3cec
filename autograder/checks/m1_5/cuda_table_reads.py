"""cuda-table-reads: entries and sectors of a table marked one by one."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"constant": 0.5, "global": 0.5}
HINTS = (
    "Constant memory: how many different entries do the active lanes ask for?",
    "Global memory: entry i lies in sector i // 8, since 8 floats fill 32 bytes.",
)


def cases(rng):
    lists = [
        ("all lanes one entry", [5] * 32),
        ("each lane its own entry", list(range(32))),
        ("16 entries of a codebook", [int(v) for v in rng.integers(0, 16, 32)]),
        ("by turns", [0, 9] * 16),
        ("backwards", list(range(63, 31, -1))),
        ("across a sector's end", [7, 8] * 16),
        ("lanes that stay away", [None, 3] * 16),
        ("far apart", [64 * i for i in range(32)]),
        ("one lane", [None] * 31 + [200]),
        ("nobody", [None] * 32),
        ("eight lanes to an entry", [100 + i // 8 for i in range(32)]),
        ("scattered", [int(v) for v in rng.integers(0, 100, 32)]),
    ]
    for part in PARTS:
        for label, indices in lists:
            yield case(label, part=part, indices=indices)


def probe(solution, indices):
    return solution(indices)


def judge(case, answer):
    constant, sectors = expect.sequence(answer, ("constant", "sectors"))
    asked = np.zeros(4096, bool)
    asked[[i for i in case.indices if i is not None]] = True
    if case.part == "constant":
        expect.integer(constant, int(asked.sum()), "constant")
    else:
        expect.integer(sectors, int(asked.reshape(-1, 8).any(axis=1).sum()), "sectors")
