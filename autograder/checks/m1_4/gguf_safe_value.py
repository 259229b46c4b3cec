"""gguf-safe-value: values of every type, and values that lie about their size, type or depth."""

import struct

from autograder.checks import case, expect
from autograder.checks.oracles import gguf_judge, gguf_reader, gguf_valid
from autograder.checks.oracles.gguf_build import ARRAY, SCALARS, STRING, value_bytes

PARTS = {"values": 0.35, "cut short": 0.2, "lengths": 0.25, "types, depth and text": 0.2}
HINTS = (
    "Read every length and every element through take.",
    "Before the loop over an array's elements: count times the least size of one must fit.",
    "Hand depth + 1 down, and refuse an array at depth 5.",
)
BANK_SEEDS = 2
LENGTHS = (2**64 - 1, 2**63, 2**62, 2**61, 2**61 + 1, 2**32, 10**6)


def cases(rng):
    def one(label, part, value_type, data, depth=1, fields=()):
        before = rng.bytes(int(rng.integers(0, 7)))
        made = case(label, part, data=before + data, at=len(before), value_type=value_type,
                    depth=depth)  # fmt: skip
        # Stays here: only what is in the inputs goes to the learner's kernel.
        made.fields = fields
        return made

    values = [(kind, gguf_valid.scalar(rng, kind)) for kind in [*SCALARS, STRING]]
    values += [(ARRAY, (kind, [gguf_valid.scalar(rng, kind) for _ in range(4)]))
               for kind in [*SCALARS, STRING]]  # fmt: skip
    values += [(ARRAY, (4, [])), (ARRAY, (STRING, [])), (STRING, ""), (ARRAY, (7, [True, False])),
               (ARRAY, (ARRAY, [(4, [1]), (ARRAY, [(ARRAY, [(STRING, ["deep"])])])]))]  # fmt: skip
    values += [(ARRAY, (STRING, ["", "", ""])), (ARRAY, (ARRAY, [(4, []), (STRING, [])]))]
    values += [(ARRAY, gguf_valid.value(rng, ARRAY, 3)) for _ in range(3)]
    # Numbers whose bytes differ, signs at the limits, floats that are no numbers, text that is not trimmed.
    for kind, number in ((2, 0x0102), (3, -2), (4, 2**31 + 1), (5, -(2**31) + 1), (10, 2**64 - 2),
                         (11, -(2**63) + 1), (6, float("inf")), (12, float("nan")), (12, 0.1)):  # fmt: skip
        values += [(kind, number), (ARRAY, (kind, [number]))]
    values += [
        (STRING, text) for text in ("\ufeffmark", "a\0b", " \r\n", "e\u0301", "long " * 2000)
    ]
    values += [(ARRAY, (0, [1] * 3000)), (ARRAY, (STRING, ["x"] * 2000))]
    for kind, value in values:
        body = value_bytes(kind, value)
        yield one(f"type {kind}, to the end", "values", kind, body)
        yield one(f"type {kind}, with more behind", "values", kind, body + rng.bytes(9))
    yield one("an array at depth 4", "values", ARRAY, value_bytes(ARRAY, (4, [1, 2])), 4)

    for kind, value in values:
        body = value_bytes(kind, value)
        for cut in sorted({0, len(body) // 3, len(body) // 2, len(body) - 1}):
            if cut < len(body):
                yield one(f"type {kind}, {cut} of {len(body)} bytes", "cut short", kind, body[:cut],
                          fields=("value",))  # fmt: skip
    part = "lengths"
    for length in (*LENGTHS, 2**32 + 2, 2**63 + 2, 21):
        body = struct.pack("<Q", length) + b"x" * 20
        yield one(f"a string of {length} bytes", part, STRING, body, fields=("value",))
        for kind in (0, 3, 5, 7, 12, STRING, ARRAY):
            body = struct.pack("<IQ", kind, length) + bytes(20)
            yield one(f"{length} elements of type {kind}", part, ARRAY, body, fields=("value",))
        body = struct.pack("<IQIQ", ARRAY, 1, 4, length) + bytes(20)
        yield one(f"{length} numbers in an inner array", part, ARRAY, body, fields=("value",))
    part = "types, depth and text"
    for kind in (13, 14, 255, 256, 260, 264, 2**16 + 4, 2**31 + 4, 2**32 - 1):
        yield one(f"value type {kind}", part, kind, bytes(30), fields=("value_type",))
        body = struct.pack("<IQ", kind, 2) + bytes(20)
        yield one(f"element type {kind}", part, ARRAY, body, fields=("value",))
        body = struct.pack("<IQ", kind, 0)
        yield one(f"no elements of type {kind}", part, ARRAY, body, fields=("value",))
        for count in (0, 2):
            body = struct.pack("<IQIQ", ARRAY, 1, kind, count) + bytes(20)
            yield one(f"{count} elements of type {kind} in an inner array", part, ARRAY, body,
                      fields=("value",))  # fmt: skip
    for depth in (5, 6, 900):
        body = struct.pack("<IQ", ARRAY, 1) * (depth - 1) + value_bytes(ARRAY, (4, [1]))
        yield one(f"arrays {depth} deep", part, ARRAY, body, fields=("value",))
    yield one("an array at depth 5", part, ARRAY, value_bytes(ARRAY, (4, [])), 5, ("value",))
    for byte in (2, 255):
        yield one(f"a boolean {byte}", part, 7, bytes([byte]), fields=("value",))
        body = struct.pack("<IQ3B", 7, 3, 1, 0, byte)
        yield one(f"a boolean {byte} in an array", part, ARRAY, body, fields=("value",))
    for raw in (b"\xff", b"ab\xc3", b"\xc0\x80", b"\xed\xa0\x80"):
        body = struct.pack("<Q", len(raw)) + raw
        yield one(f"the bytes {raw.hex()} as a string", part, STRING, body, fields=("value",))
        body = struct.pack("<IQ", STRING, 1) + body
        yield one(f"the bytes {raw.hex()} in an array", part, ARRAY, body, fields=("value",))


def probe(solution, data, at, value_type, depth):
    from lab.bounded import bounded_call

    data = memoryview(data) if at % 2 else data
    found = bounded_call(lambda: solution(data, at, value_type, depth), of=solution)
    # Times and exact sizes differ from run to run; the verdict on them does not.
    found["heavy"] = found.pop("peak_bytes") > 2**20 + 64 * len(data)
    del found["seconds"]
    return found


def judge(case, answer):
    got = expect.mapping(answer, ("heavy",))
    if not case.fields:
        want = gguf_reader.read_value(case.data, case.at, case.value_type, case.depth)
        value, end = expect.sequence(
            gguf_judge.returned(got, "This is a good value."), ("value", "end")
        )
        gguf_judge.same(value, want[0], "value")
        return expect.integer(end, want[1], "end")
    gguf_judge.named(got, case.fields, case.label.capitalize())
    return expect.that(not got["heavy"], f"{case.label.capitalize()}: refused too late.",
                       yours="memory taken first", right="no memory for what cannot be there")  # fmt: skip
