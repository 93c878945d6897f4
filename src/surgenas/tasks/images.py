"""How do image files become pixels? All kinds that people keep in folders are read, unreadable files are named."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import Tensor

from surgenas.core.cores import usable_cores
from surgenas.core.errors import DataError
from surgenas.core.look import Interpolation
from surgenas.core.progress import Progress
from surgenas.tasks import Fit
from surgenas.tasks.depth import Depth, depth_of, to_bytes

Pixels = npt.NDArray[np.uint8]
MEMORY_LIMIT = 2 << 30
"""Bytes of decoded pixels that are kept in memory."""
LONG = 2.0
"""Longer side by shorter side from which on an image is long."""
UNKNOWN: Mapping[bool, float] = MappingProxyType({})
"""What is white where no data set says so."""
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded file. pixels: (3, R, R). digest: of the file. long: whether it is longer than LONG to 1. depth: None
    for 8 bits."""

    pixels: Pixels
    digest: bytes
    long: bool
    depth: Depth | None


@dataclass(eq=False)
class Decoded:
    """The images of a part.

    images: (N, 3, R, R) in uint8. labels: (N,). digests: of the N files. long: how many images are. copies: how many
    files were left out because they are copies of others. deep: index, file and depth of images of more than 8 bits.
    broken: what is wrong with each file that cannot be read.
    """

    images: Tensor
    labels: Tensor
    digests: list[bytes] = field(default_factory=list)
    long: int = 0
    copies: int = 0
    deep: list[tuple[int, Path, Depth]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def decode_all(
    name: str,
    classes: Mapping[str, Sequence[Path]],
    resolution: int,
    *,
    max_corrupt: float,
    cache: Path,
    progress: Progress,
    fit: Fit = "crop",
    interpolation: Interpolation = "bicubic",
    known: Collection[bytes] = (),
    in_memory: int = MEMORY_LIMIT,
) -> Decoded:
    """Decode the image files of all classes of a part; labels follow the order of the classes.

    name: what a person calls the part, such as its folder. cache: the file for pixels of more than `in_memory` bytes.
    known: digests of files that are left out. Raises DataError if more than the share `max_corrupt` cannot be read, or
    a class is left without images.
    """
    files = [(path, label) for label, paths in enumerate(classes.values()) for path in paths]
    pixels = _array((len(files), 3, resolution, resolution), cache, in_memory)
    found, labels = Decoded(torch.from_numpy(pixels), torch.empty(0)), list[int]()
    pictures = _in_threads(lambda item: _try_read(item[0], resolution, fit, interpolation), files)
    with progress.task(f"decode {Path(name).name}", len(files)) as task, pictures as decoded:
        for (path, label), picture in zip(files, decoded, strict=True):
            task.advance()
            if isinstance(picture, str):
                found.broken.append(f"{path}: {picture}")
                progress.log(f"skipped {path}: {picture}")
            elif picture.digest in known:
                found.copies += 1
            else:
                _keep(found, pixels, len(labels), path, picture)
                labels.append(label)
    found.images, found.labels = found.images[: len(labels)], torch.tensor(labels, dtype=torch.long)
    _check(found, name, list(classes), len(files), max_corrupt)
    return found


def scale_alike(part: Decoded, white: Mapping[bool, float], fit: Fit, interpolation: Interpolation) -> None:
    """Decode those images of more than 8 bits again whose white is not that of the data set, as `common_white` says."""
    resolution = part.images.shape[-1]
    others = [(i, path) for i, path, depth in part.deep if depth.white != white[depth.whole]]
    with _in_threads(lambda item: read(item[1], resolution, fit, interpolation, white), others) as pictures:
        for (i, _), picture in zip(others, pictures, strict=True):
            part.images[i] = torch.from_numpy(picture.pixels)


def decode(path: Path, resolution: int, fit: Fit = "crop", interpolation: Interpolation = "bicubic") -> Pixels:
    """Decode one image file to (3, R, R) in uint8, as `read` does."""
    return read(path, resolution, fit, interpolation).pixels


def read_some(
    paths: Sequence[Path], resolution: int, fit: Fit, interpolation: Interpolation, white: Mapping[bool, float]
) -> list[Picture | str]:
    """Decode image files as `read` does, all at once; for one that cannot be read, what is wrong with it."""
    with _in_threads(lambda path: _try_read(path, resolution, fit, interpolation, white), paths) as found:
        return list(found)


def read(
    path: Path, resolution: int, fit: Fit, interpolation: Interpolation, white: Mapping[bool, float] = UNKNOWN
) -> Picture:
    """Decode one image file to a square.

    The image is turned upright by EXIF; more than 8 bits are scaled to 8; transparent pixels lie on black. white: the
    values of images of more than 8 bits that become white, as `common_white` says; where it says none, they are guessed
    from this image alone.
    """
    content = path.read_bytes()  # once, for the digest and for the pixels
    with Image.open(BytesIO(content)) as image:
        # full-size decoding is not needed for a thumbnail: JPEG can be read at a fraction of its size
        image.draft("RGB", (2 * resolution, 2 * resolution))
        upright = ImageOps.exif_transpose(image)
        depth = depth_of(upright, white)
        rgb = _to_rgb(to_bytes(upright, depth.white) if depth else upright)
    long = max(rgb.size) > LONG * min(rgb.size)
    return Picture(_to_square(rgb, resolution, fit, interpolation), hashlib.sha256(content).digest(), long, depth)


def resampling(interpolation: Interpolation) -> Image.Resampling:
    """Pillow's way of resizing by its name."""
    return Image.Resampling[interpolation.upper()]


def resize_all(images: Tensor, side: int, interpolation: Interpolation) -> Tensor:
    """Images (N, 3, R, R) in uint8 as (N, 3, side, side) in memory: as Pillow resizes them, which is antialiased."""
    found = np.empty((len(images), 3, side, side), dtype=np.uint8)
    with _in_threads(lambda pixels: _resize(pixels, side, interpolation), list(images.numpy())) as resized:
        for i, pixels in enumerate(resized):
            found[i] = pixels
    return torch.from_numpy(found)


def _resize(pixels: Pixels, side: int, interpolation: Interpolation) -> Pixels:
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


def _keep(found: Decoded, pixels: Pixels, place: int, path: Path, picture: Picture) -> None:
    pixels[place] = picture.pixels
    found.digests.append(picture.digest)
    found.long += picture.long
    if picture.depth:
        found.deep.append((place, path, picture.depth))


def _check(found: Decoded, part: str, classes: list[str], files: int, max_corrupt: float) -> None:
    if len(found.broken) > max_corrupt * files:
        raise DataError(
            f"{len(found.broken)} of {files} images in {part} cannot be read (limit {max_corrupt:.0%}, "
            f"--max-corrupt): first {found.broken[0]}"
        )
    for label, name in enumerate(classes):
        if not (found.labels == label).any():
            copies = " that is not a copy of one in the test part" if found.copies else ""
            raise DataError(f"class {name} in {part} has no readable image{copies}; add images or remove the class")


@contextmanager
def _in_threads(work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Iterator[Answer]]:
    """The answers for all items, in their order, without warnings."""
    with warnings.catch_warnings(), ThreadPoolExecutor(usable_cores()) as pool:
        warnings.simplefilter("ignore")  # around all threads: the filters are the whole process's
        yield pool.map(work, items)


def _try_read(
    path: Path, resolution: int, fit: Fit, interpolation: Interpolation, white: Mapping[bool, float] = UNKNOWN
) -> Picture | str:
    """The picture in an image file, or what is wrong with the file."""
    try:
        return read(path, resolution, fit, interpolation, white)
    except (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError) as error:
        known = re.sub(r"<_io\.BytesIO[^>]*>", "", str(error))  # Pillow is given bytes, and names them by their address
        return known.replace(str(path), "").strip() or type(error).__name__


def _array(shape: tuple[int, ...], cache: Path, in_memory: int) -> Pixels:
    """An empty array of bytes: in memory up to so many bytes, else a memory-mapped file in the cache folder."""
    if int(np.prod(shape)) <= in_memory:
        return np.empty(shape, dtype=np.uint8)
    cache.parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(cache.with_suffix(".npy"), mode="w+", dtype=np.uint8, shape=shape)
