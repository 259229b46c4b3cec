"""cuda-vector-loads: NumPy's product; four codes a request where the pointers are aligned."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, at_most, run

PARTS = {"values": 0.3, "requests": 0.3, "tails": 0.2, "unaligned": 0.2}
HINTS = (
    "int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x); then at most four elements from i on.",
    "char4 c = *reinterpret_cast<const char4*>(q + i); and make_float4 for the store.",
    "Aligned: reinterpret_cast<unsigned long long>(q) % 4 == 0, and x % 16 == 0. Otherwise, and for the "
    "last few, one by one.",
)


def cases(rng):
    yield _case(rng, "256 codes", "values", 256, (2,), (32,))
    yield _case(rng, "a block too many", "values", 128, (2,), (32,))
    yield _case(rng, "1,024 codes", "requests", 1024, (2,), (128,))
    yield _case(rng, "4,096 codes", "requests", 4096, (16,), (64,))
    n = 4 * int(rng.integers(193, 250)) + int(rng.integers(1, 4))
    yield _case(rng, f"{n} codes", "requests", n, (8,), (32,))
    further = {"q": 4, "x": 4}
    yield _case(rng, "q 4 bytes and x 16 bytes off", "requests", 512, (4,), (32,), further)
    for n in (1, 2, 3, 5, int(rng.integers(50, 100)) * 4 + int(rng.integers(1, 4))):
        yield _case(rng, f"n = {n}", "tails", n, (-(-n // 128),), (32,))
    yield _case(rng, "blocks of 40", "tails", 500, (4,), (40,))
    for label, offset in (
        ("q 1 byte off", {"q": 1}),
        ("q 2 bytes off", {"q": 2}),
        ("x 1 float off", {"x": 1}),
        ("x 2 floats off", {"x": 2}),
        ("q 3 bytes, x 3 floats off", {"q": 3, "x": 3}),
    ):
        yield _case(rng, label, "unaligned", 131, (2,), (32,), offset)


def _case(rng, label, part, n, grid, block, offset=None):
    q = rng.integers(-128, 128, n).astype(np.int8)
    scale = float(2.0 ** rng.integers(-6, 2))
    return case(label, part=part, q=q, scale=scale, grid=grid, block=block, offset=offset or {})


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.q.size
    args = (
        ("in", "q", case.q, case.offset.get("q", 0)),
        ("out", "x", np.full(n, np.nan, np.float32), case.offset.get("x", 0)),
        np.float32(case.scale),
        np.int32(n),
    )
    return run(answer, Launch("dequantize4", case.grid, case.block, args))


def judge(case, answer):
    expect.close(answer["x"], case.scale * case.q.astype(np.float64), "x", rtol=1e-6)
    counters = answer["counters"]
    stored = counters["store_bytes"] // 4
    expect.that(
        stored == case.q.size,
        "Each element is to be written once.",
        yours=f"{stored} writes",
        right=f"{case.q.size} writes",
    )
    if case.part == "requests":
        # One request for each warp that has a whole thread, and what the last thread does one by one.
        whole, rest = divmod(case.q.size, 4)
        warps = -(-whole // 32)
        message = "With aligned pointers, a thread is to load its four codes at once."
        at_most(counters, "load_requests", warps + rest, message)
        message = "With aligned pointers, a thread is to store its four floats at once."
        at_most(counters, "store_requests", warps + rest, message)
    if case.part == "requests" and not case.offset and not rest:
        message = "A warp's four-byte loads are to be contiguous: 128 bytes, 4 sectors."
        at_most(counters, "load_sectors", 4 * warps, message)
        message = "A warp's 16-byte stores are to be contiguous: 512 bytes, 16 sectors."
        at_most(counters, "store_sectors", 16 * warps, message)
