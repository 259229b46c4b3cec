"""`course answers` and `course check`."""

import sys
from pathlib import Path

import click

from autograder.checks.registry import UnknownExercise
from autograder.syllabus import SyllabusError

PAGE = """# Answers put to the checks

Every exercise's bank (`tests/answers/`) holds independent right answers and wrong ones, each a named
misconception. Each is put to the check with three seeds, or one where an answer trains for seconds.
*Named*: the report tells the learner the misconception by name. Made by `make answers`; a test holds
it to the bank.

{table}
"""


@click.command()
@click.argument("exercise", nargs=-1)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table here."
)
def answers(exercise: tuple[str, ...], out: Path | None) -> None:
    """Run the bank of right and wrong answers (of all exercises, or of those named)."""
    from autograder.checks import answers_table

    try:
        ids = list(exercise) or answers_table.code_exercises()
        rows = []
        for number, name in enumerate(ids, 1):
            rows.append(answers_table.run_bank(name))
            if sys.stdout.isatty():
                click.echo(f"\r{number} of {len(ids)} ", nl=False)
    except (UnknownExercise, SyllabusError) as error:
        raise click.ClickException(str(error)) from None
    text = answers_table.table(rows)
    click.echo("\r" + text)
    problems = [f"{row.exercise}: {p}" for row in rows for p in row.problems]
    for problem in problems:
        click.echo(problem)
    if out:
        out.write_text(PAGE.format(table=text), encoding="utf-8")
    sys.exit(1 if problems else 0)


@click.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--timeout", default=300, show_default=True, help="Seconds allowed for one cell.")
def check(notebook: Path, timeout: int) -> None:
    """Run a notebook from top to bottom and print what its checks say. The file stays as it is."""
    from autograder.checks.notebook import NotebookProblem, run_checks

    try:
        results = run_checks(notebook, timeout)
    except NotebookProblem as error:
        raise click.ClickException(str(error)) from None
    for result in results:
        click.echo(result.text)
    got, most = sum(r.points for r in results), sum(r.max_points for r in results)
    click.echo(f"{got:g} of {most:g} points in {notebook.name}.")
    sys.exit(0 if got == most else 1)
