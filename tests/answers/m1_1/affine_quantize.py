"""Answers to affine-quantize."""

import numpy as np

from autograder.checks.bank import right, wrong


@right("one line of NumPy")
def by_numpy(x, scale, zero_point, bits=8):
    return np.clip(np.rint(x / scale) + zero_point, 0, 2**bits - 1).astype(np.uint8)


@right("a loop with Python's round")
def by_loop(x, scale, zero_point, bits=8):
    top = 2**bits - 1
    out = np.empty(x.shape, np.uint8)
    for index in np.ndindex(*x.shape):
        v = float(x[index]) / scale
        v = min(max(v, -1e9), 1e9)
        out[index] = min(max(round(v) + zero_point, 0), top)
    return out


@right("torch")
def by_torch(x, scale, zero_point, bits=8):
    import torch

    t = torch.from_numpy(np.array(x, dtype=np.float64))
    codes = torch.round(t / scale).add(zero_point).clamp(0, 2**bits - 1)
    return codes.to(torch.uint8).numpy()


@right("clip the reals first, then round")
def clip_first(x, scale, zero_point, bits=8):
    low, high = -zero_point, 2**bits - 1 - zero_point
    steps = np.clip(x.astype(np.float64) / scale, low, high)
    return (np.round(steps).astype(np.int32) + zero_point).astype(np.uint8)


@right("search in the grid of restored values")
def by_search(x, scale, zero_point, bits=8):
    # Halfway points between codes; at a tie the even step count wins.
    steps = np.arange(2**bits) - zero_point
    edges = steps[:-1] + 0.5
    ratio = np.asarray(x, np.float64) / scale
    left = np.searchsorted(edges, ratio, side="left")
    right_ = np.searchsorted(edges, ratio, side="right")
    return np.where(steps[left] % 2 == 0, left, right_).astype(np.uint8)


def _codes(x, scale, zero_point, bits, *, rounding=np.rint, low=0, high=None, dtype=np.uint8):
    high = 2**bits - 1 if high is None else high
    return np.clip(rounding(x / scale) + zero_point, low, high).astype(dtype)


@wrong(
    "clip-before-zero-point",
    "You clipped before you added the zero-point: negative values are lost and the sum leaves "
    "the range. Add first, then clip.",
)
def clip_before(x, scale, zero_point, bits=8):
    clipped = np.clip(np.rint(x / scale), 0, 2**bits - 1)
    return (clipped + zero_point).astype(np.int64).astype(np.uint8)


@wrong(
    "clip-before-zero-point-and-after",
    "You clipped x / scale to 0..2**bits - 1 before you added the zero-point, so every "
    "negative value became 0. Add first, then clip once.",
)
def clip_twice(x, scale, zero_point, bits=8):
    clipped = np.clip(np.rint(x / scale), 0, 2**bits - 1)
    return np.clip(clipped + zero_point, 0, 2**bits - 1).astype(np.uint8)


@wrong(
    "no-clip",
    "You did not clip: the cast to uint8 wraps around, so 256 becomes 0 and -1 becomes 255.",
)
def no_clip(x, scale, zero_point, bits=8):
    with np.errstate(invalid="ignore"):
        return (np.rint(x / scale) + zero_point).astype(np.int64).astype(np.uint8)


@wrong(
    "cast-before-clip",
    "You cast to uint8 before you clipped: the cast wraps, and the clip finds nothing left to "
    "do. Clip the floats, then cast.",
)
def cast_first(x, scale, zero_point, bits=8):
    wrapped = (np.rint(x / scale).astype(np.int64) + zero_point).astype(np.uint8)
    return np.clip(wrapped, 0, 2**bits - 1).astype(np.uint8)


@wrong(
    "int32-overflow",
    "You cast to int32 before you clipped: values far outside the range overflow. Clip the "
    "floats, then cast.",
)
def int32_overflow(x, scale, zero_point, bits=8):
    steps = np.rint(x.astype(np.float64) / scale)
    wrapped = np.fmod(np.where(np.isfinite(steps), steps, -(2.0**31)), 2.0**32)
    wide = wrapped.astype(np.int64).astype(np.int32).astype(np.int64)
    return np.clip(wide + zero_point, 0, 2**bits - 1).astype(np.uint8)


@wrong("always-255", "You clip at 255 whatever `bits` says; the largest code is 2**bits - 1.")
def always_255(x, scale, zero_point, bits=8):
    return _codes(x, scale, zero_point, bits, high=255)


