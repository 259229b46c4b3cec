"""Answers to rope-rows."""

import numpy as np

from autograder.checks.bank import right, wrong


def _guard(weight, heads):
    if heads < 1 or len(weight) % (2 * heads):
        raise ValueError(f"{heads} heads")
    return len(weight) // heads


@right("reshape and swap")
def by_reshape(weight, heads):
    size = _guard(weight, heads)
    return (
        weight.reshape(heads, 2, size // 2, -1).transpose(0, 2, 1, 3).reshape(weight.shape).copy()
    )


@right("an index, head by head")
def by_index(weight, heads):
    size = _guard(weight, heads)
    out = np.empty_like(weight, order="C")
    for head in range(heads):
        block = weight[head * size : (head + 1) * size]
        out[head * size : (head + 1) * size : 2] = block[: size // 2]
        out[head * size + 1 : (head + 1) * size : 2] = block[size // 2 :]
    return out


@wrong("unchanged", "The rows must change places: llama.cpp pairs neighbours.")
def unchanged(weight, heads):
    _guard(weight, heads)
    return weight.copy()


@wrong("the-way-back", "That is the inverse: from llama.cpp's order to transformers'.")
def inverse(weight, heads):
    size = _guard(weight, heads)
    return (
        weight.reshape(heads, size // 2, 2, -1).transpose(0, 2, 1, 3).reshape(weight.shape).copy()
    )


@wrong("heads-together", "The order holds inside each head: cut the rows into heads first.")
def together(weight, heads):
    _guard(weight, heads)
    return weight.reshape(2, len(weight) // 2, -1).transpose(1, 0, 2).reshape(weight.shape).copy()


@wrong("halves-swapped", "A row of the first half comes first, then its partner.")
def second_first(weight, heads):
    size = _guard(weight, heads)
    halves = weight.reshape(heads, 2, size // 2, -1)[:, ::-1]
    return halves.transpose(0, 2, 1, 3).reshape(weight.shape).copy()


@wrong("columns", "Rows change places, columns stay: a row of q_proj is one value of q.")
def columns(weight, heads):
    _guard(weight, heads)
    if weight.ndim == 1 or weight.shape[1] % (2 * heads):
        return weight.copy()
    return (
        weight.T.reshape(heads, 2, -1, len(weight)).swapaxes(1, 2).reshape(-1, len(weight)).T.copy()
    )


@wrong("heads-swapped", "Swap the half with the place inside the head, not with the head.")
def other_axes(weight, heads):
    size = _guard(weight, heads)
    return (
        weight.reshape(heads, 2, size // 2, -1).transpose(1, 0, 2, 3).reshape(weight.shape).copy()
    )


@wrong("float32-always", "Keep the dtype of the weight.")
def widened(weight, heads):
    return by_reshape(weight.astype(np.float32), heads)


@wrong("matrix-only", "A bias has one axis: reshape to the shape that was given.")
def flat_bias(weight, heads):
    out = by_reshape(weight, heads)
    return out.reshape(len(weight), -1)


@wrong("uneven-passed", "Rows that are no multiple of 2 * heads must raise ValueError.")
def unguarded(weight, heads):
    if heads < 1:
        raise ValueError("no heads")
    size = len(weight) // heads
    out = weight.copy()
    for head in range(heads):
        block = weight[head * size : (head + 1) * size]
        half = size // 2
        for i in range(half):
            out[head * size + 2 * i], out[head * size + 2 * i + 1] = block[i], block[i + half]
    return out


@wrong("no-heads-passed", "heads below 1 must raise ValueError.")
def any_heads(weight, heads):
    if heads and len(weight) % (2 * heads):
        raise ValueError("uneven")
    return by_reshape(weight, abs(heads) or 1)
