"""requant-multiplier: a real multiplier in [2**-31, 1) as an int32 mantissa and a right shift."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import integers

PARTS = {"mantissa and shift": 0.5, "rounding": 0.3, "refusals": 0.2}
HINTS = (
    "math.frexp(m) gives q in [0.5, 1) and e with m = q * 2**e; the shift is -e.",
    "m0 = math.floor(q * 2**31 + 0.5): both steps are exact in float64.",
    "If rounding gives m0 == 2**31, halve it and make the shift one smaller.",
)


def cases(rng):
    values = {
        "one half": 0.5,
        "one quarter": 0.25,
        "three quarters": 0.75,
        "one third": 1 / 3,
        "0.0072474273418460": 0.0072474273418460,
        "the smallest, 2**-31": 2.0**-31,
        "scales of a layer": 0.0235 * 0.0047 / 0.0812,
    }
    for label, m in values.items():
        yield case(label, "mantissa and shift", m=m)
    for power in (-30, -21, -12, -6, -2, 0):
        m = float(rng.uniform(0.5, 1) * 2.0**power)
        yield case(f"{m:.12g}", "mantissa and shift", m=m)
    for label, m in _rounding(rng):
        yield case(label, "rounding", m=m)
    for m in (0.0, 1.0, 1.5, -0.25, 2.0**-32, float("nan"), float("inf")):
        yield case(f"m = {m:g}", "refusals", m=m)


def _rounding(rng):
    even = int(rng.integers(2**29, 2**30)) * 2
    yield "half-way above an even mantissa", (even + 0.5) * 2.0**-31
    yield "half-way above an odd mantissa", (even + 1.5) * 2.0**-35
    yield "just below half-way", (even + 0.5 - 2.0**-20) * 2.0**-33
    yield "just above half-way", (even + 0.5 + 2.0**-20) * 2.0**-33
    yield "rounds up to one half", 0.5 * (1 - 2.0**-40)
    yield "rounds up to 1", float(np.nextafter(1.0, 0.0))
    yield "rounds up to 2**-10", 2.0**-10 * (1 - 2.0**-34)
    yield "the largest mantissa, exact", (2**31 - 1) * 2.0**-31
    yield "half-way to 2**31", (2**31 - 0.5) * 2.0**-36


def probe(solution, m):
    if 2.0**-31 <= m < 1:
        return solution(m)
    return refusal(lambda: solution(m))


def judge(case, answer):
    if not 2.0**-31 <= case.m < 1:
        expect.raised(answer, "ValueError", "A multiplier outside [2**-31, 1) must be refused.")
        return
    m0, shift = expect.sequence(answer, ("m0", "shift"))
    want_m0, want_shift = integers.multiplier(case.m)
    m0 = expect.integer(m0, m0, "m0")
    expect.that(
        2**30 <= m0 < 2**31,
        "`m0` is not in [2**30, 2**31): it does not use the 31 bits, or does not fit in int32.",
        yours=m0,
        right=want_m0,
    )
    expect.integer(shift, want_shift, "shift", hint="m is about m0 * 2**-31 * 2**-shift.")
    expect.integer(m0, want_m0, "m0", hint="floor(q * 2**31 + 0.5): half-way goes up.")
