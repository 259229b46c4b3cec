"""learned-scale: LSQ's gradient by the scale of a symmetric quantizer.

The oracle is torch's own kernel for a learnable scale (torch.ao's learnable fake-quantize), which
rounds and masks by the same rule; the clipped part is also a plain derivative, checked by a finite
difference.
"""

import math

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import symmetric

PARTS = {"inside": 0.35, "clipped": 0.35, "boundary": 0.15, "bad input": 0.15}
HINTS = (
    "v = x / scale; codes = round(v); inside = |codes| <= qmax.",
    "Inside, one element gives codes - v. Outside it gives +qmax or -qmax.",
    "Multiply by upstream, add up, divide by sqrt(x.numel() * qmax).",
)


def _case(rng, label, part, shape, bits, reach):
    scale = float(rng.uniform(0.05, 0.5))
    top = symmetric.qmax(bits)
    x = symmetric.off_ties(rng.uniform(-reach, reach, shape) * (top + 0.4) * scale, scale)
    return _given(rng, label, part, x, scale, bits)


def _given(rng, label, part, x, scale, bits):
    upstream = rng.normal(0.3, 1, x.shape).astype(np.float32)
    return case(label, part, x=x.astype(np.float32), scale=scale, bits=bits, upstream=upstream)


def cases(rng):
    yield _given(rng, "one value", "inside", np.float32([0.6]), 0.5, 4)
    for bits in (8, 4, 3, 2):
        yield _case(rng, f"{bits} bits, nothing clipped", "inside", (43,), bits, 0.95)
    yield _case(rng, "a matrix", "inside", (12, 17), 4, 0.95)
    for bits in (8, 4, 3, 2):
        yield _case(rng, f"{bits} bits, some clipped", "clipped", (57,), bits, 2.5)
    yield _case(rng, "three axes", "clipped", (3, 4, 5), 3, 1.5)
    yield _given(rng, "all above", "clipped", np.full(9, 40.0), 0.5, 4)
    yield _given(rng, "all below", "clipped", np.full((3, 3), -40.0), 0.5, 4)
    # Exact in float32: codes at the end of the range, and the tie that rounds out of it or into it.
    for bits, top in ((4, 7), (3, 3), (2, 1)):
        ends = np.array([top, top + 0.4375, top + 0.5, top + 0.5625, top + 1, top - 0.5])
        x = np.concatenate([ends, -ends, -ends[1:2], ends[3:5]]) * 0.25
        yield _given(rng, f"the ends at {bits} bits", "boundary", x, 0.25, bits)
    x = rng.normal(0, 1, 5)
    for scale in (0.0, -0.1, math.nan):
        yield _given(rng, f"scale {scale}", "bad input", x, scale, 4)
    for bits in (1, 9):
        yield _given(rng, f"bits={bits}", "bad input", x, 0.5, bits)
    yield _given(rng, "an empty x", "bad input", np.zeros(0), 0.5, 4)


def probe(solution, x, scale, bits, upstream):
    import torch

    bad = not 2 <= bits <= 8 or not scale > 0 or not x.size
    given = torch.from_numpy(x.copy()), torch.from_numpy(upstream.copy())
    try:
        value = solution(given[0], scale, bits, given[1])
    except NotImplementedError:
        raise
    except Exception as error:
        if not bad:
            raise
        return {"raised": type(error).__name__}
    if bad:
        return {"raised": None}
    same = np.array_equal(given[0].numpy(), x) and np.array_equal(given[1].numpy(), upstream)
    return {"gradient": value, "same": same}


def _reference(x, scale, bits, upstream):
    """The gradient by torch's learnable fake-quantize, float32 inputs summed element by element."""
    import torch

    top = symmetric.qmax(bits)
    total, size = 0.0, 0.0
    for value, arrives in zip(x.ravel(), upstream.ravel().astype(np.float64), strict=True):
        s = torch.tensor([scale], dtype=torch.float32, requires_grad=True)
        z = torch.zeros(1, requires_grad=True)
        leaf = torch.tensor([float(value)], requires_grad=True)
        torch._fake_quantize_learnable_per_tensor_affine(
            leaf, s, z, -top, top, 1.0
        ).sum().backward()
        total += float(s.grad) * arrives
        size += abs(arrives) * max(abs(float(s.grad)), 1)
    factor = 1 / math.sqrt(x.size * top)
    return total * factor, size * factor


def judge(case, answer):
    if case.part == "bad input":
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    expect.mapping(answer, ("gradient", "same"))
    want, size = _reference(case.x, case.scale, case.bits, case.upstream)
    # x / scale in float32 is off by eps * qmax steps, which codes - v carries over in full.
    slack = 4 * 2.0**-23 * symmetric.qmax(case.bits) * size
    expect.number(
        answer["gradient"],
        want,
        "the gradient",
        rtol=1e-6,
        atol=slack,
        hint=("sum(upstream * d) / sqrt(n * qmax), with d = code - v inside and +-qmax outside."),
    )
    expect.that(answer["same"], "Your function changes its arguments.", stage="mutation")
