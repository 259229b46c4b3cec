"""gguf-writer: a file equal, byte for byte, to what the gguf package writes."""

import numpy as np

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge, gguf_valid
from autograder.checks.oracles.gguf_build import UINT32, Draft, chunks, tensor

PARTS = {"metadata": 0.3, "tensors": 0.4, "alignment": 0.2, "bad input": 0.1}
HINTS = (
    "First the tensor table: keep a running offset, and round it up after each tensor.",
    "Then pad what you have to the alignment, and append each tensor with its own padding.",
    "np.ascontiguousarray(array).tobytes() gives the bytes in C order.",
)


def cases(rng):
    def one(label, part, metadata, tensors):
        return case(label, part, metadata={k: (t, v) for k, t, v in metadata}, tensors=tensors)

    yield one("nothing at all", "metadata", (), {})
    yield one("one number", "metadata", (("general.block_count", 4, 3),), {})
    yield one("every type", "metadata", gguf_valid.package_pairs(rng), {})
    for count in (1, 2, 5):
        yield one(f"{count} tensors", "tensors", gguf_valid.pairs(rng, [4, 8, 10][:count]),
                  gguf_valid.arrays(rng, count))  # fmt: skip
    odd = {
        "transposed": np.asfortranarray(rng.normal(size=(3, 5)).astype(np.float32)),
        "no padding": np.arange(8, dtype=np.float32),
        "one byte": np.array([[-1]], np.int8),
        "half": rng.normal(size=(2, 3, 1)).astype(np.float16),
        "zero dimensions": np.array(2.5),
    }
    yield one("odd shapes and orders", "tensors", (), odd)
    for alignment in (8, 64, 256):
        pairs = gguf_valid.pairs(rng, [4, 8])
        mixed = (pairs[0], ("general.alignment", UINT32, alignment), pairs[1])
        yield one(f"alignment {alignment}", "alignment", mixed, gguf_valid.arrays(rng, 3))
    for dtype in (np.uint8, np.complex64, np.bool_):
        yield one(f"a tensor of {np.dtype(dtype).name}", "bad input", (),
                  {"fine": np.zeros(2, np.float32), "bad": np.zeros(3, dtype)})  # fmt: skip
    yield one("a first tensor of uint16", "bad input", (),
              {"bad": np.zeros(3, np.uint16), "fine": np.zeros(2, np.float32)})  # fmt: skip


def probe(solution, metadata, tensors):
    # The codec may carry an array without dimensions as a number.
    tensors = {name: np.asarray(array) for name, array in tensors.items()}
    found = outcome(lambda: solution(metadata, tensors))
    if isinstance(found.get("value"), (bytearray, memoryview)):
        found["value"] = bytes(found["value"])
    return found


def judge(case, answer):
    if case.part == "bad input":
        return gguf_judge.refused(answer, f"{case.label.capitalize()}: raise ValueError.")
    answer = gguf_judge.returned(answer, "This file can be written.")
    pairs = tuple((key, *value) for key, value in case.metadata.items())
    want = gguf_valid.package_bytes(pairs, case.tensors)
    if not isinstance(answer, bytes):
        expect.wrong("type", "Return bytes.", yours=expect.kind(answer), right="bytes")
    if answer == want:
        return None
    return _first_difference(case, pairs, answer, want)


def _first_difference(case, pairs, answer, want):
    """Name the part of the file in which the first wrong byte lies."""
    alignment = case.metadata.get("general.alignment", (4, 32))[1]
    entries = tuple(tensor(name, np.asarray(a)) for name, a in case.tensors.items())
    shared = min(len(answer), len(want))
    at = next((i for i in range(shared) if answer[i] != want[i]), shared)
    start, label = 0, "the end of the file"
    for part in chunks(Draft(pairs, entries, alignment=alignment)):
        if part.data and start <= at < start + len(part.data):
            label = part.label
        start += len(part.data)
    expect.wrong("values", f"The file differs from the package's at byte {at}: {label}.",
                 yours=f"{answer[at : at + 8].hex(' ')} ({len(answer)} bytes in all)",
                 right=f"{want[at : at + 8].hex(' ')} ({len(want)} bytes in all)")  # fmt: skip
