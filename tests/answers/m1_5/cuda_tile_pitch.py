"""Answers to cuda-tile-pitch."""

from collections import Counter

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(width, size_bytes):
    if width < 1 or size_bytes not in (1, 2, 4):
        raise ValueError("cannot be")


def _passes(pitch, col, size, rows=32):
    words = {(r * pitch + col) * size // 4 for r in range(rows)}
    return max(Counter(w % 32 for w in words).values())


@right("pitches tried, all columns")
def tried(width, size_bytes):
    _refuse(width, size_bytes)
    pitch = width
    while any(_passes(pitch, c, size_bytes) > 1 for c in range(width)):
        pitch += 1
    return pitch


@right("numpy, all columns at once")
def by_numpy(width, size_bytes):
    _refuse(width, size_bytes)
    rows, cols = np.arange(32)[:, None], np.arange(width)
    for pitch in range(width, 100 * width + 100):
        words = (rows * pitch + cols) * size_bytes // 4
        if all(
            np.bincount(np.unique(words[:, c]) % 32, minlength=32).max() == 1 for c in range(width)
        ):
            return pitch


def _first(width, good):
    pitch = width
    while not good(pitch):
        pitch += 1
    return pitch


@wrong("always-one-more", "width + 1 is right for 32 floats; an odd width needs nothing.")
def one_more(width, size_bytes):
    _refuse(width, size_bytes)
    return width + 1


@wrong("odd-pitch", "An odd number of elements is enough for words only: bytes share words.")
def odd(width, size_bytes):
    _refuse(width, size_bytes)
    return width | 1


@wrong(
    "first-column-only", "You looked at column 0; with narrow elements another column may collide."
)
def first_column(width, size_bytes):
    _refuse(width, size_bytes)
    return _first(width, lambda p: _passes(p, 0, size_bytes) == 1)


@wrong(
    "odd-words-always",
    "An odd number of words always works, and for the narrowest tiles less does.",
)
def odd_words(width, size_bytes):
    _refuse(width, size_bytes)
    return _first(width, lambda p: p * size_bytes % 4 == 0 and p * size_bytes // 4 % 2 == 1)


@wrong("whole-words", "A pitch of whole words may still be even in words: two rows share a bank.")
def whole_words(width, size_bytes):
    _refuse(width, size_bytes)
    return _first(width, lambda p: p * size_bytes % 4 == 0)


@wrong("pitch-in-bytes", "You returned bytes; the pitch is in elements.")
def in_bytes(width, size_bytes):
    return tried(width, size_bytes) * size_bytes


@wrong("padding-only", "You returned the padding; the pitch is width and padding.")
def padding(width, size_bytes):
    return tried(width, size_bytes) - width


@wrong(
    "no-multiple-of-32", "Any pitch that is no multiple of 32 seemed enough: 48 has conflicts too."
)
def not_32(width, size_bytes):
    _refuse(width, size_bytes)
    return _first(width, lambda p: p % 32)


@wrong("banks-of-bytes", "You took bytes for banks; a bank's word has 4 bytes.")
def byte_banks(width, size_bytes):
    _refuse(width, size_bytes)
    return (
        _first(width, lambda p: len({r * p * size_bytes % 32 for r in range(32)}) == 32)
        if size_bytes == 1
        else tried(width, size_bytes)
    )


@wrong("half-a-warp", "You looked at 16 rows; a warp has 32 lanes.")
def sixteen(width, size_bytes):
    _refuse(width, size_bytes)
    return _first(width, lambda p: all(_passes(p, c, size_bytes, 16) == 1 for c in range(width)))


@wrong("not-the-smallest", "Your pitch has no conflicts, but a smaller one has none either.")
def too_large(width, size_bytes):
    _refuse(width, size_bytes)
    start = width + 1
    while any(_passes(start, c, size_bytes) > 1 for c in range(width)):
        start += 1
    return start


@wrong("nothing-refused", "You refuse nothing: no width, or 8-byte elements, cannot be asked.")
def no_refusal(width, size_bytes):
    if width < 1 or size_bytes not in (1, 2, 4):
        return width
    return tried(width, size_bytes)
