"""Grades the whole bank, with and without the defence, and writes what came of it as a page."""

import argparse
import inspect
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from attacks import grading
from attacks.bank import APART, BARE, Attack, load
from attacks.course import REPOSITORY, make
from attacks.evidence import Seen, layers
from autograder.grading.sandbox import folders
from autograder.grading.sandbox.layers import sentence
from autograder.grading.sandbox.probe import probe_layers
from autograder.grading.warm.prepare import prepare

PAGE = REPOSITORY / "autograder" / "ATTACKS.md"
AT_ONCE = 2
HEAD = """# The bank of hostile submissions

Written by `make attack`, which grades each of them through `nbgrader autograde`. An attack is a function in
`tests/attacks/`, in the module that its table is headed with and with the name in its first column.

**Points gained** are those beyond the same answers handed in without the attack. **Stopped by** is read off what was
seen: error numbers, findings, remarks, reasons of the kernel's end; it is not written by hand. **Without the
defence** is what the same submission got, under stock nbgrader (its own Execute, no sandbox) or under the examiner in a
kernel without the sandbox; attacks that could hurt the machine are never run so.

Each group of attacks is one class, with an honest reference graded before and one after them. A group passes
only if both keep full marks, the gradebook has no odd row, no file outside the graders' own folders has changed,
no process is left and the grader's memory stays below {grader_mb} MB.
"""


@dataclass
class Result:
    """What one attack came to. breaches: one sentence each, empty when it was stopped."""

    attack: Attack
    gained: float
    outcome: str
    stopped_by: list[str]
    bare: str = ""
    breaches: list[str] = field(default_factory=list)


def run(attacks: list[Attack], folder: Path, kind: str = "") -> tuple[dict[str, Seen], dict, list]:
    """Grade one class of attacks. kind: a key of bank.BARE, or "" for the whole defence.

    Returns what was seen by name, the honest twins' points by kind of answers, and the harm done.
    """
    apart = attacks[0].group in APART
    course = make(folder, stock=kind == "stock", apart=apart)
    options = {
        "": (f"--CourseExecute.timeout={grading.CHECK_S}",),
        "open": (f"--CourseExecute.timeout={grading.CHECK_S}", "--CourseExecute.sandboxed=False"),
        "stock": (f"--Execute.timeout={grading.CHECK_S}",),
    }[kind]
    graded = grading.grade(course, attacks, options)
    if kind and len(attacks) > 1 and not graded.seen[grading.NEIGHBOURS[-1]].points:
        # One of them ended the run for all: which one is seen when each is alone.
        alone = [run([attack], folder / attack.name, kind) for attack in attacks]
        seen = {a.name: one[0][a.name] for a, one in zip(attacks, alone, strict=True)}
        return seen, {k: v for _, twins, _ in alone for k, v in twins.items()}, []
    twins = {k: graded.seen[f"b-twin-{k}"].total for k in {a.answers for a in attacks}}
    for attack in attacks:
        _witness(graded, attack)
    return graded.seen, twins, graded.harm


def _witness(graded: grading.Graded, attack: Attack) -> None:
    """Note a process of the attack's that was seen alive and is gone."""
    marks = set(re.findall(rf"{grading.MARK}\.\d+", inspect.getsource(attack.build)))
    graded.seen[attack.name].ended += sorted(graded.processes & marks)


def judge(attack: Attack, seen: Seen, honest: float) -> Result:
    """What came of one attack behind the whole defence."""
    gained, found = seen.total - honest, layers(seen)
    breaches = [f"it got hold of {what}" for what in seen.done]
    breaches += [f"it shows {what}" for what in sorted(seen.loot)]
    if gained > 0:
        breaches.append(f"it gained {gained:g} points")
    if len(seen.points) < 2 or None in seen.points.values():
        breaches.append("it has no grade")
    if not found and gained == 0 and attack.answers == "right":
        found = ["nothing to stop: it changes no grade and nothing else"]
    if not found:
        breaches.append("nothing was seen of what stopped it")
    outcome = f"{seen.total:g} points, as without it"
    if gained < 0:
        outcome = f"{seen.total:g} points, {-gained:g} fewer than without it"
    return Result(attack, max(gained, 0.0), outcome, found, breaches=breaches)


