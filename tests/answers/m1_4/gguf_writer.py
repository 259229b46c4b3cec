"""Answers to gguf-writer."""

import io
import struct

import numpy as np

from autograder.checks.bank import right, wrong
from autograder.checks.oracles.gguf_build import TENSOR_TYPES, value_bytes


def _write(
    metadata, tensors, *, version=3, swap=False, dims=lambda shape: shape[::-1], last=True,
    default=32, aligned=True, gap=True, header_pad=True, order="C", types=TENSOR_TYPES, fill=b"\0",
    running=True, names="utf-8", arch=False, absolute=False, sort=False, strict=True, empty_pad=True,
):  # fmt: skip
    alignment = metadata.get("general.alignment", (4, default))[1] if aligned else default
    if arch and "general.architecture" not in metadata:
        metadata = {"general.architecture": (8, "llama"), **metadata}
    pairs = sorted(metadata.items()) if sort else metadata.items()
    counts = (len(metadata), len(tensors)) if swap else (len(tensors), len(metadata))
    out = b"GGUF" + struct.pack("<IQQ", version, *counts)
    for key, (kind, value) in pairs:
        out += value_bytes(8, key) + struct.pack("<I", kind) + value_bytes(kind, value)
    at, table, data = 0, [], []
    for name, array in tensors.items():
        if strict and array.dtype.name not in types:
            raise ValueError(name)
        kind = types.get(array.dtype.name, 24)
        shape = dims(array.shape)
        table.append(
            (value_bytes(8, name) + struct.pack(f"<I{len(shape)}QI", len(shape), *shape, kind), at)
        )
        raw = array.tobytes(order)
        data.append(raw + fill * (-len(raw) % alignment if gap else 0))
        at += len(data[-1]) if running else len(raw)
    start = len(out) + sum(len(entry) + 8 for entry, _ in table)
    fill_bytes = -start % alignment if header_pad and (tensors or empty_pad) else 0
    for entry, place in table:
        out += entry + struct.pack("<Q", place + (start + fill_bytes if absolute else 0))
    if not last and data:
        data[-1] = list(tensors.values())[-1].tobytes(order)
    return out + fill * fill_bytes + b"".join(data)


@right("two passes")
def two_passes(metadata, tensors):
    return _write(metadata, tensors)


@right("a stream")
def a_stream(metadata, tensors):
    alignment = dict(metadata).get("general.alignment", (None, 32))[1]
    stream = io.BytesIO()
    stream.write(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)))
    for key, pair in metadata.items():
        stream.write(value_bytes(8, key) + struct.pack("<I", pair[0]) + value_bytes(*pair))
    position = 0
    for name, array in tensors.items():
        if str(array.dtype) not in TENSOR_TYPES:
            raise ValueError(f"{name} has dtype {array.dtype}")
        stream.write(value_bytes(8, name) + struct.pack("<I", array.ndim))
        for n in reversed(array.shape):
            stream.write(struct.pack("<Q", n))
        stream.write(struct.pack("<IQ", TENSOR_TYPES[str(array.dtype)], position))
        position = -(-(position + array.nbytes) // alignment) * alignment
    for part in [b"", *(np.ascontiguousarray(array).tobytes() for array in tensors.values())]:
        stream.write(part)
        while stream.tell() % alignment:
            stream.write(b"\0")
    return bytearray(stream.getvalue())


@wrong("version-two", "Write version 3.")
def version_two(metadata, tensors):
    return _write(metadata, tensors, version=2)


@wrong("counts-swapped", "The number of tensors comes first.")
def swapped(metadata, tensors):
    return _write(metadata, tensors, swap=True)


@wrong("dims-not-reversed", "The fastest dimension, NumPy's last, comes first in the file.")
def not_reversed(metadata, tensors):
    return _write(metadata, tensors, dims=tuple)


@wrong("last-tensor-not-padded", "The package pads the last tensor too.")
def last(metadata, tensors):
    return _write(metadata, tensors, last=False)


@wrong("table-not-padded", "The data section begins at a multiple of the alignment.")
def table(metadata, tensors):
    return _write(metadata, tensors, header_pad=False)


@wrong("no-padding-without-tensors", "The table is padded also if there is no tensor.")
def without(metadata, tensors):
    return _write(metadata, tensors, empty_pad=False)


@wrong("tensors-not-padded", "Each tensor begins at a multiple of the alignment.")
def packed(metadata, tensors):
    return _write(metadata, tensors, gap=False)


@wrong("offsets-without-padding", "The offsets must count the padding.")
def running(metadata, tensors):
    return _write(metadata, tensors, running=False)


@wrong("alignment-ignored", "general.alignment in the metadata replaces 32.")
def ignored(metadata, tensors):
    return _write(metadata, tensors, aligned=False)


@wrong("alignment-64", "Without the key the alignment is 32.")
def default(metadata, tensors):
    return _write(metadata, tensors, default=64)


@wrong("memory-order", "Write the values in C order; a transposed array lies otherwise in memory.")
def memory(metadata, tensors):
    return _write(metadata, tensors, order="A")


@wrong("fortran-order", "Write the values in C order.")
def fortran(metadata, tensors):
    return _write(metadata, tensors, order="F")


@wrong("absolute-offsets", "Offsets count from the data section.")
def absolute(metadata, tensors):
    return _write(metadata, tensors, absolute=True)


@wrong("types-swapped", "F32 is 0 and F16 is 1.")
def types(metadata, tensors):
    return _write(metadata, tensors, types={**TENSOR_TYPES, "float32": 1, "float16": 0})


@wrong("all-as-float32", "Each tensor keeps its dtype.")
def floats(metadata, tensors):
    if any(array.dtype.name not in TENSOR_TYPES for array in tensors.values()):
        raise ValueError("dtype")
    return _write(metadata, {name: array.astype(np.float32) for name, array in tensors.items()})


@wrong("zero-dimensions-as-one", "An array without dimensions has n_dimensions 0.")
def one(metadata, tensors):
    return _write(metadata, {n: a.reshape(1) if a.ndim == 0 else a for n, a in tensors.items()})


@wrong("padded-with-spaces", "Padding is zero bytes.")
def spaces(metadata, tensors):
    return _write(metadata, tensors, fill=b" ")


@wrong("architecture-added", "Write the keys as they are given, and no other.")
def added(metadata, tensors):
    return _write(metadata, tensors, arch=True)


@wrong("keys-sorted", "Write the keys in the order of the dict.")
def sorted_keys(metadata, tensors):
    return _write(metadata, tensors, sort=True)


@wrong("alignment-key-dropped", "general.alignment is written like any other key.")
def dropped(metadata, tensors):
    found = {key: pair for key, pair in metadata.items() if key != "general.alignment"}
    return _write(found, tensors, default=metadata.get("general.alignment", (4, 32))[1])


@wrong("any-dtype", "A dtype that is none of the seven must raise ValueError.")
def any_dtype(metadata, tensors):
    return _write(metadata, tensors, strict=False)


@wrong("type-error", "A dtype that is none of the seven must raise ValueError.")
def type_error(metadata, tensors):
    try:
        return _write(metadata, tensors)
    except ValueError as error:
        raise TypeError(str(error)) from None


@wrong("returns-nothing", "Return the bytes.")
def nothing(metadata, tensors):
    _write(metadata, tensors)


@wrong("only-the-last-dtype-tested", "Test the dtype of every tensor.")
def last_tested(metadata, tensors):
    if tensors and list(tensors.values())[-1].dtype.name not in TENSOR_TYPES:
        raise ValueError("dtype")
    return _write(metadata, tensors, strict=False)
