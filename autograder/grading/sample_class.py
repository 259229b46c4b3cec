"""A class of made-up submissions, to show and test the way from notebook to gradebook."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograder.checks import bank, registry
from autograder.grading.carried import carried
from autograder.syllabus import load_syllabus, repo_root

WRITTEN = (
    "Made-up answer: it depends on the range of the values and on what the hardware multiplies."
)


@dataclass(frozen=True)
class Student:
    """A made-up student. pick(number, exercise) names the answer that each exercise gets.

    An answer is "reference", "blank", or the name of an answer in the bank.
    """

    id: str
    story: str
    pick: Callable[[int, str], str]
    writes: bool = True


def _named(exercise: str, right: bool, number: int) -> str:
    found = [a.name for a in bank.answers(registry.load_bank(exercise)) if a.right is right]
    return found[number % len(found)] if found else "blank"


STUDENTS = (
    Student("reference", "hands in the model solution", lambda n, e: "reference"),
    Student("blank", "hands in the notebooks as released", lambda n, e: "blank", writes=False),
    Student(
        "half", "solves every other exercise", lambda n, e: "reference" if n % 2 == 0 else "blank"
    ),
    Student("other-ways", "solves everything in other ways", lambda n, e: _named(e, True, n)),
    Student("misled", "holds a misconception on every exercise", lambda n, e: _named(e, False, n)),
)


def make(root: Path, source: Path, release: Path, folder: str, students=STUDENTS) -> list[str]:
    """Write the submissions under root/autograder/work/submitted/<student>/<folder>/.

    source, release: folders of the instructor's and the released notebooks. Returns the ids.
    """
    for student in students:
        target = root / "autograder/work/submitted" / student.id / folder
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in sorted(release.glob("*.ipynb")):
            notebook = nbformat.read(path, as_version=4)
            solved = nbformat.read(source / path.name, as_version=4)
            _answer(notebook, solved, student, folder)
            (target / path.name).write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return [student.id for student in students]


def _answer(notebook, solved, student: Student, folder: str) -> None:
    module = load_syllabus().module_by_folder(folder)
    order = {entry.id: number for number, entry in enumerate(module.exercises)}
    model = {c.metadata.nbgrader.grade_id: c for c in solved.cells if "nbgrader" in c.metadata}
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if not meta.get("solution"):
            continue
        name = meta["grade_id"]
        if meta.get("grade"):
            if student.writes:
                cell.source = WRITTEN
            continue
        choice = student.pick(order[name], name)
        if choice == "reference":
            cell.source = model[name].source
        elif choice != "blank":
            cell.source = from_bank(name, choice, model[f"check-{name}"].source)


def from_bank(exercise: str, answer: str, check_source: str) -> str:
    """A cell that defines the name which the check is called with, as one answer of the bank does."""
    target = re.search(r",\s*(\w+)\s*\)", check_source).group(1)
    chosen = next(a for a in bank.answers(registry.load_bank(exercise)) if a.name == answer)
    source = registry.bank_path(exercise).read_text(encoding="utf-8")
    source = source.replace("from autograder.checks.bank import right, wrong\n", "")
    return (
        "def right(*name, **options):\n    return lambda function: function\n\n\nwrong = right\n"
        f"{carried(source, repo_root() / 'autograder/checks/oracles')}"
        f"{source}\n\n{target} = {chosen.defined_as}{'()' if chosen.called else ''}\n"
    )
