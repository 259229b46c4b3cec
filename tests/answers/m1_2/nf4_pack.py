"""Answers to nf4-pack."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(codes):
    if codes.size and codes.max() > 15:
        raise ValueError("codes are 0 to 15")


def _filled(codes, end=7):
    return np.append(codes, np.uint8(end)) if codes.size % 2 else codes


@right("shift and or")
def by_shift(codes):
    _refuse(codes)
    codes = _filled(codes)
    return (codes[0::2] << 4) | codes[1::2]


@right("a loop over pairs")
def by_loop(codes):
    _refuse(codes)
    listed = codes.tolist() + ([7] if len(codes) % 2 else [])
    return np.array([listed[i] * 16 + listed[i + 1] for i in range(0, len(listed), 2)], np.uint8)


@right("reshape and a product")
def by_product(codes):
    if np.any(codes >= 16):
        raise ValueError("a code above 15")
    wide = _filled(codes).astype(np.int64).reshape(-1, 2)
    return (wide @ np.array([16, 1])).astype(np.uint8)


@wrong(
    "low-nibble-first",
    "You put the first code into the low nibble, as int4-pack did; bitsandbytes puts it into the high one.",
)
def low_first(codes):
    _refuse(codes)
    codes = _filled(codes)
    return codes[0::2] | (codes[1::2] << 4)


@wrong(
    "filled-with-0", "You filled an odd end with code 0, the level -1; fill it with 7, the zero."
)
def zero_end(codes):
    _refuse(codes)
    codes = _filled(codes, 0)
    return (codes[0::2] << 4) | codes[1::2]


@wrong("filled-with-8", "You filled an odd end with 8; NF4's zero is code 7.")
def eight_end(codes):
    _refuse(codes)
    codes = _filled(codes, 8)
    return (codes[0::2] << 4) | codes[1::2]


@wrong("odd-end-dropped", "You dropped the last code of an odd number.")
def dropped(codes):
    _refuse(codes)
    half = codes.size // 2
    return (codes[0 : 2 * half : 2] << 4) | codes[1 : 2 * half : 2]


@wrong(
    "filled-at-the-front",
    "You put the filling code before the first one; all codes then sit in the wrong place.",
)
def front(codes):
    _refuse(codes)
    if codes.size % 2:
        codes = np.insert(codes, 0, np.uint8(7))
    return (codes[0::2] << 4) | codes[1::2]


@wrong(
    "halves-paired",
    "You paired the first half with the second half; a byte holds neighbours.",
)
def halves(codes):
    _refuse(codes)
    codes = _filled(codes)
    half = codes.size // 2
    return (codes[:half] << 4) | codes[half:]


@wrong("shifted-by-3", "You shifted by 3 bits; a nibble has 4.")
def short_shift(codes):
    _refuse(codes)
    codes = _filled(codes)
    return (codes[0::2] << 3) | codes[1::2]


@wrong(
    "out-of-range-masked", "You cut a code above 15 to its low bits in silence; raise ValueError."
)
def masked(codes):
    codes = _filled(codes & 15)
    return (codes[0::2] << 4) | codes[1::2]


@wrong("out-of-range-clipped", "You clipped a code above 15 in silence; raise ValueError.")
def clipped(codes):
    codes = _filled(np.minimum(codes, 15))
    return (codes[0::2] << 4) | codes[1::2]


@wrong("sixteen-accepted", "You accept code 16; four bits end at 15.")
def sixteen(codes):
    if codes.size and codes.max() > 16:
        raise ValueError("too large")
    codes = _filled(codes)
    return (codes[0::2] << 4) | codes[1::2]


@wrong("one-code-a-byte", "You returned one code a byte; two fit.")
def unpacked(codes):
    _refuse(codes)
    return codes.copy()


@wrong("int64-bytes", "Your bytes are int64; store uint8.")
def wide(codes):
    _refuse(codes)
    codes = _filled(codes).astype(np.int64)
    return (codes[0::2] << 4) | codes[1::2]


@wrong(
    "column-of-bytes", "You returned a column (n, 1), as the library stores it; here it is flat."
)
def column(codes):
    _refuse(codes)
    codes = _filled(codes)
    return ((codes[0::2] << 4) | codes[1::2])[:, None]


@wrong("sign-bit-flipped", "You stored code - 8 in two's complement; NF4's codes are unsigned.")
def signed(codes):
    _refuse(codes)
    codes = _filled(codes) ^ np.uint8(8)
    return (codes[0::2] << 4) | codes[1::2]
