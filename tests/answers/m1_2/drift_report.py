"""Answers to drift-report."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(a, b):
    if a.shape != b.shape or a.ndim != 2 or not a.size:
        raise ValueError("shapes")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("not finite")


def _log(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def _report(a, b, **changed):
    """The right answer with some entries replaced; each is a function of the two in float64."""
    _refuse(a, b)
    a, b = a.astype(np.float64), b.astype(np.float64)
    p, q = _log(a), _log(b)
    differs = a.argmax(1) != b.argmax(1)
    report = {
        "max_abs": float(np.abs(a - b).max()),
        "max_relative": float(np.abs(a - b).max() / (np.abs(a).max() or 1.0)),
        "kl_nats": float((np.exp(p) * (p - q)).sum(1).mean()),
        "top1_agreement": float(np.mean(~differs)),
        "first_divergence": int(np.flatnonzero(differs)[0]) if differs.any() else None,
    }
    return report | {key: made(a, b, report) for key, made in changed.items()}


@right("NumPy")
def by_numpy(reference, other):
    return _report(reference, other)


@right("torch in float64")
def by_torch(reference, other):
    _refuse(reference, other)
    import torch

    a, b = (torch.from_numpy(x.astype(np.float64)) for x in (reference, other))
    kl = torch.nn.functional.kl_div(
        b.log_softmax(1), a.log_softmax(1), log_target=True, reduction="batchmean"
    )
    same = a.argmax(1) == b.argmax(1)
    gap = (a - b).abs().max().item()
    return {
        "max_abs": gap,
        "max_relative": gap / a.abs().max().item() if a.any() else gap,
        "kl_nats": kl.item(),
        "top1_agreement": same.double().mean().item(),
        "first_divergence": None if bool(same.all()) else same.tolist().index(False),
    }


@right("a loop over tokens")
def by_loop(reference, other):
    _refuse(reference, other)
    kl, differ, gap, size = [], [], 0.0, 0.0
    for x, y in zip(reference.astype(float), other.astype(float), strict=True):
        lx = x - x.max() - math.log(np.exp(x - x.max()).sum())
        ly = y - y.max() - math.log(np.exp(y - y.max()).sum())
        kl.append(float(np.dot(np.exp(lx), lx - ly)))
        differ.append(int(np.argmax(x)) != int(np.argmax(y)))
        gap, size = max(gap, np.abs(x - y).max()), max(size, np.abs(x).max())
    first = next((i for i, d in enumerate(differ) if d), None)
    share = differ.count(False) / len(differ)
    values = (gap, gap / size if size else gap, math.fsum(kl) / len(kl), share, first)
    keys = ("max_abs", "max_relative", "kl_nats", "top1_agreement", "first_divergence")
    return dict(zip(keys, values, strict=True))


def _kl(p, q):
    return float((np.exp(p) * (p - q)).sum(1).mean())


@wrong(
    "kl-the-wrong-way-round",
    "Your KL weighs with the other model's probabilities; p comes from the reference.",
)
def reversed_kl(reference, other):
    return _report(reference, other, kl_nats=lambda a, b, r: _kl(_log(b), _log(a)))


@wrong(
    "symmetric-kl", "You averaged both directions; the exercise asks for KL(reference || other)."
)
def symmetric(reference, other):
    return _report(
        reference,
        other,
        kl_nats=lambda a, b, r: (_kl(_log(b), _log(a)) + _kl(_log(a), _log(b))) / 2,
    )


@wrong("kl-in-bits", "You used log2; nats want the natural logarithm.")
def bits(reference, other):
    return _report(reference, other, kl_nats=lambda a, b, r: r["kl_nats"] / math.log(2))


@wrong("kl-summed", "You summed KL over the tokens; take the mean.")
def summed(reference, other):
    return _report(reference, other, kl_nats=lambda a, b, r: r["kl_nats"] * len(a))


@wrong(
    "kl-mean-over-the-vocabulary",
    "You averaged over the vocabulary too; inside a token the terms are summed.",
)
def averaged(reference, other):
    return _report(reference, other, kl_nats=lambda a, b, r: r["kl_nats"] / a.shape[1])


@wrong("cross-entropy", "You left out the reference's own entropy: that is the cross-entropy.")
def cross(reference, other):
    return _report(
        reference, other, kl_nats=lambda a, b, r: float(-(np.exp(_log(a)) * _log(b)).sum(1).mean())
    )


@wrong(
    "epsilon-in-the-log",
    "You added a small constant inside the logarithm; use log-softmax instead.",
)
def epsilon(reference, other):
    def kl(a, b, r):
        p, q = np.exp(_log(a)), np.exp(_log(b))
        return float((p * np.log((p + 1e-8) / (q + 1e-8))).sum(1).mean())

    return _report(reference, other, kl_nats=kl)


@wrong("softmax-overflows", "exp overflows on large logits: subtract each row's maximum first.")
def overflows(reference, other):
    def kl(a, b, r):
        with np.errstate(all="ignore"):
            p, q = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (a, b))
            return float((p * np.log(p / q)).sum(1).mean())

    return _report(reference, other, kl_nats=kl)


@wrong(
    "not-in-float64",
    "You computed in the logits' own dtype; small KLs then drown in rounding. Cast to float64 first.",
)
def narrow(reference, other):
    report = _report(reference, other)
    with np.errstate(all="ignore"):
        report["max_abs"] = float(np.abs(reference - other).max())
        report["kl_nats"] = float(
            (np.exp(_log(reference)) * (_log(reference) - _log(other))).sum(1).mean()
        )
    return report


@wrong("kl-of-logits", "You put logits into the formula; KL compares probabilities: softmax first.")
def of_logits(reference, other):
    return _report(reference, other, kl_nats=lambda a, b, r: float((a * (a - b)).sum(1).mean()))


@wrong("mean-difference", "You averaged |a - b|; max_abs is its largest value.")
def mean(reference, other):
    return _report(reference, other, max_abs=lambda a, b, r: float(np.abs(a - b).mean()))


@wrong(
    "signed-difference",
    "You took the largest reference - other; a logit that grew counts as well: abs first.",
)
def signed(reference, other):
    return _report(reference, other, max_abs=lambda a, b, r: float((b - a).max()))


@wrong(
    "elementwise-relative",
    "You divided each difference by its own logit; near 0 that explodes. Divide by the largest |reference|.",
)
def elementwise(reference, other):
    def relative(a, b, r):
        with np.errstate(all="ignore"):
            return float(np.nanmax(np.abs(a - b) / np.abs(a)))

    return _report(reference, other, max_relative=relative)


@wrong(
    "relative-to-the-other",
    "You divided by the other model's largest logit; the reference is the yardstick.",
)
def to_other(reference, other):
    return _report(
        reference,
        other,
        max_relative=lambda a, b, r: r["max_abs"] / (float(np.abs(b).max()) or 1.0),
    )


@wrong(
    "relative-without-abs",
    "You divided by the reference's maximum; its largest magnitude may be negative.",
)
def no_abs(reference, other):
    return _report(
        reference, other, max_relative=lambda a, b, r: r["max_abs"] / (float(a.max()) or 1.0)
    )


@wrong("disagreement", "You returned the share that differs; agreement is the rest.")
def disagreement(reference, other):
    return _report(reference, other, top1_agreement=lambda a, b, r: 1 - r["top1_agreement"])


@wrong("last-among-equals", "Among equal logits you took the last; argmax takes the first.")
def last(reference, other):
    _refuse(reference, other)
    flipped = _report(reference[:, ::-1], other[:, ::-1])
    return _report(reference, other) | {
        k: flipped[k] for k in ("top1_agreement", "first_divergence")
    }


@wrong("minus-one-for-none", "Where nothing differs the answer is None; -1 is an index in Python.")
def minus_one(reference, other):
    return _report(
        reference,
        other,
        first_divergence=lambda a, b, r: (
            -1 if r["first_divergence"] is None else r["first_divergence"]
        ),
    )


@wrong("zero-for-none", "argmax of all False is 0: ask first whether anything differs.")
def zero(reference, other):
    return _report(
        reference,
        other,
        first_divergence=lambda a, b, r: int((a.argmax(1) != b.argmax(1)).argmax()),
    )


@wrong(
    "zero-taken-for-none",
    "Index 0 is falsy: `first or None` loses a difference at the first token.",
)
def falsy(reference, other):
    return _report(reference, other, first_divergence=lambda a, b, r: r["first_divergence"] or None)


@wrong("counted-from-one", "You count tokens from 1; the index starts at 0.")
def from_one(reference, other):
    return _report(
        reference,
        other,
        first_divergence=lambda a, b, r: (
            None if r["first_divergence"] is None else r["first_divergence"] + 1
        ),
    )


@wrong(
    "last-divergence",
    "You returned the last token that differs; greedy decoding parts at the first.",
)
def last_token(reference, other):
    def where(a, b, r):
        found = np.flatnonzero(a.argmax(1) != b.argmax(1))
        return int(found[-1]) if len(found) else None

    return _report(reference, other, first_divergence=where)


@wrong(
    "nan-passed-on",
    "A NaN or an infinity must raise ValueError: no number of the report means anything then.",
)
def nan(reference, other):
    if reference.shape != other.shape or reference.ndim != 2 or not reference.size:
        raise ValueError("shapes")
    return _report(np.nan_to_num(reference), np.nan_to_num(other))


@wrong(
    "shapes-broadcast",
    "Two shapes that differ must raise ValueError, even where NumPy can broadcast them.",
)
def broadcast(reference, other):
    if other.shape[0] == 1:
        other = np.broadcast_to(other, reference.shape)
    return _report(reference, other)


@wrong(
    "probabilities-first",
    "A probability underflowed to 0 and its logarithm is infinite; use log-softmax.",
)
def probabilities_first(reference, other):
    def kl(a, b, _):
        p, q = np.exp(_log(a)), np.exp(_log(b))
        with np.errstate(all="ignore"):
            return float(np.where(p > 0, p * np.log(p / q), 0).sum(1).mean())

    return _report(reference, other, kl_nats=kl)
