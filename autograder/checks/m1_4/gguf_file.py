"""gguf-file: a small random Llama as F16 GGUF bytes: read strictly, then compared tensor by tensor."""

import gguf
import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.m1_4.tokenizer_keys import same_lists
from autograder.checks.oracles import hf_gguf
from autograder.checks.oracles.gguf_reader import GGUFError, read_gguf, value_types

PARTS = {"layout": 0.25, "weights": 0.35, "metadata": 0.25, "edges": 0.15}
HINTS = (
    "Order: GGUFWriter(path, 'llama'), the key-values, add_tensor for each, write_header_to_file, "
    "write_kv_data_to_file, write_tensors_to_file, close; then read the file's bytes.",
    "Matrices astype(np.float16), vectors float32; q with num_attention_heads, k with "
    "num_key_value_heads.",
    "Numbers are add_uint32 and add_float32, flags add_bool; the lists have add_token_list, "
    "add_token_types and add_token_merges.",
)
# Six times the largest file that a case asks for.
MOST_BYTES = 4 * 2**20
F32, F16 = 0, 1
UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5
ELEMENTS = {
    "tokenizer.ggml.tokens": STRING, "tokenizer.ggml.merges": STRING,
    "tokenizer.ggml.token_type": INT32,
}  # fmt: skip
TYPE_NAMES = {t.value: t.name for t in gguf.GGUFValueType}


def cases(rng):
    shapes = {
        "tied, grouped heads": {},
        "untied, three layers, num_key_value_heads None": {
            "tie_word_embeddings": False,
            "num_key_value_heads": None,
            "num_hidden_layers": 3,
        },
        "head size of its own, tie_word_embeddings absent": {
            "head_dim": 24,
            "num_key_value_heads": 1,
            "tie_word_embeddings": ...,
        },
    }
    for part in ("layout", "weights", "metadata"):
        for label, changes in shapes.items():
            yield case(label, part, **_model(rng, **changes))
    tied = _model(rng)
    tied["weights"]["lm_head.weight"] = tied["weights"]["model.embed_tokens.weight"].copy()
    yield case("tied, lm_head in the checkpoint all the same", "edges", **tied)
    free = _model(rng, tie_word_embeddings=False)
    del free["config"]["tie_word_embeddings"]
    yield case("without tie_word_embeddings: untied", "edges", **free)
    plain = _model(rng, head_dim=..., num_key_value_heads=...)
    yield case("without head_dim and num_key_value_heads", "edges", **plain)
    halves = _model(rng)
    # Between two float16 numbers, and exactly half-way.
    halves["weights"]["model.layers.0.mlp.up_proj.weight"][:2, :4] = [
        [1 + 2**-11, 1 + 3 * 2**-11, 65_504.0, 2**-25], [-1 - 2**-11, 1e-9, 1 / 3, -0.0],
    ]  # fmt: skip
    yield case("values between two float16 numbers", "edges", **halves)
    wide = _model(rng)
    wide["weights"]["model.norm.weight"][5] = 70_000
    yield case("70,000 in a vector, which float32 holds", "edges", **wide)
    lost = _model(rng, tie_word_embeddings=False)
    name = str(rng.choice(sorted(lost["weights"])))
    del lost["weights"][name]
    yield case(f"without {name}", "edges", bad=True, **lost)
    headless = _model(rng, tie_word_embeddings=False)
    del headless["weights"]["lm_head.weight"]
    yield case("untied, without lm_head.weight", "edges", bad=True, **headless)
    yield from _refused(rng)


def _refused(rng):
    """Models that are not this config's, and numbers beyond float16."""
    deep = _model(rng)
    deep["weights"]["model.layers.2.input_layernorm.weight"] = np.ones(64, np.float32)
    yield case("with a tensor of a third layer, of two", "edges", bad=True, **deep)
    strange = _model(rng)
    strange["weights"]["model.layers.0.adapter.weight"] = np.ones((2, 64), np.float32)
    yield case("with an unknown tensor", "edges", bad=True, **strange)
    large = _model(rng)
    large["weights"]["model.layers.1.mlp.down_proj.weight"][3, 3] = 70_000
    yield case("a weight of 70,000", "edges", bad=True, **large)
    for name, number in (("embed_tokens", -70_000), ("layers.0.self_attn.q_proj", 1e6)):
        large = _model(rng)
        large["weights"][f"model.{name}.weight"][1, 2] = number
        yield case(f"{number:,.0f} in {name}", "edges", bad=True, **large)
    yield case("another architecture", "edges", bad=True, **_model(rng, architectures=["Other"]))
    scaled = {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}
    yield case("a scaled rope", "edges", bad=True, **_model(rng, rope_parameters=scaled))
    pieces = _model(rng)
    pieces["tokenizer"]["model"]["type"] = "Unigram"
    yield case("a tokenizer that is no BPE", "edges", bad=True, **pieces)
    low = _model(rng)
    low["weights"]["model.layers.0.self_attn.o_proj.weight"][1, 2] = -70_000
    yield case("a weight of -70,000", "edges", bad=True, **low)
    more = _model(rng)
    name = "model.layers.{}.mlp.up_proj.weight"
    more["weights"][name.format(2)] = more["weights"][name.format(1)].copy()
    yield case("a tensor of a third layer of two", "edges", bad=True, **more)
    other = _model(rng)
    other["config"]["architectures"] = ["MistralForCausalLM"]
    yield case("another architecture", "edges", bad=True, **other)
    words = _model(rng)
    words["tokenizer"]["model"]["type"] = "WordPiece"
    yield case("a tokenizer that is no BPE", "edges", bad=True, **words)


