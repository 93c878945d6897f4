"""Numbers of channels: given to parameters and inputs, joined where tensors meet, kept without memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surgenas.nn.elastic.joined import NONE
from surgenas.nn.elastic.labels import Labels, Weight, spread, thin


@pytest.fixture
def labels() -> Labels:
    return Labels(nn.ModuleDict({"fc": nn.Linear(3, 2), "norm": nn.BatchNorm1d(2)}))


def test_parameters_are_known_by_name_and_numbered_once():
    network = nn.Linear(3, 2)
    labels = Labels(network)
    assert labels.weight(network.weight) == Weight("weight", (0, 1))
    assert labels.weight(torch.zeros(2)) is None
    first = labels.axis(Weight("weight", (0, 1)), 1)
    assert first.shape == (3,)
    assert torch.equal(labels.axis(Weight("weight", (1, 0)), 0), first)  # the same axis of the parameter, turned over
    assert labels.of(network.bias).tolist() == labels.axes["bias", 0].tolist()
    assert labels.of(network.weight).unique().numel() == 6
    assert set(labels.elements) == {"weight"}


def test_of_a_tensor_that_is_unknown_or_a_single_number_nothing_is_known():
    network = nn.PReLU()
    labels = Labels(network)
    assert labels.of(network.weight).tolist() == [NONE]
    assert labels.of(torch.zeros(2, 2)).tolist() == [[NONE] * 2] * 2
    assert not labels.knows(torch.zeros(2))


def test_the_channels_of_the_input_are_numbered_and_stay(labels):
    images = torch.zeros(2, 3, 4, 4)
    labels.number_input(images)
    assert labels.of(images)[1, :, 2, 3].tolist() == [0, 1, 2]
    assert thin(labels.of(images)).numel() == 3
    ((numbers, reason),) = labels.fixed
    assert (numbers.tolist(), reason) == ([0, 1, 2], "channels of the input")


def test_joining_broadcasts_and_keeps_what_is_a_channel(labels):
    numbers = torch.from_numpy(labels.joined.more(4))
    out = labels.join(spread(numbers[:2], (1, 2, 5), 1), torch.full((1, 1, 1), NONE))
    assert out.shape == (1, 2, 5)
    assert out[0, :, 4].tolist() == [0, 1]
    labels.join(spread(numbers[:2], (1, 2, 5), 1), spread(numbers[2:], (1, 2, 1), 1))
    assert labels.joined.roots(numbers.numpy()).tolist() == [0, 1, 0, 1]


def test_what_lies_at_one_position_of_an_axis_is_joined(labels):
    table = torch.from_numpy(labels.joined.more(6).reshape(2, 3)).clone()
    table[0, 0] = NONE
    assert (labels.along(table, 1) >= 0).all()
    assert labels.joined.roots(labels.joined.roots(table.numpy())).tolist() == [[NONE, 1, 2], [3, 1, 2]]
    labels.tie(table, 1)
    assert labels.joined.roots(table.numpy()).tolist() == [[NONE, 1, 1], [1, 1, 1]]


def test_what_is_fixed_says_where(labels):
    labels.place = "stage.conv"
    labels.fix(torch.tensor([3, NONE, 3]), "no reason")
    labels.blur(torch.tensor([NONE, 1]))
    assert [(numbers.tolist(), why) for numbers, why in labels.fixed] == [([3], "no reason in stage.conv")]
    assert [numbers.tolist() for numbers in labels.blurred] == [[1]]
