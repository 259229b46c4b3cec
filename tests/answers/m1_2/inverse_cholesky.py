"""Answers to inverse-cholesky."""

import numpy as np

from autograder.checks.bank import right, wrong


def _lower(h):
    """L with h = L @ L.T; the refusal of the exercise."""
    try:
        return np.linalg.cholesky(h)
    except np.linalg.LinAlgError as error:
        raise ValueError("not positive definite: use more damping") from error


@right("inverse, then NumPy's Cholesky")
def by_inverse(hessian):
    _lower(hessian)
    try:
        return np.linalg.cholesky(np.linalg.inv(hessian)).T
    except np.linalg.LinAlgError as error:
        raise ValueError("not positive definite: use more damping") from error


@right("torch, as in the authors' code")
def by_torch(hessian):
    import torch

    try:
        low = torch.linalg.cholesky(torch.tensor(hessian))
        return torch.linalg.cholesky(torch.cholesky_inverse(low), upper=True).numpy()
    except RuntimeError as error:
        raise ValueError("Raise the damping (percdamp).") from error


@right("a factor of the reversed Hessian, no inverse of a full matrix")
def by_reversal(hessian):
    import scipy.linalg

    low = _lower(hessian[::-1, ::-1])
    eye = np.eye(len(hessian))
    return scipy.linalg.solve_triangular(low, eye, lower=True)[::-1, ::-1].copy()


@right("scipy, elimination row by row")
def by_elimination(hessian):
    _lower(hessian)
    a, u = np.linalg.inv(hessian), np.zeros_like(hessian)
    for j in range(len(a)):
        u[j, j:] = a[j, j:] / np.sqrt(a[j, j])
        a[j:, j:] = a[j:, j:] - np.outer(u[j, j:], u[j, j:])
    return u


@wrong("lower", "You returned the lower factor; transpose it.")
def lower(hessian):
    return by_inverse(hessian).T.copy()


@wrong("no-inverse", "You factored H; the factor of its inverse is needed.")
def no_inverse(hessian):
    return _lower(hessian).T.copy()


@wrong("other-order", "Your U fulfils U U^T = inv(H); it must be U^T U.")
def other_order(hessian):
    return np.linalg.inv(_lower(hessian)).T.copy()


@wrong("whole-inverse", "You returned the inverse itself; take its Cholesky factor.")
def whole_inverse(hessian):
    _lower(hessian)
    return np.linalg.inv(hessian)


@wrong("upper-triangle", "You cut off the inverse's lower triangle; that is no Cholesky factor.")
def upper_triangle(hessian):
    _lower(hessian)
    return np.triu(np.linalg.inv(hessian))


@wrong("unit-diagonal", "You divided the rows by their diagonal; U keeps the square roots.")
def unit_diagonal(hessian):
    u = by_inverse(hessian)
    return u / np.diag(u)[:, None]


@wrong("square-root", "You took the symmetric square root; U is triangular.")
def square_root(hessian):
    _lower(hessian)
    values, vectors = np.linalg.eigh(np.linalg.inv(hessian))
    return vectors * np.sqrt(values) @ vectors.T


@wrong("pseudo-inverse", "You let singular Hessians through with a pseudo-inverse; refuse them.")
def pseudo_inverse(hessian):
    values, vectors = np.linalg.eigh(np.linalg.pinv(hessian))
    root = vectors * np.sqrt(np.clip(values, 0, None))
    u = np.linalg.qr(root.T)[1]
    signs = np.sign(np.diag(u))
    return np.triu(u * np.where(signs == 0, 1, signs)[:, None])


@wrong("damps-again", "You added damping of your own; the Hessian comes damped.")
def damps_again(hessian):
    _lower(hessian)
    return by_inverse(hessian + 0.01 * np.diag(hessian).mean() * np.eye(len(hessian)))


@wrong("damps-on-failure", "You repaired a singular Hessian in silence; raise ValueError.")
def damps_on_failure(hessian):
    try:
        return by_inverse(hessian)
    except ValueError:
        return by_inverse(hessian + 10 * np.eye(len(hessian)))


@wrong("no-advice", "NumPy's message does not say what to do; name the damping.")
def no_advice(hessian):
    np.linalg.cholesky(hessian)
    return np.linalg.cholesky(np.linalg.inv(hessian)).T


@wrong("indefinite-passes", "You tested only that the inverse exists; an indefinite H has one too.")
def indefinite_passes(hessian):
    try:
        inverse = np.linalg.inv(hessian)
    except np.linalg.LinAlgError as error:
        raise ValueError("raise the damping") from error
    try:
        return np.linalg.cholesky(inverse).T
    except np.linalg.LinAlgError:
        return np.full_like(hessian, np.nan)


@wrong("float32", "Your factor is float32; keep float64.")
def in_float32(hessian):
    return by_inverse(hessian).astype(np.float32)
