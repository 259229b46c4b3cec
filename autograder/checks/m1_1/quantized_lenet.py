"""quantized-lenet: the project's three models, rebuilt from their arrays and measured here."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lenet

PARTS = {"the integers": 0.4, "accuracy": 0.4, "size": 0.2}
BANK_SEEDS = 1
HINTS = (
    "float: params, as train_lenet returned them; the integer models: build_integer_model's dicts.",
    "Both integer models come from the same float parameters, with bits=8.",
    "Calibrate with 100 to 200 training images.",
)
LEAST_RATIO = 3.9
# Real MNIST: 2,000 test images. The stand-in has 359, of which one image is 0.28 points.
LEAST_ACCURACY = {False: 0.975, True: 0.93}
MOST_LOST = {False: 0.005, True: 0.01}
VARIANTS = {"per_tensor": False, "per_channel": True}
_measured = {}


def cases(rng):
    yield case("weights, biases, multipliers", "the integers")
    yield case("test images", "accuracy")
    yield case("bytes", "size")


def probe(solution):
    return solution()


def judge(case, answer):
    models = expect.mapping(answer, ("float", *VARIANTS))
    params = _float_form(models["float"])
    for name, per_channel in VARIANTS.items():
        _integer_form(models[name], name, per_channel)
    if case.part == "the integers":
        for name, per_channel in VARIANTS.items():
            _derived(models[name], name, params, per_channel)
            _calibrated(models[name], name, params)
    elif case.part == "accuracy":
        _accuracy(models)
    else:
        for name in VARIANTS:
            _size(params, models[name], name)


def _float_form(params):
    expect.that(
        params != {},
        'Your network `"float"` is empty.',
        stage="type",
        hint="Run the cells that train it and that make the integer models, then this check.",
    )
    expect.mapping(params, lenet.KEYS)
    for layer in lenet.LAYERS:
        shape = lenet.SHAPES[layer]
        for key, size in ((f"{layer}.weight", shape), (f"{layer}.bias", shape[:1])):
            expect.array(params[key], f'"float": {key}', shape=size, dtype=np.float32)
    extra = sorted(set(map(str, params)) - set(lenet.KEYS))
    expect.that(
        not extra, f'"float" holds {extra[:1]}, which is no parameter of the network.', stage="type"
    )
    return params


def _integer_form(model, name, per_channel):
    fields = {"weight": np.int8, "bias": np.int32, "m0": np.int32, "shift": np.int8}
    keys = [f"{layer}.{part}" for layer in lenet.LAYERS for part in fields]
    expect.mapping(model, (*keys, "scales", "zero_points"))
    for layer in lenet.LAYERS:
        shape = lenet.SHAPES[layer]
        count = shape[:1] if per_channel else (1,)
        sizes = {"weight": shape, "bias": shape[:1], "m0": count, "shift": count}
        for part, dtype in fields.items():
            expect.array(
                model[f"{layer}.{part}"],
                f'"{name}": {layer}.{part}',
                shape=sizes[part],
                dtype=dtype,
            )
    expect.array(model["scales"], f'"{name}": scales', shape=(5,), dtype=np.float32)
    expect.array(model["zero_points"], f'"{name}": zero_points', shape=(5,), dtype=np.int8)
    good = bool((np.isfinite(model["scales"]) & (model["scales"] > 0)).all())
    expect.that(good, f'"{name}": every scale must be positive.')
    for layer in lenet.LAYERS:
        shift = model[f"{layer}.shift"]
        expect.that(
            bool(((shift >= -1) & (shift <= 31)).all()),
            f'"{name}": {layer}.shift is not in -1..31.',
        )


def _derived(model, name, params, per_channel):
    """The integers are those of the float parameters and of the model's own activation scales."""
    act = {n: (float(s), int(z)) for n, s, z in zip(
        lenet.ACTIVATIONS, model["scales"], model["zero_points"], strict=True)}  # fmt: skip
    weights = {}
    for layer in lenet.LAYERS:
        scales = lenet.weight_scales(params[f"{layer}.weight"], per_channel)
        steps = lenet.steps(params[f"{layer}.weight"], scales)
        codes = model[f"{layer}.weight"]
        expect.codes(
            codes,
            np.where(np.abs(codes - steps) <= 0.501, codes, np.rint(steps)),
            f'"{name}": {layer}.weight',
            hint="Quantize exactly the float parameters that you hand in, with bits=8.",
        )
        weights[layer] = (codes, scales)
    want = lenet.assemble(params, weights, act)
    for layer in lenet.LAYERS:
        bias, right = (m[f"{layer}.bias"].astype(np.float64) for m in (model, want))
        # The model's scales are float32, the biases may have been computed from float64 ones.
        expect.close(bias, right, f'"{name}": {layer}.bias', rtol=1e-6, atol=1.01)
        value, right = (
            m[f"{layer}.m0"] * 2.0 ** (-31 - m[f"{layer}.shift"].astype(np.float64))
            for m in (model, want)
        )
        expect.close(value, right, f'"{name}": multipliers of {layer}', rtol=1e-6)


