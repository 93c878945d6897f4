"""Which test images does the found network judge worst? Thumbnails for the page, with what was said of each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from surgenas.tasks.misjudged import Misjudged


def section(found: Sequence[Misjudged], classes: Sequence[str], strip: bytes) -> str:
    """The section of a page about these images; empty if there are none. classes: their names. strip: the thumbnails of
    all of them side by side, as JPEG."""
    if not found or not strip:
        return ""
    count = len(found)
    tiles = "".join(_tile(one, classes, 100 * i / max(1, count - 1)) for i, one in enumerate(found))
    source = f"url(data:image/jpeg;base64,{b64encode(strip).decode()})"
    style = f"<style>.shot {{ background-image: {source}; background-size: {100 * count}% 100% }}</style>"
    note = (
        "Of the test images that were said wrongly those whose own class the network gives the least probability, the "
        "worst first. A wrong label shows here."
    )
    head = f"<section><h2>Worst-judged test images</h2>{style}"
    return f'{head}<div class=shots>{tiles}</div><p class="note">{note}</p></section>'


def _tile(one: Misjudged, classes: Sequence[str], place: float) -> str:
    """place: of the thumbnail in the strip, in percent."""
    label, said = escape(classes[one.label]), escape(classes[one.said])
    return (
        f"<figure><div class=shot role=img aria-label='{label}' style='background-position: {place:.4f}% 0'></div>"
        f"<figcaption><b>{label}</b> · {_percent(one.probability)}<br>"
        f"said {said} · {_percent(one.said_probability)}</figcaption></figure>"
    )


def _percent(probability: float) -> str:
    if probability < 0.0001:
        return "under 0.01%"
    return f"{probability:.2%}" if probability < 0.01 else f"{probability:.0%}"
