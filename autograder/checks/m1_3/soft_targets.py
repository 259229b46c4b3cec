"""soft-targets: the softmax at a temperature, against scipy in float64."""

import numpy as np
from scipy.special import softmax

from autograder.checks import case, expect

PARTS = {"values": 0.6, "range": 0.2, "refuse": 0.2}
HINTS = (
    "Divide by the temperature first, then subtract the row's largest value, then np.exp.",
    "logits.astype(np.float64) before anything else.",
    "`not 0 < temperature < math.inf` is true for 0, for negative numbers, for NaN and for infinity.",
)
# exp of -700 carries an error of 700 half-ulps; a probability below 1e-15 is not looked at.
RTOL, ATOL = 1e-11, 1e-15


def cases(rng):
    for shape in ((5,), (1, 1), (4, 10), (3, 7, 11), (2, 2), (40, 3)):
        for temperature in (1.0, 2.5, 20.0):
            logits = rng.normal(0, 4, shape)
            yield case(
                f"{shape}, T {temperature:g}", "values", logits=logits, temperature=temperature
            )
    yield case("T below 1", "values", logits=rng.normal(0, 1, (6, 5)), temperature=0.3)
    yield case("an integer T", "values", logits=rng.normal(0, 3, (6, 5)), temperature=3)
    yield case("all equal", "values", logits=np.full((3, 4), 2.5), temperature=4.0)
    for dtype in (np.float32, np.float16):
        logits = rng.normal(0, 4, (5, 9)).astype(dtype)
        yield case(f"{np.dtype(dtype)} logits", "values", logits=logits, temperature=4.0)
    yield case("logits of 1e4", "range", logits=1e4 * rng.normal(0, 1, (4, 6)), temperature=1.0)
    yield case("all far below zero", "range", logits=rng.normal(-5e3, 1, (4, 6)), temperature=1.0)
    low = np.array([[600, 599, -600], [-600, -601, -602]], np.float16)
    yield case("float16 at T 0.005", "range", logits=low, temperature=0.005)
    yield case("T 1e6", "range", logits=rng.normal(0, 5, (3, 8)), temperature=1e6)
    rows = np.concatenate([rng.normal(0, 1, (1, 6)), 1e3 + rng.normal(0, 1, (1, 6))])
    yield case("rows of very different height", "range", logits=rows, temperature=2.0)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        yield case(
            f"T {bad}", "refuse", logits=rng.normal(0, 1, (2, 3)), temperature=bad, good=False
        )
    yield case("no classes", "refuse", logits=np.zeros((2, 0)), temperature=1.0, good=False)


def probe(solution, logits, temperature, good=True):
    if not good:
        return refusal(lambda: solution(logits, temperature))  # noqa: F821
    return solution(logits, temperature)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    got = expect.array(answer, "the result", shape=case.logits.shape, dtype=np.float64)
    want = softmax(case.logits.astype(np.float64) / case.temperature, axis=-1)
    expect.close(got, want, "the result", rtol=RTOL, atol=ATOL)
