"""Answers to outlier-experiment."""

import numpy as np

from autograder.checks.bank import right, wrong


def _positions(size, count):
    step = size // count if count else 0
    return {"scattered": np.arange(count) * step, "concentrated": np.arange(count)}


def _error(x, scale, top, rounding=np.rint):
    restored = np.clip(rounding(x / scale), -top, top) * scale
    return float(np.mean((x - restored) ** 2))


def _run(
    normal, outliers, bits=8, *, axis=1, positions=_positions, error=_error, top=None, amax=None
):
    """The right answer with one thing replaced."""
    q = 2 ** (bits - 1) - 1
    amax = amax or (lambda x, axis: np.abs(x).max(axis=axis, keepdims=True))
    out = {}
    for name, where in positions(normal.size, len(outliers)).items():
        x = normal.astype(np.float64)
        x.reshape(-1)[where] = outliers
        scales = {"per_tensor": amax(x, None), "per_channel": amax(x, axis)}
        scales = {k: np.where(a > 0, a / (top or q), 1.0) for k, a in scales.items()}
        out[name] = {k: error(x, s, q) for k, s in scales.items()}
    return out


@right("numpy, float64")
def by_numpy(normal, outliers, bits=8):
    return _run(normal, outliers, bits)


@right("row by row in float32")
def by_rows(normal, outliers, bits=8):
    top = np.float32(2 ** (bits - 1) - 1)
    count = len(outliers)

    def squared(block):
        amax = np.abs(block).max()
        scale = amax / top if amax else np.float32(1)
        codes = np.round(block / scale).astype(np.int8)
        return ((block - codes * scale) ** 2).sum()

    def both(x):
        rows = sum(squared(row) for row in x)
        return {"per_channel": rows / x.size, "per_tensor": squared(x) / x.size}

    scattered, concentrated = normal.copy(), normal.copy()
    for k in range(count):
        scattered.flat[k * (normal.size // count)] = outliers[k]
    concentrated.flat[:count] = outliers
    return {"concentrated": both(concentrated), "scattered": both(scattered)}


@right("torch.fake_quantize")
def by_torch(normal, outliers, bits=8):
    import torch

    top, count = 2 ** (bits - 1) - 1, len(outliers)
    out = {}
    for name in ("scattered", "concentrated"):
        x = torch.tensor(normal).flatten()
        step = 1 if name == "concentrated" else x.numel() // max(count, 1)
        x[: count * step : step] = torch.tensor(outliers)
        x = x.reshape(normal.shape)
        amax = x.abs().amax(1)
        scale = torch.where(amax > 0, amax / top, 1.0)
        rows = torch.fake_quantize_per_channel_affine(
            x, scale, torch.zeros(len(scale), dtype=torch.int32), 0, -top, top
        )
        whole = x.abs().max().item() / top or 1.0
        flat = torch.fake_quantize_per_tensor_affine(x, whole, 0, -top, top)
        out[name] = {
            "per_tensor": (flat - x).double().square().mean().item(),
            "per_channel": (rows - x).double().square().mean().item(),
        }
    return out


@wrong("columns-as-channels", "Your channels are columns; here a channel is a row (axis 0).")
def columns_as_channels(normal, outliers, bits=8):
    return _run(normal, outliers, bits, axis=0)


@wrong(
    "one-layout-twice", "Both of your tensors hold the outliers side by side; spread one set out."
)
def one_layout_twice(normal, outliers, bits=8):
    def same(size, count):
        return dict.fromkeys(("scattered", "concentrated"), np.arange(count))

    return _run(normal, outliers, bits, positions=same)


@wrong("layouts-swapped", "Your two layouts carry each other's name; concentrated is 0, 1, 2, ...")
def layouts_swapped(normal, outliers, bits=8):
    result = _run(normal, outliers, bits)
    return {"scattered": result["concentrated"], "concentrated": result["scattered"]}


@wrong(
    "granularities-swapped",
    "You wrote the per-tensor error under per_channel and the other way round.",
)
def granularities_swapped(normal, outliers, bits=8):
    return {
        name: {"per_tensor": e["per_channel"], "per_channel": e["per_tensor"]}
        for name, e in _run(normal, outliers, bits).items()
    }


@wrong(
    "first-column",
    "You concentrated the outliers down the first column; flat positions 0, 1, 2 fill the first row.",
)
def first_column(normal, outliers, bits=8):
    def positions(size, count):
        columns = normal.shape[1]
        k = np.arange(count)
        down = (k % normal.shape[0]) * columns + k // normal.shape[0]
        return {**_positions(size, count), "concentrated": down}

    return _run(normal, outliers, bits, positions=positions)


@wrong("rms-for-mse", "You returned the root of the mean squared error; leave the root out.")
def rms_for_mse(normal, outliers, bits=8):
    return _run(normal, outliers, bits, error=lambda *a: _error(*a) ** 0.5)


@wrong("sum-for-mean", "You summed the squared errors; the MSE is their mean.")
def sum_for_mean(normal, outliers, bits=8):
    return _run(normal, outliers, bits, error=lambda x, *a: _error(x, *a) * x.size)


@wrong("absolute-error", "You averaged |x - restored|; square it.")
def absolute_error(normal, outliers, bits=8):
    def error(x, scale, top):
        return float(np.mean(np.abs(x - np.rint(x / scale) * scale)))

    return _run(normal, outliers, bits, error=error)


@wrong(
    "codes-not-restored", "You compared x with the codes; multiply the codes by the scale first."
)
def codes_not_restored(normal, outliers, bits=8):
    return _run(
        normal, outliers, bits, error=lambda x, s, top: float(np.mean((x - np.rint(x / s)) ** 2))
    )


@wrong("outliers-added", "You added the outliers to the values; they replace them.")
def outliers_added(normal, outliers, bits=8):
    where = _positions(normal.size, len(outliers))
    flat = normal.reshape(-1)
    return {
        name: _run(
            normal, outliers + flat[at], bits, positions=lambda s, c, name=name, at=at: {name: at}
        )[name]
        for name, at in where.items()
    }


@wrong(
    "outliers-left-out", "You left the outliers out of the mean; they are values of the tensor too."
)
def outliers_left_out(normal, outliers, bits=8):
    bound = np.abs(normal).max()

    def error(x, scale, top):
        gap = (x - np.rint(x / scale) * scale) ** 2
        return float(gap[np.abs(x) <= bound].mean())

    return _run(normal, outliers, bits, error=error)


@wrong("bits-ignored", "You quantized to 8 bits in every case; use the argument `bits`.")
def bits_ignored(normal, outliers, bits=8):
    return _run(normal, outliers, 8)


@wrong("floor-for-round", "You rounded down with floor; round to nearest, ties to even.")
def floor_for_round(normal, outliers, bits=8):
    return _run(normal, outliers, bits, error=lambda *a: _error(*a, rounding=np.floor))


@wrong("scale-over-128", "You divided amax by 2**(bits - 1); the largest code is one less.")
def scale_over_128(normal, outliers, bits=8):
    return _run(normal, outliers, bits, top=2 ** (bits - 1))


@wrong("max-without-abs", "You took the max of x; the largest magnitude may be negative.")
def max_without_abs(normal, outliers, bits=8):
    return _run(normal, outliers, bits, amax=lambda x, axis: x.max(axis=axis, keepdims=True))


@wrong("no-outliers-divides", "Without outliers size // 0 fails; both tensors are then `normal`.")
def no_outliers_divides(normal, outliers, bits=8):
    normal.size // len(outliers)
    return _run(normal, outliers, bits)


@wrong("changes-normal", "You wrote the outliers into `normal` itself; the second tensor has both.")
def changes_normal(normal, outliers, bits=8):
    result = _run(normal, outliers, bits)
    normal.reshape(-1)[: len(outliers)] = outliers
    return result


@wrong(
    "confined-to-the-first-row",
    "Your concentrated outliers stop at the end of row 0: counting row by row, they go on in row 1.",
)
def confined(normal, outliers, bits=8):
    def positions(size, count):
        where = _positions(size, count)
        where["concentrated"] = np.minimum(where["concentrated"], normal.shape[1] - 1)
        return where

    return _run(normal, outliers, bits, positions=positions)
