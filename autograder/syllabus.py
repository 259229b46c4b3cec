"""syllabus.yml as frozen dataclasses: parts, modules, items, notebooks, exercises and points.

Everything that counts or ticks reads the course through `load_syllabus`. A mistake in the file is
a SyllabusError of one sentence that names the file and the line.
"""

import os
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from lab import paths
from lab.errors import CourseError


class SyllabusError(Exception):
    """syllabus.yml is missing or wrong; one sentence naming file and line."""


@dataclass(frozen=True)
class Item:
    """One line of the curriculum. kind: C concept, K knowledge check, P project step, A across."""

    id: str
    title: str

    @property
    def kind(self) -> str:
        return re.sub(r"[\d.]", "", self.id)


@dataclass(frozen=True)
class NotebookInfo:
    """A notebook. file: its stem; items: the ids of the concepts that it teaches."""

    file: str
    title: str
    minutes: int
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """A graded cell. kind: code (graded by a check) or written (graded by a person)."""

    id: str
    notebook: str
    points: float
    kind: str
    items: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Project:
    """A module's project: its steps are the module's P items."""

    title: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Module:
    """A module. minutes: the sum over its notebooks, or the plan where there are none yet."""

    id: str
    part: str
    folder: str
    title: str
    status: str
    summary: str
    minutes: int
    prerequisites: tuple[str, ...]
    items: tuple[Item, ...]
    project: Project
    notebooks: tuple[NotebookInfo, ...]
    exercises: tuple[Exercise, ...]

    @property
    def points(self) -> float:
        """Points of all exercises, code and written."""
        return sum(exercise.points for exercise in self.exercises)


@dataclass(frozen=True)
class Part:
    """A part of the course. items: those that belong to no module (A.1 to A.4)."""

    id: str
    title: str
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A paper of the reading list. items: those whose cells reproduce a figure of it."""

    title: str
    authors: str
    year: int
    module: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Tool:
    """A tool. needs: cpu, gpu, or none-here (taught without being run)."""

    tool: str
    modules: tuple[str, ...]
    needs: str
    note: str


@dataclass(frozen=True)
class Syllabus:
    """The whole course."""

    title: str
    parts: tuple[Part, ...]
    modules: tuple[Module, ...]
    papers: tuple[Paper, ...]
    arsenal: tuple[Tool, ...]

    @cached_property
    def items(self) -> dict[str, Item]:
        """Every item by id, in the order of the file."""
        groups = [module.items for module in self.modules] + [part.items for part in self.parts]
        return {item.id: item for group in groups for item in group}

    @cached_property
    def exercises(self) -> dict[str, Exercise]:
        """Every exercise by id, in the order of the file."""
        return {e.id: e for module in self.modules for e in module.exercises}

    def module(self, module_id: str) -> Module:
        """The module of that id. Raises KeyError."""
        return {module.id: module for module in self.modules}[module_id]

    def module_by_folder(self, folder: str) -> Module:
        """The module of that folder. Raises KeyError."""
        return {module.folder: module for module in self.modules}[folder]

    def exercise(self, exercise_id: str) -> Exercise:
        """The exercise of that id. Raises KeyError."""
        return self.exercises[exercise_id]


def repo_root() -> Path:
    """The course's folder, as lab.paths finds it.

    Raises:
        SyllabusError: COURSE_ROOT names no folder, or no parent holds the course.
    """
    try:
        return paths.repo_root()
    except CourseError as error:
        raise SyllabusError(str(error)) from None


def state_dir() -> Path:
    """The folder of the learner's own records: COURSE_STATE if set, else .course in the root."""
    return Path(os.environ.get("COURSE_STATE") or repo_root() / ".course")


def load_syllabus(path: str | Path | None = None) -> Syllabus:
    """Read and validate a syllabus file (default: the course's own). Read again when it changes.

    Raises:
        SyllabusError: the file is missing, is no YAML, or breaks a rule.
    """
    path = Path(path) if path else repo_root() / "syllabus.yml"
    try:
        stat = path.stat()
    except OSError:
        raise SyllabusError(f"{path} is missing: restore it, or correct the path.") from None
    return _load(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load(path: Path, mtime_ns: int, size: int) -> Syllabus:
    from autograder.syllabus_reader import Reader, parse  # late: it needs the classes above

    return Reader(path.name).syllabus(parse(path))
