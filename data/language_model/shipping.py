"""From text to shipped files: tokens, tokenizer and the weights of both models."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from data.language_model.corpus import build_corpus, describe
from data.language_model.tokens import END_OF_TEXT, encode_documents, train_tokenizer
from data.language_model.training import Recipe, Trained, train
from lab.errors import CourseError
from lab.manifest import sha256_of
from lab.paths import cache_dir

RECIPES = {
    "lm": Recipe(hidden=256, intermediate=768, layers=4, heads=4, kv_heads=2),
    "draft": Recipe(hidden=128, intermediate=512, layers=2, heads=2, kv_heads=1),
}


def ship_corpus(out: Path) -> dict:
    """Build the corpus from this Python's library and write tokens and tokenizer below `out`.

    Models that were trained on other tokens no longer fit: train them again.

    Returns:
        what is written to `corpus/corpus.json`.
    """
    documents = build_corpus()
    tokenizer = train_tokenizer(d.text for d in documents if not d.heldout)
    facts: dict = describe(documents)
    with replaced(out / "corpus") as folder:
        for split, heldout in (("train", False), ("heldout", True)):
            ids = encode_documents(tokenizer, (d for d in documents if d.heldout == heldout))
            np.save(folder / f"{split}.npy", ids)
            facts[f"{split}_tokens"] = len(ids)
            facts[f"{split}_sha256"] = sha256_of(folder / f"{split}.npy")
        tokenizer.save(str(folder / "tokenizer.json"))
        facts["tokenizer_sha256"] = sha256_of(folder / "tokenizer.json")
        write_json(folder / "corpus.json", facts)
    return facts


def ship_model(name: str, out: Path, device: str = "cpu", recipe: Recipe | None = None) -> Trained:
    """Train a model on the tokens below `out` and write weights (float16) and tokenizer.

    The checkpoint lies in the user's cache and goes when the model is written.

    Args:
        name: a key of `RECIPES`.
        recipe: another one, for a trial.

    Raises:
        CourseError: an unknown name, no corpus below `out`, or the training was stopped.
    """
    if name not in RECIPES:
        raise CourseError(f"No model is called {name!r}: choose from {', '.join(RECIPES)}.")
    corpus = out / "corpus"
    if not (corpus / "train.npy").is_file():
        raise CourseError(f"{corpus} has no train.npy: run `python -m data.language_model corpus`.")
    recipe = recipe or RECIPES[name]
    token_ids = np.load(corpus / "train.npy")
    checkpoint = checkpoint_path(name, out)
    trained = train(recipe, token_ids, checkpoint, device)
    with replaced(out / name) as folder:
        trained.model.half().save_pretrained(folder)
        save_tokenizer(corpus / "tokenizer.json", folder, recipe.context)
        write_json(folder / "training.json", _facts(recipe, trained, folder, corpus))
    checkpoint.unlink(missing_ok=True)
    return trained


def checkpoint_path(name: str, out: Path) -> Path:
    """One checkpoint for each model and output folder."""
    key = hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:8]
    return cache_dir() / "training" / f"{name}-{key}.pt"


def save_tokenizer(source: Path, folder: Path, context: int) -> None:
    """Write the tokenizer as transformers reads it, 4 and 5 alike."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(source)),
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.save_pretrained(folder)
    # transformers 5 writes a class that 4 does not know; this name means the same to both.
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, config | {"tokenizer_class": "PreTrainedTokenizerFast"})


def _facts(recipe: Recipe, trained: Trained, folder: Path, corpus: Path) -> dict:
    """What the card says of the training."""
    return {
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "steps": recipe.steps,
        "tokens_seen": recipe.steps * recipe.batch * recipe.context,
        "final_train_loss_nats": round(float(np.mean(trained.losses[-100:])), 4),
        "wall_clock_s": round(trained.seconds),
        "processor_s": round(trained.cpu_seconds),
        "hardware": trained.hardware,
        "date": datetime.now(UTC).date().isoformat(),
        "train_tokens_sha256": sha256_of(corpus / "train.npy"),
        "weights_sha256": sha256_of(folder / "model.safetensors"),
    }


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A folder to fill; its files take their places in `folder` when all are written."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
        yield Path(beside)
        for path in sorted(Path(beside).iterdir()):
            os.replace(path, folder / path.name)


def write_json(path: Path, facts: dict) -> None:
    path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
