# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Stage tiles in shared memory, and dodge bank conflicts
#
# **You end with:** transposes of floats and of INT8 codes that are coalesced on both sides and free of bank conflicts, and a window sum that
# loads each code once.
#
# About 120 minutes. 33 points: 30 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network (a C++ compiler is needed:
# `course doctor` says whether there is one); on a CUDA machine the same cells run through CuPy, and times are measured too. You need lesson
# 2 of this module.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import numpy as np

from autograder import check
from lab import cuda
from lab.cuda.plots import access_pattern
from lab.fake_quant import decoder_linears
from lab.lm import load_lm
from lab.plots import bars, explore, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## Three transposes
#
# A transpose reads rows and writes columns, so one of the two cannot be coalesced. Unless a block first puts a tile of 32 x 32 into **shared memory**, and writes it out in
# another order. Below: without a tile, with one, and with one whose rows are one float longer.
# %% role="given" id="three"
three_source = r"""
extern "C" __global__ void naive(const float* x, float* y, int n)
{
    int col = blockIdx.x * 32 + threadIdx.x;
    for (int j = threadIdx.y; j < 32; j += 8) {
        int row = blockIdx.y * 32 + j;
        y[col * n + row] = x[row * n + col];
    }
}
#define TILED(NAME, PITCH)                                                                   \
extern "C" __global__ void NAME(const float* x, float* y, int n)                             \
{                                                                                            \
    __shared__ float tile[32][PITCH];                                                        \
    int tx = threadIdx.x;                                                                    \
    for (int j = threadIdx.y; j < 32; j += 8)                                                \
        tile[j][tx] = x[(blockIdx.y * 32 + j) * n + blockIdx.x * 32 + tx];                   \
    __syncthreads();                                                                         \
    for (int j = threadIdx.y; j < 32; j += 8)                                                \
        y[(blockIdx.x * 32 + j) * n + blockIdx.y * 32 + tx] = tile[tx][j];                   \
}
TILED(tile_of_32, 32)
TILED(tile_of_33, 33)
"""
three_x = np.random.default_rng(0).normal(size=(128, 128)).astype(np.float32)
for three_name in ("naive", "tile_of_32", "tile_of_33"):
    three_y = cuda.zeros((128, 128), np.float32)
    three_args = (cuda.asarray(three_x), three_y, np.int32(128))
    three_report = cuda.watch(cuda.RawKernel(three_source, three_name), (4, 4), (32, 8), three_args)
    print(
        f"{three_name}: right {np.array_equal(cuda.asnumpy(three_y), three_x.T)}; sectors a request: "
        f"load {three_report.sectors_per_request('load'):.0f}, "
        f"store {three_report.sectors_per_request('store'):.0f}; "
        f"shared memory, wavefronts a request: "
        f"store {three_report.wavefronts_per_request('store'):.0f}, "
        f"load {three_report.wavefronts_per_request('load'):.0f}"
    )


# %% [markdown] items="1.5.C6 1.5.C14"
# **What happened.** (nan: no shared memory.) The tile mends the stores: 4 sectors instead of 32. But tile and result differ in what shared memory does: with rows of 32 floats, reading a column takes **32
# passes**; with rows of 33, one. A single unused float in each row, and the kernel's worst part is gone. This lesson explains that float.
# %% [markdown] items="1.5.C6"
# ## Shared memory
#
# `__shared__ float tile[32][33];` exists once for each **block**, on the multiprocessor itself: all threads of the block see it, nobody else does, and it ends with the
# block. It begins with garbage.
#
# A block may have 48 KB without asking, and up to 163 KB on an A100 or 227 KB on an H100. What a block takes, other blocks on the same
# multiprocessor cannot have.
# %% [markdown] items="1.5.C6 1.5.C14"
# ## The barrier
#
# A thread reads what *another* thread stored. Warps run in any order, so all must have stored before one reads: `__syncthreads()` lets nobody on until every thread of the block has
# come. **Every** thread: a barrier inside an `if` that some threads skip, or after a `return` of some, is an error.
#
# Without it the result is often right, on your machine, today. `cuda.watch` does not rely on luck:
# %% role="given" id="race"
race_source = three_source.replace("__syncthreads();", "                ")
race_kernel = cuda.RawKernel(race_source, "tile_of_33")
try:
    cuda.watch(race_kernel, (4, 4), (32, 8), (cuda.asarray(three_x), three_y, np.int32(128)))
