"""Zeros with a reason, for a notebook that cannot be run."""

from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade

from autograder.checks.report import Report, render_html, render_text
from autograder.checks.spec import Finding

KEY = "course_refusal"


class Refuse(NbGraderPreprocessor):
    """In place of running a notebook: every check cell gets 0 points and the sentence that says why.

    The sentence comes in resources["course_refusal"]. A written answer that is there is left to a person.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if is_grade(cell):
                cell.outputs = zero(cell, resources[KEY])
        return cell, resources


def zero(cell: NotebookNode, reason: str) -> list[NotebookNode]:
    """A report of 0 points, and the error by which nbgrader knows a cell that failed."""
    marks = cell.metadata["nbgrader"]
    name = marks["grade_id"].removeprefix("check-")
    finding = Finding(stage="missing", message=reason, part="all")
    report = Report(name, 0.0, float(marks["points"]), [finding])
    bundle = {"text/plain": render_text(report), "text/html": render_html(report)}
    return [
        new_output("display_data", bundle, metadata={"course": report.result()}),
        new_output("error", ename="NotGraded", evalue=reason, traceback=[reason]),
    ]
