# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Keep lanes and warps busy: divergence, occupancy, latency
#
# **You end with:** kernels whose lanes go the same way, and a calculation that says how many warps a multiprocessor holds, what limits them, and whether they are enough
# to keep the memory busy.
#
# About 105 minutes. 33 points: 30 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network (a C++ compiler is needed); on a
# CUDA machine the same cells run through CuPy. You need lesson 1 of this module.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import numpy as np

from autograder import check
from lab import cuda
from lab.cuda import nvrtc
from lab.cuda.occupancy import LIMITS, occupancy
from lab.fake_quant import decoder_linears
from lab.lm import load_lm
from lab.plots import bars, explore
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## The same work, nearly twice the steps
#
# Two kernels do the same work on the same data: half of the threads add 8 times, the other half multiply 8 times. In the first, neighbouring threads
# differ; in the second, neighbouring warps. The watch counts the steps of all warps.
# %% role="given" id="two-ways"
ways_source = r"""
__device__ float work(float v, bool way)
{
    if (way) {
        for (int j = 0; j < 8; ++j) v = v + 1.5f;
    } else {
        for (int j = 0; j < 8; ++j) v = v * 1.5f;
    }
    return v;
}
extern "C" __global__ void by_thread(float* x) { x[threadIdx.x] = work(x[threadIdx.x], threadIdx.x % 2); }
extern "C" __global__ void by_warp(float* x) { x[threadIdx.x] = work(x[threadIdx.x], threadIdx.x / 32 % 2); }
"""
ways = cuda.RawModule(code=ways_source)
for way_name in ("by_thread", "by_warp"):
    way_report = cuda.watch(
        ways.get_function(way_name), (1,), (256,), (cuda.zeros(256, np.float32),)
    )
    way_steps = sum(b.times for b in way_report.branches)
    print(
        f"{way_name}: {way_steps} steps of warps, {way_report.divergent_branches} divergent branches, "
        f"{way_report.lanes_per_step:.1f} of 32 lanes busy"
    )


# %% [markdown] items="1.5.C16"
# ## Divergence
#
# A warp has one instruction for all of its lanes at a time. Where lanes take different sides of a branch, the warp runs *both* sides, one after the other, and the lanes of the other side are
# idle: the warp **diverges**. A side that no lane takes costs nothing.
#
# With sides of $a$ and $b$ steps, a divergent warp takes $a + b$. Loops diverge as well: a warp stays until its last lane is done.
# %% [markdown] items="1.5.C16 1.5.K4"
# ### Exercise: count divergence
#
# <details><summary>Hint 1</summary>Pieces of 32: <code>any(piece)</code>, and <code>not all(piece)</code>.</details>
# <details><summary>Hint 2</summary>The last piece may be shorter. Lanes that do not exist take no side, but their places in each step are
# idle.</details>
# %% role="exercise" id="warp-branches" items="1.5.C16 1.5.K4" minutes=10
def warp_branches(taken: list[bool], then_steps: int, else_steps: int) -> tuple[int, int, float]:
    """What one branch costs a block.

    Args:
        taken: for each thread, in the order of ranks, whether its condition is true; a list or an array.
        then_steps: steps of the side that is taken, 1 or more.
        else_steps: steps of the other side; 0: an if without an else.

    Returns:
        divergent: warps with lanes on both sides, also where else_steps is 0.
        steps: of all warps together; a warp takes a side's steps if any of its lanes is there.
        busy_share: the part of all 32 * steps lane-steps in which the lane works, 0 to 1; lanes that a partial last warp
            lacks are idle ones. 0.0 if there is no step.

    Raises:
        ValueError: no thread, then_steps below 1, else_steps below 0.

    >>> warp_branches([True] * 32 + [True] * 8 + [False] * 24, 10, 6)
    (1, 26, 0.6538461538461539)
    """
    ### BEGIN SOLUTION
    if len(taken) == 0 or then_steps < 1 or else_steps < 0:
        raise ValueError("A branch needs threads, and sides of 1 and of 0 or more steps.")
    divergent = steps = busy = 0
    for start in range(0, len(taken), 32):
        lanes = [bool(v) for v in taken[start : start + 32]]
        yes = sum(lanes)
        no = len(lanes) - yes
        divergent += yes > 0 and no > 0
        steps += (yes > 0) * then_steps + (no > 0) * else_steps
        busy += yes * then_steps + no * else_steps
    return divergent, steps, busy / (32 * steps) if steps else 0.0
    ### END SOLUTION


