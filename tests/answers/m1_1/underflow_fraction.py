"""Answers to underflow-fraction."""

import struct

import numpy as np

from autograder.checks.bank import right, wrong


def _shares(under, over, nonzero):
    return (float(under / nonzero), float(over / nonzero)) if nonzero else (0.0, 0.0)


@right("cast and count")
def by_cast(gradients, loss_scale):
    half = (gradients * np.float32(loss_scale)).astype(np.float16)
    nonzero = gradients != 0
    return _shares((nonzero & (half == 0)).sum(), np.isinf(half).sum(), nonzero.sum())


@right("thresholds in float64")
def by_thresholds(gradients, loss_scale):
    g = np.abs(gradients[gradients != 0].astype(np.float64)) * loss_scale
    if g.size == 0:
        return 0.0, 0.0
    return np.mean(g <= 2.0**-25), np.mean(g >= 65520)


@right("torch")
def by_torch(gradients, loss_scale):
    import torch

    g = torch.from_numpy(np.ascontiguousarray(gradients)).flatten()
    g = g[g != 0]
    if not len(g):
        return 0, 0
    half = (g * loss_scale).half()
    return (half == 0).float().mean().item(), half.isinf().float().mean().item()


@right("a loop over the struct module's half")
def by_struct(gradients, loss_scale):
    under = over = count = 0
    for g in gradients.ravel().tolist():
        if g == 0:
            continue
        count += 1
        try:
            under += struct.unpack("e", struct.pack("e", g * loss_scale))[0] == 0
        except OverflowError:
            over += 1
    return [under / count, over / count] if count else [0.0, 0.0]


@wrong(
    "zeros-in-the-denominator",
    "You divided by all gradients; exact zeros of the input do not count.",
)
def share_of_all(gradients, loss_scale):
    half = (gradients * np.float32(loss_scale)).astype(np.float16)
    n = gradients.size
    return _shares(((gradients != 0) & (half == 0)).sum(), np.isinf(half).sum(), n)


@wrong(
    "zeros-counted-as-lost",
    "You counted gradients that were zero before the cast as lost; compare before and after.",
)
def zeros_lost(gradients, loss_scale):
    half = (gradients * np.float32(loss_scale)).astype(np.float16)
    return _shares((half == 0).sum(), np.isinf(half).sum(), gradients.size)


@wrong(
    "subnormals-are-lost",
    "You counted everything below 2^-14 as lost; subnormals reach down to 2^-24 and are not zero.",
)
def subnormals_lost(gradients, loss_scale):
    g = np.abs(gradients[gradients != 0].astype(np.float64)) * loss_scale
    return _shares((g < 2.0**-14).sum(), (g >= 65520).sum(), g.size)


@wrong(
    "no-rounding-at-the-bottom",
    "You counted everything below 2^-24 as lost; above half of it, values round up to 2^-24.",
)
def no_rounding_below(gradients, loss_scale):
    g = np.abs(gradients[gradients != 0].astype(np.float64)) * loss_scale
    return _shares((g < 2.0**-24).sum(), (g >= 65520).sum(), g.size)


@wrong(
    "no-rounding-at-the-top",
    "You counted everything above 65504 as overflow; below 65520 values round down to 65504.",
)
def no_rounding_above(gradients, loss_scale):
    g = np.abs(gradients[gradients != 0].astype(np.float64)) * loss_scale
    return _shares((g <= 2.0**-25).sum(), (g > 65504).sum(), g.size)


@wrong(
    "ties-the-wrong-way",
    "Ties go to the even neighbour: 2^-25 becomes 0 and 65520 becomes infinity.",
)
def ties(gradients, loss_scale):
    g = np.abs(gradients[gradients != 0].astype(np.float64)) * loss_scale
    return _shares((g < 2.0**-25).sum(), (g > 65520).sum(), g.size)


@wrong(
    "scaled-after-the-cast",
    "You left the loss scale out, or scaled after the cast; what is zero stays zero, so scale first.",
)
def scale_after(gradients, loss_scale):
    half = gradients.astype(np.float16).astype(np.float32) * np.float32(loss_scale)
    nonzero = gradients != 0
    return _shares((nonzero & (half == 0)).sum(), np.isinf(half).sum(), nonzero.sum())


@wrong("divided-by-the-scale", "You divided by the loss scale; loss scaling multiplies.")
def divided(gradients, loss_scale):
    return by_cast(gradients / np.float32(loss_scale), 1.0)


@wrong(
    "cast-twice",
    "You cast before the scaling as well as after it; what the first cast loses is gone: scale first.",
)
def cast_twice(gradients, loss_scale):
    with np.errstate(over="ignore"):
        narrow = gradients.astype(np.float16).astype(np.float32)
        half = (narrow * np.float32(loss_scale)).astype(np.float16)
    nonzero = gradients != 0
    return _shares((nonzero & (half == 0)).sum(), np.isinf(half).sum(), nonzero.sum())


@wrong("counts", "You returned counts; divide both by the number of nonzero gradients.")
def counts(gradients, loss_scale):
    with np.errstate(over="ignore"):
        half = (gradients * np.float32(loss_scale)).astype(np.float16)
    return int(((gradients != 0) & (half == 0)).sum()), int(np.isinf(half).sum())


@wrong("tie-kept-at-the-bottom", "You kept 2^-25 itself; it is a tie, and the even neighbour is 0.")
def tie_at_the_bottom(gradients, loss_scale):
    size, nonzero = np.abs(gradients.astype(np.float64) * loss_scale), gradients != 0
    return _shares((nonzero & (size < 2.0**-25)).sum(), (size >= 65520).sum(), nonzero.sum())


@wrong(
    "tie-kept-at-the-top", "You kept 65520 itself; it is a tie, and the even neighbour is infinity."
)
def tie_at_the_top(gradients, loss_scale):
    size, nonzero = np.abs(gradients.astype(np.float64) * loss_scale), gradients != 0
    return _shares((nonzero & (size <= 2.0**-25)).sum(), (size > 65520).sum(), nonzero.sum())


@wrong("percent", "You returned percent; the shares lie between 0 and 1.")
def percent(gradients, loss_scale):
    under, over = by_cast(gradients, loss_scale)
    return 100 * under, 100 * over


@wrong("swapped", "You returned overflow first; underflow comes first.")
def swapped(gradients, loss_scale):
    return by_cast(gradients, loss_scale)[::-1]


@wrong(
    "positive-only",
    "You tested the sign along with the size: large negative gradients overflow to -inf.",
)
def positive_only(gradients, loss_scale):
    g = gradients[gradients != 0].astype(np.float64) * loss_scale
    return _shares((np.abs(g) <= 2.0**-25).sum(), (g >= 65520).sum(), g.size)


@wrong("zero-by-zero", "With no nonzero gradient you divided 0 by 0; return 0.0 for both.")
def zero_by_zero(gradients, loss_scale):
    half = (gradients * np.float32(loss_scale)).astype(np.float16)
    nonzero = gradients != 0
    with np.errstate(invalid="ignore"):
        n = np.float64(nonzero.sum())
        return (nonzero & (half == 0)).sum() / n, np.isinf(half).sum() / n


@wrong(
    "flushed-in-float32-eps",
    "You compared with float16's eps, 2^-10; eps is the spacing at 1, not the smallest value.",
)
def eps(gradients, loss_scale):
    g = np.abs(gradients[gradients != 0].astype(np.float64)) * loss_scale
    return _shares((g < np.finfo(np.float16).eps).sum(), (g >= 65520).sum(), g.size)