def _model(rng, **changes):
    config = hf_gguf.small_config(rng, **changes)
    return {
        "config": config,
        "weights": hf_gguf.small_weights(rng, config),
        "tokenizer": hf_gguf.small_tokenizer(rng),
    }


def probe(solution, config, weights, tokenizer, bad=False):
    if bad:
        return refusal(lambda: solution(config, weights, tokenizer))
    made = solution(config, weights, tokenizer)
    return bytes(made) if isinstance(made, (bytearray, memoryview)) else made


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    expect.that(isinstance(answer, bytes), "Return the file's bytes.", stage="type",
                yours=expect.kind(answer), right="bytes")  # fmt: skip
    expect.that(len(answer) <= MOST_BYTES, "The file is far too large.", stage="shape",
                yours=f"{len(answer):,} bytes", right=f"well under {MOST_BYTES:,}")  # fmt: skip
    try:
        read = read_gguf(answer)
    except GGUFError as error:
        expect.wrong("values", f"The file is no well-formed GGUF: {error}", yours=f"{len(answer)} bytes",
                     right="a file that a strict reader accepts", hint=HINTS[0])  # fmt: skip
    expect.that(read["version"] == 3, "GGUF's version is 3.", yours=read["version"], right="3")
    want = hf_gguf.stored(case.config, case.weights)
    _layout(read["tensors"], want)
    if case.part in ("weights", "edges"):
        _weights(answer, read, want)
    if case.part == "metadata":
        _metadata(answer, read["metadata"], case)


def _layout(tensors, want):
    missing, extra = sorted(set(want) - set(tensors)), sorted(set(tensors) - set(want))
    expect.that(not missing, f"The file lacks {len(missing)} tensors, first {missing[:1]}.",
                yours=f"{len(tensors)} tensors", right=f"{len(want)} tensors")  # fmt: skip
    expect.that(
        not extra, f"The file has a tensor too many: {extra[:1]}.", yours=f"{len(tensors)} tensors",
        right=f"{len(want)} tensors", hint="With tied embeddings there is no output.weight.",
    )  # fmt: skip
    for name, array in want.items():
        info = tensors[name]
        expect.that(tuple(info["shape"]) == array.shape, f"{name} has the wrong shape.", stage="shape",
                    yours=str(info["shape"]), right=str(array.shape))  # fmt: skip
        kind = F16 if array.dtype == np.float16 else F32
        expect.that(info["type"] == kind, f"{name} has the wrong type.", stage="dtype",
                    yours=gguf.GGMLQuantizationType(info["type"]).name, right=("F32", "F16")[kind],
                    hint="Matrices F16, vectors F32.")  # fmt: skip


def _weights(data, read, want):
    for name, array in want.items():
        at = read["data_offset"] + read["tensors"][name]["offset"]
        got = np.frombuffer(data, array.dtype.newbyteorder("<"), array.size, at).reshape(
            array.shape
        )
        expect.codes(got, array, name, hint=HINTS[1])
        expect.that(got.tobytes() == array.tobytes(), f"{name} differs in the sign of a zero.",
                    yours="0.0", right="-0.0")  # fmt: skip


def _metadata(data, metadata, case):
    want = hf_gguf.hyper_parameters(case.config)
    want |= hf_gguf.tokenizer_keys(case.tokenizer, case.config) | {"general.file_type": 1}
    # Not by the package's reader: it makes an array of every element, gigabytes for a hostile file.
    types = value_types(data)
    for key, value in want.items():
        expect.that(key in metadata, f"The file lacks the key {key}.", yours=f"{len(metadata)} keys",
                    right=key)  # fmt: skip
        kinds = [ARRAY, ELEMENTS[key]] if key in ELEMENTS else [_kind(value)]
        expect.that(
            types[key] == kinds, f"{key} is stored in a type that llama.cpp refuses.", stage="dtype",
            yours=" of ".join(TYPE_NAMES[t] for t in types[key]),
            right=" of ".join(TYPE_NAMES[t] for t in kinds), hint=HINTS[2],
        )  # fmt: skip
        if key in ELEMENTS:
            same_lists(metadata[key], value, key)
        right = float(np.float32(value)) if isinstance(value, float) else value
        expect.that(metadata[key] == right, f"{key} is off.", yours=metadata[key], right=right)


def _kind(value):
    return {bool: BOOL, int: UINT32, float: FLOAT32, str: STRING}[type(value)]
