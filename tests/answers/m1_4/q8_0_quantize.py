"""Answers to q8-0-quantize."""

import struct

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x):
    if x.shape[-1] % 32 or not np.isfinite(x).all():
        raise ValueError("no rows of whole, finite blocks")


def _away(y):
    size = np.abs(y)
    whole = np.floor(size)
    return np.copysign(whole + (size - whole >= 0.5), y)


def _recipe(x, top=127, rounding=_away, order=(0, 1), kind="<f2", scale=None, offset=0):
    """The right rule, with its steps to be swapped."""
    b = x.reshape(*x.shape[:-1], -1, 32)
    d = np.abs(b).max(-1, keepdims=True) / np.float32(top)
    if scale is not None:
        d = scale(d)
    r = np.where(d == 0, np.float32(0), np.float32(1) / np.where(d == 0, np.float32(1), d))
    with np.errstate(all="ignore"):
        codes = (rounding(b * r) + offset).astype(np.int8).view(np.uint8)
        fields = d.astype(kind).view(np.uint8), codes
    packed = np.concatenate([fields[i] for i in order], -1)
    return packed.reshape(*x.shape[:-1], -1)


@right("NumPy, magnitudes rounded")
def by_numpy(x):
    _refuse(x)
    return _recipe(x)


@right("struct, one weight after the other")
def by_struct(x):
    _refuse(x)
    out = bytearray()
    one = np.float32(1)
    for block in np.ascontiguousarray(x).reshape(-1, 32):
        d = np.abs(block).max() / np.float32(127)
        r = one / d if d else np.float32(0)
        with np.errstate(all="ignore"):
            out += d.astype("<f2").tobytes()
        for value in block:
            y = float(value * r)  # exact: a float32 in a double, where adding a half is exact too
            out += struct.pack("<b", int(y + 0.5) if y >= 0 else -int(-y + 0.5))
    return np.frombuffer(bytes(out), np.uint8).reshape(*x.shape[:-1], -1)


@right("torch")
def by_torch(x):
    if x.shape[-1] % 32:
        raise ValueError
    t = torch.tensor(x).unflatten(-1, (-1, 32))
    if not torch.isfinite(t).all():
        raise ValueError("not finite")
    d = t.abs().amax(-1, keepdim=True) / 127
    y = t * torch.where(d == 0, torch.zeros_like(d), 1 / d)
    whole = y.trunc()
    codes = whole + torch.sign(y) * ((y - whole).abs() >= 0.5)
    packed = torch.cat([d.half().view(torch.uint8), codes.to(torch.int8).view(torch.uint8)], -1)
    return packed.flatten(-2).numpy()


@right("the gguf package")
def by_package(x):
    import gguf

    _refuse(x)
    return gguf.quantize(x, gguf.GGMLQuantizationType.Q8_0)


@wrong("halves-to-even", "You used rint, which sends halves to even; here they go away from zero.")
def to_even(x):
    _refuse(x)
    return _recipe(x, rounding=np.rint)


@wrong("halves-up", "You used floor(y + 0.5), which sends -2.5 to -2; halves go away from zero.")
def halves_up(x):
    _refuse(x)
    return _recipe(x, rounding=lambda y: np.floor(y.astype(np.float64) + 0.5))


@wrong(
    "half-added-in-float32",
    "You added 0.5 in float32, where 0.49999997 + 0.5 is 1: compare size - floor(size) with 0.5.",
)
def half_added(x):
    _refuse(x)
    return _recipe(x, rounding=lambda y: np.copysign(np.floor(np.abs(y) + np.float32(0.5)), y))


@wrong("truncated", "You cut the fraction off (a cast does that); round to the nearest integer.")
def truncated(x):
    _refuse(x)
    return _recipe(x, rounding=np.trunc)


@wrong("floor-for-round", "You rounded down; round to the nearest integer.")
def floored(x):
    _refuse(x)
    return _recipe(x, rounding=np.floor)


