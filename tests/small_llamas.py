"""Small random Llamas in Hugging Face folders, each with one thing that a converter must get right."""

import json
from pathlib import Path

import torch
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import LlamaConfig, LlamaForCausalLM

from lab.hf_tokenizer import LLAMA3_PATTERN

TEXT = [
    "The function returns a list of the file's lines, or None if it isn't there.",
    "def read(self, size=-1):\n    return self.buffer[:size]\n\n",
    "In 2026 there were 12345 naïve cafés; ÄÖÜ is not ASCII.",
] * 4
PLAIN = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "vocab_size": 320,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
}  # fmt: skip
VARIANTS = {
    "plain": {},
    "untied, a key head for each query head": {
        "tie_word_embeddings": False,
        "num_key_value_heads": 4,
    },
    "one key head, head size of its own": {"num_key_value_heads": 1, "head_dim": 24},
    "theta 500,000": {"rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0}},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "llama3 scaling": {"rope_parameters": LLAMA3},
    "linear scaling": {
        "rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}
    },
}


def small_llama(
    folder: Path, tokenizer: Tokenizer | None = None, shard: str = "1GB", **changes
) -> Path:
    """A folder as save_pretrained writes it; weights large enough that every mistake changes tokens."""
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(**(PLAIN | changes)))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(1.0 if "norm" in name else 0.0, 0.3)
    model.save_pretrained(folder, max_shard_size=shard)
    (tokenizer or byte_level()).save(str(folder / "tokenizer.json"))
    special = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    special["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(special))
    return folder


def edit_config(folder: Path, **changes) -> Path:
    """Change config.json in place; ... removes a field."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not ...}))
    return folder


def byte_level(kind: str = "gpt-2", size: int = 300, bos: bool = False) -> Tokenizer:
    """A byte-level BPE with the pre-tokenizer that llama.cpp calls `kind`."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama-bpe"))
    pattern = LLAMA3_PATTERN if kind == "llama-bpe" else LLAMA3_PATTERN.replace("{1,3}", "")
    inner = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = {
        "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
        "smollm": pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        ),
    }.get(kind) or pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), inner]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    tokenizer.train_from_iterator(TEXT, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
        )
    return tokenizer


def byte_fallback(size: int = 310) -> Tokenizer:
    """A BPE as SentencePiece's in Llama 2: spaces as U+2581, unknown letters as bytes."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(["▁" + t.replace(" ", "▁") for t in TEXT], trainer)
    return tokenizer
