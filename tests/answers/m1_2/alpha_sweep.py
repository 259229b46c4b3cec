"""Answers to alpha-sweep."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(calibration, x, w, alphas, empty=True, range_=True):
    if empty and not (len(calibration) and len(alphas)):
        raise ValueError("empty")
    if range_ and any(not 0 <= a <= 1 for a in alphas):
        raise ValueError("alpha")
    if not calibration.shape[1] == x.shape[1] == w.shape[1]:
        raise ValueError("shapes")


def _amax(calibration, x):
    return np.abs(calibration.astype(np.float64)).max(axis=0)


def _factors(a, w, alpha):
    b = np.abs(w).max(axis=0)
    s, live = np.ones(len(a)), (a > 0) & (b > 0)
    s[live] = a[live] ** alpha / b[live] ** (1 - alpha)
    return s


def _codes(v, top):
    peak = np.abs(v).max(axis=1, keepdims=True)
    scale = np.where(peak > 0, peak / top, 1)
    return np.rint(v / scale), scale


def _linear(x, w, s, bits):
    cx, sx = _codes(x / s, 127)
    cw, sw = _codes(w * s, 2 ** (bits - 1) - 1)
    return ((cx @ cw.T) * sx * sw.T).astype(np.float32)


def _relative(y, wanted):
    return np.linalg.norm(y - wanted) / np.linalg.norm(wanted)


def _sweep(
    calibration,
    x,
    w,
    alphas,
    bits,
    *,
    amax=_amax,
    factors=_factors,
    linear=_linear,
    error=_relative,
    check=True,
):
    """The sweep with one of its steps exchanged."""
    if check:
        _refuse(calibration, x, w, alphas)
    x = x.astype(np.float64)
    wanted, a = x @ w.T, amax(calibration, x)
    errors = np.array([error(linear(x, w, factors(a, w, p), bits), wanted) for p in alphas])
    unsmoothed = float(error(linear(x, w, np.ones(w.shape[1]), bits), wanted))
    return unsmoothed, errors.astype(np.float64), alphas[int(np.argmin(errors))]


@right("with norms")
def by_norms(calibration, x, w, alphas, weight_bits=8):
    return _sweep(calibration, x, w, alphas, weight_bits)


@right("sums of squares, float64 outputs, min with a key")
def by_squares(calibration, x, w, alphas, weight_bits=8):
    _refuse(calibration, x, w, alphas)
    x = x.astype(np.float64)
    wanted = np.einsum("nk,rk->nr", x, w)
    found = {}
    for alpha in [None, *alphas]:
        s = np.ones(w.shape[1]) if alpha is None else _factors(_amax(calibration, x), w, alpha)
        cx, sx = _codes(x / s, 127)
        cw, sw = _codes(w * s, 2 ** (weight_bits - 1) - 1)
        y = (cx.astype(np.int32) @ cw.astype(np.int32).T) * (sx * sw.T)
        found[alpha] = float(((y - wanted) ** 2).sum() / (wanted**2).sum()) ** 0.5
    errors = np.array([found[alpha] for alpha in alphas])
    return found[None], errors, min(alphas, key=found.get)


@wrong(
    "factors-from-x",
    "You took the maxima from x, on which you measure; take them from calibration.",
)
def factors_from_x(calibration, x, w, alphas, weight_bits=8):
    return _sweep(calibration, x, w, alphas, weight_bits, amax=lambda c, x: np.abs(x).max(axis=0))


@wrong(
    "error-on-calibration",
    "You measured the error on the calibration data; measure it on x.",
)
def error_on_calibration(calibration, x, w, alphas, weight_bits=8):
    _refuse(calibration, x, w, alphas)
    return _sweep(calibration, calibration, w, alphas, weight_bits)


@wrong("mean-for-maximum", "You took the mean of |x|; SmoothQuant's factors come from the maximum.")
def mean_for_maximum(calibration, x, w, alphas, weight_bits=8):
    return _sweep(calibration, x, w, alphas, weight_bits, amax=lambda c, x: np.abs(c).mean(axis=0))


@wrong("alpha-swapped", "You swapped alpha and 1 - alpha.")
def alpha_swapped(calibration, x, w, alphas, weight_bits=8):
    return _sweep(
        calibration, x, w, alphas, weight_bits, factors=lambda a, w, p: _factors(a, w, 1 - p)
    )


@wrong(
    "squared-error", "You left out the root: the error is a ratio of norms, not of their squares."
)
def squared_error(calibration, x, w, alphas, weight_bits=8):
    return _sweep(calibration, x, w, alphas, weight_bits, error=lambda y, t: _relative(y, t) ** 2)


@wrong("absolute-error", "You did not divide by the norm of x w^T.")
def absolute_error(calibration, x, w, alphas, weight_bits=8):
    return _sweep(calibration, x, w, alphas, weight_bits, error=lambda y, t: np.linalg.norm(y - t))


@wrong("divided-by-y", "You divided by the norm of the quantized output; divide by that of x w^T.")
def divided_by_y(calibration, x, w, alphas, weight_bits=8):
    return _sweep(
        calibration,
        x,
        w,
        alphas,
        weight_bits,
        error=lambda y, t: np.linalg.norm(y - t) / np.linalg.norm(y) * 1.0,
    )


@wrong("spectral-norm", "You took the spectral norm (ord=2); the exercise has Frobenius norms.")
def spectral_norm(calibration, x, w, alphas, weight_bits=8):
    return _sweep(
        calibration,
        x,
        w,
        alphas,
        weight_bits,
        error=lambda y, t: np.linalg.norm(y - t, 2) / np.linalg.norm(t, 2),
    )


@wrong("weight-bits-ignored", "Your weights always have 8 bits; pass weight_bits on.")
def bits_ignored(calibration, x, w, alphas, weight_bits=8):
    return _sweep(calibration, x, w, alphas, 8)


@wrong("unsmoothed-is-alpha-0", "alpha 0 is not 'no smoothing': there s = 1 / w_amax; take s = 1.")
def unsmoothed_alpha_0(calibration, x, w, alphas, weight_bits=8):
    _, errors, best = _sweep(calibration, x, w, alphas, weight_bits)
    return float(_sweep(calibration, x, w, [0.0], weight_bits)[1][0]), errors, best


@wrong("index-for-alpha", "You returned the index of the best alpha; return the alpha.")
def index_for_alpha(calibration, x, w, alphas, weight_bits=8):
    unsmoothed, errors, _ = _sweep(calibration, x, w, alphas, weight_bits)
    return unsmoothed, errors, int(np.argmin(errors))


@wrong("worst-alpha", "You returned the alpha with the largest error.")
def worst_alpha(calibration, x, w, alphas, weight_bits=8):
    unsmoothed, errors, _ = _sweep(calibration, x, w, alphas, weight_bits)
    return unsmoothed, errors, alphas[int(np.argmax(errors))]


@wrong("always-half", "Your best alpha is always 0.5; choose by the errors.")
def always_half(calibration, x, w, alphas, weight_bits=8):
    unsmoothed, errors, _ = _sweep(calibration, x, w, alphas, weight_bits)
    return unsmoothed, errors, 0.5


@wrong(
    "sorted-alphas", "You sorted the alphas; the errors keep the order in which they were given."
)
def sorted_alphas(calibration, x, w, alphas, weight_bits=8):
    _refuse(calibration, x, w, alphas)
    return _sweep(calibration, x, w, sorted(alphas), weight_bits)


@wrong("list-of-errors", "errors is a list; return a float64 array.")
def list_of_errors(calibration, x, w, alphas, weight_bits=8):
    unsmoothed, errors, best = _sweep(calibration, x, w, alphas, weight_bits)
    return unsmoothed, errors.tolist(), best


@wrong("per-tensor", "Your activations have one scale for all tokens; use smooth_linear.")
def per_tensor(calibration, x, w, alphas, weight_bits=8):
    def linear(x, w, s, bits):
        scale = np.abs(x / s).max() / 127
        cw, sw = _codes(w * s, 2 ** (bits - 1) - 1)
        return ((np.rint(x / s / scale) @ cw.T) * scale * sw.T).astype(np.float32)

    return _sweep(calibration, x, w, alphas, weight_bits, linear=linear)


@wrong("weights-only", "You quantized the weights alone; W8A8 rounds the activations as well.")
def weights_only(calibration, x, w, alphas, weight_bits=8):
    def linear(x, w, s, bits):
        cw, sw = _codes(w * s, 2 ** (bits - 1) - 1)
        return (x / s) @ (cw * sw).T

    return _sweep(calibration, x, w, alphas, weight_bits, linear=linear)


@wrong(
    "empty-accepted", "An empty calibration set or list of alphas was accepted; raise ValueError."
)
def empty_accepted(calibration, x, w, alphas, weight_bits=8):
    _refuse(calibration, x, w, alphas, empty=False)
    if not len(calibration) or not len(alphas):
        return 0.0, np.zeros(len(alphas)), 0.5
    return _sweep(calibration, x, w, alphas, weight_bits)


@wrong("alpha-unchecked", "An alpha outside [0, 1] was accepted; raise ValueError.")
def alpha_unchecked(calibration, x, w, alphas, weight_bits=8):
    _refuse(calibration, x, w, alphas, range_=False)
    return _sweep(calibration, x, w, alphas, weight_bits, check=False)


@right("a loop that keeps the best so far")
def by_keeping_the_best(calibration, x, w, alphas, weight_bits=8):
    _refuse(calibration, x, w, alphas)
    wanted = x.astype(np.float64) @ w.T
    peaks = _amax(calibration, x)
    errors, best = [], None
    for alpha in alphas:
        error = _relative(_linear(x, w, _factors(peaks, w, alpha), weight_bits), wanted)
        if best is None or error < errors[best]:
            best = len(errors)
        errors.append(error)
    unsmoothed = _relative(_linear(x, w, np.ones(w.shape[1]), weight_bits), wanted)
    return float(unsmoothed), np.array(errors), alphas[best]


@wrong("last-of-equals", "Of equal errors you took the last alpha; take the first.")
def last_of_equals(calibration, x, w, alphas, weight_bits=8):
    unsmoothed, errors, _ = by_keeping_the_best(calibration, x, w, alphas, weight_bits)
    return unsmoothed, errors, alphas[np.flatnonzero(errors == errors.min())[-1]]


@wrong("smallest-of-equals", "Of equal errors you took the smallest alpha; take the first given.")
def smallest_of_equals(calibration, x, w, alphas, weight_bits=8):
    unsmoothed, errors, _ = by_keeping_the_best(calibration, x, w, alphas, weight_bits)
    return unsmoothed, errors, min(alphas[i] for i in np.flatnonzero(errors == errors.min()))
