"""cuda-window-sums: NumPy's running sums; what each block may load, counted."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, at_most, run

PARTS = {"values": 0.35, "edges": 0.35, "memory": 0.3}
HINTS = (
    "tile[k] holds q[blockIdx.x * blockDim.x - radius + k], or 0 outside of q; it has "
    "blockDim.x + 2 * radius codes.",
    "for (int k = threadIdx.x; k < blockDim.x + 2 * radius; k += blockDim.x) fills it with any radius.",
    "Every thread must reach __syncthreads(); only then leave with i >= n.",
    "Thread t sums tile[t] to tile[t + 2 * radius].",
)


def cases(rng):
    yield _case(rng, "n = 128, radius 2", "values", 128, 2, 64)
    yield _case(rng, "n = 96, radius 5", "values", 96, 5, 32)
    yield _case(rng, "radius 0", "values", 64, 0, 32)
    ends = np.full(64, 127, np.int8)
    yield _ready("all 127, radius 16", "values", ends, 16, 32)
    yield _case(rng, "radius of a block", "edges", 100, 32, 32)
    low = np.full(300, -128, np.int8)
    yield _ready("all -128, radius of a block of 160", "edges", low, 160, 160)
    n = int(rng.integers(35, 90)) | 1
    for count, radius, block in ((1, 3, 32), (n, 3, 32), (33, 4, 32), (5, 20, 64), (64, 31, 32)):
        yield _case(rng, f"n = {count}, radius {radius}", "edges", count, radius, block)
    yield _case(rng, "n = 512, radius 8", "memory", 512, 8, 128)
    yield _case(rng, "n = 300, radius 32", "memory", 300, 32, 64)
    yield _case(rng, "n = 200, radius 7, blocks of 40", "memory", 200, 7, 40)


def _case(rng, label, part, n, radius, block):
    return _ready(label, part, rng.integers(-128, 128, n).astype(np.int8), radius, block)


def _ready(label, part, q, radius, block):
    return case(label, part=part, q=q, radius=radius, block=block)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.q.size
    args = (
        ("in", "q", case.q),
        ("out", "sums", np.full(n, 77, np.int32)),
        np.int32(case.radius),
        np.int32(n),
    )
    shared = case.block + 2 * case.radius
    grid = (-(-n // case.block),)
    return run(answer, Launch("window_sums", grid, (case.block,), args, shared_mem=shared))


def judge(case, answer):
    n, radius = case.q.size, case.radius
    padded = np.concatenate([np.zeros(radius, np.int64), case.q, np.zeros(radius, np.int64)])
    want = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1).sum(axis=1)
    expect.codes(answer["sums"], want, "sums")
    counters = answer["counters"]
    stored = counters["store_bytes"] // 4
    expect.that(
        stored == n,
        "Each sum is to be written once.",
        yours=f"{stored:,} writes",
        right=f"{n:,} writes",
    )
    if case.part == "memory":
        firsts = range(0, n, case.block)
        tiles = [min(n, i + case.block + radius) - max(0, i - radius) for i in firsts]
        message = "A block is to load each code of its tile once; the sums read shared memory."
        at_most(counters, "load_bytes", sum(tiles), message)
        if case.block % 32:
            return  # its last warp's requests are short
        # 32 neighbouring bytes lie in one or two sectors; a short request at the tile's end adds some.
        message = "The tile is loaded in pieces: let neighbouring threads load neighbouring codes."
        at_most(counters, "load_sectors", 3 * -(-sum(tiles) // 32), message)
