# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Build a basic quantizer
#
# **You end with:** a LeNet-5 that you trained, and two INT8 versions of it that classify digits without one
# float between the pixels and the answer. You hand in their integers; the check rebuilds both models from
# them and measures accuracy and size itself.
#
# About 120 minutes. 50 points: 45 graded by machine, 5 by a person. Runs on a laptop, no GPU; without MNIST at
# hand it uses scikit-learn's digits and says so. You need scale and zero-point (lesson 2), granularity (lesson 3)
# and requantization (lesson 4).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from autograder import check
from lab.data import load_mnist
from lab.plots import COLOURS, INK, LINES, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

# Layers this small lose more by waiting for a second core than they win, above all on a busy machine.
torch.set_num_threads(1)
profile = use_profile(PROFILE)
profile
# %% role="given" id="setup-data"
data = load_mnist()
data
# %% [markdown]
# ## Seven of eight bits, thrown away
#
# Before any theory: here is the simplest classifier there is. It averages the training images of each digit, and
# gives a test image the digit of the nearest average. Now reduce every pixel from 8 bits to 4, 2 and **1**. What
# is left of the accuracy?
# %% role="given" id="surprise"
nearest_share = {}
for bits in (8, 4, 2, 1):
    train, test = (
        (images.reshape(len(images), -1) >> (8 - bits)) / (2**bits - 1)
        for images in (data.train_images, data.test_images)
    )
    means = np.stack([train[data.train_labels == digit].mean(0) for digit in range(10)])
    distance = (means**2).sum(1) - 2 * test @ means.T
    nearest_share[bits] = float((distance.argmin(1) == data.test_labels).mean())
    print(f"{bits} bits a pixel: {nearest_share[bits]:.1%} right")
lost_points = 100 * (nearest_share[8] - nearest_share[1])
print(f"Seven of the eight bits were worth {lost_points:.1f} points.")
# %% [markdown]
# **What happened.** Precision is a budget, and classifiers often leave most of it unspent: only the *order* of ten
# scores counts. The question of this project is how far that goes for the weights of a network, and what decides
# where it ends.


# %% [markdown] items="1.1.P1"
# ## The network
#
# A variant of LeNet-5 (LeCun et al. 1998, section II.B): ReLU and max pooling, wider maps, one hidden layer.
#
# | layer | weight | output |
# |---|---|---|
# | conv1, padding 2, ReLU, pool 2 | (8, 1, 5, 5) | (8, 14, 14) |
# | conv2, ReLU, pool 2 | (32, 8, 5, 5) | (32, 5, 5) |
# | fc1, ReLU | (128, 800) | (128,) |
# | fc2 | (10, 128) | (10,) |
# %% [markdown] items="1.1.P1"
# Input: pixel / 255. The parameters are a dict of arrays: `"conv1.weight"`, `"conv1.bias"` ... `"fc2.bias"`.
# %% role="given" id="setup-network"
LAYERS = ("conv1", "conv2", "fc1", "fc2")
ACTIVATIONS = ("input", *LAYERS)
SHAPES = {"conv1": (8, 1, 5, 5), "conv2": (32, 8, 5, 5), "fc1": (128, 800), "fc2": (10, 128)}
PADDING = {"conv1": 2, "conv2": 0}
# Filled below: your trained network, and the integer models made of it.
params: dict[str, np.ndarray] = {}
models: dict[str, dict[str, np.ndarray]] = {"per tensor": {}, "per channel": {}}


