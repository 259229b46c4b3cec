"""storage-bits: codes, scales, zero-points and second-level constants, per weight."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"one level": 0.6, "two levels": 0.2, "refusals": 0.2}
HINTS = (
    "Count bits first: codes, then what each group adds; divide by the weights at the end.",
    "-(-a // b) rounds a / b up: a part of a group is a group.",
    "flat=True cuts the whole matrix into groups, else each row is cut by itself.",
    "nested > 0 adds 32 bits for each started block of `nested` scales, and 32 bits once.",
)


def cases(rng):
    plain = {"scale_bits": 16, "zero_bits": 0, "flat": False, "nested": 0}
    for label, shape, bits, size, change in (
        ("4 bits, groups of 128", (256, 768), 4, 128, {}),
        ("with 4-bit zero-points", (256, 768), 4, 128, {"zero_bits": 4}),
        ("float32 scales, a group for each row", (128, 256), 3, 256, {"scale_bits": 32}),
        ("one weight", (1, 1), 8, 64, {"zero_bits": 8}),
        ("the last group of a row is short", (3, 10), 2, 4, {"zero_bits": 2}),
        ("flat: the last group of the matrix is short", (3, 10), 4, 4, {"flat": True}),
        ("a row is half a group, flat", (6, 32), 4, 64, {"flat": True, "scale_bits": 32}),
    ):
        yield case(label, "one level", args=(shape, bits, size), options={**plain, **change})
    shape = tuple(int(n) for n in rng.integers(5, 400, 2))
    bits, size = int(rng.integers(2, 9)), int(rng.integers(3, 80))
    yield case("a matrix of odd sizes", "one level", args=(shape, bits, size),
               options={**plain, "zero_bits": bits})  # fmt: skip
    nf4 = {**plain, "scale_bits": 8, "flat": True, "nested": 256}
    yield case("NF4 with double quantization", "two levels", args=((768, 256), 4, 64), options=nf4)
    yield case("a started block of scales", "two levels", args=((100, 65), 4, 64), options=nf4)
    for label, args in (
        ("no weights", ((0, 4), 4, 2)),
        ("groups of nothing", ((4, 4), 4, 0)),
        ("no bits", ((4, 4), 0, 2)),
    ):
        yield case(label, "refusals", args=args, options={})


def probe(solution, args, options):
    shape, bits, group_size = args
    if min(*shape, bits, group_size) < 1:
        return refusal(lambda: solution(shape, bits, group_size))  # noqa: F821
    return solution(shape, bits, group_size, **options)


def judge(case, answer):
    if case.part == "refusals":
        return expect.raised(
            answer, "ValueError", f"{case.label.capitalize()}: that must be refused."
        )
    return expect.number(
        answer, float(_bits(*case.args, **case.options)), "bits per weight", rtol=1e-9
    )


def _bits(shape, bits, group_size, scale_bits, zero_bits, flat, nested):
    """Cut the matrix into groups one by one."""
    rows, columns = shape
    total = rows * columns * bits
    groups = 0
    for length in [rows * columns] if flat else [columns] * rows:
        while length > 0:
            length -= group_size
            groups += 1
    total += groups * (scale_bits + zero_bits)
    if nested:
        total += 32 + sum(32 for at in range(0, groups, nested))
    return Fraction(total, rows * columns)