except cuda.KernelError as error:
    print(str(error).splitlines()[0])


# %% [markdown] items="1.5.C6 1.5.K2"
# ## Banks
#
# Shared memory is 32 **banks** wide. Word $w$ (4 bytes, at address $4w$) lies in bank $w \bmod 32$, and each bank delivers one word at a time.
#
# Lanes that want the *same* word share it. Lanes that want *different* words of the same bank wait for each other: a **bank conflict**. A request takes as many
# passes, called **wavefronts**, as its busiest bank has different words to give.
# %% [markdown] items="1.5.C6 1.5.K2"
# ### Exercise: count wavefronts
#
# <details><summary>Hint</summary>Different words first (a set of <code>address // 4</code>), then count them by bank,
# <code>word % 32</code>; the largest count is the answer.</details>
# %% role="exercise" id="cuda-wavefronts" items="1.5.C6 1.5.K2" minutes=12
def wavefronts(addresses: list[int | None], size_bytes: int) -> int:
    """Passes that one request of a warp to shared memory takes.

    Args:
        addresses: first byte of each lane's access, from the start of shared memory; None for a lane that is
            not active; 1 to 32 lanes.
        size_bytes: of each access: 1, 2 or 4. (Wider ones are served in parts of a warp: not asked here.)

    Returns:
        wavefronts: 0 when no lane is active, 1 without conflicts.

    Raises:
        ValueError: no lanes or more than 32, another size, an address below 0 or not a multiple of
            size_bytes.

    >>> wavefronts([128 * lane for lane in range(32)], 4), wavefronts([132 * lane for lane in range(32)], 4)
    (32, 1)
    """
    ### BEGIN SOLUTION
    if size_bytes not in (1, 2, 4) or not 1 <= len(addresses) <= 32:
        raise ValueError(f"{len(addresses)} lanes of {size_bytes} bytes are not covered here.")
    active = [address for address in addresses if address is not None]
    if any(address < 0 or address % size_bytes for address in active):
        raise ValueError(f"Every address must be a multiple of {size_bytes}, and not negative.")
    words = {address // 4 for address in active}
    banks = [word % 32 for word in words]
    return max((banks.count(bank) for bank in banks), default=0)
    ### END SOLUTION


# %% role="check" id="cuda-wavefronts" points=4
check("cuda-wavefronts", wavefronts)
# %% [markdown]
# **Predict, then run.** A tile of 32 x 32 **INT8 codes** without padding: rows of 32 bytes. A warp reads a column, one byte a lane. How many
# wavefronts?
# %% role="predict" id="guess-bytes"
my_guess_bytes = ...
# %% role="given" id="bytes"
bytes_passes = wavefronts([32 * lane for lane in range(32)], 1)
reveal(my_guess_bytes, bytes_passes, unit="wavefronts")
# %% [markdown] items="1.5.C14 1.5.K2"
# **What you should see.** 8: a row is only 8 words, so four rows fit side by side over the banks, and every fourth row comes back to the same bank. Turn the knobs:
# which pitches free the column of floats? And for bytes, does a pitch of 33 do it? Look at more than one column.
# %% role="given" id="knobs"
banks_source = r"""
extern "C" __global__ void column(TYPE* y, int pitch, int col)
{
    extern __shared__ TYPE tile[];
    for (int k = threadIdx.x; k < 32 * pitch; k += 32) tile[k] = k;
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x * pitch + col];
}
"""
banks_types = {1: ("signed char", np.int8), 2: ("short", np.int16), 4: ("float", np.float32)}


def column_request(pitch=32, col=0, size_bytes=4):
    """One warp reads a column of a tile of 32 rows in shared memory."""
    name, dtype = banks_types[size_bytes]
    args = (cuda.zeros(32, dtype), np.int32(pitch), np.int32(col))
    kernel = cuda.RawKernel(banks_source.replace("TYPE", name), "column")
    report = cuda.watch(kernel, (1,), (32,), args, shared_mem=32 * pitch * size_bytes)
    return access_pattern(report, kind="load", name="shared")


explore(column_request, pitch=(32, 56, 1), col=(0, 31, 1), size_bytes=[4, 2, 1])


# %% [markdown] items="1.5.C14 1.5.K2"
# ## Padding
#
# Let a row have a **pitch** of $p$ elements, at least its width: element (row, col) lies at `row * p + col`. For words, lane $r$ of a column meets bank $(r\,p + c) \bmod 32$, so a column
# takes $\gcd(p, 32)$ wavefronts: every odd $p$ is free of conflicts.
#
# Narrower elements share words, and then an odd number of *elements* is not the rule any more.
# %% [markdown] items="1.5.C14 1.5.K2"
# ### Exercise: the smallest pitch
#
# <details><summary>Hint 1</summary>Try <code>pitch = width, width + 1, ...</code> with your function above.</details>
# <details><summary>Hint 2</summary>Lane r of column c: byte <code>(r * pitch + c) * size_bytes</code>. All columns must
# pass.</details>
# %% role="exercise" id="cuda-tile-pitch" items="1.5.C14 1.5.K2" minutes=12
def smallest_pitch(width: int, size_bytes: int) -> int:
    """The smallest pitch at which no column of a tile of 32 rows has a bank conflict.

    The tile begins at byte 0. A column is read by a warp: lane r reads element (r, column) of row r.

    Args:
        width: elements of a row, 1 or more; columns 0 to width - 1 count.
        size_bytes: of an element: 1, 2 or 4.

    Returns:
        pitch: distance between rows in elements, at least width; every column takes one wavefront.

    Raises:
        ValueError: width < 1 or another size.

    >>> smallest_pitch(32, 4), smallest_pitch(33, 4)
    (33, 33)
    """
    ### BEGIN SOLUTION
    if width < 1 or size_bytes not in (1, 2, 4):
        raise ValueError(f"A tile of {width} columns of {size_bytes} bytes cannot be.")
    pitch = width
    while any(
        wavefronts([(r * pitch + c) * size_bytes for r in range(32)], size_bytes) > 1
        for c in range(width)
    ):
        pitch += 1
    return pitch
    ### END SOLUTION


# %% role="check" id="cuda-tile-pitch" points=4
check("cuda-tile-pitch", smallest_pitch)
# %% role="given" id="pitches"
for pitch_name, pitch_size in (("float32", 4), ("float16", 2), ("int8", 1)):
    pitch_best = smallest_pitch(32, pitch_size)
    print(
        f"32 x 32 {pitch_name}: pitch {pitch_best}, {(pitch_best - 32) * pitch_size} bytes of padding a row"
    )


# %% [markdown] items="1.5.C14 1.5.K2"
# **What you should see.** 33, 34 and 36 elements: 4, 4 and 4 bytes, or one whole word. 33 bytes would free column 0 and leave two
# wavefronts in most others.
# %% [markdown] items="1.5.C6 1.5.C14"
# ## The steps of a tiled kernel
#
# 1. Each block finds its tile: rows from `32 * blockIdx.y`, columns from `32 * blockIdx.x`.
# 2. Load: lanes along a row of x.
# 3. Barrier.
# 4. Store: lanes along a row of **y**. The tile's corner in y has the block's indices exchanged.
#
# Guards twice, with different indices. 256 threads as (32, 8) do 1,024 elements, four each.
# %% [markdown] items="1.5.C6 1.5.C14 1.5.K2"
# ### Exercise: transpose floats
#
# <details><summary>Hint 1</summary>Begin with TILED above: n becomes cols for x and rows for y.</details>
# <details><summary>Hint 2</summary>Output row <code>32 * blockIdx.x + j</code> must be below cols, output column
# <code>32 * blockIdx.y + tx</code> below rows.</details>
# %% role="exercise" id="cuda-transpose" items="1.5.C6 1.5.C14 1.5.K2" minutes=18
def transpose_source() -> str:
    """Source of `extern "C" __global__ void transpose(const float* x, float* y, int rows, int cols)`.

    y[c, r] = x[r, c]; x is (rows, cols), y (cols, rows), both contiguous. Launched with blocks of (32, 8) threads; the
    grid has a block for each tile of 32 x 32: x along the columns of the matrix x, y along its rows. No
    dynamic shared memory.

    Memory: each element of y is written once. What is read of shared memory has been written before. Where
    rows and cols are multiples of 32, all loads touch as many sectors as x fills, all stores as many as y
    fills, and shared memory has no bank conflict.

    >>> kernel = cuda.RawKernel(transpose_source(), "transpose")
    >>> x, y = cuda.asarray(np.float32([[1, 2, 3], [4, 5, 6]])), cuda.zeros((3, 2), np.float32)
    >>> kernel((1, 1), (32, 8), (x, y, np.int32(2), np.int32(3)))
    >>> cuda.asnumpy(y).tolist()
    [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void transpose(const float* x, float* y, int rows, int cols)
{
    __shared__ float tile[32][33];
    int tx = threadIdx.x, top = 32 * blockIdx.y, left = 32 * blockIdx.x;
    for (int j = threadIdx.y; j < 32; j += 8) {
        if (top + j < rows && left + tx < cols) {
            tile[j][tx] = x[(top + j) * cols + left + tx];
        }
    }
    __syncthreads();
    for (int j = threadIdx.y; j < 32; j += 8) {
        if (left + j < cols && top + tx < rows) {
            y[(left + j) * rows + top + tx] = tile[tx][j];
        }
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-transpose" points=6
check("cuda-transpose", transpose_source)


# %% [markdown] items="1.5.C14 1.5.K2"
# ## A swizzle
#
# Padding costs memory, and it breaks the alignment that 16-byte accesses need. A **swizzle** keeps 32 words a row and exchanges their places within the row, differently in each
# row, so that a column is spread over the banks as well.
#
# Any rule will do, if each element has a place of its own, and the kernel uses the same rule when it stores and when it loads.
# %% [markdown] items="1.5.C14 1.5.K2"
# ### Exercise: place the elements
#
# <details><summary>Hint 1</summary>32 * row, plus something that takes all values 0 to 31 when col does, and also when row does.</details>
# <details><summary>Hint 2</summary>The operator <code>^</code>, exclusive or, is one way; a sum modulo 32 is another.</details>
# %% role="exercise" id="cuda-swizzle" items="1.5.C14 1.5.K2" minutes=8
def swizzled(row: int, col: int) -> int:
    """Where element (row, col) of a 32 x 32 tile of 4-byte words is kept, without padding.

    Over the whole tile each place 0 to 1,023 is used once. The 32 elements of every row lie in 32 different banks, and so
    do those of every column.

    Args:
        row, col: 0 to 31.

    Returns:
        place: in words from the start of the tile, an int.

    >>> sorted(swizzled(row, col) for row in range(32) for col in range(32)) == list(range(1024))
    True
    """
    ### BEGIN SOLUTION
    return 32 * row + (col ^ row)
    ### END SOLUTION


# %% role="check" id="cuda-swizzle" points=4
check("cuda-swizzle", swizzled)


# %% [markdown] items="1.5.C6"
# ## Dynamic shared memory
#
# When the size is known only at launch, the kernel declares an array without one,
#
# `extern __shared__ signed char tile[];`
#
# and the launch says how many bytes: `kernel(grid, block, args, shared_mem=1152)`. There is one such array for a block; its pitch is your own arithmetic. More than 48 KB must be allowed
# first: `kernel.max_dynamic_shared_size_bytes`.
# %% [markdown] items="1.5.C6 1.5.C14 1.5.K2"
# ### Exercise: transpose INT8 codes
#
# A quarter of the bytes, and new banks. The launch gives 1,152 bytes: what pitch does that suggest for 32 rows?
#
# <details><summary>Hint 1</summary>1,152 / 32 = 36, and that is what smallest_pitch(32, 1) said.</details>
# <details><summary>Hint 2</summary><code>tile[j * 36 + tx]</code> to store, <code>tile[tx * 36 + j]</code> to load.</details>
# %% role="exercise" id="cuda-transpose-codes" items="1.5.C6 1.5.C14 1.5.K2" minutes=15
def transpose_codes_source() -> str:
    """Source of `extern "C" __global__ void transpose_codes(const signed char* x, signed char* y, int rows, int cols)`.

    As `transpose` above, for INT8 codes and with the same launch, but with 1,152 bytes of dynamic shared memory (which
    you may use or not). The same rules for memory hold.

    >>> kernel = cuda.RawKernel(transpose_codes_source(), "transpose_codes")
    >>> x, y = cuda.asarray(np.int8([[1, 2, 3], [-4, -5, -6]])), cuda.zeros((3, 2), np.int8)
    >>> kernel((1, 1), (32, 8), (x, y, np.int32(2), np.int32(3)), shared_mem=1152)
    >>> cuda.asnumpy(y).tolist()
    [[1, -4], [2, -5], [3, -6]]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void transpose_codes(const signed char* x, signed char* y, int rows, int cols)
{
    extern __shared__ signed char tile[];
    const int pitch = 36;
    int tx = threadIdx.x, top = 32 * blockIdx.y, left = 32 * blockIdx.x;
    for (int j = threadIdx.y; j < 32; j += 8) {
        if (top + j < rows && left + tx < cols) {
            tile[j * pitch + tx] = x[(top + j) * cols + left + tx];
        }
    }
    __syncthreads();
    for (int j = threadIdx.y; j < 32; j += 8) {
        if (left + j < cols && top + tx < rows) {
            y[(left + j) * rows + top + tx] = tile[tx * pitch + j];
        }
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-transpose-codes" points=6
check("cuda-transpose-codes", transpose_codes_source)
# %% [markdown] items="1.5.C14"
# ## The model's weights, turned round
#
# INT8 weights are often stored in the order in which the product does not want them. A projection of the course's language model, transposed without a tile and by your
# kernel.
# %% role="given" id="layer"
layer_weight = (
    decoder_linears(load_lm("lm"))["model.layers.1.mlp.down_proj"].weight.detach().numpy()
)
layer_codes = np.rint(layer_weight / np.abs(layer_weight).max() * 127).astype(np.int8)
layer_rows, layer_cols = layer_codes.shape
plain_source = r"""
extern "C" __global__ void plain(const signed char* x, signed char* y, int rows, int cols)
{
    int col = blockIdx.x * 32 + threadIdx.x;
    for (int j = threadIdx.y; j < 32; j += 8) {
        int row = blockIdx.y * 32 + j;
        if (row < rows && col < cols) y[col * rows + row] = x[row * cols + col];
    }
}
"""
layer_kernels = {
    "without a tile": cuda.RawKernel(plain_source, "plain"),
    "your kernel": cuda.RawKernel(transpose_codes_source(), "transpose_codes"),
}
layer_grid = (-(-layer_cols // 32), -(-layer_rows // 32))
layer_moved = {}
for layer_label, layer_kernel in layer_kernels.items():
    layer_y = cuda.zeros((layer_cols, layer_rows), np.int8)
    layer_sizes = (np.int32(layer_rows), np.int32(layer_cols))
    layer_args = (cuda.asarray(layer_codes), layer_y, *layer_sizes)
    layer_report = cuda.watch(layer_kernel, layer_grid, (32, 8), layer_args, shared_mem=1152)
    layer_same = np.array_equal(cuda.asnumpy(layer_y), layer_codes.T)
    layer_moved[layer_label] = layer_report.moved_bytes / layer_codes.size
    print(
        f"{layer_codes.shape} {layer_label}: right {layer_same}, "
        f"{layer_moved[layer_label]:.2f} bytes moved a code, "
        f"{layer_report.bank_conflicts:,} bank conflicts"
    )
    if cuda.on_gpu():
        layer_time = measure(
            lambda kernel=layer_kernel, args=layer_args: kernel(
                layer_grid, (32, 8), args, shared_mem=1152
            ),
            repeats=20,
            sync=cuda.synchronize,
        )
        print(layer_time)
show(
    bars(
        layer_moved,
        unit="bytes a code",
        reference=("asked for", 2.0),
        title="Bytes moved to transpose one INT8 code",
    ),
    "Bars: bytes moved for each code, without a tile about 33, with the tile about 2, which is what the transpose asks for.",
)


# %% [markdown] items="1.5.C6 1.5.C14 1.5.C18"
# **What you should see.** 33 bytes a code without a tile: one in, a sector of 32 out for each single byte. With the tile 2, all there is.
#
# ## Reuse
#
# A tile also pays when bytes are read **again**. In a window sum each code belongs to $2r + 1$ sums. Staged once, a block of $B$ threads loads
# $B + 2r$ codes: its own, and a **halo** of $r$ on each side.
# %% [markdown] items="1.5.C6 1.5.C14 1.5.C18"
# ### Exercise: window sums
#
# <details><summary>Hint 1</summary>tile[k] is code <code>blockIdx.x * blockDim.x - radius + k</code>, or 0 where there is none.</details>
# <details><summary>Hint 2</summary>The tile has more codes than the block has threads: fill it in a loop with step blockDim.x.</details>
# <details><summary>Hint 3</summary>blockIdx and blockDim are unsigned: put the tile's first index into an int before you compare it with 0.</details>
# %% role="exercise" id="cuda-window-sums" items="1.5.C6 1.5.C14 1.5.C18" minutes=18
def window_sums_source() -> str:
    """Source of `extern "C" __global__ void window_sums(const signed char* q, int* sums, int radius, int n)`.

    sums[i] = q[i - radius] + ... + q[i + radius] in int32, for i < n; codes outside of 0 .. n - 1 count as 0. Thread t of
    the one-dimensional launch does sum t; the last block may have threads too many. radius is 0 to blockDim.x. The
    launch gives blockDim.x + 2 * radius bytes of dynamic shared memory.

    Memory: each sum is written once; a block loads each code that its sums need once, neighbouring threads
    neighbouring codes: at most 3 sectors for every 32 codes loaded. What is read of shared memory has been
    written before.

    >>> kernel = cuda.RawKernel(window_sums_source(), "window_sums")
    >>> q, sums = cuda.asarray(np.int8([100, 100, 1, -5])), cuda.zeros(4, np.int32)
    >>> kernel((1,), (32,), (q, sums, np.int32(1), np.int32(4)), shared_mem=34)
    >>> cuda.asnumpy(sums).tolist()
    [200, 201, 96, -4]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void window_sums(const signed char* q, int* sums, int radius, int n)
{
    extern __shared__ signed char tile[];
    int threads = blockDim.x, first = blockIdx.x * threads - radius;
    for (int k = threadIdx.x; k < threads + 2 * radius; k += threads) {
        int i = first + k;
        tile[k] = i >= 0 && i < n ? q[i] : 0;
    }
    __syncthreads();
    int i = blockIdx.x * threads + threadIdx.x;
    if (i >= n) return;
    int sum = 0;
    for (int k = 0; k <= 2 * radius; k++) {
        sum += tile[threadIdx.x + k];
    }
    sums[i] = sum;
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-window-sums" points=6
check("cuda-window-sums", window_sums_source)
# %% role="given" id="reuse"
reuse_kernel = cuda.RawKernel(window_sums_source(), "window_sums")
reuse_codes = np.ascontiguousarray(layer_codes.ravel()[:8192])
for reuse_radius in (1, 8, 32):
    reuse_args = (cuda.asarray(reuse_codes), cuda.zeros(8192, np.int32))
    reuse_args += (np.int32(reuse_radius), np.int32(8192))
    reuse_report = cuda.watch(
        reuse_kernel, (64,), (128,), reuse_args, shared_mem=128 + 2 * reuse_radius
    )
    reuse_loads = sum(i.lanes for i in reuse_report.select("load", "global")) / 8192
    print(
        f"radius {reuse_radius}: {reuse_loads:.3f} loads of global memory a sum, instead of "
        f"{2 * reuse_radius + 1}; bank conflicts {reuse_report.bank_conflicts}"
    )
# %% [markdown] items="1.5.C14 1.5.K2"
# ## In your own words: a tile that made it slower
#
# A colleague's transpose of float32 uses `__shared__ float tile[33][32]`, loads and stores coalesced, and is hardly faster than the one without a tile. Explain why, with the number of wavefronts of each of
# the two accesses to the tile, and mend it in two different ways, saying what each costs.
#
# Then: they switch to INT8 with `tile[32][33]` of signed char. Is it free of conflicts? Last: for which kernels is a tile no help at all? 130 to 220 words.
# %% [markdown] role="written" id="cuda-which-tile" items="1.5.C14 1.5.K2" points=3
# **Model answer.** `tile[33][32]` has one row more, which nobody uses; its rows are still 32 words. Storing a row into the tile meets 32 different banks: 1 wavefront. Reading a column meets words $32 r + c$, all in bank $c$: 32
# wavefronts. The sectors are right, but each of the loads from shared memory takes 32 passes, so that the shared memory, not the DRAM, sets the pace.
#
# Mend 1: `tile[32][33]`, a pitch of 33: bank $(33 r + c) \bmod 32 = (r + c) \bmod 32$, different for each $r$. Costs 128 bytes a block, and rows that are not aligned to 16 bytes any more. Mend 2: a swizzle,
# `tile[j][tx ^ j]` and `tile[tx][j ^ tx]`: no memory, an exclusive or for each access, and code that is harder to read.
#
# INT8 with a pitch of 33 bytes: bytes share words. Column 0 is free; in columns 1 to 3 two rows meet in one bank with different words: 2 wavefronts. A pitch of 36 bytes, an odd number of words, is free for all.
#
# A tile is no help where each byte is used once and neighbours already read neighbours: an elementwise quantize or a copy. It would only add a barrier and take
# shared memory from other blocks.
#
# **Rubric.** 1 point: 1 and 32 wavefronts, from the banks. 1 point: padding and swizzle, each with a cost. 1 point: conflicts of bytes at pitch 33, and a kernel that has no reuse.
# %% [markdown]
# ## Recap
#
# - A tile lets one set of threads load in one order and store in another. Barrier between, reached by all.
# - 32 banks of 4-byte words; wavefronts = different words in the busiest bank; the same word is shared.
# - Columns of words: odd pitch. Narrow types: an odd number of *words*. Or a swizzle, which needs no room.
# - Guards of load and store differ; the block's indices are exchanged in a transpose.
# - Tiles with a halo load each byte once for all its uses.
#
# **Three questions**
#
# <details><summary>1. All lanes read tile[0]. Wavefronts?</summary>One: a word is delivered to every lane that wants it.</details>
# <details><summary>2. Why may <code>if (i &gt;= n) return;</code> not stand before __syncthreads()?</summary>The threads that left never reach the barrier: undefined
# behaviour, often a hang. They may also have had a part of the tile to fill.</details>
# <details><summary>3. Lanes 0 to 15 read words 0 to 15, lanes 16 to 31 read words 32 to 47. Wavefronts?</summary>Two: banks 0 to 15 have two
# different words each.</details>
#
# ## Reading, with what to look for
#
# - Mark Harris, *An Efficient Matrix Transpose in CUDA C/C++*, NVIDIA Technical Blog, 2013: naive, tiled and padded, with bandwidths.
# - Mark Harris, *Using Shared Memory in CUDA C/C++*, NVIDIA Technical Blog, 2013: static, dynamic, banks.
# - NVIDIA, *CUDA C++ Best Practices Guide*, "Shared Memory": banks, and a matrix product in tiles.
#
# **Next:** many threads, one result: reductions, atomics, races.
