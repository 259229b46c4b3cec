"""Answers to rounding-clipping."""

import numpy as np

from autograder.checks.bank import right, wrong


@right("a mask in float64")
def by_mask(x, clip, bits=8):
    qmax = 2 ** (bits - 1) - 1
    scale = clip / qmax
    x = x.astype(np.float64)
    squared = (x - np.clip(np.rint(x / scale), -qmax, qmax) * scale) ** 2
    outside = np.abs(x) > clip
    return squared[~outside].sum() / x.size, squared[outside].sum() / x.size


@right("a loop")
def by_loop(x, clip, bits=8):
    qmax = 2 ** (bits - 1) - 1
    scale = clip / qmax
    rounding = clipping = 0.0
    for value in x.ravel():
        value = float(value)
        if value > clip:
            clipping += (value - clip) ** 2
        elif value < -clip:
            clipping += (value + clip) ** 2
        else:
            rounding += (value - scale * round(value / scale)) ** 2
    return rounding / x.size, clipping / x.size


@right("the distance to the interval, and the rest")
def by_difference(x, clip, bits=8):
    x = np.asarray(x, np.float64)
    inside = np.clip(x, -clip, clip)
    step = clip / (2 ** (bits - 1) - 1)
    over = np.mean((x - inside) ** 2)
    restored = np.round(inside / step) * step
    return float(np.mean((x - restored) ** 2) - over), float(over)


@right("torch's fake quantization in float32")
def by_torch(x, clip, bits=8):
    import torch

    qmax = 2 ** (bits - 1) - 1
    t = torch.from_numpy(np.array(x, dtype=np.float32))
    fake = torch.fake_quantize_per_tensor_affine(t, clip / qmax, 0, -qmax, qmax)
    squared = (t - fake).double() ** 2
    zero = torch.zeros_like(squared)
    outside = t.abs() > clip
    return (
        torch.where(outside, zero, squared).mean().item(),
        torch.where(outside, squared, zero).mean().item(),
    )


def _split(x, clip, bits, *, scale=None, rounding=np.rint, low=None, high=None, outside=None):
    """Squared errors and the mask of clipped elements."""
    qmax = 2 ** (bits - 1) - 1
    scale = clip / qmax if scale is None else scale
    x = x.astype(np.float64)
    codes = np.clip(
        rounding(x / scale), -qmax if low is None else low, qmax if high is None else high
    )
    squared = (x - codes * scale) ** 2
    return squared, (np.abs(x) > clip if outside is None else outside(x, codes))


def _parts(squared, outside):
    return float(squared[~outside].sum() / squared.size), float(
        squared[outside].sum() / squared.size
    )


@wrong(
    "own-means",
    "You took the mean of each group over its own elements; divide both sums by x.size, or "
    "the parts do not add up to the MSE.",
)
def own_means(x, clip, bits=8):
    squared, outside = _split(x, clip, bits)
    means = [float(s.mean()) if s.size else 0.0 for s in (squared[~outside], squared[outside])]
    return means[0], means[1]


@wrong(
    "mean-of-nothing",
    "The mean over an empty group is nan; divide the sum by x.size, then an empty group gives 0.",
)
def mean_of_nothing(x, clip, bits=8):
    squared, outside = _split(x, clip, bits)
    with np.errstate(all="ignore"):
        inside_share, outside_share = (~outside).mean(), outside.mean()
        a = np.float64(squared[~outside].sum()) / np.float64((~outside).sum()) * inside_share
        b = np.float64(squared[outside].sum()) / np.float64(outside.sum()) * outside_share
    return float(a), float(b)


@wrong("sums-for-means", "You returned sums; divide both by x.size.")
def sums(x, clip, bits=8):
    squared, outside = _split(x, clip, bits)
    return float(squared[~outside].sum()), float(squared[outside].sum())


@wrong("parts-swapped", "You returned (clipping, rounding); the order is (rounding, clipping).")
def swapped(x, clip, bits=8):
    return _parts(*_split(x, clip, bits))[::-1]


