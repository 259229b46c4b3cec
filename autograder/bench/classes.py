"""Courses of one notebook with a class of right submissions, to be graded and measured."""

import shutil
from pathlib import Path

import nbformat

from autograder.build.expand import expand
from autograder.build.sources import read_source
from autograder.checks import bank, registry
from autograder.grading import sample_class
from autograder.grading.nbgrader_run import nbgrader
from autograder.grading.needed import is_setup
from autograder.syllabus import repo_root

MODULE = "1.1-quantization-theory"
LESSON = "2_affine_quantization"
SMALL = "small_torch"
SMALL_EXERCISES = 3
STOCK = '''"""nbgrader with its own Execute and its own settings; only the folders are ours."""

import os
import sys
from pathlib import Path

root = Path(__file__).resolve().parent
c = get_config()
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "autograder/work/source"
c.CourseDirectory.release_directory = "modules"
c.CourseDirectory.submitted_directory = "autograder/work/submitted"
c.CourseDirectory.autograded_directory = "autograder/work/autograded"
c.CourseDirectory.feedback_directory = "autograder/work/feedback"
c.CourseDirectory.db_url = f"sqlite:///{root / 'autograder/work/gradebook.db'}"
os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")
'''


def instructor_notebook(name: str) -> nbformat.NotebookNode:
    """The notebook LESSON whole, or SMALL: its first exercises, and a cell that imports torch."""
    path = repo_root() / "solutions" / MODULE / f"{LESSON}.py"
    notebook = expand(read_source(path, repo_root()))
    if name == LESSON:
        return notebook
    code = [c for c in notebook.cells if c.cell_type == "code"]
    ids = [
        c.metadata.course.id for c in code if c.metadata.get("course", {}).get("role") == "check"
    ]
    wanted = [f"{prefix}{name}" for name in ids[:SMALL_EXERCISES] for prefix in ("", "check-")]
    kept = [c for c in code if c.metadata.get("nbgrader", {}).get("grade_id") in wanted]
    imports = nbformat.v4.new_code_cell("import numpy as np\nimport torch", id="imports-torch")
    notebook.cells = [*filter(is_setup, code), imports, *kept]
    return notebook


def right_answer(student: int):
    """Half of the class hands in the model solution, half the bank's other right answers."""

    def pick(number: int, exercise: str) -> str:
        if student % 2 == 0:
            return "reference"
        found = [a.name for a in bank.answers(registry.load_bank(exercise)) if a.right]
        return found[(student // 2 + number) % len(found)]

    return pick


def make(root: Path, notebook: str, submissions: int) -> Path:
    """A course at `root`, released by stock nbgrader, with a class of right submissions.

    Args:
        notebook: LESSON or SMALL.
        submissions: how many.
    """
    shutil.rmtree(root, ignore_errors=True)
    source = root / "autograder/work/source" / MODULE
    source.mkdir(parents=True)
    nbformat.write(instructor_notebook(notebook), source / f"{notebook}.ipynb")
    shutil.copytree(
        repo_root() / "data", root / "data", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(repo_root() / "syllabus.yml", root)
    (root / "nbgrader_config.py").write_text(STOCK)
    nbgrader("generate_assignment", MODULE, cwd=root)
    students = [
        sample_class.Student(f"s{number:04d}", "all right", right_answer(number), writes=False)
        for number in range(submissions)
    ]
    sample_class.make(root, source, root / "modules" / MODULE, MODULE, students)
    return root


def copy(stock: Path, root: Path) -> Path:
    """A copy of a course, to be graded once."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(stock, root)
    return root


def ours(stock: Path, root: Path) -> Path:
    """A copy of a course with the project's nbgrader_config.py in place of the stock one."""
    copy(stock, root)
    shutil.copy(repo_root() / "nbgrader_config.py", root)
    return root
