"""Run a learner's notebook and collect what its checks say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from autograder.syllabus import load_syllabus


class NotebookProblem(Exception):
    """The file cannot be run as one of the course's notebooks; one sentence."""


@dataclass
class CheckResult:
    """One check cell's result. text: the report, or why there is none."""

    exercise: str
    points: float
    max_points: float
    text: str


def run_checks(path: Path, timeout_s: int = 300) -> list[CheckResult]:
    """Execute the notebook in a fresh kernel (in memory) and read its check cells."""
    notebook = _read(path)
    names = _check_names(notebook, path)
    _execute(notebook, path, timeout_s)
    return [_result(cell, names[id(cell)]) for cell in notebook.cells if id(cell) in names]


def _read(path: Path) -> nbformat.NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception:
        raise NotebookProblem(
            f"{path.name} is not a Jupyter notebook: download or save it again as .ipynb."
        ) from None


def _check_names(notebook: nbformat.NotebookNode, path: Path) -> dict[int, str]:
    """Exercise ids by id() of the check cells."""
    syllabus = load_syllabus()
    names = {}
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type != "code" or not grade_id.startswith("check-"):
            continue
        name = grade_id.removeprefix("check-")
        try:
            syllabus.exercise(name)
        except KeyError:
            raise NotebookProblem(
                f"{path.name} holds a check for {name!r}, which this version of the course does not "
                "know: take the notebook from modules/ of the same release."
            ) from None
        names[id(cell)] = name
    if not names:
        raise NotebookProblem(f"{path.name} has no check cells: is it one of modules/?")
    return names


def _execute(notebook: nbformat.NotebookNode, path: Path, timeout_s: int) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        allow_errors=True,
        kernel_name="python3",
        interrupt_on_timeout=True,
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    try:
        client.execute()
    except DeadKernelError:
        raise NotebookProblem(
            f"{path.name}: the kernel died (out of memory, or a crash in native code). "
            "Run the notebook cell by cell to find where."
        ) from None


def _result(cell: Any, name: str) -> CheckResult:
    most = load_syllabus().exercise(name).points
    for output in cell.outputs:
        course = output.get("metadata", {}).get("course")
        if course:
            text = output.data.get("text/plain", "")
            return CheckResult(name, course["points"], course["max_points"], text)
    error = next((o for o in cell.outputs if o.output_type == "error"), None)
    why = f"{error.ename}: {error.evalue}" if error else "the check gave no report"
    return CheckResult(name, 0.0, most, f"{name}: 0 of {most:g} points. {why}.")
