"""Checks that need no pixel, by what a person calls the classes and the parts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from surgenas.core.errors import DataError
from surgenas.tasks.listing import Listing
from surgenas.tasks.plan import check_alike, check_counts

IMAGES = [Path("0.png"), Path("1.png")]


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (Listing(), "class cat of x is empty; add images or remove it"),
        (Listing(suffixes=Counter({".pdf": 2})), "class cat of x holds no image, but 2 .pdf; add images or remove it"),
        (Listing(hidden=Counter({"hidden images": 3})), "holds no image, but 3 hidden images"),
        (Listing(IMAGES[:1]), "class cat of x holds a single image; at least 2 are needed"),
    ],
)
def test_a_class_of_too_few_images_is_named(listing, said):
    with pytest.raises(DataError) as error:
        check_counts({"class dog of x": Listing(IMAGES), "class cat of x": listing}, least=2)
    assert said in str(error.value)


def test_enough_is_enough():
    check_counts({"dog": Listing(IMAGES), "cat": Listing(IMAGES[:1])}, least=1)
    check_alike("a", {"cat": 1}, "b", {"cat": 2})


def test_parts_of_different_classes_are_named_with_what_they_lack():
    with pytest.raises(DataError) as error:
        check_alike("a", {"cat": 1, "dog": 1}, "b", {"cat": 1, "owl": 1})
    assert str(error.value) == (
        "the parts hold different classes: b lacks dog; a lacks owl; each part needs the same classes"
    )
