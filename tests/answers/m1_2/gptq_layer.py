"""Answers to gptq-layer."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(w, hessian, size, percdamp):
    columns = w.shape[1]
    if hessian.shape != (columns, columns) or percdamp < 0 or size < 1 or columns % size:
        raise ValueError("arguments do not fit")


def _descending(h):
    return np.argsort(-np.diag(h), kind="stable")


def _loop(w, h, bits, size):
    """Column loop with a grid per group; codes, scales, zeros, all in the order given."""
    w, codes, scales, zeros = w.copy(), np.zeros(w.shape, np.uint8), [], []
    np.linalg.cholesky(h)
    u = np.linalg.cholesky(np.linalg.inv(h)).T
    for j in range(w.shape[1]):
        if j % size == 0:
            part = w[:, j : j + size]
            low, high = np.minimum(part.min(1), 0), np.maximum(part.max(1), 0)
            scale = np.where(high > low, (high - low) / (2**bits - 1), 1.0)
            zero = np.rint(-low / scale)
            scales.append(scale)
            zeros.append(zero)
        codes[:, j] = np.clip(np.rint(w[:, j] / scale) + zero, 0, 2**bits - 1)
        error = (w[:, j] - (codes[:, j] - zero) * scale) / u[j, j]
        w[:, j + 1 :] -= np.outer(error, u[j, j + 1 :])
    return codes, np.stack(scales, 1), np.stack(zeros, 1)


def _layer(
    w, hessian, bits, group_size, percdamp, desc_act, *,
    order=_descending, permute=lambda h, o: h[o][:, o], back=np.argsort, repair=True, level=np.mean,
    clear=True,
):  # fmt: skip
    """The whole layer; the keywords are what wrong answers replace."""
    _refuse(w, hessian, group_size, percdamp)
    columns = w.shape[1]
    dead = np.diag(hessian) == 0
    h = hessian + np.diag(dead * 1.0)
    h += percdamp * level(np.diag(h)) * np.eye(columns)
    w = np.where(dead, 0.0, w) if clear else w
    way = order(h) if desc_act else np.arange(columns)
    used = permute(h, way) if repair else np.eye(columns)
    codes, scales, zeros = _loop(w[:, way], used, bits, group_size)
    undo = back(way)
    codes, g_idx = codes[:, undo], (np.arange(columns) // group_size)[undo]
    made = {"codes": codes, "scales": scales, "zeros": zeros, "g_idx": g_idx}
    return made | {"weight": (codes - zeros[:, g_idx]) * scales[:, g_idx]}


@right("NumPy, one function")
def whole(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act)


@right("damped after the permutation, put back by assignment, torch for the factor")
def by_assignment(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    import torch

    _refuse(w, hessian, group_size, percdamp)
    now, h = torch.tensor(w), torch.tensor(hessian)
    dead = torch.diag(h) == 0
    h[dead, dead] = 1
    now[:, dead] = 0
    columns = len(h)
    order = torch.arange(columns)
    if desc_act:
        order = torch.argsort(torch.diag(h), descending=True, stable=True)
    now, h = now[:, order], h[order][:, order]
    diagonal = torch.arange(columns)
    h[diagonal, diagonal] += percdamp * torch.diag(h).mean()
    try:
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(h))
    except RuntimeError as error:
        raise ValueError("raise percdamp") from error
    u = torch.linalg.cholesky(inverse, upper=True)
    solved, scales, zeros = torch.zeros_like(now), [], []
    for j in range(columns):
        if j % group_size == 0:
            part = now[:, j : j + group_size]
            low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
            scale = torch.where(high > low, (high - low) / (2**bits - 1), torch.ones_like(high))
            zero = torch.round(-low / scale)
            scales, zeros = [*scales, scale], [*zeros, zero]
        solved[:, j] = torch.clamp(torch.round(now[:, j] / scale) + zero, 0, 2**bits - 1)
        error = (now[:, j] - (solved[:, j] - zero) * scale) / u[j, j]
        now[:, j + 1 :] -= error[:, None] * u[j, j + 1 :]
    codes, g_idx = np.zeros(w.shape, np.uint8), np.zeros(columns, np.int32)
    codes[:, order.numpy()] = solved.numpy().astype(np.uint8)
    g_idx[order.numpy()] = np.arange(columns) // group_size
    scales, zeros = torch.stack(scales, 1).numpy(), torch.stack(zeros, 1).numpy()
    weight = (codes.astype(np.float64) - zeros[:, g_idx]) * scales[:, g_idx]
    return {"codes": codes, "scales": scales, "zeros": zeros, "g_idx": g_idx, "weight": weight}


@right("row by row, an explicit inverse for each column")
def row_by_row(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    _refuse(w, hessian, group_size, percdamp)
    rows, columns = w.shape
    dead = np.flatnonzero(np.diag(hessian) == 0)
    h, w = hessian.copy(), w.copy()
    h[dead, dead], w[:, dead] = 1, 0
    h += np.diag(np.full(columns, percdamp * np.diag(h).mean()))
    if np.linalg.eigvalsh(h)[0] < 1e-12 * np.trace(h):
        raise ValueError("singular: raise percdamp")
    order = _descending(h) if desc_act else np.arange(columns)
    h, w = h[np.ix_(order, order)], w[:, order]
    inverses = [np.linalg.inv(h[j:, j:])[0] for j in range(columns)]
    codes, weight = np.zeros((rows, columns), np.uint8), np.zeros((rows, columns))
    scales, zeros = np.ones((rows, columns // group_size)), np.zeros((rows, columns // group_size))
    g_idx = np.zeros(columns, int)
    g_idx[order] = np.arange(columns) // group_size
    for r in range(rows):
        row = w[r].copy()
        for j in range(columns):
            g = j // group_size
            if j % group_size == 0:
                low, high = (
                    min(row[j : j + group_size].min(), 0),
                    max(row[j : j + group_size].max(), 0),
                )
                scales[r, g] = (high - low) / (2**bits - 1) or 1.0
                zeros[r, g] = round(-low / scales[r, g])
            q = min(max(round(row[j] / scales[r, g]) + zeros[r, g], 0), 2**bits - 1)
            codes[r, order[j]] = q
            weight[r, order[j]] = (q - zeros[r, g]) * scales[r, g]
            lost = row[j] - weight[r, order[j]]
            row[j:] -= lost / inverses[j][0] * inverses[j]
    return {"codes": codes, "scales": scales, "zeros": zeros, "g_idx": g_idx, "weight": weight}


@wrong("desc-act-ignored", "desc_act changes nothing in your code; sort by the Hessian's diagonal.")
def desc_act_ignored(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, False)


@wrong("ascending", "Your order begins with the quiet columns; the loud ones come first.")
def ascending(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    def order(h):
        return np.argsort(np.diag(h), kind="stable")

    return _layer(w, hessian, bits, group_size, percdamp, desc_act, order=order)


@wrong(
    "reversed-ties", "Reversing an ascending sort turns equal columns round; they keep their order."
)
def reversed_ties(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    def order(h):
        return np.argsort(np.diag(h), kind="stable")[::-1]

    return _layer(w, hessian, bits, group_size, percdamp, desc_act, order=order)


@wrong(
    "order-of-the-weights", "You sorted by the size of the weights; sort by the Hessian's diagonal."
)
def order_of_the_weights(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    def order(_):
        return np.argsort(-np.sum(w**2, axis=0), kind="stable")

    return _layer(w, hessian, bits, group_size, percdamp, desc_act, order=order)


@wrong("hessian-not-permuted", "You permuted the weights but not the Hessian.")
def hessian_not_permuted(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act, permute=lambda h, o: h)


@wrong("not-put-back", "Your columns stay in the order of solving; put them back.")
def not_put_back(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(
        w, hessian, bits, group_size, percdamp, desc_act, back=lambda order: np.arange(len(order))
    )


@wrong("permuted-twice", "You applied the order once more; undo it with np.argsort(order).")
def permuted_twice(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act, back=lambda order: order)


@wrong(
    "g-idx-of-the-order", "Your g_idx is j // group_size; groups are cut in the order of solving."
)
def g_idx_of_the_order(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    made = _layer(w, hessian, bits, group_size, percdamp, desc_act)
    return made | {"g_idx": np.arange(w.shape[1]) // group_size}


@wrong("rounding-to-nearest", "You rounded to nearest: nothing repairs the errors.")
def rounding_to_nearest(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act, repair=False)


@wrong("not-damped", "You left out the damping, or the mean in it.")
def not_damped(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act, level=lambda d: 1e-9)


@wrong("damped-by-the-largest", "You damped by the largest diagonal element; take their mean.")
def damped_by_the_largest(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act, level=np.max)


@wrong("percdamp-ignored", "Your damping is always 0.01; use percdamp.")
def percdamp_ignored(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, min(percdamp, 0.01), desc_act)


@wrong(
    "dead-weights-kept", "You solved with the weights of dead columns; damp_hessian clears them."
)
def dead_weights_kept(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act, clear=False)


@wrong("original-weight", "`weight` must be the restored weights, (codes - zeros) * scales.")
def original_weight(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    return _layer(w, hessian, bits, group_size, percdamp, desc_act) | {"weight": w.copy()}


@wrong("float32-weight", "`weight` is float64.")
def float32_weight(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    made = _layer(w, hessian, bits, group_size, percdamp, desc_act)
    return made | {"weight": made["weight"].astype(np.float32)}


@wrong("one-group", "Your grid serves the whole row; use group_size.")
def one_group(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    _refuse(w, hessian, group_size, percdamp)
    made = _layer(w, hessian, bits, w.shape[1], percdamp, desc_act)
    groups = w.shape[1] // group_size
    scales, zeros = (np.repeat(made[k], groups, axis=1) for k in ("scales", "zeros"))
    g_idx = _layer(w, hessian, bits, group_size, percdamp, desc_act)["g_idx"]
    return made | {"scales": scales, "zeros": zeros, "g_idx": g_idx}


@wrong("static-groups", "Your grids come from the original weights; make them in the loop.")
def static_groups(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    made = _layer(w, hessian, bits, group_size, percdamp, desc_act)
    plain = _layer(w, hessian, bits, group_size, percdamp, desc_act, repair=False)
    return made | {"scales": plain["scales"], "zeros": plain["zeros"]}


@wrong("in-place", "You changed the caller's Hessian; damp a copy.")
def in_place(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    made = _layer(w, hessian, bits, group_size, percdamp, desc_act)
    hessian += percdamp * np.diag(hessian).mean() * np.eye(len(hessian))
    return made


@wrong("float32-zeros", "Your zeros are float32; scales and zeros are float64.")
def narrow_zeros(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    made = _layer(w, hessian, bits, group_size, percdamp, desc_act)
    return made | {"zeros": made["zeros"].astype(np.float32)}


@wrong(
    "order-before-the-ones",
    "You sorted the Hessian that came in; dead columns have a 1 there by then: sort after damp_hessian.",
)
def early_order(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    order = lambda h: _descending(hessian)  # noqa: E731
    return _layer(w, hessian, bits, group_size, percdamp, desc_act, order=order)
