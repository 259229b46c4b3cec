"""unpack-k-scales: against the 96 bits read one by one."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"values": 0.8, "refuse": 0.2}
HINTS = (
    "Slice a, b, c: bytes 0 to 3, 4 to 7 and 8 to 11 along the last axis.",
    "Scales 0 to 3 are a & 63, minima 0 to 3 are b & 63.",
    "Scales 4 to 7 are (c & 15) | (a >> 6) << 4, minima 4 to 7 are (c >> 4) | (b >> 6) << 4.",
)


def cases(rng):
    yield _good("one super-block", rng.integers(0, 256, 12, dtype=np.uint8))
    yield _good("a row", rng.integers(0, 256, (6, 12), dtype=np.uint8))
    yield _good("a matrix of super-blocks", rng.integers(0, 256, (3, 5, 12), dtype=np.uint8))
    single = np.zeros((96, 12), np.uint8)
    single[np.arange(96), np.arange(96) // 8] = 1 << np.arange(96) % 8
    yield _good("one bit set at a time", single)
    yield _good("all bits set", np.full((2, 12), 255, np.uint8))
    for n in (11, 13, 24, 8, 9):
        packed = rng.integers(0, 256, (12, n), dtype=np.uint8)
        yield case(f"{n} bytes", part="refuse", packed=packed, good=False)


def _good(label, packed):
    return case(label, part="values", packed=packed, good=True)


def probe(solution, packed, good):
    if good:
        return solution(packed)
    return refusal(lambda: solution(packed))


def judge(case, answer):
    if not case.good:
        n = case.packed.shape[-1]
        expect.raised(answer, "ValueError", f"{n} bytes are not 12: raise ValueError.")
        return
    scales, minima = expect.sequence(answer, ("scales", "minima"))
    shape = (*case.packed.shape[:-1], 8)
    want = np.array([_numbers(row) for row in case.packed.reshape(-1, 12)], np.uint8)
    for name, got, right in (("scales", scales, want[:, :8]), ("minima", minima, want[:, 8:])):
        got = expect.array(got, name, shape=shape, dtype=np.uint8)
        expect.codes(got, right.reshape(shape), name)


def _numbers(row):
    """Scales, then minima, from the text of the bits, byte 0 first and each byte's high bit first."""
    bits = [f"{int(byte):08b}" for byte in row]
    scales = [bits[j][2:] for j in range(4)] + [bits[j][:2] + bits[8 + j][4:] for j in range(4)]
    minima = [bits[4 + j][2:] for j in range(4)]
    minima += [bits[4 + j][:2] + bits[8 + j][:4] for j in range(4)]
    return [int(text, 2) for text in scales + minima]
