# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Pack weights into blocks: Q8_0, Q4_0 and the k-quants
#
# **You end with:** quantizers whose bytes are llama.cpp's own, readers of Q4_K and Q6_K super-blocks, and a function that
# says, before anything is converted, what a file called `Q4_K_M` will hold.
#
# About 115 minutes. 41 points: 38 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network, no llama.cpp:
# the files that it made of this course's models are here.
# You need 4-bit packing (lesson 4 of module 1.1) and `float16`.
#
# Words: a **code** is the small integer that stands for a weight; a **nibble** is four bits; `fp16` is IEEE half precision.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

# Matrices this small are fastest on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import copy
import hashlib

import gguf
import numpy as np
import torch

from autograder import check
from lab.divergence import mean_divergence
from lab.fake_quant import decoder_linears, with_weights
from lab.gguf_blocks import SAMPLE, load_facts, load_packed
from lab.lm import load_lm
from lab.plots import COLOURS, HATCHES, INK, bars, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

torch.set_num_threads(1)
profile = use_profile(PROFILE)
profile
# %% role="given" id="setup-blocks"
# type: (weights in a block, bytes of a block)
BLOCKS = {
    "F32": (1, 4), "F16": (1, 2), "Q8_0": (32, 34), "Q6_K": (256, 210), "Q5_K": (256, 176),
    "Q5_0": (32, 22), "Q4_1": (32, 20), "Q4_K": (256, 144), "Q4_0": (32, 18),
    "Q3_K": (256, 110), "Q2_K": (256, 84),
}  # fmt: skip
# %% [markdown]
# ## One recipe, two sizes
#
# llama.cpp quantized this course's two models with the recipe `Q4_K_M`. Both are small Llamas of the same kind. The larger one's file has
# 5.07 bits per weight. How many has the smaller one's?
# %% role="predict" id="predict-bits"
# Bits per weight of the draft model's Q4_K_M file:
my_bits = ...
# %% role="given" id="surprise"
llama_cpp = load_facts()
for who in ("lm Q4_K_M", "draft Q4_K_M"):
    its_file = llama_cpp["files"][who]
    its_types = [entry["type"] for entry in its_file["tensors"].values()]
    counted = ", ".join(f"{its_types.count(t)} {t}" for t in dict.fromkeys(its_types))
    print(f"{who:13s} {its_file['bits_per_weight']:.2f} bits per weight: {counted}")
reveal(my_bits, llama_cpp["files"]["draft Q4_K_M"]["bits_per_weight"], unit="bits")
# %% [markdown] items="1.4.C5"
# **What happened.** Neither file has 4 bits, and hardly a tensor of the second one is `Q4_K`. Three things add up: the formats store more than their
# codes, the recipe mixes formats, and where a format does not fit, another one takes its place, with a line in a log that nobody reads.
#
# By the end you can compute both numbers from the shapes alone.
# %% [markdown] items="1.4.C5 1.4.K8"
# ## A block: neighbours and one scale
#
# GGUF's simple formats cut each **row** of a matrix into blocks of 32 neighbours. A block stores one fp16 scale $d$ and 32 codes $q_i$; the weight
# is $\hat w_i = d\,q_i$. The scale lies beside its codes, so one read fetches both.
#
# `Q8_0`: 2 bytes of $d$, then 32 of `int8` codes. That is 34 bytes for 32 weights:
#
# $$34 \cdot 8 / 32 = 8.5 \text{ bits per weight.}$$
# %% [markdown] items="1.4.C5 1.4.K8"
# ## Q8_0, to the last bit
#
# In `float32`, for each block:
#
# 1. $d = \max|x| / 127$,
# 2. $r = 1/d$, or $r = 0$ where $d = 0$,
# 3. $q_i = \mathrm{round}(x_i \cdot r)$, **halves away from zero** (2.5 to 3, -2.5 to -3), as `int8`,
# 4. store $d$ as fp16 (nearest even), then $q_0 \dots q_{31}$.
#
# Codes come from the unrounded $d$. Times $r$ is not divided by $d$: near a half, the last bit
# decides.
# %% [markdown] items="1.4.K8"
# ### Exercise: write Q8_0 blocks
#
# <details><summary>Hint 1</summary>Reshape to (..., n // 32, 32); the largest value of a block with <code>keepdims=True</code>.</details>
# <details><summary>Hint 2</summary>np.rint sends halves to even. Round the magnitude instead: whole = floor(a), one more where a - whole >= 0.5,
# then give the sign back. floor(a + 0.5) is not the same: in float32, 0.49999997 + 0.5 is 1.</details>
# <details><summary>Hint 3</summary><code>d.astype("&lt;f2").view(np.uint8)</code> turns (..., 1) scales into (..., 2) bytes; concatenate with the codes' bytes
# along the last axis and reshape.</details>


# %% role="exercise" id="q8-0-quantize" items="1.4.C5 1.4.K8" minutes=15
def quantize_q8_0(x: np.ndarray) -> np.ndarray:
    """Pack float32 weights into Q8_0: 34 bytes for each 32 neighbours along the last axis.

    For each block, in float32: d = max|x| / 127; r = 1 / d, or 0 where d is 0; q = x * r rounded to
    the nearest integer, halves away from zero (0.49999997, the float32 just below a half, goes to 0).
    The bytes: d as fp16, little-endian, nearest even, then 32 codes as int8. The codes are made with the
    float32 d. A d too large for fp16 is stored as infinity, one too small as 0; the codes stay what they
    are. A block of zeros is 34 bytes 0.

    Args:
        x: float32, shape (..., n), one axis or more. In each block max|x| is 0 or from 1e-30 to 1e30.
            It is not changed.

    Returns:
        uint8, shape (..., n // 32 * 34): the blocks of a row one after the other.

    Raises:
        ValueError: n is no multiple of 32, or x holds NaN or an infinity.

    >>> row = np.zeros(32, np.float32)
    >>> row[:3] = 127, 0.5, -2.5
    >>> quantize_q8_0(row)[:6]
    array([  0,  60, 127,   1, 253,   0], dtype=uint8)
    """
    ### BEGIN SOLUTION
    if x.shape[-1] % 32 or not np.isfinite(x).all():
        raise ValueError("Q8_0 needs rows of a multiple of 32 finite weights.")
    blocks = x.reshape(*x.shape[:-1], -1, 32)
    d = np.abs(blocks).max(-1, keepdims=True) / np.float32(127)
    with np.errstate(divide="ignore", over="ignore"):
        scaled = blocks * np.where(d == 0, np.float32(0), np.float32(1) / d)
        stored = d.astype("<f2").view(np.uint8)
    size = np.abs(scaled)
    whole = np.floor(size)
    codes = np.sign(scaled) * (whole + (size - whole >= 0.5))
    packed = np.concatenate([stored, codes.astype(np.int8).view(np.uint8)], -1)
    return packed.reshape(*x.shape[:-1], -1)
    ### END SOLUTION


