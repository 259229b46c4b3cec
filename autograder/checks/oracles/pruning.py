"""Rankings and pruning loops entry by entry, with Python's sorted on tuples: slow, nothing to tie."""

import math
from fractions import Fraction

import numpy as np


def count(sparsity: float, n: int) -> int:
    """How many of n entries go: round(sparsity * n), a half to the even number."""
    product = sparsity * n
    low = math.floor(product)
    rest = Fraction(product) - low
    return low + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2 == 1))


def lowest(scores: dict[str, np.ndarray], k: int) -> dict[str, np.ndarray]:
    """Masks that are False at the k lowest scores; ties by layer, then row-major."""
    ranked = sorted(
        (float(score), layer, place)
        for layer, values in enumerate(scores.values())
        for place, score in enumerate(np.asarray(values).ravel(order="C"))
    )
    flat = [np.ones(np.asarray(v).size, bool) for v in scores.values()]
    for _, layer, place in ranked[:k]:
        flat[layer][place] = False
    return {n: f.reshape(np.shape(v)) for f, (n, v) in zip(flat, scores.items(), strict=True)}


def total(layers: dict[str, np.ndarray]) -> int:
    """Entries of all layers."""
    return sum(np.size(v) for v in layers.values())


def rounds(weights, targets, tune):
    """The loop of prune-in-rounds: (weights, masks, what tune got in each round)."""
    weights = {n: np.array(w) for n, w in weights.items()}
    masks = {n: np.ones(w.shape, bool) for n, w in weights.items()}
    calls = []
    for target in targets:
        scores = {n: np.where(masks[n], np.abs(w), -np.inf) for n, w in weights.items()}
        masks = lowest(scores, count(target, total(weights)))
        pruned = {n: np.where(masks[n], w, 0) for n, w in weights.items()}
        calls.append((pruned, masks))
        weights = {n: np.where(masks[n], w, 0) for n, w in tune(pruned, len(calls) - 1).items()}
    return weights, masks, calls


def ticket(initial, rate, number, train):
    """The loop of find-ticket: (masks, what train_masked got in each round)."""
    masks = {n: np.ones(w.shape, bool) for n, w in initial.items()}
    calls = []
    for k in range(number):
        start = {n: np.where(masks[n], w, 0) for n, w in initial.items()}
        calls.append((start, masks))
        trained = train(start, k)
        new = {}
        for n, mask in masks.items():
            kept = int(mask.sum())
            scores = np.where(mask, np.abs(trained[n]), -np.inf)
            new |= lowest({n: scores}, mask.size - kept + count(rate, kept))
        masks = new
    return masks, calls
