"""mask-two-four: two of every four neighbours in a row, the largest magnitudes."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"groups": 0.5, "ties and zeros": 0.3, "bad input": 0.2}
HINTS = (
    "Reshape to (rows, columns // 4, 4) and rank |w| along the last axis.",
    "argsort(descending=True, stable=True)[..., :2] are the two that stay, lower columns first.",
    "scatter_ writes True at these places of a mask of zeros.",
)


def cases(rng):
    for shape in ((1, 4), (3, 8), (4, 4), (5, 12), (8, 20), (64, 48)):
        weight = rng.normal(0, 1, shape).astype(np.float32)
        yield case(f"{shape}", "groups", weight=weight)
    yield case("float64", "groups", weight=rng.normal(0, 1, (4, 16)))
    near = 1 + rng.permutation(48).reshape(4, 12) * 2.0**-45
    yield case("differences below float32", "groups", weight=near)
    small = rng.normal(0, 1, (4, 8)).astype(np.float32) * np.float32(1e-30)
    yield case("tiny weights", "groups", weight=small)
    scaled = rng.normal(0, 1, (6, 16)) * np.repeat([1, 100, 0.01, 10], 4)
    yield case("groups of many sizes", "groups", weight=scaled.astype(np.float32))
    yield case(
        "all negative", "groups", weight=-np.abs(rng.normal(0, 1, (3, 8))).astype(np.float32)
    )
    for top in (1, 2):
        weight = rng.integers(-top, top + 1, (16, 24)).astype(np.float32)
        yield case(f"{2 * top + 1} levels", "ties and zeros", weight=weight)
    yield case("all equal", "ties and zeros", weight=np.full((3, 8), -2, np.float32))
    yield case("all zero", "ties and zeros", weight=np.zeros((2, 12), np.float32))
    good = rng.normal(0, 1, (4, 12)).astype(np.float32)
    for columns in (1, 2, 3, 6, 10):
        yield case(f"{columns} columns", "bad input", weight=good[:, :columns].copy())
    yield case("one axis", "bad input", weight=good[0].copy())
    yield case("three axes", "bad input", weight=good[None].copy())
    yield case("no rows", "bad input", weight=good[:0].copy())
    yield case("no columns", "bad input", weight=good[:, :0].copy())


def probe(solution, weight):
    import torch

    tensor = torch.from_numpy(weight)
    if weight.ndim != 2 or not weight.size or weight.shape[1] % 4:
        return refusal(lambda: solution(tensor))
    return solution(tensor)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    weight = case.weight
    mask = expect.tensor(answer, "mask", shape=weight.shape, dtype="torch.bool")
    kept = mask.reshape(len(weight), -1, 4).sum(-1)
    expect.that(
        bool((kept == 2).all()),
        "A group has not exactly two entries that stay.",
        right="2 in each group",
    )
    want = np.zeros(weight.shape, bool)
    for r, start in np.ndindex(len(weight), weight.shape[1] // 4):
        places = range(4 * start, 4 * start + 4)
        for c in sorted(places, key=lambda c: (-abs(weight[r, c]), c))[:2]:
            want[r, c] = True
    return expect.codes(
        mask, want, "mask", hint="The two largest |w| of columns 4g to 4g + 3 of a row."
    )
