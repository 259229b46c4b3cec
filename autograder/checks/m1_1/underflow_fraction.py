"""underflow-fraction: the shares of gradients that vanish and overflow in float16."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import half

PARTS = {"values": 0.5, "edges": 0.5}
HINTS = (
    "Multiply in float32, cast with `.astype(np.float16)`, and look at what came out.",
    "Lost means: nonzero before, zero after. A subnormal is not zero.",
    "Divide both counts by the number of nonzero gradients, and decide first what 0 / 0 gives.",
)


def _spread(rng, low, high, size):
    """Float32 of both signs, evenly spread over the decades from low to high."""
    x = 10 ** rng.uniform(low, high, size) * rng.choice([-1.0, 1.0], size)
    return x.astype(np.float32)


def cases(rng):
    yield case("one that survives", part="values", gradients=np.float32([1e-3]), loss_scale=1.0)
    yield case("one that vanishes", part="values", gradients=np.float32([1e-8]), loss_scale=1.0)
    for power in (0, 10, 20):
        gradients = _spread(rng, -12, 0, 501)
        yield case(f"scale 2^{power}", part="values", gradients=gradients, loss_scale=2.0**power)
    gradients = _spread(rng, -10, -2, 400)
    gradients[rng.permutation(400)[:240]] = 0
    yield case("many exact zeros", part="values", gradients=gradients, loss_scale=1.0)
    gradients = _spread(rng, 2, 7, (4, 5, 6))
    yield case("large, 3-D", part="values", gradients=gradients, loss_scale=1.0)
    gradients = _spread(rng, -9, 5, (40, 30))[::2, ::3]
    yield case("a view, scale 1/16", part="values", gradients=gradients, loss_scale=2.0**-4)
    gradients = _spread(rng, -13, 3, 600)
    product = gradients.astype(np.float64) * 1000
    for edge in (half.VANISHES, half.OVERFLOWS):
        gradients = gradients[np.abs(np.abs(product) / edge - 1) > 1e-5]
        product = gradients.astype(np.float64) * 1000
    yield case("scale 1000", part="values", gradients=gradients, loss_scale=1000.0)

    tiny = rng.uniform(2.0**-24, 2.0**-14, 64).astype(np.float32)
    yield case("subnormals only", part="edges", gradients=tiny, loss_scale=1.0)
    tie = np.float32(2.0**-25)
    around = np.float32([tie, -tie, np.nextafter(tie, np.float32(1)), tie / 2, tie * 1.5, 1.0])
    yield case("around half the smallest subnormal", part="edges", gradients=around, loss_scale=1.0)
    yield case("the same, scaled", part="edges", gradients=around / 1024, loss_scale=1024.0)
    top = np.float32(65520)
    around = np.float32([65504, np.nextafter(top, np.float32(0)), 65520, -65520, -65510, 65536, 1])
    yield case("around the largest float16", part="edges", gradients=around, loss_scale=1.0)
    yield case("the same, scaled", part="edges", gradients=around / 256, loss_scale=256.0)
    zeros = np.float32([0.0, -0.0, 0.0])
    yield case("all zero", part="edges", gradients=zeros, loss_scale=1024.0)
    yield case("empty", part="edges", gradients=np.zeros(0, np.float32), loss_scale=2.0)
    far = np.float32([1e30, 1e-30, -1e-3])
    yield case("beyond float32 too", part="edges", gradients=far, loss_scale=2.0**100)


def probe(solution, gradients, loss_scale):
    return solution(gradients, loss_scale)


def judge(case, answer):
    under, over = expect.sequence(answer, ("underflow", "overflow"))
    scaled = case.gradients.astype(np.float64) * case.loss_scale
    nonzero = int(np.count_nonzero(case.gradients))
    want_under = int(half.vanishes(scaled).sum()) / max(nonzero, 1)
    want_over = int(half.overflows(scaled).sum()) / max(nonzero, 1)
    expect.number(under, want_under, "underflow", hint="Which values are zero after the cast?")
    expect.number(over, want_over, "overflow", hint="Which values are infinite after the cast?")
