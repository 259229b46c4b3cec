"""latency-hiding: Little's law in exact fractions."""

from fractions import Fraction
from math import ceil

from autograder.checks import case, expect

PARTS = {"bytes": 0.3, "warps": 0.35, "reached": 0.2, "refuse": 0.15}
HINTS = (
    "GB/s times ns is bytes: the two powers of ten cancel.",
    "A warp has 32 * lane_bytes * loads bytes in flight. Divide by the SMs too, and round up.",
    "reached: bytes in flight of all warps / latency, and never more than the bandwidth.",
)
MACHINES = [
    (2000.0, 500.0, 100, 4, 1, 32),
    (2039.0, 600.0, 108, 4, 1, 64),
    (3350.0, 700.0, 132, 4, 1, 64),
    (3350.0, 700.0, 132, 16, 1, 16),
    (3350.0, 700.0, 132, 4, 4, 12),
    (3350.0, 700.0, 132, 1, 1, 64),
    (900.0, 400.0, 80, 8, 2, 4),
    (800.0, 400.0, 50, 4, 1, 40),
    (1280.0, 640.0, 64, 4, 1, 100),
    (320.0, 300.0, 40, 4, 1, 1),
]


def cases(rng):
    drawn = [
        (
            # An odd number times quarters: never a whole number of warps, whatever the rounding.
            float(2 * rng.integers(100, 2500) + 1),
            float(rng.integers(200, 900)) + 0.25,
            int(rng.integers(20, 150)),
            int(2 ** rng.integers(0, 5)),
            int(rng.integers(1, 9)),
            int(rng.integers(1, 65)),
        )
        for _ in range(4)
    ]
    for part in ("bytes", "warps", "reached"):
        for row in MACHINES + drawn:
            yield case(f"{row}", part=part, arguments=row)
    for at in range(6):
        bad = list(MACHINES[0])
        bad[at] = 0
        yield case(f"{tuple(bad)}", part="refuse", arguments=tuple(bad), good=False)
        bad[at] = -1
        yield case(f"{tuple(bad)}", part="refuse", arguments=tuple(bad), good=False)


def probe(solution, arguments, good=True):
    if good:
        return solution(*arguments)
    return refusal(lambda: solution(*arguments))  # noqa: F821


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    in_flight, warps, reached = expect.sequence(
        answer, ("in_flight_bytes", "warps", "reached_gb_s")
    )
    bandwidth, latency, sms, lane_bytes, loads, resident = (Fraction(v) for v in case.arguments)
    need = bandwidth * latency
    each = 32 * lane_bytes * loads
    if case.part == "bytes":
        expect.number(in_flight, float(need), "in_flight_bytes")
    elif case.part == "warps":
        expect.integer(warps, ceil(need / (sms * each)), "warps")
    else:
        want = min(bandwidth, resident * sms * each / latency)
        expect.number(reached, float(want), "reached_gb_s")
