"""A submitted notebook file, read without trust: plain cells come out, or one sentence that says why not.

Nothing of the file is believed but its text. Outputs, metadata and everything else that a learner's
file may carry stay behind; what is kept is bounded in size and free of characters that cannot be
written again.
"""

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# A notebook full of figures has some 20 MB. The count of items bounds the memory that parsing takes.
MAX_FILE_BYTES = 50 * 2**20
MAX_ITEMS = 4_000_000
MAX_CELLS = 100_000
MAX_SOURCE_CHARS = 1_000_000
# Of all cells together. A long lesson has a tenth of a million.
MAX_TEXT_CHARS = 4_000_000
MAX_ATTACHMENT_CHARS = 8_000_000
IMAGES = ("image/png", "image/jpeg", "image/gif")


class Unreadable(Exception):
    """The file holds no notebook that can be graded; the text is one sentence for the learner."""


@dataclass
class Cell:
    """A cell's text and the marks by which it may be recognised: nbgrader's id, the course's, its own."""

    kind: str
    source: str
    grade_id: str = ""
    key: str = ""
    cell_id: str = ""
    points: float | None = None


@dataclass
class SubmittedCell(Cell):
    """One cell of a submission: all its marks are unproven. locked: None where it does not say."""

    locked: bool | None = None
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Submitted:
    """A submitted notebook. notes: sentences on what had to be put right to read it."""

    cells: list[SubmittedCell] = field(default_factory=list)
    language: str = ""
    notes: list[str] = field(default_factory=list)


def read_file(path: Path) -> Submitted:
    """Read a notebook file. Raises Unreadable; never follows a link, never loads a huge file."""
    return read_bytes(file_bytes(path))


def file_bytes(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file of at most `limit` bytes. Raises Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        why = "is a link" if path.is_symlink() else "cannot be opened"
        raise Unreadable(f"The file {why}: hand in the notebook itself.") from None
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise Unreadable("There is a folder or a device in place of the notebook file.")
        if facts.st_size > limit:
            raise Unreadable(_too_large(facts.st_size, limit))
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Unreadable(_too_large(len(data), limit))
    return data


def _too_large(size: int, limit: int) -> str:
    return (
        f"The file has {size / 2**20:.0f} MB, and at most {limit / 2**20:.0f} MB are read: "
        "clear the outputs and hand it in again."
    )


def read_bytes(data: bytes) -> Submitted:
    """Read a notebook from its bytes. Raises Unreadable."""
    notes: list[str] = []
    return _notebook(_parse(_decode(data, notes)), notes)


def _decode(data: bytes, notes: list[str]) -> str:
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable("The file is empty.")
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        raise Unreadable("The file is an archive that was given the name of a notebook.")
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_ITEMS:
        raise Unreadable("The file holds millions of entries, which no notebook needs.")
    encoding = json.detect_encoding(data)
    if encoding != "utf-8":
        notes.append(
            "The file was not plain UTF-8 (a byte-order mark or UTF-16); it was converted."
        )
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        notes.append("The file holds bytes that are not UTF-8; they were replaced.")
        return data.decode(encoding, "replace")


def _parse(text: str) -> Any:
    try:
        # No number of the file is used but small ones: a long one would cost time and memory.
        return json.loads(
            text,
            strict=False,
            parse_int=lambda digits: int(digits) if len(digits) < 16 else 0,
            parse_float=lambda digits: float(digits) if len(digits) < 32 else 0.0,
            parse_constant=lambda name: None,
        )
    except RecursionError:
        raise Unreadable("The file is nested too deeply to be a notebook.") from None
    except ValueError:
        if re.search(r"^<{7} ", text, re.MULTILINE):
            raise Unreadable("The file holds the marks of an unfinished git merge.") from None
        raise Unreadable(
            "The file is not a Jupyter notebook (its text is not JSON): save or download it again."
        ) from None


def _notebook(found: Any, notes: list[str]) -> Submitted:
    if not isinstance(found, dict):
        raise Unreadable("The file is JSON, but no notebook.")
    raw = found.get("cells")
    sheets = found.get("worksheets")
    if not isinstance(raw, list) and isinstance(sheets, list):
        notes.append("The notebook is in the old format (nbformat 3); it was converted.")
        lists = [s["cells"] for s in sheets if isinstance(s, dict) and _is_list(s.get("cells"))]
        raw = [cell for cells in lists for cell in cells]
    if not isinstance(raw, list):
        raise Unreadable("The file is JSON, but it has no cells: it is no notebook.")
    if len(raw) > MAX_CELLS:
        raise Unreadable(f"The notebook has {len(raw)} cells, more than can be graded.")
    cells = [made for cell in raw if (made := _cell(cell)) is not None]
    if not cells:
        raise Unreadable("The notebook has no cells.")
    total = sum(len(cell.source) for cell in cells)
    if total > MAX_TEXT_CHARS:
        raise Unreadable(f"The notebook's cells hold {total / 1e6:.0f} million characters of text.")
    if len(cells) < len(raw):
        notes.append(f"Entries that are no cells were left out: {len(raw) - len(cells)}.")
    if not any(cell.source.strip() for cell in cells):
        raise Unreadable("The notebook's cells hold no text: only outputs, or nothing.")
    said = [_dig(found, "metadata", "language_info", "name")]
    said += [_dig(found, "metadata", "kernelspec", name) for name in ("language", "name")]
    return Submitted(cells, next(filter(None, map(_mark, said)), ""), notes)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _cell(raw: Any) -> SubmittedCell | None:
    if not isinstance(raw, dict):
        return None
    kind = raw.get("cell_type")
    source = _text(raw.get("source", raw.get("input", "")))
    if kind == "heading":
        kind, source = "markdown", f"# {source}"
    if kind not in ("code", "markdown", "raw"):
        return None
    marks = _dig(raw, "metadata", "nbgrader")
    course = _dig(raw, "metadata", "course")
    points, locked = _dig(marks, "points"), _dig(marks, "locked")
    numeric = isinstance(points, int | float) and not isinstance(points, bool)
    return SubmittedCell(
        kind,
        source,
        grade_id=_mark(_dig(marks, "grade_id")),
        key=f"{_mark(_dig(course, 'role'))}:{_mark(_dig(course, 'id'))}",
        cell_id=_mark(raw.get("id")),
        points=float(points) if numeric else None,
        locked=locked if isinstance(locked, bool) else None,
        attachments=_attachments(raw.get("attachments")) if kind == "markdown" else {},
    )


def _mark(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 200 else ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    return clean_text(value[: MAX_SOURCE_CHARS + 1])


def clean_text(text: str) -> str:
    """The text with nothing that UTF-8, XML or a terminal cannot carry."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", "", text.replace("\r\n", "\n"))


def _attachments(found: Any) -> dict[str, dict[str, str]]:
    """Pictures in a written answer: base64 of the usual kinds, bounded."""
    out: dict[str, dict[str, str]] = {}
    left = MAX_ATTACHMENT_CHARS
    for name, bundle in found.items() if isinstance(found, dict) else ():
        if not re.fullmatch(r"[\w .()-]{1,100}", name) or not isinstance(bundle, dict):
            continue
        for mime in IMAGES:
            data = bundle.get(mime)
            if isinstance(data, str) and len(data) <= left and is_base64(data):
                out[name] = {mime: data}
                left -= len(data)
                break
    return out


def is_base64(data: str) -> bool:
    """Whether the text is base64 and nothing else (line ends allowed)."""
    return re.fullmatch(r"[A-Za-z0-9+/\n]*={0,2}\n?", data) is not None
