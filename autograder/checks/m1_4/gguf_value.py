"""gguf-value: one metadata value of any of the thirteen types."""

import struct

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge, gguf_reader, gguf_valid
from autograder.checks.oracles.gguf_build import ARRAY, SCALARS, STRING, value_bytes

PARTS = {"scalars": 0.3, "strings": 0.2, "arrays": 0.35, "unknown types": 0.15}
HINTS = (
    "struct.unpack_from('<' + SCALARS[value_type], data, offset) reads a scalar.",
    "A string: a uint64 length in bytes, then the bytes. Decode after you have cut them out.",
    "An array: uint32 element type, uint64 count, then the elements, each by read_value itself.",
)


def cases(rng):
    def one(label, part, value_type, value, view=False):
        body = value_bytes(value_type, value)
        before = rng.bytes(int(rng.integers(0, 9)))
        data = before + body + rng.bytes(int(rng.integers(0, 9)))
        return case(
            label, part, data=data, offset=len(before), value_type=value_type, view=view
        )  # fmt: skip

    for value_type in SCALARS:
        for i in range(3):
            value = gguf_valid.scalar(rng, value_type)
            yield one(f"type {value_type}, {expect.show(value)}", "scalars", value_type, value,
                      i == 2)  # fmt: skip
    for value in (True, False):
        yield one(f"a boolean {value}", "scalars", 7, value)
    for value_type, value in ((6, float("inf")), (12, -0.0), (0, 255), (1, -1), (10, 2**64 - 1)):
        yield one(f"type {value_type}, {value}", "scalars", value_type, value)
    for i, word in enumerate(gguf_valid.WORDS):
        yield one(f"the string {expect.show(word)}", "strings", STRING, word, i % 2 == 1)
    yield one("a string that begins with a byte order mark", "strings", STRING, "\ufeffx")
    for value_type in [*SCALARS, STRING]:
        items = [gguf_valid.scalar(rng, value_type) for _ in range(int(rng.integers(1, 6)))]
        yield one(f"an array of type {value_type}", "arrays", ARRAY, (value_type, items))
    yield one("an empty array", "arrays", ARRAY, (4, []))
    yield one("an empty array of strings", "arrays", ARRAY, (STRING, []))
    nested = (ARRAY, [(4, [1, 2]), (STRING, ["a", ""]), (7, []), (ARRAY, [(6, [0.5])])])
    yield one("arrays of different types in an array", "arrays", ARRAY, nested)
    for i in range(4):
        yield one(f"random arrays {i}", "arrays", ARRAY, gguf_valid.value(rng, ARRAY, 3), i == 3)
    unknown = "unknown types"
    for value_type in (13, 14, 99, 2**32 - 1):
        yield case(f"value type {value_type}", unknown, data=bytes(40), offset=0,
                   value_type=value_type, view=False)  # fmt: skip
    empty = struct.pack("<IQ", 13, 0) + bytes(9)
    yield case("element type 13 of no elements", unknown, data=empty, offset=0, value_type=ARRAY,
               view=False)  # fmt: skip
    for element_type in (13, 255):
        data = struct.pack("<IQ", element_type, 1) + bytes(16)
        yield case(f"element type {element_type}", unknown, data=data, offset=0, value_type=ARRAY,
                   view=False)  # fmt: skip


def probe(solution, data, offset, value_type, view):
    return outcome(lambda: solution(memoryview(data) if view else data, offset, value_type))


def judge(case, answer):
    if case.part == "unknown types":
        return gguf_judge.refused(answer, f"There is no {case.label}: raise ValueError.")
    answer = gguf_judge.returned(answer, "This is a good value.")
    want = gguf_reader.read_value(case.data, case.offset, case.value_type)
    value, end = expect.sequence(answer, ("value", "end"))
    gguf_judge.same(value, want[0], "value")
    return expect.integer(end, want[1], "end", hint="The first byte behind the value.")
