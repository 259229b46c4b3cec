"""parallel-stages: any best cut passes; all cuts are tried, or a limit searched."""

import itertools
from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"cut": 0.45, "time and bubble": 0.25, "many layers": 0.15, "refuse": 0.15}
HINTS = (
    "Make the largest stage as small as can be; the sum does not depend on the cut.",
    "Total: sum of the stages + (micro_batches - 1) times the largest one.",
    "Bubble: 1 - micro_batches * sum / (stages * total).",
)
FEW = 20_000


def _times(rng, count, spread=1.0):
    return [round(float(x), 2) + 0.01 for x in rng.lognormal(0.5, spread, count)]


def cases(rng):
    part = "cut"
    for count, stages in ((4, 2), (6, 3), (9, 4), (12, 5), (14, 4), (7, 7), (5, 1), (3, 2)):
        yield case(f"{count} layers, {stages} stages", part, layers=_times(rng, count), stages=stages,
                   micro=int(rng.integers(1, 9)))  # fmt: skip
    yield case("a heavy last layer", part, layers=[1.0] * 11 + [6.0], stages=4, micro=8)
    yield case("a heavy first layer", part, layers=[9.0] + [1.0] * 8, stages=3, micro=4)
    # Filling each stage up to the mean cuts this one badly.
    yield case("no even cut", part, layers=[3.0, 3.0, 1.0, 5.0, 2.0, 4.0], stages=3, micro=4)
    yield case("more stages than weight", part, layers=[100.0, 1.0, 1.0, 1.0], stages=4, micro=3)
    yield case(
        "one layer outweighs all", part, layers=[1.0, 1.0, 50.0, 1.0, 1.0], stages=4, micro=2
    )
    part = "time and bubble"
    for stages, micro in ((4, 1), (4, 16), (2, 3), (1, 5), (8, 8)):
        yield case(f"equal layers, {stages} stages, {micro} micro-batches", part,
                   layers=[0.5] * 8, stages=stages, micro=micro)  # fmt: skip
    yield case("whole numbers", part, layers=[2, 1, 3, 2], stages=2, micro=5)
    yield case("unequal layers", part, layers=_times(rng, 10), stages=3, micro=6)
    yield case("100 layers, 16 stages", "many layers", layers=_times(rng, 100), stages=16, micro=32)
    yield case(
        "90 layers, 9 stages", "many layers", layers=_times(rng, 90, 0.2), stages=9, micro=12
    )
    good = {"layers": [1.0, 2.0, 1.0], "stages": 2, "micro": 2}
    for label, bad in (
        ("no stage", {"stages": 0}),
        ("more stages than layers", {"stages": 4}),
        ("no layer", {"layers": [], "stages": 1}),
        ("no micro-batch", {"micro": 0}),
        ("a layer of 0 ms", {"layers": [1.0, 0.0, 1.0]}),
        ("a negative time", {"layers": [1.0, -2.0, 1.0]}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, layers, stages, micro, refuse=False):
    if refuse:
        return refusal(lambda: solution(layers, stages, micro))  # noqa: F821
    return solution(layers, stages, micro)


def _needed(times, limit):
    """Stages with no sum above the limit, filled as far as they go; None if a layer alone is too much."""
    count, load = 1, Fraction(0)
    for t in times:
        if t > limit:
            return None
        if load + t > limit:
            count, load = count + 1, Fraction(0)
        load += t
    return count


def smallest_largest(layers, stages):
    """The largest stage of a best cut, exact."""
    times = [Fraction(t) for t in layers]
    places = range(1, len(times))
    total = 1
    for k in range(stages - 1):
        total = total * (len(times) - 1 - k) // (k + 1)
    if total <= FEW:
        return min(
            max(sum(times[a:b]) for a, b in itertools.pairwise((0, *cut, len(times))))
            for cut in itertools.combinations(places, stages - 1)
        )
    # Fewer stages than allowed can be split further without a larger maximum.
    before = [Fraction(0), *itertools.accumulate(times)]
    limits = sorted({b - a for a, b in itertools.combinations(before, 2)})
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        needed = _needed(times, limits[middle])
        if needed is None or needed > stages:
            low = middle + 1
        else:
            high = middle
    return limits[low]


def pipelined(stage_times, micro):
    """When the last micro-batch leaves: stage after stage, micro-batch after micro-batch."""
    free = [Fraction(0)] * len(stage_times)
    for _ in range(micro):
        done = Fraction(0)
        for s, t in enumerate(stage_times):
            done = free[s] = max(done, free[s]) + t
    return free[-1]


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    sizes, total_ms, bubble = expect.sequence(answer, ("sizes", "total_ms", "bubble"))
    sizes = sizes.tolist() if hasattr(sizes, "tolist") else sizes
    expect.that(isinstance(sizes, (list, tuple)), "`sizes` is a list of ints.", stage="type",
                yours=expect.kind(sizes))  # fmt: skip
    sizes = [_size(x) for x in sizes]
    expect.integer(len(sizes), case.stages, "number of stages")
    expect.that(min(sizes) >= 1, "Each stage has a layer or more.", yours=sizes)
    expect.integer(sum(sizes), len(case.layers), "layers in all stages")
    ends = [0, *itertools.accumulate(sizes)]
    stage_times = [sum(map(Fraction, case.layers[a:b])) for a, b in itertools.pairwise(ends)]
    best = smallest_largest(case.layers, case.stages)
    near = max(stage_times) <= best * (1 + Fraction(1, 10**9))
    expect.that(near, "Another cut has a smaller largest stage.", yours=f"{float(max(stage_times)):.6g} ms",
                right=f"{float(best):.6g} ms")  # fmt: skip
    right = pipelined(stage_times, case.micro)
    expect.number(total_ms, float(right), "total_ms")
    work = case.micro * sum(stage_times)
    expect.number(bubble, float(1 - work / (case.stages * right)), "bubble", atol=1e-9)
    return None


def _size(value):
    whole = isinstance(value, int) or type(value).__module__ == "numpy" and value == int(value)
    expect.that(whole and not isinstance(value, bool), "`sizes` is a list of ints.", stage="type",
                yours=expect.kind(value))  # fmt: skip
    return int(value)
