"""compare-runs: gaps, running medians and the lasting onset, against the definitions step by step."""

import statistics

import numpy as np

from autograder.checks import case, expect

PARTS = {"gaps": 0.4, "smoothed": 0.3, "since": 0.2, "bad input": 0.1}
HINTS = (
    "dict(events) keeps the last value of a step; the common steps are the keys of both.",
    "np.median(gaps[max(0, i - window + 1) : i + 1]).",
    "The last smoothed gap that is not above the limit: the onset is the step behind it.",
)


def _curve(rng, steps, offset=0.0, start=None):
    """A noisy loss, behind by `offset` from step `start` on; gaps keep clear of the limits used."""
    noise = rng.uniform(0, 0.02, len(steps))
    behind = [offset if start is not None and s >= start else 0.0 for s in steps]
    losses = 2 * np.exp(-np.array(steps) / 300) + noise + behind
    return list(zip(map(int, steps), losses.tolist(), strict=True))


def _case(label, part, one, other, limit=0.25, window=5):
    return case(label, part, float_events=one, qat_events=other, limit=limit, window=window)


def cases(rng):
    steps = range(0, 300, 10)
    small = [(0, 2.0), (10, 1.0), (20, 0.5)]
    for part in ("gaps", "smoothed"):
        window = 1 if part == "gaps" else 5
        yield _case("three steps", part, small, [(0, 2.0), (10, 1.5), (20, 1.0)], window=window)
        yield _case(
            "a late gap", part, _curve(rng, steps), _curve(rng, steps, 0.5, 150), window=window
        )
        yield _case("steps that one run lacks", part, _curve(rng, range(0, 300, 20)),
                    _curve(rng, range(0, 400, 30), 0.5, 90), window=window)  # fmt: skip
        again = _curve(rng, range(0, 160, 10), 0.6, 50) + _curve(rng, range(100, 300, 10))
        yield _case("a restart", part, _curve(rng, steps), again, window=window)
        yield _case("a restart of the float run", part, again, _curve(rng, steps), window=window)
        yield _case(
            "steps out of order", part, small, [(20, 1.0), (0, 2.0), (10, 1.5)], window=window
        )
    for window in (2, 3, 4, 9, 100):
        yield _case(f"window {window}", "smoothed", _curve(rng, steps), _curve(rng, steps, 0.5, 100),
                    window=window)  # fmt: skip
    for label, offset, start, limit in (
        ("never behind", 0.1, 50, 0.25),
        ("behind from the start", 0.5, 0, 0.25),
        ("behind at the end alone", 0.5, 280, 0.25),
        ("ahead", -0.5, 0, 0.25),
        ("a negative limit", 0.0, 0, -0.25),
    ):
        yield _case(label, "since", _curve(rng, steps), _curve(rng, steps, offset, start), limit, 3)
    spike = _curve(rng, steps)
    spike[8] = (spike[8][0], spike[8][1] + 5)
    yield _case("one spike", "since", _curve(rng, steps), spike, window=5)
    hill = [(s, v + (0.8 if 60 <= s < 140 else 0)) for s, v in _curve(rng, steps)]
    yield _case("behind, and caught up", "since", _curve(rng, steps), hill)
    twice = [(s, v + (0.8 if 60 <= s < 140 or s >= 200 else 0)) for s, v in _curve(rng, steps)]
    yield _case("caught up, and behind again", "since", _curve(rng, steps), twice, window=2)
    exact = [(0, 1.0), (1, 1.0), (2, 1.0)]
    yield _case("exactly at the limit", "since", exact, [(0, 1.25), (1, 1.25), (2, 1.5)], window=1)
    yield _case("step 0 alone", "since", [(0, 1.0)], [(0, 2.0)])
    yield _case("no common step", "bad input", [(0, 1.0), (2, 1.0)], [(1, 1.0), (3, 1.0)])
    yield _case("no events", "bad input", [], [(0, 1.0)])
    yield _case("window 0", "bad input", small, small, window=0)


def probe(solution, float_events, qat_events, limit, window):
    common = {s for s, _ in float_events} & {s for s, _ in qat_events}
    if window < 1 or not common:
        return refusal(lambda: solution(float_events, qat_events, limit, window))  # noqa: F821
    return solution(float_events, qat_events, limit, window)


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    names = ("steps", "gaps", "smoothed", "since")
    found = expect.mapping(answer, names, only=True)
    steps, gaps, smoothed, since = _reference(case)
    for name in names[:3]:
        value = expect.array(found[name], name, shape=(len(steps),))
        kinds = "iu" if name == "steps" else "f"
        expect.that(value.dtype.kind in kinds, f"`{name}` has the wrong dtype.", stage="dtype",
                    yours=str(value.dtype), right="integers" if kinds == "iu" else "floats")  # fmt: skip
    expect.codes(found["steps"], np.array(steps), "steps")
    expect.close(found["gaps"], gaps, "gaps", rtol=0.0, atol=2e-6)
    if case.part == "gaps":
        return
    expect.close(found["smoothed"], smoothed, "smoothed", rtol=0.0, atol=2e-6)
    if case.part == "smoothed":
        return
    if since is None:
        expect.that(found["since"] is None, "The last smoothed gap is not above the limit.",
                    yours=found["since"], right=None)  # fmt: skip
    else:
        expect.integer(found["since"], since, "since")


def _last(events, step):
    return [value for s, value in events if s == step][-1]


def _reference(case):
    steps = sorted({s for s, _ in case.float_events} & {s for s, _ in case.qat_events})
    gaps = [_last(case.qat_events, s) - _last(case.float_events, s) for s in steps]
    smoothed = [
        statistics.median(gaps[max(0, i + 1 - case.window) : i + 1]) for i in range(len(gaps))
    ]
    since = None
    for step, gap in zip(reversed(steps), reversed(smoothed), strict=True):
        if not gap > case.limit:
            break
        since = step
    return steps, gaps, smoothed, since
