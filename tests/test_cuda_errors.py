"""Each mistake that lab.cuda finds: its kind, line, thread and sentence, watched and not."""

import numpy as np
import pytest

from lab import cuda
from lab.cuda import compiler, launch
from lab.cuda.kernel import RawKernel, RawModule

pytestmark = pytest.mark.skipif(
    not any(map(compiler.shutil.which, compiler.CANDIDATES)), reason="needs a C++ compiler"
)
# Every mistake in a kernel of its own; `// <-` marks its line.
CODE = r"""
__constant__ float coefficients[4];
__device__ unsigned int ticket;
__device__ int parts[64];

extern "C" __global__ void beyond(float *x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    x[i] = 1;  // <- beyond
}
extern "C" __global__ void before(const int *x, int *y) {
    int i = (int)threadIdx.x - 1;
    y[threadIdx.x] = x[i];  // <- before
}
extern "C" __global__ void wrapped(const int *x, int *y) {
    y[threadIdx.x] = x[threadIdx.x - 1];  // <- wrapped
}
extern "C" __global__ void tail(const char4 *x, char4 *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (4 * i < n) y[i] = x[i];  // <- tail
}
extern "C" __global__ void null(float *x) {
    x[threadIdx.x] = 1;  // <- null
}
extern "C" __global__ void unwritten(int *y) {
    __shared__ int part[32];
    if (threadIdx.x < 31) part[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = part[threadIdx.x];  // <- unwritten
}
#define SHARED(TYPE, NAME, COUNT) __shared__ TYPE NAME[COUNT];
extern "C" __global__ void neighbours(int *y, int by, unsigned below) {
    SHARED(int, above, 32) __shared__ int first[31];
    static __shared__ __align__(16) struct { char c[3]; int i; } second[32], third; /* ; __shared__ */
    volatile __shared__ int fourth[32]; int __shared__ last;
    above[threadIdx.x] = second[threadIdx.x].i = fourth[threadIdx.x] = third.i = last = 1;
    if (threadIdx.x < 31) first[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = first[(int)(threadIdx.x - below) + by];  // <- neighbours
    y[threadIdx.x] += above[threadIdx.x] + second[threadIdx.x / 2].i + fourth[1] + third.i + last;
}
extern "C" __global__ void shared_wrapped(int *y) {
    __shared__ int part[32];
    part[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = part[threadIdx.x - 1];  // <- shared_wrapped
}
extern "C" __global__ void no_barrier(int *y) {
    __shared__ int part[64];
    part[threadIdx.x] = threadIdx.x;  // <- no_barrier
    y[threadIdx.x] = part[63 - threadIdx.x];
}
extern "C" __global__ void no_warp_barrier(int *y) {
    __shared__ int part[32];
    part[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] = part[31 - threadIdx.x];  // <- no_warp_barrier
}
extern "C" __global__ void no_second_barrier(const int *x, int *y) {
    __shared__ int part[64];
    for (int j = 0; j < 2; ++j) {
        part[threadIdx.x] = x[threadIdx.x];
        __syncthreads();
        y[threadIdx.x] += part[63 - threadIdx.x];  // <- no_second_barrier
    }
}
extern "C" __global__ void no_atomic(int *y) {
    y[0] += 1;  // <- no_atomic
}
extern "C" __global__ void half_atomic(int *y) {
    if (threadIdx.x == 0) y[0] = 5;
    else atomicAdd(y, 1);  // <- half_atomic
}
extern "C" __global__ void zeroed_late(int *y) {
    __shared__ int count[4];
    if (threadIdx.x < 4) count[threadIdx.x] = 0;
    atomicAdd(&count[threadIdx.x % 4], 1);  // <- zeroed_late
    __syncthreads();
    if (threadIdx.x < 4) y[threadIdx.x] = count[threadIdx.x];
}
extern "C" __global__ void two_writers(int *y) {
    y[threadIdx.x / 2] = threadIdx.x;  // <- two_writers
}
extern "C" __global__ void in_place(int *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int next = i + 1 < n ? y[i + 1] : 0;
    __syncthreads();
    y[i] = next;  // <- in_place
}
extern "C" __global__ void three_points(int *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int sum = y[i] + (i + 1 < n ? y[i + 1] : 0);
    __syncthreads();
    y[i] = sum;  // <- three_points
}
extern "C" __global__ void other_width(int *y, signed char *bytes) {
    y[threadIdx.x] = 1;
    bytes[threadIdx.x] = 2;  // <- other_width
}
extern "C" __global__ void some_wait(int *y) {
    if (threadIdx.x < 16)
        __syncthreads();  // <- some_wait
    y[threadIdx.x] = 1;
}
extern "C" __global__ void two_barriers(int *y) {
    if (threadIdx.x < 16)
        __syncthreads();  // <- two_barriers
    else
        __syncthreads();
    y[threadIdx.x] = 1;
}
extern "C" __global__ void early_return(int *y, int n) {
    if (threadIdx.x >= n) return;
    __syncthreads();  // <- early_return
    y[threadIdx.x] = 1;
}
extern "C" __global__ void not_in_mask(int *y) {
    y[threadIdx.x] = __shfl_sync(0xffu, (int)threadIdx.x, 0);  // <- not_in_mask
}
extern "C" __global__ void half_a_shuffle(int *y) {
    int v = threadIdx.x;
    if (v < 16) v = __shfl_sync(0xffffffffu, v, 0);  // <- half_a_shuffle
    else __syncthreads();
    y[threadIdx.x] = v;
}
extern "C" __global__ void odd_width(int *y) {
    y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, (int)threadIdx.x, 1, 3);  // <- odd_width
}
extern "C" __global__ void variable_in_block(int *y) {
    parts[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] = parts[31 - threadIdx.x];  // <- variable_in_block
}
// The last block reads what the others left, each with one thing wrong.
extern "C" __global__ void no_fence(int *part, int *y) {
    if (threadIdx.x) return;
    parts[blockIdx.x] = 1;
    if (atomicAdd(&ticket, 1u) == gridDim.x - 1) y[0] = parts[0];  // <- no_fence
}
extern "C" __global__ void fence_of_a_block(int *part, int *y) {
    if (threadIdx.x) return;
    part[blockIdx.x] = 1;
    __threadfence_block();
    if (atomicAdd(&ticket, 1u) == gridDim.x - 1) y[0] = part[0];  // <- fence_of_a_block
}
extern "C" __global__ void fence_too_early(int *part, int *y) {
    if (threadIdx.x) return;
    __threadfence();
    part[blockIdx.x] = 1;
    if (atomicAdd(&ticket, 1u) == gridDim.x - 1) y[0] = part[0];  // <- fence_too_early
}
extern "C" __global__ void fence_for_others(int *part, int *y) {
    part[32 * blockIdx.x + threadIdx.x] = 1;
    if (threadIdx.x) return;
    __threadfence();
    if (atomicAdd(&ticket, 1u) == gridDim.x - 1) y[0] = part[1];  // <- fence_for_others
}
extern "C" __global__ void not_told(int *part, int *y) {
    if (threadIdx.x == 0) {
        part[blockIdx.x] = 1;
        __threadfence();
        atomicAdd(&ticket, 1u);
    } else if (threadIdx.x == 7 && blockIdx.x) y[0] = part[0];  // <- not_told
}
extern "C" __global__ void constant_store(float *y) {
    coefficients[threadIdx.x] = 1;  // <- constant_store
    y[0] = coefficients[1];
}
extern "C" __global__ void far_coefficient(float *y) {
    y[threadIdx.x] = coefficients[threadIdx.x + 1];  // <- far_coefficient
}
extern "C" __global__ void endless(const volatile int *y) {
    while (y[0] == 0) {  // <- endless
    }
}
extern "C" __global__ void division(int *y, int n) {
    y[0] = 7 / n;  // <- division
}
extern "C" __global__ void deep(int *y, int n) {
    int local[40000];
    for (int j = 0; j < 40000; ++j) local[j] = j * n;
    y[0] = local[n];
}
extern "C" __global__ void asserted(int *y, int n) {
    assert(n > 6);  // <- asserted
}
extern "C" __global__ void overrun(signed char *y) {
    y[threadIdx.x] = 1;
}
extern "C" __global__ void dynamic(int *y) {
    extern __shared__ int part[];
    part[threadIdx.x] = threadIdx.x;  // <- dynamic
    __syncthreads();
    y[threadIdx.x] = part[31 - threadIdx.x];
}

// Right ones, close to the wrong ones.
extern "C" __global__ void warp_barrier(int *y) {
    __shared__ int part[32];
    part[threadIdx.x] = threadIdx.x;
    __syncwarp();
    y[threadIdx.x] = part[31 - threadIdx.x];
}
extern "C" __global__ void write(int *y) { y[0] = 8; }  // a name of the C library's
extern "C" __global__ void same_value(int *y) { y[0] = 7; }
extern "C" __global__ void atomics(int *y) { atomicAdd(y, 1); }
extern "C" __global__ void last_block(const int *x, int *part, int *out) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        part[blockIdx.x] = x[blockIdx.x];
        __threadfence();
        last = atomicAdd(&ticket, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        int sum = 0;
        for (int j = 0; j < gridDim.x; ++j) sum += part[j];
        out[0] = sum;
    }
}
extern "C" __global__ void all_fence(const int *x, int *part, int *out) {
    __shared__ bool last;
    part[blockIdx.x * blockDim.x + threadIdx.x] = x[blockIdx.x];
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) last = atomicAdd(&ticket, 1u) == gridDim.x - 1;
    __syncthreads();
    if (last && threadIdx.x == 9)
        for (int j = 0; j < gridDim.x * blockDim.x; ++j) out[0] += part[j];
}
extern "C" __global__ void spin(int *lock, int *y) {
    if (threadIdx.x % 32 == 0) {
        while (atomicCAS(lock, 0, 1) != 0) {
        }
        __threadfence();
        y[0] = y[0] + 1;
        __threadfence();
        atomicExch(lock, 0);
    }
}
"""


