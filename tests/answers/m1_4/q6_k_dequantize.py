"""Answers to q6-k-dequantize."""

import struct

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _split(data):
    if data.shape[-1] % 210:
        raise ValueError("no whole super-blocks")
    return data.reshape(*data.shape[:-1], -1, 210)


def _half(raw):
    return np.ascontiguousarray(raw).view("<f2").astype(np.float32)


def _low(ql):
    half = ql.reshape(*ql.shape[:-1], 2, 64)
    return np.concatenate([half & 15, half >> 4], -1).reshape(*ql.shape[:-1], 256)


def _high(qh, shifts=(0, 2, 4, 6)):
    half = qh.reshape(*qh.shape[:-1], 2, 32)
    return np.concatenate([half >> s & 3 for s in shifts], -1).reshape(*qh.shape[:-1], 256)


def _restore(data, low=_low, high=_high, join=None, scales=None, d=None, size=16):
    b = _split(data)
    parts = low(b[..., :128]).astype(np.int32), high(b[..., 128:192]).astype(np.int32)
    codes = parts[0] + 16 * parts[1] - 32 if join is None else join(*parts)
    raw = b[..., 192:208]
    s = np.ascontiguousarray(raw).view(np.int8) if scales is None else scales(raw)
    unit = _half(b[..., 208:]) if d is None else d(b)
    spread = np.repeat(s.astype(np.float32), size, -1)[..., :256]
    with np.errstate(all="ignore"):
        weights = unit * spread * codes.astype(np.float32)
    return weights.astype(np.float32).reshape(*data.shape[:-1], -1)


@right("halves and runs")
def by_halves(data):
    return _restore(data)


