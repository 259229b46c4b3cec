"""Answers to stage-masks."""

import numpy as np

from autograder.checks.bank import right, wrong


def _masks(weights, masks, sparsity, *, guard=True, count=lambda s, n: round(s * n), nested=True,
           key=np.abs, order=lambda m: np.argsort(m, kind="stable"), flip=False,
           gone_first=True, dtype=bool):  # fmt: skip
    if guard:
        if not 0 <= sparsity <= 1 or not weights:
            raise ValueError("sparsity or layers")
    out = {}
    for name, weight in weights.items():
        kept = masks.get(name, np.ones(weight.shape, bool))
        wanted = count(sparsity, weight.size)
        if guard and (weight.size == 0 or kept.shape != weight.shape or wanted < (~kept).sum()):
            raise ValueError(name)
        magnitude = key(weight)
        if nested:
            magnitude = np.where(kept, magnitude, -np.inf if gone_first else 0.0)
        mask = np.ones(weight.size, bool)
        mask[order(magnitude.ravel())[:wanted]] = False
        out[name] = (mask.reshape(weight.shape) ^ flip).astype(dtype)
    return out


@right("a stable sort")
def stable(weights, masks, sparsity):
    return _masks(weights, masks, sparsity)


@right("torch, lexicographic")
def by_torch(weights, masks, sparsity):
    import torch

    if not (sparsity >= 0 and sparsity <= 1) or len(weights) == 0:
        raise ValueError("Give layers and a sparsity from 0 to 1.")
    out = {}
    for name in weights:
        w = torch.from_numpy(weights[name].copy()).abs().flatten()
        if name in masks:
            if masks[name].shape != weights[name].shape:
                raise ValueError("shape")
            w[~torch.from_numpy(masks[name].copy()).flatten()] = -1
        n = w.numel()
        if n == 0 or int((w < 0).sum()) > round(sparsity * n):
            raise ValueError("too few")
        keep = torch.ones(n, dtype=torch.bool)
        keep[torch.sort(w, stable=True).indices[: round(sparsity * n)]] = False
        out[name] = keep.reshape(weights[name].shape).numpy()
    return out


@right("a loop in Python")
def loop(weights, masks, sparsity):
    if sparsity != sparsity or sparsity < 0 or sparsity > 1 or not weights:
        raise ValueError("sparsity")
    out = {}
    for name, w in weights.items():
        old = masks.get(name)
        if w.size == 0 or (old is not None and old.shape != w.shape):
            raise ValueError(name)
        mask = np.ones(w.shape, dtype=bool) if old is None else old.copy()
        missing = round(sparsity * w.size) - int((~mask).sum())
        if missing < 0:
            raise ValueError("fewer than before")
        live = np.flatnonzero(mask)
        ranked = sorted(live, key=lambda i, w=w: (abs(w.flat[i]), i))
        for i in ranked[:missing]:
            mask.flat[i] = False
        out[name] = mask
    return out


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(weights, masks, sparsity):
        return _masks(weights, masks, sparsity, **changes)

    return answer


floor = _wrong("floor", "You rounded the count down; it is round(sparsity * size).",
               count=lambda s, n: int(s * n))  # fmt: skip
half_up = _wrong("half-up", "round() takes halves to even; yours went up.",
                 count=lambda s, n: int(np.floor(s * n + 0.5)))  # fmt: skip
ceil = _wrong("ceil", "You rounded the count up.", count=lambda s, n: int(np.ceil(s * n)))
kept_count = _wrong("sparsity-kept", "sparsity is the share that is removed, not the one that stays.",
                    count=lambda s, n: n - round(s * n))  # fmt: skip
signed = _wrong("no-magnitude", "You sorted by value: large negative weights were removed.",
                key=lambda w: w)  # fmt: skip
largest = _wrong("largest-removed", "You removed the largest weights.", key=lambda w: -np.abs(w))
inverted = _wrong("inverted", "True is for weights that stay.", flip=True)
forgets = _wrong("forgets-masks", "Weights of earlier rounds came back: masks must be nested.",
                 nested=False)  # fmt: skip
