"""Answers to saturating-pairs."""

import numpy as np

from autograder.checks.bank import right, wrong


def _check(x, w, skip=""):
    if "d" not in skip and (x.dtype != np.uint8 or w.dtype != np.int8):
        raise ValueError("dtypes")
    if "a" not in skip and (x.ndim != 2 or w.ndim != 2):
        raise ValueError("axes")
    if "s" not in skip and x.shape[-1] != w.shape[0]:
        raise ValueError("sizes")


def _products(x, w):
    if x.ndim == 1:
        x = x[None]
    k = min(x.shape[1], w.shape[0])
    made = x.astype(np.int64)[:, :k, None] * w.astype(np.int64)[None, :k]
    return np.pad(made, ((0, 0), (0, k % 2), (0, 0)))


def _sums(x, w, skip="", pairs=None, clamp=None, dtype=np.int32):
    _check(x, w, skip)
    made = _products(x, w)
    made = pairs(made) if pairs else made[:, 0::2] + made[:, 1::2]
    made = clamp(made) if clamp else np.clip(made, -32768, 32767)
    return made.sum(axis=1).astype(dtype)


@right("slices of the products")
def slices(x, w):
    return _sums(x, w)


@right("a loop over pairs")
def loop(x, w):
    _check(x, w)
    out = np.zeros((x.shape[0], w.shape[1]), np.int32)
    for at in range(0, x.shape[1], 2):
        pair = x[:, at : at + 2].astype(np.int32) @ w[at : at + 2].astype(np.int32)
        out += np.minimum(np.maximum(pair, -32768), 32767)
    return out


@right("einsum in float64, which holds the integers exactly")
def einsum(x, w):
    _check(x, w)
    odd = x.shape[1] % 2
    x = np.pad(x.astype(np.float64), ((0, 0), (0, odd))).reshape(len(x), -1, 2)
    w = np.pad(w.astype(np.float64), ((0, odd), (0, 0))).reshape(-1, 2, w.shape[1])
    return np.clip(np.einsum("bkp,kpm->bkm", x, w), -32768, 32767).sum(1).astype(np.int32)


def _like(**rules):
    return lambda x, w: _sums(x, w, **rules)


@wrong("exact", "You computed the exact product: clamp each pair to int16.", call=True)
def exact():
    return _like(clamp=lambda p: p)


@wrong("each-product-clamped", "A single product always fits: clamp the sum of two.", call=True)
def each():
    return _like(pairs=lambda p: p)


@wrong("total-clamped", "The whole sum is in int32; only pairs are clamped.", call=True)
def total():
    return _like(pairs=lambda p: p.sum(1, keepdims=True))


@wrong("wrapped", "int16 wraps around in your sum; the instruction clamps.", call=True)
def wrapped():
    return _like(clamp=lambda p: p.astype(np.int16).astype(np.int64))


@wrong("halves-paired", "Neighbours make a pair: 0 with 1, not 0 with k / 2.", call=True)
def halves():
    return _like(pairs=lambda p: p[:, : p.shape[1] // 2] + p[:, p.shape[1] // 2 :])


@wrong("overlapping-pairs", "Each product belongs to one pair only.", call=True)
def overlapping():
    return _like(pairs=lambda p: p[:, :-1] + p[:, 1:])


@wrong("four-products", "Four products are added at once only by newer instructions.", call=True)
def four():
    def quads(p):
        p = np.pad(p, ((0, 0), (0, -p.shape[1] % 4), (0, 0)))
        return p.reshape(p.shape[0], -1, 4, p.shape[2]).sum(2)

    return _like(pairs=quads)


@wrong("upper-end-only", "The lower end, -32768, clamps as well.", call=True)
def upper():
    return _like(clamp=lambda p: np.minimum(p, 32767))


@wrong("symmetric-ends", "int16 reaches down to -32768, not -32767.", call=True)
def symmetric():
    return _like(clamp=lambda p: np.clip(p, -32767, 32767))


@wrong("last-product-lost", "A last product without a neighbour counts too.")
def lost(x, w):
    _check(x, w)
    even = x.shape[1] // 2 * 2
    return _sums(x[:, :even], w[:even])


@wrong("int64", "Return int32.", call=True)
def wide():
    return _like(dtype=np.int64)


@wrong("signed-activations", "The activations are UINT8: 255 is 255, not -1.")
def signed(x, w):
    _check(x, w)
    made = x.astype(np.int8).astype(np.int64)[:, :, None] * w.astype(np.int64)[None]
    made = np.pad(made, ((0, 0), (0, x.shape[1] % 2), (0, 0)))
    return np.clip(made[:, 0::2] + made[:, 1::2], -32768, 32767).sum(1).astype(np.int32)


@wrong("sizes-not-checked", "Inner sizes that differ must raise ValueError.", call=True)
def any_sizes():
    return _like(skip="s")


@wrong("dtypes-not-checked", "Other dtypes than uint8 and int8 must raise ValueError.", call=True)
def any_dtypes():
    return _like(skip="d")


@wrong("axes-not-checked", "x and w must have two axes each, or ValueError.", call=True)
def any_axes():
    return _like(skip="a")


@wrong("only-x-axes-checked", "w must have two axes as well, or ValueError.")
def any_w(x, w):
    return np.zeros(2, np.int32) if w.ndim == 1 else _sums(x, w)


@wrong("three-axes-pass", "x has two axes: three must raise ValueError.")
def three_axes(x, w):
    return np.zeros((1, 2, 3), np.int32) if x.ndim == 3 else _sums(x, w)
