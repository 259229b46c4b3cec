"""From results to shares, ticks and states: what both pages of the dashboard show.

Shares are exact fractions, so that 100 % means done and nothing else does.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from autograder.dashboard.results import Result, Results
from autograder.syllabus import Exercise, Item, Module, Paper, Part, Syllabus

NOT_STARTED, IN_PROGRESS, DONE, PLANNED = "Not started", "In progress", "Done", "Planned"


def percent(share: Fraction) -> int:
    """Whole percent, rounded down: 100 only when complete."""
    return math.floor(share * 100)


def number(points: float) -> str:
    """Points with at most two decimals, none where they are whole."""
    return f"{round(points, 2):.10g}"


def mean(shares: Iterable[Fraction]) -> Fraction:
    """The mean; 0 of nothing."""
    shares = list(shares)
    return sum(shares, Fraction(0)) / len(shares) if shares else Fraction(0)


@dataclass(frozen=True)
class Progress:
    """A learner's state in the course. has_log: whether the captain's log has an entry."""

    syllabus: Syllabus
    results: Results
    has_log: bool = False

    def result(self, exercise: Exercise) -> Result | None:
        return self.results.best.get(exercise.id)

    def counts(self, exercise: Exercise) -> bool:
        """Whether the exercise decides ticks: a written one only where a person's grades are kept.

        Otherwise a learner who works alone could never complete an item that has a written part.
        """
        return exercise.kind == "code" or self.results.person or exercise.id in self.results.best

    def share(self, exercise: Exercise) -> Fraction:
        """Points got of points possible, 0 to 1. A pending grade is none yet."""
        result = self.result(exercise)
        if result is None or result.pending:
            return Fraction(0)
        return max(
            Fraction(0), min(Fraction(1), Fraction(result.points) / Fraction(result.max_points))
        )

    def points(self, exercises: Iterable[Exercise]) -> float:
        """Points got, in the syllabus's points. Extra credit is not counted."""
        return float(sum((self.share(e) * Fraction(e.points) for e in exercises), Fraction(0)))

    def possible(self, exercises: Iterable[Exercise]) -> float:
        """Points that this source of results can give."""
        return float(sum(e.points for e in exercises if self.counts(e)))

    def graders(self, item: Item) -> tuple[Exercise, ...]:
        """The exercises that decide an item's tick.

        Those that name it; for an item that none names, those of the notebooks that teach it, or of
        its whole module where no notebook lists it.
        """
        named = tuple(e for e in self.naming(item) if self.counts(e))
        module = self.owner.get(item.id)
        if named or module is None:
            return named
        files = {notebook.file for notebook in module.notebooks if item.id in notebook.items}
        counted = tuple(e for e in module.exercises if self.counts(e))
        return tuple(e for e in counted if e.notebook in files) or counted

    def naming(self, item: Item) -> tuple[Exercise, ...]:
        return tuple(e for e in self.syllabus.exercises.values() if item.id in e.items)

    @cached_property
    def owner(self) -> dict[str, Module]:
        """The module of each item that has one."""
        return {item.id: module for module in self.syllabus.modules for item in module.items}

    def item_share(self, item: Item) -> Fraction:
        if item.kind == "A":
            return Fraction(self._across(item))
        return mean(self.share(exercise) for exercise in self.graders(item))

    def item_done(self, item: Item) -> bool:
        return self.item_share(item) == 1

    def _across(self, item: Item) -> bool:
        """A.1: every module with a tool is done; A.2: every paper; A.3: an entry; A.4: a result."""
        course = self.syllabus
        return {
            "A.1": lambda: all(
                self.module_state(course.module(m)) == DONE
                for t in course.arsenal
                for m in t.modules
            ),
            "A.2": lambda: all(self.paper_done(paper) for paper in course.papers),
            "A.3": lambda: self.has_log,
            "A.4": lambda: any(name in course.exercises for name in self.results.best),
        }.get(item.id, lambda: False)()

    def module_share(self, module: Module) -> Fraction:
        return mean(self.item_share(item) for item in module.items)

    def module_state(self, module: Module) -> str:
        if module.status == "planned":
            return PLANNED
        return self._state([self.module_share(module)], self._begun(module))

    def _begun(self, module: Module) -> bool:
        return any(e.id in self.results.best for e in module.exercises)

    def _state(self, shares: list[Fraction], begun: bool) -> str:
        if shares and all(share == 1 for share in shares):
            return DONE
        return IN_PROGRESS if begun else NOT_STARTED

    def modules(self, part: Part) -> tuple[Module, ...]:
        return tuple(m for m in self.syllabus.modules if m.part == part.id)

    def modules_done(self, part: Part) -> int:
        return sum(self.module_state(module) == DONE for module in self.modules(part))

    def part_share(self, part: Part) -> Fraction:
        """The mean over the items of the part's modules."""
        return mean(self.item_share(item) for m in self.modules(part) for item in m.items)

    def part_state(self, part: Part) -> str:
        modules = self.modules(part)
        return self._state([self.module_share(m) for m in modules], any(map(self._begun, modules)))

    def project_done(self, module: Module) -> bool:
        steps = module.project.steps
        return bool(steps) and all(self.item_done(self.syllabus.items[step]) for step in steps)

    def paper_done(self, paper: Paper) -> bool:
        return bool(paper.items) and all(
            self.item_done(self.syllabus.items[i]) for i in paper.items
        )

    @property
    def projects_done(self) -> int:
        return sum(self.project_done(module) for module in self.syllabus.modules)

    @property
    def unknown(self) -> int:
        """Results for exercises that this release of the course does not have."""
        return sum(name not in self.syllabus.exercises for name in self.results.best)
