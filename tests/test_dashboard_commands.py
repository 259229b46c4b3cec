"""`course progress` and `course log` as a person runs them."""

import json
import sys

import pytest
from click.testing import CliRunner
from test_dashboard_gradebook import gradebook  # noqa: F401 (a fixture)

from autograder.cli import main
from autograder.dashboard import log as captains_log
from autograder.dashboard.commands import write_all
from autograder.dashboard.log import Entry, add_entry, read_log
from autograder.dashboard.results import DashboardError
from autograder.syllabus import load_syllabus

TEXTS = ["--insight", "i", "--challenge", "c", "--next", "n"]


@pytest.fixture
def state(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    monkeypatch.setenv("COURSE_STATE", str(folder))
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "P.md"


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def files(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def write_result(state, points_share):
    exercise = next(e for e in load_syllabus().exercises.values() if e.kind == "code")
    state.mkdir(exist_ok=True)
    line = {"exercise": exercise.id, "points": exercise.points * points_share,
            "max_points": exercise.points, "time": "2026-11-21T10:00:00Z",
            "misconception": "floor in place of round"}  # fmt: skip
    with open(state / "checks.jsonl", "a") as file:
        file.write(json.dumps(line) + "\n")
    return exercise


@pytest.mark.skipif(not load_syllabus().exercises, reason="no exercise is listed yet")
def test_own_log_gives_both_pages(state, out):
    exercise = write_result(state, 0.5)
    (state / "checks.jsonl").open("a").write("{broken\n")
    result = run("progress", "--out", out)
    assert result.exit_code == 0, result.output
    assert "1 result could not be read and left out." in result.stderr
    assert f"{exercise.points / 2:g} of " in result.stdout
    assert "your own log of checks" in out.read_text()
    assert "floor in place of round" in (state / "progress.html").read_text()
    assert files(out.parent) == ["P.md"]


def test_blank_ignores_what_was_done_and_leaves_the_own_page_alone(state, out):
    add_entry("p", "i", "c", "n")
    result = run("progress", "--blank", "--out", out)
    assert result.exit_code == 0, result.output
    assert "[x]" not in out.read_text()
    assert "No entries yet" in out.read_text()
    assert files(state) == ["log.jsonl"]


def test_blank_is_the_same_each_time(state, out, tmp_path):
    again = tmp_path / "again.md"
    assert run("progress", "--blank", "--out", out).exit_code == 0
    assert run("progress", "--blank", "--out", again).exit_code == 0
    assert out.read_bytes() == again.read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_gradebook_of_a_class_and_of_a_student(state, out, gradebook, tmp_path):  # noqa: F811
    page = tmp_path / "class.html"
    result = run("progress", "--gradebook", gradebook, "--out", out, "--html", page)
    assert result.exit_code == 0, result.output
    assert "average of 3 students" in out.read_text()
    # The gradebook's exercises are none of this course's: said, not hidden.
    assert "3 results belong to no exercise of this release" in result.stderr
    assert '<table class="heat">' in page.read_text() or not load_syllabus().exercises
    result = run(
        "progress", "--gradebook", gradebook, "--student", "ben", "--out", out, "--html", page
    )
    assert result.exit_code == 0, result.output
    assert "student ben" in out.read_text()
    assert '<table class="heat">' not in page.read_text()


BAD = {
    "missing gradebook": (["--gradebook", "none.db"], "There is no gradebook at"),
    "unreadable notebook": (["--notebooks", "bad.ipynb"], "is not a readable Jupyter notebook"),
    "missing notebook": (["--notebooks", "none"], "is missing: name a notebook"),
    "two sources": (["--blank", "--notebooks", "bad.ipynb"], "exclude each other"),
    "student alone": (["--student", "ada"], "--student needs --gradebook"),
    "html is a folder": (["--html", "."], "cannot be written"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_writes_nothing(state, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.ipynb").write_text("{")
    (tmp_path / "P.md").write_text("as it was")
    arguments, words = BAD[name]
    result = run("progress", "--out", "P.md", *arguments)
    assert result.exit_code == 1
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.strip().endswith("Nothing was written.")
    assert (tmp_path / "P.md").read_text() == "as it was"
    assert files(tmp_path) == ["P.md", "bad.ipynb"]


@pytest.mark.filterwarnings("ignore")
def test_unknown_student(state, out, gradebook):  # noqa: F811
    result = run("progress", "--gradebook", gradebook, "--student", "eve", "--out", out)
    assert result.exit_code == 1
    assert "no student 'eve'" in result.stderr
    assert not out.exists()


def test_pages_are_put_in_place_together_or_not_at_all(tmp_path):
    first = tmp_path / "first.md"
    first.write_text("old")
    (tmp_path / "file").write_text("")
    with pytest.raises(DashboardError, match="cannot be written"):
        write_all({first: "new", tmp_path / "file" / "second.html": "x"})
    assert first.read_text() == "old"
    assert files(tmp_path) == ["file", "first.md"]


def test_log_and_progress(state, out):
    args = ["log", "packed INT4", *TEXTS, "--module", "1.1", "--date", "2026-11-20"]
    assert run(*args).exit_code == 0
    assert run("log", "later", *TEXTS, "--date", "2026-11-21", "--title", "Day 2").exit_code == 0
    assert run("log", "same day", *TEXTS, "--date", "2026-11-21").exit_code == 0
    entries, skipped = read_log()
    assert [e.progress for e in entries] == ["same day", "later", "packed INT4"]
    assert entries[-1] == Entry("2026-11-20", "packed INT4", "i", "c", "n", "1.1", None)
    assert skipped == 0
    assert run("progress", "--out", out).exit_code == 0
    text = out.read_text()
    assert text.index("Day 2") < text.index("packed INT4")
    assert "[x] A.3" in text


BAD_LOG = {
    "missing": (["text", "--insight", "i"], "Missing: --challenge, --next."),
    "nothing": ([], "Missing: the text, --insight, --challenge, --next."),
    "date": (["text", *TEXTS, "--date", "21.11.2026"], "is no date"),
    "module": (["text", *TEXTS, "--module", "9.9"], "No module is called '9.9'"),
    "empty": ([" ", *TEXTS], "has no progress"),
}


@pytest.mark.parametrize("name", BAD_LOG)
def test_bad_log_entry_writes_nothing(state, name):
    arguments, words = BAD_LOG[name]
    result = run("log", *arguments)
    assert result.exit_code == 1
    assert words in result.stderr
    assert not state.exists()


def test_log_asks_on_a_terminal(state, monkeypatch):
    from autograder.dashboard import commands

    class Terminal:
        stdin = type("In", (), {"isatty": staticmethod(lambda: True)})

    monkeypatch.setattr(commands, "sys", Terminal)
    result = CliRunner().invoke(main, ["log", "text", "--challenge", "c"], input="why\nmore\n")
    assert result.exit_code == 0, result.output
    assert read_log()[0][0].insight == "why"
    assert read_log()[0][0].next_steps == "more"


def test_log_survives_broken_lines_and_an_open_end(state):
    add_entry("first", "i", "c", "n", date="2026-11-20")
    with open(state / "log.jsonl", "a") as file:
        file.write('[]\n{"date": 3}\n{"date": "2026-11-20", "pro')
    add_entry("second", "i", "c", "ü\nline", date="2026-11-21")
    entries, skipped = read_log()
    assert [e.progress for e in entries] == ["second", "first"]
    assert entries[0].next_steps == "ü\nline"
    assert skipped == 3


@pytest.mark.skipif(sys.platform == "win32", reason="os.write is patched by name")
def test_a_full_disk_leaves_the_log_as_it_was(state, monkeypatch):
    add_entry("first", "i", "c", "n")
    before = (state / "log.jsonl").read_bytes()
    real = captains_log.os.write
    with monkeypatch.context() as patch:
        patch.setattr(captains_log.os, "write", lambda fd, data: real(fd, data[:7]))
        with pytest.raises(DashboardError, match="the disk is full"):
            add_entry("second", "i", "c", "n")
    assert (state / "log.jsonl").read_bytes() == before
