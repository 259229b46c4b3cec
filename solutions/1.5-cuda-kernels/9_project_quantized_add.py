# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Project: quantized vector addition
#
# **You end with:** `quantized_vector_add_kernel`: two INT8 vectors with their own scales and zero-points in, one out, bit for bit the reference on all
# 65,536 pairs of codes, for any length and any alignment, sixteen codes a thread; and the share of the copy bandwidth that it reaches.
#
# About 150 minutes. 34 points: 29 graded by machine, 5 by a person. Runs on a laptop, no GPU, no network (a C++ compiler is needed); on a CUDA machine the
# same kernels run through CuPy and are timed. You need lessons 1, 2 and 6.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import math
from dataclasses import dataclass

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


# %% role="given" id="setup-params"
@dataclass(frozen=True)
class Params:
    """What the kernel knows of its three vectors: integers only.

    out = clip(floor((m_a * (a - z_a) + m_b * (b - z_b)) / 2**shift + 1/2) + z_out, -128, 127)
    """

    m_a: int
    m_b: int
    shift: int
    z_a: int
    z_b: int
    z_out: int


# %% [markdown]
# ## Two right kernels that disagree
#
# Add two quantized vectors: restore both, add, quantize the sum. In floats that is one line. Below are two CPU versions of that line. Both are the same formula; one rounds the product before
# adding, the other (a *fused multiply-add*, what a GPU's compiler makes of `a * b + c` by default) does not. On how many of 65,536 pairs of codes do they differ?
# %% role="given" id="disagree"
every_a, every_b = (
    v.ravel().astype(np.int8) for v in np.meshgrid(np.arange(-128, 128), np.arange(-128, 128))
)
demo_scales = np.float32(0.25), np.float32(0.1), np.float32(0.1)


def float_sum(fused):
    """Codes of the sum in float32, the last product fused (one rounding) or not (two)."""
    scale_a, scale_b, scale_out = demo_scales
    first = scale_a * every_a.astype(np.float32)
    if fused:
        exact = np.float64(scale_b) * every_b + first  # 24 + 8 bits: exact in float64
        total = exact.astype(np.float32)
    else:
        total = scale_b * every_b.astype(np.float32) + first
    return np.clip(np.rint(total / scale_out), -128, 127)


differ = int(np.count_nonzero(float_sum(True) != float_sum(False)))
print(f"{differ} of {every_a.size:,} pairs differ")


# %% [markdown] items="1.5.P1"
# **What happened.** Near a tie, the last bit of a float decides, and compilers are free to choose it. So "equal to the reference" cannot be asked of a float kernel; and a layer that differs
# between two machines is hard to debug.
#
# Integers have no such freedom. This project states its arithmetic in integers: then one wrong pair is a bug.
# %% [markdown] items="1.5.P1"
# ## 1. From scales to integers
#
# With scales $s_a, s_b, s_o$ the real sum is $s_a(a - z_a) + s_b(b - z_b)$, and its code
#
# $$ o = \mathrm{clip}\Big(\Big\lfloor \frac{m_a (a - z_a) + m_b (b - z_b)}{2^n} + \frac12 \Big\rfloor + z_o\Big), \qquad
# m_a = \mathrm{round}\Big(\frac{s_a}{s_o} 2^n\Big). $$
#
# Differences reach 255. With both multipliers at most $2^{21}$, products stay below $2^{29}$, their sum below $2^{30}$; the half adds at most $2^{29}$. Below $2^{31}$
# in all: plain `int` is enough.
# %% [markdown] items="1.5.P1"
# ### Exercise: the multipliers
#
# The largest shift that keeps both multipliers at or below $2^{21}$ loses the least.
#
# <details><summary>Hint 1</summary>Try shifts from 30 downwards, and take the first that fits.</details>
# <details><summary>Hint 2</summary><code>round(s_a / s_out * 2**shift)</code> with Python's floats.</details>
# %% role="exercise" id="qadd-params" items="1.5.P1" minutes=12
def integer_params(
    s_a: float, s_b: float, s_out: float, z_a: int = 0, z_b: int = 0, z_out: int = 0
) -> Params:
    """Multipliers and shift for three scales.

    shift is the largest from 1 to 30 with round(s_a / s_out * 2**shift) and round(s_b / s_out * 2**shift)
    both at most 2**21 (Python's round); these are m_a and m_b.

    Args:
        s_a, s_b, s_out: scales, above 0 and finite.
        z_a, z_b, z_out: zero-points, -128 to 127, handed through.

    Raises:
        ValueError: a scale that is not above 0 or not finite, a zero-point outside -128..127, or no shift fits.

    >>> integer_params(0.5, 0.25, 0.5, 3)
    Params(m_a=2097152, m_b=1048576, shift=21, z_a=3, z_b=0, z_out=0)
    """
    ### BEGIN SOLUTION
    if not all(math.isfinite(s) and s > 0 for s in (s_a, s_b, s_out)):
        raise ValueError(f"Scales must be above 0 and finite: {s_a}, {s_b}, {s_out}.")
    if not all(-128 <= z <= 127 for z in (z_a, z_b, z_out)):
        raise ValueError(f"Zero-points are INT8: {z_a}, {z_b}, {z_out}.")
    for shift in range(30, 0, -1):
        m_a, m_b = round(s_a / s_out * 2**shift), round(s_b / s_out * 2**shift)
        if max(m_a, m_b) <= 2**21:
            return Params(m_a, m_b, shift, z_a, z_b, z_out)
    raise ValueError(f"The scales {s_a}, {s_b} are too large for an output scale of {s_out}.")
    ### END SOLUTION


