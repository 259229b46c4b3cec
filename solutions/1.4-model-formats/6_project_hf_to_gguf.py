# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Take a model from Hugging Face to GGUF, and show that it is still the same model
#
# **You end with:** your own converter, whose file real llama.cpp loads and continues with the very tokens that transformers
# chooses; the model as F16, Q8_0 and Q4_K_M; and one table of size, load time, perplexity, divergence and text.
#
# About 120 minutes. 38 points: 33 graded by machine, 5 by a person. Runs on a laptop, no GPU, no network. You need
# lessons 1 (GGUF) and 3 (block formats). llama.cpp itself comes with `make llamacpp`, once; without it the notebook
# goes on with a shipped file and says which figures are then missing.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import json
import os
import math
import re
import struct
import tempfile
from collections import Counter
from pathlib import Path

# Two waiting threads would spin, and cost more than they win on models this small.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import gguf
import numpy as np
import torch

from autograder import check
from lab import llamacpp
from lab.errors import CourseError
from lab.gguf_weights import load_dequantized, shipped_gguf, to_q8_0
from lab.hf_to_gguf import convert
from lab.llamacpp_build import source_dir
from lab.lm import complete, load_lm, load_tokenizer, load_tokens, model_folder
from lab.official_converter import convert_officially
from lab.perplexity import perplexity
from lab.plots import COLOURS, explore, figure
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

torch.set_num_threads(1)
profile = use_profile(PROFILE)
# llama.cpp is built for the CPU, and the models that are compared with it run there, too.
scratch = tempfile.TemporaryDirectory()
here = Path(scratch.name)
profile
# %% [markdown]
# ## The same perplexity, other words
#
# The course ships its small language model twice: as float weights in a Hugging Face folder, and as a GGUF file that
# llama.cpp quantized to about 5 bits a weight. Their perplexities on held-out text differ by less than one percent. Both
# now continue eight prompts by 16 tokens, always with the likeliest one.
# %% role="predict" id="predict-completions"
# How many of the 8 completions are the same, word for word?
my_count = ...


# %% role="given" id="surprise"
PROMPTS = (
    "The function returns",
    "If the file is missing,",
    "A list of",
    "Return True if",
    "class Reader:\n    def read(self",
    "Raise an exception when",
    "This module provides",
    "The optional argument",
)
folder = model_folder("lm")
tokenizer = load_tokenizer()
float_model = load_lm()
small_model = load_dequantized(shipped_gguf("Q4_K_M"))
texts = {
    name: [complete(model, tokenizer, prompt, 16) for prompt in PROMPTS]
    for name, model in (("float", float_model), ("Q4_K_M", small_model))
}
for prompt, long, short in zip(PROMPTS[:3], texts["float"], texts["Q4_K_M"], strict=False):
    print(f"{prompt!r}\n   float   {long!r}\n   Q4_K_M  {short!r}")
scores = [perplexity(model, windows=32) for model in (float_model, small_model)]
print(f"perplexity: float {scores[0]:.2f}, Q4_K_M {scores[1]:.2f}")
reveal(my_count, sum(a == b for a, b in zip(texts["float"], texts["Q4_K_M"], strict=True)))
# %% [markdown] items="1.4.P7"
# **What happened.** Perplexity averages over all tokens, and better and worse ones cancel. A completion needs *every* choice
# to be the same, and at each step two words may be nearly equal. So perplexity cannot tell you whether a converted file is
# *the same model*. This project uses sharper tests: equal token ids and equal greedy tokens for the conversion, KL
# divergence and top-1 agreement for the quantization.
# %% [markdown] items="1.4.P1 1.4.C4"
# ## 1. Get llama.cpp
#
# The path has three tools: `convert_hf_to_gguf.py` (Hugging Face to F16), `llama-quantize` (F16 to Q4_K_M), `llama-cli` or
# `llama-server` (run). `make llamacpp` compiles the library behind them, about two CPU minutes, and installs its
# Python binding: `llama_cpp.llama_model_quantize` is what the quantize tool calls.
#
# It needs a C++ compiler and, the first time, a network. It compiles **for your processor**: do not copy the result to
# another machine.
# %% role="given" id="find-llamacpp"
have_llamacpp = llamacpp.found()
if have_llamacpp:
    library = llamacpp.require_llamacpp()
    features = library.llama_print_system_info().decode()
    print(f"llama-cpp-python {library.__version__}, built for: {features.strip(' |')}")
else:
    print(
        "llama.cpp is missing: `make llamacpp` builds it. Until then Q8_0 is made by the gguf package, Q4_K_M is the\n"
        "shipped file, and both are run by transformers after dequantizing. The table says so."
    )
# %% [markdown] items="1.4.P2 1.4.C4"
# ## 2. Choose a model that converts
#
# llama.cpp has its own code for each **architecture**, so ask first:
#
# 1. Is `architectures` in config.json one that it knows? Here: `LlamaForCausalLM`.
# 2. Are there `*.safetensors` and a `tokenizer.json`? Is its pre-tokenizer on llama.cpp's list?
# 3. Are all rows multiples of 256? A k-quant's block needs that; other rows **fall back**, silently.
# %% role="given" id="compatible"
for name in ("lm", "draft"):
    print(convert(model_folder(name), here / f"{name}.gguf"))
    if have_llamacpp:
        made = llamacpp.quantize(here / f"{name}.gguf", here / "fallback.gguf", "Q4_K_M")
        kinds = Counter(t.tensor_type.name for t in gguf.GGUFReader(made).tensors)
        print(f"   as Q4_K_M: {dict(kinds)}")
# A folder that is no Llama is refused in one sentence.
other = here / "other"
other.mkdir(exist_ok=True)
(other / "config.json").write_text(json.dumps({"architectures": ["GPT2LMHeadModel"]}))
try:
    convert(other, here / "other.gguf")
except CourseError as error:
    print("refused:", error)
