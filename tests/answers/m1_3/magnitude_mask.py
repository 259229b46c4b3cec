"""Answers to magnitude-mask."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _mask(weight, sparsity, *, score=torch.abs, k=None, stable=True, checks="snf", order=None):
    if "s" in checks and not 0 <= sparsity <= 1:
        raise ValueError("sparsity")
    if "n" in checks and not weight.numel():
        raise ValueError("empty")
    if "f" in checks and not torch.isfinite(weight).all():
        raise ValueError("not finite")
    flat = score(weight).flatten()
    count = (k or (lambda s, n: round(s * n)))(sparsity, len(flat))
    order = order or (lambda v: torch.argsort(v, stable=stable))
    mask = torch.ones(len(flat), dtype=torch.bool)
    mask[order(flat)[:count]] = False
    return mask.reshape(weight.shape)


@right("a stable argsort")
def by_argsort(weight, sparsity):
    return _mask(weight, sparsity)


@right("numpy's lexsort")
def by_lexsort(weight, sparsity):
    values = weight.detach().abs().numpy().ravel()
    if not sparsity >= 0 or not sparsity <= 1 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError("bad input")
    mask = np.ones(values.size, bool)
    mask[np.lexsort((np.arange(values.size), values))[: int(np.rint(sparsity * values.size))]] = 0
    return torch.from_numpy(mask.reshape(weight.shape))


@right("a threshold, then the ties in order")
def by_threshold(weight, sparsity):
    if not (0 <= sparsity <= 1) or weight.numel() == 0 or not bool(weight.isfinite().all()):
        raise ValueError("bad input")
    magnitudes = weight.abs().double().reshape(-1)
    k = round(sparsity * magnitudes.numel())
    if k == 0:
        return torch.ones(weight.shape, dtype=torch.bool)
    limit = magnitudes.kthvalue(k).values
    mask = magnitudes > limit
    tied = (magnitudes == limit).nonzero().flatten()
    mask[tied[k - int((magnitudes < limit).sum()) :]] = True
    return mask.view(weight.shape)


@wrong("threshold-with-ties", "A threshold removes all weights of the tied magnitude; rank them.")
def threshold(weight, sparsity):
    _mask(weight, sparsity)
    values = weight.abs().flatten()
    k = round(sparsity * len(values))
    return weight.abs() > (values.kthvalue(k).values if k else -1)


@wrong("quantile", "torch.quantile interpolates between two weights; it gives no exact count.")
def quantile(weight, sparsity):
    _mask(weight, sparsity)
    return weight.abs() >= torch.quantile(weight.abs().double().flatten(), sparsity)


@wrong("mask-turned-round", "Your mask is True for what goes; True is what stays.")
def inverted(weight, sparsity):
    return ~_mask(weight, sparsity)


@wrong("largest-removed", "You remove the largest magnitudes; the smallest go.")
def largest(weight, sparsity):
    return _mask(weight, sparsity, score=lambda w: -w.abs())


@wrong("signed-values", "You rank the weights with their signs; magnitudes are asked: |w|.")
def signed(weight, sparsity):
    return _mask(weight, sparsity, score=lambda w: w)


@wrong("floor-of-the-count", "You cut the count down; round(sparsity * n) is asked.")
def floor(weight, sparsity):
    return _mask(weight, sparsity, k=lambda s, n: int(s * n))


@wrong("ceil-of-the-count", "You round the count up; round(sparsity * n) is asked.")
def ceil(weight, sparsity):
    return _mask(weight, sparsity, k=lambda s, n: math.ceil(s * n))


@wrong("half-up", "You round halves up; Python's round takes them to the even number.")
def half_up(weight, sparsity):
    return _mask(weight, sparsity, k=lambda s, n: math.floor(s * n + 0.5))


@wrong("density-for-sparsity", "You keep the share that should go: sparsity counts the zeros.")
def density(weight, sparsity):
    return _mask(weight, sparsity, k=lambda s, n: n - round(s * n))


@wrong("ties-from-the-end", "Of equal magnitudes you remove the last ones; the first go first.")
def last_ties(weight, sparsity):
    return _mask(
        weight,
        sparsity,
        order=lambda v: len(v) - 1 - torch.argsort(v.flip(0), stable=True),
    )


@wrong("row-by-row", "You prune the same share of each row; the layer has one budget.")
def by_row(weight, sparsity):
    mask = _mask(weight, sparsity)
    if weight.ndim < 2:
        return mask
    return torch.stack([_mask(row, sparsity) for row in weight])


@wrong(
    "storage-order",
    "You rank in the order of memory; a transposed view has its own row-major order.",
)
def storage(weight, sparsity):
    if weight.ndim == 2 and not weight.is_contiguous():
        return _mask(weight.T, sparsity).T
    return _mask(weight, sparsity)


@wrong("float-mask", "Your mask holds floats; a bool tensor is asked.")
def as_float(weight, sparsity):
    return _mask(weight, sparsity).float()


@wrong("masked-weight", "You return the pruned weight; the mask is asked.")
def product(weight, sparsity):
    return weight * _mask(weight, sparsity)


@wrong("flat-mask", "Give the mask the weight's shape.")
def flat(weight, sparsity):
    return _mask(weight, sparsity).flatten()


@wrong("sparsity-not-checked", "A sparsity outside [0, 1] must raise ValueError; 50 is no share.")
def any_sparsity(weight, sparsity):
    sparsity = min(max(sparsity, 0.0), 1.0)
    return _mask(weight, sparsity)


@wrong("nan-sparsity", "Your test lets a NaN sparsity pass: write `not 0 <= sparsity <= 1`.")
def nan_sparsity(weight, sparsity):
    if sparsity < 0 or sparsity > 1:
        raise ValueError("sparsity")
    return _mask(weight, 0.0 if math.isnan(sparsity) else sparsity)


@wrong("empty-accepted", "A layer without weights must raise ValueError.")
def empty(weight, sparsity):
    return _mask(weight, sparsity, checks="sf")


@wrong("nan-weight-accepted", "A weight that is NaN or infinite has no rank: raise ValueError.")
def nan_weight(weight, sparsity):
    return _mask(weight, sparsity, checks="sn")


@wrong("infinity-accepted", "You test for NaN only; infinite weights are refused too.")
def infinite(weight, sparsity):
    if weight.isnan().any():
        raise ValueError("NaN")
    return _mask(weight, sparsity, checks="sn")


@wrong("assertion", "An assert raises AssertionError, and python -O drops it: raise ValueError.")
def asserted(weight, sparsity):
    assert 0 <= sparsity <= 1 and weight.numel() and torch.isfinite(weight).all()
    return _mask(weight, sparsity)


@right("ranks of ranks")
def by_ranks(weight, sparsity):
    _mask(weight, sparsity)
    values = weight.reshape(-1).double().abs()
    ranks = values.argsort(stable=True).argsort(stable=True)
    return (ranks >= round(sparsity * len(values))).reshape(weight.shape)


@wrong("count-in-float32", "float32 rounds sparsity * n before it is rounded; count in Python.")
def float32_count(weight, sparsity):
    return _mask(weight, sparsity, k=lambda s, n: int(torch.round(torch.tensor(s) * n)))


@wrong("ranked-in-float32", "Two float64 weights may be one in float32: rank them as they are.")
def float32_rank(weight, sparsity):
    return _mask(weight, sparsity, score=lambda w: w.float().abs())


@wrong("sum-tested-for-infinity", "The sum of finite weights can overflow; test each weight.")
def finite_sum(weight, sparsity):
    if not torch.isfinite(weight.sum()):
        raise ValueError("not finite")
    return _mask(weight, sparsity)


@wrong("no-axes-refused", "A tensor without axes is a layer of one weight; any shape is allowed.")
def scalar(weight, sparsity):
    if weight.ndim == 0:
        raise ValueError("no axes")
    return _mask(weight, sparsity)
