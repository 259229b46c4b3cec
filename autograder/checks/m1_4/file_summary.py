"""file-summary: tensors by type, parameters and bits a parameter of a GGUF file, by the gguf package."""

import os
import tempfile

import gguf
import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"counts": 0.4, "bits": 0.4, "edges": 0.2}
HINTS = (
    "gguf.GGMLQuantizationType(12).name is 'Q4_K'; a Counter over the tensors counts them.",
    "gguf.GGML_QUANT_SIZES[type] is (values in a block, bytes of a block).",
    "Bytes of the weights alone: parameters / values in a block * bytes of a block, summed.",
)
KINDS = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_1", "Q4_K", "Q6_K", "Q2_K")
RARE = ("Q4_1", "Q5_0", "Q3_K", "Q5_K", "IQ2_XXS", "IQ4_NL", "IQ4_XS", "TQ1_0", "MXFP4")


def cases(rng):
    for part in ("counts", "bits"):
        yield case("one F32 vector", part, data=_file(rng, [("F32", (7,))]))
        yield case("F16 and F32", part, data=_file(rng, [("F16", (8, 64)), ("F32", (64,))]))
        mix = [("Q4_K", (6, 256)), ("Q4_K", (2, 512)), ("Q6_K", (4, 256)), ("F32", (256,))]
        yield case("a mix of k-quants", part, data=_file(rng, mix))
        rare = [(name, (int(rng.integers(1, 9)), 256)) for name in RARE]
        yield case("types that are rare", part, data=_file(rng, rare))
        chosen = [(str(rng.choice(KINDS)), (int(rng.integers(1, 9)), 256)) for _ in range(9)]
        yield case("nine tensors", part, data=_file(rng, chosen))
    yield case(
        "three dimensions", "edges", data=_file(rng, [("Q8_0", (3, 5, 64)), ("F16", (2, 32))])
    )
    yield case("aligned to 64, long metadata", "edges",
               data=_file(rng, [("Q5_1", (5, 32)), ("F16", (3, 3))], alignment=64))  # fmt: skip
    yield case("no tensors", "edges", bad=True, data=_file(rng, []))
    for short in (b"", b"GGU", b"PK"):
        yield case(f"a file of {len(short)} bytes", "edges", bad=True, data=short)
    whole = _file(rng, [("F16", (8, 64))])
    yield case("another magic number", "edges", bad=True, data=b"GGML" + whole[4:])


def _file(rng, tensors, alignment=32):
    """A GGUF file by the package, with random blocks."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.gguf")
        writer = gguf.GGUFWriter(path, "llama")
        if alignment != 32:
            writer.add_custom_alignment(alignment)
            writer.add_array("tokenizer.ggml.tokens", [f"token {i}" for i in range(50)])
        writer.add_float32("llama.rope.freq_base", 10000.0)
        for number, (name, shape) in enumerate(tensors):
            kind = gguf.GGMLQuantizationType[name]
            block, size = gguf.GGML_QUANT_SIZES[kind]
            raw = rng.integers(0, 256, (*shape[:-1], shape[-1] // block * size)).astype(np.uint8)
            writer.add_tensor(f"blk.{number}.weight", raw, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        with open(path, "rb") as file:
            return file.read()


def probe(solution, data, bad=False):
    return refusal(lambda: solution(data)) if bad else solution(data)


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    types, parameters, size = _facts(case.data)
    found = expect.mapping(answer, ("types", "parameters", "bits_per_parameter"))
    counts = expect.mapping(found["types"], tuple(types))
    for name in counts:
        expect.that(
            name in types, "`types` has a type too many.", yours=str(name), right=sorted(types)
        )
        expect.integer(counts[name], types[name], f"types[{name!r}]", hint=HINTS[0])
    expect.integer(found["parameters"], parameters, "parameters")
    if case.part != "counts":
        expect.number(found["bits_per_parameter"], 8 * size / parameters, "bits_per_parameter",
                      rtol=1e-9, hint=HINTS[2])  # fmt: skip


def _facts(data):
    """By the gguf package, from the file that `cases` made."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.gguf")
        with open(path, "wb") as file:
            file.write(data)
        types, parameters, size = {}, 0, 0
        for tensor in gguf.GGUFReader(path).tensors:
            types[tensor.tensor_type.name] = types.get(tensor.tensor_type.name, 0) + 1
            parameters += int(tensor.n_elements)
            size += int(tensor.n_bytes)
        return types, parameters, size
