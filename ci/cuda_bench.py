"""Seconds of three CUDA kernels on the CPU, plain and watched, after compilation: `make bench-cuda`."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lab import cuda
from lab.cuda import compiler
from lab.cuda.kernel import RawModule

N, SIDE, REPEATS = 1 << 20, 1024, 5
CODE = r"""
extern "C" __global__ void add(const signed char *a, const signed char *b, signed char *c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = (signed char)max(-128, min(127, a[i] + b[i]));
}
extern "C" __global__ void transpose(const float *in, float *out, int n) {
    __shared__ float tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    tile[threadIdx.y][threadIdx.x] = in[y * n + x];
    __syncthreads();
    out[(blockIdx.x * 32 + threadIdx.y) * n + blockIdx.y * 32 + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}
extern "C" __global__ void total(const int *x, int *sum) {
    int v = x[blockIdx.x * blockDim.x + threadIdx.x];
    for (int s = 16; s > 0; s /= 2) v += __shfl_down_sync(0xffffffffu, v, s);
    if (threadIdx.x % 32 == 0) atomicAdd(sum, v);
}
"""
# The bars: seconds for the addition, plain and watched.
BARS = {"plain": 0.2, "watched": 2.0}


def launches() -> dict[str, tuple[tuple, tuple, tuple, Callable[[tuple], bool]]]:
    """Name: grid, block, arguments, and whether they hold the right values afterwards."""
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-128, 128, N).astype(np.int8) for _ in range(2))
    square = rng.random((SIDE, SIDE), dtype=np.float32)
    x = rng.integers(0, 100, N).astype(np.int32)
    total = np.clip(a.astype(int) + b, -128, 127)
    add = (cuda.asarray(a), cuda.asarray(b), cuda.zeros(N, np.int8), np.int32(N))
    turn = (cuda.asarray(square), cuda.zeros((SIDE, SIDE), np.float32), np.int32(SIDE))
    tiles = (SIDE // 32, SIDE // 32)
    return {
        "add": ((N // 256,), (256,), add, lambda v: np.array_equal(v[2].get(), total)),
        "transpose": (tiles, (32, 32), turn, lambda v: np.array_equal(v[1].get(), square.T)),
        "total": (
            (N // 256,),
            (256,),
            (cuda.asarray(x), cuda.zeros(1, np.int32)),
            lambda v: v[1].get()[0] == x.sum() * (REPEATS + 1),
        ),
    }


def seconds(call: Callable[[], None]) -> float:
    """Median of REPEATS calls after one that compiles."""
    call()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def main() -> int:
    """Print a table; 1 when the addition misses a bar."""
    module, missed = RawModule(code=CODE), 0
    names = {"add": "1 M INT8 additions", "transpose": "1024 x 1024 transpose in tiles",
             "total": "1 M sums by shuffles and atomics"}  # fmt: skip
    for mode in ("plain", "watched"):
        for name, (grid, block, args, right) in launches().items():
            kernel = module.get_function(name)
            run = kernel.watch if mode == "watched" else kernel
            taken = seconds(
                lambda run=run, grid=grid, block=block, args=args: run(grid, block, args)
            )
            assert right(args), f"{name}: wrong values"
            bar = BARS[mode] if name == "add" else None
            missed += bar is not None and taken > bar
            print(f"{mode:8} {names[name]:34} {taken:6.3f} s" + (f"  (bar {bar} s)" if bar else ""))
    system = f"{platform.machine()}, {os.cpu_count()} cores, {Path(compiler.find()).name}"
    print(f"{system}: {compiler.version(compiler.find()).splitlines()[0]}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
