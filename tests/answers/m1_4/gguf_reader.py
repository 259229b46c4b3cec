"""Answers to gguf-reader."""

import struct

from autograder.checks.bank import right, wrong
from autograder.checks.oracles import gguf_reader
from autograder.checks.oracles.gguf_reader import read_value


def _header(data):
    if bytes(data[:4]) != b"GGUF" or len(data) < 24:
        raise ValueError("magic")
    version, tensors, pairs = struct.unpack_from("<IQQ", data, 4)
    if version not in (2, 3):
        raise ValueError("version")
    return version, tensors, pairs


def _read(
    data, *, shape=lambda dims: tuple(reversed(dims)), default=32, aligned=True, key=lambda k: k,
    place=lambda info, start: info, start_of=lambda at, alignment: at + -at % alignment,
    entry=("shape", "type", "offset"), after_table=0, check=True, wide=True, ordered=True,
):  # fmt: skip
    if check:
        version, tensors, pairs = _header(data)
    else:
        version, tensors, pairs = struct.unpack_from("<IQQ", data, 4)
    at, metadata, found = 24, {}, {}
    for _ in range(pairs):
        name, at = read_value(data, at, 8)
        kind = int.from_bytes(data[at : at + 4], "little")
        metadata[key(name)], at = read_value(data, at + 4, kind)
    for _ in range(tensors):
        name, at = read_value(data, at, 8)
        n = int.from_bytes(data[at : at + 4], "little")
        at += 4
        code = f"<{n}QIQ" if wide else f"<{2 * n}IIQ"
        *dims, kind, offset = struct.unpack_from(code, data, at)
        at += struct.calcsize(code)
        info = dict(zip(entry, (shape(dims), kind, offset), strict=True))
        found[name] = info
    alignment = metadata.get("general.alignment", default) if aligned else default
    start = start_of(at + after_table, alignment)
    found = {name: place(info, start) for name, info in found.items()}
    if not ordered:
        found = dict(sorted(found.items(), reverse=True))
    return {"version": version, "metadata": metadata, "tensors": found, "data_offset": start}


@right("step by step")
def in_steps(data):
    return _read(data)


@right("shapes as lists of NumPy numbers")
def by_numpy(data):
    import numpy as np

    found = _read(data, shape=lambda dims: list(np.array(dims, np.uint64)[::-1]))
    found["data_offset"] = np.int64(found["data_offset"])
    return found


@right("hardened, with a word more")
def hardened(data):
    return gguf_reader.read_gguf(data)


@wrong("dims-not-reversed", "The file stores the fastest dimension first: reverse it for NumPy.")
def not_reversed(data):
    return _read(data, shape=tuple)


@wrong("dims-sorted", "You sorted the dimensions; they are stored in reverse order.")
def sorted_dims(data):
    return _read(data, shape=lambda dims: tuple(sorted(dims, reverse=True)))


@wrong("last-two-swapped", "All dimensions are reversed, not only the first two.")
def two_swapped(data):
    return _read(data, shape=lambda d: (d[1], d[0], *d[2:]) if len(d) > 1 else tuple(d))


@wrong("alignment-ignored", "general.alignment in the metadata replaces 32.")
def no_alignment(data):
    return _read(data, aligned=False)


@wrong("alignment-default-64", "Without the key the alignment is 32.")
def default_64(data):
    return _read(data, default=64)


@wrong(
    "no-padding",
    "The data begin at the next multiple of the alignment, not right behind the table.",
)
def no_padding(data):
    return _read(data, start_of=lambda at, alignment: at)


@wrong("always-padding", "A table that ends on the alignment needs no padding.")
def always(data):
    return _read(data, start_of=lambda at, a: at + a - at % a)


@wrong("rounded-down", "Round up: the data cannot begin inside the table.")
def down(data):
    return _read(data, start_of=lambda at, a: at - at % a)


@wrong("absolute-offsets", "`offset` counts from data_offset, as the file stores it.")
def absolute(data):
    return _read(data, place=lambda info, start: {**info, "offset": info["offset"] + start})


@wrong("computed-offsets", "Read the offsets; tensors need not follow one another.")
def computed(data):
    found, at = _read(data), 0
    for info in found["tensors"].values():
        info["offset"] = at
        values, size = gguf_reader.BLOCKS[info["type"]]
        count = 1
        for n in info["shape"]:
            count *= n
        at += count // values * size
        at += -at % found["metadata"].get("general.alignment", 32)
    return found


@wrong("keys-lower-case", "Keys are used as they are written.")
def lower(data):
    return _read(data, key=str.lower)


@wrong("last-part-of-key", "The key is the whole name with its dots.")
def last_part(data):
    return _read(data, key=lambda k: k.rsplit(".", 1)[-1])


@wrong("type-and-offset-swapped", "The type comes before the offset.")
def fields_swapped(data):
    return _read(data, entry=("shape", "offset", "type"))


@wrong("other-names", "Each tensor is a dict with shape, type and offset.")
def names(data):
    return _read(data, entry=("dims", "type", "offset"))


@wrong("magic-not-tested", "A file with another magic or version must raise ValueError.")
def unchecked(data):
    return _read(data, check=False)


@wrong("type-as-name", "`type` is the number in the file.")
def type_names(data):
    from gguf import GGMLQuantizationType

    found = _read(data)
    for info in found["tensors"].values():
        info["type"] = GGMLQuantizationType(info["type"]).name
    return found


@wrong("alignment-removed", "general.alignment stays in the metadata.")
def removed(data):
    found = _read(data)
    found["metadata"].pop("general.alignment", None)
    return found


@wrong("order-changed", "The tensors stay in the file's order.")
def unordered(data):
    return _read(data, ordered=False)


@wrong("dims-of-32-bits", "The dimensions are uint64.")
def narrow(data):
    found = _read(data)
    return {**found, "tensors": {} if not found["tensors"] else _read(data, wide=False)["tensors"]}


@wrong("no-data-offset", "Return data_offset as well.")
def no_offset(data):
    found = _read(data)
    del found["data_offset"]
    return found


@wrong(
    "data-offset-from-file-end",
    "With no tensors data_offset is still the rounded end of the table.",
)
def from_end(data):
    found = _read(data)
    return found if found["tensors"] else {**found, "data_offset": 0}


@wrong("data-counted-from-the-end", "Bytes may follow the last tensor: count from the table's end.")
def from_the_end(data):
    found = _read(data)
    alignment, total = found["metadata"].get("general.alignment", 32), 0
    for info in found["tensors"].values():
        size = gguf_reader.tensor_bytes(info["shape"][::-1], info["type"])
        total = info["offset"] + size + -size % alignment
    return {**found, "data_offset": len(data) - total if total else found["data_offset"]}


@wrong("alignment-32-at-least", "An alignment of 8 is an alignment: 32 is only the default.")
def at_least_32(data):
    return _read(data, start_of=lambda at, alignment: at + -at % max(alignment, 32))


@wrong("metadata-sorted", "Keep the key-values in the file's order.")
def metadata_sorted(data):
    found = _read(data)
    return {**found, "metadata": dict(sorted(found["metadata"].items()))}
