"""The command line: help, and one sentence for each kind of bad input."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from autograder import cli
from autograder.build import release
from autograder.checks import commands as check_commands
from autograder.cli import main


def run(*words):
    return CliRunner().invoke(main, list(words))


def test_help_lists_every_command_and_each_has_help():
    top = run("--help")
    assert top.exit_code == 0
    for name in cli.COMMANDS:
        assert name in top.output
        page = run(name, "--help")
        assert page.exit_code == 0 and "Usage:" in page.output, name


def test_missing_package_is_one_sentence(tmp_path):
    """A fresh interpreter that cannot import nbgrader."""
    (tmp_path / "nbgrader.py").write_text("raise ModuleNotFoundError('no', name='nbgrader')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from autograder.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "build"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == "Error: the package 'nbgrader' is missing: run `make setup`."


def test_unknown_exercise_is_one_sentence():
    result = run("answers", "no-such-exercise")
    assert result.exit_code == 1
    assert "'no-such-exercise'" in result.output and "syllabus.yml" in result.output


@pytest.fixture
def notebook(tiny):
    release.build(tiny)
    return tiny / "modules/9.9-tiny/1_double.ipynb"


def test_check_of_a_file_that_is_no_notebook(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("not json")
    result = run("check", str(path))
    assert result.exit_code == 1 and "is not a Jupyter notebook" in result.output


def test_check_of_a_notebook_with_an_unknown_exercise(notebook):
    text = notebook.read_text().replace("check-double", "check-triple")
    notebook.write_text(text)
    result = run("check", str(notebook))
    assert result.exit_code == 1 and "'triple'" in result.output and "modules/" in result.output


def test_check_of_a_foreign_notebook(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    assert "no check cells" in run("check", str(path)).output


@pytest.mark.slow
def test_check_runs_a_notebook_and_tells_the_points(notebook, monkeypatch):
    path = notebook.parent.parent.parent.parent / "path"
    path.mkdir(exist_ok=True)
    checks = str(notebook.parents[3] / "checks")
    (path / "sitecustomize.py").write_text(
        f"import autograder.checks as p\np.__path__ = [*p.__path__, {checks!r}]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(path))
    before = notebook.read_bytes()
    blank = run("check", str(notebook))
    assert blank.exit_code == 1 and "Nothing is written here yet" in blank.output
    assert "0 of 4 points in 1_double.ipynb" in blank.output
    assert notebook.read_bytes() == before

    solved = nbformat.read(notebook, as_version=4)
    for cell in solved.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double":
            cell.source = "def double(x):\n    return x + x"
    nbformat.write(solved, notebook)
    good = run("check", str(notebook))
    assert good.exit_code == 0 and "4 of 4 points in 1_double.ipynb" in good.output


def test_result_is_recorded_for_the_dashboard(tiny, tmp_path, capsys):
    from autograder.checks.api import CheckFailed, check

    with pytest.raises(CheckFailed, match="You squared x") as caught:
        check("double", lambda x: x * x)
    check("double", lambda x: 2 * x)
    lines = [json.loads(x) for x in (tmp_path / "state/checks.jsonl").read_text().splitlines()]
    assert [x["points"] for x in lines] == [0.0, 4]
    assert lines[0]["misconception"] == "squared"
    assert caught.value._render_traceback_() == [
        "Check not passed: double: 0 of 4 points (squared). See the report above."
    ]


def test_build_error_is_one_line(tiny):
    Path(tiny / "solutions/9.9-tiny/1_double.py").write_bytes(b"\xff\xfe\x00")
    result = run("build")
    assert result.exit_code == 1 and "1_double.py" in result.output and "UTF-8" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_commands_are_where_the_group_says():
    assert check_commands.check.name == "check" and check_commands.answers.name == "answers"
