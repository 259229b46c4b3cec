"""route-cache: a hit is found by counting the different prefixes since the last use."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"hits": 0.8, "refuse": 0.2}
HINTS = (
    "A hit renews the prefix: it becomes the youngest.",
    "-1 is never a hit, is not stored, and pushes nothing out.",
    "A miss stores the prefix; then, with more than `slots`, the oldest leaves.",
)


def cases(rng):
    part = "hits"
    for count, different, slots in (
        (8, 3, 2),
        (30, 5, 1),
        (60, 8, 4),
        (200, 20, 7),
        (200, 6, 6),
        (100, 4, 50),
    ):
        asked = rng.integers(-1, different, count).tolist()
        yield case(f"{count} requests, {slots} slots", part, prefixes=asked, slots=slots)
    weights = 1 / np.arange(1, 31)
    asked = rng.choice(30, 300, p=weights / weights.sum()).tolist()
    for slots in (1, 3, 10):
        yield case(f"popular prefixes, {slots} slots", part, prefixes=asked, slots=slots)
    yield case("a hit renews", part, prefixes=[1, 2, 1, 3, 1, 2], slots=2)
    yield case("a cycle one too long", part, prefixes=[0, 1, 2, 3] * 4, slots=3)
    yield case("no prefix at all", part, prefixes=[-1, -1, -1], slots=2)
    yield case("no prefix pushes nothing out", part, prefixes=[4, -1, -1, 4, -1, 4], slots=1)
    yield case("no slot", part, prefixes=[1, 1, 2, 2], slots=0)
    yield case("no request", part, prefixes=[], slots=3)
    yield case("prefix 0", part, prefixes=[0, 0, 1, 0], slots=1)
    yield case("a negative number of slots", "refuse", prefixes=[1, 1], slots=-1, refuse=True)
    yield case("a negative number, no request", "refuse", prefixes=[], slots=-2, refuse=True)


def probe(solution, prefixes, slots, refuse=False):
    if refuse:
        return refusal(lambda: solution(prefixes, slots))  # noqa: F821
    return solution(prefixes, slots)


def distances(prefixes, slots):
    """A prefix is kept while fewer than `slots` others were used since."""
    hits = []
    for at, prefix in enumerate(prefixes):
        before = [k for k in range(at) if prefixes[k] == prefix]
        if prefix < 0 or not before:
            hits.append(False)
        else:
            hits.append(len({p for p in prefixes[before[-1] + 1 : at] if p >= 0}) < slots)
    return hits


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    expect.that(isinstance(answer, (list, tuple)), "Return a list of bools.", stage="type",
                yours=expect.kind(answer))  # fmt: skip
    expect.integer(len(answer), len(case.prefixes), "number of bools")
    for k, (one, want) in enumerate(zip(answer, distances(case.prefixes, case.slots), strict=True)):
        expect.that(isinstance(one, (bool, np.bool_)), "Return a list of bools.", stage="type",
                    yours=expect.kind(one))  # fmt: skip
        expect.that(bool(one) == want, "A hit is off.", yours=bool(one), right=want,
                    where=f"request {k}, prefix {case.prefixes[k]}")  # fmt: skip
    return None
