"""Answers to smooth-scales."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(x_amax, weights, alpha, shapes=True):
    if not 0 <= alpha <= 1 or not np.isfinite(x_amax).all() or (x_amax < 0).any():
        raise ValueError("alpha or x_amax")
    if not weights or shapes and any(w.shape[1] != len(x_amax) for w in weights):
        raise ValueError("weights")


def _peaks(weights):
    return np.abs(np.concatenate(weights)).max(axis=0)


def _ratio(a, b, alpha):
    return a**alpha / b ** (1 - alpha)


def _made(x_amax, weights, alpha, *, formula=_ratio, peaks=_peaks, dead=1.0):
    _refuse(x_amax, weights, alpha)
    b = peaks(weights)
    s, live = np.full(len(x_amax), dead), (x_amax > 0) & (b > 0)
    s[live] = formula(x_amax[live], b[live], alpha)
    return s


@right("a mask of the live channels")
def by_mask(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha)


@right("zeros replaced before, ones put in after")
def by_where(x_amax, weights, alpha=0.5):
    _refuse(x_amax, weights, alpha)
    b = np.max([np.maximum(w.max(0), -w.min(0)) for w in weights], axis=0)
    dead = (x_amax == 0) | (b == 0)
    s = np.power(np.where(dead, 1, x_amax), alpha) * np.power(np.where(dead, 1, b), alpha - 1)
    return np.where(dead, 1.0, s)


@right("torch, through logarithms")
def by_torch(x_amax, weights, alpha=0.5):
    import torch

    _refuse(x_amax, weights, alpha)
    a = torch.from_numpy(x_amax)
    b = torch.cat([torch.from_numpy(w) for w in weights]).abs().amax(0)
    live = (a > 0) & (b > 0)
    s = torch.ones_like(a)
    s[live] = torch.exp(alpha * a[live].log() - (1 - alpha) * b[live].log())
    return s.numpy()


@wrong("alpha-swapped", "You swapped alpha and 1 - alpha; alpha belongs to the activations.")
def alpha_swapped(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, formula=lambda a, b, p: a ** (1 - p) / b**p)


@wrong(
    "inverse",
    "Your factors are the inverse; activations are divided by s, so loud ones need a large s.",
)
def inverse(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, formula=lambda a, b, p: b ** (1 - p) / a**p)


@wrong("same-exponent", "You used alpha for both; the weights' exponent is 1 - alpha.")
def same_exponent(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, formula=lambda a, b, p: (a / b) ** p)


@wrong("weights-ignored", "You left the weights out: divide by w_amax**(1 - alpha).")
def weights_ignored(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, formula=lambda a, b, p: a**p)


@wrong("product", "You multiplied by the weights' power; divide by it.")
def product(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, formula=lambda a, b, p: a**p * b ** (1 - p))


@wrong("alpha-ignored", "Your alpha is always 0.5; use the argument.")
def alpha_ignored(x_amax, weights, alpha=0.5):
    _refuse(x_amax, weights, alpha)
    return _made(x_amax, weights, 0.5)


@wrong("signed-weights", "You took the largest w; a large negative weight counts too.")
def signed_weights(x_amax, weights, alpha=0.5):
    def peaks(weights):
        return np.maximum(np.concatenate(weights).max(0), 0)

    return _made(x_amax, weights, alpha, peaks=peaks)


@wrong("mean-weights", "You took the mean of |w|; the formula has the maximum.")
def mean_weights(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, peaks=lambda ws: np.abs(np.concatenate(ws)).mean(0))


@wrong("one-weight-maximum", "You took one maximum for all weights; take one for each column.")
def one_maximum(x_amax, weights, alpha=0.5):
    def peaks(weights):
        found = _peaks(weights)
        return np.where(found > 0, found.max(), 0)

    return _made(x_amax, weights, alpha, peaks=peaks)


@wrong(
    "rows-for-columns", "You took the maximum of each row; channels are the columns of a weight."
)
def rows_for_columns(x_amax, weights, alpha=0.5):
    def peaks(weights):
        return np.resize(np.abs(np.concatenate(weights)).max(axis=1), len(x_amax))

    return _made(x_amax, weights, alpha, peaks=peaks)


@wrong(
    "first-weight-only", "You looked at the first weight only; all that read the channels count."
)
def first_only(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, peaks=lambda ws: _peaks(ws[:1]))


@wrong("last-weight-only", "You looked at the last weight only; all that read the channels count.")
def last_only(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, peaks=lambda ws: _peaks(ws[-1:]))


@wrong("normalised", "You normalised the factors as AWQ does; SmoothQuant uses them as they are.")
def normalised(x_amax, weights, alpha=0.5):
    s = _made(x_amax, weights, alpha)
    return s / np.sqrt(s.max() * s.min())


@wrong("clipped-at-one", "You kept the factors from falling below 1; small ones are right too.")
def clipped(x_amax, weights, alpha=0.5):
    return np.maximum(_made(x_amax, weights, alpha), 1.0)


@wrong("dead-zero", "A dead channel got factor 0, and dividing by it fails; it gets 1.")
def dead_zero(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha, dead=0.0)


@wrong("dead-divides", "A dead channel gave a zero, an infinity or NaN; it gets 1.")
def dead_divides(x_amax, weights, alpha=0.5):
    _refuse(x_amax, weights, alpha)
    with np.errstate(all="ignore"):
        return _ratio(x_amax, _peaks(weights), alpha)


@wrong(
    "floor-for-dead",
    "You raised zeros to a small floor, which gives a dead channel an odd factor; it gets 1.",
)
def floor_for_dead(x_amax, weights, alpha=0.5):
    _refuse(x_amax, weights, alpha)
    return _ratio(np.maximum(x_amax, 1e-5), np.maximum(_peaks(weights), 1e-5), alpha)


@wrong("float32-factors", "Your factors are float32; the exercise asks for float64.")
def float32_factors(x_amax, weights, alpha=0.5):
    return _made(x_amax, weights, alpha).astype(np.float32)


@wrong("alpha-unchecked", "An alpha outside [0, 1] was accepted; raise ValueError.")
def alpha_unchecked(x_amax, weights, alpha=0.5):
    _refuse(x_amax, weights, 0.5)
    b = _peaks(weights)
    s, live = np.ones(len(x_amax)), (x_amax > 0) & (b > 0)
    s[live] = _ratio(x_amax[live], b[live], alpha)
    return s


@wrong("widths-broadcast", "Weights of another width were broadcast; compare the widths first.")
def widths_broadcast(x_amax, weights, alpha=0.5):
    _refuse(x_amax, weights, alpha, shapes=False)
    return _made(x_amax, [np.resize(_peaks([w]), (1, len(x_amax))) for w in weights], alpha)


@right("comparisons in a loop")
def by_comparisons(x_amax, weights, alpha=0.5):
    _refuse(x_amax, weights, min(max(alpha, 0), 1))
    if alpha < 0 or alpha > 1:
        raise ValueError("alpha")
    peaks = [max(abs(v) for w in weights for v in w[:, j]) for j in range(len(x_amax))]
    pairs = zip(x_amax, peaks, strict=True)
    return np.array([a**alpha * b ** (alpha - 1) if a > 0 and b > 0 else 1.0 for a, b in pairs])


@wrong("clamped-at-1e-5", "You clamped maxima or factors at 1e-5; the exercise has no bound.")
def clamped(x_amax, weights, alpha=0.5):
    return _made(
        x_amax, weights, alpha, formula=lambda a, b, e: _ratio(*np.maximum((a, b), 1e-5), e)
    )
