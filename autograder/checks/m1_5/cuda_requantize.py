"""cuda-requantize: Python's integers, floor division of the doubled product."""

import re

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles.cuda_runs import Launch, own_elements, run, source_of, written_once
from lab.cuda.source import blank

PARTS = {"values": 0.35, "rounding": 0.35, "large sums": 0.3}
HINTS = (
    "(long long)sum[i] * multiplier is the product in 64 bits.",
    "Add 1LL << (shift - 1), then >> shift: round half up for both signs.",
    "Zero-point after the shift, clip last.",
)


def cases(rng):
    small = rng.integers(-3000, 3000, 200).astype(np.int32)
    yield _case("small sums", "values", small, 1 << 20, 25, 0)
    yield _case("a zero-point", "values", small, 1 << 20, 26, int(rng.integers(5, 40)))
    yield _case("threads to spare", "values", small[:70], 1 << 20, 25, -20)
    halves = np.arange(-41, 42, 2, dtype=np.int32)
    yield _case("half-way, shift 1", "rounding", halves, 1, 1, 0)
    yield _case("half-way, shift 4", "rounding", np.arange(-40, 41, dtype=np.int32) * 8, 1, 4, 3)
    yield _case("thirds", "rounding", np.arange(-60, 60, dtype=np.int32), 715_827_883, 31, 0)
    ends = np.int32([2**31 - 1, -(2**31), 2**31 - 2, 2**30 + 1, -(2**30) - 1, 1, -1, 0])
    yield _case("the ends of int32", "large sums", ends, 2**31 - 1, 62, 77)
    yield _case("ends, a small shift", "large sums", ends, 2**31 - 1, 31, 100)
    # Odd sums above 2**24: a float32 product is off by more than the half that decides.
    odd = (rng.integers(2**24, 2**26, 64) | 1).astype(np.int32) * rng.choice([-1, 1], 64).astype(
        np.int32
    )
    yield _case("bits that float32 has not", "large sums", odd, 2**31 - 1, 51, 0)
    # 15.5 - 2**-56 and -7.5 - 2**-56: a double product has them at half.
    yield _case(
        "bits that float64 has not", "large sums", np.int32([552_624_217]), 2_021_070_871, 56, 0
    )
    yield _case("the same, negative", "large sums", np.int32([-1_187_106_059]), 455_251_619, 56, 0)
    bits = np.int32([2**26 + 2**19, 2**26 + 2**19 - 1, -(2**26) - 2**19, -(2**26) - 2**19 - 1])
    yield _case("just beside half", "large sums", bits, 1, 20, 0)


def _case(label, part, sums, multiplier, shift, zero_point):
    return case(
        label, part=part, sum=sums, multiplier=multiplier, shift=shift, zero_point=zero_point
    )


def probe(solution, **inputs):
    return solution()


def observe(case, answer):
    n = case.sum.size
    args = (
        ("in", "sum", case.sum),
        ("out", "q", np.full(n, 99, np.int8)),
        *(np.int32(v) for v in (case.multiplier, case.shift, case.zero_point, n)),
    )
    floats = re.search(r"\b(float|double)\b", blank(source_of(answer)))
    result = run(answer, Launch("requantize", (-(-n // 32),), (32,), args))
    return result | {"floats": floats[0] if floats else ""}


def judge(case, answer):
    want = []
    for value in case.sum.tolist():
        rounded = (2 * value * case.multiplier + 2**case.shift) // 2 ** (case.shift + 1)
        want.append(max(-128, min(127, rounded + case.zero_point)))
    expect.codes(answer["q"], np.array(want, np.int8), "q")
    written_once(answer["counters"], len(want), "Each element is to be written once.")
    if case.part == "large sums":
        floats = answer["floats"]
        expect.that(
            not floats, "Integers only: 64 bits are enough.", yours=f"`{floats}`", right="long long"
        )
    if case.part == "rounding":
        own_elements(answer, "q", lambda lane: [lane], "Thread i of the launch is to do element i.")
