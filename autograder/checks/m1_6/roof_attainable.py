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
            "bytes_by_level": {name: int(flops / 2 ** rng.uniform(-3, 9)) + 1 for name in levels},
            "peak": int(rng.integers(10**10, 10**13)),
            "bandwidths": {name: int(10 ** rng.uniform(9.5, 12)) for name in levels},
        }
        given |= more
        limits = sorted(
            bounds(given["flops"], given["bytes_by_level"], given["peak"], given["bandwidths"])
        )
        if all(b[0] / a[0] > 1.01 for a, b in zip(limits, limits[1:], strict=False)):
            return case(label, part, **given)


def cases(rng):
    part = "one level"
    for index in range(6):
        yield _case(rng, f"drawn {index + 1}", part, ("DRAM",))
    yield case("on the ridge", part, flops=4096, bytes_by_level={"DRAM": 512}, peak=2**40,
               bandwidths={"DRAM": 2**37})  # fmt: skip
    yield case("below the ridge", part, flops=4096, bytes_by_level={"DRAM": 1024}, peak=2**40,
               bandwidths={"DRAM": 2**37})  # fmt: skip
    yield case("a level without bytes", part, flops=100, bytes_by_level={"DRAM": 0}, peak=10**9,
               bandwidths={"DRAM": 10**8})  # fmt: skip
    part = "several levels"
    for index in range(8):
        yield _case(rng, f"drawn {index + 1}", part, LEVELS)
    yield case(
        "the nearest level binds",
        part,
        flops=2**20,
        peak=2**40,
        bytes_by_level={"L2": 2**20, "DRAM": 2**14},
        bandwidths={"L2": 2**36, "DRAM": 2**34},
    )
    yield case(
        "two levels bind equally",
        part,
        flops=2**20,
        peak=2**40,
        bytes_by_level={"DRAM": 2**16, "L3": 2**18},
        bandwidths={"L3": 2**35, "DRAM": 2**33},
    )
    # The same with the dicts in other orders: neither names, bytes nor bandwidths decide.
    yield case(
        "two levels bind equally, DRAM first",
        part,
        flops=2**20,
        peak=2**40,
        bytes_by_level={"L3": 2**18, "DRAM": 2**16},
        bandwidths={"DRAM": 2**33, "L3": 2**35},
    )
    yield case(
        "two levels bind equally, one order",
        part,
        flops=2**20,
        peak=2**40,
        bytes_by_level={"L3": 2**18, "DRAM": 2**16},
        bandwidths={"L3": 2**35, "DRAM": 2**33},
    )
    yield case(
        "peak and a level are equal",
        part,
        flops=2**20,
        peak=2**37,
        bytes_by_level={"L3": 2**18, "DRAM": 2**10},
        bandwidths={"L3": 2**35, "DRAM": 2**33},
    )
    yield case("one of two levels without bytes", part, flops=2**20, peak=2**40,
               bytes_by_level={"L3": 2**18, "DRAM": 0}, bandwidths={"DRAM": 2**33, "L3": 2**35})  # fmt: skip
    good = {"flops": 1000, "bytes_by_level": {"L3": 50, "DRAM": 10}, "peak": 10**9,
            "bandwidths": {"L3": 10**8, "DRAM": 10**7}}  # fmt: skip
    for label, bad in (
        ("no operations", {"flops": 0}),
        ("a negative count of operations", {"flops": -1000}),
        ("negative bytes", {"bytes_by_level": {"L3": 50, "DRAM": -10}}),
        ("a peak of 0", {"peak": 0}),
        ("a negative peak", {"peak": -(10**9)}),
        ("a bandwidth of 0", {"bandwidths": {"L3": 10**8, "DRAM": 0}}),
        ("a negative bandwidth", {"bandwidths": {"L3": -(10**8), "DRAM": 10**7}}),
        ("bytes of a level without a bandwidth", {"bandwidths": {"L3": 10**8}}),
        ("a bandwidth of a level without bytes", {"bytes_by_level": {"DRAM": 10}}),
        ("as many levels, of other names", {"bytes_by_level": {"L2": 50, "DRAM": 10}}),
        ("no level", {"bytes_by_level": {}, "bandwidths": {}}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, flops, bytes_by_level, peak, bandwidths, refuse=False):
    if refuse:
        return refusal(lambda: solution(flops, bytes_by_level, peak, bandwidths))  # noqa: F821
    return solution(flops, bytes_by_level, peak, bandwidths)


def bounds(flops, bytes_by_level, peak, bandwidths):
    """(FLOP/s, name) of every limit; compute first, then the levels in the order of `bandwidths`."""
    found = [(Fraction(peak), "compute")]
    for name, rate in bandwidths.items():
        if bytes_by_level[name]:
            found.append((Fraction(flops * rate, bytes_by_level[name]), name))
    return found


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    rate, bound, ridges = expect.sequence(answer, ("rate", "bound", "ridges"))
    found = bounds(case.flops, case.bytes_by_level, case.peak, case.bandwidths)
    lowest = min(value for value, _ in found)
    expect.number(rate, float(lowest), "rate")
    want = next(name for value, name in found if value == lowest)
    expect.that(isinstance(bound, str), "`bound` must be a string.", stage="type",
                yours=expect.kind(bound))  # fmt: skip
    expect.that(bound == want, "`bound` is off.", yours=bound, right=want)
    ridges = expect.mapping(ridges, tuple(case.bandwidths), only=True)
    for name, rate in case.bandwidths.items():
        expect.number(ridges[name], float(Fraction(case.peak, rate)), f"ridge of {name}")
    return None
