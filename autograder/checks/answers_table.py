"""Run the bank of answers against the checks, and say what was accepted and what was caught."""

from dataclasses import dataclass

from autograder.checks import bank, engine, registry
from autograder.checks.api import evaluate
from autograder.syllabus import load_syllabus

SEEDS = (engine.PUBLIC_SEED, 907, 20_261)
# Names in the table must not hang on how busy the machine is.
DIAGNOSIS_S = 300.0


@dataclass
class Row:
    """The bank's results for one exercise. problems: one sentence each, empty when all is well."""

    exercise: str
    right: int
    accepted: int
    wrong: int
    caught: int
    named: int
    problems: list[str]


def run_bank(exercise_id: str) -> Row:
    """Every right answer must score full and every wrong one lose points, on every seed."""
    seeds = SEEDS[: registry.load_check(exercise_id).bank_seeds]
    answers = bank.answers(registry.load_bank(exercise_id))
    row = Row(exercise_id, 0, 0, 0, 0, 0, [])
    for answer in answers:
        with engine.diagnosis_within(DIAGNOSIS_S):
            reports = [evaluate(exercise_id, answer.solution, seed) for seed in seeds]
        if answer.right:
            row.right += 1
            bad = next((r for r in reports if not r.passed), None)
            row.accepted += bad is None
            if bad:
                row.problems.append(
                    f"right answer {answer.name!r} refused: {bad.findings[0].message}"
                )
            continue
        row.wrong += 1
        caught = all(r.points < r.max_points for r in reports)
        row.caught += caught
        if not caught:
            row.problems.append(f"wrong answer {answer.name!r} earns full points")
        named = reports[0].result()["misconception"]
        row.named += named is not None
        if answer.diagnose and caught and named is None:
            row.problems.append(f"wrong answer {answer.name!r} is caught but not named")
    if row.right < 2 or row.wrong < 8:
        row.problems.append(
            f"{row.right} right and {row.wrong} wrong answers; 2 and 8 are the least"
        )
    return row


def code_exercises() -> list[str]:
    """Ids of all machine-graded exercises of the ready modules."""
    modules = [m for m in load_syllabus().modules if m.status == "ready"]
    return [e.id for m in modules for e in m.exercises if e.kind == "code"]


def line(row: Row) -> str:
    """The row of one exercise in the table."""
    return (
        f"| {row.exercise} | {row.accepted} / {row.right} | {row.caught} / {row.wrong} "
        f"| {row.named} / {row.wrong} |"
    )


def table(rows: list[Row]) -> str:
    """The published table, in Markdown."""
    lines = [
        "| exercise | right accepted | wrong caught | named |",
        "|---|---|---|---|",
    ]
    lines += [line(row) for row in rows]
    total = [
        sum(getattr(r, k) for r in rows) for k in ("accepted", "right", "caught", "wrong", "named")
    ]
    lines.append(
        f"| **{len(rows)} exercises** | {total[0]} / {total[1]} | {total[2]} / {total[3]} "
        f"| {total[4]} / {total[3]} |"
    )
    return "\n".join(lines)
