"""The build: stock nbgrader's output, byte-identical, refusing wrong sources by file and line."""

import json

import nbformat
import pytest
from click.testing import CliRunner

from autograder.build import release, stage
from autograder.build.sources import BuildError
from autograder.cli import main
from autograder.syllabus import SyllabusError

NOTEBOOK = "modules/9.9-tiny/1_double.ipynb"
SOURCE = "solutions/9.9-tiny/1_double.py"


def edit(root, old, new, name=SOURCE):
    path = root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_release_has_no_solutions_and_full_metadata(tiny):
    release.build(tiny)
    notebook = nbformat.read(tiny / NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    text = (tiny / NOTEBOOK).read_text()
    assert "return 2 * x" not in text and "first even" not in text and "BEGIN SOLUTION" not in text
    assert "jupytext" not in text
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    assert set(cells) == {"setup", "double", "check-double", "why-double"} | (
        set(cells) & {"parameters"}
    )
    assert "raise NotImplementedError" in cells["double"].source
    check = cells["check-double"].metadata.nbgrader
    assert check.points == 4 and check.grade and check.locked and check.schema_version == 3
    assert next(c for c in notebook.cells if "PROFILE" in c.source).metadata.tags == ["parameters"]


def test_build_twice_is_byte_identical(tiny):
    release.build(tiny)
    first = (tiny / NOTEBOOK).read_bytes()
    (tiny / NOTEBOOK).unlink()
    release.build(tiny)
    assert (tiny / NOTEBOOK).read_bytes() == first
    assert release.build(tiny, check_only=True) == []


def test_check_names_stale_and_foreign_files_and_writes_nothing(tiny):
    release.build(tiny)
    edit(tiny, "Double a number", "Double any number")
    (tiny / "modules/9.9-tiny/2_gone.ipynb").write_text("{}")
    before = (tiny / NOTEBOOK).read_bytes()
    result = CliRunner().invoke(main, ["build", "--check"])
    assert result.exit_code == 1
    assert f"stale: {NOTEBOOK}" in result.output and "2_gone" in result.output
    assert "course build" in result.output
    assert (tiny / NOTEBOOK).read_bytes() == before
    release.build(tiny)
    assert not (tiny / "modules/9.9-tiny/2_gone.ipynb").exists()


def test_failed_build_leaves_modules_as_they_were(tiny):
    release.build(tiny)
    before = (tiny / NOTEBOOK).read_bytes()
    edit(tiny, 'role="written"', 'role="essay"')
    result = CliRunner().invoke(main, ["build"])
    assert result.exit_code == 1 and "modules/ is as it was" in result.output
    assert (tiny / NOTEBOOK).read_bytes() == before
    assert [p.name for p in (tiny / "modules").iterdir()] == ["9.9-tiny"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('items="9.9.C1"', 'items="9.9.C7"', ["1_double.py:8:", "'9.9.C7'", "syllabus.yml"]),
        ('role="written"', 'role="essay"', ["unknown role 'essay'"]),
        ("points=4", "points=5", ["points=5", "says 4"]),
        ("points=4", 'points="4"', ["not a positive number"]),
        ("points=4", "", ["points=None"]),
        ("points=2", "points=2 colour=3", ["unknown key 'colour'"]),
        ('role="check" id="double"', 'role="check" id="triple"', ["single call"]),
        ("### BEGIN SOLUTION", "", ["BEGIN SOLUTION"]),
        ('check("double", double)', 'check("double", double); print(1)', ["single call"]),
        ('check("double", double)', 'check("double", lambda x: 2)', ["single call"]),
        ('role="given" id="setup"', 'role="given" id="a b"', ["not allowed"]),
        (
            "from autograder import",
            "### BEGIN SOLUTION\nfrom autograder import",
            ["outside an exercise"],
        ),
        ('role="given" id="setup"', 'role="exercise" id="other"', ["BEGIN SOLUTION"]),
        ('PROFILE = "cpu"', 'PROFILE = "tpu"', ['PROFILE = "cpu"']),
        ('[markdown] items="9.9.C1"', "[markdown]", ["9.9.C1 has no cell"]),
        ('role="given" id="setup"', 'role="given" id="double"', ["used twice"]),
        ("# %% [markdown] role", "# %% role", ["written answer is markdown"]),
    ],
)
def test_wrong_source_is_refused_by_file_and_line(tiny, old, new, words):
    edit(tiny, old, new)
    with pytest.raises(BuildError) as caught:
        stage.read_all(tiny)
    for word in words:
        assert word in str(caught.value)


def test_missing_source_and_unlisted_source_are_refused(tiny):
    (tiny / "solutions/9.9-tiny/2_more.py").write_text((tiny / SOURCE).read_text())
    with pytest.raises(BuildError, match="2_more.py"):
        stage.read_all(tiny)
    (tiny / "solutions/9.9-tiny/2_more.py").unlink()
    (tiny / SOURCE).unlink()
    with pytest.raises(BuildError, match="1_double.py is missing"):
        stage.read_all(tiny)


def test_knowledge_check_needs_a_graded_cell(tiny):
    edit(tiny, "items: [9.9.K1], title", "items: [9.9.C1], title", "syllabus.yml")
    edit(tiny, 'items="9.9.K1" minutes=1', 'items="9.9.C1" minutes=1')
    edit(tiny, 'id="why-double" items="9.9.K1"', 'id="why-double" items="9.9.C1"')
    edit(tiny, "# # Double a number", '# # Double\n# %% [markdown] items="9.9.K1"\n# Words only.')
    with pytest.raises(SyllabusError, match=r"syllabus.yml:\d+: .*9\.9\.K1"):
        stage.read_all(tiny)


def test_stage_follows_the_sources(tiny):
    path = stage.stage(tiny) / "9.9-tiny/1_double.ipynb"
    first = path.stat().st_mtime_ns
    assert stage.stage(tiny) and path.stat().st_mtime_ns == first
    edit(tiny, "Double a number", "Double any number")
    stage.stage(tiny)
    assert "any number" in json.loads(path.read_text())["cells"][0]["source"][0]
