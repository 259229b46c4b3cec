"""cuda-quantize: float32 ratios rounded by NumPy, half to even, on watched launches."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, own_elements, run, written_once

PARTS = {"codes": 0.35, "rounding and clipping": 0.35, "sizes": 0.3}
HINTS = (
    "int i = blockIdx.x * blockDim.x + threadIdx.x; if (i >= n) return;",
    "rintf rounds half to even. Add the zero-point after rounding.",
    "Clip as float (fmaxf, fminf), then cast to signed char.",
)


def cases(rng):
    yield _case(rng, "256 values", "codes", 256, (1,), (256,), 0)
    yield _case(rng, "a zero-point", "codes", 512, (2,), (256,), int(rng.integers(5, 60)))
    yield _case(rng, "a negative zero-point", "codes", 128, (4,), (32,), -37)
    # Away from half, so that a quotient may be rounded in any way.
    ratios = rng.integers(-120, 120, 64) + rng.uniform(-0.4, 0.4, 64)
    tenths = (ratios * np.float32(0.1)).astype(np.float32)
    yield _ready("a scale of 0.1", "codes", tenths, 0.1, 9, (2,), (32,))
    ties = np.arange(-24, 24, dtype=np.float32) / 2
    yield _ready("half-way values", "rounding and clipping", ties, 1.0, 0, (2,), (32,))
    yield _ready(
        "half-way values, odd zero-point", "rounding and clipping", ties, 1.0, 7, (2,), (32,)
    )
    beyond = np.float32([1e3, -1e3, 127.4, 127.6, -128.4, -128.6, 3e9, -3e9, 1e20, -1e20, 0, -0.0])
    yield _ready("far outside", "rounding and clipping", beyond, 1.0, 0, (1,), (32,))
    yield _ready(
        "clipped after the zero-point", "rounding and clipping", beyond, 1.0, -100, (1,), (32,)
    )
    near = np.float32([0.49999997, -0.49999997, 2.4999998, -3.5000002])
    yield _ready("just beside half", "rounding and clipping", near, 1.0, 0, (1,), (32,))
    yield _case(rng, "one value", "sizes", 1, (1,), (64,), 0)
    for n in (255, 257, int(rng.integers(300, 500)) | 1):
        yield _case(rng, f"n = {n}", "sizes", n, (-(-n // 128),), (128,), 3)
    yield _case(rng, "a block too many", "sizes", 100, (3,), (64,), 0)


def _case(rng, label, part, n, grid, block, zero_point):
    # A power of two: then x / scale is exact, and x * (1 / scale) equal to it.
    x = rng.normal(0, 40, n).astype(np.float32)
    return _ready(label, part, x, float(2.0 ** rng.integers(-2, 2)), zero_point, grid, block)


def _ready(label, part, x, scale, zero_point, grid, block):
    return case(label, part=part, x=x, scale=scale, zero_point=zero_point, grid=grid, block=block)


def probe(solution, x, scale, zero_point, grid, block):
    return solution()


def observe(case, answer):
    n = case.x.size
    args = (
        ("in", "x", case.x),
        ("out", "q", np.full(n, 99, np.int8)),
        np.float32(case.scale),
        np.int32(case.zero_point),
        np.int32(n),
    )
    return run(answer, Launch("quantize", case.grid, case.block, args))


def judge(case, answer):
    codes = np.rint(case.x.astype(np.float64) / case.scale) + case.zero_point
    expect.codes(answer["q"], np.clip(codes, -128, 127).astype(np.int8), "q")
    written_once(
        answer["counters"], case.x.size, "Each element is to be written once, by its own thread."
    )
    if case.part == "sizes":
        own_elements(
            answer,
            "q",
            lambda lane: [lane] if lane < case.x.size else [],
            "Thread i of the launch is to do element i.",
        )
