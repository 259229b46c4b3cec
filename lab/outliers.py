"""A model with activation outliers that computes the same function as the one it was made from.

Large models have a few channels whose activations are tens of times larger than the others, the
same channels in every layer (Dettmers et al. 2022, LLM.int8(), section 4). Small ones do not, so
channels are scaled up here, and the layer that reads them is scaled down. The factors are powers of
two: they change exponents only, so the logits keep their bits in every floating-point format.
"""

import copy
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import LlamaForCausalLM

SITES = ("norm", "value", "up")
CHANNELS = 16  # more than large models have: this one is robust
FACTORS = (32.0, 64.0)


def with_outliers(
    model: "LlamaForCausalLM",
    sites: Collection[str] = ("norm",),
    channels: int = CHANNELS,
    factors: Collection[float] = FACTORS,
    seed: int = 0,
) -> "LlamaForCausalLM":
    """A copy of a Llama with outliers in `channels` channels of each site, in every layer.

    Args:
        model: a Llama from transformers, without biases.
        sites: where: "norm", the output of each RMSNorm that feeds linear layers (the same channels
            in every layer); "value", from v_proj to o_proj; "up", from up_proj to down_proj.
        channels: how many at each site.
        factors: each outlier channel grows by one of these powers of two.
        seed: draws channels and factors.

    Raises:
        CourseError: an unknown site, more channels than the model has, or a factor that is no power
            of two.
    """
    _refuse(model, sites, channels, factors)
    import torch

    changed = copy.deepcopy(model)
    rng = np.random.default_rng(seed)

    def draw(width: int) -> tuple["torch.Tensor", "torch.Tensor"]:
        index = torch.from_numpy(rng.choice(width, channels, replace=False))
        factor = torch.from_numpy(rng.choice(np.array(sorted(factors), np.float64), channels))
        return index, factor

    norm = draw(model.config.hidden_size)
    with torch.no_grad():
        for block in changed.model.layers:
            attention, mlp = block.self_attn, block.mlp
            value = draw(attention.v_proj.out_features)
            up = draw(mlp.up_proj.out_features)
            if "norm" in sites:
                readers = attention.q_proj, attention.k_proj, attention.v_proj
                _scale(block.input_layernorm.weight, readers, *norm)
                _scale(block.post_attention_layernorm.weight, (mlp.gate_proj, mlp.up_proj), *norm)
            if "value" in sites:
                _scale_values(attention, *value)
            if "up" in sites:
                _scale(mlp.up_proj.weight, (mlp.down_proj,), *up)
    return changed


def _scale(
    writer: "torch.Tensor",
    readers: Collection["nn.Linear"],
    index: "torch.Tensor",
    factor: "torch.Tensor",
) -> None:
    """Rows `index` of the writer times `factor`, the readers' columns divided by it."""
    index = index.to(writer.device)
    factor = factor.to(writer.device, writer.dtype)
    writer[index] *= factor.reshape(-1, *[1] * (writer.ndim - 1))
    for reader in readers:
        reader.weight[:, index] /= factor


def _scale_values(attention: "nn.Module", index: "torch.Tensor", factor: "torch.Tensor") -> None:
    """The same from v_proj to o_proj, where query heads in a group read the same value head."""
    head_dim, group = attention.head_dim, attention.num_key_value_groups
    head, channel = index // head_dim, index % head_dim
    queries = head[:, None] * group + np.arange(group)  # (channels, group)
    columns = (queries * head_dim + channel[:, None]).flatten()
    _scale(attention.v_proj.weight, (), index, factor)
    weight = attention.o_proj.weight
    weight[:, columns.to(weight.device)] /= factor.repeat_interleave(group).to(weight)


def _refuse(
    model: "LlamaForCausalLM", sites: Collection[str], channels: int, factors: Collection[float]
) -> None:
    unknown = sorted(set(sites) - set(SITES))
    if unknown or not sites or isinstance(sites, str):
        raise CourseError(f"sites={sites!r}: choose some of {SITES}, as a tuple.")
    layer = model.model.layers[0]
    width = min(layer.self_attn.v_proj.out_features, model.config.hidden_size)
    if not 1 <= channels <= width:
        raise CourseError(f"channels={channels}: this model has room for 1 to {width}.")
    if not factors or any(f <= 0 or np.frexp(f)[0] != 0.5 for f in factors):
        raise CourseError(
            f"factors={factors!r} must be powers of two such as (32.0, 64.0): "
            "others would change the last bits of the logits."
        )
