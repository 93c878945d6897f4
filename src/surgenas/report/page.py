"""report.html: one file, no network needed, every name escaped."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from surgenas.core.files import write_atomic
from surgenas.core.units import show_ms, show_seconds
from surgenas.report import figures
from surgenas.report.facts import Facts, facts, page_facts, told
from surgenas.report.operators_page import operators_figure
from surgenas.runs.run import Run


def write_page(run: Run) -> Path:
    """Draw what is known of a run; returns the file."""
    path = run.folder / "report.html"
    write_atomic(path, page(facts(run), page_facts(run)).encode())
    return path


def page(known: Facts, more: Facts) -> str:
    """The page as text."""
    from plotly.offline import get_plotlyjs

    template = Template(files("surgenas.report").joinpath("page.html").read_text())
    return template.substitute(
        title=escape(Path(known["run"]).name),
        headline=_headline(known),
        cards="".join(_cards(known, more)),
        results=_results(known),
        predictors=_predictors(known),
        decisions=_decisions(more),
        operators=_operators(more),
        layers=_layers(more["layers"]),
        facts=_setting(known, more),
        plotly=get_plotlyjs(),
        **{name: _figure(draw(known, more)) for name, draw in figures.FIGURES.items()},
    )


def _headline(known: Facts) -> str:
    latency, limit = known["latency"], known["limit_ms"]
    if latency["ms"] is None:
        return "This run is not finished; what is known so far:"
    verdict = "inside" if latency["ms"] <= limit else "<b class=bad>outside</b>"
    return f"Measured <b>{show_ms(latency['ms'])}</b>, {verdict} the limit of <b>{show_ms(limit)}</b>."


def _at(latency_ms: float | None) -> str:
    return f" at {show_ms(latency_ms)}" if latency_ms is not None else ""


def _cards(known: Facts, more: Facts) -> list[str]:
    latency, found = known["latency"], known["accuracy"]["test"]
    reference = next((r for r in known["references"] if r["accuracy"] is not None), None)
    cards = []
    if found is not None:
        beside = f"{reference['name']} {reference['accuracy']:.1%}{_at(reference['latency_ms'])}" if reference else ""
        cards.append(_card("Test accuracy", f"{found:.1%}", beside))
    if latency["ms"] is not None:
        low, high = latency["interval"]
        cards.append(
            _card("Latency", show_ms(latency["ms"]), f"{show_ms(low)} to {show_ms(high)}, grade {latency['grade']}")
        )
        cards.append(
            _card("Wall clock median", show_ms(latency["wall_p50_ms"]), "on this shared machine, while measuring")
        )
    if more["layers"]:
        macs, params = (sum(row[key] for row in more["layers"]) for key in ("macs", "params"))
        cards.append(_card("Size", f"{macs / 1e6:.1f} MMACs", f"{params / 1e6:.2f} M parameters"))
    if known["export"]:
        cards.append(_card("Exported", f"{known['export']['max_difference']:.1e}", "largest ONNX - PyTorch difference"))
    cards.append(_card("Took", show_seconds(sum(known["seconds"].values())), f"seed {known['seed']}"))
    return cards


def _card(title: str, value: str, note: str) -> str:
    return f"<div class=card><h3>{escape(title)}</h3><p class=value>{escape(value)}</p><p>{escape(note)}</p></div>"


def _results(known: Facts) -> str:
    rows = [
        {
            "name": "found",
            "accuracy": known["accuracy"]["test"],
            "latency_ms": known["latency"]["ms"],
            **known["latency"],
        }
    ]
    rows += [*known["references"], *known["random"], *known["uniform"]]
    return _table(
        ["network", "test accuracy", "latency", "95 % interval", "grade", "latency / found"],
        [
            [
                r["name"],
                _percent(r["accuracy"]),
                _ms(r["latency_ms"]),
                _interval(r["interval"]),
                r["grade"] or "-",
                told(r.get("to_found")),
            ]
            for r in rows
        ],
    )


def _predictors(known: Facts) -> str:
    found = known["predictor"]
    if not found:
        return "<p>Not fitted yet.</p>"
    scores = [*found["scores"], *([found["ceiling"]] if found["ceiling"] else [])]
    rows = [
        [s["name"], f"{s['kendall']:.3f}", f"{s['mape']:.1%}", f"{s['within_5']:.0%}", f"{s['within_10']:.0%}"]
        for s in scores
    ]
    chosen = f"<p>Used in the search: <b>{escape(found['chosen'])}</b>, {escape(found['why'])}.</p>"
    return _table(["predictor", "Kendall tau", "MAPE", "within 5 %", "within 10 %"], rows) + chosen


def _decisions(more: Facts) -> str:
    """Of superkernels; other methods decide nothing by thresholds."""
    if not any("indicators" in epoch for epoch in more["epochs"]):
        return ""
    note = "Each line a layer. Above the dotted line a part is on: the norm of its kernel is above its threshold."
    drawn = _figure(figures.decisions(more))
    return f'<section><h2>Decisions of the superkernels</h2>{drawn}<p class="note">{note}</p></section>'


def _operators(more: Facts) -> str:
    """Of methods that select a device's operators first."""
    found = more["operators"]
    if not found:
        return ""
    drawn = _figure(operators_figure({str(more["device"].get("name")): found["operators"]}))
    note = f"Kept: {escape(found['pool'])}. Latency, FLOPs and parameters at every layer; means over layers."
    return f'<section><h2>Operators of this device</h2>{drawn}<p class="note">{note}</p></section>'


