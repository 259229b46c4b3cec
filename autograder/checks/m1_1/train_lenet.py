"""train-lenet: train the LeNet-5 variant; seeded, every array trained, float32 arrays by name.

The judge classifies held-out digits with its own forward pass. It trains on scikit-learn's digits,
which every installation carries: 1,437 images, so that a check takes seconds.
"""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lenet

PARTS = {"parameters": 0.3, "seed": 0.2, "accuracy": 0.5}
BANK_SEEDS = 1
HINTS = (
    "initial_tensors(torch.Generator().manual_seed(seed)) makes the untrained parameters.",
    "Every random number (order, shifts) comes from that same generator.",
    "One step for each batch: loss, zero_grad, backward, optimizer.step, schedule.step.",
    "The network's input is network_input(images), pixel / 255; the loss is F.cross_entropy(logits, y).",
)
# After 8 epochs recipes that learn are right on 94 to 99 % of the held-out digits with a cross-entropy
# below 0.1 on those seen. A network trained with tanh, or without its ReLUs, comes to 69 to 92 % and
# 0.47 or more when it is run with ReLUs.
LEAST_SHARE, MOST_LOSS = 0.90, 0.3
# An input of one constant moves all 25 weights of a channel of conv1 together; an input of 0 moves none
# of them, and weight decay or noise moves each on its own way. So |sum of moves| / sum of |moves| tells
# what the network was given for blank paper (pixel / 255 is 0: nothing, or below 0.24 with weight decay;
# standardised by constants 0.55 or more) and for full ink (pixel / 255 is 1: 0.31 or more with any decay;
# standardised by its own statistics it is 0 as well: below 0.24).
MOST_FOR_BLANK, LEAST_FOR_INK = 0.4, 0.27


def cases(rng):
    data = lenet.digits()
    images, labels = data.train_images, data.train_labels
    few = rng.permutation(len(images))[:150]
    seed = int(rng.integers(1, 1000))
    runs = ((0, seed), (1, seed), (1, seed + 1), (1, seed), (0, seed))
    small = {"images": images[few], "labels": labels[few]}
    yield case("150 images, no epoch and one", part="parameters", runs=runs[:2], **small)
    yield case("the same seed twice, another one between", part="seed", runs=runs, **small)
    for label, pixel in (("blank paper", 0), ("full ink", 255)):
        even = np.full((256, 28, 28), pixel, np.uint8)
        some = (np.arange(256) % 10).astype(np.uint8)
        yield case(f"256 images of {label}", part="accuracy", runs=((0, seed), (3, seed)),
                   images=even, labels=some)  # fmt: skip
    yield case(
        "1,437 digits, 8 epochs", part="accuracy", runs=((8, seed),), images=images, labels=labels
    )


def probe(solution, runs, images, labels):
    out = []
    for epochs, seed in runs:
        # Numbers drawn from the global generators must not matter.
        np.random.random(epochs + 3)
        result = solution(images, labels, epochs=epochs, seed=seed)
        # A copy: a later call may write into the arrays of an earlier one.
        out.append(
            {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in result.items()}
            if isinstance(result, dict)
            else result
        )
    return out


def judge(case, answer):
    for params in answer:
        _form(params)
    if case.part == "parameters":
        _moved(*answer)
    elif case.part == "seed":
        _seeded(answer)
    elif len(case.runs) == 2:
        _input(*answer, blank=case.images.max() == 0)
    else:
        _learned(answer[0])


def _form(params):
    expect.mapping(params, lenet.KEYS)
    for layer in lenet.LAYERS:
        shape = lenet.SHAPES[layer]
        for key, size in ((f"{layer}.weight", shape), (f"{layer}.bias", shape[:1])):
            expect.array(params[key], key, shape=size, dtype=np.float32)
            expect.that(
                bool(np.isfinite(params[key]).all()),
                f"`{key}` holds values that are not finite.",
                hint="The training diverged, or images of one even value were divided by their deviation 0.",
            )


