"""Quantities that may be unknown."""

from __future__ import annotations

import pytest

from surgenas.hardware.timed.comparison import Comparison
from surgenas.report.words import scale_note, show_comparison, show_interval, show_known_ms, show_percent


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        (None, "-"),
        (Comparison(0.5, (0.5, 0.5), tie=False), "0.50"),
        (Comparison(1.0, (1.0, 1.0), tie=True), "1.00, tie"),
        (Comparison(1.08, (1.06, 1.1), tie=False), "1.08 (1.06-1.10)"),
        (Comparison(1.0, (0.98, 1.02), tie=True), "1.00 (0.98-1.02), tie"),
    ],
)
def test_a_ratio_is_as_sure_as_it_is(comparison, said):
    assert show_comparison(comparison) == said


def test_what_is_unknown_is_a_dash():
    assert show_percent(None) == show_known_ms(None) == show_interval(None) == "-"
    assert (show_percent(0.125), show_known_ms(1.234), show_interval((1.0, 2.0))) == (
        "12.50%",
        "1.23 ms",
        "1 ms to 2 ms",
    )


def test_what_a_millisecond_is_is_said_only_where_it_is_not_known_well():
    assert scale_note(None) == scale_note(0.02) == []
    (line,) = scale_note(0.5)
    assert "is here is known within 50% only" in line
    (line,) = scale_note(0.5, ["a", "b"])
    assert "is here, for a, b, is known within 50% only" in line
