"""parallel-collective: alpha-beta times, every rank's every step counted one by one in fractions."""

import math
from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"equal ports": 0.4, "unequal ports": 0.4, "refuse": 0.2}
HINTS = (
    "Steps: 2 (n - 1) for an all-reduce, n - 1 for the other ring collectives, 1 for a send.",
    "A step takes the largest latency + bytes / bandwidth of the ports that send in it.",
    "Algorithm bandwidth S / T; bus bandwidth: times 2 (n - 1) / n, (n - 1) / n, or 1.",
)
RING = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all")
NAMES = ("time_us", "algorithm_gb_per_s", "bus_gb_per_s")


def _port(rng):
    return (round(float(rng.uniform(0.5, 40)), 2), round(float(2 ** rng.uniform(0, 9)), 2))


def cases(rng):
    part = "equal ports"
    for kind in RING:
        for n in (2, 3, 8, int(rng.integers(9, 70))):
            size = int(2 ** rng.uniform(8, 32))
            yield case(f"{kind}, {n} ranks", part, kind=kind, size=size, ports=[_port(rng)] * n)
    yield case("send", part, kind="send", size=int(rng.integers(1, 10**8)), ports=[_port(rng)] * 2)
    yield case("no latency", part, kind="all-reduce", size=10**6, ports=[(0.0, 64.0)] * 4)
    yield case("one byte", part, kind="all-gather", size=1, ports=[(3.0, 64.0)] * 8)
    part = "unequal ports"
    for kind in RING:
        for n in (2, 5, 16):
            size = int(2 ** rng.uniform(18, 26))
            yield case(f"{kind}, {n} unlike ports", part, kind=kind, size=size,
                       ports=[_port(rng) for _ in range(n)])  # fmt: skip
    for kind in RING:  # the slowest has neither the largest latency nor the lowest bandwidth
        ports = [(100.0, 400.0), (60.0, 2.0), (1.0, 1.5)]
        ports = [ports[i] for i in rng.permutation(3)]
        yield case(f"{kind}, the slowest by the sum", part, kind=kind, size=300_000, ports=ports)
    yield case("a slow receiver", part, kind="send", size=10**6, ports=[(5.0, 100.0), (50.0, 1.0)])
    yield case("a slow sender", part, kind="send", size=10**6, ports=[(50.0, 1.0), (5.0, 100.0)])
    good = {"kind": "all-reduce", "size": 1000, "ports": [(1.0, 10.0)] * 2}
    for label, bad in (
        ("another kind", {"kind": "gossip"}),
        ("one rank", {"ports": [(1.0, 10.0)]}),
        ("no rank", {"ports": []}),
        ("a send of three", {"kind": "send", "ports": [(1.0, 10.0)] * 3}),
        ("a send of one", {"kind": "send", "ports": [(1.0, 10.0)]}),
        ("0 bytes", {"size": 0}),
        ("a bandwidth of 0", {"ports": [(1.0, 10.0), (1.0, 0.0)]}),
        ("a negative bandwidth", {"ports": [(1.0, 10.0), (1.0, -5.0)]}),
        ("a negative latency", {"ports": [(-1.0, 10.0), (1.0, 10.0)]}),
        ("a receiver without bandwidth", {"kind": "send", "ports": [(1.0, 10.0), (1.0, 0.0)]}),
    ):
        yield case(label, "refuse", **{**good, **bad}, refuse=True)


def probe(solution, kind, size, ports, refuse=False):
    if refuse:
        return refusal(lambda: solution(kind, size, ports))  # noqa: F821
    return solution(kind, size, ports)


def walked(kind, size, ports):
    """(time, algorithm, bus) by walking through the steps; exact fractions of µs and GB/s."""
    n, clock, sent = len(ports), Fraction(0), [Fraction(0)] * len(ports)
    rounds = {"all-reduce": [0, 1], "send": [0]}.get(kind, [0])
    for _ in rounds:
        for _ in range(1 if kind == "send" else n - 1):
            piece = Fraction(size) if kind == "send" else Fraction(size, n)
            senders = [0] if kind == "send" else range(n)
            slowest = Fraction(0)
            for rank in senders:
                latency, gb = Fraction(ports[rank][0]), Fraction(ports[rank][1])
                slowest = max(slowest, latency + piece / (1000 * gb))
                sent[rank] += piece
            clock += slowest
    # The bus bandwidth is what the busiest port carries a second.
    return float(clock), float(size / clock / 1000), float(max(sent) / clock / 1000)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    want = walked(case.kind, case.size, case.ports)
    found = expect.sequence(answer, NAMES)
    for value, right, name in zip(found, want, NAMES, strict=True):
        assert math.isfinite(right)
        expect.number(value, right, name)
    return None
