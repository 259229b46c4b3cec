"""Answers to per-channel-quantize."""

import numpy as np

from autograder.checks.bank import right, wrong


def _quantize(w, axis=0, bits=8, *, others=None, amax=None, top=None, low=None, rounding=np.rint):
    """The right answer with one thing replaced."""
    q = 2 ** (bits - 1) - 1
    if others is None:
        others = tuple(i for i in range(w.ndim) if i != axis % w.ndim)
    reduce = amax or (lambda a, o: np.abs(a).max(axis=o, keepdims=True))
    a = reduce(w, others)
    scales = np.where(a > 0, a / (top or q), 1).astype(np.float32)
    codes = np.clip(rounding(w / scales), -q if low is None else low(q), q).astype(np.int8)
    return codes, scales


@right("max over the other axes")
def by_numpy(w, axis=0, bits=8):
    return _quantize(w, axis, bits)


@right("a loop over channels in float64")
def by_loop(w, axis=0, bits=8):
    top = 2 ** (bits - 1) - 1
    moved = np.moveaxis(w, axis, 0).astype(np.float64)
    scales, codes = [], []
    for channel in moved:
        amax = max(abs(float(v)) for v in channel.reshape(-1))
        scale = amax / top if amax else 1.0
        scales.append(scale)
        codes.append([round(float(v) / scale) for v in np.ravel(channel)])
    shape = [1] * w.ndim
    shape[axis] = len(scales)
    back = np.moveaxis(np.array(codes).reshape(moved.shape), 0, axis)
    return back.astype(np.int8), np.array(scales, np.float32).reshape(shape)


@right("torch.fake_quantize's sibling: quantize_per_channel")
def by_torch(w, axis=0, bits=8):
    import torch

    top = 2 ** (bits - 1) - 1
    t = torch.tensor(w)
    axis = axis % t.dim()
    others = [i for i in range(t.dim()) if i != axis]
    amax = t.abs().amax(dim=others, keepdim=True) if others else t.abs()
    scales = torch.where(amax > 0, amax.double() / top, 1.0)
    zero = torch.zeros(scales.numel(), dtype=torch.int64)
    q = torch.quantize_per_channel(t, scales.reshape(-1), zero, axis, torch.qint8)
    return q.int_repr().numpy(), scales.float().numpy()


@right("multiply by qmax / amax")
def by_inverse(w, axis=0, bits=8):
    top = 2 ** (bits - 1) - 1
    flat = np.moveaxis(w, axis, 0).reshape(w.shape[axis], -1)
    amax = np.maximum(flat.max(1), -flat.min(1))
    shape = [1] * w.ndim
    shape[axis] = -1
    amax = amax.reshape(shape)
    inverse = np.divide(top, amax, out=np.zeros_like(amax, dtype=np.float64), where=amax > 0)
    scales = np.where(amax == 0, np.float32(1), amax / np.float32(top)).astype("f4")
    return np.around(w * inverse).astype("i1"), scales


@wrong("one-scale", "You used one scale for the whole tensor; take one for each channel.")
def one_scale(w, axis=0, bits=8):
    codes, scale = _quantize(w, axis, bits, others=tuple(range(w.ndim)))
    shape = [1] * w.ndim
    shape[axis] = w.shape[axis]
    return codes, np.full(shape, scale.item(), np.float32)


@wrong(
    "reduced-the-channel-axis",
    "You took the max along `axis`; take it over every other axis and keep `axis`.",
)
def reduced_the_channel_axis(w, axis=0, bits=8):
    return _quantize(w, axis, bits, others=axis)


@wrong("axis-ignored", "Your channels are always axis 0; use the argument `axis`.")
def axis_ignored(w, axis=0, bits=8):
    return _quantize(w, 0, bits)


@wrong(
    "two-axes-only",
    "You reduced one axis only; a convolution's weights have four, and all but `axis` must go.",
)
def two_axes_only(w, axis=0, bits=8):
    return _quantize(w, axis, bits, others=1 - axis if axis in (0, 1) else 0)


