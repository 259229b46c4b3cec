"""integer-model: int32 biases, multipliers and shifts from codes, scales and zero-points."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lenet

PARTS = {"per tensor": 0.4, "per channel": 0.4, "edges": 0.2}
HINTS = (
    "The input of a layer: zip(ACTIVATIONS, LAYERS) gives ('input', 'conv1'), ('conv1', 'conv2') ...",
    "A sum has the scale s_x * s_w: the bias is round(b / (s_x * s_w)), int32.",
    "M = s_x * s_w / s_y; mantissa, exponent = np.frexp(M); m0 = round(mantissa * 2**31), shift = -exponent.",
    "Where m0 is 2**31, write 2**30 and a shift smaller by one.",
)


def cases(rng):
    for part, per_channel in (("per tensor", False), ("per channel", True)):
        yield _case(rng, "a narrow network", part, per_channel, (2, 3, 5))
        yield _case(rng, "unequal channels", part, per_channel, (3, 4, 9), spread=1.3)
        yield _case(rng, "the real widths", part, per_channel, (8, 32, 128))
        yield _case(rng, "3-bit codes", part, per_channel, (3, 4, 9), bits=3)
    yield _fixed(rng, "M just below a power of two", 0.5 * (1 - 2.0**-34))
    yield _fixed(rng, "M = 1/2 and M = 1", 1.0)
    yield _fixed(rng, "M between 1 and 2", 1.7)
    yield _fixed(rng, "tiny M", 3.1e-6)
    yield _ties(rng)


def _case(rng, label, part, per_channel, widths, spread=0.6, bits=8):
    params = lenet.random_params(rng, *widths, spread=spread)
    qparams = {
        name: (float(np.exp(rng.uniform(-4, -2))), int(rng.integers(-128, 30)))
        for name in lenet.ACTIVATIONS
    }
    weights = lenet.quantized(params, per_channel, bits)
    return case(label, part, params=params, weights=weights, qparams=qparams)


def _fixed(rng, label, m):
    """Every layer has the multiplier m exactly: float64 activation scales, weight scales of 1/4."""
    params = lenet.random_params(rng)
    weights = {
        layer: (codes, np.full_like(scales, 0.25))
        for layer, (codes, scales) in lenet.quantized(params, True).items()
    }
    qparams, scale = {}, 0.125
    for name in lenet.ACTIVATIONS:
        qparams[name] = (scale, int(rng.integers(-128, 128)))
        scale = scale * 0.25 / m
    return case(label, "edges", params=params, weights=weights, qparams=qparams)


def _ties(rng):
    """Zero-points at both ends; biases of both signs a long way from a tie but not whole."""
    params = lenet.random_params(rng)
    weights = lenet.quantized(params, False)
    weights = {k: (c, np.full_like(s, 2.0**-6)) for k, (c, s) in weights.items()}
    qparams = {
        n: (2.0**-4, z) for n, z in zip(lenet.ACTIVATIONS, (127, -128, 0, -1, 1), strict=True)
    }
    for layer in lenet.LAYERS:
        whole = rng.integers(-3000, 3000, len(params[f"{layer}.bias"]))
        params[f"{layer}.bias"] = ((whole + 0.7) * 2.0**-10).astype(np.float32)
    return case(
        "biases 0.7 beyond a whole number", "edges", params=params, weights=weights, qparams=qparams
    )


def probe(solution, params, weights, qparams):
    return solution(params, weights, qparams)


def judge(case, answer):
    names = ("weight", "bias", "m0", "shift")
    keys = tuple(f"{layer}.{name}" for layer in lenet.LAYERS for name in names)
    model = expect.mapping(answer, (*keys, "scales", "zero_points"))
    want = lenet.assemble(case.params, case.weights, case.qparams)
    for key in (*keys, "scales", "zero_points"):
        expect.array(model[key], key, shape=want[key].shape, dtype=want[key].dtype)
    expect.close(
        model["scales"],
        want["scales"],
        "scales",
        hint="In the order input, conv1, conv2, fc1, fc2.",
    )
    expect.codes(model["zero_points"], want["zero_points"], "zero_points")
    for before, layer in zip(lenet.ACTIVATIONS, lenet.LAYERS, strict=False):
        sums = case.qparams[before][0] * case.weights[layer][1].astype(np.float64)
        expect.codes(model[f"{layer}.weight"], want[f"{layer}.weight"], f"{layer}.weight")
        _bias(model[f"{layer}.bias"], case.params[f"{layer}.bias"] / sums, layer, before)
        _multiplier(model, layer, sums / case.qparams[layer][0], before)


def _bias(bias, exact, layer, before):
    """Within half a unit of the exact quotient; slack for a product of scales in float32."""
    good = np.abs(bias - exact) <= 0.5 + 1e-3 + 1e-6 * np.abs(exact)
    expect.codes(
        np.where(good, np.rint(exact), bias),
        np.rint(exact),
        f"{layer}.bias",
        hint=f"bias / (scale of {before} * scale of the channel's weights), rounded to nearest.",
    )


def _multiplier(model, layer, exact, before):
    m0 = model[f"{layer}.m0"].astype(np.int64)
    low, high = 2**30, 2**31
    expect.that(
        bool(((m0 >= low) & (m0 < high)).all()),
        f"`{layer}.m0` is not in [2**30, 2**31).",
        yours=int(m0[np.argmax((m0 < low) | (m0 >= high))]),
        right="2**30 <= m0 < 2**31",
        hint="np.frexp gives a mantissa in [0.5, 1); int32 holds no 2**31.",
    )
    value = m0 * 2.0 ** (-31 - model[f"{layer}.shift"].astype(np.float64))
    # 5e-7 is three roundings in float32; a 16-bit multiplier is off by up to 1.5e-5.
    expect.close(
        value,
        exact,
        f"{layer}: m0 * 2**-31 * 2**-shift",
        rtol=5e-7,
        hint=f"M = (scale of {before}) * (scale of the weights) / (scale of {layer}).",
    )
