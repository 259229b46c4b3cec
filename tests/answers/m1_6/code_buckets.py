"""Answers to code-buckets."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, scale, bits):
    if not x.size or not np.isfinite(x).all() or not 0 < scale < math.inf or not 2 <= bits <= 8:
        raise ValueError("finite values, a scale above 0, 2 to 8 bits")


def _answer(x, scale, bits, rounding=np.round, wide=np.float64, clip=True, low=None, half=0.5):
    _refuse(x, scale, bits)
    top = 2 ** (bits - 1) - 1
    low = -top if low is None else low(top)
    codes = rounding(x.ravel().astype(wide) / wide(scale)).astype(np.float64)
    codes = np.clip(codes, low, top) if clip else codes[(codes >= low) & (codes <= top)]
    return _dict(codes * scale, codes, scale, low, top, half)


def _dict(values, codes, scale, low, top, half=0.5):
    values = values if values.size else np.zeros(1)
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "num": codes.size,
        "sum": float(values.sum()),
        "sum_squares": float((values**2).sum()),
        "bucket_limits": (np.arange(low, top + 1) + half) * scale,
        "bucket_counts": np.bincount((codes - low).astype(int), minlength=int(top - low) + 1),
    }


@right("numpy and bincount")
def by_bincount(x, scale, bits):
    return _answer(x, scale, bits)


@right("torch, and a comparison for each code")
def by_torch(x, scale, bits):
    _refuse(x, scale, bits)
    top = 2 ** (bits - 1) - 1
    codes = torch.round(torch.tensor(x, dtype=torch.float64) / scale).clamp(-top, top)
    values = codes * scale
    return {
        "min": values.min().item(),
        "max": values.max().item(),
        "num": values.numel(),
        "sum": values.sum().item(),
        "sum_squares": values.pow(2).sum().item(),
        "bucket_limits": np.linspace(-top + 0.5, top + 0.5, 2 * top + 1) * scale,
        "bucket_counts": np.array([float((codes == k).sum()) for k in range(-top, top + 1)]),
    }


@right("loops and a dictionary")
def by_loop(x, scale, bits):
    _refuse(x, scale, bits)
    top = 2 ** (bits - 1) - 1
    counts = dict.fromkeys(range(-top, top + 1), 0)
    for value in x.ravel().tolist():
        counts[min(max(round(value / scale), -top), top)] += 1
    used = [k for k, n in counts.items() if n]
    return {
        "min": used[0] * scale,
        "max": used[-1] * scale,
        "num": sum(counts.values()),
        "sum": scale * sum(k * n for k, n in counts.items()),
        "sum_squares": scale**2 * sum(k * k * n for k, n in counts.items()),
        "bucket_limits": np.array([(k + 0.5) * scale for k in counts]),
        "bucket_counts": np.array(list(counts.values())),
    }


@wrong(
    "histogram-of-the-values",
    "A tie belongs where rounding puts it: count codes, not values between edges.",
)
def values_between(x, scale, bits):
    found = _answer(x, scale, bits)
    top = 2 ** (bits - 1) - 1
    edges = np.r_[-np.inf, found["bucket_limits"][:-1], np.inf]
    counts = np.histogram(x.ravel().astype(np.float64), edges)[0]
    return {**found, "bucket_counts": counts[: 2 * top + 1]}


@wrong("clipped-dropped", "Clipped values count into the end buckets.")
def dropped(x, scale, bits):
    return _answer(x, scale, bits, clip=False)


@wrong("floor-for-round", "Codes are rounded to nearest, ties to even.")
def floor(x, scale, bits):
    return _answer(x, scale, bits, rounding=np.floor)


@wrong("truncated", "Codes are rounded to nearest, not towards zero.")
def trunc(x, scale, bits):
    return _answer(x, scale, bits, rounding=np.trunc)


@wrong("ties-away", "Ties go to even.")
def away(x, scale, bits):
    return _answer(x, scale, bits, rounding=lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5))


@wrong("one-code-too-many", "The grid is symmetric: its lowest code is -qmax, not -qmax - 1.")
def asymmetric(x, scale, bits):
    return _answer(x, scale, bits, low=lambda top: -top - 1)


@wrong("left-edges", "bucket_limits are right edges: (k + 0.5) * scale.")
def left(x, scale, bits):
    return _answer(x, scale, bits, half=-0.5)


@wrong("limits-at-the-codes", "The limits lie halfway between the codes.")
def at_codes(x, scale, bits):
    return _answer(x, scale, bits, half=0.0)


@wrong("both-edges", "One right edge for each bucket: no edge more than buckets.")
def both(x, scale, bits):
    found = _answer(x, scale, bits)
    return {
        **found,
        "bucket_limits": np.r_[found["bucket_limits"][0] - scale, found["bucket_limits"]],
    }


@wrong("limits-not-scaled", "The limits are in units of x: multiply by the scale.")
def unscaled(x, scale, bits):
    found = _answer(x, scale, bits)
    return {**found, "bucket_limits": found["bucket_limits"] / scale}


@wrong("empty-buckets-dropped", "Empty buckets stay: one for each code.")
def compact(x, scale, bits):
    found = _answer(x, scale, bits)
    used = found["bucket_counts"] > 0
    return {
        **found,
        "bucket_counts": found["bucket_counts"][used],
        "bucket_limits": found["bucket_limits"][used],
    }


@wrong("sums-of-the-floats", "min, max and sums are of the fake-quantized values, not of x.")
def floats(x, scale, bits):
    found, v = _answer(x, scale, bits), x.astype(np.float64)
    return {**found, "min": float(v.min()), "max": float(v.max()), "sum": float(v.sum()),
            "sum_squares": float((v**2).sum())}  # fmt: skip


@wrong("sums-of-the-codes", "min, max and sums are of code * scale, not of the codes.")
def code_sums(x, scale, bits):
    found = _answer(x, scale, bits)
    return {**found, "min": found["min"] / scale, "max": found["max"] / scale, "sum": found["sum"] / scale,
            "sum_squares": found["sum_squares"] / scale**2}  # fmt: skip


@wrong("grid-ends", "min and max are of the values that are there, not the ends of the grid.")
def grid(x, scale, bits):
    top = 2 ** (bits - 1) - 1
    return {**_answer(x, scale, bits), "min": -top * scale, "max": top * scale}


@wrong("square-of-the-sum", "sum_squares adds the squares; it is not the square of the sum.")
def square(x, scale, bits):
    found = _answer(x, scale, bits)
    return {**found, "sum_squares": found["sum"] ** 2}


@wrong("shares", "bucket_counts are counts, not shares.")
def shares(x, scale, bits):
    found = _answer(x, scale, bits)
    return {**found, "bucket_counts": found["bucket_counts"] / found["num"]}


@wrong("nan-skipped", "A NaN or an infinity is refused: left out, a sick layer would look healthy.")
def skips(x, scale, bits):
    return _answer(x[np.isfinite(x)], scale, bits)


@wrong("no-refusal", "Refuse an empty x, values that are not finite, and bad scales and bits.")
def accepts(x, scale, bits):
    try:
        return _answer(x, scale, bits)
    except ValueError:
        return _answer(np.zeros(1), 1.0, 3)


@wrong("infinite-scale", "An infinite scale is refused: all codes would be 0.")
def infinite(x, scale, bits):
    return _answer(x * 0, 1.0, bits) if scale == math.inf else _answer(x, scale, bits)


@wrong("float16", "Divide in float64: float16 moves values across the edges.")
def half(x, scale, bits):
    return _answer(x, scale, bits, wide=np.float16)


@wrong("changes-x", "Do not round in place: x is the layer's weight.")
def in_place(x, scale, bits):
    found = _answer(x, scale, bits)
    x[...] = np.clip(np.round(x / scale), -1, 1) * scale
    return found
