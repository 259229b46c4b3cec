# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Compute in four and eight bits
#
# **You end with:** kernels that pack and open INT4, requantize sums, and multiply INT8 matrices with `__dp4a` and shared tiles: bit for
# bit what integer arithmetic says.
#
# About 120 minutes. 34 points: 31 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network (a C++ compiler is needed).
# You need lessons 1 to 4 of this module, and module 1.1's lesson 4 (integer multipliers).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import numpy as np

from autograder import check
from lab import cuda
from lab.plots import bars, explore
from lab.predict import reveal
from lab.profile import use_profile

profile = use_profile(PROFILE)
print(
    "Kernels run",
    "on the GPU, through CuPy."
    if cuda.on_gpu()
    else "on the CPU, compiled by the host's compiler.",
)
profile
# %% [markdown]
# ## Two products that fit, a sum that does not
#
# A dot product of INT8 vectors, length 64, in three kernels. They differ in one word: the type of the accumulator. Which results are right?
# %% role="given" id="accumulators"
dot_source = r"""
template <typename T> __global__ void dot(const signed char* a, const signed char* b, int* out, int k)
{
    T sum = 0;
    for (int i = 0; i < k; i++) sum += a[i] * b[i];
    *out = (int)sum;
}
"""
dot_types = ("signed char", "short", "int")
dot_module = cuda.RawModule(code=dot_source, name_expressions=[f"dot<{t}>" for t in dot_types])
dot_a = np.full(64, 100, np.int8)
dot_out = cuda.zeros(1, np.int32)
dot_sums = {}
for dot_type in dot_types:
    dot_args = (cuda.asarray(dot_a), cuda.asarray(dot_a), dot_out, np.int32(64))
    dot_module.get_function(f"dot<{dot_type}>")((1,), (1,), dot_args)
    dot_sums[dot_type] = int(cuda.asnumpy(dot_out)[0])
    print(f"accumulator {dot_type:12s} {dot_sums[dot_type]:10,}")
print(f"{'right':24s} {64 * 100 * 100:10,}")


