"""Answers to double-quantize."""

import numpy as np
import torch

from autograder.checks.bank import right, wrong


def _refuse(scales):
    if scales.size == 0 or not np.isfinite(scales).all():
        raise ValueError("finite scales, one or more")


def _outer(values, block_size):
    blocks = np.pad(values, (0, -values.size % block_size)).reshape(-1, block_size)
    return np.abs(blocks).max(axis=1)


def _double(scales, table, block_size, mean=None, add=None, side="left", outer=None):
    _refuse(scales)
    wide = scales.astype(np.float64)
    mean = wide.mean() if mean is None else mean
    values = wide - mean
    top = _outer(values, block_size) if outer is None else outer(values)
    spread = np.repeat(top, block_size)[: values.size]
    ratios = values / np.where(spread > 0, spread, 1)
    levels = table.astype(np.float64)
    codes = np.searchsorted((levels[1:] + levels[:-1]) / 2, ratios, side=side)
    restored = levels[codes] * spread + (mean if add is None else add)
    return (
        codes.astype(np.uint8),
        top.astype(np.float32),
        float(np.mean(mean)),
        restored.astype(np.float32),
    )


@right("float64")
def by_numpy(scales, table, block_size=256):
    return _double(scales, table, block_size)


@right("float32, argmin, a loop over blocks")
def by_loop(scales, table, block_size=256):
    _refuse(scales)
    mean = scales.mean()
    codes, outer, restored = [], [], []
    for at in range(0, len(scales), block_size):
        values = scales[at : at + block_size] - mean
        top = np.abs(values).max()
        ratios = values / top if top > 0 else values * 0
        code = np.abs(ratios[:, None] - table).argmin(axis=1)
        codes.append(code.astype(np.uint8))
        outer.append(top)
        restored.append(table[code] * top + mean)
    whole = np.concatenate(restored).astype(np.float32)
    return np.concatenate(codes), np.array(outer, np.float32), mean, whole


@right("torch, with the reciprocal")
def by_torch(scales, table, block_size=256):
    _refuse(scales)
    s, t = torch.tensor(scales), torch.tensor(table)
    mean = s.mean()
    n = len(s)
    values = torch.nn.functional.pad(s - mean, (0, -n % block_size)).reshape(-1, block_size)
    outer = values.abs().amax(1)
    ratios = values * (1 / outer.clamp(min=1e-38))[:, None]
    codes = torch.bucketize(ratios.clamp(-1, 1), (t[1:] + t[:-1]) / 2)
    restored = (t[codes] * outer[:, None]).flatten()[:n] + mean
    return codes.flatten()[:n].to(torch.uint8).numpy(), outer.numpy(), mean.item(), restored.numpy()


@wrong(
    "mean-not-subtracted",
    "You quantized the scales as they are: half of the levels are negative and go unused.",
)
def no_mean(scales, table, block_size=256):
    return _double(scales, table, block_size, mean=0.0)


@wrong(
    "mean-not-added-back",
    "Your restored scales lack the mean: add it after level times outer scale.",
)
def not_added(scales, table, block_size=256):
    return _double(scales, table, block_size, add=0.0)


@wrong("mean-subtracted-again", "You subtracted the mean when restoring; add it.")
def subtracted(scales, table, block_size=256):
    _refuse(scales)
    return _double(scales, table, block_size, add=-scales.astype(np.float64).mean())


@wrong("mean-of-each-block", "You took the mean of each block; there is one for all the scales.")
def block_means(scales, table, block_size=256):
    _refuse(scales)
    wide = scales.astype(np.float64)
    means = [wide[i : i + block_size].mean() for i in range(0, len(wide), block_size)]
    return _double(scales, table, block_size, mean=np.repeat(means, block_size)[: len(wide)])


@wrong("median", "You subtracted the median; the scheme takes the mean.")
def by_median(scales, table, block_size=256):
    _refuse(scales)
    return _double(scales, table, block_size, mean=float(np.median(scales)))


@wrong("minimum-subtracted", "You subtracted the minimum; the scheme takes the mean.")
def by_minimum(scales, table, block_size=256):
    _refuse(scales)
    return _double(scales, table, block_size, mean=float(scales.min()))


