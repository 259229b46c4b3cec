"""Data that every installation carries, for machines with no network and no mirror."""

import random
import re

import numpy as np

IMAGE_SIDE = 28
SEED = 20240
BLOCK_PARAGRAPHS = 40
HEADING_RULE = re.compile(r"\n[=*~^-]+$")
# fmt: off
ASPECTS = [
    "plot", "acting", "script", "music", "pacing", "dialogue", "camera", "ending", "cast", "humour",
    "story", "editing",
]
GOOD = [
    "brilliant", "charming", "moving", "sharp", "delightful", "clever", "warm", "gripping",
    "graceful", "witty", "superb", "fresh", "touching", "vivid", "inspired", "elegant", "honest",
    "funny", "tender", "thrilling",
]
BAD = [
    "dull", "clumsy", "tedious", "bland", "shallow", "stale", "lifeless", "messy", "predictable",
    "hollow", "grating", "lazy", "awkward", "dreary", "pointless", "sloppy", "tired", "wooden",
    "forced", "annoying",
]
FILMS = [
    "film", "movie", "picture", "drama", "comedy", "thriller", "sequel", "remake", "debut",
    "documentary",
]
# fmt: on
# {x} carries the label, {y} is an opposite that the sentence turns away from.
PATTERNS = (
    "a {x} {film} with {x2} {aspect}",
    "the {aspect} is {x} and the {aspect2} is {x2}",
    "this {film} is {x}",
    "{x} {aspect} from start to finish",
    "the {aspect} may be {y} , but the {film} is {x}",
    "despite {y} {aspect} , a {x} {film}",
    "not a {y} {film} at all",
    "the {aspect} is never {y}",
    "hardly {y} , the {film} has {x} {aspect}",
    "i expected a {y} {film} and found a {x} one",
)


def digits_as_mnist() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's 1,797 handwritten digits in MNIST's shape.

    The originals are 8x8 with values 0..16. They are enlarged to 20x20 (order 1) and set in a
    28x28 frame, as MNIST's own digits are (LeCun et al. 1998, section III.A).

    Returns:
        images (1797, 28, 28) uint8 and labels (1797,) uint8.
    """
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    digits = load_digits()
    inner = 20
    large = zoom(digits.images, (1, inner / 8, inner / 8), order=1)
    frame = (IMAGE_SIDE - inner) // 2
    scaled = np.clip(np.rint(large * (255 / 16)), 0, 255).astype(np.uint8)
    images = np.pad(scaled, ((0, 0), (frame, frame), (frame, frame)))
    return images, digits.target.astype(np.uint8)


def python_docs_text() -> tuple[str, str]:
    """The language reference that Python carries (`pydoc_data.topics`), in two parts.

    Topics quote one another, so each paragraph is kept once: no paragraph is in both parts.

    Returns:
        train_text and test_text; every tenth block of 40 paragraphs is in the test part.
    """
    from pydoc_data.topics import topics

    paragraphs: dict[str, str] = {}
    for name in sorted(topics):
        for piece in topics[name].split("\n\n"):
            text = piece.strip("\n")
            # One heading is underlined with other signs in other topics, one list indented deeper.
            key = " ".join(HEADING_RULE.sub("", text).split())
            if key:
                paragraphs.setdefault(key, text)
    parts: tuple[list[str], list[str]] = ([], [])
    for index, paragraph in enumerate(paragraphs.values()):
        parts[index // BLOCK_PARAGRAPHS % 10 == 9].append(paragraph)
    return "\n\n".join(parts[0]), "\n\n".join(parts[1])


def generated_sentiment(count: int) -> tuple[list[str], np.ndarray]:
    """Distinct one-line reviews from patterns, some negated, with labels as even as possible.

    Args:
        count: how many sentences.

    Returns:
        sentences (count strings) and labels (count,) int64, 1 for positive.
    """
    rng = random.Random(SEED)
    seen: set[str] = set()
    sentences, labels = [], []
    while len(sentences) < count:
        label = len(sentences) % 2
        same, other = (GOOD, BAD) if label else (BAD, GOOD)
        x, x2 = rng.sample(same, 2)
        aspect, aspect2 = rng.sample(ASPECTS, 2)
        sentence = rng.choice(PATTERNS).format(
            x=x, x2=x2, y=rng.choice(other), aspect=aspect, aspect2=aspect2, film=rng.choice(FILMS)
        )
        if sentence not in seen:
            seen.add(sentence)
            sentences.append(sentence)
            labels.append(label)
    return sentences, np.array(labels, dtype=np.int64)
