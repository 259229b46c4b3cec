"""weight-bytes: bytes of stored weights with their group scales, and the tokens/s they allow."""

from fractions import Fraction
from math import ceil

from autograder.checks import case, expect

PARTS = {"bytes": 0.6, "speed": 0.4}
HINTS = (
    "8 bits are a byte. Count the bits of all weights first, then divide once and round up.",
    "A group of group_size weights has one scale; a last, shorter group has one too.",
    "To write one token, every stored byte crosses the memory bus once.",
)


def cases(rng):
    plain = {"group_size": None, "scale_bits": 16, "bandwidth_gb_s": 100.0}
    yield case("8 bits, no scales", part="bytes", params=1000, bits=8, **plain)
    yield case("7 weights in 4 bits", part="bytes", params=7, bits=4, **plain)
    yield case("7e9 weights in 16 bits", part="bytes", params=7_000_000_000, bits=16, **plain)
    yield case("11 weights in 3 bits", part="bytes", params=11, bits=3, **plain)
    grouped = {"bits": 4, "bandwidth_gb_s": 100.0}
    yield case("groups of 128", part="bytes", params=4096, group_size=128, scale_bits=16, **grouped)
    yield case(
        "a last group of 1", part="bytes", params=257, group_size=128, scale_bits=16, **grouped
    )
    yield case("8-bit scales", part="bytes", params=1024, group_size=32, scale_bits=8, **grouped)
    yield case("32-bit scales", part="bytes", params=1024, group_size=64, scale_bits=32, **grouped)
    yield case(
        "3 scales of 4 bits", part="bytes", params=90, group_size=32, scale_bits=4, **grouped
    )
    # Half a byte of weights and half a byte of scales do not share one: 46 + 2 bytes.
    yield case(
        "both end in half a byte", part="bytes", params=91, group_size=32, scale_bits=4, **grouped
    )
    yield case(
        "a drawn size",
        part="bytes",
        params=int(rng.integers(10**9, 10**11)),
        bits=int(rng.choice([3, 5, 6])),
        group_size=int(rng.choice([48, 96])),
        scale_bits=16,
        bandwidth_gb_s=100.0,
    )
    defaults = {"group_size": 64, "scale_bits": None}  # None: left to the default of 16
    yield case("scales by default", part="bytes", params=640, **defaults, **grouped)
    for label, params, bits, group, speed in (
        ("7e9 weights in 16 bits at 100 GB/s", 7_000_000_000, 16, None, 100.0),
        ("70e9 weights in 4 bits, groups of 128, at 3350 GB/s", 70_000_000_000, 4, 128, 3350.0),
        ("3 weights in 3 bits: 2 whole bytes", 3, 3, None, 1.5),
        ("small groups", 1_000_000_000, 4, 16, float(rng.integers(20, 900))),
    ):
        yield case(
            label,
            part="speed",
            params=params,
            bits=bits,
            group_size=group,
            scale_bits=16,
            bandwidth_gb_s=speed,
        )


def probe(solution, params, bits, group_size, scale_bits, bandwidth_gb_s):
    options = {} if scale_bits is None else {"scale_bits": scale_bits}
    return solution(params, bits, bandwidth_gb_s=bandwidth_gb_s, group_size=group_size, **options)


def judge(case, answer):
    size, speed = expect.sequence(answer, ("size_bytes", "tokens_per_s"))
    want = ceil(Fraction(case.params * case.bits, 8))
    if case.group_size is not None:
        groups = ceil(Fraction(case.params, case.group_size))
        want += ceil(Fraction(groups * (case.scale_bits or 16), 8))
    if case.part == "bytes":
        if isinstance(size, float):
            message = "`size_bytes` must be an int: bytes come whole, rounded up."
            hint = "-(-a // b) divides integers and rounds up; math.ceil does it to a quotient."
            expect.wrong("type", message, yours=size, right=want, hint=hint)
        expect.integer(
            size,
            want,
            "size_bytes",
            hint="Bytes of the weights, rounded up, plus bytes of all scales, rounded up.",
        )
        return
    expect.number(
        speed,
        case.bandwidth_gb_s * 1e9 / want,
        "tokens_per_s",
        hint="Bytes that the bus carries in a second, over bytes that one token needs; "
        "GB is 10**9 bytes.",
    )
