# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Put QLoRA against GPTQ
#
# **You end with:** one language model in two 4-bit forms. One is loaded with bitsandbytes and fine-tuned through
# adapters; the other is solved layer by layer with your GPTQ and held against two libraries. The check rebuilds
# both from the arrays that you hand in, and measures them itself.
#
# About 150 minutes. 46 points: 41 graded by machine, 5 by a person. Runs on a laptop, no GPU, no network.
# You need lessons 2 (GPTQ), 4 (NF4 and QLoRA) and 6 (the comparison).
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from transformers.utils.logging import disable_progress_bar

from autograder import check
from lab.divergence import mean_divergence
from lab.errors import CourseError
from lab.fake_quant import decoder_linears, round_to_nearest, with_weights
from lab.four_bit import same_arithmetic_on_every_cpu
from lab.gptq_checkpoint import LIBRARIES, load_checkpoint
from lab.instructions import encode_examples, instruction_set, score_responses
from lab.layerwise import quantize_layerwise
from lab.lm import calibration_batch, load_lm, load_tokenizer, load_tokens, model_folder
from lab.optional import require
from lab.perplexity import perplexity
from lab.plots import COLOURS, LINES, bars, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile

# peft asks transformers by a name that it has given up.
warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
profile = use_profile(PROFILE)
profile
# %% role="given" id="setup-model"
require("bitsandbytes", "loading a model in 4 bits")
require("peft", "adapters")
same_arithmetic_on_every_cpu()
disable_progress_bar()  # of loading weights, on stderr
# float32 on every device: the check measures so, and bfloat16 would blur what 4 bits do.
model = load_lm(profile=profile).float()
tokenizer = load_tokenizer()
train_examples, heldout_examples = instruction_set()
shapes = {name: tuple(layer.weight.shape) for name, layer in decoder_linears(model).items()}
GROUP_SIZE = 128
# Filled below, and handed in at the end.
results: dict = {}
# %% [markdown]
# ## A model that cannot be told apart
#
# Round every weight of the decoder to 4 bits, the crudest way, and measure the held-out perplexity. Then ask a
# sharper question: how far are its predictions from the float model's, token by token?
# %% role="given" id="crude"
crude = with_weights(model, lambda n, w: round_to_nearest(w, 4, GROUP_SIZE, symmetric=False))
float_perplexity, crude_perplexity = perplexity(model), perplexity(crude)
crude_divergence = mean_divergence(crude, model)
print(f"perplexity: float {float_perplexity:.3f}, rounded to 4 bits {crude_perplexity:.3f}")
print(f"KL(float || rounded): {crude_divergence:.2e} nats a token")
# %% [markdown] items="1.2.P4 1.2.P7"
# **What happened.** Weights take a quarter of float16's space and the perplexity hardly moves. Perplexity compares
# each model with the *text*, whose own noise is larger than what 4 bits do. KL compares the two models' predictions
# and sees it. So this project reports both: perplexity for "is it usable", KL for "which method is nearer". And it
# asks what each method is *for*.


# %% [markdown] items="1.2.P1"
# ## 1. Load in 4 bits
#
# bitsandbytes replaces each linear layer by `Linear4bit`: packed NF4 codes, one absmax for 64 weights,
# the absmaxes quantized once more. `compute_dtype` is the type in which a block is restored and multiplied. On a CPU
# float32 is the fast choice; bfloat16 is emulated there.
# %% role="exercise" id="load-four-bit" items="1.2.P1" minutes=10
def load_four_bit(
    folder: str | Path, compute_dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> torch.nn.Module:
    """Load a saved causal language model with its linear layers in NF4.

    Levels "nf4", double quantization, products in compute_dtype. Everything that is not quantized
    (embedding, norms, output layer) is loaded in compute_dtype too. lm_head stays unquantized.

    Args:
        folder: as `save_pretrained` wrote it.
        compute_dtype: torch.float32 or torch.bfloat16.
        device: where the model goes, for `device_map`.

    Returns:
        The model, in evaluation mode.

    Raises:
        ValueError: the folder holds no config.json.

    >>> layer = load_four_bit(model_folder("lm")).model.layers[0].self_attn.q_proj
    >>> type(layer).__name__, layer.weight.dtype, tuple(layer.weight.shape)
    ('Linear4bit', torch.uint8, (32768, 1))
    """
    ### BEGIN SOLUTION
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    if not Path(folder, "config.json").is_file():
        raise ValueError(f"{folder} holds no config.json: give the folder of a saved model.")
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
    )
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=config, dtype=compute_dtype, device_map={"": device}
    )
    return loaded.eval()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>BitsAndBytesConfig(load_in_4bit=True, ...)</code> has one argument for the levels
# (its default is FP4), one for double quantization, one for the compute type.</details>
# <details><summary>Hint 2</summary><code>AutoModelForCausalLM.from_pretrained(folder, quantization_config=...,
# dtype=compute_dtype, device_map={"": device})</code>.</details>
# <details><summary>Hint 3</summary>Check the folder first; then <code>.eval()</code> at the end.</details>
# %% role="check" id="load-four-bit" points=4
check("load-four-bit", load_four_bit)