zero_not_first = _wrong(
    "gone-tie-with-zero", "A live weight of value 0 went before one that was gone already.",
    gone_first=False,
)  # fmt: skip
last_of_ties = _wrong("last-of-equals", "Of equal magnitudes the lower index goes first.",
                      order=lambda m: (len(m) - 1 - np.argsort(m[::-1], kind="stable")))  # fmt: skip
floats = _wrong("float-masks", "The masks must be bool arrays.", dtype=np.float32)
unguarded = _wrong("no-refusal", "Bad sparsities, empty layers and lost rounds must raise ValueError.",
                   guard=False)  # fmt: skip


def _guard(weights, masks, sparsity):
    _masks(weights, masks, sparsity)


@wrong("one-threshold", "One threshold for all matrices: each has its own share to remove.")
def over_all(weights, masks, sparsity):
    _guard(weights, masks, sparsity)
    magnitude = {k: np.where(masks.get(k, True), np.abs(w), -1) for k, w in weights.items()}
    flat = np.concatenate([m.ravel() for m in magnitude.values()])
    gone = np.ones(flat.size, bool)
    gone[np.argsort(flat, kind="stable")[: round(sparsity * flat.size)]] = False
    out, at = {}, 0
    for k, w in weights.items():
        out[k] = gone[at : at + w.size].reshape(w.shape)
        at += w.size
    return out


@wrong("quantile-threshold", "A threshold removes too many or too few where magnitudes are equal.")
def threshold(weights, masks, sparsity):
    _guard(weights, masks, sparsity)
    return {
        k: (np.abs(w) > np.quantile(np.abs(w), sparsity)) & masks.get(k, np.ones(w.shape, bool))
        for k, w in weights.items()
    }


@wrong("rows", "The share is of each matrix, not of each row.")
def rows(weights, masks, sparsity):
    _guard(weights, masks, sparsity)
    out = {}
    for k, w in weights.items():
        magnitude = np.where(masks.get(k, np.ones(w.shape, bool)), np.abs(w), -1)
        mask = np.ones(w.shape, bool)
        order = np.argsort(magnitude, axis=1, kind="stable")[:, : round(sparsity * w.shape[1])]
        np.put_along_axis(mask, order, False, axis=1)
        out[k] = mask
    return out


@wrong("share-of-the-rest", "sparsity is of the whole matrix, not of what is left.")
def of_the_rest(weights, masks, sparsity):
    _guard(weights, masks, sparsity)
    out = {}
    for k, w in weights.items():
        kept = masks.get(k, np.ones(w.shape, bool))
        live = np.flatnonzero(kept)
        mask = kept.copy()
        order = np.argsort(np.abs(w).ravel()[live], kind="stable")
        mask.flat[live[order[: round(sparsity * len(live))]]] = False
        out[k] = mask
    return out


@wrong("argument-changed", "You wrote into the masks that were given.")
def changes(weights, masks, sparsity):
    out = _masks(weights, masks, sparsity)
    for k in masks:
        masks[k][...] = out[k]
    return out


@wrong("squares", "Squares of small float32 values are 0: compare magnitudes.")
def squares(weights, masks, sparsity):
    return _masks(weights, masks, sparsity, key=np.square)


@wrong("half-precision", "In float16 different magnitudes become equal: compare as they are.")
def half_precision(weights, masks, sparsity):
    return _masks(weights, masks, sparsity, key=lambda w: np.abs(w.astype(np.float16)))


@wrong("quantile-kept", "A quantile is a threshold: it removes another number. Sort, and count.")
def quantile_kept(weights, masks, sparsity):
    _masks(weights, masks, sparsity)
    out = {}
    for name, weight in weights.items():
        kept = masks.get(name, np.ones(weight.shape, bool))
        magnitude = np.where(kept, np.abs(weight), -1.0).ravel()
        out[name] = (magnitude >= np.quantile(magnitude, sparsity)).reshape(weight.shape)
    return out