# %% [markdown]
# **What you should see.** The draft's rows have 128 values. Asked for Q4_K_M, llama.cpp gives it Q5_0 and Q8_0 tensors in
# those places, so its file is larger than "4 bits" suggests. The larger `lm` was made with hidden size 256 for that reason.
# %% [markdown]
# ### Exercise: the hyper-parameters
#
# llama.cpp reads no config.json: the file's metadata must say everything. Exactly these 13 keys:
#
# | key | from config.json | type |
# |---|---|---|
# | `general.architecture` | `"llama"` | str |
# | `llama.block_count` | `num_hidden_layers` | int |
# | `llama.context_length` | `max_position_embeddings` | int |
# | `llama.embedding_length` | `hidden_size` | int |
# | `llama.feed_forward_length` | `intermediate_size` | int |
# | `llama.vocab_size` | `vocab_size` | int |
# | `llama.attention.head_count` | `num_attention_heads` | int |
# | `llama.attention.head_count_kv` | `num_key_value_heads`, or as many as query heads | int |
# | `llama.attention.key_length`, `llama.attention.value_length`, `llama.rope.dimension_count` | `head_dim`, or `hidden_size // num_attention_heads` | int |
# | `llama.attention.layer_norm_rms_epsilon` | `rms_norm_eps` | float |
# | `llama.rope.freq_base` | `rope_theta`, or 10000.0 | float |
#
# "Or": where the field is absent or None. `rope_theta` stands inside `rope_parameters` (transformers 5) or at the top
# level (older); inside wins.
#
# <details><summary>Hint 1</summary><code>config.get("num_key_value_heads") or config["num_attention_heads"]</code> covers
# absent and None.</details>
# <details><summary>Hint 2</summary><code>rope = config.get("rope_parameters") or {}</code>, then theta from
# <code>rope</code>, then from <code>config</code>.</details>
# <details><summary>Hint 3</summary>A KeyError is no ValueError: look for missing fields before you use them.</details>


# %% role="exercise" id="llama-keys" items="1.4.C4 1.4.P2" minutes=12
def llama_keys(config: dict) -> dict:
    """The hyper-parameters of a Llama as GGUF key-values.

    Args:
        config: config.json, parsed; not changed.

    Returns:
        The 13 keys of the table; ints as int, the two floats as float.

    Raises:
        ValueError: `architectures` is absent, None or without "LlamaForCausalLM"; a field for which the
            table names no default is absent (seven of them); or the rope is scaled: `rope_parameters`
            or the older `rope_scaling` (both may be there) has a `rope_type` (older: `type`) other than
            "default".

    >>> keys = llama_keys(json.loads((model_folder("lm") / "config.json").read_text()))
    >>> keys["llama.attention.head_count_kv"], keys["llama.rope.freq_base"]
    (2, 10000.0)
    """
    ### BEGIN SOLUTION
    if "LlamaForCausalLM" not in (config.get("architectures") or []):
        raise ValueError(f"no Llama but {config.get('architectures')}")
    plain = {
        "llama.block_count": "num_hidden_layers",
        "llama.context_length": "max_position_embeddings",
        "llama.embedding_length": "hidden_size",
        "llama.feed_forward_length": "intermediate_size",
        "llama.vocab_size": "vocab_size",
        "llama.attention.head_count": "num_attention_heads",
    }
    for field in (*plain.values(), "rms_norm_eps"):
        if field not in config:
            raise ValueError(f"config.json lacks {field}")
    ropes = [config.get(field) or {} for field in ("rope_parameters", "rope_scaling")]
    for rope in ropes:
        if rope.get("rope_type", rope.get("type", "default")) != "default":
            raise ValueError(f"scaled rope is not supported: {rope}")
    theta = ropes[0].get("rope_theta")
    theta = config.get("rope_theta") if theta is None else theta
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    return {
        "general.architecture": "llama",
        **{key: config[field] for key, field in plain.items()},
        "llama.attention.head_count_kv": config.get("num_key_value_heads") or heads,
        "llama.attention.key_length": size,
        "llama.attention.value_length": size,
        "llama.rope.dimension_count": size,
        "llama.attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "llama.rope.freq_base": float(10_000.0 if theta is None else theta),
    }
    ### END SOLUTION


# %% role="check" id="llama-keys" points=3
check("llama-keys", llama_keys)
# %% [markdown] items="1.4.P3 1.4.C4"
# ## 3. Names
#
# The same tensors have other names:
#
# | Hugging Face | GGUF |
# |---|---|
# | `model.embed_tokens.weight` | `token_embd.weight` |
# | `model.norm.weight` | `output_norm.weight` |
# | `lm_head.weight` | `output.weight` |
# | `model.layers.N.self_attn.{q,k,v}_proj` | `blk.N.attn_{q,k,v}` |
# | `model.layers.N.self_attn.o_proj` | `blk.N.attn_output` |
# | `model.layers.N.mlp.{gate,up,down}_proj` | `blk.N.ffn_{gate,up,down}` |
# | `model.layers.N.input_layernorm` | `blk.N.attn_norm` |
# | `model.layers.N.post_attention_layernorm` | `blk.N.ffn_norm` |
#
# In layers, `.weight` stays `.weight`, and a projection's `.bias` stays `.bias`.
# %% [markdown]
# ### Exercise: names of tensors
#
# <details><summary>Hint 1</summary>A dict from <code>"self_attn.q_proj"</code> to <code>"attn_q"</code>, and so on.</details>
# <details><summary>Hint 2</summary><code>re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)", name)</code>.</details>


# %% role="exercise" id="tensor-names" items="1.4.C4 1.4.P3" minutes=8
def tensor_name(name: str) -> str:
    """A tensor's name in GGUF.

    Args:
        name: its whole name in a Hugging Face checkpoint, any layer number.

    Raises:
        ValueError: any name that the table above does not have.

    >>> tensor_name("model.layers.12.mlp.down_proj.weight")
    'blk.12.ffn_down.weight'
    """
    ### BEGIN SOLUTION
    outside = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    inside = {f"self_attn.{part}_proj": f"attn_{part}" for part in "qkv"}
    inside |= {f"mlp.{part}_proj": f"ffn_{part}" for part in ("gate", "up", "down")}
    inside |= {"self_attn.o_proj": "attn_output", "input_layernorm": "attn_norm"}
    inside |= {"post_attention_layernorm": "ffn_norm"}
    if name in outside:
        return outside[name]
    match = re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    if match is None or match[2] not in inside:
        raise ValueError(f"GGUF has no name for {name!r}")
    return f"blk.{match[1]}.{inside[match[2]]}.{match[3]}"
    ### END SOLUTION


