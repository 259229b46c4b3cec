"""movement-mask: scores summed along a path of training, signed, and the mask of the lowest."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import pruning

PARTS = {"scores": 0.45, "mask": 0.35, "bad input": 0.2}
HINTS = (
    "scores = -(w_0 * g_0 + w_1 * g_1 + ...), with the weight of each step.",
    "A weight that moves away from zero has a positive score and stays.",
    "The mask removes the lowest scores, signs included: global_masks with one layer.",
)


def _path(rng, shape, steps, dtype=np.float32, top=9):
    """Multiples of 1/4: sums of their products are exact in float32, in any order."""
    return [
        [(rng.integers(-top, top + 1, shape) / 4).astype(dtype) for _ in range(2)]
        for _ in range(steps)
    ]


def cases(rng):
    for shape, steps, sparsity, dtype in (
        ((4, 5), 1, 0.5, np.float32),
        ((6,), 2, 0.5, np.float64),
        ((3, 4), 12, 0.3, np.float32),
        ((2, 3, 4), 5, 0.75, np.float32),
        ((30, 20), 8, 0.9, np.float32),
    ):
        path = _path(rng, shape, steps, dtype)
        yield case(f"{steps} steps of {shape}", "scores", path=path, sparsity=sparsity)
    real = [
        [rng.normal(0, 1, (9, 7)).astype(np.float32), rng.normal(0, 0.1, (9, 7)).astype(np.float32)]
        for _ in range(20)
    ]
    yield case("a real-valued path", "scores", path=real, sparsity=0.0)
    for dtype in (np.float64, np.float32):
        path = _path(rng, (7,), 3, dtype)
        yield case(f"half of 7, {np.dtype(dtype).name}", "scores", path=path, sparsity=0.5)
    fine = [[rng.normal(0, 1, (5, 6)), rng.normal(0, 0.1, (5, 6))] for _ in range(9)]
    yield case("a real-valued path in float64", "scores", path=fine, sparsity=0.45)
    for n in (5, 9, 13):
        yield case(f"half of {n}", "mask", path=_path(rng, (n,), 2), sparsity=0.5)
    for sparsity in (0.0, 0.1, 0.5, 0.95, 1.0):
        path = _path(rng, (8, 9), 4, top=3)
        yield case(f"ties, {sparsity}", "mask", path=path, sparsity=sparsity)
    still = [[w, np.zeros_like(w)] for w, _ in _path(rng, (5, 4), 3)]
    yield case("gradients of zero", "mask", path=still, sparsity=0.35)
    path = _path(rng, (3, 4), 3)
    for sparsity in (-0.5, 1.2, float("nan")):
        yield case(f"sparsity {sparsity}", "bad input", path=path, sparsity=sparsity, bad=True)
    yield case("no steps", "bad input", path=[], sparsity=0.5, bad=True)
    for shape in ((0, 2), (2, 0)):
        empty = [[np.zeros(shape, np.float32)] * 2] * 2
        yield case(f"a weight of {shape}", "bad input", path=empty, sparsity=0.5, bad=True)
    column = [[w, g[:, :1].copy()] for w, g in path]
    yield case("gradients of another shape", "bad input", path=column, sparsity=0.5, bad=True)
    late = [*path[:-1], column[-1]]
    yield case("a last gradient of another shape", "bad input", path=late, sparsity=0.5, bad=True)
    turned = [[w, g.reshape(4, 3)] for w, g in path]
    yield case("gradients turned on their side", "bad input", path=turned, sparsity=0.5, bad=True)
    wider = [*path, *_path(rng, (1, 4), 1)]
    yield case("a step of another shape", "bad input", path=wider, sparsity=0.5, bad=True)


def probe(solution, path, sparsity, bad=False):
    import torch

    steps = [tuple(torch.from_numpy(a) for a in pair) for pair in path]
    if bad:
        return refusal(lambda: solution(steps, sparsity))
    given = list(steps)
    result = solution(steps, sparsity)
    kept = len(steps) == len(given) and all(a is b for a, b in zip(steps, given, strict=True))
    return {"result": result, "kept": kept}


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    scores, mask = expect.sequence(answer["result"], ("scores", "mask"))
    weights, gradients = (np.stack([np.float64(p[k]) for p in case.path]) for k in (0, 1))
    want = -np.einsum("t...,t...->...", weights, gradients)
    dtype = str(case.path[0][0].dtype)
    scores = expect.tensor(scores, "scores", shape=want.shape, dtype=f"torch.{dtype}")
    size = np.einsum("t...,t...->...", np.abs(weights), np.abs(gradients))
    bound = 2e-6 if dtype == "float32" else 1e-13
    expect.close(scores, want, "scores", rtol=0, atol=size * bound, hint=HINTS[0])
    mask = expect.tensor(mask, "mask", shape=want.shape, dtype="torch.bool")
    right = pruning.lowest({"": want}, pruning.count(case.sparsity, want.size))[""]
    expect.codes(mask, right, "mask", hint=HINTS[2])
    return expect.that(
        answer["kept"], "Your function changes the list that it gets.", stage="mutation"
    )
