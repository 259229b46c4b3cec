"""The shipped model quantized by a GPTQ library, as the library's checkpoint stores it."""

import hashlib
import json
from pathlib import Path

import numpy as np

from lab.errors import CourseError
from lab.lm import model_folder, models_dir

LIBRARIES = ("gptqmodel", "autogptq")
COUNT, LENGTH = 64, 128


def checkpoint_folder(library: str) -> Path:
    """Where `make gptqmodel` and `make autogptq` keep their result.

    Raises:
        CourseError: an unknown library.
    """
    if library not in LIBRARIES:
        raise CourseError(f"No library is called {library!r}: choose from {', '.join(LIBRARIES)}.")
    return models_dir() / "gptq" / library


def load_checkpoint(library: str = "gptqmodel") -> tuple[dict[str, dict[str, np.ndarray]], dict]:
    """The packed tensors of each layer, and how they were made.

    Returns:
        layers: full name: {"qweight" (in * bits / 32, out) int32, "qzeros" (groups, out * bits / 32)
            int32, "scales" (groups, out) float16, "g_idx" (in,) int32}.
        facts: library, version, bits, group_size, seconds, calibration, bytes.

    Raises:
        CourseError: there is no checkpoint, it cannot be read, or it was made from other weights.
    """
    folder = checkpoint_folder(library)
    path = folder / "layers.safetensors"
    remedy = f"make it with `make {library}` (needs a network the first time)."
    if not path.is_file():
        raise CourseError(f"There is no checkpoint of {library} in {folder}: {remedy}")
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
        facts = json.loads((folder / "made_by.json").read_text(encoding="utf-8"))
    except Exception as error:
        raise CourseError(f"{path} cannot be read ({type(error).__name__}): {remedy}") from error
    source = (model_folder("lm") / "model.safetensors").read_bytes()
    if facts.get("source_sha256") != hashlib.sha256(source).hexdigest():
        raise CourseError(f"{path} was made from other weights than data/models/lm: {remedy}")
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, value in tensors.items():
        layer, _, part = name.rpartition(".")
        layers.setdefault(layer, {})[part] = value
    return layers, facts
