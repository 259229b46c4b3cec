"""A class of broken submissions through stock `nbgrader autograde`: right points, a reason, no victim."""

import io
import json
import os
import re
import zipfile
from pathlib import Path

import nbformat
import pytest
from test_nbgrader import FOLDER, nbgrader

from autograder.grading.scores import read_scores, totals

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nbgrader")]
NAME = "1_double.ipynb"
RIGHT = "def double(x):\n    return 2 * x"


def cell_of(notebook, grade_id):
    return next(
        c
        for c in notebook["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def written(notebook, folder, encoding="utf-8", name=NAME):
    text = json.dumps(notebook, ensure_ascii=encoding == "utf-8")
    (folder / name).write_bytes(text.encode(encoding))


def not_json(nb, folder):
    (folder / NAME).write_text("this is no notebook")


def empty_file(nb, folder):
    (folder / NAME).touch()


def old_format(nb, folder):
    old = nbformat.convert(nbformat.reads(json.dumps(nb), as_version=4), 3)
    (folder / NAME).write_text(json.dumps(old))


def other_kernel(nb, folder):
    nb["metadata"] = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    written(nb, folder)


def no_kernelspec(nb, folder):
    nb["metadata"] = {}
    written(nb, folder)


def missing(nb, folder):
    (folder / "notes.txt").write_text("sorry")


def empty_folder(nb, folder):
    pass


def renamed(nb, folder):
    written(nb, folder, name="My homework (1).ipynb")


def huge(nb, folder):
    written(nb, folder)
    os.truncate(folder / NAME, 100 * 2**20)


def bad_utf8(nb, folder):
    cell_of(nb, "double")["source"] = "# caf\N{LATIN SMALL LETTER E WITH ACUTE}\n" + RIGHT
    (folder / NAME).write_bytes(json.dumps(nb, ensure_ascii=False).encode("latin-1"))


def outputs_only(nb, folder):
    for cell in nb["cells"]:
        cell["source"] = ""
        if cell["cell_type"] == "code":
            out = {"output_type": "stream", "name": "stdout", "text": "4 of 4 points"}
            cell["outputs"] = [out]
    written(nb, folder)


def byte_order_mark(nb, folder):
    written(nb, folder, "utf-8-sig")


def utf16(nb, folder):
    written(nb, folder, "utf-16")


def stripped(nb, folder):
    for cell in nb["cells"]:
        cell["metadata"] = {}
        cell.pop("id")
    written(nb, folder)


def duplicated(nb, folder):
    nb["cells"].insert(0, dict(cell_of(nb, "double")))
    nb["cells"].append(dict(cell_of(nb, "check-double")))
    written(nb, folder)


def reordered(nb, folder):
    nb["cells"].reverse()
    written(nb, folder)


def no_check(nb, folder):
    nb["cells"].remove(cell_of(nb, "check-double"))
    written(nb, folder)


def forged(nb, folder):
    cell_of(nb, "double")["source"] = "def double(x):\n    return -1"
    check = cell_of(nb, "check-double")
    check["source"] = "4.0"
    check["metadata"]["nbgrader"].update(points=400, locked=False, solution=True)
    cell_of(nb, "why-double")["metadata"]["nbgrader"].update(points=-1, grade=False)
    nb["metadata"] = {"kernelspec": {"name": "bash", "display_name": "x", "language": "bash"}}
    written(nb, folder)


def swapped_ids(nb, folder):
    one, two = cell_of(nb, "double"), cell_of(nb, "check-double")
    one["metadata"]["nbgrader"]["grade_id"] = "check-double"
    two["metadata"]["nbgrader"]["grade_id"] = "double"
    written(nb, folder)


def new_cell(nb, folder):
    cell_of(nb, "double")["source"] = "# see below"
    added = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1}
    helper = "def twice(x):\n    return 2 * x"
    nb["cells"].append(added | {"id": "a", "source": helper})
    nb["cells"].append(added | {"id": "b", "source": "def double(x):\n    return twice(x)"})
    written(nb, folder)


def link(nb, folder):
    (folder / NAME).symlink_to(folder.parent.parent / "fine" / FOLDER / NAME)


def linked_file(nb, folder):
    written(nb, folder)
    (folder / "secret.txt").symlink_to("/etc/passwd")
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / "own_data.csv").write_text("1,2")


def zipped(nb, folder):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(f"../../../{NAME}", json.dumps(nb))
    (folder / "homework.zip").write_bytes(data.getvalue())


