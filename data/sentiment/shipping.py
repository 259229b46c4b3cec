"""From SST-2's sentences to the saved classifiers."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from data.language_model.checkpoint import Checkpoint
from data.language_model.shipping import replaced, write_json
from data.sentiment import stages
from data.sentiment.stages import RECIPES, Split
from data.sentiment.training import Recipe, apply_masks, train
from lab.errors import CourseError
from lab.lm import models_dir
from lab.manifest import sha256_of
from lab.paths import cache_dir
from lab.profile import cpu_hardware
from lab.sentiment import (
    MODELS,
    batches_of,
    load_folder,
    load_folder_tokenizer,
    predict_logits,
    prunable,
)

PRUNED = (0.3, 0.5)  # the rounds that lead to the shipped pruned teacher


def sentiment_dir() -> Path:
    """The folder of the shipped classifiers."""
    return models_dir() / "sentiment"


def ship(name: str, out: Path, split: Split, recipe: Recipe | None = None) -> Checkpoint:
    """Train one of `MODELS` and write weights (float16), tokenizer and facts to `out / name`.

    "teacher" starts from `out / base`, "pruned" and "student" from `out / teacher`.

    Raises:
        CourseError: an unknown name, the model that it starts from is missing, or the training was
            stopped.
    """
    if name not in MODELS:
        raise CourseError(f"No classifier is called {name!r}: choose from {', '.join(MODELS)}.")
    recipe = recipe or RECIPES[name]
    torch.set_num_threads(1)  # layers this small lose more by waiting for a second core
    if name == "base":
        tokenizer = stages.train_tokenizer(split.sentences)
        model, runs = _base(tokenizer, out, split, recipe)
    else:
        start = out / ("base" if name == "teacher" else "teacher")
        tokenizer, before = load_folder_tokenizer(start), load_folder(start)
        make: Callable = {"teacher": _teacher, "pruned": _pruned, "student": _student}[name]
        model, runs = make(before, tokenizer, out, split, recipe)
    with replaced(out / name) as folder:
        model.half().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json(folder / "training.json", _facts(model, recipe, runs, split, folder))
    for run in runs:
        run.path.unlink(missing_ok=True)
    return runs[-1]


def iterative_pruning(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    out: Path,
    split: Split,
    recipe: Recipe,
    sparsities: tuple[float, ...],
    after_round: Callable[[float], None] = lambda sparsity: None,
) -> list[Checkpoint]:
    """Prune `model` in rounds by magnitude, each followed by fine-tuning; it is changed.

    Args:
        after_round: called with the sparsity when a round's fine-tuning is done.
    """
    runs = []
    for number, sparsity in enumerate(sparsities):
        masks = stages.magnitude_masks(prunable(model), sparsity)
        apply_masks(dict(model.named_parameters()), masks)
        title = f"pruned-{sparsity}"
        runs.append(_run(title, model, tokenizer, out, split, recipe, seed=number, masks=masks))
        after_round(sparsity)
    return runs


def _base(tokenizer, out, split, recipe):
    model = stages.new_base(recipe.seed)
    run = _run(
        "base", stages.MaskedWords(model), tokenizer, out, split, recipe,
        loss=stages.masked_word_loss,
    )  # fmt: skip
    model.config.hidden_dropout_prob = stages.BERT.hidden_dropout_prob
    return model, [run]


def _teacher(model, tokenizer, out, split, recipe):
    return model, [_run("teacher", model, tokenizer, out, split, recipe)]


def _pruned(model, tokenizer, out, split, recipe):
    return model, iterative_pruning(model, tokenizer, out, split, recipe, PRUNED)


def _student(teacher, tokenizer, out, split, recipe):
    soft = predict_logits(teacher, tokenizer, split.sentences)
    model = stages.new_student(recipe.seed)
    run = _run(
        "student", model, tokenizer, out, split, recipe,
        loss=stages.distillation_loss, columns={"soft": soft},
    )  # fmt: skip
    return model, [run]


def _run(
    title, model, tokenizer, out, split, recipe, *,
    loss=stages.classification_loss, seed=0, columns=None, masks=None,
) -> Checkpoint:  # fmt: skip
    """One training run with a checkpoint of its own in the user's cache."""
    batches = batches_of(
        tokenizer, split.sentences, split.labels, recipe.batch, recipe.epochs,
        seed=recipe.seed + seed, **(columns or {}),
    )  # fmt: skip
    key = hashlib.sha256(f"{out.resolve()} {len(split.sentences)}".encode()).hexdigest()[:8]
    path = cache_dir() / "training" / f"sentiment-{title}-{key}.pt"
    made_of = {"start": _digest(model), "sentences": len(split.sentences), "stage": title}
    return train(model, batches, loss, recipe, path, made_of, masks)


def _digest(model: torch.nn.Module) -> str:
    """sha256 of the weights that a run starts from."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()


def _facts(model, recipe, runs, split, folder) -> dict:
    """What the card says of the training."""
    weights = list(model.parameters())
    return {
        "parameters": sum(w.numel() for w in weights),
        "non_zero": sum(int((w != 0).sum()) for w in weights),
        "sentences": len(split.sentences),
        "epochs": recipe.epochs * len(runs),
        "steps": sum(len(run.losses) for run in runs),
        "final_train_loss_nats": round(float(np.mean(runs[-1].losses[-100:])), 4),
        "wall_clock_s": round(sum(run.seconds for run in runs)),
        "processor_s": round(sum(run.cpu_seconds for run in runs)),
        "hardware": cpu_hardware(),
        "date": datetime.now(UTC).date().isoformat(),
        "weights_sha256": sha256_of(folder / "model.safetensors"),
    }


def read_facts(name: str, folder: Path | None = None) -> dict:
    """A shipped classifier's `training.json`."""
    path = (folder or sentiment_dir()) / name / "training.json"
    return json.loads(path.read_text(encoding="utf-8"))