# %% role="check" id="tensor-names" points=3
check("tensor-names", tensor_name)
# %% [markdown] items="1.4.P3 1.4.C4"
# ## 4. The rows of q and k
#
# Rotary embedding turns pairs of a head's $d$ values by an angle. Transformers pairs $i$ with $i + d/2$, llama.cpp neighbours,
# $2i$ with $2i + 1$. The angles are the same, so **rows** of `q_proj` and `k_proj` change places: in each head, GGUF's
# row $2i$ is row $i$, and its row $2i+1$ is row $i + d/2$.
#
# Forget it, and the file loads, runs, and writes nonsense.
# %% [markdown]
# ### Exercise: change the places
#
# <details><summary>Hint 1</summary><code>reshape(heads, 2, d // 2, ...)</code>: the second axis is the half.</details>
# <details><summary>Hint 2</summary>Swap axes 1 and 2, then give it the old shape.</details>


# %% role="exercise" id="rope-rows" items="1.4.C4 1.4.P3" minutes=10
def rope_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """The rows of q or k in llama.cpp's order.

    Args:
        weight: (heads * d, columns), or a bias (heads * d,); any float dtype, not changed.
        heads: how many heads it has (k: the key-value heads).

    Returns:
        An array of the same shape and dtype.

    Raises:
        ValueError: heads below 1, or rows that are no multiple of 2 * heads.

    >>> rope_rows(np.arange(8.0), heads=2).tolist()
    [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]
    """
    ### BEGIN SOLUTION
    if heads < 1 or len(weight) % (2 * heads):
        raise ValueError(f"{len(weight)} rows are not {heads} heads of even size")
    halves = weight.reshape(heads, 2, len(weight) // heads // 2, *weight.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(weight.shape)
    ### END SOLUTION


# %% role="check" id="rope-rows" points=4
check("rope-rows", rope_rows)
# %% [markdown] items="1.4.K3 1.4.P3"
# ## 5. The tokenizer travels along
#
# Id 417 means something else to every tokenizer. So GGUF carries the model's own: texts in the order of their ids, merges in the
# order of training, which ids are special.
#
# One part is missing: the **pre-tokenizer**, a regular expression that cuts text into words. llama.cpp knows those by *name*;
# its converter recognizes a tokenizer by a hash, and refuses what is on no list. Ours is GPT-2's (`ByteLevel` with
# `use_regex`): `gpt-2`.
# %% [markdown]
# ### Exercise: the tokenizer's keys
#
# Exactly these 8 keys:
#
# | key | value |
# |---|---|
# | `tokenizer.ggml.model`, `tokenizer.ggml.pre` | `"gpt2"`, `"gpt-2"` |
# | `tokenizer.ggml.tokens` | text of each id, `vocab_size` of them (config.json's) |
# | `tokenizer.ggml.token_type` | 1 normal; 3 control: an added token, `special`; 4 user-defined: any other added token; 5 unused |
# | `tokenizer.ggml.merges` | `"left right"`, in order |
# | `tokenizer.ggml.bos_token_id`, `eos_token_id` (same prefix) | from config.json |
# | `tokenizer.ggml.add_bos_token` | True if the post-processor's `single` template begins with a `SpecialToken`, else False |
#
# An id that has no token is unused, with the text `[PAD17]` (its number). An added token's `content` counts, also where the vocab
# has that id. In tokenizer.json a merge is a pair or, older, one string `"left right"`.
#
# <details><summary>Hint 1</summary><code>texts = {i: t for t, i in tokenizer["model"]["vocab"].items()}</code>, then the
# added tokens on top.</details>
# <details><summary>Hint 2</summary>Walk over <code>range(config["vocab_size"])</code>; a dict's <code>get</code> knows a
# default.</details>
# <details><summary>Hint 3</summary>The post-processor may be None, and have no <code>single</code>.</details>


# %% role="exercise" id="tokenizer-keys" items="1.4.K3 1.4.P3" minutes=15
def tokenizer_keys(tokenizer: dict, config: dict) -> dict:
    """A byte-level BPE tokenizer as GGUF key-values.

    Args:
        tokenizer: tokenizer.json, parsed: "model" (type, vocab, merges), "added_tokens" (each with id,
            content, special), "pre_tokenizer", "post_processor". Not changed.
        config: config.json, parsed; vocab_size, bos_token_id and eos_token_id are read.

    Returns:
        The 8 keys of the table: strings, an int for each id, lists of str or int, a bool.

    Raises:
        ValueError: the model's type is not "BPE"; the pre-tokenizer is none, or not itself a "ByteLevel"
            with `use_regex` True and `add_prefix_space` False (one inside a Sequence is refused, too); or an
            id of the vocab or of an added token is at or above vocab_size.

    >>> keys = tokenizer_keys(*(json.loads((model_folder("lm") / name).read_text(encoding="utf-8"))
    ...                         for name in ("tokenizer.json", "config.json")))
    >>> keys["tokenizer.ggml.tokens"][:3], keys["tokenizer.ggml.merges"][0]
    (['<|endoftext|>', '!', '"'], 'Ġ Ġ')
    """
    ### BEGIN SOLUTION
    if tokenizer["model"]["type"] != "BPE":
        raise ValueError("only BPE tokenizers are supported")
    pre = tokenizer["pre_tokenizer"] or {}
    if (pre.get("type"), pre.get("use_regex"), pre.get("add_prefix_space")) != (
        "ByteLevel",
        True,
        False,
    ):
        raise ValueError(f"llama.cpp's name for the pre-tokenizer {pre} is not known")
    texts = {i: text for text, i in tokenizer["model"]["vocab"].items()}
    types = dict.fromkeys(texts, 1)
    for token in tokenizer["added_tokens"]:
        texts[token["id"]] = token["content"]
        types[token["id"]] = 3 if token["special"] else 4
    size = config["vocab_size"]
    if max(texts) >= size:
        raise ValueError(f"id {max(texts)} has no embedding, there are {size}")
    single = (tokenizer["post_processor"] or {}).get("single") or [{}]
    merges = tokenizer["model"]["merges"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": [texts.get(i, f"[PAD{i}]") for i in range(size)],
        "tokenizer.ggml.token_type": [types.get(i, 5) for i in range(size)],
        "tokenizer.ggml.merges": [m if isinstance(m, str) else " ".join(m) for m in merges],
        "tokenizer.ggml.bos_token_id": config["bos_token_id"],
        "tokenizer.ggml.eos_token_id": config["eos_token_id"],
        "tokenizer.ggml.add_bos_token": "SpecialToken" in single[0],
    }
    ### END SOLUTION


# %% role="check" id="tokenizer-keys" points=4
check("tokenizer-keys", tokenizer_keys)
# %% [markdown] items="1.4.P3 1.4.C4"
# ## 6. The whole file
#
# Now put it together. This is the project's work piece: the check gives your function small random models, reads your
# file with a strict reader, and compares every tensor bit for bit. Take `gguf.GGUFWriter`, or your writer of lesson 1.
# %% [markdown]
# ### Exercise: convert a model
#
# - Matrices become F16 (`astype(np.float16)` rounds to nearest, ties to even); vectors stay F32.
# - Numbers are stored as UINT32 and FLOAT32, flags as BOOL, texts as STRING; the lists as arrays of STRING (tokens,
#   merges) and INT32 (types). Add `general.file_type` = 1 (mostly F16). Further keys are allowed.
# - With `tie_word_embeddings` (absent: False) the output layer *is* the embedding: no `output.weight`.
# - Any order of keys is right, and any order of tensors. Version 3, little-endian, data one after another in the order of the
#   table, aligned to 32 or to what `general.alignment` says.
#
# <details><summary>Hint 1</summary><code>writer = gguf.GGUFWriter(path, "llama")</code> writes
# <code>general.architecture</code> itself. <code>add_uint32(key, value)</code>, <code>add_float32</code>,
# <code>add_bool</code>, <code>add_string</code>, <code>add_array(key, list)</code> for the rest. A bool is an int in Python: ask for bool
# first.</details>
# <details><summary>Hint 2</summary>Then <code>add_tensor(name, array)</code>, <code>write_header_to_file()</code>,
# <code>write_kv_data_to_file()</code>, <code>write_tensors_to_file()</code>, <code>close()</code>; the file may lie in a
# <code>tempfile.TemporaryDirectory()</code>.</details>
# <details><summary>Hint 3</summary>What must be there follows from config.json: nine tensors for each layer, the embedding, the
# last norm and, untied, the head.</details>


# %% role="exercise" id="gguf-file" items="1.4.C4 1.4.P3" minutes=25
def convert_model(config: dict, weights: dict[str, np.ndarray], tokenizer: dict) -> bytes:
    """A Llama as the bytes of an F16 GGUF file.

    Args:
        config: config.json, parsed.
        weights: Hugging Face name: float32 array, no biases. None of the arguments is changed. With
            tied embeddings an `lm_head.weight` may be there; it is left out.
        tokenizer: tokenizer.json, parsed.

    Returns:
        The file: the keys of `llama_keys` and `tokenizer_keys`, general.file_type, and every tensor
        under its GGUF name, q and k in llama.cpp's order of rows.

    Raises:
        ValueError: what those functions refuse; a tensor of the model is missing, or one is unknown (one of
            a layer that the model has not, too); a matrix that is stored has a value beyond 65,504 or below
            -65,504, float16's largest.

    >>> config = json.loads((model_folder("draft") / "config.json").read_text())
    >>> convert_model(config, {}, json.loads((model_folder("draft") / "tokenizer.json").read_text()))
    Traceback (most recent call last):
    ValueError: the checkpoint lacks 20 tensors
    """
    ### BEGIN SOLUTION
    parts = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
    parts += ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
    parts += ["input_layernorm", "post_attention_layernorm"]
    layers = range(config["num_hidden_layers"])
    wanted = {f"model.layers.{i}.{part}.weight" for i in layers for part in parts}
    wanted |= {"model.embed_tokens.weight", "model.norm.weight"}
    if not config.get("tie_word_embeddings", False):
        wanted.add("lm_head.weight")
    if missing := wanted - set(weights):
        raise ValueError(f"the checkpoint lacks {len(missing)} tensors")
    keys = llama_keys(config) | tokenizer_keys(tokenizer, config) | {"general.file_type": 1}
    heads = {"q_proj": keys["llama.attention.head_count"]}
    heads["k_proj"] = keys["llama.attention.head_count_kv"]
    with tempfile.TemporaryDirectory() as folder:
        writer = gguf.GGUFWriter(Path(folder, "model.gguf"), keys.pop("general.architecture"))
        for key, value in keys.items():
            kinds = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32}
            kinds |= {str: writer.add_string, list: writer.add_array}
            kinds[type(value)](key, value)
        for name, weight in weights.items():
            if name not in wanted and name != "lm_head.weight":
                raise ValueError(f"no plain Llama has {name}")
            if name not in wanted:
                continue
            part = name.split(".")[-2]
            stored = rope_rows(weight, heads[part]) if part in heads else weight
            if stored.ndim > 1:
                if np.abs(stored).max() > 65504:
                    raise ValueError(f"{name} has values that float16 cannot hold")
                stored = stored.astype(np.float16)
            writer.add_tensor(tensor_name(name), stored)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return Path(folder, "model.gguf").read_bytes()
    ### END SOLUTION


