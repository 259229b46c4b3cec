"""nf4-dequantize: unpack, look up, scale; against a loop over blocks in float64."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import nf4

PARTS = {"values": 0.55, "ragged": 0.3, "refuse": 0.15}
HINTS = (
    "np.stack([packed >> 4, packed & 15], axis=1).ravel()[:n] are the codes in order.",
    "np.repeat(scales, block_size)[:n] gives each value its scale; reshape last.",
)


def cases(rng):
    table = nf4.nf4()
    yield _case(rng, "64 values", "values", (64,), table)
    yield _case(rng, "a matrix", "values", (24, 64), table)
    yield _case(rng, "more rows than columns", "values", (64, 6), table, block=32)
    yield _case(rng, "three dimensions", "values", (4, 8, 16), table)
    yield _case(rng, "blocks across rows", "values", (16, 24), table)
    other = np.sort(rng.uniform(-1, 1, 16)).astype(np.float32)
    yield _case(rng, "other levels", "values", (8, 32), other, block=16)
    yield _case(
        rng, "a zero and a negative scale", "values", (4, 64), table, scales=(0.0, -0.5, 2.0, 1e-20)
    )
    yield _case(rng, "one value", "ragged", (1,), table)
    yield _case(rng, "65 values", "ragged", (65,), table)
    yield _case(rng, "an odd matrix", "ragged", (7, 13), table)
    yield _case(rng, "odd blocks", "ragged", (5, 9), table, block=3)
    yield _case(rng, "blocks of 1", "ragged", (3, 3), table, block=1)
    for size in rng.integers(66, 900, 3):
        yield _case(rng, f"{size} values", "ragged", (int(size),), table)
    for label, change in (
        ("a byte too few", {"packed": slice(0, -1)}),
        ("a scale too few", {"scales": slice(0, -1)}),
        ("twice the bytes", {"packed": slice(0, 63)}),
    ):
        inputs = _case(rng, label, "refuse", (10, 13), table).inputs
        for key, kept in change.items():
            inputs[key] = inputs[key][kept]
        yield case(label, part="refuse", **{**inputs, "good": False})
    inputs = _case(rng, "a scale too many", "refuse", (128,), table).inputs
    inputs["scales"] = np.append(inputs["scales"], np.float32(1))
    yield case("a scale too many", part="refuse", **{**inputs, "good": False})
    inputs = _case(rng, "a byte too many", "refuse", (65,), table).inputs
    inputs["packed"] = np.append(inputs["packed"], np.uint8(0x77))
    yield case("a byte too many", part="refuse", **{**inputs, "good": False})


def _case(rng, label, part, shape, table, block=64, scales=None):
    n = int(np.prod(shape))
    codes = rng.integers(0, 16, n).astype(np.uint8)
    if scales is None:
        scales = np.exp(rng.normal(-3, 1, -(-n // block)))
    scales = np.asarray(scales, np.float32)
    return case(
        label, part, packed=nf4.pack(codes), scales=scales, levels=table, shape=shape, block=block
    )


def probe(solution, packed, scales, levels, shape, block, good=True):
    if good:
        return solution(packed, scales, levels, tuple(shape), block)
    try:
        solution(packed, scales, levels, tuple(shape), block)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(
            answer,
            "ValueError",
            f"{case.packed.size} bytes and {case.scales.size} scales do not fit shape "
            f"{tuple(case.shape)} with blocks of {case.block}: raise ValueError.",
        )
        return
    shape = tuple(case.shape)
    weights = expect.array(answer, "weights", shape=shape, dtype=np.float32)
    n = int(np.prod(shape))
    codes = np.array([int(b) >> s & 15 for b in case.packed for s in (4, 0)][:n])
    want = nf4.restore(codes, case.scales, case.levels, case.block)
    scale = np.repeat(case.scales.astype(np.float64), case.block)[:n]
    expect.close(
        weights,
        want.reshape(shape),
        "weights",
        step=np.where(scale != 0, np.abs(scale), 1).reshape(shape),
        hint="Value i has the code in byte i // 2 (high nibble if i is even) and the scale i // block_size.",
    )
