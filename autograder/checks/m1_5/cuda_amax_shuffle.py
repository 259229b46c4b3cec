"""cuda-amax-shuffle: NumPy's amax of each row in int64; barriers counted."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"one warp": 0.35, "more warps": 0.4, "ends": 0.25}
HINTS = (
    "Each thread: for (int c = threadIdx.x; c < cols; c += blockDim.x) best = max(best, abs((int)q[...]));",
    "for (int s = 16; s > 0; s /= 2) best = max(best, __shfl_xor_sync(0xffffffffu, best, s));",
    "Lane 0 of each warp stores its best; after a barrier the first warp reduces those (0 for no warp).",
)


def cases(rng):
    yield _case(rng, "3 rows of 32", "one warp", 3, 32, 32)
    yield _case(rng, "2 rows of 100", "one warp", 2, 100, 32)
    for at in (1, 17, 31):
        q = rng.integers(-50, 50, (1, 32)).astype(np.int8)
        q[0, at] = -99
        yield _made(f"the largest in lane {at}", "one warp", q, 32)
    yield _case(rng, "blocks of 96", "more warps", 2, 96, 96)
    yield _case(rng, "blocks of 256, rows of 300", "more warps", 2, 300, 256)
    yield _case(rng, "1,024 threads", "more warps", 1, 1024, 1024)
    for warp, threads in ((2, 96), (5, 192), (31, 1024)):
        q = rng.integers(-50, 50, (1, threads)).astype(np.int8)
        q[0, 32 * warp + int(rng.integers(0, 32))] = -100
        yield _made(f"the largest in warp {warp} of {threads // 32}", "more warps", q, threads)
    low = rng.integers(-100, 100, (2, 70)).astype(np.int8)
    low[0, 66] = low[1, 3] = -128
    yield _made("-128", "ends", low, 64)
    yield _case(rng, "5 columns, 64 threads", "ends", 3, 5, 64)
    yield _case(rng, "one column", "ends", 2, 1, 32)
    yield _made("zeros", "ends", np.zeros((2, 40), np.int8), 64)


def _case(rng, label, part, rows, cols, threads):
    q = rng.integers(-120, 121, (rows, cols)).astype(np.int8)
    return _made(label, part, q, threads)


def _made(label, part, q, threads):
    return case(label, part=part, q=q, threads=threads)


def probe(solution, q, threads):
    return solution()


def observe(case, answer):
    rows, cols = case.q.shape
    args = (("in", "q", case.q), ("out", "out", np.full(rows, -7, np.int32)), np.int32(cols))
    return run(answer, Launch("row_amax", (rows,), (case.threads,), args))


def judge(case, answer):
    want = np.abs(case.q.astype(np.int64)).max(axis=1)
    expect.codes(answer["out"], want.astype(np.int32), "out")
    counters, rows = answer["counters"], len(want)
    expect.that(
        counters["load_bytes"] == case.q.size,
        "Each code is to be read once.",
        yours=f"{counters['load_bytes']} reads",
        right=f"{case.q.size} reads",
    )
    expect.that(counters["atomics"] == 0, "Do without atomics here.", yours="atomics", right="none")
    expect.that(
        counters["barriers"] <= 2 * rows,
        "With shuffles, two barriers a block are enough.",
        yours=f"{counters['barriers'] / rows:g} barriers a block",
        right="at most 2",
    )
    # One value a warp is stored and read again; a tree in shared memory makes many more requests.
    most = 32 * rows + rows
    expect.that(
        counters["shared_load_requests"] <= most,
        "Warps are to reduce by shuffles, not through shared memory.",
        yours=f"{counters['shared_load_requests']} requests to shared memory",
        right=f"at most {most}",
    )
