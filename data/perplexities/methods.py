"""Each method's weights for the shipped model, from the judges' own implementations."""

from collections.abc import Callable

import numpy as np
import torch

from autograder.checks.oracles import channel_scales, gptq, nf4, weight_only
from lab.fake_quant import with_weights
from lab.layerwise import calibration_inputs, quantize_layerwise
from lab.lm import calibration_batch

GROUP = 128
BLOCK = 64
CALIBRATION = {"count": 16, "length": 128, "seed": 0}
ALPHAS = 11
METHODS = ("RTN", "GPTQ", "AWQ", "NF")

Model = torch.nn.Module


def quantized(method: str, model: Model, bits: int, say: Callable[[str], None]) -> Model:
    """A copy of the model with weights that lie on the method's grid.

    RTN, GPTQ, AWQ: asymmetric grids in groups of 128. NF: quantiles of the normal distribution in
    blocks of 64 (at 4 bits NF4), scales in float32: double quantization changes bits, hardly values.
    """
    if method == "GPTQ":
        return _gptq(model, bits, say)
    rule = {"RTN": _rtn, "AWQ": _awq, "NF": _nf}[method](model, bits)
    return with_weights(model, lambda n, w: torch.from_numpy(rule(n, w.numpy())).to(w))


def bits_per_weight(method: str, bits: int) -> float:
    """Stored bits: codes, scales (float16; NF: 8 bits and 32 for 256 of them), zero-points."""
    if method == "NF":
        return bits + (8 + 32 / 256) / BLOCK
    return bits + (16 + bits) / GROUP


def _rtn(_model: Model, bits: int) -> Callable:
    return lambda name, w: channel_scales.group_round_trip(w, bits, GROUP)


def _nf(_model: Model, bits: int) -> Callable:
    levels = nf4.levels(bits=bits)

    def rule(name: str, w: np.ndarray) -> np.ndarray:
        blocks = w.astype(np.float64).reshape(-1, BLOCK)
        top = np.abs(blocks).max(1, keepdims=True)
        codes = np.searchsorted((levels[1:] + levels[:-1]) / 2, blocks / np.where(top > 0, top, 1))
        return (levels[codes] * top).reshape(w.shape)

    return rule


def _awq(model: Model, bits: int) -> Callable:
    tokens = calibration_batch(**CALIBRATION)

    def rule(name: str, w: np.ndarray) -> np.ndarray:
        x = np.concatenate(calibration_inputs(model, tokens, name)).astype(np.float64)
        hessian = 2 * x.T @ x / len(x)
        tried = weight_only.awq(w, np.abs(x).mean(0), hessian, bits, GROUP, ALPHAS)
        return min(tried, key=lambda t: t[0])[2]

    return rule


def _gptq(model: Model, bits: int, say: Callable[[str], None]) -> Model:
    def change(name: str, w: np.ndarray, inputs: list[np.ndarray]) -> np.ndarray:
        hessian = gptq.hessian(np.concatenate(inputs).astype(np.float64))
        return gptq.solve(w, hessian, bits, GROUP).restored

    return quantize_layerwise(model, calibration_batch(**CALIBRATION), change, progress=say)
