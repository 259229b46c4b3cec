"""From results to shares, ticks, PROGRESS.md and the HTML page."""

import json
import re
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.dashboard import html, log, markdown
from autograder.dashboard.heatmap import heatmaps
from autograder.dashboard.progress import Progress, number
from autograder.dashboard.results import (
    NO_RESULTS,
    ClassResults,
    DashboardError,
    Result,
    Results,
    best_of,
    read_notebooks,
    read_own_log,
)
from autograder.syllabus import load_syllabus

COURSE = """\
title: A course
parts:
  - {id: I, title: One}
  - {id: II, title: Two}
  - {id: across, title: Across, items: [{id: A.2, title: papers}, {id: A.3, title: log}]}
modules:
  - id: "1.1"
    part: I
    folder: 1.1-first
    title: First
    status: ready
    summary: Begins.
    prerequisites: []
    items:
      - {id: 1.1.C1, title: taught in a}
      - {id: 1.1.C2, title: named __global__ | by an exercise}
      - {id: 1.1.C3, title: listed nowhere}
      - {id: 1.1.K1, title: two exercises}
      - {id: 1.1.P1, title: step}
    project: {title: Build, steps: [1.1.P1]}
    notebooks:
      - {file: 1_a, title: A, minutes: 10, items: [1.1.C1]}
      - {file: 2_b, title: B, minutes: 25}
    exercises:
      - {id: one, notebook: 1_a, points: 4, kind: code, items: [1.1.K1], title: One}
      - {id: two, notebook: 2_b, points: 3, kind: code, items: [1.1.K1, 1.1.C2], title: Two}
      - {id: step, notebook: 2_b, points: 2, kind: code, items: [1.1.P1], title: Step}
      - {id: essay, notebook: 2_b, points: 1, kind: written, items: [1.1.K1], title: Essay}
  - id: "2.1"
    part: II
    folder: 2.1-second
    title: Second
    status: planned
    summary: Follows.
    minutes: 60
    prerequisites: ["1.1"]
    items: [{id: 2.1.P1, title: later}]
    project: {title: More, steps: [2.1.P1]}
    notebooks: []
    exercises: []
papers:
  - {title: Paper, authors: A and B, year: 2020, module: "1.1", items: [1.1.K1]}
  - {title: Later paper, authors: C, year: 2021, module: "2.1", items: [2.1.P1]}
arsenal:
  - {tool: Hammer, modules: ["1.1"], needs: cpu, note: Hits.}
"""


@pytest.fixture
def course(tmp_path):
    path = tmp_path / "syllabus.yml"
    path.write_text(COURSE, encoding="utf-8")
    return load_syllabus(path)


def results(person=False, **points):
    """points: exercise=(got, of)."""
    best = {name: Result(name, float(got), float(of)) for name, (got, of) in points.items()}
    return Results("a test", best, 0, person)


FULL = {"one": (4, 4), "two": (3, 3), "step": (2, 2)}


def record(**changes):
    raw = {
        "time": "2026-11-21T10:00:00Z",
        "exercise": "one",
        "points": 3.0,
        "max_points": 4.0,
        "misconception": None,
    }
    return {**raw, **changes}


# Results


def test_the_best_result_counts_with_the_latest_misconception():
    steps = [(1.0, "floor"), (3.0, "clip"), (2.0, "sign")]
    best = best_of(Result("one", points, 4.0, "", name) for points, name in steps)
    assert (best["one"].points, best["one"].misconception) == (3.0, "sign")
    done = best_of(Result("one", points, 4.0, "", name) for points, name in [(4, None), (1, "x")])
    assert (done["one"].points, done["one"].misconception) == (4, None)


