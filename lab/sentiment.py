"""The course's sentiment classifiers: BERT-architecture models for SST-2, from `data/models/sentiment/`.

`data/models/sentiment/README.md` is their card: how they were trained, on what, what was measured.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError
from lab.lm import models_dir
from lab.profile import Profile

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

MODELS = ("base", "teacher", "pruned", "student")
LENGTH = 64  # tokens of a sentence, [CLS] and [SEP] included; the rest is cut off
HUB_TEACHER = "google-bert/bert-base-uncased"
HUB_STUDENT = "distilbert/distilbert-base-uncased"


def load_classifier(name: str = "teacher", profile: Profile | None = None) -> "PreTrainedModel":
    """A classifier with two labels (0 negative, 1 positive), in float32 and evaluation mode.

    Args:
        name: "base" (pre-trained on masked words, its classifier untrained), "teacher" (fine-tuned
            on SST-2), "pruned" (the teacher at 50 % sparsity) or "student" (a DistilBERT).
        profile: where it goes; None is the CPU.

    Raises:
        CourseError: an unknown name, or its files are missing or damaged.
    """
    return load_folder(classifier_folder(name), profile)


def new_student(seed: int = 0, profile: Profile | None = None) -> "PreTrainedModel":
    """An untrained model of the student's architecture; the same seed gives the same weights."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(classifier_folder("student"), local_files_only=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    return model.to(profile.device if profile else "cpu").eval()


def load_sentiment_tokenizer() -> "PreTrainedTokenizerFast":
    """The WordPiece tokenizer that all shipped classifiers share.

    Raises:
        CourseError: its files are missing or damaged.
    """
    return load_folder_tokenizer(classifier_folder("base"))


def load_hub_models(
    profile: Profile, teacher: str = HUB_TEACHER, student: str = HUB_STUDENT
) -> tuple["PreTrainedModel", "PreTrainedModel", "PreTrainedTokenizerFast"] | None:
    """BERT-base and DistilBERT with untrained classifiers, and their tokenizer; None if out of reach.

    Args:
        profile: where they go.
        teacher, student: names on the hub, or local folders.
    """
    try:
        tokenizer = load_folder_tokenizer(teacher, local=False)
        return load_folder(teacher, profile, False), load_folder(student, profile, False), tokenizer
    except CourseError:
        return None


def classifier_folder(name: str) -> Path:
    """The folder that `from_pretrained` reads.

    Raises:
        CourseError: an unknown name, or no weights there.
    """
    if name not in MODELS:
        raise CourseError(f"No classifier is called {name!r}: choose from {', '.join(MODELS)}.")
    folder = models_dir() / "sentiment" / name
    if not (folder / "model.safetensors").is_file():
        raise CourseError(
            f"{folder} has no model.safetensors: restore it from the repository, "
            "or make it with `make sentiment`."
        )
    return folder


def load_folder(
    folder: Path | str, profile: Profile | None = None, local: bool = True
) -> "PreTrainedModel":
    """A classifier with two labels from a folder (or a name on the hub), float32, evaluation mode.

    Raises:
        CourseError: it cannot be read.
    """
    import torch
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    bars_were_on, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    # Both go to stderr, and nbgrader gives no points to a cell that writes there.
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=2, dtype=torch.float32, local_files_only=local
        )
    except Exception as error:
        raise _unreadable(folder, error) from error
    finally:
        logging.set_verbosity(verbosity)
        if bars_were_on:
            logging.enable_progress_bar()
    return model.to(profile.device if profile else "cpu").eval()


