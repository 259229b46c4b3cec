"""int4-pack: signed 4-bit values, two to a byte, low nibble first."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"values": 0.5, "odd": 0.25, "refuse": 0.25}
HINTS = (
    "v & 0xF keeps the low four bits of a value: in two's complement -1 is 0xF and -8 is 0x8.",
    "values[0::2] are the low nibbles, values[1::2] the high ones, shifted left by 4.",
    "For an odd length, put a 0 at the end first.",
)


def cases(rng):
    yield case("1 and 2", part="values", values=np.array([1, 2], np.int8), good=True)
    yield case("-1 and 0", part="values", values=np.array([-1, 0], np.int8), good=True)
    yield case("-8 and 7", part="values", values=np.array([-8, 7, 7, -8], np.int8), good=True)
    low, high = np.meshgrid(np.arange(-8, 8), np.arange(-8, 8))
    pairs = np.stack([low.ravel(), high.ravel()], axis=1).ravel().astype(np.int8)
    yield case("every pair there is", part="values", values=pairs, good=True)
    drawn = rng.integers(-8, 8, 4096).astype(np.int8)
    yield case("4096 values", part="values", values=drawn, good=True)
    yield case("one value", part="odd", values=np.array([-3], np.int8), good=True)
    yield case("seven values", part="odd", values=drawn[:7] | np.int8(1), good=True)
    yield case("no value", part="odd", values=np.zeros(0, np.int8), good=True)
    for label, bad in (("8", 8), ("-9", -9), ("127", 127), ("-128", -128)):
        values = np.array([1, bad, 3, -4], np.int8)
        yield case(f"{label} is out of range", part="refuse", values=values, good=False)
    yield case(
        "the limits are allowed", part="refuse", values=np.array([7, -8], np.int8), good=True
    )


def probe(solution, values, good):
    if good:
        return solution(values)
    return refusal(lambda: solution(values))


def judge(case, answer):
    if not case.good:
        expect.raised(
            answer,
            "ValueError",
            f"{int(case.values[1])} does not fit into 4 bits: raise ValueError.",
        )
        return
    values = case.values.astype(int)
    # One byte at a time: the nibble of v is v modulo 16.
    padded = [*values, 0] if len(values) % 2 else list(values)
    want = [padded[i] % 16 + 16 * (padded[i + 1] % 16) for i in range(0, len(padded), 2)]
    packed = expect.array(answer, "packed", shape=(len(want),), dtype=np.uint8)
    want = np.array(want, np.uint8)
    if (packed == want).all():
        return
    index = int(np.argmax(packed != want))
    pair = padded[2 * index], padded[2 * index + 1]
    expect.wrong(
        "values",
        f"{int((packed != want).sum())} of {len(want)} bytes are wrong, first for the pair "
        f"{int(pair[0])}, {int(pair[1])}.",
        yours=f"{int(packed[index]):#04x}",
        right=f"{int(want[index]):#04x}",
        where=f"byte {index}",
        hint="The first value of a pair goes to the low nibble; negatives are two's complement.",
    )
