"""cuda-transpose-codes: NumPy's transpose; sectors and wavefronts as few as theory has them."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, at_most, run

PARTS = {"whole tiles": 0.3, "edges": 0.3, "memory": 0.4}
HINTS = (
    "extern __shared__ signed char tile[]; element (row, col) of the tile at tile[row * pitch + col].",
    "Pitch 33 is not enough: bytes share words. 32 rows of 36 bytes are 1,152.",
    "Otherwise as the transpose of floats: load along x's rows, __syncthreads(), store along y's rows.",
)
SHARED_BYTES = 32 * 36


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
    return case(label, part=part, x=rng.integers(-128, 128, (rows, cols)).astype(np.int8))


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    rows, cols = case.x.shape
    args = (
        ("in", "x", case.x),
        ("out", "y", np.full((cols, rows), 85, np.int8)),
        np.int32(rows),
        np.int32(cols),
    )
    grid = (-(-cols // 32), -(-rows // 32))
    return run(answer, Launch("transpose_codes", grid, (32, 8), args, shared_mem=SHARED_BYTES))


def judge(case, answer):
    expect.codes(answer["y"], case.x.T, "y")
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
