"""What is left of a network that was made smaller? For each of its parts how much was kept, as a bar in a bar."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from surgenas.core.capabilities import Kept

NOTE = "Dark: what was kept. Parts of blocks that were taken out are left out."


def table(found: Sequence[Kept]) -> str:
    """The parts in the order of the network, in HTML."""
    rows = "".join(
        f"<tr><td>{escape(row.kind)}<td>{escape(row.part)}<td>{escape(row.said)}"
        f'<td class=wide><div class=whole><div class=bar style="width:{row.share:.0%}"></div></div>'
        for row in found
    )
    head = "<tr><th>what<th>where<th>kept<th>"
    return f'<table class=net>{head}{rows}</table><p class="note">{NOTE}</p>'
