# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Estimate before you rent
#
# **You end with:** functions that turn a `config.json` and a GPU's data sheet into parameters, FLOPs, bytes and seconds, and a planner that says how
# many GPUs a load needs, held against a simulated fleet.
#
# About 125 minutes. 43 points: 40 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network; on a CUDA machine the same cells
# measure the GPU. You need module 1.2, lesson 5 (the KV cache).
#
# Units are in the names. **GB is $10^9$ bytes, GiB is $2^{30}$**, 7.4 % more: a GPU of 80 GB has 74.5 GiB. Every function here works in plain bytes.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import math

import gguf
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

from autograder import check
from lab.activations import layers_kept_bytes
from lab.lm import load_lm, load_tokens
from lab.plots import curves, explore, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.serving import Engine, make_load, simulate
from lab.timing import interleave_ms

torch.set_num_threads(1)  # one busy thread is disturbed less than many
profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## The same multiplications, another time
#
# The shipped model reads 256 tokens in one pass. Then it takes the same 256 tokens one by one, with a KV cache, as it does when it writes. Each token
# meets the same weights and the same earlier tokens: **the same FLOPs**. How many times as long does one by one take?
# %% role="predict" id="predict-decode"
my_decode_ratio = ...  # time one by one / time in one pass
# %% role="given" id="opening"
shipped = load_lm("lm", profile)
text_ids = torch.from_numpy(load_tokens("heldout")[:256].astype(np.int64))[None].to(profile.device)


def read_at_once() -> None:
    """All tokens in one pass; logits for the last one alone."""
    with torch.inference_mode():
        shipped(text_ids, logits_to_keep=1)


def take_one_by_one() -> None:
    """One token a pass, with a cache."""
    with torch.inference_mode():
        kept = None
        for at in range(text_ids.shape[1]):
            kept = shipped(text_ids[:, at : at + 1], past_key_values=kept).past_key_values


def show_opening() -> None:
    """Both ways in one run, medians."""
    both = interleave_ms(
        {"at once": read_at_once, "one by one": take_one_by_one}, warmup=1, rounds=3
    )
    for name, ms in both.items():
        print(f"{name:10s} {np.median(ms):8.1f} ms, {256e3 / np.median(ms):9,.0f} tokens/s")
    ratio = np.median(both["one by one"]) / np.median(both["at once"])
    reveal(my_decode_ratio, ratio, "times as long")


show_opening()


# %% [markdown] items="2.1.C6"
# **What you should see.** Tens of times as long on a CPU. FLOPs alone tell no time. One by one, every pass reads all weights for one token, and pays the fixed cost
# of hundreds of small operations again.
#
# An estimate therefore needs three counts: **FLOPs, bytes moved, passes**. This lesson makes them from a config, checks each against a real
# model, and only then plans with them.
# %% [markdown] items="2.1.C6"
# ## Parameters
#
# A decoder has an embedding ($V \times h$), $L$ layers and a head ($h \times V$; *tied*: the embedding's matrix). A layer: $q$ ($h \times a d$), $k$ and $v$ ($h \times a_{kv} d$),
# $o$ ($a d \times h$), an MLP, and two norms.
#
# $h$ hidden size, $a$ query heads, $a_{kv}$ KV heads (GQA: fewer; MQA: 1), $d$ head size, $V$ vocabulary. Llama's MLP is *gated*: three matrices $h \times f$. OPT and GPT-2
# have two, and biases.
# %% [markdown] items="2.1.C6"
# ### Exercise: parameters from a config.json
#
# <details><summary>Hint 1</summary>Write down the shape of each matrix of one layer, then add up. Integers only.</details>
# <details><summary>Hint 2</summary>A key that is absent and a key that is None mean the same: <code>config.get("head_dim") or ...</code></details>
# <details><summary>Hint 3</summary>OPT's table of positions has <code>max_position_embeddings + 2</code> rows.</details>
# %% role="exercise" id="est-parameters" items="2.1.C6" minutes=15
def count_parameters(config: dict) -> dict[str, int]:
    """Parameters of a model, by part, from its config.json. The config is not changed.

    model_type "llama" or "mistral": hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, vocab_size; and, where
    absent or None: num_key_value_heads (then num_attention_heads), head_dim (then hidden_size // num_attention_heads),
    tie_word_embeddings (then False), attention_bias (then False; True: q, k, v and o have a bias), mlp_bias (then False; True: gate,
    up and down have a bias). A norm has hidden_size weights. No learned positions.
    "opt": hidden_size, ffn_dim, num_hidden_layers, vocab_size, max_position_embeddings (the table has 2 rows more). "gpt2": n_embd, n_layer,
    vocab_size, n_positions (rows of the table), n_inner (absent or None: 4 n_embd). Both: q, k, v, o are hidden x hidden; the MLP has two
    matrices; all of these have biases; a LayerNorm has a weight and a bias; tie_word_embeddings, where absent, is True.
    Every layer has two norms, one more follows the last layer. The head has no bias. A bias has one entry for each output.

    Returns:
        "embedding": tokens and learned positions; "layers": all layers; "final_norm"; "lm_head": 0 when tied; "total": their sum.

    Raises:
        ValueError: another model_type, or none.

    >>> tiny = {"model_type": "llama", "hidden_size": 8, "intermediate_size": 20, "num_hidden_layers": 2,
    ...         "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 100}
    >>> count_parameters(tiny)
    {'embedding': 800, 'layers': 1376, 'final_norm': 8, 'lm_head': 800, 'total': 2984}
    """
    ### BEGIN SOLUTION
    kind, vocabulary = config.get("model_type"), config.get("vocab_size")
    if kind in ("llama", "mistral"):
        h, f, heads = (
            config[k] for k in ("hidden_size", "intermediate_size", "num_attention_heads")
        )
        d = config.get("head_dim") or h // heads
        kv = config.get("num_key_value_heads") or heads
        layers, tied, positions, norm = config["num_hidden_layers"], False, 0, h
        layer = 2 * h * heads * d + 2 * h * kv * d + 3 * h * f
        layer += (heads * d + 2 * kv * d + h) if config.get("attention_bias") else 0
        layer += (2 * f + h) if config.get("mlp_bias") else 0
    elif kind in ("opt", "gpt2"):
        names = {
            "opt": ("hidden_size", "num_hidden_layers", "max_position_embeddings"),
            "gpt2": ("n_embd", "n_layer", "n_positions"),
        }
        h, layers, positions = (config[k] for k in names[kind])
        f = config["ffn_dim"] if kind == "opt" else config.get("n_inner") or 4 * h
        positions += 2 if kind == "opt" else 0
        tied, norm = True, 2 * h
        layer = 4 * (h * h + h) + 2 * h * f + f + h
    else:
        raise ValueError(f"model_type {kind!r} is not known: use llama, mistral, opt or gpt2.")
    if config.get("tie_word_embeddings") is not None:
        tied = config["tie_word_embeddings"]
    parts = {
        "embedding": (vocabulary + positions) * h,
        "layers": layers * (layer + 2 * norm),
        "final_norm": norm,
        "lm_head": 0 if tied else vocabulary * h,
    }
    return parts | {"total": sum(parts.values())}
    ### END SOLUTION


# %% role="check" id="est-parameters" points=6
check("est-parameters", count_parameters)
# %% [markdown] items="2.1.C6"
# ## Against real models, without their weights
#
# transformers can build a model on torch's **meta** device: every tensor has a shape and no memory. So 70 billion parameters are counted in
# milliseconds. The configs below are the published ones, typed in; the counts come from the tensors.
# %% role="given" id="published"