# %% [markdown] items="1.5.C11"
# **What happened.** Each product is up to $128^2 = 16{,}384$ and needs 15 bits and a sign. In 8 bits nothing fits; in 16 bits the fourth product of
# 10,000 is one too many. With 32 bits, $(2^{31} - 1) / 2^{14}$, that is 131,071 products of the worst kind, fit. That is why every INT8 unit, from `__dp4a` to tensor
# cores, adds into INT32.
# %% [markdown] items="1.5.C10"
# ## Half a byte
#
# Memory has no 4-bit address. Two codes share a byte: the first in bits 0 to 3, the second in bits 4 to 7, both in two's complement. To read one, shift and
# mask, then restore the sign:
#
# $$ v = (\text{byte} \gg s)\ \&\ 15, \qquad \text{code} = (v \oplus 8) - 8. $$
# %% [markdown] items="1.5.C10"
# To write, a thread must own the **whole byte**: two threads that each write half of it race, and one half is lost.
# %% [markdown] items="1.5.C10 1.5.K5"
# ### Exercise: pack two codes into a byte
#
# <details><summary>Hint 1</summary>One thread for each byte: it reads codes 2 i and 2 i + 1.</details>
# <details><summary>Hint 2</summary><code>q[2 * i] &amp; 15</code> is the low nibble of a negative code too. An odd number of codes: the last
# high nibble is 0.</details>
# %% role="exercise" id="cuda-pack-int4" items="1.5.C10 1.5.K5" minutes=12
def pack_source() -> str:
    """Source of `extern "C" __global__ void pack(const signed char* q, unsigned char* packed, int n)`.

    packed[i] = code 2i in the low, code 2i + 1 in the high four bits, in two's complement; for odd n the last
    high nibble is 0. Codes are -8 to 7. Thread i of the one-dimensional launch does byte i; the grid
    covers (n + 1) / 2 bytes. Nothing outside q and packed is touched.

    >>> kernel, packed = cuda.RawKernel(pack_source(), "pack"), cuda.zeros(2, np.uint8)
    >>> kernel((1,), (32,), (cuda.asarray(np.int8([1, -8, -1])), packed, np.int32(3)))
    >>> [hex(b) for b in cuda.asnumpy(packed)]
    ['0x81', '0xf']
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void pack(const signed char* q, unsigned char* packed, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int low = q[2 * i] & 15;
    int high = 2 * i + 1 < n ? q[2 * i + 1] & 15 : 0;
    packed[i] = (unsigned char)(high << 4 | low);
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-pack-int4" points=5
check("cuda-pack-int4", pack_source)


# %% [markdown] items="1.5.C10 1.5.C12 1.5.K5"
# ## Load, unpack, compute, store
#
# A kernel on packed weights has four steps, and the byte is loaded **once**. Here the unpacked weights are multiplied by their group's scale and stored as
# floats: 0.5 bytes in, 4 bytes out for each weight. In a fused product they would never reach memory at all.
# %% [markdown] items="1.5.C10 1.5.C12 1.5.K5"
# ### Exercise: dequantize INT4 with group scales
#
# <details><summary>Hint 1</summary><code>((packed[i] &amp; 15) ^ 8) - 8</code> and <code>((packed[i] &gt;&gt; 4) ^ 8) - 8</code>.</details>
# <details><summary>Hint 2</summary>Weight w has the scale <code>scale[w / group]</code>; the two weights of a byte may have different
# ones.</details>
# %% role="exercise" id="cuda-unpack-int4" items="1.5.C10 1.5.C12 1.5.K5" minutes=15
def unpack_source() -> str:
    """Source of `extern "C" __global__ void unpack(const unsigned char* packed, const float* scale, float* x, int n, int group)`.

    x[w] = code of weight w * scale[w / group] for w < n; layout as in `pack`. Thread i of the one-dimensional
    launch does byte i and loads it once; the grid covers (n + 1) / 2 bytes. group is 1 or more, even or odd.
    scale has ceil(n / group) elements. Nothing outside the arrays is touched.

    >>> kernel, x = cuda.RawKernel(unpack_source(), "unpack"), cuda.zeros(3, np.float32)
    >>> packed, scale = cuda.asarray(np.uint8([0x81, 0x0F])), cuda.asarray(np.float32([1, 10]))
    >>> kernel((1,), (32,), (packed, scale, x, np.int32(3), np.int32(2)))
    >>> cuda.asnumpy(x).tolist()
    [1.0, -8.0, -10.0]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void unpack(const unsigned char* packed, const float* scale, float* x, int n, int group)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (2 * i >= n) return;
    int both = packed[i];
    x[2 * i] = (float)(((both & 15) ^ 8) - 8) * scale[2 * i / group];
    if (2 * i + 1 < n) x[2 * i + 1] = (float)(((both >> 4) ^ 8) - 8) * scale[(2 * i + 1) / group];
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-unpack-int4" points=6
check("cuda-unpack-int4", unpack_source)
# %% [markdown] items="1.5.C12"
# ## From a sum back to a code
#
# An integer layer ends with $q = \mathrm{clip}(\mathrm{round}(M \cdot \text{sum}) + z)$, where $M = s_x s_w / s_y$. Without floats: $M \approx M_0 / 2^{n}$
# with an integer $M_0 < 2^{31}$. The product of two 32-bit numbers needs 64 bits: `(long long)`.
# %% [markdown] items="1.5.C12"
# Rounding: add half of $2^n$, then shift right by $n$. In CUDA C a right shift of a negative number keeps the sign and rounds **down**: together that is
# round half up, for both signs.
# %% [markdown]
# **Predict, then run.** $-5 / 2$ in four ways: `-5 / 2`, `-5 >> 1`, `(-5 + 1) >> 1` and `rintf(-2.5f)`. How many different results?
# %% role="predict" id="guess-halves"
my_guess_results = ...
# %% role="given" id="halves"
halves_source = r"""
extern "C" __global__ void halves(int v, int* out)
{
    out[0] = v / 2;
    out[1] = v >> 1;
    out[2] = (v + 1) >> 1;
    out[3] = (int)rintf(v / 2.0f);
}
"""
halves_out = cuda.zeros(4, np.int32)
cuda.RawKernel(halves_source, "halves")((1,), (1,), (np.int32(-5), halves_out))
halves_seen = cuda.asnumpy(halves_out).tolist()
for label, value in zip(
    ("v / 2", "v >> 1", "(v + 1) >> 1", "rintf(v / 2.0f)"), halves_seen, strict=True
):
    print(f"{label:18s} {value}")
