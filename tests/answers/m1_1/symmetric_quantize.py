"""Answers to symmetric-quantize."""

import numpy as np

from autograder.checks.bank import right, wrong


@right("NumPy with a guard")
def by_numpy(x, bits=8):
    qmax = 2 ** (bits - 1) - 1
    amax = np.abs(x).max()
    if amax == 0:
        return np.zeros(x.shape, np.int8), 1.0
    scale = amax / qmax
    return np.clip(np.rint(x / scale), -qmax, qmax).astype(np.int8), scale


@right("a loop with Python's round")
def by_loop(x, bits=8):
    qmax = (1 << (bits - 1)) - 1
    amax = max(float(x.max()), -float(x.min()))
    scale = amax / qmax or 1.0
    codes = [round(float(v) / scale) for v in x.flat]
    return np.array(codes, dtype=np.int8).reshape(x.shape), scale


@right("torch's fake-quantize grid")
def by_torch(x, bits=8):
    import torch

    qmax = 2 ** (bits - 1) - 1
    t = torch.from_numpy(np.array(x, dtype=np.float64))
    amax = t.abs().amax()
    scale = torch.where(amax > 0, amax / qmax, torch.ones_like(amax))
    return torch.round(t / scale).clamp(-qmax, qmax).to(torch.int8).numpy(), scale.item()


@right("multiply by the inverse scale in float64")
def by_inverse(x, bits=8):
    qmax = 2.0 ** (bits - 1) - 1
    amax = np.linalg.norm(x.astype(np.float64).ravel(), np.inf)
    inverse = qmax / amax if amax else 1.0
    return np.round(x.astype(np.float64) * inverse).astype("int8"), np.float32(1 / inverse)


def _quantize(
    x,
    bits,
    *,
    qmax=None,
    scale=None,
    divisor=None,
    low=None,
    high=None,
    rounding=np.rint,
    dtype=np.int8,
    amax=None,
    zero_scale=1.0,
):
    qmax = 2 ** (bits - 1) - 1 if qmax is None else qmax
    amax = np.abs(x).max() if amax is None else amax
    if amax == 0:
        return np.zeros(x.shape, dtype), zero_scale
    scale = amax / (qmax if divisor is None else divisor) if scale is None else scale
    low, high = -qmax if low is None else low, qmax if high is None else high
    return np.clip(rounding(x / scale), low, high).astype(dtype), scale


@wrong(
    "floor-for-round",
    "You rounded down with floor; the exercise rounds to the nearest integer, ties to even: "
    "np.rint.",
)
def floor_for_round(x, bits=8):
    return _quantize(x, bits, rounding=np.floor)


@wrong(
    "truncation",
    "You cast to int8 without rounding, which cuts the fraction off; use np.rint before the cast.",
)
def truncation(x, bits=8):
    return _quantize(x, bits, rounding=np.trunc)


@wrong(
    "half-away-from-zero",
    "You send ties away from zero (2.5 becomes 3); the exercise sends them to the even "
    "neighbour: np.rint.",
)
def half_away(x, bits=8):
    return _quantize(x, bits, rounding=lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5))


@wrong(
    "half-up",
    "You used floor(v + 0.5), which sends every tie up; the exercise sends ties to the even "
    "neighbour: np.rint.",
)
def half_up(x, bits=8):
    return _quantize(x, bits, rounding=lambda v: np.floor(v + 0.5))


@wrong(
    "full-range-scale",
    "You divided amax by 2**(bits-1); the largest code is 2**(bits-1) - 1, so the scale is "
    "amax / (2**(bits-1) - 1).",
)
def full_range(x, bits=8):
    return _quantize(x, bits, divisor=2 ** (bits - 1), low=-(2 ** (bits - 1)))


@wrong(
    "always-128",
    "You divided amax by 128 whatever `bits` says; the scale is amax / qmax with qmax = 2**(bits-1) - 1.",
)
def always_128(x, bits=8):
    return _quantize(x, bits, divisor=128, low=-128, high=127)


@wrong(
    "half-a-code-too-wide",
    "You divided 2 amax by the 2**bits - 1 steps of the full range (amax / 127.5 for 8 bits); "
    "the restricted range has amax / 127.",
)
def two_sided(x, bits=8):
    return _quantize(x, bits, divisor=(2**bits - 1) / 2, low=-(2 ** (bits - 1)))


@wrong(
    "unsigned-qmax",
    "You used the unsigned limit 2**bits - 1 as qmax; signed codes go up to 2**(bits-1) - 1.",
)
def unsigned_qmax(x, bits=8):
    qmax = 2**bits - 1
    scale = np.abs(x).max() / qmax if x.any() else 1.0
    return np.rint(x / scale).astype(np.int64).astype(np.int8), scale


