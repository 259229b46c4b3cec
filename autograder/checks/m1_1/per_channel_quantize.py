"""per-channel-quantize: symmetric codes with one scale for each channel along an axis."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import symmetric

PARTS = {"values": 0.6, "axes": 0.25, "edges": 0.15}
HINTS = (
    "A scale per channel: reduce |w| with max over every axis except `axis`.",
    "keepdims=True leaves axes of length 1, so that w / scales broadcasts by itself.",
    "np.rint rounds to nearest with ties to even; 2**(bits - 1) - 1 is the largest code.",
)


def _amax(w, axis):
    others = tuple(i for i in range(w.ndim) if i != axis % w.ndim)
    return np.abs(w.astype(np.float64)).max(axis=others, keepdims=True)


def _weights(rng, shape, axis, bits):
    """Normal weights; channel k is wider than channel k-1, and no value sits near a tie."""
    w = rng.standard_normal(shape).astype(np.float32)
    spread = np.geomspace(0.02, 3, shape[axis]).astype(np.float32)
    spread = rng.permutation(spread)
    w *= np.expand_dims(spread, tuple(i for i in range(len(shape)) if i != axis % len(shape)))
    return symmetric.off_ties(w, symmetric.scale_of(_amax(w, axis), bits))


def _ties():
    """Channels whose scale is a power of two; halves between codes, and both ends of the range."""
    steps = np.array(
        [[127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5], [-127, 3.5, 4.5, -3.5, -4.5, 125.5, 1, 0]]
    )
    return (steps * np.array([[2**-6], [2**-3]])).astype(np.float32)


def cases(rng):
    yield case("two rows", w=np.array([[1, -2], [10, 5.1]], np.float32), options={}, part="values")
    yield case("8 x 32, axis 0", w=_weights(rng, (8, 32), 0, 8), options={}, part="values")
    yield case("exact ties", w=_ties(), options={"axis": 0, "bits": 8}, part="values")
    yield case(
        "4 bits", w=_weights(rng, (6, 17), 0, 4), options={"axis": 0, "bits": 4}, part="values"
    )
    yield case(
        "all negative",
        w=-np.abs(_weights(rng, (3, 9), 0, 8)),
        options={"axis": 0, "bits": 8},
        part="values",
    )
    yield case("columns", w=_weights(rng, (16, 16), 1, 8), options={"axis": 1}, part="axes")
    yield case(
        "convolution weights, axis 0",
        w=_weights(rng, (8, 3, 5, 5), 0, 8),
        options={"axis": 0, "bits": 8},
        part="axes",
    )
    yield case(
        "convolution weights, axis 1, 6 bits",
        w=_weights(rng, (5, 4, 3, 3), 1, 6),
        options={"axis": 1, "bits": 6},
        part="axes",
    )
    yield case("last axis", w=_weights(rng, (7, 5, 6), -1, 8), options={"axis": -1}, part="axes")
    yield case(
        "4-D, axis -3",
        w=_weights(rng, (3, 6, 4, 2), -3, 8),
        options={"axis": -3},
        part="axes",
    )
    yield case("one axis only", w=np.array([0.5, -3], np.float32), options={}, part="axes")
    zero = _weights(rng, (4, 12), 0, 8)
    zero[2] = 0
    yield case("a channel of zeros", w=zero, options={"axis": 0, "bits": 8}, part="edges")
    yield case("zeros only", w=np.zeros((2, 3), np.float32), options={}, part="edges")
    tiny = symmetric.off_ties(
        (zero * 1e-12).astype(np.float32), symmetric.scale_of(_amax(zero * 1e-12, 0), 8)
    )
    yield case("very small weights", w=tiny, options={}, part="edges")


def probe(solution, w, options):
    return solution(w, **options)


def judge(case, answer):
    bits, axis = case.options.get("bits", 8), case.options.get("axis", 0)
    codes, scales = expect.sequence(answer, ("codes", "scales"))
    amax = _amax(case.w, axis)
    want = symmetric.scale_of(amax, bits)
    expect.array(codes, "codes", shape=case.w.shape, dtype=np.int8)
    keep = "Keep the reduced axes with length 1 (keepdims=True)."
    expect.array(scales, "scales", shape=want.shape, hint=keep)
    expect.array(scales, "scales", dtype=np.float32, hint="scales.astype(np.float32)")
    expect.close(scales, want, "scales", hint=f"amax of each channel / {symmetric.qmax(bits)}.")
    expect.codes(codes, symmetric.codes_of(case.w, want, bits), "codes")
