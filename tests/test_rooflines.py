"""The drawing of a roofline: its lines meet at the ridge, its points lie where they should."""

import numpy as np
import pytest

from lab.errors import CourseError
from lab.rooflines import roofline


def _lines(fig):
    return {line.get_label().split(",")[0]: line.get_xydata() for line in fig.axes[0].get_lines()}


def test_slope_and_roof_meet_at_the_ridge():
    lines = _lines(roofline({"FP32": 8e9}, {"memory": 2e9}))
    slope, roof = lines["memory"], lines["FP32"]
    assert np.allclose(slope[:, 1], 2e9 * slope[:, 0])
    assert slope[-1] == pytest.approx([4.0, 8e9])
    assert roof[0] == pytest.approx([4.0, 8e9]) and roof[-1][1] == 8e9


def test_several_ceilings_and_points_are_inside_the_figure():
    points = {"add": (0.1, 1e8), "GEMM": (100.0, 7e9), "tiny": (2.0, 1e5)}
    fig = roofline({"FP32": 8e9, "INT8": 3e10}, {"memory": 2e9, "L2": 9e9}, points, title="here")
    ax = fig.axes[0]
    assert {"FP32", "INT8", "memory", "L2"} <= set(_lines(fig))
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    assert all(left < x < right and low < y < high for x, y in points.values())
    drawn = _lines(fig)
    assert all(tuple(drawn[name][0]) == place for name, place in points.items())
    assert {text.get_text() for text in ax.get_legend().get_texts()} >= set(points)
    assert ax.get_xscale() == ax.get_yscale() == "log"


@pytest.mark.parametrize(
    ("peaks", "bandwidths", "points"),
    [
        ({}, {"memory": 1e9}, None),
        ({"FP32": 1e9}, {}, None),
        ({"FP32": 0.0}, {"memory": 1e9}, None),
        ({"FP32": 1e9}, {"memory": float("inf")}, None),
        ({"FP32": 1e9}, {"memory": 1e9}, {"add": (0.0, 1e6)}),
    ],
)
def test_numbers_that_no_logarithm_has_are_refused(peaks, bandwidths, points):
    with pytest.raises(CourseError, match="above 0"):
        roofline(peaks, bandwidths, points)
