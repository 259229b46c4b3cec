# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Ask memory for what you use: coalescing
#
# **You end with:** kernels that fetch each byte of quantized data once, four codes a load, and the sectors of any access pattern counted
# by hand.
#
# About 115 minutes. 32 points: 29 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network (a C++ compiler is needed:
# `course doctor` says whether there is one); on a CUDA machine the same cells run through CuPy, and bandwidth is measured too. You need
# lesson 1 of this module.
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
# ## The same work, the same numbers
#
# Two kernels dequantize one INT8 matrix of 256 x 256. They differ in one thing: in the first, a warp's threads stand side by side in a row; in
# the second, one below the other. `cuda.watch` runs them on the CPU and counts what a GPU would fetch and write.
# %% role="given" id="two-ways"
two_ways_source = r"""
extern "C" __global__ void along_rows(const signed char* q, float* x, float scale, int n)
{
    int row = blockIdx.x, col = threadIdx.x;
    x[row * n + col] = scale * (float)q[row * n + col];
}
extern "C" __global__ void along_columns(const signed char* q, float* x, float scale, int n)
{
    int row = threadIdx.x, col = blockIdx.x;
    x[row * n + col] = scale * (float)q[row * n + col];
}
"""
square_codes = np.random.default_rng(0).integers(-127, 128, (256, 256)).astype(np.int8)
two_ways_moved, two_ways_result = {}, []
for two_ways_name in ("along_rows", "along_columns"):
    two_ways_kernel = cuda.RawKernel(two_ways_source, two_ways_name)
    two_ways_x = cuda.zeros((256, 256), np.float32)
    two_ways_args = (cuda.asarray(square_codes), two_ways_x, np.float32(0.5), np.int32(256))
    two_ways_report = cuda.watch(two_ways_kernel, (256,), (256,), two_ways_args)
    two_ways_moved[two_ways_name] = two_ways_report.moved_bytes
    two_ways_result.append(cuda.asnumpy(two_ways_x))
    print(two_ways_report, "\n")
print("equal results:", np.array_equal(*two_ways_result))
two_ways_ratio = two_ways_moved["along_columns"] / two_ways_moved["along_rows"]
print(f"the second kernel moves {two_ways_ratio:.1f} times as many bytes")


