"""model.json: what is done to an image before a model file gets it, what comes out, and which files there are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from surgenas.core.errors import CorruptError, SurgenasError
from surgenas.core.files import write_atomic
from surgenas.core.look import Interpolation
from surgenas.core.record import Record
from surgenas.runs.names import USE
from surgenas.runs.results import ModelFile
from surgenas.tasks import Fit

if TYPE_CHECKING:  # who uses a model file needs no torch
    from surgenas.tasks.data import Dataset


@dataclass(frozen=True)
class ModelUse(Record):
    """How the files are used. An image is turned upright by its EXIF tag, made RGB, and brought to the input's size as
    `fit` and `resize` say; its pixels are multiplied by `scale`, and standardised by channel.

    classes: in the order of the outputs. files: by name; those in several parts by the name of each part. white_whole,
    white_float: the value that becomes white, of images of more than 8 bits in whole numbers and in others; None where
    the network has seen none.
    """

    files: Mapping[str, ModelFile]
    width: int
    height: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    classes: tuple[str, ...]
    interpolation: Interpolation
    fit: Fit
    resize: str
    channels: Literal["RGB"] = "RGB"
    layout: Literal["NCHW"] = "NCHW"
    scale: float = 1 / 255
    exif: Literal["turned upright"] = "turned upright"
    output: Literal["logits"] = "logits"
    white_whole: float | None = None
    white_float: float | None = None

    @property
    def white(self) -> dict[bool, float]:
        """The values that become white, as `tasks.depth.common_white` says."""
        known = {True: self.white_whole, False: self.white_float}
        return {whole: value for whole, value in known.items() if value is not None}


RESIZE: Mapping[Fit, str] = {
    "crop": "the largest centred part of the input's proportions, resized to width x height",
    "pad": "all of it, resized to lie within width x height, centred, black beside it",
    "squash": "all of it, resized to width x height whatever its proportions",
}


def use_of(data: Dataset, input_shape: tuple[int, int, int], files: Mapping[str, ModelFile]) -> ModelUse:
    """How the files of a network for these images are used. input_shape: (C, H, W)."""
    _, H, W = input_shape
    return ModelUse(
        files, W, H, data.mean, data.std, data.classes, data.interpolation, data.fit, RESIZE[data.fit],
        white_whole=data.white.get(True), white_float=data.white.get(False),
    )  # fmt: skip


def write_use(path: Path, use: ModelUse) -> None:
    """Write model.json."""
    write_atomic(path, json.dumps(use.to_json(), indent=1).encode() + b"\n")


def maker_of(folder: Path) -> str:
    """The command that makes what is missing in the folder of a run or of a training."""
    if (folder / "checkpoints" / "training.json").exists() and not (folder / "config.json").exists():
        return f"`surgenas train --out {folder}`, else as it was called,"
    return f"`surgenas resume {folder}`"


def read_use(folder: Path) -> ModelUse:
    """What model.json of a run or a training says. Raises SurgenasError if there is none, CorruptError if it is
    damaged."""
    path = folder / USE
    try:
        return ModelUse.from_json(json.loads(path.read_bytes()))
    except OSError as error:
        raise SurgenasError(f"{folder} has no {USE}; {maker_of(folder)} makes it") from error
    except (ValueError, CorruptError) as error:
        raise CorruptError(f"{path} cannot be read ({error}); {maker_of(folder)} makes it again") from error
