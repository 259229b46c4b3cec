"""python -m data.perplexities: measure (it resumes), then write docs/perplexities-1.2.md."""

from pathlib import Path

import click

from data.perplexities.measure import measure_all
from data.perplexities.page import render
from lab.errors import CourseError
from lab.paths import repo_root

FIGURES = "data/perplexities/figures.json"
PAGE = "docs/perplexities-1.2.md"


@click.command()
@click.option("--fresh", is_flag=True, help="Measure everything again.")
def main(fresh: bool) -> None:
    """Perplexities of the shipped model under each method at 8, 4, 3 and 2 bits."""
    figures, page = (Path(repo_root(), name) for name in (FIGURES, PAGE))
    if fresh:
        figures.unlink(missing_ok=True)
    click.echo("Some minutes on two cores. Ctrl-C stops it; the same command goes on.")
    page.write_text(render(measure_all(figures, click.echo)), encoding="utf-8")
    click.echo(f"wrote {PAGE}")


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        raise SystemExit(str(error)) from None
