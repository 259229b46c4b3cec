"""Quantize a saved Llama with a GPTQ library into a checkpoint: run it with that library's Python.

    python quantize.py gptqmodel MODEL TOKENS.npy OUT [--bits 4] [--group-size 128]

It imports nothing of the course, because AutoGPTQ's environment has other versions of everything.
TOKENS.npy: calibration sequences, (count, length) integers. What the library prints goes to OUT.log.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    options = arguments()
    # Two workers for two cores: with its default the library refuses.
    os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    log = options.out.with_suffix(".log")
    began = time.monotonic()
    with log.open("w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        version = {"gptqmodel": by_gptqmodel, "autogptq": by_autogptq}[options.library](options)
    facts = {
        "library": options.library,
        "version": version,
        "bits": options.bits,
        "group_size": options.group_size,
        "seconds": round(time.monotonic() - began, 1),
    }
    (options.out / "made_by.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(facts))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", choices=("gptqmodel", "autogptq"))
    parser.add_argument("model", type=Path)
    parser.add_argument("tokens", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group-size", type=int, default=128)
    options = parser.parse_args()
    if not (options.model / "config.json").is_file():
        sys.exit(f"{options.model} holds no model: give the folder of config.json.")
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def sequences(path: Path) -> list:
    """Calibration sequences as lists of ids, without the library's numpy pickles."""
    import numpy as np

    rows = np.load(path, allow_pickle=False)
    if rows.ndim != 2 or not len(rows):
        sys.exit(f"{path} must hold sequences (count, length), not {rows.shape}.")
    return rows.tolist()


def by_gptqmodel(options: argparse.Namespace) -> str:
    from importlib.metadata import version

    import torch
    from gptqmodel import GPTQModel, QuantizeConfig

    settings = QuantizeConfig(
        bits=options.bits, group_size=options.group_size, desc_act=False, sym=False
    )
    # By itself it takes bfloat16 on a CPU, whose 8 bits of precision are too few for scales.
    model = GPTQModel.load(str(options.model), settings, dtype=torch.float16)
    rows = [{"input_ids": r, "attention_mask": [1] * len(r)} for r in sequences(options.tokens)]
    model.quantize(rows, batch_size=8)
    model.save(str(options.out))
    return version("gptqmodel")


def by_autogptq(options: argparse.Namespace) -> str:
    """AutoGPTQ's stock entry refuses without CUDA; its parts run on a CPU when they are put together."""
    from importlib.metadata import version

    import torch
    from auto_gptq import BaseQuantizeConfig
    from auto_gptq.modeling import _base
    from auto_gptq.modeling.auto import GPTQ_CAUSAL_LM_MODEL_MAP
    from transformers import AutoModelForCausalLM

    cuda = torch.cuda.is_available()
    if not cuda:
        _base.CUDA_0 = torch.device("cpu")
        torch.cuda.synchronize = lambda *args, **kwargs: None
    settings = BaseQuantizeConfig(
        bits=options.bits, group_size=options.group_size, desc_act=False, sym=False
    )
    loaded = AutoModelForCausalLM.from_pretrained(
        options.model, torch_dtype=torch.float16 if cuda else torch.float32
    )
    loaded.config.pad_token_id = loaded.config.eos_token_id or 0
    kind = GPTQ_CAUSAL_LM_MODEL_MAP[loaded.config.model_type]
    model = kind(loaded, False, settings)
    rows = [
        {"input_ids": torch.tensor([r]), "attention_mask": torch.ones(1, len(r), dtype=torch.long)}
        for r in sequences(options.tokens)
    ]
    model.quantize(rows, batch_size=8, cache_examples_on_gpu=False)
    model.save_quantized(str(options.out), use_safetensors=True)
    return version("auto-gptq")


if __name__ == "__main__":
    main()