# %% role="check" id="qadd-params" points=4
check("qadd-params", integer_params)


# %% [markdown] items="1.5.P1"
# ### Exercise: the reference
#
# In NumPy, slow and beyond doubt. Everything else is held against it.
#
# <details><summary>Hint 1</summary>Widen first: <code>a.astype(np.int64)</code>.</details>
# <details><summary>Hint 2</summary><code>(total + (1 &lt;&lt; (shift - 1))) &gt;&gt; shift</code> is the floor of the sum plus a half: NumPy's shift of
# negative numbers rounds down.</details>
# %% role="exercise" id="qadd-reference" items="1.5.P1" minutes=10
def add_reference(a: np.ndarray, b: np.ndarray, p: Params) -> np.ndarray:
    """Codes of the sum, by the formula of `Params`, exact.

    Args:
        a, b: int8, of one shape, any; not changed.

    Returns:
        int8, of that shape.

    Raises:
        ValueError: shapes that differ, or another dtype than int8.

    >>> add_reference(np.int8([1, -3, 127]), np.int8([0, 0, 127]), Params(1, 1, 1, 0, 0, 0))
    array([  1,  -1, 127], dtype=int8)
    """
    ### BEGIN SOLUTION
    if a.shape != b.shape or a.dtype != np.int8 or b.dtype != np.int8:
        raise ValueError(f"Two int8 arrays of one shape: {a.shape} {a.dtype}, {b.shape} {b.dtype}.")
    total = p.m_a * (a.astype(np.int64) - p.z_a) + p.m_b * (b.astype(np.int64) - p.z_b)
    codes = ((total + (1 << (p.shift - 1))) >> p.shift) + p.z_out
    return np.clip(codes, -128, 127).astype(np.int8)
    ### END SOLUTION


# %% role="check" id="qadd-reference" points=4
check("qadd-reference", add_reference)
# %% role="given" id="float-gap"
gap_params = integer_params(0.031, 0.0078, 0.02)
gap_exact = np.clip((0.031 * every_a + 0.0078 * every_b) / 0.02, -128, 127)
demo_gap = add_reference(every_a, every_b, gap_params) - gap_exact
print(gap_params)
print(f"largest distance from the real sum, in output steps: {np.abs(demo_gap).max():.6f}")


# %% [markdown]
# **What you should see.** Half a step and a little (less than a thousandth) from the multipliers' own rounding. That is all that integers cost here.
# %% [markdown] items="1.5.P2"
# ## 2. The kernel, one code a thread
#
# `signed char` arguments and `int` arithmetic. A right shift of a negative `int` keeps the sign in CUDA C.
# %% [markdown] items="1.5.P2"
# ### Exercise: the plain kernel
#
# <details><summary>Hint</summary><code>int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);</code>, then half, shift, zero-point,
# clip.</details>
# %% role="exercise" id="qadd-kernel" items="1.5.P2" minutes=15
def add_source() -> str:
    """Source of `extern "C" __global__ void quantized_vector_add_kernel(const signed char* a, const signed char* b, signed char* out, int m_a, int m_b, int shift, int z_a, int z_b, int z_out, int n)`.

    out[i] by the formula of `Params` for i < n, exact; integers only. Thread i of the one-dimensional launch does
    element i; the grid covers n. Multipliers are 0 to 2**21, shift 1 to 30.

    >>> kernel, out = cuda.RawKernel(add_source(), "quantized_vector_add_kernel"), cuda.zeros(3, np.int8)
    >>> a, b = cuda.asarray(np.int8([1, -3, 127])), cuda.asarray(np.int8([0, 0, 127]))
    >>> numbers = tuple(np.int32(v) for v in (1, 1, 1, 0, 0, 0, 3))
    >>> kernel((1,), (32,), (a, b, out, *numbers))
    >>> cuda.asnumpy(out).tolist()
    [1, -1, 127]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void quantized_vector_add_kernel(
    const signed char* a, const signed char* b, signed char* out,
    int m_a, int m_b, int shift, int z_a, int z_b, int z_out, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int total = m_a * (a[i] - z_a) + m_b * (b[i] - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    out[i] = (signed char)max(-128, min(127, code));
}
"""
    ### END SOLUTION


