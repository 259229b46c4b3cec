"""Answers to movement-mask."""

import torch

from autograder.checks.bank import right, wrong


def _mask(scores, sparsity, of=lambda s: s, *, check=True):
    if check and not 0 <= sparsity <= 1:
        raise ValueError("sparsity")
    flat = torch.ones(scores.numel(), dtype=torch.bool)
    order = torch.argsort(of(scores).flatten(), stable=True)
    flat[order[: round(sparsity * scores.numel())]] = False
    return flat.reshape(scores.shape)


def _checked(path):
    if not path:
        raise ValueError("no steps")
    shapes = {tuple(t.shape) for pair in path for t in pair}
    if len(shapes) > 1 or not path[0][0].numel():
        raise ValueError("shapes")


def _scores(path, term=lambda w, g: w * g):
    _checked(path)
    return -sum(term(w, g) for w, g in path)


@right("a sum of products")
def by_sum(path, sparsity):
    scores = _scores(path)
    return scores, _mask(scores, sparsity)


@right("stacked, in float64")
def by_stack(path, sparsity):
    _checked(path)
    weights = torch.stack([w for w, _ in path]).double()
    gradients = torch.stack([g for _, g in path]).double()
    scores = -(weights * gradients).sum(0)
    return [scores.to(path[0][0].dtype), _mask(scores, sparsity)]


@right("addcmul in a copy")
def by_addcmul(path, sparsity):
    _checked(path)
    total = torch.zeros_like(path[0][0])
    for weight, gradient in path:
        total.addcmul_(weight, gradient, value=-1)
    return total, _mask(total, sparsity)


@wrong(
    "sign-forgotten",
    "Your scores have the wrong sign: a weight that moves away from 0 scores above 0.",
)
def no_sign(path, sparsity):
    scores = -_scores(path)
    return scores, _mask(scores, sparsity)


@wrong(
    "sign-forgotten-in-the-mask", "Your scores are right, but the mask keeps the lowest of them."
)
def mask_turned(path, sparsity):
    scores = _scores(path)
    return scores, _mask(scores, sparsity, lambda s: -s)


@wrong(
    "absolute-scores",
    "You rank |score|; a strongly negative score says that the weight goes to zero.",
)
def absolute(path, sparsity):
    scores = _scores(path)
    return scores, _mask(scores, sparsity, torch.abs)


@wrong("absolute-products", "You sum |w * g|: the direction of the movement is lost.")
def absolute_terms(path, sparsity):
    scores = -_scores(path, lambda w, g: (w * g).abs())
    return scores, _mask(scores, sparsity)


@wrong(
    "gradient-only", "You sum the gradients alone; each is multiplied with the weight of its step."
)
def gradients(path, sparsity):
    scores = _scores(path, lambda w, g: g)
    return scores, _mask(scores, sparsity)


@wrong("magnitudes", "You rank the last magnitudes; movement looks at the path.")
def magnitude(path, sparsity):
    _checked(path)
    scores = path[-1][0].abs()
    return scores, _mask(scores, sparsity)


@wrong("last-step-only", "You look at the last step only; the scores are summed over all.")
def last(path, sparsity):
    _checked(path)
    scores = _scores(path[-1:])
    return scores, _mask(scores, sparsity)


@wrong(
    "first-weight-only", "You multiply all gradients with the first weight; each step has its own."
)
def first_weight(path, sparsity):
    _checked(path)
    scores = _scores(path, lambda w, g: path[0][0] * g)
    return scores, _mask(scores, sparsity)


@wrong(
    "last-weight-only", "You multiply all gradients with the last weight; each step has its own."
)
def last_weight(path, sparsity):
    _checked(path)
    scores = _scores(path, lambda w, g: path[-1][0] * g)
    return scores, _mask(scores, sparsity)


@wrong("mean", "You average over the steps; the sum is asked.")
def mean(path, sparsity):
    scores = _scores(path) / len(path)
    return scores, _mask(scores, sparsity)


