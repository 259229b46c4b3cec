"""Run a check: make the cases, probe the solution, judge the answers, name the misconception."""

import contextlib
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.checks import bank, expect, registry, runner
from autograder.checks.plain import same
from autograder.checks.report import Report
from autograder.checks.spec import Case, Check, Finding, Wrong

PUBLIC_SEED = 11
# A learner waits for the misconception's name, so it is looked for no longer than this.
_diagnosis_s = ContextVar("diagnosis_s", default=5.0)


@dataclass
class Outcome:
    """What a probe gave: plain data, or a finding about why there is none."""

    answer: Any = None
    failure: Finding | None = None
    error: str = ""

    def equals(self, other: "Outcome") -> bool:
        if self.failure or other.failure:
            return bool(self.error) and self.error == other.error
        return same(self.answer, other.answer)


def make_cases(check: Check, seed: int) -> list[Case]:
    """The cases of a check for this seed. Raises ValueError for a case of an unknown part."""
    rng = np.random.default_rng([seed, zlib.crc32(check.id.encode())])
    cases = list(check.cases(rng))
    for case in cases:
        if case.part not in check.parts:
            raise ValueError(
                f"{check.id}: case {case.label!r} names an unknown part {case.part!r}."
            )
    return cases


@contextlib.contextmanager
def diagnosis_within(seconds: float) -> Iterator[None]:
    """Inside the block, a misconception's name is looked for up to so many seconds."""
    token = _diagnosis_s.set(seconds)
    try:
        yield
    finally:
        _diagnosis_s.reset(token)


def run(check: Check, solution: Any, max_points: float, seed: int = PUBLIC_SEED) -> Report:
    """Judge `solution`, which lives in this process, on every case; returns the report."""
    cases = make_cases(check, seed)
    return run_cases(check, cases, lambda case: probe(check, solution, case), max_points)


def run_cases(
    check: Check, cases: list[Case], answer: Callable[[Case], Outcome], max_points: float
) -> Report:
    """Judge what `answer` gives for each case, wherever the solution lives.

    A part stops being judged at its first failing case; its other cases are still answered (within
    a time budget), so that the misconception is told from all of them.
    """
    failed: dict[str, Finding] = {}
    seen: dict[str, list[tuple[Case, Outcome]]] = {part: [] for part in check.parts}
    gate = next(iter(check.parts))
    spent = 0.0
    for case in cases:
        if case.part in failed and (_hopeless(failed[case.part]) or spent > _diagnosis_s.get()):
            continue
        if gate in failed and case.part != gate:
            continue
        start = time.monotonic()
        outcome = observed(check, case, answer(case))
        seen[case.part].append((case, outcome))
        took = time.monotonic() - start
        if case.part in failed:
            spent += took
            continue
        finding = outcome.failure or judge(check, case, outcome.answer)
        if finding:
            spent += took  # a kernel that never ends would not end in the next case either
            failed[case.part] = replace(finding, case=case.label, part=case.part)
    _refuse_untried(check, seen, failed, gate)
    for part, finding in failed.items():
        if not _hopeless(finding):
            _diagnose(check, finding, seen[part])
    return _report(check, failed, seen, max_points, gate)


def _hopeless(finding: Finding) -> bool:
    """Nothing to recognise: the exercise is not written yet."""
    return finding.stage == "missing"


def _refuse_untried(check: Check, seen: dict, failed: dict, gate: str) -> None:
    """A part without a case would give its points away."""
    for part, outcomes in seen.items():
        if not outcomes and gate not in failed:
            raise ValueError(f"{check.id}: part {part!r} has no case.")


def probe(check: Check, solution: Any, case: Case) -> Outcome:
    """Call the solution, which lives in this process, on a copy of the inputs."""
    return to_outcome(runner.run_probe(check.probe, solution, case.inputs))


def to_outcome(result: list) -> Outcome:
    """The outcome in a result of the runner's."""
    return Outcome(answer=result[1]) if result[0] == "ok" else failed_outcome(*result)


