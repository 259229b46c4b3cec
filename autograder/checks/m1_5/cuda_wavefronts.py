"""cuda-wavefronts: the banks played pass by pass, each giving one of its words to all who want it."""

from autograder.checks import case, expect

PARTS = {"words": 0.45, "narrow and idle": 0.35, "refuse": 0.2}
HINTS = (
    "An address lies in word address // 4; the word in bank word % 32.",
    "For each bank, count the different words. The busiest bank decides.",
)


def cases(rng):
    for stride in (1, 2, 3, 8, 16, 31, 32, 33, 48):
        lanes = [4 * stride * i for i in range(32)]
        yield _case(f"stride of {stride} words", "words", lanes, 4)
    yield _case("all lanes one word", "words", [396] * 32, 4)
    yield _case("two words of one bank", "words", [128 * (i % 2) for i in range(32)], 4)
    yield _case("backwards", "words", [4 * (31 - i) for i in range(32)], 4)
    mixed = [128 * (i // 4) for i in range(16)] + [4 * i for i in range(16, 32)]
    yield _case("half a conflict", "words", mixed, 4)
    places = [4 * int(v) for v in rng.integers(0, 1024, 32)]
    yield _case("scattered words", "words", places, 4)
    yield _case("32 codes of a row", "narrow and idle", list(range(32)), 1)
    yield _case("a column of codes, pitch 32", "narrow and idle", [32 * i for i in range(32)], 1)
    yield _case(
        "a column of codes, pitch 33", "narrow and idle", [33 * i + 1 for i in range(32)], 1
    )
    yield _case("halves, pitch 33", "narrow and idle", [66 * i + 2 for i in range(32)], 2)
    yield _case("halves, pitch 34", "narrow and idle", [68 * i for i in range(32)], 2)
    some = [128 * i if i % 3 == 0 else None for i in range(32)]
    yield _case("every third lane", "narrow and idle", some, 4)
    yield _case("no lane active", "narrow and idle", [None] * 32, 4)
    yield _case("8 lanes", "narrow and idle", [256 * i for i in range(8)], 4)
    for size in (1, 2):
        where = [size * int(v) for v in rng.integers(0, 2048 // size, 32)]
        lanes = [None if rng.random() < 0.2 else a for a in where]
        yield _case(f"scattered, {size} bytes a lane", "narrow and idle", lanes, size)
    for label, addresses, size in (
        ("8 bytes a lane", [0, 8, 16], 8),
        ("3 bytes a lane", [0, 3, 6], 3),
        ("8 bytes a lane, no lane active", [None] * 32, 8),
        ("an unaligned address", [0, 4, 10], 4),
        ("an unaligned address, one lane active", [None, 6, None], 4),
        ("a negative address", [-4, 0], 4),
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
    expect.integer(answer, passes(case.addresses), "wavefronts")


def passes(addresses):
    """Passes over 32 banks until every lane has been served (accesses of up to 4 bytes)."""
    waiting, count = [a for a in addresses if a is not None], 0
    while waiting:
        given = {}
        for address in waiting:
            given.setdefault(address // 4 % 32, address // 4)
        waiting = [a for a in waiting if given[a // 4 % 32] != a // 4]
        count += 1
    return count
