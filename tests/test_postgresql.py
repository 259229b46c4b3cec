"""The gradebook in PostgreSQL, on a real server: the same results, many writers, no password shown."""

import csv
import json
import multiprocessing
import os
import re
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook
from postgres_server import PASSWORD, USER, running
from postgres_writer import CELLS, NOTEBOOK, SHARED, write
from sqlalchemy import create_engine, func, select
from test_grade import (
    course_grade,
    living_handler,
    results,
)
from test_nbgrader import FOLDER, nbgrader, submit

from autograder.cli import main
from autograder.grading import grade as grading
from autograder.grading import writer
from autograder.grading.pool import warm_up
from autograder.grading.scores import read_scores, totals
from autograder.grading.snapshot import TABLES, submission_state

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgresql")]
COURSE = "model-miniaturization"
SPY = "import os; open('environment.txt', 'w').write(repr(dict(os.environ))); return 2 * x"


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


@pytest.fixture
def name(server, monkeypatch):
    """A new empty database's name."""
    # nbgrader starts alembic by name when it makes the tables.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    chosen = f"course_{os.urandom(4).hex()}"
    server.create(chosen)
    return chosen


@pytest.fixture
def db(server, name, tmp_path, monkeypatch):
    """The new database's URL as instructors write it: the password is in their ~/.pgpass."""
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"127.0.0.1:{server.port}:*:{USER}:{PASSWORD.replace(':', chr(92) + ':')}")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    return f"postgresql://{USER}@127.0.0.1:{server.port}/{name}"


def states(db_url):
    """By student, what the autograder decided, in the types of the columns."""
    with Gradebook(db_url, COURSE) as book:
        return {s.id: submission_state(book, FOLDER, s.id) for s in book.students}


def show_no_password(*texts):
    for text in texts:
        for secret in (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD)):
            assert secret not in text


def test_the_whole_story(course, server, name, db):
    with open(course / "nbgrader_config.py", "a") as config:
        config.write(f"c.CourseDirectory.db_url = {db!r}\n")
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    submit(course, "spy", SPY, "Because.")
    submit(course, "no-json", None, None).write_text("this is no notebook")
    late = submit(course, "half", "return 2 * x if x else None", None).with_name("timestamp.txt")
    late.write_text("2026-03-02 12:00:00 UTC\n")
    nbgrader(course, "autograde", FOLDER, "--CourseExecute.sandboxed=False", check=False)
    stock = states(db)
    assert stock["half"]["notebooks"]["1_double"]["grades"]["check-double"] == [3.0, False]
    assert stock["half"]["timestamp"] == "2026-03-02T12:00:00"
    assert stock["spy"]["notebooks"]["1_double"]["grades"]["why-double"] == [None, True]
    assert stock["no-json"]["notebooks"]["1_double"]["grades"]["check-double"] == [0.0, False]
    work = course / "autograder/work"
    environment = work / "autograded/spy" / FOLDER / "environment.txt"
    assert "PATH" in environment.read_text() and "PGPASSFILE" not in environment.read_text()

    # Also with the password in the URL, or in the environment, it goes nowhere.
    os.environ["PGPASSWORD"] = PASSWORD
    try:
        done = course_grade(course, "--force", f"--db={server.url(name)}", check=False)
    finally:
        del os.environ["PGPASSWORD"]
    assert states(db) == stock and "4 of 6" in done.stdout
    assert "PATH" in environment.read_text() and "PGPASSWORD" not in environment.read_text()
    kept = [p.read_text() for p in work.rglob("*") if p.is_file() and p.suffix != ".db"]
    assert len(kept) > 10
    show_no_password(done.stdout, done.stderr, *kept)

    for student in ("spy", "half"):
        with Gradebook(db, COURSE) as book:
            grade = book.find_grade("why-double", "1_double", FOLDER, student)
            grade.manual_score, grade.needs_manual_grade = 1.5, False
            book.db.commit()
    # The same gradebook with the password elsewhere: the journal is the same one.
    done = CliRunner().invoke(main, ["grade", FOLDER, "--student=half"])
    assert done.exit_code == 0 and "unchanged" in done.output, done.output
    assert totals(read_scores(db, FOLDER))["spy"] == (5.5, 6.0, 0)
    nbgrader(course, "generate_feedback", FOLDER)
    page = (work / "feedback/half" / FOLDER / "1_double.html").read_text()
    assert "double: 3 of 4 points" in page
    nbgrader(course, "export", f"--CsvExportPlugin.to={course / 'grades.csv'}")
    with open(course / "grades.csv") as table:
        rows = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(table)}
    assert rows == {"spy": 5.5, "half": 4.5, "no-json": 0.0}
    out = course / "progress.md"
    words = ["progress", "--gradebook", server.url(name), "--student=spy", "--out", str(out)]
    done = CliRunner().invoke(main, [*words, "--html", str(out.with_suffix(".html"))])
    assert done.exit_code == 0 and "5.5 of 6 points" in done.output, done.output
    show_no_password(done.output, out.read_text(), out.with_suffix(".html").read_text())


