# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Read and write numbers in few bits
#
# **You end with:** your own FP8 encoder and decoder that agree with two libraries in every bit, a
# packer that puts two INT4 weights into a byte, and the bytes and errors of one layer in eight formats.
#
# About 100 minutes. 32 points: 29 graded by machine, 3 by a person. Runs on a laptop, no GPU, no
# network. You need NumPy and what a bit is; nothing of quantization yet.
#
# How to work: run the cells from the top. Where a cell says `raise NotImplementedError`, write your
# code. The cell below it checks it and says what is off.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import ml_dtypes
import numpy as np
import torch
import yaml

from autograder import check
from lab.paths import repo_root
from lab.plots import COLOURS, HATCHES, INK, code_line, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## Count to a thousand
#
# BF16 is the format in which most large models are trained. The next cell starts at 0 and adds 1, a
# thousand times, in BF16. **Predict first:** where does it arrive? Put your number in place of `...`.
# %% role="predict" id="predict-count"
my_count = ...
# %% role="given" id="count"
total = torch.tensor(0.0, dtype=torch.bfloat16, device=profile.device)
for _ in range(1000):
    total += 1
count_bf16 = float(total)
reveal(my_count, count_bf16)


# %% [markdown] items="1.1.C2"
# **What happened.** BF16 keeps 8 significant bits. From 256 on its numbers are 2 apart, so 257 lies
# exactly between 256 and 258. A tie goes to the neighbour whose last bit is 0, here 256. Each further
# 1 is lost in the same way.
#
# Nothing failed and nothing warned. A format decides which numbers exist; everything else is rounded
# to them. This notebook makes those rules yours.
# %% [markdown] items="1.1.C1"
# ## Why fewer bits
#
# Four things shrink with the bits of a number:
#
# - **memory:** bytes = numbers x bits / 8;
# - **bandwidth:** the same bytes cross the bus, so they arrive sooner;
# - **compute:** a narrow multiplier is small, so a chip has more of them;
# - **energy:** both the multiplication and the trip from memory cost less.
#
# The next cell measures the second: it copies one layer's weights, 11008 x 4096 (feed-forward, 7B
# Llama), at four widths.
# %% role="given" id="bandwidth"
def time_copy(size_bytes):
    # Filled, not zeroed: pages of zeros that were never written are not real memory yet.
    source = torch.full((size_bytes,), 1, dtype=torch.uint8, device=profile.device)
    target = torch.full_like(source, 2)
    return measure(lambda: target.copy_(source), warmup=2, repeats=15)


layer_bytes = {bits: 11008 * 4096 * bits // 8 for bits in (32, 16, 8, 4)}
timings = {bits: time_copy(size_bytes) for bits, size_bytes in layer_bytes.items()}
for bits, timing in timings.items():
    print(f"{bits:2d} bits: {layer_bytes[bits] / 1e6:6.1f} MB, {timing}")
# Read and written: two bytes of traffic for each byte copied.
bandwidth_gb_s = 2 * layer_bytes[32] / (timings[32].median_ms * 1e6)
print(f"This machine moves about {bandwidth_gb_s:.0f} GB/s.")
# %% [markdown]
# **What you should see.** Half the bits, about half the time or less: the copy waits for memory, and
# a copy that fits into a cache gains more. Other programs on the machine blur the figures: run the cell
# again if the order is odd. Generating one token reads every weight once, so it is bound by this number too.
# %% [markdown] items="1.1.C1"
# **Energy.** Horowitz (ISSCC 2014, figure 1.1.9) lists the energy of one operation in a 45 nm chip at
# 0.9 V. Newer chips need less of everything; the proportions are what matters here. A multiplication
# grows about with the square of its width, and a trip to DRAM dwarfs both.
#
# The cell adds up one multiply-accumulate and the trip of its weight from DRAM, taken at the low end
# of his range.
# %% role="given" id="energy"
# pJ, Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, fig. 1.1.9
MULTIPLY_PJ = {"FP32": 3.7, "FP16": 1.1, "INT8": 0.2}
ADD_PJ = {"FP32": 0.9, "FP16": 0.4, "INT8": 0.1}  # INT8 products are summed in 32-bit integers
DRAM_PJ_PER_BIT = 1300 / 64  # 1.3 to 2.6 nJ for 64 bits
BITS = {"FP32": 32, "FP16": 16, "INT8": 8}

fig, axes = figure(height_inch=2.6)
ax = axes[0, 0]
for row, name in enumerate(BITS):
    costs = [MULTIPLY_PJ[name] + ADD_PJ[name], DRAM_PJ_PER_BIT * BITS[name]]
    for part, (label, cost) in enumerate(
        zip(("multiply and add", "weight from DRAM"), costs, strict=True)
    ):
        y = row + 0.38 * part - 0.19
        ax.barh(
            y,
            cost,
            0.36,
            color=COLOURS[part],
            hatch=HATCHES[part],
            edgecolor=INK,
            label=label if row == 0 else None,
        )
        ax.text(cost * 1.1, y, f"{cost:.3g} pJ", va="center")
ax.set(xscale="log", xlim=(0.1, 5000), xlabel="pJ for one weight used once (45 nm)")
ax.set_yticks(range(len(BITS)), list(BITS))
ax.invert_yaxis()
ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.22), ncol=2)
show(
    fig,
    alt="Bars on a logarithmic axis: energy of one multiply-add and of fetching its weight from "
    "DRAM, for FP32, FP16 and INT8. The fetch costs over a hundred times the arithmetic in each.",
)


