"""Taking in a submission folder: which file is which notebook, and what is never followed or loaded."""

import io
import json
import os
import resource
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.grading import intake, reading
from autograder.grading.intake import Intake, Taken, take_in
from autograder.grading.outcome import Outcome, print_outcomes


def notebook(*names):
    cells = [new_markdown_cell(f"# {' and '.join(names)}", id="title")]
    for name in names:
        marks = {"schema_version": 3, "task": False, "checksum": "0" * 32}
        one = marks | {"grade_id": name, "solution": True, "grade": False, "locked": False}
        two = marks | {"grade_id": f"check-{name}", "solution": False, "grade": True}
        two |= {"locked": True, "points": 2.0}
        stub = f"def {name}(x):\n    raise NotImplementedError"
        cells.append(new_code_cell(stub, id=name, metadata={"nbgrader": one}))
        call = f'check("{name}", {name})'
        cells.append(new_code_cell(call, id=f"check-{name}", metadata={"nbgrader": two}))
    return new_notebook(cells=cells)


@pytest.fixture
def books():
    return {"1_add": notebook("add", "sub"), "2_mul": notebook("mul")}


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in", tmp_path / "out"


def solved(book, strip=False):
    text = nbformat.writes(book).replace("raise NotImplementedError", "return 7")
    value = json.loads(text)
    for cell in value["cells"] if strip else ():
        cell["metadata"] = {}
    return json.dumps(value).encode()


def result(folders, books):
    taken = take_in(*folders, books)
    answers = {
        name: nbformat.read(folders[1] / f"{name}.ipynb", 4).cells[-2].source.count("return 7")
        for name in books
    }
    return {t.notebook: (t.status, answers[t.notebook]) for t in taken.notebooks}, taken


GRADED, MISSING, REFUSED = ("graded", 1), ("missing", 0), ("refused", 0)


def test_one_of_two_is_missing(folders, books):
    (folders[0] / "2_mul.ipynb").write_bytes(solved(books["2_mul"]))
    got, taken = result(folders, books)
    assert got == {"1_add": MISSING, "2_mul": GRADED}
    assert taken.notebooks[0].remarks == ["The notebook 1_add.ipynb was not handed in."]


@pytest.mark.parametrize("strip", [False, True])
def test_swapped_names_are_told_by_content(folders, books, strip):
    (folders[0] / "1_add.ipynb").write_bytes(solved(books["2_mul"], strip))
    (folders[0] / "2_mul.ipynb").write_bytes(solved(books["1_add"], strip))
    assert result(folders, books)[0] == {"1_add": GRADED, "2_mul": GRADED}


def test_copy_beside_a_broken_file_and_a_folder_inside(folders, books):
    (folders[0] / "1_add.ipynb").write_text("{")
    (folders[0] / "1_add (1).ipynb.txt").write_bytes(solved(books["1_add"]))
    (folders[0] / "deeper").mkdir()
    (folders[0] / "deeper/2_mul.ipynb").write_bytes(solved(books["2_mul"]))
    (folders[0] / "2_mul.ipynb").mkdir()
    assert result(folders, books)[0] == {"1_add": GRADED, "2_mul": GRADED}


def test_exact_name_wins_over_a_copy(folders, books):
    (folders[0] / "1_add-Copy1.ipynb").write_bytes(nbformat.writes(books["1_add"]).encode())
    (folders[0] / "1_add.ipynb").write_bytes(solved(books["1_add"]))
    assert result(folders, books)[0]["1_add"] == GRADED


def test_links_devices_and_hidden_files_are_not_followed(folders, books, tmp_path):
    (tmp_path / "neighbour.ipynb").write_bytes(solved(books["1_add"]))
    (folders[0] / "1_add.ipynb").symlink_to(tmp_path / "neighbour.ipynb")
    os.mkfifo(folders[0] / "2_mul.ipynb")
    (folders[0] / "all").symlink_to("/")
    (folders[0] / ".ipynb_checkpoints").mkdir()
    (folders[0] / ".ipynb_checkpoints/2_mul-checkpoint.ipynb").write_bytes(solved(books["2_mul"]))
    os.mkfifo(folders[0] / "data.csv")
    got, taken = result(folders, books)
    assert got == {"1_add": REFUSED, "2_mul": REFUSED}
    assert "is a link" in taken.notebooks[0].remarks[0]
    assert sorted(p.name for p in folders[1].iterdir()) == ["1_add.ipynb", "2_mul.ipynb"]


