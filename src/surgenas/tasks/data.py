"""Where do images come from? A data set has two parts, one to learn from, and one that no decision ever sees.

Sources: a folder of class folders, a table of files and labels, tar shards, a torchvision data set, the digits.
Images that fit into memory are kept there, decoded; of more than that files are decoded whenever they are needed, to
the same pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil
import torch
from torch import Tensor

from surgenas.core.cores import usable_cores
from surgenas.core.errors import DataError, UsageError
from surgenas.core.look import Interpolation, Look
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.tasks import Classes, Fit, Flips
from surgenas.tasks.balance import note_balance
from surgenas.tasks.decoding import Way
from surgenas.tasks.folder import read_files
from surgenas.tasks.image_list import HeldImages, ImageList
from surgenas.tasks.images import resampling, resize_all
from surgenas.tasks.mirror import decide_flips
from surgenas.tasks.split import TEST_SHARE, note_copies, to_test_with


@dataclass(frozen=True, eq=False)
class Part:
    """Images (N, 3, R, R) in uint8 and their labels (N,) in int64."""

    images: ImageList
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, rows: Tensor) -> Part:
        """A part of it, without a copy. rows: places (n,), or truths (N,)."""
        return Part(self.images.pick(rows), self.labels[rows])

    def spaced(self, count: int) -> Part:
        """So many, or all if there are fewer, from all parts of their order, which may be that of the classes."""
        return self.pick(torch.arange(0, len(self), max(1, len(self) // count))[:count])

    def at(self, side: int, interpolation: Interpolation) -> Part:
        """The same images at side x side; itself if they are so already."""
        return self if side == self.images.side else Part(self.images.at(side, interpolation), self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification data set, decoded.

    train: may be used for anything. test: only for reports. mean, std: what images are standardised by, by channel,
    pixels taken from 0 to 1: of the training part, or as a network expects it. flips: whether images to learn from are
    mirrored at random. notes: what a person should know of the reading. interpolation: how images were resized, as
    Pillow calls it. fit: how they became square. balanced: whether every class is drawn equally often to learn from.
    white: the values of images of more than 8 bits that became white, as `depth.common_white` says.
    """

    name: str
    classes: tuple[str, ...]
    train: Part
    test: Part
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    flips: bool
    notes: tuple[str, ...] = ()
    interpolation: Interpolation = "bicubic"
    fit: Fit = "crop"
    balanced: bool = False
    white: Mapping[bool, float] = field(default_factory=dict)

    @property
    def resolution(self) -> int:
        """The height and width of the images."""
        return self.train.images.side

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that follow from every pixel and label."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            digest.update(part.labels.numpy().tobytes())
            for image in part.images.prints():
                digest.update(image)
        return digest.hexdigest()[:16]

    def at(self, side: int) -> Dataset:
        """The same data set with images of side x side pixels, resized by its interpolation; itself if they are so
        already."""
        if self.resolution == side:
            return self
        train, test = (part.at(side, self.interpolation) for part in (self.train, self.test))
        return replace(self, train=train, test=test)

    def normalise(self, images: Tensor) -> Tensor:
        """Images (N, 3, R, R) in uint8 as floats, standardised by channel."""
        mean, std = (torch.tensor(v, device=images.device).view(1, 3, 1, 1) for v in (self.mean, self.std))
        return (images / 255).sub_(mean).div_(std)  # in place: a batch of large images is written once


@dataclass(frozen=True)
class Images:
    """The images of a run.

    data: the whole data set. search: the part that a search may train on. aside: the part that a search judges
    candidates by; None for searches that need none. No search sees `data.test`.
    """

    data: Dataset
    search: Dataset
    aside: Part | None = None


def hold_out(dataset: Dataset, share: float, most: int, seed: int) -> tuple[Dataset, Part]:
    """Take a share of the training part aside, at most `most` images: (the data set without them, they)."""
    order = torch.from_numpy(generator(seed, "hold-out").permutation(len(dataset.train)))
    count = min(most, max(1, round(share * len(order))))
    aside, rest = order[:count], order[count:].sort()[0]
    return replace(dataset, train=dataset.train.pick(rest)), dataset.train.pick(aside)


