"""cuda-fix-races: differences by NumPy; the watch finds what is still unordered."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"one pass": 0.4, "more passes": 0.3, "ragged": 0.3}
HINTS = (
    "A neighbour's value may be read after a barrier only.",
    "And the tile may be overwritten after a second one only, at the end of the loop's body.",
    "A barrier inside `if (i < n)` is not reached by all: close the if before it and open another behind it.",
    "Many threads add to *large: atomicAdd(large, 1).",
)


def cases(rng):
    yield _case(rng, "64 codes, a block of 64", "one pass", 64, (1,), (64,))
    yield _case(rng, "one warp", "one pass", 32, (1,), (32,))
    yield _case(rng, "3 blocks", "one pass", 192, (3,), (64,))
    steep = np.tile(np.int8([-128, 127]), 64)
    yield case("every step is large", part="one pass", q=steep, grid=(1,), block=(128,))
    edges = np.cumsum(np.tile([127, -128, 128, -127], 8)).astype(np.int8)
    yield case("differences of 127 and 128", part="one pass", q=edges, grid=(1,), block=(32,))
    yield _case(rng, "3 passes", "more passes", 192, (1,), (64,))
    yield _case(rng, "2 blocks, 3 passes", "more passes", 384, (2,), (64,))
    yield _case(rng, "1,500 codes, a block of 1,024", "more passes", 1500, (1,), (1024,))
    n = 64 * int(rng.integers(1, 3)) + int(rng.integers(2, 60))
    yield _case(rng, f"n = {n}", "ragged", n, (1,), (64,))
    yield _case(rng, "100 codes, blocks of 96", "ragged", 100, (2,), (96,))
    yield _case(rng, "5 codes", "ragged", 5, (2,), (64,))
    yield _case(rng, "blocks of 40, no whole warps", "ragged", 180, (2,), (40,))
    yield _case(rng, "blocks of one thread", "ragged", 5, (2,), (1,))


def _case(rng, label, part, n, grid, block):
    q = rng.integers(-128, 128, n).astype(np.int8)
    return case(label, part=part, q=q, grid=grid, block=block)


def probe(solution, q, grid, block):
    return solution()


def observe(case, answer):
    n = case.q.size
    args = (
        ("in", "q", case.q),
        ("out", "d", np.full(n, 9999, np.int16)),
        ("out", "large", np.zeros(1, np.int32)),
        np.int32(n),
    )
    return run(answer, Launch("deltas", case.grid, case.block, args))


def judge(case, answer):
    want = np.diff(case.q.astype(np.int64), prepend=0)
    expect.codes(answer["d"], want.astype(np.int16), "d")
    count = int(np.count_nonzero(np.abs(want) > 127))
    expect.integer(answer["large"][0], count, "large")
