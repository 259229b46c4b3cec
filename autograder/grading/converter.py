"""nbgrader's Autograde with an intake before it: every submission is graded, and a table tells how.

`install()` (called by nbgrader_config.py) puts it where `nbgrader autograde` and formgrader look
for theirs, since nbgrader has no setting for the converter's class.
"""

import fnmatch
import glob
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
from nbclient.exceptions import DeadKernelError
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import Execute
from nbgrader.preprocessors.execute import UnresponsiveKernelError
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Unicode

from autograder.gradebook import unusable
from autograder.grading import refuse
from autograder.grading.execute import CourseExecute
from autograder.grading.instructor import instructor_notebook, notebook_names
from autograder.grading.intake import Taken, take_in
from autograder.grading.outcome import Outcome, print_outcomes, verdict
from autograder.grading.reading import file_bytes
from autograder.grading.sandbox.layers import SandboxRefused, demand
from autograder.grading.sandbox.probe import probe_layers

CRASHED = (
    "The kernel died or hung while this notebook ran (out of memory, or a crash in native code), "
    "so none of its checks could be judged."
)


class CourseAutograde(Autograde):
    """Autograde that reads a sound copy of each submission, made just before it is graded.

    A notebook that is missing, unreadable or kills its kernel gets zeros with the reason. The run
    goes on; it ends with a table, and with exit status 1 if a notebook was unreadable or crashed.
    """

    intake_directory = Unicode(
        "autograder/work/intake", help="Where the sound copies of submissions are made."
    ).tag(config=True)

    @property
    def _input_directory(self) -> str:
        return self.intake_directory if self._sanitizing else self.coursedir.autograded_directory

    def start(self) -> None:
        self._demand_sandbox()
        self.outcomes: dict[str, Outcome] = {}
        self.sandboxes: Counter[str] = Counter()
        self._wanted: dict[str, Any] = {}
        try:
            super().start()
        finally:
            for outcome in self.outcomes.values():
                folder = self._format_dest(self.coursedir.assignment_id, outcome.student)
                outcome.graded = os.path.isdir(folder)
            print_outcomes(list(self.outcomes.values()), self.sandboxes)
        if any(outcome.bad() for outcome in self.outcomes.values()):
            raise NbGraderException(verdict(list(self.outcomes.values())))

    def _demand_sandbox(self) -> None:
        """Before anything is graded: NbGraderException when a layer is required and not here."""
        if self.config.CourseExecute.get("require_sandbox", False):
            try:
                demand(probe_layers())
            except SandboxRefused as error:
                self.log.error(str(error))
                raise NbGraderException(str(error)) from None

    def init_notebooks(self) -> None:
        """Every submission folder counts, with or without notebooks in it."""
        assignment = self.coursedir.assignment_id
        try:
            names = notebook_names(self.coursedir.db_url, assignment)
        except MissingEntry:
            names = []
        except SQLAlchemyError as error:
            message = unusable(self.coursedir.db_url, error)
            self.log.error(message)
            raise NbGraderException(message) from None
        names = [n for n in names if fnmatch.fnmatchcase(n, self.coursedir.notebook_id)]
        if not names:
            message = (
                f"The gradebook has no notebook for {assignment!r}: "
                f"run `nbgrader generate_assignment {assignment}` first."
            )
            self.log.error(message)
            raise NbGraderException(message)
        self._names = names
        self.assignments, self.notebooks, self._folders = {}, [], {}
        for folder in sorted(glob.glob(self._submitted(self.coursedir.student_id))):
            matched = re.match(self._submitted("(?P<student_id>.*)", escape=True), folder)
            if not matched or not os.path.isdir(folder):
                continue
            student = matched["student_id"]
            copied = self._format_source(assignment, student)
            self._folders[student] = Path(folder)
            self.assignments[copied] = [os.path.join(copied, f"{n}.ipynb") for n in names]
            self._copy_timestamp(Path(folder), Path(copied))
        if not self.assignments:
            message = f"No submission was found at {self._submitted(self.coursedir.student_id)}"
            self.log.error(message)
            raise NbGraderException(message)

    def _submitted(self, student: str, escape: bool = False) -> str:
        course = self.coursedir
        where = course.submitted_directory
        return course.format_path(where, student, course.assignment_id, escape=escape)

    def _copy_timestamp(self, folder: Path, copied: Path) -> list[str]:
        """nbgrader compares the times before it decides whether to grade anew.

        Returns a sentence where the file holds no time: nbgrader would end the whole run.
        """
        copied.mkdir(parents=True, exist_ok=True)
        (copied / "timestamp.txt").unlink(missing_ok=True)
        if not os.path.lexists(folder / "timestamp.txt"):
            return []
        try:
            text = file_bytes(folder / "timestamp.txt", 1000).decode()
            parse_utc(text.strip())
        except Exception:  # dateutil's errors have no common base class
            return ["timestamp.txt: it holds no time, and is passed over."]
        (copied / "timestamp.txt").write_text(text, encoding="utf-8")
        return []

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        if not super().init_destination(assignment_id, student_id):
            return False
        outcome = self.outcomes[student_id] = Outcome(student_id)
        target = Path(self._format_source(assignment_id, student_id))
        outcome.intake = take_in(self._folders[student_id], target, self._instructor())
        outcome.intake.files_left_out += self._copy_timestamp(self._folders[student_id], target)
        outcome.intake.save(target.with_name(f"{target.name}.json"))
        for taken in outcome.notebooks:
            for remark in taken.remarks:
                self.log.warning("%s, %s: %s", student_id, taken.notebook, remark)
        return True

    def _instructor(self) -> dict[str, Any]:
        if not self._wanted:
            course = self.coursedir
            release = course.format_path(course.release_directory, ".", course.assignment_id)
            self._wanted = {
                name: instructor_notebook(
                    course.db_url, course.assignment_id, name, Path(release) / f"{name}.ipynb"
                )
                for name in self._names
            }
        return self._wanted

    def convert_single_notebook(self, notebook_filename: str) -> None:
        outcome, taken = self._taken(notebook_filename)
        self._refusal = "" if taken.status == "graded" else taken.remarks[0]
        try:
            super().convert_single_notebook(notebook_filename)
            self._note_sandbox()
        except (DeadKernelError, UnresponsiveKernelError):
            self.log.error("%s, %s: %s", outcome.student, taken.notebook, CRASHED)
            taken.status, self._refusal = "crashed", CRASHED
            taken.remarks.insert(0, CRASHED)
            folder = Path(notebook_filename).parent
            outcome.intake.save(folder.with_name(f"{folder.name}.json"))
            super().convert_single_notebook(notebook_filename)

    def _note_sandbox(self) -> None:
        for step in self.exporter._preprocessors:
            if isinstance(step, CourseExecute):
                self.sandboxes[step.sandbox()] += 1

    def _taken(self, filename: str) -> tuple[Outcome, Taken]:
        for student, outcome in self.outcomes.items():
            folder = self._format_source(self.coursedir.assignment_id, student)
            if os.path.dirname(filename) == folder:
                name = Path(filename).stem
                return outcome, next(t for t in outcome.notebooks if t.notebook == name)
        raise NbGraderException(f"{filename} is no notebook of this run.")

    def init_single_notebook_resources(self, notebook_filename: str) -> dict[str, Any]:
        resources = super().init_single_notebook_resources(notebook_filename)
        resources[refuse.KEY] = self._refusal
        return resources

    def _init_preprocessors(self) -> None:
        super()._init_preprocessors()
        if self._refusal and not self._sanitizing:
            self.exporter._preprocessors = []
            for item in self.autograde_preprocessors:
                runs = isinstance(item, type) and issubclass(item, Execute)
                self.exporter.register_preprocessor(refuse.Refuse if runs else item)


def install() -> None:
    """Have `nbgrader autograde` and formgrader use CourseAutograde."""
    nbgrader.apps.autogradeapp.Autograde = CourseAutograde
    nbgrader.apps.api.Autograde = CourseAutograde
