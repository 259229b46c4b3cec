"""calibrate: smallest and largest value of each activation over 100 to 200 images."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import lenet

PARTS = {"ranges": 0.6, "contains zero": 0.2, "number of images": 0.2}
HINTS = (
    "Start every range at (0.0, 0.0) and widen it with each batch.",
    "range(0, len(images), batch_size) with images[at : at + batch_size] keeps the last, smaller batch.",
    "Per batch and name: low = min(low, values.min()), high = max(high, values.max()).",
    "Raise ValueError before anything else if the number of images is not from 100 to 200.",
)


def cases(rng):
    yield _with_bright(rng, "128 images, batches of 32", 128, 32, at=60)
    yield _with_bright(rng, "extremes in the first batch", 120, 32, at=3)
    yield _with_bright(rng, "extremes in the last, smaller batch", 137, 32, at=136)
    yield _with_bright(rng, "100 images, one batch", 100, 128, at=50)
    yield _with_bright(rng, "200 images, batches of 7", 200, 7, at=198)
    images = lenet.random_images(rng, 110)
    params = lenet.random_params(rng)
    for sign, word in ((1, "positive"), (-1, "negative")):
        shifted = {**params, "fc2.bias": params["fc2.bias"] + np.float32(60 * sign)}
        yield _case(f"all logits {word}", "contains zero", shifted, images, 32)
    lifted = {**params, "fc1.bias": np.abs(params["fc1.bias"]) + np.float32(40)}
    yield _case("fc1 never 0", "contains zero", lifted, images, 32)
    bright = np.maximum(images, 30)
    yield _case("no black pixel", "contains zero", params, bright, 32)
    part = "number of images"
    for count in (99, 201, 20):
        yield _case(f"{count} images", part, params, lenet.random_images(rng, count), 32)
    yield _case("100 images", part, params, images[:100], 32)
    yield _case("200 images", part, params, lenet.random_images(rng, 200), 64)


def _case(label, part, params, images, batch_size):
    return case(label, part, params=params, images=images, batch_size=batch_size)


def _with_bright(rng, label, count, batch_size, at):
    """One image is far brighter than the others, so every range hangs on it alone."""
    images = lenet.random_images(rng, count) // 3
    images[at] = 255 * (rng.random((28, 28)) < 0.6)
    return _case(label, "ranges", lenet.random_params(rng), images, batch_size)


def probe(solution, params, images, batch_size):
    if 100 <= len(images) <= 200:
        return solution(params, images, batch_size=batch_size)
    return refusal(lambda: solution(params, images, batch_size=batch_size))


def judge(case, answer):
    if not 100 <= len(case.images) <= 200:
        expect.raised(
            answer, "ValueError", f"{len(case.images)} images are not from 100 to 200: refuse them."
        )
        return
    expect.mapping(answer, lenet.ACTIVATIONS)
    want = lenet.ranges(case.params, case.images)
    for name in lenet.ACTIVATIONS:
        ends = expect.sequence(answer[name], ("low", "high"))
        # float32 sums of up to 200 products: 1e-5 of the range covers any order of addition.
        slack = 1e-5 * (want[name][1] - want[name][0])
        for end, value, right in zip(("low", "high"), ends, want[name], strict=True):
            expect.number(value, right, f"{end} of {name}", atol=slack, hint=_hint(right))


def _hint(right):
    if right == 0:
        return "The range contains 0, and conv1, conv2 and fc1 are measured after their ReLU."
    return "The range covers all images: merge the batches by min and max."