def load_data(
    source: str,
    resolution: int,
    *,
    max_corrupt: float,
    cache: Path,
    progress: Progress,
    fit: Fit = "crop",
    flips: Flips = "auto",
    classes: Classes = "as-is",
    look: Look | None = None,
    memory: float | None = None,
    workers: int | None = None,
) -> Dataset:
    """Load `digits`, `torchvision:NAME[:ROOT]`, a folder of class folders, a table such as labels.csv, or tar shards,
    at a resolution.

    max_corrupt: the share of unreadable images that is tolerated. cache: the folder for what is known of files.
    progress: is told of every note. fit: how images in files become square. flips: whether those to learn from are
    mirrored. classes: how often each is drawn. look: what a network that exists expects of its images; without it they
    are standardised by their own mean and deviation. memory: bytes of pixels of files that are kept; more than that are
    decoded whenever they are needed; None for a quarter of what is free. workers: processes that then decode ahead;
    None for one for two cores. Raises DataError for images that cannot be used, UsageError for an unknown name.
    """
    if source == "digits":
        found = _digits(resolution, look)
    elif source.startswith("torchvision:"):
        found = _torchvision(source, resolution, look)
    else:
        way = Way(resolution, fit, look.interpolation if look else "bicubic",
                  workers=max(1, usable_cores() // 2) if workers is None else workers)  # fmt: skip
        budget = psutil.virtual_memory().available / 4 if memory is None else memory
        found = _files(source, way, budget, max_corrupt, cache, progress, look)
    mirrored, note = decide_flips(flips, found.flips, found.train.images, found.train.labels, found.classes)
    notes = [*note_balance(classes, found.train.labels, found.classes), note]
    for said in notes:
        progress.log(said)
    return replace(found, flips=mirrored, balanced=classes == "balanced", notes=(*found.notes, *notes))


def is_files(source: str) -> bool:
    """Whether a source is a folder, a table or shards of image files."""
    return source != "digits" and not source.startswith("torchvision:")


def default_resolution(source: str) -> int:
    """The resolution if none is asked for: 24 for the digits (three times 8), 32 for torchvision's sets, else 64."""
    return 24 if source == "digits" else 32 if source.startswith("torchvision:") else 64


def eval_batches(dataset: Dataset, part: Part, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches (images (N, 3, R, R), labels (N,)) of every image of a part, in order and not augmented."""
    picks = torch.arange(len(part)).split(batch)
    for images, rows in zip(part.images.batches(picks), picks, strict=True):
        yield dataset.normalise(images), part.labels[rows]


@lru_cache(maxsize=4)  # a process may open many runs
def _digits(resolution: int, look: Look | None) -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = torch.from_numpy(digits.images).float()[:, None] * (255 / 16)
    if look is None:
        size = (resolution, resolution)
        grey = torch.nn.functional.interpolate(grey, size=size, mode="bilinear", align_corners=False)
    images = grey.round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1).contiguous()
    if look:
        images = resize_all(images, resolution, look.interpolation)
    names = tuple(str(name) for name in digits.target_names)
    labels = torch.from_numpy(digits.target).long()
    found = _assemble("digits", names, *_split(Part(HeldImages(images), labels), names), flips=False, look=look)
    return replace(found, interpolation=look.interpolation if look else "bilinear", fit="squash")


def _torchvision(source: str, resolution: int, look: Look | None) -> Dataset:
    import torchvision

    _, name, *rest = source.split(":", 2)
    root = rest[0] if rest else str(Path("~/.cache/surgenas/torchvision").expanduser())
    factory = getattr(torchvision.datasets, name, None)
    if factory is None:
        raise UsageError(f"--data {source}: torchvision has no data set {name!r}; for example torchvision:CIFAR10")
    size, method = (resolution, resolution), resampling(look.interpolation if look else "bicubic")
    parts = []
    for train in (True, False):
        try:
            raw = factory(root, train=train, download=True)
        except TypeError as error:
            raise UsageError(f"--data {source}: only data sets with a train and a test part ({error})") from error
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"--data {source}: cannot be downloaded to {root} ({error}); put its files there"
            ) from error
        arrays = [np.asarray(image.convert("RGB").resize(size, method)) for image, _ in raw]
        images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
        parts.append(Part(HeldImages(images), torch.tensor([int(label) for _, label in raw])))
    classes = tuple(map(str, getattr(raw, "classes", range(int(parts[0].labels.max()) + 1))))
    return _assemble(source, classes, *parts, flips="MNIST" not in name and name not in ("USPS", "SVHN"), look=look)


def _files(
    source: str, way: Way, memory: float, max_corrupt: float, cache: Path, progress: Progress, look: Look | None
) -> Dataset:
    found = read_files(source, way, memory=memory, max_corrupt=max_corrupt, cache=cache, progress=progress)
    train = Part(found.train.images, found.train.labels)
    if found.test:
        parts, notes = (train, Part(found.test.images, found.test.labels)), []
    else:
        parts = _split(train, found.classes, found.train.digests)
        notes = [f"no part to test with: {TEST_SHARE:.0%} of each class kept aside as the test part"]
        notes += note_copies(train.labels, found.train.digests)
    for note in notes:
        progress.log(note)
    made = _assemble(source, found.classes, *parts, flips=True, look=look)
    return replace(made, fit=way.fit, white=found.white, notes=(*found.notes, *notes))


def _split(part: Part, classes: tuple[str, ...], digests: list[bytes] | None = None) -> tuple[Part, Part]:
    """(Training part, test part)."""
    test = to_test_with(part.labels, classes, digests)
    return part.pick(~test), part.pick(test)


def _assemble(
    name: str, classes: tuple[str, ...], train: Part, test: Part, *, flips: bool, look: Look | None
) -> Dataset:
    if look:
        return Dataset(name, classes, train, test, look.mean, look.std, flips, interpolation=look.interpolation)
    return Dataset(name, classes, train, test, *_moments(train.images), flips)


def _moments(images: ImageList) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """(mean, standard deviation) of the images by channel, pixels taken from 0 to 1."""
    sums, squares = images.sums()
    count = len(images) * images.side**2
    mean = sums / (255 * count)
    std = np.sqrt(np.maximum(squares / (255**2 * count) - mean**2, 1e-6))
    return tuple(mean.tolist()), tuple(std.tolist())