def effect(attack: Attack, seen: Seen, honest: float) -> str:
    """What the attack achieved where a defence was taken away."""
    got = []
    if seen.total > honest:
        got.append(f"{seen.total - honest:g} points gained")
    if len(seen.points) < 2 or None in seen.points.values():
        got.append("its grade is lost")
    elif seen.total < honest:
        got.append(f"{honest - seen.total:g} points lost")
    got += [f"got hold of {what.partition(':')[0]}" for what in seen.done[:2]]
    got += [f"shows {what}" for what in sorted(seen.loot)]
    where = "stock" if attack.bare == "stock" else "open kernel"
    return f"{where}: {', '.join(got) or 'no effect there either'}"


def work(attacks: list[Attack], bare: bool, console: Console) -> tuple[list[Result], list[str]]:
    """Grade all groups, a few at a time. Returns the results in order, and harm by group."""
    groups: dict[str, list[Attack]] = {}
    for attack in attacks:
        groups.setdefault(attack.group, []).append(attack)
    jobs = [(name, "", members) for name, members in groups.items()]
    for kind in BARE if bare else ():
        chosen = {n: [a for a in members if a.bare == kind] for n, members in groups.items()}
        jobs += [(name, kind, members) for name, members in chosen.items() if members]
    results: dict[str, Result] = {}
    effects: dict[str, str] = {}
    harm: list[str] = []
    place = tempfile.mkdtemp(prefix="course-attacks-")
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            folder = lambda job: Path(place, f"{job[0]}-{job[1]}")  # noqa: E731
            done = pool.map(lambda job: (job, run(job[2], folder(job), job[1])), jobs)
            for number, ((name, kind, members), (seen, twins, hurt)) in enumerate(done, 1):
                console.print(f"{number} of {len(jobs)}: {name} {BARE.get(kind, '')}")
                for attack in members:
                    honest = twins[attack.answers]
                    if kind:
                        effects[attack.name] = effect(attack, seen[attack.name], honest)
                    else:
                        results[attack.name] = judge(attack, seen[attack.name], honest)
                if not kind:
                    harm += [f"{name}: {what}" for what in hurt]
    finally:
        folders.remove(place)
    for name, result in results.items():
        result.bare = effects.get(name) or f"not run: {result.attack.never or 'left out'}"
    return [results[attack.name] for attack in attacks], harm


def rows(results: list[Result]) -> Iterator[str]:
    """The tables, group by group."""
    group = ""
    for result in results:
        attack = result.attack
        if attack.group != group:
            group = attack.group
            yield f"\n## {group}\n"
            yield "| attack | tries | result | gained | stopped by | without the defence |"
            yield "|---|---|---|---|---|---|"
        outcome = result.outcome + "".join(f"; **{text}**" for text in result.breaches)
        words = (attack.name, attack.tries, outcome, f"{result.gained:g}")
        words += ("; ".join(result.stopped_by), result.bare)
        yield f"| {' | '.join(word.replace('|', '/') for word in words)} |"


def totals(results: list[Result]) -> str:
    """One sentence with the figures."""
    proven = [r for r in results if r.attack.bare]
    worked = [r for r in proven if "no effect" not in r.bare and "not run" not in r.bare]
    stopped = sum(not r.breaches for r in results)
    return (
        f"{len(results)} attacks, {stopped} stopped, {sum(r.gained for r in results):g} points gained. "
        f"{len(proven)} were also run without the defence: {len(worked)} of them had an effect there."
    )


def write(results: list[Result], harm: list[str], path: Path) -> None:
    """Write the page."""
    lines = [HEAD.format(grader_mb=grading.GRADER_MB)]
    lines += [f"**{totals(results)}**", "", sentence(probe_layers()), ""]
    lines += [f"- Harm: {text}" for text in harm]
    path.write_text("\n".join([*lines, *rows(results)]) + "\n", encoding="utf-8")


def main() -> int:
    """Grade the bank. Returns 1 when an attack succeeded or harm was done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="the page to write; default: only the totals")
    parser.add_argument("--only", default="", help="attacks and modules whose name has this in it")
    parser.add_argument("--no-bare", action="store_true", help="leave out the runs without defence")
    options = parser.parse_args()
    chosen = [a for a in load().values() if options.only in f"{a.group} {a.name}"]
    console = Console()
    prepared = prepare(limits=grading.LIMITS)
    try:
        results, harm = work(chosen, not options.no_bare, console)
    finally:
        prepared.close()
    if options.out:
        write(results, harm, options.out)
    for result in results:
        for text in result.breaches:
            console.print(f"{result.attack.name}: {text}", style="bold red", markup=False)
    for text in harm:
        console.print(f"harm: {text}", style="bold red", markup=False)
    console.print(totals(results), markup=False)
    return int(bool(harm) or any(r.breaches for r in results))
