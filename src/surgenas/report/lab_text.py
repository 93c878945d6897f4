"""What a person reads in the terminal after a comparison of searches."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from surgenas.core.units import show_ms, show_seconds
from surgenas.report.text import draw

Facts = dict[str, Any]


def improvement_table(found: Facts) -> str:
    """Relative improvement with its interval, both means and how many they are of; search cost."""
    table = Table("data", "method", "limit", "found", "against random", "", "RI", "95 % interval", "", box=None)
    for row in found["rows"]:
        first = (row["data"], row["method"], show_ms(row["limit_ms"]), _mean(row["found"]))
        table.add_row(*first, "of any latency", _mean(row["random"]), *_improved(row["ri"]))
        if row["ri_at_equal_latency"]:
            equal = row["random at equal latency"]
            table.add_row(*[""] * 4, "of equal latency", _mean(equal), *_improved(row["ri_at_equal_latency"]))
    cost = [
        f"{row['data']}, {row['method']}: a search takes {show_seconds(row['search_seconds'])}, as long as "
        f"{row['search_in_trainings']:.1f} trainings"
        for row in found["rows"]
    ]
    notes = [
        "means of test accuracy, in brackets of how many; RI = 100 (found - random) / random, in %",
        "random: of the method's own space, trained alike. Searches are counted with measuring and predicting:",
    ]
    return "\n".join([draw(table), *notes, *cost])


def _mean(group: Facts) -> str:
    return f"{group['mean']:.2f} % ({group['n']})" if group["n"] else "none"


def _improved(ri: Facts) -> tuple[str, str, str]:
    interval = f"{ri['low']:+.2f} to {ri['high']:+.2f}" if ri["low"] is not None else "-"
    return f"{ri['value']:+.2f}", interval, ri["said"]
