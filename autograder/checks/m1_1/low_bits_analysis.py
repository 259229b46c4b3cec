"""low-bits-analysis: counts of the codes, reach of the channels, SQNR of the weights."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lenet

PARTS = {"counts": 0.3, "reach": 0.3, "sqnr_db": 0.4}
HINTS = (
    "rows = codes.reshape(len(codes), -1).astype(np.int64): int8 cannot hold 127 + 127.",
    "np.bincount(rows.ravel() + qmax, minlength=2 * qmax + 1).",
    "reach: np.abs(rows).max(axis=1) / qmax, then the mean.",
    "sqnr_db: 10 * log10 of a ratio of sums of squares; math.inf where the noise is 0.",
)


def cases(rng):
    for part in PARTS:
        for per_channel, word in ((False, "per tensor"), (True, "per channel")):
            for layer, bits in (("fc1", 8), ("conv2", 4), ("conv1", 3), ("fc2", 2), ("fc2", 6)):
                yield _case(rng, f"{layer}, {bits} bits, {word}", part, layer, bits, per_channel)
        yield _exact(rng, part)
        yield _zero_channel(rng, part)
        yield _clipped(rng, part)


def _case(rng, label, part, layer, bits, per_channel, params=None):
    params = params or lenet.random_params(rng, 3, 4, 9, spread=1.0)
    weight = params[f"{layer}.weight"]
    codes, scales = lenet.quantized(params, per_channel, bits)[layer]
    return case(label, part, weight=weight, codes=codes, scales=scales, bits=bits)


def _exact(rng, part):
    codes = rng.integers(-5, 6, (4, 6)).astype(np.int8)
    weight = (codes * 0.25).astype(np.float32)
    return case(
        "nothing is lost",
        part,
        weight=weight,
        codes=codes,
        scales=np.array([0.25], np.float32),
        bits=4,
    )


def _zero_channel(rng, part):
    params = lenet.random_params(rng, 3, 4, 9)
    params["conv2.weight"][1] = 0
    return _case(rng, "a channel of zeros", part, "conv2", 4, True, params)


def _clipped(rng, part):
    """A smaller scale, so that the largest weights clip and one channel never reaches the end."""
    weight = rng.standard_normal((3, 5, 2, 2)).astype(np.float32)
    weight[2] *= np.float32(0.1)
    codes = np.clip(np.rint(weight / np.float32(0.5)), -3, 3).astype(np.int8)
    return case(
        "clipped weights",
        part,
        weight=weight,
        codes=codes,
        scales=np.array([0.5], np.float32),
        bits=3,
    )


def probe(solution, weight, codes, scales, bits):
    return solution(weight, codes, scales, bits)


def judge(case, answer):
    stats = expect.mapping(answer, tuple(PARTS))
    top = 2 ** (case.bits - 1) - 1
    flat = case.codes.reshape(len(case.codes), -1).tolist()
    if case.part == "counts":
        want = np.array([sum(row.count(code) for row in flat) for code in range(-top, top + 1)])
        expect.array(stats["counts"], "counts", shape=want.shape, dtype=np.int64)
        expect.codes(stats["counts"], want, "counts", hint="Index i counts the code i - qmax.")
    elif case.part == "reach":
        want = sum(max(map(abs, row)) / top for row in flat) / len(flat)
        expect.number(
            stats["reach"],
            want,
            "reach",
            rtol=1e-5,
            hint=f"Largest |code| of each channel / {top}, then the mean.",
        )
    else:
        along = case.scales.astype(np.float64).reshape((-1,) + (1,) * (case.weight.ndim - 1))
        real = case.weight.astype(np.float64)
        noise = np.sum((real - case.codes * along) ** 2)
        want = float(10 * np.log10(np.sum(real**2) / noise)) if noise else float("inf")
        expect.number(
            stats["sqnr_db"],
            want,
            "sqnr_db",
            rtol=1e-4,
            atol=1e-3,
            hint="Sums over all weights of the layer.",
        )
