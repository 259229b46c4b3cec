"""Which submitted cell is which cell of the instructor's notebook.

By nbgrader's id first; then by what the cell is (the same text, the same check call, the function it
defines); then by its place between cells that are already known.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.grading.reading import Cell, Submitted, SubmittedCell

_CHECK = re.compile(r"""^check\(\s*["']([\w-]{1,100})["']\s*,?\s*([^()\n]{0,200})""", re.MULTILINE)
_DEFINES = re.compile(r"^(?:async[ ]+)?(?:def|class)[ ]+(\w+)", re.MULTILINE)
_ASSIGNS = re.compile(r"^(\w+)[ ]*(?::[^=\n]{0,100})?=(?!=)", re.MULTILINE)


@dataclass
class BaseCell(Cell):
    """One cell of the instructor's notebook, as far as matching asks. targets: names its check uses."""

    locked: bool = False
    solution: bool = False
    targets: frozenset[str] = frozenset()

    @property
    def open(self) -> bool:
        """Whether it is released code that learners may edit; papermill's parameters are not."""
        free = self.kind == "code" and not (self.locked or self.solution)
        return free and not self.key.startswith("parameters:")

    def blank(self, text: str) -> bool:
        """Whether a text is the released one, or nothing."""
        return plain(text) in ("", plain(self.source))


def plain(text: str) -> str:
    """A text without the differences that editors make."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def functions(text: str) -> set[str]:
    """Functions and classes that a cell defines at its top level, read without parsing it."""
    return set(_DEFINES.findall(text))


def names(text: str) -> set[str]:
    """Functions, classes and variables that a cell defines at its top level."""
    return functions(text) | set(_ASSIGNS.findall(text))


def check_calls(text: str) -> dict[str, list[str]]:
    """Exercise ids that a cell calls `check` with, and the names that it hands over."""
    return {name: re.findall(r"\b[A-Za-z_]\w*", rest) for name, rest in _CHECK.findall(text)}


def with_targets(base: list[BaseCell]) -> list[BaseCell]:
    """Give each exercise the names that its check asks for (else those that its stub defines)."""
    calls = {n: v for cell in base if cell.locked for n, v in check_calls(cell.source).items()}
    for cell in base:
        if cell.solution and cell.kind == "code":
            stub = functions(cell.source)
            cell.targets = frozenset(stub & set(calls.get(cell.grade_id, ())) or stub)
            if not stub:
                cell.targets = frozenset(calls.get(cell.grade_id, ()))
    return base


def likeness(base: list[BaseCell], submitted: Submitted) -> int:
    """How much of the instructor's notebook is recognised in a submitted one; 0 is none."""
    ids = {c.grade_id for c in base if c.grade_id}
    targets = {name for c in base for name in c.targets}
    checks = {name for c in base if c.locked for name in check_calls(c.source)}
    found_ids = {c.grade_id for c in submitted.cells}
    code = [c.source for c in submitted.cells if c.kind == "code"]
    found_names = {name for text in code for name in names(text)}
    found_checks = {name for text in code for name in check_calls(text)}
    return len(ids & found_ids) + 2 * len(checks & found_checks) + len(targets & found_names)


def match(base: list[BaseCell], cells: list[SubmittedCell]) -> dict[int, int]:
    """Base index by submitted index, each at most once."""
    return _Matcher(base, cells).run()


class _Matcher:
    def __init__(self, base: list[BaseCell], cells: list[SubmittedCell]):
        self.base, self.cells = base, cells
        self.defined = [names(c.source) if c.kind == "code" else set() for c in cells]
        self.owner: dict[int, int] = {}
        self.taken: dict[int, int] = {}

    def run(self) -> dict[int, int]:
        self.by_true_copy()
        self.by_grade_id()
        self.by_marks()
        self.by_text()
        self.by_check_call()
        self.by_name()
        self.by_position()
        self.by_elimination()
        return self.owner

    def take(self, sub: int, base: int) -> None:
        if sub not in self.owner and base not in self.taken:
            self.owner[sub] = base
            self.taken[base] = sub

    def free(self) -> Iterable[int]:
        return (s for s in range(len(self.cells)) if s not in self.owner)

    def by_true_copy(self) -> None:
        """Locked cells as they were released, with their own id or, failing that, with any."""
        locked = {b: c for b, c in enumerate(self.base) if c.locked and c.grade_id}
        by_text = defaultdict(list)
        for s, cell in enumerate(self.cells):
            by_text[cell.kind, plain(cell.source)].append(s)
        for trusting in (False, True):
            for b, cell in locked.items():
                for s in by_text.get((cell.kind, plain(cell.source)), ()):
                    if trusting or self.cells[s].grade_id == cell.grade_id:
                        self.take(s, b)

    def by_grade_id(self) -> None:
        groups = defaultdict(list)
        for number, cell in enumerate(self.cells):
            if cell.grade_id:
                groups[cell.grade_id].append(number)
        for b, cell in enumerate(self.base):
            if cell.grade_id in groups:
                self.take(self._best(cell, groups[cell.grade_id]), b)

    def _best(self, base: BaseCell, subs: list[int]) -> int:
        """Of cells with the same id: the last that holds an answer; of a locked one, the true copy."""
        texts = [(s, self.cells[s].source) for s in subs]
        if not base.solution:
            return next((s for s, text in texts if base.blank(text)), subs[0])
        answered = [(s, text) for s, text in texts if not base.blank(text)]
        named = [s for s, _ in answered if base.targets & self.defined[s]]
        return (named or [s for s, _ in answered] or subs[:1])[-1]

    def by_marks(self) -> None:
        """Cells of the release that nbgrader does not know: the course's own id, or the cell's."""
        for mark in ("key", "cell_id"):
            where = {getattr(c, mark): b for b, c in enumerate(self.base) if not c.grade_id}
            for s in list(self.free()):
                value = getattr(self.cells[s], mark)
                b = where.get(value)
                named = bool(value.rpartition(":")[2])
                if b is not None and named and self.base[b].kind == self.cells[s].kind:
                    self.take(s, b)

    def by_text(self) -> None:
        where = defaultdict(list)
        for b, cell in enumerate(self.base):
            if b not in self.taken and not cell.solution:
                where[cell.kind, plain(cell.source)].append(b)
        for s in list(self.free()):
            queue = where.get((self.cells[s].kind, plain(self.cells[s].source)))
            if queue and self.cells[s].source.strip():
                self.take(s, queue.pop(0))

    def by_check_call(self) -> None:
        where = {}
        for b, cell in enumerate(self.base):
            if cell.locked:
                where.update(dict.fromkeys(check_calls(cell.source), b))
        for s in list(self.free()):
            text = self.cells[s].source if self.cells[s].kind == "code" else ""
            # A cell that also defines something may be an answer with a call at its end.
            for name in () if functions(text) else check_calls(text):
                if name in where:
                    self.take(s, where[name])

    def by_name(self) -> None:
        for b, cell in enumerate(self.base):
            if b in self.taken or not cell.targets:
                continue
            subs = [s for s in self.free() if cell.targets & self.defined[s]]
            if subs:
                self.take(self._best(cell, subs), b)

    def by_position(self) -> None:
        """Answers that nothing names: those that stand where the instructor's cell stood."""
        for kind in ("code", "markdown"):
            waiting = defaultdict(list)
            last = -1
            for b, cell in enumerate(self.base):
                if b in self.taken:
                    last = self.taken[b]
                elif cell.solution and cell.kind == kind:
                    waiting[last].append(b)
            for start, bases in waiting.items():
                subs = [s for s in self.gap(start) if self._may_answer(self.cells[s], kind)]
                for s, b in zip(subs, bases, strict=False):
                    self.take(s, b)

    def by_elimination(self) -> None:
        """One written question, and one text that is no part of the release: that is the answer."""
        kind = "markdown"
        bases = [b for b, c in enumerate(self.base) if c.solution and c.kind == kind]
        bases = [b for b in bases if b not in self.taken]
        subs = [s for s in self.free() if self._may_answer(self.cells[s], kind)]
        if len(bases) == len(subs) == 1:
            self.take(subs[0], bases[0])

    def gap(self, start: int) -> list[int]:
        """Submitted cells after `start`, up to the next known one."""
        out = []
        for s in range(start + 1, len(self.cells)):
            if s in self.owner:
                break
            out.append(s)
        return out

    def _may_answer(self, cell: SubmittedCell, kind: str) -> bool:
        return cell.kind == kind and bool(cell.source.strip())
