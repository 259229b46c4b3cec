"""The notebook runner: tiny notebooks through the real papermill, with real kernels."""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import v4

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = "def f(x):\n    return 1 / x\nprint('<script>')\nf(0)"
REPORT = """
from IPython.display import display
display({{"text/plain": "double: {points} of 2 points. floor for round?"}}, raw=True,
        metadata={{"course": {{"exercise": "double", "points": {points}, "max_points": 2}}}})
"""
# A child in a session of its own is what escapes a kill that knows only the kernel's group.
HANG = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"],
                         start_new_session=True)
pathlib.Path({pids!r}).write_text(str(child.pid))
print("so far")
time.sleep(300)
"""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ci_runner")]


def code(source: str) -> dict:
    return v4.new_code_cell(source)


def check(source: str, grade_id: str) -> dict:
    marks = {"grade": True, "solution": False, "locked": True, "points": 2, "grade_id": grade_id}
    return v4.new_code_cell(source, metadata={"nbgrader": {**marks, "schema_version": 3}})


def write(path: Path, *cells: dict) -> None:
    parameters = v4.new_code_cell("PROFILE = 'unset'", metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(cells=[parameters, *cells], metadata={"kernelspec": kernel})
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def repository(folder: Path) -> Path:
    """A repository with the runner and nothing else, so that only its own files count."""
    shutil.copytree(ROOT / "ci", folder / "ci", ignore=shutil.ignore_patterns("out", "reports"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def command(repo: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(repo / "ci" / "run_notebooks.py"), *arguments]


def run(repo: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(repo, *arguments),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )


def results(repo: Path) -> dict[str, dict]:
    stored = json.loads((repo / "ci" / "out" / "results.json").read_text())["notebooks"]
    return {Path(entry["name"]).stem: entry for entry in stored}


def sentences(entry: dict) -> list[str]:
    return [failure["sentence"] for failure in entry["failures"]]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """One run over notebooks that pass, and that break in every way that cannot hang."""
    repo = repository(tmp_path_factory.mktemp("mixed"))
    source = repo / "autograder" / "work" / "source"
    facts = "import os\nassert PROFILE == 'cpu'\nprint(os.environ['OMP_NUM_THREADS'], os.getcwd())"
    write(source / "m1" / "1_good.ipynb", code(facts), check(REPORT.format(points=2), "good"))
    write(source / "m1" / "2_raises.ipynb", v4.new_markdown_cell("# Text"), code(SCRIPT), code("1"))
    write(
        source / "m1" / "3_checks.ipynb",
        check(REPORT.format(points=1), "low"),
        check(REPORT.format(points=2) + "import sys; print('warned', file=sys.stderr)", "stderr"),
        check("pass", "silent"),
        check(REPORT.format(points="'2'"), "text"),
        code("import sys; print('no check', file=sys.stderr)"),
    )
    write(source / "m2" / "1_exits.ipynb", code("import sys; sys.exit()"), code("never = 1"))
    write(source / "m2" / "2_dies.ipynb", code("import os; os.kill(os.getpid(), 9)"), code("1"))
    (source / "m2" / "3_broken.ipynb").write_text("no notebook")
    ended = run(repo, "--jobs", "2", GITHUB_STEP_SUMMARY=str(repo / "summary.md"))
    return repo, ended, results(repo)


def test_a_good_notebook_passes_in_a_folder_of_its_own(mixed):
    repo, _, found = mixed
    good = found["1_good"]
    assert good["status"] == "passed" and good["failures"] == []
    assert good["seconds"] > 0 and good["peak_memory_mb"] > 20
    executed = nbformat.read(repo / "ci" / "out" / "notebooks" / good["name"], as_version=4)
    printed = next(o.text for c in executed.cells for o in c.get("outputs", []) if "text" in o)
    threads, folder = printed.split()
    assert int(threads) == max(1, len(os.sched_getaffinity(0)) // 2)
    assert not Path(folder).exists() and not Path(folder).is_relative_to(repo)


def test_a_failing_cell_is_shown_with_its_traceback(mixed):
    _, ended, found = mixed
    (failure,) = found["2_raises"]["failures"]
    assert failure["sentence"] == "ZeroDivisionError in cell 3: division by zero"
    assert failure["source"] == SCRIPT
    assert "in f(x)" in failure["traceback"] and "\x1b" not in failure["traceback"]
    assert failure["text"] == "<script>"
    assert failure["sentence"] in ended.stdout


def test_checks_that_lose_points_fail_the_notebook(mixed):
    _, _, found = mixed
    low, stderr, silent, text = sentences(found["3_checks"])
    assert low == "The check in cell 2 (low) gives 1 of 2 points."
    assert "cell 3 (stderr) writes to stderr" in stderr
    assert "cell 4 (silent) did not report" in silent
    assert text == "The check in cell 5 (text) reports '2' of 2: no numbers."
    assert found["3_checks"]["failures"][0]["text"] == "double: 1 of 2 points. floor for round?"


def test_cells_that_never_ran_are_no_success(mixed):
    _, _, found = mixed
    assert "stopped at cell 2" in sentences(found["1_exits"])[0]
    (death,) = found["2_dies"]["failures"]
    assert "kernel died" in death["sentence"] and "os.kill" in death["source"]
    assert "could not run the notebook: NotJSONError" in sentences(found["3_broken"])[0]


def test_totals_and_exit_status(mixed):
    _, ended, found = mixed
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.splitlines()[-1] == "1 passed, 5 failed"
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("passed", "failed "))]
    assert len(lines) == len(found) == 6


def test_reports_are_well_formed_and_escaped(mixed):
    repo, _, found = mixed
    suite = ET.parse(repo / "ci" / "out" / "junit.xml").getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "5", "0")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    properties = {p.get("name"): p.get("value") for p in cases["1_good"].iter("property")}
    assert float(properties["seconds"]) == found["1_good"]["seconds"]
    assert float(properties["peak_memory_mb"]) == found["1_good"]["peak_memory_mb"]
    assert "return 1 / x" in cases["2_raises"].find("failure").text
    page = (repo / "ci" / "out" / "report.html").read_text()
    assert "&lt;script&gt;" in page and "<script" not in page
    assert "ZeroDivisionError" in page and "1 passed, 5 failed" in page
    assert "http" not in page and "src=" not in page  # self-contained
    summary = (repo / "summary.md").read_text()
    assert "| m1/1_good.ipynb | passed |" in summary and "| m2/2_dies.ipynb | failed |" in summary


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """One run with a notebook over its time, one over its memory, and one that is fine."""
    repo = repository(tmp_path_factory.mktemp("limited"))
    hang = HANG.format(pids=str(repo / "pid"))
    write(repo / "nb" / "1_hangs.ipynb", code(hang), code("never = 1"))
    write(
        repo / "nb" / "2_hungry.ipynb",
        code("b = bytearray(500_000_000)\nimport time; time.sleep(9)"),
    )
    write(repo / "nb" / "3_fine.ipynb", code("1 + 1"))
    limits = ("--timeout", "10", "--memory-limit-mb", "400", "--jobs", "2")
    ended = run(repo, str(repo / "nb"), *limits)
    return repo, ended, results(repo)


def test_a_notebook_over_its_time_is_ended_with_all_that_it_started(limited):
    repo, ended, found = limited
    (failure,) = found["1_hangs"]["failures"]
    assert failure["sentence"] == "Ended after the limit of 10 s. It was running cell 2."
    assert "time.sleep(300)" in failure["traceback"] and failure["text"] == "so far"
    assert 10 <= found["1_hangs"]["seconds"] < 25
    assert not alive(int((repo / "pid").read_text()))
    assert ended.returncode == 1


def test_a_notebook_over_its_memory_is_ended(limited):
    _, _, found = limited
    (failure,) = found["2_hungry"]["failures"]
    assert "over the limit of 400 MB. It was running cell 2." in failure["sentence"]
    assert found["2_hungry"]["peak_memory_mb"] > 400


def test_others_are_not_touched_by_limits(limited):
    _, _, found = limited
    assert found["3_fine"]["status"] == "passed"
