"""q4-0-quantize: the gguf package's bytes, near halves, with equal extremes, at the ends of fp16."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import blocks

KIND = "Q4_0"
PARTS = {"values": 0.5, "edge": 0.2, "halves": 0.2, "refuse": 0.1}
HINTS = (
    "np.abs(blocks).argmax(-1) finds the largest magnitude; np.take_along_axis fetches it with its sign.",
    "np.minimum(np.floor(blocks * r + np.float32(8.5)), 15).astype(np.uint8) are the nibbles.",
    "Byte j is nibble[j] | nibble[j + 16] << 4.",
)


def cases(rng):
    yield from blocks.cases_to_pack(rng, KIND)
    zeros = np.zeros((3, 64), np.float32)
    yield _good("zeros", "edge", zeros)
    some = rng.normal(0, 1, (4, 64)).astype(np.float32)
    some[1, 32:] = 0
    yield _good("a block of zeros between others", "edge", blocks.off_halves(some, KIND))
    pair = some.copy()
    pair[:, 20], pair[:, 3] = 5, -5
    yield _good("5 and -5, the negative first", "edge", blocks.off_halves(pair, KIND))
    yield _good("5 and -5, the positive first", "edge", blocks.off_halves(-pair + 0, KIND))
    for label, factor in (
        ("too small for fp16", 1e-8),
        ("subnormal in fp16", 1e-4),
        ("too large for fp16", 1e7),
    ):
        scaled = (some * np.float32(factor)).astype(np.float32)
        yield _good(f"d {label}", "edge", blocks.off_halves(scaled, KIND))
    for label, x in (("all negative", -np.abs(some)), ("all positive", np.abs(some) + 0.1)):
        yield _good(label, "edge", blocks.off_halves((x + 0).astype(np.float32), KIND))
    whole = rng.integers(-8, 8, (8, 32)) + rng.choice([0.5, 0.0], (8, 32))
    whole[:, 7] = rng.choice([-8, 8], 8)
    yield _good("exact halves", "halves", whole.astype(np.float32))
    yield _good("a hair from a half", "halves", _hair())
    yield _good("near halves", "halves", _near_halves(rng))


def _good(label, part, x):
    return case(label, part, x=x, good=True)


def _hair():
    """d is 1: the float32 sum with 8.5 rounds these neighbours of a half onto it."""
    x = np.zeros(32, np.float32)
    half = np.float32(0.5)
    x[:6] = (
        -8,
        np.nextafter(-half, np.float32(-1)),
        np.nextafter(half, np.float32(0)),
        0.5,
        -0.5,
        1.5,
    )
    x[16:18] = np.nextafter(np.float32(-1.5), np.float32(-2)), 7.6
    return x


def _near_halves(rng):
    """Weights at d * (k + 1/2) for a crooked d: there x * (1 / d) and x / d often round apart."""
    d = rng.uniform(0.001, 0.1, (128, 1)).astype(np.float32)
    x = d * (rng.integers(-7, 7, (128, 32)) + np.float32(0.5))
    x[:, :1] = d * rng.choice(np.array([-8, 8], np.float32), (128, 1))
    return x.astype(np.float32)


def probe(solution, x, good):
    if good:
        return solution(x)
    return refusal(lambda: solution(x))


def judge(case, answer):
    if case.good:
        blocks.check_packed(KIND, answer, case.x)
        return
    n = case.x.shape[-1]
    why = f"{n} weights are no whole blocks" if n % 32 else "x holds a value that is not finite"
    expect.raised(answer, "ValueError", f"{why}: raise ValueError.")
