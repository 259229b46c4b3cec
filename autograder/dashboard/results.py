"""Results of exercises, from the learner's own log of checks or from executed notebooks."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from autograder.syllabus import state_dir


class DashboardError(Exception):
    """An input or output of the dashboard cannot be used; one sentence that says what to do."""


@dataclass(frozen=True)
class Result:
    """One grading of one exercise. time: ISO 8601 or "". pending: a person must still grade it."""

    exercise: str
    points: float
    max_points: float
    time: str = ""
    misconception: str | None = None
    pending: bool = False


@dataclass(frozen=True)
class Results:
    """What one source says about one learner (or about a class on average).

    best: the best result of each exercise, with the misconception last seen unless it is done.
    skipped: records that could not be read. person: whether the source can hold grades that a
    person gave, so that written answers count.
    """

    source: str
    best: dict[str, Result] = field(default_factory=dict)
    skipped: int = 0
    person: bool = False


@dataclass(frozen=True)
class ClassResults:
    """A gradebook: every student's results, and the average over those who submitted."""

    students: dict[str, Results]
    average: Results


NO_RESULTS = Results("no results", person=True)


def best_of(records: Iterable[Result]) -> dict[str, Result]:
    """The best record of each exercise (the first of equals), in order of appearance.

    The misconception is the one of the latest record, and none once the exercise is done.
    """
    best: dict[str, Result] = {}
    for record in records:
        kept = best.get(record.exercise)
        if kept is None or _share(record) > _share(kept):
            kept = record
        done = _share(kept) >= 1
        best[record.exercise] = replace(kept, misconception=None if done else record.misconception)
    return best


def _share(record: Result) -> float:
    return record.points / record.max_points


def read_own_log(path: Path | None = None) -> Results:
    """The learner's own log, `checks.jsonl` in the state folder. A broken line is counted, skipped.

    Raises:
        DashboardError: the file is there but cannot be read.
    """
    path = path or state_dir() / "checks.jsonl"
    records, skipped = [], 0
    try:
        lines = path.read_bytes().splitlines() if path.exists() else []
    except OSError as error:
        raise DashboardError(f"{path} cannot be read ({error.strerror}): mend it.") from None
    for line in lines:
        if not line.strip():
            continue
        try:
            records.append(record_of(json.loads(line)))
        except (ValueError, RecursionError):
            skipped += 1
    return Results("your own log of checks", best_of(records), skipped)


def record_of(raw: Any) -> Result:
    """A Result from one mapping of a log or of an output's metadata. Raises ValueError."""
    if not isinstance(raw, dict):
        raise ValueError("not a mapping")
    name, time, misconception = (raw.get(key) for key in ("exercise", "time", "misconception"))
    points, max_points = raw.get("points"), raw.get("max_points")
    numbers = all(
        isinstance(n, (int, float)) and not isinstance(n, bool) and math.isfinite(n)
        for n in (points, max_points)
    )
    if not isinstance(name, str) or not numbers or not 0 <= points <= max_points or max_points <= 0:
        raise ValueError("not a result")
    if not isinstance(misconception, (str, type(None))):
        raise ValueError("a misconception is text")
    return Result(
        name,
        float(points),
        float(max_points),
        time if isinstance(time, str) else "",
        misconception,
    )


def read_notebooks(paths: Iterable[Path]) -> Results:
    """The results that executed notebooks carry in the metadata of their outputs.

    paths: notebooks, or folders that are searched for them (checkpoints left out).

    Raises:
        DashboardError: a path is missing, a folder has no notebook, or a notebook is unreadable.
    """
    records, skipped = [], 0
    for path in _notebooks(paths):
        for raw in _course_metadata(path):
            try:
                records.append(record_of(raw))
            except ValueError:
                skipped += 1
    return Results("executed notebooks", best_of(records), skipped)


def _notebooks(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_file():
            found.append(path)
            continue
        if not path.is_dir():
            raise DashboardError(f"{path} is missing: name a notebook or a folder of notebooks.")
        inside = sorted(
            p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts and p.is_file()
        )
        if not inside:
            raise DashboardError(f"{path} holds no notebook: name the folder of executed ones.")
        found += inside
    return found


def _course_metadata(path: Path) -> list[Any]:
    try:
        notebook = nbformat.read(path, as_version=4)
        return [
            output.metadata["course"]
            for cell in notebook.cells
            if cell.cell_type == "code"
            for output in cell.outputs
            if output.output_type in ("display_data", "execute_result")
            and "course" in output.metadata
        ]
    except Exception:  # nbformat raises many kinds for a file that is no notebook
        raise DashboardError(
            f"{path} is not a readable Jupyter notebook: execute and save it again, or leave it out."
        ) from None
