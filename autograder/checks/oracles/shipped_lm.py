"""The shipped language model as the judges of module 1.2 measure it: on a CPU, in float32.

What a learner hands in are arrays; a perplexity is always measured here, from them.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from autograder.checks.oracles import channel_scales, weight_only
from lab import perplexity as protocol
from lab.divergence import mean_divergence
from lab.fake_quant import decoder_linears, int8_activations, with_weights
from lab.layerwise import calibration_inputs
from lab.lm import calibration_batch, load_lm
from lab.outliers import with_outliers

CALIBRATION = {"count": 16, "length": 128, "seed": 0}
CALIBRATION_TOKENS = CALIBRATION["count"] * CALIBRATION["length"]
# Which linear layers read the same normalised input, by the norm that makes it.
READERS = {
    "input_layernorm": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "post_attention_layernorm": ("mlp.gate_proj", "mlp.up_proj"),
}
_measured: dict[str, float] = {}


@cache
def model():
    """The model in float32; shared, so never to be changed."""
    return load_lm()


@cache
def shapes() -> dict[str, tuple[int, int]]:
    """(out, in) of each decoder linear by its full name, in forward order."""
    return {name: tuple(layer.weight.shape) for name, layer in decoder_linears(model()).items()}


def weight(name: str) -> np.ndarray:
    """A decoder linear's weight, (out, in) float32."""
    return model().get_submodule(name).weight.numpy()


@cache
def inputs(name: str) -> np.ndarray:
    """What the layer receives from the calibration set in the float model, (tokens, in) float64."""
    return np.concatenate(
        calibration_inputs(model(), calibration_batch(**CALIBRATION), name)
    ).astype(np.float64)


def hessian(name: str) -> np.ndarray:
    """2/n X^T X of `inputs`, (in, in) float64."""
    x = inputs(name)
    return 2 * x.T @ x / len(x)


@cache
def float_perplexity() -> float:
    """Of the model as it is shipped."""
    return protocol.perplexity(model())


def perplexity(weights: Mapping[str, np.ndarray]) -> float:
    """Of the model with these decoder weights; kept by content, because judges ask again."""
    return _once("perplexity", weights, protocol.perplexity)


def divergence(weights: Mapping[str, np.ndarray]) -> float:
    """Mean KL of the model with these weights from the float model, nats a token."""
    return _once("divergence", weights, lambda changed: mean_divergence(changed, model()))


def with_arrays(weights: Mapping[str, np.ndarray]):
    """A copy of the model with these decoder weights."""
    import torch

    return with_weights(model(), lambda n, w: torch.from_numpy(np.array(weights[n], np.float32)))


def _once(what: str, weights: Mapping[str, np.ndarray], measure: Callable) -> float:
    digest = hashlib.sha256(what.encode())
    for name in shapes():
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    key = digest.hexdigest()
    if key not in _measured:
        _measured[key] = measure(with_arrays(weights))
    return _measured[key]


@cache
def w8a8_perplexity(alpha: float | None) -> float:
    """INT8 weights by output and INT8 inputs by tensor, on the variant with outliers.

    alpha: smooth by SmoothQuant's factors first; None: as it is.
    """
    import torch

    changed = with_outliers(model())
    if alpha is not None:
        smooth(changed, alpha)
    linears = decoder_linears(changed)
    with torch.no_grad():
        for layer in linears.values():
            ratio, scale = weight_only.int8_ratio(layer.weight.numpy(), per_row=True)
            layer.weight.copy_(torch.from_numpy(np.rint(ratio) * scale))
    with int8_activations(changed):
        return protocol.perplexity(changed)


def smooth(changed, alpha: float) -> None:
    """Divide each norm's output by SmoothQuant's factors and multiply its readers' columns, in place."""
    import torch

    tokens = calibration_batch(**CALIBRATION)
    seen = {}
    for index in range(len(changed.model.layers)):
        for norm, readers in READERS.items():
            name = f"model.layers.{index}.{readers[0]}"
            seen[index, norm] = np.concatenate(calibration_inputs(changed, tokens, name))
    with torch.no_grad():
        for (index, norm), x in seen.items():
            block = changed.model.layers[index]
            layers = [block.get_submodule(reader) for reader in READERS[norm]]
            stacked = np.concatenate([layer.weight.numpy() for layer in layers])
            s = torch.from_numpy(channel_scales.smooth(np.abs(x).max(0), [stacked], alpha)).float()
            getattr(block, norm).weight.div_(s)
            for layer in layers:
                layer.weight.mul_(s)
