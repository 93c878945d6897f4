"""What `surgenas quantize` prints: the network in three mixes of precisions, and which layers are in int8."""

from __future__ import annotations

from rich.table import Table

from surgenas.core.cost import show_cost
from surgenas.core.units import show_bytes, show_ms
from surgenas.report.words import draw, show_percent
from surgenas.studies.quantize import Quantized

SHOWN = 8
"""Layers in the second table."""


def mixes_table(found: Quantized) -> str:
    """A row for each mix; then the layers whose rounding is expected to cost most, and the files."""
    table = Table("mix", "layers in int8", "weights", "latency", "sum over layers", "test accuracy", box=None)
    total = len(found.layers)
    for mix in found.mixes:
        table.add_row(
            mix.name, f"{mix.in_int8} of {total}", show_bytes(mix.weight_bytes), show_cost(mix.cost),
            show_ms(mix.predicted_ms), show_percent(mix.accuracy),
        )  # fmt: skip
    costly = sorted(found.layers, key=lambda row: -row.loss)[:SHOWN]
    rows = Table("most sensitive layers", "loss", "fp32", "int8", "is in", box=None)
    for row in costly:
        rows.add_row(
            row.name, f"{row.loss:.1e} +-{row.doubt:.0e}", show_ms(row.fp32_ms), show_ms(row.int8_ms),
            "int8" if row.in_int8 else "fp32",
        )  # fmt: skip
    limits = [show_ms(found.limit_ms)] if found.limit_ms else []
    limits += [f"{show_bytes(found.most_bytes)} of weights"] if found.most_bytes else []
    return "\n".join(
        [
            f"limit {' and '.join(limits)} on {found.device}",
            draw(table),
            "",
            draw(rows),
            f"wrote {', '.join(found.files)}",
        ]
    )
