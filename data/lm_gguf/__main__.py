"""python -m data.lm_gguf: write data/models/lm_gguf/lm-Q4_K_M.gguf with llama.cpp, and what made it.

A machine without llama.cpp takes this file where the lessons of module 1.4 need a k-quant.
"""

import hashlib
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import click

from lab.errors import CourseError
from lab.hf_to_gguf import convert
from lab.llamacpp import quantize
from lab.lm import model_folder, models_dir

KIND = "Q4_K_M"


@click.command()
def main() -> None:
    """Convert the shipped model and quantize it with llama.cpp."""
    folder = models_dir() / "lm_gguf"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        half = convert(model_folder("lm"), Path(scratch, "lm-F16.gguf")).path
        made = quantize(half, folder / f"lm-{KIND}.gguf", KIND)
    source = (model_folder("lm") / "model.safetensors").read_bytes()
    facts = {
        "quantizer": f"llama_model_quantize of llama-cpp-python {version('llama-cpp-python')}",
        "type": KIND,
        "bytes": made.stat().st_size,
        "sha256": hashlib.sha256(made.read_bytes()).hexdigest(),
        "source_sha256": hashlib.sha256(source).hexdigest(),
    }
    (folder / "made_by.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    click.echo(f"wrote {made}, {facts['bytes']:,} bytes")


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        raise SystemExit(str(error)) from None