@right("weight by weight, as the text has it")
def by_loop(data):
    if data.shape[-1] % 210:
        raise ValueError(data.shape)
    out = []
    for raw in np.ascontiguousarray(data).reshape(-1, 210):
        ql, qh = raw[:128].tolist(), raw[128:192].tolist()
        *scales, d = struct.unpack("<16be", raw[192:].tobytes())
        for i in range(256):
            h, g, place = i // 128, i % 128 // 32, i % 32
            byte = ql[64 * h + 32 * (g % 2) + place]
            low = byte % 16 if g < 2 else byte // 16
            code = low + 16 * (qh[32 * h + place] >> 2 * g & 3) - 32
            out.append(d * scales[i // 16] * code)
    return np.array(out, np.float32).reshape(*data.shape[:-1], data.shape[-1] // 210 * 256)


@right("llama.cpp's four weights at a time")
def by_fours(data):
    b = _split(data)
    lead = b.shape[:-1]
    codes = np.empty((*lead, 256), np.int16)
    for h in range(2):
        ql = b[..., 64 * h : 64 * h + 64].astype(np.int16)
        qh = b[..., 128 + 32 * h : 160 + 32 * h].astype(np.int16)
        at = 128 * h
        codes[..., at : at + 32] = (ql[..., :32] & 15 | (qh & 3) << 4) - 32
        codes[..., at + 32 : at + 64] = (ql[..., 32:] & 15 | (qh >> 2 & 3) << 4) - 32
        codes[..., at + 64 : at + 96] = (ql[..., :32] >> 4 | (qh >> 4 & 3) << 4) - 32
        codes[..., at + 96 : at + 128] = (ql[..., 32:] >> 4 | (qh >> 6 & 3) << 4) - 32
    scales = np.ascontiguousarray(b[..., 192:208]).view(np.int8).astype(np.float64)
    d = np.ascontiguousarray(b[..., 208:]).view("<f2").astype(np.float64)
    weights = d[..., None] * (scales[..., None] * codes.reshape(*lead, 16, 16))
    return weights.astype(np.float32).reshape(*data.shape[:-1], -1)


@right("torch")
def by_torch(data):
    b = torch.tensor(_split(data))
    lead = b.shape[:-1]
    ql, qh = b[..., :128].reshape(*lead, 2, 64), b[..., 128:192].reshape(*lead, 2, 32)
    low = torch.cat([ql & 15, ql >> 4], -1)
    high = torch.cat([qh >> s & 3 for s in (0, 2, 4, 6)], -1)
    codes = (low + 16 * high).to(torch.int16) - 32
    scales = b[..., 192:208].contiguous().view(torch.int8).float()
    d = b[..., 208:].contiguous().view(torch.float16).float()
    w = (d * scales).unsqueeze(-1) * codes.reshape(*lead, 16, 16)
    return w.reshape(*data.shape[:-1], -1).numpy()


@wrong("scales-unsigned", "You read the scales as uint8; in Q6_K they are int8.")
def unsigned(data):
    return _restore(data, scales=lambda raw: raw)


@wrong("thirty-two-not-subtracted", "You did not subtract 32: the codes are -32 to 31.")
def not_shifted(data):
    return _restore(data, join=lambda low, high: low + 16 * high)


@wrong("thirty-one-subtracted", "You subtracted 31; the stored code of 0 is 32.")
def thirty_one(data):
    return _restore(data, join=lambda low, high: low + 16 * high - 31)


@wrong("twos-complement", "You read the six bits in two's complement; subtract 32.")
def complement(data):
    return _restore(data, join=lambda low, high: ((low + 16 * high) ^ 32) - 32)


@wrong("top-bits-below", "You put the two bits of qh below the four of ql; they are the top ones.")
def below(data):
    return _restore(data, join=lambda low, high: 4 * low + high - 32)


@wrong("top-bits-forgotten", "You left out the two bits of qh.")
def no_high(data):
    return _restore(data, join=lambda low, high: low - 32)


@wrong("d-first", "You read d from the first two bytes; in Q6_K it stands at the end.")
def d_first(data):
    b = _split(data)
    moved = np.concatenate([b[..., 2:], b[..., :2]], -1)
    return _restore(moved.reshape(data.shape))


@wrong(
    "runs-in-q4-k-order",
    "You took low and high nibbles of 32 bytes in turn, as in Q4_K; here the runs have 64 bytes.",
)
def q4_k_order(data):
    def low(ql):
        run = ql.reshape(*ql.shape[:-1], 4, 32)
        return np.concatenate([run & 15, run >> 4], -1).reshape(*ql.shape[:-1], 256)

    return _restore(data, low=low)


@wrong(
    "halves-joined",
    "You took all 128 low nibbles first; each half of 128 weights has 64 bytes of its own.",
)
def all_low(data):
    return _restore(data, low=lambda ql: np.concatenate([ql & 15, ql >> 4], -1))


@wrong(
    "qh-halves-joined", "You spread qh over 256 weights at once; each half has 32 bytes of its own."
)
def all_high(data):
    return _restore(data, high=lambda qh: np.concatenate([qh >> s & 3 for s in (0, 2, 4, 6)], -1))


@wrong("neighbours-in-ql", "You took a byte's nibbles for neighbours; they are 64 weights apart.")
def neighbours(data):
    def low(ql):
        return np.stack([ql & 15, ql >> 4], -1).reshape(*ql.shape[:-1], 256)

    return _restore(data, low=low)


@wrong(
    "neighbours-in-qh",
    "You took the four pairs of bits of a byte for neighbours; they are 32 weights apart.",
)
def neighbours_high(data):
    def high(qh):
        return np.stack([qh >> s & 3 for s in (0, 2, 4, 6)], -1).reshape(*qh.shape[:-1], 256)

    return _restore(data, high=high)


@wrong(
    "high-nibbles-first", "You read the high nibbles of ql first; runs 0 and 1 are the low ones."
)
def high_first(data):
    def low(ql):
        half = ql.reshape(*ql.shape[:-1], 2, 64)
        return np.concatenate([half >> 4, half & 15], -1).reshape(*ql.shape[:-1], 256)

    return _restore(data, low=low)


@wrong(
    "shifts-reversed", "You took the pairs of bits of qh from the top; run 0 has the lowest two."
)
def reversed_shifts(data):
    return _restore(data, high=lambda qh: _high(qh, (6, 4, 2, 0)))


@wrong("shift-by-one", "You shifted qh by g; a run has two bits, so shift by 2 * g.")
def short_shifts(data):
    return _restore(data, high=lambda qh: _high(qh, (0, 1, 2, 3)))


@wrong("scales-for-32", "You used a scale for 32 weights; Q6_K has one for each 16.")
def coarse(data):
    return _restore(data, scales=lambda raw: np.ascontiguousarray(raw).view(np.int8), size=32)


@wrong("uint8-wraps", "You subtracted 32 in uint8, where 3 - 32 is 227: widen the codes first.")
def wraps(data):
    return _restore(data, join=lambda low, high: (low + 16 * high - 32) % 256)


@wrong(
    "float16-arithmetic", "You multiplied in fp16, which loses digits and overflows; use float32."
)
def in_half(data):
    def d(b):
        return np.ascontiguousarray(b[..., 208:]).view("<f2")

    b = _split(data)
    codes = (_low(b[..., :128]).astype(np.int16) + 16 * _high(b[..., 128:192]) - 32).astype(
        np.float16
    )
    s = np.repeat(np.ascontiguousarray(b[..., 192:208]).view(np.int8), 16, -1)
    with np.errstate(all="ignore"):
        w = d(b) * s.astype(np.float16) * codes
    return w.astype(np.float32).reshape(*data.shape[:-1], -1)


@wrong("float64-weights", "You returned float64; the weights are float32.")
def wide(data):
    return _restore(data).astype(np.float64)


@wrong("flat-result", "You returned a flat array; keep all axes but the last.")
def flat(data):
    return _restore(data).ravel()


@wrong("rest-dropped", "You dropped bytes behind the last whole super-block: raise ValueError.")
def rest_dropped(data):
    return _restore(data[..., : data.shape[-1] // 210 * 210])


@wrong(
    "blocks-across-rows",
    "You let blocks run across rows; raise ValueError where 210 does not divide a row's bytes.",
)
def across(data):
    return _restore(data.reshape(-1, 210)).reshape(*data.shape[:-1], -1)
