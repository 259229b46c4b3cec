"""The ways to grade a class that are compared, each measured as a command of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from autograder.bench import classes, measure
from autograder.bench.measure import CommandFailed, Usage
from autograder.grading.scores import read_scores

WAYS = ("stock", "ours", "course grade", "floor")


@dataclass(frozen=True)
class Row:
    """One way on one class. Seconds are per submission."""

    notebook: str
    way: str
    submissions: int
    wall_s: float
    cpu_s: float
    peak_mb: float


def environment(root: Path) -> dict[str, str]:
    """What a measured command sees: the course at `root`, no seed or record of this machine's."""
    kept = {k: v for k, v in os.environ.items() if k != "COURSE_SECRET"}
    return kept | {
        "COURSE_ROOT": str(root),
        "COURSE_STATE": str(root / "state"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def measured(way: str, root: Path, notebook: str, submissions: int) -> Row:
    """Grade the class at `root` once. Raises CommandFailed, also when points are missing."""
    env = environment(root)
    if way == "floor":
        used = floor(root, notebook, env)
    else:
        words = ("course", "grade") if way == "course grade" else ("nbgrader", "autograde")
        command = [str(Path(sys.executable).with_name(words[0])), words[1], classes.MODULE]
        used = measure.run(command, root, env)
        demand_full_marks(root, submissions)
    each = (used.wall_s / submissions, used.cpu_s / submissions)
    return Row(notebook, way, submissions, *each, used.peak_mb)


def floor(root: Path, notebook: str, env: dict[str, str]) -> Usage:
    """The floor's own figures, which leave its imports out."""
    command = [sys.executable, "-P", "-m", "autograder.bench.floor", str(root), notebook]
    env = env | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    if done.returncode:
        raise CommandFailed(f"The floor failed: {done.stderr.strip()[-2000:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    return Usage(said["wall_s"], said["cpu_s"], said["peak_mb"])


def demand_full_marks(root: Path, submissions: int) -> None:
    """Every machine-graded cell of every submission has all its points, or CommandFailed."""
    url = f"sqlite:///{root / 'autograder/work/gradebook.db'}"
    scores = [s for s in read_scores(url, classes.MODULE) if s.cell.startswith("check-")]
    lost = [s for s in scores if s.score != s.max_score]
    students = {s.student for s in scores}
    if lost or len(students) != submissions:
        first = f", first {lost[0].student} {lost[0].cell}" if lost else ""
        raise CommandFailed(
            f"{len(students)} of {submissions} submissions graded, {len(lost)} cells lost points{first}."
        )
