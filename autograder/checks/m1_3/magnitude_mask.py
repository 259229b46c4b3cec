"""magnitude-mask: the smallest magnitudes of a layer, with an exact count under ties."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import pruning

PARTS = {"count and order": 0.45, "ties": 0.35, "bad input": 0.2}
HINTS = (
    "torch.argsort(weight.abs().flatten(), stable=True) ranks; ties keep their order.",
    "Set the first round(sparsity * n) of the ranking to False in a flat mask of ones.",
    "`not 0 <= sparsity <= 1` refuses NaN as well.",
)


def cases(rng):
    for shape, sparsity, dtype in (
        ((4, 6), 0.5, np.float32),
        ((1,), 0.0, np.float32),
        ((1,), 1.0, np.float32),
        ((7,), 0.34, np.float64),
        ((3, 5, 2), 0.9, np.float32),
        ((8, 3, 3, 3), 0.25, np.float64),
        ((64, 48), 0.813, np.float32),
        ((5, 5), 1.0, np.float32),
        ((5, 5), 0.0, np.float32),
    ):
        weight = rng.normal(0, 1, shape).astype(dtype)
        yield case(f"{shape}, {sparsity}", "count and order", weight=weight, sparsity=sparsity)
    # 0.575 * 100 is just below 57.5 in float64, and 57.5 in float32.
    halves = ((5, 0.5), (7, 0.5), (10, 0.25), (10, 0.35), (3, 0.5), (100, 0.29), (100, 0.575))
    for n, sparsity in halves:
        weight = rng.normal(0, 1, n).astype(np.float32)
        yield case(f"{sparsity} of {n}", "count and order", weight=weight, sparsity=sparsity)
    turned = rng.normal(0, 1, (6, 9)).astype(np.float32)
    yield case("all negative", "count and order", weight=-np.abs(turned), sparsity=0.4)
    tiny = turned * np.float32(1e-30)
    yield case("tiny weights", "count and order", weight=tiny, sparsity=0.4)
    huge = rng.uniform(2, 3.4, 30).astype(np.float32) * np.float32(1e38)
    yield case("huge weights", "count and order", weight=huge, sparsity=0.4)
    near = 1 + rng.permutation(40) * 2.0**-45
    yield case("differences below float32", "count and order", weight=near, sparsity=0.5)
    for sparsity in (0.4, 0.8):
        one = np.array(rng.normal(), np.float32)
        yield case(f"no axes, {sparsity}", "count and order", weight=one, sparsity=sparsity)

    levels = rng.integers(-3, 4, (12, 11)).astype(np.float32)
    for sparsity in (0.1, 0.5, 0.77):
        yield case(f"7 levels, {sparsity}", "ties", weight=levels, sparsity=sparsity)
    yield case("all equal", "ties", weight=np.full((4, 5), -2, np.float32), sparsity=0.35)
    yield case("all zero", "ties", weight=np.zeros((5, 4), np.float32), sparsity=0.6)
    many = rng.choice([-1.0, 1.0], (40, 40)).astype(np.float32)
    yield case("1,600 ties", "ties", weight=many, sparsity=0.5)
    half = rng.integers(-3, 4, (6, 7)).astype(np.float16)
    yield case("float16", "ties", weight=half, sparsity=0.5)
    yield case("float64 ties", "ties", weight=levels.astype(np.float64), sparsity=0.4)
    yield case("a transposed view", "ties", weight=levels, sparsity=0.5, transposed=True)

    good = rng.normal(0, 1, (3, 4)).astype(np.float32)
    for sparsity in (-0.1, 1.01, 50.0, float("nan")):
        yield case(f"sparsity {sparsity}", "bad input", weight=good, sparsity=sparsity)
    for shape in ((0,), (0, 4), (3, 0)):
        empty = np.zeros(shape, np.float32)
        yield case(f"no weights, {shape}", "bad input", weight=empty, sparsity=0.5)
    for value in (np.nan, np.inf, -np.inf):
        spoilt = good.copy()
        spoilt[1, 2] = value
        yield case(f"a weight of {value}", "bad input", weight=spoilt, sparsity=0.5)


def probe(solution, weight, sparsity, transposed=False):
    import torch

    tensor = torch.from_numpy(weight)
    if transposed:
        tensor = tensor.T
    if not 0 <= sparsity <= 1 or not weight.size or not np.isfinite(weight).all():
        return refusal(lambda: solution(tensor, sparsity))
    return solution(tensor, sparsity)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    weight = case.weight.T if case.inputs.get("transposed") else case.weight
    mask = expect.tensor(answer, "mask", shape=weight.shape, dtype="torch.bool")
    k = pruning.count(case.sparsity, weight.size)
    expect.integer(
        int((~mask).sum()), k, "the number removed", hint=f"round({case.sparsity} * {weight.size})."
    )
    want = pruning.lowest({"": np.abs(weight)}, k)[""]
    return expect.codes(
        mask,
        want,
        "mask",
        hint="Least |w| first; of equal magnitudes the first in row-major order.",
    )