@wrong("clip-at-2-to-the-bits", "You clip at 2**bits, one too many: the codes are 0..2**bits - 1.")
def one_too_many(x, scale, zero_point, bits=8):
    clipped = np.clip(np.rint(x / scale) + zero_point, 0, 2**bits)
    return clipped.astype(np.int64).astype(np.uint8)


@wrong("signed-range", "You clip to the signed range; these codes are unsigned, 0..2**bits - 1.")
def signed_range(x, scale, zero_point, bits=8):
    half = 2 ** (bits - 1)
    clipped = np.clip(np.rint(x / scale) + zero_point, -half, half - 1)
    return clipped.astype(np.int64).astype(np.uint8)


@wrong(
    "zero-point-subtracted",
    "You subtracted the zero-point; quantizing adds it, dequantizing subtracts it.",
)
def subtracted(x, scale, zero_point, bits=8):
    return _codes(x, scale, -zero_point, bits)


@wrong(
    "zero-point-forgotten",
    "You left the zero-point out; without it every negative value becomes 0.",
)
def forgotten(x, scale, zero_point, bits=8):
    return _codes(x, scale, 0, bits)


@wrong(
    "multiplied-by-the-scale",
    "You multiplied by the scale; a code counts steps, so divide: x / scale.",
)
def multiplied(x, scale, zero_point, bits=8):
    return _codes(x, 1 / scale, zero_point, bits)


@wrong(
    "zero-point-in-real-units",
    "You added the zero-point to x before dividing; it is a code, so add it after x / scale.",
)
def real_units(x, scale, zero_point, bits=8):
    return np.clip(np.rint((x + zero_point) / scale), 0, 2**bits - 1).astype(np.uint8)


@wrong(
    "truncation",
    "You cast to an integer without rounding, which cuts the fraction off; use np.rint before "
    "you add the zero-point.",
)
def truncation(x, scale, zero_point, bits=8):
    return _codes(x, scale, zero_point, bits, rounding=np.trunc)


@wrong(
    "floor-for-round",
    "You rounded down with floor; the exercise rounds to the nearest integer: np.rint.",
)
def floor_for_round(x, scale, zero_point, bits=8):
    return _codes(x, scale, zero_point, bits, rounding=np.floor)


@wrong(
    "rounded-after-the-zero-point",
    "You rounded x / scale + zero_point: with an odd zero-point the ties go to the other "
    "neighbour. Round x / scale first.",
)
def rounded_after(x, scale, zero_point, bits=8):
    return np.clip(np.rint(x / scale + zero_point), 0, 2**bits - 1).astype(np.uint8)


@wrong(
    "half-up",
    "You used floor(v + 0.5), which sends every tie up; the exercise sends ties to the even "
    "neighbour: np.rint.",
)
def half_up(x, scale, zero_point, bits=8):
    return _codes(x, scale, zero_point, bits, rounding=lambda v: np.floor(v + 0.5))


@wrong(
    "half-away-from-zero",
    "You send ties away from zero (2.5 becomes 3); the exercise sends them to the even "
    "neighbour: np.rint.",
)
def half_away(x, scale, zero_point, bits=8):
    return _codes(
        x, scale, zero_point, bits, rounding=lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5)
    )


@wrong("float-codes", "Your codes are still floats; cast them to np.uint8 at the end.")
def float_codes(x, scale, zero_point, bits=8):
    return _codes(x, scale, zero_point, bits, dtype=x.dtype)


@wrong(
    "signed-dtype", "You cast to int8, which ends at 127; unsigned codes up to 255 need np.uint8."
)
def signed_dtype(x, scale, zero_point, bits=8):
    return _codes(x, scale, zero_point, bits).astype(np.int8)


@wrong(
    "scale-recomputed",
    "You computed your own scale from x; use the scale and zero-point that are given.",
)
def recomputed(x, scale, zero_point, bits=8):
    finite = x[np.isfinite(x)].astype(np.float64)
    low, high = min(finite.min(), 0), max(finite.max(), 0)
    own = (high - low) / (2**bits - 1) or 1.0
    return _codes(x, own, round(-low / own), bits)


@wrong(
    "in-place",
    "You changed x in place (x /= scale), so the caller's tensor is gone; write x / scale.",
)
def in_place(x, scale, zero_point, bits=8):
    x /= scale
    return np.clip(np.rint(x) + zero_point, 0, 2**bits - 1).astype(np.uint8)
