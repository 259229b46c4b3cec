"""lab.plots, lab.palette and lab.explore: what is drawn, what is said, what a kernel sends."""

import base64
import io
import re

import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_hex
from nbclient import NotebookClient

from lab import palette, plots
from lab.errors import CourseError
from lab.explore import build, explore

ALT = "Two bars; the second is a quarter of the first."


def pixels(html: str) -> np.ndarray:
    """The PNG of an <img> element, as RGBA."""
    import matplotlib.image

    data = re.search(r"base64,([^\"]+)", html)[1]
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(data)), format="png")


def texts(fig) -> list[str]:
    from matplotlib.text import Text

    fig.draw_without_rendering()  # tick labels exist from here on
    return [text.get_text() for text in fig.findobj(Text) if text.get_text()]


def test_the_matrices_keep_white_and_grey():
    """Each row of Machado's matrices sums to one."""
    for matrix in palette.DEFICIENCIES.values():
        np.testing.assert_allclose(np.sum(matrix, axis=1), 1, atol=2e-6)


def test_colour_difference_against_known_values():
    # CIELAB of sRGB under D65: L* of black and white is 0 and 100; red and green from Lindbloom.
    assert palette.check_palette(["black", "white"]) == pytest.approx(100, abs=0.01)
    red, green = palette._cielab(palette._linear(np.array([[1, 0, 0], [0, 1, 0]])))
    np.testing.assert_allclose(red, [53.24, 80.09, 67.20], atol=0.02)
    np.testing.assert_allclose(green, [87.73, -86.18, 83.18], atol=0.02)


def test_the_check_finds_bad_palettes():
    assert palette.check_palette(["#777777", "#787878"]) < 2
    # Apart for most eyes, nearly one colour without the red cones.
    confusable = ["#b35900", "#6b7a00"]
    unimpaired = palette._cielab(
        palette._linear(np.array([palette.to_rgb(colour) for colour in confusable]))
    )
    assert np.linalg.norm(unimpaired[0] - unimpaired[1]) > 40
    assert palette.check_palette(confusable) < 15
    with pytest.raises(ValueError, match="two or more"):
        palette.check_palette(["red"])


def test_our_palette_passes():
    assert palette.check_palette(plots.COLOURS) > 15
    assert palette.check_palette(palette.OKABE_ITO.values()) > 15
    assert len(set(plots.COLOURS)) == len(plots.LINES) == len(plots.HATCHES) == 6


def test_contrast_on_the_card():
    """WCAG 2.2: 4.5:1 for text, 3:1 for graphics."""
    assert palette.contrast("black", "white") == pytest.approx(21, abs=0.01)
    assert palette.contrast(plots.INK, "white") > 7
    assert all(palette.contrast(colour, "white") > 3 for colour in plots.COLOURS[:4])


@pytest.mark.parametrize(
    "fig",
    [
        lambda: plots.histogram(np.arange(100.0)),
        lambda: plots.curves([1, 2], {"a": [1, 2]}, xlabel="x", ylabel="y"),
        lambda: plots.bars({"a": 1, "b": 2}),
        lambda: plots.code_line(range(8)),
    ],
)
def test_every_figure_is_an_opaque_white_card(fig):
    image = pixels(plots.image_html(fig(), ALT))
    assert image.shape[1] == 7 * plots.DPI
    assert (image[..., 3] == 1).all()
    assert (image[:3, :3, :3] == 1).all()
    assert image[..., :3].std() > 0.02  # something is drawn


def test_histogram_draws_what_it_is_given():
    values = np.concatenate([np.zeros(30), np.ones(70), [np.nan, np.inf]])
    fig = plots.histogram({"w": values, "q": np.ones(5)}, bins=2, marks={"amax": 1.0})
    shapes = fig.axes[0].patches
    assert [shape.get_path().vertices[:, 1].max() for shape in shapes] == [70, 5]
    assert {"w", "q", "amax"} <= set(texts(fig))
    with pytest.raises(CourseError, match="no finite value to plot in 'x'"):
        plots.histogram({"x": [np.nan]})
    with pytest.raises(CourseError, match="no finite value to plot: check"):
        plots.code_line([])


def test_bars_carry_their_numbers():
    fig = plots.bars({"FP32": 177, "INT8": 44.25}, unit="kB", reference=("quarter", 44.25))
    assert {"177 kB", "44.25 kB", "FP32", "INT8", "quarter"} <= set(texts(fig))
    assert [bar.get_width() for bar in fig.axes[0].containers[0]] == [177, 44.25]
    for bad in ({}, {"a": float("nan")}):
        with pytest.raises(CourseError, match="finite number"):
            plots.bars(bad)


