# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Choose how many scales, and from which data
#
# **You end with:** three quantizers that differ only in how many scales they keep, four rules that
# choose a range from data, and a table of what they do to a network that you train here, at 8 and 4 bits.
#
# About 100 minutes. 32 points: 29 graded by machine, 3 by a person. Runs on a laptop, no GPU, no
# network. You need the scale and symmetric quantization (`2_affine_quantization`).
#
# Every quantizer here is symmetric: codes from $-q_{max}$ to $q_{max} = 2^{b-1} - 1$, no zero-point,
# rounding to nearest with ties to even.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import numpy as np

from autograder import check
from lab.plots import COLOURS, INK, LINES, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import seed_everything, use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile


# %% role="given" id="setup-helpers"
def fake_quantize(x: np.ndarray, scale, bits: int) -> np.ndarray:
    """Quantize and restore x with a scale that broadcasts against it; float64."""
    top = 2 ** (bits - 1) - 1
    return np.clip(np.rint(np.asarray(x, np.float64) / scale), -top, top) * scale


def sqnr_db(x: np.ndarray, restored: np.ndarray) -> float:
    """Signal to quantization noise ratio in dB; 6 dB are worth about one bit."""
    x = np.asarray(x, np.float64)
    return float(10 * np.log10(np.sum(x**2) / np.sum((x - restored) ** 2)))


# %% [markdown]
# ## One channel spoils the others
#
# A weight matrix of 64 output channels (rows) by 256 inputs, drawn from a normal distribution, in INT8
# with one scale. Now multiply **row 0** by 100 and quantize again. Look at the *other* 63 rows: their
# values did not change at all.
# %% role="given" id="surprise"
rng = np.random.default_rng(0)
calm = rng.standard_normal((64, 256)).astype(np.float32)
loud = calm.copy()
loud[0] *= 100

others_db = {}
for name, w in (("all rows alike", calm), ("row 0 is 100 times larger", loud)):
    restored = fake_quantize(w, np.abs(w).max() / 127, 8)
    others_db[name] = sqnr_db(w[1:], restored[1:])
    distinct = len(np.unique(np.rint(w[1:] / (np.abs(w).max() / 127))))
    print(f"{name}: rows 1 to 63 have {others_db[name]:.1f} dB and use {distinct} codes")
calm_db, loud_db = others_db.values()
lost_bits = (calm_db - loud_db) / (20 * np.log10(2))
print(f"One row took {calm_db - loud_db:.1f} dB from all others: {lost_bits:.1f} of their 8 bits.")
# %% [markdown] items="1.1.C8"
# **What happened.** The scale is $s = \max|W| / 127$, and row 0 sets the maximum. Every row pays for
# it: a step 100 times coarser costs $20 \log_{10} 100 = 40$ dB, until the other rows fit into a
# handful of codes.
#
# Trained networks do have such channels (Dettmers et al. 2022, section 4, count them in language
# models). So the question is not only how many bits, but **how many values share a scale**. That is
# *granularity*.
# %% [markdown] items="1.1.C8"
# ## How many values share a scale
#
# For weights $W$ of shape $(C, K)$, with $C$ output channels:
#
# | granularity | scales | shape that broadcasts |
# |---|---|---|
# | per tensor | 1 | $()$ |
# | per channel | $C$ | $(C, 1)$ |
# | per group of $g$ | $C K / g$ | $(C, K/g, 1)$ against $(C, K/g, g)$ |
# %% [markdown] items="1.1.C8"
# Each block gets $s = \text{amax} / q_{max}$ from its own $\text{amax} = \max|w|$. The arithmetic stays
# the same.
#
# A convolution's weights are $(C_{out}, C_{in}, k_h, k_w)$: its channel is axis 0, and the maximum runs
# over the other three.


