"""sqnr: mean squared error, and signal-to-quantization-noise ratio in dB."""

import math

import numpy as np

from autograder.checks import case, expect, tolerances

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "mse = mean of (x - x_hat)**2 over all elements.",
    "The signal's power is the mean of x**2, without taking off the mean.",
    "A ratio of powers in decibel is 10 * log10(ratio). (20 is for a ratio of amplitudes.)",
    "Convert to float64 first, and decide the two special cases before you divide.",
)
DB_SLACK = 1e-3  # a relative error of MEAN in each power moves the ratio by 4.3e-4 dB


def cases(rng):
    x = np.array([3.0, -4.0], np.float32)
    yield case("two values", part="values", x=x, x_hat=np.array([3.5, -4.5], np.float32))
    for scale, shape in ((0.05, (501,)), (0.4, (12, 31)), (0.01, (3, 4, 5, 7))):
        x = rng.normal(0, 1, shape).astype(np.float32)
        x_hat = (np.rint(x / scale) * scale).astype(np.float32)
        yield case(f"rounded to steps of {scale}", part="values", x=x, x_hat=x_hat)
    x = rng.normal(7, 0.5, 200)
    yield case("mean far from zero", part="values", x=x, x_hat=np.rint(x * 2) / 2 + 0.1)
    x = rng.normal(0, 1, 64)
    yield case("noise louder than the signal", part="values", x=x, x_hat=x + rng.normal(0, 4, 64))
    x = rng.uniform(300, 900, 40).astype(np.float16)
    yield case("float16 with large values", part="edges", x=x, x_hat=np.rint(x / 8) * np.float16(8))
    x = (rng.uniform(4e4, 6e4, 12) * rng.choice([-1, 1], 12)).astype(np.float16)
    yield case("float16, wrong in sign", part="edges", x=x, x_hat=-x)
    x = rng.normal(0, 1e-7, 50).astype(np.float32)
    yield case("tiny values", part="edges", x=x, x_hat=(x * 0.999).astype(np.float32))
    x = rng.normal(0, 1, 9).astype(np.float32)
    yield case("no error", part="edges", x=x, x_hat=x.copy())
    zeros = np.zeros(4, np.float32)
    yield case("all zeros, restored exactly", part="edges", x=zeros, x_hat=zeros.copy())
    yield case("all zeros, restored wrongly", part="edges", x=zeros, x_hat=zeros + np.float32(0.5))
    yield case("one value", part="edges", x=np.array([2.0]), x_hat=np.array([1.5]))


def probe(solution, x, x_hat):
    return solution(x, x_hat)


def judge(case, answer):
    mse, sqnr_db = expect.sequence(answer, ("mse", "sqnr_db"))
    want_mse, want_db = _reference(case.x, case.x_hat)
    expect.number(
        mse,
        want_mse,
        "mse",
        rtol=tolerances.MEAN,
        hint="Average the squared differences over all elements, in float64.",
    )
    expect.number(sqnr_db, want_db, "sqnr_db", atol=DB_SLACK, hint=_hint(want_db))


def _hint(want_db):
    if math.isinf(want_db):
        return "No error at all is +inf dB (also for all zeros); an error on no signal is -inf dB."
    return "sqnr_db = 10 * log10(mean(x**2) / mse)."


def _reference(x, x_hat):
    """Exactly rounded sums in float64."""
    pairs = list(zip(x.ravel().tolist(), x_hat.ravel().tolist(), strict=True))
    signal = math.fsum(a * a for a, _ in pairs) / len(pairs)
    mse = math.fsum((a - b) ** 2 for a, b in pairs) / len(pairs)
    if mse == 0:
        return 0.0, math.inf
    return mse, (10 * (math.log10(signal) - math.log10(mse)) if signal else -math.inf)
