"""Which images does a classifier judge worst? Those that are said wrongly and whose own class is given the least."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from surgenas.core.record import Record
from surgenas.tasks.images import resize_all

if TYPE_CHECKING:  # who shows results needs no torch
    from torch import Tensor

WORST = 10
"""How many images are kept."""
SIDE = 96
"""The largest height and width of their thumbnails, in pixels."""
MOST_BYTES = 44_000
"""Of all thumbnails together, so that in text, which takes a third more, they are less than 60 kB."""
QUALITIES = (90, 80, 65, 50, 30, 10)
"""JPEG's, the first that fits."""


@dataclass(frozen=True)
class Misjudged(Record):
    """An image that was said wrongly. index: its place in its part of the data set. label, said: the numbers of its
    class and of the class that was said. probability, said_probability: what the network gives these, from 0 to 1."""

    index: int
    label: int
    said: int
    probability: float
    said_probability: float


def worst_judged(logits: Tensor, labels: Tensor, most: int = WORST) -> tuple[Misjudged, ...]:
    """The images, at most so many, that were said wrongly and whose own class has the least probability, the worst
    first. logits: (N, classes). labels: (N,)."""
    probabilities = logits.double().softmax(1)
    said = logits.argmax(1)  # not of the probabilities: rounding makes nearly equal ones equal
    own, best = (probabilities.gather(1, which[:, None])[:, 0] for which in (labels, said))
    wrong = (said != labels).nonzero()[:, 0]
    worst = wrong[own[wrong].argsort(stable=True)][:most].tolist()
    return tuple(Misjudged(i, int(labels[i]), int(said[i]), float(own[i]), float(best[i])) for i in worst)


def thumbnails(images: Tensor) -> bytes:
    """Images (N, 3, R, R) in uint8 side by side as one JPEG file of at most MOST_BYTES."""
    resolution = images.shape[-1]
    if resolution > SIDE:
        images = resize_all(images, SIDE, "bicubic")
    times = max(1, SIDE // resolution)  # small ones in whole pixels, so that nobody's viewer blurs them
    large = images.repeat_interleave(times, 2).repeat_interleave(times, 3).numpy()
    row = np.concatenate(list(large), axis=2)
    picture, content = Image.fromarray(np.ascontiguousarray(row.transpose(1, 2, 0))), b""
    for quality in QUALITIES:
        sink = io.BytesIO()
        picture.save(sink, "JPEG", quality=quality, subsampling=0)
        content = sink.getvalue()
        if len(content) <= MOST_BYTES:
            break
    return content
