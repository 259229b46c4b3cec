"""The captain's log: dated entries of progress, insight, challenge and next steps."""

import datetime
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.dashboard.results import DashboardError
from autograder.syllabus import load_syllabus, state_dir


@dataclass(frozen=True)
class Entry:
    """One entry. date: YYYY-MM-DD; module: an id of the syllabus or None."""

    date: str
    progress: str
    insight: str
    challenge: str
    next_steps: str
    module: str | None = None
    title: str | None = None


def add_entry(
    progress: str,
    insight: str,
    challenge: str,
    next_steps: str,
    module: str | None = None,
    title: str | None = None,
    date: str | None = None,
) -> Entry:
    """Append an entry to `log.jsonl` in the state folder, whole or not at all. date: default today.

    Raises:
        DashboardError: a text is empty, the date or module is unknown, or the file is not writable.
    """
    texts = {"progress": progress, "insight": insight, "challenge": challenge, "next": next_steps}
    for name, text in texts.items():
        if not text.strip():
            raise DashboardError(f"The log entry has no {name}: write at least a few words.")
    if module is not None and module not in {m.id for m in load_syllabus().modules}:
        known = ", ".join(m.id for m in load_syllabus().modules)
        raise DashboardError(f"No module is called {module!r}: take one of {known}.")
    entry = Entry(
        _date(date),
        *(text.strip() for text in texts.values()),
        module,
        (title or "").strip() or None,
    )
    path = state_dir() / "log.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _append(path, json.dumps(asdict(entry), ensure_ascii=False))
    except OSError as error:
        raise DashboardError(f"{path} cannot be written ({error.strerror}): mend it.") from None
    return entry


def _date(text: str | None) -> str:
    if text is None:
        return datetime.date.today().isoformat()
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise DashboardError(f"{text!r} is no date: write it as 2026-11-21.") from None


def _append(path: Path, line: str) -> None:
    """One write of the whole line, undone where the disk takes only a part of it."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        data = line.encode("utf-8", "replace") + b"\n"
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":  # a line that a crash left open
                data = b"\n" + data
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, size)
            raise OSError(28, "the disk is full")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_log(path: Path | None = None) -> tuple[list[Entry], int]:
    """The entries, newest first (the later written first on one day), and how many are unreadable.

    Raises:
        DashboardError: the file is there but cannot be read.
    """
    path = path or state_dir() / "log.jsonl"
    entries, skipped = [], 0
    try:
        lines = path.read_bytes().splitlines() if path.exists() else []
    except OSError as error:
        raise DashboardError(f"{path} cannot be read ({error.strerror}): mend it.") from None
    for line in filter(bytes.strip, lines):
        try:
            entry = Entry(**json.loads(line))
            texts = (entry.date, entry.progress, entry.insight, entry.challenge, entry.next_steps)
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("not text")
            if not all(isinstance(text, (str, type(None))) for text in (entry.module, entry.title)):
                raise ValueError("not text")
            entries.append(entry)
        except (ValueError, TypeError, RecursionError):
            skipped += 1
    return sorted(entries, key=lambda entry: entry.date)[::-1], skipped
