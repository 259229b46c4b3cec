"""Answers to est-kv-token."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _model(c, bits=16, group=None, scale_bits=16, zero_bits=0, *, checks="bgs", two=2, heads=None,
           size=None, layers=None, up=True, zeros=True, scales=True, by_vector=False, span=None):  # fmt: skip
    if "b" in checks and bits < 1:
        raise ValueError("bits")
    if "g" in checks and group is not None and group < 1:
        raise ValueError("group")
    if "s" in checks and min(scale_bits, zero_bits) < 0:
        raise ValueError("scales")
    size = size or c["head_dim"]
    vectors = two * (layers or c["num_hidden_layers"]) * (heads or c["num_key_value_heads"])
    each = size * bits
    if group and scales:
        groups = span(size, group) if span else (-(-size // group) if up else size // group)
        each += groups * (scale_bits + (zero_bits if zeros else 0))
    if by_vector:
        return vectors * -(-each // 8)
    return -(-vectors * each // 8)


@right("formula")
def formula(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits)


@right("numpy, groups cut from indices")
def by_numpy(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    if bits <= 0 or scale_bits < 0 or zero_bits < 0 or (group is not None and group <= 0):
        raise ValueError("widths")
    shape = (2, config["num_hidden_layers"], config["num_key_value_heads"], config["head_dim"])
    groups = 0 if group is None else len(np.unique(np.arange(shape[-1]) // group))
    total = math.prod(shape) * bits + math.prod(shape[:-1]) * groups * (scale_bits + zero_bits)
    return np.int64(math.ceil(total / 8))


@wrong("keys-alone", "Keys and values are kept: twice as much.")
def keys(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, two=1)


@wrong("query-heads", "The cache holds num_key_value_heads heads.")
def query_heads(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    heads = config["num_attention_heads"]
    return _model(config, bits, group, scale_bits, zero_bits, heads=heads)


@wrong("hidden-by-heads", "head_dim need not be hidden_size / heads.")
def divided(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    size = config["hidden_size"] // config["num_attention_heads"]
    return _model(config, bits, group, scale_bits, zero_bits, size=size)


@wrong("one-layer", "Every layer has a cache.")
def one_layer(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, layers=1)


@wrong("scales-forgotten", "Each group has a scale.")
def no_scales(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, scales=False)


@wrong("zeros-forgotten", "Each group has a zero-point of zero_bits.")
def no_zeros(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, zeros=False)


@wrong("short-group-lost", "A short last group has a scale too: round the groups up.")
def floor_groups(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, up=False)


@wrong("fractional-groups", "Half a group has a whole scale: round the groups up.")
def fractional(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    span = lambda size, group: size / group  # noqa: E731
    return math.ceil(_model(config, bits, group, scale_bits, zero_bits, span=span))


@wrong("rounded-by-vector", "Bits lie without gaps: round up once, at the end.")
def by_vector(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, by_vector=True)


@wrong("scale-a-token", "Each head's vector has groups of its own.")
def one_scale(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    plain = _model(config, bits, None, scale_bits, zero_bits)
    _model(config, bits, group, scale_bits, zero_bits)
    return plain + (-(-(scale_bits + zero_bits) // 8) if group else 0)


@wrong("bits-for-bytes", "Eight bits are a byte.")
def in_bits(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return 8 * _model(config, bits, group, scale_bits, zero_bits)


@wrong("floored", "The last bits need a byte too: round up.")
def floored(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return (_model(config, 8 * bits, group, 8 * scale_bits, 8 * zero_bits) // 8
            if bits > 0 else _model(config, bits))  # fmt: skip


@wrong("float", "Bytes are whole.")
def as_float(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return float(_model(config, bits, group, scale_bits, zero_bits))


@wrong("bits-not-checked", "0 bits must raise ValueError.")
def any_bits(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, checks="gs")


@wrong("group-not-checked", "A group below 1 must raise ValueError, 0 too.")
def any_group(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, checks="bs")


@wrong("scales-not-checked", "Negative widths must raise ValueError.")
def any_scales(config, bits=16, group=None, scale_bits=16, zero_bits=0):
    return _model(config, bits, group, scale_bits, zero_bits, checks="bg")
