"""Answers to find-ticket."""

import math

import torch

from autograder.checks.bank import right, wrong


def _checked(initial, rate, rounds, checks="rnle"):
    if "r" in checks and not 0 <= rate <= 1:
        raise ValueError("rate")
    if "n" in checks and rounds < 1:
        raise ValueError("rounds")
    if "l" in checks and not initial:
        raise ValueError("no layers")
    if "e" in checks and any(not w.numel() for w in initial.values()):
        raise ValueError("empty")


def _cut(scores, k):
    mask = torch.ones(scores.numel(), dtype=torch.bool)
    mask[torch.argsort(scores.flatten(), stable=True)[:k]] = False
    return mask.reshape(scores.shape)


def _ticket(
    initial, train_masked, rate, rounds, *, rewind=True, held=True, count=round, of_all=False,
    scope="layer", score=None, masked=True, checks="rnle", stop=None,
):  # fmt: skip
    _checked(initial, rate, rounds, checks)
    masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in initial.items()}
    weights = initial
    for _ in range(rounds if stop is None else stop(rounds)):
        base = initial if rewind else weights
        given = {n: w * masks[n] if masked else w.clone() for n, w in base.items()}
        trained = train_masked(given, {n: m.clone() for n, m in masks.items()})
        scores = {n: score(trained[n], initial[n]) if score else trained[n].abs() for n in masks}
        ranked = {n: torch.where(m, scores[n], -math.inf) if held else scores[n] * m
                  for n, m in masks.items()}  # fmt: skip
        if scope == "global":
            flat = torch.cat([r.flatten() for r in ranked.values()])
            kept = sum(int(m.sum()) for m in masks.values())
            cut = _cut(flat, flat.numel() - kept + count(rate * kept))
            parts = cut.split([m.numel() for m in masks.values()])
            masks = {n: p.reshape(m.shape) for p, (n, m) in zip(parts, masks.items(), strict=True)}
        else:
            new = {}
            for n, mask in masks.items():
                kept = int(mask.sum())
                share = mask.numel() if of_all else kept
                gone = min(mask.numel() - kept + count(rate * share), mask.numel())
                new[n] = _cut(ranked[n], gone)
            masks = new
        weights = {n: trained[n] * masks[n] for n in masks}
    return masks


@right("masked scores")
def by_scores(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds)


@right("indices of the kept")
def by_indices(initial, train_masked, rate, rounds):
    if math.isnan(rate) or rate < 0 or rate > 1 or rounds <= 0 or len(initial) == 0:
        raise ValueError("bad input")
    if min(w.numel() for w in initial.values()) == 0:
        raise ValueError("an empty layer")
    alive = {n: list(range(w.numel())) for n, w in initial.items()}

    def masks():
        out = {}
        for n, w in initial.items():
            flat = torch.zeros(w.numel(), dtype=torch.bool)
            flat[alive[n]] = True
            out[n] = flat.view(w.shape)
        return out

    for _ in range(rounds):
        now = masks()
        start = {n: torch.where(now[n], w, 0.0) for n, w in initial.items()}
        trained = train_masked(start, now)
        for n, places in alive.items():
            values = trained[n].flatten().abs().tolist()
            ranked = sorted(places, key=values.__getitem__)
            alive[n] = sorted(ranked[round(rate * len(places)) :])
    return masks()


@wrong(
    "not-rewound", "You go on from the trained weights; each round starts from the INITIAL ones."
)
def not_rewound(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, rewind=False)


@wrong(
    "share-of-all", "You remove a share of all weights in each round; the rate is of those left."
)
def of_all(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, of_all=True)


@wrong("global-ranking", "You rank all layers together; here each layer loses its own share.")
def global_rank(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, scope="global")


@wrong("initial-magnitudes", "You rank the initial magnitudes; the trained ones decide.")
def by_initial(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, score=lambda t, w: w.abs())


@wrong("movement", "You rank how far the weights moved; the trained magnitudes decide.")
def by_change(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, score=lambda t, w: (t - w).abs())


@wrong("signed-ranking", "You rank with signs; magnitudes are asked.")
def signed(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, score=lambda t, w: t)


@wrong("largest-removed", "You remove the largest magnitudes; the smallest go.")
def largest(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, score=lambda t, w: -t.abs())


@wrong(
    "removed-come-back",
    "What training moved at removed places is ranked again; they are gone for good.",
)
def come_back(initial, train_masked, rate, rounds):
    _checked(initial, rate, rounds)
    masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in initial.items()}
    for _ in range(rounds):
        trained = train_masked({n: w * masks[n] for n, w in initial.items()}, dict(masks))
        for n, mask in masks.items():
            kept = int(mask.sum())
            masks[n] = _cut(trained[n].abs(), mask.numel() - kept + round(rate * kept))
    return masks


@wrong("zeros-for-gone", "You rank zeros for the removed; a kept weight that is 0 ties with them.")
def zeros(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, held=False)


@wrong("initial-not-masked", "Training must start with 0 where the masks are False.")
def unmasked(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, masked=False)


@wrong("one-shot", "You remove everything in one round; train again between the cuts.")
def one_shot(initial, train_masked, rate, rounds):
    _checked(initial, rate, rounds)
    return _ticket(initial, train_masked, 1 - (1 - rate) ** rounds, 1)


