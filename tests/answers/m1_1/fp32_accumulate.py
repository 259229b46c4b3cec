"""Answers to fp32-accumulate."""

import numpy as np

from autograder.checks.bank import right, wrong


@right("outer products")
def by_outer(a, b, accumulate=np.float32, block=None):
    a, b = a.astype(accumulate), b.astype(accumulate)
    k = a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for start in range(0, k, block or k):
        partial = np.zeros(total.shape, accumulate)
        for i in range(start, min(start + (block or k), k)):
            partial = partial + a[:, i, None] * b[None, i, :]
        total = total + partial.astype(np.float32)
    return total


@right("three loops over scalars")
def by_scalars(a, b, accumulate=np.float32, block=None):
    out = np.empty((len(a), b.shape[1]), np.float32)
    for i in range(len(a)):
        for j in range(b.shape[1]):
            total, partial = np.float32(0), accumulate(0)
            for k in range(a.shape[1]):
                if block and k and k % block == 0:
                    total, partial = total + np.float32(partial), accumulate(0)
                partial = partial + accumulate(a[i, k]) * accumulate(b[k, j])
            out[i, j] = total + np.float32(partial)
    return out


@right("cumsum, which adds in order")
def by_cumsum(a, b, accumulate=np.float32, block=None):
    products = a.astype(accumulate)[:, :, None] * b.astype(accumulate)[None]
    size = block or a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for start in range(0, a.shape[1], size):
        piece = products[:, start : start + size]
        total += np.cumsum(piece, axis=1, dtype=accumulate)[:, -1].astype(np.float32)
    return total


@right("torch")
def by_torch(a, b, accumulate=np.float32, block=None):
    import torch

    kind = torch.float16 if accumulate == np.float16 else torch.float32
    a, b = (torch.tensor(np.ascontiguousarray(t)).to(kind) for t in (a, b))
    total = torch.zeros(a.shape[0], b.shape[1])
    for piece_a, piece_b in zip(
        a.split(block or a.shape[1], 1), b.split(block or len(b), 0), strict=True
    ):
        partial = torch.zeros(total.shape, dtype=kind)
        for column, row in zip(piece_a.T, piece_b, strict=True):
            partial = partial + torch.outer(column, row)
        total += partial.float()
    return total.numpy()


@wrong(
    "always-float32",
    "You always accumulate in float32; the accumulator is the argument `accumulate`.",
)
def always_single(a, b, accumulate=np.float32, block=None):
    return by_outer(a, b, np.float32, block)


@wrong(
    "always-float16",
    "You always accumulate in float16, the inputs' dtype; the accumulator is the argument `accumulate`.",
)
def always_half(a, b, accumulate=np.float32, block=None):
    return by_outer(a, b, np.float16, block)


@wrong(
    "products-in-float16",
    "You multiplied in float16 and only added in float32; cast the inputs first: then products are exact.",
)
def half_products(a, b, accumulate=np.float32, block=None):
    products = (a[:, :, None] * b[None]).astype(accumulate)
    ones = np.ones(a.shape[1], accumulate)
    out = np.empty((a.shape[0], b.shape[1]), np.float32)
    for j in range(b.shape[1]):
        out[:, j] = by_outer(products[:, :, j], ones[:, None], accumulate, block)[:, 0]
    return out


@wrong(
    "products-not-rounded",
    "With a float16 accumulator you kept products in float32; round each to float16 before it is added.",
)
def fused(a, b, accumulate=np.float32, block=None):
    a, b = a.astype(np.float64), b.astype(np.float64)
    k = a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for start in range(0, k, block or k):
        partial = np.zeros(total.shape, accumulate)
        for i in range(start, min(start + (block or k), k)):
            partial = (partial + a[:, i, None] * b[None, i, :]).astype(accumulate)
        total = total + partial.astype(np.float32)
    return total


@wrong(
    "rounded-at-the-end",
    "You added in high precision and rounded once at the end; the accumulator rounds after every addition.",
)
def round_last(a, b, accumulate=np.float32, block=None):
    out = a.astype(np.float64) @ b.astype(np.float64)
    return out.astype(accumulate).astype(np.float32)


