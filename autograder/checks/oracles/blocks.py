"""GGUF's block formats: the gguf package is the oracle, and a wrong byte is told by its field.

tests/test_gguf_blocks.py holds the package itself to the bytes that llama.cpp wrote.
"""

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize as _dequantize
from gguf.quants import quantize as _quantize

from autograder.checks import case, expect

# Where the fp16 numbers of a block begin.
FP16 = {"Q8_0": (0,), "Q4_0": (0,), "Q4_K": (0, 2), "Q6_K": (208,)}
FIELDS = {
    "Q8_0": lambda at: "the fp16 d" if at < 2 else f"code {at - 2}",
    "Q4_0": lambda at: "the fp16 d" if at < 2 else f"nibbles {at - 2} (low) and {at + 14} (high)",
}


def sizes(kind: str) -> tuple[int, int]:
    """Weights and bytes of a block."""
    return GGML_QUANT_SIZES[GGMLQuantizationType[kind]]


def quantize(kind: str, x: np.ndarray) -> np.ndarray:
    """Packed bytes, (..., n) float32 to (..., bytes) uint8."""
    with np.errstate(all="ignore"):
        return _quantize(x, GGMLQuantizationType[kind])


def dequantize(kind: str, data: np.ndarray) -> np.ndarray:
    """Restored weights, (..., bytes) uint8 to (..., n) float32."""
    with np.errstate(all="ignore"):
        return _dequantize(data, GGMLQuantizationType[kind])


