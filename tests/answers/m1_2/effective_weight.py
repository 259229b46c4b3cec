"""Answers to effective-weight."""

import numpy as np
import torch
from bitsandbytes import functional

from autograder.checks.bank import right, wrong


def _parts(layer):
    w = layer.base_layer.weight
    if getattr(w, "quant_state", None) is not None:
        base = functional.dequantize_4bit(w.data, w.quant_state)
    else:
        base = w.detach().clone()
    return (
        base.float(),
        layer.lora_A["default"].weight.detach(),
        layer.lora_B["default"].weight.detach(),
    )


@right("torch")
def in_torch(layer):
    base, a, b = _parts(layer)
    return (base + layer.scaling["default"] * (b @ a)).numpy()


@right("by PEFT's get_delta_weight")
def delta(layer):
    base, _, _ = _parts(layer)
    with torch.no_grad():
        return base + layer.get_delta_weight("default")


@right("what the layer does to unit vectors, in float64 for the adapters")
def by_parts(layer):
    base, a, b = _parts(layer)
    out = base.numpy().astype(np.float64)
    for k in range(len(a)):
        out += layer.scaling["default"] * np.outer(b[:, k], a[k])
    return out


@wrong("no-scaling", "alpha / r is missing.")
def no_scaling(layer):
    base, a, b = _parts(layer)
    return (base + b @ a).numpy()


@wrong("alpha-for-scaling", "The factor is alpha / r, not alpha.")
def alpha(layer):
    base, a, b = _parts(layer)
    return (base + layer.lora_alpha["default"] * (b @ a)).numpy()


@wrong("base-only", "The adapters are left out.")
def base_only(layer):
    return _parts(layer)[0].numpy()


@wrong("adapters-only", "W0 is left out.")
def adapters_only(layer):
    _, a, b = _parts(layer)
    return (layer.scaling["default"] * (b @ a)).numpy()


@wrong("subtracted", "BA is added to W0.")
def subtracted(layer):
    base, a, b = _parts(layer)
    return (base - layer.scaling["default"] * (b @ a)).numpy()


@wrong("transposed", "The weight is (out, in): B A, not its transpose.")
def transposed(layer):
    base, a, b = _parts(layer)
    return (base + layer.scaling["default"] * (b @ a)).T.numpy()


@wrong("root-of-rank", "The factor is alpha / r, not alpha / sqrt(r).")
def root(layer):
    base, a, b = _parts(layer)
    return (base + layer.lora_alpha["default"] / layer.r["default"] ** 0.5 * (b @ a)).numpy()


@wrong("merged-in-place", "merge() writes into the layer, and a 4-bit base is rounded again.")
def merged(layer):
    layer.merge()
    return _parts(layer)[0].numpy()


@wrong(
    "rounded-again",
    "The sum was quantized to NF4 again: that is what merging into a 4-bit base costs.",
)
def rounded(layer):
    base, a, b = _parts(layer)
    full = (base + layer.scaling["default"] * (b @ a)).contiguous()
    return functional.dequantize_4bit(
        *functional.quantize_4bit(full, quant_type="nf4", blocksize=64)
    ).numpy()


@wrong("packed-as-weight", "A 4-bit base holds packed codes: dequantize them first.")
def packed(layer):
    w = layer.base_layer.weight.detach().float()
    _, a, b = _parts(layer)
    full = layer.scaling["default"] * (b @ a)
    if w.numel() != full.numel():
        w = torch.cat([w.flatten(), w.flatten()])
    return (w.reshape(full.shape) + full).numpy()
