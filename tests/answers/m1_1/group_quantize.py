"""Answers to group-quantize."""

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(w, size):
    if w.shape[-1] % size:
        raise ValueError(f"{w.shape[-1]} columns do not fill groups of {size}")


def _encode(groups, bits, top=None, rounding=np.rint, low=None):
    """groups (..., group_size) to codes of that shape and scales without the last axis."""
    q = 2 ** (bits - 1) - 1
    amax = np.abs(groups).max(axis=-1)
    scales = np.where(amax > 0, amax / (top or q), 1).astype(np.float32)
    codes = np.clip(rounding(groups / scales[..., None]), low or -q, q).astype(np.int8)
    return codes, scales


def _by_reshape(w, group_size=32, bits=4, **changes):
    _refuse(w, group_size)
    codes, scales = _encode(w.reshape(*w.shape[:-1], -1, group_size), bits, **changes)
    return codes.reshape(w.shape), scales


@right("reshape to (..., n_groups, group_size)")
def by_reshape(w, group_size=32, bits=4):
    return _by_reshape(w, group_size, bits)


@right("a loop over slices")
def by_slices(w, group_size=32, bits=4):
    _refuse(w, group_size)
    top = 2 ** (bits - 1) - 1
    codes, scales = np.zeros(w.shape, np.int8), []
    for start in range(0, w.shape[-1], group_size):
        part = w[..., start : start + group_size].astype(np.float64)
        amax = np.maximum(part.max(-1), -part.min(-1))
        scale = np.where(amax == 0, 1, amax / top)
        codes[..., start : start + group_size] = np.around(part / scale[..., None])
        scales.append(scale)
    return codes, np.stack(scales, -1).astype(np.float32)


@right("np.maximum.reduceat and np.repeat")
def by_reduceat(w, group_size=32, bits=4):
    _refuse(w, group_size)
    top = 2 ** (bits - 1) - 1
    amax = np.maximum.reduceat(np.abs(w), np.arange(0, w.shape[-1], group_size), axis=-1)
    scales = np.where(amax > 0, amax / np.float32(top), np.float32(1))
    ratio = w.astype(np.float64) / np.repeat(scales.astype(np.float64), group_size, axis=-1)
    return np.rint(ratio).astype(np.int8), scales.astype(np.float32)


@right("flattened, torch")
def by_torch(w, group_size=32, bits=4):
    import torch

    _refuse(w, group_size)
    top = 2 ** (bits - 1) - 1
    flat = torch.tensor(w).reshape(-1, group_size)
    scales = flat.abs().amax(1, keepdim=True) / top
    scales[scales == 0] = 1
    codes = torch.round(flat / scales).to(torch.int8)
    return codes.reshape(w.shape).numpy(), scales.reshape(*w.shape[:-1], -1).numpy()