@wrong(
    "no-keepdims",
    "Your scales lost their axes of length 1; keep them, so that codes * scales broadcasts.",
)
def no_keepdims(w, axis=0, bits=8):
    codes, scales = _quantize(w, axis, bits)
    return codes, scales.reshape(-1)


@wrong("bits-ignored", "Your largest code is always 127; it is 2**(bits - 1) - 1.")
def bits_ignored(w, axis=0, bits=8):
    return _quantize(w, axis, 8)


@wrong(
    "scale-over-128",
    "You divided amax by 2**(bits - 1); the largest code is one less, 127 for 8 bits.",
)
def scale_over_128(w, axis=0, bits=8):
    return _quantize(w, axis, bits, top=2 ** (bits - 1))


@wrong(
    "scale-over-half-the-span",
    "You divided 2 * amax by 2**bits - 1 (qmax 127.5); a symmetric scale is amax / 127 for 8 bits.",
)
def scale_over_half_the_span(w, axis=0, bits=8):
    return _quantize(w, axis, bits, top=(2**bits - 1) / 2)


@wrong("floor-for-round", "You rounded down with floor; round to nearest, ties to even.")
def floor_for_round(w, axis=0, bits=8):
    return _quantize(w, axis, bits, rounding=np.floor)


@wrong("truncation", "astype(np.int8) cuts the fraction off; round to nearest first.")
def truncation(w, axis=0, bits=8):
    return _quantize(w, axis, bits, rounding=np.trunc)


@wrong("ties-away-from-zero", "Your ties go away from zero; np.rint sends 2.5 to 2 and 3.5 to 4.")
def ties_away(w, axis=0, bits=8):
    return _quantize(w, axis, bits, rounding=lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5))


@wrong("max-without-abs", "You took the max of w; the largest magnitude may be negative.")
def max_without_abs(w, axis=0, bits=8):
    return _quantize(w, axis, bits, amax=lambda a, o: a.max(axis=o, keepdims=True))


@wrong(
    "range-for-amax",
    "You took max - min, or half of it; a symmetric range comes from max|w| alone.",
)
def range_for_amax(w, axis=0, bits=8):
    def span(a, o):
        return (a.max(axis=o, keepdims=True) - a.min(axis=o, keepdims=True)) / 2

    return _quantize(w, axis, bits, amax=span)


@wrong("zero-scale", "A channel of zeros gives scale 0 and 0/0; the exercise sets its scale to 1.")
def zero_scale(w, axis=0, bits=8):
    others = tuple(i for i in range(w.ndim) if i != axis % w.ndim)
    scales = (np.abs(w).max(axis=others, keepdims=True) / (2 ** (bits - 1) - 1)).astype(np.float32)
    return np.nan_to_num(np.rint(w / scales)).astype(np.int8), scales


@wrong(
    "epsilon-floor",
    "You lifted every scale to a small constant; channels of very small weights then lose their codes.",
)
def epsilon_floor(w, axis=0, bits=8):
    top = 2 ** (bits - 1) - 1
    others = tuple(i for i in range(w.ndim) if i != axis % w.ndim)
    scales = np.maximum(np.abs(w).max(axis=others, keepdims=True) / top, 1e-8).astype(np.float32)
    return np.rint(w / scales).astype(np.int8), scales


@wrong("restored-not-codes", "You returned the restored weights; return the integer codes.")
def restored_not_codes(w, axis=0, bits=8):
    codes, scales = _quantize(w, axis, bits)
    return (codes * scales).astype(np.float32), scales


@wrong("changes-w", "You divided w in place; the caller still needs the weights.")
def changes_w(w, axis=0, bits=8):
    codes, scales = _quantize(w, axis, bits)
    w /= scales
    return codes, scales


@wrong(
    "only-minus-one-handled",
    "You treated every negative axis as the last one: -2 is the last but one; axis % w.ndim does it.",
)
def only_minus_one(w, axis=0, bits=8):
    return by_numpy(w, axis if axis >= 0 else w.ndim - 1, bits)
