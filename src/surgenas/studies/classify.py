"""Which classes are new images of? Said by the file that a run or a training has exported, used as model.json says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from surgenas.core.cores import usable_cores
from surgenas.core.errors import CorruptError, DataError, SurgenasError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.hardware.onnx_file import read_onnx
from surgenas.hardware.runtimes import Images
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.runs.journal import Journal
from surgenas.runs.model_use import ModelUse, maker_of, read_use
from surgenas.runs.names import ONNX, USE
from surgenas.runs.results import STEP_OF, Exported
from surgenas.tasks.images import Picture, read_some
from surgenas.tasks.listing import HEIF, explain, image_suffixes, list_images

TOGETHER = 32
"""How many images are decoded and classified at once, so that any number of them fills no memory."""
FOLDERS = ("config.json", USE, "checkpoints")
"""Names of which the folder of a run or of a training has at least one."""
Probabilities = npt.NDArray[np.float64]
Compute = Callable[[Images], Probabilities]


@dataclass(frozen=True)
class Likely(Record):
    """A class, and the probability (0 to 1) that the network gives it."""

    label: str
    probability: float


@dataclass(frozen=True)
class Labelled(Record):
    """An image file and its likeliest class. probability: of that class, from 0 to 1. next: the classes that are
    likeliest after it."""

    file: str
    label: str
    probability: float
    next: tuple[Likely, ...]


@dataclass(frozen=True)
class Unreadable(Record):
    """A file that is no image that can be read, and why."""

    file: str
    why: str


@dataclass(frozen=True)
class Classified(Record):
    """What a network says of images. model: its file. images: those that could be read, in their order."""

    model: str
    images: tuple[Labelled, ...]
    unreadable: tuple[Unreadable, ...]


def classify(folder: Path, places: Sequence[Path], top: int, progress: Progress) -> Classified:
    """Label the image files among these places and below the folders among them. top: how many classes of each image
    are told.

    Files that cannot be read are passed over and told. Raises a SurgenasError that says what to do, DataError also if
    none of the files can be read.
    """
    if top < 1:
        raise UsageError(f"--top {top}: expected 1 or more")
    use, model = open_exported(folder)
    files = find_images(places, progress)
    compute = _network(model, use, min(TOGETHER, len(files)), folder)
    images, unreadable = list[Labelled](), list[Unreadable]()
    with progress.task("classify", len(files)) as task:
        for path, found in _judged(files, use, compute):
            task.advance()
            if isinstance(found, str):
                unreadable.append(Unreadable(str(path), found))
                progress.log(f"skipped {path}: {found}")
            else:
                images.append(_labelled(path, found, use.classes, top))
    if not images:
        raise DataError(f"none of {len(files)} image(s) can be read: first {unreadable[0].file}: {unreadable[0].why}")
    return Classified(str(folder / ONNX), tuple(images), tuple(unreadable))


def open_exported(folder: Path) -> tuple[ModelUse, bytes]:
    """How the exported network of a run or a training is used, and the network in ONNX.

    Raises UsageError for another folder, SurgenasError for one that has no exported network yet, CorruptError for files
    that are not what was exported.
    """
    if not any((folder / name).exists() for name in FOLDERS):
        raise UsageError(f"{folder} is no run folder; `surgenas search --out` or `surgenas train --out` makes one")
    done = Journal(folder / "journal.jsonl").done(STEP_OF[Exported])  # of a training there is none
    if not (folder / ONNX).is_file() or ((folder / "config.json").exists() and done is None):
        raise SurgenasError(f"{folder} has no {ONNX} yet; {maker_of(folder)} makes it")
    for name in (ONNX, USE):
        digest, path = (done or {}).get("digests", {}).get(name), folder / name
        if digest and (not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest):
            raise CorruptError(f"{path} is missing or damaged; {maker_of(folder)} makes it again")
    use = read_use(folder)
    try:
        return use, read_onnx(folder / ONNX).SerializeToString()
    except DataError as error:
        raise CorruptError(f"{error}; {maker_of(folder)} makes it again") from error


def find_images(places: Sequence[Path], progress: Progress) -> list[Path]:
    """The files among these places, whatever their names, and the image files below the folders among them, each once.

    progress: is told what is left out. Raises UsageError for a place that is not there, DataError if there is no image.
    """
    found, notes = list[Path](), list[str]()
    for place in places:
        if place.is_dir():
            listing = list_images(place)
            found += listing.images
            notes += explain(place, [listing])
        elif place.is_file():
            found.append(place)
        else:
            raise UsageError(f"{place}: no such file or folder; expected images, or folders of them")
    if not found:
        raise DataError("; ".join([f"no image in {', '.join(map(str, places)) or 'nothing'}", *notes]))
    for note in notes:
        progress.log(note)
    return list(dict.fromkeys(found))


def _judged(files: Sequence[Path], use: ModelUse, compute: Compute) -> Iterator[tuple[Path, Probabilities | str]]:
    """Each file with the probabilities (classes,) of its image, or with what is wrong with it."""
    for start in range(0, len(files), TOGETHER):
        some = files[start : start + TOGETHER]
        pictures = read_some(some, use.width, use.fit, use.interpolation, use.white)
        pixels = [picture.pixels for picture in pictures if isinstance(picture, Picture)]
        probabilities = iter(compute(_standardised(np.stack(pixels), use)) if pixels else ())
        for path, picture in zip(some, pictures, strict=True):
            yield path, _reason(path, picture) if isinstance(picture, str) else next(probabilities)


def _reason(path: Path, why: str) -> str:
    lacking = path.suffix.lower() in HEIF - image_suffixes()
    return f"{why}; to read such files: pip install 'surgenas[heif]'" if lacking else why


def _standardised(pixels: npt.NDArray[np.uint8], use: ModelUse) -> Images:
    """Images (N, 3, R, R) as the network takes them."""
    mean, std = (np.array(value, np.float32).reshape(1, 3, 1, 1) for value in (use.mean, use.std))
    with np.errstate(all="ignore"):  # what is no number then, the network's answer is not either
        found: Images = (pixels * np.float32(use.scale) - mean) / std
    return found


def _network(model: bytes, use: ModelUse, most: int, folder: Path) -> Compute:
    """A function from images (N, 3, R, R), N at most `most`, to probabilities (N, classes).

    Raises CorruptError for a network that model.json does not fit; the function does if it computes no numbers.
    """
    from scipy.special import softmax

    path, again = folder / ONNX, f"{maker_of(folder)} makes it again"
    try:
        taken = np.zeros((most, 3, use.height, use.width), np.float32)
        run = OnnxRuntime().prepare(model, taken, usable_cores(), "fp32")
        shape = run().shape
    except Exception as error:  # ONNX Runtime has no common base for what it raises
        raise CorruptError(f"{path} cannot be run ({str(error).splitlines()[0]}); {again}") from error
    if shape != (most, len(use.classes)) or use.width != use.height:
        raise CorruptError(f"{path} is not the network that {USE} is about; {again}")

    def compute(images: Images) -> Probabilities:
        taken[: len(images)] = images
        logits = run()[: len(images)].astype(np.float64)
        if not np.isfinite(logits).all():
            raise CorruptError(f"{path} computes values that are not numbers (NaN or infinity); {again}")
        found: Probabilities = softmax(logits, axis=1)
        return found

    return compute


def _labelled(path: Path, probabilities: Probabilities, classes: Sequence[str], top: int) -> Labelled:
    order = np.argsort(-probabilities, kind="stable")[:top]  # of equals the first, as argmax
    first, *others = (Likely(classes[i], float(probabilities[i])) for i in order)
    return Labelled(str(path), first.label, first.probability, tuple(others))
