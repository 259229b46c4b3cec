"""Answers to calibrate."""

import numpy as np

from autograder.checks.bank import right, wrong

NAMES = ("input", "conv1", "conv2", "fc1", "fc2")


def _values(params, images, relu=True, divisor=255):
    """float32 activations by torch."""
    import torch
    import torch.nn.functional as F

    p = {k: torch.tensor(v) for k, v in params.items()}
    x = torch.from_numpy(images[:, None].astype(np.float32) / divisor)
    out = {"input": x}
    for layer, padding in (("conv1", 2), ("conv2", 0)):
        y = F.conv2d(x, p[f"{layer}.weight"], p[f"{layer}.bias"], padding=padding)
        out[layer] = y.relu() if relu else y
        x = F.max_pool2d(y.relu(), 2)
    y = F.linear(x.flatten(1), p["fc1.weight"], p["fc1.bias"])
    out["fc1"] = y.relu() if relu else y
    out["fc2"] = F.linear(y.relu(), p["fc2.weight"], p["fc2.bias"])
    return {k: v.numpy() for k, v in out.items()}


def _check(images):
    if len(images) < 100 or len(images) > 200:
        raise ValueError("100 to 200 images are needed")


def _batches(images, size):
    return [images[i : i + size] for i in range(0, len(images), size)]


def _merge(params, parts, start=0.0, **how):
    seen = [_values(params, part, **how) for part in parts]
    low = {n: min([start] + [float(s[n].min()) for s in seen]) for n in NAMES}
    high = {n: max([start] + [float(s[n].max()) for s in seen]) for n in NAMES}
    return {n: (low[n], high[n]) for n in NAMES}


@right("batches merged by min and max")
def by_batches(params, images, batch_size=32):
    _check(images)
    return _merge(params, _batches(images, batch_size))


@right("all images at once, NumPy windows in float64")
def at_once(params, images, batch_size=32):
    _check(images)

    def conv(x, layer, padding):
        x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(2, 3))
        y = np.tensordot(windows, params[f"{layer}.weight"].astype(float), ((1, 4, 5), (1, 2, 3)))
        return np.maximum(y.transpose(0, 3, 1, 2) + params[f"{layer}.bias"][:, None, None], 0)

    def pool(x):
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))

    a = {"input": images[:, None] / 255}
    a["conv1"] = conv(a["input"], "conv1", 2)
    a["conv2"] = conv(pool(a["conv1"]), "conv2", 0)
    flat = pool(a["conv2"]).reshape(len(images), -1)
    a["fc1"] = np.maximum(flat @ params["fc1.weight"].T + params["fc1.bias"], 0)
    a["fc2"] = a["fc1"] @ params["fc2.weight"].T + params["fc2.bias"]
    return {k: (min(v.min(), 0), max(v.max(), 0)) for k, v in a.items()}


@right("image by image")
def singly(params, images, batch_size=32):
    _check(images)
    return _merge(params, np.split(images, len(images)))


@wrong("last-batch", "You kept the range of the last batch only: merge the batches by min and max.")
def last_batch(params, images, batch_size=32):
    _check(images)
    return _merge(params, _batches(images, batch_size)[-1:])


@wrong("first-batch", "You measured the first batch only.")
def first_batch(params, images, batch_size=32):
    _check(images)
    return _merge(params, _batches(images, batch_size)[:1])


@wrong("drops-remainder", "You dropped the last batch because it is smaller than batch_size.")
def drops(params, images, batch_size=32):
    _check(images)
    whole = len(images) // batch_size
    return _merge(params, _batches(images, batch_size)[: max(1, whole)])


@wrong("mean-of-batches", "You averaged the batches' minima and maxima; a range covers all values.")
def mean_of_batches(params, images, batch_size=32):
    _check(images)
    seen = [_merge(params, [part]) for part in _batches(images, batch_size)]
    return {n: tuple(float(np.mean([s[n][i] for s in seen])) for i in (0, 1)) for n in NAMES}


@wrong(
    "moving-average", "You took a moving average of the ranges (momentum 0.9); take min and max."
)
def moving(params, images, batch_size=32):
    _check(images)
    out = None
    for part in _batches(images, batch_size):
        now = _merge(params, [part])
        old = now if out is None else out
        out = {
            n: tuple(0.9 * a + 0.1 * b for a, b in zip(old[n], now[n], strict=True)) for n in NAMES
        }
    return out


@wrong("before-relu", "You measured conv1, conv2 and fc1 before their ReLU.")
def before_relu(params, images, batch_size=32):
    _check(images)
    return _merge(params, _batches(images, batch_size), relu=False)


@wrong(
    "zero-left-out", "Where all values are on one side of 0, widen the range until it contains 0."
)
def no_zero(params, images, batch_size=32):
    _check(images)
    a = _values(params, images)
    return {n: (float(a[n].min()), float(a[n].max())) for n in NAMES}


@wrong("any-number-of-images", "You accept fewer than 100 or more than 200 images.")
def any_count(params, images, batch_size=32):
    return _merge(params, _batches(images, batch_size))


@wrong("open-ends", "You refuse 100 and 200 images; both are allowed.")
def open_ends(params, images, batch_size=32):
    if not 100 < len(images) < 200:
        raise ValueError("between 100 and 200")
    return _merge(params, _batches(images, batch_size))


@wrong("first-hundred", "You looked at the first 100 images only; use all that you are given.")
def first_hundred(params, images, batch_size=32):
    _check(images)
    return _merge(params, _batches(images[:100], batch_size))


@wrong("percentile", "You cut the tails at the 99.9th percentile; here the range is min to max.")
def percentile(params, images, batch_size=32):
    _check(images)
    a = _values(params, images)
    return {
        n: (min(0.0, float(np.percentile(a[n], 0.1))), max(0.0, float(np.percentile(a[n], 99.9))))
        for n in NAMES
    }


@wrong("symmetric", "You returned (-amax, amax); activations keep their own low end.")
def symmetric(params, images, batch_size=32):
    _check(images)
    a = _values(params, images)
    return {n: (-float(np.abs(a[n]).max()), float(np.abs(a[n]).max())) for n in NAMES}


@wrong("raw-pixels", "You fed pixels 0 to 255; the network's input is pixel / 255.")
def raw(params, images, batch_size=32):
    _check(images)
    return _merge(params, _batches(images, batch_size), divisor=1)


@wrong("high-first", "You returned (high, low).")
def high_first(params, images, batch_size=32):
    return {n: (b, a) for n, (a, b) in by_batches(params, images, batch_size).items()}
