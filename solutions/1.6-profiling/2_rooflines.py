# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Find the roof above an operation
#
# **You end with:** a roofline of the machine you sit at, measured in this notebook, with your operators on it; for each one a verdict (memory, compute, or neither); and
# Amdahl's law, which says what a faster part is worth to the whole.
#
# About 115 minutes. 43 points: 40 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network; on a CUDA machine the same cells measure the GPU. You need lesson 1 of this module
# (best, median, interleaving) and module 1.2 (weights in groups with scales).
#
# All checks are given times and ceilings. So their result never depends on how fast your machine is.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import copy
import math
import time
import warnings

import numpy as np
import torch
from torch.nn import functional

from autograder import check
from lab.fake_quant import decoder_linears
from lab.lm import load_lm, load_tokens
from lab.plots import curves, explore, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.rooflines import roofline
from lab.timing import interleave_ms

torch.set_num_threads(1)  # one thread, one roof: two threads that share a core would blur both
profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## Eight vectors for the price of one?
#
# A weight matrix, 4096 by 4096, FP32. Multiply one vector by it, then eight vectors at once: eight times the multiplications. How much longer do the eight take?
# %% role="predict" id="predict-eight"
my_time_of_eight = ...  # time for 8 vectors / time for 1
# %% role="given" id="opening"
GPU = profile.device == "cuda"
SIDE = 16384 if GPU else 4096  # 64 MiB on a CPU and 1 GiB on a GPU: no cache holds it
ROUNDS = 20 if GPU else 8


def best_ms(versions: dict, rounds: int = ROUNDS) -> dict[str, float]:
    """The shortest of interleaved times by name, milliseconds. A roof is a best case, so is what we hold under it."""
    with torch.inference_mode():
        return {name: float(ms.min()) for name, ms in interleave_ms(versions, warmup=1, rounds=rounds).items()}  # fmt: skip


big_weights = torch.rand(SIDE, SIDE, device=profile.device)


def show_opening() -> None:
    """One vector and eight, interleaved."""
    vectors = {count: torch.rand(count, SIDE, device=profile.device) for count in (1, 8)}
    times = best_ms({count: lambda x=x: functional.linear(x, big_weights) for count, x in vectors.items()})  # fmt: skip
    for count, ms in times.items():
        print(f"{count} x {SIDE}: {ms:7.3f} ms, {2 * count * SIDE**2 / ms / 1e6:8.1f} GFLOP/s")
    reveal(my_time_of_eight, times[8] / times[1], "times as long")


show_opening()