@wrong(
    "total-for-rounding",
    "Your first part is the whole MSE; the errors of clipped elements belong to the second "
    "part only.",
)
def total_first(x, clip, bits=8):
    squared, outside = _split(x, clip, bits)
    return float(squared.mean()), _parts(squared, outside)[1]


@wrong(
    "clipped-by-the-code",
    "You call an element clipped when its code is at the end of the range; values just inside "
    "the threshold land there too. Ask |x| > clip.",
)
def by_code(x, clip, bits=8):
    qmax = 2 ** (bits - 1) - 1
    return _parts(*_split(x, clip, bits, outside=lambda x, codes: np.abs(codes) >= qmax))


@wrong("one-sided", "You looked at the upper end only; values below -clip are clipped too.")
def one_sided(x, clip, bits=8):
    return _parts(*_split(x, clip, bits, outside=lambda x, codes: x > clip))


@wrong(
    "scale-from-amax",
    "You took the scale from max|x|, so nothing is clipped; here the scale is clip / qmax.",
)
def own_scale(x, clip, bits=8):
    amax = float(np.abs(x).max())
    return _parts(*_split(x, clip, bits, scale=amax / (2 ** (bits - 1) - 1)))


@wrong(
    "no-clip",
    "You did not clip the codes, so values beyond the threshold come back whole; keep codes "
    "in [-qmax, qmax].",
)
def no_clip(x, clip, bits=8):
    return _parts(*_split(x, clip, bits, low=-np.inf, high=np.inf))


@wrong("full-range", "You allowed the code -2**(bits-1); the range is restricted to [-qmax, qmax].")
def full_range(x, clip, bits=8):
    return _parts(*_split(x, clip, bits, low=-(2 ** (bits - 1))))


@wrong(
    "scale-by-2-to-the-bits",
    "You divided clip by 2**(bits-1); the largest code is qmax = 2**(bits-1) - 1 and stands "
    "for clip.",
)
def wide_scale(x, clip, bits=8):
    return _parts(*_split(x, clip, bits, scale=clip / 2 ** (bits - 1)))


@wrong(
    "unsigned-scale",
    "You used 2**bits - 1 as the largest code; signed codes end at 2**(bits-1) - 1.",
)
def unsigned_scale(x, clip, bits=8):
    qmax = 2**bits - 1
    return _parts(*_split(x, clip, bits, scale=clip / qmax, low=-qmax, high=qmax))


@wrong(
    "floor-for-round",
    "You rounded down with floor; rounding to nearest makes the error at most half a step.",
)
def floor_for_round(x, clip, bits=8):
    return _parts(*_split(x, clip, bits, rounding=np.floor))


@wrong("truncation", "You cut the fraction off in place of rounding; use np.rint.")
def truncation(x, clip, bits=8):
    return _parts(*_split(x, clip, bits, rounding=np.trunc))


@wrong("always-8-bits", "Your qmax is 127 whatever `bits` says; compute it as 2**(bits-1) - 1.")
def always_eight(x, clip, bits=8):
    return _parts(*_split(x, clip, 8))


@wrong(
    "theory-for-rounding",
    "You returned scale**2 / 12, the expected rounding error; the exercise wants the error of "
    "these values.",
)
def theory(x, clip, bits=8):
    squared, outside = _split(x, clip, bits)
    scale = clip / (2 ** (bits - 1) - 1)
    return float(scale**2 / 12 * (~outside).mean()), _parts(squared, outside)[1]


@wrong("absolute-errors", "You averaged absolute errors; square them.")
def absolute(x, clip, bits=8):
    squared, outside = _split(x, clip, bits)
    return _parts(np.sqrt(squared), outside)


@wrong(
    "clipped-error-squared-size",
    "You counted x**2 of the clipped values; they come back as the threshold, so their error "
    "is (|x| - clip)**2.",
)
def whole_value(x, clip, bits=8):
    squared, outside = _split(x, clip, bits)
    return _parts(np.where(outside, x.astype(np.float64) ** 2, squared), outside)
