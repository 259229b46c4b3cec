"""Answers to compare-logits."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _logs(logits):
    z = logits.astype(np.float64)
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def _compare(
    reference, other, *, kl=None, top=None, logs=_logs, guard=True, finite=True, dtype=None
):
    if guard and (reference.shape != other.shape or not reference.size):
        raise ValueError("other shapes, or nothing")
    if finite and not (np.isfinite(reference).all() and np.isfinite(other).all()):
        raise ValueError("not finite")
    a, b = (logs(x) if dtype is None else logs(x).astype(dtype) for x in (reference, other))
    kl = kl or (lambda a, b: (np.exp(a) * (a - b)).sum(-1).mean())
    top = top or (lambda a, b: (a.argmax(-1) == b.argmax(-1)).mean())
    return float(kl(a, b)), float(top(reference, other))


@right("log-softmax in numpy")
def by_numpy(reference, other):
    return _compare(reference, other)


@right("torch's kl_div")
def by_torch(reference, other):
    if reference.shape != other.shape or 0 in reference.shape:
        raise ValueError("give logits of one shape")
    a, b = (torch.from_numpy(np.array(x)).double() for x in (reference, other))
    if not bool(torch.isfinite(a).all() and torch.isfinite(b).all()):
        raise ValueError("logits must be finite")
    logs = a.log_softmax(-1), b.log_softmax(-1)
    kl = torch.nn.functional.kl_div(logs[1], logs[0], log_target=True, reduction="sum") / len(a)
    same = np.argmax(reference, 1) == np.argmax(other, 1)
    return kl.item(), same.sum() / len(same)


def _wrong(name, sentence, **changes):
    @wrong(name, sentence)
    def answer(reference, other):
        return _compare(reference, other, **changes)

    return answer


reverse = _wrong("other-way-round", "The reference weighs the difference: KL(reference || other).",
                 kl=lambda a, b: (np.exp(b) * (b - a)).sum(-1).mean())  # fmt: skip
bits = _wrong("bits", "Nats: the natural logarithm.",
              kl=lambda a, b: (np.exp(a) * (a - b)).sum(-1).mean() / np.log(2))  # fmt: skip
summed = _wrong(
    "sum-of-tokens", "Average over tokens.", kl=lambda a, b: (np.exp(a) * (a - b)).sum()
)
everywhere = _wrong("mean-of-words", "Sum over the vocabulary; only the tokens are averaged.",
                    kl=lambda a, b: (np.exp(a) * (a - b)).mean())  # fmt: skip
symmetric = _wrong("symmetric", "KL is not symmetric: one direction, no mean of two.",
                   kl=lambda a, b: ((np.exp(a) - np.exp(b)) * (a - b)).sum(-1).mean() / 2)  # fmt: skip
entropy = _wrong("cross-entropy", "Subtract the reference's own entropy: equal models have KL 0.",
                 kl=lambda a, b: -(np.exp(a) * b).sum(-1).mean())  # fmt: skip
squared = _wrong("squared-distance", "Compare distributions, not logits.",
                 kl=lambda a, b: ((a - b) ** 2).mean())  # fmt: skip
raw = _wrong("no-softmax", "Logits become log-probabilities first: a constant changes nothing.",
             logs=lambda x: x.astype(np.float64))  # fmt: skip
narrow = _wrong("float32-logs", "Small divergences need float64: the differences cancel in float32.",
                dtype=np.float32)  # fmt: skip
half = _wrong("half-precision-softmax", "The sum of exponentials in the logits' own dtype loses digits.",
              logs=lambda x: _logs(x.astype(np.float16)))  # fmt: skip
percent = _wrong("per-cent", "top1 is a share from 0 to 1.",
                 top=lambda a, b: 100 * (a.argmax(-1) == b.argmax(-1)).mean())  # fmt: skip
differ = _wrong("disagreement", "top1 is the share that agrees.",
                top=lambda a, b: (a.argmax(-1) != b.argmax(-1)).mean())  # fmt: skip
by_value = _wrong("maxima-compared", "Compare the places of the maxima, not their values.",
                  top=lambda a, b: np.isclose(a.max(-1), b.max(-1)).mean())  # fmt: skip
last = _wrong("last-of-ties", "Of equal logits the first counts.",
              top=lambda a, b: (a[:, ::-1].argmax(-1) == b[:, ::-1].argmax(-1)).mean())  # fmt: skip
columns = _wrong("wrong-axis", "The vocabulary is the last axis.",
                 top=lambda a, b: (a.argmax(0) == b.argmax(0)).mean())  # fmt: skip
unguarded = _wrong(
    "shapes-unguarded", "Shapes that differ, or no tokens, must raise ValueError.", guard=False
)
nans = _wrong("nan-passed", "Logits that are not finite must raise ValueError.", finite=False)


@wrong("only-nan-refused", "Infinities are not finite either: np.isfinite tells both.")
def only_nan(reference, other):
    if np.isnan(reference).any() or np.isnan(other).any():
        raise ValueError("NaN")
    return _compare(reference, other, finite=False)


@wrong("only-the-other-tested", "Both arrays must be finite, the reference as well.")
def only_other(reference, other):
    if not np.isfinite(other).all():
        raise ValueError("not finite")
    return _compare(reference, other, finite=False)


def _after_softmax(name, sentence, log):
    def kl(a, b):
        p, q = np.exp(a), np.exp(b)
        return (p * (log(p) - log(q))).sum(-1).mean()

    return _wrong(name, sentence, kl=kl)


late = _after_softmax("log-of-softmax", "A probability may be 0 in float64: take the logarithm before exp.",
                      np.log)  # fmt: skip
epsilon = _after_softmax("epsilon-added", "An epsilon hides smaller probabilities: subtract logarithms.",
                         lambda p: np.log(p + 1e-300))  # fmt: skip


def _top_of_halves(a, b):
    return (a.astype(np.float16).argmax(-1) == b.astype(np.float16).argmax(-1)).mean()


half_top = _wrong("top1-in-float16", "float16 makes different logits equal: compare them as they are.",
                  top=_top_of_halves)  # fmt: skip


def _guarded(name, sentence, refuse):
    @wrong(name, sentence)
    def answer(reference, other):
        if refuse(reference, other):
            raise ValueError("bad logits")
        return _compare(reference, other.reshape(-1, reference.shape[1]), guard=False, finite=False)

    return answer


def _infinite(a):
    return not np.isfinite(a).all()


broadcast = _guarded("rows-broadcast", "One row against five broadcasts in silence: compare the shapes.",
                     lambda a, b: a.shape[1] != b.shape[1] or not a.size or not b.size or _infinite(a)
                     or _infinite(b))  # fmt: skip
by_size = _guarded("sizes-compared", "Shapes of one size can differ: compare the shapes.",
                   lambda a, b: a.size != b.size or not a.size or _infinite(a) or _infinite(b))  # fmt: skip
