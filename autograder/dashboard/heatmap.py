"""The class as a table of students and exercises, with each exercise's difficulty."""

from dataclasses import dataclass
from fractions import Fraction
from statistics import StatisticsError, correlation, fmean

from autograder.dashboard.progress import Progress, number, percent
from autograder.dashboard.results import ClassResults
from autograder.syllabus import Exercise, Module, Syllabus

MIN_STUDENTS = 5  # below this a correlation says nothing


@dataclass(frozen=True)
class Cell:
    """One student's state in one exercise. level: 0 to 4 by share, for the shade."""

    text: str
    level: int | None
    spoken: str


@dataclass(frozen=True)
class Column:
    """An exercise over the class.

    difficulty: mean share of the points, 0 (nobody) to 1 (everybody), None without a grade.
    discrimination: Pearson correlation of the exercise's share with the points got elsewhere in
    the module (the corrected item-total correlation of classical test theory), None where it is
    not defined or fewer than five students are graded.
    stuck: the students who tried and have less than half of the points.
    """

    exercise: Exercise
    difficulty: float | None
    discrimination: float | None
    stuck: tuple[str, ...]


@dataclass(frozen=True)
class Heatmap:
    """One module. rows: student id, cells in the order of columns, points got."""

    module: Module
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell, ...], float], ...]

    @property
    def stuck(self) -> list[Column]:
        """The columns where somebody is stuck, the most common first."""
        return sorted((c for c in self.columns if c.stuck), key=lambda c: -len(c.stuck))


def heatmaps(syllabus: Syllabus, book: ClassResults) -> tuple[Heatmap, ...]:
    """One table for each module that has exercises."""
    students = {name: Progress(syllabus, results) for name, results in book.students.items()}
    return tuple(_heatmap(m, students) for m in syllabus.modules if m.exercises)


def _heatmap(module: Module, students: dict[str, Progress]) -> Heatmap:
    columns = tuple(_column(module, exercise, students) for exercise in module.exercises)
    rows = tuple(
        (name, tuple(_cell(one, e) for e in module.exercises), one.points(module.exercises))
        for name, one in students.items()
    )
    return Heatmap(module, columns, rows)


def _cell(one: Progress, exercise: Exercise) -> Cell:
    result = one.result(exercise)
    if result is None:
        return Cell("–", None, "not submitted")
    if result.pending:
        return Cell("wait", None, "waits for a grade")
    share = one.share(exercise)
    points = number(one.points([exercise]))
    spoken = f"{points} of {number(exercise.points)}, {percent(share)} %"
    return Cell(points, _level(share), spoken)


def _level(share: Fraction) -> int:
    """0: none, 1: under a half, 2: a half or more, 3: three quarters or more, 4: all."""
    return sum((share > 0, share >= Fraction(1, 2), share >= Fraction(3, 4), share == 1))


def _column(module: Module, exercise: Exercise, students: dict[str, Progress]) -> Column:
    graded = {
        name: one
        for name, one in students.items()
        if (result := one.result(exercise)) is not None and not result.pending
    }
    shares = [float(one.share(exercise)) for one in graded.values()]
    others = [e for e in module.exercises if e != exercise]
    rest = [one.points(others) for one in graded.values()]
    stuck = tuple(name for name, share in zip(graded, shares, strict=True) if share < 0.5)
    return Column(exercise, fmean(shares) if shares else None, _correlation(shares, rest), stuck)


def _correlation(x: list[float], y: list[float]) -> float | None:
    if len(x) < MIN_STUDENTS:
        return None
    try:
        return correlation(x, y)
    except StatisticsError:  # one of them is constant
        return None
