"""How far a model's predictions are from another's: KL divergence on held-out text.

Perplexity compares each model with the text, so two good models differ by less than the text's own
noise. KL compares the predictions themselves, token by token (llama.cpp's tools report it for that).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError

if TYPE_CHECKING:
    import torch

WINDOW = 256
WINDOWS = 32
BATCH = 8


def mean_divergence(
    model: Callable, reference: Callable, tokens: np.ndarray | None = None, windows: int = WINDOWS
) -> float:
    """Mean over tokens of KL(reference || model), nats.

    Args:
        model, reference: transformers models, or callables from ids (B, T) int64 to logits (B, T, V).
        tokens: (N,) integers; None for the shipped held-out split.
        windows: how many windows of 256 tokens, evenly spread over the text, are compared.

    Raises:
        CourseError: fewer than one window, or a text shorter than one.
    """
    if tokens is None:
        from lab.lm import load_tokens

        tokens = load_tokens("heldout")
    if windows < 1 or len(tokens) < WINDOW:
        raise CourseError(f"KL needs 1 window or more and {WINDOW} tokens, not {len(tokens)}.")
    import torch

    starts = np.linspace(0, len(tokens) - WINDOW, windows).astype(np.int64)
    rows = torch.from_numpy(tokens[starts[:, None] + np.arange(WINDOW)].astype(np.int64))
    total = 0.0
    with torch.inference_mode():
        for part in rows.split(BATCH):
            wanted, got = (_log_shares(m, part) for m in (reference, model))
            total += float((wanted.exp() * (wanted - got)).sum())
    return total / rows.numel()


def _log_shares(model: Callable, ids: "torch.Tensor") -> "torch.Tensor":
    """Log-probabilities (B, T, V) float64 on the CPU."""
    ids = ids.to(getattr(model, "device", "cpu"))
    out = model(ids, use_cache=False) if hasattr(model, "config") else model(ids)
    return getattr(out, "logits", out).double().cpu().log_softmax(-1)
