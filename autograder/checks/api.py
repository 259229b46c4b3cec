"""`check("exercise-id", solution)`: what a notebook's check cell calls."""

from typing import Any

from autograder.checks import engine, record, registry
from autograder.checks.report import Report, render_html, render_text
from autograder.syllabus import load_syllabus


class CheckFailed(AssertionError):
    """A check did not give full points. Its text is the report; it shows no stack trace."""

    def __init__(self, report: Report):
        super().__init__(render_text(report))
        self.report = report

    def _render_traceback_(self) -> list[str]:
        # The HTML report stands above in the notebook; this line is for logs and for "Run all".
        names = [f.misconception for f in self.report.findings if f.misconception]
        cause = f" ({names[0]})" if names else ""
        return [f"Check not passed: {self.report.headline()}{cause}. See the report above."]


def evaluate(exercise_id: str, solution: Any, seed: int = engine.PUBLIC_SEED) -> Report:
    """The report on a solution. Raises UnknownExercise for an id that is not in the syllabus."""
    check_ = registry.load_check(exercise_id)
    points = load_syllabus().exercise(exercise_id).points
    return engine.run(check_, solution, points, seed)


def check(exercise_id: str, solution: Any) -> None:
    """Judge `solution` (a function, a class or data), show the report, note it for the dashboard.

    Raises CheckFailed unless it is wholly right. While grading, check cells are not run at all: the
    examiner (autograder.grading.examiner) judges them outside the learner's kernel, with partial
    credit.
    """
    report = evaluate(exercise_id, solution)
    _display(report)
    record.append(report)
    if not report.passed:
        raise CheckFailed(report)


def _display(report: Report) -> None:
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(render_text(report))
        return
    bundle = {"text/plain": render_text(report), "text/html": render_html(report)}
    display(bundle, raw=True, metadata={"course": report.result()})
