"""cuda-layout-bytes: C's own layout by ctypes, and every byte of every request marked."""

import ctypes

from autograder.checks import case, expect

PARTS = {"one field": 0.35, "layouts": 0.45, "refuse": 0.2}
HINTS = (
    "A field begins at the next multiple of its size: -(-at // size) * size.",
    "The record's size is rounded up to a multiple of its largest field.",
    "For each used field and each warp of 32 records (the last may be shorter): 32 bytes for each "
    "different sector.",
)
TYPES = {1: ctypes.c_int8, 2: ctypes.c_int16, 4: ctypes.c_float, 8: ctypes.c_double}
BAD = (
    ("no records", ((1, 4), (0,), 0)),
    ("fewer than no records", ((1, 4), (0,), -40)),
    ("a field that is not there", ((1, 4), (2,), 32)),
    ("a field before the first", ((1, 4), (-1,), 32)),
    ("a field of 3 bytes that is not used", ((3, 4), (1,), 32)),
    ("no fields", ((), (), 32)),
)


def cases(rng):
    yield _case("code of (code, scale), one warp", "one field", (1, 4), (0,), 32)
    yield _case("scale of (code, scale), one warp", "one field", (1, 4), (1,), 32)
    yield _case("one of four floats", "one field", (4, 4, 4, 4), (2,), 64)
    yield _case("the only field", "one field", (4,), (0,), 96)
    yield _case("both fields", "layouts", (1, 4), (0, 1), 32)
    yield _case("nothing is used", "layouts", (1, 4), (), 32)
    yield _case("16 records", "layouts", (1, 2, 4), (0, 2), 16)
    yield _case("33 records", "layouts", (1, 2, 4), (0, 2), 33)
    yield _case("padding in the middle and at the end", "layouts", (1, 8, 1), (2,), 64)
    yield _case("the same without holes", "layouts", (8, 1, 1), (2,), 64)
    yield _case("records of 3 bytes", "layouts", (1, 1, 1), (1,), 100)
    yield _case("records of 6 bytes", "layouts", (2, 1, 1, 2), (0, 3), 50)
    yield _case("a wide record", "layouts", (8,) * 9, (0, 8), 40)
    for _ in range(4):
        fields = tuple(int(v) for v in rng.choice([1, 2, 4, 8], rng.integers(2, 7)))
        count = int(rng.integers(1, len(fields) + 1))
        used = tuple(int(v) for v in rng.permutation(len(fields))[:count])
        yield _case(
            f"fields {fields}, used {used}", "layouts", fields, used, int(rng.integers(20, 130))
        )
    for label, arguments in BAD:
        yield _case(label, "refuse", *arguments)


def _case(label, part, *arguments):
    return case(label, part=part, arguments=arguments, bad=part == "refuse")


def probe(solution, arguments, bad):
    return refusal(lambda: solution(*arguments)) if bad else solution(*arguments)  # noqa: F821


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    aos, soa = expect.sequence(answer, ("aos", "soa"))
    fields, used, n = case.arguments
    record = type(
        "R", (ctypes.Structure,), {"_fields_": [(f"f{i}", TYPES[s]) for i, s in enumerate(fields)]}
    )
    size = ctypes.sizeof(record)
    starts = [getattr(record, f"f{i}").offset for i in range(len(fields))]
    where = f"a record of {size} bytes, fields at {starts}"
    expect.integer(soa, sum(_moved(0, fields[f], fields[f], n) for f in used), "soa")
    expect.integer(aos, sum(_moved(starts[f], size, fields[f], n) for f in used), "aos", hint=where)


def _moved(first, stride, size, n):
    """Bytes of the sectors over all warps, by marking bytes."""
    total = 0
    for warp in range(0, n, 32):
        marked = bytearray(-(-(first + stride * n) // 32) * 32)
        for i in range(warp, min(n, warp + 32)):
            marked[first + stride * i : first + stride * i + size] = b"x" * size
        total += 32 * sum(b"x" in marked[at : at + 32] for at in range(0, len(marked), 32))
    return total
