"""report.html: a single file that needs no network; every name in it is escaped."""

from __future__ import annotations

import shlex
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from surgenas.core.amounts import show_amount
from surgenas.core.files import write_atomic
from surgenas.core.units import show_ms, show_seconds
from surgenas.hardware.timed.as_it_comes import RUNS
from surgenas.report import cells_page, decided, explained, figures, front, kept, misjudged
from surgenas.report.boxes import network_drawing
from surgenas.report.by_class import section
from surgenas.report.drawing import drawing_script, figure_html
from surgenas.report.operators_page import operators_figure
from surgenas.report.snippet import snippets
from surgenas.report.text import delivered_text
from surgenas.report.words import (
    length_note,
    scale_note,
    show_comparison,
    show_interval,
    show_known_ms,
    show_limit,
    show_percent,
    start_note,
)
from surgenas.runs.names import MISJUDGED
from surgenas.runs.results import Layer
from surgenas.runs.run import Run
from surgenas.runs.story import Story, tell_story
from surgenas.runs.summary import Summary, summarize

SAID = {
    "limit": "Latency of the found network and of those beside it, with the limit; the table below has the numbers",
    "trade_off": "Test accuracy over latency of every trained network; the first table of the page has the numbers",
    "trajectory": "How the search went, epoch by epoch or candidate by candidate",
    "predictions": "Predicted latency over what the target says, for networks that were not learned from",
    "training": "Training loss by epoch",
}
"""What each figure shows, for whoever cannot see it."""
LEVEL = "Level bars are 95 % intervals of latencies."
BOXES = "Each box is as tall as the image that leaves it, and as wide as its channels (the number after its name). "
DARKER = "Darker ones take longer. "
NOISY = "<b class=bad>Not to be relied on</b>: grade D, the machine was too busy, or was watched too briefly."
SHARES = "Latency shares come from a profiled run; they are shares, not latencies."


def write_page(run: Run) -> Path:
    """Write report.html of a run, with all that is known so far, and return its path."""
    path, strip = run.folder / "report.html", run.folder / MISJUDGED
    shots = strip.read_bytes() if strip.is_file() else b""
    write_atomic(path, page(summarize(run), tell_story(run), shots).encode())
    return path


def page(summary: Summary, story: Story, shots: bytes = b"") -> str:
    """The page as HTML. shots: thumbnails of the worst-judged test images, side by side."""
    template = Template(files("surgenas.report").joinpath("page.html").read_text())
    return template.substitute(
        title=escape(_title(summary, story)),
        headline=_headline(summary),
        cards="".join(_cards(summary, story)),
        noun="estimate" if story.is_estimated else "measurement",
        evidence="estimated" if story.is_estimated else "measured",
        level="" if story.is_estimated else LEVEL,
        results=_results(summary),
        unequal="".join(f" {note}." for note in [*start_note(summary.start, summary.started), *length_note(summary)]),
        classes=section(summary.classes, _table) + _misjudged(summary, story, shots),
        explained=explained.section(summary.explained, _table) + front.section(story.front, _table),
        predictors=_predictors(summary),
        decided=decided.section(summary, story),
        decisions=_decisions(story),
        operators=_operators(story) + cells_page.sections(story, figure_html),
        layers=_network(story),
        use=_use(summary),
        further=_further(summary),
        facts=_setting(summary, story),
        plotly=drawing_script(),
        **_figures(summary, story),
    )


def _figures(summary: Summary, story: Story) -> dict[str, str]:
    """The figures by name; a sentence in the place of those of a search that there was not."""
    drawn = {name: figure_html(draw(summary, story), SAID[name]) for name, draw in figures.FIGURES.items()}
    if story.rounds is not None and not story.epochs and not story.trials:
        drawn["trajectory"] = "<p>Nothing was searched.</p>"
        drawn |= {} if summary.predictor else {"predictions": ""}
    return drawn


def _title(summary: Summary, story: Story) -> str:
    """The run's name, and which of many tabs it is: of what images, for what device."""
    images, device = Path(str(story.data.get("name", ""))).name, story.target.name if story.target else ""
    what = " ".join(part for part in (images, f"for {device}" if device else "") if part)
    return f"{Path(summary.run).name}: {what}" if what else Path(summary.run).name


def _headline(summary: Summary) -> str:
    latency, share = summary.latency, summary.latency.of_limit
    if latency.ms is None or share is None or latency.evidence is None:
        return "This run is not finished; what is known so far:"
    verdict = "inside" if share.share <= 1 else "<b class=bad>outside</b>"
    how = latency.evidence.capitalize()
    limit = show_limit(summary.asked_ms, summary.limit_ms or 0.0, summary.latency_as)
    where = " in the machine's quiet state" if latency.interval else ""
    said = f"{how} <b>{show_ms(latency.ms)}</b>{where}, {verdict} the limit of <b>{limit}</b>: {share.share:.1%} of it."
    noisy = [NOISY] if latency.grade == "D" else []
    return " ".join([said, *noisy, *(f"{escape(note)}." for note in scale_note(latency.scale_doubt))])


