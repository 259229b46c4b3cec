"""What a run of `course grade` has done, kept so that a killed run loses nothing.

JSON lines, appended and synced to the disk. A result is in the journal before it is in the
gradebook, so a run that follows a killed one writes what is missing and grades only the rest.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any


class Busy(Exception):
    """Another run holds the journal."""


class Journal:
    """The last result of each student, and whether the gradebook has it.

    entries: by student, the result with "key" (content hash), "step" (the folder that holds the
    autograded notebooks until they are in place) and "written".
    """

    def __init__(self, path: Path):
        """Open or make the journal. Raises Busy if another process has it open."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = open(path.with_suffix(".lock"), "w")  # noqa: SIM115
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise Busy from None
        self.entries: dict[str, dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                self._take(line)
        self._rewrite()
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115

    def _take(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            # The line at which a run was killed.
            return
        if entry["kind"] == "result":
            self.entries[entry["student"]] = entry | {"written": entry.get("written", False)}
        elif entry["student"] in self.entries:
            self.entries[entry["student"]]["written"] = True

    def _rewrite(self) -> None:
        """One line a student, without torn or outdated ones."""
        fresh = self.path.with_suffix(".new")
        with open(fresh, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in self.entries.values())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)

    def result(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Keep a result, before anything is done with it. Returns the entry."""
        entry = {"kind": "result", **entry, "written": False}
        self.entries[entry["student"]] = entry
        self._append([entry])
        return entry

    def written(self, students: list[str]) -> None:
        """Note that the gradebook and the autograded folder have these students' results."""
        for student in students:
            self.entries[student]["written"] = True
        self._append([{"kind": "written", "student": student} for student in students])

    def _append(self, lines: list[dict[str, Any]]) -> None:
        self._file.write("".join(json.dumps(line) + "\n" for line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Give the journal free."""
        self._file.close()
        self._lock.close()
