"""Answers to q4-k-dequantize."""

import struct

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _split(data):
    if data.shape[-1] % 144:
        raise ValueError("no whole super-blocks")
    return data.reshape(*data.shape[:-1], -1, 144)


def _unpack(packed):
    a, b, c = packed[..., :4], packed[..., 4:8], packed[..., 8:]
    scales = np.concatenate([a & 63, c & 15 | a >> 6 << 4], -1)
    return scales, np.concatenate([b & 63, c >> 4 | b >> 6 << 4], -1)


def _half(raw):
    return np.ascontiguousarray(raw).view("<f2").astype(np.float32)


def _runs(raw):
    """Codes (..., 8, 32): low nibbles of a run of 32 bytes, then its high ones."""
    run = raw.reshape(*raw.shape[:-1], 4, 32)
    return np.stack([run & 15, run >> 4], -2).reshape(*raw.shape[:-1], 8, 32)


def _restore(data, unpack=_unpack, codes=_runs, formula=None, order=(0, 1)):
    b = _split(data)
    both = _half(b[..., :4])
    d, dmin = both[..., order[0], None, None], both[..., order[1], None, None]
    scales, minima = (part.astype(np.float32)[..., None] for part in unpack(b[..., 4:16]))
    q = codes(b[..., 16:]).astype(np.float32)
    with np.errstate(all="ignore"):
        if formula is None:
            weights = d * scales * q - dmin * minima
        else:
            weights = formula(d, dmin, scales, minima, q)
    return weights.astype(np.float32).reshape(*data.shape[:-1], -1)


@right("stacked nibbles")
def by_runs(data):
    return _restore(data)


