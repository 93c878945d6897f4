"""Trains one architecture from scratch outside of a run, in the way a run of the same settings does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
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
from surgenas.engine.here import Here
from surgenas.nn.cost import output_shape
from surgenas.runs.checkpoint import Checkpoints
from surgenas.runs.journal import exclusive
from surgenas.runs.summary import TestAccuracy
from surgenas.tasks import Fit, Flips
from surgenas.tasks.data import Images, load_data
from surgenas.training.loop import Recipe


@dataclass(frozen=True)
class TrainedFile(Record):
    """model: the file of the trained weights. accuracy: on the test part."""

    model: str
    accuracy: TestAccuracy


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
    max_corrupt: float = 0.05,
    fit: Fit = "crop",
    flips: Flips = "auto",
) -> Trained:
    """Train an architecture, going on from the newest checkpoint.

    data, max_corrupt, fit, flips: as for a search. Raises UsageError for what these cannot be, if the data have another
    number of classes than the architecture, or if the checkpoints belong to another training.
    """
    for flag, value in (("--epochs", epochs), ("--batch", batch)):
        if value < 1:
            raise UsageError(f"{flag} {value}: expected 1 or more")
    for flag, text, known in (("--fit", fit, get_args(Fit)), ("--flips", flips, get_args(Flips))):
        if text not in known:
            raise UsageError(f"{flag} {text!r}: expected one of {', '.join(known)}")
    cache = checkpoints.folder.parent / "cache"
    images = load_data(data, space.input_shape[1], max_corrupt=max_corrupt, cache=cache, progress=progress, fit=fit,
                       flips=flips)  # fmt: skip
    (wanted,) = output_shape(space.build(arch), space.input_shape)
    if wanted != len(images.classes):
        raise UsageError(f"the architecture is for {wanted} classes, {data} has {len(images.classes)}")
    recipe = Recipe(epochs=epochs, batch=batch)
    make_folder(checkpoints.folder)
    with exclusive(checkpoints.folder):
        facts = {"architecture": arch.key, "images": images.fingerprint, "seed": seed, "recipe": asdict(recipe),
                 "flips": images.flips}  # fmt: skip
        claim_checkpoints(checkpoints, facts)
        with progress.task("train", epochs, (checkpoints.numbers() or [0])[-1]) as task:
            engine = Here(
                Images(images, images), recipe, (), space, seed, store=lambda _: checkpoints,
                on_epoch=lambda _, epoch: task.advance(f"loss {epoch.loss:.2f}"), accelerator=accelerator,
                processes=processes,
            )  # fmt: skip
            return engine.train(Train("alone", arch, derive(seed, "train")))


def claim_checkpoints(checkpoints: Checkpoints, training: dict[str, object]) -> None:
    """Record beside the checkpoints which training they belong to; raise UsageError if they belong to another or an
    unknown one."""
    path, text = checkpoints.folder / "training.json", json.dumps(training, indent=1).encode()
    if not path.exists() and not checkpoints.numbers():
        write_atomic(path, text)
    elif not path.exists() or path.read_bytes() != text:
        raise UsageError(f"{path} tells of another training than this one; choose another --out")