def draw_blocks(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Random blocks along a new last axis, every byte value, the fp16 numbers finite."""
    length = sizes(kind)[1]
    data = rng.integers(0, 256, (*shape, length), dtype=np.uint8)
    for at in FP16[kind]:
        scale = np.exp(rng.normal(-4, 2, (*shape, 1))) * rng.choice([1, 1, 1, -1], (*shape, 1))
        data[..., at : at + 2] = scale.astype("<f2").view(np.uint8)
    return data.reshape(*shape[:-1], -1)


def set_fp16(data: np.ndarray, kind: str, number: int, value: float) -> np.ndarray:
    """The one row of blocks `data` with the fp16 number `number` of each block set; a copy."""
    blocks = data.copy().reshape(-1, sizes(kind)[1])
    at = FP16[kind][number]
    blocks[:, at : at + 2] = np.array([value], "<f2").view(np.uint8)
    return blocks.reshape(data.shape)


def off_halves(x: np.ndarray, kind: str) -> np.ndarray:
    """x with 0 where a code is near a half: there the last bit of a float32 decides, elsewhere not."""
    blocks = x.reshape(-1, 32).astype(np.float64)
    top = np.abs(blocks).max(1, keepdims=True)
    scaled = blocks / np.where(top == 0, 1, top) * (127 if kind == "Q8_0" else 8)
    near = np.abs(scaled - np.floor(scaled) - 0.5) < 1e-3
    return np.where(near, 0, x.reshape(-1, 32)).astype(np.float32).reshape(x.shape)


def cases_to_pack(rng: np.random.Generator, kind: str):
    """Rows to quantize: a ladder of shapes (part "values"), and those to refuse (part "refuse")."""
    for label, shape in (
        ("one block", (32,)),
        ("three blocks", (96,)),
        ("a matrix", (5, 64)),
        ("three dimensions", (2, 3, 96)),
        ("a layer", (64, 256)),
    ):
        x = rng.normal(0, 0.05, shape) * np.exp(rng.normal(0, 1, (*shape[:-1], 1)))
        x = off_halves(x.astype(np.float32), kind)
        yield case(label, part="values", x=x, good=True)
    for label, top in (("weights of 1e-30", 1e-30), ("weights of 1e30", 1e30)):
        x = rng.uniform(-0.99, 0.99, (3, 64))
        x[:, ::32] = rng.choice([-1, 1], (3, 2))
        x = off_halves((x * top).astype(np.float32), kind)
        yield case(label, part="edge", x=x, good=True)
    heavy = rng.standard_t(3, (16, 128)).astype(np.float32)
    heavy[:, 64:96] *= 10
    yield case("one block of four is larger", "values", x=off_halves(heavy, kind), good=True)
    for label, shape in (
        ("31 weights", (2, 31)),
        ("48 weights", (2, 48)),
        ("16 weights in each of two rows", (2, 16)),
    ):
        yield case(label, part="refuse", x=np.ones(shape, np.float32), good=False)
    for label, odd in (("NaN", np.nan), ("infinity", np.inf), ("minus infinity", -np.inf)):
        x = np.ones((2, 32), np.float32)
        x[1, 3] = odd
        yield case(label, part="refuse", x=x, good=False)


def cases_to_restore(rng: np.random.Generator, kind: str):
    """Packed blocks: a ladder of shapes, the ends of fp16 and of a byte, and lengths to refuse."""
    for label, shape in (
        ("one block", (1,)),
        ("three blocks", (3,)),
        ("a matrix", (5, 2)),
        ("three dimensions", (2, 3, 2)),
        ("a layer", (32, 2)),
    ):
        yield case(label, part="values", data=draw_blocks(rng, kind, shape), good=True)
    row = draw_blocks(rng, kind, (4,))
    for number in range(len(FP16[kind])):
        for value in (0.0, 3e-7, 6e4, -0.5):
            data = set_fp16(row, kind, number, value)
            yield case(f"fp16 number {number} is {value:g}", part="edge", data=data, good=True)
    for byte in (0, 255, 128, 127):
        data = np.full_like(row, byte)
        for number in range(len(FP16[kind])):
            data = set_fp16(data, kind, number, 1.0)
        yield case(f"all codes and scales are bytes {byte}", part="edge", data=data, good=True)
    length = sizes(kind)[1]
    for label, shape in (
        ("a byte too few", (3, length - 1)),
        ("a byte too many", (3, 2 * length + 1)),
        ("half a block in each of two rows", (2, length // 2)),
        ("a byte too few, in as many rows as a block has bytes", (length, length - 1)),
    ):
        yield case(label, part="refuse", data=np.zeros(shape, np.uint8), good=False)


def check_packed(kind: str, value: object, x: np.ndarray) -> None:
    """Raise a finding unless `value` has the oracle's bytes for x."""
    want = quantize(kind, x)
    got = expect.array(value, "packed", shape=want.shape, dtype=np.uint8)
    bad = (got != want).ravel()
    if not bad.any():
        return
    block, at = divmod(int(np.argmax(bad)), sizes(kind)[1])
    weights = x.reshape(-1, 32)[block]
    first = at < 2
    both = [int(a.ravel()[np.argmax(bad)]) for a in (got, want)]
    if first:
        start = block * sizes(kind)[1]
        both = [a.ravel()[start : start + 2].copy().view("<f2")[0] for a in (got, want)]
    elif kind == "Q8_0":
        both = [int(np.uint8(b).view(np.int8)) for b in both]
    expect.wrong(
        "values",
        f"{int(bad.sum())} of {bad.size} bytes are wrong.",
        yours=str(both[0]) if first or kind == "Q8_0" else f"{both[0]:#04x}",
        right=str(both[1]) if first or kind == "Q8_0" else f"{both[1]:#04x}",
        where=f"block {block}, {FIELDS[kind](at)}; max|x| of the block is {np.abs(weights).max():.6g}",
    )


def check_restored(kind: str, value: object, data: np.ndarray, hint: str = "") -> None:
    """Raise a finding unless `value` equals the oracle's weights; 0.0 and -0.0 are equal."""
    want = dequantize(kind, data)
    got = expect.array(value, "weights", shape=want.shape, dtype=np.float32)
    expect.codes(got, want, "weights", hint=hint)
