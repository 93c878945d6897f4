"""The drawings of the report: each takes a run's summary and story, and returns a plotly figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from surgenas.report.canvas import ACCENT, INK, MUTED, WARM, blank, draw_limit, errors
from surgenas.report.trade_off import trade_off
from surgenas.runs.names import FOUND, YARDSTICK
from surgenas.runs.results import HeldOutLatencies
from surgenas.runs.story import Story
from surgenas.runs.summary import Summary


def limit(summary: Summary, story: Story) -> go.Figure:
    """Latencies compared with the limit. Bars are the intervals of ratios: what a millisecond is moves all together."""
    rows = [(n.name, n.latency_ms, n.doubt) for n in (summary.found, *summary.beside)]
    known = [(name, ms, doubt) for name, ms, doubt in rows if ms is not None]
    figure = blank("latency (ms)", "")
    figure.add_scatter(
        x=[ms for _, ms, _ in known],
        y=[name for name, _, _ in known],
        error_x=errors([(ms, doubt) for _, ms, doubt in known], INK),
        mode="markers",
        marker={"size": 11, "color": [ACCENT] + [MUTED] * len(known)},
    )
    draw_limit(figure, summary.limit_ms)
    figure.update_yaxes(autorange="reversed", type="category")
    return figure.update_layout(height=110 + 34 * max(len(known), 1))


def trajectory(summary: Summary, story: Story) -> go.Figure:
    """The candidates in the order of their judgement; for shared weights, loss and predicted latency by epoch; for a
    network that shrinks, accuracy over latency step by step."""
    if story.trials:
        return _trials(summary, story)
    epochs = story.epochs
    if steps := [e for e in epochs if e.get("before_ms") is not None and e["accepted"]]:
        return _descent(summary, steps)
    x = [e["epoch"] + 1 for e in epochs]
    if epochs and all(e["latency_ms"] is None for e in epochs):
        figure = blank("epoch of the supernet's training", "loss")
        return figure.add_scatter(x=x, y=[e["loss"] for e in epochs], line={"color": WARM})
    figure = blank("epoch of the search", "predicted latency of samples (ms)")
    figure.add_scatter(x=x, y=[e["latency_ms"] for e in epochs], name="latency", line={"color": ACCENT})
    figure.add_scatter(x=x, y=[e["loss"] for e in epochs], name="loss", yaxis="y2", line={"color": WARM})
    skips = [e.get("skips") for e in epochs]
    figure.add_scatter(x=x, y=skips, name="skips chosen", yaxis="y2", line={"color": MUTED, "dash": "dot"})
    if summary.limit_ms:
        figure.add_hline(y=summary.limit_ms, line={"color": INK, "dash": "dash"}, annotation_text="limit")
    axis = {"title": "loss, skips", "overlaying": "y", "side": "right", "showgrid": False, "rangemode": "tozero"}
    return figure.update_layout(yaxis2=axis, showlegend=True)


def _descent(summary: Summary, steps: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Accuracy on held-out images over latency, from the whole network to the smallest."""
    figure = blank("latency (ms)", "accuracy on images held out")
    points = [(steps[0]["before_ms"], steps[0]["before_accuracy"]), *((e["latency_ms"], e["accuracy"]) for e in steps)]
    said = ["the whole network", *("<br>".join(" ".join(change) for change in e["changed"]) for e in steps)]
    figure.add_scatter(
        x=[ms for ms, _ in points], y=[accuracy for _, accuracy in points], mode="lines+markers", hovertext=said,
        line={"color": ACCENT}, marker={"size": 8},
    )  # fmt: skip
    draw_limit(figure, summary.limit_ms)
    return figure.update_yaxes(tickformat=".0%")