def initial_tensors(generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Untrained parameters, uniform in +-1/sqrt(fan_in), that ask for gradients."""
    tensors = {}
    for layer, shape in SHAPES.items():
        bound = math.prod(shape[1:]) ** -0.5
        for part, size in (("weight", shape), ("bias", shape[:1])):
            values = bound * (2 * torch.rand(size, generator=generator) - 1)
            tensors[f"{layer}.{part}"] = values.to(profile.device).requires_grad_()
    return tensors


def network_input(images: np.ndarray) -> torch.Tensor:
    """Images (N, 28, 28) uint8 as float32 (N, 1, 28, 28): pixel / 255."""
    return torch.from_numpy(images[:, None].astype(np.float32) / 255).to(profile.device)


def lenet(tensors: dict[str, torch.Tensor], x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Forward pass. Every activation by name: "input", each layer after its ReLU, the logits "fc2"."""
    out = {"input": x}
    for layer in ("conv1", "conv2"):
        x = F.conv2d(
            x, tensors[f"{layer}.weight"], tensors[f"{layer}.bias"], padding=PADDING[layer]
        )
        out[layer] = x.relu()
        x = F.max_pool2d(out[layer], 2)
    out["fc1"] = F.linear(x.flatten(1), tensors["fc1.weight"], tensors["fc1.bias"]).relu()
    out["fc2"] = F.linear(out["fc1"], tensors["fc2.weight"], tensors["fc2.bias"])
    return out


def float_activations(params: dict[str, np.ndarray], images: np.ndarray) -> dict[str, np.ndarray]:
    """The same for arrays: params float32, images (N, 28, 28) uint8; float32 arrays by name."""
    tensors = {k: torch.tensor(v).to(profile.device) for k, v in params.items()}
    with torch.no_grad():
        return {k: v.cpu().numpy() for k, v in lenet(tensors, network_input(images)).items()}


# %% role="given" id="where-the-weights-are"
positions = {"conv1": 28 * 28, "conv2": 10 * 10, "fc1": 1, "fc2": 1}
for layer, shape in SHAPES.items():
    weights = math.prod(shape)
    print(
        f"{layer}: {weights:7,} weights, {weights * positions[layer]:7,} multiplications an image"
    )
# %% [markdown]
# Two budgets, two places: nearly all weights sit in fc1, most multiplications in conv2. Fewer bits for fc1 shrink
# the file; fewer bits for conv2 save arithmetic.


# %% [markdown] items="1.1.P1"
# ## 1. Train the baseline
#
# A quantized model is judged by what it loses, so the baseline has to be good: a lazy one hides the loss. At least
# 97.5 % on MNIST's 2,000 test images; the recipe in the docstring leaves a margin, on one core, within seconds.
# %% role="exercise" id="train-lenet" items="1.1.P1" minutes=15
def train_lenet(
    images: np.ndarray, labels: np.ndarray, epochs: int = 8, seed: int = 0
) -> dict[str, np.ndarray]:
    """Train the network above (softmax cross-entropy of the logits "fc2") and return its parameters.

    A recipe that works: batches of 64 in a new random order in each epoch; Adam with OneCycleLR
    (peak 5e-3, total_steps = epochs * number of batches); every batch moved by -1, 0 or 1 pixel
    in both directions with torch.roll. Another one is welcome if it learns as fast.

    Args:
        images: (N, 28, 28) uint8, not changed. The network sees pixel / 255 (`network_input`) and
            nothing standardised: blank paper is 0 and full ink 1, here and in all that follows.
        labels: (N,) uint8, 0 to 9.
        epochs: passes over the images. 0 returns the untrained parameters.
        seed: the same seed gives the same parameters in every call; another seed gives others.

    Returns:
        "conv1.weight", "conv1.bias" ... "fc2.bias": float32 NumPy arrays, weights as in SHAPES,
        biases (outputs,).

    >>> params = train_lenet(np.zeros((2, 28, 28), np.uint8), np.array([0, 1], np.uint8), epochs=0)
    >>> params["fc1.weight"].shape, str(params["fc1.bias"].dtype)
    ((128, 800), 'float32')
    """
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    tensors = initial_tensors(generator)
    x, y = network_input(images), torch.from_numpy(labels).long().to(profile.device)
    optimizer = torch.optim.Adam(tensors.values(), lr=5e-3)
    steps = max(1, epochs * math.ceil(len(x) / 64))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(64):
            move = torch.randint(-1, 2, (2,), generator=generator).tolist()
            logits = lenet(tensors, torch.roll(x[rows], move, (2, 3)))["fc2"]
            loss = F.cross_entropy(logits, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return {name: t.detach().cpu().numpy() for name, t in tensors.items()}
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Start with <code>generator = torch.Generator().manual_seed(seed)</code> and
# <code>tensors = initial_tensors(generator)</code>; draw every random number from that generator.</details>
# <details><summary>Hint 2</summary><code>torch.randperm(len(x), generator=generator).split(64)</code> gives the
# batches of one epoch.</details>
# <details><summary>Hint 3</summary>A step: loss, <code>optimizer.zero_grad()</code>, <code>loss.backward()</code>,
# <code>optimizer.step()</code>, <code>schedule.step()</code>. At the end
# <code>t.detach().cpu().numpy()</code>.</details>
# %% role="check" id="train-lenet" points=4
check("train-lenet", train_lenet)
# %%
params = train_lenet(data.train_images, data.train_labels)
float_logits = np.concatenate(
    [float_activations(params, part)["fc2"] for part in np.array_split(data.test_images, 8)]
)
float_share = float((float_logits.argmax(1) == data.test_labels).mean())
print(f"FP32: {float_share:.2%} of {len(data.test_labels)} test images right.")
# %% [markdown]
# **What you should see.** On MNIST between 98.5 % and 99.3 %, depending on the seed: eight passes over 8,000
# images, a tenth of what published results train on. On the stand-in between 96 % and 100 %, from 359 images only.


# %% [markdown] items="1.1.P2"
# ## 2. Calibrate
#
# *Static* quantization fixes the range of every activation before the network runs. For that it looks at 100 to 200
# **training** images; test images would be a leak. Ranges by name: `(low, high)`, the smallest and the largest
# value over all images, widened to contain 0. Zero must be a code: ReLU and padding produce it all the time.
# %% [markdown] items="1.1.P2"
# In the network below, the largest value of a layer often appears in a single image: batches are merged by min and
# max.
# %% role="exercise" id="calibrate" items="1.1.P2" minutes=8
def calibrate(
    params: dict[str, np.ndarray], images: np.ndarray, batch_size: int = 32
) -> dict[str, tuple[float, float]]:
    """Range of each activation over a calibration set, computed batch by batch.

    Activations: as `float_activations` gives them (conv1, conv2 and fc1 after their ReLU).

    Args:
        params: the float network.
        images: (N, 28, 28) uint8, N from 100 to 200. Not changed.
        batch_size: images in a forward pass; it must not change the result, and the last batch
            may be smaller.

    Returns:
        name: (low, high), two floats, for each of "input", "conv1", "conv2", "fc1", "fc2":
        the smallest and largest value over all N images, low lowered to 0 and high raised to 0
        where the values do not contain it.

    Raises:
        ValueError: N is not from 100 to 200.

    >>> blank = {f"{n}.weight": np.zeros(s, np.float32) for n, s in SHAPES.items()}
    >>> blank |= {f"{n}.bias": np.full(s[0], 2, np.float32) for n, s in SHAPES.items()}
    >>> calibrate(blank, np.zeros((100, 28, 28), np.uint8))["fc1"]
    (0.0, 2.0)
    """
    ### BEGIN SOLUTION
    if not 100 <= len(images) <= 200:
        raise ValueError(f"Calibrate with 100 to 200 images, not {len(images)}.")
    ranges = dict.fromkeys(ACTIVATIONS, (0.0, 0.0))
    for at in range(0, len(images), batch_size):
        for name, values in float_activations(params, images[at : at + batch_size]).items():
            low, high = ranges[name]
            ranges[name] = (min(low, float(values.min())), max(high, float(values.max())))
    return ranges
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Start every range at <code>(0.0, 0.0)</code>: then it contains 0 whatever
# comes.</details>
# <details><summary>Hint 2</summary><code>for at in range(0, len(images), batch_size)</code> and
# <code>images[at : at + batch_size]</code> also gives the last, smaller batch.</details>
# %% role="check" id="calibrate" points=4
check("calibrate", calibrate)
# %%
calibration_images = data.train_images[:128]
ranges = calibrate(params, calibration_images)
seen = float_activations(params, calibration_images)
fig, axes = figure(2, 2, height_inch=2.2)
for ax, name, colour in zip(axes.flat, LAYERS, COLOURS, strict=False):
    ax.hist(seen[name].ravel(), 60, facecolor=(colour, 0.4), edgecolor=colour)
    for edge in ranges[name]:
        ax.axvline(edge, color=INK, linestyle="--", linewidth=1)
    ax.set_yscale("log")
    ax.set_title(f"{name}, {np.mean(seen[name] == 0):.0%} zeros", loc="left", fontsize=10)
    ax.set(xlabel="value", ylabel="count")
show(
    fig,
    alt="Histograms of the activations of conv1, conv2, fc1 and fc2 over the calibration images, counts on a "
    "logarithmic axis, dashed lines at the calibrated range. After ReLU most values are zero and the tail is "
    "long and thin; the logits fc2 have both signs.",
)
# %% [markdown]
# **What you should see.** A spike at exactly 0 after each ReLU and a thin tail up to the maximum. (A second spike
# in conv1 is a channel's bias over blank paper.) The tail sets the scale. Lesson 3 cut it by percentile or by MSE; for this network min and max are enough, as the accuracy below
# will show.


# %% [markdown] items="1.1.P3"
# ## 3. Per-tensor static quantization
#
# Activations, asymmetric in int8: $q = \mathrm{round}(x/s) + z$, clipped to $[-128, 127]$, with
# $s = (high - low) / 255$ and $z = \mathrm{round}(-128 - low / s)$. After a ReLU $low = 0$, hence $z = -128$.
# %% [markdown] items="1.1.P3"
# Weights, symmetric: $s = \max|W| / q_{max}$ with $q_{max} = 2^{b-1} - 1$, no zero-point. A weight zero-point would
# put a sum over the activations into every output; a symmetric weight costs one of 256 codes instead.
# %% role="exercise" id="activation-qparams" items="1.1.P3" minutes=6
def activation_qparams(ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, int]]:
    """Scale and zero-point of each activation, for codes from -128 to 127.

    scale = (high - low) / 255; zero_point = -128 - low / scale, rounded to nearest (ties to even),
    within -128..127. A range of zeros, (0.0, 0.0), has scale 1.0 and zero_point -128.

    Args:
        ranges: name: (low, high) with low <= 0 <= high; any names. Not changed.

    Returns:
        name: (scale, zero_point), a float and an int, for each name.

    >>> activation_qparams({"fc1": (0.0, 51.0), "fc2": (-51.0, 204.0)})
    {'fc1': (0.2, -128), 'fc2': (1.0, -77)}
    """
    ### BEGIN SOLUTION
    qparams = {}
    for name, (low, high) in ranges.items():
        if high == low:
            qparams[name] = (1.0, -128)
            continue
        scale = (high - low) / 255
        qparams[name] = (scale, max(-128, min(127, round(-128 - low / scale))))
    return qparams
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>256 codes have 255 steps between them.</details>
# <details><summary>Hint 2</summary>Check yourself: low must land at code -128, high at 127, and real 0 at the
# zero-point.</details>
# %% role="check" id="activation-qparams" points=3
check("activation-qparams", activation_qparams)


# %% role="exercise" id="quantize-weights-per-tensor" items="1.1.P3" minutes=6
def quantize_weights_per_tensor(
    params: dict[str, np.ndarray], bits: int = 8
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Symmetric quantization of the four weights, one scale for each weight tensor.

    scale = max|W| / qmax with qmax = 2**(bits - 1) - 1; a tensor of zeros has scale 1.
    Code: W / scale rounded to nearest, ties to even, within -qmax..qmax.

    Args:
        params: float32 arrays "conv1.weight", "conv1.bias" ... of any widths. Not changed.
        bits: 2 to 8.

    Returns:
        layer: (codes, scales) for "conv1", "conv2", "fc1", "fc2": codes int8 of the weight's
        shape, scales float32 of shape (1,).

    >>> example = {f"{n}.weight": np.array([[7.0, -1.0], [2.0, 0.0]], np.float32) for n in LAYERS}
    >>> codes, scales = quantize_weights_per_tensor(example, bits=4)["fc1"]
    >>> codes.tolist(), scales.tolist()
    ([[7, -1], [2, 0]], [1.0])
    """
    ### BEGIN SOLUTION
    qmax = 2 ** (bits - 1) - 1
    out = {}
    for layer in LAYERS:
        weight = params[f"{layer}.weight"]
        amax = np.abs(weight).max()
        scales = np.array([amax / qmax if amax > 0 else 1], np.float32)
        out[layer] = (np.rint(weight / scales[0]).astype(np.int8), scales)
    return out
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>"Per tensor" means: each of the four weights has a scale of its own. The bias is
# not quantized here.</details>
# <details><summary>Hint 2</summary><code>np.rint</code> rounds ties to even; <code>astype(np.int8)</code> alone
# cuts towards zero.</details>
# %% role="check" id="quantize-weights-per-tensor" points=3
check("quantize-weights-per-tensor", quantize_weights_per_tensor)


# %% [markdown] items="1.1.P4"
# ## 4. Per-channel weights
#
# One filter with large weights makes the step coarse for all others. *Per channel*: row $o$ of $W$, seen as
# $(C_{out}, K)$, gets $s_o = \max_k |W_{ok}| / q_{max}$.
#
# That costs nothing at run time: $\sum_k x_k W_{ok} = s_x s_o \sum_k q_k w_{ok}$, so $s_o$ stays outside the
# sum. A scale for each *input* channel would not: it would stand inside. That is why activations stay per
# tensor.
# %% role="exercise" id="quantize-weights-per-channel" items="1.1.P4" minutes=8
def quantize_weights_per_channel(
    params: dict[str, np.ndarray], bits: int = 8
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """As quantize_weights_per_tensor, with one scale for each output channel (axis 0).

    scales[o] = max|W[o]| / qmax with qmax = 2**(bits - 1) - 1; a channel of zeros has scale 1.
    Code: W[o] / scales[o] rounded to nearest, ties to even, within -qmax..qmax.

    Args:
        params: float32 arrays "conv1.weight", "conv1.bias" ... of any widths: convolutions
            (out, in, 5, 5), linear layers (out, in). Not changed.
        bits: 2 to 8.

    Returns:
        layer: (codes, scales) for "conv1", "conv2", "fc1", "fc2": codes int8 of the weight's
        shape, scales float32 of shape (out,).

    >>> example = {f"{n}.weight": np.array([[7.0, -1.0], [0.5, 3.5]], np.float32) for n in LAYERS}
    >>> codes, scales = quantize_weights_per_channel(example, bits=4)["fc1"]
    >>> codes.tolist(), scales.tolist()
    ([[7, -1], [1, 7]], [1.0, 0.5])
    """
    ### BEGIN SOLUTION
    qmax = 2 ** (bits - 1) - 1
    out = {}
    for layer in LAYERS:
        weight = params[f"{layer}.weight"]
        rows = weight.reshape(len(weight), -1)
        amax = np.abs(rows).max(axis=1)
        scales = np.where(amax > 0, amax / qmax, 1).astype(np.float32)
        out[layer] = (np.rint(rows / scales[:, None]).astype(np.int8).reshape(weight.shape), scales)
    return out
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>weight.reshape(len(weight), -1)</code> makes a row of each output
# channel.</details>
# <details><summary>Hint 2</summary>Divide by <code>scales[:, None]</code>, then bring the codes back to
# <code>weight.shape</code>.</details>
# %% role="check" id="quantize-weights-per-channel" points=4
check("quantize-weights-per-channel", quantize_weights_per_channel)


# %% [markdown] items="1.1.P7"
# ### Turn the knob
#
# Choose a layer, a channel and the bits. Ticks below the histogram are the values that this channel's weights can
# take. Find a small channel and go down to 4 bits, then 3. With one scale per tensor, how many ticks does the channel
# still reach?
# %%
quantizers = {
    "per tensor": quantize_weights_per_tensor,
    "per channel": quantize_weights_per_channel,
}


def draw_codes(layer="fc1", channel=0, bits=4):
    """Histogram of one channel's weights above the values that its codes stand for."""
    rows = params[f"{layer}.weight"].reshape(SHAPES[layer][0], -1)
    row = np.abs(rows).max(1).argsort()[min(channel, len(rows) - 1)]
    fig, axes = figure(2, 1, height_inch=1.7)
    top, low = axes[:, 0]
    top.hist(rows[row], 40, facecolor=(COLOURS[0], 0.4), edgecolor=COLOURS[0])
    reached, edge = {}, np.abs(rows[row]).max()
    for place, (name, quantize) in enumerate(quantizers.items()):
        codes, scales = quantize(params, bits)[layer]
        step = float(scales[row if len(scales) > 1 else 0])
        used = np.unique(codes[row])
        reached[name] = len(used)
        edge = max(edge, step * np.abs(used).max())
        low.plot(
            used * step, np.full(len(used), -place), "|", color=COLOURS[place + 1], markersize=20
        )
    low.set_yticks([0, -1], [f"{name}\n{count} codes" for name, count in reached.items()])
    low.set_ylim(-1.7, 0.7)
    for ax in (top, low):
        ax.set_xlim(-1.08 * edge, 1.08 * edge)
    top.set(ylabel="count")
    low.set(xlabel=f"weight of {layer}, channel {row}, {bits} bits")
    return fig, (
        f"Weights of channel {row} of {layer} and the values of their codes at {bits} bits: "
        f"{reached['per tensor']} codes used with one scale per tensor, {reached['per channel']} per channel."
    )


explore(draw_codes, layer=list(LAYERS), channel=(0, 127, 1), bits=(2, 8, 1))
# %% [markdown]
# Channels are sorted by their largest weight: 0 is the smallest of its layer. In a small channel the per-tensor codes
# crowd around zero, and the outer codes are never used.


# %% [markdown] items="1.1.P5"
# ## 5. Two integer models
#
# A layer computes $y = Wx + b$. In integers, with $s_b = s_x s_w$:
#
# $$\mathrm{acc}_o = b_o^{int} + \sum_k (q_k - z_x)\, w_{ok}, \qquad q_y = \mathrm{round}(M_o\,\mathrm{acc}_o) + z_y, \qquad M_o = \frac{s_x s_{w,o}}{s_y}$$
#
# Biases become int32, $\mathrm{round}(b / s_b)$. $M \approx m_0 \, 2^{-31} \, 2^{-shift}$ with an int32
# $m_0 \in [2^{30}, 2^{31})$. Both models differ in one thing only: how many $M$ a layer has.
# %% role="exercise" id="integer-model" items="1.1.P5" minutes=15
def build_integer_model(
    params: dict[str, np.ndarray],
    weights: dict[str, tuple[np.ndarray, np.ndarray]],
    qparams: dict[str, tuple[float, int]],
) -> dict[str, np.ndarray]:
    """Everything that inference needs, as integers: one dict of arrays.

    The input of conv1 is "input", that of conv2 is "conv1", and so on. Compute in float64.

    Args:
        params: for the biases "conv1.bias" ..., float32 (out,).
        weights: layer: (codes int8, scales float32), scales (1,) per tensor or (out,) per channel.
        qparams: name: (scale, zero_point) for "input", "conv1", "conv2", "fc1", "fc2".

    Returns:
        "<layer>.weight": the codes, int8.
        "<layer>.bias": int32 (out,), bias / (input scale * weight scale), rounded to nearest.
        "<layer>.m0": int32, shape of the layer's scales, in [2**30, 2**31).
        "<layer>.shift": int8, same shape, with m0 * 2**-31 * 2**-shift nearest to M (M is below 2,
            so shift is -1 or more).
        "scales": float32 (5,), "zero_points": int8 (5,): of the activations, in the order above.

    >>> one = (np.ones((1, 1), np.int8), np.array([0.25], np.float32))
    >>> model = build_integer_model(
    ...     {f"{n}.bias": np.ones(1, np.float32) for n in LAYERS},
    ...     dict.fromkeys(LAYERS, one), dict.fromkeys(ACTIVATIONS, (0.5, 3)))
    >>> [model[f"fc1.{key}"].tolist() for key in ("bias", "m0", "shift")]
    [[8], [1073741824], [1]]
    """
    ### BEGIN SOLUTION
    model = {
        "scales": np.array([qparams[name][0] for name in ACTIVATIONS], np.float32),
        "zero_points": np.array([qparams[name][1] for name in ACTIVATIONS], np.int8),
    }
    for before, layer in zip(ACTIVATIONS, LAYERS, strict=False):
        codes, scales = weights[layer]
        sum_scale = qparams[before][0] * scales.astype(np.float64)
        mantissa, exponent = np.frexp(sum_scale / qparams[layer][0])
        m0 = np.rint(mantissa * 2**31).astype(np.int64)
        full = m0 == 2**31  # rounded up to 1.0: halve it
        model[f"{layer}.weight"] = codes
        model[f"{layer}.bias"] = np.rint(params[f"{layer}.bias"] / sum_scale).astype(np.int32)
        model[f"{layer}.m0"] = np.where(full, 2**30, m0).astype(np.int32)
        model[f"{layer}.shift"] = (-exponent - full).astype(np.int8)
    return model
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>zip(ACTIVATIONS, LAYERS)</code> pairs each layer with its
# input.</details>
# <details><summary>Hint 2</summary><code>mantissa, exponent = np.frexp(M)</code> gives M = mantissa * 2**exponent
# with the mantissa in [0.5, 1): m0 is the mantissa times 2**31, shift is -exponent.</details>
# <details><summary>Hint 3</summary>Where m0 rounds up to 2**31, write 2**30 and a shift that is one
# smaller.</details>
# %% role="check" id="integer-model" points=6
check("integer-model", build_integer_model)
# %% [markdown] items="1.1.P5"
# ### Run it without a float
#
# Each layer: subtract the input's zero-point, sum products, add the bias, requantize as in lesson 4, ReLU, pool.
#
# - **Padding** stands for the real 0, so its code is the zero-point; after the subtraction it is the integer 0.
# - **ReLU** compares with the real 0: $\max(q, z_y)$.
# - **Pooling** takes the largest code. Requantization never reverses an order, so pooling may come before it.
# %% [markdown] items="1.1.P5"
# The sums need int32 accumulators. NumPy has no fast integer matrix product, so the helper below uses float64:
# integers below $2^{53}$ are exact there, every bit.


# %% role="given" id="setup-integers"
def integer_sums(x: np.ndarray, weight: np.ndarray, padding: int = 0) -> np.ndarray:
    """Exact int64 sums of products, without bias; they fit in int32.

    x: integers (N, C, H, W) with weight (O, C, 5, 5): a convolution, stride 1, x padded with 0;
    or x (N, K) with weight (O, K): a linear layer. Returns (N, O, H', W') or (N, O).
    """
    rows = weight.reshape(len(weight), -1).astype(np.float64).T
    if x.ndim == 2:
        return (x.astype(np.float64) @ rows).astype(np.int64)
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    patches = windows.transpose(0, 2, 3, 1, 4, 5).astype(np.float64)
    sums = patches.reshape(*patches.shape[:3], -1) @ rows
    return np.ascontiguousarray(sums.transpose(0, 3, 1, 2)).astype(np.int64)


def max_pool(x: np.ndarray) -> np.ndarray:
    """Largest of each 2 x 2 block: (N, C, H, W) to (N, C, H/2, W/2)."""
    return np.maximum(
        np.maximum(x[:, :, ::2, ::2], x[:, :, ::2, 1::2]),
        np.maximum(x[:, :, 1::2, ::2], x[:, :, 1::2, 1::2]),
    )


def image_codes(model: dict[str, np.ndarray], images: np.ndarray) -> np.ndarray:
    """int8 codes (N, 1, 28, 28) of images (N, 28, 28) uint8: the last float of the whole model.

    With the range [0, 1] the scale is 1/255 and the zero-point -128: then code = pixel - 128.
    """
    codes = np.rint(images[:, None] / 255 / np.float64(model["scales"][0]))
    return np.clip(codes + int(model["zero_points"][0]), -128, 127).astype(np.int8)


# %% role="exercise" id="integer-forward" items="1.1.P5" minutes=15
def integer_forward(model: dict[str, np.ndarray], codes: np.ndarray) -> np.ndarray:
    """The logits' codes, computed from the image's codes with integers only. Bit for bit:

    acc = bias[o] + sum of (q - zero_point of the layer's input) * weight;
    y = ((acc * m0 + 2**(n - 1)) >> n) + zero_point of the layer's output, n = 31 + shift, in int64
    (>> arithmetic, so half-way goes up), clipped to -128..127.
    conv1 (padding 2 with real zeros), ReLU, max pool 2; conv2 (no padding), ReLU, max pool 2;
    flatten (C order); fc1, ReLU; fc2 without ReLU. ReLU: max(y, zero_point of the output).

    Args:
        model: as from build_integer_model; any widths; m0 and shift (1,) or (out,). Not changed.
        codes: int8 (N, 1, 28, 28). Not changed.

    Returns:
        int8 (N, 10).

    >>> m = {f"{n}.weight": np.zeros(SHAPES[n], np.int8) for n in LAYERS}
    >>> m |= {f"{n}.bias": np.full(SHAPES[n][0], 6, np.int32) for n in LAYERS}
    >>> m |= {f"{n}.m0": np.array([2**30], np.int32) for n in LAYERS}
    >>> m |= {f"{n}.shift": np.array([1], np.int8) for n in LAYERS}
    >>> m |= {"scales": np.ones(5, np.float32), "zero_points": np.zeros(5, np.int8)}
    >>> integer_forward(m, np.zeros((1, 1, 28, 28), np.int8))
    array([[2, 2, 2, 2, 2, 2, 2, 2, 2, 2]], dtype=int8)
    """
    ### BEGIN SOLUTION
    zero_points = model["zero_points"].astype(np.int64)
    x = codes.astype(np.int64)
    for k, layer in enumerate(LAYERS):
        if layer == "fc1":
            x = x.reshape(len(x), -1)
        acc = integer_sums(x - zero_points[k], model[f"{layer}.weight"], PADDING.get(layer, 0))
        along = (-1, 1, 1) if acc.ndim == 4 else (-1,)
        acc += model[f"{layer}.bias"].reshape(along)
        if layer in PADDING:
            acc = max_pool(acc)  # requantization keeps the order, so a quarter of it is enough
        m0 = model[f"{layer}.m0"].astype(np.int64).reshape(along)
        n = 31 + model[f"{layer}.shift"].astype(np.int64).reshape(along)
        x = ((acc * m0 + (np.int64(1) << (n - 1))) >> n) + zero_points[k + 1]
        x = np.clip(x, -128 if layer == "fc2" else zero_points[k + 1], 127)
    return x.astype(np.int8)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Make everything int64 first: <code>codes.astype(np.int64)</code>, the
# zero-points, m0, and shift. int8 minus int8 wraps around; 31 + shift must not stay int8.</details>
# <details><summary>Hint 2</summary>For a convolution bias, m0 and shift need the shape (C, 1, 1):
# <code>.reshape(-1, 1, 1)</code>; for a linear layer (C,). Both work for one value, too.</details>
# <details><summary>Hint 3</summary><code>integer_sums(x - zero_points[k], weight, PADDING.get(layer, 0))</code> pads
# after the subtraction, where a real 0 is the integer 0.</details>
# %% role="check" id="integer-forward" points=6
check("integer-forward", integer_forward)


# %% [markdown] items="1.1.P5"
# ### Assemble both
#
# Your functions, put together. The same float network, the same activation ranges; only the granularity of the weights
# differs.
# %%
def make_model(per_channel: bool, bits: int = 8) -> dict[str, np.ndarray]:
    """The integer model of `params` with weights of `bits` bits (activations stay int8)."""
    quantize = quantize_weights_per_channel if per_channel else quantize_weights_per_tensor
    return build_integer_model(params, quantize(params, bits), activation_qparams(ranges))


def logit_codes(model: dict[str, np.ndarray]) -> np.ndarray:
    """Codes of the logits (N, 10) int8 of all test images, 250 at a time."""
    parts = np.array_split(data.test_images, max(1, len(data.test_images) // 250))
    return np.concatenate([integer_forward(model, image_codes(model, part)) for part in parts])


models = {"per tensor": make_model(False), "per channel": make_model(True)}
codes_by_model = {name: logit_codes(model) for name, model in models.items()}
for name, model in models.items():
    step, zero = model["scales"][4], int(model["zero_points"][4])
    gap = (codes_by_model[name].astype(float) - zero) * step - float_logits
    print(f"{name}: logits off by {np.sqrt(np.mean(gap**2)) / step:.2f} steps (root mean square)")
# %% [markdown]
# **What you should see.** Between 0.4 and 1 step of the logits' own scale. Rounding the logits alone would give
# 0.29 steps ($1/\sqrt{12}$); the rest was carried through four layers.


# %% [markdown] items="1.1.P6"
# ## 6. Accuracy, with its uncertainty
#
# An accuracy from $n$ images is an estimate. Wilson's 95 % interval for the share $p$, with $z = 1.96$:
#
# $$\frac{p + \frac{z^2}{2n} \pm z\sqrt{\frac{p(1-p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}$$
#
# Two models on the *same* images differ by less than two such intervals suggest. So also count where they agree
# with FP32: agreement tells of changes that accuracy hides.
# %% role="exercise" id="quantized-accuracy" items="1.1.P6" minutes=8
def evaluate(codes: np.ndarray, float_logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy of an integer model, its 95 % interval, and its agreement with the float model.

    A model's answer is the index of the largest logit, the first one where several are equal.
    All logits of a model share one scale and zero-point, so codes need not be dequantized.

    Args:
        codes: (N, 10) int8, logits of the integer model.
        float_logits: (N, 10) float32, logits of the float model.
        labels: (N,) uint8.

    Returns:
        "accuracy": share of images, 0 to 1, where the integer model is right.
        "low", "high": Wilson's 95 % interval of that share, z = 1.96.
        "agreement": share of images where both models give the same answer, right or wrong.

    Raises:
        ValueError: there are no images.

    >>> result = evaluate(np.eye(10, dtype=np.int8), np.eye(10), np.array([0] * 5 + [5, 6, 7, 8, 9]))
    >>> [round(result[key], 3) for key in ("accuracy", "low", "high", "agreement")]
    [0.6, 0.313, 0.832, 1.0]
    """
    ### BEGIN SOLUTION
    n, z = len(labels), 1.96
    if n == 0:
        raise ValueError("There are no images to evaluate.")
    answers = codes.argmax(axis=1)
    p = float(np.mean(answers == labels))
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return {
        "accuracy": p,
        "low": (middle - half) / (1 + z**2 / n),
        "high": (middle + half) / (1 + z**2 / n),
        "agreement": float(np.mean(answers == float_logits.argmax(axis=1))),
    }
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>codes.argmax(axis=1)</code> takes the first of equals.</details>
# <details><summary>Hint 2</summary>Wilson's interval is not centred at p, and never leaves [0, 1]: at p = 1 its upper
# end is 1.</details>
# %% role="check" id="quantized-accuracy" points=3
check("quantized-accuracy", evaluate)
# %%
results = {"FP32": evaluate(float_logits, float_logits, data.test_labels)}
results |= {
    f"INT8 {k}": evaluate(v, float_logits, data.test_labels) for k, v in codes_by_model.items()
}
for name, r in results.items():
    print(
        f"{name:17s} {r['accuracy']:.2%}  95 % interval {r['low']:.2%} to {r['high']:.2%}"
        f"  same answer as FP32 {r['agreement']:.2%}"
    )
# %% [markdown]
# **What you should see.** Both INT8 models within 0.5 points of FP32, often within 0.1, and sometimes above it: a
# handful of images at the border flip either way. The interval is several times wider than these differences. At 8 bits
# nobody can say from these images which granularity is better.


# %% [markdown] items="1.1.P6"
# ## 7. Size, in theory and on disk
#
# *Theory*: the bytes of all arrays, FP32 against int8 codes **plus** everything that inference needs with them: int32
# biases, $m_0$, shifts, scales, zero-points. *On disk*: the file also holds names, shapes and headers.
#
# This project asks for 3.9 times in theory. Why not 4? Each output channel adds 4 bytes of bias and 5 of
# multiplier, against 4 bytes of float bias.
# %% role="exercise" id="model-size" items="1.1.P6" minutes=8
def model_size(params: dict[str, np.ndarray], model: dict[str, np.ndarray]) -> dict[str, float]:
    """Bytes of a float model and of an integer model, in theory and on disk.

    Args:
        params: float32 arrays. model: arrays of any dtypes. Neither is changed.

    Returns:
        "float_bytes", "integer_bytes": int, the bytes of all values, each in its own dtype.
        "float_file_bytes", "integer_file_bytes": int, size of the file that
            np.savez(path, **arrays) writes (uncompressed); leave no file behind.
        "ratio", "file_ratio": float bytes / integer bytes, of values and of files.

    >>> size = model_size({"w": np.zeros(90, np.float32)}, {"w": np.zeros(90, np.int8)})
    >>> size["float_bytes"], size["integer_bytes"], size["ratio"]
    (360, 90, 4.0)
    """
    ### BEGIN SOLUTION
    size = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, arrays in (("float", params), ("integer", model)):
            path = Path(folder) / f"{name}.npz"
            np.savez(path, **arrays)
            size[f"{name}_bytes"] = sum(array.nbytes for array in arrays.values())
            size[f"{name}_file_bytes"] = path.stat().st_size
    size["ratio"] = size["float_bytes"] / size["integer_bytes"]
    size["file_ratio"] = size["float_file_bytes"] / size["integer_file_bytes"]
    return size
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>array.nbytes</code> knows the dtype.</details>
# <details><summary>Hint 2</summary><code>with tempfile.TemporaryDirectory() as folder:</code> cleans up;
# <code>Path.stat().st_size</code> is the length of a file. An <code>io.BytesIO</code> gives the same
# bytes.</details>
# %% role="check" id="model-size" points=3
check("model-size", model_size)
# %%
sizes = {name: model_size(params, model) for name, model in models.items()}
for name, size in sizes.items():
    print(
        f"INT8 {name}: {size['float_bytes']:,} to {size['integer_bytes']:,} bytes, {size['ratio']:.3f} times"
    )
    print(
        f"  npz files: {size['float_file_bytes']:,} to {size['integer_file_bytes']:,}, {size['file_ratio']:.3f} times"
    )
# %% [markdown] items="1.1.P6"
# **What you should see.** Above 3.9 in theory for both, a little less per channel. The npz files reach less: each
# array brings some 250 bytes of headers, whatever its dtype, and the integer model has more arrays.
#
# The headers are a fixed cost. The safetensors format has one JSON header for all arrays:
# %%
DTYPE_NAMES = {"float32": "F32", "int8": "I8", "int32": "I32"}


def safetensors_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """The safetensors layout: length of the header (8 bytes), JSON header, the values."""
    header, at = {}, 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": DTYPE_NAMES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [at, at := at + array.nbytes],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(a.tobytes() for a in arrays.values())


with tempfile.TemporaryDirectory() as folder:
    lengths = {}
    for name, arrays in {"FP32": params, **models}.items():
        path = Path(folder) / "model.safetensors"
        path.write_bytes(safetensors_bytes(arrays))
        lengths[name] = path.stat().st_size
        print(
            f"{name}: {lengths[name]:,} bytes on disk, {lengths['FP32'] / lengths[name]:.3f} times smaller"
        )


# %% [markdown] items="1.1.P1 1.1.P5 1.1.P6"
# ## 8. Hand in
#
# The check takes the arrays, not your figures. It recomputes the integers from the float weights, runs FP32 with its
# own forward pass and both models with its own integer arithmetic over the test images, and counts the bytes.
# It asks for: FP32 at least 97.5 %, both INT8 models within 0.5 points of it, and 3.9 times smaller in theory. (On the
# stand-in, whose test set has 359 images: 93 %, and within 1 point.)
# %% role="exercise" id="quantized-lenet" items="1.1.P1 1.1.P5 1.1.P6" minutes=5
def hand_in() -> dict:
    """The three models of this project.

    Returns:
        "float": the parameters of the trained FP32 network, as from train_lenet.
        "per_tensor", "per_channel": the integer models built from exactly those parameters with
            8-bit weights, as from build_integer_model; calibrated on 100 to 200 training images.

    >>> sorted(hand_in())
    ['float', 'per_channel', 'per_tensor']
    """
    ### BEGIN SOLUTION
    return {
        "float": params,
        "per_tensor": models["per tensor"],
        "per_channel": models["per channel"],
    }
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>The names that the cells above gave them: <code>params</code>,
# <code>models["per tensor"]</code>, <code>models["per channel"]</code>.</details>
# %% role="check" id="quantized-lenet" points=5
check("quantized-lenet", hand_in)


# %% [markdown] items="1.1.P7"
# ## 9. Where the granularities part
#
# At 8 bits there is room for waste. To see the waste, look at the codes: for every channel, how far towards
# $q_{max}$ does it get? A channel whose largest weight is a quarter of the tensor's lives on a quarter of the
# codes: $\log_2 4 = 2$ bits of its $b$ are never used. At 8 bits, 6 remain. At 3 bits, 1.
# %% role="exercise" id="low-bits-analysis" items="1.1.P7" minutes=10
def code_statistics(weight: np.ndarray, codes: np.ndarray, scales: np.ndarray, bits: int) -> dict:
    """How well symmetric codes use their range, and what they lose.

    Args:
        weight: float32 (out, ...). codes: int8, same shape, from -qmax to qmax with
            qmax = 2**(bits - 1) - 1. scales: float32 (1,) or (out,). None is changed.
        bits: 2 to 8.

    Returns:
        "counts": int64 (2 * qmax + 1,): how many weights have the code -qmax, ..., 0, ..., qmax.
        "reach": float, the largest |code| of a channel (axis 0) over qmax, averaged over channels.
        "sqnr_db": float, 10 log10(sum of weight**2 / sum of (weight - codes * scales)**2);
            math.inf where the codes lose nothing.

    >>> codes = np.array([[3, 0], [1, -1]], np.int8)
    >>> stats = code_statistics(codes * np.float32(0.5), codes, np.array([0.5], np.float32), bits=3)
    >>> stats["counts"].tolist(), round(stats["reach"], 3), stats["sqnr_db"]
    ([0, 0, 1, 1, 1, 0, 1], 0.667, inf)
    """
    ### BEGIN SOLUTION
    qmax = 2 ** (bits - 1) - 1
    rows = codes.reshape(len(codes), -1).astype(np.int64)
    real = weight.reshape(rows.shape).astype(np.float64)
    noise = np.sum((real - rows * scales.astype(np.float64)[:, None]) ** 2)
    return {
        "counts": np.bincount(rows.ravel() + qmax, minlength=2 * qmax + 1),
        "reach": float(np.mean(np.abs(rows).max(axis=1) / qmax)),
        "sqnr_db": float(10 * np.log10(np.sum(real**2) / noise)) if noise > 0 else math.inf,
    }
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>np.bincount(codes + qmax, minlength=2 * qmax + 1)</code>, with codes flat and
# no longer int8: 127 + 127 does not fit.</details>
# <details><summary>Hint 2</summary>With rows of shape (out, K), <code>scales[:, None]</code> broadcasts for one scale
# and for many.</details>
# %% role="check" id="low-bits-analysis" points=4
check("low-bits-analysis", code_statistics)
# %%
table = {}
print("layer   bits   SQNR per tensor / per channel    reach per tensor / per channel")
for layer in LAYERS:
    for bits in (8, 4, 3):
        for name, quantize in quantizers.items():
            codes, scales = quantize(params, bits)[layer]
            table[layer, bits, name] = code_statistics(
                params[f"{layer}.weight"], codes, scales, bits
            )
        one, many = (table[layer, bits, name] for name in quantizers)
        print(
            f"{layer:7s} {bits:4d}   {one['sqnr_db']:8.1f} / {many['sqnr_db']:.1f} dB"
            f"{one['reach']:22.0%} / {many['reach']:.0%}"
        )
# %%
fig, axes = figure(2, 2, height_inch=2.4)
for ax, layer in zip(axes.flat, LAYERS, strict=True):
    for shift, (name, colour, hatch) in enumerate(
        zip(quantizers, COLOURS, ("", "//"), strict=False)
    ):
        counts = table[layer, 3, name]["counts"]
        ax.bar(
            np.arange(-3, 4) + 0.4 * shift - 0.2,
            100 * counts / counts.sum(),
            0.4,
            facecolor=(colour, 0.6),
            edgecolor=INK,
            hatch=hatch,
            label=name,
        )
    ax.set_title(layer, loc="left", fontsize=10)
    ax.set(xlabel="code at 3 bits", ylabel="% of weights", xticks=range(-3, 4))
axes[1, 0].legend(fontsize=8)
show(
    fig,
    alt="Bar charts of the codes of each layer's weights at 3 bits, from -3 to 3. With one scale per tensor "
    "more weights have code 0, most of all in fc1, and the outer codes are nearly empty; with one scale per "
    "channel the weights spread further out.",
)
# %% [markdown]
# **What you should see.** Per channel wins in every layer and at every width, by 1 to 7 dB (6 dB are one bit), most
# where the reach is small. At 3 bits per tensor, code 0 swallows most weights of fc1: the network is pruned by rounding.


# %% [markdown]
# ### Predict, then run
#
# Weights with 3 bits: seven values, -3 to 3, one scale per tensor, activations in int8. No retraining. What share of
# the test images is still right?
# %% role="predict" id="guess-3-bits"
my_guess_percent = ...
# %%
sweep = {}
for bits in (8, 6, 4, 3, 2):
    for name in quantizers:
        out = logit_codes(make_model(name == "per channel", bits))
        sweep[bits, name] = evaluate(out, float_logits, data.test_labels) | {
            "right": out.argmax(1) == data.test_labels
        }
reveal(my_guess_percent, 100 * sweep[3, "per tensor"]["accuracy"], unit="%")
for (bits, name), r in sweep.items():
    print(
        f"{bits} bits {name:11s} {r['accuracy']:.2%}  (95 % interval {r['low']:.2%} to {r['high']:.2%})"
    )
# %%
fig, axes = figure(1, 2, height_inch=3.2)
for ax, widths in zip(axes.flat, ((8, 6, 4, 3), (8, 6, 4, 3, 2)), strict=True):
    for name, colour, line, offset in zip(quantizers, COLOURS, LINES, (-0.06, 0.06), strict=False):
        share, low, high = (
            np.array([100 * sweep[bits, name][key] for bits in widths])
            for key in ("accuracy", "low", "high")
        )
        ax.errorbar(
            np.array(widths) + offset,
            share,
            [share - low, high - share],
            color=colour,
            linestyle=line,
            marker="o",
            markersize=4,
            capsize=3,
            label=name,
        )
    ax.set(xlabel="bits a weight", ylabel="accuracy in %", xticks=widths)
axes[0, 0].set_title("down to 3 bits", loc="left", fontsize=10)
axes[0, 1].set_title("down to 2 bits", loc="left", fontsize=10)
axes[0, 0].legend()
show(
    fig,
    alt="Test accuracy against bits a weight with 95 % intervals, one scale per tensor and one per channel. "
    "Both are flat from 8 to 4 bits; at 3 bits they begin to part, and at 2 bits both fall, per tensor much further.",
)
# %% [markdown] items="1.1.P7"
# Is a difference real? Both models saw the *same* images, so only those count where one is right and the other
# wrong. If the models were equally good, each such image would be a coin toss. The probability of a split at least
# as uneven (sign test, two-sided):
# %%
for bits in (8, 4, 3, 2):
    one, many = (sweep[bits, name]["right"] for name in quantizers)
    only_many, only_one = int((many & ~one).sum()), int((one & ~many).sum())
    tosses, fewer = only_many + only_one, min(only_many, only_one)
    chance = min(1.0, 2 * sum(math.comb(tosses, k) for k in range(fewer + 1)) / 2**tosses)
    print(
        f"{bits} bits: only per channel right {only_many}, only per tensor right {only_one}, "
        f"as uneven by chance: {chance:.2g}"
    )
# %% [markdown]
# **What you should see.** On MNIST: at 8 and 4 bits a few images each way, no difference. At 3 bits per channel is
# ahead, by nothing to four points: that depends on the seed's network, and the stand-in's 359 images are
# often too few to show it. At 2 bits both break and per tensor breaks first. The SQNR table said so before any
# image was classified.


# %% [markdown]
# ### Does it run faster?
# %%
batch = data.test_images[:100]
tensors = {k: torch.tensor(v) for k, v in params.items()}
model = models["per channel"]
batch_input, batch_codes = (
    torch.from_numpy(batch[:, None] / np.float32(255)),
    image_codes(model, batch),
)
float_time = measure(lambda: lenet(tensors, batch_input), repeats=10)
integer_time = measure(lambda: integer_forward(model, batch_codes), repeats=5, warmup=1)
print(f"100 images, FP32 in torch:   {float_time}")
print(f"100 images, INT8 in NumPy:   {integer_time}")
# %% [markdown]
# **What you should see.** The integer model is several times *slower*. That is a fact about this program: it imitates
# int32 accumulators in float64 and requantizes in separate passes. Fewer bits are faster only where the machine
# multiplies int8 directly (lesson 1 names such machines) and a kernel fuses the steps (module 1.5 writes one). What
# you have here, on any machine, is the size, and the exact answer that such a kernel must give.


# %% [markdown]
# ## 10. Discuss
#
# In 200 to 300 words, for a colleague who must choose how to quantize a similar network:
#
# 1. Per tensor or per channel, at 8, 4 and 3 bits: what do **your** accuracies say, with their intervals?
# 2. Why do the two part at few bits? Use the histograms or the reach of one layer.
# 3. What does per channel cost, in bytes and at run time? Why are the activations per tensor?
# 4. Why is the reduction in theory below 4, and on disk lower still?
# 5. One limit of this experiment.
# %% [markdown] role="written" id="quantizer-discussion" items="1.1.P7" points=5
# **Model answer.** (Figures stand for the learner's own.) At 8 bits both models lie within a few images of FP32: the
# intervals, about half a point to each side, overlap almost entirely, and the sign test sees no difference. The
# same holds at 4 bits. At 3 bits per channel leads; whether that is real follows from the images where only one
# model is right, not from the overlap of the intervals. At 2 bits both break, per tensor further.
#
# The reason is in the codes. With one scale, the channel with the largest weight sets the step; an average channel of
# fc1 reaches only about half of the codes, and at 3 bits most of its weights round to 0. Every halving
# of the reach is a lost bit, 6 dB. At 8 bits we can lose two bits and stay above what the task needs; at 3 we cannot.
#
# Per channel adds one multiplier and shift, 5 bytes, for each output channel: below 1 % of this model. At run time
# nothing changes but which multiplier the requantization reads, because the weight's scale stands outside the sum.
# A scale for each input channel would stand inside the sum, so activations keep one scale for a tensor.
#
# The ratio stays below 4 because biases remain 32 bits and multipliers are added; on disk the headers of each array
# come on top, a fixed cost that weighs more on a small file.
#
# Limits: one small network, one seed, 2,000 images, min-max ranges, no int8 hardware, so nothing about speed.
#
# **Rubric (5 points).** 1: accuracies of both models at three widths with intervals, and the conclusion that 8 bits do
# not separate them. 1: cause at few bits, tied to own histogram, reach or SQNR of a named layer. 1: cost of per channel in
# bytes and at run time, with scale outside the sum (hence per-tensor activations). 1: theory below 4 and disk lower, both
# explained. 1: a real limit (seed, sample size, task too easy, no hardware speed, calibration), not a commonplace.
# %% [markdown]
# ## Recap
#
# - Calibrate once on 100 to 200 training images; min and max over *all* batches, 0 inside.
# - Weights symmetric, activations asymmetric; biases int32 with scale $s_x s_w$; $M$ as an integer and a shift.
# - Per channel costs a few bytes an output and nothing at run time. It matters when bits are few.
# - Report accuracy with its interval, and compare models on the same images.
# - The ratio is 4 minus overhead; say which bytes you counted.
#
# **Three questions**
#
# 1. The first layer's codes are pixel - 128. Which calibration range makes that so, and what would a range of
#    [0, 0.9] do?
#    <details><summary>Answer</summary>[0, 1]: scale 1/255, zero-point -128. With [0, 0.9] the step is finer and all
#    pixels above 229 are clipped to code 127.</details>
# 2. You double all weights and the bias of one channel of fc1 and halve the matching column of fc2. The float network
#    is the same function. Which of the two integer models changes its codes in fc1?
#    <details><summary>Answer</summary>Per channel: none, the scale of that channel doubles (and the range of fc1's
#    activations may grow). Per tensor: if that channel now holds the largest weight, all others lose
#    codes. Cross-layer equalization (Nagel et al. 2019) uses this freedom the other way round.</details>
# 3. Why may max pooling move before requantization, and average pooling not?
#    <details><summary>Answer</summary>Requantization never reverses an order, so the largest stays the largest. A mean of
#    rounded values is not the rounded mean.</details>
#
# **Read**
#
# - Jacob et al. 2018, *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*,
#   sections 2.1 to 2.4: equations 4 to 7 are `integer_forward`.
# - Krishnamoorthi 2018, *Quantizing deep convolutional networks for efficient inference: A whitepaper*, section 3:
#   look for the tables of per-layer against per-channel weights; the sweep of section 9 is their miniature.
# - Nagel et al. 2019, *Data-Free Quantization Through Weight Equalization and Bias Correction*, section 3.1 and its
#   figure of per-channel weight ranges: draw yours with the slider.
# - LeCun et al. 1998, *Gradient-Based Learning Applied to Document Recognition*, section II.B: the network.
#
# **Next:** module 1.2 quantizes language models, where min-max at 4 bits is no longer enough.
# %%
print("Your result")
print(f"{'data':22s} {data.name} ({data.source}), {len(data.test_labels)} test images")
for name, r in results.items():
    print(f"{name:22s} {r['accuracy']:.2%} ({r['low']:.2%} to {r['high']:.2%})")
for name in quantizers:
    print(f"{'3 bits ' + name:22s} {sweep[3, name]['accuracy']:.2%}")
for name, size in sizes.items():
    print(
        f"{'INT8 ' + name:22s} {size['ratio']:.3f} times smaller, npz file {size['file_ratio']:.3f} times"
    )
