"""Answers to best-loss-scale."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _amax(gradients):
    if not np.isfinite(gradients).all():
        raise ValueError("not finite")
    return float(np.max(np.abs(gradients), initial=0.0))


@right("exponents downwards, with the cast itself")
def by_trial(gradients, max_exponent=24):
    if not np.all(np.isfinite(gradients)):
        raise ValueError("gradients must be finite")
    k = max_exponent
    while np.isinf((gradients.astype(np.float64) * 2.0**k).astype(np.float16)).any():
        k -= 1
    return 2.0**k


@right("frexp")
def by_frexp(gradients, max_exponent=24):
    amax = _amax(gradients)
    if amax == 0:
        return math.ldexp(1.0, max_exponent)
    m, e = math.frexp(amax)  # amax = m 2^e, m in [0.5, 1): m 2^16 < 65520 or one less
    k = 16 - e if m * 65536 < 65520 else 15 - e
    return 2.0 ** min(k, max_exponent)


@right("logarithm, then corrected")
def by_log(gradients, max_exponent=24):
    amax = _amax(gradients)
    if amax == 0:
        return np.float64(2.0**max_exponent)
    scale = 2.0 ** math.floor(math.log2(65520 / amax))
    if amax * scale >= 65520:
        scale /= 2
    return min(scale, 2.0**max_exponent)


@wrong(
    "largest-without-abs",
    "You took the largest value, not the largest magnitude: negative gradients overflow too.",
)
def no_abs(gradients, max_exponent=24):
    _amax(gradients)
    return by_frexp(np.maximum(gradients, 0), max_exponent)


@wrong(
    "limit-65504",
    "You kept everything at 65504 or below; values below 65520 still round down to 65504.",
)
def limit_65504(gradients, max_exponent=24):
    amax = _amax(gradients)
    return next(2.0**k for k in range(max_exponent, -300, -1) if amax * 2.0**k <= 65504)


@wrong(
    "65520-allowed", "You allowed exactly 65520; it is a tie, and the even neighbour is infinity."
)
def allows_65520(gradients, max_exponent=24):
    amax = _amax(gradients)
    return next(2.0**k for k in range(max_exponent, -300, -1) if amax * 2.0**k <= 65520)


@wrong("limit-65536", "You took 2^16 as the limit; values from 65520 to 65536 overflow too.")
def limit_65536(gradients, max_exponent=24):
    amax = _amax(gradients)
    return next(2.0**k for k in range(max_exponent, -300, -1) if amax * 2.0**k < 65536)


@wrong(
    "one-bit-wasted",
    "You kept the largest gradient below 2^15; float16 goes up to 65504, so twice that scale often fits.",
)
def below_32768(gradients, max_exponent=24):
    amax = _amax(gradients)
    return next(2.0**k for k in range(max_exponent, -300, -1) if amax * 2.0**k < 32768)


@wrong(
    "rounded-exponent",
    "You rounded the exponent to the nearest integer; only rounding down is safe.",
)
def rounded(gradients, max_exponent=24):
    amax = _amax(gradients)
    return 2.0 ** min(round(math.log2(65520 / amax)), max_exponent) if amax else 2.0**max_exponent


@wrong("exponent-returned", "You returned the exponent; return the scale, 2 to that power.")
def exponent(gradients, max_exponent=24):
    return math.log2(by_frexp(gradients, max_exponent))


@wrong(
    "no-power-of-two",
    "You returned 65504 / amax; the scale must be a power of two, so that scaling rounds nothing.",
)
def ratio(gradients, max_exponent=24):
    amax = _amax(gradients)
    return min(65504 / amax, 2.0**max_exponent) if amax else 2.0**max_exponent


@wrong("no-cap", "You left out max_exponent: tiny gradients drive the scale up without end.")
def no_cap(gradients, max_exponent=24):
    amax = _amax(gradients)
    return by_frexp(gradients, 1000) if amax else 2.0**max_exponent


@wrong("cap-hard-coded", "You wrote 24 where max_exponent belongs.")
def cap_24(gradients, max_exponent=24):
    return by_frexp(gradients, 24)


@wrong(
    "one-for-all-zero",
    "You returned 1.0 for all-zero gradients; nothing overflows there, so the cap holds.",
)
def one_for_zero(gradients, max_exponent=24):
    return by_frexp(gradients, max_exponent) if _amax(gradients) else 1.0


@wrong(
    "never-below-one",
    "You kept the scale at 1 or above; gradients beyond 65504 need a scale below 1.",
)
def at_least_one(gradients, max_exponent=24):
    return max(1.0, by_frexp(gradients, max_exponent))


@wrong(
    "non-finite-ignored",
    "You left infinities and NaN out; no scale helps them, so raise ValueError.",
)
def ignores_inf(gradients, max_exponent=24):
    return by_frexp(gradients[np.isfinite(gradients)], max_exponent)


@wrong("nan-forgotten", "You refused infinities but not NaN; np.isfinite finds both.")
def ignores_nan(gradients, max_exponent=24):
    return by_frexp(gradients[~np.isnan(gradients)], max_exponent)


@wrong(
    "mean-magnitude",
    "You sized the scale by the mean magnitude; a single overflow spoils the step, so take the largest.",
)
def mean(gradients, max_exponent=24):
    _amax(gradients)
    m = float(np.abs(gradients).mean()) if gradients.size else 0.0
    return by_frexp(np.array([m]), max_exponent)


@wrong(
    "cast-before-scaling",
    "You cast to float16 and scaled there; the scale itself may not fit, and what vanished stays away.",
)
def scaled_in_half(gradients, max_exponent=24):
    _amax(gradients)
    k = max_exponent
    while k > -30 and np.isinf(gradients.astype(np.float16) * np.float16(2.0**k)).any():
        k -= 1
    return 2.0**k
