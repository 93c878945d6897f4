"""A page is one file: the script is in it, names are escaped, and a figure says what it shows."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs_version

from surgenas.report.drawing import drawing_script, figure_html, small_page


def test_the_script_is_the_part_of_what_plotly_draws_for():
    """Figures are written for the version that plotly's Python package has."""
    assert f"plotly.js (basic - minified) v{get_plotlyjs_version()}" in drawing_script()[:200]
    assert "MIT license" in drawing_script()[:300]
    assert len(drawing_script()) < 1.3e6


def test_a_figure_says_what_it_shows():
    figure = go.Figure().add_scatter(x=[1, 2], y=[3, 4])
    assert "aria-label" not in figure_html(figure)
    assert figure_html(figure, 'a "line"').startswith('<div role="img" aria-label="a &quot;line&quot;">')


def test_a_small_page_stands_alone_and_escapes_its_title():
    text = small_page("<b>$title", go.Figure(), "<p>below").decode()
    assert "<title>&lt;b&gt;$title</title>" in text
    assert text.rstrip().endswith("<p>below</html>")
    assert "src=" not in text[:1200] + text[-4000:]
