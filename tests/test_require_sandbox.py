"""A machine that lacks a layer of the sandbox: said in every report, or a reason not to grade."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_nbgrader import FOLDER, nbgrader, submit

from autograder.grading.scores import read_scores, totals
from autograder.grading.warm.prepare import INHERITED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("nbgrader"),
    pytest.mark.skipif(
        not shutil.which("setpriv") or os.geteuid() != 0,
        reason="needs root and setpriv, to take the layers' means away",
    ),
]


def poorer(root, command, *words):
    """A command without the capabilities that the layers are made with."""
    return subprocess.run(
        ["setpriv", "--bounding-set=-all", Path(sys.executable).with_name(command), *words],
        cwd=root,
        # Not the kernels of this process: those were prepared with all its capabilities.
        env={k: v for k, v in os.environ.items() if k != INHERITED},
        capture_output=True,
        text=True,
    )


def test_missing_layers_are_said_and_can_be_refused(course):
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    submit(course, "ann", "return 2 * x", None)
    graded = course / "autograder/work/autograded"

    refused = poorer(course, "course", "grade", FOLDER, "--require-sandbox")
    assert refused.returncode == 2
    assert "The sandbox is required" in refused.stderr and "user (" in refused.stderr
    refused = poorer(
        course, "nbgrader", "autograde", FOLDER, "--CourseExecute.require_sandbox=True"
    )
    assert refused.returncode != 0 and "The sandbox is required" in refused.stderr
    assert not graded.exists()

    done = poorer(course, "course", "grade", FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "layers held; missing: user (" in done.stdout
    url = f"sqlite:///{course / 'autograder/work/gradebook.db'}"
    assert totals(read_scores(url, FOLDER))["ann"][0] == 4.0
    nbgrader(course, "generate_feedback", FOLDER)
    page = course / "autograder/work/feedback/ann" / FOLDER / "1_double.html"
    assert "layers held; missing: user (" in page.read_text()


def test_a_sandbox_that_is_required_and_turned_off_is_refused(course):
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    submit(course, "ann", "return 2 * x", None)
    options = ("--CourseExecute.require_sandbox=True", "--CourseExecute.sandboxed=False")
    done = nbgrader(course, "autograde", FOLDER, *options, check=False)
    assert done.returncode != 0 and "turned off" in done.stderr
    assert not (course / "autograder/work/autograded/ann" / FOLDER / "1_double.ipynb").exists()
