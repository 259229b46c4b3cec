"""From source cells to a notebook with full nbgrader v3 metadata and stable cell ids."""

import hashlib

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.build.sources import Source, SourceCell

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def expand(source: Source) -> nbformat.NotebookNode:
    """The source as an instructor's notebook. The same source gives the same bytes."""
    cells = []
    for number, cell in enumerate(source.cells):
        make = new_markdown_cell if cell.kind == "markdown" else new_code_cell
        metadata = _metadata(cell)
        key = f"{cell.role}:{cell.id}" if cell.id else f"{cell.kind}:{number}"
        cells.append(make(cell.text, id=_cell_id(source, key), metadata=metadata))
    return new_notebook(
        cells=cells,
        metadata={"kernelspec": KERNELSPEC, "language_info": {"name": "python"}},
        nbformat_minor=5,
    )


def grade_id(cell: SourceCell) -> str:
    """nbgrader's id: the exercise's own, `check-<id>` for its check."""
    return f"check-{cell.id}" if cell.role == "check" else cell.id


def _cell_id(source: Source, key: str) -> str:
    text = f"{source.folder}/{source.name}/{key}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _metadata(cell: SourceCell) -> dict:
    course = {
        name: value
        for name, value in (
            ("role", cell.role),
            ("id", cell.id),
            ("items", list(cell.items)),
            ("minutes", cell.minutes),
        )
        if value
    }
    out: dict = {"course": course} if course else {}
    tags = list(cell.extra.get("tags", []))
    if cell.role == "parameters":
        tags.append("parameters")
    if tags:
        out["tags"] = tags
    graded = {
        "exercise": {"solution": True, "grade": False, "locked": False},
        "check": {"solution": False, "grade": True, "locked": True},
        "written": {"solution": True, "grade": True, "locked": False},
        "given": {"solution": False, "grade": False, "locked": True},
    }.get(cell.role)
    if graded and cell.id:
        out["nbgrader"] = {
            "schema_version": 3,
            "grade_id": grade_id(cell),
            "task": False,
            **graded,
        }
        if graded["grade"]:
            out["nbgrader"]["points"] = cell.points
    return out