# %% role="exercise" id="per-channel-quantize" items="1.1.C8 1.1.K2" minutes=10
def quantize_per_channel(
    w: np.ndarray, axis: int = 0, bits: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric quantization with one scale for each index of `axis`.

    Scale of a channel: max|w| in the channel / qmax with qmax = 2**(bits - 1) - 1; a channel of
    zeros has scale 1. Code: w / scale rounded to nearest, ties to even, within [-qmax, qmax].

    Args:
        w: weights, float32, any shape of one axis or more. Not changed.
        axis: the channel axis; negative counts from the end.
        bits: 2 to 8.

    Returns:
        codes: int8, shape of w.
        scales: float32, shape of w with every axis but `axis` of length 1, so that
            codes * scales restores w.

    >>> codes, scales = quantize_per_channel(np.array([[127, -1], [0, 0]], np.float32))
    >>> codes.tolist(), scales.tolist()
    ([[127, -1], [0, 0]], [[1.0], [1.0]])
    """
    ### BEGIN SOLUTION
    others = tuple(i for i in range(w.ndim) if i != axis % w.ndim)
    amax = np.abs(w).max(axis=others, keepdims=True)
    scales = np.where(amax > 0, amax / (2 ** (bits - 1) - 1), 1).astype(np.float32)
    return np.rint(w / scales).astype(np.int8), scales
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>np.abs(w).max(axis=others, keepdims=True)</code>, where
# <code>others</code> is a tuple of all axes but the channel's.</details>
# <details><summary>Hint 2</summary><code>axis % w.ndim</code> turns -1 into the last axis.</details>
# <details><summary>Hint 3</summary><code>np.where(amax > 0, amax / qmax, 1)</code> settles the zero
# channels.</details>
# %% role="check" id="per-channel-quantize" points=4
check("per-channel-quantize", quantize_per_channel)
# %%
codes, scales = quantize_per_channel(loud)
per_channel_db = sqnr_db(loud[1:], (codes * scales)[1:])
print(f"Rows 1 to 63 beside the loud row: {loud_db:.1f} dB with one scale for all,")
print(f"{per_channel_db:.1f} dB with one per row. Before, with one scale: {calm_db:.1f} dB.")
# %% [markdown]
# **What you should see.** Above 40 dB again, and a little more than the calm matrix had: each row now
# has its own maximum, which is smaller than that of the whole matrix.
# %% [markdown] items="1.1.C8"
# ## Groups: many scales in one row
#
# With 4 bits there are 15 codes, and a row of 4096 weights is too long to share 15 levels. Formats for
# language models cut each row into **groups** of $g$ = 16 to 128 neighbours with a scale each: GPTQ and
# AWQ models use 128, llama.cpp's Q4_0 uses 32, the OCP microscaling formats use 32.
# %% [markdown]
# Groups run along the last axis, the one that a matrix product sums over. What if $K$ is no multiple of
# $g$? Some libraries pad, some refuse. Here: refuse.


# %% role="exercise" id="group-quantize" items="1.1.C8" minutes=10
def quantize_groups(
    w: np.ndarray, group_size: int = 32, bits: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric quantization with one scale for each `group_size` neighbours on the last axis.

    Scale of a group: max|w| in the group / qmax with qmax = 2**(bits - 1) - 1; a group of zeros
    has scale 1. Code: w / scale rounded to nearest, ties to even, within [-qmax, qmax].

    Args:
        w: weights, float32, shape (..., K). Not changed.
        group_size: weights that share a scale.
        bits: 2 to 8.

    Returns:
        codes: int8, shape of w.
        scales: float32, shape (..., K // group_size).

    Raises:
        ValueError: K is not a multiple of group_size. A group never spans two rows.

    >>> codes, scales = quantize_groups(np.array([[7, -1, 70, 30]], np.float32), group_size=2)
    >>> codes.tolist(), scales.tolist()
    ([[7, -1, 7, 3]], [[1.0, 10.0]])
    """
    ### BEGIN SOLUTION
    if w.shape[-1] % group_size:
        raise ValueError(f"{w.shape[-1]} columns do not fill groups of {group_size}.")
    groups = w.reshape(*w.shape[:-1], -1, group_size)
    amax = np.abs(groups).max(axis=-1, keepdims=True)
    scales = np.where(amax > 0, amax / (2 ** (bits - 1) - 1), 1).astype(np.float32)
    codes = np.rint(groups / scales).astype(np.int8)
    return codes.reshape(w.shape), scales[..., 0]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>w.reshape(*w.shape[:-1], -1, group_size)</code> puts every
# group on an axis of its own.</details>
# <details><summary>Hint 2</summary>Keep that axis while you divide, drop it from the scales, and reshape
# the codes back to <code>w.shape</code>.</details>
# %% role="check" id="group-quantize" points=4
check("group-quantize", quantize_groups)
# %% [markdown] items="1.1.C9 1.1.C8"
# ## What the scales cost
#
# Scales are stored too. A scale of $b_s$ bits (16 for FP16), with a zero-point of $b_z$ bits where there
# is one, serves $n$ weights, so a weight of $b$ bits really takes
#
# $$ b + \frac{b_s + b_z}{n} \quad \text{bits}, $$
# %% [markdown] items="1.1.C9 1.1.C8"
# with $n = C K$ per tensor, $n = K$ per channel, $n = g$ per group. Groups of 32 with an FP16 scale make
# "4 bits" 4.5. That is Q4_0: 18 bytes for 32 weights.


# %% role="exercise" id="bits-per-weight" items="1.1.C8 1.1.C9" minutes=6
def bits_per_weight(
    shape: tuple[int, ...],
    bits: int,
    granularity: str,
    group_size: int | None = None,
    scale_bits: int = 16,
    zero_point_bits: int = 0,
) -> float:
    """Stored bits of one weight, its share of the scales and zero-points included.

    Args:
        shape: of the weights; axis 0 is the output channel, groups run along the last axis.
        bits: of one code.
        granularity: "tensor" (one scale), "channel" (one for each index of axis 0) or "group".
        group_size: weights in a group; used by "group" alone.
        scale_bits: of one scale.
        zero_point_bits: of one zero-point; there is one beside every scale.

    Raises:
        ValueError: another granularity, or "group" with a last axis that is no multiple of
            group_size.

    >>> bits_per_weight((64, 256), 4, "group", group_size=32)
    4.5
    """
    ### BEGIN SOLUTION
    weights = int(np.prod(shape))
    if granularity == "group" and shape[-1] % group_size:
        raise ValueError(f"{shape[-1]} columns do not fill groups of {group_size}.")
    if granularity not in ("tensor", "channel", "group"):
        raise ValueError(f"granularity is tensor, channel or group, not {granularity!r}.")
    per_scale = {"tensor": weights, "channel": weights // shape[0], "group": group_size}
    return bits + (scale_bits + zero_point_bits) / per_scale[granularity]
    ### END SOLUTION


# %% role="check" id="bits-per-weight" points=2
check("bits-per-weight", bits_per_weight)
# %%
layer = (4096, 4096)
for name, arguments in {
    "INT8, per tensor, FP32 scale": (8, "tensor", None, 32, 0),
    "INT8, per channel, FP32 scales": (8, "channel", None, 32, 0),
    "GPTQ: INT4, g=128, FP16 scale, 4-bit zero-point": (4, "group", 128, 16, 4),
    "llama.cpp Q4_0: INT4, g=32, FP16 scale": (4, "group", 32, 16, 0),
    "OCP MXFP4: FP4, g=32, 8-bit scale": (4, "group", 32, 8, 0),
    "NVFP4: FP4, g=16, FP8 scale": (4, "group", 16, 8, 0),
}.items():
    effective = bits_per_weight(layer, *arguments)
    print(f"{name:48s} {effective:8.5f} bits, {effective * 4096**2 / 8e6:6.2f} MB")


# %% [markdown]
# **Turn the knobs.** Weights with heavy tails (Student's t with 5 degrees of freedom), 256 x 1024. Each
# curve is one code width; along it the groups get smaller. When is it better to spend storage on smaller
# groups, and when on one more bit?
# %%
heavy = np.random.default_rng(1).standard_t(5, (256, 1024)).astype(np.float32)
SIZES = [1024, 512, 256, 128, 64, 32, 16, 8]


def group_result(bits: int, group_size: int) -> tuple[float, float]:
    """Bits per weight and SQNR in dB of the heavy-tailed weights."""
    codes, scales = quantize_groups(heavy, group_size, bits)
    restored = codes * np.repeat(scales, group_size, axis=-1)
    return bits_per_weight(heavy.shape, bits, "group", group_size), sqnr_db(heavy, restored)


group_curves = {b: [group_result(b, g) for g in SIZES] for b in (3, 4, 5)}


def draw_groups(group_size=128, bits=4):
    """The trade of storage against error, with one choice marked."""
    fig, axes = figure()
    ax = axes[0, 0]
    for (b, points), colour, line in zip(group_curves.items(), COLOURS, LINES, strict=False):
        ax.plot(
            *np.transpose(points),
            marker="o",
            markersize=4,
            color=colour,
            linestyle=line,
            label=f"{b} bits",
        )
    cost, quality = group_result(bits, group_size)
    ax.plot(cost, quality, "*", markersize=18, color=INK)
    ax.set_title(
        f"groups of {group_size}, {bits} bits: {cost:.3f} bits per weight, {quality:.1f} dB",
        loc="left",
    )
    ax.set(xlabel="bits per weight, scales included", ylabel="SQNR in dB")
    ax.legend(loc="lower right")
    return fig, (
        f"SQNR against stored bits per weight for codes of 3, 4 and 5 bits; along each curve groups "
        f"shrink from 1024 to 8. Marked: {bits} bits in groups of {group_size}, {cost:.3f} bits per "
        f"weight, {quality:.1f} dB."
    )


explore(draw_groups, group_size=SIZES, bits=[4, 3, 5])
# %% [markdown]
# **What you should see.** From 1024 to 128 a group costs next to nothing and gains several dB. From 32
# to 8 each step costs half a bit, then a whole one, and the curve bends: the next code width wins. That
# is why 32 to 128 are the common sizes.
# %% [markdown] items="1.1.C9"
# ## What the hardware can use
#
# An integer matrix unit sums $\sum_k q^x_{ik} q^w_{jk}$ in int32. A scale can wait until after the sum
# only if it does not depend on $k$:
#
# $$ y_{ij} = s^x_i \, s^w_j \sum_k q^x_{ik} \, q^w_{jk}. $$
# %% [markdown]
# So: one scale per **output channel** of the weights and one per **row (token)** of the activations are
# free. One per **input channel** of the activations is not: it sits inside the sum.
#
# Groups cut the sum into $K/g$ partial sums, each rescaled and added in floating point.
# %% [markdown] items="1.1.C9"
# **Measure it.** The cell multiplies 64 x 2048 activations by 1024 x 2048 weights, once with a scale per
# channel and then in groups, on one core (or the GPU). The codes are held in float32, which every device
# multiplies well: the figure is the cost of cutting the sum, not of any integer kernel.
# %% role="given" id="group-cost"
import torch

generator = torch.Generator().manual_seed(2)
q_x, q_w = (
    torch.randint(-7, 8, (rows, 2048), generator=generator).float().to(profile.device)
    for rows in (64, 1024)
)
channel_scales = torch.ones(1, 1024, device=profile.device)


def matmul_in_groups(size: int) -> torch.Tensor:
    """Partial products over `size` inputs, each times its own row of scales (all 1 here)."""
    y = torch.zeros(64, 1024, device=profile.device)
    for k in range(0, 2048, size):
        y += (q_x[:, k : k + size] @ q_w[:, k : k + size].T) * channel_scales
    return y


threads = torch.get_num_threads()
torch.set_num_threads(1)  # two threads that wait for each other would be measured otherwise
matmul_ms = {}
for size in (2048, 128, 32):
    assert torch.equal(matmul_in_groups(size), matmul_in_groups(2048))  # integers: exact
    matmul_ms[size] = measure(lambda size=size: matmul_in_groups(size), repeats=15).p10_ms
    name = "one scale per channel" if size == 2048 else f"groups of {size}"
    print(f"{name:22s} {matmul_ms[size]:7.2f} ms, {matmul_ms[size] / matmul_ms[2048]:.1f} times")
torch.set_num_threads(threads)
print(f"{profile.hardware}; the fastest tenth of the runs")
# %% [markdown]
# **What you should see.** Groups of 128 cost a little, groups of 32 more: every cut writes the whole output
# once more. A kernel for groups hides part of that, and cannot hide all.
# %% [markdown] items="1.1.C9"
# **Support, in short.**
#
# - Per channel for weights, per tensor for activations: what TensorRT's INT8 and most mobile runtimes
#   take (Wu et al. 2020, section 3.2 gives the reason above).
# - Per group: weight-only kernels, which widen the codes to FP16 before the product, so the sum is no
#   integer sum anyway.
# - Small groups inside the matrix unit: NVIDIA's Blackwell reads a scale for each 32 (MXFP4) or 16
#   (NVFP4) values.
# %% [markdown] items="1.1.C9"
# Finer is never less accurate on paper. It costs bits, multiplications and the choice of hardware.
# %% [markdown] items="1.1.C8 1.1.C9"
# ## Does per channel always help?
#
# Take 100 x 256 normal values and turn 1 % of them into outliers, 20 to 60 standard deviations out. Two
# layouts of the same 256 outliers:
#
# - **concentrated:** all of them in row 0;
# - **scattered:** every 100th value, so that each row has two or three.
# %% [markdown] items="1.1.C8 1.1.C9"
# **Predict:** in the scattered layout, by what factor does one scale per row lower the MSE, compared
# with one scale for the tensor? (1 means no gain.)
# %% role="predict" id="predict-scattered"
my_factor = ...


# %% role="exercise" id="outlier-experiment" items="1.1.K2" minutes=12
def outlier_experiment(
    normal: np.ndarray, outliers: np.ndarray, bits: int = 8
) -> dict[str, dict[str, float]]:
    """MSE of one scale and of one scale per row, for two layouts of the same outliers.

    Both layouts start from `normal` and replace n = len(outliers) values. Counting its values row by
    row (C order), outliers[k] goes to position k ("concentrated") or k * (normal.size // n)
    ("scattered"). Without outliers both are `normal`.

    Quantizer: symmetric, scale = amax / qmax (1 if amax is 0), qmax = 2**(bits - 1) - 1, rounded to
    nearest, ties to even. amax is over the whole tensor, or over each row.

    Args:
        normal: (rows, columns) float32. Not changed.
        outliers: (n,) float32, at most normal.size of them.
        bits: 2 to 8.

    Returns:
        {"scattered": {"per_tensor": mse, "per_channel": mse}, "concentrated": {the same}}, where
        mse is the mean of (value - restored)**2 over all values, outliers included.

    >>> result = outlier_experiment(np.ones((2, 2), np.float32), np.array([127], np.float32))
    >>> result["concentrated"]
    {'per_tensor': 0.0, 'per_channel': 0.0}
    """
    ### BEGIN SOLUTION
    n, qmax = len(outliers), 2 ** (bits - 1) - 1
    spacing = {"scattered": normal.size // max(n, 1), "concentrated": 1}
    result = {}
    for layout, step in spacing.items():
        x = normal.astype(np.float64)
        x.reshape(-1)[np.arange(n) * step] = outliers
        result[layout] = {}
        for name, axis in (("per_tensor", None), ("per_channel", 1)):
            amax = np.abs(x).max(axis=axis, keepdims=True)
            scale = np.where(amax > 0, amax / qmax, 1)
            error = x - np.rint(x / scale) * scale
            result[layout][name] = float(np.mean(error**2))
    return result
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>x = normal.astype(np.float64)</code> is a copy;
# <code>x.reshape(-1)</code> is a flat view of it that you can write to.</details>
# <details><summary>Hint 2</summary><code>np.abs(x).max(axis=1, keepdims=True)</code> gives one amax per
# row; <code>axis=None</code> one for all.</details>
# %% role="check" id="outlier-experiment" points=4
check("outlier-experiment", outlier_experiment)
# %%
rng = np.random.default_rng(3)
normal = rng.standard_normal((100, 256)).astype(np.float32)
outliers = (rng.uniform(20, 60, 256) * rng.choice([-1, 1], 256)).astype(np.float32)
experiment = outlier_experiment(normal, outliers)
for layout, errors in experiment.items():
    factor = errors["per_tensor"] / errors["per_channel"]
    print(
        f"{layout:13s} per tensor {errors['per_tensor']:.5f}, "
        f"per channel {errors['per_channel']:.5f}: {factor:.1f} times less"
    )
scattered_factor = experiment["scattered"]["per_tensor"] / experiment["scattered"]["per_channel"]
reveal(my_factor, scattered_factor, "times")
# %% [markdown] items="1.1.C8"
# **What you should see.** Concentrated: a factor of 50 to 100, because 99 rows get a scale without
# outliers. Scattered: below 2. Every row still has an outlier, so every row still has a coarse scale.
#
# Per channel helps **where the outliers share channels**. Against scattered outliers three things help:
# smaller groups (fewer neighbours per outlier), more bits, or a range that **clips** the outliers.
# Clipping is the rest of this notebook.
# %% [markdown] items="1.1.C10"
# ## Calibrate: choose the range
#
# So far amax was the maximum. **Calibration** picks another: values beyond amax are clipped to it. The
# error has two parts:
#
# - inside the range, rounding: about $s^2/12$ per value with $s = \text{amax}/q_{max}$;
# - outside, clipping: $(|x| - \text{amax})^2$.
# %% [markdown] items="1.1.C10"
# A smaller amax shrinks the first and grows the second. Weights are known, so their range can be
# searched at leisure. Activations depend on the input: run a few hundred **calibration** inputs and look
# at what comes out.
# %% [markdown] items="1.1.C10"
# **A network to calibrate.** The next cell trains a small one, 784-128-128-10 with ReLU, and keeps the
# inputs of its three layers for 200 training images. Only the first 20,000 values of the second hidden
# layer are used until the end of the notebook.
# %% role="given" id="train"
import torch
from torch import nn

from lab.data import load_mnist

digits = load_mnist()
print(digits)


def as_rows(images: np.ndarray) -> np.ndarray:
    """Images (N, 28, 28) uint8 as rows (N, 784) float32 in [0, 1]."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


train_x, test_x = as_rows(digits.train_images), as_rows(digits.test_images)
seed_everything(0)
net = nn.Sequential(
    nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
).to(profile.device)
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
inputs = torch.from_numpy(train_x).to(profile.device)
labels = torch.from_numpy(digits.train_labels.astype(np.int64)).to(profile.device)
for _ in range(5):
    for batch in torch.randperm(len(inputs)).split(128):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(inputs[batch]), labels[batch]).backward()
        optimizer.step()

linears = [module for module in net if isinstance(module, nn.Linear)]
weights = [m.weight.detach().cpu().numpy().copy() for m in linears]
biases = [m.bias.detach().cpu().numpy().copy() for m in linears]


# %% role="given" id="forward"
def layer_inputs(weights, biases, x, amax=None, bits=8) -> list[np.ndarray]:
    """The input of each linear layer and, last, the logits; inputs quantized where amax is given."""
    seen = []
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        if amax is not None:
            x = fake_quantize(x, amax[k] / (2 ** (bits - 1) - 1), bits).astype(np.float32)
        seen.append(x)
        x = x @ w.T + b
        if k < len(weights) - 1:
            x = np.maximum(x, 0)
    return [*seen, x]


def accuracy_percent(weights, biases, amax=None, bits=8) -> float:
    """Share of the test images that are read rightly, in percent."""
    logits = layer_inputs(weights, biases, test_x, amax, bits)[-1]
    return float(np.mean(logits.argmax(1) == digits.test_labels) * 100)


float_percent = accuracy_percent(weights, biases)
calibration = layer_inputs(weights, biases, train_x[:200])[:3]
hidden = calibration[2].reshape(-1)[:20_000]
print(f"FP32: {float_percent:.2f} % of {len(test_x)} test images")
for k, x in enumerate(calibration):
    print(f"layer {k} input: max {x.max():.2f}, median of non-zeros {np.median(x[x > 0]):.2f}, "
          f"zeros {np.mean(x == 0):.0%}")  # fmt: skip


# %% [markdown]
# **Turn the knob.** The histogram shows the inputs of the last layer; the line is the clip threshold.
# Below, both parts of the error at 4 bits. Find the percentile where the sum is least.
# %%
CLIP_PERCENTILES = [100, 99.9, 99.5, 99, 98, 97, 95, 90]


def error_parts(x: np.ndarray, amax: float, bits: int) -> tuple[float, float]:
    """Mean squared rounding error inside the range and clipping error outside, over all values."""
    error = (x - fake_quantize(x, amax / (2 ** (bits - 1) - 1), bits)) ** 2
    outside = np.abs(x) > amax
    return float(error[~outside].sum() / x.size), float(error[outside].sum() / x.size)


def draw_clip(percentile=100, bits=4):
    """Histogram with the threshold, and both error parts over all thresholds."""
    at = float(np.percentile(np.abs(hidden), percentile))
    grid = np.linspace(0.15, 1, 60) * hidden.max()
    rounding, clipping = np.array([error_parts(hidden, a, bits) for a in grid]).T
    total = sum(error_parts(hidden, at, bits))
    fig, axes = figure(2, 1, height_inch=2.6)
    top, bottom = axes[:, 0]
    top.hist(hidden, bins=80, color=COLOURS[0])
    top.set(yscale="log", ylabel="count", xlim=(0, hidden.max() * 1.02))
    top.set_title(f"percentile {percentile:g}: amax {at:.2f}, MSE {total:.5f}", loc="left")
    parts = (("rounding", rounding), ("clipping", clipping), ("sum", rounding + clipping))
    for (name, values), colour, line in zip(parts, COLOURS[1:], LINES, strict=False):
        bottom.plot(grid, values, color=colour, linestyle=line, label=name)
    bottom.set(
        yscale="log", ylabel="mean squared error", xlabel="activation, or amax", xlim=top.get_xlim()
    )
    bottom.set_ylim(max(rounding.min(), 1e-7) / 2, total * 30)
    bottom.legend(loc="upper right")
    for ax in (top, bottom):
        ax.axvline(at, color=INK, linestyle="--")
    return fig, (
        f"Above: histogram of the last layer's inputs, log counts, with the clip threshold {at:.2f} "
        f"of percentile {percentile:g}. Below: rounding error rises and clipping error falls with "
        f"amax; their sum has a minimum between. MSE here {total:.5f} at {bits} bits."
    )


explore(draw_clip, percentile=CLIP_PERCENTILES, bits=[4, 3, 6, 8])
# %% [markdown] items="1.1.C10"
# ## Rule 1: a percentile
#
# Keep a fixed share of the values. With $n$ magnitudes sorted ascending, $a_0 \le \dots \le a_{n-1}$, the
# percentile $p$ lies at rank
#
# $$ r = (n - 1)\, p / 100, $$
#
# and between two ranks the value is interpolated linearly. Zeros count. Common choices are 99.9, 99.99
# and 99.999 (Wu et al. 2020, section 3, on calibration): the rule cannot know how much the clipped
# values matter.


# %% role="exercise" id="percentile-range" items="1.1.C10" minutes=5
def percentile_amax(x: np.ndarray, percentile: float = 99.9) -> float:
    """The percentile of |x| over all elements, linear between neighbouring ranks.

    Args:
        x: float32, any shape, one element or more. Not changed.
        percentile: 0 to 100; 100 gives max|x|.

    >>> percentile_amax(np.array([0, -1, 2, 3, -4], np.float32), 90)
    3.6
    """
    ### BEGIN SOLUTION
    return float(np.percentile(np.abs(x).astype(np.float64), percentile))
    ### END SOLUTION


# %% role="check" id="percentile-range" points=3
check("percentile-range", percentile_amax)
# %% [markdown] items="1.1.C10"
# ## Rule 2: least squared error
#
# Try a grid of thresholds, quantize with each, keep the one with the least mean squared error. It weighs
# clipping against rounding by itself and knows the number of bits: with fewer bits the steps are coarse,
# rounding dominates, and the best range shrinks.
#
# It treats all errors alike, which the next layer may not.


# %% role="exercise" id="mse-range" items="1.1.C10" minutes=10
def mse_amax(x: np.ndarray, bits: int = 8, steps: int = 50) -> tuple[float, float]:
    """The amax of a grid with the least mean squared quantization error.

    Candidates: max|x| * k / steps for k = 1 ... steps. For each: scale = amax / qmax with
    qmax = 2**(bits - 1) - 1; codes are x / scale rounded to nearest, then clipped to
    [-qmax, qmax]; the error is the mean of (x - codes * scale)**2 over all elements.

    Args:
        x: float32, any shape. Not changed.
        bits: 2 to 8.
        steps: number of candidates.

    Returns:
        amax: the best candidate.
        mse: its mean squared error. (0.0, 0.0) if x is all zeros.

    >>> amax, mse = mse_amax(np.array([0.9, -1.1] * 20 + [3.0], np.float32), bits=3, steps=10)
    >>> round(amax, 4), round(mse, 4)
    (3.0, 0.0098)
    """
    ### BEGIN SOLUTION
    x = x.astype(np.float64)
    qmax, largest = 2 ** (bits - 1) - 1, float(np.abs(x).max())
    if largest == 0:
        return 0.0, 0.0
    best = (0.0, np.inf)
    for k in range(1, steps + 1):
        scale = largest * k / steps / qmax
        codes = np.clip(np.rint(x / scale), -qmax, qmax)
        mse = float(np.mean((x - codes * scale) ** 2))
        if mse < best[1]:
            best = (largest * k / steps, mse)
    return best
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>A loop over k and two variables for the best so far are enough.
# </details>
# <details><summary>Hint 2</summary>If the smallest candidate always wins, the clip is missing. If your
# search stops early, note that the error can have two valleys.</details>
# %% role="check" id="mse-range" points=4
check("mse-range", mse_amax)
# %%
for bits in (8, 6, 4, 3):
    amax, mse = mse_amax(hidden, bits)
    print(f"{bits} bits: amax {amax:5.2f} of {hidden.max():.2f}, "
          f"which clips {np.mean(np.abs(hidden) > amax):.2%} of the values")  # fmt: skip
# %% [markdown] items="1.1.C10"
# ## Rule 3: least information lost
#
# TensorRT's entropy calibrator (Migacz, GTC 2017) asks: which threshold leaves a *distribution* closest
# to the original? Closeness is the Kullback-Leibler divergence in nats,
#
# $$ D(P \Vert Q) = \sum_{j:\,P_j > 0} P_j \ln \frac{P_j}{Q_j}, $$
#
# with $P$ the reference and $Q$ what the quantizer leaves. It is not symmetric, and it is infinite where
# $Q_j = 0 < P_j$: there $Q$ rules out what does happen.
# %% [markdown] items="1.1.C10"
# **The algorithm.** $|x|$ in $B$ equal bins up to $\max|x|$; $L = 2^{b-1}$ levels. For each $i = L \dots B$:
#
# 1. $P$: the first $i$ counts; all beyond go to bin $i-1$, where clipping puts them.
# 2. $Q$: the first $i$ counts *without* those. Bin $j$ has level $\lfloor jL/i \rfloor$: share each level's
#    sum equally among its bins that are not empty.
# 3. Normalise both; $D(P \Vert Q)$.
#
# The least $D$ gives $\text{amax} = i \cdot \text{width}$.
# %% [markdown] items="1.1.C10"
# **By hand**, with $B = 6$, $L = 2$, $i = 4$ and counts 8, 0, 2, 2, 1, 1:
#
# - $P$: 8, 0, 2, 2 + 1 + 1 = **4**.
# - Levels $\lfloor 2j/4 \rfloor$: 0, 0, 1, 1. Level 0 holds 8 in one filled bin, level 1 holds 4 in two.
#   $Q$: 8, 0, 2, 2.
# - Normalised, $P$ = (8, 0, 2, 4)/14 and $Q$ = (8, 0, 2, 2)/12.
# %% [markdown] items="1.1.C10"
# Only clipping differs here, so the last bin alone makes the divergence.


# %% role="exercise" id="entropy-range" items="1.1.C10" minutes=20
def entropy_amax(x: np.ndarray, bits: int = 8, bins: int = 2048) -> tuple[float, np.ndarray]:
    """The clip threshold with the least KL divergence, by the algorithm above.

    Bins: `bins` of equal width from 0 to max|x|; bin j holds j * width <= |x| < (j + 1) * width, the
    last one max|x| as well. Levels: 2**(bits - 1). Candidates: i from levels to bins, both included.
    D is infinite where Q is 0 and P is not, and where no value lies in the first i bins.

    Args:
        x: float32, any shape. Not changed.
        bits: 2 to 8, with 2**(bits - 1) <= bins.
        bins: number of bins of the histogram.

    Returns:
        amax: i * width for the i of least divergence (the smallest such i).
        divergences: float64, (bins - levels + 1,), D(P || Q) in nats for each i.

    Raises:
        ValueError: x is all zeros.

    >>> amax, divergences = entropy_amax(np.array([0.5, 1.5, -1.4, 2.5, 4.5, -8]), bits=3, bins=8)
    >>> amax, divergences.round(3).tolist()
    (8.0, [inf, 0.077, inf, inf, 0.028])
    """
    ### BEGIN SOLUTION
    largest, levels = float(np.abs(x).max()), 2 ** (bits - 1)
    if largest == 0:
        raise ValueError("x is all zeros: there is no range to choose.")
    counts = np.histogram(np.abs(x), bins=bins, range=(0, largest))[0].astype(np.float64)
    divergences = np.full(bins - levels + 1, np.inf)
    for i in range(levels, bins + 1):
        inside, filled = counts[:i], counts[:i] > 0
        p = inside.copy()
        p[-1] += counts[i:].sum()
        level = np.arange(i) * levels // i
        share = np.bincount(level, inside) / np.maximum(np.bincount(level, filled), 1)
        q = np.where(filled, share[level], 0)
        if np.all(q[p > 0] > 0):
            p, q = p[p > 0] / p.sum(), q[p > 0] / q.sum()
            divergences[i - levels] = np.sum(p * np.log(p / q))
    return (levels + int(divergences.argmin())) * largest / bins, divergences
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1: histogram</summary><code>np.histogram(np.abs(x), bins=bins, range=(0,
# largest))</code>. Without <code>range</code> it starts at the smallest magnitude.</details>
# <details><summary>Hint 2: P</summary><code>counts[:i]</code> is a view. Copy it before you add the
# clipped counts, or the next candidate sees them too.</details>
# <details><summary>Hint 3: Q</summary><code>level = np.arange(i) * levels // i</code>;
# <code>np.bincount(level, weights=counts[:i])</code> sums each level, and the same with <code>counts[:i]
# > 0</code> counts its filled bins.</details>
# <details><summary>Hint 4: divergence</summary>Use only the bins with P > 0. If Q is 0 in one of them,
# leave the entry infinite.</details>
# %% role="check" id="entropy-range" points=5
check("entropy-range", entropy_amax)
# %%
entropy_8, divergences = entropy_amax(hidden, bits=8)
thresholds = np.arange(128, 2049) * hidden.max() / 2048
finite = np.isfinite(divergences)
fig = curves(
    thresholds[finite],
    {"D(P || Q)": divergences[finite]},
    xlabel="clip threshold (amax)",
    ylabel="divergence in nats",
    logy=True,
    title=f"8 bits: least at {entropy_8:.2f} of {hidden.max():.2f}",
)
fig.axes[0].lines[0].set_marker("")
fig.axes[0].axvline(entropy_8, color=INK, linestyle="--")
show(
    fig,
    alt="KL divergence against the clip threshold on a log axis, for the inputs of the last layer at 8 "
    f"bits. It falls while less is clipped, has its minimum at {entropy_8:.2f} of "
    f"{hidden.max():.2f}, and beyond that changes slowly.",
)
# %% [markdown] items="1.1.C10"
# ## Static or dynamic
#
# - **Dynamic:** each batch's own maximum, at run time. Always fits; costs a pass over the data before
#   the product can start, and the range of one image depends on its neighbours in the batch.
# - **Static:** fixed before deployment from calibration batches. Free at run time; wrong when the data
#   change.
# %% [markdown]
# Two ways to fold many batches into one static range: the **running max**, which one freak batch
# decides, and a **moving average** of the batch maxima, which forgets:
#
# $$ a \leftarrow m\,a + (1 - m)\,\text{amax}(\text{batch}). $$


# %% role="exercise" id="dynamic-or-static" items="1.1.C10" minutes=8
def track_amax(batches: list[np.ndarray], mode: str, momentum: float = 0.9) -> np.ndarray:
    """The range in use after each batch.

    amax of a batch: max|x| over all its elements. By mode:
        "dynamic": the batch's own amax.
        "max": the largest amax so far.
        "moving_average": the first batch's amax to begin with (even if it is 0), then
            momentum * average + (1 - momentum) * amax.

    Args:
        batches: float32 arrays of any shapes, each with one element or more. Not changed.
        momentum: 0 to 1; the weight of the past.

    Returns:
        array of floats (float32 or float64), (len(batches),); empty for no batches.

    Raises:
        ValueError: another mode.

    >>> track_amax([np.array([1, -4]), np.array([2, 0])], "moving_average", momentum=0.5).tolist()
    [4.0, 3.0]
    """
    ### BEGIN SOLUTION
    if mode not in ("dynamic", "max", "moving_average"):
        raise ValueError(f"mode is dynamic, max or moving_average, not {mode!r}.")
    ranges: list[float] = []
    for batch in batches:
        amax = float(np.abs(batch).max())
        if mode == "dynamic" or not ranges:
            ranges.append(amax)
        elif mode == "max":
            ranges.append(max(ranges[-1], amax))
        else:
            ranges.append(momentum * ranges[-1] + (1 - momentum) * amax)
    return np.array(ranges, dtype=np.float64)
    ### END SOLUTION


# %% role="check" id="dynamic-or-static" points=3
check("dynamic-or-static", track_amax)
# %% [markdown]
# **See it drift.** Forty batches of 16 test images. In batch 10 one image is four times too bright (a
# broken sensor); from batch 25 on all images are half as bright (evening).
# %%
stream = []
for k in range(40):
    images = test_x[(16 * k) % 320 : (16 * k) % 320 + 16].copy()
    if k == 10:
        images[0] *= 4
    if k >= 25:
        images *= 0.5
    stream.append(layer_inputs(weights, biases, images)[2])
modes = {mode: track_amax(stream, mode) for mode in ("dynamic", "max", "moving_average")}
fig = curves(np.arange(40), modes, xlabel="batch", ylabel="amax of the last layer's input")
show(
    fig,
    alt="Range against batch for three modes. Dynamic jumps at batch 10 and halves from batch 25. The "
    "running max jumps at batch 10 and never comes down. The moving average rises a little after "
    "batch 10, decays, and follows the darker images slowly.",
)
evening = {mode: np.mean([sqnr_db(x, fake_quantize(x, a / 7, 4)) for x, a in zip(stream[25:], r[25:], strict=True)])
           for mode, r in modes.items()}  # fmt: skip
for mode, db in evening.items():
    print(f"{mode:15s} batches 25 to 39 at 4 bits: {db:5.1f} dB")
# %% [markdown]
# **What you should see.** Dynamic is best, the running max worst: one bad image in batch 10 fixed its
# range for good. In practice the average or a percentile is calibrated on clean, typical data, and the
# range is then frozen.
# %% [markdown] items="1.1.C8 1.1.C10"
# ## At the scale of a model: weights
#
# Networks with ReLU allow a trick that shows how fragile one scale is. Multiply one hidden unit's
# incoming weights and bias by $c > 0$, divide its outgoing weights by $c$: since
# $\max(0, cz) = c \max(0, z)$, the network computes **the same function** (Nagel et al. 2019 use it the
# other way, to even channels out). The cell does it to four units with $c = 30$.
# %% role="given" id="rescale"
UNITS, FACTOR = {0: (3, 40), 1: (5, 77)}, 30.0
spiky_weights, spiky_biases = [w.copy() for w in weights], [b.copy() for b in biases]
for k, units in UNITS.items():
    for unit in units:
        spiky_weights[k][unit] *= FACTOR
        spiky_biases[k][unit] *= FACTOR
        spiky_weights[k + 1][:, unit] /= FACTOR
same = np.abs(
    layer_inputs(spiky_weights, spiky_biases, test_x)[-1]
    - layer_inputs(weights, biases, test_x)[-1]
).max()
print(f"largest change of a logit: {same:.1e}; FP32 accuracy "
      f"{float_percent:.2f} % and {accuracy_percent(spiky_weights, spiky_biases):.2f} %")  # fmt: skip


# %%
def quantized_weights(weights, granularity, bits):
    """Each layer's weights quantized and restored; groups of 16 along the inputs."""
    out = []
    for w in weights:
        if granularity == "tensor":
            out.append(fake_quantize(w, np.abs(w).max() / (2 ** (bits - 1) - 1), bits))
        elif granularity == "channel":
            codes, scales = quantize_per_channel(w, 0, bits)
            out.append(codes * scales)
        else:
            codes, scales = quantize_groups(w, 16, bits)
            out.append(codes * np.repeat(scales, 16, axis=-1))
    return [w.astype(np.float32) for w in out]


weight_table = {}
print("test accuracy in %, weights quantized, activations in FP32")
print("granularity  bits/weight    trained as it is    4 units rescaled")
for bits in (8, 4):
    for granularity in ("tensor", "channel", "group"):
        cost = sum(bits_per_weight(w.shape, bits, granularity, 16) * w.size for w in weights) / sum(
            w.size for w in weights
        )
        plain, spiky = (
            accuracy_percent(quantized_weights(ws, granularity, bits), bs)
            for ws, bs in ((weights, biases), (spiky_weights, spiky_biases))
        )
        weight_table[bits, granularity] = cost, plain, spiky
        print(f"{granularity:12s} {cost:8.3f} {plain:18.2f} {spiky:19.2f}")
# %% [markdown]
# **What you should see.** At 8 bits all survive. At 4 bits the trained network survives too, but the
# rescaled one, which is the same function, falls to the level of guessing with one scale per tensor, and
# hardly loses with one per channel. Groups are not better than channels here: the smaller amax of a group
# helps, and the accuracy has nothing left to gain.
# %% [markdown] items="1.1.C10"
# ## At the scale of a model: activations
#
# Now the activations, with the ranges of the same 200 images and the weights in FP32. An integer kernel
# takes one scale for each input tensor, so the range is all there is to choose. Pixels lie in [0, 1] by
# construction: that layer's amax is 1. The four rules choose the other two.
# %%
CALIBRATORS = {
    "max": lambda x, bits: float(np.abs(x).max()),
    "percentile 99.9": lambda x, bits: percentile_amax(x, 99.9),
    "MSE": lambda x, bits: mse_amax(x, bits)[0],
    "entropy": lambda x, bits: entropy_amax(x, bits)[0],
}
float_logits = layer_inputs(weights, biases, test_x)[-1]
activation_table = {}
for bits in (8, 4):
    print(f"{bits} bits             accuracy in %     logits     amax of the hidden layers")
    for name, calibrate in CALIBRATORS.items():
        ranges = [1.0] + [calibrate(x, bits) for x in calibration[1:]]
        logits = layer_inputs(weights, biases, test_x, ranges, bits)[-1]
        percent = accuracy_percent(weights, biases, ranges, bits)
        quality = sqnr_db(float_logits, logits)
        activation_table[bits, name] = percent, quality
        shown = ", ".join(f"{a:.2f}" for a in ranges[1:])
        print(f"  {name:18s} {percent:11.2f} {quality:11.1f} dB    {shown}")
print(f"  FP32 {float_percent:25.2f}")
# %% [markdown]
# **What you should see.** At 8 bits every rule stays within about a percent of FP32, and clipping only
# costs: entropy clips most, and the SQNR of the logits shows it, max or MSE lead. At 4 bits the rules that clip
# beat max, MSE among the best. The accuracy of this easy task hardly moves; the SQNR tells the
# rules apart.
# %% [markdown] items="1.1.C10"
# **A rule can fail badly.** Ask entropy for the range of the *pixels* at 4 bits. Most are exactly 0 and fill
# bin 0, so $P$ and $Q$ agree there whatever happens to the rest; and 256 grey values leave most of 2048 bins
# empty, so a small $i$ has nearly nothing to merge. The divergence is least where almost every grey
# value is clipped.
# %% [markdown] items="1.1.C10"
# NVIDIA's own code overwrites bin 0 for the first reason. Whatever the rule: look at the range it chose.
# %%
pixel_amax, _ = entropy_amax(calibration[0], bits=4)
failed = accuracy_percent(weights, biases, [pixel_amax, *(x.max() for x in calibration[1:])], 4)
clipped = np.mean(calibration[0][calibration[0] > 0] > pixel_amax)
print(
    f"entropy keeps pixels up to {pixel_amax:.3f}: {clipped:.0%} of the non-zero ones are clipped"
)
print(f"accuracy with 4-bit activations: {failed:.1f} %")
# %%
cost_ms = {
    name: measure(lambda f=f: f(hidden, 8), warmup=1, repeats=5).median_ms
    for name, f in CALIBRATORS.items()
}
for name, ms in cost_ms.items():
    print(f"{name:18s} {ms:8.3f} ms for {hidden.size:,} values")
print(profile.hardware)
# %% [markdown] items="1.1.C9"
# ## In your own words
#
# Chip 1 multiplies INT8 and sums in int32; after the sum it applies one scale for each output channel of
# the weights and one for the activations. Chip 2 has weight-only kernels: INT4 in groups of 128, products
# in FP16. Three tensors trouble you:
#
# - **A**, weights: a few *output* channels are 50 times larger than the rest;
# - **B**, weights: about 1 % outliers, scattered over all channels;
# - **C**, activations: a few *input* channels are always 50 times larger.
#
# In 120 to 200 words: which granularity or range for each tensor, on which chip, at what cost, and why do
# the others fail? Use at least two figures from this notebook.
# %% [markdown] role="written" id="which-granularity" items="1.1.K2 1.1.C9" points=3
# **Model answer.** A: one scale per output channel. It is outside the sum, so chip 1 applies it for
# free, and it costs 32 bits for each row: 8.008 bits per weight for 4096 columns. With one scale the
# quiet rows lose $20 \log_{10} 50 = 34$ dB, more than 5 of their 8 bits (40 dB for a factor of 100 in
# the first experiment).
#
# B: per channel hardly helps, because every channel has its outlier: the experiment gave a factor below 2 for
# scattered outliers, against tens for concentrated ones. On chip 1 stay at INT8 and clip (MSE or
# percentile), measuring the accuracy, since clipped weights may matter. On chip 2, groups of 128 confine
# an outlier to its neighbours at 4.125 bits per weight; smaller groups confine it better, for more bits.
#
# C: a scale per input channel would sit inside the sum, so the integer unit cannot use it. Per token does not
# help: every token has those channels. Clip, or move the factor into the weights beforehand (the rescaling of
# this notebook, backwards), or compute in FP16 on chip 2, where activations are not quantized.
#
# **Rubric.** 1 point: A per output channel and B not, with the reason (outliers share a channel or do not). 1
# point: C, that a scale which depends on the summed index cannot leave the integer sum, and one workable way
# out. 1 point: costs: bits per weight of a choice computed rightly, and what each chip supports. Half a point
# off where no figure from the notebook is used.
# %% [markdown]
# ## Recap
#
# - The largest value among those that share a scale sets the step for all of them.
# - Per channel heals outliers that share a channel. Scattered ones need groups, clipping or bits.
# - Scales cost $(b_s + b_z)/n$ bits per weight; a scale leaves the integer sum only if it does not depend on
#   the summed index.
# - Max never clips, a percentile clips a share, MSE weighs both errors, entropy compares distributions.
# - Dynamic ranges fit every batch and cost a pass; static ones are free, and as good as their data.
#
# **Three questions**
#
# <details><summary>1. Per channel never has a larger error than per tensor in one channel. Always?</summary>
# The scale is never larger, and the bound s/2 never worse. A single value may still be luckier with the
# coarse grid, so for a given tensor the error can rise by accident.</details>
# <details><summary>2. Why does the MSE range at 8 bits lie nearer the maximum than at 4 bits?</summary>
# With 16 times finer steps rounding costs 256 times less, so there is little to gain by clipping.</details>
# <details><summary>3. Why does the entropy rule look at 128 levels for 8 bits?</summary>The histogram is of
# magnitudes; the sign takes the eighth bit.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Migacz, *8-bit Inference with TensorRT*, GTC 2017, the slides "Entropy calibration - pseudocode" and the
#   histograms with the chosen threshold: the figure after `entropy-range` is one in miniature. He writes the
#   threshold as $(m + 0.5)$ widths; NVIDIA's later code uses the bin's edge, as here.
# - Wu et al., *Integer Quantization for Deep Learning Inference*, 2020, section 3: granularity and
#   calibration; max, entropy and percentile compared on many networks.
# - Krishnamoorthi, *Quantizing Deep Convolutional Networks for Efficient Inference*, 2018, section 3:
#   per-layer against per-channel weights. The rescaled network above is the extreme case.
# - Nagel et al., *A White Paper on Neural Network Quantization*, 2021, section 3.1: range setting, with MSE.
# - Nagel et al., *Data-Free Quantization Through Weight Equalization and Bias Correction*, 2019, section 4.1:
#   the rescaling trick.
# - Dettmers et al., *LLM.int8()*, 2022, section 4: outlier channels in language models.
#
# **Next:** `4_codebooks_and_integer_arithmetic`: levels that need not be evenly spaced, and a layer computed
# with integers alone.
# %%
# Your result.
print(
    f"Quiet rows beside one loud row       {loud_db:.1f} dB per tensor, {per_channel_db:.1f} dB per channel"
)
print(f"Per channel, outliers scattered      {scattered_factor:.1f} times less MSE")
for (bits, granularity), (cost, plain, spiky) in weight_table.items():
    print(
        f"Weights {bits} bits per {granularity:8s}          {cost:6.3f} bits, {plain:.1f} % and {spiky:.1f} % rescaled"
    )
for (bits, name), (percent, quality) in activation_table.items():
    print(f"Activations {bits} bits, {name:18s} {percent:5.1f} %, logits {quality:5.1f} dB")
print(f"FP32                                 {float_percent:.1f} %")