def _trials(summary: Summary, story: Story) -> go.Figure:
    """Every candidate by its latency and its score on held-out images; later ones are darker, a line joins the best."""
    figure = blank("latency of candidates (ms)", "accuracy on images held out")
    trials = story.trials
    figure.add_scatter(
        x=[t["latency_ms"] for t in trials], y=[t["score"] for t in trials], mode="markers",
        marker={"size": 9, "color": list(range(1, len(trials) + 1)), "colorscale": "Blues", "showscale": True,
                "cmin": -len(trials) / 3, "colorbar": {"title": "candidate"}},
    )  # fmt: skip
    if story.front:
        figure.add_scatter(
            x=[one.latency_ms for one in story.front], y=[one.score for one in story.front], mode="lines",
            line={"color": WARM, "shape": "hv"}, hoverinfo="skip",
        )  # fmt: skip
    draw_limit(figure, summary.limit_ms)
    return figure.update_yaxes(tickformat=".0%")


def predictions(summary: Summary, story: Story) -> go.Figure:
    """Predicted over measured latency, for architectures that the predictor had not learned from."""
    held_out = story.held_out or HeldOutLatencies((), ())
    figure = blank("estimated (ms)" if story.is_estimated else "measured (ms)", "predicted, held out (ms)")
    figure.add_scatter(
        x=held_out.measured_ms, y=held_out.predicted_ms, mode="markers", marker={"color": ACCENT, "opacity": 0.7}
    )
    if held_out.measured_ms:
        ends = [min(held_out.measured_ms), max(held_out.measured_ms)]
        figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": INK, "dash": "dash", "width": 1})
    return figure


def training(summary: Summary, story: Story) -> go.Figure:
    """Loss by epoch of every network that was trained."""
    figure = blank("epoch of the training", "training loss")
    for name, rows in story.training.items():
        colour = ACCENT if name == FOUND else WARM if name == YARDSTICK else MUTED
        figure.add_scatter(
            x=[r["epoch"] + 1 for r in rows], y=[r["loss"] for r in rows], name=name, line={"color": colour}
        )
    return figure.update_layout(showlegend=True)


DECISIONS = ("kernel 5", "not skipped", "expansion 6", "SE at all", "SE at .5")
"""Names of the decisions of a superkernel, in the order of their indicators."""
STROKES = ((ACCENT, "solid"), (WARM, "solid"), (INK, "solid"), (ACCENT, "dot"), (WARM, "dot"))
"""The line of each: colours alone would be too many to tell apart."""


def decisions(story: Story) -> go.Figure:
    """Superkernels by epoch: indicators on the left, thresholds on the right, a line for each layer and decision."""
    epochs = [e for e in story.epochs if "indicators" in e]
    figure = make_subplots(cols=2)
    figure.update_layout(blank("", "").layout, height=380, showlegend=True)
    x = [e["epoch"] + 1 for e in epochs]
    for column, key in ((1, "indicators"), (2, "thresholds")):
        for layer, row in enumerate(epochs[0][key]):
            for d, (colour, dash) in zip(range(len(row)), STROKES, strict=False):
                figure.add_scatter(
                    x=x, y=[e[key][layer][d] for e in epochs], col=column, row=1, mode="lines",
                    name=DECISIONS[d], legendgroup=DECISIONS[d], showlegend=column == 1 and layer == 0, opacity=0.6,
                    line={"color": colour, "width": 1.5, "dash": dash}, hovertext=f"layer {layer + 1}, {DECISIONS[d]}",
                )  # fmt: skip
    figure.add_hline(y=0.5, line={"color": INK, "dash": "dot"}, col=1, row=1)
    figure.update_yaxes(title="indicator before it is made hard", col=1).update_yaxes(title="threshold", col=2)
    return figure.update_xaxes(title="epoch of the search")


FIGURES: dict[str, Callable[[Summary, Story], go.Figure]] = {
    "limit": limit,
    "trade_off": trade_off,
    "trajectory": trajectory,
    "predictions": predictions,
    "training": training,
}
"""All figures that every report has, by their name in page.html."""
