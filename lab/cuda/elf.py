"""The little of the ELF format that is needed: sections, and symbols with their places.

System V ABI, chapter 4; 64 bits, little endian: x86-64, AArch64 and NVIDIA's cubins.
"""

import functools
import re
import struct
from dataclasses import dataclass

SHT_SYMTAB = 2
STT_OBJECT, STT_FUNC, STT_TLS = 1, 2, 6
RED_ZONE = "course_red_zone_"  # source.py puts one beside each `__shared__` declaration


@dataclass(frozen=True)
class Section:
    """One section: its name, sh_type, sh_link, sh_info and content."""

    name: str
    type: int
    link: int
    info: int
    data: bytes


@dataclass(frozen=True)
class Symbol:
    """One symbol: mangled name, STT_*, value and size in bytes; defined here or elsewhere."""

    name: str
    type: int
    value: int
    size: int
    defined: bool


def sections(image: bytes) -> list[Section]:
    """All sections in order.

    Raises:
        ValueError: no 64-bit little-endian ELF file.
    """
    if image[:6] != b"\x7fELF\x02\x01":
        raise ValueError("This is no 64-bit little-endian ELF file.")
    (start,) = struct.unpack_from("<Q", image, 40)
    width, count, names_at = struct.unpack_from("<HHH", image, 58)
    rows = [struct.unpack_from("<IIQQQQIIQQ", image, start + i * width) for i in range(count)]

    def content(row) -> bytes:
        return b"" if row[1] == 8 else image[row[4] : row[4] + row[5]]  # 8: SHT_NOBITS

    names = content(rows[names_at])
    return [Section(_text(names, r[0]), r[1], r[6], r[7], content(r)) for r in rows]


@functools.lru_cache(maxsize=64)
def symbols(image: bytes) -> tuple[Symbol, ...]:
    """The symbol table; empty in a stripped file."""
    found, parts = [], sections(image)
    for part in parts:
        if part.type == SHT_SYMTAB:
            names = parts[part.link].data
            for name, info, _, where, value, size in struct.iter_unpack("<IBBHQQ", part.data):
                found.append(Symbol(_text(names, name), info & 15, value, size, where != 0))
    return tuple(found)


def _text(table: bytes, at: int) -> str:
    return table[at : table.index(b"\0", at)].decode(errors="replace")


def plain_name(mangled: str) -> str:
    """The last identifier of a mangled C++ name: _ZZ9transposeE4tile is `tile`."""
    if not mangled.startswith("_Z"):
        return mangled
    last = ""
    for match in re.finditer(r"(\d+)(?=([A-Za-z_]\w*))", mangled):
        length = int(match[1])
        if len(match[2]) >= length:
            last = match[2][:length]
    return last or mangled


@functools.lru_cache(maxsize=64)
def guards(image: bytes) -> tuple[tuple[int, int], ...]:
    """Offset and size of each thread-local guard: whether C++ has constructed an array of classes."""
    return tuple(
        (s.value, s.size) for s in symbols(image) if s.type == STT_TLS and s.name.startswith("_ZGV")
    )


@functools.lru_cache(maxsize=64)
def _shared_variables(image: bytes) -> tuple[Symbol, ...]:
    found = (s for s in symbols(image) if s.type == STT_TLS and not s.name.startswith("_ZGV"))
    return tuple(s for s in found if RED_ZONE not in s.name)


@functools.lru_cache(maxsize=64)
def shared_gaps(image: bytes) -> tuple[tuple[int, int], ...]:
    """Offset and size of each stretch of thread-local storage that belongs to no variable.

    Red zones, and what alignment leaves free.
    """
    ends = [s.value + s.size for s in symbols(image) if s.type == STT_TLS]
    taken = [(s.value, s.size) for s in _shared_variables(image)] + list(guards(image))
    gaps, at = [], 0
    for start, size in sorted([*taken, (max(ends, default=0), 0)]):
        if start > at:
            gaps.append((at, start - at))
        at = max(at, start + size)
    return tuple(gaps)


def shared_variable(image: bytes, offset: int) -> tuple[str, int] | None:
    """The static `__shared__` variable at an offset of thread-local storage, and the offset in it."""
    for symbol in _shared_variables(image):
        if symbol.value <= offset < symbol.value + symbol.size:
            return plain_name(symbol.name), offset - symbol.value
    return None


def shared_neighbour(image: bytes, offset: int, kernel: str) -> tuple[str, int, int] | None:
    """The `__shared__` variable nearest to an offset outside of them: name, size, the offset from its start.

    kernel: its name; its own variables are preferred to others'.
    """

    def away(symbol: Symbol) -> int:
        distance = max(symbol.value - offset, offset - symbol.value - symbol.size + 1)
        return distance + 512 * (kernel not in symbol.name)

    nearest = min(_shared_variables(image), key=away, default=None)
    return nearest and (plain_name(nearest.name), nearest.size, offset - nearest.value)
