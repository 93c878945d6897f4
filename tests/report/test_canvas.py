"""What all drawings share."""

from __future__ import annotations

from surgenas.report.canvas import blank, draw_limit, errors


def test_a_limit_is_a_line_once_there_is_one():
    figure = blank("x", "y")
    draw_limit(figure, None)
    assert not figure.layout.shapes
    draw_limit(figure, 2.5)
    assert [shape.x0 for shape in figure.layout.shapes] == [2.5]
    assert figure.layout.annotations[0].text == "limit"


def test_bars_are_as_wide_as_the_doubt_and_missing_where_something_was_not_timed():
    assert errors([(2.0, 0.1), (4.0, 0.5)], "red") == {"array": [0.2, 2.0], "color": "red"}
    assert errors([(2.0, 0.1), (4.0, None)], "red") is None
