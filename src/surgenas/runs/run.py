"""A run is a folder: config.json, journal.jsonl, checkpoints/, and the files that it produces."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from surgenas.core.architecture import Architecture, Setting
from surgenas.core.capabilities import Shrinks, require
from surgenas.core.errors import CorruptError, UsageError
from surgenas.core.files import make_folder, write_atomic
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.space import Space
from surgenas.hardware.target import Target
from surgenas.methods import make_method
from surgenas.methods.base import Method
from surgenas.runs import results
from surgenas.runs.checkpoint import Checkpoints
from surgenas.runs.config import FORMAT, RunConfig, read_config
from surgenas.runs.images import split
from surgenas.runs.journal import Journal, exclusive, make_room
from surgenas.runs.workforce import Workforce
from surgenas.spaces import make_space, settings_of
from surgenas.tasks.data import Dataset, Images, default_resolution, load_data

Result = TypeVar("Result", bound=Record)


@dataclass(frozen=True, eq=False)
class Run:
    """An open run folder. All memory of what was done is in the journal."""

    folder: Path
    config: RunConfig
    journal: Journal
    progress: Progress

    @classmethod
    def create(cls, folder: Path, config: RunConfig, progress: Progress) -> Run:
        """Start a new run in a folder, also in place of one that has hardly begun, as of a limit that was refused.

        Raises UsageError if the folder holds another run, SurgenasError if a process is working on it.
        """
        if (folder / "config.json").exists():
            make_room(folder)
        make_folder(folder)
        versions = {name: version(name) for name in ("surgenas", "torch", "timm", "onnxruntime", "numpy")}
        record = {"format": FORMAT, "config": config.model_dump(mode="json"), "versions": versions}
        write_atomic(folder / "config.json", json.dumps(record, indent=2).encode())
        return cls(folder, config, Journal(folder / "journal.jsonl"), progress)

    @classmethod
    def open_or_create(cls, folder: Path, config: RunConfig, progress: Progress) -> Run:
        """Continue the run in a folder, or start a new one if there is none; raises UsageError if the run there has
        other settings."""
        if not (folder / "config.json").exists():
            return cls.create(folder, config, progress)
        run = cls.open(folder, progress)
        if run.config != config:
            raise UsageError(f"{folder} holds a run with other settings; give the same ones again, or another --out")
        return run

    @classmethod
    def open(cls, folder: Path, progress: Progress) -> Run:
        """Open an existing run. Raises UsageError or CorruptError that says what is wrong with the folder."""
        try:
            record = json.loads((folder / "config.json").read_text())
        except FileNotFoundError:
            raise UsageError(
                f"{folder} is not a run folder (no config.json); `surgenas search --out` makes one"
            ) from None
        except (OSError, ValueError) as error:
            raise CorruptError(
                f"{folder / 'config.json'} cannot be read: {error}; restore the file, or start a new run"
            ) from error
        found = record.get("format") if isinstance(record, dict) else None
        if found != FORMAT:
            raise UsageError(f"{folder} was written as {found!r}, this version reads {FORMAT!r}; resume it with the "
                             "surgenas that wrote it, or start a new run")  # fmt: skip
        try:
            config = read_config(record.get("config"))
        except CorruptError as error:
            raise CorruptError(f"{folder}: {error}; restore the file, or start a new run") from error
        return cls(folder, config, Journal(folder / "journal.jsonl"), progress)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the run, so that no other process works on it; the journal is read again first. As
        `runs.journal.exclusive`."""
        with exclusive(self.folder):
            self.journal.read()  # another process may have written before
            yield

    # --- what the run works with, made once

    @property
    def resolution(self) -> int:
        """Height and width of the images: as configured, else as the limit asks for."""
        c, found = self.config.data, self.result(results.Sized)
        return c.resolution or (found.resolution if found else 0) or default_resolution(c.source)

    @cached_property
    def data(self) -> Dataset:
        """The images. Raises UsageError if they are not those that the run began with."""
        c = self.config.data
        look = require(self.make_space(classes=2), Shrinks).look() if self.config.training.weights else None
        found = load_data(
            c.source, self.resolution, max_corrupt=c.max_corrupt, cache=self.folder / "cache", progress=self.progress,
            fit=c.fit, flips=self.config.training.flips, classes=self.config.training.classes, look=look,
            memory=c.memory_bytes, workers=c.workers,
        )  # fmt: skip
        known = self.journal.last("data")
        if known is None:
            self.journal.append(
                "data", name=found.name, fingerprint=found.fingerprint, classes=list(found.classes),
                train=len(found.train), test=len(found.test), notes=list(found.notes), flips=found.flips,
            )  # fmt: skip
        elif known["fingerprint"] != found.fingerprint:
            raise UsageError(f"the images of {c.source} changed, or an earlier surgenas began this run; start another")
        return replace(found, flips=known.get("flips", found.flips)) if known else found

    @cached_property
    def images(self) -> Images:
        """The images as the search uses them."""
        return split(self.data, self.asked_method.needs(self.space), self.config.seed)

    @cached_property
    def asked_method(self) -> Method:
        """The method with the settings asked for, before the run decides its number of epochs."""
        return make_method(self.config.method.name, self.config.method.settings)

    @cached_property
    def space(self) -> Space:
        """The search space, with the operators that were selected for the device, if any were."""
        chosen = self.result(results.Selected)
        return self.make_space({"pool": chosen.pool} if chosen else {})

    def make_space(self, more: dict[str, Setting] | None = None, classes: int = 0, side: int = 0) -> Space:
        """The configured space. more: settings that override the configured ones. classes, side: of the images, instead
        of the run's."""
        side = side or self.resolution
        c = self.config.space
        name = c.name or self.asked_method.default_space
        asked: dict[str, Setting] = {"layout": c.layout, "width": self.width}
        images: dict[str, Setting] = {"resolution": side, "classes": classes or self._classes()}
        takes = settings_of(name)
        usual, of_images = ({k: v for k, v in some.items() if k in takes} for some in (asked, images))
        # a space file does not decide the images
        space = make_space(name, {**usual, **c.settings, **(more or {}), **of_images})
        _, H, W = space.input_shape
        if (side, side) != (H, W):
            raise UsageError(f"space {name!r} takes images of {H} x {W}; use --resolution {H}")
        return space

    @property
    def width(self) -> float:
        """The channel multiplier: as configured, else as the limit asks for."""
        return self.config.space.width or (found.width if (found := self.result(results.Sized)) else 1.0)

    def _classes(self) -> int:
        known = self.journal.last("data")  # so that a report does not load images
        return len(known["classes"] if known else self.data.classes)

    @cached_property
    def target(self) -> Target:
        """What costs are asked of; raises UsageError if it is not the one that the run began with."""
        target = self.workforce.target()
        known = self.journal.last("target")
        if known is None:
            self.journal.append("target", **target.describe().to_json())
        elif known["key"] != target.key:
            raise UsageError(f"this run asked {known['key']}, here is {target.key}; resume it there or start anew")
        return target

    @cached_property
    def workforce(self) -> Workforce:
        """Who works for the run beside this process."""
        return Workforce(self.config)

    def checkpoints(self, name: str) -> Checkpoints:
        """The checkpoints of this name in the run's folder."""
        return Checkpoints(self.folder / "checkpoints" / name)

    def architecture(self, genes: list[str]) -> Architecture:
        """The architecture of the run's space with these genes."""
        return self.space.architecture(tuple(genes))

    # --- what was done

    def result(self, kind: type[Result]) -> Result | None:
        """The recorded result of this kind, or None if its step is not done."""
        return self.result_of(results.STEP_OF[kind], kind)

    def result_of(self, step: str, kind: type[Result]) -> Result | None:
        """The recorded result of a step; None if it is not done, or did not apply."""
        event = self.journal.done(step)
        if event is None or event.get("result") is None:
            return None
        try:
            return kind.from_json(event["result"])
        except CorruptError as error:
            raise CorruptError(
                f"{self.folder / 'journal.jsonl'}: step {step}: {error}; restore the file, or start a new run"
            ) from error

    def _need(self, kind: type[Result]) -> Result:
        found = self.result(kind)
        if found is None:
            raise UsageError(
                f"{self.folder} is not that far yet ({results.STEP_OF[kind]} is not done); `surgenas resume "
                f"{self.folder}` goes on"
            )
        return found

    @property
    def reached(self) -> results.Reached:
        """The result of the step `reach`. This and the following properties raise UsageError if the
        step is not done."""
        return self._need(results.Reached)

    @property
    def predicted(self) -> results.Predicted:
        """The result of the step `predict`."""
        return self._need(results.Predicted)

    @property
    def derived(self) -> results.Derived:
        """The result of the step `derive`."""
        return self._need(results.Derived)

    @property
    def rivals(self) -> results.Rivals:
        """The result of the step `rivals`."""
        return self._need(results.Rivals)

    @property
    def verified(self) -> results.Verified:
        """The result of the step `verify`."""
        return self._need(results.Verified)

    def accuracy(self, network: str) -> float | None:
        """The accuracy (0 to 1) of a trained network on the test part; None if it is not trained yet."""
        found = self.trained(network)
        return found.accuracy if found else None

    def trained(self, network: str) -> results.Accuracy | None:
        """The result of a training; None if it is not done."""
        return self.result_of(f"train {network}", results.Accuracy)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Record how long a block takes as time of this step, even if the block fails."""
        start = time.monotonic()
        self.journal.append("begin", step=step)
        try:
            yield
        finally:
            self.journal.append("spent", step=step, seconds=time.monotonic() - start)

    def record(self, step: str, result: Record | None, files: Sequence[str] = ()) -> None:
        """Record the result of a step, None if the step does not apply; it is done from then on. files: what it wrote
        into the run folder, or measured of it."""
        digests = {name: self._digest(name) for name in files}
        self.journal.append("done", step=step, result=result.to_json() if result else None, digests=digests)

    def is_done(self, step: str) -> bool:
        """Whether a step is recorded, and its files are still what they were."""
        event = self.journal.done(step)
        if event is None:
            return False
        for name, digest in event.get("digests", {}).items():
            if digest not in (None, self._digest(name)):
                self.progress.log(f"{self.folder / name} is missing or damaged; the step {step} is done again")
                return False
        return True

    def reopen(self, *steps: str) -> None:
        """Have steps done again, all of them whenever it is killed: what they found no longer holds."""
        self.journal.append("reopened", steps=list(steps))

    def _digest(self, file: str) -> str | None:
        """The SHA-256 of a file in the run folder; None for one that is not there."""
        path = self.folder / file
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    def seconds(self) -> dict[str, float]:
        """Seconds spent by step; interrupted attempts count."""
        spent: dict[str, float] = {}
        for event in self.journal.all("spent"):
            spent[event["step"]] = spent.get(event["step"], 0.0) + event["seconds"]
        return spent
