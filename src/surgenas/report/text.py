"""What a person reads in the terminal after a command."""

from __future__ import annotations

import io
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from surgenas.core.units import show_ms, show_seconds
from surgenas.hardware.timed.measurement import CROWD, MIN_QUIET
from surgenas.report.facts import Facts, told

WIDTH = 120
NOTICED = 0.05
"""What a disturbed memory may add, from which on it is said."""
BUSY = 0.25
"""Share of the processor that others use, from which on it is said: a first look at a busy device takes it for slow."""


def summary(facts: Facts) -> str:
    """The end of a search: limit and measurement, what it is compared with, where the files are."""
    latency = facts["latency"]
    inside = "inside" if latency["ms"] <= facts["limit_ms"] else "MISSES"
    half = (latency["interval"][1] - latency["interval"][0]) / 2 / latency["ms"]
    table = Table("network", "test accuracy", "latency", "grade", "latency / found", box=None, pad_edge=False)
    table.add_row("found", f"{facts['accuracy']['test']:.2%}", show_ms(latency["ms"]), latency["grade"])
    for row in [*facts["references"], *facts["random"], *facts["uniform"]]:
        table.add_row(
            row["name"], f"{row['accuracy']:.2%}", show_ms(row["latency_ms"]), row["grade"], told(row["to_found"])
        )
    lines = [
        f"measured {show_ms(latency['ms'])} +-{half:.1%} (grade {latency['grade']}), {inside} the limit of "
        f"{show_ms(facts['limit_ms'])}; predicted {show_ms(latency['predicted_ms'])}, wall clock median "
        f"{show_ms(latency['wall_p50_ms'])}",
        draw(table),
        f"ONNX    {facts['onnx']}",
        f"report  {facts['report']}",
        f"PyTorch model = surgenas.load({facts['run']!r})",
        f"took {show_seconds(sum(facts['seconds'].values()))}",
    ]
    return "\n".join(lines)


def predictor_table(found: Facts) -> str:
    """Predictors by their error on held-out architectures, the noise ceiling last."""
    table = Table("predictor", "Kendall", "Spearman", "MAPE", "within 5 %", "within 10 %", "RMSE ms", box=None)
    for s in [*found["scores"], *([found["ceiling"]] if found["ceiling"] else [])]:
        table.add_row(
            s["name"],
            f"{s['kendall']:.3f}",
            f"{s['spearman']:.3f}",
            f"{s['mape']:.1%}",
            f"{s['within_5']:.0%}",
            f"{s['within_10']:.0%}",
            f"{s['rmse_ms']:.4f}",
        )
    return draw(table) + f"\nchosen: {found['chosen']} ({found['why']})"


def contest_table(found: Facts) -> str:
    """Predictors by column and number of samples: medians over seeds; what cross-validation would choose."""
    table = Table(
        "column", "samples", "predictor", "Kendall", "Spearman", "MAPE", "within 5 %", "within 10 %", box=None
    )
    table.add_column("RMSE ms")
    table.add_column("fit s")
    for row in found["results"]:
        median = {metric: value["median"] for metric, value in row.items() if isinstance(value, dict)}
        low, high = row["spearman"]["spread"]
        spread = f" ({low:.3f} to {high:.3f})" if found["seeds"] > 1 else ""
        table.add_row(
            row["column"],
            str(row["train"]),
            row["predictor"],
            f"{median['kendall']:.3f}",
            f"{median['spearman']:.3f}{spread}",
            f"{median['mape']:.1%}",
            f"{median['within_5']:.0%}",
            f"{median['within_10']:.0%}",
            f"{median['rmse_ms']:.4g}",
            f"{median['fit_seconds']:.1f}",
        )
    chosen = [f"{c['column']}, {c['train']} samples: {c['predictor']} ({c['why']})" for c in found["chosen"]]
    how = f"medians over {found['seeds']} draws of samples" if found["seeds"] > 1 else "one draw of samples"
    return "\n".join([draw(table), f"{how}, picked {found['pick']}", "chosen:", *chosen])


def operators_table(found: Facts) -> str:
    """By device every operator, the best first, and the space that is left."""
    parts = []
    for name, facts in found["devices"].items():
        table = Table("operator", "capacity", "latency", "score", "", box=None, title=f"{name}: {facts['device']}")
        for row in facts["operators"]:
            known = (row[key] for key in ("capacity", "latency", "score"))
            numbers = ("-" if value is None else f"{value:.2f}" for value in known)
            table.add_row(row["operator"], *numbers, "kept" if row["kept"] else f"dropped: {escape(row['why'])}")
        also = "\n".join(f"with {how}: {pool}" for how, pool in facts["others"].items())
        parts.append(f"{draw(table)}\n{also}\nnext: surgenas search --space {facts['space']}")
    note = "latency over the pool's median, capacity of FLOPs and parameters; means over layers"
    return "\n\n".join([*parts, note, f"drawn in {found['report']}"])