# %% role="check" id="warp-branches" points=4
check("warp-branches", warp_branches)
# %% [markdown]
# **Predict, then run.** Outliers take a slow path. Each element is one with probability 1/32, independently. What percentage of the warps diverges?
# %% role="predict" id="guess-outliers"
my_guess_divergent = ...
# %% role="given" id="outliers"


def rare_branch(probability=1 / 32, then_steps=40, else_steps=4):
    """2,000 warps whose lanes take the long side with this probability."""
    lanes = np.random.default_rng(0).random(64_000) < probability
    return warp_branches(lanes, then_steps, else_steps)


rare_divergent, _, rare_share = rare_branch()
print(f"busy lanes: {rare_share:.0%}")
reveal(my_guess_divergent, 100 * rare_divergent / 2000, unit="%")
# %% [markdown]
# **What you should see.** 63 to 65 %: a warp stays together only if all 32 agree, and $1 - (31/32)^{32} \approx 0.64$. What is rare for an element is common for a warp. Turn
# the knob.
# %% role="given" id="knob"


def divergence_by_rarity(per_thousand=31, long_steps=40):
    """Bars: steps of 2,000 warps, with elements in any order and with the rare ones together."""
    lanes = np.random.default_rng(0).random(64_000) < per_thousand / 1000
    _, mixed, _ = warp_branches(lanes, long_steps, 4)
    _, together, _ = warp_branches(np.sort(lanes), long_steps, 4)
    title = f"{per_thousand} of 1,000 elements take {long_steps} steps, the others 4"
    means = {"in any order": mixed / 2000, "sorted": together / 2000}
    fig = bars(means, unit="steps of a warp", title=title)
    return (
        fig,
        f"{title}: {mixed / 2000:.1f} steps of a warp in any order, {together / 2000:.1f} sorted.",
    )


explore(divergence_by_rarity, per_thousand=[1, 3, 10, 31, 100, 300], long_steps=(4, 80, 4))
# %% [markdown] items="1.5.C16"
# ## Choose values, not ways
#
# Where two sides differ in a *value* only, compute on one way and choose the value: `float s = v < 0.0f ? low : high;`. The hardware has an instruction that selects, and short
# sides become **predicated** instructions, which all lanes pass and only some carry out.
#
# Long sides with work of their own stay branches. `fminf`, `fmaxf`, and products with 0 or 1 choose without a branch as well.
# %% [markdown] items="1.5.C16 1.5.K4"
# ### Exercise: two scales without a branch
#
# Negative and positive values get scales of their own. The kernel below is right, and every warp with both signs goes two ways. Rewrite it.
# %% role="given" id="branching"
branching_source = r"""
extern "C" __global__ void quantize_two(const float* x, signed char* q, float low, float high, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = x[i];
    if (v < 0.0f) {
        q[i] = (signed char)fmaxf(-128.0f, rintf(v / low));
    } else {
        q[i] = (signed char)fminf(127.0f, rintf(v / high));
    }
}
"""


