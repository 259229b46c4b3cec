"""bf16-round: float32 to the bit pattern of bfloat16, nearest with ties to even."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import fp8

PARTS = {"values": 0.4, "ties": 0.2, "nan": 0.2, "edges": 0.2}
HINTS = (
    "`x.view(np.uint32)` shows the 32 bits; BF16 is the upper 16 of them.",
    "Add 0x7FFF plus the lowest bit that stays, then shift by 16: that is nearest, ties to even.",
    "Adding to the bits of a NaN can carry out of it: give NaNs a code of their own.",
)


def _float32(bits) -> np.ndarray:
    return np.asarray(bits, np.uint32).view(np.float32)


def cases(rng):
    yield case("one", part="values", x=np.array([1.0], np.float32))
    yield case("normal values", part="values", x=rng.normal(size=257).astype(np.float32))
    high = rng.integers(0x2000, 0x6000, 64, dtype=np.uint32) << 16
    yield case("ties", part="ties", x=_float32(high | 0x8000))
    both = np.concatenate([high | 0x7FFF, high | 0x8001, high | 0x80008000, high | 0x80008001])
    yield case("just beside ties, both signs", part="values", x=_float32(both))
    yield case("carries into the exponent", part="values", x=_float32([0x3FFFFFFF, 0x3FFF8000]))
    yield case("2-D", part="values", x=rng.normal(size=(3, 5)).astype(np.float32))
    yield case("empty", part="values", x=np.zeros(0, np.float32))
    yield case("the usual NaN", part="nan", x=np.array([np.nan, -np.nan, 1.0], np.float32))
    low = [0x7F800001, 0xFF800001, 0x7F80FFFF, 0x7F807FFF]
    yield case("NaNs whose payload is in the low bits", part="nan", x=_float32(low))
    yield case("NaNs of all ones", part="nan", x=_float32([0x7FFFFFFF, 0xFFFFFFFF, 0x7FFF8000]))
    yield case("infinity", part="edges", x=np.array([np.inf, -np.inf], np.float32))
    ends = [0x7F7FFFFF, 0xFF7FFFFF, 0x7F7F8000, 0x7F7F7FFF, 0x7F7F0000]
    yield case("the largest float32 values", part="edges", x=_float32(ends))
    yield case("signed zero", part="edges", x=np.array([0.0, -0.0], np.float32))
    tiny = rng.integers(1, 0x007FFFFF, 64, dtype=np.uint32)
    yield case("subnormals", part="edges", x=_float32(np.append(tiny, [1, 0x8000, 0x18000])))


def probe(solution, x):
    return solution(x)


def judge(case, answer):
    codes = expect.array(answer, "codes", shape=case.x.shape, dtype=np.uint16)
    nan = np.isnan(case.x)
    is_nan = (codes & np.uint16(0x7FFF)) > 0x7F80
    if (is_nan != nan).any():
        index = tuple(int(i) for i in np.argwhere(is_nan != nan)[0])
        bits = int(case.x.view(np.uint32)[index])
        expect.wrong(
            "values",
            f"A NaN must stay a NaN: the input {bits:#010x} is "
            + ("one and your code is not." if nan[index] else "a number and your code is NaN."),
            yours=f"{int(codes[index]):#06x}",
            right="any code above 0x7f80 (sign aside)"
            if nan[index]
            else f"{int(fp8.bfloat16(case.x)[index]):#06x}",
            where=f"index {index if len(index) != 1 else index[0]}",
        )
    want = fp8.bfloat16(case.x)
    bad = (codes != want) & ~nan
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        expect.wrong(
            "values",
            f"{int(bad.sum())} of {bad.size} codes are wrong, first for the input "
            f"{int(case.x.view(np.uint32)[index]):#010x}.",
            yours=f"{int(codes[index]):#06x}",
            right=f"{int(want[index]):#06x}",
            where=f"index {index if len(index) != 1 else index[0]}",
            hint="Compare the 16 bits that fall off with 0x8000: below, above, or exactly a tie.",
        )
