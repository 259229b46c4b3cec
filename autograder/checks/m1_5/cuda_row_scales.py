"""cuda-row-scales: NumPy's broadcast product, on watched two-dimensional launches."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, own_elements, run, written_once

PARTS = {"whole blocks": 0.4, "edges": 0.4, "pitch": 0.2}
HINTS = (
    "col from x, row from y; guard both: row < rows && col < cols.",
    "q[row * pitch + col], x[row * cols + col], scale[row].",
)


def cases(rng):
    yield _case(rng, "8 x 32", "whole blocks", 8, 32, 32, (1, 2), (32, 4))
    yield _case(rng, "16 x 64", "whole blocks", 16, 64, 64, (4, 2), (16, 8))
    for rows, cols, block in ((1, 1, (8, 8)), (5, 33, (16, 4)), (17, 7, (8, 8)), (3, 100, (32, 1))):
        grid = (-(-cols // block[0]), -(-rows // block[1]))
        yield _case(rng, f"{rows} x {cols}", "edges", rows, cols, cols, grid, block)
    rows, cols = (int(v) for v in rng.integers(10, 40, 2))
    yield _case(
        rng, f"{rows} x {cols}", "edges", rows, cols, cols, (-(-cols // 8), -(-rows // 4)), (8, 4)
    )
    yield _case(rng, "padded rows", "pitch", 6, 20, 32, (1, 2), (32, 4))
    yield _case(rng, "padded rows, edges", "pitch", 5, 13, 17, (2, 2), (8, 4))


def _case(rng, label, part, rows, cols, pitch, grid, block):
    q = (
        rng.integers(-128, 128, (rows, pitch))
        .astype(np.int8)
        .ravel()[: rows * pitch - (pitch - cols)]
    )
    scale = rng.uniform(0.01, 2, rows).astype(np.float32)
    sizes = {"rows": rows, "cols": cols, "pitch": pitch}
    return case(label, part=part, q=q, scale=scale, grid=grid, block=block, **sizes)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    args = (
        ("in", "q", case.q),
        ("in", "scale", case.scale),
        ("out", "x", np.full((case.rows, case.cols), np.nan, np.float32)),
        *(np.int32(v) for v in (case.rows, case.cols, case.pitch)),
    )
    return run(answer, Launch("dequantize_rows", case.grid, case.block, args))


def judge(case, answer):
    at = np.arange(case.rows)[:, None] * case.pitch + np.arange(case.cols)
    want = case.scale[:, None].astype(np.float64) * case.q[at]
    expect.close(answer["x"], want, "x", rtol=1e-6)
    written_once(answer["counters"], want.size, "Each element is to be written once.", 4)
    if case.part == "edges":
        own_elements(
            answer,
            "x",
            lambda lane: _of_thread(lane, case),
            "Each thread is to do one element: its column from x, its row from y.",
        )
    if case.part == "pitch":
        read = answer["loads"]["q"]
        expect.that(
            read <= want.size,
            "What lies between the rows of q is not to be read.",
            yours=f"{read} bytes of q",
            right=f"{want.size} bytes of q",
        )


def _of_thread(lane, case):
    row, col = divmod(lane, case.block[0])
    return [row * case.cols + col] if row < case.rows and col < case.cols else []
