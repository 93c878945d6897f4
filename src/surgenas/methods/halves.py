"""Batches of the images that weights are not trained on, for searches that learn from them what to choose."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from surgenas.core.seeds import generator
from surgenas.methods.candidates import HeldOut
from surgenas.nn.ranks import Ranks


def second_half(held_out: HeldOut, seed: int, index: int, ranks: Ranks) -> tuple[Tensor, Tensor, Ranks]:
    """(images, labels) of a process's slice of a batch for the step of that number, and what it has of that batch: in
    every pass over the images, each comes once.

    ranks: the processes that take the step; the batch has as many images as the step's other one, if there are as many.
    """
    every = len(held_out.images)
    count = min(ranks.images, every)
    turn, place = divmod(index, every // count)
    order = torch.from_numpy(generator(seed, "second half", turn).permutation(every))
    picked = ranks.slice(order[place * count : (place + 1) * count]).to(held_out.images.device)
    return held_out.images[picked], held_out.labels[picked], replace(ranks, own=len(picked), images=count)
