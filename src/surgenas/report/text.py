"""The text that commands print for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from surgenas.core.amounts import show_amount
from surgenas.core.cost import show_cost
from surgenas.core.units import show_bytes, show_ms, show_seconds
from surgenas.hardware.target import TargetInfo
from surgenas.report.by_class import class_line
from surgenas.report.explained import explained_line
from surgenas.report.words import (
    accuracy_note,
    cost_note,
    draw,
    scale_note,
    show_as_it_comes,
    show_comparison,
    show_known_ms,
    show_limit,
    show_percent,
    start_note,
)
from surgenas.runs.delivery import COMPARED
from surgenas.runs.foreseen import Plan
from surgenas.runs.names import FOUND
from surgenas.runs.resources import Resource
from surgenas.runs.results import Delivered, Predicted
from surgenas.runs.summary import Summary
from surgenas.studies.contest import Standings
from surgenas.studies.describe import Description, Unusable
from surgenas.studies.estimate import TableEstimate
from surgenas.studies.export import HandedOn
from surgenas.studies.operators import Operators
from surgenas.studies.scale import Growth
from surgenas.studies.train import TrainedFile

CEILING = (
    "noise ceiling: a second measurement in the place of a prediction, of a few of the networks; so by chance a "
    "predictor may seem to do better"
)
STEPS = {"profile": "learning latency", "search": "search", "train": "trainings", "other": "all else"}
"""What the parts of a plan are called in print."""
OFF_BY = "off by: mean error, as a share of the latency, or of a tenth of the median latency where that is more"


def summary_text(summary: Summary) -> str:
    """The end of a search: limit and latency, what the network is compared with, and where the files are."""
    latency = summary.latency
    assert latency.ms is not None, "a finished run has a latency"
    timed = latency.interval is not None
    names = ["network", "test accuracy", "latency", *(["grade"] if timed else []), "latency / found"]
    table = Table(*names, box=None, pad_edge=False)
    table.add_row(FOUND, show_percent(summary.accuracy.test), show_ms(latency.ms), *([latency.grade] if timed else []))
    for n in summary.beside:
        row = (n.name, show_percent(n.accuracy), show_known_ms(n.latency_ms), *([n.grade] if timed else []))
        table.add_row(*row, show_comparison(n.to_found))
    lines = [
        _claim(summary),
        draw(table),
        *(f"found   {note}" for note in accuracy_note(summary)),
        *resources_line(summary.resources),
        *start_note(summary.start, summary.started),
        *class_line(summary.classes),
        *explained_line(summary.explained),
        *cost_note(summary.cost, summary.seconds),
        f"ONNX    {summary.onnx}",
        *_device_lines(summary),
        f"report  {summary.report}",
        f"PyTorch model = surgenas.load({summary.run!r})",
        f"took {show_seconds(sum(summary.seconds.values()))}",
    ]
    return "\n".join(lines)


def plan_text(found: Plan) -> str:
    """What a search would do, and what it would take."""
    low, high = found.reachable_ms
    steps = ", ".join(f"{STEPS[name]} {show_seconds(seconds)}" for name, seconds in found.seconds.items() if seconds)
    table = Table.grid(padding=(0, 2))
    table.add_row("limit", f"{show_ms(found.limit_ms)}; networks take {show_ms(low)} to {show_ms(high)}")
    search = f"{found.epochs} epochs" if found.epochs else "none"
    table.add_row("images", f"{found.resolution} px, channels x {found.width:g}")
    table.add_row("search", f"{search}, then {found.train_epochs} epochs for each network that is trained")
    table.add_row("time", f"about {show_seconds(found.total_seconds)}: {steps}")
    table.add_row("memory", show_bytes(found.memory_bytes))
    return draw(table)


def resources_line(found: Sequence[Resource]) -> list[str]:
    """What the found network needs beside time, with the limits that were given; nothing where time alone counts."""
    told = [
        show_amount(one.unit, one.value) + (f" (limit {show_amount(one.unit, one.limit)})" if one.limit else "")
        for one in found
        if one.value
    ]
    return [f"found   needs {', '.join(told)}"] if told else []


def _device_lines(summary: Summary) -> list[str]:
    """Where the device's own files are, and how they compare; nothing where nothing runs."""
    delivered = summary.export.delivered if summary.export else None
    if delivered is None:
        return []
    files = ", ".join(str(Path(summary.run) / name) for name in delivered.digests)
    return [f"device  {files}", f"        {delivered_text(delivered)}"]


