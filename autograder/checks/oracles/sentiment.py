"""Classifiers rebuilt from arrays and measured on held-out sentences, for the judges of module 1.3."""

import hashlib
from functools import cache

import numpy as np

from lab.data import SentenceDataset, load_sst2
from lab.sentiment import load_classifier, load_sentiment_tokenizer, predict_logits, prunable

TEST_COUNT = 600
_right: dict[tuple[str, str, str], np.ndarray] = {}


@cache
def data() -> SentenceDataset:
    """SST-2, or its stand-in."""
    return load_sst2()


@cache
def _model(kind: str):
    """A model of the architecture of "teacher" or "student", to be filled with weights."""
    return load_classifier(kind)


@cache
def shapes(kind: str) -> dict[str, tuple[int, ...]]:
    """Shape of each parameter by name."""
    return {k: tuple(p.shape) for k, p in _model(kind).named_parameters()}


@cache
def shipped(kind: str) -> dict[str, np.ndarray]:
    """Weights of the shipped model by parameter name, float32."""
    named = load_classifier(kind).named_parameters()
    return {k: p.detach().numpy() for k, p in named}


@cache
def pruned_names(kind: str) -> tuple[str, ...]:
    """Names of the matrices that the project prunes."""
    return tuple(prunable(_model(kind)))


def right_answers(kind: str, arrays: dict[str, np.ndarray], split: str = "dev") -> np.ndarray:
    """Which sentences a model with these weights has right, (N,) bool.

    Args:
        kind: "teacher" or "student", the architecture.
        arrays: every parameter by name, float32.
        split: "dev", or "test" for the first 600 test sentences.
    """
    import torch

    digest = hashlib.sha256()
    for name in shapes(kind):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    key = (kind, split, digest.hexdigest())
    if key not in _right:
        model = _model(kind)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(arrays[name])))
        sentences, labels = _split(split)
        logits = predict_logits(model, load_sentiment_tokenizer(), sentences)
        _right[key] = logits.argmax(1) == labels
    return _right[key]


def _split(split: str) -> tuple[list[str], np.ndarray]:
    if split == "dev":
        return data().valid_sentences, data().valid_labels
    return data().test_sentences[:TEST_COUNT], data().test_labels[:TEST_COUNT]
