"""Distillation losses in float64: torch's own divergence, and gradients by the chain rule in NumPy."""

import numpy as np
from scipy.special import log_softmax, softmax


def divergence(log_p: np.ndarray, log_q: np.ndarray) -> float:
    """KL(p || q), nats, the mean over the rows of (rows, classes), by torch.nn.functional.kl_div."""
    import torch

    value = torch.nn.functional.kl_div(
        torch.from_numpy(log_q), torch.from_numpy(log_p), reduction="batchmean", log_target=True
    )
    return float(value)


def kd(student, teacher, labels, temperature, alpha) -> tuple[float, np.ndarray]:
    """The loss alpha T^2 KL(teacher || student) + (1 - alpha) CE, and its gradient by the student."""
    s, t = student.astype(np.float64), teacher.astype(np.float64)
    rows = np.arange(len(s))
    soft = divergence(log_softmax(t / temperature, axis=1), log_softmax(s / temperature, axis=1))
    hard = -log_softmax(s, axis=1)[rows, labels].mean()
    by_soft = temperature * (softmax(s / temperature, axis=1) - softmax(t / temperature, axis=1))
    by_hard = softmax(s, axis=1)
    by_hard[rows, labels] -= 1
    value = alpha * temperature**2 * soft + (1 - alpha) * hard
    return value, (alpha * by_soft + (1 - alpha) * by_hard) / len(s)


def reverse(student: np.ndarray, teacher: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """KL(student || teacher) of each row (rows, classes) of logits, nats, and its gradient by them."""
    log_q, log_p = (log_softmax(z.astype(np.float64), axis=1) for z in (student, teacher))
    q = np.exp(log_q)
    values = (q * (log_q - log_p)).sum(1)
    return values, q * (log_q - log_p - values[:, None])


def sorted_distance(student: np.ndarray, teacher: np.ndarray) -> tuple[float, np.ndarray]:
    """The universal logit distillation loss, and its gradient by the student's logits."""
    q, p = (softmax(z.astype(np.float64), axis=1) for z in (student, teacher))
    order = np.argsort(-q, axis=1, kind="stable")
    total, slope = 0.0, np.zeros_like(q)
    for r, places in enumerate(order):
        theirs = sorted(p[r], reverse=True) + [0.0] * len(places)
        total += sum(theirs[len(places) : p.shape[1]])
        for k, column in enumerate(places):
            gap = q[r, column] - theirs[k]
            total += abs(gap)
            slope[r, column] = np.sign(gap)
    by_logits = q * (slope - (q * slope).sum(1, keepdims=True))
    return total / len(q), by_logits / len(q)
