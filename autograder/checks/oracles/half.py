"""Float16 from its definition, not from a cast: IEEE 754-2008 binary16, nearest, ties to even."""

import numpy as np

SMALLEST = 2.0**-24  # the smallest subnormal
LARGEST = 65504.0
VANISHES = 2.0**-25  # halfway to the smallest subnormal: a tie, and zero is the even neighbour
OVERFLOWS = 65520.0  # halfway from 65504 to 65536: a tie, and 65536 is the even neighbour


def vanishes(x) -> np.ndarray:
    """True where a nonzero x becomes zero in float16."""
    magnitude = np.abs(np.asarray(x, np.float64))
    return (magnitude > 0) & (magnitude <= VANISHES)


def overflows(x) -> np.ndarray:
    """True where x becomes infinite in float16."""
    return np.abs(np.asarray(x, np.float64)) >= OVERFLOWS


def near_tie(x, slack) -> np.ndarray:
    """True where a change of x by `slack` (absolute) may change its float16 value."""
    x = np.asarray(x, np.float64)
    with np.errstate(over="ignore"):
        low, high = (x - slack).astype(np.float16), (x + slack).astype(np.float16)
    return low != high
