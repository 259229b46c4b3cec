"""Answers to gguf-file."""

import struct
import tempfile
from pathlib import Path

import gguf
import numpy as np

from autograder.checks.bank import right, wrong

PARTS = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}  # fmt: skip


def _names(config):
    table = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
    }
    for i in range(config["num_hidden_layers"]):
        table |= {f"model.layers.{i}.{a}.weight": f"blk.{i}.{b}.weight" for a, b in PARTS.items()}
    if not config.get("tie_word_embeddings", False):
        table["lm_head.weight"] = "output.weight"
    return table


def _metadata(config, tokenizer, llama=True, bpe=True):
    if llama and "LlamaForCausalLM" not in config["architectures"]:
        raise ValueError("no Llama")
    if llama and config["rope_parameters"].get("rope_type", "default") != "default":
        raise ValueError("scaled rope")
    if bpe and tokenizer["model"]["type"] != "BPE":
        raise ValueError("no BPE")
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    texts = {i: t for t, i in tokenizer["model"]["vocab"].items()}
    added = {t["id"]: t for t in tokenizer["added_tokens"]}
    texts |= {i: t["content"] for i, t in added.items()}
    every = range(config["vocab_size"])
    kinds = [
        (3 if added[i]["special"] else 4) if i in added else 1 if i in texts else 5 for i in every
    ]
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]]
    first = ((tokenizer["post_processor"] or {}).get("single") or [{}])[0]
    return {
        "general.architecture": "llama",
        "general.file_type": 1,
        "llama.block_count": config["num_hidden_layers"],
        "llama.context_length": config["max_position_embeddings"],
        "llama.embedding_length": config["hidden_size"],
        "llama.feed_forward_length": config["intermediate_size"],
        "llama.vocab_size": config["vocab_size"],
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": config.get("num_key_value_heads") or heads,
        "llama.attention.key_length": size,
        "llama.attention.value_length": size,
        "llama.rope.dimension_count": size,
        "llama.attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "llama.rope.freq_base": float(config["rope_parameters"]["rope_theta"]),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": [texts.get(i, f"[PAD{i}]") for i in every],
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": config["bos_token_id"],
        "tokenizer.ggml.eos_token_id": config["eos_token_id"],
        "tokenizer.ggml.add_bos_token": "SpecialToken" in first,
    }


def _rows(weight, heads):
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def _tensors(config, weights, *, names=_names, rows=_rows, q=None, k=None, half=None, vectors=np.float32,
             guard=True, unknown=True, missing=True, values=False, ignore=False, most=np.abs,
             everywhere=False):  # fmt: skip
    table = names(config)
    if missing and set(_names(config)) - set(weights):
        raise ValueError("tensors are missing")
    heads = config["num_attention_heads"]
    count = {
        "q_proj": q or heads,
        "k_proj": (k and k(config)) or config.get("num_key_value_heads") or heads,
    }
    if values:
        count["v_proj"] = count["k_proj"]
    out = {}
    for name, weight in weights.items():
        if name == "lm_head.weight" and name not in table and not ignore:
            continue
        if name not in table:
            if unknown:
                raise ValueError(f"unknown tensor {name}")
            continue
        if everywhere and np.abs(weight).max() > 65504:
            raise ValueError("too large")
        part = name.split(".")[-2]
        stored = rows(weight, count[part]) if part in count else weight
        if stored.ndim > 1:
            if guard and most(stored).max() > 65504:
                raise ValueError("too large for float16")
            with np.errstate(over="ignore"):
                stored = (half or (lambda w: w.astype(np.float16)))(stored)
        else:
            stored = stored.astype(vectors)
        out[table[name]] = np.ascontiguousarray(stored)
    return out