# %% [markdown]
# <details><summary>Hint 1</summary>What do the two sides differ in? The scale; the clipping may be done to both ends for all.</details>
# <details><summary>Hint 2</summary>A <code>?:</code> with a division or a load in its arms is a branch again: put plain values there.</details>
# %% role="exercise" id="cuda-no-branch" items="1.5.C16 1.5.K4" minutes=12
def quantize_two_source() -> str:
    """Source of the same kernel, `extern "C" __global__ void quantize_two(const float* x, signed char* q, float low,
    float high, int n)`, without divergence.

    q[i] = clip(round(x[i] / (low if x[i] < 0 else high)), -128, 127), half to even, i < n. A division: x[i] * (1 / low) rounds
    twice, and misses some halves. The launch has a thread for each element; each is read once and written once. x is finite, of any
    size; low, high > 0.

    For n a multiple of 32, each warp stores once, and where no value is clipped the watch must count no divergent branch. It counts what
    the compiler makes a branch: work (a division, a load, a store, a call) that stands in one side only. Choosing between
    values that are there is none. The guard of n may diverge in the last warp.

    >>> kernel = cuda.RawKernel(quantize_two_source(), "quantize_two")
    >>> x, q = cuda.asarray(np.float32([-3, 3, -500])), cuda.zeros(3, np.int8)
    >>> kernel((1,), (32,), (x, q, np.float32(0.5), np.float32(2), np.int32(3)))
    >>> cuda.asnumpy(q).tolist()
    [-6, 2, -128]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void quantize_two(const float* x, signed char* q, float low, float high, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = x[i];
    float scale = v < 0.0f ? low : high;
    q[i] = (signed char)fmaxf(-128.0f, fminf(127.0f, rintf(v / scale)));
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-no-branch" points=5
check("cuda-no-branch", quantize_two_source)


# %% [markdown] items="1.5.C16"
# ## One kind of work for each warp
#
# Where the sides are long, change *who does what*: give each warp elements of one kind. Which thread does which element is the kernel's own decision.
#
# It has a price. A warp that takes every second element asks for twice the sectors in a request. Its neighbour asks for the same ones, and a cache may still hold
# them.
# %% [markdown] items="1.5.C16 1.5.K4"
# ### Exercise: dequantize two kinds, a warp for each
#
# Even elements are plain codes with a scale; odd ones go through a table, a codebook in global memory.
#
# <details><summary>Hint 1</summary>64 consecutive elements have 32 of each kind; 64 consecutive threads are two warps.</details>
# <details><summary>Hint 2</summary>For thread i: <code>tile = i / 64</code>, <code>r = i % 64</code>, <code>odd = r / 32</code>. Which element of the tile is
# it?</details>
# %% role="exercise" id="cuda-uniform-warps" items="1.5.C16 1.5.K4" minutes=18
def dequantize_pairs_source() -> str:
    """Source of `extern "C" __global__ void dequantize_pairs(const signed char* q, const float* table, float* y, float scale, int n)`.

    For i < n: y[i] = scale * q[i] for even i, table[q[i] + 128] for odd i. table has 256 floats.

    A one-dimensional launch, blocks of a multiple of 64 threads, n rounded up to 64 threads at least, maybe more. Each element is
    done by one thread; which one is your choice. Each code is read once, the table for odd elements only, each y[i] written
    once. For n a multiple of 64 no branch diverges.

    >>> kernel = cuda.RawKernel(dequantize_pairs_source(), "dequantize_pairs")
    >>> q, table = cuda.asarray(np.int8([4, 4, -128, -128])), cuda.arange(256, dtype=np.float32)
    >>> y = cuda.zeros(4, np.float32)
    >>> kernel((1,), (64,), (q, table, y, np.float32(0.5), np.int32(4)))
    >>> cuda.asnumpy(y).tolist()
    [2.0, 132.0, -64.0, 0.0]
    """
    ### BEGIN SOLUTION
    return r"""