@wrong(
    "one-scale-a-row", "You used one scale for each row; take one for each group within the row."
)
def one_scale_a_row(w, group_size=32, bits=4):
    _refuse(w, group_size)
    codes, scales = _encode(w, bits)
    return codes, np.repeat(scales[..., None], w.shape[-1] // group_size, axis=-1)


@wrong(
    "groups-down-the-columns",
    "Your groups run down the first axis; they run along the last one, inside a row.",
)
def groups_down_the_columns(w, group_size=32, bits=4):
    _refuse(w.T, group_size)
    codes, scales = _by_reshape(np.ascontiguousarray(w.T), group_size, bits)
    return np.ascontiguousarray(codes.T), np.ascontiguousarray(scales.T)


@wrong(
    "strided-groups",
    "Your groups take every n-th column; a group is group_size neighbours.",
)
def strided_groups(w, group_size=32, bits=4):
    _refuse(w, group_size)
    split = np.swapaxes(w.reshape(*w.shape[:-1], group_size, -1), -1, -2)
    codes, scales = _encode(split, bits)
    return np.ascontiguousarray(np.swapaxes(codes, -1, -2)).reshape(w.shape), scales


@wrong(
    "number-of-groups",
    "You made group_size groups; group_size is how many weights share a scale.",
)
def number_of_groups(w, group_size=32, bits=4):
    return _by_reshape(w, w.shape[-1] // group_size or 1, bits)


@wrong("group-size-ignored", "Your groups always have 32 weights; use the argument group_size.")
def group_size_ignored(w, group_size=32, bits=4):
    return _by_reshape(w, 32, bits)


@wrong(
    "groups-across-rows",
    "You cut the flattened tensor, so a group may begin in one row and end in the next; "
    "raise ValueError when the last axis does not divide.",
)
def groups_across_rows(w, group_size=32, bits=4):
    codes, scales = _encode(w.reshape(-1, group_size), bits)
    if w.shape[-1] % group_size == 0:
        scales = scales.reshape(*w.shape[:-1], -1)
    return codes.reshape(w.shape), scales


@wrong("pads-the-last-group", "You padded a ragged last group; the exercise asks for ValueError.")
def pads_the_last_group(w, group_size=32, bits=4):
    short = -w.shape[-1] % group_size
    padded = np.pad(w, [(0, 0)] * (w.ndim - 1) + [(0, short)])
    codes, scales = _by_reshape(padded, group_size, bits)
    return codes[..., : w.shape[-1]], scales


@wrong(
    "drops-the-tail", "You left out the weights of a ragged last group; raise ValueError instead."
)
def drops_the_tail(w, group_size=32, bits=4):
    keep = w.shape[-1] - w.shape[-1] % group_size
    if not keep:
        return w.astype(np.int8), np.ones(w.shape[:-1], np.float32)
    return _by_reshape(np.ascontiguousarray(w[..., :keep]), group_size, bits)


@wrong("assert-for-raise", "A ragged axis must raise ValueError; assert raises AssertionError.")
def assert_for_raise(w, group_size=32, bits=4):
    assert w.shape[-1] % group_size == 0
    return _by_reshape(w, group_size, bits)


@wrong(
    "full-range",
    "You divided amax by 2**(bits - 1) = 8; the largest code of 4 bits is 7.",
)
def full_range(w, group_size=32, bits=4):
    return _by_reshape(w, group_size, bits, top=2 ** (bits - 1), low=-(2 ** (bits - 1)))


@wrong("eight-bits", "Your codes span 8 bits; `bits` is 4 here, so the largest code is 7.")
def eight_bits(w, group_size=32, bits=4):
    return _by_reshape(w, group_size, 8)


@wrong("floor-for-round", "You rounded down with floor; round to nearest, ties to even.")
def floor_for_round(w, group_size=32, bits=4):
    return _by_reshape(w, group_size, bits, rounding=np.floor)


@wrong("ties-away-from-zero", "Your ties go away from zero; np.rint sends 2.5 to 2 and 3.5 to 4.")
def ties_away(w, group_size=32, bits=4):
    def away(v):
        return np.sign(v) * np.floor(np.abs(v) + 0.5)

    return _by_reshape(w, group_size, bits, rounding=away)


@wrong(
    "scales-keep-the-group-axis",
    "Your scales kept an axis of length 1; their shape is (*w.shape[:-1], n_groups).",
)
def scales_keep_the_group_axis(w, group_size=32, bits=4):
    codes, scales = _by_reshape(w, group_size, bits)
    return codes, scales[..., None]


@wrong("codes-in-groups", "Your codes kept the grouped shape; reshape them back to w.shape.")
def codes_in_groups(w, group_size=32, bits=4):
    codes, scales = _by_reshape(w, group_size, bits)
    return codes.reshape(*w.shape[:-1], -1, group_size), scales


@wrong("zero-group", "A group of zeros gave 0/0; its scale is 1 and its codes are 0.")
def zero_group(w, group_size=32, bits=4):
    _refuse(w, group_size)
    groups = w.reshape(*w.shape[:-1], -1, group_size)
    scales = (np.abs(groups).max(-1) / (2 ** (bits - 1) - 1)).astype(np.float32)
    codes = np.nan_to_num(np.rint(groups / scales[..., None])).astype(np.int8)
    return codes.reshape(w.shape), scales
