"""Answers to q4-0-quantize."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x):
    if x.shape[-1] % 32 or not np.isfinite(x).all():
        raise ValueError("no rows of whole, finite blocks")


def _extreme(b):
    at = np.abs(b).argmax(-1)[..., None]
    return np.take_along_axis(b, at, -1) / np.float32(-8)


def _codes(b, d):
    one = np.float32(1)
    r = np.where(d == 0, np.float32(0), one / np.where(d == 0, one, d))
    return np.clip(np.floor(b * r + np.float32(8.5)), 0, 15).astype(np.uint8)


def _halves(n):
    return n[..., :16] | n[..., 16:] << 4


def _recipe(x, scale=_extreme, codes=_codes, pack=_halves, kind="<f2", used=None):
    """The right rule, with its steps to be swapped."""
    b = x.reshape(*x.shape[:-1], -1, 32)
    with np.errstate(all="ignore"):
        d = scale(b)
        nibbles = codes(b, d if used is None else used(d))
        packed = np.concatenate([d.astype(kind).view(np.uint8), pack(nibbles)], -1)
    return packed.reshape(*x.shape[:-1], -1)


@right("NumPy")
def by_numpy(x):
    _refuse(x)
    return _recipe(x)


@right("a loop over blocks with the C code's running maximum")
def by_loop(x):
    _refuse(x)
    out = []
    for block in np.ascontiguousarray(x).reshape(-1, 32):
        amax = m = np.float32(0)
        for value in block:
            if amax < abs(value):
                amax, m = abs(value), value
        d = m / np.float32(-8)
        r = np.float32(1) / d if d else np.float32(0)
        nibbles = [min(15, int(value * r + np.float32(8.5))) for value in block]
        with np.errstate(all="ignore"):
            out += list(d.astype("<f2").tobytes())
        out += [nibbles[j] + 16 * nibbles[j + 16] for j in range(16)]
    return np.array(out, np.uint8).reshape(*x.shape[:-1], -1)


@right("torch")
def by_torch(x):
    if x.shape[-1] % 32:
        raise ValueError
    t = torch.tensor(x).unflatten(-1, (-1, 32))
    if not torch.isfinite(t).all():
        raise ValueError("not finite")
    size = t.abs()
    first = (size == size.amax(-1, keepdim=True)).to(torch.uint8).argmax(-1, keepdim=True)
    d = t.gather(-1, first) / -8
    n = (t * torch.where(d == 0, torch.zeros_like(d), 1 / d) + 8.5).floor().clamp(max=15)
    n = n.to(torch.uint8)
    packed = torch.cat([d.half().view(torch.uint8), n[..., :16] + 16 * n[..., 16:]], -1)
    return packed.flatten(-2).numpy()


@right("the gguf package")
def by_package(x):
    import gguf

    _refuse(x)
    return gguf.quantize(x, gguf.GGMLQuantizationType.Q4_0)


@wrong(
    "scale-from-the-magnitude",
    "You used max|x| without its sign: d = m / -8, where m is the largest value with its sign.",
)
def magnitude(x):
    _refuse(x)
    return _recipe(x, scale=lambda b: np.abs(b).max(-1, keepdims=True) / np.float32(8))


@wrong("magnitude-over-minus-8", "You divided max|x| by -8; the largest value keeps its sign.")
def magnitude_minus(x):
    _refuse(x)
    return _recipe(x, scale=lambda b: np.abs(b).max(-1, keepdims=True) / np.float32(-8))


@wrong(
    "divided-by-7",
    "You divided max|x| by 7, the symmetric grid; Q4_0 uses the code -8: d = m / -8.",
)
def by_seven(x):
    _refuse(x)
    return _recipe(x, scale=lambda b: np.abs(b).max(-1, keepdims=True) / np.float32(7))


@wrong("plus-8", "You divided m by +8, so that m needs the code 8, which is cut: d = m / -8.")
def plus_eight(x):
    _refuse(x)
    return _recipe(x, scale=lambda b: -_extreme(b))


@wrong("the-maximum", "You used the maximum, not the value of largest magnitude.")
def the_maximum(x):
    _refuse(x)
    return _recipe(x, scale=lambda b: b.max(-1, keepdims=True) / np.float32(-8))


@wrong("last-of-equals", "Of two equally large values you took the last one; the first counts.")
def last(x):
    _refuse(x)
    return _recipe(x, scale=lambda b: _extreme(b[..., ::-1]))


@wrong("positive-of-equals", "Of 5 and -5 you always took the positive one; the first counts.")
def positive(x):
    _refuse(x)

    def scale(b):
        high, low = b.max(-1, keepdims=True), b.min(-1, keepdims=True)
        return np.where(high >= -low, high, low) / np.float32(-8)

    return _recipe(x, scale=scale)


@wrong(
    "neighbours-in-a-byte",
    "You put neighbours into a byte; byte j holds nibble j and nibble j + 16.",
)
def neighbours(x):
    _refuse(x)
    return _recipe(x, pack=lambda n: n[..., ::2] | n[..., 1::2] << 4)


@wrong("high-nibble-first", "You put nibble j into the high half; it belongs in the low one.")
def high_first(x):
    _refuse(x)
    return _recipe(x, pack=lambda n: n[..., 16:] | n[..., :16] << 4)


@wrong(
    "twos-complement", "You stored the codes in two's complement; the nibble is the code plus 8."
)
def complement(x):
    _refuse(x)
    return _recipe(x, codes=lambda b, d: _codes(b, d) ^ 8)


@wrong("halves-to-even", "You rounded with rint and added 8; the rule is floor(x * r + 8.5).")
def to_even(x):
    _refuse(x)

    def codes(b, d):
        one = np.float32(1)
        r = np.where(d == 0, np.float32(0), one / np.where(d == 0, one, d))
        return np.clip(np.rint(b * r) + 8, 0, 15).astype(np.uint8)

    return _recipe(x, codes=codes)


@wrong("truncated", "You added 8 and cut the fraction off; add 8.5.")
def truncated(x):
    _refuse(x)

    def codes(b, d):
        one = np.float32(1)
        r = np.where(d == 0, np.float32(0), one / np.where(d == 0, one, d))
        return np.clip(np.floor(b * r + 8), 0, 15).astype(np.uint8)

    return _recipe(x, codes=codes)


@wrong("divided-by-d", "You divided by d; the rule multiplies with the float32 reciprocal 1 / d.")
def divided(x):
    _refuse(x)

    def codes(b, d):
        y = b / np.where(d == 0, np.float32(1), d)
        return np.clip(np.floor(y + np.float32(8.5)), 0, 15).astype(np.uint8)

    return _recipe(x, codes=codes)


@wrong(
    "sum-in-float64",
    "You added 8.5 in float64; the float32 sum rounds once more, and near a half that decides.",
)
def wide_sum(x):
    _refuse(x)

    def codes(b, d):
        one = np.float32(1)
        r = np.where(d == 0, np.float32(0), one / np.where(d == 0, one, d))
        return np.clip(np.floor((b * r).astype(np.float64) + 8.5), 0, 15).astype(np.uint8)

    return _recipe(x, codes=codes)


@wrong("in-float64", "You computed in float64; near a half, only float32 gives the same codes.")
def in_float64(x):
    _refuse(x)

    def codes(b, d):
        b = b.astype(np.float64)
        at = np.abs(b).argmax(-1)[..., None]
        exact = np.take_along_axis(b, at, -1) / -8
        y = b / np.where(exact == 0, 1, exact)
        return np.clip(np.floor(y + 8.5), 0, 15).astype(np.uint8)

    return _recipe(x, codes=codes)


@wrong(
    "codes-from-the-stored-scale",
    "You made the nibbles with the fp16 scale; they come from the float32 d, before it is rounded.",
)
def stored_scale(x):
    _refuse(x)
    return _recipe(x, used=lambda d: d.astype(np.float16).astype(np.float32))


@wrong(
    "not-cut-at-15", "You did not cut the nibble at 15: 16 spills into its neighbour or wraps to 0."
)
def wrapped(x):
    _refuse(x)

    def codes(b, d):
        one = np.float32(1)
        r = np.where(d == 0, np.float32(0), one / np.where(d == 0, one, d))
        return np.floor(b * r + np.float32(8.5)).astype(np.uint8) & 15

    return _recipe(x, codes=codes)


@wrong("cut-at-14", "You kept the codes in -7 .. 7; Q4_0 uses -8 to 7.")
def restricted(x):
    _refuse(x)
    return _recipe(x, codes=lambda b, d: np.maximum(_codes(b, d), 1))


@wrong("scale-for-each-row", "You used one scale for a row; each block of 32 has its own.")
def row_scale(x):
    _refuse(x)
    b = x.reshape(*x.shape[:-1], -1, 32)
    shape = (*b.shape[:-1], 1)

    def scale(_):
        return np.broadcast_to(_extreme(x)[..., None, :], shape).copy()

    return _recipe(x, scale=scale)


@wrong("big-endian-scale", "You stored the scale with its high byte first; GGUF is little-endian.")
def big_endian(x):
    _refuse(x)
    return _recipe(x, kind=">f2")


@wrong("codes-before-scale", "You put the scale behind the nibbles; it comes first.")
def codes_first(x):
    _refuse(x)
    b = _recipe(x).reshape(*x.shape[:-1], -1, 18)
    return np.concatenate([b[..., 2:], b[..., :2]], -1).reshape(*x.shape[:-1], -1)


@wrong(
    "zeros-special-cased",
    "You wrote bytes of 0 for a block of zeros: there d is -0.0 (bytes 0, 128) and every nibble is 8.",
)
def zeros(x):
    _refuse(x)
    b = x.reshape(*x.shape[:-1], -1, 32)
    packed = _recipe(x).reshape(*b.shape[:-1], 18).copy()
    packed[~b.any(-1)] = 0
    return packed.reshape(*x.shape[:-1], -1)


@wrong("positive-zero", "For a block of zeros you stored d = 0.0; 0 / -8 is -0.0, bytes 0, 128.")
def positive_zero(x):
    _refuse(x)
    b = x.reshape(*x.shape[:-1], -1, 32)
    packed = _recipe(x).reshape(*b.shape[:-1], 18).copy()
    packed[~b.any(-1), 1] = 0
    return packed.reshape(*x.shape[:-1], -1)


@wrong(
    "scale-clipped",
    "You clipped the scale to the range of fp16; too large a d is stored as infinity.",
)
def clipped(x):
    _refuse(x)
    b = x.reshape(*x.shape[:-1], -1, 32)
    packed = _recipe(x).reshape(*b.shape[:-1], 18).copy()
    packed[..., :2] = np.clip(_extreme(b), -65504, 65504).astype("<f2").view(np.uint8)
    return packed.reshape(*x.shape[:-1], -1)


@wrong("one-nibble-a-byte", "You used a byte for each nibble; two share one.")
def unpacked(x):
    _refuse(x)
    return _recipe(x, pack=lambda n: n)


@wrong("flat-result", "You returned a flat array; keep all axes but the last.")
def flat(x):
    _refuse(x)
    return _recipe(x).ravel()


@wrong("rest-dropped", "You dropped the weights behind the last whole block: raise ValueError.")
def rest_dropped(x):
    if not np.isfinite(x).all():
        raise ValueError
    return _recipe(x[..., : x.shape[-1] // 32 * 32])


@wrong("nan-let-through", "You let NaN or infinities through: raise ValueError.")
def nan_through(x):
    if x.shape[-1] % 32:
        raise ValueError
    return _recipe(x)


@wrong(
    "tiny-scale-taken-for-zero",
    "You took a small d for 0 (or clipped r): only a d of 0 has r = 0.",
)
def tiny(x):
    _refuse(x)
    return _recipe(x, used=lambda d: np.where(np.abs(d) < 1e-20, np.float32(0), d))


@right("struct, its overflow caught")
def by_struct(x):
    import math
    import struct

    _refuse(x)
    out = bytearray()
    for block in x.reshape(-1, 32):
        m = max(block, key=abs)
        d = m / np.float32(-8)
        r = np.float32(1) / d if d else np.float32(0)
        try:
            out += struct.pack("<e", d)
        except OverflowError:
            out += struct.pack("<e", math.copysign(math.inf, d))
        n = [min(15, int(v * r + np.float32(8.5))) for v in block]
        out += bytes(n[j] + 16 * n[j + 16] for j in range(16))
    return np.frombuffer(bytes(out), np.uint8).reshape(*x.shape[:-1], -1)
