"""Answers to compact-awq."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _rtn(w, bits, size, zero_inside=True):
    groups = w.reshape(len(w), -1, size)
    low, high = groups.min(-1, keepdims=True), groups.max(-1, keepdims=True)
    if zero_inside:
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1)
    zero = np.rint(-low / scale)
    codes = np.clip(np.rint(groups / scale) + zero, 0, 2**bits - 1)
    return ((codes - zero) * scale).reshape(w.shape)


def _refuse(w, mean_abs, size, points):
    if len(mean_abs) != w.shape[1] or size < 1 or w.shape[1] % size or points < 2:
        raise ValueError("shapes")
    if np.min(mean_abs) < 0:
        raise ValueError("negative")


def _awq(w, mean_abs, h, bits, size, points, *, norm=True, rtn=_rtn, undo=True, direction=1,
         loss=lambda e, h: ((e @ h) * e).sum(), pick=np.argmin, alphas=None, power=lambda m: m,
         refuse=_refuse, dead=True):  # fmt: skip
    refuse(w, mean_abs, size, points)
    w = w.astype(np.float64)
    alphas = np.linspace(0, 1, points) if alphas is None else alphas
    tried = []
    for alpha in alphas:
        live = mean_abs > 0 if dead else np.full(len(mean_abs), True)
        s = np.where(live, np.maximum(power(mean_abs), 1e-9) ** alpha, 1.0)
        if norm and live.any():
            s = np.where(live, s / np.sqrt(s[live].max() * s[live].min()), 1.0)
        s = s**direction
        q = rtn(w * s, bits, size)
        tried.append(q / s if undo else q)
    best = int(pick([loss(w - q, h) for q in tried]))
    return tried[best], float(alphas[best])


@right("NumPy, all candidates kept")
def numpy_all(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points)


@right("torch float64, the best kept")
def in_torch(weight, mean_abs, hessian, bits, group_size, points=11):
    _refuse(weight, mean_abs, group_size, points)
    w, h, m = (torch.tensor(v, dtype=torch.float64) for v in (weight, hessian, mean_abs))
    best = (float("inf"), None, None)
    for k in range(points):
        s = m ** (k / (points - 1))
        s = s / (s[m > 0].max() * s[m > 0].min()).sqrt()
        s[m == 0] = 1
        g = (w * s).reshape(len(w), -1, group_size)
        low, high = g.amin(-1, keepdim=True).clamp(max=0), g.amax(-1, keepdim=True).clamp(min=0)
        scale = (high - low) / (2**bits - 1)
        scale[scale == 0] = 1
        zero = (-low / scale).round()
        q = (((g / scale).round() + zero).clamp(0, 2**bits - 1) - zero) * scale
        q = q.reshape(w.shape) / s
        loss = torch.einsum("ri,ij,rj->", w - q, h, w - q).item()
        if loss < best[0]:
            best = (loss, q.float().numpy(), k / (points - 1))
    return best[1], best[2]


@wrong("rounding-to-nearest", "You returned plain rounding, alpha 0, without a search.")
def rtn(weight, mean_abs, hessian, bits, group_size, points=11):
    _refuse(weight, mean_abs, group_size, points)
    return _rtn(weight.astype(np.float64), bits, group_size), 0.0


@wrong("all-the-way", "alpha is always 1; the search is missing.")
def one(weight, mean_abs, hessian, bits, group_size, points=11):
    _refuse(weight, mean_abs, group_size, points)
    return _awq(weight, mean_abs, hessian, bits, group_size, points, alphas=[1.0])


@wrong("half-always", "alpha is always 0.5; the search is missing.")
def half(weight, mean_abs, hessian, bits, group_size, points=11):
    _refuse(weight, mean_abs, group_size, points)
    return _awq(weight, mean_abs, hessian, bits, group_size, points, alphas=[0.5])


@wrong(
    "weight-error", "You compare weights; a candidate is judged by the layer's output, through H."
)
def by_weight(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points, loss=lambda e, h: (e**2).sum())


@wrong("diagonal-only", "You used H's diagonal; inputs that move together add up their errors.")
def diagonal(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points,
                loss=lambda e, h: (e**2 * np.diagonal(h)).sum())  # fmt: skip


@wrong("worst", "You kept the candidate with the largest error.")
def worst(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points, pick=np.argmax)


@wrong("scaled-down", "The weights of large inputs are divided by s; AWQ multiplies them.")
def down(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points, direction=-1)


@wrong("not-undone", "The restored weight still carries s: divide by it after rounding.")
def not_undone(weight, mean_abs, hessian, bits, group_size, points=11):
    best = _awq(weight, mean_abs, hessian, bits, group_size, points)
    s = np.where(mean_abs > 0, mean_abs ** best[1], 1.0)
    return best[0] * s / np.sqrt(s.max() * s.min()), best[1]


@wrong("dead-inputs-normalise", "An input that is always 0 takes no part in the norm: its s is 1.")
def dead_in(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points, dead=False)


@wrong("squares", "s grows with the mean of |x|, not with its square.")
def squares(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points, power=lambda m: m**2)


@wrong("grid-without-1", "The alphas go from 0 to 1, both included.")
def short(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points,
                alphas=np.arange(points) / points)  # fmt: skip


@wrong("one-scale-a-row", "A scale for the whole row was used, not one for each group.")
def per_row(weight, mean_abs, hessian, bits, group_size, points=11):
    _refuse(weight, mean_abs, group_size, points)
    return _awq(weight, mean_abs, hessian, bits, weight.shape[1], points)


@wrong("zero-outside", "The grid of a group of one sign does not contain 0.")
def outside(weight, mean_abs, hessian, bits, group_size, points=11):
    return _awq(weight, mean_abs, hessian, bits, group_size, points,
                rtn=lambda w, b, g: _rtn(w, b, g, False))  # fmt: skip


@wrong("no-refusal", "Wrong lengths, a single point and negative means must raise ValueError.")
def unguarded(weight, mean_abs, hessian, bits, group_size, points=11):
    try:
        return _awq(weight, mean_abs, hessian, bits, group_size, points)
    except ValueError:
        return weight, 0.0
