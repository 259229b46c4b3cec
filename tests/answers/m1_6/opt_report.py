"""Answers to opt-report."""

import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _interval(before, after):
    before, after = np.array(before), np.array(after)
    picked = np.random.default_rng(0).integers(len(before), size=(1000, len(before)))
    ratios = np.median(before[picked], axis=1) / np.median(after[picked], axis=1)
    return (np.median(before) / np.median(after), *np.quantile(ratios, [0.025, 0.975]))


def _refuse(samples, results):
    lengths = {len(times) for times in samples.values()}
    if not samples or len(lengths) > 1 or set(results) != set(list(samples)[1:]):
        raise ValueError("samples and results do not fit")
    if not all(t > 0 for times in samples.values() for t in times):
        raise ValueError("times must be above 0")


def _verdict(same, low, high):
    if not same:
        return "results differ"
    return "faster" if low > 1 else "slower" if high < 1 else "no difference shown"


def _rows(samples, results, bound, *, middle=np.median, ends=(10, 90), against="first", judge=_verdict,
          same=lambda tokens, error, bound: bool(tokens and error <= bound), refuse=_refuse):  # fmt: skip
    refuse(samples, results)
    rows, names = [], list(samples)
    for place, (name, times) in enumerate(samples.items()):
        other = names[0] if against == "first" else names[max(0, place - 1)]
        found = _interval(samples[other], times) if place else (1.0, 1.0, 1.0)
        is_same = same(*results[name], bound) if place else True
        p10, p90 = np.percentile(times, ends)
        row = {"version": name, "rounds": len(times), "median_ms": middle(times), "p10_ms": p10}
        row |= {"p90_ms": p90, "gain": found[0], "low": found[1], "high": found[2]}
        row |= {
            "same_results": is_same,
            "verdict": judge(is_same, *found[1:]) if place else "baseline",
        }
        rows.append(row)
    return rows


@right("rows from NumPy")
def by_numpy(samples, results, bound):
    return _rows(samples, results, bound)


@right("the statistics module, a tuple of rows with a key more")
def by_statistics(samples, results, bound):
    def middle(times):
        return statistics.median(times)

    return tuple(row | {"unit": "ms"} for row in _rows(samples, results, bound, middle=middle))


@wrong("means", "One busy moment moves a mean far: report the median.")
def means(samples, results, bound):
    return _rows(samples, results, bound, middle=np.mean)


@wrong("smallest-and-largest", "The spread is from the 10th to the 90th percentile.")
def extremes(samples, results, bound):
    return _rows(samples, results, bound, ends=(0, 100))


@wrong("quartiles", "The 10th and 90th percentile were asked, not the quartiles.")
def quartiles(samples, results, bound):
    return _rows(samples, results, bound, ends=(25, 75))


@wrong("against-the-version-before", "Each version is compared with the baseline, the first one.")
def against_previous(samples, results, bound):
    return _rows(samples, results, bound, against="previous")


@wrong("gain-alone-decides", "An interval that holds 1 shows no difference.")
def gain_decides(samples, results, bound):
    def judge(same, low, high):
        return "results differ" if not same else "faster" if low + high > 2 else "slower"

    return _rows(samples, results, bound, judge=judge)


@wrong(
    "results-not-looked-at", "A version whose results differ is not faster: it does something else."
)
def blind(samples, results, bound):
    return _rows(samples, results, bound, judge=lambda same, low, high: _verdict(True, low, high))


@wrong("tokens-alone", "Equal tokens are not enough: the logits must be within the bound.")
def tokens_alone(samples, results, bound):
    return _rows(samples, results, bound, same=lambda tokens, error, bound: bool(tokens))


@wrong("logits-alone", "Other tokens are other results, however near the logits.")
def logits_alone(samples, results, bound):
    return _rows(samples, results, bound, same=lambda tokens, error, bound: bool(error <= bound))


@wrong("bound-excluded", "An error equal to the bound is within it.")
def excluded(samples, results, bound):
    return _rows(samples, results, bound, same=lambda tokens, error, b: bool(tokens and error < b))


@wrong("not-a-number-passes", "`not error > bound` lets NaN pass: ask for `error <= bound`.")
def nan_passes(samples, results, bound):
    return _rows(
        samples, results, bound, same=lambda tokens, error, b: bool(tokens and not error > b)
    )


@wrong("one-is-enough", "An interval that only touches 1 shows no difference.")
def touching(samples, results, bound):
    def judge(same, low, high):
        return "results differ" if not same else "faster" if low >= 1 else _verdict(same, low, high)

    return _rows(samples, results, bound, judge=judge)


@wrong("baseline-left-out", "The baseline has a row of its own.")
def without_baseline(samples, results, bound):
    return _rows(samples, results, bound)[1:]


@wrong("sorted-by-gain", "Rows stand in the order of the samples, the baseline first.")
def by_gain(samples, results, bound):
    return sorted(_rows(samples, results, bound), key=lambda row: -row["gain"])


@wrong("seconds", "Times are in milliseconds, as given.")
def seconds(samples, results, bound):
    return [
        r | {k: r[k] / 1e3 for k in ("median_ms", "p10_ms", "p90_ms")}
        for r in _rows(samples, results, bound)
    ]


@wrong("results-by-place", "Results are found by the version's name, not by their place.")
def by_place(samples, results, bound):
    _refuse(samples, results)
    placed = dict(zip(list(samples)[1:], results.values(), strict=True))
    return _rows(samples, placed, bound)


@wrong("fixed-bound", "The bound is an argument.")
def fixed_bound(samples, results, bound):
    return _rows(samples, results, 3e-4)


@wrong(
    "results-of-others-accepted",
    "Results of versions without samples, or of the baseline, are refused.",
)
def others_accepted(samples, results, bound):
    kept = {n: r for n, r in results.items() if n in list(samples)[1:]}
    return _rows(samples, kept, bound)


@wrong("baseline-not-looked-at", "The baseline's times must be above 0 as well.")
def baseline_free(samples, results, bound):
    def refuse(samples, results):
        ones = {n: [1.0] * len(t) if i == 0 else t for i, (n, t) in enumerate(samples.items())}
        _refuse(ones, results)

    return _rows(samples, results, bound, refuse=refuse)


@wrong("times-sorted", "Work on a copy: sorting in place tears the rounds apart.")
def sorted_in_place(samples, results, bound):
    rows = _rows(samples, results, bound)
    for times in samples.values():
        times.sort()
    return rows


@wrong("no-refusal", "Versions without results, or with other numbers of rounds, make no report.")
def no_refusal(samples, results, bound):
    if not samples:
        return []
    least = min(map(len, samples.values()))
    samples = {n: [t or 1.0 for t in times[:least]] for n, times in samples.items()}
    results = {n: results.get(n, (True, 0.0)) for n in samples}
    return _rows(samples, results, bound, refuse=lambda samples, results: None)
