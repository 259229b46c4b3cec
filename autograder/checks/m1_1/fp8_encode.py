"""fp8-encode: float32 to E4M3 and E5M2, nearest with ties to even, both overflow modes."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.m1_1.fp8_decode import fields
from autograder.checks.oracles import fp8

PARTS = {"normal": 0.3, "ties": 0.2, "subnormal": 0.15, "overflow": 0.2, "special": 0.15}
HINTS = (
    "The step between neighbours is 2**(exponent - m); np.frexp finds the exponent exactly.",
    "np.rint rounds ties to even. In a binade the even multiple of the step has the even code.",
    "Below the smallest normal value the step stays the same: the exponent is at least 1 - bias.",
    "Round first, then ask whether the result is beyond the largest value.",
)
FORMATS = ("e4m3", "e5m2")


def _beside(x: np.ndarray) -> np.ndarray:
    """Each value with its float32 neighbours below and above."""
    low, high = np.nextafter(x, np.float32(-np.inf)), np.nextafter(x, np.float32(np.inf))
    return np.concatenate([low, x, high]).astype(np.float32)


def _drawn(rng, fmt: str, count: int) -> np.ndarray:
    """Random values over all binades of normal values, away from overflow and from ties."""
    values = fp8.finite_values(fmt)
    start = 2 ** fp8.MANTISSA[fmt]
    k = rng.integers(start, len(values) - 1, count)
    part = np.where(
        rng.random(count) < 0.5, rng.uniform(0, 0.45, count), rng.uniform(0.55, 1, count)
    )
    x = values[k] + part * (values[k + 1] - values[k])
    return (x * rng.choice([-1, 1], count)).astype(np.float32)


def cases(rng):
    for fmt in FORMATS:
        yield case(f"one in {fmt}", part="normal", x=np.ones(1, np.float32), fmt=fmt, saturate=True)
        x = _drawn(rng, fmt, 512)
        yield case(f"values in range, {fmt}", part="normal", x=x, fmt=fmt, saturate=True)
        table = x[:510].reshape(2, 15, 17)
        yield case(f"a 3-D array, {fmt}", part="normal", x=table, fmt=fmt, saturate=False)
    for fmt in FORMATS:
        start = 2 ** fp8.MANTISSA[fmt]
        ties = fp8.midpoints(fmt)[start:-1]
        yield case(f"all midpoints of {fmt}", part="ties", x=ties, fmt=fmt, saturate=True)
        yield case(f"and their negatives, {fmt}", part="ties", x=-ties, fmt=fmt, saturate=False)
        near = _beside(ties)
        yield case(f"neighbours of midpoints, {fmt}", part="ties", x=near, fmt=fmt, saturate=True)
    for fmt in FORMATS:
        start = 2 ** fp8.MANTISSA[fmt]
        small = fp8.finite_values(fmt)[:start].astype(np.float32)
        yield case(f"subnormals of {fmt}", part="subnormal", x=small, fmt=fmt, saturate=True)
        ties = fp8.midpoints(fmt)[:start]
        both = np.concatenate([_beside(ties), -_beside(ties)])
        yield case(f"between subnormals, {fmt}", part="subnormal", x=both, fmt=fmt, saturate=False)
        x = rng.uniform(-1.0, 1.0, 64).astype(np.float32) * small[1] * np.float32(start)
        yield case(f"drawn small values, {fmt}", part="subnormal", x=x, fmt=fmt, saturate=True)
        tiny = np.array([1e-45, -1e-45, 1e-38, -1e-30], np.float32)
        yield case(f"far below {fmt}", part="subnormal", x=tiny, fmt=fmt, saturate=True)
    for saturate in (True, False):
        mode = "saturating" if saturate else "not saturating"
        for fmt in FORMATS:
            edge = fp8.midpoints(fmt)[-1:]
            top = fp8.finite_values(fmt)[-1:].astype(np.float32)
            far = np.array([1.2, 1.5, 2, 3, 1e4, 1e30], np.float32) * top
            x = np.concatenate([top, _beside(edge), far])
            x = np.concatenate([x, -x])
            yield case(
                f"the largest, {fmt}, {mode}", part="overflow", x=x, fmt=fmt, saturate=saturate
            )
    for fmt in FORMATS:
        x = np.array([1e9, -1e9], np.float32)
        yield case(f"the default mode, {fmt}", part="overflow", x=x, fmt=fmt, saturate=None)
    for saturate in (True, False):
        for fmt in FORMATS:
            special = np.array([np.nan, 1.0, np.inf, -np.inf, -np.nan, 0.0, -0.0], np.float32)
            label = f"NaN, infinity, zeros, {fmt}, saturate={saturate}"
            yield case(label, part="special", x=special, fmt=fmt, saturate=saturate)
    for fmt in FORMATS:
        every = fp8.decode(np.arange(256, dtype=np.uint8), fmt).reshape(16, 16)
        yield case(f"all codes of {fmt} back", part="special", x=every, fmt=fmt, saturate=False)
    empty = np.zeros((0, 3), np.float32)
    yield case("nothing", part="special", x=empty, fmt="e4m3", saturate=True)


def probe(solution, x, fmt, saturate):
    return solution(x, fmt) if saturate is None else solution(x, fmt, saturate)


def judge(case, answer):
    codes = expect.array(answer, "codes", shape=case.x.shape, dtype=np.uint8)
    saturate = case.saturate is not False  # None: left to the default, True
    want = fp8.encode(case.x, case.fmt, saturate)
    # Every NaN of the format is right where a NaN is due, with either sign.
    both_nan = fp8.is_nan(codes, case.fmt) & fp8.is_nan(want, case.fmt)
    bad = (codes != want) & ~both_nan
    if not bad.any():
        return
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    x, got, right = float(case.x[index]), int(codes[index]), int(want[index])
    expect.wrong(
        "values",
        f"{int(bad.sum())} of {bad.size} codes are wrong, first for x = {x:.9g} "
        f"({case.fmt}, saturate={saturate}).",
        yours=_shown(got, case.fmt),
        right=_shown(right, case.fmt),
        where=f"index {index if len(index) != 1 else index[0]}",
        hint=_hint(case, x, got, right),
    )


def _shown(code: int, fmt: str) -> str:
    value = float(fp8.decode(np.array([code], np.uint8), fmt)[0])
    return f"{code:#04x} = {fields(code, fmt)} = {value:.9g}"


def _hint(case, x: float, got: int, right: int) -> str:
    if np.isnan(x):
        return "A NaN becomes a NaN of the format: 0x7f is one in both."
    if np.isinf(x):
        return (
            "Infinity is an overflow: the largest value if saturate, else NaN (e4m3) or inf (e5m2)."
        )
    if x == 0:
        return "Zero keeps its sign: 0x00 for 0.0 and 0x80 for -0.0."
    if (got ^ right) & 0x80:
        return "The sign bit is bit 7; it stays when a small value rounds to zero."
    if (right & 0x7F) >= int(fp8.LARGEST[case.fmt]) or (got & 0x7F) > int(fp8.LARGEST[case.fmt]):
        return HINTS[3]
    if float(np.float32(abs(x))) in fp8.midpoints(case.fmt):
        return "This is a tie, exactly halfway: take the neighbour whose code is even."
    if (right & 0x7F) < 2 ** fp8.MANTISSA[case.fmt]:
        return HINTS[2]
    return "Take the nearer of the two neighbours, and round once only."
