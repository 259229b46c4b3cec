"""A figure that follows sliders in JupyterLab and stands still everywhere else."""

from collections.abc import Callable

from matplotlib.figure import Figure

from lab.errors import CourseError
from lab.plots import image_html


def explore(fn: Callable[..., tuple[Figure, str]], **controls) -> None:
    """Show `fn`'s figure with one control for each keyword.

    The output has two faces. JupyterLab shows the widget, which calls `fn` again when a control
    moves. Where no widget can live (papermill, a static page), the same output carries the first
    figure as an image. Both have alt text, and nothing goes to stderr.

    Args:
        fn: takes the controls by keyword, returns a figure and its alt text.
        controls: what `ipywidgets.interact` takes: (low, high, step), a list of choices, a bool
            or a widget. fn's defaults are the first position.

    Example:
        >>> def draw(bits=8):
        ...     fig = code_line(range(2**bits))
        ...     return fig, f"The {2**bits} codes of {bits} bits, evenly spaced."
        >>> explore(draw, bits=(2, 8, 1))

    Raises:
        CourseError: `fn` returns anything else, or a control that ipywidgets does not know.
        ValueError: alt text with fewer than 20 characters.
    """
    from IPython import get_ipython

    box, html, alt = build(fn, **controls)
    if get_ipython() is None:
        print(alt)
        return
    from IPython.display import display

    # Both faces in one output: a front end takes the richest that it can show.
    bundle = dict(box._repr_mimebundle_())
    bundle["text/html"] = html
    bundle["text/plain"] = alt
    display(bundle, raw=True)


def build(fn: Callable[..., tuple[Figure, str]], **controls):
    """The widget, and the HTML and alt text of its first figure."""
    import ipywidgets

    try:
        # "manual", or interactive would call fn by itself, with the output going elsewhere.
        sliders = ipywidgets.interactive(fn, {"manual": True}, **controls).kwargs_widgets
    except ValueError as error:
        raise CourseError(
            f"explore cannot make a control ({error}): give (low, high, step), "
            "a list of choices, a bool or a widget."
        ) from error
    keys = [slider._kwarg for slider in sliders]

    def draw() -> tuple[str, str]:
        return _render(fn(**{k: slider.value for k, slider in zip(keys, sliders, strict=True)}))

    html, alt = draw()
    # An HTML widget, not Output: its state is one string, which carries the alt text along.
    picture = ipywidgets.HTML(html)

    def redraw(_change) -> None:
        try:
            picture.value = draw()[0]
        except Exception as error:  # shown in place: a traceback would go to the log, unseen
            import html as escape

            picture.value = f"<pre>{escape.escape(f'{type(error).__name__}: {error}')}</pre>"

    for slider in sliders:
        if hasattr(slider, "continuous_update"):
            slider.continuous_update = False
        slider.observe(redraw, names="value")
    # A fixed(...) control has a value but nothing to show.
    shown = [slider for slider in sliders if isinstance(slider, ipywidgets.Widget)]
    return ipywidgets.VBox([*shown, picture]), html, alt


def _render(result: object) -> tuple[str, str]:
    """HTML and alt text of what `fn` returned."""
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], Figure)):
        raise CourseError(
            "The function given to explore must return a figure and its alt text: "
            'end it with `return fig, "what the figure shows"`.'
        )
    figure, alt = result
    return image_html(figure, alt), alt.strip()
