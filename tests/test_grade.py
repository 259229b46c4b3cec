"""`course grade`: the same gradebook as stock nbgrader, in parallel, whatever is killed on the way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from click.testing import CliRunner
from conftest import forget
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, text
from test_nbgrader import FOLDER, nbgrader, submit

import autograder.checks
from autograder.build import release
from autograder.cli import main
from autograder.grading import grade as grading

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nbgrader")]

WRITTEN = """
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown] items="9.9.C1"
# # Say it
# %% role="parameters" id="parameters"
PROFILE = "cpu"
# %% [markdown] role="written" id="why-more" items="9.9.K1" points=3
# It is.
"""


def two_notebooks(root):
    """The tiny course with a second notebook, of one written answer, and zeros for late work."""
    path = root / "syllabus.yml"
    lines = path.read_text()
    more = '      - {file: 2_more, title: "More", minutes: 5, items: [9.9.C1]}\n    exercises:'
    lines = lines.replace("    exercises:", more)
    why = (
        "      - {id: why-more, notebook: 2_more, points: 3, kind: written, "
        'items: [9.9.K1], title: "More"}\npapers:'
    )
    path.write_text(lines.replace("papers:", why))
    (root / f"solutions/{FOLDER}/2_more.py").write_text(WRITTEN.lstrip())
    with open(root / "nbgrader_config.py", "a") as config:
        config.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    release.build(root)


def hand_in(root, student, answer, words=None, more=None):
    folder = submit(root, student, answer, words).parent
    if (root / "modules" / FOLDER / "2_more.ipynb").exists():
        notebook = nbformat.read(root / "modules" / FOLDER / "2_more.ipynb", as_version=4)
        if more:
            notebook.cells[-1].source = more
        nbformat.write(notebook, folder / "2_more.ipynb")
    return folder


def mixed_class(root):
    """Submissions of all kinds, among them two that stock nbgrader cannot grade."""
    hand_in(root, "right", "return 2 * x", "Because.", "Indeed.")
    hand_in(root, "blank", None)
    hand_in(root, "half", "return 2 * x if x else None")
    hand_in(root, "misled", "return x * x", "No idea.")
    hand_in(root, "noisy", "import sys; print('hm', file=sys.stderr); return x + x")
    hand_in(root, "crasher", "import os; os._exit(3)", "It broke.")
    (hand_in(root, "no-json", None) / "1_double.ipynb").write_text("this is no notebook")
    (hand_in(root, "one-missing", "return 2 * x") / "2_more.ipynb").unlink()
    for path in hand_in(root, "final", "return 2 * x").glob("*.ipynb"):
        path.rename(path.with_stem("final_" + path.stem))
    late = hand_in(root, "late", "return 2 * x", "Late.")
    (late / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC\n")
    timely = hand_in(root, "odd +name", "return 2 * x")
    (timely / "timestamp.txt").write_text("2026-02-02 12:00:00 UTC\n")
    (timely / "notes.txt").write_text("mine")
    cut = hand_in(root, "cut-check", "return 2 * x") / "1_double.ipynb"
    notebook = nbformat.read(cut, as_version=4)
    notebook.cells = [
        c
        for c in notebook.cells
        if c.metadata.get("nbgrader", {}).get("grade_id") != "check-double"
    ]
    nbformat.write(notebook, cut)


def url(root, name="gradebook"):
    return f"sqlite:///{root / 'autograder/work' / name}.db"


def course_grade(root, *words, check=True, folder=FOLDER):
    done = subprocess.run(
        [Path(sys.executable).with_name("course"), "grade", folder, *words],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


TABLES = {
    "submissions": "SELECT s.student_id, s.timestamp, s.extension FROM submitted_assignment s",
    "notebooks": "SELECT s.student_id, n.name, b.flagged, b.late_submission_penalty "
    "FROM submitted_notebook b JOIN submitted_assignment s ON b.assignment_id = s.id "
    "JOIN notebook n ON b.notebook_id = n.id",
    "grades": "SELECT s.student_id, n.name, c.name, c.type, g.auto_score, g.manual_score, "
    "g.extra_credit, g.needs_manual_grade FROM grade g JOIN base_cell c ON g.cell_id = c.id "
    "JOIN submitted_notebook b ON g.notebook_id = b.id JOIN notebook n ON b.notebook_id = n.id "
    "JOIN submitted_assignment s ON b.assignment_id = s.id",
    "comments": "SELECT s.student_id, n.name, c.name, c.type, g.auto_comment, g.manual_comment "
    "FROM comment g JOIN base_cell c ON g.cell_id = c.id "
    "JOIN submitted_notebook b ON g.notebook_id = b.id JOIN notebook n ON b.notebook_id = n.id "
    "JOIN submitted_assignment s ON b.assignment_id = s.id",
    "students": "SELECT id, first_name, last_name, email FROM student",
}


def content(db_url):
    """Every row of a gradebook's submissions, without ids."""
    engine = create_engine(db_url)
    with engine.connect() as db:
        out = {name: sorted(map(repr, db.execute(text(query)))) for name, query in TABLES.items()}
    engine.dispose()
    return out


