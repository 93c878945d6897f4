"""The page of a Comfort Zone: points with intervals where they were timed, what latency may become as a line."""

from __future__ import annotations

import pytest

from surgenas.report.scale_page import write_scale_page
from surgenas.studies.scale import Growth, Point


def point(scale, interval=(0.9, 1.1)):
    grade = "A" if interval else None
    return Point(scale, 1.0 * scale, 1e6, 1e5, 1, 1e9, 10.0, interval, grade, scale == 1.0)


@pytest.mark.parametrize("interval", [(0.9, 1.1), None])
def test_a_zone_is_drawn_whether_it_was_timed_or_not(tmp_path, interval):
    points = (point(1.0, interval), point(1.5, interval))
    found = Growth("<dev>", "width", 0.03, points, None, None, "the Comfort Zone is empty here")
    text = write_scale_page(found, tmp_path).read_text()
    assert "the Comfort Zone is empty here" in text
    assert "<dev>" not in text[-6000:]
    assert ('"error_y":{"array"' in text.replace(" ", "")[-20000:]) == (interval is not None)
