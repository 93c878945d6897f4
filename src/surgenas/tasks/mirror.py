"""May training images be mirrored? A small classifier tells whether mirrored images pass for images of another class.

It learns once from plain images, and once from mirrored ones too. Of most things mirrored images cost it nothing; an
arrow to the left that was mirrored is one to the right, and then neither of the two is told from the other. Patches of
the images are its filters, and how well each fits, anywhere and in the quarters of an image, its features (after Coates
& Ng 2011), so that it need not be trained for long, and what it sees may lie anywhere. Of few images, or of classes
that it cannot tell apart anyway, it says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, adaptive_max_pool2d, conv2d

from surgenas.core.seeds import generator
from surgenas.tasks import Flips
from surgenas.tasks.image_list import ImageList

Features = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
SIZE, PATCH, PATCHES = 24, 6, 48
"""Height and width, in pixels, of the images that the classifier sees and of its filters; how many it has, and as many
mirrored ones."""
MOST, MOST_OF_CLASS = 2000, 60
"""The most images that it sees."""
PENALTY = 100.0
"""Of its weights."""
CLEARLY, NOTABLY = 0.01, 0.1
"""CLEARLY: chance of a false alarm for a whole data set. NOTABLY: share of a class that is lost at the least."""


@dataclass(frozen=True)
class Loss:
    """What mirroring costs. plain, mirrored: share of images held out of which the classifier said the class without
    and with mirrored images to learn from. classes: numbers of the classes of which clearly more were lost than won."""

    plain: float
    mirrored: float
    classes: tuple[int, ...]


def decide_flips(
    wanted: Flips, usual: bool, images: ImageList, labels: Tensor, classes: Sequence[str]
) -> tuple[bool, str]:
    """(Whether training images are mirrored at random, a note that says so).

    usual: whether images of this kind may be at all. images: (N, 3, R, R) in uint8 to learn from. labels: (N,).
    """
    if wanted != "auto" or not usual:
        why = f"--flips {wanted}" if wanted != "auto" else "mirrored ones would not be what their label says"
        mirrored = wanted == "horizontal"
        return mirrored, f"training images are {'mirrored at random' if mirrored else 'not mirrored'} ({why})"
    loss = loss_by_mirroring(images, labels)
    if not loss.classes:
        return True, "training images are mirrored at random; --flips off turns that off"
    lost = ", ".join(classes[i] for i in loss.classes)
    return False, (
        f"training images are not mirrored, since mirrored ones pass for another class ({lost}): with them a small "
        f"classifier is right on {loss.mirrored:.0%} of held-out images, without on {loss.plain:.0%}; --flips "
        "horizontal mirrors all the same"
    )


def loss_by_mirroring(images: ImageList, labels: Tensor) -> Loss:
    """What a small classifier loses on images held out if it also learns from mirrored ones: the same for the same
    images. Images (N, 3, R, R) in uint8, labels (N,)."""
    from scipy.stats import binom

    rng = generator(0, "mirror")
    picked = _some_of_each(labels.numpy(), rng)
    some = images[picked].float() / 255
    small = adaptive_avg_pool2d(some, min(SIZE, some.shape[-1]))
    filters = _patches(small, rng)
    right = _held_out(_features(small, filters), _features(small.flip(-1), filters), labels.numpy()[picked])
    plain, mirrored = right
    suspects = []
    numbers, of_class = np.unique(labels.numpy()[picked], return_inverse=True)
    for i, number in enumerate(numbers):
        its = of_class == i
        lost, won = int((plain & ~mirrored & its).sum()), int((mirrored & ~plain & its).sum())
        by_chance = binom.sf(lost - 1, lost + won, 0.5)  # sign test: a change is as likely for the better
        if by_chance < CLEARLY / len(numbers) and lost - won >= NOTABLY * its.sum():
            suspects.append(int(number))
    return Loss(float(plain.mean()), float(mirrored.mean()), tuple(suspects))


def _some_of_each(labels: Numbers, rng: np.random.Generator) -> Numbers:
    """Indices of as many images of each class as are looked at."""
    numbers = np.unique(labels)
    most = min(MOST_OF_CLASS, max(2, MOST // len(numbers)))
    return np.concatenate([rng.permutation(np.flatnonzero(labels == number))[:most] for number in numbers])


def _patches(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Filters (2 x PATCHES, 3, p, p): random patches without their mean, of norm 1, and the same mirrored."""
    side = min(PATCH, images.shape[-1])
    places = rng.integers((len(images), *[images.shape[-1] - side + 1] * 2), size=(PATCHES, 3))
    patches = torch.stack([images[i, :, y : y + side, x : x + side] for i, y, x in places])
    patches = patches - patches.mean((1, 2, 3), keepdim=True)
    patches = patches / (patches.flatten(1).norm(dim=1) + 1e-2).view(-1, 1, 1, 1)
    return torch.cat([patches, patches.flip(-1)])


def _features(images: Tensor, filters: Tensor) -> Features:
    """How well each filter fits, anywhere and in the quarters of an image, and what the image looks like from afar."""
    fits = conv2d(images, filters)
    seen = adaptive_max_pool2d(fits, 2), adaptive_max_pool2d(fits, 1), adaptive_avg_pool2d(images, 6)
    found: Features = torch.cat([part.flatten(1) for part in seen], 1).numpy()
    return found


def _held_out(plain: Features, mirrored: Features, labels: Numbers) -> list[npt.NDArray[np.bool_]]:
    """Whether the classifier is right on each plain image while it is held out, without and with mirrored images to
    learn from."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.preprocessing import StandardScaler

    halves = np.arange(len(labels)) % 2  # of every class, since its images follow each other
    found = []
    for taught in ([plain], [plain, mirrored]):
        right = np.zeros(len(labels), dtype=bool)
        for half in (0, 1):
            seen, unseen = halves == half, halves != half
            taught_with = np.concatenate([part[seen] for part in taught])
            scale = StandardScaler().fit(taught_with)
            model = RidgeClassifier(alpha=PENALTY).fit(scale.transform(taught_with), np.tile(labels[seen], len(taught)))
            right[unseen] = model.predict(scale.transform(plain[unseen])) == labels[unseen]
        found.append(right)
    return found
