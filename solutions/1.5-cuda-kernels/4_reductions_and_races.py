# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Let threads work on one number: reductions, barriers, atomics, races
#
# **You end with:** kernels in which many threads work on one result (the amax of a block, of a row, of a whole tensor, a histogram of codes) and none of
# them disturbs another.
#
# About 120 minutes. 40 points: 37 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network (a C++ compiler is needed); on a
# CUDA machine the same cells run through CuPy. You need lesson 1 of this module, and what shared memory is (lesson 3).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import numpy as np

from autograder import check
from lab import cuda
from lab.fake_quant import decoder_linears
from lab.lm import load_lm
from lab.plots import bars, explore
from lab.predict import reveal
from lab.profile import use_profile

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## A kernel that passes its test
#
# A kernel counts: each of its 1,024 threads adds 1 to one counter. A test launches it and looks at the sum.
# %% role="given" id="passing"
count_kernel = cuda.RawKernel(
    'extern "C" __global__ void count(int* total) { *total += 1; }', "count"
)
total = cuda.zeros(1, np.int32)
count_kernel((4,), (256,), (total,))
print("counted:", int(cuda.asnumpy(total)[0]), "of 1024")


def watched_error(kernel, grid, block, args, **options):
    """What the watch finds, as text; "nothing found" for a clean launch."""
    try:
        cuda.watch(kernel, grid, block, args, **options)
    except cuda.KernelError as error:
        return str(error)
    return "nothing found"


print(watched_error(count_kernel, (4,), (256,), (cuda.zeros(1, np.int32),)))