@pytest.fixture(scope="module")
def module():
    return RawModule(code=CODE)


def line_of(name):
    return next(i for i, text in enumerate(CODE.splitlines(), 1) if text.endswith(f"// <- {name}"))


def fails(module, name, grid, block, *args, watch=True, **options):
    """The first finding of a launch that must fail."""
    kernel = module.get_function(name)
    with pytest.raises(cuda.KernelError) as caught:
        if watch:
            kernel.watch((grid,), (block,), args, **options)
        else:
            kernel((grid,), (block,), args, **options)
    finding = caught.value.findings[0]
    assert finding.message in str(caught.value)
    return finding


def ints(size):
    return cuda.zeros(size, np.int32)


WATCHED = {
    # kernel: grid, block, args, kind, thread, words of the message
    "beyond": (4, 256, lambda: (cuda.zeros(1000, np.float32), np.int32(1000)), "outside",
               ((3, 0, 0), (232, 0, 0)), "writes `x[1000]`, 1 element beyond its end (1,000 elements"),
    "before": (1, 32, lambda: (ints(32), ints(32)), "outside", ((0, 0, 0), (0, 0, 0)),
               "reads `x[-1]`, 1 element before its start"),
    "wrapped": (1, 32, lambda: (ints(32), ints(32)), "outside", ((0, 0, 0), (0, 0, 0)),
                "an unsigned index went below 0"),
    "tail": (1, 32, lambda: (cuda.zeros(30, np.int8), cuda.zeros(32, np.int8), np.int32(30)), "outside",
             ((0, 0, 0), (7, 0, 0)), "reads `x[28..31]`, 2 elements beyond its end"),
    "null": (1, 1, lambda: (None,), "outside", ((0, 0, 0), (0, 0, 0)), "null pointer"),
    "unwritten": (1, 32, lambda: (ints(32),), "uninitialised", ((0, 0, 0), (31, 0, 0)),
                  "reads `part` (shared; bytes 124 to 127) that no thread of this block has written"),
    "neighbours": (1, 32, lambda: (ints(32), np.int32(0), np.uint32(0)), "outside",
                   ((0, 0, 0), (31, 0, 0)), "4 bytes, just beyond the end of `first` (shared, 124 bytes)"),
    "shared_wrapped": (1, 32, lambda: (ints(32),), "outside", ((0, 0, 0), (0, 0, 0)),
                       "an unsigned index went below 0"),
    "no_barrier": (1, 64, lambda: (ints(64),), "race", ((0, 0, 0), (32, 0, 0)),
                   "writes `part` (shared; bytes 128 to 131) that thread (31, 0, 0) reads"),
    "no_warp_barrier": (1, 32, lambda: (ints(32),), "race", ((0, 0, 0), (0, 0, 0)),
                        "reads `part` (shared; bytes 124 to 127) that thread (31, 0, 0) writes"),
    "no_second_barrier": (1, 64, lambda: (cuda.arange(64, dtype=np.int32), ints(64)), "race",
                          None, "put a __syncthreads() between the two"),
    "no_atomic": (4, 1, lambda: (ints(1),), "race", ((1, 0, 0), (0, 0, 0)),
                  "`y[0]` that thread (0, 0, 0) of block (0, 0, 0) writes"),
    "half_atomic": (1, 32, lambda: (ints(1),), "race", None, "updates `y[0]`"),
    "zeroed_late": (1, 64, lambda: (ints(4),), "race", ((0, 0, 0), (4, 0, 0)),
                    "thread (0, 0, 0) writes too, and nothing orders the two: put a __syncthreads()"),
    "two_writers": (1, 4, lambda: (ints(2),), "race", ((0, 0, 0), (1, 0, 0)),
                    "writes `y[0]` that thread (0, 0, 0) writes too"),
    "in_place": (2, 64, lambda: (cuda.arange(128, dtype=np.int32), np.int32(128)), "race",
                 ((1, 0, 0), (0, 0, 0)), "writes `y[64]` that thread (63, 0, 0) of block (0, 0, 0) reads"),
    "three_points": (2, 64, lambda: (cuda.arange(128, dtype=np.int32), np.int32(128)), "race",
                     ((1, 0, 0), (0, 0, 0)), "thread (63, 0, 0) of block (0, 0, 0) reads"),
    "other_width": (1, 8, lambda: (lambda y: (y, y.view(np.int8)))(ints(8)), "race",
                    ((0, 0, 0), (1, 0, 0)), "writes `y[0]` that thread (0, 0, 0) writes too"),
    "variable_in_block": (1, 32, lambda: (ints(32),), "race", ((0, 0, 0), (0, 0, 0)),
                          "reads `parts` (bytes 124 to 127) that thread (31, 0, 0) writes"),
    "no_fence": (3, 32, lambda: (ints(3), ints(1)), "race", ((2, 0, 0), (0, 0, 0)),
                 "reads `parts` (bytes 0 to 3) that thread (0, 0, 0) of block (0, 0, 0) writes"),
    "fence_of_a_block": (3, 32, lambda: (ints(3), ints(1)), "race", ((2, 0, 0), (0, 0, 0)),
                         "reads `part[0]` that thread (0, 0, 0) of block (0, 0, 0) writes"),
    "fence_too_early": (3, 32, lambda: (ints(3), ints(1)), "race", ((2, 0, 0), (0, 0, 0)),
                        "reads `part[0]` that thread (0, 0, 0) of block (0, 0, 0) writes"),
    "fence_for_others": (3, 32, lambda: (ints(96), ints(1)), "race", ((2, 0, 0), (0, 0, 0)),
                         "reads `part[1]` that thread (1, 0, 0) of block (0, 0, 0) writes"),
    "not_told": (2, 32, lambda: (ints(2), ints(1)), "race", ((1, 0, 0), (7, 0, 0)),
                 "reads `part[0]` that thread (0, 0, 0) of block (0, 0, 0) writes"),
    "far_coefficient": (1, 4, lambda: (cuda.zeros(4, np.float32),), "outside", ((0, 0, 0), (3, 0, 0)),
                        "reads 4 bytes, 0 bytes beyond the end of the variable `coefficients`"),
    "constant_store": (1, 4, lambda: (cuda.zeros(1, np.float32),), "constant", ((0, 0, 0), (0, 0, 0)),
                       "a kernel can only read"),
}  # fmt: skip
BOTH = {
    "some_wait": (1, 64, lambda: (ints(64),), "barrier",
                  "16 of 64 threads wait here, and thread (16, 0, 0) has ended without it"),
    "two_barriers": (1, 64, lambda: (ints(64),), "barrier",
                     "thread (16, 0, 0) waits at __syncthreads() in line"),
    "early_return": (1, 64, lambda: (ints(64), np.int32(40)), "barrier",
                     "40 of 64 threads wait here, and thread (40, 0, 0) has ended without it"),
    "not_in_mask": (1, 32, lambda: (ints(32),), "mask",
                    "lane 8 calls a warp shuffle with the mask 0x000000ff"),
    "half_a_shuffle": (1, 32, lambda: (ints(32),), "barrier",
                       "a warp shuffle is not reached by all: 16 of 32 threads wait here"),
    "division": (1, 1, lambda: (ints(1), np.int32(0)), "division", "by zero"),
    "odd_width": (1, 32, lambda: (ints(32),), "stopped", "must be 1, 2, 4, 8, 16 or 32"),
    "asserted": (1, 1, lambda: (ints(1), np.int32(0)), "stopped", "the assertion `n > 6` failed"),
}  # fmt: skip


