"""The instructor's notebook that a submission is rebuilt on: as released, with the gradebook's cells."""

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

from autograder.grading.matching import BaseCell, with_targets


def notebook_names(db_url: str, assignment: str) -> list[str]:
    """The assignment's notebooks in the gradebook. Raises nbgrader's MissingEntry."""
    with Gradebook(db_url) as book:
        return sorted(n.name for n in book.find_assignment(assignment).notebooks)


def instructor_notebook(db_url: str, assignment: str, name: str, release: Path) -> NotebookNode:
    """The released notebook, its graded cells as the gradebook has them.

    release: the released file; it gives the order and the text cells. The gradebook decides which
    cells are graded, their text and points; a cell that the release lacks comes at the end.
    """
    known = _gradebook_cells(db_url, assignment, name)
    released = nbformat.read(release, as_version=4) if release.is_file() else new_notebook()
    for cell in released.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.metadata.pop("nbgrader", None)
        if grade_id in known:
            _overwrite(cell, known.pop(grade_id))
    for fact in known.values():
        make = new_code_cell if fact["cell_type"] == "code" else new_markdown_cell
        cell = make(fact["source"], id=f"graded-{len(released.cells)}")
        _overwrite(cell, fact)
        released.cells.append(cell)
    for cell in released.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    released.nbformat_minor = 5
    return released


def _gradebook_cells(db_url: str, assignment: str, name: str) -> dict[str, dict[str, Any]]:
    with Gradebook(db_url) as book:
        notebook = book.find_notebook(name, assignment)
        graded = {c.name: c.max_score for c in (*notebook.grade_cells, *notebook.task_cells)}
        solutions = {c.name for c in notebook.solution_cells}
        tasks = {c.name for c in notebook.task_cells}
        out = {}
        for cell in notebook.source_cells:
            meta = {
                "schema_version": 3,
                "grade_id": cell.name,
                "grade": cell.name in graded and cell.name not in tasks,
                "solution": cell.name in solutions,
                "locked": bool(cell.locked),
                "task": cell.name in tasks,
                "cell_type": cell.cell_type,
                "checksum": cell.checksum,
            }
            if cell.name in graded:
                meta["points"] = graded[cell.name]
            out[cell.name] = {"source": cell.source, "cell_type": cell.cell_type, "meta": meta}
    return out


def _overwrite(cell: NotebookNode, fact: dict[str, Any]) -> None:
    cell.source, cell.cell_type = fact["source"], fact["cell_type"]
    cell.metadata["nbgrader"] = NotebookNode(fact["meta"])


def base_cells(notebook: NotebookNode) -> list[BaseCell]:
    """The instructor's cells as matching needs them."""
    out = []
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        course = cell.metadata.get("course", {})
        out.append(
            BaseCell(
                cell.cell_type,
                cell.source,
                grade_id=marks.get("grade_id", ""),
                key=f"{course.get('role', '')}:{course.get('id', '')}",
                cell_id=cell.get("id", ""),
                points=marks.get("points"),
                locked=bool(marks.get("locked") and not marks.get("solution")),
                solution=bool(marks.get("solution")),
            )
        )
    return with_targets(out)
