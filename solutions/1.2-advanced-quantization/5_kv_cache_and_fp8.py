# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Quantize what a model remembers, and measure the drift
#
# **You end with:** a key-value cache in one byte a number that a language model decodes with, an FP8 scaler
# that learns from the past, and a report that says how far any two versions of a model have drifted apart.
#
# About 110 minutes. 37 points: 34 graded by machine, 3 by a person. Runs on a laptop, no GPU, no
# network. You need lesson 1.1.1 (FP8), 1.1.2 (scales) and what attention computes.
#
# How to work: run the cells from the top. Where a cell says `raise NotImplementedError`, write your
# code. The cell below it checks it and says what is off.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import math

import numpy as np
import torch

from autograder import check
from lab.fake_quant import round_to_nearest, with_weights
from lab.lm import load_lm, load_tokens
from lab.plots import bars, curves, explore, show
from lab.predict import reveal
from lab.profile import seed_everything, use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## A memory larger than the model
#
# While it writes, a language model keeps two vectors for each token, layer and head: a **key** and a
# **value**. Nothing is computed twice, and the price is memory. The next cell lets the shipped model read
# eight texts of 512 tokens, and weighs the model and its memory.
# %% role="given" id="opening"
# float32 on a GPU too: bfloat16 would round more than the formats that are compared here.
model = load_lm().to(profile.device)
heldout = load_tokens("heldout").astype(np.int64)
starts = np.random.default_rng(0).integers(0, len(heldout) - 512, 8)
texts = torch.from_numpy(heldout[starts[:, None] + np.arange(512)]).to(profile.device)
with torch.inference_mode():
    memory = model.model(texts, use_cache=True).past_key_values
weight_bytes = sum(p.nbytes for p in model.parameters())
memory_bytes = sum(layer.keys.nbytes + layer.values.nbytes for layer in memory.layers)
print(f"weights              {weight_bytes / 2**20:6.2f} MiB")
print(f"keys and values      {memory_bytes / 2**20:6.2f} MiB for 8 texts of 512 tokens")
print(f"memory / weights     {memory_bytes / weight_bytes:6.2f}")
# %% [markdown] items="1.2.C10"
# **What happened.** The weights are stored once; the cache grows with every token of every conversation.
# Eight short ones outweigh this model. Each step of decoding reads all of it, so its bytes are also time.
#
# Quantizing the weights, the business of lessons 1 to 4, does not touch it. This lesson does.
# %% [markdown] items="1.2.C10"
# ## One scale for each token and head
#
# The keys of one layer: $K$ of shape (heads, tokens, head_dim). A token arrives, is stored, and stays. So its
# scale must be known at that moment, from its own numbers only:
#
# $$s_{h,t} = \max_d |K_{h,t,d}| / q_{max}, \qquad \hat K_{h,t,d} = s_{h,t}\, C_{h,t,d}.$$
#
# INT8 has $q_{max} = 127$ and rounds to whole numbers. FP8 **E4M3** has $q_{max} = 448$ and rounds to 4
# significant bits. Both take one byte.
# %% [markdown] items="1.2.C10 1.2.C9"
# ## Saturate by yourself
#
# A number beyond the largest must become the largest. Libraries differ: in the versions of this course, torch's cast to
# E4M3 gives 448 for 500, ml_dtypes' gives NaN; and torch's cast to E5M2 gives infinity for 60,000. Clamp
# **before** the cast, and the result is the same everywhere.
# %% role="given" id="saturation"
import ml_dtypes

beyond = np.array([500.0, -1000.0], np.float32)
print("torch, E4M3            ", torch.from_numpy(beyond).to(torch.float8_e4m3fn).float().tolist())
with np.errstate(all="ignore"):
    print("ml_dtypes, E4M3        ", beyond.astype(ml_dtypes.float8_e4m3fn).astype(float).tolist())
print("torch, E5M2, times 200 ", torch.from_numpy(200 * beyond).to(torch.float8_e5m2).tolist())
clamped = torch.from_numpy(beyond).clamp(-448, 448)
print("clamped first          ", clamped.to(torch.float8_e4m3fn).float().tolist())


# %% [markdown] items="1.2.C10 1.2.K7"
# ### Exercise: quantize keys or values
#
# <details><summary>Hint 1</summary>Widen to float32 first: in float16 a small amax divided by 448 underflows.</details>
# <details><summary>Hint 2</summary><code>x.abs().amax(dim=-1, keepdim=True)</code> gives the shape of the scales.</details>
# <details><summary>Hint 3</summary>Round and clamp for INT8; for E4M3 clamp to 448, and the cast rounds.</details>
# %% role="exercise" id="kv-quantize" items="1.2.C10 1.2.K7" minutes=12
def kv_quantize(x: torch.Tensor, fmt: str = "int8") -> tuple[torch.Tensor, torch.Tensor]:
    """Codes of one byte for keys or values, with one scale for each token and head.

    x is widened to float32. scale = max|x| over head_dim, divided by 127 ("int8") or 448 ("e4m3").
    codes = x / scale, rounded to nearest with ties to even (to whole numbers, or to E4M3's values),
    within [-127, 127] or [-448, 448]. A row of zeros has scale 1.0.

    Args:
        x: (heads, tokens, head_dim), float32, float16 or bfloat16. tokens may be 0. Not changed.
        fmt: "int8" or "e4m3".

    Returns:
        codes: torch.int8 or torch.float8_e4m3fn, shape of x.
        scales: float32, (heads, tokens, 1); codes * scales restores x.

    Raises:
        ValueError: another fmt, x not three-dimensional, or a NaN or an infinity in it.

    >>> codes, scales = kv_quantize(torch.tensor([[[-127.0, 3.0, 0.5]], [[0.0, 63.5, 1.0]]]))
    >>> codes.tolist(), scales.flatten().tolist()
    ([[[-127, 3, 0]], [[0, 127, 2]]], [1.0, 0.5])
    """
    ### BEGIN SOLUTION
    formats = {"int8": (127.0, torch.int8), "e4m3": (448.0, torch.float8_e4m3fn)}
    if fmt not in formats:
        raise ValueError(f"fmt is {fmt!r}: choose int8 or e4m3.")
    if x.ndim != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}: give (heads, tokens, head_dim).")
    if not torch.isfinite(x).all():
        raise ValueError("x holds a NaN or an infinity: look for it before the cache.")
    top, dtype = formats[fmt]
    x = x.float()
    amax = x.abs().amax(dim=-1, keepdim=True)
    scales = torch.where(amax > 0, amax / top, torch.ones_like(amax))
    ratio = (x / scales).clamp(-top, top)
    return (ratio.round() if fmt == "int8" else ratio).to(dtype), scales
    ### END SOLUTION


# %% role="check" id="kv-quantize" points=5
check("kv-quantize", kv_quantize)
# %% [markdown]
# ## Decode with it
#
# transformers keeps keys and values in a cache of layers. The next cell replaces its layer by one that passes
# each new token through two functions before it is stored: what attention then reads has been quantized,
# token by token, with nothing known of the future.
# %% role="given" id="harness"
from transformers.cache_utils import DynamicCache, DynamicLayer


