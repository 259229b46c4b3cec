"""affine-quantize: uint8 codes clip(round(x / scale) + zero_point, 0, 2**bits - 1)."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import affine

PARTS = {"values": 0.4, "clipping": 0.4, "ties": 0.2}
HINTS = (
    "Three steps in this order: divide and round, add the zero-point, clip.",
    "Round with np.rint: it sends ties to the even neighbour.",
    "Clip while the numbers are still floats. A cast to uint8 does not saturate: 256 becomes 0.",
)


def cases(rng):
    yield case("one value", part="values", **_case(np.array([0.31], np.float32), 0.1, 7, 8))
    for zero_point, bits in ((100, 8), (0, 8), (5, 4), (17, 6)):
        scale = float(rng.uniform(0.02, 0.09))
        label = f"inside the range, {bits} bits, zero_point {zero_point}"
        yield case(label, part="values", **_inside(rng, (53,), scale, zero_point, bits))
    yield case(
        "a float64 matrix", part="values", **_inside(rng, (24, 40), 0.013, 131, 8, np.float64)
    )
    yield case("a transposed view", part="values", **_view(rng))
    for bits, zero_point in ((8, 100), (8, 255), (8, 0), (4, 6), (2, 1)):
        scale = float(rng.uniform(0.02, 0.09))
        spread = rng.normal(0, 2.0**bits * scale, 80).astype(np.float32)
        label = f"half outside the range, {bits} bits"
        yield case(label, part="clipping", **_case(spread, scale, zero_point, bits))
    far = np.array([1e4, -1e4, 3e12, -3e12, 1e30, -1e30, 0.0], np.float32)
    yield case("far outside the range", part="clipping", **_case(far, 0.25, 100, 8))
    ends = np.array([np.inf, -np.inf, 1.0], np.float32)
    yield case("infinities", part="clipping", **_case(ends, 0.25, 30, 8))
    # x / scale is exact: the halves are real ties.
    halves = np.array([0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, 0, 4], np.float32) * np.float32(0.25)
    for zero_point in (100, 101):
        yield case(
            f"ties, zero_point {zero_point}",
            part="ties",
            x=halves,
            scale=0.25,
            zero_point=zero_point,
            bits=8,
        )


def probe(solution, x, scale, zero_point, bits):
    return solution(x, scale, zero_point, bits)


def judge(case, answer):
    codes = expect.array(answer, "codes", shape=case.x.shape, dtype=np.uint8)
    want = affine.quantize(case.x, case.scale, case.zero_point, case.bits)
    hints = {
        "values": "codes = round(x / scale) + zero_point.",
        "clipping": f"Add zero_point first, then clip to [0, {2**case.bits - 1}], then cast to uint8.",
        "ties": "Round x / scale before you add zero_point, ties to even (np.rint).",
    }
    expect.codes(codes, want, "codes", hint=hints[case.part])


def _case(x, scale, zero_point, bits):
    near = np.isfinite(x) & (np.abs(x) < 1e3)
    settled = np.where(near, affine.away_from_ties(np.where(near, x, 0), scale), x).astype(x.dtype)
    return {"x": settled, "scale": scale, "zero_point": zero_point, "bits": bits}


def _inside(rng, shape, scale, zero_point, bits, dtype=np.float32):
    """Values whose codes need no clipping."""
    codes = rng.uniform(0, 2**bits - 1.6, shape)
    return _case(((codes - zero_point) * scale).astype(dtype), scale, zero_point, bits)


def _view(rng):
    inputs = _inside(rng, (9, 14), 0.04, 60, 8)
    return {**inputs, "x": inputs["x"].T[::3]}
