"""Answers to learned-scale."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, scale, bits):
    if not scale > 0 or not 2 <= bits <= 8 or x.numel() == 0:
        raise ValueError("input")


def _gradient(
    x,
    scale,
    bits,
    upstream,
    *,
    check=_refuse,
    inside=lambda v, codes, q: codes.abs() <= q,
    slope_in=lambda v, codes: codes - v,
    slope_out=lambda v, q: torch.sign(v) * q,
    factor=lambda n, q: 1 / math.sqrt(n * q),
    qmax=lambda bits: 2 ** (bits - 1) - 1,
    rounding=torch.round,
    weight=lambda upstream: upstream,
    reduce=torch.sum,
):
    check(x, scale, bits)
    q = qmax(bits)
    v = x.double() / scale
    codes = rounding(v)
    slope = torch.where(inside(v, codes, q), slope_in(v, codes), slope_out(v, q))
    return float(reduce(slope * weight(upstream.double()))) * factor(x.numel(), q)


@right("torch.where on the codes")
def by_where(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream)


@right("a loop over Python floats")
def by_loop(x, scale, bits, upstream):
    if bits not in range(2, 9) or not (scale > 0) or not x.numel():
        raise ValueError("no such quantizer")
    top = 2 ** (bits - 1) - 1
    total = 0.0
    for value, arrives in zip(x.flatten().tolist(), upstream.flatten().tolist(), strict=True):
        code = round(value / scale)
        step = top if code > top else -top if code < -top else code - value / scale
        total += arrives * step
    return total / (x.numel() * top) ** 0.5


@right("autograd through the detach trick")
def by_autograd(x, scale, bits, upstream):
    _refuse(x, scale, bits)
    top = 2 ** (bits - 1) - 1
    s = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    v = x.double() / s
    codes = torch.round(v.detach())
    soft = v + (codes - v).detach()
    soft = torch.where(codes.abs() <= top, soft, codes.clamp(-top, top))
    (soft * s * upstream.double()).sum().backward()
    return s.grad.item() / math.sqrt(x.numel() * top)


@right("NumPy, float32 ratio")
def by_numpy(x, scale, bits, upstream):
    if not x.numel() or not scale > 0 or bits < 2 or bits > 8:
        raise ValueError("bad input")
    top = np.float64(2 ** (bits - 1) - 1)
    v = (x.numpy() / np.float32(scale)).ravel()
    codes = np.rint(v)
    slope = np.clip(codes, -top, top) - np.where(np.abs(codes) <= top, v, 0)
    return float(
        slope.astype(np.float64)
        @ upstream.numpy().ravel().astype(np.float64)
        / np.sqrt(v.size * top)
    )


@wrong("no-scaling", "You left out the division by sqrt(n * qmax).")
def unscaled(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, factor=lambda n, q: 1.0)


@wrong("scaled-by-n-only", "You divided by sqrt(n); it is sqrt(n * qmax).")
def by_n(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, factor=lambda n, q: 1 / math.sqrt(n))


@wrong("no-square-root", "You divided by n * qmax; its square root is asked.")
def no_root(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, factor=lambda n, q: 1 / (n * q))


@wrong("mean-for-sum", "You took the mean over the elements; their sum is scaled.")
def mean(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, reduce=torch.mean)


@wrong(
    "code-as-slope",
    "Inside you took the code alone; x / scale changes with the scale too, which gives code - v.",
)
def code_only(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, slope_in=lambda v, codes: codes)


@wrong("sign-inverted", "Inside it is code - v; you took v - code.")
def inverted(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, slope_in=lambda v, codes: v - codes)


@wrong("zero-inside", "Inside you let nothing through; the rounding error in steps counts.")
def zero_inside(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, slope_in=lambda v, codes: torch.zeros_like(v))


@wrong("zero-outside", "Clipped values gave 0; they pull the scale with +qmax or -qmax.")
def zero_outside(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, slope_out=lambda v, q: torch.zeros_like(v))


@wrong("one-outside", "Clipped values contribute the sign times qmax; you left qmax out.")
def one_outside(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, slope_out=lambda v, q: torch.sign(v))


@wrong("same-sign-outside", "Values clipped below contribute -qmax, not +qmax.")
def same_sign(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, slope_out=lambda v, q: torch.full_like(v, q))


@wrong("no-clipping", "You treat clipped values as if they were inside.")
def no_clipping(x, scale, bits, upstream):
    def inside(v, codes, q):
        return torch.ones_like(v, dtype=torch.bool)

    return _gradient(x, scale, bits, upstream, inside=inside)


@wrong(
    "mask-before-rounding", "You compare x / scale before rounding; here the rounded code decides."
)
def unrounded(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, inside=lambda v, codes, q: v.abs() <= q)


@wrong("ends-excluded", "The end codes are inside; you clipped them.")
def excluded(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, inside=lambda v, codes, q: codes.abs() < q)


@wrong("full-range", "The codes are -qmax to qmax; you let -qmax - 1 in.")
def full_range(x, scale, bits, upstream):
    def inside(v, codes, q):
        return (codes >= -q - 1) & (codes <= q)

    return _gradient(x, scale, bits, upstream, inside=inside)


@wrong("qmax-of-one-more-bit", "qmax is 2**(bits - 1) - 1; you took 2**bits - 1.")
def unsigned(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, qmax=lambda b: 2**b - 1)


@wrong(
    "upstream-forgotten",
    "You added up the slopes without the gradient that arrives at each element.",
)
def no_upstream(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, weight=torch.ones_like)


@wrong(
    "upstream-averaged",
    "You multiplied with the mean of the arriving gradients; each element has its own.",
)
def averaged(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, weight=lambda u: u.mean().expand_as(u))


@wrong("times-the-scale", "You multiplied by the scale once too often.")
def times_scale(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream) * scale


@wrong("floor-for-round", "You rounded down; round to nearest, ties to even.")
def floor(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, rounding=torch.floor)


@wrong("a-tensor", "You returned a tensor; a Python float is asked.")
def tensor(x, scale, bits, upstream):
    return torch.tensor(_gradient(x, scale, bits, upstream))


@wrong("scale-not-checked", "A scale that is not positive, or NaN, must raise ValueError.")
def any_scale(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream, check=lambda x, s, b: _refuse(x, 1.0, b))


@wrong("nan-scale-accepted", "scale <= 0 is False for NaN; write `not scale > 0`.")
def nan_scale(x, scale, bits, upstream):
    def check(x, s, b):
        if s <= 0 or not 2 <= b <= 8 or not x.numel():
            raise ValueError("input")

    return _gradient(x, scale, bits, upstream, check=check)


@wrong("bits-not-checked", "bits outside 2 to 8 must raise ValueError.")
def any_bits(x, scale, bits, upstream):
    return _gradient(x, scale, min(max(bits, 2), 8), upstream)


@wrong("empty-accepted", "An empty x has no gradient to average over; raise ValueError.")
def empty(x, scale, bits, upstream):
    return _gradient(x, scale, bits, upstream) if x.numel() else 0.0
