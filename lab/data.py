"""The course's data sets, from the first of: cache, mirror, upstream, embedded stand-in."""

import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.errors import CourseError
from lab.idx import read_idx
from lab.sources import Located, locate
from lab.stand_ins import digits_as_mnist, generated_sentiment, python_docs_text

TRAIN_SHARE = 0.8
SPLIT_SEED = 0
TEXTS = ("wikitext-2", "tinyshakespeare")


@dataclass(frozen=True)
class Dataset:
    """What every data set says of itself.

    Attributes:
        name: "mnist", "sst2", "wikitext-2" or "tinyshakespeare", whatever the source.
        source: "cache", "mirror", "upstream" or "stand-in".
        note: one sentence that says what the data are and where they came from.
    """

    name: str
    source: str
    note: str

    @property
    def is_stand_in(self) -> bool:
        """Whether other data stand in for the named ones."""
        return self.source == "stand-in"

    def __str__(self) -> str:
        return f"{self.name} ({self.source}): {self.note}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(str(self))}</p>"


@dataclass(frozen=True, repr=False)
class ImageDataset(Dataset):
    """Images (N, 28, 28) uint8, 0 for paper and 255 for ink, and labels (N,) uint8."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@dataclass(frozen=True, repr=False)
class TextDataset(Dataset):
    """Two texts that share no passage: one to train and calibrate on, one to test on."""

    train_text: str
    test_text: str


@dataclass(frozen=True, repr=False)
class SentenceDataset(Dataset):
    """Lists of sentences and labels (N,) int64: 0 for negative, 1 for positive."""

    train_sentences: list[str]
    train_labels: np.ndarray
    valid_sentences: list[str]
    valid_labels: np.ndarray
    test_sentences: list[str]
    test_labels: np.ndarray


def load_mnist(split: float | None = None, *, download: bool = True) -> ImageDataset:
    """MNIST's 10,000 test images, split into 8,000 to train on and 2,000 to test on.

    The course uses the test files alone, whether the training files are there or not, so that
    every figure in it belongs to one protocol. The permutation has a fixed seed. The stand-in is
    scikit-learn's 1,797 digits, split the same way.

    Args:
        split: the share that trains; None for the course's 0.8.
        download: whether upstream may be asked; if not, cache, mirror or stand-in.

    Raises:
        CourseError: a damaged file in the cache or the mirror, or a split outside (0, 1).
    """
    share = TRAIN_SHARE if split is None else split
    if not 0 < share < 1:
        raise CourseError(f"split is the share of images that train, not {split!r}: try 0.8.")
    found = locate("mnist", download)
    if found.source:
        images = read_idx(found.paths["t10k-images"], (None, 28, 28))
        labels = read_idx(found.paths["t10k-labels"], (len(images),))
    else:
        images, labels = digits_as_mnist()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    cut = round(share * len(images))
    train, test = order[:cut], order[cut:]
    return ImageDataset(
        "mnist",
        *_origin(found, "scikit-learn's 1,797 handwritten digits, enlarged to 28x28"),
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
    )


def load_text(name: str = "wikitext-2") -> TextDataset:
    """A text corpus: "wikitext-2" or "tinyshakespeare".

    WikiText-2: its validation text trains and calibrates, its test text tests. Tiny Shakespeare:
    the first 90 % of the lines and the rest. The stand-in is the language reference that every
    Python carries.

    Raises:
        CourseError: an unknown name, or a damaged file in the cache or the mirror.
    """
    if name not in TEXTS:
        raise CourseError(f"No text is called {name!r}: choose from {', '.join(TEXTS)}.")
    found = locate(name)
    if not found.source:
        train_text, test_text = python_docs_text()
    elif name == "wikitext-2":
        train_text, test_text = (_read_text(found.paths[key]) for key in ("valid", "test"))
    else:
        lines = _read_text(found.paths["input"]).splitlines(keepends=True)
        cut = len(lines) * 9 // 10
        train_text, test_text = "".join(lines[:cut]), "".join(lines[cut:])
    return TextDataset(
        name,
        *_origin(found, "Python's own language reference"),
        train_text=train_text,
        test_text=test_text,
    )


def load_sst2() -> SentenceDataset:
    """SST-2 with whole sentences: 6,920 to train on, 872 to validate, 1,821 to test.

    Socher et al. 2013, section 3. The stand-in is a generated set of 4,000, 500 and 500.

    Raises:
        CourseError: a damaged file in the cache or the mirror.
    """
    found = locate("sst2")
    if found.source:
        parts = [_read_labelled(found.paths[key]) for key in ("train", "dev", "test")]
    else:
        sentences, labels = generated_sentiment(5000)
        parts = [
            (sentences[piece], labels[piece])
            for piece in (slice(4000), slice(4000, 4500), slice(4500, None))
        ]
    (train, train_y), (valid, valid_y), (test, test_y) = parts
    return SentenceDataset(
        "sst2",
        *_origin(found, "a generated set of one-line film reviews"),
        train_sentences=train,
        train_labels=train_y,
        valid_sentences=valid,
        valid_labels=valid_y,
        test_sentences=test,
        test_labels=test_y,
    )


def _origin(found: Located, stand_in: str) -> tuple[str, str]:
    """The source and the note; a stand-in says why it stands in."""
    if found.source:
        return found.source, found.note
    return "stand-in", f"This is {stand_in}, standing in because: {found.note}"


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as UTF-8 text: replace it.") from error


def _read_labelled(path: Path) -> tuple[list[str], np.ndarray]:
    """Lines of a sentence, a tab and 0 or 1."""
    sentences, labels = [], []
    for number, line in enumerate(_read_text(path).splitlines(), 1):
        sentence, tab, label = line.rpartition("\t")
        if not tab or label not in ("0", "1"):
            raise CourseError(
                f"Line {number} of {path} is no sentence, tab and label 0 or 1: replace the file."
            )
        sentences.append(sentence)
        labels.append(int(label))
    return sentences, np.array(labels, dtype=np.int64)