# %% role="check" id="gguf-file" points=8
check("gguf-file", convert_model)


# %% [markdown] items="1.4.P3"
# ### Your converter on the shipped model
#
# The same function, 3.7 million parameters. Next to it: the course's converter (`lab/hf_to_gguf.py`, any Llama folder) and,
# where `make llamacpp` has unpacked it, llama.cpp's own.
# %% role="given" id="convert-shipped"
def load_folder(path):
    """config.json, the float32 weights and tokenizer.json of a Hugging Face folder."""
    from safetensors.numpy import load_file

    arrays = {k: v.astype(np.float32) for k, v in load_file(path / "model.safetensors").items()}
    texts_of = (
        json.loads((path / f"{n}.json").read_text("utf-8")) for n in ("config", "tokenizer")
    )
    lm_config, lm_tokenizer = texts_of
    return lm_config, arrays, lm_tokenizer


def same_tensors(one, two):
    """How many tensors of two GGUF files are equal bit for bit."""
    mine, theirs = ({t.name: t for t in gguf.GGUFReader(path).tensors} for path in (one, two))
    both = [n for n in mine if n in theirs and mine[n].tensor_type == theirs[n].tensor_type]
    equal = sum(np.array_equal(mine[n].data, theirs[n].data) for n in both)
    return f"{equal} of {len(mine | theirs)} tensors equal"


