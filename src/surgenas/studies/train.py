"""Trains one architecture from scratch outside of a run, in the way a run of the same settings does."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.files import make_folder, write_atomic
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.core.seeds import derive
from surgenas.core.space import Space
from surgenas.core.work import Train
from surgenas.engine.base import Trained
from surgenas.engine.here import TRAINING, Here
from surgenas.nn.cost import output_shape
from surgenas.nn.weights import load_weights, save_weights
from surgenas.runs.checkpoint import Checkpoints
from surgenas.runs.delivery import write_onnx
from surgenas.runs.journal import exclusive
from surgenas.runs.model_use import use_of, write_use
from surgenas.runs.names import ONNX, USE
from surgenas.runs.results import ModelFile
from surgenas.runs.summary import TestAccuracy
from surgenas.tasks import Classes, Fit, Flips
from surgenas.tasks.by_class import ByClass
from surgenas.tasks.data import Dataset, Images, load_data
from surgenas.training.loop import Epoch, Recipe
from surgenas.training.team import Team


@dataclass(frozen=True)
class TrainedFile(Record):
    """model: the file of the trained weights. onnx: of the same network for deployment; model.json beside it says how
    it is used. accuracy, classes: on the test part."""

    model: str
    onnx: str
    accuracy: TestAccuracy
    classes: ByClass | None = None


@dataclass(frozen=True)
class Reading:
    """How images are read, as for a search. Raises UsageError for what that cannot be."""

    max_corrupt: float = 0.05
    fit: Fit = "crop"
    flips: Flips = "auto"
    classes: Classes = "as-is"
    memory: float | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        said = (("--fit", self.fit, Fit), ("--flips", self.flips, Flips), ("--classes", self.classes, Classes))
        for flag, text, kind in said:
            known = get_args(kind)
            if text not in known:
                raise UsageError(f"{flag} {text!r}: expected one of {', '.join(known)}")


def train_alone(
    arch: Architecture,
    space: Space,
    data: str,
    checkpoints: Checkpoints,
    epochs: int,
    progress: Progress,
    *,
    batch: int = 64,
    seed: int = 0,
    accelerator: str = "auto",
    processes: int = 1,
    reading: Reading = Reading(),
) -> Trained:
    """Train an architecture, going on from the newest checkpoint.

    data: as for a search. Raises UsageError if the data have another number of classes than the architecture, or if the
    checkpoints belong to another training.
    """
    recipe = checked_recipe(epochs, batch)
    images = load_images(arch, space, data, checkpoints.folder.parent / "cache", progress, reading)
    return _train(arch, space, images, checkpoints, recipe, progress, seed, accelerator, processes)


def train_into(
    out: Path,
    arch: Architecture,
    space: Space,
    data: str,
    epochs: int,
    progress: Progress,
    *,
    batch: int = 64,
    seed: int = 0,
    accelerator: str = "auto",
    processes: int = 1,
    reading: Reading = Reading(),
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> TrainedFile:
    """As `train_alone`, into a folder that `surgenas.load` reads: architecture.json, model.safetensors, model.onnx and
    model.json. on_epoch: called after each epoch."""
    recipe = checked_recipe(epochs, batch)
    images = load_images(arch, space, data, out / "cache", progress, reading)
    checkpoints = Checkpoints(out / "checkpoints")
    found = _train(arch, space, images, checkpoints, recipe, progress, seed, accelerator, processes, on_epoch)
    save_weights(out / "model.safetensors", found.weights)
    write_atomic(out / "architecture.json", arch.to_json().encode())
    network = load_weights(out / "model.safetensors", space.build(arch)).eval()
    write_onnx(out / ONNX, network, arch, space.input_of(arch), images)
    write_use(out / USE, use_of(images, space.input_of(arch), {ONNX: ModelFile()}))
    accuracy = TestAccuracy(found.accuracy, found.classes.balanced_accuracy)
    return TrainedFile(str(out / "model.safetensors"), str(out / ONNX), accuracy, found.classes)


def checked_recipe(epochs: int, batch: int) -> Recipe:
    """The recipe of so many epochs and images a step; raises UsageError for less than one."""
    for flag, value in (("--epochs", epochs), ("--batch", batch)):
        if value < 1:
            raise UsageError(f"{flag} {value}: expected 1 or more")
    return Recipe(epochs=epochs, batch=batch)


def load_images(
    arch: Architecture, space: Space, data: str, cache: Path, progress: Progress, reading: Reading
) -> Dataset:
    """The images of an architecture's size; raises UsageError if they have another number of classes than it."""
    images = load_data(data, space.input_of(arch)[1], cache=cache, progress=progress, **asdict(reading))
    (wanted,) = output_shape(space.build(arch), space.input_of(arch))
    if wanted != len(images.classes):
        raise UsageError(f"the architecture is for {wanted} classes, {data} has {len(images.classes)}")
    return images


def _train(
    arch: Architecture, space: Space, images: Dataset, checkpoints: Checkpoints, recipe: Recipe, progress: Progress,
    seed: int, accelerator: str, processes: int, on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Trained:  # fmt: skip
    make_folder(checkpoints.folder)
    with exclusive(checkpoints.folder):
        facts = {"architecture": arch.key, "images": images.fingerprint, "seed": seed, "recipe": asdict(recipe),
                 "flips": images.flips, **({"classes": "balanced"} if images.balanced else {})}  # fmt: skip
        claim_checkpoints(checkpoints, facts)
        started = (checkpoints.numbers() or [0])[-1]
        with closing(Team(accelerator, processes)) as team, progress.task("train", recipe.epochs, started) as task:
            team.check_batch(min(recipe.batch, len(images.train)))

            def note(name: str, epoch: Epoch) -> None:
                on_epoch(epoch)
                task.advance(f"loss {epoch.loss:.2f}")

            engine = Here(
                Images(images, images), recipe, (), space, seed, store=lambda _: checkpoints,
                on_epoch=note, team=team, progress=progress,
            )  # fmt: skip
            return engine.train(Train("alone", arch, derive(seed, TRAINING)))


def claim_checkpoints(checkpoints: Checkpoints, training: dict[str, object]) -> None:
    """Record beside the checkpoints which training they belong to; raise UsageError if they belong to another or an
    unknown one."""
    path, text = checkpoints.folder / "training.json", json.dumps(training, indent=1).encode()
    if not path.exists() and not checkpoints.numbers():
        write_atomic(path, text)
    elif not path.exists() or path.read_bytes() != text:
        raise UsageError(f"{path} tells of another training than this one; choose another --out")
