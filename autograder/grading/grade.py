"""Grade all submissions of an assignment: in parallel, resumable, one writer.

The work of `nbgrader autograde` is done by nbgrader's own converter in worker processes (task),
each against a private gradebook in memory. This process alone touches the real gradebook.
"""

import hashlib
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from autograder.build.release import nbgrader_config
from autograder.gradebook import GradebookError, open_gradebook, shown, unusable
from autograder.grading.journal import Busy, Journal
from autograder.grading.keys import run_key, submission_key
from autograder.grading.outcome import print_sandboxes
from autograder.grading.pool import ATTEMPTS, Died, Pool
from autograder.grading.sandbox.layers import SandboxRefused, demand
from autograder.grading.sandbox.probe import probe_layers
from autograder.grading.secret import submission_seed
from autograder.grading.snapshot import Rows, assignment_rows, student_rows
from autograder.grading.summary import Line, Ticker, read_points, show
from autograder.grading.task import Course, Grader, not_graded, sentence
from autograder.grading.warm.prepare import shared
from autograder.grading.writer import Writer, patiently

STATE = "autograder/work/grading"


class BadUsage(Exception):
    """Nothing was graded; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster. address: its scheduler's, or the scheduler file; wait_s: for a worker."""

    address: str
    wait_s: float


