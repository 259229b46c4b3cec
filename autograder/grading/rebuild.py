"""A submission put together anew: the instructor's notebook, with the learner's answers in it.

Only answers are taken from a submission, and the cells that a learner added (they may define helpers).
Graded cells, their points, ids and order are the instructor's, whatever the submission says.
"""

import copy
import html
import re
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.grading.instructor import base_cells
from autograder.grading.matching import BaseCell, functions, match, names, plain
from autograder.grading.reading import MAX_SOURCE_CHARS, Submitted, SubmittedCell

MAX_EXTRA_CELLS = 500
MAX_REPAIRS = 30


@dataclass
class Slot:
    """One cell of the notebook to be. base: its place in the instructor's; None for an added cell."""

    kind: str
    source: str
    base: int | None = None
    attachments: dict = field(default_factory=dict)


@dataclass
class Rebuilt:
    """The notebook, and one sentence for each thing that was repaired (none for a sound submission)."""

    notebook: NotebookNode
    repairs: list[str]


def rebuild(instructor: NotebookNode, submitted: Submitted) -> Rebuilt:
    """Put the learner's answers into the instructor's notebook.

    instructor: nbformat 4, with nbgrader's v3 metadata; not changed. The result's graded cells have
    exactly its ids, points, order and locked text.
    """
    work = _Rebuild(base_cells(instructor), submitted)
    slots = work.slots()
    return Rebuilt(assemble(instructor, slots, work.repairs), work.repairs)


def refused(instructor: NotebookNode, reason: str) -> Rebuilt:
    """The instructor's notebook with no answers, and the reason at its top."""
    slots = [Slot(c.cell_type, c.source, b) for b, c in enumerate(instructor.cells)]
    return Rebuilt(assemble(instructor, slots, [reason]), [reason])


def assemble(instructor: NotebookNode, slots: list[Slot], remarks: list[str]) -> NotebookNode:
    """A notebook of the slots; the remarks stand in a text cell at the top."""
    out = copy.deepcopy(instructor)
    cells = []
    if remarks:
        lines = "\n".join(f"- {html.escape(text)}" for text in remarks)
        text = f"**Before grading, this notebook was put right:**\n\n{lines}"
        cells.append(
            new_markdown_cell(text, id="repairs", metadata={"course": {"role": "repairs"}})
        )
    for number, slot in enumerate(slots):
        if slot.base is None:
            make = new_code_cell if slot.kind == "code" else new_markdown_cell
            cell = make(slot.source, id=f"added-{number}", metadata={"course": {"role": "added"}})
        else:
            cell = copy.deepcopy(instructor.cells[slot.base])
            cell.source = slot.source
        if slot.attachments and cell.cell_type == "markdown":
            cell["attachments"] = slot.attachments
        cells.append(cell)
    out.cells = cells
    return out


