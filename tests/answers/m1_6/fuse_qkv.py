"""Answers to fuse-qkv."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(q, k, v, heads, kv_heads, checks="hsb"):
    if "h" in checks and (heads < 1 or kv_heads < 1 or heads % kv_heads):
        raise ValueError("heads")
    dim, width = q[0].shape[0] // heads, q[0].shape[1]
    wanted = [(heads * dim, width), (kv_heads * dim, width), (kv_heads * dim, width)]
    if "s" in checks and [w.shape for w, _ in (q, k, v)] != wanted:
        raise ValueError("shapes")
    if "b" in checks and any(b is not None and b.shape != (len(w),) for w, b in (q, k, v)):
        raise ValueError("bias")
    return dim


def _order(heads, kv_heads, dim, within="qkv"):
    """(name, row) of each fused row."""
    each, order = heads // kv_heads, []
    for group in range(kv_heads):
        for name in within:
            size = each * dim if name == "q" else dim
            order += [(name, group * size + i) for i in range(size)]
    return order


def _build(q, k, v, order, bias_of=None):
    parts = dict(zip("qkv", (q, k, v), strict=True))
    weight = np.stack([parts[name][0][row] for name, row in order])
    bias = None
    if any(b is not None for _, b in (q, k, v)):
        bias = np.array([0.0 if parts[n][1] is None else parts[n][1][r] for n, r in order])
        bias = bias.astype(weight.dtype)
    rows = {}
    for name in "qkv":
        places = [(r, i) for i, (n, r) in enumerate(order) if n == name]
        rows[name] = np.array([i for _, i in sorted(places)])
    return weight, bias, rows


def _answer(q, k, v, heads, kv_heads, order=_order, checks="hsb"):
    dim = _refuse(q, k, v, heads, kv_heads, checks)
    return _build(q, k, v, order(heads, kv_heads, dim))


@right("row by row")
def by_row(q, k, v, heads, kv_heads):
    return _answer(q, k, v, heads, kv_heads)


@right("reshaped and concatenated")
def reshaped(q, k, v, heads, kv_heads):
    _refuse(q, k, v, heads, kv_heads)

    def fuse(parts):
        return np.concatenate([p.reshape(kv_heads, -1, *p.shape[1:]) for p in parts], axis=1)

    weight = fuse([q[0], k[0], v[0]])
    weight = weight.reshape(-1, weight.shape[-1])
    bias = None
    if not all(b is None for _, b in (q, k, v)):
        parts = [np.zeros(len(w), dtype=w.dtype) if b is None else b for w, b in (q, k, v)]
        bias = fuse(parts).reshape(-1)
    marks = fuse([np.full(len(w), i) for i, (w, _) in enumerate((q, k, v))]).ravel()
    return [
        weight,
        bias,
        {name: np.flatnonzero(marks == i).tolist() for i, name in enumerate("qkv")},
    ]


@wrong("blocks", "Rows go group by group, not all of Q, then K, then V.")
def blocks(q, k, v, heads, kv_heads):
    def order(heads, kv_heads, dim):
        sizes = {"q": heads * dim, "k": kv_heads * dim, "v": kv_heads * dim}
        return [(name, i) for name in "qkv" for i in range(sizes[name])]

    return _answer(q, k, v, heads, kv_heads, order)


@wrong("one-query-head-a-group", "A group has heads / kv_heads query heads.")
def one_each(q, k, v, heads, kv_heads):
    def order(heads, kv_heads, dim):
        order = _order(kv_heads, kv_heads, dim)
        return order + [("q", i) for i in range(kv_heads * dim, heads * dim)]

    return _answer(q, k, v, heads, kv_heads, order)


@wrong(
    "query-heads-dealt-out",
    "Query heads g * r to g * r + r - 1 belong to group g; they are not dealt in turn.",
)
def dealt(q, k, v, heads, kv_heads):
    def order(heads, kv_heads, dim):
        found = []
        for g in range(kv_heads):
            found += [("q", h * dim + i) for h in range(g, heads, kv_heads) for i in range(dim)]
            found += [(name, g * dim + i) for name in "kv" for i in range(dim)]
        return found

    return _answer(q, k, v, heads, kv_heads, order)


@wrong("key-first", "Within a group: query heads, key head, value head.")
def key_first(q, k, v, heads, kv_heads):
    return _answer(q, k, v, heads, kv_heads, lambda h, g, d: _order(h, g, d, "kqv"))


@wrong("value-before-key", "Within a group: query heads, key head, value head.")
def value_first(q, k, v, heads, kv_heads):
    return _answer(q, k, v, heads, kv_heads, lambda h, g, d: _order(h, g, d, "qvk"))


@wrong("interleaved-rows", "A head's rows stay together.")
def interleaved(q, k, v, heads, kv_heads):
    def order(heads, kv_heads, dim):
        each, found = heads // kv_heads, []
        for g in range(kv_heads):
            for i in range(dim):
                found += [("q", (g * each + h) * dim + i) for h in range(each)]
                found += [("k", g * dim + i), ("v", g * dim + i)]
        return found

    return _answer(q, k, v, heads, kv_heads, order)


@wrong("keys-repeated", "Key and value heads are stored once, not for each query head.")
def repeated(q, k, v, heads, kv_heads):
    dim = _refuse(q, k, v, heads, kv_heads)
    each = heads // kv_heads

    def spread(pair):
        w, b = pair
        wide = w.reshape(kv_heads, dim, -1).repeat(each, axis=0).reshape(-1, w.shape[1])
        return wide, None if b is None else b.reshape(kv_heads, dim).repeat(each, axis=0).ravel()

    return _build(q, spread(k), spread(v), _order(heads, heads, dim))


@wrong("columns-joined", "The outputs are joined: rows of weight, not columns.")
def joined_columns(q, k, v, heads, kv_heads):
    weight, bias, rows = _answer(q, k, v, heads, kv_heads)
    return weight.T.copy(), bias, rows


@wrong("rows-of-blocks", "rows are places in the fused output, whose rows are in groups.")
def block_rows(q, k, v, heads, kv_heads):
    weight, bias, _ = _answer(q, k, v, heads, kv_heads)
    edges = np.cumsum([0, len(q[0]), len(k[0]), len(v[0])])
    rows = {n: np.arange(a, b) for n, a, b in zip("qkv", edges, edges[1:], strict=False)}
    return weight, bias, rows


@wrong("order-for-its-inverse", "rows is the inverse: where each row went, not where it came from.")
def not_inverted(q, k, v, heads, kv_heads):
    weight, bias, rows = _answer(q, k, v, heads, kv_heads)
    order = np.argsort(np.concatenate([rows[n] for n in "qkv"]))
    cuts = np.cumsum([len(q[0]), len(k[0])])
    return weight, bias, dict(zip("qkv", np.split(order, cuts), strict=True))


@wrong("starts-alone", "rows names every row, not the first of each head.")
def starts(q, k, v, heads, kv_heads):
    weight, bias, rows = _answer(q, k, v, heads, kv_heads)
    dim = len(q[0]) // heads
    return weight, bias, {n: r[::dim] if dim > 1 else r[:1] for n, r in rows.items()}


@wrong("bias-in-blocks", "The bias is in the order of the weight's rows.")
def bias_blocks(q, k, v, heads, kv_heads):
    weight, bias, rows = _answer(q, k, v, heads, kv_heads)
    if bias is not None:
        parts = [np.zeros(len(w)) if b is None else b for w, b in (q, k, v)]
        bias = np.concatenate(parts).astype(weight.dtype)
    return weight, bias, rows


@wrong("bias-only-if-all", "One bias is enough; projections without one get zeros.")
def all_biases(q, k, v, heads, kv_heads):
    weight, bias, rows = _answer(q, k, v, heads, kv_heads)
    return weight, None if any(b is None for _, b in (q, k, v)) else bias, rows


@wrong("zeros-for-none", "Where no projection has a bias, bias is None.")
def zeros(q, k, v, heads, kv_heads):
    weight, bias, rows = _answer(q, k, v, heads, kv_heads)
    return weight, np.zeros(len(weight), weight.dtype) if bias is None else bias, rows


@wrong("bias-in-float64", "The bias has the dtype of the weight.")
def wide_bias(q, k, v, heads, kv_heads):
    weight, bias, rows = _answer(q, k, v, heads, kv_heads)
    return weight, None if bias is None else bias.astype(np.float64), rows


@wrong("heads-not-checked", "heads and kv_heads are 1 or more, heads a multiple of kv_heads.")
def any_heads(q, k, v, heads, kv_heads):
    if heads < 1 or kv_heads < 1 or heads % kv_heads:
        return q[0], None, {}
    return _answer(q, k, v, heads, kv_heads)


@wrong("shapes-not-checked", "Weights that do not fit the heads must raise ValueError.")
def any_shapes(q, k, v, heads, kv_heads):
    try:
        return _answer(q, k, v, heads, kv_heads, checks="hb")
    except ValueError as error:
        if str(error) in ("heads", "bias"):
            raise
        return q[0], None, {}
    except IndexError:
        return q[0], None, {}


@wrong("bias-length-not-checked", "A bias of another length must raise ValueError.")
def any_bias(q, k, v, heads, kv_heads):
    wide = [(w, None if b is None else np.resize(b, len(w))) for w, b in (q, k, v)]
    return _answer(*wide, heads, kv_heads, checks="hs")
