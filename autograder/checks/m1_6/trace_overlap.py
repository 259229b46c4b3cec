"""trace-overlap: time in both lists, against slices between all edges."""

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from autograder.checks.oracles.trace_cases import intervals, simulated

PARTS = {"pairs": 0.4, "several at once": 0.6}
HINTS = (
    "Two kernels that run beside one copy hide each moment of it once.",
    "Sort all edges by time; count how many of a and of b run between two edges.",
)


def cases(rng):
    first, many = PARTS

    def one(label, part, a, b):
        return case(
            label, part, a=[list(map(float, p)) for p in a], b=[list(map(float, p)) for p in b]
        )

    yield one("nothing", first, [], [])
    yield one("nothing in one", first, [(0, 5)], [])
    yield one("apart", first, [(0, 5)], [(7, 9)])
    yield one("they touch", first, [(0, 5)], [(5, 9)])
    yield one("in part", first, [(0, 5)], [(3, 9)])
    yield one("in part, the other way", first, [(3, 9)], [(0, 5)])
    yield one("inside", first, [(0, 9)], [(3, 5)])
    yield one("equal", first, [(2, 9)], [(2, 9)])
    yield one("two that follow each other", first, [(0, 4), (6, 9)], [(3, 7), (8, 12)])
    yield one("not sorted", first, [(20, 24), (0, 4), (6, 9)], [(22, 30), (3, 7)])
    yield one("an interval of no length", first, [(3, 3), (5, 9)], [(0, 7)])
    yield one("two kernels beside one copy", many, [(0, 10)], [(2, 8), (3, 9)])
    yield one("overlap within both", many, [(0, 10), (5, 15)], [(8, 20), (2, 12)])
    yield one("the same interval twice", many, [(0, 10), (0, 10)], [(5, 12), (5, 12)])
    yield one("one long, many short", many, [(0, 100)], [(k, k + 7) for k in range(0, 90, 5)])
    a = intervals(rng, 15, 100, 30)
    yield one("with itself", many, a, a)
    for count, longest in ((5, 40), (30, 20), (80, 9)):
        yield one(
            "drawn", many, intervals(rng, count, 300, longest), intervals(rng, count, 300, longest)
        )
    spans = simulated("copies", int(rng.integers(2**31)), 1)
    kernels, copies = (
        [(s["start_us"], s["end_us"]) for s in spans if s["cat"] == cat]
        for cat in ("kernel", "gpu_memcpy")
    )
    yield one("a simulated trace", many, copies, kernels)


def probe(solution, a, b):
    first, second = ([tuple(p) for p in pairs] for pairs in (a, b))
    answer = solution(first, second)
    # A list that was sorted in place is found here.
    a[:], b[:] = ([list(p) for p in pairs] for pairs in (first, second))
    return answer


def _pairs(intervals):
    return [tuple(p) for p in intervals]


def judge(case, answer):
    few = len(case.a) + len(case.b) < 6
    asked = f"a = {_pairs(case.a)}, b = {_pairs(case.b)}" if few else ""
    expect.number(answer, traces.overlap(case.a, case.b), "overlap_us", atol=1e-6, hint=asked)
