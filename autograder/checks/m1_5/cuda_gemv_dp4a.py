"""cuda-gemv-dp4a: NumPy's int64 product; loads four codes wide and coalesced by the counters."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, run

PARTS = {"values": 0.4, "sizes": 0.3, "four at a time": 0.3}
HINTS = (
    "A warp a row: row = global thread / 32, lane = threadIdx.x % 32, all lanes of a warp leave together.",
    "sum = __dp4a(weights[i], inputs[i], sum) for i = lane, lane + 32, ... below k / 4.",
    "__shfl_down_sync(0xffffffff, sum, d) for d = 16, 8, 4, 2, 1; lane 0 stores.",
)


def cases(rng):
    yield _case(rng, "4 rows of 128", "values", 4, 128, (1,), (128,))
    yield _case(rng, "8 rows of 256", "values", 8, 256, (4,), (64,))
    worst = np.full((2, 512), -128, np.int8)
    yield case("all -128", part="values", w=worst, x=worst[0].copy(), grid=(1,), block=(64,))
    mixed = worst.copy()
    mixed[:, ::2] = 127
    yield case("127 and -128", part="values", w=mixed, x=worst[0].copy(), grid=(1,), block=(64,))
    # 2**24 + 1: one more than float32 can hold.
    odd = np.zeros((2, 1152), np.int8)
    odd[:, :1024], odd[:, 1151] = -128, 1
    yield case("a sum of 2**24 + 1", part="values", w=odd, x=odd[0].copy(), grid=(1,), block=(64,))
    for rows, k, grid, block in (
        (1, 4, (1,), (32,)),
        (3, 132, (1,), (128,)),
        (5, 60, (3,), (64,)),
        (7, 36, (2,), (256,)),
    ):
        yield _case(rng, f"{rows} rows of {k}", "sizes", rows, k, grid, block)
    k = 4 * int(rng.integers(40, 90))
    yield _case(rng, f"9 rows of {k}", "sizes", 9, k, (3,), (96,))
    yield _case(rng, "requests counted", "four at a time", 4, 512, (1,), (128,))


def _case(rng, label, part, rows, k, grid, block):
    w = rng.integers(-128, 128, (rows, k)).astype(np.int8)
    x = rng.integers(-128, 128, k).astype(np.int8)
    return case(label, part=part, w=w, x=x, grid=grid, block=block)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    rows, k = case.w.shape
    args = (
        ("in", "w", case.w),
        ("in", "x", case.x),
        ("out", "y", np.full(rows, -7, np.int32)),
        np.int32(rows),
        np.int32(k),
    )
    return run(answer, Launch("gemv", case.grid, case.block, args))


def judge(case, answer):
    want = (case.w.astype(np.int64) @ case.x.astype(np.int64)).astype(np.int32)
    expect.codes(answer["y"], want, "y")
    if case.part == "four at a time":
        rows, k = case.w.shape
        most = rows * k // 128
        requests = answer["requests"]["w"]
        expect.that(
            requests <= most,
            "A warp is to read 128 neighbouring codes with one request: four for each lane.",
            yours=f"{requests} requests for w",
            right=f"at most {most}",
        )
        requests_x = answer["requests"]["x"]
        expect.that(
            requests_x <= most,
            "The codes of x are to be read four at a time too.",
            yours=f"{requests_x} requests for x",
            right=f"at most {most}",
        )
        sectors = answer["sectors"]["w"]
        expect.that(
            sectors <= rows * k // 32,
            "The 32 lanes of a warp are to read neighbouring ints.",
            yours=f"{sectors / requests:.2f} sectors a request",
            right="4.00 sectors a request",
        )
        loaded = answer["loads"]["w"]
        expect.that(
            loaded == rows * k,
            "Each weight is to be loaded once.",
            yours=f"{loaded} bytes of w",
            right=f"{rows * k} bytes of w",
        )
