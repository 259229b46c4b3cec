"""Colours that stay apart for every kind of colour vision, and the measure of how far apart."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from matplotlib.colors import to_rgb

# Okabe and Ito 2008, "Color Universal Design".
OKABE_ITO = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#000000",
}

# Machado, Oliveira and Fernandes 2009, "A Physiologically-based Model for Simulation of Color
# Vision Deficiency", table 1, severity 1.0; they act on linear RGB.
DEFICIENCIES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# IEC 61966-2-1 (sRGB): linear RGB to XYZ under D65.
RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def check_palette(colours: Iterable[str]) -> float:
    """The smallest colour difference of any two colours, for any kind of colour vision.

    The kinds: unimpaired, protanopia, deuteranopia and tritanopia. The difference is CIE76: the
    Euclidean distance in CIELAB, where about 2.3 is just noticeable (Mahy et al. 1994); 10 or
    more keeps lines in a legend apart.

    Args:
        colours: two or more matplotlib colours.

    Raises:
        ValueError: fewer than two colours.
    """
    linear = np.array([_linear(to_rgb(colour)) for colour in colours])
    if len(linear) < 2:
        raise ValueError("check_palette compares colours: give it two or more.")
    kinds = [np.eye(3), *(np.array(matrix) for matrix in DEFICIENCIES.values())]
    smallest = np.inf
    for matrix in kinds:
        lab = _cielab(np.clip(linear @ matrix.T, 0, 1))
        smallest = min(smallest, *(np.linalg.norm(a - b) for a, b in combinations(lab, 2)))
    return float(smallest)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "relative luminance")."""
    bright, dark = sorted(
        (float(RGB_TO_XYZ[1] @ _linear(to_rgb(colour))) for colour in (first, second)),
        reverse=True,
    )
    return (bright + 0.05) / (dark + 0.05)


def _linear(rgb: tuple[float, float, float]) -> np.ndarray:
    """sRGB's transfer curve undone."""
    values = np.asarray(rgb, dtype=float)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _cielab(linear: np.ndarray) -> np.ndarray:
    """Linear RGB (n, 3) to CIELAB (n, 3), white point D65 (CIE 15:2004)."""
    ratio = linear @ RGB_TO_XYZ.T / RGB_TO_XYZ.sum(axis=1)
    bent = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = bent.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
