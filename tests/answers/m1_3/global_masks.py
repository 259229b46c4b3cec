"""Answers to global-masks."""

import heapq
import math

import torch

from autograder.checks.bank import right, wrong


def _checked(scores, sparsity, checks="slen"):
    if "s" in checks and not 0 <= sparsity <= 1:
        raise ValueError("sparsity")
    if "l" in checks and not scores:
        raise ValueError("no layers")
    if "e" in checks and any(s.numel() == 0 for s in scores.values()):
        raise ValueError("an empty layer")
    if "n" in checks and any(bool(s.isnan().any()) for s in scores.values()):
        raise ValueError("NaN")


def _masks(scores, sparsity, *, of=lambda s: s, count=round, checks="slen", names=None):
    _checked(scores, sparsity, checks)
    names = list(names(scores) if names else scores)
    if not names:
        return {}
    flat = torch.cat([of(scores[n]).reshape(-1) for n in names])
    mask = torch.ones(flat.numel(), dtype=torch.bool)
    mask[torch.argsort(flat, stable=True)[: count(sparsity * flat.numel())]] = False
    parts = mask.split([scores[n].numel() for n in names])
    found = {n: part.reshape(scores[n].shape) for n, part in zip(names, parts, strict=True)}
    return {n: found[n] for n in scores}


@right("one argsort")
def by_argsort(scores, sparsity):
    return _masks(scores, sparsity)


@right("a heap of tuples")
def by_heap(scores, sparsity):
    _checked(scores, sparsity)
    entries = [
        (v, k, i) for k, s in enumerate(scores.values()) for i, v in enumerate(s.flatten().tolist())
    ]
    flat = [torch.full((s.numel(),), True) for s in scores.values()]
    for _, k, i in heapq.nsmallest(round(sparsity * len(entries)), entries):
        flat[k][i] = False
    return {n: f.view(s.shape) for f, (n, s) in zip(flat, scores.items(), strict=True)}


@right("sort with indices")
def by_sort(scores, sparsity):
    if not (sparsity >= 0 and sparsity <= 1) or len(scores) == 0:
        raise ValueError("bad")
    for s in scores.values():
        if 0 in s.shape or torch.isnan(s).any():
            raise ValueError("bad layer")
    flat = torch.cat([s.double().ravel() for s in scores.values()])
    ranks = torch.empty(flat.numel(), dtype=torch.int64)
    ranks[flat.sort(stable=True).indices] = torch.arange(flat.numel())
    keep = ranks >= round(sparsity * flat.numel())
    out, at = {}, 0
    for name, s in scores.items():
        out[name] = keep[at : at + s.numel()].view_as(s).clone()
        at += s.numel()
    return out


@wrong("layer-by-layer", "You remove the same share of each layer; all layers share one budget.")
def layerwise(scores, sparsity):
    _checked(scores, sparsity)
    return {n: _masks({n: s}, sparsity)[n] for n, s in scores.items()}


@wrong("absolute-scores", "You take absolute values; scores have signs, the lowest go.")
def absolute(scores, sparsity):
    return _masks(scores, sparsity, of=torch.abs)


@wrong("highest-removed", "You remove the highest scores; the lowest go.")
def highest(scores, sparsity):
    return _masks(scores, sparsity, of=lambda s: -s)


@wrong("threshold-with-ties", "A threshold removes all tied scores; rank them.")
def threshold(scores, sparsity):
    _checked(scores, sparsity)
    flat = torch.cat([s.flatten() for s in scores.values()])
    k = round(sparsity * len(flat))
    limit = flat.kthvalue(k).values if k else -math.inf
    return {n: s > limit if k else torch.ones_like(s, dtype=torch.bool) for n, s in scores.items()}


@wrong("mask-turned-round", "Your masks are True for what goes; True is what stays.")
def inverted(scores, sparsity):
    return {n: ~m for n, m in _masks(scores, sparsity).items()}


@wrong("sorted-names", "Ties follow the dict's order of layers, not the alphabet.")
def alphabet(scores, sparsity):
    return _masks(scores, sparsity, names=sorted)


@wrong("layers-backwards", "Of equal scores those of the first layer go first.")
def backwards(scores, sparsity):
    return _masks(scores, sparsity, names=reversed)


@wrong(
    "layer-scaled", "You divide each layer by its largest score; scores are compared as they are."
)
def scaled(scores, sparsity):
    return _masks(scores, sparsity, of=lambda s: s / s.abs().max())


@wrong("floor-of-the-count", "You cut the count down; round(sparsity * n) is asked.")
def floor(scores, sparsity):
    return _masks(scores, sparsity, count=int)


