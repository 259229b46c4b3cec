"""Answers to integer-model."""

import math

import numpy as np

from autograder.checks.bank import right, wrong

LAYERS = ("conv1", "conv2", "fc1", "fc2")
NAMES = ("input", *LAYERS)


def _multiplier(m):
    """m0 and shift of one number."""
    mantissa, exponent = math.frexp(m)
    m0 = round(mantissa * 2**31)
    return (2**30, -exponent - 1) if m0 == 2**31 else (m0, -exponent)


def _pairs(ms):
    pairs = [_multiplier(float(m)) for m in ms]
    return np.array([p[0] for p in pairs], np.int32), np.array([p[1] for p in pairs], np.int8)


def _build(params, weights, qparams, *, bias=None, m=None, pairs=_pairs, before=None, order=NAMES):
    """Right by itself; each wrong answer replaces one piece."""
    model = {
        "scales": np.array([qparams[n][0] for n in order], np.float32),
        "zero_points": np.array([qparams[n][1] for n in order], np.int8),
    }
    for k, layer in enumerate(LAYERS):
        codes, s_w = weights[layer]
        s_w = s_w.astype(np.float64)
        s_x = qparams[(before or NAMES)[k]][0]
        s_y = qparams[layer][0]
        b = params[f"{layer}.bias"].astype(np.float64)
        model[f"{layer}.weight"] = codes
        value = bias(b, s_x, s_w, s_y) if bias else np.rint(b / (s_x * s_w))
        model[f"{layer}.bias"] = np.clip(value, -(2**31), 2**31 - 1).astype(np.int32)
        ratio = m(s_x, s_w, s_y) if m else s_x * s_w / s_y
        model[f"{layer}.m0"], model[f"{layer}.shift"] = pairs(ratio)
    return model


@right("math.frexp, one by one")
def one_by_one(params, weights, qparams):
    return _build(params, weights, qparams)


@right("logarithms")
def logarithms(params, weights, qparams):
    def pairs(ms):
        shift = -np.floor(np.log2(ms)).astype(int) - 1
        m0 = np.rint(ms * 2.0 ** (31 + shift))
        over, under = m0 >= 2**31, m0 < 2**30
        shift = shift - over + under
        return np.rint(ms * 2.0 ** (31 + shift)).astype(np.int32), shift.astype(np.int8)

    return _build(params, weights, qparams, pairs=pairs)


