"""`course progress` and `course log`."""

import os
import sys
import tempfile
from pathlib import Path

import click

from autograder.dashboard.progress import number
from autograder.dashboard.results import (
    NO_RESULTS,
    ClassResults,
    DashboardError,
    Results,
    read_notebooks,
    read_own_log,
)
from autograder.syllabus import SyllabusError, load_syllabus, repo_root, state_dir

PATH = click.Path(path_type=Path)
QUESTIONS = {
    "progress": "What did you do",
    "insight": "Key insight",
    "challenge": "Challenge",
    "next_steps": "Next steps",
}


@click.command()
@click.option("--blank", is_flag=True, help="The page of someone who has not begun.")
@click.option("--gradebook", metavar="PATH_OR_URL", help="Read an nbgrader gradebook.")
@click.option("--student", metavar="ID", help="One student of the gradebook; else the average.")
@click.option(
    "--notebooks",
    type=PATH,
    multiple=True,
    help="Read executed notebooks: a file or folder; may be repeated.",
)
@click.option(
    "--out", type=PATH, help="Default: PROGRESS.md; from a gradebook, autograder/work/progress.md."
)
@click.option(
    "--html",
    type=PATH,
    help="Default: .course/progress.html (none with --blank), or beside progress.md.",
)
def progress(
    blank: bool,
    gradebook: str | None,
    student: str | None,
    notebooks: tuple[Path, ...],
    out: Path | None,
    html: Path | None,
) -> None:
    """Write PROGRESS.md and the HTML dashboard, by default from your own log of checks."""
    try:
        results, book = _source(blank, gradebook, student, notebooks)
        _warn(results.skipped, "result", "could not be read and left out")
        # The log is the learner's own: it is none of a student's or a class's page.
        own = not (blank or results.person)
        if gradebook is not None:
            # Other people's grades stay out of the committed page.
            work = repo_root() / "autograder" / "work"
            out, html = out or work / "progress.md", html or work / "progress.html"
        pages, state = _pages(results, book, own, out, html, blank)
        write_all(pages)
    except (DashboardError, SyllabusError) as error:
        raise click.ClickException(f"{error} Nothing was written.") from None
    _warn(state.unknown, "result", "belong to no exercise of this release and were left out")
    exercises = tuple(state.syllabus.exercises.values())
    click.echo(f"Wrote {' and '.join(str(path) for path in pages)}.")
    got, most = number(state.points(exercises)), number(state.possible(exercises))
    click.echo(f"{got} of {most} points.")


def _source(
    blank: bool, gradebook: str | None, student: str | None, notebooks: tuple[Path, ...]
) -> tuple[Results, ClassResults | None]:
    if sum((blank, gradebook is not None, bool(notebooks))) > 1:
        raise DashboardError("--blank, --gradebook and --notebooks exclude each other: take one.")
    if student is not None and gradebook is None:
        raise DashboardError("--student needs --gradebook: name the gradebook too.")
    if blank:
        return NO_RESULTS, None
    if notebooks:
        return read_notebooks(notebooks), None
    if gradebook is None:
        return read_own_log(), None
    from autograder.dashboard.gradebook import read_gradebook, student_results

    book = read_gradebook(gradebook)
    return (student_results(book, student), None) if student else (book.average, book)


def _pages(
    results: Results,
    book: ClassResults | None,
    own: bool,
    out: Path | None,
    html: Path | None,
    blank: bool,
):
    """The texts to write by path, and the state that they show."""
    from autograder.dashboard import html as html_page
    from autograder.dashboard import log, markdown
    from autograder.dashboard.progress import Progress

    entries, skipped = log.read_log() if own else ([], 0)
    _warn(skipped, "log entry", "could not be read and left out", "log entries")
    state = Progress(load_syllabus(), results, bool(entries))
    pages = {out or repo_root() / "PROGRESS.md": markdown.render(state, entries)}
    if html or not blank:
        page = html_page.render(state, entries, book)
        pages[html or state_dir() / "progress.html"] = page
    return pages, state


def _warn(count: int, noun: str, what: str, nouns: str | None = None) -> None:
    if count:
        click.echo(f"{count} {noun if count == 1 else nouns or noun + 's'} {what}.", err=True)


def write_all(pages: dict[Path, str]) -> None:
    """Write every text to a file beside its target, then put all in place.

    Raises:
        DashboardError: a target cannot be written; none is changed then.
    """
    beside: dict[Path, str] = {}
    path = None
    try:
        for path, text in pages.items():
            if path.is_dir():
                raise IsADirectoryError(21, "it is a folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, beside[path] = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(beside[path], 0o644)
        for path, temporary in beside.items():
            os.replace(temporary, path)
    except OSError as error:
        raise DashboardError(
            f"{path} cannot be written ({error.strerror}): choose another path."
        ) from None
    finally:
        for temporary in beside.values():
            Path(temporary).unlink(missing_ok=True)


@click.command()
@click.argument("progress_text", metavar="PROGRESS", required=False)
@click.option("--insight", help="What became clear.")
@click.option("--challenge", help="What was hard.")
@click.option("--next", "next_steps", help="What comes next.")
@click.option("--module", help="The module, such as 1.1.")
@click.option("--title", help="A heading for the entry.")
@click.option("--date", help="YYYY-MM-DD; default: today.")
def log(progress_text: str | None, module: str | None, title: str | None, date: str | None, **rest):
    """Add an entry to the captain's log. On a terminal, what is missing is asked for."""
    from autograder.dashboard.log import add_entry

    given = {"progress": progress_text, **rest}
    missing = [name for name in QUESTIONS if given[name] is None]
    if missing and not sys.stdin.isatty():
        names = {"progress": "the text", "next_steps": "--next"}
        listed = ", ".join(names.get(name, f"--{name}") for name in missing)
        raise click.ClickException(f"Missing: {listed}. Give each, or run this on a terminal.")
    for name in missing:
        given[name] = click.prompt(QUESTIONS[name])
    try:
        entry = add_entry(**given, module=module, title=title, date=date)
    except (DashboardError, SyllabusError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Logged for {entry.date}. `course progress` shows it.")
