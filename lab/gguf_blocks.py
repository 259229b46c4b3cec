"""The shipped models in GGUF's block formats, as real llama.cpp wrote them.

`data/models/gguf/README.md` is the card; `python -m data.gguf_fixtures` made the files.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from lab.errors import CourseError
from lab.lm import model_folder, models_dir

SAMPLE = "blk.1.attn_q.weight"
REMEDY = (
    "restore data/models/gguf from the repository, or make it with `python -m data.gguf_fixtures`."
)


def folder() -> Path:
    """Where the files are."""
    return models_dir() / "gguf"


def source_sha256(name: str) -> str:
    """sha256 of a shipped model's weights."""
    return hashlib.sha256((model_folder(name) / "model.safetensors").read_bytes()).hexdigest()


def load_packed() -> dict[str, np.ndarray]:
    """Tensors of the shipped model as packed bytes, (rows, bytes of a row) uint8.

    Keys name type and tensor: "Q4_K/blk.1.attn_q.weight".

    Raises:
        CourseError: the file is missing, damaged or not the one that was described.
    """
    import gguf

    path = folder() / "blocks.gguf"
    wanted = load_facts()["sha256"]
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            raise ValueError("other bytes than its sha256 says")
        return {t.name: np.array(t.data) for t in gguf.GGUFReader(path).tensors}
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be used ({error}): {REMEDY}") from error


def load_facts() -> dict:
    """What llama.cpp made of each tensor: `made_by.json`.

    Returns:
        library, date, sha256, and files: {"lm Q4_K_M": {"bits_per_weight", "divergence_nats",
        "tensors": {name: {"type", "shape", "relative_rmse", "sha256"}}}}.

    Raises:
        CourseError: the file is missing or damaged, or describes other weights than those shipped.
    """
    path = folder() / "made_by.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        sources = facts["source_sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise CourseError(f"{path} cannot be read ({type(error).__name__}): {REMEDY}") from error
    for name, sha256 in sources.items():
        if source_sha256(name) != sha256:
            raise CourseError(
                f"{path} was made from other weights than data/models/{name}: {REMEDY}"
            )
    return facts
