"""activation-qparams: scale and zero-point of each activation, codes -128..127."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lenet

PARTS = {"values": 0.7, "edges": 0.3}
HINTS = (
    "scale = (high - low) / 255: 256 codes, 255 steps.",
    "low belongs at code -128: zero_point = -128 - low / scale, rounded.",
    "Where high equals low, return (1.0, -128) before you divide.",
)


def cases(rng):
    yield case("ReLU and logits", "values", ranges={"fc1": (0.0, 16.4), "fc2": (-18.31, 21.64)})
    many = {name: _range(rng) for name in lenet.ACTIVATIONS}
    yield case("five activations", "values", ranges=many)
    yield case("other names", "values", ranges={"a": _range(rng), "pool5": _range(rng)})
    low = float(rng.uniform(2, 4))
    yield case("nothing above zero", "values", ranges={"x": (-low, 0.0)})
    yield case("nearly all negative", "values", ranges={"x": (-low, low / 40)})
    yield case("the image: 0 to 1", "values", ranges={"input": (0.0, 1.0)})
    # Steps of powers of two: -low / scale is exactly a half; ties go to the even code.
    yield case(
        "ties", "edges", ranges={"x": (-0.5, 254.5), "y": (-1.5, 253.5), "z": (-0.625, 63.125)}
    )
    yield case("nothing but zeros", "edges", ranges={"dead": (0.0, 0.0), "fc1": (0.0, 3.0)})
    yield case("tiny range", "edges", ranges={"x": (-3e-9, 5.07e-9)})


def _range(rng):
    """Both signs; -low / scale is far from a tie, and rounding up and down differ."""
    while True:
        low, high = -float(rng.uniform(0.3, 3)), float(rng.uniform(0.3, 6))
        if 0.55 < (-low / (high - low) * 255) % 1 < 0.95:
            return low, high


def probe(solution, ranges):
    return solution(ranges)


def judge(case, answer):
    expect.mapping(answer, tuple(case.ranges))
    expect.that(
        set(answer) == set(case.ranges),
        "The result has names that the ranges do not have.",
        stage="type",
        yours=sorted(map(str, answer)),
        right=sorted(case.ranges),
    )
    for name, (low, high) in case.ranges.items():
        scale, zero_point = expect.sequence(answer[name], ("scale", "zero_point"))
        want_scale, want_zero = lenet.qparams(low, high)
        expect.number(
            scale, want_scale, f"scale of {name}", hint="256 codes have 255 steps between them."
        )
        if isinstance(zero_point, (float, np.ndarray)):
            expect.wrong(
                "type",
                f"`zero_point of {name}` must be an int.",
                yours=expect.kind(zero_point),
                right=want_zero,
                hint="Only an integer code gives back exactly 0: round, then int().",
            )
        expect.integer(
            zero_point,
            want_zero,
            f"zero_point of {name}",
            hint="The codes start at -128: zero_point = round(-128 - low / scale), ties to even.",
        )
