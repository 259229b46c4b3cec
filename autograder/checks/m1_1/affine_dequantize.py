"""affine-dequantize: float32 values (codes - zero_point) * scale, without uint8 wrap-around."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"values": 0.7, "exact zero": 0.3}
HINTS = (
    "x_hat = (codes - zero_point) * scale.",
    "uint8 has no negative numbers: 3 - 5 is 254 there. Widen the codes first.",
    "Subtract the integers before you multiply: then the zero-point gives exactly 0.",
)


def cases(rng):
    everything = np.arange(256, dtype=np.uint8)
    yield case("zero_point 0", part="values", codes=everything, scale=0.5, zero_point=0)
    for zero_point in (100, 128, 255):
        yield case(
            f"all 256 codes, zero_point {zero_point}",
            part="values",
            codes=rng.permutation(everything),
            scale=float(rng.uniform(0.01, 0.2)),
            zero_point=zero_point,
        )
    small = rng.integers(0, 16, (3, 7), dtype=np.uint8)
    yield case("a 4-bit matrix", part="values", codes=small, scale=3.7e-5, zero_point=6)
    yield case("one code", part="values", codes=np.array([2], np.uint8), scale=7.3, zero_point=9)
    view = rng.integers(0, 256, (8, 10, 3), dtype=np.uint8).T[:, ::2]
    yield case("a strided view", part="values", codes=view, scale=0.031, zero_point=77)
    # Multiplying before subtracting rounds the two products apart in float32 for these scales.
    for zero_point, scale in ((101, 0.1), (77, 0.007), (181, 0.3), (3, 0.7), (255, 1.3e-3)):
        codes = np.concatenate([np.full(5, zero_point), rng.integers(0, 256, 12)]).astype(np.uint8)
        yield case(
            f"zero at code {zero_point}",
            part="exact zero",
            codes=codes,
            scale=scale,
            zero_point=zero_point,
        )


def probe(solution, codes, scale, zero_point):
    return solution(codes, scale, zero_point)


def judge(case, answer):
    x_hat = expect.array(answer, "x_hat", shape=case.codes.shape, dtype=np.float32)
    want = (case.codes.astype(np.int64) - case.zero_point) * np.float64(case.scale)
    zeros = x_hat[case.codes == case.zero_point]
    expect.close(
        x_hat,
        want,
        "x_hat",
        # 256 codes, each product rounded once in float32.
        atol=256 * float(np.finfo(np.float32).eps) * case.scale,
        step=case.scale,
        hint="Subtract zero_point in a signed type wider than 8 bits, then multiply by the scale.",
    )
    if zeros.any():
        expect.wrong(
            "values",
            "The zero-point does not come back as exactly 0.",
            yours=float(zeros[np.argmax(zeros != 0)]),
            right=0.0,
            hint="Subtract the integers first, then multiply.",
        )
