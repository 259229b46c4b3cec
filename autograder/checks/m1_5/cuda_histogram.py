"""cuda-histogram: NumPy's counts; atomics in global memory against one a bin and block."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"one block": 0.4, "blocks": 0.3, "few global atomics": 0.3}
HINTS = (
    "Zero the 256 shared counters in steps of blockDim.x, then a barrier.",
    "atomicAdd(&own[q[i] + 128], 1u) for each code, then a second barrier.",
    "Merge in steps of blockDim.x: atomicAdd(&bins[b], own[b]).",
)


def cases(rng):
    yield _case(rng, "256 codes", "one block", 256, 1, 256)
    every = np.arange(-128, 128).astype(np.int8)
    yield _made("every code once", "one block", every, 1, 256)
    yield _case(rng, "a block of 64", "one block", 150, 1, 64)
    yield _made("one code only", "one block", np.full(300, -5, np.int8), 1, 96)
    yield _made("bins that hold counts already", "one block", every, 1, 128, 1000)
    full = np.full(70_000, 7, np.int8)
    yield _made("70,000 codes of one value", "one block", full, 1, 1024)
    yield _case(rng, "a block of one thread", "one block", 9, 1, 1)
    yield _case(rng, "4 blocks, one code a thread", "blocks", 500, 4, 128)
    yield _case(rng, "2 blocks of 96, 4 passes", "blocks", 700, 2, 96)
    yield _case(rng, "a block without codes", "blocks", 60, 2, 64, 3.0)
    yield _case(rng, "more threads than bins", "blocks", 1000, 2, 512)
    yield _case(rng, "blocks of 40, no whole warps", "blocks", 300, 2, 40)
    yield _case(rng, "2,000 codes, 2 blocks", "few global atomics", 2000, 2, 128)
    yield _made("300 codes of one value", "few global atomics", np.full(300, 9, np.int8), 1, 96)
    ends = np.tile(np.int8([-128, 127, 0, -1]), 400)
    yield _made("four codes", "few global atomics", ends, 2, 256)


def _case(rng, label, part, n, blocks, threads, spread=40.0):
    q = np.clip(np.rint(rng.normal(0, spread, n)), -128, 127).astype(np.int8)
    return _made(label, part, q, blocks, threads)


def _made(label, part, q, blocks, threads, start=0):
    return case(label, part=part, q=q, blocks=blocks, threads=threads, start=start)


def probe(solution, q, blocks, threads, start):
    return solution()


def observe(case, answer):
    bins = (case.start * (np.arange(256) % 3)).astype(np.uint32)
    args = (("in", "q", case.q), ("out", "bins", bins), np.int32(case.q.size))
    return run(answer, Launch("histogram", (case.blocks,), (case.threads,), args))


def judge(case, answer):
    counts = np.bincount(case.q.astype(np.int64) + 128, minlength=256)
    want = counts + case.start * (np.arange(256) % 3)
    expect.codes(answer["bins"], want.astype(np.uint32), "bins")
    counters = answer["counters"]
    expect.that(
        counters["load_bytes"] == case.q.size,
        "Each code is to be read once, and the bins by atomics only.",
        yours=f"{counters['load_bytes']} bytes read",
        right=f"{case.q.size} bytes",
    )
    if case.part == "few global atomics":
        expect.that(
            counters["global_atomics"] <= 256 * case.blocks,
            "Count in shared memory: a block then updates each bin of global memory once at most.",
            yours=f"{counters['global_atomics']} updates",
            right=f"at most {256 * case.blocks}",
        )