f16 = here / "lm-F16.gguf"
f16.write_bytes(convert_model(*load_folder(folder)))
print(f"yours: {f16.stat().st_size:,} bytes")
print("against the course's converter:", same_tensors(f16, here / "lm.gguf"))
if source_dir() is not None and have_llamacpp:
    try:
        convert_officially(folder, here / "official.gguf")
    except CourseError as error:
        print(error)
    official = convert_officially(folder, here / "official.gguf", pre="gpt-2")
    print("against llama.cpp's converter:", same_tensors(f16, official))
else:
    print("llama.cpp's own converter is not here: `make llamacpp` unpacks it.")
# %% [markdown]
# **What you should see.** All 38 tensors equal, bit for bit. llama.cpp's converter refuses our tokenizer at first ("BPE
# pre-tokenizer was not recognized"): it is on none of its lists. Told the name, it agrees. Tell it a *wrong* name, and the
# file would load, with other token ids for the same text.
# %% [markdown] items="1.4.P4"
# ## 7. Read the file with your own reader
#
# Put your `read_gguf` of lesson 1 in the place of the compact one below (it trusts the file; yours does not). The table of the
# reader and of the gguf package must agree on shape, type and place of every tensor.
# %% role="given" id="setup-own-reader"
NUMBERS = dict(enumerate(("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?")))
NUMBERS |= {10: "<Q", 11: "<q", 12: "<d"}


def read_gguf(data):
    """What a GGUF file holds: version, metadata, tensors (shape, type, offset), data_offset."""
    place = 4

    def number(form):
        nonlocal place
        place += struct.calcsize(form)
        return struct.unpack_from(form, data, place - struct.calcsize(form))[0]

    def text():
        nonlocal place
        size = number("<Q")
        place += size
        return data[place - size : place].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, count = number("<I"), number("<Q")
            return [value(inner) for _ in range(count)]
        return number(NUMBERS[kind])

    version, tensor_count, key_count = number("<I"), number("<Q"), number("<Q")
    metadata = {text(): value(number("<I")) for _ in range(key_count)}
    tensors = {}
    for _ in range(tensor_count):
        name = text()
        dims = [number("<Q") for _ in range(number("<I"))]
        tensors[name] = {"shape": tuple(dims[::-1]), "type": number("<I"), "offset": number("<Q")}
    alignment = metadata.get("general.alignment", 32)
    return {
        "version": version,
        "metadata": metadata,
        "tensors": tensors,
        "data_offset": place + -place % alignment,
    }


# %% role="given" id="agreement"
def agreement(path, reader):
    """On how many tensors `reader` and the gguf package agree."""
    mine, theirs = reader(path.read_bytes()), gguf.GGUFReader(path).tensors
    equal = 0
    for tensor in theirs:
        info = mine["tensors"].get(tensor.name, {})
        shape = tuple(int(n) for n in reversed(tensor.shape))
        at = int(tensor.data_offset) - mine["data_offset"]
        equal += info == {"shape": shape, "type": int(tensor.tensor_type), "offset": at}
    return f"{equal} of {len(theirs)} tensors"


print("your reader and the gguf package agree on", agreement(f16, read_gguf))
content = gguf.GGUFReader(f16)
for key in ("llama.attention.head_count_kv", "llama.rope.freq_base", "tokenizer.ggml.pre"):
    print(f"   {key} = {content.fields[key].contents()}")
for tensor in content.tensors[:4]:
    print(f"   {tensor.name:24s} {tensor.tensor_type.name}  {tensor.shape.tolist()}")
# %% [markdown]
# ### Exercise: what is in a file?
#
# Names such as Q4_K_M say what was asked. What a file *holds* is in its table. `gguf.GGMLQuantizationType(12).name` is a type's
# name, and `gguf.GGML_QUANT_SIZES[type]` its block: values, bytes.
#
# <details><summary>Hint 1</summary><code>Counter(...)</code> over the names of the types; a dict is wanted, and a Counter is one.
# </details>
# <details><summary>Hint 2</summary><code>math.prod(shape) // values * bytes</code> for each tensor.</details>


# %% role="exercise" id="file-summary" items="1.4.P4 1.4.P5" minutes=8
def file_summary(data: bytes) -> dict:
    """Which types a GGUF file holds, and how many bits a parameter takes.

    Args:
        data: a whole file, well-formed but for the first four bytes, which may be others, or fewer than four
            bytes.

    Returns:
        "types": {name: number of tensors}, such as {"Q4_K": 24, "F32": 9}; "parameters": values in all
        tensors, an int; "bits_per_parameter": bits of the tensors' blocks (without metadata, names and
        padding) over parameters, a float.

    Raises:
        ValueError: the file does not begin with GGUF, or has no tensors.

    >>> file_summary(shipped_gguf("Q4_K_M").read_bytes())["types"] == {"Q4_K": 24, "Q6_K": 5, "F32": 9}
    True
    """
    ### BEGIN SOLUTION
    if data[:4] != b"GGUF":
        raise ValueError(f"not a GGUF file: it begins with {data[:4]!r}")
    tensors = read_gguf(data)["tensors"].values()
    if not tensors:
        raise ValueError("the file has no tensors")
    types, parameters, size = Counter(), 0, 0
    for info in tensors:
        kind = gguf.GGMLQuantizationType(info["type"])
        values, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        types[kind.name] += 1
        parameters += math.prod(info["shape"])
        size += math.prod(info["shape"]) // values * block_bytes
    return {
        "types": dict(types),
        "parameters": parameters,
        "bits_per_parameter": 8 * size / parameters,
    }
    ### END SOLUTION


# %% role="check" id="file-summary" points=3
check("file-summary", file_summary)
# %% [markdown] items="1.4.P5 1.4.C4"
# ## 8. Quantize
#
# `llama-quantize in.gguf out.gguf Q4_K_M` is `llama_model_quantize` underneath. Q8_0 stores every matrix in blocks of 32.
# Q4_K_M is a **mix**: most matrices in Q4_K, those that hurt most (the output, some of `attn_v` and `ffn_down`) in Q6_K.
# %% role="given" id="quantize"
files = {"F16": f16, "Q8_0": here / "lm-Q8_0.gguf", "Q4_K_M": here / "lm-Q4_K_M.gguf"}
if have_llamacpp:
    for kind in ("Q8_0", "Q4_K_M"):
        llamacpp.quantize(f16, files[kind], kind)
