"""Answers to quantized-lenet: networks trained here, on whatever data is at hand.

A learner's network has other weights, so no wrong answer is recognised by name.
"""

import math
from functools import cache

import numpy as np

from autograder.checks.bank import right, wrong

SHAPES = {"conv1": (8, 1, 5, 5), "conv2": (32, 8, 5, 5), "fc1": (128, 800), "fc2": (10, 128)}
NAMES = ("input", *SHAPES)


@cache
def _data():
    from lab.data import load_mnist

    return load_mnist()


@cache
def _train(seed=0, few=False):
    """Parameters after four passes (or 150 images and one pass)."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)  # a second thread only waits in layers this small
    data = _data()
    stop = 150 if few else None
    x = torch.from_numpy(data.train_images[:stop, None] / np.float32(255))
    y = torch.from_numpy(data.train_labels[:stop]).long()
    generator = torch.Generator().manual_seed(seed)
    t = {}
    for layer, shape in SHAPES.items():
        bound = math.prod(shape[1:]) ** -0.5
        for part, size in (("weight", shape), ("bias", shape[:1])):
            t[f"{layer}.{part}"] = (
                bound * (2 * torch.rand(size, generator=generator) - 1)
            ).requires_grad_()
    epochs = 1 if few else 5 if len(x) > 4000 else 12
    optimizer = torch.optim.Adam(t.values(), lr=4e-3)
    steps = epochs * math.ceil(len(x) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(64):
            loss = F.cross_entropy(_forward(t, x[rows])["fc2"], y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return {k: v.detach().numpy() for k, v in t.items()}


def _forward(t, x):
    import torch.nn.functional as F

    out = {"input": x}
    out["conv1"] = F.conv2d(x, t["conv1.weight"], t["conv1.bias"], padding=2).relu()
    out["conv2"] = F.conv2d(
        F.max_pool2d(out["conv1"], 2), t["conv2.weight"], t["conv2.bias"]
    ).relu()
    flat = F.max_pool2d(out["conv2"], 2).flatten(1)
    out["fc1"] = F.linear(flat, t["fc1.weight"], t["fc1.bias"]).relu()
    out["fc2"] = F.linear(out["fc1"], t["fc2.weight"], t["fc2.bias"])
    return out


def _ranges(params, count=128):
    import torch

    x = torch.from_numpy(_data().train_images[:count, None] / np.float32(255))
    values = _forward({k: torch.from_numpy(v) for k, v in params.items()}, x)
    return {k: (min(0.0, float(v.min())), max(0.0, float(v.max()))) for k, v in values.items()}


def _model(params, per_channel, bits=8, ranges=None):
    ranges = ranges or _ranges(params)
    s = {n: (b - a) / 255 for n, (a, b) in ranges.items()}
    z = {n: round(-128 - ranges[n][0] / s[n]) for n in NAMES}
    model = {
        "scales": np.array([s[n] for n in NAMES], np.float32),
        "zero_points": np.array([z[n] for n in NAMES], np.int8),
    }
    top = 2 ** (bits - 1) - 1
    for before, layer in zip(NAMES, SHAPES, strict=False):
        w = params[f"{layer}.weight"]
        rows = w.reshape(len(w), -1)
        amax = np.abs(rows).max(1) if per_channel else np.abs(rows).max().reshape(1)
        scale = (amax / top).astype(np.float32)
        mantissa, exponent = np.frexp(s[before] * scale.astype(np.float64) / s[layer])
        model[f"{layer}.weight"] = np.rint(rows / scale[:, None]).astype(np.int8).reshape(w.shape)
        model[f"{layer}.bias"] = np.rint(
            params[f"{layer}.bias"] / (s[before] * scale.astype(np.float64))
        ).astype(np.int32)
        model[f"{layer}.m0"] = np.minimum(np.rint(mantissa * 2**31), 2**31 - 1).astype(np.int32)
        model[f"{layer}.shift"] = (-exponent).astype(np.int8)
    return model


def _all(params=None, **changes):
    params = params or _train()
    pair = {"per_tensor": _model(params, False), "per_channel": _model(params, True)}
    return {"float": params, **pair, **changes}


def _changed(name, key, change):
    """All three models, with one array of one model changed."""
    models = _all()
    return {**models, name: {**models[name], key: change(models[name][key])}}


@right("trained with seed 0, 128 calibration images")
def seed_0():
    return _all()


@right("seed 1, 200 calibration images")
def seed_1():
    params = _train(1)
    r = _ranges(params, 200)
    return {
        "float": params,
        "per_tensor": _model(params, False, ranges=r),
        "per_channel": _model(params, True, ranges=r),
    }


@wrong("untrained", "The float network learned nothing.", diagnose=False)
def untrained():
    rng = np.random.default_rng(0)
    params = {
        k: (v * 0 + rng.standard_normal(v.shape) * 0.05).astype(np.float32)
        for k, v in _train().items()
    }
    return _all(params)


@wrong("trained-on-150", "The float network saw 150 images only.", diagnose=False)
def few():
    return _all(_train(0, True))


@wrong("per-tensor-twice", "Both integer models are the per-tensor one.", diagnose=False)
def twice():
    return _all(per_channel=_model(_train(), False))


@wrong(
    "per-tensor-repeated",
    "The per-channel model repeats the tensor's scale for each channel.",
    diagnose=False,
)
def repeated():
    one = _model(_train(), False)
    many = {
        k: np.repeat(v, SHAPES[k.split(".")[0]][0]) if k.endswith(("m0", "shift")) else v
        for k, v in one.items()
    }
    return _all(per_channel=many)


@wrong("four-bits", "The integer models have 4-bit weights.", diagnose=False)
def four_bits():
    return _all(per_tensor=_model(_train(), False, 4), per_channel=_model(_train(), True, 4))


@wrong(
    "other-network",
    "The integer models come from another network than the float one.",
    diagnose=False,
)
def other():
    return {**_all(), "float": _train(1)}


@wrong("wrong-ranges", "The activation ranges are a hundred times too small.", diagnose=False)
def ranges_small():
    r = {k: (a / 100, b / 100) for k, (a, b) in _ranges(_train()).items()}
    return _all(
        per_tensor=_model(_train(), False, ranges=r), per_channel=_model(_train(), True, ranges=r)
    )


@wrong("ranges-four-times", "The activation ranges are four times too wide.", diagnose=False)
def ranges_wide():
    r = {k: (4 * a, 4 * b) for k, (a, b) in _ranges(_train()).items()}
    return _all(per_tensor=_model(_train(), False, ranges=r))


@wrong("no-bias", "The integer biases are zeros.", diagnose=False)
def no_bias():
    return _changed("per_channel", "fc1.bias", np.zeros_like)


@wrong("shift-off-by-one", "A shift is one too large: that layer is halved.", diagnose=False)
def shift_off():
    return _changed("per_tensor", "conv2.shift", lambda s: s + np.int8(1))


@wrong("uint8-zero-points", "The zero-points are those of unsigned codes.", diagnose=False)
def zero_points():
    return _changed("per_tensor", "zero_points", lambda z: np.zeros_like(z))


@wrong("int32-weights", "The weights are still int32, so nothing became smaller.", diagnose=False)
def int32_weights():
    return _changed("per_channel", "fc1.weight", lambda w: w.astype(np.int32))


@wrong("float-copy-inside", "The integer model carries the float weights along.", diagnose=False)
def float_inside():
    models = _all()
    return {
        **models,
        "per_channel": {**models["per_channel"], "fc1.float": models["float"]["fc1.weight"]},
    }


@wrong(
    "printed-numbers",
    "You handed in accuracies; the check measures them from the arrays.",
    diagnose=False,
)
def numbers():
    return {"float": 0.99, "per_tensor": 0.99, "per_channel": 0.99}


@wrong("one-code-off", "Codes of fc2 are rounded down.", diagnose=False)
def rounded_down():
    return _changed("per_tensor", "fc2.weight", lambda w: np.maximum(w - 1, -127).astype(np.int8))
