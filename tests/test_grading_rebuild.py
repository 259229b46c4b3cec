"""Rebuilding a submission: answers are found wherever they are, and nothing else gets in."""

import copy
import json
import math
import random

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.nbgraderformat import MetadataValidator

from autograder.grading.reading import Submitted, SubmittedCell, Unreadable, read_bytes
from autograder.grading.rebuild import MAX_EXTRA_CELLS, rebuild, refused

STUB = "# Write your code here.\nraise NotImplementedError"
BLANK = "*Write your answer here.*"


def marks(grade_id, points=None, *, solution=False, locked=False):
    out = {"schema_version": 3, "grade_id": grade_id, "task": False, "checksum": "0" * 32}
    out |= {"solution": solution, "locked": locked, "grade": points is not None}
    out |= {} if points is None else {"points": points}
    return {"nbgrader": out}


@pytest.fixture(scope="module")
def instructor():
    return make_instructor()


def make_instructor():
    def exercise(name, function):
        source = f"def {function}(x):\n    {STUB}".replace("\nraise", "\n    raise")
        return new_code_cell(source, metadata=marks(name, solution=True))

    def check(name, function, points):
        source = f'check("{name}", {function})'
        return new_code_cell(source, metadata=marks(f"check-{name}", points, locked=True))

    cells = [
        new_markdown_cell("# Two functions"),
        new_code_cell('PROFILE = "cpu"', metadata={"course": {"role": "parameters", "id": "p"}}),
        new_code_cell("from autograder import check", metadata=marks("setup", locked=True)),
        exercise("double", "double"),
        check("double", "double", 4.0),
        new_code_cell("guess = None", metadata={"course": {"role": "predict", "id": "guess"}}),
        new_markdown_cell("Now the square."),
        exercise("square", "square"),
        check("square", "square", 3.0),
        new_markdown_cell(BLANK, metadata=marks("why", 2.0, solution=True)),
        new_markdown_cell("The end."),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


DOUBLE, SQUARE = "def double(x):\n    return 2 * x", "def square(x):\n    return x * x"
WHY = "Because it is even."


def answered():
    nb = make_instructor()
    nb.cells[3].source, nb.cells[7].source, nb.cells[9].source = DOUBLE, SQUARE, WHY
    return nb


def rebuilt(instructor, notebook):
    return rebuild(instructor, read_bytes(nbformat.writes(notebook).encode()))


def sources(result):
    graded = [c for c in result.notebook.cells if "nbgrader" in c.metadata]
    return {c.metadata.nbgrader.grade_id: c.source for c in graded}


def is_sound(instructor, result):
    """Valid nbformat 4, and exactly the instructor's graded cells, points, locks and locked text."""
    nbformat.validate(result.notebook)
    MetadataValidator().validate_nb(result.notebook)
    made = [c for c in result.notebook.cells if "nbgrader" in c.metadata]
    wanted = [c for c in instructor.cells if "nbgrader" in c.metadata]
    assert [c.metadata for c in made] == [c.metadata for c in wanted]
    assert [c.cell_type for c in made] == [c.cell_type for c in wanted]
    for cell, own in zip(made, wanted, strict=True):
        if not own.metadata.nbgrader.solution:
            assert cell.source == own.source
    assert all(c.outputs == [] for c in result.notebook.cells if c.cell_type == "code")
    nbformat.writes(result.notebook).encode()
    return True


def earns(instructor, result, double=DOUBLE, square=SQUARE, why=WHY):
    assert is_sound(instructor, result)
    got = sources(result)
    assert (got["double"], got["square"], got["why"]) == (double, square, why)


def test_sound_submission_is_taken_as_it_is(instructor):
    nb = answered()
    nb.cells[5].source = "guess = 7"
    nb.cells.insert(3, new_code_cell("import math"))
    result = rebuilt(instructor, nb)
    assert result.repairs == []
    assert [c.source for c in result.notebook.cells] == [c.source for c in nb.cells]


def test_released_notebook_is_its_own_rebuild(instructor):
    result = rebuilt(instructor, instructor)
    assert result.repairs == [] and result.notebook == instructor


def test_parameters_stay_the_instructors(instructor):
    nb = answered()
    nb.cells[1].source = 'PROFILE = "gpu"'
    assert rebuilt(instructor, nb).notebook.cells[1].source == 'PROFILE = "cpu"'


def test_stripped_metadata(instructor):
    nb = answered()
    for number, cell in enumerate(nb.cells):
        cell.metadata, cell.id = {}, f"other-{number}"
    result = rebuilt(instructor, nb)
    earns(instructor, result)
    assert "recognised by their content: 6" in result.repairs[-1]


def test_stripped_and_shuffled(instructor):
    nb = answered()
    for number, cell in enumerate(nb.cells):
        cell.metadata, cell.id = {}, f"other-{number}"
    for seed in range(20):
        random.Random(seed).shuffle(nb.cells)
        earns(instructor, rebuilt(instructor, nb))


@pytest.mark.parametrize("place", [0, 3, 4, 8, 11])
def test_answer_in_a_new_cell(instructor, place):
    nb = answered()
    nb.cells[3].source = instructor.cells[3].source
    nb.cells.insert(place, new_code_cell(DOUBLE))
    result = rebuilt(instructor, nb)
    earns(instructor, result)
    assert any("double was in another cell" in r for r in result.repairs)
    assert sum(c.source == DOUBLE for c in result.notebook.cells) == 1


def test_written_answer_in_new_cells(instructor):
    nb = answered()
    nb.cells[9].source = BLANK
    nb.cells[10:10] = [new_markdown_cell("First."), new_markdown_cell("Second.")]
    earns(instructor, rebuilt(instructor, nb), why="First.\n\nSecond.")


def test_answer_in_the_check_cell(instructor):
    nb = answered()
    nb.cells[3].source = instructor.cells[3].source
    nb.cells[4].source = f'{DOUBLE}\n\ncheck("double", double)'
    result = rebuilt(instructor, nb)
    earns(instructor, result)
    assert any("check-double was changed" in r for r in result.repairs)


def test_two_answers_in_one_cell_are_not_hidden_by_the_other_stub(instructor):
    nb = answered()
    nb.cells[3].source = f"{DOUBLE}\n\n{SQUARE}"
    del nb.cells[7]
    result = rebuilt(instructor, nb)
    got = sources(result)
    assert SQUARE in got["double"] and got["square"].startswith("# Answered in the cell of double")


@pytest.mark.parametrize("answered_first", [True, False])
def test_duplicates_give_the_answer_not_the_stub(instructor, answered_first):
    nb = answered()
    stub = copy.deepcopy(instructor.cells[3])
    stub.id = "stub"
    nb.cells.insert(4 if answered_first else 3, stub)
    result = rebuilt(instructor, nb)
    earns(instructor, result)
    assert "The cell double was there 2 times; one is graded." in result.repairs
    assert len(result.notebook.cells) == len(instructor.cells) + 1


def test_helper_cell_at_the_end_is_moved_up(instructor):
    nb = answered()
    nb.cells[3].source = answer = "def double(x):\n    return twice(x)"
    nb.cells.append(new_code_cell("def one(x):\n    return x"))
    nb.cells.append(new_code_cell("def twice(x):\n    return one(x) + one(x)"))
    result = rebuilt(instructor, nb)
    earns(instructor, result, double=answer)
    order = [c.source.partition("(")[0] for c in result.notebook.cells]
    assert order.index("def one") < order.index("def twice") < order.index("def double")


def test_changed_marks_change_nothing(instructor):
    nb = answered()
    nb.cells[4].metadata.nbgrader.update(points=400.0, locked=False, solution=True)
    nb.cells[4].source = "4.0"
    nb.cells[8].metadata.nbgrader.grade_id = "check-double"
    nb.cells[9].metadata.nbgrader.update(points=math.inf, grade=False)
    nb.cells.append(new_code_cell("7", metadata=marks("check-new", 99.0, locked=True)))
    result = rebuilt(instructor, nb)
    earns(instructor, result)
    assert any("points of check-double were changed" in r for r in result.repairs) or any(
        "check-double was there 2 times" in r for r in result.repairs
    )


def test_wrong_cell_kinds(instructor):
    nb = answered()
    nb.cells[3] = new_markdown_cell(DOUBLE, id="a", metadata=nb.cells[3].metadata)
    nb.cells[9] = new_code_cell(WHY, id="b", metadata=nb.cells[9].metadata)
    earns(instructor, rebuilt(instructor, nb))


def test_too_many_added_cells(instructor):
    nb = answered()
    nb.cells[3:3] = [new_code_cell(f"x = {i}") for i in range(10_000)]
    result = rebuilt(instructor, nb)
    earns(instructor, result)
    assert len(result.notebook.cells) == len(instructor.cells) + MAX_EXTRA_CELLS + 1


def test_refusal_carries_its_reason_escaped(instructor):
    result = refused(instructor, "Not <b>a</b> notebook.")
    assert is_sound(instructor, result)
    assert "Not &lt;b&gt;a&lt;/b&gt; notebook." in result.notebook.cells[0].source
    assert sources(result)["double"] == instructor.cells[3].source


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["code", "markdown", "double", "check-double", DOUBLE, "\ud800", "\x00"]),
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["source", "cell_type", "metadata", "x"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def places(value, path=()):
    """Every path into a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


@st.composite
def mutated(draw):
    """A right submission's JSON with some values replaced, removed, doubled or moved."""
    value = json.loads(nbformat.writes(answered()))
    for _ in range(draw(st.integers(1, 6))):
        spots = [p for p in places(value) if p]
        if not spots:
            break
        *path, last = draw(st.sampled_from(spots))
        holder = value
        for key in path:
            holder = holder[key]
        action = draw(st.sampled_from(["replace", "remove", "double", "move"]))
        if action == "replace" or (action != "remove" and isinstance(holder, dict)):
            holder[last] = draw(JUNK)
        elif action == "remove":
            del holder[last]
        elif action == "double":
            holder.insert(draw(st.integers(0, len(holder))), copy.deepcopy(holder[last]))
        else:
            holder.insert(draw(st.integers(0, len(holder))), holder.pop(last))
    return value


INSTRUCTOR = make_instructor()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_any_mutation_gives_a_sound_notebook_or_a_sentence(value):
    try:
        submitted = read_bytes(json.dumps(value).encode())
    except Unreadable as reason:
        assert str(reason).endswith(".") and is_sound(INSTRUCTOR, refused(INSTRUCTOR, str(reason)))
    else:
        assert is_sound(INSTRUCTOR, rebuild(INSTRUCTOR, submitted))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 5000), st.integers(0, 40))
def test_any_damage_to_the_bytes_gives_a_sound_notebook_or_a_sentence(junk, start, length):
    data = nbformat.writes(answered()).encode()
    try:
        submitted = read_bytes(data[:start] + junk + data[start + length :])
    except Unreadable as reason:
        assert str(reason).endswith(".")
    else:
        assert is_sound(INSTRUCTOR, rebuild(INSTRUCTOR, submitted))


TEXT = st.sampled_from([DOUBLE, SQUARE, WHY, BLANK, STUB, 'check("double", double)', "x = 1", ""])
NAMES = st.sampled_from(["", "setup", "double", "check-double", "square", "check-square", "why"])
CELLS = st.lists(
    st.builds(SubmittedCell, st.sampled_from(["code", "markdown", "raw"]), TEXT, NAMES), max_size=12
)


@settings(max_examples=300, deadline=None)
@given(CELLS)
def test_any_cells_give_a_sound_notebook(cells):
    assert is_sound(INSTRUCTOR, rebuild(INSTRUCTOR, Submitted(cells)))