# %% [markdown] items="1.6.C7"
# **What you should see.** On a quiet machine far less than 8: about 1 to 3 where the matrix fits in no cache. Multiplications are not what one vector waits for. It waits for the matrix: every weight is fetched from memory, used for one multiplication and one
# addition, and dropped. Eight vectors use each weight eight times while it is there.
#
# So the question is how many operations an algorithm makes of each byte that it moves.
# %% [markdown] items="1.6.C7"
# ## Arithmetic intensity
#
# $$I = \frac{F}{Q} \qquad \text{FLOP/byte}$$
#
# $F$: floating-point operations; an addition and a multiplication count 1 each. $Q$: bytes moved between memory and the processor. Here $Q$ is the **compulsory** traffic: each operand is read once, each result written once, as if a cache
# held everything in between. The true traffic is that or more, so the true intensity is that or less.
# %% [markdown] items="1.6.C7"
# ## A matrix product
#
# $C = AB$ with $A$ $(m, k)$, $B$ $(k, n)$: each of the $mn$ results takes $k$ multiplications and $k$ additions (the first addition, to zero, counts too). $F = 2mnk$ and, with $s$ bytes an element,
#
# $$I = \frac{2mnk}{s(mk + kn + mn)}.$$
#
# For a square of side $n$: $2n/3s$, growing with $n$. For one vector ($m = 1$): about $2/s$, half a FLOP a byte in FP32, however large the matrix is.
# %% [markdown] items="1.6.C7"
# ### Exercise: intensity of a product
#
# <details><summary>Hint 1</summary>Round each matrix up to whole bytes on its own: <code>-(-elements * bits // 8)</code>.</details>
# <details><summary>Hint 2</summary>With <code>accumulate</code> the old C is read as well: C moves twice.</details>
# %% role="exercise" id="roof-gemm" items="1.6.C7" minutes=8
def gemm_traffic(
    m: int, n: int, k: int, a_bits: int, b_bits: int, c_bits: int, accumulate: bool = False
) -> tuple[int, int, float]:
    """Operations, compulsory bytes and intensity of C = A B, or of C = C + A B.

    Args:
        m, n, k: A is (m, k), B is (k, n), C is (m, n); each 1 or more.
        a_bits, b_bits, c_bits: bits of an element, 1 or more. Each matrix is packed without gaps and rounded up to whole bytes.
        accumulate: C = C + A B: the old C is read too. The operations stay 2 m n k.

    Returns:
        (flops, bytes, intensity): two exact ints and FLOP/byte.

    Raises:
        ValueError: a size or a count of bits below 1.

    >>> gemm_traffic(1, 4096, 4096, 32, 32, 32)
    (33554432, 67141632, 0.4997559785261103)
    """
    ### BEGIN SOLUTION
    if min(m, n, k, a_bits, b_bits, c_bits) < 1:
        raise ValueError("Sizes and bits are 1 or more.")
    moved = -(-m * k * a_bits // 8) - (-k * n * b_bits // 8)
    moved += (2 if accumulate else 1) * -(-m * n * c_bits // 8)
    flops = 2 * m * n * k
    return flops, moved, flops / moved
    ### END SOLUTION


# %% role="check" id="roof-gemm" points=4
check("roof-gemm", gemm_traffic)
# %% role="given" id="gemm-use"


def show_gemm() -> None:
    """Intensity by rows and by weight bits of a 4096 x 4096 layer with 16-bit activations."""
    print(f"{'rows':>5s}", *(f"{bits:>5d}-bit" for bits in (32, 16, 8, 4)), "  FLOP/byte")
    for rows in (1, 8, 64, 512, 4096):
        values = (gemm_traffic(rows, 4096, 4096, 16, bits, 16)[2] for bits in (32, 16, 8, 4))
        print(f"{rows:5d}", *(f"{value:9.2f}" for value in values))


show_gemm()
# %% [markdown] items="1.6.C7"
# **What you should see.** With one row, half the bits give twice the intensity: 4-bit weights, eight times that of FP32. With 4096 rows the bits of the weights hardly matter: each weight is used 4096 times anyway.
#
# That is why weight-only quantization speeds up decoding (few rows) and not prompts (many rows).
# %% [markdown] items="1.6.C7"
# ## Tiles: how a cache gets near the compulsory traffic
#
# Compute $C$ in tiles of $t \times t$: a tile needs $t$ rows of $A$ and $t$ columns of $B$. So $A$ is read $\lceil n/t \rceil$ times, $B$ $\lceil m/t \rceil$ times.
#
# Reads of a tile from cache are *not* counted: they cross no memory bus. At another level, say between L2 and registers, the same product has other bytes, so another intensity.
# %% role="given" id="tiles"


def show_tiles(m: int = 2048, n: int = 2048, k: int = 2048, size_bytes: int = 4) -> None:
    """Bytes and intensity of a product by tile."""
    least = gemm_traffic(m, n, k, 32, 32, 32)[1]
    print(f"{'tile':>5s} {'MiB moved':>10s} {'compulsory':>11s} {'FLOP/byte':>10s}")
    for t in (1, 8, 32, 128, 512, 2048):
        moved = size_bytes * (m * k * -(-n // t) + k * n * -(-m // t) + m * n)
        row = f"{t:5d} {moved / 2**20:10,.0f} {moved / least:9.1f} x {2 * m * n * k / moved:10.2f}"
        print(row)


show_tiles()


# %% [markdown] items="1.6.C7"
# ## Chains of small operations
#
# Softmax over a row: maximum, subtract, exponential, sum, divide. Run one by one, each step reads its input from memory and writes its result back. **Fused** into one kernel, intermediate tensors never leave the chip: the row is read once, the result
# written once.
#
# The operations are the same. The bytes are not, so neither is the intensity.
# %% [markdown] items="1.6.C7"
# ### Exercise: a chain, apart and fused
#
# <details><summary>Hint 1</summary>Collect the sets: what all steps read, what all steps write.</details>
# <details><summary>Hint 2</summary>Fused: read are (reads - writes); written are (writes - reads) and those in keep.</details>
# %% role="exercise" id="roof-chain" items="1.6.C7" minutes=12
def chain_cost(
    steps: list[tuple], sizes: dict[str, int], fused: bool, keep: tuple[str, ...] = ()
) -> tuple[int, int]:
    """Operations and bytes of a chain of steps on tensors.

    Apart: each step reads each of its different inputs once (x * x reads x once) and writes each of its outputs.
    Fused: one kernel. A tensor that no step writes is read once in all, if a step reads it. A tensor that a step writes goes to memory
    if no step reads it, or if it is in keep.

    Args:
        steps: in order, (flops, names of inputs, names of outputs). A step reads what no step writes, or what an earlier step wrote. A
            tensor is written once.
        sizes: bytes by name; it may hold names of no step.
        keep: outputs of steps that are needed in memory later.

    Returns:
        (flops, bytes), two ints.

    Raises:
        ValueError: a tensor without a size, read by the step that writes it or by an earlier one, or written twice; a name
            in keep that no step writes.

    >>> steps = [(4, ["x"], ["t"]), (4, ["t", "x"], ["y"])]
    >>> sizes = {"x": 16, "t": 16, "y": 16}
    >>> chain_cost(steps, sizes, fused=False), chain_cost(steps, sizes, fused=True)
    ((8, 80), (8, 32))
    """
    ### BEGIN SOLUTION
    written = [name for _, _, writes in steps for name in writes]
    used = {name for _, reads, _ in steps for name in reads}
    if len(set(written)) < len(written) or not set(keep) <= set(written):
        raise ValueError("A tensor is written once, and keep names written tensors.")
    if not (used | set(written)) <= set(sizes):
        raise ValueError("Every tensor needs a size.")
    done, moved = set(), 0
    for _, reads, writes in steps:
        if (set(reads) & set(written)) - done:
            raise ValueError("A step reads a tensor that is not written yet.")
        done |= set(writes)
        moved += sum(sizes[name] for name in {*reads}) + sum(sizes[name] for name in writes)
    if fused:
        crossing = (used - done) | (done - used) | set(keep)
        moved = sum(sizes[name] for name in crossing)
    return sum(flops for flops, _, _ in steps), moved
    ### END SOLUTION


# %% role="check" id="roof-chain" points=5
check("roof-chain", chain_cost)
# %% role="given" id="chains"


def chains(rows: int, cols: int, size: int = 4) -> dict[str, tuple[list, dict]]:
    """Steps and sizes of operators on (rows, cols), `size` bytes an element. Each elementwise operation, exponentials and
    comparisons too, counts 1; a reduction counts 1 for each element it takes in."""
    n, small = rows * cols, rows * size
    sizes = dict.fromkeys(("x", "z", "c", "q", "e", "h", "y"), n * size)
    sizes |= {"m": small, "s": small, "v": small, "r": small, "w": cols * size, "b": cols * size}
    add = [(n, ["x", "z"], ["y"])]
    softmax = [
        (n, ["x"], ["m"]), (n, ["x", "m"], ["c"]), (n, ["c"], ["e"]), (n, ["e"], ["s"]),
        (n, ["e", "s"], ["y"]),
    ]  # fmt: skip
    rms_norm = [
        (n, ["x"], ["q"]), (n, ["q"], ["v"]), (3 * rows, ["v"], ["r"]), (n, ["x", "r"], ["h"]),
        (n, ["h", "w"], ["y"]),
    ]  # fmt: skip
    layer_norm = [
        (n + rows, ["x"], ["m"]), (n, ["x", "m"], ["c"]), (n, ["c"], ["q"]), (n, ["q"], ["v"]),
        (3 * rows, ["v"], ["r"]), (n, ["c", "r"], ["h"]), (2 * n, ["h", "w", "b"], ["y"]),
    ]  # fmt: skip
    return {"add": (add, sizes), "softmax": (softmax, sizes), "RMS norm": (rms_norm, sizes),
            "layer norm": (layer_norm, sizes)}  # fmt: skip


def attention_chain(tokens: int, head_dim: int, size: int = 4) -> tuple[list, dict]:
    """One head of attention over its own tokens, without a mask: scores, softmax, mix."""
    scores = tokens * tokens
    sizes = dict.fromkeys(("q", "k", "v", "o"), tokens * head_dim * size)
    sizes |= {"scores": scores * size, "p": scores * size}
    steps = [
        (2 * scores * head_dim, ["q", "k"], ["scores"]), (5 * scores, ["scores"], ["p"]),
        (2 * scores * head_dim, ["p", "v"], ["o"]),
    ]  # fmt: skip
    return steps, sizes


def show_chains() -> None:
    """Intensity apart and fused."""
    found = {**chains(4096, 4096), "attention, 4096 tokens": attention_chain(4096, 64)}
    print(f"{'FLOP/byte, FP32':24s} {'apart':>8s} {'fused':>8s}")
    for name, (steps, sizes) in found.items():
        apart, fused = (chain_cost(steps, sizes, fused) for fused in (False, True))
        print(f"{name:24s} {apart[0] / apart[1]:8.3f} {fused[0] / fused[1]:8.3f}")


show_chains()


# %% [markdown] items="1.6.C7"
# **What you should see.** Additions, norms and softmax stay below one operation a byte, even fused: every element is touched once or a few times. Attention is different. Apart, its matrix of scores (tokens by tokens) travels four times. Fused
# (FlashAttention), it never leaves the chip, and intensity rises sixtyfold here, and further with longer texts.
#
# (Compulsory again: a real kernel reads keys once for each tile of queries.)
# %% [markdown] items="1.6.C7"
# ## One decode step
#
# Generating one token for each of $b$ texts, a decoder layer reads all its weights once, and for each text the keys and values of all tokens before (the **KV cache**). Weights serve the whole batch, the cache serves one text.
#
# $$I \approx \frac{2 b P + 4 b\,d_q T}{P w/8 + b\,T\,2 d_{kv}\,c/8}$$
#
# $P$ weights of $w$ bits, $T$ tokens of $c$ bits, $d_q$, $d_{kv}$: heads times head size.
# %% [markdown] items="1.6.C7"
# ### Exercise: intensity of a decode step
#
# The layer is Llama's: projections q, k, v, o, and a gated MLP (gate, up, down). Rotations, norms, softmax, activations and dequantization are left out.
#
# <details><summary>Hint 1</summary>Write the seven shapes (rows, columns) in a list; the rest are sums over it.</details>
# <details><summary>Hint 2</summary>Groups run along a row: ceil(columns / group) scales for each row.</details>
# <details><summary>Hint 3</summary>The step reads <code>context</code> cached tokens and writes one; it attends to all context + 1.</details>
# %% role="exercise" id="roof-decode" items="1.6.C7" minutes=15
def decode_traffic(
    layer: dict[str, int],
    batch: int,
    context: int,
    weight_bits: int,
    group: int = 0,
    kv_bits: int = 16,
) -> dict:
    """Operations and bytes of one decode step of one decoder layer.

    Args:
        layer: "hidden", "heads", "kv_heads", "head_dim", "intermediate". Matrices (rows, columns): q (heads * head_dim, hidden); k and v
            (kv_heads * head_dim, hidden) each; o (hidden, heads * head_dim); gate and up (intermediate, hidden) each; down (hidden,
            intermediate). All 1 or more, heads a multiple of kv_heads.
        batch: texts, 1 or more, one new token each. context: tokens of each text in the cache already, 0 or more.
        weight_bits, kv_bits: 4, 8, 16 or 32. Each matrix is packed and rounded up to whole bytes.
        group: 0 for no scales; else each row has one scale of 2 bytes for every `group` weights, the last group may be shorter.

    Returns:
        "flops": 2 for each weight and text, and 4 * heads * head_dim * (context + 1) for each text.
        "weight_bytes", "scale_bytes": read once for the batch.
        "kv_bytes": keys and values of context + 1 tokens for each text (context read, one written), kv_heads * head_dim each.
        "intensity": flops by all bytes. The others are ints.

    Raises:
        ValueError: any argument outside these ranges.

    >>> layer = {"hidden": 64, "heads": 4, "kv_heads": 2, "head_dim": 16, "intermediate": 128}
    >>> decode_traffic(layer, batch=1, context=7, weight_bits=4, group=32)
    {'flops': 75776, 'weight_bytes': 18432, 'scale_bytes': 2304, 'kv_bytes': 1024, 'intensity': 3.4823529411764707}
    """
    ### BEGIN SOLUTION
    names = ("hidden", "heads", "kv_heads", "head_dim", "intermediate")
    hidden, heads, kv_heads, head_dim, intermediate = (layer[name] for name in names)
    if min(hidden, heads, kv_heads, head_dim, intermediate, batch) < 1 or heads % kv_heads:
        raise ValueError("Sizes and batch are 1 or more, heads a multiple of kv_heads.")
    if context < 0 or group < 0 or not {weight_bits, kv_bits} <= {4, 8, 16, 32}:
        raise ValueError("context and group are 0 or more, bits are 4, 8, 16 or 32.")
    query, kv = heads * head_dim, kv_heads * head_dim
    shapes = [(query, hidden), (kv, hidden), (kv, hidden), (hidden, query)]
    shapes += [(intermediate, hidden)] * 2 + [(hidden, intermediate)]
    weights = sum(rows * columns for rows, columns in shapes)
    found = {
        "flops": batch * (2 * weights + 4 * query * (context + 1)),
        "weight_bytes": sum(-(-r * c * weight_bits // 8) for r, c in shapes),
        "scale_bytes": sum(2 * r * -(-c // group) for r, c in shapes) if group else 0,
        "kv_bytes": batch * (context + 1) * 2 * kv * kv_bits // 8,
    }
    moved = found["weight_bytes"] + found["scale_bytes"] + found["kv_bytes"]
    return {**found, "intensity": found["flops"] / moved}
    ### END SOLUTION


# %% role="check" id="roof-decode" points=6
check("roof-decode", decode_traffic)
# %% role="given" id="decode-use"
# The shape of a layer of Llama 3.1 8B, from its published configuration.
LAYER = {"hidden": 4096, "heads": 32, "kv_heads": 8, "head_dim": 128, "intermediate": 14336}


def show_decode() -> None:
    """Intensity of a step by weight bits, batch and context."""
    kinds = {"FP32": (32, 0), "FP16": (16, 0), "INT8": (8, 0), "INT4, groups of 128": (4, 128)}
    columns = [(1, 0), (1, 8192), (32, 0), (32, 8192), (256, 8192)]
    print(f"{'batch, context':20s}", *(f"{b:>4d}, {t:<5d}" for b, t in columns))
    for name, (bits, group) in kinds.items():
        found = [decode_traffic(LAYER, b, t, bits, group)["intensity"] for b, t in columns]
        print(f"{name:20s}", *(f"{value:>8.2f}   " for value in found))


show_decode()


# %% [markdown] items="1.6.C7"
# **What you should see.** Without context, intensity is about $16/w$ times the batch: INT4 (with its scales) nearly four times FP16. With long texts and a large batch it hardly depends on the weights: each text brings a cache of its own, whose intensity no batch
# raises. There only a smaller cache helps: fewer KV heads, fewer bits.
# %% [markdown] items="1.6.C7"
# ## Ceilings of this machine: bandwidth
#
# Measure, do not look up. A copy of an array larger than the caches moves **two** arrays: it reads one and writes one. Many a benchmark forgets the second.
#
# A third move hides in the hardware: to write part of a cache line, most CPUs first read the line (**write-allocate**), unless the kernel uses stores that bypass the cache. McCalpin's STREAM counts only what the program asks for; so do we, and say so.
# %% [markdown] items="1.6.C7 1.6.K6"
# ### Exercise: bandwidth from times
#
# <details><summary>Hint 1</summary>bytes / ms / 1e6 is GB/s.</details>
# <details><summary>Hint 2</summary>Write-allocate adds one read for each array that is written.</details>
# %% role="exercise" id="roof-bandwidth" items="1.6.C7 1.6.K6" minutes=8
def stream_rates(
    kernel: str,
    elements: int,
    bytes_each: int,
    samples_ms: list[float],
    write_allocate: bool = False,
) -> tuple[float, float]:
    """Bandwidth from the measured times of one of STREAM's kernels, GB/s (1 GB = 10^9 bytes).

    Args:
        kernel: arrays read and written: "copy" and "scale" 1 and 1, "add" and "triad" 2 and 1, "sum" 1 and 0, "fill" 0 and 1.
        elements, bytes_each: of each array, 1 or more.
        samples_ms: two or more times of the whole kernel in the order measured, finite and above 0. The first is a warm-up and is
            left out, as STREAM does. Not changed.
        write_allocate: count one more read for each array written.

    Returns:
        (best_gb_s, median_gb_s): the rate of the shortest time, and the rate of the median time (of an even count
        the mean of the two in the middle).

    Raises:
        ValueError: any argument outside these ranges; the first time is held to them too.

    >>> stream_rates("copy", 1_000_000, 4, [9.0, 1.0, 2.0, 2.0])
    (8.0, 4.0)
    """
    ### BEGIN SOLUTION
    arrays = {"copy": (1, 1), "scale": (1, 1), "add": (2, 1), "triad": (2, 1), "sum": (1, 0), "fill": (0, 1)}  # fmt: skip
    if kernel not in arrays or elements < 1 or bytes_each < 1 or len(samples_ms) < 2:
        raise ValueError("Give a known kernel, elements, bytes, and two times or more.")
    if not all(math.isfinite(ms) and ms > 0 for ms in samples_ms):
        raise ValueError("Times are finite and above 0.")
    read, written = arrays[kernel]
    moved = (read + written * (2 if write_allocate else 1)) * elements * bytes_each
    timed = np.asarray(samples_ms[1:], dtype=np.float64)
    return float(moved / timed.min() / 1e6), float(moved / np.median(timed) / 1e6)
    ### END SOLUTION


# %% role="check" id="roof-bandwidth" points=4
check("roof-bandwidth", stream_rates)
# %% role="given" id="bandwidth-by-size"


def copy_ms(size_mib: float, rounds: int) -> list[float]:
    """Times of copies of an array of this size, each of as many copies as move 64 MiB (on a GPU: 4 GiB), at most 4096."""
    count = max(1, min(4096, int((4096 if GPU else 64) / size_mib)))
    source = torch.ones(int(size_mib * 2**18), device=profile.device)
    target = torch.empty_like(source)

    def copies():
        for _ in range(count):
            target.copy_(source)

    return [float(ms) / count for ms in interleave_ms({"": copies}, warmup=0, rounds=rounds)[""]]


def measure_levels() -> dict[float, float]:
    """Best copy bandwidth in GB/s by the size of one array, MiB."""
    sizes = (0.015625, 0.125, 1, 8, 64, 1024 if GPU else 128)
    return {mib: stream_rates("copy", int(mib * 2**18), 4, copy_ms(mib, 9))[0] for mib in sizes}


def show_levels(levels: dict) -> None:
    """Bandwidth by size."""
    drawn = curves(list(levels), {"copy": list(levels.values())}, xlabel="MiB of one array", ylabel="GB/s",
                   logx=True, logy=True)  # fmt: skip
    said = ", ".join(f"{mib:g} MiB {rate:.0f} GB/s" for mib, rate in levels.items())
    show(drawn, f"Best copy bandwidth by size of the array, both axes logarithmic: {said}.")
    print(said)


copy_levels = measure_levels()
show_levels(copy_levels)
# %% [markdown] items="1.6.C7"
# **What you should see.** On a CPU steps, one down where each cache ends: arrays inside move several times faster than those from memory. Each step is a roof of its own. (The smallest arrays fall off again: there the start of each copy counts. On a
# shared machine the lower stairs move while you look.)
#
# A result above the memory roof is no miracle: its data came from a cache.
# %% [markdown] items="1.6.C7"
# ## Ceilings of this machine: computing
#
# No peak from a data sheet either: a large matrix product is the best that your library makes of the hardware. Which rate do you expect in BF16 and in INT8, with FP32 at 1? Some CPUs have instructions for these types, some do
# not, and torch may have a kernel for one and not for another.
# %% role="predict" id="predict-int8-rate"
my_int8_rate = ...  # INT8 operations a second / FP32 operations a second
# %% role="given" id="peaks"
GEMM_SIDE = 8192 if GPU else 512


def measure_peaks(rounds: int = 12) -> dict[str, float]:
    """Best rate of a square matrix product by type, FLOP/s (INT8: integer operations a second), in one interleaved run."""
    versions = {}
    for name, dtype in (("FP32", torch.float32), ("BF16", torch.bfloat16)):
        x = torch.rand(GEMM_SIDE, GEMM_SIDE, device=profile.device).to(dtype)
        versions[name] = lambda x=x: torch.mm(x, x)
    codes = torch.randint(-128, 128, (GEMM_SIDE, GEMM_SIDE), device=profile.device).to(torch.int8)
    versions["INT8"] = lambda: torch._int_mm(codes, codes.t())  # INT32 results, no scales
    return {name: 2 * GEMM_SIDE**3 / ms * 1e3 for name, ms in best_ms(versions, rounds).items()}


def show_peaks(peaks: dict) -> None:
    """Rates by type, and the guess."""
    for name, rate in peaks.items():
        print(f"{name} {rate / 1e9:10,.1f} G operations/s, {rate / peaks['FP32']:6.2f} x FP32")
    reveal(my_int8_rate, peaks["INT8"] / peaks["FP32"], "times FP32")


peak_rates = measure_peaks()
show_peaks(peak_rates)


# %% [markdown] items="1.6.C7"
# **What you should see.** It depends on the machine, that is the point. With AVX-512 VNNI and BF16 instructions: INT8 several times FP32, BF16 in between. Without them BF16 can be *slower* than FP32, and INT8 gains little. A
# type is as fast as its kernel.
# %% [markdown] items="1.6.C7"
# ## The roof
#
# An operation cannot compute faster than the peak $\pi$, nor faster than its data comes: $I$ FLOP/byte times $\beta$ bytes/s. So
#
# $$\text{rate} \le \min(\pi,\; I \beta).$$
#
# The two meet at the **ridge** $I^* = \pi / \beta$. Left of it *memory-bound*: fewer bytes help, faster arithmetic does not. Right of it *compute-bound*. With several levels of memory, each has its own bandwidth, its own bytes and so its own intensity; the lowest limit holds.
# %% [markdown] items="1.6.C7 1.6.K6"
# ### Exercise: the lowest limit
#
# <details><summary>Hint 1</summary>Make a list of limits with names, "compute" first; take the least.</details>
# <details><summary>Hint 2</summary>Python's <code>min</code> keeps the first of equals.</details>
# %% role="exercise" id="roof-attainable" items="1.6.C7 1.6.K6" minutes=8
def attainable(
    flops: int, bytes_by_level: dict[str, int], peak: float, bandwidths: dict[str, float]
) -> tuple[float, str, dict[str, float]]:
    """The roof over an operation, what sets it, and the ridges.

    Args:
        flops: operations, above 0.
        bytes_by_level: bytes that it moves at each level of memory, 0 or more; a level with 0 bytes sets no limit.
        peak: FLOP/s, above 0.
        bandwidths: bytes/s of the same levels, above 0; one level or more. The dicts may be in different order.

    Returns:
        rate: the highest rate attainable, FLOP/s.
        bound: "compute" if the peak sets it, else the name of the level that does. Of equal limits compute
            comes first, then the levels in the order of `bandwidths`.
        ridges: for each level peak / bandwidth, FLOP/byte.

    Raises:
        ValueError: a number outside these ranges, no level, or dicts with different levels.

    >>> attainable(1000, {"L3": 1000, "DRAM": 250}, 8e9, {"L3": 4e9, "DRAM": 0.5e9})
    (2000000000.0, 'DRAM', {'L3': 2.0, 'DRAM': 16.0})
    """
    ### BEGIN SOLUTION
    if flops <= 0 or peak <= 0 or not bandwidths or set(bytes_by_level) != set(bandwidths):
        raise ValueError("Give operations, a peak, and the same levels twice.")
    if min(bytes_by_level.values()) < 0 or min(bandwidths.values()) <= 0:
        raise ValueError("Bytes are 0 or more, bandwidths above 0.")
    limits = {"compute": float(peak)}
    for level, bandwidth in bandwidths.items():
        if bytes_by_level[level]:
            limits[level] = flops / bytes_by_level[level] * bandwidth
    bound = min(limits, key=limits.get)
    return limits[bound], bound, {level: peak / b for level, b in bandwidths.items()}
    ### END SOLUTION


# %% role="check" id="roof-attainable" points=4
check("roof-attainable", attainable)
# %% role="given" id="ridges"


def show_ridges() -> None:
    """The ridges of this machine, by type, for memory and for the fastest cache seen above."""
    memory, cache = list(copy_levels.values())[-1], max(copy_levels.values())
    levels = {"memory": memory * 1e9, "fastest copy": cache * 1e9}
    for name, peak in peak_rates.items():
        found = attainable(1, dict.fromkeys(levels, 1), peak, levels)[2]
        print(f"{name}:", ", ".join(f"{k} {v:7.1f} FLOP/byte" for k, v in found.items()))


show_ridges()


# %% [markdown] items="1.6.C7"
# ## Where is the bend?
#
# Back to the 4096 by 4096 layer. With $b$ rows, bytes and operations are two straight lines:
#
# $$Q(b) = W + b\,s(n + k), \qquad F(b) = 2bnk.$$
#
# $F/Q$ grows with $b$, toward $2nk / s(n + k)$. If the ridge lies above that limit, no batch is ever compute-bound. Else there is a first one.
# %% [markdown] items="1.6.C7"
# ### Exercise: the first compute-bound batch
#
# <details><summary>Hint 1</summary>F / Q &ge; peak / bandwidth without a division: F * bandwidth &ge; peak * Q. Python's ints are exact.</details>
# <details><summary>Hint 2</summary>Collect b on the left: b * (2nk * bandwidth - peak * act_bytes * (n + k)) &ge; peak * W.</details>
# %% role="exercise" id="roof-batch" items="1.6.C7" minutes=12
def compute_bound_batch(
    n: int, k: int, weight_bits: int, act_bytes: int, peak: int, bandwidth: int
) -> int | None:
    """The smallest batch for which y = x W^T reaches the ridge, exactly.

    x is (batch, k), W is (n, k), y is (batch, n). Operations: 2 batch n k. Bytes: W packed, rounded up to whole bytes, and
    act_bytes for each element of x and y. A batch is compute-bound if operations / bytes >= peak / bandwidth, compared exactly: these are
    whole numbers of up to 80 bits and more, where floats round. Do not try one batch after another: the answer may be near a billion.

    Args:
        n, k, weight_bits, act_bytes: whole numbers, 1 or more.
        peak, bandwidth: FLOP/s and bytes/s, whole numbers, 1 or more.

    Returns:
        The batch (an int, 1 or more), or None if no batch is compute-bound.

    Raises:
        ValueError: an argument below 1.

    >>> compute_bound_batch(4096, 4096, 32, 4, peak=100 * 10**9, bandwidth=20 * 10**9)
    11
    >>> compute_bound_batch(64, 64, 32, 4, peak=1000 * 10**9, bandwidth=20 * 10**9)
    """
    ### BEGIN SOLUTION
    if min(n, k, weight_bits, act_bytes, peak, bandwidth) < 1:
        raise ValueError("All arguments are 1 or more.")
    weights = -(-n * k * weight_bits // 8)
    gain = 2 * n * k * bandwidth - peak * act_bytes * (n + k)  # of one more row
    return -(-peak * weights // gain) if gain > 0 else None
    ### END SOLUTION


# %% role="check" id="roof-batch" points=5
check("roof-batch", compute_bound_batch)
# %% role="given" id="bend"


def measure_bend(rounds: int = 4) -> tuple[dict[int, float], float, float]:
    """Best ms by batch over the big layer; and peak FLOP/s, bandwidth in bytes/s from the same interleaved run.

    The bandwidth is that of reading: the sum of a matrix, which nothing has to write."""
    batches = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    inputs = {b: torch.rand(b, SIDE, device=profile.device) for b in batches}
    square = torch.rand(GEMM_SIDE, GEMM_SIDE, device=profile.device)
    versions = {b: lambda x=x: functional.linear(x, big_weights) for b, x in inputs.items()}
    versions |= {"peak": lambda: torch.mm(square, square), "read": lambda: big_weights.sum()}
    times = best_ms({str(name): fn for name, fn in versions.items()}, rounds)
    peak, read = 2 * GEMM_SIDE**3 / times["peak"] * 1e3, 4 * SIDE**2 / times["read"] * 1e3
    return {b: times[str(b)] for b in batches}, peak, read


def show_bend(measured: dict, peak: float, read: float) -> None:
    """Time by batch: measured, and the longer of computing and moving."""
    predicted = {}
    for b in measured:
        flops, moved, _ = gemm_traffic(b, SIDE, SIDE, 32, 32, 32)
        predicted[b] = 1e3 * flops / attainable(flops, {"memory": moved}, peak, {"memory": read})[0]
    drawn = curves(list(measured), {"measured": list(measured.values()), "roofline": list(predicted.values())},
                   xlabel="batch", ylabel="ms", logx=True, logy=True)  # fmt: skip
    first = compute_bound_batch(SIDE, SIDE, 32, 4, int(peak), int(read))
    said = f"predicted to become compute-bound at batch {first}"
    show(
        drawn,
        f"Time of a linear layer by batch, both axes logarithmic, flat and then rising; {said}.",
    )
    for b, ms in measured.items():
        print(
            f"batch {b:3d} {ms:8.2f} ms, roofline {predicted[b]:8.2f} ms, {predicted[b] / ms:5.0%}"
        )
    print(f"peak {peak / 1e9:,.0f} GFLOP/s, reading {read / 1e9:,.1f} GB/s: {said}")


bend = measure_bend()
show_bend(*bend)


# %% [markdown] items="1.6.C7 1.6.K6"
# **What you should see.** Many rows: a straight rise, 80 to 100 % of the roof. Few rows: far flatter than the work grows, above the prediction, so the bend comes later than predicted. There no kernel overlaps moving and computing perfectly, and libraries take other kernels for few rows
# (2 rows may cost twice as much as 1, and as much as 8).
#
# (Shares above 100 %: a ceiling was measured too low, on a busy machine. Run again.)
# %% [markdown] items="1.6.K6"
# ## From a measurement to a verdict
#
# You have operations, bytes and seconds of an operator. **Rate** $F/t$; **share** of its roof, rate / $\min(\pi, I\beta)$.
#
# A share near 1: the roof is what limits it, so move along the roof (fewer bytes) or to a higher one (another type). A small share: neither memory nor arithmetic is busy; look for launches, latency, a bad kernel. A share above 1 is impossible: bytes, operations or ceilings are wrong.
# %% [markdown] items="1.6.K6"
# ### Exercise: place operators
#
# <details><summary>Hint 1</summary>Compute share first: it decides the first two verdicts.</details>
# <details><summary>Hint 2</summary>ridge = peak / bandwidth; compare intensity * (1 + slack) and ridge * (1 + slack).</details>
# %% role="exercise" id="roof-place" items="1.6.K6" minutes=12
def place(
    points: list[tuple], peak: float, bandwidth: float, near: float = 0.5, slack: float = 0.1
) -> list[dict]:
    """Where measured operators lie under the roof, and what limits each.

    The verdict is the first of these that holds:
        "above the roof": share > 1 + slack. Something was counted or measured wrongly.
        "below both": share < near.
        "memory": intensity * (1 + slack) < ridge.
        "compute": intensity > ridge * (1 + slack).
        "ridge": none of these; both limits are near.

    Args:
        points: (name, flops, bytes, seconds), numbers above 0.
        peak, bandwidth: FLOP/s and bytes/s, above 0. The ridge is peak / bandwidth.
        near: above 0, at most 1. slack: 0 or more.

    Returns:
        For each point, in order, a dict: "name"; "intensity" (FLOP/byte); "rate" (FLOP/s); "roof", min(peak, intensity * bandwidth);
        "share", rate / roof; "verdict". Two points may have the same name.

    Raises:
        ValueError: a number outside these ranges, also where there is no point.

    >>> place([("add", 1000, 8000, 1e-6)], peak=8e9, bandwidth=1e10)
    [{'name': 'add', 'intensity': 0.125, 'rate': 1000000000.0, 'roof': 1250000000.0, 'share': 0.8, 'verdict': 'memory'}]
    """
    ### BEGIN SOLUTION
    if min(peak, bandwidth) <= 0 or not 0 < near <= 1 or slack < 0:
        raise ValueError("Ceilings are above 0, near above 0 and at most 1, slack 0 or more.")
    found, ridge = [], peak / bandwidth
    for name, flops, moved, seconds in points:
        if min(flops, moved, seconds) <= 0:
            raise ValueError(f"{name}: operations, bytes and seconds are above 0.")
        intensity, rate = flops / moved, flops / seconds
        roof = min(peak, intensity * bandwidth)
        share = rate / roof
        if share > 1 + slack:
            verdict = "above the roof"
        elif share < near:
            verdict = "below both"
        elif intensity * (1 + slack) < ridge:
            verdict = "memory"
        else:
            verdict = "compute" if intensity > ridge * (1 + slack) else "ridge"
        found.append({"name": name, "intensity": intensity, "rate": rate, "roof": roof,
                      "share": share, "verdict": verdict})  # fmt: skip
    return found
    ### END SOLUTION


# %% role="check" id="roof-place" points=5
check("roof-place", place)
# %% role="predict" id="predict-verdicts"
my_memory_count = ...  # of the seven operators below, how many get the verdict "memory"?
# %% role="given" id="placed"


def operators() -> dict[str, tuple[int, int, object]]:
    """(flops, compulsory bytes, function) in FP32; tensors larger than the caches but for the last two."""
    x, z, w = (torch.rand(SIDE, SIDE, device=profile.device), big_weights, torch.rand(SIDE, device=profile.device))  # fmt: skip
    out, few, many = torch.empty_like(x), x[:1].clone(), x[: SIDE // 16].clone()
    tiny = torch.rand(8, 8, device=profile.device)
    heads = torch.rand(1, 4, 1024, 64, device=profile.device)
    chain = {name: chain_cost(*found, fused=True) for name, found in chains(SIDE, SIDE).items()}
    attention = chain_cost(*attention_chain(1024, 64), fused=True)
    return {
        "add": (*chain["add"], lambda: torch.add(x, z, out=out)),
        "softmax": (*chain["softmax"], lambda: torch.softmax(x, -1, out=out)),
        "RMS norm": (*chain["RMS norm"], lambda: functional.rms_norm(x, (SIDE,), w)),
        "GEMV": (*gemm_traffic(1, SIDE, SIDE, 32, 32, 32)[:2], lambda: functional.linear(few, z)),
        "GEMM": (*gemm_traffic(SIDE // 16, SIDE, SIDE, 32, 32, 32)[:2], lambda: functional.linear(many, z)),
        "attention": (4 * attention[0], 4 * attention[1], lambda: functional.scaled_dot_product_attention(heads, heads, heads)),
        "8 x 8 product": (*gemm_traffic(8, 8, 8, 32, 32, 32)[:2], lambda: torch.mm(tiny, tiny)),
    }  # fmt: skip


def measure_operators(rounds: int = 4) -> tuple[list[tuple], float, float]:
    """The points, peak FLOP/s and the best of copy and read bandwidth, bytes/s, from one interleaved run."""
    chosen = operators()
    source, square = torch.ones(SIDE, SIDE, device=profile.device), torch.rand(GEMM_SIDE, GEMM_SIDE, device=profile.device)  # fmt: skip
    target = torch.empty_like(source)
    versions = {name: fn for name, (_, _, fn) in chosen.items()}
    versions |= {"ceiling: peak": lambda: torch.mm(square, square), "ceiling: copy": lambda: target.copy_(source)}  # fmt: skip
    versions["ceiling: read"] = lambda: source.sum()
    times = best_ms(versions, rounds)
    points = [(name, flops, moved, times[name] / 1e3) for name, (flops, moved, _) in chosen.items()]
    peak = 2 * GEMM_SIDE**3 / times["ceiling: peak"] * 1e3
    copied, read = 8e3 * SIDE**2 / times["ceiling: copy"], 4e3 * SIDE**2 / times["ceiling: read"]
    return points, peak, max(copied, read)


def show_placed(points: list, peak: float, bandwidth: float) -> None:
    """The table, the roofline (with the ceilings measured before) and the guess."""
    placed = place(points, peak, bandwidth)
    print(f"{'':14s} {'FLOP/byte':>10s} {'GFLOP/s':>10s} {'share':>7s}")
    for row in placed:
        print(f"{row['name']:14s} {row['intensity']:10.3f} {row['rate'] / 1e9:10.3f} {row['share']:7.0%}  {row['verdict']}")  # fmt: skip
    peaks = {"FP32": peak, "BF16": peak_rates["BF16"], "INT8": peak_rates["INT8"]}
    levels = {"memory": bandwidth, "fastest copy": max(copy_levels.values()) * 1e9}
    drawn = roofline(peaks, levels, {r["name"]: (r["intensity"], r["rate"]) for r in placed})
    show(drawn, "Roofline of this machine in FP32 with seven measured operators: " + ", ".join(
        f"{r['name']} at {r['share']:.0%} of its roof" for r in placed) + ".")  # fmt: skip
    memory = sum(row["verdict"] == "memory" for row in placed)
    reveal(my_memory_count, memory, "with the verdict memory")


placed_run = measure_operators()
show_placed(*placed_run)


# %% [markdown] items="1.6.K6 1.6.C7"
# **What you should see.** On a quiet machine add reaches the slope, GEMV half of it or more; GEMM and, with a good kernel, attention the flat roof. Softmax lies lower: an exponential costs more than one operation's time. A norm run in separate steps moves more
# than the compulsory bytes: far below. So is the 8 by 8 product.
#
# No operator has to reach its roof. If one lies above, a ceiling was measured at a busy moment.
# %% [markdown] items="1.6.C7"
# ## What the roofline does not show
#
# - **Starting**: microseconds for each call, whatever it computes. The 8 by 8 product is nothing else.
# - **Latency**: one access after another, each waiting for the last, fills no bus.
# - **Small sizes**: too little work for all units of a GPU.
# - **The kind of operation**: an exponential is no addition.
# - **Where time goes**: it judges one operator. How much that operator matters is Amdahl's question.
# %% role="given" id="weights-bits"


def measure_decode_types(rounds: int = 10) -> dict[str, float]:
    """Best ms of one vector times the big layer, weights in three types, interleaved."""
    x = torch.rand(1, SIDE, device=profile.device)
    half, half_x = big_weights.to(torch.bfloat16), x.to(torch.bfloat16)
    versions = {"FP32": lambda: functional.linear(x, big_weights), "BF16": lambda: functional.linear(half_x, half)}  # fmt: skip
    if GPU:
        print("INT8 weights: not run, torch's dynamic quantization is for CPUs")
        return best_ms(versions, rounds)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch.ao is deprecated in favour of torchao; it still runs
        layer = torch.nn.Linear(SIDE, SIDE, bias=False)
        layer.weight.data = big_weights - 0.5
        packed = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(layer), {torch.nn.Linear})  # fmt: skip
    versions["INT8"] = lambda: packed(x)
    return best_ms(versions, rounds)


def show_decode_types(times: dict) -> None:
    """Times, and the bytes that predict them."""
    bits = {"FP32": 32, "BF16": 16, "INT8": 8}
    for name, ms in times.items():
        fewer = 32 / bits[name]
        print(f"{name} {ms:7.3f} ms: {times['FP32'] / ms:5.2f} x as fast, with {fewer:.0f} x fewer bytes of weights")  # fmt: skip


show_decode_types(measure_decode_types())
# %% [markdown] items="1.6.C7"
# **What you should see.** Memory-bound, so fewer bytes should mean less time: up to 2 times with BF16, up to 4 with INT8; more where the smaller matrix fits a cache at last (INT8 here is 16 MiB). Less, or even slower: no
# kernel for the type, or converting costs more than the bytes save.
#
# Now turn the knobs of a decode step on your machine's roofline (the rate is the roof, not a measurement).
# %% role="given" id="decode-slider"


def draw_decode(bits=16, batch=1, context=0):
    """The roof of a decode step of a layer of Llama 3.1 8B's shape, in BF16 arithmetic."""
    found = decode_traffic(LAYER, batch, context, bits, group=128 if bits == 4 else 0)
    moved = found["weight_bytes"] + found["scale_bytes"] + found["kv_bytes"]
    peak, memory = peak_rates["BF16"], list(copy_levels.values())[-1] * 1e9
    rate, bound, _ = attainable(found["flops"], {"memory": moved}, peak, {"memory": memory})
    tokens_s = batch * rate / found["flops"]  # through this one layer
    said = f"{bits}-bit weights, batch {batch}, context {context}"
    title = f"{bound}: at best {tokens_s:,.0f} tokens/s through this layer"
    drawn = roofline({"BF16": peak}, {"memory": memory}, {f"{found['intensity']:.1f} FLOP/byte": (found["intensity"], rate)}, title=title)  # fmt: skip
    return drawn, f"Roofline with one point on the roof; {said}; {title}."


explore(draw_decode, bits=[16, 8, 4, 32], batch=[1, 4, 16, 64, 256, 1024], context=[0, 1024, 8192, 65536])  # fmt: skip
# %% [markdown] items="1.6.C9"
# ## Amdahl's law
#
# A part with share $p$ of the time becomes $s$ times faster, the rest stays:
#
# $$S = \frac{1}{(1 - p) + p/s} \;<\; \frac{1}{1 - p}.$$
#
# With 80 % of the time in linear layers, infinitely fast ones give a factor 5. The *new* share of those layers is smaller, so each next gain is worth less. For several parts: add their new times. (Gustafson: users often take a larger problem instead, whose serial share is smaller.)
# %% role="given" id="amdahl-curves"


def show_amdahl() -> None:
    """Speed-up of the whole by the speed-up of a part."""
    factors = [1, 2, 4, 8, 16, 32, 64]
    lines = {f"{p:.0%} of the time": [1 / (1 - p + p / s) for s in factors] for p in (0.5, 0.8, 0.95)}  # fmt: skip
    drawn = curves(factors, lines, xlabel="speed-up of the part", ylabel="speed-up of the whole", logx=True)  # fmt: skip
    show(drawn, "Amdahl's law: curves for shares of 50, 80 and 95 % level off toward 2, 5 and 20.")


show_amdahl()


# %% [markdown] items="1.6.C9"
# ### Exercise: what a faster part is worth, and how fast it must be
#
# <details><summary>Hint 1</summary>Work with times, not shares: new time = sum of time / factor.</details>
# <details><summary>Hint 2</summary>To reach the target by one part alone, it may take total / target - (total - its time). Nothing left: impossible.</details>
# %% role="exercise" id="roof-amdahl" items="1.6.C9" minutes=12
def amdahl(
    times_ms: dict[str, float], factors: dict[str, float], target: float
) -> tuple[float, float, dict[str, float | None]]:
    """Speed-up of a whole that is a sum of parts, its limit, and what each part alone would need.

    Args:
        times_ms: time of each part, 0 or more, their sum above 0.
        factors: how many times faster some parts become, above 0 (below 1: slower; math.inf: the part takes no time). Parts that are not
            named stay as they are.
        target: a speed-up of the whole, above 1.

    Returns:
        speedup: old total / new total; math.inf if the new total is 0.
        limit: the speed-up if all parts named in `factors` took no time; math.inf if then nothing is left.
        needed: for every part the factor by which it alone must be faster (all others as in times_ms) for a
            speed-up of exactly `target`; None where no finite factor is enough.

    Raises:
        ValueError: no parts, a negative time, a total of 0, a factor not above 0 or for an unknown part, a target not above 1.

    >>> amdahl({"linear": 8.0, "rest": 2.0}, {"linear": 4.0}, target=2.0)
    (2.5, 5.0, {'linear': 2.6666666666666665, 'rest': None})
    """
    ### BEGIN SOLUTION
    total = sum(times_ms.values())
    if total <= 0 or min(times_ms.values()) < 0 or not set(factors) <= set(times_ms):
        raise ValueError("Give parts with a time, and factors for these parts only.")
    if any(not factor > 0 for factor in factors.values()) or not target > 1:
        raise ValueError("Factors are above 0, the target is above 1.")
    new = sum(t / factors.get(name, 1) for name, t in times_ms.items())
    left = sum(t for name, t in times_ms.items() if name not in factors)
    needed = {}
    for name, t in times_ms.items():
        budget = total / target - (total - t)
        needed[name] = t / budget if budget > 0 else None
    return total / new if new else math.inf, total / left if left else math.inf, needed
    ### END SOLUTION


# %% role="check" id="roof-amdahl" points=7
check("roof-amdahl", amdahl)
# %% [markdown] items="1.6.C9"
# ## Predict a gain, then measure it
#
# Lesson 1 found the share of the linear layers in a pass of the shipped model. Take two passes: 64 tokens, and one token (a decode step without a cache). Which gain for the whole would linear layers with INT8 kernels bring in the one-token
# pass?
# %% role="predict" id="predict-gain"
my_gain = ...  # time of the float pass / time with INT8 linear layers, one token
# %% role="given" id="gain"
shipped = load_lm("lm", profile)
heldout = torch.from_numpy(load_tokens("heldout")[:64].astype(np.int64)).reshape(1, 64).to(profile.device)  # fmt: skip


def wait() -> None:
    """Until the GPU has done its work; a CPU has done it already."""
    if GPU:
        torch.cuda.synchronize()


def watch_linear(network, layers) -> tuple[list, list]:
    """Hooks that add up the time inside these layers: (the sum in ms, a list of one; their handles)."""
    inside, began, handles = [0.0], [0], []

    def begin(*_):
        wait()
        began[0] = time.perf_counter_ns()

    def end(*_):
        wait()
        inside[0] += (time.perf_counter_ns() - began[0]) / 1e6

    for layer in layers:
        handles += [layer.register_forward_pre_hook(begin), layer.register_forward_hook(end)]
    return inside, handles


def linear_layers(network) -> list:
    """Those of the decoder, and the one that gives the logits, float or quantized."""
    names = [*decoder_linears(shipped), "lm_head"]
    return [network.get_submodule(name) for name in names]


def split_ms(network, ids, rounds: int = 25) -> dict[str, float]:
    """Median ms inside linear layers and outside, of a pass over ids."""
    found = []
    inside, handles = watch_linear(network, linear_layers(network))
    with torch.inference_mode():
        for _ in range(rounds + 3):
            wait()
            inside[0], start = 0.0, time.perf_counter_ns()
            network(ids, use_cache=False)
            wait()
            found.append((inside[0], (time.perf_counter_ns() - start) / 1e6 - inside[0]))
    for handle in handles:
        handle.remove()
    linear, rest = np.median(found[3:], axis=0)
    return {"linear": float(linear), "rest": float(rest)}


def int8_model():
    """A copy whose linear layers run INT8 kernels of the CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(copy.deepcopy(shipped), {torch.nn.Linear}, dtype=torch.qint8)  # fmt: skip


def show_gain() -> None:
    """Amdahl's prediction from the parts, and the whole measured without hooks; on a GPU only the split."""
    integers = None if GPU else int8_model()
    for count in (64, 1):
        ids = heldout[:, :count]
        parts = split_ms(shipped, ids)
        share = parts["linear"] / sum(parts.values())
        limit = amdahl(parts, {"linear": math.inf}, 2.0)[1]
        needed = amdahl(parts, {}, 2.0)[2]["linear"]
        wanted = f"{needed:.1f} x faster" if needed else "impossible"
        print(f"{count:2d} tokens: linear {share:.0%} of the time, limit {limit:.2f} x, for a factor 2: {wanted}")  # fmt: skip
        if integers is None:
            print("   INT8 kernels: not run, torch's dynamic quantization is for CPUs")
            continue
        factor = parts["linear"] / split_ms(integers, ids)["linear"]
        predicted = amdahl(parts, {"linear": factor}, 2.0)[0]
        versions = {"float": lambda ids=ids: shipped(ids, use_cache=False), "INT8": lambda ids=ids: integers(ids, use_cache=False)}  # fmt: skip
        with torch.inference_mode():
            times = interleave_ms(versions, rounds=30)
        measured = float(np.median(times["float"]) / np.median(times["INT8"]))
        print(f"   linear layers {factor:.2f} x faster: predicted {predicted:.2f} x, measured {measured:.2f} x")  # fmt: skip
        if count == 1:
            reveal(my_gain, measured, "times as fast")


show_gain()
# %% [markdown] items="1.6.C9"
# **What you should see.** Over 64 tokens the linear layers have most of the time, and much of their gain arrives. Over one token they have about half, so the limit is near 2; and INT8 layers gain
# less there, since each call quantizes its input too. On a quiet machine prediction and measurement agree within 10 to 20 %: hooks cost time themselves.
#
# Count too what quantization *adds* to the rest: that is a factor below 1.
# %% [markdown] items="1.6.C9"
# ## The CPU as the bottleneck
#
# What is the rest, in a one-token step? The roofline gives a time for all its bytes and operations. The step takes a multiple of that: Python, dispatch, hundreds of small calls.
#
# On a GPU host and device overlap, a step takes about $\max(t_\text{host}, t_\text{device})$. As long as the host launches more slowly than kernels run, a faster kernel gains *nothing*: less than even Amdahl allows.
# %% role="given" id="host"


def show_host(step_bytes: int, step_flops: int) -> None:
    """The roof's time of a one-token pass of the shipped model beside the measured one."""
    memory, peak = list(copy_levels.values())[-1] * 1e9, peak_rates["BF16" if GPU else "FP32"]
    roof_ms = 1e3 * step_flops / attainable(step_flops, {"memory": step_bytes}, peak, {"memory": memory})[0]  # fmt: skip
    step_ms = best_ms({"": lambda: shipped(heldout[:, :1], use_cache=False)}, 30)[""]
    print(f"weights of linear layers: {step_bytes / 2**20:.1f} MiB; from memory {roof_ms:.3f} ms at best")  # fmt: skip
    print(f"a one-token pass: {step_ms:.3f} ms, its roof is {roof_ms / step_ms:.0%} of that")
    if roof_ms >= step_ms:
        print("faster than memory's roof: the weights came from a cache, or the copies ran on a busy machine")  # fmt: skip
        return
    parts = {"roof": roof_ms, "else": step_ms - roof_ms}
    print(f"infinitely fast memory and arithmetic: at most {amdahl(parts, {'roof': math.inf}, 2.0)[1]:.2f} x")  # fmt: skip


def show_shipped() -> None:
    """The same for the shipped model: every weight of a linear layer is used once."""
    weights = [layer.weight for layer in linear_layers(shipped)]
    count = sum(weight.numel() for weight in weights)
    show_host(count * weights[0].element_size(), 2 * count)


show_shipped()
# %% [markdown] items="1.6.C9 1.6.C7"
# **What you should see.** The roof's time is a part of the step, on a GPU a small part: the model is so small that starting operations costs more than running them (and its weights may come from a cache, faster than memory's roof). Cures for
# that rest: larger batches, fewer and larger operations (fusion, `torch.compile`), CUDA Graphs. Lesson 5 does that.
# %% [markdown] items="1.6.C7 1.6.C9 1.6.K6"
# ## In your own words: what to buy
#
# A chat service decodes with batch 4. Its GPU: 400 TFLOP/s in FP16, 2 TB/s. A profile of one step: linear layers 12 ms (FP16 weights, 85 % of the roof), attention over the cache 3 ms (80 % of its roof), everything else 5 ms, in which the GPU mostly waits for the host. Three proposals: (a) a GPU with
# twice the FLOP/s and the same memory, (b) INT4 weights, (c) CUDA Graphs, which would bring "everything else" to 1 ms.
#
# Which bound holds for each part? What does each proposal gain at best, and what do (b) and (c) together? Give numbers. 120 to 200 words.
# %% [markdown] role="written" id="roof-review" items="1.6.C7 1.6.C9 1.6.K6" points=3
# **Model answer.** The ridge is 400e12 / 2e12 = 200 FLOP/byte. Linear layers at batch 4 with 2-byte weights have about 2 * 4 / 2 = 4 FLOP/byte: far left of the ridge, memory-bound, and at 85 % of that roof there is little to gain without moving fewer bytes. Attention over the cache
# has an intensity of a few FLOP/byte at most, whatever the batch: memory-bound too. Everything else is bound by the host, below both roofs.
#
# (a) raises a roof that nothing touches: no gain, 20 ms stay 20 ms. (b) moves a quarter of the weight bytes, a little more with scales: 12 ms become about 3 ms at best, 20 / 11 = 1.8 times. Intensity rises to 16, still memory-bound. The cache is not touched. (c) 5 ms become 1 ms: 20 / 16 = 1.25 times. Both:
# 3 + 3 + 1 = 7 ms, 20 / 7 = 2.9 times, more than 1.8 * 1.25 = 2.3, since each gain makes the other part's share larger. Then attention has 43 % of the step, so the next target is the cache. INT4's quality must be measured, and whether its kernel reaches the roof: dequantization is work too.
#
# **Rubric.** 1 point: bounds from intensity and ridge with numbers, the host-bound part named. 1 point: (a) gains nothing, (b) and (c) right to within rounding. 1 point: both together by adding times, not by adding or multiplying gains, and one thing that has to be measured.
# %% [markdown]
# ## Recap
#
# - Intensity is operations by bytes. GEMV about $2/s$; GEMM grows with its size; elementwise operations, norms and softmax stay below one or two.
# - Weights in fewer bits raise the intensity of decoding; for long texts the cache decides.
# - Ceilings are measured: a copy counts twice its array; a peak belongs to a type and a kernel.
# - Rate at most min(peak, intensity x bandwidth). The ridge divides memory-bound from compute-bound.
# - Far below both roofs: launches, latency, small sizes, bad kernels. Above: a wrong count.
# - Amdahl: add the new times. What you cannot speed up sets the limit; the host can be that part.
#
# ## Three questions without code
#
# <details><summary>1. A kernel moves half the bytes after fusion and takes the same time. What do you conclude?</summary>It was not limited by memory bandwidth. Look at its share of both roofs: probably it is bound by
# starting, by latency or by arithmetic (exponentials).</details>
# <details><summary>2. A report shows an operator at 130 % of the memory roof. Name two honest causes.</summary>Its data came from a cache, since it was small or just used; or the ceiling was measured while the machine was busy. (Or bytes were counted that never moved.)</details>
# <details><summary>3. A GPU twice as fast in everything runs a service 1.1 times as fast. Which share of the time was on the GPU, if nothing overlaps?</summary>1 / (1 - p + p/2) = 1.1, so p = 2 (1 - 1/1.1) = 0.18. Four fifths of the time are elsewhere.</details>
#
# ## Reading
#
# - Samuel Williams, Andrew Waterman, David Patterson, "Roofline: An Insightful Visual Performance Model for Multicore Architectures", *Communications of the ACM* 52(4), 2009: the model and its ceilings.
# - John D. McCalpin, "Memory Bandwidth and Machine Balance in Current High Performance Computers", IEEE TCCA Newsletter, 1995; and STREAM's documentation: what is counted, why arrays must exceed the caches.
# - Gene M. Amdahl, "Validity of the single processor approach to achieving large scale computing capabilities", AFIPS Spring Joint Computer Conference, 1967. John L. Gustafson, "Reevaluating Amdahl's Law", *Communications of the ACM* 31(5), 1988.
# - Tri Dao and others, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness", 2022: attention counted in bytes.
# - Sehoon Kim and others, "SqueezeLLM", 2023: motivates weight quantization by memory-bound decoding.
#
# **Next:** traces: where in the program does the time go?
