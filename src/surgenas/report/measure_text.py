"""The text that `surgenas measure` prints: a table for each target, and what is to be doubted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.markup import escape
from rich.table import Table

from surgenas.core.amounts import show_count
from surgenas.core.cost import AREA, ENERGY, Estimate
from surgenas.core.units import show_ms
from surgenas.hardware.timed.measurement import CROWD, MIN_QUIET, Measurement
from surgenas.report.words import UNSURE, draw, scale_note, show_comparison, show_known_ms, show_percent
from surgenas.studies.measure import Measured, Measurements

NOTICED = 0.05
"""Disturbed memory is mentioned if it may slow networks by more than this share."""
TITLES = {ENERGY: "energy (mJ), modelled", AREA: "area (mm2), modelled"}
"""Columns that need more words than their unit."""
BUSY = 0.25
"""Other programs are mentioned if they use more than this share of the processor; a device that is busy from the first
measurement on is taken for a slow one."""


def measurement_table(found: Measurements) -> str:
    """The networks in a table for each target. Networks whose measured places overlap tie; failed ones say why."""
    tables = [list(rows) for _, rows in groupby(found.measurements, lambda row: row.on)]
    return "\n\n".join(
        _one_estimator(rows) if rows[0].evidence == "estimated" else _one_device(rows) for rows in tables
    )


def _one_estimator(rows: Sequence[Measured]) -> str:
    """The table of an estimator, with all its units and assumptions."""
    known = [row.cost for row in rows if isinstance(row.cost, Estimate)]
    units = [unit for unit in known[0].values if unit != "ms"] if known else []
    trained = any(row.accuracy is not None for row in rows)
    names = (
        "rank",
        "network",
        "estimated",
        *(TITLES.get(unit, unit) for unit in units),
        "/ MobileNetV2",
        *(["test accuracy"] if trained else []),
    )
    table = Table(*names, box=None)
    for row in rows:
        if row.cost is None:
            table.add_row("-", escape(row.name), "failed")
            continue
        counts = (show_count(row.cost.values[unit]) for unit in units)
        accuracy = [show_percent(row.accuracy)] if trained else []
        beside = show_comparison(row.to_mobilenetv2)
        table.add_row(_rank(row), escape(row.name), show_ms(row.cost.ms), *counts, beside, *accuracy)
    lines = [draw(table), f"{rows[0].on}: {rows[0].device}"]
    return "\n".join(
        [*lines, *_assumed(rows), *_notes(rows), *_errors(rows), *(_shares(row) for row in rows if row.layers)]
    )


def _assumed(rows: Sequence[Measured]) -> list[str]:
    """What the tool takes for granted: of all networks alike, then of one alone."""
    known = {row.name: row.cost for row in rows if isinstance(row.cost, Estimate)}
    if not known:
        return []
    first = next(iter(known.values()))
    shared = [said for said in first.assumptions if all(said in cost.assumptions for cost in known.values())]
    own = {name: [said for said in cost.assumptions if said not in shared] for name, cost in known.items()}
    said = f"estimated by {first.tool} {first.version}; nothing ran. {' '.join(shared)}"
    return [said, *(f"{name}: {' '.join(notes)}" for name, notes in own.items() if notes)]


def _one_device(rows: Sequence[Measured]) -> str:
    trained = any(row.accuracy is not None for row in rows)
    names = ("rank", "network", "latency", "+-", "grade", "p90 (wall)", "/ MobileNetV2", "size", "max diff / logit")
    table = Table(*names, *(["test accuracy"] if trained else []), box=None)
    known = [(row, row.cost) for row in rows if isinstance(row.cost, Measurement)]
    for row in rows:
        m = row.cost
        if not isinstance(m, Measurement):
            table.add_row("-", escape(row.name), "failed")
            continue
        table.add_row(
            _rank(row), escape(row.name), show_ms(m.ms), f"{m.ms_doubt:.1%}", m.ms_grade, show_known_ms(m.p90_ms),
            show_comparison(row.to_mobilenetv2), f"{m.model_bytes / 1e6:.1f} MB", f"{m.max_difference:.1e}",
            *([show_percent(row.accuracy)] if trained else []),
        )  # fmt: skip
    campaigns = max((len(m.campaigns_ms) for _, m in known), default=0)
    how = f", median of {campaigns} campaigns in fresh processes" if campaigns > 1 else ""
    lines = [draw(table), f"{rows[0].on}: {rows[0].device}{how}", *_doubts(known)]
    lines += [
        f"{row.name}: {show_ms(m.steady_ms)} back to back; ranked by what it takes in turn with others"
        for row, m in known
        if m.steady_ms
    ]
    return "\n".join([*lines, *_notes(rows), *_errors(rows), *(_shares(row) for row in rows if row.layers)])


def _doubts(known: Sequence[tuple[Measured, Measurement]]) -> list[str]:
    """Notes on the machine that a reader needs before relying on the numbers."""
    unsure = [row.name for row, m in known if m.scale_doubt > UNSURE]
    widest = max((m.scale_doubt for _, m in known), default=0.0)
    lines = scale_note(widest, unsure if len(unsure) < len(known) else ())
    if floor := max((m.floor for _, m in known), default=0.0):
        lines.append(f"one network under two names differs by up to {floor:.1%} here: closer latencies tie")
    if poor := [row.name for row, m in known if m.grade == "D"]:
        lines.append(f"too noisy to say (grade D): {', '.join(poor)}; measure again when the machine is idle")
    context = [m.context for _, m in known]
    if (elsewhere := max((c.get("used_elsewhere", 0.0) for c in context), default=0.0)) > BUSY:
        crowd = [row.name for row, m in known if m.context.get("crowded", 0.0) > CROWD]
        also = f", and left too few cores to {', '.join(crowd)}: grade D" if crowd else ""
        lines.append(f"other programs used {elsewhere:.0%} of the processor meanwhile{also}")
    if any(c.get("quiet_rounds", MIN_QUIET) < MIN_QUIET for c in context):
        lines.append("the device was hardly ever as fast as it is known to be (busy, hot or changed): grade C at best")
    if (memory := max((c.get("memory", 0.0) for c in context), default=0.0)) > NOTICED:
        lines.append(f"others use caches and memory: networks of many weights may be up to {memory:.0%} off")
    return lines


def _rank(row: Measured) -> str:
    best, worst = row.rank or (0, 0)
    return str(best) if best == worst else f"{best}-{worst}"


def _notes(rows: Sequence[Measured]) -> list[str]:
    return [f"{row.name}: {note}" for row in rows for note in row.notes]


def _errors(rows: Sequence[Measured]) -> list[str]:
    return [f"{row.name}: {row.error}" for row in rows if row.error is not None]


def _shares(row: Measured) -> str:
    table = Table("part", "share of latency", box=None, title=escape(row.name), title_justify="left")
    for part, share in (row.layers or {}).items():
        table.add_row(escape(part), f"{share:.1%}")
    return draw(table)
