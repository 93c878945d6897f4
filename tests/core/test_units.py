"""Quantities as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.errors import UsageError
from surgenas.core.units import (
    parse_bytes,
    parse_latency_ms,
    parse_seconds,
    show_bytes,
    show_ms,
    show_seconds,
    show_sides,
)


@pytest.mark.parametrize(("text", "ms"), [("4ms", 4), ("0.5 s", 500), ("800us", 0.8), ("800µs", 0.8), ("1e-1ms", 0.1)])
def test_latency(text, ms):
    assert parse_latency_ms(text) == pytest.approx(ms)


@pytest.mark.parametrize("text", ["0ms", "-1ms", "4", "ms", "4kg", "nanms", "infms", "1e999ms", ""])
def test_bad_latency_names_the_text_and_a_valid_one(text):
    with pytest.raises(UsageError, match="for example 4ms"):
        parse_latency_ms(text)


@pytest.mark.parametrize(("text", "count"), [("256KB", 262144), ("1.5 mib", 1572864), ("80B", 80), ("1GB", 2**30)])
def test_bytes(text, count):
    assert parse_bytes(text, "--limit sram") == count


def test_bad_bytes_name_the_option_and_a_valid_value():
    with pytest.raises(UsageError, match=r"--limit sram '4ms': expected .* for example 256KB"):
        parse_bytes("4ms", "--limit sram")


def test_bytes_are_shown_in_kb_and_mb_of_1024():
    assert [show_bytes(v) for v in (512, 78336, 2**20, 10**7, 3 * 2**30)] == [
        "0.5 KB",
        "76.5 KB",
        "1 MB",
        "9.54 MB",
        "3 GB",
    ]


def test_seconds():
    assert [parse_seconds(t) for t in ("90s", "30m", "2h")] == [90, 1800, 7200]


def test_milliseconds_are_shown_with_three_digits():
    assert [show_ms(v) for v in (0.15678, 4.0, 123.4)] == ["0.157 ms", "4 ms", "123 ms"]


@given(
    st.floats(1e-3, 1e6),
    st.sampled_from([("us", 1e-3), ("US", 1e-3), ("µs", 1e-3), ("ms", 1.0), ("Ms", 1.0), ("s", 1e3)]),
)
@settings(max_examples=40, deadline=None)
def test_what_is_written_with_any_unit_is_read(number, unit):
    text = f" {number:.6f} {unit[0]} "
    assert parse_latency_ms(text) == pytest.approx(float(f"{number:.6f}") * unit[1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", r"--time-limit '5': expected a number and a unit \(s, m, min, h\), for example 90s, 30m or 2h"),
        ("5ms", "expected a number and a unit"),
        ("0s", "must be above zero, for example 90s"),
        ("-3m", "must be above zero"),
    ],
)
def test_bad_seconds_name_the_option_and_a_valid_value(text, said):
    with pytest.raises(UsageError, match=said):
        parse_seconds(text)


def test_the_option_that_was_wrong_is_the_one_named():
    with pytest.raises(UsageError, match="--target 'soon': expected"):
        parse_latency_ms("soon", "--target")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "60 s"), (119, "119 s"), (120, "2.0 min"), (5400, "90.0 min")]
)
def test_seconds_become_minutes_from_two_on(seconds, text):
    assert show_seconds(seconds) == text


def test_a_square_is_one_number():
    assert (show_sides(96, 96), show_sides(64, 256)) == ("96", "64x256")
