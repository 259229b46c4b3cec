# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Scale channels before you round: AWQ and SmoothQuant
#
# **You end with:** your own AWQ search and your own SmoothQuant with integer matrix products, run over a
# whole language model with activation outliers, and a table of its perplexities in W4, W3, W8A8 and W4A8.
#
# About 110 minutes. 37 points: 34 graded by machine, 3 by a person. Runs on a laptop, no GPU, no
# network. You need groups and scales (1.1, lesson 3) and integer matrix products (1.1, lesson 4).
#
# Notation: inputs $X$ of shape $(n, K)$, one row a token; weights $W$ of shape $(R, K)$; outputs
# $Y = X W^T$. A **channel** here is one of the $K$ inputs. WxAy: weights in x bits, activations in y.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import copy
import time
from contextlib import contextmanager

import numpy as np
import torch

from autograder import check
from lab.fake_quant import decoder_linears, with_weights
from lab.lm import calibration_batch, load_lm
from lab.outliers import with_outliers
from lab.perplexity import perplexity
from lab.plots import COLOURS, bars, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile

profile = use_profile(PROFILE)
profile


# %% role="given" id="setup-quantizer"
def quantize_weights(w: np.ndarray, bits: int, group_size: int) -> np.ndarray:
    """RTN: w (R, K) rounded to asymmetric codes in groups along K, and restored; float64.

    Each group has a range [min, max], widened to contain 0, and 2**bits codes. Ties go to even.
    Raises ValueError where group_size does not divide K.
    """
    rows, columns = w.shape
    if group_size < 1 or columns % group_size:
        raise ValueError(f"Groups of {group_size} do not divide {columns} columns.")
    groups = np.asarray(w, np.float64).reshape(rows, -1, group_size)
    low = np.minimum(groups.min(axis=-1, keepdims=True), 0)
    high = np.maximum(groups.max(axis=-1, keepdims=True), 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1.0)
    zero = np.rint(-low / scale)
    codes = np.clip(np.rint(groups / scale) + zero, 0, 2**bits - 1)
    return ((codes - zero) * scale).reshape(rows, columns)


# %% [markdown]
# ## Six channels in a hundred
#
# The shipped language model, in a version with **outliers**: 16 of its 256 channels carry activations
# tens of times larger than the rest. (In large models there are fewer; a small one forgives a few.) Its
# function is that of the plain model. All weights are rounded to 3 bits in groups of 128. Then 16 input
# channels of each layer stay in floating point, chosen in three ways. Which choice helps most?
# %% role="given" id="load-model"
plain = load_lm(profile=profile)
model = with_outliers(plain, channels=16)
calibration = calibration_batch(32, 128, seed=0)
WINDOWS = 16  # 2,048 scored tokens: enough to compare versions of one model on the same text


def held_out(network) -> float:
    """Perplexity on held-out text."""
    return perplexity(network, windows=WINDOWS)


