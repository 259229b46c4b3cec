"""Find a data set's files: the local cache, then the mirror, then upstream."""

import os
from dataclasses import dataclass
from pathlib import Path

from lab.errors import CourseError
from lab.manifest import DataSetEntry, FileEntry, fault_of, load_manifest
from lab.network import why_offline
from lab.paths import cache_dir


@dataclass(frozen=True)
class Located:
    """Where the files of a data set were found.

    Attributes:
        source: "cache", "mirror" or "upstream"; None when they were not found.
        note: one sentence that says where they are or why they were not found.
        paths: verified files by their name in the manifest; empty when not found.
    """

    source: str | None
    note: str
    paths: dict[str, Path]


def locate(name: str, download: bool = True) -> Located:
    """Find and verify the needed files of the manifest's data set `name`.

    download=False: look in the cache and the mirror only. All files come from one source. A file
    that is missing moves the search on; one that is there but wrong does not, because the learner
    believes that it is being used.

    Raises:
        CourseError: a damaged file in the cache or the mirror, COURSE_MIRROR that names no folder,
            or a name that the manifest lacks.
    """
    manifest = load_manifest()
    if name not in manifest:
        raise CourseError(f"No data set is called {name!r}: choose from {', '.join(manifest)}.")
    entry = manifest[name]
    cached = cache_dir() / "data"
    if paths := verified(entry, cached, "cache"):
        return Located("cache", f"{entry.title}, read from the local cache.", paths)
    mirror = mirror_dir()
    if mirror is not None and (paths := verified(entry, mirror, "mirror")):
        return Located("mirror", f"{entry.title}, read from the mirror folder.", paths)
    if not download:
        return Located(None, f"{entry.title} is in no cache or mirror.", {})
    return _from_upstream(entry, cached)


def mirror_dir() -> Path | None:
    """The folder that `COURSE_MIRROR` names; None when it is not set.

    Raises:
        CourseError: it names no folder.
    """
    named = os.environ.get("COURSE_MIRROR")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise CourseError(
            f"COURSE_MIRROR names {folder}, which is no folder: correct it or unset it."
        )
    return folder


def verified(entry: DataSetEntry, folder: Path, kind: str) -> dict[str, Path]:
    """The needed files below `folder`, each checked; empty when one is missing.

    Raises:
        CourseError: one is there but has the wrong size or sha256.
    """
    paths = {file.name: folder.joinpath(*file.mirror.split("/")) for file in entry.needed}
    for file in entry.needed:
        path = paths[file.name]
        if path.exists() and (fault := fault_of(path, file)):
            remedy = (
                "delete it and run again"
                if kind == "cache"
                else "replace it with a good copy, or delete it and run again"
            )
            raise CourseError(f"The {kind} file {path} {fault}: {remedy}.")
    return paths if all(path.is_file() for path in paths.values()) else {}


def _from_upstream(entry: DataSetEntry, folder: Path) -> Located:
    """Download what is missing into the cache."""
    without_url = [file.name for file in entry.needed if file.url is None]
    if without_url:
        return Located(None, f"{entry.title} has no upstream address and needs a mirror.", {})
    if reason := why_offline(entry.needed[0].url):
        return Located(None, f"{entry.title} is in no cache or mirror, and {reason}.", {})
    # Late, because the progress bar and the HTTP client are slow to import.
    from lab.download import fetch

    def get(file: FileEntry) -> Path:
        path = folder.joinpath(*file.mirror.split("/"))
        return fetch(file.url, path, file.sha256, file.size_bytes)

    try:
        paths = {file.name: get(file) for file in entry.needed}
    except CourseError as error:
        return Located(None, str(error), {})
    return Located("upstream", f"{entry.title}, downloaded from its source.", paths)
