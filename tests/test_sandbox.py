"""The sandbox's list of paths and names, and what its layers say."""

import os
import sys

import pytest

from autograder.grading.sandbox import (
    Layer,
    SandboxRefused,
    demand,
    files,
    policy,
    probe_layers,
    render,
    syscalls,
)
from autograder.grading.sandbox.layers import NAMES, none_here
from autograder.syllabus import repo_root

HELD = Layer("seccomp", True, "55 system calls refused")
ABSENT = Layer("landlock", False, "not available: too old")


def test_probe_names_every_layer_and_says_why():
    layers = probe_layers()
    assert {layer.name for layer in layers} == set(NAMES)
    assert len(layers) == len(NAMES)
    assert all(layer.detail for layer in layers)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
def test_probe_leaves_this_process_as_it_was(tmp_path):
    before = os.getuid(), os.getcwd(), dict(os.environ)
    probe_layers()
    (tmp_path / "still").write_text("writable")
    assert (os.getuid(), os.getcwd(), dict(os.environ)) == before


def test_elsewhere_nothing_is_held():
    layers = none_here()
    assert {layer.name for layer in layers} == set(NAMES)
    assert not any(layer.held for layer in layers)


def test_required_layer_that_is_absent_is_one_sentence_with_its_name_and_reason():
    demand([HELD])
    with pytest.raises(SandboxRefused, match="landlock .not available: too old.*Grade on another"):
        demand([HELD, ABSENT])
    assert render([HELD, ABSENT]).splitlines()[1] == ("landlock: NOT held, not available: too old")


@pytest.mark.parametrize("module", [files, syscalls])
def test_library_that_is_absent_is_a_layer_that_is_not_held(module, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "load", lambda: "no such library")
    rules = policy.Policy(str(tmp_path), str(tmp_path))
    layer = module.apply(rules, True) if module is files else module.apply(False)
    assert not layer.held and "no such library" in layer.detail


def test_environment_is_a_list_of_names():
    env = {"COURSE_SECRET": "s", "AWS_SECRET_ACCESS_KEY": "s", "LANG": "C", "HOME": "/home/prof"}
    kept = policy.scrub(env | {"COURSE_SEED": "7"}, "/private")
    assert "s" not in kept.values() and "COURSE_SEED" not in kept
    assert kept["LANG"] == "C"
    assert kept["HOME"] == "/private/home" and kept["TMPDIR"] == "/private/tmp"
    assert policy.scrub(env, "/private", ("COURSE_SEED",)).get("COURSE_SEED") is None
    assert policy.scrub({"COURSE_SEED": "7"}, "/private", ("COURSE_SEED",))["COURSE_SEED"] == "7"


def test_readable_paths_hold_the_check_and_no_judge_answer_or_solution():
    paths = policy.readable(dict(os.environ))
    root = repo_root()

    def reached(name):
        path = str(root / name)
        return any(path == up or path.startswith(f"{up}/") for up in paths)

    assert reached("lab/data.py") and reached("autograder/checks/api.py")
    for name in ("solutions", "tests", "modules", "ci", "autograder/work", "nbgrader_config.py"):
        assert not reached(name), name
    for found in (root / "autograder/checks").rglob("*.py"):
        inner = found.relative_to(root / "autograder/checks")
        if len(inner.parts) > 1:
            assert not reached(found.relative_to(root)), found
    assert not reached("autograder/grading/secret.py")


def test_extra_paths_are_read_and_absent_ones_dropped(tmp_path):
    paths = policy.readable({}, (str(tmp_path), str(tmp_path / "below"), str(tmp_path / "none")))
    assert str(tmp_path) in paths
    assert not [path for path in paths if path.startswith(f"{tmp_path}/")]


def test_policy_survives_json(tmp_path):
    import json

    rules = policy.Policy("/a", "/b", ("/c",), {"LANG": "C"}, policy.Limits(memory_mb=5))
    assert policy.Policy.from_plain(json.loads(json.dumps(rules.plain()))) == rules
