# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Store weights in NF4 and train beside them
#
# **You end with:** your own NF4 quantizer with quantized scales, equal to bitsandbytes', a LoRA adapter equal
# to PEFT's, and a language model that learns instructions while its 4-bit weights stay as they are, byte
# for byte.
#
# About 105 minutes. 38 points: 35 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network.
# You need scales and groups (module 1.1, lessons 2 and 3), normal quantiles and `nn.Module`.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import hashlib
import logging
import math

import numpy as np
import torch
from scipy.stats import norm
from torch import nn

from autograder import check
from lab.codebooks import dynamic_levels, fp4_levels, int4_levels
from lab.fake_quant import decoder_linears, round_to_nearest, with_weights
from lab.instructions import encode_examples, instruction_set, score_responses
from lab.lm import load_lm, load_tokenizer
from lab.perplexity import token_losses
from lab.plots import COLOURS, LINES, bars, code_line, explore, figure, show
from lab.predict import reveal
from lab.profile import seed_everything, use_profile

profile = use_profile(PROFILE)
seed_everything(0)
profile


# %% [markdown]
# ## Sixteen odd numbers
#
# bitsandbytes, the library behind QLoRA, holds the sixteen constants below, to seven digits. Here they
# stand beside the evenly spaced grid of INT4. Both grids get the same normal data, in blocks of 64 with one
# scale each: the same bytes. Run it.
# %% role="given" id="odd-numbers"
table_values = """-1.0 -0.6961928 -0.5250731 -0.3949175 -0.2844414 -0.1847734 -0.0910500 0.0
    0.0795803 0.1609302 0.2461123 0.3379152 0.4407098 0.5626170 0.7229568 1.0"""
odd_numbers = np.array(table_values.split(), np.float64)
normal_data = np.random.default_rng(0).normal(0, 1, (16384, 64))
absmax = np.abs(normal_data).max(axis=1, keepdims=True)


def grid_mse(grid):
    """Mean squared error of rounding each value over its block's absmax to the nearest of `grid`."""
    middles = (grid[1:] + grid[:-1]) / 2
    restored = grid[np.searchsorted(middles, normal_data / absmax)] * absmax
    return float(np.mean((normal_data - restored) ** 2))


opening = {"INT4": grid_mse(int4_levels()), "the sixteen numbers": grid_mse(odd_numbers)}
for name, mse in opening.items():
    print(f"{name:20s} mean squared error {mse:.4f}")
print(f"ratio {opening['INT4'] / opening['the sixteen numbers']:.2f}")
show(
    code_line({"INT4": int4_levels(), "the sixteen": odd_numbers}, title="Two grids of 4 bits"),
    alt="Two number lines from -1 to 1. INT4 has 15 evenly spaced levels. The other has 16, close together "
    "around zero and far apart towards -1 and 1.",
)
# %% [markdown] items="1.2.C5"
# **What happened.** About a quarter less error, from nothing but sixteen other numbers. Nobody trained
# them on a model. They follow from one assumption: weights within a block look normal. You will derive all
# of them in a few lines, and then build what QLoRA (Dettmers et al. 2023) put around them.
# %% [markdown] items="1.2.C5"
# ## NormalFloat: levels at quantiles
#
# A **quantile** $Q(p)$ of the standard normal is the value that a share $p$ of all draws stays below.
# Levels at evenly spaced $p$ are equally likely to be used.
#
# Two troubles. $Q(0)$ and $Q(1)$ are infinite, so the outermost $p$ stops short, at an **offset** below 1.
# And $p = 0.5$ must be a level: $Q(0.5) = 0$, so that a zero weight stays exactly zero.
# %% [markdown] items="1.2.C5"
# ## Asymmetric halves
#
# An even number of levels with a zero in it cannot be symmetric. NF4 gives 8 levels to the positive side, 7
# to the negative one, and 1 to zero. Each side takes its own evenly spaced probabilities, from the
# offset down towards 0.5:
#
# $$Q(\mathrm{linspace}(\delta, 0.5, 9)_{0..7}), \qquad -Q(\mathrm{linspace}(\delta, 0.5, 8)_{0..6}).$$
#
# All are divided by $Q(\delta)$, so that they end at exactly -1 and 1. For NF4, $\delta = 0.9677083$.
# %%
# Where the offset comes from: half of a sixteenth, and half of a fifteenth, averaged.
print(f"(1 - 1/30 + 1 - 1/32) / 2 = {(1 - 1 / 30 + 1 - 1 / 32) / 2:.7f}")


# %% [markdown] items="1.2.C5 1.2.K3"
# ### Exercise: build the levels
#
# For any number of bits: $2^{b-1}$ positive levels, one zero, $2^{b-1} - 1$ negative ones.
#
# <details><summary>Hint 1</summary><code>norm.ppf</code> is Q, <code>np.linspace(a, b, n)[:-1]</code>
# leaves the end out.</details>
# <details><summary>Hint 2</summary>Join the negative side, a 0.0 and the positive side, sort, divide by
# <code>norm.ppf(offset)</code>.</details>
# %% role="exercise" id="nf4-levels" items="1.2.C5 1.2.K3" minutes=10
def normal_levels(offset: float = 0.9677083, bits: int = 4) -> np.ndarray:
    """The levels of NormalFloat: quantiles of the standard normal distribution, scaled to [-1, 1].

    With half = 2**(bits - 1): the positive levels are Q(p) at the first `half` of half + 1 evenly spaced
    p from offset to 0.5; the negative ones -Q(p) at the first half - 1 of `half` evenly spaced p from
    offset to 0.5; and one level is exactly 0. All are divided by Q(offset).

    Args:
        offset: the largest probability, 0.5 < offset < 1.
        bits: 2 to 8.

    Returns:
        levels: float32 (2**bits,), ascending, from -1 to 1. Computed in float64, rounded at the end.

    Raises:
        ValueError: an offset or a number of bits outside these ranges.

    >>> normal_levels().round(4)[:8]
    array([-1.    , -0.6962, -0.5251, -0.3949, -0.2844, -0.1848, -0.091 , 0.    ], dtype=float32)
    >>> normal_levels(bits=2).round(4)
    array([-1.    ,  0.    ,  0.3379,  1.    ], dtype=float32)
    """
    ### BEGIN SOLUTION
    if not 0.5 < offset < 1:
        raise ValueError(f"offset={offset}: choose one between 0.5 and 1.")
    if not 2 <= bits <= 8:
        raise ValueError(f"bits={bits}: choose 2 to 8.")
    half = 2 ** (bits - 1)
    positive = norm.ppf(np.linspace(offset, 0.5, half + 1)[:-1])
    negative = -norm.ppf(np.linspace(offset, 0.5, half)[:-1])
    levels = np.sort(np.concatenate([negative, [0.0], positive])) / norm.ppf(offset)
    return levels.astype(np.float32)
    ### END SOLUTION


