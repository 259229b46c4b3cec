"""From a check cell of the instructor's to its outputs: probe in the kernel, judge here."""

import ast
import math
from dataclasses import dataclass
from html import escape
from typing import Any

from nbformat.v4 import new_output

from autograder.checks import engine, registry
from autograder.checks.report import Report, render_html
from autograder.checks.spec import Check, Finding
from autograder.grading.examiner import native
from autograder.grading.examiner.remote import KernelGone, RemoteProber
from autograder.syllabus import load_syllabus


@dataclass(frozen=True)
class CheckCall:
    """A check cell's call: the exercise's id and the learner's name that it is given."""

    exercise: str
    name: str


def check_call(cell: Any) -> CheckCall | None:
    """The call in a graded check cell, or None for any other cell."""
    meta = cell.get("metadata", {}).get("nbgrader", {})
    grade_id = meta.get("grade_id", "")
    if cell.cell_type != "code" or not meta.get("grade") or not grade_id.startswith("check-"):
        return None
    try:
        call = ast.parse(cell.source).body[0].value
        return CheckCall(grade_id.removeprefix("check-"), call.args[1].id)
    except (SyntaxError, IndexError, AttributeError):
        return CheckCall(grade_id.removeprefix("check-"), "")


async def examine(call: CheckCall, prober: RemoteProber, seed: int) -> tuple[Report, bool]:
    """The report on one check, and whether the kernel is still of use."""
    check = registry.load_check(call.exercise)
    points = load_syllabus().exercise(call.exercise).points
    if not call.name.isidentifier():
        return _nothing(check, points, "The check cell was changed: restore it."), True
    cases = engine.make_cases(check, seed)
    try:
        answer = await prober.outcomes(call.name, check, cases)
    except KernelGone:
        died = engine.failed_outcome("died", prober.end()).failure
        return Report(check.id, 0.0, points, [died]), False
    with native.shut_in():
        return engine.run_cases(check, cases, answer, points), not prober.hung


def _nothing(check: Check, points: float, message: str) -> Report:
    return Report(check.id, 0.0, points, [Finding("missing", message)])


def footer(sandbox: str) -> str:
    """The line below a report."""
    text = f"Judged outside the submission's kernel. {sandbox}"
    return f'<p style="font-size:12px;opacity:0.8">{escape(text)}</p>'


def outputs(report: Report, execution_count: int | None, sandbox: str) -> list:
    """The cell's outputs: one result, whose text nbgrader reads as the points.

    sandbox: the sentence below the report that says what shut the kernel in.
    """
    points = report.points
    if not (math.isfinite(points) and 0 <= points <= report.max_points):
        raise ValueError(f"{report.exercise}: {points} is not between 0 and {report.max_points}.")
    return [
        new_output(
            "execute_result",
            data={"text/plain": f"{points:g}", "text/html": render_html(report) + footer(sandbox)},
            metadata={"course": report.result() | {"sandbox": sandbox}},
            execution_count=execution_count,
        )
    ]
