"""Where are the images of a part? In memory, or in files that are decoded whenever they are asked for."""

from __future__ import annotations

import hashlib
import signal
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.core.look import Interpolation
from surgenas.core.signals import undisturbed
from surgenas.tasks import Fit
from surgenas.tasks.images import ImageFile, Pixels, in_threads, resize, resize_all, try_read
from surgenas.tasks.survey import Seen, Sums, stamp_of, sums_of

AHEAD = 4
"""Batches that each process that decodes is ahead of the training."""
ROOM = 0.25
"""The share of a device's free memory that images may take."""
CHUNK = 1024
"""Images that are looked at together where all are."""


class ImageList(Protocol):
    """Images (N, 3, R, R) in uint8, of which some are asked for at a time."""

    @property
    def side(self) -> int:
        """R, their height and width in pixels."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Tensor:
        """Those at a slice, a list, an array or a tensor of places, or where one of truths is true."""

    def pick(self, rows: Tensor) -> Self:
        """Some of them, without a copy. rows: their places, (n,), or truths (N,)."""

    def at(self, side: int, interpolation: Interpolation) -> ImageList:
        """The same at side x side pixels."""

    def batches(self, picks: Sequence[Tensor]) -> Iterator[Tensor]:
        """The images at each of these lists of places, (n, 3, R, R) each, in this order."""

    def on(self, device: torch.device) -> ImageList:
        """The same, kept on a device that has room for them; else as they are."""

    def prints(self) -> list[bytes]:
        """What each image is told from others by: a digest of its pixels."""

    def sums(self) -> Sums:
        """The sums over all images."""


class HeldImages:
    """Images of a tensor (N, 3, R, R) in memory, or some of them. rows: their places; None for all."""

    def __init__(self, pixels: Tensor, rows: Tensor | None = None) -> None:
        self.pixels, self.rows = pixels, torch.arange(len(pixels)) if rows is None else rows
        self._there: HeldImages | None = None

    @property
    def side(self) -> int:
        return int(self.pixels.shape[-1])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any, /) -> Tensor:
        return self.pixels[self.rows[rows]]

    def pick(self, rows: Tensor) -> Self:
        return type(self)(self.pixels, self.rows[rows])

    def at(self, side: int, interpolation: Interpolation) -> HeldImages:
        return self if side == self.side else HeldImages(resize_all(self[:], side, interpolation))

    def batches(self, picks: Sequence[Tensor]) -> Iterator[Tensor]:
        return (self[rows] for rows in picks)

    def on(self, device: torch.device) -> HeldImages:
        if device.type == self.pixels.device.type or not len(self):
            return self
        if self._there is None and len(self) * self.pixels[0].nbytes < ROOM * free_bytes(device):
            self._there = HeldImages(self[:].to(device))
        return self._there or self

    def prints(self) -> list[bytes]:
        return [hashlib.sha256(image.tobytes()).digest() for part in self._chunks() for image in part.numpy()]

    def sums(self) -> Sums:
        parts = [sums_of(part.numpy()) for part in self._chunks()]
        return np.sum([part[0] for part in parts], 0), np.sum([part[1] for part in parts], 0)

    def _chunks(self) -> Iterator[Tensor]:
        return self.batches(torch.arange(len(self)).split(CHUNK))


def free_bytes(device: torch.device) -> int:
    """The memory that is free on a GPU; 0 for any other device."""
    return int(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else 0


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images in files, decoded whenever they are asked for.

    seen: what is known of each. sides: heights and widths, of decoding and then of each resizing. fit, interpolation,
    white: as `images.read` takes them. workers: processes that decode batches ahead; 0 for none.
    """

    paths: Sequence[ImageFile]
    seen: Sequence[Seen]
    sides: tuple[int, ...]
    fit: Fit = "crop"
    interpolation: Interpolation = "bicubic"
    white: Mapping[bool, float] = field(default_factory=dict)
    workers: int = 0

    @property
    def side(self) -> int:
        return self.sides[-1]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: Any, /) -> Tensor:
        rows = rows.numpy() if isinstance(rows, Tensor) else rows  # numpy takes a tensor of one place for a number
        places = np.arange(len(self))[rows]
        found = np.empty((len(places), 3, self.side, self.side), dtype=np.uint8)
        with in_threads(self.decode, places.tolist()) as decoded:
            for i, pixels in enumerate(decoded):
                found[i] = pixels
        return torch.from_numpy(found)

    def decode(self, place: int) -> Pixels:
        """One image, (3, R, R). Raises DataError if its file is no longer what it was when it was seen."""
        path = self.paths[place]
        if stamp_of(path) not in (None, self.seen[place].stamp):
            raise DataError(f"{path} changed since it was first read; put it back and go on, or start a new run")
        picture = try_read(path, self.sides[0], self.fit, self.interpolation, self.white)
        if isinstance(picture, str):
            raise DataError(f"{path} cannot be read any more ({picture}); put it back and go on, or start a new run")
        pixels = picture.pixels
        for side in self.sides[1:]:
            pixels = resize(pixels, side, self.interpolation)
        return pixels

    def pick(self, rows: Tensor) -> Self:
        places = np.arange(len(self))[rows.numpy()].tolist()
        return replace(self, paths=[self.paths[i] for i in places], seen=[self.seen[i] for i in places])

    def at(self, side: int, interpolation: Interpolation) -> Self:
        assert interpolation == self.interpolation, "a data set resizes as it decodes"
        return self if side == self.side else replace(self, sides=(*self.sides, side))

    def batches(self, picks: Sequence[Tensor]) -> Iterator[Tensor]:
        """As of every list. Raises DataError for a file that changed or cannot be read, EnvironmentFault if a process
        that decodes is killed."""
        if not self.workers or len(picks) < 2:
            yield from (self[rows] for rows in picks)
            return
        loaded = _begin(_Batches(self, [rows.tolist() for rows in picks]), min(self.workers, len(picks)))
        try:
            for found in loaded:
                if isinstance(found, str):
                    raise DataError(found)
                yield torch.from_numpy(found)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            why = "a process that decodes images was killed, by the system where memory is short; try fewer --workers"
            raise EnvironmentFault(why) from error

    def on(self, device: torch.device) -> Self:
        return self

    def prints(self) -> list[bytes]:
        """As the pixels were when the files were seen, at their first size."""
        return [one.print for one in self.seen]

    def sums(self) -> Sums:
        return np.sum([one.sums for one in self.seen], 0), np.sum([one.squares for one in self.seen], 0)


