"""cuda-gemm-tile: NumPy's int64 product; bytes from global memory counted from the tiling."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"whole tiles": 0.35, "edges": 0.35, "shared tiles": 0.3}
HINTS = (
    "Thread (x, y) loads a[row of y][start + x] and b[row of y in b's tile][start + x], 0 outside.",
    "A barrier after loading, another after computing; no thread may leave before.",
    "c[row, col] needs b_tile[x][i]: b is stored one row for each output column.",
)


def cases(rng):
    yield _case(rng, "one tile", "whole tiles", 16, 16, 16)
    yield _case(rng, "2 x 3 tiles, three steps", "whole tiles", 32, 48, 48)
    full = np.full((16, 64), -128, np.int8)
    yield case("all -128", part="whole tiles", a=full, b=full.copy())
    # 2**24 + 1: one more than float32 can hold.
    odd = np.zeros((16, 1040), np.int8)
    odd[:, :1024], odd[:, 1039] = -128, 1
    yield case("a sum of 2**24 + 1", part="whole tiles", a=odd, b=odd.copy())
    for m, n, k in ((1, 1, 1), (17, 16, 16), (16, 17, 16), (16, 16, 17), (5, 20, 33)):
        yield _case(rng, f"{m} x {n}, k = {k}", "edges", m, n, k)
    m, n, k = (int(v) for v in rng.integers(18, 40, 3))
    yield _case(rng, f"{m} x {n}, k = {k}", "edges", m, n, k)
    yield _case(rng, "bytes counted", "shared tiles", 32, 32, 64)


def _case(rng, label, part, m, n, k):
    a = rng.integers(-128, 128, (m, k)).astype(np.int8)
    b = rng.integers(-128, 128, (n, k)).astype(np.int8)
    return case(label, part=part, a=a, b=b)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    (m, k), n = case.a.shape, case.b.shape[0]
    args = (
        ("in", "a", case.a),
        ("in", "b", case.b),
        ("out", "c", np.full((m, n), -7, np.int32)),
        *(np.int32(v) for v in (m, n, k)),
    )
    return run(answer, Launch("gemm", (-(-n // 16), -(-m // 16)), (16, 16), args))


def judge(case, answer):
    want = (case.a.astype(np.int64) @ case.b.astype(np.int64).T).astype(np.int32)
    expect.codes(answer["c"], want, "c")
    if case.part == "shared tiles":
        (m, k), n = case.a.shape, case.b.shape[0]
        for name, bytes_wanted in (("a", m * k * -(-n // 16)), ("b", n * k * -(-m // 16))):
            loaded = answer["loads"][name]
            expect.that(
                loaded == bytes_wanted,
                f"Each block is to load its part of `{name}` once, through shared memory.",
                yours=f"{loaded} bytes of {name}",
                right=f"{bytes_wanted} bytes of {name}",
            )