# %% [markdown] items="1.2.P4"
# ## 2. What it really holds
#
# `get_memory_footprint()` counts parameters and buffers. The scales are neither: they live in each weight's
# `quant_state`: `absmax` (one byte each after double quantization), and, where `nested` is true, `state2.absmax` and
# `offset` (float32). Count them all, or "4 bits" will be your answer and not the truth.
# %% role="exercise" id="stored-bytes" items="1.2.P4" minutes=10
def stored_bytes(model: torch.nn.Module) -> dict[str, int]:
    """Bytes of a model with 4-bit layers, by what they are.

    A weight is 4-bit if it has a `quant_state`. Constant tables that all layers share (the sixteen
    levels, the 256 of the nested code) and buffers are not counted. A parameter that two layers
    share is counted once.

    Args:
        model: any module; not changed.

    Returns:
        "codes": bytes of the packed weights; "scales": absmax, and of nested ones also
        state2.absmax and offset; "float": all other parameters, each in its own dtype;
        "total": the sum.

    >>> stored_bytes(torch.nn.Linear(8, 4))
    {'codes': 0, 'scales': 0, 'float': 144, 'total': 144}
    """
    ### BEGIN SOLUTION
    size = {"codes": 0, "scales": 0, "float": 0}
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        if state is None:
            size["float"] += parameter.nbytes
            continue
        size["codes"] += parameter.nbytes
        size["scales"] += state.absmax.nbytes
        if state.nested:
            size["scales"] += state.state2.absmax.nbytes + state.offset.nbytes
    return {**size, "total": sum(size.values())}
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>model.parameters()</code> already lists a shared parameter once.</details>
# <details><summary>Hint 2</summary><code>getattr(parameter, "quant_state", None)</code> tells 4-bit weights from
# others.</details>
# <details><summary>Hint 3</summary>Every tensor has <code>.nbytes</code>, <code>state.offset</code> too.</details>
# %% role="check" id="stored-bytes" points=4
check("stored-bytes", stored_bytes)
# %%
base = load_four_bit(model_folder("lm"), torch.float32, profile.device)
base_bytes = stored_bytes(base)
weights = sum(rows * columns for rows, columns in shapes.values())
for name, count in base_bytes.items():
    print(f"{name:7s} {count:12,} bytes")
print(
    f"4-bit layers: {8 * (base_bytes['codes'] + base_bytes['scales']) / weights:.3f} bits a weight"
)
nf4_perplexity, nf4_divergence = perplexity(base), mean_divergence(base, model)
print(f"NF4: perplexity {nf4_perplexity:.3f}, KL {nf4_divergence:.2e}")
results["nf4_bytes"] = base_bytes["codes"] + base_bytes["scales"]
# %% [markdown]
# **What you should see.** 4.13 bits a weight. In this small model the float32 embedding outweighs all 4-bit layers; in a
# LLaMA-7B embedding and output layer are 4 % of the parameters. The KL is about a tenth below that of 4-bit rounding in
# groups of 128, which stores a little more.


# %% [markdown] items="1.2.P2"
# ## 3. Adapters beside the frozen base
#
# The codes cannot be trained: a step of 0.001 does not move a 4-bit code. LoRA (Hu et al. 2022) adds to each layer
#
# $$ W = W_0 + \tfrac{\alpha}{r} B A, \qquad A: (r, in),\; B: (out, r). $$
#
# $B$ starts at 0, so nothing changes at first. QLoRA (Dettmers et al. 2023) puts adapters on *every* linear layer, which
# it found to matter more than the rank.
# %% role="exercise" id="attach-adapters" items="1.2.P2" minutes=8
def attach_adapters(
    model: torch.nn.Module, rank: int = 16, alpha: int = 32, seed: int = 0
) -> torch.nn.Module:
    """LoRA by PEFT on every linear layer of the decoder's blocks; all else frozen.

    q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj (in other architectures: all
    linear layers but the output layer). No dropout, PEFT's own initial values and scaling
    alpha / rank.

    Args:
        model: a causal language model, float or 4-bit; its weights stay as they are.
        rank, alpha: of the adapters.
        seed: the same seed gives the same A, another seed others.

    Returns:
        The PEFT model, whose output equals the model's.

    >>> tuned = attach_adapters(load_lm("draft"), rank=4, alpha=8)
    >>> sorted({name.split(".")[-4] for name, p in tuned.named_parameters() if p.requires_grad})[:3]
    ['down_proj', 'gate_proj', 'k_proj']
    """
    ### BEGIN SOLUTION
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>from peft import LoraConfig, get_peft_model</code>.</details>
# <details><summary>Hint 2</summary><code>target_modules</code> takes a list of names, or <code>"all-linear"</code> together
# with <code>task_type="CAUSAL_LM"</code>, which leaves the output layer out.</details>
# <details><summary>Hint 3</summary>A is drawn when the adapters are made: seed torch right before.</details>
# %% role="check" id="attach-adapters" points=4
check("attach-adapters", attach_adapters)


