"""percentile-observer: a histogram of fixed size that doubles its bins' width when it must.

The oracle keeps every value and sorts.
"""

from fractions import Fraction

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"one batch": 0.3, "growing": 0.35, "percentile": 0.2, "bad input": 0.15}
HINTS = (
    "While the largest magnitude is at or beyond bins * width: double the width and merge.",
    "Merging: counts.reshape(-1, 2).sum(1) fills the lower half, zeros the upper half.",
    "np.floor(|x| / width) is the bin; np.bincount with minlength=bins counts.",
    "amax: the first bin where the running sum of counts reaches the share; return its upper edge.",
)


def _heavy(rng, shape, scale):
    return (scale * rng.laplace(0, 1, shape)).astype(np.float32)


def cases(rng):
    fine = {"bins": 64, "width": 2.0**-4}
    yield case(
        "inside the first range",
        "one batch",
        percentile=90.0,
        options=fine,
        batches=[rng.uniform(-3.9, 3.9, 57).astype(np.float32)],
    )
    edges = np.float32([0, 0.0625, -0.0625, 0.125, 0.124, 3.99, -1.0])
    yield case("values on the edges", "one batch", percentile=50.0, options=fine, batches=[edges])
    yield case(
        "defaults",
        "one batch",
        percentile=None,
        options={},
        batches=[rng.normal(0, 0.3, (23, 41)).astype(np.float32)],
    )
    yield case(
        "all zeros",
        "one batch",
        percentile=99.0,
        options=fine,
        batches=[np.zeros((3, 7), np.float32)],
    )
    # 100 / 2**-10 is beyond float16's largest number.
    half = [(100 * _heavy(rng, s, 0.3)).astype(np.float16) for s in ((7, 9), 40)]
    half[0].flat[0] = 150
    yield case("float16", "growing", percentile=70.0, options={"bins": 64}, batches=half)
    wide = [rng.normal(0, 2, (9, 5))]
    yield case("float64", "one batch", percentile=60.0, options=fine, batches=wide)
    yield case(
        "a second observer beside it",
        "growing",
        percentile=90.0,
        options=fine,
        batches=[_heavy(rng, 31, 0.5), _heavy(rng, 31, 3.0)],
        twin=True,
    )
    for factor in (1.0, 60.0, 1e4):
        yield case(
            f"up to {factor:g} first ranges",
            "growing",
            percentile=97.3,
            options=fine,
            batches=[
                _heavy(rng, (5, 11), 0.5),
                _heavy(rng, 83, 4 * factor),
                _heavy(rng, (2, 3, 5), 0.2),
            ],
        )
    top = np.float32([1.0, 4.0])
    yield case("exactly the top", "growing", percentile=100.0, options=fine, batches=[top])
    yield case(
        "doubling twice, then small",
        "growing",
        percentile=75.0,
        options=fine,
        batches=[np.float32([0.1, 15.0]), np.float32([0.2, 0.3, 9.0, -14.0, 2.0])],
    )
    odd = {"bins": 6, "width": 0.5}
    yield case(
        "six bins",
        "growing",
        percentile=80.0,
        options=odd,
        batches=[_heavy(rng, 33, 1.0), _heavy(rng, 41, 9.0)],
    )
    # Half of 40 values lie in bin 0: the share is reached exactly there.
    exact = np.concatenate([np.full(20, 0.01), np.full(20, 2.0)]).astype(np.float32)
    for percentile in (50.0, 25.0, 75.0, 100.0):
        yield case(
            f"{percentile:g} % exactly",
            "percentile",
            percentile=percentile,
            options=fine,
            batches=[exact[:13], exact[13:]],
        )
    for percentile in (99.9, 99.0, 30.0, 0.5):
        yield case(
            f"{percentile:g} % of 2,011",
            "percentile",
            percentile=percentile,
            options={},
            batches=[_heavy(rng, 1009, 1.0), _heavy(rng, 1002, 3.0)],
        )
    calm = [_heavy(rng, 31, 0.5)]
    for label, batch in (
        ("an empty batch", np.zeros(0, np.float32)),
        ("a NaN", np.float32([1, np.nan])),
        ("infinity", np.float32([np.inf])),
        ("minus infinity", np.float32([-np.inf, 1])),
    ):
        yield case(label, "bad input", percentile=90.0, options=fine, batches=calm, bad=batch)
    yield case("no data yet", "bad input", percentile=90.0, options=fine, batches=[])
    for percentile in (0.0, 100.5, -1.0):
        yield case(
            f"percentile={percentile:g}",
            "bad input",
            percentile=percentile,
            options=fine,
            batches=[],
            constructor=True,
        )


