"""The course's own language model: weights, tokenizer and tokens, all from `data/models/`.

`data/models/README.md` is its card: how it was trained, on what, and what was measured.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError
from lab.paths import repo_root
from lab.profile import Profile

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

MODELS = ("lm", "draft")
SPLITS = ("train", "heldout")


def load_lm(name: str = "lm", profile: Profile | None = None) -> "LlamaForCausalLM":
    """A trained Llama in evaluation mode, with frozen weights.

    Args:
        name: "lm", or "draft", a smaller one with the same tokenizer (for speculative decoding).
        profile: where it goes: float32 on the CPU (also for None), bfloat16 on a GPU.

    Raises:
        CourseError: an unknown name, or its files are missing or damaged.
    """
    folder = model_folder(name)
    import torch
    from transformers import LlamaForCausalLM
    from transformers.utils import logging

    bars_were_on = logging.is_progress_bar_enabled()
    # The bar goes to stderr, and nbgrader gives no points to a cell that writes there.
    logging.disable_progress_bar()
    try:
        model = LlamaForCausalLM.from_pretrained(
            folder, dtype=profile.dtype if profile else torch.float32, local_files_only=True
        )
    except Exception as error:
        raise _damaged(folder, error) from error
    finally:
        if bars_were_on:
            logging.enable_progress_bar()
    return model.to(profile.device if profile else "cpu").eval().requires_grad_(False)


def load_tokenizer(name: str = "lm") -> "PreTrainedTokenizerFast":
    """The byte-level BPE of 2,048 tokens; id 0, `<|endoftext|>`, stands before each document.

    Raises:
        CourseError: an unknown name, or its files are missing or damaged.
    """
    folder = model_folder(name)
    from transformers import PreTrainedTokenizerFast

    try:
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        raise _damaged(folder, error) from error


def load_tokens(split: str) -> np.ndarray:
    """The text as token ids, documents one after another, (N,) uint16.

    The ids are shipped, because another Python version has other docstrings: so figures are the
    same on every version.

    Args:
        split: "train" (also to calibrate and to fine-tune on) or "heldout" (to test on); no
            document is in both and no paragraph occurs twice.

    Raises:
        CourseError: another split, or its file is missing or damaged.
    """
    if split not in SPLITS:
        raise CourseError(f"No split is called {split!r}: choose from {', '.join(SPLITS)}.")
    path = models_dir() / "corpus" / f"{split}.npy"
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from error


def calibration_batch(count: int = 128, length: int = 128, seed: int = 0) -> "torch.Tensor":
    """Sequences of the training split at random places, (count, length) int64.

    Raises:
        CourseError: a count or length below 1, or longer sequences than the split has.
    """
    tokens = load_tokens("train")
    if count < 1 or not 1 <= length <= len(tokens):
        raise CourseError(
            f"A calibration batch needs count >= 1 and length 1 to {len(tokens):,}, "
            f"not count={count}, length={length}."
        )
    import torch

    starts = np.random.default_rng(seed).integers(len(tokens) - length + 1, size=count)
    return torch.from_numpy(tokens[starts[:, None] + np.arange(length)].astype(np.int64))


def complete(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    prompt: str,
    new_tokens: int = 48,
) -> str:
    """What the model writes after `prompt`, always taking the likeliest token.

    Stops at `<|endoftext|>`, after `new_tokens`, or where the model's context is full.

    Raises:
        CourseError: an empty prompt, or one that fills the context.
    """
    import torch

    ids = tokenizer(prompt, return_tensors="pt").input_ids.to(model.device)
    context = model.config.max_position_embeddings
    if not 1 <= ids.shape[1] < context:
        raise CourseError(
            f"The prompt has {ids.shape[1]} tokens: give 1 to {context - 1}, the model's context "
            f"being {context}."
        )
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=min(new_tokens, context - ids.shape[1]),
            do_sample=False,
            pad_token_id=tokenizer.eos_token_id,
        )
    return tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def models_dir() -> Path:
    """The folder of the shipped models."""
    return repo_root() / "data" / "models"


def model_folder(name: str) -> Path:
    """The folder that `from_pretrained` and converters read: weights, config and tokenizer.

    Raises:
        CourseError: an unknown name, or no weights there.
    """
    if name not in MODELS:
        raise CourseError(f"No model is called {name!r}: choose from {', '.join(MODELS)}.")
    folder = models_dir() / name
    if not (folder / "model.safetensors").is_file():
        raise CourseError(
            f"{folder} has no model.safetensors: restore it from the repository, "
            "or make it with `make lm`."
        )
    return folder


def _damaged(path: Path, error: Exception) -> CourseError:
    """The sentence for files that are there but cannot be used."""
    return CourseError(
        f"{path} cannot be read ({type(error).__name__}): restore it from the repository, "
        "or make it with `make lm`."
    )
