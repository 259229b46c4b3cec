"""Answers to file-summary."""

import math
import re
import tempfile
from collections import Counter
from pathlib import Path

import gguf
import numpy as np

from autograder.checks.bank import right, wrong


def _tensors(data, *, guard=True):
    """(type, shape) of each tensor by the gguf package."""
    if guard and data[:4] != b"GGUF":
        raise ValueError("not GGUF")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.gguf")
        path.write_bytes(b"GGUF" + data[4:])
        reader = gguf.GGUFReader(path)
        return [(t.tensor_type, tuple(int(n) for n in t.shape)) for t in reader.tensors]


def _bytes(kind, shape):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    return math.prod(shape) // block * size


def _summary(data, *, guard=True, empty=True, key=lambda kind: kind.name, count=math.prod, size=_bytes,
             whole=False, bits=8, types=None, scope=lambda tensors: tensors):  # fmt: skip
    tensors = _tensors(data, guard=guard)
    if empty and not tensors:
        raise ValueError("no tensors")
    total = sum(count(shape) for _, shape in scope(tensors))
    stored = len(data) if whole else sum(size(k, s) for k, s in scope(tensors))
    counted = types(tensors) if types else dict(Counter(key(k) for k, _ in tensors))
    return {
        "types": counted,
        "parameters": total,
        "bits_per_parameter": bits * stored / total if total else 0.0,
    }


@right("by the package's reader")
def by_package(data):
    return _summary(data)


@right("by the sizes that the package counts")
def by_sizes(data):
    if not bytes(data).startswith(b"GGUF"):
        raise ValueError("magic")
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        file.write(data)
        file.flush()
        tensors = gguf.GGUFReader(file.name).tensors
        names, numbers = [t.tensor_type.name for t in tensors], [int(t.n_elements) for t in tensors]
        size = sum(int(t.n_bytes) for t in tensors)
    if not names:
        raise ValueError("no tensors here")
    types = {name: names.count(name) for name in set(names)}
    return {
        "types": types,
        "parameters": sum(numbers),
        "bits_per_parameter": size / sum(numbers) * 8,
    }


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(data):
        return _summary(data, **changes)

    return answer


numbers = _wrong("type-numbers", "Name the types, as gguf.GGMLQuantizationType does.", key=int)
lower = _wrong(
    "lower-case", "The names are those of the gguf package: Q4_K.", key=lambda k: k.name.lower()
)
file_bytes = _wrong(
    "whole-file", "The bytes of the weights alone, without metadata and padding.", whole=True
)
in_bytes = _wrong("bytes", "Bits: eight for each byte.", bits=1)
nominal = _wrong("nominal-bits", "A block has scales, too: count its bytes, not the digit in its name.",
                 size=lambda k, s: math.prod(s) * int(re.findall("[0-9]+", k.name)[0]) / 8)  # fmt: skip
halves = _wrong("all-f16", "Each type has its own size.", size=lambda k, s: 2 * math.prod(s))
matrices = _wrong("matrices-only", "Vectors are parameters, too.",
                  scope=lambda ts: [t for t in ts if len(t[1]) > 1] or ts[:1])  # fmt: skip
two_axes = _wrong("two-axes", "A tensor may have more than two dimensions: multiply all.",
                  count=lambda s: math.prod(s[:2]))  # fmt: skip
added = _wrong("dims-added", "Parameters are the product of the dimensions.", count=sum)
unguarded = _wrong(
    "magic-unguarded", "What does not begin with GGUF must raise ValueError.", guard=False
)
empty = _wrong("no-tensors", "A file without tensors must raise ValueError.", empty=False)


@wrong("values-by-type", "types counts tensors, not their values.")
def weighted(data):
    tensors, out = _tensors(data), _summary(data)
    out["types"] = {k: 0 for k in out["types"]}
    for kind, shape in tensors:
        out["types"][kind.name] += math.prod(shape)
    return out


@wrong(
    "mean-of-types", "Weigh each tensor by its parameters: a mean over tensors is another number."
)
def mean_of_tensors(data):
    out = _summary(data)
    bits = [8 * _bytes(kind, shape) / math.prod(shape) for kind, shape in _tensors(data)]
    out["bits_per_parameter"] = float(np.mean(bits))
    return out


@wrong("short-files-pass", "Fewer than four bytes do not begin with GGUF: raise ValueError.")
def short_files(data):
    if len(data) < 4:
        raise IndexError("out of range")
    return _summary(data)


@wrong("own-table-of-types", "Take every type from gguf.GGML_QUANT_SIZES, not only the usual ones.")
def own_table(data):
    out = _summary(data)
    usual = {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q2_K", "Q3_K", "Q5_1"}
    if set(out["types"]) - usual:
        raise KeyError("type")
    return out
