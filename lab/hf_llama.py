"""What config.json of a Hugging Face Llama means in GGUF: hyper-parameters, shapes, rope.

Transformers stores q and k for a rotary embedding that pairs value i of a head with i + d/2; llama.cpp
pairs 2i with 2i + 1. So their rows change places (`permute_rows`), and everything else stays as it is.
"""

import math
from typing import Any

import numpy as np

from lab.errors import CourseError

NEEDED = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "vocab_size",
    "max_position_embeddings",
)
ROPE_TYPES = ("default", "linear", "llama3")


def hyper_parameters(config: dict[str, Any]) -> dict[str, int | float | str]:
    """The `llama.*` key-values of a GGUF file, from config.json.

    Raises:
        CourseError: a field is missing or no positive int, the model is quantized already, or its
            activation or rope scaling is none that is supported.
    """
    for name in NEEDED:
        if type(config.get(name)) is not int or config[name] < 1:
            raise CourseError(f"config.json needs {name}, a positive whole number.")
    if config.get("quantization_config"):
        raise CourseError("This model is quantized already: convert the original one.")
    if config.get("hidden_act", "silu") != "silu":
        raise CourseError(f"llama.cpp's llama uses silu, not {config['hidden_act']}.")
    heads, size = config["num_attention_heads"], head_size(config)
    rope = rope_settings(config)
    found: dict[str, int | float | str] = {
        "llama.block_count": config["num_hidden_layers"],
        "llama.context_length": config["max_position_embeddings"],
        "llama.embedding_length": config["hidden_size"],
        "llama.feed_forward_length": config["intermediate_size"],
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": kv_heads(config),
        "llama.attention.layer_norm_rms_epsilon": float(config.get("rms_norm_eps", 1e-6)),
        "llama.attention.key_length": size,
        "llama.attention.value_length": size,
        "llama.rope.dimension_count": size,
        "llama.rope.freq_base": float(rope.get("rope_theta", 10_000.0)),
        "llama.vocab_size": config["vocab_size"],
    }
    if rope["rope_type"] == "linear":
        found["llama.rope.scaling.type"] = "linear"
        found["llama.rope.scaling.factor"] = float(rope["factor"])
    return found


def kv_heads(config: dict[str, Any]) -> int:
    """Key-value heads; as many as query heads where config.json does not say."""
    heads = config["num_attention_heads"]
    count = config.get("num_key_value_heads") or heads
    if heads % count:
        raise CourseError(f"{heads} query heads cannot share {count} key-value heads.")
    return count


def head_size(config: dict[str, Any]) -> int:
    """Values in a head; the hidden size split among the heads where config.json does not say."""
    size = config.get("head_dim")
    if size is None:
        size, rest = divmod(config["hidden_size"], config["num_attention_heads"])
        if rest:
            raise CourseError("hidden_size is no multiple of num_attention_heads; set head_dim.")
    if size % 2:
        raise CourseError(f"Rotary embedding needs an even head size, not {size}.")
    return size


def rope_settings(config: dict[str, Any]) -> dict[str, Any]:
    """Theta and scaling under the names of transformers 5, from its or from older fields.

    Raises:
        CourseError: a scaling that llama.cpp does otherwise than transformers, or one without factor.
    """
    rope = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    rope.setdefault("rope_type", rope.pop("type", "default"))
    if config.get("rope_theta") is not None:
        rope.setdefault("rope_theta", config["rope_theta"])
    if rope["rope_type"] not in ROPE_TYPES:
        raise CourseError(
            f"Rope scaling {rope['rope_type']!r} is not supported here, only "
            f"{', '.join(ROPE_TYPES)}: take llama.cpp's convert_hf_to_gguf.py."
        )
    if rope["rope_type"] != "default" and not rope.get("factor"):
        raise CourseError(f"Rope scaling {rope['rope_type']!r} needs a factor in config.json.")
    return rope


def rope_factors(config: dict[str, Any]) -> np.ndarray | None:
    """What llama3's scaling divides each frequency by, (head_size / 2,) float32; else None.

    Long waves are slowed by `factor`, short ones stay, those between are blended (as in
    transformers' `_compute_llama3_parameters`).
    """
    rope = rope_settings(config)
    if rope["rope_type"] != "llama3":
        return None
    half = np.arange(0, head_size(config), 2, dtype=np.float32) / np.float32(head_size(config))
    waves = 2 * math.pi * np.power(np.float32(rope.get("rope_theta", 10_000.0)), half)
    low, high = rope.get("low_freq_factor", 1.0), rope.get("high_freq_factor", 4.0)
    context, factor = rope.get("original_max_position_embeddings", 8192), rope["factor"]
    share = np.clip((context / waves - low) / (high - low), 0, 1)
    return (1 / ((1 - share) / factor + share)).astype(np.float32)


def permute_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q or k (weight or bias) in GGUF's order: in each head 0, d/2, 1, d/2 + 1, ..."""
    pairs = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(weight.shape))


def restore_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """The inverse of `permute_rows`: the order of transformers."""
    pairs = weight.reshape(heads, weight.shape[0] // heads // 2, 2, *weight.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(weight.shape))


def weight_shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The tensors that this model's checkpoint must hold: Hugging Face name: shape."""
    hyper_parameters(config)
    hidden, ffn, vocab = (config[k] for k in ("hidden_size", "intermediate_size", "vocab_size"))
    size = head_size(config)
    wide, narrow = config["num_attention_heads"] * size, kv_heads(config) * size
    attention = {
        "q": (wide, hidden),
        "k": (narrow, hidden),
        "v": (narrow, hidden),
        "o": (hidden, wide),
    }
    feed = {"gate": (ffn, hidden), "up": (ffn, hidden), "down": (hidden, ffn)}
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocab, hidden)}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        for norm in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{at}.{norm}.weight"] = (hidden,)
        for block, parts, bias in (
            ("self_attn", attention, config.get("attention_bias")),
            ("mlp", feed, config.get("mlp_bias")),
        ):
            for part, shape in parts.items():
                shapes[f"{at}.{block}.{part}_proj.weight"] = shape
                if bias:
                    shapes[f"{at}.{block}.{part}_proj.bias"] = shape[:1]
    shapes["model.norm.weight"] = (hidden,)
    if not config.get("tie_word_embeddings", False):
        shapes["lm_head.weight"] = (vocab, hidden)
    return shapes
