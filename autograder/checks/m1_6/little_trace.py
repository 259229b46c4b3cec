"""little-trace: time averages over a window, by sweeping over events in exact fractions."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"all inside": 0.4, "cut by the window": 0.4, "refuse": 0.2}
HINTS = (
    "in_system: the time that each request spends inside the window, summed, by the window's length.",
    "A request that arrives exactly at end_s belongs to the next window.",
    "latency_s: by arrivals in the window, and the whole stay of each.",
)


def _trace(rng, n, servers):
    """Requests that come at random and are served by the first free of some servers."""
    arrivals = [round(float(t), 4) for t in rng.exponential(1.0, n).cumsum()]
    free, departures = [0.0] * servers, []
    for arrival in arrivals:
        first = free.index(min(free))
        free[first] = max(free[first], arrival) + float(rng.exponential(0.8 * servers))
        departures.append(round(free[first], 4))
    order = rng.permutation(n)
    return [arrivals[i] for i in order], [departures[i] for i in order]


def _case(label, part, trace, begin, end):
    return case(
        label, part, arrivals=list(trace[0]), departures=list(trace[1]), begin=begin, end=end
    )


def cases(rng):
    part = "all inside"
    yield _case("one request", part, ([1.0], [3.0]), 0.0, 8.0)
    yield _case("three that overlap", part, ([0.5, 1.0, 2.0], [3.0, 2.5, 6.0]), 0.0, 7.0)
    yield _case("one that takes no time", part, ([1.0, 2.0], [1.0, 4.0]), 0.0, 5.0)
    for n, servers in ((20, 1), (60, 3), (200, 2)):
        trace = _trace(rng, n, servers)
        yield _case(f"{n} requests, {servers} at a time", part, trace, 0.0, max(trace[1]) + 1.0)
    trace = _trace(rng, 30, 1)
    later = [[t + 100.0 for t in times] for times in trace]
    yield _case("a window far from 0", part, later, 99.0, max(later[1]) + 2.0)
    part = "cut by the window"
    yield _case("inside from before to after", part, ([0.0, 4.0], [10.0, 5.0]), 2.0, 6.0)
    yield _case("arrivals and departures on the ends", part,
                ([2.0, 6.0, 0.0, 3.0, 2.0], [4.0, 7.0, 2.0, 6.0, 6.0]), 2.0, 6.0)  # fmt: skip
    yield _case("nobody in the window", part, ([0.0, 9.0], [1.0, 9.5]), 2.0, 6.0)
    yield _case("no requests at all", part, ([], []), 0.0, 1.0)
    yield _case("some inside, none arrives", part, ([0.0, 1.0], [5.0, 3.0]), 2.0, 4.0)
    for n, servers in ((80, 1), (150, 4)):
        trace = _trace(rng, n, servers)
        middle = sorted(trace[0])[n // 3], sorted(trace[0])[2 * n // 3]
        yield _case(f"the middle of {n}, from an arrival to an arrival", part, trace, *middle)
    for label, arrivals, departures, begin, end in (
        ("a departure before its arrival", [1.0, 5.0], [2.0, 4.0], 0.0, 9.0),
        (
            "departures before arrivals, which sorting would hide",
            [5.0, 1.0],
            [1.0, 5.0],
            0.0,
            9.0,
        ),
        ("a departure before its arrival, outside the window", [1.0, 8.0], [2.0, 7.0], 0.0, 4.0),
        ("more arrivals than departures", [1.0, 5.0], [2.0], 0.0, 9.0),
        ("more departures than arrivals", [1.0], [2.0, 3.0], 0.0, 9.0),
        ("an empty window", [1.0], [2.0], 3.0, 3.0),
        ("a window that ends before it begins", [1.0], [2.0], 3.0, 1.0),
    ):
        yield case(label, "refuse", arrivals=arrivals, departures=departures, begin=begin, end=end,
                   refuse=True)  # fmt: skip


def probe(solution, arrivals, departures, begin, end, refuse=False):
    if refuse:
        return refusal(lambda: solution(arrivals, departures, begin, end))  # noqa: F821
    return solution(arrivals, departures, begin, end)


def swept(case):
    """The four figures, by walking through arrivals and departures in order of time."""
    begin, end = Fraction(case.begin), Fraction(case.end)
    pairs = [
        (Fraction(a), Fraction(d)) for a, d in zip(case.arrivals, case.departures, strict=True)
    ]
    steps = sorted([(a, 1) for a, _ in pairs] + [(d, -1) for _, d in pairs])
    inside, area, last = 0, Fraction(0), begin
    for at, change in steps:
        now = min(max(at, begin), end)
        area += inside * (now - last)
        inside, last = inside + change, now
    area += inside * (end - last)
    stays = [d - a for a, d in pairs if begin <= a < end]
    left = sum(1 for _, d in pairs if begin <= d < end)
    return {
        "in_system": area / (end - begin),
        "arrivals_per_s": len(stays) / (end - begin),
        "departures_per_s": left / (end - begin),
        "latency_s": sum(stays) / len(stays) if stays else Fraction(0),
    }


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = swept(case)
    answer = expect.mapping(answer, tuple(want))
    for key, value in want.items():
        expect.number(answer[key], float(value), key, atol=1e-9)
    return None