extern "C" __global__ void dequantize_pairs(const signed char* q, const float* table, float* y,
                                            float scale, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int odd = i / 32 % 2;
    int element = i / 64 * 64 + 2 * (i % 32) + odd;
    if (element >= n) return;
    if (odd) y[element] = table[q[element] + 128];
    else y[element] = scale * (float)q[element];
}
"""
    ### END SOLUTION


# %% role="check" id="cuda-uniform-warps" points=6
check("cuda-uniform-warps", dequantize_pairs_source)


# %% [markdown] items="1.5.C16"
# ## Rows of unequal length
#
# Sparse rows, or requests with prompts of different lengths: one thread does a row, and its warp waits for the longest of its 32. If the host sorts the rows by length, rows of like length share a warp. The kernel then
# takes row `order[i]` in thread `i`.
# %% [markdown] items="1.5.C16"
# ### Exercise: an order with the fewest steps
#
# <details><summary>Hint 1</summary>Steps: cut into pieces of 32, add up the maxima. The last piece may be shorter.</details>
# <details><summary>Hint 2</summary><code>np.argsort(..., kind="stable")</code>. Should the piece that is not full get the long rows or the short
# ones?</details>
# %% role="exercise" id="balanced-order" items="1.5.C16" minutes=10
def balanced_order(lengths: np.ndarray) -> tuple[np.ndarray, int, int]:
    """An order of rows for which the warps take the fewest steps.

    Thread i does row order[i], lengths[order[i]] steps long; a warp of 32 threads takes as many steps as its longest row.

    Args:
        lengths: int64, (rows,), 0 or more each; not changed. It may be empty.

    Returns:
        order: int64, (rows,), each row once; any order with the fewest steps.
        before: steps of all warps together in the given order, row i in thread i.
        after: the same in `order`.

    >>> order, before, after = balanced_order(np.arange(34) % 2 * 100)
    >>> order[:3].tolist(), before, after
    ([1, 3, 5], 200, 100)
    """
    ### BEGIN SOLUTION
    order = np.argsort(-lengths, kind="stable").astype(np.int64)

    def steps(rows):
        return sum(int(rows[i : i + 32].max()) for i in range(0, len(rows), 32))

    return order, steps(lengths), steps(lengths[order])
    ### END SOLUTION


# %% role="check" id="balanced-order" points=4
check("balanced-order", balanced_order)
# %% [markdown] items="1.5.C16 1.5.K4"
# ## A pruned projection of a model
#
# A projection of the course's language model, of which one weight in twenty is kept: rows of unequal length in CSR form. A kernel with one thread for a row, watched in both orders. Theory says how often a warp
# loads: your two sums.
# %% role="given" id="rows"
sparse_source = r"""
extern "C" __global__ void row_sums(const int* start, const float* values, const long long* order, float* out, int rows)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= rows) return;
    int row = (int)order[i];
    float sum = 0.0f;
    for (int j = start[row]; j < start[row + 1]; ++j) sum += values[j];
    out[row] = sum;
}
"""
sparse_weight = (
    decoder_linears(load_lm("lm"))["model.layers.1.mlp.gate_proj"].weight.detach().numpy()
)
sparse_kept = np.abs(sparse_weight) >= np.quantile(np.abs(sparse_weight), 0.95)
sparse_lengths = sparse_kept.sum(axis=1).astype(np.int64)
sparse_start = np.concatenate([[0], np.cumsum(sparse_lengths)]).astype(np.int32)
sparse_values = cuda.asarray(sparse_weight[sparse_kept])
sparse_kernel = cuda.RawKernel(sparse_source, "row_sums")


def loads_of(order):
    """Sums of the rows, and requests for `values` of a watched launch in this order."""
    out = cuda.zeros(len(order), np.float32)
    args = (cuda.asarray(sparse_start), sparse_values, cuda.asarray(order), out)
    blocks = -(-len(order) // 128)
    report = cuda.watch(sparse_kernel, (blocks,), (128,), (*args, np.int32(len(order))))
    return cuda.asnumpy(out), sum(i.requests for i in report.select("load", name="values"))


sparse_order, sparse_before, sparse_after = balanced_order(sparse_lengths)
plain_sums, plain_loads = loads_of(np.arange(len(sparse_lengths), dtype=np.int64))
sorted_sums, sorted_loads = loads_of(sparse_order)
print(
    f"{len(sparse_lengths)} rows of {sparse_lengths.min()} to {sparse_lengths.max()} weights, "
    f"{sparse_lengths.mean():.1f} on average"
)
print(f"as they are: {plain_loads} loads of warps, theory {sparse_before}")
print(f"sorted:      {sorted_loads} loads of warps, theory {sparse_after}")
print("the same sums:", np.array_equal(plain_sums, sorted_sums))


# %% [markdown]
# **What you should see.** Loads and theory agree exactly, and sorting removes more than half of them: a warp cannot take fewer steps than its mean row, and now it takes few more.
# The sums are equal to the last bit: only the rows moved.
# %% [markdown] items="1.5.C15"
# ## Occupancy
#
# A multiprocessor (**SM**) holds several blocks at once, whole ones only. What they need is given to them for as long as they run: places for warps, registers, shared memory.
# **Occupancy** is resident warps divided by the most that the SM holds.
#
# Limits differ by architecture, 8.0 (A100) and 9.0 (H100) below. Source: CUDA C++ Programming Guide, "Compute Capabilities"; the units in which they are given: `cuda_occupancy.h` of the CUDA toolkit.
# %% role="given" id="limits"
sms = {
    name: {
        "warps": limits.warps,
        "blocks": limits.blocks,
        "registers": limits.registers,
        "shared_bytes": limits.shared_bytes,
    }
    for name, limits in LIMITS.items()
}
for name in ("sm_80", "sm_90"):
    print(name, sms[name])


# %% [markdown] items="1.5.C15"
# ### Exercise: how many blocks fit
#
# <details><summary>Hint 1</summary>Four numbers of blocks, one for each resource; the least decides.</details>
# <details><summary>Hint 2</summary>Registers: how many warps fit into a quarter? Four times that, divided by the warps of a block, rounded
# down.</details>
# %% role="exercise" id="resident-blocks" items="1.5.C15" minutes=18
def resident_blocks(
    block_threads: int, registers: int, shared_bytes: int, sm: dict[str, int]
) -> tuple[int, float, list[str]]:
    """Blocks of a kernel that one SM holds at once.

    Args:
        block_threads: 1 to 1,024. A block has whole warps: threads are rounded up to 32.
        registers: of a thread, 1 to 255. A warp gets 32 * registers, rounded up to a multiple of 256. Each quarter of the
            SM has a quarter of its registers, and a warp's registers lie in one quarter.
        shared_bytes: of a block, 0 or more. The driver adds 1,024 bytes for each block; then it is rounded up to a
            multiple of 128.
        sm: what the SM has: "warps", "blocks", "registers", "shared_bytes".

    Returns:
        blocks: the most that fit by all four limits; 0 where not even one does.
        occupancy: resident warps / sm["warps"], 0 to 1.
        limited_by: names (keys of sm) of all resources that allow no more blocks than that, in any order.

    Raises:
        ValueError: block_threads, registers or shared_bytes out of range.

    >>> a100 = {"warps": 64, "blocks": 32, "registers": 65536, "shared_bytes": 167936}
    >>> resident_blocks(256, 40, 0, a100)
    (6, 0.75, ['registers'])
    """
    ### BEGIN SOLUTION
    if not (1 <= block_threads <= 1024 and 1 <= registers <= 255 and shared_bytes >= 0):
        raise ValueError("No launch has these sizes: 1-1024 threads, 1-255 registers, 0 bytes up.")
    warps = -(-block_threads // 32)
    warp_registers = -(-32 * registers // 256) * 256
    block_shared = -(-(shared_bytes + 1024) // 128) * 128
    limits = {
        "warps": sm["warps"] // warps,
        "blocks": sm["blocks"],
        "registers": sm["registers"] // 4 // warp_registers * 4 // warps,
        "shared_bytes": sm["shared_bytes"] // block_shared,
    }
    blocks = min(limits.values())
    limited_by = [name for name, value in limits.items() if value == blocks]
    return blocks, blocks * warps / sm["warps"], limited_by
    ### END SOLUTION


# %% role="check" id="resident-blocks" points=6
check("resident-blocks", resident_blocks)
# %% role="given" id="registers"
own_kernels = {
    "quantize_two": quantize_two_source(),
    "dequantize_pairs": dequantize_pairs_source(),
    "row_sums": sparse_source,
}
if nvrtc.installed():
    for name, source in own_kernels.items():
        used = nvrtc.resources(source, name, "sm_90")
        print(name, used, resident_blocks(256, used.registers, used.shared_bytes, sms["sm_90"]))
else:
    print(f"NVIDIA's compiler is not installed, so registers are not known here: {nvrtc.REMEDY}")
agree = all(
    resident_blocks(t, r, s, sms["sm_90"])[0] == occupancy(t, r, s, "sm_90").blocks
    for t in (32, 96, 256, 1024)
    for r in (16, 40, 72, 168)
    for s in (0, 5000, 48 * 1024)
)
print("48 kernels: the same blocks as lab.cuda.occupancy:", agree)


# %% [markdown]
# **What you should see.** Full agreement. Small kernels like these use few registers, and all 64 warps fit. A tile kernel with 72 registers, or with 48 KB a block, does not: which limit is first, and
# for which block size?
# %% role="given" id="occupancy-knob"


def occupancy_by_block(registers=40, shared_kb=0, arch="sm_90"):
    """Bars: occupancy by block size."""
    shares = {
        str(t): 100 * resident_blocks(t, registers, 1024 * shared_kb, sms[arch])[1]
        for t in (32, 64, 128, 256, 512, 1024)
    }
    title = f"{arch}, {registers} registers, {shared_kb} KB a block"
    fig = bars(shares, unit="% occupancy", title=f"{title}, by threads of a block")
    return fig, f"{title}: " + ", ".join(f"{t} threads {v:.0f} %" for t, v in shares.items()) + "."


explore(
    occupancy_by_block,
    registers=(16, 255, 8),
    shared_kb=[0, 4, 16, 48, 96],
    arch=["sm_80", "sm_90"],
)


# %% [markdown] items="1.5.C18"
# ## Why hold many warps
#
# A load from global memory takes hundreds of nanoseconds. The SM goes on with another warp that is ready. **Little's law** says how much must be under way:
#
# $$ \text{bytes in flight} = \text{bandwidth} \times \text{latency} $$
#
# in GB/s times ns: bytes. With fewer the memory idles; more of them wait in a queue.
#
# They come from warps, from wider loads, or from several independent loads in one thread.
# %% [markdown] items="1.5.C18"
# ### Exercise: how many warps hide the latency
#
# <details><summary>Hint 1</summary>GB/s times ns is bytes: leave the powers of ten out.</details>
# <details><summary>Hint 2</summary>One warp has 32 * lane_bytes * loads bytes in flight. Warps: round up.</details>
# %% role="exercise" id="latency-hiding" items="1.5.C18" minutes=12
def latency_hiding(
    bandwidth_gb_s: float,
    latency_ns: float,
    sms: int,
    lane_bytes: int,
    loads: int,
    resident_warps: int,
) -> tuple[float, int, float]:
    """Little's law for a GPU.

    Args:
        bandwidth_gb_s: of global memory, 1e9 bytes a second.
        latency_ns: from a load to its data.
        sms: multiprocessors, all with the same work.
        lane_bytes: that one lane asks for in one load.
        loads: independent loads that each thread has under way at once.
        resident_warps: of each SM.

    Returns:
        in_flight_bytes: that must be under way in the whole GPU for the full bandwidth.
        warps: the fewest of each SM that carry them, an int; it may be more than an SM holds.
        reached_gb_s: by resident_warps; never more than the bandwidth.

    Raises:
        ValueError: a value of 0 or less.

    >>> latency_hiding(2000.0, 600.0, 100, 4, 1, 64)
    (1200000.0, 94, 1365.3333333333333)
    """
    ### BEGIN SOLUTION
    if min(bandwidth_gb_s, latency_ns, sms, lane_bytes, loads, resident_warps) <= 0:
        raise ValueError("Every value must be more than 0.")
    in_flight_bytes = bandwidth_gb_s * latency_ns
    each = 32 * lane_bytes * loads * sms
    warps = int(-(-in_flight_bytes // each))
    return in_flight_bytes, warps, min(bandwidth_gb_s, resident_warps * each / latency_ns)
    ### END SOLUTION


# %% role="check" id="latency-hiding" points=5
check("latency-hiding", latency_hiding)
# %% [markdown] items="1.5.C15 1.5.C18"
# ## Computed, then seen
#
# An H100 (SXM) has 132 SMs and 3,350 GB/s by its data sheet. Its latency depends on load and clock; take 600 ns as a round number, and turn what you like. INT8 codes read one by one, four by four (`char4`), sixteen at once (`int4`): what can
# 64 warps reach, and what 16?
# %% role="given" id="reach"
for lane_bytes, how in ((1, "signed char"), (4, "char4"), (16, "int4")):
    need, warps_needed, _ = latency_hiding(3350.0, 600.0, 132, lane_bytes, 1, 64)
    reached = {r: latency_hiding(3350.0, 600.0, 132, lane_bytes, 1, r)[2] for r in (16, 64)}
    print(
        f"{how:11}: {warps_needed:3} warps an SM for {need / 1e6:.2f} MB in flight; "
        f"16 warps reach {reached[16]:5.0f} GB/s, 64 warps {reached[64]:5.0f} GB/s"
    )
copy_source = r"""
extern "C" __global__ void copy(const int4* x, int4* y, int n)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) y[i] = x[i];
}
"""
copy_kernel = cuda.RawKernel(copy_source, "copy")
if cuda.on_gpu():
    copy_n = 1 << 24
    copy_x, copy_y = (cuda.zeros(4 * copy_n, np.int32) for _ in range(2))
    for copy_blocks in (16, 66, 132, 264, 528, 1056):
        copy_args = (copy_x, copy_y, np.int32(copy_n))
        copy_time = measure(
            lambda blocks=copy_blocks, args=copy_args: copy_kernel((blocks,), (128,), args),
            repeats=7,
            sync=cuda.synchronize,
        )
        print(f"{copy_blocks} blocks of 4 warps: {copy_time}")
else:
    print("On a GPU, this cell also times a copy with more and more warps. A CPU hides nothing so.")
# %% [markdown]
# **What you should see.** One byte a lane: 476 warps an SM would be needed, and 64 is the most there is. 16 bytes a lane: 30 warps, under half occupancy. So wide loads and several independent ones may do more than
# occupancy, and a kernel at 50 % need not be slow. Locality is the third lever: what comes out of a cache needs less in flight.
# %% [markdown] items="1.5.C15 1.5.C16 1.5.C18"
# ## In your own words: three proposals
#
# A dequantization kernel reaches 35 % of the bandwidth. Each thread reads one INT8 code; blocks have 256 threads, 96 registers a thread (a branch for outlier columns needs most of them), occupancy is 25 % on sm_90. Proposals: **A**
# cap the registers at 32; **B** read 16 codes a thread with one load; **C** gather the outlier columns in warps of their own.
#
# Judge each: what does it change (occupancy, bytes in flight, divergence), at what cost, and what would you measure? In which order would you try them? 120 to 200 words.
# %% [markdown] role="written" id="cuda-busy-review" items="1.5.C15 1.5.C16 1.5.C18" points=3
# **Model answer.** 96 registers are 3,072 for a warp: 5 warps in a quarter, 20 in the SM, 2 blocks of 8 warps: 16 of 64, 25 %. A: 32 registers allow 64 warps, four times the bytes in flight, if nothing else limits. But what does not fit into 32
# registers is **spilled** to local memory, which is global memory: more traffic, on the very path that is short. Measure local bytes. B: sixteen times the bytes in flight for each warp, at the occupancy that there is, and fewer instructions; needs aligned
# rows, a tail, a few more registers. By Little's law 30 warps with 16 bytes carry the whole bandwidth of an H100, 16 warps about half. C: does not change bytes in flight; it removes steps of warps that go both ways, and may save the registers: the plain kernel no longer carries the outliers' code, so
# occupancy rises too. Cost: a second launch or an order to keep, less coalesced access.
#
# Order: B, the largest effect for the least; then C; A last and with a look at spills. Measure time, bandwidth, sectors a request, divergent branches.
#
# **Rubric.** 1 point: occupancy and registers, with spilling as the cost of A. 1 point: bytes in flight, with wide loads as a way beside occupancy. 1 point: divergence separated from both, and an order with measurements that
# could refute it.
# %% [markdown]
# ## Recap
#
# - A warp goes every way that one of its lanes takes. What is rare for an element is common for 32.
# - Choose values instead of ways; give each warp one kind of work; sort work by length, longest first.
# - Occupancy: the scarcest of warps, blocks, registers, shared memory, in whole blocks and fixed units.
# - Bytes in flight = bandwidth x latency. Warps, wide loads and independent loads all carry them.
#
# **Three questions**
#
# <details><summary>1. Why does 33 registers instead of 32 cost so much?</summary>A warp gets registers in steps of 256: 33 a thread are 1,056, rounded to 1,280. 12 warps fit into a quarter instead of 16, and 48 into the SM: with blocks of 1,024 threads, one block
# instead of two.</details>
# <details><summary>2. A guard <code>if (i &lt; n)</code> in every kernel: does it diverge?</summary>In one warp of the launch at most, the one that n cuts. The others agree.</details>
# <details><summary>3. When does more occupancy change nothing?</summary>When the bytes in flight already suffice, or when the kernel waits for arithmetic that is busy all the time.</details>
#
# ## Reading, with what to look for
#
# - NVIDIA, *CUDA C++ Programming Guide*: "SIMT Architecture" and the table in "Compute Capabilities".
# - NVIDIA, *CUDA C++ Best Practices Guide*: the chapters on execution configuration (occupancy, hiding register dependencies) and on control flow.
# - Vasily Volkov, *Better Performance at Lower Occupancy*, GTC 2010: the argument for several independent operations in each thread.
#
# **Next:** arithmetic on less than a byte.