def device_table(found: Facts) -> str:
    """Every shipped target: whether it is measured or estimated, or what to do about it."""
    table = Table("device", "runtime", "precision", "threads", "batch", "latency is", box=None)
    for name, facts in found.items():
        if "unusable" in facts:
            table.add_row(name, "", "", "", "", escape(facts["unusable"]))
        else:
            threads = "-" if facts["evidence"] == "estimated" else str(facts["threads"])
            values = (facts["runtime"], facts["precision"], threads, str(facts["batch"]))
            table.add_row(name, *values, facts["evidence"])
    more = "your own: a TOML file in a device's place (docs/measurement.md, docs/how_to/add_a_target.md)"
    return f"{draw(table)}\n{more}"


def measurement_table(found: Facts) -> str:
    """Networks in a table for each target; measured places that overlap tie, what failed says why."""
    tables = [list(rows) for _, rows in groupby(found["measurements"], lambda row: row["on"])]
    return "\n\n".join(
        _one_estimator(rows) if rows[0]["evidence"] == "estimated" else _one_device(rows) for rows in tables
    )


def _one_estimator(rows: list[Facts]) -> str:
    """What a tool says: plain numbers in all its units, and what it takes for granted."""
    known = [m for m in rows if "error" not in m]
    units = [unit for unit in known[0]["values"] if unit != "ms"] if known else []
    trained = any(m.get("accuracy") is not None for m in rows)
    names = ("rank", "network", "estimated", *units, "/ MobileNetV2", *(["test accuracy"] if trained else []))
    table = Table(*names, box=None)
    for m in rows:
        if "error" in m:
            table.add_row("-", escape(m["name"]), "failed")
            continue
        ratio = f"{m['to_mobilenetv2']['ratio']:.2f}" if m["to_mobilenetv2"] else "-"
        counts = (f"{m['values'][unit]:,.0f}" for unit in units)
        accuracy = [f"{m['accuracy']:.2%}" if m.get("accuracy") is not None else "-"] if trained else []
        table.add_row(str(m["rank"][0]), escape(m["name"]), show_ms(m["ms"]), *counts, ratio, *accuracy)
    lines = [draw(table), f"{rows[0]['on']}: {rows[0]['device']}"]
    lines += [f"estimated by {m['tool']} {m['version']}; nothing ran. {' '.join(m['assumptions'])}" for m in known[:1]]
    lines += [f"{m['name']}: {m['error']}" for m in rows if "error" in m]
    return "\n".join([*lines, *(_shares(m) for m in known if m.get("layers"))])


def _one_device(rows: list[Facts]) -> str:
    trained = any(m.get("accuracy") is not None for m in rows)
    names = ("rank", "network", "latency", "+-", "grade", "p90 (wall)", "/ MobileNetV2", "size", "max diff")
    table = Table(*names, *(["test accuracy"] if trained else []), box=None)
    for m in rows:
        if "error" in m:
            table.add_row("-", escape(m["name"]), "failed")
            continue
        p90 = show_ms(m["p90_ms"]) if m["p90_ms"] else "-"
        best, worst = m["rank"]
        rank = str(best) if best == worst else f"{best}-{worst}"
        table.add_row(
            rank, escape(m["name"]), show_ms(m["ms"]), f"{m['half_width']:.1%}", m["grade"], p90,
            told(m["to_mobilenetv2"]), f"{m.get('model_bytes', 0) / 1e6:.1f} MB", f"{m['max_difference']:.1e}",
            *([f"{m['accuracy']:.2%}" if m.get("accuracy") is not None else "-"] if trained else []),
        )  # fmt: skip
    campaigns = max((len(m.get("campaigns_ms", ())) for m in rows), default=0)
    how = f", median of {campaigns} campaigns in fresh processes" if campaigns > 1 else ""
    lines = [draw(table), f"{rows[0]['on']}: {rows[0]['device']}{how}"]
    floor = max((m.get("floor", 0.0) for m in rows), default=0.0)
    lines += [f"one network under two names differs by up to {floor:.1%} here: closer latencies tie"] if floor else []
    if poor := [m["name"] for m in rows if m.get("grade") == "D"]:
        lines.append(f"too noisy to say (grade D): {', '.join(poor)}; measure again when the machine is idle")
    context = [m["context"] for m in rows if "context" in m]
    if (elsewhere := max((c.get("used_elsewhere", 0.0) for c in context), default=0.0)) > BUSY:
        crowd = [m["name"] for m in rows if m.get("context", {}).get("crowded", 0.0) > CROWD]
        also = f", and left too few cores to {', '.join(crowd)}: grade D" if crowd else ""
        lines.append(f"other programs used {elsewhere:.0%} of the processor meanwhile{also}")
    if any(c.get("quiet_rounds", MIN_QUIET) < MIN_QUIET for c in context):
        lines.append("the device was hardly ever as fast as it is known to be (busy, hot or changed): grade C at best")
    if (memory := max((c.get("memory", 0.0) for c in context), default=0.0)) > NOTICED:
        lines.append(f"others use caches and memory: networks of many weights may be up to {memory:.0%} off")
    lines += [
        f"{m['name']}: {show_ms(m['steady_ms'])} back to back; ranked by what it takes in turn with others"
        for m in rows if m.get("steady_ms")
    ]  # fmt: skip
    lines += [f"{m['name']}: {m['error']}" for m in rows if "error" in m]
    lines += [_shares(m) for m in rows if m.get("layers")]
    return "\n".join(lines)


