"""A classifier on a part: all logits in the part's order, in eval mode, and the share of labels that they say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from surgenas.tasks.classification import accuracy, predict, score
from surgenas.tasks.data import Dataset, Part
from surgenas.tasks.image_list import HeldImages

LEVELS = torch.arange(0, 250, 25)
"""How bright each image is."""
BRIGHT = (LEVELS > 127).long()


def part(labels):
    return Part(HeldImages(LEVELS.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2).contiguous()), labels)


@pytest.fixture
def data() -> Dataset:
    """In the test part one in ten labels is wrong, in the training part all are."""
    wrong = BRIGHT.clone()
    wrong[0] = 1
    return Dataset("levels", ("dark", "bright"), part(1 - BRIGHT), part(wrong), (0.5,) * 3, (0.25,) * 3, flips=True)


class Brightness(nn.Module):
    """Says bright where the normalised image is above zero; it keeps in what state it was asked, and of how many."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.asked: list[tuple[int, bool, bool]] = []

    def forward(self, x_NCHW):
        self.asked.append((len(x_NCHW), self.training, torch.is_grad_enabled()))
        level = self.factor * x_NCHW.mean((1, 2, 3))
        return torch.stack([-level, level], 1)


def test_logits_are_of_normalised_images_in_the_order_of_the_part(data):
    expected = 2.0 * (LEVELS / 255 - 0.5) / 0.25
    found = predict(Brightness(), data, data.test)
    assert torch.allclose(found, torch.stack([-expected, expected], 1), atol=1e-5)
    assert not found.requires_grad


def test_batches_cover_every_image_once_in_eval_mode_without_a_gradient(data):
    network = Brightness().train()
    found = predict(network, data, data.train, batch=4)
    assert network.asked == [(4, False, False), (4, False, False), (2, False, False)]
    assert torch.equal(found, predict(network, data, data.train))


def test_accuracy_is_the_share_of_labels_said_of_the_part_that_was_asked_for(data):
    network = Brightness()
    assert accuracy(network, data, data.test) == pytest.approx(0.9)
    assert accuracy(network, data, data.train) == 0.0
    with torch.no_grad():
        network.factor.neg_()
    assert accuracy(network, data, data.train) == 1.0


def test_a_score_counts_every_class_alike_where_that_is_wanted(data):
    """Of seven images five are dark, all said so; of two bright ones one is."""
    uneven = replace(data, test=data.test.pick(torch.arange(7)))
    assert score(Brightness(), uneven, uneven.test) == pytest.approx(6 / 7)
    assert score(Brightness(), replace(uneven, balanced=True), uneven.test) == pytest.approx((1 + 1 / 2) / 2)


def test_statistics_of_a_normalization_stay_as_they_were(data):
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2)).train()
    before = network[0].running_mean.clone()
    predict(network, data, data.test)
    assert torch.equal(network[0].running_mean, before)


@pytest.mark.gpu
def test_a_network_on_a_gpu_is_asked_there_and_answers_here(data):
    found = predict(Brightness().cuda(), data, data.test)
    assert found.device.type == "cpu"
    assert torch.allclose(found, predict(Brightness(), data, data.test), atol=1e-5)
