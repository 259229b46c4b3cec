"""cuda-sectors: every byte that a lane asks for, and the sectors that those bytes lie in."""

from autograder.checks import case, expect

PARTS = {"contiguous": 0.3, "patterns": 0.5, "refuse": 0.2}
HINTS = (
    "A sector's number is address // 32: count the different ones.",
    "Skip the lanes that are None. A set drops what comes twice.",
    "Refuse first: sizes other than 1, 2, 4, 8, 16; addresses below 0 or no multiple of the size.",
)


def cases(rng):
    for size in (1, 2, 4, 8, 16):
        yield _case(f"{size} bytes a lane", "contiguous", [size * i for i in range(32)], size)
    yield _case("8 lanes", "contiguous", [4 * i for i in range(8)], 4)
    yield _case("one byte further on", "patterns", [1 + i for i in range(32)], 1)
    yield _case("16 bytes further on", "patterns", [16 + 4 * i for i in range(32)], 4)
    for stride in (2, 3, 8, 9, 40):
        yield _case(
            f"stride of {stride} floats", "patterns", [4 * stride * i for i in range(32)], 4
        )
    yield _case("rows of 100 codes", "patterns", [100 * i + 7 for i in range(32)], 1)
    yield _case("all lanes one address", "patterns", [1028] * 32, 4)
    yield _case("backwards", "patterns", [4 * (31 - i) for i in range(32)], 4)
    pairs = [128 * (i % 2) + 4 * (i // 2) for i in range(32)]
    yield _case("two places by turns", "patterns", pairs, 4)
    holes = [None if i % 3 else 12 * i for i in range(32)]
    yield _case("every third lane", "patterns", holes, 4)
    yield _case("no lane active", "patterns", [None] * 32, 4)
    yield _case("the last lane alone", "patterns", [None] * 31 + [512], 16)
    for size in (1, 4, 16):
        where = rng.integers(0, 900 // size, 32) * size
        lanes = [None if rng.random() < 0.2 else int(a) for a in where]
        yield _case(f"scattered, {size} bytes a lane", "patterns", lanes, size)
    for label, addresses, size in (
        ("3 bytes a lane", [0, 3, 6], 3),
        ("32 bytes a lane", [0, 32], 32),
        ("0 bytes a lane", [0, 4], 0),
        ("3 bytes a lane, no lane active", [None] * 32, 3),
        ("an unaligned address", [0, 4, 10], 4),
        ("an unaligned address, one lane active", [None, 6, None], 4),
        ("an unaligned char4", [1 + 4 * i for i in range(32)], 4),
        ("a negative address", [-4, 0, 4], 4),
        ("33 lanes", [4 * i for i in range(33)], 4),
        ("33 lanes, 3 of them active", [0, 4, 8] + [None] * 30, 4),
        ("no lanes", [], 4),
    ):
        yield _case(label, "refuse", addresses, size)


def _case(label, part, addresses, size_bytes):
    return case(label, part=part, addresses=addresses, size_bytes=size_bytes, bad=part == "refuse")


def probe(solution, addresses, size_bytes, bad):
    if bad:
        return refusal(lambda: solution(addresses, size_bytes))  # noqa: F821
    return solution(addresses, size_bytes)


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    asked = set()
    for address in case.addresses:
        if address is not None:
            asked |= set(range(address, address + case.size_bytes))
    sectors = range(0, max(asked, default=0) + 1, 32)
    want = sum(not asked.isdisjoint(range(first, first + 32)) for first in sectors)
    expect.integer(answer, want, "sectors")
