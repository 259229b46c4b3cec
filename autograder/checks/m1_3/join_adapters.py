"""join-adapters: the joined update against the weighted sum of the updates, in float64."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lora

PARTS = {"the sum": 0.6, "weights": 0.2, "refuse": 0.2}
HINTS = (
    "a = np.concatenate([a1, a2, ...]), axis 0: (R, d_in).",
    "b = np.concatenate([w1 * alpha1 / r1 * b1, ...], axis=1): (d_out, R).",
    "Compare every a.shape[1] and b.shape[0] with the first adapter's, and a.shape[0] with b.shape[1].",
)


def _case(rng, label, part, ranks, weights, wide=7, tall=5, alphas=None, dtype=np.float64, **more):
    alphas = alphas or [float(v) for v in rng.uniform(0.5, 16, len(ranks))]
    adapters = [
        (
            rng.normal(0, 1, (r, wide)).astype(dtype),
            rng.normal(0, 1, (tall, r)).astype(dtype),
            alpha,
        )
        for r, alpha in zip(ranks, alphas, strict=True)
    ]
    return case(label, part, adapters=adapters, weights=weights, **more)


def cases(rng):
    yield _case(rng, "one adapter", "the sum", [3], [1.0])
    yield _case(rng, "two of one rank", "the sum", [2, 2], [1.0, 1.0])
    yield _case(rng, "two ranks", "the sum", [1, 4], [1.0, 1.0])
    yield _case(rng, "three, square", "the sum", [2, 3, 1], [0.5, 0.3, 0.2], 6, 6)
    yield _case(rng, "alphas alike", "the sum", [2, 4], [1.0, 1.0], alphas=[8.0, 8.0])
    yield _case(rng, "float32", "the sum", [4, 8], [0.7, 1.1], 30, 20, dtype=np.float32)
    yield _case(rng, "more rank than width", "the sum", [4, 4], [1.0, 0.5], 3, 3)
    yield _case(rng, "a negative weight", "weights", [2, 3], [1.0, -0.5])
    yield _case(rng, "both negative", "weights", [2, 2], [-1.0, -2.0])
    yield _case(rng, "a weight of 0", "weights", [2, 3], [0.0, 1.5])
    yield _case(rng, "weights above 1", "weights", [1, 1], [3.0, 2.0])
    yield _case(rng, "no adapters", "refuse", [], [], good=False)
    yield _case(rng, "a weight too few", "refuse", [2, 2], [1.0], good=False)
    yield _case(rng, "a weight too many", "refuse", [2], [1.0, 1.0], good=False)
    for label, shape_a, shape_b in (
        ("another d_in", (2, 6), (5, 2)),
        ("another d_out", (2, 7), (4, 2)),
        ("a and b of different rank", (2, 7), (5, 3)),
    ):
        inputs = _case(rng, "", "refuse", [2, 2], [1.0, 1.0], good=False).inputs
        inputs["adapters"][1] = (rng.normal(0, 1, shape_a), rng.normal(0, 1, shape_b), 2.0)
        yield case(label, "refuse", **inputs)
    inputs = _case(rng, "", "refuse", [2], [1.0], good=False).inputs
    inputs["adapters"][0] = (rng.normal(0, 1, (2, 7)), rng.normal(0, 1, (5, 3)), 2.0)
    yield case("a first adapter of two ranks", "refuse", **inputs)


def probe(solution, adapters, weights, good=True):
    if not good:
        return refusal(lambda: solution(adapters, weights))  # noqa: F821
    return solution(adapters, weights)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    got = expect.sequence(answer, ("a", "b"))
    rank = sum(a.shape[0] for a, _, _ in case.adapters)
    wide, tall = case.adapters[0][0].shape[1], case.adapters[0][1].shape[0]
    a = expect.array(got[0], "a", shape=(rank, wide), dtype=np.float64)
    b = expect.array(got[1], "b", shape=(tall, rank), dtype=np.float64)
    want = sum(
        weight * lora.update(*adapter)
        for adapter, weight in zip(case.adapters, case.weights, strict=True)
    )
    size = max(1.0, float(np.abs(want).max()))
    expect.close(
        b @ a, want, "b @ a", rtol=1e-11, atol=1e-12 * size,
        hint="The sum of weight * alpha / r * b @ a over the adapters.",
    )  # fmt: skip