def llama_like(hidden, inner, layers, heads, kv_heads, vocabulary, kind="llama") -> dict:
    """A config.json with the keys that this lesson reads."""
    return {"model_type": kind, "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers,
            "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": hidden // heads,
            "vocab_size": vocabulary}  # fmt: skip


PUBLISHED = {
    "Llama-2-7B": llama_like(4096, 11008, 32, 32, 32, 32000),
    "Llama-2-70B": llama_like(8192, 28672, 80, 64, 8, 32000),
    "Llama-3-8B": llama_like(4096, 14336, 32, 32, 8, 128256),
    "Mistral-7B": llama_like(4096, 14336, 32, 32, 8, 32000, "mistral"),
    "OPT-13B": {"model_type": "opt", "hidden_size": 5120, "ffn_dim": 20480, "num_hidden_layers": 40, "num_attention_heads": 40,
                "word_embed_proj_dim": 5120, "vocab_size": 50272, "max_position_embeddings": 2048},
    "GPT-2": {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257, "n_positions": 1024},
}  # fmt: skip
SHIPPED_CONFIG = shipped.config.to_dict()


def on_meta(settings):
    """transformers' model for a config.json, shapes only."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(**settings))


def show_counts() -> None:
    """Counted in tensors, estimated from the config, and 16-bit weights in GB and GiB."""
    rows = {name: (on_meta(c), c) for name, c in PUBLISHED.items()}
    rows["shipped"] = (shipped, SHIPPED_CONFIG)
    for name, (network, settings) in rows.items():
        real = sum(p.numel() for p in network.parameters())
        mine = count_parameters(settings)["total"]
        print(
            f"{name:12s} tensors {real:14,} config {mine:14,}  {2 * real / 1e9:7.2f} GB = {2 * real / 2**30:7.2f} GiB"
        )


show_counts()


# %% [markdown] items="2.1.C6"
# **What you should see.** Both columns equal, to the last parameter. "7B" is 6.74 or 7.24 billion, "13B" 12.85. A 16-bit weight takes 2 bytes, so GB of weights are about twice the billions.
#
# Two models of nearly one size may differ where it matters: Mistral-7B has the KV heads of 8, Llama-2-7B of 32.
# %% [markdown] items="2.1.C6"
# ## 2 N and 6 N
#
# A weight of a matrix is multiplied and added once for each token: **2 FLOPs a weight and token forward**. Backward takes two products of the
# same size (gradients of inputs and of weights): 4. So training takes **6 N FLOPs a token**, $6 N D$ for $D$ tokens.
#
# $N$ counts matrices: an embedding is looked up, not multiplied, while the head is a matrix. The optimizer is not among the 6.
# %% [markdown] items="2.1.C6"
# ## The attention term
#
# A query and a key of size $d$ take $2 d$ FLOPs for the score, $2 d$ for the value. With $a$ heads and $L$ layers a pair costs $4 L a d$. A causal pass of $n$ tokens over
# $p$ cached ones has $n p + n (n + 1) / 2$ pairs.
#
# A token's pairs cost as much as its $2N$ at a context of $N / (2 L a d)$ tokens: Llama-3-8B 28,600.
# %% [markdown] items="2.1.C6"
# ### Exercise: FLOPs of a pass
#
# Config dicts from here on have all the keys of Llama's, `num_key_value_heads` and `head_dim` too. A head that is tied is multiplied all the same.
#
# <details><summary>Hint 1</summary>A product of (m, k) and (k, n) takes 2 m k n FLOPs; m is the number of tokens.</details>
# <details><summary>Hint 2</summary>GQA makes k and v narrower, and leaves the number of pairs of each query head as it is.</details>
# %% role="exercise" id="est-flops" items="2.1.C6" minutes=12
def forward_flops(
    config: dict,
    new_tokens: int,
    past_tokens: int = 0,
    logits_tokens: int = 1,
    causal: bool = True,
) -> int:
    """FLOPs of the matrix products of one forward pass of one sequence through a Llama without biases.

    Counted, 2 FLOPs a multiply-add: q, k, v, o and the three MLP matrices for each new token; the head for logits_tokens tokens;
    in each layer and query head the scores (query times key) and the weighted sum of values.
    Not counted: norms, softmax, rotary embedding, activation functions, the embedding's look-up.

    Args:
        config: hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, vocab_size.
        new_tokens: tokens of this pass, 1 or more.
        past_tokens: tokens in the KV cache already, 0 or more; nothing is recomputed for them.
        logits_tokens: for how many new tokens the head runs, 0 to new_tokens.
        causal: True: the i-th new token (from 1) meets past_tokens + i keys. False: each meets all past_tokens + new_tokens, as
            in a kernel that masks after it has multiplied.

    Raises:
        ValueError: new_tokens, past_tokens or logits_tokens outside these ranges.

    >>> tiny = {"hidden_size": 8, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2,
    ...         "num_key_value_heads": 1, "head_dim": 4, "vocab_size": 100}
    >>> forward_flops(tiny, new_tokens=3), forward_flops(tiny, new_tokens=3, causal=False)
    (10048, 10240)
    """
    ### BEGIN SOLUTION
    if new_tokens < 1 or past_tokens < 0 or not 0 <= logits_tokens <= new_tokens:
        raise ValueError(
            "new_tokens is 1 or more, past_tokens 0 or more, logits_tokens 0 to new_tokens."
        )
    h, d = config["hidden_size"], config["head_dim"]
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    weights = 2 * h * heads * d + 2 * h * kv * d + 3 * h * config["intermediate_size"]
    among_new = new_tokens * (new_tokens + 1) // 2 if causal else new_tokens**2
    pairs = new_tokens * past_tokens + among_new
    layer = 2 * weights * new_tokens + 4 * heads * d * pairs
    return config["num_hidden_layers"] * layer + 2 * h * config["vocab_size"] * logits_tokens
    ### END SOLUTION


# %% role="check" id="est-flops" points=5
check("est-flops", forward_flops)
# %% role="given" id="flops-use"


def counted_flops(network, n, train) -> int:
    """Of a pass over n tokens with all logits, seen by torch's counter; rotary tables left out."""
    ids = torch.zeros(1, n, dtype=torch.long, device="meta")
    with FlopCounterMode(display=False) as counter:
        mask = torch.zeros(1, 1, n, n, device="meta")
        logits = network(ids, attention_mask=mask, use_cache=False).logits
        if train:
            logits.sum().backward()
    tables = (v for k, v in counter.get_flop_counts().items() if k.endswith("rotary_emb"))
    return counter.get_total_flops() - sum(sum(v.values()) for v in tables)


def show_flops() -> None:
    """Counter against formula, training against forward, 2 N against both."""
    network = on_meta(SHIPPED_CONFIG | {"attn_implementation": "eager"})
    matrices = sum(p.numel() for p in network.parameters() if p.ndim == 2)
    for n in (1, 64, 512):
        seen, mine = counted_flops(network, n, False), forward_flops(SHIPPED_CONFIG, n, 0, n, False)
        ratio = counted_flops(network, n, True) / seen
        print(
            f"{n:4d} tokens: counter {seen:14,}, formula {mine:14,}, 2 N n {2 * matrices * n:14,}; training {ratio:.2f} x forward"
        )
    settings = PUBLISHED["Llama-3-8B"]
    for n in (512, 2048, 8192, 32768, 131072):
        every = forward_flops(settings, n)
        square = 4 * 32 * 32 * 128 * n * (n + 1) // 2
        print(
            f"Llama-3-8B, prompt of {n:7,}: {every / 1e12:8.1f} TFLOP, attention {square / every:6.1%}"
        )


show_flops()


