"""qlinear-matmul: codes beside exact integers; only a result next to a half may be off by one."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"codes": 0.5, "ties, ends, long sums": 0.3, "bad input": 0.2}
HINTS = (
    "Widen before you subtract: x.astype(np.int32) - x_zero_point. In uint8 it would wrap.",
    "One multiplier for each column: x_scale * w_scales / y_scale.",
    "np.rint(sums * multiplier) + y_zero_point, then np.clip(..., 0, 255), then the cast.",
)
# A float32 product and quotient are within three roundings: 2e-7 of up to some hundred steps.
NEAR_HALF = 1e-4


def cases(rng):
    def make(label, part, b, n, m, x_zero, y_zero, reach=100.0, powers=False):
        x = rng.integers(0, 256, (b, n)).astype(np.uint8)
        w = rng.integers(-127, 128, (n, m)).astype(np.int8)
        x_scale, w_scales = (
            np.float32(rng.uniform(0.01, 0.05)),
            rng.uniform(1e-3, 1e-2, m).astype(np.float32),
        )
        sums = (x.astype(np.int64) - x_zero) @ w.astype(np.int64)
        y_scale = np.float32(np.abs(sums * float(x_scale) * w_scales).max(initial=1.0) / reach)
        if powers:  # every multiplier is a power of two: ties are exact
            w, x_scale = (w // 24).astype(np.int8), np.float32(0.25)
            w_scales, y_scale = (2.0 ** -rng.integers(1, 4, m)).astype(np.float32), np.float32(1.0)
        return case(label, part, x=x, x_scale=float(x_scale), x_zero=x_zero, w=w, w_scales=w_scales,
                    y_scale=float(y_scale), y_zero=y_zero, bad=False)  # fmt: skip

    part = "codes"
    for b, n, m, xz, yz in (
        (1, 1, 1, 7, 128),
        (3, 8, 5, 128, 121),
        (4, 64, 9, 0, 128),
        (2, 33, 4, 255, 90),
    ):
        yield make(f"({b}, {n}) by ({n}, {m}), zero points {xz} and {yz}", part, b, n, m, xz, yz)
    part = "ties, ends, long sums"
    yield make("ties, an even zero point", part, 8, 6, 10, 128, 128, powers=True)
    yield make("ties, an odd zero point", part, 8, 6, 10, 11, 97, powers=True)
    yield make("both ends reached", part, 6, 16, 8, 100, 128, reach=400.0)
    yield make("2,048 products a sum", part, 2, 2048, 3, 3, 10)
    yield make("no rows", part, 0, 4, 3, 128, 128)
    good = make("", part, 2, 4, 3, 128, 128).inputs
    for label, change in (
        ("inner sizes that differ", {"w": good["w"][:-1]}), ("x of int8", {"x": good["x"].astype(np.int8)}),
        ("w of uint8", {"w": good["w"].astype(np.uint8)}),
        ("one scale too few", {"w_scales": good["w_scales"][:-1]}),
        ("x with one axis", {"x": good["x"][0]}), ("w with one axis", {"w": good["w"][:, 0]}),
        ("scales with two axes", {"w_scales": good["w_scales"][None]}), ("x_scale 0", {"x_scale": 0.0}),
        ("a scale 0 among w_scales", {"w_scales": good["w_scales"] * np.float32([1, 0, 1])}),
        ("a negative scale among w_scales", {"w_scales": good["w_scales"] * np.float32([1, 1, -1])}),
        ("y_scale NaN", {"y_scale": float("nan")}), ("a negative x_scale", {"x_scale": -0.1}),
        ("an x_zero_point of -1", {"x_zero": -1}), ("a y_zero_point of 256", {"y_zero": 256}),
        ("y_scale 0", {"y_scale": 0.0}), ("an x_zero_point of 300", {"x_zero": 300}),
        ("a y_zero_point of -1", {"y_zero": -1}),
    ):  # fmt: skip
        yield case(label, "bad input", **{**good, **change, "bad": True})


def probe(solution, x, x_scale, x_zero, w, w_scales, y_scale, y_zero, bad):
    def call():
        return solution(x, x_scale, x_zero, w, w_scales, y_scale, y_zero)

    return refusal(call) if bad else call()


def judge(case, answer):
    if case.bad:
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    sums = (case.x.astype(np.int64) - case.x_zero) @ case.w.astype(np.int64)
    scales = case.w_scales.astype(np.float64) * np.float64(np.float32(case.x_scale))
    steps = sums * (scales / np.float64(np.float32(case.y_scale)))
    got = expect.array(answer, "the codes", shape=steps.shape, dtype=np.uint8)

    def code(value):
        return np.clip(np.rint(value) + case.y_zero, 0, 255)

    # Exact halves have one right answer; what lies a hair from a half has two.
    near = (np.abs(np.abs(steps - np.trunc(steps)) - 0.5) < NEAR_HALF) & (
        np.abs(steps * 2 % 1) != 0
    )
    want = code(steps)
    other = np.where(near, np.where(code(steps - NEAR_HALF) != want, code(steps - NEAR_HALF),
                                    code(steps + NEAR_HALF)), want)  # fmt: skip
    return expect.codes(np.where(got == other, want, got), want, "the codes")