# %% role="check" id="qadd-kernel" points=6
check("qadd-kernel", add_source)
# %% [markdown] items="1.5.P2"
# ## 3. Sixteen codes a thread
#
# One code a thread is one byte a lane: 32 bytes for each request, a quarter of what a request can carry without any waste. `int4` is four ints, sixteen
# codes: 512 bytes a request.
#
# Two troubles. The address must be a multiple of 16, and a vector may begin anywhere. And the length may be anything: the last codes are done one by one.
# %% [markdown]
# **Predict, then run.** 4,096 codes: how many requests for loads do the two inputs need with one code a lane, and how many with sixteen?
# %% role="predict" id="guess-requests"
my_guess_plain_requests = ...
my_guess_wide_requests = ...


# %% [markdown] items="1.5.P2"
# ### Exercise: the wide kernel
#
# A thread does 16 neighbouring codes. If all three pointers are multiples of 16: one `int4` load from each input, one `int4` store. Else, and in the last, shorter
# piece: code by code.
#
# <details><summary>Hint 1</summary>Aligned: <code>(((size_t)a | (size_t)b | (size_t)out) &amp; 15) == 0</code>, the same for all threads.</details>
# <details><summary>Hint 2</summary>Put the formula into a <code>__device__</code> function of two codes. An <code>int4</code>'s bytes: <code>union { int4 wide; signed char code[16];
# }</code>.</details>
# <details><summary>Hint 3</summary>Unaligned and code by code, let neighbouring lanes do neighbouring codes: lane by lane 16 apart is 16 times the
# sectors.</details>
# %% role="exercise" id="qadd-wide" items="1.5.P2" minutes=30
def wide_add_source() -> str:
    """Source of `extern "C" __global__ void quantized_vector_add_kernel(...)`, as above, sixteen codes a thread.

    The one-dimensional launch covers ceil(n / 16) threads, in blocks of a multiple of 32. a, b and out may begin at any
    address. Where all three are multiples of 16, whole groups of 16 codes move by one 16-byte access from each input and
    one to the output. In every case the bytes of each array are loaded or stored once, and nothing outside
    the n codes is touched. Unaligned, or in the last n % 16 codes, a warp's lanes do neighbouring codes.

    >>> kernel, out = cuda.RawKernel(wide_add_source(), "quantized_vector_add_kernel"), cuda.zeros(17, np.int8)
    >>> a, b = cuda.asarray(np.arange(17).astype(np.int8)), cuda.asarray(np.ones(17, np.int8))
    >>> kernel((1,), (32,), (a, b, out, *(np.int32(v) for v in (2, 2, 1, 0, 0, 0, 17))))
    >>> cuda.asnumpy(out).tolist() == list(range(1, 18))
    True
    """
    ### BEGIN SOLUTION
    return r"""
__device__ __forceinline__ signed char add_codes(
    int a, int b, int m_a, int m_b, int shift, int z_a, int z_b, int z_out)
{
    int total = m_a * (a - z_a) + m_b * (b - z_b);
    int code = ((total + (1 << (shift - 1))) >> shift) + z_out;
    return (signed char)max(-128, min(127, code));
}

union Sixteen { int4 wide; signed char code[16]; };

extern "C" __global__ void quantized_vector_add_kernel(
    const signed char* a, const signed char* b, signed char* out,
    int m_a, int m_b, int shift, int z_a, int z_b, int z_out, int n)
{
    int thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    bool aligned = (((size_t)a | (size_t)b | (size_t)out) & 15) == 0;
    int wide = aligned ? n / 16 : 0;
    if (thread < wide) {
        Sixteen x, y, sum;
        x.wide = ((const int4*)a)[thread];
        y.wide = ((const int4*)b)[thread];
        for (int j = 0; j < 16; j++)
            sum.code[j] = add_codes(x.code[j], y.code[j], m_a, m_b, shift, z_a, z_b, z_out);
        ((int4*)out)[thread] = sum.wide;
    }
    for (int i = 16 * wide + thread; i < n; i += threads)
        out[i] = add_codes(a[i], b[i], m_a, m_b, shift, z_a, z_b, z_out);
}
"""
    ### END SOLUTION


