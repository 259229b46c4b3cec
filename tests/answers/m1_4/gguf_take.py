"""Answers to gguf-take."""

import numpy as np

from autograder.checks.bank import right, wrong
from autograder.checks.oracles.gguf_reader import GGUFError


@right("compare, then cut")
def compare(data, at, count, size, field):
    if count * size > len(data) - at:
        raise GGUFError(field, "past the end.")
    return data[at : at + count * size], at + count * size


@right("divide instead of multiplying")
def divide(data, at, count, size, field):
    if count > (len(data) - at) // size:
        raise GGUFError(field, f"{count} do not fit.")
    end = at + size * count
    return bytes(memoryview(data)[at:end]), end


@wrong("no-test", "A slice past the end is silently short: compare first.")
def no_test(data, at, count, size, field):
    return data[at : at + count * size], at + count * size


@wrong("end-clipped", "Refuse: a shorter answer is a wrong one.")
def clipped(data, at, count, size, field):
    end = min(at + count * size, len(data))
    return data[at:end], end


@wrong("last-byte-refused", "The last byte of the file may be read: refuse only what is beyond it.")
def strict(data, at, count, size, field):
    if at + count * size >= len(data):
        raise GGUFError(field, "past the end.")
    return data[at : at + count * size], at + count * size


@wrong("off-by-one", "One byte past the end is past the end.")
def lenient(data, at, count, size, field):
    if at + count * size > len(data) + 1:
        raise GGUFError(field, "past the end.")
    return data[at : at + count * size], at + count * size


@wrong("start-forgotten", "Compare with the bytes that are left, len(data) - at.")
def from_zero(data, at, count, size, field):
    if count * size > len(data):
        raise GGUFError(field, "past the end.")
    return data[at : at + count * size], at + count * size


@wrong("size-forgotten", "count things take count * size bytes.")
def no_size(data, at, count, size, field):
    if count > len(data) - at:
        raise GGUFError(field, "past the end.")
    return data[at : at + count * size], at + count * size


@wrong("product-wraps", "In uint64 count * size wraps: (2^61 + 1) * 8 is 8.")
def wraps(data, at, count, size, field):
    with np.errstate(over="ignore"):
        total = int((np.array([count], np.uint64) * np.uint64(size))[0])
    if total > len(data) - at:
        raise GGUFError(field, "past the end.")
    return data[at : at + total], at + total


@wrong("product-of-32-bits", "count * size was cut to 32 bits.")
def narrow(data, at, count, size, field):
    total = count * size & 0xFFFFFFFF
    if total > len(data) - at:
        raise GGUFError(field, "past the end.")
    return data[at : at + total], at + total


@wrong("cut-then-compared", "Compare before the loop or the allocation, not after it.")
def after(data, at, count, size, field):
    room = bytearray(min(count * size, 2**31))
    if count * size > len(data) - at:
        raise GGUFError(field, "past the end.")
    room[:] = data[at : at + count * size]
    return bytes(room), at + len(room)


@wrong("value-error", "Raise GGUFError, which carries the field.")
def plain_error(data, at, count, size, field):
    if count * size > len(data) - at:
        raise ValueError(f"{field}: past the end.")
    return data[at : at + count * size], at + count * size


@wrong("index-error", "Raise GGUFError for the field.")
def index_error(data, at, count, size, field):
    if count * size > len(data) - at:
        raise IndexError(field)
    return data[at : at + count * size], at + count * size


@wrong("assertion", "An assert is no test: it vanishes under python -O, and is no GGUFError.")
def assertion(data, at, count, size, field):
    assert count * size <= len(data) - at, field
    return data[at : at + count * size], at + count * size


@wrong("fixed-field", "The error names the field that was given.")
def fixed(data, at, count, size, field):
    if count * size > len(data) - at:
        raise GGUFError("value", "past the end.")
    return data[at : at + count * size], at + count * size


@wrong("empty-refused", "No bytes are always there.")
def empty(data, at, count, size, field):
    if not count or count * size > len(data) - at:
        raise GGUFError(field, "nothing.")
    return data[at : at + count * size], at + count * size


@wrong("length-returned", "`end` is the place behind the bytes, not their number.")
def length(data, at, count, size, field):
    raw, end = compare(data, at, count, size, field)
    return raw, end - at


@wrong("raw-only", "Return the bytes and the place behind them.")
def raw_only(data, at, count, size, field):
    return compare(data, at, count, size, field)[0]


@wrong("rest-returned", "Return count * size bytes, not all that are left.")
def rest(data, at, count, size, field):
    return data[at:], compare(data, at, count, size, field)[1]


@wrong("piece-by-piece", "Compare once, before anything is cut out: the file may be long.")
def piece_by_piece(data, at, count, size, field):
    parts = []
    for i in range(count):
        start = at + i * size
        if start + size > len(data):
            raise GGUFError(field, "past the end.")
        parts.append(bytes(data[start : start + size]))
    return b"".join(parts), at + count * size