# %% role="check" id="nf4-levels" points=4
check("nf4-levels", normal_levels)
# %%
print("largest difference from the sixteen constants:", np.abs(normal_levels() - odd_numbers).max())


# %% [markdown] items="1.2.C5 1.2.K3"
# ## Blocks with an absmax each
#
# The levels reach from -1 to 1, so each **block** of 64 consecutive weights (in row-major order, whatever the
# tensor's shape) is divided by its own $absmax$, in units of the weights. That number is the block's
# scale, stored in float32.
#
# The absmax itself always lands on -1 or 1 and comes back exactly. An outlier spoils 63 neighbours, not a
# whole matrix.
# %% [markdown] items="1.2.C5 1.2.K3"
# ### Exercise: quantize in blocks
#
# For any ascending table of levels: you will need it for NF4, INT4 and FP4, and for the scales. A value
# exactly half-way between two levels goes to the **lower** one, as in bitsandbytes.
#
# <details><summary>Hint 1</summary>Fill the last block up with zeros: they change no absmax. Drop
# them at the end.</details>
# <details><summary>Hint 2</summary><code>np.searchsorted(middles, values)</code>, with the middles
# between neighbouring levels, is the index of the nearest level, the lower one on a tie.</details>
# <details><summary>Hint 3</summary>Divide a block of zeros by 1, not by its absmax.</details>
# %% role="exercise" id="nf4-quantize" items="1.2.C5 1.2.K3" minutes=12
def quantize_blocks(
    x: np.ndarray, levels: np.ndarray, block_size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the nearest levels, one absmax scale for each block of `block_size` values.

    x is read flat, in row-major order. The last block may be shorter: its scale is the absmax of the
    values that it has. code = index of the level nearest to value / scale (half-way: the lower level).

    Args:
        x: float16, float32 or float64 (compute in float32 or wider), any shape. It is not changed.
        levels: float32 (L,), ascending, L <= 256, in [-1, 1], holds 0.
        block_size: 1 or more.

    Returns:
        codes: uint8 (x.size,).
        scales: float32 (ceil(x.size / block_size),). A block of zeros has scale 0 and the code of level 0.

    Raises:
        ValueError: x is empty or holds NaN or an infinity, or block_size < 1.

    >>> levels = np.array([-1, -0.5, 0, 0.5, 1], np.float32)
    >>> quantize_blocks(np.array([8.0, -4.0, 2.0, 1.0, 0.0, -3.0]), levels, block_size=4)
    (array([4, 1, 2, 2, 2, 0], dtype=uint8), array([8., 3.], dtype=float32))
    """
    ### BEGIN SOLUTION
    flat = x.astype(np.float64).ravel()
    if block_size < 1 or flat.size == 0 or not np.isfinite(flat).all():
        raise ValueError("Give finite values, one or more, and a block size of 1 or more.")
    blocks = np.pad(flat, (0, -flat.size % block_size)).reshape(-1, block_size)
    scales = np.abs(blocks).max(axis=1)
    ratios = blocks / np.where(scales > 0, scales, 1)[:, None]
    wide = levels.astype(np.float64)
    codes = np.searchsorted((wide[1:] + wide[:-1]) / 2, ratios.ravel()[: flat.size])
    return codes.astype(np.uint8), scales.astype(np.float32)
    ### END SOLUTION


# %% role="check" id="nf4-quantize" points=5
check("nf4-quantize", quantize_blocks)


# %% [markdown] items="1.2.C5"
# ## Four bits in a byte, the other way round
#
# Lesson 1 of module 1.1 put the first code into the **low** nibble. bitsandbytes puts it into the **high** one:
# byte $= 16\,q_0 + q_1$. Formats differ in this, and a mistake swaps neighbouring weights without
# an error message.
#
# An odd number of codes is filled up with code 7: NF4's zero.
# %% [markdown] items="1.2.K3"
# ### Exercise: pack
#
# <details><summary>Hint</summary>Shift <code>codes[0::2]</code> left by 4 and combine it with
# <code>codes[1::2]</code>. In uint8, 15 &lt;&lt; 4 is 240: it still fits.</details>
# %% role="exercise" id="nf4-pack" items="1.2.K3" minutes=5
def pack_codes(codes: np.ndarray) -> np.ndarray:
    """Two 4-bit codes in each byte, the first in the high four bits.

    Args:
        codes: uint8 (n,), each 0 to 15. It is not changed.

    Returns:
        packed: uint8 (ceil(n / 2),). With odd n the last low nibble is 7. No codes give no bytes.

    Raises:
        ValueError: a code above 15.

    >>> pack_codes(np.array([1, 2, 15], np.uint8))
    array([ 18, 247], dtype=uint8)
    """
    ### BEGIN SOLUTION
    if (codes > 15).any():
        raise ValueError("A code above 15 does not fit into 4 bits.")
    if codes.size % 2:
        codes = np.append(codes, np.uint8(7))
    return (codes[0::2] << 4) | codes[1::2]
    ### END SOLUTION


# %% role="check" id="nf4-pack" points=3
check("nf4-pack", pack_codes)


# %% [markdown] items="1.2.K3"
# ### Exercise: from bytes back to weights
#
# What a QLoRA layer does before each product: unpack, look the level up, multiply by the scale of its block.
#
# <details><summary>Hint 1</summary><code>np.stack([packed >> 4, packed & 15], axis=1).ravel()</code> has the
# codes in order; keep the first n.</details>
# <details><summary>Hint 2</summary><code>np.repeat(scales, block_size)[:n]</code> gives each value its
# scale.</details>
# %% role="exercise" id="nf4-dequantize" items="1.2.K3" minutes=8
def dequantize_packed(
    packed: np.ndarray,
    scales: np.ndarray,
    levels: np.ndarray,
    shape: tuple[int, ...],
    block_size: int = 64,
) -> np.ndarray:
    """Restored weights: levels[code] * scale of the block.

    Args:
        packed: uint8 (ceil(n / 2),), n being the product of `shape`; first code in the high nibble.
        scales: float32 (ceil(n / block_size),).
        levels: float32 (16,).
        shape: of the result.
        block_size: consecutive values that share a scale.

    Returns:
        weights: float32, of this shape, in row-major order.

    Raises:
        ValueError: packed or scales do not have the length that shape and block_size ask for.

    >>> packed = np.array([0x0F, 0x87], np.uint8)
    >>> dequantize_packed(packed, np.array([2.0, 10.0], np.float32), normal_levels(), (3,), 2).round(3)
    array([-2.   ,  2.   ,  0.796], dtype=float32)
    """
    ### BEGIN SOLUTION
    n = math.prod(shape)
    if packed.size != -(-n // 2) or scales.size != -(-n // block_size):
        raise ValueError(f"{packed.size} bytes and {scales.size} scales do not fit shape {shape}.")
    codes = np.stack([packed >> 4, packed & 15], axis=1).ravel()[:n]
    return (levels[codes] * np.repeat(scales, block_size)[:n]).reshape(shape)
    ### END SOLUTION


# %% role="check" id="nf4-dequantize" points=4
check("nf4-dequantize", dequantize_packed)


# %% [markdown]
# ## The library as a witness
#
# A layer of the course's own language model, by your functions and by bitsandbytes. The import takes some
# seconds.
# %% role="given" id="layer"
lm = load_lm("lm", profile)
linears = decoder_linears(lm)
layer_name = "model.layers.1.mlp.down_proj"
layer_weight = linears[layer_name].weight.float().cpu()
levels = normal_levels()


def pack_weight(weight, table=levels, block_size=64):
    codes, scales = quantize_blocks(np.asarray(weight, np.float32), table, block_size)
    return pack_codes(codes), scales


def round_trip(weight, table=levels, block_size=64):
    packed, scales = pack_weight(weight, table, block_size)
    return dequantize_packed(packed, scales, table, tuple(weight.shape), block_size)


# %% id="bitsandbytes"
try:
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    import bitsandbytes.functional as library
except ImportError:
    print("bitsandbytes is not installed: run `make setup` to compare, or read on without it.")
else:
    theirs, state = library.quantize_4bit(
        layer_weight.to(profile.device), blocksize=64, quant_type="nf4"
    )
    packed, scales = pack_weight(layer_weight)
    differing = int(np.sum(packed != theirs.cpu().numpy().ravel()))
    print(f"{layer_name}: {differing} of {packed.size:,} bytes differ from bitsandbytes'")
    print("scales equal:", np.array_equal(scales, state.absmax.cpu().numpy()))
# %% [markdown]
# **What you should see.** No byte differs, or one or two: the library multiplies by a rounded $1/absmax$ where
# you divide, so a value within a float's breadth of a middle may fall to the other side.
# %% [markdown] items="1.2.C5"
# ## Which codes are used?
#
# Levels at quantiles should make all sixteen codes equally likely: 6.25 % each, 4 bits of information. But
# the levels were made for normal data, and a block's data were divided by its absmax.
#
# **Predict.** For normal data in blocks of 64: how often, in percent, is code 0 used, the level -1? Put your
# number in place of `...`.
# %% role="predict" id="predict-code-share"
my_share_percent = ...
# %%
usage = {}
for name, table in (("NF4", levels), ("INT4", int4_levels())):
    codes = quantize_blocks(normal_data, table)[0]
    usage[name] = np.bincount(codes, minlength=16) / codes.size
fig, axes = figure(cols=2, height_inch=2.8)
for ax, (name, share), colour in zip(axes[0], usage.items(), COLOURS, strict=False):
    ax.bar(np.arange(16), 100 * share, color=colour)
    ax.axhline(6.25, color="#222222", linestyle="--", linewidth=1)
    used = share[share > 0]
    entropy_bits = -np.sum(used * np.log2(used))
    ax.set(xlabel="code", ylabel="values, %")
    ax.set_title(f"{name}: {entropy_bits:.2f} bits of 4", loc="left")
show(
    fig,
    alt=f"Share of the values that use each code, normal data. NF4: a low arch, "
    f"{100 * usage['NF4'].max():.1f} % in the middle and {100 * usage['NF4'].min():.1f} % at the ends. INT4: a "
    f"steeper bell, {100 * usage['INT4'].max():.1f} % in the middle.",
)
reveal(my_share_percent, 100 * float(usage["NF4"][0]), unit="%")


# %% [markdown] items="1.2.C5"
# **What you should see.** Far from even: the outermost codes take less than 2 % each, the middle ones about 9 %.
# NF4's formula puts the level 1 at $Q(\delta) = 1.85$ standard deviations; the absmax of 64 normal values lies
# further out, so the rest of the block moves towards 0. Yoshida (2023) makes this exact, and shows that
# codes used *equally* would not be those with the least error.
# %% [markdown] items="1.2.C5"
# ## Turn the knob
#
# Block size against error, on normal data with a share of outliers ten times as large. Does NF4
# ever stop winning? **Ask yourself first:** is a larger block better or worse when 1 % of the values are outliers?
# %%
knob_data = np.random.default_rng(1).normal(0, 1, 2**16)
knob_draw = np.random.default_rng(2).random(2**16)


def draw_blocks(block_size=64, outliers_percent=0.0):
    values = np.where(knob_draw < outliers_percent / 100, 10 * knob_data, knob_data)
    sizes = 2 ** np.arange(4, 12)
    fig, axes = figure(height_inch=3.6)
    ax, here = axes[0, 0], {}
    for (name, table), colour, line in zip(
        {"INT4": int4_levels(), "FP4": fp4_levels(), "NF4": levels}.items(),
        COLOURS,
        LINES,
        strict=False,
    ):
        errors = []
        for size in sizes:
            codes, scales = quantize_blocks(values, table, int(size))
            errors.append(np.mean((values - table[codes] * np.repeat(scales, size)) ** 2))
        here[name] = float(errors[int(np.log2(block_size)) - 4])
        ax.plot(
            4 + 32 / sizes,
            errors,
            marker="o",
            color=colour,
            linestyle=line,
            label=f"{name}: {here[name]:.4f}",
        )
    ax.axvline(4 + 32 / block_size, color="#222222", linewidth=1)
    ax.set(xlabel="bits per parameter, float32 scales included", ylabel="MSE", yscale="log")
    ax.set_title(f"Block of {block_size}, {outliers_percent:g} % outliers", loc="left")
    ax.legend()
    listed = ", ".join(f"{name} {mse:.4f}" for name, mse in here.items())
    return fig, (
        "Mean squared error of three 4-bit grids against bits per parameter: more bits, that is, smaller "
        f"blocks, less error. At blocks of {block_size} with {outliers_percent:g} % outliers: {listed}."
    )


explore(draw_blocks, block_size=[16, 32, 64, 128, 256, 512, 1024], outliers_percent=(0.0, 5.0, 0.5))
# %% [markdown] items="1.2.C5"
# **What you should see.** Smaller blocks, less error, more bits: 32/64 = 0.5 bit for the scales at blocks of
# 64. With outliers every curve rises, at large blocks most, because more neighbours share the outlier's scale. NF4 stays
# lowest throughout; FP4 passes INT4 only where outliers meet large blocks. So keep the block small, and make
# the scales cheap: next.
# %% [markdown] items="1.2.C5 1.2.K3"
# ## Quantize the scales too
#
# **Predict.** A model of 7 billion parameters, blocks of 64, one float32 scale each. How many GB (10^9 bytes) do
# the scales take, besides the 3.5 GB of codes?
# %% role="predict" id="predict-scale-gb"
my_scale_gb = ...
# %%
reveal(my_scale_gb, 7e9 / 64 * 4 / 1e9, unit="GB")


# %% [markdown] items="1.2.C5 1.2.K3"
# **Double quantization.** Quantize the scales to 8 bits, in blocks of 256 scales with one float32 each. Scales are
# positive, which would waste the negative half of a signed table. So their mean $m$ is subtracted first:
#
# $$s_i \approx t_{q_i}\, S_{\lfloor i/256 \rfloor} + m.$$
# %% [markdown] items="1.2.C5 1.2.K3"
# $t$ is a table of 256 levels (the paper says an 8-bit float, the library has its dynamic type), $S$ the outer scales, $q$ the codes: 8/64 + 32/(64 · 256) = 0.127 bit per
# parameter.
# %% [markdown] items="1.2.C5 1.2.K3"
# ### Exercise: double quantization
#
# `quantize_blocks` does most of it. The levels come in as an argument; bitsandbytes uses its dynamic 8-bit
# table.
#
# <details><summary>Hint 1</summary>Call <code>quantize_blocks(scales - mean, table, block_size)</code>.</details>
# <details><summary>Hint 2</summary>Restored: level times outer scale, plus the mean. The mean is added
# after the product.</details>
# %% role="exercise" id="double-quantize" items="1.2.C5 1.2.K3" minutes=10
def double_quantize(
    scales: np.ndarray, table: np.ndarray, block_size: int = 256
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Quantize the scales of a tensor: subtract their mean, then blockwise absmax with 8-bit codes.

    mean is that of all the scales (np.mean, or summed in float64: adding up one by one in float32
    drifts). Each block of `block_size` differences has the scale `outer`, its
    absmax; a code is the index of the nearest level (half-way: the lower one).
    restored = table[codes] * outer of the block + mean.

    Args:
        scales: float32 (n,), one or more. It is not changed.
        table: float32 (L,), ascending, L <= 256, in [-1, 1], holds 0.
        block_size: scales that share an outer scale; the last block may be shorter.

    Returns:
        codes: uint8 (n,).
        outer: float32 (ceil(n / block_size),).
        mean: a number.
        restored: float32 (n,), what the weights' levels will be multiplied by.

    Raises:
        ValueError: no scales, or one that is not finite.

    >>> table = np.array([-1, -0.5, 0, 0.5, 1], np.float32)
    >>> codes, outer, mean, restored = double_quantize(np.array([1, 2, 3, 6], np.float32), table)
    >>> codes, outer, float(mean)
    (array([1, 1, 2, 4], dtype=uint8), array([3.], dtype=float32), 3.0)
    >>> restored
    array([1.5, 1.5, 3. , 6. ], dtype=float32)
    """
    ### BEGIN SOLUTION
    if scales.size == 0 or not np.isfinite(scales).all():
        raise ValueError("Give one finite scale or more.")
    wide = scales.astype(np.float64)
    mean = float(wide.mean())
    codes, outer = quantize_blocks(wide - mean, table, block_size)
    restored = table[codes] * np.repeat(outer, block_size)[: codes.size] + mean
    return codes, outer, mean, restored.astype(np.float32)
    ### END SOLUTION


# %% role="check" id="double-quantize" points=5
check("double-quantize", double_quantize)
# %%
packed, scales = pack_weight(layer_weight)
twice = double_quantize(scales, dynamic_levels())[3]
shape = tuple(layer_weight.shape)
once = dequantize_packed(packed, scales, levels, shape)
both = dequantize_packed(packed, twice, levels, shape)
truth = layer_weight.numpy()
mse_once, mse_both = np.mean((truth - once) ** 2), np.mean((truth - both) ** 2)
print(f"relative error of a scale  {np.mean(np.abs(twice - scales) / scales):.2%} on average")
print(
    f"MSE of the weights         {mse_once:.4g} to {mse_both:.4g} ({mse_both / mse_once - 1:+.2%})"
)


# %% [markdown]
# **What you should see.** The scales are off by well under 1 %, and the weights' error hardly moves: rounding to
# sixteen levels drowns it. A block of zeros keeps its zeros, whatever its restored scale is: its code
# stands for exactly 0.
# %% [markdown] items="1.2.K3"
# ### Exercise: count every byte
#
# For one weight tensor: codes, scales, total, and bits per parameter. Ragged ends count in full: an odd
# tensor pays for half a byte more. The tables of levels are constants of the program and are not counted.
#
# <details><summary>Hint</summary><code>-(-n // m)</code> is n / m rounded up.</details>
# %% role="exercise" id="qlora-bytes" items="1.2.K3" minutes=6
def stored_bytes(
    shape: tuple[int, ...], block_size: int = 64, outer_block: int | None = None
) -> dict:
    """Bytes of one 4-bit tensor with n = product of `shape` elements.

    Codes: two to a byte, rounded up. Scales: one for each block of `block_size`, the last may be short.
    Without double quantization (outer_block None) a scale takes 4 bytes. With it, a scale takes 1 byte,
    each block of `outer_block` scales takes 4 more, and the mean 4 once a tensor.

    Returns:
        {"codes": int, "scales": int, "total": int, "bits_per_parameter": float}, the first three in bytes;
        bits_per_parameter = 8 * total / n.

    >>> stored_bytes((64, 64))
    {'codes': 2048, 'scales': 256, 'total': 2304, 'bits_per_parameter': 4.5}
    >>> stored_bytes((64, 64), outer_block=256)
    {'codes': 2048, 'scales': 72, 'total': 2120, 'bits_per_parameter': 4.140625}
    """
    ### BEGIN SOLUTION
    n = math.prod(shape)
    codes = -(-n // 2)
    count = -(-n // block_size)
    scales = 4 * count if outer_block is None else count + 4 * -(-count // outer_block) + 4
    total = codes + scales
    bits = 8 * total / n
    return {"codes": codes, "scales": scales, "total": total, "bits_per_parameter": bits}
    ### END SOLUTION


# %% role="check" id="qlora-bytes" points=3
check("qlora-bytes", stored_bytes)
# %%
for outer_block in (None, 256):
    counted = stored_bytes((4096, 4096), 64, outer_block)
    over = counted["bits_per_parameter"] - 4
    print(f"outer block {str(outer_block):5s} 4 + {over:.4f} bits per parameter")
shares = {}
for name, bits in (
    ("16 bits", 16.0),
    ("NF4", 4.5),
    ("NF4, scales quantized", 4 + 8 / 64 + 32 / 64 / 256),
):
    shares[name] = 65e9 * bits / 8 / 1e9
show(
    bars(shares, unit="GB", title="Weights of a 65B model", reference=("a 48 GB GPU", 48)),
    alt="Bars: 65 billion weights take 130 GB in 16 bits, 36.6 GB in NF4 and 33.5 GB with quantized scales. "
    "Only the last two stay left of the line of a 48 GB GPU.",
)


# %% [markdown] items="1.2.C5 1.2.K3"
# ## What else lies in memory: the optimizer
#
# Per **trained** parameter, 16-bit training holds 2 bytes of weight, 2 of gradient and, for Adam, two float32
# moments: 8. That is 12 bytes. Full fine-tuning of 65 billion: 780 GB, the figure in QLoRA's introduction.
#
# QLoRA trains adapters only. The frozen base is 4 bits; nothing of it has a gradient. What remains are
# **activations**: their size follows the longest sequence of a batch, so memory has spikes.
# %% [markdown] items="1.2.C5 1.2.K3"
# ## Paged optimizers
#
# A spike must not end the run. Adam's moments are needed once a step, in the update, when activations are
# already freed. So they lie in unified memory, in **pages**. While a spike needs the room, pages go to the
# host's memory; for the update they come back. The price is traffic: each page that left crosses the bus twice.
#
# Base, adapters and gradients are in use during the backward pass and stay.
# %% [markdown] items="1.2.C5 1.2.K3"
# ### Exercise: a memory model with pages
#
# <details><summary>Hint 1</summary>Resident, always: the base and 4 bytes a trained parameter (weight and
# gradient). The state: 8 bytes a trained parameter, in whole pages.</details>
# <details><summary>Hint 2</summary>excess = resident + pages * page_bytes + activations - budget; the pages that
# leave are excess / page_bytes, rounded up, and 0 where the excess is negative.</details>
# <details><summary>Hint 3</summary>More pages than there are cannot leave: MemoryError.</details>
# %% role="exercise" id="paged-adam" items="1.2.C5 1.2.K3" minutes=12
def page_out(
    base_bytes: int,
    trained: int,
    activation_bytes: list[int],
    budget_bytes: int,
    page_bytes: int = 2**21,
) -> dict:
    """Which pages of Adam's state leave the device in each step of a training run.

    On the device in step t: base_bytes (frozen weights), 2 bytes of weight and 2 of gradient for each
    of `trained` parameters, activation_bytes[t], and the pages of the state that have not left. The state has
    8 bytes for each trained parameter; it fills pages of page_bytes, the last one perhaps not full, but
    whole pages are reserved and moved. A step sends out the fewest pages with which it fits into
    budget_bytes (exactly full fits). They come back for the update at the end of the step.

    Args:
        base_bytes, trained, budget_bytes: ints, 0 or more.
        activation_bytes: one int for each step. page_bytes: 1 or more.

    Returns:
        {"resident": int, bytes that may not leave, without activations;
         "state": int, bytes of all the state's pages;
         "pages_out": list of int, one for each step;
         "moved": int, bytes over the bus in all steps, out and back;
         "peak": int, most bytes on the device in any step, after pages have left; 0 without steps}

    Raises:
        MemoryError: a step does not fit even with every page out.

    >>> page_out(1000, 10, [100, 700], budget_bytes=1800, page_bytes=32)
    {'resident': 1040, 'state': 96, 'pages_out': [0, 2], 'moved': 128, 'peak': 1772}
    """
    ### BEGIN SOLUTION
    resident = base_bytes + 4 * trained
    pages = -(-8 * trained // page_bytes)
    pages_out, peak = [], 0
    for activations in activation_bytes:
        needed = resident + pages * page_bytes + activations
        out = max(0, -(-(needed - budget_bytes) // page_bytes))
        if out > pages:
            raise MemoryError(
                f"{needed - pages * page_bytes} bytes do not fit into {budget_bytes}."
            )
        pages_out.append(out)
        peak = max(peak, needed - out * page_bytes)
    return {
        "resident": resident,
        "state": pages * page_bytes,
        "pages_out": pages_out,
        "moved": 2 * sum(pages_out) * page_bytes,
        "peak": peak,
    }
    ### END SOLUTION


# %% role="check" id="paged-adam" points=5
check("paged-adam", page_out)
# %%
# 65B in NF4 with quantized scales on 48 GB; adapters of 0.4 billion parameters; one long batch in 100.
lengths = np.where(np.arange(200) % 100 == 50, 2048, 512)
spiky_bytes = [int(4.2e6 * length) for length in lengths]
plan = page_out(int(65e9 * 4.127 / 8), 400_000_000, spiky_bytes, budget_bytes=int(45e9))
print(f"resident {plan['resident'] / 1e9:.1f} GB, Adam's state {plan['state'] / 1e9:.1f} GB")
print(f"steps that page {sum(p > 0 for p in plan['pages_out'])} of {len(lengths)}")
print(f"bytes moved in a long step {2 * max(plan['pages_out']) * 2**21 / 1e9:.2f} GB")
print(f"at 25 GB/s {2 * max(plan['pages_out']) * 2**21 / 25e9:.2f} s; a normal step pays nothing")


# %% [markdown]
# **What you should see.** Two long batches in 200 page, and pay a fraction of a second each. Without paging the
# first of them would end the run. (The bytes of activation per token are an assumption of this cell, not a
# measurement.)
# %% [markdown] items="1.2.C5"
# ## An adapter beside frozen weights
#
# Rounding has no useful gradient, so 4-bit weights are not trained. **LoRA** (Hu et al. 2021) adds a product of
# two thin matrices to a frozen $W$ (out, in):
#
# $$y = W x + \frac{\alpha}{r}\, B\,(A\,x).$$
#
# $A$ (r, in) starts random, $B$ (out, r) starts at **zero**: the first output is that of the base. $\alpha$ is
# a constant; dividing by $r$ keeps the update's size when the rank changes.
# %% [markdown] items="1.2.C5"
# ### Exercise: LoRA on a frozen base
#
# The base may be any module with `in_features` and `out_features`, also one without a float weight (a 4-bit
# layer): call it, do not look inside.
#
# <details><summary>Hint 1</summary><code>base.requires_grad_(False)</code> freezes all that it holds.</details>
# <details><summary>Hint 2</summary>Call <code>super().__init__()</code> first, then set
# <code>self.A = nn.Parameter(...)</code>.</details>
# <details><summary>Hint 3</summary>x may have any leading dimensions: <code>x @ self.A.T @ self.B.T</code>.</details>
# %% role="exercise" id="qlora-adapter" items="1.2.C5" minutes=15
class LoRALinear(nn.Module):
    """A frozen linear layer plus a trained low-rank product: base(x) + (alpha / rank) * B (A x).

    Attributes:
        base: the module given, with every parameter frozen (requires_grad False), its values untouched.
        A: nn.Parameter float32 (rank, in_features), uniform in [-b, b] with b = 1 / sqrt(in_features),
            as PEFT starts it.
        B: nn.Parameter float32 (out_features, rank), zeros.

    Args:
        base: a module with in_features and out_features; its forward takes (..., in) to (..., out).
        rank: 1 or more. alpha: the numerator of the scale.

    Raises:
        ValueError: rank < 1.

    >>> layer = LoRALinear(nn.Linear(6, 4), rank=2, alpha=4)
    >>> [name for name, p in layer.named_parameters() if p.requires_grad]
    ['A', 'B']
    >>> bool((layer(torch.ones(3, 6)) == layer.base(torch.ones(3, 6))).all())
    True
    """

    def __init__(self, base: nn.Module, rank: int, alpha: float):
        super().__init__()
        ### BEGIN SOLUTION
        if rank < 1:
            raise ValueError(f"rank={rank}: choose 1 or more.")
        self.base = base.requires_grad_(False)
        bound = 1 / math.sqrt(base.in_features)
        self.A = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-bound, bound))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scaling = alpha / rank
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (..., in) to (..., out), float32."""
        ### BEGIN SOLUTION
        return self.base(x) + self.scaling * (x @ self.A.T @ self.B.T)
        ### END SOLUTION

    def merge(self, weight: torch.Tensor) -> torch.Tensor:
        """weight (out, in), float32, plus (alpha / rank) B A: a new tensor without gradient.

        Neither `weight` nor the layer is changed.
        """
        ### BEGIN SOLUTION
        with torch.no_grad():
            return weight + self.scaling * self.B @ self.A
        ### END SOLUTION


# %% role="check" id="qlora-adapter" points=6
check("qlora-adapter", LoRALinear)
# %% [markdown]
# PEFT's layer with the same A and B, on a layer of the model. This import takes some seconds too.
# %% id="peft"
ours = LoRALinear(nn.Linear(768, 256, bias=False), rank=8, alpha=16)
with torch.no_grad():
    ours.base.weight.copy_(layer_weight)
    ours.B.normal_(0, 0.02)
inputs = torch.randn(4, 10, 768)
try:
    from peft import LoraConfig, inject_adapter_in_model
except ImportError:
    print("peft is not installed: run `make setup` to compare, or read on without it.")
else:
    plain = nn.Sequential(nn.Linear(768, 256, bias=False))
    plain[0].weight.data.copy_(layer_weight)
    peft_net = inject_adapter_in_model(LoraConfig(r=8, lora_alpha=16, target_modules=["0"]), plain)
    peft_net[0].lora_A["default"].weight.data.copy_(ours.A.data)
    peft_net[0].lora_B["default"].weight.data.copy_(ours.B.data)
    with torch.no_grad():
        gap = (peft_net(inputs) - ours(inputs)).abs().max() / ours(inputs).abs().max()
    print(f"largest difference from PEFT's layer: {gap:.1e} of the largest output")
with torch.no_grad():
    merged_output = inputs @ ours.merge(ours.base.weight).T
    gap = (merged_output - ours(inputs)).abs().max() / merged_output.abs().max()
print(f"merged into the float weight: {gap:.1e}, no extra product left at inference")
# %% [markdown]
# ## The same at the scale of a model
#
# All linear layers of the course's language model are rounded by your functions; embeddings stay float. One
# protocol for all rows: the held-out text, 64 windows, 8,192 scored tokens. The tokens are the same, so the loss
# is compared pair by pair, with its standard error.
# %% id="model-table"


def through_blocks(table, double=False):
    """A change for `with_weights`: the learner's quantizer with this table, block 64."""

    def change(_name, weight):
        values = weight.float().cpu().numpy()
        codes, scales = quantize_blocks(values, table)
        if double:
            scales = double_quantize(scales, dynamic_levels())[3]
        restored = table[codes] * np.repeat(scales, 64)[: codes.size]
        return torch.from_numpy(restored.reshape(values.shape)).to(weight)

    return change


dq_bits = np.average(
    [stored_bytes(tuple(m.weight.shape), 64, 256)["bits_per_parameter"] for m in linears.values()],
    weights=[m.weight.numel() for m in linears.values()],
)
variants = {
    "FP4": (4.5, through_blocks(fp4_levels())),
    "INT4 symmetric": (4.5, through_blocks(int4_levels())),
    "INT4 with zero-point": (4.5 + 4 / 64, lambda _name, weight: round_to_nearest(weight, 4, 64)),
    "NF4": (4.5, through_blocks(levels)),
    "NF4, scales quantized": (float(dq_bits), through_blocks(levels, double=True)),
}
float_losses = token_losses(lm)
perplexities = {"float": math.exp(float_losses.mean())}
print(f"{'':22s} {'bits':>6s} {'weight error':>12s} {'perplexity':>10s} {'loss, nats':>20s}")
print(f"{'float':22s} {'':>6s} {'':>12s} {perplexities['float']:10.3f}")
for name, (bits, change) in variants.items():
    rounded = with_weights(lm, change)
    pairs = [
        (m.weight.float(), linears[n].weight.float()) for n, m in decoder_linears(rounded).items()
    ]
    noise = sum(float((w - v).square().sum()) for w, v in pairs)
    noise /= sum(float(v.square().sum()) for _, v in pairs)
    losses = token_losses(rounded)
    rise = (losses - float_losses).reshape(64, -1).mean(axis=1)
    perplexities[name] = math.exp(losses.mean())
    error = rise.std(ddof=1) / math.sqrt(len(rise))
    print(
        f"{name:22s} {bits:6.3f} {noise:12.3%} {perplexities[name]:10.3f} "
        f"{rise.mean():+12.4f} ± {error:.4f}"
    )
# %% [markdown] items="1.2.C5 1.2.K3"
# **What you should see.** Weight error: NF4 a quarter below symmetric INT4, two fifths below FP4, at the same bits.
# Quantized scales change neither error nor loss. One rival is as good: INT4 with a zero-point fits
# each block's own minimum and maximum, for a little more storage. In loss, all lie within about a
# hundredth of a nat, a few standard errors: 4 bits hurt this model little, so their order is no proof. The
# weight error is.
# %% [markdown] items="1.2.C5"
# ## QLoRA, assembled
#
# Each linear layer becomes packed bytes plus an adapter. The given layer below holds uint8 codes and quantized
# scales, and restores its weight for each product. Your `LoRALinear` goes around it. Then 120 steps of AdamW on an
# instruction set, with a fingerprint (sha256) of all base bytes before and after.
# %% role="given" id="qlora-model"


class NF4Linear(nn.Module):
    """A linear layer that holds packed NF4 codes and restores its weight in each call."""

    def __init__(self, weight: torch.Tensor):
        super().__init__()
        self.out_features, self.in_features = weight.shape
        packed, scales = pack_weight(weight.float().cpu())
        restored = double_quantize(scales, dynamic_levels())[3]
        self.register_buffer("packed", torch.from_numpy(packed))
        self.register_buffer("scales", torch.from_numpy(restored))
        self.register_buffer("levels", torch.from_numpy(levels))

    def weight(self) -> torch.Tensor:
        codes = torch.stack([self.packed >> 4, self.packed & 15], dim=1).flatten()
        values = self.levels[codes.long()].reshape(-1, 64) * self.scales[:, None]
        return values.reshape(self.out_features, self.in_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight().to(x.dtype).T


def fingerprint(model):
    """sha256 over the bytes of all buffers and frozen parameters."""
    digest = hashlib.sha256()
    for name, buffer in model.named_buffers():
        digest.update(name.encode() + buffer.cpu().numpy().tobytes())
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            digest.update(name.encode() + parameter.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


seed_everything(0)
tokenizer = load_tokenizer()
train_set, test_set = instruction_set(train=960, heldout=120)
student = load_lm("lm", profile).float()
for name, linear in decoder_linears(student).items():
    parent, child = student.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]
    adapted = LoRALinear(NF4Linear(linear.weight.detach()), rank=8, alpha=16)
    setattr(parent, child, adapted.to(profile.device))
adapters = [m for m in student.modules() if isinstance(m, LoRALinear)]
trained = [p for p in student.parameters() if p.requires_grad]
trained_count = sum(p.numel() for p in trained)
base_count = sum(m.base.in_features * m.base.out_features for m in adapters)
print(f"{len(adapters)} layers, {base_count:,} frozen weights in 4 bits, {trained_count:,} trained")
# %% id="qlora-training"
before = fingerprint(student)
start_loss, start_exact = score_responses(student, tokenizer, test_set)
optimizer = torch.optim.AdamW(trained, lr=5e-3)
schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=120)
student.train()
for step in range(120):
    batch = encode_examples(tokenizer, train_set[8 * step : 8 * step + 8])
    loss = student(**{k: v.to(profile.device) for k, v in batch.items()}, use_cache=False).loss
    loss.backward()
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
student.eval()
end_loss, end_exact = score_responses(student, tokenizer, test_set)
after = fingerprint(student)
frozen = [p for p in student.parameters() if not p.requires_grad]
print(f"held-out loss    {start_loss:.3f} to {end_loss:.3f} nats")
print(f"exact responses  {start_exact:.1%} to {end_exact:.1%}")
print(f"base before      {before}\nbase after       {after}\nidentical        {before == after}")
print(f"frozen parameters with a gradient: {sum(p.grad is not None for p in frozen)}")
state_bytes = sum(
    t.nbytes
    for s in optimizer.state.values()
    for t in s.values()
    if t.ndim and t.dtype == torch.float32
)
print(f"Adam's moments   {state_bytes:,} bytes = 8 x {trained_count:,}")
# %% [markdown] items="1.2.C5"
# **What you should see.** The loss on held-out instructions falls to a third or less, and some responses come
# out without a mistake, from none at the start. The fingerprints are equal: not one bit of the base has moved, so
# one base can serve many adapters. Adam holds moments for the adapters alone, 5 % of the weights.
# %% [markdown] items="1.2.C5"
# ## Merging into four bits
#
# Merging into a **float** weight changed no output. Merging into the **4-bit** base means: restore, add, and quantize
# again. The update is small; NF4's steps are not.
#
# **Predict.** After merging and quantizing again, how many percent of the 4-bit codes differ from the base's?
# %% role="predict" id="predict-merge"
my_changed_percent = ...
# %% id="merge"


def merged_weights(kind):
    """A change for `with_weights`: base alone, merged in float, or merged and quantized again."""
    layers = dict(zip(decoder_linears(lm), adapters, strict=True))

    def change(name, weight):
        layer = layers[name]
        base = layer.base.weight()
        merged = base if kind == "base" else layer.merge(base)
        if kind == "again":
            merged = torch.from_numpy(round_trip(merged.cpu().numpy()))
        return merged.to(weight)

    return change


changed = total = 0
update_square = second_square = 0.0
for layer in adapters:
    base = layer.base.weight()
    again = pack_weight(layer.merge(base).cpu())[0]
    update = layer.merge(torch.zeros_like(base))
    second = torch.from_numpy(round_trip((base + update).cpu().numpy())).to(base) - base - update
    update_square += float(update.square().sum())
    second_square += float(second.square().sum())
    old = layer.base.packed.cpu().numpy()
    changed += int(np.sum(again >> 4 != old >> 4) + np.sum(again & 15 != old & 15))
    total += 2 * old.size
reveal(my_changed_percent, 100 * changed / total, unit="%")
print(
    f"new rounding error / update, root mean square: {math.sqrt(second_square / update_square):.2f}"
)
outcomes = {}
for kind, label in (
    ("base", "base alone"),
    ("float", "merged, float"),
    ("again", "merged, NF4 again"),
):
    outcomes[label] = score_responses(with_weights(lm, merged_weights(kind)), tokenizer, test_set)
outcomes["adapter beside NF4"] = end_loss, end_exact
for label, (loss, exact) in outcomes.items():
    print(f"{label:20s} held-out loss {loss:.4f} nats, exact {exact:.1%}")
# %% [markdown] items="1.2.C5"
# **What you should see.** A third to a half of all codes change, and the new rounding error is about a third as
# large as the whole update. The loss rises only a little: the error is noise over all weights, while the update has
# a direction. A weaker update would drown in it. PEFT warns for this reason when it merges into a 4-bit
# layer. Beside the base, or merged into float, nothing is lost.
# %% [markdown] items="1.2.C5 1.2.K3"
# ## In your own words
#
# A team fine-tunes a 13B model on one 24 GB GPU with QLoRA and wants to serve the result in 4 bits.
#
# In 120 to 200 words: What does each of the three inventions (NF4, double quantization, paged optimizer)
# save here, in GB, and what does it cost? How should the adapter be served: beside the 4-bit base,
# merged in float, or merged and quantized again? Use two figures from this notebook.
# %% [markdown] role="written" id="qlora-choices" items="1.2.C5 1.2.K3" points=3
# **Model answer.** 13 billion weights take 26 GB in 16 bits: too much. In NF4 with blocks of 64 they take
# 13e9 x 4.5 / 8 = 7.3 GB; that is what makes the run possible, and it costs the rounding error (here a small
# rise of the perplexity, about that of a 4-bit grid with a zero-point). Double quantization takes the scales from 0.5 to 0.127
# bit: 13e9 x 0.373 / 8 = 0.6 GB, for almost no error. The paged optimizer saves nothing on average: Adam's
# moments of the adapters are 8 bytes for each trained parameter, some hundred MB. It keeps a long batch from ending the run, and
# costs two crossings of the bus for each page that leaves.
#
# Serving: beside the base is exact, and keeps one base for many adapters, for two thin products a layer. Merged in float is
# exact too, but the weights are 26 GB again. Merged and quantized again keeps 4 bits and no extra product, but rounds the
# sum anew; measure it, as the last experiment did, before choosing it.
#
# **Rubric.** 1 point: the three savings in GB (7.3 against 26; about 0.6; none on average, but the peak). 1 point: the price
# of each. 1 point: the three ways to serve, with the re-quantization named, and two figures from the notebook.
# Half a point off for "QLoRA trains the 4-bit weights".
# %% [markdown]
# ## Recap
#
# - NF4: quantiles of the normal, 8 positive, 7 negative, one exact zero; divided by $Q(\delta)$.
# - Blocks of 64 with an absmax each; the first code of a byte is the high nibble; half-way goes down.
# - Double quantization: subtract the mean, 8-bit codes, blocks of 256: 0.5 to 0.127 bit a parameter.
# - Pages of Adam's state leave for a spike and come back for the update: the price is traffic.
# - LoRA: B starts at zero, the scale is alpha / r, only A and B have gradients.
# - Merging is exact in float; in 4 bits it rounds a second time.
#
# **Three questions**
#
# <details><summary>1. A block holds 63 zeros and one 5.0. Which codes come out, and what comes
# back?</summary>63 times code 7 and once 15; all values come back exactly, 5.0 as 1.0 times the absmax.</details>
# <details><summary>2. Blocks of 32 instead of 64: how many bits do the scales take, once quantized and
# twice?</summary>32/32 = 1 bit; 8/32 + 32/(32 · 256) = 0.254 bit.</details>
# <details><summary>3. Right after LoRA is attached, which of A and B has a nonzero gradient?</summary>Only B: A's
# gradient contains B as a factor, and B is zero. After the first step both move.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Dettmers et al., *QLoRA: Efficient Finetuning of Quantized LLMs*, NeurIPS 2023, section 3: NF4, double
#   quantization and paged optimizers. Compare its formula for the levels with your code: the library's offset is
#   not in it. Appendix E gives the sixteen values.
# - Yoshida, *NF4 Isn't Information Theoretically Optimal (and that's Good)*, 2023: how often each code is used
#   once a block is divided by its absmax.
# - Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models*, ICLR 2022, section 4.1: zero start, alpha / r, and
#   merging without latency.
# - Dettmers, *8-Bit Approximations for Parallelism in Deep Learning*, ICLR 2016: the dynamic 8-bit type that holds the scales.
# - bitsandbytes, `functional.py`: `create_normal_map` is your first exercise, `create_dynamic_map` the table.
#
# **Next:** the KV cache, the other large tensor in memory while a model serves, and FP8.
# %%
# Your result.
print(
    f"error of INT4 over the sixteen levels {opening['INT4'] / opening['the sixteen numbers']:.2f}"
)
print(f"bits per parameter                    {dq_bits:.3f}")
print(
    f"perplexity, float to NF4              {perplexities['float']:.2f} to {perplexities['NF4']:.2f}"
)
print(f"held-out loss of the responses        {start_loss:.3f} to {end_loss:.3f} nats")
print(f"base identical after training         {before == after}")
