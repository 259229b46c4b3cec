"""Draw a roofline: ceilings of a machine and measured operators, both axes logarithmic.

Samuel Williams, Andrew Waterman, David Patterson, "Roofline: An Insightful Visual Performance Model
for Multicore Architectures", Communications of the ACM 52(4), 2009.
"""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from lab.errors import CourseError
from lab.plots import COLOURS, INK, LINES, STYLE, figure

MARKERS = "os^DvP*X<>"


def roofline(
    peaks: Mapping[str, float],
    bandwidths: Mapping[str, float],
    points: Mapping[str, tuple[float, float]] | None = None,
    *,
    title: str = "",
) -> Figure:
    """The figure of min(peak, intensity x bandwidth).

    Args:
        peaks: rates of computing by name, FLOP/s; one horizontal line each.
        bandwidths: rates of moving data by name, bytes/s; one slope each, up to the highest peak.
        points: operators by name: (intensity in FLOP/byte, rate in FLOP/s).

    Raises:
        CourseError: no peak, no bandwidth, or a number that is not finite and above 0.
    """
    points = dict(points or {})
    numbers = [*peaks.values(), *bandwidths.values(), *(v for p in points.values() for v in p)]
    if not peaks or not bandwidths or not all(np.isfinite(v) and v > 0 for v in numbers):
        raise CourseError("A roofline needs a peak, a bandwidth, and numbers that are above 0.")
    top = max(peaks.values())
    fastest, slowest = max(bandwidths.values()), min(bandwidths.values())
    ridges = [top / slowest, min(peaks.values()) / fastest]
    places = [x for x, _ in points.values()] + ridges
    low, high = min(places) / 3, max(places) * 4
    fig, axes = figure(height_inch=4.6)
    ax = axes[0, 0]
    for index, (name, rate) in enumerate(bandwidths.items()):
        x = np.array([low, top / rate])
        ax.plot(x, x * rate, color=INK, linestyle=LINES[index % len(LINES)],
                label=f"{name}, {rate / 1e9:,.4g} GB/s")  # fmt: skip
    for index, (name, peak) in enumerate(peaks.items()):
        ax.plot([peak / fastest, high], [peak, peak], color=COLOURS[index % len(COLOURS)],
                linestyle=LINES[index % len(LINES)], label=f"{name}, {peak / 1e9:,.4g} GFLOP/s")  # fmt: skip
    _points(ax, points)
    lowest = min([rate for _, rate in points.values()] + [low * slowest])
    with mpl.rc_context(STYLE):
        ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(lowest / 2, top * 3),
               xlabel="intensity, FLOP/byte", ylabel="FLOP/s")  # fmt: skip
        ax.set_title(title, loc="left")
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=3, fontsize=9)
    return fig


def _points(ax, points: Mapping[str, tuple[float, float]]) -> None:
    """A marker each, named in the legend: names beside the points would lie on one another."""
    for index, (name, (x, y)) in enumerate(points.items()):
        ax.plot(x, y, MARKERS[index % len(MARKERS)], color=COLOURS[index % len(COLOURS)],
                markeredgecolor=INK, markersize=8, linestyle="", label=name)  # fmt: skip
