"""requantize: int32 sums to int8 by an integer product and a rounding shift, bit for bit."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import integers

PARTS = {"values": 0.5, "bit for bit": 0.3, "edges": 0.2}
HINTS = (
    "acc.astype(np.int64) first: int32 times int32 needs 62 bits.",
    "n = 31 + shift; (product + (1 << (n - 1))) >> n rounds half up; >> on int64 keeps the sign.",
    "Add zero_point in int64, clip to -128..127, and convert to int8 last.",
)


def cases(rng):
    def spread(label, shape, m, zero_point, part="values", reach=180):
        m0, shift = integers.multiplier(m)
        acc = rng.integers(-reach / m, reach / m, shape, dtype=np.int64).astype(np.int32)
        return _case(label, acc, m0, shift, zero_point, part)

    yield spread("one sum", (1,), 0.0113, 0)
    yield spread("997 sums", (997,), 0.0008371, -3)
    yield spread("a matrix", (16, 33), 0.31, 10)
    yield spread("images (N, C, H, W)", (2, 3, 5, 7), 2.7e-5, -128, reach=300)
    yield spread("large sums", (600,), 1.3e-7, 5)
    yield from _bit_for_bit(rng)
    for m in (0.73, 0.061, 0.0019):
        yield spread(f"4,000 sums times {m}", (4000,), m, 0, "bit for bit", 120)
    yield from _edges(rng)


def _case(label, acc, m0, shift, zero_point, part):
    acc = np.asarray(acc, np.int32)
    return case(label, part, acc=acc, m0=m0, shift=shift, zero_point=zero_point)


def _bit_for_bit(rng):
    for shift in (0, 2, 7):
        halves = np.arange(-41, 42, 2) * 2**shift
        yield _case(f"half-way sums, shift {shift}", halves, 2**30, shift, 1, "bit for bit")
    # acc * m0 = (s * 2**27)**2 - b**2 lies b**2 below half-way between two int8 values, and float64,
    # whose spacing there is 512, cannot tell: 62 bits are needed where it has 53.
    for s, zero_point in ((9, 0), (11, -20), (13, 30), (15, 0)):
        b = int(rng.integers(3, 16))
        acc = s * 2**27 - b
        sums = [acc, -acc, acc - 1, acc + 2 * b]
        label = "closer to half-way than float64 can tell"
        yield _case(label, sums, s * 2**27 + b, 24, zero_point, "bit for bit")


def _edges(rng):
    m0, shift = integers.multiplier(0.02)
    far = rng.integers(-30_000, 30_000, 300)
    yield _case("clipped on both sides", far, m0, shift, 0, "edges")
    yield _case("zero_point -128", far, m0, shift, -128, "edges")
    yield _case("zero_point 127", far, m0, shift, 127, "edges")
    ends = [-(2**31), 2**31 - 1, -(2**31) + 1, 0, 1, -1]
    yield _case("the ends of int32", ends, 2**31 - 1, 0, 3, "edges")
    yield _case("the ends of int32, shift 24", ends, 2**31 - 1, 24, 0, "edges")
    yield _case("the ends of int32, shift 30", ends, 2**30, 30, 0, "edges")
    yield _case("multiplier 1: shift -1", np.arange(-140, 140), 2**30, -1, 0, "edges")
    yield _case("no sums at all", np.zeros((0, 4)), m0, shift, 0, "edges")


def probe(solution, acc, m0, shift, zero_point):
    return solution(acc, m0, shift, zero_point)


def _in_words(product, n):
    """product / 2**n, and on which side of a half-way point where four digits cannot show it."""
    beyond = product % 2**n - 2 ** (n - 1)  # from half-way, in units of 2**-n
    value = f"{product / 2**n:.4f}"
    if beyond == 0:
        return f"exactly {value}"
    if abs(beyond) >= 2**n / 10_000:
        return f"about {value}"
    return f"{'above' if beyond > 0 else 'below'} {value} by {abs(beyond)} * 2**-{n}"


def judge(case, answer):
    expect.array(answer, "the result", shape=case.acc.shape, dtype=np.int8)
    want = integers.requantize(case.acc, case.m0, case.shift, case.zero_point)
    bad = np.flatnonzero((answer != want).ravel())
    hint = ""
    if bad.size:
        acc, n = int(case.acc.ravel()[bad[0]]), 31 + case.shift
        hint = (
            f"acc {acc} times {case.m0} * 2**-{n} is {_in_words(acc * case.m0, n)}; "
            f"zero_point is {case.zero_point}."
        )
    expect.codes(answer, want, "the result", hint=hint)
