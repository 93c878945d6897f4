"""A run is a folder: config.json, journal.jsonl, checkpoints/, and what came out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.errors import CorruptError, UsageError
from surgenas.core.files import make_folder, write_atomic
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.space import Space
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Target
from surgenas.methods import make_method
from surgenas.methods.base import Method
from surgenas.runs import results
from surgenas.runs.checkpoint import Checkpoints
from surgenas.runs.config import FORMAT, RunConfig, read_config
from surgenas.runs.journal import Journal, exclusive
from surgenas.spaces import make_space, settings_of
from surgenas.tasks.data import Dataset, default_resolution, load_data

Result = TypeVar("Result", bound=Record)
STEP_OF: dict[type[Record], str] = {
    results.Selected: "operators",
    results.Reached: "reach",
    results.Planned: "plan",
    results.Profiled: "profile",
    results.Predicted: "predict",
    results.Searched: "search",
    results.Derived: "derive",
    results.Rivals: "rivals",
    results.Exported: "export",
    results.Verified: "verify",
}
"""The step that records a result. Trainings have one for each network: "train found"."""


@dataclass(frozen=True, eq=False)
class Run:
    """An open run folder. All memory of what was done is in the journal."""

    folder: Path
    config: RunConfig
    journal: Journal
    progress: Progress

    @classmethod
    def create(cls, folder: Path, config: RunConfig, progress: Progress) -> Run:
        """A new run; raises UsageError if the folder holds one already."""
        if (folder / "config.json").exists():
            raise UsageError(f"{folder} holds a run already; `surgenas resume {folder}`, or choose another --out")
        make_folder(folder)
        versions = {name: version(name) for name in ("surgenas", "torch", "timm", "onnxruntime", "numpy")}
        record = {"format": FORMAT, "config": config.model_dump(mode="json"), "versions": versions}
        write_atomic(folder / "config.json", json.dumps(record, indent=2).encode())
        return cls(folder, config, Journal(folder / "journal.jsonl"), progress)

    @classmethod
    def begun(cls, folder: Path, config: RunConfig, progress: Progress) -> Run:
        """The run of this configuration, new or gone on with; raises UsageError if the folder holds another."""
        if not (folder / "config.json").exists():
            return cls.create(folder, config, progress)
        run = cls.open(folder, progress)
        if run.config != config:
            raise UsageError(f"{folder} holds a run with other settings; give the same ones again, or another --out")
        return run

    @classmethod
    def open(cls, folder: Path, progress: Progress) -> Run:
        """An existing run; raises UsageError or CorruptError saying what is wrong with the folder."""
        try:
            record = json.loads((folder / "config.json").read_text())
        except FileNotFoundError:
            raise UsageError(
                f"{folder} is not a run folder (no config.json); `surgenas search --out` makes one"
            ) from None
        except (OSError, ValueError) as error:
            raise CorruptError(f"{folder / 'config.json'} cannot be read: {error}") from error
        found = record.get("format") if isinstance(record, dict) else None
        if found != FORMAT:
            raise UsageError(f"{folder} was written as {found!r}, this version reads {FORMAT!r}; resume it with the "
                             "surgenas that wrote it, or start a new run")  # fmt: skip
        return cls(folder, read_config(record.get("config")), Journal(folder / "journal.jsonl"), progress)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One process works on a run; the lock dies with its holder."""
        with exclusive(self.folder):
            self.journal.read()  # another may have written until it let go
            yield

    # --- what the run works with, made once

    @property
    def resolution(self) -> int:
        """Image height and width."""
        return self.config.data.resolution or default_resolution(self.config.data.source)

    @cached_property
    def data(self) -> Dataset:
        c = self.config.data
        found = load_data(
            c.source, self.resolution, max_corrupt=c.max_corrupt, cache=self.folder / "cache", progress=self.progress
        )
        known = self.journal.last("data")
        if known is None:
            self.journal.append(
                "data", name=found.name, fingerprint=found.fingerprint, classes=list(found.classes),
                train=len(found.train), test=len(found.test), notes=list(found.notes),
            )  # fmt: skip
        elif known["fingerprint"] != found.fingerprint:
            raise UsageError(f"the images of {c.source} changed since this run began; start a new run")
        return found

    @cached_property
    def asked_method(self) -> Method:
        """The method as asked for, before anybody decided how long it takes."""
        return make_method(self.config.method.name, self.config.method.settings)

    @cached_property
    def space(self) -> Space:
        """With the operators that were selected for the device, if they were."""
        chosen = self.result(results.Selected)
        return self.make_space({"pool": chosen.pool} if chosen else {})

    def make_space(self, more: dict[str, Setting] | None = None) -> Space:
        """As configured, and with these settings besides."""
        c = self.config.space
        name = c.name or self.asked_method.default_space
        asked: dict[str, Setting] = {"layout": c.layout, "width": c.width}
        images: dict[str, Setting] = {"resolution": self.resolution, "classes": self._classes()}
        takes = settings_of(name)
        usual, of_images = ({k: v for k, v in some.items() if k in takes} for some in (asked, images))
        space = make_space(name, {**usual, **c.settings, **(more or {}), **of_images})  # whatever a file says of images
        if space.input_shape[1:] != (self.resolution, self.resolution):
            raise UsageError(
                f"space {name!r} takes images of {space.input_shape[1]} x {space.input_shape[2]}; use --resolution "
                f"{space.input_shape[1]}"
            )
        return space

    def _classes(self) -> int:
        known = self.journal.last("data")  # a report must not need the images again
        return len(known["classes"] if known else self.data.classes)

    @cached_property
    def target(self) -> Target:
        """What costs are asked of; raises UsageError if it is not the one that this run began with."""
        target = make_target(self.config.target.name)
        known = self.journal.last("target")
        if known is None:
            self.journal.append("target", **target.describe().to_json())
        elif known["key"] != target.key:
            raise UsageError(f"this run asked {known['key']}, here is {target.key}; resume it there or start anew")
        return target

    def checkpoints(self, name: str) -> Checkpoints:
        return Checkpoints(self.folder / "checkpoints" / name)

    def architecture(self, genes: list[str]) -> Architecture:
        return self.space.architecture(tuple(genes))

    # --- what was done

    def result(self, kind: type[Result]) -> Result | None:
        """What the step that finds such a value found, or None if it is not done."""
        return self.result_of(STEP_OF[kind], kind)

    def result_of(self, step: str, kind: type[Result]) -> Result | None:
        event = self.journal.last("done", step=step)
        return kind.from_json(event["result"]) if event else None

    def _need(self, kind: type[Result]) -> Result:
        found = self.result(kind)
        if found is None:
            raise UsageError(
                f"{self.folder} is not that far yet ({STEP_OF[kind]} is not done); `surgenas resume {self.folder}` "
                "goes on"
            )
        return found

    @property
    def reached(self) -> results.Reached:
        """Each of these raises UsageError while its step is not done."""
        return self._need(results.Reached)

    @property
    def predicted(self) -> results.Predicted:
        return self._need(results.Predicted)

    @property
    def derived(self) -> results.Derived:
        return self._need(results.Derived)

    @property
    def rivals(self) -> results.Rivals:
        return self._need(results.Rivals)

    @property
    def verified(self) -> results.Verified:
        return self._need(results.Verified)

    def accuracy(self, network: str) -> float | None:
        """Of a trained network, on the test part; None while it is not trained."""
        found = self.result_of(f"train {network}", results.Accuracy)
        return found.accuracy if found else None

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Count the time of a block as the step's, whether it ends well or not."""
        start = time.monotonic()
        self.journal.append("begin", step=step)
        try:
            yield
        finally:
            self.journal.append("spent", step=step, seconds=time.monotonic() - start)

    def record(self, step: str, result: Record) -> None:
        """What a step found: with this it is done."""
        self.journal.append("done", step=step, result=result.to_json())

    def seconds(self) -> dict[str, float]:
        """Time spent by step, interrupted attempts included."""
        spent: dict[str, float] = {}
        for event in self.journal.all("spent"):
            spent[event["step"]] = spent.get(event["step"], 0.0) + event["seconds"]
        return spent
