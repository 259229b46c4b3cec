"""A decoder quantized block by block, each block on the inputs that the quantized blocks before it make.

The order of Frantar et al. 2023 (GPTQ), section 4, "Setup": the inputs of one block at a time are
kept, its linear layers are replaced, then its outputs are computed anew for the next block.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCH = 16

Change = Callable[[str, np.ndarray, list[np.ndarray]], np.ndarray]


def calibration_inputs(
    model: "nn.Module", tokens: "torch.Tensor", name: str, batch: int = BATCH
) -> list[np.ndarray]:
    """What a linear layer of the model receives: one float32 array (tokens, in) for each batch.

    Args:
        model: a decoder from transformers with its blocks in `model.model.layers`.
        tokens: (count, length) int64, such as `lab.lm.calibration_batch` makes.
        name: the layer's full name, such as "model.layers.1.mlp.down_proj".
        batch: sequences that pass through at a time.

    Raises:
        CourseError: no sequences, or no layer of that name.
    """
    import torch

    _refuse(model, tokens)
    if name not in dict(model.named_modules()):
        raise CourseError(f"The model has no layer called {name!r}: list model.named_modules().")
    with torch.inference_mode(), _watched({name: model.get_submodule(name)}) as seen:
        for part in tokens.split(batch):
            model(part.to(model.device), use_cache=False)
    return seen[name]


def all_calibration_inputs(
    model: "nn.Module", tokens: "torch.Tensor", batch: int = BATCH
) -> dict[str, list[np.ndarray]]:
    """`calibration_inputs` of every linear layer of the decoder's blocks, by name, in one pass.

    Raises:
        CourseError: no sequences.
    """
    import torch

    from lab.fake_quant import decoder_linears

    _refuse(model, tokens)
    with torch.inference_mode(), _watched(decoder_linears(model)) as seen:
        for part in tokens.split(batch):
            model(part.to(model.device), use_cache=False)
    return seen


def quantize_layerwise(
    model: "nn.Module",
    tokens: "torch.Tensor",
    change: Change,
    batch: int = BATCH,
    progress: Callable[[str], None] | None = None,
) -> "nn.Module":
    """A copy of the model whose decoder's linear layers are `change(name, weight, inputs)`.

    Args:
        model: as in `calibration_inputs`; it stays as it is.
        tokens: the calibration sequences, (count, length) int64.
        change: gets a layer's full name, its weight (out, in) float32, and its inputs, a list of
            float32 arrays (tokens, in), from the blocks already changed before it and its own block
            not yet changed; returns the new weight (out, in).
        batch: sequences that pass through at a time.
        progress: called with a line after each block.

    Raises:
        CourseError: no sequences, no blocks, or `change` returned another shape or values that are
            not finite.
    """
    import torch

    from lab.fake_quant import decoder_linears

    _refuse(model, tokens)
    changed = copy.deepcopy(model)
    blocks = changed.model.layers
    linears = decoder_linears(changed)
    with torch.inference_mode():
        states = _first_inputs(changed, tokens.split(batch))
        for index, block in enumerate(blocks):
            inside = f"model.layers.{index}."
            mine = {n: linear for n, linear in linears.items() if n.startswith(inside)}
            with _watched(mine) as seen:
                for hidden, known in states:
                    block(hidden, **known)
            for name, linear in mine.items():
                weight = linear.weight.float().cpu().numpy()
                _put(name, linear, change(name, weight, seen.pop(name)))
            states = [(_hidden(block(hidden, **known)), known) for hidden, known in states]
            if progress:
                progress(f"block {index + 1} of {len(blocks)}")
    return changed


def _refuse(model: "nn.Module", tokens: "torch.Tensor") -> None:
    if not hasattr(getattr(model, "model", None), "layers"):
        raise CourseError("The model has no blocks under model.layers: pass a decoder model.")
    if tokens.ndim != 2 or 0 in tokens.shape:
        raise CourseError(
            f"Calibration needs sequences of tokens, (count, length), not {tuple(tokens.shape)}: "
            "the calibration set is empty or not in rows."
        )


class _Enough(Exception):
    """The first block's inputs are known; the rest of the forward pass is not wanted."""


def _first_inputs(
    model: "nn.Module", parts: tuple["torch.Tensor", ...]
) -> list[tuple["torch.Tensor", dict]]:
    """For each part the hidden states before the first block, and the other arguments of all blocks."""
    states: list[tuple[torch.Tensor, dict]] = []

    def catch(_module: "nn.Module", args: tuple, known: dict) -> None:
        known = dict(known)
        hidden = args[0] if args else known.pop("hidden_states")
        states.append((hidden, known))
        raise _Enough

    handle = model.model.layers[0].register_forward_pre_hook(catch, with_kwargs=True)
    try:
        for part in parts:
            try:
                model(part.to(model.device), use_cache=False)
            except _Enough:
                continue
    finally:
        handle.remove()
    return states


@contextmanager
def _watched(linears: dict[str, "nn.Module"]) -> Iterator[dict[str, list[np.ndarray]]]:
    """While it lasts, each layer's inputs are kept, by name."""
    seen: dict[str, list[np.ndarray]] = {name: [] for name in linears}

    def keeper(name: str) -> Callable:
        def keep(_module: "nn.Module", args: tuple) -> None:
            seen[name].append(args[0].reshape(-1, args[0].shape[-1]).float().cpu().numpy())

        return keep

    handles = [m.register_forward_pre_hook(keeper(name)) for name, m in linears.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _hidden(output: "torch.Tensor | tuple") -> "torch.Tensor":
    return output[0] if isinstance(output, tuple) else output


def _put(name: str, linear: "nn.Linear", weight: np.ndarray) -> None:
    import torch

    if np.shape(weight) != tuple(linear.weight.shape) or not np.isfinite(weight).all():
        raise CourseError(
            f"The new weight of {name} has shape {np.shape(weight)} or values that are not finite; "
            f"it must be {tuple(linear.weight.shape)}, all finite."
        )
    linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