def test_folder_that_is_a_link_is_refused(folders, books, tmp_path):
    (tmp_path / "link").symlink_to(folders[0])
    got, _ = result((tmp_path / "link", folders[1]), books)
    assert got == {"1_add": REFUSED, "2_mul": REFUSED}


def test_archive_bomb_is_not_unpacked(folders, books):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("/etc/1_add.ipynb", solved(books["1_add"]))
        archive.writestr("..\\2_mul.ipynb", b" " * (reading.MAX_FILE_BYTES + 2))
    (folders[0] / "work.zip").write_bytes(data.getvalue())
    got, taken = result(folders, books)
    assert got == {"1_add": GRADED, "2_mul": REFUSED}
    assert taken.notebooks[1].remarks == ["The notebook in the archive has more than 50 MB."]


def test_broken_archive_counts_as_nothing(folders, books):
    (folders[0] / "work.zip").write_bytes(b"PK\x03\x04" + b"x" * 100)
    assert result(folders, books)[0] == {"1_add": MISSING, "2_mul": MISSING}


def test_files_that_change_python_are_left_out(folders, books):
    for name in (
        "numpy.py",
        "random.py",
        "sitecustomize.py",
        "helpers.py",
        "numpy.txt",
        "a\nb.txt",
    ):
        (folders[0] / name).write_text("x")
    (folders[0] / "json").mkdir()
    (folders[0] / "json/__init__.py").write_text("x")
    _, taken = result(folders, books)
    assert sorted(p.name for p in folders[1].iterdir() if p.suffix != ".ipynb") == [
        "helpers.py",
        "numpy.txt",
    ]
    assert len(taken.files_left_out) == 5


def test_other_files_are_bounded(folders, books, monkeypatch):
    monkeypatch.setattr(intake, "MAX_OTHER_BYTES", 100)
    monkeypatch.setattr(intake, "MAX_OTHER_FILES", 2)
    for name, size in (("a", 60), ("b", 60), ("c", 10), ("d", 10)):
        (folders[0] / name).write_bytes(b"x" * size)
    _, taken = result(folders, books)
    assert [text[:2] for text in taken.files_left_out] == ["b:", "Fu"]


def test_huge_file_is_refused_without_being_loaded(folders, books):
    with (folders[0] / "1_add.ipynb").open("wb") as file:
        file.truncate(20 * 2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    got, taken = result(folders, books)
    assert got["1_add"] == REFUSED and "20480 MB" in taken.notebooks[0].remarks[0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf  \n", "empty"),
        (b"\0" * 100, "empty"),
        (b"PK\x03\x04abc", "archive"),
        (b"[1, 2]", "no notebook"),
        (b'{"cells": 3}', "no cells"),
        (b'{"cells": []}', "no cells"),
        (b'{"cells": [{"cell_type": "code", "source": "x"}', "not JSON"),
        (b'{"cells":\n<<<<<<< HEAD\n[]\n=======\n[]}', "git merge"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"x": [' + b"[]," * reading.MAX_ITEMS, "millions"),
        (b"9" * 1_000_000, "no notebook"),
        (b"\xff\xfe\xff", "not JSON"),
    ],
)
def test_reading_says_in_one_sentence_why_not(data, words):
    with pytest.raises(reading.Unreadable, match=words) as caught:
        reading.read_bytes(data)
    assert str(caught.value).count("\n") == 0 and str(caught.value).endswith(".")


def test_table_names_what_needs_attention_and_the_exit_status_follows(capsys):
    def outcome(student, status, *remarks, graded=True):
        return Outcome(student, Intake([Taken("1_add", status, list(remarks))], []), graded)

    class_ = [
        outcome("ann", "graded"),
        outcome("bob", "missing", "Not handed in."),
        outcome("cy[red]", "refused", "Empty."),
        outcome("dee", "graded", graded=False),
    ]
    assert [o.bad() for o in class_] == [False, False, True, True]
    print_outcomes(class_, {"Sandbox: all 11 layers held.": 3})
    text = capsys.readouterr().out
    assert "ann" not in text and "missing: zeros" in text and "cy?red?" in text
    assert "4 submissions: 1 as handed in, 3 with remarks, 2 of them" in text
    assert text.rstrip().endswith("Sandbox: all 11 layers held.")
