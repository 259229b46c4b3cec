"""transfer-copy-time: copies one after another, in exact fractions."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"one copy": 0.4, "many copies": 0.4, "refuse": 0.2}
HINTS = (
    "1 GB/s is 1,000 bytes in a microsecond.",
    "Each copy pays the latency once, whatever its size.",
    "Effective bandwidth: all bytes by all time.",
)


def cases(rng):
    for size in (1, 4096, 1 << 20, 10**9, 0):
        rate, latency = float(rng.uniform(2, 60)), float(rng.uniform(1, 20))
        yield case(f"{size} bytes", "one copy", sizes=[size], latency=latency, rate=rate)
    yield case("no latency", "one copy", sizes=[10**6], latency=0.0, rate=25.0)
    yield case("nothing, no latency", "one copy", sizes=[0], latency=0.0, rate=25.0)
    for count in (2, 7, 200):
        sizes = [int(s) for s in rng.integers(1, 10**6, count)]
        latency, rate = float(rng.uniform(1, 20)), float(rng.uniform(2, 60))
        yield case(f"{count} copies", "many copies", sizes=sizes, latency=latency, rate=rate)
    yield case("with an empty one", "many copies", sizes=[0, 5000, 0], latency=3.0, rate=8.0)
    for label, sizes, latency, rate in (
        ("no copy", [], 1.0, 1.0),
        ("a negative size", [5, -1], 1.0, 1.0),
        ("a negative latency", [5], -1.0, 1.0),
        ("0 GB/s", [5], 1.0, 0.0),
        ("a negative bandwidth", [5], 1.0, -2.0),
    ):
        yield case(label, "refuse", sizes=sizes, latency=latency, rate=rate, refuse=True)


def probe(solution, sizes, latency, rate, refuse=False):
    if refuse:
        return refusal(lambda: solution(sizes, latency, rate))  # noqa: F821
    return solution(sizes, latency, rate)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    time_us, effective = expect.sequence(answer, ("time_us", "effective_gb_per_s"))
    want = sum(
        Fraction(case.latency) + Fraction(s) / Fraction(case.rate) / 1000 for s in case.sizes
    )
    expect.number(time_us, float(want), "time_us")
    rate = Fraction(sum(case.sizes)) / want / 1000 if want else Fraction(0)
    expect.number(effective, float(rate), "effective_gb_per_s")
    return None
