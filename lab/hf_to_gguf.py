"""Convert a Hugging Face folder of the Llama architecture to one GGUF file, F16 or F32.

    python -m lab.hf_to_gguf FOLDER OUT.gguf [--dtype float32] [--pre NAME]

The file holds what llama.cpp's own `convert_hf_to_gguf.py` writes for these models: the same weights bit
for bit, the same hyper-parameters and tokenizer (a test compares them). It needs no llama.cpp.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from lab.errors import CourseError
from lab.hf_llama import hyper_parameters, permute_rows, rope_factors, weight_shapes
from lab.hf_tokenizer import add_tokenizer

if TYPE_CHECKING:
    import torch
    from gguf import TensorNameMap

K_QUANT_ROW = 256
# What a loader of checkpoints recomputes, and old checkpoints carry all the same.
COMPUTED = ("rotary_emb.inv_freq",)
MOST_HALF = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Conversion:
    """What was written.

    Attributes:
        path: the file. size_bytes: its size. tensors: how many it holds. parameters: their values.
        warnings: sentences about what will surprise later.
    """

    path: Path
    size_bytes: int
    tensors: int
    parameters: int
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = f"{self.path.name}: {self.tensors} tensors, {self.parameters:,} parameters, "
        return "\n".join([told + f"{self.size_bytes:,} bytes", *self.warnings])


def convert(
    folder: Path | str,
    out: Path | str,
    dtype: str = "float16",
    pre: str | None = None,
    progress: Callable[[str], object] = lambda name: None,
) -> Conversion:
    """Write `folder` (config.json, tokenizer.json, *.safetensors) as one GGUF file.

    Matrices are stored in `dtype`; vectors (norms, biases) in float32, as llama.cpp wants them. The
    tensors go through memory one by one, and `out` appears only when it is whole.

    Args:
        dtype: "float16" or "float32".
        pre: llama.cpp's name of the pre-tokenizer, where it is not recognized (see lab.hf_tokenizer).
        progress: called with each tensor's name before it is written.

    Raises:
        CourseError: another architecture, a missing or damaged file, a tokenizer or a rope scaling
            that is not supported, a value beyond float16, or a file that cannot be written.
    """
    folder, out = Path(folder), Path(out)
    if dtype not in ("float16", "float32"):
        raise CourseError(f"A file is written in float16 or float32, not in {dtype}.")
    config = read_config(folder)
    parameters = hyper_parameters(config)
    files = weight_files(folder, config)
    part = out.with_name(out.name + ".part")
    try:
        tensors = _write(folder, part, dtype, config, parameters, files, pre, progress)
        part.replace(out)
    except OSError as error:
        raise CourseError(f"{out} cannot be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    count = sum(int(np.prod(shape)) for shape in tensors.values())
    return Conversion(out, out.stat().st_size, len(tensors), count, warnings_for(tensors))


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a Llama-architecture model. Raises CourseError for anything else."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(
            f"{folder} has no config.json: give the folder that save_pretrained wrote."
        ) from error
    except ValueError as error:
        raise CourseError(f"{path} is not JSON: download the model again.") from error
    named = config.get("architectures") if isinstance(config, dict) else None
    if not isinstance(named, list) or "LlamaForCausalLM" not in named:
        what = ", ".join(map(str, named)) if isinstance(named, list) else "no architecture"
        raise CourseError(
            f"This converter reads LlamaForCausalLM; {folder.name} holds {what}: "
            "take llama.cpp's convert_hf_to_gguf.py for other architectures."
        )
    return config


def weight_files(folder: Path, config: dict[str, Any]) -> dict[str, Path]:
    """Which safetensors file holds each tensor that the model needs, by the tensor's name.

    Raises:
        CourseError: no safetensors, a damaged one, a tensor missing, unknown or of a wrong shape.
    """
    from safetensors import safe_open

    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise CourseError(
            f"{folder} has no safetensors weights: save the model with save_pretrained, "
            "or download *.safetensors."
        )
    where: dict[str, Path] = {}
    wanted = weight_shapes(config)
    for path in paths:
        try:
            with safe_open(path, framework="pt") as file:
                found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise CourseError(f"{path} is damaged ({error}): download it again.") from error
        for name, shape in found.items():
            if name.endswith(COMPUTED) or (name == "lm_head.weight" and name not in wanted):
                continue
            if name not in wanted:
                raise CourseError(f"{path.name} holds {name}, which no plain Llama has.")
            if shape != wanted[name]:
                raise CourseError(f"{name} has shape {shape}; config.json asks for {wanted[name]}.")
            where[name] = path
    missing = sorted(set(wanted) - set(where))
    if missing:
        raise CourseError(
            f"{folder} lacks {len(missing)} of {len(wanted)} tensors, first {missing[0]}: "
            "download every shard."
        )
    return where


def gguf_name(name: str, layers: int) -> str:
    """A tensor's name in GGUF, by the gguf package's own table."""
    found = _name_table(layers).get_name(name, try_suffixes=(".weight", ".bias"))
    if found is None:
        raise CourseError(f"GGUF has no name for {name}.")
    return found


@cache
def _name_table(layers: int) -> "TensorNameMap":
    import gguf

    return gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, layers)


def _write(folder, part, dtype, config, parameters, files, pre, progress) -> dict[str, tuple]:
    """The whole file; returns the shapes by GGUF name."""
    import gguf

    writer = gguf.GGUFWriter(part, "llama")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(folder.resolve().name)
    for key, value in parameters.items():
        add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        add[type(value)](key, value)
    half = dtype == "float16"
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if half else gguf.LlamaFileType.ALL_F32)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_tokenizer(writer, folder, config, pre)
    shapes, plan = {}, []
    factors = rope_factors(config)
    if factors is not None:
        shapes["rope_freqs.weight"] = factors.shape
        plan.append((factors, None))
    expected = weight_shapes(config)
    for name in files:
        stored = np.dtype(dtype if len(expected[name]) > 1 else "float32")
        shapes[gguf_name(name, config["num_hidden_layers"])] = expected[name]
        plan.append((name, stored))
    for (gguf_key, shape), (_, stored) in zip(shapes.items(), plan, strict=True):
        kind = stored or np.dtype("float32")
        writer.add_tensor_info(gguf_key, shape, kind, int(np.prod(shape)) * kind.itemsize)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for item, stored in plan:
            if stored is None:
                writer.write_tensor_data(item)
                continue
            progress(item)
            writer.write_tensor_data(load(files[item], item, config, stored))
    finally:
        writer.close()
    return shapes


def load(path: Path, name: str, config: dict[str, Any], dtype: np.dtype) -> np.ndarray:
    """One tensor as the file stores it: q and k in GGUF's row order, in `dtype`."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        tensor: torch.Tensor = file.get_tensor(name)
    values = np.ascontiguousarray(tensor.float().numpy())
    heads = {
        "q_proj": config["num_attention_heads"],
        "k_proj": config.get("num_key_value_heads") or config["num_attention_heads"],
    }
    for part, count in heads.items():
        if f".{part}." in name:
            values = permute_rows(values, count)
    if dtype == np.float16 and float(np.abs(values).max(initial=0)) > MOST_HALF:
        raise CourseError(
            f"{name} has values beyond float16's {MOST_HALF:,.0f}: convert with dtype float32."
        )
    return values.astype(dtype)


def warnings_for(tensors: dict[str, tuple]) -> list[str]:
    """What will surprise when this file is quantized, as sentences."""
    odd = [n for n, s in tensors.items() if len(s) == 2 and s[-1] % K_QUANT_ROW]
    if not odd:
        return []
    row = tensors[odd[0]][-1]
    return [
        f"{len(odd)} matrices have rows that are no multiple of {K_QUANT_ROW} values (first {odd[0]}, "
        f"{row}): k-quants such as Q4_K_M fall back to other types there, without an error."
    ]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--dtype", type=click.Choice(["float16", "float32"]), default="float16")
@click.option("--pre", help="llama.cpp's name of the pre-tokenizer, where it is not recognized.")
def main(folder: Path, out: Path, dtype: str, pre: str | None) -> None:
    """Convert a Hugging Face folder of the Llama architecture to one GGUF file."""
    try:
        total = len(weight_shapes(read_config(folder)))
        with click.progressbar(length=total, label="converting") as bar:
            done = convert(folder, out, dtype, pre, lambda name: bar.update(1))
    except CourseError as error:
        raise SystemExit(str(error)) from None
    click.echo(done)


if __name__ == "__main__":
    main()
