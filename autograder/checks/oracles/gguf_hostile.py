"""Malformed GGUF files by family, each with the fields that a refusal may name.

`files(base(rng))` gives the same files for the same generator state. Where a rule can be checked in two
places (a tensor that is too long for the file: its dimensions or its offset) both names are in order.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from autograder.checks.oracles import gguf_hostile_entries as entries
from autograder.checks.oracles.gguf_build import (
    ARRAY,
    FIELDS,
    STRING,
    UINT32,
    Chunk,
    Draft,
    Tensor,
    chunks,
    join,
    replaced,
)
from autograder.checks.oracles.gguf_reader import LEAST_INFO, LEAST_PAIR

TOO_LONG = ("dims", "offset")
UNKNOWN_TYPES = (13, 14, 255, 2**31, 2**32 - 1)
UNKNOWN_TENSOR_TYPES = (4, 5, 31, 33, 36, 99, 2**31, 2**32 - 1)
LENGTHS = (2**64 - 1, 2**64 - 8, 2**63, 2**62 + 1, 2**61, 2**32, 10**6)


@dataclass(frozen=True)
class Hostile:
    """A malformed file. name: what is wrong; fields: the names that its refusal may give."""

    family: str
    name: str
    data: bytes
    fields: tuple[str, ...]


def base(rng: np.random.Generator) -> Draft:
    """A small valid file with every kind of entry; names, values and the alignment are random."""
    alignment = int(rng.choice([32, 64]))
    numbers = [int(n) for n in rng.integers(-(2**31), 2**31, rng.integers(2, 6))]
    words = ["".join(rng.choice(list("abcé"), rng.integers(1, 6))) for _ in range(3)]
    metadata = (
        ("general.architecture", STRING, "llama"),
        ("general.alignment", UINT32, alignment),
        ("test.flag", 7, bool(rng.integers(2))),
        ("test.scale", 6, float(np.float32(rng.normal()))),
        ("test.numbers", ARRAY, (5, numbers)),
        ("test.words", ARRAY, (STRING, words)),
        ("test.nested", ARRAY, (ARRAY, [(UINT32, [1, 2]), (STRING, ["a"])])),
        ("test.name", STRING, f"größe {rng.integers(10**6)}"),
    )
    rows = int(rng.integers(2, 6))
    tensors = (
        Tensor("token_embd.weight", (5, rows), 0, rng.bytes(20 * rows)),
        Tensor("blk.0.attn_norm.weight", (7,), 1, rng.bytes(14)),
        Tensor("blk.0.ffn_up.weight", (64, 2), 8, rng.bytes(136)),
    )
    return Draft(metadata, tensors, alignment=alignment)


def files(draft: Draft) -> list[Hostile]:
    """All malformed files that are made of one valid draft."""
    return [
        Hostile(family.__name__.strip("_"), name, data, fields)
        for family in (_truncated, _header, _lengths, _types, *entries.FAMILIES)  # fmt: skip
        for name, data, fields in family(draft)
    ]


Made = Iterator[tuple[str, bytes, tuple[str, ...]]]


def _labels(draft: Draft, test: Callable[[str], bool]) -> list[Chunk]:
    return [part for part in chunks(draft) if test(part.label)]


def _truncated(draft: Draft) -> Made:
    """Cut at each boundary, and inside each field; the padding behind the last tensor may be missing."""
    parts = chunks(draft)
    table = sum(
        len(p.data) for p in parts[: next(i for i, p in enumerate(parts) if p.field == "name")]
    )
    start = 0
    for part in parts:
        if part.field == "end":
            break
        for place, size in (("before", 0), ("inside", len(part.data) // 2)):
            if part.data and (place == "before" or size):
                cut = start + size
                yield (f"cut {place} {part.label}, at {cut} bytes", join(parts)[:cut],
                       _fields_of_cut(draft, part.field, cut, table))  # fmt: skip
        start += len(part.data)


def _fields_of_cut(draft: Draft, field: str, cut: int, table: int) -> tuple[str, ...]:
    """The field that is cut, and each count that the bytes left cannot hold."""
    pairs, infos = LEAST_PAIR * len(draft.metadata), LEAST_INFO * len(draft.tensors)
    found = list(TOO_LONG) if field in ("padding", "data") else [field]
    if cut >= 24:
        if pairs + infos > cut - 24:
            found += ["kv_count", "tensor_count"]
        elif table <= cut < table + infos:
            found.append("tensor_count")
    elif cut >= 16:
        found.append("tensor_count")
    if field == "dims":
        found.append("n_dims")
    return tuple(found)


def _header(draft: Draft) -> Made:
    good = draft.bytes()
    for magic in (b"gguf", b"FUGG", b"tjgg", b"GGUE", b"\0\0\0\0", b"PK\x03\x04"):
        yield f"magic {magic!r}", magic + good[4:], ("magic",)
    for version in (
        0,
        1,
        4,
        259,
        2**16,
        2**16 + 3,
        2**31 + 2,
        2**24,
        2 * 2**24,
        3 * 2**24,
        2**32 - 1,
    ):
        yield (
            f"version {version}",
            replaced(draft, "version", struct.pack("<I", version)),
            ("version",),
        )
    for label, field, least in (("tensor count", "tensor_count", LEAST_INFO),
                                ("key-value count", "kv_count", LEAST_PAIR)):  # fmt: skip
        for count in (*LENGTHS, len(good) // least + 1):
            yield f"{label} {count}", replaced(draft, label, struct.pack("<Q", count)), (field,)
    for label, count in (("tensor count", len(draft.tensors) + 1),
                         ("key-value count", len(draft.metadata) - 1),
                         ("key-value count", len(draft.metadata) + 1)):  # fmt: skip
        # The tables are read out of step from here: any field may come out wrong.
        yield (
            f"{label} {count}, off by one",
            replaced(draft, label, struct.pack("<Q", count)),
            FIELDS,
        )


def _lengths(draft: Draft) -> Made:
    """Lengths and counts that the file cannot hold, some of which wrap to small numbers in 64 bits."""
    size = len(draft.bytes())
    for part in _labels(draft, lambda label: "length" in label):
        true = struct.unpack("<Q", part.data)[0]
        # The last two are the true length to a reader that cuts them to 32 or 63 bits.
        for length in (*LENGTHS, size + 1, 2**32 + true, 2**63 + true):
            data = replaced(draft, part.label, struct.pack("<Q", length))
            yield f"{part.label} {length}", data, (part.field,)
    pairs = list(draft.metadata)
    for length in (0, 65_536):
        long = draft.but(metadata=(("k" * length, UINT32, 1), *pairs[1:]))
        yield f"a key of {length} bytes", long.bytes(), ("key",)
    wide = draft.but(metadata=(("é" * 32_768, UINT32, 1), *pairs[1:]))
    yield "a key of 65,536 bytes in 32,768 characters", wide.bytes(), ("key",)
    renamed = replace(draft.tensors[0], name="é" * 33)
    wide = draft.but(tensors=(renamed, *draft.tensors[1:]))
    yield "a tensor's name of 66 bytes in 33 characters", wide.bytes(), ("name",)
    for length in (0, 65, 1000):
        renamed = replace(draft.tensors[0], name="n" * length)
        long = draft.but(tensors=(renamed, *draft.tensors[1:]))
        yield f"a tensor's name of {length} bytes", long.bytes(), ("name",)


def _types(draft: Draft) -> Made:
    for kind in UNKNOWN_TYPES:
        for i in (0, 2, 4):
            data = replaced(draft, f"value type {i}", struct.pack("<I", kind))
            yield f"value type {i} is {kind}", data, ("value_type",)
        for i in (4, 6):
            data = replaced(draft, f"element type {i}", struct.pack("<I", kind))
            yield f"element type {i} is {kind}", data, ("value",)
    for kind in UNKNOWN_TENSOR_TYPES:
        for i in range(len(draft.tensors)):
            data = replaced(draft, f"type {i}", struct.pack("<I", kind))
            yield f"tensor type {i} is {kind}", data, ("type",)
