"""lora-gradients: the chain rule by hand, against autograd in float64."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lora

PARTS = {"gradients": 0.6, "zero starts": 0.2, "refuse": 0.2}
HINTS = (
    "scaling = alpha / a.shape[0]",
    "by_b = scaling * upstream.T @ (x @ a.T): (d_out, n) times (n, r).",
    "by_a = scaling * (upstream @ b).T @ x: (r, n) times (n, d_in).",
)


def _case(rng, label, part, n, wide, tall, rank, alpha, **more):
    def draw(*shape):
        return rng.normal(0, 1, shape)

    inputs = {
        "x": draw(n, wide),
        "upstream": draw(n, tall),
        "a": draw(rank, wide),
        "b": draw(tall, rank),
    }
    return case(label, part, **{**inputs, "alpha": alpha, **more})


def cases(rng):
    yield _case(rng, "one row, rank 1", "gradients", 1, 3, 2, 1, 1.0)
    yield _case(rng, "rows", "gradients", 5, 4, 3, 2, 4.0)
    yield _case(rng, "all widths equal", "gradients", 4, 4, 4, 4, 3.0)
    yield _case(rng, "a wide layer", "gradients", 7, 20, 5, 3, 16.0)
    yield _case(rng, "a tall layer", "gradients", 6, 5, 20, 3, 0.5)
    yield _case(rng, "64 x 96, rank 8", "gradients", 32, 64, 96, 8, 16.0)
    yield _case(rng, "rank above the widths", "gradients", 3, 2, 2, 5, 5.0)
    yield _case(rng, "no rows", "gradients", 0, 4, 3, 2, 4.0)
    for label, zero in (("B zero", "b"), ("A zero", "a")):
        inputs = _case(rng, "", "zero starts", 5, 6, 4, 3, 6.0).inputs
        inputs[zero] = np.zeros_like(inputs[zero])
        yield case(label, "zero starts", **inputs)
    both = _case(rng, "", "zero starts", 5, 6, 4, 3, 6.0).inputs
    yield case("both zero", "zero starts", **{**both, "a": 0 * both["a"], "b": 0 * both["b"]})
    for label, changes in (
        ("rows differ", {"upstream": (4, 3)}),
        ("ranks differ", {"b": (3, 3)}),
        ("x and a differ", {"a": (2, 5)}),
        ("upstream and b differ", {"b": (4, 2)}),
        ("one row of upstream", {"upstream": (1, 3)}),
    ):
        inputs = _case(rng, "", "refuse", 5, 4, 3, 2, 4.0).inputs
        drawn = {name: rng.normal(0, 1, shape) for name, shape in changes.items()}
        yield case(label, "refuse", **{**inputs, **drawn, "good": False})


def probe(solution, x, upstream, a, b, alpha, good=True):
    if not good:
        return refusal(lambda: solution(x, upstream, a, b, alpha))  # noqa: F821
    return solution(x, upstream, a, b, alpha)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    got = expect.sequence(answer, ("by_a", "by_b"))
    want = lora.gradients(case.x, case.upstream, case.a, case.b, case.alpha)
    for name, yours, right in zip(("by_a", "by_b"), got, want, strict=True):
        yours = expect.array(yours, name, shape=right.shape, dtype=np.float64)
        size = max(1.0, float(np.abs(right).max(initial=0.0)))
        expect.close(yours, right, name, rtol=1e-11, atol=1e-12 * size)
