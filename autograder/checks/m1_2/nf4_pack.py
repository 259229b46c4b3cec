"""nf4-pack: two codes a byte, the first in the high nibble, byte by byte in Python's ints."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import nf4

PARTS = {"even": 0.6, "odd": 0.25, "refuse": 0.15}
HINTS = (
    "codes[0::2] are the high nibbles, codes[1::2] the low ones.",
    "For an odd number append np.uint8(7) first: np.append keeps uint8 then.",
)


def cases(rng):
    yield case("1 and 2", part="even", codes=np.uint8([1, 2]))
    yield case("15 and 0", part="even", codes=np.uint8([15, 0, 0, 15]))
    high, low = np.meshgrid(np.arange(16), np.arange(16))
    pairs = np.stack([high.ravel(), low.ravel()], axis=1).ravel().astype(np.uint8)
    yield case("every pair there is", part="even", codes=pairs)
    yield case("4096 codes", part="even", codes=rng.integers(0, 16, 4096).astype(np.uint8))
    yield case("one code", part="odd", codes=np.uint8([9]))
    yield case("seven codes", part="odd", codes=rng.integers(0, 16, 7).astype(np.uint8))
    yield case("4095 codes", part="odd", codes=rng.integers(0, 16, 4095).astype(np.uint8))
    yield case("no codes", part="odd", codes=np.zeros(0, np.uint8))
    for bad in (16, 255, 128):
        drawn = rng.integers(0, 16, 6).astype(np.uint8)
        drawn[3] = bad
        yield case(f"code {bad}", part="refuse", codes=drawn, good=False)
    first = np.uint8([240, 1])
    yield case("code 240 in front", part="refuse", codes=first, good=False)


def probe(solution, codes, good=True):
    if good:
        return solution(codes)
    try:
        solution(codes)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", "A code above 15 has no 4 bits: raise ValueError.")
        return
    want = nf4.pack(case.codes)
    packed = expect.array(answer, "packed", shape=want.shape, dtype=np.uint8)
    if (packed == want).all():
        return
    index = int(np.argmax(packed != want))
    expect.wrong(
        "values",
        f"{int((packed != want).sum())} of {len(want)} bytes are wrong, first for the codes "
        f"{case.codes[2 * index : 2 * index + 2].tolist()}.",
        yours=f"{int(packed[index]):#04x}",
        right=f"{int(want[index]):#04x}",
        where=f"byte {index}",
        hint="The first code of a pair goes to the high four bits; an odd end is filled up with 7.",
    )