# %% role="check" id="q8-0-quantize" points=5
check("q8-0-quantize", quantize_q8_0)
# %% [markdown] items="1.4.K8"
# ### Exercise: read Q8_0 blocks
#
# An fp16 has 11 significant bits, a code at most 8: their product fits into the 24 of a `float32`, so every honest way gives
# the same bits.
#
# <details><summary>Hint</summary>Split (..., blocks, 34) at 2. <code>.view</code> needs contiguous bytes:
# <code>np.ascontiguousarray</code> or <code>.copy()</code> first.</details>


# %% role="exercise" id="q8-0-dequantize" items="1.4.C5 1.4.K8" minutes=8
def dequantize_q8_0(data: np.ndarray) -> np.ndarray:
    """Restore the weights of Q8_0 blocks: d * q, 32 for each 34 bytes.

    Args:
        data: uint8, shape (..., m), blocks along the last axis: fp16 d (little-endian, finite, of any sign,
            0 and subnormal too), then 32 int8 codes, -128 to 127. It is not changed.

    Returns:
        float32, shape (..., m // 34 * 32). The sign of a zero does not matter.

    Raises:
        ValueError: m is no multiple of 34.

    >>> block = np.array([0, 56, 127, 255, 128] + [0] * 29, np.uint8)  # d = 0.5
    >>> dequantize_q8_0(block)[:4]
    array([ 63.5,  -0.5, -64. ,   0. ], dtype=float32)
    """
    ### BEGIN SOLUTION
    if data.shape[-1] % 34:
        raise ValueError(f"{data.shape[-1]} bytes are no whole number of Q8_0 blocks.")
    blocks = data.reshape(*data.shape[:-1], -1, 34)
    d = blocks[..., :2].copy().view("<f2").astype(np.float32)
    weights = d * blocks[..., 2:].copy().view(np.int8)
    return weights.reshape(*data.shape[:-1], -1)
    ### END SOLUTION


# %% role="check" id="q8-0-dequantize" points=3
check("q8-0-dequantize", dequantize_q8_0)
# %% [markdown] items="1.4.C5 1.4.K8"
# ## Q4_0: use all sixteen codes
#
# Four bits hold -8 to 7. With $d = \max|x|/7$ the code -8 would lie idle. `Q4_0` takes the value $m$ of largest **magnitude with
# its sign** and sets
#
# $$d = m / (-8).$$
#
# So $m$ always has the code -8, and $d$ is negative where $m$ is positive. The price: a value near $-m$ would need +8 and is cut to 7. The
# nibble stores $q + 8$.
# %% [markdown] items="1.4.C5 1.4.K8"
# ## Q4_0, to the last bit
#
# In `float32`: $r = 1/d$ (0 where $d$ is 0), and the nibble is
#
# $$n_i = \min(15, \lfloor x_i \cdot r + 8.5 \rfloor),$$
#
# the sum a `float32` too. Of two equally large values the **first** one is $m$.
#
# Byte $j$ of the 16 holds $n_j$ in its **low** half and $n_{j+16}$ in its high half: SIMD code unpacks 16 bytes with one mask and one
# shift.
# %% [markdown] items="1.4.K8"
# ### Exercise: write Q4_0 blocks
#
# <details><summary>Hint 1</summary><code>np.abs(blocks).argmax(-1)</code> gives the first of equal ones; <code>np.take_along_axis</code> fetches
# the value with its sign.</details>
# <details><summary>Hint 2</summary>Zeros: 0 / -8 is -0.0, whose fp16 bytes are 0, 128, and every nibble is 8. Let the formula do it.</details>
# <details><summary>Hint 3</summary><code>n[..., :16] | n[..., 16:] &lt;&lt; 4</code> on uint8.</details>


# %% role="exercise" id="q4-0-quantize" items="1.4.C5 1.4.K8" minutes=15
def quantize_q4_0(x: np.ndarray) -> np.ndarray:
    """Pack float32 weights into Q4_0: 18 bytes for each 32 neighbours along the last axis.

    For each block, in float32: m is the value of largest magnitude, the first one among equals;
    d = m / -8; r = 1 / d, or 0 where d is 0; nibble = min(15, floor(x * r + 8.5)), where product and
    sum are float32. The bytes: d as fp16, little-endian, nearest even; then 16 bytes, of which byte j
    holds nibble j in its low half and nibble j + 16 in its high half. The nibbles are made with the
    float32 d. A d too large for fp16 is stored as an infinity, one too small as a zero, both with the
    sign of d; the nibbles stay what they are. A block of zeros: d is -0.0 (bytes 0, 128), nibbles 8.

    Args:
        x: float32, shape (..., n), one axis or more, without -0.0. In each block max|x| is 0 or from
            1e-30 to 1e30. It is not changed.

    Returns:
        uint8, shape (..., n // 32 * 18): the blocks of a row one after the other.

    Raises:
        ValueError: n is no multiple of 32, or x holds NaN or an infinity.

    >>> row = np.zeros(32, np.float32)
    >>> row[:3], row[16] = (-8, 0.5, 7.5), 2
    >>> quantize_q4_0(row)[:6]
    array([  0,  60, 160, 137, 143, 136], dtype=uint8)
    """
    ### BEGIN SOLUTION
    if x.shape[-1] % 32 or not np.isfinite(x).all():
        raise ValueError("Q4_0 needs rows of a multiple of 32 finite weights.")
    blocks = x.reshape(*x.shape[:-1], -1, 32)
    at = np.abs(blocks).argmax(-1)[..., None]
    d = np.take_along_axis(blocks, at, -1) / np.float32(-8)
    with np.errstate(divide="ignore", over="ignore"):
        scaled = blocks * np.where(d == 0, np.float32(0), np.float32(1) / d)
        stored = d.astype("<f2").view(np.uint8)
    nibbles = np.minimum(np.floor(scaled + np.float32(8.5)), 15).astype(np.uint8)
    packed = np.concatenate([stored, nibbles[..., :16] | nibbles[..., 16:] << 4], -1)
    return packed.reshape(*x.shape[:-1], -1)
    ### END SOLUTION


