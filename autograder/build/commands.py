"""`course build` and `course preview`."""

import sys
from pathlib import Path

import click

from autograder.build.sources import BuildError
from autograder.syllabus import SyllabusError, repo_root


@click.command()
@click.option(
    "--check", "check_only", is_flag=True, help="Write nothing; fail if modules/ is stale."
)
def build(check_only: bool) -> None:
    """Make modules/ from solutions/ through nbgrader generate_assignment."""
    from autograder.build import release

    try:
        changed = release.build(repo_root(), check_only)
    except (BuildError, SyllabusError) as error:
        raise click.ClickException(f"{error} modules/ is as it was.") from None
    if check_only and changed:
        for name in changed:
            click.echo(f"stale: {name}")
        click.echo("Mend it: `course build`, then commit modules/.")
        sys.exit(1)
    if check_only:
        click.echo("modules/ is up to date.")
    else:
        for name in changed:
            click.echo(f"wrote {name}")
        click.echo(f"{len(changed)} notebooks changed.")


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--released", is_flag=True, help="Without the solutions, as learners get it.")
@click.option("--to", "target", type=click.Path(file_okay=False, path_type=Path), required=True)
def preview(source: Path, released: bool, target: Path) -> None:
    """Write one source notebook of solutions/ as .ipynb into a folder, while you work on it."""
    import nbformat
    from nbgrader.preprocessors import ClearSolutions

    from autograder.build import expand, release, sources, validate
    from autograder.syllabus import load_syllabus

    root = repo_root()
    try:
        read = sources.read_source(source.resolve(), root)
        validate.validate(read, load_syllabus())
    except (BuildError, SyllabusError) as error:
        raise click.ClickException(str(error)) from None
    notebook = expand.expand(read)
    if released:
        clear = ClearSolutions(config=release.nbgrader_config(root))
        notebook, _ = clear.preprocess(notebook, {})
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{read.name}.ipynb"
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    click.echo(f"wrote {path}")
