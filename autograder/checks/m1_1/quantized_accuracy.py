"""quantized-accuracy: accuracy of logits in codes, Wilson's interval, agreement with FP32."""

import math

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"accuracy": 0.4, "interval": 0.3, "agreement": 0.3}
HINTS = (
    "The answer is codes.argmax(axis=1); labels are compared with it image by image.",
    "middle p + z**2 / 2n, half z * sqrt(p (1 - p) / n + z**2 / 4n**2), both over 1 + z**2 / n.",
    "Agreement compares the two models' answers; the labels play no part in it.",
)
Z = 1.96


def cases(rng):
    for part in PARTS:
        yield _case(rng, "50 images", part, 50)
        yield _case(rng, "2,000 images", part, 2000)
        yield _case(rng, "one image", part, 1)
        yield _case(rng, "every image right", part, 40, noise=0.0)
        yield _case(rng, "every image wrong", part, 40, turn=3, noise=0.0)
        yield _case(rng, "all codes negative, many equal", part, 80, coarse=True)
    yield _case(rng, "one digit far more frequent", "accuracy", 300, skew=True)
    yield case("no images", "accuracy", codes=np.zeros((0, 10), np.int8),
               float_logits=np.zeros((0, 10), np.float32), labels=np.zeros(0, np.uint8))  # fmt: skip


def _case(rng, label, part, count, noise=1.0, turn=0, coarse=False, skew=False):
    labels = rng.integers(0, 10, count)
    if skew:
        labels = np.where(rng.random(count) < 0.8, 1, labels)
    target = np.eye(10)[(labels + turn) % 10]
    logits = 2.2 * target + noise * rng.standard_normal((count, 10))
    if skew:
        logits[labels != 1] = rng.standard_normal((int((labels != 1).sum()), 10))
    step, low = (0.8, -110) if coarse else (0.05, 0)
    codes = np.clip(
        np.rint((logits + 0.3 * noise * rng.standard_normal(logits.shape)) / step) + low, -128, 127
    )
    return case(
        label,
        part,
        codes=codes.astype(np.int8),
        float_logits=logits.astype(np.float32),
        labels=labels.astype(np.uint8),
    )


def probe(solution, codes, float_logits, labels):
    if len(labels):
        return solution(codes, float_logits, labels)
    return refusal(lambda: solution(codes, float_logits, labels))


def judge(case, answer):
    n = len(case.labels)
    if n == 0:
        expect.raised(answer, "ValueError", "No images have no accuracy: refuse them.")
        return
    result = expect.mapping(answer, ("accuracy", "low", "high", "agreement"))
    answers = [row.index(max(row)) for row in case.codes.tolist()]
    reference = [row.index(max(row)) for row in case.float_logits.tolist()]
    p = sum(a == int(b) for a, b in zip(answers, case.labels, strict=True)) / n
    tiny = 1e-9
    if case.part == "accuracy":
        expect.number(
            result["accuracy"],
            p,
            "accuracy",
            atol=tiny,
            hint="A share from 0 to 1 of all images; first of equals.",
        )
    elif case.part == "interval":
        low, high = _wilson(p, n)
        for key, right in (("low", low), ("high", high)):
            expect.number(
                result[key],
                right,
                key,
                rtol=1e-6,
                atol=tiny,
                hint=f"Wilson's formula, n = {n}, z = {Z}.",
            )
    else:
        same = sum(a == b for a, b in zip(answers, reference, strict=True)) / n
        expect.number(
            result["agreement"],
            same,
            "agreement",
            atol=tiny,
            hint="Same answer, right or wrong; no labels.",
        )


def _wilson(p, n):
    """The two roots of (share - p)**2 = z**2 share (1 - share) / n, by the quadratic formula."""
    a, b, c = 1 + Z**2 / n, -(2 * p + Z**2 / n), p**2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)