# %% [markdown] items="2.1.C6"
# **What you should see.** Formula and counter agree to the last FLOP, and training takes 3.00 times the forward pass. $2N$ is good for short contexts; in this small model ($h = 256$) the pairs weigh early.
#
# With full recomputation (next) training makes a second forward pass: $8 N$ instead of $6 N$.
# %% [markdown] items="2.1.C6"
# ## What training keeps
#
# Weights and gradients of 2 bytes, Adam's copy and two moments of 4 each: **16 bytes a parameter**. And *activations*: backward needs inputs of the forward pass. Korthikanti et al. (2022, section 4.1) count for one layer
#
# $$s b h \left(34 + 5 \frac{a s}{h}\right) \text{ bytes}$$
#
# $s$ tokens, $b$ batch, $h$ hidden, $a$ heads; 16-bit values, dropout masks of one byte, MLP of $4h$ with GELU. Another layer type has another sum; the method stays.
# %% [markdown] items="2.1.C6"
# ## Keep less, compute more
#
# *Checkpointing* keeps an input and recomputes the rest in the backward pass. **Selective**: drop scores, their mask and their dropout ($5 a s^2 b$), recompute them layer by layer. **Full**: keep each layer's input
# alone ($2 s b h$).
#
# At the peak, one layer has just been recomputed and lies beside what is kept. (The paper's table leaves that layer out.)
# %% [markdown] items="2.1.C6"
# ### Exercise: activation bytes
#
# <details><summary>Hint 1</summary>Keep two sums for a layer: 34 s b h, and 5 a s s b. Multiply out, and no division is needed.</details>
# <details><summary>Hint 2</summary>full: the recomputed layer's own input is one of the 2 s b h already kept. It is among the 34 too: count it once.</details>
# %% role="exercise" id="est-activations" items="2.1.C6" minutes=10
def activation_bytes(
    tokens: int, batch: int, hidden: int, heads: int, layers: int, recompute: str = "none"
) -> int:
    """Bytes of activations at the peak of a training step, in the layers of Korthikanti et al.; no embedding, no head.

    A layer's activations: 34 s b h + 5 a s s b bytes, its input (2 s b h) included in the 34.

    Args:
        tokens, batch, hidden, heads, layers: s, b, h, a and the number of layers.
        recompute: "none": all layers keep everything. "selective": all layers keep 34 s b h, and the 5 a s s b of one layer, being
            recomputed, lie beside. "full": all layers keep their inputs, and one layer's activations lie beside, whose input
            is one of those inputs (one tensor, counted once).

    Raises:
        ValueError: a size below 1, heads that do not divide hidden, or another word for recompute.

    >>> [activation_bytes(16, 1, 8, 2, layers=3, recompute=r) for r in ("none", "selective", "full")]
    [20736, 15616, 7424]
    """
    ### BEGIN SOLUTION
    if min(tokens, batch, hidden, heads, layers) < 1 or hidden % heads:
        raise ValueError("Sizes are 1 or more, and heads divide hidden.")
    by_token = 34 * tokens * batch * hidden
    by_pair = 5 * heads * tokens * tokens * batch
    if recompute == "none":
        return layers * (by_token + by_pair)
    if recompute == "selective":
        return layers * by_token + by_pair
    if recompute == "full":
        return (layers - 1) * 2 * tokens * batch * hidden + by_token + by_pair
    raise ValueError('recompute is "none", "selective" or "full".')
    ### END SOLUTION


# %% role="check" id="est-activations" points=4
check("est-activations", activation_bytes)
# %% role="given" id="activations-use"


def show_activations() -> None:
    """Autograd's own saved tensors against the formula; then a model of 175 billion parameters."""
    for sizes in ((32, 2, 64, 4, 1), (128, 1, 64, 4, 3)):
        real, mine = layers_kept_bytes(*sizes), activation_bytes(*sizes)
        print(f"{sizes}: kept by autograd {real:,} bytes, formula {mine:,}")
    print("\nGPT-3 (96 layers, 12,288 hidden, 96 heads), 2,048 tokens, batch 1:")
    for way in ("none", "selective", "full"):
        size = activation_bytes(2048, 1, 12288, 96, 96, way)
        print(f"  {way:10s} {size / 1e9:7.1f} GB")
    pairs, rest = 4 * 2048 * 12288, 24 * 12288**2  # FLOPs of a token in a layer, forward
    print(
        f"  selective adds {pairs / (3 * (pairs + rest)):.1%} FLOPs, full {(pairs + rest) / (3 * (pairs + rest)):.1%}"
    )
    n = count_parameters(PUBLISHED["Llama-2-7B"])["total"]
    print(f"\nLlama-2-7B, 16 bytes a parameter: {16 * n / 1e9:.1f} GB before the first activation")


show_activations()
# %% [markdown] items="2.1.C6"
# **What you should see.** The formula holds to the byte for tensors that torch really saves (the norms' means, too small to matter, left out). Selective recomputation drops 69 % of GPT-3's activations for a second forward pass of the pairs, 1 % of all FLOPs.
# %% [markdown] items="2.1.C6"
# ## Activations while serving
#
# Nothing is kept for a backward pass: the peak is the widest moment. In a layer that is the gated MLP, $n (h + 2 f)$ values for $n$ tokens. At the end it is the logits: $n V$ values, often in float32.
#
# Engines therefore ask for the last token's logits alone, and read long prompts in chunks. Set aside memory for a chunk, not for the context.
# %% role="given" id="serving-peak"


def show_serving_peak() -> None:
    """The widest moments of Llama-3-8B by tokens in a pass, computed."""
    settings = PUBLISHED["Llama-3-8B"]
    h, f, v = (settings[k] for k in ("hidden_size", "intermediate_size", "vocab_size"))
    for n in (1, 512, 8192):
        mlp, every, scores = 2 * n * (h + 2 * f), 4 * n * v, 2 * 32 * n * n
        print(
            f"{n:5,} tokens: MLP {mlp / 1e9:7.4f} GB, logits of all {every / 1e9:7.4f} GB, of one {4 * v / 1e9:.4f} GB,"
            f" scores of one layer if they were stored {scores / 1e9:7.4f} GB"
        )


show_serving_peak()
# %% [markdown] items="2.1.C6"
# ## Bytes of the KV cache
#
# Each token leaves a key and a value in each layer and KV head: $2 L a_{kv} d$ values. At 16 bits two bytes each. It is read again for every later token, and it is what limits the number of sequences.
#
# Quantized caches store fewer bits and a **scale** (perhaps a zero-point) for each group of values.
# %% role="predict" id="predict-kv"
my_opt_kv_kilobytes = (
    ...
)  # KV cache of one token of OPT-13B (40 layers, 40 heads of 128), in units of 1,000 bytes
# %% role="given" id="reveal-kv"
reveal(
    my_opt_kv_kilobytes,
    2 * 40 * 40 * 128 * 2 / 1000,
    "kB (800 KiB: the PagedAttention paper writes KB)",
)