def _moved(start, trained):
    for key in lenet.KEYS:
        if np.ptp(start[key]) == 0 and key.endswith("weight"):
            expect.wrong(
                "values", f"`{key}` starts with equal values: such units all learn the same."
            )
        expect.that(
            not np.array_equal(start[key], trained[key]),
            f"One epoch leaves `{key}` as it was.",
            cause="The optimizer does not see this array, or the parameters are a copy from before training.",
            hint="Give the optimizer all eight tensors, and return their values after the last step.",
        )
        # Adam at 5e-3 moves a weight by some tenths in one epoch of three batches; untrained
        # parameters of epochs=0 that come from another seed differ everywhere at once.
        shift = float(np.abs(start[key] - trained[key]).max())
        expect.that(
            shift < 1.0,
            f"One epoch moves a value of `{key}` by {shift:.3g}: the training diverges.",
        )


def _seeded(answer):
    first, other, again = answer[1], answer[2], answer[3]
    for key in lenet.KEYS:
        expect.that(
            np.allclose(first[key], again[key], rtol=1e-4, atol=1e-5),
            f"Two calls with the same seed give different `{key}`.",
            hint="Draw from torch.Generator().manual_seed(seed), made anew in each call.",
        )
    expect.that(
        not np.allclose(first["fc1.weight"], other["fc1.weight"], rtol=1e-4, atol=1e-5),
        "Another seed gives the same parameters.",
        hint="Use the argument `seed`.",
    )
    expect.that(
        np.array_equal(answer[0]["fc1.weight"], answer[4]["fc1.weight"]),
        "epochs=0 gives different parameters for the same seed.",
    )


def _input(start, trained, blank):
    """What the network was given for images of one even value: see MOST_FOR_BLANK."""
    moves = (trained["conv1.weight"] - start["conv1.weight"]).astype(np.float64).reshape(8, -1)
    size = np.abs(moves).sum(1)
    moved = size > 1e-6
    together = float((np.abs(moves.sum(1))[moved] / size[moved]).mean()) if moved.any() else 0.0
    fits = together <= MOST_FOR_BLANK if blank else together >= LEAST_FOR_INK
    paper, number = ("blank paper", 0) if blank else ("full ink", 1)
    expect.that(
        fits,
        f"The network was not trained on pixel / 255: {paper} is not {number} to it.",
        cause="The images were standardised, shifted or inverted.",
        hint="The network's input is network_input(images); later steps quantize it as pixel / 255.",
    )


def _learned(params):
    data = lenet.digits()
    share = lenet.float_accuracy(params, data.test_images, data.test_labels)
    hint = "The judge's network sees pixel / 255 and has a ReLU after conv1, conv2 and fc1."
    expect.that(
        share >= LEAST_SHARE,
        "The trained network is too often wrong on 359 digits that it has not seen.",
        yours=f"{share:.1%} right",
        right=f"{LEAST_SHARE:.0%} or more",
        cause=_why(params, data),
        hint=hint,
    )
    loss = _cross_entropy(params, data.train_images, data.train_labels)
    expect.that(
        loss <= MOST_LOSS,
        "The loss on the images that it trained on is too high.",
        yours=f"cross-entropy {loss:.3g}",
        right=f"{MOST_LOSS} or less",
        cause="The training stopped early, or it minimised the loss of another network than the judge's.",
        hint=hint,
    )


def _cross_entropy(params, images, labels):
    logits = lenet.activations(params, images)["fc2"]
    logits = logits - logits.max(1, keepdims=True)
    log_share = logits[np.arange(len(labels)), labels] - np.log(np.exp(logits).sum(1))
    return float(-log_share.mean())


def _why(params, data):
    seen = lenet.float_accuracy(params, data.train_images, data.train_labels)
    if seen < 0.3:
        return (
            "It does not know its training images either: gradients that pile up (zero_grad missing), "
            "images and labels in different orders, or another network."
        )
    return f"It knows {seen:.0%} of its training images: it learned too little."
