"""A ReLU network with quantized inputs and weights in float64, with its backward pass by hand.

Straight-through: a value whose rounded code lies in the range passes the gradient, all others stop
it; scales and zero-points are constants. Shares no code with torch's autograd.
"""

import numpy as np


def affine_ranges(x: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero-point of every row of x (rows, n), each (rows, 1); 1 and 0 for zero rows."""
    low = np.minimum(x.min(1, keepdims=True), 0)
    high = np.maximum(x.max(1, keepdims=True), 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1.0)
    return scale, np.rint(-low / scale)


def fake_quantize(x, scale, zero_point, low, high) -> tuple[np.ndarray, np.ndarray]:
    """Restored values and the mask of the elements that pass the gradient."""
    codes = np.rint(x / scale) + zero_point
    inside = (codes >= low) & (codes <= high)
    return (np.clip(codes, low, high) - zero_point) * scale, inside


def forward(params, x, bits, ranges=None) -> tuple[np.ndarray, list]:
    """Logits (rows, classes), and for each layer what the backward pass needs."""
    top = 2 ** (bits - 1) - 1
    kept = []
    for k, (weight, bias) in enumerate(params):
        before = x if k == 0 else np.maximum(x, 0)
        scale, zero = affine_ranges(before, bits) if ranges is None else ranges[k]
        x_hat, x_in = fake_quantize(before, scale, zero, 0, 2**bits - 1)
        amax = np.abs(weight).max()
        w_hat, w_in = fake_quantize(weight, amax / top if amax else 1.0, 0, -top, top)
        kept.append((x, x_hat, x_in, w_hat, w_in))
        x = x_hat @ w_hat.T + bias
    return x, kept


def backward(kept, upstream) -> list[tuple[np.ndarray, np.ndarray]]:
    """Gradients of (weight, bias) of each layer for the gradient of the logits."""
    grads = []
    for k in reversed(range(len(kept))):
        before, x_hat, x_in, w_hat, w_in = kept[k]
        grads.append(((upstream.T @ x_hat) * w_in, upstream.sum(0)))
        upstream = (upstream @ w_hat) * x_in
        if k:
            upstream = upstream * (before > 0)
    return grads[::-1]


def cross_entropy(logits, labels) -> tuple[float, np.ndarray]:
    """The mean loss and its gradient by the logits."""
    shifted = logits - logits.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    rows = np.arange(len(labels))
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    return float(-log_p[rows, labels].mean()), gradient / len(labels)


def train(params, batches, bits, ranges, learning_rate) -> list[tuple[np.ndarray, np.ndarray]]:
    """Adam (Kingma and Ba 2015, algorithm 1, torch's defaults) on the float parameters, one step a batch."""
    flat = [np.array(a, np.float64) for pair in params for a in pair]
    moments = [(np.zeros_like(a), np.zeros_like(a)) for a in flat]
    for t, (x, labels) in enumerate(batches, 1):
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        logits, kept = forward(pairs, x.astype(np.float64), bits, ranges)
        grads = [g for pair in backward(kept, cross_entropy(logits, labels)[1]) for g in pair]
        for k, g in enumerate(grads):
            m = 0.9 * moments[k][0] + 0.1 * g
            v = 0.999 * moments[k][1] + 0.001 * g * g
            moments[k] = m, v
            step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            flat[k] = flat[k] - learning_rate * step
    return list(zip(flat[::2], flat[1::2], strict=True))
