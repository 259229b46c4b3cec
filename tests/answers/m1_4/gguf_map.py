"""Answers to gguf-map."""

import mmap
from pathlib import Path

import numpy as np

from autograder.checks.bank import right, wrong
from autograder.checks.oracles import gguf_reader

DTYPES = {0: "f4", 1: "f2", 24: "i1", 25: "i2", 26: "i4", 27: "i8", 28: "f8"}


def _mapped(path, access=mmap.ACCESS_READ):
    with open(path, "rb" if access == mmap.ACCESS_READ else "r+b") as file:
        return mmap.mmap(file.fileno(), 0, access=access)


def _view(
    path, name, *, data=None, start=lambda found, info: found["data_offset"] + info["offset"],
    shape=lambda shape: shape, dtypes=DTYPES, blocks=True, after=lambda array: array, flat=False,
):  # fmt: skip
    data = _mapped(path) if data is None else data
    found = gguf_reader.read_gguf(memoryview(data))
    info = found["tensors"][name]
    dims, at = info["shape"], start(found, info)
    values, size = gguf_reader.BLOCKS[info["type"]]
    dtype = np.dtype(dtypes.get(info["type"], "u1"))
    if info["type"] not in dtypes:
        dims = (*dims[:-1], dims[-1] // values * size) if blocks else dims
    count = int(np.prod(dims, dtype=np.int64))
    array = np.frombuffer(data, dtype, count, at)
    return after(array if flat else array.reshape(shape(dims)))


@right("mmap and frombuffer")
def by_mmap(path, name):
    return _view(path, name)


@right("np.memmap")
def by_memmap(path, name):
    return _view(path, name, data=np.memmap(path, np.uint8, "r"))


@right("a memmap of the tensor alone")
def by_offset(path, name):
    found = gguf_reader.read_gguf(Path(path).read_bytes())
    info = found["tensors"][name]
    dims, kind = info["shape"], info["type"]
    dtype = DTYPES.get(kind, "u1")
    if kind not in DTYPES:
        values, size = gguf_reader.BLOCKS[kind]
        dims = (*dims[:-1], dims[-1] // values * size)
    at = found["data_offset"] + info["offset"]
    return np.memmap(path, dtype, "r", at, dims)


@right("np.ndarray over a buffer")
def by_ndarray(path, name):
    made = _view(path, name)
    data = _mapped(path)
    found = gguf_reader.read_gguf(memoryview(data))
    at = found["data_offset"] + found["tensors"][name]["offset"]
    return np.ndarray(made.shape, made.dtype, data, at)


@wrong("read-whole-file", "You read the file into memory: map it.")
def read(path, name):
    return _view(path, name, data=Path(path).read_bytes())


@wrong("np-fromfile", "np.fromfile copies the tensor.")
def fromfile(path, name):
    return _view(path, name, after=lambda array: array.copy())


@wrong("copied-read-only", "A copy that cannot be written to is still a copy.")
def frozen(path, name):
    copied = _view(path, name).copy()
    copied.setflags(write=False)
    return copied


@wrong("astype", "astype makes a copy: take the dtype that the file has.")
def as_float(path, name):
    return _view(path, name, after=lambda array: array.astype(np.float32))


@wrong("astype-same", "astype copies even if the dtype is the same.")
def as_same(path, name):
    return _view(path, name, after=lambda array: array.astype(array.dtype))


@wrong(
    "slice-of-mmap",
    "A slice of an mmap is a bytes object, a copy: give frombuffer the mmap and an offset.",
)
def sliced(path, name):
    made = _view(path, name)
    data = _mapped(path)
    found = gguf_reader.read_gguf(memoryview(data))
    at = found["data_offset"] + found["tensors"][name]["offset"]
    return np.frombuffer(data[at : at + made.nbytes], made.dtype).reshape(made.shape)


@wrong("writeable", "Map read-only: a stray write would change the model file.")
def writeable(path, name):
    return _view(path, name, data=_mapped(path, mmap.ACCESS_WRITE))


@wrong("copy-on-write", "Map read-only; ACCESS_COPY lets the array be written to.")
def copy_on_write(path, name):
    return _view(path, name, data=_mapped(path, mmap.ACCESS_COPY))


@wrong("offset-from-file-start", "The offset counts from data_offset.")
def from_start(path, name):
    return _view(path, name, start=lambda found, info: info["offset"] // 8 * 8)


@wrong("first-tensor-always", "Add the tensor's own offset to data_offset.")
def first(path, name):
    whole = np.concatenate([_mapped_bytes(path), np.zeros(4096, np.uint8)])
    return _view(path, name, data=whole, start=lambda found, info: found["data_offset"])


def _mapped_bytes(path):
    return np.frombuffer(Path(path).read_bytes(), np.uint8)


@wrong("dims-not-reversed", "The shape is NumPy's: the slowest dimension first.")
def not_reversed(path, name):
    return _view(path, name, shape=lambda shape: shape[::-1])


@wrong("transposed", "Reverse the dimensions when you read them; do not transpose the values.")
def transposed(path, name):
    return _view(path, name, after=lambda array: array.T)


@wrong("flat", "Give the array the tensor's shape.")
def flat(path, name):
    return _view(path, name, flat=True)


@wrong("float32-always", "Each type has its own dtype.")
def always_float(path, name):
    try:
        return _view(path, name, dtypes=dict.fromkeys(DTYPES, "f4"))
    except ValueError:
        return np.zeros(1, np.float32)


@wrong("bf16-as-float16", "BF16 has other bits than F16: return it as bytes.")
def bf16(path, name):
    return _view(path, name, dtypes={**DTYPES, 30: "f2"})


@wrong("blocks-shape-in-values", "For a quantized type the last dimension counts bytes.")
def in_values(path, name):
    try:
        return _view(path, name, blocks=False)
    except ValueError:
        return np.zeros(1, np.uint8)


@wrong("blocks-flat", "The blocks keep the tensor's rows: only the last dimension changes.")
def blocks_flat(path, name):
    made = _view(path, name)
    return made.reshape(-1) if made.dtype == np.uint8 else made


@wrong("blocks-refused", "A quantized tensor comes as its bytes.")
def blocks_refused(path, name):
    made = _view(path, name)
    if made.dtype == np.uint8:
        raise ValueError("quantized")
    return made


@wrong("none-for-missing", "A name that is not there must raise KeyError.")
def none(path, name):
    try:
        return _view(path, name)
    except KeyError:
        return None


@wrong("nearest-name", "Names are exact.")
def nearest(path, name):
    found = gguf_reader.read_gguf(Path(path).read_bytes())["tensors"]
    match = [key for key in found if key.lower().startswith(name.lower())]
    return _view(path, match[0] if name not in found and match else name)


@wrong("value-error", "A name that is not there must raise KeyError.")
def value_error(path, name):
    try:
        return _view(path, name)
    except KeyError:
        raise ValueError(name) from None


@wrong("scalar-as-vector", "No dimensions: the shape is (), not (1,).")
def scalar_as_vector(path, name):
    found = _view(path, name)
    return found.reshape(1) if found.ndim == 0 else found


@wrong("int8-as-bytes", "Type 24 is int8; only types that NumPy lacks are given as uint8.")
def int8_as_bytes(path, name):
    return _view(path, name, dtypes={**DTYPES, 24: "u1"})
