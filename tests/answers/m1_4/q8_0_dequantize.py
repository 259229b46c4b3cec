"""Answers to q8-0-dequantize."""

import struct

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _split(data, length=34):
    if data.shape[-1] % length:
        raise ValueError("no whole blocks")
    return data.reshape(*data.shape[:-1], -1, length)


def _half(raw, kind="<f2"):
    return np.ascontiguousarray(raw).view(kind).astype(np.float32)


def _restore(data, d=None, codes=None):
    b = _split(data)
    d = _half(b[..., :2]) if d is None else d(b)
    q = np.ascontiguousarray(b[..., 2:]).view(np.int8) if codes is None else codes(b)
    with np.errstate(all="ignore"):
        return (d * q.astype(np.float32)).reshape(*data.shape[:-1], -1)


@right("views")
def by_views(data):
    return _restore(data)


@right("struct, one block after the other")
def by_struct(data):
    if data.shape[-1] % 34:
        raise ValueError(data.shape)
    out = []
    for d, *codes in struct.iter_unpack("<e32b", np.ascontiguousarray(data).tobytes()):
        out += [d * q for q in codes]
    return np.array(out, np.float32).reshape(*data.shape[:-1], data.shape[-1] // 34 * 32)


@right("a structured dtype")
def by_dtype(data):
    if data.shape[-1] % 34:
        raise ValueError
    b = np.ascontiguousarray(data).view(np.dtype([("d", "<f2"), ("q", "i1", 32)]))
    weights = b["d"][..., None].astype(np.float64) * b["q"]
    return weights.astype(np.float32).reshape(*data.shape[:-1], -1)


@right("torch")
def by_torch(data):
    if data.shape[-1] % 34:
        raise ValueError
    t = torch.tensor(data).unflatten(-1, (-1, 34))
    d = t[..., :2].contiguous().view(torch.float16).float()
    return (d * t[..., 2:].contiguous().view(torch.int8)).flatten(-2).numpy()


@wrong("codes-unsigned", "You read the codes as uint8; they are signed, 255 is -1.")
def unsigned(data):
    return _restore(data, codes=lambda b: b[..., 2:])


@wrong("offset-codes", "You subtracted 128 from the bytes; the codes are int8 in two's complement.")
def offset(data):
    return _restore(data, codes=lambda b: b[..., 2:].astype(np.int16) - 128)


@wrong("big-endian-scale", "You read the scale with its high byte first; GGUF is little-endian.")
def big_endian(data):
    return _restore(data, d=lambda b: _half(b[..., :2], ">f2"))


@wrong("scale-at-the-end", "You looked for the scale behind the codes; it comes first.")
def at_the_end(data):
    return _restore(
        data,
        d=lambda b: _half(b[..., 32:]),
        codes=lambda b: np.ascontiguousarray(b[..., :32]).view(np.int8),
    )


@wrong("bfloat16-scale", "You read the scale as bfloat16; it is fp16.")
def bfloat(data):
    def d(b):
        wide = np.zeros((*b.shape[:-1], 4), np.uint8)
        wide[..., 2:] = b[..., :2]
        return wide.view("<f4")

    return _restore(data, d=d)


@wrong("scale-as-an-integer", "You read the scale's bits as an integer; they are an fp16.")
def integer(data):
    return _restore(data, d=lambda b: _half(b[..., :2], "<u2"))


@wrong("first-scale-for-all", "You used the first block's scale for the whole row.")
def first_scale(data):
    return _restore(data, d=lambda b: _half(b[..., :1, :2]))


@wrong("scale-without-sign", "You dropped the sign of the scale.")
def no_sign(data):
    return _restore(data, d=lambda b: np.abs(_half(b[..., :2])))


@wrong("divided-by-127", "You divided by 127 once more; d is the size of one step already.")
def by_127(data):
    return _restore(data, d=lambda b: _half(b[..., :2]) / np.float32(127))


@wrong("float16-product", "You multiplied in fp16, which loses digits and overflows; use float32.")
def in_half(data):
    b = _split(data)
    with np.errstate(all="ignore"):
        w = np.ascontiguousarray(b[..., :2]).view("<f2") * np.ascontiguousarray(b[..., 2:]).view(
            np.int8
        )
    return w.astype(np.float32).reshape(*data.shape[:-1], -1)


@wrong("float64-weights", "You returned float64; the weights are float32.")
def wide(data):
    return _restore(data).astype(np.float64)


@wrong("subnormals-dropped", "You took subnormal scales for 0.")
def no_subnormals(data):
    def d(b):
        value = _half(b[..., :2])
        return np.where(np.abs(value) < 6.1e-5, np.float32(0), value)

    return _restore(data, d=d)


@wrong("flat-result", "You returned a flat array; keep all axes but the last.")
def flat(data):
    return _restore(data).ravel()


@wrong(
    "blocks-apart", "You left the blocks on an axis of their own; join them along the last axis."
)
def unjoined(data):
    w = _restore(data)
    return w.reshape(*w.shape[:-1], -1, 32)


@wrong("rest-dropped", "You dropped bytes behind the last whole block: raise ValueError.")
def rest_dropped(data):
    return _restore(data[..., : data.shape[-1] // 34 * 34])


@wrong(
    "blocks-across-rows",
    "You let blocks run across rows; raise ValueError where 34 does not divide a row's bytes.",
)
def across(data):
    return _restore(data.reshape(-1, 34)).reshape(*data.shape[:-1], -1)
