"""double-quantize: scales less their mean, blockwise to 8-bit codes; float64 and brute force."""

import numpy as np

from autograder.checks import case, expect, tolerances
from autograder.checks.oracles import nf4
from lab.codebooks import dynamic_levels

PARTS = {"codes": 0.6, "ragged": 0.25, "refuse": 0.15}
HINTS = (
    "mean = scales.mean(); codes, outer = quantize_blocks(scales - mean, table, block_size).",
    "restored = table[codes] * np.repeat(outer, block_size)[:n] + mean, as float32.",
)
FIFTHS = np.array([-1, -0.5, 0, 0.5, 1], np.float32)
# The difference scale - mean in float32 is off by a few eps of the largest scale.
EPS = 8 * float(np.finfo(np.float32).eps)


def cases(rng):
    dynamic = dynamic_levels()
    even = np.linspace(-1, 1, 255).astype(np.float32)
    yield case("256 scales", part="codes", scales=_scales(rng, 256), table=dynamic, block=256)
    yield case(
        "evenly spaced levels", part="codes", scales=_scales(rng, 512), table=even, block=256
    )
    yield case("1024 scales", part="codes", scales=_scales(rng, 1024), table=dynamic, block=256)
    uneven = _scales(rng, 768)
    uneven[256:512] *= np.float32(20)
    yield case("blocks of unequal size", part="codes", scales=uneven, table=even, block=256)
    yield case("five levels", part="codes", scales=_scales(rng, 64), table=FIFTHS, block=16)
    large = _scales(rng, 64) + np.float32(3)
    yield case("far from zero", part="codes", scales=large, table=even, block=32)
    outlier = _scales(rng, 512)
    outlier[300] = 4.0
    yield case("one outlier", part="codes", scales=outlier, table=dynamic, block=256)
    halves = np.float32([6, 4, 8, 2, 9, 1, 5, 5])  # mean 5, outer 4
    yield case("half-way values", part="codes", scales=halves, table=FIFTHS, block=8, exact=True)
    below = np.float32([0, 1, 1, 1, 9, 0, 2, 2])  # mean 2, outer 7: the zeros come back as -1.5
    yield case("restored below zero", part="codes", scales=below, table=FIFTHS, block=8)
    yield case("one scale", part="ragged", scales=np.float32([0.25]), table=dynamic, block=256)
    equal = np.full(40, 0.5, np.float32)
    yield case("equal scales", part="ragged", scales=equal, table=dynamic, block=16)
    many = np.full(2048, 0.1, np.float32)  # added one by one in float32, the mean is 1.6e-5 off
    yield case("2,048 equal scales", part="ragged", scales=many, table=dynamic, block=256)
    yield case("257 scales", part="ragged", scales=_scales(rng, 257), table=dynamic, block=256)
    zeros = _scales(rng, 70)
    zeros[:5] = 0
    yield case("scales of zero", part="ragged", scales=zeros, table=even, block=64)
    for size in rng.integers(258, 800, 2):
        yield case(
            f"{size} scales", part="ragged", scales=_scales(rng, int(size)), table=even, block=256
        )
    for label, bad in (
        ("no scales", np.zeros(0, np.float32)),
        ("NaN", np.float32([1, np.nan])),
        ("infinity", np.float32([1, np.inf, 2])),
    ):
        yield case(label, part="refuse", scales=bad, table=dynamic, block=256, good=False)


def _scales(rng, n):
    """Absmax values of blocks of 64 normal weights."""
    return np.abs(rng.normal(0, 0.02, (n, 64))).max(axis=1).astype(np.float32)


def probe(solution, scales, table, block, good=True, exact=False):
    if good:
        return solution(scales, table, block)
    try:
        solution(scales, table, block)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError here: {case.label}.")
        return
    codes, outer, mean, restored = expect.sequence(answer, ("codes", "outer", "mean", "restored"))
    scales = case.scales.astype(np.float64)
    want_mean = float(scales.mean())
    noise = EPS * float(np.abs(scales).max())
    ratio, want_outer = nf4.ratios(scales - want_mean, case.block)
    codes = expect.array(codes, "codes", shape=scales.shape, dtype=np.uint8)
    outer = expect.array(outer, "outer", shape=want_outer.shape, dtype=np.float32)
    restored = expect.array(restored, "restored", shape=scales.shape, dtype=np.float32)
    expect.number(mean, want_mean, "mean", rtol=tolerances.SCALAR, hint="Of all the scales.")
    expect.close(
        outer,
        want_outer,
        "outer",
        rtol=tolerances.SCALAR,
        atol=noise,
        hint="The absmax of scale - mean in each block.",
    )
    _codes(case, codes, ratio, want_outer, noise)
    _restored(case, codes, want_outer, want_mean, restored, noise)


def _codes(case, codes, ratio, outer, noise):
    """Nearest level; a block whose differences are rounding noise may have any code."""
    spread = np.repeat(outer, case.block)[: len(codes)]
    slack = 0.0 if case.inputs.get("exact") else nf4.SLACK + 2 * noise / np.maximum(spread, noise)
    want = nf4.nearest(ratio, case.table)
    good = nf4.as_near(codes, ratio, case.table, slack) if np.any(slack) else codes == want
    good |= (spread <= noise) & (codes < len(case.table))
    expect.codes(
        np.where(good, want, codes),
        want,
        "codes",
        hint="The level nearest to (scale - mean) / outer; half-way goes to the lower one.",
    )


def _restored(case, codes, outer, mean, restored, noise):
    want = nf4.restore(codes, outer, case.table, case.block) + mean
    expect.close(
        restored,
        want,
        "restored",
        rtol=tolerances.SCALAR,
        atol=3 * noise,
        hint="Level times outer scale of its block, then plus the mean.",
    )
