"""The drawings of the report: each takes the facts and returns a plotly figure."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from surgenas.report.facts import Facts

INK, ACCENT, MUTED, WARM = "#1f2937", "#2563eb", "#9ca3af", "#ea580c"


def limit(known: Facts, more: Facts) -> go.Figure:
    """Measured latencies with their intervals, against the limit."""
    rows = [("found", known["latency"]["ms"], known["latency"]["interval"])]
    rows += [
        (r["name"], r["latency_ms"], r["interval"]) for r in known["references"] + known["random"] + known["uniform"]
    ]
    rows = [row for row in rows if row[1] is not None]
    figure = blank("latency (ms)", "")
    error = [high - ms for _, ms, (_, high) in rows]
    figure.add_scatter(
        x=[ms for _, ms, _ in rows],
        y=[name for name, _, _ in rows],
        error_x={"array": error, "color": INK},
        mode="markers",
        marker={"size": 11, "color": [ACCENT] + [MUTED] * len(rows)},
    )
    _limit_line(figure, known)
    figure.update_yaxes(autorange="reversed", type="category")
    return figure.update_layout(height=110 + 34 * max(len(rows), 1))


def trade_off(known: Facts, more: Facts) -> go.Figure:
    """Test accuracy against measured latency."""
    figure = blank("measured latency (ms)", "test accuracy")
    groups = (
        ("random", known["random"] + known["uniform"], MUTED, "circle"),
        ("MobileNetV2", known["references"], WARM, "square"),
        ("found", [{**known["latency"], "accuracy": known["accuracy"]["test"], "latency_ms": known["latency"]["ms"]}],
         ACCENT, "star"),
    )  # fmt: skip
    for name, rows, colour, symbol in groups:
        rows = [r for r in rows if r["accuracy"] is not None and r["latency_ms"] is not None]
        if rows:
            figure.add_scatter(
                x=[r["latency_ms"] for r in rows],
                y=[r["accuracy"] for r in rows],
                name=name,
                mode="markers",
                error_x={"array": [r["interval"][1] - r["latency_ms"] for r in rows], "color": colour},
                marker={"size": 14, "color": colour, "symbol": symbol},
            )
    _limit_line(figure, known)
    return figure.update_yaxes(tickformat=".2%").update_layout(showlegend=True)


def trajectory(known: Facts, more: Facts) -> go.Figure:
    """The loss, epoch by epoch; where the search chooses while it trains, also what it samples costs."""
    epochs = more["epochs"]
    x = [e["epoch"] + 1 for e in epochs]
    if epochs and all(e["latency_ms"] is None for e in epochs):
        figure = blank("epoch of the supernet's training", "loss")
        return figure.add_scatter(x=x, y=[e["loss"] for e in epochs], line={"color": WARM})
    figure = blank("epoch of the search", "predicted latency of samples (ms)")
    figure.add_scatter(x=x, y=[e["latency_ms"] for e in epochs], name="latency", line={"color": ACCENT})
    figure.add_scatter(x=x, y=[e["loss"] for e in epochs], name="loss", yaxis="y2", line={"color": WARM})
    skips = [e.get("skips") for e in epochs]
    figure.add_scatter(x=x, y=skips, name="skips chosen", yaxis="y2", line={"color": MUTED, "dash": "dot"})
    if known["limit_ms"]:
        figure.add_hline(y=known["limit_ms"], line={"color": INK, "dash": "dash"}, annotation_text="limit")
    axis = {"title": "loss, skips", "overlaying": "y", "side": "right", "showgrid": False}
    return figure.update_layout(yaxis2=axis, showlegend=True)


def predictions(known: Facts, more: Facts) -> go.Figure:
    """Predicted against measured, on architectures that the predictor had not seen."""
    held_out = more["held_out"] or {"predicted_ms": [], "measured_ms": []}
    figure = blank("measured (ms)", "predicted, held out (ms)")
    figure.add_scatter(
        x=held_out["measured_ms"], y=held_out["predicted_ms"], mode="markers", marker={"color": ACCENT, "opacity": 0.7}
    )
    if held_out["measured_ms"]:
        ends = [min(held_out["measured_ms"]), max(held_out["measured_ms"])]
        figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": INK, "dash": "dash", "width": 1})
    return figure


def training(known: Facts, more: Facts) -> go.Figure:
    """Loss on augmented training images, the same recipe for all."""
    figure = blank("epoch of the training", "training loss")
    for name, rows in more["training"].items():
        colour = ACCENT if name == "found" else WARM if name == "MobileNetV2" else MUTED
        figure.add_scatter(
            x=[r["epoch"] + 1 for r in rows], y=[r["loss"] for r in rows], name=name, line={"color": colour}
        )
    return figure.update_layout(showlegend=True)


DECISIONS = ("kernel 5", "not skipped", "expansion 6", "SE at all", "SE at .5")


def decisions(more: Facts) -> go.Figure:
    """Superkernels, epoch by epoch: the indicators (left) and the thresholds that they come from (right), by layer."""
    epochs = [e for e in more["epochs"] if "indicators" in e]
    figure = make_subplots(cols=2)
    figure.update_layout(blank("", "").layout, height=380, showlegend=True)
    x = [e["epoch"] + 1 for e in epochs]
    for column, key in ((1, "indicators"), (2, "thresholds")):
        for layer, row in enumerate(epochs[0][key]):
            for d, colour in zip(range(len(row)), (ACCENT, WARM, INK, MUTED, "#16a34a"), strict=False):
                figure.add_scatter(
                    x=x, y=[e[key][layer][d] for e in epochs], col=column, row=1, mode="lines",
                    name=DECISIONS[d], legendgroup=DECISIONS[d], showlegend=column == 1 and layer == 0, opacity=0.6,
                    line={"color": colour, "width": 1.5}, hovertext=f"layer {layer + 1}, {DECISIONS[d]}",
                )  # fmt: skip
    figure.add_hline(y=0.5, line={"color": INK, "dash": "dot"}, col=1, row=1)
    figure.update_yaxes(title="indicator before it is made hard", col=1).update_yaxes(title="threshold", col=2)
    return figure.update_xaxes(title="epoch of the search")


FIGURES: dict[str, Callable[[Facts, Facts], go.Figure]] = {
    "limit": limit,
    "trade_off": trade_off,
    "trajectory": trajectory,
    "predictions": predictions,
    "training": training,
}


def blank(x: str, y: str) -> go.Figure:
    """With the axes named, nothing drawn yet."""
    return go.Figure().update_layout(
        template="plotly_white",
        height=340,
        margin={"l": 60, "r": 50, "t": 20, "b": 50},
        xaxis_title=x,
        yaxis_title=y,
        showlegend=False,
        font={"color": INK},
        legend={"orientation": "h", "y": 1.12},
    )


def _limit_line(figure: go.Figure, known: Facts) -> None:
    if known["limit_ms"]:
        figure.add_vline(x=known["limit_ms"], line={"color": INK, "dash": "dash"}, annotation_text="limit")
