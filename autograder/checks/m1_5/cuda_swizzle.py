"""cuda-swizzle: any placing will do that uses each place once and keeps rows and columns apart."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"places": 0.34, "rows": 0.33, "columns": 0.33}
HINTS = (
    "Keep the row where it is, and move the columns within it: 32 * row + something of row and col.",
    "The something must go through 0 to 31 both when col does and when row does.",
    "col ^ row, or (col + row) % 32.",
)


def cases(rng):
    for part in PARTS:
        yield case(f"a 32 x 32 tile: {part}", part=part)


def probe(solution):
    return [[solution(row, col) for col in range(32)] for row in range(32)]


def judge(case, answer):
    places = [[_place(value, r, c) for c, value in enumerate(row)] for r, row in enumerate(answer)]
    places = np.array(places)
    values, counts = np.unique(places, return_counts=True)
    if values.size < 1024:
        twice = values[counts > 1][0]
        pair = np.argwhere(places == twice)[:2].tolist()
        expect.wrong(
            "values",
            "Two elements have the same place.",
            yours=f"{tuple(pair[0])} and {tuple(pair[1])} at {twice}",
            right="1,024 different places",
        )
    if case.part != "places":
        banks = places % 32 if case.part == "rows" else places.T % 32
        for i, row in enumerate(banks):
            most = int(np.bincount(row).max())
            expect.that(
                most == 1,
                f"{case.part.title()[:-1]} {i} has bank conflicts.",
                yours=f"{most} elements in bank {int(np.bincount(row).argmax())}",
                right="32 banks, one element each",
            )


def _place(value, row, col):
    name = f"swizzled({row}, {col})"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        expect.wrong("type", f"`{name}` must be an int.", yours=expect.kind(value), right="an int")
    expect.that(
        0 <= value < 1024,
        f"`{name}` lies outside the tile.",
        yours=int(value),
        right="0 to 1023",
    )
    return int(value)
