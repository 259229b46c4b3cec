"""cuda-amax-tree: NumPy's amax of each block; barriers and requests against those of a tree."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"powers of two": 0.4, "any size": 0.4, "a tree": 0.2}
HINTS = (
    "part[t] = i < n ? fabsf(x[i]) : 0.0f, then a barrier.",
    "for (int s = 1; s < blockDim.x; s *= 2): thread t, a multiple of 2 s, takes part[t + s] if it exists.",
    "The barrier of each step stands outside the if.",
)


def cases(rng):
    # One step: with a barrier before it, none is needed in the loop.
    for block in (2, 64, 256):
        yield _case(rng, f"blocks of {block}", "powers of two", 2 * block, (2,), block)
    for name, block, at in (("first", 64, 64), ("last", 64, 127), ("middle", 128, 95)):
        x = rng.uniform(-1, 1, 128).astype(np.float32)
        x[at] = -9
        yield _made(
            f"the largest is the {name}, and negative",
            "powers of two",
            x,
            (1,) if block == 128 else (2,),
            block,
        )
    for block, n, blocks in ((96, 192, 2), (1, 2, 2)):
        yield _case(rng, f"blocks of {block}", "any size", n, (blocks,), block)
    for block in (7, 33, int(rng.integers(65, 127))):
        places = np.arange(block)
        yield _spikes(rng, f"blocks of {block}, the largest in every place", block, places)
    yield _spikes(rng, "blocks of 1,000", 1000, np.int64([0, 511, 512, 999]))
    yield _case(rng, "n = 100", "any size", 100, (2,), 64)
    yield _case(rng, "a block too many", "any size", 65, (3,), 64)
    tiny = np.full(3, -1e-30, np.float32)
    yield _made("tiny values in a block of 96", "any size", tiny, (1,), 96)
    yield _case(rng, "a block of 63", "a tree", 63, (1,), 63)
    ends = np.int64([0, 256, 511, 512, 768, 1023])
    yield _spikes(rng, "1,024 threads", 1024, ends, "a tree")
    yield _case(rng, "a block of 256", "a tree", 256, (1,), 256)


def _case(rng, label, part, n, grid, block):
    x = rng.normal(0, 3, n).astype(np.float32)
    return _made(label, part, x, grid, block)


def _spikes(rng, label, block, places, part="any size"):
    """One block for each place of the largest in it."""
    x = rng.uniform(-1, 1, (places.size, block)).astype(np.float32)
    x[np.arange(places.size), places] = rng.uniform(4, 9, places.size) * (-1) ** places
    return _made(label, part, x.ravel(), (places.size,), block)


def _made(label, part, x, grid, block):
    return case(label, part=part, x=x, grid=grid, block=(block,))


def probe(solution, x, grid, block):
    return solution()


def observe(case, answer):
    args = (
        ("in", "x", case.x),
        ("out", "out", np.full(case.grid, -7, np.float32)),
        np.int32(case.x.size),
    )
    launch = Launch("block_amax", case.grid, case.block, args, shared_mem=4 * case.block[0])
    return run(answer, launch)


def judge(case, answer):
    blocks, threads = case.grid[0], case.block[0]
    padded = np.zeros(blocks * threads)
    padded[: case.x.size] = np.abs(case.x)
    expect.close(answer["out"], padded.reshape(blocks, threads).max(axis=1), "out", rtol=0)
    counters = answer["counters"]
    reads = counters["load_bytes"] // 4
    expect.that(
        reads == case.x.size,
        "Each element of x is to be read once.",
        yours=f"{reads} reads",
        right=f"{case.x.size} reads",
    )
    expect.that(counters["atomics"] == 0, "Do without atomics here.", yours="atomics", right="none")
    steps = (threads - 1).bit_length()
    expect.that(
        counters["barriers"] <= blocks * (steps + 2),
        "A tree needs a barrier for each halving, and hardly more.",
        yours=f"{counters['barriers'] / blocks:g} barriers a block",
        right=f"at most {steps + 2}",
    )
    if case.part == "a tree":
        # A serial loop of one thread makes threads - 1 requests; a tree's warps two in each step.
        most = blocks * -(-threads // 32) * (2 * steps + 4)
        expect.that(
            counters["shared_load_requests"] <= most,
            "The work of a tree halves with each step; here one thread does most of it.",
            yours=f"{counters['shared_load_requests']} requests to shared memory",
            right=f"at most {most}",
        )
