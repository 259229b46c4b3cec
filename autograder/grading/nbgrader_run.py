"""Stock nbgrader commands, run as an instructor runs them, on a course root of one's own."""

import os
import subprocess
import sys
from pathlib import Path

from autograder.syllabus import repo_root


class NbgraderFailed(Exception):
    """An nbgrader command ended with an error; the text holds its last lines."""


def nbgrader(
    *words: str, root: Path | None = None, cwd: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess:
    """Run `nbgrader WORDS` from the repository's root.

    root: a course root other than the repository, with a gradebook of its own.
    cwd: the folder whose nbgrader_config.py counts; default: the repository's root.
    """
    command = [sys.executable, "-m", "nbgrader", *words]
    if root is not None:
        command += [
            f"--CourseDirectory.root={root}",
            f"--CourseDirectory.db_url=sqlite:///{root / 'gradebook.db'}",
        ]
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=cwd or repo_root(), env=env, capture_output=True, text=True)
    if check and done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise NbgraderFailed(f"`nbgrader {' '.join(words)}` failed:\n{tail}")
    return done
