"""smooth-w8a8: SmoothQuant's factors, INT8 codes of inputs and weights, and the output of integers."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import channel_scales, weight_only

PARTS = {"factors": 0.3, "codes": 0.35, "output": 0.2, "refusals": 0.15}
HINTS = (
    "a = np.abs(x).max(0) and b = np.abs(w).max(0): one number for each input channel.",
    "s = a**alpha / b**(1 - alpha), and 1 where a or b is 0. Then x / s and w * s.",
    "The inputs share one scale, max|x / s| / 127; each row of w * s has its own.",
    "Multiply the codes as int32 (int8 products overflow), then by both scales.",
)


def cases(rng):
    for part in ("factors", "codes", "output"):
        for label, tokens, columns, rows, alpha in (
            ("one outlier channel", 20, 8, 6, 0.5),
            ("alpha 0.8", 30, 16, 5, 0.8),
            ("alpha 0: all on the weights' side", 12, 8, 4, 0.0),
            ("alpha 1: the inputs come out even", 12, 8, 4, 1.0),
            ("one token", 1, 8, 4, 0.5),
            ("1,024 inputs: sums far beyond int16", 6, 1024, 3, 0.5),
        ):
            yield case(label, part, **_inputs(rng, tokens, columns, rows, alpha))
        large = _inputs(rng, 3, 64, 2, 0.5)
        large["x"], large["weight"] = np.ones_like(large["x"]), np.ones_like(large["weight"])
        yield case("all ones: every product is 127 * 127", part, **large)
        odd = _inputs(rng, 16, 8, 4, 0.5)
        odd["x"][:, 2] = 0
        odd["weight"][:, 5] = 0
        yield case("a channel of zeros on each side", part, **odd)
        dead = _inputs(rng, 8, 4, 3, 0.5)
        dead["x"][:] = 0
        dead["weight"][1] = 0
        yield case("inputs of zeros, an output of zeros", part, **dead)
    fine = _inputs(rng, 4, 8, 3, 0.5)
    for label, change in (
        ("inputs of another width", {"x": fine["x"][:, :7]}),
        ("alpha above 1", {"alpha": 1.5}),
        ("no calibration inputs", {"x": fine["x"][:0]}),
    ):
        yield case(label, "refusals", **{**fine, **change})


def _inputs(rng, tokens, columns, rows, alpha):
    x = rng.standard_normal((tokens, columns))
    x[:, rng.integers(columns)] *= 40
    weight = rng.standard_normal((rows, columns)) * rng.uniform(0.02, 0.2, (rows, 1))
    return {"x": x.astype(np.float32), "weight": weight.astype(np.float32), "alpha": alpha}


def probe(solution, x, weight, alpha):
    if x.shape[1] != weight.shape[1] or not 0 <= alpha <= 1 or not len(x):
        return refusal(lambda: solution(x, weight, alpha))  # noqa: F821
    return solution(x, weight, alpha)


def judge(case, answer):
    if case.part == "refusals":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    names = ("factors", "x_codes", "w_codes", "y")
    factors, x_codes, w_codes, y = expect.sequence(answer, names)
    (tokens, columns), rows = case.x.shape, len(case.weight)
    real = (np.float32, np.float64)
    expect.array(factors, "factors", shape=(columns,), dtype=real)
    expect.array(x_codes, "x_codes", shape=(tokens, columns), dtype=np.int8)
    expect.array(w_codes, "w_codes", shape=(rows, columns), dtype=np.int8)
    expect.array(y, "y", shape=(tokens, rows), dtype=real)
    want = channel_scales.smooth(np.abs(case.x).max(0), [case.weight], case.alpha)
    if case.part == "factors":
        return expect.close(factors, want, "factors", rtol=1e-5, hint=HINTS[1])
    x_ratio, x_scale = weight_only.int8_ratio(case.x / want, per_row=False)
    w_ratio, w_scale = weight_only.int8_ratio(case.weight * want, per_row=True)
    for codes, ratio, name in ((x_codes, x_ratio, "x_codes"), (w_codes, w_ratio, "w_codes")):
        near = np.abs(codes - ratio) <= 0.5 + weight_only.TIE
        expect.codes(
            codes, np.where(near, codes, np.rint(ratio)).astype(np.int64), name, hint=HINTS[2]
        )
    if case.part == "output":
        exact = (x_codes.astype(np.int64) @ w_codes.astype(np.int64).T) * x_scale * w_scale.T
        expect.close(y, exact, "y", rtol=1e-5, atol=1e-9, hint=HINTS[3])
    return None