def _cards(summary: Summary, story: Story) -> list[str]:
    latency, found = summary.latency, summary.accuracy.test
    others = (*summary.yardsticks, *summary.instead)
    beside = max((n for n in others if n.accuracy is not None), key=lambda n: n.accuracy or 0.0, default=None)
    cards = []
    if found is not None:
        at = f" at {show_ms(beside.latency_ms)}" if beside and beside.latency_ms is not None else ""
        interval = summary.accuracy_interval
        spread = [f"{interval[0]:.1%} to {interval[1]:.1%} (95 %)"] if interval else []
        other = [f"{beside.name} {beside.accuracy:.1%}{at}"] if beside else []
        cards.append(_card("Test accuracy", f"{found:.1%}", "; ".join([*spread, *other])))
    if latency.ms is not None:
        sure = f"{show_interval(latency.interval)}, grade {latency.grade}" if latency.interval else "nothing was timed"
        cards.append(_card("Latency in quiet" if latency.interval else "Estimated latency", show_ms(latency.ms), sure))
    for runs, known in ((RUNS["p50"], latency.p50), (RUNS["p90"], latency.p90)):
        if known:
            note = f"{show_interval(known.interval_ms)}, as runs came"
            cards.append(_card(f"Latency for {runs}", show_ms(known.ms), note))
    if story.layers:
        macs, params = (sum(getattr(row, key) for row in story.layers) for key in ("macs", "params"))
        cards.append(_card("Size", f"{macs / 1e6:.1f} MMACs", f"{params / 1e6:.2f} M parameters"))
    if summary.export:
        note = "largest ONNX - PyTorch difference, of the largest logit"
        cards.append(_card("Exported", f"{summary.export.max_difference:.1e}", note))
        if (own := summary.export.delivered) and own.file.precision != "fp32":
            cards.append(_card("Test accuracy as measured", f"{own.accuracy:.1%}", f"in {own.file.precision}"))
    cards += [
        _card(one.unit, show_amount(one.unit, one.value), f"limit {show_amount(one.unit, one.limit)}")
        for one in summary.resources
        if one.limit
    ]
    cards.append(_card("Took", show_seconds(sum(summary.seconds.values())), f"seed {summary.seed}"))
    if summary.cost:
        worth = f"images passed: as by {summary.cost.epochs} epochs of training alone"
        cards.append(_card("Cost", f"{summary.cost.passes:,}", worth))
    return cards


def _card(title: str, value: str, note: str) -> str:
    return f"<div class=card><h3>{escape(title)}</h3><p class=value>{escape(value)}</p><p>{escape(note)}</p></div>"


def _results(summary: Summary) -> str:
    latency = summary.latency
    timed, balanced = latency.evidence != "estimated", summary.accuracy.balanced is not None
    head = ["network", "test accuracy", *(["balanced accuracy"] if balanced else []), "latency",
            *(["95 % interval", "grade"] if timed else []), "latency / found"]  # fmt: skip
    rows = [
        [n.name, show_percent(n.accuracy), *([show_percent(n.balanced_accuracy)] if balanced else []),
         show_known_ms(n.latency_ms), *([show_interval(n.interval), n.grade or "-"] if timed else []),
         show_comparison(n.to_found)]
        for n in (summary.found, *summary.beside)
    ]  # fmt: skip
    return _table(head, rows)


def _predictors(summary: Summary) -> str:
    found = summary.predictor
    if not found:
        return "<p>None was fitted: nothing was searched.</p>" if summary.latency.ms else "<p>Not fitted yet.</p>"
    rows = [
        [
            s.name,
            f"{s.kendall:.3f}",
            f"{s.off:.1%}" if s.off is not None else "-",
            f"{s.within_5:.0%}",
            f"{s.within_10:.0%}",
        ]
        for s in (*found.scores, *([found.ceiling] if found.ceiling else []))
    ]
    chosen = f"<p>Used in the search: <b>{escape(found.chosen)}</b>, {escape(found.why)}.</p>"
    return _table(["predictor", "Kendall tau", "off by", "within 5 %", "within 10 %"], rows) + chosen


def _misjudged(summary: Summary, story: Story, shots: bytes) -> str:
    names = [row.name for row in summary.classes.classes] if summary.classes else []
    return misjudged.section(story.misjudged, names, shots) if names else ""


