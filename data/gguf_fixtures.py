"""python -m data.gguf_fixtures: the shipped models in block formats, quantized by real llama.cpp.

Needs `llama-cpp-python` (built from source, so not a dependency of the course). For each recipe such
as Q4_K_M the whole model goes through `llama_model_quantize`, as `llama-quantize` would do it. Kept in
`data/models/gguf/`: a few tensors as packed bytes (`blocks.gguf`), and for every tensor of every file
its type, shape, sha256 and error (`made_by.json`). The card, `README.md`, is written from the two.
"""

import copy
import datetime
import hashlib
import json
import tempfile
from pathlib import Path

import click
import gguf
import numpy as np
import torch

from lab.divergence import mean_divergence
from lab.gguf_blocks import SAMPLE, folder, source_sha256
from lab.hf_to_gguf import gguf_name
from lab.llamacpp import quantize
from lab.lm import load_lm

RECIPES = "Q8_0 Q6_K Q5_K_M Q5_0 Q4_1 Q4_K_M Q4_K_S Q4_0 Q3_K_M Q2_K".split()  # noqa: SIM905
K_TYPES = ("Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")
# Two tensors of which Q4_K_M stores one layer in Q4_K and another in Q6_K.
MIXED = ("blk.1.attn_v.weight", "blk.3.attn_v.weight")


def write_f16(model: torch.nn.Module, path: Path) -> None:
    """Weights and sizes, enough to quantize and not to run: no tokenizer, rows in Hugging Face's order.

    (The real converter permutes rows of q and k. Blocks lie within a row, so nothing here changes.)
    """
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for name, weight in model.named_parameters():
        array = weight.detach().numpy()
        writer.add_tensor(
            gguf_name(name, config.num_hidden_layers),
            array.astype(np.float16 if array.ndim > 1 else np.float32),
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe(path: Path, model: torch.nn.Module) -> dict:
    """What a quantized file holds, and how far it is from `model`."""
    changed = copy.deepcopy(model)
    tensors = {t.name: t for t in gguf.GGUFReader(path).tensors}
    found, size = {}, 0
    with torch.no_grad():
        for name, weight in changed.named_parameters():
            tensor = tensors[gguf_name(name, model.config.num_hidden_layers)]
            restored = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(weight.shape)
            error = restored.astype(np.float64) - weight.numpy()
            rms = float(np.sqrt(np.mean(weight.numpy().astype(np.float64) ** 2)))
            found[tensor.name] = {
                "type": tensor.tensor_type.name,
                "shape": list(weight.shape),
                "relative_rmse": round(float(np.sqrt(np.mean(error**2))) / rms, 6),
                "sha256": hashlib.sha256(tensor.data.tobytes()).hexdigest()[:16],
            }
            size += tensor.data.nbytes
            weight.copy_(torch.from_numpy(restored))
    count = sum(p.numel() for p in changed.parameters())
    return {
        "bits_per_weight": round(8 * size / count, 4),
        "divergence_nats": round(mean_divergence(changed, model), 7),
        "tensors": found,
    }


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Instead of data/models/gguf.")
def main(out: Path | None) -> None:
    """Quantize the shipped models with llama.cpp and keep samples."""
    import llama_cpp

    out = out or folder()
    out.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(out / "blocks.gguf", "llama")
    writer.add_description("A few tensors of data/models/lm, quantized by llama.cpp")
    facts: dict = {
        "library": f"llama-cpp-python {llama_cpp.__version__}",
        "call": "llama_model_quantize, no importance matrix",
        "date": datetime.date.today().isoformat(),
        "source_sha256": {name: source_sha256(name) for name in ("lm", "draft")},
        "files": {},
    }
    with tempfile.TemporaryDirectory() as work:
        for name, recipes in (("lm", RECIPES), ("draft", ["Q4_K_M"])):
            model, source = load_lm(name), Path(work, f"{name}.gguf")
            write_f16(model, source)
            for recipe in recipes:
                target = Path(work, f"{name}-{recipe}.gguf")
                quantize(source, target, recipe)
                facts["files"][f"{name} {recipe}"] = describe(target, model)
                if name == "lm":
                    _keep(writer, target, recipe)
                click.echo(
                    f"{name} {recipe}: {facts['files'][f'{name} {recipe}']['bits_per_weight']}"
                )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    facts["sha256"] = hashlib.sha256((out / "blocks.gguf").read_bytes()).hexdigest()
    (out / "made_by.json").write_text(_json(facts), encoding="utf-8")
    (out / "README.md").write_text(card(facts, out / "blocks.gguf"), encoding="utf-8")
    click.echo(f"wrote {out}")


def _keep(writer: gguf.GGUFWriter, path: Path, recipe: str) -> None:
    """The sample in each k-quant, from the file of the recipe that names it, and Q4_K_M's mixed pair."""
    for tensor in gguf.GGUFReader(path).tensors:
        kind = tensor.tensor_type.name
        sample = tensor.name == SAMPLE and kind in K_TYPES and recipe != "Q4_K_S"
        if sample or (recipe == "Q4_K_M" and tensor.name in MIXED):
            writer.add_tensor(f"{kind}/{tensor.name}", tensor.data, raw_dtype=tensor.tensor_type)


def _json(facts: dict) -> str:
    """One tensor a line, so that a new version can be compared with the old one."""
    text = json.dumps(facts, indent=1)
    lines, inside = [], ""
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        inside += line.strip() + " " if depth > 4 else ""
        if depth <= 4:
            if inside and line.strip().startswith("}"):
                lines[-1] += inside.strip() + line.strip()
            else:
                lines.append(line)
            inside = ""
    return "\n".join(lines) + "\n"


def card(facts: dict, path: Path) -> str:
    """The card of the folder, in Markdown."""
    rows = [
        f"| {name} | {file['bits_per_weight']:.3f} | {file['divergence_nats']:.2g} | "
        + ", ".join(f"{count} {kind}" for kind, count in _kinds(file).items())
        + " |"
        for name, file in facts["files"].items()
    ]
    reader = gguf.GGUFReader(path)
    kept = [f"| `{t.name}` | {t.data.nbytes:,} |" for t in reader.tensors]
    text = f"""
# Block formats, as llama.cpp writes them

Made by `python -m data.gguf_fixtures` with {facts["library"]} on {facts["date"]}
({facts["call"]}) from the weights in `data/models/lm` and `data/models/draft`; no figure is typed in.
For module 1.4's lesson on block formats. The files hold no tokenizer: they are not for running.
Licence: that of the shipped models.

## Files

`made_by.json` lists every tensor of each: type, shape, sha256 (16 digits), relative RMS error.
KL: mean over 8,192 held-out tokens of KL(float32 || dequantized weights), nats.

| model and recipe | bits per weight | KL, nats | tensors |
|---|---|---|---|
{chr(10).join(rows)}

## Tensors kept in `blocks.gguf`

{path.stat().st_size:,} bytes, sha256 `{facts["sha256"]}`

| type and tensor | bytes |
|---|---|
{chr(10).join(kept)}
"""
    return text.lstrip()


def _kinds(file: dict) -> dict[str, int]:
    kinds = [tensor["type"] for tensor in file["tensors"].values()]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


if __name__ == "__main__":
    main()
