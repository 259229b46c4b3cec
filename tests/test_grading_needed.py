"""Cells that no answer depends on are passed over; anything that could matter is run."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.build.expand import expand
from autograder.build.stage import read_all
from autograder.grading.names import Names
from autograder.grading.needed import needed
from autograder.syllabus import repo_root


def answer(source):
    marks = {"grade": False, "solution": True, "grade_id": "answer"}
    return new_code_cell(source, metadata={"nbgrader": marks})


def check(name="f"):
    marks = {"grade": True, "solution": False, "grade_id": "check-f"}
    return new_code_cell(f'check("f", {name})', metadata={"nbgrader": marks})


def setup():
    return new_code_cell("import numpy as np", metadata={"course": {"id": "setup"}})


FIGURE = "fig = plot(np.arange(9))"


def run(given, source):
    """Which of setup, given, figure, answer, check are run, as their first letters."""
    cells = [setup(), new_code_cell(given), new_code_cell(FIGURE), answer(source), check()]
    found = needed([new_markdown_cell("Prose."), *cells])
    return "".join(letter for i, letter in enumerate("sgfac", 1) if i in found)


@pytest.mark.parametrize(
    ("given", "source", "ran"),
    [
        ("w = np.ones(3)", "def f(x): return x", "sac"),
        ("w = np.ones(3)", "def f(x): return x + w", "sgac"),
        ("w = np.ones(3)", "def f(w): return w", "sac"),
        ("w = np.ones(3)", "def f(x, y=w): return x", "sgac"),
        ("w = np.ones(3)", "def f(x):\n    w = x\n    return w", "sac"),
        ("w = np.ones(3)", "f = lambda x: x + w", "sgac"),
        ("w = np.ones(3)", "class f:\n    def g(self): return [a for a in w]", "sgac"),
        ("def help(x): return 1", "f = help", "sgac"),
        ("from math import *", "def f(x): return x", "sac"),
        ("np.seterr(all='raise')", "def f(x): return np.log(x)", "sgac"),
        ("np.pi = 3", "def f(x): return np.pi", "sgac"),
        ("for w in range(3): pass", "def f(x): return w", "sgac"),
        ("for w in range(3): pass", "for w in range(2): pass\ndef f(x): return x", "sac"),
        ("w = 1", "w = w + 1\ndef f(x): return x", "sgac"),
        ("w = 1", "w += 1\ndef f(x): return x", "sgac"),
        ("w = 1", "if np.pi:\n    w = 2\ndef f(x): return w", "sgac"),
        ("w = 1", "def f(x): return eval('w')", "sgfac"),
        ("w = 1", "def f(x): return x.eval('w')", "sgfac"),
        ("w = 1", "def f(x): return x.eval", "sgfac"),
        ("w = 1", "def f(model): return model.eval()", "sac"),
        ("w = 1", "def f(x): return globals()['w']", "sgfac"),
        ("x = self = 1", "class f:\n    def g(self, x): return self, x", "sac"),
        ("w = 1", "class f:\n    w = 2\n    def g(self): return w", "sgac"),
        ("w = 1", "class f:\n    v = w", "sgac"),
        ("w = 1", "class f:\n    w = 2\n    v = w", "sac"),
        ("w = 1", "class f:\n    def g(self, v=w): return v", "sgac"),
        ("w = 1", "import __main__ as m\ndef f(x): return m.w", "sgfac"),
        ("w = 1", "def f(x): return f.__globals__['w']", "sgfac"),
        ("w = 1", "%time 1\ndef f(x): return x", "sgfac"),
        ("w = 1", "def f(x) return x", "sac"),
    ],
)
def test_what_runs(given, source, ran):
    assert run(given, source) == ran


def test_what_a_needed_cell_needs_is_needed():
    cells = [
        new_code_cell("a = 1"),
        new_code_cell("b = a + 1"),
        new_code_cell("c = b"),
        answer("def f(x): return b"),
    ]
    assert needed(cells) == {0, 1, 3}


def test_names_of_a_cell():
    names = Names("import os.path as p\nx, (y, *z) = u\nq.append(x)\ndef g(): return x, v")
    assert names.bound == {"p", "x", "y", "z", "q", "g"}
    assert names.used >= {"u", "q", "v"}
    assert not names.used & {"p", "y", "z", "x"}
    assert Names("def (").used == set()


@pytest.mark.parametrize(
    "name", sorted(p.stem for p in (repo_root() / "solutions").glob("1.1*/*.py"))
)
def test_no_lesson_runs_whole(name):
    """The lessons' own experiments are not what a class's grading waits for."""
    source = next(s for found in read_all(repo_root()).values() for s in found if s.name == name)
    cells = expand(source).cells
    code = [i for i, c in enumerate(cells) if c.cell_type == "code"]
    graded = {i for i in code if cells[i].metadata.get("nbgrader", {}).get("grade")}
    found = needed(cells)
    assert graded <= found
    assert len(found) < len(code)
    assert nbformat.NotebookNode(cells[code[0]]).source.startswith("PROFILE") and code[0] in found


@pytest.mark.parametrize(
    "source", ["%matplotlib inline\ny = x", "y = !echo {x}\ny = x", "%%time\ny = x", "y = x\nx?"]
)
def test_cell_in_ipythons_own_forms_is_read_too(source):
    names = Names(source)
    assert "get_ipython" in names.used
    # What a cell magic runs is a text to it.
    assert ("x" in names.used and "y" in names.bound) is not source.startswith("%%")
