"""A GGUF reader that refuses every malformed file with the name of the field at fault.

It reads nothing past the end, takes no memory for a count that the rest of the file cannot hold, and
does its sums in Python's integers, which do not wrap. The oracle of lesson 1.4.2.
"""

import struct

from gguf import GGML_QUANT_SIZES

from autograder.checks.oracles.gguf_build import ARRAY, SCALARS, STRING, UINT32

BLOCKS = {int(kind): sizes for kind, sizes in GGML_QUANT_SIZES.items()}
LONGEST_KEY, LONGEST_NAME, MOST_DIMS, DEEPEST_ARRAY = 65_535, 64, 4, 4
LEAST_ALIGNMENT, MOST_ALIGNMENT, MOST_BYTES = 8, 65_536, 2**63 - 1
# The least bytes that a key-value (length, type, value) and a tensor's entry can take.
LEAST_PAIR, LEAST_INFO = 13, 24


class GGUFError(ValueError):
    """A malformed file. field: one of gguf_build.FIELDS."""

    def __init__(self, field: str, problem: str):
        super().__init__(f"{field}: {problem}")
        self.field = field


class Cursor:
    """A place in the file that cannot leave it."""

    def __init__(self, data: bytes | memoryview):
        self.data, self.at = memoryview(data).cast("B"), 0

    def left(self) -> int:
        """Bytes that have not been read."""
        return len(self.data) - self.at

    def take(self, size: int, field: str) -> memoryview:
        """The next `size` bytes, without a copy."""
        if size > self.left():
            raise GGUFError(field, f"needs {size} bytes, the file has {self.left()} left.")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, code: str, field: str) -> int | float | bool:
        """One little-endian number of a struct format."""
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code), field))[0]

    def count(self, least: int, field: str) -> int:
        """A uint64 count of things that take `least` bytes or more each."""
        count = self.number("Q", field)
        self.fits(count, least, field)
        return count

    def fits(self, count: int, least: int, field: str) -> None:
        """Refuse more things than the bytes left can hold."""
        if count * least > self.left():
            raise GGUFError(field, f"{count} entries cannot fit into {self.left()} bytes.")

    def text(self, field: str, longest: int | None = None, shortest: int = 0) -> str:
        """A string with its length before it."""
        size = self.number("Q", field)
        if size < shortest or (longest is not None and size > longest):
            raise GGUFError(field, f"has {size} bytes, {shortest} to {longest} are allowed.")
        try:
            return str(self.take(size, field), "utf-8")
        except UnicodeDecodeError as error:
            raise GGUFError(field, f"is not UTF-8 at byte {error.start}.") from None


def read_gguf(data: bytes | memoryview) -> dict:
    """What is in a GGUF file: version, metadata, tensors (shape, type, offset) and data_offset.

    Raises:
        GGUFError: the file breaks a rule.
    """
    cursor = Cursor(data)
    if bytes(cursor.take(4, "magic")) != b"GGUF":
        raise GGUFError("magic", "the file does not begin with GGUF.")
    version = cursor.number("I", "version")
    if version not in (2, 3):
        raise GGUFError("version", f"{version} is not 2 or 3 in little-endian order.")
    tensor_count = cursor.number("Q", "tensor_count")
    kv_count = cursor.count(LEAST_PAIR, "kv_count")
    metadata, alignment = _metadata(cursor, kv_count)
    cursor.fits(tensor_count, LEAST_INFO, "tensor_count")
    tensors, sizes = _table(cursor, tensor_count)
    data_offset = cursor.at + -cursor.at % alignment
    _layout(tensors, sizes, alignment, len(cursor.data) - data_offset)
    return {
        "version": version,
        "metadata": metadata,
        "tensors": tensors,
        "data_offset": data_offset,
    }


def read_value(data: bytes | memoryview, offset: int, value_type: int, depth: int = 1) -> tuple:
    """One metadata value and the place behind it. Raises GGUFError."""
    cursor = Cursor(data)
    cursor.at = offset
    if value_type not in SCALARS and value_type not in (STRING, ARRAY):
        raise GGUFError("value_type", f"{value_type} is no type, 0 to 12 are.")
    return _value(cursor, value_type, depth), cursor.at


def read_metadata(data: bytes | memoryview, offset: int, count: int) -> tuple[dict, int]:
    """`count` key-values and the place behind them. Raises GGUFError."""
    cursor = Cursor(data)
    cursor.at = offset
    cursor.fits(count, LEAST_PAIR, "kv_count")
    return _metadata(cursor, count)[0], cursor.at


def value_types(data: bytes | memoryview) -> dict[str, list[int]]:
    """Type id of each key's value in a file that `read_gguf` accepts; for an array its elements' behind."""
    cursor = Cursor(data)
    cursor.at = 16
    found = {}
    for _ in range(cursor.number("Q", "kv_count")):
        key = cursor.text("key")
        kind = cursor.number("I", "value_type")
        inner = cursor.data[cursor.at : cursor.at + 4]
        found[key] = [kind, int.from_bytes(inner, "little")] if kind == ARRAY else [kind]
        _value(cursor, kind, 1)
    return found


