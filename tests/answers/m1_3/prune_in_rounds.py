"""Answers to prune-in-rounds."""

import math

import torch

from autograder.checks.bank import right, wrong


def _lowest(scores, k):
    flat = torch.cat([s.flatten() for s in scores.values()])
    mask = torch.ones(len(flat), dtype=torch.bool)
    mask[torch.argsort(flat, stable=True)[:k]] = False
    parts = mask.split([s.numel() for s in scores.values()])
    return {n: p.reshape(s.shape) for p, (n, s) in zip(parts, scores.items(), strict=True)}


def _checked(weights, targets, checks="tmle"):
    if "t" in checks and (not targets or not all(0 <= t <= 1 for t in targets)):
        raise ValueError("targets")
    if "m" in checks and any(b < a for a, b in zip(targets, targets[1:], strict=False)):
        raise ValueError("order")
    if "l" in checks and not weights:
        raise ValueError("no layers")
    if "e" in checks and any(not w.numel() for w in weights.values()):
        raise ValueError("an empty layer")


def _rounds(
    weights, targets, tune, *, held=True, count=round, last=True, before=True, each=False,
    of_left=False, tunes=True, checks="tmle", magnitude=torch.abs, final_tune=True, rewind=False,
    masks_to_tune=lambda m: m, ranked="now",
):  # fmt: skip
    _checked(weights, targets, checks)
    first = weights
    masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in weights.items()}
    n = sum(w.numel() for w in weights.values())
    for number, target in enumerate(targets):
        source = first if ranked == "first" else weights
        scores = {
            name: torch.where(masks[name], magnitude(w), -math.inf) if held else magnitude(w)
            for name, w in source.items()
        }
        if each:
            masks = {
                name: _lowest({name: s}, count(target * s.numel()))[name]
                for name, s in scores.items()
            }
        elif of_left:
            gone = sum(int((~m).sum()) for m in masks.values())
            masks = _lowest(scores, gone + count(target * (n - gone)))
        else:
            masks = _lowest(scores, count(target * n))
        base = first if rewind else weights
        given = {name: w * masks[name] if before else w.clone() for name, w in base.items()}
        if tunes and (final_tune or number < len(targets) - 1):
            to_tune = {name: m.clone() for name, m in masks.items()}
            weights = tune(given, masks_to_tune(to_tune))
        else:
            weights = given
        if last:
            weights = {name: w * masks[name] for name, w in weights.items()}
    return weights, masks


@right("masked scores")
def by_scores(weights, targets, tune):
    return _rounds(weights, targets, tune)


@right("one flat vector")
def flat_vector(weights, targets, tune):
    targets = list(targets)
    if not targets or min(targets) < 0 or max(targets) > 1 or any(map(math.isnan, targets)):
        raise ValueError("targets")
    if sorted(targets) != targets or not weights or 0 in [w.numel() for w in weights.values()]:
        raise ValueError("bad input")
    sizes, shapes = [w.numel() for w in weights.values()], [w.shape for w in weights.values()]

    def named(vector):
        parts = vector.split(sizes)
        return {n: p.reshape(s) for n, p, s in zip(weights, parts, shapes, strict=True)}

    values = torch.cat([w.detach().flatten() for w in weights.values()])
    alive = torch.arange(len(values))
    for target in targets:
        quota = round(target * len(values)) - (len(values) - len(alive))
        order = values[alive].abs().sort(stable=True).indices
        alive = alive[order[quota:]].sort().values
        mask = torch.zeros(len(values), dtype=torch.bool).index_fill(0, alive, True)
        clean = torch.where(mask, values, torch.zeros_like(values))
        tuned = tune(named(clean), named(mask.clone()))
        values = torch.cat([tuned[n].flatten() for n in weights]) * mask
    return [named(values), named(mask)]


@wrong(
    "zeros-for-gone",
    "You rank zeros among the kept; a kept weight that is 0 ties with what is gone.",
)
def zeros(weights, targets, tune):
    return _rounds(weights, targets, tune, held=False)


@wrong(
    "pruned-come-back",
    "After tune you keep what it moved away from 0; multiply with the mask again.",
)
def come_back(weights, targets, tune):
    return _rounds(weights, targets, tune, last=False)