@wrong("divided-by-d", "You divided by d; the rule multiplies with the float32 reciprocal 1 / d.")
def divided(x):
    _refuse(x)
    b = x.reshape(*x.shape[:-1], -1, 32)
    d = np.abs(b).max(-1, keepdims=True) / np.float32(127)
    codes = _away(b / np.where(d == 0, np.float32(1), d)).astype(np.int8).view(np.uint8)
    with np.errstate(all="ignore"):
        stored = d.astype("<f2").view(np.uint8)
    return np.concatenate([stored, codes], -1).reshape(*x.shape[:-1], -1)


@wrong("in-float64", "You computed in float64; near a half, only float32 gives the same codes.")
def in_float64(x):
    _refuse(x)
    b = x.reshape(*x.shape[:-1], -1, 32).astype(np.float64)
    d = np.abs(b).max(-1, keepdims=True) / 127
    codes = _away(b / np.where(d == 0, 1, d)).astype(np.int8).view(np.uint8)
    with np.errstate(all="ignore"):
        stored = d.astype(np.float32).astype("<f2").view(np.uint8)
    return np.concatenate([stored, codes], -1).reshape(*x.shape[:-1], -1)


@wrong(
    "codes-from-the-stored-scale",
    "You made the codes with the fp16 scale; they come from the float32 d, before it is rounded.",
)
def stored_scale(x):
    _refuse(x)
    with np.errstate(all="ignore"):
        return _recipe(x, scale=lambda d: d.astype(np.float16).astype(np.float32))


@wrong("divided-by-128", "You divided the maximum by 128; the largest code is 127.")
def by_128(x):
    _refuse(x)
    return _recipe(x, top=128)


@wrong("scale-for-each-row", "You used one scale for a row; each block of 32 has its own.")
def row_scale(x):
    _refuse(x)
    return _recipe(x, scale=lambda d: np.broadcast_to(d.max(-2, keepdims=True), d.shape).copy())


@wrong(
    "one-scale-for-all", "You used one scale for the whole tensor; each block of 32 has its own."
)
def one_scale(x):
    _refuse(x)
    return _recipe(x, scale=lambda d: np.full_like(d, d.max()))


@wrong("codes-before-scale", "You put the scale behind the codes; it comes first.")
def codes_first(x):
    _refuse(x)
    return _recipe(x, order=(1, 0))


@wrong("big-endian-scale", "You stored the scale with its high byte first; GGUF is little-endian.")
def big_endian(x):
    _refuse(x)
    return _recipe(x, kind=">f2")


@wrong(
    "bfloat16-like-scale",
    "You cut the float32 scale to its upper 16 bits; that is bfloat16, not fp16.",
)
def upper_half(x):
    _refuse(x)
    b = x.reshape(*x.shape[:-1], -1, 32)
    out = _recipe(x).reshape(*b.shape[:-1], 34).copy()
    d = np.abs(b).max(-1, keepdims=True) / np.float32(127)
    out[..., :2] = d.astype("<f4").view(np.uint8)[..., 2:]
    return out.reshape(*x.shape[:-1], -1)


@wrong("offset-codes", "You added 128 to the codes; they are signed bytes.")
def offset(x):
    _refuse(x)
    packed = _recipe(x).reshape(*x.shape[:-1], -1, 34).copy()
    packed[..., 2:] ^= 128
    return packed.reshape(*x.shape[:-1], -1)


@wrong(
    "all-scales-first",
    "You put all scales of a row before all codes; each block has its scale in front of its codes.",
)
def scales_apart(x):
    _refuse(x)
    b = _recipe(x).reshape(*x.shape[:-1], -1, 34)
    lead = x.shape[:-1]
    return np.concatenate([b[..., :2].reshape(*lead, -1), b[..., 2:].reshape(*lead, -1)], -1)


@wrong("flat-result", "You returned a flat array; keep all axes but the last.")
def flat(x):
    _refuse(x)
    return _recipe(x).ravel()


@wrong(
    "blocks-apart", "You left the blocks on an axis of their own; join them along the last axis."
)
def unjoined(x):
    _refuse(x)
    return _recipe(x).reshape(*x.shape[:-1], -1, 34)