def _metadata(cursor: Cursor, count: int) -> tuple[dict, int]:
    metadata, alignment = {}, 32
    for _ in range(count):
        key = cursor.text("key", LONGEST_KEY, 1)
        if key in metadata:
            raise GGUFError("key", f"{key[:64]!r} occurs twice.")
        value_type = cursor.number("I", "value_type")
        if value_type not in SCALARS and value_type not in (STRING, ARRAY):
            raise GGUFError("value_type", f"{value_type} is no type, 0 to 12 are.")
        if key == "general.alignment":
            if value_type != UINT32:
                raise GGUFError("alignment", f"has type {value_type}, it must be UINT32.")
            alignment = metadata[key] = cursor.number("I", "alignment")
            if alignment & (alignment - 1) or not LEAST_ALIGNMENT <= alignment <= MOST_ALIGNMENT:
                raise GGUFError("alignment", f"{alignment} is no power of two from 8 to 65,536.")
        else:
            metadata[key] = _value(cursor, value_type, 1)
    return metadata, alignment


def _value(cursor: Cursor, value_type: int, depth: int) -> object:
    if value_type == STRING:
        return cursor.text("value")
    if value_type == ARRAY:
        return _array(cursor, depth)
    if value_type == 7:
        byte = cursor.number("B", "value")
        if byte > 1:
            raise GGUFError("value", f"a boolean is 0 or 1, not {byte}.")
        return bool(byte)
    return cursor.number(SCALARS[value_type], "value")


def _array(cursor: Cursor, depth: int) -> list:
    if depth > DEEPEST_ARRAY:
        raise GGUFError("value", f"arrays lie more than {DEEPEST_ARRAY} deep in one another.")
    element_type = cursor.number("I", "value")
    if element_type not in SCALARS and element_type not in (STRING, ARRAY):
        raise GGUFError("value", f"{element_type} is no element type, 0 to 12 are.")
    if element_type in SCALARS:
        code = SCALARS[element_type]
        count = cursor.count(struct.calcsize("<" + code), "value")
        if element_type != 7:
            size = count * struct.calcsize("<" + code)
            return list(struct.unpack(f"<{count}{code}", cursor.take(size, "value")))
    else:
        count = cursor.count(8 if element_type == STRING else 12, "value")
    return [_value(cursor, element_type, depth + 1) for _ in range(count)]


def _table(cursor: Cursor, count: int) -> tuple[dict, list[int]]:
    tensors, sizes = {}, []
    for _ in range(count):
        name = cursor.text("name", LONGEST_NAME, 1)
        if name in tensors:
            raise GGUFError("name", f"{name!r} occurs twice.")
        n_dims = cursor.number("I", "n_dims")
        if n_dims > MOST_DIMS:
            raise GGUFError("n_dims", f"{n_dims} dimensions, {MOST_DIMS} are allowed.")
        dims = struct.unpack(f"<{n_dims}Q", cursor.take(8 * n_dims, "dims"))
        kind = cursor.number("I", "type")
        sizes.append(tensor_bytes(dims, kind))
        offset = cursor.number("Q", "offset")
        tensors[name] = {"shape": tuple(reversed(dims)), "type": kind, "offset": offset}
    return tensors, sizes


def tensor_bytes(dims: tuple[int, ...], kind: int) -> int:
    """Bytes of a tensor; dims in the file's order, the fastest first."""
    if len(dims) > MOST_DIMS:
        raise GGUFError("n_dims", f"{len(dims)} dimensions, {MOST_DIMS} are allowed.")
    if kind not in BLOCKS:
        raise GGUFError("type", f"{kind} is no tensor type.")
    if not all(dims):
        raise GGUFError("dims", f"{dims}: a dimension is 0.")
    block, block_bytes = BLOCKS[kind]
    row = dims[0] if dims else 1
    if row % block:
        raise GGUFError("dims", f"rows of {row} are no multiple of the block of {block}.")
    size = block_bytes * (row // block)
    for n in dims[1:]:
        size *= n
    if size > MOST_BYTES:
        raise GGUFError("dims", f"{dims} take more than 2^63 - 1 bytes.")
    return size


def _layout(tensors: dict, sizes: list[int], alignment: int, available: int) -> None:
    end = 0
    for (name, info), size in zip(tensors.items(), sizes, strict=True):
        offset = info["offset"]
        if size > available:
            raise GGUFError("dims", f"{name!r} takes {size} bytes, the data has {available}.")
        if offset % alignment:
            raise GGUFError("offset", f"{name!r} begins at {offset}, no multiple of {alignment}.")
        if offset < end:
            raise GGUFError("offset", f"{name!r} begins at {offset}, before the byte {end}.")
        if offset + size > available:
            raise GGUFError("offset", f"{name!r} ends past the end of the file.")
        end = offset + size
