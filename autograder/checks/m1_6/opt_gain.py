"""opt-gain: ratio of medians and its bootstrap interval, held against sorted lists."""

import math

from autograder.checks import case, expect
from autograder.checks.oracles.gain import gain as oracle

PARTS = {"gain": 0.35, "interval": 0.45, "refuse": 0.2}
HINTS = (
    "`np.median(before) / np.median(after)`.",
    "`picked = rng.integers(n, size=(resamples, n))`, then `before[picked]` and `after[picked]`: the "
    "same rounds of both.",
    "`np.quantile(ratios, [0.025, 0.975])`.",
)


def _samples(rng, rounds, ratio, spread):
    """Rounds of both versions; a busy spell of the machine slows both of one round."""
    load = 1 + rng.exponential(spread, rounds)
    before = 40 * load * rng.lognormal(0, 0.03, rounds)
    after = 40 / ratio * load * rng.lognormal(0, 0.03, rounds)
    return [round(float(v), 4) for v in before], [round(float(v), 4) for v in after]


def _case(label, part, before, after, resamples=200, seed=0):
    return case(label, part=part, before=before, after=after, resamples=resamples, seed=seed)


def cases(rng):
    plain = [10.0, 12.0, 11.0, 30.0, 10.5], [5.0, 6.0, 5.5, 14.0, 5.2]
    even = [4.0, 2.0, 8.0, 6.0, 5.0, 3.0], [2.0, 2.0, 1.0, 4.0, 3.0, 1.0]
    outlier = [10.0, 10.0, 10.0, 10.0, 1000.0], [5.0, 5.0, 5.0, 5.0, 5.0]
    slower = _samples(rng, 9, 0.7, 0.3)
    drawn = [
        _samples(rng, int(rng.integers(5, 40)), float(rng.uniform(0.8, 6)), 0.4) for _ in range(3)
    ]
    listed = [("five rounds", plain), ("an even number", even), ("one bad round", outlier)]
    listed += [("a loss", slower), *((f"{len(b)} rounds, drawn", (b, a)) for b, a in drawn)]
    for part in ("gain", "interval"):
        for number, (label, (before, after)) in enumerate(listed):
            seed = int(rng.integers(1000)) if number else 0
            yield _case(label, part, before, after, resamples=50 + 60 * number, seed=seed)
    before, after = _samples(rng, 24, 2.0, 0.4)
    yield _case("resamples and seed left out", "interval", before, after, resamples=1000, seed=0)
    long, nan = [1.0] * 6, [1.0, 2.0, math.nan, 1.0, 1.0]
    for label, before, after in (
        ("lists of different lengths", long, [1.0] * 5),
        ("four rounds", [1.0] * 4, [1.0] * 4),
        ("no rounds", [], []),
        ("a time of 0", long, [1.0, 1.0, 0.0, 1.0, 1.0, 1.0]),
        ("a negative time", [1.0, -1.0, 1.0, 1.0, 1.0, 1.0], long),
        ("a time that is NaN", nan, [1.0] * 5),
        ("an infinite time", [1.0] * 5, [1.0, math.inf, 1.0, 1.0, 1.0]),
    ):
        yield _case(label, "refuse", before, after)


def probe(solution, before, after, resamples, seed):
    bad = [v for v in before + after if not 0 < v < float("inf")]
    if len(before) != len(after) or len(before) < 5 or bad:
        return refusal(lambda: solution(before, after, resamples, seed))  # noqa: F821
    if (resamples, seed) == (1000, 0):
        return solution(before, after)  # its defaults
    return solution(before, after, resamples, seed)


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    gain, low, high = expect.sequence(answer, ("gain", "low", "high"))
    want = oracle(case.before, case.after, case.resamples, case.seed)
    if case.part == "gain":
        expect.number(gain, want[0], "gain", rtol=1e-9)
    else:
        expect.number(low, want[1], "low", rtol=1e-9, hint=HINTS[1])
        expect.number(high, want[2], "high", rtol=1e-9, hint=HINTS[2])
