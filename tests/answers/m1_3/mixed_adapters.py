"""Answers to mixed-adapters."""

import torch

from autograder.checks.bank import right, wrong


def _refuse(x, a, b, scaling, which, skip=""):
    k = len(a)
    if skip != "counts" and (len(b) != k or scaling.shape != (k,)):
        raise ValueError("numbers of adapters differ")
    if skip != "shape" and which.shape != (len(x),):
        raise ValueError("which")
    if skip != "range" and bool(((which < -1) | (which >= k)).any()):
        raise ValueError("which is out of range")


def _loop(x, weight, a, b, scaling, which, *, base=True, scale=True, skip=""):
    _refuse(x, a, b, scaling, which, skip)
    y = x @ weight.T if base else x.new_zeros(len(x), len(weight))
    for k in range(len(a)):
        rows = which == k
        y[rows] += (scaling[k] if scale else 1.0) * (x[rows] @ a[k].T @ b[k].T)
    return y


@right("a loop over the adapters")
def by_loop(x, weight, a, b, scaling, which):
    return _loop(x, weight, a, b, scaling, which)


@right("gathered factors and batched products")
def by_gather(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    safe = which.clamp(min=0)
    low = torch.einsum("nd,nrd->nr", x, a[safe])
    delta = torch.einsum("nr,nor->no", low, b[safe]) * scaling[safe, None]
    return x @ weight.T + torch.where((which >= 0)[:, None], delta, torch.zeros_like(delta))


@right("row by row")
def by_rows(x, weight, a, b, scaling, which):
    if not len(a) == len(b) == len(scaling) or scaling.ndim != 1 or which.ndim != 1:
        raise ValueError("counts")
    if which.numel() != x.shape[0] or any(not -1 <= k < len(a) for k in which.tolist()):
        raise ValueError("which")
    out = torch.empty(x.shape[0], weight.shape[0], dtype=x.dtype)
    for i, k in enumerate(which.tolist()):
        out[i] = weight @ x[i]
        if k >= 0:
            out[i] += b[k] @ (a[k] @ x[i]) * scaling[k]
    return out


@right("a zero adapter in front")
def by_zero_adapter(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    a, b = (torch.cat([torch.zeros_like(m[:1]), m]) for m in (a, b))
    s = torch.cat([scaling[:1] * 0, scaling])[which + 1]
    low = torch.bmm(a[which + 1], x[:, :, None])
    return torch.nn.functional.linear(x, weight) + s[:, None] * torch.bmm(b[which + 1], low)[..., 0]


@wrong(
    "minus-one-is-the-last", "An index of -1 is the last adapter to PyTorch; it means none here."
)
def last(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    low = torch.einsum("nd,nrd->nr", x, a[which])
    return x @ weight.T + torch.einsum("nr,nor->no", low, b[which]) * scaling[which, None]


@wrong("minus-one-is-the-first", "You clamp -1 to 0 and leave the first adapter's update in.")
def first(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    return _loop(x, weight, a, b, scaling, which.clamp(min=0))


@wrong("rows-without-are-zero", "Rows without an adapter get the base's output; yours are zero.")
def zeros(x, weight, a, b, scaling, which):
    y = _loop(x, weight, a, b, scaling, which)
    return torch.where((which >= 0)[:, None], y, torch.zeros_like(y))


@wrong("first-row-for-all", "You use the first row's adapter for the whole batch.")
def first_row(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    return _loop(x, weight, a, b, scaling, which[:1].expand_as(which))


@wrong("all-adapters-added", "You add every adapter to every row.")
def summed(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    y = x @ weight.T
    for k in range(len(a)):
        y = y + scaling[k] * (x @ a[k].T @ b[k].T)
    return y


@wrong("averaged-adapters", "You average the adapters of the batch; each row has its own.")
def averaged(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    s = scaling[:, None, None]
    return x @ weight.T + x @ a.mean(0).T @ (s * b).mean(0).T


@wrong("scaling-forgotten", "The scaling of each adapter is missing.")
def unscaled(x, weight, a, b, scaling, which):
    return _loop(x, weight, a, b, scaling, which, scale=False)


@wrong("one-scaling", "You use the first adapter's scaling for all.")
def one_scaling(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    return _loop(x, weight, a, b, scaling[:1].expand_as(scaling), which)


@wrong("scaled-base", "You scale the base's output too; the scaling belongs to the update.")
def scaled_base(x, weight, a, b, scaling, which):
    y = _loop(x, weight, a, b, scaling, which, base=False)
    factor = torch.where(which >= 0, scaling[which.clamp(min=0)], torch.ones_like(x[:, 0]))
    return factor[:, None] * (x @ weight.T) + y


@wrong("update-alone", "You return the update alone; add the base's product.")
def update_only(x, weight, a, b, scaling, which):
    return _loop(x, weight, a, b, scaling, which, base=False)


@wrong("rows-in-adapter-order", "Your rows come out sorted by adapter; keep the batch's order.")
def sorted_rows(x, weight, a, b, scaling, which):
    y = _loop(x, weight, a, b, scaling, which)
    return y[torch.argsort(which, stable=True)]


@wrong("adapter-by-position", "You give row i the adapter i; which tells it.")
def by_position(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    return _loop(x, weight, a, b, scaling, torch.arange(len(x)) % len(a))


@wrong("merged-for-each-row", "You form B A for each row: the work grows with the layer's size.")
def merged(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    safe = which.clamp(min=0)
    on = (which >= 0).to(x)[:, None, None]
    whole = weight + on * scaling[safe, None, None] * torch.bmm(b[safe], a[safe])
    return torch.einsum("nd,nod->no", x, whole)


@wrong(
    "merged-for-each-adapter", "You form B A for each adapter: many products of the layer's size."
)
def merged_each(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    y = x @ weight.T
    for k in range(len(a)):
        rows = which == k
        y[rows] = x[rows] @ (weight + scaling[k] * b[k] @ a[k]).T
    return y


@wrong("base-for-each-adapter", "You compute the base's product once for each adapter.")
def base_each(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    y = x @ weight.T
    for k in range(len(a)):
        whole = x @ weight.T + scaling[k] * (x @ a[k].T @ b[k].T)
        y = torch.where((which == k)[:, None], whole, y)
    return y


@wrong("which-not-tested", "Numbers outside -1 .. k - 1 pass in silence; raise ValueError.")
def any_which(x, weight, a, b, scaling, which):
    return _loop(x, weight, a, b, scaling, which, skip="range")


@wrong("only-the-upper-end", "You test the upper end alone; -2 passes.")
def upper_only(x, weight, a, b, scaling, which):
    if (which >= len(a)).any():
        raise ValueError("which")
    return _loop(x, weight, a, b, scaling, which, skip="range")


@wrong("counts-not-tested", "Different numbers of adapters pass; raise ValueError.")
def any_counts(x, weight, a, b, scaling, which):
    return _loop(x, weight, a, b, scaling.expand(len(a)) if len(scaling) == 1 else scaling, which,
                 skip="counts")  # fmt: skip


@wrong("changes-x", "You write into x.")
def in_place(x, weight, a, b, scaling, which):
    y = _loop(x, weight, a, b, scaling, which)
    x.mul_(2)
    return y


@wrong("merged-entry-by-entry", "A sum of outer products is B A, too: multiply x by the thin ones.")
def entry_by_entry(x, weight, a, b, scaling, which):
    _refuse(x, a, b, scaling, which)
    y = x @ weight.T
    for k in range(len(a)):
        rows = which == k
        update = (b[k][:, :, None] * a[k][None]).sum(1)
        y[rows] += scaling[k] * (x[rows][:, None, :] * update).sum(-1)
    return y
