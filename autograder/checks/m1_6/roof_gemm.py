"""roof-gemm: operations, bytes and intensity of a matrix product, each operand moved once."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"float operands": 0.5, "packed operands": 0.3, "refuse": 0.2}
HINTS = (
    "An element of C costs k multiplications and k additions.",
    "A has m k elements, B k n, C m n; each may have bits of its own.",
    "Round each matrix up to whole bytes: -(-elements * bits // 8).",
)


def cases(rng):
    part = "float operands"
    yield case("a vector", part, m=1, n=64, k=32, a=32, b=32, c=32)
    yield case("one number each", part, m=1, n=1, k=1, a=16, b=16, c=16)
    yield case("an outer product", part, m=7, n=5, k=1, a=32, b=32, c=32)
    for _ in range(4):
        m, n, k = (int(v) for v in rng.integers(2, 300, 3))
        yield case(f"{m} x {n} x {k}", part, m=m, n=n, k=k, a=32, b=32, c=32)
    m, n, k = (int(v) for v in rng.integers(20, 90, 3))
    yield case("accumulating", part, m=m, n=n, k=k, a=32, b=32, c=32, accumulate=True)
    yield case("other bits in each matrix", part, m=m, n=n, k=k, a=8, b=16, c=32)
    yield case("accumulating, other bits", part, m=n, n=k, k=m, a=16, b=8, c=64, accumulate=True)
    yield case("a large product", part, m=65536, n=65521, k=65519, a=16, b=16, c=32)
    part = "packed operands"
    for bits in (4, 3, 2, 1):
        m, n, k = (int(v) for v in rng.integers(3, 120, 3))
        yield case(f"weights of {bits} bits", part, m=m, n=n, k=k, a=16, b=bits, c=16)
    yield case("an odd count of 4-bit numbers", part, m=1, n=3, k=5, a=8, b=4, c=32)
    yield case("odd counts everywhere", part, m=3, n=5, k=7, a=4, b=4, c=4)
    # Beyond 2^53 a float no longer holds every whole number; 64-bit integers still do.
    yield case("counts that no float holds", part, m=2**27 + 1, n=3, k=2**27 + 1, a=8, b=8, c=8)
    yield case("bytes that no float holds", part, m=2**27 + 1, n=3, k=2**27 + 1, a=12, b=4, c=4)
    yield case("odd, accumulating", part, m=3, n=3, k=7, a=4, b=4, c=4, accumulate=True)
    good = {"m": 4, "n": 8, "k": 16, "a": 16, "b": 4, "c": 16}
    for name in good:
        shown = f"{name}_bits" if name in "abc" else name
        for bad in (0, -4):
            yield case(f"{shown} = {bad}", "refuse", **{**good, name: bad}, refuse=True)


def probe(solution, m, n, k, a, b, c, accumulate=None, refuse=False):
    more = {} if accumulate is None else {"accumulate": accumulate}
    if refuse:
        return refusal(lambda: solution(m, n, k, a, b, c, **more))  # noqa: F821
    return solution(m, n, k, a, b, c, **more)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    flops, moved, intensity = expect.sequence(answer, ("flops", "bytes", "intensity"))
    want = sum((x * bits + 7) // 8 for x, bits in _operands(case))
    operations = 2 * case.m * case.n * case.k
    expect.integer(flops, operations, "flops")
    expect.integer(moved, want, "bytes")
    expect.number(intensity, float(Fraction(operations, want)), "intensity")
    return None


def _operands(case):
    """(elements, bits) of every matrix that moves."""
    yield case.m * case.k, case.a
    yield case.k * case.n, case.b
    yield case.m * case.n, case.c
    if case.inputs.get("accumulate"):
        yield case.m * case.n, case.c