@wrong("one-outer-scale", "You used one outer scale for all; every block has its own.")
def one_outer(scales, table, block_size=256):
    def outer(values):
        return np.full(-(-values.size // block_size), np.abs(values).max())

    return _double(scales, table, block_size, outer=outer)


@wrong("block-size-ignored", "You wrote 256 where `block_size` belongs.")
def always_256(scales, table, block_size=256):
    return _double(scales, table, 256)


@wrong("blocks-of-64", "You used the weights' block of 64; the scales have blocks of their own.")
def blocks_of_64(scales, table, block_size=256):
    return _double(scales, table, 64)


@wrong("ties-up", "You send a half-way value to the upper level; it goes to the lower one.")
def ties_up(scales, table, block_size=256):
    return _double(scales, table, block_size, side="right")


@wrong("next-level-above", "You searched in the levels; search in the middles between them.")
def ceiling(scales, table, block_size=256):
    codes, outer, mean, _ = _double(scales, table, block_size)
    spread = np.repeat(outer, block_size)[: codes.size].astype(np.float64)
    ratios = (scales.astype(np.float64) - mean) / np.where(spread > 0, spread, 1)
    codes = np.searchsorted(table.astype(np.float64), ratios.clip(-1, 1)).clip(0, len(table) - 1)
    return codes.astype(np.uint8), outer, mean, (table[codes] * spread + mean).astype(np.float32)


@wrong(
    "even-8-bit-grid",
    "You rounded to an even int8 grid; take the nearest level of `table`.",
)
def even_grid(scales, table, block_size=256):
    codes, outer, mean, _ = _double(scales, table, block_size)
    spread = np.repeat(outer, block_size)[: codes.size].astype(np.float64)
    ratios = (scales.astype(np.float64) - mean) / np.where(spread > 0, spread, 1)
    codes = np.rint((ratios + 1) / 2 * (len(table) - 1)).astype(np.uint8)
    return codes, outer, mean, (table[codes] * spread + mean).astype(np.float32)


@wrong(
    "scales-returned-unchanged",
    "Your restored scales are the ones given; restore them from codes, outer scales and mean.",
)
def unchanged(scales, table, block_size=256):
    codes, outer, mean, _ = _double(scales, table, block_size)
    return codes, outer, mean, scales.copy()


@wrong("maximum-without-the-sign", "Outer is the maximum of |scale - mean|, not the maximum.")
def plain_max(scales, table, block_size=256):
    def outer(values):
        blocks = np.pad(values, (0, -values.size % block_size)).reshape(-1, block_size)
        return blocks.max(axis=1)

    return _double(scales, table, block_size, outer=outer)


@wrong("ragged-end-dropped", "You dropped the last block where it is short.")
def dropped(scales, table, block_size=256):
    _refuse(scales)
    whole = len(scales) // block_size * block_size
    codes, outer, mean, restored = _double(scales, table, block_size)
    return codes[:whole], outer[: whole // block_size], mean, restored[:whole]


@wrong("int64-codes", "Your codes are int64; eight bits are uint8.")
def wide_codes(scales, table, block_size=256):
    codes, *rest = _double(scales, table, block_size)
    return (codes.astype(np.int64), *rest)


@wrong("three-values", "You returned three values; the restored scales come fourth.")
def three(scales, table, block_size=256):
    return _double(scales, table, block_size)[:3]


@wrong("equal-scales-divided", "Equal scales differ from their mean by 0, and you divide by it.")
def divided(scales, table, block_size=256):
    _refuse(scales)
    wide = scales.astype(np.float64)
    values = wide - wide.mean()
    outer = _outer(values, block_size)
    spread = np.repeat(outer, block_size)[: values.size]
    with np.errstate(all="ignore"):
        ratios = values / spread
    codes = np.searchsorted(((table[1:] + table[:-1]) / 2).astype(np.float64), ratios)
    with np.errstate(all="ignore"):
        restored = ratios * 0 + table[codes] * spread + wide.mean()
    return (
        codes.astype(np.uint8),
        outer.astype(np.float32),
        wide.mean(),
        restored.astype(np.float32),
    )


@wrong("no-refusal", "You accept NaN, infinities or no scales; raise ValueError.")
def no_refusal(scales, table, block_size=256):
    if scales.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32), 0.0, np.zeros(0, np.float32)
    if not np.isfinite(scales).all():
        return _double(np.nan_to_num(scales, posinf=1, neginf=-1), table, block_size)
    return _double(scales, table, block_size)


@wrong(
    "clipped-at-zero", "You clipped the restored scales at 0; return level times outer plus mean."
)
def clipped_at_zero(scales, table, block_size=256):
    codes, outer, mean, restored = _double(scales, table, block_size)
    return codes, outer, mean, np.maximum(restored, 0)


@wrong("mean-one-by-one", "You added the scales one by one in float32, which drifts; use np.mean.")
def mean_one_by_one(scales, table, block_size=256):
    _refuse(scales)
    return _double(scales, table, block_size, mean=np.cumsum(scales)[-1] / np.float32(scales.size))
