"""batch-choice: the batch of the highest capacity that is stable and within a limit."""

from autograder.checks import case, expect
from autograder.checks.oracles import samples

PARTS = {"a choice": 0.5, "none or equal": 0.3, "refuse": 0.2}
HINTS = (
    "First drop the batches whose capacity does not exceed the arrivals.",
    "The wait for a batch to fill counts in the latency: 1000 * (b - 1) / per_s ms.",
    "Of the rest take the highest capacity, not the lowest latency.",
)


def _measured(rng, sizes, fixed_ms, each_ms, n=25):
    """Times of fixed_ms + b each_ms, skewed, in whole microseconds; keys in no order."""
    found = {}
    for b in rng.permutation(sizes):
        base = fixed_ms + int(b) * each_ms
        found[int(b)] = [round(base * (1 + float(x)), 3) for x in rng.exponential(0.15, n)]
    return found


def _margin(measured, per_s, limit):
    """How near an answer comes to a limit; a case near 0 would hang on a rounding."""
    near = []
    for b, times in measured.items():
        capacity, latency = figures(b, times, per_s)
        near += [abs(float(capacity) / per_s - 1), abs(float(latency) / limit - 1)]
    return min(near)


def cases(rng):
    sizes = [1, 2, 4, 8, 16, 32]
    part, drawn = "a choice", 0
    while drawn < 10:
        measured = _measured(rng, sizes, float(rng.uniform(1, 8)), float(rng.uniform(0.05, 0.6)),
                             int(rng.integers(3, 60)))  # fmt: skip
        per_s, limit = float(rng.uniform(100, 3000)), float(rng.uniform(5, 100))
        right = choice(measured, per_s, limit)
        if right is None or _margin(measured, per_s, limit) < 1e-3:
            continue
        drawn += 1
        yield case(f"{per_s:.0f} requests/s, {limit:.0f} ms", part, measured=measured, per_s=per_s,
                   limit=limit)  # fmt: skip
    yield case("a tail above the limit", part, per_s=1000.0, limit=20.0,
               measured={1: [0.5] * 10, 8: [3.0] * 9 + [30.0], 4: [2.0] * 10})  # fmt: skip
    yield case("an even count of times", part, per_s=500.0, limit=50.0,
               measured={4: [2.0, 4.0, 4.0, 8.0], 8: [8.0, 4.0]})  # fmt: skip
    yield case(
        "one time each", part, per_s=200.0, limit=40.0, measured={1: [4.0], 2: [5.0], 6: [10.0]}
    )
    yield case("a larger batch with less capacity", part, per_s=200.0, limit=400.0,
               measured={1: [4.0], 2: [5.0], 16: [60.0]})  # fmt: skip
    yield case("100 times", part, per_s=300.0, limit=25.0,
               measured={2: [2.0] * 99 + [90.0], 3: [2.5] * 98 + [90.0] * 2})  # fmt: skip
    for n in (101, 250):  # the rank is neither the last nor that of an interpolation
        measured = _measured(rng, sizes, 3.0, 0.2, n)
        yield case(f"{n} times each", part, measured=measured, per_s=500.0, limit=1000.0)
    part = "none or equal"
    yield case(
        "no batch keeps up",
        part,
        per_s=5000.0,
        limit=1000.0,
        measured=_measured(rng, sizes, 5.0, 0.5),
    )
    yield case(
        "none within the limit",
        part,
        per_s=50.0,
        limit=2.0,
        measured=_measured(rng, sizes, 5.0, 0.5),
    )
    yield case("equal capacities", part, per_s=100.0, limit=500.0,
               measured={4: [8.0], 8: [16.0], 2: [4.0]})  # fmt: skip
    yield case("equal capacities of 16 and 2", part, per_s=100.0, limit=500.0,
               measured={16: [32.0], 2: [4.0], 4: [8.0]})  # fmt: skip
    yield case("capacity equal to the arrivals", part, per_s=500.0, limit=500.0,
               measured={1: [2.0], 2: [4.0]})  # fmt: skip
    yield case("latency equal to the limit", part, per_s=500.0, limit=10.0,
               measured={1: [1.5], 4: [4.0]})  # fmt: skip
    good = {1: [2.0], 4: [4.0]}
    for label, measured, per_s in (
        ("nothing measured", {}, 100.0),
        ("a batch of 0", {0: [1.0], 4: [4.0]}, 100.0),
        ("a batch without times", {1: [2.0], 4: []}, 100.0),
        ("no arrivals", good, 0.0),
        ("negative arrivals", good, -5.0),
    ):
        yield case(label, "refuse", measured=measured, per_s=per_s, limit=50.0, refuse=True)


def probe(solution, measured, per_s, limit, refuse=False):
    if refuse:
        return refusal(lambda: solution(measured, per_s, limit))  # noqa: F821
    return solution(measured, per_s, limit)


def figures(b, times, per_s):
    """Capacity (requests/s) and latency (ms) of a batch, exact."""
    exact = samples.Fraction
    capacity = 1000 * b / samples.median(times)
    return capacity, 1000 * (b - 1) / exact(per_s) + samples.nearest_rank(times, 99)


def choice(measured, per_s, limit):
    """(b, latency, capacity), or None."""
    allowed = []
    for b, times in measured.items():
        capacity, latency = figures(b, times, per_s)
        if capacity > per_s and latency <= limit:
            allowed.append((capacity, -b, latency))
    if not allowed:
        return None
    capacity, negative, latency = max(allowed)
    return -negative, float(latency), float(capacity)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = choice(case.measured, case.per_s, case.limit)
    if want is None:
        expect.that(
            answer is None, "No batch is allowed here: return None.", yours=answer, right="None"
        )
        return None
    expect.that(
        answer is not None, "A batch is allowed here.", yours="None", right=f"batch {want[0]}"
    )
    b, latency, capacity = expect.sequence(answer, ("b", "latency_ms", "capacity_per_s"))
    expect.integer(b, want[0], "b")
    expect.number(latency, want[1], "latency_ms")
    expect.number(capacity, want[2], "capacity_per_s")
    return None
