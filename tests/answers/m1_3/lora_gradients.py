"""Answers to lora-gradients."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, upstream, a, b):
    if len(x) != len(upstream) or a.shape[0] != b.shape[1]:
        raise ValueError("rows or ranks")
    if x.shape[1] != a.shape[1] or upstream.shape[1] != b.shape[0]:
        raise ValueError("widths")


def _both(x, upstream, a, b, scaling):
    _refuse(x, upstream, a, b)
    return scaling * (upstream @ b).T @ x, scaling * upstream.T @ (x @ a.T)


@right("thin products")
def thin(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, alpha / len(a))


@right("through the gradient of the whole update")
def whole(x, upstream, a, b, alpha):
    _refuse(x, upstream, a, b)
    by_update = alpha / a.shape[0] * upstream.T @ x
    return b.T @ by_update, by_update @ a.T


@right("autograd")
def autograd(x, upstream, a, b, alpha):
    _refuse(x, upstream, a, b)
    x, upstream = torch.tensor(x), torch.tensor(upstream)
    a, b = torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True)
    loss = (alpha / len(a) * (x @ a.T @ b.T) * upstream).sum()
    return tuple(g.numpy() for g in torch.autograd.grad(loss, (a, b)))


@right("sums by einsum")
def by_einsum(x, upstream, a, b, alpha):
    if x.shape[0] != upstream.shape[0]:
        raise ValueError("rows")
    if (b.shape[1], x.shape[1], upstream.shape[1]) != (*a.shape, b.shape[0]):
        raise ValueError("shapes")
    s = alpha / a.shape[0]
    return [
        s * np.einsum("no,or,ni->ri", upstream, b, x),
        s * np.einsum("no,ni,ri->or", upstream, x, a),
    ]


@wrong("scaling-forgotten", "The scaling alpha / r is missing from both gradients.")
def unscaled(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, 1.0)


@wrong("alpha-only", "You scale by alpha; the scaling is alpha / r.")
def alpha_only(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, alpha)


@wrong("scaling-squared", "The scaling enters once; yours is squared.")
def squared(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, (alpha / len(a)) ** 2)


@wrong("divided-by-the-width", "r is the number of rows of A; you divide by its columns.")
def by_width(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, alpha / a.shape[1])


@wrong("root-of-the-rank", "You scale by alpha over the root of r; here it is alpha / r.")
def rooted(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, alpha / np.sqrt(len(a)))


@wrong("swapped", "You return the gradient of B first; A comes first.")
def swapped(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, alpha / len(a))[::-1]


@wrong("transposed", "A gradient has the shape of its matrix; yours are transposed.")
def transposed(x, upstream, a, b, alpha):
    return tuple(g.T for g in _both(x, upstream, a, b, alpha / len(a)))


@wrong("mean-over-rows", "You divide by the rows; upstream holds the loss's own mean already.")
def averaged(x, upstream, a, b, alpha):
    n = max(len(x), 1)
    return tuple(g / n for g in _both(x, upstream, a, b, alpha / len(a)))


@wrong("uphill", "Your signs are those of a step, not of a gradient.")
def negated(x, upstream, a, b, alpha):
    return tuple(-g for g in _both(x, upstream, a, b, alpha / len(a)))


@wrong("a-without-b", "The gradient of A passes through B; with B = 0 it is 0.")
def no_b(x, upstream, a, b, alpha):
    by_a, by_b = _both(x, upstream, a, b, alpha / len(a))
    return alpha / len(a) * (upstream @ np.ones_like(b)).T @ x, by_b


@wrong("b-without-a", "The gradient of B passes through A.")
def no_a(x, upstream, a, b, alpha):
    by_a, by_b = _both(x, upstream, a, b, alpha / len(a))
    return by_a, alpha / len(a) * upstream.T @ (x @ np.ones_like(a).T)


@wrong("b-scaled-only", "You scale the gradient of B alone; both pass through the scaling.")
def half_scaled(x, upstream, a, b, alpha):
    by_a, by_b = _both(x, upstream, a, b, 1.0)
    return by_a, alpha / len(a) * by_b


@wrong("zero-without-b", "You return 0 for A always; that holds only while B is 0.")
def always_zero(x, upstream, a, b, alpha):
    by_a, by_b = _both(x, upstream, a, b, alpha / len(a))
    return 0 * by_a, by_b


@wrong("updated-matrices", "You return the matrices after a step; asked are the gradients.")
def stepped(x, upstream, a, b, alpha):
    by_a, by_b = _both(x, upstream, a, b, alpha / len(a))
    return a - by_a, b - by_b


@wrong("whole-update", "You return the gradient of the whole matrix; A and B are asked.")
def whole_gradient(x, upstream, a, b, alpha):
    _refuse(x, upstream, a, b)
    return alpha / len(a) * upstream.T @ x, alpha / len(a) * upstream.T @ x


@wrong("rank-from-b-rows", "You take the rank from the rows of B; those are the outputs.")
def tall_rank(x, upstream, a, b, alpha):
    return _both(x, upstream, a, b, alpha / len(b))


@wrong("float32", "You return float32; float64 is asked.")
def single(x, upstream, a, b, alpha):
    return tuple(g.astype(np.float32) for g in _both(x, upstream, a, b, alpha / len(a)))


@wrong("broadcast-accepted", "One row of upstream broadcasts over all rows; raise ValueError.")
def broadcast(x, upstream, a, b, alpha):
    if len(upstream) == 1:
        upstream = np.repeat(upstream, len(x), axis=0)
    return _both(x, upstream, a, b, alpha / len(a))
