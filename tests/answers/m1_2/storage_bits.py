"""Answers to storage-bits."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _bits(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0, *,
          up=lambda a, b: -(-a // b), offset=32, per_block=32, codes=None):  # fmt: skip
    rows, columns = shape
    if min(rows, columns, bits, group_size) < 1:
        raise ValueError("empty")
    groups = up(rows * columns, group_size) if flat else rows * up(columns, group_size)
    total = rows * columns * (bits if codes is None else codes) + groups * (scale_bits + zero_bits)
    if nested:
        total += per_block * up(groups, nested) + offset
    return total / (rows * columns)


@right("integer arithmetic")
def integers(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, zero_bits, flat, nested)


@right("math.ceil, one addition for each group")
def ceil(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    n = math.prod(shape)
    if n <= 0 or bits < 1 or group_size < 1:
        raise ValueError(f"nothing to store: {shape}, {bits}, {group_size}")
    lengths = [n] if flat else [shape[1]] * shape[0]
    groups = sum(math.ceil(length / group_size) for length in lengths)
    extra = 32 + 32 * math.ceil(groups / nested) if nested else 0
    return np.float64(bits + (groups * scale_bits + groups * zero_bits + extra) / n)


@wrong("no-scales", "You counted the codes alone; every group stores a scale as well.")
def no_scales(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, 0, 0, flat, 0)


@wrong("no-zero-points", "The zero-points are not counted.")
def no_zeros(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, 0, flat, nested)


@wrong("whole-groups-only", "A part of a group needs a scale too: round the number of groups up.")
def floor(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(
        shape, bits, group_size, scale_bits, zero_bits, flat, nested, up=lambda a, b: a // b
    )


@wrong("always-flat", "Groups do not run from one row into the next unless flat is True.")
def always_flat(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, zero_bits, True, nested)


@wrong("never-flat", "flat=True cuts the matrix as one row: bitsandbytes' blocks run on.")
def never_flat(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, zero_bits, False, nested)


@wrong("groups-down-columns", "The groups run along the inputs of a row, not down a column.")
def transposed(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape[::-1], bits, group_size, scale_bits, zero_bits, flat, nested)


@wrong("fixed-fraction", "scale_bits / group_size holds only where groups fill the rows.")
def fraction(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    if min(*shape, bits, group_size) < 1:
        raise ValueError("empty")
    more = 32 / (group_size * nested) if nested else 0
    return bits + (scale_bits + zero_bits) / group_size + more


@wrong("bytes", "That is bytes per weight; the table is in bits.")
def in_bytes(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, zero_bits, flat, nested) / 8


@wrong("total", "That is the whole matrix: divide by the number of weights.")
def total(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, zero_bits, flat, nested) * math.prod(shape)


@wrong("no-second-level", "The scales of the scales take space: 32 bits for each block of them.")
def no_second(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, zero_bits, flat, 0)


@wrong(
    "no-offset", "The mean that is taken off the scales before they are quantized is 32 bits more."
)
def no_offset(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    return _bits(shape, bits, group_size, scale_bits, zero_bits, flat, nested, offset=0)


@wrong(
    "answers-anything", "Empty matrices, groups of 0 and 0 bits must be refused with ValueError."
)
def answers(shape, bits, group_size, scale_bits=16, zero_bits=0, flat=False, nested=0):
    if min(*shape, bits, group_size) < 1:
        return 0.0
    return _bits(shape, bits, group_size, scale_bits, zero_bits, flat, nested)
