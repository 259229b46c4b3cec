"""Answers to low-bits-analysis."""

import math
from collections import Counter

import numpy as np

from autograder.checks.bank import right, wrong


def _along(scales, weight):
    return scales.astype(np.float64).reshape(-1, *[1] * (weight.ndim - 1))


def _counts(codes, top):
    return np.array([np.count_nonzero(codes == c) for c in range(-top, top + 1)], np.int64)


def _reach(codes, top):
    return float(np.abs(codes.astype(int)).reshape(len(codes), -1).max(1).mean() / top)


def _db(signal, noise):
    return 10 * math.log10(signal / noise) if noise > 0 else math.inf


def _sqnr(weight, restored):
    real = weight.astype(np.float64)
    return _db(float((real**2).sum()), float(((real - restored) ** 2).sum()))


def _stats(weight, codes, scales, bits, **other):
    top = 2 ** (bits - 1) - 1
    right_ones = {
        "counts": _counts(codes, top),
        "reach": _reach(codes, top),
        "sqnr_db": _sqnr(weight, codes * _along(scales, weight)),
    }
    return {**right_ones, **other}


@right("count each code")
def each_code(weight, codes, scales, bits):
    return _stats(weight, codes, scales, bits)


@right("Counter and loops over channels")
def loops(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    seen = Counter(codes.ravel().tolist())
    signal = noise = reach = 0.0
    for o in range(len(codes)):
        s = float(scales[o % len(scales)])
        for w, c in zip(weight[o].ravel().tolist(), codes[o].ravel().tolist(), strict=True):
            signal, noise = signal + w * w, noise + (w - c * s) ** 2
        reach += max(abs(c) for c in codes[o].ravel().tolist()) / top / len(codes)
    counts = np.array([seen[c] for c in range(-top, top + 1)])
    return {"counts": counts, "reach": reach, "sqnr_db": _db(signal, noise)}


@right("np.histogram")
def histogram(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    edges = np.arange(-top - 0.5, top + 1)
    return _stats(
        weight, codes, scales, bits, counts=np.histogram(codes, edges)[0].astype(np.int64)
    )


@wrong("int8-overflow", "codes + qmax wraps around in int8: convert to a wider type first.")
def overflow(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    with np.errstate(all="ignore"):
        moved = (codes + np.int8(top)).astype(np.int8).ravel()
    counts = np.array([np.count_nonzero(moved == np.int64(c)) for c in range(2 * top + 1)])
    return _stats(weight, codes, scales, bits, counts=counts)


@wrong("counts-of-256", "You counted 2**bits codes; the restricted range has 2 * qmax + 1.")
def with_lowest(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    return _stats(weight, codes, scales, bits, counts=np.concatenate([[0], _counts(codes, top)]))


@wrong("used-codes-only", "You counted the codes that occur; codes that no weight has count 0.")
def unique_only(weight, codes, scales, bits):
    return _stats(weight, codes, scales, bits, counts=np.unique(codes, return_counts=True)[1])


@wrong("shares", "You returned shares; counts are whole numbers of weights.")
def shares(weight, codes, scales, bits):
    counts = _counts(codes, 2 ** (bits - 1) - 1)
    return _stats(weight, codes, scales, bits, counts=counts / counts.sum())


@wrong("counts-reversed", "Your counts run from qmax down to -qmax.")
def reversed_counts(weight, codes, scales, bits):
    return _stats(
        weight, codes, scales, bits, counts=_counts(codes, 2 ** (bits - 1) - 1)[::-1].copy()
    )


@wrong(
    "reach-of-tensor",
    "You took the largest code of the whole tensor: that is 1 for any scale that fits.",
)
def tensor_reach(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    return _stats(weight, codes, scales, bits, reach=float(np.abs(codes.astype(int)).max() / top))


@wrong("reach-of-positive", "You took the largest code, not the largest |code|.")
def positive_reach(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    return _stats(
        weight, codes, scales, bits, reach=float(codes.reshape(len(codes), -1).max(1).mean() / top)
    )


@wrong("reach-input-axis", "You took the maximum over the output channels: channels are axis 0.")
def input_reach(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    rows = np.abs(codes.astype(int)).reshape(len(codes), -1)
    return _stats(weight, codes, scales, bits, reach=float(rows.max(0).mean() / top))


@wrong(
    "distinct-codes", "You counted distinct codes; reach is how far a channel gets towards qmax."
)
def distinct(weight, codes, scales, bits):
    top = 2 ** (bits - 1) - 1
    used = np.mean([len(np.unique(row)) for row in codes])
    return _stats(weight, codes, scales, bits, reach=float(used / (2 * top + 1)))


@wrong("reach-over-128", "You divided by 2**(bits - 1); qmax is one less.")
def reach_128(weight, codes, scales, bits):
    top = 2 ** (bits - 1)
    return _stats(weight, codes, scales, bits, reach=_reach(codes, top))


@wrong("bits-ignored", "You took qmax = 127 whatever `bits` says.")
def bits_ignored(weight, codes, scales, bits):
    return _stats(weight, codes, scales, 8)


@wrong(
    "twenty-log", "You took 20 log10 of a ratio of powers; squares are powers already: 10 log10."
)
def twenty(weight, codes, scales, bits):
    value = _sqnr(weight, codes * _along(scales, weight))
    return _stats(weight, codes, scales, bits, sqnr_db=2 * value)


@wrong("natural-log", "You took the natural logarithm; decibel use log10.")
def natural(weight, codes, scales, bits):
    value = _sqnr(weight, codes * _along(scales, weight))
    return _stats(weight, codes, scales, bits, sqnr_db=value * math.log(10))


@wrong("sqnr-inverted", "Your ratio is noise over signal: the sign of the dB is wrong.")
def upside_down(weight, codes, scales, bits):
    value = _sqnr(weight, codes * _along(scales, weight))
    return _stats(weight, codes, scales, bits, sqnr_db=-value)


@wrong("mean-of-channels", "You averaged the channels' dB; take the sums over all weights first.")
def mean_of_channels(weight, codes, scales, bits):
    restored = codes * _along(scales, weight)
    values = [_sqnr(w, r) for w, r in zip(weight, restored, strict=True) if w.any()]
    return _stats(weight, codes, scales, bits, sqnr_db=float(np.mean(values)))


@wrong("first-scale", "You restored all channels with the first channel's scale.")
def first_scale(weight, codes, scales, bits):
    value = _sqnr(weight, codes * np.float64(scales[0]))
    return _stats(weight, codes, scales, bits, sqnr_db=value)


@wrong(
    "noise-of-codes", "You compared the weights with the codes; multiply them by the scales first."
)
def of_codes(weight, codes, scales, bits):
    return _stats(weight, codes, scales, bits, sqnr_db=_sqnr(weight, codes.astype(float)))


@wrong("epsilon", "You added an epsilon to the noise; codes that lose nothing have math.inf dB.")
def epsilon(weight, codes, scales, bits):
    real = weight.astype(np.float64)
    noise = float(((real - codes * _along(scales, weight)) ** 2).sum())
    return _stats(
        weight,
        codes,
        scales,
        bits,
        sqnr_db=10 * math.log10(float((real**2).sum()) / (noise + 1e-12)),
    )
