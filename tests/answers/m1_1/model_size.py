"""Answers to model-size."""

import io
import tempfile
from pathlib import Path

import numpy as np

from autograder.checks.bank import right, wrong


def _length(arrays, save=np.savez):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return len(buffer.getvalue())


def _report(floats, integers, float_file, integer_file):
    return {
        "float_bytes": floats,
        "integer_bytes": integers,
        "ratio": floats / integers,
        "float_file_bytes": float_file,
        "integer_file_bytes": integer_file,
        "file_ratio": float_file / integer_file,
    }


def _sum(arrays):
    return sum(a.nbytes for a in arrays.values())


@right("a buffer in memory")
def in_memory(params, model):
    return _report(_sum(params), _sum(model), _length(params), _length(model))


@right("a temporary file, bytes from shape and dtype")
def on_disk(params, model):
    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for arrays in (params, model):
            path = Path(folder, "arrays.npz")
            np.savez(path, **arrays)
            sizes.append(path.stat().st_size)
    count = [sum(int(a.size) * a.itemsize for a in arrays.values()) for arrays in (params, model)]
    return _report(*count, *sizes)


@wrong("compressed", "np.savez_compressed packs the values; the exercise measures np.savez.")
def compressed(params, model):
    return _report(
        _sum(params),
        _sum(model),
        _length(params, np.savez_compressed),
        _length(model, np.savez_compressed),
    )


@wrong(
    "weights-only",
    "You counted the weights only; biases, multipliers, scales and zero-points belong to the model.",
)
def weights_only(params, model):
    p, m = (
        {k: v for k, v in d.items() if k in ("w",) or k.endswith("weight")} for d in (params, model)
    )
    return _report(_sum(p), _sum(m), _length(params), _length(model))


@wrong(
    "four-bytes-always", "You counted 4 bytes for every float value; take each array's own dtype."
)
def four_bytes(params, model):
    return _report(
        4 * sum(a.size for a in params.values()), _sum(model), _length(params), _length(model)
    )


@wrong(
    "one-byte-always",
    "You counted 1 byte for every value of the integer model; biases and m0 have 4.",
)
def one_byte(params, model):
    return _report(
        _sum(params), sum(a.size for a in model.values()), _length(params), _length(model)
    )


@wrong("counts-values", "You counted values, not bytes.")
def values(params, model):
    p, m = (sum(a.size for a in d.values()) for d in (params, model))
    return _report(p, m, _length(params), _length(model))


@wrong("ratio-inverted", "Your ratios are upside down: float bytes over integer bytes.")
def inverted(params, model):
    report = in_memory(params, model)
    return {**report, "ratio": 1 / report["ratio"], "file_ratio": 1 / report["file_ratio"]}


@wrong(
    "file-is-theory",
    "You returned the bytes of the values for the files; headers and names take space.",
)
def no_headers(params, model):
    return _report(_sum(params), _sum(model), _sum(params), _sum(model))


@wrong("kibibytes", "You returned KiB; the exercise asks for bytes.")
def kibibytes(params, model):
    report = in_memory(params, model)
    return {k: v / 1024 if "bytes" in k else v for k, v in report.items()}


@wrong(
    "getsizeof",
    "sys.getsizeof counts Python's objects, headers included; array.nbytes counts the values.",
)
def getsizeof(params, model):
    import sys

    p, m = (sum(sys.getsizeof(a) for a in d.values()) for d in (params, model))
    return _report(p, m, _length(params), _length(model))


@wrong("pickle", "You pickled the dict; the exercise measures the file of np.savez.")
def pickled(params, model):
    import pickle

    return _report(_sum(params), _sum(model), len(pickle.dumps(params)), len(pickle.dumps(model)))


@wrong(
    "positional-arrays",
    "np.savez(path, arrays) saves the dict as one pickled object; write **arrays.",
)
def positional(params, model):
    def length(arrays):
        buffer = io.BytesIO()
        np.savez(buffer, np.array(arrays, dtype=object))
        return len(buffer.getvalue())

    return _report(_sum(params), _sum(model), length(params), length(model))


@wrong("ratio-rounded", "You rounded the ratio; return it as it is.")
def rounded(params, model):
    report = in_memory(params, model)
    return {**report, "ratio": round(report["ratio"], 1)}


@wrong("saving-in-percent", "You returned how much is saved; ratio is how many times smaller.")
def saving(params, model):
    report = in_memory(params, model)
    return {**report, "ratio": 1 - 1 / report["ratio"], "file_ratio": 1 - 1 / report["file_ratio"]}
