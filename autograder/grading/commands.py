"""`course grade` and `course sample-class`."""

import shutil
import sys
import time
from fnmatch import fnmatch

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder.syllabus import load_syllabus, repo_root

RIGHT = ("reference", "other-ways")


@click.command("sample-class")
@click.option(
    "--module", "folder", default=None, help="Module folder; default: every ready module."
)
@click.option("--notebook", default="*", show_default=True, help="Only the notebooks of this name.")
def sample_class(folder: str | None, notebook: str) -> None:
    """Make up a class, grade it with stock nbgrader, and print the scores."""
    from autograder.build.stage import stage
    from autograder.grading.nbgrader_run import NbgraderFailed

    root = repo_root() / "autograder/work/sample-class"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(stage(), root / "autograder/work/source")
    folders = (
        [folder] if folder else [m.folder for m in load_syllabus().modules if m.status == "ready"]
    )
    try:
        for name in folders:
            if not (root / "autograder/work/source" / name).is_dir():
                raise click.ClickException(f"No module has the folder {name!r}: see syllabus.yml.")
            good = grade_one(root, name, notebook)
    except NbgraderFailed as error:
        raise click.ClickException(str(error)) from None
    sys.exit(0 if good else 1)


def grade_one(root, folder: str, notebook: str) -> bool:
    """Generate, submit, autograde and give feedback for one assignment. True: the ends are right."""
    from autograder.grading import sample_class as made_up
    from autograder.grading.nbgrader_run import nbgrader
    from autograder.grading.scores import read_scores, totals

    nbgrader("generate_assignment", folder, root=root)
    source = root / "autograder/work/source" / folder
    students = made_up.make(root, source, root / "modules" / folder, folder)
    seconds = {}
    for student in track(students, description="autograding", console=Console()):
        start = time.perf_counter()
        nbgrader("autograde", folder, f"--student={student}", f"--notebook={notebook}", root=root)
        seconds[student] = time.perf_counter() - start
    nbgrader("generate_feedback", folder, root=root)
    nbgrader("export", f"--CsvExportPlugin.to={root / 'grades.csv'}", root=root)
    scores = read_scores(f"sqlite:///{root / 'gradebook.db'}", folder)
    result = totals(scores)
    table = Table(title=f"Made-up class, {folder}")
    for column in ("student", "story", "points", "waiting", "seconds"):
        table.add_column(column)
    stories = {s.id: s.story for s in made_up.STUDENTS}
    for student, (got, most, waiting) in result.items():
        cells = (f"{got:g} of {most:g}", str(waiting), f"{seconds[student]:.0f}")
        table.add_row(student, stories[student], *cells)
    Console().print(table)
    scores = [s for s in scores if fnmatch(s.notebook, notebook)]
    machine = [s for s in scores if s.cell.startswith("check-")]
    reference = all(s.score == s.max_score for s in machine if s.student in RIGHT)
    blank = all(s.score == 0 for s in scores if s.student == "blank")
    misled = all((s.score or 0) < s.max_score for s in machine if s.student == "misled")
    for good, name in ((reference, "reference"), (blank, "blank"), (misled, "misled")):
        if not good:
            click.echo(f"{name}: the points are not what they must be.")
    return reference and blank and misled


@click.command()
@click.argument("assignment")
@click.option(
    "--student", "students", multiple=True, metavar="ID", help="Only this one; repeatable."
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Submissions at a time; default: one more than there are cores, or every worker of the cluster.",
)
@click.option("--force", is_flag=True, help="Grade unchanged submissions again too.")
@click.option("--db", "db_url", metavar="URL", help="The gradebook; default: nbgrader's db_url.")
@click.option(
    "--require-sandbox", is_flag=True, help="Grade only if every layer of the sandbox holds here."
)
@click.option(
    "--cluster",
    "address",
    metavar="ADDRESS",
    help="Grade on the workers of a Dask scheduler: tcp://HOST:8786, tls://HOST:8786, or its "
    "scheduler file (docs/cluster.md).",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="With --cluster: how long to wait for a worker.",
)
def grade(
    assignment: str,
    students: tuple[str, ...],
    jobs: int | None,
    force: bool,
    db_url: str | None,
    require_sandbox: bool,
    address: str | None,
    wait_s: float,
) -> None:
    """Grade the submissions of an ASSIGNMENT, as `nbgrader autograde` does but in parallel.

    A run that was stopped, even killed, goes on where it was. Ends with 0 when all were graded,
    1 when some could not be, 2 when there was nothing to do it with.
    """
    from autograder.grading.pool import CannotStart, warm_up

    if not address:
        from autograder.grading.warm.prepare import shared

        shared(require_sandbox)
        warm_up("autograder.grading.task", "autograder.grading.grade")
    from sqlalchemy.exc import SQLAlchemyError

    from autograder.gradebook import lost
    from autograder.grading import grade as grading

    console = Console()
    run = None
    try:
        cluster = grading.Cluster(address, wait_s) if address else None
        run = grading.Run(repo_root(), assignment, db_url, require_sandbox, cluster)
        found = run.submissions(students)
        run.grade(found, jobs, force, console)
        good = run.report(console)
    except (grading.BadUsage, CannotStart) as error:
        failure = click.ClickException(str(error))
        failure.exit_code = 2
        raise failure from None
    except SQLAlchemyError as error:
        raise click.ClickException(lost(run.course.db_url, error)) from None
    except KeyboardInterrupt:
        done = len(run.lines) if run else 0
        click.echo(f"Stopped: {done} are graded; the same command goes on with the rest.", err=True)
        sys.exit(130)
    finally:
        if run:
            run.close()
    sys.exit(0 if good else 1)
