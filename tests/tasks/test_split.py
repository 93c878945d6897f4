"""A share of every class to test with: always the same, never a copy of what is learnt from."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.errors import DataError
from surgenas.tasks.split import note_copies, to_test_with

LABELS = torch.tensor([0] * 10 + [1] * 5)
CLASSES = ("cat", "dog")


def as_digests(numbers):
    return [bytes([n]) for n in numbers]


def test_a_fifth_of_every_class_and_of_a_tiny_one_a_single_image():
    chosen = to_test_with(LABELS, CLASSES)
    assert LABELS[chosen].bincount().tolist() == [2, 1]
    assert to_test_with(torch.tensor([0, 0, 1, 1]), CLASSES).sum() == 2
    assert torch.equal(chosen, to_test_with(LABELS, CLASSES))


def test_without_copies_digests_change_nothing():
    assert torch.equal(to_test_with(LABELS, CLASSES, as_digests(range(15))), to_test_with(LABELS, CLASSES))


@given(st.lists(st.integers(0, 9), min_size=30, max_size=60))
@settings(max_examples=50, deadline=None)
def test_copies_stay_on_one_side(numbers):
    numbers = [*range(10), *numbers]
    labels = torch.tensor([number % 2 for number in numbers])
    chosen = to_test_with(labels, CLASSES, as_digests(numbers)).tolist()
    test, train = ({n for n, c in zip(numbers, chosen, strict=True) if c == side} for side in (True, False))
    assert not test & train
    assert len({n for n in test if n % 2 == 0}) == len({n for n in test if n % 2 == 1}) == 1, "a fifth of five each"


def test_a_class_of_copies_alone_is_named():
    with pytest.raises(DataError, match="class dog has 1 readable image"):
        to_test_with(torch.tensor([0, 0, 1, 1]), CLASSES, as_digests([0, 1, 2, 2]))
    with pytest.raises(DataError, match="class dog has 0 readable image"):
        to_test_with(torch.tensor([0, 0, 1, 1]), CLASSES, as_digests([0, 1, 0, 1]))


def test_copies_are_counted_for_a_person():
    assert note_copies(LABELS, as_digests(range(15))) == []
    same, other = note_copies(LABELS, as_digests([0, 0, 0, *range(3, 14), 3]))
    assert same == "3 image(s) are exact copies of others; kept on the same side of the split"
    assert other == "1 image(s) are copies of one in another class; check their labels"
