"""What this machine can run, and what each missing thing costs: behind `course doctor`.

Uses the standard library alone at import, because it must run where packages are missing.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata

from lab.paths import repo_root

PYTHON_LOW, PYTHON_HIGH = (3, 11), (3, 13)
EXTRA_COSTS = {
    "gpu": "CuPy on a GPU; the CUDA lessons run on the CPU without it",
    "nvrtc": "NVIDIA's compiler for CUDA sources: registers, occupancy, what a GPU would refuse",
    "dev": "the course's own tests",
    "llamacpp": "running GGUF files in llama.cpp (1.4); the lessons go on with shipped files",
}
EXTRA_REMEDIES = {"llamacpp": "make llamacpp (compiles for a few minutes, once)"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what it is, such as "GPU".
        state: "ok", "warning" or "missing".
        detail: what was found.
        costs: what its absence costs, one line; empty when ok.
        remedy: what to do, one line; empty when ok.
        essential: the course does not run without it.
    """

    name: str
    state: str
    detail: str
    costs: str = ""
    remedy: str = ""
    essential: bool = False


def examine() -> list[Finding]:
    """Look at everything. Takes a few seconds; changes nothing and raises nothing."""
    # Late: the module uses packages, guarded one by one.
    from lab import probes

    looks: list[tuple[str, Callable[[], Finding | list[Finding]]]] = [
        ("Python", lambda: judge_python(sys.version_info[:3])),
        ("packages", look_at_packages),
        ("GPU", probes.gpu),
        ("CUDA compiler", probes.cuda_compiler),
        ("C++ compiler", probes.cxx_compiler),
        ("make", probes.make),
        ("disk", probes.disk),
        ("network", probes.network),
        ("mirror", probes.mirror),
        ("data cache", probes.data_cache),
    ]
    findings: list[Finding] = []
    for name, look in looks:
        try:
            found = look()
        except Exception as error:  # one broken probe must not hide the others
            remedy = "mend this first, then run `course doctor` again"
            detail = f"could not be examined ({type(error).__name__}: {error})"
            found = Finding(name, "warning", detail, "not known", remedy)
        findings.extend(found if isinstance(found, list) else [found])
    return findings


def judge_python(version: tuple[int, ...]) -> Finding:
    """Python 3.11 to 3.13, as pyproject.toml requires."""
    text = ".".join(map(str, version))
    if PYTHON_LOW <= tuple(version[:2]) <= PYTHON_HIGH:
        return Finding("Python", "ok", text, essential=True)
    return Finding(
        "Python",
        "missing",
        f"{text}, not 3.11, 3.12 or 3.13",
        "the pinned packages do not install",
        "install Python 3.11, 3.12 or 3.13 and run `make lab` again",
        essential=True,
    )


def look_at_packages() -> list[Finding]:
    """The base pins one by one, each extra as one finding."""
    project = tomllib.loads((repo_root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    findings = [judge_package(*pin, installed_version(pin[0])) for pin in pins(project)]
    for extra, lines in project.get("optional-dependencies", {}).items():
        wanted = pins({"dependencies": lines})
        versions = {name: installed_version(name) for name, _ in wanted}
        findings.append(judge_extra(extra, wanted, versions))
    return findings


def pins(project: dict) -> list[tuple[str, str]]:
    """Names and exact versions of a project table's dependencies."""
    found = (re.match(r"([\w.-]+)==([^\s;]+)", line) for line in project["dependencies"])
    return [(match[1], match[2]) for match in found if match]


def installed_version(package: str) -> str | None:
    """The installed version, None when there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def judge_package(package: str, pinned: str, installed: str | None) -> Finding:
    """A base package: absent is essential, another version a warning."""
    name = f"package {package}"
    if installed is None:
        return Finding(
            name,
            "missing",
            f"not installed, pinned to {pinned}",
            "notebooks that import it stop",
            "run `make lab`, which installs the pins",
            essential=True,
        )
    # A build tag such as +cpu is the same release.
    if installed.split("+")[0] != pinned:
        return Finding(
            name,
            "warning",
            f"{installed}, pinned to {pinned}",
            "figures and error messages may differ from the course's",
            "run `make lab`, which installs the pins",
        )
    return Finding(name, "ok", installed, essential=True)


def judge_extra(
    extra: str, wanted: Iterable[tuple[str, str]], versions: dict[str, str | None]
) -> Finding:
    """An optional group: what of it is absent or another version."""
    name = f"extra {extra}"
    absent = [package for package, _ in wanted if versions[package] is None]
    other = [
        f"{package} {versions[package]} (pinned {pinned})"
        for package, pinned in wanted
        if versions[package] and versions[package].split("+")[0] != pinned
    ]
    costs = EXTRA_COSTS.get(extra, "what needs this extra")
    remedy = EXTRA_REMEDIES.get(extra, f"pip install -e .[{extra}]")
    if absent:
        return Finding(name, "missing", f"without {', '.join(absent)}", costs, remedy)
    if other:
        return Finding(name, "warning", f"has {', '.join(other)}", costs, remedy)
    return Finding(name, "ok", "complete")


def render(findings: list[Finding]) -> str:
    """One line for each finding; base packages that are as pinned share one."""
    fine = [f for f in findings if f.name.startswith("package ") and f.state == "ok"]
    shown, folded = [], False
    for finding in findings:
        if finding not in fine:
            shown.append(finding)
        elif not folded:
            shown.append(Finding("base packages", "ok", f"{len(fine)} as pinned"))
            folded = True
    width = max((len(finding.name) for finding in shown), default=0)
    lines = []
    for finding in shown:
        line = f"{finding.state:<8} {finding.name:<{width}}  {finding.detail}"
        if finding.costs:
            line += f". Costs: {finding.costs}"
        if finding.remedy:
            line += f". Remedy: {finding.remedy}"
        lines.append(line)
    return "\n".join([*lines, "", summary(findings)])


def summary(findings: list[Finding]) -> str:
    """One closing sentence."""
    if exit_code(findings):
        names = ", ".join(f.name for f in findings if f.essential and f.state == "missing")
        return f"The course cannot run here yet: {names} missing."
    lesser = sum(finding.state != "ok" for finding in findings)
    if not lesser:
        return "Everything is here."
    return f"The course runs here; {lesser} optional thing{'s' * (lesser > 1)} could be better."


def exit_code(findings: list[Finding]) -> int:
    """0 when nothing essential is missing, else 1."""
    return int(any(finding.essential and finding.state == "missing" for finding in findings))
