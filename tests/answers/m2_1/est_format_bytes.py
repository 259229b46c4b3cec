"""Answers to est-format-bytes."""

import math

from autograder.checks.bank import right, wrong


def _model(shapes, keep, bits, group=None, scale_bits=16, zero_bits=0, *, checks="bgsa", up=True,
           keeps=True, ones=True, zeros=True, scales=True, axis=1, by_row=False, at_end=False,
           flat=False, wide=16):  # fmt: skip
    if "b" in checks and bits < 1:
        raise ValueError("bits")
    if "g" in checks and group is not None and group < 1:
        raise ValueError("group")
    if "s" in checks and min(scale_bits, zero_bits) < 0:
        raise ValueError("scales")
    if "a" in checks and any(len(s) not in (1, 2) for s in shapes.values()):
        raise ValueError("axes")
    total_bits = []
    for name, shape in shapes.items():
        if (len(shape) == 1 and ones) or (name in keep and keeps):
            total_bits.append(math.prod(shape) * wide)
            continue
        rows, row = (1, *shape) if len(shape) == 1 else (shape if axis else shape[::-1])[:2]
        if flat:
            rows, row = 1, rows * row
        each = row * bits
        if group and scales:
            groups = -(-row // group) if up else row // group
            each += groups * (scale_bits + (zero_bits if zeros else 0))
        total_bits.append(rows * (-(-each // 8) * 8 if by_row else each))
    if at_end:
        return -(-sum(total_bits) // 8)
    return sum(-(-b // 8) for b in total_bits)


@right("formula")
def formula(shapes, keep, bits, group=None, scale_bits=16, zero_bits=0):
    return _model(shapes, keep, bits, group, scale_bits, zero_bits)


@right("row by row")
def by_row(shapes, keep, bits, group=None, scale_bits=16, zero_bits=0):
    if bits <= 0 or scale_bits < 0 or zero_bits < 0 or (group is not None and group <= 0):
        raise ValueError("widths")
    total = 0
    for name, shape in shapes.items():
        if not 1 <= len(shape) <= 2:
            raise ValueError(name)
        values = math.prod(shape)
        if len(shape) < 2 or name in list(keep):
            total += 2 * values
            continue
        cuts = 0 if group is None else len(range(0, shape[-1], group))
        total += math.ceil((values * bits + shape[0] * cuts * (scale_bits + zero_bits)) / 8)
    return total


def _wrong(name, sentence, **how):
    def answer(shapes, keep, bits, group=None, scale_bits=16, zero_bits=0):
        return _model(shapes, keep, bits, group, scale_bits, zero_bits, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong(
    "scales-forgotten", "Each group has a scale: 4 bits with groups of 32 are 4.5.", scales=False
)
_wrong("zeros-forgotten", "Each group has a zero-point of zero_bits.", zeros=False)
_wrong("short-group-lost", "A short last group has a scale too: round the groups up.", up=False)
_wrong("keep-ignored", "Tensors named in keep stay at 16 bits.", keeps=False)
_wrong("norms-quantized", "Tensors of one axis stay at 16 bits.", ones=False)
_wrong("groups-down-the-columns", "Groups run along the last axis.", axis=0)
_wrong("groups-across-rows", "A group ends where its row ends.", flat=True)
_wrong("rounded-by-row", "Rows lie without gaps: only a tensor's end is filled.", by_row=True)
_wrong("rounded-once", "Each tensor begins on a whole byte.", at_end=True)
_wrong("kept-at-32", "What is not quantized takes 16 bits a value.", wide=32)
_wrong("bits-not-checked", "0 bits must raise ValueError.", checks="gsa")
_wrong("group-not-checked", "A group below 1 must raise ValueError, 0 too.", checks="bsa")
_wrong("scales-not-checked", "Negative widths must raise ValueError.", checks="bga")


@wrong("axes-not-checked", "A tensor of no axis, or of three, must raise ValueError.")
def any_axes(shapes, keep, bits, group=None, scale_bits=16, zero_bits=0):
    some = {name: shape for name, shape in shapes.items() if len(shape) in (1, 2)}
    return _model(some, keep, bits, group, scale_bits, zero_bits)


@wrong("in-bits", "Eight bits are a byte.")
def in_bits(shapes, keep, bits, group=None, scale_bits=16, zero_bits=0):
    return 8 * _model(shapes, keep, bits, group, scale_bits, zero_bits)


@wrong("float", "Bytes are whole.")
def as_float(shapes, keep, bits, group=None, scale_bits=16, zero_bits=0):
    return float(_model(shapes, keep, bits, group, scale_bits, zero_bits))
