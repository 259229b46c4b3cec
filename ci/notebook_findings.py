"""What is wrong with an executed notebook, cell by cell.

A notebook can run to its end and still be broken. nbgrader gives 0 to a check that writes to
stderr, a check may report fewer points than it can give or never report at all, and papermill
takes `sys.exit()` for success although the cells after it did not run.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

LIMIT = 6000  # characters of a traceback or an output; its end says most
INSERTED = {"injected-parameters", "papermill-error-cell-tag"}
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass
class Failure:
    """One thing wrong: a sentence, and where it is known the cell behind it.

    cell: "cell 7 (affine-quantize)", counted in the source notebook from 1, or "".
    source, traceback, text: plain text without terminal codes; "" where there is none.
    """

    sentence: str
    cell: str = ""
    source: str = ""
    traceback: str = ""
    text: str = ""


def load_cells(path: Path) -> list[dict] | None:
    """The executed notebook's cells; None if there is no readable notebook."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # Ended before or while it was written.


def failures_in(cells: list[dict]) -> list[Failure]:
    """Everything wrong in a notebook whose worker ended by itself, in the order of the cells."""
    code = [(name, cell) for name, cell in _named(cells) if cell["cell_type"] == "code"]
    failures = []
    for name, cell in code:
        error = _error(cell)
        if error and error["ename"] != "SystemExit":
            sentence = f"{error['ename']} in {name}: {_first_line(error['evalue'])}"
            failures.append(_failure(sentence, name, cell))
            continue
        failures += [_failure(found, name, cell) for found in _grade_findings(name, cell)]
    stopped = next(((name, cell) for name, cell in code if not _completed(cell)), None)
    if stopped and stopped[0] not in [failure.cell for failure in failures]:
        sentence = f"The notebook stopped at {stopped[0]}, and the cells after it did not run."
        failures.append(_failure(sentence, *stopped))
    return failures


def running_cell(cells: list[dict] | None, sentence: str) -> Failure:
    """A failure with this sentence that points at the code cell which was started last."""
    # Not by status: when a kernel dies papermill marks every cell as completed.
    started = [
        (name, cell)
        for name, cell in _named(cells or [])
        if cell["cell_type"] == "code" and _papermill(cell).get("start_time")
    ]
    if not started:
        return Failure(sentence)
    name, cell = started[-1]
    return _failure(f"{sentence} It was running {name}.", name, cell)


def plain(text: str) -> str:
    """Text without terminal codes, shortened at its front to LIMIT characters."""
    text = _ANSI.sub("", text)
    return text if len(text) <= LIMIT else f"[... {len(text) - LIMIT} characters]\n{text[-LIMIT:]}"


def _named(cells: list[dict]) -> list[tuple[str, dict]]:
    """Cells with names that fit the source notebook: papermill's own cells do not count."""
    own = [c for c in cells if not INSERTED & set(c["metadata"].get("tags", []))]
    position = {id(cell): number for number, cell in enumerate(own, start=1)}
    named = []
    for cell in cells:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        name = f"cell {position[id(cell)]}" if id(cell) in position else "the cell of parameters"
        named.append((f"{name} ({grade_id})" if grade_id else name, cell))
    return named


def _grade_findings(name: str, cell: dict) -> list[str]:
    grading = cell["metadata"].get("nbgrader", {})
    # A grade cell that is a solution too is graded by a person, whatever it prints.
    if not grading.get("grade") or grading.get("solution") or not _completed(cell):
        return []
    found = []
    if any(o["output_type"] == "stream" and o["name"] == "stderr" for o in cell["outputs"]):
        found.append(f"The check in {name} writes to stderr: nbgrader gives 0 points for that.")
    reports = [o["metadata"]["course"] for o in cell["outputs"] if "course" in _metadata(o)]
    if not reports:
        found.append(f"The check in {name} did not report: no output carries points.")
    for report in reports:
        points, most = report.get("points"), report.get("max_points")
        if not isinstance(points, int | float) or not isinstance(most, int | float):
            found.append(f"The check in {name} reports {points!r} of {most!r}: no numbers.")
        elif not points >= most:  # So written, NaN fails too.
            found.append(f"The check in {name} gives {points:g} of {most:g} points.")
    return found


def _failure(sentence: str, name: str, cell: dict) -> Failure:
    error = _error(cell)
    return Failure(
        sentence=plain(sentence),
        cell=name,
        source=_join(cell["source"]),
        traceback=plain("\n".join(error["traceback"])) if error else "",
        text=plain("\n".join(_texts(cell))),
    )


def _texts(cell: dict) -> list[str]:
    texts = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            label = "" if output["name"] == "stdout" else "[stderr] "
            texts.append(label + _join(output["text"]).rstrip("\n"))
        elif "text/plain" in output.get("data", {}):
            texts.append(_join(output["data"]["text/plain"]))
    return texts


def _error(cell: dict) -> dict | None:
    return next((o for o in cell.get("outputs", []) if o["output_type"] == "error"), None)


def _metadata(output: dict) -> dict:
    return output.get("metadata") or {}


def _papermill(cell: dict) -> dict:
    return cell["metadata"].get("papermill", {})


def _completed(cell: dict) -> bool:
    return _papermill(cell).get("status") == "completed"


def _join(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no message"
