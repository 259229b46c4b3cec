"""`course bench`."""

import datetime
import sys
from pathlib import Path

import click

from autograder.syllabus import repo_root

WORK = "autograder/work/bench"
GROWING = (20, 100, 1000)


@click.command()
@click.option("--submissions", default=20, show_default=True, type=click.IntRange(1))
@click.option(
    "--scale", is_flag=True, help=f"Also {', '.join(map(str, GROWING))} small submissions."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the page here too.")
def bench(submissions: int, scale: bool, out: Path | None) -> None:
    """Measure the ways to grade a class side by side, and hold them to their bars.

    Takes some minutes on a quiet machine. Ends with 1 when a bar is missed.
    """
    from autograder.bench import classes, page, ways

    rows = []
    try:
        for notebook in (classes.SMALL, classes.LESSON):
            stock = classes.make(repo_root() / WORK / f"{notebook}-stock", notebook, submissions)
            for way in ways.WAYS:
                root = stock
                if way in ("ours", "course grade"):
                    root = classes.ours(
                        stock, stock.with_name(f"{notebook}-{way.replace(' ', '-')}")
                    )
                elif way == "stock":
                    root = classes.copy(stock, stock.with_name(f"{notebook}-stock-run"))
                rows.append(show(ways.measured(way, root, notebook, submissions)))
        growing = [show(many(count)) for count in GROWING] if scale else []
    except ways.CommandFailed as error:
        raise click.ClickException(str(error)) from None
    text = page.render(rows, growing, datetime.date.today().isoformat())
    if out:
        out.write_text(text, encoding="utf-8")
    click.echo(text)
    found = [b for n in (classes.LESSON, classes.SMALL) for b in page.bars(rows, n)]
    sys.exit(0 if all(value <= bar for _, value, bar in found) else 1)


def many(count: int):
    """`course grade` on a class of `count` small submissions."""
    from autograder.bench import classes, ways

    stock = classes.make(repo_root() / WORK / "many-stock", classes.SMALL, count)
    root = classes.ours(stock, stock.with_name("many"))
    return ways.measured("course grade", root, classes.SMALL, count)


def show(row):
    """Print a row as soon as it is there."""
    click.echo(
        f"{row.notebook}, {row.way}, {row.submissions}: {row.wall_s:.2f} s, "
        f"{row.cpu_s:.2f} CPU s each, {row.peak_mb:.0f} MB"
    )
    return row
