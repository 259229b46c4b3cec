"""Held-out perplexity: one function and one protocol for every notebook and table.

A window slides over the held-out tokens by `stride`; in each window the last `stride` tokens are
scored, so every scored token has at least `window - stride` tokens of context and none is scored
twice. `windows` of them are drawn with `seed`. Perplexity is exp of the mean cross-entropy.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError

if TYPE_CHECKING:
    import torch

WINDOW = 256
STRIDE = 128
WINDOWS = 64
SEED = 0
BATCH = 8


def perplexity(
    model: Callable,
    tokens: np.ndarray | None = None,
    *,
    windows: int | None = WINDOWS,
    window: int = WINDOW,
    stride: int = STRIDE,
    seed: int = SEED,
) -> float:
    """exp of the mean of `token_losses`, which has the arguments and the errors.

    The default scores 64 windows, 8,192 tokens of the held-out split.
    """
    kept = {"windows": windows, "window": window, "stride": stride, "seed": seed}
    return math.exp(float(token_losses(model, tokens, **kept).mean()))


def token_losses(
    model: Callable,
    tokens: np.ndarray | None = None,
    *,
    windows: int | None = WINDOWS,
    window: int = WINDOW,
    stride: int = STRIDE,
    seed: int = SEED,
) -> np.ndarray:
    """The cross-entropy of each scored token, nats, (windows * stride,) float64.

    Two models' losses come in the same order, so their difference can be tested in pairs.

    Args:
        model: a transformers model, or any callable from ids (B, T) int64 to logits (B, T, V).
        tokens: (N,) integers; None for the shipped held-out split.
        windows: how many windows are scored; None for all.
        window: tokens that the model sees at once.
        stride: tokens scored in each window, below `window`.
        seed: draws the windows; without effect when all are scored.

    Raises:
        CourseError: an empty or too short text, more windows than it has, a stride outside
            1..window-1, a window longer than the model's context, or logits of a wrong shape.
    """
    if tokens is None:
        from lab.lm import load_tokens

        tokens = load_tokens("heldout")
    starts = _starts(np.asarray(tokens), windows, window, stride, seed)
    context = getattr(getattr(model, "config", None), "max_position_embeddings", window)
    if window > context:
        raise CourseError(
            f"A window of {window} tokens is longer than the model's context of {context}: "
            f"choose window <= {context}."
        )
    import torch

    rows = np.asarray(tokens)[starts[:, None] + np.arange(window)].astype(np.int64)
    was_training = getattr(model, "training", False)
    if was_training:
        model.eval()
    try:
        with torch.inference_mode():
            parts = [_losses(model, torch.from_numpy(part), stride) for part in _parts(rows)]
    finally:
        if was_training:
            model.train()
    return np.concatenate(parts)


def _starts(
    tokens: np.ndarray, windows: int | None, window: int, stride: int, seed: int
) -> np.ndarray:
    """Where the scored windows begin, (windows,) int64, ascending."""
    if tokens.ndim != 1 or not np.issubdtype(tokens.dtype, np.integer):
        raise CourseError(
            f"The tokens are a flat array of integers, not {tokens.dtype} of shape "
            f"{tokens.shape}: encode the text first."
        )
    if not 1 <= stride < window:
        raise CourseError(f"stride={stride} must be from 1 to window - 1 = {window - 1}.")
    available = (len(tokens) - window) // stride + 1
    if available < 1:
        raise CourseError(
            f"{len(tokens)} tokens are fewer than one window of {window}: give a longer text."
        )
    if windows is None:
        windows = available
    if not 1 <= windows <= available:
        raise CourseError(
            f"windows={windows}, but this text has 1 to {available} windows of {window} tokens "
            f"with stride {stride}: ask for as many, or None for all."
        )
    chosen = np.random.default_rng(seed).permutation(available)[:windows]
    return np.sort(chosen) * stride


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]


def _losses(model: Callable, ids: "torch.Tensor", stride: int) -> np.ndarray:
    """The losses of the last `stride` tokens of each row, flattened, float64."""
    import torch

    ids = ids.to(getattr(model, "device", "cpu"))
    # A transformers model would fill a cache that nobody reads.
    out = model(ids, use_cache=False) if hasattr(model, "config") else model(ids)
    logits = getattr(out, "logits", out)
    if logits.ndim != 3 or logits.shape[:2] != ids.shape:
        raise CourseError(
            f"The model made logits of shape {tuple(logits.shape)} from ids of shape "
            f"{tuple(ids.shape)}: return one row of logits for each token, (B, T, V)."
        )
    scored = logits[:, -stride - 1 : -1].double().log_softmax(-1)
    targets = ids[:, -stride:, None]
    return -torch.gather(scored, -1, targets).flatten().cpu().numpy()
