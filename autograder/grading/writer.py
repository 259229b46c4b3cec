"""The one place that writes results into the gradebook and the autograded folder."""

import contextlib
import datetime
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from nbgrader.api import Gradebook, InvalidEntry, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from autograder.gradebook import cause
from autograder.grading.journal import Journal

BATCH = 25
BATCH_S = 2.0
ATTEMPTS = 8
T = TypeVar("T")


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block is done. (Only the main thread is ever interrupted.)"""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


class _Batch(Session):
    """nbgrader's methods commit after each change; here they only flush, and a batch is one commit."""

    def commit(self) -> None:
        self.flush()

    def commit_batch(self) -> None:
        super().commit()


class Writer:
    """Takes results, journals them, and writes them in batches, one transaction a batch."""

    def __init__(self, book: Gradebook, course: CourseDirectory, journal: Journal, step: str):
        self.book, self.course, self.journal, self.step = book, course, journal, step
        book.db.remove()
        book.db = scoped_session(sessionmaker(class_=_Batch, bind=book.engine, autoflush=False))
        self._pending: list[dict[str, Any]] = []
        self._since = time.monotonic()
        self.failures: dict[str, str] = {}

    def add(self, result: dict[str, Any], key: str) -> None:
        """A fresh result. It is safe when this returns, and in the gradebook soon after."""
        with uninterrupted():
            self._pending.append(self.journal.result({**result, "key": key, "step": self.step}))
            if len(self._pending) >= BATCH or time.monotonic() - self._since > BATCH_S:
                self._flush()

    def again(self, entry: dict[str, Any]) -> bool:
        """A journaled result that was not written. False: its notebooks are gone, grade anew."""
        folder = self._folder(entry["step"], entry["student"])
        if entry["graded"] and not (folder.is_dir() or self.autograded(entry["student"]).is_dir()):
            return False
        self._pending.append(entry)
        return True

    def flush(self) -> None:
        """Write what is pending. What cannot be written is in `failures` and stays in the journal."""
        with uninterrupted():
            self._flush()

    def _flush(self) -> None:
        done = self._write(self._pending)
        for entry in self._pending:
            if entry["student"] in done:
                self._put_in_place(entry)
        if done:
            self.journal.written(done)
        self._pending, self._since = [], time.monotonic()

    def _write(self, entries: list[dict[str, Any]]) -> list[str]:
        """The students whose results are committed: all at once, or one by one if that fails."""
        if not entries:
            return []
        try:
            self._transact(entries)
        except OperationalError as error:
            # No fault of an entry's: each would wait as long in vain.
            said = cause(self.course.db_url, error)
            for entry in entries:
                self.failures[entry["student"]] = (
                    f"Graded, but not in the gradebook ({said}): run the same command again."
                )
            return []
        except Exception as error:
            if len(entries) > 1:
                return [s for entry in entries for s in self._write([entry])]
            said = cause(self.course.db_url, error)
            self.failures[entries[0]["student"]] = f"The gradebook refused it: {said}"
            return []
        return [entry["student"] for entry in entries]

    def _transact(self, entries: list[dict[str, Any]]) -> None:
        def write() -> None:
            # In one order everywhere, so that two writers wait for each other, but not in a circle.
            for entry in sorted(entries, key=itemgetter("student")):
                apply(self.book, self.course.assignment_id, entry)
            self.book.db().commit_batch()

        patiently(self.book, write)

    def _put_in_place(self, entry: dict[str, Any]) -> None:
        """Move the autograded folder in, or, as nbgrader does, remove that of a failed regrade."""
        new = self._folder(entry["step"], entry["student"])
        old = self.autograded(entry["student"])
        # A worker that died may have left a part of it.
        if entry["graded"] and new.is_dir():
            old.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(old)
            new.rename(old)
        elif not entry["graded"] and old.is_dir():
            shutil.rmtree(old)

    def autograded(self, student: str) -> Path:
        """Where formgrader and feedback look for the student's notebooks."""
        return self._folder(self.course.autograded_directory, student)

    def _folder(self, step: str, student: str) -> Path:
        return Path(self.course.format_path(step, student, self.course.assignment_id))


def patiently(book: Gradebook, do: Callable[[], T]) -> T:
    """Run a transaction, again when another program was in its way. Raises what stays wrong.

    That is a lock (SQLite has already waited for some seconds), a deadlock, a row that two
    programs made at once, or a server that was started anew.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return do()
        except Exception as error:
            book.db.rollback()
            # nbgrader raises its InvalidEntry in place of the database's error.
            real = error.__context__ if isinstance(error, InvalidEntry) else error
            clash = isinstance(real, OperationalError | IntegrityError)
            if not clash or attempt == ATTEMPTS:
                raise
            time.sleep(0.1 * 2**attempt * random.random())


def apply(book: Gradebook, assignment: str, result: dict[str, Any]) -> None:
    """Bring a submission to a result's state; what a person entered stays. Commits nothing itself.

    result: see task.Grader.grade. "zeros": a reason, in place of a state: every cell gets 0.
    """
    state, reason = result["state"], result.get("zeros", "")
    if state is None and not reason:
        return
    student = result["student"]
    book.update_or_create_student(student)
    when = (state or {}).get("timestamp")
    extra = {"timestamp": datetime.datetime.fromisoformat(when)} if when else {}
    submission = book.update_or_create_submission(assignment, student, **extra)
    book.db.flush()
    if reason:
        _zeros(submission, reason)
        return
    for notebook in submission.notebooks:
        found = state["notebooks"].get(notebook.name)
        if found is None:
            continue
        notebook.late_submission_penalty = found["penalty"]
        for grade in notebook.grades:
            if grade.cell.name in found["grades"]:
                grade.auto_score, waits = found["grades"][grade.cell.name]
                grade.needs_manual_grade = waits
        for comment in notebook.comments:
            if comment.cell.name in found["comments"]:
                comment.auto_comment = found["comments"][comment.cell.name]


def _zeros(submission: SubmittedAssignment, reason: str) -> None:
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            grade.auto_score, grade.needs_manual_grade = 0.0, False
        for comment in notebook.comments:
            comment.auto_comment = reason
