"""Pins: exact everywhere, and the same for conda and pip."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BASE = PROJECT["dependencies"] + EXTRAS["dev"] + EXTRAS["cluster"]


def test_every_requirement_is_pinned_exactly():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    loose = [
        r
        for group in groups
        for r in group
        if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9.]+(; sys_platform == 'linux')?", r)
    ]
    assert not loose, f"pin exactly with ==: {loose}"


def test_conda_environment_has_the_same_pins():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(d["pip"] for d in conda["dependencies"] if isinstance(d, dict))
    assert sorted(p for p in pip if p != "-e .") == sorted(BASE)


def test_installed_versions_are_the_pinned_ones():
    wanted = [r for r in map(Requirement, BASE) if r.marker is None or r.marker.evaluate()]
    assert len(wanted) > 30
    for requirement in wanted:
        found = version(requirement.name).split("+")[0]
        assert requirement.specifier.contains(found), f"{requirement}: run `make setup` again"
