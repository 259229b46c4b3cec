"""Answers to bf16-round."""

import numpy as np

from autograder.checks.bank import right, wrong


@right("the carry trick")
def carry(x):
    bits = np.ascontiguousarray(x).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16
    quiet = (bits >> 16) | 0x40
    return np.where(np.isnan(x), quiet, rounded).astype(np.uint16)


@right("compare the lower half with a half")
def compare(x):
    bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
    high, low = bits >> 16, bits & 0xFFFF
    up = (low > 0x8000) | ((low == 0x8000) & (high % 2 == 1))
    codes = (high + up).astype(np.uint16)
    codes[np.isnan(x)] = 0x7FC0
    return codes


@right("torch")
def by_torch(x):
    import torch

    return (
        torch.from_numpy(np.array(x)).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    )


@right("one value at a time with frexp")
def by_value(x):
    out = np.zeros(x.size, np.uint16)
    for i, value in enumerate(x.ravel().tolist()):
        sign = 0x8000 if np.signbit(value) else 0
        if np.isnan(value):
            out[i] = sign | 0x7FFF
            continue
        if np.isinf(value):
            out[i] = sign | 0x7F80
            continue
        exponent = max(np.frexp(abs(value))[1] - 1, -126) if value else -126
        steps = round(abs(value) * 2.0 ** (7 - exponent))
        out[i] = sign | min((exponent + 126) * 128 + steps, 0x7F80)
    return out.reshape(x.shape)


def _raw(x, change):
    bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
    return (change(bits) >> 16).astype(np.uint16)


@wrong(
    "truncated",
    "You cut the lower 16 bits off: that rounds toward zero, the exercise rounds to nearest.",
)
def truncated(x):
    return np.where(np.isnan(x), np.uint16(0x7FC0), _raw(x, lambda b: b)).astype(np.uint16)


@wrong("half-away", "You rounded ties away from zero: at exactly 0x8000 take the even neighbour.")
def half_away(x):
    return np.where(np.isnan(x), np.uint16(0x7FC0), _raw(x, lambda b: b + 0x8000)).astype(np.uint16)


@wrong(
    "half-toward-zero", "You rounded ties toward zero: at exactly 0x8000 take the even neighbour."
)
def half_toward_zero(x):
    return np.where(np.isnan(x), np.uint16(0x7FC0), _raw(x, lambda b: b + 0x7FFF)).astype(np.uint16)


@wrong("ties-to-odd", "At a tie you took the odd neighbour: the last bit that stays must become 0.")
def ties_to_odd(x):
    codes = _raw(x, lambda b: b + 0x8000 - ((b >> 16) & 1))
    return np.where(np.isnan(x), np.uint16(0x7FC0), codes).astype(np.uint16)


@wrong(
    "always-up", "You rounded every value with a remainder away from zero: nearest may be below."
)
def always_up(x):
    return np.where(np.isnan(x), np.uint16(0x7FC0), _raw(x, lambda b: b + 0xFFFF)).astype(np.uint16)


@wrong(
    "nan-carried-away",
    "Your rounding adds to NaNs too: the carry turns some into infinity or -0. Treat NaN first.",
)
def nan_carried_away(x):
    return _raw(x, lambda b: b + 0x7FFF + ((b >> 16) & 1))


@wrong(
    "nan-truncated",
    "You cut NaNs off: a payload in the low bits is lost and infinity remains. Set a mantissa bit.",
)
def nan_truncated(x):
    bits = np.ascontiguousarray(x).view(np.uint32)
    return np.where(np.isnan(x), bits >> 16, carry(x)).astype(np.uint16)


@wrong(
    "through-float16",
    "You went through float16: it has the wrong exponent width, BF16 keeps the 8 bits of float32.",
)
def through_float16(x):
    with np.errstate(all="ignore"):
        return x.astype(np.float16).view(np.uint16)


@wrong("lower-half", "You kept the lower 16 bits: sign and exponent are in the upper ones.")
def lower_half(x):
    return (np.ascontiguousarray(x).view(np.uint32) & 0xFFFF).astype(np.uint16)


@wrong(
    "overflow-clamped",
    "You kept the largest finite value where rounding overflows: nearest gives infinity there.",
)
def overflow_clamped(x):
    codes = carry(x)
    over = np.isfinite(x) & ((codes & 0x7FFF) == 0x7F80)
    return np.where(over, codes - 1, codes).astype(np.uint16)


@wrong("subnormals-flushed", "You flushed subnormals to zero: their bits round like all others.")
def subnormals_flushed(x):
    tiny = np.abs(x) < np.float32(2.0**-126)
    return np.where(tiny, np.signbit(x).astype(np.uint16) << 15, carry(x)).astype(np.uint16)


@wrong("zero-sign-lost", "You lost the sign of -0.0: its code is 0x8000.")
def zero_sign_lost(x):
    return np.where(x == 0, np.uint16(0), carry(x)).astype(np.uint16)


@wrong(
    "value-not-bits",
    "You rounded the number to an integer: work on its bit pattern, x.view(np.uint32).",
)
def value_not_bits(x):
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.rint(x)).astype(np.int64).astype(np.uint16)
