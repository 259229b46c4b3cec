"""Nsight's recordings: one made here by nsys, the one that ships, and ncu tables from real GPUs."""

import shlex
import shutil
import subprocess
from pathlib import Path

from lab.errors import CourseError
from lab.paths import repo_root

ABSENT = "nsys is not installed here: the export that ships with the course is read instead."


def shipped_export() -> Path:
    """The SQLite export of a small CPU process; data/nsys/README.md says how it was recorded."""
    return repo_root() / "data" / "nsys" / "quantized_layer.sqlite"


def workload() -> Path:
    """The program of that recording."""
    return repo_root() / "data" / "nsys" / "workload.py"


def record(command: str, folder: Path, timeout_s: float = 300) -> Path:
    """Run an nsys command in `folder` and return the SQLite file that it wrote.

    Raises:
        CourseError: no nsys; it failed, took longer than timeout_s, or exported nothing.
    """
    words = shlex.split(command)
    if not words or not shutil.which(words[0]):
        raise CourseError(ABSENT)
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise CourseError(f"nsys ran longer than {timeout_s:.0f} s: profile fewer steps.") from None
    written = sorted(Path(folder).glob("*.sqlite"))
    if done.returncode or not written:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise CourseError(f"nsys wrote no SQLite export. Its last lines:\n{last}")
    return written[-1]


def recorded_tables(folder: Path | None = None) -> dict[str, str]:
    """Texts of `ncu --csv` that were recorded on real GPUs, by file name; empty where there are none.

    Args:
        folder: where they lie, default ci/reports.
    """
    folder = folder or repo_root() / "ci" / "reports"
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}
    return {
        name: text
        for name, text in texts.items()
        if any(line.startswith('"ID",') for line in text.splitlines())
    }
