"""Figures of the course: one style, colour-blind-safe, and none without alt text."""

import base64
import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.errors import CourseError
from lab.palette import OKABE_ITO

ALT_LEAST = 20
DPI = 110
INK = "#222222"
# The first four reach a contrast of 3:1 on the card; line styles tell apart what colour does not.
COLOURS = [OKABE_ITO[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky")]
LINES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))]
HATCHES = ["", "//", "..", "xx", "\\\\", "++"]
# An opaque white card: dark ink keeps its contrast under a light page and under a dark one.
STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.prop_cycle": cycler(color=COLOURS, linestyle=LINES),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "font.size": 11,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def figure(rows: int = 1, cols: int = 1, height_inch: float = 3.4) -> tuple[Figure, np.ndarray]:
    """An empty figure in the course's style.

    Args:
        rows, cols: the grid of axes.
        height_inch: of one row; the width is 7 inches.

    Returns:
        the figure and its axes, an array (rows, cols).
    """
    with mpl.rc_context(STYLE):
        # A bare Figure, not pyplot's: nothing shows it twice or keeps it in memory.
        fig = Figure(figsize=(7, height_inch * rows))
        return fig, fig.subplots(rows, cols, squeeze=False)


def show(fig: Figure, alt: str) -> None:
    """Display a figure as PNG with alt text; outside a notebook print the alt text.

    Args:
        fig: a matplotlib figure.
        alt: what the figure shows and what to see in it, for those who do not see it.

    Raises:
        ValueError: fewer than 20 characters of alt text.
    """
    bundle = {"text/html": image_html(fig, alt), "text/plain": alt.strip()}
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(bundle["text/plain"])
    else:
        display(bundle, raw=True)


def image_html(fig: Figure, alt: str) -> str:
    """An `<img>` element with the figure as PNG in it. Raises as `show` does."""
    import html

    text = alt.strip() if isinstance(alt, str) else ""
    if len(text) < ALT_LEAST:
        raise ValueError(
            f"alt needs {ALT_LEAST} characters or more, not {len(text)}: "
            "say what the figure shows and what to see in it."
        )
    png = io.BytesIO()
    with mpl.rc_context(STYLE):
        fig.savefig(png, format="png", dpi=DPI)
    data = base64.b64encode(png.getvalue()).decode("ascii")
    return (
        f'<img alt="{html.escape(text)}" src="data:image/png;base64,{data}" '
        'style="max-width: 100%; height: auto"/>'
    )


def histogram(
    values: Sequence[float] | Mapping[str, Sequence[float]],
    *,
    bins: int = 60,
    xlabel: str = "value",
    marks: Mapping[str, float] | None = None,
    log: bool = False,
    title: str = "",
) -> Figure:
    """Histogram of one array, or of several by name over common bins.

    Args:
        values: array of any shape, or a mapping of name to array.
        bins: number of bins over the joint range.
        marks: vertical lines by name, such as a clipping threshold.
        log: logarithmic counts, so that outliers show.

    Raises:
        CourseError: no values, or none of them finite.
    """
    named = dict(values) if isinstance(values, Mapping) else {"": values}
    arrays = {name: _finite(array, name) for name, array in named.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(arrays.values())), bins=bins)
    fig, axes = figure()
    ax = axes[0, 0]
    for index, (name, array) in enumerate(arrays.items()):
        ax.hist(
            array,
            edges,
            histtype="stepfilled",
            facecolor=(COLOURS[index % len(COLOURS)], 0.35),
            edgecolor=COLOURS[index % len(COLOURS)],
            linestyle=LINES[index % len(LINES)],
            linewidth=1.4,
            label=name or None,
        )
    for index, (name, at) in enumerate((marks or {}).items()):
        ax.axvline(at, color=INK, linestyle=LINES[(index + 1) % len(LINES)], label=name)
    if log:
        ax.set_yscale("log")
    return _finish(fig, ax, xlabel, "count", title)


def curves(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    logx: bool = False,
    logy: bool = False,
    title: str = "",
) -> Figure:
    """Lines over a common x, each with its own colour, dash and marker."""
    fig, axes = figure()
    ax = axes[0, 0]
    with mpl.rc_context(STYLE):
        for (name, y), marker in zip(series.items(), "osD^vP" * len(series), strict=False):
            ax.plot(x, y, marker=marker, markersize=4, linewidth=1.8, label=name)
    if logx:
        ax.set_xscale("log")
    if logy:
        ax.set_yscale("log")
    return _finish(fig, ax, xlabel, ylabel, title)


