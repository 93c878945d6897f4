"""What is known of image files whose pixels are not kept? Found in one pass, and not again for files that stayed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from surgenas.core.files import make_folder, write_atomic
from surgenas.tasks.depth import Depth
from surgenas.tasks.images import ImageFile, Picture, Pixels

Sums = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Sums (3,) over images and pixels, by channel, of the bytes and of their squares: whole numbers, so exact."""
Colours = tuple[int, int, int]
Stamp = tuple[int, int]
"""Size of a file, and when it was changed, in nanoseconds."""


@dataclass(frozen=True)
class Seen:
    """An image file that was decoded.

    stamp: the file's then. digest: of the file. print: a digest of its pixels. sums, squares: as in Sums. long, depth,
    side: as of a `Picture`; a side of 0 is not known.
    """

    __pydantic_config__ = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex")

    stamp: Stamp
    digest: bytes
    print: bytes
    sums: Colours
    squares: Colours
    long: bool
    depth: Depth | None = None
    side: int = 0


_FILES = TypeAdapter(dict[str, dict[str, Seen]])


class Survey:
    """What is known of files, kept in a file. how: in which way they were decoded; what was seen otherwise is of no
    use. A file that has another size or time of change than when it was seen is decoded again."""

    def __init__(self, place: Path, how: str) -> None:
        self.place, self.how = place, how
        self.found: dict[str, Seen] = {}
        try:
            self.known = _FILES.validate_json(place.read_bytes()).get(how, {})
        except (OSError, ValidationError):
            self.known = {}

    def see(self, path: ImageFile, read: Callable[[ImageFile], Picture | str]) -> Seen | str:
        """What is known of a file, or what is wrong with it."""
        stamp, seen = stamp_of(path), self.known.get(str(path))
        if stamp is None or seen is None or seen.stamp != stamp:
            picture = read(path)
            if isinstance(picture, str):
                return picture
            seen = see(picture, stamp or (0, 0))
        self.found[str(path)] = seen
        return seen

    def save(self) -> None:
        """Keep what was seen since this was made, beside what was known of other files."""
        now = {**self.known, **self.found}
        if now != self.known:
            make_folder(self.place.parent)
            write_atomic(self.place, _FILES.dump_json({self.how: now}))


def stamp_of(path: ImageFile) -> Stamp | None:
    """The size of a file and when it was changed; None if it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def see(picture: Picture, stamp: Stamp) -> Seen:
    """What stays known of a picture. stamp: its file's, from before it was read."""
    pixels = np.ascontiguousarray(picture.pixels)
    (red, green, blue), (red2, green2, blue2) = (each.tolist() for each in sums_of(pixels[None]))
    return Seen(
        stamp, picture.digest, hashlib.sha256(pixels.data).digest(), (red, green, blue), (red2, green2, blue2),
        picture.long, picture.depth, picture.side,
    )  # fmt: skip


def sums_of(pixels: Pixels) -> Sums:
    """The sums over images (N, 3, R, R)."""
    x = pixels.astype(np.int64)
    return x.sum((0, 2, 3)), (x * x).sum((0, 2, 3))
