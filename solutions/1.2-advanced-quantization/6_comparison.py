# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Fill the table of four methods yourself
#
# **You end with:** one table of QLoRA's NF4, GPTQ, AWQ and SmoothQuant beside plain rounding, on one model and
# one protocol. Every number in it is yours; the check rebuilds each row and measures it again.
#
# About 90 minutes. 28 points: 24 graded by machine, 4 by a person. Runs on a laptop, no GPU, no network.
# You need lessons 2 (GPTQ), 3 (AWQ and SmoothQuant) and 4 (NF4).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import time

import numpy as np
import torch

from autograder import check
from lab.fake_quant import decoder_linears, int8_activations, round_to_nearest, with_weights
from lab.layerwise import all_calibration_inputs, calibration_inputs, quantize_layerwise
from lab.lm import calibration_batch, load_lm
from lab.outliers import with_outliers
from lab.perplexity import perplexity
from lab.plots import COLOURS, bars, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile

profile = use_profile(PROFILE)
profile
# %% role="given" id="setup-model"
# float32 on every device: rows differ by tenths of a per cent, and bfloat16 would blur them.
model = load_lm(profile=profile).float()
shapes = {name: tuple(layer.weight.shape) for name, layer in decoder_linears(model).items()}
GROUP_SIZE = 128
tokens = calibration_batch(count=16, length=128, seed=0)
# Filled below: one row for each method.
table: dict[str, dict] = {}
# %% [markdown]
# ## The same bits, two prices
#
# Take the shipped model and give all inputs of its layers and all weights 8 bits. Then do the same with a twin
# that computes *the same function* in float, to the last bit: six channels are scaled up, and the next layer
# divides by as much. Run it.
# %% role="given" id="two-twins"
outlying = with_outliers(model)


def int8_weights(name, weight):
    """Symmetric INT8, one scale for each output."""
    scale = weight.abs().amax(1, keepdim=True) / 127
    return torch.clamp(torch.round(weight / scale), -127, 127) * scale


def w8a8_perplexity(subject):
    """Weights and inputs of every decoder layer in INT8."""
    rounded = with_weights(subject, int8_weights)
    with int8_activations(rounded):
        return perplexity(rounded)


float_perplexity = perplexity(model)
twins = {"plain": w8a8_perplexity(model), "with outliers": w8a8_perplexity(outlying)}
print(f"float32: {float_perplexity:.2f}, its twin in float32: {perplexity(outlying):.2f}")
for name, value in twins.items():
    print(f"8 bits for weights and inputs, {name}: {value:.2f}")


