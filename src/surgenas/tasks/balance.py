"""What if some classes have many more images than others? On request every class is drawn equally often.

Balanced sampling, as in Buda, Maki & Mazurowski, "A systematic study of the class imbalance problem in convolutional
neural networks" (arXiv 1710.05381): of the ways they compare, oversampling until all classes are alike did best nearly
everywhere. It changes which images a batch holds and no loss, so that it is the same for every network and every
search, also for those of other packages; and no image of a rare class outweighs the rest of its batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from surgenas.tasks import Classes

NOTABLE = 10
"""From this many times the images of the smallest class on, the largest is worth a note."""


def balanced_order(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) indices into N labels, in random order, of which every class has as many, or one more.

    An image comes again only once all of its class have come; so classes of equal size have each image once.
    """
    counts = labels.bincount()
    of_each = [part for part in labels.argsort(stable=True).split(counts.tolist()) if len(part)]
    least, more = divmod(len(labels), len(of_each))
    order = [
        _repeated(of_each[k], least + (turn < more), generator)
        for turn, k in enumerate(torch.randperm(len(of_each), generator=generator).tolist())
    ]
    together = torch.cat(order)
    return together[torch.randperm(len(together), generator=generator)]


def note_balance(wanted: Classes, labels: Tensor, classes: Sequence[str]) -> list[str]:
    """What a person should know of the sizes of the classes to learn from; nothing if there is nothing to say."""
    counts = labels.bincount(minlength=len(classes)).tolist()
    least, most = (counts.index(pick(n for n in counts if n)) for pick in (min, max))
    sizes = f"{classes[most]} has {counts[most]} images to learn from, {classes[least]} {counts[least]}"
    if wanted == "balanced":
        return [f"every class is drawn equally often (--classes balanced): {sizes}"]
    if counts[most] < NOTABLE * counts[least]:
        return []
    return [f"classes differ in size: {sizes}; --classes balanced draws every class equally often"]


def _repeated(images: Tensor, count: int, generator: torch.Generator) -> Tensor:
    turns = [images[torch.randperm(len(images), generator=generator)] for _ in range(math.ceil(count / len(images)))]
    return torch.cat(turns)[:count] if turns else images[:0]
