"""Parameters and FLOPs counted on transformers' own models, on the meta device: shapes, no memory."""

import json
from functools import cache

GROUPS = {
    "embedding": ("embed_tokens", "embed_positions", "wte", "wpe"),
    "layers": ("layers", "h"),
    "final_norm": ("norm", "final_layer_norm", "ln_f"),
    "lm_head": ("lm_head",),
}


def parameters(config: dict) -> dict[str, int]:
    """Elements by group, and in total, of the model that transformers builds from a config.json."""
    return dict(_parameters(json.dumps(config, sort_keys=True)))


@cache
def _parameters(text: str) -> tuple:
    found = dict.fromkeys(GROUPS, 0)
    for name, tensor in _model(text).named_parameters():
        first = next(p for p in name.split(".") if p not in ("model", "transformer", "decoder"))
        found[next(g for g, names in GROUPS.items() if first in names)] += tensor.numel()
    found["total"] = sum(found.values())
    return tuple(found.items())


@cache
def _model(text: str):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(**json.loads(text), bos_token_id=0, eos_token_id=0)
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, attn_implementation="eager")


def pass_flops(config: dict, new: int, past: int, logits: int) -> int:
    """What torch's flop counter sees in one pass, the rotary tables left out; masked pairs included."""
    return _pass_flops(json.dumps(config, sort_keys=True), new, past, logits)


@cache
def _pass_flops(text: str, new: int, past: int, logits: int) -> int:
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import DynamicCache

    model, kept = _model(text), DynamicCache()
    config = model.config
    shape = 1, config.num_key_value_heads, past, config.head_dim
    for layer in range(config.num_hidden_layers if past else 0):
        kept.update(*(torch.empty(shape, device="meta") for _ in range(2)), layer)
    ids = torch.zeros(1, new, dtype=torch.long, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(
            ids,
            past_key_values=kept,
            attention_mask=torch.zeros(1, 1, new, past + new, device="meta"),
            position_ids=torch.arange(past, past + new, device="meta")[None],
            logits_to_keep=logits or slice(0, 0),
        )
    tables = (v for k, v in counter.get_flop_counts().items() if k.endswith("rotary_emb"))
    return counter.get_total_flops() - sum(sum(v.values()) for v in tables)


def cache_values(config: dict) -> int:
    """Values that one token leaves in the cache of transformers' own model."""
    return _cache_values(json.dumps(config, sort_keys=True))


@cache
def _cache_values(text: str) -> int:
    import torch

    ids = torch.zeros(1, 1, dtype=torch.long, device="meta")
    with torch.no_grad():
        kept = _model(text)(
            ids,
            attention_mask=torch.zeros(1, 1, 1, 1, device="meta"),
            position_ids=ids,
            use_cache=True,
        ).past_key_values
    return sum(layer.keys.numel() + layer.values.numel() for layer in kept.layers)


def grouped_bits(row: int, bits: int, group: int | None, scale_bits: int, zero_bits: int) -> int:
    """Bits of one row of values, walked through value by value."""
    total = 0
    for i in range(row):
        total += bits
        if group is not None and i % group == 0:
            total += scale_bits + zero_bits
    return total


def phase(model: dict, gpu: dict, batch: int, new: int, past: int) -> tuple[int, int]:
    """FLOPs and bytes of one pass of `batch` sequences, pair by pair and token by token."""
    pairs = sum(past + i for i in range(1, new + 1))
    flops = sum(2 * model["matrix_parameters"] for _ in range(new)) + pairs * model["pair_flops"]
    moved = model["weight_bytes"] + batch * (past + new) * model["kv_token_bytes"]
    return batch * flops, moved


def seconds(model: dict, gpu: dict, batch: int, new: int, past: int, gpus: int = 1):
    """The longer of both times, and both, as fractions."""
    from fractions import Fraction

    flops, moved = phase(model, gpu, batch, new, past)
    compute = flops / Fraction(gpu["flops_per_s"]) / gpus
    memory = moved / Fraction(gpu["bytes_per_s"]) / gpus
    return max(compute, memory), compute, memory