def deep(nb, folder):
    (folder / NAME).write_text('{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}")


def huge_integers(nb, folder):
    cell_of(nb, "check-double")["metadata"]["nbgrader"]["points"] = 7
    text = json.dumps(nb).replace('"points": 7', '"points": ' + "9" * 10_000)
    (folder / NAME).write_text(text)


def many_cells(nb, folder):
    added = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    nb["cells"][3:3] = [added | {"id": f"n{i}", "source": f"x{i} = {i}"} for i in range(10_000)]
    written(nb, folder)


def scripted(nb, folder):
    bad = "<script>HURT()</script><img src=x onerror=HURT()>"
    shows = "from IPython.display import HTML, Javascript, display\n"
    for call in (f"HTML({bad!r})", "Javascript('HURT()')"):
        shows += f"display({call}, metadata={{'course': {{'points': 4}}}})\n"
    cell_of(nb, "double")["source"] = shows + "def double(x):\n    return x * x"
    for cell in nb["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] += bad if isinstance(cell["source"], str) else [bad]
    written(nb, folder)


def kills_its_kernel(nb, folder):
    cell_of(nb, "double")["source"] = "def double(x):\n    import os\n    os.kill(os.getpid(), 9)"
    written(nb, folder)


# By case: the points, the word of the table's result, and a part of the sentence that says why.
CASES = {
    written: (4, "graded", ""),
    not_json: (0, "refused", "not a Jupyter notebook"),
    empty_file: (0, "refused", "empty"),
    old_format: (4, "graded", "nbformat 3"),
    other_kernel: (4, "graded", "another kernel (r)"),
    no_kernelspec: (4, "graded", ""),
    missing: (0, "missing", "not handed in"),
    empty_folder: (0, "missing", "not handed in"),
    renamed: (4, "graded", "My homework (1).ipynb"),
    huge: (0, "refused", "100 MB"),
    bad_utf8: (4, "graded", "not UTF-8"),
    outputs_only: (0, "refused", "only outputs"),
    byte_order_mark: (4, "graded", "byte-order mark"),
    utf16: (4, "graded", "UTF-16"),
    stripped: (4, "graded", "recognised by their content"),
    duplicated: (4, "graded", "double was there 2 times"),
    reordered: (4, "graded", "order"),
    no_check: (4, "graded", "check-double was missing"),
    forged: (0, "graded", "points of check-double were changed"),
    swapped_ids: (4, "graded", "recognised by their content: 2"),
    new_cell: (4, "graded", "answer to double was in another cell"),
    link: (0, "refused", "is a link"),
    linked_file: (4, "graded", ""),
    zipped: (4, "graded", "homework.zip"),
    deep: (0, "refused", "nested too deeply"),
    huge_integers: (4, "graded", ""),
    many_cells: (4, "graded", "Added cells beyond"),
    scripted: (0, "graded", ""),
    kills_its_kernel: (0, "", ""),
}


def student(case):
    return "fine" if case is written else case.__name__.replace("_", "-")


@pytest.fixture
def handed_in(course):
    nbgrader(course, "generate_assignment", FOLDER, "--force")
    released = (course / "modules" / FOLDER / NAME).read_text()
    for case in CASES:
        notebook = json.loads(released)
        cell_of(notebook, "double")["source"] = RIGHT
        folder = course / "autograder/work/submitted" / student(case) / FOLDER
        folder.mkdir(parents=True)
        case(notebook, folder)
    return course


def test_every_broken_submission_gets_its_points_and_a_reason(handed_in):
    work = handed_in / "autograder/work"
    before = tree(work / "submitted")
    done = nbgrader(handed_in, "autograde", FOLDER, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said, said[-5000:]
    assert tree(work / "submitted") == before

    got = totals(read_scores(f"sqlite:///{work / 'gradebook.db'}", FOLDER))
    # Only one case wrote into the cell of the written question, so one answer waits for a person.
    waits = {scripted: 1}
    assert got == {student(c): (most[0], 6.0, waits.get(c, 0)) for c, most in CASES.items()}
    for case, (_, status, words) in CASES.items():
        made = work / "autograded" / student(case) / FOLDER / NAME
        text = "\n".join(c.source for c in nbformat.read(made, as_version=4).cells)
        facts = json.loads((work / "intake" / student(case) / f"{FOLDER}.json").read_text())
        (notebook,) = facts["notebooks"]
        assert words in text and status in ("", notebook["status"]), case
        if words:
            assert any(words in remark for remark in notebook["remarks"]), case
            assert student(case) in done.stdout
    assert "29 submissions" in done.stdout

    assert (
        "numpy.py: it would change" in done.stdout
        and "secret.txt: The file is a link" in done.stdout
    )
    beside = work / "autograded/linked-file" / FOLDER
    assert sorted(p.name for p in beside.iterdir()) == [NAME, "own_data.csv"]
    untouched = nbformat.read(work / "autograded/fine" / FOLDER / NAME, as_version=4)
    released = nbformat.read(handed_in / "modules" / FOLDER / NAME, as_version=4)
    made, own = ([c.metadata.get("nbgrader") for c in n.cells] for n in (untouched, released))
    assert made == own

    again = nbgrader(handed_in, "autograde", FOLDER)
    assert "Submissions that needed attention" not in again.stdout

    nbgrader(handed_in, "generate_feedback", FOLDER, "--student=scripted")
    (page,) = (work / "feedback/scripted").rglob("*.html")
    text = page.read_text()
    assert not re.search(r"<img[^>]*onerror|<script>\s*HURT|<script[^>]*>[^<]*HURT\(\)", text)
    assert "HURT" in text and 'role="status"' in text and "You squared x" in text


def tree(root: Path) -> dict:
    """Names, kinds, sizes and times: what must not change in the learners' folders."""
    found = {}
    for path in sorted(root.rglob("*")):
        facts = path.lstat()
        found[str(path.relative_to(root))] = (facts.st_mode, facts.st_size, facts.st_mtime_ns)
    return found
