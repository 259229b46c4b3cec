"""Answers to quantized-accuracy."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _wilson(p, n, z=1.96):
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def _report(answers, reference, labels, interval=_wilson):
    if len(labels) == 0:
        raise ValueError("no images")
    p = float(np.mean(answers == labels))
    low, high = interval(p, len(labels))
    return {
        "accuracy": p,
        "low": low,
        "high": high,
        "agreement": float(np.mean(answers == reference)),
    }


@right("the formula")
def formula(codes, float_logits, labels):
    return _report(codes.argmax(1), float_logits.argmax(1), labels)


@right("scipy's Wilson interval of a count")
def by_scipy(codes, float_logits, labels):
    from scipy.stats import binomtest, norm

    if not labels.size:
        raise ValueError("give images")
    hits = sum(int(np.argmax(c)) == int(y) for c, y in zip(codes, labels, strict=True))
    level = 2 * norm.cdf(1.96) - 1
    ends = binomtest(hits, len(labels)).proportion_ci(level, "wilson")
    same = np.count_nonzero(np.argmax(codes, 1) == np.argmax(float_logits, 1))
    return {
        "accuracy": hits / len(labels),
        "low": ends.low,
        "high": ends.high,
        "agreement": same / len(labels),
    }


@wrong("percent", "You returned percent; the exercise asks for shares from 0 to 1.")
def percent(codes, float_logits, labels):
    return {k: 100 * v for k, v in formula(codes, float_logits, labels).items()}


@wrong("wald", "That is p +- 1.96 sqrt(p (1 - p) / n), the Wald interval: it has width 0 at p = 1.")
def wald(codes, float_logits, labels):
    def interval(p, n):
        half = 1.96 * math.sqrt(p * (1 - p) / n)
        return p - half, p + half

    return _report(codes.argmax(1), float_logits.argmax(1), labels, interval)


@wrong("one-sigma", "Your z is 1, a 68 % interval; use 1.96.")
def one_sigma(codes, float_logits, labels):
    return _report(codes.argmax(1), float_logits.argmax(1), labels, lambda p, n: _wilson(p, n, 1.0))


@wrong(
    "interval-centred",
    "Wilson's interval is not centred at p: the middle is p + z**2 / 2n over 1 + z**2 / n.",
)
def centred(codes, float_logits, labels):
    def interval(p, n):
        low, high = _wilson(p, n)
        return p - (high - low) / 2, p + (high - low) / 2

    return _report(codes.argmax(1), float_logits.argmax(1), labels, interval)


@wrong("not-divided", "You forgot to divide the interval's ends by 1 + z**2 / n.")
def not_divided(codes, float_logits, labels):
    def interval(p, n):
        z = 1.96
        half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        return p + z**2 / (2 * n) - half, p + z**2 / (2 * n) + half

    return _report(codes.argmax(1), float_logits.argmax(1), labels, interval)


@wrong("last-of-equals", "Where codes are equal you took the last one; argmax takes the first.")
def last_of_equals(codes, float_logits, labels):
    return _report(9 - codes[:, ::-1].argmax(1), float_logits.argmax(1), labels)


@wrong("largest-magnitude", "You took the largest |code|; a strongly negative logit is no answer.")
def magnitude(codes, float_logits, labels):
    return _report(np.abs(codes.astype(int)).argmax(1), float_logits.argmax(1), labels)


@wrong("unsigned-view", "You read the int8 codes as uint8: negative ones became the largest.")
def unsigned(codes, float_logits, labels):
    return _report(codes.astype(np.uint8).argmax(1), float_logits.argmax(1), labels)


@wrong("argmin", "You took the smallest logit.")
def argmin(codes, float_logits, labels):
    return _report(codes.argmin(1), float_logits.argmax(1), labels)


@wrong("axis-0", "You took argmax over the images (axis 0); it belongs over the ten classes.")
def axis_0(codes, float_logits, labels):
    if len(labels) == 0:
        raise ValueError("no images")
    n = min(10, len(labels))
    p = float(np.mean(codes.argmax(0)[:n] == labels[:n]))
    low, high = _wilson(p, len(labels))
    return {
        "accuracy": p,
        "low": low,
        "high": high,
        "agreement": float(np.mean(codes.argmax(0) == float_logits.argmax(0))),
    }


@wrong("float-accuracy", "You measured the float model's accuracy.")
def float_accuracy(codes, float_logits, labels):
    return _report(float_logits.argmax(1), codes.argmax(1), labels)


@wrong(
    "agreement-right-only",
    "You counted only images where both are right; agreement includes shared mistakes.",
)
def both_right(codes, float_logits, labels):
    result = formula(codes, float_logits, labels)
    hit = (codes.argmax(1) == labels) & (float_logits.argmax(1) == labels)
    return {**result, "agreement": float(hit.mean())}


@wrong(
    "agreement-of-hits",
    "You compared right with right and wrong with wrong; two different mistakes do not agree.",
)
def same_hits(codes, float_logits, labels):
    result = formula(codes, float_logits, labels)
    hit = (codes.argmax(1) == labels) == (float_logits.argmax(1) == labels)
    return {**result, "agreement": float(hit.mean())}


@wrong(
    "difference-of-accuracies",
    "Agreement is no difference of accuracies: models can trade mistakes.",
)
def difference(codes, float_logits, labels):
    result = formula(codes, float_logits, labels)
    gap = abs(result["accuracy"] - float(np.mean(float_logits.argmax(1) == labels)))
    return {**result, "agreement": 1 - gap}


@wrong(
    "mean-over-classes", "You averaged the accuracies of the classes; take the share of all images."
)
def balanced(codes, float_logits, labels):
    result = formula(codes, float_logits, labels)
    hit = codes.argmax(1) == labels
    return {
        **result,
        "accuracy": float(np.mean([hit[labels == c].mean() for c in np.unique(labels)])),
    }


@wrong("no-images-accepted", "Without images you return an answer; raise ValueError.")
def accepts_none(codes, float_logits, labels):
    if len(labels) == 0:
        return {"accuracy": 0.0, "low": 0.0, "high": 1.0, "agreement": 1.0}
    return formula(codes, float_logits, labels)
