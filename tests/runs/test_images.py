"""What a search may train on, and what it judges by: two parts of the training images, and none of the test's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from surgenas.methods.base import Needs
from surgenas.runs.images import LARGE, LEAST_HELD_OUT, MOST_HELD_OUT, split
from surgenas.tasks.data import Dataset, Part
from surgenas.tasks.image_list import HeldImages

JUDGES = Needs(data="held out")


def some(count: int, resolution: int = 1) -> Dataset:
    """Images whose first pixel is their number."""
    row = torch.arange(count, dtype=torch.int16).reshape(-1, 1, 1, 1)
    part = Part(HeldImages(row.expand(count, 1, resolution, resolution)), torch.arange(count) % 5)
    return Dataset("some", tuple("abcde"), part, part, (0.0,) * 3, (1.0,) * 3, flips=False)


def numbers(part: Part) -> set[int]:
    return set(part.images[:][:, 0, 0, 0].int().tolist())


def test_one_part_is_all_there_is_for_a_method_that_judges_nothing():
    data = some(50)
    found = split(data, Needs(), 0)
    assert found.aside is None
    assert found.search is found.data is data


def test_who_judges_has_images_held_out_that_it_does_not_train_on():
    found = split(some(1000), JUDGES, 0)
    assert len(found.aside) == 200
    assert numbers(found.aside).isdisjoint(numbers(found.search.train))
    assert numbers(found.aside) | numbers(found.search.train) == set(range(1000))
    again, other = (numbers(split(some(1000), JUDGES, seed).aside) for seed in (0, 1))
    assert again == numbers(found.aside) != other


@pytest.mark.parametrize(
    ("resolution", "aside"), [(LARGE, MOST_HELD_OUT), (2 * LARGE, MOST_HELD_OUT // 4), (8 * LARGE, LEAST_HELD_OUT)]
)
def test_of_large_images_fewer_are_held_out(resolution, aside):
    data = some(12_000)
    wide = replace(
        data, train=Part(HeldImages(data.train.images.pixels.expand(-1, -1, 1, resolution)), data.train.labels)
    )
    assert len(split(wide, JUDGES, 0).aside) == aside