# %% [markdown] items="1.5.C7 1.5.K1"
# **What happened.** Memory is not handed out in bytes. A warp's 32 threads ask together, in one **request**, and memory answers in **sectors** of 32 bytes. Side by side, 32
# codes fill one sector. One below the other, each lies in a sector of its own, and 31 of its 32 bytes come for nothing.
#
# Requests whose lanes share sectors well are called **coalesced**.
# %% [markdown] items="1.5.C5 1.5.C6 1.5.C7 1.5.C8"
# ## Where data can be
#
# - **Registers**: a thread's variables. **Local** memory: what registers cannot hold; in truth a piece of global memory.
# - **Shared**: a block's, as long as the block lives. Lesson 3.
# - **Global**: all threads', until freed. Your arrays are here.
# - **Constant**: a module's small tables; kernels only read them.
# - **Texture**: global memory behind a cache made for images, where neighbours in two dimensions are read together.
# %% [markdown] items="1.5.C7 1.5.K1"
# ## Count sectors
#
# Sector number of a byte address $a$: $\lfloor a / 32 \rfloor$. A request costs as many sectors as its active lanes touch, each counted once, in
# whatever order.
#
# An access of 1, 2, 4, 8 or 16 bytes must lie at a multiple of its size, or the kernel fails. So a single access never crosses a sector's end.
# Arrays from `cuda.empty` begin at a multiple of 256.
# %% [markdown] items="1.5.C7 1.5.K1"
# ### Exercise: sectors of a request
#
# <details><summary>Hint</summary>Put <code>address // 32</code> of the active lanes into a set.</details>
# %% role="exercise" id="cuda-sectors" items="1.5.C7 1.5.K1" minutes=10
def sectors_of_request(addresses: list[int | None], size_bytes: int) -> int:
    """How many 32-byte sectors one request of a warp touches.

    Args:
        addresses: first byte of each lane's access, None for a lane that is not active; 1 to 32 lanes.
        size_bytes: of each access: 1, 2, 4, 8 or 16.

    Returns:
        sectors: 0 when no lane is active.

    Raises:
        ValueError: no lanes or more than 32, another size, an address below 0 or not a multiple of
            size_bytes.

    >>> sectors_of_request([4 * lane for lane in range(32)], 4)
    4
    """
    ### BEGIN SOLUTION
    if size_bytes not in (1, 2, 4, 8, 16) or not 1 <= len(addresses) <= 32:
        raise ValueError(f"{len(addresses)} lanes of {size_bytes} bytes make no request.")
    active = [address for address in addresses if address is not None]
    if any(address < 0 or address % size_bytes for address in active):
        raise ValueError(f"Every address must be a multiple of {size_bytes}, and not negative.")
    return len({address // 32 for address in active})
    ### END SOLUTION


# %% role="check" id="cuda-sectors" points=4
check("cuda-sectors", sectors_of_request)
# %% [markdown]
# **Predict, then run.** A warp reads 32 INT8 codes that lie side by side, but the first one is at address 1, not 0. How many sectors?
# %% role="predict" id="guess-offset"
my_guess_offset = ...
# %% role="given" id="offset"
offset_sectors = sectors_of_request([1 + lane for lane in range(32)], 1)
reveal(my_guess_offset, offset_sectors, unit="sectors")
# %% [markdown] items="1.5.C7 1.5.K1"
# **What you should see.** Two, twice what the aligned row needs. With floats the same shift costs 5 sectors instead of 4. Small types suffer more from a bad start,
# and from strides: turn the knobs. At which stride does a warp of 4-byte reads reach 32 sectors? And at which one of single bytes?
# %% role="given" id="knobs"
pattern_source = r"""
template <typename T> __global__ void pick(const T* x, T* y, int offset, int stride)
{
    int t = threadIdx.x;
    y[t] = x[offset + stride * t];
}
"""
pattern_types = {1: "signed char", 4: "float", 16: "float4"}
pattern_module = cuda.RawModule(
    code=pattern_source, name_expressions=tuple(f"pick<{t}>" for t in pattern_types.values())
)


def strided_request(offset=0, stride=1, size_bytes=1):
    """One warp's request: lane t reads element offset + stride * t of size_bytes each."""
    kernel = pattern_module.get_function(f"pick<{pattern_types[size_bytes]}>")
    words = 1 if size_bytes == 1 else size_bytes // 4
    dtype = np.int8 if size_bytes == 1 else np.float32
    x = cuda.zeros((offset + 31 * stride + 1) * words, dtype)
    args = (x, cuda.zeros(32 * words, dtype), np.int32(offset), np.int32(stride))
    return access_pattern(cuda.watch(kernel, (1,), (32,), args), kind="load")


explore(strided_request, offset=(0, 32, 1), stride=(1, 40, 1), size_bytes=[1, 4, 16])


# %% [markdown] items="1.5.C13 1.5.K1"
# ## Array of structs, struct of arrays
#
# A quantized tensor has codes *and* scales. As an **array of structs** (AoS), each record holds one of each:
#
# `struct Cell { signed char q; float scale; };`
#
# C begins a field at a multiple of its size, and rounds the record up to its largest field: 8 bytes here, 3 of them empty. As a **struct of arrays** (SoA),
# every field has an array of its own: neighbouring threads read neighbouring elements.
# %% [markdown] items="1.5.C13 1.5.K1"
# ### Exercise: bytes moved, AoS against SoA
#
# <details><summary>Hint 1</summary>Rounded up to a multiple of size: <code>-(-at // size) * size</code>.</details>
# <details><summary>Hint 2</summary>For each used field, and for each warp: the addresses
# <code>start + record * i</code> of its lanes, and your function above.</details>
# %% role="exercise" id="cuda-layout-bytes" items="1.5.C13 1.5.K1" minutes=15
def layout_bytes(field_sizes: tuple[int, ...], used: tuple[int, ...], n: int) -> tuple[int, int]:
    """Bytes that memory moves when thread i of n reads some fields of record i.

    Each used field is one request of each warp: 32 bytes for every sector that it touches. Warps are
    32 threads, the last one may have fewer.

    Args:
        field_sizes: bytes of each field, in order: 1, 2, 4 or 8.
        used: positions of the fields that are read, each once; may be empty.
        n: records, 1 or more.

    Returns:
        aos: with records as C lays them out; the first at a multiple of 256.
        soa: with an array for each field, each beginning at a multiple of 256.

    Raises:
        ValueError: n < 1, no fields, another size, or a position that is not there (also negative).

    >>> layout_bytes((1, 4), (0,), 32)
    (256, 32)
    """
    ### BEGIN SOLUTION
    if n < 1 or not field_sizes or any(size not in (1, 2, 4, 8) for size in field_sizes):
        raise ValueError(f"{n} records of fields {field_sizes} cannot be.")
    if any(not 0 <= field < len(field_sizes) for field in used):
        raise ValueError(f"There is no such field: {used} of {len(field_sizes)}.")
    starts, at = [], 0
    for size in field_sizes:
        at = -(-at // size) * size
        starts.append(at)
        at += size
    record = -(-at // max(field_sizes)) * max(field_sizes)
    aos = soa = 0
    for first in range(0, n, 32):
        lanes = range(first, min(n, first + 32))
        for field in used:
            size = field_sizes[field]
            aos += 32 * sectors_of_request([starts[field] + record * i for i in lanes], size)
            soa += 32 * sectors_of_request([size * i for i in lanes], size)
    return aos, soa
    ### END SOLUTION


# %% role="check" id="cuda-layout-bytes" points=5
check("cuda-layout-bytes", layout_bytes)
# %% [markdown]
# Your arithmetic beside the counters: a kernel over 1,024 cells that reads the codes alone, and one that reads both fields.
# %% role="given" id="cells"
cells_source = r"""
struct Cell { signed char q; float scale; };
extern "C" __global__ void codes_of_cells(const Cell* cells, signed char* out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    out[i] = cells[i].q;
}
extern "C" __global__ void values_of_cells(const Cell* cells, float* out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    out[i] = cells[i].scale * (float)cells[i].q;
}
"""
cells_cases = {"codes_of_cells": ((0,), np.int8), "values_of_cells": ((0, 1), np.float32)}
for cells_name, (cells_used, cells_dtype) in cells_cases.items():
    cells_args = (cuda.zeros(8 * 1024, np.uint8), cuda.zeros(1024, cells_dtype))
    cells_report = cuda.watch(cuda.RawKernel(cells_source, cells_name), (8,), (128,), cells_args)
    cells_aos, cells_soa = layout_bytes((1, 4), cells_used, 1024)
    print(
        f"{cells_name}: {32 * cells_report.global_load_sectors:,} bytes loaded; by your function "
        f"{cells_aos:,} as AoS, {cells_soa:,} as SoA"
    )


# %% [markdown]
# **What you should see.** Counter and function agree. For the codes alone AoS moves 8 times what SoA does; with both fields, 3.2 times. On a GPU the second read of a record often finds its
# sector in the L1 cache, which softens the second figure; it does nothing for the first.
# %% [markdown] items="1.5.C5 1.5.C11"
# ## Registers
#
# A kernel's variables live in **registers**: up to 255 of 32 bits for each thread, at no cost to reach. `sums[col] += v;` in a loop goes through global memory at
# every step; `int sum` stays where it is, and is stored once.
#
# What does not fit goes to *local* memory, and so does an array whose index is not known to the compiler. Local memory is slow: it is
# a piece of global memory.
# %% [markdown] items="1.5.C5 1.5.C7 1.5.C11"
# ### Exercise: column sums
#
# INT8 matrix products with a zero-point need the sum of each column of codes.
#
# <details><summary>Hint 1</summary>One thread walks down one column. Which threads stand side by side, then?</details>
# <details><summary>Hint 2</summary><code>int sum = 0; for (int row = 0; row &lt; rows; row++) sum += q[row * cols + col];</code></details>
# %% role="exercise" id="cuda-column-sums" items="1.5.C5 1.5.C7 1.5.C11" minutes=12
def column_sums_source() -> str:
    """Source of `extern "C" __global__ void column_sums(const signed char* q, int* sums, int rows, int cols)`.

    sums[col] = the sum of q[row, col] over all rows, in int32. q is contiguous, row by row. Thread t of the
    one-dimensional launch does column t; there may be up to a block of threads too many.

    Memory: sums is written once for each column, without atomics. Where cols is a multiple of 32, the loads of a
    launch touch rows * cols / 32 sectors, no more.

    >>> kernel = cuda.RawKernel(column_sums_source(), "column_sums")
    >>> sums = cuda.zeros(3, np.int32)
    >>> q = cuda.asarray(np.int8([[100, -1, 0], [100, -2, 5]]))
    >>> kernel((1,), (32,), (q, sums, np.int32(2), np.int32(3)))
    >>> cuda.asnumpy(sums).tolist()
    [200, -3, 5]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void column_sums(const signed char* q, int* sums, int rows, int cols)
{
    int col = blockIdx.x * blockDim.x + threadIdx.x;
    if (col >= cols) return;
    int sum = 0;
    for (int row = 0; row < rows; row++) {
        sum += q[row * cols + col];
    }
    sums[col] = sum;
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-column-sums" points=5
check("cuda-column-sums", column_sums_source)


# %% [markdown] items="1.5.C7 1.5.K1"
# ## Four codes a load
#
# One byte a lane is one sector a request: nothing wasted, little asked for. A `char4` holds four codes in one 4-byte load, an `int4` 16 bytes:
#
# `char4 c = *reinterpret_cast<const char4*>(q + i);`
#
# The same sectors, a quarter of the requests. Take the whole vector into a variable: `p->x` through a pointer loads one byte. The address must be
# a multiple of 4 (16 for `float4` and `int4`), which a slice need not be.
# %% [markdown] items="1.5.C7 1.5.K1"
# ### Exercise: dequantize four at a time
#
# <details><summary>Hint 1</summary>Three cases for a thread: four elements and both pointers aligned; some elements otherwise; none.</details>
# <details><summary>Hint 2</summary>An address as a number, without any header:
# <code>reinterpret_cast&lt;unsigned long long&gt;(q)</code>. With q aligned, q + 4 * t is too.</details>
# <details><summary>Hint 3</summary><code>*reinterpret_cast&lt;float4*&gt;(x + i) = make_float4(...);</code></details>
# %% role="exercise" id="cuda-vector-loads" items="1.5.C7 1.5.K1" minutes=18
def dequantize4_source() -> str:
    """Source of `extern "C" __global__ void dequantize4(const signed char* q, float* x, float scale, int n)`.

    x[i] = scale * q[i] for i < n, in float32. Thread t of the one-dimensional launch does elements 4t to
    4t + 3, as far as they are below n; there may be up to a block of threads too many.

    Where a thread has all four, q is at a multiple of 4 bytes and x at a multiple of 16, it makes one load of
    4 bytes (a whole char4 or int, not its members one by one) and one store of 16. Otherwise right results
    are all that is asked: q and x may begin anywhere (x at a multiple of 4), each on its own, and n may be
    any number from 1. No #include of the host's headers: NVIDIA's run-time compiler has none (size_t is there).

    >>> kernel = cuda.RawKernel(dequantize4_source(), "dequantize4")
    >>> q, x = cuda.asarray(np.int8([1, -2, 3, -4, 5, 99])), cuda.zeros(5, np.float32)
    >>> kernel((1,), (32,), (q, x, np.float32(0.5), np.int32(5)))
    >>> cuda.asnumpy(x).tolist()
    [0.5, -1.0, 1.5, -2.0, 2.5]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void dequantize4(const signed char* q, float* x, float scale, int n)
{
    int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
    bool aligned = reinterpret_cast<unsigned long long>(q) % 4 == 0
                && reinterpret_cast<unsigned long long>(x) % 16 == 0;
    if (aligned && i + 4 <= n) {
        char4 c = *reinterpret_cast<const char4*>(q + i);
        *reinterpret_cast<float4*>(x + i) =
            make_float4(scale * c.x, scale * c.y, scale * c.z, scale * c.w);
    } else {
        for (int k = i; k < i + 4 && k < n; k++) {
            x[k] = scale * (float)q[k];
        }
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-vector-loads" points=6
check("cuda-vector-loads", dequantize4_source)


# %% [markdown] items="1.5.C8"
# ## Constant and texture memory
#
# `__constant__ float book[16];` is a read-only table, filled by the host (`cuda.set_global`). Its cache serves **one address at a time** to all lanes that want it: ideal when the whole warp
# reads one entry, such as a layer's scale; slow when each lane looks up its own, such as a codebook by code.
#
# Texture memory is cached for neighbours in two dimensions and can interpolate. For quantized tensors plain global loads have replaced
# it.
# %% [markdown] items="1.5.C8"
# ### Exercise: a table in two memories
#
# <details><summary>Hint</summary>Constant memory: different entries. Global memory: different values of <code>index // 8</code>, since 8 floats
# fill a sector.</details>
# %% role="exercise" id="cuda-table-reads" items="1.5.C8" minutes=8
def table_reads(indices: list[int | None]) -> tuple[int, int]:
    """What one request of a warp to a table of float32 costs, by where the table is.

    Args:
        indices: the entry that each lane reads, None for a lane that is not active.

    Returns:
        constant: passes in constant memory: one for each different entry that is read.
        sectors: 32-byte sectors in global memory; the table begins at a multiple of 256 bytes.

    >>> table_reads([3] * 32)
    (1, 1)
    >>> table_reads(list(range(16)) * 2)
    (16, 2)
    """
    ### BEGIN SOLUTION
    active = [index for index in indices if index is not None]
    return len(set(active)), len({index // 8 for index in active})
    ### END SOLUTION


# %% role="check" id="cuda-table-reads" points=3
check("cuda-table-reads", table_reads)
# %% [markdown] items="1.5.C8 1.5.C13"
# ## The model's weights
#
# A projection of the course's language model, in blocks of 32 weights with a scale each, as GGUF stores them. First: how often would a warp that looks up 4-bit codes in a
# codebook have to pass through constant memory?
# %% role="given" id="layer"
layer_weight = (
    decoder_linears(load_lm("lm"))["model.layers.1.mlp.down_proj"].weight.detach().numpy()
)
layer_groups = np.ascontiguousarray(layer_weight[:64]).reshape(-1, 32)
layer_scale = np.abs(layer_groups).max(axis=1).astype(np.float32) / np.float32(127)
layer_codes = np.rint(layer_groups / layer_scale[:, None]).astype(np.int8)
layer_int4 = np.rint(layer_groups / (np.abs(layer_groups).max(axis=1, keepdims=True) / 7)).astype(
    int
)
layer_reads = np.mean([table_reads(list(row + 8)) for row in layer_int4], axis=0)
print(f"{layer_groups.size:,} weights in {len(layer_groups):,} blocks")
print(
    f"a codebook of 16: {layer_reads[0]:.1f} passes of constant memory a warp, "
    f"or {layer_reads[1]:.1f} sectors"
)


# %% [markdown] items="1.5.C13 1.5.K1"
# ## Blocks taken apart
#
# A block of the file is 36 bytes here: a float32 scale, then 32 codes. Blocks are AoS: good for a file, since one read brings a block whole. A kernel may want
# SoA: all scales together, all codes together, each block's codes in one aligned sector.
#
# Seen as 4-byte words, a block has 9, and the words of all blocks lie side by side: neighbouring threads can take neighbouring words, whatever they mean.
# %% [markdown] items="1.5.C13 1.5.K1"
# ### Exercise: from AoS to SoA
#
# <details><summary>Hint 1</summary>Word t belongs to block <code>t / 9</code>, and is its word <code>t % 9</code>.</details>
# <details><summary>Hint 2</summary><code>__uint_as_float(word)</code> takes the bits as a float.</details>
# %% role="exercise" id="cuda-repack-blocks" items="1.5.C13 1.5.K1" minutes=15
def repack_source() -> str:
    """Source of `extern "C" __global__ void repack(const unsigned int* blocks, float* scale, unsigned int* q, int n)`.

    blocks: n blocks of 9 words of 4 bytes: the bits of a float32 scale, then 32 INT8 codes, 4 a word.
    scale: (n,). q: 8 * n words, the codes of all blocks in order.

    Launched in one dimension, in blocks of a multiple of 32 threads, 9 * n threads and up to a block more. Each
    byte of scale and q is written once. All loads together touch at most twice the sectors that blocks fills, and
    so do all stores.

    >>> kernel = cuda.RawKernel(repack_source(), "repack")
    >>> blocks = np.arange(18, dtype=np.uint32)
    >>> blocks[[0, 9]] = np.float32([0.5, 2.0]).view(np.uint32)
    >>> scale, q = cuda.zeros(2, np.float32), cuda.zeros(16, np.uint32)
    >>> kernel((1,), (32,), (cuda.asarray(blocks), scale, q, np.int32(2)))
    >>> cuda.asnumpy(scale).tolist(), cuda.asnumpy(q).tolist()
    ([0.5, 2.0], [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17])
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void repack(const unsigned int* blocks, float* scale, unsigned int* q, int n)
{
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    if (t >= 9 * n) return;
    int record = t / 9, word = t % 9;
    unsigned int bits = blocks[t];
    if (word == 0) {
        scale[record] = __uint_as_float(bits);
    } else {
        q[8 * record + word - 1] = bits;
    }
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-repack-blocks" points=6
check("cuda-repack-blocks", repack_source)
# %% [markdown]
# The layer's blocks, dequantized in three ways: from AoS with a thread for each block, from AoS with a thread for each weight, and from SoA (taken apart by *your* kernel), four weights a thread.
# %% role="given" id="three-ways"
three_ways_source = r"""
extern "C" __global__ void a_block_each(const signed char* blocks, float* x, int n)
{
    int b = blockIdx.x * blockDim.x + threadIdx.x;
    if (b >= n) return;
    float scale = *reinterpret_cast<const float*>(blocks + 36 * b);
    for (int k = 0; k < 32; k++) x[32 * b + k] = scale * blocks[36 * b + 4 + k];
}
extern "C" __global__ void a_weight_each(const signed char* blocks, float* x, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x, b = i / 32;
    if (i >= 32 * n) return;
    float scale = *reinterpret_cast<const float*>(blocks + 36 * b);
    x[i] = scale * blocks[36 * b + 4 + i % 32];
}
extern "C" __global__ void four_weights_each(const float* scale, const char4* q, float4* x, int n)
{
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    if (t >= 8 * n) return;
    float s = scale[t / 8];
    char4 c = q[t];
    x[t] = make_float4(s * c.x, s * c.y, s * c.z, s * c.w);
}
"""
layer_n = len(layer_groups)
layer_words = np.empty((layer_n, 9), np.uint32)
layer_words[:, 0] = layer_scale.view(np.uint32)
layer_words[:, 1:] = layer_codes.view(np.uint32)
apart_scale, apart_q = cuda.zeros(layer_n, np.float32), cuda.zeros(8 * layer_n, np.uint32)
apart_args = (cuda.asarray(layer_words.ravel()), apart_scale, apart_q, np.int32(layer_n))
cuda.RawKernel(repack_source(), "repack")((-(-9 * layer_n // 128),), (128,), apart_args)
layer_bytes = cuda.asarray(layer_words.ravel().view(np.int8))
apart_codes = cuda.asarray(cuda.asnumpy(apart_q).view(np.int8))
three_ways = {
    "a_block_each": (layer_n, (layer_bytes,)),
    "a_weight_each": (32 * layer_n, (layer_bytes,)),
    "four_weights_each": (8 * layer_n, (apart_scale, apart_codes)),
}
layer_right = layer_scale[:, None] * layer_codes.astype(np.float32)
layer_moved, layer_requests = {}, {}
for way_name, (way_threads, way_inputs) in three_ways.items():
    way_x = cuda.zeros(layer_groups.size, np.float32)
    way_report = cuda.watch(
        cuda.RawKernel(three_ways_source, way_name),
        (-(-way_threads // 128),),
        (128,),
        (*way_inputs, way_x, np.int32(layer_n)),
    )
    assert np.array_equal(cuda.asnumpy(way_x).reshape(-1, 32), layer_right), way_name
    layer_moved[way_name] = way_report.moved_bytes / layer_groups.size
    layer_requests[way_name] = sum(i.requests for i in way_report.select(space="global"))
for way_name in three_ways:
    print(
        f"{way_name}: {layer_moved[way_name]:.2f} bytes moved a weight, "
        f"{layer_requests[way_name]:,} requests"
    )
layer_least = 1 + 4 / 32 + 4
show(
    bars(
        layer_moved,
        unit="bytes a weight",
        reference=("asked for", layer_least),
        title="Bytes moved to dequantize one weight",
    ),
    "Bars: bytes moved for each weight, by a thread for each block, for each weight, and for four weights. "
    "The first is many times the bytes asked for, the last comes near them.",
)


# %% [markdown] items="1.5.C13 1.5.K1"
# **What you should see.** A thread for each block moves 65 bytes a weight, a dozen times what is needed, though it does the same arithmetic. A thread for each weight comes to
# 6.9: layout matters little once neighbours read neighbours. SoA with vector loads moves 5.25, with a quarter of those requests; asked for were 5.125, since a warp's four scales
# fill half a sector.
#
# So the first question is *which thread reads what*; the layout is the second.
# %% [markdown] items="1.5.C18"
# ## Latency and bandwidth
#
# A load takes several hundred nanoseconds to come back; that is its **latency** $L$. Meanwhile others can be on their way. To fill a **bandwidth** $B$, the bytes in flight must be
#
# $$ N = L \times B $$
#
# (Little's law; 1 GB/s is 1 byte/ns). Few threads with small loads leave the bus empty, however well they coalesce: more warps or wider loads put
# more in flight.
# %% [markdown] items="1.5.C18"
# **Predict, then run.** A GPU of 132 multiprocessors, 3,000 GB/s and a latency of 600 ns. Each lane has one load on its way, of one INT8 code. How
# many warps must each multiprocessor hold to fill the bandwidth? (It holds at most 64.)
# %% role="predict" id="guess-warps"
my_guess_warps = ...
# %% role="given" id="warps"
flight_bytes = 600 * 3000
flight_warps = {f"{size} B a lane": flight_bytes / 132 / (32 * size) for size in (1, 4, 16)}
print(f"{flight_bytes / 1e6:.1f} MB on their way at any time")
for flight_label, flight_count in flight_warps.items():
    print(f"{flight_label}: {flight_count:.0f} warps on each multiprocessor")
reveal(my_guess_warps, flight_warps["1 B a lane"], unit="warps")
# %% [markdown] items="1.5.C18"
# **What you should see.** Hundreds with one byte a lane, which no multiprocessor can hold: such a kernel is bound by latency. With 4 bytes still more than 64, with 16 a few dozen: `char4` and
# `int4` loads do not save sectors, they put more bytes into each request.
#
# **Locality** helps from the other side: a byte used again while it is in a register, in shared memory or in a cache is not fetched
# again.
# %% role="given" id="bandwidth"
stride_source = r"""
extern "C" __global__ void every(const float* x, float* y, int stride, int n)
{
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    long long at = (long long)t * stride % n;
    if (t < n / 32) y[t] = x[at];
}
"""
stride_kernel = cuda.RawKernel(stride_source, "every")
stride_n = 2**28 if cuda.on_gpu() else 2**15
stride_x, stride_y = cuda.zeros(stride_n, np.float32), cuda.zeros(stride_n // 32, np.float32)
stride_grid = (-(-stride_n // 32 // 256),)
for stride_step in (1, 2, 4, 8, 32):
    stride_args = (stride_x, stride_y, np.int32(stride_step), np.int32(stride_n))
    if cuda.on_gpu():
        stride_time = measure(
            lambda args=stride_args: stride_kernel(stride_grid, (256,), args),
            repeats=9,
            sync=cuda.synchronize,
        )
        print(f"stride {stride_step}: {stride_time}")
    else:
        stride_report = cuda.watch(stride_kernel, stride_grid, (256,), stride_args)
        stride_per = stride_report.sectors_per_request("load")
        print(f"stride {stride_step}: {stride_per:.2f} sectors a request")
if not cuda.on_gpu():
    print("Times need a GPU; sectors do not. From stride 8 on, a float costs a sector of its own.")
# %% [markdown] items="1.5.C13 1.5.C18"
# ## In your own words: a tenth of the bandwidth
#
# A colleague stores INT8 activations as records of 40 bytes: a float scale, 32 codes, a 4-byte row number. Thread $i$ of the kernel takes record $i$ and reads its 32 codes byte by byte in a loop, to sum them.
# It reaches a tenth of the GPU's bandwidth.
#
# Count the sectors of one request. Say what the caches can save and why one cannot rely on it. Propose two changes, one to the kernel and one to the layout, and what each gives in sectors. When would you keep the AoS? 130 to 220 words.
# %% [markdown] role="written" id="cuda-slow-kernel" items="1.5.C13 1.5.C18" points=3
# **Model answer.** Lane $i$ reads byte $40 i + 4 + k$: 32 lanes, 40 bytes apart, each in a sector of its own: 32 sectors, 1,024 bytes, for 32 bytes asked. Over the loop's 32 steps each sector is asked for about 32 times. A
# cache that kept the warp's 1,280 bytes through the loop would fetch them once; but dozens of warps share the L1 cache, so sectors may be thrown out between two
# steps, and even hits cost 32 passes for each request where one would do.
#
# Kernel: let a warp take a record, lane $k$ code $k$: one or two sectors a request, and a warp reduction for the sum; or let eight lanes take a record with `char4` loads (40 bytes are a multiple of 4): four records a
# request, at most 8 sectors for 128 codes. Layout: codes in one array, scales and row numbers in theirs: 32 codes begin at a multiple of 32, one sector for each record, and `int4` loads are aligned. That also puts more bytes in flight for each
# request, which a kernel bound by latency needs.
#
# I would keep the AoS in the file, and where every field is used by neighbouring lanes at once.
#
# **Rubric.** 1 point: 32 sectors a request, with the arithmetic. 1 point: caches may serve the repeats, with a reason not to rely on it. 1 point: a change of the mapping and one of the layout, each with its sectors.
# %% [markdown]
# ## Recap
#
# - A warp asks together; memory answers in sectors of 32 bytes. Count different values of address / 32.
# - Neighbouring threads, neighbouring addresses. Then alignment, then the width of a load.
# - SoA moves what is read; AoS moves its neighbours too, unless the lanes of a warp share them.
# - Registers for what is used again, constant memory for what all lanes read at once.
# - Bytes in flight = latency x bandwidth.
#
# **Three questions**
#
# <details><summary>1. A warp reads 32 floats that begin at address 64. And at address 4?</summary>4 sectors; 5 sectors, since the last float spills into one more.</details>
# <details><summary>2. Why does a slice x[1:] of an INT8 array break a kernel with char4 loads?</summary>Its address is no multiple of 4: the access is misaligned and the kernel ends with an error.</details>
# <details><summary>3. All lanes read scale[0]. Sectors, and what is better?</summary>One sector: a broadcast is coalesced. Constant memory or a kernel argument does it too; neither is worth much here.</details>
#
# ## Reading, with what to look for
#
# - NVIDIA, *CUDA C++ Programming Guide*, "Device Memory Accesses": global, local, constant and texture memory; size and alignment.
# - NVIDIA, *CUDA C++ Best Practices Guide*, "Coalesced Access to Global Memory": misaligned and strided copies, measured.
# - Mark Harris, *How to Access Global Memory Efficiently in CUDA C/C++ Kernels*, NVIDIA Technical Blog, 2013.
# - Justin Luitjens, *CUDA Pro Tip: Increase Performance with Vectorized Memory Access*, NVIDIA Technical Blog, 2013.
#
# **Next:** a transpose cannot have neighbours on both sides, unless a tile in shared memory stands between.
