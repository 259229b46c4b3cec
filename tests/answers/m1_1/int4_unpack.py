"""Answers to int4-unpack."""

import numpy as np

from autograder.checks.bank import right, wrong


def _nibbles(packed):
    n = np.empty(2 * len(packed), np.int16)
    n[0::2], n[1::2] = packed & 0xF, packed >> 4
    return n


@right("xor and subtract")
def by_xor(packed, count):
    return ((_nibbles(packed) ^ 8) - 8).astype(np.int8)[:count]


@right("arithmetic shifts of int8")
def by_shifts(packed, count):
    signed = packed.view(np.int8)
    pairs = np.stack([np.left_shift(signed, 4) >> 4, signed >> 4], axis=1)
    return pairs.reshape(-1)[:count]


@right("a table of 16")
def by_table(packed, count):
    table = np.array([0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1], np.int8)
    return table[np.column_stack([packed % 16, packed // 16]).ravel()][:count]


@right("a loop")
def by_loop(packed, count):
    out = []
    for i in range(count):
        n = (int(packed[i // 2]) >> (4 * (i % 2))) & 15
        out.append(n - 16 if n > 7 else n)
    return np.array(out, dtype=np.int8)


@wrong("sign-not-extended", "You left the nibbles at 0..15: those from 8 on stand for -8..-1.")
def unsigned(packed, count):
    return _nibbles(packed).astype(np.int8)[:count]


@wrong("offset-binary", "You subtracted 8 from every nibble: they are two's complement, 0x0 is 0.")
def offset(packed, count):
    return (_nibbles(packed) - 8).astype(np.int8)[:count]


@wrong(
    "high-nibble-first",
    "You read the high nibble first: the low one holds the first value of a pair.",
)
def high_first(packed, count):
    n = np.empty(2 * len(packed), np.int16)
    n[0::2], n[1::2] = packed >> 4, packed & 0xF
    return ((n ^ 8) - 8).astype(np.int8)[:count]


@wrong(
    "sign-and-magnitude",
    "You read bit 3 as a minus before a magnitude: in two's complement 0x9 is -7.",
)
def sign_and_magnitude(packed, count):
    n = _nibbles(packed)
    return np.where(n & 8, -(n & 7), n & 7).astype(np.int8)[:count]


@wrong("ones-complement", "Your negatives are one too high: 0xf is -1, subtract 16.")
def ones_complement(packed, count):
    n = _nibbles(packed)
    return np.where(n > 7, n - 15, n).astype(np.int8)[:count]


@wrong("eight-kept-positive", "You read nibble 8 as +8: it is -8, the range is -8 to 7.")
def eight_positive(packed, count):
    n = _nibbles(packed)
    return np.where(n > 8, n - 16, n).astype(np.int8)[:count]


@wrong(
    "not-interleaved", "You put all low nibbles before all high ones: put the pairs back in order."
)
def not_interleaved(packed, count):
    n = np.concatenate([packed & 0xF, packed >> 4]).astype(np.int16)
    return ((n ^ 8) - 8).astype(np.int8)[:count]


@wrong("low-nibble-only-signed", "You extended the sign of the low nibble only.")
def low_only(packed, count):
    v = ((_nibbles(packed) ^ 8) - 8).astype(np.int8)
    v[1::2] = packed >> 4
    return v[:count]


@wrong(
    "high-nibble-only-signed",
    "You extended the sign of the high nibble only: shift the low one up first, then back.",
)
def high_only(packed, count):
    v = ((_nibbles(packed) ^ 8) - 8).astype(np.int8)
    v[0::2] = packed & 0xF
    return v[:count]


@wrong("padding-kept", "You kept the padding: return `count` values.")
def padding_kept(packed, count):
    return ((_nibbles(packed) ^ 8) - 8).astype(np.int8)


@wrong(
    "trailing-zero-stripped", "You strip a zero at the end, but it may be a value: go by `count`."
)
def zero_stripped(packed, count):
    v = ((_nibbles(packed) ^ 8) - 8).astype(np.int8)
    return v[:-1] if len(v) and v[-1] == 0 else v


@wrong("uint8-returned", "You returned uint8: the values are signed, int8.")
def uint8_returned(packed, count):
    return by_xor(packed, count).view(np.uint8)


@wrong("wider-than-int8", "You returned more than a byte a value: the exercise asks for int8.")
def wider(packed, count):
    return by_xor(packed, count).astype(np.int16)
