"""What a Hugging Face Llama becomes in GGUF, told a second time: by index arithmetic and the gguf package."""

import re
from functools import cache

import gguf
import numpy as np

FIELDS = {
    "llama.block_count": "num_hidden_layers",
    "llama.context_length": "max_position_embeddings",
    "llama.embedding_length": "hidden_size",
    "llama.feed_forward_length": "intermediate_size",
    "llama.attention.head_count": "num_attention_heads",
    "llama.vocab_size": "vocab_size",
}
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5


def small_config(rng: np.random.Generator, **changes) -> dict:
    """config.json of a small Llama, as transformers 5 writes it."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 64,
        "intermediate_size": 16 * int(rng.integers(5, 9)),
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 64 * int(rng.integers(2, 9)),
        "vocab_size": 288,
        "rms_norm_eps": float(rng.choice([1e-5, 1e-6, 3e-5])),
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": float(rng.integers(5, 50) * 1000),
        },
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    config.update(changes)
    return {key: value for key, value in config.items() if value is not ...}


def hyper_parameters(config: dict) -> dict:
    """The key-values from config.json, without any refusal."""
    size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    thetas = [(config.get("rope_parameters") or {}).get("rope_theta"), config.get("rope_theta")]
    theta = next((t for t in thetas if t is not None), 10_000.0)
    found = {key: config[field] for key, field in FIELDS.items()}
    kv = config.get("num_key_value_heads") or config["num_attention_heads"]
    return found | {
        "general.architecture": "llama",
        "llama.attention.head_count_kv": kv,
        "llama.attention.key_length": size,
        "llama.attention.value_length": size,
        "llama.rope.dimension_count": size,
        "llama.attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "llama.rope.freq_base": float(theta),
    }


def rope_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows in GGUF's order, one index after another."""
    size = len(weight) // heads
    order = [
        head * size + place + side * (size // 2)
        for head in range(heads)
        for place in range(size // 2)
        for side in (0, 1)
    ]
    return weight[order]


def gguf_name(name: str) -> str:
    """The gguf package's name for a tensor that it knows; its table is asked for layer 0."""
    layer = re.search(r"\.(\d+)\.", name)
    number = layer[0] if layer else ".0."
    found = _name_table().get_name(
        name.replace(number, ".0.", 1), try_suffixes=(".weight", ".bias")
    )
    return found.replace(".0.", number, 1)


@cache
def _name_table() -> gguf.TensorNameMap:
    return gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 1)


def small_tokenizer(rng: np.random.Generator, extra: int = 12, old_merges: bool = False) -> dict:
    """tokenizer.json of a byte-level BPE: one special token, 256 bytes, some merges and added tokens."""
    letters = _byte_letters()
    vocab = {"<|endoftext|>": 0} | {letter: i + 1 for i, letter in enumerate(letters)}
    merges, known = [], list(letters)
    while len(merges) < extra:
        pair = [str(rng.choice(known)), str(rng.choice(known))]
        if "".join(pair) not in vocab:
            vocab["".join(pair)] = len(vocab)
            known.append("".join(pair))
            merges.append(pair)
    added = [_added(0, "<|endoftext|>", True), _added(len(vocab), "<|im_start|>", True)]
    added.append(_added(len(vocab) + 1, "    ", False))
    order = rng.permutation(list(vocab)).tolist()
    return {
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": None,
        "model": {
            "type": "BPE",
            "ignore_merges": False,
            "vocab": {token: vocab[token] for token in order},
            "merges": [" ".join(pair) for pair in merges] if old_merges else merges,
        },
    }


def with_bos(tokenizer: dict) -> dict:
    """The tokenizer with a template that puts <|endoftext|> before every text."""
    first = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    template = {"type": "TemplateProcessing", "single": [first, text], "pair": [first, text, text]}
    return tokenizer | {"post_processor": template}


def tokenizer_keys(tokenizer: dict, config: dict) -> dict:
    """The tokenizer's key-values, without any refusal."""
    by_id = {number: text for text, number in tokenizer["model"]["vocab"].items()}
    kinds = dict.fromkeys(by_id, NORMAL)
    for token in tokenizer["added_tokens"]:
        by_id[token["id"]] = token["content"]
        kinds[token["id"]] = CONTROL if token["special"] else USER_DEFINED
    everything = range(config["vocab_size"])
    merges = tokenizer["model"]["merges"]
    processor = tokenizer["post_processor"] or {}
    first = (processor.get("single") or [{}])[0]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": [by_id.get(i, f"[PAD{i}]") for i in everything],
        "tokenizer.ggml.token_type": [kinds.get(i, UNUSED) for i in everything],
        "tokenizer.ggml.merges": [m if isinstance(m, str) else f"{m[0]} {m[1]}" for m in merges],
        "tokenizer.ggml.bos_token_id": config["bos_token_id"],
        "tokenizer.ggml.eos_token_id": config["eos_token_id"],
        "tokenizer.ggml.add_bos_token": "SpecialToken" in first,
    }


def small_weights(rng: np.random.Generator, config: dict) -> dict[str, np.ndarray]:
    """A random checkpoint of this shape: Hugging Face names, float32."""
    hidden, ffn, vocab = (config[k] for k in ("hidden_size", "intermediate_size", "vocab_size"))
    size = config.get("head_dim") or hidden // config["num_attention_heads"]
    wide = config["num_attention_heads"] * size
    narrow = (config.get("num_key_value_heads") or config["num_attention_heads"]) * size
    shapes = {"model.embed_tokens.weight": (vocab, hidden), "model.norm.weight": (hidden,)}
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        shapes |= {
            at + "input_layernorm.weight": (hidden,),
            at + "post_attention_layernorm.weight": (hidden,),
            at + "self_attn.q_proj.weight": (wide, hidden),
            at + "self_attn.k_proj.weight": (narrow, hidden),
            at + "self_attn.v_proj.weight": (narrow, hidden),
            at + "self_attn.o_proj.weight": (hidden, wide),
            at + "mlp.gate_proj.weight": (ffn, hidden),
            at + "mlp.up_proj.weight": (ffn, hidden),
            at + "mlp.down_proj.weight": (hidden, ffn),
        }
    if not config.get("tie_word_embeddings"):
        shapes["lm_head.weight"] = (vocab, hidden)
    names = rng.permutation(list(shapes)).tolist()
    return {name: rng.normal(0, 0.7, shapes[name]).astype(np.float32) for name in names}


def stored(config: dict, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays that the F16 file holds, by GGUF name."""
    out = {}
    kv = config.get("num_key_value_heads") or config["num_attention_heads"]
    for name, weight in weights.items():
        if name == "lm_head.weight" and config.get("tie_word_embeddings"):
            continue
        if ".q_proj." in name:
            weight = rope_rows(weight, config["num_attention_heads"])
        if ".k_proj." in name:
            weight = rope_rows(weight, kv)
        out[gguf_name(name)] = weight.astype(np.float16) if weight.ndim > 1 else weight
    return out


def _added(number: int, text: str, special: bool) -> dict:
    return {"id": number, "content": text, "special": special, "normalized": not special}


def _byte_letters() -> list[str]:
    """The 256 letters that byte-level BPE writes bytes with, in the order of the bytes."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(b) if b in shown else chr(next(spare)) for b in range(256)]
