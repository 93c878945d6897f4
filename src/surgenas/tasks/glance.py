"""What is known of images in files before any is decoded? How many classes there are, and how large the images are."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from surgenas.tasks.folder import plan_files
from surgenas.tasks.images import UNREADABLE, ImageFile

LOOKED_AT = 64
"""The headers of so many images are read."""


@dataclass(frozen=True)
class Glance:
    """classes: how many. side: the shorter side in pixels that half of the images have at least; 0 if none that was
    looked at can be read."""

    classes: int
    side: int


def glance(source: str, max_corrupt: float) -> Glance:
    """A look at the training part of a folder, a table or tar shards. Arguments and errors as of `load_data`."""
    classes = plan_files(source, max_corrupt).train
    files = [file for files in classes.values() for file in files]
    sides = sorted(filter(None, map(_side, files[:: max(1, len(files) // LOOKED_AT)])))
    return Glance(len(classes), sides[len(sides) // 2] if sides else 0)


def _side(file: ImageFile) -> int:
    try:
        with Image.open(BytesIO(file.read_bytes())) as image:
            return min(image.size)
    except UNREADABLE:
        return 0
