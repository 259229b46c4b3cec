"""The models' card, `data/models/README.md`, rendered from what the commands measured."""

import json
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from lab.lm import MODELS

CARD = "README.md"
FIGURES = "figures.json"
TEMPLATE = Path(__file__).with_name("card.md.j2")


def write_card(folder: Path) -> None:
    """Write the card beside the models."""
    (folder / CARD).write_text(render_card(folder), encoding="utf-8")


def render_card(folder: Path) -> str:
    """The card as Markdown, from `figures.json`, `corpus.json` and each `training.json`."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    figures = _read(folder / FIGURES)
    return template.render(
        f=figures,
        table=table(figures),
        corpus=_read(folder / "corpus" / "corpus.json"),
        models={
            name: _read(folder / name / "training.json") | _read(folder / name / "config.json")
            for name in MODELS
        },
    )


def table(figures: dict) -> str:
    """Held-out perplexities as a Markdown table."""
    plain, outliers = figures["perplexity"], figures["outliers"]
    rows = [
        ("bigram (Witten-Bell)", plain["bigram"], ""),
        ("draft, float32", plain["draft"], ""),
        ("lm, float32", plain["lm"], plain["lm"]),
    ]
    for name, key in (("row, symmetric", "rtn"), ("group of 128, asymmetric", "rtn_groups")):
        for bits, value in figures[key].items():
            title = f"lm, RTN {bits} bits, a scale for each {name}"
            rows.append((title, value, figures[f"{key}_outliers"][bits]))
    rows.append(
        (
            "lm, INT8 activations per tensor",
            outliers["int8_activations_plain"],
            outliers["int8_activations_outliers"],
        )
    )
    lines = ["| model | perplexity | with outliers |", "|---|---|---|"]
    lines += [f"| {name} | {_text(first)} | {_text(second)} |" for name, first, second in rows]
    return "\n".join(lines)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
