"""Answers to damp-hessian."""

import numpy as np

from autograder.checks.bank import right, wrong


def _damp(hessian, w, percdamp, level=None, dead=None):
    if percdamp < 0:
        raise ValueError("percdamp is negative")
    dead = np.diag(hessian) == 0 if dead is None else dead
    h, w = hessian.copy(), w.copy()
    h[dead, dead] = 1
    w[:, dead] = 0
    level = np.diag(h).mean() if level is None else level(h, dead)
    h[np.diag_indices(len(h))] += percdamp * level
    return h, w, dead


@right("indices of the diagonal")
def by_indices(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp)


@right("torch, as in the authors' code")
def by_torch(hessian, w, percdamp=0.01):
    import torch

    if percdamp < 0:
        raise ValueError("negative damping")
    h, w = torch.tensor(hessian), torch.tensor(w)
    dead = torch.diag(h) == 0
    h[dead, dead] = 1
    w[:, dead] = 0
    damp = percdamp * torch.mean(torch.diag(h))
    diagonal = torch.arange(len(h))
    h[diagonal, diagonal] += damp
    return h.numpy(), w.numpy(), dead.numpy()


@right("arithmetic with the mask")
def by_mask(hessian, w, percdamp=0.01):
    if percdamp < 0:
        raise ValueError("negative damping")
    dead = ~hessian.diagonal().astype(bool)
    h = hessian + np.diag(dead * 1.0)
    return h + np.eye(len(h)) * (np.trace(h) / len(h) * percdamp), np.where(dead, 0.0, w), dead


@wrong("damped-everywhere", "You added the damping to every element; it belongs on the diagonal.")
def damped_everywhere(hessian, w, percdamp=0.01):
    h, w, dead = _damp(hessian, w, 0 if percdamp >= 0 else percdamp)
    return h + percdamp * np.diag(h).mean(), w, dead


@wrong("mean-of-all", "You took the mean of the whole matrix; take that of its diagonal.")
def mean_of_all(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, lambda h, dead: h.mean())


@wrong("largest", "You took the largest diagonal element; take their mean.")
def largest(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, lambda h, dead: np.diag(h).max())


@wrong("not-relative", "You added percdamp itself; it is a share of the diagonal's mean.")
def not_relative(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, lambda h, dead: 1.0)


@wrong("scaled-diagonal", "You scaled each diagonal element; add the same number to all.")
def scaled_diagonal(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, lambda h, dead: np.diag(h))


@wrong("percent", "percdamp is a share already: 0.01 is 1 %, do not divide by 100.")
def percent(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp / 100)


@wrong("mean-before-the-ones", "Your mean is older than the ones of the dead columns.")
def mean_before_the_ones(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, lambda h, dead: np.diag(hessian).mean())


@wrong("mean-of-the-living", "Your mean leaves the dead columns out; their ones count as well.")
def mean_of_the_living(hessian, w, percdamp=0.01):
    return _damp(
        hessian, w, percdamp, lambda h, dead: np.diag(h)[~dead].mean() if any(~dead) else 1
    )


@wrong("dead-by-threshold", "You called a faint column dead; dead is exactly zero.")
def dead_by_threshold(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, dead=np.diag(hessian) < 1e-6)


@wrong("dead-by-weights", "You looked for weights of zero; dead columns are zero in the Hessian.")
def dead_by_weights(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, dead=~w.any(axis=0))


@wrong("rows-cleared", "You cleared rows of w; the dead inputs are its columns.")
def rows_cleared(hessian, w, percdamp=0.01):
    h, _, dead = _damp(hessian, w, percdamp)
    w = w.copy()
    w[np.flatnonzero(dead) % len(w)] = 0
    return h, w, dead


@wrong("weights-kept", "The weights of dead columns must become 0.")
def weights_kept(hessian, w, percdamp=0.01):
    h, _, dead = _damp(hessian, w, percdamp)
    return h, w.copy(), dead


@wrong("dead-forgotten", "Dead columns need a 1 on the diagonal before the damping.")
def dead_forgotten(hessian, w, percdamp=0.01):
    _, cleared, dead = _damp(hessian, w, percdamp)
    h = hessian + percdamp * np.diag(hessian).mean() * np.eye(len(hessian))
    return h, cleared, dead


@wrong("living-damped-only", "You damped the living columns only; every diagonal element gets it.")
def living_damped_only(hessian, w, percdamp=0.01):
    return _damp(hessian, w, percdamp, lambda h, dead: np.diag(h).mean() * ~dead)


@wrong("in-place", "You changed the caller's Hessian; return a new one.")
def in_place(hessian, w, percdamp=0.01):
    made, w, dead = _damp(hessian, w, percdamp)
    hessian[:] = made
    return hessian, w, dead


@wrong("indices-for-mask", "dead is a mask, bool of shape (K,); you returned indices.")
def indices_for_mask(hessian, w, percdamp=0.01):
    h, w, dead = _damp(hessian, w, percdamp)
    return h, w, np.flatnonzero(dead)


@wrong("negative-accepted", "A negative percdamp must raise ValueError.")
def negative_accepted(hessian, w, percdamp=0.01):
    return _damp(hessian, w, abs(percdamp))


@wrong(
    "w-handed-back",
    "Where nothing is dead you return the caller's own w; return a new array always.",
)
def same_w(hessian, w, percdamp=0.01):
    h, new, dead = _damp(hessian, w, percdamp)
    return h, new if dead.any() else w, dead


@wrong(
    "hessian-handed-back",
    "Where there is nothing to do you return the caller's own Hessian; return a new array always.",
)
def same_hessian(hessian, w, percdamp=0.01):
    h, w, dead = _damp(hessian, w, percdamp)
    return h if dead.any() or percdamp else hessian, w, dead