class _Batches(torch.utils.data.Dataset[Pixels | str]):
    """Whole batches as arrays, for DataLoader; what is wrong with one is said in its place."""

    def __init__(self, images: ImageFiles, picks: Sequence[Sequence[int]]) -> None:
        self.images, self.picks = images, picks

    def __len__(self) -> int:
        return len(self.picks)

    def __getitem__(self, i: int) -> Pixels | str:
        try:
            return np.stack([self.images.decode(place) for place in self.picks[i]])
        except DataError as error:
            return str(error)


def _begin(batches: _Batches, workers: int) -> Iterator[Pixels | str]:
    """The batches, from processes that begin now.

    torch's random stream stays where it is, and so does what happens when a child process ends: torch would raise an
    error in the middle of whatever runs then; without that it says so when the next batch is asked for. Ctrl-C waits,
    since torch's iterator cannot be half made.
    """
    with warnings.catch_warnings(), undisturbed():
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)  # more than cores, as asked
        # batches travel as arrays, through pipes: tensors would need shared memory, of which containers have little
        loader: DataLoader[Pixels | str] = DataLoader(
            batches, batch_size=None, collate_fn=_as_it_is, num_workers=workers, prefetch_factor=AHEAD,
            generator=torch.Generator(), worker_init_fn=_quiet,
        )  # fmt: skip
        return iter(loader)


def _quiet(worker: int) -> None:
    """In a process that decodes: Ctrl-C is the main process's to answer, and no warning of an odd file is shown."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warnings.simplefilter("ignore")


def _as_it_is(found: Any) -> Any:
    return found
