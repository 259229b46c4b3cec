"""python -m data.gptq_libraries gptqmodel | autogptq: quantize the shipped model with a library.

Makes the library's environment when it is missing, runs `quantize.py` with its Python, and keeps the
checkpoint in `data/models/gptq/<library>/`: the packed layers only, because embedding and norms are
the shipped model's own.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np

from lab.errors import CourseError
from lab.gptq_checkpoint import COUNT, LENGTH, checkpoint_folder
from lab.lm import calibration_batch, model_folder
from lab.paths import repo_root

HERE = Path(__file__).parent


@click.command()
@click.argument("library", type=click.Choice(["gptqmodel", "autogptq"]))
@click.option("--python", type=click.Path(path_type=Path), help="A Python that has the library.")
@click.option("--bits", default=4, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Instead of data/models/gptq/LIBRARY.")
def main(library: str, python: Path | None, bits: int, out: Path | None) -> None:
    """Quantize the shipped model with a GPTQ library, in the library's own environment."""
    python = python or environment(library)
    out = out or checkpoint_folder(library)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tokens, made = Path(folder, "tokens.npy"), Path(folder, "made")
        np.save(tokens, calibration_batch(COUNT, LENGTH).numpy())
        source = model_copy(Path(folder, "model"), tokenizer=library == "gptqmodel")
        words = [python, HERE / "quantize.py", library, source, tokens, made, "--bits", str(bits)]
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
        if done.returncode:
            log = made.with_suffix(".log")
            tail = (log.read_text(errors="replace") if log.exists() else "") + done.stderr
            raise CourseError(f"{library} failed; the end of its log:\n{tail[-2000:]}")
        keep(made, out)
    click.echo(f"{done.stdout.strip().splitlines()[-1]}\nwrote {out}")


def environment(library: str) -> Path:
    """The library's own Python; built the first time."""
    folder = repo_root() / f".venv-{library}"
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    if stamp.exists() and stamp.stat().st_mtime >= requirements(library).stat().st_mtime:
        return python
    if library == "autogptq" and sys.version_info[:2] != (3, 11):
        raise CourseError("auto-gptq 0.7.1 has wheels for CPython 3.11 alone: run this with it.")
    click.echo(f"Installing {library} into {folder.name}, once; some minutes.")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # torch first and alone, so that nothing else picks its build.
    torch = next(w for w in requirements(library).read_text().split() if w.startswith("torch=="))
    for words in ([torch], ["-r", requirements(library)]):
        if subprocess.run([*pip, *words]).returncode:
            raise CourseError(f"pip could not install {library}: is there a network?")
    stamp.touch()
    return python


def requirements(library: str) -> Path:
    return HERE / f"{library}.txt"


def model_copy(folder: Path, tokenizer: bool) -> Path:
    """The shipped model; GPTQModel asks for a tokenizer, transformers 4 cannot read ours."""
    folder.mkdir()
    names = ["config.json", "generation_config.json", "model.safetensors"]
    names += ["tokenizer.json", "tokenizer_config.json"] * tokenizer
    for name in names:
        (folder / name).write_bytes((model_folder("lm") / name).read_bytes())
    return folder


def keep(made: Path, out: Path) -> None:
    """The quantized layers of a checkpoint, and what made them."""
    from safetensors.torch import load_file, save_file

    files = sorted(made.glob("*.safetensors"))
    if not files:
        raise CourseError(f"The library wrote no safetensors file, only {sorted(made.iterdir())}.")
    parts = ("qweight", "qzeros", "scales", "g_idx")
    tensors = {k: v for k, v in load_file(files[0]).items() if k.rpartition(".")[2] in parts}
    # AutoGPTQ writes float32 that float16 holds exactly.
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    save_file(tensors, out / "layers.safetensors")
    source = (model_folder("lm") / "model.safetensors").read_bytes()
    facts = json.loads((made / "made_by.json").read_text())
    facts |= {
        "calibration_sequences": COUNT,
        "calibration_length": LENGTH,
        "whole_file_bytes": files[0].stat().st_size,
        "source_sha256": hashlib.sha256(source).hexdigest(),
    }
    (out / "made_by.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        raise SystemExit(str(error)) from None
