"""python -m data.sentiment train | tune | figures | card"""

import json
from pathlib import Path

import click

from lab.errors import CourseError
from lab.sentiment import MODELS


@click.group()
def main() -> None:
    """Make the shipped sentiment classifiers, and measure them."""


@main.command()
@click.argument("names", nargs=-1, type=click.Choice(MODELS))
@click.option("--out", type=click.Path(path_type=Path), help="Instead of data/models/sentiment.")
def train(names: tuple[str, ...], out: Path | None) -> None:
    """Train the named classifiers (default: all) on SST-2's training sentences."""
    from data.sentiment.shipping import sentiment_dir, ship
    from data.sentiment.stages import full_split, real_sst2

    split = full_split(real_sst2())
    for name in names or MODELS:
        click.echo(f"{name}. Ctrl-C stops it; the same command goes on.")
        run = ship(name, out or sentiment_dir(), split)
        click.echo(f"{name}: final loss {run.losses[-1]:.3f}, {run.seconds:,.0f} s.")


@main.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For trial models.")
def tune(out: Path) -> None:
    """Train on a part of the training sentences, measure on the rest: to choose hyperparameters."""
    from data.sentiment.figures import measure
    from data.sentiment.shipping import ship
    from data.sentiment.stages import real_sst2, tuning_split

    split = tuning_split(real_sst2())
    for name in MODELS:
        ship(name, out, split)
        if name != "base":
            click.echo(f"{name}: {json.dumps(measure(name, out, split))}")


@main.command()
def figures() -> None:
    """Measure the shipped classifiers on the dev file and write the card."""
    from data.sentiment.card import table, write_card
    from data.sentiment.figures import measure_all
    from data.sentiment.shipping import sentiment_dir

    measured = measure_all(click.echo)
    path = sentiment_dir() / "figures.json"
    path.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    write_card(sentiment_dir())
    click.echo(table(measured))


@main.command()
def card() -> None:
    """Write the card again from the figures that are there."""
    from data.sentiment.card import write_card
    from data.sentiment.shipping import sentiment_dir

    write_card(sentiment_dir())


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        raise SystemExit(str(error)) from None
