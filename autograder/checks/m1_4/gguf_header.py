"""gguf-header: magic, version and counts, and files refused with the reason."""

import struct

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge

PARTS = {"header": 0.4, "other files": 0.3, "big-endian and versions": 0.3}
HINTS = (
    "struct.unpack_from('<IQQ', data, 4) reads the three numbers behind the magic.",
    "Test in this order: length, magic, byte order, version.",
    "int.from_bytes(data[4:8], 'big') is what a big-endian machine sees.",
)

# The predecessors of GGUF as their four bytes stand in a file.
OLD = {b"lmgg": "GGML", b"fmgg": "GGMF", b"tjgg": "GGJT"}


def _header(version=3, tensors=0, pairs=0, order="<", magic=b"GGUF"):
    return magic + struct.pack(order + "IQQ", version, tensors, pairs)


def cases(rng):
    def one(label, part, data, view=False):
        return case(label, part, data=data, view=view)

    for version, tensors, pairs in ((3, 2, 5), (2, 0, 0), (3, 2**63 + 5, 2**64 - 1), (3, 1, 256)):
        yield one(
            f"version {version}, {tensors} tensors", "header", _header(version, tensors, pairs)
        )
    for i in range(3):
        tensors, pairs = (int(n) for n in rng.integers(0, 2**40, 2))
        data = _header(3, tensors, pairs) + rng.bytes(int(rng.integers(1, 40)))
        yield one(f"more bytes behind it {i}", "header", data, bool(i % 2))
    part = "other files"
    yield one("a ZIP archive", part, _header(magic=b"PK\x03\x04"))
    yield one("the magic backwards", part, _header(magic=b"FUGG"))
    yield one("the magic in lower case", part, _header(magic=b"gguf"))
    yield one("a random file", part, b"\x00" + rng.bytes(60))
    for magic, name in OLD.items():
        yield one(f"an old {name} file", part, _header(magic=magic))
    yield one("an empty file", part, b"")
    for magic in OLD:
        yield one(f"{magic.decode()} and nothing more", part, magic)
        yield one(
            f"{magic.decode()} before a big-endian version", part, _header(3, 1, 1, ">", magic)
        )
    yield one("a short archive", part, _header(magic=b"PK\x03\x04")[:20])
    yield one("another magic and version 1", part, _header(1, magic=b"abcd"))
    for size in (4, 7, 8, 16, 23):
        yield one(f"{size} bytes of a good header", part, _header(3, 1, 1)[:size], size == 8)
    part = "big-endian and versions"
    for version in (1, 2, 3):
        yield one(f"a big-endian file of version {version}", part, _header(version, 3, 4, ">"))
    for version in (1, 0, 4, 77, 2**16, 2**32 - 1, 2**24 + 4):
        yield one(f"version {version}", part, _header(version))


def probe(solution, data, view):
    return outcome(lambda: solution(memoryview(data) if view else data))


def judge(case, answer):
    if case.part != "header":
        why = f"{case.label.capitalize()}: raise ValueError with a sentence."
        words = _words(case.data)
        gguf_judge.refused(answer, why, words)
        return _only(answer["message"], words)
    got = gguf_judge.returned(answer, "This is a good header.")
    version, tensors, pairs = struct.unpack_from("<IQQ", case.data, 4)
    want = {"version": version, "tensor_count": tensors, "kv_count": pairs}
    return gguf_judge.same(got, want, "header")


def _only(message, words):
    """A sentence that names every fault tells nothing."""
    others = [word for word in (*OLD.values(), "big-endian") if word not in words]
    said = message.lower().replace("big endian", "big-endian")
    false = [word for word in others if word.lower() in said]
    expect.that(not false, f"The message says {false[:1]}, which this file is not.", stage="edge",
                yours=message, right="a sentence about this file alone")  # fmt: skip


def _words(data):
    """What the message must say about a file that is no good."""
    if len(data) < 24:
        return ("24",)
    if data[:4] != b"GGUF":
        return (OLD.get(data[:4], "GGUF"),)
    if int.from_bytes(data[4:8], "big") in (1, 2, 3):
        return ("big-endian",)
    return ("version", str(int.from_bytes(data[4:8], "little")))
