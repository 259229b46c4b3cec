"""compare-logits: mean KL divergence in nats and top-1 agreement, in float64."""

import numpy as np
from scipy.special import log_softmax

from autograder.checks import case, expect, refusal

PARTS = {"kl": 0.45, "top1": 0.3, "edges": 0.25}
HINTS = (
    "log-softmax in float64: subtract the row's maximum, then the log of the sum of exponentials.",
    "sum over the vocabulary of p_ref * (log p_ref - log p_other), then the mean over tokens.",
    "np.mean(a.argmax(-1) == b.argmax(-1)): of equal maxima argmax takes the first.",
)


def cases(rng):
    for part in ("kl", "top1"):
        for tokens, vocab in ((1, 5), (7, 33), (64, 500)):
            a = rng.normal(0, 3, (tokens, vocab)).astype(np.float32)
            b = (a + rng.normal(0, 0.8, a.shape)).astype(np.float32)
            yield case(f"{tokens} tokens, {vocab} words", part, reference=a, other=b)
        near = rng.normal(0, 3, (16, 400)).astype(np.float32)
        yield case("nearly equal", part, reference=near,
                   other=(near + rng.normal(0, 0.02, near.shape)).astype(np.float32))  # fmt: skip
        yield case("far apart, large logits", part,
                   reference=rng.normal(0, 90, (8, 50)).astype(np.float32) + 800,
                   other=rng.normal(0, 90, (8, 50)).astype(np.float32) - 500)  # fmt: skip
        apart = near.copy()
        apart[range(16), rng.integers(0, 400, 16)] -= np.float32(900)
        yield case("a word that the file holds for impossible", part, reference=near, other=apart)
        yield case(
            "a word that the reference holds for impossible", part, reference=apart, other=near
        )
        close = near + np.float32(100)
        close[:, [3, 7]] = np.float32([[130.01, 130.02]])
        turned = close.copy()
        turned[:, [3, 7]] = close[:, [7, 3]]
        yield case("maxima that float16 cannot tell apart", part, reference=close, other=turned)
    tied = np.zeros((6, 9), np.float32)
    tied[:, [2, 5]] = 4
    turned = tied.copy()
    turned[3:, 5] = 5
    yield case("equal maxima", "edges", reference=tied, other=turned)
    shifted = rng.normal(0, 2, (5, 40)).astype(np.float32)
    yield case("shifted by a constant", "edges", reference=shifted, other=shifted + np.float32(8))
    yield case("float16", "edges", reference=shifted.astype(np.float16),
               other=(shifted * np.float32(0.9)).astype(np.float16))  # fmt: skip
    yield case("other shapes", "edges", bad=True, reference=shifted, other=shifted[:4])
    yield case("other vocabularies", "edges", bad=True, reference=shifted, other=shifted[:, :39])
    yield case("no tokens", "edges", bad=True, reference=shifted[:0], other=shifted[:0])
    yield case("a single row against five", "edges", bad=True, reference=shifted, other=shifted[:1])
    yield case("tokens and words exchanged", "edges", bad=True, reference=shifted,
               other=np.ascontiguousarray(shifted.T))  # fmt: skip
    for number in (np.nan, np.inf, -np.inf):
        hurt = shifted.copy()
        hurt[1, 3] = number
        yield case(f"{number} in other", "edges", bad=True, reference=shifted, other=hurt)
        yield case(f"{number} in the reference", "edges", bad=True, reference=hurt, other=shifted)
    yield case("inf in both", "edges", bad=True, reference=hurt, other=hurt)


def probe(solution, reference, other, bad=False):
    return refusal(lambda: solution(reference, other)) if bad else solution(reference, other)


def judge(case, answer):
    if case.inputs.get("bad"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    kl, top1 = expect.sequence(answer, ("kl_nats", "top1"))
    wanted, got = (log_softmax(a.astype(np.float64), axis=-1) for a in (case.reference, case.other))
    mean = float((np.exp(wanted) * (wanted - got)).sum(-1).mean())
    if case.part != "top1":
        # A sum of terms of both signs: its error is that of the largest term.
        expect.number(kl, mean, "kl_nats", rtol=1e-7, atol=1e-12, hint=HINTS[1])
    if case.part != "kl":
        same = float(np.mean(case.reference.argmax(-1) == case.other.argmax(-1)))
        expect.number(top1, same, "top1", rtol=1e-9, hint=HINTS[2])
