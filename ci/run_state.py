"""What is known about notebooks that already ran: results, kept so that a run can be resumed."""

import hashlib
import json
import os
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from platform import python_version

from notebook_findings import Failure

VERSION = 1
COURSE_CODE = ("lab", "autograder", "data", "syllabus.yml")  # what notebooks run besides themselves


@dataclass
class Result:
    """How one notebook went. status: "passed", "failed" or "not run"."""

    name: str
    profile: str
    status: str = "not run"
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    resumed: bool = False
    failures: list[Failure] = field(default_factory=list)


def write_atomically(path: Path, text: str) -> None:
    """Write beside, then swap: a reader, or a run after kill -9, sees the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def environment_digest(root: Path) -> str:
    """A hash of the pins in pyproject.toml, Python's version and the course's own code."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = [project.get("dependencies", []), project.get("optional-dependencies", {})]
    digest = hashlib.sha256(json.dumps([pins, python_version()], sort_keys=True).encode())
    for path in _course_files(root):
        digest.update(str(path.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _course_files(root: Path) -> list[Path]:
    work = root / "autograder" / "work"  # generated, and changed by every build
    files = []
    for name in COURSE_CODE:
        start = root / name
        files += [start] if start.is_file() else start.rglob("*")
    return sorted(
        path
        for path in files
        if path.is_file() and "__pycache__" not in path.parts and work not in path.parents
    )


def notebook_key(path: Path, profile: str, environment: str) -> str:
    """The hash under which a notebook's result is kept: its place, content, profile, the rest."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(f"{path} {content} {profile} {environment}".encode()).hexdigest()


class State:
    """The results of finished notebooks in one JSON file, rewritten whole after each of them."""

    def __init__(self, path: Path):
        """Read `path` if it is there. `unreadable` says that it is there and makes no sense."""
        self.path = path
        self.unreadable = False
        self._results: dict[str, dict] = {}
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["version"] == VERSION:
                self._results = {key: _checked(value) for key, value in stored["results"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.unreadable = True

    def passed(self, key: str) -> Result | None:
        """The earlier result under this key if it passed, marked as resumed."""
        stored = self._results.get(key)
        if stored is None or stored["status"] != "passed":
            return None
        return Result(**{**stored, "resumed": True})

    def seconds(self, name: str, profile: str) -> float:
        """How long the notebook took last time, in seconds; infinity if it never ran."""
        known = [r["seconds"] for r in self._results.values() if _same(r, name, profile)]
        return known[-1] if known else float("inf")

    def record(self, key: str, result: Result) -> None:
        """Store a result in place of any earlier one of the same notebook and profile."""
        kept = {k: r for k, r in self._results.items() if not _same(r, result.name, result.profile)}
        self._results = {**kept, key: asdict(result)}
        text = json.dumps({"version": VERSION, "results": self._results}, indent=1)
        write_atomically(self.path, text)


def _same(stored: dict, name: str, profile: str) -> bool:
    return stored["name"] == name and stored["profile"] == profile


def _checked(stored: dict) -> dict:
    failures = [Failure(**failure) for failure in stored["failures"]]
    return asdict(Result(**{**stored, "failures": failures}))
