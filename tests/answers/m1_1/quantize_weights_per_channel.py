"""Answers to quantize-weights-per-channel."""

import numpy as np

from autograder.checks.bank import right, wrong

LAYERS = ("conv1", "conv2", "fc1", "fc2")


def _top(bits):
    return 2 ** (bits - 1) - 1


def _all(params, rule):
    return {layer: rule(params[f"{layer}.weight"]) for layer in LAYERS}


def _scales(amax, q):
    return np.where(amax > 0, amax / q, 1).astype(np.float32)


def _rule(q, rounding=np.rint, amax=lambda rows: np.abs(rows).max(1), clip=None):
    def rule(w):
        rows = w.reshape(len(w), -1).astype(np.float64)
        scales = _scales(amax(rows), q)
        end = clip or q
        codes = np.clip(rounding(rows / scales[:, None].astype(np.float64)), -end, end)
        return codes.astype(np.int8).reshape(w.shape), scales

    return rule


@right("rows of a matrix")
def rows(params, bits=8):
    return _all(params, _rule(_top(bits)))


@right("keepdims, float32")
def keepdims(params, bits=8):
    def rule(w):
        amax = np.abs(w).max(axis=tuple(range(1, w.ndim)), keepdims=True)
        scale = np.where(amax == 0, np.float32(1), amax / np.float32(_top(bits)))
        return np.rint(w / scale).astype(np.int8), scale.ravel()

    return _all(params, rule)


@right("torch.quantize_per_channel")
def by_torch(params, bits=8):
    import torch

    def rule(w):
        t = torch.tensor(w)
        amax = t.flatten(1).abs().amax(1).double()
        scales = torch.where(amax > 0, amax / _top(bits), torch.ones_like(amax))
        along = scales.reshape(-1, *[1] * (t.ndim - 1))
        return (t.double() / along).round().to(torch.int8).numpy(), scales.float().numpy()

    return _all(params, rule)


@right("channel by channel")
def loop(params, bits=8):
    def rule(w):
        codes, scales = np.zeros(w.shape, np.int8), np.ones(len(w), np.float32)
        for o, channel in enumerate(w):
            if channel.any():
                scales[o] = np.abs(channel).max() / _top(bits)
                codes[o] = np.rint(channel / scales[o])
        return codes, scales

    return _all(params, rule)


@wrong("per-tensor", "You repeated the tensor's scale for each channel; each has its own maximum.")
def per_tensor(params, bits=8):
    return _all(params, _rule(_top(bits), amax=lambda r: np.full(len(r), np.abs(r).max())))


@wrong("input-channels", "You took the maximum along the output axis: one scale per input channel.")
def input_channels(params, bits=8):
    def rule(w):
        amax = np.abs(w).max(axis=(0, *range(2, w.ndim)))
        scales = _scales(amax, _top(bits))
        return np.rint(w / scales.reshape(1, -1, *[1] * (w.ndim - 2))).astype(np.int8), scales

    return _all(params, rule)


@wrong("kernel-only", "You took one scale per kernel (out, in); one output channel has one.")
def kernel_only(params, bits=8):
    def rule(w):
        if w.ndim == 2:
            return _rule(_top(bits))(w)
        scales = _scales(np.abs(w).max(axis=(2, 3)), _top(bits))
        return np.rint(w / scales[:, :, None, None]).astype(np.int8), scales

    return _all(params, rule)


@wrong(
    "linear-per-tensor",
    "You gave the linear layers one scale; their output channels have one each.",
)
def linear_per_tensor(params, bits=8):
    one = _rule(_top(bits), amax=lambda r: np.full(len(r), np.abs(r).max()))
    return _all(params, lambda w: _rule(_top(bits))(w) if w.ndim == 4 else one(w))


@wrong("kept-dimensions", "Return scales of shape (out,), without the kept dimensions of 1.")
def kept(params, bits=8):
    return {k: (c, s.reshape(-1, *[1] * (c.ndim - 1))) for k, (c, s) in rows(params, bits).items()}


@wrong("flat-codes", "Bring the codes back to the shape of the weight.")
def flat(params, bits=8):
    return {k: (c.reshape(len(c), -1), s) for k, (c, s) in rows(params, bits).items()}


@wrong("floor-for-round", "You rounded down with floor; round to nearest.")
def floored(params, bits=8):
    return _all(params, _rule(_top(bits), np.floor))


@wrong("cut-for-round", "astype(np.int8) cuts towards zero; round before you convert.")
def cut(params, bits=8):
    return _all(params, _rule(_top(bits), np.trunc))


@wrong("half-away", "You round halves away from zero; ties go to the even code.")
def half_away(params, bits=8):
    return _all(params, _rule(_top(bits), lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5)))


@wrong("bits-ignored", "You ignored `bits` and made 8-bit codes.")
def bits_ignored(params, bits=8):
    return rows(params, 8)


@wrong("qmax-128", "You divided by 2**(bits - 1); the largest code is one less.")
def qmax_128(params, bits=8):
    return _all(params, _rule(_top(bits) + 1, clip=_top(bits)))


@wrong("max-not-abs", "You took max(W) in place of max|W|: large negative weights are clipped.")
def max_not_abs(params, bits=8):
    return _all(params, _rule(_top(bits), amax=lambda r: r.max(1)))


@wrong("standard-deviation", "You set the range to three standard deviations; here it is max|W|.")
def deviation(params, bits=8):
    return _all(params, _rule(_top(bits), amax=lambda r: 3 * r.std(1)))


@wrong("zeros-divide", "A channel of zeros makes you divide by 0; its scale is 1.")
def zeros_divide(params, bits=8):
    def rule(w):
        r = w.reshape(len(w), -1)
        with np.errstate(all="ignore"):
            scales = np.abs(r).max(1) / np.float32(_top(bits))
            return np.nan_to_num(np.rint(r / scales[:, None])).astype(np.int8).reshape(
                w.shape
            ), scales

    return _all(params, rule)


@wrong("float64-scales", "Your scales are float64; the exercise asks for float32.")
def double(params, bits=8):
    return {k: (c, s.astype(np.float64)) for k, (c, s) in rows(params, bits).items()}