BROKEN = [
    b"{half a li",
    b"\xff\xfe",
    b"[1]",
    b"null",
    json.dumps(record(points=True)).encode(),
    json.dumps(record(points="3")).encode(),
    json.dumps(record(points=-1)).encode(),
    json.dumps(record(points=5)).encode(),
    json.dumps(record(max_points=0)).encode(),
    json.dumps(record(points=float("nan"))).encode(),
    json.dumps(record(max_points=float("inf"))).encode(),
    json.dumps(record(exercise=None)).encode(),
    json.dumps(record(misconception=["x"])).encode(),
    b"[" * 100_000,
]


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: repr(line[:24]))
def test_a_broken_line_of_the_log_is_counted_and_skipped(tmp_path, line):
    path = tmp_path / "checks.jsonl"
    good = json.dumps(record()).encode()
    path.write_bytes(good + b"\n\n" + line + b"\n" + good.replace(b"one", b"two"))
    read = read_own_log(path)
    assert read.skipped == 1
    assert {name: r.points for name, r in read.best.items()} == {"one": 3.0, "two": 3.0}


def test_the_log_is_found_in_the_state_folder_and_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_STATE", str(tmp_path))
    assert read_own_log().best == {}
    (tmp_path / "checks.jsonl").write_text(json.dumps(record()) + "\n")
    assert read_own_log().best["one"].time == "2026-11-21T10:00:00Z"


def notebook_with(*outputs):
    return new_notebook(cells=[new_code_cell("check()", outputs=[o]) for o in outputs])


def test_results_of_executed_notebooks(tmp_path):
    course = {"course": record(points=1)}
    notebook = notebook_with(
        new_output("display_data", metadata=course),
        new_output("execute_result", metadata={"course": record(exercise="two")}),
        new_output("display_data", metadata={"course": record(points="all")}),
        new_output("display_data"),
        new_output("stream", text="points: 4"),
    )
    (tmp_path / "sub").mkdir()
    nbformat.write(notebook, tmp_path / "sub" / "a.ipynb")
    better = notebook_with(new_output("display_data", metadata={"course": record(points=2)}))
    nbformat.write(better, tmp_path / "b.ipynb")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "b.ipynb").write_text("not read")
    read = read_notebooks([tmp_path])
    assert {name: r.points for name, r in read.best.items()} == {"one": 2.0, "two": 3.0}
    assert read.skipped == 1
    assert read_notebooks([tmp_path / "b.ipynb"]).best["one"].points == 2.0


def test_unusable_notebooks_are_named(tmp_path):
    with pytest.raises(DashboardError, match="none.ipynb is missing"):
        read_notebooks([tmp_path / "none.ipynb"])
    with pytest.raises(DashboardError, match="holds no notebook"):
        read_notebooks([tmp_path])
    for number_, text in enumerate(["", "{}", "[]", '{"cells": 3, "nbformat": 4}']):
        bad = tmp_path / f"bad{number_}.ipynb"
        bad.write_text(text)
        with pytest.raises(DashboardError, match=f"{bad.name} is not a readable"):
            read_notebooks([bad])


# Shares and ticks


def test_nothing_is_done_at_the_beginning(course):
    state = Progress(course, NO_RESULTS)
    assert not any(state.item_done(item) for item in course.items.values())
    assert [state.part_state(p) for p in course.parts[:2]] == ["Not started", "Not started"]
    assert state.module_state(course.module("2.1")) == "Planned"
    assert state.projects_done == 0


def test_partial_points_are_a_share_and_no_tick(course):
    state = Progress(course, results(one=(3, 4), two=(3, 3)))
    items = course.items
    assert state.item_share(items["1.1.K1"]) == Fraction(7, 8)
    assert not state.item_done(items["1.1.K1"])
    assert state.item_share(items["1.1.C1"]) == Fraction(3, 4)  # what notebook 1_a grades
    assert state.item_done(items["1.1.C2"])  # named by `two`
    assert state.item_share(items["1.1.C3"]) == Fraction(7, 12)  # the module: one, two, step
    assert state.module_share(course.module("1.1")) == Fraction(
        Fraction(7, 8) + Fraction(3, 4) + 1 + Fraction(7, 12), 5
    )
    assert state.part_state(course.parts[0]) == "In progress"
    assert state.points(course.exercises.values()) == 6.0


def test_a_lone_learner_finishes_without_written_grades(course):
    state = Progress(course, results(**FULL))
    assert state.module_state(course.module("1.1")) == "Done"
    assert (state.part_state(course.parts[0]), state.projects_done) == ("Done", 1)
    assert state.possible(course.exercises.values()) == 9