# %% [markdown] items="1.2.P2"
# What weight does a layer use then? For a 4-bit base $W_0$ is what the codes restore to.
# %% role="exercise" id="effective-weight" items="1.2.P2" minutes=8
def effective_weight(layer: torch.nn.Module) -> np.ndarray | torch.Tensor:
    """The weight that a PEFT LoRA layer (adapter "default") applies: W0 + alpha / r * B A.

    `layer.base_layer` is the layer underneath, a Linear or bitsandbytes' Linear4bit (restore it
    with bitsandbytes.functional.dequantize_4bit). The layer is not changed.

    Returns:
        (out, in) float32.

    >>> tuned = attach_adapters(load_lm("draft"), rank=4, alpha=8)
    >>> layer = tuned.base_model.model.model.layers[0].mlp.up_proj
    >>> bool((torch.as_tensor(effective_weight(layer)) == layer.base_layer.weight).all())  # B is 0
    True
    """
    ### BEGIN SOLUTION
    from bitsandbytes import functional

    weight = layer.base_layer.weight
    state = getattr(weight, "quant_state", None)
    base = weight.detach() if state is None else functional.dequantize_4bit(weight.data, state)
    a, b = layer.lora_A["default"].weight.detach(), layer.lora_B["default"].weight.detach()
    return (base.float() + layer.scaling["default"] * (b.float() @ a.float())).cpu().numpy()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>layer.lora_A["default"].weight</code>, <code>layer.lora_B["default"].weight</code>,
# <code>layer.scaling["default"]</code>.</details>
# <details><summary>Hint 2</summary><code>functional.dequantize_4bit(weight.data, weight.quant_state)</code> restores both
# levels.</details>
# %% role="check" id="effective-weight" points=3
check("effective-weight", effective_weight)


# %% [markdown] items="1.2.P3"
# ## 4. Fine-tune
#
# The base's 4-bit products stay in the graph, so gradients flow *through* $W_0$ to earlier adapters, never *into* it. Only
# A and B have optimizer states: that, and the 4-bit base, is QLoRA's saving.
#
# The loss counts the response's tokens alone; the labels of the prompt are -100.
# %% role="exercise" id="fine-tune-adapters" items="1.2.P3" minutes=15
def fine_tune(
    model: torch.nn.Module, batches: list[dict[str, torch.Tensor]], learning_rate: float = 3e-3
) -> list[float]:
    """One step of AdamW on each batch, on the trainable parameters alone.

    Step k of n (from 0) has the rate learning_rate * (1 - k / n). No weight decay, betas (0.9,
    0.999), eps 1e-8. The gradient of all trainable parameters together is clipped to norm 1
    (torch.nn.utils.clip_grad_norm_).

    Args:
        model: takes `model(**batch)`, which has `.loss`. It is changed; in training mode while it
            learns, in evaluation mode afterwards.
        batches: input_ids, attention_mask and labels, each (B, T) int64. In this order.
        learning_rate: of the first step.

    Returns:
        Each batch's loss before its step, floats.

    Raises:
        ValueError: no batches, or no trainable parameter.

    >>> batch = encode_examples(tokenizer, train_examples[:2])
    >>> losses = fine_tune(attach_adapters(load_lm("draft")), [batch] * 3)
    >>> len(losses), losses[2] < losses[0]
    (3, True)
    """
    ### BEGIN SOLUTION
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not batches or not parameters:
        raise ValueError(f"{len(batches)} batches, {len(parameters)} trainable parameters.")
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=0.0)
    model.train()
    losses = []
    for step, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / len(batches))
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Give the optimizer only parameters with <code>requires_grad</code>.</details>
# <details><summary>Hint 2</summary>The rate is set before the step: <code>group["lr"] = ...</code> for each of
# <code>optimizer.param_groups</code>.</details>
# <details><summary>Hint 3</summary>Order: loss, zero_grad, backward, clip, step, note the loss.</details>
# %% role="check" id="fine-tune-adapters" points=6
check("fine-tune-adapters", fine_tune)
# %% [markdown]
# Before you train: the held-out responses cost the base model about 6 nats a token. What will they cost after 60 steps of
# 16 examples?
# %% role="predict" id="predict-loss"
my_guess_nats = ...
# %% role="given" id="train"
STEPS, BATCH, RANK, ALPHA = 60, 16, 16, 32
rng = np.random.default_rng(0)
batches = [
    {
        key: value.to(profile.device)
        for key, value in encode_examples(
            tokenizer, [train_examples[i] for i in rng.choice(len(train_examples), BATCH, False)]
        ).items()
    }
    for _ in range(STEPS)
]
before_loss, before_exact = score_responses(base, tokenizer, heldout_examples)
codes_before = {
    n: p.detach().cpu().clone() for n, p in base.named_parameters() if hasattr(p, "quant_state")
}
tuned = attach_adapters(base, RANK, ALPHA)
began = time.perf_counter()
losses = fine_tune(tuned, batches)
train_seconds = time.perf_counter() - began
after_loss, after_exact = score_responses(tuned, tokenizer, heldout_examples)
print(f"{STEPS} steps of {BATCH} examples: {train_seconds:.1f} s")
print(
    f"held-out responses: {before_loss:.2f} to {after_loss:.2f} nats a token, exact {before_exact:.0%} to {after_exact:.0%}"
)
changed = sum(
    not torch.equal(
        p.detach().cpu(),
        codes_before[n.removeprefix("base_model.model.").replace(".base_layer", "")],
    )
    for n, p in tuned.named_parameters()
    if hasattr(p, "quant_state")
)
print(f"packed weights that changed: {changed} of {len(codes_before)}")
reveal(my_guess_nats, after_loss, "nats")
# %%
fig, axes = figure(height_inch=2.8)
axes[0, 0].plot(losses, color=COLOURS[0])
axes[0, 0].axhline(before_loss, color=COLOURS[1], linestyle=LINES[1], label="held out, before")
axes[0, 0].axhline(after_loss, color=COLOURS[2], linestyle=LINES[2], label="held out, after")
axes[0, 0].set(xlabel="step", ylabel="loss, nats a token")
axes[0, 0].legend()
show(
    fig,
    alt="Training loss against step: it falls from about 6 nats steeply in the first steps and then slowly to about 2. "
    "Dashed lines mark the held-out loss before and after; the second lies near the end of the curve.",
)
# %% [markdown]
# **What you should see.** From 6.2 to between 1.9 and 2.3 nats, with some responses exactly right, and not one packed byte
# changed. It learned the form of an answer first; which rule applies comes later (150 steps reach 1.3).
# %% [markdown] items="1.2.P4"
# What did it cost elsewhere? The text's perplexity, with the adapters in place, and the bytes of what you would ship:
# %%
linear_names = list(shapes)
adapters = {}
for name in linear_names:
    layer = tuned.get_submodule("base_model.model." + name)
    adapters[name] = {
        "A": layer.lora_A["default"].weight.detach().float().cpu().numpy(),
        "B": layer.lora_B["default"].weight.detach().float().cpu().numpy(),
    }
