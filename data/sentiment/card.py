"""The classifiers' card, `data/models/sentiment/README.md`, rendered from what was measured."""

import json
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from data.sentiment.shipping import read_facts
from data.sentiment.stages import BERT, DISTILBERT, RECIPES
from data.sentiment.stages import folder_bytes as bytes_of
from lab.sentiment import MODELS

CARD, FIGURES = "README.md", "figures.json"
TEMPLATE = Path(__file__).with_name("card.md.j2")


def write_card(folder: Path) -> None:
    """Write the card beside the classifiers."""
    (folder / CARD).write_text(render_card(folder), encoding="utf-8")


def render_card(folder: Path) -> str:
    """The card as Markdown, from `figures.json` and each `training.json`."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        f=figures,
        table=table(figures),
        models={
            name: read_facts(name, folder) | {"bytes": bytes_of(folder / name)} for name in MODELS
        },
        recipes=RECIPES,
        bert=BERT,
        distilbert=DISTILBERT,
    )


def table(figures: dict) -> str:
    """Accuracy on the dev file as a Markdown table."""
    lines = [
        "| model | accuracy | 95 % interval | drop from the teacher, points (95 %) |",
        "|---|---|---|---|",
    ]
    rows = [("linear, words and pairs of words", figures["linear"])]
    rows += list(figures["models"].items())
    for way, title in (("at_once", "at once, no fine-tuning"), ("iterative", "in rounds")):
        for sparsity, row in figures["pruning"][way].items():
            rows.append((f"teacher pruned to {float(sparsity):.0%}, {title}", row))
    for name, row in rows:
        drop = ""
        if "drop_points" in row:
            drop = f"{row['drop_points']} ({row['drop_low']} to {row['drop_high']})"
        interval = f"{row['low']:.1%} to {row['high']:.1%}"
        lines.append(f"| {name} | {row['accuracy']:.2%} | {interval} | {drop} |")
    return "\n".join(lines)
