"""Answers to conv-cost."""

import math

import torch

from autograder.checks.bank import right, wrong


def _cost(
    channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True, *, checks="pgk",
    out=None, weights=None, macs=None, extra=None,
):  # fmt: skip
    if "p" in checks and (min(*channels, *size, kernel, stride, groups) < 1 or padding < 0):
        raise ValueError("sizes")
    if "g" in checks and (channels[0] % max(groups, 1) or channels[1] % max(groups, 1)):
        raise ValueError("groups")
    if "k" in checks and min(size) + 2 * padding < kernel:
        raise ValueError("kernel")
    step = max(stride, 1)
    out = out or (lambda n: (n + 2 * padding - kernel) // step + 1)
    count = (weights or (lambda a, b: b * (a // max(groups, 1)) * kernel**2))(*channels)
    pixels = out(size[0]) * out(size[1])
    parameters = count + (extra(*channels) if extra else bias * channels[1])
    return parameters, macs(count, pixels) if macs else count * pixels


@right("the formula")
def by_formula(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    return _cost(channels, size, kernel, stride, padding, groups, bias)


@right("a layer on the meta device")
def by_layer(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    if any(v <= 0 for v in (*channels, *size, kernel, stride, groups)) or padding < 0:
        raise ValueError("sizes")
    if any(c % groups for c in channels) or any(n + 2 * padding < kernel for n in size):
        raise ValueError("does not fit")
    shape = {"groups": groups, "bias": bias, "device": "meta"}
    layer = torch.nn.Conv2d(*channels, kernel, stride, padding, **shape)
    image = layer(torch.empty(1, channels[0], *size, device="meta"))
    each = layer.weight[0].numel()
    return [sum(p.numel() for p in layer.parameters()), image.numel() * each]


@right("counting windows")
def by_windows(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    _cost(channels, size, kernel, stride, padding, groups, bias)
    rows, columns = (len(range(0, n + 2 * padding - kernel + 1, stride)) for n in size)
    each = channels[0] // groups * kernel * kernel
    return channels[1] * (each + int(bias)), channels[1] * each * rows * columns


def _variant(**changed):
    def answer(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
        made = {k: v(size, kernel, stride, padding, groups, bias) for k, v in changed.items()}
        return _cost(channels, size, kernel, stride, padding, groups, bias, **made)

    return answer


@wrong(
    "groups-ignored", "Each output channel sees in // groups inputs, not all of them.", call=True
)
def no_groups():
    return _variant(weights=lambda s, k, t, p, g, b: lambda a, c: c * a * k**2)


@wrong("groups-twice", "You divided the outputs by groups as well; all of them exist.", call=True)
def groups_twice():
    return _variant(weights=lambda s, k, t, p, g, b: lambda a, c: (c // g) * (a // g) * k**2)


@wrong("kernel-not-squared", "The kernel has kernel * kernel weights.", call=True)
def flat_kernel():
    return _variant(weights=lambda s, k, t, p, g, b: lambda a, c: c * (a // g) * k)


@wrong("padding-once", "Padding is added on both sides: n + 2 * padding.", call=True)
def padding_once():
    return _variant(out=lambda s, k, t, p, g, b: lambda n: max((n + p - k) // t + 1, 0))


@wrong("padding-ignored", "You left the padding out of the output size.", call=True)
def no_padding():
    return _variant(out=lambda s, k, t, p, g, b: lambda n: max((n - k) // t + 1, 0))


@wrong("input-size", "MACs count OUTPUT pixels; you took the input's.", call=True)
def input_size():
    return _variant(out=lambda s, k, t, p, g, b: lambda n: n)


@wrong("stride-ignored", "You left the stride out of the output size.", call=True)
def no_stride():
    return _variant(out=lambda s, k, t, p, g, b: lambda n: n + 2 * p - k + 1)


@wrong(
    "no-plus-one",
    "The output has (n + 2p - k) // stride + 1 pixels; the last + 1 is missing.",
    call=True,
)
def no_plus_one():
    return _variant(out=lambda s, k, t, p, g, b: lambda n: (n + 2 * p - k) // t)


@wrong("rounded-up", "A window that does not fit is left out: divide down.", call=True)
def up():
    return _variant(out=lambda s, k, t, p, g, b: lambda n: math.ceil((n + 2 * p - k) / t) + 1)


@wrong("square-image", "You squared the height; the width can be another.")
def square(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    _cost(channels, size, kernel, stride, padding, groups, bias)
    return _cost(channels, (size[0], size[0]), kernel, stride, padding, groups, bias)


@wrong("bias-ignored", "A bias is a parameter for each output channel.", call=True)
def no_bias():
    return _variant(extra=lambda s, k, t, p, g, b: lambda a, c: 0)


@wrong("bias-always", "You count the bias although bias is False.", call=True)
def always_bias():
    return _variant(extra=lambda s, k, t, p, g, b: lambda a, c: c)


@wrong("bias-by-input", "The bias belongs to the output channels.", call=True)
def input_bias():
    return _variant(extra=lambda s, k, t, p, g, b: lambda a, c: b * a)


@wrong("bias-in-the-macs", "A bias is added, not multiplied: it is no MAC.")
def bias_macs(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    parameters, macs = _cost(channels, size, kernel, stride, padding, groups, bias)
    weights = parameters - bias * channels[1]
    return parameters, macs // weights * parameters


@wrong(
    "flops",
    "You count two operations a MAC; one MAC is one multiplication with its addition.",
    call=True,
)
def flops():
    return _variant(macs=lambda s, k, t, p, g, b: lambda n, x: 2 * n * x)


@wrong(
    "parameters-only", "MACs are weights times output pixels; you returned the weights.", call=True
)
def once():
    return _variant(macs=lambda s, k, t, p, g, b: lambda n, x: n)


@wrong("swapped", "Parameters come first, MACs second.")
def swapped(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    return _cost(channels, size, kernel, stride, padding, groups, bias)[::-1]


@wrong("float-counts", "Counts are ints: divide with //.")
def floats(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    a, b = _cost(channels, size, kernel, stride, padding, groups, bias)
    return a / 1, b / 1


@wrong(
    "sizes-not-checked", "Sizes below 1 and a negative padding must raise ValueError.", call=True
)
def any_size():
    return _variant(checks=lambda *a: "gk")


@wrong(
    "groups-not-checked", "Channels that groups does not divide must raise ValueError.", call=True
)
def any_groups():
    return _variant(checks=lambda *a: "pk")


@wrong(
    "kernel-not-checked", "A kernel larger than the padded image must raise ValueError.", call=True
)
def any_kernel():
    return _variant(checks=lambda *a: "pg")


@right("group by group")
def by_group(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    _cost(channels, size, kernel, stride, padding, groups, bias)
    each = (channels[0] // groups) * (channels[1] // groups) * kernel * kernel
    weights = sum(each for _ in range(groups))
    rows, columns = (math.floor((n + 2 * padding - kernel) / stride + 1) for n in size)
    return [weights + (channels[1] if bias else 0), weights * rows * columns]


@wrong("int32-counts", "MACs of a large layer pass 2**31: count in Python's integers.", call=True)
def int32():
    def product(n, x):
        return (n * x + 2**31) % 2**32 - 2**31

    return _variant(macs=lambda s, k, t, p, g, b: product)


@wrong("float32-counts", "float32 counts to 2**24 only: count in Python's integers.")
def float32(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    counts = _cost(channels, size, kernel, stride, padding, groups, bias)
    return tuple(int(torch.tensor(float(n), dtype=torch.float32)) for n in counts)


@wrong("parameters-in-float32", "float32 counts to 2**24 only: count in Python's integers.")
def float32_parameters(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    parameters, macs = _cost(channels, size, kernel, stride, padding, groups, bias)
    return int(torch.tensor(float(parameters), dtype=torch.float32)), macs


@wrong("width-not-checked", "You check the height only; a width below 1 is refused too.")
def any_width(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    if min(*channels, size[0], kernel, stride, groups) < 1 or padding < 0:
        raise ValueError("sizes")
    return _cost(channels, size, kernel, stride, padding, groups, bias, checks="gk")


@wrong("kernel-against-width", "The kernel must fit the height as well as the width.")
def kernel_width(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
    if size[1] + 2 * padding < kernel:
        raise ValueError("kernel")
    return _cost(channels, size, kernel, stride, padding, groups, bias, checks="pg")


def _zero_only(name):
    def answer(channels, size, kernel=3, stride=1, padding=0, groups=1, bias=True):
        given = {"channels": channels, "size": size, "kernel": kernel, "stride": stride}
        given |= {"padding": padding, "groups": groups, "bias": bias}
        values = given[name] if isinstance(given[name], tuple) else [given[name]]
        if 0 in values:
            raise ValueError(name)
        turned = [abs(v) for v in values]
        return _cost(**{**given, name: tuple(turned) if len(turned) > 1 else turned[0]})

    return answer


@wrong("negative-channels", "You refuse 0 channels and let -4 pass.", call=True)
def negative_channels():
    return _zero_only("channels")


@wrong("negative-size", "You refuse a size of 0 and let -1 pass.", call=True)
def negative_size():
    return _zero_only("size")


@wrong("negative-kernel", "You refuse a kernel of 0 and let -1 pass.", call=True)
def negative_kernel():
    return _zero_only("kernel")


@wrong("negative-stride", "You refuse a stride of 0 and let -1 pass.", call=True)
def negative_stride():
    return _zero_only("stride")


@wrong("negative-groups", "You refuse 0 groups and let -1 pass.", call=True)
def negative_groups():
    return _zero_only("groups")