@wrong(
    "max-without-abs",
    "You took x.max() without the absolute value: a large negative value is cut off. amax is "
    "max|x|.",
)
def no_abs(x, bits=8):
    top = x.max()
    return _quantize(x, bits, amax=top if top > 0 else np.abs(x).max())


@wrong(
    "signed-scale",
    "Your scale took the sign of x.max() and came out negative; the scale is max|x| / qmax, "
    "always positive.",
)
def signed_scale(x, bits=8):
    return _quantize(x, bits, amax=x.max())


@wrong(
    "range-of-min-and-max",
    "You took the scale from max - min; a symmetric scale comes from max|x| alone.",
)
def min_max(x, bits=8):
    width = float(x.max() - x.min())
    return _quantize(x, bits, amax=width / 2 if width else np.abs(x).max())


@wrong(
    "scale-from-spread",
    "You took the range from the standard deviation; here it is the largest absolute value.",
)
def from_std(x, bits=8):
    spread = 3 * float(x.std())
    return _quantize(x, bits, amax=spread if spread else np.abs(x).max())


@wrong("always-8-bits", "Your qmax is 127 whatever `bits` says; compute it as 2**(bits-1) - 1.")
def always_eight(x, bits=8):
    return _quantize(x, 8)


@wrong(
    "centred-first",
    "You subtracted the mean before you quantized; the scheme has no offset, zero stays zero.",
)
def centred(x, bits=8):
    shifted = x - x.mean() if x.size > 1 else x
    return _quantize(shifted, bits)


@wrong(
    "one-scale-per-row",
    "You took one maximum per row; the exercise asks for one scale for the whole tensor.",
)
def per_row(x, bits=8):
    if x.ndim < 2:
        return _quantize(x, bits)
    qmax = 2 ** (bits - 1) - 1
    scale = np.abs(x).max(axis=-1, keepdims=True) / qmax
    scale = np.where(scale == 0, 1.0, scale)
    return np.rint(x / scale).astype(np.int8), float(scale.max())


@wrong(
    "inverse-scale-returned",
    "You returned qmax / amax, the inverse; the scale is the size of one step, amax / qmax.",
)
def inverse_returned(x, bits=8):
    codes, scale = _quantize(x, bits)
    return codes, 1 / scale


@wrong(
    "epsilon-in-the-scale",
    "You added a small epsilon to the scale; it drowns tensors of tiny values. Treat the "
    "all-zero tensor on its own.",
)
def epsilon(x, bits=8):
    qmax = 2 ** (bits - 1) - 1
    scale = np.abs(x).max() / qmax + 1e-8
    return np.rint(x / scale).astype(np.int8), scale


@wrong(
    "floor-under-the-scale",
    "You kept the scale above a fixed minimum; tiny values lose all their bits. Only an "
    "all-zero tensor needs a rule of its own.",
)
def floor_under(x, bits=8):
    qmax = 2 ** (bits - 1) - 1
    scale = max(float(np.abs(x).max()) / qmax, 1e-8)
    return np.rint(x / scale).astype(np.int8), scale


@wrong("zero-by-zero", "You divided 0 by 0 on an all-zero tensor; return zeros with the scale 1.0.")
def zero_by_zero(x, bits=8):
    scale = np.abs(x).max() / (2 ** (bits - 1) - 1)
    return np.nan_to_num(np.rint(x / scale)).astype(np.int8), scale


@wrong("float-codes", "Your codes are still floats; cast them to np.int8 at the end.")
def float_codes(x, bits=8):
    return _quantize(x, bits, dtype=x.dtype)


@wrong("int64-codes", "Your codes are wide integers, eight bytes each; cast them to np.int8.")
def wide_codes(x, bits=8):
    return _quantize(x, bits, dtype=np.int64)


@wrong(
    "restored-instead-of-codes",
    "You returned the restored values codes * scale; the exercise wants the integer codes.",
)
def restored(x, bits=8):
    codes, scale = _quantize(x, bits)
    return (codes * scale).astype(x.dtype), scale


@wrong("scale-and-codes-swapped", "You returned (scale, codes); the order is (codes, scale).")
def swapped(x, bits=8):
    codes, scale = _quantize(x, bits)
    return scale, codes


@wrong("flattened", "Your codes came back flat; keep the shape of x.")
def flattened(x, bits=8):
    codes, scale = _quantize(x, bits)
    return codes.ravel(), scale


@wrong(
    "in-place",
    "You divided x in place (x /= scale), so the caller's tensor is gone; write x / scale.",
)
def in_place(x, bits=8):
    qmax = 2 ** (bits - 1) - 1
    scale = float(np.abs(x).max()) / qmax or 1.0
    x /= scale
    return np.rint(x).astype(np.int8), scale