def _layers(layers: list[Facts]) -> str:
    rows = []
    most = max((row["share"] or 0.0 for row in layers), default=0.0)
    for row in layers:
        share = bar = ""  # not every runtime tells
        if row["share"] is not None:
            share = f"{row['share']:.1%}"
            bar = f"<div class=bar style='width:{100 * row['share'] / most:.0f}%'></div>"
        width = f"<div class=block style='width:{24 + row['out_shape'][0] / 2:.0f}px'>{escape(row['operator'])}</div>"
        shape = " x ".join(map(str, row["out_shape"]))
        rows.append(
            f"<tr><td>{escape(row['name'])}<td class={escape(row['operator'])}>{width}<td>{shape}"
            f"<td>{row['macs'] / 1e6:.2f}<td>{share}<td class=wide>{bar}"
        )
    head = "<tr><th>layer<th>operator (as wide as its channels)<th>output<th>MMACs<th>latency share<th>"
    return f"<table class=net>{head}{''.join(rows)}</table>" if rows else "<p>Not chosen yet.</p>"


def _setting(known: Facts, more: Facts) -> str:
    device, data = more["device"], more["data"]
    rows = [
        ["data", f"{data.get('name')}: {data.get('train')} images to learn from, {data.get('test')} for the test"],
        ["device", f"{device.get('name')}: {device.get('runtime')} on {device.get('processor')}"],
        ["device key", device.get("key")],
        ["reachable latencies", " to ".join(_ms(ms) for ms in known["reachable_ms"])],
        ["rounds of verification", more["rounds"]],
        *([f"time: {name}", show_seconds(spent)] for name, spent in known["seconds"].items()),
        *(["note", note] for note in data.get("notes", [])[:50]),
    ]
    return _table(["", ""], rows)


def _table(head: list[str], rows: list[list[Any]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}" for cell in row) for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(name)}' for name in head)}{cells}</table>"


def _figure(figure: Any) -> str:
    html: str = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True}
    )
    return html


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _ms(value: float | None) -> str:
    return "-" if value is None else show_ms(value)


def _interval(value: list[float] | None) -> str:
    return "-" if value is None else f"{show_ms(value[0])} to {show_ms(value[1])}"
