"""nf4-quantize: blockwise absmax codes, by brute force over all levels in float64."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import nf4
from lab.codebooks import dynamic_levels, fp4_levels

PARTS = {"blocks": 0.5, "ragged and zeros": 0.3, "ties": 0.1, "refuse": 0.1}
HINTS = (
    "Pad with zeros to whole blocks, reshape to (-1, block_size), take the absmax along axis 1.",
    "np.searchsorted((levels[1:] + levels[:-1]) / 2, ratios) is the nearest code, lower on a tie.",
    "Divide by np.where(scales > 0, scales, 1). Cut the codes to x.size.",
)
FIFTHS = np.array([-1, -0.5, 0, 0.5, 1], np.float32)
# Evenly spaced tables do not tell a nearest level from a truncated product; this one is crooked.
CROOKED = np.array([-1, -0.875, -0.125, 0, 0.5, 1], np.float32)


def cases(rng):
    table = nf4.nf4()
    yield case("64 values", part="blocks", x=_normal(rng, 64), levels=table, block=64)
    yield case("a matrix", part="blocks", x=_normal(rng, 48, 64), levels=table, block=64)
    spread = np.exp(rng.normal(0, 2, (32, 1))).astype(np.float32)
    wild = (_normal(rng, 32, 64) * spread).astype(np.float32)
    yield case("blocks of unequal size", part="blocks", x=wild, levels=table, block=64)
    yield case("blocks across rows", part="blocks", x=_normal(rng, 16, 24), levels=table, block=64)
    yield case("block of 32", part="blocks", x=_normal(rng, 8, 32), levels=table, block=32)
    ordered = _normal(rng, 16, 32)
    yield case("stored by columns", part="blocks", x=ordered, levels=table, block=64, columns=True)
    yield case("three dimensions", part="blocks", x=_normal(rng, 4, 8, 16), levels=table, block=64)
    yield case("other levels", part="blocks", x=_normal(rng, 256), levels=CROOKED, block=64)
    yield case("FP4's levels", part="blocks", x=_normal(rng, 256), levels=fp4_levels(), block=64)
    big = _normal(rng, 512)
    yield case("256 levels", part="blocks", x=big, levels=dynamic_levels(), block=256)
    negative = -np.abs(_normal(rng, 128)) - np.float32(0.1)
    yield case("only negative values", part="blocks", x=negative, levels=table, block=64)
    outlier = _normal(rng, 192)
    outlier[70] = -250.0
    yield case("one outlier", part="blocks", x=outlier, levels=table, block=64)
    yield case(
        "float16",
        part="blocks",
        x=(_normal(rng, 128) * 2000).astype(np.float16),
        levels=table,
        block=64,
    )
    half = (_normal(rng, 1024) * 50).astype(np.float16)
    yield case("float16, 256 levels", part="blocks", x=half, levels=dynamic_levels(), block=64)
    small = (_normal(rng, 128) * 1e-5).astype(np.float16)
    yield case("small float16", part="blocks", x=small, levels=table, block=64)
    yield case(
        "float64", part="blocks", x=_normal(rng, 100).astype(np.float64), levels=table, block=50
    )
    part = "ragged and zeros"
    yield case("one value", part=part, x=np.float32([-3]), levels=table, block=64)
    yield case("65 values", part=part, x=_normal(rng, 65), levels=table, block=64)
    short = _normal(rng, 100)
    short[64:] *= np.float32(0.01)
    yield case("a small short block", part=part, x=short, levels=table, block=64)
    yield case("a ragged matrix", part=part, x=_normal(rng, 7, 13), levels=table, block=64)
    yield case("block of 1", part=part, x=_normal(rng, 9), levels=table, block=1)
    zeros = _normal(rng, 192)
    zeros[64:128] = 0
    yield case("a block of zeros", part=part, x=zeros, levels=table, block=64)
    yield case("a block of zeros, other levels", part=part, x=zeros, levels=CROOKED, block=64)
    yield case("only zeros", part=part, x=np.zeros((3, 5), np.float32), levels=table, block=8)
    for size in rng.integers(66, 700, 3):
        yield case(f"{size} values", part=part, x=_normal(rng, int(size)), levels=table, block=64)
    halves = np.float32([8, 2, -2, 6, -6, 0, 8, -8])
    yield case("half-way values", part="ties", x=halves, levels=FIFTHS, block=8, exact=True)
    crooked = np.float32([4, -3.75, -2, -0.25, 1, 3, 0, -4])
    yield case(
        "half-way, other levels", part="ties", x=crooked, levels=CROOKED, block=8, exact=True
    )
    for label, bad, block in (
        ("no values", np.zeros(0, np.float32), 64),
        ("NaN", np.float32([1, np.nan, 2]), 64),
        ("infinity", np.float32([1, 2, -np.inf]), 2),
        ("block of 0", np.float32([1, 2]), 0),
    ):
        yield case(label, part="refuse", x=bad, levels=table, block=block, good=False)


def _normal(rng, *shape):
    return rng.normal(0, 0.02, shape).astype(np.float32)


def probe(solution, x, levels, block, good=True, exact=False, columns=False):
    if columns:
        x = np.asfortranarray(x)
    if good:
        return solution(x, levels, block)
    try:
        solution(x, levels, block)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError here: {case.label}.")
        return
    codes, scales = expect.sequence(answer, ("codes", "scales"))
    ratio, absmax = nf4.ratios(case.x, case.block)
    scales = expect.array(scales, "scales", shape=absmax.shape, dtype=np.float32)
    codes = expect.array(codes, "codes", shape=(case.x.size,), dtype=np.uint8)
    expect.close(
        scales,
        absmax,
        "scales",
        rtol=tolerances.SCALAR,
        hint="The largest |x| of each block of consecutive values; 0 for a block of zeros.",
    )
    check_codes(
        codes, ratio, case.levels, case.block, 0.0 if case.inputs.get("exact") else nf4.SLACK
    )


def check_codes(codes, ratio, table, block, slack):
    """Each code's level is the nearest one to `ratio`, in float64."""
    want = nf4.nearest(ratio, table)
    good = codes == want if slack == 0 else nf4.as_near(codes, ratio, table, slack)
    shown = np.where(good, want, codes)
    at = int(np.argmax(~good))
    hint = f"Value {at % block} of block {at // block} is {ratio[at]:.5g} of its absmax."
    expect.codes(shown, want, "codes", hint=hint)
