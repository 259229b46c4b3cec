"""Answers to q4-0-dequantize."""

import struct

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _split(data, length=18):
    if data.shape[-1] % length:
        raise ValueError("no whole blocks")
    return data.reshape(*data.shape[:-1], -1, length)


def _half(raw, kind="<f2"):
    return np.ascontiguousarray(raw).view(kind).astype(np.float32)


def _nibbles(raw):
    return np.concatenate([raw & 15, raw >> 4], -1)


def _restore(data, d=None, nibbles=_nibbles, shift=8):
    b = _split(data)
    d = _half(b[..., :2]) if d is None else d(b)
    with np.errstate(all="ignore"):
        weights = d * (nibbles(b[..., 2:]).astype(np.float32) - np.float32(shift))
    return weights.reshape(*data.shape[:-1], -1)


@right("concatenated nibbles")
def by_views(data):
    return _restore(data)


@right("struct, one block after the other")
def by_struct(data):
    if data.shape[-1] % 18:
        raise ValueError(data.shape)
    out = []
    for d, *raw in struct.iter_unpack("<e16B", np.ascontiguousarray(data).tobytes()):
        out += [d * (byte % 16 - 8) for byte in raw]
        out += [d * (byte // 16 - 8) for byte in raw]
    return np.array(out, np.float32).reshape(*data.shape[:-1], data.shape[-1] // 18 * 32)


@right("a table of sixteen weights for each block")
def by_table(data):
    b = _split(data)
    table = _half(b[..., :2]) * np.arange(-8, 8, dtype=np.float32)
    weights = np.take_along_axis(table, _nibbles(b[..., 2:]).astype(np.int64), -1)
    return weights.reshape(*data.shape[:-1], -1)


@right("torch")
def by_torch(data):
    if data.shape[-1] % 18:
        raise ValueError
    t = torch.tensor(data).unflatten(-1, (-1, 18))
    d = t[..., :2].contiguous().view(torch.float16).double()
    codes = torch.cat([t[..., 2:] & 15, t[..., 2:] >> 4], -1).to(torch.int8) - 8
    return (d * codes).float().flatten(-2).numpy()


@wrong(
    "neighbours-in-a-byte",
    "You took a byte's nibbles for neighbours; they are weights j and j + 16.",
)
def neighbours(data):
    def nibbles(raw):
        return np.stack([raw & 15, raw >> 4], -1).reshape(*raw.shape[:-1], 32)

    return _restore(data, nibbles=nibbles)


@wrong("high-nibble-first", "You read the high nibbles first; the low ones are weights 0 to 15.")
def high_first(data):
    return _restore(data, nibbles=lambda raw: np.concatenate([raw >> 4, raw & 15], -1))


@wrong(
    "twos-complement", "You read the nibbles in two's complement; the code is the nibble minus 8."
)
def complement(data):
    return _restore(data, nibbles=lambda raw: _nibbles(raw) ^ 8)


@wrong("eight-not-subtracted", "You did not subtract 8 from the nibbles.")
def no_shift(data):
    return _restore(data, shift=0)


@wrong("seven-subtracted", "You subtracted 7; the nibble of code 0 is 8.")
def seven(data):
    return _restore(data, shift=7)


@wrong(
    "middle-subtracted", "You subtracted 7.5, the middle of 0 .. 15; Q4_0 has a code for zero, 8."
)
def middle(data):
    return _restore(data, shift=7.5)


@wrong("uint8-wraps", "You subtracted 8 in uint8, where 3 - 8 is 251: widen the nibbles first.")
def wraps(data):
    return _restore(data, nibbles=lambda raw: _nibbles(raw) - np.uint8(8), shift=0)


@wrong("big-endian-scale", "You read the scale with its high byte first; GGUF is little-endian.")
def big_endian(data):
    return _restore(data, d=lambda b: _half(b[..., :2], ">f2"))


@wrong("scale-at-the-end", "You looked for the scale behind the nibbles; it comes first.")
def at_the_end(data):
    b = _split(data)
    moved = np.concatenate([b[..., 16:], b[..., :16]], -1)
    return _restore(moved.reshape(data.shape))


@wrong("scale-without-sign", "You dropped the sign of the scale; in Q4_0 it is often negative.")
def no_sign(data):
    return _restore(data, d=lambda b: np.abs(_half(b[..., :2])))


@wrong("sign-turned", "You negated the scale: d is stored with the sign that it has.")
def turned(data):
    return _restore(data, d=lambda b: -_half(b[..., :2]))


@wrong("first-scale-for-all", "You used the first block's scale for the whole row.")
def first_scale(data):
    return _restore(data, d=lambda b: _half(b[..., :1, :2]))


@wrong("low-nibble-twice", "You used the low nibbles for both halves of the block.")
def low_twice(data):
    return _restore(data, nibbles=lambda raw: np.concatenate([raw & 15, raw & 15], -1))


@wrong("float16-product", "You multiplied in fp16, which loses digits and overflows; use float32.")
def in_half(data):
    b = _split(data)
    with np.errstate(all="ignore"):
        d = np.ascontiguousarray(b[..., :2]).view("<f2")
        w = d * (_nibbles(b[..., 2:]).astype(np.int8) - np.int8(8))
    return w.astype(np.float32).reshape(*data.shape[:-1], -1)


@wrong("float64-weights", "You returned float64; the weights are float32.")
def wide(data):
    return _restore(data).astype(np.float64)


@wrong("flat-result", "You returned a flat array; keep all axes but the last.")
def flat(data):
    return _restore(data).ravel()


@wrong("rest-dropped", "You dropped bytes behind the last whole block: raise ValueError.")
def rest_dropped(data):
    return _restore(data[..., : data.shape[-1] // 18 * 18])


@wrong(
    "blocks-across-rows",
    "You let blocks run across rows; raise ValueError where 18 does not divide a row's bytes.",
)
def across(data):
    return _restore(data.reshape(-1, 18)).reshape(*data.shape[:-1], -1)
