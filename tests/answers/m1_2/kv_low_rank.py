"""Answers to kv-low-rank."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, rank):
    if x.ndim != 3 or not bool(torch.isfinite(x).all()) or not 1 <= rank <= min(x.shape[1:]):
        raise ValueError("not possible")


def _parts(x, rank):
    _refuse(x, rank)
    u, s, vh = torch.linalg.svd(x.float(), full_matrices=False)
    total = (s**2).sum(-1)
    energy = torch.where(total > 0, (s[:, :rank] ** 2).sum(-1) / total, torch.ones_like(total))
    return u, s, vh, energy


@right("torch's SVD")
def by_torch(x, rank):
    u, s, vh, energy = _parts(x, rank)
    return u[..., :rank] @ torch.diag_embed(s[..., :rank]), vh[..., :rank, :], energy


@right("NumPy, head by head, projecting on the basis")
def by_numpy(x, rank):
    _refuse(x, rank)
    lefts, bases, energies = [], [], []
    for head in x.double().numpy():
        _, s, vh = np.linalg.svd(head, full_matrices=False)
        bases.append(vh[:rank])
        lefts.append(head @ vh[:rank].T)
        norm = (head**2).sum()
        energies.append((lefts[-1] ** 2).sum() / norm if norm else 1.0)
    return tuple(torch.tensor(np.array(t), dtype=torch.float32) for t in (lefts, bases, energies))


@right("eigenvectors of the second moments, float64")
def by_eigen(x, rank):
    _refuse(x, rank)
    wide = x.double()
    values, vectors = torch.linalg.eigh(wide.mT @ wide)
    basis = vectors[:, :, -rank:].mT.flip(1)
    left = wide @ basis.mT
    norm = (wide**2).sum((1, 2))
    energy = torch.where(norm > 0, (left**2).sum((1, 2)) / norm.clamp(min=1e-300), 1.0)
    return left.float(), basis.float(), energy.float()


@wrong(
    "energy-of-singular-values",
    "Energy sums the squares of the singular values; you summed the values themselves.",
)
def not_squared(x, rank):
    u, s, vh, _ = _parts(x, rank)
    total = s.sum(-1)
    share = torch.where(total > 0, s[:, :rank].sum(-1) / total, torch.ones_like(total))
    return u[..., :rank] * s[:, None, :rank], vh[:, :rank], share


@wrong("energy-lost", "You returned the share that is lost; energy is the share kept.")
def lost(x, rank):
    u, s, vh, energy = _parts(x, rank)
    return u[..., :rank] * s[:, None, :rank], vh[:, :rank], 1 - energy


@wrong("one-energy", "Each head has an energy of its own; you pooled them.")
def pooled(x, rank):
    u, s, vh, energy = _parts(x, rank)
    share = (s[:, :rank] ** 2).sum() / (s**2).sum().clamp(min=1e-30)
    return u[..., :rank] * s[:, None, :rank], vh[:, :rank], share.expand(len(x)).clone()


@wrong("energy-of-zeros", "A head of zeros is kept whole: its energy is 1.0, not 0 or NaN.")
def zeros(x, rank):
    u, s, vh, _ = _parts(x, rank)
    share = (s[:, :rank] ** 2).sum(-1) / (s**2).sum(-1).clamp(min=1e-30)
    return u[..., :rank] * s[:, None, :rank], vh[:, :rank], share


@wrong(
    "v-not-transposed",
    "You took columns of vh; its rows are the directions (torch returns V already transposed).",
)
def columns(x, rank):
    u, s, vh, energy = _parts(x, rank)
    return u[..., :rank] * s[:, None, :rank], vh[:, :, :rank].mT[:, :, : x.shape[2]], energy


@wrong(
    "singular-values-forgotten", "Your left factor is U alone; the singular values belong to it."
)
def no_values(x, rank):
    u, s, vh, energy = _parts(x, rank)
    return u[..., :rank].clone(), vh[:, :rank], energy


@wrong(
    "singular-values-in-the-basis",
    "Your singular values are in the basis; its rows must be orthonormal.",
)
def in_the_basis(x, rank):
    u, s, vh, energy = _parts(x, rank)
    return u[..., :rank].clone(), vh[:, :rank] * s[:, :rank, None], energy


@wrong(
    "split-evenly",
    "You gave both factors the root of the singular values; the basis must be orthonormal.",
)
def split(x, rank):
    u, s, vh, energy = _parts(x, rank)
    root = s.sqrt()
    return u[..., :rank] * root[:, None, :rank], vh[:, :rank] * root[:, :rank, None], energy


@wrong(
    "centred", "You subtracted the mean first (PCA); nothing adds it back, and the product is off."
)
def centred(x, rank):
    _refuse(x, rank)
    return by_torch(x.float() - x.float().mean(1, keepdim=True), rank)


@wrong(
    "smallest-values",
    "You kept the smallest singular values; they come sorted from large to small.",
)
def smallest(x, rank):
    u, s, vh, energy = _parts(x, rank)
    return u[..., -rank:] * s[:, None, -rank:], vh[:, -rank:], energy


@wrong("heads-together", "You took one basis for all heads; each head has its own.")
def together(x, rank):
    _refuse(x, rank)
    h, t, d = x.shape
    vh = torch.linalg.svd(x.float().reshape(h * t, d), full_matrices=False)[2]
    basis = vh[:rank].expand(h, rank, d)
    left = x.float() @ basis.mT
    norm = (x.float() ** 2).sum((1, 2))
    energy = torch.where(
        norm > 0, (left**2).sum((1, 2)) / norm.clamp(min=1e-30), torch.ones_like(norm)
    )
    return left, basis.clone(), energy


@wrong("rank-clipped", "An impossible rank must raise ValueError; you took the largest possible.")
def clipped(x, rank):
    if x.ndim != 3:
        raise ValueError("not possible")
    return by_torch(x, max(1, min(rank, *x.shape[1:])))


@wrong(
    "first-coordinates",
    "You kept the first `rank` channels; the best directions come from the SVD.",
)
def first(x, rank):
    _, _, _, energy = _parts(x, rank)
    return (
        x[:, :, :rank].float().clone(),
        torch.eye(x.shape[2])[:rank].expand(len(x), -1, -1).clone(),
        energy,
    )


@wrong("rank-one-less", "You kept one direction too few.")
def one_less(x, rank):
    u, s, vh, energy = _parts(x, rank)
    s = s.clone()
    s[:, rank - 1] = 0
    return u[..., :rank] * s[:, None, :rank], vh[:, :rank], energy


@wrong("float64-factors", "The factors are float32: float64 takes twice the memory.")
def float64(x, rank):
    return tuple(t.double() for t in by_torch(x, rank))


@wrong("nan-decomposed", "A NaN must be refused with a ValueError; you replaced it.")
def nan(x, rank):
    return by_torch(torch.nan_to_num(x), rank)


@wrong(
    "infinity-accepted",
    "An infinity reached the SVD, which fails in its own way; raise ValueError.",
)
def infinity_accepted(x, rank):
    if x.ndim != 3 or x.isnan().any() or not 1 <= rank <= min(x.shape[1:]):
        raise ValueError("not possible")
    u, s, vh = torch.linalg.svd(x.float(), full_matrices=False)
    total = (s**2).sum(-1)
    energy = torch.where(total > 0, (s[:, :rank] ** 2).sum(-1) / total, torch.ones_like(total))
    return u[..., :rank] * s[:, None, :rank], vh[:, :rank], energy
