"""Measure the shipped classifiers: every figure of the card comes from here."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data.sentiment import stages
from data.sentiment.shipping import iterative_pruning, read_facts, sentiment_dir
from data.sentiment.stages import RECIPES, Split, full_split, real_sst2
from data.sentiment.training import apply_masks
from lab.paths import cache_dir
from lab.sentiment import MODELS, load_folder, load_folder_tokenizer, predict_logits, prunable

SPARSITIES = (0.3, 0.5, 0.7, 0.9)
Z = 1.96  # 95 %


def measure_all(say: Callable[[str], None]) -> dict:
    """All figures, as plain data. Takes some minutes: it prunes to 30, 50, 70 and 90 % again.

    Args:
        say: told what comes next.
    """
    began, data = time.monotonic(), real_sst2()
    split = full_split(data)
    figures: dict = {
        "data": {
            "train": len(split.sentences),
            "dev": len(split.test_sentences),
            "positive_share_dev": round(float(split.test_labels.mean()), 4),
        },
        "models": {},
        "parameters": {name: read_facts(name)["parameters"] for name in MODELS},
    }
    for name in MODELS:
        if name != "base":
            say(name)
            figures["models"][name] = measure(name, sentiment_dir(), split)
    say("a linear classifier on words and pairs of words")
    figures["linear"] = interval(_linear(split))
    figures["pruning"] = _pruning(split, say)
    say(f"done in {time.monotonic() - began:.0f} s")
    return figures


def measure(name: str, folder: Path, split: Split) -> dict:
    """Accuracy of a saved classifier, and its drop from the teacher on the same sentences."""
    right = answers(load_folder(folder / name), folder, split)
    found = interval(right)
    if name != "teacher":
        teacher = answers(load_folder(folder / "teacher"), folder, split)
        found |= paired(teacher, right)
        found["share_of_teacher"] = round(float(right.mean() / teacher.mean()), 4)
    return found


def answers(model, folder: Path, split: Split) -> np.ndarray:
    """Which test sentences the model has right, (N,) bool."""
    tokenizer = load_folder_tokenizer(folder / "base")
    logits = predict_logits(model, tokenizer, split.test_sentences)
    return logits.argmax(1) == split.test_labels


def interval(right: np.ndarray) -> dict:
    """Accuracy with Wilson's 95 % interval (Wilson 1927)."""
    n, p = len(right), float(right.mean())
    middle = p + Z**2 / (2 * n)
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    low, high = (middle - half) / scale, (middle + half) / scale
    return {"accuracy": round(p, 4), "low": round(low, 4), "high": round(high, 4)}


def paired(before: np.ndarray, after: np.ndarray) -> dict:
    """Drop in points on the same sentences, with a 95 % interval (normal, paired)."""
    lost, won = int((before & ~after).sum()), int((~before & after).sum())
    n, difference = len(before), lost - won
    half = 100 * Z * math.sqrt(lost + won - difference**2 / n) / n
    drop = 100 * difference / n
    return {
        "drop_points": round(drop, 2),
        "drop_low": round(drop - half, 2),
        "drop_high": round(drop + half, 2),
    }


def _pruning(split: Split, say: Callable[[str], None]) -> dict:
    """30, 50, 70, 90 % in rounds with fine-tuning, and at once without."""
    folder = sentiment_dir()
    tokenizer = load_folder_tokenizer(folder / "base")
    teacher = answers(load_folder(folder / "teacher"), folder, split)
    found: dict = {"at_once": {}, "iterative": {}}
    model = load_folder(folder / "teacher")
    for sparsity in SPARSITIES:
        once = load_folder(folder / "teacher")
        masks = stages.magnitude_masks(prunable(once), sparsity)
        apply_masks(dict(once.named_parameters()), masks)
        after = answers(once, folder, split)
        found["at_once"][str(sparsity)] = interval(after) | paired(teacher, after)

    def measure_round(sparsity: float) -> None:
        after = answers(model, folder, split)
        found["iterative"][str(sparsity)] = interval(after) | paired(teacher, after)
        say(f"pruned to {sparsity:.0%}")

    scratch, recipe = cache_dir() / "training", RECIPES["pruned"]
    runs = iterative_pruning(model, tokenizer, scratch, split, recipe, SPARSITIES, measure_round)
    for run in runs:
        run.path.unlink(missing_ok=True)
    return found


def _linear(split: Split) -> np.ndarray:
    """What a logistic regression on word counts has right: a floor that costs a second."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", sublinear_tf=True)
    features = words.fit_transform(split.sentences)
    model = LogisticRegression(C=4, max_iter=300).fit(features, split.labels)
    return model.predict(words.transform(split.test_sentences)) == split.test_labels
