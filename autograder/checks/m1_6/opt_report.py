"""opt-report: every figure recomputed from the samples that were handed in."""

import math

from autograder.checks import case, expect
from autograder.checks.oracles.gain import gain, quantile
from autograder.checks.oracles.samples import median

PARTS = {"figures": 0.35, "gains": 0.25, "verdicts": 0.25, "refuse": 0.15}
HINTS = (
    "One row for each version, in the order of `samples`; the first one is the baseline.",
    "`np.percentile(times, [10, 50, 90])`; gain, low and high from `measured_gain(baseline, times)`.",
    "Results first, then the interval: above 1 on both ends, below 1 on both ends, or neither.",
)
KEYS = ("version", "rounds", "median_ms", "p10_ms", "p90_ms", "gain", "low", "high", "same_results")
KEYS = (*KEYS, "verdict")
BOUND = 3e-4


def _case(label, part, samples, results, bound=BOUND):
    return case(
        label,
        part=part,
        samples=[[name, times] for name, times in samples.items()],
        results=[[name, list(found)] for name, found in results.items()],
        bound=bound,
    )


def _drawn(rng, ratios, rounds, spread=0.25):
    load = 1 + rng.exponential(spread, rounds)
    times = {}
    for name, ratio in {"offered": 1.0, **ratios}.items():
        noisy = 200 / ratio * load * rng.lognormal(0, 0.05, rounds)
        times[name] = [round(float(v), 3) for v in noisy]
    return times


def cases(rng):
    two = {
        "offered": [100.0, 104.0, 98.0, 102.0, 140.0, 99.0],
        "cached": [20.0, 21.0, 19.5, 20.5, 33.0, 20.0],
    }
    fine = {"cached": (True, 2e-5)}
    three = _drawn(rng, {"dense once": 2.1, "dense and cache": 7.5}, 9)
    fine3 = {"dense once": (True, 1e-5), "dense and cache": (True, 3e-5)}
    reordered = dict(reversed(fine3.items()))
    for part in ("figures", "gains"):
        yield _case("two versions", part, two, fine)
        yield _case("three versions", part, three, fine3)
        yield _case("results listed in another order", part, three, reordered)
        rounds = int(rng.integers(5, 25))
        yield _case(
            f"{rounds} rounds",
            part,
            _drawn(rng, {"a": 1.0, "b": 3.0}, rounds),
            {"a": (True, 0.0), "b": (False, 9.0)},
        )
        yield _case("the baseline alone", part, {"offered": two["offered"]}, {})
    equal = {"offered": [10.0, 11.0, 12.0, 13.0, 14.0], "other": [14.0, 13.0, 12.0, 11.0, 10.0]}
    touch = {"offered": [10.0] * 6, "other": [10.0] * 6}
    slower = {"offered": two["cached"], "worse": two["offered"]}
    for label, samples, results in (
        ("faster", two, fine),
        ("slower", slower, {"worse": (True, 0.0)}),
        ("the interval holds 1", equal, {"other": (True, 0.0)}),
        ("both ends are 1", touch, {"other": (True, 0.0)}),
        ("faster, other tokens", two, {"cached": (False, 0.0)}),
        ("faster, logits off", two, {"cached": (True, 0.01)}),
        ("slower, other tokens", slower, {"worse": (False, 0.0)}),
        ("logits just at the bound", two, {"cached": (True, BOUND)}),
        ("logits that are NaN", two, {"cached": (True, math.nan)}),
        ("three versions", three, {"dense once": (True, 1.0), "dense and cache": (True, 0.0)}),
        (
            "results listed in another order",
            three,
            {"dense and cache": (False, 1.0), "dense once": (True, 0.0)},
        ),
    ):
        yield _case(label, "verdicts", samples, results)
    yield _case("a bound of 1e-6", "verdicts", two, fine, 1e-6)
    yield _case("a bound of 0.1", "verdicts", two, {"cached": (True, 0.05)}, 0.1)
    yield _case("no samples", "refuse", {}, {})
    yield _case("a version without results", "refuse", three, {"dense once": (True, 0.0)})
    extra = fine3 | {"a fourth": (True, 0.0)}
    yield _case("results of a version without samples", "refuse", three, extra)
    yield _case("results of the baseline", "refuse", two, fine | {"offered": (True, 0.0)})
    alone = {"offered": [100.0, 0.0, 98.0, 102.0, 140.0, 99.0]}
    yield _case("the baseline alone, a time of 0", "refuse", alone, {})
    yield _case("a baseline with a time of 0", "refuse", two | alone, fine)
    yield _case("a negative time", "refuse", two | {"cached": [-1.0] * 6}, fine)
    yield _case("a version with fewer rounds", "refuse", two | {"cached": [20.0] * 5}, fine)
    yield _case("a time of 0", "refuse", two | {"cached": [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]}, fine)


