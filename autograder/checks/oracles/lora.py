"""Low-rank adapters in float64 NumPy: outputs, updates, the nearest adapter. Held against PEFT by a test."""

import numpy as np


def update(a: np.ndarray, b: np.ndarray, alpha: float) -> np.ndarray:
    """(alpha / r) B A, (out, in), as a sum of r outer products."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    total = np.zeros((b.shape[0], a.shape[1]))
    for k in range(a.shape[0]):
        total += np.outer(b[:, k], a[k])
    return alpha / a.shape[0] * total


def output(x, weight, bias, delta) -> np.ndarray:
    """x (..., in) through the float64 sum of weight and update."""
    y = x.astype(np.float64) @ (weight.astype(np.float64) + delta).T
    return y if bias is None else y + bias.astype(np.float64)


def gradients(x, upstream, a, b, alpha) -> tuple[np.ndarray, np.ndarray]:
    """Gradients by a and b, by torch's autograd in float64."""
    import torch

    a, b = (torch.tensor(m, dtype=torch.float64, requires_grad=True) for m in (a, b))
    delta = torch.nn.functional.linear(torch.nn.functional.linear(torch.tensor(x), a), b)
    (alpha / a.shape[0] * delta * torch.tensor(upstream)).sum().backward()
    return a.grad.numpy(), b.grad.numpy()


def tail(delta: np.ndarray, rank: int) -> float:
    """The least Frobenius distance of a matrix of this rank: the singular values left out (scipy)."""
    from scipy.linalg import svdvals

    return float(np.sqrt((svdvals(delta.astype(np.float64))[rank:] ** 2).sum()))