def _decisions(story: Story) -> str:
    """The section about decisions of superkernels; empty for methods that have none."""
    if not any("indicators" in epoch for epoch in story.epochs):
        return ""
    note = "Each line a layer. Above the dotted line a part is on: the norm of its kernel is above its threshold."
    drawn = figure_html(figures.decisions(story))
    return f'<section><h2>Decisions of the superkernels</h2>{drawn}<p class="note">{note}</p></section>'


def _operators(story: Story) -> str:
    """The section about selected operators; empty for runs that selected none."""
    found = story.selected
    if not found:
        return ""
    drawn = figure_html(operators_figure({story.target.name if story.target else "": found.operators}))
    note = f"Kept: {escape(found.pool)}. Latency, FLOPs and parameters at every layer; means over layers."
    return f'<section><h2>Operators of this device</h2>{drawn}<p class="note">{note}</p></section>'


def _network(story: Story) -> str:
    """What is known of the found network's parts; of one that was made smaller, what is left of them."""
    if story.kept:
        return kept.table(story.kept)
    if not story.layers:
        return "<p>Not chosen yet, or its parts have no names.</p>"
    shares = any(row.share is not None for row in story.layers)
    note = f"{BOXES}{DARKER if shares else ''}{SHARES if shares and not story.is_estimated else ''}"
    return f'{network_drawing(story.layers)}{_layers(story.layers)}<p class="note">{note}</p>'


def _layers(layers: tuple[Layer, ...]) -> str:
    most = max((row.share or 0.0 for row in layers), default=0.0)
    rows = "".join(_layer(row, most) for row in layers)
    share = "<th>latency share<th>" if most else ""
    head = f"<tr><th>layer<th>operator (as wide as its channels)<th>output<th>MMACs{share}"
    return f"<table class=net>{head}{rows}</table>"


def _layer(row: Layer, most: float) -> str:
    share = ""
    if most:  # there are none for targets that cannot tell
        bar = f"<div class=bar style='width:{100 * (row.share or 0.0) / most:.0f}%'></div>"
        share = f"<td>{row.share or 0.0:.1%}<td class=wide>{bar}"
    width = f"<div class=block style='width:{24 + row.out_shape[0] / 2:.0f}px'>{escape(row.operator)}</div>"
    shape = " x ".join(map(str, row.out_shape))
    return (
        f"<tr><td>{escape(row.name)}<td class='{escape(row.operator)}'>{width}<td>{shape}"
        f"<td>{row.macs / 1e6:.2f}{share}"
    )


def _use(summary: Summary) -> str:
    """The section about using the files; empty before there are any."""
    if not summary.export:
        return ""
    own = summary.export.delivered
    told = f"<p>{escape(', '.join(own.digests))}: {escape(delivered_text(own))}.</p>" if own else ""
    programs = "".join(f"<pre>{escape(text)}</pre>" for text in snippets(summary.export.files))
    note = "Beside the files of this run, with no package of ours; model.json says all that is done to an image."
    return f'<section><h2>Classify an image</h2>{told}{programs}<p class="note">{note}</p></section>'


FURTHER = {
    "classify {run} new_photos/": "what the exported file says of photos of your own",
    "export {run} --to net.tflite": "the network for another runtime, compared with this one",
    "measure {run} mobilenetv3_small_100 --device DEVICE": "beside other networks, on another device",
    "compare {run} OTHER_RUN": "beside another run: is the difference more than noise?",
}
"""Commands about a finished run, and what each is for."""


def _further(summary: Summary) -> str:
    """Commands to copy."""
    run = shlex.quote(summary.run)
    known = FURTHER if summary.export else {"resume {run}": "goes on where this run was interrupted"}
    rows = [
        f"<tr><td><code>{escape(f'surgenas {text.format(run=run)}')}</code><td>{escape(what)}"
        for text, what in known.items()
    ]
    return f"<table>{''.join(rows)}</table>"


def _setting(summary: Summary, story: Story) -> str:
    target, data = story.target, story.data
    device: list[list[Any]] = [
        ["estimator" if story.is_estimated else "device", f"{target.name}: {target.runtime} on {target.processor}"],
        ["its key", target.key],
        *(["assumed", note] for note in (*target.notes, *summary.latency.assumed)),
    ] if target else []  # fmt: skip
    rows: list[list[Any]] = [
        ["data", f"{data.get('name')}: {data.get('train')} images to learn from, {data.get('test')} for the test"],
        *device,
        ["reachable latencies", " to ".join(show_known_ms(ms) for ms in summary.reachable_ms)],
        ["rounds of verification", story.rounds],
        *([f"time: {name}", show_seconds(spent)] for name, spent in summary.seconds.items()),
        *(["note", note] for note in data.get("notes", [])[:50]),
    ]
    return _table(["", ""], rows)


def _table(head: list[str], rows: list[list[Any]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}" for cell in row) for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(name)}' for name in head)}{cells}</table>"
