"""Answers to nf4-levels."""

from statistics import NormalDist

import numpy as np
import torch
from scipy.stats import norm

from autograder.checks.bank import right, wrong


def _refuse(offset, bits):
    if not 0.5 < offset < 1 or not 2 <= bits <= 8:
        raise ValueError("offset between 0.5 and 1, bits 2 to 8")


def _levels(offset, bits, positive=None, negative=None, quantile=norm.ppf, scale=None):
    _refuse(offset, bits)
    half = 2 ** (bits - 1)
    up = quantile(np.linspace(offset, 0.5, half + 1 if positive is None else positive)[:-1])
    down = -quantile(np.linspace(offset, 0.5, half if negative is None else negative)[:-1])
    levels = np.sort(np.concatenate([down, [0.0], up]))
    return (levels / (quantile(offset) if scale is None else scale)).astype(np.float32)


@right("scipy and linspace")
def by_scipy(offset=0.9677083, bits=4):
    return _levels(offset, bits)


@right("the standard library, one level at a time")
def by_statistics(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    q = NormalDist().inv_cdf
    half = 1 << (bits - 1)
    out = [0.0]
    for i in range(half):
        out.append(q(0.5 + (offset - 0.5) * (half - i) / half) / q(offset))
    for i in range(half - 1):
        out.append(q(0.5 - (offset - 0.5) * (half - 1 - i) / (half - 1)) / q(offset))
    return np.array(sorted(out), np.float32)


@right("as bitsandbytes writes it: float32 linspace, divided by the maximum")
def by_torch(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    half = 2 ** (bits - 1)
    up = norm.ppf(torch.linspace(offset, 0.5, half + 1)[:-1].numpy()).tolist()
    down = (-norm.ppf(torch.linspace(offset, 0.5, half)[:-1].numpy())).tolist()
    values = torch.tensor([*down, 0.0, *up]).sort().values
    return (values / values.max()).numpy()


@right("erfinv in float64")
def by_erfinv(offset=0.9677083, bits=4):
    def quantile(p):
        p = torch.as_tensor(p, dtype=torch.float64)
        return (np.sqrt(2) * torch.erfinv(2 * p - 1)).numpy()

    return _levels(offset, bits, quantile=quantile)


@wrong(
    "halves-swapped",
    "You gave the negative side the extra level; NF4 has 8 positive and 7 negative ones.",
)
def swapped(offset=0.9677083, bits=4):
    return -_levels(offset, bits)[::-1]


@wrong("no-zero", "You have no level at 0: zeros and padding would not come back as zero.")
def no_zero(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    half = 2 ** (bits - 1)
    up = norm.ppf(np.linspace(offset, 0.5, half + 1)[:-1])
    return (np.concatenate([-up, up[::-1]]) / up[0]).astype(np.float32)


@wrong(
    "symmetric-with-two-zeros",
    "Both of your halves end at 0.5, so that zero occurs twice; leave the end out and add one zero.",
)
def two_zeros(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    half = 2 ** (bits - 1)
    up = norm.ppf(np.linspace(offset, 0.5, half))
    return (np.sort(np.concatenate([-up, up])) / up[0]).astype(np.float32)


@wrong(
    "symmetric-halves",
    "Your halves are mirror images, one level short; the positive side has one level more.",
)
def symmetric(offset=0.9677083, bits=4):
    half = 2 ** (bits - 1)
    return _levels(offset, bits, positive=half)


@wrong("not-normalised", "You did not divide by Q(offset): the levels must end at -1 and 1.")
def not_normalised(offset=0.9677083, bits=4):
    return _levels(offset, bits, scale=1.0)


@wrong(
    "four-bits-hard-coded",
    "You wrote 8 and 9 where half and half + 1 belong: `bits` has no effect.",
)
def hard_coded(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    return _levels(offset, 4)


@wrong(
    "offset-hard-coded",
    "You copied the offset (or the sixteen constants); use the argument `offset`.",
)
def fixed_offset(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    return _levels(0.9677083, bits)


@wrong(
    "evenly-spaced",
    "Your levels are evenly spaced; the probabilities are, and the levels are their quantiles.",
)
def evenly_spaced(offset=0.9677083, bits=4):
    return _levels(offset, bits, quantile=lambda p: np.asarray(p) - 0.5)


@wrong(
    "one-linspace-over-both-sides",
    "You spaced one row of probabilities from 1 - offset to offset; each side has its own spacing.",
)
def one_row(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    levels = norm.ppf(np.linspace(1 - offset, offset, 2**bits))
    return (levels / levels.max()).astype(np.float32)


@wrong(
    "density-instead-of-quantile",
    "You took the cumulative distribution (cdf); its inverse is the quantile (ppf).",
)
def by_cdf(offset=0.9677083, bits=4):
    return _levels(offset, bits, quantile=norm.cdf)


@wrong(
    "descending", "Your levels run from 1 to -1; searching for the nearest needs them ascending."
)
def descending(offset=0.9677083, bits=4):
    return _levels(offset, bits)[::-1].copy()


@wrong("float64-levels", "You returned float64; the table is stored as float32.")
def wide(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    half = 2 ** (bits - 1)
    up = norm.ppf(np.linspace(offset, 0.5, half + 1)[:-1])
    down = -norm.ppf(np.linspace(offset, 0.5, half)[:-1])
    return np.sort(np.concatenate([down, [0.0], up])) / norm.ppf(offset)


@wrong(
    "float16-quantiles",
    "You computed in float16: the levels are off in the fourth digit. Round once, at the end.",
)
def halves(offset=0.9677083, bits=4):
    return _levels(offset, bits).astype(np.float16).astype(np.float32)


@wrong(
    "paper-formula",
    "You averaged neighbouring quantiles (the paper's equation); the library's table is made otherwise.",
)
def paper(offset=0.9677083, bits=4):
    _refuse(offset, bits)
    n = 2**bits + 1
    edges = norm.ppf(np.arange(1, n) / n)
    middle = np.concatenate([[edges[0]], (edges[1:] + edges[:-1]) / 2])
    return (middle / np.abs(middle).max()).astype(np.float32)


@wrong("no-refusal", "You accept an offset of 1 or 9 bits; raise ValueError.")
def no_refusal(offset=0.9677083, bits=4):
    half = 2 ** (bits - 1)
    up = norm.ppf(np.linspace(offset, 0.5, half + 1)[:-1])
    down = -norm.ppf(np.linspace(offset, 0.5, half)[:-1])
    with np.errstate(all="ignore"):
        levels = np.sort(np.concatenate([down, [0.0], up])) / norm.ppf(offset)
    return levels.astype(np.float32)
