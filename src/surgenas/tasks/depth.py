"""Which values of images of more than 8 bits are black and white? The same for all images of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

USUAL_BITS = (8, 10, 12, 14, 16)
"""Bits of cameras and scanners, whose values lie in files of 16 bits."""


@dataclass(frozen=True)
class Depth:
    """Of an image of more than 8 bits: whether its values are whole numbers, its largest value, and the value that
    became white."""

    whole: bool
    peak: float
    white: float


def depth_of(image: Image.Image, white: Mapping[bool, float]) -> Depth | None:
    """None for an image of 8 bits. white: the value to become white, as `common_white` says; where it says none, it is
    guessed from this image alone."""
    whole = image.mode.startswith("I")
    if not whole and image.mode != "F":
        return None
    peak = float(_numbers(image).max())
    return Depth(whole, peak, white.get(whole, max(peak, 65535.0 if whole else 1.0)))


def to_bytes(image: Image.Image, white: float) -> Image.Image:
    """An image of more than 8 bits in 8 bits: Pillow would clip instead of scaling."""
    values = _numbers(image)
    return Image.fromarray((values * (255 / white)).clip(0, 255).astype(np.uint8))


def common_white(depths: Iterable[Depth]) -> dict[bool, float]:
    """The value that is white in a whole data set, for whole numbers (True) and for others.

    Of whole numbers it is the largest that the fewest usual bits can hold; beyond them, and of others, the largest
    value that there is, at least 1.
    """
    peaks: dict[bool, float] = {}
    for depth in depths:
        peaks[depth.whole] = max(depth.peak, peaks.get(depth.whole, 1.0))
    tops = [2.0**bits - 1 for bits in USUAL_BITS]
    return {whole: next((t for t in tops if whole and t >= peak), peak) for whole, peak in peaks.items()}


def _numbers(image: Image.Image) -> npt.NDArray[np.float64]:
    """The values of an image; what is no number, or infinite, is black."""
    found: npt.NDArray[np.float64] = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
    return found
