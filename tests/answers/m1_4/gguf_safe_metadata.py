"""Answers to gguf-safe-metadata."""

import struct

from autograder.checks.bank import right, wrong
from autograder.checks.oracles import gguf_reader
from autograder.checks.oracles.gguf_reader import GGUFError, read_value


def _take(data, at, count, size, field):
    if count * size > len(data) - at:
        raise GGUFError(field, "past the end.")
    return data[at : at + count * size], at + count * size


def _number(data, at, size, field):
    raw, at = _take(data, at, size, 1, field)
    return int.from_bytes(raw, "little"), at


def _metadata(
    data, at, count, *, bound=True, longest=65_535, shortest=1, twice=True, errors="strict",
    aligned=True, low=8, high=65_536, power=True, only_uint32=True, kinds=True, zero=True,
    field="alignment", key_of="general.alignment", room=False, least=13, drop=False, first=True,
    fold=False,
):  # fmt: skip
    if room:
        entries = [None] * count
        del entries
    if bound:
        _take(data, at, count, least, "kv_count")
    found, seen = {}, set()
    for _ in range(count):
        size, at = _number(data, at, 8, "key")
        if not shortest <= size <= longest:
            raise GGUFError("key", "length.")
        raw, at = _take(data, at, size, 1, "key")
        try:
            key = bytes(raw).decode("utf-8", errors)
        except UnicodeDecodeError:
            raise GGUFError("key", "UTF-8.") from None
        name = key.lower() if fold else key
        if twice and name in seen:
            raise GGUFError("key", "twice.")
        seen.add(name)
        kind, at = _number(data, at, 4, "value_type")
        if kinds and kind > 12:
            raise GGUFError("value_type", "unknown.")
        if aligned and key == key_of:
            if only_uint32 and kind != 4:
                raise GGUFError(field, "type.")
            if kind == 4:
                value, at = _number(data, at, 4, field)
            else:
                value, at = read_value(data, at, kind)
            if isinstance(value, int):
                if power and value & (value - 1):
                    raise GGUFError(field, "power.")
                if not low <= value <= high and (zero or value):
                    raise GGUFError(field, "range.")
            if not drop:
                found[key] = value
            continue
        value, at = read_value(data, at, kind)
        if first or key not in found:
            found[key] = value
    return found, at


@right("entry by entry")
def entries(data, at, count):
    return _metadata(data, at, count)


@right("the reference")
def reference(data, at, count):
    return gguf_reader.read_metadata(data, at, count)


@right("a list of good alignments")
def listed(data, at, count):
    found, end = _metadata(data, at, count, power=False, low=0, high=2**32)
    if found.get("general.alignment", 32) not in {2**n for n in range(3, 17)}:
        raise GGUFError("alignment", "no power of two from 8 to 65,536.")
    return found, end


@wrong("count-not-tested", "Test the count before the loop: field kv_count.")
def unbounded(data, at, count):
    return _metadata(data, at, count, bound=False)


@wrong("room-first", "You make room for the entries before you know that they can be there.")
def room(data, at, count):
    return _metadata(data, at, count, room=True)


@wrong("count-against-file-size", "A key-value takes 13 bytes or more, not one.")
def one_byte(data, at, count):
    return _metadata(data, at, count, least=1)


@wrong("entries-of-24-bytes", "A key-value can take as few as 13 bytes and one for its key.")
def too_many(data, at, count):
    return _metadata(data, at, count, least=24)


@wrong("long-keys", "A key has 65,535 bytes at most.")
def long_keys(data, at, count):
    return _metadata(data, at, count, longest=10**9)


@wrong("keys-of-64-bytes", "64 bytes is the limit of tensor names; keys may have 65,535.")
def short_keys(data, at, count):
    return _metadata(data, at, count, longest=64)


@wrong("empty-key", "An empty key must be refused.")
def empty_key(data, at, count):
    return _metadata(data, at, count, shortest=0)


@wrong("last-of-two", "A key that is there already must be refused; yours takes the last.")
def last_of_two(data, at, count):
    return _metadata(data, at, count, twice=False)


@wrong("first-of-two", "A key that is there already must be refused; yours takes the first.")
def first_of_two(data, at, count):
    return _metadata(data, at, count, twice=False, first=False)


@wrong("case-folded", "General.Alignment and general.alignment are two keys.")
def folded(data, at, count):
    found, end = _metadata(data, at, count)
    return {key.lower(): value for key, value in found.items()}, end


@wrong("ascii-keys", "Keys are UTF-8 here: größe is a key.")
def ascii_keys(data, at, count):
    found, end = _metadata(data, at, count)
    if any(not key.isascii() for key in found):
        raise GGUFError("key", "not ASCII.")
    return found, end


@wrong("text-replaced", "A key that is no UTF-8 must be refused, not repaired.")
def replaced(data, at, count):
    return _metadata(data, at, count, errors="replace")


@wrong("alignment-not-tested", "general.alignment has rules of its own.")
def unaligned(data, at, count):
    return _metadata(data, at, count, aligned=False)


