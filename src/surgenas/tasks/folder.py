"""How do image files become labelled parts? First what can be known by names alone, then pixels: of folders, tables
and shards by the same code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from surgenas.core.errors import DataError
from surgenas.core.progress import Progress
from surgenas.core.units import show_bytes
from surgenas.tasks import Fit
from surgenas.tasks.decoding import Decoded, Way, decode_all, scale_alike
from surgenas.tasks.depth import common_white
from surgenas.tasks.images import LONG
from surgenas.tasks.listing import Listing, explain, images_directly_in, list_images, subfolders
from surgenas.tasks.parts import find_parts
from surgenas.tasks.plan import Plan, check_alike, check_counts
from surgenas.tasks.shards import is_shards, plan_shards
from surgenas.tasks.table import plan_table
from surgenas.tasks.table_file import SUFFIXES

ENLARGED = 1.5
"""Images that are enlarged so many times are worth a word."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """What a folder or a table holds, decoded. test: as in Plan. white: as `common_white` says."""

    classes: tuple[str, ...]
    train: Decoded
    test: Decoded | None
    notes: tuple[str, ...]
    white: Mapping[bool, float]


def read_files(
    source: str, way: Way, *, memory: float, max_corrupt: float, cache: Path, progress: Progress
) -> ImageSet:
    """Decode a folder of class folders, or of parts that hold them, the files that a table names, or tar shards.

    memory: bytes of pixels up to which they are kept, whatever the way says. cache: a folder for what is known of
    files. Images of the training part whose files are also in the test part are left out. Notes are logged as soon as
    they are known. Raises errors as `plan_folder`, `plan_table`, `plan_shards` and `decode_all` do.
    """
    plan = plan_files(source, max_corrupt)
    for note in plan.notes:
        progress.log(note)
    files = sum(len(paths) for part in (plan.train, plan.test or {}) for paths in part.values())
    size = files * 3 * way.side**2
    way = replace(way, in_memory=size <= memory)
    if not way.in_memory:
        progress.log(
            f"{files} images of {way.side} px take {show_bytes(size)}, and {show_bytes(memory)} may be used "
            "(--memory): files are decoded whenever they are needed"
        )
    test: Decoded | None = None
    if plan.test_name and plan.test:
        test = decode_all(
            plan.test_name, plan.test, way, max_corrupt=max_corrupt, cache=cache / "test.json", progress=progress
        )
    train = decode_all(
        plan.train_name, plan.train, way, max_corrupt=max_corrupt, cache=cache / "train.json", progress=progress,
        known=frozenset(test.digests if test else ()),
    )  # fmt: skip
    parts = [part for part in (train, test) if part]
    white = common_white(depth for part in parts for _, _, depth in part.deep)
    for part in parts:
        scale_alike(part, white, way)
    seen = [*_note_depth(parts, white), *_note_length(parts, way.fit), *_note_size(parts, way.side)]
    if train.copies:
        seen.append(f"{train.copies} image(s) to learn from are copies of images in the test part; left out")
    for note in seen:
        progress.log(note)
    skipped = [f"skipped {name}" for part in parts for name in part.broken]  # logged when they are met
    return ImageSet(tuple(plan.train), train, test, (*plan.notes, *seen, *skipped), white)


def plan_files(source: str, max_corrupt: float) -> Plan:
    """What a folder, a table or tar shards hold, without decoding anything. Raises errors as `read_files` does."""
    path = Path(source)
    if path.is_dir():
        return plan_folder(path)
    if is_shards(source):
        return plan_shards(source)
    return plan_table(path, max_corrupt) if path.suffix.lower() in SUFFIXES else plan_folder(path)


def plan_folder(root: Path) -> Plan:
    """What a folder holds, without decoding anything.

    Raises DataError if it is laid out in an unknown way, or has a class with too few images.
    """
    if root.is_file():
        raise DataError(
            f"--data {root}: a file; expected a folder, or a table whose name ends in {', '.join(SUFFIXES)}"
        )
    if not root.is_dir():
        raise DataError(
            f"--data {root}: no such folder; expected one folder of images per class, a table (labels.csv), or 'digits'"
        )
    parts = find_parts(root)
    train = _list_classes(parts.train, least=1 if parts.test else 2)
    test = _list_classes(parts.test, least=1) if parts.test else None
    if parts.test and test:
        check_alike(str(parts.train), train, str(parts.test), test)
    notes = list(parts.notes)
    for part, listings in ((parts.train, train), (parts.test, test)):
        if part and listings:
            stray = images_directly_in(part)
            notes += [f"{stray} image(s) directly in {part} are in no class folder; left out"] * bool(stray)
            notes += explain(part, listings.values())
    files = [{name: listing.images for name, listing in (part or {}).items()} for part in (train, test)]
    return Plan(str(parts.train), files[0], str(parts.test) if parts.test else None, files[1] or None, tuple(notes))


def _list_classes(root: Path, least: int) -> dict[str, Listing]:
    """The files of each class; raises DataError for a class with fewer images than `least`."""
    found = {name: list_images(root / name) for name in subfolders(root)}
    check_counts({f"class folder {root / name}": listing for name, listing in found.items()}, least)
    return found


def _note_depth(parts: list[Decoded], white: Mapping[bool, float]) -> list[str]:
    """A note of each range of values of images of more than 8 bits that is not their format's."""
    depths = [depth for part in parts for _, _, depth in part.deep]
    notes = []
    for whole, top in white.items():
        same = [depth for depth in depths if depth.whole == whole]
        if top != (65535 if whole else 1):
            peak = max(depth.peak for depth in same)
            notes.append(f"{len(same)} image(s) of more than 8 bits reach {peak:g}; read as values from 0 to {top:g}")
    return notes


def _note_length(parts: list[Decoded], fit: Fit) -> list[str]:
    long, count = sum(part.long for part in parts), sum(len(part.labels) for part in parts)
    if fit != "crop" or long <= count / 2:
        return []
    return [f"{long} of {count} images are longer than {LONG:g}:1, and only their middle square is seen; --fit pad or "
            "--fit squash shows them whole"]  # fmt: skip


def _note_size(parts: list[Decoded], resolution: int) -> list[str]:
    sides = sorted(side for part in parts for side in part.sides if side)
    middle = sides[len(sides) // 2] if sides else resolution
    if middle * ENLARGED > resolution:
        return []
    return [f"half of the images have {middle} px or fewer and are enlarged to {resolution} px; a smaller --resolution "
            "takes less time, and may be as good"]  # fmt: skip