def layer_inputs(network, tokens) -> dict[str, list[np.ndarray]]:
    """What each linear layer of the decoder receives: float32 arrays (tokens, K), one for each batch."""
    seen = {name: [] for name in decoder_linears(network)}

    def watch(name):
        def keep(_module, args):
            seen[name].append(args[0].flatten(0, -2).float().cpu().numpy())

        return keep

    handles = [m.register_forward_pre_hook(watch(n)) for n, m in decoder_linears(network).items()]
    try:
        with torch.inference_mode():
            for part in tokens.split(8):
                network(part.to(network.device), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().cpu().numpy()


inputs = layer_inputs(model, calibration)
float_ppl = held_out(model)
print(f"perplexity: plain {held_out(plain):.3f}, with outliers {float_ppl:.3f}")
# %% role="given" id="surprise"
KEPT = 16
dice = np.random.default_rng(0)


def rtn_but_keep(choose, bits=3):
    """RTN, with the KEPT channels for which `choose(name, w)` is largest left as they are."""

    def change(name, weight):
        w = to_numpy(weight)
        restored = quantize_weights(w, bits, 128)
        if choose:
            kept = np.argsort(choose(name, w))[-KEPT:]
            restored[:, kept] = w[:, kept]
        return torch.from_numpy(restored)

    return held_out(with_weights(model, change))


kept_ppl = {
    "none kept": rtn_but_keep(None),
    "16 at random": rtn_but_keep(lambda name, w: dice.random(w.shape[1])),
    "16 largest weights": rtn_but_keep(lambda name, w: np.abs(w).mean(axis=0)),
    "16 largest inputs": rtn_but_keep(
        lambda name, w: np.abs(np.concatenate(inputs[name])).mean(axis=0)
    ),
}
show(
    bars(
        {name: round(value - float_ppl, 2) for name, value in kept_ppl.items()},
        title=f"Perplexity above the {float_ppl:.2f} of floating point, 3-bit weights",
    ),
    alt=f"Bars of the perplexity above the {float_ppl:.1f} of floating point, with 3-bit weights: "
    + ", ".join(f"{name} {value - float_ppl:.1f}" for name, value in kept_ppl.items())
    + ".",
)
# %% [markdown] items="1.2.C7"
# **What happened.** Random channels help little, and those with the largest **weights** no more. Those with the
# largest **inputs** undo most of the loss: an error $\Delta w_j$ reaches the output as $x_j\,\Delta w_j$.
#
# So importance is read from activations. But rows of mixed precision are slow on hardware. AWQ (Lin et al. 2023)
# protects the same channels with all weights in one format.
# %% [markdown] items="1.2.C7 1.2.C8"
# ## What calibration must tell
#
# Two numbers for each channel $j$, over **all** $n$ calibration tokens $x_{ij}$:
#
# $$m_j = \frac1n \sum_i |x_{ij}| \quad\text{(AWQ)},\qquad a_j = \max_i |x_{ij}| \quad\text{(SmoothQuant)}.$$
#
# Batches differ in length, so $m_j$ is no mean of batch means. The activations are often float16, where a sum of a
# thousand of them stalls or overflows: add in float64.
# %% [markdown] items="1.2.C7 1.2.C8"
# ### Exercise: statistics of the calibration set
#
# <details><summary>Hint 1</summary>Keep a running sum, a running maximum and a token count.</details>
# <details><summary>Hint 2</summary>Convert each batch to float64 before <code>np.abs</code>.</details>
# <details><summary>Hint 3</summary>A batch of no tokens has no maximum: pass over it, or start the maximum at
# 0.</details>


# %% role="exercise" id="calibration-stats" items="1.2.C7 1.2.C8" minutes=10
def calibration_stats(batches: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and maximum of |x| for each channel, over all tokens of all batches.

    Args:
        batches: float16, float32 or float64 arrays (tokens, K); the number of tokens may differ
            and may be 0. Not changed.

    Returns:
        mean_abs: float64, (K,), the sum of |x| over all tokens / the number of all tokens.
        amax: float64, (K,).

    Raises:
        ValueError: there is no token at all, a batch has not two axes, the batches differ in K, or
            a value is not finite.

    >>> mean_abs, amax = calibration_stats([np.array([[1.0, -4.0]]), np.array([[0.0, 1.0], [2.0, 1.0]])])
    >>> mean_abs.tolist(), amax.tolist()
    ([1.0, 2.0], [2.0, 4.0])
    """
    ### BEGIN SOLUTION
    if not batches or any(x.ndim != 2 or x.shape[1] != batches[0].shape[1] for x in batches):
        raise ValueError("Give batches (tokens, K), one or more, all with the same K.")
    x = np.abs(np.concatenate([batch.astype(np.float64) for batch in batches]))
    if not len(x) or not np.isfinite(x).all():
        raise ValueError("The calibration set has no tokens, or values that are not finite.")
    return x.mean(axis=0), x.max(axis=0)
    ### END SOLUTION


# %% role="check" id="calibration-stats" points=4
check("calibration-stats", calibration_stats)
# %% role="given" id="look-at-outliers"
LAYER = "model.layers.1.self_attn.q_proj"
stats = {name: calibration_stats(batches) for name, batches in inputs.items()}
mean_abs, amax = stats[LAYER]
loud = np.sort(np.argsort(amax)[-16:])
print(f"{LAYER}: the 16 loudest of {len(amax)} channels are {loud.tolist()}")
print(f"their largest |x| is {np.median(amax[loud]):.1f} (median), that of the others "
      f"{np.median(np.delete(amax, loud)):.2f}")  # fmt: skip
# %% [markdown] items="1.2.C7"
# ## Scale up, round, scale down
#
# Multiply channel $j$ of $W$ by $s_j > 1$ before rounding and divide its input by $s_j$:
#
# $$\hat Y = (X / s)\; Q(W s)^T.$$
#
# Without $Q$ nothing changes. With it, the rounding error of $w_j s_j$ is about $\Delta/2$ as before, **as long as the
# group's range does not grow**; on the input side it is divided by $s_j$. If all are scaled up, the
# range grows along. So only those that matter.
# %% [markdown] items="1.2.C7 1.2.K5"
# ## One knob instead of K
#
# AWQ looks for the scales on one curve, from "no scaling" to "in proportion to the input":
#
# $$s_j = m_j^{\alpha}, \quad 0 \le \alpha \le 1,\qquad s \leftarrow \frac{s}{\sqrt{\max s \cdot \min s}}.$$
#
# The normalisation keeps the scales around 1. A **dead** channel, $m_j = 0$, never changes an output: it gets $s_j = 1$
# and takes no part in max and min. Else one zero would make the division fail.
# %% [markdown] items="1.2.C7 1.2.K5"
# ### Exercise: AWQ's scales
#
# <details><summary>Hint 1</summary><code>live = mean_abs > 0</code>; begin with <code>s = np.ones(K)</code> and fill in
# <code>s[live]</code>.</details>
# <details><summary>Hint 2</summary>If no channel is live, return the ones.</details>


# %% role="exercise" id="awq-scales" items="1.2.C7 1.2.K5" minutes=10
def awq_scales(mean_abs: np.ndarray, alpha: float) -> np.ndarray:
    """AWQ's channel scales: mean_abs**alpha / sqrt(max * min), max and min over the live channels.

    Live are the channels with mean_abs > 0; max and min are those of mean_abs**alpha.

    Args:
        mean_abs: mean |x| of each channel, float64, (K,), K >= 1. Not changed.
        alpha: 0 to 1, both included.

    Returns:
        s: float64, (K,), all positive; 1.0 for a dead channel (mean_abs 0).

    Raises:
        ValueError: alpha is outside [0, 1], or a mean_abs is negative or not finite.

    >>> awq_scales(np.array([1.0, 0.0, 16.0]), alpha=0.5).tolist()
    [0.5, 1.0, 2.0]
    """
    ### BEGIN SOLUTION
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}: give a number from 0 to 1.")
    if not np.isfinite(mean_abs).all() or (mean_abs < 0).any():
        raise ValueError("mean_abs holds a value that is negative or not finite.")
    s, live = np.ones(len(mean_abs)), mean_abs > 0
    if live.any():
        powers = mean_abs[live] ** alpha
        s[live] = powers / np.sqrt(powers.max() * powers.min())
    return s
    ### END SOLUTION


# %% role="check" id="awq-scales" points=4
check("awq-scales", awq_scales)
# %% [markdown] items="1.2.C7 1.2.K5"
# ## The search
#
# Which $\alpha$? Nobody computes it; AWQ tries 20 values and keeps the one with the least **output** error on calibration
# inputs:
#
# $$L(\alpha) = \frac{1}{nR}\left\lVert X W^T - (X / s)\, Q(W s)^T \right\rVert^2 .$$
#
# No gradient, no regression: so it cannot overfit the calibration set by much, and it works on any quantizer. $\alpha = 0$ is in
# the grid: on the calibration set, AWQ is never worse than RTN.
# %% [markdown] items="1.2.C7"
# **Predict.** The layer that you just saw, 4 bits, groups of 128. By what factor will the best $\alpha$ lower the mean squared
# output error, compared with $\alpha = 0$?
# %% role="predict" id="predict-awq"
my_awq_factor = ...


# %% [markdown] items="1.2.C7 1.2.K5"
# ### Exercise: search for the exponent
#
# Use `awq_scales` and the given `quantize_weights`.
#
# <details><summary>Hint 1</summary>The importance is the mean of |x| over the rows of <code>x</code>.</details>
# <details><summary>Hint 2</summary><code>w * s</code> and <code>x / s</code> broadcast over the last axis, which is the
# channel in both.</details>
# <details><summary>Hint 3</summary><code>np.argmin</code> returns the first of equals.</details>
# %% role="exercise" id="awq-search" items="1.2.C7 1.2.K5" minutes=15
def awq_search(
    w: np.ndarray, x: np.ndarray, bits: int = 4, group_size: int = 128, grid: int = 20
) -> tuple[float, np.ndarray]:
    """The exponent whose scales give the least output error, by trying grid + 1 of them.

    The exponents are 0, 1/grid, 2/grid, ..., 1; the scales of each are awq_scales(mean |x|, alpha).
    The error is the mean over all n * R outputs of (x w^T - (x / s) Q(w s)^T)**2, where Q is
    quantize_weights(., bits, group_size). Compute in float64.

    Args:
        w: weights, float32 or float64, (R, K). Not changed.
        x: calibration inputs, float32 or float64, (n, K). Not changed.
        bits, group_size: as in quantize_weights.
        grid: at least 1.

    Returns:
        alpha: the exponent with the least error; of equal ones the smallest.
        errors: float64, (grid + 1,), one for each exponent, in ascending order of the exponent.

    Raises:
        ValueError: x has no rows, x and w differ in K, grid is below 1, or group_size does not
            divide K.

    >>> alpha, errors = awq_search(np.array([[1.0, 0.25]]), np.array([[1.0, 16.0]]), 2, 2, grid=2)
    >>> alpha, errors.round(3).tolist()
    (0.5, [1.778, 0.0, 0.111])
    """
    ### BEGIN SOLUTION
    if x.ndim != 2 or not len(x) or x.shape[1] != w.shape[1] or grid < 1:
        raise ValueError(f"x {x.shape} needs rows and the columns of w {w.shape}; grid >= 1.")
    w, x = w.astype(np.float64), x.astype(np.float64)
    wanted, importance, errors = x @ w.T, np.abs(x).mean(axis=0), []
    for step in range(grid + 1):
        s = awq_scales(importance, step / grid)
        got = (x / s) @ quantize_weights(w * s, bits, group_size).T
        errors.append(np.mean((wanted - got) ** 2))
    return int(np.argmin(errors)) / grid, np.array(errors)
    ### END SOLUTION


# %% role="check" id="awq-search" points=6
check("awq-search", awq_search)
# %% role="given" id="search-layers"
SOME = 512  # tokens that a search looks at
searched = {}
for name in (LAYER, "model.layers.2.mlp.gate_proj", "model.layers.2.mlp.down_proj"):
    rows = np.concatenate(inputs[name])[:SOME]
    searched[name] = awq_search(to_numpy(model.get_submodule(name).weight), rows, 4, 128)
exponents = np.linspace(0, 1, 21)
fig = curves(
    exponents,
    {name.removeprefix("model."): errors / errors[0] for name, (_, errors) in searched.items()},
    xlabel="alpha",
    ylabel="output error / that of RTN",
    logy=True,
    title="AWQ's search, 4 bits, groups of 128",
)
show(
    fig,
    alt="Output error relative to rounding to nearest against alpha, for three layers: "
    + "; ".join(
        f"{name}: least {errors.min() / errors[0]:.3f} at alpha {alpha:g}"
        for name, (alpha, errors) in searched.items()
    ),
)
awq_factor = float(searched[LAYER][1][0] / searched[LAYER][1].min())
reveal(my_awq_factor, awq_factor, "times")
# %% [markdown] items="1.2.C7 1.2.K5"
# **What you should see.** A valley: at $\alpha = 0$ it is RTN, at 1 the loud channels take the whole range and the others are
# rounded to nothing. In layers with outliers the least error lies far to the right and far below RTN; `down_proj`, whose
# inputs have none, gains little and prefers a small $\alpha$.
# %% [markdown] items="1.2.C7 1.2.C8"
# ## Where the division goes
#
# $X / s$ costs time, unless the operation **before** the layer does it. A norm has the weight $g$, shape $(K,)$:
# store $g_j / s_j$, and a bias likewise. Of a linear layer with weight $V$, shape $(K, M)$, divide row $j$ (and its
# bias).
#
# All layers that **read** the same $X$ (q, k and v; gate and up) take the same $s$: their columns times $s_j$.
# %% [markdown] items="1.2.C7 1.2.C8"
# ### Exercise: fold the scales in
#
# One function serves AWQ and SmoothQuant, a norm and a linear layer before.
#
# <details><summary>Hint 1</summary>A writer of shape $(K, M)$ is divided by <code>s[:, None]</code>, one of shape
# $(K,)$ by <code>s</code>.</details>
# <details><summary>Hint 2</summary>Readers are $(R, K)$: <code>reader * s</code>.</details>


# %% role="exercise" id="fold-scales" items="1.2.C7 1.2.C8" minutes=10
def fold_scales(
    writer: np.ndarray,
    readers: list[np.ndarray],
    s: np.ndarray,
    bias: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None, list[np.ndarray]]:
    """Divide what writes the K channels by s and multiply what reads them, in new float64 arrays.

    Args:
        writer: float64; the weight (K,) of a norm, or (K, M) of a linear layer whose K outputs are
            the channels. Not changed.
        readers: the weights, float64, (R_i, K), of all layers that read the channels. Not changed.
        s: float64, (K,), positive and finite.
        bias: the bias (K,) of the norm or linear layer before, float64, or None.

    Returns:
        writer: float64, its shape unchanged; channel j divided by s[j].
        bias: likewise; None if it was None.
        readers: a list of float64 arrays, column j times s[j].

    Raises:
        ValueError: s has not the shape (K,) with K = len(writer), a value of s is not positive or
            not finite, or a reader has not K columns.

    >>> writer, bias, readers = fold_scales(np.array([6.0, 8.0]), [np.ones((1, 2))], np.array([2.0, 0.5]))
    >>> writer.tolist(), bias, readers[0].tolist()
    ([3.0, 16.0], None, [[2.0, 0.5]])
    """
    ### BEGIN SOLUTION
    if s.shape != (len(writer),) or any(reader.shape[1:] != s.shape for reader in readers):
        raise ValueError(f"s {s.shape}, the writer {writer.shape} or a reader does not match.")
    if not np.isfinite(s).all() or (s <= 0).any():
        raise ValueError("The scales must be positive and finite.")
    divided = writer / s.reshape(-1, *[1] * (writer.ndim - 1))
    return divided, None if bias is None else bias / s, [reader * s for reader in readers]
    ### END SOLUTION


# %% role="check" id="fold-scales" points=4
check("fold-scales", fold_scales)
# %% role="given" id="rescale"
GROUP = 128


def sites(network):
    """Each place where scales can be folded: the module before, the layers that read, their input's name."""
    for index, block in enumerate(network.model.layers):
        attention, mlp, at = block.self_attn, block.mlp, f"model.layers.{index}."
        queries = [attention.q_proj, attention.k_proj, attention.v_proj]
        yield block.input_layernorm, queries, at + "self_attn.q_proj"
        yield block.post_attention_layernorm, [mlp.gate_proj, mlp.up_proj], at + "mlp.gate_proj"
        yield mlp.up_proj, [mlp.down_proj], at + "mlp.down_proj"


def rescaled(network, choose):
    """A copy with the scales `choose(reader weights, input name)` folded in; None leaves a site alone."""
    changed = copy.deepcopy(network)
    with torch.no_grad():
        for before, layers, name in sites(changed):
            readers = [to_numpy(layer.weight) for layer in layers]
            s = choose(readers, name)
            if s is None:
                continue
            writer, _, readers = fold_scales(to_numpy(before.weight), readers, s)
            for module, values in zip([before, *layers], [writer, *readers], strict=True):
                module.weight.copy_(torch.from_numpy(values))
    return changed


def awq_choice(bits):
    def choose(readers, name):
        x = np.concatenate(inputs[name])[:SOME]
        alpha, _ = awq_search(np.concatenate(readers), x, bits, GROUP)
        return awq_scales(np.abs(x).astype(np.float64).mean(axis=0), alpha)

    return choose


started = time.perf_counter()
awq_models = {bits: rescaled(model, awq_choice(bits)) for bits in (4, 3)}
search_s = time.perf_counter() - started
ids = calibration[:4].to(profile.device)
with torch.inference_mode():
    reference = copy.deepcopy(model).double()(ids, use_cache=False).logits
    drift = {}
    for bits, changed in awq_models.items():
        logits = copy.deepcopy(changed).double()(ids, use_cache=False).logits
        drift[bits] = float((logits - reference).abs().max() / reference.abs().max())
print(f"two searches over {len(list(sites(model)))} sites: {search_s:.1f} s")
print("largest relative change of a logit before rounding: "
      + ", ".join(f"{bits} bits {value:.1e}" for bits, value in drift.items()))  # fmt: skip
# %% [markdown]
# **What you should see.** A change of about $10^{-7}$ on a CPU: the scaled weights are stored in float32, whose last digit
# moves. In float64 arithmetic folding is exact up to $10^{-15}$, and the check of the exercise holds you to that. A rescaling
# that changes the function by more is a bug, whatever the perplexity says.
# %% [markdown] items="1.2.C8 1.2.C9"
# ## Activations in integers as well
#
# Weight-only quantization saves bytes; the products are still in FP16. For integer products **both** sides need codes:
#
# $$Y_{ir} = s^x_i\, s^w_r \sum_j q^x_{ij}\, q^w_{rj}.$$
#
# One scale per **token** $i$ and one per **output** $r$ leave the sum. One per input channel $j$ would not. But it is the input
# channels that have outliers: one channel of 60 makes the step 60/127 for all others, whose values of 0.3 all become 0 or 1.
# %% [markdown] items="1.2.C8"
# ## Move the difficulty
#
# SmoothQuant (Xiao et al. 2023) takes the outliers out of $X$ beforehand, into $W$, which has range to spare:
#
# $$s_j = \frac{a_j^{\alpha}}{b_j^{\,1-\alpha}}, \qquad a_j = \max_i |x_{ij}|,\quad b_j = \max_r |w_{rj}|.$$
#
# Then $X/s$ has the maxima $(a_j b_j)^{1-\alpha}$, $W s$ has $(a_j b_j)^{\alpha}$: equal at $\alpha = \tfrac12$. At 1 all channels
# of $X$ are even and the weights carry everything. If $a_j$ or $b_j$ is 0, the channel is dead: $s_j = 1$.
# %% [markdown] items="1.2.C8 1.2.K6"
# ### Exercise: SmoothQuant's scales
#
# Several layers read the same input, so $b_j$ is the maximum over the rows of **all** of them.
#
# <details><summary>Hint 1</summary><code>np.abs(np.concatenate(weights)).max(axis=0)</code></details>
# <details><summary>Hint 2</summary>Compute only where both maxima are positive; the rest stays 1.</details>


# %% role="exercise" id="smooth-scales" items="1.2.C8 1.2.K6" minutes=8
def smooth_scales(x_amax: np.ndarray, weights: list[np.ndarray], alpha: float = 0.5) -> np.ndarray:
    """SmoothQuant's factors x_amax**alpha / w_amax**(1 - alpha); activations are divided by them.

    Args:
        x_amax: max |x| of each channel, float64, (K,). Not changed.
        weights: the weights (R_i, K) of all layers that read the channels, float64; w_amax is
            their common maximum of |w| in each column. Not changed.
        alpha: 0 to 1, both included.

    Returns:
        s: float64, (K,), all positive; 1.0 where x_amax or w_amax is 0.

    Raises:
        ValueError: alpha is outside [0, 1], there are no weights, a weight has not K columns, or
            an x_amax is negative or not finite.

    >>> smooth_scales(np.array([16.0, 0.0]), [np.array([[0.5, 1.0]]), np.array([[-4.0, 1.0]])]).tolist()
    [2.0, 1.0]
    """
    ### BEGIN SOLUTION
    if not 0 <= alpha <= 1 or not np.isfinite(x_amax).all() or (x_amax < 0).any():
        raise ValueError("alpha must lie in [0, 1], and x_amax be finite and not negative.")
    if not weights or any(w.shape[1:] != x_amax.shape for w in weights):
        raise ValueError(f"Give weights, one or more, each with {len(x_amax)} columns.")
    w_amax = np.abs(np.concatenate(weights)).max(axis=0)
    s, live = np.ones(len(x_amax)), (x_amax > 0) & (w_amax > 0)
    s[live] = x_amax[live] ** alpha / w_amax[live] ** (1 - alpha)
    return s
    ### END SOLUTION


# %% role="check" id="smooth-scales" points=4
check("smooth-scales", smooth_scales)
# %% [markdown] items="1.2.C8 1.2.C9"
# ## Exact sums
#
# Codes of 8 bits lie in $[-127, 127]$, a product below $2^{14}$. A sum of $K$ of them fits int32 up to $K = 133{,}152$. It is
# **exact** there; in float32 it is not beyond $2^{24}$, that is, from about a thousand channels on.
#
# W4A8 is the same product with weights in $[-7, 7]$: half the bytes, the same INT8 units (the kernel widens the
# weights on the way).
# %% [markdown] items="1.2.C8 1.2.C9 1.2.K6"
# ### Exercise: the integer layer
#
# Smooth, quantize both sides symmetrically, multiply integers, scale the sums.
#
# <details><summary>Hint 1</summary>Scales: <code>np.abs(x).max(axis=1, keepdims=True) / 127</code>, and the same for the rows of
# w with their own largest code. A row of zeros gets scale 1.</details>
# <details><summary>Hint 2</summary><code>codes_x.astype(np.int32) @ codes_w.T.astype(np.int32)</code>; in int8 the sums
# would wrap.</details>
# <details><summary>Hint 3</summary>A matrix with no rows has a maximum along axis 1 all the same: an empty column.
# </details>


# %% role="exercise" id="smooth-linear" items="1.2.C8 1.2.C9 1.2.K6" minutes=15
def smooth_linear(
    x: np.ndarray, w: np.ndarray, s: np.ndarray, weight_bits: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """A linear layer with integer products: 8-bit activations x / s, weights w * s in weight_bits.

    Both are quantized symmetrically: scale = max |.| / qmax, codes = round(. / scale) with ties to
    even, in [-qmax, qmax], qmax = 2**(bits - 1) - 1. One scale for each row of x / s (a token) and for
    each row of w * s (an output); a row of zeros has scale 1. Compute scales and codes in float64.

    Args:
        x: activations, float32 or float64, (n, K); n may be 0. Not changed.
        w: weights, float32 or float64, (R, K). Not changed.
        s: smoothing factors, float64, (K,), positive.
        weight_bits: 2 to 8.

    Returns:
        acc: int32, (n, R), the exact sums of products of codes. K is at most 100,000.
        y: float32, (n, R), acc * (scale of the token) * (scale of the output).

    Raises:
        ValueError: x, w and s do not agree in K, or a factor is not positive.

    >>> acc, y = smooth_linear(np.array([[127.0, 254.0]]), np.array([[127.0, -0.5]]), np.array([1.0, 2.0]))
    >>> acc.tolist(), y.tolist()
    ([[16002]], [[16002.0]])
    """
    ### BEGIN SOLUTION
    if x.ndim != 2 or w.ndim != 2 or x.shape[1:] != s.shape or w.shape[1:] != s.shape:
        raise ValueError(f"x {x.shape}, w {w.shape} and s {s.shape} do not agree.")
    if not (s > 0).all():
        raise ValueError("The smoothing factors must be positive.")
    codes, scales = [], []
    for values, top in ((x / s, 127), (w * s, 2 ** (weight_bits - 1) - 1)):
        peak = np.abs(values).max(axis=1, keepdims=True)
        scales.append(np.where(peak > 0, peak / top, 1.0))
        codes.append(np.rint(values / scales[-1]).astype(np.int32))
    acc = codes[0] @ codes[1].T
    return acc, (acc * scales[0] * scales[1].T).astype(np.float32)
    ### END SOLUTION


# %% role="check" id="smooth-linear" points=6
check("smooth-linear", smooth_linear)
# %% [markdown] items="1.2.C8 1.2.K6"
# **Predict.** `alpha` balances the two sides. On the layer with outliers, W8A8: the relative output error without
# smoothing, divided by that with the best `alpha`?
# %% role="predict" id="predict-smooth"
my_smooth_factor = ...


# %% [markdown] items="1.2.C8 1.2.K6"
# ### Exercise: sweep alpha
#
# The factors come from **calibration** data, the error is measured on other inputs: else you would measure how well the
# maximum fits the data that it was taken from.
#
# <details><summary>Hint 1</summary><code>np.linalg.norm(a)</code> of a matrix is the root of the sum of squares.</details>
# <details><summary>Hint 2</summary>Compare <code>y</code> with <code>x @ w.T</code> in float64; no smoothing is
# <code>s = np.ones(K)</code>.</details>
# %% role="exercise" id="alpha-sweep" items="1.2.C8 1.2.K6" minutes=10
def alpha_sweep(
    calibration: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    alphas: list[float],
    weight_bits: int = 8,
) -> tuple[float, np.ndarray, float]:
    """Relative output error of smooth_linear on x for each alpha.

    The error is ||y - x w^T|| / ||x w^T||, Frobenius norms, in float64, y from smooth_linear(x, w, s,
    weight_bits). The factors s are smooth_scales(max |calibration| of each channel, [w], alpha).

    Args:
        calibration: float32 or float64, (m, K), m >= 1. Not changed.
        x: float32 or float64, (n, K), with x w^T not all zero. Not changed.
        w: float64, (R, K). Not changed.
        alphas: numbers from 0 to 1, at least one, in any order.
        weight_bits: 2 to 8.

    Returns:
        unsmoothed: the error with s = 1.
        errors: float64, (len(alphas),), in the order of alphas.
        best: the alpha with the least error; of equal ones the first.

    Raises:
        ValueError: no calibration tokens, no alphas, an alpha outside [0, 1], or a shape that
            does not agree.

    >>> x = np.array([[0.3, 100.0], [0.7, -80.0]])
    >>> unsmoothed, errors, best = alpha_sweep(x, x, np.array([[1.0, 0.01]]), [0.0, 0.5])
    >>> round(unsmoothed, 3), errors.round(3).tolist(), best
    (0.401, [0.001, 0.002], 0.0)
    """
    ### BEGIN SOLUTION
    if not len(calibration) or not len(alphas):
        raise ValueError("Give calibration tokens and alphas, one or more of each.")
    wanted = x.astype(np.float64) @ w.T.astype(np.float64)
    x_amax = np.abs(calibration).max(axis=0).astype(np.float64)
    factors = [np.ones(w.shape[1])] + [smooth_scales(x_amax, [w], alpha) for alpha in alphas]
    made = [smooth_linear(x, w, s, weight_bits)[1] for s in factors]
    errors = np.array([np.linalg.norm(y - wanted) for y in made]) / np.linalg.norm(wanted)
    return float(errors[0]), errors[1:], alphas[int(np.argmin(errors[1:]))]
    ### END SOLUTION


# %% role="check" id="alpha-sweep" points=3
check("alpha-sweep", alpha_sweep)
# %% role="given" id="sweep-layer"
weight = to_numpy(model.get_submodule(LAYER).weight)
fresh = np.concatenate(layer_inputs(model, calibration_batch(4, 128, seed=1))[LAYER])
calibrated = np.concatenate(inputs[LAYER])
ALPHAS = [round(0.1 * k, 1) for k in range(11)]
sweeps = {bits: alpha_sweep(calibrated, fresh, weight, ALPHAS, bits) for bits in (8, 4)}
for bits, (unsmoothed, errors, best) in sweeps.items():
    print(f"W{bits}A8: without smoothing {unsmoothed:.4f}, alpha 0.5 {errors[5]:.4f}, "
          f"alpha 1 {errors[-1]:.4f}; best {errors.min():.4f} at {best}")  # fmt: skip
smooth_factor = sweeps[8][0] / sweeps[8][1].min()
reveal(my_smooth_factor, smooth_factor, "times")


# %% [markdown] items="1.2.C8"
# **Turn the knob.** Peaks of each channel after smoothing, of the activations and of the weights, channels in order of
# the activations' peaks. Find the `alpha` at which both are level. What happens to the weights at 1?
# %%
order = np.argsort(-amax)
weight_peak = np.abs(weight).max(axis=0)


def draw_smoothing(alpha=0.0, weight_bits=8):
    s = np.ones(len(amax)) if alpha == 0 else smooth_scales(amax, [weight], alpha)
    _, (error,), _ = alpha_sweep(calibrated, fresh[:128], weight, [alpha], weight_bits)
    if alpha == 0:
        error, *_ = alpha_sweep(calibrated, fresh[:128], weight, [alpha], weight_bits)
    fig, axes = figure(height_inch=3.4)
    ax = axes[0, 0]
    ax.semilogy((amax / s)[order], color=COLOURS[0], label="activations, max |x / s|")
    ax.semilogy((weight_peak * s)[order], "--", color=COLOURS[1], label="weights, max |w s|")
    name = "no smoothing" if alpha == 0 else f"alpha {alpha:g}"
    ax.set_title(f"{name}, W{weight_bits}A8: output error {error:.4f}", loc="left")
    ax.set(xlabel="channel, loudest first", ylabel="largest magnitude")
    ax.legend(loc="upper right")
    spans = [values.max() / np.median(values) for values in (amax / s, weight_peak * s)]
    return fig, (
        f"Peaks of the channels with {name}, W{weight_bits}A8: the largest activation peak is "
        f"{spans[0]:.1f} times the median, the largest weight peak {spans[1]:.1f} times; output error {error:.4f}."
    )


explore(draw_smoothing, alpha=(0.0, 1.0, 0.1), weight_bits=[8, 4])
# %% [markdown] items="1.2.C8 1.2.K6"
# **What you should see.** Position 0 is no smoothing here: 16 channels stand out by a factor of tens. At 0.5 both curves are
# level. The outliers of this model were **moved out of** the weights, so moving them back costs nothing, and a wide range of
# alphas is good. Where large weights meet large inputs, both ends are bad, as the next cell shows.
# %% role="given" id="three-layers"
made = np.random.default_rng(0)
base_x = made.standard_normal((512, 256))
made_w = made.standard_normal((256, 256)) * 0.05
made_loud = made.choice(256, 8, replace=False)
base_x[:, made_loud] *= 60  # outliers in the inputs; the weights know nothing of them
made_sweep = alpha_sweep(base_x[:256], base_x[256:], made_w, ALPHAS)
fig = curves(
    ALPHAS,
    {
        "the model's layer, W8A8": sweeps[8][1],
        "the model's layer, W4A8": sweeps[4][1],
        "made-up layer, W8A8": made_sweep[1],
    },
    xlabel="alpha",
    ylabel="relative output error",
    logy=True,
    title="SmoothQuant's alpha",
)
show(
    fig,
    alt="Relative output error against alpha. Made-up layer: "
    f"{made_sweep[1][0]:.4f} at 0, least {made_sweep[1].min():.4f} at {made_sweep[2]}, "
    f"{made_sweep[1][-1]:.4f} at 1. The model's layer: {sweeps[8][1].min():.4f} at {sweeps[8][2]} with 8-bit "
    f"weights, {sweeps[4][1].min():.4f} at {sweeps[4][2]} with 4-bit weights.",
)
print(f"made-up layer: without smoothing {made_sweep[0]:.4f}, alpha 0.5 {made_sweep[1][5]:.4f}, "
      f"alpha 1 {made_sweep[1][-1]:.4f}")  # fmt: skip
# %% [markdown] items="1.2.C9"
# ## What each format buys
#
# A linear layer with $n$ tokens moves its weights, its inputs and its outputs, and multiplies $nRK$ times. A **roofline** takes
# the slower of the two (1.6 returns to it):
#
# $$t = \max\left(\frac{\text{bytes}}{\text{bandwidth}},\ \frac{2nRK}{\text{rate}}\right).$$
#
# The rate is that of the format that the **products** are made in: FP16 for weight-only formats, whose weights are
# widened first; INT8 for W8A8 and W4A8.
# %% [markdown] items="1.2.C9"
# ### Exercise: the time of a layer
#
# <details><summary>Hint 1</summary>bytes = R K weight_bits / 8 + n K activation_bits / 8 + 2 n R.</details>
# <details><summary>Hint 2</summary>1 GB/s is 1e9 bytes a second, 1 TOPS 1e12 operations a second; a µs is 1e-6
# s.</details>


# %% role="exercise" id="layer-time" items="1.2.C9" minutes=8
def layer_time_us(
    tokens: int,
    rows: int,
    columns: int,
    weight_bits: int,
    activation_bits: int,
    bandwidth_gb_s: float,
    rates_tops: dict[int, float],
) -> tuple[float, str]:
    """The roofline's time of y = x w^T, and what limits it.

    Bytes moved: rows * columns weights of weight_bits, tokens * columns activations of
    activation_bits, tokens * rows outputs of 16 bits (scales are left out; no term is rounded). Operations:
    2 * tokens * rows * columns, at rates_tops[activation_bits].

    Args:
        tokens, rows, columns: at least 1.
        weight_bits, activation_bits: bits of one value.
        bandwidth_gb_s: memory bandwidth in 1e9 bytes a second.
        rates_tops: 1e12 operations a second, by the bits of the activations.

    Returns:
        time_us: the larger of the two times, in microseconds.
        limit: "memory" or "compute", whichever takes longer.

    Raises:
        ValueError: the chip has no rate for these activation bits.

    >>> layer_time_us(1, 1000, 1000, 4, 16, 1000.0, {16: 100.0})
    (0.504, 'memory')
    """
    ### BEGIN SOLUTION
    if activation_bits not in rates_tops:
        raise ValueError(f"No rate for activations of {activation_bits} bits.")
    bits = rows * columns * weight_bits + tokens * columns * activation_bits + tokens * rows * 16
    memory_us = bits / 8 / bandwidth_gb_s / 1e3
    compute_us = 2 * tokens * rows * columns / rates_tops[activation_bits] / 1e6
    return max(memory_us, compute_us), "memory" if memory_us > compute_us else "compute"
    ### END SOLUTION


# %% role="check" id="layer-time" points=3
check("layer-time", layer_time_us)
# %% role="given" id="formats"
A100 = {
    "bandwidth_gb_s": 2039.0,
    "rates_tops": {16: 312.0, 8: 624.0},
}  # 80 GB SXM, data sheet, dense
FORMATS = {"W16A16": (16, 16), "W4A16": (4, 16), "W8A8": (8, 8), "W4A8": (4, 8)}
batch_sizes = [1, 4, 16, 64, 256, 1024, 4096]
format_us = {
    name: [layer_time_us(n, 4096, 4096, *widths, **A100)[0] for n in batch_sizes]
    for name, widths in FORMATS.items()
}
show(
    curves(
        batch_sizes,
        format_us,
        xlabel="tokens at once",
        ylabel="time, µs (roofline)",
        logx=True,
        logy=True,
        title="A 4096 x 4096 layer on an A100, computed, not measured",
    ),
    alt="Roofline time against tokens for four formats, both axes logarithmic. With few tokens the 4-bit "
    "weights are fastest and W16A16 slowest; with thousands W4A16 meets W16A16, and both INT8 formats need "
    "half the time.",
)
for name, times in format_us.items():
    print(f"{name:7s} 1 token {times[0]:6.2f} µs   4,096 tokens {times[-1]:7.1f} µs")
# %% [markdown] items="1.2.C9"
# **What you should see.** One token at a time (a single chat) is memory-bound: the bits of the weights decide, and 8-bit
# activations gain nothing. Thousands of tokens (long prompts, large batches) are compute-bound: W4A16 is no faster than FP16,
# INT8 products are twice as fast. W4A8 has both, if its accuracy holds.
# %% [markdown] items="1.2.C7 1.2.C8 1.2.C9"
# ## The whole model
#
# Weights per output channel in W8A8; in groups of 128 at 4 and 3 bits. Activations with one scale per token, in all linear
# layers. SmoothQuant at $\alpha = 0.5$, folded into the norms; AWQ from above. In W4A8 the products of a group are scaled before
# they are added up, so groups stay possible.
# %% role="given" id="model-table"


@contextmanager
def activations_8_bit(network):
    """While it lasts, the input of every decoder linear is rounded to INT8 codes, one scale a token."""

    def hook(_module, args):
        x = args[0]
        scale = (x.abs().amax(-1, keepdim=True) / 127).clamp(min=torch.finfo(x.dtype).tiny)
        return (torch.round(x / scale) * scale, *args[1:])

    handles = [m.register_forward_pre_hook(hook) for m in decoder_linears(network).values()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def rows_8_bit(_name, weight):
    """Symmetric INT8 with one scale for each output channel."""
    w = to_numpy(weight)
    scale = np.abs(w).max(axis=1, keepdims=True) / 127
    return torch.from_numpy(np.rint(w / scale) * scale)


def groups_of(bits):
    return lambda _name, w: torch.from_numpy(quantize_weights(to_numpy(w), bits, GROUP))


def measured(network, change, activation_bits):
    quantized = with_weights(network, change)
    if activation_bits == 16:
        return held_out(quantized)
    with activations_8_bit(quantized):
        return held_out(quantized)


def smooth_choice(readers, name):
    """SmoothQuant's factors where a norm stands before; other sites are left alone."""
    return None if "down_proj" in name else smooth_scales(stats[name][1], readers, 0.5)


smoothed = rescaled(model, smooth_choice)
table = {
    "W8A8 naive": measured(model, rows_8_bit, 8),
    "W8A8 SmoothQuant": measured(smoothed, rows_8_bit, 8),
    "W4A16 RTN": measured(model, groups_of(4), 16),
    "W4A16 AWQ": measured(awq_models[4], groups_of(4), 16),
    "W3A16 RTN": kept_ppl["none kept"],
    "W3A16 AWQ": measured(awq_models[3], groups_of(3), 16),
    "W4A8 RTN": measured(model, groups_of(4), 8),
    "W4A8 SmoothQuant": measured(smoothed, groups_of(4), 8),
    "W4A8 AWQ": measured(awq_models[4], groups_of(4), 8),
}
print(f"floating point        {float_ppl:7.3f}")
for name, value in table.items():
    print(f"{name:20s}  {value:7.3f}   loss {value / float_ppl - 1:+.2%}")
# %%
show(
    bars(
        {name: round(100 * (value / float_ppl - 1), 1) for name, value in table.items()},
        unit="%",
        title="Perplexity lost against floating point",
    ),
    alt="Bars of the perplexity lost in per cent: "
    + ", ".join(f"{name} {100 * (value / float_ppl - 1):+.1f}" for name, value in table.items())
    + ".",
)
# %% [markdown] items="1.2.C7 1.2.C8 1.2.C9"
# **What you should see.** Naive W8A8 loses several per cent, SmoothQuant below one. AWQ loses a quarter of what RTN loses at
# 4 bits (about), half at 3. W4A8 without scales adds both errors up; with either method's it is close to W4A16 with AWQ.
#
# SmoothQuant serves 4 bits as well here: this model's outliers were moved *out of* the weights, and it moves them
# back. With 2,048 tokens a difference has a standard error near half a per cent.
# %% role="given" id="plain-model"
plain_inputs = layer_inputs(plain, calibration)
model_inputs, inputs = inputs, plain_inputs  # awq_choice reads `inputs`
plain_awq = rescaled(plain, awq_choice(3))
inputs = model_inputs
plain_table = {
    "W3A16 RTN": measured(plain, groups_of(3), 16),
    "W3A16 AWQ": measured(plain_awq, groups_of(3), 16),
    "W8A8 naive": measured(plain, rows_8_bit, 8),
}
for name, value in plain_table.items():
    print(f"no outliers: {name:10s}  {value:7.3f}   loss {value / float_ppl - 1:+.2%}")
# %% [markdown] items="1.2.C7 1.2.C9"
# **Where it does not help.** In the model **without** outliers naive W8A8 loses next to nothing, and AWQ's gain over RTN shrinks
# to the scatter: no channel is much louder than another, so there is nothing to protect. Lin et al. 2023 measure large models,
# which do have outliers. Measure before you add machinery.
# %% [markdown] items="1.2.C9"
# ## In your own words
#
# Three customers for one language model: **A**, an assistant on a laptop, one user; **B**, a service that reads long documents in large
# batches; **C**, the same service with half the memory.
#
# In 120 to 200 words: which of W4A16, W8A8 and W4A8 for each, with which method, and why? What would you measure before you decide, and
# what do AWQ and SmoothQuant have in common? Use at least three figures from this notebook.
# %% [markdown] role="written" id="which-format" items="1.2.C9" points=3
# **Model answer.** A: one token at a time is memory-bound, so the bytes of the weights decide: W4A16 with AWQ. The roofline gives about a
# quarter of FP16's time, and INT8 products would gain nothing. B: thousands of tokens at once are compute-bound: W4A16 is as slow as FP16
# there, W8A8 takes half. Without smoothing the outliers cost several per cent of perplexity, with SmoothQuant well below one; the factors
# are folded into the norms and cost nothing at run time. C: W4A8 has INT8's rate and half of W8A8's bytes, for a loss near that of W4A16; take
# scales from AWQ or SmoothQuant, for without them the activations' outliers come on top.
#
# Both methods multiply input channels of W by s and divide X by s, exactly, before rounding. AWQ protects the weights that meet loud inputs
# and looks at weight rounding; SmoothQuant makes the activations easy to round. Before deciding: are there outliers at all (without
# them, naive W8A8 was fine and AWQ hardly gained), is the layer memory- or compute-bound at my batch size, what is the perplexity on my text.
#
# **Rubric.** 1 point: a format for each customer with memory- or compute-bound as the reason. 1 point: the right method for each format, and what
# the two have in common (an exact rescaling, folded). 1 point: three figures used rightly, and one thing to measure. Half a point off for
# "fewer bits are always faster".
# %% [markdown]
# ## Recap
#
# - An error in a weight counts as much as its input is large: importance is read from activations.
# - Both methods use $XW^T = (X/s)(Ws)^T$, exact before rounding, and fold $1/s$ into the operation before.
# - AWQ: $s = m^\alpha$, normalised, $\alpha$ by search over the output error with the real quantizer.
# - SmoothQuant: $s = a^\alpha / b^{1-\alpha}$, so that INT8 fits both sides. Sums in int32 are exact.
# - Few tokens: bits of the weights decide. Many: the format of the products.
#
# **Three questions**
#
# <details><summary>1. Why does AWQ not simply use a large s for every channel?</summary>The group's range grows with its largest scaled
# weight, and the rounding step with it. Only the ratio between channels of a group matters.</details>
# <details><summary>2. Could SmoothQuant divide by a factor for each token instead?</summary>A factor per token leaves the sum anyway: it is
# the per-token scale. The outliers sit in channels, in every token.</details>
# <details><summary>3. q, k and v read one norm's output. What if each had its own s?</summary>The norm can take only one inverse. The others
# would have to be divided at run time.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Lin et al., *AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration*, MLSys 2024, section 3.1: keeping 1 % of the
#   weights in FP16, chosen by activations, by weights or at random (the first figure here, in miniature). Section 3.2: the scaling and its search.
# - Xiao et al., *SmoothQuant*, ICML 2023, section 3: why per-channel activation scales do not fit integer products. Section 4: the migration
#   strength $\alpha$; their figure of channel magnitudes before and after is the slider above.
# - Dettmers et al., *LLM.int8()*, NeurIPS 2022, section 4: where activation outliers come from.
# - Nagel et al., *Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019, section 4.1: the same rescaling, between
#   weights and weights.
#
# **Next:** `4_nf4_and_qlora`: four bits for weights that are normally distributed, and training on top of them.
# %%
# Your result.
print(f"AWQ's search on one layer             {awq_factor:.1f} times less output error at 4 bits")
print(f"SmoothQuant on one layer, W8A8        {smooth_factor:.1f} times less output error")
print(f"Perplexity in floating point          {float_ppl:.3f}")
for name, value in table.items():
    print(f"  {name:20s}                {value:.3f}  ({value / float_ppl - 1:+.2%})")
