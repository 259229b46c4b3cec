"""Answers to gptq-groups."""

import numpy as np

from autograder.checks.bank import right, wrong


def _grid(w, bits):
    low, high = np.minimum(w.min(1), 0), np.maximum(w.max(1), 0)
    scale = np.where(high > low, (high - low) / (2**bits - 1), 1.0)
    return scale, np.rint(-low / scale)


def _symmetric(w, bits):
    scale = 2 * np.abs(w).max(1) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1.0)
    return scale, np.full(len(w), 2.0 ** (bits - 1))


def _refuse(w, size):
    if size < 1 or w.shape[1] % size:
        raise ValueError(f"{w.shape[1]} columns in groups of {size}")


def _solve(w, u, bits, size, *, grid=_grid, source=None, seen=1, repair=True, top_bits=None):
    """Column by column; source(now, original, j) are the weights that a group's grid is made from."""
    original, w, codes = w, w.copy(), np.zeros(w.shape, np.uint8)
    scales, zeros = [], []
    for j in range(w.shape[1]):
        if j % size == 0:
            part = source(w, original, j) if source else w[:, j : j + size]
            scale, zero = grid(part, top_bits or bits)
            scales.append(scale)
            zeros.append(zero)
        codes[:, j] = np.clip(np.rint(w[:, j] / scale) + zero, 0, 2 ** (top_bits or bits) - 1)
        error = (w[:, j] - (codes[:, j] - zero) * scale) / u[j, j]
        if repair:
            w[:, j + 1 :] -= np.outer(error, u[j, j + 1 :])
    return codes, np.stack(scales, 1), np.stack(zeros, 1)


@right("one column loop, a new grid where j % group_size is 0")
def one_loop(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, group_size)


@right("group by group, lazy updates")
def lazy(w, u, bits, group_size):
    _refuse(w, group_size)
    w, made = w.copy(), []
    for start in range(0, w.shape[1], group_size):
        end = start + group_size
        block, corner, errors = w[:, start:end].copy(), u[start:end, start:end], []
        scale, zero = _grid(block, bits)
        codes = np.zeros(block.shape, np.uint8)
        for j in range(group_size):
            codes[:, j] = np.clip(np.rint(block[:, j] / scale) + zero, 0, 2**bits - 1)
            errors.append((block[:, j] - (codes[:, j] - zero) * scale) / corner[j, j])
            block[:, j + 1 :] -= np.outer(errors[-1], corner[j, j + 1 :])
        w[:, end:] -= np.stack(errors, 1) @ u[start:end, end:]
        made.append((codes, scale, zero))
    codes, scales, zeros = zip(*made, strict=True)
    return np.hstack(codes), np.stack(scales, 1), np.stack(zeros, 1)


@right("left-looking, torch")
def left_looking(w, u, bits, group_size):
    import torch

    _refuse(w, group_size)
    w, u = torch.tensor(w), torch.tensor(u)
    codes, errors = torch.zeros(w.shape, dtype=torch.uint8), torch.zeros_like(w)
    scales, zeros = [], []
    for j in range(w.shape[1]):
        if j % group_size == 0:
            part = w[:, j : j + group_size] - errors[:, :j] @ u[:j, j : j + group_size]
            low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
            scale = (high - low) / (2**bits - 1)
            scale[scale == 0] = 1
            zero = torch.round(-low / scale)
            scales.append(scale)
            zeros.append(zero)
        now = w[:, j] - errors[:, :j] @ u[:j, j]
        q = torch.clamp(torch.round(now / scale) + zero, 0, 2**bits - 1)
        codes[:, j] = q.to(torch.uint8)
        errors[:, j] = (now - (q - zero) * scale) / u[j, j]
    return codes.numpy(), torch.stack(scales, 1).numpy(), torch.stack(zeros, 1).numpy()


@wrong(
    "grid-from-the-original",
    "Your grids come from the original weights; make them when the group's turn comes.",
)
def grid_from_the_original(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, group_size, source=lambda now, old, j: old[:, j : j + group_size])