# %% role="check" id="qadd-wide" points=8
check("qadd-wide", wide_add_source)
# %% role="given" id="requests"
count_a, count_b = (cuda.asarray(np.zeros(4096, np.int8)) for _ in range(2))
count_numbers = tuple(np.int32(v) for v in (1 << 20, 1 << 20, 20, 0, 0, 0, 4096))
load_requests = {}
for label, source, threads in (
    ("one code", add_source(), 4096),
    ("sixteen codes", wide_add_source(), 256),
):
    kernel = cuda.RawKernel(source, "quantized_vector_add_kernel")
    count_out = cuda.zeros(4096, np.int8)
    report = cuda.watch(
        kernel, (threads // 128,), (128,), (count_a, count_b, count_out, *count_numbers)
    )
    loads = report.select("load", "global")
    load_requests[label] = sum(i.requests for i in loads)
    print(
        f"{label:14s} {load_requests[label]:4d} requests for loads, {report.moved_bytes:,} bytes moved for {report.global_bytes:,} asked for"
    )
reveal(my_guess_plain_requests, load_requests["one code"], unit="requests")
reveal(my_guess_wide_requests, load_requests["sixteen codes"], unit="requests")
# %% [markdown]
# **What you should see.** 256 and 16 requests for the same bytes. Each request costs instructions and a place in the queues of the memory pipeline; on a GPU that is the difference between
# waiting for instructions and waiting for memory.
# %% role="given" id="knob"


def request_bytes(codes_a_thread=16, length=4096):
    """Bars: requests for the loads of both inputs, and bytes in each."""
    requests = 2 * -(-length // (32 * codes_a_thread))
    fig = bars(
        {"requests": requests, "bytes in each": 32 * codes_a_thread},
        title=f"{length} codes, {codes_a_thread} a thread",
    )
    return (
        fig,
        f"{length} codes with {codes_a_thread} a thread: {requests} requests of {32 * codes_a_thread} bytes.",
    )


explore(request_bytes, codes_a_thread=[1, 2, 4, 8, 16], length=[512, 4096, 32768])


# %% [markdown] items="1.5.P3"
# ## 4. The host's side
#
# Everything from two float vectors to the codes of their sum: scales from the data, codes, device memory, launch, copy back.
# %% [markdown] items="1.5.P3"
# ### Exercise: from floats to floats
#
# <details><summary>Hint 1</summary>Symmetric scale: largest magnitude over 127; a vector of zeros gets 1.0. Codes: <code>np.clip(np.rint(x / s), -127,
# 127)</code>.</details>
# <details><summary>Hint 2</summary>Output scale: the largest magnitude that a sum can have, <code>s_a * 127 + s_b * 127</code>, over 127.</details>
# <details><summary>Hint 3</summary>Blocks of 256 threads, each thread 16 codes: <code>-(-n // (16 * 256))</code> blocks.</details>
# %% role="exercise" id="qadd-host" items="1.5.P3" minutes=20
def add_on_device(kernel: object, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Codes of x + y and their scale, computed on the device with the wide kernel.

    Symmetric: s = max |v| / 127 for each input (1.0 for a vector of zeros or of no values), codes round half to even
    of v / s, both in float64; zero-points 0. The output's scale is s_x + s_y. Parameters from `integer_params`.

    Args:
        kernel: launched once as kernel(grid, block, args), blocks of 256 threads, as many blocks as
            ceil(n / 16) threads need; not at all when n = 0.
        x, y: float32 (n,), finite; not changed.

    Returns:
        codes: int8 (n,), on the host. scale: float.

    Raises:
        ValueError: x and y of different lengths, or not one-dimensional.

    >>> kernel = cuda.RawKernel(wide_add_source(), "quantized_vector_add_kernel")
    >>> codes, scale = add_on_device(kernel, np.float32([127, 0, -127]), np.float32([127, 127, 0]))
    >>> codes.tolist(), scale
    ([127, 64, -63], 2.0)
    """
    ### BEGIN SOLUTION
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"Two vectors of one length are needed, not {x.shape} and {y.shape}.")
    if x.size == 0:
        return np.zeros(0, np.int8), 2.0
    scales, codes = [], []
    for v in (x.astype(np.float64), y.astype(np.float64)):
        scale = float(np.abs(v).max()) / 127 or 1.0
        scales.append(scale)
        codes.append(cuda.asarray(np.clip(np.rint(v / scale), -127, 127).astype(np.int8)))
    p = integer_params(scales[0], scales[1], sum(scales))
    out = cuda.empty(x.size, np.int8)
    numbers = (p.m_a, p.m_b, p.shift, p.z_a, p.z_b, p.z_out, x.size)
    kernel((-(-x.size // 4096),), (256,), (*codes, out, *(np.int32(v) for v in numbers)))
    return cuda.asnumpy(out), sum(scales)
    ### END SOLUTION


# %% role="check" id="qadd-host" points=4
check("qadd-host", add_on_device)


# %% [markdown] items="1.5.P4"
# ## 5. Held against the reference, and against a copy
#
# An elementwise kernel can be no faster than memory. What memory can do, a device-to-device **copy** shows: it reads and writes each byte once. The sum reads two bytes and writes one for
# each code.
#
# Share of the copy bandwidth: bytes per second of the sum over bytes per second of the copy.
# %% [markdown] items="1.5.P4"
# ### Exercise: the share
#
# <details><summary>Hint</summary>The copy of m bytes moves 2 m; the sum of n codes moves 3 n.</details>
# %% role="exercise" id="qadd-share" items="1.5.P4" minutes=6
def copy_share(n: int, add_ms: float, copied_bytes: int, copy_ms: float) -> tuple[float, float]:
    """How near a sum of n INT8 codes comes to the copy bandwidth.

    Args:
        n: codes of each vector, 1 or more.
        add_ms, copy_ms: times of the sum and of the copy, milliseconds.
        copied_bytes: size of the buffer that was copied, 1 or more.

    Returns:
        gb_s: 10**9 bytes per second that the sum moves, reads and writes.
        share: of the copy's bytes per second, reads and writes; 1.0 is as fast as a copy.

    Raises:
        ValueError: a size below 1, or a time that is not above 0.

    >>> copy_share(10**9, 1.0, 10**9, 1.0)
    (3000.0, 1.5)
    """
    ### BEGIN SOLUTION
    if n < 1 or copied_bytes < 1 or not add_ms > 0 or not copy_ms > 0:
        raise ValueError(
            f"Sizes from 1 and times above 0 are needed: {n}, {add_ms}, {copied_bytes}, {copy_ms}."
        )
    gb_s = 3 * n / (add_ms * 1e6)
    return gb_s, gb_s / (2 * copied_bytes / (copy_ms * 1e6))
    ### END SOLUTION


# %% role="check" id="qadd-share" points=3
check("qadd-share", copy_share)
# %% role="given" id="final"
final_kernel = cuda.RawKernel(wide_add_source(), "quantized_vector_add_kernel")
final_params = integer_params(0.031, 0.0078, 0.02, 5, -9, 11)
final_numbers = [
    final_params.m_a,
    final_params.m_b,
    final_params.shift,
    final_params.z_a,
    final_params.z_b,
    final_params.z_out,
]
final_out = cuda.zeros(every_a.size, np.int8)
final_args = (
    cuda.asarray(every_a),
    cuda.asarray(every_b),
    final_out,
    *(np.int32(v) for v in (*final_numbers, every_a.size)),
)
final_report = cuda.watch(final_kernel, (16,), (256,), final_args)
final_equal = np.array_equal(cuda.asnumpy(final_out), add_reference(every_a, every_b, final_params))
print(f"all {every_a.size:,} pairs equal the reference: {final_equal}")
print(f"bytes moved {final_report.moved_bytes:,}, the least possible {3 * every_a.size:,}")
# %% role="given" id="bandwidth"
if not cuda.on_gpu():
    print("Not measured: no CUDA device here. A CPU's time says nothing about a GPU's memory.")
else:
    for exponent in (16, 20, 24, 28):
        big_n = 2**exponent
        big = [cuda.zeros(big_n, np.int8) for _ in range(3)]
        big_args = (*big, *(np.int32(v) for v in (*final_numbers, big_n)))
        add_time = measure(
            lambda args=big_args, n=big_n: final_kernel((-(-n // 4096),), (256,), args),
            sync=cuda.synchronize,
        )
        copy_time = measure(
            lambda arrays=big: arrays[2].data.copy_from_device(arrays[0].data, arrays[0].nbytes),
            sync=cuda.synchronize,
        )
        gb_s, share = copy_share(big_n, add_time.median_ms, big_n, copy_time.median_ms)
        print(f"{big_n:12,} codes: {gb_s:8.1f} GB/s, {share:.0%} of the copy's bandwidth")
# %% [markdown]
# **What you should see.** Every pair equal, and not one byte more than needed. On a GPU: for short vectors the launch itself takes the time; for long ones, with gigabytes per second in the
# thousands, at least nine tenths of the copy.
# %% [markdown] items="1.5.P4"
# ## 6. Profile it
#
# On a CUDA machine: `ncu --set full --kernel-name quantized_vector_add_kernel python your_script.py` (Nsight Compute). Look at *Memory Throughput*, *L1/TEX: sectors per request* and *Warp state: stall
# long scoreboard*. Without one, `cuda.watch` has the sectors and requests, not the time.
# %% [markdown] items="1.5.P4"
# **In your own words**, in 150 to 250 words: a report. What was measured on which machine; are all pairs exact; requests and sectors of both kernels and what they mean; which bound the kernel has (memory or
# instructions) and how you know; the share of copy bandwidth, or what you would measure to get it; one change that would *not* help, and why.
# %% [markdown] role="written" id="qadd-report" items="1.5.P4" points=5
# **Model answer.** Machine: the CPU of this laptop with watched kernels, no GPU, so no times. All 65,536 pairs of codes equal the NumPy reference, with asymmetric zero-points too; lengths with a tail and unaligned
# pointers were checked.
#
# Plain kernel: 4,096 codes take 256 requests for loads of one sector each; the wide kernel 16 of 16 sectors each. Both move 12,288 bytes, the least possible: three for each code. So coalescing is perfect in both; what the wide
# kernel saves is instructions and requests.
#
# The bound is memory: per code 3 bytes and about ten integer instructions; an H100 moves some 3 TB/s, so 10^12 codes a second, and 10^13 simple instructions a second is below what its INT32 units
# can do, but not far below: that is why one code a lane may be bound by instructions and sixteen a thread not.
#
# On a GPU I would time a copy of the same size, then the sum, medians after warm-up, for 2^28 codes, and expect nine tenths of the copy's bytes per second; in Nsight Compute long-scoreboard stalls would dominate.
#
# Shared memory would not help: no byte is used twice.
#
# **Rubric.** 1 point: machine named, exactness over all pairs. 1 point: requests and sectors of both kernels, read rightly. 1 point: memory-bound, argued from bytes and instructions. 1 point: the share measured, or a sound plan
# for it (copy of the same size, medians, large n). 1 point: a change that does not help, with a reason. No point for figures that were not measured.
# %% [markdown]
# ## Recap
#
# - Arithmetic stated in integers can be held bit for bit; float formulas cannot.
# - Wide loads need alignment, and a plan for pointers and lengths that do not have it.
# - The yardstick of an elementwise kernel is a copy.
#
# **Three questions**
#
# <details><summary>1. Why are the multipliers kept at or below 2^21, and not 2^22?</summary>Differences of codes reach 255: each product stays below 2^29, their sum below 2^30. With 2^22 the sum alone would fit an int, but not with the half of 2^30 added.</details>
# <details><summary>2. What if only `out` is unaligned?</summary>The wide store is illegal. One could load wide and store narrow; here all goes code by code.</details>
# <details><summary>3. Can the share exceed 100 %?</summary>Reads are a little cheaper than writes, and the sum reads twice as much as it writes. And a small vector may sit in the L2 cache.</details>
#
# ## Reading, with what to look for
#
# - CuPy's documentation, "User-Defined Kernels": RawKernel's arguments and launch.
# - NVIDIA, *CUDA C++ Best Practices Guide*, "Coalesced Access to Global Memory" and "Effective Bandwidth Calculation".
# - NVIDIA, *Nsight Compute Documentation*, "Metrics Reference": sectors, requests, stalls.
#
# **Next:** module 1.6, where a profile finds the kernel that is worth writing.
