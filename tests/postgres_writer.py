"""One of several processes that write results into one gradebook at once; see test_postgresql.py."""

import os
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.gradebook import open_gradebook
from autograder.grading.journal import Journal
from autograder.grading.writer import Writer

SHARED, NOTEBOOK, CELLS = "shared", "one", ("check-a", "check-b")


def result(student: str, points: float) -> dict:
    """What a worker returns for a submission with the same points in each cell."""
    grades = {cell: [points, False] for cell in CELLS}
    notebook = {"penalty": None, "grades": grades, "comments": {}}
    state = {"timestamp": None, "notebooks": {NOTEBOOK: notebook}}
    return {"student": student, "graded": False, "problem": "", "state": state, "seconds": 0.1}


def write(
    db_url: str, passfile: str, assignment: str, folder: Path, count: int, start, failures
) -> None:
    """Results of `count` students for the process's own assignment and for one that all share.

    start: a barrier of all the processes. failures: a queue; gets what the gradebook refused.
    """
    os.environ["PGPASSFILE"] = passfile
    book = open_gradebook(db_url)
    start.wait(60)
    refused = {}
    for name in (assignment, SHARED):
        course = CourseDirectory()
        course.root, course.db_url, course.assignment_id = str(folder), db_url, name
        writer = Writer(book, course, Journal(folder / name / "journal.jsonl"), "step")
        # In opposite orders, so that transactions get in each other's way.
        step = 1 if int(assignment[1:]) % 2 else -1
        for n in range(count)[::step]:
            writer.add(result(f"s{n}", n + 0.25), "key")
        writer.flush()
        refused |= writer.failures
    book.close()
    failures.put(refused)
