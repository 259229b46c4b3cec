"""Compiled programs, kept by what they were made of.

An entry is one file: the sha256 of its content, then the content. One that does not agree with
itself is made again. A file takes its name when it is whole, so that several processes may write.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from lab.errors import CourseError
from lab.paths import cache_dir

DIGEST_BYTES = 32
MOST_BYTES = 512 * 2**20


def folders() -> list[Path]:
    """Where entries may be: the course's cache, and one beside it where that may only be read."""
    found = []
    with contextlib.suppress(CourseError):
        found.append(cache_dir() / "cuda")
    own = os.environ.get("XDG_CACHE_HOME") or tempfile.gettempdir()
    found.append(Path(own) / f"course-cuda-{os.getuid() if hasattr(os, 'getuid') else 'cache'}")
    return found


def key(*parts: str | bytes) -> str:
    """A name for what is made of these parts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """An entry's content; None where there is none that agrees with its digest."""
    for folder in folders():
        try:
            data = (folder / name).read_bytes()
        except OSError:
            continue
        content = data[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() == data[:DIGEST_BYTES]:
            return content
    return None


def store(name: str, content: bytes) -> None:
    """Keep an entry in the first folder that takes it; without one, it is made again next time."""
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
        except OSError:
            continue
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(hashlib.sha256(content).digest() + content)
            os.replace(temporary, folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            continue
        _trim(folder)
        return


def get(name: str, make: Callable[[], bytes]) -> bytes:
    """The entry, made when it is not there or damaged."""
    content = load(name)
    if content is None:
        content = make()
        store(name, content)
    return content


def _trim(folder: Path) -> None:
    """Remove the entries that were made longest ago while there are more than MOST_BYTES."""
    entries = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            facts = path.stat()
            entries.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= MOST_BYTES:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size
