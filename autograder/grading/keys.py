"""Content hashes: a submission whose hash is in the journal need not be graded again."""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import autograder.checks
import lab
from autograder.grading.intake import walk
from autograder.grading.secret import load_secret
from autograder.grading.snapshot import Rows, content

SKIPPED = ("__pycache__", ".ipynb_checkpoints")


def run_key(root: Path, rows: Rows, source: Path) -> str:
    """A hash of all that decides grades beside the submissions.

    These are: the instructor's cells in the gradebook, the files beside the source notebooks, the
    checks and the bank, the grading code, the configuration, the secret, and the pins: the
    versions of Python and of every installed package.
    """
    digest = hashlib.sha256(content(rows).encode())
    digest.update(load_secret())
    digest.update(code_digest().encode())
    bank = root / "tests" / "answers"
    _add(digest, bank, _files(bank, ".py"))
    _add(digest, root, [root / "nbgrader_config.py", root / "syllabus.yml"])
    _add(digest, source, (p for p in _files(source) if p.suffix != ".ipynb"))
    digest.update(json.dumps([sys.version, _pins()]).encode())
    return digest.hexdigest()


def code_digest() -> str:
    """A hash of the course's code that decides grades: checks, grading, lab."""
    digest = hashlib.sha256()
    folders = [Path(p) for p in autograder.checks.__path__]
    folders += [Path(autograder.__file__).parent / "grading", Path(lab.__file__).parent]
    for folder in folders:
        _add(digest, folder, _files(folder, ".py"))
    return digest.hexdigest()


def submission_key(run: str, folder: Path, extension: str) -> str:
    """A hash of one submission's files and of `run`. extension: what the student was granted."""
    digest = hashlib.sha256(f"{run}\0{extension}\0".encode())
    # As the intake sees them: no deeper than a submission is read.
    _add(digest, folder, list(walk(folder)))
    return digest.hexdigest()


def _pins() -> list[str]:
    # A set: a folder that is on the path twice, or with its egg-info, changes nothing.
    return sorted({f"{d.name}=={d.version}" for d in metadata.distributions()})


def _files(folder: Path, suffix: str = "") -> list[Path]:
    out = []
    for place, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in SKIPPED]
        out += [Path(place, name) for name in names if name.endswith(suffix)]
    return sorted(out)


def _add(digest: "hashlib._Hash", base: Path, paths: Iterable[Path]) -> None:
    """Names and contents. What is no regular file counts by its kind: a pipe would block."""
    for path in paths:
        digest.update(os.fsencode(path.relative_to(base)) + b"\0")
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                digest.update(b"link " + os.fsencode(os.readlink(path)))
            elif stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            else:
                digest.update(str(stat.S_IFMT(mode)).encode())
        except OSError as error:
            digest.update(f"unreadable {error.errno}".encode())
