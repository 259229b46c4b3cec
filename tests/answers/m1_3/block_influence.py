"""Answers to block-influence."""

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def _checked(before, after, checks="sez"):
    if "s" in checks and before.shape != after.shape:
        raise ValueError("shapes")
    if "e" in checks and not before.numel():
        raise ValueError("empty")
    if "z" in checks and not (before.any(-1).all() and after.any(-1).all()):
        raise ValueError("zeros")


def _cosines(before, after, dim=-1, checks="sez"):
    _checked(before, after, checks)
    before, after = before.double(), after.double()
    return (before * after).sum(dim) / (before.norm(dim=dim) * after.norm(dim=dim))


@right("dot product over lengths")
def by_dot(before, after):
    return 1 - _cosines(before, after).mean().item()


@right("unit vectors")
def by_units(before, after):
    if before.shape != after.shape or 0 in before.shape:
        raise ValueError("shape")
    lengths = [torch.linalg.vector_norm(x.double(), dim=-1, keepdim=True) for x in (before, after)]
    if any(bool((n == 0).any()) for n in lengths):
        raise ValueError("zeros")
    a, b = before.double() / lengths[0], after.double() / lengths[1]
    return float((1 - torch.einsum("...d,...d->...", a, b)).mean())


@right("token by token")
def by_token(before, after):
    _checked(before, after)
    pairs = zip(before.flatten(0, -2) if before.ndim > 1 else before[None],
                after.flatten(0, -2) if after.ndim > 1 else after[None], strict=True)  # fmt: skip
    turns = [1 - torch.dot(a.double(), b.double()) / (a.double().norm() * b.double().norm())
             for a, b in pairs]  # fmt: skip
    return float(sum(turns) / len(turns))


@wrong("cosine-itself", "You return the mean cosine; the influence is 1 minus it.")
def cosine(before, after):
    return _cosines(before, after).mean().item()


@wrong(
    "one-cosine-for-all", "You take one cosine over all tokens together; each token has its own."
)
def flattened(before, after):
    _checked(before, after)
    return 1 - _cosines(before.flatten(), after.flatten()).item()


@wrong("wrong-axis", "You take the cosine along the tokens; it belongs to the last axis.")
def first_axis(before, after):
    _checked(before, after)
    if before.ndim == 1:
        return 1 - _cosines(before, after).item()
    return 1 - _cosines(before, after, dim=-2, checks="").nan_to_num().mean().item()


@wrong("mean-vectors", "You average the states first; the cosine belongs to each token.")
def mean_vectors(before, after):
    _checked(before, after)
    width = before.shape[-1]
    return 1 - _cosines(before.reshape(-1, width).mean(0), after.reshape(-1, width).mean(0)).item()


@wrong("not-normalised", "You took dot products; divide by both lengths.")
def dots(before, after):
    _checked(before, after)
    return 1 - (before.double() * after.double()).sum(-1).mean().item()


@wrong("divided-once", "You divided by one of the two lengths only.")
def one_length(before, after):
    _checked(before, after)
    before, after = before.double(), after.double()
    return 1 - ((before * after).sum(-1) / before.norm(dim=-1) ** 2).mean().item()


@wrong("distance", "You measure the distance; block influence is about direction alone.")
def distance(before, after):
    _checked(before, after)
    before, after = before.double(), after.double()
    return float(((before - after).norm(dim=-1) / before.norm(dim=-1)).mean())


@wrong("absolute-cosine", "You take |cos|: a state that is turned round counts as unchanged.")
def absolute(before, after):
    return 1 - _cosines(before, after).abs().mean().item()


@wrong("sum", "You sum over the tokens; the mean is asked.")
def summed(before, after):
    return float((1 - _cosines(before, after)).sum())


@wrong("angle", "You return the angle; 1 - cos is asked.")
def angle(before, after):
    return float(torch.arccos(_cosines(before, after).clamp(-1, 1)).mean())


@wrong("squared-distance", "The squared distance of unit vectors is 2 - 2 cos: halve it.")
def doubled(before, after):
    return 2 * (1 - _cosines(before, after).mean().item())


@wrong("last-token", "You look at the last token only.")
def last(before, after):
    cosines = _cosines(before, after)
    return 1 - float(cosines.flatten()[-1])


@wrong("large-epsilon", "Your epsilon is larger than a small state's length and swallows it.")
def epsilon(before, after):
    _checked(before, after)
    before, after = before.double(), after.double()
    lengths = before.norm(dim=-1) * after.norm(dim=-1)
    return 1 - ((before * after).sum(-1) / (lengths + 1e-8)).mean().item()


@wrong("as-text", "Return a number.")
def text(before, after):
    return str(by_dot(before, after))


@wrong("by-token", "One number is asked: the mean over the tokens.")
def each(before, after):
    return (1 - _cosines(before, after)).flatten().tolist()


@wrong("shapes-broadcast", "Shapes that differ broadcast in silence: raise ValueError.")
def broadcast(before, after):
    _checked(before, after, "ez")
    shape = torch.broadcast_shapes((len(before), 1), (len(after), 1))
    rows = max(shape[0], 1)
    return (
        1
        - _cosines(before[:1].expand(rows, -1), after[:1].expand(rows, -1), checks="").mean().item()
    )


@wrong("nan-for-nothing", "Without tokens the mean is NaN: raise ValueError.")
def nothing(before, after):
    _checked(before, after, "sz")
    return 1 - _cosines(before, after, checks="").mean().item()


@wrong(
    "zeros-accepted",
    "A token of zeros has no direction: F.cosine_similarity gives 0 in silence. Refuse it.",
)
def zeros(before, after):
    _checked(before, after, "se")
    return 1 - F.cosine_similarity(before.double(), after.double(), dim=-1, eps=1e-40).mean().item()


@right("F.cosine_similarity")
def by_function(before, after):
    _checked(before, after)
    return 1 - F.cosine_similarity(before, after, dim=-1).mean().item()


@wrong("default-axis", "F.cosine_similarity takes axis 1 unless told; the features are the last.")
def default_axis(before, after):
    _checked(before, after)
    return 1 - F.cosine_similarity(before, after, dim=min(1, before.ndim - 1)).mean().item()


@wrong("entries-counted", "As many entries are not the same shape: (3, 4) is not (4, 3).")
def entries(before, after):
    if before.numel() != after.numel():
        raise ValueError("entries")
    return by_dot(before, after.reshape(before.shape))


@wrong("sum-of-0-refused", "A state whose entries sum to 0 is not a state of zeros.")
def sum_of_zero(before, after):
    if any((x.double().sum(-1) == 0).any() for x in (before, after)):
        raise ValueError("zeros")
    return by_dot(before, after)


@wrong("any-zero-refused", "One feature of 0 is no state of zeros: all of them must be 0.")
def any_zero(before, after):
    if (before == 0).any() or (after == 0).any():
        raise ValueError("zeros")
    return by_dot(before, after)
