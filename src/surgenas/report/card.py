"""README.md of a run folder: a model card as hubs of models read it (Mitchell et al., FAT* 2019), of what is known of
the found network and where it was not tried."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from surgenas.core.files import write_atomic
from surgenas.core.units import show_ms
from surgenas.report.snippet import snippets
from surgenas.report.words import (
    accuracy_note,
    cost_note,
    show_comparison,
    show_interval,
    show_known_ms,
    show_percent,
    start_note,
)
from surgenas.runs.names import ONNX
from surgenas.runs.run import Run
from surgenas.runs.story import Story, tell_story
from surgenas.runs.summary import Network, Summary, summarize

CARD = "README.md"
NAME = "surgenas"


def write_card(run: Run) -> None:
    """Write the card of a run, if its network is exported."""
    summary = summarize(run)
    if summary.export:
        write_atomic(run.folder / CARD, card(summary, tell_story(run)).encode())


def card(summary: Summary, story: Story) -> str:
    """The card as Markdown, of a run whose network is exported."""
    assert summary.export, "only what can be used has a card"
    name, data = Path(summary.run).name, story.data
    how = f"found by `{story.method}` (surgenas)" if story.method else "a network as it was, taken by surgenas"
    images = Path(str(data.get("name"))).name
    parts = [
        f"---\n{_facts(summary, name, images)}\n---",
        f"# {_plain(name)}",
        f"An image classifier of {len(data.get('classes') or ())} classes, {how} for {_device(story)} and trained on "
        f"{data.get('train')} images of {_plain(images)}.",
        "## How good it is",
        _table([summary.found, *summary.beside]),
        f"On {data.get('test')} images that no decision has seen. {_latency(summary, story)}",
        *(f"Of the found network: {note}." for note in accuracy_note(summary)),
        *start_note(summary.start, summary.started),
        *_classes(summary),
        "## How to use it",
        f"`model.json` says all that is done to an image before. With `{ONNX}` and nothing of surgenas:",
        f"```python\n{snippets({ONNX: summary.export.files[ONNX]})[0].strip()}\n```",
        "## Where it was not tried",
        "Images of other sources, cameras or classes than those above; other devices than the one named, where its "
        "latency is another; inputs made to mislead it. Whether it does as well for all groups of people or places was "
        "not looked at.",
        "## How it was made",
        f"Seed {summary.seed}; {' '.join(cost_note(summary.cost, summary.seconds)).removeprefix('cost ').strip()}. "
        "`config.json` has every setting, `journal.jsonl` every step, `report.html` shows them.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(summary: Summary, name: str, images: str) -> str:
    """What hubs read, as YAML."""
    accuracy = summary.accuracy.test
    results = None
    if accuracy is not None:
        results = [
            EvalResult(
                task_type="image-classification", dataset_type="imagefolder", dataset_name=images,
                metric_type="accuracy", metric_value=round(accuracy, 6),
            )
        ]  # fmt: skip
    found = ModelCardData(
        library_name="onnx", tags=["image-classification", "neural-architecture-search", NAME],
        model_name=name, eval_results=results,
    )  # fmt: skip
    return found.to_yaml().strip()


def _plain(name: str) -> str:
    """A name by a user, of which no character means anything to Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]#|~])", r"\\\1", escape(" ".join(name.split())))


def _device(story: Story) -> str:
    target = story.target
    return _plain(f"{target.name} ({target.runtime} on {target.processor})") if target else "a device"


def _table(networks: list[Network]) -> str:
    rows = [
        f"| {n.name} | {show_percent(n.accuracy)} | {show_known_ms(n.latency_ms)} | {show_comparison(n.to_found)} |"
        for n in networks
    ]
    return "\n".join(["| network | test accuracy | latency | latency / found |", "|---|---|---|---|", *rows])


def _latency(summary: Summary, story: Story) -> str:
    latency = summary.latency
    if latency.ms is None:
        return ""
    if latency.interval is None:
        return f"The latency of {show_ms(latency.ms)} is an estimate; nothing was timed."
    sure = f"{show_interval(latency.interval)}, grade {latency.grade}"
    return f"The latency of {show_ms(latency.ms)} was measured on {_device(story)} in its quiet state ({sure})."


def _classes(summary: Summary) -> list[str]:
    if not summary.classes:
        return []
    rows = [f"| {_plain(row.name)} | {row.images} | {row.f1:.0%} |" for row in summary.classes.classes]
    return ["\n".join(["| class | test images | F1 |", "|---|---|---|", *rows])]
