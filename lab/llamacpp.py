"""llama.cpp through llama-cpp-python: quantize GGUF files and run them. `make llamacpp` builds it, once.

Nothing here is imported before it is used, so the course runs without llama.cpp; `found()` says why it
is missing, and `require_llamacpp()` says it as an error.
"""

import ctypes
import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

import numpy as np

from lab.errors import CourseError
from lab.optional import require

if TYPE_CHECKING:
    import torch

REMEDY = "make llamacpp"
# llama.h's llama_ftype of what the course uses.
FILE_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q2_K": 10, "Q3_K_M": 12,
    "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18,
}  # fmt: skip
CONTEXT = 512


def found() -> bool:
    """Whether llama-cpp-python is installed; imports nothing."""
    return importlib.util.find_spec("llama_cpp") is not None


def require_llamacpp() -> ModuleType:
    """The module llama_cpp, its log silenced. Raises CourseError with the command that builds it."""
    library = require("llama_cpp", "running llama.cpp", REMEDY)
    _silence(library)
    return library


def quantize(source: Path | str, out: Path | str, kind: str, threads: int = 2) -> Path:
    """Quantize an F16 or F32 GGUF file as `llama-quantize` does.

    Args:
        kind: one of FILE_TYPES, such as "Q8_0" or "Q4_K_M".

    Raises:
        CourseError: no llama.cpp, an unknown kind, a missing file, or one that llama.cpp refuses.
    """
    library = require_llamacpp()
    if kind not in FILE_TYPES:
        raise CourseError(f"No file type is called {kind!r}: choose from {', '.join(FILE_TYPES)}.")
    source, out = Path(source), Path(out)
    if not source.is_file():
        raise CourseError(f"{source} is missing: convert the model first.")
    settings = library.llama_model_quantize_default_params()
    settings.ftype, settings.nthread = FILE_TYPES[kind], threads
    part = out.with_name(out.name + ".part")
    refused = library.llama_model_quantize(
        os.fsencode(source), os.fsencode(part), ctypes.byref(settings)
    )
    if refused:
        part.unlink(missing_ok=True)
        raise CourseError(f"llama.cpp does not quantize {source.name} to {kind}: is it F16 or F32?")
    part.replace(out)
    return out


class GGUFModel:
    """A GGUF file that llama.cpp has mapped and runs on the CPU; `close` it, or use `with`.

    Callable as `lab.perplexity` and `lab.divergence` call a model: ids (B, T) -> logits (B, T, V).

    Attributes:
        load_ms: how long loading took, milliseconds.

    Raises:
        CourseError: no llama.cpp, no such file, or one that it refuses.
    """

    def __init__(self, path: Path | str, context: int = CONTEXT, threads: int = 2):
        library = require_llamacpp()
        path = Path(path)
        if not path.is_file():
            raise CourseError(f"{path} is missing: convert or quantize the model first.")
        began = time.perf_counter()
        try:
            self._llama = library.Llama(
                str(path), n_ctx=context, n_batch=context, n_threads=threads,
                n_threads_batch=threads, logits_all=True, verbose=False,
            )  # fmt: skip
        except (ValueError, RuntimeError, AssertionError) as error:
            raise CourseError(f"llama.cpp refuses {path.name}: it is damaged or unfit.") from error
        self.load_ms = 1000 * (time.perf_counter() - began)
        _silence(library)

    def tokenize(self, text: str) -> list[int]:
        """Token ids by the tokenizer in the file, without a BOS token."""
        return list(self._llama.tokenize(text.encode(), add_bos=False, special=True))

    def detokenize(self, ids: list[int]) -> str:
        """The text of ids."""
        return self._llama.detokenize(ids).decode("utf-8", "replace")

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Logits after each of the ids (T,), (T, V) float32."""
        self._llama.reset()
        self._llama.eval([int(i) for i in ids])
        return np.array(self._llama.scores[: len(ids)], dtype=np.float32)

    def greedy(self, ids: list[int], count: int, stop: int | None = None) -> list[int]:
        """The `count` likeliest next tokens, one after another; ends early after the id `stop`."""
        self._llama.reset()
        made: list[int] = []
        feed = [int(i) for i in ids]
        while len(made) < count:
            self._llama.eval(feed)
            feed = [int(np.argmax(self._llama.scores[self._llama.n_tokens - 1]))]
            made += feed
            if feed[0] == stop:
                break
        return made

    def __call__(self, ids: "torch.Tensor") -> "torch.Tensor":
        import torch

        return torch.from_numpy(np.stack([self.logits(row) for row in ids.cpu().numpy()]))

    def close(self) -> None:
        """Give the memory back."""
        self._llama.close()

    def __enter__(self) -> "GGUFModel":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _silence(library: ModuleType) -> None:
    """No log: llama.cpp writes to stderr, and nbgrader gives no points to a cell that does."""
    global _QUIET
    _QUIET = library.llama_log_callback(lambda level, text, data: None)
    library.llama_log_set(_QUIET, ctypes.c_void_p(0))


# Kept, because llama.cpp holds a pointer to it.
_QUIET: object = None
