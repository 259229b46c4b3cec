"""The process that grades on a worker's machine: it reads submissions, and runs and judges them.

Started by worker.Child. It takes pickled tasks from the grader's side, which is trusted, and
answers in plain bytes (parcel). It has its own warm kernels, its own folder and no secret.
"""

import contextlib
import json
import os
import pickle
import shutil
import stat
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from autograder.build.release import nbgrader_config
from autograder.grading.cluster.parcel import (
    MAX_BYTES,
    MAX_FILES,
    File,
    Refused,
    read,
    to_bytes,
    tree,
    unpack,
)
from autograder.grading.cluster.version import version
from autograder.grading.grade import make_handler, prepare_kernels
from autograder.grading.pool import end_tree
from autograder.grading.secret import know_seeds
from autograder.grading.snapshot import Rows
from autograder.grading.task import Course, not_graded, sentence

IDLE_S = 600
# A grader that ends closes the connection too: time to end in good order.
GRACE_S = 3
# Must be what bundle.OWN_FOLDERS says.
SUBMITTED, AUTOGRADED, INTAKE = "submitted", "autograded", "intake"


class Handler:
    """Grades submissions in this process's folder, which holds nothing else."""

    def __init__(self, assignment: str, rows: Rows, files: list[File], require_sandbox: bool):
        """Unpack what the assignment needs. Raises BadUsage where a layer is required and missing."""
        root = Path.cwd()
        unpack(files, root)
        config = nbgrader_config(root)
        prepare_kernels(config.CourseExecute, require_sandbox)
        self.course = CourseDirectory(config=config)
        self.course.assignment_id = assignment
        self.grade = make_handler(Course(str(root), assignment, AUTOGRADED, rows))

    def __call__(
        self, student: str, rows: Rows, seeds: dict[str, int], files: list[File] | None
    ) -> bytes:
        """Grade one submission. files: None when the submission folder is a link.

        Returns parcel.to_bytes of the result (task.Grader.grade) and of the autograded folder.
        """
        try:
            return to_bytes(*self._grade(student, rows, seeds, files))
        except (OSError, Refused) as error:
            return to_bytes(not_graded(student, sentence(error)), [])

    def _grade(
        self, student: str, rows: Rows, seeds: dict[str, int], files: list[File] | None
    ) -> tuple[dict[str, Any], list[File]]:
        assignment = self.course.assignment_id
        know_seeds({(student, assignment, name): seed for name, seed in seeds.items()})
        for step in (SUBMITTED, AUTOGRADED, INTAKE):
            shutil.rmtree(step, ignore_errors=True)
        submitted = self._folder(SUBMITTED, student)
        if files is None:
            submitted.parent.mkdir(parents=True)
            Path("empty").mkdir(exist_ok=True)
            submitted.symlink_to(Path("empty").absolute())
        else:
            submitted.mkdir(parents=True)
            unpack(files, submitted)
        result = self.grade(student, rows)
        found, left_out = collect(self._folder(AUTOGRADED, student), list(seeds))
        if left_out:
            said = f"{left_out} files that its code wrote were left on the worker: too many or too large."
            result["problem"] = result["problem"] or said
        return result, found

    def _folder(self, step: str, student: str) -> Path:
        return Path(self.course.format_path(step, student, self.course.assignment_id))


def collect(folder: Path, notebooks: list[str]) -> tuple[list[File], int]:
    """The ordinary files of an autograded folder, its notebooks first, and how many are left out.

    Links and other things that learners' code may have made stay behind uncounted.
    """
    first = [f"{name}.ipynb" for name in notebooks]
    names = [path.relative_to(folder).as_posix() for path in tree(folder)]
    found, left_out, total = [], 0, 0
    for name in sorted(names, key=lambda name: (name not in first, name)):
        if not stat.S_ISREG((folder / name).lstat().st_mode):
            continue
        file = read(folder / name, name, MAX_BYTES - total)
        if file.kind != "file" or len(found) == MAX_FILES:
            left_out += 1
            continue
        total += len(file.data)
        found.append(file)
    return found, left_out


def main() -> None:
    """The process's life: ends with the connection, with its parent, or when long idle."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(int(sys.argv[1]))
    hello: dict[str, Any] = {"version": version()}
    try:
        handle = Handler(**pickle.loads(connection.recv_bytes()))
    except Exception as error:
        hello["cannot_start"] = f"{type(error).__name__}: {sentence(error)}"
    connection.send_bytes(json.dumps(hello).encode())
    if "cannot_start" in hello:
        return
    with contextlib.suppress(EOFError):
        while connection.poll(IDLE_S):
            connection.send_bytes(handle(*connection.recv()))


def _end_with_parent() -> None:
    """No kernel outlives the worker: its end closes standard input."""
    sys.stdin.buffer.read()
    time.sleep(GRACE_S)
    end_tree(os.getpid(), itself=False)
    os._exit(1)


if __name__ == "__main__":
    main()