def test_eight_writers_at_once_lose_nothing(db, tmp_path):
    assignments = [f"a{n}" for n in range(8)]
    with Gradebook(db, "a-course") as book:
        for assignment in (*assignments, SHARED):
            book.add_assignment(assignment)
            book.add_notebook(NOTEBOOK, assignment)
            for cell in CELLS:
                book.add_grade_cell(cell, NOTEBOOK, assignment, max_score=100, cell_type="code")
    warm_up("autograder.grading.task", alone=False)
    context = multiprocessing.get_context("forkserver")
    # The server of the forks may be older than this test, and so its environment.
    passfile = os.environ["PGPASSFILE"]
    start, failures = context.Barrier(8), context.Queue()
    writers = [
        context.Process(target=write, args=(db, passfile, a, tmp_path / a, 40, start, failures))
        for a in assignments
    ]
    for process in writers:
        process.start()
    assert [failures.get(timeout=120) for _ in writers] == [{}] * 8
    for process in writers:
        process.join(60)
    assert [process.exitcode for process in writers] == [0] * 8

    submission, notebook, grade, assignment = (
        TABLES[t] for t in ("submitted_assignment", "submitted_notebook", "grade", "assignment")
    )
    query = (
        select(assignment.c.name, func.count(), func.sum(grade.c.auto_score))
        .join(submission, submission.c.assignment_id == assignment.c.id)
        .join(notebook, notebook.c.assignment_id == submission.c.id)
        .join(grade, grade.c.notebook_id == notebook.c.id)
        .group_by(assignment.c.name)
    )
    engine = create_engine(db)
    with engine.connect() as connection:
        found = {row[0]: tuple(row[1:]) for row in connection.execute(query)}
        counted = {
            t: connection.scalar(select(func.count()).select_from(TABLES[t]))
            for t in ("student", "submitted_assignment", "grade")
        }
    engine.dispose()
    points = 2 * sum(n + 0.25 for n in range(40))
    assert found == dict.fromkeys((*assignments, SHARED), (80, points))
    assert counted == {"student": 40, "submitted_assignment": 360, "grade": 720}
    for path in tmp_path.glob("a*/*/journal.jsonl"):
        kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
        assert kinds.count("result") == kinds.count("written") == 40


def test_a_server_that_goes_away_costs_no_result(course, server, db, monkeypatch):
    nbgrader(course, "generate_assignment", FOLDER, "--force", f"--db={db}")
    for n in range(5):
        submit(course, f"s{n}", "import time; time.sleep(0.3); return 2 * x", None)
    monkeypatch.setattr(grading, "make_handler", living_handler)
    monkeypatch.setattr(writer, "ATTEMPTS", 3)
    words = ["grade", FOLDER, "--jobs=1", f"--db={db}"]

    def stop_after_the_first():
        deadline = time.monotonic() + 120
        while not results(course) and time.monotonic() < deadline:
            time.sleep(0.02)
        server.stop()

    thread = threading.Thread(target=stop_after_the_first)
    thread.start()
    try:
        done = CliRunner().invoke(main, words)
    finally:
        thread.join()
        server.start()
    assert done.exit_code == 1, done.output
    assert "was lost on the way" in done.stderr and "goes on when it is back" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    before = results(course)
    assert 1 <= len(before) < 5
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    with Gradebook(db, COURSE) as book:
        found = {s.student_id: s.score for s in book.find_assignment(FOLDER).submissions}
    assert found == {f"s{n}": 4.0 for n in range(5)}
    assert results(course).items() >= before.items()


def test_what_is_wrong_is_one_sentence_without_the_password(tiny, server, name):
    good = server.url(name)
    empty = f"The database .*{name} is empty: run `nbgrader generate_assignment` first"
    wrong = {
        good: empty,
        server.url(name, "guessed"): "password authentication failed .*: put the right password",
        server.url("nowhere"): 'database "nowhere" does not exist.*: make it with `createdb`',
        good.replace(f":{server.port}/", ":1/"): "refused.*: start the server",
        good.replace("127.0.0.1", "no.such.invalid"): "resolve.*: correct the host's name",
        f"postgresql://{USER}:guess@ed@127.0.0.1/{name}": "more than one @: write one .* as %40",
        f"postgresql://{USER}:guessed@127.0.0.1:port/{name}": "is no database URL",
        f"postgresql//{USER}:guessed@127.0.0.1/{name}": "is no database URL",
        f"postgres://{USER}:guessed@127.0.0.1/{name}": "is no database URL",
    }
    for db_url, says in wrong.items():
        refused(db_url, says)
    with server.connect(name) as connection:
        connection.execute("CREATE TABLE somebody_s (x int)")
    refused(good, "is not an nbgrader gradebook")
    with server.connect(name) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname='public'")
        connection.execute("DROP TABLE somebody_s")
    with Gradebook(good, COURSE):
        pass
    with server.connect(name) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '724cde206c17'")
    refused(good, "has the schema 724cde206c17, .*: make a copy, then run `nbgrader db upgrade`")


def test_stock_commands_stop_before_they_remove_anything(course, server, db):
    bad = db.replace(f":{server.port}/", ":1/")
    released = course / "modules" / FOLDER / "1_double.ipynb"
    for words in (
        ["generate_assignment", FOLDER, "--force"],
        ["export"],
        ["db", "student", "list"],
    ):
        done = nbgrader(course, *words, f"--db={bad}", check=False)
        assert done.returncode == 1 and not done.stdout
        assert re.fullmatch(
            "Nothing was done. The gradebook .* refused.*: start the server.*", done.stderr.strip()
        ), done.stderr
    assert released.is_file()


def refused(db_url, says):
    for words in (
        ["grade", FOLDER, "--db", db_url],
        ["progress", "--gradebook", db_url],
    ):
        done = CliRunner().invoke(main, words)
        assert done.exit_code in (1, 2) and not done.stdout, (db_url, done.output)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert re.search(says, done.stderr), done.stderr
        show_no_password(done.stderr)
        assert "guess" not in done.stderr
