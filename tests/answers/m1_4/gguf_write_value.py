"""Answers to gguf-write-value."""

import struct

import numpy as np

from autograder.checks.bank import right, wrong

SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}


def _write(
    kind, value, *, order="<", scalars=SCALARS, encoding="utf-8", size=len, length="Q", head="IQ",
    swap=False, typed=False, strict=True, end=b"", own=False, one=None,
):  # fmt: skip
    again = dict(order=order, scalars=scalars, encoding=encoding, size=size, length=length,
                 head=head, swap=swap, typed=typed, strict=strict, end=end)  # fmt: skip
    start = struct.pack("<I", kind) if own else b""
    if kind in scalars:
        return start + struct.pack(order + scalars[kind], value)
    if kind == 8:
        raw = value.encode(encoding, "replace")
        count = len(value) if size == "characters" else size(raw)
        return start + struct.pack(order + length, count) + raw + end
    if kind != 9:
        if strict:
            raise ValueError(kind)
        return b""
    element, items = value
    if strict and element not in SCALARS and element not in (8, 9):
        raise ValueError(element)
    body = b"".join(_write(element, item, **again, own=typed) for item in items)
    first, second = (len(items), element) if swap else (element, len(items))
    return start + struct.pack(order + (head[::-1] if swap else head), first, second) + body


@right("recursion")
def by_recursion(value_type, value):
    return _write(value_type, value)


@right("numpy and a bytearray")
def by_numpy(value_type, value):
    dtypes = {0: "u1", 1: "i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?", 10: "<u8",
              11: "<i8", 12: "<f8"}  # fmt: skip
    out = bytearray()
    if value_type in dtypes:
        out += np.array(value, dtypes[value_type]).tobytes()
    elif value_type == 8:
        raw = bytes(value, "utf-8")
        out += len(raw).to_bytes(8, "little") + raw
    elif value_type == 9:
        if value[0] not in range(13):
            raise ValueError("unknown")
        out += value[0].to_bytes(4, "little") + len(value[1]).to_bytes(8, "little")
        for item in value[1]:
            out += by_numpy(value[0], item)
    else:
        raise ValueError("unknown")
    return out


@wrong("big-endian", "Little-endian: '<' in the format.")
def big(value_type, value):
    return _write(value_type, value, order=">")


@wrong("native-alignment", "Without '<' the struct module pads and aligns as C does.")
def native(value_type, value):
    return _write(value_type, value, order="@", head="IQ")


@wrong("types-8-to-10-confused", "uint64, int64 and float64 are 10, 11 and 12.")
def confused(value_type, value):
    if value_type == 12:
        return struct.pack("<f", value)
    return _write(value_type, value)


@wrong("unsigned-wrapped", "Types 1, 3, 5 and 11 are signed, and 10 goes to 2^64 - 1.")
def wrapped(value_type, value):
    if value_type in (0, 1):
        return bytes([value & 127])
    return _write(value_type, value)


@wrong("float32-as-float64", "Type 6 takes four bytes.")
def doubles(value_type, value):
    return _write(value_type, value, scalars={**SCALARS, 6: "d"})


@wrong("boolean-of-four-bytes", "A boolean takes one byte.")
def wide(value_type, value):
    return _write(value_type, value, scalars={**SCALARS, 7: "I"})


@wrong("length-in-characters", "The length counts bytes: encode first.")
def characters(value_type, value):
    return _write(value_type, value, size="characters")


@wrong("length-32-bits", "A string's length is a uint64.")
def short(value_type, value):
    return _write(value_type, value, length="I")


@wrong("zero-terminated", "No zero byte follows a string.")
def zero(value_type, value):
    return _write(value_type, value, end=b"\0")


@wrong("length-with-zero", "The length counts the string's bytes and nothing more.")
def plus_one(value_type, value):
    return _write(value_type, value, size=lambda raw: len(raw) + 1)


@wrong("latin-1", "Strings are written as UTF-8.")
def latin(value_type, value):
    return _write(value_type, value, encoding="latin-1")


@wrong("type-id-first", "The value comes without its own type id.")
def own_type(value_type, value):
    return _write(value_type, value, own=True)


@wrong("elements-with-type", "The elements of an array have no type id of their own.")
def typed(value_type, value):
    return _write(value_type, value, typed=True)


@wrong("array-count-32-bits", "An array's count is a uint64.")
def short_count(value_type, value):
    return _write(value_type, value, head="II")


@wrong("count-before-type", "The element type comes first, then the count.")
def count_first(value_type, value):
    return _write(value_type, value, swap=True)


@wrong("count-in-bytes", "The count is the number of elements, not of bytes.")
def in_bytes(value_type, value):
    made = _write(value_type, value)
    if value_type != 9:
        return made
    return made[:4] + struct.pack("<Q", len(made) - 12) + made[12:]


@wrong("inner-arrays-without-head", "An array in an array has its own type and count.")
def headless(value_type, value):
    if value_type == 9 and value[0] == 9:
        items = b"".join(_write(9, item)[12:] for item in value[1])
        return struct.pack("<IQ", 9, len(value[1])) + items
    return _write(value_type, value)


@wrong("empty-array-is-nothing", "An empty array still has a type and the count 0.")
def empty(value_type, value):
    if value_type == 9 and not value[1]:
        return b""
    return _write(value_type, value)


@wrong("padded-to-four", "There is no padding between fields.")
def padded(value_type, value):
    made = _write(value_type, value)
    return made + bytes(-len(made) % 4)


@wrong("text-returned", "Return bytes.")
def text(value_type, value):
    return _write(value_type, value).hex()


@wrong("unknown-is-empty", "An unknown type must raise ValueError.")
def unknown(value_type, value):
    return _write(value_type, value, strict=False) if value_type != 9 or value[0] < 13 else b""


@wrong("unknown-is-key-error", "An unknown type must raise ValueError; a lookup raises KeyError.")
def key_error(value_type, value):
    try:
        return _write(value_type, value)
    except ValueError as error:
        raise KeyError(str(error)) from None


@wrong("element-type-not-tested", "The element type of an array can be unknown as well.")
def element(value_type, value):
    if value_type == 9 and value[0] > 12:
        return struct.pack("<IQ", value[0], len(value[1]))
    return _write(value_type, value)


@wrong("empty-list-of-any-type", "Test the element type also where the list is empty.")
def empty_any(value_type, value):
    if value_type == 9 and not value[1]:
        return struct.pack("<IQ", value[0], 0)
    return _write(value_type, value)
