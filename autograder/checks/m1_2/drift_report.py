"""drift-report: five measures between two sets of logits, held against scipy in float64."""

import numpy as np

from autograder.checks import case, expect, refusal

PARTS = {"distance": 0.35, "kl": 0.3, "decoding": 0.2, "refuse": 0.15}
HINTS = (
    "Cast both to float64 first; everything else follows in that width.",
    "KL(p || q) with p from the reference: sum over the vocabulary of p * (log p - log q), mean over tokens.",
    "argmax of the boolean array gives its first True; it is None only if there is none.",
)
KEYS = ("max_abs", "max_relative", "kl_nats", "top1_agreement", "first_divergence")


def _pair(rng, tokens, vocabulary, noise, size=4.0, dtype=np.float32):
    a = (size * rng.standard_normal((tokens, vocabulary))).clip(-6e4, 6e4).astype(dtype)
    b = (a + noise * rng.standard_normal(a.shape)).clip(-6.4e4, 6.4e4).astype(dtype)
    return {"reference": a, "other": b}


def cases(rng):
    yield case("two tokens", part="distance", **_pair(rng, 2, 3, 0.5))
    yield case("40 x 100", part="distance", **_pair(rng, 40, 100, 0.2))
    pair = _pair(rng, 12, 50, 0.1)
    low = {key: -np.abs(value) - 1 for key, value in pair.items()}
    yield case("all negative", part="distance", **low)
    pair["other"][3, 7] -= 25
    yield case("one logit fell", part="distance", **pair)
    zero = np.zeros((2, 4), np.float32)
    other = zero.copy()
    other[1, 2] = 0.25
    yield case("a reference of zeros", part="distance", reference=zero, other=other)
    yield case("far apart", part="kl", **_pair(rng, 6, 30, 4.0))
    yield case("very close", part="kl", **_pair(rng, 20, 200, 1e-3))
    yield case("logits of 1e4", part="kl", **_pair(rng, 5, 20, 30.0, size=1e4))
    yield case("float16, large", part="kl", **_pair(rng, 8, 40, 200.0, 1e4, np.float16))
    gone = _pair(rng, 5, 6, 0.1)
    gone["other"][:, 2] -= 900  # q underflows to 0 where p does not: the logarithm is still finite
    yield case("a token made impossible", part="kl", **gone)
    mixed = _pair(rng, 8, 300, 0.01, dtype=np.float64)
    mixed["other"] = mixed["other"].astype(np.float16)
    yield case("float64 against float16", part="kl", **mixed)
    same = _pair(rng, 5, 9, 0.0)
    yield case("identical", part="decoding", **same)
    for at in (0, 3, 4):
        other = same["reference"].copy()
        other[at, int(np.argmin(other[at]))] = 30
        yield case(
            f"differs at token {at}", part="decoding", reference=same["reference"], other=other
        )
    tied = np.array([[1, 5, 5, 0], [2, 2, 0, 1], [0, 0, 3, 3]], np.float32)
    moved = np.array([[1, 5, 4, 0], [1, 2, 0, 2], [0, 0, 2, 3]], np.float32)
    yield case("equal logits", part="decoding", reference=tied, other=moved)
    constant = same["reference"] + 3
    yield case(
        "shifted by a constant", part="decoding", reference=same["reference"], other=constant
    )
    yield case("many differ", part="decoding", **_pair(rng, 50, 8, 2.0))
    a = _pair(rng, 4, 6, 0.1)["reference"]
    bad = {
        "another vocabulary": (a, a[:, :-1]),
        "other tokens": (a, a[:-1]),
        "no token": (a[:0], a[:0]),
    }
    bad["one axis"] = (a[0], a[0])
    bad["one row for four"] = (a, a[:1])
    for value in (np.nan, np.inf, -np.inf):
        broken = a.copy()
        broken[2, 1] = value
        bad[f"{value} in other"], bad[f"{value} in reference"] = (a, broken), (broken, a)
    for label, (reference, other) in bad.items():
        yield case(label, part="refuse", reference=reference, other=other, refused=True)


def probe(solution, reference, other, refused=False):
    if refused:
        return refusal(lambda: solution(reference, other))
    return solution(reference, other)


def judge(case, answer):
    from scipy.special import log_softmax, rel_entr

    if case.inputs.get("refused"):
        return expect.raised(answer, "ValueError", f"Refuse this with a ValueError: {case.label}.")
    a, b = case.reference.astype(np.float64), case.other.astype(np.float64)
    report = expect.mapping(answer, KEYS)
    largest = float(np.abs(a - b).max())
    expect.number(report["max_abs"], largest, "max_abs")
    relative = largest / (float(np.abs(a).max()) or 1.0)
    hint = "Divide by the largest magnitude of the reference, one number."
    expect.number(report["max_relative"], relative, "max_relative", hint=hint)
    p, q = np.exp(log_softmax(a, axis=1)), log_softmax(b, axis=1)
    # rel_entr(p, q) - p + q sums the same, without cancellation; q may underflow, so logs stay logs.
    kl = float((p * (log_softmax(a, axis=1) - q)).sum(axis=1).mean())
    if np.exp(q).min() > 0:
        kl = float(rel_entr(p, np.exp(q)).sum(axis=1).mean())
    # float64 sums over the vocabulary cancel to about 1e-14.
    turned = float((np.exp(q) * (q - log_softmax(a, axis=1))).sum(axis=1).mean())
    hint = f"The other way round, KL(other || reference), it would be {turned:.6g}."
    expect.number(report["kl_nats"], kl, "kl_nats", rtol=1e-6, atol=1e-12, hint=hint)
    differs = [int(np.argmax(x)) != int(np.argmax(y)) for x, y in zip(a, b, strict=True)]
    share = 1 - sum(differs) / len(differs)
    expect.number(report["top1_agreement"], share, "top1_agreement", atol=1e-12)
    first, yours = differs.index(True) if any(differs) else None, report["first_divergence"]
    if first is None or yours is None:
        return expect.that(
            yours is first, "`first_divergence` is off.", yours=expect.show(yours), right=str(first)
        )
    return expect.integer(yours, first, "first_divergence")
