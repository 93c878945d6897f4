"""Where do images come from? A data set has two parts, one to learn from, and one that no decision ever sees.

Sources: a folder of class folders, a torchvision data set by name, or the embedded digits. Everything is decoded
once, to (N, 3, R, R) bytes; beyond `images.MEMORY_LIMIT` the bytes live in a memory-mapped file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from surgenas.core.errors import DataError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.seeds import generator
from surgenas.tasks.images import decode_all

TEST_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Part:
    """Images (N, 3, R, R) in uint8 and their labels (N,) in int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification data set, decoded.

    train: may be used for anything. test: only for reports. mean, std: of the training part by channel, pixels taken
    from 0 to 1. flips: whether a mirrored image still has its label. notes: what a person should know of the reading.
    interpolation: how images were resized, as Pillow calls it.
    """

    name: str
    classes: tuple[str, ...]
    train: Part
    test: Part
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    flips: bool
    notes: tuple[str, ...] = ()
    interpolation: str = "bicubic"

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


def load_data(source: str, resolution: int, *, max_corrupt: float, cache: Path, progress: Progress) -> Dataset:
    """Load `digits`, `torchvision:NAME[:ROOT]`, or a folder of class folders, at a resolution.

    max_corrupt: the share of unreadable images that is tolerated. cache: the folder for decoded images that do not fit
    into memory. Raises DataError for images that cannot be used, UsageError for an unknown name.
    """
    if source == "digits":
        return _digits(resolution)
    if source.startswith("torchvision:"):
        return _torchvision(source, resolution)
    return _folder(Path(source), resolution, max_corrupt=max_corrupt, cache=cache, progress=progress)


def default_resolution(source: str) -> int:
    """The resolution if none is asked for: 24 for the digits (three times 8), 32 for torchvision's sets, else 64."""
    return 24 if source == "digits" else 32 if source.startswith("torchvision:") else 64


def eval_batches(dataset: Dataset, part: Part, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches (images (N, 3, R, R), labels (N,)) of every image of a part, in order and not augmented."""
    for start in range(0, len(part), batch):
        yield dataset.normalise(part.images[start : start + batch]), part.labels[start : start + batch]


def _digits(resolution: int) -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = torch.from_numpy(digits.images).float()[:, None] * (255 / 16)
    size = (resolution, resolution)
    big = torch.nn.functional.interpolate(grey, size=size, mode="bilinear", align_corners=False)
    images = big.round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1).contiguous()
    names = tuple(str(name) for name in digits.target_names)
    labels = torch.from_numpy(digits.target).long()
    return replace(_assemble("digits", names, *_split(images, labels), flips=False), interpolation="bilinear")


def _torchvision(source: str, resolution: int) -> Dataset:
    import torchvision

    _, name, *rest = source.split(":", 2)
    root = rest[0] if rest else str(Path("~/.cache/surgenas/torchvision").expanduser())
    factory = getattr(torchvision.datasets, name, None)
    if factory is None:
        raise UsageError(f"--data {source}: torchvision has no data set {name!r}; for example torchvision:CIFAR10")
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
        arrays = [np.asarray(image.convert("RGB").resize((resolution, resolution))) for image, _ in raw]
        images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
        parts.append(Part(images, torch.tensor([int(label) for _, label in raw])))
    classes = tuple(map(str, getattr(raw, "classes", range(int(parts[0].labels.max()) + 1))))
    return _assemble(source, classes, *parts, flips="MNIST" not in name and name not in ("USPS", "SVHN"))


def _folder(root: Path, resolution: int, *, max_corrupt: float, cache: Path, progress: Progress) -> Dataset:
    if not root.is_dir():
        raise DataError(f"--data {root}: no such folder; expected one folder of images per class, or 'digits'")
    train_root, test_root, notes = _parts(root)
    classes = tuple(_class_folders(train_root))
    _check_classes(train_root, classes)
    images, labels, named = decode_all(train_root, classes, resolution, max_corrupt, cache / "train", progress)
    notes += named
    if test_root is None:
        parts = _split(images, labels)
        notes.append(f"no val or test folder: {TEST_SHARE:.0%} of each class kept aside as the test part")
    else:
        if sorted(_class_folders(test_root)) != sorted(classes):
            raise DataError(f"{test_root} and {train_root} hold different classes; each needs the same folders")
        _check_classes(test_root, classes)
        seen, seen_labels, named = decode_all(test_root, classes, resolution, max_corrupt, cache / "test", progress)
        notes += named
        parts = Part(images, labels), Part(seen, seen_labels)
    return _assemble(str(root), classes, *parts, flips=True, notes=tuple(notes))


def _parts(root: Path) -> tuple[Path, Path | None, list[str]]:
    """(training folder, test folder or None, notes)."""
    if not (root / "train").is_dir():
        return root, None, []
    held_out = [root / name for name in ("test", "val", "valid", "validation") if (root / name).is_dir()]
    notes = [
        f"{extra.name}/ is not used: searching and training here need no validation part" for extra in held_out[1:]
    ]
    return root / "train", held_out[0] if held_out else None, notes


def _class_folders(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _check_classes(root: Path, classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        raise DataError(f"{root} holds {len(classes)} class folder(s); a classifier needs at least 2")
    for name in classes:
        if not any(p.is_file() for p in (root / name).rglob("*")):
            raise DataError(f"class folder {root / name} is empty; add images or remove the folder")


def _split(images: Tensor, labels: Tensor) -> tuple[Part, Part]:
    """Split images into (training part, test part); of every class a share, at least one image, goes to the test part.

    The split is the same for all seeds, so that results with several seeds are about the same images.
    """
    rng = generator(0, "split")
    test: list[int] = []
    for label in labels.unique().tolist():
        of_class = np.flatnonzero(labels.numpy() == label)
        if len(of_class) < 2:
            raise DataError(f"class number {label} has a single readable image; at least 2 are needed")
        test += rng.permutation(of_class)[: max(1, round(TEST_SHARE * len(of_class)))].tolist()
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[test] = True
    return Part(images[~mask], labels[~mask]), Part(images[mask], labels[mask])


def _assemble(
    name: str, classes: tuple[str, ...], train: Part, test: Part, *, flips: bool, notes: tuple[str, ...] = ()
) -> Dataset:
    mean, std = _moments(train.images)
    return Dataset(name, classes, train, test, mean, std, flips, notes)


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
