"""Where the course lives and where it keeps what it downloads."""

import os
import sys
from pathlib import Path

from lab.errors import CourseError

APP = "model-miniaturization-course"
ROOT_MARKERS = ("syllabus.yml", "pyproject.toml")


def repo_root() -> Path:
    """The course's folder: `COURSE_ROOT` if set, else the nearest parent with a root marker.

    Raises:
        CourseError: `COURSE_ROOT` names no folder, or no parent holds a root marker.
    """
    named = os.environ.get("COURSE_ROOT")
    if named:
        root = Path(named).expanduser().resolve()
        if not root.is_dir():
            raise CourseError(
                f"COURSE_ROOT names {root}, which is no folder: correct it or unset it."
            )
        return root
    for parent in Path(__file__).resolve().parents:
        if any((parent / marker).is_file() for marker in ROOT_MARKERS):
            return parent
    raise CourseError(
        "The course's folder was not found: set COURSE_ROOT to the folder that has syllabus.yml."
    )


def cache_dir() -> Path:
    """The folder for downloads, made if it is not there: `COURSE_CACHE`, else the user's cache.

    Raises:
        CourseError: the folder cannot be made or written.
    """
    named = os.environ.get("COURSE_CACHE")
    folder = Path(named).expanduser() if named else _user_cache() / APP
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(
            f"The cache folder {folder} cannot be made ({error.strerror}): "
            "set COURSE_CACHE to a folder that you may write to."
        ) from error
    return folder.resolve()


def _user_cache() -> Path:
    """The platform's folder for caches (XDG base directories, Apple's and Microsoft's rules)."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