results |= {
    "adapters": adapters,
    "scaling": ALPHA / RANK,
}
trainable = sum(p.numel() for p in tuned.parameters() if p.requires_grad)
merged = with_weights(
    model,
    lambda n, w: torch.as_tensor(effective_weight(tuned.get_submodule("base_model.model." + n))).to(
        w
    ),
)
# Measured on the merged float32 weights: what the check will rebuild.
results |= {
    "qlora_perplexity": perplexity(merged),
    "qlora_response_loss": score_responses(merged, tokenizer, heldout_examples)[0],
}
with tempfile.TemporaryDirectory() as folder:
    tuned.save_pretrained(folder)
    adapter_file_bytes = sum(p.stat().st_size for p in Path(folder).rglob("*.safetensors"))
print(
    f"text: perplexity {nf4_perplexity:.2f} before, {perplexity(tuned):.2f} after, "
    f"{results['qlora_perplexity']:.2f} merged in float32"
)
print(
    f"base in NF4 {results['nf4_bytes']:,} bytes; adapters {trainable:,} parameters, file {adapter_file_bytes:,} bytes"
)
# While it trains: what the optimizer and the gradients need, for the adapters and for a whole model.
all_parameters = sum(p.numel() for p in model.parameters())
qlora_train_bytes = base_bytes["total"] + trainable * 4 * 4
full_train_bytes = all_parameters * 4 * 4
print(
    f"to train: QLoRA {qlora_train_bytes:,} bytes, all weights in float32 {full_train_bytes:,} bytes"
)
# %% [markdown]
# **What you should see.** The text gets worse: the model was pulled towards instructions, and nothing held it to the text
# (forgetting). The merged float32 model agrees with the adapters beside their base to all digits. On a model this
# small adapters of rank 16 weigh as much as the 4-bit base; on LLaMA-7B rank 16 on all layers is about 0.6 % of the
# parameters.


