"""dynamic-linear: INT8 activations with a scale of each token's own, exact sums, one rescaling."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import symmetric

PARTS = {"values": 0.5, "tokens apart": 0.3, "bad input": 0.2}
HINTS = (
    "x.abs().amax(1, keepdim=True) / 127 is a column of scales, (tokens, 1).",
    "Sum the integer products in int32 or float64; an int8 result would wrap.",
    "y = sums * row_scales * weight_scales + bias: (tokens, 1) and (out,) broadcast.",
)


def _case(rng, label, part, tokens, inputs, outputs, loud=None, zero=None):
    x = rng.normal(0, 1, (tokens, inputs)) * rng.uniform(0.3, 3, (tokens, 1))
    if loud is not None:
        x[loud] *= 200
    if zero is not None:
        x[zero] = 0
    return case(label, part, **_given(rng, x.astype(np.float32), outputs))


def _given(rng, x, outputs, full=False):
    codes = rng.integers(-127, 128, (outputs, x.shape[1]))
    if full:
        codes = np.full((outputs, x.shape[1]), 127)
    # Twice: a value moved off a tie may be the row's largest, which moves the scale.
    for _ in range(2 if x.size else 0):
        amax = np.abs(x).max(1, keepdims=True)
        moved = symmetric.off_ties(x, symmetric.scale_of(amax, 8))
        x = np.where(np.abs(x) < amax * 0.999, moved, x).astype(np.float32)
    return {
        "x": x,
        "weight_codes": codes.astype(np.int8),
        "weight_scales": rng.uniform(1e-3, 2e-2, outputs).astype(np.float32),
        "bias": rng.normal(0, 1, outputs).astype(np.float32),
    }


def _cancelling(rng):
    """Sums that rise above 2**24 and fall back, summed in turn (row 0) or in lanes (row 1)."""
    count = 2**16
    weight = np.tile(np.repeat(rng.integers(100, 128, (3, count // 2)), 2, axis=1), 2)
    size = np.tile(np.repeat(rng.integers(100, 128, count // 2), 2), 2)
    signs = np.stack([np.repeat([1, -1], count), np.tile([1, -1], count)])
    x = np.concatenate([signs * size, np.full((2, 1), 127)], axis=1)
    codes = np.concatenate([weight, rng.integers(1, 20, (3, 1))], axis=1)
    return {
        "x": x.astype(np.float32),
        "weight_codes": codes.astype(np.int8),
        "weight_scales": np.float32([0.5, 0.01, 2.0]),
        "bias": np.zeros(3, np.float32),
    }


def cases(rng):
    yield _case(rng, "one token", "values", 1, 3, 2)
    yield _case(rng, "5 tokens", "values", 5, 16, 7)
    yield _case(rng, "as many outputs as tokens", "values", 6, 9, 6)
    yield _case(rng, "a layer", "values", 33, 256, 65)
    long = np.full((2, 4096), 1.5, np.float32)
    yield case("the largest sums", "values", **_given(rng, long, 3, full=True))
    # The row's scale is 127 / 127: exact ties.
    ties = np.float32(
        [[127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 64.5], [-127, 3.5, 4.5, -3.5, 0, 1, 2, -9.5]]
    )
    yield case("codes at exact ties", "values", **(_given(rng, ties, 5) | {"x": ties}))
    yield case("large sums that cancel", "values", **_cancelling(rng))
    yield _case(rng, "one loud token", "tokens apart", 7, 32, 5, loud=3)
    yield _case(rng, "a token of zeros", "tokens apart", 4, 16, 5, zero=1)
    yield _case(rng, "all zeros", "tokens apart", 3, 8, 2, zero=slice(None))
    tiny = (rng.normal(0, 1, (3, 24)) * 1e-20).astype(np.float32)
    bare = {"bias": np.zeros(4, np.float32)}  # beside a bias, results this small would not count
    yield case("tiny values", "tokens apart", **(_given(rng, tiny, 4) | bare))
    yield _case(rng, "no tokens", "tokens apart", 0, 8, 3)
    good = _given(rng, rng.normal(0, 1, (3, 8)).astype(np.float32), 4)
    for value in (np.nan, np.inf, -np.inf):
        x = good["x"].copy()
        x[1, 2] = value
        yield case(f"{value} in x", "bad input", **{**good, "x": x})
    yield case("x of the wrong width", "bad input", **{**good, "x": good["x"][:, :7]})
    yield case("x with three axes", "bad input", **{**good, "x": good["x"][None]})
    yield case("x with one axis", "bad input", **{**good, "x": good["x"][0]})


def probe(solution, x, weight_codes, weight_scales, bias):
    import torch

    given = [torch.from_numpy(np.array(a)) for a in (x, weight_codes, weight_scales, bias)]
    before = [g.clone() for g in given]
    bad = x.ndim != 2 or x.shape[1] != weight_codes.shape[1] or not np.isfinite(x).all()
    try:
        y = solution(*given)
    except NotImplementedError:
        raise
    except Exception as error:
        if not bad:
            raise
        return {"raised": type(error).__name__}
    same = all(torch.equal(a, b) for a, b in zip(given, before, strict=True))
    return {"raised": None} if bad else {"y": y, "same": same}


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    expect.mapping(answer, ("y", "same"))
    tokens, outputs = len(case.x), len(case.bias)
    y = expect.tensor(answer["y"], "y", shape=(tokens, outputs), dtype="torch.float32")
    if tokens:
        amax = np.abs(case.x).max(1, keepdims=True)
        scale = symmetric.scale_of(amax, 8)
        codes = symmetric.codes_of(case.x, scale, 8).astype(np.int64)
        sums = codes @ case.weight_codes.astype(np.int64).T
        step = scale * case.weight_scales.astype(np.float64)
        want = sums * step + case.bias.astype(np.float64)
        slack = tolerances.SCALAR * (np.abs(sums * step) + np.abs(case.bias))
        hint = "One scale for each row of x, then the sum of integer products, then the scales."
        expect.close(y, want, "y", rtol=0, atol=slack, hint=hint)
    expect.that(
        answer["same"],
        "Your function changes one of its arguments.",
        stage="mutation",
        hint="Work on a copy: the caller still needs the original.",
    )
