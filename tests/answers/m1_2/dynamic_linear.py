"""Answers to dynamic-linear."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, weight_codes):
    if x.ndim != 2 or x.shape[1] != weight_codes.shape[1] or not torch.isfinite(x).all():
        raise ValueError("x")


def _scale(x, qmax=127.0):
    if not x.shape[0]:
        return x.new_ones(0, 1)
    scale = x.abs().amax(1, keepdim=True) / qmax
    return torch.where(scale > 0, scale, torch.ones_like(scale))


@right("float64 sums")
def by_double(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    scale = _scale(x)
    codes = torch.round(x / scale)
    sums = codes.double() @ weight_codes.T.double()
    return (sums * scale * weight_scales + bias).to(torch.float32)


@right("int32 matrix product")
def by_int32(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    scale = _scale(x)
    codes = torch.clamp(torch.round(x / scale), -127, 127).to(torch.int32)
    sums = torch.matmul(codes, weight_codes.T.to(torch.int32))
    return sums.float() * (scale * weight_scales[None, :]) + bias


@right("NumPy, a token at a time")
def by_numpy(x, weight_codes, weight_scales, bias):
    a, w = x.numpy(), weight_codes.numpy().astype(np.int64)
    if a.ndim != 2 or a.shape[1] != w.shape[1]:
        raise ValueError("shape")
    if not np.isfinite(a).all():
        raise ValueError("not finite")
    rows = []
    for row in a.astype(np.float64):
        scale = np.abs(row).max() / 127 or 1.0
        codes = np.rint(row / scale).astype(np.int64)
        rows.append((w @ codes) * scale * weight_scales.numpy() + bias.numpy())
    return torch.tensor(np.array(rows).reshape(len(a), len(w)), dtype=torch.float32)


def _linear(
    x, weight_codes, weight_scales, bias, *, scale=None, rounding=torch.round, sums=None, check=True
):
    if check:
        _refuse(x, weight_codes)
    scale = _scale(x) if scale is None else scale
    codes = rounding(x / scale).clamp(-127, 127)
    if sums is None:
        total = codes.double() @ weight_codes.double().T
    else:
        total = sums(codes, weight_codes)
    return (total * scale * weight_scales + bias).float()


@wrong("one-scale-for-all-tokens", "You take one scale for all tokens; each row of x gets its own.")
def one_scale(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    amax = float(x.abs().max()) if x.numel() else 0.0
    scale = torch.full((len(x), 1), amax / 127 or 1.0)
    return _linear(x, weight_codes, weight_scales, bias, scale=scale)


@wrong(
    "scale-per-column",
    "You take the maximum over tokens; the scale belongs to a row: amax(1, keepdim=True).",
)
def per_column(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    if not len(x):
        return torch.zeros(0, len(bias))
    scale = x.abs().amax(0, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    codes = torch.round(x / scale).clamp(-127, 127)
    sums = codes.double() @ weight_codes.double().T
    return (sums * scale.mean() * weight_scales + bias).float()


@wrong("int8-sums", "You summed in int8, which wraps at 127; widen the codes first.")
def int8_sums(x, weight_codes, weight_scales, bias):
    def sums(codes, w):
        total = codes.to(torch.int64) @ w.T.to(torch.int64)
        return total.to(torch.int8)

    return _linear(x, weight_codes, weight_scales, bias, sums=sums)


@wrong("int16-sums", "You summed in int16; two products of 127 * 127 nearly fill it: use int32.")
def int16_sums(x, weight_codes, weight_scales, bias):
    def sums(codes, w):
        return (codes.to(torch.int64) @ w.T.to(torch.int64)).to(torch.int16)

    return _linear(x, weight_codes, weight_scales, bias, sums=sums)


@wrong("float16-sums", "You summed in float16, which holds integers only up to 2048.")
def half_sums(x, weight_codes, weight_scales, bias):
    def sums(codes, w):
        return (codes.double() @ w.double().T).half().double()

    return _linear(x, weight_codes, weight_scales, bias, sums=sums)


@wrong("not-quantized", "You multiplied the floats as they are; x must be rounded to codes.")
def not_quantized(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    return (x.double() @ (weight_codes.double().T * weight_scales) + bias).float()


@wrong("floor-for-round", "You rounded down; round to nearest.")
def floor(x, weight_codes, weight_scales, bias):
    return _linear(x, weight_codes, weight_scales, bias, rounding=torch.floor)


@wrong("truncated", "A cast to int cuts towards zero; round first.")
def truncated(x, weight_codes, weight_scales, bias):
    return _linear(x, weight_codes, weight_scales, bias, rounding=torch.trunc)


@wrong("scale-over-128", "You divided by 128; the largest code is 127.")
def over_128(x, weight_codes, weight_scales, bias):
    return _linear(
        x, weight_codes, weight_scales, bias, scale=_scale(x, 128.0) if x.ndim == 2 else None
    )


@wrong("scale-over-255", "You divided by 255; symmetric codes reach 127 on each side.")
def over_255(x, weight_codes, weight_scales, bias):
    return _linear(
        x, weight_codes, weight_scales, bias, scale=_scale(x, 255.0) if x.ndim == 2 else None
    )


@wrong("four-bits", "You quantized x to 4 bits; asked are 8.")
def four_bits(x, weight_codes, weight_scales, bias):
    return _linear(
        x, weight_codes, weight_scales, bias, scale=_scale(x, 7.0) if x.ndim == 2 else None
    )


@wrong("zero-row-nan", "A row of zeros divides 0 by 0; its scale is 1.0.")
def zero_nan(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    scale = x.abs().amax(1, keepdim=True) / 127 if len(x) else x.new_ones(0, 1)
    return _linear(x, weight_codes, weight_scales, bias, scale=scale)


@wrong("tiny-rows-lost", "You added a small epsilon to the scale; it swamps rows of tiny values.")
def epsilon(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    scale = x.abs().amax(1, keepdim=True) / 127 + 1e-8 if len(x) else x.new_ones(0, 1)
    return _linear(x, weight_codes, weight_scales, bias, scale=scale)


@wrong("bias-forgotten", "You left the bias out.")
def no_bias(x, weight_codes, weight_scales, bias):
    return _linear(x, weight_codes, weight_scales, torch.zeros_like(bias))


@wrong("bias-scaled", "You scaled the bias with the sum; it is added at the end, as it is.")
def bias_scaled(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    scale = _scale(x)
    sums = torch.round(x / scale).double() @ weight_codes.double().T
    return ((sums + bias) * scale * weight_scales).float()


@wrong("weight-scales-forgotten", "You left the weights' scales out.")
def no_weight_scales(x, weight_codes, weight_scales, bias):
    return _linear(x, weight_codes, torch.ones_like(weight_scales), bias)


@wrong("first-weight-scale", "You used one weight scale for all outputs; each has its own.")
def first_scale(x, weight_codes, weight_scales, bias):
    return _linear(x, weight_codes, weight_scales[:1].expand(len(bias)), bias)


@wrong(
    "weight-scales-on-tokens",
    "You multiplied the tokens (rows) with the weights' scales; they belong to outputs (columns).",
)
def on_tokens(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    if len(x) != len(bias):
        return _linear(x, weight_codes, weight_scales, bias)
    scale = _scale(x)
    sums = torch.round(x / scale).double() @ weight_codes.double().T
    return (sums * scale * weight_scales[:, None] + bias).float()


@wrong("nan-let-through", "You let a NaN or an infinity through; raise ValueError.")
def nan_through(x, weight_codes, weight_scales, bias):
    if x.ndim != 2 or x.shape[1] != weight_codes.shape[1]:
        raise ValueError("shape")
    return _linear(x, weight_codes, weight_scales, bias, check=False)


@wrong("nan-replaced", "You replaced NaN by 0; the mistake goes on unseen: raise ValueError.")
def nan_replaced(x, weight_codes, weight_scales, bias):
    x = torch.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    return _linear(x, weight_codes, weight_scales, bias)


@wrong("double-result", "You returned float64; asked is float32.")
def double_result(x, weight_codes, weight_scales, bias):
    return _linear(x, weight_codes, weight_scales, bias).double()


@wrong("one-axis-accepted", "A vector for x has no tokens; raise ValueError.")
def one_axis(x, weight_codes, weight_scales, bias):
    return _linear(x[None] if x.ndim == 1 else x, weight_codes, weight_scales, bias)


@wrong(
    "float32-sums",
    "You summed in float32, which holds integers only up to 2**24: use int32 or float64.",
)
def float_sums(x, weight_codes, weight_scales, bias):
    return _linear(
        x, weight_codes, weight_scales, bias, sums=lambda q, w: (q.float() @ w.float().T).double()
    )


@wrong(
    "ties-away-from-zero", "Your ties go away from zero; torch.round sends them to the even code."
)
def ties_away(x, weight_codes, weight_scales, bias):
    away = lambda v: torch.sign(v) * torch.floor(v.abs() + 0.5)  # noqa: E731
    return _linear(x, weight_codes, weight_scales, bias, rounding=away)


@wrong("ties-up", "You round ties up with floor(v + 0.5); they go to the even code.")
def ties_up(x, weight_codes, weight_scales, bias):
    up = lambda v: torch.floor(v + 0.5)  # noqa: E731
    return _linear(x, weight_codes, weight_scales, bias, rounding=up)


@wrong(
    "smallest-scale",
    "You hold the scale above a small constant; rows of tiny values lose all their codes.",
)
def held(x, weight_codes, weight_scales, bias):
    _refuse(x, weight_codes)
    scale = (x.abs().amax(1, keepdim=True) / 127).clamp(min=1e-12)
    return _linear(x, weight_codes, weight_scales, bias, scale=scale)


@wrong("three-axes-accepted", "x with three axes is not (tokens, in); raise ValueError.")
def three_axes(x, weight_codes, weight_scales, bias):
    if x.ndim == 3:
        y = by_double(x.flatten(0, 1), weight_codes, weight_scales, bias)
        return y.unflatten(0, x.shape[:2])
    return by_double(x, weight_codes, weight_scales, bias)
