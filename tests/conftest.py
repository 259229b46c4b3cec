"""Fixtures that tests share: a tiny course, and an environment without the learner's own settings."""

import os
import shutil
import sys
import textwrap
from pathlib import Path

import pytest

from autograder import syllabus as syllabus_module
from autograder.checks import registry

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """No test writes into the learner's records or reads the grading environment."""
    monkeypatch.setenv("COURSE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("COURSE_SECRET", raising=False)
    monkeypatch.setenv("COURSE_STRICT_JUDGES", "1")


SYLLABUS = """
title: A tiny course
parts:
  - {id: I, title: "Only part"}
modules:
  - id: "9.9"
    part: I
    folder: 9.9-tiny
    title: "Tiny"
    status: ready
    summary: "One notebook."
    prerequisites: []
    items:
      - {id: 9.9.C1, title: "A concept"}
      - {id: 9.9.K1, title: "A knowledge check"}
    project: {title: "None", steps: []}
    notebooks:
      - {file: 1_double, title: "Double it", minutes: 5, items: [9.9.C1]}
    exercises:
      - {id: double, notebook: 1_double, points: 4, kind: code, items: [9.9.K1], title: "Double"}
      - {id: why-double, notebook: 1_double, points: 2, kind: written, items: [9.9.K1], title: "Why"}
papers: []
arsenal: []
"""

SOURCE = '''
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown] items="9.9.C1"
# # Double a number
# %% role="parameters" id="parameters"
PROFILE = "cpu"
# %% role="given" id="setup"
from autograder import check
# %% role="exercise" id="double" items="9.9.K1" minutes=1
def double(x):
    """Twice x.

    >>> double(2)
    4
    """
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
# %% role="check" id="double" points=4
check("double", double)
# %% [markdown] role="written" id="why-double" items="9.9.K1" points=2
# Because two is the first even number.
'''

CHECK = '''
"""double: twice the number."""

from autograder.checks import case, expect

PARTS = {"positive": 0.75, "zero": 0.25}


def cases(rng):
    yield case("three", part="positive", x=3)
    yield case("random", part="positive", x=int(rng.integers(5, 99)))
    yield case("zero", part="zero", x=0)


def probe(solution, x):
    return solution(x)


def judge(case, answer):
    expect.integer(answer, 2 * case.x, "double")
'''

BANK = '''
"""Answers to double."""

from autograder.checks.bank import right, wrong


@right("product")
def product(x):
    return 2 * x


@right("sum")
def total(x):
    return x + x


@wrong("squared", "You squared x; the exercise doubles it.")
def squared(x):
    return x * x
'''


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A course of one notebook in a folder of its own, with the real build and nbgrader's config."""
    root = tmp_path / "course"
    files = {
        "syllabus.yml": SYLLABUS,
        "solutions/9.9-tiny/1_double.py": SOURCE,
        "tests/answers/m9_9/double.py": BANK,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    checks = tmp_path / "checks" / "m9_9"
    checks.mkdir(parents=True)
    (checks / "__init__.py").touch()
    (checks / "double.py").write_text(CHECK.lstrip(), encoding="utf-8")
    import autograder.checks as package

    monkeypatch.setenv("COURSE_ROOT", str(root))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "checks")])
    forget()
    yield root
    forget()


@pytest.fixture
def course(tiny, monkeypatch):
    """The tiny course with its release built, as nbgrader and its kernels see it."""
    from autograder.build import release

    # Kernels and nbgrader find the tiny course's check the same way as this process does.
    path = tiny.parent / "path"
    path.mkdir()
    (path / "sitecustomize.py").write_text(
        "import autograder.checks as p\n"
        f"p.__path__ = [*p.__path__, {str(tiny.parent / 'checks')!r}]\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(path), *sys.path]))
    release.build(tiny)
    return tiny


def forget():
    for function in (registry.load_check, registry.load_bank, syllabus_module.load_syllabus):
        getattr(function, "cache_clear", lambda: None)()
    for name in [n for n in sys.modules if n.startswith("autograder.checks.m9_9")]:
        del sys.modules[name]
