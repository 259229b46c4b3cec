"""Files as plain data: packed on one machine, checked and unpacked on another.

What comes back from a worker is JSON and file contents in one piece of bytes. Nothing in it is
unpickled, and no path in it is used before it was checked.
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_FILES = 2_000
MAX_BYTES = 256 * 2**20
MAX_JSON_BYTES = 16 * 2**20
MAX_PATH_CHARS = 1_000


class Refused(Exception):
    """A parcel breaks a rule; the text is one sentence."""


@dataclass(frozen=True)
class File:
    """One file. path: relative, with slashes; mode: permission bits.

    kind: "file"; or what has no content but must be met again as what it was: "large" (a file of
    `size` bytes that nobody would read), "link", "locked" (it cannot be opened), "device".
    """

    path: str
    data: bytes = b""
    mode: int = 0o644
    kind: str = "file"
    size: int = 0


def read(path: Path, name: str, limit: int = MAX_BYTES) -> File:
    """A file as data, under the relative path `name`; no link is followed, no pipe waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return File(name, kind="link" if path.is_symlink() else "locked")
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            return File(name, kind="device")
        if facts.st_size > limit:
            return File(name, kind="large", size=facts.st_size)
        return File(name, file.read(limit), stat.S_IMODE(facts.st_mode) & 0o777)


def tree(folder: Path, skipped: Iterable[str] = ("__pycache__",)) -> Iterator[Path]:
    """What is in a folder and below, sorted, without folders; links are not followed."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in skipped)
        yield from (Path(where, name) for name in sorted(names))


def unpack(files: Iterable[File], folder: Path) -> None:
    """Write files below a folder, where none of them may be yet.

    Raises Refused for a path that leads elsewhere, a file named twice, or too much of anything.
    Nothing is written then.
    """
    files = list(files)
    check(files)
    for file in files:
        _write(file, folder / file.path)


def check(files: list[File]) -> None:
    """Raise Refused as unpack would."""
    names = {_safe(file.path) for file in files}
    if len(files) > MAX_FILES or sum(len(file.data) for file in files) > MAX_BYTES:
        raise Refused(f"It has more than {MAX_FILES} files or {MAX_BYTES >> 20} MB.")
    folders = {part for name in names for part in Path(name).parents}
    if len(names) < len(files) or any(Path(name) in folders for name in names):
        raise Refused("It names a file twice.")


def _safe(path: str) -> str:
    parts = path.split("/") if len(path) <= MAX_PATH_CHARS and "\0" not in path else [""]
    if any(part in ("", ".", "..") for part in parts):
        raise Refused(f"It names a file {path[:80]!r}, which is no path inside its folder.")
    return path


def _write(file: File, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.kind == "link":
        path.symlink_to("nowhere")
        return
    if file.kind == "device":
        os.mkfifo(path)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as out:
        out.write(file.data)
        if file.kind == "large":
            out.truncate(file.size)
    os.chmod(path, 0 if file.kind == "locked" else file.mode & 0o777)


def to_bytes(data: dict[str, Any], files: Iterable[File]) -> bytes:
    """A result: JSON data and ordinary files. Raises Refused when it is too large."""
    files = list(files)
    facts = [[file.path, file.mode, len(file.data)] for file in files]
    head = json.dumps({"data": data, "files": facts}).encode()
    if len(head) > MAX_JSON_BYTES:
        raise Refused(f"The result has more than {MAX_JSON_BYTES >> 20} MB without its files.")
    return b"".join([len(head).to_bytes(8, "big"), head, *(file.data for file in files)])


def from_bytes(blob: bytes) -> tuple[dict[str, Any], list[File]]:
    """The inverse of to_bytes; the bytes may be anything. Raises Refused.

    The files are ordinary ones; unpack() checks their paths.
    """
    size = int.from_bytes(blob[:8], "big")
    if size > MAX_JSON_BYTES:
        raise Refused("The answer of the worker is too large.")
    try:
        head = json.loads(blob[8 : 8 + size])
        data, facts, start, files = head["data"], head["files"], 8 + size, []
        for path, mode, length in facts:
            if type(mode) is not int or type(length) is not int or length < 0:
                raise ValueError
            files.append(File(str(path), blob[start : start + length], mode & 0o777))
            start += length
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("The answer of the worker is no result.") from None
    if start != len(blob) or not isinstance(data, dict):
        raise Refused("The answer of the worker is no result.")
    return data, files