@wrong("any-power-of-two", "The alignment is 8 to 65,536.")
def any_power(data, at, count):
    return _metadata(data, at, count, low=0, high=2**32)


@wrong("no-upper-limit", "An alignment above 65,536 must be refused.")
def no_upper(data, at, count):
    return _metadata(data, at, count, high=2**32)


@wrong("no-lower-limit", "An alignment of 1, 2 or 4 must be refused.")
def no_lower(data, at, count):
    return _metadata(data, at, count, low=1)


@wrong("multiple-of-eight", "A multiple of 8 need not be a power of two.")
def multiple(data, at, count):
    found, end = _metadata(data, at, count, power=False)
    if found.get("general.alignment", 32) % 8:
        raise GGUFError("alignment", "no multiple of 8.")
    return found, end


@wrong("zero-is-a-power", "0 passes n & (n - 1) == 0 and is no power of two.")
def zero(data, at, count):
    return _metadata(data, at, count, zero=False)


@wrong("alignment-32-only", "Other powers of two from 8 to 65,536 are allowed.")
def only_32(data, at, count):
    return _metadata(data, at, count, low=32, high=4096)


@wrong("alignment-of-any-type", "general.alignment must be of type UINT32.")
def any_type(data, at, count):
    return _metadata(data, at, count, only_uint32=False)


@wrong("alignment-as-value", "Faults of the alignment have the field alignment.")
def as_value(data, at, count):
    return _metadata(data, at, count, field="value")


@wrong("alignment-by-suffix", "Only the key general.alignment has these rules.")
def suffix(data, at, count):
    found, end = _metadata(data, at, count)
    if any(
        key.lower().endswith("alignment") and not isinstance(v, int) for key, v in found.items()
    ):
        raise GGUFError("alignment", "type.")
    return found, end


@wrong("alignment-dropped", "general.alignment stays in the metadata.")
def dropped(data, at, count):
    return _metadata(data, at, count, drop=True)


@wrong("unknown-types-skipped", "An unknown type has an unknown length: refuse it.")
def skipped(data, at, count):
    try:
        return _metadata(data, at, count)
    except GGUFError as error:
        if error.field != "value_type":
            raise
        return {}, len(data)


@wrong("count-returned", "Return the metadata and the place behind them.")
def metadata_only(data, at, count):
    return _metadata(data, at, count)[0]


@wrong("struct-error", "Every error is a GGUFError with its field.")
def struct_error(data, at, count):
    try:
        return _metadata(data, at, count)
    except GGUFError as error:
        raise IndexError(str(error)) from None


@wrong("alignment-twice", "A key occurs once, general.alignment too.")
def alignment_twice(data, at, count):
    key = struct.pack("<Q", 17) + b"general.alignment"
    if bytes(data)[at : at + 25] == key == bytes(data)[at + 33 : at + 58] and count == 2:
        return {"general.alignment": 32}, at + 66
    return _metadata(data, at, count)


@wrong("keys-in-characters", "The limit of 65,535 counts bytes, not characters.")
def in_characters(data, at, count):
    size = int.from_bytes(data[at : at + 8], "little")
    if 65_535 < size <= len(data) - at - 8 and count:
        return _metadata(data, at, count, longest=2 * 65_535)
    return _metadata(data, at, count)


@wrong("count-against-the-whole-file", "Compare with the bytes that are left behind `at`.")
def against_all(data, at, count):
    _take(data, 0, count, 13, "kv_count")
    return _metadata(data, at, count, bound=False)


@wrong("bytes-only", "data may be a memoryview, which has no decode: str(raw, 'utf-8') reads both.")
def bytes_only(data, at, count):
    if not isinstance(data, bytes):
        raise AttributeError("'memoryview' object has no attribute 'decode'")
    return _metadata(data, at, count)


@wrong("length-of-32-bits", "A length is a uint64: all its eight bytes count.")
def narrow(data, at, count):
    data, place = bytearray(data), at
    for _ in range(min(count, 1000)):
        data[place + 4 : place + 8] = (
            bytes(4) if place + 8 <= len(data) else data[place + 4 : place + 8]
        )
        try:
            place = gguf_reader.read_metadata(data, place, 1)[1]
        except GGUFError:
            break
    return _metadata(bytes(data), at, count)


@wrong("thirty-keys", "A file may have as many keys as its bytes can hold.")
def thirty(data, at, count):
    if count > 30:
        raise GGUFError("kv_count", "over 30.")
    return _metadata(data, at, count)


@wrong("keys-stripped", "A key is kept as it stands, with its white space.")
def stripped(data, at, count):
    found, end = _metadata(data, at, count)
    return {key.strip(): value for key, value in found.items()}, end


@wrong("letters-only", "Any UTF-8 is a key: no rule asks for letters and dots.")
def letters(data, at, count):
    found, end = _metadata(data, at, count)
    if any(not key.replace("_", "").replace(".", "").isalnum() for key in found):
        raise GGUFError("key", "strange.")
    return found, end
