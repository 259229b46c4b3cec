"""q8-0-quantize: the gguf package's bytes, near halves and at the ends of fp16 too."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import blocks

KIND = "Q8_0"
PARTS = {"values": 0.5, "edge": 0.2, "halves": 0.2, "refuse": 0.1}
HINTS = (
    "Reshape to (..., n // 32, 32), so that a maximum over the last axis is one for each block.",
    "size = |x * r|, whole = floor(size): add 1 where size - whole >= 0.5, then give the sign back.",
    'd.astype("<f2").view(np.uint8) and codes.astype(np.int8).view(np.uint8), joined along the last axis.',
)


def cases(rng):
    yield from blocks.cases_to_pack(rng, KIND)
    zeros = np.zeros((3, 64), np.float32)
    yield _good("zeros", "edge", zeros)
    some = rng.normal(0, 1, (4, 64)).astype(np.float32)
    some[1, 32:] = 0
    yield _good("a block of zeros between others", "edge", blocks.off_halves(some, KIND))
    for label, factor in (("too small for fp16", 1e-7), ("subnormal in fp16", 1e-3)):
        small = (some * np.float32(factor)).astype(np.float32)
        yield _good(f"d {label}", "edge", blocks.off_halves(small, KIND))
    large = (some * np.float32(1e8)).astype(np.float32)
    yield _good("d too large for fp16", "edge", blocks.off_halves(large, KIND))
    lopsided = -np.abs(some)
    yield _good("all negative", "edge", blocks.off_halves(lopsided, KIND))
    whole = rng.integers(-127, 127, (8, 32)) + rng.choice([0.5, 0.0], (8, 32))
    whole[:, 7] = 127
    yield _good("exact halves", "halves", whole.astype(np.float32))
    yield _good("just below a half", "halves", _below_half())
    yield _good("near halves", "halves", _near_halves(rng))


def _good(label, part, x):
    return case(label, part, x=x, good=True)


def _below_half():
    x = np.zeros(32, np.float32)
    x[:5] = 127, np.nextafter(np.float32(0.5), np.float32(0)), 0.5, -0.5, -0.49999997
    return x


def _near_halves(rng):
    """Weights at d * (k + 1/2) for a crooked d: there x * (1 / d) and x / d often round apart."""
    d = rng.uniform(0.001, 0.1, (2048, 1)).astype(np.float32)
    x = d * (rng.integers(-126, 126, (2048, 32)) + np.float32(0.5))
    x[:, :1] = d * np.float32(127)
    x = x.astype(np.float32)
    # Rows on which max|x| times a rounded 1 / 127 gives other codes, and any others.
    right = _codes(x, x[:, :1] / np.float32(127))
    other = _codes(x, x[:, :1] * np.float32(1 / 127))
    apart = np.flatnonzero((right != other).any(1))[:16]
    return np.concatenate([x[apart], x[:48]])


def _codes(x, d):
    size = np.abs(x * (np.float32(1) / d))
    return np.floor(size) + (size - np.floor(size) >= 0.5)


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