def load_folder_tokenizer(folder: Path | str, local: bool = True) -> "PreTrainedTokenizerFast":
    """The tokenizer of a folder (or of a name on the hub).

    Raises:
        CourseError: it cannot be read.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=local)
    except Exception as error:
        raise _unreadable(folder, error) from error


def encode(tokenizer: "PreTrainedTokenizerFast", sentences: list[str]) -> dict[str, "torch.Tensor"]:
    """input_ids and attention_mask, (N, T) int64, padded to the longest sentence, at most LENGTH.

    Raises:
        CourseError: no sentences.
    """
    if not len(sentences):
        raise CourseError("There is no sentence to encode: give at least one.")
    encoded = tokenizer(
        list(sentences), padding=True, truncation=True, max_length=LENGTH, return_tensors="pt"
    )
    return {key: encoded[key] for key in ("input_ids", "attention_mask")}


def batches_of(
    tokenizer: "PreTrainedTokenizerFast",
    sentences: list[str],
    labels: np.ndarray,
    size: int = 32,
    epochs: float = 1,
    seed: int = 0,
    device: str = "cpu",
    **columns: np.ndarray,
) -> list[dict[str, "torch.Tensor"]]:
    """Batches to train on: input_ids, attention_mask and labels, each sentence once an epoch.

    Sentences of similar length share a batch, so that little of it is padding; which ones and in
    what order is drawn anew in each epoch, from the seed.

    Args:
        labels: (N,) integers.
        epochs: passes over the sentences; a fraction takes that share of the batches.
        columns: more of each sentence, (N, ...), to stand in the batches under the same name.

    Raises:
        CourseError: no sentences, a label for not each of them, or a size or epochs not above 0.
    """
    import torch

    if len(sentences) != len(labels) or size < 1 or epochs <= 0:
        raise CourseError(
            f"{len(sentences)} sentences, {len(labels)} labels, batches of {size}, {epochs} epochs: "
            "give a label to each sentence, and sizes above 0."
        )
    encoded = encode(tokenizer, sentences)
    lengths = encoded["attention_mask"].sum(1).numpy()
    rng, out = np.random.default_rng(seed), []
    wanted = max(1, round(epochs * -(-len(sentences) // size)))
    columns = {"labels": np.asarray(labels, dtype=np.int64), **columns}
    whole = {name: torch.as_tensor(values) for name, values in columns.items()}
    while len(out) < wanted:
        for rows in _by_length(lengths, size, rng):
            batch = {k: v[rows, : int(lengths[rows].max())] for k, v in encoded.items()}
            batch |= {name: values[rows] for name, values in whole.items()}
            out.append({k: v.to(device) for k, v in batch.items()})
    return out[:wanted]


def predict_logits(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    sentences: list[str],
    size: int = 128,
) -> np.ndarray:
    """Logits (N, 2) float32 of the sentences, in their order; the model is left in its mode."""
    import torch

    encoded = encode(tokenizer, sentences)
    lengths = encoded["attention_mask"].sum(1).numpy()
    logits = np.zeros((len(sentences), model.config.num_labels), np.float32)
    was_training = model.training
    model.eval()
    order = np.argsort(lengths, kind="stable")
    with torch.inference_mode():
        for at in range(0, len(order), size):
            rows = order[at : at + size]
            batch = {k: v[rows, : int(lengths[rows].max())] for k, v in encoded.items()}
            out = model(**{k: v.to(model.device) for k, v in batch.items()}).logits
            logits[rows] = out.float().cpu().numpy()
    model.train(was_training)
    return logits


def prunable(model: "PreTrainedModel") -> dict[str, "torch.nn.Parameter"]:
    """The weights that the project prunes, by parameter name: word embeddings and encoder layers.

    Position and segment embeddings, norms, biases and the classifier's head stay whole.
    """
    import torch

    return {
        f"{name}.weight": module.weight
        for name, module in model.named_modules()
        if (isinstance(module, torch.nn.Linear) and ".layer." in name)
        or name.endswith(".word_embeddings")
    }


def _by_length(lengths: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Rows of each batch of one epoch; chunks of 20 batches are sorted by length."""
    order, groups = rng.permutation(len(lengths)), []
    for at in range(0, len(order), 20 * size):
        chunk = order[at : at + 20 * size]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        groups += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    return [groups[i] for i in rng.permutation(len(groups))]


def _unreadable(folder: Path | str, error: Exception) -> CourseError:
    return CourseError(
        f"{folder} cannot be read ({type(error).__name__}): restore it from the repository, "
        "or make it with `make sentiment`."
    )
