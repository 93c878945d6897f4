"""How do image files become pixels? All kinds that people keep in folders are read, unreadable files are named."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import Tensor

from surgenas.core.cores import usable_cores
from surgenas.core.errors import DataError
from surgenas.core.progress import Progress

Pixels = npt.NDArray[np.uint8]
MEMORY_LIMIT = 2 << 30
"""Bytes of decoded pixels that are kept in memory."""


def decode_all(
    root: Path,
    classes: Sequence[str],
    resolution: int,
    max_corrupt: float,
    cache: Path,
    progress: Progress,
    in_memory: int = MEMORY_LIMIT,
) -> tuple[Tensor, Tensor, list[str]]:
    """Decode the images of all class folders: ((N, 3, R, R) uint8, (N,) labels, notes for a person).

    cache: the file for pixels of more than `in_memory` bytes. Raises DataError if more than the share `max_corrupt`
    cannot be read, or a class is left without images.
    """
    files = [(path, label) for label, name in enumerate(classes) for path in _files(root / name)]
    known = set(Image.registered_extensions())
    candidates = [(path, label) for path, label in files if path.suffix.lower() in known]
    notes = [f"{len(files) - len(candidates)} file(s) under {root} are not images by name; ignored"]
    pixels = _array((len(candidates), 3, resolution, resolution), cache, in_memory)
    kept: list[int] = []
    broken: list[str] = []
    with (
        warnings.catch_warnings(),  # around all threads: the filters are the whole process's
        ThreadPoolExecutor(usable_cores()) as pool,
        progress.task(f"decode {root.name}", len(candidates)) as task,
    ):
        warnings.simplefilter("ignore")
        decoded = pool.map(lambda item: _try_decode(item[0], resolution), candidates)
        for i, image in enumerate(decoded):
            task.advance()
            if isinstance(image, str):
                broken.append(image)
                progress.log(f"skipped {image}")
            else:
                pixels[len(kept)] = image
                kept.append(i)
    if len(broken) > max_corrupt * len(candidates):
        raise DataError(
            f"{len(broken)} of {len(candidates)} images under {root} cannot be read (limit {max_corrupt:.0%}, "
            f"--max-corrupt): first {broken[0]}"
        )
    labels = torch.tensor([candidates[i][1] for i in kept], dtype=torch.long)
    for label, name in enumerate(classes):
        if not (labels == label).any():
            raise DataError(f"class folder {root / name} holds no readable image; add images or remove the folder")
    notes += [f"skipped {name}" for name in broken]
    return torch.from_numpy(pixels[: len(kept)]), labels, notes if len(files) > len(candidates) else notes[1:]


def decode(path: Path, resolution: int) -> Pixels:
    """Decode one image file to (3, R, R) in uint8: the centre square, its side resized to R.

    The image is turned upright by EXIF; 16 bits are scaled to 8; transparent pixels lie on black.
    """
    with Image.open(path) as image:
        # full-size decoding is not needed for a thumbnail: JPEG can be read at a fraction of its size
        image.draft("RGB", (2 * resolution, 2 * resolution))
        upright = ImageOps.exif_transpose(image)
        rgb = _to_rgb(upright)
    square = ImageOps.fit(rgb, (resolution, resolution), method=Image.Resampling.BICUBIC)
    return np.asarray(square).transpose(2, 0, 1)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits and more: Pillow would clip instead of scaling
        values = np.asarray(image, dtype=np.float64)
        # integers use their format's full range; floats have none, so their own maximum stands in
        top = 65535.0 if image.mode.startswith("I") and values.max() <= 65535 else max(float(values.max()), 1.0)
        return Image.fromarray((values * (255 / top)).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")


def _try_decode(path: Path, resolution: int) -> Pixels | str:
    """The pixels of an image file, or a text that names the file and what is wrong with it."""
    try:
        return decode(path, resolution)
    except (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError) as error:
        reason = str(error).replace(str(path), "").strip() or type(error).__name__
        return f"{path}: {reason}"


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))


def _array(shape: tuple[int, ...], cache: Path, in_memory: int) -> Pixels:
    """An empty array of bytes: in memory up to so many bytes, else a memory-mapped file in the cache folder."""
    if int(np.prod(shape)) <= in_memory:
        return np.empty(shape, dtype=np.uint8)
    cache.parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(cache.with_suffix(".npy"), mode="w+", dtype=np.uint8, shape=shape)