# %% role="check" id="q4-0-quantize" points=5
check("q4-0-quantize", quantize_q4_0)
# %% [markdown] items="1.4.K8"
# ### Exercise: read Q4_0 blocks
#
# <details><summary>Hint</summary>Concatenate <code>b &amp; 15</code> and <code>b &gt;&gt; 4</code> along the last axis, make them signed
# before you subtract 8, multiply by d.</details>


# %% role="exercise" id="q4-0-dequantize" items="1.4.C5 1.4.K8" minutes=8
def dequantize_q4_0(data: np.ndarray) -> np.ndarray:
    """Restore the weights of Q4_0 blocks: d * (nibble - 8), 32 for each 18 bytes.

    Args:
        data: uint8, shape (..., m), blocks along the last axis: fp16 d (little-endian, finite, of any sign,
            0 and subnormal too), then 16 bytes: byte j has weight j in its low half and weight j + 16 in
            its high half. It is not changed.

    Returns:
        float32, shape (..., m // 18 * 32). The sign of a zero does not matter.

    Raises:
        ValueError: m is no multiple of 18.

    >>> block = np.array([0, 60, 160, 137, 143] + [136] * 13, np.uint8)  # d = 1
    >>> restored = dequantize_q4_0(block)
    >>> restored[:4], restored[16]
    (array([-8.,  1.,  7.,  0.], dtype=float32), np.float32(2.0))
    """
    ### BEGIN SOLUTION
    if data.shape[-1] % 18:
        raise ValueError(f"{data.shape[-1]} bytes are no whole number of Q4_0 blocks.")
    blocks = data.reshape(*data.shape[:-1], -1, 18)
    d = blocks[..., :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], -1)
    weights = d * (nibbles.astype(np.int8) - np.int8(8))
    return weights.reshape(*data.shape[:-1], -1)
    ### END SOLUTION


# %% role="check" id="q4-0-dequantize" points=4
check("q4-0-dequantize", dequantize_q4_0)
# %% [markdown] items="1.4.K8"
# **Measure.** Your bytes against llama.cpp's. It quantized the whole model, from fp16 weights; the sha256 of each tensor was kept.
# %%
model = load_lm().to(profile.device)  # float32 on every device, so that the bytes are the same
HF_PART = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}  # fmt: skip


def weight_of(tensor_name):
    """The model's float32 matrix that llama.cpp calls `blk.0.attn_q.weight`."""
    _, layer, part, _ = tensor_name.split(".")
    found = model.get_parameter(f"model.layers.{layer}.{HF_PART[part]}.weight")
    return found.detach().float().cpu().numpy()


def matrices(recipe):
    """llama.cpp's entries for the decoder's matrices: (name, facts)."""
    listed = llama_cpp["files"][f"lm {recipe}"]["tensors"].items()
    return [(n, f) for n, f in listed if n.startswith("blk.") and len(f["shape"]) == 2]


for recipe, mine in (("Q8_0", quantize_q8_0), ("Q4_0", quantize_q4_0)):
    same = [
        hashlib.sha256(mine(weight_of(n)).tobytes()).hexdigest()[:16] == f["sha256"]
        for n, f in matrices(recipe)
    ]
    print(f"{recipe}: {sum(same)} of {len(same)} matrices have llama.cpp's bytes")
big_matrix = weight_of("blk.0.ffn_down.weight")
print("yours, a matrix of 256 x 768: ", measure(lambda: quantize_q4_0(big_matrix), repeats=9))
theirs = measure(lambda: gguf.quantize(big_matrix, gguf.GGMLQuantizationType.Q4_0), repeats=9)
print("the gguf package, in NumPy too:", theirs)
# %% [markdown]
# **What you should see.** All 28 of both: no tolerance, the same bytes as a C program's.
#
# About a millisecond for 200,000 weights, in NumPy, on one core. Formats that need no calibration data are made in the time that it takes
# to copy the file; GPTQ and AWQ are another matter.
# %% [markdown] items="1.4.C5"
# ## Count the bits from the layout
#
# `Q4_0`: 18 bytes for 32 weights are 4.5 bits. `Q4_1` adds an fp16 minimum: $\hat w = d\,q + m$, 5 bits. `Q5_0` adds a fifth bit for each
# weight: 5.5. A seventeenth of `Q8_0`, a ninth of `Q4_0` is scale.
#
# Smaller blocks fit the weights better and spend more on scales. Can a scale cost less than 16 bits? That is the idea of the
# **k-quants**.
# %% [markdown] items="1.4.C5"
# ## Super-blocks: scales of scales
#
# A k-quant joins 256 weights into a **super-block**. Its sub-blocks (8 of 32, or 16 of 16) have scales that are small integers, in units of an fp16 $d$
# for the whole super-block:
#
# $$\hat w = d\,s_j\,q_i - d_{min}\,m_j \quad (\text{Q4\_K}), \qquad \hat w = d\,s_j\,q_i \quad (\text{Q6\_K}).$$
#
# $s_j, m_j$: 6 bits each in Q4_K, and $q_i$ from 0 to 15; in Q6_K $s_j$ is an `int8` and $q_i$ runs from -32 to 31.
# %%
FIELDS = {  # bytes by purpose, in blocks as llama.cpp's ggml-common.h declares them
    "Q8_0": {"codes": 32, "fp16": 2}, "Q5_0": {"codes": 20, "fp16": 2},
    "Q4_1": {"codes": 16, "fp16": 4}, "Q4_0": {"codes": 16, "fp16": 2},
    "Q6_K": {"codes": 192, "small scales": 16, "fp16": 2},
    "Q5_K": {"codes": 160, "small scales": 12, "fp16": 4},
    "Q4_K": {"codes": 128, "small scales": 12, "fp16": 4},
    "Q3_K": {"codes": 96, "small scales": 12, "fp16": 2},
    "Q2_K": {"codes": 64, "small scales": 16, "fp16": 4},
}  # fmt: skip
fig, axes = figure(height_inch=3.6)
bar_ends = np.zeros(len(FIELDS))
for purpose, colour, hatch in zip(
    ("codes", "small scales", "fp16"), COLOURS, HATCHES, strict=False
):
    lengths = np.array([8 * f.get(purpose, 0) / BLOCKS[t][0] for t, f in FIELDS.items()])
    axes[0, 0].barh(list(FIELDS), lengths, left=bar_ends, color=(colour, 0.75), hatch=hatch,
                    edgecolor=INK, label=purpose)  # fmt: skip
    bar_ends += lengths
for at, end in enumerate(bar_ends):
    axes[0, 0].text(end + 0.08, at, f"{end:g}", va="center")
