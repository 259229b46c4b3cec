"""gguf-reader: a whole file read."""

import numpy as np

from autograder.checks import case, outcome
from autograder.checks.oracles import gguf_judge, gguf_reader, gguf_valid
from autograder.checks.oracles.gguf_build import ARRAY, STRING, Draft, Tensor

PARTS = {"metadata": 0.3, "tensors": 0.4, "alignment": 0.2, "other files": 0.1}
HINTS = (
    "One variable holds the place in the file; each reader returns where it stopped.",
    "The file stores the fastest dimension first: reverse the dimensions for NumPy.",
    "data_offset is the end of the tensor table, rounded up: end + -end % alignment.",
)


def cases(rng):
    def one(label, part, draft, view=False):
        return case(label, part, data=draft.bytes(), view=view)

    yield one("nothing in it", "metadata", Draft())
    for types in ([4], [STRING, 7, 6], [ARRAY, 10, STRING, ARRAY], list(range(13))):
        draft, _ = gguf_valid.draft(rng, types, 0)
        yield one(f"{len(types)} key-values", "metadata", draft, len(types) == 3)
    repeated = Draft(
        (("z", 4, 0), ("k", 4, 1), ("K", 4, 2), ("k.k", STRING, "x"), ("größe", 5, -1))
    )
    yield one("keys that look alike", "metadata", repeated.but(version=2))
    for i in range(4):
        draft, _ = gguf_valid.draft(rng, [STRING] * i, 1 + 2 * i)
        yield one(f"{1 + 2 * i} tensors", "tensors", draft, i == 2)
    shapes = Draft(tensors=(
        Tensor("scalar", (), 0, np.float32(1).tobytes()),
        Tensor("vector", (5,), 26, bytes(20)),
        Tensor("cube", (2, 3, 4, 5), 0, bytes(480)),
        Tensor("blocks", (64, 3), 8, bytes(204)),
        Tensor("k-quant", (256, 2), 12, bytes(288)),
    ))  # fmt: skip
    yield one("no to four dimensions, quantized types", "tensors", shapes)
    apart = Draft((("general.name", STRING, "gap"),), shapes.tensors[:2], offsets={1: 128})
    data = apart.bytes() + bytes(96)
    yield case("a gap between tensors", "tensors", data=data, view=False)
    behind = shapes.bytes() + rng.bytes(int(rng.integers(40, 90)))
    yield case("bytes behind the last tensor", "tensors", data=behind, view=False)
    for alignment in (8, 64, 4096):
        draft, _ = gguf_valid.draft(rng, [4, STRING, ARRAY], 3, alignment)
        yield one(f"alignment {alignment}", "alignment", draft)
    low = (("general.alignment", 4, 8), ("a" * 7, 4, 1))  # 24 + 33 + 23 = 80: no multiple of 32
    yield one("alignment 8, a table of 80 bytes", "alignment", Draft(low, alignment=8))
    exact = Draft((("a" * 19, 4, 7),))  # 24 + 8 + 19 + 4 + 4 = 59, so 5 to 64
    yield one("padding of five bytes", "alignment", exact)
    whole = Draft((("a" * 24, 4, 7),))
    yield one("a table that ends on the alignment", "alignment", whole)
    good = Draft((("k", 4, 1),)).bytes()
    yield case("another magic", "other files", data=b"tjgg" + good[4:], view=False)
    yield case("version 1", "other files", data=good[:4] + b"\1\0\0\0" + good[8:], view=False)  # fmt: skip


def probe(solution, data, view):
    return outcome(lambda: solution(memoryview(data) if view else data))


def judge(case, answer):
    if case.part == "other files":
        return gguf_judge.refused(answer, f"{case.label.capitalize()}: raise ValueError.")
    answer = gguf_judge.returned(answer, "This is a good file.")
    want = gguf_reader.read_gguf(case.data)
    return gguf_judge.contents(answer, want)
