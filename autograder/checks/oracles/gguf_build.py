"""GGUF files laid out from a description, chunk by chunk, so that any chunk can be made wrong.

Follows docs/gguf.md of ggml-org/ggml (version 3, little-endian); the tests hold the bytes equal to those
of the `gguf` package.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

STRING, ARRAY, UINT32 = 8, 9, 4
# Value type ids to struct formats: the eleven scalars.
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
# Tensor type ids of the types that NumPy has.
TENSOR_TYPES = {"float32": 0, "float16": 1, "int8": 24, "int16": 25, "int32": 26, "int64": 27}
TENSOR_TYPES["float64"] = 28
# The names by which a refusal may call the place of a fault.
FIELDS = (
    "magic", "version", "tensor_count", "kv_count", "key", "value_type", "value", "alignment",
    "name", "n_dims", "dims", "type", "offset",
)  # fmt: skip


@dataclass(frozen=True)
class Chunk:
    """Some bytes of a file. label: its place in words; field: one of FIELDS, "padding" or "data"."""

    label: str
    field: str
    data: bytes


@dataclass(frozen=True)
class Tensor:
    """An entry of the tensor table. dims: in the file's order, the fastest first. data: its bytes."""

    name: str
    dims: tuple[int, ...]
    type: int
    data: bytes


@dataclass(frozen=True)
class Draft:
    """A whole file. metadata: (key, value type, value); an array is (element type, list)."""

    metadata: tuple = ()
    tensors: tuple[Tensor, ...] = ()
    version: int = 3
    alignment: int = 32
    # By place in the table; the others follow one another.
    offsets: dict[int, int] = field(default_factory=dict)

    def but(self, **changes) -> "Draft":
        """A copy with some fields changed."""
        return replace(self, **changes)

    def bytes(self) -> bytes:
        """The file."""
        return join(chunks(self))


def tensor(name: str, array: np.ndarray) -> Tensor:
    """A tensor of a dtype that NumPy has."""
    dims = tuple(reversed(array.shape))
    return Tensor(name, dims, TENSOR_TYPES[array.dtype.name], array.tobytes())


def join(parts: list[Chunk]) -> bytes:
    """The bytes of chunks, one after another."""
    return b"".join(part.data for part in parts)


def padding(size: int, alignment: int) -> bytes:
    """The zero bytes between `size` and the next multiple of `alignment`."""
    return bytes(-size % alignment)


def value_bytes(value_type: int, value: object) -> bytes:
    """A value without its type id."""
    if value_type == ARRAY:
        element_type, items = value
        head = struct.pack("<IQ", element_type, len(items))
        return head + b"".join(value_bytes(element_type, item) for item in items)
    if value_type == STRING:
        raw = value.encode() if isinstance(value, str) else value
        return struct.pack("<Q", len(raw)) + raw
    return struct.pack("<" + SCALARS[value_type], value)


def chunks(draft: Draft) -> list[Chunk]:
    """The file as chunks, in order."""
    parts = [
        Chunk("magic", "magic", b"GGUF"),
        Chunk("version", "version", struct.pack("<I", draft.version)),
        Chunk("tensor count", "tensor_count", struct.pack("<Q", len(draft.tensors))),
        Chunk("key-value count", "kv_count", struct.pack("<Q", len(draft.metadata))),
    ]
    for i, pair in enumerate(draft.metadata):
        parts += _pair(i, *pair)
    position = 0
    for i, entry in enumerate(draft.tensors):
        parts += _info(i, entry, draft.offsets.get(i, position))
        position += len(entry.data) + -len(entry.data) % draft.alignment
    parts.append(Chunk("padding", "padding", padding(len(join(parts)), draft.alignment)))
    for i, entry in enumerate(draft.tensors):
        parts.append(Chunk(f"data {i}", "data", entry.data))
        end = padding(len(entry.data), draft.alignment)
        parts.append(Chunk(f"padding {i}", "padding" if i + 1 < len(draft.tensors) else "end", end))
    return parts


def replaced(draft: Draft, label: str, data: bytes) -> bytes:
    """The file with the bytes of one chunk replaced. Raises KeyError for a label that it lacks."""
    parts = chunks(draft)
    if not any(part.label == label for part in parts):
        raise KeyError(label)
    return join([replace(p, data=data) if p.label == label else p for p in parts])


def _pair(i: int, key: str | bytes, value_type: int, value: object) -> Iterator[Chunk]:
    raw = key.encode() if isinstance(key, str) else key
    yield Chunk(f"key {i} length", "key", struct.pack("<Q", len(raw)))
    yield Chunk(f"key {i}", "key", raw)
    yield Chunk(f"value type {i}", "value_type", struct.pack("<I", value_type))
    body = value_bytes(value_type, value)
    if value_type == ARRAY:
        yield Chunk(f"element type {i}", "value", body[:4])
        yield Chunk(f"array length {i}", "value", body[4:12])
        body = body[12:]
    elif value_type == STRING:
        yield Chunk(f"string {i} length", "value", body[:8])
        body = body[8:]
    yield Chunk(f"value {i}", "value", body)


def _info(i: int, entry: Tensor, offset: int) -> Iterator[Chunk]:
    raw = entry.name.encode() if isinstance(entry.name, str) else entry.name
    yield Chunk(f"name {i} length", "name", struct.pack("<Q", len(raw)))
    yield Chunk(f"name {i}", "name", raw)
    yield Chunk(f"n_dims {i}", "n_dims", struct.pack("<I", len(entry.dims)))
    yield Chunk(f"dims {i}", "dims", struct.pack(f"<{len(entry.dims)}Q", *entry.dims))
    yield Chunk(f"type {i}", "type", struct.pack("<I", entry.type))
    yield Chunk(f"offset {i}", "offset", struct.pack("<Q", offset))
