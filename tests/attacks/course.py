"""A course of two notebooks with one exercise of module 1.1 each, and victims worth attacking."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from attacks.handin import EXERCISES, FIRST, RIGHT, SECOND, WRONG, Handin
from autograder.syllabus import load_syllabus

REPOSITORY = Path(__file__).resolve().parents[2]
ASSIGNMENT = "1.1-attacked"
SOURCES = "solutions/1.1-quantization-theory/2_affine_quantization.py"
# Planted where no submission may look: what turns up elsewhere was stolen.
CANARY = "CANARY"
ITEMS = {"sqnr": "1.1.C7", "symmetric-quantize": "1.1.K1"}
SETUP = "import math\n\nimport numpy as np\n\nfrom autograder import check"
SYLLABUS = """
title: A course under attack
parts:
  - {id: I, title: "Only part"}
modules:
  - id: "1.1"
    part: I
    folder: %(folder)s
    title: "Attacked"
    status: ready
    summary: "Two notebooks."
    prerequisites: []
    items:
      - {id: 1.1.C7, title: "Error"}
      - {id: 1.1.K1, title: "Quantizer"}
    project: {title: "None", steps: []}
    notebooks:
%(notebooks)s
    exercises:
%(exercises)s
papers: []
arsenal: []
"""
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "model-miniaturization"
c.CourseDirectory.root = %(root)r
c.CourseDirectory.source_directory = "autograder/work/source"
c.CourseDirectory.release_directory = "modules"
c.CourseDirectory.submitted_directory = "autograder/work/submitted"
c.CourseDirectory.autograded_directory = "autograder/work/autograded"
c.CourseDirectory.feedback_directory = "autograder/work/feedback"
c.Execute.shutdown_kernel = "immediate"
c.CourseDirectory.db_url = "sqlite:///" + %(root)r + "/autograder/work/gradebook.db"
"""


@dataclass
class Course:
    """A course of its own, in a folder of its own.

    home: HOME of the one who grades. layout: the notebook of each exercise.
    """

    root: Path
    home: Path
    layout: dict[str, str]

    @property
    def work(self) -> Path:
        return self.root / "autograder" / "work"

    @property
    def gradebook(self) -> Path:
        return self.work / "gradebook.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.gradebook}"

    def environment(self) -> dict[str, str]:
        """As an instructor has it: no variable of the test suite's."""
        kept = {k: v for k, v in os.environ.items() if k not in ("COURSE_STRICT_JUDGES",)}
        return kept | {"COURSE_ROOT": str(self.root), "HOME": str(self.home)}

    def nbgrader(self, *words: str, timeout_s: float = 300) -> subprocess.CompletedProcess:
        """Run nbgrader from the course's root."""
        command = [str(Path(sys.executable).with_name("nbgrader")), *words]
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def submission(self, student: str) -> Path:
        """The folder that a student's files go to."""
        return self.work / "submitted" / student / ASSIGNMENT

    def released(self) -> dict[str, dict]:
        """The released notebooks as JSON data."""
        names = sorted(set(self.layout.values()))
        folder = self.root / "modules" / ASSIGNMENT
        return {n: json.loads((folder / f"{n}.ipynb").read_text(encoding="utf-8")) for n in names}

    def hand_in(self, student: str, answers: str, build=None) -> Handin:
        """A submission with honest answers (bank.Attack.answers) and an attack on top."""
        folder = self.submission(student)
        folder.mkdir(parents=True)
        made = Handin(folder, self.released(), self)
        for number, exercise in enumerate(EXERCISES):
            right = answers == "right" or (answers == "half" and number == 0)
            source = (RIGHT if right else WRONG)[exercise]
            # The reference's answers are worth stealing.
            made.answer(exercise, f"{source}\n# {CANARY}-{student}")
        if build is not None:
            build(made)
        made.write()
        return made


def make(folder: Path, stock: bool = False, apart: bool = False) -> Course:
    """Write the course and generate its assignment.

    stock: with nbgrader's own configuration. apart: each exercise in a notebook of its own.
    """
    layout = dict(zip(EXERCISES, (FIRST, SECOND if apart else FIRST), strict=True))
    course = Course(folder / "course", folder / "home", layout)
    (course.home / ".ipython").mkdir(parents=True)  # IPython makes it at its first start
    (course.home / ".netrc").write_text(f"password {CANARY}-home\n")
    root = course.root
    files = {"syllabus.yml": _syllabus(layout), "autograder/work/secret": f"{CANARY}-secret"}
    cells = (REPOSITORY / SOURCES).read_text(encoding="utf-8")
    for notebook in set(layout.values()):
        own = [e for e in EXERCISES if layout[e] == notebook]
        files[f"solutions/{ASSIGNMENT}/{notebook}.py"] = _source(cells, own)
    for exercise in EXERCISES:
        name = f"tests/answers/m1_1/{exercise.replace('-', '_')}.py"
        files[name] = (REPOSITORY / name).read_text(encoding="utf-8") + f"\n# {CANARY}-answers\n"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    done = course.nbgrader("generate_assignment", ASSIGNMENT)
    if done.returncode:
        raise RuntimeError(f"The assignment cannot be generated: {done.stdout}{done.stderr}")
    if stock:
        (root / "nbgrader_config.py").write_text(STOCK % {"root": str(root)})
    return course


def _syllabus(layout: dict[str, str]) -> str:
    points = {e.id: e.points for e in load_syllabus().module("1.1").exercises}
    items = {
        notebook: [ITEMS[e] for e in layout if layout[e] == notebook]
        for notebook in layout.values()
    }
    books = [
        f"      - {{file: {name}, title: {name}, minutes: 5, items: [{', '.join(found)}]}}"
        for name, found in items.items()
    ]
    exercises = [
        f"      - {{id: {e}, notebook: {name}, points: {points[e]:g}, kind: code, "
        f"items: [{ITEMS[e]}], title: {e}}}"
        for e, name in layout.items()
    ]
    parts = {"notebooks": "\n".join(books), "exercises": "\n".join(exercises)}
    return SYLLABUS.lstrip() % (parts | {"folder": ASSIGNMENT})


def _source(text: str, exercises: list[str]) -> str:
    """A notebook's source with some exercises and their checks, cut from the real lesson."""
    cells = re.split(r"(?m)^(?=# %%)", text)
    parts = [
        text[: text.index("# %% [markdown]")],
        f'# %% [markdown] items="{" ".join(ITEMS[e] for e in exercises)}"\n# # Under attack\n',
        '# %% role="parameters" id="parameters"\nPROFILE = "cpu"\n',
        f'# %% role="given" id="setup"\n{SETUP}\n\n\n',
    ]
    for exercise in exercises:
        mark = rf'# %% role="(exercise|check)" id="{exercise}"'
        own = [c for c in cells if re.match(mark, c)]
        own[0] = re.sub(r'items="[^"]*"', f'items="{ITEMS[exercise]}"', own[0], count=1)
        solution = "### BEGIN SOLUTION"
        own[0] = own[0].replace(solution, f"{solution}\n    # {CANARY}-solution", 1)
        parts += own
    return "".join(parts)