else:
    to_q8_0(f16, files["Q8_0"])
    files["Q4_K_M"] = shipped_gguf("Q4_K_M")
for kind, path in files.items():
    held = file_summary(path.read_bytes())
    print(
        f"{kind:7s} {path.stat().st_size:>9,} bytes, {held['bits_per_parameter']:5.2f} bits a parameter, "
        f"{held['types']}"
    )
# %% [markdown]
# **What you should see.** 16.01, 8.51 and 5.07 bits: the norms stay F32, and in a model this small the embedding (Q6_K, as it is the
# output layer, too) is a seventh of all weights. For Llama 3.1 8B llama.cpp's own table has 4.89 bits for Q4_K_M and 8.50 for
# Q8_0.
# %% [markdown] items="1.4.P6"
# ## 9. Run
#
# Two questions, before any quality. Does the file's **tokenizer** give transformers' ids? Does the **F16** file choose
# transformers' tokens, greedily, for 24 steps?


# %% role="given" id="run-files"
def greedy_ids(model, ids, count):
    """The likeliest next tokens by transformers, always `count` of them."""
    row = torch.tensor([ids])
    with torch.inference_mode():
        for _ in range(count):
            row = torch.cat([row, model(row).logits[:, -1].argmax(-1, keepdim=True)], 1)
    return row[0, len(ids) :].tolist()


STRANGE = (
    "Zürich, 3.14 € \U0001f600",
    "  two  spaces\n\n\tand a tab",
    "x" * 40,
    "don't I'LL",
    "<|endoftext|>",
)
runs = {}
for kind, path in files.items():
    runs[kind] = llamacpp.GGUFModel(path) if have_llamacpp else load_dequantized(path)
if have_llamacpp:
    cases = [*PROMPTS, *STRANGE]
    ids_equal = sum(runs["F16"].tokenize(text) == tokenizer(text).input_ids for text in cases)
    print(f"token ids equal to transformers': {ids_equal} of {len(cases)} texts")
else:
    print("Token ids cannot be compared without llama.cpp: the weights alone are read here.")
for kind, model in runs.items():
    equal = 0
    for prompt in PROMPTS:
        ids = tokenizer(prompt).input_ids
        mine = model.greedy(ids, 24) if have_llamacpp else greedy_ids(model, ids, 24)
        equal += mine == greedy_ids(float_model, ids, 24)
    print(f"{kind:7s} the 24 greedy tokens are transformers': {equal} of {len(PROMPTS)} prompts")
# %% [markdown]
# **What you should see.** F16: all of them; the shipped weights *are* float16, so nothing was lost. One forgotten row order, one
# wrong theta, one merge out of place, and this count falls to zero. The quantized files differ after a few tokens:
# that is expected, and needs another measure.
# %% [markdown] items="1.4.P7"
# ## 10. Compare
#
# For each token the float model has a distribution $p$ over the vocabulary, the file $q$.
#
# $$\mathrm{KL}(p \,\|\, q) = \sum_v p_v\,(\log p_v - \log q_v)$$
#
# in nats, averaged over tokens: 0 where they agree. **Top-1 agreement** is the share of tokens with the same likeliest
# word. llama.cpp's `llama-perplexity --kl-divergence` reports both.
# %% [markdown]
# ### Exercise: compare two models' logits
#
# <details><summary>Hint 1</summary>float64 first. <code>z - z.max(-1, keepdims=True)</code> keeps exp from
# overflowing.</details>
# <details><summary>Hint 2</summary>log-softmax: <code>z - np.log(np.exp(z).sum(-1, keepdims=True))</code> of the shifted
# z.</details>


# %% role="exercise" id="compare-logits" items="1.4.P6 1.4.P7" minutes=10
def compare_logits(reference: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """How far a model's predictions are from a reference's.

    Args:
        reference, other: logits (tokens, vocabulary), float16 or float32, which may lie up to 1,000 apart
            (a probability may then be 0 in float64, its logarithm is not infinite); not changed.

    Returns:
        kl_nats: mean over tokens of KL(reference || other), computed in float64.
        top1: share of tokens, 0 to 1, whose largest logit is at the same place (of equal ones the
            first counts).

    Raises:
        ValueError: shapes that differ, no tokens, or logits that are not finite (NaN or infinite, in either).

    >>> kl_nats, top1 = compare_logits(np.float32([[0, 0], [2, 0]]), np.float32([[0, 0], [0, 2]]))
    >>> round(kl_nats, 4), top1
    (0.7616, 0.5)
    """
    ### BEGIN SOLUTION
    if reference.shape != other.shape or reference.size == 0:
        raise ValueError(f"logits of shapes {reference.shape} and {other.shape}")
    if not (np.isfinite(reference).all() and np.isfinite(other).all()):
        raise ValueError("logits must be finite")
    logs = []
    for logits in (reference, other):
        shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
        logs.append(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))
    kl = np.sum(np.exp(logs[0]) * (logs[0] - logs[1]), axis=-1)
    return float(kl.mean()), float(np.mean(reference.argmax(-1) == other.argmax(-1)))
    ### END SOLUTION


# %% role="check" id="compare-logits" points=4
check("compare-logits", compare_logits)


# %% role="given" id="comparison"
def load_time(path):
    """How long it takes until the file can answer."""
    if have_llamacpp:
        return measure(lambda: llamacpp.GGUFModel(path).close(), warmup=1, repeats=9)
    return measure(lambda: load_dequantized(path), warmup=1, repeats=3)


heldout = load_tokens("heldout")
starts = np.linspace(0, len(heldout) - 256, 8).astype(int)
windows = torch.from_numpy(heldout[starts[:, None] + np.arange(256)].astype(np.int64))
with torch.inference_mode():
    wanted_logits = float_model(windows).logits.flatten(0, 1).numpy()
table = []
for kind, model in runs.items():
    with torch.inference_mode():
        out = model(windows)
        logits = getattr(out, "logits", out).flatten(0, 1).numpy()
        score = perplexity(model, windows=32)
    kl_nats, top1 = compare_logits(wanted_logits, logits)
    table.append(
        {
            "name": kind,
            "size_bytes": files[kind].stat().st_size,
            "load": load_time(files[kind]),
            "perplexity": score,
            "kl_nats": kl_nats,
            "top1": top1,
        }
    )
