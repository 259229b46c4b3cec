"""Checks: every exercise is cases, a probe and a judge; an engine runs them and makes a report.

`m1_1/` and its siblings hold one file per exercise, named after its id. `tests/answers/` mirrors
them with right and wrong answers.
"""

from autograder.checks import expect
from autograder.checks.runner import outcome, refusal
from autograder.checks.spec import Case, Finding, Wrong, case

__all__ = ["Case", "Finding", "Wrong", "case", "expect", "outcome", "refusal"]