def observed(check: Check, case: Case, outcome: Outcome) -> Outcome:
    """The outcome of a source: what comes of running it, where the check says how."""
    if not check.observe or outcome.failure:
        return outcome
    try:
        return Outcome(answer=check.observe(case, outcome.answer))
    except Wrong as verdict:
        found = verdict.finding
        # Failed in the same way: whatever the line, and whatever the learner calls things.
        told = re.sub(r"`[^`]*`|line \d+", "", f"{found.stage} {found.yours} {found.message}")
        return Outcome(failure=found, error=told)


def failed_outcome(what: str, text: str = "", error: str = "", where: str = "") -> Outcome:
    """The outcome of a probe that gave no answer, in the learner's words.

    what: missing, undefined, not plain, raised, mutates, timeout or died. text: the details.
    """
    first = (text.strip().splitlines() or [""])[0][:200]
    hint = ""
    if what == "missing":
        stage, message = "missing", "Nothing is written here yet."
    elif what == "undefined":
        stage, message = "missing", f"`{first}` is not defined: run (or restore) its cell first."
    elif what == "not plain":
        stage, message = "type", f"The result cannot be read: it holds {first}."
    elif what == "raised":
        stage = "error"
        message = f"Your code raised {error}" + (f": {first}" if first else ".")
    elif what == "mutates":
        stage, message = "mutation", f"Your function changes its argument `{first}`."
        hint = "Work on a copy: the caller still needs the original."
    elif what == "timeout":
        stage, message = "error", f"Your code did not finish within {first}."
        hint = "Look for a loop that never ends."
    else:
        why = first or "a crash, or too much memory"
        stage, message = "error", f"Your code ended the kernel: {why}."
    name = {"raised": error, "mutates": f"mutates {first}"}.get(what, what)
    return Outcome(failure=Finding(stage, message, where=where, hint=hint), error=name)


def judge(check: Check, case: Case, answer: Any) -> Finding | None:
    """The judge's finding on one answer, or None.

    An answer so odd that the judge stumbles over it is wrong, not a crash of the grading.
    """
    try:
        check.judge(case, answer)
    except Wrong as verdict:
        return verdict.finding
    except Exception as error:
        if os.environ.get("COURSE_STRICT_JUDGES") == "1":
            raise
        return Finding(
            "type",
            f"The result has a form that cannot be judged ({type(error).__name__}).",
            yours=expect.kind(answer),
        )
    return None


def _diagnose(check: Check, finding: Finding, seen: list[tuple[Case, Outcome]]) -> None:
    """Name the misconception whose answers equal the learner's on every case of the part."""
    deadline = time.monotonic() + _diagnosis_s.get()
    for answer in bank.answers(registry.load_bank(check.id)):
        if answer.right or not answer.diagnose:
            continue
        if time.monotonic() > deadline:
            return
        if _explains(check, answer.solution, seen):
            finding.misconception, finding.cause = answer.name, answer.sentence
            return


def _explains(check: Check, solution: Any, seen: list[tuple[Case, Outcome]]) -> bool:
    """Whether a wrong answer gives the learner's outcomes, and is itself refused for them."""
    refused = False
    for case, outcome in seen:
        theirs = observed(check, case, probe(check, solution, case))
        if not theirs.equals(outcome):
            return False
        refused = refused or bool(theirs.failure or judge(check, case, theirs.answer))
    return refused


def _report(
    check: Check, failed: dict[str, Finding], seen: dict, max_points: float, gate: str
) -> Report:
    share = 0.0 if gate in failed else sum(s for p, s in check.parts.items() if p not in failed)
    points = max_points if not failed else round(share * max_points, 2)
    passed = [] if gate in failed else [part for part in check.parts if part not in failed]
    return Report(
        exercise=check.id,
        points=points,
        max_points=max_points,
        findings=list(failed.values()),
        passed_parts=passed,
        cases_tried=sum(len(outcomes) for outcomes in seen.values()),
        hints=check.hints,
    )