@wrong("first-step-left-out", "You leave out the first step.")
def no_first(path, sparsity):
    scores = _scores(path) + path[0][0] * path[0][1]
    return scores, _mask(scores, sparsity)


@wrong("mask-only", "Return the scores and the mask.")
def only_mask(path, sparsity):
    return _mask(_scores(path), sparsity)


@wrong(
    "summed-to-one-number", "You sum over the weights as well; each weight has a score of its own."
)
def scalar(path, sparsity):
    scores = _scores(path)
    return scores.sum(), _mask(scores, sparsity)


@wrong("weights-changed", "You add up in the weight that came in; make a new tensor.")
def in_place(path, sparsity):
    _checked(path)
    path[0][0].mul_(path[0][1]).neg_()
    for w, g in path[1:]:
        path[0][0].sub_(w * g)
    return path[0][0], _mask(path[0][0], sparsity)


@wrong("no-steps-accepted", "Without steps there are no scores: raise ValueError.")
def no_steps(path, sparsity):
    if not path:
        return torch.zeros(1), torch.ones(1, dtype=torch.bool)
    return by_sum(path, sparsity)


@wrong("shapes-broadcast", "Tensors of different shapes broadcast in silence: raise ValueError.")
def broadcast(path, sparsity):
    if not path or not path[0][0].numel():
        raise ValueError("bad")
    scores = -sum(w * g for w, g in path)
    return scores, _mask(scores, sparsity)


@wrong("sparsity-not-checked", "A sparsity outside [0, 1] must raise ValueError.")
def any_sparsity(path, sparsity):
    return by_sum(path, min(max(sparsity, 0.0), 1.0))


@wrong("empty-accepted", "A layer without weights must raise ValueError.")
def empty(path, sparsity):
    if path and not path[0][0].numel():
        return path[0][0], torch.ones(path[0][0].shape, dtype=torch.bool)
    return by_sum(path, sparsity)


@right("einsum over the steps")
def by_einsum(path, sparsity):
    _checked(path)
    weights, gradients = (torch.stack(t) for t in zip(*path, strict=True))
    scores = -torch.einsum("t...,t...->...", weights, gradients)
    return scores, _mask(scores, sparsity)


@wrong("summed-in-float32", "You sum float64 tensors in float32; keep their dtype.")
def float32_sum(path, sparsity):
    scores = _scores(path, lambda w, g: w.float() * g.float()).to(path[0][0].dtype)
    return scores, _mask(scores, sparsity)


@wrong("half-up", "You round halves up; Python's round takes them to the even number.")
def half_up(path, sparsity):
    scores = _scores(path)
    mask = _mask(scores, sparsity)
    n = scores.numel()
    return scores, _mask(scores, int(sparsity * n + 0.5) / n) if n else mask


@wrong("first-gradient-checked", "You compare the gradient of the first step only.")
def first_pair(path, sparsity):
    _checked([path[0], *[(w, w) for w, _ in path[1:]]] if path else path)
    scores = -sum(w * g for w, g in path)
    return scores, _mask(scores, sparsity)


@wrong("entries-counted", "As many entries are not the same shape: (3, 4) is not (4, 3).")
def entries(path, sparsity):
    if not path or len({t.numel() for pair in path for t in pair}) > 1:
        raise ValueError("entries")
    shape = path[0][0].shape
    return by_sum([(w.reshape(shape), g.reshape(shape)) for w, g in path], sparsity)


@wrong("empty-by-length", "A weight of shape (2, 0) has a length and no entries: ask numel().")
def by_length(path, sparsity):
    if path and not path[0][0].numel() and len(path[0][0]):
        return path[0][0], torch.ones(path[0][0].shape, dtype=torch.bool)
    return by_sum(path, sparsity)


@wrong("list-changed", "You turn the caller's list round; go through it without changing it.")
def reversed_list(path, sparsity):
    path.reverse()
    return by_sum(path, sparsity)


@wrong("list-emptied", "You pop the steps from the caller's list.")
def popped(path, sparsity):
    result = by_sum(path, sparsity)
    path.clear()
    return result
