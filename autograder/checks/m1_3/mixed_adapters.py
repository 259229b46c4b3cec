"""mixed-adapters: row by row in float64, and the work counted by torch's FLOP counter."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lora

PARTS = {"rows": 0.45, "no adapter": 0.2, "work": 0.15, "refuse": 0.2}
HINTS = (
    "y = x @ weight.T once; then for k in range(len(a)): rows = which == k.",
    "y[rows] = y[rows] + scaling[k] * (x[rows] @ a[k].T @ b[k].T)",
    "which == -1 matches no k, so those rows keep the base's output.",
)


def _case(rng, label, part, n, wide, tall, count, rank, which=None, dtype=np.float64, **more):
    def draw(*shape):
        return rng.normal(0, 1, shape).astype(dtype)

    chosen = rng.integers(count, size=n) if which is None else np.array(which, np.int64)
    inputs = {
        "x": draw(n, wide), "weight": draw(tall, wide),
        "a": draw(count, rank, wide), "b": draw(count, tall, rank),
        "scaling": rng.uniform(0.3, 3, count).astype(dtype), "which": chosen,
    }  # fmt: skip
    return case(label, part, **{**inputs, **more})


def cases(rng):
    yield _case(rng, "one row, one adapter", "rows", 1, 3, 2, 1, 1)
    yield _case(rng, "rows", "rows", 7, 5, 4, 3, 2)
    yield _case(rng, "all sizes equal", "rows", 4, 4, 4, 4, 4)
    yield _case(rng, "one adapter for all", "rows", 6, 5, 7, 3, 2, [1] * 6)
    yield _case(rng, "sorted rows", "rows", 6, 5, 7, 3, 2, [0, 0, 1, 1, 2, 2])
    yield _case(rng, "an adapter nobody asks for", "rows", 5, 6, 4, 4, 2, [3, 0, 3, 1, 0])
    yield _case(rng, "float32", "rows", 16, 40, 30, 5, 4, dtype=np.float32)
    yield _case(rng, "64 rows, 20 adapters", "rows", 64, 24, 32, 20, 4)
    yield _case(rng, "some rows without", "no adapter", 6, 5, 4, 3, 2, [-1, 0, 2, -1, 1, -1])
    yield _case(rng, "no row with an adapter", "no adapter", 4, 5, 4, 2, 2, [-1] * 4)
    yield _case(rng, "one adapter or none", "no adapter", 4, 5, 4, 1, 3, [0, -1, -1, 0])
    yield _case(rng, "no rows", "no adapter", 0, 5, 4, 2, 2, [])
    yield _case(rng, "few rows, a wide layer", "work", 4, 64, 64, 3, 2)
    yield _case(rng, "one row, a wide layer", "work", 1, 96, 128, 2, 4)
    for label, which in (
        ("which too high", [0, 1, 3, 0]),
        ("which -2", [0, -2, 1, 0]),
        ("which too short", [0, 1, 2]),
        ("which with two dimensions", [[0], [1], [2], [0]]),
    ):
        yield _case(rng, label, "refuse", 4, 5, 4, 3, 2, which, good=False)
    for name in ("b", "scaling"):
        inputs = _case(rng, "", "refuse", 4, 5, 4, 3, 2, [0, 1, 0, 1], good=False).inputs
        yield case(f"fewer {name} than a", "refuse", **{**inputs, name: inputs[name][:2]})
    inputs = _case(rng, "", "refuse", 4, 5, 4, 3, 2, [0, 1, 0, 1], good=False).inputs
    yield case("one scaling for three", "refuse", **{**inputs, "scaling": inputs["scaling"][:1]})


def probe(solution, x, weight, a, b, scaling, which, good=True):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import FlopCounterMode

    class Elementwise(TorchDispatchMode):
        """Counts products entry by entry, which the FLOP counter passes over."""

        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if str(function.overloadpacket).rstrip("_") in ("aten.mul", "aten.addcmul"):
                self.count += result.numel()
            return result

    arrays = (x, weight, a, b, scaling, which)
    given = [torch.tensor(v) for v in arrays]
    if not good:
        return refusal(lambda: solution(*given))  # noqa: F821
    with FlopCounterMode(display=False) as counter, Elementwise() as products:
        y = solution(*given)
    same = all(
        np.array_equal(t.numpy(), v, equal_nan=True) for t, v in zip(given, arrays, strict=True)
    )
    return {"y": y, "flops": int(counter.get_total_flops()) + products.count, "same": same}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("y", "flops"))
    n, wide = case.x.shape
    tall = len(case.weight)
    single = case.x.dtype == np.float32
    y = expect.tensor(answer["y"], "the result", shape=(n, tall), dtype=f"torch.{case.x.dtype}")
    for row, k in enumerate(case.which):
        rank = case.a.shape[1]
        delta = 0.0
        if k >= 0:
            delta = lora.update(case.a[k], case.b[k], float(case.scaling[k]) * rank)
        want = lora.output(case.x[row], case.weight, None, delta)
        size = max(1.0, float(np.abs(want).max()))
        expect.close(
            y[row], want, f"row {row} (which {k})", rtol=2e-5 if single else 1e-11,
            atol=(2e-5 if single else 1e-12) * size,
        )  # fmt: skip
    expect.that(answer["same"], "An argument was changed.", stage="mutation")
    if case.part == "work":
        count, rank = case.a.shape[:2]
        most = 2 * n * tall * wide + 2 * n * count * rank * (wide + tall)
        # Entry by entry: scalings and masks of factors and thin results, several times each.
        most += 4 * count * (n + rank) * (wide + tall)
        expect.that(
            answer["flops"] <= most,
            "Too much is computed: a matrix B A is formed, or the base's product is repeated.",
            yours=f"{answer['flops']} FLOPs",
            right=f"at most {most}",
            hint="x @ A^T first, then @ B^T: both products are thin.",
        )
