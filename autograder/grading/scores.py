"""Scores in an nbgrader gradebook, read for tables and tests."""

from dataclasses import dataclass

from nbgrader.api import Gradebook


@dataclass(frozen=True)
class CellScore:
    """One graded cell of one submission. score is None while it waits for a person."""

    student: str
    notebook: str
    cell: str
    score: float | None
    max_score: float


def read_scores(db_url: str, assignment: str) -> list[CellScore]:
    """Every graded cell of an assignment, by student, notebook and cell name."""
    with Gradebook(db_url, "model-miniaturization") as book:
        out = [
            CellScore(
                submission.student.id,
                notebook.name,
                grade.name,
                None if grade.needs_manual_grade else grade.score,
                grade.max_score,
            )
            for submission in book.assignment_submissions(assignment)
            for notebook in submission.notebooks
            for grade in notebook.grades
        ]
    return sorted(out, key=lambda s: (s.student, s.notebook, s.cell))


def totals(scores: list[CellScore]) -> dict[str, tuple[float, float, int]]:
    """By student: points, points possible, answers that wait for a person."""
    out: dict[str, tuple[float, float, int]] = {}
    for s in scores:
        got, most, waiting = out.get(s.student, (0.0, 0.0, 0))
        out[s.student] = (got + (s.score or 0.0), most + s.max_score, waiting + (s.score is None))
    return out
