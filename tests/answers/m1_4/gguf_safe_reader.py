"""Answers to gguf-safe-reader."""

import io
import struct

from autograder.checks.bank import right, wrong
from autograder.checks.oracles import gguf_reader
from autograder.checks.oracles.gguf_reader import BLOCKS, GGUFError, read_metadata, tensor_bytes


def _take(data, at, count, size, field):
    if count * size > len(data) - at:
        raise GGUFError(field, "past the end.")
    return bytes(data[at : at + count * size]), at + count * size


def _number(data, at, size, field):
    raw, at = _take(data, at, size, 1, field)
    return int.from_bytes(raw, "little"), at


def _read(
    data, *, magic=True, versions=(2, 3), bound=True, longest=64, shortest=1, twice=True,
    errors="strict", most=4, size=tensor_bytes, aligned=True, ordered=True, inside=True, bits=None,
    metadata=read_metadata, default=32, shape=lambda dims: dims[::-1], names=lambda field: field,
    empty_inside=False, room=False, pad=False, limits=False, header_first=True,
):  # fmt: skip
    raw, at = _take(data, 0, 4, 1, "magic")
    if magic and raw != b"GGUF":
        raise GGUFError("magic", "other.")
    version, at = _number(data, at, 4, "version")
    if version not in versions:
        raise GGUFError("version", "other.")
    tensor_count, at = _number(data, at, 8, "tensor_count")
    kv_count, at = _number(data, at, 8, "kv_count")
    if bound and header_first:
        _take(data, at, tensor_count, 24, "tensor_count")
    if room:
        table = [None] * tensor_count
        del table
    found, at = metadata(data, at, kv_count)
    if bound:
        _take(data, at, tensor_count, 24, "tensor_count")
    tensors, places = {}, []
    for _ in range(tensor_count):
        length, at = _number(data, at, 8, "name")
        if not shortest <= length <= longest:
            raise GGUFError("name", "length.")
        raw, at = _take(data, at, length, 1, "name")
        try:
            name = raw.decode("utf-8", errors)
        except UnicodeDecodeError:
            raise GGUFError("name", "UTF-8.") from None
        if twice and name in tensors:
            raise GGUFError("name", "twice.")
        n_dims, at = _number(data, at, 4, "n_dims")
        if n_dims > most:
            raise GGUFError("n_dims", "many.")
        raw, at = _take(data, at, n_dims, 8, "dims")
        dims = struct.unpack(f"<{n_dims}Q", raw)
        kind, at = _number(data, at, 4, "type")
        offset, at = _number(data, at, 8, "offset")
        places.append((offset, size(dims, kind)))
        tensors[name] = {"shape": shape(dims), "type": kind, "offset": offset}
    alignment = found.get("general.alignment", default)
    start = at + -at % alignment
    if empty_inside and start > len(data):
        raise GGUFError("offset", "no data.")
    if pad and any(data[at:start]):
        raise GGUFError("offset", "padding.")
    end = 0
    for offset, length in places:
        stop = offset + length if not bits else (start + offset + length) % 2**bits - start
        if aligned and offset % alignment:
            raise GGUFError(names("offset"), "alignment.")
        if ordered and offset < end:
            raise GGUFError(names("offset"), "order.")
        if inside and stop > len(data) - start:
            raise GGUFError(names("offset"), "end.")
        end = offset + length
    if limits and start + end < len(data):
        raise GGUFError("offset", "tail.")
    return {"version": version, "metadata": found, "tensors": tensors, "data_offset": start}


@right("functions put together")
def together(data):
    return _read(data)


@right("the reference")
def reference(data):
    return gguf_reader.read_gguf(data)