# %% [markdown] items="1.2.P5"
# ## 5. Your GPTQ, down to the integers
#
# To ship a model you need codes, not restored floats. The same algorithm as in lesson 6; this time it returns what a file
# stores. You may bring your function from there.
# %% role="exercise" id="gptq-codes" items="1.2.P5" minutes=15
def gptq_codes(
    weight: np.ndarray,
    hessian: np.ndarray,
    bits: int = 4,
    group_size: int = 128,
    percdamp: float = 0.01,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """GPTQ's codes and grids. Columns from left to right, each group's grid when its turn comes.

    Dead inputs (diagonal 0): diagonal 1, column of the weight 0. Then percdamp times the mean of
    the diagonal is added to it. A grid: low = min(smallest, 0), high = max(largest, 0), scale =
    (high - low) / (2**bits - 1), 1 if that is 0; zero = round(-low / scale); code = round(w /
    scale) + zero, clipped to 0..2**bits - 1; ties to even. The error of column j, (w_j - restored)
    / U_jj, times U_jk is taken off each later column k, with inv(H) = U^T U, U upper triangular.

    Args:
        weight: (out, in) floats, not changed.
        hessian: (in, in) float64, 2/n X^T X, not changed.
        bits: 1 to 8.
        group_size: divides `in`.
        percdamp: share of the diagonal's mean.

    Returns:
        codes: (out, in) uint8.
        scales: (out, in / group_size) float32.
        zeros: (out, in / group_size) uint8.
        Compute in float64.

    Raises:
        ValueError: shapes that do not fit, a group size that does not divide the inputs, bits outside
            1..8, a Hessian with NaN or infinity, or one of zeros only (an empty calibration set).

    >>> codes, scales, zeros = gptq_codes(np.array([[0.9, 0.45]]), np.eye(2), bits=1, group_size=2)
    >>> codes.tolist(), round(float(scales[0, 0]), 3), zeros.tolist()
    ([[1, 0]], 0.9, [[0]])
    """
    ### BEGIN SOLUTION
    columns = weight.shape[1]
    if hessian.shape != (columns, columns) or columns % group_size or not 1 <= bits <= 8:
        raise ValueError(f"weight {weight.shape}, Hessian {hessian.shape}, groups of {group_size}.")
    if not np.isfinite(hessian).all() or not hessian.any():
        raise ValueError("The Hessian is not finite, or zero: was the calibration set empty?")
    w, h = weight.astype(np.float64), hessian.astype(np.float64)
    dead = h.diagonal() == 0
    h[dead, dead] = 1
    w[:, dead] = 0
    h += percdamp * h.diagonal().mean() * np.eye(columns)
    u = np.linalg.cholesky(np.linalg.inv(h)).T
    codes = np.zeros(w.shape, np.uint8)
    scales, zeros = [], []
    for j in range(columns):
        if j % group_size == 0:
            group = w[:, j : j + group_size]
            low, high = np.minimum(group.min(1), 0), np.maximum(group.max(1), 0)
            scale = (high - low) / (2**bits - 1)
            scale[scale == 0] = 1
            zero = np.rint(-low / scale)
            scales.append(scale)
            zeros.append(zero)
        code = np.clip(np.rint(w[:, j] / scale) + zero, 0, 2**bits - 1)
        codes[:, j] = code
        error = (w[:, j] - (code - zero) * scale) / u[j, j]
        w[:, j + 1 :] -= np.outer(error, u[j, j + 1 :])
    return codes, np.stack(scales, 1).astype(np.float32), np.stack(zeros, 1).astype(np.uint8)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Your function of lesson 6 has it all; keep code, scale and zero instead of
# restoring.</details>
# <details><summary>Hint 2</summary>Collect a column of scales and of zeros for each group, then
# <code>np.stack(scales, 1)</code>.</details>
# %% role="check" id="gptq-codes" points=6
check("gptq-codes", gptq_codes)
# %% [markdown] items="1.2.P5"
# Now the whole model. `quantize_layerwise` walks through the blocks: it collects a block's inputs from the blocks already
# quantized, calls your function on each layer, then computes the block's outputs anew. So a later layer sees, and
# repairs, what the earlier ones broke.
# %% role="given" id="own-gptq"
own_layers: dict[str, dict[str, np.ndarray]] = {}


def restore(parts: dict[str, np.ndarray]) -> np.ndarray:
    """codes, scales, zeros back to (out, in) float32."""
    scale, zero = (
        np.repeat(parts[k].astype(np.float32), GROUP_SIZE, axis=1) for k in ("scales", "zeros")
    )
    return scale * (parts["codes"] - zero)


def by_gptq(name: str, weight: np.ndarray, inputs: list[np.ndarray]) -> np.ndarray:
    x = np.concatenate(inputs).astype(np.float64)
    codes, scales, zeros = gptq_codes(weight, 2 * x.T @ x / len(x))
    own_layers[name] = {"codes": codes, "scales": scales, "zeros": zeros}
    return restore(own_layers[name])


began = time.perf_counter()
own = quantize_layerwise(model, calibration_batch(count=16, length=128, seed=0), by_gptq)
own_seconds = time.perf_counter() - began
own_divergence = mean_divergence(own, model)
results |= {"gptq": own_layers, "gptq_perplexity": perplexity(own)}
print(
    f"your GPTQ: {own_seconds:.1f} s, perplexity {results['gptq_perplexity']:.3f}, KL {own_divergence:.2e}"
)
print(
    f"rounding:  KL {crude_divergence:.2e}, {crude_divergence / own_divergence:.1f} times as far from float"
)
# %% [markdown]
# **What you should see.** About half the KL of rounding, at the same bits. The perplexities of the two differ by less than their
# standard error on 8,192 tokens, and may stand in either order.


# %% [markdown] items="1.2.P6"
# ## 6. The libraries
#
# AutoGPTQ made GPTQ popular and is archived; GPTQModel carries on. Both write the same file format. They bring other
# versions of half of the ecosystem (AutoGPTQ needs transformers 4), so each lives in an environment of its own:
# `make gptqmodel` and `make autogptq` build it and quantize the shipped model. What they wrote ships with the course; the
# commands make it again.
# %% [markdown] items="1.2.P6"
# In the file, for 4 bits: eight codes in an int32, lowest bits first, along the inputs; zero-points eight in an int32
# along the outputs, **each one too small**; `g_idx` names each input's group.
# %% role="exercise" id="unpack-gptq" items="1.2.P6" minutes=15
def unpack_gptq(
    qweight: np.ndarray, qzeros: np.ndarray, scales: np.ndarray, g_idx: np.ndarray, bits: int = 4
) -> np.ndarray:
    """A layer of a GPTQ checkpoint (format "gptq") back to its weight.

    Word n of a column of qweight holds the codes of inputs n * 32 / bits and following, the first in
    the lowest bits. A row of qzeros packs the zero-points of the outputs in the same way, each stored
    minus one (here they are 1 to 2**bits - 1, so no borrow runs on). Input j of output i is
    scales[g, i] * (code - zero) with g = g_idx[j]. Words may be negative: they are unsigned in fact.

    Args:
        qweight: (in * bits / 32, out) int32.
        qzeros: (groups, out * bits / 32) int32.
        scales: (groups, out) float16.
        g_idx: (in,) int32.
        bits: 2, 4 or 8.

    Returns:
        (out, in) float32.

    Raises:
        ValueError: other bits, or a g_idx whose length does not fit qweight.

    >>> words = np.array([[0x03020100, 5, 0, -1]], np.int32)  # four outputs, four codes of 8 bits
    >>> unpack_gptq(words, np.zeros((1, 1), np.int32), np.ones((1, 4), np.float16), np.zeros(4, int), 8)
    array([[ -1.,   0.,   1.,   2.],
           [  4.,  -1.,  -1.,  -1.],
           [ -1.,  -1.,  -1.,  -1.],
           [254., 254., 254., 254.]], dtype=float32)
    """
    ### BEGIN SOLUTION
    if bits not in (2, 4, 8) or len(qweight) * 32 != len(g_idx) * bits:
        raise ValueError(f"{bits} bits and {len(g_idx)} inputs do not fit {qweight.shape} words.")
    shifts = np.arange(0, 32, bits, dtype=np.uint32)
    mask = np.uint32(2**bits - 1)
    words, zero_words = qweight.view(np.uint32), qzeros.view(np.uint32)
    codes = (words[:, None, :] >> shifts[None, :, None]) & mask
    codes = codes.reshape(len(g_idx), -1).astype(np.float32)
    zeros = ((zero_words[:, :, None] >> shifts) & mask).reshape(len(scales), -1) + 1.0
    weight = scales.astype(np.float32)[g_idx] * (codes - zeros[g_idx])
    return np.ascontiguousarray(weight.T, dtype=np.float32)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary><code>qweight.view(np.uint32)</code> reads the same bits without a sign.</details>
# <details><summary>Hint 2</summary><code>(words[:, None, :] >> shifts[None, :, None]) & mask</code> is (words, 32 / bits, out);
# reshaped it is (in, out).</details>
# <details><summary>Hint 3</summary>For qzeros the new axis stands last: (groups, words, 32 / bits), reshaped to
# (groups, out).</details>
# %% role="check" id="unpack-gptq" points=6
check("unpack-gptq", unpack_gptq)
# %% role="given" id="libraries" items="1.2.P6"
library_rows = {}
for library in LIBRARIES:
    try:
        packed, facts = load_checkpoint(library)
    except CourseError as missing:
        print(f"{library}: left out. {missing}")
        continue
    unpacked = with_weights(
        model, lambda n, w, packed=packed: torch.from_numpy(unpack_gptq(**packed[n])).to(w)
    )
    library_rows[library] = {
        "perplexity": perplexity(unpacked),
        "divergence": mean_divergence(unpacked, model),
        "bytes": sum(part.nbytes for parts in packed.values() for part in parts.values()),
        "seconds": facts["seconds"],
    }
    row = library_rows[library]
    print(
        f"{library} {facts['version']}: perplexity {row['perplexity']:.3f}, KL {row['divergence']:.2e}, "
        f"packed layers {row['bytes']:,} bytes, quantized in {row['seconds']} s when it was made"
    )


# %% [markdown]
# **What you should see.** Both a little below your own KL: they used 64 sequences, you 16. g_idx costs 4 bytes an
# input; without act order it says nothing new.
# %% [markdown] items="1.2.P7"
# ## 7. Bytes, in theory and on disk
#
# Pack your codes as the libraries do and write the file.
# %%
def pack_words(values: np.ndarray) -> np.ndarray:
    """4-bit integers (n, m), n a multiple of 8, into int32 (n / 8, m)."""
    out = np.zeros((len(values) // 8, values.shape[1]), np.uint32)
    for k in range(8):
        out |= values[k::8].astype(np.uint32) << np.uint32(4 * k)
    return out.view(np.int32)


tensors = {}
for name, parts in own_layers.items():
    zeros = np.maximum(parts["zeros"], 1) - np.uint8(1)
    tensors |= {
        f"{name}.qweight": pack_words(parts["codes"].T),
        f"{name}.qzeros": np.ascontiguousarray(pack_words(zeros).T),
        f"{name}.scales": np.ascontiguousarray(parts["scales"].T.astype(np.float16)),
        f"{name}.g_idx": (np.arange(parts["codes"].shape[1]) // GROUP_SIZE).astype(np.int32),
    }
groups = sum(rows * columns // GROUP_SIZE for rows, columns in shapes.values())
results["gptq_bytes"] = weights // 2 + 2 * groups + groups // 2
with tempfile.TemporaryDirectory() as folder:
    from safetensors.numpy import save_file

    path = Path(folder, "gptq.safetensors")
    save_file(tensors, path)
    gptq_file_bytes = path.stat().st_size
    tuned.unload().save_pretrained(Path(folder, "nf4"))
    nf4_file_bytes = sum(p.stat().st_size for p in Path(folder, "nf4").glob("*.safetensors"))
shipped_bytes = (model_folder("lm") / "model.safetensors").stat().st_size
print(f"GPTQ layers: {results['gptq_bytes']:,} bytes in theory, file {gptq_file_bytes:,}")
print(
    f"NF4 layers:  {results['nf4_bytes']:,} bytes in theory, file with float embedding {nf4_file_bytes:,}"
)
print(f"float16 model: file {shipped_bytes:,}")


# %% [markdown]
# **What you should see.** The files are larger than the theory: names, shapes and offsets of 112 tensors, g_idx, and for NF4
# the embedding in float32.
# %% [markdown]
# ### Turn the knob
#
# How much of what training learned survives when only part of each adapter is kept?
# %% role="given" id="knob"
def nf4_restored(weight):
    from bitsandbytes import functional

    packed, state = functional.quantize_4bit(
        weight.float().contiguous(), blocksize=64, compress_statistics=True, quant_type="nf4"
    )
    return functional.dequantize_4bit(packed, state).cpu().numpy()


tuned_base = {n: nf4_restored(m.weight.detach()) for n, m in decoder_linears(model).items()}
pieces = {
    n: np.linalg.svd(ALPHA / RANK * pair["B"] @ pair["A"], full_matrices=False)
    for n, pair in adapters.items()
}


def draw(share_percent=100):
    kept_loss = []
    ranks = (1, 4, 16)
    for rank in ranks:

        def cut(name, weight, rank=rank):
            u, sizes, v = pieces[name]
            change = (u[:, :rank] * sizes[:rank]) @ v[:rank]
            return torch.from_numpy(tuned_base[name] + share_percent / 100 * change).to(weight)

        changed = with_weights(model, cut)
        kept_loss.append(score_responses(changed, tokenizer, heldout_examples[:50])[0])
    fig = bars(
        {f"rank {rank}": value for rank, value in zip(ranks, kept_loss, strict=True)},
        unit="nats",
        reference=("before tuning", before_loss),
        title=f"Held-out response loss with {share_percent} % of the adapters",
    )
    return fig, (
        f"Response loss with the adapters cut to rank 1, 4 and 16 and scaled to {share_percent} %: "
        + ", ".join(f"rank {r} {x:.2f}" for r, x in zip(ranks, kept_loss, strict=True))
        + " nats. A dashed line marks the loss before tuning."
    )


explore(draw, share_percent=(50, 150, 50))


# %% [markdown]
# **What you should see.** Rank 4 keeps nearly all that rank 16 learned, rank 1 less. More than 100 % overshoots.
# %% [markdown] items="1.2.P4 1.2.P7"
# ## 8. Hand in both models
#
# Nothing printed counts: the check rebuilds the QLoRA model from the judge's own NF4 base and your adapters, the GPTQ model
# from your integers, and measures perplexity, KL and responses itself.
# %% role="exercise" id="project-models" items="1.2.P4 1.2.P7" minutes=10
def project_models() -> dict:
    """What the cells above have put into `results`.

    Returns:
        "gptq": {layer: {"codes" uint8 (out, in), "scales" float32 (out, in / 128), "zeros" uint8}},
            28 layers at 4 bits. Its KL from the float model must be at most 0.8 of that of 4-bit
            rounding on the same kind of grid.
        "adapters": {layer: {"A" float32 (rank, in), "B" float32 (out, rank)}}, rank 1 to 32; with
            them held-out responses may cost at most 3.8 nats a token.
        "scaling": float, alpha / rank.
        "nf4_bytes", "gptq_bytes": int, of the 28 layers: 4-bit codes, and NF4's two levels of scales;
            GPTQ's scales in float16 and zero-points in 4 bits.
        "gptq_perplexity", "qlora_perplexity", "qlora_response_loss": float, measured by you in
            float32, QLoRA's with the adapters added to the restored NF4 weights; the check's own
            must agree within 0.1 %, 0.5 %, 0.5 %.

    >>> sorted(project_models()) == sorted(results)
    True
    """
    ### BEGIN SOLUTION
    return results
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint 1</summary>Run all cells in order after your functions pass; each adds its part to
# <code>results</code>.</details>
# %% role="check" id="project-models" points=8
check("project-models", project_models)
# %%
print(f"{'':22s} {'bytes':>10s} {'perplexity':>11s} {'KL':>9s} {'responses':>10s}")
rows = [
    ("float16", 2 * weights, float_perplexity, 0.0, before_loss),
    ("rounded, 4 bits", results["gptq_bytes"], crude_perplexity, crude_divergence, None),
    ("NF4", results["nf4_bytes"], nf4_perplexity, nf4_divergence, None),
    (
        "NF4 and adapters",
        results["nf4_bytes"] + 4 * trainable,
        results["qlora_perplexity"],
        None,
        after_loss,
    ),
    ("GPTQ, yours", results["gptq_bytes"], results["gptq_perplexity"], own_divergence, None),
]
rows += [
    (f"GPTQ, {n}", r["bytes"], r["perplexity"], r["divergence"], None)
    for n, r in library_rows.items()
]
for name, size, value, divergence, loss in rows:
    kl = "" if divergence is None else f"{divergence:9.1e}"
    print(f"{name:22s} {size:10,} {value:11.3f} {kl:>9s} {'' if loss is None else f'{loss:10.2f}'}")


# %% [markdown] items="1.2.P1 1.2.P4"
# ### The same on a 7B model
#
# With `PROFILE = "gpu"` the same functions take LLaMA-7B from the hub, where it can be reached; else four layers of its
# shape with random weights, for bytes, memory and time alone. It says which.
# %%
def on_a_big_model(folder: Path, big_tokenizer) -> None:
    """Load, tune and measure with your functions; GPTQ on one layer, whose solver runs on the CPU."""
    big = load_four_bit(folder, profile.dtype, profile.device)
    print({name: f"{count:,}" for name, count in stored_bytes(big).items()})
    ids = np.random.default_rng(0).integers(0, big.config.vocab_size, (4, 64))
    examples = {"input_ids": ids, "attention_mask": np.ones_like(ids), "labels": ids}
    batches = [{k: torch.from_numpy(v) for k, v in examples.items()}] * 20
    if big_tokenizer is not None:
        text = np.array(big_tokenizer(tokenizer.decode(load_tokens("heldout"))).input_ids)
        print(f"NF4: perplexity {perplexity(big, text, windows=32):.3f}")
        batches = [
            encode_examples(big_tokenizer, train_examples[at : at + BATCH])
            for at in range(0, 20 * BATCH, BATCH)
        ]
        held = heldout_examples[:50]
        print(f"responses: {score_responses(big, big_tokenizer, held)[0]:.3f} nats a token before")
    big = attach_adapters(big, RANK, ALPHA)
    began = time.perf_counter()
    fine_tune(big, [{k: v.to(big.device) for k, v in b.items()} for b in batches], 2e-4)
    print(f"{len(batches)} steps: {time.perf_counter() - began:.1f} s")
    if big_tokenizer is not None:
        print(f"responses: {score_responses(big, big_tokenizer, held)[0]:.3f} nats a token after")
        print(f"NF4 and adapters: perplexity {perplexity(big, text, windows=32):.3f}")
    layer = big.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    weight = effective_weight(layer)
    x = np.random.default_rng(0).standard_normal((256, weight.shape[1]))
    x[:, ::16] *= 8
    began = time.perf_counter()
    codes, scales, zeros = gptq_codes(np.asarray(weight), 2 * x.T @ x / len(x))
    print(f"your GPTQ on one layer {weight.shape}: {time.perf_counter() - began:.1f} s on the CPU")


if profile.name == "gpu":
    from lab.big_model import llama_7b

    with tempfile.TemporaryDirectory() as folder:
        big_folder, big_tokenizer, big_note = llama_7b(Path(folder))
        print(big_note)
        torch.cuda.reset_peak_memory_stats()
        on_a_big_model(big_folder, big_tokenizer)
        print(f"peak memory: {torch.cuda.max_memory_allocated():,} bytes")
else:
    print("Set PROFILE to gpu on a CUDA machine for this part.")
# %% [markdown]
# ## 9. Which suits what
#
# In 250 to 350 words, for two colleagues: one must adapt a 7B model to the company's tickets on one 24 GB GPU, one must serve a
# finished 7B model on many small ones.
#
# 1. Memory: what does each method hold while it prepares the model, and afterwards? Use **your** bytes.
# 2. Quality: perplexity, KL, responses. Which differences are real, and how do you know?
# 3. What does each need (data, time, a kernel), and what does it forbid (training, merging)?
# 4. Your choice for each colleague, and one case where you would use both.
# 5. One limit of this experiment.
# %% [markdown] role="written" id="qlora-or-gptq" items="1.2.P8" points=5
# **Model answer.** (Figures stand for the learner's own.) They answer different questions. QLoRA makes *training* fit: the base is
# held at 4.13 bits, and only adapters have gradients and optimizer states. Here training everything in float32 would
# take 16 bytes a parameter, QLoRA a fraction of it; at 7B that is about 4 GB of base and some hundred MB of adapters,
# against more than 100 GB. GPTQ makes *serving* fit: 4.16 bits a weight after one pass that holds a layer's
# Hessian and the calibration activations, not the whole model's gradients.
#
# Quality: at 4 bits rounding, NF4 and GPTQ all add less than 0.005 nats, and their differences lie within two standard
# errors on 8,192 tokens, so perplexity ranks none of them. KL from the float model does: GPTQ has less than half of
# rounding's. Only the adapters change what the model does: responses fell from 6.2 to about 2 nats, while the text's
# perplexity nearly doubled, because it forgot.
#
# NF4 needs no data and loads in seconds; it is restored in blocks at each use. GPTQ needs calibration text from the right
# domain and minutes to hours, and gives a plain integer format with fast kernels. Codes cannot be trained; merging adapters
# into a 4-bit base rounds again and loses part of what was learned.
#
# First colleague: QLoRA; keep the adapters separate or merge into float16. Second: GPTQ with tickets as calibration. Both: tune
# with QLoRA, merge into the float weights, then quantize the result with GPTQ for serving.
#
# Limits: 3.7 million parameters, one text, one seed, no latency measured.
#
# **Rubric (5 points).** 1: memory of both, own bytes, while preparing and after. 1: quality, and that perplexity does not separate
# 4-bit methods here while KL does. 1: needs and prohibitions (data, time, merging). 1: a choice for each with a reason, and the
# combined path. 1: a real limit.
# %% [markdown]
# ## Recap
#
# - bitsandbytes loads any linear layer in NF4 without data; its scales are part of the bytes.
# - LoRA: $W_0 + \frac{\alpha}{r} BA$; B starts at 0, the base never changes, gradients flow through it.
# - GPTQ's result is codes, scales and zero-points; two libraries write the same format, and yours can be read like theirs.
# - At 4 bits compare predictions (KL), not perplexities of a short text.
# - Train with one, serve with the other.
#
# **Three questions**
#
# 1. Why does `get_memory_footprint()` understate a 4-bit model?
#    <details><summary>Answer</summary>It sums parameters and buffers; absmax and its second level belong to the
#    quant_state.</details>
# 2. Responses cost 2.110 nats with the adapters beside the 4-bit base, 2.116 with the same adapters on the *float* weights.
#    Why not less?
#    <details><summary>Answer</summary>They were trained to correct the quantized base too; on the original one this correction
#    is a small error.</details>
# 3. Two 4-bit files of one model have the same size and format. One answers worse on your domain. What may differ?
#    <details><summary>Answer</summary>The calibration text, its length, the damping, act order, group size: all of GPTQ's choices
#    disappear in the format.</details>
#
# **Read**
#
# - Dettmers et al. 2023, *QLoRA*, sections 3 and 4: NF4, double quantization; adapters on all layers.
# - Hu et al. 2022, *LoRA*, section 4.1: the update and its scaling.
# - Frantar et al. 2023, *GPTQ*, section 3: steps 1 to 3 are your function.
#
# **Next:** module 1.3 prunes and distils; LoRA returns there as a way to compress updates.