def probe(solution, samples, results, bound):
    given = dict(samples), {name: tuple(found) for name, found in results}, bound
    rounds = {len(times) for times in given[0].values()}
    bad = not samples or len(rounds) > 1 or any(t <= 0 for _, times in samples for t in times)
    if bad or set(given[1]) != set(list(given[0])[1:]):
        return refusal(lambda: solution(*given))  # noqa: F821
    rows = solution(*given)
    for own, kept in ((samples, given[0].items()), (results, given[1].items())):
        own[:] = [[name, times if own is samples else list(times)] for name, times in kept]
    return rows  # what was changed shows in the probe's arguments


def _verdict(is_baseline, same, low, high):
    if is_baseline:
        return "baseline"
    if not same:
        return "results differ"
    return "faster" if low > 1 else "slower" if high < 1 else "no difference shown"


def oracle(samples, results, bound):
    """The rows, from sorted lists."""
    results, rows = dict(results), []
    baseline = samples[0][1]
    for place, (name, times) in enumerate(samples):
        same_tokens, error = results.get(name, (True, 0.0))
        same = bool(same_tokens) and error <= bound
        found = gain(baseline, times, 1000, 0) if place else (1.0, 1.0, 1.0)
        row = dict(zip(("gain", "low", "high"), found, strict=True))
        row |= {
            "version": name,
            "rounds": len(times),
            "median_ms": float(median(times)),
            "same_results": same,
        }
        row |= {"p10_ms": quantile(times, 0.1), "p90_ms": quantile(times, 0.9)}
        rows.append(row | {"verdict": _verdict(not place, same, *found[1:])})
    return rows


def judge(case, answer):
    if case.part == "refuse":
        expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
        return
    want = oracle(case.samples, case.results, case.bound)
    expect.that(isinstance(answer, (list, tuple)), "Return a list of rows.", stage="type",
                yours=expect.kind(answer), right="a list of dicts")  # fmt: skip
    expect.that(len(answer) == len(want), "One row for each version.", stage="shape",
                yours=f"{len(answer)} rows", right=f"{len(want)} rows")  # fmt: skip
    for mine, right in zip(answer, want, strict=True):
        mine, name = expect.mapping(mine, KEYS), right["version"]
        expect.that(mine["version"] == name, "The versions are in another order.",
                    yours=mine["version"], right=name)  # fmt: skip
        if case.part == "figures":
            expect.integer(mine["rounds"], right["rounds"], f"rounds of {name}")
            for key in ("median_ms", "p10_ms", "p90_ms"):
                expect.number(mine[key], right[key], f"{key} of {name}", rtol=1e-9)
        elif case.part == "gains":
            for key in ("gain", "low", "high"):
                expect.number(mine[key], right[key], f"{key} of {name}", rtol=1e-9)
        else:
            expect.that(type(mine["same_results"]) is bool, "`same_results` must be True or False.",
                        stage="type", yours=expect.kind(mine["same_results"]))  # fmt: skip
            for key in ("same_results", "verdict"):
                expect.that(mine[key] == right[key], f"`{key}` of {name} is off.", yours=str(mine[key]),
                            right=str(right[key]), where=case.label)  # fmt: skip