class ChangedLayer(DynamicLayer):
    """A cache layer that stores `change_keys(keys)` and `change_values(values)`."""

    def __init__(self, change_keys, change_values):
        super().__init__()
        self.change = change_keys, change_values

    def update(self, keys, values, *args, **kwargs):
        new = [
            torch.stack([f(x) for x in t]).to(t.dtype)
            for f, t in zip(self.change, (keys, values), strict=True)
        ]
        return super().update(*new)


def changed_cache(change_keys, change_values):
    """A fresh cache for the shipped model; each function maps (heads, tokens, head_dim) to the same."""
    cache = DynamicCache()
    cache.layer_class_to_replicate = None
    cache.layers = [ChangedLayer(change_keys, change_values) for _ in memory.layers]
    return cache


def logits_with(change_keys, change_values):
    """Logits of the first four texts, (4, 512, vocabulary) float32, with a changed cache."""
    with torch.inference_mode():
        cache = changed_cache(change_keys, change_values)
        return model(texts[:4], past_key_values=cache, use_cache=True).logits.float()


def compare(logits):
    """KL to the unchanged model in nats by position (512,), top-1 agreement, perplexity."""
    p, q = exact.double().log_softmax(-1), logits.double().log_softmax(-1)
    kl = (p.exp() * (p - q)).sum(-1).mean(0).cpu().numpy()
    agree = float((exact.argmax(-1) == logits.argmax(-1)).double().mean())
    loss = -torch.gather(q[:, :-1], -1, texts[:4, 1:, None]).mean()
    return kl, agree, math.exp(float(loss))


def unchanged(x):
    return x


def restored(fmt):
    """Quantize and restore with your function."""

    def change(x):
        codes, scales = kv_quantize(x, fmt)
        return codes.float() * scales

    return change


def direct_cast(x):
    return x.float().clamp(-448, 448).to(torch.float8_e4m3fn).float()


exact = logits_with(unchanged, unchanged)
# %% [markdown] items="1.2.C10"
# **Predict.** INT8 and E4M3 both take one byte and one scale. E4M3 is the newer format, made for neural
# networks. By which factor is the KL divergence with E4M3 larger (above 1) or smaller (below 1) than with INT8?
# %% role="predict" id="predict-fp8"
my_kl_ratio = ...
# %% role="given" id="formats"
one_byte = {
    "INT8, scaled": restored("int8"),
    "E4M3, scaled": restored("e4m3"),
    "E4M3, no scale": direct_cast,
}
kl_by_format = {}
for name, change in one_byte.items():
    kl, agree, ppl = compare(logits_with(change, change))
    kl_by_format[name] = kl
    print(f"{name:15s} KL {kl.mean():.2e} nats, top-1 agreement {agree:.4f}, perplexity {ppl:.3f}")
print(f"{'float':15s} {'perplexity':>50s} {compare(exact)[2]:.3f}")
kl_ratio = kl_by_format["E4M3, scaled"].mean() / kl_by_format["INT8, scaled"].mean()
reveal(my_kl_ratio, kl_ratio, tolerance=0.3)
# %% [markdown]
# **What you should see.** E4M3 is 10 to 30 times worse in KL. Its 3 mantissa bits give a relative error of
# up to 1/16 to **every** number, large ones too; INT8's 255 even steps serve a row of 64 ordinary numbers better.
# In return E4M3 needs the scale less: cast directly, it is hardly worse.
#
# Perplexity moves in its second decimal or not at all, and may fall by luck. KL and agreement see the difference.
# %%
windows = [(0, 32), (32, 64), (64, 128), (128, 256), (256, 512)]
show(
    curves(
        [high for _, high in windows],
        {name: [kl[a:b].mean() for a, b in windows] for name, kl in kl_by_format.items()},
        xlabel="context, tokens (end of the window)",
        ylabel="KL, nats",
        logy=True,
        title="A longer context does not add up the errors",
    ),
    alt="KL divergence against context length from 32 to 512 tokens, logarithmic in KL, for INT8, scaled E4M3 and "
    "E4M3 without a scale. All three lines are nearly level; INT8 lies more than ten times below the others.",
)
# %% [markdown]
# **What you should see.** Nearly level lines. Attention averages over tokens, and the rounding errors of
# different tokens are independent: they average out as fast as they come in.
# %% [markdown] items="1.2.C10 1.2.K7"
# ## Count the bytes
#
# Keys **and** values, for each layer, each key-value head, each token, each conversation. With grouped-query
# attention several query heads share one key-value head: only the latter are stored. A row of head_dim
# numbers takes $\lceil head\_dim \cdot bits / 8 \rceil$ bytes, and its scale comes on top.
#
# The scale is no detail: 32 bits for 64 numbers are half a bit a number.


