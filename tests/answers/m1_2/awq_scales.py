"""Answers to awq-scales."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(mean_abs, alpha):
    if not 0 <= alpha <= 1:
        raise ValueError("alpha outside [0, 1]")
    if not np.isfinite(mean_abs).all() or (mean_abs < 0).any():
        raise ValueError("mean_abs")


def _norm(powers):
    return np.sqrt(powers.max() * powers.min())


def _made(mean_abs, alpha, power=None, norm=_norm, dead=1.0):
    """The scales with another power of the means, another normalisation, another dead value."""
    _refuse(mean_abs, alpha)
    s, live = np.full(len(mean_abs), dead), mean_abs > 0
    if live.any():
        powers = (power or (lambda m, a: m**a))(mean_abs[live], alpha)
        s[live] = powers / norm(powers)
    return s


@right("a mask of the live channels")
def by_mask(mean_abs, alpha):
    return _made(mean_abs, alpha)


@right("through logarithms: the mid-range of alpha log m is subtracted")
def by_logs(mean_abs, alpha):
    _refuse(mean_abs, alpha)
    live = np.flatnonzero(mean_abs)
    s = np.ones_like(mean_abs)
    if len(live):
        logs = alpha * np.log(mean_abs[live])
        s[live] = np.exp(logs - (logs.max() + logs.min()) / 2)
    return s


@right("a loop, normalised before the power")
def by_loop(mean_abs, alpha):
    _refuse(mean_abs, alpha)
    live = [m for m in mean_abs if m > 0]
    middle = (max(live) * min(live)) ** 0.5 if live else 1.0
    return np.array([(m / middle) ** alpha if m > 0 else 1.0 for m in mean_abs], dtype=np.float64)


@wrong("not-normalised", "You left the normalisation out: divide by sqrt(max * min).")
def not_normalised(mean_abs, alpha):
    return _made(mean_abs, alpha, norm=lambda p: 1.0)


@wrong("divided-by-the-maximum", "You divided by the maximum; divide by sqrt(max * min).")
def by_the_maximum(mean_abs, alpha):
    return _made(mean_abs, alpha, norm=np.max)


@wrong("divided-by-the-mean", "You divided by the mean; divide by sqrt(max * min).")
def by_the_mean(mean_abs, alpha):
    return _made(mean_abs, alpha, norm=np.mean)


@wrong("no-square-root", "You divided by max * min; its square root belongs there.")
def no_square_root(mean_abs, alpha):
    return _made(mean_abs, alpha, norm=lambda p: p.max() * p.min())


@wrong(
    "geometric-mean-of-all",
    "You divided by the geometric mean of all channels; only max and min count.",
)
def geometric_mean(mean_abs, alpha):
    return _made(mean_abs, alpha, norm=lambda p: np.exp(np.log(p).mean()))


@wrong("inverse-scales", "Your loud channels got small scales; the exponent of mean_abs is +alpha.")
def inverse(mean_abs, alpha):
    return _made(mean_abs, alpha, power=lambda m, a: m**-a)


@wrong("one-minus-alpha", "You used 1 - alpha as the exponent; at alpha 0 all scales must be 1.")
def one_minus(mean_abs, alpha):
    return _made(mean_abs, alpha, power=lambda m, a: m ** (1 - a))


@wrong("alpha-ignored", "Your scales are proportional to mean_abs; raise it to the power alpha.")
def alpha_ignored(mean_abs, alpha):
    return _made(mean_abs, alpha, power=lambda m, a: m)


@wrong("alpha-times", "You multiplied by alpha; alpha is the exponent.")
def alpha_times(mean_abs, alpha):
    return _made(mean_abs, alpha, power=lambda m, a: m * a if a else m**0)


@wrong(
    "normalised-by-the-means",
    "You divided by sqrt(max * min) of mean_abs itself; take those of its power.",
)
def normalised_by_means(mean_abs, alpha):
    _refuse(mean_abs, alpha)
    s, live = np.ones(len(mean_abs)), mean_abs > 0
    if live.any():
        s[live] = mean_abs[live] ** alpha / _norm(mean_abs[live])
    return s


@wrong("dead-channel-zero", "A dead channel got scale 0, and dividing by it fails; it gets 1.")
def dead_zero(mean_abs, alpha):
    return _made(mean_abs, alpha, dead=0.0)


@wrong(
    "dead-in-the-minimum",
    "A dead channel entered the minimum, and the scales became infinite; leave it out.",
)
def dead_in_minimum(mean_abs, alpha):
    _refuse(mean_abs, alpha)
    powers = mean_abs**alpha
    return powers / _norm(powers)


@wrong(
    "floor-instead-of-dead",
    "You raised small means to a floor; a dead channel has scale 1 and takes no part in max and min.",
)
def floor_clip(mean_abs, alpha):
    _refuse(mean_abs, alpha)
    powers = np.maximum(mean_abs**alpha, 1e-4)
    return powers / _norm(powers)


@wrong(
    "dead-normalised",
    "You set a dead channel to 1 before the normalisation; do it after, without counting it.",
)
def dead_normalised(mean_abs, alpha):
    _refuse(mean_abs, alpha)
    powers = np.where(mean_abs > 0, mean_abs**alpha, 1.0)
    return powers / _norm(powers)


@wrong("float32-scales", "Your scales are float32; the exercise asks for float64.")
def float32_scales(mean_abs, alpha):
    return _made(mean_abs, alpha).astype(np.float32)


@wrong("alpha-clipped", "An alpha outside [0, 1] was clipped; raise ValueError.")
def alpha_clipped(mean_abs, alpha):
    alpha = 0.5 if np.isnan(alpha) else min(max(alpha, 0.0), 1.0)
    return _made(mean_abs, alpha)


@wrong("bad-means-accepted", "A negative, NaN or infinite mean was accepted; raise ValueError.")
def bad_means(mean_abs, alpha):
    if not 0 <= alpha <= 1:
        raise ValueError("alpha outside [0, 1]")
    cleaned = np.nan_to_num(np.abs(mean_abs), posinf=1e9)
    return _made(cleaned, alpha)


@wrong("in-place", "You changed mean_abs; work on a copy.")
def in_place(mean_abs, alpha):
    s = _made(mean_abs, alpha)
    mean_abs[:] = s
    return s


@right("comparisons and plain floats")
def by_comparisons(mean_abs, alpha):
    if alpha < 0 or alpha > 1 or any(not np.isfinite(m) or m < 0 for m in mean_abs):
        raise ValueError("out of range")
    powers = [float(m) ** alpha for m in mean_abs if m > 0]
    middle = (max(powers) ** 0.5) * (min(powers) ** 0.5) if powers else 1.0
    return np.array([float(m) ** alpha / middle if m > 0 else 1.0 for m in mean_abs])


@wrong("clamped-scales", "You clamped the scales to [1e-4, 1e4]; the exercise has no bounds.")
def clamped(mean_abs, alpha):
    return np.clip(_made(mean_abs, alpha), 1e-4, 1e4)
