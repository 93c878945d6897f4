"""The found network as a row of boxes: as tall as its resolution, as wide as its channels, the darker the longer it
takes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from surgenas.runs.results import Layer

TALL, LOW, WIDE, NARROW, GAP = 120.0, 14.0, 56.0, 20.0, 5.0
"""The height of the largest and the least box, the width of the widest and the least, and what lies between; in px."""
ABOVE, BELOW, BESIDE = 18.0, 84.0, 40.0
"""Room for the resolution above the boxes, for the names below, and for the last name."""


def network_drawing(layers: Sequence[Layer]) -> str:
    """An SVG; empty for a network whose parts have no names. Layers that are skipped are dashed."""
    if not layers:
        return ""
    side = max(_pixels(row) for row in layers)
    channels = max(row.out_shape[0] for row in layers)
    share = max((row.share or 0.0 for row in layers), default=0.0)
    x, parts, before = GAP, [], 0
    for row in layers:
        width = max(NARROW, WIDE * row.out_shape[0] / channels)
        height = max(LOW, TALL * _pixels(row) / side)
        shade = 0.12 + 0.78 * (row.share or 0.0) / share if share else 0.3
        parts.append(_box(row, x, width, height, shade))
        if len(row.out_shape) > 1 and _pixels(row) != before:
            before = _pixels(row)
            parts.append(f'<text x="{x:.1f}" y="{ABOVE + TALL - height - 5:.1f}">{before} px</text>')
        x += width + GAP
    wide, tall = x + BESIDE, ABOVE + TALL + BELOW
    size = f'viewBox="0 0 {wide:.0f} {tall:.0f}" width="{wide:.0f}" height="{tall:.0f}"'
    said = f"The network: {len(layers)} parts from the image on the left to the classes on the right"
    return f'<svg class="boxes" {size} role="img" aria-label="{said}">{"".join(parts)}</svg>'


def _pixels(row: Layer) -> int:
    """The height of its output; 1 for what has none."""
    return row.out_shape[1] if len(row.out_shape) > 1 else 1


def _box(row: Layer, x: float, width: float, height: float, shade: float) -> str:
    top, middle, foot = ABOVE + TALL - height, x + width / 2, ABOVE + TALL + 12
    shape = " x ".join(map(str, row.out_shape))
    taken = "" if row.share is None else f", {row.share:.1%} of the latency"
    tip = escape(f"{row.name}: {row.operator}, output {shape}, {row.macs / 1e6:.2f} MMACs{taken}")
    fill = 'class="none"' if row.operator == "skip" else f'fill-opacity="{shade:.2f}"'
    name = escape(row.operator if row.operator != "fixed" else row.name)
    return (
        f'<g><title>{tip}</title><rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
        f'{fill}/><text transform="translate({middle - 3:.1f} {foot:.1f}) rotate(60)">{name} · '
        f"{row.out_shape[0]}</text></g>"
    )