@wrong("grid-of-the-row", "Every group got the grid of all columns that are left; take its own.")
def grid_of_the_row(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, group_size, source=lambda now, old, j: now[:, j:])


@wrong("first-grid-kept", "All groups share the first one's grid; make a new one for each.")
def first_grid_kept(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, group_size, source=lambda now, old, j: old[:, :group_size])


@wrong("groups-apart", "An error is repaired within its group only; later groups take part.")
def groups_apart(w, u, bits, group_size):
    _refuse(w, group_size)
    starts = range(0, w.shape[1], group_size)
    made = [
        _solve(
            w[:, s : s + group_size], u[s : s + group_size, s : s + group_size], bits, group_size
        )
        for s in starts
    ]
    return tuple(np.hstack(part) for part in zip(*made, strict=True))


@wrong("no-repair", "You rounded to nearest in groups; the errors must be repaired.")
def no_repair(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, group_size, repair=False)


@wrong("symmetric-grid", "Your grid is symmetric; min_max_grid has a zero-point.")
def symmetric_grid(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, group_size, grid=_symmetric)


@wrong("number-of-groups", "You made group_size groups; it is how many columns share a grid.")
def number_of_groups(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, w.shape[1] // group_size)


@wrong("one-bit-short", "Your grid has 2**(bits - 1) levels; there are 2**bits codes.")
def one_bit_short(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, bits, group_size, top_bits=bits - 1)


@wrong("four-bits", "You quantized to 4 bits whatever `bits` said.")
def four_bits(w, u, bits, group_size):
    _refuse(w, group_size)
    return _solve(w, u, 4, group_size)


@wrong("scales-lie", "Your scales have the shape (groups, R); stack them along axis 1.")
def scales_lie(w, u, bits, group_size):
    codes, scales, zeros = one_loop(w, u, bits, group_size)
    return codes, scales.T.copy(), zeros.T.copy()


@wrong(
    "scale-for-each-column", "You repeated the scales for each column; return one for each group."
)
def scale_for_each_column(w, u, bits, group_size):
    codes, scales, zeros = one_loop(w, u, bits, group_size)
    return codes, np.repeat(scales, group_size, 1), np.repeat(zeros, group_size, 1)


@wrong("float16-scales", "You narrowed the scales to float16; return float64.")
def float16_scales(w, u, bits, group_size):
    codes, scales, zeros = one_loop(w, u, bits, group_size)
    return codes, scales.astype(np.float16).astype(np.float64), zeros


@wrong("restored-for-codes", "You returned restored weights in place of the codes.")
def restored_for_codes(w, u, bits, group_size):
    codes, scales, zeros = one_loop(w, u, bits, group_size)
    s, z = np.repeat(scales, group_size, 1), np.repeat(zeros, group_size, 1)
    return (codes - z) * s, scales, zeros


@wrong("ragged-accepted", "A group size that does not divide K must raise ValueError.")
def ragged_accepted(w, u, bits, group_size):
    return _solve(w, u, bits, abs(group_size) or w.shape[1])


@wrong("too-large-accepted", "A group larger than the row does not divide it: raise ValueError.")
def too_large_accepted(w, u, bits, group_size):
    if group_size < 1 or (group_size < w.shape[1] and w.shape[1] % group_size):
        raise ValueError("ragged")
    return _solve(w, u, bits, group_size)


@wrong("assert-for-raise", "Raise ValueError; assert raises AssertionError.")
def assert_for_raise(w, u, bits, group_size):
    assert group_size > 0 and w.shape[1] % group_size == 0
    return _solve(w, u, bits, group_size)


@wrong("integer-zeros", "Your zeros are integers; scales and zeros are float64.")
def integer_zeros(w, u, bits, group_size):
    codes, scales, zeros = one_loop(w, u, bits, group_size)
    return codes, scales, zeros.astype(np.int64)