def test_a_written_answer_counts_where_a_person_grades(course):
    state = Progress(course, results(person=True, **FULL))
    assert not state.item_done(course.items["1.1.K1"])
    assert state.possible(course.exercises.values()) == 10
    whole = Progress(course, results(person=True, essay=(1, 1), **FULL))
    assert whole.module_state(course.module("1.1")) == "Done"


def test_a_pending_grade_is_no_grade(course):
    best = {"one": Result("one", 4.0, 4.0, pending=True)}
    state = Progress(course, Results("a test", best, 0, True))
    assert state.points(course.exercises.values()) == 0
    assert "a grade is pending" in markdown.render(state)


def test_extra_credit_does_not_lift_a_share_above_one(course):
    state = Progress(course, results(person=True, one=(6, 4)))
    assert state.share(course.exercise("one")) == 1
    assert state.points([course.exercise("one")]) == 4


def test_points_follow_the_syllabus_when_the_scale_of_a_record_differs(course):
    state = Progress(course, results(one=(5, 10)))
    assert state.points([course.exercise("one")]) == 2


def test_papers_log_and_unknown_exercises(course):
    state = Progress(course, results(**FULL), has_log=True)
    assert [state.paper_done(paper) for paper in course.papers] == [True, False]
    assert state.item_done(course.items["A.3"])
    assert not state.item_done(course.items["A.2"])
    assert Progress(course, results(other=(1, 1))).unknown == 1


# PROGRESS.md


@pytest.mark.parametrize(
    ("share", "filled", "percent"),
    [(Fraction(0), 0, 0), (Fraction(1, 1000), 0, 0), (Fraction(1, 2), 12, 50),
     (Fraction(999, 1000), 24, 99), (Fraction(1), 25, 100)],
)  # fmt: skip
def test_bar(share, filled, percent):
    text = markdown.bar(share)
    assert text == "█" * filled + "░" * (25 - filled) + f" {percent} %"


def test_number():
    assert [number(x) for x in (4.0, 2.25, 103.4333, 1234567.5, 0.0)] == [
        "4", "2.25", "103.43", "1234567.5", "0",
    ]  # fmt: skip


def test_blank_page_of_the_course_names_every_item_once_and_ticks_none():
    course = load_syllabus()
    page = markdown.render(Progress(course, NO_RESULTS))
    assert page == markdown.render(Progress(course, NO_RESULTS))
    assert "[x]" not in page
    assert "█" not in page
    assert "**0 / 8**" in page
    listed = re.findall(r"^- \[ \] (\S+) ", page, re.M)
    assert [name for name in listed if name in course.items] == list(course.items)
    assert len(listed) == len(course.items) + len(course.papers)
    assert re.search(r"20\d\d-\d\d-\d\d", page) is None


def test_page_of_a_learner(course):
    page = markdown.render(Progress(course, results(one=(3, 4), two=(3, 3), step=(2, 2))))
    assert "- [ ] 1.1.K1 two exercises (6 / 7 points)" in page
    assert r"- [x] 1.1.C2 named \_\_global\_\_ \| by an exercise (3 / 3 points)" in page
    assert "| Part I: One | In progress | █" in page
    assert "| **Total projects completed** |  |  | **1 / 2** |" in page
    assert "In progress, 8 / 9 points." in page
    assert "Planned: its notebooks are not written yet." in page
    assert "| 1.1 First | Ready | 2 | 4 | 10 |" in page
    assert "- [ ] Later paper, C 2021 (module 2.1, planned)" in page
    assert "Written answers are graded by a person" in page


def test_complete_page(course):
    page = markdown.render(Progress(course, results(**FULL)))
    assert f"| Part I: One | Done | {'█' * 25} 100 % | 1 / 1 |" in page


def test_log_entries_cannot_break_the_page(course):
    entry = log.Entry("2026-11-21", "a\n# b | `c`", "<script>", "*x* _y_", "$z$ [l](m)", "1.1", "t")
    page = markdown.render(Progress(course, NO_RESULTS), [entry])
    assert "### 2026-11-21 · 1.1 · t" in page
    assert r"- **Progress:** a # b \| \`c\`" in page
    assert "<script>" not in page
    assert r"\*x\* \_y\_" in page
    assert r"\$z\$ \[l\](m)" in page


