"""A LeNet-5 variant in float64 and in integers, for the judges of the project "A basic quantizer".

The network is that of LeCun et al. 1998 (section II.B) with ReLU, max pooling, wider maps and one
hidden layer. Its integer form is that of Jacob et al. 2018 (section 2.2) with one rounding, half up.
Convolutions run in torch's float64: sums of integers below 2**53 are exact there.
"""

import hashlib
from functools import lru_cache

import numpy as np

LAYERS = ("conv1", "conv2", "fc1", "fc2")
ACTIVATIONS = ("input", *LAYERS)
SHAPES = {"conv1": (8, 1, 5, 5), "conv2": (32, 8, 5, 5), "fc1": (128, 800), "fc2": (10, 128)}
KEYS = tuple(f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias"))
PADDING = {"conv1": 2, "conv2": 0}


def shapes(c1: int, c2: int, hidden: int) -> dict[str, tuple]:
    """Weight shapes of a narrower network of the same form."""
    return {
        "conv1": (c1, 1, 5, 5),
        "conv2": (c2, c1, 5, 5),
        "fc1": (hidden, 25 * c2),
        "fc2": (10, hidden),
    }


def random_params(rng, c1: int = 3, c2: int = 4, hidden: int = 12, spread: float = 0.6) -> dict:
    """Float32 parameters whose channels differ in size (log-normal with sigma `spread`)."""
    params = {}
    for layer, shape in shapes(c1, c2, hidden).items():
        size = np.exp(spread * rng.standard_normal((shape[0],) + (1,) * (len(shape) - 1)))
        fan_in = int(np.prod(shape[1:]))
        weight = rng.standard_normal(shape) * size / np.sqrt(fan_in)
        params[f"{layer}.weight"] = weight.astype(np.float32)
        params[f"{layer}.bias"] = (rng.standard_normal(shape[0]) * 0.2).astype(np.float32)
    return params


def random_images(rng, count: int) -> np.ndarray:
    """Images (count, 28, 28) uint8 that differ in brightness: blobs on black."""
    light = rng.uniform(0.15, 0.9, (count, 1, 1))
    spots = rng.random((count, 28, 28)) < 0.3
    return (255 * light * spots * rng.random((count, 28, 28))).astype(np.uint8)


def activations(params: dict, images: np.ndarray) -> dict[str, np.ndarray]:
    """Float64 values by name: the input, each layer after its ReLU, the logits of fc2."""
    import torch
    import torch.nn.functional as F

    p = {k: torch.from_numpy(np.asarray(v, np.float64)) for k, v in params.items()}
    out = {"input": torch.from_numpy(images[:, None].astype(np.float64) / 255)}
    x = out["input"]
    for layer in ("conv1", "conv2"):
        x = F.conv2d(x, p[f"{layer}.weight"], p[f"{layer}.bias"], padding=PADDING[layer])
        out[layer] = x.relu()
        x = F.max_pool2d(out[layer], 2)
    out["fc1"] = F.linear(x.flatten(1), p["fc1.weight"], p["fc1.bias"]).relu()
    out["fc2"] = F.linear(out["fc1"], p["fc2.weight"], p["fc2.bias"])
    return {name: value.numpy() for name, value in out.items()}


def float_accuracy(params: dict, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose largest logit is at the label."""
    hits = 0
    for at in range(0, len(images), 500):
        logits = activations(params, images[at : at + 500])["fc2"]
        hits += int((logits.argmax(1) == labels[at : at + 500]).sum())
    return hits / len(images)


def ranges(params: dict, images: np.ndarray) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of each activation, widened to contain 0."""
    return {
        name: (min(float(a.min()), 0.0), max(float(a.max()), 0.0))
        for name, a in activations(params, images).items()
    }


def qparams(low: float, high: float) -> tuple[float, int]:
    """Scale and zero-point of the codes -128..127; 1.0 and -128 for a range of zeros."""
    if high == low:
        return 1.0, -128
    scale = (high - low) / 255
    return scale, int(np.clip(np.rint(-128 - low / scale), -128, 127))


def weight_scales(weight: np.ndarray, per_channel: bool, bits: int = 8) -> np.ndarray:
    """amax / qmax of the tensor (1,) or of each output channel (out,), float32; 1.0 for zeros."""
    rows = np.abs(weight.astype(np.float64)).reshape(len(weight), -1)
    amax = rows.max(1) if per_channel else np.array([rows.max()])
    return np.where(amax > 0, amax / (2 ** (bits - 1) - 1), 1.0).astype(np.float32)


def steps(weight: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """weight / scale in float64: the real numbers that the codes round."""
    along = scales.astype(np.float64).reshape((-1,) + (1,) * (weight.ndim - 1))
    return weight.astype(np.float64) / along


def quantized(params: dict, per_channel: bool, bits: int = 8) -> dict[str, tuple]:
    """Codes int8 and scales float32 of each layer's weight."""
    out = {}
    for layer in LAYERS:
        weight = params[f"{layer}.weight"]
        scales = weight_scales(weight, per_channel, bits)
        out[layer] = (np.rint(steps(weight, scales)).astype(np.int8), scales)
    return out


def assemble(params: dict, weights: dict, act: dict[str, tuple[float, int]]) -> dict:
    """The integer model from quantized weights and (scale, zero_point) of each activation."""
    model = {
        "scales": np.array([act[name][0] for name in ACTIVATIONS], np.float32),
        "zero_points": np.array([act[name][1] for name in ACTIVATIONS], np.int8),
    }
    for before, layer in zip(ACTIVATIONS, LAYERS, strict=False):
        codes, scales = weights[layer]
        sums = np.float64(act[before][0]) * scales.astype(np.float64)
        mantissa, exponent = np.frexp(sums / act[layer][0])
        m0 = np.floor(mantissa * 2**31 + 0.5).astype(np.int64)
        full = m0 == 2**31
        model[f"{layer}.weight"] = codes
        model[f"{layer}.bias"] = np.rint(params[f"{layer}.bias"] / sums).astype(np.int32)
        model[f"{layer}.m0"] = np.where(full, 2**30, m0).astype(np.int32)
        model[f"{layer}.shift"] = (-exponent - full).astype(np.int8)
    return model


def build(params: dict, images: np.ndarray, per_channel: bool, bits: int = 8) -> dict:
    """The integer model of `params`, calibrated on `images`."""
    act = {name: qparams(*r) for name, r in ranges(params, images).items()}
    return assemble(params, quantized(params, per_channel, bits), act)


def image_codes(images: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """int8 codes (N, 1, 28, 28) of images (N, 28, 28) uint8, read as pixel / 255."""
    codes = np.rint(images[:, None] / 255 / np.float64(scale)) + int(zero_point)
    return np.clip(codes, -128, 127).astype(np.int8)


def requantize(acc, m0, shift, zero_point: int) -> np.ndarray:
    """acc (N, C, ...) int64 to codes int64, m0 and shift (1,) or (C,), half up."""
    along = (-1,) + (1,) * (acc.ndim - 2)
    m0, n = m0.astype(np.int64).reshape(along), 31 + shift.astype(np.int64).reshape(along)
    codes = ((acc * m0 + (np.int64(1) << (n - 1))) >> n) + int(zero_point)
    return np.clip(codes, -128, 127)


def integer_logits(model: dict, codes: np.ndarray) -> np.ndarray:
    """int8 codes (N, 10) of the logits, from codes (N, 1, 28, 28) of the images."""
    import torch
    import torch.nn.functional as F

    zero_points = model["zero_points"].astype(np.int64)
    x = codes.astype(np.int64)
    for k, layer in enumerate(LAYERS):
        w = torch.from_numpy(model[f"{layer}.weight"].astype(np.float64))
        b = torch.from_numpy(model[f"{layer}.bias"].astype(np.float64))
        real = torch.from_numpy((x - zero_points[k]).astype(np.float64))
        if layer in PADDING:
            acc = F.conv2d(real, w, b, padding=PADDING[layer])
        else:
            acc = F.linear(real.flatten(1), w, b)
        acc = np.rint(acc.numpy()).astype(np.int64)
        x = requantize(acc, model[f"{layer}.m0"], model[f"{layer}.shift"], zero_points[k + 1])
        if layer != "fc2":
            x = np.maximum(x, zero_points[k + 1])
        if layer in PADDING:
            x = x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).max((3, 5))
    return x.astype(np.int8)


def integer_accuracy(model: dict, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose largest logit code is at the label (the first of equals)."""
    hits = 0
    for at in range(0, len(images), 250):
        part = image_codes(images[at : at + 250], model["scales"][0], model["zero_points"][0])
        hits += int((integer_logits(model, part).argmax(1) == labels[at : at + 250]).sum())
    return hits / len(images)


def digest(arrays: dict) -> str:
    """A key for arrays that were measured before."""
    text = hashlib.sha256()
    for key in sorted(arrays):
        text.update(f"{key}{arrays[key].dtype}{arrays[key].shape}".encode())
        text.update(np.ascontiguousarray(arrays[key]).tobytes())
    return text.hexdigest()


def mnist():
    """The course's MNIST split as this process finds it: cache, mirror, or else the stand-in.

    Nothing is downloaded: a graded kernel has no network, and must be judged on what it could see.
    """
    from lab.data import load_mnist

    return load_mnist(download=False)


@lru_cache(maxsize=1)
def digits():
    """scikit-learn's digits, which every installation carries, split as MNIST is."""
    from lab.data import SPLIT_SEED, TRAIN_SHARE, ImageDataset
    from lab.stand_ins import digits_as_mnist

    images, labels = digits_as_mnist()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    train, test = np.split(order, [round(TRAIN_SHARE * len(images))])
    return ImageDataset(
        "mnist", "stand-in", "digits", images[train], labels[train], images[test], labels[test]
    )
