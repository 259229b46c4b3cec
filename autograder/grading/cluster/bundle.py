"""What a worker needs of an assignment and of a submission, and no more, as data."""

import pickle
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files

from autograder.grading.cluster.parcel import File, Refused, check, read, tree
from autograder.grading.intake import MAX_OTHER_BYTES, walk
from autograder.grading.pool import CannotStart
from autograder.grading.reading import MAX_FILE_BYTES
from autograder.grading.snapshot import Rows

# nbgrader_config.py goes along as it is; at its end the folders become those of the worker.
OWN_FOLDERS = """
import os as _os
c = get_config()
c.CourseDirectory.root = _os.getcwd()
for _step in ("source", "release", "submitted", "autograded"):
    c.CourseDirectory[f"{_step}_directory"] = _step
c.CourseAutograde.intake_directory = "intake"
"""
# Of the course's root: what checks and learners' code look up by path.
SHARED = ("syllabus.yml", "pyproject.toml", "data", "tests/answers")


def pack_course(course: CourseDirectory, root: Path, rows: Rows, require_sandbox: bool) -> bytes:
    """What all submissions of an assignment share, for child.Handler. Raises CannotStart.

    No submission, no gradebook, no secret and no solution notebook is in it.
    """
    config = read(root / "nbgrader_config.py", "nbgrader_config.py")
    files = [File(config.path, config.data + OWN_FOLDERS.encode())]
    for name in SHARED:
        found = tree(root / name) if (root / name).is_dir() else [root / name]
        files += [read(p, p.relative_to(root).as_posix()) for p in found if p.is_file()]
    assignment = course.assignment_id
    release = Path(course.format_path(course.release_directory, ".", assignment))
    for name in (f"{row['name']}.ipynb" for row in rows["notebook"]):
        if (release / name).is_file():
            files.append(read(release / name, f"{_place(course, 'release')}/{name}"))
    source = Path(course.format_path(course.source_directory, ".", assignment))
    for path in sorted(find_all_files(str(source), [*course.ignore, "*.ipynb"])):
        inside = Path(path).relative_to(source).as_posix()
        files.append(read(Path(path), f"{_place(course, 'source')}/{inside}"))
    try:
        check(files)
    except Refused as error:
        raise CannotStart(f"The assignment cannot be sent to workers. {error}") from None
    return pickle.dumps(
        {"assignment": assignment, "rows": rows, "files": files, "require_sandbox": require_sandbox}
    )


def _place(course: CourseDirectory, step: str) -> str:
    whole = course.format_path(step, ".", course.assignment_id)
    return Path(whole).relative_to(course.root).as_posix()


def pack_submission(folder: Path) -> list[File] | None:
    """What intake reads of a submission folder; None for a link. Raises Refused if it is too much."""
    if folder.is_symlink():
        return None
    files = []
    for path in walk(folder):
        most = 4 * MAX_FILE_BYTES if path.suffix.lower() == ".zip" else MAX_OTHER_BYTES
        files.append(read(path, path.relative_to(folder).as_posix(), most))
    check(files)
    return files