print(
    "run by",
    "llama.cpp" if have_llamacpp else "transformers, weights dequantized; load time includes that",
)
print(f"float (transformers): perplexity {scores[0]:.3f}")
print("file        bytes   load ms (p10 to p90)   perplexity   KL, nats   top-1")
for row in table:
    t = row["load"]
    print(
        f"{row['name']:7s} {row['size_bytes']:>9,}   {t.median_ms:6.1f} ({t.p10_ms:.1f} to {t.p90_ms:.1f})"
        f"   {row['perplexity']:10.3f}   {row['kl_nats']:8.1e}   {row['top1']:6.1%}"
    )
print(table[0]["load"].hardware)
# %% [markdown]
# **What you should see.** Perplexity moves by less than one percent, and may even fall. KL separates the files by a factor of ten or more
# each: F16 below 1e-5, Q8_0 below 1e-3, Q4_K_M below 2e-2, with top-1 agreement falling from 99.9 % or more to about 95 %. Load
# times hardly differ in llama.cpp: it **maps** the file, and reads no weight before it is used.
#
# In llama.cpp Q8_0 has a few times the KL that its dequantized weights have: there the *activations* are rounded to 8 bits, too.
# %% role="given" id="side-by-side"
for prompt in PROMPTS[:4]:
    ids = tokenizer(prompt).input_ids
    print(repr(prompt))
    print(f"   float   {tokenizer.decode(greedy_ids(float_model, ids, 16))!r}")
    for kind, model in runs.items():
        mine = model.greedy(ids, 16) if have_llamacpp else greedy_ids(model, ids, 16)
        print(f"   {kind:7s} {tokenizer.decode(mine)!r}")
# %% [markdown] items="1.4.P7"
# ## 11. Which file fits?
#
# Memory is the file **and** the key-value cache, which grows with the context. llama.cpp keeps it in F16:
#
# $$2 \cdot \text{layers} \cdot \text{key-value heads} \cdot \text{head size} \cdot \text{context} \cdot 2\ \text{bytes}$$
#
# (2 for keys and values.) Work buffers are left out here.
# %% [markdown]
# ### Exercise: choose a file
#
# <details><summary>Hint 1</summary>All numbers are in the GGUF keys: <code>llama.block_count</code>,
# <code>llama.attention.head_count_kv</code>, <code>llama.attention.key_length</code>.</details>
# <details><summary>Hint 2</summary><code>min(fitting, key=lambda f: (f["kl_nats"], f["size_bytes"]))</code>.</details>


# %% role="exercise" id="choose-file" items="1.4.P7" minutes=8
def choose_file(files: list[dict], keys: dict, context: int, budget_bytes: int) -> tuple[str, int]:
    """The file with the least divergence that fits into memory with its cache.

    A file fits if its size and the cache together are at most the budget. Of equal divergences the
    smaller file is chosen.

    Args:
        files: each {"name", "size_bytes", "kl_nats"}; further keys are allowed. Not changed.
        keys: the model's GGUF keys; key and value length are equal.
        context: tokens that the cache holds.
        budget_bytes: memory, bytes.

    Returns:
        name, memory_bytes: the file's name; file and cache together, an int.

    Raises:
        ValueError: no file fits, or a context below 1 or above llama.context_length.

    >>> keys = {"llama.block_count": 4, "llama.attention.head_count_kv": 2, "llama.context_length": 512,
    ...         "llama.attention.key_length": 64, "llama.attention.value_length": 64}
    >>> files = [{"name": "a", "size_bytes": 9000, "kl_nats": 0.1}]
    >>> choose_file(files, keys, context=2, budget_bytes=13_096)
    ('a', 13096)
    """
    ### BEGIN SOLUTION
    if not 1 <= context <= keys["llama.context_length"]:
        raise ValueError(f"the model was made for 1 to {keys['llama.context_length']} tokens")
    heads = keys["llama.block_count"] * keys["llama.attention.head_count_kv"]
    cache = 2 * heads * keys["llama.attention.key_length"] * context * 2
    fitting = [f for f in files if f["size_bytes"] + cache <= budget_bytes]
    if not fitting:
        raise ValueError(f"no file fits into {budget_bytes:,} bytes with a cache of {cache:,}")
    best = min(fitting, key=lambda f: (f["kl_nats"], f["size_bytes"]))
    return best["name"], best["size_bytes"] + cache
    ### END SOLUTION


# %% role="check" id="choose-file" points=4
check("choose-file", choose_file)
# %% [markdown]
# ### At the scale of Llama 3.1 8B
#
# The same rule with the published shape (32 layers, 8 key-value heads of 128) and the file sizes of llama.cpp's own table
# (`tools/quantize/README.md`). Move the context.
# %%
LLAMA_8B = {
    "llama.block_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.attention.key_length": 128,
    "llama.attention.value_length": 128,
    "llama.context_length": 131_072,
}
LLAMA_8B_GIB = {"F16": 14.96, "Q8_0": 7.95, "Q6_K": 6.14, "Q4_K_M": 4.58, "Q2_K": 2.95}


def draw_memory(context_k=8, budget_gib=8):
    sizes = [
        {"name": n, "size_bytes": int(g * 2**30), "kl_nats": i}
        for i, (n, g) in enumerate(LLAMA_8B_GIB.items())
    ]
    try:
        chosen = choose_file(sizes, LLAMA_8B, context_k * 1024, budget_gib * 2**30)[0]
    except ValueError:
        chosen = "none"
    cache_gib = 2 * 32 * 8 * 128 * context_k * 1024 * 2 / 2**30
    fig, axes = figure(height_inch=2.6)
    ax = axes[0, 0]
    names = list(LLAMA_8B_GIB)
    ax.barh(names, LLAMA_8B_GIB.values(), color=COLOURS[0], label="file")
    ax.barh(
        names, [cache_gib] * 5, left=list(LLAMA_8B_GIB.values()), color=COLOURS[1], label="cache"
    )
    ax.axvline(budget_gib, color="black", linestyle="--")
    ax.set(xlabel="GiB", title=f"{context_k}K tokens, {budget_gib} GiB: {chosen}")
    ax.invert_yaxis()
    ax.legend(fontsize=8, loc="lower right")
    return fig, (
        f"Bars of memory for five files of an 8B model, each with a cache of {cache_gib:.1f} GiB for "
        f"{context_k}K tokens, and a dashed line at {budget_gib} GiB. The best file that fits: {chosen}."
    )