@wrong("one-round-too-few", "You run one round too few.")
def too_few(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, stop=lambda r: r - 1)


@wrong("trained-once-more", "You train once more at the end; only the masks are asked.")
def once_more(initial, train_masked, rate, rounds):
    masks = _ticket(initial, train_masked, rate, rounds)
    train_masked({n: w * masks[n] for n, w in initial.items()}, dict(masks))
    return masks


@wrong("floor-of-the-count", "You cut the count down; round(rate * kept) is asked.")
def floor(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, count=int)


@wrong("half-up", "You round halves up; Python's round takes them to the even number.")
def half_up(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, count=lambda v: math.floor(v + 0.5))


@wrong("masks-turned-round", "Your masks are True for what goes; True is what stays.")
def turned(initial, train_masked, rate, rounds):
    return {n: ~m for n, m in _ticket(initial, train_masked, rate, rounds).items()}


@wrong(
    "initial-weights-given",
    "train_masked may train in place: give it copies of the initial weights.",
)
def in_place(initial, train_masked, rate, rounds):
    _checked(initial, rate, rounds)
    masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in initial.items()}
    for _ in range(rounds):
        for n, w in initial.items():
            w.mul_(masks[n])
        trained = train_masked(initial, {n: m.clone() for n, m in masks.items()})
        for n, mask in masks.items():
            kept = int(mask.sum())
            scores = torch.where(mask, trained[n].abs(), -1.0)
            masks[n] = _cut(scores, mask.numel() - kept + round(rate * kept))
    return masks


@wrong("rate-not-checked", "A rate outside [0, 1] must raise ValueError.")
def any_rate(initial, train_masked, rate, rounds):
    _checked(initial, 0.5, rounds)
    return _ticket(initial, train_masked, min(max(rate, 0.0), 1.0), rounds)


@wrong("rounds-not-checked", "Fewer than one round must raise ValueError.")
def any_rounds(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, checks="rle")


@wrong("empty-layer-accepted", "A layer without weights must raise ValueError.")
def empty(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, checks="rnl")


@wrong("no-layers-accepted", "Without layers there is no ticket: raise ValueError.")
def no_layers(initial, train_masked, rate, rounds):
    return {} if not initial else _ticket(initial, train_masked, rate, rounds)


@right("the kept values alone")
def by_selection(initial, train_masked, rate, rounds):
    _checked(initial, rate, rounds)
    masks = {n: torch.ones(w.shape, dtype=torch.bool) for n, w in initial.items()}
    for _ in range(rounds):
        start = {n: w.clone().masked_fill_(~masks[n], 0) for n, w in initial.items()}
        trained = train_masked(start, {n: m.clone() for n, m in masks.items()})
        new = {}
        for n, mask in masks.items():
            values = trained[n][mask].abs()
            keep = torch.ones(len(values), dtype=torch.bool)
            keep[values.sort(stable=True).indices[: round(rate * len(values))]] = False
            new[n] = mask.clone()
            new[n][mask] = keep
        masks = new
    return masks


@wrong("own-masks-given", "train_masked may change what it gets, masks too: give it copies.")
def own_masks(initial, train_masked, rate, rounds):
    _checked(initial, rate, rounds)
    masks = {n: torch.ones_like(w, dtype=torch.bool) for n, w in initial.items()}
    for _ in range(rounds):
        trained = train_masked({n: w * masks[n] for n, w in initial.items()}, dict(masks))
        for n, mask in masks.items():
            kept = int(mask.sum())
            scores = torch.where(mask, trained[n].abs(), -1.0)
            masks[n] = _cut(scores, mask.numel() - kept + round(rate * kept))
    return masks


@wrong("ranked-in-float32", "Two float64 weights may be one in float32: rank them as they are.")
def float32_rank(initial, train_masked, rate, rounds):
    return _ticket(initial, train_masked, rate, rounds, score=lambda t, w: t.float().abs())


@wrong("count-in-float32", "float32 rounds rate * kept before it is rounded; count in Python.")
def float32_count(initial, train_masked, rate, rounds):
    return _ticket(
        initial, train_masked, rate, rounds, count=lambda v: int(torch.round(torch.tensor(v)))
    )


@wrong("empty-by-length", "A layer of shape (2, 0) has a length and no weights: ask numel().")
def by_length(initial, train_masked, rate, rounds):
    if any(not len(w) for w in initial.values()):
        raise ValueError("an empty layer")
    return _ticket(initial, train_masked, rate, rounds, checks="rnl")


@wrong("dict-changed", "You write into the caller's dict; make a new one.")
def dict_changed(initial, train_masked, rate, rounds):
    masks = _ticket(initial, train_masked, rate, rounds)
    initial.update({n: initial[n] * masks[n] for n in masks})
    return masks


@wrong("extra-entry", "Return the masks of the layers and nothing else.")
def extra(initial, train_masked, rate, rounds):
    masks = _ticket(initial, train_masked, rate, rounds)
    return {**masks, "all": torch.cat([m.flatten() for m in masks.values()])}


@wrong("numbered-names", "Layers keep the names that they came with.")
def numbered(initial, train_masked, rate, rounds):
    masks = _ticket(initial, train_masked, rate, rounds)
    return {f"layer {k}": mask for k, mask in enumerate(masks.values())}