@wrong(
    "not-zeroed-before-tune",
    "tune must get the pruned weights, with zeros where the masks are False.",
)
def not_before(weights, targets, tune):
    return _rounds(weights, targets, tune, before=False)


@wrong("share-of-what-is-left", "A target is a share of ALL weights, not of those that are left.")
def of_left(weights, targets, tune):
    return _rounds(weights, targets, tune, of_left=True)


@wrong("layer-by-layer", "You prune each layer to the target; all layers share one budget.")
def layerwise(weights, targets, tune):
    return _rounds(weights, targets, tune, each=True)


@wrong("one-shot", "You prune to the last target at once; each target has its round.")
def one_shot(weights, targets, tune):
    _checked(weights, targets)
    return _rounds(weights, targets[-1:], tune)


@wrong("no-tuning", "You never call tune.")
def untuned(weights, targets, tune):
    return _rounds(weights, targets, tune, tunes=False)


@wrong("no-tuning-at-the-end", "You do not tune after the last cut, where it is needed most.")
def no_last(weights, targets, tune):
    return _rounds(weights, targets, tune, final_tune=False)


@wrong("tuned-first", "You tune before you prune; the cut comes first in each round.")
def tuned_first(weights, targets, tune):
    _checked(weights, targets)
    masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in weights.items()}
    n = sum(w.numel() for w in weights.values())
    for target in targets:
        weights = tune({k: w * masks[k] for k, w in weights.items()}, dict(masks))
        scores = {k: torch.where(masks[k], w.abs(), -1.0) for k, w in weights.items()}
        masks = _lowest(scores, round(target * n))
        weights = {k: w * masks[k] for k, w in weights.items()}
    return weights, masks


@wrong("rewound", "You go back to the first weights in each round; here training goes on.")
def rewound(weights, targets, tune):
    return _rounds(weights, targets, tune, rewind=True)


@wrong("ranked-once", "You rank the first weights in every round; rank them as they are now.")
def ranked_once(weights, targets, tune):
    return _rounds(weights, targets, tune, ranked="first")


@wrong("signed-ranking", "You rank with signs; magnitudes are asked.")
def signed(weights, targets, tune):
    return _rounds(weights, targets, tune, magnitude=lambda w: w)


@wrong("masks-turned-round", "The masks given to tune are True for what goes.")
def turned(weights, targets, tune):
    def other(masks):
        return {n: ~m for n, m in masks.items()}

    weights, masks = _rounds(weights, targets, tune, masks_to_tune=other)
    return weights, other(masks)


@wrong("floor-of-the-count", "You cut the count down; round(s * n) is asked.")
def floor(weights, targets, tune):
    return _rounds(weights, targets, tune, count=int)


@wrong("weights-only", "Return the weights and the masks.")
def weights_only(weights, targets, tune):
    return _rounds(weights, targets, tune)[0]


@wrong(
    "arguments-given-to-tune", "tune may train in place: give it copies, not the caller's tensors."
)
def in_place(weights, targets, tune):
    _checked(weights, targets)
    masks = _lowest({n: w.abs() for n, w in weights.items()}, 0)
    n = sum(w.numel() for w in weights.values())
    first = True
    for target in targets:
        scores = {k: torch.where(masks[k], w.abs(), -1.0) for k, w in weights.items()}
        masks = _lowest(scores, round(target * n))
        if first:
            for k, w in weights.items():
                w.mul_(masks[k])
            given, first = weights, False
        else:
            given = {k: w * masks[k] for k, w in weights.items()}
        tuned = tune(given, {k: m.clone() for k, m in masks.items()})
        weights = {k: w * masks[k] for k, w in tuned.items()}
    return weights, masks


@wrong(
    "targets-sorted", "You sort the targets; falling ones are an error, since nothing grows back."
)
def sorted_targets(weights, targets, tune):
    return _rounds(weights, sorted(targets), tune)


@wrong("order-not-checked", "A target below the one before must raise ValueError.")
def any_order(weights, targets, tune):
    return _rounds(weights, targets, tune, checks="tle")


