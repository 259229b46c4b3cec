"""Answers to unpack-k-scales."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _slices(packed):
    if packed.shape[-1] != 12:
        raise ValueError("12 bytes hold the scales and minima")
    return packed[..., :4], packed[..., 4:8], packed[..., 8:]


def _join(*pairs):
    return tuple(np.concatenate(pair, -1) for pair in pairs)


@right("slices, masks and shifts")
def by_slices(packed):
    a, b, c = _slices(packed)
    return _join((a & 63, c & 15 | a >> 6 << 4), (b & 63, c >> 4 | b >> 6 << 4))


@right("llama.cpp's get_scale_min_k4, one number at a time")
def by_loop(packed):
    if packed.shape[-1] != 12:
        raise ValueError(packed.shape)
    scales = np.zeros((*packed.shape[:-1], 8), np.uint8)
    minima = np.zeros_like(scales)
    for j in range(8):
        q = packed
        if j < 4:
            scales[..., j], minima[..., j] = q[..., j] & 63, q[..., j + 4] & 63
        else:
            scales[..., j] = (q[..., j + 4] & 0xF) | ((q[..., j - 4] >> 6) << 4)
            minima[..., j] = (q[..., j + 4] >> 4) | ((q[..., j] >> 6) << 4)
    return scales, minima


@right("integer arithmetic, as a list")
def by_division(packed):
    a, b, c = (part.astype(np.int64) for part in _slices(packed))
    both = _join((a % 64, c % 16 + a // 64 * 16), (b % 64, c // 16 + b // 64 * 16))
    return [part.astype(np.uint8) for part in both]


@right("torch")
def by_torch(packed):
    a, b, c = (torch.tensor(part) for part in _slices(packed))
    scales = torch.cat([a & 63, (c & 15) + (a >> 6) * 16], -1)
    minima = torch.cat([b & 63, (c >> 4) + (b >> 6) * 16], -1)
    return scales.numpy(), minima.numpy()


@wrong(
    "nibbles-swapped", "You took the scales from the high nibbles and the minima from the low ones."
)
def swapped(packed):
    a, b, c = _slices(packed)
    return _join((a & 63, c >> 4 | a >> 6 << 4), (b & 63, c & 15 | b >> 6 << 4))


@wrong("scales-and-minima-swapped", "You returned the minima first.")
def other_order(packed):
    return by_slices(packed)[::-1]


@wrong("top-bits-forgotten", "You left out the top two bits of numbers 4 to 7.")
def no_top(packed):
    a, b, c = _slices(packed)
    return _join((a & 63, c & 15), (b & 63, c >> 4))


@wrong(
    "top-bits-at-the-bottom", "You put the two extra bits below the nibble; they are the top ones."
)
def at_the_bottom(packed):
    a, b, c = _slices(packed)
    return _join((a & 63, (c & 15) << 2 | a >> 6), (b & 63, c >> 4 << 2 | b >> 6))


@wrong("top-bits-at-6", "You left the two extra bits in places 6 and 7; they belong in 4 and 5.")
def not_moved(packed):
    a, b, c = _slices(packed)
    return _join((a & 63, c & 15 | a & 192), (b & 63, c >> 4 | b & 192))


@wrong(
    "top-bits-crossed",
    "You gave the scales the top bits of bytes 4 to 7, which belong to the minima.",
)
def crossed(packed):
    a, b, c = _slices(packed)
    return _join((a & 63, c & 15 | b >> 6 << 4), (b & 63, c >> 4 | a >> 6 << 4))


@wrong("not-masked", "You did not mask the first numbers: bits 6 and 7 belong to others.")
def not_masked(packed):
    a, b, c = _slices(packed)
    return _join((a, c & 15 | a >> 6 << 4), (b, c >> 4 | b >> 6 << 4))


@wrong("four-bits-masked", "You masked with 15; the first numbers have six bits, mask 63.")
def four_bits(packed):
    a, b, c = _slices(packed)
    return _join((a & 15, c & 15 | a >> 6 << 4), (b & 15, c >> 4 | b >> 6 << 4))


@wrong("bits-in-a-row", "You read the 96 bits as sixteen numbers in a row; the layout is split.")
def in_a_row(packed):
    _slices(packed)
    bits = np.unpackbits(packed, axis=-1, bitorder="little")
    bits = bits.reshape(*packed.shape[:-1], 16, 6)
    numbers = (bits * (1 << np.arange(6))).sum(-1).astype(np.uint8)
    return numbers[..., :8], numbers[..., 8:]


@wrong("interleaved", "You interleaved scales and minima; bytes 0 to 3 are scales, 4 to 7 minima.")
def interleaved(packed):
    _slices(packed)
    mixed = packed.copy()
    mixed[..., :8] = (
        packed[..., :8]
        .reshape(*packed.shape[:-1], 4, 2)
        .swapaxes(-1, -2)
        .reshape(*packed.shape[:-1], 8)
    )
    return by_slices(mixed)


@wrong("signed-numbers", "You subtracted 32; Q4_K's scales and minima are 0 to 63.")
def signed(packed):
    return tuple(part.astype(np.int8) - np.int8(32) for part in by_slices(packed))


@wrong("floats", "You returned floats; scales and minima are uint8.")
def floats(packed):
    return tuple(part.astype(np.float32) for part in by_slices(packed))


@wrong("one-array", "You returned one array of sixteen; return scales and minima.")
def one_array(packed):
    return np.concatenate(by_slices(packed), -1)


@wrong("not-refused", "You took another number of bytes than 12: raise ValueError.")
def not_refused(packed):
    if packed.shape[-1] < 12:
        raise ValueError
    return by_slices(packed[..., :12])


@wrong("never-tested", "You did not test the length: NumPy broadcasts nine bytes without a word.")
def untested(packed):
    a, b, c = packed[..., :4], packed[..., 4:8], packed[..., 8:]
    return _join((a & 63, c & 15 | a >> 6 << 4), (b & 63, c >> 4 | b >> 6 << 4))


@wrong("size-tested", "You tested the size of the whole array; the last axis must be 12 long.")
def size_tested(packed):
    if packed.size % 12:
        raise ValueError
    return untested(packed)
