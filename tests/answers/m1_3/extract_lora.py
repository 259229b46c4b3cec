"""Answers to extract-lora."""

import math

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(delta, rank, alpha, skip=""):
    if skip != "rank" and not 1 <= rank <= min(delta.shape):
        raise ValueError("rank")
    if skip != "alpha" and not alpha > 0:
        raise ValueError("alpha")
    if skip != "finite" and not np.isfinite(delta).all():
        raise ValueError("delta is not finite")


def _parts(delta, rank, alpha, skip=""):
    _refuse(delta, rank, alpha, skip)
    return np.linalg.svd(np.asarray(delta, np.float64), full_matrices=False)


@right("singular values to b")
def to_b(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return vt[:rank], u[:, :rank] * s[:rank] * rank / alpha


@right("roots to each, by torch")
def roots(delta, rank, alpha):
    _refuse(delta, rank, alpha)
    u, s, v = torch.svd(torch.from_numpy(delta.astype(np.float64)))
    half = (s[:rank] * rank / alpha).sqrt()
    return (v[:, :rank] * half).T.numpy(), (u[:, :rank] * half).numpy()


@right("the eigenvectors of delta^T delta, then a projection")
def projection(delta, rank, alpha):
    if rank < 1 or rank > min(delta.shape) or math.isnan(alpha) or alpha <= 0:
        raise ValueError("rank or alpha")
    if np.isnan(delta).any() or np.isinf(delta).any():
        raise ValueError("delta")
    d = delta.astype(np.float64)
    size = np.abs(d).max() or 1.0
    _, vectors = np.linalg.eigh((d / size).T @ (d / size))
    a = vectors[:, ::-1][:, :rank].T.copy()
    return a, d @ a.T * (rank / alpha)


@wrong("scaling-forgotten", "The layer multiplies by alpha / rank; divide by it once.")
def unscaled(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return vt[:rank], u[:, :rank] * s[:rank]


@wrong("scaled-twice", "You scale a and b; the product is then divided twice.")
def twice(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return vt[:rank] * rank / alpha, u[:, :rank] * s[:rank] * rank / alpha


@wrong("scaled-the-wrong-way", "You multiply by alpha / rank; the layer does that again.")
def wrong_way(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return vt[:rank], u[:, :rank] * s[:rank] * alpha / rank


@wrong("alpha-alone", "You divide by alpha; the layer multiplies by alpha / rank.")
def alpha_alone(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return vt[:rank], u[:, :rank] * s[:rank] / alpha


@wrong("singular-values-lost", "The singular values are missing from b @ a.")
def no_values(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return vt[:rank], u[:, :rank] * rank / alpha


@wrong(
    "singular-values-in-both",
    "The singular values are in a and in b; the product holds their squares.",
)
def both(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return s[:rank, None] * vt[:rank], u[:, :rank] * s[:rank] * rank / alpha


@wrong("smallest-directions", "You keep the smallest singular directions; keep the largest.")
def smallest(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    return vt[-rank:], u[:, -rank:] * s[-rank:] * rank / alpha


@wrong("one-direction-less", "You keep rank - 1 directions.")
def one_less(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha)
    s = np.where(np.arange(len(s)) < rank - 1, s, 0)
    return vt[:rank], u[:, :rank] * s[:rank] * rank / alpha


@wrong("swapped", "You return (b, a); a comes first.")
def swapped(delta, rank, alpha):
    a, b = to_b(delta, rank, alpha)
    return b, a


@wrong("v-not-transposed", "svd returns V transposed; you transposed it once more.")
def v_columns(delta, rank, alpha):
    _refuse(delta, rank, alpha)
    u, s, vt = np.linalg.svd(delta.astype(np.float64))
    return vt[:, :rank].T.copy(), u[:, :rank] * s[:rank] * rank / alpha


@wrong("first-rows-and-columns", "You cut delta's first columns; use its singular directions.")
def cut(delta, rank, alpha):
    _refuse(delta, rank, alpha)
    d = delta.astype(np.float64)
    return np.eye(rank, d.shape[1]), d[:, :rank] * rank / alpha


@wrong("random-projection", "You project on random directions; the singular ones are best.")
def random_directions(delta, rank, alpha):
    _refuse(delta, rank, alpha)
    d = delta.astype(np.float64)
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(d.shape[1], rank)))
    return q.T, d @ q * rank / alpha


@wrong("float32", "You return float32; float64 is asked.")
def single(delta, rank, alpha):
    return tuple(m.astype(np.float32) for m in to_b(delta, rank, alpha))


@wrong("float32-inside", "You decompose in float32; digits of the update are lost.")
def single_inside(delta, rank, alpha):
    _refuse(delta, rank, alpha)
    u, s, vt = np.linalg.svd(delta.astype(np.float32), full_matrices=False)
    return vt[:rank].astype(float), (u[:, :rank] * s[:rank]).astype(float) * rank / alpha


@wrong("any-rank", "You accept a rank outside 1 to min(delta.shape); raise ValueError.")
def any_rank(delta, rank, alpha):
    if rank > min(delta.shape):
        rank = min(delta.shape)
    u, s, vt = _parts(delta, rank, alpha, "rank")
    return vt[:rank], u[:, :rank] * s[:rank] * rank / alpha


@wrong("any-alpha", "You accept an alpha that is not positive; raise ValueError.")
def any_alpha(delta, rank, alpha):
    u, s, vt = _parts(delta, rank, alpha, "alpha")
    return vt[:rank], u[:, :rank] * s[:rank] * rank / (alpha or 1.0)


@wrong("not-finite-accepted", "You replace NaN and infinity; raise ValueError.")
def not_finite(delta, rank, alpha):
    return to_b(np.nan_to_num(delta, posinf=0, neginf=0), rank, alpha)
