"""extract-lora: the distance left over, against the singular values that scipy finds (Eckart and Young)."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lora

PARTS = {"the update": 0.55, "hard cases": 0.25, "refuse": 0.2}
HINTS = (
    "u, s, vt = np.linalg.svd(delta.astype(np.float64), full_matrices=False); s is sorted downwards.",
    "a = vt[:rank], b = u[:, :rank] * s[:rank]: b @ a is the best matrix of that rank.",
    "The layer multiplies by alpha / rank, so b is multiplied by rank / alpha.",
)


def cases(rng):
    def draw(*shape, dtype=np.float64):
        return rng.normal(0, 1, shape).astype(dtype)

    for shape, rank, alpha in (
        ((6, 6), 2, 2.0),
        ((9, 4), 1, 1.0),
        ((4, 9), 3, 16.0),
        ((40, 24), 8, 4.0),
        ((5, 5), 4, 0.5),
    ):
        yield case(
            f"{shape}, rank {rank}, alpha {alpha:g}",
            "the update",
            delta=draw(*shape),
            rank=rank,
            alpha=alpha,
        )
    yield case(
        "float32", "the update", delta=0.01 * draw(30, 20, dtype=np.float32), rank=4, alpha=8.0
    )
    yield case("full rank", "the update", delta=draw(5, 7), rank=5, alpha=3.0)
    thin = draw(20, 3) @ draw(3, 16)
    yield case("a delta of rank 3, asked 3", "hard cases", delta=thin, rank=3, alpha=3.0)
    yield case("a delta of rank 3, asked 6", "hard cases", delta=thin, rank=6, alpha=3.0)
    yield case("all zeros", "hard cases", delta=np.zeros((6, 4)), rank=2, alpha=2.0)
    yield case("equal singular values", "hard cases", delta=np.eye(6), rank=2, alpha=4.0)
    yield case("one row", "hard cases", delta=draw(1, 8), rank=1, alpha=2.0)
    yield case("one column", "hard cases", delta=draw(8, 1), rank=1, alpha=2.0)
    yield case("a tiny update", "hard cases", delta=1e-9 * draw(12, 8), rank=3, alpha=2.0)
    for label, rank, alpha in (
        ("rank 0", 0, 1.0), ("rank -1", -1, 1.0), ("rank above the rows", 5, 1.0),
        ("alpha 0", 2, 0.0), ("alpha -1", 2, -1.0), ("alpha NaN", 2, float("nan")),
    ):  # fmt: skip
        yield case(label, "refuse", delta=draw(4, 6), rank=rank, alpha=alpha, good=False)
    yield case("rank above the columns", "refuse", delta=draw(9, 4), rank=5, alpha=1.0, good=False)
    for value in (np.nan, np.inf):
        delta = draw(4, 6)
        delta[1, 2] = value
        yield case(f"a {value}", "refuse", delta=delta, rank=2, alpha=1.0, good=False)


def probe(solution, delta, rank, alpha, good=True):
    if not good:
        return refusal(lambda: solution(delta, rank, alpha))  # noqa: F821
    return solution(delta, rank, alpha)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    got = expect.sequence(answer, ("a", "b"))
    tall, wide = case.delta.shape
    a = expect.array(got[0], "a", shape=(case.rank, wide), dtype=np.float64)
    b = expect.array(got[1], "b", shape=(tall, case.rank), dtype=np.float64)
    expect.that(bool(np.isfinite(a).all() and np.isfinite(b).all()), "a or b is not finite.")
    delta = case.delta.astype(np.float64)
    left = float(np.linalg.norm(delta - lora.update(a, b, case.alpha)))
    least = lora.tail(delta, case.rank)
    # No matrix of this rank comes nearer than `least`; float64 adds its noise.
    slack = 1e-9 * float(np.linalg.norm(delta))
    expect.that(
        left <= least + slack,
        "(alpha / rank) b @ a is not the nearest matrix of that rank.",
        yours=f"distance {left:.6g}",
        right=f"{least:.6g}",
        hint="The first singular directions, with rank / alpha in one of the two.",
    )
