"""Answers to qadd-host."""

from types import SimpleNamespace

import numpy as np

from autograder.checks.bank import right, wrong
from lab import cuda


def _params(s_a, s_b, s_out):
    for shift in range(30, 0, -1):
        m_a, m_b = round(s_a / s_out * 2**shift), round(s_b / s_out * 2**shift)
        if max(m_a, m_b) <= 2**21:
            return SimpleNamespace(m_a=m_a, m_b=m_b, shift=shift)
    raise ValueError("scales")


def _quantize(v, top=127):
    v = np.asarray(v, np.float64)
    scale = float(np.max(np.abs(v), initial=0)) / top or 1.0
    return np.clip(np.rint(v / scale), -127, 127).astype(np.int8), scale


def _add(kernel, x, y, quantize=_quantize, out_scale=None, each=16, threads=256, spare=0):
    if x.ndim != 1 or y.shape != x.shape:
        raise ValueError("lengths")
    (a, s_a), (b, s_b) = quantize(x), quantize(y)
    scale = s_a + s_b if out_scale is None else out_scale(s_a, s_b)
    if not x.size:
        return np.zeros(0, np.int8), scale
    p = _params(s_a, s_b, scale)
    out = cuda.zeros(x.size, np.int8)
    numbers = tuple(np.int32(v) for v in (p.m_a, p.m_b, p.shift, 0, 0, 0, x.size))
    blocks = -(-x.size // (each * threads)) + spare
    kernel((blocks,), (threads,), (cuda.asarray(a), cuda.asarray(b), out, *numbers))
    return cuda.asnumpy(out), scale


@right("through a helper for each input")
def by_helper(kernel, x, y):
    return _add(kernel, x, y)


@right("in one go, three-dimensional sizes, a list")
def in_one_go(kernel, x, y):
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError("lengths")
    if len(x) == 0:
        return [np.empty(0, np.int8), 2.0]
    both = np.stack([x, y]).astype(np.float64)
    scales = np.abs(both).max(axis=1) / 127
    scales[scales == 0] = 1.0
    a, b = (
        np.rint(v / s).clip(-127, 127).astype(np.int8) for v, s in zip(both, scales, strict=True)
    )
    p = _params(float(scales[0]), float(scales[1]), float(scales.sum()))
    out = cuda.empty(len(x), np.int8)
    numbers = [np.int32(v) for v in (p.m_a, p.m_b, p.shift, 0, 0, 0, len(x))]
    blocks = (len(x) + 4095) // 4096
    kernel((blocks, 1, 1), (256, 1, 1), (cuda.array(a), cuda.array(b), out, *numbers))
    return [out.get(), float(scales[0] + scales[1])]


@wrong("one-code-a-thread", "The wide kernel's threads do 16 codes each: 16 times fewer blocks.")
def one_code(kernel, x, y):
    return _add(kernel, x, y, each=1)


@wrong("one-block-too-many", "// + 1 is one block too many for multiples of 4,096.")
def spare_block(kernel, x, y):
    return _add(kernel, x, y, spare=int(x.size % 4096 == 0))


@wrong("another-block-size", "The exercise asks for 256 threads a block.")
def small_blocks(kernel, x, y):
    return _add(kernel, x, y, threads=128)


@wrong("scale-over-128", "The scale is max |v| / 127.")
def over_128(kernel, x, y):
    return _add(kernel, x, y, quantize=lambda v: _quantize(v, 128))


@wrong("maximum-without-the-sign", "Take the maximum of |v|, not of v.")
def plain_max(kernel, x, y):
    def quantize(v):
        v = np.asarray(v, np.float64)
        scale = float(np.max(v, initial=0)) / 127 or 1.0
        return np.clip(np.rint(v / scale), -127, 127).astype(np.int8), scale

    return _add(kernel, x, y, quantize=quantize)


@wrong("truncated", "astype(int8) cuts the fraction off: np.rint first.")
def truncated(kernel, x, y):
    def quantize(v):
        v = np.asarray(v, np.float64)
        scale = float(np.max(np.abs(v), initial=0)) / 127 or 1.0
        return np.clip(v / scale, -127, 127).astype(np.int8), scale

    return _add(kernel, x, y, quantize=quantize)


@wrong("larger-scale-for-the-sum", "The sum reaches s_x * 127 + s_y * 127: its scale is s_x + s_y.")
def larger(kernel, x, y):
    return _add(kernel, x, y, out_scale=max)


@wrong("mean-scale-for-the-sum", "The sum's scale is s_x + s_y, not their mean.")
def mean(kernel, x, y):
    return _add(kernel, x, y, out_scale=lambda a, b: (a + b) / 2)


@wrong("common-scale", "Each input has its own scale.")
def common(kernel, x, y):
    top = float(np.abs(np.concatenate([x.ravel(), y.ravel()])).max(initial=0)) / 127 or 1.0

    def quantize(v):
        return np.clip(np.rint(np.asarray(v, np.float64) / top), -127, 127).astype(np.int8), top

    return _add(kernel, x, y, quantize=quantize)


@wrong("zeros-divide-by-zero", "A vector of zeros has the scale 1.0; you divide by 0.")
def zeros(kernel, x, y):
    def quantize(v):
        v = np.asarray(v, np.float64)
        scale = float(np.max(np.abs(v), initial=0)) / 127
        return np.clip(np.nan_to_num(v / scale), -127, 127).astype(np.int8), scale

    return _add(kernel, x, y, quantize=quantize)


@wrong("empty-launched", "Without values nothing is to be launched.")
def empty_launched(kernel, x, y):
    if x.ndim == 1 and x.shape == y.shape and not x.size:
        kernel(
            (1,),
            (256,),
            (cuda.zeros(1, np.int8),) * 3
            + (np.int32(0),) * 2
            + (np.int32(1),)
            + (np.int32(0),) * 4,
        )
    return _add(kernel, x, y)


@wrong("added-on-the-host", "You added with NumPy: launch the kernel.")
def on_the_host(kernel, x, y):
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError("lengths")
    (a, s_a), (b, s_b) = _quantize(x), _quantize(y)
    p = _params(s_a, s_b, s_a + s_b)
    total = p.m_a * a.astype(np.int64) + p.m_b * b.astype(np.int64)
    codes = (total + (1 << (p.shift - 1))) >> p.shift
    return np.clip(codes, -128, 127).astype(np.int8), s_a + s_b


@wrong("lengths-cut", "Vectors of different lengths must be refused, not cut to the shorter.")
def cut(kernel, x, y):
    n = min(x.size, y.size)
    return _add(kernel, x.ravel()[:n], y.ravel()[:n])


@wrong("left-on-the-device", "Copy the codes back with cuda.asnumpy.")
def on_device(kernel, x, y):
    codes, scale = _add(kernel, x, y)
    return cuda.asarray(codes), scale
