"""The shipped language model as a GGUF file, written with the `gguf` package."""

from pathlib import Path

import numpy as np

from lab.errors import CourseError
from lab.hf_llama import permute_rows
from lab.hf_to_gguf import gguf_name
from lab.hf_tokenizer import read_tokenizer, tokens_and_types
from lab.lm import load_lm, model_folder

DTYPES = {"f32": np.float32, "f16": np.float16}


def write_lm_gguf(path: Path | str, dtype: str = "f16", name: str = "lm", repeat: int = 1) -> Path:
    """Write a shipped model with its tokenizer as GGUF, in llama.cpp's names and order of weights.

    Vectors stay float32, as llama.cpp's converter leaves them.

    Args:
        path: the file to write.
        dtype: of the matrices, "f16" or "f32".
        name: "lm" or "draft".
        repeat: how often the stack of layers is written: a larger file of the same kind for measuring
            load times (no model to run).

    Returns:
        the path.

    Raises:
        CourseError: an unknown dtype or model, or repeat below 1.
    """
    if dtype not in DTYPES or repeat < 1:
        raise CourseError(f"Give dtype f16 or f32 and repeat >= 1, not {dtype!r} and {repeat}.")
    import gguf

    model = load_lm(name)
    config = model.config
    layers = config.num_hidden_layers
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(f"course-{name}")
    writer.add_block_count(layers * repeat)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_file_type(0 if dtype == "f32" else 1)
    _add_tokenizer(writer, name)
    weights = {key: tensor.numpy() for key, tensor in model.state_dict().items()}
    for key, weight in _stacked(weights, layers, repeat):
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if key.endswith(("q_proj.weight", "k_proj.weight")):
            is_query = key.endswith("q_proj.weight")
            heads = config.num_attention_heads if is_query else config.num_key_value_heads
            weight = permute_rows(weight, heads)
        if weight.ndim > 1:
            weight = weight.astype(DTYPES[dtype])
        writer.add_tensor(gguf_name(key, layers * repeat), weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Path(path)


def _stacked(weights: dict[str, np.ndarray], layers: int, repeat: int):
    """The weights by name, with the layers again under the numbers that follow."""
    for key, weight in weights.items():
        if key.startswith("model.layers."):
            _, _, number, rest = key.split(".", 3)
            for copy in range(repeat):
                yield f"model.layers.{int(number) + copy * layers}.{rest}", weight
        else:
            yield key, weight


def _add_tokenizer(writer, name: str) -> None:
    """Tokens, types and merges of the byte-level BPE."""
    tokenizer = read_tokenizer(model_folder(name))
    tokens, types = tokens_and_types(tokenizer, len(tokenizer["model"]["vocab"]))
    pairs = tokenizer["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([p if isinstance(p, str) else " ".join(p) for p in pairs])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
