"""Answers to compact-gptq."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(weight, hessian, bits, group_size):
    columns = weight.shape[1]
    if hessian.shape != (columns, columns) or group_size < 1 or columns % group_size or bits < 1:
        raise ValueError("shapes")
    if not np.isfinite(hessian).all():
        raise ValueError("not finite")


def _grid(w, bits, zero_inside=True):
    low, high = w.min(1), w.max(1)
    if zero_inside:
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1)
    return scale, np.rint(-low / scale)


def _gptq(weight, hessian, bits, group_size, percdamp=0.01, *, dtype=np.float64, refuse=_refuse,
          factor="upper of inverse", update=True, dead=True, damp=True, grid=_grid, rounding=np.rint,
          fresh_groups=True, after_group=False, divide=True, damp_first=False):  # fmt: skip
    refuse(weight, hessian, bits, group_size)
    w, h = weight.astype(dtype), hessian.astype(dtype)
    index = np.arange(len(h))
    mean = percdamp * np.diagonal(h).mean()
    if dead:
        gone = np.diagonal(h) == 0
        h[gone, gone] = 1
        w[:, gone] = 0
    if damp:
        h[index, index] += mean if damp_first else percdamp * np.diagonal(h).mean()
    try:
        if factor == "upper of inverse":
            u = np.linalg.cholesky(np.linalg.inv(h)).T
        elif factor == "lower":
            u = np.linalg.cholesky(np.linalg.inv(h))
        elif factor == "of hessian":
            u = np.linalg.cholesky(h).T
        else:
            u = np.linalg.inv(h)
            np.linalg.cholesky(h)
    except np.linalg.LinAlgError as error:
        raise ValueError("The Hessian is not positive definite.") from error
    out, first = np.zeros_like(w), w.copy()
    for j in range(w.shape[1]):
        if j % group_size == 0:
            scale, zero = grid((w if fresh_groups else first)[:, j : j + group_size], bits)
        q = np.clip(rounding(w[:, j] / scale) + zero, 0, 2**bits - 1)
        out[:, j] = (q - zero) * scale
        error = w[:, j] - out[:, j]
        if divide:
            error = error / u[j, j]
        if update:
            stop = (j // group_size + 1) * group_size if after_group else w.shape[1]
            w[:, j + 1 : stop] -= np.outer(error, u[j, j + 1 : stop])
    return out


@right("NumPy, Cholesky of the inverse, float64")
def numpy_cholesky(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp).astype(np.float32)


@right("torch, cholesky_inverse, all in float64, a loop over groups")
def in_torch(weight, hessian, bits, group_size, percdamp=0.01):
    _refuse(weight, hessian, bits, group_size)
    w = torch.tensor(weight, dtype=torch.float64)
    h = torch.tensor(hessian, dtype=torch.float64)
    gone = h.diagonal() == 0
    h.diagonal()[gone] = 1
    w[:, gone] = 0
    h.diagonal().add_(percdamp * h.diagonal().mean())
    try:
        u = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
    except RuntimeError:
        raise ValueError("singular") from None
    out = torch.zeros_like(w)
    for start in range(0, w.shape[1], group_size):
        group = w[:, start : start + group_size]
        low, high = group.amin(1).clamp(max=0), group.amax(1).clamp(min=0)
        scale = (high - low) / (2**bits - 1)
        scale[scale == 0] = 1
        zero = torch.round(-low / scale)
        for j in range(start, start + group_size):
            code = (torch.round(w[:, j] / scale) + zero).clamp(0, 2**bits - 1)
            out[:, j] = scale * (code - zero)
            w[:, j:] -= torch.outer((w[:, j] - out[:, j]) / u[j, j], u[j, j:])
    return out.numpy()


@right("the update by the remaining inverse, Gauss elimination")
def elimination(weight, hessian, bits, group_size, percdamp=0.01):
    _refuse(weight, hessian, bits, group_size)
    w, h = weight.astype(np.float64), np.array(hessian, np.float64)
    gone = np.diagonal(h) == 0
    h[gone, gone] = 1
    w[:, gone] = 0
    h += percdamp * np.diagonal(h).mean() * np.eye(len(h))
    if np.linalg.eigvalsh(h).min() <= 0:
        raise ValueError("not positive definite")
    inverse, out = np.linalg.inv(h), np.zeros_like(w)
    for j in range(w.shape[1]):
        if j % group_size == 0:
            scale, zero = _grid(w[:, j : j + group_size], bits)
        out[:, j] = (np.clip(np.rint(w[:, j] / scale) + zero, 0, 2**bits - 1) - zero) * scale
        w -= np.outer((w[:, j] - out[:, j]) / inverse[j, j], inverse[j])
        inverse -= np.outer(inverse[:, j], inverse[j]) / inverse[j, j]
        inverse[j, j] = 1  # done with it; only later columns are read
    return out


@wrong("rounding-to-nearest", "No error is moved to the columns that come later.")
def rtn(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, update=False)


@wrong("cholesky-of-the-hessian", "You factored H; the updates need the factor of its inverse.")
def of_hessian(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, factor="of hessian")


@wrong(
    "lower-factor", "NumPy's factor is lower triangular; its row j is zero after j. Transpose it."
)
def lower(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, factor="lower")


@wrong(
    "inverse-not-updated",
    "You used rows of inv(H) as they are: columns already fixed must leave it.",
)
def plain_inverse(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, factor="inverse")


@wrong("no-damping", "The damping is missing: percdamp times the mean of the diagonal.")
def undamped(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, damp=False)


@wrong("fixed-percdamp", "The argument percdamp is ignored.")
def fixed(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, 0.01)


@wrong(
    "dead-kept", "An input that is always 0 keeps its weight, and wastes the group's grid on it."
)
def dead_kept(weight, hessian, bits, group_size, percdamp=0.01):
    def refuse(*args):
        _refuse(*args)

    h = hessian.copy()
    gone = np.diagonal(h) == 0
    h[gone, gone] = 1
    return _gptq(weight, h, bits, group_size, percdamp, refuse=refuse)


@wrong(
    "first-grids", "The grids come from the weights as they were, before errors were moved to them."
)
def stale(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, fresh_groups=False)


@wrong("within-the-group", "Errors stop at the end of a group; they go to all later columns.")
def within(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, after_group=True)


@wrong("error-not-divided", "The error is not divided by the factor's diagonal entry.")
def undivided(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, divide=False)


@wrong("floor", "You rounded down; the exercise rounds to nearest, ties to even.")
def floor(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, rounding=np.floor)


@wrong("zero-outside", "The grid of a row of one sign does not contain 0.")
def outside(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits, group_size, percdamp, grid=lambda w, b: _grid(w, b, False))


@wrong("one-bit-more", "You used 2**bits + 1 levels or more: codes go from 0 to 2**bits - 1.")
def more_bits(weight, hessian, bits, group_size, percdamp=0.01):
    return _gptq(weight, hessian, bits + 1 if bits else 0, group_size, percdamp)


@wrong("in-place", "Your function changes the weight that it is given.")
def in_place(weight, hessian, bits, group_size, percdamp=0.01):
    weight[:] = _gptq(weight, hessian, bits, group_size, percdamp)
    return weight


@wrong("no-refusal", "Wrong shapes, 0 bits, NaN and singular Hessians must raise ValueError.")
def unguarded(weight, hessian, bits, group_size, percdamp=0.01):
    try:
        return _gptq(weight, hessian, bits, group_size, percdamp)
    except ValueError:
        return weight
