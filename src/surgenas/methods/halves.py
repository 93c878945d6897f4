"""Batches of the images that weights are not trained on, for searches that learn from them what to choose."""

from __future__ import annotations

import torch
from torch import Tensor

from surgenas.core.seeds import generator
from surgenas.methods.candidates import HeldOut


def second_half(held_out: HeldOut, seed: int, index: int, count: int) -> tuple[Tensor, Tensor]:
    """(images, labels) of a batch for the step of that number: in every pass over the images, each comes once.

    count: how many, if there are as many.
    """
    every = len(held_out.images)
    count = min(count, every)
    turn, place = divmod(index, every // count)
    order = torch.from_numpy(generator(seed, "second half", turn).permutation(every))
    picked = order[place * count : (place + 1) * count].to(held_out.images.device)
    return held_out.images[picked], held_out.labels[picked]
