"""Answers to awq-search."""

import numpy as np

from autograder.checks.bank import right, wrong


def _quantize(w, bits, group_size, symmetric=False, rounding=np.rint):
    rows, columns = w.shape
    if group_size < 1 or columns % group_size:
        raise ValueError("groups do not divide the columns")
    groups = w.reshape(rows, -1, group_size)
    if symmetric:
        top = 2 ** (bits - 1) - 1
        scale = np.abs(groups).max(-1, keepdims=True) / top
        scale = np.where(scale > 0, scale, 1)
        return (np.clip(rounding(groups / scale), -top, top) * scale).reshape(w.shape)
    top = 2**bits - 1
    low, high = (
        np.minimum(groups.min(-1, keepdims=True), 0),
        np.maximum(groups.max(-1, keepdims=True), 0),
    )
    scale = np.where(high > low, (high - low) / top, 1)
    zero = rounding(-low / scale)
    return ((np.clip(rounding(groups / scale) + zero, 0, top) - zero) * scale).reshape(w.shape)


def _scales(mean_abs, alpha):
    s, live = np.ones(len(mean_abs)), mean_abs > 0
    if live.any():
        powers = mean_abs[live] ** alpha
        s[live] = powers / np.sqrt(powers.max() * powers.min())
    return s


def _refuse(w, x, grid):
    if x.ndim != 2 or not len(x) or x.shape[1] != w.shape[1] or grid < 1:
        raise ValueError("shapes")


def _mean_abs(x):
    return np.abs(x).mean(0)


def _search(
    w,
    x,
    bits,
    group_size,
    grid,
    *,
    importance=_mean_abs,
    quantize=_quantize,
    scales=_scales,
    error=None,
    alphas=None,
    check=True,
):
    """The search with one of its steps exchanged."""
    if check:
        _refuse(w, x, grid)
    w, x = w.astype(np.float64), x.astype(np.float64)
    m = importance(x)
    alphas = [k / grid for k in range(grid + 1)] if alphas is None else alphas
    error = error or (lambda w, x, s, q: np.mean((x @ w.T - (x / s) @ q.T) ** 2))
    errors = []
    for alpha in alphas:
        s = scales(m, alpha)
        errors.append(error(w, x, s, quantize(w * s, bits, group_size)))
    return alphas[int(np.argmin(errors))], np.array(errors, dtype=np.float64)


@right("scaled inputs times quantized scaled weights")
def by_scaled_inputs(w, x, bits=4, group_size=128, grid=20):
    return _search(w, x, bits, group_size, grid)


@right("the scales undone on the weights, error through the Gram matrix")
def by_gram(w, x, bits=4, group_size=128, grid=20):
    def error(w, x, s, q):
        d = q / s - w
        return np.einsum("rk,rk->", d @ (x.T @ x), d) / (len(x) * len(w))

    return _search(w, x, bits, group_size, grid, error=error)


@right("torch in float64")
def by_torch(w, x, bits=4, group_size=128, grid=20):
    import torch

    _refuse(w, x, grid)
    wt, xt = torch.from_numpy(w).double(), torch.from_numpy(x).double()
    m = xt.abs().mean(0)
    alphas = np.linspace(0, 1, grid + 1)
    errors = []
    for alpha in alphas:
        s = torch.from_numpy(_scales(m.numpy(), alpha))
        q = torch.from_numpy(_quantize((wt * s).numpy(), bits, group_size))
        errors.append(torch.mean((xt @ wt.T - (xt / s) @ q.T) ** 2).item())
    return float(alphas[int(np.argmin(errors))]), np.array(errors)


@wrong(
    "weight-error",
    "You compared weights; the search compares outputs, in which inputs weigh the errors.",
)
def weight_error(w, x, bits=4, group_size=128, grid=20):
    def error(w, x, s, q):
        return np.mean((q / s - w) ** 2)

    return _search(w, x, bits, group_size, grid, error=error)


@wrong(
    "inputs-not-divided",
    "You scaled the weights up but not the inputs down: divide x by s.",
)
def inputs_not_divided(w, x, bits=4, group_size=128, grid=20):
    def error(w, x, s, q):
        return np.mean((x @ w.T - x @ q.T) ** 2)

    return _search(w, x, bits, group_size, grid, error=error)


@wrong(
    "scaled-the-wrong-way",
    "You divided the weights by s and multiplied the inputs; AWQ scales the weights up.",
)
def wrong_way(w, x, bits=4, group_size=128, grid=20):
    return _search(w, x, bits, group_size, grid, scales=lambda m, a: 1 / _scales(m, a))


@wrong(
    "maximum-for-importance",
    "You took max |x|; AWQ's importance is the mean of |x|.",
)
def maximum(w, x, bits=4, group_size=128, grid=20):
    return _search(w, x, bits, group_size, grid, importance=lambda x: np.abs(x).max(0))


