"""Answers to smooth-linear."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(x, w, s, shapes=True, positive=True):
    if shapes and not (x.ndim == w.ndim == 2 and x.shape[1:] == w.shape[1:] == s.shape):
        raise ValueError("shapes")
    if positive and not (s > 0).all():
        raise ValueError("factors")


def _scale(v, top, axis=1):
    peak = np.abs(v).max(axis=axis, keepdims=True) if v.size else np.ones((len(v), 1))
    return np.where(peak > 0, peak / top, 1.0)


def _top(bits):
    return 2 ** (bits - 1) - 1


def _layer(
    x,
    w,
    s,
    bits,
    *,
    rounding=np.rint,
    smooth=lambda x, w, s: (x / s, w * s),
    x_scale=_scale,
    w_scale=_scale,
    x_top=127,
    w_top=None,
    product=None,
    check=True,
):
    """The layer with one of its steps exchanged; returns acc (int64) and y (float64)."""
    if check:
        _refuse(x, w, s)
    x, w = smooth(x.astype(np.float64), w.astype(np.float64), s)
    w_top = w_top or _top(bits)
    sx, sw = x_scale(x, x_top), w_scale(w, w_top)
    cx, cw = np.clip(rounding(x / sx), -x_top, x_top), np.clip(rounding(w / sw), -w_top, w_top)
    acc = (cx.astype(np.int64) @ cw.astype(np.int64).T) if product is None else product(cx, cw)
    return acc, acc * sx * sw.T


def _typed(acc, y):
    return np.asarray(acc).astype(np.int32), np.asarray(y).astype(np.float32)


@right("int64 sums, cast at the end")
def by_int64(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits))


@right("int32 codes and einsum")
def by_einsum(x, w, s, weight_bits=8):
    _refuse(x, w, s)
    xs, ws = x / s, w * s
    sx, sw = _scale(xs, 127), _scale(ws, _top(weight_bits))
    cx, cw = np.rint(xs / sx).astype(np.int32), np.rint(ws / sw).astype(np.int32)
    acc = np.einsum("nk,rk->nr", cx, cw)
    return acc, (acc * (sx * sw.T)).astype(np.float32)


@right("torch, int8 codes and an int32 product")
def by_torch(x, w, s, weight_bits=8):
    import torch

    _refuse(x, w, s)
    parts = []
    for v, top in ((x / s, 127), (w * s, _top(weight_bits))):
        t = torch.from_numpy(np.ascontiguousarray(v)).double()
        scale = t.abs().amax(1, keepdim=True) / top
        scale[scale == 0] = 1
        parts.append((torch.round(t / scale).to(torch.int8), scale))
    (cx, sx), (cw, sw) = parts
    acc = cx.int() @ cw.int().T
    return acc.numpy(), (acc.double() * sx * sw.T).float().numpy()


@right("sums in float64, which are exact below 2**53")
def by_float64(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, product=lambda cx, cw: cx @ cw.T))


@wrong("int8-product", "The product stayed int8 and wrapped; widen the codes to int32.")
def int8_product(x, w, s, weight_bits=8):
    def product(cx, cw):
        return cx.astype(np.int8) @ cw.astype(np.int8).T

    return _typed(*_layer(x, w, s, weight_bits, product=product))


@wrong("int16-sums", "Your sums are int16 and wrap; use int32.")
def int16_sums(x, w, s, weight_bits=8):
    def product(cx, cw):
        return cx.astype(np.int16) @ cw.astype(np.int16).T

    return _typed(*_layer(x, w, s, weight_bits, product=product))


@wrong("float32-sums", "Your sums are float32, which is not exact beyond 2**24; use int32.")
def float32_sums(x, w, s, weight_bits=8):
    def product(cx, cw):
        total = np.zeros((len(cx), len(cw)), np.float32)
        for k in range(cx.shape[1]):
            total += np.outer(cx[:, k], cw[:, k]).astype(np.float32)
        return total

    return _typed(*_layer(x, w, s, weight_bits, product=product))


@wrong("per-tensor-activations", "One scale serves all tokens; each row of x / s has its own.")
def per_tensor_x(x, w, s, weight_bits=8):
    def scale(v, top):
        return np.full((len(v), 1), _scale(v.reshape(1, -1), top)[0, 0]) if v.size else v[:, :1]

    return _typed(*_layer(x, w, s, weight_bits, x_scale=scale))


@wrong("per-tensor-weights", "One scale serves all outputs; each row of w * s has its own.")
def per_tensor_w(x, w, s, weight_bits=8):
    def scale(v, top):
        return np.full((len(v), 1), _scale(v.reshape(1, -1), top)[0, 0])

    return _typed(*_layer(x, w, s, weight_bits, w_scale=scale))


@wrong(
    "per-channel-activations",
    "Your activations have a scale for each channel, which cannot leave the sum; take one for each token.",
)
def per_channel_x(x, w, s, weight_bits=8):
    _refuse(x, w, s)
    xs, ws = x / s, w * s
    sx = _scale(xs, 127, axis=0) if len(x) else np.ones((1, x.shape[1]))
    sw = _scale(ws, _top(weight_bits))
    cx, cw = np.rint(xs / sx), np.rint(ws / sw)
    return _typed(cx @ cw.T, ((cx * sx) @ cw.T) * sw.T)


@wrong("smoothing-forgotten", "You left s out: the codes are those of x / s and w * s.")
def no_smoothing(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, smooth=lambda x, w, s: (x, w)))


@wrong("smoothing-reversed", "You multiplied x and divided w; it is x / s and w * s.")
def reversed_smoothing(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, smooth=lambda x, w, s: (x * s, w / s)))


@wrong("only-x-smoothed", "You divided x by s and left w as it was; the product is another one.")
def only_x(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, smooth=lambda x, w, s: (x / s, w)))


@wrong("floor-for-round", "You rounded down; round to nearest, ties to even.")
def floor(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, rounding=np.floor))


@wrong("truncation", "You cut the fraction off (astype does); round to nearest first.")
def truncation(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, rounding=np.trunc))


@wrong("ties-away", "Your ties go away from zero; np.rint sends them to even.")
def ties_away(x, w, s, weight_bits=8):
    def away(v):
        return np.sign(v) * np.floor(np.abs(v) + 0.5)

    return _typed(*_layer(x, w, s, weight_bits, rounding=away))


@wrong("top-128", "You divided by 128; the largest code is 127.")
def top_128(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, x_top=128, w_top=2 ** (weight_bits - 1)))


@wrong("weight-bits-ignored", "Your weights always have 8 bits; use weight_bits.")
def bits_ignored(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, 8))


@wrong("activations-narrow-too", "You quantized the activations to weight_bits; they keep 8.")
def narrow_activations(x, w, s, weight_bits=8):
    return _typed(*_layer(x, w, s, weight_bits, x_top=_top(weight_bits)))


@wrong("token-scale-forgotten", "y lacks the tokens' scales.")
def no_token_scale(x, w, s, weight_bits=8):
    acc, y = _layer(x, w, s, weight_bits)
    return _typed(acc, y / _scale(x / s, 127))


@wrong("smoothed-twice", "You multiplied y by a factor again; x / s and w * s already cancel.")
def smoothed_twice(x, w, s, weight_bits=8):
    acc, y = _layer(x, w, s, weight_bits)
    return _typed(acc, y * s.mean())


@wrong("float-output", "y is the float product, not the one of the codes.")
def float_output(x, w, s, weight_bits=8):
    acc, _ = _layer(x, w, s, weight_bits)
    return _typed(acc, x.astype(np.float64) @ w.T)


@wrong("acc-int64", "acc is int64; the exercise asks for int32.")
def acc_int64(x, w, s, weight_bits=8):
    acc, y = _layer(x, w, s, weight_bits)
    return acc, y.astype(np.float32)


@wrong("acc-float", "acc is a float array; the sums are int32.")
def acc_float(x, w, s, weight_bits=8):
    acc, y = _layer(x, w, s, weight_bits)
    return acc.astype(np.float64), y.astype(np.float32)


@wrong("y-only", "You returned y alone; return acc and y.")
def y_only(x, w, s, weight_bits=8):
    return _layer(x, w, s, weight_bits)[1].astype(np.float32)


@wrong("zero-row", "A row of zeros gave 0 / 0; its scale is 1.")
def zero_row(x, w, s, weight_bits=8):
    def scale(v, top):
        return np.abs(v).max(axis=1, keepdims=True) / top

    def product(cx, cw):
        with np.errstate(all="ignore"):
            return cx @ cw.T

    with np.errstate(all="ignore"):
        return _typed(*_layer(x, w, s, weight_bits, x_scale=scale, w_scale=scale, product=product))


@wrong("shapes-broadcast", "Shapes that do not agree were broadcast; compare them first.")
def shapes_broadcast(x, w, s, weight_bits=8):
    _refuse(x, w, s, shapes=False)
    k = max(np.shape(x)[-1], w.shape[1])
    x, w = (np.resize(np.atleast_2d(a), (len(np.atleast_2d(a)), k)) for a in (x, w))
    return _typed(*_layer(x, w, np.resize(s, k), weight_bits, check=False))


@wrong("factors-unchecked", "A factor that is not positive was accepted; raise ValueError.")
def factors_unchecked(x, w, s, weight_bits=8):
    _refuse(x, w, s, positive=False)
    with np.errstate(all="ignore"):
        return _typed(*_layer(x, w, np.where(s > 0, s, 1), weight_bits, check=False))


@wrong("in-place", "You changed x; divide into a new array.")
def in_place(x, w, s, weight_bits=8):
    made = _typed(*_layer(x, w, s, weight_bits))
    x[:] = x / s
    return made


@right("three comparisons and an outer product of scales")
def by_outer(x, w, s, weight_bits=8):
    if x.shape[-1] != w.shape[-1] or s.shape != (w.shape[-1],) or (s <= 0).any():
        raise ValueError("shapes or factors")
    x, w, top = x / s, w * s, _top(weight_bits)
    sx, sw = np.abs(x).max(axis=1) / 127, np.abs(w).max(axis=1) / top
    sx[sx == 0], sw[sw == 0] = 1, 1
    acc = np.rint(x / sx[:, None]).astype(np.int32) @ np.rint(w / sw[:, None]).astype(np.int32).T
    return acc, (acc * np.outer(sx, sw)).astype(np.float32)


@wrong(
    "float32-codes", "You computed scales and codes in float32; close to a tie that rounds wrongly."
)
def float32_codes(x, w, s, weight_bits=8):
    _refuse(x, w, s)
    x, w, s = (a.astype(np.float32) for a in (x, w, s))
    codes, scales = [], []
    for values, top in ((x / s, 127), (w * s, _top(weight_bits))):
        scale = _scale(values, top).astype(np.float32)
        codes.append(np.rint(values / scale).astype(np.int64))
        scales.append(scale.astype(np.float64))
    acc = codes[0] @ codes[1].T
    return _typed(acc, acc * scales[0] * scales[1].T)
