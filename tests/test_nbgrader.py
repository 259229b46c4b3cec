"""The round trip through stock nbgrader, on a tiny course: generate, validate, autograde, feedback."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.build import stage
from autograder.grading.scores import read_scores, totals

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nbgrader")]
FOLDER = "9.9-tiny"
ANSWERS = {
    "reference": ("return 2 * x", "Because."),
    "blank": (None, None),
    "half": ("return 2 * x if x else None", None),
    "squarer": ("return x * x", None),
    "noisy": ("import sys; print('hm', file=sys.stderr); return x + x", None),
}


def nbgrader(root, *words, env=None, check=True):
    """Stock nbgrader as an instructor types it, from the course's root."""
    done = subprocess.run(
        [Path(sys.executable).with_name("nbgrader"), *words],
        cwd=root,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def submit(root, student, answer, words):
    notebook = nbformat.read(root / "modules" / FOLDER / "1_double.ipynb", as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name == "double" and answer:
            cell.source = f"def double(x):\n    {answer}"
        if name == "why-double" and words:
            cell.source = words
    path = root / "autograder/work/submitted" / student / FOLDER / "1_double.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    return path


def test_round_trip(course):
    built = (course / "modules" / FOLDER / "1_double.ipynb").read_bytes()
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    assert (course / "modules" / FOLDER / "1_double.ipynb").read_bytes() == built
    paths = {name: submit(course, name, *answer) for name, answer in ANSWERS.items()}

    good = nbgrader(course, "validate", str(paths["reference"]))
    bad = nbgrader(course, "validate", str(paths["squarer"]), check=False)
    assert "Success" in good.stdout and "Success" not in bad.stdout
    assert "VALIDATION FAILED" in bad.stdout.upper()

    nbgrader(course, "autograde", FOLDER)
    url = f"sqlite:///{course / 'autograder/work/gradebook.db'}"
    got = totals(read_scores(url, FOLDER))
    # The reference's written answer waits for a person; an untouched one is 0 at once.
    assert got == {
        "reference": (4.0, 6.0, 1),
        "blank": (0.0, 6.0, 0),
        "half": (3.0, 6.0, 0),
        "squarer": (0.0, 6.0, 0),
        "noisy": (4.0, 6.0, 0),
    }

    with Gradebook(url, "model-miniaturization") as book:
        grade = book.find_grade("why-double", "1_double", FOLDER, "reference")
        assert grade.needs_manual_grade
        grade.manual_score = 1.5
        grade.needs_manual_grade = False
        book.db.commit()
    assert totals(read_scores(url, FOLDER))["reference"] == (5.5, 6.0, 0)

    nbgrader(course, "generate_feedback", FOLDER)
    feedback = course / "autograder/work/feedback"
    half = (feedback / "half" / FOLDER / "1_double.html").read_text()
    assert "double: 3 of 4 points" in half and "Already right: positive" in half
    squarer = (feedback / "squarer" / FOLDER / "1_double.html").read_text()
    assert "You squared x" in squarer and "squared" in squarer

    nbgrader(course, "export", f"--CsvExportPlugin.to={course / 'grades.csv'}")
    with open(course / "grades.csv") as table:
        rows = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(table)}
    assert rows["reference"] == 5.5 and rows["half"] == 3.0 and rows["blank"] == 0.0


def test_seed_differs_by_student_and_repeats(course):
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    spy = "open('seen.txt', 'a').write(f'{x} '); return 2 * x"
    for student in ("ann", "bob"):
        submit(course, student, spy, None)
    seen = {}
    for student, run in (("ann", 1), ("bob", 1), ("ann", 2)):
        nbgrader(course, "autograde", FOLDER, f"--student={student}", "--force")
        path = course / "autograder/work/autograded" / student / FOLDER / "seen.txt"
        if path.exists():
            seen[student, run] = path.read_text()
    assert len(seen) == 3
    assert seen["ann", 1] == seen["ann", 2] != seen["bob", 1]


def test_submission_that_is_not_json_is_refused_and_the_others_are_graded(course):
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    submit(course, "broken", None, None).write_text("this is no notebook")
    submit(course, "fine", "return 2 * x", None)
    done = nbgrader(course, "autograde", FOLDER, check=False)
    assert done.returncode != 0 and "broken" in done.stdout + done.stderr
    url = f"sqlite:///{course / 'autograder/work/gradebook.db'}"
    assert totals(read_scores(url, FOLDER))["fine"][0] == 4.0


def test_wrong_source_stops_generate_assignment_with_one_sentence(course):
    source = course / "solutions/9.9-tiny/1_double.py"
    before = (course / "modules" / FOLDER / "1_double.ipynb").read_bytes()
    source.write_text(source.read_text().replace("points=4", "points=5"))
    done = nbgrader(course, "generate_assignment", FOLDER, "--force", check=False)
    assert done.returncode != 0
    assert "Nothing was generated" in done.stderr and "1_double.py:" in done.stderr
    assert (course / "modules" / FOLDER / "1_double.ipynb").read_bytes() == before


def test_stage_is_what_nbgrader_reads(course):
    text = (stage.stage(course) / FOLDER / "1_double.ipynb").read_text()
    assert json.loads(text)["nbformat"] == 4 and "return 2 * x" in text
