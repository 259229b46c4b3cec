"""Answers to qlinear-matmul."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _check(x, x_scale, xz, w, ws, y_scale, yz, skip=""):
    if "d" not in skip and (x.dtype != np.uint8 or w.dtype != np.int8):
        raise ValueError("dtypes")
    if "s" not in skip and (x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[0]):
        raise ValueError("shapes")
    if "w" not in skip and np.shape(ws) != w.shape[1:]:
        raise ValueError("scales")
    if "0" not in skip and not (x_scale > 0 and y_scale > 0 and min(ws, default=1) > 0):
        raise ValueError("scales")
    if "z" not in skip and not (0 <= xz <= 255 and 0 <= yz <= 255):
        raise ValueError("zero points")


def _codes(
    x, x_scale, xz, w, ws, y_scale, yz, skip="", sums=None, factor=None, rounding=np.rint,
    add="after", low=0, high=255, clip=True, dtype=np.uint8,
):  # fmt: skip
    _check(x, x_scale, xz, w, ws, y_scale, yz, skip)
    if "w" in skip and np.shape(ws) != w.shape[1:]:
        ws = np.resize(ws, w.shape[1])
    if "s" in skip:
        w = w[: x.shape[1]]
        x = x[:, : len(w)]
    total = sums(x, xz, w) if sums else (x.astype(np.int64) - xz) @ w.astype(np.int64)
    with np.errstate(all="ignore"):
        steps = total * (
            factor(x_scale, ws, y_scale) if factor else ws.astype(float) * x_scale / y_scale
        )
        made = rounding(steps + yz) if add == "before" else rounding(steps) + (yz if add else 0)
        made = np.clip(made, low, high) if clip else made
        return (
            made.astype(np.int64).astype(dtype) if clip is None or not clip else made.astype(dtype)
        )


@right("int64 sums, float64 multiplier")
def wide(x, x_scale, xz, w, ws, y_scale, yz):
    return _codes(x, x_scale, xz, w, ws, y_scale, yz)


@right("sums in int32, multiplier in float32")
def narrow(x, x_scale, xz, w, ws, y_scale, yz):
    _check(x, x_scale, xz, w, ws, y_scale, yz)
    total = (x.astype(np.int32) - np.int32(xz)) @ w.astype(np.int32)
    factor = np.float32(x_scale) * np.asarray(ws, np.float32) / np.float32(y_scale)
    made = np.rint(total.astype(np.float32) * factor).astype(np.int32) + yz
    return np.clip(made, 0, 255).astype(np.uint8)


@right("the zero point as a correction of the column sums")
def corrected(x, x_scale, xz, w, ws, y_scale, yz):
    _check(x, x_scale, xz, w, ws, y_scale, yz)
    total = x.astype(np.int64) @ w.astype(np.int64) - xz * w.sum(0, dtype=np.int64)
    real = total * (np.float64(x_scale) * ws) / y_scale
    return (real.round().clip(-yz, 255 - yz) + yz).astype(np.uint8)


@right("torch")
def by_torch(x, x_scale, xz, w, ws, y_scale, yz):
    _check(x, x_scale, xz, w, ws, y_scale, yz)
    total = (torch.from_numpy(x).double() - xz) @ torch.from_numpy(w).double()
    steps = total * (torch.from_numpy(ws).double() * x_scale / y_scale)
    return (torch.round(steps) + yz).clamp(0, 255).to(torch.uint8).numpy()


def _like(**rules):
    return lambda *given: _codes(*given, **rules)


@wrong("uint8-wraps", "x - x_zero_point wraps around in uint8: widen first.", call=True)
def wraps():
    return _like(
        sums=lambda x, xz, w: (
            (x - np.array(xz).astype(np.uint8)).astype(np.int64) @ w.astype(np.int64)
        )
    )


@wrong("zero-point-of-x-forgotten", "Subtract x_zero_point from the codes of x.", call=True)
def no_x_zero():
    return _like(sums=lambda x, xz, w: x.astype(np.int64) @ w.astype(np.int64))


@wrong("zero-point-of-y-forgotten", "Add y_zero_point after rounding.", call=True)
def no_y_zero():
    return _like(add="")


@wrong(
    "zero-point-before-rounding",
    "Round first: with an odd zero point a tie goes the other way.",
    call=True,
)
def before():
    return _like(add="before")


@wrong("floor", "You rounded down; round to nearest, ties to even.", call=True)
def floored():
    return _like(rounding=np.floor)


@wrong("truncated", "A cast cuts towards zero; round to nearest, ties to even.", call=True)
def truncated():
    return _like(rounding=np.trunc)


@wrong("half-up", "A true half goes to the even number.", call=True)
def half_up():
    return _like(rounding=lambda v: np.floor(v + 0.5))


@wrong("half-away", "A true half goes to the even number, not away from zero.", call=True)
def half_away():
    return _like(rounding=lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5))


@wrong("wrap-for-clip", "What is beyond 0 or 255 is clipped, it does not wrap.", call=True)
def wrap_ends():
    return _like(clip=False)


@wrong("clipped-as-int8", "The codes reach from 0 to 255.", call=True)
def int8_ends():
    return _like(high=127)


@wrong("one-scale", "Each column of w has its own scale.", call=True)
def one_scale():
    return _like(factor=lambda xs, ws, ys: xs * ws.max() / ys)


@wrong("y-scale-multiplied", "Divide by y_scale.", call=True)
def y_multiplied():
    return _like(factor=lambda xs, ws, ys: xs * ws * ys)


@wrong("x-scale-forgotten", "The multiplier is x_scale * w_scales / y_scale.", call=True)
def no_x_scale():
    return _like(factor=lambda xs, ws, ys: ws / ys)


@wrong("sums-in-int16", "The sums need int32: int16 overflows.", call=True)
def int16():
    return _like(
        sums=lambda x, xz, w: (
            ((x.astype(np.int64) - xz) @ w.astype(np.int64)).astype(np.int16).astype(np.int64)
        )
    )


@wrong("float16-sums", "The sums are exact integers: float16 has no room for them.", call=True)
def half_sums():
    return _like(
        sums=lambda x, xz, w: (
            ((x.astype(np.float32) - xz) @ w.astype(np.float32))
            .astype(np.float16)
            .astype(np.float64)
        )
    )


@wrong("int32-result", "Return uint8 codes.", call=True)
def int32_result():
    return _like(dtype=np.int32)


@wrong("dequantized", "Return codes, not real numbers.")
def real(x, x_scale, xz, w, ws, y_scale, yz):
    codes = _codes(x, x_scale, xz, w, ws, y_scale, yz)
    return ((codes.astype(np.float32) - yz) * y_scale).astype(np.float32)


@wrong("dtypes-not-checked", "Other dtypes than uint8 and int8 must raise ValueError.", call=True)
def any_dtype():
    return _like(skip="d")


@wrong("shapes-not-checked", "Inner sizes that differ must raise ValueError.", call=True)
def any_shape():
    return _like(skip="s")


@wrong("scales-not-counted", "There must be one scale for each column, or ValueError.", call=True)
def any_scales():
    return _like(skip="w")


@wrong("zero-scale", "A scale that is not above 0 must raise ValueError.", call=True)
def zero_scale():
    return _like(skip="0")


@wrong("any-zero-point", "A zero point outside 0 to 255 must raise ValueError.", call=True)
def any_zero():
    return _like(skip="z")


def _passes(test):
    """Lets one kind of bad input pass, and is right otherwise."""

    def solution(*given):
        return np.zeros((1, 1), np.uint8) if test(*given) else _codes(*given)

    return solution


@wrong("one-axis-passes", "x and w have two axes each, or ValueError.", call=True)
def one_axis():
    return _passes(lambda x, xs, xz, w, ws, ys, yz: x.ndim == 1 or w.ndim == 1)


@wrong("only-y-scale-checked", "x_scale must be above 0 as well.", call=True)
def x_scale_free():
    return _passes(lambda x, xs, xz, w, ws, ys, yz: not xs > 0)


@wrong("w-scales-unchecked", "Each of the column scales must be above 0.", call=True)
def w_scales_free():
    return _passes(lambda x, xs, xz, w, ws, ys, yz: np.size(ws) and np.min(ws) <= 0)


@wrong("nan-scale-passes", "NaN <= 0 is False: ask whether the scale is above 0.", call=True)
def nan_scale():
    return _passes(lambda x, xs, xz, w, ws, ys, yz: np.isnan(ys))


@wrong("x-zero-point-below-0", "Both ends count, for both zero points: 0 to 255.", call=True)
def x_zero_low():
    return _passes(lambda x, xs, xz, w, ws, ys, yz: xz < 0)


@wrong("y-zero-point-above-255", "y_zero_point has an upper end, too: 255.", call=True)
def y_zero_high():
    return _passes(lambda x, xs, xz, w, ws, ys, yz: yz > 255)


@wrong("scales-by-count", "w_scales has the shape (m,), not (1, m).", call=True)
def by_count():
    return _passes(lambda x, xs, xz, w, ws, ys, yz: np.ndim(ws) == 2)
