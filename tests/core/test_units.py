"""Quantities as people write them."""

from __future__ import annotations

import pytest

from surgenas.core.errors import UsageError
from surgenas.core.units import parse_latency_ms, parse_seconds, show_ms


@pytest.mark.parametrize(("text", "ms"), [("4ms", 4), ("0.5 s", 500), ("800us", 0.8), ("800µs", 0.8), ("1e-1ms", 0.1)])
def test_latency(text, ms):
    assert parse_latency_ms(text) == pytest.approx(ms)


@pytest.mark.parametrize("text", ["0ms", "-1ms", "4", "ms", "4kg", "nanms", "infms", "1e999ms", ""])
def test_bad_latency_names_the_text_and_a_valid_one(text):
    with pytest.raises(UsageError, match="for example 4ms"):
        parse_latency_ms(text)


def test_seconds():
    assert [parse_seconds(t) for t in ("90s", "30m", "2h")] == [90, 1800, 7200]


def test_milliseconds_are_shown_with_three_digits():
    assert [show_ms(v) for v in (0.15678, 4.0, 123.4)] == ["0.157 ms", "4 ms", "123 ms"]
