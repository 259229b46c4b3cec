"""cuda-grid-stride: every grid gives the same floats, each element is written once, in order."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, own_elements, run, written_once

PARTS = {"values": 0.4, "any grid": 0.4, "neighbours": 0.2}
HINTS = (
    "for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)",
    "q[i] - zero_point in int; then times scale, in float.",
)


def cases(rng):
    yield _case(rng, "one element a thread", "values", 512, (4,), (128,))
    yield _case(rng, "two elements a thread", "values", 512, (2,), (128,))
    ends = np.int8([-128, 127, -128, 127, 0, 1, -1, 64])
    for zero_point in (127, -128):
        yield case(
            f"zero-point {zero_point}",
            part="values",
            q=ends,
            zero_point=zero_point,
            scale=0.5,
            grid=(1,),
            block=(32,),
        )
    for n, grid, block in (
        (100, (1,), (1,)),
        (1000, (3,), (64,)),
        (77, (5,), (7,)),
        (50, (8,), (32,)),
    ):
        yield _case(rng, f"n = {n}, {grid[0]} blocks of {block[0]}", "any grid", n, grid, block)
    n = int(rng.integers(500, 900)) | 1
    yield _case(rng, f"n = {n}, 2 blocks of 96", "any grid", n, (2,), (96,))
    yield _case(rng, "who does what", "neighbours", 1500, (4,), (64,))


def _case(rng, label, part, n, grid, block):
    q = rng.integers(-128, 128, n).astype(np.int8)
    zero_point = int(rng.integers(-20, 20))
    return case(label, part=part, q=q, zero_point=zero_point, scale=0.1, grid=grid, block=block)


def probe(solution, q, zero_point, scale, grid, block):
    return solution()


def observe(case, answer):
    n = case.q.size
    args = (
        ("in", "q", case.q),
        ("out", "x", np.full(n, np.nan, np.float32)),
        np.float32(case.scale),
        np.int32(case.zero_point),
        np.int32(n),
    )
    return run(answer, Launch("dequantize", case.grid, case.block, args))


def judge(case, answer):
    want = float(np.float32(case.scale)) * (case.q.astype(np.int64) - case.zero_point)
    # fmaf(scale, q, -scale * zero_point) rounds the product first: that is allowed.
    expect.close(answer["x"], want, "x", rtol=1e-6, atol=2e-5 * case.scale)
    counters = answer["counters"]
    written_once(counters, want.size, "Each element is to be written once.", 4)
    if case.part == "neighbours":
        step = case.grid[0] * case.block[0]
        own_elements(
            answer,
            "x",
            lambda lane: list(range(lane, want.size, step)),
            "In every step, consecutive threads of the grid must do consecutive elements.",
        )