@wrong("int8-returned", "You returned int8; the packed bytes are uint8.")
def signed(x):
    _refuse(x)
    return _recipe(x).view(np.int8)


@wrong(
    "zeros-not-treated", "You divided by 0 in a block of zeros: there r is 0 and all bytes are 0."
)
def zeros(x):
    _refuse(x)
    packed = _recipe(x).reshape(*x.shape[:-1], -1, 34).copy()
    packed[(packed == 0).all(-1), 2:] = 128
    return packed.reshape(*x.shape[:-1], -1)


@wrong("scale-1-for-zeros", "You stored the scale 1 for a block of zeros: d is 0 there.")
def one_for_zeros(x):
    _refuse(x)
    return _recipe(x, scale=lambda d: np.where(d == 0, np.float32(1), d))


@wrong(
    "scale-clipped",
    "You clipped the scale to the largest fp16; too large a d is stored as infinity.",
)
def clipped(x):
    _refuse(x)
    packed = _recipe(x).reshape(*x.shape[:-1], -1, 34).copy()
    d = packed[..., :2].copy().view("<f2")
    packed[..., :2] = np.minimum(d, np.float16(65504)).view(np.uint8)
    return packed.reshape(*x.shape[:-1], -1)


@wrong(
    "small-scale-means-zeros",
    "You set the codes to 0 where the stored scale is 0; they stay what they are.",
)
def dropped(x):
    _refuse(x)
    packed = _recipe(x).reshape(*x.shape[:-1], -1, 34).copy()
    packed[(packed[..., :2] == 0).all(-1), 2:] = 0
    return packed.reshape(*x.shape[:-1], -1)


@wrong("rest-dropped", "You dropped the weights behind the last whole block: raise ValueError.")
def rest_dropped(x):
    if not np.isfinite(x).all():
        raise ValueError
    return _recipe(x[..., : x.shape[-1] // 32 * 32])


@wrong(
    "blocks-across-rows",
    "You let blocks run across rows; raise ValueError where 32 does not divide a row.",
)
def across(x):
    if x.size % 32 or not np.isfinite(x).all():
        raise ValueError
    if x.shape[-1] % 32:
        return _recipe(x.ravel())
    return _recipe(x)


@wrong("nan-let-through", "You let NaN or infinities through: raise ValueError.")
def nan_through(x):
    if x.shape[-1] % 32:
        raise ValueError
    return _recipe(x)


@wrong(
    "tiny-scale-taken-for-zero",
    "You took a small d for 0 (or clipped r, or added a small number): only a d of 0 has r = 0.",
)
def tiny(x):
    _refuse(x)
    return _recipe(x, scale=lambda d: np.where(d < 1e-20, np.float32(0), d))


@wrong(
    "small-number-added", "You added a small number to d against dividing by 0: d = 0 has r = 0."
)
def epsilon(x):
    _refuse(x)
    return _recipe(x, scale=lambda d: d + np.float32(1e-20))


@wrong(
    "times-a-rounded-127th",
    "You multiplied max|x| with a rounded 1 / 127; divide by 127: near a half the last bit decides.",
)
def times(x):
    _refuse(x)
    b = np.abs(x.reshape(*x.shape[:-1], -1, 32)).max(-1, keepdims=True)
    return _recipe(x, scale=lambda d: b * np.float32(1 / 127))


@right("Python loops, rounded in double")
def by_loops(x):
    _refuse(x)
    out = bytearray()
    for block in x.reshape(-1, 32):
        d = max(abs(v) for v in block) / np.float32(127)
        r = np.float32(1) / d if d else np.float32(0)
        with np.errstate(all="ignore"):
            out += np.float16(d).tobytes()
        for value in block:
            y = float(np.float32(value * r))
            out.append((int(abs(y) + 0.5) * (1 if y >= 0 else -1)) & 255)
    return np.array(out, np.uint8).reshape(*x.shape[:-1], -1)
