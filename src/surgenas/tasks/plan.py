"""What will be read, as far as names tell? The classes and files of each part, and the checks that need no pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surgenas.core.errors import DataError
from surgenas.tasks.images import ImageFile
from surgenas.tasks.listing import Listing, tell

Files = Mapping[str, Sequence[ImageFile]]
"""Image files by class."""


@dataclass(frozen=True)
class Plan:
    """What a folder or a table holds, by names.

    train_name, test_name: what a person calls the parts, such as a folder's path. test: None if images of the training
    part are to be kept aside. notes: for a person.
    """

    train_name: str
    train: Files
    test_name: str | None
    test: Files | None
    notes: tuple[str, ...]


def check_counts(classes: Mapping[str, Listing], least: int) -> None:
    """Raise DataError for a class with fewer images than `least`. classes: by what a person calls them."""
    for name, listing in classes.items():
        others = listing.suffixes + listing.hidden
        if not listing.images and not others:
            raise DataError(f"{name} is empty; add images or remove it")
        if not listing.images:
            raise DataError(f"{name} holds no image, but {tell(others)}; add images or remove it")
        if len(listing.images) < least:
            raise DataError(
                f"{name} holds a single image; at least 2 are needed, to learn from one and to test with the other"
            )


def check_alike(train_name: str, train: Mapping[str, object], test_name: str, test: Mapping[str, object]) -> None:
    """Raise DataError if two parts have different classes."""
    lacks, extra = sorted(train.keys() - test.keys()), sorted(test.keys() - train.keys())
    said = [f"{test_name} lacks {', '.join(lacks)}"] * bool(lacks)
    said += [f"{train_name} lacks {', '.join(extra)}"] * bool(extra)
    if said:
        raise DataError(f"the parts hold different classes: {'; '.join(said)}; each part needs the same classes")
