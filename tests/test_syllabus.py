"""The course's spine: every item is there, and a mistake in the file is named with its line."""

import re
from collections import Counter
from pathlib import Path

import pytest

from autograder.syllabus import SyllabusError, load_syllabus, repo_root, state_dir

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = ROOT.parent / "shared" / "SYLLABUS.md"
COUNTS = {
    "1.1": {"C": 12, "K": 6, "P": 7},
    "1.2": {"C": 12, "K": 7, "P": 8},
    "1.3": {"C": 9, "K": 6, "P": 5},
    "1.4": {"C": 8, "K": 8, "P": 7},
    "1.5": {"C": 19, "K": 7, "P": 4},
    "1.6": {"C": 12, "K": 7, "P": 6},
    "2.1": {"C": 8, "K": 7, "P": 4},
    "2.2": {"C": 7, "K": 6, "P": 5},
}
SMALL = """\
title: A course
parts:
  - {id: I, title: One}
  - {id: across, title: Across, items: [{id: A.1, title: tools}]}
modules:
  - id: "1.1"
    part: I
    folder: 1.1-first
    title: First
    status: ready
    summary: Begins.
    prerequisites: []
    items:
      - {id: 1.1.C1, title: c}
      - {id: 1.1.K1, title: k}
      - {id: 1.1.P1, title: p}
    project: {title: Build, steps: [1.1.P1]}
    notebooks:
      - {file: 1_a, title: A, minutes: 10, items: [1.1.C1]}
      - {file: 2_b, title: B, minutes: 25}
    exercises:
      - {id: one, notebook: 1_a, points: 3, kind: code, items: [1.1.K1], title: One}
      - {id: two, notebook: 2_b, points: 1.5, kind: written, items: [1.1.P1], title: Two}
papers:
  - {title: Paper, authors: A and B, year: 2020, module: "1.1", items: [1.1.K1]}
arsenal:
  - {tool: Hammer, modules: ["1.1"], needs: cpu, note: Hits.}
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "syllabus.yml"
        path.write_text(text, encoding="utf-8")
        return load_syllabus(path)

    return load


@pytest.mark.skipif(not CONTRACT.exists(), reason="the list of required ids is not beside us")
def test_every_required_id_is_there_and_no_other():
    required = re.findall(r"\b(\d\.\d\.[CKP]\d+|A\.\d)\b", CONTRACT.read_text(encoding="utf-8"))
    assert len(required) == len(set(required))
    assert set(required) == set(load_syllabus().items)


def test_counts_of_items():
    course = load_syllabus()
    assert {m.id: dict(Counter(i.kind for i in m.items)) for m in course.modules} == COUNTS
    assert [i for i in course.items if i.startswith("A.")] == ["A.1", "A.2", "A.3", "A.4"]
    numbers = {(m.id, k): [f"{m.id}.{k}{n}" for n in range(1, COUNTS[m.id][k] + 1)]
               for m in course.modules for k in "CKP"}  # fmt: skip
    for module in course.modules:
        for kind in "CKP":
            assert [i.id for i in module.items if i.kind == kind] == numbers[module.id, kind]


def test_papers_tools_and_titles():
    course = load_syllabus()
    assert len(course.papers) == 10
    assert all(paper.items for paper in course.papers)
    assert len(course.arsenal) == 25
    assert len({item.title for item in course.items.values()}) == len(course.items)


def test_every_concept_of_a_ready_module_is_taught_by_a_notebook():
    for module in load_syllabus().modules:
        if module.status == "ready":
            taught = {item for notebook in module.notebooks for item in notebook.items}
            assert {i.id for i in module.items if i.kind == "C"} <= taught


def test_helpers(load):
    course = load(SMALL)
    module = course.module("1.1")
    assert module is course.module_by_folder("1.1-first")
    assert (module.points, module.minutes) == (4.5, 35)
    assert course.exercise("two").items == ("1.1.P1",)
    assert [i.kind for i in course.items.values()] == ["C", "K", "P", "A"]
    for call in (course.module, course.module_by_folder, course.exercise):
        with pytest.raises(KeyError):
            call("nothing")


def test_a_changed_file_is_read_again(load):
    assert load(SMALL).title == "A course"
    assert load(SMALL.replace("A course", "Another")).title == "Another"


WRONG = {
    "unknown key": ("summary: Begins.", "sumary: Begins.", 6, "unknown key 'sumary'"),
    "unknown key of an item": ("title: k}", "titel: k}", 15, "unknown key 'titel'"),
    "missing key": ("points: 3, ", "", 22, "'points' is missing"),
    "item twice": ("id: 1.1.K1, title: k", "id: 1.1.C1, title: k", 15, "stands twice"),
    "exercise twice": ("{id: two", "{id: one", 23, "'one' stands twice"),
    "notebook twice": ("file: 2_b", "file: 1_a", 20, "'1_a' stands twice"),
    "key twice": ("folder: 1.1-first", "part: I", 8, "stands twice"),
    "unknown item": ("items: [1.1.K1], title: One", "items: [1.1.K9], title: One", 22, "1.1.K9"),
    "unknown notebook": ("notebook: 2_b", "notebook: 3_c", 23, "unknown notebook '3_c'"),
    "unknown part": ("part: I", "part: V", 6, "unknown part 'V'"),
    "zero points": ("points: 3", "points: 0", 22, "positive number, not 0"),
    "negative points": ("points: 3", "points: -1", 22, "positive number"),
    "boolean points": ("points: 3", "points: yes", 22, "positive number"),
    "nan points": ("points: 3", "points: .nan", 22, "positive number"),
    "infinite points": ("points: 3", "points: .inf", 22, "positive number"),
    "text points": ("points: 3", "points: many", 22, "positive number"),
    "fractional minutes": ("minutes: 25", "minutes: 2.5", 20, "positive number"),
    "kind": ("kind: written", "kind: oral", 23, "'oral' is none of code, written"),
    "status": ("status: ready", "status: soon", 6, "'soon' is none of"),
    "needs": ("needs: cpu", "needs: tpu", 27, "'tpu' is none of"),
    "unquoted id": ('id: "1.1"', "id: 1.1", 6, "put it in quotes"),
    "exercise id": ("{id: one", "{id: o.ne", 22, "letters, digits"),
    "check prefix": ("{id: one", "{id: check-one", 22, "check-"),
    "no item": ("items: [1.1.P1], title: Two", "items: [], title: Two", 23, "names no item"),
    "item id": ("id: 1.1.C1, title", "id: 1.1.X1, title", 14, "not like 1.1.C3"),
    "item elsewhere": ("id: 1.1.K1, title", "id: 1.2.K1, title", 15, "stands in module '1.1'"),
    "steps": ("steps: [1.1.P1]", "steps: [1.1.K1]", 17, "must be 1.1.P1"),
    "step without exercise": ("items: [1.1.P1], title: Two", "items: [1.1.C1], title: Two", 16,
                              "no exercise of module '1.1' names '1.1.P1'"),
    "paper": ('module: "1.1", items', 'module: "7", items', 25, "unknown module '7'"),
    "prerequisite": ("prerequisites: []", 'prerequisites: ["1.1"]', 6, "earlier module"),
    "no list": ("items: [1.1.K1], title: One", "items: 1.1.K1, title: One", 22, "must be a list"),
    "no mapping": ("  - {id: I, title: One}", "  - I", 1, "must be a mapping"),
    "no yaml": ("folder: 1.1-first", "folder: [", 10, "not valid YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_one_sentence_with_file_and_line(load, name):
    old, new, line, words = WRONG[name]
    assert SMALL.count(old) == 1
    with pytest.raises(SyllabusError) as caught:
        load(SMALL.replace(old, new))
    message = str(caught.value)
    assert message.startswith(f"syllabus.yml:{line}: ")
    assert words in message
    assert "\n" not in message


def test_an_item_without_exercise_is_allowed_while_a_notebook_has_none(load):
    text = SMALL.replace(SMALL[SMALL.index("      - {id: two") : SMALL.index("papers:")], "")
    assert len(load(text).exercises) == 1


def test_empty_missing_and_binary_files(load, tmp_path):
    with pytest.raises(SyllabusError, match="must be a mapping"):
        load("")
    with pytest.raises(SyllabusError, match=r"nothing\.yml is missing"):
        load_syllabus(tmp_path / "nothing.yml")
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SyllabusError, match="not UTF-8"):
        load_syllabus(binary)


def test_root_and_state_folders(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_ROOT", raising=False)
    monkeypatch.delenv("COURSE_STATE", raising=False)
    assert repo_root() == ROOT
    assert state_dir() == ROOT / ".course"
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path))
    assert repo_root() == tmp_path.resolve()
    monkeypatch.setenv("COURSE_STATE", str(tmp_path / "mine"))
    assert state_dir() == tmp_path / "mine"
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path / "none"))
    with pytest.raises(SyllabusError, match="is no folder"):
        repo_root()
