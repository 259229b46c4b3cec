"""The dashboard as one self-contained HTML page: no scripts, no requests, everything escaped."""

from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autograder.dashboard.heatmap import heatmaps
from autograder.dashboard.log import Entry
from autograder.dashboard.progress import Progress, number, percent
from autograder.dashboard.results import ClassResults
from autograder.syllabus import Exercise

TEMPLATE = "dashboard.html.j2"
KINDS = (("C", "Concepts"), ("K", "Knowledge checks"), ("P", "Project"))
NEEDS = {"cpu": "a laptop", "gpu": "a CUDA machine", "none-here": "taught, not run here"}


def render(progress: Progress, log: Iterable[Entry] = (), book: ClassResults | None = None) -> str:
    """The page of a learner, with the heat map of the class where a gradebook is given."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, number=number)
    exercises = tuple(progress.syllabus.exercises.values())
    return environment.get_template(TEMPLATE).render(
        p=progress,
        course=progress.syllabus,
        exercises=exercises,
        done=sum(progress.share(exercise) == 1 for exercise in exercises),
        ready=[module for module in progress.syllabus.modules if module.status == "ready"],
        planned=[module for module in progress.syllabus.modules if module.status == "planned"],
        state=lambda exercise: _state(progress, exercise),
        uncounted=any(not progress.counts(exercise) for exercise in exercises),
        log=list(log),
        heatmaps=heatmaps(progress.syllabus, book) if book else (),
        kinds=KINDS,
        needs=NEEDS,
    )


def _state(progress: Progress, exercise: Exercise) -> str:
    """An exercise's state in words, so that nothing hangs on colour."""
    result = progress.result(exercise)
    if result is None:
        return "Not begun" if progress.counts(exercise) else "Graded by a person"
    if result.pending:
        return "Waits for a grade"
    return "Done" if progress.share(exercise) == 1 else "Begun"