def bars(
    values: Mapping[str, float],
    *,
    unit: str = "",
    reference: tuple[str, float] | None = None,
    title: str = "",
) -> Figure:
    """Horizontal bars by name, each with its number beside it.

    Args:
        values: name to number, drawn from top to bottom.
        unit: of the numbers.
        reference: name and number of a dashed line to compare with.

    Raises:
        CourseError: no values, or one that is not finite.
    """
    numbers = np.array(list(values.values()), dtype=float)
    if not numbers.size or not np.isfinite(numbers).all():
        raise CourseError("bars needs one finite number or more: check the values given to it.")
    fig, axes = figure(height_inch=max(1.6, 0.5 + 0.45 * len(values)))
    ax = axes[0, 0]
    drawn = ax.barh(list(values), numbers, height=0.65, edgecolor=INK)
    for index, bar in enumerate(drawn):
        bar.set_facecolor((COLOURS[index % len(COLOURS)], 0.75))
        bar.set_hatch(HATCHES[index % len(HATCHES)])
    # On white, so that a reference line does not run through a number.
    ax.bar_label(
        drawn,
        [f"{number:.4g} {unit}".rstrip() for number in numbers],
        padding=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )
    ax.margins(x=0.18)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    if reference:
        ax.axvline(reference[1], color=INK, linestyle="--", label=reference[0])
    fig = _finish(fig, ax, unit, "", title)
    if reference:  # beside the title: inside, it may lie on the line
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    return fig


def code_line(
    codes: Sequence[float] | Mapping[str, Sequence[float]],
    *,
    points: Sequence[float] = (),
    xlabel: str = "value",
    title: str = "",
) -> Figure:
    """Number lines of the values that a format can represent.

    Args:
        codes: representable values, or several formats by name, one line each.
        points: real numbers; each is drawn above the line with an arrow to the nearest code.

    Raises:
        CourseError: a format with no finite value.
    """
    named = dict(codes) if isinstance(codes, Mapping) else {"": codes}
    fig, axes = figure(height_inch=0.9 + 0.8 * len(named))
    ax = axes[0, 0]
    for row, (name, array) in enumerate(named.items()):
        grid = np.unique(_finite(array, name))
        colour = COLOURS[row % len(COLOURS)]
        ax.plot([grid[0], grid[-1]], [-row, -row], color=colour, linewidth=0.8, linestyle="-")
        ax.vlines(grid, -row - 0.16, -row + 0.16, color=colour, linewidth=1.4)
        for point in points:
            nearest = grid[np.argmin(np.abs(grid - point))]
            ax.annotate(
                "",
                (nearest, -row + 0.16),
                (point, -row + 0.5),
                arrowprops={"arrowstyle": "->", "color": INK, "shrinkA": 2, "shrinkB": 0},
            )
            ax.plot(point, -row + 0.5, "o", color=INK, markersize=4)
    ax.set_yticks(-np.arange(len(named)), list(named))
    ax.set_ylim(-len(named) + 0.6, 0.75)
    ax.grid(False)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return _finish(fig, ax, xlabel, "", title)


def explore(fn, **controls) -> None:
    """A figure with sliders: see `lab.explore.explore`."""
    from lab.explore import explore as run

    run(fn, **controls)


def _finite(values: Sequence[float], name: str) -> np.ndarray:
    """The values flat and in float64, without NaN and infinities."""
    array = np.asarray(values, dtype=np.float64).ravel()
    array = array[np.isfinite(array)]
    if not array.size:
        which = f" in {name!r}" if name else ""
        raise CourseError(f"There is no finite value to plot{which}: check the array.")
    return array


def _finish(fig: Figure, ax: Axes, xlabel: str, ylabel: str, title: str) -> Figure:
    """Labels, title and, where something is named, a legend."""
    with mpl.rc_context(STYLE):
        ax.set(xlabel=xlabel, ylabel=ylabel)
        if title:
            ax.set_title(title, loc="left")
        if ax.get_legend_handles_labels()[1]:
            ax.legend()
    return fig
