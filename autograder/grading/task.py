"""The work on one submission, without a gradebook: rows and files in, plain data and files out.

The converter is the one that `nbgrader autograde` would run with our nbgrader_config.py, so
reading, rebuilding, running and judging are decided there and nowhere else.
"""

import contextlib
import functools
import glob
import importlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import jsonschema
import nbgrader.apps.autogradeapp
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import common

from autograder.build.release import nbgrader_config
from autograder.grading import converter, instructor
from autograder.grading.snapshot import PRIVATE_URL, PrivateGradebook, Rows, submission_state

OPENERS = (
    "nbgrader.converters.autograde",
    "nbgrader.preprocessors.latesubmissions",
    "nbgrader.preprocessors.overwritecells",
    "nbgrader.preprocessors.overwritekernelspec",
    "nbgrader.preprocessors.saveautogrades",
)


@dataclass(frozen=True)
class Course:
    """What all tasks of a run share. step: the autograded folder of this run, below the root."""

    root: str
    assignment: str
    step: str
    rows: Rows


def converter_class() -> type[Autograde]:
    """What `nbgrader autograde` runs; nbgrader_config.py may have put its own there."""
    return nbgrader.apps.autogradeapp.Autograde


class Grader:
    """Grades submissions of one assignment, one after another, in this process."""

    def __init__(self, course: Course):
        self.course = course
        self.config = nbgrader_config(Path(course.root))
        self.config.CourseDirectory.db_url = PRIVATE_URL
        self.config.CourseDirectory.autograded_directory = course.step
        # Look at a notebook's form once, after all preprocessors, not after each.
        self.config.NotebookExporter.optimistic_validation = True
        self.book = PrivateGradebook(course.rows)
        # The same for every submission.
        self._kept = {
            name: functools.cache(getattr(instructor, name))
            for name in ("notebook_names", "instructor_notebook")
        }
        logging.getLogger("traitlets").setLevel(logging.CRITICAL)

    def grade(self, student: str, rows: Rows) -> dict[str, Any]:
        """Grade one submission. rows: the student's, see snapshot.student_rows.

        Returns JSON data: student; graded (the autograded folder was made); problem (one
        sentence, or empty); state (see snapshot.submission_state); sandboxes (notebooks by the
        sentence on their sandbox); seconds.
        """
        start = time.perf_counter()
        try:
            self.book.hold(rows)
            graded, problem, sandboxes = self._convert(student)
            with self.book:
                state = submission_state(self.book, self.course.assignment, student)
        except Exception as error:
            graded, problem, sandboxes, state = False, sentence(error), {}, None
        return {
            "student": student,
            "graded": graded,
            "problem": problem,
            "state": state,
            "sandboxes": sandboxes,
            "seconds": round(time.perf_counter() - start, 3),
        }

    def _convert(self, student: str) -> tuple[bool, str, dict[str, int]]:
        course = CourseDirectory(config=self.config)
        course.assignment_id = self.course.assignment
        course.student_id = glob.escape(student)
        converter = _explaining(converter_class())(coursedir=course, config=self.config)
        converter.force = True
        problem = ""
        with self._shared_gradebook():
            try:
                converter.start()
            except NbGraderException as error:
                problem = sentence(converter.reason or error)
        folder = course.format_path(self.course.step, student, self.course.assignment)
        return Path(folder).is_dir(), problem, dict(converter.sandboxes)

    @contextlib.contextmanager
    def _shared_gradebook(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for name in OPENERS:
                module = importlib.import_module(name)
                stack.enter_context(mock.patch.object(module, "Gradebook", self.book.opened))
            stack.enter_context(mock.patch.multiple(converter, **self._kept))
            stack.enter_context(mock.patch.object(common, "jsonschema", SCHEMAS))
            yield


@functools.cache
def _checker(schema: str) -> Any:
    read = json.loads(schema)
    return jsonschema.validators.validator_for(read)(read)


def validate(instance: Any, schema: dict) -> None:
    """jsonschema.validate without its look at the schema itself. Raises ValidationError."""
    found = _checker(json.dumps(schema)).iter_errors(instance)
    if error := jsonschema.exceptions.best_match(found):
        raise error


SCHEMAS = SimpleNamespace(validate=validate)


def not_graded(student: str, problem: str) -> dict[str, Any]:
    """The result, as Grader.grade returns it, of a submission that was not even begun."""
    return {
        "student": student,
        "graded": False,
        "problem": problem,
        "state": None,
        "sandboxes": {},
        "seconds": None,
    }


def _explaining(base: type[Autograde]) -> type[Autograde]:
    """The converter, keeping the error that made it give a submission up (nbgrader logs it)."""

    class Explaining(base):
        reason: Exception | None = None

        def init_assignment(self, *args: Any) -> None:
            with self._noting():
                super().init_assignment(*args)

        def convert_single_notebook(self, *args: Any) -> None:
            with self._noting():
                super().convert_single_notebook(*args)

        @contextlib.contextmanager
        def _noting(self) -> Iterator[None]:
            try:
                yield
            except Exception as error:
                self.reason = error
                raise

    # Settings are found by the class's name.
    Explaining.__name__ = base.__name__
    return Explaining


def sentence(error: Exception | str) -> str:
    """One printable line of an error; a submission may have had a hand in its text."""
    text = str(error).strip() or type(error).__name__
    line = "".join(c if c.isprintable() else " " for c in text.splitlines()[0])
    return line if len(line) <= 200 else line[:197] + "..."