@pytest.mark.parametrize("name", WATCHED)
def test_found_by_watching(module, name):
    grid, block, make, kind, place, words = WATCHED[name]
    module.get_global("ticket").set(np.zeros(1, np.uint32))
    finding = fails(module, name, grid, block, *make())
    assert finding.kind == kind and words in finding.message
    assert (
        finding.line == line_of(name) and f"`{name}`, line {finding.line}, block" in finding.message
    )
    assert place in (None, (finding.block, finding.thread))
    assert CODE.splitlines()[finding.line - 1].strip() in finding.message


def test_no_shared_variable_lies_beside_another(module):
    y = ints(31)
    module.get_function("neighbours").watch((1,), (31,), (y, np.int32(0), np.uint32(0)))
    assert set(y.get()) == {6}
    for by, where in (
        (-1, "4 bytes before the start"),
        (-20, "80 bytes before the start"),
        (40, "36 bytes beyond the end"),
    ):
        finding = fails(module, "neighbours", 1, 31, y, np.int32(by), np.uint32(0))
        assert finding.kind == "outside" and f"{where} of `first`" in finding.message


@pytest.mark.parametrize("watch", [True, False], ids=["watched", "plain"])
@pytest.mark.parametrize("name", BOTH)
def test_found_in_both_modes(module, name, watch):
    grid, block, make, kind, words = BOTH[name]
    finding = fails(module, name, grid, block, *make(), watch=watch)
    assert (finding.kind, finding.line) == (kind, line_of(name)) and words in finding.message


