"""Where do images come from? A data set has two parts, one to learn from, and one that no decision ever sees.

Sources: a folder of class folders, a table of files and labels, a torchvision data set by name, or the embedded digits.
Everything is decoded once, to (N, 3, R, R) bytes; beyond `images.MEMORY_LIMIT` the bytes live in a memory-mapped file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from surgenas.core.errors import DataError, UsageError
from surgenas.core.look import Interpolation, Look
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.tasks import Classes, Fit, Flips
from surgenas.tasks.balance import note_balance
from surgenas.tasks.folder import read_files
from surgenas.tasks.images import resampling, resize_all
from surgenas.tasks.mirror import decide_flips
from surgenas.tasks.split import TEST_SHARE, note_copies, to_test_with


@dataclass(frozen=True, eq=False)
class Part:
    """Images (N, 3, R, R) in uint8 and their labels (N,) in int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, side: int, interpolation: Interpolation) -> Part:
        """The same images at side x side, held in memory; itself if they are so already."""
        if self.images.shape[-1] == side:
            return self
        return Part(resize_all(self.images, side, interpolation), self.labels)


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
        return int(self.train.images.shape[-1])

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that follow from every pixel and label."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            digest.update(part.labels.numpy().tobytes())
            for chunk in part.images.split(4096):
                digest.update(chunk.numpy().tobytes())
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
        return (images.float() / 255 - mean) / std


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
    aside, rest = (
        Part(dataset.train.images[i], dataset.train.labels[i]) for i in (order[:count], order[count:].sort()[0])
    )
    return replace(dataset, train=rest), aside


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
) -> Dataset:
    """Load `digits`, `torchvision:NAME[:ROOT]`, a folder of class folders, or a table such as labels.csv, at a
    resolution.

    max_corrupt: the share of unreadable images that is tolerated. cache: the folder for decoded images that do not fit
    into memory. progress: is told of every note. fit: how images in files become square. flips: whether those to learn
    from are mirrored. classes: how often each is drawn. look: what a network that exists expects of its images; without
    it they are standardised by their own mean and deviation. Raises DataError for images that cannot be used,
    UsageError for an unknown name.
    """
    if source == "digits":
        found = _digits(resolution, look)
    elif source.startswith("torchvision:"):
        found = _torchvision(source, resolution, look)
    else:
        found = _files(
            Path(source), resolution, max_corrupt=max_corrupt, cache=cache, progress=progress, fit=fit, look=look
        )
    mirrored, note = decide_flips(flips, found.flips, found.train.images, found.train.labels, found.classes)
    notes = [*note_balance(classes, found.train.labels, found.classes), note]
    for said in notes:
        progress.log(said)
    return replace(found, flips=mirrored, balanced=classes == "balanced", notes=(*found.notes, *notes))


def default_resolution(source: str) -> int:
    """The resolution if none is asked for: 24 for the digits (three times 8), 32 for torchvision's sets, else 64."""
    return 24 if source == "digits" else 32 if source.startswith("torchvision:") else 64


def eval_batches(dataset: Dataset, part: Part, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches (images (N, 3, R, R), labels (N,)) of every image of a part, in order and not augmented."""
    for start in range(0, len(part), batch):
        yield dataset.normalise(part.images[start : start + batch]), part.labels[start : start + batch]


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
    found = _assemble("digits", names, *_split(images, labels, names), flips=False, look=look)
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
        parts.append(Part(images, torch.tensor([int(label) for _, label in raw])))
    classes = tuple(map(str, getattr(raw, "classes", range(int(parts[0].labels.max()) + 1))))
    return _assemble(source, classes, *parts, flips="MNIST" not in name and name not in ("USPS", "SVHN"), look=look)


def _files(
    source: Path, resolution: int, *, max_corrupt: float, cache: Path, progress: Progress, fit: Fit, look: Look | None
) -> Dataset:
    found = read_files(source, resolution, max_corrupt=max_corrupt, cache=cache, progress=progress, fit=fit,
                       interpolation=look.interpolation if look else "bicubic")  # fmt: skip
    train, test = found.train, found.test
    if test:
        parts, notes = (Part(train.images, train.labels), Part(test.images, test.labels)), []
    else:
        parts = _split(train.images, train.labels, found.classes, train.digests)
        notes = [f"no part to test with: {TEST_SHARE:.0%} of each class kept aside as the test part"]
        notes += note_copies(train.labels, train.digests)
    for note in notes:
        progress.log(note)
    made = _assemble(str(source), found.classes, *parts, flips=True, look=look)
    return replace(made, fit=fit, white=found.white, notes=(*found.notes, *notes))


def _split(
    images: Tensor, labels: Tensor, classes: tuple[str, ...], digests: list[bytes] | None = None
) -> tuple[Part, Part]:
    """(Training part, test part)."""
    test = to_test_with(labels, classes, digests)
    return Part(images[~test], labels[~test]), Part(images[test], labels[test])


def _assemble(
    name: str, classes: tuple[str, ...], train: Part, test: Part, *, flips: bool, look: Look | None
) -> Dataset:
    if look:
        return Dataset(name, classes, train, test, look.mean, look.std, flips, interpolation=look.interpolation)
    return Dataset(name, classes, train, test, *_moments(train.images), flips)


def _moments(images: Tensor) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """(mean, standard deviation) of the images by channel, pixels taken from 0 to 1."""
    total, squares = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for chunk in images.split(1024):
        x = chunk.double() / 255
        total += x.mean((2, 3)).sum(0)
        squares += (x * x).mean((2, 3)).sum(0)
    mean = total / len(images)
    std = (squares / len(images) - mean**2).clamp_min(1e-6).sqrt()
    return tuple(mean.tolist()), tuple(std.tolist())
