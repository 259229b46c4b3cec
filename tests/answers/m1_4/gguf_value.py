"""Answers to gguf-value."""

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


def _read(
    data, offset, kind, *, scalars=SCALARS, order="<", text=lambda raw: raw.decode(), size="<Q",
    head="<IQ", seen=lambda v: v, array=list, pad=0, typed=False, unknown=True, inner=None, zero=0,
):  # fmt: skip
    again = dict(scalars=scalars, order=order, text=text, size=size, head=head, seen=seen,
                 array=array, pad=pad, typed=typed, unknown=unknown, zero=zero)  # fmt: skip
    offset += -offset % pad if pad else 0
    if kind in scalars:
        code = order + scalars[kind]
        return seen(struct.unpack_from(code, data, offset)[0]), offset + struct.calcsize(code)
    if kind == 8:
        (count,) = struct.unpack_from(size, data, offset)
        start = offset + struct.calcsize(size)
        return text(bytes(data[start : start + count])), start + count + zero
    if kind != 9:
        if not unknown:
            return None, offset
        raise ValueError(f"no type {kind}")
    element, count = struct.unpack_from(head, data, offset)
    if unknown and element not in scalars and element not in (8, 9):
        raise ValueError(f"no type {element}")
    items, offset = [], offset + struct.calcsize(head)
    for _ in range(count):
        if typed:
            offset += 4
        item, offset = _read(data, offset, inner or element, **again)
        items.append(item)
    return array(items), offset


@right("recursion")
def by_recursion(data, offset, value_type):
    return _read(data, offset, value_type)


@right("numpy for arrays of numbers")
def by_numpy(data, offset, value_type):
    dtypes = {0: "u1", 1: "i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?", 10: "<u8",
              11: "<i8", 12: "<f8"}  # fmt: skip
    if value_type in dtypes:
        dtype = np.dtype(dtypes[value_type])
        return np.frombuffer(data, dtype, 1, offset)[0].item(), offset + dtype.itemsize
    if value_type == 8:
        end = offset + 8 + int(np.frombuffer(data, "<u8", 1, offset)[0])
        return str(memoryview(data)[offset + 8 : end], "utf-8"), end
    if value_type != 9:
        raise ValueError("unknown")
    element = int.from_bytes(data[offset : offset + 4], "little")
    count = int.from_bytes(data[offset + 4 : offset + 12], "little")
    offset += 12
    if element in dtypes:
        dtype = np.dtype(dtypes[element])
        values = np.frombuffer(bytes(data), dtype, count, offset) if count else np.zeros(0)
        return values.tolist(), offset + count * dtype.itemsize
    if element not in (8, 9):
        raise ValueError("unknown")
    values = []
    while len(values) < count:
        value, offset = by_numpy(data, offset, element)
        values.append(value)
    return values, offset


@wrong("big-endian", "The numbers are little-endian: '<' in the format.")
def big(data, offset, value_type):
    return _read(data, offset, value_type, order=">")


@wrong(
    "uint64-is-type-8", "Types 8 and 9 are string and array; uint64, int64, float64 are 10, 11, 12."
)
def shifted(data, offset, value_type):
    moved = {10: "q", 11: "d", 12: "Q"}
    return _read(data, offset, value_type, scalars={**SCALARS, **moved})


@wrong("signed-as-unsigned", "Types 1, 3, 5 and 11 are signed.")
def unsigned(data, offset, value_type):
    codes = {kind: code.upper() if code in "bhiq" else code for kind, code in SCALARS.items()}
    return _read(data, offset, value_type, scalars=codes)


@wrong("float32-as-float64", "Type 6 is a float32 of four bytes.")
def doubles(data, offset, value_type):
    padded = bytes(data) + bytes(8)
    return _read(padded, offset, value_type, scalars={**SCALARS, 6: "d"})


@wrong("boolean-as-int", "Type 7 gives True or False, not 1 or 0.")
def ints(data, offset, value_type):
    return _read(data, offset, value_type, scalars={**SCALARS, 7: "B"})


@wrong("boolean-of-four-bytes", "A boolean takes one byte.")
def wide_boolean(data, offset, value_type):
    return _read(bytes(data) + bytes(4), offset, value_type, scalars={**SCALARS, 7: "I"})


@wrong("string-length-32-bits", "A string's length is a uint64.")
def short_length(data, offset, value_type):
    return _read(data, offset, value_type, size="<I")


@wrong("string-bytes", "Decode the string as UTF-8: the answer is a str.")
def raw_bytes(data, offset, value_type):
    return _read(data, offset, value_type, text=lambda raw: raw)