@wrong("half-up", "You round halves up; Python's round takes them to the even number.")
def half_up(scores, sparsity):
    return _masks(scores, sparsity, count=lambda v: math.floor(v + 0.5))


@wrong("ceil-of-the-count", "You round the count up; round(sparsity * n) is asked.")
def ceil(scores, sparsity):
    return _masks(scores, sparsity, count=math.ceil)


@wrong("flat-masks", "Give each mask its layer's shape.")
def flat(scores, sparsity):
    return {n: m.flatten() for n, m in _masks(scores, sparsity).items()}


@wrong("list-of-masks", "Return a dict under the same names.")
def as_list(scores, sparsity):
    return list(_masks(scores, sparsity).values())


@wrong("float-masks", "Your masks hold floats; bool tensors are asked.")
def as_float(scores, sparsity):
    return {n: m.float() for n, m in _masks(scores, sparsity).items()}


@wrong("infinity-refused", "Infinite scores are allowed; only a NaN has no rank.")
def finite_only(scores, sparsity):
    if any(not s.isfinite().all() for s in scores.values()):
        raise ValueError("infinite")
    return _masks(scores, sparsity)


@wrong("sparsity-clipped", "A sparsity outside [0, 1] must raise ValueError.")
def clipped(scores, sparsity):
    return _masks(scores, min(max(sparsity, 0.0), 1.0))


@wrong("nan-sparsity", "Your test lets a NaN sparsity pass: write `not 0 <= sparsity <= 1`.")
def nan_sparsity(scores, sparsity):
    return _masks(scores, 0.5 if math.isnan(sparsity) else sparsity)


@wrong("no-layers-accepted", "Without layers there is nothing to prune: raise ValueError.")
def no_layers(scores, sparsity):
    return _masks(scores, sparsity, checks="sen")


@wrong("empty-layer-accepted", "A layer without entries must raise ValueError.")
def empty_layer(scores, sparsity):
    return _masks(scores, sparsity, checks="sln")


@wrong("nan-accepted", "A NaN has no rank: raise ValueError.")
def nan_accepted(scores, sparsity):
    return _masks(scores, sparsity, checks="sle")


@right("a threshold, then the ties layer by layer")
def by_threshold(scores, sparsity):
    _checked(scores, sparsity)
    flat = torch.hstack([s.ravel() for s in scores.values()])
    k = round(sparsity * flat.numel())
    if not k:
        return {n: torch.ones_like(s, dtype=torch.bool) for n, s in scores.items()}
    limit = flat.kthvalue(k).values
    left, out = k - int((flat < limit).sum()), {}
    for name, s in scores.items():
        keep = (s > limit).flatten()
        tied = (s == limit).flatten().nonzero().flatten()
        keep[tied[left:]] = True
        left -= min(left, len(tied))
        out[name] = keep.view(s.shape)
    return out


@wrong("count-in-float32", "float32 rounds sparsity * n before it is rounded; count in Python.")
def float32_count(scores, sparsity):
    return _masks(scores, sparsity, count=lambda v: int(torch.round(torch.tensor(v))))


@wrong("ranked-in-float32", "Two float64 scores may be one in float32: rank them as they are.")
def float32_rank(scores, sparsity):
    return _masks(scores, sparsity, of=lambda s: s.float())


@wrong("empty-by-length", "A layer of shape (3, 0) has a length and no entries: ask numel().")
def by_length(scores, sparsity):
    if any(s.ndim and not s.shape[0] for s in scores.values()):
        raise ValueError("an empty layer")
    return _masks(scores, sparsity, checks="sln")


@wrong("last-layer-checked", "You look for NaN in the last layer only.")
def last_layer(scores, sparsity):
    if scores and list(scores.values())[-1].isnan().any():
        raise ValueError("NaN")
    return _masks(scores, sparsity, checks="sle")


@wrong("nan-of-the-sum", "inf - inf is NaN: a sum refuses scores that are allowed.")
def nan_of_sum(scores, sparsity):
    if any(s.sum().isnan() for s in scores.values()):
        raise ValueError("NaN")
    return _masks(scores, sparsity)


@wrong("dict-changed", "You write into the caller's dict; make a new one.")
def dict_changed(scores, sparsity):
    scores.update(_masks(scores, sparsity))
    return scores


@wrong("dict-emptied", "You take the layers out of the caller's dict.")
def dict_emptied(scores, sparsity):
    masks = _masks(scores, sparsity)
    scores.clear()
    return masks


@wrong("extra-entry", "Return the masks of the layers and nothing else.")
def extra(scores, sparsity):
    masks = _masks(scores, sparsity)
    return {**masks, "all": torch.cat([m.flatten() for m in masks.values()])}
