# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Write a kernel, launch it, and account for every thread
#
# **You end with:** CUDA C kernels that quantize and dequantize vectors and matrices of any size, the host code around them, and every
# thread of a launch accounted for.
#
# About 100 minutes. 29 points: 26 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network (a C++ compiler is needed:
# `course doctor` says whether there is one); on a CUDA machine the same cells run through CuPy. You need scales and zero-points
# (module 1.1, lesson 2). CUDA is not assumed, a little C is.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import numpy as np

from autograder import check
from lab import cuda
from lab.plots import bars, explore
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
print(
    "Kernels run",
    "on the GPU, through CuPy."
    if cuda.on_gpu()
    else "on the CPU, compiled by the host's compiler.",
)
profile
# %% [markdown]
# ## A launch that forgets
#
# Below is a kernel in CUDA C: each of its threads quantizes one number of a vector of 1,000. It is launched with 3 blocks of 256
# threads. No error is raised. How many of the 1,000 codes are right?
# %% role="given" id="forgetful"
forgetful_source = r"""
extern "C" __global__ void quantize(const float* x, signed char* q, float scale, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        q[i] = (signed char)max(-127, min(127, (int)rintf(x[i] / scale)));
    }
}
"""
forgetful = cuda.RawKernel(forgetful_source, "quantize")
vector = np.random.default_rng(0).normal(0, 1, 1000).astype(np.float32)
step = np.float32(np.abs(vector).max() / 127)
codes_wanted = np.rint(vector / step).astype(np.int8)
device_codes = cuda.zeros(1000, np.int8)
forgetful((3,), (256,), (cuda.asarray(vector), device_codes, step, np.int32(1000)))
codes_seen = cuda.asnumpy(device_codes)
print(f"{np.count_nonzero(codes_seen == codes_wanted)} of 1000 codes are right")
print("the last one that is not 0:", int(np.flatnonzero(codes_seen)[-1]))


# %% [markdown] items="1.5.C4"
# **What happened.** $3 \times 256 = 768$ threads did 768 elements, and nobody did the others (a few of them are 0 anyway). The kernel is right, the *launch* was
# wrong, and a GPU does not know how much work you meant. Four blocks are 1,024 threads: 24 too many, and the line `if (i < n)` sends those
# home.
# %% [markdown] items="1.5.C1"
# ## Two machines
#
# The **host** is the CPU with its memory, the **device** the GPU with its own. A kernel reads and writes device memory only.
#
# `cuda.asarray(x)` copies a NumPy array to the device, `cuda.asnumpy(d)` copies it back, `cuda.empty(n, dtype)` takes device memory and
# writes nothing into it. On a CUDA machine these are CuPy's functions. Here the "device" is a process of its own that runs your source,
# compiled by the host's C++ compiler.
# %% [markdown] items="1.5.C2"
# ## A kernel is what one thread does
#
# `__global__` marks a function that the host launches and the device runs. It returns `void`: results go to memory. `extern "C"` keeps its name
# as written, so that the host finds it.
#
# There is no loop over the elements. The launch starts many threads with the same arguments; each finds out from `blockIdx` and
# `threadIdx` which element is its own.
# %% [markdown] items="1.5.C3"
# ## Threads, warps, blocks, grids
#
# Threads form **blocks** (1 to 1,024 threads), blocks form the **grid**. Both may have up to three dimensions, with x running fastest:
# the rank of a thread in its block is
#
# $$ r = t_x + B_x\,(t_y + B_y\,t_z) $$
#
# for a block of $(B_x, B_y, B_z)$ threads. The hardware runs a block in **warps** of 32 threads with consecutive ranks; a thread's place in
# its warp is its **lane**.
# %% [markdown] items="1.5.C3"
# ### Exercise: find a thread's warp
#
# <details><summary>Hint</summary>The warp is the rank divided by 32, rounded down; the lane is what is left.</details>
# %% role="exercise" id="cuda-thread-place" items="1.5.C3" minutes=8
def thread_place(thread: tuple[int, int, int], block: tuple[int, int, int]) -> tuple[int, int, int]:
    """Where a thread runs: its rank in the block, its warp and its lane.

    Args:
        thread: threadIdx as (x, y, z).
        block: blockDim as (x, y, z), 1 to 1,024 threads in all.

    Returns:
        rank: 0 to threads - 1, x fastest, then y, then z.
        warp: rank // 32.
        lane: 0 to 31.

    Raises:
        ValueError: a thread outside the block, a size below 1, or more than 1,024 threads.

    >>> thread_place((1, 2, 0), (16, 4, 1))
    (33, 1, 1)
    """
    ### BEGIN SOLUTION
    (tx, ty, tz), (bx, by, bz) = thread, block
    if min(block) < 1 or bx * by * bz > 1024:
        raise ValueError(f"A block of {block} threads cannot be launched.")
    if not all(0 <= t < b for t, b in zip(thread, block, strict=True)):
        raise ValueError(f"There is no thread {thread} in a block of {block}.")
    rank = tx + bx * (ty + by * tz)
    return rank, rank // 32, rank % 32
    ### END SOLUTION


