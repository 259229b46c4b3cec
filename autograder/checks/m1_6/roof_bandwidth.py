"""roof-bandwidth: bytes a second of STREAM's kernels from given times, in exact fractions."""

from autograder.checks import case, expect
from autograder.checks.oracles import samples

PARTS = {"copy": 0.4, "other kernels": 0.2, "write-allocate": 0.2, "refuse": 0.2}
HINTS = (
    "A copy reads one array and writes another: two arrays move.",
    "Leave out the first time; the best rate belongs to the shortest of the others.",
    "GB/s = bytes / 1e9 / (ms / 1e3) = bytes / ms / 1e6.",
)
READS = {"sum": 1, "fill": 0, "copy": 1, "scale": 1, "add": 2, "triad": 2}
WRITES = {"sum": 0, "fill": 1, "copy": 1, "scale": 1, "add": 1, "triad": 1}


def _times(rng, n):
    """Skewed times; the first is anything, also the shortest (a clock that just started)."""
    times = [round(float(t), 4) for t in 4.0 + rng.exponential(2.0, n)]
    times[0] = float(rng.choice([1.25, 90.0]))
    return times


def cases(rng):
    part = "copy"
    yield case("a first time that is shortest", part, kernel="copy", n=10**6, each=4,
               samples_ms=[1.0, 4.0, 3.0, 8.0])  # fmt: skip
    yield case("a first time that is longest", part, kernel="copy", n=10**6, each=4,
               samples_ms=[100.0, 4.0, 4.5, 8.0, 30.0])  # fmt: skip
    yield case("two times", part, kernel="copy", n=1, each=1, samples_ms=[7.0, 2.0])
    for n in (3, 4, 10, 25):
        elements, each = int(rng.integers(10, 10**8)), int(rng.choice([1, 2, 4, 8]))
        yield case(
            f"{n} times", part, kernel="copy", n=elements, each=each, samples_ms=_times(rng, n)
        )
    for part, allocate in (("other kernels", None), ("write-allocate", True)):
        for kernel in READS:
            yield case(kernel, part, kernel=kernel, n=int(rng.integers(100, 10**7)), each=4,
                       samples_ms=_times(rng, 8), allocate=allocate)  # fmt: skip
    good = {"kernel": "copy", "n": 100, "each": 4, "samples_ms": [2.0, 1.0, 1.5]}
    for label, bad in (
        ("an unknown kernel", {"kernel": "gather"}),
        ("no elements", {"n": 0}),
        ("a negative count of elements", {"n": -100}),
        ("elements of 0 bytes", {"each": 0}),
        ("elements of -4 bytes", {"each": -4}),
        ("no times", {"samples_ms": []}),
        ("one time", {"samples_ms": [2.0]}),
        ("a time of 0", {"samples_ms": [2.0, 0.0, 1.0]}),
        ("a negative time", {"samples_ms": [2.0, 1.0, -1.0]}),
        ("a first time of 0", {"samples_ms": [0.0, 1.0, 1.0]}),
        ("a first time that is not finite", {"samples_ms": [float("inf"), 2.0, 1.0]}),
        ("a first time that is no number", {"samples_ms": [float("nan"), 2.0, 1.0]}),
        ("a time that is not finite", {"samples_ms": [2.0, 1.0, float("inf")]}),
        ("a time that is no number", {"samples_ms": [2.0, float("nan"), 1.0]}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, kernel, n, each, samples_ms, allocate=None, refuse=False):
    more = {} if allocate is None else {"write_allocate": allocate}
    if refuse:
        return refusal(lambda: solution(kernel, n, each, samples_ms, **more))  # noqa: F821
    return solution(kernel, n, each, samples_ms, **more)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    best, median = expect.sequence(answer, ("best_gb_s", "median_gb_s"))
    arrays = READS[case.kernel] + WRITES[case.kernel]
    if case.inputs.get("allocate"):
        arrays += WRITES[case.kernel]
    moved, timed = arrays * case.n * case.each, case.samples_ms[1:]
    shortest = samples.Fraction(min(timed))
    expect.number(best, float(moved / shortest / 10**6), "best_gb_s")
    expect.number(median, float(moved / samples.median(timed) / 10**6), "median_gb_s")
    return None