def _shares(m: Facts) -> str:
    table = Table("part", "share of latency", box=None, title=escape(m["name"]), title_justify="left")
    for part, share in m["layers"].items():
        table.add_row(escape(part), f"{share:.1%}")
    return draw(table)


def scale_table(found: Facts) -> str:
    """Comfort Zone: every measured scale, those inside marked, and what was picked."""
    table = Table(found["knob"], "latency", "grade", "MMACs", "GFLOP/s", "FLOP/byte", "", box=None)
    for p in found["points"]:
        table.add_row(
            f"x {p['scale']:.2f}", show_ms(p["latency_ms"]), p["grade"], f"{p['macs'] / 1e6:.1f}",
            f"{p['flops_per_s'] / 1e9:.1f}", f"{p['intensity']:.1f}", "inside" if p["inside"] else "",
        )  # fmt: skip
    lines = [draw(table), f"on {found['device']}", found["verdict"]]
    if "accuracy" in found:
        lines.append("test accuracy {before:.2%} before, {after:.2%} after".format(**found["accuracy"]))
    lines.append(f"report  {found['report']}")
    return "\n".join(lines)


def methods_table(found: Facts) -> str:
    """Methods, their settings with defaults, and the names that a setting takes."""
    lines = []
    for name, method in found.items():
        if isinstance(method, list):
            lines.append(f"{name}: {', '.join(method)}")
            continue
        table = Table("--set", "default", "takes", box=None, title=f"{name} (space {method['space']})",
                      title_justify="left")  # fmt: skip
        for setting, default in method["settings"].items():
            shown = "" if default == "" else str(default)
            table.add_row(setting, shown, ", ".join(method["names"].get(setting, [])))
        lines.append(draw(table) + "\n")
    return "\n".join(lines)


def estimate_table(found: Facts) -> str:
    """What a latency table says, layer by layer and in sum."""
    table = Table("layer", "operator", "ms", box=None)
    for row in found["layers"]:
        table.add_row(row["name"], row["operator"], f"{row['ms']:.4f}")
    lines = [draw(table), f"everything else: {found['fixed_ms']:.4f} ms", f"sum: {found['exact_ms']:.2f} ms"]
    if "paper_ms" in found:
        lines.append(f"by the paper's formula: {found['paper_ms']:.2f} ms")
    return "\n".join(lines)


def layer_table(found: Facts) -> str:
    """A network layer by layer."""
    table = Table("layer", "operator", "output C x H x W", "MMACs", "parameters", box=None)
    for row in found["layers"]:
        shape = " x ".join(map(str, row["out_shape"]))
        table.add_row(row["name"], row["operator"], shape, f"{row['macs'] / 1e6:.2f}", f"{row['params']:,}")
    return draw(table) + f"\ntotal: {found['macs'] / 1e6:.1f} MMACs, {found['params'] / 1e6:.2f} M parameters"


def draw(table: Table) -> str:
    """As plain text. What is too long for its column goes on below: half a folder's name is of no use."""
    for column in table.columns:
        column.overflow = "fold"
    sink = io.StringIO()
    Console(file=sink, width=WIDTH).print(table)
    return "\n".join(line.rstrip() for line in sink.getvalue().rstrip().splitlines())