# %% [markdown] items="1.2.C10 1.2.K7"
# ### Exercise: bytes of a cache
#
# <details><summary>Hint</summary>Count the rows first, and multiply by the bytes of one row; round up inside a row.</details>
# %% role="exercise" id="kv-bytes" items="1.2.C10 1.2.K7" minutes=8
def kv_cache_bytes(
    config: dict, tokens: int, batch: int = 1, bits: int = 16, scale_bits: int = 0
) -> tuple[int, int]:
    """Bytes of keys and values, and of their scales, exactly.

    A row is one token of one key-value head in keys or in values: head_dim numbers of `bits` bits,
    filled up to whole bytes, and one scale of `scale_bits` bits.

    Args:
        config: "num_hidden_layers", "num_attention_heads", "hidden_size"; "num_key_value_heads" may be
            missing: as many as attention heads; "head_dim" may be missing: hidden_size // attention heads.
        tokens: in each conversation, 0 or more.
        batch: conversations at once, 1 or more.
        bits: of one number: 2, 3, 4, 8, 16 or 32.
        scale_bits: 0 (no scale), 8, 16 or 32.

    Returns:
        payload_bytes, scale_bytes: ints.

    Raises:
        ValueError: tokens, batch, bits or scale_bits not as above, or attention heads that are no
            multiple of the key-value heads.

    >>> config = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64}
    >>> kv_cache_bytes(config, tokens=10, bits=8, scale_bits=32)
    (2560, 640)
    """
    ### BEGIN SOLUTION
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads", heads)
    head_dim = config.get("head_dim", config["hidden_size"] // heads)
    if tokens < 0 or batch < 1:
        raise ValueError(f"tokens={tokens}, batch={batch}: give tokens >= 0 and batch >= 1.")
    if bits not in (2, 3, 4, 8, 16, 32) or scale_bits not in (0, 8, 16, 32):
        raise ValueError(f"bits={bits}, scale_bits={scale_bits}: not a width of this exercise.")
    if heads % kv_heads:
        raise ValueError(f"{heads} attention heads cannot share {kv_heads} key-value heads.")
    rows = 2 * config["num_hidden_layers"] * kv_heads * tokens * batch
    return rows * -(-head_dim * bits // 8), rows * scale_bits // 8
    ### END SOLUTION


# %% role="check" id="kv-bytes" points=3
check("kv-bytes", kv_cache_bytes)
# %%
shapes = {
    "shipped model": model.config.to_dict(),
    "Llama-2-7B": {"num_hidden_layers": 32, "num_attention_heads": 32, "hidden_size": 4096},
    "Llama-3-8B": {
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "hidden_size": 4096,
        "num_key_value_heads": 8,
    },
}
print("MiB for one conversation of 4,096 tokens (float32 scales)")
for name, config in shapes.items():
    sizes = [sum(kv_cache_bytes(config, 4096, 1, *w)) for w in ((16, 0), (8, 32), (4, 32))]
    print(f"{name:14s}" + "".join(f"  {s / 2**20:8.1f}" for s in sizes) + "   16, 8 and 4 bits")
lengths = [64, 128, 256, 512, 1024, 2048, 4096]
shipped = shapes["shipped model"]
show(
    curves(
        lengths,
        {
            label: [sum(kv_cache_bytes(shipped, t, 1, *w)) / 2**20 for t in lengths]
            for label, w in {"16 bits": (16, 0), "8 bits": (8, 32), "4 bits": (4, 32)}.items()
        },
        xlabel="context, tokens",
        ylabel="MiB",
        title="One conversation of the shipped model, scales included",
    ),
    alt="Cache size in MiB against context length up to 4,096 tokens: three straight lines through zero for 16, 8 and "
    "4 bits. Eight bits take a little more than half of sixteen, four bits a little more than a quarter.",
)
counted = sum(kv_cache_bytes(shipped, 512, 8, bits=8 * memory.layers[0].keys.element_size()))
print(f"counted for the opening's cache {counted:,} bytes, weighed {memory_bytes:,} bytes")
# %% [markdown] items="1.2.C10"
# ## Attention on codes
#
# One scale for each token and head leaves the sum. With a query $q$ (head_dim,) and a token $t$:
#
# $$q \cdot \hat k_t = s_t \,(q \cdot C_t), \qquad \sum_t p_t \hat v_t = \sum_t (p_t s'_t)\, C'_t.$$
# %% [markdown] items="1.2.C10"
# So a kernel reads one byte a number and multiplies by the scale once a row: on the scores before the softmax, on
# the probabilities after it. Nothing is restored in memory. Query head $i$ of $n$ reads key-value head
# $\lfloor i \cdot heads / n \rfloor$.


# %% [markdown] items="1.2.C10 1.2.K7"
# ### Exercise: a cache that holds codes
#
# Use your `kv_quantize`. Only codes and scales are kept; no token is rounded twice.
#
# <details><summary>Hint 1</summary>Quantize only what is new, and join it with <code>torch.cat</code> along the
# tokens. Check and quantize everything before you store anything.</details>
# <details><summary>Hint 2</summary><code>repeat_interleave(n // heads, dim=0)</code> gives each query head its
# keys.</details>
# <details><summary>Hint 3</summary><code>torch.cat</code> takes int8 and float8; arithmetic wants
# <code>.float()</code>.</details>
# %% role="exercise" id="kv-cache" items="1.2.C10 1.2.K7" minutes=20
class KVCache:
    """Keys and values of one layer as codes of one byte and a float32 scale for each token and head.

    It holds these tensors in its attributes, and no other copy of a token: together they have
    size_bytes() bytes at any time. What is stored is never rounded again.

    Args:
        heads, head_dim: key-value heads, and numbers in each of their vectors.
        fmt: "int8" or "e4m3", as for kv_quantize.

    >>> cache = KVCache(heads=1, head_dim=2)
    >>> cache.append(torch.tensor([[[127.0, 0.0]]]), torch.tensor([[[1.0, 1.0]]]))
    >>> cache.append(torch.tensor([[[127.0, 0.0]]]), torch.tensor([[[3.0, 3.0]]]))
    >>> len(cache), cache.size_bytes(), cache.attend(torch.tensor([[1.0, 5.0]])).tolist()
    (2, 24, [[2.0, 2.0]])
    """

    def __init__(self, heads: int, head_dim: int, fmt: str = "int8"):
        ### BEGIN SOLUTION
        self.shape, self.fmt = (heads, head_dim), fmt
        empty = torch.zeros(heads, 0, head_dim)
        self.keys, self.values = kv_quantize(empty, fmt), kv_quantize(empty, fmt)
        ### END SOLUTION

    def append(self, key: torch.Tensor, value: torch.Tensor) -> None:
        """Store one or more tokens: key and value (heads, new, head_dim), on one device.

        Raises:
            ValueError: shapes that do not fit the cache or each other, or a NaN or an infinity;
                the cache then stays as it was.
        """
        ### BEGIN SOLUTION
        heads, head_dim = self.shape
        wanted = (heads, key.shape[1] if key.ndim == 3 else 1, head_dim)
        if tuple(key.shape) != wanted or tuple(value.shape) != wanted:
            raise ValueError(
                f"key {tuple(key.shape)} and value {tuple(value.shape)} must both be "
                f"({heads}, new, {head_dim})."
            )
        new = kv_quantize(key, self.fmt), kv_quantize(value, self.fmt)
        self.keys, self.values = (
            tuple(torch.cat([o.to(n.device), n], dim=1) for o, n in zip(old, fresh, strict=True))
            for old, fresh in zip((self.keys, self.values), new, strict=True)
        )
        ### END SOLUTION

    def __len__(self) -> int:
        """Tokens stored so far."""
        ### BEGIN SOLUTION
        return self.keys[0].shape[1]
        ### END SOLUTION

    def size_bytes(self) -> int:
        """Bytes of all codes and scales, keys and values."""
        ### BEGIN SOLUTION
        return sum(t.nbytes for t in (*self.keys, *self.values))
        ### END SOLUTION

    def attend(self, query: torch.Tensor) -> torch.Tensor:
        """softmax(query . keys / sqrt(head_dim)) times values, over all stored tokens.

        Args:
            query: (query_heads, head_dim) floats; query_heads is a multiple of heads, and query head i
                reads key-value head i * heads // query_heads.

        Returns:
            float32, (query_heads, head_dim).

        Raises:
            ValueError: an empty cache, a query of another shape, or a NaN or an infinity in it.
        """
        ### BEGIN SOLUTION
        heads, head_dim = self.shape
        if not len(self):
            raise ValueError("The cache is empty: append a token first.")
        if query.ndim != 2 or query.shape[1] != head_dim or query.shape[0] % heads:
            raise ValueError(
                f"query {tuple(query.shape)} must be (a multiple of {heads}, {head_dim})."
            )
        if not torch.isfinite(query).all():
            raise ValueError("The query holds a NaN or an infinity.")
        q = query.float().reshape(heads, -1, head_dim)  # query heads of one group side by side
        (k, k_scales), (v, v_scales) = self.keys, self.values
        scores = (q @ k.float().mT) * k_scales.mT / math.sqrt(head_dim)
        out = (torch.softmax(scores, dim=-1) * v_scales.mT) @ v.float()
        return out.reshape(-1, head_dim)
        ### END SOLUTION


# %% role="check" id="kv-cache" points=6
check("kv-cache", KVCache)
# %% [markdown]
# ## The error of attention against the context
#
# Real keys, values and queries of the shipped model, stored token by token in your cache. For each length the last
# token's query attends; the exact answer is computed in float64.
# %%
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

queries, unrotated_keys = [], []


def keep_queries(attention, args, kwargs):
    hidden = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
    q = attention.q_proj(hidden).reshape(*hidden.shape[:2], -1, attention.head_dim).transpose(1, 2)
    queries.append(apply_rotary_pos_emb(q, q, *kwargs["position_embeddings"])[0])
    keys = attention.k_proj(hidden).reshape(*hidden.shape[:2], -1, attention.head_dim)
    unrotated_keys.append(keys.transpose(1, 2))


hooks = [
    layer.self_attn.register_forward_pre_hook(keep_queries, with_kwargs=True)
    for layer in model.model.layers
]
with torch.inference_mode():
    seen = model.model(texts[:2], use_cache=True).past_key_values
for hook in hooks:
    hook.remove()


def exact_attention(q, k, v):
    """float64 attention of q (query_heads, head_dim) over k and v (heads, tokens, head_dim)."""
    group = q.shape[0] // k.shape[0]
    k, v = (t.double().repeat_interleave(group, 0) for t in (k, v))
    scores = torch.einsum("hd,htd->ht", q.double(), k) / math.sqrt(q.shape[1])
    return torch.einsum("ht,htd->hd", scores.softmax(-1), v)


contexts = [16, 32, 64, 128, 256, 512]
output_error = {"INT8": [], "E4M3": []}
for name, errors in output_error.items():
    for length in contexts:
        ratios = []
        for at, layer in enumerate(seen.layers):
            for row in range(2):
                k, v = layer.keys[row, :, :length], layer.values[row, :, :length]
                cache = KVCache(k.shape[0], k.shape[2], name.lower())
                for half in (slice(0, length - 1), slice(length - 1, length)):
                    cache.append(k[:, half], v[:, half])
                want = exact_attention(queries[at][row, :, length - 1], k, v)
                got = cache.attend(queries[at][row, :, length - 1])
                ratios.append(float((got - want).norm() / want.norm()))
        errors.append(float(np.mean(ratios)))
show(
    curves(
        contexts,
        {name: [100 * e for e in errors] for name, errors in output_error.items()},
        xlabel="context, tokens",
        ylabel="error of the output, %",
        title="Attention output, mean over layers and two texts",
    ),
    alt="Relative error of the attention output in per cent against context length from 16 to 512 tokens: the E4M3 line "
    "lies several times above the INT8 line, and neither rises steadily with the context.",
)
for name, errors in output_error.items():
    print(f"{name}  " + "  ".join(f"{t}: {e:.2%}" for t, e in zip(contexts, errors, strict=True)))
# %% [markdown]
# **What you should see.** About 1 % for INT8, 3 to 6 % for E4M3, and no steady growth with the context: over 32 times as
# many tokens INT8's grows by half at most. What grows is the bytes, as a straight line.
# %% [markdown] items="1.2.C10"
# ## Below eight bits: which axis?
#
# A cache in 2 to 4 bits needs finer scales. Liu et al. (KIVI, 2024) found a few channels with large keys in every
# token of large models, which widen the step of every row. A scale **for each channel**, shared by
# 32 tokens, contains them. The price: the scale is only known when the group is full. The newest tokens, fewer than a
# group, wait in full precision: the **residual**.


# %% [markdown] items="1.2.C10 1.2.K7"
# ### Exercise: keys in groups along the channel
#
# <details><summary>Hint 1</summary><code>whole = tokens // group * group</code>; what is behind it is the residual.</details>
# <details><summary>Hint 2</summary>Reshape the whole part to (heads, groups, group, head_dim) and reduce axis 2.</details>
# %% role="exercise" id="kv-key-groups" items="1.2.C10 1.2.K7" minutes=12
def key_group_quantize(
    x: torch.Tensor, bits: int = 2, group: int = 32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Symmetric codes with one scale for each head, channel and group of consecutive tokens.

    Only whole groups from the first token on are quantized. x is widened to float32; scale = max|x|
    of a channel over the group's tokens, divided by qmax = 2**(bits - 1) - 1; codes = round(x / scale),
    ties to even, in [-qmax, qmax]. A channel of zeros has scale 1.0.

    Args:
        x: (heads, tokens, head_dim) floats; tokens may be 0. Not changed.
        bits: 2 to 8.
        group: tokens that share a scale, 1 or more.

    Returns:
        codes: int8, (heads, whole, head_dim) with whole = tokens // group * group.
        scales: float32, (heads, whole // group, head_dim).
        residual: float32, (heads, tokens - whole, head_dim), the last tokens as they are.

    Raises:
        ValueError: bits or group not as above, x not three-dimensional, a NaN or an infinity.

    >>> x = torch.tensor([[[3.0, 0.1], [-6.0, 0.2], [1.0, 0.3]]])
    >>> codes, scales, residual = key_group_quantize(x, bits=3, group=2)
    >>> codes.tolist(), [round(s, 4) for s in scales.flatten().tolist()], residual.shape
    ([[[2, 2], [-3, 3]]], [2.0, 0.0667], torch.Size([1, 1, 2]))
    """
    ### BEGIN SOLUTION
    if not 2 <= bits <= 8 or group < 1:
        raise ValueError(f"bits={bits}, group={group}: give 2 to 8 bits and a group of 1 or more.")
    if x.ndim != 3 or not torch.isfinite(x).all():
        raise ValueError("x must be (heads, tokens, head_dim) with finite numbers.")
    heads, tokens, head_dim = x.shape
    count, top = tokens // group, 2 ** (bits - 1) - 1
    parts = x[:, : count * group].float().reshape(heads, count, group, head_dim)
    amax = parts.abs().amax(dim=2, keepdim=True)
    scales = torch.where(amax > 0, amax / top, torch.ones_like(amax))
    codes = torch.round(parts / scales).clamp(-top, top).to(torch.int8)
    residual = x[:, count * group :].float().clone()
    return codes.reshape(heads, count * group, head_dim), scales.squeeze(2), residual
    ### END SOLUTION


# %% role="check" id="kv-key-groups" points=4
check("kv-key-groups", key_group_quantize)


# %% role="given" id="axes"
def by_token(bits):
    """Round to `bits` with one scale for each token and head."""
    top = 2 ** (bits - 1) - 1

    def change(x):
        scales = x.float().abs().amax(-1, keepdim=True).clamp(min=1e-12) / top
        return torch.round(x.float() / scales).clamp(-top, top) * scales

    return change


def by_channel(bits, group=32):
    """The same with one scale for each channel and group of tokens; the residual stays."""

    def change(x):
        codes, scales, residual = key_group_quantize(x, bits, group)
        return torch.cat([codes.float() * scales.repeat_interleave(group, 1), residual], 1)

    return change


def axis_error(tensor, change):
    """Relative error of the round trip of one text's keys or values, per cent."""
    return 100 * float((change(tensor) - tensor.float()).norm() / tensor.float().norm())


def draw_axes(bits=2, layer=3, group=32):
    k, v = seen.layers[layer].keys[0], seen.layers[layer].values[0]
    errors = {
        "keys, by token": axis_error(k, by_token(bits)),
        "keys, by channel": axis_error(k, by_channel(bits, group)),
        "values, by token": axis_error(v, by_token(bits)),
        "values, by channel": axis_error(v, by_channel(bits, group)),
    }
    fig = bars(errors, unit="%", title=f"Round trip in {bits} bits, layer {layer}")
    listed = ", ".join(f"{name} {error:.1f}" for name, error in errors.items())
    return fig, f"Relative error in per cent with {bits} bits in layer {layer}: {listed}."


explore(draw_axes, bits=(2, 8, 1), layer=(0, 3, 1), group=[32, 8, 16, 64, 128])
# %%
axis_kl = {}
for bits in (4, 2):
    for which in ("keys", "values"):
        for axis, method in (("token", by_token), ("channel", by_channel)):
            change = method(bits)
            pair = (change, unchanged) if which == "keys" else (unchanged, change)
            kl, agree, ppl = compare(logits_with(*pair))
            axis_kl[bits, which, axis] = kl.mean()
            print(
                f"{bits} bits, {which:6s} by {axis:7s}  KL {kl.mean():.2e}  agreement {agree:.3f}  "
                f"perplexity {ppl:.2f}"
            )
key_gain = axis_kl[2, "keys", "token"] / axis_kl[2, "keys", "channel"]
value_gain = axis_kl[2, "values", "token"] / axis_kl[2, "values", "channel"]
print(f"2 bits: channels beat tokens {key_gain:.1f} times for keys, {value_gain:.1f} for values")
# %% [markdown]
# **What you should see.** For keys the channel wins clearly, two to five times in KL. For values the two are close (KIVI
# keeps values by token: no residual to wait for). Two-bit keys by token wreck the model.
#
# One honest gap: all 512 tokens are read at once here, so a token already meets its own group's codes. In real decoding it would
# still be in the residual.
# %% [markdown] items="1.2.C10"
# ## Fewer numbers instead of fewer bits
#
# If the rows of $V_h$ (tokens, head_dim) lie near a subspace of dimension $r$, store coordinates. The singular value decomposition
# $V_h = U \Sigma B$ gives the best rank $r$:
#
# $$\hat V_h = L_r B_r, \quad L_r = U_r \Sigma_r \text{ (tokens, r)}, \quad B_r \text{ (r, head\_dim)}.$$
# %% [markdown] items="1.2.C10"
# The **energy** kept is $\sum_{i \le r}\sigma_i^2 / \sum_i \sigma_i^2$; the squared error is the rest. $r \cdot (tokens + head\_dim)$
# numbers replace $tokens \cdot head\_dim$.


# %% [markdown] items="1.2.C10"
# ### Exercise: a cache of low rank
#
# <details><summary>Hint 1</summary><code>torch.linalg.svd(x, full_matrices=False)</code> works on all heads at once; its third
# result already is transposed.</details>
# <details><summary>Hint 2</summary>There are min(tokens, head_dim) singular values, and no rank beyond.</details>
# %% role="exercise" id="kv-low-rank" items="1.2.C10" minutes=10
def low_rank(x: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The best approximation of rank `rank` for each head, in two factors.

    Args:
        x: (heads, tokens, head_dim) floats. It is not centred, and not changed.
        rank: 1 to min(tokens, head_dim).

    Returns:
        left: float32, (heads, tokens, rank).
        basis: float32, (heads, rank, head_dim), orthonormal rows; left @ basis approximates x.
        energy: float32, (heads,): the share of x's squared norm that is kept; 1.0 for a head of zeros.

    Raises:
        ValueError: an impossible rank, x not three-dimensional, a NaN or an infinity.

    >>> x = torch.tensor([[[3.0, 0.0], [0.0, 4.0]]])
    >>> left, basis, energy = low_rank(x, rank=1)
    >>> (left @ basis).abs().tolist(), round(float(energy[0]), 4)
    ([[[0.0, 0.0], [0.0, 4.0]]], 0.64)
    """
    ### BEGIN SOLUTION
    if x.ndim != 3 or not torch.isfinite(x).all():
        raise ValueError("x must be (heads, tokens, head_dim) with finite numbers.")
    if not 1 <= rank <= min(x.shape[1:]):
        raise ValueError(f"rank={rank}: {tuple(x.shape)} allows 1 to {min(x.shape[1:])}.")
    u, s, basis = torch.linalg.svd(x.float(), full_matrices=False)
    total, kept = (s**2).sum(-1), (s[:, :rank] ** 2).sum(-1)
    energy = torch.where(total > 0, kept / total, torch.ones_like(total))
    return u[:, :, :rank] * s[:, None, :rank], basis[:, :rank], energy
    ### END SOLUTION


# %% role="check" id="kv-low-rank" points=4
check("kv-low-rank", low_rank)


# %%
def of_rank(rank):
    def change(x):
        left, basis, _ = low_rank(x, rank)
        return left @ basis

    return change


rank_kl = {"keys": [], "values": []}
ranks = (48, 32, 16)
full_numbers = 512 * seen.layers[0].keys.shape[-1]
for rank in ranks:
    share = rank * (512 + seen.layers[0].keys.shape[-1]) / full_numbers
    for which in ("keys", "values"):
        energies = [low_rank(getattr(t, which)[0], rank)[2].mean().item() for t in seen.layers]
        change = of_rank(rank)
        pair = (change, unchanged) if which == "keys" else (unchanged, change)
        kl, agree, _ = compare(logits_with(*pair))
        rank_kl[which].append(kl.mean())
        print(
            f"rank {rank}, {which:6s}  {share:4.0%} of the numbers  energy {np.mean(energies):.4f}  "
            f"KL {kl.mean():.1e}  agreement {agree:.3f}"
        )
show(
    curves(
        ranks,
        rank_kl,
        xlabel="rank of 64",
        ylabel="KL, nats",
        logy=True,
        title="Values are of low rank, keys are not",
    ),
    alt="KL divergence against the rank kept, 16, 32 and 48 of 64, on a logarithmic axis. The line of the values lies "
    "hundreds of times or more below the line of the keys at 32 and 48.",
)
before, after = (
    np.mean([low_rank(t[0], 32)[2].mean().item() for t in tensors])
    for tensors in (unrotated_keys, [layer.keys for layer in seen.layers])
)
print(f"energy of keys in rank 32: before the rotary embedding {before:.4f}, after it {after:.4f}")
# %% [markdown]
# **What you should see.** This model's values fit half the rank with less damage than INT8 codes do; its keys at half the
# rank do harm. The last line says why: before the rotary embedding the keys are of lower rank. It turns them with the
# position, and spreads them over more directions.
#
# The basis needs the whole text first: a serving system would fix it beforehand.
# %% [markdown] items="1.2.C9"
# ## FP8 in training: yesterday's scale
#
# A training step in FP8 casts weights and activations to **E4M3** (precision) for the forward pass and gradients to **E5M2** (range) for
# the backward. Finding amax before casting would read the tensor twice. **Delayed scaling** uses the past: the largest amax of the
# last $H$ steps,
#
# $$scale = \frac{fp8_{max}}{\max(amax_{t-H}, \dots, amax_{t-1})} \cdot 2^{-margin}.$$
# %% [markdown] items="1.2.C9"
# Codes are $x \cdot scale$: here the scale **multiplies**. If amax jumps, values beyond fp8_max saturate, and the margin is room for that.


# %% [markdown] items="1.2.C9"
# ### Exercise: delayed scaling
#
# <details><summary>Hint 1</summary><code>collections.deque(maxlen=history)</code> forgets the oldest by itself.</details>
# <details><summary>Hint 2</summary>Order: cast with the old scale, count, record amax, then set the new scale.</details>
# %% role="exercise" id="fp8-delayed-scale" items="1.2.C9" minutes=14
class DelayedScaling:
    """A per-tensor FP8 scale from the amax of the last `history` steps.

    Args:
        fmt: "e4m3" (fp8_max 448) or "e5m2" (fp8_max 57344).
        history: how many past steps count, 1 or more.
        margin: powers of two left free, an int of 0 or more.

    Attributes:
        scale: a float, 1.0 at first.

    Raises:
        ValueError: fmt, history or margin not as above.

    >>> scaling = DelayedScaling("e4m3", history=2)
    >>> codes, overflowed = scaling.quantize(torch.tensor([1.5, -2.0]))
    >>> codes.float().tolist(), overflowed, scaling.scale
    ([1.5, -2.0], 0, 224.0)
    >>> scaling.quantize(torch.tensor([1.0, 4.0]))[1], scaling.scale
    (1, 112.0)
    """

    def __init__(self, fmt: str = "e4m3", history: int = 16, margin: int = 0):
        ### BEGIN SOLUTION
        formats = {"e4m3": (448.0, torch.float8_e4m3fn), "e5m2": (57344.0, torch.float8_e5m2)}
        if fmt not in formats or history < 1 or margin < 0:
            raise ValueError(f"fmt={fmt!r}, history={history}, margin={margin} is not possible.")
        self.fp8_max, self.dtype = formats[fmt]
        self.history, self.margin = history, margin
        self.amaxes: list[float] = []
        self.scale = 1.0
        ### END SOLUTION

    def quantize(self, x: torch.Tensor) -> tuple[torch.Tensor, int]:
        """Cast x * scale with the scale so far, then learn from x for the next step.

        After the cast, max|x| joins the history, which keeps its last `history` entries. The new scale is
        fp8_max / (largest of the history) / 2**margin; if that largest is 0, the scale stays.

        Args:
            x: floats of any shape, at least one element. Not changed.

        Returns:
            codes: torch.float8_e4m3fn or torch.float8_e5m2, shape of x; beyond +-fp8_max saturated.
            overflowed: int, the elements with |x| * scale > fp8_max.

        Raises:
            ValueError: a NaN or an infinity, or no element; history and scale then stay as they were.
        """
        ### BEGIN SOLUTION
        if not x.numel() or not torch.isfinite(x).all():
            raise ValueError("x needs an element or more, all finite: skip this step.")
        scaled = x.float() * self.scale
        overflowed = int((scaled.abs() > self.fp8_max).sum())
        codes = scaled.clamp(-self.fp8_max, self.fp8_max).to(self.dtype)
        self.amaxes = [*self.amaxes, float(x.abs().max())][-self.history :]
        if max(self.amaxes) > 0:
            self.scale = self.fp8_max / max(self.amaxes) / 2**self.margin
        return codes, overflowed
        ### END SOLUTION


# %% role="check" id="fp8-delayed-scale" points=5
check("fp8-delayed-scale", DelayedScaling)
# %% [markdown]
# ## Real gradients, and a jump
#
# The gradient of the loss with respect to a layer's output, from the shipped model and fresh texts. At step 8 the loss is
# multiplied by 30: a bad batch. The relative error of the restored gradient is measured with three settings.
# %%
trainable = load_lm().to(profile.device)
outputs = []
trainable.model.layers[2].mlp.register_forward_hook(lambda m, i, out: outputs.append(out))
trainable.model.embed_tokens.weight.requires_grad_(True)
train_tokens = load_tokens("train").astype(np.int64)
gradients = []
for step in range(12):
    at = step * 5000
    batch = torch.from_numpy(train_tokens[at : at + 128])[None].to(profile.device)
    outputs.clear()
    loss = trainable(batch, labels=batch, use_cache=False).loss * (30 if step == 8 else 1)
    gradients.append(torch.autograd.grad(loss, outputs[0])[0].float())
settings = {
    "E4M3, margin 0": ("e4m3", 0),
    "E5M2, margin 0": ("e5m2", 0),
    "E5M2, margin 5": ("e5m2", 5),
}
jump_error = {}
for name, (fmt, margin) in settings.items():
    scaling, errors, over = DelayedScaling(fmt, history=4, margin=margin), [], []
    for gradient in gradients:
        used = scaling.scale
        codes, overflowed = scaling.quantize(gradient)
        errors.append(float((codes.float() / used - gradient).norm() / gradient.norm()))
        over.append(overflowed)
    jump_error[name] = errors[8]
    shown = "  ".join(f"{errors[i]:.3f}" for i in (0, 1, 7, 8, 9))
    print(f"{name}  error at steps 0, 1, 7, 8, 9: {shown}  overflowed at 8: {over[8]:,}")
reach = gradients[1].abs()
nonzero = reach[reach > 0]
print(f"values from {nonzero.min():.1e} to {nonzero.max():.1e}, {nonzero.numel():,} that are not 0")
for fmt, dtype, top in (("E4M3", torch.float8_e4m3fn, 448.0), ("E5M2", torch.float8_e5m2, 57344.0)):
    lost = [
        float(
            ((nonzero * top / nonzero.max() * 2.0**-shift).to(dtype).float() == 0).double().mean()
        )
        for shift in (0, 4, 8, 12)
    ]
    print(f"{fmt}: lost to zero with margins 0, 4, 8, 12: " + "  ".join(f"{x:.1%}" for x in lost))
# %% [markdown]
# **What you should see.** Step 0 has no past, and scale 1 fits badly: in E4M3 the tiny gradients vanish, E5M2's
# range saves most. At the jump, thousands of values
# saturate, and the error is many times the usual one; a margin that covers the factor 30 avoids it.
#
# With a perfect scale E4M3 has the **smaller** error: one more mantissa bit. E5M2 pays off where the scale is stale: it
# can give away many powers of two before small values vanish, as the last two lines show.
# %% [markdown] items="1.2.C11"
# ## Drift: how far apart are two models?
#
# One number is not enough. With reference logits $a$ and others $b$, both (tokens, vocabulary), report: the largest $|a - b|$; the same relative to
# the largest $|a|$; the mean over tokens of $KL(p_a \| p_b)$ in nats; the share of tokens with the same likeliest token; and the
# **first** token where these differ.
# %% [markdown] items="1.2.C11"
# If the text is the reference's own greedy answer, that last number is where the other model's greedy decoding leaves it.


# %% [markdown] items="1.2.C11"
# ### Exercise: a drift report
#
# <details><summary>Hint 1</summary>Cast to float64 before you subtract: float16 logits overflow in sums of exponentials.</details>
# <details><summary>Hint 2</summary>log-softmax: subtract the row's maximum, then the log of the sum of exponentials.</details>
# %% role="exercise" id="drift-report" items="1.2.C11" minutes=12
def drift_report(reference: np.ndarray, other: np.ndarray) -> dict:
    """Five measures of the distance between two models' logits, computed in float64.

    Args:
        reference, other: (tokens, vocabulary) floats of any width, finite, at least one token.

    Returns:
        a dict: "max_abs": max|reference - other|; "max_relative": that divided by max|reference| (by 1
        where that is 0); "kl_nats": mean over tokens of sum p log(p / q), p from reference, q from
        other; "top1_agreement": share of tokens with the same argmax (the first index among equals);
        "first_divergence": index of the first token where it differs, None where there is none.

    Raises:
        ValueError: shapes that differ or are not two-dimensional, no token, a NaN or an infinity.

    >>> report = drift_report(np.array([[0.0, 2.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [1.0, 1.5]]))
    >>> report["max_abs"], report["top1_agreement"], report["first_divergence"]
    (1.5, 0.5, 1)
    """
    ### BEGIN SOLUTION
    if reference.shape != other.shape or reference.ndim != 2 or not reference.size:
        raise ValueError(f"Shapes {reference.shape} and {other.shape}: give (tokens, vocabulary).")
    a, b = reference.astype(np.float64), other.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("A logit is NaN or infinite: find the overflow before comparing.")

    def log_softmax(x):
        x = x - x.max(axis=1, keepdims=True)
        return x - np.log(np.exp(x).sum(axis=1, keepdims=True))

    p, q = log_softmax(a), log_softmax(b)
    differs = a.argmax(axis=1) != b.argmax(axis=1)
    max_abs = float(np.abs(a - b).max())
    return {
        "max_abs": max_abs,
        "max_relative": max_abs / (float(np.abs(a).max()) or 1.0),
        "kl_nats": float((np.exp(p) * (p - q)).sum(axis=1).mean()),
        "top1_agreement": float(1 - differs.mean()),
        "first_divergence": int(differs.argmax()) if differs.any() else None,
    }
    ### END SOLUTION


# %% role="check" id="drift-report" points=4
check("drift-report", drift_report)
# %% [markdown]
# ## One model in five precisions
#
# The reference is the model in float64, reading its own greedy continuation of a held-out text. The others read the same
# tokens: the model in float32, float16 and bfloat16, with 8-bit weights, and with your INT8 cache.
# %%
plain = load_lm().to(profile.device)
double = load_lm().to(profile.device, torch.float64)
prompt = texts[:1, :48]
with torch.inference_mode():
    story = double.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=96, do_sample=False,
        pad_token_id=0, eos_token_id=None,
    )  # fmt: skip
    own = slice(prompt.shape[1] - 1, story.shape[1] - 1)  # where the continuation is predicted

    def answers(other, **options):
        return other(story, **options).logits[0, own].double().cpu().numpy()

    truth = answers(double, use_cache=False)
    versions = {"float32": answers(plain, use_cache=False)}
    int8_cache = changed_cache(restored("int8"), restored("int8"))
    e4m3_cache = changed_cache(restored("e4m3"), restored("e4m3"))
    versions["INT8 cache"] = answers(plain, past_key_values=int8_cache, use_cache=True)
    versions["E4M3 cache"] = answers(plain, past_key_values=e4m3_cache, use_cache=True)
    rounded = with_weights(plain, lambda name, w: round_to_nearest(w, 8))
    versions["INT8 weights"] = answers(rounded, use_cache=False)
    for dtype in (torch.float16, torch.bfloat16):
        narrow = load_lm().to(profile.device, dtype)
        versions[str(dtype).removeprefix("torch.")] = answers(narrow, use_cache=False)
drifts = {name: drift_report(truth, logits) for name, logits in versions.items()}
print(
    f"{'':13s}{'max abs':>10s}{'relative':>10s}{'KL, nats':>10s}{'agreement':>11s}  first divergence"
)
for name, report in sorted(drifts.items(), key=lambda item: item[1]["kl_nats"]):
    where = report["first_divergence"]
    print(
        f"{name:13s}{report['max_abs']:10.1e}{report['max_relative']:10.1e}{report['kl_nats']:10.1e}"
        f"{report['top1_agreement']:11.3f}  {'none in 96' if where is None else f'token {where}'}"
    )
# %% [markdown] items="1.2.C11"
# **What you should see.** Even float32 is not float64. Each narrower precision drifts further, over many powers of ten, and yet most likeliest
# tokens agree. Where one differs, greedy decoding goes another way from there on: a text that differs says little about
# quality, and one that is equal little about drift. Compare logits, not texts.
# %% [markdown] items="1.2.C11"
# ## The same sum, another result
#
# Each float32 addition rounds, so $(a + b) + c \ne a + (b + c)$. A GPU splits a long sum over threads, and the split depends on the shape, the batch, the
# library and the device. With atomic additions it even depends on which thread comes first. That is how the **same** program on the
# **same** input drifts.


# %% [markdown] items="1.2.C11"
# ### Exercise: a sum in chunks
#
# Imitate the split, bit for bit.
#
# <details><summary>Hint</summary><code>np.sum</code> has an order of its own (pairwise). A loop over <code>np.float32</code> numbers adds
# from left to right; so does <code>np.cumsum</code> in float32.</details>
# %% role="exercise" id="chunked-sum" items="1.2.C11" minutes=8
def chunked_sum(x: np.ndarray, chunk: int) -> np.float32:
    """The sum of x as `len(x) / chunk` workers would make it, each addition rounded to float32.

    Each run of `chunk` consecutive values (the last may be shorter) is added from left to right into a
    partial sum; then the partial sums are added from left to right.

    Args:
        x: (n,) float32; n may be 0: the sum is 0.
        chunk: values for each worker, 1 or more; may exceed n.

    Returns:
        the sum, with the value of a float32.

    Raises:
        ValueError: a chunk below 1.

    >>> x = np.array([1.0, 2.0**-24, 2.0**-24, 2.0**-24], np.float32)
    >>> [float(chunked_sum(x, chunk)) - 1 for chunk in (4, 2)]
    [0.0, 1.1920928955078125e-07]
    """
    ### BEGIN SOLUTION
    if chunk < 1:
        raise ValueError(f"chunk={chunk}: give 1 or more.")
    partial = [np.cumsum(x[i : i + chunk], dtype=np.float32)[-1] for i in range(0, len(x), chunk)]
    total = np.float32(0)
    for value in partial:
        total = total + value
    return total
    ### END SOLUTION


# %% role="check" id="chunked-sum" points=3
check("chunked-sum", chunked_sum)
# %%
summands = np.random.default_rng(0).standard_normal(4096).astype(np.float32)
exact_sum = math.fsum(summands.tolist())
print(f"exact            {exact_sum:.9f}")
for chunk in (1, 16, 64, 256, 1024):
    print(f"chunks of {chunk:4d}   {chunked_sum(summands, chunk):.9f}")
print(f"backwards        {chunked_sum(summands[::-1], len(summands)):.9f}")
with torch.inference_mode():
    at_once = plain(texts[:1, :64], use_cache=True)
    read = plain(texts[:1, :63], use_cache=True).past_key_values
    one_more = plain(texts[:1, 63:64], past_key_values=read, use_cache=True)
shape_drift = float((at_once.logits[0, -1] - one_more.logits[0, -1]).abs().max())
print(f"the 64th token read at once or by itself: logits differ by up to {shape_drift:.1e}")
# %% [markdown] items="1.2.C11"
# ## What seeds promise, and what they do not
#
# `random`, NumPy's global generator and torch each have a state of their own: seed all three (`seed_everything` does), or better, pass
# generators along. A seed fixes the **draws**, not the order of additions.
#
# `torch.use_deterministic_algorithms(True)` makes torch choose deterministic kernels, and **raise** where an operation has none. It
# promises equal bits for equal input, software, hardware and shapes; not between machines, versions or batch sizes.
# %%
import random


def draw_three():
    return random.random(), float(np.random.random()), float(torch.rand(()))


for name, seed_some in {
    "torch seeded only": lambda: torch.manual_seed(1),
    "all three seeded": lambda: seed_everything(1),
}.items():
    seed_some()
    first = draw_three()
    seed_some()
    same = [a == b for a, b in zip(first, draw_three(), strict=True)]
    print(f"{name:18s} random, NumPy, torch repeat: {same}")
torch.use_deterministic_algorithms(True)
print("torch.empty under the promise:", torch.empty(3).tolist(), "(filled, so that a bug repeats)")
torch.use_deterministic_algorithms(False)
# %% [markdown]
# ## At the size of a large model
#
# One layer of Llama-3-8B's cache with 8,192 tokens: 8 key-value heads of 128. Random numbers: only bytes and time are measured, on the
# device of this profile.
# %%
big = torch.randn(8, 8192, 128, generator=torch.Generator().manual_seed(0)).to(profile.device)
big_bytes = {}
for fmt in ("int8", "e4m3"):
    codes, scales = kv_quantize(big, fmt)
    big_bytes[fmt] = codes.nbytes + scales.nbytes
    took = measure(lambda fmt=fmt: kv_quantize(big, fmt), warmup=1, repeats=5)
    print(f"{fmt}  {2 * big.numel():,} bytes in 16 bits, {big_bytes[fmt]:,} quantized; {took}")
# %% [markdown] items="1.2.K7"
# ## In your own words
#
# A team serves Llama-3-8B with 32 conversations of 8,192 tokens. The GPU has FP8 arithmetic. They ask: INT8 or E4M3 for the cache, or 2-bit keys?
# And they fear the errors of a long context.
#
# In 120 to 200 words: give the bytes in 16, 8 and 2 bits with scales (use `kv_cache_bytes`), choose, and say how you would test for drift before
# going live. Use three figures from this notebook.
# %% [markdown] role="written" id="kv-precision-choice" items="1.2.K7 1.2.C11" points=3
# **Model answer.** 16 bits: 2 x 32 layers x 8 heads x 128 x 8,192 tokens x 32 conversations x 2 bytes = 34.4 GB, twice the weights' 16 GB. 8 bits with a
# float32 scale a row: 17.2 + 0.5 GB. 2 bits with a scale a row: 4.3 + 0.5 GB.
#
# INT8 has the smaller error here: its KL was more than ten times below E4M3's at the same bytes, agreement above 99 %. E4M3 is right if the attention
# kernel computes in FP8 anyway, or where no scale can be kept: cast directly it lost little. Two bits need keys by channel in groups (several times below
# by token in KL) and a residual, and still cost nearly a third of the agreement: only if memory forces it.
#
# A long context is no argument: KL stayed level from 32 to 512 tokens (the error of attention about so), because independent errors average out; beyond that I
# would measure.
#
# Test: logits on held-out texts at full context, against the float model: KL, top-1 agreement, first divergence, with the shapes of production,
# since the order of additions alone moves the last bits. Not perplexity alone: it may fall by luck.
#
# **Rubric.** 1 point: the bytes, with 8 key-value heads, keys and values, and scales. 1 point: a choice that weighs INT8's error against FP8 arithmetic, and
# the axis for 2 bits. 1 point: a drift test on logits (KL or agreement, not texts alone) and three figures used rightly. Half a point off for "errors add up
# with the context".
# %% [markdown]
# ## Recap
#
# - The cache grows with tokens and conversations; the weights do not.
# - One scale for each token and head: known at once, and it leaves the sums of attention.
# - INT8 beats E4M3 at equal bytes on rows of ordinary numbers; E4M3 forgives a missing scale.
# - Below 8 bits: keys by channel, in groups, with a residual. Values may be of low rank.
# - Delayed scaling: the largest amax of the last steps; a jump saturates; a margin is insurance.
# - Drift: five numbers on logits. Order of addition alone already drifts.
#
# **Three questions**
#
# <details><summary>1. head_dim 128, 4 bits, a float16 scale for each token and head: how many bits a number?</summary>
# 4 + 16 / 128 = 4.125.</details>
# <details><summary>2. The amax history holds 2, 8, 4 (E4M3, margin 1). What is the scale, and from which |x| on is there
# overflow?</summary>448 / 8 / 2 = 28; beyond 16.</details>
# <details><summary>3. Two runs with the same seed on one GPU give different losses. Name two causes.</summary>Atomic additions in an order that
# changes; another kernel or batch shape chosen (autotuning). An unseeded generator is a third.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Liu et al., *KIVI: A Tuning-Free Asymmetric 2bit Quantization for KV Cache*, ICML 2024: why keys go by channel and values by token,
#   and the residual. Its scheme has a zero-point; yours is symmetric.
# - Hooper et al., *KVQuant*, NeurIPS 2024: keys quantized before the rotary embedding. Compare with the rank of our keys.
# - Micikevicius et al., *FP8 Formats for Deep Learning*, 2022: E4M3 and E5M2, which tensor gets which, and why E4M3 gives up infinities.
# - NVIDIA Transformer Engine, documentation of the `DelayedScaling` recipe: margin, amax history, and the formula of your class.
# - PyTorch documentation, *Reproducibility*, and `torch.use_deterministic_algorithms`: what is promised, and the list of operations that raise.
# - Goldberg, *What Every Computer Scientist Should Know About Floating-Point Arithmetic*, 1991: rounding errors in sums.
#
# **Next:** the project: QLoRA against GPTQ, with everything of this module measured on one model.
# %%
# Your result.
print(f"cache over weights at the start   {memory_bytes / weight_bytes:.2f}")
print(f"KL of E4M3 over INT8              {kl_ratio:.1f}")
print(f"2-bit keys, token over channel    {key_gain:.1f} in KL")
print(f"largest error at the amax jump    {max(jump_error.values()):.2f}")
print(f"float32 against float64           {drifts['float32']['max_abs']:.1e} in a logit")
