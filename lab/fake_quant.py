"""A whole language model quantized by rounding to nearest: the naive rival in every comparison.

The weights stay floats that lie on the quantizer's grid ("fake quantization"), so that any model
runs and only accuracy is measured. Embedding and output layer stay as they are.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lab.errors import CourseError

if TYPE_CHECKING:
    import torch
    from torch import nn


def decoder_linears(model: "nn.Module") -> dict[str, "nn.Linear"]:
    """The linear layers inside the decoder's blocks by their full name, in forward order."""
    from torch import nn

    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and ".layers." in f".{name}"
    }


def with_weights(
    model: "nn.Module", change: Callable[[str, "torch.Tensor"], "torch.Tensor"]
) -> "nn.Module":
    """A copy of the model whose decoder weights are `change(name, weight)`.

    Args:
        change: takes a layer's name and its weight (out, in), returns a tensor of the same shape.

    Raises:
        CourseError: the model has no decoder layers, or `change` returned another shape.
    """
    import torch

    changed = copy.deepcopy(model)
    linears = decoder_linears(changed)
    if not linears:
        raise CourseError("The model has no linear layers under `layers`: pass a decoder model.")
    with torch.no_grad():
        for name, linear in linears.items():
            weight = change(name, linear.weight.detach())
            if weight.shape != linear.weight.shape:
                raise CourseError(
                    f"The new weight of {name} has shape {tuple(weight.shape)}, "
                    f"not {tuple(linear.weight.shape)}."
                )
            linear.weight.copy_(weight)
    return changed


def round_to_nearest(
    weight: "torch.Tensor", bits: int, group_size: int | None = None, symmetric: bool = True
) -> "torch.Tensor":
    """RTN: each row, or each group of `group_size` inputs in it, has a scale of its own.

    Symmetric, module 1.1's grid: scale = max |w| / qmax, codes in [-qmax, qmax] with
    qmax = 2^(bits-1) - 1. Asymmetric, the baseline of GPTQ (Frantar et al. 2023):
    scale = (max - min) / (2^bits - 1) with 0 inside [min, max], and a zero-point. Ties to even.

    Args:
        weight: (out, in) floats.
        bits: 2 to 8.
        group_size: divides `in`; None for a scale for each row.

    Returns:
        The dequantized weight, shape and dtype of `weight`.

    Raises:
        CourseError: bits outside 2..8, or a group size that does not divide the inputs.
    """
    if not 2 <= bits <= 8:
        raise CourseError(f"bits={bits}: choose 2 to 8.")
    columns = weight.shape[1]
    size = columns if group_size is None else group_size
    if size < 1 or columns % size:
        raise CourseError(f"A group size of {size} does not divide {columns} inputs.")
    groups = weight.float().reshape(len(weight), -1, size)
    rounded = _symmetric(groups, bits) if symmetric else _asymmetric(groups, bits)
    return rounded.reshape(weight.shape).to(weight.dtype)


def _symmetric(groups: "torch.Tensor", bits: int) -> "torch.Tensor":
    qmax = 2 ** (bits - 1) - 1
    scale = _not_zero(groups.abs().amax(-1, keepdim=True) / qmax)
    return (groups / scale).round().clamp(-qmax, qmax) * scale


def _asymmetric(groups: "torch.Tensor", bits: int) -> "torch.Tensor":
    top = 2**bits - 1
    low = groups.amin(-1, keepdim=True).clamp(max=0)
    high = groups.amax(-1, keepdim=True).clamp(min=0)
    scale = _not_zero((high - low) / top)
    zero_point = (-low / scale).round()
    codes = ((groups / scale).round() + zero_point).clamp(0, top)
    return (codes - zero_point) * scale


def _not_zero(scale: "torch.Tensor") -> "torch.Tensor":
    """1 in the place of 0, where all weights are 0."""
    return scale.masked_fill(scale == 0, 1.0)


@contextlib.contextmanager
def int8_activations(model: "nn.Module") -> Iterator[None]:
    """While it lasts, each decoder linear's input is rounded to symmetric INT8 codes.

    One scale for each tensor and call, max |x| / 127: what SmoothQuant (Xiao et al. 2023) calls
    per-tensor dynamic quantization.
    """
    import torch

    def hook(module: "nn.Module", args: tuple) -> tuple:
        x = args[0]
        scale = (x.abs().amax() / 127).clamp(min=torch.finfo(x.dtype).tiny)
        return (torch.clamp(torch.round(x / scale), -127, 127) * scale, *args[1:])

    handles = [layer.register_forward_pre_hook(hook) for layer in decoder_linears(model).values()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
