"""How do image files become pixels? All kinds that people keep in folders are read, unreadable files are named."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from surgenas.core.cores import usable_cores
from surgenas.core.look import Interpolation
from surgenas.tasks import Fit
from surgenas.tasks.depth import Depth, depth_of, to_bytes

if TYPE_CHECKING:  # who shows results or decodes images needs no torch
    from torch import Tensor

Pixels = npt.NDArray[np.uint8]
LONG = 2.0
"""Longer side by shorter side from which on an image is long."""
UNKNOWN: Mapping[bool, float] = MappingProxyType({})
"""What is white where no data set says so."""
UNREADABLE = (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError)
"""What Pillow raises for files that are no images, or are broken or far too large."""
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class ImageFile(Protocol):
    """A file, or a part of one, that holds an image: a path is one."""

    def read_bytes(self) -> bytes: ...
    def stat(self) -> os.stat_result: ...


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded file. pixels: (3, R, R). digest: of the file. long: whether it is longer than LONG to 1. side: the
    shorter one of the image in the file, in pixels. depth: None for 8 bits."""

    pixels: Pixels
    digest: bytes
    long: bool
    side: int
    depth: Depth | None


def decode(path: ImageFile, resolution: int, fit: Fit = "crop", interpolation: Interpolation = "bicubic") -> Pixels:
    """Decode one image file to (3, R, R) in uint8, as `read` does."""
    return read(path, resolution, fit, interpolation).pixels


def read_some(
    paths: Sequence[ImageFile], resolution: int, fit: Fit, interpolation: Interpolation, white: Mapping[bool, float]
) -> list[Picture | str]:
    """Decode image files as `read` does, all at once; for one that cannot be read, what is wrong with it."""
    with in_threads(lambda path: try_read(path, resolution, fit, interpolation, white), paths) as found:
        return list(found)


def read(
    path: ImageFile, resolution: int, fit: Fit, interpolation: Interpolation, white: Mapping[bool, float] = UNKNOWN
) -> Picture:
    """Decode one image file to a square.

    The image is turned upright by EXIF; more than 8 bits are scaled to 8; transparent pixels lie on black. white: the
    values of images of more than 8 bits that become white, as `common_white` says; where it says none, they are guessed
    from this image alone.
    """
    content = path.read_bytes()  # once, for the digest and for the pixels
    with Image.open(BytesIO(content)) as image:
        side = min(image.size)
        # full-size decoding is not needed for a thumbnail: JPEG can be read at a fraction of its size
        image.draft("RGB", (2 * resolution, 2 * resolution))
        upright = ImageOps.exif_transpose(image)
        depth = depth_of(upright, white)
        rgb = _to_rgb(to_bytes(upright, depth.white) if depth else upright)
    long = max(rgb.size) > LONG * min(rgb.size)
    return Picture(_to_square(rgb, resolution, fit, interpolation), hashlib.sha256(content).digest(), long, side, depth)


def resampling(interpolation: Interpolation) -> Image.Resampling:
    """Pillow's way of resizing by its name."""
    return Image.Resampling[interpolation.upper()]


def resize_all(images: Tensor, side: int, interpolation: Interpolation) -> Tensor:
    """Images (N, 3, R, R) in uint8 as (N, 3, side, side) in memory: as Pillow resizes them, which is antialiased."""
    import torch

    found = np.empty((len(images), 3, side, side), dtype=np.uint8)
    with in_threads(lambda pixels: resize(pixels, side, interpolation), list(images.numpy())) as resized:
        for i, pixels in enumerate(resized):
            found[i] = pixels
    return torch.from_numpy(found)


def resize(pixels: Pixels, side: int, interpolation: Interpolation) -> Pixels:
    """One image (3, R, R) at side x side pixels, as `resize_all` does it."""
    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    return _to_square(image, side, "squash", interpolation)  # a square already


def _to_square(image: Image.Image, resolution: int, fit: Fit, interpolation: Interpolation) -> Pixels:
    size, method = (resolution, resolution), resampling(interpolation)
    if fit == "crop":
        square = ImageOps.fit(image, size, method=method)
    elif fit == "pad":
        square = ImageOps.pad(image, size, method=method)
    else:
        square = image.resize(size, method)
    return np.asarray(square).transpose(2, 0, 1)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")


@contextmanager
def in_threads(work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Iterator[Answer]]:
    """The answers for all items, in their order, without warnings."""
    with warnings.catch_warnings(), ThreadPoolExecutor(usable_cores()) as pool:
        warnings.simplefilter("ignore")  # around all threads: the filters are the whole process's
        try:
            yield pool.map(work, items)
        finally:
            pool.shutdown(cancel_futures=True)  # else whoever interrupts would wait for all of them


def try_read(
    path: ImageFile, resolution: int, fit: Fit, interpolation: Interpolation, white: Mapping[bool, float] = UNKNOWN
) -> Picture | str:
    """The picture in an image file, or what is wrong with the file."""
    try:
        return read(path, resolution, fit, interpolation, white)
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        known = re.sub(r"<_io\.BytesIO[^>]*>", "", str(error))  # Pillow is given bytes, and names them by their address
        return known.replace(str(path), "").strip() or type(error).__name__
