"""gguf-write-value: the bytes of one metadata value."""

from autograder.checks import case, expect, outcome
from autograder.checks.oracles import gguf_judge, gguf_valid
from autograder.checks.oracles.gguf_build import ARRAY, SCALARS, STRING, value_bytes

PARTS = {"scalars and strings": 0.5, "arrays": 0.35, "unknown types": 0.15}
HINTS = (
    "struct.pack('<' + SCALARS[value_type], value) for the scalars.",
    "Encode the string first: its length counts bytes, not characters.",
    "In an array the element type stands once, before the count; elements carry none.",
)


def cases(rng):
    def one(label, part, value_type, value):
        return case(label, part, value_type=value_type, value=value)

    for value_type in SCALARS:
        for _ in range(2):
            value = gguf_valid.scalar(rng, value_type)
            yield one(f"type {value_type}, {expect.show(value)}", "scalars and strings", value_type,
                      value)  # fmt: skip
    for value_type, value in ((0, 255), (1, -1), (1, -128), (10, 2**64 - 1), (11, -(2**63))):
        yield one(f"type {value_type}, {value}", "scalars and strings", value_type, value)
    for word in gguf_valid.WORDS:
        yield one(f"the string {expect.show(word)}", "scalars and strings", STRING, word)
    for value_type in [*SCALARS, STRING]:
        items = [gguf_valid.scalar(rng, value_type) for _ in range(int(rng.integers(1, 5)))]
        yield one(f"an array of type {value_type}", "arrays", ARRAY, (value_type, items))
    yield one("an empty array", "arrays", ARRAY, (5, []))
    yield one(
        "arrays in an array", "arrays", ARRAY, (ARRAY, [(4, [1, 2]), (STRING, ["é"]), (7, [])])
    )
    for i in range(3):
        yield one(f"random arrays {i}", "arrays", ARRAY, gguf_valid.value(rng, ARRAY, 3))
    for value_type in (13, 14, 99):
        yield case(f"value type {value_type}", "unknown types", value_type=value_type, value=1)  # fmt: skip
    for value in ((13, [1]), (13, []), (ARRAY, [(4, [1]), (14, [])])):
        yield case(f"element type in {value}", "unknown types", value_type=ARRAY, value=value)


def probe(solution, value_type, value):
    found = outcome(lambda: solution(value_type, value))
    if isinstance(found.get("value"), (bytearray, memoryview)):
        found["value"] = bytes(found["value"])
    return found


def judge(case, answer):
    if case.part == "unknown types":
        return gguf_judge.refused(answer, f"There is no {case.label}: raise ValueError.")
    answer = gguf_judge.returned(answer, "This value can be written.")
    want = value_bytes(case.value_type, case.value)
    if not isinstance(answer, bytes):
        expect.wrong("type", "Return bytes.", yours=expect.kind(answer), right="bytes")
    expect.that(len(answer) == len(want), "The number of bytes is off.", stage="shape",
                yours=len(answer), right=len(want))  # fmt: skip
    first = next((i for i in range(len(want)) if answer[i] != want[i]), None)
    return expect.that(first is None, f"Byte {first} is off.", yours=answer[:24].hex(" "),
                       right=want[:24].hex(" "))  # fmt: skip
