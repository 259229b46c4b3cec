"""Answers to block-mask."""

import math

import torch

from autograder.checks.bank import right, wrong


def _checked(weight, block, sparsity, checks="sabd"):
    if "s" in checks and not 0 <= sparsity <= 1:
        raise ValueError("sparsity")
    if "a" in checks and (weight.ndim != 2 or not weight.numel()):
        raise ValueError("axes")
    if "b" in checks and min(block) < 1:
        raise ValueError("block")
    if "d" in checks and (weight.shape[0] % block[0] or weight.shape[1] % block[1]):
        raise ValueError("does not divide")


def _mask(
    weight, block, sparsity, *, checks="sabd", score=lambda t: t.square().sum((1, 3)),
    count=round, order=None,
):  # fmt: skip
    _checked(weight, block, sparsity, checks)
    (rows, columns), (r, c) = weight.shape, block
    tiles = weight.double().reshape(rows // r, r, columns // c, c)
    sums = score(tiles)
    order = order or (lambda s: torch.argsort(s.flatten(), stable=True))
    keep = torch.ones(sums.numel(), dtype=torch.bool)
    keep[order(sums)[: count(sparsity * sums.numel())]] = False
    return keep.reshape(sums.shape).repeat_interleave(r, 0).repeat_interleave(c, 1)


@right("reshape and repeat")
def by_reshape(weight, block, sparsity):
    return _mask(weight, block, sparsity)


@right("average pooling and kron")
def by_pooling(weight, block, sparsity):
    if not (sparsity >= 0 and sparsity <= 1) or weight.dim() != 2 or 0 in weight.shape:
        raise ValueError("bad")
    if (
        block[0] <= 0
        or block[1] <= 0
        or any(n % b for n, b in zip(weight.shape, block, strict=True))
    ):
        raise ValueError("block")
    pooled = torch.nn.functional.avg_pool2d(weight.double().square()[None, None], tuple(block),
                                            divisor_override=1)[0, 0]  # fmt: skip
    places = sorted(range(pooled.numel()), key=pooled.flatten().tolist().__getitem__)
    tiles = torch.ones(pooled.numel())
    tiles[places[: round(sparsity * len(places))]] = 0
    return torch.kron(tiles.reshape(pooled.shape), torch.ones(tuple(block))).bool()


@right("loops over norms")
def by_loops(weight, block, sparsity):
    _checked(weight, block, sparsity)
    r, c = block
    corners = [(i, j) for i in range(0, len(weight), r) for j in range(0, weight.shape[1], c)]
    norms = [float(weight[i : i + r, j : j + c].norm()) for i, j in corners]
    mask = torch.full(tuple(weight.shape), True)
    for k in sorted(range(len(corners)), key=lambda k: norms[k])[: round(sparsity * len(corners))]:
        i, j = corners[k]
        mask[i : i + r, j : j + c] = False
    return mask


@wrong("single-weights", "You rank single weights; whole blocks go.")
def single(weight, block, sparsity):
    _checked(weight, block, sparsity)
    return _mask(weight, (1, 1), sparsity)


@wrong("absolute-sum", "You rank by sum |w|; the sum of squares is asked.")
def l1(weight, block, sparsity):
    return _mask(weight, block, sparsity, score=lambda t: t.abs().sum((1, 3)))


@wrong("largest-weight", "You rank by the largest |w| of a block; the sum of squares is asked.")
def peak(weight, block, sparsity):
    return _mask(weight, block, sparsity, score=lambda t: t.abs().amax((1, 3)))


@wrong("signed-sum", "Weights of opposite sign cancel in your sum; square them.")
def signed(weight, block, sparsity):
    return _mask(weight, block, sparsity, score=lambda t: t.sum((1, 3)))


@wrong("variance", "You rank by the variance; a block of equal large weights is not idle.")
def variance(weight, block, sparsity):
    return _mask(weight, block, sparsity, score=lambda t: t.var((1, 3), unbiased=False))


@wrong("block-axes-swapped", "block is (rows, columns); you swapped them.")
def swapped(weight, block, sparsity):
    _checked(weight, block, sparsity)
    if weight.shape[0] % block[1] or weight.shape[1] % block[0]:
        return _mask(weight, block, sparsity).flip(0)
    return _mask(weight, block[::-1], sparsity)


@wrong(
    "wrong-reshape",
    "reshape(R // r, K // c, r, c) mixes rows and columns; the order is (R // r, r, K // c, c).",
)
def reshaped(weight, block, sparsity):
    _checked(weight, block, sparsity)
    (rows, columns), (r, c) = weight.shape, block
    sums = weight.double().reshape(rows // r, columns // c, r, c).square().sum((2, 3))
    keep = torch.ones(sums.numel(), dtype=torch.bool)
    keep[torch.argsort(sums.flatten(), stable=True)[: round(sparsity * sums.numel())]] = False
    return keep.reshape(sums.shape).repeat_interleave(r, 0).repeat_interleave(c, 1)


@wrong("tiled", "You repeated the mask side by side; each bit must fill its own block.")
def tiled(weight, block, sparsity):
    mask = _mask(weight, block, sparsity)[:: block[0], :: block[1]]
    return mask.repeat(block)


@wrong("mask-of-blocks", "Give each weight its block's bit: the mask has the weight's shape.")
def blocks(weight, block, sparsity):
    return _mask(weight, block, sparsity)[:: block[0], :: block[1]]


@wrong("mask-turned-round", "Your mask is True for what goes; True is what stays.")
def turned(weight, block, sparsity):
    return ~_mask(weight, block, sparsity)


@wrong("largest-removed", "You remove the largest blocks; the smallest go.")
def largest(weight, block, sparsity):
    return _mask(weight, block, sparsity, score=lambda t: -t.square().sum((1, 3)))


@wrong("row-by-row", "You remove the same share in each row of blocks; the matrix has one budget.")
def by_row(weight, block, sparsity):
    _checked(weight, block, sparsity)
    rows = [_mask(w, block, sparsity) for w in weight.split(block[0])]
    return torch.cat(rows)


@wrong("threshold-with-ties", "A threshold removes all tied blocks; rank them.")
def threshold(weight, block, sparsity):
    mask = _mask(weight, block, sparsity)
    (rows, columns), (r, c) = weight.shape, block
    sums = weight.double().reshape(rows // r, r, columns // c, c).square().sum((1, 3))
    gone = ~mask[::r, ::c]
    limit = sums[gone].max() if gone.any() else -1.0
    return (sums > limit).repeat_interleave(r, 0).repeat_interleave(c, 1)


@wrong("column-major-ties", "Of equal blocks the first in row-major order goes first.")
def column_major(weight, block, sparsity):
    def order(sums):
        places = torch.arange(sums.numel()).reshape(sums.shape).T.flatten()
        return places[torch.argsort(sums.T.flatten(), stable=True)]

    return _mask(weight, block, sparsity, order=order)


@wrong("floor-of-the-count", "You cut the count down; round(sparsity * blocks) is asked.")
def floor(weight, block, sparsity):
    return _mask(weight, block, sparsity, count=int)


@wrong("half-up", "You round halves up; Python's round takes them to the even number.")
def half_up(weight, block, sparsity):
    return _mask(weight, block, sparsity, count=lambda v: math.floor(v + 0.5))


@wrong("float-mask", "Your mask holds floats; a bool tensor is asked.")
def floats(weight, block, sparsity):
    return _mask(weight, block, sparsity).float()


@wrong("sparsity-clipped", "A sparsity outside [0, 1] must raise ValueError.")
def clipped(weight, block, sparsity):
    return _mask(weight, block, min(max(sparsity, 0.0), 1.0))


@wrong(
    "rest-left-alone",
    "Rows and columns that fill no block must raise ValueError, not stay dense in silence.",
)
def rest(weight, block, sparsity):
    _checked(weight, block, sparsity, "sab")
    r, c = block
    rows, columns = weight.shape[0] // r * r, weight.shape[1] // c * c
    mask = torch.ones(weight.shape, dtype=torch.bool)
    if rows and columns:
        mask[:rows, :columns] = _mask(weight[:rows, :columns], block, sparsity)
    return mask


@wrong("empty-accepted", "A weight without entries must raise ValueError.")
def empty(weight, block, sparsity):
    if weight.ndim == 2 and not weight.numel():
        return torch.ones(weight.shape, dtype=torch.bool)
    return _mask(weight, block, sparsity)


@wrong("division-by-zero", "A block size of 0 must raise ValueError, not ZeroDivisionError.")
def zero(weight, block, sparsity):
    return _mask(weight, block, sparsity, checks="sad")


@right("windows and kron")
def by_windows(weight, block, sparsity):
    _checked(weight, block, sparsity)
    r, c = block
    norms = weight.unfold(0, r, r).unfold(1, c, c).double().flatten(2).norm(dim=-1)
    keep = torch.ones(norms.numel(), dtype=torch.int32)
    keep[norms.flatten().argsort(stable=True)[: round(sparsity * norms.numel())]] = 0
    return torch.kron(keep.reshape(norms.shape), torch.ones(r, c, dtype=torch.int32)).bool()


@wrong("summed-in-float32", "You sum float64 weights in float32; keep their dtype.")
def float32_sums(weight, block, sparsity):
    return _mask(weight.float(), block, sparsity, score=lambda t: t.float().square().sum((1, 3)))


@wrong("count-in-float32", "float32 rounds sparsity * blocks first; count in Python.")
def float32_count(weight, block, sparsity):
    return _mask(weight, block, sparsity, count=lambda v: int(torch.round(torch.tensor(v))))


@wrong("no-columns-in-a-block", "A block of 0 columns must raise ValueError, as one of 0 rows.")
def zero_columns(weight, block, sparsity):
    if block[0] < 1 or block[1] < 0:
        raise ValueError("block")
    return _mask(weight, block, sparsity, checks="sad")


@wrong("product-of-the-block", "-2 times -2 is above 0: check rows and columns each by itself.")
def product(weight, block, sparsity):
    if block[0] * block[1] < 1:
        raise ValueError("block")
    return _mask(weight, tuple(abs(n) for n in block), sparsity)


@wrong("three-axes-accepted", "A weight with three axes must raise ValueError.")
def three_axes(weight, block, sparsity):
    return _mask(weight.flatten(0, -2) if weight.ndim > 2 else weight, block, sparsity)
