"""cuda-amax-atomic: NumPy's amax of the vector; atomics counted, one a block."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"one block": 0.35, "blocks": 0.4, "one atomic a block": 0.25}
HINTS = (
    "Each thread goes through x in steps of the whole grid and keeps the largest fabsf.",
    "Reduce the block (shuffles, then shared memory), so that one thread has its result.",
    "That thread: atomicMax((int*)amax, __float_as_int(best)): bits of non-negative floats are in order.",
)


def cases(rng):
    yield _case(rng, "64 values", "one block", 64, 1, 64)
    yield _case(rng, "values below 1", "one block", 100, 1, 128, 0.01)
    negative = -rng.uniform(0.1, 3, 90).astype(np.float32)
    yield _made("only negative values", "one block", negative, 1, 96)
    yield _made("zeros and -0.0", "one block", np.float32([0.0, -0.0, -0.0]), 1, 32)
    yield _made("from 1e-38 to 1e38", "one block", np.float32([-1e-38, 1e38, -3e-5, 7]), 1, 32)
    yield _made("tiny values", "one block", np.float32([1.5e-38, -3e-38, 2e-38]), 1, 64)
    x = rng.uniform(-1, 1, 1024).astype(np.float32)
    x[int(rng.integers(992, 1024))] = -2
    yield _made("the largest in the last of 32 warps", "one block", x, 1, 1024)
    yield _case(rng, "4 blocks of 64", "blocks", 256, 4, 64)
    yield _case(rng, "3 blocks, 5 passes", "blocks", 900, 3, 64)
    yield _case(rng, "more blocks than values", "blocks", 70, 4, 32)
    for place, at in (("first", 3), ("last", 639)):
        x = rng.uniform(-0.1, 0.1, 640).astype(np.float32)
        x[at] = -0.25
        yield _made(f"the largest in the {place} block", "blocks", x, 5, 128)
    yield _case(rng, "4 blocks of 256", "one atomic a block", 2000, 4, 256)
    yield _case(rng, "2 blocks of 96", "one atomic a block", 500, 2, 96)


def _case(rng, label, part, n, blocks, threads, spread=3.0):
    return _made(label, part, rng.normal(0, spread, n).astype(np.float32), blocks, threads)


def _made(label, part, x, blocks, threads):
    return case(label, part=part, x=x, blocks=blocks, threads=threads)


def probe(solution, x, blocks, threads):
    return solution()


def observe(case, answer):
    args = (
        ("in", "x", case.x),
        ("out", "amax", np.zeros(1, np.float32)),
        np.int32(case.x.size),
    )
    return run(answer, Launch("amax_all", (case.blocks,), (case.threads,), args))


def judge(case, answer):
    expect.close(answer["amax"], [np.abs(case.x).max()], "amax", rtol=0)
    counters = answer["counters"]
    reads = counters["load_bytes"] // 4
    expect.that(
        reads == case.x.size,
        "Each element of x is to be read once, and amax not at all but by the atomic.",
        yours=f"{reads} reads",
        right=f"{case.x.size} reads",
    )
    expect.that(
        counters["store_bytes"] == 0,
        "amax is to be touched by atomics alone.",
        yours=f"{counters['store_bytes'] // 4} plain writes",
        right="none",
    )
    if case.part == "one atomic a block":
        expect.that(
            counters["global_atomics"] <= case.blocks,
            "One atomic on amax for each block is enough: reduce the block first.",
            yours=f"{counters['global_atomics']} atomics",
            right=f"at most {case.blocks}",
        )
