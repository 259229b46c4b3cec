# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Write INT8 kernels in Triton
#
# **You end with:** four kernels on INT8 and INT4 data in Triton: run here by its interpreter with every memory access watched,
# and compiled to the instructions of a GPU that you need not own.
#
# About 105 minutes. 29 points: 26 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network; on a CUDA machine
# the same kernels are compiled and timed. You need coalescing (lesson 2), packed INT4 (lesson 6) and scales (module 1.1).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads would only wait
from collections import OrderedDict

import numpy as np
import torch

from autograder import check
from lab.plots import bars, curves, explore, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.triton_ptx import compile_kernel
from lab.triton_setup import is_interpreted, use_triton
from lab.triton_watch import watch

torch.set_num_threads(1)
profile = use_profile(PROFILE)
triton, tl = use_triton(profile)

from lab.triton_math import round_even  # after use_triton

profile
# %% [markdown]
# ## A right answer from a wrong kernel
#
# This kernel adds two INT8 vectors of 1,000 elements. Eight programs with 128 lanes each: 1,024 lanes. The result is right.
# Then it runs once more, with every access watched.
# %% role="given" id="hasty"


@triton.jit
def hasty_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """out = x + y, in a hurry."""
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.load(x_ptr + lanes) + tl.load(y_ptr + lanes)
    tl.store(out_ptr + lanes, total, mask=lanes < n)


hasty_rng = torch.Generator().manual_seed(0)
hasty_x, hasty_y = (
    torch.randint(-60, 60, (1000,), generator=hasty_rng).to(torch.int8) for _ in range(2)
)
hasty_out = torch.zeros_like(hasty_x)
if is_interpreted():
    with watch(stop=False, x=hasty_x, y=hasty_y, out=hasty_out) as seen_hasty:
        hasty_kernel[(8,)](hasty_x, hasty_y, hasty_out, 1000, BLOCK=128)
    print("right:", bool((hasty_out == hasty_x + hasty_y).all()))
    print(seen_hasty)
    print("the first:", seen_hasty.outside[0])
else:
    print("Accesses are watched by the interpreter only: run this lesson with PROFILE = 'cpu' too.")


# %% [markdown] items="1.5.C19"
# **What happened.** 24 lanes reach past the end of each input. What they read is thrown away, so no test of the result can
# notice. On a GPU such a read may hit a page that is not yours: `illegal memory access`, on some sizes, on some days. A kernel
# is right when its *accesses* are right. The checks of this lesson watch them.
# %% [markdown] items="1.5.C19"
# ## Programs instead of threads
#
# In CUDA C you write what one **thread** does. In Triton (Tillet, Kung and Cox 2019) you write what one **program** does, on
# whole blocks of values: `tl.arange(0, BLOCK)` is a vector of BLOCK lanes, and `a + b` adds all of them.
#
# How lanes are spread over threads, which loads become vector loads, what goes through shared memory: the compiler decides.
# There is no `threadIdx` and no `__syncthreads`.
# %% [markdown] items="1.5.C19"
# ## Pointers, offsets, masks
#
# `x_ptr + lanes` is a block of addresses. `tl.load(addresses, mask=m, other=0)` reads where `m` holds and gives 0 elsewhere;
# `tl.store(addresses, values, mask=m)` writes where `m` holds. Without `other` a masked lane holds anything (here, watched: 77).
#
# `tl.constexpr` arguments are fixed at compile time. The length of `tl.arange` must be a power of two, so the last program nearly always
# has lanes too many: the mask is not an option.
# %% [markdown] items="1.5.C11 1.5.C19"
# ### Exercise: a saturating sum
#
# INT8 + INT8 in Triton is INT8 and wraps around: 100 + 100 = -56. Widen first, then clip, then narrow.
#
# <details><summary>Hint 1</summary><code>tl.load(...).to(tl.int32)</code> widens.</details>
# <details><summary>Hint 2</summary><code>tl.minimum(tl.maximum(total, -128), 127)</code> clips;
# <code>.to(tl.int8)</code> narrows.</details>
# <details><summary>Hint 3</summary>One mask, <code>lanes &lt; n</code>, for both loads and the store.</details>
# %% role="exercise" id="triton-saturating-add" items="1.5.C11 1.5.C19" minutes=10
@triton.jit
def saturating_add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """out[i] = x[i] + y[i], clipped to -128..127, for i < n. Nothing else is read or written.

    Launched with ceil(n / BLOCK) programs in one dimension; program p does the elements
    p * BLOCK to p * BLOCK + BLOCK - 1.

    Args:
        x_ptr, y_ptr: int8 (n,).
        out_ptr: int8 (n,).
        n: elements, 1 or more.
        BLOCK: lanes of a program, a power of two.

    >>> x = torch.tensor([100, -100, 3], dtype=torch.int8)
    >>> out = torch.empty_like(x)
    >>> _ = saturating_add_kernel[(1,)](x, x, out, 3, BLOCK=4)
    >>> out.tolist()
    [127, -128, 6]
    """
    ### BEGIN SOLUTION
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = lanes < n
    x = tl.load(x_ptr + lanes, mask=inside, other=0).to(tl.int32)
    y = tl.load(y_ptr + lanes, mask=inside, other=0).to(tl.int32)
    total = tl.minimum(tl.maximum(x + y, -128), 127)
    tl.store(out_ptr + lanes, total.to(tl.int8), mask=inside)
    ### END SOLUTION


