"""What a target counts is written and read with units of bytes where these are counted, and as plain numbers else."""

from __future__ import annotations

import pytest

from surgenas.core.amounts import read_amount, show_amount
from surgenas.core.errors import UsageError


@pytest.mark.parametrize(
    ("unit", "given", "expected"),
    [("sram", "256KB", 262144), ("flash", "1.5 MiB", 1572864), ("flash", 1000, 1000), ("DSP", 360, 360),
     ("mJ", 0.5, 0.5)],
)  # fmt: skip
def test_an_amount_is_a_number_or_text_with_a_unit_of_bytes(unit, given, expected):
    assert read_amount(unit, given) == expected


@pytest.mark.parametrize(
    ("unit", "given", "why"),
    [
        ("sram", "256ms", "--limit sram '256ms': expected a number and a unit .b, kb, .*for example 256KB"),
        ("sram", "-1KB", "must be above zero"),
        ("sram", 0, "--limit sram=0: expected a number of bytes, for example 256KB"),
        ("sram", True, "expected a number of bytes"),
        ("DSP", "3KB", "--limit DSP=3KB: expected a number above zero"),
        ("DSP", float("inf"), "expected a number above zero"),
        ("DSP", None, "expected a number above zero"),
    ],
)
def test_what_is_no_amount_is_refused_with_an_example(unit, given, why):
    with pytest.raises(UsageError, match=why):
        read_amount(unit, given)


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [("sram", 78336, "76.5 KB of sram"), ("flash", 2**21, "2 MB of flash"), ("DSP", 360, "360 DSP"),
     ("cycles", 219275.0, "219,275 cycles"), ("mJ", 0.1234, "0.123 mJ")],
)  # fmt: skip
def test_an_amount_is_shown_with_its_unit(unit, value, said):
    assert show_amount(unit, value) == said
