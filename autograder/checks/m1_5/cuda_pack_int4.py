"""cuda-pack-int4: nibbles put together in Python integers, on watched launches."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, own_elements, run, written_once

PARTS = {"even": 0.5, "odd": 0.3, "one byte, one thread": 0.2}
HINTS = (
    "One thread a byte: codes 2 i and 2 i + 1, guarded by 2 * i < n.",
    "q & 15 is the nibble of a negative code too; the high one is shifted left by 4.",
    "Odd n: the last byte has no second code, its high nibble is 0.",
)


def cases(rng):
    pairs = np.array([(low, high) for low in range(-8, 8) for high in range(-8, 8)], np.int8)
    yield case("every pair", part="even", q=pairs.ravel(), grid=(4,), block=(64,))
    yield _case(rng, "one block", "even", 64, (1,), (32,))
    yield _case(rng, "threads to spare", "even", 100, (3,), (32,))
    for n in (1, 33, 127, int(rng.integers(60, 120)) * 2 + 1):
        yield _case(rng, f"{n} codes", "odd", n, (-(-n // 64),), (32,))
    yield case("odd, negative", part="odd", q=np.full(9, -1, np.int8), grid=(1,), block=(32,))
    yield _case(rng, "writes counted", "one byte, one thread", 256, (2,), (64,))


def _case(rng, label, part, n, grid, block):
    return case(label, part=part, q=rng.integers(-8, 8, n).astype(np.int8), grid=grid, block=block)


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.q.size
    args = (
        ("in", "q", case.q),
        ("out", "packed", np.full((n + 1) // 2, 0xEE, np.uint8)),
        np.int32(n),
    )
    return run(answer, Launch("pack", case.grid, case.block, args))


def judge(case, answer):
    codes = [int(v) for v in case.q] + [0] * (case.q.size % 2)
    want = [
        (low % 16) + 16 * (high % 16) for low, high in zip(codes[::2], codes[1::2], strict=True)
    ]
    _bytes_equal(answer["packed"].tolist(), want, codes)
    written_once(
        answer["counters"], len(want), "Each byte is to be written once, by its own thread."
    )
    if case.part == "one byte, one thread":
        own_elements(
            answer, "packed", lambda lane: [lane], "Thread i of the launch is to do byte i."
        )


def _bytes_equal(packed: list[int], want: list[int], codes: list[int]) -> None:
    bad = [i for i, (mine, right) in enumerate(zip(packed, want, strict=True)) if mine != right]
    if bad:
        i = bad[0]
        expect.wrong(
            "values",
            "`packed` has wrong bytes.",
            yours=f"{packed[i]:#04x}",
            right=f"{want[i]:#04x}, of the codes {codes[2 * i]} (low) and {codes[2 * i + 1]} (high)",
            where=f"{len(bad)} of {len(want)} wrong, first at byte {i}",
        )
