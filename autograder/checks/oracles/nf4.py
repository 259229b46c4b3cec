"""Blockwise quantization to a table of levels, in float64, one block after the other.

Levels from the standard library's normal quantiles (statistics.NormalDist), codes by brute force over
all levels. tests/test_oracle_nf4.py holds both to bitsandbytes' table, codes and packed bytes.
"""

from statistics import NormalDist

import numpy as np

OFFSET = 0.9677083
# A float32 division, product or difference is off by 6e-8 of its size; eight of them.
SLACK = 5e-7


def levels(offset: float = OFFSET, bits: int = 4) -> np.ndarray:
    """NF levels, (2**bits,) float64 ascending: half of the codes positive, one zero, the rest negative."""
    quantile = NormalDist().inv_cdf
    half = 2 ** (bits - 1)
    step = offset - 0.5
    positive = [quantile(offset - step * i / half) for i in range(half)]
    negative = [-quantile(offset - step * i / (half - 1)) for i in range(half - 1)]
    return np.array(sorted([*negative, 0.0, *positive])) / quantile(offset)


def nf4() -> np.ndarray:
    """The sixteen levels as they are stored, float32."""
    return levels().astype(np.float32)


def blocks(n: int, block_size: int) -> list[slice]:
    """Where the blocks of n values lie; the last one may be shorter."""
    return [slice(at, min(at + block_size, n)) for at in range(0, n, block_size)]


def ratios(x: np.ndarray, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """x flat, each value over its block's absmax (0 in a block of zeros), and the absmax, float64."""
    flat = np.asarray(x, np.float64).ravel()
    out, absmax = np.zeros_like(flat), []
    for block in blocks(flat.size, block_size):
        top = max(abs(value) for value in flat[block])
        absmax.append(top)
        if top > 0:
            out[block] = flat[block] / top
    return out, np.array(absmax)


def nearest(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Index of the nearest level of each value (n,); of two equally near ones the lower."""
    gaps = np.abs(np.asarray(values, np.float64)[:, None] - np.asarray(table, np.float64))
    return gaps.argmin(axis=1)


def quantize(x: np.ndarray, table: np.ndarray, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n,) uint8 and scales (blocks,) float32."""
    ratio, absmax = ratios(x, block_size)
    return nearest(ratio, table).astype(np.uint8), absmax.astype(np.float32)


def restore(
    codes: np.ndarray, scales: np.ndarray, table: np.ndarray, block_size: int
) -> np.ndarray:
    """Level times scale, (n,) float64."""
    table, out = np.asarray(table, np.float64), np.empty(len(codes))
    for number, block in enumerate(blocks(len(codes), block_size)):
        out[block] = table[codes[block]] * float(scales[number])
    return out


def pack(codes: np.ndarray) -> np.ndarray:
    """Two codes a byte, the first in the high four bits; an odd end is filled up with code 7."""
    listed = [int(code) for code in codes]
    if len(listed) % 2:
        listed.append(7)
    return np.array([16 * a + b for a, b in zip(listed[::2], listed[1::2], strict=True)], np.uint8)


def as_near(codes: np.ndarray, values: np.ndarray, table: np.ndarray, slack) -> np.ndarray:
    """Where a code's level is as near to the value as any other, but for `slack` (of float32)."""
    table = np.asarray(table, np.float64)
    gaps = np.abs(values[:, None] - table)
    index = np.minimum(codes.astype(np.int64), len(table) - 1)
    mine = np.abs(values - table[index])
    return (codes < len(table)) & (mine <= gaps.min(axis=1) + slack)
