"""Read a py:percent source: its cells, their headers, and the line each starts on."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext

ROLES = ("given", "exercise", "check", "predict", "written", "parameters")
HEADER = re.compile(r"^# %%")


class BuildError(Exception):
    """Something in a source is wrong; the text names the file, the line and the remedy."""


@dataclass
class SourceCell:
    """One cell of a source. line: 1-based line of its `# %%` header."""

    kind: str
    text: str
    line: int
    role: str = ""
    id: str = ""
    items: tuple[str, ...] = ()
    points: float | None = None
    minutes: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Source:
    """A source notebook: its path (relative to the root, for messages) and cells."""

    path: Path
    shown: str
    folder: str
    name: str
    cells: list[SourceCell]

    def fail(self, cell: SourceCell | None, problem: str, remedy: str) -> BuildError:
        line = f":{cell.line}" if cell else ""
        return BuildError(f"{self.shown}{line}: {problem} {remedy}")


def read_source(path: Path, root: Path) -> Source:
    """Parse one source file. Raises BuildError naming file and line."""
    shown = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:
        raise BuildError(
            f"{shown}: cannot be read ({error}). Save it as UTF-8 py:percent."
        ) from None
    lines = [i for i, line in enumerate(text.splitlines(), 1) if HEADER.match(line)]
    if len(lines) != len(notebook.cells):
        raise BuildError(
            f"{shown}: {len(notebook.cells)} cells but {len(lines)} headers. "
            "Start every cell, the first one too, with `# %%`."
        )
    source = Source(path, shown, path.parent.name, path.stem, [])
    for cell, line in zip(notebook.cells, lines, strict=True):
        source.cells.append(_cell(source, cell, line))
    return source


def _cell(source: Source, cell: Any, line: int) -> SourceCell:
    meta = {k: v for k, v in cell.metadata.items() if k != "lines_to_next_cell"}
    out = SourceCell(
        kind=cell.cell_type,
        text=cell.source,
        line=line,
        role=str(meta.pop("role", "")),
        id=str(meta.pop("id", "")),
        items=tuple(str(meta.pop("items", "")).split()),
        points=meta.pop("points", None),
        minutes=meta.pop("minutes", None),
    )
    if out.role and out.role not in ROLES:
        raise source.fail(out, f"unknown role {out.role!r}.", f"Use one of {', '.join(ROLES)}.")
    out.extra = {k: meta.pop(k) for k in ("tags",) if k in meta}
    if meta:
        raise source.fail(
            out,
            f"unknown key {sorted(meta)[0]!r} in the cell's header.",
            "Allowed: role, id, items, points, minutes, tags.",
        )
    for name in ("points", "minutes"):
        value = getattr(out, name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0
        ):
            raise source.fail(out, f"{name}={value!r} is not a positive number.", "Write a number.")
    return out
