"""bits-per-weight: the stored bits of one weight, its share of scales and zero-points included."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "Count the scales first: 1, the rows (shape[0]), or the groups of all rows together.",
    "Each scale brings scale_bits + zero_point_bits; share them among all weights.",
)


def _case(label, part, shape, bits, granularity, **options):
    return case(label, part=part, shape=shape, bits=bits, granularity=granularity, options=options)


def cases(rng):
    yield _case("4096 x 4096, groups of 128", "values", (4096, 4096), 4, "group", group_size=128)
    yield _case("blocks of 32, fp16 scale", "values", (64, 256), 4, "group", group_size=32)
    yield _case("groups, zero-points too", "values", (8, 64), 4, "group", group_size=64,
                zero_point_bits=4)  # fmt: skip
    yield _case("one scale for all", "values", (10, 10), 8, "tensor", scale_bits=32)
    yield _case("rows", "values", (12, 96), 8, "channel", scale_bits=32, zero_point_bits=8)
    yield _case("tall rows", "values", (96, 12), 8, "channel", scale_bits=32)
    yield _case("groups, fp8 scales", "values", (5, 48), 3, "group", group_size=16, scale_bits=8)
    rows, groups = (int(n) for n in rng.integers(2, 40, 2))
    yield _case("a random shape", "values", (rows, 16 * groups), 5, "group", group_size=16,
                scale_bits=int(rng.integers(4, 30)), zero_point_bits=int(rng.integers(1, 9)))  # fmt: skip
    yield _case("convolution weights", "edges", (16, 3, 5, 5), 8, "channel", scale_bits=32)
    yield _case("tensor, zero-point too", "edges", (3, 5), 8, "tensor", scale_bits=16,
                zero_point_bits=8)  # fmt: skip
    yield _case("groups of a vector", "edges", (64,), 2, "group", group_size=16)
    for granularity in ("tensor", "channel"):
        yield _case(f"{granularity}, a group_size that goes unused", "edges", (6, 20), 8,
                    granularity, group_size=16)  # fmt: skip
    yield _case("10 columns in groups of 4", "edges", (4, 10), 4, "group", group_size=4)
    yield _case("an unknown granularity", "edges", (4, 8), 4, "block", group_size=4)


def _refused(shape, granularity, options):
    if granularity not in ("tensor", "channel", "group"):
        return f"{granularity!r} is none of the three: raise ValueError."
    size = options.get("group_size")
    if granularity == "group" and shape[-1] % size:
        return f"{shape[-1]} columns do not fill groups of {size}: raise ValueError."
    return ""


def probe(solution, shape, bits, granularity, options):
    try:
        return solution(shape, bits, granularity, **options)
    except ValueError:
        return {"raised": "ValueError"}


def judge(case, answer):
    refused = _refused(case.shape, case.granularity, case.options)
    if refused:
        expect.raised(answer, "ValueError", refused)
        return
    if isinstance(answer, dict) and "raised" in answer:
        expect.wrong("error", "Your code raised ValueError on a valid input.", right="a number",
                     hint="Only \"group\" looks at group_size.")  # fmt: skip
    weights = 1
    for length in case.shape:
        weights *= length
    overhead = case.options.get("scale_bits", 16) + case.options.get("zero_point_bits", 0)
    per_scale = {
        "tensor": weights,
        "channel": weights // case.shape[0],
        "group": case.options.get("group_size"),
    }[case.granularity]
    want = case.bits + Fraction(overhead, per_scale)
    expect.number(
        answer,
        float(want),
        "bits per weight",
        hint=f"The {case.bits} bits of the code, and {overhead} bits shared by {per_scale} weights.",
    )
