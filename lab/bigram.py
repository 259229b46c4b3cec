"""A bigram model: the baseline that any language model worth quantizing must beat by far."""

from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError

if TYPE_CHECKING:
    import torch


class Bigram:
    """Word pairs counted in a text, interpolated with single words (Witten and Bell 1991).

    p(w | v) = (n(v, w) + t(v) p(w)) / (n(v) + t(v)), where t(v) counts the distinct followers of v
    and p(w) is interpolated with the uniform distribution in the same way. It has no parameter to
    tune. Called like a language model, it gives log-probabilities as logits.
    """

    def __init__(self, tokens: np.ndarray, vocabulary: int) -> None:
        """Count.

        Args:
            tokens: the training text, (N,) integers below `vocabulary`.
            vocabulary: V; the table takes 4 V^2 bytes.

        Raises:
            CourseError: fewer than two tokens, or an id outside the vocabulary.
        """
        tokens = np.asarray(tokens).astype(np.int64)
        if len(tokens) < 2:
            raise CourseError(f"A bigram model needs two tokens or more, not {len(tokens)}.")
        if not 0 <= tokens.min() <= tokens.max() < vocabulary:
            raise CourseError(
                f"The tokens run from {tokens.min()} to {tokens.max()}, outside a vocabulary of "
                f"{vocabulary}: pass the vocabulary that they were encoded with."
            )
        single = np.bincount(tokens, minlength=vocabulary).astype(np.float64)
        single = _interpolate(single[None], np.full(vocabulary, 1 / vocabulary))[0]
        pairs = np.bincount(tokens[:-1] * vocabulary + tokens[1:], minlength=vocabulary**2)
        pairs = pairs.reshape(vocabulary, vocabulary).astype(np.float64)
        self.log_probabilities = np.log(_interpolate(pairs, single)).astype(np.float32)

    def __call__(self, ids: "torch.Tensor") -> "torch.Tensor":
        """Log-probabilities of the next token, (B, T, V) float32, for ids (B, T) int64."""
        import torch

        return torch.from_numpy(self.log_probabilities[ids.numpy()])


def _interpolate(counts: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Witten and Bell's mixture for each row of counts; `lower` where a row has none."""
    total = counts.sum(1, keepdims=True)
    distinct = (counts > 0).sum(1, keepdims=True)
    mixed = (counts + distinct * lower) / np.maximum(total + distinct, 1)
    return np.where(total > 0, mixed, lower)
