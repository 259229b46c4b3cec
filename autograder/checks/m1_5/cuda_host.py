"""cuda-host: the launch recorded, its arguments and sizes looked at, the codes by NumPy."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import launched_once

PARTS = {"codes": 0.4, "launch": 0.3, "shapes": 0.3}
HINTS = (
    "cuda.asarray(np.ascontiguousarray(x, np.float32).ravel()), cuda.empty(x.size, np.int8).",
    "kernel((blocks,), (256,), (x, codes, np.float32(scale), np.int32(zero_point), np.int32(n)))",
    "cuda.asnumpy(codes).reshape(x.shape); an empty x is returned without a launch.",
)


def cases(rng):
    yield _case(rng, "256 values", "codes", (256,))
    yield _case(rng, "300 values", "codes", (300,))
    yield _case(rng, "float64", "codes", (50,), np.float64)
    for n in (1, 255, 256, 257, 1000):
        yield _case(rng, f"{n} values", "launch", (n,))
    yield _case(rng, "a kernel that turns all bits", "launch", (300,), turns=True)
    yield _case(rng, "a matrix", "shapes", (7, 50))
    yield _case(rng, "three dimensions", "shapes", (3, 4, 50))
    yield _case(rng, "a transposed matrix", "shapes", (20, 33), np.float32, True)
    yield _case(rng, "empty", "shapes", (0,))
    yield _case(rng, "an empty matrix", "shapes", (3, 0))


def _case(rng, label, part, shape, dtype=np.float32, turned=False, turns=False):
    x = (np.round(rng.normal(0, 60, shape)) / 4).astype(dtype)
    zero_point = int(rng.integers(-9, 10))
    more = {"turns": True} if turns else {}
    return case(label, part=part, x=x.T if turned else x, scale=0.5, zero_point=zero_point, **more)


def probe(solution, x, scale, zero_point, turns=False):
    from lab import cuda

    source = r"""
    extern "C" __global__ void quantize(const float* x, signed char* q, float scale, int zero_point, int n)
    {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, rintf(x[i] / scale) + zero_point));
    }
    """
    kernel = cuda.RawKernel(source, "quantize")
    launches = []

    def recorded(grid, block, args, **options):
        for sizes in (grid, block):
            if not isinstance(sizes, tuple | list):
                raise TypeError(
                    f"grid and block are tuples, such as ({sizes},), as CuPy wants them"
                )
        launches.append([[int(v) for v in grid], [int(v) for v in block], len(args)])
        kernel(grid, block, args, **options)
        if turns:  # codes that only a launch can give
            args[1].set(~args[1].get())

    return {"codes": solution(recorded, x, scale, zero_point), "launches": launches}


def judge(case, answer):
    run = expect.mapping(answer, ("codes", "launches"))
    want = np.rint(case.x.astype(np.float32) / np.float32(case.scale)) + case.zero_point
    codes = expect.array(run["codes"], "codes", shape=case.x.shape, dtype=np.int8)
    want = np.clip(want, -128, 127).astype(np.int8)
    if case.inputs.get("turns"):
        expect.that(
            not np.array_equal(codes, want),
            "Return what the kernel wrote: these codes do not come from its launch.",
            yours="codes of another origin",
            right="the kernel's codes",
        )
        want = ~want
    expect.codes(codes, want, "codes")
    message = "Launch the blocks that are needed, and no more."
    launched_once(run["launches"], case.x.size, -(-case.x.size // 256), message)