explore(draw_memory, context_k=[8, 1, 16, 32, 64, 128], budget_gib=[8, 4, 6, 12, 16, 24])
# %% [markdown]
# **What you should see.** At 8K tokens the cache takes 1 GiB, and 8 GiB hold Q6_K. At 32K it takes 4 GiB, more than the difference
# between Q8_0 and Q4_K_M, and nothing but Q2_K fits: with long contexts the cache decides, not the weights.
# %% [markdown]
# ### A model from the hub
#
# On the GPU profile, with the hub in reach, the course's converter takes a model with 135 million parameters that others trained.
# Elsewhere the cell says what is missing.
# %% role="given" id="hub-model"
HUB_NAME = "HuggingFaceTB/SmolLM2-135M"
if profile.name == "cpu":
    print('This part downloads 270 MB: set PROFILE = "gpu" on a CUDA machine with a network.')
else:
    try:
        from huggingface_hub import snapshot_download

        patterns = ["*.json", "*.safetensors"]
        print(convert(snapshot_download(HUB_NAME, allow_patterns=patterns), here / "hub.gguf"))
    except CourseError as error:
        print(error)
    except Exception as error:
        print(f"{HUB_NAME} is not in reach ({type(error).__name__}).")
# %% role="given" id="close-files"
if have_llamacpp:
    for model in runs.values():
        model.close()
# %% [markdown]
# ## 12. Discuss
#
# In 200 to 300 words, for a team that wants to ship this model in an app that runs offline:
#
# 1. Which llama.cpp ran: version and processor features, and why can its library not simply be copied to another machine? (None here:
#    what is missing, and which figures of your table would change?) How do you know that the F16 file is the same model? Name two checks with your figures, and one mistake that each finds.
# 2. Which file would you ship? Use KL and top-1 with your figures, and say why perplexity alone would not do.
# 3. The app runs on phones with 1 GiB free and contexts up to 512 tokens (for this model), and next year on an 8B model with 32K.
#    What decides the memory in each case?
# 4. One thing that your comparison does not show, and how you would measure it.
# %% [markdown] role="written" id="gguf-discussion" items="1.4.C4 1.4.P1 1.4.P7" points=5
# **Model answer.** (Figures stand for the learner's own.) llama-cpp-python 0.3.36 ran, compiled here with AVX2 and more: a processor without
# those instructions would stop with an illegal instruction. The F16 file has transformers' token ids on all 13 texts, which finds a wrong
# pre-tokenizer, a lost merge or a wrong token type; and its 24 greedy tokens are transformers' on 8 of 8 prompts, which finds
# unpermuted q and k, a wrong theta or wrong head counts, all of which load without an error. Bit-equal tensors
# against llama.cpp's converter say the same of the weights alone.
#
# I would ship Q4_K_M if 5 % of changed top choices are acceptable, Q8_0 if not: 2.4 against 4.0 MB, KL 5e-3 against
# 3e-4, top-1 95 % against 98 %. Perplexity differs by 0.3 % between all of them, because gains and losses cancel; by it, I
# could not even rank them.
#
# For this model the file decides: the cache of 512 tokens has 4 layers, 2 key-value heads of 64, so 1.0 MB, less than any
# file. For 8B at 32K the cache is 4 GiB against 4.6 GiB for Q4_K_M: both count, and a quantized cache or fewer tokens may buy more than a smaller
# quant.
#
# Not shown: speed on the phone (llama-bench there, prompt and generation apart), and quality on the app's own task, measured with its own
# inputs and an interval.
#
# **Rubric (5 points).** 1: which llama.cpp (or what its absence costs), and two checks of identity with own figures, each with a mistake that it finds. 1: a choice by KL and top-1 with own
# figures. 1: why perplexity does not decide (averaging, cancelling, noise). 1: memory as file plus cache in both cases, with a number. 1: a
# real gap with a way to measure it.
# %% [markdown]
# ## Recap
#
# - A GGUF file holds the model *and* its hyper-parameters and tokenizer; nothing beside it is read.
# - Conversion is exact work: names, row order of q and k, head counts, theta, token types. Most mistakes load without an error; equal
#   ids and equal greedy tokens find them.
# - `_M` is a mix; bits a weight follow from the tensor types, which you can read. Rows that are no multiple of 256 fall back.
# - Compare by KL and top-1 against the float model; perplexity is too coarse.
# - Memory is file plus cache.
#
# **Three questions**
#
# 1. Your file loads and writes fluent text for one token, then nonsense. What do you check first?
#    <details><summary>Answer</summary>Everything that depends on position: row order of q and k, rope theta, head size. The first token has
#    position 0, where rotary embedding turns nothing.</details>
# 2. Why does the vocabulary of a GGUF file sometimes hold `[PAD...]` tokens?
#    <details><summary>Answer</summary>The embedding has more rows than the tokenizer has tokens (rounded up for speed); each row needs an
#    entry, of type unused.</details>
# 3. Somebody quantizes Q8_0 to Q4_K_M instead of F16 to Q4_K_M. What is lost?
#    <details><summary>Answer</summary>Two roundings add up. llama-quantize refuses it unless told <code>--allow-requantize</code>.</details>
#
# **Read**
#
# - ggml's `docs/gguf.md`: the specification; look for "standardized key-value pairs", and compare with your two tables.
# - llama.cpp's `conversion/llama.py`: `permute` is your `rope_rows`; see which other architectures it serves.
# - llama.cpp's `tools/quantize/README.md` and `tools/perplexity/README.md`: sizes and KL of real models.
# - Su et al. 2021, *RoFormer*, section 3: rotary embedding in pairs of neighbours, the order that llama.cpp kept.
#
# **Next:** module 1.5 writes kernels that multiply such blocks.
# %%
print("Your result")
for row in table:
    print(
        f"{row['name']:7s} {row['size_bytes']:>9,} bytes, perplexity {row['perplexity']:.2f}, "
        f"KL {row['kl_nats']:.1e}, top-1 {row['top1']:.1%}"
    )
