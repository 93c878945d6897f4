"""Classes counted by hand, by scikit-learn, and back again."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix

from surgenas.tasks.by_class import ByClass, Confused, balanced_accuracy, judge_classes

CLASSES = ("cat", "dog", "owl")
LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2])
SAID = torch.tensor([0, 0, 1, 1, 1, 1, 0, 1])
FOUND = judge_classes(SAID, LABELS, CLASSES)


def test_a_small_case_by_hand():
    cat, dog, owl = FOUND.classes
    assert (cat.images, cat.precision, cat.recall, cat.accuracy) == (4, pytest.approx(2 / 3), 0.5, pytest.approx(5 / 8))
    assert (dog.images, dog.precision, dog.recall) == (3, pytest.approx(2 / 5), pytest.approx(2 / 3))
    assert (owl.images, owl.precision, owl.recall, owl.f1, owl.accuracy) == (1, None, 0.0, 0.0, pytest.approx(7 / 8))
    assert cat.f1 == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    assert FOUND.confusion == ((0, 0, 2), (0, 1, 2), (1, 0, 1), (1, 1, 2), (2, 1, 1))
    assert FOUND.matrix.tolist() == [[2, 2, 0], [1, 2, 0], [0, 1, 0]]
    assert FOUND.balanced_accuracy == pytest.approx((0.5 + 2 / 3 + 0) / 3)


def test_the_worst_come_first_and_perfect_ones_not_at_all():
    assert [row.name for row in FOUND.worst(2)] == ["owl", "dog"]
    assert FOUND.most_confused(2) == [Confused("cat", "dog", 2), Confused("dog", "cat", 1)]
    perfect = judge_classes(LABELS, LABELS, CLASSES)
    assert (perfect.worst(3), perfect.most_confused(3), perfect.balanced_accuracy) == ([], [], 1.0)


def test_a_class_without_images_has_no_recall_and_does_not_count():
    found = judge_classes(torch.tensor([0, 1]), torch.tensor([0, 0]), CLASSES)
    assert [row.recall for row in found.classes] == [0.5, None, None]
    assert found.balanced_accuracy == 0.5


def test_it_survives_json():
    assert ByClass.from_json(json.loads(json.dumps(FOUND.to_json(), allow_nan=False))) == FOUND


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_all_follows_from_the_same_counts(pairs):
    labels, said = torch.tensor(pairs).unbind(1)
    found = judge_classes(said, labels, tuple("abcd"))
    assert np.array_equal(found.matrix, confusion_matrix(labels, said, labels=range(4)))
    assert found.matrix.trace() / len(labels) == pytest.approx(accuracy_score(labels, said))
    assert [row.images for row in found.classes] == found.matrix.sum(1).tolist()
    for i, row in enumerate(found.classes):
        assert row.accuracy == pytest.approx(float(((labels == i) == (said == i)).float().mean()), abs=1e-6)
    if set(said.tolist()) <= set(labels.tolist()) and len(set(labels.tolist())) > 1:  # else scikit-learn warns
        assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, said))
    assert balanced_accuracy(said, labels) == pytest.approx(found.balanced_accuracy)
