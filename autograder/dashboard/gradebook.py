"""Results of a class from an nbgrader gradebook. The gradebook is only read."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from autograder.dashboard.results import ClassResults, DashboardError, Result, Results, best_of


def read_gradebook(where: str) -> ClassResults:
    """Every student's results. where: the path of a SQLite file, or a database URL.

    A code exercise is the grade cell `check-<id>`, a written one the grade cell `<id>`. Points are
    nbgrader's `Grade.score`: the manual score, else the automatic one, plus extra credit.

    Raises:
        DashboardError: there is no gradebook there, or it cannot be read.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from autograder.gradebook import GradebookError, open_gradebook, unusable

    is_url = "://" in where or re.match(r"\w+//", where)
    url = where if is_url else f"sqlite:///{Path(where).expanduser().resolve()}"
    try:
        with open_gradebook(url) as book:
            students = sorted(student.id for student in book.students)
            records = _records(book)
    except GradebookError as error:
        raise DashboardError(str(error)) from None
    except SQLAlchemyError as error:
        raise DashboardError(unusable(url, error)) from None
    return _class(students, records)


def student_results(book: ClassResults, student: str) -> Results:
    """One student's results. Raises DashboardError for a student who is not in the gradebook."""
    if student not in book.students:
        raise DashboardError(
            f"The gradebook has no student {student!r}: take one of {_some(book.students)}."
        )
    return book.students[student]


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(names[:5]) or "none, it is empty") + more


def _records(book) -> dict[str, list[Result]]:
    """The grades of every student who submitted, by student."""
    from nbgrader.api import Grade, GradeCell, SubmittedAssignment, SubmittedNotebook

    rows = (
        book.db.query(
            SubmittedAssignment.student_id,
            GradeCell.name,
            GradeCell.cell_type,
            GradeCell.max_score,
            Grade.score,
            Grade.needs_manual_grade,
            SubmittedAssignment.timestamp,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(GradeCell, Grade.cell_id == GradeCell.id)
        .order_by(SubmittedAssignment.student_id, GradeCell.name)
    )
    records = defaultdict(list)
    for student, name, cell_type, most, score, pending, time in rows:
        code = name.startswith("check-")
        if most <= 0 or code != (cell_type == "code"):
            continue
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""
        result = Result(
            name.removeprefix("check-"), float(score), float(most), stamp, None, bool(pending)
        )
        records[student].append(result)
    return records


def _class(students: list[str], records: dict[str, list[Result]]) -> ClassResults:
    each = {
        student: Results(
            f"the gradebook, student {student}", best_of(records.get(student, ())), 0, True
        )
        for student in students
    }
    graded = defaultdict(list)
    for results in each.values():
        for name, result in results.best.items():
            graded[name].append(result)
    average = {name: _mean(name, found) for name, found in graded.items()}
    count = f"{len(students)} student{'' if len(students) == 1 else 's'}"
    return ClassResults(each, Results(f"the gradebook, average of {count}", average, 0, True))


def _mean(name: str, found: list[Result]) -> Result:
    """The mean over the results that are graded; pending while none is."""
    graded = [result for result in found if not result.pending]
    most = found[0].max_points
    points = fmean(result.points for result in graded) if graded else 0.0
    return Result(name, points, most, max(r.time for r in found), None, not graded)
