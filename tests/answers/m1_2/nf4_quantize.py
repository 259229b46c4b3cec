"""Answers to nf4-quantize."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(x, block_size):
    if block_size < 1 or np.size(x) == 0 or not np.isfinite(np.asarray(x, np.float64)).all():
        raise ValueError("finite values, one or more, and block_size >= 1")


def _quantize(x, levels, block_size, side="left", order="C", amax=np.max, wide=np.float64):
    _refuse(x, block_size)
    flat = x.ravel(order=order).astype(wide)
    blocks = np.pad(flat, (0, -flat.size % block_size)).reshape(-1, block_size)
    scales = amax(np.abs(blocks), axis=1)
    ratios = blocks / np.where(scales > 0, scales, wide(1))[:, None]
    table = levels.astype(wide)
    codes = np.searchsorted((table[1:] + table[:-1]) / 2, ratios.ravel()[: flat.size], side=side)
    return codes.astype(np.uint8), scales.astype(np.float32)


@right("padding and searchsorted")
def by_searchsorted(x, levels, block_size=64):
    return _quantize(x, levels, block_size)


@right("float32 throughout, argmin over the levels, a loop over blocks")
def by_argmin(x, levels, block_size=64):
    _refuse(x, block_size)
    flat = np.asarray(x, np.float32).reshape(-1)
    codes, scales = [], []
    for at in range(0, flat.size, block_size):
        block = flat[at : at + block_size]
        scale = np.abs(block).max()
        scales.append(scale)
        ratio = block / scale if scale > 0 else np.zeros_like(block)
        codes.append(np.abs(ratio[:, None] - levels[None, :]).argmin(axis=1))
    return np.concatenate(codes).astype(np.uint8), np.array(scales, np.float32)


@right("torch: bucketize, times the reciprocal of the absmax, as bitsandbytes does")
def by_torch(x, levels, block_size=64):
    _refuse(x, block_size)
    flat = torch.from_numpy(np.ascontiguousarray(x)).float().reshape(-1)
    n = flat.numel()
    blocks = torch.nn.functional.pad(flat, (0, -n % block_size)).reshape(-1, block_size)
    absmax = blocks.abs().amax(dim=1)
    scaled = (blocks * (1 / absmax.clamp(min=1e-38))[:, None]).clamp(-1, 1)
    table = torch.tensor(levels)
    codes = torch.bucketize(scaled, (table[1:] + table[:-1]) / 2)
    return codes.reshape(-1)[:n].to(torch.uint8).numpy(), absmax.numpy()


@wrong("ties-up", "You send a half-way value to the upper level; it goes to the lower one.")
def ties_up(x, levels, block_size=64):
    return _quantize(x, levels, block_size, side="right")


@wrong(
    "next-level-below",
    "You took the level below each value (searchsorted in the levels); take the nearest one.",
)
def floor(x, levels, block_size=64):
    codes, scales = _quantize(x, levels, block_size)
    ratios = _ratios(x, block_size)
    codes = np.searchsorted(levels.astype(np.float64), ratios, side="right") - 1
    return np.clip(codes, 0, len(levels) - 1).astype(np.uint8), scales


@wrong(
    "next-level-above",
    "You searched in the levels themselves; search in the middles between them.",
)
def ceiling(x, levels, block_size=64):
    _, scales = _quantize(x, levels, block_size)
    codes = np.searchsorted(levels.astype(np.float64), _ratios(x, block_size))
    return np.clip(codes, 0, len(levels) - 1).astype(np.uint8), scales


def _ratios(x, block_size):
    flat = x.astype(np.float64).ravel()
    blocks = np.pad(flat, (0, -flat.size % block_size)).reshape(-1, block_size)
    scales = np.abs(blocks).max(axis=1)
    return (blocks / np.where(scales > 0, scales, 1)[:, None]).ravel()[: flat.size]


@wrong(
    "one-scale-for-all",
    "You used one absmax for the whole tensor; every block has its own.",
)
def one_scale(x, levels, block_size=64):
    codes, _ = _quantize(x, levels, max(1, x.size) if block_size > 0 else block_size)
    blocks = -(-x.size // block_size)
    return codes, np.full(blocks, np.abs(x).max(), np.float32)


@wrong(
    "a-scale-for-each-row",
    "You took the absmax of each row of the matrix; a block is block_size consecutive values.",
)
def per_row(x, levels, block_size=64):
    _refuse(x, block_size)
    return _quantize(x, levels, x.shape[-1])


@wrong(
    "maximum-without-the-sign",
    "You took the maximum, not the maximum of |x|: a block of negative values breaks.",
)
def plain_max(x, levels, block_size=64):
    _refuse(x, block_size)
    flat = x.astype(np.float64).ravel()
    blocks = np.pad(flat, (0, -flat.size % block_size)).reshape(-1, block_size)
    scales = blocks.max(axis=1)
    ratios = blocks / np.where(scales != 0, scales, 1)[:, None]
    middles = (levels[1:] + levels[:-1]).astype(np.float64) / 2
    return np.searchsorted(middles, ratios.ravel()[: flat.size]).astype(np.uint8), scales.astype(
        np.float32
    )


@wrong("read-by-columns", "You read the array in memory or column order; blocks follow rows.")
def by_columns(x, levels, block_size=64):
    return _quantize(x, levels, block_size, order="F")


@wrong(
    "memory-order",
    "You read the array as it lies in memory (order K); a transposed array then changes its blocks.",
)
def memory_order(x, levels, block_size=64):
    return _quantize(x, levels, block_size, order="K")


@wrong("ragged-end-dropped", "You dropped the last block where it is short.")
def dropped(x, levels, block_size=64):
    _refuse(x, block_size)
    whole = x.size // block_size * block_size
    if not whole:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    return _quantize(x.ravel()[:whole], levels, block_size)


@wrong("padding-kept", "You returned codes for the padding too; cut them to x.size.")
def padded(x, levels, block_size=64):
    _refuse(x, block_size)
    flat = np.pad(x.ravel(), (0, -x.size % block_size))
    return _quantize(flat, levels, block_size)


@wrong(
    "short-block-shares-its-neighbour-s-scale",
    "You gave the short last block the absmax of the one before; it has its own.",
)
def shared_end(x, levels, block_size=64):
    codes, scales = _quantize(x, levels, block_size)
    if x.size % block_size and len(scales) > 1:
        scales[-1] = scales[-2]
        tail = x.ravel()[x.size // block_size * block_size :].astype(np.float64) / scales[-1]
        middles = (levels[1:] + levels[:-1]).astype(np.float64) / 2
        codes[-len(tail) :] = np.searchsorted(middles, tail)
    return codes, scales


@wrong("zeros-divided", "A block of zeros is divided by 0 and gets the code of NaN.")
def zeros_divided(x, levels, block_size=64):
    _refuse(x, block_size)
    flat = x.astype(np.float64).ravel()
    blocks = np.pad(flat, (0, -flat.size % block_size)).reshape(-1, block_size)
    scales = np.abs(blocks).max(axis=1)
    with np.errstate(all="ignore"):
        ratios = blocks / scales[:, None]
    middles = (levels[1:] + levels[:-1]).astype(np.float64) / 2
    codes = np.searchsorted(middles, ratios.ravel()[: flat.size])
    return codes.astype(np.uint8), scales.astype(np.float32)


@wrong("scale-one-for-zeros", "You gave a block of zeros the scale 1; its absmax is 0.")
def one_for_zeros(x, levels, block_size=64):
    codes, scales = _quantize(x, levels, block_size)
    return codes, np.where(scales > 0, scales, np.float32(1))


@wrong(
    "root-mean-square-scale",
    "You scaled by the standard deviation; the scale is the absmax, so that nothing is clipped.",
)
def by_spread(x, levels, block_size=64):
    def spread(a, axis):
        return np.sqrt(np.mean(a**2, axis=axis))

    return _quantize(x, levels, block_size, amax=spread)


@wrong("reciprocal-scales", "You returned 1 / absmax; the scale multiplies when restoring.")
def reciprocal(x, levels, block_size=64):
    codes, scales = _quantize(x, levels, block_size)
    with np.errstate(all="ignore"):
        return codes, np.float32(1) / scales


@wrong("int64-codes", "Your codes are int64; a code fits into uint8.")
def wide_codes(x, levels, block_size=64):
    codes, scales = _quantize(x, levels, block_size)
    return codes.astype(np.int64), scales


@wrong("codes-in-x-s-shape", "You returned the codes in the shape of x; they are flat here.")
def shaped(x, levels, block_size=64):
    codes, scales = _quantize(x, levels, block_size)
    return codes.reshape(x.shape), scales


@wrong("block-size-ignored", "You wrote 64 where `block_size` belongs.")
def always_64(x, levels, block_size=64):
    _refuse(x, block_size)
    return _quantize(x, levels, 64)


@wrong(
    "float16-arithmetic",
    "You divided in float16, which moves values across the middles; use float32 or wider.",
)
def half_floats(x, levels, block_size=64):
    return _quantize(x, levels, block_size, wide=np.float16)


@wrong("levels-assumed-even", "You rounded to an even grid; take the nearest of `levels`.")
def even_grid(x, levels, block_size=64):
    _, scales = _quantize(x, levels, block_size)
    top = len(levels) - 1
    codes = np.rint((_ratios(x, block_size) + 1) / 2 * top)
    return codes.astype(np.uint8), scales


@wrong("no-refusal", "You accept NaN, infinities or no values; raise ValueError.")
def no_refusal(x, levels, block_size=64):
    if block_size < 1:
        raise ValueError("block_size")
    if x.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    flat = np.asarray(x, np.float64).ravel()
    blocks = np.pad(flat, (0, -flat.size % block_size)).reshape(-1, block_size)
    scales = np.abs(blocks).max(axis=1)
    with np.errstate(all="ignore"):
        ratios = blocks / np.where(scales > 0, scales, 1)[:, None]
    middles = (levels[1:] + levels[:-1]).astype(np.float64) / 2
    codes = np.searchsorted(middles, ratios.ravel()[: flat.size])
    return codes.astype(np.uint8), scales.astype(np.float32)


@wrong("zeros-as-code-7", "A block of zeros got code 7; take the index of the level 0.")
def zeros_as_seven(x, levels, block_size=64):
    codes, scales = _quantize(x, levels, block_size)
    codes[np.repeat(scales == 0, block_size)[: codes.size]] = 7
    return codes, scales


@wrong("float16-ratios", "You divided in the float16 of the input; compute in float32.")
def float16_ratios(x, levels, block_size=64):
    return _quantize(x, levels, block_size, wide=x.dtype.type)
