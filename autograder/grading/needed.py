"""Which cells a grade depends on: the answers, and the given cells whose names they use.

A lesson's own figures and experiments cost most of a notebook's time, and no exercise depends on
them. While grading they are passed over, unless an answer mentions a name that they bind.
"""

import functools
from typing import Any

from autograder.grading.names import Names

# An answer that uses one of these may reach any name at all: then every cell is run.
DYNAMIC = frozenset(
    """__builtins__ __globals__ __main__ _getframe builtins dir eval exec f_back f_globals
    get_ipython globals inspect locals modules vars""".split()  # noqa: SIM905
)

# Reading names takes a time that grows with the square of a text; no lesson comes near these.
MOST_CELL_CHARS, MOST_CHARS = 20_000, 200_000


def needed(cells: list[Any]) -> set[int]:
    """Indexes of the cells to run, in a notebook that the intake has made from the instructor's.

    Answers, checks, parameters and setup always; another code cell when a needed cell uses a name
    that it binds or changes. All cells when an answer could reach names in ways not seen here, or
    when there is too much text to look at.
    """
    code = {i: cell for i, cell in enumerate(cells) if cell.cell_type == "code"}
    sizes = [len(cell.source) for cell in code.values()]
    if max(sizes, default=0) > MOST_CELL_CHARS or sum(sizes) > MOST_CHARS:
        return set(code)
    names = {i: _names(cell.source) for i, cell in code.items()}
    answers = {i for i, cell in code.items() if _marks(cell).get("solution")}
    if any((names[i].used | names[i].reached) & DYNAMIC for i in answers):
        return set(code)
    checks = {i for i, cell in code.items() if _marks(cell).get("grade")}
    todo = [i for i, cell in code.items() if i in answers | checks or is_setup(cell)]
    found = set(todo)
    while todo:
        wanted = names[todo.pop()].used
        more = [i for i in code if i not in found and names[i].bound & wanted]
        found.update(more)
        todo += more
    return found


@functools.lru_cache(maxsize=512)
def _names(source: str) -> Names:
    """Kept: most cells of a class are the instructor's own, the same in every submission."""
    return Names(source)


def _marks(cell: Any) -> dict:
    return cell.metadata.get("nbgrader", {})


def is_setup(cell: Any) -> bool:
    """Whether a cell gives the others their imports and parameters."""
    course = cell.metadata.get("course", {})
    tagged = "parameters" in cell.metadata.get("tags", [])
    return tagged or str(course.get("id", "")).startswith("setup")
