"""How do several processes train one network? Each computes its slice of every batch, and all take the same step.

The loss is the mean over the whole batch: a process weighs its own mean by its share of the images, and gradients are
summed. With statistics of the whole batch (synchronised.py) the step does not depend on how many processes there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True)
class Ranks:
    """One of the processes that train together, and what it has of the present batch.

    rank: its number, from 0. count: how many processes there are. own, images: how many images of the batch it has, and
    how many the batch has.
    """

    rank: int = 0
    count: int = 1
    own: int = 1
    images: int = 1

    def of_batch(self, own: int) -> Ranks:
        """The same process with a batch of which it has so many images; all processes must ask at once, as for `mean`
        and `sum_`."""
        if self.count == 1:
            return replace(self, own=own, images=own)
        images = torch.tensor(own)
        dist.all_reduce(images)
        return replace(self, own=own, images=int(images))

    def slice(self, whole: Tensor) -> Tensor:
        """This process's part of something that has a row for each image of the batch."""
        return whole[self.rank :: self.count]

    def weighed(self, loss: Tensor) -> Tensor:
        """This process's part of a mean over the whole batch, from the mean over its own images."""
        return loss if self.count == 1 else loss * (self.own / self.images)

    def mean(self, values: Tensor) -> Tensor:
        """The means over the whole batch, from those over the own images."""
        if self.count == 1:
            return values
        found = self.weighed(values.detach()).clone()
        dist.all_reduce(found)
        return found

    def sum_(self, tensors: Iterable[Tensor | None]) -> None:
        """Sum each of these tensors over all processes, in place; None is passed over."""
        there = [tensor for tensor in tensors if tensor is not None]
        if self.count == 1 or not there:
            return
        together = torch.cat([tensor.detach().flatten() for tensor in there])
        dist.all_reduce(together)
        for tensor, summed in zip(there, together.split([tensor.numel() for tensor in there]), strict=True):
            tensor.detach().copy_(summed.view(tensor.shape))

    def gradients(self, loss: Tensor, inputs: Sequence[Tensor], *, allow_unused: bool = False) -> list[Any]:
        """The gradients for these tensors of the mean loss over the whole batch, from that over the own images; as of
        torch.autograd.grad."""
        found = torch.autograd.grad(self.weighed(loss), inputs, allow_unused=allow_unused)
        self.sum_(found)
        return list(found)


ALONE = Ranks()
"""A process that trains by itself."""
