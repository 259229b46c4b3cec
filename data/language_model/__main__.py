"""python -m data.language_model corpus | train | figures | card"""

import json
from pathlib import Path

import click

from lab.errors import CourseError
from lab.lm import MODELS, models_dir


@click.group()
def main() -> None:
    """Make the shipped language models, and measure them."""


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="Instead of data/models.")
def corpus(out: Path | None) -> None:
    """Build tokens and tokenizer from this Python's library."""
    from data.language_model.shipping import ship_corpus

    facts = ship_corpus(out or models_dir())
    click.echo(json.dumps(facts, indent=2))
    click.echo("Other tokens than before need models of their own: train them next.")


@main.command()
@click.argument("names", nargs=-1, type=click.Choice(MODELS))
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Default: CUDA if it is there.")
@click.option("--out", type=click.Path(path_type=Path), help="Instead of data/models.")
def train(names: tuple[str, ...], device: str | None, out: Path | None) -> None:
    """Train the named models (default: all) on the shipped tokens."""
    import torch

    from data.language_model.shipping import ship_model

    if device == "cuda" and not torch.cuda.is_available():
        raise CourseError("torch finds no CUDA device here: use --device cpu.")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    for name in names or MODELS:
        click.echo(f"{name}, on {device}. Ctrl-C stops it; the same command goes on.")
        trained = ship_model(name, out or models_dir(), device)
        click.echo(f"{name}: final loss {trained.losses[-1]:.3f}, {trained.seconds:,.0f} s.")


@main.command()
def figures() -> None:
    """Measure the shipped models, print the table and write the card."""
    from data.language_model.card import FIGURES, table, write_card
    from data.language_model.figures import measure_models

    measured = measure_models(click.echo)
    (models_dir() / FIGURES).write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    write_card(models_dir())
    click.echo(table(measured))


@main.command()
def card() -> None:
    """Write data/models/README.md again from the figures that are there."""
    from data.language_model.card import write_card

    write_card(models_dir())


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        raise SystemExit(str(error)) from None
