"""The weights of a GGUF file without llama.cpp: dequantized into transformers, or as Q8_0 again.

The gguf package dequantizes all types and quantizes the simple ones. llama.cpp itself multiplies in the
quantized types, activations rounded to 8 bits, so a model run here is a little better than there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import CourseError
from lab.lm import models_dir

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


def shipped_gguf(kind: str = "Q4_K_M") -> Path:
    """The shipped model as quantized by llama.cpp (`make lm-gguf` writes it).

    Raises:
        CourseError: no such file.
    """
    path = models_dir() / "lm_gguf" / f"lm-{kind}.gguf"
    if not path.is_file():
        raise CourseError(f"{path} is missing: restore it from the repository, or `make lm-gguf`.")
    return path


def load_dequantized(path: Path | str) -> "LlamaForCausalLM":
    """A Llama with the file's weights, dequantized to float32, in evaluation mode and frozen.

    Raises:
        CourseError: no such file, or one that transformers cannot read.
    """
    path = Path(path)
    if not path.is_file():
        raise CourseError(f"{path} is missing: convert or quantize the model first.")
    import torch
    from transformers import LlamaForCausalLM

    try:
        with _no_bars():
            model = LlamaForCausalLM.from_pretrained(
                path.parent, gguf_file=path.name, dtype=torch.float32, local_files_only=True
            )
    except Exception as error:
        raise CourseError(
            f"{path.name} cannot be read as a Llama ({type(error).__name__}): write it again."
        ) from error
    return model.eval().requires_grad_(False)


@contextmanager
def _no_bars() -> Iterator[None]:
    """No progress bars: they go to stderr, and nbgrader gives no points to a cell that writes there."""
    from transformers import modeling_gguf_pytorch_utils as reading
    from transformers.utils import logging

    bars_were_on, bar = logging.is_progress_bar_enabled(), reading.tqdm
    logging.disable_progress_bar()
    # Reading GGUF has a bar of its own, which that switch does not reach.
    reading.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        reading.tqdm = bar
        if bars_were_on:
            logging.enable_progress_bar()


def to_q8_0(source: Path | str, out: Path | str) -> Path:
    """Write a GGUF file again with its matrices as Q8_0, as llama.cpp's quantizer rounds them.

    Raises:
        CourseError: no such file.
    """
    import gguf

    source, out = Path(source), Path(out)
    if not source.is_file():
        raise CourseError(f"{source} is missing: convert the model first.")
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(out, reader.fields["general.architecture"].contents())
    for key, entry in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        value = entry.contents()
        if key == "general.file_type":
            value = int(gguf.LlamaFileType.MOSTLY_Q8_0)
        inner = entry.types[1] if len(entry.types) > 1 else None
        writer.add_key_value(key, value, entry.types[0], inner)
    kind = gguf.GGMLQuantizationType.Q8_0
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        if values.ndim > 1:
            writer.add_tensor(tensor.name, gguf.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out
