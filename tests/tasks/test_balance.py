"""Every class equally often, each of its images as often as any other of it."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.tasks.balance import balanced_order, note_balance


def order(labels, seed=0):
    return balanced_order(labels, torch.Generator().manual_seed(seed))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_classes_come_equally_often_and_images_of_a_class_too(labels, seed):
    labels = torch.tensor(labels)
    found = order(labels, seed)
    assert len(found) == len(labels)
    present = labels.unique()
    of_class = labels[found].bincount(minlength=7)[present]
    assert of_class.max() - of_class.min() <= 1
    times = found.bincount(minlength=len(labels))
    for number in present:
        its = times[labels == number]
        assert its.max() - its.min() <= 1


def test_classes_of_equal_size_have_each_image_once():
    labels = torch.tensor([0, 1, 2] * 20)
    assert order(labels).sort().values.tolist() == list(range(60))


def test_the_order_is_random_and_the_generators():
    labels = torch.tensor([0] * 90 + [1] * 10)
    assert torch.equal(order(labels), order(labels))
    assert not torch.equal(order(labels), order(labels, 1))
    firsts = labels[order(labels)][:40].bincount()
    assert firsts.min() > 8, "classes are mixed"


def test_a_tenfold_class_is_worth_a_note_and_less_is_not():
    labels = torch.tensor([0] * 20 + [1] * 2 + [3] * 5)
    classes = ("cat", "dog", "none", "bird")
    (note,) = note_balance("as-is", labels, classes)
    assert note.startswith("classes differ in size: cat has 20 images to learn from, dog 2; --classes balanced")
    assert note_balance("as-is", labels[1:], classes) == []
    (note,) = note_balance("balanced", labels[1:], classes)
    assert note.startswith("every class is drawn equally often (--classes balanced): cat has 19 images")
