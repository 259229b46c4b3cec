"""Answers to weight-bytes."""

import math

from autograder.checks.bank import right, wrong


def _answer(total, bandwidth_gb_s):
    return int(total), bandwidth_gb_s * 1e9 / total


@right("integer arithmetic")
def integers(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    total = (params * bits + 7) // 8
    if group_size:
        groups = -(-params // group_size)
        total += (groups * scale_bits + 7) // 8
    return total, bandwidth_gb_s * 1e9 / total


@right("math.ceil of floats, list returned")
def floats(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = 0 if group_size is None else math.ceil(params / group_size)
    size = math.ceil(params * bits / 8) + math.ceil(groups * scale_bits / 8)
    return [size, 1 / (size / (bandwidth_gb_s * 1e9))]


@right("divmod and numpy scalars")
def numpy_scalars(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    import numpy as np

    whole, rest = divmod(params * bits, 8)
    size = whole + bool(rest)
    if group_size is not None:
        full, last = divmod(params, group_size)
        whole, rest = divmod((full + bool(last)) * scale_bits, 8)
        size += whole + bool(rest)
    return np.int64(size), np.float64(bandwidth_gb_s) * 1e9 / size


@wrong("bits-for-bytes", "You counted bits: a byte has 8, so divide by 8.")
def bits_for_bytes(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = math.ceil(params / group_size) if group_size else 0
    return _answer(params * bits + groups * scale_bits, bandwidth_gb_s)


@wrong("scales-forgotten", "You left out the scales: each group stores one of scale_bits bits.")
def scales_forgotten(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    return _answer(math.ceil(params * bits / 8), bandwidth_gb_s)


@wrong(
    "floor-for-ceil", "You rounded down: the last, partly filled byte or group must be stored too."
)
def floor_for_ceil(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = params // group_size if group_size else 0
    return _answer(params * bits // 8 + groups * scale_bits // 8, bandwidth_gb_s)


@wrong("last-group-dropped", "You gave no scale to the last, shorter group.")
def last_group_dropped(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = params // group_size if group_size else 0
    return _answer(
        math.ceil(params * bits / 8) + math.ceil(groups * scale_bits / 8), bandwidth_gb_s
    )


@wrong("one-scale-only", "You stored one scale for the whole tensor: each group has its own.")
def one_scale_only(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    extra = math.ceil(scale_bits / 8) if group_size else 0
    return _answer(math.ceil(params * bits / 8) + extra, bandwidth_gb_s)


@wrong("scale-width-fixed", "You took 2 bytes for every scale: use scale_bits.")
def scale_width_fixed(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = math.ceil(params / group_size) if group_size else 0
    return _answer(math.ceil(params * bits / 8) + 2 * groups, bandwidth_gb_s)


@wrong("scale-bits-as-bytes", "You counted scale_bits as bytes: divide by 8.")
def scale_bits_as_bytes(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = math.ceil(params / group_size) if group_size else 0
    return _answer(math.ceil(params * bits / 8) + groups * scale_bits, bandwidth_gb_s)


@wrong(
    "whole-bytes-each",
    "You gave each weight whole bytes: weights of 3, 4 or 5 bits are packed end to end.",
)
def whole_bytes_each(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = math.ceil(params / group_size) if group_size else 0
    total = params * math.ceil(bits / 8) + math.ceil(groups * scale_bits / 8)
    return _answer(total, bandwidth_gb_s)


@wrong(
    "scale-and-zero-point", "You stored two numbers for each group: here a group has a scale only."
)
def scale_and_zero_point(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = math.ceil(params / group_size) if group_size else 0
    return _answer(
        math.ceil(params * bits / 8) + math.ceil(2 * groups * scale_bits / 8), bandwidth_gb_s
    )


@wrong(
    "scale-bytes-each",
    "You rounded each scale up to whole bytes: round the sum of all scales, once.",
)
def scale_bytes_each(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = math.ceil(params / group_size) if group_size else 0
    return _answer(
        math.ceil(params * bits / 8) + groups * math.ceil(scale_bits / 8), bandwidth_gb_s
    )


@wrong(
    "binary-gigabytes", "You took a GB as 2**30 bytes: bandwidth is given in 10**9 bytes a second."
)
def binary_gigabytes(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    size, _ = integers(params, bits, bandwidth_gb_s, group_size, scale_bits)
    return size, bandwidth_gb_s * 2**30 / size


@wrong("seconds-per-token", "You returned the seconds that a token takes: tokens/s is the inverse.")
def seconds_per_token(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    size, speed = integers(params, bits, bandwidth_gb_s, group_size, scale_bits)
    return size, 1 / speed


@wrong(
    "gigabits",
    "You took the bandwidth as gigabits: it is in gigabytes a second, do not divide by 8.",
)
def gigabits(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    size, speed = integers(params, bits, bandwidth_gb_s, group_size, scale_bits)
    return size, speed / 8


@wrong("speed-without-scales", "Your speed forgets the scales: they are read for every token too.")
def speed_without_scales(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    size, _ = integers(params, bits, bandwidth_gb_s, group_size, scale_bits)
    return size, bandwidth_gb_s * 1e9 / math.ceil(params * bits / 8)


@wrong("whole-tokens", "You rounded tokens/s to a whole number: return the ratio as it is.")
def whole_tokens(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    size, speed = integers(params, bits, bandwidth_gb_s, group_size, scale_bits)
    return size, float(int(speed))


@wrong(
    "rounded-together",
    "You rounded weights and scales up together: each of the two is whole bytes of its own.",
)
def rounded_together(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    groups = math.ceil(params / group_size) if group_size else 0
    return _answer(math.ceil((params * bits + groups * scale_bits) / 8), bandwidth_gb_s)


@wrong(
    "speed-of-fractional-bytes",
    "You divided the bandwidth by the exact bits / 8: whole bytes are stored and read, use size_bytes.",
)
def fractional_bytes(params, bits, bandwidth_gb_s, group_size=None, scale_bits=16):
    size, _ = integers(params, bits, bandwidth_gb_s, group_size, scale_bits)
    scales = -(-params // group_size) * scale_bits if group_size else 0
    return size, bandwidth_gb_s * 8e9 / (params * bits + scales)


@wrong(
    "scales-of-32-bits",
    "You changed the default of scale_bits: keep the signature, a scale has 16 bits unless told.",
)
def default_of_32(params, bits, bandwidth_gb_s, group_size=None, scale_bits=32):
    return integers(params, bits, bandwidth_gb_s, group_size, scale_bits)
