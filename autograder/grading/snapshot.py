"""Rows of a gradebook as plain data: what a worker needs of one, and a private one made of them.

A worker never opens the real gradebook. It gets the rows of one assignment and of one student,
puts them into a gradebook in its own memory, and nbgrader's code works on that.
"""

import datetime
import json
import sqlite3
from typing import Any

from nbgrader import api
from nbgrader.api import Base, Gradebook
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

# Of tables, in an order that foreign keys allow: the rows, as dicts of columns.
Rows = dict[str, list[dict[str, Any]]]

TABLES = Base.metadata.tables
OF_STUDENT = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
PRIVATE_URL = "sqlite:///file:course-grade?mode=memory&cache=shared&uri=true"


def _rows(session: Session, table: str, column: str, values: list) -> list[dict[str, Any]]:
    chosen = TABLES[table]
    query = select(chosen).where(chosen.c[column].in_(values))
    return [dict(row) for row in session.execute(query).mappings()]


def assignment_rows(session: Session, assignment: str) -> Rows:
    """The instructor's side of an assignment; no assignment of this name: no rows."""
    out = {"assignment": _rows(session, "assignment", "name", [assignment])}
    ids = [row["id"] for row in out["assignment"]]
    out = {
        "course": _rows(session, "course", "id", [r["course_id"] for r in out["assignment"]])
    } | out
    out["notebook"] = _rows(session, "notebook", "assignment_id", ids)
    notebooks = [row["id"] for row in out["notebook"]]
    out["base_cell"] = _rows(session, "base_cell", "notebook_id", notebooks)
    cells = [row["id"] for row in out["base_cell"]]
    for table in ("grade_cells", "solution_cells", "task_cells"):
        out[table] = _rows(session, table, "id", cells)
    out["source_cell"] = _rows(session, "source_cell", "notebook_id", notebooks)
    return out


def student_rows(session: Session, assignment: str, student: str) -> Rows:
    """One student's submission of one assignment: grades and comments, a person's too."""
    submission, source = TABLES["submitted_assignment"], TABLES["assignment"]
    query = (
        select(submission)
        .join(source, source.c.id == submission.c.assignment_id)
        .where(source.c.name == assignment, submission.c.student_id == student)
    )
    out = {
        "student": _rows(session, "student", "id", [student]),
        "submitted_assignment": [dict(row) for row in session.execute(query).mappings()],
    }
    ids = [row["id"] for row in out["submitted_assignment"]]
    out["submitted_notebook"] = _rows(session, "submitted_notebook", "assignment_id", ids)
    notebooks = [row["id"] for row in out["submitted_notebook"]]
    for table in ("grade", "comment"):
        out[table] = _rows(session, table, "notebook_id", notebooks)
    return out


def content(rows: Rows) -> str:
    """The assignment's content as text, equal for equal content whatever the ids."""
    names = {row["id"]: row["name"] for row in rows["notebook"]}
    cells = {row["id"]: row["name"] for row in rows["base_cell"]}
    lines = []
    for table, found in rows.items():
        for row in found:
            plain = {k: v for k, v in row.items() if k not in ("id", "assignment_id")}
            plain["notebook_id"] = names.get(row.get("notebook_id"))
            plain["cell"] = cells.get(row.get("id"))
            lines.append(json.dumps([table, plain], sort_keys=True, default=str))
    return "\n".join(sorted(lines))


class PrivateGradebook(Gradebook):
    """A gradebook in this process's memory. One connection serves all of nbgrader's openings.

    nbgrader opens a gradebook some ten times a submission, each time with a new engine that has
    to compile every statement anew; `opened` is what it gets in place of that.
    """

    def __init__(self, rows: Rows):
        path = PRIVATE_URL.removeprefix("sqlite:///").removesuffix("&uri=true")
        # The memory lasts as long as a connection to it does.
        self._keeper = sqlite3.connect(path, uri=True)
        # With a table there, nbgrader does not start `alembic` to mark a new gradebook's version.
        self._keeper.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
        self._keeper.commit()
        super().__init__(PRIVATE_URL, "")
        for table in reversed(list(TABLES.values())):
            self.db.execute(delete(table))
        self._insert(rows)

    def close(self) -> None:
        """End the transaction; the engine stays."""
        self.db.remove()

    def opened(self, db_url: str, *args: Any, **kwargs: Any) -> Gradebook:
        """In place of nbgrader's class: this gradebook for its own URL, else the real thing."""
        return self if db_url == PRIVATE_URL else Gradebook(db_url, *args, **kwargs)

    def hold(self, rows: Rows) -> None:
        """Forget the last student; take this one's rows."""
        for table in reversed(OF_STUDENT):
            self.db.execute(delete(TABLES[table]))
        self._insert(rows)

    def _insert(self, rows: Rows) -> None:
        for table, found in rows.items():
            if found:
                self.db.execute(insert(TABLES[table]), found)
        self.db.commit()


def submission_state(book: Gradebook, assignment: str, student: str) -> dict[str, Any] | None:
    """What the autograder decides about a submission, as JSON data; None where there is none.

    {"timestamp": ISO text or None, "notebooks": {name: {"penalty": points or None,
    "grades": {cell: [auto_score, needs_manual_grade]}, "comments": {cell: auto_comment}}}}
    """
    try:
        submission = book.find_submission(assignment, student)
    except api.MissingEntry:
        return None
    notebooks = {
        notebook.name: {
            "penalty": notebook.late_submission_penalty,
            "grades": {g.cell.name: [g.auto_score, g.needs_manual_grade] for g in notebook.grades},
            "comments": {c.cell.name: c.auto_comment for c in notebook.comments},
        }
        for notebook in submission.notebooks
    }
    return {"timestamp": _iso(submission.timestamp), "notebooks": notebooks}


def _iso(time: datetime.datetime | None) -> str | None:
    return None if time is None else time.isoformat()
