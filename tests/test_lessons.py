"""What every lesson must have, and that the examples in its docstrings are true."""

import ast
import contextlib
import doctest
import io
import re

import pytest

from autograder.build import stage
from autograder.syllabus import load_syllabus, repo_root

ROOT = repo_root()
SOURCES = [s for found in stage.read_all(ROOT).values() for s in found]
NAMES = [f"{s.folder}/{s.name}" for s in SOURCES]
each_source = pytest.mark.parametrize("source", SOURCES, ids=NAMES)


@each_source
def test_lesson_has_a_prediction_and_a_live_figure(source):
    roles = [c.role for c in source.cells]
    code = "\n".join(c.text for c in source.cells if c.kind == "code")
    assert "predict" in roles and "reveal(" in code
    assert "explore(" in code, "at least one figure that the learner can turn a knob on"
    assert "written" in roles


@each_source
def test_theory_is_short(source):
    """Cells that teach are at most 80 words: one idea each. Folded hints do not count, recaps neither."""
    long = []
    for cell in source.cells:
        other = re.match(
            r"#+ (Recap|Annotated reading|Reading|In your own words)", cell.text.strip()
        )
        if cell.kind == "markdown" and cell.items and cell.role != "written" and not other:
            words = len(re.sub(r"<details>.*?</details>", "", cell.text, flags=re.S).split())
            if words > 80:
                long.append(f"{source.shown}:{cell.line}: {words} words")
    assert not long, "\n".join(long)


@each_source
def test_exercises_are_functions_with_a_true_example(source):
    """Setup and exercise cells in order, then every docstring example."""
    namespace: dict = {"__name__": "lesson"}
    missing = []
    for cell in source.cells:
        is_setup = cell.role == "given" and cell.id.startswith("setup")
        if not (is_setup or cell.role in ("exercise", "parameters")):
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(cell.text, f"{source.shown}:{cell.line}", "exec"), namespace)
        if cell.role != "exercise":
            continue
        tree = ast.parse(cell.text)
        defined = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        assert defined, f"{source.shown}:{cell.line}: an exercise is a function or a class"
        examples = 0
        for node in defined:
            examples += _run_examples(
                namespace[node.name], namespace, f"{source.shown}:{cell.line}"
            )
        if not examples:
            missing.append(f"{source.shown}:{cell.line}: {cell.id} has no >>> example")
    assert not missing, "\n".join(missing)


def _run_examples(thing, namespace, where) -> int:
    count = 0
    if not isinstance(thing, type):  # a Triton kernel wraps the function that has the text
        thing = getattr(thing, "fn", thing)
    for test in doctest.DocTestFinder(recurse=True).find(thing, thing.__name__, globs=namespace):
        count += len(test.examples)
        out = io.StringIO()
        flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
        result = doctest.DocTestRunner(optionflags=flags).run(test, out=out.write)
        assert not result.failed, f"{where}\n{out.getvalue()}"
    return count


@each_source
def test_exercise_bodies_are_short(source):
    """The lines a learner writes: 40 at most, so that an exercise fits a screen."""
    for cell in source.cells:
        if cell.role != "exercise":
            continue
        inside = cell.text.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        lines = [x for x in inside.splitlines() if x.strip() and not x.strip().startswith("#")]
        assert len(lines) <= 40, f"{source.shown}:{cell.line}: {len(lines)} lines"


def test_module_points_and_minutes_add_up():
    for module in load_syllabus().modules:
        if module.status == "ready":
            assert module.points == sum(e.points for e in module.exercises) > 0
            assert all(n.minutes > 0 for n in module.notebooks)
            assert module.minutes == sum(n.minutes for n in module.notebooks), module.id


def test_no_notebook_carries_outputs_or_images():
    for path in (ROOT / "modules").rglob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "image/png" not in text and '"output_type"' not in text, path.name