@pytest.mark.parametrize("watch", [True, False], ids=["watched", "plain"])
def test_an_endless_loop_is_a_finding(module, watch, monkeypatch):
    monkeypatch.setattr(launch, "CPU_S", 1)
    finding = fails(module, "endless", 1, 32, ints(1), watch=watch)
    assert (finding.kind, finding.line) == ("endless", line_of("endless"))


@pytest.mark.parametrize("watch", [True, False], ids=["watched", "plain"])
def test_too_many_local_variables(module, watch):
    finding = fails(module, "deep", 1, 33, ints(1), np.int32(5), watch=watch)
    assert finding.kind == "stack" and "64 KB" in finding.message


def test_unwatched_faults_have_a_line_and_overruns_a_name(module):
    far = fails(module, "beyond", 64, 1024, cuda.zeros(1000, np.float32), np.int32(1), watch=False)
    assert (far.kind, far.line) == ("outside", line_of("beyond")) and "`x[" in far.message
    near = fails(module, "overrun", 1, 9, cuda.zeros(8, np.int8), watch=False)
    assert near.kind == "overrun" and "beyond the end of `y` (8 elements of int8)" in near.message


def test_misaligned_vectors(module):
    whole = cuda.zeros(64, np.int8)
    finding = fails(module, "tail", 1, 8, whole[1:], cuda.zeros(64, np.int8), np.int32(32))
    assert finding.kind == "misaligned" and finding.line == line_of("tail")
    assert "reads 4 bytes of `x[0..3]` at once, 1 bytes behind a multiple of 4" in finding.message