# %% [markdown] items="1.2.C12"
# **What happened.** The same bits, the same function, another loss. A method is good *for a model*: against
# outliers in activations, or for inputs that move together, or for weights that look normal. So a table that
# compares methods must name its model, its protocol and its bits, and a row that breaks the papers' order is a
# finding, not an accident. You will now fill such a table.
# %% [markdown] items="1.2.C12"
# ## What a row holds
#
# | column | unit | how |
# |---|---|---|
# | bits per weight | bit | every scale, zero-point and constant counted |
# | perplexity | | 64 held-out windows, `lab.perplexity` |
# | calibration | tokens | what the method had to look at |
# | time | s | to make the weights, this machine |
# %% [markdown] items="1.2.C12"
# Only the 28 linear layers of the decoder change; embedding and norms stay as they are and are left out of the
# bits. Groups are 128 inputs of one output.
# %% [markdown] items="1.2.C12"
# ## 1. Count the bits
#
# "4 bits" is never 4. A group of $g$ weights adds a scale and perhaps a zero-point: $(b_s + b_z)/g$ bits a weight,
# if groups fill the rows. bitsandbytes cuts the *flattened* matrix into blocks of 64 and, with double
# quantization, stores each scale in 8 bits plus one float32 for every 256 scales and one float32 for the
# matrix (the mean that was taken off).
# %% role="exercise" id="storage-bits" items="1.2.C12" minutes=8
def storage_bits(
    shape: tuple[int, int],
    bits: int,
    group_size: int,
    scale_bits: int = 16,
    zero_bits: int = 0,
    flat: bool = False,
    nested: int = 0,
) -> float:
    """Stored bits per weight of one quantized matrix, all included, packed without gaps.

    Args:
        shape: (out, in).
        bits: of a code.
        group_size: weights that share a scale; the last group may be shorter and counts as one.
        scale_bits, zero_bits: of each group's scale and zero-point.
        flat: groups run through the flattened matrix; else each row is cut by itself.
        nested: 0, or how many scales share one more float32 constant (a started block counts);
            then one float32 more is stored for the matrix.

    Returns:
        bits of the whole matrix / number of weights, a float.

    Raises:
        ValueError: a side of the shape, bits or group_size below 1.

    >>> storage_bits((256, 768), bits=4, group_size=128, zero_bits=4)
    4.15625
    """
    ### BEGIN SOLUTION
    rows, columns = shape
    if min(rows, columns, bits, group_size) < 1:
        raise ValueError(f"Nothing to store: shape {shape}, {bits} bits, groups of {group_size}.")
    groups = -(-rows * columns // group_size) if flat else rows * -(-columns // group_size)
    total = rows * columns * bits + groups * (scale_bits + zero_bits)
    if nested:
        total += 32 * -(-groups // nested) + 32
    return total / (rows * columns)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Count bits first, divide by the weights at the end.</details>
# <details><summary>Hint 2</summary><code>-(-a // b)</code> rounds a / b up: a part of a group is a group.</details>
# <details><summary>Hint 3</summary>With <code>flat</code> there is one long row of <code>out * in</code>
# weights.</details>
# %% role="check" id="storage-bits" points=3
check("storage-bits", storage_bits)
# %%
for label, options in (
    ("RTN, GPTQ, AWQ at 4 bits", {"bits": 4, "group_size": 128, "zero_bits": 4}),
    ("RTN, GPTQ, AWQ at 3 bits", {"bits": 3, "group_size": 128, "zero_bits": 3}),
    ("NF4, float32 scales", {"bits": 4, "group_size": 64, "scale_bits": 32, "flat": True}),
    (
        "NF4, double quantization",
        {"bits": 4, "group_size": 64, "scale_bits": 8, "flat": True, "nested": 256},
    ),
):
    print(f"{label:26s} {storage_bits((768, 256), **options):.4f} bits a weight")


# %% [markdown]
# **What you should see.** Half a bit for float32 scales in blocks of 64, about an eighth after double quantization
# (Dettmers et al. 2023, section 3, give 0.5 and 0.127). On a matrix this small the constants weigh a
# little more than that.
# %% [markdown] items="1.2.C6 1.2.C12"
# ## 2. GPTQ once more, compact
#
# Lesson 2 took eight steps; here you write the core in a dozen lines, from the formula. With
# $H = \tfrac{2}{n} X^\top X$ (in, in), damped, and $U$ upper triangular with $H^{-1} = U^\top U$, for
# $j = 0, 1, \dots$
#
# $$ e = \frac{w_j - q_j}{U_{jj}}, \qquad w_k \mathrel{-}= e\, U_{jk} \quad (k > j). $$
#
# $w_j$ is a column (out,). Each group's grid is made when its first column's turn comes.
# %% role="exercise" id="compact-gptq" items="1.2.C6 1.2.C12" minutes=15
def gptq_weight(
    weight: np.ndarray, hessian: np.ndarray, bits: int, group_size: int, percdamp: float = 0.01
) -> np.ndarray:
    """A layer's weight after GPTQ, dequantized. Columns from left to right.

    Dead inputs first: where the Hessian's diagonal is 0, set it to 1 and that column of the weight
    to 0. Then add percdamp times the mean of the diagonal to the diagonal. The grid of a group and
    a row: low = min(group's smallest, 0), high = max(group's largest, 0), scale = (high - low) /
    (2**bits - 1), 1 if that is 0; zero = round(-low / scale); a code = round(w / scale) + zero,
    clipped to 0..2**bits - 1; rounding ties to even. Restored: (code - zero) * scale.

    Args:
        weight: (out, in) floats, not changed.
        hessian: (in, in) float64, 2/n X^T X, not changed.
        bits: 1 to 8.
        group_size: divides `in`.
        percdamp: share of the diagonal's mean.

    Returns:
        The restored weight, (out, in), float32 or float64. Compute in float64.

    Raises:
        ValueError: shapes that do not fit, a group size that does not divide the inputs, bits below
            1, a Hessian that holds NaN or infinity, or one that is not positive definite after
            damping.

    >>> gptq_weight(np.array([[0.9, 0.4, 0.4]]), np.ones((3, 3)) + np.eye(3), bits=1, group_size=3)
    array([[0.9, 0. , 0.9]])
    """
    ### BEGIN SOLUTION
    columns = weight.shape[1]
    if hessian.shape != (columns, columns) or columns % group_size or bits < 1:
        raise ValueError(f"weight {weight.shape}, Hessian {hessian.shape}, groups of {group_size}.")
    if not np.isfinite(hessian).all():
        raise ValueError("The Hessian holds NaN or infinity.")
    w, h = weight.astype(np.float64), hessian.astype(np.float64)
    dead = h.diagonal() == 0
    h[dead, dead] = 1
    w[:, dead] = 0
    h += percdamp * h.diagonal().mean() * np.eye(columns)
    try:
        np.linalg.cholesky(h)
        u = np.linalg.cholesky(np.linalg.inv(h)).T
    except np.linalg.LinAlgError:
        raise ValueError("The damped Hessian is not positive definite.") from None
    restored = np.zeros_like(w)
    for j in range(columns):
        if j % group_size == 0:
            group = w[:, j : j + group_size]
            low, high = np.minimum(group.min(1), 0), np.maximum(group.max(1), 0)
            scale = (high - low) / (2**bits - 1)
            scale[scale == 0] = 1
            zero = np.rint(-low / scale)
        code = np.clip(np.rint(w[:, j] / scale) + zero, 0, 2**bits - 1)
        restored[:, j] = (code - zero) * scale
        w[:, j + 1 :] -= np.outer((w[:, j] - restored[:, j]) / u[j, j], u[j, j + 1 :])
    return restored
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Work on <code>w = weight.astype(np.float64)</code>, which is a copy.</details>
# <details><summary>Hint 2</summary><code>u = np.linalg.cholesky(np.linalg.inv(h)).T</code>; NumPy raises
# <code>np.linalg.LinAlgError</code> where there is no factor.</details>
# <details><summary>Hint 3</summary>The update:
# <code>w[:, j + 1 :] -= np.outer((w[:, j] - q) / u[j, j], u[j, j + 1 :])</code>.</details>
# %% role="check" id="compact-gptq" points=5
check("compact-gptq", gptq_weight)


# %% [markdown] items="1.2.C7 1.2.C12"
# ## 3. AWQ once more, compact
#
# AWQ (Lin et al. 2024) rounds $W \mathrm{diag}(s)$ and divides by $s$ again, so weights of large inputs sit on a finer
# grid. With $m_j = \mathrm{mean}|x_j|$:
#
# $$ s_j = m_j^{\alpha}, \qquad s \leftarrow s / \sqrt{\max s \cdot \min s} $$
# %% [markdown] items="1.2.C7 1.2.C12"
# ($s_j = 1$ where $m_j = 0$.) $\alpha \in [0, 1]$ is searched for the least output error, which needs no $X$: for
# $E = W - \hat W$ it is
# $\sum (E H) \odot E$ up to a factor.
# %% role="exercise" id="compact-awq" items="1.2.C7 1.2.C12" minutes=12
def awq_weight(
    weight: np.ndarray,
    mean_abs: np.ndarray,
    hessian: np.ndarray,
    bits: int,
    group_size: int,
    points: int = 11,
) -> tuple[np.ndarray, float]:
    """A layer's weight after AWQ's search, and the alpha that it chose.

    Candidates: alpha = k / (points - 1) for k = 0 .. points - 1. Each rounds weight * s as in
    `gptq_weight` (same grid, but every column at once), restores it and divides by s. The smallest
    output error wins, of equal ones the smaller alpha. An input whose mean_abs is 0 has s = 1 and takes
    no part in the normalisation.

    Args:
        weight: (out, in) floats, not changed.
        mean_abs: (in,) mean of |x| of each input, 0 or more.
        hessian: (in, in) 2/n X^T X.
        bits: 1 to 8.
        group_size: divides `in`.
        points: 2 or more.

    Returns:
        restored: (out, in), float32 or float64. Compute in float64.
        alpha: float.

    Raises:
        ValueError: lengths that do not fit, a group size that does not divide the inputs, a negative
            mean_abs, or fewer than 2 points.

    >>> w = np.array([[0.4, 1.5], [0.6, 1.5]])
    >>> restored, alpha = awq_weight(w, np.array([9.0, 1.0]), np.diag([81.0, 1.0]), 2, 2, points=3)
    >>> restored.round(3).tolist(), alpha  # the column with large inputs is exact now
    ([[0.4, 1.2], [0.6, 1.8]], 1.0)
    """
    ### BEGIN SOLUTION
    columns = weight.shape[1]
    if len(mean_abs) != columns or columns % group_size or points < 2 or np.min(mean_abs) < 0:
        raise ValueError(f"weight {weight.shape}, {len(mean_abs)} means, groups of {group_size}.")
    w = weight.astype(np.float64)
    best = (np.inf, w, 0.0)
    for alpha in (k / (points - 1) for k in range(points)):
        live = mean_abs > 0
        s = np.ones(columns)
        s[live] = mean_abs[live] ** alpha
        s[live] /= np.sqrt(s[live].max() * s[live].min()) if live.any() else 1
        groups = (w * s).reshape(len(w), -1, group_size)
        low = np.minimum(groups.min(-1, keepdims=True), 0)
        high = np.maximum(groups.max(-1, keepdims=True), 0)
        scale = (high - low) / (2**bits - 1)
        scale[scale == 0] = 1
        zero = np.rint(-low / scale)
        code = np.clip(np.rint(groups / scale) + zero, 0, 2**bits - 1)
        restored = ((code - zero) * scale).reshape(w.shape) / s
        error = w - restored
        loss = float(((error @ hessian) * error).sum())
        if loss < best[0]:
            best = (loss, restored, alpha)
    return best[1], best[2]
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>alpha = 0 gives s = 1 everywhere: plain rounding is one of the
# candidates.</details>
# <details><summary>Hint 2</summary><code>groups = (w * s).reshape(len(w), -1, group_size)</code>, then minimum and
# maximum over the last axis with <code>keepdims=True</code>.</details>
# <details><summary>Hint 3</summary><code>loss = ((e @ hessian) * e).sum()</code>; keep a candidate only if it is
# smaller than the best so far.</details>
# %% role="check" id="compact-awq" points=4
check("compact-awq", awq_weight)


# %% [markdown] items="1.2.C8 1.2.C12"
# ## 4. SmoothQuant once more
#
# The other three leave activations alone. SmoothQuant (Xiao et al. 2023) divides each input channel by
#
# $$ s_j = \max|x_j|^{\alpha} / \max|w_j|^{1-\alpha} $$
#
# and multiplies column $j$ of the weight by it: the product stays, the outlier moves half of its way (in the
# exponent) into the weight. Then both sides get 8 bits and the multiplication runs on integers.
# %% role="exercise" id="smooth-w8a8" items="1.2.C8 1.2.C12" minutes=10
def smooth_w8a8(
    x: np.ndarray, weight: np.ndarray, alpha: float = 0.5
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Smooth, quantize both sides to INT8, multiply integers.

    The inputs x / s share one scale, max|x / s| / 127. Each row of weight * s has its own,
    max|row| / 127. A scale that would be 0 is 1. Codes: round to nearest, within -127..127.

    Args:
        x: (tokens, in) float32, not changed.
        weight: (out, in) float32, not changed.
        alpha: 0 to 1.

    Returns:
        factors: (in,) s, float32 or float64; 1 where max|x_j| or max|w_j| is 0.
        x_codes: (tokens, in) int8.
        w_codes: (out, in) int8.
        y: (tokens, out) float32 or float64, the integer product times both scales.

    Raises:
        ValueError: widths that differ, no tokens, or alpha outside 0..1.

    >>> x, w = np.array([[8.0, 2.0]], np.float32), np.array([[2.0, 0.5]], np.float32)
    >>> factors, x_codes, w_codes, y = smooth_w8a8(x, w)
    >>> factors.tolist(), x_codes.tolist(), w_codes.tolist(), round(float(y[0, 0]), 6)
    ([2.0, 2.0], [[127, 32]], [[127, 32]], 17.01581)
    """
    ### BEGIN SOLUTION
    if x.shape[1] != weight.shape[1] or not len(x) or not 0 <= alpha <= 1:
        raise ValueError(f"x {x.shape}, weight {weight.shape}, alpha {alpha} do not fit.")
    a, b = np.abs(x).max(0).astype(np.float64), np.abs(weight).max(0).astype(np.float64)
    s = np.ones(len(a))
    used = (a > 0) & (b > 0)
    s[used] = a[used] ** alpha / b[used] ** (1 - alpha)
    xs, ws = x / s, weight * s
    x_scale = np.abs(xs).max() / 127 or 1.0
    w_scale = np.abs(ws).max(1, keepdims=True) / 127
    w_scale[w_scale == 0] = 1
    x_codes = np.rint(xs / x_scale).astype(np.int8)
    w_codes = np.rint(ws / w_scale).astype(np.int8)
    y = (x_codes.astype(np.int32) @ w_codes.T.astype(np.int32)) * x_scale * w_scale.T
    return s, x_codes, w_codes, y
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>np.abs(x).max(0)</code> and <code>np.abs(weight).max(0)</code>: one number
# for each input.</details>
# <details><summary>Hint 2</summary>Start from <code>s = np.ones(...)</code> and fill only where both maxima are
# positive.</details>
# <details><summary>Hint 3</summary>int8 times int8 overflows int8: <code>astype(np.int32)</code> before
# <code>@</code>.</details>
# %% role="check" id="smooth-w8a8" points=4
check("smooth-w8a8", smooth_w8a8)


# %% [markdown] items="1.2.C12"
# ## 5. Measure
#
# One function makes every weight-only row: `make(name, weight)` gives a layer's new weight. It notes the time, the bits
# and the weights themselves (float16, which moves the perplexity by about 0.0005 %), because the check will ask for
# them.
# %% role="given" id="setup-row"
def total_bits(**options) -> float:
    """Bits per weight over all decoder layers."""
    weights = sum(rows * columns for rows, columns in shapes.values())
    return sum(r * c * storage_bits((r, c), **options) for r, c in shapes.values()) / weights


def weights_of(changed) -> dict[str, np.ndarray]:
    """Decoder weights, float16."""
    return {n: m.weight.half().cpu().numpy() for n, m in decoder_linears(changed).items()}


def row(build, bits_per_weight, calibrated=False, keep=True) -> dict:
    """Build a model, measure it."""
    began = time.perf_counter()
    changed = build()
    seconds = time.perf_counter() - began
    out = {
        "bits_per_weight": bits_per_weight,
        "perplexity": perplexity(changed),
        "calibration_tokens": tokens.numel() if calibrated else 0,
        "seconds": seconds,
    }
    return out | ({"weights": weights_of(changed)} if keep else {})


# %% [markdown]
# Before you run the next cells: of the perplexity that 3-bit rounding adds to the float model, which share (in %)
# will GPTQ take back on this model?
# %% role="predict" id="predict-recovered"
my_guess_percent = ...
# %% role="given" id="rows-rounding"
table["float"] = row(lambda: model, 16.0, keep=False)
for bits in (4, 3):
    table[f"rtn-{bits}"] = row(
        lambda bits=bits: with_weights(
            model, lambda n, w: round_to_nearest(w, bits, GROUP_SIZE, symmetric=False)
        ),
        total_bits(bits=bits, group_size=GROUP_SIZE, zero_bits=bits),
    )


# %% [markdown] items="1.2.C12"
# NF4 comes from bitsandbytes itself: `quantize_4bit` with `compress_statistics=True` is what QLoRA stores.
# %% role="given" id="rows-nf4"
def nf4_weight(name: str, weight: torch.Tensor) -> torch.Tensor:
    """Through the library: NF4, blocks of 64, double quantization, and back."""
    from bitsandbytes import functional

    packed, state = functional.quantize_4bit(
        weight.contiguous(), blocksize=64, compress_statistics=True, quant_type="nf4"
    )
    return functional.dequantize_4bit(packed, state)


table["nf4"] = row(
    lambda: with_weights(model, nf4_weight),
    total_bits(bits=4, group_size=64, scale_bits=8, flat=True, nested=256),
)


# %% [markdown] items="1.2.C12"
# GPTQ and AWQ look at 16 sequences of 128 tokens from the training split. GPTQ goes block by block, each block on the
# inputs that the quantized blocks before it make; AWQ takes the float model's.
# %% role="given" id="rows-calibrated"
def hessian_of(inputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """2/n X^T X (in, in) and mean |x| (in,)."""
    x = np.concatenate(inputs).astype(np.float64)
    return 2 * x.T @ x / len(x), np.abs(x).mean(0)


def by_gptq(name: str, weight: np.ndarray, inputs: list[np.ndarray]) -> np.ndarray:
    return gptq_weight(weight, hessian_of(inputs)[0], 3, GROUP_SIZE)


def by_awq(subject, chosen: dict):
    """with_weights for AWQ; notes each layer's alpha in `chosen`."""

    seen = all_calibration_inputs(subject, tokens)

    def change(name, weight):
        hessian, mean_abs = hessian_of(seen[name])
        restored, chosen[name] = awq_weight(weight.cpu().numpy(), mean_abs, hessian, 3, GROUP_SIZE)
        return torch.from_numpy(restored).to(weight)

    return with_weights(subject, change)


three_bits = total_bits(bits=3, group_size=GROUP_SIZE, zero_bits=3)
alphas: dict[str, float] = {}
table["gptq-3"] = row(
    lambda: quantize_layerwise(model, tokens, by_gptq), three_bits, calibrated=True
)
table["awq-3"] = row(lambda: by_awq(model, alphas), three_bits, calibrated=True)
added = table["rtn-3"]["perplexity"] - table["float"]["perplexity"]
recovered_percent = 100 * (table["rtn-3"]["perplexity"] - table["gptq-3"]["perplexity"]) / added
reveal(my_guess_percent, recovered_percent, "%")
# %% [markdown] items="1.2.C12"
# SmoothQuant is measured where it is needed: on the twin with outliers, weights and inputs both INT8. The factors of
# each norm come from your `smooth_w8a8`, and are folded: the norm's weight is divided, its readers' columns multiplied.
# %% role="given" id="rows-smooth"
READERS = {
    "input_layernorm": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "post_attention_layernorm": ("mlp.gate_proj", "mlp.up_proj"),
}


def smoothed(alpha: float = 0.5):
    """The twin with outliers after smoothing: the same function, other weights."""
    changed = with_outliers(model)
    inputs = all_calibration_inputs(changed, tokens)
    seen = {
        (block, norm): np.concatenate(inputs[f"model.layers.{block}.{readers[0]}"])
        for block in range(len(changed.model.layers))
        for norm, readers in READERS.items()
    }
    with torch.no_grad():
        for (block, norm), x in seen.items():
            layer = changed.model.layers[block]
            readers = [layer.get_submodule(name) for name in READERS[norm]]
            stacked = np.concatenate([r.weight.cpu().numpy() for r in readers])
            factors = torch.from_numpy(smooth_w8a8(x, stacked, alpha)[0]).to(readers[0].weight)
            getattr(layer, norm).weight.div_(factors)
            for reader in readers:
                reader.weight.mul_(factors)
    return changed


int8_bits = sum(r * c * storage_bits((r, c), 8, c) for r, c in shapes.values())
int8_bits /= sum(r * c for r, c in shapes.values())
for name, build in (("w8a8", lambda: outlying), ("smoothquant", smoothed)):
    began = time.perf_counter()
    rounded = with_weights(build(), int8_weights)
    seconds = time.perf_counter() - began
    with int8_activations(rounded):
        value = perplexity(rounded)
    table[name] = {
        "bits_per_weight": int8_bits,
        "perplexity": value,
        "calibration_tokens": tokens.numel() if name == "smoothquant" else 0,
        "seconds": seconds,
    }


# %% [markdown] items="1.2.C12"
# ## 6. The table
#
# Hand in the rows. Nothing printed counts: the check takes the bits from the formats, measures each perplexity from your
# weights, holds RTN and NF4 to their definitions, and GPTQ's and AWQ's output error to an independent solution.
# %% role="exercise" id="comparison-table" items="1.2.C12" minutes=10
def comparison() -> dict[str, dict]:
    """The table: one dict for each of these rows, all measured above.

    "float", "rtn-4", "rtn-3", "gptq-3", "awq-3", "nf4" on the shipped model, groups of 128 (NF4: blocks
    of 64, double quantization); "w8a8" and "smoothquant" (alpha 0.5) on its twin with outliers.

    Returns:
        name: {"bits_per_weight": float, over all 28 decoder layers; float counts as 16,
               "perplexity": float, `lab.perplexity.perplexity` with its defaults in float32,
               "calibration_tokens": int, 16 * 128 where the method looked at inputs, else 0,
               "seconds": float, to make the weights}
        and for the five weight-only rows also "weights": {layer's full name: (out, in) float16}.
        The check's own perplexity must agree within 0.02 %, for smoothquant 0.2 %, for w8a8 1 %
        (INT8 inputs near a tie fall with the order of a sum).

    >>> sorted(comparison()) == sorted(table)
    True
    """
    ### BEGIN SOLUTION
    return table
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>The cells above have filled <code>table</code>; run them all, in order, after your
# functions pass.</details>
# <details><summary>Hint 2</summary>If a row is refused, the function behind it changed after the row was measured:
# run the row's cell again.</details>
# %% role="check" id="comparison-table" points=8
check("comparison-table", comparison)
# %%
print(f"{'method':12s} {'bits':>7s} {'perplexity':>11s} {'calibration':>12s} {'seconds':>8s}")
for name, cells in comparison().items():
    print(
        f"{name:12s} {cells['bits_per_weight']:7.3f} {cells['perplexity']:11.3f} "
        f"{cells['calibration_tokens']:12,d} {cells['seconds']:8.1f}"
    )
added = {
    name: 100 * (table[name]["perplexity"] / table["float"]["perplexity"] - 1)
    for name in ("rtn-4", "nf4", "rtn-3", "awq-3", "gptq-3", "smoothquant")
}
show(
    bars(added, unit="%", title="What each method adds to the float model's perplexity"),
    alt="Horizontal bars: the percentage that 4-bit rounding, NF4, 3-bit rounding, 3-bit AWQ, 3-bit GPTQ and "
    "SmoothQuant add to the float perplexity. The 3-bit bars are the longest, GPTQ's clearly shorter than "
    "rounding's; SmoothQuant's is short.",
)
# %% [markdown]
# **What you should see.** 4 bits cost a tenth of a point: NF4 and 4-bit rounding differ by less than the noise of 8,192
# tokens (0.002 nats), and NF4 stores slightly less. At 3 bits GPTQ takes back about half of what rounding loses; AWQ hardly
# differs from rounding, on this model. Unsmoothed W8A8 is far off and SmoothQuant nearly float.
#
# `docs/perplexities-1.2.md` has every method at 8, 4, 3 and 2 bits, with standard errors and a second measure, and says
# for each order that a paper reports whether it holds here. `make perplexities` measures it again.
# %% [markdown] items="1.2.C7 1.2.C12"
# ### Why AWQ is no better here
#
# AWQ protects weights whose inputs are large. In a small model no input is much larger than the others, so the search has
# little to find. The twin has such inputs. The same 3 bits there:
# %%
twin_alphas: dict[str, float] = {}
on_twin = {
    "float": perplexity(outlying),
    "rtn-3": perplexity(
        with_weights(outlying, lambda n, w: round_to_nearest(w, 3, GROUP_SIZE, symmetric=False))
    ),
    "awq-3": perplexity(by_awq(outlying, twin_alphas)),
}
for name, value in on_twin.items():
    print(f"twin, {name}: {value:.2f}")
print(
    f"mean alpha: plain {np.mean(list(alphas.values())):.2f}, twin {np.mean(list(twin_alphas.values())):.2f}"
)


# %% [markdown]
# **What you should see.** Rounding now does real harm: the twin's outlier channels have small weights, which round
# away while their inputs are large. AWQ undoes it and its alphas grow. Its papers measure models of billions of
# parameters, which have such channels by themselves.
# %% [markdown]
# ### Turn the knob
#
# One layer: the output error against bits, for rounding, AWQ and GPTQ.
# %% role="given" id="knob"
def draw(layer="model.layers.0.self_attn.q_proj"):
    weight = model.get_submodule(layer).weight.cpu().numpy()
    hessian, mean_abs = hessian_of(calibration_inputs(model, tokens, layer))
    widths = (2, 3, 4)
    errors: dict[str, list[float]] = {"RTN": [], "AWQ": [], "GPTQ": []}
    for bits in widths:
        plain = round_to_nearest(torch.from_numpy(weight), bits, GROUP_SIZE, False).numpy()
        made = {
            "RTN": plain,
            "AWQ": awq_weight(weight, mean_abs, hessian, bits, GROUP_SIZE)[0],
            "GPTQ": gptq_weight(weight, hessian, bits, GROUP_SIZE),
        }
        energy = float(((weight @ hessian) * weight).sum())
        for name, restored in made.items():
            e = weight - restored
            errors[name].append(float(((e @ hessian) * e).sum()) / energy)
    fig, axes = figure(height_inch=3)
    ax = axes[0, 0]
    for (name, values), colour, marker in zip(errors.items(), COLOURS, "o^s", strict=False):
        ax.plot(widths, values, color=colour, marker=marker, label=name)
    ax.set(xlabel="bits", ylabel="output error / output energy", yscale="log", xticks=widths)
    ax.legend()
    ax.set_title(layer, loc="left", fontsize=10)
    return fig, (
        f"Relative output error of {layer} against 2, 3 and 4 bits on a logarithmic axis. Each bit divides all three "
        "by several times; GPTQ lies below RTN and AWQ at every width."
    )


explore(
    draw,
    layer=[
        f"model.layers.{b}.{part}"
        for b in (0, 3)
        for part in ("self_attn.q_proj", "mlp.up_proj", "mlp.down_proj")
    ],
)
# %% [markdown]
# **What you should see.** The three lines are nearly parallel: the method shifts the error by a factor, a bit by a larger
# one. For `down_proj` GPTQ's advantage differs: its inputs are correlated in another way.
# %% [markdown]
# ## 7. Explain
#
# In 150 to 250 words: which rows of **your** table follow the order that the papers report, which contradict it, and why?
# Use at least two figures that explain (an alpha, an output error, the twin, the bits), and say which column you would
# ask for besides these five before choosing a method.
# %% [markdown] role="written" id="comparison-explained" items="1.2.C12" points=4
# **Model answer.** (Figures stand for the learner's own.) As in Frantar et al. 2023, GPTQ is far better than rounding at 3
# bits: it takes back about half of the added perplexity, at equal bits. As in Xiao et al. 2023, SmoothQuant brings
# W8A8 from useless to nearly float, because the twin has outliers in its activations. Dettmers et al. 2023 report NF4
# better than INT4; here the two 4-bit rows cannot be told apart (0.02 of perplexity, with either ahead, is within the
# noise): RTN has a zero-point, fits lopsided groups and stores more bits, and both are near float.
#
# AWQ contradicts its paper: level with rounding or slightly worse. The chosen alphas are small, so the search finds little
# to protect; least output error of each layer alone does not promise perplexity. On the twin, where a few inputs are large,
# the order returns: rounding loses much, AWQ hardly anything. Lin et al. 2024 also report AWQ level with or above
# GPTQ, on models of billions of parameters, whose channels are uneven.
#
# GPTQ reads its calibration set most closely, so I would ask for the perplexity on another text, and for latency:
# none of these rows says how fast a kernel is.
#
# **Rubric (4 points).** 1: names rows that follow the papers, with own figures. 1: names a row that does not (AWQ on the plain
# model), with own figures. 1: a cause tied to a measurement (alphas, twin, output error), not to "small model" alone. 1:
# limits: equal bits or calibration cost considered, and one missing column argued for.
# %% [markdown]
# ## Recap
#
# - Compare at equal bits, with every scale counted: "4 bits" is 4.13 to 4.5.
# - GPTQ uses how inputs move together; AWQ which inputs are large; SmoothQuant moves large inputs out of INT8's way; NF4 fits
#   levels to normal weights and needs no data.
# - A method that repairs what a model does not suffer from does nothing. Measure on your model.
# - The output error of layers explains a table; perplexity decides it.
#
# **Three questions**
#
# 1. Your GPTQ row used training text for calibration. What would using the held-out text change, and may you?
#    <details><summary>Answer</summary>The perplexity would look better than it is: the Hessians know the test. It is a leak,
#    as with any parameter fitted to test data.</details>
# 2. Why do NF4's and RTN's rows have 0 calibration tokens, and what does that buy?
#    <details><summary>Answer</summary>They read only weights: they can quantize while loading, in seconds, and cannot
#    overfit to a calibration set. That is why QLoRA can load any model.</details>
# 3. AWQ and SmoothQuant both scale input channels. What is opposite?
#    <details><summary>Answer</summary>Nothing in direction: both multiply weight columns of large inputs. The purpose differs:
#    AWQ for a finer grid for those weights (activations stay float), SmoothQuant for an even range of activations that
#    get 8 bits, at the weights' expense.</details>
#
# **Read**
#
# - Frantar et al. 2023, *GPTQ*, section 4 (experiments): find 3 bits for the smallest OPT models and compare the share taken
#   back with yours.
# - Lin et al. 2024, *AWQ*, section 3: the 1 % of salient weights, chosen by activation; your twin is that
#   picture.
# - Xiao et al. 2023, *SmoothQuant*, section 4: equation 4 is `factors`.
# - Dettmers et al. 2023, *QLoRA*, section 3: NF4 and double quantization.
#
# **Next:** the project puts two of these to work: fine-tune on top of NF4, and ship a GPTQ checkpoint.
