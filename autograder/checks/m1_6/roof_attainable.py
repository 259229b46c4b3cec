"""roof-attainable: the roof over an operator with several levels of memory, in exact fractions."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"one level": 0.4, "several levels": 0.4, "refuse": 0.2}
HINTS = (
    "Each level has an intensity of its own: flops / bytes of that level.",
    "The roof is the lowest of peak and intensity * bandwidth over the levels.",
    "The ridge of a level is peak / bandwidth, in FLOP/byte.",
)
LEVELS = ("L2", "L3", "DRAM")


def _case(rng, label, part, levels, **more):
    """Whole numbers, no two limits nearer than 1 %."""
    while True:
        flops = int(rng.integers(10**6, 10**12))
        given = {
            "flops": flops,
            "moved": {name: int(flops / 2 ** rng.uniform(-3, 9)) + 1 for name in levels},
            "peak": int(rng.integers(10**10, 10**13)),
            "rates": {name: int(10 ** rng.uniform(9.5, 12)) for name in levels},
        }
        given |= more
        limits = sorted(bounds(given["flops"], given["moved"], given["peak"], given["rates"]))
        if all(b[0] / a[0] > 1.01 for a, b in zip(limits, limits[1:], strict=False)):
            return case(label, part, **given)


def cases(rng):
    part = "one level"
    for index in range(6):
        yield _case(rng, f"drawn {index + 1}", part, ("DRAM",))
    yield case("on the ridge", part, flops=4096, moved={"DRAM": 512}, peak=2**40,
               rates={"DRAM": 2**37})  # fmt: skip
    yield case("below the ridge", part, flops=4096, moved={"DRAM": 1024}, peak=2**40,
               rates={"DRAM": 2**37})  # fmt: skip
    yield case("a level without bytes", part, flops=100, moved={"DRAM": 0}, peak=10**9,
               rates={"DRAM": 10**8})  # fmt: skip
    part = "several levels"
    for index in range(8):
        yield _case(rng, f"drawn {index + 1}", part, LEVELS)
    yield case("the nearest level binds", part, flops=2**20, peak=2**40,
               moved={"L2": 2**20, "DRAM": 2**14}, rates={"L2": 2**36, "DRAM": 2**34})  # fmt: skip
    yield case("two levels bind equally", part, flops=2**20, peak=2**40,
               moved={"DRAM": 2**16, "L3": 2**18}, rates={"L3": 2**35, "DRAM": 2**33})  # fmt: skip
    yield case("peak and a level are equal", part, flops=2**20, peak=2**37,
               moved={"L3": 2**18, "DRAM": 2**10}, rates={"L3": 2**35, "DRAM": 2**33})  # fmt: skip
    yield case("one of two levels without bytes", part, flops=2**20, peak=2**40,
               moved={"L3": 2**18, "DRAM": 0}, rates={"DRAM": 2**33, "L3": 2**35})  # fmt: skip
    good = {"flops": 1000, "moved": {"L3": 50, "DRAM": 10}, "peak": 10**9,
            "rates": {"L3": 10**8, "DRAM": 10**7}}  # fmt: skip
    for label, bad in (
        ("no operations", {"flops": 0}),
        ("negative bytes", {"moved": {"L3": 50, "DRAM": -10}}),
        ("a peak of 0", {"peak": 0}),
        ("a bandwidth of 0", {"rates": {"L3": 10**8, "DRAM": 0}}),
        ("a negative bandwidth", {"rates": {"L3": -(10**8), "DRAM": 10**7}}),
        ("bytes of a level without a bandwidth", {"rates": {"L3": 10**8}}),
        ("a bandwidth of a level without bytes", {"moved": {"DRAM": 10}}),
        ("no level", {"moved": {}, "rates": {}}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, flops, moved, peak, rates, refuse=False):
    if refuse:
        return refusal(lambda: solution(flops, moved, peak, rates))  # noqa: F821
    return solution(flops, moved, peak, rates)


def bounds(flops, moved, peak, rates):
    """(FLOP/s, name) of every limit; compute first, then the levels in the order of `rates`."""
    found = [(Fraction(peak), "compute")]
    for name, rate in rates.items():
        if moved[name]:
            found.append((Fraction(flops * rate, moved[name]), name))
    return found


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    rate, bound, ridges = expect.sequence(answer, ("rate", "bound", "ridges"))
    found = bounds(case.flops, case.moved, case.peak, case.rates)
    lowest = min(value for value, _ in found)
    expect.number(rate, float(lowest), "rate")
    want = next(name for value, name in found if value == lowest)
    expect.that(isinstance(bound, str), "`bound` must be a string.", stage="type",
                yours=expect.kind(bound))  # fmt: skip
    expect.that(bound == want, "`bound` is off.", yours=bound, right=want)
    ridges = expect.mapping(ridges, tuple(case.rates), only=True)
    for name, rate in case.rates.items():
        expect.number(ridges[name], float(Fraction(case.peak, rate)), f"ridge of {name}")
    return None
