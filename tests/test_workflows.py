"""GitHub's own schema accepts the workflows, and what they call exists."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def schema_check(path: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    return subprocess.run(
        [*command, "vendor.github-workflows", str(path)], capture_output=True, text=True
    )


def load(path: Path) -> dict:
    # BaseLoader keeps `on` a string, where YAML 1.1 reads it as true.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_both_workflows_are_there():
    assert {path.stem for path in WORKFLOWS} >= {"ci", "gpu"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_schema_accepts(path):
    checked = schema_check(path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("runs-on:", "run-on:", "run-on"),
        ("timeout-minutes: 60", "timeout-minutes: soon", "timeout-minutes"),
        ("contents: read", "contents: execute", "contents"),
    ],
)
def test_schema_refuses_a_broken_workflow(tmp_path, right, wrong, said):
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "broken.yml"
    broken.write_text(text.replace(right, wrong), encoding="utf-8")
    checked = schema_check(broken)
    assert checked.returncode != 0
    assert said in checked.stdout + checked.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_make_targets_exist(path):
    makefile = ROOT / "Makefile"
    if not makefile.exists():
        pytest.skip("no Makefile")
    targets = set(re.findall(r"^([\w-]+):(?!=)", makefile.read_text(), re.MULTILINE))
    steps = [step for job in load(path)["jobs"].values() for step in job["steps"]]
    called = re.findall(r"\bmake ([\w-]+)", "\n".join(step.get("run", "") for step in steps))
    assert called, "a workflow that calls no target of ours tests nothing"
    assert set(called) <= targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_guards(path):
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert int(job["timeout-minutes"]) > 0
        uploads = [s for s in job["steps"] if s.get("uses", "").startswith("actions/upload")]
        assert [u["with"]["path"] for u in uploads] == ["ci/out"]
        assert all(u["if"] == "always()" for u in uploads)


def test_no_pull_request_reaches_the_gpu_machine():
    triggers = load(ROOT / ".github" / "workflows" / "gpu.yml")["on"]
    assert set(triggers) == {"schedule", "workflow_dispatch"}


def test_matrix_is_every_python_that_the_project_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = SpecifierSet(project["requires-python"])
    expected = {f"3.{minor}" for minor in range(8, 30) if f"3.{minor}.0" in allowed}
    matrix = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert set(matrix["python"]) == expected