def test_dynamic_shared_memory_has_the_bytes_of_the_launch(module):
    y = ints(32)
    module.get_function("dynamic").watch((1,), (32,), (y,), shared_mem=128)
    assert np.array_equal(y.get(), np.arange(31, -1, -1))
    finding = fails(module, "dynamic", 1, 32, y, shared_mem=64)
    assert (finding.thread, finding.line) == ((16, 0, 0), line_of("dynamic"))
    assert (
        "byte 64 of the dynamic shared memory, and the launch gives it 64 bytes" in finding.message
    )


@pytest.mark.parametrize("watch", [True, False], ids=["watched", "plain"])
def test_right_kernels_pass(module, watch):
    def run(name, grid, block, *args):
        kernel = module.get_function(name)
        (kernel.watch if watch else kernel)((grid,), (block,), args)
        return [a.get() for a in args]

    if watch:  # lanes are in step then
        assert np.array_equal(run("warp_barrier", 1, 32, ints(32))[0], np.arange(31, -1, -1))
    assert run("write", 2, 64, ints(1))[0] == 8
    assert run("same_value", 2, 64, ints(1))[0] == 7
    assert run("atomics", 4, 64, ints(1))[0] == 256
    x = cuda.arange(4, dtype=np.int32)
    module.get_global("ticket").set(np.zeros(1, np.uint32))
    assert run("last_block", 4, 32, x, ints(4), ints(1))[2] == 6
    module.get_global("ticket").set(np.zeros(1, np.uint32))
    assert run("all_fence", 4, 32, x, ints(128), ints(1))[2] == 32 * 6
    assert run("spin", 2, 128, ints(1), ints(1))[1] == 8


