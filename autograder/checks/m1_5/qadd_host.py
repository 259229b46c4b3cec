"""qadd-host: scales and codes in float64, the launch recorded."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import qadd
from autograder.checks.oracles.cuda_runs import launched_once

PARTS = {"codes": 0.5, "launch": 0.25, "edges": 0.25}
HINTS = (
    "s = float(np.abs(v).max()) / 127 or 1.0; codes np.clip(np.rint(v / s), -127, 127).",
    "p = integer_params(s_x, s_y, s_x + s_y); numbers as np.int32 in the kernel's order, n last.",
    "-(-n // 4096) blocks of 256 threads: 16 codes a thread.",
)


def cases(rng):
    for n in (64, 100, 4097):
        yield _case(rng, f"{n} values", "codes", n, 1.0, 1.0)
    yield _case(rng, "scales far apart", "codes", 200, 30.0, 0.01)
    # 49 * (1 / 49) is below 1: a product with the reciprocal misses ties.
    for scale, label in ((1.0, "half-way values"), (49.0, "half-way values, scale 49")):
        yield _half_way(rng, label, scale)
    # The float32 next to a half: float64 tells on which side it lies, float32 does not.
    yield _half_way(rng, "next to half-way", float(rng.uniform(0.01, 0.03)))
    for n in (1, 4096, 4097, 9000):
        yield _case(rng, f"{n} values, launch", "launch", n, 1.0, 0.5)
    zeros = np.zeros(50, np.float32)
    yield case("one of zeros", part="edges", x=zeros, y=rng.normal(0, 1, 50).astype(np.float32))
    yield case("both of zeros", part="edges", x=zeros, y=zeros)
    yield case("no values", part="edges", x=zeros[:0], y=zeros[:0])
    yield case("lengths that differ", part="edges", x=zeros, y=zeros[:49], good=False)
    yield case("matrices", part="edges", x=zeros.reshape(5, 10), y=zeros.reshape(5, 10), good=False)


def _case(rng, label, part, n, wide_x, wide_y):
    x, y = (rng.normal(0, w, n).astype(np.float32) for w in (wide_x, wide_y))
    return case(label, part=part, x=x, y=y)


def _half_way(rng, label, scale):
    """x with a code and a half everywhere; y so small that the sum's codes are those of x."""
    top = np.float32(127 * scale)
    x = np.float32([*(float(top) / 127 * (np.arange(-120, 120) + 0.5)), top])
    return case(label, part="codes", x=x, y=rng.normal(0, 1e-3 * scale, x.size).astype(np.float32))


def probe(solution, x, y, good=True):
    from lab import cuda

    source = r"""
    extern "C" __global__ void quantized_vector_add_kernel(
        const signed char* a, const signed char* b, signed char* out,
        int m_a, int m_b, int shift, int z_a, int z_b, int z_out, int n)
    {
        int thread = blockIdx.x * blockDim.x + threadIdx.x;
        for (int i = thread; i < n; i += gridDim.x * blockDim.x) {
            int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
            int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
            out[i] = (signed char)max(-128, min(127, code));
        }
    }
    """
    kernel = cuda.RawKernel(source, "quantized_vector_add_kernel")
    launches = []

    def recorded(grid, block, args, **options):
        launches.append([[int(v) for v in grid], [int(v) for v in block]])
        return kernel(grid, block, args, **options)

    if not good:
        return refusal(lambda: solution(recorded, x, y))  # noqa: F821
    codes, scale = solution(recorded, x, y)
    return {"codes": codes, "scale": scale, "launches": launches}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError here: {case.label}.")
        return
    run = expect.mapping(answer, ("codes", "scale", "launches"))
    n = case.x.size
    codes = expect.array(run["codes"], "codes", shape=(n,), dtype=np.int8)
    scales, inputs = [], []
    for v in (case.x.astype(np.float64), case.y.astype(np.float64)):
        scales.append(float(np.abs(v).max(initial=0)) / 127 or 1.0)
        inputs.append(np.clip(np.rint(v / scales[-1]), -127, 127).astype(np.int8))
    expect.number(run["scale"], sum(scales), "scale", rtol=tolerances.SCALAR)
    want = qadd.add(*inputs, qadd.params(*scales, sum(scales)))
    expect.codes(codes, want, "codes")
    message = "A thread does 16 codes: launch the blocks that are needed, and no more."
    launched_once(run["launches"], n, -(-n // 4096), message)