axes[0, 0].invert_yaxis()
axes[0, 0].set(xlabel="bits per weight", xlim=(0, 9.4))
axes[0, 0].legend(loc="lower right")
show(
    fig,
    alt="Stacked bars of bits per weight: codes, small scales and fp16 numbers. Q8_0 8.5, Q5_0 5.5, Q4_1 5, Q4_0 4.5, Q6_K 6.5625, Q5_K "
    "5.5, Q4_K 4.5, Q3_K 3.4375, Q2_K 2.625. The k-quants spend a sliver on fp16 and a little more on small scales.",
)
for kind, parts in FIELDS.items():
    assert (
        sum(parts.values())
        == BLOCKS[kind][1]
        == gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]][1]
    )


# %% [markdown] items="1.4.C5"
# **Turn the knob.** Block size against error, on real weights: 4-bit codes with an fp16 scale for each block, or with 6-bit scales in units of one fp16
# for 256 weights.
# %% role="given" id="knob"
def four_bit_error(weights, block, two_level):
    """Relative RMS error of symmetric 4-bit rounding with a scale for each `block` neighbours."""
    groups = weights.reshape(-1, 256 // block, block).astype(np.float64)
    step = np.abs(groups).max(-1, keepdims=True) / 7
    if two_level:
        unit = step.max(1, keepdims=True) / 63
        step = np.ceil(np.round(step / unit, 6)) * unit  # upwards, so that nothing is cut off
    else:
        step = step.astype(np.float16).astype(np.float64)
    restored = np.clip(np.rint(groups / step), -8, 7) * step
    return float(np.sqrt(np.mean((groups - restored) ** 2) / np.mean(groups**2)))


KNOB_SIZES = (8, 16, 32, 64, 128, 256)
knob_weights = weight_of("blk.0.ffn_down.weight")
one_level = [(4 + 16 / b, 100 * four_bit_error(knob_weights, b, False)) for b in KNOB_SIZES]
two_level = [
    (4 + 6 / b + 16 / 256, 100 * four_bit_error(knob_weights, b, True)) for b in KNOB_SIZES
]


def draw_blocks(block=32):
    """Bits and error of both schemes, the chosen block size marked."""
    fig, axes = figure()
    at = KNOB_SIZES.index(block)
    for label, points, colour, line in (
        ("an fp16 scale for each block", one_level, COLOURS[0], "-"),
        ("6-bit scales, an fp16 for 256", two_level, COLOURS[1], "--"),
    ):
        axes[0, 0].plot(
            *zip(*points, strict=True), line, color=colour, marker="o", markersize=4, label=label
        )
        axes[0, 0].plot(*points[at], "s", color=colour, markersize=11)
        axes[0, 0].annotate(f"{points[at][0]:.2f} bits, {points[at][1]:.2f} %", points[at],
                            xytext=(10, 10) if line == "-" else (-10, -20),
                            ha="left" if line == "-" else "right", textcoords="offset points")  # fmt: skip
    axes[0, 0].set(xlabel="bits per weight", ylabel="relative RMS error, %", xlim=(3.3, 6.9))
    axes[0, 0].legend()
    return fig, (
        f"Error against bits per weight for blocks of 8 to 256. With blocks of {block}: {one_level[at][0]:.2f} bits and "
        f"{one_level[at][1]:.2f} % with fp16 scales, {two_level[at][0]:.2f} bits and {two_level[at][1]:.2f} % with 6-bit scales."
    )


explore(draw_blocks, block=list(KNOB_SIZES))
# %% [markdown]
# **What you should see.** With blocks of 32 the 6-bit scales cost a quarter of a bit less, at an error a hundredth larger: a scale need not be
# exact to eleven bits. The smaller the blocks, the more is saved. With blocks of 256 there is nothing to share, and the second level only costs.
# %% [markdown] items="1.4.C5"
# ## Twelve bytes for sixteen numbers
#
# Q4_K's eight scales $s_j$ and eight minima $m_j$ have 6 bits each: 96 bits, 12 bytes $b_0 \dots b_{11}$.
#
# - $s_0..s_3$: the low six bits of $b_0..b_3$; $m_0..m_3$: the low six bits of $b_4..b_7$.
# - $s_{4+j}$: low four bits from the **low** nibble of $b_{8+j}$, top two from the top two bits of $b_j$.
# - $m_{4+j}$: low four bits from the **high** nibble of $b_{8+j}$, top two from the top two bits of $b_{4+j}$.
# %% [markdown] items="1.4.C5"
# ### Exercise: unpack the scales and minima
#
# <details><summary>Hint 1</summary>Slice a, b, c = bytes 0-3, 4-7, 8-11 along the last axis.</details>
# <details><summary>Hint 2</summary>The top two bits of a, put in places 4 and 5: <code>(a &gt;&gt; 6) &lt;&lt; 4</code>. On uint8 the shifts
# stay within a byte.</details>


# %% role="exercise" id="unpack-k-scales" items="1.4.C5" minutes=10
def unpack_k_scales(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The eight 6-bit scales and eight 6-bit minima of Q4_K super-blocks.

    Scale j and minimum j, j = 0..3, are the low 6 bits of bytes j and 4 + j. Scale 4 + j is the low nibble
    of byte 8 + j plus 16 times the top two bits of byte j; minimum 4 + j is the high nibble of byte 8 + j
    plus 16 times the top two bits of byte 4 + j.

    Args:
        packed: uint8, shape (..., 12). It is not changed.

    Returns:
        scales, minima: uint8, shape (..., 8), values 0 to 63.

    Raises:
        ValueError: the last axis is not 12 long.

    >>> unpack_k_scales(np.array([1, 2, 3, 196, 5, 6, 7, 8, 0x21, 0, 0, 0x0F], np.uint8))
    (array([ 1,  2,  3,  4,  1,  0,  0, 63], dtype=uint8), array([5, 6, 7, 8, 2, 0, 0, 0], dtype=uint8))
    """
    ### BEGIN SOLUTION
    if packed.shape[-1] != 12:
        raise ValueError(f"Scales and minima are packed in 12 bytes, not {packed.shape[-1]}.")
    a, b, c = packed[..., :4], packed[..., 4:8], packed[..., 8:]
    scales = np.concatenate([a & 63, c & 15 | a >> 6 << 4], -1)
    minima = np.concatenate([b & 63, c >> 4 | b >> 6 << 4], -1)
    return scales, minima
    ### END SOLUTION


# %% role="check" id="unpack-k-scales" points=4
check("unpack-k-scales", unpack_k_scales)
# %% [markdown] items="1.4.C5"
# ## Q4_K, byte by byte
#
# 144 bytes for 256 weights, 4.5 bits:
#
# | bytes | holds |
# |---|---|
# | 0-1, 2-3 | $d$, $d_{min}$, fp16 |
# | 4-15 | scales and minima, as above |
# | 16-143 | codes |
#
# Codes come in four runs of 32 bytes. In run $k$ the low nibbles are sub-block $2k$, the high ones $2k+1$.
# $\hat w = (d s_j)\,q - (d_{min} m_j)$: both products are exact in `float32`, the difference is rounded once.
# %% [markdown] items="1.4.C5"
# ### Exercise: read Q4_K blocks
#
# You may call your `unpack_k_scales`.
#
# <details><summary>Hint 1</summary>Codes: reshape to (..., 4, 1, 32) and shift right by [[0], [4]]: axis -2 then is low, high. Mask with 15, reshape to
# (..., 8, 32).</details>
# <details><summary>Hint 2</summary>Scales of shape (..., 8) need a last axis of length 1 to meet (..., 8, 32).</details>


# %% role="exercise" id="q4-k-dequantize" items="1.4.C5" minutes=12
def dequantize_q4_k(data: np.ndarray) -> np.ndarray:
    """Restore the weights of Q4_K super-blocks: (d * s) * q - (dmin * m), 256 for each 144 bytes.

    A super-block: fp16 d, fp16 dmin (little-endian), 12 bytes of scales and minima (see unpack_k_scales),
    128 bytes of codes. Weight i is in sub-block i // 32. Its code is in byte 32 * (i // 64) + i % 32 of
    the 128: the low nibble if i % 64 < 32, else the high one. Codes are 0 to 15.

    Args:
        data: uint8, shape (..., m), super-blocks along the last axis; d and dmin are finite, of any sign.
            It is not changed.

    Returns:
        float32, shape (..., m // 144 * 256), computed in float32 (or wider, rounded at the end).
        The sign of a zero does not matter.

    Raises:
        ValueError: m is no multiple of 144.

    >>> block = np.zeros(144, np.uint8)
    >>> block[1], block[3], block[4], block[8], block[16] = 60, 56, 3, 2, 0x95  # d = 1, dmin = 0.5
    >>> w = dequantize_q4_k(block)
    >>> w[0], w[1], w[32]
    (np.float32(14.0), np.float32(-1.0), np.float32(0.0))
    """
    ### BEGIN SOLUTION
    if data.shape[-1] % 144:
        raise ValueError(f"{data.shape[-1]} bytes are no whole number of Q4_K super-blocks.")
    blocks = data.reshape(*data.shape[:-1], -1, 144)
    both = blocks[..., :4].copy().view("<f2").astype(np.float32)
    scales, minima = unpack_k_scales(blocks[..., 4:16])
    steps = (both[..., :1] * scales)[..., None]
    floors = (both[..., 1:] * minima)[..., None]
    codes = blocks[..., 16:].reshape(*blocks.shape[:-1], 4, 1, 32) >> np.array([[0], [4]], np.uint8)
    codes = (codes & 15).reshape(*blocks.shape[:-1], 8, 32)
    return (steps * codes - floors).reshape(*data.shape[:-1], -1)
    ### END SOLUTION


# %% role="check" id="q4-k-dequantize" points=5
check("q4-k-dequantize", dequantize_q4_k)
# %% [markdown] items="1.4.C5"
# ## Q6_K: four bits here, two there
#
# 210 bytes for 256 weights, 6.5625 bits: `ql` (128 bytes, low four bits of the codes), `qh` (64 bytes, top two), 16 `int8` scales, and $d$ at the **end**.
#
# Half $h$ of the 256 weights owns `ql[64h:64h+64]` and `qh[32h:32h+32]`. Its four runs of 32 weights, $g = 0..3$:
# low bits from `ql` bytes $32(g \bmod 2)$ on, low nibble for $g < 2$, else high; top bits from `qh`, shifted right by $2g$.
# %% [markdown] items="1.4.C5"
# ### Exercise: read Q6_K blocks
#
# <details><summary>Hint 1</summary>ql as (..., 2, 1, 64) shifted by [[0], [4]], masked with 15, reshaped to (..., 8, 32): the runs are in order then.</details>
# <details><summary>Hint 2</summary>qh as (..., 2, 1, 32) shifted by [[0], [2], [4], [6]], masked with 3, reshaped to (..., 8, 32).</details>
# <details><summary>Hint 3</summary>The scales are for 16 weights each: reshape the codes to (..., 16, 16).</details>


# %% role="exercise" id="q6-k-dequantize" items="1.4.C5" minutes=14
def dequantize_q6_k(data: np.ndarray) -> np.ndarray:
    """Restore the weights of Q6_K super-blocks: d * s * (code - 32), 256 for each 210 bytes.

    A super-block: ql, 128 bytes; qh, 64 bytes; 16 int8 scales; fp16 d (little-endian). For weight i let
    h = i // 128, g = i % 128 // 32, l = i % 32. The code is low + 16 * high, where
        low  = ql[64 * h + 32 * (g % 2) + l], its low nibble if g < 2, else its high nibble;
        high = (qh[32 * h + l] >> 2 * g) & 3.
    Its scale is number i // 16.

    Args:
        data: uint8, shape (..., m), super-blocks along the last axis; d is finite, of any sign; the scales
            are -128 to 127. It is not changed.

    Returns:
        float32, shape (..., m // 210 * 256). The sign of a zero does not matter.

    Raises:
        ValueError: m is no multiple of 210.

    >>> block = np.zeros(210, np.uint8)
    >>> block[0], block[128], block[192:200], block[209] = 0x21, 0x07, 255, 60  # d = 1, scales -1
    >>> dequantize_q6_k(block)[[0, 1, 32, 64]]
    array([-17.,  32.,  16.,  30.], dtype=float32)
    """
    ### BEGIN SOLUTION
    if data.shape[-1] % 210:
        raise ValueError(f"{data.shape[-1]} bytes are no whole number of Q6_K super-blocks.")
    blocks = data.reshape(*data.shape[:-1], -1, 210)
    lead = blocks.shape[:-1]
    low = blocks[..., :128].reshape(*lead, 2, 1, 64) >> np.array([[0], [4]], np.uint8) & 15
    high = (
        blocks[..., 128:192].reshape(*lead, 2, 1, 32) >> np.array([[0], [2], [4], [6]], np.uint8)
        & 3
    )
    codes = (low.reshape(*lead, 256) | high.reshape(*lead, 256) << 4).astype(np.int8) - np.int8(32)
    scales = blocks[..., 192:208].copy().view(np.int8)
    d = blocks[..., 208:].copy().view("<f2").astype(np.float32)
    weights = (d * scales)[..., None] * codes.reshape(*lead, 16, 16)
    return weights.reshape(*data.shape[:-1], -1)
    ### END SOLUTION


# %% role="check" id="q6-k-dequantize" points=6
check("q6-k-dequantize", dequantize_q6_k)
# %% [markdown] items="1.4.C5"
# **Predict.** `Q4_0` and `Q4_K` both have 4.5 bits per weight. Next: one matrix, in every format, the k-quants as llama.cpp packed them. By how many percent is the
# RMS error of Q4_K below that of Q4_0?
# %% role="predict" id="predict-gain"
my_gain = ...


# %% role="given" id="formats"
def relative_rmse(restored, original):
    """sqrt(mean (w - restored)^2 / mean w^2)."""
    original = original.astype(np.float64)
    return float(np.sqrt(np.mean((restored - original) ** 2) / np.mean(original**2)))


def library_round_trip(weights, kind):
    """Through the bytes of one of the gguf package's formats and back."""
    code = gguf.GGMLQuantizationType[kind]
    return gguf.dequantize(gguf.quantize(weights, code), code)


real_blocks = load_packed()
sample_weights = weight_of(SAMPLE)
sample_errors = {
    "Q8_0": relative_rmse(dequantize_q8_0(quantize_q8_0(sample_weights)), sample_weights),
    "Q4_0": relative_rmse(dequantize_q4_0(quantize_q4_0(sample_weights)), sample_weights),
    "Q4_K": relative_rmse(dequantize_q4_k(real_blocks[f"Q4_K/{SAMPLE}"]), sample_weights),
    "Q6_K": relative_rmse(dequantize_q6_k(real_blocks[f"Q6_K/{SAMPLE}"]), sample_weights),
}
for kind in ("Q5_0", "Q4_1"):
    sample_errors[kind] = relative_rmse(library_round_trip(sample_weights, kind), sample_weights)
for kind in ("Q5_K", "Q3_K", "Q2_K"):
    unpacked = gguf.dequantize(real_blocks[f"{kind}/{SAMPLE}"], gguf.GGMLQuantizationType[kind])
    sample_errors[kind] = relative_rmse(unpacked, sample_weights)
fig, axes = figure(height_inch=3.8)
for family, colour, marker in (("k-quants", COLOURS[1], "s"), ("one level", COLOURS[0], "o")):
    members = sorted(
        (8 * BLOCKS[k][1] / BLOCKS[k][0], 100 * e, k)
        for k, e in sample_errors.items()
        if k.endswith("_K") == (family == "k-quants")
    )
    axes[0, 0].semilogy(
        [m[0] for m in members], [m[1] for m in members], marker=marker, color=colour, label=family
    )
    for bits, percent, kind in members:
        axes[0, 0].annotate(
            kind,
            (bits, percent),
            xytext=(6, 5) if family == "one level" else (-6, -14),
            ha="left" if family == "one level" else "right",
            textcoords="offset points",
        )
axes[0, 0].set(xlabel="bits per weight", ylabel="relative RMS error, %", xlim=(2, 9.2))
axes[0, 0].legend()
show(
    fig,
    alt="Relative error against bits per weight on a logarithmic scale. Both families fall by about half for each bit; the k-quants "
    "lie below the older formats at 4.5 and 5.5 bits.",
)
for kind, error in sorted(sample_errors.items(), key=lambda item: -item[1]):
    print(
        f"{kind}  {8 * BLOCKS[kind][1] / BLOCKS[kind][0]:7.4f} bits  relative RMS error {error:7.3%}"
    )
gain_percent = 100 * (1 - sample_errors["Q4_K"] / sample_errors["Q4_0"])
reveal(my_gain, gain_percent, unit="%")
# %% [markdown] items="1.4.C5"
# **What you should see.** Q4_K's error is about a sixth smaller, at the same 4.5 bits. Two reasons: a minimum for each sub-block moves the sixteen codes to where the weights are
# (as in Q4_1, at half a bit less), and llama.cpp **searches**: for each sub-block it tries about twenty scales and keeps the one with the least weighted error.
#
# Bits of codes count most: each halves the error, 6 dB, as in lesson 2 of module 1.1.
# %% [markdown]
# ## The whole model
#
# All 28 matrices of the decoder through the bytes and back: the error of the weights, and what the predictions make of it: mean KL divergence to
# the float32 model, and how often the likeliest token stays the same.
# %%
decoder = decoder_linears(model)
mean_errors, divergences = {}, {}
for kind in ("Q8_0", "Q5_0", "Q4_1", "Q4_0"):
    layer_errors = []

    def rounded(_, weight, kind=kind, collected=layer_errors):
        before = weight.float().cpu().numpy()
        after = library_round_trip(before, kind)
        collected.append(relative_rmse(after, before))
        return torch.from_numpy(after).to(weight)

    divergences[kind] = mean_divergence(with_weights(model, rounded), model, windows=8)
    mean_errors[kind] = layer_errors
    print(
        f"{kind}  error by layer {min(layer_errors):.2%} to {max(layer_errors):.2%}, "
        f"KL {divergences[kind]:.1e} nats"
    )
worst_at = int(np.argmax(mean_errors["Q4_0"]))
print(f"hardest matrix for Q4_0: {list(decoder)[worst_at]}")
print("\nwhole files of llama.cpp, embedding included, KL as measured when they were made")
for title, its_file in llama_cpp["files"].items():
    if title.startswith("lm "):
        worst = max(f["relative_rmse"] for _, f in matrices(title[3:]))
        print(
            f"{title[3:]:7s} {its_file['bits_per_weight']:6.3f} bits  KL {its_file['divergence_nats']:.1e} nats"
            f"  largest error of a matrix {worst:.1%}"
        )
# %% [markdown]
# **What you should see.** Within one format all layers have nearly the same relative error: blocks of 32 leave no room for a bad layer. KL goes with the **square**
# of the error: a bit fewer, four times the divergence. `Q4_K_M` needs fewer bits than `Q4_1` and is closer to the original.
# %% [markdown] items="1.4.C5"
# ## Which weights hurt most
#
# All weights are not equally dear. One kind of matrix at a time goes through Q4_0, in all layers; everything else stays exact. The divergence, divided by the number of weights that
# were touched, is the price of saving bits there.
# %% role="given" id="sensitivity"
prices = {}
for hf_part in ("embed_tokens", *HF_PART.values()):
    touched = [n for n, p in model.named_parameters() if f"{hf_part}.weight" in n]
    damaged = copy.deepcopy(model)
    with torch.no_grad():
        for parameter_name in touched:
            parameter = damaged.get_parameter(parameter_name)
            restored = library_round_trip(parameter.cpu().numpy(), "Q4_0")
            parameter.copy_(torch.from_numpy(restored))
    millions = sum(model.get_parameter(n).numel() for n in touched) / 1e6
    prices[hf_part.split(".")[-1]] = 1e3 * mean_divergence(damaged, model, windows=8) / millions
prices = dict(sorted(prices.items(), key=lambda item: -item[1]))
show(
    bars(prices, title="KL through Q4_0, millinats per million weights"),
    alt="Bars, the price of Q4_0 by kind of matrix: "
    + ", ".join(f"{name} {price:.2g}" for name, price in prices.items())
    + " millinats per million weights.",
)
# %% [markdown]
# **What you should see.** The embedding first by far: it is this model's output matrix as well. Among the decoder's matrices `v_proj` (llama.cpp's `attn_v`), which is small where heads share
# keys and values, and so cheap to spare. `k_proj` is next, `down_proj` then; in total, `down_proj` costs most of the seven. The recipe protects the output, `attn_v` and `ffn_down`: on this model a
# vote for `attn_k` would be as good. A recipe is somebody's measurement, on other models.
# %% [markdown] items="1.4.C5"
# ## What the `_M` mixes
#
# `Q4_K_M` is a recipe: mostly Q4_K, and Q6_K where it hurts most. For a plain Llama of $n$ layers:
#
# - the output matrix (or the embedding, if tied): Q6_K;
# - `attn_v` and `ffn_down` in layers $i$ with $i < \lfloor n/8 \rfloor$, or $i \ge \lfloor 7n/8 \rfloor$, or $(i - \lfloor n/8 \rfloor) \bmod 3 = 2$: Q6_K;
# - other matrices: Q4_K; vectors: F32.
# %% [markdown] items="1.4.C5"
# ## The silent fallback
#
# Where a row is no multiple of 256, llama.cpp takes a format with blocks of 32 instead:
#
# - Q4_K becomes Q5_0, Q6_K becomes Q8_0;
# - and where 32 does not divide the row either, F16.
#
# That is one bit more and two bits more. The draft model's rows of 128 explain the first cell of this notebook. The log has a warning; the file's name does
# not. So look at the tensor types.
# %% [markdown] items="1.4.C5"
# ### Exercise: plan a Q4_K_M file
#
# <details><summary>Hint 1</summary>The row is the last entry of the shape. Decide the wanted type first, the fallback after it.</details>
# <details><summary>Hint 2</summary>name.split(".") of "blk.10.attn_v.weight" gives the layer at 1 and the part at 2.</details>
# <details><summary>Hint 3</summary>Bytes: weights // block weights * block bytes, with the table BLOCKS.</details>


# %% role="exercise" id="q4-k-m-plan" items="1.4.C5" minutes=15
def plan_q4_k_m(shapes: dict[str, tuple[int, ...]], layers: int) -> tuple[dict[str, str], float]:
    """The type of every tensor in a Llama's Q4_K_M file, and the bits per weight of the whole.

    One axis: F32. Two axes: "output.weight" wants Q6_K, and so does "token_embd.weight" if there is no
    output.weight; "blk.I.attn_v.weight" and "blk.I.ffn_down.weight" want Q6_K in the layers I with
    I < layers // 8 or I >= 7 * layers // 8 or (I - layers // 8) % 3 == 2. All others want Q4_K.
    Where the row (the last axis) is no multiple of 256, Q4_K becomes Q5_0 and Q6_K becomes Q8_0;
    where it is no multiple of 32, both become F16.

    Args:
        shapes: tensor name: (length,) or (rows, row). One tensor or more, in any order.
        layers: how many layers the model has, 1 or more, numbered from 0. `shapes` may hold a part of them.

    Returns:
        types: tensor name: "F32", "F16", "Q8_0", "Q6_K", "Q5_0" or "Q4_K".
        bits_per_weight: 8 * bytes of all tensors / number of weights of all tensors, F32 and F16 included.
            BLOCKS has (weights, bytes) of a block of each type.

    >>> plan_q4_k_m({"token_embd.weight": (10, 256), "blk.0.attn_q.weight": (4, 256)}, layers=1)
    ({'token_embd.weight': 'Q6_K', 'blk.0.attn_q.weight': 'Q4_K'}, 5.973214285714286)
    """
    ### BEGIN SOLUTION
    types, size, count = {}, 0, 0
    for name, shape in shapes.items():
        kind = "Q4_K"
        if name == "output.weight" or (
            name == "token_embd.weight" and "output.weight" not in shapes
        ):
            kind = "Q6_K"
        elif name.endswith(("attn_v.weight", "ffn_down.weight")):
            i, eighth = int(name.split(".")[1]), layers // 8
            if i < eighth or i >= 7 * layers // 8 or (i - eighth) % 3 == 2:
                kind = "Q6_K"
        if len(shape) == 1:
            kind = "F32"
        elif shape[-1] % 32:
            kind = "F16"
        elif shape[-1] % 256:
            kind = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}[kind]
        weights = int(np.prod(shape))
        types[name], count = kind, count + weights
        size += weights // BLOCKS[kind][0] * BLOCKS[kind][1]
    return types, 8 * size / count
    ### END SOLUTION


# %% role="check" id="q4-k-m-plan" points=6
check("q4-k-m-plan", plan_q4_k_m)


# %% [markdown]
# **Measure.** Your plan against the two real files, tensor by tensor; and, from its published sizes alone, Llama 3.1 8B, for which llama.cpp's own table says 4.8944 bits.
# %% role="given" id="plans"
def llama_shapes(vocabulary, hidden, inner, depth, kv_width, tied, biases=False):
    """Shapes of a Llama-like model's tensors under llama.cpp's names."""
    listed = {"token_embd.weight": (vocabulary, hidden), "output_norm.weight": (hidden,)}
    if not tied:
        listed["output.weight"] = (vocabulary, hidden)
    for layer in range(depth):
        block_shapes = {
            "attn_q": (hidden, hidden), "attn_k": (kv_width, hidden), "attn_v": (kv_width, hidden),
            "attn_output": (hidden, hidden), "ffn_gate": (inner, hidden), "ffn_up": (inner, hidden),
            "ffn_down": (hidden, inner), "attn_norm": (hidden,), "ffn_norm": (hidden,),
        }  # fmt: skip
        listed |= {f"blk.{layer}.{part}.weight": shape for part, shape in block_shapes.items()}
        if biases:
            widths = {"attn_q": hidden, "attn_k": kv_width, "attn_v": kv_width}
            listed |= {f"blk.{layer}.{part}.bias": (width,) for part, width in widths.items()}
    return listed


planned_bits = {}
for who, depth in (("lm Q4_K_M", 4), ("draft Q4_K_M", 2)):
    real = llama_cpp["files"][who]
    plan, planned_bits[who] = plan_q4_k_m(
        {n: tuple(f["shape"]) for n, f in real["tensors"].items()}, depth
    )
    agree = sum(plan[n] == f["type"] for n, f in real["tensors"].items())
    print(
        f"{who:13s} {agree} of {len(plan)} types as planned; planned {planned_bits[who]:.4f} bits, "
        f"real {real['bits_per_weight']:.4f}"
    )
llama_8b = llama_shapes(128256, 4096, 14336, 32, 1024, tied=False)
plan_8b, planned_bits["Llama 3.1 8B"] = plan_q4_k_m(llama_8b, 32)
print(
    f"Llama 3.1 8B  planned {planned_bits['Llama 3.1 8B']:.4f} bits, {list(plan_8b.values()).count('Q6_K')} tensors in Q6_K"
)
qwen_half = llama_shapes(151936, 896, 4864, 24, 128, tied=True, biases=True)
plan_half, planned_bits["Qwen2.5 0.5B"] = plan_q4_k_m(qwen_half, 24)
half_types = list(plan_half.values())
print("Qwen2.5 0.5B  planned", {kind: half_types.count(kind) for kind in dict.fromkeys(half_types)})
# %% [markdown]
# **What you should see.** Every tensor of both files as planned, and the published figure of the 8B model to its last digit or nearly so. The last line belongs to the
# question below.
# %% [markdown] items="1.4.C5"
# ## In your own words
#
# Qwen2.5 0.5B has 24 layers, hidden size 896, an inner size of 4,864, 14 heads of 64, 2 of them for keys and values, a vocabulary of 151,936 tied to the output. Someone publishes
# its `Q4_K_M` file. It is nearly a third larger than "4.85 bits per weight" promises, and they suspect a bug.
#
# In 120 to 200 words: is it one? Which tensors have which type, and why? How many bits per weight does your plan give? What would you look at before you publish such a file, and which recipe or
# other choice would you offer instead?
# %% [markdown] role="written" id="why-so-large" items="1.4.C5" points=3
# **Model answer.** No bug: the fallback. 896 is 3.5 times 256, so no row of 896 weights can be cut into super-blocks. That is every matrix but `ffn_down`, whose rows have 4,864 = 19 · 256
# weights. So `attn_q`, `attn_k`, `attn_output`, `ffn_gate` and `ffn_up` become Q5_0 (5.5 bits); `attn_v` becomes Q5_0, or Q8_0 in the layers that wanted Q6_K; the tied
# embedding, over a quarter of all weights, becomes Q8_0 (8.5 bits) in place of Q6_K. Only `ffn_down` keeps Q4_K and Q6_K.
#
# The plan gives 6.35 bits. Nothing is lost in quality: the replacements have more bits than what they replace. But the name promises a size that the file has not.
#
# Before publishing: list the tensor types (or the warning's count of fallbacks), compute the bits per weight, and measure KL to the original beside plain formats of similar size. Since the embedding
# dominates, the honest offers are Q5_0 or Q4_0 for the decoder with an embedding of fewer bits, or a larger model whose sizes are multiples of 256, at 4.9 bits.
#
# **Rubric.** 1 point: names the fallback and shows 896 / 256 = 3.5 against 4,864 / 256 = 19. 1 point: the types rightly listed, the tied embedding at Q8_0 recognised as the largest cause, and the figure 6.35.
# 1 point: a check before publishing (types, bits, a measured divergence) and a sensible alternative. Half a point off for claiming that the file is damaged or worse in quality.
# %% [markdown]
# ## Recap
#
# - A block holds codes and their scale side by side; bits per weight = 8 · bytes / weights: Q8_0 8.5, Q4_0 4.5, Q4_K 4.5, Q6_K 6.5625.
# - Bit-exact means: the dtype of each step, the rule for halves, reciprocal or division, rounded or unrounded scale, the order of nibbles. Each is a choice; all are written down.
# - Q4_0's scale has the sign of the largest value, so that all sixteen codes are used.
# - k-quants store scales of scales: 256 weights, 6-bit scales (and minima), one fp16 pair.
# - `_M` is a recipe: Q6_K for the output, and for `attn_v` and `ffn_down` in about half of the layers.
# - Rows that 256 does not divide fall back to Q5_0 and Q8_0. Look at the types.
#
# **Three questions**
#
# <details><summary>1. A block of Q4_0 holds 1.0 and -1.0 as its extremes, 1.0 first. What are d and the codes of both, and what does -1.0
# come back as?</summary>d = -0.125. 1.0 has code -8 and comes back exactly; -1.0 would need +8, gets 7 and comes back as -0.875.</details>
# <details><summary>2. Q4_K with sub-blocks of 16 in place of 32, still 6 bits for each scale and minimum: how many bits per weight?</summary>4 + 2 · 6 / 16 + 32 / 256 = 4.875.</details>
# <details><summary>3. Why do all orders of multiplication give the same bits when Q6_K is read, but not when Q8_0 is written?</summary>Reading multiplies numbers of 11, 7 and 5 significant bits: 23 bits fit into a float32, so
# nothing is rounded. Writing rounds 1 / d and the product, and a code near a half hangs on the last bit.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - llama.cpp, `ggml/src/ggml-common.h`: the structs `block_q4_0`, `block_q8_0`, `block_q4_K`, `block_q6_K`, each with its size asserted at compile time.
# - llama.cpp, `ggml/src/ggml-quants.c`: `quantize_row_q8_0_ref` and `quantize_row_q4_0_ref` are this notebook's rules; `make_qkx2_quants` is the search behind Q4_K.
# - llama.cpp, `src/llama-quant.cpp`: `use_more_bits` and `tensor_type_fallback`, the mix and the fallback.
# - llama.cpp pull request 1684, *k-quants*: the formats as they were introduced, with perplexities of LLaMA 7B by size.
# - The `gguf` package, `quants.py`: the same formats in NumPy, short enough to read in one sitting.
#
# **Next:** `4_onnx`: from weights in a file to a graph in a file.
# %%
# Your result.
print(
    f"bits per weight, Q4_K_M: lm {planned_bits['lm Q4_K_M']:.2f}, draft {planned_bits['draft Q4_K_M']:.2f}"
)
print(f"Q4_K's error below Q4_0's, same bits: {gain_percent:.0f} %")
print(f"KL to float32: Q8_0 {divergences['Q8_0']:.1e}, Q4_0 {divergences['Q4_0']:.1e} nats")
