"""cuda-uniform-warps: floats by NumPy; bytes read and branches show how the work was shared."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"values": 0.4, "uniform warps": 0.4, "ragged": 0.2}
HINTS = (
    "A tile of 64 elements has 32 of each kind: let one warp take the even ones, the next the odd ones.",
    "Thread i: tile = i / 64, r = i % 64, odd = r / 32; its element is 64 * tile + 2 * (r % 32) + odd.",
    "Guard the element, not the thread: for n that is no multiple of 64 they differ.",
)


def cases(rng):
    yield _case(rng, "64 codes", "values", 64, 1, 64)
    yield _case(rng, "256 codes, 2 blocks", "values", 256, 2, 128)
    yield _case(rng, "128 codes", "uniform warps", 128, 2, 64)
    yield _case(rng, "768 codes, blocks of 256", "uniform warps", 768, 3, 256)
    ends = np.tile(np.int8([-128, -128, 127, 127, 0, 0, -1, 1]), 24)
    yield _made(rng, "ends of the range", "uniform warps", ends, 1, 192)
    yield _case(rng, "64 codes, two blocks too many", "ragged", 64, 3, 64)
    for n, blocks, threads in ((1, 1, 64), (2, 1, 64), (63, 1, 64), (65, 2, 64), (100, 1, 128)):
        yield _case(rng, f"n = {n}", "ragged", n, blocks, threads)
    n = int(rng.integers(130, 190)) | 1
    yield _case(rng, f"n = {n}", "ragged", n, 3, 64)


def _case(rng, label, part, n, blocks, threads):
    return _made(rng, label, part, rng.integers(-128, 128, n).astype(np.int8), blocks, threads)


def _made(rng, label, part, q, blocks, threads):
    table = rng.normal(0, 1, 256).astype(np.float32)
    scale = float(np.float32(rng.uniform(0.003, 0.3)))
    return case(label, part=part, q=q, table=table, scale=scale, blocks=blocks, threads=threads)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.q.size
    args = (
        ("in", "q", case.q),
        ("in", "table", case.table),
        ("out", "y", np.full(n, np.nan, np.float32)),
        np.float32(case.scale),
        np.int32(n),
    )
    return run(answer, Launch("dequantize_pairs", (case.blocks,), (case.threads,), args))


def judge(case, answer):
    q = case.q.astype(np.int64)
    odd = np.arange(q.size) % 2 == 1
    want = np.where(odd, case.table[q + 128], q * case.scale)
    expect.close(answer["y"], want, "y", rtol=1e-6)
    counters = answer["counters"]
    reads = q.size + 4 * int(odd.sum())
    expect.that(
        counters["load_bytes"] == reads,
        "Read each code once, and the table for odd elements only.",
        yours=f"{counters['load_bytes']} bytes read",
        right=f"{reads} bytes",
    )
    expect.that(
        counters["store_bytes"] == 4 * q.size,
        "Write each element once.",
        yours=f"{counters['store_bytes'] // 4} writes",
        right=f"{q.size} writes",
    )
    if case.part == "uniform warps":
        expect.that(
            counters["divergent_branches"] == 0,
            "Lanes of a warp still go different ways.",
            yours=f"{counters['divergent_branches']} divergent branches",
            right="0",
        )
