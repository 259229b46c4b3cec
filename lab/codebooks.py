"""Tables of levels that bitsandbytes quantizes to, ascending, float32, in [-1, 1].

tests/test_lab_codebooks.py holds them to the library's own.
"""

import numpy as np


def fp4_levels() -> np.ndarray:
    """The 15 values of bitsandbytes' FP4, (15,): sign, 2 exponent bits, 1 mantissa bit, over 12.

    The smallest positive value is 0.0625 / 12, the others are 2, 3, 4, 6, 8 and 12 over 12.
    """
    positive = np.array([0.0625, 2, 3, 4, 6, 8, 12]) / 12
    return np.concatenate([-positive[::-1], [0], positive]).astype(np.float32)


def int4_levels() -> np.ndarray:
    """The 15 evenly spaced values of symmetric INT4 with the restricted range, (15,): -7/7 to 7/7."""
    return (np.arange(-7, 8) / 7).astype(np.float32)


def dynamic_levels() -> np.ndarray:
    """bitsandbytes' signed 8-bit dynamic type, (256,): seven decades, each twice as fine as the last.

    The decade that ends at 10^-(6 - i) has 2^i values of each sign, the middles of 2^i equal parts;
    0 and 1 are added. Dettmers 2016, 8-Bit Approximations for Parallelism in Deep Learning.
    """
    levels = [np.array([0.0, 1.0])]
    for i in range(7):
        edges = np.linspace(0.1, 1, 2**i + 1)
        middles = (edges[:-1] + edges[1:]) / 2 * 10.0 ** (i - 6)
        levels += [middles, -middles]
    return np.sort(np.concatenate(levels)).astype(np.float32)
