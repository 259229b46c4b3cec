"""LLaMA-7B for the GPU profile, or a slice of its shape where the hub cannot be reached."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NAME = "huggyllama/llama-7b"
SHAPE = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "num_hidden_layers": 4,
}


def llama_7b(folder: Path) -> tuple[Path, "PreTrainedTokenizerBase | None", str]:
    """The folder of LLaMA-7B, its tokenizer, and a sentence that says what it is.

    Args:
        folder: where four layers with random weights are saved if the hub cannot be reached; there
            is no tokenizer then (None).
    """
    try:
        from huggingface_hub import snapshot_download
        from transformers import AutoTokenizer

        found = snapshot_download(NAME, allow_patterns=["*.json", "*.safetensors", "tokenizer*"])
        return Path(found), AutoTokenizer.from_pretrained(found), f"{NAME} from the hub."
    except Exception as error:  # no network, no access, no space: all mean the same here
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        torch.manual_seed(0)
        config = LlamaConfig(**SHAPE)
        LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
        return (
            folder,
            None,
            f"{NAME} cannot be had ({type(error).__name__}): {config.num_hidden_layers} of its 32 layers "
            "with random weights, so bytes, memory and time mean something, answers nothing.",
        )