class _Rebuild:
    def __init__(self, base: list[BaseCell], submitted: Submitted):
        self.base, self.cells = base, submitted.cells
        self.repairs = list(submitted.notes)
        self.owner = match(base, self.cells)
        self.taken = {b: s for s, b in self.owner.items()}
        self.used: set[int] = set(self.owner)
        self.language = submitted.language

    def slots(self) -> list[Slot]:
        filled = [self.fill(b, cell) for b, cell in enumerate(self.base)]
        added = self.added()
        out = list(added.get(-1, ()))
        for b, slot in enumerate(filled):
            out += [slot, *added.get(b, ())]
        out = self.hoist(out)
        self.remark_changes()
        if len(self.repairs) > MAX_REPAIRS:
            self.repairs[MAX_REPAIRS:] = [f"And {len(self.repairs) - MAX_REPAIRS} more."]
        return out

    def note(self, text: str) -> None:
        if text not in self.repairs:
            self.repairs.append(text)

    def fill(self, b: int, cell: BaseCell) -> Slot:
        """The instructor's cell with what the learner may write into it."""
        slot = Slot(cell.kind, cell.source, b)
        sub = self.cells[self.taken[b]] if b in self.taken else None
        if cell.solution:
            texts = self.answer(b, cell, sub)
            source = "\n\n".join(c.source.strip("\n") for c in texts)
            if len(source) > MAX_SOURCE_CHARS:
                self.note(f"The answer to {cell.grade_id} is too long to be graded: left out.")
            elif source.strip():
                slot.source = source
                for text in texts:
                    slot.attachments |= text.attachments
            if not texts:
                self.nothing(b, cell, slot)
        elif cell.open and sub and sub.source.strip():
            slot.source = sub.source[:MAX_SOURCE_CHARS]
        return slot

    def nothing(self, b: int, cell: BaseCell, slot: Slot) -> None:
        """No answer in its own place: the released text stays, unless an earlier answer holds it."""
        for other in range(b):
            if other in self.taken and self.base[other].solution:
                new = names(self.cells[self.taken[other]].source) - names(self.base[other].source)
                if cell.targets & new:
                    slot.source = f"# Answered in the cell of {self.base[other].grade_id}."
                    self.note(f"The answer to {cell.grade_id} is in another exercise's cell.")
                    return
        if b not in self.taken:
            self.note(f"No answer to {cell.grade_id} was found: its cell is missing.")

    def answer(self, b: int, cell: BaseCell, sub: SubmittedCell | None) -> list[SubmittedCell]:
        """The cells that make up one answer; they are taken from wherever the learner wrote it."""
        own = [sub] if sub and not cell.blank(sub.source) else []
        if cell.kind == "code":
            if (own and not cell.targets) or cell.targets & _names(own):
                return own
            found = self.elsewhere(cell)
        else:
            found = [] if own else self.following(b)
        if found:
            self.note(
                f"The answer to {cell.grade_id} was in another cell; it is moved to its place."
            )
            self.used.update(found)
            own = [self.without_checks(c) for c in (*own, *(self.cells[s] for s in found))]
        return own

    def elsewhere(self, cell: BaseCell) -> list[int]:
        """The last cell that defines what the check asks for: an added one, or a changed check cell."""
        spare = [s for s in range(len(self.cells)) if s not in self.used or self.changed(s)]
        spare = [s for s in spare if self.cells[s].kind == "code"]
        return [s for s in spare if cell.targets & names(self.cells[s].source)][-1:]

    def changed(self, s: int) -> bool:
        """Whether it is a locked cell whose text is not the instructor's."""
        base = self.base[self.owner[s]] if s in self.owner else None
        return bool(base and base.locked and not base.blank(self.cells[s].source))

    def without_checks(self, cell: SubmittedCell) -> SubmittedCell:
        """The cell without its calls of `check`, which belong in the instructor's cells."""
        source = re.sub(r"^check\([^\n]*\)[ \t]*$", "", cell.source, flags=re.MULTILINE)
        return SubmittedCell(cell.kind, source, attachments=cell.attachments)

    def following(self, b: int) -> list[int]:
        """Added text cells right after a written question that was left as it was."""
        out = []
        for s in range(self.taken.get(b, len(self.cells)) + 1, len(self.cells)):
            if s in self.owner:
                break
            if (
                s not in self.used
                and self.cells[s].kind == "markdown"
                and self.cells[s].source.strip()
            ):
                out.append(s)
        return out

    def added(self) -> dict[int, list[Slot]]:
        """The learner's own cells, by the instructor's cell that they come after."""
        out: dict[int, list[Slot]] = {}
        stubs = {plain(c.source) for c in self.base}
        place, kept, left = -1, 0, 0
        for s, cell in enumerate(self.cells):
            if s in self.owner:
                place = self.owner[s]
            if s in self.used or not cell.source.strip() or cell.kind == "raw":
                continue
            if plain(cell.source) in stubs:
                continue
            if kept == MAX_EXTRA_CELLS or len(cell.source) > MAX_SOURCE_CHARS:
                left += 1
                continue
            kept += 1
            slot = Slot(cell.kind, cell.source, attachments=cell.attachments)
            out.setdefault(place, []).append(slot)
        if left:
            self.note(
                f"Added cells beyond {MAX_EXTRA_CELLS}, or far too long, are left out: {left}."
            )
        return out

    def hoist(self, slots: list[Slot]) -> list[Slot]:
        """Move an added cell up where an answer needs the function that only it defines."""
        spare = {id(s): functions(s.source) for s in slots if s.base is None and s.kind == "code"}
        out: list[Slot] = []
        known: set[str] = set()
        placed: set[int] = set()

        def put(slot: Slot, depth: int = 0) -> None:
            placed.add(id(slot))
            if depth < 20 and (slot.base is None or self.base[slot.base].solution):
                for helper in self.helpers(slot, slots, spare, known, placed):
                    self.note("A cell with a helper function is moved up, before its first use.")
                    put(helper, depth + 1)
            known.update(functions(slot.source))
            out.append(slot)

        for slot in slots:
            if id(slot) not in placed:
                put(slot)
        return out

    def helpers(self, slot, slots, spare, known, placed) -> list[Slot]:
        """Added cells, not yet placed, that define functions which this cell calls."""
        missing = set().union(*spare.values()) - known - functions(slot.source) if spare else set()
        if slot.kind != "code" or not missing:
            return []
        calls = set(re.findall(r"\b([A-Za-z_]\w*)[ ]*\(", slot.source)) & missing
        if not calls:
            return []
        return [s for s in slots if id(s) in spare and id(s) not in placed and spare[id(s)] & calls]

    def remark_changes(self) -> None:
        """Say what else was not as released: duplicates, order, locked text, points, kernel."""
        seen: dict[str, int] = {}
        for cell in self.cells:
            seen[cell.grade_id] = seen.get(cell.grade_id, 0) + 1
        order = [b for s, b in sorted(self.owner.items()) if self.base[b].grade_id]
        if order != sorted(order):
            self.note("Cells were in another order; the instructor's order is restored.")
        language = self.language.lower()
        if language and "python" not in language:
            named = language if re.fullmatch(r"[\w .+#-]{1,40}", language) else "unknown"
            self.note(f"The notebook was set to another kernel ({named}); the course's is used.")
        unmarked = 0
        for b, cell in enumerate(self.base):
            name = cell.grade_id
            if not name:
                continue
            if seen.get(name, 0) > 1:
                self.note(f"The cell {name} was there {seen[name]} times; one is graded.")
            if b not in self.taken:
                if cell.locked:
                    self.note(f"The cell {name} was missing; it is put back.")
                continue
            sub = self.cells[self.taken[b]]
            unmarked += sub.grade_id != name
            if cell.locked and not cell.blank(sub.source):
                self.note(f"The locked cell {name} was changed; the instructor's text is used.")
            if sub.grade_id == name and sub.points is not None and sub.points != cell.points:
                self.note(f"The points of {name} were changed; the instructor's count.")
            if sub.grade_id == name and sub.locked not in (None, cell.locked):
                self.note(f"The lock of {name} was changed; it is restored.")
            if sub.kind != cell.kind:
                self.note(f"The cell {name} was turned into another kind; that is undone.")
        if unmarked:
            self.note(
                f"Cells had lost their marks and were recognised by their content: {unmarked}."
            )


def _names(cells: list[SubmittedCell]) -> set[str]:
    return set().union(*(names(c.source) for c in cells)) if cells else set()
