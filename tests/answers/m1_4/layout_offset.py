"""Answers to layout-offset."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _check(index, shape, layout, skip=""):
    if "n" not in skip and (len(index) != 4 or len(shape) != 4):
        raise ValueError("four numbers")
    if "l" not in skip and layout not in ("NCHW", "NHWC", "NCHW8c"):
        raise ValueError("layout")
    for i, size in zip(index, shape, strict=False):
        if ("u" not in skip and i >= size) or ("b" not in skip and i < 0):
            raise ValueError("outside")


def _horner(pairs):
    at = 0
    for i, size in pairs:
        at = at * size + i
    return at


def _offset(index, shape, layout, skip="", **rules):
    _check(index, shape, layout, skip)
    (n, c, h, w), (_, channels, height, width) = (*index, 0, 0)[:4], (*shape, 1, 1)[:4]
    if layout == "NHWC":
        return rules.get(
            "last", lambda: _horner([(n, 1), (h, height), (w, width), (c, channels)])
        )()
    if layout == "NCHW8c":
        blocks = rules.get("blocks", lambda k: -(-k // 8))(channels)
        order = rules.get("order", lambda n, b, h, w, i: [(n, 1), b, h, w, i])
        return _horner(order(n, (c // 8, blocks), (h, height), (w, width), (c % 8, 8)))
    return rules.get("first", lambda: _horner([(n, 1), (c, channels), (h, height), (w, width)]))()


@right("Horner's rule")
def horner(index, shape, layout):
    return _offset(index, shape, layout)


@right("NumPy's ravel_multi_index")
def ravel(index, shape, layout):
    _check(index, shape, layout)
    n, c, h, w = index
    if layout == "NCHW8c":
        sizes = (shape[0], (shape[1] + 7) // 8, shape[2], shape[3], 8)
        return np.ravel_multi_index((n, c // 8, h, w, c % 8), sizes)
    order = [0, 1, 2, 3] if layout == "NCHW" else [0, 2, 3, 1]
    return int(np.ravel_multi_index([index[k] for k in order], [shape[k] for k in order]))


@right("torch's strides, and strides by hand")
def strides(index, shape, layout):
    _check(index, shape, layout)
    if layout == "NCHW8c":
        n, c, h, w = index
        step_w = 8
        step_h = step_w * shape[3]
        step_b = step_h * shape[2]
        step_n = step_b * ((shape[1] + 7) // 8)
        return n * step_n + c // 8 * step_b + h * step_h + w * step_w + c % 8
    step = [1, 1, 1, 1]
    order = [3, 2, 1, 0] if layout == "NCHW" else [1, 3, 2, 0]
    size = 1
    for axis in order:
        step[axis] = size
        size *= shape[axis]
    if layout == "NCHW":
        assert tuple(step) == torch.empty(shape).stride()
    return sum(i * s for i, s in zip(index, step, strict=True))


def _like(**rules):
    return lambda index, shape, layout: _offset(index, shape, layout, **rules)


@wrong("layout-ignored", "You gave the NCHW offset for every layout.")
def always_first(index, shape, layout):
    _check(index, shape, layout)
    return _offset(index, shape, "NCHW")


@wrong("layouts-swapped", "You have NCHW and NHWC the wrong way round.")
def swapped(index, shape, layout):
    _check(index, shape, layout)
    return _offset(index, shape, {"NCHW": "NHWC", "NHWC": "NCHW"}.get(layout, layout))


@wrong("height-and-width", "You swapped height and width: a row has W elements.")
def turned(index, shape, layout):
    _check(index, shape, layout)
    n, c, h, w = index
    return _offset((n, c, w, h), (shape[0], shape[1], shape[3], shape[2]), layout)


@wrong("blocks-rounded-down", "The last, partly filled block counts as well: round up.", call=True)
def floor_blocks():
    return _like(blocks=lambda k: max(k // 8, 1))


@wrong("channels-for-blocks", "A block layout has ceil(C / 8) blocks, not C.", call=True)
def all_channels():
    return _like(blocks=lambda k: k)


@wrong("blocks-inside-out", "Within a pixel of a block the eight channels are adjacent.", call=True)
def inside_out():
    return _like(order=lambda n, b, h, w, i: [(n, 1), b, i, h, w])


@wrong(
    "block-index-last",
    "The block is slower than the pixel: all pixels of one block come first.",
    call=True,
)
def block_last():
    return _like(order=lambda n, b, h, w, i: [(n, 1), h, w, b, i])


@wrong("bytes", "Count elements, not bytes.")
def in_bytes(index, shape, layout):
    return 4 * _offset(index, shape, layout)


@wrong("batch-forgotten", "You left the batch index out.")
def no_batch(index, shape, layout):
    _check(index, shape, layout)
    return _offset((0, *index[1:]), shape, layout)


@wrong("negative-indices", "A negative index must raise ValueError.", call=True)
def negative():
    return _like(skip="b")


@wrong("too-far", "An index outside the shape must raise ValueError.", call=True)
def too_far():
    return _like(skip="u")


@wrong("any-layout", "An unknown layout must raise ValueError.")
def any_layout(index, shape, layout):
    return _offset(index, shape, layout, skip="l")


@wrong("any-length", "index and shape must have four numbers each, or ValueError.", call=True)
def any_length():
    return _like(skip="n")


@wrong("float", "An offset is an int: divide with //.")
def as_float(index, shape, layout):
    return float(_offset(index, shape, layout))


def _unchecked(test):
    """Lets one kind of bad index pass, and is right otherwise."""

    def solution(index, shape, layout):
        return 0 if test(index, shape) else _offset(index, shape, layout)

    return solution


@wrong(
    "rows-and-columns-unchecked",
    "Every index has its own size, rows and columns as well.",
    call=True,
)
def rows_unchecked():
    return _unchecked(
        lambda index, shape: any(i >= s for i, s in zip(index[2:4], shape[2:4], strict=False))
    )


@wrong(
    "some-negative-indices",
    "No index may be negative, batch, channel and column included.",
    call=True,
)
def some_negative():
    return _unchecked(lambda index, shape: min(index[0], index[1], index[-1]) < 0)


@wrong("more-than-four", "Five numbers are not four: raise ValueError.", call=True)
def more_than_four():
    return _unchecked(lambda index, shape: max(len(index), len(shape)) > 4)
