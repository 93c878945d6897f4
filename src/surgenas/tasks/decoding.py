"""How do the files of a part become labelled images? All are decoded once; their pixels are kept, or what is known of
them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from surgenas.core.errors import DataError
from surgenas.core.look import Interpolation
from surgenas.core.progress import Progress
from surgenas.tasks import Fit
from surgenas.tasks.depth import Depth
from surgenas.tasks.image_list import HeldImages, ImageFiles, ImageList
from surgenas.tasks.images import UNKNOWN, ImageFile, Picture, in_threads, try_read
from surgenas.tasks.survey import Seen, Survey, see


@dataclass(frozen=True)
class Way:
    """How files become images of side x side pixels: fit, interpolation and white as `images.read` takes them.

    in_memory: whether pixels are kept; else files are decoded whenever they are asked for, by so many processes ahead.
    """

    side: int
    fit: Fit = "crop"
    interpolation: Interpolation = "bicubic"
    in_memory: bool = True
    workers: int = 0

    def read(self, path: ImageFile, white: Mapping[bool, float] = UNKNOWN) -> Picture | str:
        """The picture in a file, or what is wrong with it."""
        return try_read(path, self.side, self.fit, self.interpolation, white)

    @contextmanager
    def looking(self, cache: Path) -> Iterator[Callable[[ImageFile], Picture | Seen | str]]:
        """What is seen of a file: its picture if pixels are kept, else what is known of it, which is kept in a file, of
        an interrupted pass too."""
        if self.in_memory:
            yield self.read
            return
        survey = Survey(cache, f"{self.side}/{self.fit}/{self.interpolation}")
        try:
            yield lambda path: survey.see(path, self.read)
        finally:
            survey.save()


@dataclass(eq=False)
class Decoded:
    """The images of a part.

    labels: (N,). digests: of the N files. long: how many images are. sides: the shorter side of each, in pixels.
    copies: how many files were left out because they are copies of others. deep: index, file and depth of images of
    more than 8 bits. broken: what is wrong with each file that cannot be read.
    """

    images: ImageList
    labels: Tensor
    digests: list[bytes] = field(default_factory=list)
    long: int = 0
    sides: list[int] = field(default_factory=list)
    copies: int = 0
    deep: list[tuple[int, ImageFile, Depth]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def decode_all(
    name: str,
    classes: Mapping[str, Sequence[ImageFile]],
    way: Way,
    *,
    max_corrupt: float,
    cache: Path,
    progress: Progress,
    known: Collection[bytes] = (),
) -> Decoded:
    """Decode the image files of all classes of a part; labels follow the order of the classes.

    name: what a person calls the part, such as its folder. cache: the file for what is known of files. known: digests
    of files that are left out. Raises DataError if more than the share `max_corrupt` cannot be read, or a class is left
    without images.
    """
    files = [(path, label) for label, paths in enumerate(classes.values()) for path in paths]
    pixels = np.empty((len(files) if way.in_memory else 0, 3, way.side, way.side), dtype=np.uint8)
    seen: list[tuple[ImageFile, Seen]] = []
    found, labels = Decoded(HeldImages(torch.from_numpy(pixels)), torch.empty(0)), list[int]()

    with (
        progress.task(f"decode {Path(name).name}", len(files)) as task,
        way.looking(cache) as look,
        in_threads(look, [path for path, _ in files]) as looked,
    ):
        for (path, label), one in zip(files, looked, strict=True):
            task.advance()
            if isinstance(one, str):
                found.broken.append(f"{path}: {one}")
                progress.log(f"skipped {path}: {one}")
                continue
            if one.digest in known:
                found.copies += 1
                continue
            if isinstance(one, Picture):
                pixels[len(labels)] = one.pixels
            else:
                seen.append((path, one))
            if one.depth:
                found.deep.append((len(labels), path, one.depth))
            found.digests.append(one.digest)
            found.long += one.long
            found.sides.append(one.side)
            labels.append(label)
    found.labels = torch.tensor(labels, dtype=torch.long)
    if way.in_memory:
        found.images = HeldImages(torch.from_numpy(pixels[: len(labels)]))
    else:
        paths, known_of = [path for path, _ in seen], [one for _, one in seen]
        found.images = ImageFiles(paths, known_of, (way.side,), way.fit, way.interpolation, workers=way.workers)
    _check(found, name, list(classes), len(files), max_corrupt)
    return found


def scale_alike(part: Decoded, white: Mapping[bool, float], way: Way) -> None:
    """Decode those images of more than 8 bits again whose white is not that of the data set, as `common_white` says."""
    others = [(i, path) for i, path, depth in part.deep if depth.white != white[depth.whole]]
    images, seen = part.images, dict[int, Seen]()
    with in_threads(lambda item: way.read(item[1], white), others) as pictures:
        for (i, path), picture in zip(others, pictures, strict=True):
            if isinstance(picture, str):
                raise DataError(f"{path} cannot be read any more: {picture}")
            if isinstance(images, HeldImages):
                images.pixels[i] = torch.from_numpy(picture.pixels)
            elif isinstance(images, ImageFiles):
                seen[i] = see(picture, images.seen[i].stamp)
    if isinstance(images, ImageFiles):
        part.images = replace(images, white=white, seen=[seen.get(i, one) for i, one in enumerate(images.seen)])


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
