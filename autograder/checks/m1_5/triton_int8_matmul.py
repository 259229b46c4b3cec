"""triton-int8-matmul: NumPy's int64 product."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import triton_runs

PARTS = {"whole tiles": 0.3, "long sums": 0.3, "ragged": 0.4}
HINTS = (
    "tl.dot(a, b, sums, out_dtype=tl.int32) with a (BLOCK_M, BLOCK_K) and b (BLOCK_K, BLOCK_N).",
    "b is stored (N, K): element (k, c) of its tile is at cols[None, :] * K + ks[:, None].",
    "Mask rows, columns and the inner dimension.",
)


def cases(rng):
    yield _case(rng, "one tile", "whole tiles", 16, 16, 16)
    yield _case(rng, "2 x 3 tiles", "whole tiles", 32, 48, 64)
    yield _case(rng, "tiles 32 x 16 x 64", "whole tiles", 64, 32, 128, (32, 16, 64))
    full = np.full((16, 4112), 127, np.int8)
    full[:, :2] = 1, 2  # an odd sum above 2**24: float32 cannot hold it
    full[1] = -128
    yield case("sums above 2**24", part="long sums", a=full, b=full.copy(), blocks=(16, 16, 512))
    yield _case(rng, "all of INT8, K = 1,024", "long sums", 16, 16, 1024, (16, 16, 256))
    for m, n, k in ((1, 1, 1), (17, 16, 16), (16, 17, 16), (16, 16, 17), (5, 40, 33)):
        yield _case(rng, f"{m} x {n}, K = {k}", "ragged", m, n, k)
    m, n, k = (int(v) for v in rng.integers(18, 70, 3))
    yield _case(rng, f"{m} x {n}, K = {k}", "ragged", m, n, k, (32, 16, 32))


def _case(rng, label, part, m, n, k, blocks=(16, 16, 16)):
    a = rng.integers(-128, 128, (m, k)).astype(np.int8)
    b = rng.integers(-128, 128, (n, k)).astype(np.int8)
    return case(label, part=part, a=a, b=b, blocks=blocks)


def probe(solution, a, b, blocks):
    from lab.triton_probe import run_kernel

    (m, k), n = a.shape, b.shape[0]
    return run_kernel(
        solution,
        (-(-m // blocks[0]), -(-n // blocks[1])),
        {"a": a, "b": b},
        {"c": np.full((m, n), -7, np.int32)},
        (m, n, k),
        dict(zip(("BLOCK_M", "BLOCK_N", "BLOCK_K"), blocks, strict=True)),
    )


def judge(case, answer):
    run = triton_runs.started(answer)
    want = (case.a.astype(np.int64) @ case.b.astype(np.int64).T).astype(np.int32)
    c = expect.array(run.get("c"), "c", shape=want.shape, dtype=np.int32)
    expect.codes(c, want, "c")
    triton_runs.clean(run, {"a": case.a.size, "b": case.b.size, "c": want.size})
    programs = -(-want.shape[0] // case.blocks[0]) * -(-want.shape[1] // case.blocks[1])
    triton_runs.stored_once(run, "c", want.size, programs)
