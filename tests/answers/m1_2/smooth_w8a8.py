"""Answers to smooth-w8a8."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, weight, alpha):
    if x.shape[1] != weight.shape[1] or len(x) == 0 or not 0 <= alpha <= 1:
        raise ValueError("wrong arguments")


def _codes(v, axis, rounding=np.rint, top=127, least=-127):
    scale = np.abs(v).max(axis=axis, keepdims=True) / top
    scale = np.where(scale > 0, scale, 1)
    return np.clip(rounding(v / scale), least, top).astype(np.int8), scale


def _factors(x, w, alpha, biggest=lambda v: np.abs(v).max(0)):
    a, b = biggest(x), biggest(w)
    used = (a > 0) & (b > 0)
    with np.errstate(all="ignore"):
        return np.where(used, a**alpha / b ** (1 - alpha), 1.0)


def _w8a8(x, weight, alpha, *, factors=_factors, refuse=_refuse, rounding=np.rint, w_axis=1,
          x_axis=None, product=np.int32, swap=False, top=127, keep=False):  # fmt: skip
    refuse(x, weight, alpha)
    x, w = x.astype(np.float64), weight.astype(np.float64)
    s = factors(x, w, alpha)
    xs, ws = (x * s, w / s) if swap else (x / s, w * s)
    if keep:
        xs, ws = x, w
    cx, sx = _codes(xs, x_axis, rounding, top)
    cw, sw = _codes(ws, w_axis, rounding, top)
    y = (cx.astype(product) @ cw.astype(product).T).astype(np.float64)
    y = y * (sx if x_axis == 1 else sx.ravel()[0]) * (sw.T if w_axis == 1 else 1)
    return s, cx, cw, y


@right("NumPy, int32")
def in_numpy(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha)


@right("torch float32, float64 products of codes")
def in_torch(x, weight, alpha=0.5):
    _refuse(x, weight, alpha)
    tx, tw = torch.tensor(x), torch.tensor(weight)
    a, b = tx.abs().amax(0), tw.abs().amax(0)
    s = a.pow(alpha) / b.pow(1 - alpha)
    s[(a == 0) | (b == 0)] = 1.0
    tx, tw = tx / s, tw * s
    sx = tx.abs().max() / 127
    sx = sx if sx > 0 else torch.tensor(1.0)
    sw = tw.abs().amax(1, keepdim=True) / 127
    sw[sw == 0] = 1
    cx, cw = (tx / sx).round().to(torch.int8), (tw / sw).round().to(torch.int8)
    y = (cx.double() @ cw.double().T) * sx.double() * sw.double().T
    return s.numpy(), cx.numpy(), cw.numpy(), y.numpy()


@wrong("not-smoothed", "The factors are computed but never used.")
def unused(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, keep=True)


@wrong("inverted", "You divided the weights and multiplied the inputs: outliers grow.")
def inverted(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, swap=True)


@wrong("alpha-swapped", "alpha and 1 - alpha are exchanged.")
def exchanged(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, factors=lambda x, w, a: _factors(x, w, 1 - a))


@wrong("mean-for-max", "The factors come from the largest |x|, not from the mean.")
def mean(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha,
                 factors=lambda x, w, a: _factors(x, w, a, lambda v: np.abs(v).mean(0)))  # fmt: skip


@wrong("signed-max", "The largest value is taken without its absolute value.")
def signed(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, factors=lambda x, w, a: _factors(x, w, a, lambda v: v.max(0)))


@wrong("no-zero-guard", "A channel of zeros gives a factor of 0 or infinity; it should be 1.")
def unguarded_zero(x, weight, alpha=0.5):
    def factors(x, w, a):
        with np.errstate(all="ignore"):
            return np.abs(x).max(0) ** a / np.maximum(np.abs(w).max(0), 1e-5) ** (1 - a) + 1e-12

    return _w8a8(x, weight, alpha, factors=factors)


@wrong("int8-products", "The products were summed in int8 and overflow; widen the codes to int32.")
def overflow(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, product=np.int8)


@wrong("int16-sums", "The sums overflow int16; widen the codes to int32.")
def overflow16(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, product=np.int16)


@wrong("per-tensor-weights", "The weights have one scale; each output channel has its own.")
def per_tensor(x, weight, alpha=0.5):
    s, cx, cw, y = _w8a8(x, weight, alpha)
    cw, sw = _codes(weight.astype(np.float64) * s, None)
    sx = _codes(x / s, None)[1]
    return s, cx, cw, (cx.astype(np.int32) @ cw.astype(np.int32).T) * float(sx) * float(sw)


@wrong("per-token-inputs", "The inputs have a scale for each token; here they share one.")
def per_token(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, x_axis=1)


@wrong("truncated", "You cut the digits off; codes are rounded to nearest.")
def truncated(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, rounding=np.trunc)


@wrong("four-bits", "The codes go from -7 to 7: that is INT4.")
def four(x, weight, alpha=0.5):
    return _w8a8(x, weight, alpha, top=7)


@wrong("no-refusal", "Other widths, an empty set and alpha outside 0..1 must raise ValueError.")
def unguarded(x, weight, alpha=0.5):
    try:
        return _w8a8(x, weight, alpha)
    except ValueError:
        return None