def test_a_race_keeps_its_report(module):
    with pytest.raises(cuda.KernelError) as caught:
        module.get_function("two_writers").watch((1,), (4,), (ints(2),))
    assert caught.value.report.global_store_sectors == 1


def test_sources_that_do_not_compile():
    for code, words in {
        'extern "C" __global__ void k(int *x) {\n    int y = 1\n    x[0] = y;\n}': "in line 3: expected",
        'extern "C" __global__ void k(int *x) {\n    x[0] = unknown(1);\n}': "in line 2: 'unknown'",
        "int twice(int a) { return 2 * a; }\n"
        'extern "C" __global__ void k(int *x) { x[0] = twice(1); }': "line 1: `twice` is a function",
        'extern "C" __global__ int k(int *x) { return 0; }': "must return void",
        'extern "C" __global__ void k(int *x) {\n    int i = threadIdx;\n}': "in line 2: cannot convert",
        'extern "C" __global__ void k(int *x) {\n    if (*x) {\n}': "a brace { is never closed",
        'extern "C" __global__ void k(int *x) { x[0] = INFINITY > 1; }': "'INFINITY' was not declared",
        '__device__ int f(int);\nextern "C" __global__ void k(int *x) { x[0] = f(1); }': "nowhere defined",
    }.items():
        with pytest.raises(cuda.CompileError) as caught:
            RawKernel(code, "k")((1,), (1,), (ints(1),))
        assert words in str(caught.value) and "/" not in str(caught.value).replace(
            "/usr/bin/ld", ""
        )
    foreign = 'extern "C" int open(const char *, int);\n'
    foreign += 'extern "C" __global__ void k(int *x) { x[0] = open("file", 0); }'
    assembly = 'extern "C" __global__ void k(int *x) { asm("nop"); }'
    for code, words in (
        (foreign, "calls `open`, a function of the host"),
        (assembly, "Inline assembly"),
    ):
        with pytest.raises(cuda.CudaError, match=words):
            RawKernel(code, "k")((1,), (1,), (ints(1),))
    with pytest.raises(cuda.CudaError, match="not declared extern"):
        RawKernel("__global__ void k(int *x) {}", "k")
    with pytest.raises(cuda.CudaError, match="no kernel `other`; it has `k`"):
        RawKernel('extern "C" __global__ void k(int *x) {}', "other")
    with pytest.raises(cuda.CudaError, match="is a template"):
        RawKernel("template <class T> __global__ void k(T *x) {}", "k")
