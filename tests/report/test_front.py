"""Trade-offs are a table with a column for all that is counted."""

from __future__ import annotations

from surgenas.report.front import section
from surgenas.runs.front import TradeOff


def as_text(head, rows):
    return "\n".join(" | ".join(map(str, row)) for row in (head, *rows))


def test_each_candidate_is_a_row_with_what_it_needs():
    found = section([TradeOff("k3e3", 0.5, 1.0, {"DSP": 328.0}), TradeOff("k5e6", 0.75, 2.5, {"DSP": 360.0})], as_text)
    assert "network | accuracy held out | latency | DSP" in found
    assert "k5e6 | 75.0% | 2.5 ms | 360 DSP" in found


def test_no_candidates_no_section():
    assert section([], as_text) == ""