def _by_package(keys, tensors, *, ints="add_uint32", floats="add_float32", kinds=None):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out.gguf")
        writer = gguf.GGUFWriter(path, keys["general.architecture"])
        for key, value in keys.items():
            if key == "general.architecture":
                continue
            if key == "tokenizer.ggml.token_type" and kinds is not None:
                writer.add_key_value(key, value, gguf.GGUFValueType.ARRAY, kinds)
            elif isinstance(value, bool):
                writer.add_bool(key, value)
            elif isinstance(value, int):
                getattr(writer, ints)(key, value)
            elif isinstance(value, float):
                getattr(writer, floats)(key, value)
            elif isinstance(value, str):
                writer.add_string(key, value)
            elif value:
                writer.add_array(key, value)
        for name, array in tensors.items():
            writer.add_tensor(name, array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def _by_struct(keys, tensors, *, version=3, step=64, shape=lambda a: a.shape[::-1]):
    def text(s):
        return struct.pack("<Q", len(s.encode())) + s.encode()

    keys = keys | {"general.alignment": step}
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
    for key, v in sorted(keys.items()):
        head += text(key)
        if isinstance(v, list):
            strings = bool(v) and isinstance(v[0], str)
            head += struct.pack("<IIQ", 9, 8 if strings else 5, len(v))
            head += b"".join(text(x) if strings else struct.pack("<i", x) for x in v)
        elif isinstance(v, str):
            head += struct.pack("<I", 8) + text(v)
        else:
            kind, form = {bool: (7, "?"), int: (4, "I"), float: (6, "f")}[type(v)]
            head += struct.pack("<I" + form, kind, v)
    body = b""
    for name, array in sorted(tensors.items(), reverse=True):
        dims = shape(array)
        head += text(name) + struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
        head += struct.pack("<IQ", int(array.dtype == np.float16), len(body))
        body += array.tobytes() + bytes(-array.nbytes % step)
    return head + bytes(-len(head) % step) + body


@right("the gguf package")
def by_package(config, weights, tokenizer):
    return _by_package(_metadata(config, tokenizer), _tensors(config, weights))


@right("struct, sorted, aligned to 64")
def by_struct(config, weights, tokenizer):
    return bytearray(_by_struct(_metadata(config, tokenizer), _tensors(config, weights)))


def _wrong(name, sentence, *, write=_by_package, change=None, written=None, **changes):
    @wrong(name, sentence)
    def answer(config, weights, tokenizer):
        keys = _metadata(config, tokenizer)
        if change:
            change(keys)
        return write(keys, _tensors(config, weights, **changes), **(written or {}))

    return answer


def _tied_too(config):
    return _names(config) | {"lm_head.weight": "output.weight"}


def _truncated(weight):
    half = weight.astype(np.float16)
    return np.where(np.abs(half) > np.abs(weight), np.nextafter(half, np.float16(0)), half)


unpermuted = _wrong("rows-unpermuted", "q and k need llama.cpp's order of rows; without, it writes nonsense.",
                    rows=lambda w, h: w)  # fmt: skip
back = _wrong("rows-back", "That is the way back, from llama.cpp's order to transformers'.",
              rows=lambda w, h: w.reshape(h, -1, 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape))  # fmt: skip
query_heads = _wrong("k-by-query-heads", "k has num_key_value_heads heads.",
                     k=lambda c: c["num_key_value_heads"] != 1 and c["num_attention_heads"])  # fmt: skip
values = _wrong("v-permuted", "Rotary embedding turns q and k; v keeps its rows.", values=True)
full = _wrong("all-float32", "Matrices are stored as F16.", half=lambda w: w)
halved = _wrong("vectors-f16", "Norms stay F32: llama.cpp refuses others.", vectors=np.float16)
truncated = _wrong("truncated", "Round to the nearest float16, do not cut off.", half=_truncated)
turned = _wrong("transposed", "A matrix keeps its rows; only the list of dimensions in the file is reversed.",
                half=lambda w: w.astype(np.float16).T)  # fmt: skip
clipped = _wrong("clipped", "A value beyond float16 must raise ValueError, not be clipped.", guard=False,
                 half=lambda w: np.clip(w, -65504, 65504).astype(np.float16))  # fmt: skip
infinite = _wrong("overflow", "Beyond 65,504 float16 is infinite: raise ValueError.", guard=False)
left_out = _wrong(
    "unknown-dropped", "A tensor that no plain Llama has must raise ValueError.", unknown=False
)
narrow = _wrong(
    "vectors-limited", "Vectors are stored as float32: only a matrix must fit into float16.",
    everywhere=True,
)  # fmt: skip
gaps = _wrong("missing-passed", "A missing tensor must raise ValueError; llama.cpp would refuse the file.",
              missing=False)  # fmt: skip
tied = _wrong("tied-output", "With tied embeddings there is no output.weight.", names=_tied_too)
strict = _wrong("tied-head-refused", "With tied embeddings an lm_head in the checkpoint is left out.",
                ignore=True)  # fmt: skip
old_names = _wrong(
    "hf-names", "GGUF has names of its own.", names=lambda c: {n: n for n in _names(c)}
)
signed = _wrong("int32-counts", "llama.cpp reads counts as UINT32 and refuses other types.",
                written={"ints": "add_int32"})  # fmt: skip
double = _wrong(
    "float64-numbers", "epsilon and theta are FLOAT32.", written={"floats": "add_float64"}
)
types = _wrong("types-uint32", "The types of tokens are an array of INT32.",
               written={"kinds": gguf.GGUFValueType.UINT32})  # fmt: skip
second = _wrong("version-2", "GGUF's version is 3.", write=_by_struct, written={"version": 2})
dims = _wrong("dims-unreversed", "The file lists the fastest dimension first.", write=_by_struct,
              written={"shape": lambda a: a.shape})  # fmt: skip
no_kind = _wrong("file-type-forgotten", "general.file_type says what most matrices are: 1 for F16.",
                 change=lambda keys: keys.pop("general.file_type"))  # fmt: skip
no_tokens = _wrong("tokenizer-forgotten", "The tokenizer travels in the file.",
                   change=lambda keys: [keys.pop(k) for k in list(keys) if "ggml" in k])  # fmt: skip
theta = _wrong("theta-default", "rope theta comes from config.json.",
               change=lambda keys: keys.update({"llama.rope.freq_base": 10000.0}))  # fmt: skip


@wrong("path-returned", "Return the bytes, not where they lie.")
def path_returned(config, weights, tokenizer):
    by_package(config, weights, tokenizer)
    return "model.gguf"


@wrong("cut-off", "Close the writer before you read the file: its end is missing.")
def cut_off(config, weights, tokenizer):
    return by_package(config, weights, tokenizer)[:-5000]


@wrong("only-large-positive", "A value below -65,504 does not fit into float16 either.")
def only_positive(config, weights, tokenizer):
    return _by_package(_metadata(config, tokenizer), _tensors(config, weights, most=np.positive))


@wrong("tied-by-default", "Without tie_word_embeddings the head is a tensor of its own.")
def tied_by_default(config, weights, tokenizer):
    return _by_package(
        _metadata(config, tokenizer), _tensors({"tie_word_embeddings": True} | config, weights)
    )


@wrong("layers-not-counted", "A tensor of a layer that the model has not is unknown: refuse it.")
def layers_not_counted(config, weights, tokenizer):
    def every_layer(config):
        table = _names(config)
        for name in weights:
            layer, _, part = name.removeprefix("model.layers.").partition(".")
            if layer.isdigit() and part.removesuffix(".weight") in PARTS:
                table[name] = f"blk.{layer}.{PARTS[part.removesuffix('.weight')]}.weight"
        return table

    return _by_package(_metadata(config, tokenizer), _tensors(config, weights, names=every_layer))


@wrong("any-architecture", "Refuse what llama_keys refuses: another architecture.")
def any_architecture(config, weights, tokenizer):
    return _by_package(_metadata(config, tokenizer, llama=False), _tensors(config, weights))


@wrong("any-tokenizer", "Refuse what tokenizer_keys refuses: a tokenizer that is no BPE.")
def any_tokenizer(config, weights, tokenizer):
    return _by_package(_metadata(config, tokenizer, bpe=False), _tensors(config, weights))


@wrong("negative-zero-lost", "Bit for bit: -0.0 keeps its sign, so add nothing to a weight.")
def negative_zero_lost(config, weights, tokenizer):
    def half(weight):
        return weight.astype(np.float16) + np.float16(0)

    return _by_package(_metadata(config, tokenizer), _tensors(config, weights, half=half))


one_head = _wrong("k-default-one", "Without num_key_value_heads k has as many heads as q.",
                  k=lambda c: c["num_key_value_heads"] or 1)  # fmt: skip


@wrong(
    "mlp-guarded-only", "Every matrix may hold a value beyond float16, the embedding and q, too."
)
def mlp_only(config, weights, tokenizer):
    if any(np.abs(w).max() > 65504 for n, w in weights.items() if "mlp" in n):
        raise ValueError("too large")
    return _by_package(_metadata(config, tokenizer), _tensors(config, weights, guard=False))


@wrong(
    "head-invented",
    "Untied embeddings without lm_head: a tensor is missing, do not take the embedding.",
)
def invented(config, weights, tokenizer):
    if not config.get("tie_word_embeddings", False):
        weights = {"lm_head.weight": weights.get("model.embed_tokens.weight")} | weights
    return by_package(config, weights, tokenizer)