# %% [markdown] items="2.1.C6 2.1.K6"
# ### Exercise: KV bytes of a token
#
# <details><summary>Hint 1</summary>Count vectors: 2 * layers * num_key_value_heads. Each has head_dim codes, and its groups.</details>
# <details><summary>Hint 2</summary>Rounding up without floats: <code>-(-a // b)</code></details>
# %% role="exercise" id="est-kv-token" items="2.1.C6 2.1.K6" minutes=9
def kv_token_bytes(
    config: dict, bits: int = 16, group: int | None = None, scale_bits: int = 16, zero_bits: int = 0
) -> int:
    """Bytes that one token takes in the KV cache, over all layers.

    Each key vector and each value vector (one for each layer and KV head, head_dim values) is stored with `bits` bits a value. With a
    group, each vector is cut into groups of that many values from its beginning; the last may be shorter; each group
    adds scale_bits + zero_bits. All bits of the token lie without gaps; their sum is rounded up to whole bytes once, at the end.

    Args:
        config: num_hidden_layers, num_key_value_heads, head_dim (and the other keys of a Llama's).
        bits: 1 or more.
        group: values of a group, 1 or more; None: no groups, no scales and no zero-points.
        scale_bits, zero_bits: 0 or more.

    Raises:
        ValueError: an argument outside these ranges.

    >>> small = {"num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 64}
    >>> kv_token_bytes(small), kv_token_bytes(small, bits=4, group=32)
    (2048, 576)
    """
    ### BEGIN SOLUTION
    if bits < 1 or (group is not None and group < 1) or min(scale_bits, zero_bits) < 0:
        raise ValueError("bits and group are 1 or more, scale_bits and zero_bits 0 or more.")
    vectors = 2 * config["num_hidden_layers"] * config["num_key_value_heads"]
    groups = 0 if group is None else -(-config["head_dim"] // group)
    each_bits = config["head_dim"] * bits + groups * (scale_bits + zero_bits)
    return -(-vectors * each_bits // 8)
    ### END SOLUTION


# %% role="check" id="est-kv-token" points=4
check("est-kv-token", kv_token_bytes)
# %% role="given" id="kv-use"
OPT_13B = {"num_hidden_layers": 40, "num_key_value_heads": 40, "head_dim": 128}


def show_kv() -> None:
    """The shipped model's real cache; then published shapes, and the tokens that fit in 40 GB."""
    with torch.inference_mode():
        layers = shipped(text_ids).past_key_values.layers
    real = sum(x.nbytes for layer in layers for x in (layer.keys, layer.values))
    width = 8 * layers[0].keys.element_size()
    mine = text_ids.shape[1] * kv_token_bytes(SHIPPED_CONFIG, width)
    print(f"shipped model, {text_ids.shape[1]} tokens: cache {real:,} bytes, formula {mine:,}\n")
    shapes = {"OPT-13B": OPT_13B} | {k: PUBLISHED[k] for k in ("Llama-2-7B", "Llama-3-8B")}
    for name, settings in shapes.items():
        for label, how in (("16 bits", {}), ("FP8, no scales", {"bits": 8}), ("4 bits, groups of 32", {"bits": 4, "group": 32})):  # fmt: skip
            size = kv_token_bytes(settings, **how)
            print(
                f"{name:11s} {label:21s} {size:8,} bytes a token, {int(40e9 // size):8,} tokens in 40 GB"
            )


show_kv()


# %% [markdown] items="2.1.C6"
# **What you should see.** The real cache is as large as the formula says. OPT-13B: 819,200 bytes, 800 KiB. Llama-3-8B with 8 KV heads takes a quarter of Llama-2-7B's, though it has more parameters. Scales of 16 bits for 32 values add half a bit a value: "4 bits" are 4.5.
# %% [markdown] items="2.1.C6 2.1.K6"
# ## Bytes of the weights
#
# A format stores codes and, for each group along a row, a scale (and zero-point): $b + (b_s + b_z) / g$ bits a weight. Usually not everything is quantized: norms stay, often embedding and head too. In a small model with a large vocabulary that is much.
#
# So sum over the tensors; do not multiply the name of the model with the name of the format.
# %% [markdown] items="2.1.C6 2.1.K6"
# ### Exercise: weight bytes of a format
#
# <details><summary>Hint 1</summary>For a matrix (out, in): out * (in * bits + groups * (scale_bits + zero_bits)) bits.</details>
# <details><summary>Hint 2</summary>Round up tensor by tensor, then add.</details>
# %% role="exercise" id="est-format-bytes" items="2.1.C6 2.1.K6" minutes=10
def format_bytes(
    shapes: dict[str, tuple[int, ...]],
    keep: list[str],
    bits: int,
    group: int | None = None,
    scale_bits: int = 16,
    zero_bits: int = 0,
) -> int:
    """Bytes of a model's weights in a quantized format, without a file's header.

    A tensor of one axis, and a tensor named in keep, is stored with 16 bits a value. Any other, of shape (out, in), is quantized: `bits` bits a
    value; with a group, each row of `in` values is cut into groups from its beginning (a group ends where its row ends, so the last of
    a row may be shorter), and each group adds scale_bits + zero_bits. The bits of a tensor lie without gaps; each tensor's sum is
    rounded up to whole bytes.

    Args:
        shapes: tensors by name, each of one axis or of two.
        keep: names that stay at 16 bits; a name that is not in shapes has no effect.
        bits: 1 or more.
        group: values of a group, 1 or more; None: no groups, no scales and no zero-points.
        scale_bits, zero_bits: 0 or more.

    Returns:
        The sum over the tensors; 0 for no tensors.

    Raises:
        ValueError: an argument outside these ranges, or a tensor of another number of axes, in keep or not.

    >>> format_bytes({"up": (3, 40), "norm": (40,)}, keep=[], bits=4, group=32)
    152
    """
    ### BEGIN SOLUTION
    if bits < 1 or (group is not None and group < 1) or min(scale_bits, zero_bits) < 0:
        raise ValueError("bits and group are 1 or more, scale_bits and zero_bits 0 or more.")
    total = 0
    for name, shape in shapes.items():
        if len(shape) not in (1, 2):
            raise ValueError(f"{name} has {len(shape)} axes: 1 or 2 are known here.")
        if len(shape) == 1 or name in keep:
            total += 2 * math.prod(shape)
            continue
        groups = 0 if group is None else -(-shape[1] // group)
        tensor_bits = shape[0] * (shape[1] * bits + groups * (scale_bits + zero_bits))
        total += -(-tensor_bits // 8)
    return total
    ### END SOLUTION


# %% role="check" id="est-format-bytes" points=4
check("est-format-bytes", format_bytes)
# %% role="given" id="formats-use"
FORMATS = {
    "16 bits": (16, None, 0, 0), "INT8, a scale a row": (8, 10**6, 16, 0), "GPTQ, 4 bits, groups of 128": (4, 128, 16, 4),
    "GGUF Q4_0": (4, 32, 16, 0), "GGUF Q8_0": (8, 32, 16, 0),
}  # fmt: skip


def show_formats() -> None:
    """Weights of three models by format, embedding and head kept; Q4_0 and Q8_0 against the gguf package."""
    for block in ("Q4_0", "Q8_0"):
        values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[block]]
        mine = format_bytes({"w": (1, values)}, [], *FORMATS[f"GGUF {block}"])
        print(f"{block}: {values} values in {size} bytes by the gguf package, {mine} here")
    for name in ("Llama-2-7B", "Llama-3-8B"):
        shapes = {k: tuple(p.shape) for k, p in on_meta(PUBLISHED[name]).named_parameters()}
        for label, how in FORMATS.items():
            size = format_bytes(shapes, ["model.embed_tokens.weight", "lm_head.weight"], *how)
            every = format_bytes(shapes, [], *how)
            print(
                f"{name:11s} {label:28s} {size / 1e9:6.2f} GB; embedding and head quantized too {every / 1e9:6.2f} GB"
            )


show_formats()


# %% [markdown] items="2.1.C6 2.1.K6"
# **What you should see.** 4 bits with scales take 28 % of 16 bits where all is quantized. Llama-3-8B with 16-bit embedding and head is far from that: its vocabulary of 128,256 holds more than a billion parameters.
# %% [markdown] items="2.1.C6"
# ## Two phases on a roofline
#
# A pass computes $F$ FLOPs and moves $B$ bytes, a GPU $P$ FLOP/s and $W$ bytes/s. If both overlap, it takes $\max(F / P, B / W)$ seconds: a **lower** bound.
#
# *Prefill*: a whole prompt in a pass. *Decode*: one new token a sequence. A pass reads the weights once, whatever the batch, and each sequence's own cache.
#
# TTFT: time to the first token, prefill and waiting. TPOT: time per output token after it.
# %% [markdown] items="2.1.C6"
# ### Exercise: the time of a phase
#
# <details><summary>Hint 1</summary>FLOPs grow with batch * new_tokens; the bytes of the weights with neither.</details>
# <details><summary>Hint 2</summary>The pairs of one sequence: new * past + new (new + 1) / 2.</details>
# %% role="exercise" id="est-phase-time" items="2.1.C6" minutes=12
def phase_time(model: dict, gpu: dict, batch: int, new_tokens: int, past_tokens: int) -> dict:
    """Lower bound of the time of one pass of `batch` sequences, each with new_tokens new and past_tokens cached tokens.

    FLOPs: 2 for each matrix parameter and new token (the head's included, as if all logits were wanted), and pair_flops for each pair of
    a new token and a token it meets: itself, the new ones before it, all cached ones.
    Bytes: the weights once; for each sequence the cache of its past tokens, read once, and of its new ones, written once.

    Args:
        model: matrix_parameters, pair_flops (FLOPs of one pair over all layers and heads), weight_bytes, kv_token_bytes; int.
        gpu: flops_per_s, bytes_per_s; above 0.
        batch, new_tokens: 1 or more. past_tokens: 0 or more.

    Returns:
        "flops" and "bytes", int; "seconds", the longer of the times for computing and for moving, float; "bound": "compute" where
        computing takes as long or longer, else "memory".

    Raises:
        ValueError: batch, new_tokens or past_tokens outside these ranges.

    >>> small = {"matrix_parameters": 1000, "pair_flops": 64, "weight_bytes": 2000, "kv_token_bytes": 32}
    >>> phase_time(small, {"flops_per_s": 1e6, "bytes_per_s": 1e4}, batch=2, new_tokens=1, past_tokens=9)
    {'flops': 5280, 'bytes': 2640, 'seconds': 0.264, 'bound': 'memory'}
    """
    ### BEGIN SOLUTION
    if batch < 1 or new_tokens < 1 or past_tokens < 0:
        raise ValueError("batch and new_tokens are 1 or more, past_tokens 0 or more.")
    pairs = new_tokens * past_tokens + new_tokens * (new_tokens + 1) // 2
    flops = batch * (2 * model["matrix_parameters"] * new_tokens + model["pair_flops"] * pairs)
    moved = model["weight_bytes"] + batch * (past_tokens + new_tokens) * model["kv_token_bytes"]
    compute_s, memory_s = flops / gpu["flops_per_s"], moved / gpu["bytes_per_s"]
    bound = "compute" if compute_s >= memory_s else "memory"
    return {"flops": flops, "bytes": moved, "seconds": max(compute_s, memory_s), "bound": bound}
    ### END SOLUTION


# %% role="check" id="est-phase-time" points=5
check("est-phase-time", phase_time)
# %% [markdown] items="2.1.C6"
# ## Prediction against this machine
#
# Measure two roofs and two phases of the shipped model in one run. The roofs: a matrix-vector product as large as the weights (bytes/s), and a product of
# square matrices (FLOP/s).
#
# And the third count: a model with the same layers and hardly any numbers makes the same calls of Python and torch. Its time is the *fixed cost* of a pass. Of 25 rounds the shortest counts: neighbours only add.
# %% role="given" id="machine"


def estimate_figures(settings, weight_bytes, bits=16) -> dict:
    """The figures that phase_time takes, of a Llama-like config."""
    matrices = count_parameters(settings)
    looked_up = 0 if settings.get("tie_word_embeddings") else matrices["embedding"]
    norms = (2 * settings["num_hidden_layers"] + 1) * settings["hidden_size"]
    heads = settings["num_hidden_layers"] * settings["num_attention_heads"]
    return {
        "matrix_parameters": matrices["total"] - looked_up - norms,
        "pair_flops": 4 * heads * settings["head_dim"],
        "weight_bytes": weight_bytes,
        "kv_token_bytes": kv_token_bytes(settings, bits),
    }


SIDE = 4096 if profile.device == "cuda" else 512


def roof_calls() -> tuple[dict, int]:
    """A large product, a matrix-vector product as large as the shipped weights; bytes of the latter."""
    rows = shipped.num_parameters() // 1024
    tall = torch.rand(rows, 1024, device=profile.device, dtype=profile.dtype)
    square = torch.rand(SIDE, SIDE, device=profile.device, dtype=profile.dtype)
    calls = {"product": lambda: torch.mm(square, square), "read": lambda: torch.mv(tall, tall[0])}
    return calls, tall.nbytes


def hollow_model():
    """As many layers and operations, hardly any numbers."""
    small = {"hidden_size": 8, "intermediate_size": 8, "head_dim": 2, "vocab_size": 8,
             "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip
    settings = AutoConfig.for_model(
        **SHIPPED_CONFIG | small | {"bos_token_id": 0, "eos_token_id": 0}
    )
    made = AutoModelForCausalLM.from_config(settings)
    return made.to(profile.device, profile.dtype).eval().requires_grad_(False)


def prepared(network, new, past):
    """A call that makes a pass of `new` tokens over `past` cached ones, again and again."""
    ids = (text_ids[:, : past + new] % network.config.vocab_size).contiguous()
    with torch.inference_mode():
        kept = network(ids[:, :past]).past_key_values if past else None

    def step():
        with torch.inference_mode():
            network(ids[:, past:], past_key_values=kept)
            if kept is not None:
                kept.crop(-new)  # as it was before the pass

    return step


PHASES = {
    "prefill of 255 tokens": (255, 0),
    "prefill of 64 tokens": (64, 0),
    "decode, 200 cached": (1, 200),
}


def show_machine() -> None:
    """Roofline, fixed cost and measurement, all interleaved in one run; of each the shortest time."""
    calls, read_bytes = roof_calls()
    hollow = hollow_model()
    for label, where in PHASES.items():
        calls[label] = prepared(shipped, *where)
        calls[f"hollow {label}"] = prepared(hollow, *where)
    spent_s = {k: np.min(ms) / 1e3 for k, ms in interleave_ms(calls, rounds=25).items()}
    roofs = {"flops_per_s": 2 * SIDE**3 / spent_s["product"], "bytes_per_s": read_bytes / spent_s["read"]}  # fmt: skip
    print(
        f"measured here: {roofs['flops_per_s'] / 1e9:,.1f} GFLOP/s, {roofs['bytes_per_s'] / 1e9:,.1f} GB/s"
    )
    bits = 8 * shipped.lm_head.weight.element_size()
    figures = estimate_figures(SHIPPED_CONFIG, sum(p.nbytes for p in shipped.parameters()), bits)
    for label, (new, past) in PHASES.items():
        found = phase_time(figures, roofs, 1, new, past)
        fixed_s, real_s = spent_s[f"hollow {label}"], spent_s[label]
        sum_s = found["seconds"] + fixed_s
        print(
            f"{label:21s} roofline {1e3 * found['seconds']:7.2f} ms ({found['bound']}), fixed {1e3 * fixed_s:6.2f} ms;"
            f" measured {1e3 * real_s:7.2f} ms = {real_s / found['seconds']:4.1f} x roofline, {real_s / sum_s:4.2f} x both"
        )


show_machine()


# %% [markdown] items="2.1.C6"
# **What you should see.** For decoding the roofline alone is far too low: on this small model the fixed cost is larger than the reading. The sum comes much nearer. What is left: norms, softmax, products whose shapes reach less
# than the roof, and neighbours on the machine.
#
# With a large model on a GPU reading outweighs the fixed cost, and CUDA graphs remove most of it. Measure your engine, and divide by what you measured.
# %% [markdown] items="2.1.C6 2.1.K6"
# ## When does decoding turn compute-bound?
#
# Computing grows by $c$ seconds a sequence. Moving takes $w$ seconds for the weights and $k$ more a sequence for its cache. They meet at batch $w / (c - k)$.
#
# With an empty cache and 16-bit weights that is about $P / W$, the FLOPs a byte of the GPU. With a long context $k$ outgrows $c$, and they never meet: then a larger batch hardly helps.
# %% [markdown] items="2.1.C6 2.1.K6"
# ### Exercise: the compute-bound batch
#
# <details><summary>Hint 1</summary>Take both times from the docstring of phase_time with new_tokens = 1, as straight lines in the batch.</details>
# <details><summary>Hint 2</summary>Parallel lines, or a steeper line for moving: never.</details>
# %% role="exercise" id="est-compute-bound" items="2.1.C6 2.1.K6" minutes=8
def compute_bound_batch(model: dict, gpu: dict, past_tokens: int) -> int | None:
    """The smallest batch at which a decode step is compute-bound, by phase_time's counts with new_tokens = 1.

    Args:
        model, gpu: as in phase_time.
        past_tokens: cached tokens of each sequence, 0 or more.

    Returns:
        The batch, 1 or more, without an upper limit; None where no batch is compute-bound. Equal times are compute-bound.

    Raises:
        ValueError: past_tokens below 0.

    >>> small = {"matrix_parameters": 1000, "pair_flops": 64, "weight_bytes": 2000, "kv_token_bytes": 32}
    >>> chip = {"flops_per_s": 1e6, "bytes_per_s": 1e5}
    >>> compute_bound_batch(small, chip, past_tokens=0), compute_bound_batch(small, chip, past_tokens=9)
    (12, None)
    """
    ### BEGIN SOLUTION
    if past_tokens < 0:
        raise ValueError("past_tokens is 0 or more.")
    keys = past_tokens + 1
    compute_s = (2 * model["matrix_parameters"] + keys * model["pair_flops"]) / gpu["flops_per_s"]
    cache_s = keys * model["kv_token_bytes"] / gpu["bytes_per_s"]
    if compute_s <= cache_s:
        return None
    return max(1, math.ceil(model["weight_bytes"] / gpu["bytes_per_s"] / (compute_s - cache_s)))
    ### END SOLUTION


# %% role="check" id="est-compute-bound" points=4
check("est-compute-bound", compute_bound_batch)
# %% role="given" id="decode-slider"
# Dense BF16, by the makers' data sheets (which often print twice the FLOPs, for 2:4 sparsity).
CARDS = {
    "L4": {"flops_per_s": 121e12, "bytes_per_s": 300e9, "memory_bytes": 24 * 10**9},
    "A100 80 GB SXM": {"flops_per_s": 312e12, "bytes_per_s": 2.039e12, "memory_bytes": 80 * 10**9},
    "H100 SXM": {"flops_per_s": 989.4e12, "bytes_per_s": 3.35e12, "memory_bytes": 80 * 10**9},
}
LLAMA_3_8B = estimate_figures(PUBLISHED["Llama-3-8B"], 2 * count_parameters(PUBLISHED["Llama-3-8B"])["total"])  # fmt: skip


def draw_decode(context=1024, card="A100 80 GB SXM"):
    """Tokens a second of Llama-3-8B by batch: the roofline, and what fits in memory."""
    sizes = [2**i for i in range(11)]
    roof = [b / phase_time(LLAMA_3_8B, CARDS[card], b, 1, context)["seconds"] for b in sizes]
    ideal = [b / phase_time(LLAMA_3_8B, CARDS[card], 1, 1, context)["seconds"] for b in sizes]
    turn = compute_bound_batch(LLAMA_3_8B, CARDS[card], context)
    space = 0.9 * CARDS[card]["memory_bytes"] - LLAMA_3_8B["weight_bytes"]
    fit = int(space // ((context + 1) * LLAMA_3_8B["kv_token_bytes"]))
    when = f"compute-bound from {turn:,}" if turn else "never compute-bound"
    said = f"{card}, {context:,} tokens: {fit:,} fit, {when}"
    drawn = curves(
        sizes,
        {"roofline": roof, "in proportion": ideal},
        xlabel="batch",
        ylabel="tokens/s",
        logx=True,
        logy=True,
        title=said,
    )
    drawn.axes[0].axvline(max(fit, 1), color="black", linestyle=":")
    return (
        drawn,
        f"Tokens a second by batch on logarithmic axes; {said}. A dotted line marks the batch that fits; the roofline bends away from proportional growth.",
    )


explore(draw_decode, context=[128, 1024, 4096, 16384, 65536], card=list(CARDS))


# %% [markdown] items="2.1.C6 2.1.K6"
# **What you should see.** On the A100 decoding with 128 tokens turns compute-bound at a batch of about 200, which fits. With 1,024 tokens no batch does: each sequence moves its own cache, which no batch shares. Then memory, the dotted line, says where to stop; at 65,536 tokens that is at six sequences.
# %% [markdown] items="2.1.K6"
# ## A plan from four limits
#
# Memory: weights, and cache for the longest state of each sequence. TPOT, TTFT: promises. Load: what comes must be served.
#
# One GPU group (a *replica*: `tp` GPUs, tensor parallel) prefills prompts one by one and decodes all sequences together. A prefill holds up the batch. In the time of one sequence's
# $o - 1$ steps, as many prefills happen as there are sequences, $b$. So
#
# $$\text{TPOT}(b) = \text{step}(b) + \frac{b \cdot \text{prefill}}{o - 1}$$
# %% [markdown] items="2.1.K6"
# ## Little's law finds the batch
#
# $L = \lambda W$: sequences inside = arrivals a second $\times$ time inside. Decoding takes $(o - 1)\,\text{TPOT}(b)$ seconds, so the batch settles where $b = \lambda (o - 1)\,\text{TPOT}(b)$. More sequences are a larger batch, slower
# steps, yet more tokens a second.
#
# A request waits for prefills before it. Random (Poisson) arrivals and equal prefills of $p$ seconds are the queue M/D/1: mean wait $\lambda p^2 / (2 (1 - \lambda p))$.
# %% [markdown] items="2.1.K6"
# ### Exercise: the capacity plan
#
# Your `phase_time` may help. `overhead_s` is what the GPUs of a group lose in a pass by talking to each other: lesson 3 computes it, here it is given.
#
# <details><summary>Hint 1</summary>Inner function for one tp: prefill_s, a list of tpot_s for b = 1 ... fit. If b = 1 breaks the TPOT, or an idle prefill takes the TTFT or longer, this tp is out.</details>
# <details><summary>Hint 2</summary>For replicas = 1, 2, ...: the smallest b with rate * (output - 1) * tpot_s(b) &lt;= b. None up to fit: more replicas.</details>
# <details><summary>Hint 3</summary>min(plans, key=lambda p: (p["gpus"], p["tp"]))</details>
# %% role="exercise" id="capacity-plan" items="2.1.K6" minutes=25
def plan_capacity(model: dict, gpu: dict, load: dict, kpi: dict) -> dict | None:
    """The fewest GPUs that serve a load within limits on mean TTFT and TPOT; all prompts and outputs are equally long.

    For each tp in gpu["overhead_s"], with P = prompt_tokens, O = output_tokens:
    - A pass takes phase_time's seconds / tp + overhead_s[tp]; computing, moving and memory are split evenly over tp GPUs.
    - fit: how many sequences of P + O tokens have room, whole, beside the weights in tp * usable_bytes.
    - prefill_s: a pass of batch 1, P new tokens, nothing cached. step_s(b): batch b, 1 new token, P + O // 2 cached.
    - tpot_s(b) = step_s(b) + b * prefill_s / (O - 1).
    - With R replicas each gets rate = requests_per_s / R. Its batch is the smallest b from 1 to fit with
      rate * (O - 1) * tpot_s(b) <= b; if there is none, R is too small.
    - ttft_s = prefill_s + rate * prefill_s**2 / (2 * (1 - rate * prefill_s)).
    The smallest R with a batch, tpot_s(batch) <= kpi["tpot_s"] and ttft_s <= kpi["ttft_s"] is this tp's plan. A tp has none
    where fit is 0, tpot_s(1) is above its limit, or prefill_s is not below the limit of ttft_s: replicas cannot mend that.

    Args:
        model: as in phase_time.
        gpu: flops_per_s, bytes_per_s; usable_bytes, int, of one GPU for weights and cache; overhead_s, seconds by tp, in any order.
        load: requests_per_s, prompt_tokens, output_tokens. kpi: ttft_s, tpot_s.

    Returns:
        "gpus" (tp * replicas), "tp", "replicas", "fit", "batch", "tpot_s" (at that batch), "ttft_s", for the plan with the fewest
        GPUs, of equals the smallest tp; None if no tp has a plan.

    Raises:
        ValueError: requests_per_s, ttft_s or tpot_s not above 0, prompt_tokens below 1, output_tokens below 2.

    >>> small = {"matrix_parameters": 10**9, "pair_flops": 10**5, "weight_bytes": 2 * 10**9, "kv_token_bytes": 10**5}
    >>> card = {"flops_per_s": 1e14, "bytes_per_s": 1e12, "usable_bytes": 4 * 10**9, "overhead_s": {1: 0.0, 2: 0.001}}
    >>> plan = plan_capacity(small, card, {"requests_per_s": 40.0, "prompt_tokens": 500, "output_tokens": 101},
    ...                      {"ttft_s": 0.1, "tpot_s": 0.02})
    >>> [plan[key] for key in ("gpus", "tp", "replicas", "fit", "batch")], round(plan["tpot_s"], 6), round(plan["ttft_s"], 6)
    ([1, 1, 1, 33, 22], 0.00544, 0.013571)
    """
    ### BEGIN SOLUTION
    prompt, output = load["prompt_tokens"], load["output_tokens"]
    if min(load["requests_per_s"], *kpi.values()) <= 0 or prompt < 1 or output < 2:
        raise ValueError("Rates and limits are above 0, prompts 1 token or more, outputs 2.")

    def smallest(tp: int, overhead_s: float) -> dict | None:
        space = tp * gpu["usable_bytes"] - model["weight_bytes"]
        fit = space // ((prompt + output) * model["kv_token_bytes"])
        if fit < 1:
            return None

        def pass_s(batch, new, past):
            return phase_time(model, gpu, batch, new, past)["seconds"] / tp + overhead_s

        prefill_s = pass_s(1, prompt, 0)
        tpot_s = [math.nan]
        for b in range(1, fit + 1):
            tpot_s.append(pass_s(b, 1, prompt + output // 2) + b * prefill_s / (output - 1))
        if tpot_s[1] > kpi["tpot_s"] or prefill_s >= kpi["ttft_s"]:
            return None
        replicas = 0
        while True:
            replicas += 1
            rate = load["requests_per_s"] / replicas
            held = (b for b in range(1, fit + 1) if rate * (output - 1) * tpot_s[b] <= b)
            batch = next(held, None)
            if batch is None or tpot_s[batch] > kpi["tpot_s"]:
                continue
            ttft_s = prefill_s + rate * prefill_s**2 / (2 * (1 - rate * prefill_s))
            if ttft_s <= kpi["ttft_s"]:
                return {"gpus": tp * replicas, "tp": tp, "replicas": replicas, "fit": fit,
                        "batch": batch, "tpot_s": tpot_s[batch], "ttft_s": ttft_s}  # fmt: skip

    plans = [smallest(tp, overhead_s) for tp, overhead_s in gpu["overhead_s"].items()]
    return min(filter(None, plans), key=lambda p: (p["gpus"], p["tp"]), default=None)
    ### END SOLUTION


# %% role="check" id="capacity-plan" points=8
check("capacity-plan", plan_capacity)
# %% role="given" id="plan-use"
# Assumed costs of a group's all-reduces in one pass; lesson 3 computes them from the links.
GROUPED = {1: 0.0, 2: 0.0008, 4: 0.001, 8: 0.0016}
CHAT = {"requests_per_s": 30.0, "prompt_tokens": 800, "output_tokens": 250}


def usable(card) -> dict:
    """A card that keeps 10 % of its memory for activations and the rest."""
    return CARDS[card] | {"usable_bytes": CARDS[card]["memory_bytes"] * 9 // 10, "overhead_s": GROUPED}  # fmt: skip


def show_plans() -> None:
    """Plans for a chat load: two models, three cards, two promises on the TPOT."""
    for name in ("Llama-3-8B", "Llama-2-70B"):
        settings = PUBLISHED[name]
        figures = estimate_figures(settings, 2 * count_parameters(settings)["total"])
        for card in CARDS:
            for tpot_s in (0.05, 0.02):
                found = plan_capacity(
                    figures, usable(card), CHAT, {"ttft_s": 0.5, "tpot_s": tpot_s}
                )
                said = "no plan" if found is None else (
                    f"{found['gpus']:3d} GPUs = {found['replicas']} x tp {found['tp']}, batch {found['batch']} of {found['fit']},"
                    f" TPOT {1e3 * found['tpot_s']:.1f} ms, TTFT {1e3 * found['ttft_s']:.0f} ms")  # fmt: skip
                print(f"{name:11s} {card:15s} TPOT <= {1e3 * tpot_s:.0f} ms: {said}")


show_plans()
# %% [markdown] items="2.1.K6"
# **What you should see.** Llama-2-70B in 16 bits needs groups for memory alone (138 GB of weights). A tighter TPOT takes more GPUs: smaller batches, or larger groups, since only more bandwidth shortens a step with few sequences. A card may have no plan at all, whatever you pay.
# %% [markdown] items="2.1.K6"
# ## Prediction against simulation
#
# `lab.serving` simulates a fleet event by event. It decodes undisturbed by prefills, so its steps are stretched here: prefills take the share $u = \lambda p$ of the time, steps get the rest, $\text{step} / (1 - u)$. That is the TPOT formula again, at Little's batch.
#
# The plan knows means, for equal lengths. What will it miss?
# %% role="predict" id="predict-tail"
my_p99_ratio = ...  # P99 of the simulated TTFT / the planned mean TTFT, with lengths that vary
# %% role="given" id="simulation"


def simulated(found, load_of, card, spread, seconds=400.0):
    """The fleet of a plan under a random load with the plan's mean lengths; the first fifth is left out."""
    shape, memory_s = LLAMA_3_8B, found["tp"] * CARDS[card]["bytes_per_s"]
    rng, mean = np.random.default_rng(7), math.exp(-(spread**2) / 2)
    prompt, output = load_of["prompt_tokens"], load_of["output_tokens"]
    context = (prompt + output // 2 + 1) * shape["kv_token_bytes"]
    over = GROUPED[found["tp"]]
    prefill_s = phase_time(shape, CARDS[card], 1, prompt, 0)["seconds"] / found["tp"] + over
    left = 1 - load_of["requests_per_s"] / found["replicas"] * prefill_s
    engine = Engine(
        prefill_tokens_per_s=prompt / prefill_s,
        decode_s=(shape["weight_bytes"] / memory_s + over) / left,
        sequence_s=context / memory_s / left,
        slots=found["fit"],
    )
    arriving = make_load(
        rng, load_of["requests_per_s"], seconds, prompt * mean, output * mean, spread
    )
    result = simulate(
        arriving, engine, found["replicas"], lambda request, up: int(rng.integers(len(up)))
    )
    steady = result.arrival_s > seconds / 5
    steady &= result.arrival_s < seconds * 0.95
    return result, steady


def show_simulation() -> None:
    """Planned and simulated TTFT, TPOT and batch; equal lengths, then lengths that vary."""
    card, limits = "A100 80 GB SXM", {"ttft_s": 0.5, "tpot_s": 0.05}
    found = plan_capacity(LLAMA_3_8B, usable(card), CHAT, limits)
    print(f"plan: {found['replicas']} x tp {found['tp']} on {card}; batch {found['batch']}, TTFT {1e3 * found['ttft_s']:.1f} ms, TPOT {1e3 * found['tpot_s']:.2f} ms")  # fmt: skip
    for spread in (0.0, 0.8):
        result, steady = simulated(found, CHAT, card, spread)
        ttft, tpot = result.ttft_s[steady], result.tpot_s[steady]
        decoding = float((result.finish_s - result.first_token_s)[steady].sum())
        batch = decoding / np.ptp(result.arrival_s[steady]) / found["replicas"]
        print(f"simulated, spread {spread}: {steady.sum():,} requests; batch {batch:.1f}, mean TTFT {1e3 * ttft.mean():.1f} ms (P99 {1e3 * np.quantile(ttft, 0.99):.1f}),"
              f" mean TPOT {1e3 * tpot.mean():.2f} ms (P99 {1e3 * np.quantile(tpot, 0.99):.2f})")  # fmt: skip
    reveal(my_p99_ratio, np.quantile(ttft, 0.99) / found["ttft_s"], "times the planned mean")
    drawn = curves(
        1e3 * np.quantile(ttft, np.linspace(0, 1, 41)),
        {"simulated, lengths vary": np.linspace(0, 1, 41)},
        xlabel="TTFT, ms",
        ylabel="share of requests",
    )
    drawn.axes[0].axvline(1e3 * found["ttft_s"], color="black", linestyle="--")
    drawn.axes[0].text(1e3 * found["ttft_s"], 0.02, " planned mean")
    show(drawn, "Share of requests by TTFT, rising to 1; a dashed line marks the planned mean, beyond which a long tail of requests lies.")  # fmt: skip


show_simulation()
# %% [markdown] items="2.1.K6"
# **What you should see.** With equal lengths the plan's means come within a few percent. With lengths that vary (same means) the batch stays near, since Little's law asks for means alone; the TTFT does not: long prompts block short ones, and the P99 is several times the mean.
#
# So plan with means, then simulate the tail, and keep spare capacity: load at peak, a node that fails, growth. Lesson 4 and the project do.
# %% [markdown] items="2.1.C6 2.1.K6"
# ## In your own words: a plan to review
#
# A colleague writes: "Llama-3-8B is 8B parameters, so 8 GB in 16 bits. An 80 GB GPU leaves 72 GB for cache. 16,384 tokens a request at 131,072 bytes: 2 GB, so 36 requests at once. An H100 does 1,979 TFLOP/s; a token takes 16 GFLOP, so we get 120,000
# tokens/s. Users see 300 tokens each, so one GPU serves 400 requests a second. With 4-bit weights it will be four times faster."
#
# Correct it, with numbers from this lesson. 120 to 200 words.
# %% [markdown] role="written" id="capacity-review" items="2.1.C6 2.1.K6" points=3
# **Model answer.** 8.03 billion parameters at 2 bytes are 16.06 GB, not 8. The card's 80 GB are not all usable: with 10 % for activations and the rest, 72 - 16 = 56 GB are left. 16,384 x 131,072 bytes are 2.147 GB, so 26 requests, not 36.
# 1,979 TFLOP/s is the figure with 2:4 sparsity; dense is half of it. But decoding is not compute-bound at all here: a step of 26 sequences with 16,384 tokens each moves 16.06 + 26 x 2.147 = 71.9 GB, which takes at least 21.5 ms at 3.35 TB/s. That makes at most
# 1,210 tokens/s, 1 % of the claim: four requests a second of 300 tokens. And a prompt of 16,000 tokens takes about 307 TFLOP, 0.31 s at the dense peak, so prefills alone, without any decoding, allow three requests a second.
# 4-bit weights cut 16 GB to about 5 or 6; the cache, 56 of 72 GB, stays, so a step gains little at the same batch; the freed memory helps more (30 sequences or so). Prefill computes as much as before.
# Then: KPIs, measured efficiency, a simulation of the tail.
#
# **Rubric.** 1 point: bytes (16 GB of weights, usable memory, 26 sequences or so). 1 point: decode is bound by bytes, with a step time or tokens/s of the right order. 1 point: prefill counted, and why 4 bits do not give a factor of four.
# %% [markdown]
# ## Recap
#
# - Parameters are a sum over shapes; count a real model on the meta device to check it.
# - 2 N FLOPs a token forward, 6 N in training (8 N with full recomputation), and $4 L a d$ for each pair of tokens.
# - Training keeps 16 bytes a parameter and $s b h (34 + 5 a s / h)$ bytes a layer; serving keeps $2 L a_{kv} d$ values a token.
# - A format's bits include its scales, and not all tensors are quantized.
# - Prefill is compute-bound, decode mostly memory-bound; with a long context no batch changes that. The roofline is a lower bound, fixed costs come on top.
# - Memory, TPOT, TTFT and load give the number of GPUs; Little's law gives the batch; means do not give the tail.
#
# ## Three questions without code
#
# <details><summary>1. Two models have 7 billion parameters each; one serves four times as many users on the same GPU. How?</summary>Fewer KV heads (GQA): a quarter of the cache for each token. The parameters hardly change.</details>
# <details><summary>2. A vendor doubles a GPU's FLOP/s and keeps its bandwidth. Which of your figures improve?</summary>Prefill and so TTFT, and training. A memory-bound decode step takes as long as before; the batch at which it would turn compute-bound doubles.</details>
# <details><summary>3. Why does doubling the load on a replica less than double its batch's tokens, or break it?</summary>Little: b = rate x (o - 1) x TPOT(b). The batch more than doubles, since TPOT grows with b. Where b would have to exceed fit (or the TPOT its limit), no batch holds: requests queue up without end.</details>
#
# ## Reading
#
# - Vijay Korthikanti et al., *Reducing Activation Recomputation in Large Transformer Models*, 2022: section 4.1 is the count of this lesson; selective recomputation follows.
# - Woosuk Kwon et al., *Efficient Memory Management for Large Language Model Serving with PagedAttention*, SOSP 2023: 800 KB a token for OPT-13B, and what is wasted without pages.
# - Jared Kaplan et al., *Scaling Laws for Neural Language Models*, 2020: section 2.1 counts 2 N and 6 N, and when the context term may be left out.
# - Reiner Pope et al., *Efficiently Scaling Transformer Inference*, 2022: latency and throughput of partitioned models from such counts.
# - Samuel Williams, Andrew Waterman, David Patterson, "Roofline", *Communications of the ACM* 52(4), 2009.
#
# **Next:** what the GPUs of a group send each other, and how to group them.