@right("a stream with known length")
def stream(data):
    file, length = io.BytesIO(data), len(data)

    def number(size, field):
        raw = file.read(size)
        if len(raw) < size:
            raise GGUFError(field, "cut off.")
        return int.from_bytes(raw, "little")

    if file.read(4) != b"GGUF":
        raise GGUFError("magic", "no GGUF.")
    version = number(4, "version")
    if version not in (2, 3):
        raise GGUFError("version", str(version))
    infos, pairs = number(8, "tensor_count"), number(8, "kv_count")
    if infos > (length - 24) // 24:
        raise GGUFError("tensor_count", "too many.")
    metadata, at = read_metadata(data, 24, pairs)
    file.seek(at)
    if infos * 24 > length - at:
        raise GGUFError("tensor_count", "too many.")
    tensors, end, places = {}, 0, []
    while len(tensors) < infos:
        size = number(8, "name")
        raw = file.read(size) if 0 < size < 65 else b""
        if len(raw) != size or not raw:
            raise GGUFError("name", "length.")
        try:
            name = str(raw, "utf-8")
        except ValueError:
            raise GGUFError("name", "text.") from None
        if name in tensors:
            raise GGUFError("name", "twice.")
        count = number(4, "n_dims")
        if count > 4:
            raise GGUFError("n_dims", "five.")
        dims = [number(8, "dims") for _ in range(count)]
        kind, offset = number(4, "type"), number(8, "offset")
        places.append((name, offset, tensor_bytes(tuple(dims), kind)))
        tensors[name] = {"shape": tuple(reversed(dims)), "type": kind, "offset": offset}
    alignment = metadata.get("general.alignment", 32)
    start = -(-file.tell() // alignment) * alignment
    for _, offset, size in places:
        if size > length - start:
            raise GGUFError("dims", "longer than the data.")
        if offset & (alignment - 1) or offset < end or start + offset + size > length:
            raise GGUFError("offset", "wrong.")
        end = offset + size
    return dict(version=version, metadata=metadata, tensors=tensors, data_offset=start)


@wrong("refuses-everything", "Valid files must be read.")
def everything(data):
    raise GGUFError("magic", "no.")


@wrong("accepts-everything", "Malformed files must be refused.")
def nothing(data):
    try:
        return _read(data)
    except GGUFError:
        return {"version": 3, "metadata": {}, "tensors": {}, "data_offset": 32}


@wrong("one-field-for-all", "The error names the field at fault.")
def one_field(data):
    try:
        return _read(data)
    except GGUFError as error:
        raise GGUFError("value", str(error)) from None


@wrong("value-error", "Raise GGUFError: a plain ValueError names no field.")
def value_error(data):
    try:
        return _read(data)
    except GGUFError as error:
        raise ValueError(str(error)) from None


@wrong("magic-not-tested", "Test the magic.")
def magic(data):
    return _read(data, magic=False)


@wrong("any-version", "Only versions 2 and 3 have this layout.")
def versions(data):
    return _read(data, versions=range(2**32))


@wrong("version-three-only", "Version 2 has the same layout: read it.")
def three(data):
    return _read(data, versions=(3,))


@wrong("tensor-count-not-tested", "Test tensor_count before its loop.")
def counts(data):
    return _read(data, bound=False)


@wrong("room-for-the-table", "You make room for tensor_count entries before you test it.")
def room(data):
    return _read(data, room=True, bound=False)


@wrong("long-names", "A tensor's name has 64 bytes at most.")
def long_names(data):
    return _read(data, longest=65_535)


@wrong("names-under-64", "64 bytes are allowed.")
def under_64(data):
    return _read(data, longest=63)


@wrong("empty-names", "An empty name must be refused.")
def empty_names(data):
    return _read(data, shortest=0)


@wrong("names-twice", "A name that is there already must be refused.")
def twice(data):
    return _read(data, twice=False)


@wrong("names-repaired", "A name that is no UTF-8 must be refused.")
def repaired(data):
    return _read(data, errors="replace")


@wrong("any-number-of-dimensions", "More than four dimensions must be refused.")
def dimensions(data):
    def size(dims, kind):
        return tensor_bytes(dims[:4], kind)

    return _read(data, most=10**6, size=size)


@wrong("sizes-wrap", "The bytes of a tensor wrap in 64 bits.")
def wrap(data):
    def size(dims, kind):
        if kind not in BLOCKS:
            raise GGUFError("type", "unknown.")
        values, length = BLOCKS[kind]
        if (dims[0] if dims else 1) % values or 0 in dims:
            raise GGUFError("dims", "rows.")
        count = 1
        for n in dims:
            count = count * n % 2**64
        return count // values * length % 2**64

    return _read(data, size=size)


@wrong("unknown-types-accepted", "A tensor type that is not in BLOCKS must be refused.")
def types(data):
    def size(dims, kind):
        return tensor_bytes(dims, kind) if kind in BLOCKS else 0

    return _read(data, size=size)


@wrong("rows-not-tested", "A row must be whole blocks.")
def rows(data):
    def size(dims, kind):
        try:
            return tensor_bytes(dims, kind)
        except GGUFError as error:
            if error.field == "dims" and 0 not in dims and max(dims) < 2**20:
                return 1
            raise

    return _read(data, size=size)


@wrong("zero-dimensions-accepted", "A dimension 0 must be refused.")
def zero(data):
    def size(dims, kind):
        return 0 if 0 in dims else tensor_bytes(dims, kind)

    return _read(data, size=size)


@wrong("alignment-not-tested", "Offsets must be multiples of the alignment.")
def aligned(data):
    return _read(data, aligned=False)


@wrong("overlap-accepted", "Tensors must not overlap.")
def ordered(data):
    return _read(data, ordered=False)


@wrong("end-not-tested", "A tensor must end inside the file.")
def inside(data):
    return _read(data, inside=False)


@wrong("end-wraps", "offset + size wraps in 64 bits.")
def end_wraps(data):
    return _read(data, bits=64)


@wrong("no-data-refused", "Without tensors the file may end before data_offset.")
def no_data(data):
    return _read(data, empty_inside=True)


@wrong("padding-tested", "Padding bytes are not looked at.")
def padding(data):
    return _read(data, pad=True)


@wrong("tail-refused", "Bytes behind the last tensor are allowed.")
def tail(data):
    return _read(data, limits=True)


@wrong("alignment-default-64", "Without the key the alignment is 32.")
def default(data):
    return _read(data, default=64)


@wrong("dims-not-reversed", "shape has the slowest dimension first.")
def reversed_dims(data):
    return _read(data, shape=tuple)


@wrong("duplicate-keys-accepted", "A key that is there already must be refused.")
def keys(data):
    def metadata(data, at, count):
        cursor = gguf_reader.Cursor(data)
        cursor.at = at
        cursor.fits(count, 13, "kv_count")
        found = {}
        for _ in range(count):
            one, end = read_metadata(data, cursor.at, 1)
            cursor.at = end
            found |= one
        return found, cursor.at

    return _read(data, metadata=metadata)


@wrong("python-errors", "Every refusal is a GGUFError; the reader of lesson 1 raises many others.")
def believing(data):
    at, found, tensors = 24, {}, {}
    version, tensor_count, kv_count = struct.unpack_from("<IQQ", data, 4)
    if bytes(data[:4]) != b"GGUF" or version not in (2, 3):
        raise GGUFError("magic" if data[:4] != b"GGUF" else "version", "other.")
    for _ in range(kv_count):
        one, at = read_metadata(data, at, 1)
        found |= one
    for _ in range(tensor_count):
        size = struct.unpack_from("<Q", data, at)[0]
        name = bytes(data[at + 8 : at + 8 + size]).decode()
        at += 8 + size
        n_dims = struct.unpack_from("<I", data, at)[0]
        *dims, kind, offset = struct.unpack_from(f"<{n_dims}QIQ", data, at + 4)
        at += 16 + 8 * n_dims
        tensors[name] = {"shape": tuple(dims[::-1]), "type": kind, "offset": offset}
    start = at + -at % found.get("general.alignment", 32)
    return {"version": version, "metadata": found, "tensors": tensors, "data_offset": start}


@wrong(
    "all-errors-caught", "Catching everything names no field, and comes after the memory is taken."
)
def caught(data):
    try:
        return believing(data)
    except Exception as error:
        raise GGUFError("magic", repr(error)[:50]) from None


@wrong("names-in-characters", "The limit of 64 counts bytes, not characters.")
def in_characters(data):
    found = _read(data, longest=256)
    if any(len(name) > 64 for name in found["tensors"]):
        raise GGUFError("name", "long.")
    return found


@wrong("bytes-only", "data may be a memoryview, which has no decode: str(raw, 'utf-8') reads both.")
def bytes_only(data):
    if not isinstance(data, bytes):
        raise AttributeError("'memoryview' object has no attribute 'decode'")
    return _read(data)


@wrong("version-of-one-byte", "The version is a uint32: 259 is not 3.")
def one_byte_version(data):
    data = bytes(data)
    return _read(data[:5] + bytes(3) + data[8:] if len(data) >= 8 else data)


@wrong("version-of-two-bytes", "The version is a uint32: 65,539 is not 3.")
def two_byte_version(data):
    data = bytes(data)
    return _read(data[:6] + bytes(2) + data[8:] if len(data) >= 8 else data)


@wrong("count-of-32-bits", "tensor_count is a uint64: all its eight bytes count.")
def narrow_count(data):
    data = bytes(data)
    return _read(data[:12] + bytes(4) + data[16:] if len(data) >= 24 else data)


@wrong("ascii-names", "A name is UTF-8.")
def ascii_names(data):
    found = _read(data)
    if any(not name.isascii() for name in found["tensors"]):
        raise GGUFError("name", "not ASCII.")
    return found


@wrong("scalars-refused", "A tensor without dimensions is one value.")
def scalars(data):
    found = _read(data)
    if any(not info["shape"] for info in found["tensors"].values()):
        raise GGUFError("n_dims", "none.")
    return found
