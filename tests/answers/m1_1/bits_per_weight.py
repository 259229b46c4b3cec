"""Answers to bits-per-weight."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _scales(shape, granularity, group_size):
    if granularity == "tensor":
        return 1
    if granularity == "channel":
        return shape[0]
    if granularity != "group":
        raise ValueError(f"unknown granularity {granularity!r}")
    if shape[-1] % group_size:
        raise ValueError("the last axis does not fill the groups")
    return math.prod(shape) // group_size


@right("total bits over weights")
def by_total(shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0):
    weights = math.prod(shape)
    extra = _scales(shape, granularity, group_size) * (scale_bits + zero_point_bits)
    return (weights * bits + extra) / weights


@right("weights that share a scale")
def by_share(shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0):
    if granularity == "group" and shape[-1] % group_size != 0:
        raise ValueError("ragged")
    if granularity not in ("tensor", "channel", "group"):
        raise ValueError(granularity)
    shared = {"tensor": np.prod(shape), "channel": np.prod(shape[1:]), "group": group_size}
    return bits + (scale_bits + zero_point_bits) / shared[granularity]


@right("count with a real array")
def by_array(shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0):
    w = np.empty(shape)
    if granularity == "tensor":
        parts = [w]
    elif granularity == "channel":
        parts = list(w)
    elif granularity == "group" and w.shape[-1] % group_size == 0:
        parts = list(w.reshape(-1, group_size))
    else:
        raise ValueError("no such cut")
    return float(bits + len(parts) * scale_bits / w.size + len(parts) * zero_point_bits / w.size)


def _variant(change):
    def answer(shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0):
        weights, scales = math.prod(shape), _scales(shape, granularity, group_size)
        return change(
            weights=weights, scales=scales, bits=bits, s=scale_bits, z=zero_point_bits,
            shape=shape, granularity=granularity, g=group_size,
        )  # fmt: skip

    return answer


@wrong("no-overhead", "You returned the bits of the codes alone; scales are stored too.", call=True)
def no_overhead():
    return _variant(lambda bits, **k: float(bits))


@wrong("zero-points-forgotten", "You left the zero-points out; each group stores one.", call=True)
def zero_points_forgotten():
    return _variant(lambda weights, scales, bits, s, **k: bits + scales * s / weights)


@wrong(
    "one-zero-point",
    "You counted one zero-point for the tensor; there is one beside every scale.",
    call=True,
)
def one_zero_point():
    return _variant(lambda weights, scales, bits, s, z, **k: bits + (scales * s + z) / weights)


@wrong("scale-of-16-bits", "Your scales always take 16 bits; use scale_bits.", call=True)
def scale_of_16_bits():
    return _variant(lambda weights, scales, bits, z, **k: bits + scales * (16 + z) / weights)


@wrong("scale-in-bytes", "You counted the scales in bytes; everything here is in bits.", call=True)
def scale_in_bytes():
    return _variant(lambda weights, scales, bits, s, z, **k: bits + scales * (s + z) / 8 / weights)


@wrong(
    "groups-of-one-row",
    "You counted the groups of one row; every row has its own.",
    call=True,
)
def groups_of_one_row():
    def change(weights, scales, bits, s, z, shape, granularity, g):
        count = shape[-1] // g if granularity == "group" else scales
        return bits + count * (s + z) / weights

    return _variant(change)


@wrong(
    "channels-are-columns",
    "You counted shape[-1] channels; the output channels are axis 0.",
    call=True,
)
def channels_are_columns():
    def change(weights, scales, bits, s, z, shape, granularity, g):
        count = shape[-1] if granularity == "channel" else scales
        return bits + count * (s + z) / weights

    return _variant(change)


@wrong(
    "two-axes-only",
    "For a channel you divided by shape[1] alone; a convolution's channel has shape[1:] weights.",
    call=True,
)
def two_axes_only():
    def change(weights, scales, bits, s, z, shape, granularity, g):
        shared = shape[1] if granularity == "channel" else weights / scales
        return bits + (s + z) / shared

    return _variant(change)


@wrong("whole-bits", "You rounded to whole bits, or used //; the answer is a fraction.", call=True)
def whole_bits():
    return _variant(
        lambda weights, scales, bits, s, z, **k: (weights * bits + scales * (s + z)) // weights
    )


@wrong("total-bits", "You returned the bits of the whole tensor; divide by its weights.", call=True)
def total_bits():
    return _variant(lambda weights, scales, bits, s, z, **k: weights * bits + scales * (s + z))


@wrong(
    "zero-point-as-scale",
    "You gave the zero-point the width of the scale; it takes zero_point_bits.",
    call=True,
)
def zero_point_as_scale():
    return _variant(
        lambda weights, scales, bits, s, z, **k: bits + scales * (s + (s if z else 0)) / weights
    )


@wrong(
    "ragged-groups-accepted",
    "The last axis does not fill the groups; quantizing would fail, so raise ValueError here too.",
)
def ragged_groups_accepted(
    shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0
):
    if granularity == "group":
        return bits + (scale_bits + zero_point_bits) / group_size
    return by_total(shape, bits, granularity, group_size, scale_bits, zero_point_bits)


@wrong(
    "ragged-groups-rounded-up",
    "You counted a short last group in each row; the exercise asks for ValueError.",
)
def ragged_groups_rounded_up(
    shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0
):
    if granularity == "group":
        count = math.prod(shape[:-1]) * math.ceil(shape[-1] / group_size)
        return bits + count * (scale_bits + zero_point_bits) / math.prod(shape)
    return by_total(shape, bits, granularity, group_size, scale_bits, zero_point_bits)


@wrong(
    "unknown-is-group",
    "An unknown granularity fell into your `else`; raise ValueError for it.",
)
def unknown_is_group(shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0):
    known = granularity if granularity in ("tensor", "channel") else "group"
    return by_total(shape, bits, known, group_size, scale_bits, zero_point_bits)


@wrong(
    "group-size-checked-always",
    'You compared group_size with the last axis for every granularity: only "group" uses it.',
)
def checked_always(shape, bits, granularity, group_size=None, scale_bits=16, zero_point_bits=0):
    if group_size and shape[-1] % group_size:
        raise ValueError("ragged")
    return by_share(shape, bits, granularity, group_size, scale_bits, zero_point_bits)
