"""A real nbgrader gradebook in SQLite: two students, one written answer still to be graded."""

import datetime
import hashlib
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from autograder.dashboard.gradebook import read_gradebook, student_results
from autograder.dashboard.results import DashboardError

FOLDER, NOTEBOOK = "1.1-quantization-theory", "2_affine_quantization"
CELLS = {"check-one": (4, "code"), "check-two": (3, "code"), "essay": (2, "markdown")}
# cell: automatic score, manual score, extra credit, needs a person
GRADES = {
    "ada": {
        "check-one": (4.0, None, None, False),
        "check-two": (1.0, 2.0, 0.5, False),
        "essay": (None, 1.5, None, False),
    },
    "ben": {
        "check-one": (1.0, None, None, False),
        "check-two": (3.0, None, None, False),
        "essay": (None, None, None, True),
    },
}


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory):
    """The path of a gradebook; `zoe` is enrolled and has submitted nothing."""
    from nbgrader.api import Gradebook

    path = tmp_path_factory.mktemp("class") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader starts alembic by name when it makes the tables.
        folder = str(Path(sys.executable).parent)
        patch.setenv("PATH", folder + os.pathsep + os.environ.get("PATH", ""))
        with Gradebook(f"sqlite:///{path}", course_id="a-course") as book:
            fill(book)
    return path


def fill(book):
    book.add_assignment(FOLDER)
    book.add_notebook(NOTEBOOK, FOLDER)
    for name, (points, kind) in CELLS.items():
        book.add_grade_cell(name, NOTEBOOK, FOLDER, max_score=points, cell_type=kind)
    for student in (*GRADES, "zoe"):
        book.add_student(student)
    for student, cells in GRADES.items():
        book.add_submission(FOLDER, student, timestamp=datetime.datetime(2026, 11, 20, 9, 30))
        for name, values in cells.items():
            grade = book.find_grade(name, NOTEBOOK, FOLDER, student)
            grade.auto_score, grade.manual_score, grade.extra_credit = values[:3]
            grade.needs_manual_grade = values[3]
    book.db.commit()


@pytest.mark.filterwarnings("ignore")
def test_scores_are_those_of_nbgrader(gradebook):
    from nbgrader.api import Gradebook

    read = read_gradebook(str(gradebook))
    assert list(read.students) == ["ada", "ben", "zoe"]
    with Gradebook(f"sqlite:///{gradebook}", course_id="a-course") as book:
        for student in GRADES:
            best = read.students[student].best
            for cell in CELLS:
                theirs = book.find_grade(cell, NOTEBOOK, FOLDER, student)
                ours = best[cell.removeprefix("check-")]
                assert (ours.points, ours.max_points) == (theirs.score, CELLS[cell][0])
                assert ours.pending is theirs.needs_manual_grade
    assert read.students["ada"].best["two"].points == 2.5  # manual over automatic, and the extra
    assert read.students["ada"].best["one"].time == "2026-11-20T09:30:00Z"
    assert read.students["ben"].best["essay"].pending
    assert read.students["zoe"].best == {}
    assert all(results.person for results in read.students.values())


@pytest.mark.filterwarnings("ignore")
def test_average_is_over_those_who_are_graded(gradebook):
    average = read_gradebook(f"sqlite:///{gradebook}").average
    assert {name: r.points for name, r in average.best.items()} == {
        "one": 2.5,
        "two": 2.75,
        "essay": 1.5,
    }
    assert not average.best["essay"].pending
    assert average.source == "the gradebook, average of 3 students"


def test_reading_changes_nothing(gradebook):
    before = hashlib.sha256(gradebook.read_bytes()).hexdigest()
    read_gradebook(str(gradebook))
    assert hashlib.sha256(gradebook.read_bytes()).hexdigest() == before
    assert [p.name for p in gradebook.parent.iterdir()] == ["gradebook.db"]


def test_unknown_student_is_named_with_those_there_are(gradebook):
    with pytest.raises(DashboardError, match="no student 'eve': take one of ada, ben, zoe"):
        student_results(read_gradebook(str(gradebook)), "eve")


def test_what_is_no_gradebook_is_refused_and_left_alone(tmp_path):
    missing = tmp_path / "none.db"
    for where in (str(missing), f"sqlite:///{missing}"):
        with pytest.raises(DashboardError, match="There is no gradebook at .*: run"):
            read_gradebook(where)
    assert not missing.exists()
    text = tmp_path / "text.db"
    text.write_text("not a database, but long enough to be looked at\n" * 40)
    with pytest.raises(DashboardError, match="cannot be read .*not a database"):
        read_gradebook(str(text))
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    size = other.stat().st_size
    with pytest.raises(DashboardError, match="is not an nbgrader gradebook"):
        read_gradebook(str(other))
    assert other.stat().st_size == size
    with pytest.raises(DashboardError, match="is no database URL"):
        read_gradebook("://x")
    with pytest.raises(DashboardError, match="cannot be read|is no database URL"):
        read_gradebook("nosuchdatabase://user:secret@host/db")


def test_an_error_does_not_show_the_password():
    with pytest.raises(DashboardError) as caught:
        read_gradebook("nosuchdatabase://user:secret@host/db")
    assert "secret" not in str(caught.value)
