"""Labels move, meet and vanish with the elements that they belong to."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.elastic.joined import NONE
from surgenas.nn.elastic.labels import Labels, spread

aten = torch.ops.aten


@pytest.fixture
def labels() -> Labels:
    return Labels(nn.Identity())


@pytest.fixture
def image(labels):
    """Makes images (1, C, 4, 4) with channels of new numbers."""

    def made(channels: int) -> torch.Tensor:
        x = torch.randn(1, channels, 4, 4)
        labels.give(x, spread(torch.from_numpy(labels.joined.more(channels)), x.shape, 1))
        return x

    return made


def roots(labels: Labels, tensor: torch.Tensor) -> list[int]:
    """Of the channels of an image."""
    return labels.joined.roots(labels.of(tensor)[0].flatten(1)[:, 0].numpy()).tolist()


def test_moved_elements_keep_their_channel(labels, image, run):
    x, y = image(2), image(3)
    both = run(labels, aten.cat.default, [x, y], 1)
    assert roots(labels, both) == [0, 1, 2, 3, 4]
    assert roots(labels, run(labels, aten.slice.Tensor, both, 1, 1, 4)) == [1, 2, 3]
    last = run(labels, aten.permute.default, both, [0, 2, 3, 1])
    assert labels.of(last)[0, 2, 3].tolist() == [0, 1, 2, 3, 4]
    assert roots(labels, run(labels, aten.index_select.default, both, 1, torch.tensor([4, 0]))) == [4, 0]


def test_integers_that_move_are_no_channels(labels, run):
    numbers = torch.arange(4)[None]
    labels.give(numbers, torch.zeros(1, 4, dtype=torch.int64))
    assert labels.of(run(labels, aten.slice.Tensor, numbers, 1, 0, 2)).tolist() == [[NONE, NONE]]


def test_what_is_combined_is_joined(labels, image, run):
    x, y = image(3), image(3)
    out = run(labels, aten.add.Tensor, x, y)
    assert roots(labels, x) == roots(labels, y) == roots(labels, out) == [0, 1, 2]
    assert roots(labels, run(labels, aten.mul.Tensor, out, torch.randn(1, 1, 4, 4))) == [0, 1, 2]
    assert roots(labels, run(labels, aten.relu.default, out)) == [0, 1, 2]


def test_pieces_of_one_length_stay_of_one_length(labels, image, run):
    x = image(6)
    run(labels, aten.split.Tensor, x, 3, 1)
    assert roots(labels, x) == [0, 1, 2, 0, 1, 2]
    y = image(5)
    run(labels, aten.split.Tensor, y, 3, 1)
    assert len(set(roots(labels, y))) == 5


def test_channels_that_a_shuffle_brings_side_by_side_stay_so(labels, image, run):
    x, y = image(4), image(4)
    grouped = run(labels, aten.view.default, x, [1, 2, 2, 4, 4])
    turned = run(labels, aten.transpose.int, grouped, 1, 2)
    turned = run(labels, aten.clone.default, turned, memory_format=torch.contiguous_format)
    assert len(set(roots(labels, x))) == 4
    run(labels, aten.view.default, turned, [1, 4, 4, 4])
    assert roots(labels, x) == [0, 1, 0, 1]
    run(labels, aten.channel_shuffle.default, y, 2)
    assert roots(labels, y) == [4, 5, 4, 5]


def test_pooling_is_by_channel_and_padding_may_add_some(labels, image, run):
    x = image(3)
    assert roots(labels, run(labels, aten.avg_pool2d.default, x, [2, 2])) == [0, 1, 2]
    assert roots(labels, run(labels, aten.constant_pad_nd.default, x, [1, 1, 1, 1])) == [0, 1, 2]
    assert roots(labels, run(labels, aten.constant_pad_nd.default, x, [0, 0, 0, 0, 1, 0])) == [NONE, 0, 1, 2]


def test_a_mean_over_positions_is_a_channels_own_and_one_over_channels_blurs_them(labels, image, run):
    x = image(3)
    out = run(labels, aten.mean.dim, x, [2, 3], True)
    assert labels.of(out).flatten().tolist() == [0, 1, 2]
    assert labels.blurred == []
    assert labels.of(run(labels, aten.mean.dim, x, [1])).unique().tolist() == [NONE]
    assert [numbers.tolist() for numbers in labels.blurred] == [[0, 1, 2]]


def test_what_is_stacked_is_joined_and_may_be_summed_again(labels, image, run):
    x, y = image(2), image(2)
    both = run(labels, aten.stack.default, [x, y], 1)
    assert roots(labels, y) == [0, 1]
    out = run(labels, aten.sum.dim_IntList, both, [1])
    assert out.shape == x.shape
    assert roots(labels, out) == [0, 1]
    assert labels.blurred == []


def test_a_softmax_over_channels_blurs_them(labels, image, run):
    x = image(3)
    run(labels, aten._softmax.default, x, 3, False)
    assert labels.blurred == []
    run(labels, aten._softmax.default, x, 1, False)
    assert [numbers.tolist() for numbers in labels.blurred] == [[0, 1, 2]]


def test_elements_are_looked_up_by_position(labels, run):
    table = torch.randn(2, 5)
    labels.give(table, torch.from_numpy(labels.joined.more(2))[:, None])
    out = run(labels, aten.index.Tensor, table, [None, torch.tensor([[4, 0], [1, 1]])])
    assert labels.of(out).tolist() == [[[0, 0], [0, 0]], [[1, 1], [1, 1]]]


def test_what_is_written_into_a_part_of_a_new_tensor_has_to_stay(labels, image, run):
    whole, x = torch.zeros(1, 4, 4, 4), image(2)
    run(labels, aten.copy_.default, whole[:, :2], x)
    assert [(numbers.tolist(), why) for numbers, why in labels.fixed] == [([0, 1], "written into a part of a tensor")]
    assert roots(labels, run(labels, aten.copy_.default, torch.zeros(1, 2, 4, 4), x)) == [0, 1]


def test_other_strides_of_the_same_size_are_the_same(labels, image, run):
    x = image(2)
    assert roots(labels, run(labels, aten.as_strided_.default, x, [1, 2, 4, 4], [32, 1, 8, 2])) == [0, 1]
    y = image(2)
    run(labels, aten.as_strided_.default, y, [1, 2, 2, 4], [32, 16, 8, 1])
    assert [(numbers.tolist(), why) for numbers, why in labels.fixed] == [([2, 3], "as_strided_")]
