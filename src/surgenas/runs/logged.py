"""What of a run is a curve, a setting or a word for a logger? Read from its configuration and its journal alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from surgenas.loggers.base import Plain, Point
from surgenas.runs.config import RunConfig
from surgenas.runs.journal import Event
from surgenas.runs.names import FOUND, ONNX, USE
from surgenas.runs.results import Exported
from surgenas.runs.run import Run
from surgenas.runs.summary import summarize


class Curves:
    """Turns the events of a journal, one after the other from the first, into points.

    search/...: loss, accuracy and expected latency by epoch of shared weights, or score and latency by trial.
    train/NETWORK/...: loss and accuracy by epoch of a training.
    """

    def __init__(self) -> None:
        self._trials = 0

    def points(self, event: Event) -> list[Point]:
        """The points of the next event; none for most kinds."""
        match event["event"]:
            case "epoch":
                summary = event["summary"]
                return _points("search", summary["epoch"], summary, but=("epoch",))
            case "trial":
                self._trials += 1
                values = {f"score{_of_rung(event['rung'])}": event["score"], "latency_ms": event["latency_ms"]}
                return _points("search", self._trials - 1, values)
            case "trained":
                values = {name: event[name] for name in ("loss", "accuracy")}
                return _points(f"train/{_name(event['network'])}", event["epoch"], values)
        return []


def _of_rung(rung: int) -> str:
    """Scores of longer trainings of candidates are a curve of their own."""
    return f"-rung-{rung}" if rung else ""


def settings_of(config: RunConfig) -> dict[str, Plain]:
    """Every setting that has a value, by its path, such as `training.batch`."""
    return dict(_flat(config.model_dump(mode="json"), ""))


def _flat(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Plain]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        elif isinstance(value, list):
            yield f"{path}{name}", ", ".join(map(str, value))
        elif value is not None:
            yield f"{path}{name}", value


def final_points(run: Run) -> list[Point]:
    """What the run ended with: of every network its accuracy on the test part and its latency, of the found one also
    percentiles of its runs as they came; and the limit."""
    summary = summarize(run)
    latency = summary.latency
    share = latency.of_limit.share if latency.of_limit else None
    found = _points("final", 0, {"limit_ms": summary.limit_ms, "latency_of_limit": share})
    as_it_comes = {f"{name}_ms": of.ms if of else None for name, of in (("p50", latency.p50), ("p90", latency.p90))}
    found += _points(f"final/{FOUND}", 0, as_it_comes)
    for network in (summary.found, *summary.beside):
        values = {"test_accuracy": network.accuracy, "latency_ms": network.latency_ms, "doubt": network.doubt}
        found += _points(f"final/{_name(network.name)}", 0, values)
    return found


def final_words(run: Run) -> dict[str, str]:
    """What is no number: the target, the grade of every network's milliseconds, the architecture."""
    summary, target = summarize(run), run.journal.last("target")
    grades = {f"final/{_name(n.name)}/grade": n.grade for n in (summary.found, *summary.beside)}
    arch = summary.architecture
    words = {**grades, "target": target and target["key"], "architecture": arch and "-".join(arch.genes)}
    return {name: word for name, word in words.items() if word}


def files_of(run: Run) -> Sequence[Path]:
    """The files that are handed on, and the page."""
    exported = run.result(Exported)
    names = [*(exported.files if exported else (ONNX,)), USE, "architecture.json", "report.html"]
    return [run.folder / name for name in names]


def _name(network: str) -> str:
    """A name of a network as part of the name of a curve: TensorBoard takes no spaces."""
    return network.replace(" ", "-")


def _points(place: str, step: int, values: Mapping[str, float | None], but: Sequence[str] = ()) -> list[Point]:
    return [Point(f"{place}/{name}", step, float(value)) for name, value in values.items()
            if name not in but and isinstance(value, int | float)]  # fmt: skip
