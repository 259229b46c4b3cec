"""Answers to nf4-dequantize."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(packed, scales, shape, block_size):
    n = math.prod(shape)
    if packed.size != (n + 1) // 2 or scales.size != (n + block_size - 1) // block_size:
        raise ValueError("the lengths do not fit")
    return n


def _restore(packed, scales, levels, shape, block_size, first=4, second=0, number=None):
    n = _refuse(packed, scales, shape, block_size)
    codes = np.stack([packed >> first & 15, packed >> second & 15], axis=1).ravel()[:n]
    number = np.arange(n) // block_size if number is None else number(n)
    return (levels[codes] * scales[number]).reshape(shape).astype(np.float32)


@right("indexing with the block's number")
def by_index(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size)


@right("a loop in float64")
def by_loop(packed, scales, levels, shape, block_size=64):
    n = _refuse(packed, scales, shape, block_size)
    out = np.empty(n)
    for i in range(n):
        byte = int(packed[i // 2])
        code = byte // 16 if i % 2 == 0 else byte % 16
        out[i] = float(levels[code]) * float(scales[i // block_size])
    return out.astype(np.float32).reshape(shape)


@right("torch")
def by_torch(packed, scales, levels, shape, block_size=64):
    n = math.prod(shape)
    if len(packed) * 2 not in (n, n + 1) or len(scales) != math.ceil(n / block_size):
        raise ValueError("packed or scales of a wrong length")
    p = torch.tensor(packed)
    codes = torch.stack([p >> 4, p & 15], 1).flatten()[:n].long()
    spread = torch.tensor(scales).repeat_interleave(block_size)[:n]
    return (torch.tensor(levels)[codes] * spread).reshape(shape).numpy()


@wrong(
    "low-nibble-first",
    "You read the low nibble first, so that neighbours are swapped; the first code is in the high one.",
)
def low_first(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size, first=0, second=4)


@wrong("high-nibble-twice", "You used the high nibble for both values of a byte.")
def high_twice(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size, second=4)


@wrong(
    "codes-not-interleaved",
    "You put all high nibbles before all low ones; the two codes of a byte are neighbours.",
)
def concatenated(packed, scales, levels, shape, block_size=64):
    n = _refuse(packed, scales, shape, block_size)
    codes = np.concatenate([packed >> 4, packed & 15])[:n]
    return (levels[codes] * np.repeat(scales, block_size)[:n]).reshape(shape)


@wrong("not-scaled", "You returned the levels without their scale.")
def not_scaled(packed, scales, levels, shape, block_size=64):
    n = _refuse(packed, scales, shape, block_size)
    codes = np.stack([packed >> 4, packed & 15], axis=1).ravel()[:n]
    return levels[codes].reshape(shape)


@wrong("divided-by-the-scale", "You divided by the scale; restoring multiplies.")
def divided(packed, scales, levels, shape, block_size=64):
    n = _refuse(packed, scales, shape, block_size)
    codes = np.stack([packed >> 4, packed & 15], axis=1).ravel()[:n]
    with np.errstate(all="ignore"):
        return (levels[codes] / np.repeat(scales, block_size)[:n]).reshape(shape)


@wrong("first-scale-for-all", "You used the first scale for every block.")
def first_scale(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size, number=lambda n: np.zeros(n, int))


@wrong(
    "scales-tiled",
    "You repeated the row of scales (np.tile); each scale is repeated block_size times (np.repeat).",
)
def tiled(packed, scales, levels, shape, block_size=64):
    count = len(scales)
    return _restore(
        packed, scales, levels, shape, block_size, number=lambda n: np.arange(n) % count
    )


@wrong(
    "blocks-of-bytes",
    "You counted block_size in bytes; a block has block_size values, half as many bytes.",
)
def byte_blocks(packed, scales, levels, shape, block_size=64):
    return _restore(
        packed, scales, levels, shape, block_size, number=lambda n: np.arange(n) // 2 // block_size
    )


@wrong("block-size-ignored", "You wrote 64 where `block_size` belongs.")
def always_64(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size, number=lambda n: np.arange(n) // 64)


@wrong("flat-result", "You returned a flat array; reshape it to `shape`.")
def flat(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size).ravel()


@wrong("filled-by-columns", "You filled the result by columns; it is in row-major order.")
def by_columns(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size).ravel().reshape(shape, order="F")


@wrong("float64-weights", "You returned float64; the weights are float32.")
def wide(packed, scales, levels, shape, block_size=64):
    return _restore(packed, scales, levels, shape, block_size).astype(np.float64)


@wrong(
    "float16-product",
    "You multiplied in float16, which loses digits and small scales; stay in float32.",
)
def halves(packed, scales, levels, shape, block_size=64):
    small = _restore(
        packed, scales.astype(np.float16), levels.astype(np.float16), shape, block_size
    )
    return small.astype(np.float32)


@wrong("levels-hard-coded", "You used a grid of your own; the levels are an argument.")
def own_levels(packed, scales, levels, shape, block_size=64):
    even = (np.arange(16, dtype=np.float32) - 7) / 8
    return _restore(packed, scales, even, shape, block_size)


@wrong("odd-shapes-refused", "You refuse an odd number of weights; the last low nibble is padding.")
def even_only(packed, scales, levels, shape, block_size=64):
    if math.prod(shape) % 2:
        raise ValueError("odd")
    return _restore(packed, scales, levels, shape, block_size)


@wrong(
    "absolute-scale",
    "You took |scale|: a restored scale may be a little below 0, and is used as it is.",
)
def absolute(packed, scales, levels, shape, block_size=64):
    return _restore(packed, np.abs(scales), levels, shape, block_size)


@wrong(
    "lengths-not-checked",
    "You go on with too few or too many bytes or scales; raise ValueError.",
)
def unchecked(packed, scales, levels, shape, block_size=64):
    n = math.prod(shape)
    codes = np.stack([packed >> 4, packed & 15], axis=1).ravel()
    codes = np.resize(codes, n)
    spread = np.resize(np.repeat(scales, block_size), n)
    return (levels[codes] * spread).reshape(shape)


@wrong("scale-count-not-checked", "You check the bytes only; raise ValueError for the scales too.")
def scales_unchecked(packed, scales, levels, shape, block_size=64):
    n = math.prod(shape)
    if packed.size != (n + 1) // 2:
        raise ValueError("bytes")
    codes = np.stack([packed >> 4, packed & 15], axis=1).ravel()[:n]
    spread = np.resize(np.repeat(scales, block_size), n)
    return (levels[codes] * spread).reshape(shape)


@wrong("bytes-left-over", "There were more bytes than the shape needs; raise ValueError.")
def bytes_left_over(packed, scales, levels, shape, block_size=64):
    needed = (math.prod(shape) + 1) // 2
    if packed.size < needed:
        raise ValueError("too few bytes")
    return _restore(packed[:needed], scales, levels, shape, block_size)
