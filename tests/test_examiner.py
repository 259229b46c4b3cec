"""Checks judged outside the kernel: nothing that runs inside it can make a wrong answer right."""

import nbformat
import pytest
from test_nbgrader import FOLDER, nbgrader, submit

from autograder.grading.examiner.examine import check_call
from autograder.grading.scores import read_scores, totals

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nbgrader")]

ALWAYS = "type('Always', (int,), {'__eq__': lambda s, o: True, '__hash__': int.__hash__})"
WRONG = {
    "always-equal": (f"return {ALWAYS}(0)", "cannot be read"),
    "forged-output": (
        "from IPython.display import display; display({'text/plain': '4'}, raw=True); return 0",
        "`double` is off",
    ),
    "patched-json": ("import json; json.dumps = lambda *a, **k: 'x'; return 0", ""),
    "patched-check": (
        "import autograder.checks.api as a, autograder.checks.expect as e; "
        "e.integer = a.check = lambda *x, **k: None; return 0",
        "",  # shut in, the import itself fails
    ),
    "exits": ("import os; os._exit(0)", "ended the kernel"),
    "raises-exit": ("raise SystemExit", "SystemExit"),
    "loops": ("while True: pass", "did not finish"),
    "returns-code": ("return {'__class__': compile('1', '', 'eval')}", "cannot be read"),
    "huge": ("return 10 ** 100000", "cannot be read"),
    "redefined": ("return 0\ncheck = print", "is off"),
}


@pytest.mark.parametrize("kernel", ["plain", "shut in"])
def test_nothing_in_the_kernel_makes_a_wrong_answer_right(course, kernel):
    options = ["--CourseExecute.sandboxed=False"] if kernel == "plain" else []
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    for student, (answer, _) in WRONG.items():
        submit(course, student, answer, None)
    submit(course, "zz-honest", "return x + x", None)
    nbgrader(course, "autograde", FOLDER, "--CourseExecute.timeout=6", *options)
    nbgrader(course, "generate_feedback", FOLDER)
    url = f"sqlite:///{course / 'autograder/work/gradebook.db'}"
    got = {student: points for student, (points, _, _) in totals(read_scores(url, FOLDER)).items()}
    assert got.pop("zz-honest") == 4.0
    assert got == dict.fromkeys(WRONG, 0.0)
    for student, (_, words) in WRONG.items():
        page = course / "autograder/work/feedback" / student / FOLDER / "1_double.html"
        plain = page.read_text().replace("<code>double</code>", "`double`")
        assert words in plain, student
        assert "double: 0 of 4 points" in plain, student


def test_a_cell_that_ends_the_kernel_costs_only_itself(course):
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    path = submit(course, "crasher", "return 2 * x", None)
    notebook = nbformat.read(path, as_version=4)
    crash = nbformat.v4.new_code_cell("import os; os.kill(os.getpid(), 9)")
    notebook.cells.insert(4, crash)
    nbformat.write(notebook, path)
    nbgrader(course, "autograde", FOLDER)
    url = f"sqlite:///{course / 'autograder/work/gradebook.db'}"
    assert totals(read_scores(url, FOLDER))["crasher"][0] == 4.0


def test_check_call_reads_the_instructor_s_cell_only():
    cell = nbformat.v4.new_code_cell('check("double", double)')
    assert check_call(cell) is None
    cell.metadata["nbgrader"] = {"grade": True, "grade_id": "check-double"}
    assert check_call(cell).name == "double" and check_call(cell).exercise == "double"
    cell.source = "print(1)"
    assert check_call(cell).name == ""