reveal(my_guess_results, len(set(halves_seen)), unit="different results")


# %% [markdown]
# **What you should see.** Two results, for three different reasons: division cuts off towards zero, the bare shift rounds down, adding half first rounds half up, and rintf
# takes the even neighbour. With $v = -7$ rintf and the rounded shift part ways. State the rule, or two kernels that are both "right" will differ.
# %% [markdown] items="1.5.C11 1.5.C12"
# ### Exercise: requantize
#
# <details><summary>Hint 1</summary><code>long long product = (long long)sum[i] * multiplier;</code></details>
# <details><summary>Hint 2</summary><code>(product + (1LL &lt;&lt; (shift - 1))) &gt;&gt; shift</code>; add the zero-point after, clip
# last, all in 64 bits.</details>
# %% role="exercise" id="cuda-requantize" items="1.5.C11 1.5.C12" minutes=12
def requantize_source() -> str:
    """Source of `extern "C" __global__ void requantize(const int* sum, signed char* q, int multiplier, int shift, int zero_point, int n)`.

    q[i] = clip(floor(sum[i] * multiplier / 2**shift + 1/2) + zero_point, -128, 127), exact for every int32 sum;
    multiplier is 1 to 2**31 - 1, shift 1 to 62, zero_point -128 to 127. Integers only. Thread i of the
    one-dimensional launch does element i; the grid covers n.

    >>> kernel, q = cuda.RawKernel(requantize_source(), "requantize"), cuda.zeros(4, np.int8)
    >>> sums = cuda.asarray(np.int32([5, -5, -6, 2**31 - 1]))
    >>> kernel((1,), (32,), (sums, q, np.int32(1), np.int32(1), np.int32(10), np.int32(4)))
    >>> cuda.asnumpy(q).tolist()
    [13, 8, 7, 127]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void requantize(const int* sum, signed char* q, int multiplier, int shift, int zero_point, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long product = (long long)sum[i] * multiplier;
    long long code = ((product + (1LL << (shift - 1))) >> shift) + zero_point;
    q[i] = (signed char)max(-128LL, min(127LL, code));
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-requantize" points=6
check("cuda-requantize", requantize_source)


# %% [markdown] items="1.5.C11 1.5.K7"
# ## Four products in one instruction
#
# `__dp4a(a, b, c)` takes two ints as four INT8 values each, multiplies them pair by pair, and adds all four products to the int $c$: since compute capability 6.1, at the
# rate of one ordinary instruction.
#
# It wants its operands as ints: read four codes at once through `const int*`. The address must then be a multiple of 4.
# %% [markdown] items="1.5.C11 1.5.K7"
# ### Exercise: a matrix-vector product with dp4a
#
# One **warp** for each row: lane $l$ takes the ints $l, l + 32, \dots$ of the row, then the 32 partial sums are added, best by shuffles.
#
# <details><summary>Hint 1</summary>Row of this warp: <code>(blockIdx.x * blockDim.x + threadIdx.x) / 32</code>; lane:
# <code>threadIdx.x % 32</code>.</details>
# <details><summary>Hint 2</summary><code>for (int d = 16; d &gt; 0; d /= 2) sum += __shfl_down_sync(0xffffffff, sum, d);</code> leaves the total in lane
# 0.</details>
# <details><summary>Hint 3</summary>All 32 lanes must reach the shuffle: guard by row, which is the same for the whole warp, not by k.</details>
# %% role="exercise" id="cuda-gemv-dp4a" items="1.5.C11 1.5.K7" minutes=20
def gemv_source() -> str:
    """Source of `extern "C" __global__ void gemv(const signed char* w, const signed char* x, int* y, int rows, int k)`.

    y[r] = sum over j of w[r, j] * x[j], exact in int32. w is (rows, k) row-major, k a multiple of 4, w and x
    aligned to 4 bytes. One warp for each row; the one-dimensional launch has blocks of a multiple of 32 threads and
    covers the rows, perhaps with warps to spare. Codes of w and x are read four at a time. Nothing outside the arrays is touched.

    >>> kernel, y = cuda.RawKernel(gemv_source(), "gemv"), cuda.zeros(2, np.int32)
    >>> w, x = np.int8([[1, 2, 3, 4], [-128, 0, 0, 1]]), np.int8([1, 10, 100, -128])
    >>> kernel((1,), (64,), (cuda.asarray(w), cuda.asarray(x), y, np.int32(2), np.int32(4)))
    >>> cuda.asnumpy(y).tolist()
    [-191, -256]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void gemv(const signed char* w, const signed char* x, int* y, int rows, int k)
{
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int* weights = (const int*)(w + (size_t)row * k);
    const int* inputs = (const int*)x;
    int sum = 0;
    for (int i = lane; i < k / 4; i += 32) sum = __dp4a(weights[i], inputs[i], sum);
    for (int distance = 16; distance > 0; distance /= 2)
        sum += __shfl_down_sync(0xffffffff, sum, distance);
    if (lane == 0) y[row] = sum;
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-gemv-dp4a" points=7
check("cuda-gemv-dp4a", gemv_source)
# %% [markdown] items="1.5.C14 1.5.K7"
# ## Tiles
#
# In a matrix product each code of $A$ is used by every column. From global memory that is $M N K$ loads of each side. With tiles of $T \times T$ in shared memory, a
# block loads each tile once and uses each code $T$ times: $T$ times fewer bytes.
#
# Two barriers for each tile: one after loading, before anyone reads; one after computing, before anyone overwrites.
# %% role="given" id="knob"


def bytes_loaded(tile=16, size=1024):
    """Bars: bytes from global memory for a product of two square INT8 matrices."""
    naive, tiled = 2 * size**3, 2 * size**3 // tile
    fig = bars(
        {"no tiles": naive / 1e9, f"tiles of {tile}": tiled / 1e9},
        unit="GB",
        title=f"{size} x {size}, from global memory",
    )
    return (
        fig,
        f"Without tiles {naive / 1e6:.0f} MB, with tiles of {tile} {tiled / 1e6:.0f} MB, for matrices of {size}.",
    )


explore(bytes_loaded, tile=[4, 8, 16, 32], size=[256, 512, 1024, 2048])


# %% [markdown] items="1.5.C11 1.5.C14 1.5.K7"
# ### Exercise: a tiled INT8 product
#
# <details><summary>Hint 1</summary><code>__shared__ signed char a_tile[16][16], b_tile[16][16];</code> Thread (x, y) loads one element of each and computes the output of row y and
# column x of the tile.</details>
# <details><summary>Hint 2</summary>Outside the matrices load 0: every thread takes part in every barrier, also those without an output.</details>
# <details><summary>Hint 3</summary>b is stored (n, k): the tile's row is an output column. Let x run along k when loading, for both.</details>
# %% role="exercise" id="cuda-gemm-tile" items="1.5.C11 1.5.C14 1.5.K7" minutes=25
def gemm_source() -> str:
    """Source of `extern "C" __global__ void gemm(const signed char* a, const signed char* b, int* c, int m, int n, int k)`.

    c[i, j] = sum over l of a[i, l] * b[j, l], exact in int32. a is (m, k), b (n, k), c (m, n), all row-major, any
    sizes from 1. Launched with blocks of (16, 16) threads on a grid of (ceil(n / 16), ceil(m / 16)): block (x, y) does
    columns from 16 x and rows from 16 y. Each block reads each element of its 16 rows of a and of its 16 rows of
    b once from global memory, through shared memory. Nothing outside the matrices is touched.

    >>> kernel, c = cuda.RawKernel(gemm_source(), "gemm"), cuda.zeros((2, 1), np.int32)
    >>> a, b = cuda.asarray(np.int8([[1, 2], [100, 100]])), cuda.asarray(np.int8([[3, 4]]))
    >>> kernel((1, 1), (16, 16), (a, b, c, np.int32(2), np.int32(1), np.int32(2)))
    >>> cuda.asnumpy(c).tolist()
    [[11], [700]]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void gemm(const signed char* a, const signed char* b, int* c, int m, int n, int k)
{
    __shared__ signed char a_tile[16][16], b_tile[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    int row = blockIdx.y * 16 + y, col = blockIdx.x * 16 + x, b_row = blockIdx.x * 16 + y;
    int sum = 0;
    for (int start = 0; start < k; start += 16) {
        int l = start + x;
        a_tile[y][x] = row < m && l < k ? a[row * k + l] : 0;
        b_tile[y][x] = b_row < n && l < k ? b[b_row * k + l] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += a_tile[y][i] * b_tile[x][i];
        __syncthreads();
    }
    if (row < m && col < n) c[row * n + col] = sum;
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-gemm-tile" points=7
check("cuda-gemm-tile", gemm_source)
# %% [markdown] items="1.5.C11 1.5.C12 1.5.K5 1.5.K7"
# ## A layer of the language model, in integers
#
# A projection of the course's language model on 20 tokens: inputs and weights as INT8 with a scale for each row, your tiled product, one multiplication by both scales.
# And the weights in INT4, packed and opened by your kernels.
# %% role="given" id="layer"
import torch

from lab.fake_quant import decoder_linears
from lab.lm import calibration_batch, load_lm

torch.set_num_threads(1)
lm = load_lm("lm")
projection = decoder_linears(lm)["model.layers.1.mlp.down_proj"]
layer_seen: list[torch.Tensor] = []
layer_hook = projection.register_forward_pre_hook(lambda _, i: layer_seen.append(i[0].detach()))
with torch.inference_mode():
    lm(calibration_batch(count=1, length=20))
layer_hook.remove()
layer_x = layer_seen[0].reshape(-1, layer_seen[0].shape[-1]).numpy()
layer_w = projection.weight.detach().numpy()


def rows_to_codes(matrix, top):
    """Symmetric codes in -top..top and a scale for each row."""
    row_scale = np.abs(matrix).max(axis=1) / top
    return np.rint(matrix / row_scale[:, None]).astype(np.int8), row_scale.astype(np.float32)


def integer_product(x_codes, w_codes):
    """x_codes @ w_codes.T by your kernel, int32."""
    (rows, k), cols = x_codes.shape, w_codes.shape[0]
    sums = cuda.zeros((rows, cols), np.int32)
    args = (
        cuda.asarray(x_codes),
        cuda.asarray(w_codes),
        sums,
        np.int32(rows),
        np.int32(cols),
        np.int32(k),
    )
    cuda.RawKernel(gemm_source(), "gemm")((-(-cols // 16), -(-rows // 16)), (16, 16), args)
    return cuda.asnumpy(sums)


x_codes, x_scale = rows_to_codes(layer_x, 127)
layer_exact = layer_x @ layer_w.T
for layer_bits, top in ((8, 127), (4, 7)):
    w_codes, w_scale = rows_to_codes(layer_w, top)
    layer_y = integer_product(x_codes, w_codes) * x_scale[:, None] * w_scale[None, :]
    layer_error = np.linalg.norm(layer_y - layer_exact) / np.linalg.norm(layer_exact)
    print(f"INT8 inputs, INT{layer_bits} weights: relative error {layer_error:.2%}")
packed_w = cuda.zeros(w_codes.size // 2, np.uint8)
pack_grid = (-(-w_codes.size // 512),)
pack_args = (cuda.asarray(w_codes.ravel()), packed_w, np.int32(w_codes.size))
cuda.RawKernel(pack_source(), "pack")(pack_grid, (256,), pack_args)
opened_w = cuda.zeros(w_codes.size, np.float32)
unpack_args = (
    packed_w,
    cuda.asarray(w_scale),
    opened_w,
    np.int32(w_codes.size),
    np.int32(layer_w.shape[1]),
)
cuda.RawKernel(unpack_source(), "unpack")(pack_grid, (256,), unpack_args)
same = np.array_equal(cuda.asnumpy(opened_w).reshape(layer_w.shape), w_codes * w_scale[:, None])
print(
    f"packed: {packed_w.nbytes:,} bytes for {layer_w.size:,} weights; opened again, all equal: {same}"
)
# %% [markdown]
# **What you should see.** A few percent with INT8 weights, most of it from the inputs, and about ten percent with one scale for each row of INT4: module 1.1 told you to use groups
# there. The integer sums themselves are exact in both.
# %% [markdown] items="1.5.C10 1.5.C11 1.5.C12"
# ## In your own words: three reviews
#
# Three pull requests for an INT8 kernel: **A** replaces the int accumulator by float, "because floats are fast and never overflow"; **B** lets two neighbouring threads each
# write their own nibble of a packed byte; **C** requantizes with `(int)(sum * 0.0123f + 0.5f)`.
#
# For each: is it wrong, and on which inputs would a test see it? What would you write instead? Use a number of this lesson. 120 to 200 words.
# %% [markdown] role="written" id="cuda-integer-reviews" items="1.5.C10 1.5.C11 1.5.C12" points=3
# **Model answer.** A: wrong from sums of $2^{24}$ on: float32 has 24 bits, odd sums beyond are rounded. Two rows of 127 reach it after 1,041 products (16,129 each), so a test with K = 2,048 of large equal
# values sees it, one with random signs hardly ever. INT32 holds 131,071 worst products. Keep int, and `__dp4a` gives four products an instruction.
#
# B: a race: both threads read the byte, change their half, write the whole; one half is lost. On many runs nothing happens, since neighbouring threads of one warp may be serialised in a
# lucky order. A test that watches for races sees it at once; comparing results does only sometimes. One thread owns the byte.
#
# C: the cast cuts off towards zero, so negative sums are rounded up: -2.4 + 0.5 = -1.9 becomes -1, not -2. A test with negative sums sees it. Also float32 has not the
# bits for a 32-bit sum. 64-bit product, add half, shift, zero-point, clip.
#
# **Rubric.** 1 point each: what is wrong, inputs that show it, and a replacement. Half a point off if no figure is used.
# %% [markdown]
# ## Recap
#
# - INT8 products go into INT32. Two worst products are one too many for 16 bits; float32 is exact up to $2^{24}$.
# - A byte with two codes belongs to one thread. Mask, shift, then restore the sign.
# - Rounding is a rule to state: truncation, floor, half up and half to even differ on negatives and ties.
# - `__dp4a`: four products an instruction, aligned ints. Tiles: each byte once for each block.
#
# **Three questions**
#
# <details><summary>1. Why does the guard of the matrix-vector kernel compare rows and not columns?</summary>The row is the same for all lanes of the warp, so the whole warp leaves together. A lane that leaves
# alone is missing in the shuffle, whose mask names all 32.</details>
# <details><summary>2. What is left out when the second barrier of the tile loop is forgotten?</summary>Fast threads load the next tile while slow ones still read this one. Most runs look right.</details>
# <details><summary>3. INT4 weights, INT8 inputs: how would you use dp4a?</summary>Unpack eight nibbles of an int into two ints of four INT8 codes in registers, then two dp4a. The unpacking costs more than the
# products.</details>
#
# ## Reading, with what to look for
#
# - NVIDIA, *CUDA C++ Programming Guide*: `__dp4a` in the section on integer intrinsics; warp shuffle functions.
# - Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*, CVPR 2018, sections 2.2 to 2.4: the multiplier and the shift.
# - Kim et al., *Who Says Elephants Can't Run: Bringing Large Scale MoE Models into Cloud Scale Production*, 2022: INT4 unpacking inside a kernel.
#
# **Next:** how the data come to the device, and what that costs.