def _claim(summary: Summary) -> str:
    latency, share = summary.latency, summary.latency.of_limit
    assert share is not None, "there is a limit"
    ms, limit = latency.ms or 0.0, show_limit(summary.asked_ms, summary.limit_ms or 0.0, summary.latency_as)
    verdict = f"{'inside' if share.share <= 1 else 'MISSES'} the limit of {limit}"
    if latency.interval is None:
        return "\n".join([f"{latency.evidence} {show_ms(ms)}, {verdict}; nothing was timed", *latency.assumed])
    half = (latency.interval[1] - latency.interval[0]) / 2 / ms
    of_limit = f"{share.share:.1%} of it +-{share.doubt:.1%} (grade {share.grade})"
    claim = (
        f"measured {show_ms(ms)} +-{half:.1%} (grade {latency.grade}) in the machine's quiet state, predicted "
        f"{show_known_ms(latency.predicted_ms)}; {verdict}: {of_limit}"
    )
    return "\n".join([claim, *show_as_it_comes(latency.p50, latency.p90), *scale_note(latency.scale_doubt)])


def trained_text(found: TrainedFile) -> str:
    """The end of a training: its accuracy, and where the files are."""
    accuracy = f"test accuracy {show_percent(found.accuracy.test)}"
    return "\n".join([accuracy, *class_line(found.classes), f"model   {found.model}", f"ONNX    {found.onnx}"])


def export_text(found: HandedOn) -> str:
    """The files that were written, how they compare with PyTorch, and what they take if that was measured."""
    lines = [f"wrote {', '.join(found.files)}"]
    if found.delivered:
        lines.append(delivered_text(found.delivered))
    if found.cost:
        lines.append(show_cost(found.cost))
    return "\n".join(lines)


def delivered_text(found: Delivered) -> str:
    """How a device's files compare with PyTorch."""
    return (
        f"{found.file.precision} on {found.device}: test accuracy {found.accuracy:.2%}; beside PyTorch the same class "
        f"for {found.same_class:.0%} of {COMPARED} test images, logits differ by up to {found.difference:.1e}"
    )


def predictor_table(found: Predicted) -> str:
    """Predictors with their errors on held-out architectures; the noise ceiling comes last."""
    names = ("predictor", "Kendall", "Spearman", "off by", "near the limit", "within 5 %", "within 10 %", "mean ms")
    table = Table(*names, "RMSE ms", box=None)
    for s in (*found.scores, *([found.ceiling] if found.ceiling else [])):
        table.add_row(
            s.name, f"{s.kendall:.3f}", f"{s.spearman:.3f}", _share(s.off), _share(s.near_limit), f"{s.within_5:.0%}",
            f"{s.within_10:.0%}", "-" if s.mean_ms is None else f"{s.mean_ms:.4f}", f"{s.rmse_ms:.4f}",
        )  # fmt: skip
    ceiling = [CEILING] if found.ceiling else []
    return "\n".join([draw(table), OFF_BY, *ceiling, f"chosen: {found.chosen} ({found.why})"])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def contest_table(found: Standings) -> str:
    """Predictors by column and number of samples, as medians over seeds; and what cross-validation would choose."""
    names = ("column", "samples", "predictor", "Kendall", "Spearman", "off by", "within 5 %", "within 10 %", "mean ms")
    table = Table(*names, "RMSE ms", "fit s", box=None)
    for row in found.results:
        low, high = row.spearman.spread
        spread = f" ({low:.3f} to {high:.3f})" if found.seeds > 1 else ""
        table.add_row(
            row.column, str(row.train), row.predictor, f"{row.kendall.median:.3f}",
            f"{row.spearman.median:.3f}{spread}", f"{row.off.median:.1%}", f"{row.within_5.median:.0%}",
            f"{row.within_10.median:.0%}", f"{row.mean_ms.median:.3g}", f"{row.rmse_ms.median:.3g}",
            f"{row.fit_seconds.median:.1f}",
        )  # fmt: skip
    chosen = [f"{c.column}, {c.train} samples: {c.predictor} ({c.why})" for c in found.chosen]
    how = f"medians over {found.seeds} draws of samples" if found.seeds > 1 else "one draw of samples"
    return "\n".join([draw(table), f"{how}, picked {found.pick}", OFF_BY, "chosen:", *chosen])