@wrong("no-targets-accepted", "Without targets nothing would be pruned: raise ValueError.")
def no_targets(weights, targets, tune):
    if not targets:
        return weights, {n: torch.ones_like(w, dtype=torch.bool) for n, w in weights.items()}
    return _rounds(weights, targets, tune)


@wrong(
    "checked-while-pruning", "You check each target in its round; refuse before anything is tuned."
)
def late(weights, targets, tune):
    _checked(weights, targets[:1])
    result, seen = None, []
    for target in targets:
        seen.append(target)
        _checked(weights, seen)
        result = _rounds(weights, seen, tune)
    return result


@wrong("empty-layer-accepted", "A layer without weights must raise ValueError.")
def empty(weights, targets, tune):
    return _rounds(weights, targets, tune, checks="tml")


@wrong("no-layers-accepted", "Without layers there is nothing to prune: raise ValueError.")
def no_layers(weights, targets, tune):
    if not weights:
        return {}, {}
    return _rounds(weights, targets, tune)


@right("masked_fill")
def by_masked_fill(weights, targets, tune):
    _checked(weights, targets)
    masks = {n: torch.ones_like(w).bool() for n, w in weights.items()}
    total = sum(w.numel() for w in weights.values())
    for target in targets:
        ranked = {n: w.abs().masked_fill(~masks[n], -2) for n, w in weights.items()}
        masks = _lowest(ranked, round(target * total))
        given = {n: w.masked_fill(~masks[n], 0) for n, w in weights.items()}
        tuned = tune(given, {n: m.detach().clone() for n, m in masks.items()})
        weights = {n: w.masked_fill(~masks[n], 0) for n, w in tuned.items()}
    return weights, masks


@wrong("float64-weights", "The weights keep their dtype.")
def as_float64(weights, targets, tune):
    _checked(weights, targets)
    return _rounds({n: w.double() for n, w in weights.items()}, targets, tune)


@wrong("ranked-in-float32", "Two float64 weights may be one in float32: rank them as they are.")
def float32_rank(weights, targets, tune):
    return _rounds(weights, targets, tune, magnitude=lambda w: w.float().abs())


@wrong("count-in-float32", "float32 rounds s * n before it is rounded; count in Python.")
def float32_count(weights, targets, tune):
    return _rounds(weights, targets, tune, count=lambda v: int(torch.round(torch.tensor(v))))


@wrong("own-masks-given", "tune may change what it gets, masks too: give it copies.")
def own_masks(weights, targets, tune):
    _checked(weights, targets)
    masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in weights.items()}
    total = sum(w.numel() for w in weights.values())
    for target in targets:
        scores = {n: torch.where(masks[n], w.abs(), -1.0) for n, w in weights.items()}
        masks = _lowest(scores, round(target * total))
        tuned = tune({n: w * masks[n] for n, w in weights.items()}, masks)
        weights = {n: w * masks[n] for n, w in tuned.items()}
    return weights, masks


@wrong("first-target-checked", "Check all targets before the first round: [0.5, 1.2] is refused.")
def first_target(weights, targets, tune):
    _checked(weights, targets, "mle")
    if not targets or not 0 <= targets[0] <= 1 or any(map(math.isnan, targets)):
        raise ValueError("targets")
    return _rounds(weights, [min(t, 1.0) for t in targets], tune)


@wrong("dict-changed", "You write into the caller's dict; make a new one.")
def dict_changed(weights, targets, tune):
    result, masks = _rounds(weights, targets, tune)
    weights.update(result)
    return result, masks


@wrong("extra-entry", "Return the layers and nothing else.")
def extra(weights, targets, tune):
    result, masks = _rounds(weights, targets, tune)
    return result, {**masks, "all": torch.cat([m.flatten() for m in masks.values()])}


@wrong("sorted-names", "Ties follow the dict's order of layers, not the alphabet.")
def alphabet(weights, targets, tune):
    return _rounds(dict(sorted(weights.items())), targets, tune)


@wrong("numbered-names", "Layers keep the names that they came with.")
def numbered(weights, targets, tune):
    result = _rounds(weights, targets, tune)
    return tuple({f"layer {k}": v for k, v in enumerate(part.values())} for part in result)