@right("doubling until the mantissa fits")
def doubling(params, weights, qparams):
    def pair(m):
        shift = 0
        while m < 0.5:
            m, shift = m * 2, shift + 1
        while m >= 1:
            m, shift = m / 2, shift - 1
        m0 = math.floor(m * 2**31 + 0.5)
        return (m0 // 2, shift - 1) if m0 == 2**31 else (m0, shift)

    def pairs(ms):
        both = [pair(float(m)) for m in ms]
        return np.int32([p[0] for p in both]), np.int8([p[1] for p in both])

    return _build(params, weights, qparams, pairs=pairs)


@wrong(
    "bias-output-scale",
    "You divided the bias by the output's scale; it joins sums of scale s_x * s_w.",
)
def bias_output(params, weights, qparams):
    return _build(params, weights, qparams, bias=lambda b, x, w, y: np.rint(b / y))


@wrong("bias-weight-scale", "You divided the bias by the weight's scale alone; s_x is missing.")
def bias_weight(params, weights, qparams):
    return _build(params, weights, qparams, bias=lambda b, x, w, y: np.rint(b / w))


@wrong("bias-input-scale", "You divided the bias by the input's scale alone; s_w is missing.")
def bias_input(params, weights, qparams):
    return _build(params, weights, qparams, bias=lambda b, x, w, y: np.rint(b / x))


@wrong("bias-truncated", "You cut the bias towards zero with astype; round it first.")
def bias_cut(params, weights, qparams):
    return _build(params, weights, qparams, bias=lambda b, x, w, y: np.trunc(b / (x * w)))


@wrong("bias-int8", "You squeezed the bias into -127..127; it is int32.")
def bias_int8(params, weights, qparams):
    return _build(
        params, weights, qparams, bias=lambda b, x, w, y: np.clip(np.rint(b / (x * w)), -127, 127)
    )


@wrong("bias-mean-scale", "You used the mean of the channels' scales for all biases.")
def bias_mean(params, weights, qparams):
    return _build(params, weights, qparams, bias=lambda b, x, w, y: np.rint(b / (x * w.max())))


@wrong("multiplier-inverted", "Your M is s_y / (s_x s_w), upside down.")
def inverted(params, weights, qparams):
    return _build(params, weights, qparams, m=lambda x, w, y: y / (x * w))


@wrong("output-scale-forgotten", "Your M lacks the output's scale: M = s_x s_w / s_y.")
def forgotten(params, weights, qparams):
    return _build(params, weights, qparams, m=lambda x, w, y: x * w)


@wrong(
    "input-is-the-output",
    "You took the layer's own activation as its input; conv1's input is 'input'.",
)
def own_input(params, weights, qparams):
    return _build(params, weights, qparams, before=LAYERS)


@wrong("image-for-all", "You took the image's scale as every layer's input scale.")
def image_for_all(params, weights, qparams):
    return _build(params, weights, qparams, before=("input",) * 4)


@wrong("sixteen-bits", "Your m0 has only 15 bits of precision; it is the mantissa times 2**31.")
def sixteen(params, weights, qparams):
    def pairs(ms):
        m0, shift = _pairs(ms)
        return ((m0 + 2**15) >> 16 << 16).clip(2**30, 2**31 - 2**16).astype(np.int32), shift

    return _build(params, weights, qparams, pairs=pairs)


@wrong(
    "not-normalized", "Your m0 is round(M * 2**31) with shift 0: small multipliers lose their bits."
)
def fixed_shift(params, weights, qparams):
    def pairs(ms):
        m0 = np.clip(np.rint(np.asarray(ms) * 2**31), 0, 2**31 - 1)
        return m0.astype(np.int32), np.zeros(len(m0), np.int8)

    return _build(params, weights, qparams, pairs=pairs)


@wrong("left-shift", "Your shift has the wrong sign: a small M needs a positive right shift.")
def left(params, weights, qparams):
    def pairs(ms):
        m0, shift = _pairs(ms)
        return m0, -shift

    return _build(params, weights, qparams, pairs=pairs)


@wrong("shift-includes-31", "Your shift holds the 31 places, too: the exercise keeps them apart.")
def with_31(params, weights, qparams):
    def pairs(ms):
        m0, shift = _pairs(ms)
        return m0, shift + np.int8(31)

    return _build(params, weights, qparams, pairs=pairs)


@wrong("m0-overflows", "Where the mantissa rounds up to 1, m0 is 2**31 and does not fit int32.")
def overflows(params, weights, qparams):
    def pairs(ms):
        mantissa, exponent = np.frexp(np.asarray(ms, np.float64))
        m0 = np.rint(mantissa * 2**31).astype(np.int64)
        return m0.astype(np.uint32).view(np.int32), (-exponent).astype(np.int8)

    return _build(params, weights, qparams, pairs=pairs)


@wrong(
    "one-multiplier", "You kept the first channel's multiplier only; there is one for each scale."
)
def one_multiplier(params, weights, qparams):
    return _build(params, weights, qparams, pairs=lambda ms: _pairs(ms[:1]))


@wrong("m0-int64", "Your m0 is int64; int32 holds it.")
def int64(params, weights, qparams):
    model = _build(params, weights, qparams)
    return {k: v.astype(np.int64) if k.endswith("m0") else v for k, v in model.items()}


@wrong(
    "sorted-activations",
    "You listed scales and zero-points alphabetically; keep the order of the layers.",
)
def alphabetical(params, weights, qparams):
    return _build(params, weights, qparams, order=sorted(NAMES))
