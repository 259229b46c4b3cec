"""cuda-transpose: NumPy's transpose; sectors and wavefronts as few as theory has them."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, at_most, run

PARTS = {"whole tiles": 0.3, "edges": 0.3, "memory": 0.4}
HINTS = (
    "Load: tile[j][tx] = x[(32 * blockIdx.y + j) * cols + 32 * blockIdx.x + tx] for j = ty, ty + 8, ...",
    "__syncthreads() outside of any condition; then y[out_row * rows + out_col] = tile[tx][j], where "
    "out_row = 32 * blockIdx.x + j and out_col = 32 * blockIdx.y + tx.",
    "Guards: row < rows and col < cols for the load; the same with the roles changed for the store.",
    "Pad the tile's rows: __shared__ float tile[32][33].",
)


def cases(rng):
    yield _case(rng, "32 x 32", "whole tiles", 32, 32)
    yield _case(rng, "32 x 96", "whole tiles", 32, 96)
    yield _case(rng, "96 x 32", "whole tiles", 96, 32)
    rows, cols = (int(v) for v in rng.integers(34, 60, 2))
    for r, c in ((1, 1), (5, 33), (40, 7), (31, 64), (rows, cols)):
        yield _case(rng, f"{r} x {c}", "edges", r, c)
    yield _case(rng, "64 x 96", "memory", 64, 96)
    yield _case(rng, "32 x 128", "memory", 32, 128)


def _case(rng, label, part, rows, cols):
    return case(label, part=part, x=rng.normal(size=(rows, cols)).astype(np.float32))


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    rows, cols = case.x.shape
    args = (
        ("in", "x", case.x),
        ("out", "y", np.full((cols, rows), np.nan, np.float32)),
        np.int32(rows),
        np.int32(cols),
    )
    grid = (-(-cols // 32), -(-rows // 32))
    return run(answer, Launch("transpose", grid, (32, 8), args))


def judge(case, answer):
    expect.close(answer["y"], case.x.T, "y", rtol=0)
    counters = answer["counters"]
    size, item = case.x.size, case.x.itemsize
    stored = counters["store_bytes"] // item
    expect.that(
        stored == size,
        "Each element is to be written once.",
        yours=f"{stored:,} writes",
        right=f"{size:,} writes",
    )
    if case.part != "memory":
        return
    filled = size * item // 32
    message = "The loads touch more sectors than x fills: let lanes run along a row, once."
    at_most(counters, "load_sectors", filled, message)
    message = "The stores touch more sectors than y fills: let lanes run along a row of y."
    at_most(counters, "store_sectors", filled, message)
    message = "The tile's rows or columns collide in the banks of shared memory."
    at_most(counters, "bank_conflicts", 0, message)
