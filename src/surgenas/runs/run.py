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
from typing import Any

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.catalog import look_up
from surgenas.core.errors import CorruptError, UsageError
from surgenas.core.files import make_folder, write_atomic
from surgenas.core.progress import Progress
from surgenas.hardware.target import Target
from surgenas.hardware.devices import make_target
from surgenas.methods import CATALOG as METHODS
from surgenas.runs.checkpoint import Checkpoints
from surgenas.runs.config import FORMAT, RunConfig, read_config
from surgenas.runs.journal import Journal, exclusive
from surgenas.spaces import make_space
from surgenas.spaces.mobile import Mobile
from surgenas.tasks.data import Dataset, default_resolution, load_data


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

    @cached_property
    def data(self) -> Dataset:
        c = self.config
        resolution = c.resolution or default_resolution(c.data)
        found = load_data(
            c.data,
            resolution,
            max_corrupt=c.max_corrupt,
            cache=self.folder / "cache",
            progress=self.progress,
        )
        known = self.journal.last("data")
        if known is None:
            self.journal.append(
                "data", name=found.name, fingerprint=found.fingerprint, classes=list(found.classes),
                train=len(found.train), test=len(found.test), notes=list(found.notes),
            )  # fmt: skip
        elif known["fingerprint"] != found.fingerprint:
            raise UsageError(f"the images of {c.data} changed since this run began; start a new run")
        return found

    @cached_property
    def space(self) -> Mobile:
        """With the operators that were selected for the device, if they were."""
        chosen = self.result("operators")
        return self.make_space({"pool": chosen["pool"]} if chosen else {})

    def make_space(self, more: dict[str, Setting] | None = None) -> Mobile:
        """As configured, and with these settings besides."""
        c = self.config
        resolution = c.resolution or default_resolution(c.data)
        settings: dict[str, Setting] = {
            "layout": c.layout,
            "width": c.width,
            **c.space_settings,
            **(more or {}),
            "resolution": resolution,  # of the images, whatever a file says
            "classes": self._classes(),
        }
        name = c.space or look_up("method", c.method, METHODS).default_space
        space = make_space(name, settings)
        if not isinstance(space, Mobile):
            raise UsageError(f"space {name!r}: a run needs a mobile space")
        return space

    def _classes(self) -> int:
        known = self.journal.last("data")  # a report must not need the images again
        return len(known["classes"] if known else self.data.classes)

    @cached_property
    def target(self) -> Target:
        """What costs are asked of; raises UsageError if it is not the one that this run began with."""
        target = make_target(self.config.device)
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

    def result(self, stage: str) -> dict[str, Any] | None:
        """What a finished stage found, or None."""
        event = self.journal.last("done", stage=stage)
        return event["result"] if event else None

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Work on a stage; what is put into the dictionary becomes its result when the block ends well."""
        result: dict[str, Any] = {}
        start = time.monotonic()
        self.journal.append("begin", stage=name)
        try:
            yield result
        except BaseException:
            self.journal.append("stopped", stage=name, seconds=time.monotonic() - start)
            raise
        self.journal.append("done", stage=name, seconds=time.monotonic() - start, result=result)

    def seconds(self) -> dict[str, float]:
        """Time spent by stage, interrupted attempts included."""
        spent: dict[str, float] = {}
        for event in self.journal.events:
            if event["event"] in ("done", "stopped"):
                spent[event["stage"]] = spent.get(event["stage"], 0.0) + event["seconds"]
        return spent