def autograded(folder):
    """What is in an autograded folder: file names, and the notebooks' cells without tracebacks and times."""
    out = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        cells = []
        if path.suffix == ".ipynb":
            for cell in nbformat.read(path, as_version=4).cells:
                shown = [
                    (o.output_type, o.get("data"), o.get("ename")) for o in cell.get("outputs", [])
                ]
                marks = {k: v for k, v in cell.metadata.items() if k != "execution"}
                cells.append((cell.cell_type, cell.source, marks, shown))
        out[path.relative_to(folder).as_posix()] = cells, oct(path.stat().st_mode)
    return out


def journal(root):
    (path,) = (root / "autograder/work/grading").glob("*/journal.jsonl")
    return path, [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def a_person_grades(db_url):
    """Manual scores, extra credit and a comment, as formgrader enters them."""
    with Gradebook(db_url, "model-miniaturization") as book:
        for student in ("right", "late"):
            grade = book.find_grade("why-double", "1_double", FOLDER, student)
            grade.manual_score, grade.needs_manual_grade = 1.5, False
            check = book.find_grade("check-double", "1_double", FOLDER, student)
            check.extra_credit = 0.5
        comment = book.find_comment("double", "1_double", FOLDER, "right")
        comment.manual_comment = "Neat."
        book.db.commit()


def test_the_same_gradebook_and_notebooks_as_stock_nbgrader(course):
    two_notebooks(course)
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    with Gradebook(url(course), "model-miniaturization") as book:
        book.update_or_create_assignment(FOLDER, duedate="2026-03-01 12:00:00 UTC")
    mixed_class(course)
    work = course / "autograder/work"
    shutil.copy(work / "gradebook.db", work / "stock.db")
    stock = (f"--db={url(course, 'stock')}", "--CourseDirectory.autograded_directory=stock")

    nbgrader(course, "autograde", FOLDER, *stock, check=False)
    done = course_grade(course, "--jobs=2", check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    first = content(url(course))
    assert first == content(url(course, "stock"))
    assert len(first["submissions"]) == 12 and len(first["grades"]) == 36
    assert autograded(work / "autograded") == autograded(course / "stock")
    table = {line.split("│")[1].strip(): line for line in done.stdout.splitlines() if "│" in line}
    assert "4 of 9" in table["right"] and "0 of 9" in table["late"] and "3 of 9" in table["half"]
    assert "could not be" in table["no-json"]

    for name in ("gradebook", "stock"):
        a_person_grades(url(course, name))
    nbgrader(course, "autograde", FOLDER, *stock, "--student=[rl]*", "--force")
    course_grade(course, "--force", "--student=right", "--student=late")
    second = content(url(course))
    assert second == content(url(course, "stock")) != first
    assert sum("1.5, " in row for row in second["grades"]) == 2
    assert sum("0.5, " in row for row in second["grades"]) == 2
    assert "Neat." in str(second["comments"])
    (late,) = (row for row in second["notebooks"] if "late" in row and "1_double" in row)
    assert late.endswith("6.0)")


def small_class(root, students, answer="return 2 * x"):
    nbgrader(root, "generate_assignment", FOLDER, "--force")
    for student in students:
        submit(root, student, answer, None)


def scores(root):
    rows = create_engine(url(root)).connect().execute(text(TABLES["grades"])).all()
    return {row[0]: row[4] for row in rows if row[2] == "check-double"}


def start(root, *words, stdout=subprocess.DEVNULL):
    return subprocess.Popen(
        [Path(sys.executable).with_name("course"), "grade", FOLDER, *(words or ["--jobs=2"])],
        cwd=root,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def results(root):
    """By student, the seconds of each journaled result: equal seconds are the same grading."""
    if not list((root / "autograder/work/grading").glob("*/journal.jsonl")):
        return {}
    return {e["student"]: e["seconds"] for e in journal(root)[1] if e["kind"] == "result"}


def wait_for(run, root, count):
    while len(results(root)) < count:
        time.sleep(0.02)
        assert run.poll() is None, "it ended before it could be stopped"


def gone(process):
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(processes, seconds=10):
    """Whether all end within some seconds: a busy machine takes a moment."""
    deadline = time.monotonic() + seconds
    while not all(map(gone, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_stopped_or_killed_run_goes_on_and_grades_nothing_twice(course):
    students = [f"s{n}" for n in range(6)]
    small_class(course, students, "import time; time.sleep(0.8); return 2 * x")
    run = start(course)
    wait_for(run, course, 1)
    family = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 130 and "goes on with the rest" in said and "Traceback" not in said
    assert all_gone(family)
    stopped = results(course)
    assert 1 <= len(stopped) < 6 and scores(course) == dict.fromkeys(stopped, 4.0)

    run = start(course)
    wait_for(run, course, len(stopped) + 1)
    family = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    run.stderr.close()
    killed = results(course)
    assert killed.items() > stopped.items() and len(killed) < 6
    deadline = time.monotonic() + 30
    while not all(map(gone, family)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all_gone(family)

    done = course_grade(course)
    assert scores(course) == dict.fromkeys(students, 4.0)
    assert results(course).keys() == set(students) and results(course).items() >= killed.items()
    assert done.stdout.count("unchanged") + done.stdout.count("stopped") >= len(killed)
    # Nothing of the runs is left but the journal and its lock.
    left = sorted(p.suffix for p in journal(course)[0].parent.iterdir())
    assert left == [".jsonl", ".lock"]


def test_only_what_changed_or_was_lost_is_graded(course):
    small_class(course, ["ann", "bob", "cid"])
    course_grade(course, "--student=ann", "--student=bob")
    assert set(scores(course)) == {"ann", "bob"}
    path = course / "autograder/work/submitted/bob" / FOLDER / "1_double.ipynb"
    path.write_text(path.read_text().replace("return 2 * x", "return x * x"))
    done = course_grade(course)
    assert scores(course) == {"ann": 4.0, "bob": 0.0, "cid": 4.0}
    assert done.stdout.count("unchanged") == 1 and "1/2 " in done.stdout

    # A run was killed after it had journaled ann's result, in the middle of a line.
    path, _ = journal(course)
    before = results(course)
    lines = [line for line in path.read_text().splitlines() if '"written", "student"' not in line]
    path.write_text("\n".join(lines).replace('"written": true', '"written": false') + '\n{"kin')
    engine = create_engine(url(course))
    with engine.begin() as db:
        db.execute(text("UPDATE grade SET auto_score = NULL"))
    done = course_grade(course)
    assert scores(course) == {"ann": 4.0, "bob": 0.0, "cid": 4.0}
    assert results(course) == before and done.stdout.count("stopped") == 3

    # Without its notebooks a submission is graded again; with another check all are.
    shutil.rmtree(course / "autograder/work/autograded/cid")
    assert "1/1 cid" in course_grade(course).stdout
    assert (course / "autograder/work/autograded/cid" / FOLDER / "1_double.ipynb").is_file()
    check = course.parent / "checks/m9_9/double.py"
    check.write_text(check.read_text().replace("2 * case.x", "case.x * case.x"))
    assert "unchanged" not in course_grade(course).stdout
    assert scores(course)["ann"] < 4.0 == scores(course)["bob"]


def living_handler(shared):
    """What workers run; they are forked from what an earlier test may have left."""
    autograder.checks.__path__.insert(0, str(Path(shared.root).parent / "checks"))
    forget()
    return grading.Grader(shared).grade


def dying_handler(shared):
    """A worker that dies over bob's submission."""
    handle = living_handler(shared)
    return lambda student, rows: os._exit(9) if student == "bob" else handle(student, rows)


def test_a_dead_worker_costs_its_own_submission_only(course, monkeypatch):
    small_class(course, ["ann", "bob", "cid"])
    monkeypatch.setattr(grading, "make_handler", dying_handler)
    done = CliRunner().invoke(main, ["grade", FOLDER, "--jobs=1"])
    assert done.exit_code == 1, done.output
    assert "died 2 times (exit status 9)" in " ".join(done.output.split())
    assert scores(course) == {"ann": 4.0, "bob": 0.0, "cid": 4.0}
    with Gradebook(url(course), "model-miniaturization") as book:
        comment = book.find_comment("double", "1_double", FOLDER, "bob").comment
    assert comment.startswith("The process that graded it died")
    monkeypatch.setattr(grading, "make_handler", living_handler)
    assert "1/1 bob" in CliRunner().invoke(main, ["grade", FOLDER]).output
    assert scores(course) == dict.fromkeys(("ann", "bob", "cid"), 4.0)


def test_bad_usage_is_one_sentence(course, monkeypatch):
    small_class(course, ["ann"])
    for words, says in (
        (["9.9-none"], "The gradebook has no assignment '9.9-none': run"),
        ([FOLDER, "--student=eve"], "'eve' has no submission at autograder/work/submitted/eve"),
        ([FOLDER, "--db=sqlite:///none.db"], "There is no gradebook at"),
        ([FOLDER, "--db=what"], "is no database URL"),
    ):
        done = CliRunner().invoke(main, ["grade", *words])
        assert done.exit_code == 2 and says in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1 and not done.stdout
    shutil.rmtree(course / "autograder/work/submitted")
    done = CliRunner().invoke(main, ["grade", FOLDER])
    assert done.exit_code == 2 and "No submission is at autograder/work/submitted/S" in done.stderr