def test_curves_differ_in_more_than_colour():
    fig = plots.curves(
        [1, 2], {name: [1, 2] for name in "abcdef"}, xlabel="bits", ylabel="MSE", logy=True
    )
    lines = fig.axes[0].get_lines()
    assert [to_hex(line.get_color()).upper() for line in lines] == plots.COLOURS
    assert len({line.get_marker() for line in lines}) == 6
    assert fig.axes[0].get_yscale() == "log"


def test_code_line_points_at_the_nearest_code():
    fig = plots.code_line({"INT2": [-1, 0, 1, 1]}, points=[0.4, 0.6])
    ax = fig.axes[0]
    ticks = ax.collections[0].get_segments()
    assert [segment[0, 0] for segment in ticks] == [-1, 0, 1]
    arrows = [note.xy[0] for note in ax.texts]
    assert arrows == [0, 1]


@pytest.mark.parametrize("alt", ["", " " * 40, "a plot", "nineteen characters", None, 7])
def test_no_figure_without_alt_text(alt):
    with pytest.raises(ValueError, match="alt needs 20 characters or more"):
        plots.show(plots.bars({"a": 1}), alt=alt)


def test_alt_text_is_escaped_and_printed_outside_a_notebook(capsys):
    html = plots.image_html(plots.bars({"a": 1}), 'Bars: "a" < b & <script>alert()</script>')
    assert 'alt="Bars: &quot;a&quot; &lt; b &amp; &lt;script&gt;' in html
    plots.show(plots.bars({"a": 1}), alt=f"  {ALT} ")
    assert capsys.readouterr() == (ALT + "\n", "")


def draw(bits=8, kind="int"):
    if bits == 7:
        raise RuntimeError("no <seven>")
    return plots.code_line(range(2**bits)), f"The {2**bits} codes of {kind}{bits}, evenly spaced."


def test_a_slider_redraws_the_figure():
    box, html, alt = build(draw, bits=(2, 8, 1), kind=["int", "uint"])
    bits, kind, picture = box.children
    assert alt == "The 256 codes of int8, evenly spaced."
    assert picture.value == html
    bits.value = 3
    assert 'alt="The 8 codes of int3, evenly spaced."' in picture.value
    assert not np.array_equal(pixels(picture.value), pixels(html))
    kind.value = "uint"
    assert "codes of uint3" in picture.value
    bits.value = 7
    assert picture.value == "<pre>RuntimeError: no &lt;seven&gt;</pre>"
    bits.value = 2
    assert "The 4 codes" in picture.value


def test_the_figure_is_drawn_once_for_each_position():
    seen = []

    def count(bits=4):
        seen.append(bits)
        return draw(bits)

    box, _, _ = build(count, bits=(2, 8, 1))
    box.children[0].value = 5
    assert seen == [4, 5]


def test_explore_refuses_what_it_cannot_show(capsys):
    with pytest.raises(CourseError, match="return fig,"):
        explore(lambda bits=3: plots.code_line(range(bits)), bits=(2, 8))
    with pytest.raises(CourseError, match="cannot make a control"):
        explore(draw, bits=object())
    with pytest.raises(ValueError, match="alt needs"):
        explore(lambda bits=3: (plots.code_line(range(bits)), "short"), bits=(2, 8))
    explore(draw, bits=(2, 8, 1))
    assert capsys.readouterr() == ("The 256 codes of int8, evenly spaced.\n", "")


@pytest.mark.slow
def test_in_a_kernel():
    """Both faces of explore, show's bundle, and the rendering of an error, from a real kernel."""
    cells = [
        f"from lab.plots import *\nshow(bars({{'a': 4, 'b': 1}}), alt={ALT!r})",
        "def draw(bits=4):\n"
        "    return code_line(range(2**bits)), f'The {2**bits} codes, evenly spaced.'\n"
        "explore(draw, bits=(2, 8, 1))",
        "from lab.profile import use_profile\nuse_profile('tpu')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True)
    client.execute()
    for cell in notebook.cells:
        assert not [out for out in cell.outputs if out.output_type == "stream"]
    shown, explored, failed = (cell.outputs for cell in notebook.cells)
    assert [out.output_type for out in shown + explored] == ["display_data"] * 2
    assert shown[0].data["text/plain"] == ALT
    assert pixels(shown[0].data["text/html"]).shape[1] == 7 * plots.DPI
    assert 'alt="The 16 codes' in explored[0].data["text/html"]
    assert explored[0].data["text/plain"] == "The 16 codes, evenly spaced."
    assert "model_id" in explored[0].data["application/vnd.jupyter.widget-view+json"]
    assert failed[0].traceback == ['CourseError: PROFILE is \'tpu\': set it to "cpu" or "gpu".']
