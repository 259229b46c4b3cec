"""A class of attackers through real `nbgrader autograde`, with a look at everybody else around it."""

import contextlib
import resource
import stat
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from nbgrader.api import Gradebook
from test_grading_broken import tree

from attacks.bank import Attack
from attacks.course import ASSIGNMENT, Course
from attacks.evidence import Seen, look
from autograder.grading.sandbox.policy import Limits
from autograder.grading.scores import read_scores

# Enough for honest work on the two exercises, little enough for bombs.
LIMITS = Limits(
    wall_s=40, cpu_s=30, memory_mb=1000, processes=48, file_mb=48, disk_mb=96, open_files=256
)
CHECK_S = 5
RUN_S = 400
GRADER_MB = 1000
# A bomb that reaches the grader ends this run, not the machine.
MOST_BYTES = 6 * 2**30
# Neighbours graded before and after every attacker.
NEIGHBOURS = ("a-reference", "zz-reference")
TWINS = ("wrong", "half", "right")
# Processes that attackers leave behind sleep for a number of seconds that starts so.
MARK = "76543"


@dataclass
class Graded:
    """A class after grading.

    Attributes:
        seen: what was seen of each student.
        full: the points of the honest reference alone.
        said: what nbgrader printed.
        harm: one sentence for each thing that is not as it was: neighbours, files, processes.
        processes: marks of attackers' processes that were alive during the run and no longer are.
        peak_mb: memory of the grader itself.
    """

    seen: dict[str, Seen]
    full: float
    said: str
    harm: list[str] = field(default_factory=list)
    processes: set[str] = field(default_factory=set)
    peak_mb: float = 0.0


class Watch(threading.Thread):
    """Looks at the grader's memory and at marked processes while it runs."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.peak_mb, self.seen = pid, 0.0, set()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.1):
            with contextlib.suppress(psutil.Error):
                self.peak_mb = max(self.peak_mb, psutil.Process(self.pid).memory_info().rss / 2**20)
            self.seen |= marked()


def marked() -> set[str]:
    """Marks of the attackers' processes that are alive."""
    found = set()
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            found |= {w for w in words if w.startswith(MARK) and len(w) < 12}
    return found


def grade(course: Course, attacks: list[Attack], options: tuple[str, ...] = ()) -> Graded:
    """Hand in and grade the attacks with their honest twins and two neighbours.

    options: of `nbgrader autograde`. Raises subprocess.TimeoutExpired when the run hangs.
    """
    for name in NEIGHBOURS:
        course.hand_in(name, "right")
    twins = {f"b-twin-{kind}": kind for kind in TWINS if any(a.answers == kind for a in attacks)}
    for name, kind in twins.items():
        course.hand_in(name, kind)
    for attack in attacks:
        course.hand_in(attack.name, attack.answers, attack.build)
    before, alive = _outside(course), marked()
    done, watch = _run(course, ["autograde", ASSIGNMENT, *options])
    after = _outside(course)
    fed = course.nbgrader("generate_feedback", ASSIGNMENT)
    points = _points(course)
    students = [*NEIGHBOURS, *twins, *(a.name for a in attacks)]
    seen = {s: look(course, s, points.get(s, {})) for s in students}
    graded = Graded(seen, seen[NEIGHBOURS[0]].total, done + fed.stdout + fed.stderr)
    left = _left(alive)
    graded.peak_mb, graded.processes = watch.peak_mb, watch.seen - alive - set(left)
    graded.harm = [
        *_changed(before, after),
        *_neighbours(graded),
        *_book(course, students),
        *(f"a process is left: {mark}" for mark in left),
    ]
    if "Traceback" in graded.said:
        graded.harm.append("nbgrader printed a traceback")
    if watch.peak_mb > GRADER_MB:
        graded.harm.append(f"the grader took {watch.peak_mb:.0f} MB")
    return graded


def _run(course: Course, words: list[str]) -> tuple[str, Watch]:
    command = [str(Path(sys.executable).with_name("nbgrader")), *words]
    process = subprocess.Popen(
        command,
        cwd=course.root,
        env=course.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES)),
    )
    watch = Watch(process.pid)
    watch.start()
    try:
        said, _ = process.communicate(timeout=RUN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    finally:
        watch.over.set()
        watch.join()
    return said, watch


def _left(alive: set[str]) -> list[str]:
    """Marked processes that stay; a kernel's keeper may need a moment."""
    until = time.monotonic() + 3
    while (left := marked() - alive) and time.monotonic() < until:
        time.sleep(0.1)
    return sorted(left)


def _outside(course: Course) -> dict:
    """All files of the course and the home folder but what grading itself writes."""
    own = ("autograded", "intake", "feedback", "gradebook.db")
    written = [f"autograder/work/{name}" for name in own]
    found = {
        name: facts
        for name, facts in tree(course.root).items()
        if not any(name == w or name.startswith(f"{w}/") for w in written)
    }
    found |= {f"~/{name}": facts for name, facts in tree(course.home).items()}
    # A folder's time tells only that something was made in it, which has an entry of its own.
    return {name: f[:1] if stat.S_ISDIR(f[0]) else f for name, f in found.items()}


def _changed(before: dict, after: dict) -> list[str]:
    names = sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))
    return [f"changed: {name}" for name in names]


def _points(course: Course) -> dict[str, dict[str, float | None]]:
    out: dict[str, dict[str, float | None]] = {}
    for row in read_scores(course.url, ASSIGNMENT):
        out.setdefault(row.student, {})[row.cell.removeprefix("check-")] = row.score
    return out


def _neighbours(graded: Graded) -> list[str]:
    out = []
    for name in NEIGHBOURS:
        if graded.seen[name].total != graded.full or graded.full == 0:
            out.append(f"{name} has {graded.seen[name].total:g} points")
        if graded.seen[name].done or graded.seen[name].loot:
            out.append(f"{name} shows what it did not hand in")
    return out


def _book(course: Course, students: list[str]) -> list[str]:
    """Rows that should not be there, or that say more than the exercises' points."""
    out = []
    with Gradebook(course.url, "model-miniaturization") as book:
        names = {s.id for s in book.students}
        out += [f"the gradebook has a student {name}" for name in sorted(names - set(students))]
        for submission in book.assignment_submissions(ASSIGNMENT):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.extra_credit or grade.manual_score or grade.score > grade.max_score:
                        out.append(f"{submission.student.id} has odd points in {grade.name}")
    return out
