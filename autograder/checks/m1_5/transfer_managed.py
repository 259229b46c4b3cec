"""transfer-managed: faults, evictions and time of managed memory, by reuse distances."""

from autograder.checks import case, expect
from autograder.checks.oracles.transfers import paging

PARTS = {"it fits": 0.35, "oversubscribed": 0.45, "refuse": 0.2}
HINTS = (
    "Pages of an access: first // page_bytes up to (first + size - 1) // page_bytes.",
    "An OrderedDict holds the resident pages; move_to_end marks the one just used.",
    "Every fault moves a page in, every eviction a page out.",
)
KEYS = ("faults", "evictions", "time_us")


def cases(rng):
    def one(label, part, accesses, page, device):
        fault, rate = float(rng.uniform(10, 50)), float(rng.uniform(10, 60))
        return case(
            label, part, accesses=accesses, page=page, device=device, fault=fault, rate=rate
        )

    part = "it fits"
    yield one("nothing touched", part, [], 4096, 8192)
    yield one("an empty access", part, [(4000, 0), (4096, 0)], 4096, 8192)
    yield one("one byte", part, [(0, 1)], 4096, 8192)
    yield one("exactly one page", part, [(4096, 4096)], 4096, 40960)
    yield one("two bytes on two pages", part, [(4095, 2)], 4096, 40960)
    yield one("again and again", part, [(0, 20_000)] * 5, 4096, 5 * 4096)
    yield one("2 MiB pages", part, [(1 << 20, 5 << 20), (0, 1)], 2 << 20, 64 << 20)
    many = [[int(v) for v in rng.integers(0, 60_000, 2)] for _ in range(20)]
    yield one("drawn", part, [tuple(pair) for pair in many], 4096, 1 << 20)
    part = "oversubscribed"
    yield one("one page too few, in a circle", part, [(0, 6 * 4096)] * 4, 4096, 5 * 4096)
    yield one(
        "a hot page", part, [(p * 4096, 1) for k in range(1, 9) for p in (0, k)], 4096, 3 * 4096
    )
    yield one("ascending pages", part, [(0, 3 * 4096), (2 * 4096, 1)], 4096, 2 * 4096)
    yield one("room for half a page more", part, [(0, 4 * 4096)] * 3, 4096, 3 * 4096 + 2048)
    yield one("one page in all", part, [(0, 1), (5000, 1), (0, 1), (0, 1)], 4096, 4096)
    for places in (2, 5, 9):
        trace = [(int(rng.integers(0, 16)) * 4096 + int(rng.integers(0, 4096)),
                  int(rng.integers(1, 6000))) for _ in range(60)]  # fmt: skip
        yield one(f"drawn, {places} pages", part, trace, 4096, places * 4096 + 100)
    good = {"accesses": [(0, 10)], "page": 4096, "device": 8192, "fault": 1.0, "rate": 1.0}
    for label, changed in (
        ("a negative address", {"accesses": [(-1, 10)]}),
        ("a negative size", {"accesses": [(0, -10)]}),
        ("pages of 0 bytes", {"page": 0}),
        ("less device memory than a page", {"device": 4095}),
        ("a negative fault cost", {"fault": -1.0}),
        ("0 GB/s", {"rate": 0.0}),
    ):
        yield case(label, "refuse", **{**good, **changed}, refuse=True)


def probe(solution, accesses, page, device, fault, rate, refuse=False):
    if refuse:
        return refusal(lambda: solution(accesses, page, device, fault, rate))  # noqa: F821
    return solution(accesses, page, device, fault, rate)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    answer = expect.mapping(answer, KEYS)
    faults, evictions = paging(case.accesses, case.page, case.device // case.page)
    moved = (faults + evictions) * case.page
    expect.integer(answer["faults"], faults, "faults")
    expect.integer(answer["evictions"], evictions, "evictions")
    want = faults * case.fault + moved / (case.rate * 1000)
    expect.number(answer["time_us"], want, "time_us")
    return None
