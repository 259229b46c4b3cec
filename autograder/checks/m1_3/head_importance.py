"""head-importance: |sum of output * gradient| for each sequence and head, averaged over sequences."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"one sequence": 0.3, "several": 0.5, "bad input": 0.2}
HINTS = (
    "Reshape the products to (sequences, tokens, heads, head_dim).",
    "Sum over tokens and features first, take the absolute value afterwards.",
    "The mean is over sequences only.",
)


def cases(rng):
    def pair(shape, dtype=np.float32, mean=0.0):
        return {
            "outputs": rng.normal(mean, 1, shape).astype(dtype),
            "gradients": rng.normal(0, 0.1, shape).astype(dtype),
        }

    for shape, heads in (((1, 1, 4), 4), ((1, 5, 6), 2), ((1, 7, 8), 1), ((1, 3, 12), 4)):
        yield case(f"{shape}, {heads} heads", "one sequence", **pair(shape), heads=heads)
    yield case("all negative", "one sequence", heads=2,
               outputs=-np.ones((1, 3, 4), np.float32),
               gradients=np.full((1, 3, 4), 0.25, np.float32))  # fmt: skip
    for shape, heads, dtype in (
        ((2, 3, 4), 2, np.float32), ((6, 5, 12), 3, np.float64), ((4, 4, 4), 4, np.float32),
        ((16, 32, 64), 4, np.float32), ((3, 8, 16), 16, np.float32),
    ):  # fmt: skip
        yield case(f"{shape}, {heads} heads", "several", **pair(shape, dtype), heads=heads)
    yield case("outputs far from 0", "several", **pair((5, 4, 8), mean=3), heads=2)
    opposite = pair((1, 4, 6))
    both = {
        "outputs": np.concatenate([opposite["outputs"]] * 2),
        "gradients": np.concatenate([opposite["gradients"], -opposite["gradients"]]),
    }
    yield case("two sequences that pull against each other", "several", **both, heads=3)
    zero = pair((3, 4, 6))
    zero["gradients"][1] = 0
    yield case("a sequence without gradient", "several", **zero, heads=2)
    good = pair((2, 3, 8))
    for heads in (3, 0, -2, 16):
        yield case(f"{heads} heads for 8 features", "bad input", **good, heads=heads, bad=True)
    for label, shape in (
        ("no tokens", (2, 0, 8)),
        ("no features", (2, 3, 0)),
        ("four axes", (2, 3, 2, 8)),
    ):
        odd = {k: np.ones(shape, np.float32) for k in good}
        yield case(label, "bad input", **odd, heads=2, bad=True)
    single = {**good, "gradients": good["gradients"][:1].copy()}
    yield case("gradients of one sequence", "bad input", **single, heads=2, bad=True)
    turned = {**good, "gradients": good["gradients"].reshape(3, 2, 8)}
    yield case("gradients turned on their side", "bad input", **turned, heads=2, bad=True)
    column = {**good, "gradients": good["gradients"][:, :, :1].copy()}
    yield case("gradients of another shape", "bad input", **column, heads=2, bad=True)
    one = {k: v[0] for k, v in good.items()}
    yield case("two axes", "bad input", **one, heads=2, bad=True)
    none = {k: v[:0] for k, v in good.items()}
    yield case("no sequences", "bad input", **none, heads=2, bad=True)


def probe(solution, outputs, gradients, heads, bad=False):
    import torch

    tensors = torch.from_numpy(outputs), torch.from_numpy(gradients)
    if bad:
        return refusal(lambda: solution(*tensors, heads))
    return solution(*tensors, heads)


def judge(case, answer):
    if case.part == "bad input":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    outputs, gradients = np.float64(case.outputs), np.float64(case.gradients)
    width = outputs.shape[2] // case.heads
    want, slack = np.zeros(case.heads), np.zeros(case.heads)
    for head in range(case.heads):
        own = slice(head * width, (head + 1) * width)
        for a, g in zip(outputs, gradients, strict=True):
            # The derivative of the loss by a gate on the head: an inner product.
            want[head] += abs(np.vdot(a[:, own], g[:, own])) / len(outputs)
            slack[head] += np.vdot(np.abs(a[:, own]), np.abs(g[:, own])) / len(outputs)
    dtype = f"torch.{case.outputs.dtype}"
    values = expect.tensor(answer, "importance", shape=(case.heads,), dtype=dtype)
    bound = 2e-6 if case.outputs.dtype == np.float32 else 1e-12
    return expect.close(values, want, "importance", rtol=0, atol=slack * bound, hint=HINTS[1])
