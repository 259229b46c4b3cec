"""cuda-column-sums: NumPy's int64 sums, and the sectors and writes that theory asks for."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, at_most, run

PARTS = {"sums": 0.4, "edges": 0.2, "memory": 0.4}
HINTS = (
    "int col = blockIdx.x * blockDim.x + threadIdx.x; if (col >= cols) return;",
    "Sum in an int of the thread's own: int sum = 0; and a loop over the rows.",
    "Store once, after the loop: sums[col] = sum;",
)


def cases(rng):
    yield _case(rng, "20 x 64", "sums", 20, 64, (2,), (32,))
    yield _ready("all 127", "sums", np.full((300, 32), 127, np.int8), (1,), (32,))
    yield _ready("all -128", "sums", np.full((300, 32), -128, np.int8), (1,), (32,))
    cols = int(rng.integers(35, 60))
    yield _case(rng, f"9 x {cols}", "edges", 9, cols, (2,), (32,))
    yield _case(rng, "one row", "edges", 1, 40, (1,), (64,))
    yield _case(rng, "one column", "edges", 33, 1, (1,), (32,))
    yield _case(rng, "blocks of 40", "edges", 5, 75, (2,), (40,))
    # 140,000 * 127 is more than the integers that a float can count, 2**24.
    yield _ready("140,000 rows of 127", "edges", np.full((140_000, 1), 127, np.int8), (1,), (32,))
    yield _case(rng, "64 x 64", "memory", 64, 64, (1,), (64,))
    yield _case(rng, "40 x 256", "memory", 40, 256, (2,), (128,))


def _case(rng, label, part, rows, cols, grid, block):
    q = rng.integers(-128, 128, (rows, cols)).astype(np.int8)
    return _ready(label, part, q, grid, block)


def _ready(label, part, q, grid, block):
    return case(label, part=part, q=q, grid=grid, block=block)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    rows, cols = case.q.shape
    args = (
        ("in", "q", case.q),
        ("out", "sums", np.full(cols, 77, np.int32)),
        np.int32(rows),
        np.int32(cols),
    )
    return run(answer, Launch("column_sums", case.grid, case.block, args))


def judge(case, answer):
    expect.codes(answer["sums"], case.q.sum(axis=0, dtype=np.int64), "sums")
    counters = answer["counters"]
    written = counters["store_bytes"] // 4
    if case.part != "memory":
        return
    rows, cols = case.q.shape
    expect.that(
        written == cols and not counters["atomics"],
        "Each sum is to be written once, by its own thread: keep it in a register until then.",
        yours=f"{written:,} writes, {counters['atomics']:,} atomics",
        right=f"{cols:,} writes",
    )
    # A warp's 32 codes of a row are 32 bytes, and begin at a multiple of 32: one sector.
    message = (
        "More sectors than the codes fill: neighbouring threads are to read neighbouring codes."
    )
    at_most(counters, "load_sectors", rows * cols // 32, message)
