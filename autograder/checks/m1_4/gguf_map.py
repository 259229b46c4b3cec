"""gguf-map: a tensor as a view of the mapped file, not a copy of it."""

import numpy as np

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge, gguf_reader, gguf_valid
from autograder.checks.oracles.gguf_build import TENSOR_TYPES, Draft, Tensor

PARTS = {"values": 0.4, "no copy": 0.4, "blocks and names": 0.2}
HINTS = (
    "mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) behaves like bytes of the whole file.",
    "np.frombuffer(mapped, dtype, count, offset) makes no copy; reshape makes none either.",
    "Its place in the file is data_offset + offset.",
)


def cases(rng):
    for part in ("values", "no copy"):
        for alignment in (32, 64):
            draft, arrays = gguf_valid.draft(rng, [4, 8, 9], 6, alignment)
            names = list(arrays)[-3:] if part == "values" else list(arrays)[-1:]
            for name in names:
                yield case(f"{arrays[name].dtype} {arrays[name].shape}", part, data=draft.bytes(),
                           name=name)  # fmt: skip
    draft = Draft(tensors=(
        Tensor("q8", (64, 3), 8, rng.bytes(204)), Tensor("bf16", (5, 2), 30, rng.bytes(20)),
        Tensor("q4k", (256, 2, 2), 12, rng.bytes(576)), Tensor("bytes", (7, 2), 24, rng.bytes(14)),
        Tensor("one", (), 0, rng.bytes(4)),
    ))  # fmt: skip
    for entry in draft.tensors[:3]:
        yield case(f"blocks of type {entry.type}", "blocks and names", data=draft.bytes(),
                   name=entry.name)  # fmt: skip
    yield case("int8", "values", data=draft.bytes(), name="bytes")
    yield case("no dimensions", "blocks and names", data=draft.bytes(), name="one")
    for name in ("q4", "", "Q8"):
        label = f"no tensor called {name!r}"
        yield case(label, "blocks and names", data=draft.bytes(), name=name)


def probe(solution, data, name):
    import os
    import tempfile

    handle, path = tempfile.mkstemp(suffix=".gguf")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        answer = outcome(lambda: solution(path, name))
        if "value" not in answer:
            return answer
        view = answer["value"]
        if not isinstance(view, np.ndarray):
            return {"value": repr(type(view))}
        # The codec may carry an array without dimensions as a number: its shape travels along.
        answer = {"value": np.atleast_1d(view).copy(), "shape": list(view.shape),
                  "writeable": bool(view.flags.writeable)}  # fmt: skip
        # A view of a mapped file follows the file; a copy keeps the old bytes.
        with open(path, "r+b") as file:
            file.write(bytes(255 - byte for byte in data))
        answer["after"] = np.atleast_1d(view).copy()
        return answer
    finally:
        os.unlink(path)


def judge(case, answer):
    found = gguf_reader.read_gguf(case.data)
    if case.name not in found["tensors"]:
        return expect.raised(answer, "KeyError", f"There is {case.label}: raise KeyError.")
    want = _stored(case.data, found, case.name)
    got = gguf_judge.returned(answer, "This tensor is in the file.")
    shape = tuple(answer.get("shape", ()))
    expect.that(shape == want.shape, "The array has the wrong shape.", stage="shape",
                yours=str(shape), right=str(want.shape))  # fmt: skip
    got = expect.array(got, "the array", dtype=want.dtype)
    expect.that(
        _raw(got) == _raw(want),
        "The array holds other bytes than the tensor.",
        yours=got.reshape(-1)[0],
        right=want.reshape(-1)[0],
    )
    if case.part != "no copy":
        return None
    expect.that(
        answer.get("writeable") is False,
        "The array can be written to: map it read-only.",
        yours="writeable",
        right="read-only",
    )
    turned = bytes(255 - byte for byte in _raw(want))
    return expect.that(
        _raw(answer["after"]) == turned,
        "The file changed under the array and the array did not: it is a copy.",
        yours="a copy in memory",
        right="a view of the mapped file",
    )


def _raw(array):
    return np.ascontiguousarray(array).tobytes()


def _stored(data, found, name):
    """The tensor cut out of the file; blocks as bytes, a row of blocks a row."""
    info = found["tensors"][name]
    dims = tuple(reversed(info["shape"]))
    size = gguf_reader.tensor_bytes(dims, info["type"])
    start = found["data_offset"] + info["offset"]
    raw = np.frombuffer(data[start : start + size], np.uint8)
    dtypes = {number: name for name, number in TENSOR_TYPES.items()}
    if info["type"] in dtypes:
        return raw.view(dtypes[info["type"]]).reshape(info["shape"])
    block, block_bytes = gguf_reader.BLOCKS[info["type"]]
    return raw.reshape(*info["shape"][:-1], info["shape"][-1] // block * block_bytes)
