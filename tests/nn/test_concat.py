"""Cells with links: what each layer reads, checked with layers that hand on their numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surgenas.nn.concat import ConcatCell, draw_links


class Tagged(nn.Module):
    """Writes `width` channels, each a number of its own, and remembers what it read."""

    def __init__(self, first: int, width: int = 2) -> None:
        super().__init__()
        self.first, self.width = first, width

    def forward(self, x_NCHW: Tensor) -> Tensor:
        self.seen = x_NCHW[0, :, 0, 0].tolist()
        return torch.arange(self.first, self.first + self.width).float()[None, :, None, None]


def test_a_layer_reads_the_one_before_it_and_the_linked_channels_of_those_before_that():
    """Layers write 10 and 11, 20 and 21, ... The last but one may link to 10 .. 11, the last to 10 .. 21."""
    layers = [Tagged(10 * (i + 1)) for i in range(4)]
    cell = ConcatCell(layers, [np.array([], int), np.array([], int), np.array([1]), np.array([0, 3])])
    assert cell(torch.tensor([7.0])[None, :, None, None])[0, :, 0, 0].tolist() == [40, 41]
    assert [layer.seen for layer in layers] == [[7], [10, 11], [20, 21, 11], [30, 31, 10, 21]]


@pytest.mark.parametrize("possible", [0, 3, 8, 100])
def test_links_are_different_channels_that_there_are_rising(possible):
    found = draw_links(0, 1, 4, possible, 8)
    assert len(found) == min(8, possible)
    assert (np.diff(found) > 0).all()
    assert ((found >= 0) & (found < possible)).all()


def test_links_follow_from_seed_cell_and_layer():
    def drawn(*place):
        return draw_links(*place, 100, 10).tolist()

    assert drawn(0, 1, 4) == drawn(0, 1, 4)
    assert len({tuple(drawn(*place)) for place in [(0, 1, 4), (1, 1, 4), (0, 2, 4), (0, 1, 5)]}) == 4


def test_fewer_links_are_among_the_more():
    few, many = (set(draw_links(0, 1, 4, 100, most).tolist()) for most in (10, 20))
    assert few < many


def test_every_channel_can_be_linked_the_oldest_and_the_newest_too():
    found = {int(c) for seed in range(60) for c in draw_links(seed, 0, 3, 12, 3)}
    assert found == set(range(12))


def test_links_go_with_the_weights():
    cell = ConcatCell([Tagged(1), Tagged(3), Tagged(5)], [np.array([], int), np.array([], int), np.array([1])])
    assert cell.state_dict()["links2"].tolist() == [1]