# %% [markdown] items="1.1.C1"
# **A model's bytes.** With $N$ weights of $b$ bits, packed end to end, the weights take
# $\lceil N b / 8 \rceil$ bytes. Low-bit formats add a scale (one number) for each group of $g$
# weights: $\lceil N / g \rceil$ scales of $s$ bits.
#
# **A ceiling on speed.** One user's next token needs every stored byte once. With a bandwidth of $B$
# bytes/s no implementation beats $B$ / bytes tokens/s. (Caches and activations only lower it.)
# %% role="exercise" id="weight-bytes" items="1.1.C1" minutes=6
def weight_bytes(
    params: int,
    bits: int,
    bandwidth_gb_s: float,
    group_size: int | None = None,
    scale_bits: int = 16,
) -> tuple[int, float]:
    """Bytes of a model's stored weights, and the most tokens/s that memory bandwidth allows.

    The weights are packed end to end and rounded up to whole bytes once. With a group_size, each
    started group of that many weights has one scale of scale_bits; the scales together are packed
    and rounded up to whole bytes once. Without a group_size there are no scales.

    Args:
        params: number of weights, at least 1.
        bits: bits of one weight.
        bandwidth_gb_s: memory bandwidth in GB/s (1 GB is 10**9 bytes).
        group_size: weights that share a scale, or None.
        scale_bits: bits of one scale.

    Returns:
        size_bytes (int) of weights and scales, and tokens_per_s (float), every byte read once a token.

    >>> weight_bytes(1_000_000_000, 4, 100.0, group_size=128)
    (515625000, 193.93939393939394)
    """
    ### BEGIN SOLUTION
    size_bytes = -(-params * bits // 8)
    if group_size is not None:
        groups = -(-params // group_size)
        size_bytes += -(-groups * scale_bits // 8)
    return size_bytes, bandwidth_gb_s * 1e9 / size_bytes
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Add up bits first; a byte is 8 of them. <code>-(-a // b)</code>
# divides integers and rounds up.</details>
# <details><summary>Hint 2</summary>The number of groups is rounded up: a last group of one weight has
# a scale too.</details>
# <details><summary>Hint 3</summary>Bytes a second, divided by bytes a token, is tokens a second.</details>
# %% role="check" id="weight-bytes" points=2
check("weight-bytes", weight_bytes)
# %%
for label, bits, group in (("FP16", 16, None), ("INT8", 8, None), ("INT4, groups of 128", 4, 128)):
    size_bytes, ceiling = weight_bytes(7_000_000_000, bits, bandwidth_gb_s, group)
    print(
        f"7B weights in {label:20s} {size_bytes / 1e9:6.2f} GB, at most {ceiling:5.2f} tokens/s here"
    )
# %% [markdown] items="1.1.C2"
# ## What the bits of a float mean
#
# A float has a sign bit $S$, an exponent field $E$ of $e$ bits and a mantissa field $M$ of $m$ bits.
# With the bias $2^{e-1} - 1$:
#
# $$x = (-1)^S \times 2^{E - \text{bias}} \times (1 + M / 2^m) \quad (E > 0)$$
#
# $$x = (-1)^S \times 2^{1 - \text{bias}} \times M / 2^m \quad (E = 0)$$
# %% [markdown]
# $e$ sets the **range**, $m$ the **precision**. The second line gives zero and the **subnormals**:
# evenly spaced steps that fill the hole around zero.
# %% role="given" id="layouts"
LAYOUTS = {
    "FP32": (1, 8, 23),
    "FP16": (1, 5, 10),
    "BF16": (1, 8, 7),
    "FP8 E5M2": (1, 5, 2),
    "FP8 E4M3": (1, 4, 3),
    "INT8": (0, 0, 8),
    "FP4 E2M1": (1, 2, 1),
    "INT4": (0, 0, 4),
}
fig, axes = figure(height_inch=3.2)
ax = axes[0, 0]
for row, fields in enumerate(LAYOUTS.values()):
    kinds = ("sign", "exponent", "mantissa") if fields[0] else ("", "", "two's complement integer")
    colours = [COLOURS[1], COLOURS[0], COLOURS[2] if fields[0] else COLOURS[4]]
    left = 0
    for width, kind, colour, hatch in zip(fields, kinds, colours, ("", "//", ".."), strict=True):
        for bit in range(width):
            ax.barh(
                row,
                1,
                0.7,
                left=left + bit,
                facecolor=(colour, 0.55),
                edgecolor=INK,
                hatch=hatch if fields[0] else "xx",
                label=kind if bit == 0 and row in (0, 5) else None,
            )
        left += width
ax.set_yticks(range(len(LAYOUTS)), list(LAYOUTS))
ax.set(xlabel="bits", xticks=(0, 4, 8, 16, 32))
ax.invert_yaxis()
ax.grid(False)
ax.legend(loc="lower right")
show(
    fig,
    alt="Bit layouts. FP32 has 1 sign, 8 exponent and 23 mantissa bits, FP16 1, 5 and 10, BF16 1, 8 "
    "and 7, E5M2 1, 5 and 2, E4M3 1, 4 and 3, E2M1 1, 2 and 1; INT8 and INT4 are plain integers.",
)


# %% [markdown] items="1.1.C2"
# **Turn the knobs.** The upper line shows every value of a small float with $e$ exponent and $m$
# mantissa bits, no code kept for infinity or NaN. The lower plot shows the gap to the next value,
# relative to the value. Try 8-bit formats (4 and 3, 5 and 2), FP6 (2 and 3, 3 and 2), FP4 (2 and 1).
#
# What does one more exponent bit change in the lower plot? And one more mantissa bit?
# %% role="given" id="small-floats"
def small_float_values(exponent_bits, mantissa_bits):
    """All non-negative values, rising: float64 of shape (2**(e + m),)."""
    steps = 2**mantissa_bits
    field, rest = np.divmod(np.arange(2**exponent_bits * steps), steps)
    whole = np.where(field > 0, rest + steps, rest)
    return whole * 2.0 ** (np.maximum(field, 1) - (2 ** (exponent_bits - 1) - 1) - mantissa_bits)


def draw_small_float(exponent_bits=2, mantissa_bits=1):
    values = small_float_values(exponent_bits, mantissa_bits)
    fig, axes = figure(rows=2, height_inch=2.2)
    line, gaps = axes[:, 0]
    both = np.concatenate([-values, values])
    line.vlines(both, 0, 1, color=COLOURS[0], linewidth=1.2)
    name = f"E{exponent_bits}M{mantissa_bits}"
    line.set(yticks=[], xlabel=f"{2 * len(values)} codes of {name}, up to {values[-1]:g}")
    positive = values[1:]
    gaps.loglog(
        positive[:-1],
        np.diff(positive) / positive[:-1],
        "o-",
        color=COLOURS[0],
        markersize=3,
        label=name,
    )
    integers = np.arange(1, len(values) - 1)  # of an integer type with as many bits
    gaps.loglog(
        integers * values[-1] / (len(values) - 1),
        1 / integers,
        "--",
        color=COLOURS[1],
        label=f"INT{exponent_bits + mantissa_bits + 1} scaled to the same range",
    )
    gaps.set(xlabel="value", ylabel="gap / value")
    gaps.legend(loc="lower left")
    return fig, (
        f"Number line of the {2 * len(values)} values of {name}, dense near zero and sparse towards "
        f"{values[-1]:g}; below it the relative gap, flat over the normal values, where that of integers falls."
    )


explore(draw_small_float, exponent_bits=(2, 5, 1), mantissa_bits=(1, 4, 1))


# %% [markdown]
# **What you should see.** A float's relative gap is a sawtooth between $2^{-m}$ and half of it, over
# all normal values: a mantissa bit lowers it by half, an exponent bit makes it longer. Below the
# smallest normal value the steps stay equal, so the relative gap grows. Integers have one step
# everywhere: precise at the top, blind near zero.
# %% [markdown] items="1.1.C2"
# **Special values** take codes away from numbers. Three families:
#
# - **ieee** (FP32, FP16, BF16, E5M2): exponent field all ones means infinity ($M = 0$) or NaN;
# - **fn** ("finite, NaN": E4M3): no infinity, and NaN only where all exponent and mantissa bits are
#   one, so the top exponent serves numbers too;
# - **finite** (FP6, FP4): every code is a number.
#
# **Epsilon** is the gap from 1 to the next value, $2^{-m}$: the precision in one number.
# %% role="exercise" id="format-limits" items="1.1.C2" minutes=10
def format_limits(
    exponent_bits: int, mantissa_bits: int, specials: str = "ieee"
) -> tuple[float, float, float, float]:
    """Range and precision of a float format with a sign bit and the bias 2**(exponent_bits - 1) - 1.

    Args:
        exponent_bits: e, 2 to 8. mantissa_bits: m, 1 to 23.
        specials: "ieee": the exponent field of all ones holds infinity and NaN;
            "fn": only the code whose exponent and mantissa bits are all ones is special (NaN);
            "finite": every code is a number.

    Returns:
        largest, smallest_normal, smallest_subnormal, epsilon: floats, exact.
        largest is the largest finite value, the two smallest are positive,
        epsilon is the gap between 1 and the next larger value.

    >>> format_limits(5, 10)
    (65504.0, 6.103515625e-05, 5.960464477539063e-08, 0.0009765625)
    """
    ### BEGIN SOLUTION
    bias = 2 ** (exponent_bits - 1) - 1
    epsilon = 2.0**-mantissa_bits
    top_field, mantissa = 2**exponent_bits - 1, 2 - epsilon
    if specials == "ieee":
        top_field -= 1
    if specials == "fn":
        mantissa -= epsilon
    smallest_normal = 2.0 ** (1 - bias)
    return mantissa * 2.0 ** (top_field - bias), smallest_normal, smallest_normal * epsilon, epsilon
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Which is the largest exponent field that still holds numbers? Put it
# and the largest mantissa into the formula.</details>
# <details><summary>Hint 2</summary>1 + M / 2**m with all mantissa bits set is 2 - 2**-m. In "fn" that
# code is NaN when the exponent is at its top: go one step down.</details>
# <details><summary>Hint 3</summary>The smallest normal value has E = 1 and M = 0, the smallest
# subnormal E = 0 and M = 1.</details>
# %% role="check" id="format-limits" points=3
check("format-limits", format_limits)
# %%
# Table 1 of Micikevicius et al. 2022 in miniature, with the other formats beside FP8.
FORMATS = {
    "FP32": (8, 23, "ieee"),
    "FP16": (5, 10, "ieee"),
    "BF16": (8, 7, "ieee"),
    "FP8 E5M2": (5, 2, "ieee"),
    "FP8 E4M3": (4, 3, "fn"),
    "FP6 E3M2": (3, 2, "finite"),
    "FP6 E2M3": (2, 3, "finite"),
    "FP4 E2M1": (2, 1, "finite"),
}
print(
    f"{'':9s} {'largest':>12s} {'min normal':>12s} {'min subnormal':>14s} {'epsilon':>12s} {'binades':>8s}"
)
for name, arguments in FORMATS.items():
    largest, normal, subnormal, epsilon = format_limits(*arguments)
    binades = np.log2(largest) - np.log2(subnormal)
    print(
        f"{name:9s} {largest:12.5g} {normal:12.5g} {subnormal:14.5g} {epsilon:12.5g} {binades:8.1f}"
    )
# %% [markdown] items="1.1.C2"
# **FP16 or BF16?** Both have 16 bits. FP16 spends them on precision, BF16 on range: it has FP32's
# exponent field, so it is simply the upper half of an FP32 number, and nothing that fitted before
# overflows now. FP16 loses values above 65504 and below about $6 \times 10^{-8}$; that is why
# training in FP16 needs loss scaling (notebook 5) and BF16 does not.
# %%
for value in (70_000.0, 1e-8, 1 / 3, 257.0):
    half = torch.tensor(value).half().item()
    brain = torch.tensor(value).bfloat16().item()
    print(f"{value:10.6g}: FP16 {half:12.8g}   BF16 {brain:12.8g}")


# %% [markdown] items="1.1.C2"
# **Rounding to BF16.** Keep the upper 16 bits of the 32. Look at the 16 that fall off:
#
# - less than `0x8000`: leave the upper half as it is;
# - more: add 1 to it. The carry may run into the exponent: that is right, 1.11...1 becomes 10.0;
# - exactly `0x8000`, a **tie**: take the upper half that ends in 0 (round to nearest, ties to even).
# %% [markdown]
# Bits order like magnitudes, so this works for subnormals and gives infinity on overflow. Only NaN
# needs care.
# %% role="exercise" id="bf16-round" items="1.1.C2" minutes=10
def to_bfloat16(x: np.ndarray) -> np.ndarray:
    """The BF16 bit patterns of float32 values, rounded to nearest, ties to even.

    Args:
        x: float32, any shape with at least one axis.

    Returns:
        uint16, the shape of x. NaN gives a NaN (any: exponent bits all ones, mantissa not 0);
        infinities, signed zeros and subnormals keep their kind; what rounds beyond the largest
        BF16 value gives infinity.

    >>> [hex(code) for code in to_bfloat16(np.array([1.0, -2.0, 257.0], np.float32))]
    ['0x3f80', '0xc000', '0x4380']
    """
    ### BEGIN SOLUTION
    bits = np.ascontiguousarray(x).view(np.uint32)
    last_kept = (bits >> 16) & 1
    rounded = (bits + np.uint32(0x7FFF) + last_kept) >> 16  # a tie carries only from an odd half
    quiet_nan = (bits >> 16) | 0x0040
    return np.where(np.isnan(x), quiet_nan, rounded).astype(np.uint16)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>x.view(np.uint32)</code> shows the bits without changing
# them; <code>&gt;&gt; 16</code> keeps the upper half.</details>
# <details><summary>Hint 2</summary>Adding <code>0x7FFF + last_kept_bit</code> before the shift carries
# exactly when rounding to even goes up.</details>
# <details><summary>Hint 3</summary>A NaN whose only mantissa bits are low ones becomes infinity when
# they are cut off. Use <code>np.where(np.isnan(x), ...)</code>.</details>
# %% role="check" id="bf16-round" points=3
check("bf16-round", to_bfloat16)
# %% [markdown] items="1.1.C2"
# ## FP8: two ways to spend eight bits
#
# | | E4M3 | E5M2 |
# |---|---|---|
# | bias | 7 | 15 |
# | largest | 448 = `S.1111.110` | 57344 = `S.11110.11` |
# | infinity | none | `S.11111.00` |
# | NaN | `S.1111.111` only | `S.11111.01`, `.10`, `.11` |
# %% [markdown] items="1.1.C2"
# E4M3 is used for weights and activations, E5M2, with more range, for gradients (Micikevicius et al.
# 2022). The rules are those of the OCP 8-bit Floating Point Specification (OFP8, 2023). Some hardware has
# `fnuz` variants with another bias: not these.
# %% [markdown]
# **Predict:** E4M3 reaches from -448 to 448 with 256 codes. How many of them stand for numbers in
# [-1, 1]? INT8 stretched over the same range has one, zero.
# %% role="predict" id="predict-codes"
my_codes_near_zero = ...
# %% role="given" id="codes-near-zero"
every_code = np.arange(256, dtype=np.uint8)
e4m3_values = every_code.view(ml_dtypes.float8_e4m3fn).astype(np.float32)
codes_near_zero = int((np.abs(e4m3_values) <= 1).sum())
reveal(my_codes_near_zero, codes_near_zero, unit="codes")

samples = {"E4M3": e4m3_values, "INT8 x 448/127": np.arange(-127, 128) * 448 / 127}
show(
    code_line(samples, xlabel="value"),
    alt="Number lines of E4M3 and of INT8 stretched to 448: E4M3's "
    "ticks crowd around zero and thin out to steps of 32 at the ends, INT8's are evenly spaced.",
)


# %% [markdown]
# **What you should see.** Close to half of all codes. Each halving of the magnitude gets its own 8
# codes, down to the subnormals. Weights of a network crowd around zero as well, which is the reason
# why 8 bits as a float work where the range is wide.
# %% role="exercise" id="fp8-decode" items="1.1.K4 1.1.C2" minutes=12
def decode_fp8(codes: np.ndarray, fmt: str) -> np.ndarray:
    """The values of FP8 codes (OCP OFP8 rev. 1.0, tables 1 and 2).

    Args:
        codes: uint8, any shape.
        fmt: "e4m3" (bias 7; S.1111.111 is NaN, no infinity) or
            "e5m2" (bias 15; S.11111.00 is infinity, S.11111.01 to .11 are NaN).

    Returns:
        float32, the shape of codes, exact. 0x80 is -0.0. Any NaN will do for a NaN.

    >>> decode_fp8(np.array([0x38, 0xC0, 0x01, 0x7E], np.uint8), "e4m3").tolist()
    [1.0, -2.0, 0.001953125, 448.0]
    """
    ### BEGIN SOLUTION
    e, m, bias = {"e4m3": (4, 3, 7), "e5m2": (5, 2, 15)}[fmt]
    code = codes.astype(np.int32)
    sign = np.where(code & 0x80, -1.0, 1.0)
    field, rest = (code >> m) & (2**e - 1), code & (2**m - 1)
    whole = np.where(field > 0, rest + 2**m, rest)
    value = sign * np.ldexp(whole.astype(np.float64), np.maximum(field, 1) - bias - m)
    if fmt == "e4m3":
        value = np.where((code & 0x7F) == 0x7F, np.nan, value)
    else:
        value = np.where(field == 31, np.where(rest == 0, sign * np.inf, np.nan), value)
    return value.astype(np.float32)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Widen the codes to int32 first; then <code>(c &gt;&gt; m) &amp;
# (2**e - 1)</code> is the exponent field and <code>c &amp; (2**m - 1)</code> the mantissa.</details>
# <details><summary>Hint 2</summary>Two formulas, for E &gt; 0 and E = 0: <code>np.where</code>
# chooses. <code>np.ldexp(a, k)</code> is a times 2**k, exactly.</details>
# <details><summary>Hint 3</summary>Multiply by the sign rather than by <code>(-1)**S</code> of an
# integer zero: -1.0 * 0.0 is -0.0. Special codes come last.</details>
# %% role="check" id="fp8-decode" points=4
check("fp8-decode", decode_fp8)
# %% [markdown] items="1.1.K4"
# **Encoding** is rounding to the nearest value that exists, ties to the even code. Find the binade
# ($2^k \le |x| < 2^{k+1}$), and with it the step $2^{k-m}$. Below the smallest normal value the step
# stays at $2^{1 - \text{bias} - m}$. Then round $|x|$ / step to an integer.
# %% [markdown] items="1.1.K4"
# **Overflow** is judged *after* rounding, on the grid continued upward. In E4M3, 464 is a tie between
# 448 and 480; 448 has the even code, so it has not overflowed. In E5M2, 61440 ties upward, to 65536:
# overflow.
# %% [markdown] items="1.1.K4"
# What becomes of overflow (and of an infinite input) is a mode of the conversion (OFP8, section on
# conversions):
#
# | | E4M3 | E5M2 |
# |---|---|---|
# | saturating | ±448 | ±57344 |
# | not saturating | NaN | ±infinity |
#
# NaN stays NaN in both modes. Libraries differ in what they choose; the next cell asks two of them.
# %% role="given" id="library-overflow"
TORCH = {"e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2}
ML_DTYPES = {"e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2}
EDGES = {"e4m3": [448, 464, 464.1, 1e6, np.inf], "e5m2": [57344, 61439, 61440, 1e6, np.inf]}
for fmt, inputs in EDGES.items():
    x = np.array(inputs, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        theirs = x.astype(ML_DTYPES[fmt]).astype(np.float32)
    print(f"{fmt}   input     {x.tolist()}")
    print(f"       torch     {torch.from_numpy(x).to(TORCH[fmt]).float().tolist()}")
    print(f"       ml_dtypes {theirs.tolist()}")


# %% [markdown]
# **What you should see.** Up to the tie they agree. Beyond it torch saturates in E4M3 and ml_dtypes
# returns NaN; in E5M2 both give infinity. So "bit-exact with the library" is only meaningful once the
# mode is named, and your encoder takes it as an argument.
# %% role="exercise" id="fp8-encode" items="1.1.K4" minutes=20
def encode_fp8(x: np.ndarray, fmt: str, saturate: bool = True) -> np.ndarray:
    """FP8 codes of float32 values: round to nearest, ties to even, then handle overflow.

    Args:
        x: float32, any shape.
        fmt: "e4m3" (largest 448, code 0x7E) or "e5m2" (largest 57344, code 0x7B).
        saturate: True: what is beyond the largest value after rounding, and infinity, gives the
            largest value. False: it gives NaN in e4m3 and infinity (0x7C) in e5m2. Signs are kept.

    Returns:
        uint8, the shape of x. Subnormals are rounded like all others, -0.0 and negatives that
        round to zero give 0x80. NaN gives any NaN of the format (0x7F is one in both).

    >>> [hex(c) for c in encode_fp8(np.array([1.0, -2.0, 464.0, 1e9], np.float32), "e4m3")]
    ['0x38', '0xc0', '0x7e', '0x7e']
    """
    ### BEGIN SOLUTION
    m, bias, largest = {"e4m3": (3, 7, 0x7E), "e5m2": (2, 15, 0x7B)}[fmt]
    beyond = largest if saturate else {"e4m3": 0x7F, "e5m2": 0x7C}[fmt]
    # float64 holds every quotient below exactly, so that there is one rounding only.
    magnitude = np.where(np.isfinite(x), np.abs(x), 2.0**20).astype(np.float64)
    binade = np.frexp(np.maximum(magnitude, 2.0 ** (1 - bias)))[1] - 1
    steps = np.rint(np.ldexp(magnitude, m - binade)).astype(np.int64)
    # A normal value has 2**m steps more than its mantissa: they make up for the 1 missing from E.
    code = (binade + bias - 1) * 2**m + steps
    code = np.where(code > largest, beyond, code)
    code = np.where(np.isnan(x), 0x7F, code)
    return (code | np.where(np.signbit(x), 0x80, 0)).astype(np.uint8)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: two good ways</summary>Either compute the step of each binade, or put all
# non-negative values into a sorted table (value number k has code k) and search the two neighbours
# with <code>np.searchsorted</code>.</details>
# <details><summary>Hint 2</summary><code>np.frexp(a)[1] - 1</code> is the binade of a &gt; 0, exactly
# (log2 may slip at powers of two). Zero has none: take at least 1 - bias. <code>np.rint</code> rounds
# ties to even.</details>
# <details><summary>Hint 3</summary>With n = rint(a / step) the code is n for subnormals and
# (k + bias - 1) * 2**m + n for normals. A carry into the next binade comes out right by itself.</details>
# <details><summary>Hint 4</summary>Do not go through float16 on the way: two roundings are not
# one.</details>
# %% role="check" id="fp8-encode" points=6
check("fp8-encode", encode_fp8)
# %% [markdown]
# **Against both libraries.** Every code, every midpoint with both neighbours, and a million float32
# bit patterns drawn at random (all magnitudes, infinities, NaNs). Differences must be 0.
# %%
rng = np.random.default_rng(0)
compared = differences = 0
for fmt in ("e4m3", "e5m2"):
    decoded = decode_fp8(every_code, fmt)
    theirs = torch.from_numpy(every_code).view(TORCH[fmt]).float().numpy()
    differences += int((decoded.view(np.uint32) != theirs.view(np.uint32))[~np.isnan(theirs)].sum())
    differences += int((np.isnan(decoded) != np.isnan(theirs)).sum())
    positive = np.sort(decoded[np.isfinite(decoded) & (decoded >= 0)])
    middle = ((positive[1:].astype(np.float64) + positive[:-1]) / 2).astype(np.float32)
    drawn = rng.integers(0, 2**32, 1_000_000, dtype=np.uint32).view(np.float32)
    x = np.concatenate(
        [
            decoded,
            middle,
            np.nextafter(middle, np.float32(0)),
            np.nextafter(middle, np.float32(np.inf)),
            drawn,
        ]
    )
    number = ~np.isnan(x)  # which NaN of several a library takes is its own choice
    by_torch = torch.from_numpy(x).to(TORCH[fmt]).view(torch.uint8).numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        by_ml_dtypes = x.astype(ML_DTYPES[fmt]).view(np.uint8)
    for reference, saturate in ((by_torch, fmt == "e4m3"), (by_ml_dtypes, False)):
        mine = encode_fp8(x, fmt, saturate)
        differences += int((mine != reference)[number].sum())
        compared += x.size
print(f"{compared:,} encodings compared, {differences} differences.")


# %% [markdown] items="1.1.C2"
# ## Integers, and two of them in a byte
#
# INT8 and INT4 have no exponent: $n$ bits hold $-2^{n-1}$ to $2^{n-1} - 1$ in **two's complement**,
# where the top bit counts $-2^{n-1}$. There is no NaN and no infinity; arithmetic saturates or wraps
# around, depending on the instruction. Real numbers become integers through a scale (notebook 2).
# %% [markdown]
# No machine addresses half a byte, so INT4 lives packed: value 0 in the **low** nibble (bits 0-3) of
# byte 0, value 1 in its high nibble, and so on.
# %% role="exercise" id="int4-pack" items="1.1.K5" minutes=8
def pack_int4(values: np.ndarray) -> np.ndarray:
    """Signed 4-bit values, two to a byte, the first of each pair in the low nibble.

    Args:
        values: int8, shape (n,), each -8 to 7. Nibbles are two's complement. An odd n is padded
            with one 0 at the end.

    Returns:
        uint8, shape (ceil(n / 2),).

    Raises:
        ValueError: a value below -8 or above 7.

    >>> [hex(byte) for byte in pack_int4(np.array([1, 2, -1, -8, 3], np.int8))]
    ['0x21', '0x8f', '0x3']
    """
    ### BEGIN SOLUTION
    if values.size and (values.min() < -8 or values.max() > 7):
        raise ValueError("pack_int4 takes values from -8 to 7: clip or quantize them first.")
    nibbles = values.view(np.uint8) & 0xF
    if len(nibbles) % 2:
        nibbles = np.append(nibbles, np.uint8(0))
    return nibbles[0::2] | (nibbles[1::2] << 4)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>v &amp; 0xF</code> keeps the low four bits: 0xF for -1, 0x8
# for -8. Without it the sign bits of a negative spill into its neighbour.</details>
# <details><summary>Hint 2</summary><code>values[0::2]</code> and <code>values[1::2]</code> are the two
# halves of the pairs.</details>
# %% role="check" id="int4-pack" points=3
check("int4-pack", pack_int4)


# %% role="exercise" id="int4-unpack" items="1.1.K5" minutes=8
def unpack_int4(packed: np.ndarray, count: int) -> np.ndarray:
    """The values that pack_int4 packed.

    Args:
        packed: uint8, shape (ceil(count / 2),), low nibble first, two's complement.
        count: how many values there were; an odd count leaves one nibble of padding.

    Returns:
        int8, shape (count,), each -8 to 7.

    >>> unpack_int4(np.array([0x21, 0x8F, 0x03], np.uint8), 5).tolist()
    [1, 2, -1, -8, 3]
    """
    ### BEGIN SOLUTION
    nibbles = np.empty(2 * len(packed), np.uint8)
    nibbles[0::2] = packed & 0xF
    nibbles[1::2] = packed >> 4
    # Flipping bit 3 and subtracting 8 maps 0..7 to itself and 8..15 to -8..-1.
    return ((nibbles ^ 8).astype(np.int8) - np.int8(8))[:count]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Make an array of 2 * len(packed) and fill its even and odd places
# separately.</details>
# <details><summary>Hint 2</summary>The sign sits in bit 3. <code>np.where(n &gt; 7, n - 16, n)</code>
# extends it; mind that uint8 cannot go below 0.</details>
# %% role="check" id="int4-unpack" points=3
check("int4-unpack", unpack_int4)
# %% [markdown] items="1.1.C2"
# **Four bits, three ways.** Sixteen codes can be spaced evenly (INT4), like a small float (FP4 E2M1),
# or so that each is used equally often by normally distributed weights (NF4, Dettmers et al. 2023,
# appendix E). The figure scales all three to [-1, 1]. Module 1.2 builds NF4; here, look at where each
# puts its codes.
# %% role="given" id="four-bits"
from scipy.stats import norm

positive = norm.ppf(np.linspace(0.9677083, 0.5, 9)[:-1])
negative = -norm.ppf(np.linspace(0.9677083, 0.5, 8)[:-1])
nf4 = np.concatenate([negative, [0], positive]) / positive.max()
fp4 = every_code[:16].view(ml_dtypes.float4_e2m1fn).astype(np.float32) / 6
lines = {"INT4": np.arange(-8, 8) / 8, "FP4": fp4, "NF4": nf4}
show(
    code_line(lines, xlabel="value / largest"),
    alt="Number lines of the sixteen codes of INT4, FP4 and "
    "NF4, scaled to one: INT4 evenly spaced, FP4 in steps that double, NF4 dense around zero.",
)
# %% [markdown] items="1.1.C1 1.1.C2"
# ## One layer, eight formats
#
# Now a whole layer: 1024 x 4096 weights, the shape of Llama 3 8B's key projection, normally distributed
# with standard deviation 0.02 (random weights of a real shape: enough for bytes and rounding error). Two
# columns of error: the weights cast **as they are**, and scaled first so that the largest weight meets
# the format's largest value.
#
# SQNR is the signal's power over the error's, in dB; 6 dB more is half the error.
# %% role="given" id="layer"
rng = np.random.default_rng(1)
layer = rng.normal(0, 0.02, (1024, 4096)).astype(np.float32)
amax = float(np.abs(layer).max())


def sqnr_db(x, restored):
    noise = np.mean(np.square(x - restored, dtype=np.float64))
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)) / noise) if noise else np.inf


def cast(x, dtype, largest):
    """x to dtype and back; integers are rounded and clipped."""
    if dtype in (np.int8, ml_dtypes.int4):
        return np.clip(np.rint(x), -largest, largest)
    return x.astype(dtype).astype(np.float32)


CASTS = {
    "FP16": (np.float16, 65504, 16),
    "BF16": (ml_dtypes.bfloat16, 3.39e38, 16),
    "FP8 E4M3": (ml_dtypes.float8_e4m3fn, 448, 8),
    "FP8 E5M2": (ml_dtypes.float8_e5m2, 57344, 8),
    "INT8": (np.int8, 127, 8),
    "FP6 E2M3": (ml_dtypes.float6_e2m3fn, 7.5, 6),
    "INT4": (ml_dtypes.int4, 7, 4),
    "FP4 E2M1": (ml_dtypes.float4_e2m1fn, 6, 4),
}
layer_result = {}
print(f"{'':9s} {'MB':>6s} {'as it is':>10s} {'scaled':>10s}   SQNR in dB")
for name, (dtype, largest, bits) in CASTS.items():
    scale = amax / largest if largest < 1e6 else 1.0  # BF16's range needs no scale
    scale = scale if name != "FP16" else 1.0
    plain_db = sqnr_db(layer, cast(layer, dtype, largest))
    scaled_db = sqnr_db(layer, cast(layer / np.float32(scale), dtype, largest) * np.float32(scale))
    layer_result[name] = (layer.size * bits / 8 / 1e6, plain_db, scaled_db)
    print(f"{name:9s} {layer_result[name][0]:6.1f} {plain_db:10.1f} {scaled_db:10.1f}")
# %% [markdown]
# **What you should see.** Cast as they are, integers, FP6 and FP4 lose everything (each weight rounds
# to 0: 0 dB), and E4M3 falls behind by 1 to 3 dB, because many weights are below its smallest normal
# value, $2^{-6}$ = 0.0156. A scale repairs them; E5M2, with its long range, never needed one. FP16 beats
# BF16 by about 18 dB: three more mantissa bits at 6 dB each.
#
# INT8 ends above E4M3. That is because these weights have no outliers. Give them one channel of large
# ones:
# %%
spiky = layer.copy()
spiky[:, 7] *= 100
usual = np.arange(spiky.shape[1]) != 7
for name in ("INT8", "FP8 E4M3"):
    dtype, largest, _ = CASTS[name]
    scale = np.float32(np.abs(spiky).max() / largest)
    restored = cast(spiky / scale, dtype, largest) * scale
    print(
        f"{name:9s} SQNR of the usual weights: {sqnr_db(spiky[:, usual], restored[:, usual]):5.1f} dB"
    )
# %% [markdown]
# **What you should see.** The outliers take the scale. INT8's even steps then pass over the usual weights
# and little of them is left; E4M3 hardly notices, because its relative precision is the same over
# 15 binades. Scales that live with outliers are the matter of notebooks 2 and 3.
# %%
# The same layer through your own functions: FP8 codes and packed INT4, with the bytes they take.
fp8_scale = np.float32(amax / 448)
codes = encode_fp8(layer / fp8_scale, "e4m3")
restored = decode_fp8(codes, "e4m3") * fp8_scale
int4_scale = np.float32(amax / 7)
packed = pack_int4(np.rint(layer / int4_scale).astype(np.int8).ravel())
unpacked = unpack_int4(packed, layer.size).reshape(layer.shape) * int4_scale
print(f"FP32 {layer.nbytes / 1e6:5.2f} MB")
print(f"FP8  {codes.nbytes / 1e6:5.2f} MB, SQNR {sqnr_db(layer, restored):5.1f} dB")
print(f"INT4 {packed.nbytes / 1e6:5.2f} MB, SQNR {sqnr_db(layer, unpacked):5.1f} dB")
same = (
    torch.from_numpy(layer / fp8_scale).to(torch.float8_e4m3fn).view(torch.uint8).numpy() == codes
)
print(f"Codes equal to torch's: {same.mean():.1%}")
# %% [markdown] items="1.1.C9 1.1.K3"
# ## Which hardware computes with what
#
# A format saves *memory* on every machine: store narrow, widen before use. It saves *compute* only
# where the chip multiplies it. We say that an accelerator **supports** a type when its matrix unit
# (tensor core, matrix core, MXU, systolic array, AMX tile) takes **both operands** of a product in that
# type. Types of vector units, of storage and of accumulators do not count.
# %% [markdown] items="1.1.C9 1.1.K3"
# The next cell lists what makers say of seventeen accelerators, with the document.
# %% role="given" id="accelerator-cards"
from IPython.display import Markdown, display

cards = yaml.safe_load((repo_root() / "data" / "accelerators.yml").read_text(encoding="utf-8"))
display(
    Markdown(
        "\n".join(
            ["| accelerator | what its maker says | document |", "|---|---|---|"]
            + [
                f"| {c['name']} | {c['says'].strip()} | {c['source']}, {c['year']} |"
                for c in cards["accelerators"]
            ]
        )
    )
)


# %% role="exercise" id="accelerators" items="1.1.K3 1.1.C9" minutes=10
def accelerators() -> dict[str, set[str]]:
    """Five accelerators of your choice and the narrow types that each supports.

    Choose five names from the list above, of two makers or more. For each, name all of these
    types that its matrix unit multiplies, both operands in that type:
    "fp16", "bf16", "fp8", "fp6", "fp4", "int8", "int4".
    fp8 stands for every 8-bit float (E4M3, E5M2, fnuz, MXFP8), fp4 for MXFP4 and NVFP4 too.
    Wider types (tf32, fp32, fp64) are not asked for. Each accelerator is graded by itself.

    Returns:
        name of the accelerator -> set of its types.

    >>> len(accelerators())
    5
    """
    ### BEGIN SOLUTION
    return {
        "NVIDIA V100": {"fp16"},
        "NVIDIA A100": {"fp16", "bf16", "int8", "int4"},
        "NVIDIA H100": {"fp16", "bf16", "fp8", "int8"},
        "AMD MI300X": {"fp16", "bf16", "fp8", "int8"},
        "Google TPU v5e": {"bf16", "int8"},
    }
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Read each card for the words "matrix", "tensor" and "tile"; skip
# what it says of CUDA cores, vector and scalar engines.</details>
# <details><summary>Hint 2</summary>A newer chip need not keep all types of an older one: look for INT4
# in A100 and in H100.</details>
# %% role="check" id="accelerators" points=5
check("accelerators", accelerators)
# %% [markdown] items="1.1.C1 1.1.C9"
# ## In your own words
#
# One team serves an 8B model to **one user at a time** on an A100 and wants its weights in FP8 in place
# of FP16. Another trains the model on H100s and wants FP8 too.
#
# In 120 to 200 words: what does FP8 buy each team in memory, bandwidth, compute and energy, and what
# not? What can go wrong with the numbers, and how would they notice? Use two figures that this
# notebook computed or cited.
# %% [markdown] role="written" id="why-low-precision" items="1.1.C1 1.1.C9" points=3
# **Model answer.** One user at a time means that each token waits for the weights: half the bytes
# (16 GB to 8 GB for 8B weights) double the bandwidth ceiling, 2 x tokens/s at best, on the A100 too,
# because FP8 is only storage there. Its tensor cores take FP16, BF16, INT8 and INT4 but not FP8, so each
# weight is widened to FP16 before the product: no compute is saved, and the widening costs a little.
# Energy falls with the traffic: fetching a weight from DRAM costs hundreds of times its
# multiplication (Horowitz: 325 pJ for 16 bits against 1.5 pJ).
#
# H100 multiplies FP8, so training, which is bound by compute, gains there as well. The risks are
# range and precision: E4M3 ends at 448 and below 2^-6 its steps stop shrinking, so tensors need a scale;
# E4M3 keeps 4 significant bits. Gradients need more range: E5M2. Overflow either saturates silently or
# gives NaN, depending on the conversion. They notice by measuring: the SQNR of a layer, NaN counts, the
# loss curve or the perplexity against BF16.
#
# **Rubric.** 1 point: memory and bandwidth for the single user, with a right figure, and why speed
# follows bytes. 1 point: stored against computed: A100 has no FP8 in its tensor cores, H100 has. 1 point:
# a real numerical risk (range, precision, overflow mode, need of a scale) and a measurement that would
# show it. Half a point off where no figure from the notebook is used.
# %% [markdown]
# ## Recap
#
# - Fewer bits save memory and bandwidth everywhere, compute only where the matrix unit knows the type.
# - Exponent bits buy range, mantissa bits precision; subnormals fill the hole around zero.
# - E4M3: largest 448, no infinity, one NaN. E5M2: largest 57344, specials as in IEEE 754.
# - Round to nearest, ties to even, **once**; judge overflow after rounding; say which mode you mean.
# - INT4 is two's complement in nibbles; the low one comes first here. Formats differ: read theirs.
#
# **Three questions**
#
# <details><summary>1. Why does going from FP32 to FP8 through FP16 give a few wrong codes?</summary>
# The first rounding may land exactly on a midpoint of FP8, and the tie is then broken without knowing on
# which side the number was.</details>
# <details><summary>2. A sum of a million BF16 ones: which change makes it right, with the inputs still
# BF16?</summary>Keep the running sum in FP32. Tensor cores do the same: narrow products, wide
# accumulator.</details>
# <details><summary>3. E4M3 could have been IEEE-like, with infinity. What would it have lost?</summary>
# Its top binade: the largest value would be 240 in place of 448.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Micikevicius et al., *FP8 Formats for Deep Learning*, 2022, section 3 and table 1: why E4M3 gives up
#   infinity. The table after `format-limits` reproduces table 1 in miniature.
# - Open Compute Project, *8-bit Floating Point Specification (OFP8)*, revision 1.0, 2023: the tables of
#   values and of conversions. `fp8-encode` follows them.
# - Horowitz, *Computing's energy problem*, ISSCC 2014, figure 1.1.9: the energy figure above.
# - Kalamkar et al., *A Study of BFLOAT16 for Deep Learning Training*, 2019, section 3: why the low 16 bits
#   of FP32 can go.
# - Rouhani et al., *Microscaling Data Formats for Deep Learning*, 2023, table 1: FP6 and FP4 with a shared
#   scale for 32 values.
#
# **Next:** `2_affine_quantization`: how a real number becomes an integer, with a scale and a zero-point.
# %%
# Your result.
print(f"BF16 counts to                    {count_bf16:.0f}")
print(f"E4M3 codes in [-1, 1]             {codes_near_zero} of 256")
print(f"FP8 encodings compared            {compared:,}, {differences} differences")
print(f"INT4 bytes for {layer.size:,} weights {packed.nbytes:,}")
for name in ("BF16", "FP8 E4M3", "INT8", "INT4"):
    size_mb, _, scaled_db = layer_result[name]
    print(f"{name:9s} layer 1024 x 4096       {size_mb:5.1f} MB, {scaled_db:5.1f} dB")