# The HTML page


class Page(HTMLParser):
    """Collects tags and refuses what is not closed in order."""

    VOID = {"meta", "link", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


HOSTILE = '"><script>alert(1)</script>'


def hostile_class(course):
    students = {
        f"{HOSTILE}{n}": results(person=True, one=(n, 4), two=(n * 3 / 4, 3)) for n in range(5)
    }
    students["late"] = results(person=True)
    students["waits"] = Results("x", {"one": Result("one", 4, 4, pending=True)}, 0, True)
    return ClassResults(students, results(person=True, one=(2, 4)))


def test_html_is_well_formed_escaped_and_asks_for_nothing(course):
    best = {"one": Result("one", 1.0, 4.0, "", HOSTILE)}
    entry = log.Entry("2026-11-21", HOSTILE, HOSTILE, HOSTILE, HOSTILE, None, HOSTILE)
    for book in (None, hostile_class(course)):
        text = html.render(Progress(course, Results(HOSTILE, best)), [entry], book)
        page = Page(text)
        names = [tag for tag, _ in page.tags]
        assert "script" not in names
        assert "img" not in names
        assert not re.search(r"https?://|@import|url\(", text)
        assert names.count("h1") == 1
        assert names.count("table") == names.count("caption")
        assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")
        assert all(attrs.get("aria-label") for tag, attrs in page.tags if tag == "progress")
        labelled = {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a}
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert labelled <= set(ids)
        assert len(ids) == len(set(ids))


def test_html_of_a_learner(course):
    best = {"one": Result("one", 1.0, 4.0, "", "floor"), "two": Result("two", 3.0, 3.0)}
    text = html.render(Progress(course, Results("x", best)))
    row = next(line for line in text.splitlines() if "One<br>" in line)
    assert '<td class="n">1 / 4</td><td>Begun</td><td class="warn">floor</td>' in row
    row = next(line for line in text.splitlines() if "Two<br>" in line)
    assert '<td class="n">3 / 3</td><td class="done">Done</td><td>–</td>' in row
    row = next(line for line in text.splitlines() if "Essay<br>" in line)
    assert "Graded by a person" in row
    assert '<table class="heat">' not in text


def test_heat_map(course):
    (table,) = heatmaps(course, hostile_class(course))
    assert table.module.id == "1.1"
    cells = {name: row for name, row, _ in table.rows}
    assert [cells[f"{HOSTILE}{n}"][0].level for n in range(5)] == [0, 1, 2, 3, 4]
    assert [cells[f"{HOSTILE}{n}"][0].text for n in range(5)] == ["0", "1", "2", "3", "4"]
    assert (cells["late"][0].text, cells["waits"][0].text) == ("–", "wait")
    one, two, step, _ = table.columns
    assert one.difficulty == pytest.approx(0.5)
    assert one.discrimination == pytest.approx(1.0)
    assert one.stuck == (f"{HOSTILE}0", f"{HOSTILE}1")
    assert (step.difficulty, step.discrimination) == (None, None)
    assert table.stuck == [one, two]


def test_discrimination_needs_five_students_and_a_spread(course):
    few = {f"s{n}": results(person=True, one=(n, 4), two=(n / 2, 3)) for n in range(4)}
    same = {f"s{n}": results(person=True, one=(2, 4), two=(n / 2, 3)) for n in range(6)}
    for students in (few, same):
        (table,) = heatmaps(course, ClassResults(students, NO_RESULTS))
        assert table.columns[0].discrimination is None


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """WCAG 2.2, contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_at_least_aa_in_both_schemes():
    text = (Path(html.__file__).parent / html.TEMPLATE).read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", text, re.S)
    for block in (light, dark):
        colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
        pairs = [(f"t{n}", f"h{n}") for n in range(5)]
        pairs += [
            (ink, ground)
            for ink in ("ink", "soft", "accent", "done", "warn")
            for ground in ("page", "card")
        ]
        for ink, ground in pairs:
            assert contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
        # A bar against its track: 3:1 for graphics.
        assert contrast(colors["accent"], colors["track"]) >= 3
