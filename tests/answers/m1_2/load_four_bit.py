"""Answers to load-four-bit."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaForCausalLM

from autograder.checks.bank import right, wrong


def _load(folder, compute_dtype=torch.float32, refuse=True, rest=None, **options):
    if refuse and not Path(folder, "config.json").exists():
        raise ValueError("no model there")
    config = {
        "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": compute_dtype,
    }  # fmt: skip
    config |= options
    config = {k: v for k, v in config.items() if v is not None}
    return LlamaForCausalLM.from_pretrained(
        folder, quantization_config=BitsAndBytesConfig(**config), dtype=rest or compute_dtype,
        device_map="cpu",
    ).eval()  # fmt: skip


@right("LlamaForCausalLM")
def llama(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype)


@right("AutoModelForCausalLM, layers left out by name")
def auto(folder, compute_dtype=torch.float32, device="cpu"):
    if not list(Path(folder).glob("*.safetensors")):
        raise ValueError(f"{folder} holds no weights: save the model there first.")
    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype, llm_int8_skip_modules=["lm_head"],
    )  # fmt: skip
    return AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=config, dtype=compute_dtype, device_map={"": device}
    )


@wrong("fp4", 'The library\'s default levels are FP4: ask for bnb_4bit_quant_type="nf4".')
def fp4(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype, bnb_4bit_quant_type=None)


@wrong("single-quantization", "The scales stay float32: set bnb_4bit_use_double_quant=True.")
def single(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype, bnb_4bit_use_double_quant=False)


@wrong("eight-bits", "That is LLM.int8(), one byte a weight.")
def eight(folder, compute_dtype=torch.float32, device="cpu"):
    if not Path(folder, "config.json").exists():
        raise ValueError("no model there")
    return LlamaForCausalLM.from_pretrained(
        folder, quantization_config=BitsAndBytesConfig(load_in_8bit=True), dtype=compute_dtype
    ).eval()


@wrong("not-quantized", "The model is loaded as it is, without a quantization_config.")
def plain(folder, compute_dtype=torch.float32, device="cpu"):
    if not Path(folder, "config.json").exists():
        raise ValueError("no model there")
    return LlamaForCausalLM.from_pretrained(folder, dtype=compute_dtype).eval()


@wrong("half-file", "The norms and the embedding keep the file's float16: pass dtype as well.")
def half(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype, rest=torch.float16)


@wrong("fixed-compute-type", "The argument compute_dtype is ignored.")
def fixed(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, torch.float32)


@wrong("compute-in-bfloat16", "The layers compute in bfloat16, whatever was asked for.")
def in_bfloat16(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype, bnb_4bit_compute_dtype=torch.bfloat16)


@wrong("training-mode", "The model is left in training mode.")
def training(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype).train()


@wrong("some-layers", "down_proj is left in float: only lm_head stays out.")
def some(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype, llm_int8_skip_modules=["lm_head", "down_proj"])


@wrong("no-refusal", "A folder without a model must be refused with ValueError.")
def unguarded(folder, compute_dtype=torch.float32, device="cpu"):
    return _load(folder, compute_dtype, refuse=False)
