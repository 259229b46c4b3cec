"""data/manifest.yml as objects, and the check of a file against its entry."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from lab.errors import CourseError
from lab.paths import repo_root

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class FileEntry:
    """One file of a data set: where it comes from and what it must contain.

    Attributes:
        name: its key in the manifest.
        url: upstream address, or None when only a mirror can have it.
        mirror: path below the mirror folder, with forward slashes.
        sha256: lower-case hexadecimal digest.
        size_bytes: exact size.
        optional: not needed by the loaders.
    """

    name: str
    url: str | None
    mirror: str
    sha256: str
    size_bytes: int
    optional: bool = False


@dataclass(frozen=True)
class DataSetEntry:
    """One data set of the manifest."""

    name: str
    title: str
    licence: str
    source_page: str
    files: tuple[FileEntry, ...]

    @property
    def needed(self) -> tuple[FileEntry, ...]:
        """The files without which the data set cannot be loaded."""
        return tuple(file for file in self.files if not file.optional)


def load_manifest(path: Path | None = None) -> dict[str, DataSetEntry]:
    """Read the manifest (`data/manifest.yml` by default), keyed by data set.

    Raises:
        CourseError: the file is missing or not a manifest.
    """
    return _read(path or repo_root() / "data" / "manifest.yml")


@cache
def _read(path: Path) -> dict[str, DataSetEntry]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: _data_set(name, body) for name, body in tree.items()}
    except OSError as error:
        raise CourseError(
            f"The data manifest {path} cannot be read ({error.strerror}): "
            "set COURSE_ROOT to the course's folder or restore the file."
        ) from error
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CourseError(
            f"The data manifest {path} is damaged ({error!r}): restore it from the repository."
        ) from error


def _data_set(name: str, body: dict) -> DataSetEntry:
    files = tuple(
        FileEntry(
            name=key,
            url=file["url"],
            mirror=file["mirror"],
            sha256=file["sha256"],
            size_bytes=int(file["size_bytes"]),
            optional=bool(file.get("optional", False)),
        )
        for key, file in body["files"].items()
    )
    return DataSetEntry(name, body["title"], body["licence"], body["source_page"], files)


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def fault_of(path: Path, entry: FileEntry) -> str | None:
    """Why the file is not the manifest's, as part of a sentence; None when it is."""
    try:
        size_bytes = path.stat().st_size
        if size_bytes != entry.size_bytes:
            return f"has {size_bytes:,} bytes, not {entry.size_bytes:,}"
        if sha256_of(path) != entry.sha256:
            return "does not match its sha256"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None
