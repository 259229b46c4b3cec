"""Answers to head-importance."""

import torch

from autograder.checks.bank import right, wrong


def _checked(outputs, gradients, heads, checks="ash"):
    if "a" in checks and (outputs.ndim != 3 or not outputs.numel()):
        raise ValueError("axes")
    if "s" in checks and outputs.shape != gradients.shape:
        raise ValueError("shapes")
    if "h" in checks and (heads < 1 or outputs.shape[-1] % heads):
        raise ValueError("heads")


def _products(outputs, gradients, heads):
    _checked(outputs, gradients, heads)
    return (outputs * gradients).reshape(*outputs.shape[:2], heads, -1)


@right("sum, absolute, mean")
def by_sum(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum((1, 3)).abs().mean(0)


@right("einsum")
def by_einsum(outputs, gradients, heads):
    _checked(outputs, gradients, heads)
    a = outputs.double().unflatten(2, (heads, -1))
    g = gradients.double().unflatten(2, (heads, -1))
    scores = torch.einsum("nthd,nthd->nh", a, g).abs().sum(0) / len(outputs)
    return scores.to(outputs.dtype)


@right("the gradient of a gate")
def by_gate(outputs, gradients, heads):
    if outputs.dim() != 3 or outputs.shape != gradients.shape or 0 in outputs.shape or heads <= 0:
        raise ValueError("bad input")
    if outputs.shape[2] % heads:
        raise ValueError("heads")
    gate = torch.ones(len(outputs), 1, heads, dtype=outputs.dtype, requires_grad=True)
    gated = outputs * gate.repeat_interleave(outputs.shape[2] // heads, 2)
    (gated * gradients).sum().backward()
    return gate.grad[:, 0].abs().mean(0)


@wrong(
    "absolute-inside",
    "You take absolute values before the sum; within a sequence effects may cancel.",
)
def inside(outputs, gradients, heads):
    return _products(outputs, gradients, heads).abs().sum((1, 3)).mean(0)


@wrong(
    "absolute-after-the-mean",
    "You average over the sequences first; the absolute value belongs to each sequence.",
)
def outside(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum((1, 3)).mean(0).abs()


@wrong(
    "absolute-per-token",
    "You take the absolute value for each token; it belongs to the whole sequence.",
)
def per_token(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum(3).abs().sum(1).mean(0)


@wrong("no-absolute", "The absolute value is missing.")
def signed(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum((1, 3)).mean(0)


@wrong("sum-over-sequences", "The mean over the sequences is asked, not their sum.")
def summed(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum((1, 3)).abs().sum(0)


@wrong("mean-over-tokens", "You average over the tokens; they are summed.")
def token_mean(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum(3).mean(1).abs().mean(0)


@wrong("mean-over-features", "You average over tokens and features; they are summed.")
def all_mean(outputs, gradients, heads):
    return _products(outputs, gradients, heads).mean((1, 3)).abs().mean(0)


@wrong("gradient-only", "You sum the gradients; each is multiplied with its output.")
def gradient_only(outputs, gradients, heads):
    return _products(torch.ones_like(outputs), gradients, heads).sum((1, 3)).abs().mean(0)


@wrong("magnitude-only", "You score the outputs' size; without the gradient the loss is not asked.")
def size_only(outputs, gradients, heads):
    return _products(outputs, torch.ones_like(outputs), heads).sum((1, 3)).abs().mean(0)


@wrong("squares", "You square; Michel et al. take the absolute value.")
def squares(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum((1, 3)).square().mean(0)


@wrong("interleaved-heads", "The features of a head lie side by side; you took every heads-th one.")
def interleaved(outputs, gradients, heads):
    _checked(outputs, gradients, heads)
    products = (outputs * gradients).reshape(*outputs.shape[:2], -1, heads)
    return products.sum((1, 2)).abs().mean(0)


@wrong(
    "tokens-mixed-with-heads",
    "You split the wrong axis: heads divide the features, not the tokens.",
)
def mixed(outputs, gradients, heads):
    _checked(outputs, gradients, heads)
    return (outputs * gradients).reshape(len(outputs), heads, -1).sum(2).abs().mean(0)


@wrong("normalised", "You divide by the norm over the heads; the plain scores are asked.")
def normalised(outputs, gradients, heads):
    scores = by_sum(outputs, gradients, heads)
    return scores / scores.norm().clamp(min=1e-20)


@wrong("first-sequence", "You look at the first sequence only.")
def first(outputs, gradients, heads):
    return _products(outputs, gradients, heads)[:1].sum((1, 3)).abs().mean(0)


@wrong("list", "Return a tensor of shape (heads,).")
def as_list(outputs, gradients, heads):
    return by_sum(outputs, gradients, heads).tolist()


@wrong("scores-by-sequence", "Average over the sequences: one score for each head.")
def by_sequence(outputs, gradients, heads):
    return _products(outputs, gradients, heads).sum((1, 3)).abs()


@wrong("heads-not-checked", "Features that heads does not divide must raise ValueError.")
def any_heads(outputs, gradients, heads):
    _checked(outputs, gradients, heads, "as")
    width = max(outputs.shape[2] // max(heads, 1), 1)
    products = (outputs * gradients)[..., : width * max(heads, 1)]
    return products.reshape(*outputs.shape[:2], -1, width).sum((1, 3)).abs().mean(0)


@wrong("shapes-broadcast", "Shapes that differ broadcast in silence: raise ValueError.")
def broadcast(outputs, gradients, heads):
    _checked(outputs, gradients, heads, "ah")
    products = (outputs * gradients).reshape(*outputs.shape[:2], heads, -1)
    return products.sum((1, 3)).abs().mean(0)


@wrong("axes-not-checked", "Without the axis of sequences, or with none of them, raise ValueError.")
def any_axes(outputs, gradients, heads):
    _checked(outputs, gradients, heads, "sh")
    products = (outputs * gradients).reshape(
        -1, outputs.shape[-2], heads, outputs.shape[-1] // heads
    )
    return products.sum((1, 3)).abs().mean(0)


@right("slices of heads")
def by_slices(outputs, gradients, heads):
    _checked(outputs, gradients, heads)
    parts = (outputs * gradients).split(outputs.shape[2] // heads, dim=-1)
    return torch.stack([part.sum(dim=(1, 2)).abs().mean() for part in parts])


@wrong("empty-by-length", "Without tokens or features there is nothing to sum: ask numel().")
def by_length(outputs, gradients, heads):
    if len(outputs) and outputs.ndim == 3 and outputs.shape == gradients.shape:
        _checked(outputs, gradients, heads, "h")
        return torch.stack([
            part.sum(dim=(1, 2)).abs().mean()
            for part in (outputs * gradients).tensor_split(heads, dim=-1)
        ])  # fmt: skip
    return by_sum(outputs, gradients, heads)


@wrong("four-axes-accepted", "Four axes are not (sequences, tokens, features): raise ValueError.")
def four_axes(outputs, gradients, heads):
    if outputs.ndim > 3 and outputs.shape == gradients.shape:
        outputs, gradients = outputs.flatten(1, -2), gradients.flatten(1, -2)
    return by_sum(outputs, gradients, heads)


@wrong("last-axis-compared", "You compare the last axis only; one sequence would broadcast.")
def last_axis(outputs, gradients, heads):
    if outputs.shape[-1] != gradients.shape[-1]:
        raise ValueError("features")
    if outputs.shape[0] != gradients.shape[0] and len(gradients) == 1:
        gradients = gradients.expand_as(outputs)
    return by_sum(outputs, gradients, heads)


@wrong("entries-counted", "As many entries are not the same shape: (2, 3, 8) is not (3, 2, 8).")
def entries(outputs, gradients, heads):
    if outputs.numel() != gradients.numel():
        raise ValueError("entries")
    return by_sum(outputs, gradients.reshape(outputs.shape), heads)
