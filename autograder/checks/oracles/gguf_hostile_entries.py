"""Malformed GGUF files of gguf_hostile: bad texts, values, alignments, dimensions and offsets."""

import struct
from collections.abc import Iterator
from dataclasses import replace

from autograder.checks.oracles.gguf_build import (
    ARRAY,
    STRING,
    UINT32,
    Chunk,
    Draft,
    Tensor,
    chunks,
    join,
    replaced,
)

TOO_LONG = ("dims", "offset")
BAD_TEXT = {"a byte FF": b"\xff", "half a character": b"ab\xc3", "an overlong zero": b"\xc0\x80",
            "a surrogate": b"\xed\xa0\x80"}  # fmt: skip

Made = Iterator[tuple[str, bytes, tuple[str, ...]]]


def _texts(draft: Draft) -> Made:
    pairs, entries = list(draft.metadata), list(draft.tensors)
    for name, raw in BAD_TEXT.items():
        key = draft.but(metadata=((raw, UINT32, 1), *pairs))
        yield f"{name} in a key", key.bytes(), ("key",)
        value = draft.but(metadata=(*pairs, ("test.bad", STRING, raw)))
        yield f"{name} in a string", value.bytes(), ("value",)
        words = draft.but(metadata=(*pairs, ("test.bad", ARRAY, (STRING, ["a", raw]))))
        yield f"{name} in an array", words.bytes(), ("value",)
        renamed = replace(entries[1], name=raw)
        yield f"{name} in a name", draft.but(tensors=(entries[0], renamed)).bytes(), ("name",)
    for i in (0, 3):
        twice = draft.but(metadata=(*pairs, pairs[i]))
        yield f"the key {pairs[i][0]} twice", twice.bytes(), ("key",)
        other = draft.but(metadata=(*pairs, (pairs[i][0], UINT32, 9)))
        yield f"the key {pairs[i][0]} again with another type", other.bytes(), ("key",)
    for i in (0, 2):
        again = draft.but(tensors=(*entries, entries[i]))
        yield f"tensor {i} twice", again.bytes(), ("name",)


def _values(draft: Draft) -> Made:
    for byte in (2, 128, 255):
        yield f"a boolean {byte}", replaced(draft, "value 2", bytes([byte])), ("value",)
        flags = ("test.flags", ARRAY, (0, [1, 0, byte]))
        # Written as uint8; the element type behind the value type (and the key) is then changed.
        made = draft.but(metadata=(*draft.metadata, flags))
        label = f"element type {len(draft.metadata)}"
        yield (
            f"a boolean {byte} in an array",
            replaced(made, label, struct.pack("<I", 7)),
            ("value",),
        )
    for depth in (5, 6, 40, 1500):
        value = (0, [1])
        body = struct.pack("<IQB", *(value[0], 1, 1))
        body = struct.pack("<IQ", ARRAY, 1) * (depth - 1) + body
        yield f"arrays {depth} deep", _appended(draft, body), ("value",)
    for depth in (2, 3, 4):
        for count in (2**63, 2**61, 10**6):
            body = struct.pack("<IQ", ARRAY, 1) * (depth - 1) + struct.pack("<IQ", UINT32, count)
            yield f"{count} numbers in an array {depth} deep", _appended(draft, body), ("value",)


def _appended(draft: Draft, body: bytes) -> bytes:
    """The file with one more key-value: an array of these bytes."""
    last = len(draft.metadata)
    made = draft.but(metadata=(*draft.metadata, ("test.more", STRING, "")))
    parts = []
    for part in chunks(made):
        if part.label == f"value type {last}":
            part = Chunk(part.label, part.field, struct.pack("<I", ARRAY))
        elif part.label == f"string {last} length":
            part = Chunk(part.label, part.field, body)
        parts.append(part)
    at = next(i for i, part in enumerate(parts) if part.label == "padding")
    size = len(join(parts[:at]))
    parts[at] = Chunk("padding", "padding", bytes(-size % draft.alignment))
    return join(parts)


def _alignments(draft: Draft) -> Made:
    rest = [pair for pair in draft.metadata if pair[0] != "general.alignment"]
    for alignment in (0, 1, 2, 4, 7, 12, 33, 48, 96, 2**17, 2**31, 2**32 - 1):
        pair = ("general.alignment", UINT32, alignment)
        made = draft.but(metadata=(*rest, pair), alignment=32)
        yield f"alignment {alignment}", made.bytes(), ("alignment",)
    for value_type, value in ((10, 32), (5, 32), (0, 32), (6, 32.0), (7, True), (STRING, "32"),
                              (ARRAY, (UINT32, [32]))):  # fmt: skip
        made = draft.but(metadata=(*rest, ("general.alignment", value_type, value)), alignment=32)
        yield f"alignment of type {value_type}", made.bytes(), ("alignment",)
    late = draft.but(metadata=(*rest, ("general.alignment", UINT32, 4096)), alignment=32)
    yield "alignment 4096 in a file that was laid out for 32", late.bytes(), ("offset", "dims")