@right("weight by weight in double")
def by_loop(data):
    if data.shape[-1] % 144:
        raise ValueError(data.shape)
    out = []
    for raw in np.ascontiguousarray(data).reshape(-1, 144):
        d, dmin = struct.unpack("<2e", raw[:4].tobytes())
        scales, minima = (part.tolist() for part in _unpack(raw[4:16]))
        codes = raw[16:].tolist()
        for i in range(256):
            byte = codes[32 * (i // 64) + i % 32]
            q = byte % 16 if i % 64 < 32 else byte // 16
            out.append(d * scales[i // 32] * q - dmin * minima[i // 32])
    return np.array(out, np.float32).reshape(*data.shape[:-1], data.shape[-1] // 144 * 256)


@right("integers first, then the scales")
def integers_first(data):
    return _restore(
        data, formula=lambda d, dmin, s, m, q: d.astype(np.float64) * (s * q) - dmin * m
    )


@right("torch")
def by_torch(data):
    b = _split(data)
    lead = b.shape[:-1]
    both = torch.tensor(_half(b[..., :4]))
    s, m = (torch.tensor(part) for part in _unpack(b[..., 4:16]))
    run = torch.tensor(b[..., 16:].copy()).reshape(*lead, 4, 32)
    q = torch.stack([run & 15, run >> 4], -2).reshape(*lead, 8, 32)
    w = (both[..., :1] * s).unsqueeze(-1) * q - (both[..., 1:] * m).unsqueeze(-1)
    return w.reshape(*data.shape[:-1], -1).numpy()


@wrong("minimum-added", "You added the minimum; Q4_K subtracts dmin * m.")
def added(data):
    return _restore(data, formula=lambda d, dmin, s, m, q: d * s * q + dmin * m)


@wrong("minimum-forgotten", "You left the minimum out: the weight is d * s * q - dmin * m.")
def no_minimum(data):
    return _restore(data, formula=lambda d, dmin, s, m, q: d * s * q)


@wrong(
    "minimum-scaled-by-d", "You multiplied the minima with d; they have a unit of their own, dmin."
)
def same_unit(data):
    return _restore(data, formula=lambda d, dmin, s, m, q: d * s * q - d * m)


@wrong(
    "minimum-inside",
    "You subtracted m from the code before multiplying; minimum and scale are separate.",
)
def zero_point(data):
    return _restore(data, formula=lambda d, dmin, s, m, q: d * s * (q - m))


@wrong("dmin-first", "You read dmin before d.")
def swapped_units(data):
    return _restore(data, order=(1, 0))


@wrong(
    "eight-subtracted",
    "You subtracted 8 from the codes; in Q4_K they are 0 to 15, the minimum shifts them.",
)
def centred(data):
    return _restore(data, codes=lambda raw: _runs(raw).astype(np.int8) - 8)


@wrong(
    "neighbours-in-a-byte", "You took a byte's nibbles for neighbours; they are 32 weights apart."
)
def neighbours(data):
    def codes(raw):
        return np.stack([raw & 15, raw >> 4], -1).reshape(*raw.shape[:-1], 8, 32)

    return _restore(data, codes=codes)


@wrong("q4-0-order", "You used Q4_0's order, runs of 16 bytes; in Q4_K a run has 32 bytes.")
def legacy_order(data):
    def codes(raw):
        run = raw.reshape(*raw.shape[:-1], 8, 16)
        return np.concatenate([run & 15, run >> 4], -1)

    return _restore(data, codes=codes)


@wrong(
    "all-low-first", "You put all 128 low nibbles first; low and high take turns every 32 weights."
)
def low_first(data):
    def codes(raw):
        return np.concatenate([raw & 15, raw >> 4], -1).reshape(*raw.shape[:-1], 8, 32)

    return _restore(data, codes=codes)


@wrong(
    "high-nibble-first",
    "You read the high nibbles of a run first; the low ones are the earlier sub-block.",
)
def high_first(data):
    def codes(raw):
        run = raw.reshape(*raw.shape[:-1], 4, 32)
        return np.stack([run >> 4, run & 15], -2).reshape(*raw.shape[:-1], 8, 32)

    return _restore(data, codes=codes)


@wrong("scales-at-the-end", "You looked for the scales behind the codes; they stand before them.")
def scales_last(data):
    b = _split(data)
    moved = np.concatenate([b[..., :4], b[..., 132:], b[..., 4:132]], -1)
    return _restore(moved.reshape(data.shape))


@wrong("top-bits-forgotten", "You left out the top two bits of scales and minima 4 to 7.")
def no_top(data):
    def unpack(packed):
        a, b, c = packed[..., :4], packed[..., 4:8], packed[..., 8:]
        return np.concatenate([a & 63, c & 15], -1), np.concatenate([b & 63, c >> 4], -1)

    return _restore(data, unpack=unpack)


@wrong(
    "scales-as-bytes",
    "You took the first eight of the twelve bytes as scales; unpack the 6-bit numbers.",
)
def as_bytes(data):
    return _restore(data, unpack=lambda p: (p[..., :8], np.concatenate([p[..., 8:]] * 2, -1)))


@wrong("scale-over-63", "You divided the scales by 63; they are integers in units of d.")
def shares(data):
    return _restore(data, formula=lambda d, dmin, s, m, q: d * (s / 63) * q - dmin * (m / 63))


@wrong("float16-arithmetic", "You computed in fp16, which loses digits and overflows; use float32.")
def in_half(data):
    return _restore(
        data,
        formula=lambda d, dmin, s, m, q: (
            (d.astype(np.float16) * s.astype(np.float16)) * q.astype(np.float16)
            - dmin.astype(np.float16) * m.astype(np.float16)
        ),
    )


@wrong("float64-weights", "You returned float64; the weights are float32.")
def wide(data):
    return _restore(data).astype(np.float64)


@wrong("flat-result", "You returned a flat array; keep all axes but the last.")
def flat(data):
    return _restore(data).ravel()


@wrong("rest-dropped", "You dropped bytes behind the last whole super-block: raise ValueError.")
def rest_dropped(data):
    return _restore(data[..., : data.shape[-1] // 144 * 144])


@wrong(
    "blocks-across-rows",
    "You let blocks run across rows; raise ValueError where 144 does not divide a row's bytes.",
)
def across(data):
    return _restore(data.reshape(-1, 144)).reshape(*data.shape[:-1], -1)
