"""global-masks: the lowest scores of all layers together, exact under ties."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import pruning

PARTS = {"one ranking": 0.5, "ties": 0.3, "bad input": 0.2}
HINTS = (
    "Flatten and concatenate all scores, rank them once, split the mask again.",
    "argsort with stable=True keeps the order of the layers among equal scores.",
    "Scores have signs: do not take their absolute value.",
)


def _layers(rng, shapes, scale=None, dtype=np.float32):
    scale = scale or [1.0] * len(shapes)
    return {
        f"layer {k}": (rng.normal(0, s, shape)).astype(dtype)
        for k, (shape, s) in enumerate(zip(shapes, scale, strict=True))
    }


def cases(rng):
    shapes = ((4, 6), (7,), (3, 2, 5))
    for sparsity in (0.0, 0.25, 0.5, 0.9, 1.0):
        yield case(
            f"three layers, {sparsity}", "one ranking", scores=_layers(rng, shapes),
            sparsity=sparsity,
        )  # fmt: skip
    yield case("one layer", "one ranking", scores=_layers(rng, [(5, 5)]), sparsity=0.3)
    small = _layers(rng, shapes, (1, 0.01, 1))
    small = {n: np.abs(s) for n, s in small.items()}
    yield case("a layer of small scores", "one ranking", scores=small, sparsity=0.2)
    yield case(
        "float64", "one ranking", scores=_layers(rng, shapes, dtype=np.float64), sparsity=0.613
    )
    # 0.575 * 100 is just below 57.5 in float64, and 57.5 in float32.
    for n, sparsity in (((2, 3), 0.5), ((4, 3), 0.5), ((4, 6), 0.25), ((60, 40), 0.575)):
        scores = _layers(rng, [(k,) for k in n])
        yield case(f"a half of an entry, {sum(n)}", "one ranking", scores=scores, sparsity=sparsity)
    near = 1 + rng.permutation(40) * 2.0**-45
    near = {"a": near[:25].reshape(5, 5), "b": near[25:]}
    yield case("differences below float32", "one ranking", scores=near, sparsity=0.5)
    mixed = {"a": np.array(rng.normal()), "b": rng.normal(0, 1, (3, 2)), "c": np.array(-9.0)}
    yield case("layers without axes", "one ranking", scores=mixed, sparsity=0.3)
    reverse = dict(reversed(_layers(rng, shapes).items()))
    yield case("other names first", "one ranking", scores=reverse, sparsity=0.5)

    def levels(low, high):
        return {n: rng.integers(low, high, s.shape).astype(np.float32) for n, s in small.items()}

    yield case("signed levels", "ties", scores=levels(-2, 3), sparsity=0.45)
    yield case("all equal", "ties", scores=levels(1, 2), sparsity=0.5)
    backwards = dict(reversed(levels(0, 2).items()))
    yield case("ties, other names first", "ties", scores=backwards, sparsity=0.3)
    large = {n: rng.integers(0, 2, (30, 30)).astype(np.float32) for n in "abc"}
    yield case("2,700 ties", "ties", scores=large, sparsity=0.37)
    infinite = levels(-2, 3)
    infinite["layer 0"][0, :3] = np.inf
    infinite["layer 2"][1] = -np.inf
    yield case("infinite scores", "ties", scores=infinite, sparsity=0.4)
    both = {n: s.copy() for n, s in infinite.items()}
    both["layer 0"][1, 1:4] = -np.inf
    yield case("both infinities in a layer", "ties", scores=both, sparsity=0.4)

    good = _layers(rng, shapes)
    for sparsity in (-0.2, 1.5, float("nan")):
        yield case(f"sparsity {sparsity}", "bad input", scores=good, sparsity=sparsity, bad=True)
    yield case("no layers", "bad input", scores={}, sparsity=0.5, bad=True)
    for shape in ((0, 3), (3, 0), (0,)):
        empty = {**good, "layer 1": np.zeros(shape, np.float32)}
        yield case(f"a layer of shape {shape}", "bad input", scores=empty, sparsity=0.5, bad=True)
    for name in good:
        spoilt = {n: s.copy() for n, s in good.items()}
        spoilt[name][(-1,) * spoilt[name].ndim] = np.nan
        yield case(f"a NaN in {name}", "bad input", scores=spoilt, sparsity=0.5, bad=True)


def probe(solution, scores, sparsity, bad=False):
    import torch

    tensors = {name: torch.from_numpy(values) for name, values in scores.items()}
    if bad:
        return refusal(lambda: solution(tensors, sparsity))
    given = dict(tensors)
    masks = solution(tensors, sparsity)
    kept = list(tensors) == list(given) and all(tensors[n] is t for n, t in given.items())
    return {"masks": masks, "kept": kept}


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    k = pruning.count(case.sparsity, pruning.total(case.scores))
    want = pruning.lowest(case.scores, k)
    answer, kept = answer["masks"], answer["kept"]
    expect.mapping(answer, tuple(want), only=True)
    masks = {
        name: expect.tensor(answer[name], name, shape=mask.shape, dtype="torch.bool")
        for name, mask in want.items()
    }
    removed = sum(int((~m).sum()) for m in masks.values())
    expect.integer(removed, k, "the number removed in all layers")
    for name, mask in want.items():
        expect.codes(masks[name], mask, name, hint="Rank all layers together, lowest scores first.")
    return expect.that(kept, "Your function changes the dict that it gets.", stage="mutation")
