"""Cases and judgement for symmetric weight quantization of a LeNet's four weights."""

import numpy as np

from autograder.checks import expect
from autograder.checks.oracles import lenet

# float32 and float64 evaluations of w / scale differ by 127 * 2**-22 = 3e-5 steps at most.
NEAR_TIE = 1e-3


def ladder(rng):
    """(label, part, params, bits): narrow and wide networks, unequal channels, ties, zeros."""
    yield "a narrow network", "8 bits", lenet.random_params(rng, 2, 3, 5), 8
    yield "channels of unequal size", "8 bits", lenet.random_params(rng, 3, 4, 9, spread=1.5), 8
    yield "the real widths", "8 bits", lenet.random_params(rng, 8, 32, 128), 8
    yield "the largest weight is negative", "8 bits", _negative(rng), 8
    for bits in (4, 3, 6, 2):
        yield f"{bits} bits", "fewer bits", lenet.random_params(rng, 3, 4, 7), bits
    yield "exact ties, 4 bits", "ties and zeros", _ties(rng, 7), 4
    yield "exact ties, 8 bits", "ties and zeros", _ties(rng, 127), 8
    yield "channels and a layer of zeros", "ties and zeros", _zeros(rng), 8


def _negative(rng):
    """The extreme of every channel is negative, half as large again as the positive values."""
    params = lenet.random_params(rng)
    for layer in lenet.LAYERS:
        weight = params[f"{layer}.weight"]
        rows = weight.reshape(len(weight), -1)
        rows[:, 0] = -1.5 * np.abs(rows).max(1)
    return params


def _ties(rng, qmax):
    """Every channel has the maximum qmax / 4, so its scale is exactly 0.25; half the rest are ties."""
    params = lenet.random_params(rng)
    for layer in lenet.LAYERS:
        shape = params[f"{layer}.weight"].shape
        codes = rng.integers(-2 * qmax, 2 * qmax + 1, (shape[0], int(np.prod(shape[1:])))) / 2
        codes[:, 1] = qmax
        params[f"{layer}.weight"] = (codes / 4).astype(np.float32).reshape(shape)
    return params


def _zeros(rng):
    params = lenet.random_params(rng)
    for layer in lenet.LAYERS:
        params[f"{layer}.weight"][1] = 0
    params["conv2.weight"][:] = 0
    return params


def judge(answer, params, bits, per_channel):
    """Type, shape, dtype, scales, then codes, layer by layer."""
    expect.mapping(answer, lenet.LAYERS)
    top = 2 ** (bits - 1) - 1
    for layer in lenet.LAYERS:
        weight = params[f"{layer}.weight"]
        codes, scales = expect.sequence(answer[layer], (f"{layer} codes", f"{layer} scales"))
        want = lenet.weight_scales(weight, per_channel, bits)
        expect.array(codes, f"codes of {layer}", shape=weight.shape, dtype=np.int8)
        expect.array(scales, f"scales of {layer}", shape=want.shape, dtype=np.float32)
        expect.close(
            scales,
            want,
            f"scales of {layer}",
            hint=f"max|W| over qmax = {top}; 1.0 where all weights are 0.",
        )
        _codes(codes, lenet.steps(weight, want), f"codes of {layer}")


def _codes(codes, steps, name):
    """Nearest integers; at an exact half the even one. Either neighbour within NEAR_TIE of a half."""
    part = np.abs(steps - np.floor(steps) - 0.5)
    unclear = (part > 0) & (part < NEAR_TIE)
    nearest = np.rint(steps).astype(np.int64)
    fits = np.abs(codes - steps) <= 0.5 + NEAR_TIE
    expect.codes(
        np.where(unclear & fits, nearest, codes),
        nearest,
        name,
        cause=_cause(codes, steps),
        hint="Round W / scale to nearest, ties to even: np.rint.",
    )


def _cause(codes, steps):
    """The rounding that gives these codes, where it is a known one."""
    for rounding, word in (
        (np.trunc, "towards zero (astype without rounding)"),
        (np.floor, "down"),
    ):
        # The channel's maximum is qmax up to float rounding, and may fall to either side.
        if np.mean(codes == rounding(steps)) > 0.9:
            return f"You rounded {word}."
    return ""
