"""The rules a source must keep, against syllabus.yml. Each broken rule is one BuildError."""

import ast
import re
from collections.abc import Iterable

from autograder.build.sources import BuildError, Source, SourceCell
from autograder.syllabus import Module, Syllabus

GRADE_ID = re.compile(r"^[A-Za-z0-9_-]+$")
NEEDS_ID = ("exercise", "check", "predict", "written")


def validate(source: Source, syllabus: Syllabus) -> None:
    """Check one notebook's cells: roles, ids, items, points, solutions, the check call."""
    module = syllabus.module_by_folder(source.folder)
    _parameters(source)
    seen: set[tuple[str, str]] = set()
    for cell in source.cells:
        _identity(source, cell, seen)
        _items(source, cell, syllabus)
        if cell.role == "exercise":
            _exercise(source, cell)
        elif "### BEGIN SOLUTION" in cell.text:
            raise source.fail(
                cell,
                "a solution outside an exercise.",
                "Make the cell an exercise or drop the marks.",
            )
        if cell.role == "check":
            _check(source, cell)
        if cell.role == "written" and cell.kind != "markdown":
            raise source.fail(cell, "a written answer is markdown.", "Write `# %% [markdown]`.")
        if cell.role in ("check", "written"):
            _points(source, cell, module)
    _pairs(source)
    _entries(source, module)


def _parameters(source: Source) -> None:
    cells = [c for c in source.cells if c.role == "parameters"]
    if len(cells) != 1 or 'PROFILE = "cpu"' not in cells[0].text:
        raise source.fail(
            cells[1] if len(cells) > 1 else None,
            f"{len(cells)} parameters cells.",
            'Write exactly one, holding `PROFILE = "cpu"`.',
        )


def _identity(source: Source, cell: SourceCell, seen: set) -> None:
    if cell.role in NEEDS_ID and not cell.id:
        raise source.fail(cell, f"a cell of role {cell.role!r} has no id.", 'Add id="...".')
    if not cell.id:
        return
    if not GRADE_ID.match(cell.id):
        raise source.fail(
            cell, f"id {cell.id!r} is not allowed.", "Use letters, digits, `_` and `-` only."
        )
    kind = "check" if cell.role == "check" else "cell"
    if (kind, cell.id) in seen:
        raise source.fail(cell, f"id {cell.id!r} is used twice.", "Give each cell its own id.")
    seen.add((kind, cell.id))


def _items(source: Source, cell: SourceCell, syllabus: Syllabus) -> None:
    for item in cell.items:
        if item not in syllabus.items:
            raise source.fail(cell, f"item {item!r} is not in syllabus.yml.", "Correct its id.")


def _exercise(source: Source, cell: SourceCell) -> None:
    if cell.text.count("### BEGIN SOLUTION") < 1 or cell.text.count(
        "### BEGIN SOLUTION"
    ) != cell.text.count("### END SOLUTION"):
        raise source.fail(
            cell,
            f"exercise {cell.id!r} has no `### BEGIN SOLUTION` ... `### END SOLUTION`.",
            "Mark the lines that learners must write.",
        )


def _check(source: Source, cell: SourceCell) -> None:
    """A check cell is one call: nbgrader scores anything more (stderr, a trailing False) wrongly."""
    try:
        body = ast.parse(cell.text).body
        call = body[0].value
        good = (
            len(body) == 1
            and isinstance(call, ast.Call)
            and getattr(call.func, "id", "") == "check"
            and len(call.args) == 2
            and not call.keywords
            and ast.literal_eval(call.args[0]) == cell.id
            and isinstance(call.args[1], ast.Name)
        )
    except (SyntaxError, AttributeError, IndexError, ValueError):
        good = False
    if not good:
        raise source.fail(
            cell, "a check cell is a single call.", f'Write `check("{cell.id}", name)`, no more.'
        )


def _points(source: Source, cell: SourceCell, module: Module) -> None:
    entry = next((e for e in module.exercises if e.id == cell.id), None)
    if entry is None:
        raise source.fail(
            cell, f"{cell.id!r} is not an exercise of {module.id} in syllabus.yml.", "Add it there."
        )
    if entry.notebook != source.name:
        raise source.fail(
            cell,
            f"syllabus.yml puts {cell.id!r} in {entry.notebook}.",
            "Correct the one or the other.",
        )
    if cell.points != entry.points:
        raise source.fail(
            cell,
            f"{cell.id!r} has points={cell.points}, syllabus.yml says {entry.points}.",
            "Make them equal.",
        )
    kind = "code" if cell.role == "check" else "written"
    if entry.kind != kind:
        raise source.fail(cell, f"syllabus.yml calls {cell.id!r} {entry.kind}.", f"Write {kind}.")


def _pairs(source: Source) -> None:
    exercises = {c.id: c for c in source.cells if c.role == "exercise"}
    checks = {c.id: c for c in source.cells if c.role == "check"}
    for name, cell in exercises.items():
        if name not in checks:
            raise source.fail(
                cell, f"exercise {name!r} has no check.", "Add a check cell after it."
            )
    for name, cell in checks.items():
        if name not in exercises:
            raise source.fail(
                cell, f"check {name!r} has no exercise.", "Add the exercise before it."
            )
        if exercises[name].line > cell.line:
            raise source.fail(cell, f"check {name!r} stands before its exercise.", "Move it down.")


def _entries(source: Source, module: Module) -> None:
    graded = {c.id: c for c in source.cells if c.role in ("exercise", "written")}
    for entry in module.exercises:
        if entry.notebook != source.name:
            continue
        if entry.id not in graded:
            raise source.fail(
                None,
                f"exercise {entry.id!r} of syllabus.yml has no cell.",
                "Write it or remove it.",
            )
        cell = graded[entry.id]
        if set(cell.items) != set(entry.items):
            raise source.fail(
                cell,
                f"{entry.id!r} names items {sorted(cell.items)}, syllabus.yml {sorted(entry.items)}.",
                "Make them equal.",
            )


def validate_module(
    module: Module, sources: Iterable[Source], root_shown: str = "syllabus.yml"
) -> None:
    """Every notebook listed exists and every item has its cells: text for C, a graded cell for K, P."""
    sources = list(sources)
    names = {s.name for s in sources}
    listed = {n.file for n in module.notebooks}
    for name in sorted(listed - names):
        raise BuildError(f"{root_shown}: solutions/{module.folder}/{name}.py is missing. Write it.")
    for source in sources:
        if source.name not in listed:
            raise source.fail(
                None, f"module {module.id} does not list this notebook.", f"Add it to {root_shown}."
            )
    cells = [c for s in sources for c in s.cells]
    taught = {i for c in cells if c.role not in ("check",) for i in c.items}
    graded = {i for c in cells if c.role in ("exercise", "written") for i in c.items}
    for item in module.items:
        if item.id not in taught:
            raise BuildError(
                f"{root_shown}: item {item.id} has no cell in solutions/{module.folder}/. "
                f'Teach it in a cell with items="{item.id}".'
            )
        if item.id.split(".")[-1][0] in "KP" and item.id not in graded:
            raise BuildError(
                f"{root_shown}: item {item.id} has no graded cell in solutions/{module.folder}/. "
                f'Add an exercise or a written answer with items="{item.id}".'
            )