def probe(solution, percentile, options, batches, bad=None, constructor=False, twin=False):
    import torch

    def make():
        return solution(**options) if percentile is None else solution(percentile, **options)

    if constructor:
        return refusal(make)
    observer = make()
    if not batches:
        return refusal(observer.amax)
    other = make() if twin else None
    states, same = [], True
    for batch in batches:
        given = torch.from_numpy(batch.copy())
        observer.observe(given)
        same = same and np.array_equal(given.numpy(), batch)
        if other is not None:
            other.observe(torch.from_numpy(batch * 100))
        counts, width = (getattr(observer, name, None) for name in ("counts", "width"))
        # A list or a tensor of counts is as good as an array of them.
        counts = counts if counts is None else np.array(counts)
        states.append([counts, width, observer.amax()])
    out = {"states": states, "same": same}
    if bad is not None:
        out["refusal"] = refusal(lambda: observer.observe(torch.from_numpy(bad.copy())))
        out["after"] = [np.array(observer.counts), observer.width]
    return out


def _reference(values, percentile, bins, width):
    """Histogram, width and threshold from all values at once."""
    magnitudes = np.sort(np.abs(values.astype(np.float64)))
    while magnitudes[-1] >= bins * width:
        width *= 2
    index = np.floor(magnitudes / width).astype(int)
    share = Fraction(percentile) * len(values) / 100
    rank = -(-share.numerator // share.denominator)
    # 99.9 is no exact float: a share that close to a whole number would hang on it.
    whole = abs(float(share) - round(float(share)))
    if 0 < whole < 1e-6:
        raise ValueError("A case must not hang on the last bit of its percentile.")
    return np.bincount(index, minlength=bins), width, float((index[max(rank, 1) - 1] + 1) * width)


def judge(case, answer):
    if case.inputs.get("constructor"):
        why = f"percentile={case.percentile:g} is not in (0, 100]: raise ValueError."
        expect.raised(answer, "ValueError", why)
        return
    if not case.batches:
        expect.raised(answer, "ValueError", "amax before any batch: raise ValueError.")
        return
    expect.mapping(answer, ("states", "same"))
    bins, width = case.options.get("bins", 2048), case.options.get("width", 2.0**-10)
    percentile = 99.9 if case.percentile is None else case.percentile
    seen = np.zeros(0, np.float32)
    for step, (batch, state) in enumerate(zip(case.batches, answer["states"], strict=True)):
        seen = np.concatenate([seen, batch.ravel()])
        counts, now, amax = _reference(seen, percentile, bins, width)
        when = f"after batch {step}"
        expect.number(state[1], now, f"width {when}", rtol=0)
        yours = expect.array(state[0], f"counts {when}", shape=(bins,))
        if yours.dtype.kind not in "iu":
            expect.wrong(
                "dtype", "`counts` must hold integers.", yours=str(yours.dtype), right="int64"
            )
        expect.codes(
            yours, counts, f"counts {when}", hint="Bin k counts k*width <= |x| < (k+1)*width."
        )
        expect.number(
            state[2],
            amax,
            f"amax() {when}",
            rtol=0,
            hint="The upper edge of the first bin where the share is reached.",
        )
    expect.that(
        answer["same"],
        "observe changes its batch.",
        stage="mutation",
        hint="The model still computes with it: x.abs(), not x.abs_().",
    )
    if "bad" in case.inputs:
        why = f"{case.label.capitalize()} cannot be counted: raise ValueError."
        expect.raised(answer["refusal"], "ValueError", why)
        kept = np.array_equal(answer["after"][0], answer["states"][-1][0])
        expect.that(
            kept and answer["after"][1] == answer["states"][-1][1],
            "A refused batch changed the histogram.",
            stage="edge",
            hint="Test the batch before you change the state.",
        )