@wrong(
    "weights-for-importance", "You took the importance from the weights; take it from the inputs."
)
def from_weights(w, x, bits=4, group_size=128, grid=20):
    m = np.abs(w.astype(np.float64)).mean(0)
    return _search(w, x, bits, group_size, grid, importance=lambda x: m)


@wrong("signed-mean", "You averaged x without its magnitude; signs cancel.")
def signed_mean(w, x, bits=4, group_size=128, grid=20):
    return _search(w, x, bits, group_size, grid, importance=lambda x: np.abs(x.mean(0)))


@wrong("one-exponent-short", "You tried grid exponents, without 1; there are grid + 1.")
def one_short(w, x, bits=4, group_size=128, grid=20):
    _refuse(w, x, grid)
    return _search(w, x, bits, group_size, grid, alphas=[k / grid for k in range(grid)])


@wrong("index-for-alpha", "You returned the index of the best exponent; divide it by grid.")
def index_for_alpha(w, x, bits=4, group_size=128, grid=20):
    _, errors = _search(w, x, bits, group_size, grid)
    return float(np.argmin(errors)), errors


@wrong("last-of-equals", "Of equal errors you took the last exponent; the smallest is asked for.")
def last_of_equals(w, x, bits=4, group_size=128, grid=20):
    _, errors = _search(w, x, bits, group_size, grid)
    return (grid - int(np.argmin(errors[::-1]))) / grid, errors


@wrong("largest-error", "You took the exponent with the largest error.")
def largest_error(w, x, bits=4, group_size=128, grid=20):
    _, errors = _search(w, x, bits, group_size, grid)
    return int(np.argmax(errors)) / grid, errors


@wrong("always-half", "Your alpha is 0.5 whatever the errors say.")
def always_half(w, x, bits=4, group_size=128, grid=20):
    return 0.5, _search(w, x, bits, group_size, grid)[1]


@wrong("sum-for-mean", "You summed the squares; the error is their mean over all n * R outputs.")
def sum_for_mean(w, x, bits=4, group_size=128, grid=20):
    alpha, errors = _search(w, x, bits, group_size, grid)
    return alpha, errors * len(x) * len(w)


@wrong("root", "You took the root of the mean square; the exercise asks for the mean square.")
def root(w, x, bits=4, group_size=128, grid=20):
    alpha, errors = _search(w, x, bits, group_size, grid)
    return alpha, np.sqrt(errors)


@wrong("bits-ignored", "You always quantized to 4 bits; use the argument bits.")
def bits_ignored(w, x, bits=4, group_size=128, grid=20):
    return _search(w, x, 4, group_size, grid)


@wrong("one-group-a-row", "Your groups are whole rows; use group_size.")
def whole_rows(w, x, bits=4, group_size=128, grid=20):
    _quantize(w, bits, group_size)
    return _search(w, x, bits, w.shape[1], grid)


@wrong("symmetric-grid", "You quantized symmetrically; use the given quantize_weights.")
def symmetric_grid(w, x, bits=4, group_size=128, grid=20):
    return _search(w, x, bits, group_size, grid, quantize=lambda *a: _quantize(*a, symmetric=True))


@wrong("scales-not-normalised", "Your scales are not normalised: use awq_scales.")
def not_normalised(w, x, bits=4, group_size=128, grid=20):
    return _search(w, x, bits, group_size, grid, scales=lambda m, a: np.where(m > 0, m**a, 1.0))


@wrong(
    "already-quantized",
    "You quantized first and scaled then; the scales must act before the rounding.",
)
def already_quantized(w, x, bits=4, group_size=128, grid=20):
    def error(w, x, s, q):
        return np.mean((x @ (_quantize(w, bits, group_size) - w).T) ** 2)

    return _search(w, x, bits, group_size, grid, error=error)


@wrong("mean-over-nothing", "Calibration inputs without rows were accepted; raise ValueError.")
def no_rows(w, x, bits=4, group_size=128, grid=20):
    if not len(x):
        return 0.0, np.zeros(grid + 1)
    return _search(w, x, bits, group_size, grid)


@wrong("x-broadcast", "An x of one column was broadcast to all channels; compare the widths.")
def x_broadcast(w, x, bits=4, group_size=128, grid=20):
    if not len(x) or grid < 1:
        raise ValueError("no rows")
    if x.shape[1] == 1:
        x = np.repeat(x, w.shape[1], axis=1)
    return _search(w, x, bits, group_size, grid)


@wrong("groups-of-128", "Your groups have 128 channels wherever that fits; use group_size.")
def groups_of_128(w, x, bits=4, group_size=128, grid=20):
    _refuse(w, x, grid)
    if w.shape[1] % group_size:
        raise ValueError("groups")
    return _search(w, x, bits, group_size if w.shape[1] % 128 else 128, grid)
