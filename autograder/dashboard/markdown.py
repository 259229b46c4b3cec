"""PROGRESS.md: the course and a learner's state in it, as GitHub's Markdown. No time stamps."""

import math
import re
from collections.abc import Iterable
from fractions import Fraction

from autograder.dashboard.log import Entry
from autograder.dashboard.progress import PLANNED, Progress, number, percent
from autograder.syllabus import Exercise, Item, Module

CELLS = 25
KINDS = (("C", "Concepts"), ("K", "Knowledge checks"))
NEEDS = {"cpu": "a laptop", "gpu": "a CUDA machine", "none-here": "taught, not run here"}
INVITATION = (
    'No entries yet. Write the first one: `course log "what I did" --insight "..." '
    '--challenge "..." --next "..."`.'
)


def render(progress: Progress, log: Iterable[Entry] = ()) -> str:
    """The whole page. The same results and log give the same text."""
    sections = [_head(progress), _parts(progress), _ready(progress), "## Checklist"]
    sections += [_module(progress, module) for module in progress.syllabus.modules]
    for part in progress.syllabus.parts:
        if part.items:
            ticks = "\n".join(_tick(progress, item) for item in part.items)
            sections.append(f"### {plain(part.title)}\n\n{ticks}")
    sections += [_papers(progress), _arsenal(progress), _log(log)]
    return "\n\n".join(sections) + "\n"


def plain(text: str) -> str:
    """Text on one line that Markdown shows as it is."""
    text = " ".join(text.split())
    text = re.sub(r"([\\`*\[\]<>|~$&])", r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)


def bar(share: Fraction) -> str:
    """25 cells, rounded down: none filled at 0 and all only when complete."""
    filled = math.floor(share * CELLS)
    return "█" * filled + "░" * (CELLS - filled) + f" {percent(share)} %"


def _table(header: list[str], rows: Iterable[list[str]], align: str = "") -> str:
    marks = [":--" if mark != "r" else "--:" for mark in align.ljust(len(header), "l")]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, marks, *rows])


def _head(progress: Progress) -> str:
    lines = [
        f"# Progress: {plain(progress.syllabus.title)}",
        "",
        "Made by `course progress`; do not edit by hand. An item is ticked when every exercise that "
        "grades it has full points.",
    ]
    exercises = tuple(progress.syllabus.exercises.values())
    if progress.results.best:
        lines[-1] += f" Source: {plain(progress.results.source)}."
    if any(_pending(progress, exercise) for exercise in exercises):
        lines[-1] += " Some answers still wait for their grade."
    if not all(progress.counts(exercise) for exercise in exercises):
        lines[-1] += " Written answers are graded by a person and are not counted here."
    return "\n".join(lines)


def _pending(progress: Progress, exercise: Exercise) -> bool:
    result = progress.result(exercise)
    return result is not None and result.pending


def _parts(progress: Progress) -> str:
    course = progress.syllabus
    rows = []
    for part in course.parts:
        modules = progress.modules(part)
        if modules:
            rows.append(
                [
                    f"Part {part.id}: {plain(part.title)}",
                    progress.part_state(part),
                    bar(progress.part_share(part)),
                    f"{progress.modules_done(part)} / {len(modules)}",
                ]
            )
    done = f"**{progress.projects_done} / {len(course.modules)}**"
    rows.append(["**Total projects completed**", "", "", done])
    return _table(["Part", "Status", "Completion", "Modules done"], rows, "lllr")


def _ready(progress: Progress) -> str:
    rows = []
    for module in progress.syllabus.modules:
        ready = module.status == "ready"
        numbers = [
            str(len(module.notebooks)),
            str(len(module.exercises)),
            f"{number(module.points)}",
        ]
        rows.append(
            [
                f"{module.id} {plain(module.title)}",
                module.status.capitalize(),
                *(numbers if ready else ["–"] * 3),
            ]
        )
    header = ["Module", "Status", "Notebooks", "Exercises", "Points"]
    return "## What of the course is ready\n\n" + _table(header, rows, "llrrr")


def _module(progress: Progress, module: Module) -> str:
    state = progress.module_state(module)
    if state == PLANNED:
        note = f"Planned: its notebooks are not written yet. {plain(module.summary)}"
    else:
        points = f"{_points(progress, module.exercises)}"
        note = f"{state}, {points} points. {plain(module.summary)}"
    blocks = [f"### {module.id} {plain(module.title)}", note]
    for kind, heading in KINDS:
        ticks = [_tick(progress, item) for item in module.items if item.kind == kind]
        if ticks:
            blocks.append(f"**{heading}**\n\n" + "\n".join(ticks))
    steps = "\n".join(_tick(progress, progress.syllabus.items[s]) for s in module.project.steps)
    blocks.append(f"**Project: {plain(module.project.title)}**\n\n{steps}")
    return "\n\n".join(blocks)


def _points(progress: Progress, exercises: Iterable[Exercise]) -> str:
    exercises = tuple(exercises)
    return f"{number(progress.points(exercises))} / {number(progress.possible(exercises))}"


def _tick(progress: Progress, item: Item) -> str:
    exercises = [e for e in progress.naming(item) if progress.counts(e)]
    points = ""
    if exercises:
        waits = ", a grade is pending" if any(_pending(progress, e) for e in exercises) else ""
        points = f" ({_points(progress, exercises)} points{waits})"
    return f"- {_box(progress.item_done(item))} {item.id} {plain(item.title)}{points}"


def _box(done: bool) -> str:
    return "[x]" if done else "[ ]"


def _papers(progress: Progress) -> str:
    lines = ["## Reading list", ""]
    for paper in progress.syllabus.papers:
        module = progress.syllabus.module(paper.module)
        planned = ", planned" if module.status == "planned" else ""
        lines.append(
            f"- {_box(progress.paper_done(paper))} {plain(paper.title)}, {plain(paper.authors)} "
            f"{paper.year} (module {module.id}{planned})"
        )
    return "\n".join(lines)


def _arsenal(progress: Progress) -> str:
    rows = [
        [plain(tool.tool), ", ".join(tool.modules), NEEDS[tool.needs], plain(tool.note)]
        for tool in progress.syllabus.arsenal
    ]
    return "## Arsenal\n\n" + _table(["Tool", "Modules", "Needs", "Note"], rows)


def _log(log: Iterable[Entry]) -> str:
    blocks = ["## Captain's log"]
    for entry in log:
        heading = " · ".join(filter(None, [entry.date, entry.module, entry.title]))
        blocks.append(
            f"### {plain(heading)}\n\n"
            f"- **Progress:** {plain(entry.progress)}\n"
            f"- **Key insight:** {plain(entry.insight)}\n"
            f"- **Challenge:** {plain(entry.challenge)}\n"
            f"- **Next steps:** {plain(entry.next_steps)}"
        )
    if len(blocks) == 1:
        blocks.append(INVITATION)
    return "\n\n".join(blocks)
