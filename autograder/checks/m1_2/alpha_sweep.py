"""alpha-sweep: SmoothQuant's error for each alpha, factors from calibration data, error on others."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import channel_scales

PARTS = {"errors": 0.6, "choice": 0.2, "bad input": 0.2}
HINTS = (
    "x_amax = np.abs(calibration).max(axis=0); the error is measured on x.",
    "np.linalg.norm(y - wanted) / np.linalg.norm(wanted), wanted = x @ w.T in float64.",
    "best is alphas[np.argmin(errors)]: an alpha, not its index.",
)
# One code that tips at a near tie moves a relative error of 1e-2 by about 1e-5 of itself here.
RTOL = 1e-3


def _layer(rng, n, rows, columns, loud=4, factor=40.0, dtype=np.float64):
    index = rng.permutation(columns)
    calibration, x = rng.standard_normal((2, n, columns))
    for a in (calibration, x):
        a[:, index[:loud]] *= factor
    calibration[0, index[-5:]] *= 6  # a range that x does not repeat
    w = rng.standard_normal((rows, columns)) * 0.1
    w[:, index[loud : 2 * loud]] *= 5
    return {"calibration": calibration.astype(dtype), "x": x.astype(dtype), "w": w}


def cases(rng):
    steps = [0.0, 0.25, 0.5, 0.75, 1.0]
    yield case("outliers", **_layer(rng, 32, 24, 32), alphas=steps, options={}, part="errors")
    mild = _layer(rng, 40, 16, 48, 3, 8.0)
    yield case("mild outliers", **mild, alphas=[0.5, 0.2], options={}, part="errors")
    single = _layer(rng, 24, 12, 64, 2, dtype=np.float32)
    yield case("float32 inputs", **single, alphas=[0.4, 0.6], options={}, part="errors")
    four = _layer(rng, 24, 40, 64)
    yield case("4-bit weights", **four, alphas=steps, options={"weight_bits": 4}, part="errors")
    few = _layer(rng, 24, 12, 32)
    few["calibration"] = few["calibration"][:5]
    yield case("5 calibration tokens", **few, alphas=[0.5, 0.9], options={}, part="errors")
    order = [0.9, 0.1, 0.5, 0.3, 0.7]
    for k in range(2):
        layer = _layer(rng, 32, 24, 48, 2 + 2 * k, 20.0 * 4**k)
        yield case(
            f"alphas out of order, {k + 1}", **layer, alphas=order, options={}, part="choice"
        )
    dead = _layer(rng, 16, 10, 24, 2)
    dead["calibration"][:, 3] = 0
    dead["x"][:, 3] = 0
    dead["w"][:, 7] = 0
    yield case("dead channels", **dead, alphas=steps, options={}, part="choice")
    tie = _layer(rng, 8, 6, 16, 2)
    yield case("one alpha three times", **tie, alphas=[0.5, 0.5, 0.5], options={}, part="choice")
    even = rng.uniform(-1, 1, (3, 6, 8))
    even[:, 0] = 1  # every maximum is 1, and so every factor, whatever alpha is
    sides = dict(zip(("calibration", "x", "w"), even, strict=True))
    yield case("equal errors", **sides, alphas=[0.7, 0.2, 0.9], options={}, part="choice")
    good = _layer(rng, 6, 4, 8, 1)
    bad = {
        "no calibration tokens": {"calibration": good["calibration"][:0]},
        "no alphas": {"alphas": []},
        "alpha -0.5": {"alphas": [0.5, -0.5]},
        "alpha 1.5": {"alphas": [0.5, 1.5]},
        "calibration of another width": {"calibration": good["calibration"][:, :7]},
        "x of another width": {"x": good["x"][:, :7]},
    }
    for label, change in bad.items():
        yield case(label, **{**good, "alphas": [0.5], **change}, options={}, part="bad input")


def probe(solution, calibration, x, w, alphas, options):
    k = w.shape[1]
    good = len(calibration) and len(alphas) and all(0 <= a <= 1 for a in alphas)
    if good and calibration.shape[1] == x.shape[1] == k:
        return solution(calibration, x, w, alphas, **options)
    return refusal(lambda: solution(calibration, x, w, alphas, **options))


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    unsmoothed, errors, best = expect.sequence(answer, ("unsmoothed", "errors", "best"))
    expect.array(errors, "errors", shape=(len(case.alphas),), dtype=np.float64)
    bits = case.options.get("weight_bits", 8)

    def wanted(alpha):
        return channel_scales.smooth_error(case.calibration, case.x, case.w, alpha, bits)

    expect.number(unsmoothed, wanted(None), "unsmoothed", rtol=RTOL, hint="s = np.ones(K).")
    want = np.array([wanted(alpha) for alpha in case.alphas])
    expect.close(errors, want, "errors", rtol=RTOL, hint=HINTS[0])
    if (want == want[0]).all():
        expect.number(best, case.alphas[0], "best", hint="Of equal errors the first counts.")
        return
    least = [case.alphas[i] for i in np.flatnonzero(want <= want.min() * (1 + RTOL))]
    chosen = best if isinstance(best, (int, float)) else 0.0
    nearest = min(least, key=lambda alpha: abs(alpha - chosen))
    expect.number(best, nearest, "best", rtol=1e-12, atol=1e-12, hint=HINTS[2])
