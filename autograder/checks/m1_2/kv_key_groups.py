"""kv-key-groups: symmetric codes with a scale for each channel and group of tokens, and a residual."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import kv

PARTS = {"codes": 0.5, "residual": 0.3, "refuse": 0.2}
HINTS = (
    "whole = tokens // group * group; x[:, :whole] is quantized, x[:, whole:] is the residual.",
    "x[:, :whole].reshape(heads, groups, group, head_dim), then the largest magnitude over axis 2.",
    "qmax = 2**(bits - 1) - 1: 1 for 2 bits, 3 for 3, 127 for 8.",
)


def _oracle(x, bits, group):
    """Codes, scales and residual by a loop over groups, float64."""
    x = np.asarray(x, np.float64)
    top, count = 2 ** (bits - 1) - 1, x.shape[1] // group
    codes, scales = np.zeros((x.shape[0], count * group, x.shape[2])), []
    for g in range(count):
        rows = slice(g * group, (g + 1) * group)
        scale = kv.scale_of(np.abs(x[:, rows]).max(axis=1), top)
        codes[:, rows] = np.clip(np.rint(x[:, rows] / scale[:, None]), -top, top)
        scales.append(scale)
    shape = (x.shape[0], count, x.shape[2])
    return codes, np.stack(scales, 1) if scales else np.zeros(shape), x[:, count * group :]


def _keys(rng, heads, tokens, dim, bits, group):
    """Channels of different sizes that also change from group to group; nothing near a tie."""
    size = rng.permutation(np.geomspace(0.05, 20, dim)) * rng.uniform(0.3, 3, (heads, tokens, 1))
    x = (rng.standard_normal((heads, tokens, dim)) * size).astype(np.float32)
    _, scales, _ = _oracle(x, bits, group)
    whole = scales.shape[1] * group
    ratio = x[:, :whole] / np.repeat(scales, group, axis=1)
    x[:, :whole][kv.near_tie(ratio, "int8")] = 0
    return x


def cases(rng):
    small = np.array([[[3, 0.1], [-6, 0.2], [1, 0.3]]], np.float32)
    yield case("three tokens", part="codes", x=small, options={"bits": 3, "group": 2})
    x = _keys(rng, 2, 64, 16, 2, 32)
    yield case("the defaults", part="codes", x=x, options={})
    for bits, group, shape in ((2, 8, (2, 24, 10)), (4, 5, (3, 15, 7)), (8, 16, (1, 48, 12))):
        x = _keys(rng, *shape, bits, group)
        options = {"bits": bits, "group": group}
        yield case(f"{bits} bits, groups of {group}", part="codes", x=x, options=options)
    ties = np.array([7, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 5.5], np.float32)[None, :, None]
    ties = np.concatenate([ties, -ties * 4], axis=2)
    yield case("exact ties", part="codes", x=ties, options={"bits": 4, "group": 8})
    zero = _keys(rng, 2, 8, 6, 4, 4)
    zero[1, 4:, 2] = 0
    yield case("a channel of zeros", part="codes", x=zero, options={"bits": 4, "group": 4})
    for tokens, group in ((37, 8), (20, 7), (33, 32)):
        x = _keys(rng, 2, tokens, 6, 3, group)
        options = {"bits": 3, "group": group}
        yield case(f"{tokens} tokens in groups of {group}", part="residual", x=x, options=options)
    x = _keys(rng, 2, 5, 6, 3, 8)
    yield case("fewer tokens than a group", part="residual", x=x, options={"bits": 3, "group": 8})
    yield case("no token", part="residual", x=x[:, :0], options={"bits": 3, "group": 8})
    yield case("groups of one", part="residual", x=x, options={"bits": 3, "group": 1})
    half = np.where(np.abs(x) < 0.2, 0, np.sign(x)).astype(np.float16)
    yield case("float16", part="residual", x=half, options={"bits": 4, "group": 3})
    bad = {"1 bit": (x, 1, 8), "9 bits": (x, 9, 8), "group 0": (x, 4, 0), "a matrix": (x[0], 4, 2)}
    for place, label in (((0, 0, 1), "a NaN in a group"), ((1, 4, 3), "a NaN in the residual")):
        broken = x.copy()
        broken[place] = np.nan
        bad[label] = (broken, 4, 4)
    broken = x.copy()
    broken[0, 1, 1] = np.inf
    bad["an infinity"] = (broken, 4, 4)
    for label, (given, bits, group) in bad.items():
        options = {"bits": bits, "group": group}
        yield case(label, part="refuse", x=given, options=options, refused=True)


def probe(solution, x, options, refused=False):
    import torch

    t = torch.from_numpy(x)
    return refusal(lambda: solution(t, **options)) if refused else solution(t, **options)


def judge(case, answer):
    if case.inputs.get("refused"):
        return expect.raised(answer, "ValueError", f"Refuse this with a ValueError: {case.label}.")
    bits, group = case.options.get("bits", 2), case.options.get("group", 32)
    codes, scales, residual = expect.sequence(answer, ("codes", "scales", "residual"))
    want, want_scales, want_residual = _oracle(case.x, bits, group)
    codes = expect.tensor(codes, "codes", shape=want.shape, dtype="torch.int8")
    scales = expect.tensor(scales, "scales", shape=want_scales.shape, dtype="torch.float32")
    residual = expect.tensor(residual, "residual", shape=want_residual.shape, dtype="torch.float32")
    expect.close(scales, want_scales, "scales", hint=f"amax / {2 ** (bits - 1) - 1}.")
    expect.codes(codes.astype(np.float64), want, "codes")
    hint = "The residual's tokens are not rounded."
    return expect.codes(residual.astype(np.float64), want_residual, "residual", hint=hint)
