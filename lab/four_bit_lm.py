"""The shipped language model in 4 bits, as the flat weights of `lab.naive_pipeline`."""

from typing import TYPE_CHECKING

from lab import naive_pipeline as pipeline
from lab.lm import load_lm, load_tokens

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

OURS = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj"}
OURS |= {"o": "self_attn.o_proj"} | {name: f"mlp.{name}_proj" for name in ("gate", "up", "down")}


def four_bit_weights(model: "LlamaForCausalLM | None" = None) -> pipeline.Weights:
    """The weights of `lab.naive_pipeline`, by rounding to nearest.

    The scale of a group is max |w| / 7 (1.0 for a group of zeros).

    Args:
        model: the shipped model by default.
    """
    model = model or load_lm()
    base = model.model
    weights = {"embed": base.embed_tokens.weight, "norm": base.norm.weight}
    for index, layer in enumerate(base.layers):
        name = f"layers.{index}"
        weights[f"{name}.attention_norm"] = layer.input_layernorm.weight
        weights[f"{name}.mlp_norm"] = layer.post_attention_layernorm.weight
        for ours, theirs in OURS.items():
            codes, scales = pack(layer.get_submodule(theirs).weight.detach())
            weights[f"{name}.{ours}.codes"] = codes
            weights[f"{name}.{ours}.scales"] = scales
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


def pack(weight: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor"]:
    """Codes (out, in / 2) uint8 and scales (out, in / 64) float32 of a weight (out, in)."""
    groups = weight.float().unflatten(1, (-1, pipeline.GROUP))
    scales = groups.abs().amax(-1) / 7
    scales = scales.where(scales > 0, 1.0)
    codes = ((groups / scales[..., None]).round().clamp(-7, 7) + 8).byte().flatten(1)
    return codes[:, 0::2] | codes[:, 1::2] << 4, scales


def sample_prompts(lengths: list[int], seed: int = 0) -> list[list[int]]:
    """Prompts of these lengths from random places of the held-out text, as token ids."""
    import numpy as np

    tokens, rng = load_tokens("heldout"), np.random.default_rng(seed)
    starts = [int(rng.integers(len(tokens) - length + 1)) for length in lengths]
    return [tokens[s : s + n].astype(int).tolist() for s, n in zip(starts, lengths, strict=True)]
