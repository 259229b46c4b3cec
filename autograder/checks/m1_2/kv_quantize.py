"""kv-quantize: one byte for each key or value, one scale for each token and head."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import fp8, kv

PARTS = {"int8": 0.4, "e4m3": 0.3, "edges": 0.2, "refuse": 0.1}
HINTS = (
    "One scale for each token of each head: the largest magnitude over the last axis, kept with length 1.",
    "INT8: torch.round, clamp, to(torch.int8). E4M3: clamp to 448, then to(torch.float8_e4m3fn).",
    "x.float() first; torch.where gives 1.0 to rows whose amax is 0.",
)


def _rows(rng, heads, tokens, dim):
    """Normal rows; each token and head has a size of its own, between 1e-3 and 1e3."""
    size = rng.permutation(np.geomspace(1e-3, 1e3, heads * tokens)).reshape(heads, tokens, 1)
    return (rng.standard_normal((heads, tokens, dim)) * size).astype(np.float32)


def cases(rng):
    first = np.array([[[1, -2, 0.25, 0.1]]], np.float32)
    yield case("one token", part="int8", x=first, options={})
    for shape in ((2, 7, 64), (3, 5, 17)):
        x = kv.clean(_rows(rng, *shape), "int8")
        yield case(f"int8, {shape}", part="int8", x=x, options={"fmt": "int8"})
    ties = np.array([[[127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 125.5]]], np.float32)
    yield case("exact ties, int8", part="int8", x=ties * np.float32(2**-5), options={})
    near = ties.copy()
    near[..., 1:] *= 1 + 1e-4 * np.array([1, -1, 1, -1, 1, -1, 1], np.float32)
    yield case("close to ties, int8", part="int8", x=near * np.float32(2**-5), options={})
    negative = kv.clean(-np.abs(_rows(rng, 1, 4, 16)), "int8")
    yield case("all negative", part="int8", x=negative, options={"fmt": "int8"})
    e4m3 = {"fmt": "e4m3"}
    yield case("one token, e4m3", part="e4m3", x=first, options=e4m3)
    for shape in ((2, 6, 64), (4, 3, 33)):
        x = kv.clean(_rows(rng, *shape), "e4m3")
        yield case(f"e4m3, {shape}", part="e4m3", x=x, options=e4m3)
    middles = np.concatenate([[448.0], fp8.midpoints("e4m3")[:-1]]).astype(np.float32)
    both = np.stack([middles, -middles])[None] * np.float32(2**-4)
    yield case("exact ties, e4m3", part="e4m3", x=both, options=e4m3)
    # float16 on the way to E4M3 would round these to ties first.
    aside = np.stack([middles * (1 + 1e-4), middles * (1 - 1e-4)])[None].astype(np.float32)
    aside[..., 0] = 448
    yield case("close to ties, e4m3", part="e4m3", x=aside * np.float32(2**-4), options=e4m3)
    zero = kv.clean(_rows(rng, 2, 4, 8), "int8")
    zero[1, 2] = 0
    yield case("a row of zeros", part="edges", x=zero, options={})
    yield case("zeros, e4m3", part="edges", x=np.zeros((1, 2, 4), np.float32), options=e4m3)
    for options in ({}, e4m3):
        x = np.zeros((2, 0, 8), np.float32)
        yield case("no token yet", part="edges", x=x, options=options)
    for fmt in ("int8", "e4m3"):
        small = (rng.standard_normal((2, 3, 16)) * 2e-5).astype(np.float16)
        x = kv.clean(small, fmt)
        yield case(f"small float16, {fmt}", part="edges", x=x, options={"fmt": fmt})
        brain = kv.clean(kv.bfloat16(_rows(rng, 2, 3, 16)), fmt)
        options = {"fmt": fmt}
        yield case(f"bfloat16, {fmt}", part="edges", x=brain, options=options, dtype="bfloat16")
    yield case("one number a row", part="edges", x=_rows(rng, 2, 3, 1), options=e4m3)
    good = _rows(rng, 1, 2, 4)
    bad = [("fmt int4", good, {"fmt": "int4"}), ("a matrix", good[0], {})]
    for value in (np.nan, np.inf, -np.inf):
        x = good.copy()
        x[0, 1, 2] = value
        bad += [(f"{value} in x", x, {"fmt": fmt}) for fmt in ("int8", "e4m3")]
    for label, x, options in bad:
        yield case(label, part="refuse", x=x, options=options, refused=True)


def probe(solution, x, options, dtype="", refused=False):
    import torch

    t = torch.from_numpy(x)
    if dtype:
        t = t.to(getattr(torch, dtype))
    return refusal(lambda: solution(t, **options)) if refused else solution(t, **options)


def judge(case, answer):
    if case.inputs.get("refused"):
        return expect.raised(answer, "ValueError", f"Refuse this with a ValueError: {case.label}.")
    fmt = case.options.get("fmt", "int8")
    codes, scales = expect.sequence(answer, ("codes", "scales"))
    want, want_scales = kv.quantize(case.x, fmt)
    name = {"int8": "torch.int8", "e4m3": "torch.float8_e4m3fn"}[fmt]
    codes = expect.tensor(codes, "codes", shape=case.x.shape, dtype=name)
    scales = expect.tensor(scales, "scales", shape=want_scales.shape, dtype="torch.float32")
    hint = f"amax over head_dim / {kv.TOP[fmt]:g}; 1.0 for a row of zeros."
    expect.close(scales, want_scales, "scales", hint=hint)
    return expect.codes(codes.astype(np.float64), want, "codes")
