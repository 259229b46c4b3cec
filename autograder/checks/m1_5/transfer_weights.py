"""transfer-weights: packed weights over a link against FP16 ones, in exact fractions."""

from fractions import Fraction

from autograder.checks import case, expect

PARTS = {"bytes": 0.4, "times": 0.4, "refuse": 0.2}
HINTS = (
    "Codes: whole bytes, rounded up. Scales: 2 bytes for each group, the last may be smaller.",
    "The kernel on the device reads the packed bytes and writes 2 bytes a weight.",
    "1 GB/s is 1,000 bytes in a microsecond.",
)
KEYS = ("packed_bytes", "fp16_us", "packed_us")
GOOD = {"link_gb_per_s": 25.0, "device_gb_per_s": 2000.0, "latency_us": 10.0, "launch_us": 5.0}


def cases(rng):
    for bits in (4, 8):
        for count, group in ((1, 32), (33, 32), (4096, 128), (4097, 64), (7, 1)):
            yield case(f"{count} weights of {bits} bits, groups of {group}", "bytes", count=count,
                       bits=bits, group=group, costs=GOOD)  # fmt: skip
        count, group = int(rng.integers(10**5, 10**9)), int(rng.integers(16, 300))
        costs = {"link_gb_per_s": float(rng.uniform(5, 60)), "latency_us": float(rng.uniform(1, 30)),
                 "device_gb_per_s": float(rng.uniform(300, 4000)),
                 "launch_us": float(rng.uniform(1, 20))}  # fmt: skip
        yield case(f"{count} weights, drawn costs", "times", count=count, bits=bits, group=group,
                   costs=costs)  # fmt: skip
        yield case("a link as fast as the memory", "times", count=10**7, bits=bits, group=64,
                   costs={**GOOD, "link_gb_per_s": 450.0, "device_gb_per_s": 900.0})  # fmt: skip
    yield case("no latency", "times", count=1001, bits=4, group=32,
               costs={**GOOD, "latency_us": 0.0, "launch_us": 0.0})  # fmt: skip
    for label, changed in (("count 0", {"count": 0}), ("bits 3", {"bits": 3}),
                           ("bits 16", {"bits": 16}), ("group 0", {"group": 0})):  # fmt: skip
        yield case(
            label, "refuse", **{"count": 64, "bits": 4, "group": 32, "costs": GOOD, **changed}
        )
    for name, value in (("link_gb_per_s", 0.0), ("device_gb_per_s", -1.0), ("latency_us", -1.0),
                        ("launch_us", -1.0)):  # fmt: skip
        yield case(f"{name} {value}", "refuse", count=64, bits=4, group=32,
                   costs={**GOOD, name: value})  # fmt: skip


def probe(solution, count, bits, group, costs):
    bad = count < 1 or bits not in (4, 8) or group < 1
    bad |= min(costs["link_gb_per_s"], costs["device_gb_per_s"]) <= 0
    if bad or min(costs["latency_us"], costs["launch_us"]) < 0:
        return refusal(lambda: solution(count, bits, group, **costs))  # noqa: F821
    return solution(count, bits, group, **costs)


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    answer = expect.mapping(answer, KEYS)
    whole, rest = divmod(case.count * case.bits, 8)
    packed = whole + bool(rest) + 2 * len(range(0, case.count, case.group))
    link, device = (
        Fraction(case.costs[name]) * 1000 for name in ("link_gb_per_s", "device_gb_per_s")
    )
    latency, launch = Fraction(case.costs["latency_us"]), Fraction(case.costs["launch_us"])
    wide = 2 * case.count
    expect.integer(answer["packed_bytes"], packed, "packed_bytes")
    expect.number(answer["fp16_us"], float(latency + wide / link), "fp16_us")
    want = latency + packed / link + launch + (packed + wide) / device
    expect.number(answer["packed_us"], float(want), "packed_us")
    return None
