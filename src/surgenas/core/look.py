"""How does a network expect its images to be prepared? A small value that data sets and pretrained networks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from surgenas.core.record import Record

Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
"""How an image is resized, in Pillow's words."""


@dataclass(frozen=True)
class Look(Record):
    """What images look like to a network when they reach it.

    mean, std: by channel (red, green, blue), for pixels from 0 to 1: a network sees (pixel - mean) / std.
    interpolation: how images were resized. What part of an image is seen is not in it: published networks often cut the
    border off (timm's `crop_pct`), which is ignored here, since whole images are seen in training and in use alike.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Interpolation = "bicubic"