# %% role="check" id="triton-saturating-add" points=4
check("triton-saturating-add", saturating_add_kernel)
# %% [markdown] items="1.5.C13 1.5.C19"
# ## The order of the lanes
#
# Memory moves in **sectors** of 32 bytes. A program that touches 128 neighbouring INT8 values touches 4 sectors. A program whose lanes
# are `program_id + stride * arange` touches others.
#
# **Predict, then run.** The same sum over 4,096 elements, 32 programs of 128 lanes, but program $p$ takes the elements
# $p, p + 32, p + 64, \dots$: how many bytes move, in whole sectors, for each byte that was asked for?
# %% role="predict" id="guess-strided"
my_guess_factor = ...


# %% role="given" id="strided"
@triton.jit
def spread_kernel(x_ptr, out_ptr, n, stride, BLOCK: tl.constexpr):
    """out = x; lane k of a program is `stride * k` elements after its first."""
    program = tl.program_id(0)
    first = program // stride * (stride * BLOCK) + program % stride
    lanes = first + stride * tl.arange(0, BLOCK)
    tl.store(out_ptr + lanes, tl.load(x_ptr + lanes, mask=lanes < n, other=0), mask=lanes < n)


def bytes_per_byte(stride, n=4096, block=128):
    """Bytes of sectors touched for each byte asked for, where lanes are `stride` elements apart."""
    x, out = torch.zeros(n, dtype=torch.int8), torch.zeros(n, dtype=torch.int8)
    with watch(x=x, out=out) as seen:
        spread_kernel[(n // block,)](x, out, n, stride, BLOCK=block)
    return seen.loads["x"].sector_bytes / seen.loads["x"].bytes


if is_interpreted():
    strides = [1, 2, 4, 8, 16, 32]
    factors = [bytes_per_byte(s) for s in strides]
    for s, f in zip(strides, factors, strict=True):
        print(f"stride {s:2d}: {f:5.2f} bytes moved for each byte asked for")
    reveal(my_guess_factor, factors[-1])
    show(
        curves(
            strides,
            {"128 lanes of INT8": factors},
            xlabel="stride, elements",
            ylabel="bytes moved per byte asked for",
        ),
        alt="Bytes moved per byte asked for against the stride in INT8 elements: a straight line from 1 at stride 1 to 32 at "
        "stride 32.",
    )
# %% [markdown]
# **What you should see.** Exactly the stride, up to 32: then each lane has a sector to itself. Every program computes the right
# elements and all programs together read every element once. A cache hides part of it, until the data are larger than the cache.
# %% [markdown]
# ### Turn the knob
#
# Wider elements fill a sector sooner.
# %% role="given" id="knob"


def sector_share(stride=4, bytes_each=1):
    """Bars: bytes asked for and bytes moved by one request of 128 lanes."""
    addresses = np.arange(128) * stride * bytes_each
    moved = 32 * np.unique(addresses // 32).size
    asked = 128 * bytes_each
    fig = bars({"asked for": asked, "moved": moved}, unit="bytes", title="One request of 128 lanes")
    return (
        fig,
        f"Bytes asked for, {asked}, and bytes moved, {moved}, with {bytes_each}-byte elements {stride} apart.",
    )


explore(sector_share, stride=(1, 64, 1), bytes_each=[1, 2, 4, 8])
# %% [markdown] items="1.5.C19"
# ## What the compiler makes of it
#
# The interpreter says whether a kernel is right. What a GPU would execute, the compiler says, and it needs no GPU: **PTX** is the
# assembly language of NVIDIA's GPUs.
#
# At each launch Triton looks at the arguments: is an address, is $n$ a multiple of 16? For each answer it compiles another
# version.
# %% [markdown] items="1.5.C19"
# **Predict, then run.** Your kernel with BLOCK = 1024 and 128 threads: 8 elements a thread, from two inputs. Unaligned, these are 16
# loads of one byte. How many loads when all is aligned to 16?
# %% role="predict" id="guess-loads"
my_guess_loads = ...
# %% role="given" id="ptx-add"
add_types = {"x_ptr": "*i8", "y_ptr": "*i8", "out_ptr": "*i8", "n": "i32"}
aligned_sets = {"nothing known": (), "all aligned to 16": tuple(add_types)}
add_loads = {}
for label, aligned in aligned_sets.items():
    built = compile_kernel(saturating_add_kernel, add_types, {"BLOCK": 1024}, aligned)
    add_loads[label] = sum(k for name, k in built.instructions.items() if name.startswith("ld."))
    print(f"{label:18s} {built.instructions}")
reveal(my_guess_loads, add_loads["all aligned to 16"], unit="loads")


# %% [markdown]
# **What you should see.** One load of 8 bytes (`ld.global.v2.b32`) for each input, where there were eight of one byte. In CUDA C you
# write `char4` and handle the tail yourself (lesson 6); here the compiler does it, *if* it knows the alignment. A length that is no
# multiple of 16 is enough to lose it: the mask then cuts inside a vector.
# %% [markdown] items="1.5.C10 1.5.K5"
# ## Four bits: load, unpack, compute, store
#
# Two weights in a byte, the first in the low four bits, as signed numbers -8 to 7. A program loads each byte once and has two
# results for it. `tl.join(low, high)` makes a block of shape (BLOCK, 2), and its addresses are $2b$ and $2b + 1$ for byte $b$.
#
# Sign of a nibble $v \in 0..15$: $v - 16\,[v \ge 8]$, or `(v ^ 8) - 8`.
# %% [markdown] items="1.5.C10 1.5.C12 1.5.K5"
# ### Exercise: dequantize packed INT4
#
# The scale belongs to a group of GROUP consecutive *weights*. With an odd number of weights the last high nibble is padding.
#
# <details><summary>Hint 1</summary><code>packed &amp; 15</code> and <code>packed &gt;&gt; 4</code>, after
# <code>.to(tl.int32)</code>.</details>
# <details><summary>Hint 2</summary>Without join: two stores, at <code>2 * lanes</code> and <code>2 * lanes + 1</code>, each with its
# own mask against n.</details>
# <details><summary>Hint 3</summary>The scale of weight i is <code>scale_ptr + i // GROUP</code>: two loads, one for each nibble, since
# a group may end inside a byte. A byte exists where <code>2 * lane &lt; n</code>.</details>
# %% role="exercise" id="triton-unpack-int4" items="1.5.C10 1.5.C12 1.5.K5" minutes=15
@triton.jit
def unpack_int4_kernel(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    """out[i] = code of weight i (-8 to 7) * scale[i // GROUP], for i < n. Nothing else is touched.

    Launched with ceil(ceil(n / 2) / BLOCK) programs in one dimension; program p does the bytes
    p * BLOCK to p * BLOCK + BLOCK - 1.

    Args:
        packed_ptr: uint8 (ceil(n / 2),): weight 2b in the low, weight 2b + 1 in the high four bits of
            byte b, in two's complement.
        scale_ptr: float32 (ceil(n / GROUP),).
        out_ptr: float32 (n,).
        n: weights, 1 or more, even or odd.
        GROUP: weights that share a scale, 1 or more, even or odd.
        BLOCK: bytes of a program, a power of two.

    >>> packed = torch.tensor([0x81, 0x0F], dtype=torch.uint8)
    >>> scale, out = torch.tensor([1.0, 10.0]), torch.zeros(3)
    >>> _ = unpack_int4_kernel[(1,)](packed, scale, out, 3, GROUP=2, BLOCK=2)
    >>> out.tolist()
    [1.0, -8.0, -10.0]
    """
    ### BEGIN SOLUTION
    lanes = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    low, high = 2 * lanes, 2 * lanes + 1
    packed = tl.load(packed_ptr + lanes, mask=low < n, other=0).to(tl.int32)
    low_scale = tl.load(scale_ptr + low // GROUP, mask=low < n, other=0.0)
    high_scale = tl.load(scale_ptr + high // GROUP, mask=high < n, other=0.0)
    low_code = ((packed & 15) ^ 8) - 8
    high_code = ((packed >> 4) ^ 8) - 8
    tl.store(out_ptr + low, low_code.to(tl.float32) * low_scale, mask=low < n)
    tl.store(out_ptr + high, high_code.to(tl.float32) * high_scale, mask=high < n)
    ### END SOLUTION


# %% role="check" id="triton-unpack-int4" points=6
check("triton-unpack-int4", unpack_int4_kernel)


# %% [markdown] items="1.5.C12 1.5.K6"
# ## A row, its amax, its codes
#
# Dynamic quantization of activations: each row has the scale $s = \mathrm{amax} / 127$, with $\mathrm{amax} = \max_j |x_j|$. A program holds a whole row
# in one block, so the reduction is one line, `tl.max(tl.abs(row), axis=0)`: the barriers of lesson 4 are still there, written by
# the compiler.
#
# A masked lane must not win the reduction: choose `other` so that it cannot.
# %% [markdown] items="1.5.C12 1.5.K6"
# ### Exercise: quantize rows
#
# `round_even(x)` from the setup cell rounds half to even inside a kernel. Triton's cast to an integer cuts the fraction off.
#
# <details><summary>Hint 1</summary>The row's addresses: <code>x_ptr + tl.program_id(0) * stride + lanes</code>. The result is
# contiguous: its rows are <code>cols</code> apart.</details>
# <details><summary>Hint 2</summary>A row of zeros: divide by
# <code>tl.where(scale &gt; 0, scale, 1.0)</code>.</details>
# %% role="exercise" id="triton-quantize-rows" items="1.5.C12 1.5.K6" minutes=15
@triton.jit
def quantize_rows_kernel(x_ptr, q_ptr, scale_ptr, cols, stride, BLOCK: tl.constexpr):
    """Symmetric INT8 codes and a scale for each row; program p does row p.

    scale = amax / 127 in float32; code = x / scale rounded to nearest, half to even, in -127..127. A
    row of zeros has scale 0 and codes 0.

    Args:
        x_ptr: float32; element (r, c) is at r * stride + c. With stride > cols there are values
            between the rows that do not belong to them.
        q_ptr: int8 (rows, cols), contiguous.
        scale_ptr: float32 (rows,).
        cols: 1 to BLOCK.
        stride: elements from one row to the next, cols or more.
        BLOCK: a power of two.

    >>> x = torch.tensor([[127.0, 2.5, -3.5], [0.0, 0.0, 0.0]])
    >>> q, scale = torch.empty(2, 3, dtype=torch.int8), torch.empty(2)
    >>> _ = quantize_rows_kernel[(2,)](x, q, scale, 3, 3, BLOCK=4)
    >>> q.tolist(), scale.tolist()
    ([[127, 2, -4], [0, 0, 0]], [1.0, 0.0])
    """
    ### BEGIN SOLUTION
    row = tl.program_id(0)
    lanes = tl.arange(0, BLOCK)
    inside = lanes < cols
    x = tl.load(x_ptr + row * stride + lanes, mask=inside, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0
    codes = round_even(x / tl.where(scale > 0, scale, 1.0))
    tl.store(q_ptr + row * cols + lanes, codes.to(tl.int8), mask=inside)
    tl.store(scale_ptr + row, scale)
    ### END SOLUTION


# %% role="check" id="triton-quantize-rows" points=6
check("triton-quantize-rows", quantize_rows_kernel)


# %% [markdown] items="1.5.C11 1.5.K7"
# ## A tile of a matrix product
#
# A program computes one tile of $C = A B^\top$, of BLOCK_M rows and BLOCK_N columns, in steps of BLOCK_K along the inner dimension.
# `tl.dot(a, b, acc, out_dtype=tl.int32)` multiplies two INT8 blocks and adds to an INT32 block.
#
# Weights are stored one row for each output, shape $(N, K)$. Two-dimensional addresses come from broadcasting:
# `rows[:, None] * K + ks[None, :]`.
# %% [markdown] items="1.5.C11 1.5.K7"
# ### Exercise: an INT8 product with INT32 sums
#
# <details><summary>Hint 1</summary><code>rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)</code>, and columns from
# <code>tl.program_id(1)</code> likewise.</details>
# <details><summary>Hint 2</summary>Load the weights' tile transposed: shape (BLOCK_K, BLOCK_N), element (k, c) at
# <code>cols[None, :] * K + ks[:, None]</code>.</details>
# <details><summary>Hint 3</summary>Mask the inner dimension too: where <code>ks &gt;= K</code> the next row
# begins. 0 adds nothing.</details>
# %% role="exercise" id="triton-int8-matmul" items="1.5.C11 1.5.K7" minutes=20
@triton.jit
def int8_matmul_kernel(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """c[m, n] = sum over k of a[m, k] * b[n, k], exact in int32.

    Launched with (ceil(M / BLOCK_M), ceil(N / BLOCK_N)) programs; program (i, j) does the rows
    from i * BLOCK_M and the columns from j * BLOCK_N. Nothing outside the matrices is touched.

    Args:
        a_ptr: int8 (M, K), row-major.
        b_ptr: int8 (N, K), row-major.
        c_ptr: int32 (M, N), row-major.
        M, N, K: any sizes from 1.
        BLOCK_M, BLOCK_N, BLOCK_K: powers of two, 16 or more.

    >>> a = torch.tensor([[1, 2], [100, 100]], dtype=torch.int8)
    >>> b, c = torch.tensor([[3, 4]], dtype=torch.int8), torch.zeros(2, 1, dtype=torch.int32)
    >>> _ = int8_matmul_kernel[(1, 1)](a, b, c, 2, 1, 2, BLOCK_M=16, BLOCK_N=16, BLOCK_K=16)
    >>> c.tolist()
    [[11], [700]]
    """
    ### BEGIN SOLUTION
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    for start in range(0, K, BLOCK_K):
        ks = start + tl.arange(0, BLOCK_K)
        a_inside = (rows[:, None] < M) & (ks[None, :] < K)
        b_inside = (ks[:, None] < K) & (cols[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + ks[None, :], mask=a_inside, other=0)
        b = tl.load(b_ptr + cols[None, :] * K + ks[:, None], mask=b_inside, other=0)
        sums = tl.dot(a, b, sums, out_dtype=tl.int32)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + cols[None, :], sums, mask=inside)
    ### END SOLUTION


# %% role="check" id="triton-int8-matmul" points=6
check("triton-int8-matmul", int8_matmul_kernel)
# %% [markdown] items="1.5.K7"
# ## Where is dp4a?
#
# `__dp4a` adds four products of bytes in one instruction. Look at what your kernel becomes on an A100 (sm_80) and on an H100 or H200
# (sm_90).
# %% role="given" id="ptx-matmul"
matmul_types = dict.fromkeys(("a_ptr", "b_ptr"), "*i8") | {"c_ptr": "*i32"}
matmul_types |= dict.fromkeys("MNK", "i32")
tile = {"BLOCK_M": 64, "BLOCK_N": 64, "BLOCK_K": 64}
for capability in (80, 90):
    built = compile_kernel(int8_matmul_kernel, matmul_types, tile, tuple(matmul_types), capability)
    print(f"sm_{capability}, {built.shared_bytes:,} bytes of shared memory a program:")
    for name, count in built.instructions.items():
        print(f"    {count:3d} x {name}")


# %% [markdown]
# **What you should see.** No dp4a: `tl.dot` on INT8 becomes instructions of the **tensor cores**, `mma.sync ... s32.s8.s8.s32` on sm_80
# and `wgmma` on sm_90, and the tiles travel to shared memory by `cp.async`. You wrote none of it. That is what Triton is for, and
# also its limit: what the compiler does not choose, you cannot have.
# %% [markdown] items="1.5.C18 1.5.C19"
# ## The order of the programs
#
# Programs with neighbouring numbers run at about the same time and share the L2 cache. In row-major order, a row of tiles uses one block
# of $A$ and *all* blocks of $B$.
#
# **Grouped order** takes `group` rows of tiles together and goes down each column of that band first, then to the next column.
# Fewer different blocks are in use at a time.
# %% [markdown] items="1.5.C18 1.5.C19"
# ### Exercise: from a number to a tile
#
# With 4 x 3 tiles and group 2, programs 0, 1, 2, ... do the tiles (0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 0), (3, 0), ...
#
# <details><summary>Hint 1</summary>A full band has <code>group * tiles_n</code> programs:
# <code>band, inside = divmod(program, group * tiles_n)</code>.</details>
# <details><summary>Hint 2</summary>The last band may be lower:
# <code>height = min(group, tiles_m - band * group)</code>.</details>
# %% role="exercise" id="triton-grouped-order" items="1.5.C18 1.5.C19" minutes=10
def grouped_tile(program: int, tiles_m: int, tiles_n: int, group: int) -> tuple[int, int]:
    """The tile (row, column) of a program in grouped order.

    Bands of `group` rows of tiles, from the top; the last band has the rows that are left. Inside a band
    column after column, each from the top down.

    Args:
        program: 0 to tiles_m * tiles_n - 1.
        tiles_m, tiles_n: rows and columns of tiles, 1 or more.
        group: rows of a band, 1 or more; may exceed tiles_m.

    Returns:
        row, column, ints.

    Raises:
        ValueError: program, tiles or group outside these ranges.

    >>> [grouped_tile(p, 3, 2, 2) for p in range(6)]
    [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1)]
    """
    ### BEGIN SOLUTION
    if min(tiles_m, tiles_n, group) < 1 or not 0 <= program < tiles_m * tiles_n:
        raise ValueError(f"program {program} of {tiles_m} x {tiles_n} tiles in groups of {group}")
    band, inside = divmod(program, group * tiles_n)
    height = min(group, tiles_m - band * group)
    return band * group + inside % height, inside // height
    ### END SOLUTION


# %% role="check" id="triton-grouped-order" points=4
check("triton-grouped-order", grouped_tile)
# %% role="given" id="cache-model"


def blocks_fetched(group: int, tiles: int = 32, cache_blocks: int = 24, at_a_time: int = 8) -> int:
    """Blocks of A and B fetched for tiles x tiles programs, with an LRU cache of whole blocks.

    `at_a_time` programs run together; each needs its row of A and its column of B.
    """
    cache: OrderedDict = OrderedDict()
    fetched = 0
    for first in range(0, tiles * tiles, at_a_time):
        pairs = [grouped_tile(p, tiles, tiles, group) for p in range(first, first + at_a_time)]
        for block in dict.fromkeys([("A", m) for m, _ in pairs] + [("B", n) for _, n in pairs]):
            fetched += block not in cache
            cache[block] = None
            cache.move_to_end(block)
            if len(cache) > cache_blocks:
                cache.popitem(last=False)
    return fetched


groups = [1, 2, 4, 8, 16, 32]
fetched_by_group = [blocks_fetched(g) for g in groups]
for g, f in zip(groups, fetched_by_group, strict=True):
    print(f"groups of {g:2d}: {f:5,} blocks fetched ({32 + 32} is the least)")
# %% [markdown]
# **What you should see.** A valley: groups of a middle size fetch several times fewer blocks than row-major order (group 1), and one
# group of all rows is column-major order and as bad as the start. This is a model of a cache with whole blocks, not a GPU; the same valley is
# why Triton's own matrix-product tutorial has a `GROUP_SIZE_M`.
# %% [markdown] items="1.5.C12 1.5.K7"
# ## A layer of the language model
#
# Now all kernels on real numbers: a projection of the course's language model, 32 tokens of WikiText. Quantize the rows of both, multiply in
# integers, scale by both scales. The float product is the reference.
# %% role="given" id="layer"
from lab.fake_quant import decoder_linears
from lab.lm import calibration_batch, load_lm


def int8_linear(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """x @ weight.T through the kernels of this lesson, float32."""
    parts = []
    for matrix in (x, weight):
        rows, cols = matrix.shape
        q = torch.empty(rows, cols, dtype=torch.int8, device=matrix.device)
        scale = torch.empty(rows, device=matrix.device)
        block = triton.next_power_of_2(cols)
        quantize_rows_kernel[(rows,)](matrix, q, scale, cols, matrix.stride(0), BLOCK=block)
        parts += [q, scale]
    q_x, s_x, q_w, s_w = parts
    (m, k), n = x.shape, weight.shape[0]
    sums = torch.empty(m, n, dtype=torch.int32, device=x.device)
    grid = (triton.cdiv(m, 32), triton.cdiv(n, 64))
    int8_matmul_kernel[grid](q_x, q_w, sums, m, n, k, BLOCK_M=32, BLOCK_N=64, BLOCK_K=64)
    return sums.float() * s_x[:, None] * s_w[None, :]


lm = load_lm("lm", profile)
projection = decoder_linears(lm)["model.layers.1.mlp.down_proj"]
caught: list[torch.Tensor] = []
handle = projection.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0].detach()))
with torch.inference_mode():
    lm(calibration_batch(count=1, length=32).to(profile.device))
handle.remove()
layer_x = caught[0].reshape(-1, caught[0].shape[-1]).float().contiguous()
layer_weight = projection.weight.detach().float().contiguous()
exact = layer_x @ layer_weight.T
by_kernels = int8_linear(layer_x, layer_weight)
error = (by_kernels - exact).norm() / exact.norm()
print(f"{tuple(layer_x.shape)} activations, {tuple(layer_weight.shape)} weights")
print(f"relative error of the INT8 layer: {error:.2%}")
# %% [markdown]
# **What you should see.** Two to three percent: the rounding of weights and activations to 8 bits; a row with one large activation has a coarse scale. The integer product
# itself adds none.
# %% [markdown] items="1.5.C18 1.5.C19"
# ## Time, where there is something to time
#
# The interpreter says nothing about speed: it runs programs one after another in Python. On a CUDA machine the next cell holds your
# sum against a copy of the same bytes, which is the best that memory allows. On a CPU it only says so.
# %% role="given" id="speed"
if is_interpreted():
    print(
        "Not measured: this machine has no CUDA device, and the interpreter's time is not a GPU's."
    )
else:
    from lab.timing import measure

    count = 2**28
    big_x, big_y = (
        torch.randint(-128, 128, (count,), dtype=torch.int8, device="cuda") for _ in "xy"
    )
    big_out = torch.empty_like(big_x)
    add_grid = (triton.cdiv(count, 4096),)
    add_time = measure(
        lambda: saturating_add_kernel[add_grid](big_x, big_y, big_out, count, BLOCK=4096)
    )
    copy_time = measure(lambda: big_out.copy_(big_x))
    print(f"sum  {add_time}: {3 * count / add_time.median_ms / 1e6:.0f} GB/s")
    print(f"copy {copy_time}: {2 * count / copy_time.median_ms / 1e6:.0f} GB/s")
# %% [markdown] items="1.5.C19"
# ## In your own words: Triton or CUDA C?
#
# A team plans three kernels: **A** a fused dequantize-and-multiply for a new 3-bit weight format, to be tuned for two GPU
# generations; **B** a reduction in which warps pass values to each other by shuffles and finish without a block barrier;
# **C** an elementwise epilogue that will change every week.
#
# For each: Triton or CUDA C, and why, naming what the language gives or forbids. Then: which two facts about such a
# kernel would you verify without a GPU, and which one can only a GPU tell? 120 to 200 words.
# %% [markdown] role="written" id="triton-or-cuda" items="1.5.C19" points=3
# **Model answer.** A: Triton is the natural start: tiles, shared memory and tensor-core instructions come from the compiler, and
# block sizes can be tuned for each generation from one source; 3-bit fields that straddle bytes need shifts and two loads, which it
# can express. CUDA C if the profile shows a layout or a pipeline that the compiler does not choose.
#
# B: CUDA C. Triton has no threads and no warps to name, so shuffles and warp-level protocols cannot be written; `tl.max` gives
# a reduction, but not that one.
#
# C: Triton: a few lines of Python, quick to change and to test in the interpreter.
#
# Without a GPU: results against a reference on nasty sizes with every access inside its buffer, and that it compiles for the target with the
# instructions hoped for (vector loads, mma). Only a GPU tells the time: achieved bandwidth or throughput.
#
# **Rubric.** 1 point: B is CUDA C because a Triton program has no threads or warps to name; A and C are argued from blocks, compiler
# choices and ease of change. 1 point: results with bounds, and compilation, are what can be verified without a GPU. 1 point:
# time is what only a GPU tells. Half a point off for taking the interpreter's speed for the kernel's.
# %% [markdown]
# ## Recap
#
# - Kernels on blocks of lanes, with masks on every load and store, and a way to see each access.
# - INT8 sums that saturate, packed INT4 opened, rows quantized, a tiled product with INT32 sums.
# - The instructions that a compiler makes of them: vector loads when alignment is known, tensor cores from `tl.dot`.
#
# ## Three questions without code
#
# <details><summary>1. Why must the lanes of a program be a power of two, and what follows?</summary>Layouts over 32-lane warps and vector
# loads are made of powers of two. So a last program nearly always has lanes beyond the data: without a mask on loads too, it reads outside.</details>
# <details><summary>2. Why did the aligned version have fewer loads?</summary>A vector load needs an address that is a multiple of its width, and a mask that is
# constant inside it. Triton may assume both only when the pointer and the length are multiples of 16.</details>
# <details><summary>3. Why mask the inner dimension of a product, when rows and columns are masked already?</summary>Past column K - 1 the next row begins: these are
# real numbers, inside the buffer, and they would be added to the sum.</details>
#
# ## Reading
#
# - Tillet, Kung and Cox, *Triton: An Intermediate Language and Compiler for Tiled Neural Network Computations*, MAPL 2019: why blocks, not threads.
# - Triton's documentation, tutorials *Vector Addition* and *Matrix Multiplication*: the grouped order under "L2 cache optimizations".
# - NVIDIA, *PTX ISA*, the sections on `mma`, `wgmma` and `cp.async`: what the compiler chose for you.
# - IEEE 754-2019, section 4.3.1: round half to even, the rule behind `round_even`.
#
# **Next:** the project, quantized vector addition, in CUDA C again.
