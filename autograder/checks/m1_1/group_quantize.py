"""group-quantize: symmetric codes with one scale for each group along the last axis."""

import numpy as np

from autograder.checks import case, expect, refusal
from autograder.checks.oracles import symmetric

PARTS = {"values": 0.65, "edges": 0.35}
HINTS = (
    "Reshape to (..., n_groups, group_size): the last axis is then one group.",
    "The scales have w's shape with the last axis replaced by n_groups.",
    "Test w.shape[-1] % group_size before anything else.",
)


def _amax(w, size):
    """Group by group with slices, shape (*w.shape[:-1], n_groups)."""
    starts = range(0, w.shape[-1], size)
    return np.stack([np.abs(w[..., s : s + size]).max(axis=-1) for s in starts], axis=-1)


def _spread_out(scales, size):
    return np.repeat(scales, size, axis=-1)


def _weights(rng, shape, size, bits):
    """Normal weights whose width changes from group to group and within none."""
    w = rng.standard_normal(shape)
    widths = rng.permuted(np.geomspace(0.05, 2, w.size // size)).reshape(*shape[:-1], -1)
    w = (w * _spread_out(widths, size)).astype(np.float32)
    return symmetric.off_ties(w, _spread_out(symmetric.scale_of(_amax(w, size), bits), size))


def _ties():
    """Two groups of 8 with power-of-two scales at 4 bits: halves, both ends."""
    steps = np.array([7, 0.5, 1.5, 2.5, -0.5, -1.5, -6.5, 3, -7, 4.5, 5.5, 6.5, -4.5, 0, 1, -2.5])
    return (steps * np.repeat([0.25, 2.0], 8)).astype(np.float32).reshape(1, 16)


def cases(rng):
    first = np.array([[0.7, -0.2, 7, 3.1]], np.float32)
    yield case("two groups of 2", w=first, options={"group_size": 2}, part="values")
    yield case("defaults", w=_weights(rng, (4, 96), 32, 4), options={}, part="values")
    yield case("exact ties", w=_ties(), options={"group_size": 8, "bits": 4}, part="values")
    yield case(
        "groups of 3, 8 bits",
        w=_weights(rng, (5, 12), 3, 8),
        options={"group_size": 3, "bits": 8},
        part="values",
    )
    yield case(
        "more rows than columns",
        w=_weights(rng, (64, 16), 8, 4),
        options={"group_size": 8},
        part="values",
    )
    yield case(
        "three axes",
        w=_weights(rng, (2, 3, 20), 5, 3),
        options={"group_size": 5, "bits": 3},
        part="values",
    )
    yield case("a vector", w=_weights(rng, (64,), 16, 4), options={"group_size": 16}, part="edges")
    yield case(
        "one group a row", w=_weights(rng, (6, 10), 10, 4), options={"group_size": 10}, part="edges"
    )
    yield case(
        "groups of one",
        w=np.array([[1, -2, 0]], np.float32),
        options={"group_size": 1},
        part="edges",
    )
    zero = _weights(rng, (2, 24), 8, 4)
    zero[1, 8:16] = 0
    yield case("a group of zeros", w=zero, options={"group_size": 8}, part="edges")
    ragged = rng.standard_normal((4, 6)).astype(np.float32)
    yield case("6 columns in groups of 4", w=ragged, options={"group_size": 4}, part="edges")
    yield case("group larger than a row", w=ragged, options={"group_size": 12}, part="edges")


def probe(solution, w, options):
    if w.shape[-1] % options.get("group_size", 32) == 0:
        return solution(w, **options)
    made = []
    record = refusal(lambda: made.append(solution(w, **options)))
    # The shapes tell padding, cutting and groups across rows apart.
    parts = made[0] if made and isinstance(made[0], (tuple, list)) else []
    return {**record, "shapes": [list(np.shape(part)) for part in parts]}


def judge(case, answer):
    size, bits = case.options.get("group_size", 32), case.options.get("bits", 4)
    columns = case.w.shape[-1]
    if columns % size:
        why = f"{columns} columns do not fill groups of {size}: raise ValueError."
        expect.raised(answer, "ValueError", why)
        return
    codes, scales = expect.sequence(answer, ("codes", "scales"))
    want = symmetric.scale_of(_amax(case.w, size), bits)
    expect.array(codes, "codes", shape=case.w.shape, dtype=np.int8)
    expect.array(
        scales,
        "scales",
        shape=want.shape,
        hint=f"{columns} columns / {size} = {columns // size} scales in each row.",
    )
    expect.array(scales, "scales", dtype=np.float32, hint="scales.astype(np.float32)")
    expect.close(scales, want, "scales", hint=f"amax of each group / {symmetric.qmax(bits)}.")
    expect.codes(codes, symmetric.codes_of(case.w, _spread_out(want, size), bits), "codes")