# %% role="check" id="cuda-thread-place" points=3
check("cuda-thread-place", thread_place)


# %% [markdown] items="1.5.C4"
# ## The launch
#
# In CUDA C a launch is `kernel<<<grid, block, shared_bytes, stream>>>(arguments)`. Here it is
#
# `kernel(grid, block, (arguments), shared_mem=shared_bytes)`,
#
# with grid and block as tuples. The **stream** is the queue that the launch joins: the host goes on at once, and launches of one stream run one
# after another. Numbers must have the kernel's types: `np.int32(n)` for `int`, `np.float32(s)` for `float`.
# %% [markdown] items="1.5.C4"
# ### Exercise: how many blocks
#
# For a matrix: x along the columns, y along the rows. Enough blocks that every element has a thread, and not one block more.
#
# <details><summary>Hint</summary>Rounded up: <code>-(-cols // block[0])</code>. Idle threads: all threads minus rows times
# cols.</details>
# %% role="exercise" id="cuda-grid-for" items="1.5.C4" minutes=8
def grid_for(rows: int, cols: int, block: tuple[int, int]) -> tuple[tuple[int, int], int]:
    """The smallest grid that covers a matrix, one thread for each element.

    Args:
        rows, cols: of the matrix, 1 or more.
        block: threads of a block as (x, y); x runs along the columns. At most 1,024 in all.

    Returns:
        grid: blocks as (x, y).
        idle: threads of the launch that have no element.

    Raises:
        ValueError: a size below 1, or more than 1,024 threads in a block.

    >>> grid_for(3, 100, (32, 2))
    ((4, 2), 212)
    """
    ### BEGIN SOLUTION
    if min(rows, cols, *block) < 1 or block[0] * block[1] > 1024:
        raise ValueError(f"{rows} x {cols} elements in blocks of {block} cannot be.")
    grid = (-(-cols // block[0]), -(-rows // block[1]))
    return grid, grid[0] * grid[1] * block[0] * block[1] - rows * cols
    ### END SOLUTION


# %% role="check" id="cuda-grid-for" points=3
check("cuda-grid-for", grid_for)
# %% [markdown]
# **Predict, then run.** A vector of 100,000 elements: how many threads are idle with blocks of 1,024?
# %% role="predict" id="guess-idle"
my_guess_idle = ...
# %% role="given" id="idle"
idle_by_block = {f"blocks of {b}": grid_for(1, 100_000, (b, 1))[1] for b in (32, 128, 256, 1024)}
for label, idle in idle_by_block.items():
    print(f"{label}: {idle} idle threads, {idle / (100_000 + idle):.2%} of the launch")
reveal(my_guess_idle, idle_by_block["blocks of 1024"], unit="threads")
# %% [markdown]
# **What you should see.** A fraction of a percent, for long vectors: idle threads of the last block cost next to nothing. For *small* matrices and large
# blocks it is another story: turn the knob.
# %% role="given" id="knob"


def busy_threads(rows=20, cols=20, block_x=16, block_y=16):
    """Bars: threads with and without an element."""
    grid, idle = grid_for(rows, cols, (block_x, block_y))
    title = f"{rows} x {cols} elements, {grid[0]} x {grid[1]} blocks of {block_x} x {block_y}"
    fig = bars({"busy": rows * cols, "idle": idle}, unit="threads", title=title)
    return fig, f"{title}: {rows * cols} busy and {idle} idle threads."


explore(
    busy_threads,
    rows=(1, 64, 1),
    cols=(1, 64, 1),
    block_x=[4, 8, 16, 32],
    block_y=[1, 4, 8, 16, 32],
)


# %% [markdown] items="1.5.C2 1.5.C12"
# ## A kernel of your own
#
# Affine quantization of one element: $q = \mathrm{clip}(\mathrm{round}(x / s) + z,\,-128,\,127)$, with scale $s$ and zero-point $z$.
#
# In CUDA C, `rintf(v)` rounds half to even, `roundf(v)` half away from zero, and a cast `(int)v` cuts the fraction off. `min` and `max` take two numbers of
# the same type. A kernel is C++ without standard headers: `signed char` is INT8 (no `int8_t`), and plain `char` may be unsigned on some
# machines.
# %% [markdown] items="1.5.C2 1.5.C3 1.5.C12"
# ### Exercise: quantize, one element a thread
#
# Return the source as a string. The check compiles it, launches it in several sizes, and watches every access.
#
# <details><summary>Hint 1</summary>Start from the kernel at the top of this lesson.</details>
# <details><summary>Hint 2</summary><code>int q = (int)rintf(x[i] / scale) + zero_point;</code> then
# <code>max(-128, min(127, q))</code>.</details>
# <details><summary>Hint 3</summary>x may be very large: <code>(int)</code> of 1e20 is not defined in C. Clip as
# float, before the cast.</details>
# %% role="exercise" id="cuda-quantize" items="1.5.C2 1.5.C3 1.5.C12" minutes=15
def quantize_source() -> str:
    """Source of `extern "C" __global__ void quantize(const float* x, signed char* q, float scale, int zero_point, int n)`.

    q[i] = clip(round(x[i] / scale) + zero_point, -128, 127) for i < n, half to even; nothing else is
    read or written. Thread i of the one-dimensional launch does element i; the grid covers n and may have up
    to a block more. x is finite, of any size; scale > 0; zero_point in -128..127.

    >>> kernel = cuda.RawKernel(quantize_source(), "quantize")
    >>> q = cuda.zeros(3, np.int8)
    >>> x = cuda.asarray(np.float32([0.5, -1.5, 1e20]))
    >>> kernel((1,), (32,), (x, q, np.float32(0.5), np.int32(3), np.int32(3)))
    >>> cuda.asnumpy(q).tolist()
    [4, 0, 127]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void quantize(const float* x, signed char* q, float scale, int zero_point, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float code = rintf(x[i] / scale) + (float)zero_point;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, code));
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-quantize" points=6
check("cuda-quantize", quantize_source)


# %% [markdown] items="1.5.C3 1.5.C4"
# ## Any grid will do
#
# One thread for each element ties the launch to the size. In a **grid-stride loop** a thread starts at its own index and goes on in steps of
# the whole grid, `gridDim.x * blockDim.x`, until it is past the end. The same kernel then works with 1 block or 10,000.
#
# In each step, neighbouring threads still do neighbouring elements. Lesson 2 shows what that is worth.
# %% [markdown] items="1.5.C3 1.5.C4 1.5.C12"
# ### Exercise: dequantize with a grid-stride loop
#
# <details><summary>Hint 1</summary><code>for (int i = start; i &lt; n; i += gridDim.x * blockDim.x)</code></details>
# <details><summary>Hint 2</summary>Subtract in int: <code>q[i] - zero_point</code> of two int8 values can be 255.</details>
# %% role="exercise" id="cuda-grid-stride" items="1.5.C3 1.5.C4 1.5.C12" minutes=12
def dequantize_source() -> str:
    """Source of `extern "C" __global__ void dequantize(const signed char* q, float* x, float scale, int zero_point, int n)`.

    x[i] = scale * (q[i] - zero_point) for all i < n, in float32, with a grid-stride loop: right for every
    one-dimensional grid and block, also one thread in all. Each element is done once. In every step,
    consecutive threads of the grid do consecutive elements.

    >>> kernel = cuda.RawKernel(dequantize_source(), "dequantize")
    >>> x = cuda.zeros(3, np.float32)
    >>> q = cuda.asarray(np.int8([-128, 0, 127]))
    >>> kernel((1,), (1,), (q, x, np.float32(0.5), np.int32(-3), np.int32(3)))
    >>> cuda.asnumpy(x).tolist()
    [-62.5, 1.5, 65.0]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void dequantize(const signed char* q, float* x, float scale, int zero_point, int n)
{
    int stride = gridDim.x * blockDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
        x[i] = scale * (float)(q[i] - zero_point);
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-grid-stride" points=5
check("cuda-grid-stride", dequantize_source)


# %% [markdown] items="1.5.C3 1.5.C12"
# ## Two dimensions
#
# For a matrix with a scale for each row, let x run along the columns and y along the rows. Element (row, col) lies at `row * pitch + col`,
# where the **pitch** is the distance between rows in elements: cols, or more when rows are padded.
#
# Both directions need a guard.
# %% [markdown] items="1.5.C3 1.5.C12"
# ### Exercise: dequantize a matrix by rows
#
# <details><summary>Hint 1</summary><code>int col = blockIdx.x * blockDim.x + threadIdx.x;</code> and row from y.</details>
# <details><summary>Hint 2</summary>q has the pitch, x is contiguous: <code>x[row * cols + col]</code>.</details>
# %% role="exercise" id="cuda-row-scales" items="1.5.C3 1.5.C12" minutes=12
def dequantize_rows_source() -> str:
    """Source of `extern "C" __global__ void dequantize_rows(const signed char* q, const float* scale, float* x, int rows, int cols, int pitch)`.

    x[row, col] = scale[row] * q[row, col], float32. Launched on a two-dimensional grid of two-dimensional
    blocks that covers cols in x and rows in y; a thread does one element, its column from x and its row from y.

    q: element (row, col) at row * pitch + col, pitch >= cols; what lies between the rows is not read.
    scale: (rows,). x: (rows, cols), contiguous.

    >>> kernel = cuda.RawKernel(dequantize_rows_source(), "dequantize_rows")
    >>> q, scale = cuda.asarray(np.int8([1, 2, 99, 3, 4, 99])), cuda.asarray(np.float32([1, 10]))
    >>> x = cuda.zeros((2, 2), np.float32)
    >>> kernel((1, 1), (8, 4), (q, scale, x, np.int32(2), np.int32(2), np.int32(3)))
    >>> cuda.asnumpy(x).tolist()
    [[1.0, 2.0], [30.0, 40.0]]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void dequantize_rows(const signed char* q, const float* scale, float* x,
                                           int rows, int cols, int pitch)
{
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < rows && col < cols) {
        x[row * cols + col] = scale[row] * (float)q[row * pitch + col];
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-row-scales" points=5
check("cuda-row-scales", dequantize_rows_source)


# %% [markdown] items="1.5.C1 1.5.C4"
# ### Exercise: the host's side
#
# Everything around a kernel, in one function: allocate, copy in, launch, copy out. An empty vector is a case of its own: a grid of 0
# blocks is an error on every GPU.
#
# <details><summary>Hint 1</summary>Device memory of the codes: <code>cuda.empty(x.size, np.int8)</code>. Blocks: round
# <code>x.size / 256</code> up.</details>
# <details><summary>Hint 2</summary>Arguments in the kernel's order and types: the two arrays,
# <code>np.float32(scale)</code>, <code>np.int32(zero_point)</code>, <code>np.int32(x.size)</code>.</details>
# %% role="exercise" id="cuda-host" items="1.5.C1 1.5.C4" minutes=12
def quantize_on_device(kernel: object, x: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Quantize an array on the device with a `quantize` kernel as in the exercise above.

    Args:
        kernel: launched as kernel(grid, block, args), once, with 256 threads a block and no more blocks than
            needed; grid and block are tuples, the arguments are those of `quantize` above. Not at all for an
            empty array. The codes are what it writes.
        x: float32 or float64, any shape, also empty, in any memory order; not changed. The kernel
            takes float32.
        scale, zero_point: Python numbers.

    Returns:
        codes: int8, of x's shape, on the host.

    >>> kernel = cuda.RawKernel(quantize_source(), "quantize")
    >>> quantize_on_device(kernel, np.array([[0.5, -1.5]]), 0.5, 3)
    array([[4, 0]], dtype=int8)
    """
    ### BEGIN SOLUTION
    if x.size == 0:
        return np.empty(x.shape, np.int8)
    flat = np.ascontiguousarray(x, np.float32).ravel()
    codes = cuda.empty(flat.size, np.int8)
    args = (cuda.asarray(flat), codes, np.float32(scale), np.int32(zero_point), np.int32(flat.size))
    kernel((-(-flat.size // 256),), (256,), args)
    return cuda.asnumpy(codes).reshape(x.shape)
    ### END SOLUTION


# %% role="check" id="cuda-host" points=4
check("cuda-host", quantize_on_device)
# %% [markdown] items="1.5.C1 1.5.C12"
# ## The weights of a model, there and back
#
# A projection of the course's language model, quantized and dequantized by your kernels, beside NumPy. The watched run counts what the memory is asked
# for.
# %% role="given" id="layer"
from lab.fake_quant import decoder_linears
from lab.lm import load_lm

weight = decoder_linears(load_lm("lm"))["model.layers.1.mlp.down_proj"].weight.detach().numpy()
weight_scale = float(np.abs(weight).max() / 127)
weight_kernel = cuda.RawKernel(quantize_source(), "quantize")
weight_codes = quantize_on_device(weight_kernel, weight, weight_scale, 0)
weight_right = np.clip(np.rint(weight / np.float32(weight_scale)), -128, 127).astype(np.int8)
print(f"{weight.shape}: {np.count_nonzero(weight_codes != weight_right)} codes differ from NumPy's")
back_args = (cuda.asarray(weight_codes.ravel()), cuda.zeros(weight.size, np.float32))
back_args += (np.float32(weight_scale), np.int32(0), np.int32(weight.size))
back_kernel = cuda.RawKernel(dequantize_source(), "dequantize")
print(cuda.watch(back_kernel, (64,), (256,), back_args))
print(
    "largest error, in steps:",
    np.abs(cuda.asnumpy(back_args[1]).reshape(weight.shape) - weight).max() / weight_scale,
)
# %% [markdown]
# **What you should see.** No code differs, and the error stays within half a step. One warp reads 32 codes with each request, 32 bytes: one sector. It writes 32 floats, 128
# bytes: four. Nothing is moved that was not asked for. The next lesson is about kernels of which that is not true.
# %% role="given" id="time"
long_vector = cuda.asarray(np.zeros(1_000_000, np.float32))
long_codes = cuda.empty(1_000_000, np.int8)
long_args = (long_vector, long_codes, np.float32(1), np.int32(0), np.int32(1_000_000))
time_taken = measure(
    lambda: weight_kernel((3907,), (256,), long_args), repeats=7, sync=cuda.synchronize
)
print(f"a million codes: {time_taken}")
if not cuda.on_gpu():
    print("That is this CPU's time, a process start included. It says nothing about a GPU.")
# %% [markdown] items="1.5.C1 1.5.C3 1.5.C4"
# ## In your own words: three launches
#
# Judge three launches of your `quantize` for $n = 50{,}000$: **A** `(50000,), (1,)`; **B** `(49,), (1024,)`; **C** `(196,), (256,)`.
#
# For each: is the result complete? How many warps run, and how many of their lanes have an element? What else speaks for or against it? Then: the host prints the first
# code right after the launch, without copying: what has gone wrong, and what does the device know of Python's variables? 120 to 200 words.
# %% [markdown] role="written" id="cuda-launches" items="1.5.C1 1.5.C3 1.5.C4" points=3
# **Model answer.** All three cover 50,000. A: 50,000 blocks of one thread, and each is a warp of its own with one lane of 32 at work: 50,000 warps for what 1,563 could do, and every
# request to memory serves one element. B: 49 blocks of 32 warps: 1,568 warps, 176 idle lanes; but blocks of 1,024 are handed out whole, and 49 of them are fewer
# than the multiprocessors of a large GPU (an H100 has 132), so most of it stays idle. C: 196 blocks of 8 warps: also 1,568 warps and 176 idle lanes, in pieces that spread
# better.
#
# Printing without a copy: the codes are in device memory; the host has only a handle. And the launch returns at once: the kernel may not have run yet. `cuda.asnumpy` waits for the stream and
# copies. The device knows nothing of Python's variables, only the arguments' values.
#
# **Rubric.** 1 point: all are complete, and A wastes 31 of 32 lanes. 1 point: warps and idle lanes of B and C, and a reason about blocks that is more than taste. 1 point: two
# memories and the asynchronous launch are both named.
# %% [markdown]
# ## Recap
#
# - A kernel is what one thread does; the launch decides how many there are, and nobody checks that they are enough.
# - Rank in the block: x fastest. 32 consecutive ranks are a warp.
# - Guards in every direction; grid-stride loops for any size; INT8 arithmetic in int or float, clipped before the cast.
# - Host: allocate, copy in, launch with the kernel's types, copy out. An empty grid is an error.
#
# **Three questions**
#
# <details><summary>1. Why is a block of (8, 8, 1) two warps, and which threads share one?</summary>Its ranks run from 0 to 63, x fastest: rows y = 0 to 3 are the first
# warp, rows 4 to 7 the second.</details>
# <details><summary>2. What happens without the guard when n is a multiple of the block size?</summary>Nothing, until somebody passes another n. Then the last block writes past the
# end, into whatever lies there.</details>
# <details><summary>3. Why cast after clipping?</summary>A float outside the range of int has no defined cast in C. Compilers and GPUs saturate or wrap as they
# like.</details>
#
# ## Reading, with what to look for
#
# - NVIDIA, *CUDA C++ Programming Guide*, chapters "Programming Model" and "Hardware Implementation": thread hierarchy; warps.
# - Mark Harris, *CUDA Pro Tip: Write Flexible Kernels with Grid-Stride Loops*, NVIDIA Technical Blog, 2013.
# - CuPy's documentation, "User-Defined Kernels", raw kernels: the interface that this module's `cuda.RawKernel` follows.
#
# **Next:** where in memory neighbouring threads should look: coalescing.
