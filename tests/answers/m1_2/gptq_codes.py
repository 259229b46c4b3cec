"""Answers to gptq-codes."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(weight, hessian, bits, group_size):
    columns = weight.shape[1]
    if hessian.shape != (columns, columns) or columns % group_size or not 1 <= bits <= 8:
        raise ValueError("shapes or bits")
    if not np.isfinite(hessian).all() or not hessian.any():
        raise ValueError("no usable Hessian")


def _solve(weight, hessian, bits, group_size, percdamp=0.01, *, update=True, refuse=_refuse, fresh=True,
           symmetric=False, factor=None, rounding=np.rint, dead=True, lower=0):  # fmt: skip
    refuse(weight, hessian, bits, group_size)
    w, h = weight.astype(np.float64), hessian.astype(np.float64)
    if dead:
        gone = np.diagonal(h) == 0
        h[gone, gone] = 1
        w[:, gone] = 0
    h = h + percdamp * np.diagonal(h).mean() * np.eye(len(h))
    u = factor(h) if factor else np.linalg.cholesky(np.linalg.inv(h)).T
    rows, columns = w.shape
    codes = np.zeros(w.shape, np.uint8)
    scales = np.zeros((rows, columns // group_size), np.float32)
    zeros = np.zeros((rows, columns // group_size), np.uint8)
    start, top = w.copy(), 2**bits - 1
    for j in range(columns):
        if j % group_size == 0:
            part = (w if fresh else start)[:, j : j + group_size]
            low, high = np.minimum(part.min(1), 0), np.maximum(part.max(1), 0)
            if symmetric:
                high = np.maximum(high, -low)
                low = -high
            scale = (high - low) / top
            scale = np.where(scale > 0, scale, 1)
            zero = np.rint(-low / scale)
            scales[:, j // group_size], zeros[:, j // group_size] = scale, zero
        code = np.clip(rounding(w[:, j] / scale) + zero, lower, top)
        codes[:, j] = code
        if update:
            error = (w[:, j] - (code - zero) * scale) / u[j, j]
            w[:, j + 1 :] -= np.outer(error, u[j, j + 1 :])
    return codes, scales, zeros


@right("NumPy")
def in_numpy(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    return _solve(weight, hessian, bits, group_size, percdamp)


@right("torch, the whole row of the factor")
def in_torch(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    columns = weight.shape[1]
    if tuple(hessian.shape) != (columns,) * 2 or columns % group_size or bits not in range(1, 9):
        raise ValueError("wrong arguments")
    if not np.isfinite(hessian).all() or np.abs(hessian).max() == 0:
        raise ValueError("The calibration set is empty.")
    w, h = torch.tensor(weight).double(), torch.tensor(hessian).double()
    gone = h.diagonal() == 0
    h[gone, gone] = 1.0
    w[:, gone] = 0
    h += percdamp * h.diagonal().mean() * torch.eye(columns)
    u = torch.linalg.cholesky(torch.linalg.inv(h), upper=True)
    codes, scales, zeros = [], [], []
    for j in range(columns):
        if j % group_size == 0:
            low, high = torch.aminmax(w[:, j : j + group_size], dim=1)
            low, high = low.clamp(max=0), high.clamp(min=0)
            scale = (high - low) / (2**bits - 1)
            scale[scale == 0] = 1
            zero = (-low / scale).round()
            scales.append(scale)
            zeros.append(zero)
        code = ((w[:, j] / scale).round() + zero).clamp(0, 2**bits - 1)
        w[:, j:] -= torch.outer((w[:, j] - scale * (code - zero)) / u[j, j], u[j, j:])
        codes.append(code)
    return (
        torch.stack(codes, 1).to(torch.uint8).numpy(),
        torch.stack(scales, 1).float().numpy(),
        torch.stack(zeros, 1).to(torch.uint8).numpy(),
    )


@wrong("rounding-to-nearest", "No error is moved to the columns that come later.")
def rtn(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    return _solve(weight, hessian, bits, group_size, update=False)


@wrong("first-grids", "The grids come from the weights as they were at the start.")
def stale(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    return _solve(weight, hessian, bits, group_size, fresh=False)


@wrong("symmetric", "The grid is symmetric; here it runs from the smallest to the largest weight.")
def symmetric(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    return _solve(weight, hessian, bits, group_size, symmetric=True)


@wrong("factor-of-h", "You factored H instead of its inverse.")
def of_h(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    return _solve(weight, hessian, bits, group_size, factor=lambda h: np.linalg.cholesky(h).T)


@wrong("floor", "You rounded down; round to nearest.")
def floor(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    return _solve(weight, hessian, bits, group_size, rounding=np.floor)


@wrong("always-4-bits", "The argument bits is ignored.")
def four(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    _refuse(weight, hessian, bits, group_size)
    return _solve(weight, hessian, 4, group_size)


@wrong("no-damping", "The damping is missing.")
def undamped(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    return _solve(weight, hessian, bits, group_size, percdamp=0.0)


@wrong("transposed-grids", "scales and zeros are (out, groups), a row for each output.")
def transposed(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    codes, scales, zeros = _solve(weight, hessian, bits, group_size)
    return codes, scales.T.copy(), zeros.T.copy()


@wrong(
    "zeros-minus-one", "The zero-points are stored minus one in a file; here they are as they are."
)
def minus_one(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    codes, scales, zeros = _solve(weight, hessian, bits, group_size)
    return codes, scales, zeros - np.uint8(1)


@wrong("signed-codes", "Codes are 0 to 2**bits - 1 in uint8, not signed.")
def signed(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    codes, scales, zeros = _solve(weight, hessian, bits, group_size)
    return codes.astype(np.int8), scales, zeros


@wrong("restored", "That is the restored weight; the exercise asks for the integers.")
def restored(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    codes, scales, zeros = _solve(weight, hessian, bits, group_size)
    wide = [np.repeat(v.astype(np.float32), group_size, 1) for v in (scales, zeros)]
    return (codes - wide[1]) * wide[0], scales, zeros


@wrong("empty-calibration", "A Hessian of zeros means that no input was seen: refuse it.")
def empty(weight, hessian, bits=4, group_size=128, percdamp=0.01):
    def refuse(w, h, b, g):
        _refuse(w, h + np.eye(len(h)), b, g)

    return _solve(weight, hessian, bits, group_size, refuse=refuse)