def operators_table(found: Operators) -> str:
    """For each device its operators, the best first, and the file of the remaining space."""
    parts = []
    for name, chosen in found.devices.items():
        table = Table("operator", "capacity", "latency", "score", "", box=None, title=f"{name}: {chosen.device}")
        for row in chosen.operators:
            numbers = ("-" if v is None else f"{v:.2f}" for v in (row.capacity, row.latency, row.score))
            table.add_row(row.operator, *numbers, "kept" if row.kept else f"dropped: {escape(row.why)}")
        also = "\n".join(f"with {how}: {pool}" for how, pool in chosen.others.items())
        parts.append(f"{draw(table)}\n{also}\nnext: surgenas search --space {chosen.space}")
    note = "latency over the pool's median, capacity of FLOPs and parameters; means over layers"
    return "\n\n".join([*parts, note, f"drawn in {found.report}"])


def device_table(found: Mapping[str, TargetInfo | Unusable]) -> str:
    """Every shipped target: whether it measures or estimates, or why it cannot be used."""
    table = Table("device", "runtime", "precision", "threads", "batch", "latency is", box=None)
    for name, row in found.items():
        if isinstance(row, Unusable):
            table.add_row(name, "", "", "", "", escape(row.unusable))
        else:
            threads = "-" if row.evidence == "estimated" else str(row.threads)
            table.add_row(name, row.runtime, row.precision, threads, str(row.batch), row.evidence)
    return f"{draw(table)}\nyour own: a TOML file in a device's place (docs/how_to/add_a_target.md)"


def scale_table(found: Growth) -> str:
    """Every measured scale, marked if it is inside the Comfort Zone, and what was picked."""
    table = Table(found.knob, "latency", "grade", "MMACs", "GFLOP/s", "FLOP/byte", "", box=None)
    for p in found.points:
        table.add_row(
            f"x {p.scale:.2f}", show_ms(p.latency_ms), p.grade or "-", f"{p.macs / 1e6:.1f}",
            f"{p.flops_per_s / 1e9:.1f}", f"{p.intensity:.1f}", "inside" if p.inside else "",
        )  # fmt: skip
    lines = [draw(table), f"on {found.device}", found.verdict]
    if found.accuracy:
        lines.append(f"test accuracy {found.accuracy.before:.2%} before, {found.accuracy.after:.2%} after")
    lines.append(f"report  {found.report}")
    return "\n".join(lines)


def estimate_table(found: TableEstimate) -> str:
    """The latency by a table, layer by layer and in sum."""
    table = Table("layer", "operator", "ms", box=None)
    for row in found.layers:
        table.add_row(row.name, row.operator, f"{row.ms:.4f}")
    lines = [draw(table), f"everything else: {found.fixed_ms:.4f} ms", f"sum: {found.exact_ms:.2f} ms"]
    if found.paper_ms is not None:
        lines.append(f"by the paper's formula: {found.paper_ms:.2f} ms")
    return "\n".join(lines)


def layer_table(found: Description) -> str:
    """A network, one row a layer."""
    table = Table("layer", "operator", "output C x H x W", "MMACs", "parameters", box=None)
    for row in found.layers:
        shape = " x ".join(map(str, row.out_shape))
        table.add_row(row.name, row.operator, shape, f"{row.macs / 1e6:.2f}", f"{row.params:,}")
    return draw(table) + f"\ntotal: {found.macs / 1e6:.1f} MMACs, {found.params / 1e6:.2f} M parameters"
