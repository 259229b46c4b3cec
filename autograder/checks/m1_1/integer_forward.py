"""integer-forward: LeNet in integers, bit for bit: zero-points, requantization, ReLU, pooling."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lenet

PARTS = {"per tensor": 0.4, "per channel": 0.25, "zero-points": 0.2, "rounding": 0.15}
HINTS = (
    "Widen first: codes, zero-points, m0 and shift to int64.",
    "x - zero_points[k] before the sums; then padding with 0 is padding with the real 0.",
    "A convolution's bias, m0 and shift have the shape (-1, 1, 1); a linear layer's (-1,).",
    "The ReLU of layer k is np.maximum(y, zero_points[k + 1]); fc2 has none.",
)


def cases(rng):
    yield _case(rng, "one image", "per tensor", 1, False)
    yield _case(rng, "three images", "per tensor", 3, False)
    yield _case(rng, "the real widths", "per tensor", 2, False, (8, 32, 128))
    yield _case(rng, "one image", "per channel", 1, True)
    yield _case(rng, "unequal channels, 5 images", "per channel", 5, True, spread=1.2)
    yield _case(rng, "the real widths", "per channel", 2, True, (8, 32, 128))
    yield _case(
        rng,
        "inner zero-points away from -128",
        "zero-points",
        3,
        True,
        zero=(-128, -90, -31, 12, 5),
    )
    yield _case(
        rng, "input zero-point 40", "zero-points", 2, False, zero=(40, -128, -100, -128, -60)
    )
    yield _case(
        rng, "zero-points at both ends", "zero-points", 2, True, zero=(127, -128, 100, -128, 127)
    )
    yield _rounding(rng, "multipliers that are powers of two")
    yield _rounding(rng, "sums close to the end of int32", large=True)


def _case(rng, label, part, count, per_channel, widths=(3, 4, 12), spread=0.6, zero=None):
    params = lenet.random_params(rng, *widths, spread=spread)
    model = lenet.build(params, lenet.random_images(rng, 40), per_channel)
    if zero is not None:
        model["zero_points"] = np.array(zero, np.int8)
    codes = rng.integers(-128, 128, (count, 1, 28, 28)).astype(np.int8)
    codes[:, :, :4, :5] = model["zero_points"][0]
    return case(label, part, model=model, codes=codes)


def _rounding(rng, label, large=False):
    """acc * m0 / 2**n is often exactly a half, of both signs; or the products need 62 bits."""
    params = lenet.random_params(rng)
    model = lenet.build(params, lenet.random_images(rng, 40), True)
    for layer in lenet.LAYERS:
        size = len(model[f"{layer}.bias"])
        if large:
            model[f"{layer}.m0"] = rng.integers(2**31 - 2**20, 2**31, size).astype(np.int32)
            model[f"{layer}.shift"] = np.full(size, 24, np.int8)
            model[f"{layer}.bias"] = rng.integers(-(2**30), 2**30, size).astype(np.int32)
        else:
            # Sums are small here: few codes, so that halves survive the clipping.
            model[f"{layer}.weight"] = np.sign(model[f"{layer}.weight"]).astype(np.int8)
            model[f"{layer}.m0"] = np.full(size, 2**30, np.int32)
            model[f"{layer}.shift"] = rng.integers(1, 4, size).astype(np.int8)
            model[f"{layer}.bias"] = rng.integers(-40, 40, size).astype(np.int32)
    if large:
        # One below a half, beyond 2**24: in float32 the sum becomes the half itself and goes up.
        whole = rng.integers(32, 60, 5) * rng.choice([-1, 1], 5)
        model["fc2.weight"][:5] = 0
        model["fc2.bias"][:5] = whole * 2**20 + 2**19 - 1
        model["fc2.m0"][:5], model["fc2.shift"][:5] = 2**30, 19
    model["zero_points"] = np.array([-20, -60, -40, -30, 0], np.int8)
    codes = (rng.integers(-4, 5, (3, 1, 28, 28)) - 20).astype(np.int8)
    return case(label, "rounding", model=model, codes=codes)


def probe(solution, model, codes):
    return solution(model, codes)


def judge(case, answer):
    want = lenet.integer_logits(case.model, case.codes)
    expect.array(answer, "the logits' codes", shape=want.shape, dtype=np.int8)
    expect.codes(answer, want, "the logits' codes", hint=_hint(case))


def _hint(case):
    return {
        "zero-points": "Inner zero-points differ from -128: subtract the input's, add the output's.",
        "rounding": "Half goes up, also for negative sums: (acc * m0 + 2**(n - 1)) >> n, in int64.",
        "per channel": "m0 and shift have one value for each output channel, along axis 1 of (N, C, H, W).",
    }.get(case.part, "Compare your steps with the docstring, layer by layer.")
