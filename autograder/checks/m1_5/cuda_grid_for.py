"""cuda-grid-for: the smallest grid by counting up, and threads counted."""

from autograder.checks import case, expect

PARTS = {"grid": 0.5, "idle": 0.3, "refuse": 0.2}
HINTS = (
    "Round up: -(-cols // block[0]) blocks in x, -(-rows // block[1]) in y.",
    "Idle: threads of all blocks minus rows * cols.",
)
SIZES = [
    (1, 1, (32, 1)),
    (3, 100, (32, 2)),
    (64, 64, (16, 16)),
    (65, 64, (16, 16)),
    (64, 65, (16, 16)),
    (1, 100_000, (1024, 1)),
    (1000, 3, (8, 128)),
    (7, 5, (32, 32)),
]


def cases(rng):
    sizes = [*SIZES, (*(int(v) for v in rng.integers(50, 500, 2)), (32, 8))]
    for part in ("grid", "idle"):
        for rows, cols, block in sizes:
            yield case(f"{rows} x {cols}, block {block}", part=part, arguments=(rows, cols, block))
    wrong_sizes = [(0, 5, (8, 8)), (5, 0, (8, 8)), (-2, -3, (8, 8))]
    wrong_blocks = [(5, 5, (0, 8)), (5, 5, (8, -1)), (5, 5, (-8, -8)), (5, 5, (33, 32))]
    for bad in wrong_sizes + wrong_blocks:
        yield case(f"{bad}", part="refuse", arguments=bad)


def probe(solution, arguments):
    if min(*arguments[:2], *arguments[2]) < 1 or arguments[2][0] * arguments[2][1] > 1024:
        return refusal(lambda: solution(*arguments))  # noqa: F821
    return solution(*arguments)


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for grid_for{case.label}.")
        return
    grid, idle = expect.sequence(answer, ("grid", "idle"))
    rows, cols, block = case.arguments
    grid = expect.sequence(grid, ("x", "y"))
    wanted = []
    for size, threads in ((cols, block[0]), (rows, block[1])):
        blocks = 1
        while blocks * threads < size:
            blocks += 1
        wanted.append(blocks)
    if case.part == "grid":
        expect.integer(grid[0], wanted[0], "grid x", hint="x runs along the columns.")
        expect.integer(grid[1], wanted[1], "grid y", hint="y runs along the rows.")
        return
    threads = wanted[0] * wanted[1] * block[0] * block[1]
    expect.integer(idle, threads - rows * cols, "idle")