def _calibrated(model, name, params):
    """The codes -128 and 127 stand for the ends of what 100 to 200 training images give.

    Which images is free: a maximum moves by some tenths of the width from set to set. The image and
    what a ReLU gives start at 0 in every set.
    """
    data = lenet.mnist()
    seen = lenet.ranges(params, data.train_images[:150])
    for k, activation in enumerate(lenet.ACTIVATIONS):
        scale, zero_point = float(model["scales"][k]), int(model["zero_points"][k])
        got = scale * (-128 - zero_point), scale * (127 - zero_point)
        width = seen[activation][1] - seen[activation][0]
        gaps = [abs(a - b) / width for a, b in zip(got, seen[activation], strict=True)]
        expect.that(
            gaps[0] <= (0.01 if seen[activation][0] == 0 else 0.25) and gaps[1] <= 0.5,
            f'"{name}": the range of {activation} is not what training images give.',
            yours=f"{got[0]:.4g} to {got[1]:.4g}",
            right="about {:.4g} to {:.4g}".format(*seen[activation]),
            hint="calibrate(params, images) with the trained params and 100 to 200 training images.",
        )


def _accuracy(models):
    """On the images that this process finds: which they are sets the bar, so the kernel has no say."""
    data = lenet.mnist()
    stand_in = data.is_stand_in
    test = data.test_images, data.test_labels
    base = _once("float", models["float"], stand_in, lambda m: lenet.float_accuracy(m, *test))
    expect.that(
        base >= LEAST_ACCURACY[stand_in],
        f"The FP32 network is right on too few of {len(test[1])} test images.",
        yours=f"{base:.2%}",
        right=f"{LEAST_ACCURACY[stand_in]:.1%} or more",
        hint=f"Measured on {data}",
    )
    for name in VARIANTS:
        share = _once(name, models[name], stand_in, lambda m: lenet.integer_accuracy(m, *test))
        # A thousandth of an image of slack for the subtraction.
        expect.that(
            share >= base - MOST_LOST[stand_in] - 1e-6,
            f'The integer model "{name}" loses too much accuracy.',
            yours=f"{share:.2%}",
            right=f"{base - MOST_LOST[stand_in]:.2%} or more",
            hint="integer-model and integer-forward say which integers are off.",
        )


def _once(name, arrays, stand_in, measure):
    """An accuracy by the arrays' digest: the same model is not run twice."""
    key = name, lenet.digest(arrays), stand_in
    if key not in _measured:
        _measured[key] = measure(arrays)
    return _measured[key]


def _size(params, model, name):
    big, small = (
        sum(a.nbytes for a in arrays.values() if isinstance(a, np.ndarray))
        for arrays in (params, model)
    )
    expect.that(
        big / small >= LEAST_RATIO,
        f'The arrays of "{name}" are too large.',
        yours=f"{big / small:.3f} times smaller",
        right=f"{LEAST_RATIO} times or more",
        hint="Only int8 weights, int32 biases and m0, int8 shifts, scales and zero-points belong in it.",
    )
