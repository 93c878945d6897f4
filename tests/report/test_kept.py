"""What is left of a network that was made smaller, as bars."""

from __future__ import annotations

from surgenas.core.capabilities import Kept
from surgenas.report.kept import NOTE, table


def test_each_part_has_a_bar_as_long_as_its_share_and_names_are_escaped():
    text = table((Kept("width", "<b>stem", "8 of 16", 0.5), Kept("block", "two", "off", 0.0)))
    assert "<td>width<td>&lt;b&gt;stem<td>8 of 16" in text
    assert text.count('style="width:50%"') == 1
    assert text.count('style="width:0%"') == 1
    assert NOTE in text
