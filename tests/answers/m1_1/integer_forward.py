"""Answers to integer-forward."""

import numpy as np

from autograder.checks.bank import right, wrong

LAYERS = ("conv1", "conv2", "fc1", "fc2")


def _conv(x, w, padding, value=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2), constant_values=value)
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(2, 3))
    n, c, h, v = windows.shape[:4]
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * v, -1).astype(np.float64)
    sums = rows @ w.reshape(len(w), -1).astype(np.float64).T
    return sums.astype(np.int64).reshape(n, h, v, len(w)).transpose(0, 3, 1, 2)


def _pool(x, how=np.max):
    n, c, h, w = x.shape
    return how(x.reshape(n, c, h // 2, 2, w // 2, 2), axis=(3, 5))


def _half_up(acc, m0, n):
    return (acc * m0 + (np.int64(1) << (n - 1))) >> n


def _run(model, codes, *, scale=_half_up, relu=None, pad=0, pool=_pool, subtract=True, add=True,
         last_relu=False, flatten=lambda x: x.reshape(len(x), -1), bias=True, clip=(-128, 127),
         first=None, inner=None):  # fmt: skip
    """Right by itself; each wrong answer replaces one piece."""
    z = model["zero_points"].astype(np.int64)
    x = codes.astype(np.int64)
    for k, layer in enumerate(LAYERS):
        along = (-1, 1, 1) if k < 2 else (-1,)
        inside = z[k] if inner is None else inner(z, k)
        x = x - inside if subtract else x
        weight = model[f"{layer}.weight"].astype(np.int64)
        if k < 2:
            acc = _conv(x, weight, 2 if k == 0 else 0, pad if k == 0 else 0)
        else:
            x = flatten(x) if x.ndim == 4 else x
            acc = x @ weight.T
        if bias:
            acc = acc + model[f"{layer}.bias"].astype(np.int64).reshape(along)
        m0 = model[f"{layer}.m0"].astype(np.int64)
        n = 31 + model[f"{layer}.shift"].astype(np.int64)
        if first:
            m0, n = m0[:1], n[:1]
        y = scale(acc, m0.reshape(along), n.reshape(along)) + (z[k + 1] if add else 0)
        y = np.clip(y, *clip)
        if k < 3 or last_relu:
            y = np.maximum(y, z[k + 1]) if relu is None else relu(y, z[k + 1])
        x = pool(y) if k < 2 else y
    return np.clip(x, -128, 127).astype(np.int8)


@right("windows and float64 products")
def windows(model, codes):
    return _run(model, codes)


@right("torch's convolution in float64, pooling before requantization")
def by_torch(model, codes):
    import torch
    import torch.nn.functional as F

    z = [int(v) for v in model["zero_points"]]
    x = torch.from_numpy(codes).double()
    for k, layer in enumerate(LAYERS):
        w = torch.from_numpy(model[f"{layer}.weight"]).double()
        b = torch.from_numpy(model[f"{layer}.bias"]).double()
        if k < 2:
            acc = F.max_pool2d(F.conv2d(x - z[k], w, b, padding=2 - 2 * k), 2)
        else:
            acc = F.linear(x.flatten(1) - z[k], w, b)
        shape = (-1, 1, 1) if k < 2 else (-1,)
        m0 = torch.from_numpy(model[f"{layer}.m0"]).long().reshape(shape)
        n = torch.from_numpy(model[f"{layer}.shift"]).long().reshape(shape) + 31
        y = ((acc.long() * m0 + torch.ones_like(n).bitwise_left_shift(n - 1)) >> n) + z[k + 1]
        x = y.clamp(z[k + 1] if k < 3 else -128, 127).double()
    return x.to(torch.int8).numpy()


@right("int32 sums by einsum, zero-points folded into the bias")
def folded(model, codes):
    z = model["zero_points"].astype(np.int64)
    x = codes
    for k, layer in enumerate(LAYERS):
        w = model[f"{layer}.weight"].astype(np.int32)
        total = w.reshape(len(w), -1).sum(1).astype(np.int64)
        shape = (-1, 1, 1) if k < 2 else (-1,)
        if k == 0:
            x = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=codes.dtype.type(z[0]))
        if k < 2:
            view = np.lib.stride_tricks.sliding_window_view(x.astype(np.int32), (5, 5), axis=(2, 3))
            acc = np.einsum("nchwij,ocij->nohw", view, w, optimize=True).astype(np.int64)
        else:
            acc = (x.reshape(len(x), -1).astype(np.int32) @ w.T).astype(np.int64)
        acc = acc + (model[f"{layer}.bias"].astype(np.int64) - z[k] * total).reshape(shape)
        m0, n = (model[f"{layer}.{p}"].astype(np.int64).reshape(shape) for p in ("m0", "shift"))
        y = (((acc * m0) >> (30 + n)) + 1 >> 1) + z[k + 1]
        x = np.clip(y, z[k + 1] if k < 3 else -128, 127).astype(np.int8)
        x = _pool(x) if k < 2 else x
    return x


@wrong(
    "pads-with-minus-z",
    "You padded with the code 0, which stands for a real value; pad with the zero-point.",
)
def pads_code_zero(model, codes):
    return _run(model, codes, pad=-int(model["zero_points"][0]))


@wrong("relu-at-zero", "Your ReLU compares the codes with 0; the real 0 is the zero-point.")
def relu_at_zero(model, codes):
    return _run(model, codes, relu=lambda y, z: np.maximum(y, 0))


@wrong(
    "no-relu",
    "You left out the ReLU; the clip at -128 does its work only where the zero-point is -128.",
)
def no_relu(model, codes):
    return _run(model, codes, relu=lambda y, z: y)


@wrong("relu-on-logits", "You put a ReLU after fc2: logits below 0 are lost.")
def relu_on_logits(model, codes):
    return _run(model, codes, last_relu=True)


@wrong("zero-point-not-subtracted", "You did not subtract the input's zero-point before the sums.")
def not_subtracted(model, codes):
    return _run(model, codes, subtract=False)


@wrong("zero-point-not-added", "You did not add the output's zero-point after the shift.")
def not_added(model, codes):
    return _run(model, codes, add=False, relu=lambda y, z: np.maximum(y, 0))


@wrong(
    "output-zero-point-subtracted",
    "You subtracted the zero-point of the layer's output; its input's is one before.",
)
def wrong_zero(model, codes):
    return _run(model, codes, inner=lambda z, k: z[k + 1])


@wrong("minus-128-fixed", "You wrote -128 for the inner zero-points; take the model's.")
def fixed_128(model, codes):
    return _run(model, codes, inner=lambda z, k: z[0] if k == 0 else -128)


@wrong("shift-rounds-down", "You shifted without adding half a step: that rounds down.")
def rounds_down(model, codes):
    return _run(model, codes, scale=lambda a, m, n: (a * m) >> n)


@wrong("half-away", "You round halves away from zero; here a half goes up for both signs.")
def half_away(model, codes):
    def scale(a, m, n):
        p = a * m
        return np.sign(p) * ((np.abs(p) + (np.int64(1) << (n - 1))) >> n)

    return _run(model, codes, scale=scale)


@wrong(
    "half-even",
    "You computed round(acc * M) in floats: halves go to the even code. Shift integers.",
)
def half_even(model, codes):
    return _run(model, codes, scale=lambda a, m, n: np.rint(a * (m * 2.0**-n)).astype(np.int64))


@wrong("float32-sums", "You multiplied in float32, which cannot hold these sums to the last bit.")
def single(model, codes):
    def scale(a, m, n):
        product = a.astype(np.float32) * (m * 2.0**-n).astype(np.float32)
        return np.floor(product + np.float32(0.5)).astype(np.int64)

    return _run(model, codes, scale=scale)


@wrong("rounds-twice", "You rounded twice, after 31 places and after the shift; round once.")
def twice(model, codes):
    def scale(a, m, n):
        high = (a * m + (np.int64(1) << 30)) >> 31
        rest = n - 31
        return (high + np.where(rest > 0, np.int64(1) << np.maximum(rest - 1, 0), 0)) >> rest

    return _run(model, codes, scale=scale)


@wrong("first-multiplier", "You used the first channel's multiplier for all channels.")
def first_multiplier(model, codes):
    return _run(model, codes, first=True)


@wrong("no-bias", "You forgot the bias.")
def no_bias(model, codes):
    return _run(model, codes, bias=False)


@wrong("average-pool", "You averaged the four codes; the network takes the largest.")
def average(model, codes):
    return _run(model, codes, pool=lambda y: np.rint(_pool(y, np.mean)).astype(np.int64))


@wrong(
    "channels-last-flatten",
    "You flattened with the channels last; C order keeps (channel, row, column).",
)
def channels_last(model, codes):
    return _run(model, codes, flatten=lambda x: x.transpose(0, 2, 3, 1).reshape(len(x), -1))


@wrong("wraps-around", "You converted to int8 without clipping: 128 became -128.")
def wraps(model, codes):
    return _run(
        model,
        codes,
        clip=(-(2**40), 2**40),
        relu=lambda y, z: np.maximum(y, z).astype(np.int8).astype(int),
    )


@wrong("int64-result", "Return int8 codes; these are int64.")
def int64_result(model, codes):
    return _run(model, codes).astype(np.int64)


@wrong("dequantized", "You returned real logits; the exercise asks for their codes.")
def dequantized(model, codes):
    return (
        (_run(model, codes) - model["zero_points"][4].astype(float)) * model["scales"][4]
    ).astype(np.float32)