def _dimensions(draft: Draft) -> Made:
    entries = list(draft.tensors)
    for n in (5, 6, 100, 2**31, 2**32 - 1):
        for i in (0, 1):
            yield (
                f"{n} dimensions of tensor {i}",
                replaced(draft, f"n_dims {i}", struct.pack("<I", n)),
                ("n_dims",),
            )
    five = Tensor(entries[0].name, (5, 1, 1, 1, 1), 0, bytes(20))
    yield "five dimensions that are there", draft.but(tensors=(five,)).bytes(), ("n_dims",)
    for i, dims in ((0, (0, 5)), (0, (5, 0)), (1, (0,)), (2, (0, 2)), (2, (64, 0))):
        data = replaced(draft, f"dims {i}", struct.pack(f"<{len(dims)}Q", *dims))
        yield f"dimensions {dims} of tensor {i}", data, ("dims",)
    huge = {
        0: ((2**32, 2**32), (2**63, 2), (2**62, 4), (2**61, 2), (2**62, 1), (2**64 - 1, 1),
            (2**64 - 1, 2**64 - 1), (1, 2**62), (2**20, 2**20), (10**6, 1)),
        1: ((2**63,), (2**64 - 1,), (2**62 + 7,), (10**9,)),
        2: ((2**60, 16), (2**59, 32), (2**63, 2), (2**32, 2**32), (2**20, 32)),
    }  # fmt: skip
    for i, shapes in huge.items():
        for dims in shapes:
            data = replaced(draft, f"dims {i}", struct.pack(f"<{len(dims)}Q", *dims))
            yield f"dimensions {dims} of tensor {i}", data, TOO_LONG
    for dims in ((63, 2), (33, 2), (1, 2), (65, 1)):
        data = replaced(draft, "dims 2", struct.pack("<2Q", *dims))
        yield f"rows of {dims[0]} in blocks of 32", data, ("dims", "type")
    longer = (64, 2 + 2 * draft.alignment // 32)
    yield ("a last tensor that is a little too long",
           replaced(draft, "dims 2", struct.pack("<2Q", *longer)), TOO_LONG)  # fmt: skip
    k_quant = replaced(draft, "type 2", struct.pack("<I", 12))
    yield "rows of 64 in blocks of 256", k_quant, ("dims", "type")
    wide = replaced(
        draft, "dims 0", struct.pack("<2Q", 5, entries[0].dims[1] + draft.alignment // 4)
    )
    yield "a first tensor that runs into the second", wide, TOO_LONG


def _offsets(draft: Draft) -> Made:
    at = [
        struct.unpack("<Q", part.data)[0]
        for part in [p for p in chunks(draft) if p.label.startswith("offset")]
    ]
    end = len(draft.bytes())
    step = draft.alignment
    for i, shift in ((0, 1), (0, 8), (1, 1), (1, step // 2), (2, 4), (2, step - 1)):
        yield f"offset {i} off by {shift}", _offset(draft, i, at[i] + shift), ("offset",)
    far = (end // step * step + step, 2**32, 2**62, 2**63, 2**64 - step, 2**64 - 2 * step)
    for i in range(3):
        for offset in far:
            yield f"offset {i} is {offset}", _offset(draft, i, offset), ("offset",)
    yield "offset 2 a step too far", _offset(draft, 2, at[2] + 4 * step), ("offset",)
    yield "two tensors in one place", _offset(draft, 1, at[0]), ("offset",)
    yield "the last tensor in the first's place", _offset(draft, 2, at[0]), ("offset",)
    yield "the last tensor in the second's place", _offset(draft, 2, at[1]), ("offset",)
    swapped = draft.but(offsets={1: at[2], 2: at[1]})
    yield "offsets in the wrong order", swapped.bytes(), ("offset",)
    turned = draft.but(offsets={0: at[2], 2: at[0]})
    yield "offsets from back to front", turned.bytes(), ("offset",)


def _offset(draft: Draft, i: int, offset: int) -> bytes:
    return replaced(draft, f"offset {i}", struct.pack("<Q", offset))


FAMILIES = (_texts, _values, _alignments, _dimensions, _offsets)