@wrong(
    "pairwise-sum",
    "np.sum adds in pairs and sums float16 in a wider type; the order here is k = 0, 1, 2 and so on.",
)
def pairwise(a, b, accumulate=np.float32, block=None):
    products = a.astype(accumulate)[:, :, None] * b.astype(accumulate)[None]
    products = np.ascontiguousarray(np.moveaxis(products, 1, 2))
    size = block or a.shape[1]
    pieces = [products[..., s : s + size].sum(axis=-1) for s in range(0, a.shape[1], size)]
    total = np.float32(0)
    for piece in pieces:
        total = total + piece.astype(np.float32)
    return total.astype(np.float32)


@wrong(
    "backwards",
    "You added from the last k to the first; the order is stated because rounding depends on it.",
)
def backwards(a, b, accumulate=np.float32, block=None):
    return by_outer(a[:, ::-1], b[::-1], accumulate, block)


@wrong(
    "block-ignored",
    "You left `block` out: after each block the partial sum goes to the float32 total and starts again at 0.",
)
def no_block(a, b, accumulate=np.float32, block=None):
    return by_outer(a, b, accumulate, None)


@wrong("last-block-dropped", "You dropped the last, shorter block.")
def dropped(a, b, accumulate=np.float32, block=None):
    k = a.shape[1] // block * block if block else a.shape[1]
    return by_outer(a[:, :k], b[:k], accumulate, block)


@wrong(
    "partial-not-reset",
    "You did not set the partial sum back to zero, so that earlier blocks are added again.",
)
def not_reset(a, b, accumulate=np.float32, block=None):
    a, b = a.astype(accumulate), b.astype(accumulate)
    k = a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    partial = np.zeros(total.shape, accumulate)
    for start in range(0, k, block or k):
        for i in range(start, min(start + (block or k), k)):
            partial = partial + a[:, i, None] * b[None, i, :]
        total = total + partial.astype(np.float32)
    return total


@wrong(
    "total-in-accumulator",
    "You kept the total in the accumulator's type too; between blocks it is float32.",
)
def narrow_total(a, b, accumulate=np.float32, block=None):
    a, b = a.astype(accumulate), b.astype(accumulate)
    k = a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]), accumulate)
    for start in range(0, k, block or k):
        partial = np.zeros(total.shape, accumulate)
        for i in range(start, min(start + (block or k), k)):
            partial = partial + a[:, i, None] * b[None, i, :]
        total = total + partial
    return total.astype(np.float32)


@wrong("float16-result", "You returned the accumulator's dtype; the result is float32.")
def half_result(a, b, accumulate=np.float32, block=None):
    return by_outer(a, b, accumulate, block).astype(accumulate)


@wrong(
    "block-is-a-count",
    "You cut k into `block` pieces; `block` is the number of products in one piece.",
)
def block_count(a, b, accumulate=np.float32, block=None):
    return by_outer(a, b, accumulate, -(-a.shape[1] // block) if block else None)


@wrong(
    "blocks-of-equal-size",
    "You split K into equal parts (array_split); a block has `block` products, the last one the rest.",
)
def equal_blocks(a, b, accumulate=np.float32, block=None):
    pieces = np.array_split(np.arange(a.shape[1]), max(1, a.shape[1] // (block or a.shape[1])))
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for piece in pieces:
        partial = np.zeros(total.shape, accumulate)
        for k in piece:
            with np.errstate(over="ignore"):
                product = a[:, k, None].astype(accumulate) * b[None, k].astype(accumulate)
            partial = partial + product
        total = total + partial.astype(np.float32)
    return total


@wrong(
    "total-in-float64", "You keep the total in float64 and round it once; it is float32 throughout."
)
def total64(a, b, accumulate=np.float32, block=None):
    size = block or a.shape[1]
    total = np.zeros((a.shape[0], b.shape[1]))
    for start in range(0, a.shape[1], size):
        partial = np.zeros(total.shape, accumulate)
        for k in range(start, min(start + size, a.shape[1])):
            with np.errstate(over="ignore"):
                product = a[:, k, None].astype(accumulate) * b[None, k].astype(accumulate)
            partial = partial + product
        total = total + partial
    return total.astype(np.float32)
