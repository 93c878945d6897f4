"""Batches of the second half of the images."""

from __future__ import annotations

from dataclasses import replace

import torch

from surgenas.methods.halves import second_half
from surgenas.nn.ranks import Ranks


def test_in_a_pass_each_image_comes_once_and_the_next_pass_has_another_order(halves):
    held_out = halves[1]
    steps = len(held_out.images) // 16
    seen = torch.cat([second_half(held_out, 0, i, Ranks(images=16))[0].flatten(1).sum(1) for i in range(steps)])
    assert len(set(seen.tolist())) > 0.9 * steps * 16
    assert not torch.equal(
        second_half(held_out, 0, steps, Ranks(images=16))[0], second_half(held_out, 0, 0, Ranks(images=16))[0]
    )


def test_where_there_are_fewer_all_of_them_come(halves):
    few = replace(halves[1], images=halves[1].images[:5], labels=halves[1].labels[:5])
    images, labels, _ = second_half(few, 0, 3, Ranks(images=16))
    assert len(images) == len(labels) == 5
