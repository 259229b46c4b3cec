"""fp8-decode: every code of E4M3 and E5M2 to float32."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import fp8

PARTS = {"normal": 0.4, "subnormal": 0.25, "special": 0.35}
HINTS = (
    "Cut the code: sign is bit 7, then the exponent field E, then the mantissa field M.",
    "E > 0: (1 + M / 2**m) * 2**(E - bias). E = 0: (M / 2**m) * 2**(1 - bias).",
    "E4M3 has no infinity: with E = 15 only M = 7 is special. E5M2 keeps E = 31 as IEEE 754 does.",
)
# Exponent fields below the one of all ones: here both formats follow the same rule.
NORMAL = {"e4m3": (0x08, 0x78), "e5m2": (0x04, 0x7C)}


def cases(rng):
    for fmt, (low, top) in NORMAL.items():
        codes = np.arange(low, top, dtype=np.uint8)
        yield case(f"normal values of {fmt}", part="normal", codes=codes, fmt=fmt)
        yield case(f"their negatives, {fmt}", part="normal", codes=codes | 0x80, fmt=fmt)
        drawn = rng.permutation(codes)[: 4 * (len(codes) // 4)].reshape(4, -1)
        yield case(f"a table of {fmt}", part="normal", codes=drawn, fmt=fmt)
    for fmt, (low, _) in NORMAL.items():
        codes = np.arange(1, low, dtype=np.uint8)
        both = np.concatenate([codes, codes | 0x80])
        yield case(f"subnormals of {fmt}", part="subnormal", codes=both, fmt=fmt)
        zero = np.array([0x00, 0x80], np.uint8)
        yield case(f"both zeros of {fmt}", part="subnormal", codes=zero, fmt=fmt)
    for fmt, (_, top) in NORMAL.items():
        codes = np.arange(top, 0x80, dtype=np.uint8)
        both = np.concatenate([codes, codes | 0x80])
        yield case(f"exponent of all ones in {fmt}", part="special", codes=both, fmt=fmt)
        every = np.arange(256, dtype=np.uint8).reshape(16, 16)
        yield case(f"all 256 codes of {fmt}", part="special", codes=every, fmt=fmt)
    yield case("no code", part="special", codes=np.zeros(0, np.uint8), fmt="e4m3")


def probe(solution, codes, fmt):
    return solution(codes, fmt)


def judge(case, answer):
    values = expect.array(answer, "values", shape=case.codes.shape, dtype=np.float32)
    want = fp8.decode(case.codes, case.fmt)
    # Bits, so that -0.0 differs from 0.0; which NaN it is does not matter.
    same = (values.view(np.uint32) == want.view(np.uint32)) | (np.isnan(values) & np.isnan(want))
    if same.all():
        return
    index = tuple(int(i) for i in np.argwhere(~same)[0])
    code = int(case.codes[index])
    expect.wrong(
        "values",
        f"{int((~same).sum())} of {same.size} values are wrong, "
        f"first for code {code:#04x} ({fields(code, case.fmt)}) of {case.fmt}.",
        yours=float(values[index]),
        right=float(want[index]),
        where=f"index {index if len(index) != 1 else index[0]}",
        hint=_hint(code, case.fmt, float(values[index])),
    )


def fields(code: int, fmt: str) -> str:
    """A code as S.EEEE.MMM."""
    bits, m = f"{code:08b}", fp8.MANTISSA[fmt]
    return f"{bits[0]}.{bits[1 : 8 - m]}.{bits[8 - m :]}"


def _hint(code: int, fmt: str, got: float) -> str:
    low, top = NORMAL[fmt]
    magnitude = code & 0x7F
    if magnitude == 0:
        return "Code 0x80 is the negative zero: multiply by -1.0, or use np.copysign."
    if magnitude < low:
        return "With an exponent field of 0 there is no hidden 1, and the exponent is 1 - bias."
    if magnitude < top and np.isinf(got):
        return "The fields of a uint8 are uint8: E - bias wraps around to 250 and the like. Widen first."
    if magnitude < top:
        return "The hidden 1 comes before the mantissa; the bias is 7 in E4M3 and 15 in E5M2."
    return HINTS[2]