@wrong("latin-1", "Strings are UTF-8; you decoded each byte as a character.")
def latin(data, offset, value_type):
    return _read(data, offset, value_type, text=lambda raw: raw.decode("latin-1"))


@wrong("ascii-only", "Strings are UTF-8; other letters than ASCII occur.")
def ascii_only(data, offset, value_type):
    return _read(data, offset, value_type, text=lambda raw: raw.decode("ascii", "ignore"))


@wrong("length-in-characters", "The length counts bytes; you counted characters after decoding.")
def characters(data, offset, value_type):
    if value_type != 8:
        return _read(data, offset, value_type)
    (count,) = struct.unpack_from("<Q", data, offset)
    return bytes(data[offset + 8 :]).decode("utf-8", "replace")[:count], offset + 8 + count


@wrong("stops-at-zero", "A string has no zero at its end, and may hold one.")
def stops(data, offset, value_type):
    return _read(data, offset, value_type, text=lambda raw: raw.split(b"\0")[0].decode())


@wrong("zero-skipped", "No zero byte follows a string.")
def skipped(data, offset, value_type):
    return _read(data, offset, value_type, zero=1)


@wrong("stripped", "Spaces and line ends belong to the string.")
def stripped(data, offset, value_type):
    return _read(data, offset, value_type, text=lambda raw: raw.decode().strip())


@wrong("array-count-32-bits", "An array's count is a uint64.")
def short_count(data, offset, value_type):
    return _read(data, offset, value_type, head="<II")


@wrong("count-before-type", "The element type comes first, then the count.")
def count_first(data, offset, value_type):
    if value_type != 9:
        return _read(data, offset, value_type)
    count, element = struct.unpack_from("<QI", data, offset)
    if element not in SCALARS and element not in (8, 9):
        raise ValueError("unknown")
    items, offset = [], offset + 12
    for _ in range(min(count, 20)):
        item, offset = count_first(data, offset, element)
        items.append(item)
    return items, offset


@wrong("elements-with-type", "The elements of an array have no type id of their own.")
def typed(data, offset, value_type):
    return _read(bytes(data) + bytes(64), offset, value_type, typed=True)


@wrong("tuple-for-array", "An array is a list.")
def tuples(data, offset, value_type):
    return _read(data, offset, value_type, array=tuple)


@wrong("numpy-array", "An array is a list, with Python's own numbers.")
def arrays(data, offset, value_type):
    return _read(
        data,
        offset,
        value_type,
        array=lambda v: np.array(v, dtype=object if not v or isinstance(v[0], list) else None),
    )


@wrong("flattened", "An array of arrays is a list of lists.")
def flattened(data, offset, value_type):
    def flat(items):
        return [x for item in items for x in (item if isinstance(item, list) else [item])]

    return _read(data, offset, value_type, array=flat)


@wrong("offset-ignored", "The value begins at data[offset], not at the beginning.")
def from_start(data, offset, value_type):
    value, end = _read(bytes(data) + bytes(16), 0, value_type)
    return value, end


@wrong("end-relative", "`end` counts from the beginning of data, not of the value.")
def relative(data, offset, value_type):
    value, end = _read(data, offset, value_type)
    return value, end - offset


@wrong("value-only", "Return the value and the place behind it.")
def value_only(data, offset, value_type):
    return _read(data, offset, value_type)[0]


@wrong("aligned-fields", "Fields follow one another without padding.")
def aligned(data, offset, value_type):
    return _read(bytes(data) + bytes(16), offset, value_type, pad=4)


@wrong("unknown-is-none", "An unknown type must raise ValueError: you cannot know its length.")
def none(data, offset, value_type):
    return _read(data, offset, value_type, unknown=False)


@wrong("unknown-is-key-error", "An unknown type must raise ValueError; a lookup raises KeyError.")
def key_error(data, offset, value_type):
    try:
        return _read(data, offset, value_type)
    except ValueError as error:
        raise KeyError(str(error)) from None


@wrong("element-type-not-tested", "The element type of an array can be unknown as well.")
def element_unknown(data, offset, value_type):
    if value_type == 9 and data[offset] > 12:
        return [], offset + 12
    return _read(data, offset, value_type)


@wrong("empty-array-of-any-type", "Test the element type also where there is no element.")
def empty_any(data, offset, value_type):
    if value_type == 9 and bytes(data[offset + 4 : offset + 12]) == bytes(8):
        return [], offset + 12
    return _read(data, offset, value_type)


@wrong("byte-order-mark-dropped", "Decode as utf-8: utf-8-sig drops the first character.")
def mark_dropped(data, offset, value_type):
    return _read(data, offset, value_type, text=lambda raw: raw.decode("utf-8-sig"))
