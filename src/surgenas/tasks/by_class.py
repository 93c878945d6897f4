"""Which classes does a classifier tell, and which does it take for which? Counted by scikit-learn, kept as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from surgenas.core.record import Record

if TYPE_CHECKING:  # who shows results or decodes images needs no torch
    from torch import Tensor


@dataclass(frozen=True)
class ClassScore(Record):
    """How well a class is told, in shares.

    images: of this class. precision: of the images that were said to be of it, those that are; None if none was said to
    be. recall: of its images, those that were said to be of it; None if it has none. f1: their harmonic mean. accuracy:
    of all images, those of which it was said rightly whether they are of this class.
    """

    name: str
    images: int
    precision: float | None
    recall: float | None
    f1: float
    accuracy: float


@dataclass(frozen=True)
class Confused(Record):
    """How many images of a class were taken for another one."""

    label: str
    said: str
    images: int


@dataclass(frozen=True)
class ByClass(Record):
    """How well each class is told, in the order of the classes.

    confusion: the entries of the confusion matrix that are not 0, each as (number of the class, number of the class
    that was said, images).
    """

    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, int, int], ...]

    @property
    def matrix(self) -> npt.NDArray[np.int64]:
        """The confusion matrix (C, C): a row for each class, a column for each class that was said."""
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        for label, said, images in self.confusion:
            counts[label, said] = images
        return counts

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have images."""
        return float(np.mean([row.recall for row in self.classes if row.recall is not None]))

    def worst(self, most: int) -> list[ClassScore]:
        """The classes of the least F1, the worst first, without perfect ones."""
        return sorted((row for row in self.classes if row.f1 < 1), key=lambda row: row.f1)[:most]

    def most_confused(self, most: int) -> list[Confused]:
        """The pairs of classes of which the most images were confused, the worst first."""
        wrong = sorted((entry for entry in self.confusion if entry[0] != entry[1]), key=lambda entry: -entry[2])
        names = [row.name for row in self.classes]
        return [Confused(names[label], names[said], images) for label, said, images in wrong[:most]]


def judge_classes(said: Tensor, labels: Tensor, classes: Sequence[str]) -> ByClass:
    """How well each class is told. said, labels: (N,) numbers of classes."""
    from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix, precision_recall_fscore_support

    truth, answer, numbers = labels.numpy(), said.numpy(), np.arange(len(classes))
    columns = precision_recall_fscore_support(truth, answer, labels=numbers, zero_division=np.nan)
    alone = multilabel_confusion_matrix(truth, answer, labels=numbers)  # each class against all others
    accuracies = (alone[:, 0, 0] + alone[:, 1, 1]) / len(truth)
    scores = [
        ClassScore(name, int(images), _known(precision), _known(recall), _known(f1) or 0.0, float(right))
        for name, precision, recall, f1, images, right in zip(classes, *columns, accuracies, strict=True)
    ]
    matrix = confusion_matrix(truth, answer, labels=numbers)
    return ByClass(tuple(scores), tuple((int(i), int(j), int(matrix[i, j])) for i, j in np.argwhere(matrix)))


def balanced_accuracy(said: Tensor, labels: Tensor) -> float:
    """The mean, over the classes that have images, of the share that was said rightly. said, labels: (N,)."""
    from sklearn.metrics import recall_score

    truth = labels.cpu().numpy()
    return float(recall_score(truth, said.cpu().numpy(), labels=np.unique(truth), average="macro", zero_division=0))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
