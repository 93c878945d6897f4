"""model.json: what is done to an image before a model file gets it, what comes out, and which files there are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surgenas.core.files import write_atomic
from surgenas.core.record import Record
from surgenas.runs.results import ModelFile
from surgenas.tasks.data import Dataset

ONNX, USE = "model.onnx", "model.json"


@dataclass(frozen=True)
class ModelUse(Record):
    """How the files are used. An image is turned upright by its EXIF tag, made RGB, cut to the largest centred part of
    the input's proportions, and resized; its pixels are multiplied by `scale`, and standardised by channel.

    classes: in the order of the outputs. files: by name; those in several parts by the name of each part.
    """

    files: Mapping[str, ModelFile]
    width: int
    height: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    interpolation: str
    channels: str = "RGB"
    layout: str = "NCHW"
    scale: float = 1 / 255
    exif: str = "turned upright"
    resize: str = "the largest centred part of the input's proportions, resized to width x height"
    output: str = "logits"


def write_use(path: Path, data: Dataset, input_shape: tuple[int, int, int], files: Mapping[str, ModelFile]) -> None:
    """Write how the files of a network for these images are used. input_shape: (C, H, W)."""
    _, H, W = input_shape
    use = ModelUse(files, W, H, data.mean, data.std, data.classes, data.interpolation)
    write_atomic(path, json.dumps(use.to_json(), indent=1).encode() + b"\n")