# %% [markdown] items="1.5.C17"
# **What happened.** On this CPU, threads run one after another: the sum is right, the test passes. On a GPU, they read the same old value together, each adds 1, each
# writes: most counts are lost.
#
# A **data race**: two threads reach one address, at least one writes, nothing orders the two. It may win for years. `cuda.watch` looks for such accesses, not at
# results.
# %% [markdown] items="1.5.C17"
# ## What orders two threads
#
# - A **barrier**, `__syncthreads()`: all threads of a *block* wait there for each other. What any of them did before it is before what comes after.
# - An **atomic** such as `atomicAdd`: read, change and write are one step. Atomics on an address take turns.
# - The end of a kernel: all of it is before the next launch in the same stream.
#
# Nothing inside a kernel makes blocks wait for each other.
# %% [markdown] items="1.5.C17"
# ### Exercise: find the pairs that race
#
# A log of accesses to global memory. The *phase* is how many barriers the thread has passed before.
#
# <details><summary>Hint 1</summary>Compare all pairs: same address, not the same thread, not both "read", not both
# "atomic".</details>
# <details><summary>Hint 2</summary>In one block, a pair in different phases is ordered by a barrier. Threads of different blocks
# are ordered by nothing.</details>
# %% role="exercise" id="race-pairs" items="1.5.C17" minutes=12
def race_pairs(
    accesses: list[tuple[int, int, int, str, int]],
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The pairs of threads that race in one launch.

    Two accesses of one address by different threads race unless both are reads, both are atomics, or a barrier
    is between them. A thread is one thread of one block. Lanes of a warp are not ordered either.

    Args:
        accesses: (block, thread, phase, kind, address), in no order. kind: "read", "write" or
            "atomic". phase: barriers that the thread has passed before the access.

    Returns:
        pairs: ((block, thread), (block, thread)), the smaller one first, each pair once however often it races,
            in ascending order.

    Raises:
        ValueError: another kind.

    >>> race_pairs([(0, 1, 0, "write", 40), (0, 2, 0, "read", 40), (0, 3, 1, "read", 40)])
    [((0, 1), (0, 2))]
    >>> race_pairs([(0, 1, 0, "atomic", 40), (1, 1, 2, "write", 40)])
    [((0, 1), (1, 1))]
    """
    ### BEGIN SOLUTION
    found = set()
    for a in accesses:
        if a[3] not in ("read", "write", "atomic"):
            raise ValueError(f"{a[3]!r} is neither read, write nor atomic.")
        for b in accesses:
            if a[4] != b[4] or a[:2] >= b[:2]:
                continue
            harmless = a[3] == b[3] != "write"
            ordered = a[0] == b[0] and a[2] != b[2]
            if not harmless and not ordered:
                found.add((a[:2], b[:2]))
    return sorted(found)
    ### END SOLUTION


# %% role="check" id="race-pairs" points=4
check("race-pairs", race_pairs)


# %% [markdown] items="1.5.C17"
# ## Barriers that not all reach
#
# `__syncthreads()` waits for *every* thread of the block. Inside `if (i < n)`, or behind an early `return`, some never come: on a GPU the kernel hangs, or goes on
# with data that is not there.
#
# So a barrier stands where all threads of a block pass it the same number of times: outside the `if`, in a loop whose bounds are the same for the whole
# block.
# %% [markdown] items="1.5.C17"
# ### Exercise: repair a kernel
#
# `deltas` stores each code's difference from its left neighbour, and counts those that INT8 cannot hold. There are three mistakes in its order, and none shows with
# one warp on a quiet day. Find them with the watch, then repair the kernel.
# %% role="given" id="racy"
racy_source = r"""
extern "C" __global__ void deltas(const signed char* q, short* d, int* large, int n)
{
    __shared__ int tile[1024];
    int t = threadIdx.x;
    for (int start = blockIdx.x * blockDim.x; start < n; start += gridDim.x * blockDim.x) {
        int i = start + t;
        if (i < n) {
            tile[t] = q[i];
            int before = t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0;
            int delta = tile[t] - before;
            d[i] = (short)delta;
            if (abs(delta) > 127) *large += 1;
        }
    }
}
"""
racy_codes = np.random.default_rng(1).integers(-128, 128, 200).astype(np.int8)


def watch_deltas(source):
    """The watch's findings in a launch of `deltas`: 2 blocks of 64, 200 codes."""
    args = (cuda.asarray(racy_codes), cuda.zeros(200, np.int16), cuda.zeros(1, np.int32))
    return watched_error(cuda.RawKernel(source, "deltas"), (2,), (64,), (*args, np.int32(200)))


print(watch_deltas(racy_source))


# %% [markdown]
# <details><summary>Hint 1</summary>Who writes <code>tile[t - 1]</code>, and is it written when you read it? And may you overwrite the tile in the next
# pass, while a neighbour still reads?</details>
# <details><summary>Hint 2</summary>The barriers must not stand inside <code>if (i &lt; n)</code>: close it, barrier, open it
# again.</details>
# <details><summary>Hint 3</summary><code>atomicAdd(large, 1);</code></details>
# %% role="exercise" id="cuda-fix-races" items="1.5.C17" minutes=15
def deltas_source() -> str:
    """The repaired source of `deltas(const signed char* q, short* d, int* large, int n)`, extern "C".

    d[i] = q[i] - q[i - 1], with q[-1] = 0; and *large grows by the number of |d[i]| > 127. For any n, any
    one-dimensional grid and block of up to 1,024 threads; without a race. How you repair it is up to you. *large is 0
    before the launch.

    >>> kernel = cuda.RawKernel(deltas_source(), "deltas")
    >>> q, d, large = cuda.asarray(np.int8([5, -128, 127])), cuda.zeros(3, np.int16), cuda.zeros(1, np.int32)
    >>> kernel((1,), (32,), (q, d, large, np.int32(3)))
    >>> cuda.asnumpy(d).tolist(), int(cuda.asnumpy(large)[0])
    ([5, -133, 255], 2)
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void deltas(const signed char* q, short* d, int* large, int n)
{
    __shared__ int tile[1024];
    int t = threadIdx.x;
    for (int start = blockIdx.x * blockDim.x; start < n; start += gridDim.x * blockDim.x) {
        int i = start + t;
        if (i < n) tile[t] = q[i];
        __syncthreads();
        if (i < n) {
            int before = t > 0 ? tile[t - 1] : i > 0 ? q[i - 1] : 0;
            int delta = tile[t] - before;
            d[i] = (short)delta;
            if (abs(delta) > 127) atomicAdd(large, 1);
        }
        __syncthreads();  // the next pass overwrites the tile
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-fix-races" points=5
check("cuda-fix-races", deltas_source)


# %% [markdown] items="1.5.C17 1.5.K6"
# ## A tree
#
# The scale of a group is $s = \max_i |x_i| / 127$: a **reduction**, many numbers to one. One thread needs $B - 1$ steps for $B$ numbers. $B$ threads need
# $\lceil \log_2 B \rceil$: each step, half of those left take their partner's number, and a barrier ends the step.
#
# Threads past the end of the data still take part. They bring the **identity**, the number that changes nothing: 0 for a maximum of magnitudes.
# %% [markdown]
# **Predict, then run.** A block of 1,000 threads. How many steps does its tree have?
# %% role="predict" id="guess-steps"
my_guess_steps = ...
# %% role="given" id="steps"


def tree_steps(block_threads):
    """Halvings, rounded up, until one is left."""
    steps = 0
    while block_threads > 1:
        block_threads, steps = (block_threads + 1) // 2, steps + 1
    return steps


reveal(my_guess_steps, tree_steps(1000), unit="steps")


# %% [markdown] items="1.5.K6"
# ### Exercise: the amax of a block, by a tree
#
# <details><summary>Hint 1</summary><code>extern __shared__ float part[];</code> each thread stores its magnitude, or 0; then a barrier.</details>
# <details><summary>Hint 2</summary>With s = 1, 2, 4, ...: thread t, a multiple of 2 s, takes <code>part[t + s]</code>. Or let the
# first half take from the second, with halves rounded up.</details>
# <details><summary>Hint 3</summary>Block sizes are not powers of two: is t + s still inside the block?</details>
# %% role="exercise" id="cuda-amax-tree" items="1.5.C17 1.5.K6" minutes=18
def block_amax_source() -> str:
    """Source of `extern "C" __global__ void block_amax(const float* x, float* out, int n)`.

    out[b] = the largest |x[i]| of block b's elements, i = b * blockDim.x + threadIdx.x, i < n; 0 for a block without
    elements. x is finite. Any one-dimensional block of 1 to 1,024 threads, also no power of two.

    A tree in shared memory (warp shuffles may do its last steps): at most ceil(log2(blockDim.x)) + 2 barriers in a
    block, no atomics, each x[i] read once. The work of a step is shared: no loop of one thread over the block (a warp
    makes at most 2 ceil(log2(blockDim.x)) + 4 loads from shared memory on average).

    The launch gives 4 * blockDim.x bytes of dynamic shared memory: `extern __shared__ float part[];`.

    >>> kernel = cuda.RawKernel(block_amax_source(), "block_amax")
    >>> x, out = cuda.asarray(np.float32([1, -5, 2, 0.5, -0.25])), cuda.zeros(2, np.float32)
    >>> kernel((2,), (3,), (x, out, np.int32(5)), shared_mem=12)
    >>> cuda.asnumpy(out).tolist()
    [5.0, 0.5]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void block_amax(const float* x, float* out, int n)
{
    extern __shared__ float part[];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    part[t] = i < n ? fabsf(x[i]) : 0.0f;
    __syncthreads();
    for (int s = 1; s < blockDim.x; s *= 2) {
        if (t % (2 * s) == 0 && t + s < blockDim.x) part[t] = fmaxf(part[t], part[t + s]);
        __syncthreads();
    }
    if (t == 0) out[blockIdx.x] = part[0];
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-amax-tree" points=6
check("cuda-amax-tree", block_amax_source)


# %% [markdown] items="1.5.C17 1.5.K6"
# ## Shuffles
#
# Lanes of a warp can read each other's *registers*: `__shfl_xor_sync(mask, v, s)` gives the v of the lane whose number differs in the bits of s;
# `__shfl_down_sync(mask, v, s)` that of the lane s above. No shared memory, no barrier: the mask names the lanes that take part, and they wait for each
# other.
#
# Every lane in the mask that has not returned must call it. Five steps (16, 8, 4, 2, 1) reduce a warp.
# %% [markdown] items="1.5.K6"
# ### Exercise: the amax of a row of codes, by shuffles
#
# <details><summary>Hint 1</summary>First every thread alone, over its columns; then the warp by shuffles; then one value a warp through shared
# memory.</details>
# <details><summary>Hint 2</summary>The last step: lanes of the first warp take <code>part[lane]</code> if that warp exists, else 0, and shuffle
# again.</details>
# <details><summary>Hint 3</summary>The magnitude of -128 is 128: widen to int before you negate.</details>
# %% role="exercise" id="cuda-amax-shuffle" items="1.5.C17 1.5.K6" minutes=18
def row_amax_source() -> str:
    """Source of `extern "C" __global__ void row_amax(const signed char* q, int* out, int cols)`.

    out[r] = the largest |q[r, c]| of row r, as int: 128 where the row holds -128. q is (rows, cols), contiguous. One
    block for each row: r = blockIdx.x. blockDim.x is a multiple of 32, 32 to 1,024; cols is 1 or more, less or
    more than blockDim.x. Each code is read once.

    Warps reduce by shuffles (or `__reduce_max_sync`); one value a warp goes through shared memory, static: the launch gives no
    dynamic. At most 2 barriers in a block, no atomics, at most 33 warp loads from shared memory in a block.

    >>> kernel = cuda.RawKernel(row_amax_source(), "row_amax")
    >>> q, out = cuda.asarray(np.int8([[1, -128, 5], [0, 7, -9]])), cuda.zeros(2, np.int32)
    >>> kernel((2,), (64,), (q, out, np.int32(3)))
    >>> cuda.asnumpy(out).tolist()
    [128, 9]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void row_amax(const signed char* q, int* out, int cols)
{
    __shared__ int part[32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, best = 0;
    for (int c = threadIdx.x; c < cols; c += blockDim.x)
        best = max(best, abs((int)q[blockIdx.x * cols + c]));
    for (int s = 16; s > 0; s /= 2) best = max(best, __shfl_xor_sync(0xffffffffu, best, s));
    if (lane == 0) part[warp] = best;
    __syncthreads();
    if (warp == 0) {
        best = lane < blockDim.x / 32 ? part[lane] : 0;
        for (int s = 16; s > 0; s /= 2) best = max(best, __shfl_xor_sync(0xffffffffu, best, s));
        if (lane == 0) out[blockIdx.x] = best;
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-amax-shuffle" points=6
check("cuda-amax-shuffle", row_amax_source)


# %% [markdown] items="1.5.C17"
# ## Atomics on a float's bits
#
# Blocks cannot wait for each other; they meet in one atomic each. CUDA C has `atomicMax` for integers only. But the bits of *non-negative* floats, read as an
# integer, are in the order of their values: sign 0, then exponent, then fraction.
#
# So `atomicMax((int*)amax, __float_as_int(v))` is a float maximum, for $v \ge 0$. A negative float has the sign bit set: smallest as a signed integer, largest as an
# unsigned one.
# %% role="given" id="bits"
for value in np.float32([0, 1e-3, 0.5, 1, 1.5, 127, 1e20, -1]):
    print(f"{value:10.4g}  {value.view(np.uint32):032b}  as int {int(value.view(np.int32)):>14,}")


# %% [markdown] items="1.5.C17 1.5.K6"
# ### Exercise: one amax over many blocks
#
# <details><summary>Hint 1</summary>Three levels: a grid-stride loop in each thread, a reduction in each block, one atomic from each
# block.</details>
# <details><summary>Hint 2</summary>The block's part is one of the two reductions that you have.</details>
# %% role="exercise" id="cuda-amax-atomic" items="1.5.C17 1.5.K6" minutes=15
def amax_all_source() -> str:
    """Source of `extern "C" __global__ void amax_all(const float* x, float* amax, int n)`.

    *amax = the largest |x[i]|, i < n. The host sets *amax to 0 before the launch, and the kernel touches it by atomics
    alone. x is finite; n is 1 or more. Any one-dimensional grid; blocks of a multiple of 32 threads, up to 1,024. Each x[i] is
    read once.

    At most one atomic operation on *amax for each block; atomics in shared memory do not count. Static shared memory only.

    >>> kernel = cuda.RawKernel(amax_all_source(), "amax_all")
    >>> x, amax = cuda.asarray(np.float32([0.25, -0.75, 0.5])), cuda.zeros(1, np.float32)
    >>> kernel((2,), (32,), (x, amax, np.int32(3)))
    >>> float(cuda.asnumpy(amax)[0])
    0.75
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void amax_all(const float* x, float* amax, int n)
{
    __shared__ float part[32];
    float best = 0.0f;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        best = fmaxf(best, fabsf(x[i]));
    for (int s = 16; s > 0; s /= 2) best = fmaxf(best, __shfl_xor_sync(0xffffffffu, best, s));
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = best;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < blockDim.x / 32; w++) best = fmaxf(best, part[w]);
        atomicMax((int*)amax, __float_as_int(best));
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-amax-atomic" points=6
check("cuda-amax-atomic", amax_all_source)


# %% [markdown] items="1.5.C17"
# ## What an atomic costs
#
# Lanes of a warp that update *one* address take turns. With $k$ lanes on the busiest address, an update of the warp takes about $k$ turns. A maximum or a sum can be reduced first. A
# **histogram** cannot so easily: which counter a lane wants depends on its data.
#
# Shared memory is nearer than global memory, and only one block competes for it: count there, then add the block's counters to the global ones.
# %% [markdown] items="1.5.C17"
# ### Exercise: a histogram of INT8 codes
#
# <details><summary>Hint 1</summary>Three stages with a barrier between each: set 256 shared counters to 0, count, merge.</details>
# <details><summary>Hint 2</summary>The block may have fewer threads than there are bins, or more: <code>for (int b = threadIdx.x; b &lt; 256; b +=
# blockDim.x)</code>.</details>
# %% role="exercise" id="cuda-histogram" items="1.5.C17" minutes=15
def histogram_source() -> str:
    """Source of `extern "C" __global__ void histogram(const signed char* q, unsigned int* bins, int n)`.

    bins[c + 128] grows by the number of codes q[i] == c, i < n, for c in -128..127; what the 256 bins hold before the
    launch stays counted. Any one-dimensional grid, blocks of 1 to 1,024 threads, static shared memory. Each code is read once.

    bins is touched by atomics alone, and each block updates each bin at most once.

    >>> kernel = cuda.RawKernel(histogram_source(), "histogram")
    >>> q, bins = cuda.asarray(np.int8([-128, 3, 3, 127])), cuda.zeros(256, np.uint32)
    >>> kernel((1,), (64,), (q, bins, np.int32(4)))
    >>> cuda.asnumpy(bins)[[0, 128, 131, 255]].tolist()
    [1, 0, 2, 1]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void histogram(const signed char* q, unsigned int* bins, int n)
{
    __shared__ unsigned int own[256];
    for (int b = threadIdx.x; b < 256; b += blockDim.x) own[b] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&own[q[i] + 128], 1u);
    __syncthreads();
    for (int b = threadIdx.x; b < 256; b += blockDim.x) atomicAdd(&bins[b], own[b]);
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-histogram" points=5
check("cuda-histogram", histogram_source)


# %% [markdown] items="1.5.C17 1.5.K6"
# ## The weights of a model
#
# One scale for a projection of the course's language model by your `amax_all`, its codes, and their histogram by your kernel, beside one that makes every code an atomic on
# global memory.
# %% role="given" id="layer"
weight = decoder_linears(load_lm("lm"))["model.layers.1.mlp.down_proj"].weight.detach().numpy()
device_weight = cuda.asarray(weight.ravel())
device_amax = cuda.zeros(1, np.float32)
amax_kernel = cuda.RawKernel(amax_all_source(), "amax_all")
amax_kernel((32,), (256,), (device_weight, device_amax, np.int32(weight.size)))
weight_amax = cuda.asnumpy(device_amax)[0]
print(f"amax {weight_amax:.6f}, NumPy's {np.abs(weight).max():.6f}")
weight_codes = np.rint(weight / (weight_amax / 127)).astype(np.int8).ravel()[: 256 * 256]

plain_source = r"""
extern "C" __global__ void histogram(const signed char* q, unsigned int* bins, int n)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&bins[q[i] + 128], 1u);
}
"""


def atomic_counts(source, codes, blocks=8, threads=256):
    """Bins of a watched histogram, and its atomic updates by lanes: shared, global, lanes that collide."""
    bins = cuda.zeros(256, np.uint32)
    kernel = cuda.RawKernel(source, "histogram")
    report = cuda.watch(
        kernel, (blocks,), (threads,), (cuda.asarray(codes), bins, np.int32(codes.size))
    )
    shared, far = report.select("atomic", "shared"), report.select("atomic", "global")
    return cuda.asnumpy(bins), {
        "shared": sum(i.lanes for i in shared),
        "global": sum(i.lanes for i in far),
        "colliding": sum(i.repeats for i in (*shared, *far)),
    }


bins_near, near = atomic_counts(histogram_source(), weight_codes)
bins_far, far = atomic_counts(plain_source, weight_codes)
print("the same bins:", np.array_equal(bins_near, bins_far))
print("shared counters:", near)
print("global counters:", far)
# %% [markdown]
# **What you should see.** The same amax to the last bit, since a maximum does not round. 65,536 global updates became 2,048 (8 blocks of 256 bins), and the others happen in shared memory. About
# a fifth of the lanes collide in both: codes of a model's weights crowd around 0. How much they crowd is the knob below.
# %% role="given" id="knob"


def turns_of_a_warp(spread=20.0):
    """Bars: turns that an atomic of one warp takes, for codes of this standard deviation."""
    codes = np.clip(np.rint(np.random.default_rng(0).normal(0, spread, (2000, 32))), -128, 127)
    turns = [np.unique(row, return_counts=True)[1].max() for row in codes]
    most = int(max(turns))
    shares = {str(k): 100 * turns.count(k) / len(turns) for k in range(1, min(most, 8) + 1)}
    if most > 8:
        shares["9 or more"] = 100 * sum(k > 8 for k in turns) / len(turns)
    title = f"codes with a standard deviation of {spread:g}: {np.mean(turns):.2f} turns on average"
    fig = bars(shares, unit="% of warps", title=title)
    return fig, f"{title}, at most {most}."


explore(turns_of_a_warp, spread=[0.5, 1, 2, 5, 10, 20, 40, 80])


# %% [markdown] items="1.5.C17"
# ## Streams
#
# A launch joins a **stream**: launches and copies of one stream run in order, so a kernel may read what the one before it wrote. Different streams are *not* ordered: a copy in one and a
# kernel in the other that share memory race, like two threads.
#
# An **event** orders them: recorded in one stream, waited for in the other. `cudaDeviceSynchronize` makes the host wait for all of them.
# %% [markdown] items="1.5.C17"
# ### Exercise: find the commands that race
#
# <details><summary>Hint 1</summary>Go through the list once. For each command collect what is certainly done before it starts: what its stream's last command
# knew, and that command.</details>
# <details><summary>Hint 2</summary>A wait adds what the record knew, and the record. A synchronize adds everything, for all
# streams.</details>
# %% role="exercise" id="stream-races" items="1.5.C17" minutes=12
def stream_races(commands: list[tuple[str, str, str]]) -> list[tuple[int, int]]:
    """Pairs of commands that may run in either order, or at once, and touch one buffer.

    Args:
        commands: (stream, kind, name) in the order in which the host issues them.
            "read", "write": a copy or kernel of this stream that reads or writes the buffer `name`.
            "record": marks this place of the stream in the event `name`, anew if it was recorded before.
            "wait": later commands of this stream start after the last record of the event that was issued before the wait, by any
            stream. An event that has not been recorded is not waited for.
            "synchronize": the host waits for all streams; stream and name are "".

    Returns:
        pairs: (i, j), i < j, numbers in `commands`, from 0, ascending: both read or write the same buffer, at least one writes,
            and nothing orders the two, neither directly nor through other commands.

    >>> stream_races([("a", "write", "x"), ("b", "read", "x")])
    [(0, 1)]
    >>> stream_races([("a", "write", "x"), ("a", "record", "e"), ("b", "wait", "e"), ("b", "read", "x")])
    []
    """
    ### BEGIN SOLUTION
    before, stream_knows, event_knows, everywhere = [], {}, {}, set()
    for j, (stream, kind, name) in enumerate(commands):
        known = everywhere | stream_knows.get(stream, set())
        if kind == "wait":
            known = known | event_knows.get(name, set())
        elif kind == "record":
            event_knows[name] = known | {j}
        elif kind == "synchronize":
            everywhere = known = set(range(j))
        before.append(known)
        stream_knows[stream] = known | {j}
    return [
        (i, j)
        for i in range(len(commands))
        for j in range(i + 1, len(commands))
        if "write" in (commands[i][1], commands[j][1])
        and {commands[i][1], commands[j][1]} <= {"read", "write"}
        and commands[i][2] == commands[j][2]
        and i not in before[j]
    ]
    ### END SOLUTION


# %% role="check" id="stream-races" points=5
check("stream-races", stream_races)


# %% [markdown] items="1.5.C17 1.5.K6"
# ## In your own words: a kernel that passed its tests
#
# A colleague's kernel computes an amax for each block, and its tests pass on one GPU. It stores the threads' magnitudes in shared memory, runs a tree with `s = blockDim.x / 2`, halving;
# the last five steps, inside one warp, have no barrier; threads past the end returned at the top. Then each block does `if (best > *amax) *amax = best;`.
#
# Name each mistake, what it takes to show, and the repair. And: why do tests not find these? 120 to 200 words.
# %% [markdown] role="written" id="cuda-race-review" items="1.5.C17 1.5.K6" points=3
# **Model answer.** The early return: with n no multiple of the block, returned threads never reach the barriers, and their places in shared memory hold nothing. Keep all threads, give
# those past the end 0. The tree: halving drops an element whenever a size is odd; it shows with blocks that are no power of two, or never. Round the halves up, or guard the partner. The last five steps: lanes
# of a warp are not in step by promise since Volta; the compiler may also keep values in registers. `__syncwarp()` between the steps, or shuffles. The update: two blocks read the same old maximum
# and the smaller may write last. `atomicMax` on the bits, as the values are not negative.
#
# Tests compare results, and a race that wins gives the right one; sizes in tests are often round; a scheduler on one GPU has its habits. A tool that looks at the order of accesses (compute-sanitizer's
# racecheck, the watch here) does not need the race to lose.
#
# **Rubric.** 1 point: early return and odd sizes, with the identity. 1 point: both races and their repairs. 1 point: why a passing test proves little, and what does
# more.
# %% [markdown]
# ## Recap
#
# - A race is about order, not about results: one address, two threads, a write, nothing between.
# - A barrier orders a block, and all of it must come. Atomics order one address. Blocks have nothing else.
# - Reductions: threads alone first, then the warp by shuffles, then the block through shared memory, then one atomic a block.
# - Threads without data bring the identity. The magnitude of -128 needs more than INT8.
# - Non-negative floats are ordered as their bits.
# - Streams order their own commands; events and the host order streams.
#
# **Three questions**
#
# <details><summary>1. Why is one barrier not enough in a loop that fills a tile and reads it?</summary>The first orders filling before reading. Without a second one, a fast thread fills the tile for the next pass
# while a slow one still reads this one.</details>
# <details><summary>2. Why may two runs of a float <em>sum</em> by atomics differ, and two of a maximum not?</summary>Additions round, so their order matters, and the order of atomics is not fixed. A maximum picks one of its
# inputs and rounds nothing.</details>
# <details><summary>3. Can a kernel make all its blocks wait for each other?</summary>Not with <code>__syncthreads</code>. Blocks that wait for one that has not started never end. End the kernel, or use a cooperative
# launch, which refuses grids that do not fit at once.</details>
#
# ## Reading, with what to look for
#
# - NVIDIA, *CUDA C++ Programming Guide*: "Synchronization Functions", "Atomic Functions", "Warp Shuffle Functions", and "Independent Thread Scheduling".
# - Mark Harris, *Optimizing Parallel Reduction in CUDA*, NVIDIA: seven versions of one tree. Its last ones leave the barriers of the last warp out, which has not been
#   safe since Volta: find the place.
# - NVIDIA, *Compute Sanitizer*, the racecheck tool: what it sees in shared memory.
#
# **Next:** what keeps lanes and warps busy.