class Run:
    """One `course grade`: what there is to grade, and what came of it."""

    def __init__(
        self,
        root: Path,
        assignment: str,
        db_url: str | None = None,
        require_sandbox: bool = False,
        cluster: Cluster | None = None,
    ):
        """Raises BadUsage. The gradebook, the journal and its lock are open until close().

        cluster: grade there, not with processes of this machine.
        """
        config = nbgrader_config(root)
        if cluster is None:
            prepare_kernels(config.CourseExecute, require_sandbox)
        self.cluster, self.require_sandbox = cluster, require_sandbox
        self.root, self.assignment = root, assignment
        self.course = CourseDirectory(config=config)
        self.course.assignment_id = assignment
        if db_url:
            self.course.db_url = db_url
        try:
            self.book = open_gradebook(self.course.db_url, self.course.course_id)
            self.rows = assignment_rows(self.book.db(), assignment)
        except GradebookError as error:
            raise BadUsage(str(error)) from None
        except SQLAlchemyError as error:
            raise BadUsage(unusable(self.course.db_url, error)) from None
        if not self.rows["notebook"]:
            raise BadUsage(
                f"The gradebook has no assignment {assignment!r}: "
                f"run `nbgrader generate_assignment {assignment}` first."
            )
        # Another password, or one that is elsewhere, is no other gradebook.
        where = shown(self.course.db_url).replace(":***@", "@")
        name = hashlib.sha256(where.encode()).hexdigest()[:8]
        self.state = f"{STATE}/{assignment}-{name}"
        try:
            self.journal = Journal(root / self.state / "journal.jsonl")
        except Busy:
            raise BadUsage(
                f"Another `course grade {assignment}` is at work: wait for it to end."
            ) from None
        self.step = f"{self.state}/{uuid.uuid4().hex[:8]}"
        self.writer = Writer(self.book, self.course, self.journal, self.step)
        self.lines: dict[str, Line] = {}
        self.sandboxes: Counter[str] = Counter()

    def submissions(self, only: Sequence[str] = ()) -> dict[str, Path]:
        """Folders by student. Raises BadUsage when there are none, or one that was asked for."""
        where = self.root / self.course.submitted_directory
        names = sorted(p.name for p in where.glob("[!.]*")) if where.is_dir() else []
        found = {name: where / name / self.assignment for name in names}
        found = {name: path for name, path in found.items() if path.is_dir()}
        shown = where.relative_to(self.root) if where.is_relative_to(self.root) else where
        if not found:
            raise BadUsage(f"No submission is at {shown}/STUDENT/{self.assignment}.")
        for student in only:
            if student not in found:
                raise BadUsage(f"{student!r} has no submission at {shown}/{student}.")
        return {name: found[name] for name in found if not only or name in only}

    def grade(
        self, found: dict[str, Path], jobs: int | None, force: bool, console: Console
    ) -> None:
        """Grade what is new or changed, up to `jobs` at a time. Fills `lines`.

        jobs: None: one a core of this machine, or every worker of the cluster.
        """
        run = run_key(self.root, self.rows, self._folder(self.course.source_directory, "."))
        extensions = self._extensions()
        keys = {s: submission_key(run, p, extensions.get(s, "")) for s, p in found.items()}
        todo = [s for s in found if force or not self._known(s, keys[s], s in extensions)]
        self.writer.flush()
        self._sweep()
        pool = self._pool(found, jobs, console)
        try:
            with Ticker(console, len(todo)) as ticker:
                for student, result in pool.run(todo, self._load):
                    if isinstance(result, Died):
                        result = died(student, result)
                    self.writer.add(result, keys[student])
                    self.lines[student] = _line(result)
                    self.sandboxes.update(result.get("sandboxes", {}))
                    ticker.tick(self.lines[student])
        finally:
            pool.close()
            self.writer.flush()

    def _pool(self, found: dict[str, Path], jobs: int | None, console: Console) -> Any:
        """Pool or ClusterPool: both take tasks and give results in the same way."""
        if self.cluster is None:
            course = Course(str(self.root), self.assignment, self.step, self.rows)
            return Pool(jobs or cores(), make_handler, (course,))
        from autograder.grading.cluster import bundle
        from autograder.grading.cluster.pool import ClusterPool

        names = [row["name"] for row in self.rows["notebook"]]

        def pack(student: str, rows: Rows) -> tuple:
            seeds = {name: submission_seed(student, self.assignment, name) for name in names}
            return student, rows, seeds, bundle.pack_submission(found[student])

        return ClusterPool(
            self.cluster.address,
            jobs,
            lambda: bundle.pack_course(self.course, self.root, self.rows, self.require_sandbox),
            pack,
            lambda student: self._folder(self.step, student),
            lambda text: console.print(Text(text), soft_wrap=True),
            self.cluster.wait_s,
        )

    def _known(self, student: str, key: str, in_gradebook: bool) -> bool:
        """Whether the journal has this very submission graded. Writes it if a killed run did not."""
        entry = self.journal.entries.get(student)
        if entry is None or entry["key"] != key or not entry["graded"]:
            return False
        if entry["written"]:
            known = in_gradebook and self.writer.autograded(student).is_dir()
        else:
            known = self.writer.again(entry)
        if known:
            self.lines[student] = _line(entry)
            self.lines[student].seconds = None
            note = "unchanged" if entry["written"] else "graded by a run that was stopped"
            self.lines[student].note = "; ".join(filter(None, (note, entry["problem"])))
        return known

    def _extensions(self) -> dict[str, str]:
        """The time each student was granted, as text; every student with a submission."""
        found = self.book.find_assignment(self.assignment).submissions
        return {s.student_id: str(s.extension or "") for s in found}

    def _load(self, student: str) -> tuple[str, Rows]:
        rows = patiently(self.book, lambda: student_rows(self.book.db(), self.assignment, student))
        # No read transaction stays open while others may write.
        self.book.db.rollback()
        return student, rows

    def _folder(self, step: str, student: str) -> Path:
        return Path(self.course.format_path(step, student, self.assignment))

    def _sweep(self) -> None:
        """Remove the folders of runs, but not what is still to be moved to its place."""
        keep = {Path(e["step"]).name for e in self.journal.entries.values() if not e["written"]}
        for path in (self.root / self.state).iterdir():
            if path.is_dir() and path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)

    def report(self, console: Console) -> bool:
        """Print the table. True if every submission was graded."""
        got, most = patiently(self.book, lambda: read_points(self.book, self.assignment))
        for student, line in self.lines.items():
            if student in self.writer.failures:
                line.bad, line.note = True, sentence(self.writer.failures[student])
            elif student in got:
                line.points, line.waiting = got[student]
        show(console, self.assignment, [self.lines[s] for s in sorted(self.lines)], most)
        print_sandboxes(console, self.sandboxes)
        return not any(line.bad for line in self.lines.values())

    def close(self) -> None:
        """Give the gradebook and the journal free."""
        self._sweep()
        self.journal.close()
        self.book.close()


def prepare_kernels(settings: Config, require_sandbox: bool) -> None:
    """Start the warm server that all workers' kernels come from, while other imports go on.

    settings: nbgrader_config.py's for CourseExecute. Raises BadUsage.
    """
    require = require_sandbox or settings.get("require_sandbox", False)
    if settings.get("sandboxed", True):
        shared(require)
    if require:
        try:
            demand(probe_layers())
        except SandboxRefused as error:
            raise BadUsage(str(error)) from None


def make_handler(course: Course):
    """What a worker calls for each task."""
    return Grader(course).grade


def died(student: str, death: Died) -> dict:
    """The result of a submission that no worker survived."""
    reason = death.sentence()
    return {**not_graded(student, reason), "zeros": reason, "attempts": ATTEMPTS}


def _line(result: dict) -> Line:
    again = "graded at the second attempt" if result.get("attempts", 1) > 1 else ""
    note = result["problem"] or again
    return Line(result["student"], result["seconds"], note, bool(result["problem"]))


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
