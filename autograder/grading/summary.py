"""What `course grade` prints: a line or a bar while it works, a table at the end."""

from dataclasses import dataclass

from nbgrader.api import Gradebook
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy import Integer, cast, func, select

from autograder.grading.snapshot import TABLES


@dataclass
class Line:
    """One student of the summary. points: after a late penalty; bad: the instructor should look."""

    student: str
    seconds: float | None = None
    note: str = ""
    bad: bool = False
    points: float | None = None
    waiting: int = 0


def read_points(book: Gradebook, assignment: str) -> tuple[dict[str, tuple[float, int]], float]:
    """By student: points and cells that wait for a person; and the most points there are."""
    source, submission, notebook, grade = (
        TABLES[name]
        for name in ("assignment", "submitted_assignment", "submitted_notebook", "grade")
    )
    score = func.coalesce(grade.c.manual_score, grade.c.auto_score, 0.0)
    extra = func.coalesce(grade.c.extra_credit, 0.0)
    scored = grade.c.manual_score.is_not(None) | grade.c.auto_score.is_not(None)
    waits = cast(grade.c.needs_manual_grade, Integer)
    mine = (source.c.name == assignment) & (source.c.id == submission.c.assignment_id)
    points = (
        select(
            submission.c.student_id,
            func.sum(score + extra * cast(scored, Integer)),
            func.sum(waits),
        )
        .join(notebook, notebook.c.assignment_id == submission.c.id)
        .join(grade, grade.c.notebook_id == notebook.c.id)
        .join(source, mine)
        .group_by(submission.c.student_id)
    )
    late = (
        select(submission.c.student_id, func.sum(notebook.c.late_submission_penalty))
        .join(notebook, notebook.c.assignment_id == submission.c.id)
        .join(source, mine)
        .group_by(submission.c.student_id)
    )
    penalty = {student: lost or 0.0 for student, lost in book.db.execute(late)}
    out = {
        student: (max(0.0, got - penalty.get(student, 0.0)), waiting)
        for student, got, waiting in book.db.execute(points)
    }
    return out, book.find_assignment(assignment).max_score


def show(console: Console, assignment: str, lines: list[Line], most: float) -> None:
    """The table. Text of submissions is printed as it is, never as markup."""
    table = Table(title=Text(f"{assignment}: {len(lines)} submissions"))
    for column in ("student", "points", "waiting", "seconds", "note"):
        table.add_column(column, justify="right" if column in ("waiting", "seconds") else "left")
    for line in lines:
        points = "not graded" if line.points is None else f"{line.points:g} of {most:g}"
        seconds = "" if line.seconds is None else f"{line.seconds:.1f}"
        style = "red" if line.bad else ""
        cells = (line.student, points, str(line.waiting or ""), seconds, line.note)
        table.add_row(*map(Text, cells), style=style)
    console.print(table)


class Ticker:
    """Progress on standard output: a bar on a terminal, else a line for each submission."""

    def __init__(self, console: Console, total: int):
        self.console, self.total, self.count = console, total, 0
        self._bar = None
        if console.is_terminal and total:
            columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, TextColumn("{task.description}"), console=console)
            self._task = self._bar.add_task("grading", total=total)

    def __enter__(self) -> "Ticker":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception) -> None:
        if self._bar:
            self._bar.stop()

    def tick(self, line: Line) -> None:
        """One more submission is done."""
        self.count += 1
        if self._bar:
            self._bar.update(self._task, advance=1)
            return
        text = f"{self.count}/{self.total} {line.student}: {line.seconds or 0:.1f} s"
        self.console.print(Text(f"{text}; {line.note}" if line.note else text), soft_wrap=True)
