"""int4-unpack: bytes to signed 4-bit values, low nibble first."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"values": 0.75, "length": 0.25}
HINTS = (
    "packed & 0xF is the first value of a pair, packed >> 4 the second; both are 0..15 so far.",
    "Nibbles 8..15 stand for -8..-1: (n ^ 8) - 8 does it for all sixteen.",
    "Put the pairs back in order, then keep the first `count` values.",
)


def cases(rng):
    yield case("0x21", part="values", packed=np.array([0x21], np.uint8), count=2)
    yield case("0xf0 and 0x87", part="values", packed=np.array([0xF0, 0x87], np.uint8), count=4)
    every = np.arange(256, dtype=np.uint8)
    yield case("every byte there is", part="values", packed=every, count=512)
    drawn = rng.integers(0, 256, 2048, dtype=np.uint8)
    yield case("2048 bytes", part="values", packed=drawn, count=4096)
    yield case("one value", part="length", packed=np.array([0x0D], np.uint8), count=1)
    seven = drawn[:4] & np.uint8([0xFF, 0xFF, 0xFF, 0x0F])
    yield case("seven values", part="length", packed=seven, count=7)
    yield case("a last value of 0", part="length", packed=np.array([0x21, 0x03], np.uint8), count=4)
    yield case("no value", part="length", packed=np.zeros(0, np.uint8), count=0)


def probe(solution, packed, count):
    return solution(packed, count)


def judge(case, answer):
    nibbles = [n for byte in case.packed.tolist() for n in (byte % 16, byte // 16)]
    want = np.array([n - 16 if n >= 8 else n for n in nibbles[: case.count]], np.int8)
    values = expect.array(answer, "values", shape=(case.count,), dtype=np.int8)
    if (values == want).all():
        return
    index = int(np.argmax(values != want))
    byte = int(case.packed[index // 2])
    expect.wrong(
        "values",
        f"{int((values != want).sum())} of {len(want)} values are wrong, first the "
        f"{'high' if index % 2 else 'low'} nibble of {byte:#04x}.",
        yours=int(values[index]),
        right=int(want[index]),
        where=f"index {index}",
        hint="Bit 3 of a nibble is the sign: 0x8..0xf are -8..-1. The low nibble comes first.",
    )
