"""The bank of hostile submissions: the page lists it, and a sample of it is graded here.

`make attack` grades the whole bank, also without the defence, and writes the page.
"""

import re

import pytest
from attacks import bank, grading
from attacks.course import REPOSITORY
from attacks.evidence import Seen, layers
from attacks.page import PAGE, judge, run

from autograder.grading.warm.prepare import prepare

SAMPLE = [
    "patched-asserts",
    "ast-transformer",
    "frame-walking",
    "replaced-user-expressions",
    "forged-result-on-iopub",
    "outputs-of-the-wrong-types",
    "tensor-larger-than-memory",
    "reads-other-submissions",
    "writes-points-into-the-gradebook",
    "link-in-place-of-its-notebook",
    "one-file-without-end",
    "os-exit",
    "duplicated-cells",
    "timestamp-that-is-none",
]


def rows() -> list[list[str]]:
    """The page's tables: name, what it tries, result, points gained, stopped by, without defence."""
    lines = [x for x in PAGE.read_text(encoding="utf-8").splitlines() if x.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "attack"]


def test_the_bank_is_as_large_as_it_is_said_to_be():
    known = bank.load()
    assert len(known) >= 60 and set(SAMPLE) <= set(known)


def test_page_lists_every_attack_and_none_else():
    tries = [[a.name, a.tries.replace("|", "/")] for a in bank.load().values()]
    assert [row[:2] for row in rows()] == tries, "run `make attack`"


def test_page_and_readme_hold_the_same_figures():
    text = PAGE.read_text(encoding="utf-8")
    said = re.search(r"\*\*((\d+) attacks, (\d+) stopped, (\d+) points gained)", text)
    assert [int(x) for x in said.groups()[1:]] == [len(rows()), len(rows()), 0]
    assert {row[3] for row in rows()} == {"0"} and all(row[4] for row in rows())
    assert "Harm:" not in text
    readme = " ".join((REPOSITORY / "README.md").read_text(encoding="utf-8").split())
    assert said[1] in readme and "autograder/ATTACKS.md" in readme


@pytest.mark.slow
@pytest.mark.xdist_group("nbgrader")
def test_sample_gains_nothing_and_harms_nobody(tmp_path):
    known = bank.load()
    chosen = [known[name] for name in SAMPLE]
    prepared = prepare(limits=grading.LIMITS)
    try:
        seen, honest, harm = run(chosen, tmp_path / "class")
    finally:
        prepared.close()
    assert not harm
    found = {a.name: judge(a, seen[a.name], honest[a.answers]) for a in chosen}
    assert {name: r.breaches for name, r in found.items() if r.breaches} == {}
    stopped = {name: "; ".join(r.stopped_by) for name, r in found.items()}
    assert "judged outside" in stopped["patched-asserts"]
    assert "view" in stopped["reads-other-submissions"]
    assert "working folder" in stopped["link-in-place-of-its-notebook"]
    assert "file size" in stopped["one-file-without-end"]
    assert "intake" in stopped["duplicated-cells"]


def attack(**more) -> bank.Attack:
    return bank.Attack("x", "Tries.", "g", print, **more)


def test_success_of_an_attack_is_seen():
    grades = {"sqnr": 3.0, "symmetric-quantize": 0.0}
    report = {"check-sqnr": "sqnr: 0 of 3 points"}
    stopped = Seen({"sqnr": 0.0, "symmetric-quantize": 0.0}, reports=report)
    assert judge(attack(), stopped, 0.0).breaches == []
    assert "gained 3" in judge(attack(), Seen(grades, reports=report), 0.0).breaches[0]
    assert judge(attack(answers="half"), Seen(grades, reports=report), 3.0).breaches == []
    stolen = Seen(stopped.points, reports=report, loot={"secret"}, done=["a file: x"])
    assert len(judge(attack(), stolen, 0.0).breaches) == 2
    assert "no grade" in judge(attack(), Seen({}, reports=report), 0.0).breaches[0]
    assert "nothing was seen" in judge(attack(), Seen(stopped.points), 0.0).breaches[0]


def test_layers_are_read_off_what_was_seen():
    seen = Seen({}, refused=[("a", "FileNotFoundError", "2"), ("b", "PermissionError", "13")])
    assert [x.split(":")[0] for x in layers(seen)] == ["view", "landlock or user"]
    seen = Seen({}, text="KernelDied: This cell ended the kernel: memory limit 9 MB exceeded.")
    assert layers(seen) == ["limits: memory"]
    assert layers(Seen({}, left={("l", "'x'")}))[0].startswith("working folder")
    assert layers(Seen({}, left={("-", "'x'")}, returned={("-", "'x'")})) == []


def test_attack_says_where_it_runs_bare_or_why_it_does_not():
    with pytest.raises(ValueError, match="say where"):
        bank.attack()(print)
    with pytest.raises(ValueError, match="say where"):
        bank.attack(bare="stock", never="both")(print)
