"""The bank: every right answer scores full on every seed, every wrong one loses points and is named."""

import pytest

from autograder.checks import answers_table, registry
from autograder.syllabus import load_syllabus

EXERCISES = answers_table.code_exercises()


def test_there_are_exercises():
    assert len(EXERCISES) >= 18


@pytest.mark.parametrize("exercise", EXERCISES)
def test_bank(exercise):
    row = answers_table.run_bank(exercise)
    assert not row.problems, "\n".join(row.problems)
    assert row.right >= 2 and row.wrong >= 8
    assert row.accepted == row.right and row.caught == row.wrong
    published = (registry.repo_root() / "autograder/ANSWERS.md").read_text(encoding="utf-8")
    assert answers_table.line(row) in published, "run `make answers`"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_check_and_bank_bear_the_exercise_s_name(exercise):
    assert registry.check_path(exercise).exists() and registry.bank_path(exercise).exists()


def test_no_check_or_bank_without_an_exercise():
    root = registry.repo_root()
    modules = load_syllabus().modules
    names = {e.id.replace("-", "_") for m in modules for e in m.exercises}
    for folder in (root / "autograder/checks", root / "tests/answers"):
        found = {p.stem for p in folder.glob("m*_*/*.py") if p.stem != "__init__"}
        assert found <= names, f"no exercise for {sorted(found - names)} in {folder.name}"
