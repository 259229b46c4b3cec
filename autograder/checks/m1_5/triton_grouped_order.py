"""triton-grouped-order: the order written out tile by tile."""

from autograder.checks import case, expect

PARTS = {"whole bands": 0.4, "a lower last band": 0.4, "refuse": 0.2}
HINTS = (
    "band, inside = divmod(program, group * tiles_n).",
    "The last band has min(group, tiles_m - band * group) rows.",
    "Inside a band: column inside // height, row inside % height.",
)


def cases(rng):
    for m, n, group in ((4, 3, 2), (8, 5, 4), (6, 1, 3), (5, 4, 1), (6, 4, 6), (1, 7, 1)):
        yield case(f"{m} x {n} in bands of {group}", part="whole bands", m=m, n=n, group=group)
    for m, n, group in ((5, 3, 2), (7, 4, 3), (3, 5, 8), (1, 4, 2), (9, 2, 4)):
        yield case(
            f"{m} x {n} in bands of {group}", part="a lower last band", m=m, n=n, group=group
        )
    m, n, group = (int(v) for v in rng.integers(3, 12, 3))
    yield case(f"{m} x {n} in bands of {group}", part="a lower last band", m=m, n=n, group=group)
    for arguments in ((6, 3, 2, 2), (-1, 3, 2, 2), (0, 0, 2, 2), (0, 3, 0, 1), (0, 3, 2, 0)):
        yield case(f"{arguments}", part="refuse", arguments=arguments)


def probe(solution, m=0, n=0, group=0, arguments=None):
    if arguments:
        return refusal(lambda: solution(*arguments))  # noqa: F821
    return [solution(program, m, n, group) for program in range(m * n)]


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for grouped_tile{case.label}.")
        return
    want = []
    for first in range(0, case.m, case.group):
        rows = range(first, min(first + case.group, case.m))
        want += [(row, column) for column in range(case.n) for row in rows]
    for program, (pair, right) in enumerate(zip(answer, want, strict=True)):
        row, column = expect.sequence(pair, ("row", "column"))
        for value, name, good in ((row, "row", right[0]), (column, "column", right[1])):
            expect.integer(value, good, name, hint=f"Program {program} does tile {right}.")
