"""Answers to gguf-header."""

import struct

from autograder.checks.bank import right, wrong

OLD = {b"lmgg": "GGML", b"fmgg": "GGMF", b"tjgg": "GGJT"}


def _read(
    data, *, least=24, magics=(b"GGUF",), old=OLD, big=(1, 2, 3), versions=(2, 3), layout="<IQQ",
    swap=False, order="mlbv",
):  # fmt: skip
    def length():
        if len(data) < least:
            raise ValueError(f"{len(data)} bytes are less than the {least} of a header.")

    def magic():
        found = bytes(data[:4])
        if found not in magics:
            raise ValueError(f"Not GGUF but {old.get(found, found)}." if old else "Bad file.")

    def byte_order():
        if int.from_bytes(data[4:8], "big") in big:
            raise ValueError("This file is big-endian.")

    def version():
        found = int.from_bytes(data[4:8], "little")
        if found not in versions:
            raise ValueError(f"Version {found} is not supported.")

    for step in order:
        {"l": length, "m": magic, "b": byte_order, "v": version}[step]()
    found, tensors, pairs = struct.unpack_from(layout, data, 4)
    if swap:
        tensors, pairs = pairs, tensors
    return {"version": found, "tensor_count": tensors, "kv_count": pairs}


@right("in steps")
def in_steps(data):
    return _read(data, order="lmbv")


@right("int.from_bytes and slices")
def by_slices(data):
    raw = bytes(data)
    if len(raw) < 24:
        raise ValueError(f"24 bytes expected, got {len(raw)}")
    if not raw.startswith(b"GGUF"):
        name = OLD.get(raw[:4])
        raise ValueError(f"old format {name}" if name else f"GGUF expected, got {raw[:4]}")
    numbers = [int.from_bytes(raw[a:b], "little") for a, b in ((4, 8), (8, 16), (16, 24))]
    if raw[4:7] == b"\0\0\0" and raw[7] in (1, 2, 3):
        raise ValueError("BIG-ENDIAN file")
    if not 2 <= numbers[0] <= 3:
        raise ValueError(f"VERSION {numbers[0]}")
    return dict(zip(("version", "tensor_count", "kv_count"), numbers, strict=True))


@right("numpy")
def by_numpy(data):
    import numpy as np

    _read(data, order="lmbv")
    counts = np.frombuffer(data, "<u8", 2, 8)
    version = np.frombuffer(data, "<u4", 1, 4)[0]
    return {"version": version, "tensor_count": counts[0], "kv_count": int(counts[1])}


@wrong("counts-swapped", "The number of tensors comes first, then the number of key-values.")
def swapped(data):
    return _read(data, order="lmbv", swap=True)


@wrong("counts-of-32-bits", "The counts are 64-bit since version 2.")
def narrow(data):
    return _read(data, order="lmbv", layout="<III")


@wrong("signed-counts", "The counts are unsigned: 2^63 + 5 is a number of theirs.")
def signed(data):
    return _read(data, order="lmbv", layout="<Iqq")


@wrong("big-endian-counts", "The numbers are little-endian.")
def big_counts(data):
    return _read(data, order="lmbv", layout=">IQQ")


@wrong("magic-not-tested", "Any four bytes pass: test the magic before you trust the rest.")
def no_magic(data):
    return _read(data, order="lbv")


@wrong("old-formats-accepted", "GGML, GGMF and GGJT files have another layout: refuse them.")
def old_accepted(data):
    return _read(data, order="lmbv", magics=(b"GGUF", *OLD))


@wrong("old-formats-not-named", "Say which old format it is: the user must convert it again.")
def old_unnamed(data):
    return _read(data, order="lmbv", old={b"?": ""})


@wrong("old-magic-forwards", "The letters of the old magics stand backwards in the file: lmgg.")
def old_forwards(data):
    return _read(data, order="lmbv", old={v.lower().encode(): v for v in OLD.values()})


@wrong("message-without-reason", "The message must say what the file is, not only that it is bad.")
def no_reason(data):
    try:
        return _read(data, order="lmbv")
    except ValueError:
        raise ValueError("Bad file.") from None


@wrong("struct-error", "A short file must raise ValueError; struct.error is no kind of it.")
def struct_error(data):
    if len(data) < 24:
        return struct.unpack_from("<4sIQQ", data)
    return _read(data, order="mbv")


@wrong("short-by-eight", "A header has 24 bytes: the counts take 16 behind the first eight.")
def short(data):
    if len(data) < 16:
        return in_steps(data)
    return _read(bytes(data) + bytes(8), order="lmbv")


@wrong("version-one-accepted", "Version 1 has 32-bit counts: refuse it.")
def version_one(data):
    return _read(data, order="lmbv", versions=(1, 2, 3))


@wrong("version-two-refused", "Version 2 has the layout of version 3: read it.")
def version_two(data):
    return _read(data, order="lmbv", versions=(3,))


@wrong("any-later-version", "A version that is not known yet may have another layout: refuse it.")
def later(data):
    return _read(data, order="lmbv", versions=range(2, 2**32))


@wrong("big-endian-not-recognised", "Reversed version bytes mean a big-endian file: say so.")
def big_unknown(data):
    return _read(data, order="lmv")


@wrong("big-endian-of-version-three-only", "Versions 1 and 2 can be big-endian as well.")
def big_three(data):
    return _read(data, order="lmbv", big=(3,))


@wrong("big-endian-by-size", "A large number is no sign: 77 and 2^32 - 1 are unknown versions.")
def big_by_size(data):
    if len(data) >= 24 and int.from_bytes(data[4:8], "little") > 65535:
        _read(data, order="lm")
        raise ValueError("This file is big-endian.")
    return _read(data, order="lmbv")


@wrong("big-endian-read", "You read the big-endian file; the exercise refuses it.")
def big_read(data):
    if len(data) >= 24 and int.from_bytes(data[4:8], "big") in (2, 3):
        return _read(data, order="lm", layout=">IQQ")
    return _read(data, order="lmbv")


@wrong("returns-none", "Return the dict; your function ends without `return`.")
def nothing(data):
    _read(data, order="lmbv")


@wrong("returns-a-tuple", "Return a dict with version, tensor_count and kv_count.")
def a_tuple(data):
    return tuple(_read(data, order="lmbv").values())


@wrong("sys-exit", "Raise ValueError: a library that ends the program cannot be used.")
def exits(data):
    try:
        return _read(data, order="lmbv")
    except ValueError as error:
        raise RuntimeError(str(error)) from None


@wrong("every-word-in-every-message", "Say what this file is, not all that a file can be.")
def every_word(data):
    try:
        return _read(data, order="lmbv")
    except ValueError as error:
        number = int.from_bytes(bytes(data[4:8]), "little")
        raise ValueError(
            f"No GGUF of 24 bytes: GGML, GGMF, GGJT, big-endian or version {number}."
        ) from error


@wrong(
    "short-file-by-magic", "The length comes first: an old magic alone is a file that is too short."
)
def short_by_magic(data):
    if len(data) < 24 and bytes(data[:4]) not in OLD:
        raise ValueError("fewer than 24 bytes")
    return _read(data, order="mlbv")


@wrong(
    "byte-order-before-magic", "The magic comes before the byte order: first say what the file is."
)
def order_first(data):
    return _read(data, order="lbmv")
